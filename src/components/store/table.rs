//! A hash table of small numbers whose keys lie elsewhere: open addressing, linear probing.
//!
//! It stores 4 bytes per cell and is at most four fifths full. It does not know what its numbers
//! stand for: whoever asks says how to get from a number to its key.

use super::NONE;
use crate::engine::stream::DrawKey;

/// Numbers below [`NONE`], found by their keys.
pub struct Table {
    cells: Vec<u32>,
    used: usize,
}

/// Cells of a table that shall hold so many numbers.
fn cells_for(numbers: usize) -> usize {
    numbers + numbers / 4 + 8
}

impl Table {
    /// An empty table with room for so many numbers before it grows.
    pub fn with_capacity(numbers: usize) -> Self {
        Self { cells: vec![NONE; cells_for(numbers)], used: 0 }
    }

    /// Where the search for a key begins.
    fn home(&self, key: u32) -> usize {
        let hash = DrawKey(0).child(u64::from(key)).0;
        ((u128::from(hash) * self.cells.len() as u128) >> 64) as usize
    }

    fn next(&self, cell: usize) -> usize {
        if cell + 1 == self.cells.len() { 0 } else { cell + 1 }
    }

    fn cell_of(&self, key: u32, key_of: impl Fn(u32) -> u32) -> Option<usize> {
        let mut cell = self.home(key);
        loop {
            match self.cells[cell] {
                NONE => return None,
                number if key_of(number) == key => return Some(cell),
                _ => cell = self.next(cell),
            }
        }
    }

    /// The number with this key.
    pub fn find(&self, key: u32, key_of: impl Fn(u32) -> u32) -> Option<u32> {
        self.cell_of(key, key_of).map(|cell| self.cells[cell])
    }

    /// Adds a number whose key is not there yet.
    pub fn insert(&mut self, number: u32, key_of: impl Fn(u32) -> u32) {
        if cells_for(self.used + 1) > self.cells.len() {
            let grown = cells_for(self.used + self.used / 2 + 8);
            let old = std::mem::replace(&mut self.cells, vec![NONE; grown]);
            for &moved in old.iter().filter(|&&cell| cell != NONE) {
                self.place(moved, key_of(moved));
            }
        }
        self.used += 1;
        self.place(number, key_of(number));
    }

    fn place(&mut self, number: u32, key: u32) {
        let mut cell = self.home(key);
        while self.cells[cell] != NONE {
            cell = self.next(cell);
        }
        self.cells[cell] = number;
    }

    /// Takes the number with this key out, if it is there.
    pub fn remove(&mut self, key: u32, key_of: impl Fn(u32) -> u32) -> Option<u32> {
        let mut hole = self.cell_of(key, &key_of)?;
        let removed = self.cells[hole];
        let len = self.cells.len();
        let distance = |from: usize, to: usize| (to + len - from) % len;
        let mut cell = self.next(hole);
        // What would no longer be found from its home moves into the hole.
        while self.cells[cell] != NONE {
            let home = self.home(key_of(self.cells[cell]));
            if distance(home, cell) >= distance(hole, cell) {
                self.cells[hole] = self.cells[cell];
                hole = cell;
            }
            cell = self.next(cell);
        }
        self.cells[hole] = NONE;
        self.used -= 1;
        Some(removed)
    }

    /// Takes all numbers out.
    pub fn clear(&mut self) {
        self.cells.fill(NONE);
        self.used = 0;
    }

    /// Bytes that the table takes.
    pub fn memory_bytes(&self) -> usize {
        self.cells.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stream::salt;
    use std::collections::BTreeMap;

    #[test]
    fn it_agrees_with_a_map() {
        let keys: Vec<u32> = (0..500).map(|n| n * 7 + 1).collect();
        let key_of = |number: u32| keys[number as usize];
        let mut table = Table::with_capacity(0);
        let mut map = BTreeMap::new();
        let mut draw = DrawKey(salt("table test")).draw();
        for _ in 0..20_000 {
            let number = draw.below(500) as u32;
            let key = key_of(number);
            if draw.chance(0.5) {
                assert_eq!(table.remove(key, key_of), map.remove(&key));
            } else if table.find(key, key_of).is_none() {
                table.insert(number, key_of);
                map.insert(key, number);
            }
            let other = key_of(draw.below(500) as u32);
            assert_eq!(table.find(other, key_of), map.get(&other).copied());
            assert_eq!(table.used, map.len());
        }
        table.clear();
        assert_eq!(table.find(keys[0], key_of), None);
    }
}
