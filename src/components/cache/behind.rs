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
    sent: BTreeMap<u64, Dirty>,
    /// Whether a flush has begun and not yet sent everything.
    pub flushing: bool,
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
        let known = self.dirty.get(&dense).or_else(|| self.sent.get(&dense));
        known.map(|dirty| dirty.version)
    }

    /// Takes the next item to be sent, unless so many are on their way. One that is on its way
    /// itself waits, so that its writes do not overtake each other.
    pub fn take(&mut self, most: usize) -> Option<(u64, Dirty)> {
        if self.sent.len() >= most {
            return None;
        }
        let next = self.dirty.keys().copied().find(|dense| !self.sent.contains_key(dense))?;
        let dirty = self.dirty.remove(&next)?;
        self.sent.insert(next, dirty);
        Some((next, dirty))
    }

    /// Whether nothing is kept back.
    pub fn is_clean(&self) -> bool {
        self.dirty.is_empty()
    }

    /// An item is written; or it has failed, and is kept back until the next flush.
    pub fn ended(&mut self, dense: u64, written: bool) {
        let Some(old) = self.sent.remove(&dense) else { return };
        if written {
            return;
        }
        self.flushing = false;
        let newest = self.dirty.remove(&dense).unwrap_or(Dirty { writes: 0, ..old });
        let writes = old.writes + newest.writes;
        self.dirty.insert(dense, Dirty { before: old.before, writes, ..newest });
    }

    /// The node dies: what was kept back is lost; what was on its way arrives.
    pub fn die(&mut self) -> impl Iterator<Item = (u64, Dirty)> + use<> {
        self.sent.clear();
        self.flushing = false;
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
        assert_eq!((behind.version(5), behind.version(7)), (Some(2), None));
        let (dense, sent) = behind.take(2).expect("one is dirty");
        assert_eq!((dense, sent.version, sent.writes), (5, 2, 2));
        behind.keep(5, write(3));
        assert!(behind.take(2).is_none(), "its write before is on its way");
        behind.keep(6, write(1));
        assert!(behind.take(1).is_none() && behind.take(2).is_some());
        behind.ended(5, false);
        behind.ended(6, true);
        let lost: Vec<(u64, u32, u32, u64)> =
            behind.die().map(|(at, d)| (at, d.version, d.before, d.writes)).collect();
        assert_eq!(lost, [(5, 3, 0, 3)]);
        assert!(behind.take(9).is_none());
    }
}
