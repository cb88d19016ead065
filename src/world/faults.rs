//! Faults on a declared time line: when an instance dies and when it is started again.
//!
//! A fault knows the instances it hits and when; what dying means is the components' affair, and
//! whether anybody notices is the health checks'.

use crate::components::Role;
use crate::components::config::Address;
use crate::components::context::{Cx, Detection, Loss};
use crate::components::event::Event;
use crate::components::topology::ComponentId;
use crate::engine::stream::{DrawKey, salt};
use crate::language::{Diagnostics, Span};
use crate::random::{Distribution, Sampler};
use crate::units::{Duration, Instant};
use crate::{config, verbs};

verbs! {
    /// Something that goes wrong.
    pub enum FaultConfig, "fault" {
        /// A process dies with all it has in hand.
        crash: Crash(CrashConfig),
        /// A component, host, zone or region is gone: silence.
        outage: Outage(OutageConfig),
    }
    unbuilt {
        hang: "accepting and never answering",
        slow: "slower work",
        errors: "a share of errors",
        delay: "added latency",
        loss: "lost messages",
        stall: "held messages",
        partition: "links that drop everything",
        flush: "emptied caches",
        full: "full disks",
        hot_key: "one key that everybody wants",
        spike: "a surprise load",
    }
}

config! {
    /// A process dies; it is started again when the cause is gone.
    pub struct CrashConfig {
        /// A component (all its instances at once), one instance, or whoever has a role then.
        crash: Address = required,
        /// The machine dies with the process: callers hear nothing until their timeout.
        silently: bool = "false",
    }
    include {
        /// When.
        when: WhenConfig,
    }
    unbuilt {
        hits: "a number or share of instances",
        with: "correlated faults",
        chance: "correlated faults",
        after: "correlated faults",
    }
}

config! {
    /// A place is gone with all machines in it: callers hear nothing until their timeout. When it
    /// is back everything in it is started again.
    pub struct OutageConfig {
        /// A component, `host`, `zone.2`, `us.zone.2`, a region, or `all`.
        outage: Address = required,
    }
    include {
        /// When.
        when: WhenConfig,
    }
}

config! {
    /// When something goes wrong.
    pub struct WhenConfig {
        /// When it happens, once, counted from the end of the warm-up.
        at: Option<Duration> = "none",
        /// How long the cause lasts; for good when left out.
        r#for: Option<Distribution> = "none",
        /// Mean time between failures of each instance, from the end of a repair: a bare duration
        /// is the mean of an exponential, a distribution is taken as it is.
        mtbf: Option<Distribution> = "none",
        /// Mean time to repair, as `mtbf`.
        mttr: Option<Distribution> = "none",
    }
}

impl WhenConfig {
    /// When it happens, or `None` after an error; `place` is where that of the whole is reported.
    pub fn timing(&self, place: Span, out: &mut Diagnostics) -> Option<Timing> {
        let mean = |law: &Distribution| {
            let law = law.plan();
            law.is_constant().map_or(law, |mean| Sampler::exponential(Duration(mean)))
        };
        match (self.at.value, &self.mtbf.value) {
            (Some(at), None) => {
                if self.mttr.value.is_some() {
                    let message = "`mttr` belongs to random faults";
                    out.error("E0504", self.mttr.span, message)
                        .help("a fault at a time lasts `for: …`");
                    return None;
                }
                let lasts = self.r#for.value.as_ref().map(Distribution::plan);
                Some(Timing::At { at: Instant(at.0), lasts })
            }
            (None, Some(between)) => {
                let lasts = match (&self.mttr.value, &self.r#for.value) {
                    (Some(mttr), None) => mean(mttr),
                    (None, Some(lasts)) => lasts.plan(),
                    _ => {
                        let message = "a random fault lasts either `mttr` or `for`";
                        out.error("E0504", place, message).help("give exactly one of them");
                        return None;
                    }
                };
                let between = mean(between);
                if between.is_constant() == Some(0) || lasts.is_constant() == Some(0) {
                    out.error("E0504", place, "a random fault takes time to come and to go")
                        .help("give `mtbf` and `mttr` more than 0s");
                    return None;
                }
                Some(Timing::Random { between, lasts })
            }
            (Some(_), Some(_)) | (None, None) => {
                out.error("E0504", place, "a fault happens either `at` a time or by `mtbf`")
                    .help("give exactly one of them: `at: 5min` or `mtbf: 30d`");
                None
            }
        }
    }
}

/// When a fault happens.
#[derive(Clone, Debug)]
pub enum Timing {
    /// Once, to all its instances at the same time.
    At {
        /// When.
        at: Instant,
        /// How long; `None` for good.
        lasts: Option<Sampler>,
    },
    /// Again and again, each instance with a clock of its own.
    Random {
        /// From the start, and from the end of each repair, to the next.
        between: Sampler,
        /// From a failure to its repair.
        lasts: Sampler,
    },
}

/// What a fault hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// An instance.
    Instance(u16),
    /// Whoever has a role when it happens.
    Role(Role),
}

impl Target {
    /// The number of its draws.
    fn number(self) -> u64 {
        match self {
            Self::Instance(instance) => u64::from(instance),
            Self::Role(Role::Primary) => 1 << 16,
            Self::Role(Role::Replica(number)) => (2 << 16) + u64::from(number),
        }
    }
}

/// One fault.
#[derive(Clone, Debug)]
pub struct FaultPlan {
    /// Its name in the scenario.
    pub name: String,
    /// Verb and target as a scenario writes them: `crash web.3`.
    pub what: String,
    /// What it hits: parts of components.
    pub targets: Vec<(ComponentId, Target)>,
    /// Whether the machine dies with the process, so that callers hear nothing.
    pub silently: bool,
    /// When.
    pub timing: Timing,
}

/// One time that a fault hit one instance.
#[derive(Clone, Copy, Debug)]
pub struct Occurrence {
    /// Which fault.
    pub fault: u16,
    /// Which of its targets.
    pub target: u16,
    /// The component hit.
    pub component: ComponentId,
    /// The instance that this was, as the component numbers them.
    pub instance: u16,
    /// When it began.
    pub from: Instant,
    /// When its cause was gone; `None` if it was not.
    pub to: Option<Instant>,
    /// When a balancer first took the instance out, in nanoseconds after the beginning.
    pub detected_after: Option<i64>,
    /// User requests that failed while it lasted.
    pub errors: u64,
    /// Acknowledged writes that are gone for good because of it; none before that is known.
    pub lost_writes: Option<u64>,
}

/// The faults of one replication.
pub struct Faults<'p> {
    plans: &'p [FaultPlan],
    /// By fault and target the key of its draws and how often it has been drawn.
    draws: Vec<Vec<(DrawKey, u64)>>,
    /// All that has happened, in order.
    pub occurrences: Vec<Occurrence>,
    active: Vec<usize>,
    heard: usize,
    losses_heard: usize,
}

impl<'p> Faults<'p> {
    /// The faults, none of which has happened; schedules the first of each.
    pub fn new(plans: &'p [FaultPlan], cx: &mut Cx<'_>) -> Self {
        let key = |plan: &FaultPlan, (component, target): (ComponentId, Target)| {
            let name = salt(&cx.topology.components[component.index()].name);
            let key = cx.root.child(salt(&plan.name)).child(name);
            (key.child(target.number()), 0)
        };
        let of = |plan: &FaultPlan| plan.targets.iter().map(|&target| key(plan, target)).collect();
        let mut faults = Self {
            plans,
            draws: plans.iter().map(of).collect(),
            occurrences: Vec::new(),
            active: Vec::new(),
            heard: 0,
            losses_heard: 0,
        };
        for (fault, plan) in plans.iter().enumerate() {
            for target in 0..plan.targets.len() {
                let event = Event::Fault(fault as u16, target as u16, true);
                match &plan.timing {
                    Timing::At { at, .. } => cx.schedule.at(*at, event),
                    Timing::Random { between, .. } => {
                        let delay = faults.draw(fault, target, between);
                        cx.schedule.at(Instant(delay.0), event);
                    }
                }
            }
        }
        faults
    }

    fn draw(&mut self, fault: usize, target: usize, law: &Sampler) -> Duration {
        let (key, turn) = &mut self.draws[fault][target];
        let draw = key.child(*turn);
        *turn += 1;
        Duration(law.sample(&mut draw.draw()))
    }

    /// A fault would have begun at a target that is not there: nothing happens until the next time.
    pub fn miss(&mut self, cx: &mut Cx<'_>, fault: u16, target: u16) {
        if let Timing::Random { between, .. } = &self.plans[fault as usize].timing {
            let delay = self.draw(fault as usize, target as usize, between);
            cx.schedule.after(delay, Event::Fault(fault, target, true));
        }
    }

    /// A fault begins or ends at one of its targets, which is this instance.
    pub fn happen(
        &mut self,
        cx: &mut Cx<'_>,
        (fault, target): (u16, u16),
        instance: u16,
        begins: bool,
    ) {
        let plan = &self.plans[fault as usize];
        let now = cx.now();
        let (index, place) = (fault as usize, target as usize);
        if begins {
            let lasts = match &plan.timing {
                Timing::At { lasts, .. } => lasts.as_ref().map(|law| self.draw(index, place, law)),
                Timing::Random { lasts, .. } => Some(self.draw(index, place, lasts)),
            };
            if let Some(lasts) = lasts {
                cx.schedule.after(lasts, Event::Fault(fault, target, false));
            }
            self.active.push(self.occurrences.len());
            self.occurrences.push(Occurrence {
                fault,
                target,
                component: plan.targets[place].0,
                instance,
                from: now,
                to: None,
                detected_after: None,
                errors: 0,
                lost_writes: None,
            });
            return;
        }
        let occurrences = &mut self.occurrences;
        self.active.retain(|&active| {
            let occurrence = &mut occurrences[active];
            let ends = occurrence.fault == fault && occurrence.target == target;
            if ends {
                occurrence.to = Some(now);
            }
            !ends
        });
        if let Timing::Random { between, .. } = &plan.timing {
            let delay = self.draw(index, place, between);
            cx.schedule.after(delay, Event::Fault(fault, target, true));
        }
    }

    /// The instance that a fault hit when it last happened to one of its targets.
    pub fn was_hit(&self, fault: u16, target: u16) -> Option<u16> {
        let last = self.active.iter().rev().map(|&active| &self.occurrences[active]);
        let mut same = last.filter(|one| one.fault == fault && one.target == target);
        same.next().map(|one| one.instance)
    }

    /// Whether another fault still holds an instance down.
    pub fn still_down(&self, component: ComponentId, instance: u16) -> bool {
        self.active.iter().any(|&active| {
            let occurrence = &self.occurrences[active];
            occurrence.instance == instance && occurrence.component == component
        })
    }

    /// A user request has failed: each fault under way counts it once, however many instances it
    /// holds down.
    #[inline]
    pub fn failed(&mut self) {
        for position in 0..self.active.len() {
            let active = self.active[position];
            let fault = self.occurrences[active].fault;
            let earlier = &self.active[..position];
            if !earlier.iter().any(|&other| self.occurrences[other].fault == fault) {
                self.occurrences[active].errors += 1;
            }
        }
    }

    /// Takes note of what was found and what was lost since the last time.
    pub fn listen(&mut self, detections: &[Detection], losses: &[Loss]) {
        for loss in &losses[self.losses_heard..] {
            let by = |one: &&mut Occurrence| {
                one.component == loss.component && one.instance == loss.instance
            };
            if let Some(last) = self.occurrences.iter_mut().rev().find(by) {
                *last.lost_writes.get_or_insert(0) += loss.writes;
            }
        }
        self.losses_heard = losses.len();
        for detection in &detections[self.heard..] {
            for &active in &self.active {
                let occurrence = &mut self.occurrences[active];
                let same = occurrence.component == detection.component
                    && occurrence.instance == detection.instance;
                if same && occurrence.detected_after.is_none() && detection.after.is_some() {
                    occurrence.detected_after = Some(detection.at.0 - occurrence.from.0);
                }
            }
        }
        self.heard = detections.len();
    }
}
