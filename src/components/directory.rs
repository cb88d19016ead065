//! Which node of a store does what, as its callers know it: whom to write to, whom to read from.
//!
//! The store's room says so, late where it takes time to tell; the callers' links obey. A caller
//! knows nothing else of the nodes.

use std::collections::{HashMap, VecDeque}; // tidy: looked up by key, never iterated

use super::call::{Access, Call};
use super::context::Cx;
use super::topology::{Chooser, ComponentId, LinkPlan, Topology};
use crate::engine::stream::salt;
use crate::policy::resolver::Resolvers;
use crate::units::Instant;

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
    /// By region of the caller, who takes the writes; `None` where every node does.
    writers: Vec<Option<u16>>,
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
    pub fn new(plan: StorePlan, regions: usize) -> Self {
        let writers = vec![plan.led.then_some(0); regions];
        Self { reads: plan.reads, writers, replicas: true, behind: Behind::default() }
    }

    /// The node that a call from a region must go to; `None` for any that takes reads.
    pub(super) fn node(&self, call: &Call, region: u16) -> Option<u16> {
        let primary = self.writers[region as usize];
        if call.access != Access::Read || !self.replicas {
            return primary;
        }
        match self.reads {
            ReadsFrom::Primary => primary,
            ReadsFrom::Replicas(share) => {
                let all = share >= 1.0 || call.draw.child(READS).draw().chance(share);
                if all { None } else { primary }
            }
            ReadsFrom::OwnWrites => primary.filter(|_| self.behind.last.contains_key(&call.user)),
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

    /// From now on callers of a store write to the one of `writers` for their region, and read from
    /// the nearest of the nodes that `reads` names.
    pub fn steer(&mut self, store: ComponentId, writers: &[Option<u16>], reads: &[bool]) {
        let Some(directory) = &mut self.directories[store.index()] else { return };
        directory.writers.clear();
        directory.writers.extend_from_slice(writers);
        directory.replicas = reads.contains(&true);
        let topology = self.topology;
        let regions = topology.regions();
        let place = |node: usize| topology.components[store.index()].places[node].region;
        for (link, plan) in topology.links.iter().enumerate() {
            if plan.chooser != Chooser::Store || plan.target() != store {
                continue;
            }
            for caller in 0..topology.callers(plan.caller) {
                let from = topology.region_of_caller(plan.caller, caller);
                let far = |node: usize| topology.network.distance_ns(regions, from, place(node));
                // Of those that take reads, the ones in the nearest region.
                let taking = reads.iter().enumerate().filter(|(_, takes)| **takes);
                let least = taking.map(|(node, _)| far(node)).fold(f64::INFINITY, f64::min);
                let state = self.first_state[link] as usize + caller as usize;
                let Some(balancer) = &mut self.states[state].balancer else { continue };
                for (node, &takes) in reads.iter().enumerate() {
                    balancer.set_up(node as u16, takes && far(node) <= least);
                }
            }
        }
    }
}

/// The backend that a caller is told to call, where it does not choose by itself.
#[inline(never)]
pub(super) fn told(
    call: &Call,
    plan: &LinkPlan,
    topology: &Topology,
    (directories, resolvers): (&[Option<Directory>], &mut [Resolvers]),
    now: Instant,
) -> Option<u16> {
    match plan.chooser {
        Chooser::Balancer => None,
        Chooser::Store => {
            let known = directories[plan.target().index()].as_ref()?;
            known.node(call, topology.region_of_caller(plan.caller, call.caller_instance))
        }
        Chooser::Names(number) => {
            let names = &topology.names[number as usize];
            let asker = (call.user, call.caller_instance);
            let (region, _) = resolvers[number as usize].resolve(names, asker, now);
            Some(plan.backend_in(topology, region, call.user))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stream::DrawKey;

    fn led(reads: ReadsFrom) -> Directory {
        Directory::new(StorePlan { reads, led: true }, 1)
    }

    fn read(user: u32) -> Call {
        Call { access: Access::Read, user, draw: DrawKey(u64::from(user)), ..Call::default() }
    }

    #[test]
    fn writes_go_to_the_primary_and_reads_where_the_store_says() {
        let directory = led(ReadsFrom::Replicas(1.0));
        assert_eq!(directory.node(&read(1), 0), None);
        assert_eq!(directory.node(&Call { access: Access::Write, ..read(1) }, 0), Some(0));
        assert_eq!(led(ReadsFrom::Primary).node(&read(1), 0), Some(0));
        let share = led(ReadsFrom::Replicas(0.8));
        let away = (0..10_000).filter(|&user| share.node(&read(user), 0).is_none()).count();
        // 4.5 standard errors of a share of 10,000 draws.
        assert!(away.abs_diff(8000) < 180, "{away}");
    }

    #[test]
    fn a_user_reads_from_the_primary_until_the_last_write_has_reached_all() {
        let mut directory = led(ReadsFrom::OwnWrites);
        directory.wrote(7, 1);
        directory.wrote(7, 3);
        assert_eq!((directory.node(&read(7), 0), directory.node(&read(8), 0)), (Some(0), None));
        directory.reached(2);
        assert_eq!(directory.node(&read(7), 0), Some(0));
        directory.reached(3);
        assert_eq!(directory.node(&read(7), 0), None);
    }
}
