//! The state of a cache node.

use std::collections::BTreeMap;

use super::lru::Lru;
use crate::components::Room;
use crate::components::call::{Access, Call, CallKey, flag};
use crate::components::context::Cx;
use crate::components::facts::Visit;
use crate::components::figures::{Figures, Ratio};
use crate::components::outcome::Reply;
use crate::components::topology::{ComponentId, DataId, Topology};
use crate::engine::stream::{DrawKey, salt};
use crate::metrics::{CountSeries, Windows};
use crate::random::Sampler;
use crate::units::{Duration, Instant};

const WORK: u64 = salt("cache work");
const LATENCY: u64 = salt("cache latency");
const TTL: u64 = salt("ttl jitter");
const SIZE: u64 = salt("item size");
const WARM: u64 = salt("warm start");

/// How much fits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Capacity {
    /// So many items.
    Items(u64),
    /// So many bytes.
    Bytes(u64),
    /// Everything.
    Unlimited,
}

/// How long an item stays fresh.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TtlPlan {
    /// Time to live.
    pub of: Duration,
    /// Each time to live is shortened at random by up to this share.
    pub jitter: f64,
    /// Whether a use begins it anew.
    pub sliding: bool,
}

/// The stationary stream of accesses that a warm cache has seen.
#[derive(Clone, Debug)]
pub struct WarmPlan {
    /// By data set: reads and writes per second.
    pub rates: Vec<(DataId, f64, f64)>,
}

/// What never changes about a cache.
#[derive(Clone, Debug)]
pub struct CachePlan {
    /// Which component it is.
    pub id: ComponentId,
    /// How much fits.
    pub capacity: Capacity,
    /// How long items stay fresh.
    pub ttl: Option<TtlPlan>,
    /// Core time of an operation.
    pub work: Sampler,
    /// Added time of an operation, without a core.
    pub latency: Sampler,
    /// The past of a warm cache; none for a cold one.
    pub warm: Option<WarmPlan>,
    /// Number of items of all data sets together.
    pub items: u64,
}

impl CachePlan {
    /// Tells a warm cache the rates of its accesses.
    pub fn warm_from(&mut self, rates: &BTreeMap<Visit, f64>) {
        let Some(warm) = &mut self.warm else { return };
        let mut sums: BTreeMap<DataId, (f64, f64)> = BTreeMap::new();
        for (visit, rate) in rates.iter().filter(|(visit, _)| visit.component == self.id) {
            let Some(data) = visit.data else { continue };
            let (reads, writes) = sums.entry(data).or_default();
            match visit.access {
                Access::Read | Access::Call => *reads += rate,
                Access::Write | Access::Invalidate => *writes += rate,
                Access::Fill | Access::Apply => {}
            }
        }
        warm.rates = sums.into_iter().map(|(data, (r, w))| (data, r, w)).collect();
    }
}

/// A cache in one replication.
pub struct Cache<'p> {
    plan: &'p CachePlan,
    contents: Vec<Lru>,
    lookups: CountSeries,
    hits: CountSeries,
}

/// A warm start replays at most this many accesses.
const WARM_ACCESSES_MAX: u64 = 4_000_000;

impl<'p> Cache<'p> {
    /// A cache as it is after running for long under the planned load, or empty.
    pub fn new(plan: &'p CachePlan, cx: &mut Cx<'p>) -> Self {
        let instances = cx.topology.components[plan.id.index()].instances();
        let measure = cx.ledger.measure;
        let windows = Windows::covering(0, measure.end.0, measure.window_ns);
        let mut cache = Self {
            plan,
            contents: (0..instances).map(|_| Lru::new(plan.items, plan.ttl.is_some())).collect(),
            lookups: CountSeries::new(windows),
            hits: CountSeries::new(windows),
        };
        for instance in 0..instances {
            cache.warm_up(cx.topology, cx.root, instance as usize, cx.now());
        }
        cache
    }

    /// Replays the expected stream of accesses up to now on the contents, without time or work: the
    /// last accesses of an independent reference stream are the stationary law of its contents.
    fn warm_up(&mut self, topology: &Topology, root: DrawKey, instance: usize, now: Instant) {
        let Some(warm) = &self.plan.warm else { return };
        let total: f64 = warm.rates.iter().map(|(_, reads, writes)| reads + writes).sum();
        if total <= 0.0 {
            return;
        }
        let seconds = self.warm_seconds(total);
        let accesses = (seconds * total).ceil() as u64;
        let stream = root.child(salt(&topology.components[self.plan.id.index()].name)).child(WARM);
        let step_ns = seconds * 1e9 / accesses as f64;
        for turn in 0..accesses {
            let at = Instant(now.0 - (step_ns * (accesses - turn) as f64) as i64);
            let mut draw = stream.child(turn).draw();
            let mut left = draw.unit() * total;
            for &(data, reads, writes) in &warm.rates {
                if left >= reads + writes {
                    left -= reads + writes;
                    continue;
                }
                let item = topology.data[data.index()].popularity.sample(&mut draw);
                let dense = topology.data[data.index()].first + item;
                if left >= reads {
                    let bytes = item_bytes(topology, data, item);
                    self.contents[instance].remove(dense, bytes);
                } else if !self.use_item(instance, dense, at) {
                    let jitter = draw.unit();
                    self.put(topology, instance, data, item, at, jitter);
                }
                break;
            }
        }
    }

    /// How much of the past matters: a time to live, or enough accesses to turn the contents over.
    fn warm_seconds(&self, rate: f64) -> f64 {
        let enough = match self.plan.capacity {
            Capacity::Items(items) => (items * 20).max(200_000),
            _ => (self.plan.items * 4).max(200_000),
        };
        let by_contents = enough.min(WARM_ACCESSES_MAX) as f64 / rate;
        match self.plan.ttl {
            Some(ttl) if !ttl.sliding => by_contents.min(2.0 * ttl.of.0 as f64 / 1e9),
            _ => by_contents,
        }
    }

    fn use_item(&mut self, instance: usize, dense: u64, now: Instant) -> bool {
        let hit = self.contents[instance].touch(dense, now);
        if let (true, Some(ttl)) = (hit, self.plan.ttl)
            && ttl.sliding
        {
            self.contents[instance].expires(dense, Instant(now.0 + ttl.of.0));
        }
        hit
    }

    fn put(
        &mut self,
        topology: &Topology,
        instance: usize,
        data: DataId,
        item: u64,
        now: Instant,
        jitter: f64,
    ) {
        let dense = topology.data[data.index()].first + item;
        let contents = &mut self.contents[instance];
        contents.insert(dense, item_bytes(topology, data, item));
        if let Some(ttl) = self.plan.ttl {
            let whole = ttl.of.0 as f64;
            contents.expires(dense, Instant(now.0 + (whole * (1.0 - ttl.jitter * jitter)) as i64));
        }
        let over = |contents: &Lru| match self.plan.capacity {
            Capacity::Items(items) => contents.items() > items,
            Capacity::Bytes(bytes) => contents.bytes() > bytes,
            Capacity::Unlimited => false,
        };
        while over(contents) {
            let Some(out) = contents.oldest() else { break };
            let set = topology.data.partition_point(|plan| plan.first <= out) - 1;
            let rank = out - topology.data[set].first;
            contents.remove(out, item_bytes(topology, DataId::new(set), rank));
        }
    }

    fn act(&mut self, cx: &mut Cx<'_>, call: CallKey) -> Reply {
        let now = cx.now();
        let Call { data, item, instance, access, draw, .. } = cx.calls[call];
        let Some(data) = data else { return Reply::OK };
        let dense = cx.topology.data[data.index()].first + item;
        let instance = instance as usize;
        match access {
            Access::Read | Access::Call => {
                let hit = self.use_item(instance, dense, now);
                self.lookups.add(now.0, 1);
                self.hits.add(now.0, u64::from(hit));
                Reply { hit, ..Reply::OK }
            }
            Access::Fill => {
                let jitter = draw.child(TTL).draw().unit();
                self.put(cx.topology, instance, data, item, now, jitter);
                Reply::OK
            }
            Access::Apply => unreachable!("a cache keeps no log"),
            Access::Write | Access::Invalidate => {
                let bytes = item_bytes(cx.topology, data, item);
                self.contents[instance].remove(dense, bytes);
                Reply::OK
            }
        }
    }

    fn finish(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let reply = self.act(cx, call);
        cx.reply(call, reply);
    }
}

/// Size of an item, the same whenever it is asked for.
fn item_bytes(topology: &Topology, data: DataId, item: u64) -> u64 {
    let plan = &topology.data[data.index()];
    plan.size
        .is_constant()
        .unwrap_or_else(|| plan.size.sample(&mut DrawKey(plan.salt).child(SIZE).child(item).draw()))
        as u64
}

impl Room for Cache<'_> {
    fn on_call(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let frame = &cx.calls[call];
        if frame.is(flag::PROBE) {
            return cx.reply(call, Reply::OK);
        }
        let demand = self.plan.work.sample(&mut frame.draw.child(WORK).draw());
        cx.work(call, Duration(demand));
    }

    fn on_work(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let latency = self.plan.latency.sample(&mut cx.calls[call].draw.child(LATENCY).draw());
        if latency == 0 {
            return self.finish(cx, call);
        }
        cx.wake(call, Duration(latency));
    }

    fn on_wake(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        self.finish(cx, call);
    }

    fn on_cancel(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        cx.cancelled(call);
    }

    fn on_crash(&mut self, _cx: &mut Cx<'_>, instance: u16) {
        self.contents[instance as usize].clear();
    }

    fn figures(&mut self) -> Figures {
        let (parts, of) = (self.hits.sums().to_vec(), self.lookups.sums().to_vec());
        Figures { ratios: vec![Ratio { name: "hit_ratio", parts, of }], ..Figures::default() }
    }
}
