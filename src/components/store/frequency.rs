//! Perfect LFU: how often every item was asked for, held or not, and the held one of least use.
//!
//! A binary heap of the held slots, with the position of each, finds the next to leave in O(log n).
//! Among equally many uses the one used, or put in, longest ago leaves.

use super::NONE;

/// Uses of all items, and the held ones in the order of their uses. Slots are item numbers.
pub(super) struct Frequency {
    uses: Vec<u32>,
    /// By slot, the number of its last use or arrival, modulo 2^32.
    last: Vec<u32>,
    /// By slot, its position in the heap.
    positions: Vec<u32>,
    heap: Vec<u32>,
    used: u32,
}

impl Frequency {
    /// Nothing asked for and nothing held, of so many items.
    pub fn new(items: usize) -> Self {
        Self {
            uses: vec![0; items],
            last: vec![0; items],
            positions: vec![NONE; items],
            heap: Vec::new(),
            used: 0,
        }
    }

    /// Whether a slot is held.
    pub fn holds(&self, slot: u32) -> bool {
        self.positions[slot as usize] != NONE
    }

    /// The item was asked for.
    pub fn use_of(&mut self, slot: u32) {
        let index = slot as usize;
        self.uses[index] = self.uses[index].saturating_add(1);
        self.used = self.used.wrapping_add(1);
        self.last[index] = self.used;
        if self.positions[index] != NONE {
            self.sift_down(self.positions[index] as usize);
        }
    }

    /// Sets how often an item that is not held was asked for so far.
    pub fn set_uses(&mut self, slot: u32, uses: u32) {
        self.uses[slot as usize] = uses;
    }

    fn rank(&self, slot: u32) -> (u32, u32) {
        let index = slot as usize;
        // Ages count back from the last use, so that a number that has wrapped does no harm.
        (self.uses[index], u32::MAX - self.used.wrapping_sub(self.last[index]))
    }

    /// Puts a slot in.
    pub fn push(&mut self, slot: u32) {
        self.used = self.used.wrapping_add(1);
        self.last[slot as usize] = self.used;
        self.positions[slot as usize] = self.heap.len() as u32;
        self.heap.push(slot);
        self.sift_up(self.heap.len() - 1);
    }

    /// The slot of least use.
    pub fn least(&self) -> Option<u32> {
        self.heap.first().copied()
    }

    /// Takes a slot out.
    pub fn remove(&mut self, slot: u32) {
        let position = std::mem::replace(&mut self.positions[slot as usize], NONE) as usize;
        self.heap.swap_remove(position);
        if let Some(&moved) = self.heap.get(position) {
            self.positions[moved as usize] = position as u32;
            self.sift_up(position);
            self.sift_down(self.positions[moved as usize] as usize);
        }
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.heap.swap(a, b);
        self.positions[self.heap[a] as usize] = a as u32;
        self.positions[self.heap[b] as usize] = b as u32;
    }

    fn sift_up(&mut self, mut at: usize) {
        while at > 0 {
            let parent = (at - 1) / 2;
            if self.rank(self.heap[parent]) <= self.rank(self.heap[at]) {
                break;
            }
            self.swap(parent, at);
            at = parent;
        }
    }

    fn sift_down(&mut self, mut at: usize) {
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let mut least = at;
            for child in [left, right] {
                if child < self.heap.len()
                    && self.rank(self.heap[child]) < self.rank(self.heap[least])
                {
                    least = child;
                }
            }
            if least == at {
                return;
            }
            self.swap(at, least);
            at = least;
        }
    }

    /// Takes all slots out and forgets all uses: the process that counted them is gone.
    pub fn clear(&mut self) {
        self.uses.fill(0);
        self.last.fill(0);
        self.positions.fill(NONE);
        self.heap.clear();
    }

    /// Bytes that it takes.
    pub fn memory_bytes(&self) -> usize {
        let all = self.uses.capacity() + self.last.capacity();
        (all + self.positions.capacity() + self.heap.capacity()) * size_of::<u32>()
    }
}
