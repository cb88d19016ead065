//! An edge cache as it is written.

use super::plan::{CdnPlan, Held, PushPlan};
use crate::components::config::{Caller, CapacityConfig, Common};
use crate::components::names::{Aside, Planner};
use crate::components::store::{self, EvictionConfig, Shape, StartConfig, TtlConfig};
use crate::components::topology::{ComponentId, DataId};
use crate::components::{ComponentPlan, NodeConfig, RoomConfig};
use crate::language::shape::OneOfShape;
use crate::language::{Decode, Diagnostics, Name, Node, Spanned};
use crate::random::{Distribution, Sampler};
use crate::units::{Bandwidth, Count, Duration, Ratio};
use crate::{choice, config};

config! {
    /// Keeps copies near the users. What is written of capacity and bandwidth holds for each pop.
    pub struct CdnConfig {
        /// The component that is asked on a miss, with the same operation.
        origin: Name = required,
        /// Points of presence; a user always goes to the same one.
        pops: u64 = "1" in 1..=1_000,
        /// How much fits: a count is items, a size is bytes. This or `hit_ratio` is required.
        capacity: Option<CapacityConfig> = "none",
        /// A measured share of reads that hit, instead of contents: every read hits with this
        /// probability, and what it finds is fresh.
        hit_ratio: Option<Ratio> = "none",
        /// Which item leaves when a pop is full.
        eviction: EvictionConfig = "lru",
        /// How long an item stays fresh.
        ttl: Option<TtlConfig> = "1d" source "Amazon CloudFront: the default TTL is 24 hours",
        /// How items come to the pops.
        mode: Delivery = "pull",
        /// With `mode: push`: from a change or a purge until all pops have the item again.
        push_delay: Option<Duration> = "none"
            source "30s with `mode: push`: a choice; vendors promise seconds to minutes",
        /// Whether pops that miss ask one more cache before the origin. `{ capacity: 200GB }` says
        /// how much fits into it, when that is not what fits into a pop.
        shield: Shield = "false",
        /// Round trip of a user to the pop and back, in place of the network's `users`.
        hit_latency: Distribution = "20ms" likely "20ms..80ms"
            source "a choice; Netlify staff report 50-80 ms for a whole hit, connection included",
        /// Of a pop: answers leave it one after the other.
        bandwidth: Bandwidth = "unlimited",
        /// What becomes of calls that nothing kept can answer: writes, and calls without an item.
        passes: Passes = "none",
        /// What users do when their pop is dead.
        fallback: EdgeFallback = "none",
        /// A copy that is not fresh any more serves for so long when the origin fails.
        stale_if_error: Duration = "0s",
        /// A copy at a pop that is not fresh any more serves for so long, while a new one is
        /// fetched; the shield gives away fresh ones only.
        stale_while_revalidate: Duration = "0s",
        /// Whether a changed item has another name, so that a copy of before is never found.
        versioned: bool = "false",
        /// Whether the contents at the start are those of a long run, or none.
        start: StartConfig = "warm",
    }
    include {
        /// Keys of every kind.
        common: Common,
        /// Keys of every kind that calls others.
        caller: Caller,
    }
}

choice! {
    /// How items come to the points of presence.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Delivery {
        /// Each pop fetches what it misses.
        pull: Pull,
        /// All pops are given the most popular items that fit, and again what has changed or was
        /// purged; these do not grow old. What else is asked for is fetched.
        push: Push,
    }
}

choice! {
    /// What becomes of calls that nothing kept can answer.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Passes {
        /// They fail.
        none: Nothing,
        /// They go on to the origin.
        all: All,
    }
}

choice! {
    /// What users do when their point of presence is dead.
    #[derive(Copy, PartialEq, Eq)]
    pub enum EdgeFallback {
        /// They fail.
        none: Nothing,
        /// They turn to the origin.
        origin: Origin,
    }
}

config! {
    /// One more cache between the pops and the origin.
    pub struct ShieldConfig {
        /// How much fits into it.
        capacity: CapacityConfig = required,
    }
}

/// The time to live unless the scenario says.
const DAY: Duration = Duration(86_400_000_000_000);
/// From a change until all pops have it, unless the scenario says.
const PUSH_DELAY: Duration = Duration(30_000_000_000);

/// No shield, one as large as a pop, or one as written.
#[derive(Clone, Debug)]
pub enum Shield {
    /// Whether there is one, as large as a pop.
    Plain(bool),
    /// As written.
    Long(ShieldConfig),
}

static SHIELD: OneOfShape = OneOfShape {
    name: "Shield",
    doc: "Whether pops ask one more cache before the origin: `true`, `false`, or how large it is: \
          `{ capacity: 200GB }`.",
    forms: &[<bool as Decode>::shape, <ShieldConfig as Decode>::shape],
};

impl Decode for Shield {
    fn decode(node: &Spanned<Node>, out: &mut Diagnostics) -> Option<Self> {
        if matches!(node.value, Node::Map(_)) {
            return ShieldConfig::decode(node, out).map(Self::Long);
        }
        bool::decode(node, out).map(Self::Plain)
    }

    fn shape() -> crate::language::Shape {
        crate::language::Shape::OneOf(&SHIELD)
    }
}

impl RoomConfig for CdnConfig {
    fn common(&self) -> &Common {
        &self.common
    }

    fn cores_default(&self) -> u64 {
        1
    }

    fn nodes(&self) -> Option<Vec<NodeConfig<'_>>> {
        let shield = u64::from(self.has_shield());
        Some(vec![NodeConfig::default(); (self.pops.value + shield) as usize])
    }

    fn users_trip(&self) -> Option<Sampler> {
        Some(self.hit_latency.value.plan())
    }

    fn aside(&self, planner: &mut Planner<'_>) -> Aside {
        let falls_back = self.fallback.value == EdgeFallback::Origin;
        let origin = falls_back.then(|| planner.component(&self.origin.0, self.origin.span));
        Aside { pops: Some(self.pops.value as u16), fallback: origin.flatten(), ..Aside::default() }
    }

    fn plan(&self, id: ComponentId, planner: &mut Planner<'_>) -> Option<ComponentPlan> {
        self.check(planner);
        let held = self.held(id, planner)?;
        let origin = planner.component(&self.origin.0, self.origin.span)?;
        let aside = planner.asides[origin.index()];
        if aside.over.is_some() && !aside.asks {
            planner
                .out
                .error(
                    "E0504",
                    self.origin.span,
                    "an edge cache does not ask behind a cache itself",
                )
                .help("let the cache do it: `strategy: read_through`");
        }
        let calls = &self.caller.calls.value;
        let link = planner.link(id, origin, calls);
        planner.check_calls(id, calls);
        let kind = planner.topology.components[origin.index()].kind;
        let shield = self.shield(id, held, planner)?;
        let bandwidth = self.bandwidth.value;
        let warm = self.start.value == StartConfig::Warm;
        let push = PushPlan { delay: self.push_delay.value.unwrap_or(PUSH_DELAY) };
        Some(ComponentPlan::Cdn(CdnPlan {
            id,
            origin: link,
            tells: matches!(kind, "database" | "cache" | "cdn"),
            pops: self.pops.value as u16,
            held,
            shield,
            push: (self.mode.value == Delivery::Push).then_some(push),
            purges: Vec::new(),
            if_error: self.stale_if_error.value,
            while_revalidate: self.stale_while_revalidate.value,
            versioned: self.versioned.value,
            passes: self.passes.value == Passes::All,
            bytes_per_second: (!bandwidth.is_unlimited())
                .then(|| bandwidth.0 * planner.sizes[id.index()]),
            warm: (warm && matches!(held, Held::Contents(_))).then(Vec::new),
        }))
    }
}

impl CdnConfig {
    /// Whether a time to live is written that is not the default.
    fn has_own_ttl(&self) -> bool {
        let ttl = self.ttl.value.as_ref().map(TtlConfig::plan);
        ttl.is_some_and(|ttl| ttl.of != DAY || ttl.jitter > 0.0 || ttl.sliding)
    }

    fn has_shield(&self) -> bool {
        !matches!(self.shield.value, Shield::Plain(false))
    }

    /// Reports keys that cannot be, or have no effect beside the others.
    fn check(&self, planner: &mut Planner<'_>) {
        let common = &self.common;
        let has = |given: bool, span| given.then_some(span);
        let machine = has(common.machine.value.is_some(), common.machine.span);
        let host = has(common.host.value.is_some(), common.host.span);
        let several = common.instances.value != Count::Finite(1);
        let price = has(common.price.value.is_some(), common.price.span);
        let instances = has(several, common.instances.span);
        for span in [machine, host, instances, price].into_iter().flatten() {
            let message = "an edge cache is a service of points of presence, without machines";
            planner.out.error("E0504", span, message).help(
                "write `pops`, `capacity`, `bandwidth`; it is paid by the row `cdn` of the prices",
            );
        }
        if self.bandwidth.value.0 <= 0.0 {
            let message = "a pop without any bandwidth never answers";
            planner.out.error("E0504", self.bandwidth.span, message);
        }
        let wrong = |planner: &mut Planner<'_>, key: &str, span, what: &str, help: &str| {
            let message = format!("`{key}` has no effect {what}");
            planner.out.error("E0504", span, message).help(help.to_string());
        };
        if self.mode.value == Delivery::Push && self.start.value == StartConfig::Cold {
            let help = "what is pushed is there from the start";
            wrong(planner, "start", self.start.span, "with `mode: push`", help);
        }
        if self.mode.value == Delivery::Pull && self.push_delay.value.is_some() {
            let help = "`mode: push` gives items to all pops";
            wrong(planner, "push_delay", self.push_delay.span, "with `mode: pull`", help);
        }
        let pushed = self.mode.value == Delivery::Push;
        if pushed && self.has_own_ttl() {
            let help = "what is pushed does not grow old; it is pushed again when it changes";
            wrong(planner, "ttl", self.ttl.span, "with `mode: push`", help);
        }
        let timeless = self.ttl.value.is_none() || pushed;
        for (key, written) in [
            ("stale_if_error", &self.stale_if_error),
            ("stale_while_revalidate", &self.stale_while_revalidate),
        ] {
            if written.value.0 > 0 && timeless {
                let what = if pushed { "with `mode: push`" } else { "without a `ttl`" };
                let help = "such a copy is always fresh";
                wrong(planner, key, written.span, what, help);
            }
        }
    }

    /// What a lookup finds; `None` only after an error was reported.
    fn held(&self, id: ComponentId, planner: &mut Planner<'_>) -> Option<Held> {
        let (held, expected) = match (&self.capacity.value, &self.hit_ratio.value) {
            (Some(capacity), None) => {
                let shape = self.shape(id, *capacity, planner)?;
                let own = |data: DataId| planner.is_home(id, data);
                let any = (0..planner.topology.data.len()).map(DataId::new).any(own);
                let counts = |data| !any || own(data);
                let expected = store::expected_hit_ratio(shape.capacity, 1, planner, counts);
                (Held::Contents(shape), expected)
            }
            (None, Some(ratio)) => {
                self.check_share(planner);
                (Held::Share(ratio.0), ratio.0)
            }
            (capacity, _) => {
                let span = if capacity.is_some() { self.hit_ratio.span } else { self.origin.span };
                let message = "an edge cache has either a `capacity` or a measured `hit_ratio`";
                planner.out.error("E0504", span, message);
                return None;
            }
        };
        planner.topology.components[id.index()].hit_ratio_expected = expected;
        Some(held)
    }

    /// Reports what belongs to contents, which a measured ratio replaces.
    fn check_share(&self, planner: &mut Planner<'_>) {
        let given = [
            ("eviction", self.eviction.span, self.eviction.value != EvictionConfig::Lru),
            ("mode", self.mode.span, self.mode.value != Delivery::Pull),
            ("shield", self.shield.span, self.has_shield()),
            ("start", self.start.span, self.start.value != StartConfig::Warm),
            ("ttl", self.ttl.span, self.has_own_ttl()),
            ("versioned", self.versioned.span, self.versioned.value),
            ("stale_if_error", self.stale_if_error.span, self.stale_if_error.value.0 > 0),
            (
                "stale_while_revalidate",
                self.stale_while_revalidate.span,
                self.stale_while_revalidate.value.0 > 0,
            ),
        ];
        for (key, span, _) in given.into_iter().filter(|(_, _, given)| *given) {
            let message = format!("`{key}` has no effect beside a measured `hit_ratio`");
            planner.out.error("E0504", span, message).help("give a `capacity` instead");
        }
        let message = "a measured hit ratio stays what it is";
        planner.out.warning("W0508", self.hit_ratio.span, message).help(
            "no cold start, no purge and no stale copy will be seen; with a `capacity` the \
             contents are simulated",
        );
    }

    fn shape(
        &self,
        id: ComponentId,
        capacity: CapacityConfig,
        planner: &mut Planner<'_>,
    ) -> Option<Shape> {
        // What is pushed is as new as the last push.
        let ttl = self.ttl.value.as_ref().filter(|_| self.mode.value == Delivery::Pull);
        store::shape(id, capacity, &self.eviction, ttl, 1, planner)
    }

    /// The shield's shape; the outer `None` only after an error was reported.
    fn shield(
        &self,
        id: ComponentId,
        held: Held,
        planner: &mut Planner<'_>,
    ) -> Option<Option<Shape>> {
        match (&self.shield.value, held) {
            (Shield::Plain(false), _) | (_, Held::Share(_)) => Some(None),
            (Shield::Plain(true), Held::Contents(shape)) => Some(Some(shape)),
            (Shield::Long(long), _) => self.shape(id, long.capacity.value, planner).map(Some),
        }
    }
}
