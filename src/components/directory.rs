//! Which node of a store does what, as its callers know it: whom to write to, whom to read from.
//!
//! The store's room says so, late where it takes time to tell; the callers' links obey. A caller
//! knows nothing else of the nodes.

use std::collections::{HashMap, VecDeque}; // tidy: looked up by key, never iterated

use super::call::{Access, Call};
use super::context::Cx;
use super::topology::ComponentId;
use crate::engine::stream::salt;

const READS: u64 = salt("reads from replicas");

/// From whom callers read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReadsFrom {
    /// From the node that takes the writes.
    Primary,
    /// So large a share from the replicas, the rest from the primary.
    Replicas(f64),
    /// From the replicas, except by a user whose last write has not reached all of them.
    OwnWrites,
}

/// Which nodes of a store are called for what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StorePlan {
    /// From whom callers read.
    pub reads: ReadsFrom,
    /// Whether one node takes all writes; else every node takes them.
    pub led: bool,
}

/// What the callers of a store know of its nodes.
pub struct Directory {
    reads: ReadsFrom,
    /// Who takes the writes; `None` where every node does.
    primary: Option<u16>,
    /// Whether anyone else takes reads.
    replicas: bool,
    behind: Behind,
}

/// Users whose last write has not reached every replica.
#[derive(Default)]
struct Behind {
    last: HashMap<u32, u64>, // tidy: looked up by key, never iterated
    order: VecDeque<(u64, u32)>,
}

impl Directory {
    /// At the start the first node takes the writes and all others the reads; without a primary
    /// every node takes both.
    pub fn new(plan: StorePlan) -> Self {
        let primary = plan.led.then_some(0);
        Self { reads: plan.reads, primary, replicas: true, behind: Behind::default() }
    }

    /// The node that a call must go to; `None` for any that takes reads.
    pub(super) fn node(&self, call: &Call) -> Option<u16> {
        if call.access != Access::Read || !self.replicas {
            return self.primary;
        }
        match self.reads {
            ReadsFrom::Primary => self.primary,
            ReadsFrom::Replicas(share) => {
                let all = share >= 1.0 || call.draw.child(READS).draw().chance(share);
                if all { None } else { self.primary }
            }
            ReadsFrom::OwnWrites => {
                self.primary.filter(|_| self.behind.last.contains_key(&call.user))
            }
        }
    }

    /// A user has written at a position of the log.
    pub fn wrote(&mut self, user: u32, position: u64) {
        if self.reads == ReadsFrom::OwnWrites {
            self.behind.last.insert(user, position);
            self.behind.order.push_back((position, user));
        }
    }

    /// All replicas have come to a position of the log.
    pub fn reached(&mut self, position: u64) {
        while let Some(&(written, user)) = self.behind.order.front()
            && written <= position
        {
            self.behind.order.pop_front();
            if self.behind.last.get(&user) == Some(&written) {
                self.behind.last.remove(&user);
            }
        }
    }
}

impl Cx<'_> {
    /// What callers know of a store's nodes.
    pub fn directory(&mut self, store: ComponentId) -> Option<&mut Directory> {
        self.directories[store.index()].as_mut()
    }

    /// From now on callers of a store write to `primary` and read from the nodes that `reads`
    /// names.
    pub fn steer(&mut self, store: ComponentId, primary: Option<u16>, reads: &[bool]) {
        let Some(directory) = &mut self.directories[store.index()] else { return };
        directory.primary = primary;
        directory.replicas = reads.contains(&true);
        let topology = self.topology;
        for (link, plan) in topology.links.iter().enumerate() {
            if !plan.by_role || plan.target() != store {
                continue;
            }
            let first = self.first_state[link] as usize;
            let callers = topology.components[plan.caller.index()].instances().max(1) as usize;
            for state in &mut self.states[first..first + callers] {
                let Some(balancer) = &mut state.balancer else { continue };
                for (node, &up) in reads.iter().enumerate() {
                    balancer.set_up(node as u16, up);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stream::DrawKey;

    fn led(reads: ReadsFrom) -> Directory {
        Directory::new(StorePlan { reads, led: true })
    }

    fn read(user: u32) -> Call {
        Call { access: Access::Read, user, draw: DrawKey(u64::from(user)), ..Call::default() }
    }

    #[test]
    fn writes_go_to_the_primary_and_reads_where_the_store_says() {
        let directory = led(ReadsFrom::Replicas(1.0));
        assert_eq!(directory.node(&read(1)), None);
        assert_eq!(directory.node(&Call { access: Access::Write, ..read(1) }), Some(0));
        assert_eq!(led(ReadsFrom::Primary).node(&read(1)), Some(0));
        let share = led(ReadsFrom::Replicas(0.8));
        let away = (0..10_000).filter(|&user| share.node(&read(user)).is_none()).count();
        // 4.5 standard errors of a share of 10,000 draws.
        assert!(away.abs_diff(8000) < 180, "{away}");
    }

    #[test]
    fn a_user_reads_from_the_primary_until_the_last_write_has_reached_all() {
        let mut directory = led(ReadsFrom::OwnWrites);
        directory.wrote(7, 1);
        directory.wrote(7, 3);
        assert_eq!((directory.node(&read(7)), directory.node(&read(8))), (Some(0), None));
        directory.reached(2);
        assert_eq!(directory.node(&read(7)), Some(0));
        directory.reached(3);
        assert_eq!(directory.node(&read(7)), None);
    }
}
