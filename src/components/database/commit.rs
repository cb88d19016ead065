//! The commit on one node: the flush of its log to disk, which takes everyone who waits when it
//! starts, and the rows that writers hold until their flush is over.

use std::collections::HashMap; // tidy: looked up by key, never iterated

use crate::components::call::{ByQueue, Call, CallKey};
use crate::engine::arena::Arena;
use crate::engine::list::List;

/// The flushes of one node.
#[derive(Default)]
pub struct Flushes {
    waiting: Vec<CallKey>,
    flushing: Vec<CallKey>,
    /// Flushes so far: their draws, and the word that tells a flush from one before a crash.
    number: u32,
    busy: bool,
}

impl Flushes {
    /// A call waits for the next flush.
    pub fn join(&mut self, call: CallKey) {
        self.waiting.push(call);
    }

    /// Starts a flush if none runs and someone waits: its number. With `group` it takes everyone.
    pub fn start(&mut self, group: bool) -> Option<u32> {
        if self.busy || self.waiting.is_empty() {
            return None;
        }
        let taken = if group { self.waiting.len() } else { 1 };
        self.flushing.extend(self.waiting.drain(..taken));
        self.busy = true;
        self.number = self.number.wrapping_add(1);
        Some(self.number)
    }

    /// A flush is over: the calls it has committed, unless the node died meanwhile. The list is
    /// given back with [`Flushes::keep`].
    pub fn end(&mut self, number: u32) -> Option<Vec<CallKey>> {
        if !self.busy || self.number != number {
            return None;
        }
        self.busy = false;
        Some(std::mem::take(&mut self.flushing))
    }

    /// Gives the room of a list back.
    pub fn keep(&mut self, mut list: Vec<CallKey>) {
        list.clear();
        self.flushing = list;
    }

    /// The node died.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.flushing.clear();
        self.busy = false;
        self.number = self.number.wrapping_add(1);
    }
}

/// The rows of one node that are being written, and who waits for each.
#[derive(Default)]
pub struct Rows {
    held: HashMap<u64, List>, // tidy: looked up by key, never iterated
}

impl Rows {
    /// A call wants to write a row; whether it holds it now. Else it waits.
    pub fn take(&mut self, calls: &mut Arena<Call>, row: u64, call: CallKey) -> bool {
        let mut free = false;
        let waiting = self.held.entry(row).or_insert_with(|| {
            free = true;
            List::default()
        });
        if !free {
            waiting.push_back::<ByQueue, _>(calls, call.index);
        }
        free
    }

    /// The holder lets go of a row: who holds it next.
    pub fn give(&mut self, calls: &mut Arena<Call>, row: u64) -> Option<CallKey> {
        let waiting = self.held.get_mut(&row)?;
        match waiting.pop_front::<ByQueue, _>(calls) {
            Some(next) => Some(calls.key_at(next)),
            None => {
                self.held.remove(&row);
                None
            }
        }
    }

    /// A call that waits for a row goes.
    pub fn give_up(&mut self, calls: &mut Arena<Call>, row: u64, call: CallKey) {
        if let Some(waiting) = self.held.get_mut(&row) {
            waiting.remove::<ByQueue, _>(calls, call.index);
        }
    }

    /// The node died.
    pub fn clear(&mut self) {
        self.held.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_takes_everyone_who_waits_at_its_start() {
        let mut calls: Arena<Call> = Arena::with_capacity(4);
        let keys: Vec<CallKey> = (0..3).map(|_| calls.allocate()).collect();
        let mut flushes = Flushes::default();
        flushes.join(keys[0]);
        let first = flushes.start(true).expect("someone waits");
        flushes.join(keys[1]);
        flushes.join(keys[2]);
        assert_eq!(flushes.start(true), None);
        assert_eq!(flushes.end(first), Some(vec![keys[0]]));
        let second = flushes.start(true).expect("two wait");
        assert_eq!(flushes.end(first), None);
        flushes.clear();
        assert_eq!(flushes.end(second), None);
        flushes.join(keys[1]);
        flushes.join(keys[2]);
        let third = flushes.start(false).expect("two wait");
        assert_eq!(flushes.end(third), Some(vec![keys[1]]));
    }

    #[test]
    fn a_row_goes_to_who_has_waited_longest() {
        let mut calls: Arena<Call> = Arena::with_capacity(4);
        let keys: Vec<CallKey> = (0..4).map(|_| calls.allocate()).collect();
        let mut rows = Rows::default();
        assert!(rows.take(&mut calls, 5, keys[0]) && rows.take(&mut calls, 6, keys[3]));
        assert!(!rows.take(&mut calls, 5, keys[1]) && !rows.take(&mut calls, 5, keys[2]));
        rows.give_up(&mut calls, 5, keys[1]);
        assert_eq!(rows.give(&mut calls, 5), Some(keys[2]));
        assert_eq!(rows.give(&mut calls, 5), None);
        assert!(rows.take(&mut calls, 5, keys[1]));
    }
}
