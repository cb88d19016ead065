//! Versions of items: which is the newest, and which the newest that a writer knows to be safe.
//!
//! Every item has a version, 0 before its first write, raised at each commit. A read is *stale*
//! when it is answered with a version older than the newest one acknowledged before it began.
//! Stores keep the versions of their copies themselves; here stands only what all of them agree on.
//! Memory is taken by pages of items that were written, not by items.

use std::collections::HashMap; // tidy: looked up by key, never iterated

use super::call::{Access, CallKey, flag};
use super::context::Cx;
use super::topology::{DataId, users};
use crate::engine::pages::Pages;

/// Newest versions of one item.
#[derive(Clone, Copy, Default)]
struct Newest {
    made: u32,
    acknowledged: u32,
}

/// Which versions exist.
pub struct Versions {
    newest: Pages<Newest>,
    /// By user and item the newest version that the user's own write was acknowledged with; kept
    /// only where somebody asks for it.
    own: Option<HashMap<(u32, u64), u32>>,
}

/// A read was answered with an old version.
pub const STALE: u8 = 1;
/// A read did not see the reader's own acknowledged write.
pub const OWN_WRITE_MISSING: u8 = 2;

impl Versions {
    /// No item has been written; `own` if own writes are asked for.
    pub fn new(items: u64, own: bool) -> Self {
        Self { newest: Pages::new(items), own: own.then(HashMap::new) }
    }

    /// A write is committed: its version, newer than all before.
    pub fn commit(&mut self, dense: u64) -> u32 {
        let newest = self.newest.get_mut(dense);
        newest.made += 1;
        newest.made
    }

    /// The version last committed, acknowledged or not.
    pub fn committed(&self, dense: u64) -> u32 {
        self.newest.get(dense).made
    }

    /// The newest version that a writer was told of.
    #[inline]
    pub fn acknowledged(&self, dense: u64) -> u32 {
        self.newest.get(dense).acknowledged
    }

    /// A user is told that a version is safe.
    pub fn acknowledge(&mut self, dense: u64, version: u32, user: u32) {
        let newest = self.newest.get_mut(dense);
        newest.acknowledged = newest.acknowledged.max(version);
        if let Some(own) = &mut self.own {
            let seen = own.entry((user, dense)).or_default();
            *seen = version.max(*seen);
        }
    }

    /// A version is lost for good: the one before it is the newest again. Versions are not used
    /// twice.
    pub fn withdraw(&mut self, dense: u64, before: u32) {
        let newest = self.newest.get_mut(dense);
        newest.acknowledged = newest.acknowledged.min(before);
    }

    /// Whether a user has written the item after this version, and knows it to be safe.
    fn own_is_newer(&self, user: u32, dense: u64, version: u32) -> bool {
        let Some(own) = &self.own else { return false };
        let written = own.get(&(user, dense)).copied().unwrap_or(0);
        written.min(self.newest.get(dense).acknowledged) > version
    }
}

impl Cx<'_> {
    /// Position of an item when the items of all data sets are counted through.
    #[inline]
    pub fn dense(&self, data: DataId, item: u64) -> u64 {
        self.topology.data[data.index()].first + item
    }

    /// A call that reads is answered with a version: whether that is stale. The user's request
    /// hears of it.
    pub fn read_served(&mut self, key: CallKey, version: u32) -> bool {
        let call = &self.calls[key];
        let Some(data) = call.data else { return false };
        if version >= call.expected {
            return false;
        }
        let dense = self.dense(data, call.item);
        let own = self.versions.own_is_newer(call.user, dense, version);
        let notes = STALE | if own { OWN_WRITE_MISSING } else { 0 };
        let mut up = call.parent;
        while let Some(frame) = self.calls.get_mut(up) {
            if frame.component == users() {
                frame.notes |= notes;
                break;
            }
            up = frame.parent;
        }
        true
    }

    /// A write is answered: its writer knows the version to be safe, unless it was a store that
    /// writes on behalf of somebody else, who hears of it later.
    pub fn write_acknowledged(&mut self, key: CallKey, version: u32) {
        let call = &self.calls[key];
        let Some(data) = call.data else { return };
        if call.is(flag::INNER) {
            return;
        }
        let (dense, user) = (self.dense(data, call.item), call.user);
        self.versions.acknowledge(dense, version, user);
    }

    /// The version that a commit of this write makes: a new one, unless the call brings it along.
    pub fn write_committed(&mut self, key: CallKey) -> u32 {
        let call = &self.calls[key];
        debug_assert_eq!(call.access, Access::Write);
        let Some(data) = call.data else { return 0 };
        if call.version > 0 {
            return call.version;
        }
        let dense = self.dense(data, call.item);
        self.versions.commit(dense)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_rise_and_are_acknowledged_apart() {
        let mut versions = Versions::new(1000, true);
        assert_eq!(versions.acknowledged(999), 0);
        let (first, second) = (versions.commit(999), versions.commit(999));
        assert_eq!((first, second), (1, 2));
        versions.acknowledge(999, second, 7);
        versions.acknowledge(999, first, 8);
        assert_eq!((versions.acknowledged(999), versions.committed(999)), (2, 2));
        assert_eq!(versions.acknowledged(998), 0);
        assert!(versions.own_is_newer(7, 999, 1) && !versions.own_is_newer(7, 999, 2));
        assert!(!versions.own_is_newer(8, 999, 1));
    }

    #[test]
    fn a_lost_version_is_nobodys_miss_and_is_not_made_again() {
        let mut versions = Versions::new(10, true);
        let (first, second) = (versions.commit(3), versions.commit(3));
        versions.acknowledge(3, first, 1);
        versions.acknowledge(3, second, 1);
        versions.withdraw(3, first);
        assert_eq!(versions.acknowledged(3), first);
        assert!(!versions.own_is_newer(1, 3, first));
        assert_eq!(versions.commit(3), 3);
    }
}
