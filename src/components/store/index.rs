//! Where the facts about an item lie: at its own number, or in one of a few slots.

use super::NONE;
use super::table::Table;

/// From items to slots.
pub(super) enum Index {
    /// Every item has the slot of its own number.
    Dense,
    /// Held items have slots, found by hashing.
    Hashed {
        table: Table,
        /// By slot, its item.
        items: Vec<u32>,
        /// Slots given back.
        free: Vec<u32>,
    },
}

impl Index {
    /// A hashed index with room for so many items.
    pub fn hashed(room: usize) -> Self {
        let items = Vec::with_capacity(room);
        Self::Hashed { table: Table::with_capacity(room), items, free: Vec::new() }
    }

    /// The slot of an item: always there in a dense index.
    #[inline]
    pub fn find(&self, item: u32) -> Option<u32> {
        match self {
            Self::Dense => Some(item),
            Self::Hashed { table, items, .. } => table.find(item, |slot| items[slot as usize]),
        }
    }

    /// A slot for an item that has none; a new one follows the last.
    pub fn claim(&mut self, item: u32) -> u32 {
        let Self::Hashed { table, items, free } = self else { return item };
        let slot = free.pop().unwrap_or(items.len() as u32);
        if slot as usize == items.len() {
            items.push(item);
        } else {
            items[slot as usize] = item;
        }
        table.insert(slot, |slot| items[slot as usize]);
        slot
    }

    /// Gives a slot back.
    pub fn release(&mut self, slot: u32) {
        let Self::Hashed { table, items, free } = self else { return };
        table.remove(items[slot as usize], |slot| items[slot as usize]);
        items[slot as usize] = NONE;
        free.push(slot);
    }

    /// The item of a slot.
    #[inline]
    pub fn item(&self, slot: u32) -> u32 {
        match self {
            Self::Dense => slot,
            Self::Hashed { items, .. } => items[slot as usize],
        }
    }

    /// Forgets all items.
    pub fn clear(&mut self) {
        let Self::Hashed { table, items, free } = self else { return };
        table.clear();
        items.clear();
        free.clear();
    }

    /// Bytes that it takes.
    pub fn memory_bytes(&self) -> usize {
        let Self::Hashed { table, items, free } = self else { return 0 };
        table.memory_bytes() + (items.capacity() + free.capacity()) * size_of::<u32>()
    }
}
