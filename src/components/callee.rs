//! The callee's side of a call: arrival, slots' waits, work on cores, the answer, and death.
//!
//! Nothing here knows which room a call is in; rooms call these when they react.

use super::call::{Access, Call, CallKey, Phase, flag, through_nic};
use super::context::{Cx, Detection, Job, Loss, Status};
use super::event::Event;
use super::outcome::{Cause, Reply};
use super::record::Note;
use super::topology::{ComponentId, LinkId, MachineId};
use crate::engine::processor::Next;
use crate::engine::schedule::Lane;
use crate::engine::stream::salt;
use crate::units::{Duration, Instant};

const STARTUP: u64 = salt("startup");

impl Cx<'_> {
    /// A call reaches its callee; the component to be told of it, if one is.
    #[inline(always)]
    pub fn arrive(&mut self, key: CallKey) -> Option<ComponentId> {
        let call = self.calls.get_mut(key)?;
        let now = self.schedule.now();
        match self.instances[call.place as usize].status {
            Status::Up => {
                call.phase = Phase::Present;
                call.arrived = now;
                call.since = now;
                call.waited = 0;
                call.demand = 0;
                call.pc = 0;
                call.pending = 0;
                call.turns = 0;
                self.ledger.arrived(call, now);
                if call.is(flag::AT_THE_DOOR) {
                    self.reply(key, Reply::OK);
                    return None;
                }
                Some(call.component)
            }
            Status::Refusing | Status::Absent => {
                call.arrived = now;
                call.phase = Phase::Present;
                self.ledger.arrived(call, now);
                let component = call.component;
                self.reply(key, Reply::failed(Cause::Refused, component));
                None
            }
            Status::Silent => {
                self.lose(key);
                None
            }
        }
    }

    /// A dead machine swallows the frame; without a timeout and anybody waiting, it goes.
    fn lose(&mut self, key: CallKey) {
        let call = &mut self.calls[key];
        call.phase = Phase::Lost;
        if call.parent.is_none() && !call.is(flag::TIMED) {
            self.drop_frame(key);
        }
    }

    /// The callee answers. It has given back its slot before.
    #[inline(always)]
    pub fn reply(&mut self, key: CallKey, reply: Reply) {
        let now = self.now();
        if !self.calls[key].children.is_empty() {
            self.orphan_children(key, false);
        }
        if self.calls[key].is(flag::WASTED) {
            self.waste(key, Duration(0));
        }
        let call = &mut self.calls[key];
        self.ledger.left(call, now, reply.failure.map(|failure| failure.cause));
        call.reply = reply;
        call.phase = Phase::Inbound;
        call.renew();
        if call.parent.is_none() && call.flags & (flag::HELD | flag::PROBE) == 0 {
            return self.drop_frame(key);
        }
        let back = call.back;
        if back <= 0 {
            return match back {
                0 => self.schedule.ready(Event::Reply(key)),
                _ => self.reply_through_nic(key),
            };
        }
        match self.hops[call.hop as usize].back {
            Some(lane) => self.schedule.in_lane(lane, Event::Reply(key)),
            None => self.schedule.after(Duration(back), Event::Reply(key)),
        }
    }

    /// The answer waits for its turn at the machine's network interface, then travels back.
    #[cold]
    fn reply_through_nic(&mut self, key: CallKey) {
        let now = self.now();
        let call = &self.calls[key];
        let bytes = if call.reply.is_ok() { self.topology.answer_bytes(call) } else { 0.0 };
        let machine = self.instances[call.place as usize].machine;
        let back = through_nic(call.back);
        let nic = self.machines[machine.index()].nic.as_mut();
        let wait = nic.map_or(Duration(0), |pipe| pipe.send(now, bytes));
        self.schedule.after(Duration(wait.0 + back), Event::Reply(key));
    }

    /// The callee fails the call here.
    pub fn fail(&mut self, key: CallKey, cause: Cause) {
        let at = self.calls[key].component;
        self.reply(key, Reply::failed(cause, at));
    }

    /// Puts the call's work on the cores of its instance's machine. `on_work` follows.
    #[inline(always)]
    pub fn work(&mut self, key: CallKey, demand: Duration) {
        if self.record.is_on() {
            self.note_work(key, demand);
        }
        self.start_job(key, demand, demand);
    }

    #[cold]
    fn note_work(&mut self, key: CallKey, demand: Duration) {
        let at = self.now();
        let call = &self.calls[key];
        let (request, draw) = (call.request, call.draw);
        let (component, instance) = (call.component, call.instance);
        self.record.note(Note::Worked { request, draw, component, instance, at, demand });
    }

    /// Goes on with work that was taken off its core, with what was left of it.
    pub fn resume(&mut self, key: CallKey, left: Duration) {
        self.start_job(key, left, Duration(0));
    }

    /// Puts work on the cores, of which `more` was not asked for before.
    #[inline(always)]
    fn start_job(&mut self, key: CallKey, work: Duration, more: Duration) {
        let now = self.now();
        let call = &mut self.calls[key];
        call.demand += more.0;
        call.job = work.0;
        call.set(flag::WORKING);
        let token = call.renew();
        let super::context::Instance { machine, tenant, .. } = self.instances[call.place as usize];
        let job = Job { call: key, token, tenant };
        let cores = &mut self.machines[machine.index()].cores;
        let (mark, next) = cores.start(now, tenant as usize, work, job);
        call.mark = mark;
        self.obey(machine, next, job);
    }

    /// The event of a job on a dedicated core; the component to be told of it, if one is.
    #[inline(always)]
    pub fn work_done(&mut self, key: CallKey, token: u32) -> Option<ComponentId> {
        let now = self.now();
        let call = self.calls.get_mut(key)?;
        if call.token != token || !call.is(flag::WORKING) {
            return None;
        }
        call.clear(flag::WORKING);
        let component = call.component;
        let super::context::Instance { machine, tenant, .. } = self.instances[call.place as usize];
        self.machines[machine.index()].cores.finish_dedicated(now, tenant as usize);
        Some(component)
    }

    /// The tick of a shared machine: the call whose work is done, if the tick is not stale, and the
    /// component to be told of it.
    #[inline]
    pub fn tick(&mut self, machine: MachineId, token: u32) -> Option<(CallKey, ComponentId)> {
        let now = self.now();
        let calls = &self.calls;
        let current = |job: Job| {
            calls.get(job.call).is_some_and(|c| c.token == job.token && c.is(flag::WORKING))
        };
        let cores = &mut self.machines[machine.index()].cores;
        let (done, next) = cores.tick(now, token, |job| job.tenant as usize, current);
        if let Next::TickAt(at, token) = next {
            self.schedule.at(at, Event::Tick(machine, token));
        }
        let key = done?.call;
        let call = &mut self.calls[key];
        call.clear(flag::WORKING);
        Some((key, call.component))
    }

    /// Takes the call's work off its core and returns what was left of it.
    pub fn stop_work(&mut self, key: CallKey) -> Duration {
        let now = self.now();
        let call = &mut self.calls[key];
        if !call.is(flag::WORKING) {
            return Duration(0);
        }
        call.clear(flag::WORKING);
        call.renew();
        let (mark, index) = (call.mark, call.place as usize);
        let super::context::Instance { machine, tenant, .. } = self.instances[index];
        let calls = &self.calls;
        let current = |job: Job| {
            calls.get(job.call).is_some_and(|c| c.token == job.token && c.is(flag::WORKING))
        };
        let cores = &mut self.machines[machine.index()].cores;
        let (left, next) = cores.stop(now, tenant as usize, mark, current);
        if let Next::TickAt(at, token) = next {
            self.schedule.at(at, Event::Tick(machine, token));
        }
        left
    }

    /// Starts a piece of a component's own business on one of its instances: a frame that is no
    /// call, that nobody waits for and no ledger counts. It dies with the instance.
    pub fn background(&mut self, component: ComponentId, instance: u16, access: Access) -> CallKey {
        let key = self.calls.allocate();
        let token = self.calls[key].token.wrapping_add(1);
        self.calls[key] = Call {
            flags: flag::BRANCH,
            phase: Phase::Present,
            access,
            component,
            instance,
            place: self.instance_index(component, instance) as u32,
            arrived: self.now(),
            token,
            ..Call::default()
        };
        key
    }

    /// Such a piece is done.
    pub fn end_background(&mut self, key: CallKey) {
        self.drop_frame(key);
    }

    /// Wakes the call after a delay of its own (`on_wake` follows, unless its token changes).
    #[inline]
    pub fn wake(&mut self, key: CallKey, delay: Duration) {
        let token = self.calls[key].renew();
        self.schedule.after(delay, Event::Wake(key, token));
    }

    /// The same after the constant delay of a lane.
    #[inline]
    pub fn wake_in(&mut self, key: CallKey, lane: Lane) {
        let token = self.calls[key].renew();
        self.schedule.in_lane(lane, Event::Wake(key, token));
    }

    /// A disk operation of the given latency; `on_wake` follows.
    pub fn disk(&mut self, key: CallKey, latency: Duration) {
        let now = self.now();
        let call = &self.calls[key];
        let (component, instance) = (call.component, call.instance);
        let done = self.device(component, instance, latency);
        self.wake(key, Duration(done.0 - now.0));
    }

    /// Hands an operation of the given latency to the disk of an instance's machine: when it ends.
    pub fn device(&mut self, component: ComponentId, instance: u16, latency: Duration) -> Instant {
        let now = self.now();
        let machine = self.instances[self.instance_index(component, instance)].machine;
        self.machines[machine.index()].disk.submit(now, latency)
    }

    /// A call's own delay is over: the component to be told of it. There is none when it was the
    /// caller's pause before a repeat.
    #[inline(always)]
    pub fn woken(&mut self, key: CallKey, token: u32) -> Option<ComponentId> {
        let call = self.calls.get(key)?;
        if call.token != token {
            return None;
        }
        if call.phase == Phase::Backoff {
            self.attempt_again(key);
            return None;
        }
        Some(call.component)
    }

    /// The callee has let go of a call that was taken back: its slot is free, its queue place too.
    pub fn cancelled(&mut self, key: CallKey) {
        let now = self.now();
        let left = self.stop_work(key);
        self.waste(key, left);
        self.orphan_children(key, true);
        let call = &self.calls[key];
        if !call.is(flag::BRANCH) {
            self.ledger.left(call, now, Some(Cause::Cancelled));
        }
        self.drop_frame(key);
    }

    /// Books all the work that a call has had here, which was for nobody; `left` of it is not done.
    #[cold]
    pub(super) fn waste(&mut self, key: CallKey, left: Duration) {
        let now = self.now();
        let call = &mut self.calls[key];
        let left = if call.is(flag::PREEMPTED) { call.job } else { left.0 };
        let demand = std::mem::take(&mut call.demand) - left;
        let machine = self.instances[call.place as usize].machine;
        let speed = self.topology.machines[machine.index()].speed;
        self.ledger.wasted(call.component, demand as f64 / speed, now);
    }

    /// A taken-back call that is not at its callee; whether the callee's room must let go of it.
    pub fn cancel(&mut self, key: CallKey) -> bool {
        let Some(call) = self.calls.get(key) else { return false };
        match call.phase {
            Phase::Present => return true,
            Phase::Outbound | Phase::Lost => self.drop_frame(key),
            // An answer on its way is dropped when it comes; the rest belongs to the caller.
            Phase::Inbound | Phase::PoolWait | Phase::Backoff => {}
        }
        false
    }

    /// The process of an instance dies with all it has in hand. `silently`: the machine with it.
    pub fn crash(&mut self, component: ComponentId, instance: u16, silently: bool) {
        let now = self.now();
        let index = self.instance_index(component, instance);
        let state = &mut self.instances[index];
        if state.status == Status::Up {
            self.ledger.serves(component, now, -1);
        }
        let state = &mut self.instances[index];
        state.status = if silently { Status::Silent } else { Status::Refusing };
        state.life += 1;
        state.down_since = now;
        let here = |key: &CallKey| self.is_at(*key, component, instance);
        let doomed: Vec<CallKey> = self.calls.keys().filter(here).collect();
        for key in doomed {
            if !self.calls.is_live(key) {
                continue;
            }
            self.kill(key, silently, now);
        }
        self.clear_callers(component, instance);
    }

    /// Whether a frame is at an instance.
    pub(super) fn is_at(&self, key: CallKey, component: ComponentId, instance: u16) -> bool {
        let call = &self.calls[key];
        call.component == component && call.instance == instance && call.phase == Phase::Present
    }

    fn kill(&mut self, key: CallKey, silently: bool, now: Instant) {
        let left = self.stop_work(key);
        self.waste(key, left);
        self.calls[key].clear(flag::SLOT);
        if self.calls[key].is(flag::QUEUED) {
            self.ledger.waited(&self.calls[key], now);
            self.calls[key].clear(flag::QUEUED);
        }
        self.orphan_children(key, false);
        let call = &mut self.calls[key];
        if call.is(flag::BRANCH) {
            return self.drop_frame(key);
        }
        if !silently {
            let component = call.component;
            return self.reply(key, Reply::failed(Cause::Crashed, component));
        }
        call.renew();
        self.ledger.left(call, now, Some(Cause::Unreachable));
        self.lose(key);
    }

    /// A dead instance is started: it serves after its start-up time.
    pub fn start(&mut self, component: ComponentId, instance: u16) {
        let index = self.instance_index(component, instance);
        let state = &mut self.instances[index];
        if matches!(state.status, Status::Up | Status::Absent) {
            return;
        }
        // The machine is back at once; the process refuses until it is ready.
        state.status = Status::Refusing;
        self.begin_startup(component, instance);
    }

    /// The process of an instance is started.
    pub(super) fn begin_startup(&mut self, component: ComponentId, instance: u16) {
        let life = self.instances[self.instance_index(component, instance)].life;
        let facts = &self.topology.components[component.index()];
        let key = self.root.child(salt(&facts.name)).child(STARTUP);
        let key = key.child(u64::from(instance)).child(u64::from(life));
        let startup = Duration(facts.startup.sample(&mut key.draw()));
        self.schedule.after(startup, Event::Started(component, instance, life));
    }

    /// A start-up is over: whether the instance serves now (it did not die again meanwhile).
    pub fn started(&mut self, component: ComponentId, instance: u16, life: u32) -> bool {
        let now = self.now();
        let index = self.instance_index(component, instance);
        let state = &mut self.instances[index];
        if state.life != life || state.status == Status::Up {
            return false;
        }
        state.status = Status::Up;
        self.ledger.serves(component, now, 1);
        true
    }

    /// Somebody notices that an instance is down.
    pub fn noticed(&mut self, component: ComponentId, instance: u16) {
        let at = self.now();
        let state = self.instances[self.instance_index(component, instance)];
        let after = (state.status != Status::Up).then_some(at.0 - state.down_since.0);
        self.detections.push(Detection { component, instance, at, after });
    }

    /// Acknowledged writes are gone for good with an instance that died.
    pub fn lost(&mut self, component: ComponentId, instance: u16, writes: u64) {
        self.losses.push(Loss { component, instance, writes });
    }

    /// A balancer takes a backend out: notes whether it was down, and for how long.
    pub(super) fn took_out(&mut self, link: LinkId, backend: u16) {
        let plan = &self.topology.links[link.index()];
        let (component, instance) = plan.targets[backend as usize];
        self.noticed(component, instance);
    }
}
