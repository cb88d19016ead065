//! Events in the order of their keys, whatever order they come in: the next few in a sorted row,
//! the others in a heap.
//!
//! A simulated system has about as many events pending as jobs running. With a few dozen of them,
//! inserting into a sorted row and taking from its end costs half the instructions of a binary heap;
//! with many, nearly all go to the heap, and the row takes them over in batches. It does not know
//! what a key means; keys are unique.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// An event and its place in the order.
#[derive(Clone, Copy)]
pub(super) struct Entry<E> {
    /// Smaller is earlier.
    pub key: u128,
    /// What happens.
    pub event: E,
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}
impl<E> Eq for Entry<E> {}
impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
/// Reversed, because the standard heap keeps its largest entry on top.
impl<E> Ord for Entry<E> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key)
    }
}

/// Most entries in the row: moving half of them is still cheaper than the heap.
const ROW: usize = 64;

/// Pending events under their keys.
pub(super) struct Agenda<E> {
    /// The earliest entries, the earliest of all at the end; empty only when there is none at all.
    row: Vec<Entry<E>>,
    /// The others, none of them earlier than any in the row.
    heap: BinaryHeap<Entry<E>>,
}

impl<E: Copy> Agenda<E> {
    /// Nothing pending.
    pub fn new() -> Self {
        Self { row: Vec::with_capacity(ROW + 1), heap: BinaryHeap::with_capacity(1024) }
    }

    /// The earliest key.
    #[inline(always)]
    pub fn first(&self) -> Option<u128> {
        self.row.last().map(|entry| entry.key)
    }

    /// Adds an event.
    #[inline(always)]
    pub fn push(&mut self, key: u128, event: E) {
        let soon = match self.row.first() {
            Some(latest) => key < latest.key || (self.row.len() < ROW && self.heap.is_empty()),
            None => true,
        };
        if !soon {
            return self.heap.push(Entry { key, event });
        }
        let at = self.row.partition_point(|entry| entry.key > key);
        self.row.insert(at, Entry { key, event });
        if self.row.len() > ROW {
            self.spill();
        }
    }

    /// Takes the earliest event out.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<E> {
        let entry = self.row.pop()?;
        if self.row.is_empty() {
            self.refill();
        }
        Some(entry.event)
    }

    #[cold]
    fn spill(&mut self) {
        self.heap.extend(self.row.drain(..ROW / 2));
    }

    #[cold]
    fn refill(&mut self) {
        self.row.extend(std::iter::from_fn(|| self.heap.pop()).take(ROW / 2));
        self.row.reverse();
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::super::stream::DrawKey;
    use super::*;

    /// A long random sequence of pushes and pops against a sorted list, at several sizes.
    #[test]
    fn events_leave_in_the_order_of_their_keys() {
        for size in [1, 20, ROW, 3 * ROW, 1000] {
            let mut draw = DrawKey(size as u64).draw();
            let (mut agenda, mut model) = (Agenda::new(), std::collections::BTreeMap::new());
            let mut now = 0;
            for number in 0..20_000_u32 {
                if model.len() < size || draw.next_u64() % 2 == 0 && model.len() < 2 * size {
                    let key = now + u128::from(draw.next_u64() % 1000) << 32 | u128::from(number);
                    agenda.push(key, number);
                    model.insert(key, number);
                    continue;
                }
                assert_eq!(agenda.first(), model.keys().next().copied());
                let (key, event) = model.pop_first().expect("an entry");
                assert_eq!(agenda.pop(), Some(event));
                now = key >> 32;
            }
            let rest: Vec<u32> = std::iter::from_fn(|| agenda.pop()).collect();
            assert_eq!(rest, model.into_values().collect::<Vec<_>>());
        }
    }
}
