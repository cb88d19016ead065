//! Leases: who may fetch and fill which item, one caller at a time.
//!
//! As in memcached at Facebook: a miss gives its caller a lease, which the fill has to present;
//! others that miss meanwhile wait; a write takes the lease away, so that a fill with what was
//! fetched before the write is refused. A lease that is not used in time counts no more.

use std::collections::BTreeMap;

use crate::components::call::CallKey;
use crate::engine::stream::DrawKey;
use crate::units::{Duration, Instant};

struct Lease {
    /// The request that holds it.
    owner: DrawKey,
    until: Instant,
    /// Lookups that wait for its fill.
    waiting: Vec<CallKey>,
}

/// The leases of one node, by item.
#[derive(Default)]
pub(super) struct Leases {
    by_item: BTreeMap<u64, Lease>,
}

impl Leases {
    /// Asks for the lease of an item that was missed: granted, unless another request holds it.
    pub fn ask(&mut self, item: u64, owner: DrawKey, now: Instant, hold: Duration) -> bool {
        let until = Instant(now.0 + hold.0);
        let free = || Lease { owner, until, waiting: Vec::new() };
        let lease = self.by_item.entry(item).or_insert_with(free);
        if lease.owner != owner && lease.until > now {
            return false;
        }
        (lease.owner, lease.until) = (owner, until);
        true
    }

    /// Notes a lookup that waits for the fill of an item.
    pub fn wait(&mut self, item: u64, call: CallKey) {
        if let Some(lease) = self.by_item.get_mut(&item)
            && !lease.waiting.contains(&call)
        {
            lease.waiting.push(call);
        }
    }

    /// A fill presents its lease, or its fetch has failed: who waited, if the lease was still held.
    pub fn end(&mut self, item: u64, owner: DrawKey) -> Option<Vec<CallKey>> {
        self.by_item.get(&item).filter(|lease| lease.owner == owner)?;
        self.by_item.remove(&item).map(|lease| lease.waiting)
    }

    /// A write takes the lease of an item away. Who waits looks again in time.
    pub fn void(&mut self, item: u64) {
        self.by_item.remove(&item);
    }

    /// The node died.
    pub fn clear(&mut self) {
        self.by_item.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_owner_at_a_time_until_it_fills_or_is_late() {
        let mut leases = Leases::default();
        let (one, two) = (DrawKey(1), DrawKey(2));
        let hold = Duration(10);
        assert!(leases.ask(7, one, Instant(0), hold));
        assert!(!leases.ask(7, two, Instant(9), hold) && leases.ask(8, two, Instant(9), hold));
        leases.wait(7, CallKey::NONE);
        assert_eq!(leases.end(7, two), None);
        assert_eq!(leases.end(7, one), Some(vec![CallKey::NONE]));
        assert_eq!(leases.end(7, one), None);
        // Late: another gets it, and the first fill is refused.
        assert!(leases.ask(8, one, Instant(19), hold));
        assert_eq!(leases.end(8, two), None);
        leases.void(8);
        assert_eq!(leases.end(8, one), None);
    }
}
