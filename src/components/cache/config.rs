//! A cache as it is written.

use super::plan::{BehindPlan, CachePlan, Held, LeasesPlan, Ring, WarmPlan, Writes};
use crate::components::config::{Caller, CapacityConfig, Common};
use crate::components::names::{AfterWrite, Aside, Planner};
use crate::components::store::{self, EvictionConfig, StartConfig, TtlConfig};
use crate::components::topology::ComponentId;
use crate::components::{ComponentPlan, RoomConfig};
use crate::language::shape::OneOfShape;
use crate::language::{Decode, Diagnostics, Name, Node, Spanned};
use crate::policy::balance::{BalancePlan, HashBy, Strategy as Choice};
use crate::random::Distribution;
use crate::units::{Duration, Ratio};
use crate::{choice, config};

config! {
    /// Keeps copies of items before another component, on one node or several. What is written of
    /// capacity holds for each node.
    pub struct CacheConfig {
        /// The component that is asked on a miss; without it a miss just fills.
        over: Option<Name> = "none",
        /// Who asks and writes the component behind it.
        strategy: Strategy = "cache_aside",
        /// How much fits: a count is items, a size is bytes. This or `hit_ratio` is required.
        capacity: Option<CapacityConfig> = "none",
        /// A measured share of reads that hit, instead of contents: every read hits with this
        /// probability, and what it finds is fresh.
        hit_ratio: Option<Ratio> = "none",
        /// Which item leaves when it is full.
        eviction: EvictionConfig = "lru",
        /// How long an item stays fresh.
        ttl: Option<TtlConfig> = "none",
        /// What a write does to the copy, unless the strategy keeps what is written.
        on_write: OnWrite = "invalidate",
        /// One fetch of an item at a time: others who miss it meanwhile wait, and a fill with what
        /// was fetched before a write is refused.
        leases: Leases = "false",
        /// Writes kept back, with `strategy: write_behind`.
        write_behind: Option<BehindConfig> = "none",
        /// Whether the contents at the start are those of a long run, or none.
        start: StartConfig = "warm",
        /// Which node holds which key.
        balance: Placing = "{ consistent_hash: {} }",
        /// An engine as a set of defaults for `work` and the cores of a machine.
        preset: Preset = "redis",
        /// Core time per operation.
        work: Option<Distribution> = "none" source "by preset: 10 us for redis, 8 us for memcached",
        /// Added time per operation, without a core.
        latency: Distribution = "0s",
    }
    include {
        /// Keys of every kind.
        common: Common,
        /// Keys of every kind that calls others.
        caller: Caller,
    }
    unbuilt {
        autoscale: "nodes that come and go with the load",
    }
}

config! {
    /// Leases of items that are being fetched.
    pub struct LeasesConfig {
        /// A lease not used so long counts no more: the next one who misses gets another.
        hold: Duration = "10s" source "Scaling Memcache at Facebook: a lease every 10 s per key",
        /// After this time whoever waits looks again.
        wait: Duration = "50ms" source "a choice; Scaling Memcache at Facebook: a short time",
    }
}

config! {
    /// Writes that are acknowledged by the cache and made later.
    pub struct BehindConfig, short = flush {
        /// Time between two flushes of a node.
        flush: Duration = "1s" source "a choice; Redis' appendfsync everysec",
        /// The most writes of a node on their way at once; a database commits them in groups.
        batch: u64 = "100" in 1..=10_000 source "a choice",
    }
}

config! {
    /// A hash ring of the nodes.
    pub struct RingConfig {
        /// Points of each node on the ring.
        virtual_nodes: u64 = "100" in 1..=100_000 source "Dynamo-style stores: 100 to 200",
    }
}

choice! {
    /// Which node holds which key.
    pub enum Placing {
        /// The node that owns the key's place on a hash ring. A dead node's keys wait for it.
        consistent_hash: ConsistentHash(RingConfig),
    }
}

choice! {
    /// An engine as a set of defaults.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Preset {
        /// One core, 10 us per operation: some 100 K operations per second (the Redis manual's
        /// benchmark without pipelining: 72 to 79 K requests per second by one thread).
        redis: Redis,
        /// Four cores (memcached runs four threads unless told otherwise), 8 us per operation:
        /// 500 K operations per second, a choice within the 200 K to 1 M usually reported.
        memcached: Memcached,
    }
}

choice! {
    /// Who asks and writes the component behind a cache.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Strategy {
        /// The caller does both, fills the cache after a miss and tells it of a write.
        cache_aside: CacheAside,
        /// The cache asks; a write is sent to it, and it hands it on before it answers.
        read_through: ReadThrough,
        /// The same, and the cache keeps what was written.
        write_through: WriteThrough,
        /// The cache asks; the caller writes past it and tells it of the write.
        write_around: WriteAround,
        /// The cache asks, keeps what is written, answers, and writes later.
        write_behind: WriteBehind,
    }
}

choice! {
    /// What a write does to the copy.
    #[derive(Copy, PartialEq, Eq)]
    pub enum OnWrite {
        /// Drops it, after the write behind the cache is done.
        invalidate: Invalidate,
        /// Puts the new value in its place, after the write behind the cache is done.
        update: Update,
        /// Leaves it as it is.
        nothing: Nothing,
    }
}

/// No leases, leases as they are by default, or leases as written.
#[derive(Clone, Debug)]
pub enum Leases {
    /// Whether there are leases, as by default.
    Plain(bool),
    /// Leases as written.
    Long(LeasesConfig),
}

static LEASES: OneOfShape = OneOfShape {
    name: "Leases",
    doc: "Whether items are fetched by one caller at a time: `true`, `false`, or how: \
          `{ hold: 10s, wait: 50ms }`.",
    forms: &[<bool as Decode>::shape, <LeasesConfig as Decode>::shape],
};

impl Decode for Leases {
    fn decode(node: &Spanned<Node>, out: &mut Diagnostics) -> Option<Self> {
        if matches!(node.value, Node::Map(_)) {
            return LeasesConfig::decode(node, out).map(Self::Long);
        }
        bool::decode(node, out).map(Self::Plain)
    }

    fn shape() -> crate::language::Shape {
        crate::language::Shape::OneOf(&LEASES)
    }
}

impl Leases {
    fn plan(&self) -> Option<LeasesPlan> {
        let second = 1_000_000_000;
        match self {
            Self::Plain(false) => None,
            Self::Plain(true) => {
                Some(LeasesPlan { hold: Duration(10 * second), wait: Duration(second / 20) })
            }
            Self::Long(leases) => {
                Some(LeasesPlan { hold: leases.hold.value, wait: leases.wait.value })
            }
        }
    }
}

impl RoomConfig for CacheConfig {
    fn common(&self) -> &Common {
        &self.common
    }

    fn cores_default(&self) -> u64 {
        match self.preset.value {
            Preset::Redis => 1,
            Preset::Memcached => 4,
        }
    }

    fn aside(&self, planner: &mut Planner<'_>) -> Aside {
        let over = self.over.value.as_ref();
        Aside {
            cache: true,
            over: over.and_then(|name| planner.component(&name.0, self.over.span)),
            asks: self.strategy.value != Strategy::CacheAside,
            takes_writes: self.takes_writes(),
            after_write: match self.on_write.value {
                OnWrite::Invalidate => AfterWrite::Drop,
                OnWrite::Update => AfterWrite::Update,
                OnWrite::Nothing => AfterWrite::Nothing,
            },
            virtual_nodes: self.virtual_nodes() as u32,
            ..Aside::default()
        }
    }

    fn plan(&self, id: ComponentId, planner: &mut Planner<'_>) -> Option<ComponentPlan> {
        self.check(planner);
        let held = self.held(id, planner)?;
        let aside = planner.asides[id.index()];
        if aside.over.is_none() && self.leases.value.plan().is_some() {
            let message =
                "`leases` has no effect: with nothing behind it the cache fetches nothing";
            planner.out.error("E0504", self.leases.span, message).help("remove it, or give `over`");
        }
        let asks = aside.over.is_some() && aside.asks;
        let calls = &self.caller.calls.value;
        let over = aside.over.filter(|_| asks).map(|over| planner.link(id, over, calls));
        planner.check_calls(id, calls);
        let preset_ns = match self.preset.value {
            Preset::Redis => 10_000,
            Preset::Memcached => 8_000,
        };
        let behind = self.strategy.value == Strategy::WriteBehind;
        let written = self.write_behind.value.as_ref();
        let batch = written.map_or(100, |written| written.batch.value) as u16;
        let flush = written.map_or(Duration(1_000_000_000), |written| written.flush.value);
        let writes = match self.strategy.value {
            _ if aside.over.is_none() => Writes::Keep,
            Strategy::WriteThrough => Writes::Through,
            Strategy::WriteBehind => Writes::Behind,
            _ => Writes::HandOn,
        };
        let warm = self.start.value == StartConfig::Warm && matches!(held, Held::Contents(_));
        let sampler = crate::random::Sampler::constant;
        Some(ComponentPlan::Cache(CachePlan {
            id,
            held,
            ring: self.ring(id, planner),
            work: self.work.value.as_ref().map_or_else(|| sampler(preset_ns), Distribution::plan),
            latency: self.latency.value.plan(),
            warm: warm.then(WarmPlan::default),
            over,
            asks,
            alone: aside.over.is_none(),
            writes,
            after_write: aside.after_write,
            leases: self.leases.value.plan(),
            behind: behind.then_some(BehindPlan { flush, batch }),
        }))
    }
}

impl CacheConfig {
    fn takes_writes(&self) -> bool {
        !matches!(self.strategy.value, Strategy::CacheAside | Strategy::WriteAround)
    }

    fn virtual_nodes(&self) -> u64 {
        let Placing::ConsistentHash(ring) = &self.balance.value;
        ring.value.virtual_nodes.value
    }

    /// Reports keys that cannot be, or have no effect beside the others.
    fn check(&self, planner: &mut Planner<'_>) {
        let strategy = self.strategy.value;
        let mut wrong = |span, message: &str, help: &str| {
            planner.out.error("E0504", span, message).help(help.to_string());
        };
        if strategy != Strategy::CacheAside && self.over.value.is_none() {
            let help = "say what lies behind it: `over: …`";
            wrong(self.strategy.span, "a cache over nothing has nobody to ask or write", help);
        }
        if let Some(behind) = &self.write_behind.value {
            if strategy != Strategy::WriteBehind {
                let help = "`strategy: write_behind` keeps writes back";
                wrong(self.write_behind.span, "nothing is written behind this cache", help);
            }
            if behind.flush.value.0 == 0 {
                let help = "`strategy: write_through` writes at once";
                wrong(behind.flush.span, "there is a time between two flushes", help);
            }
        }
        let keeps = matches!(strategy, Strategy::WriteThrough | Strategy::WriteBehind);
        if keeps && self.on_write.value == OnWrite::Nothing {
            let help = "remove `on_write`, or let writes go past the cache";
            wrong(self.on_write.span, "this strategy puts what is written into the cache", help);
        }
        if let Leases::Long(leases) = &self.leases.value
            && (leases.hold.value.0 == 0 || leases.wait.value.0 == 0)
        {
            let help = "`leases: false` is without";
            wrong(self.leases.span, "a lease holds for a time, and one waits for a time", help);
        }
    }

    /// What a lookup finds; `None` only after an error was reported.
    fn held(&self, id: ComponentId, planner: &mut Planner<'_>) -> Option<Held> {
        let held = match (&self.capacity.value, &self.hit_ratio.value) {
            (Some(capacity), None) => {
                let ttl = self.ttl.value.as_ref();
                let shared = usize::from(planner.topology.components[id.index()].instances());
                store::shape(id, *capacity, &self.eviction, ttl, shared, planner)
                    .map(Held::Contents)
            }
            (None, Some(ratio)) => {
                self.check_share(planner);
                Some(Held::Share(ratio.0))
            }
            (capacity, _) => {
                let span = if capacity.is_some() { self.hit_ratio.span } else { self.over.span };
                let message = "a cache has either a `capacity` or a measured `hit_ratio`";
                planner.out.error("E0504", span, message);
                None
            }
        };
        let expected = match held? {
            Held::Contents(shape) => {
                let nodes = u64::from(planner.topology.components[id.index()].instances());
                store::expected_hit_ratio(shape.capacity, nodes, planner, |data| {
                    planner.is_home(id, data)
                })
            }
            Held::Share(share) => share,
        };
        planner.topology.components[id.index()].hit_ratio_expected = expected;
        held
    }

    /// Reports what belongs to contents, which a measured ratio replaces.
    fn check_share(&self, planner: &mut Planner<'_>) {
        let given = [
            ("ttl", self.ttl.span, self.ttl.value.is_some()),
            ("eviction", self.eviction.span, self.eviction.value != EvictionConfig::Lru),
            ("leases", self.leases.span, self.leases.value.plan().is_some()),
            ("start", self.start.span, self.start.value != StartConfig::Warm),
            ("on_write", self.on_write.span, self.on_write.value == OnWrite::Update),
        ];
        for (key, span, _) in given.into_iter().filter(|(_, _, given)| *given) {
            let message = format!("`{key}` has no effect beside a measured `hit_ratio`");
            planner.out.error("E0504", span, message).help("give a `capacity` instead");
        }
        let message = "a measured hit ratio stays what it is";
        planner.out.warning("W0508", self.hit_ratio.span, message).help(
            "no cold start, no stampede on a missing item and no stale copy will be seen; with a \
             `capacity` the contents are simulated",
        );
    }

    /// The ring on which callers look for a key.
    fn ring(&self, id: ComponentId, planner: &Planner<'_>) -> Ring {
        let firsts = planner.topology.data.iter().map(|data| data.first).collect();
        let (nodes, names): (Vec<_>, Vec<_>) = planner.instances_of(&[id]).into_iter().unzip();
        if nodes.len() == 1 {
            return Ring::new(Vec::new(), firsts, 1);
        }
        let strategy = Choice::ConsistentHash { by: HashBy::Key };
        let weights = vec![1.0; names.len()];
        let nodes = self.virtual_nodes() as u32;
        let plan = BalancePlan::new(strategy, weights, false, &names, nodes);
        Ring::new(plan.ring, firsts, names.len())
    }
}
