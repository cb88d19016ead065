//! A cache as it is written.

use super::{CachePlan, Capacity, TtlPlan, WarmPlan};
use crate::components::config::{CapacityConfig, Common};
use crate::components::facts::{Facts, Visit};
use crate::components::figures::Declared;
use crate::components::names::{Aside, Planner};
use crate::components::topology::{ComponentId, OperationId, Topology};
use crate::components::{ComponentPlan, RoomConfig};
use crate::language::Name;
use crate::random::Distribution;
use crate::units::{Count, Duration, Ratio};
use crate::{choice, config};

config! {
    /// Keeps copies of items before another component. With `cache_aside` the caller asks the
    /// cache, on a miss the component behind it, and puts the item in.
    pub struct CacheConfig {
        /// The component that is asked on a miss; without it a miss just fills.
        over: Option<Name> = "none",
        /// How much fits: a count is items, a size is bytes.
        capacity: CapacityConfig = required,
        /// How long an item stays fresh.
        ttl: Option<TtlConfig> = "none",
        /// Whether the contents at the start are those of a long run, or none.
        start: Start = "warm",
        /// Who asks the component behind it.
        strategy: Strategy = "cache_aside",
        /// Which item leaves when it is full.
        eviction: Eviction = "lru",
        /// What a write does to the copy.
        on_write: OnWrite = "invalidate",
        /// Core time per operation.
        work: Distribution = "10us" source "Redis: about 100 K operations/s",
        /// Added time per operation, without a core.
        latency: Distribution = "0s",
    }
    include {
        /// Keys of every kind.
        common: Common,
    }
    unbuilt {
        hit_ratio: "a measured hit ratio instead of contents",
        leases: "one fill per key",
        write_behind: "writes kept back in the cache",
        autoscale: "nodes that come and go with the load",
        balance: "several nodes",
        preset: "engines as sets of defaults",
    }
}

config! {
    /// A time to live.
    pub struct TtlConfig, short = of {
        /// From the fill.
        of: Duration = required,
        /// Each time to live is shortened at random by up to this share.
        jitter: Ratio = "0%",
        /// Whether a use begins it anew.
        sliding: bool = "false",
    }
}

choice! {
    /// What is in a cache at the start.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Start {
        /// What a long run under the planned load leaves in it.
        warm: Warm,
        /// Nothing.
        cold: Cold,
    }
}

choice! {
    /// Who asks the component behind a cache.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Strategy {
        /// The caller does.
        cache_aside: CacheAside,
    }
    unbuilt {
        read_through: "the cache asks",
        write_through: "the cache writes",
        write_around: "writes pass the cache by",
        write_behind: "the cache writes later",
    }
}

choice! {
    /// Which item leaves a full cache.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Eviction {
        /// The one used longest ago.
        lru: Lru,
    }
    unbuilt {
        fifo: "the oldest",
        lfu: "the one used least often",
        random: "any",
        s3_fifo: "three queues",
    }
}

choice! {
    /// What a write does to the copy.
    #[derive(Copy, PartialEq, Eq)]
    pub enum OnWrite {
        /// Drops it, after the write behind the cache is done.
        invalidate: Invalidate,
    }
    unbuilt { update: "writes the new value into the cache", nothing: "leaves the old copy" }
}

impl RoomConfig for CacheConfig {
    fn common(&self) -> &Common {
        &self.common
    }

    fn cores_default(&self) -> u64 {
        1
    }

    fn aside(&self, planner: &mut Planner<'_>) -> Aside {
        let over = self.over.value.as_ref();
        Aside {
            cache: true,
            over: over.and_then(|name| planner.component(&name.0, self.over.span)),
        }
    }

    fn plan(&self, id: ComponentId, planner: &mut Planner<'_>) -> Option<ComponentPlan> {
        let instances = self.common.instances;
        if instances.value != Count::Finite(1) {
            planner
                .out
                .error("E0110", instances.span, "a cache of several nodes is not built yet")
                .help("consistent hashing over nodes comes with a later version");
        }
        let size = planner.sizes[id.index()];
        let part = |whole: u64| (whole as f64 * size).round() as u64;
        let capacity = match self.capacity.value {
            CapacityConfig::Items(Count::Finite(items)) => Capacity::Items(part(items)),
            CapacityConfig::Items(Count::Unlimited) => Capacity::Unlimited,
            CapacityConfig::Bytes(bytes) => Capacity::Bytes(part(bytes.0)),
        };
        let items = planner.topology.data.iter().map(|data| data.items).sum();
        planner.topology.components[id.index()].hit_ratio_expected =
            expected_hit_ratio(id, capacity, planner);
        let ttl = self.ttl.value.as_ref().map(|ttl| TtlPlan {
            of: ttl.of.value,
            jitter: ttl.jitter.value.0,
            sliding: ttl.sliding.value,
        });
        Some(ComponentPlan::Cache(CachePlan {
            id,
            capacity,
            ttl,
            work: self.work.value.plan(),
            latency: self.latency.value.plan(),
            warm: (self.start.value == Start::Warm).then(|| WarmPlan { rates: Vec::new() }),
            items,
        }))
    }
}

/// The share of the most popular items that fit: what a cache that knew the future would hit.
fn expected_hit_ratio(id: ComponentId, capacity: Capacity, planner: &Planner<'_>) -> f64 {
    let mut shares = Vec::new();
    for (set, home) in planner.topology.data.iter().zip(&planner.homes) {
        if *home != Some(id) {
            continue;
        }
        let fits = match capacity {
            Capacity::Items(items) => items,
            Capacity::Bytes(bytes) => (bytes as f64 / set.size.mean_ns().max(1.0)) as u64,
            Capacity::Unlimited => set.items,
        };
        shares.push(set.popularity.share_of_top(fits.min(set.items)));
    }
    let count = shares.len().max(1) as f64;
    shares.iter().sum::<f64>() / count
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
        vec![Declared::ratio("hit_ratio")]
    }

    fn calls(&self, _visit: Visit, _topology: &Topology, _each: &mut dyn FnMut(Visit, f64)) {}
}
