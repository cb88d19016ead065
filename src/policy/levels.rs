//! Who has the fewest connections, found without asking everyone.
//!
//! It knows backends as numbers, and nothing of why one may not be chosen.

/// Backends with equally many connections, as bit sets: one per number of connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Levels {
    words: usize,
    bits: Vec<u64>,
    least: usize,
}

impl Levels {
    pub(super) fn new(backends: usize) -> Self {
        let words = backends.div_ceil(64);
        let mut levels = Self { words, bits: vec![0; words], least: 0 };
        for backend in 0..backends {
            levels.bits[backend / 64] |= 1 << (backend % 64);
        }
        levels
    }

    pub(super) fn shift(&mut self, backend: usize, from: usize, to: usize) {
        let needed = (to + 1) * self.words;
        if self.bits.len() < needed {
            self.bits.resize(needed, 0);
        }
        let (word, bit) = (backend / 64, 1u64 << (backend % 64));
        self.bits[from * self.words + word] &= !bit;
        self.bits[to * self.words + word] |= bit;
        let row = &self.bits[from * self.words..][..self.words];
        if to < self.least || (from == self.least && row.iter().all(|&word| word == 0)) {
            self.least = to;
        }
    }

    /// The members of the lowest level that has an eligible one: the first at or after `pointer`,
    /// and whether there was a choice.
    pub(super) fn first(&self, eligible: &[u64], pointer: usize) -> Option<(usize, bool)> {
        let levels = self.bits.len() / self.words;
        for level in self.least..levels {
            let row = &self.bits[level * self.words..][..self.words];
            let count: u32 = row.iter().zip(eligible).map(|(a, b)| (a & b).count_ones()).sum();
            if count == 0 {
                continue;
            }
            let word_at = |word: usize| row[word] & eligible[word];
            let start = (pointer / 64).min(self.words - 1);
            let low = u64::MAX << (pointer % 64);
            let first = word_at(start) & low;
            if first != 0 {
                return Some((start * 64 + first.trailing_zeros() as usize, count > 1));
            }
            for step in 1..=self.words {
                let word = (start + step) % self.words;
                let bits = word_at(word);
                if bits != 0 {
                    return Some((word * 64 + bits.trailing_zeros() as usize, count > 1));
                }
            }
        }
        None
    }
}
