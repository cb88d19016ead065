//! What never changes about a cache, and what can be said of it before it runs.

use std::collections::BTreeMap;

use crate::components::call::Access;
use crate::components::facts::{Facts, Visit};
use crate::components::figures::Declared;
use crate::components::names::AfterWrite;
use crate::components::store::{Shape, warm};
use crate::components::topology::{ComponentId, DataId, LinkId, OperationId, Topology};
use crate::policy::ring;
use crate::random::Sampler;
use crate::units::Duration;

/// What a lookup finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Held {
    /// What is in the contents.
    Contents(Shape),
    /// Every item with this probability, always fresh.
    Share(f64),
}

/// What a cache does with a write that is sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// It is the home of its items: it keeps the write.
    Keep,
    /// It hands it on, then treats its own copy.
    HandOn,
    /// It hands it on, then keeps the new value.
    Through,
    /// It keeps it, answers, and hands it on later.
    Behind,
}

/// One fetch of an item at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeasesPlan {
    /// How long a lease counts.
    pub hold: Duration,
    /// After this time whoever waits looks again.
    pub wait: Duration,
}

/// Writes kept back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BehindPlan {
    /// Time between two flushes of a node.
    pub flush: Duration,
    /// The most writes on their way at once.
    pub batch: u16,
}

/// The stationary stream of accesses that a warm cache has seen.
#[derive(Clone, Debug, Default)]
pub struct WarmPlan {
    /// By data set: reads, and writes that drop the copy, per second.
    pub rates: Vec<(DataId, f64, f64)>,
}

/// Which node holds which item.
#[derive(Clone, Debug)]
pub struct Ring {
    /// Points in order, each with its node.
    pub points: Vec<(u64, u16)>,
    /// By data set, the number of its first item.
    pub firsts: Vec<u64>,
    /// By node, its part of the ring.
    pub shares: Vec<f64>,
}

impl Ring {
    /// A ring of so many nodes.
    pub fn new(points: Vec<(u64, u16)>, firsts: Vec<u64>, nodes: usize) -> Self {
        let mut shares = vec![0.0; nodes];
        let before = points.iter().cycle().skip(points.len().saturating_sub(1));
        for (&(at, node), &(before, _)) in points.iter().zip(before) {
            let arc = if points.len() == 1 { u64::MAX } else { at.wrapping_sub(before) };
            shares[node as usize] += arc as f64 / 2_f64.powi(64);
        }
        Self { points, firsts, shares }
    }
}

impl warm::Homes for Ring {
    fn home(&self, item: u64) -> usize {
        if self.points.is_empty() {
            return 0;
        }
        let set = self.firsts.partition_point(|&first| first <= item) - 1;
        usize::from(ring::owner(&self.points, item - self.firsts[set], set as u64))
    }

    fn share(&self, store: usize) -> f64 {
        if self.points.is_empty() { 1.0 } else { self.shares[store] }
    }
}

/// What never changes about a cache.
#[derive(Clone, Debug)]
pub struct CachePlan {
    /// Which component it is.
    pub id: ComponentId,
    /// What a lookup finds.
    pub held: Held,
    /// Which node holds which item.
    pub ring: Ring,
    /// Core time of an operation.
    pub work: Sampler,
    /// Added time of an operation, without a core.
    pub latency: Sampler,
    /// The past of a warm cache; none for a cold one.
    pub warm: Option<WarmPlan>,
    /// Where it asks and writes itself, if it does.
    pub over: Option<LinkId>,
    /// Whether it asks on a miss (else its caller does).
    pub asks: bool,
    /// Whether nothing lies behind it: a miss just fills.
    pub alone: bool,
    /// What it does with a write that is sent to it.
    pub writes: Writes,
    /// What a write does to the copy.
    pub after_write: AfterWrite,
    /// One fetch of an item at a time.
    pub leases: Option<LeasesPlan>,
    /// Writes kept back.
    pub behind: Option<BehindPlan>,
}

impl CachePlan {
    /// Tells a warm cache the rates of its accesses.
    pub fn warm_from(&mut self, rates: &BTreeMap<Visit, f64>) {
        let Some(warm) = &mut self.warm else { return };
        let drops = matches!(self.writes, Writes::HandOn) && self.after_write == AfterWrite::Drop;
        let mut sums: BTreeMap<DataId, (f64, f64)> = BTreeMap::new();
        for (visit, rate) in rates.iter().filter(|(visit, _)| visit.component == self.id) {
            let Some(data) = visit.data else { continue };
            let (reads, dropped) = sums.entry(data).or_default();
            match visit.access {
                Access::Read | Access::Call | Access::Update => *reads += rate,
                Access::Invalidate => *dropped += rate,
                Access::Write if drops => *dropped += rate,
                // A write that is kept makes the item as new as a read does.
                Access::Write if self.writes != Writes::HandOn => *reads += rate,
                Access::Write if self.after_write == AfterWrite::Update => *reads += rate,
                Access::Write | Access::Fill | Access::Apply => {}
            }
        }
        warm.rates = sums.into_iter().map(|(data, (r, w))| (data, r, w)).collect();
    }
}

impl Facts for CachePlan {
    fn slots(&self) -> Option<u32> {
        None
    }

    fn jobs_max(&self) -> f64 {
        f64::INFINITY
    }

    fn handles(&self, _operation: OperationId) -> bool {
        true
    }

    fn demand_ns(&self, _visit: Visit, _topology: &Topology) -> f64 {
        self.work.mean_ns()
    }

    fn delay_ns(&self, _visit: Visit, _topology: &Topology) -> f64 {
        self.latency.mean_ns()
    }

    fn figures(&self) -> Vec<Declared> {
        let mut figures =
            vec![Declared::ratio("hit_ratio").more_is_better(), Declared::ratio("stale_reads")];
        if self.behind.is_some() {
            figures.push(Declared::count("lost_writes"));
        }
        figures
    }

    fn calls(&self, visit: Visit, topology: &Topology, each: &mut dyn FnMut(Visit, f64)) {
        let Some(link) = self.over else { return };
        let component = topology.links[link.index()].target();
        let missed = 1.0 - topology.components[self.id.index()].hit_ratio_expected;
        let weight = match visit.access {
            Access::Read | Access::Call if self.asks && visit.data.is_some() => missed,
            Access::Write => 1.0,
            _ => 0.0,
        };
        if weight > 0.0 {
            let access = if visit.access == Access::Call { Access::Read } else { visit.access };
            each(Visit { component, access, ..visit }, weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_of_a_ring_are_its_arcs() {
        let quarter = 1 << 62;
        let points = vec![(quarter, 0), (2 * quarter, 1), (u64::MAX, 0)];
        let ring = Ring::new(points, vec![0], 2);
        assert!((ring.shares[0] - 0.75).abs() < 1e-9 && (ring.shares[1] - 0.25).abs() < 1e-9);
        assert_eq!(Ring::new(vec![(7, 0)], vec![0], 1).shares, [1.0]);
    }
}
