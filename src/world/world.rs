//! The state of one replication and what each event does to it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::faults::{Faults, Target};
use super::observations::Observations;
use super::plan::Plan;
use super::users::load::Users;
use crate::components::caller::Resolution;
use crate::components::context::{Cx, Status};
use crate::components::event::{Event, Packed};
use crate::components::figures::Figures;
use crate::components::ledger::{Measure, PartLedger};
use crate::components::record::{Note, Record};
use crate::components::topology::{ComponentId, MachineId, users};
use crate::components::{Component, Probed, Room};
use crate::engine::run::{Model, run};
use crate::engine::schedule::Schedule;
use crate::engine::stream::DrawKey;
use crate::units::{Duration, Instant};

/// Under which conditions a plan is run.
#[derive(Clone, Copy, Debug)]
pub struct Conditions<'a> {
    /// Seed of the experiment.
    pub seed: u64,
    /// Number of the replication.
    pub replication: u32,
    /// Time before the measured time.
    pub warmup: Duration,
    /// Whether what is declared to go wrong does.
    pub faults: bool,
    /// Set from outside to break the run off.
    pub stop: Option<&'a AtomicBool>,
}

struct World<'p> {
    cx: Cx<'p>,
    components: Vec<Component<'p>>,
    users: Users<'p>,
    faults: Faults<'p>,
    plan: &'p Plan,
    /// The next instant at which something is noted: start, window, end.
    border: Instant,
    busy_before: Vec<f64>,
    /// By component with parts and its instances.
    nodes_before: Vec<(usize, Vec<f64>)>,
    /// Disk and network interface of each machine.
    devices_before: Vec<[i64; 2]>,
    devices_after: Vec<[i64; 2]>,
    limit: Instant,
    /// Whether the measured time is over.
    ended: bool,
    over: bool,
    interrupted: bool,
    stop: Option<&'p AtomicBool>,
}

/// Runs one replication of a plan.
pub fn simulate<'p>(plan: &'p Plan, conditions: Conditions<'p>) -> Observations {
    let mut world = World::new(plan, conditions);
    run(&mut world);
    world.finish()
}

/// Runs one replication of a plan, and notes what happens to each request. The observations are
/// those of [`simulate`].
pub fn simulate_recorded<'p>(
    plan: &'p Plan,
    conditions: Conditions<'p>,
) -> (Observations, Vec<Note>) {
    let mut world = World::new(plan, conditions);
    world.cx.record = Record::on();
    world.users.known = true;
    run(&mut world);
    let notes = std::mem::take(&mut world.cx.record).into_notes();
    (world.finish(), notes)
}

impl<'p> World<'p> {
    fn new(plan: &'p Plan, conditions: Conditions<'p>) -> Self {
        let end = Instant(plan.window.duration.0);
        let measure = Measure { end, window_ns: plan.window.window.0 };
        let root = DrawKey::root(conditions.seed, conditions.replication);
        let start = Instant(-conditions.warmup.0);
        let mut cx = Cx::new(&plan.topology, measure, root, start);
        let mut components: Vec<Component<'p>> =
            plan.components.iter().map(|component| Component::new(component, &mut cx)).collect();
        for component in &mut components {
            component.room().begin(&mut cx);
        }
        let known = plan.components.iter().any(|component| component.facts().knows_users());
        let users = Users::new(&plan.users, &mut cx, known);
        let faults = if conditions.faults { &plan.faults[..] } else { &[] };
        let faults = Faults::new(faults, &mut cx);
        let parted = (0..plan.components.len())
            .filter(|&index| !plan.components[index].facts().parts().is_empty());
        let nodes = |index: usize| plan.topology.components[index + 1].places.len();
        Self {
            nodes_before: parted.map(|index| (index + 1, vec![0.0; nodes(index)])).collect(),
            busy_before: vec![0.0; plan.topology.components.len()],
            devices_before: Vec::new(),
            devices_after: Vec::new(),
            cx,
            components,
            users,
            faults,
            plan,
            border: Instant(0),
            limit: Instant(end.0 + plan.users.patience_max.0),
            ended: false,
            over: false,
            interrupted: false,
            stop: conditions.stop,
        }
    }

    #[inline(always)]
    fn component(&mut self, id: ComponentId) -> (&mut Component<'p>, &mut Cx<'p>) {
        (&mut self.components[id.index() - 1], &mut self.cx)
    }

    #[inline(always)]
    fn resolved(&mut self, resolution: Resolution) {
        match resolution {
            Resolution::Nothing => {}
            Resolution::Child { parent, reply, attempts } => {
                let id = self.cx.calls[parent].component;
                if id != users() {
                    let (room, cx) = self.component(id);
                    return room.on_child(cx, parent, reply);
                }
                if self.users.resolved(&mut self.cx, parent, reply, attempts) {
                    self.faults.failed();
                }
            }
            Resolution::Probe { link, instance, backend, ok } => {
                let caller = self.cx.topology.links[link.index()].caller;
                let (room, cx) = self.component(caller);
                room.room().on_probe(cx, Probed { link, instance, backend }, ok);
                self.faults.listen(&self.cx.detections, &self.cx.losses);
            }
        }
    }

    #[cold]
    fn fault(&mut self, fault: u16, target: u16, begins: bool) {
        let plan = &self.plan.faults[fault as usize];
        let (component, part) = plan.targets[target as usize];
        let now = match part {
            Target::Instance(instance) => Some(instance),
            Target::Role(role) => self.component(component).0.room().with_role(role),
        };
        let before = || self.faults.was_hit(fault, target);
        let instance = if begins { now } else { before() };
        let Some(instance) = instance else {
            // Nobody has the role now; somebody may the next time.
            if begins {
                self.faults.miss(&mut self.cx, fault, target);
            }
            return;
        };
        if begins && self.cx.status(component, instance) == Status::Absent {
            return self.faults.miss(&mut self.cx, fault, target);
        }
        self.faults.listen(&self.cx.detections, &self.cx.losses);
        self.faults.happen(&mut self.cx, (fault, target), instance, begins);
        if begins {
            self.cx.crash(component, instance, plan.silently);
            let (room, cx) = self.component(component);
            room.room().on_crash(cx, instance);
        } else if !self.faults.still_down(component, instance) {
            self.cx.start(component, instance);
        }
    }

    #[cold]
    fn cross_border(&mut self) {
        let end = self.cx.ledger.measure.end;
        let now = self.cx.now();
        while self.border <= now && !self.ended {
            let border = self.border;
            if border.0 == 0 {
                self.cx.count_present(0);
                self.devices_before = self.devices_busy(border);
            }
            for index in 1..self.plan.topology.components.len() {
                let busy = self.cx.busy_ns_at(ComponentId::new(index), border);
                if border.0 > 0 {
                    let ledger = &mut self.cx.ledger.components[index];
                    ledger.busy_series.push(busy - self.busy_before[index]);
                    ledger.busy_ns += busy - self.busy_before[index];
                }
                self.busy_before[index] = busy;
            }
            self.note_parts(border);
            if border == end {
                self.cx.count_present(1);
                self.devices_after = self.devices_busy(border);
                self.ended = true;
                break;
            }
            self.border = Instant(border.0 + self.cx.ledger.measure.window_ns).min(end);
        }
        self.interrupted |= self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed));
        // After the end every event comes by here: the cohort may be resolved, or time be up.
        let done = self.ended && (self.users.outstanding == 0 || now >= self.limit);
        self.over |= self.interrupted || done;
    }

    /// Books the core time since the last border to the parts of components that have some.
    fn note_parts(&mut self, border: Instant) {
        let window = self.cx.ledger.measure.window_ns.min(border.0);
        for (index, before) in &mut self.nodes_before {
            let id = ComponentId::new(*index);
            let parts = self.plan.components[*index - 1].facts().parts().len();
            let cores = self.plan.topology.components[*index].cores;
            self.cx.ledger.components[*index].parts.resize(parts, PartLedger::default());
            for (node, before) in before.iter_mut().enumerate() {
                let busy = self.cx.instance_busy_ns_at(id, node as u16, border);
                let part = self.components[*index - 1].room().part_of(node as u16);
                let up = self.cx.status(id, node as u16) == Status::Up;
                let ledger = &mut self.cx.ledger.components[*index].parts[part];
                if border.0 > 0 {
                    ledger.busy_ns += busy - *before;
                    ledger.in_service_ns += if up { cores * window as f64 } else { 0.0 };
                }
                *before = busy;
            }
        }
    }

    fn devices_busy(&self, border: Instant) -> Vec<[i64; 2]> {
        let machines = (0..self.plan.topology.machines.len()).map(MachineId::new);
        machines.map(|machine| self.cx.devices_busy_ns(machine, border)).collect()
    }

    fn finish(mut self) -> Observations {
        let end = self.cx.ledger.measure.end;
        if !self.ended && !self.interrupted {
            // Nothing was left to happen before the end: the world stands still until then.
            self.cx.schedule.at(end, Event::Arrival);
            while self.cx.now() < end {
                self.cx.schedule.pop();
            }
            self.cross_border();
        }
        self.users.end(&mut self.cx);
        self.cx.close_ledger();
        self.faults.listen(&self.cx.detections, &self.cx.losses);
        let figures = self.components.iter_mut().map(|component| component.room().figures());
        let figures = std::iter::once(Figures::default()).chain(figures).collect();
        let duration = self.plan.window.duration;
        let [disk_utilization, nic_utilization] = [0, 1].map(|device| {
            let both = self.devices_before.iter().zip(&self.devices_after);
            both.map(|(b, a)| (a[device] - b[device]) as f64 / duration.0 as f64).collect()
        });
        Observations {
            users: self.users.ledgers,
            figures,
            disk_utilization,
            nic_utilization,
            faults: self.faults.occurrences,
            duration,
            events: self.cx.schedule.fired(),
            interrupted: self.interrupted,
            ledger: self.cx.ledger,
        }
    }
}

impl Model for World<'_> {
    type Event = Packed;

    #[inline]
    fn schedule(&mut self) -> &mut Schedule<Packed> {
        &mut self.cx.schedule
    }

    #[inline(always)]
    fn moved(&mut self) -> bool {
        if self.cx.now() >= self.border {
            self.cross_border();
        }
        self.over
    }

    #[inline(always)]
    fn handle(&mut self, event: Packed) {
        match event.event() {
            Event::Arrive(call) => {
                if let Some(at) = self.cx.arrive(call) {
                    let (room, cx) = self.component(at);
                    room.on_call(cx, call);
                }
            }
            Event::Reply(call) => {
                let resolution = self.cx.resolve(call);
                self.resolved(resolution);
            }
            Event::WorkDone(call, token) => {
                if let Some(at) = self.cx.work_done(call, token) {
                    let (room, cx) = self.component(at);
                    room.on_work(cx, call);
                }
            }
            Event::Tick(machine, token) => {
                if let Some((call, at)) = self.cx.tick(machine, token) {
                    let (room, cx) = self.component(at);
                    room.on_work(cx, call);
                }
            }
            Event::Wake(call, token) => {
                if let Some(at) = self.cx.woken(call, token) {
                    if at == users() {
                        return self.users.named(&mut self.cx, call);
                    }
                    let (room, cx) = self.component(at);
                    room.on_wake(cx, call);
                }
            }
            Event::Arrival => self.users.arrive(&mut self.cx),
            Event::Timers(list) => {
                while let Some(call) = self.cx.next_due(list) {
                    let resolution = self.cx.timed_out(call);
                    self.resolved(resolution);
                }
                self.cx.rearm(list);
            }
            Event::Thought(user) => self.users.thought(&mut self.cx, user),
            Event::Cancel(call) => {
                if self.cx.cancel(call) {
                    let (room, cx) = self.component(self.cx.calls[call].component);
                    room.on_cancel(cx, call);
                }
            }
            Event::Component(id, instance, word) => {
                let (room, cx) = self.component(id);
                room.room().on_event(cx, instance, word);
                self.faults.listen(&self.cx.detections, &self.cx.losses);
            }
            Event::Readmit(link, instance, backend) => {
                let now = self.cx.now();
                if let Some(balancer) = self.cx.balancer(link, instance) {
                    balancer.readmit(backend, now);
                }
            }
            Event::Fault(fault, target, begins) => self.fault(fault, target, begins),
            Event::Started(component, instance, life) => {
                if self.cx.started(component, instance, life) {
                    let (room, cx) = self.component(component);
                    room.room().on_started(cx, instance);
                }
            }
        }
    }
}
