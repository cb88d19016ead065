//! A bag of slots from which any is drawn, each as likely as the others.

use super::NONE;
use crate::engine::stream::Draw;

/// Slots without an order.
pub(super) struct Bag {
    members: Vec<u32>,
    /// By slot, its position among the members.
    positions: Vec<u32>,
}

impl Bag {
    /// So many slots outside of the bag, with room for more.
    pub fn new(slots: usize, room: usize) -> Self {
        let mut positions = Vec::with_capacity(room);
        positions.resize(slots, NONE);
        Self { members: Vec::new(), positions }
    }

    /// One more slot.
    pub fn grow(&mut self) {
        self.positions.push(NONE);
    }

    /// Whether a slot is in it.
    pub fn holds(&self, slot: u32) -> bool {
        self.positions[slot as usize] != NONE
    }

    /// Puts a slot in.
    pub fn push(&mut self, slot: u32) {
        self.positions[slot as usize] = self.members.len() as u32;
        self.members.push(slot);
    }

    /// Takes a slot out.
    pub fn remove(&mut self, slot: u32) {
        let position = std::mem::replace(&mut self.positions[slot as usize], NONE);
        self.members.swap_remove(position as usize);
        if let Some(&moved) = self.members.get(position as usize) {
            self.positions[moved as usize] = position;
        }
    }

    /// Any slot.
    pub fn any(&self, mut draw: Draw) -> Option<u32> {
        self.members.get(draw.below(self.members.len() as u64) as usize).copied()
    }

    /// Takes all slots out; so many remain.
    pub fn clear(&mut self, slots: usize) {
        self.members.clear();
        self.positions.clear();
        self.positions.resize(slots, NONE);
    }

    /// Bytes that it takes.
    pub fn memory_bytes(&self) -> usize {
        (self.members.capacity() + self.positions.capacity()) * size_of::<u32>()
    }
}
