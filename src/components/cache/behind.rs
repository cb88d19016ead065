//! Writes that a node has acknowledged and keeps back: what is not yet written behind it.

use std::collections::BTreeMap;

use crate::components::topology::{DataId, OperationId};

/// The newest state of one item that is not written behind the cache.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dirty {
    pub data: DataId,
    pub item: u64,
    pub operation: OperationId,
    pub version: u32,
    /// The newest version acknowledged before the first of these writes.
    pub before: u32,
    /// Writes acknowledged since.
    pub writes: u64,
}

/// The writes that one node keeps back, and those on their way.
#[derive(Default)]
pub(super) struct Behind {
    dirty: BTreeMap<u64, Dirty>,
    /// By number of the batch.
    batches: BTreeMap<u64, Vec<(u64, Dirty)>>,
    last_batch: u64,
}

impl Behind {
    /// A write is acknowledged and kept back.
    pub fn keep(&mut self, dense: u64, write: Dirty) {
        let known = self.dirty.entry(dense).or_insert(Dirty { writes: 0, ..write });
        (known.version, known.operation) = (write.version, write.operation);
        known.writes += write.writes;
    }

    /// The version of an item that is kept back or on its way.
    pub fn version(&self, dense: u64) -> Option<u32> {
        if let Some(dirty) = self.dirty.get(&dense) {
            return Some(dirty.version);
        }
        let sent = self.batches.values().rev().flatten();
        sent.filter(|(other, _)| *other == dense).map(|(_, dirty)| dirty.version).max()
    }

    /// Takes the next batch of at most so many items: its number and its first item.
    pub fn take(&mut self, most: usize) -> Option<(u64, Dirty, usize)> {
        let mut batch = Vec::new();
        while batch.len() < most
            && let Some(first) = self.dirty.pop_first()
        {
            batch.push(first);
        }
        let first = batch.first()?.1;
        let items = batch.len();
        self.last_batch += 1;
        self.batches.insert(self.last_batch, batch);
        Some((self.last_batch, first, items))
    }

    /// A batch is written, or has failed and is kept back again.
    pub fn ended(&mut self, batch: u64, written: bool) {
        let Some(sent) = self.batches.remove(&batch) else { return };
        if written {
            return;
        }
        for (dense, old) in sent {
            let newer = self.dirty.insert(dense, old);
            if let Some(newer) = newer {
                let writes = old.writes + newer.writes;
                self.dirty.insert(dense, Dirty { before: old.before, writes, ..newer });
            }
        }
    }

    /// The node dies: what was kept back is lost; what was on its way arrives.
    pub fn die(&mut self) -> impl Iterator<Item = (u64, Dirty)> + use<> {
        self.batches.clear();
        std::mem::take(&mut self.dirty).into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(version: u32) -> Dirty {
        let (data, operation) = (DataId::new(0), OperationId::new(0));
        Dirty { data, item: 0, operation, version, before: version - 1, writes: 1 }
    }

    #[test]
    fn writes_to_one_item_become_one_and_none_is_forgotten() {
        let mut behind = Behind::default();
        behind.keep(5, write(1));
        behind.keep(5, write(2));
        behind.keep(6, write(1));
        assert_eq!((behind.version(5), behind.version(7)), (Some(2), None));
        let (batch, first, items) = behind.take(1).expect("two are dirty");
        assert_eq!((first.version, first.writes, items), (2, 2, 1));
        assert_eq!(behind.version(5), Some(2));
        behind.keep(5, write(3));
        behind.ended(batch, false);
        let lost: Vec<(u64, u32, u32, u64)> =
            behind.die().map(|(at, d)| (at, d.version, d.before, d.writes)).collect();
        assert_eq!(lost, [(5, 3, 0, 3), (6, 1, 0, 1)]);
        assert!(behind.take(9).is_none());
    }
}
