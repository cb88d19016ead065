//! A service as it is written.

use super::program::{Builder, Programs};
use super::{QueuePlan, ScalingPlan, ServicePlan};
use crate::components::config::{Caller, Common};
use crate::components::names::{Planner, limit};
use crate::components::topology::ComponentId;
use crate::components::{ComponentPlan, RoomConfig};
use crate::engine::slots::Order;
use crate::engine::slots::UNLIMITED;
use crate::language::{Name, Names, OneOrMany, Span};
use crate::policy::autoscale::{self, AutoscaleConfig, Figure, Written};
use crate::random::{CountDistribution, Distribution};
use crate::units::{Bytes, Count, Duration, Ratio};
use crate::{choice, config, verbs};

config! {
    /// Runs code: instances x cores x workers.
    pub struct ServiceConfig {
        /// Slots of one instance, each held for the whole handling of a request.
        workers: Count = "10" in 1..=1_000_000_000 source "gunicorn: 2 x cores + 1, rounded",
        /// A worker is held only during `work`, as in an event loop.
        r#async: bool = "false",
        /// Where requests wait for a worker, per instance.
        queue: QueueConfig = "100",
        /// Core time of every request; short for a `default` handler with one step.
        work: Option<Distribution> = "none",
        /// The steps of each operation; `default` handles those not named.
        handle: Names<Vec<StepConfig>> = "{}",
        /// Instances that come and go with the load; `instances` is their number at the start.
        autoscale: Option<AutoscaleConfig> = "none",
        /// An instance that goes takes no new calls and has so long to finish those it has.
        drain: Option<Duration> = "none"
            source "30s with `autoscale`: a choice; AWS ALB's deregistration delay is 300 s",
        /// Where it keeps the sessions of its users; a user without one logs in first, by the steps
        /// of the operation that `users.sessions.login` names.
        sessions: Option<SessionsConfig> = "none",
    }
    include {
        /// Keys of every kind.
        common: Common,
        /// Keys of every kind that calls others.
        caller: Caller,
    }
    unbuilt {
        rate_limit: "token buckets",
    }
}

config! {
    /// Sessions. Where the visits of the users have no login, a session begins with the first
    /// request of a user, and a request whose session is gone fails (cause `error`).
    pub struct SessionsConfig, short = store {
        /// `memory`: in the instance that served the login, and nowhere else. `jwt`: with the
        /// client, in a signed token. Or the cache or database that every request asks for it.
        store: Name = required,
        /// What a session takes in that store.
        size: Bytes = "4kB" source "a choice: as much as a cookie may hold, RFC 6265",
        /// A session ends when no request of its user has come for so long; in `memory` or a store.
        ttl: Duration = "30min" source "session-timeout of Tomcat, 30 minutes",
        /// Core time to verify a token, for each request but a login.
        verify: Distribution = "0.1ms" likely "0.03ms..0.1ms"
            source "a choice; openssl speed: 0.03 ms for a signature of RSA 2048, parsing on top",
    }
}

config! {
    /// Where requests wait for a worker.
    pub struct QueueConfig, short = limit {
        /// Places of one instance; 0 rejects whenever all workers are busy.
        limit: Count = "100" in 0..=1_000_000_000 source "a choice; gunicorn's backlog is 2048",
        /// Who is served next.
        order: OrderConfig = "fifo",
        /// A request that has waited so long leaves with cause `queue_timeout`.
        timeout: Option<Distribution> = "none",
        /// An urgent request takes the core of a less urgent one; needs `order: priority`.
        preemptive: bool = "false",
    }
    unbuilt { shed: "load shedding" }
}

choice! {
    /// Who is served next.
    #[derive(Copy, PartialEq, Eq)]
    pub enum OrderConfig {
        /// First come, first served.
        fifo: Fifo,
        /// Last come, first served.
        lifo: Lifo,
        /// The most urgent operation first; first come, first served within one priority.
        priority: Priority,
    }
    unbuilt { adaptive_lifo: "newest first, but only under overload" }
}

verbs! {
    /// One step of a handler.
    pub enum StepConfig, "step" {
        /// Core time on this instance.
        work: Work(WorkStep),
        /// Time without a core: a third party.
        wait: Wait(WaitStep),
        /// Reads an item of a data set, or asks a component for one.
        read: Read(ReadStep),
        /// Writes an item.
        write: Write(WriteStep),
        /// A request to another service and its answer.
        call: Call(CallStep),
        /// Several ways at once.
        parallel: Parallel(ParallelStep),
        /// The same steps several times.
        repeat: Repeat(RepeatStep),
        /// Steps that happen by chance.
        chance: Chance(ChanceStep),
        /// One of several ways.
        choose: Choose(ChooseStep),
        /// Answers with an error, by chance.
        fail: Fail(FailStep),
    }
    unbuilt { publish: "queues" }
}

config! {
    /// Core time on this instance.
    pub struct WorkStep {
        /// How much.
        work: Distribution = required,
    }
}

config! {
    /// Time without a core.
    pub struct WaitStep {
        /// How long.
        wait: Distribution = required,
    }
}

config! {
    /// What reads, writes and calls share.
    pub struct Repeats {
        /// How many, one after another; each with an item of its own.
        times: CountDistribution = "1" in 0..=65_535,
    }
    unbuilt {
        fan_out: "copies to several instances at once",
        wait_for: "answers waited for",
        cancel: "taking back the copies not waited for",
        within: "answering with what has come",
        keys: "several keys at once",
        cost: "a factor on the cost",
        timeout: "a policy for this step only",
        retries: "a policy for this step only",
        hedge: "a policy for this step only",
        fallback: "a policy for this step only",
    }
}

config! {
    /// Reads an item.
    pub struct ReadStep {
        /// A data set, which goes to its home, or a component.
        read: Name = required,
        /// The data set, when a component is named.
        of: Option<Name> = "none",
        /// Which item; without it the one that all steps of the request are about.
        key: Option<KeyConfig> = "none",
    }
    include {
        /// How many.
        repeats: Repeats,
    }
}

choice! {
    /// Which item of a data set a step is about.
    #[derive(Copy, PartialEq, Eq)]
    pub enum KeyConfig {
        /// One that this step draws for itself, each time it runs.
        fresh: Fresh,
        /// The asking user's own: the first of those that `popularity: own` would ask for.
        own: Own,
    }
}

config! {
    /// Writes an item.
    pub struct WriteStep {
        /// A data set, which goes to its home, or a component.
        write: Name = required,
        /// The data set, when a component is named.
        of: Option<Name> = "none",
        /// Which item; without it the one that all steps of the request are about.
        key: Option<KeyConfig> = "none",
        /// Statements in the one commit.
        statements: u64 = "1" in 1..=10_000,
    }
    include {
        /// How many.
        repeats: Repeats,
    }
}

config! {
    /// Calls another service.
    pub struct CallStep {
        /// Whom.
        call: Name = required,
        /// The operation's name there, if another.
        r#as: Option<Name> = "none",
    }
    include {
        /// How many.
        repeats: Repeats,
    }
    unbuilt { key: "which key is used" }
}

config! {
    /// Several ways at once.
    pub struct ParallelStep {
        /// The ways: a step or a list of steps each.
        parallel: Vec<OneOrMany<StepConfig>> = required,
        /// How many ways must be done before the next step; the others run on.
        wait_for: Count = "unlimited",
        /// Whether the ways not waited for are taken back.
        cancel: bool = "false",
    }
}

config! {
    /// The same steps several times.
    pub struct RepeatStep {
        /// The steps.
        repeat: Vec<StepConfig> = required,
        /// How many times.
        times: CountDistribution = "1" in 0..=65_535,
    }
}

config! {
    /// Steps that happen by chance.
    pub struct ChanceStep {
        /// How likely.
        chance: Ratio = required,
        /// What happens then.
        r#do: Vec<StepConfig> = required,
        /// What happens otherwise.
        r#else: Vec<StepConfig> = "[]",
    }
}

config! {
    /// One of several ways.
    pub struct ChooseStep {
        /// The ways with their weights.
        choose: Vec<WayConfig> = required,
    }
}

config! {
    /// One way of several.
    pub struct WayConfig {
        /// How likely, relative to the others.
        weight: f64 = "1",
        /// Its steps.
        r#do: Vec<StepConfig> = "[]",
    }
}

config! {
    /// Answers with an error, by chance.
    pub struct FailStep {
        /// How likely.
        fail: Ratio = required,
    }
    unbuilt { how: "ways of failing other than an error" }
}

impl RoomConfig for ServiceConfig {
    fn common(&self) -> &Common {
        &self.common
    }

    fn cores_default(&self) -> u64 {
        4
    }

    fn autoscale(&self) -> Written<'_> {
        autoscale::written(&self.autoscale)
    }

    fn keeps_sessions_in(&self) -> Option<(&Name, Span, Bytes)> {
        let sessions = self.sessions.value.as_ref()?;
        let (store, span) = (&sessions.store.value, sessions.store.span);
        self.in_store().then_some((store, span, sessions.size.value))
    }

    fn operations(&self) -> Vec<(&str, Span)> {
        let mut words: Vec<(&str, Span)> = Vec::new();
        for (_, steps) in self.handle.value.iter() {
            super::program::renamed(&steps.value, &mut words);
        }
        words
    }

    fn plan(&self, id: ComponentId, planner: &mut Planner<'_>) -> Option<ComponentPlan> {
        let queue = &self.queue.value;
        let order = match queue.order.value {
            OrderConfig::Fifo => Order::Fifo,
            OrderConfig::Lifo => Order::Lifo,
            OrderConfig::Priority => Order::Priority,
        };
        if queue.preemptive.value && order != Order::Priority {
            planner
                .out
                .error("E0504", queue.preemptive.span, "preemption needs `order: priority`")
                .help("without priorities nobody is more urgent than another");
        }
        let places = limit(queue.limit.value);
        if places == 0 && queue.timeout.value.is_some() {
            planner
                .out
                .error("E0504", queue.timeout.span, "a queue without places has no timeout")
                .help("with `limit: 0` a request that finds all workers busy is rejected at once");
        }
        let sessions = self.plan_sessions(id, planner);
        let Programs { steps, entries, bodies } =
            Builder::new(id, self, planner).build(sessions.as_ref());
        planner.check_calls(id, &self.caller.calls.value);
        let scaling = self.scaling(id, planner);
        Some(ComponentPlan::Service(ServicePlan {
            id,
            workers: limit(self.workers.value),
            queue: QueuePlan {
                places,
                order,
                timeout: queue.timeout.value.as_ref().map(Distribution::plan),
                preemptive: queue.preemptive.value,
            },
            asynchronous: self.r#async.value,
            scaling,
            steps,
            entries,
            sessions,
            bodies,
        }))
    }
}

/// For how long an instance that goes may finish what it has, unless the scenario says.
const DRAIN: Duration = Duration(30_000_000_000);

impl ServiceConfig {
    /// How the instances come and go; mistakes are reported.
    fn scaling(&self, id: ComponentId, planner: &mut Planner<'_>) -> Option<ScalingPlan> {
        if self.drain.value.is_some() && self.autoscale().is_none() {
            let message = "`drain` has no effect without `autoscale`: no instance goes";
            planner.out.error("E0504", self.drain.span, message);
        }
        let (config, span) = self.autoscale()?;
        let facts = &planner.topology.components[id.index()];
        let cores = facts.cores;
        let divisor = config.max.value as f64 / f64::from(facts.instances());
        let rule = config.plan(divisor, planner.sizes[id.index()], span, planner.out)?;
        if cores.is_infinite() && rule.sees(Figure::Utilization) {
            planner
                .out
                .error("E0504", span, "cores without limit have no utilisation")
                .help("say how many `cores` the machine has, or look at `rate_per_instance`");
        }
        if limit(self.workers.value) == UNLIMITED && rule.sees(Figure::QueueLength) {
            planner
                .out
                .error("E0504", span, "with unlimited workers nobody ever waits")
                .help("say how many `workers` there are, or look at `utilization`");
        }
        Some(ScalingPlan { rule, drain: self.drain.value.unwrap_or(DRAIN) })
    }
}
