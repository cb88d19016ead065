//! Versions of items: which is the newest, and which the newest that a writer knows to be safe.
//!
//! Every item has a version, 0 before its first write, raised at each commit. A read is *stale*
//! when it is answered with a version older than the newest one acknowledged before it began.
//! Stores keep the versions of their copies themselves; here stands only what all of them agree on.
//!
//! Items that change by themselves do so evenly in time from a random phase each, so that the
//! version at an instant is a pure function; they are not written, and their versions count from 1.
//! Memory is taken by pages of items that were written, not by items.

use std::collections::HashMap; // tidy: looked up by key, never iterated

use super::call::{Access, CallKey, flag};
use super::context::Cx;
use super::topology::{DataId, DataPlan, users};
use crate::engine::pages::Pages;
use crate::engine::stream::{DrawKey, salt};
use crate::units::Instant;

const PHASE: u64 = salt("changes by itself");

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
    /// Data sets whose items change by themselves, in the order of their items.
    changing: Vec<Changing>,
}

/// A data set whose items change by themselves.
#[derive(Clone, Copy, Debug)]
struct Changing {
    first: u64,
    end: u64,
    /// Nanoseconds between two changes of an item.
    period: i64,
    phases: DrawKey,
    /// Nothing has changed before.
    start: Instant,
}

impl Changing {
    /// The version of an item at an instant: 1 at the start, and 1 more with each change.
    fn at(&self, dense: u64, now: Instant) -> u32 {
        let phase = self.phases.child(dense - self.first).draw().below(self.period as u64) as i64;
        let changes = (now.0 - self.start.0 + phase) / self.period;
        (changes + 1).clamp(1, i64::from(u32::MAX)) as u32
    }
}

/// A read was answered with an old version.
pub const STALE: u8 = 1;
/// A read did not see the reader's own acknowledged write.
pub const OWN_WRITE_MISSING: u8 = 2;

impl Versions {
    /// No item has been written; `own` if own writes are asked for.
    pub fn new(items: u64, own: bool) -> Self {
        Self { newest: Pages::new(items), own: own.then(HashMap::new), changing: Vec::new() }
    }

    /// The same for these data sets, some of which may change by themselves from `start` on.
    pub fn of(data: &[DataPlan], own: bool, root: DrawKey, start: Instant) -> Self {
        let items = data.last().map_or(0, |last| last.first + last.items);
        let changing = data.iter().filter_map(|set| {
            let period = set.changes?.0;
            let phases = root.child(set.salt).child(PHASE);
            Some(Changing { first: set.first, end: set.first + set.items, period, phases, start })
        });
        Self { changing: changing.collect(), ..Self::new(items, own) }
    }

    /// The newest version that everybody could know of: acknowledged, or come to by itself until an
    /// instant.
    #[inline(always)]
    pub fn known(&self, dense: u64, at: Instant) -> u32 {
        if self.any_change() {
            let by_itself = self.by_itself(dense, at);
            return by_itself.max(self.acknowledged(dense));
        }
        self.acknowledged(dense)
    }

    /// Whether items of any data set change by themselves.
    #[inline(always)]
    fn any_change(&self) -> bool {
        !self.changing.is_empty()
    }

    /// The version that an item has come to by itself; 0 where items do not change.
    #[cold]
    pub fn by_itself(&self, dense: u64, now: Instant) -> u32 {
        let set = self.changing.iter().find(|set| (set.first..set.end).contains(&dense));
        set.map_or(0, |set| set.at(dense, now))
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

    /// The newest version of an item that everybody could know of.
    #[inline]
    pub fn acknowledged(&self, dense: u64) -> u32 {
        self.versions.known(dense, self.now())
    }

    /// The version that a copy has which comes from somebody who knows of none: of an item that
    /// changes by itself, the newest.
    #[inline]
    pub fn fetched(&self, dense: u64, version: u32) -> u32 {
        if self.versions.any_change() && version == 0 {
            return self.versions.by_itself(dense, self.now());
        }
        version
    }

    /// The version of a copy that has been there since the start, when it was the newest.
    #[inline]
    pub fn held(&self, dense: u64, version: u32) -> u32 {
        let changes = || self.versions.by_itself(dense, self.now()) > 0;
        if version == 0 && self.versions.any_change() && changes() { 1 } else { version }
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

    /// Against a list of all changes of an item, made one by one.
    #[test]
    fn an_item_changes_evenly_from_a_phase_of_its_own() {
        let (start, period) = (Instant(-5_000), 700);
        let set = Changing { first: 10, end: 13, period, phases: DrawKey(7), start };
        let mut firsts = Vec::new();
        for dense in 10..13 {
            let mut changes: Vec<i64> = Vec::new();
            let mut before = set.at(dense, start);
            assert_eq!(before, 1);
            for now in start.0..start.0 + 4_000 {
                let version = set.at(dense, Instant(now));
                assert!(version == before || version == before + 1);
                if version > before {
                    changes.push(now);
                }
                before = version;
            }
            assert!(changes.len() >= 5 && changes.windows(2).all(|two| two[1] - two[0] == period));
            assert!(changes[0] - start.0 <= period);
            firsts.push(changes[0]);
        }
        assert!(firsts[0] != firsts[1] || firsts[1] != firsts[2]);
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
