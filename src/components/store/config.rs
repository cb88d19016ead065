//! Stores of copies as scenarios write them: what caches and edge caches have in common.

use super::{Capacity, Eviction, Lifetime, Shape};
use crate::components::config::CapacityConfig;
use crate::components::names::Planner;
use crate::components::topology::{ComponentId, DataId};
use crate::language::Spanned;
use crate::units::{Count, Duration, Ratio};
use crate::{choice, config};

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
    /// What is in a store at the start.
    #[derive(Copy, PartialEq, Eq)]
    pub enum StartConfig {
        /// What a long run under the planned load leaves in it.
        warm: Warm,
        /// Nothing.
        cold: Cold,
    }
}

choice! {
    /// Which item leaves a full store.
    #[derive(Copy, PartialEq, Eq)]
    pub enum EvictionConfig {
        /// The one used longest ago.
        lru: Lru,
        /// The one that was put in first.
        fifo: Fifo,
        /// The one used least often; uses are counted also of items that are not held.
        lfu: Lfu,
        /// Any.
        random: Random,
        /// By a small queue, a main queue and a ghost queue (Yang and others, SOSP 2023).
        s3_fifo: S3Fifo,
    }
}

impl EvictionConfig {
    /// The plan.
    pub fn plan(self) -> Eviction {
        match self {
            Self::Lru => Eviction::Lru,
            Self::Fifo => Eviction::Fifo,
            Self::Lfu => Eviction::Lfu,
            Self::Random => Eviction::Random,
            Self::S3Fifo => Eviction::S3Fifo,
        }
    }
}

impl TtlConfig {
    /// The plan.
    pub fn plan(&self) -> Lifetime {
        Lifetime { of: self.of.value, jitter: self.jitter.value.0, sliding: self.sliding.value }
    }
}

/// The shape of a node's store, what shrinking leaves of it; `shared` nodes share the items. `None`
/// only after an error was reported.
pub fn shape(
    id: ComponentId,
    capacity: CapacityConfig,
    eviction: &Spanned<EvictionConfig>,
    ttl: Option<&TtlConfig>,
    shared: usize,
    planner: &mut Planner<'_>,
) -> Option<Shape> {
    let size = planner.sizes[id.index()];
    let part = |whole: u64| (whole as f64 * size).round() as u64;
    let items: u64 = planner.topology.data.iter().map(|data| data.items).sum();
    let smallest = planner.topology.data.iter().map(|data| data.size.mean_ns() as u64).min();
    let (capacity, held_max) = match capacity {
        CapacityConfig::Items(Count::Finite(most)) => (Capacity::Items(part(most)), part(most)),
        CapacityConfig::Items(Count::Unlimited) => {
            (Capacity::Unlimited, (items as f64 / shared as f64).ceil() as u64)
        }
        CapacityConfig::Bytes(bytes) => {
            let bytes = part(bytes.0);
            (Capacity::Bytes(bytes), bytes / smallest.unwrap_or(1).max(1))
        }
    };
    let most = match eviction.value {
        EvictionConfig::Lfu => Shape::COUNTED_ITEMS_MAX,
        _ => Shape::ITEMS_MAX,
    };
    if items > most {
        let message = format!("the data sets have {items} items, a cache knows {most} at most");
        planner
            .out
            .error("E0504", eviction.span, message)
            .help("`lfu` counts every item, held or not; shrink the run, or the data");
        return None;
    }
    let (eviction, lifetime) = (eviction.value.plan(), ttl.map(TtlConfig::plan));
    Some(Shape { items, capacity, held_max, eviction, lifetime, versioned: true })
}

/// The share of the most popular items that fit into so many nodes: what a store that knew the
/// future would hit, on average of the data sets whose home `counts`.
pub fn expected_hit_ratio(
    capacity: Capacity,
    nodes: u64,
    planner: &Planner<'_>,
    counts: impl Fn(DataId) -> bool,
) -> f64 {
    let mut shares = Vec::new();
    for (number, set) in planner.topology.data.iter().enumerate() {
        if !counts(DataId::new(number)) {
            continue;
        }
        let fits = match capacity {
            Capacity::Items(items) => items * nodes,
            Capacity::Bytes(bytes) => ((bytes * nodes) as f64 / set.size.mean_ns().max(1.0)) as u64,
            Capacity::Unlimited => set.items,
        };
        shares.push(set.popularity.share_of_top(fits.min(set.items)));
    }
    let count = shares.len().max(1) as f64;
    shares.iter().sum::<f64>() / count
}
