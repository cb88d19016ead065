//! What never changes about an edge cache, and what can be said of it before it runs.

use std::collections::BTreeMap;

use crate::components::call::Access;
use crate::components::facts::{Facts, Visit};
use crate::components::figures::Declared;
use crate::components::store::{Shape, warm};
use crate::components::topology::{ComponentId, DataId, DataPlan, LinkId, OperationId, Topology};
use crate::units::{Duration, Instant};

/// What a lookup finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Held {
    /// What is in the contents.
    Contents(Shape),
    /// Every item with this probability, always fresh.
    Share(f64),
}

/// Contents that are given to the pops.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PushPlan {
    /// From a change or a purge until all pops have the item again.
    pub delay: Duration,
}

/// Copies that are thrown away at an instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PurgePlan {
    /// When.
    pub at: Instant,
    /// Of which data set; none for all.
    pub data: Option<DataId>,
    /// The share of the items.
    pub share: f64,
    /// Tells its draws from those of other purges.
    pub salt: u64,
}

/// What never changes about an edge cache.
#[derive(Clone, Debug)]
pub struct CdnPlan {
    /// Which component it is.
    pub id: ComponentId,
    /// The link to the origin.
    pub origin: LinkId,
    /// Whether the origin's answers tell the version of an item; else they hold the newest.
    pub tells: bool,
    /// How many nodes are points of presence; a shield comes after them.
    pub pops: u16,
    /// What a lookup finds.
    pub held: Held,
    /// What fits into the shield, if there is one.
    pub shield: Option<Shape>,
    /// Contents that are given to the pops.
    pub push: Option<PushPlan>,
    /// Copies that are thrown away on purpose.
    pub purges: Vec<PurgePlan>,
    /// So long an old copy serves when the origin fails.
    pub if_error: Duration,
    /// So long an old copy serves while a new one is fetched.
    pub while_revalidate: Duration,
    /// Whether a changed item has another name.
    pub versioned: bool,
    /// Whether what nothing kept can answer goes on to the origin.
    pub passes: bool,
    /// Of one pop; none without a limit.
    pub bytes_per_second: Option<f64>,
    /// By data set the reads per second, for what a long run leaves and what is pushed; none for a
    /// cold one.
    pub warm: Option<Vec<(DataId, f64)>>,
}

impl CdnPlan {
    /// Tells the rates of its reads, for a warm start.
    pub fn warm_from(&mut self, rates: &BTreeMap<Visit, f64>) {
        let Some(warm) = &mut self.warm else { return };
        let mut sums: BTreeMap<DataId, f64> = BTreeMap::new();
        for (visit, rate) in rates.iter().filter(|(visit, _)| visit.component == self.id) {
            if let (true, Some(data)) = (is_kept(visit.access), visit.data) {
                *sums.entry(data).or_default() += rate;
            }
        }
        *warm = sums.into_iter().collect();
    }

    /// The items that are read here, those that are read most often first.
    pub(super) fn by_popularity<'a>(
        &'a self,
        topology: &'a Topology,
    ) -> impl Iterator<Item = u64> + 'a {
        let mut sets: Vec<(&DataPlan, f64, u64)> = Vec::new();
        for &(data, reads) in self.warm.iter().flatten().filter(|set| set.1 > 0.0) {
            sets.push((&topology.data[data.index()], reads, 0));
        }
        std::iter::from_fn(move || {
            let left = sets.iter_mut().filter(|(set, _, rank)| *rank < set.items);
            let often = |(set, reads, rank): &(&DataPlan, f64, u64)| {
                reads * set.popularity.probability(*rank)
            };
            let (set, _, rank) = left.reduce(|a, b| if often(b) > often(a) { b } else { a })?;
            *rank += 1;
            Some(set.first + *rank - 1)
        })
    }

    /// Whether something kept can answer such a call.
    pub fn answers(&self, visit: &Visit) -> bool {
        is_kept(visit.access) && visit.data.is_some()
    }
}

/// Whether a call asks for an item.
pub(super) fn is_kept(access: Access) -> bool {
    matches!(access, Access::Read | Access::Call)
}

/// One store for all items.
pub(super) struct Alone;

impl warm::Homes for Alone {
    fn home(&self, _item: u64) -> usize {
        0
    }

    fn share(&self, _store: usize) -> f64 {
        1.0
    }
}

impl Facts for CdnPlan {
    fn slots(&self) -> Option<u32> {
        None
    }

    fn jobs_max(&self) -> f64 {
        0.0
    }

    fn handles(&self, _operation: OperationId) -> bool {
        true
    }

    fn demand_ns(&self, _visit: Visit, _topology: &Topology) -> f64 {
        0.0
    }

    fn delay_ns(&self, visit: Visit, topology: &Topology) -> f64 {
        let bytes = topology.operations[visit.operation.index()].response_bytes;
        self.bytes_per_second.map_or(0.0, |speed| bytes / speed * 1e9)
    }

    fn figures(&self) -> Vec<Declared> {
        vec![Declared::ratio("hit_ratio").more_is_better(), Declared::ratio("stale_reads")]
    }

    fn calls(&self, visit: Visit, topology: &Topology, each: &mut dyn FnMut(Visit, f64)) {
        let component = topology.links[self.origin.index()].target();
        let missed = 1.0 - topology.components[self.id.index()].hit_ratio_expected;
        if self.answers(&visit) {
            each(Visit { component, access: Access::Read, ..visit }, missed);
        } else if self.passes {
            each(Visit { component, ..visit }, 1.0);
        }
    }
}
