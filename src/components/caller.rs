//! The caller's side of a call: pool, choice of a backend, network, timeout, repeats.
//!
//! The state belongs to one calling instance and one link, as in a real client. Nothing here knows
//! what the callee does with a call.

use super::Probed;
use super::call::{Access, ByQueue, ByTimer, Call, CallKey, Phase, flag, through_nic};
use super::context::{Cx, Route};
use super::directory::told;
use super::event::Event;
use super::outcome::{Cause, Failure, Reply};
use super::record::Note;
use super::topology::{Chooser, ComponentId, DataId, LinkId, LinkPlan, OperationId};
use crate::engine::list::{Link, List};
use crate::engine::slots::Admission;
use crate::engine::stream::{DrawKey, salt};
use crate::engine::timers::TimerList;
use crate::policy::balance::Choice;
use crate::policy::retry::RetryPlan;
use crate::units::{Duration, Instant};

const REPEAT: u64 = salt("repeat");
const BACKOFF: u64 = salt("backoff");

/// The salt of a call that passes its caller's draws on unchanged (a balancer in between leaves
/// every other draw alone).
pub const PASS_ON: u64 = 0;

/// What a caller asks for.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// Where to.
    pub link: LinkId,
    /// Which operation, as the callee names it.
    pub operation: OperationId,
    /// What it wants of a component with data.
    pub access: Access,
    /// Of which data set.
    pub data: Option<DataId>,
    /// Which item.
    pub item: u64,
    /// Statements of a write.
    pub count: u16,
    /// Version of the item that it brings along; 0 for none.
    pub version: u32,
    /// Tells this call's draws from those of the caller's other calls; [`PASS_ON`] for the same.
    pub salt: u64,
    /// [`flag::OPTIONAL`], [`flag::PROBE`] or nothing.
    pub flags: u16,
}

/// What a returned attempt means to its caller.
#[derive(Clone, Copy, Debug)]
pub enum Resolution {
    /// Nothing (yet): nobody waits, or it is tried again.
    Nothing,
    /// The call is resolved.
    Child {
        /// Who waited.
        parent: CallKey,
        /// The answer.
        reply: Reply,
        /// How many attempts it took.
        attempts: u8,
    },
    /// A health probe came back, or did not.
    Probe {
        /// The link it took.
        link: LinkId,
        /// The probing instance.
        instance: u16,
        /// The backend probed.
        backend: u16,
        /// Whether it was answered in time.
        ok: bool,
    },
}

impl Cx<'_> {
    /// Makes a call on behalf of the frame `parent`.
    #[inline(always)]
    pub fn call(&mut self, parent: CallKey, ask: Ask) {
        let now = self.now();
        let key = self.calls.allocate();
        let from = &mut self.calls[parent];
        let (request, user, draw) = (from.request, from.user, from.draw);
        let caller_instance = from.instance;
        let wasted = from.flags & flag::WASTED;
        let lone = from.children.is_empty();
        if lone {
            from.children = List::of_one(key.index);
        }
        let state = self.first_state[ask.link.index()] + u32::from(caller_instance);
        if self.ledger.measure.covers(now) {
            self.ledger.link(ask.link).first_tries += 1;
        }
        let call = &mut self.calls[key];
        call.request = request;
        call.draw = if ask.salt == PASS_ON { draw } else { draw.child(ask.salt) };
        call.parent = parent;
        call.flags = ask.flags | wasted | flag::CHILD;
        call.attempt = 0;
        call.access = ask.access;
        call.caller_instance = caller_instance;
        call.state = state;
        call.link = ask.link;
        call.operation = ask.operation;
        call.data = ask.data;
        call.count = ask.count;
        call.user = user;
        call.item = ask.item;
        if ask.access != Access::Call {
            call.version = ask.version;
            if let Some(data) = ask.data {
                let dense = self.topology.data[data.index()].first + ask.item;
                call.expected = self.versions.known(dense, now);
            }
        }
        call.children = List::default();
        call.sibling_link = Link::default();
        if !lone {
            self.adopt(parent, key);
        }
        self.attempt(key, state as usize);
    }

    /// Sends a health probe to one backend of a link; `flags` say of which sort.
    pub fn probe(&mut self, at: Probed, timeout: TimerList, draw: DrawKey, flags: u16) {
        let key = self.calls.allocate();
        let now = self.now();
        let operation = self.topology.probe();
        let state = self.state_index(at.link, at.instance);
        let call = &mut self.calls[key];
        call.request = draw;
        call.draw = draw;
        call.parent = CallKey::NONE;
        call.flags = flags;
        call.attempt = 0;
        call.access = Access::Call;
        call.caller_instance = at.instance;
        call.state = state as u32;
        call.link = at.link;
        call.backend = at.backend;
        call.operation = operation;
        call.data = None;
        call.user = 0;
        call.sent = now;
        call.children = List::default();
        self.arm(timeout, key);
        let route = self.states[state].routes[at.backend as usize];
        self.transmit(key, state, route);
    }

    /// The list of timeouts of one constant delay.
    pub fn timer_list(&mut self, delay: Duration) -> TimerList {
        self.timers.list(delay)
    }

    #[inline]
    fn arm(&mut self, list: TimerList, key: CallKey) {
        let now = self.now();
        let call = &mut self.calls[key];
        call.set(flag::TIMED);
        call.timer = list;
        if let Some(at) = self.timers.arm::<ByTimer, _>(&mut self.calls, list, key.index, now) {
            self.schedule.at(at, Event::Timers(list));
        }
    }

    #[inline]
    pub(super) fn disarm(&mut self, key: CallKey) {
        let call = &mut self.calls[key];
        if call.is(flag::TIMED) {
            call.clear(flag::TIMED);
            let list = call.timer;
            self.timers.disarm::<ByTimer, _>(&mut self.calls, list, key.index);
        }
    }

    /// Starts an attempt: through the pool if there is one, then onto the network.
    #[inline(always)]
    fn attempt(&mut self, key: CallKey, state: usize) {
        if self.states[state].pool.is_some() {
            self.attempt_pooled(key, state);
        } else {
            self.send(key, state);
        }
    }

    /// Starts an attempt after the first.
    pub(super) fn attempt_again(&mut self, key: CallKey) {
        let now = self.now();
        let call = &self.calls[key];
        let state = call.state as usize;
        if self.ledger.measure.covers(now) {
            self.ledger.link(call.link).repeats += 1;
        }
        self.attempt(key, state);
    }

    fn attempt_pooled(&mut self, key: CallKey, state: usize) {
        let now = self.now();
        let Some(pool) = &mut self.states[state].pool else { return };
        let call = &mut self.calls[key];
        let link = call.link;
        call.since = now;
        call.sent = now;
        match pool.enter::<ByQueue, _>(&mut self.calls, key.index, 1) {
            Admission::Started => self.send(key, state),
            Admission::Queued => {
                self.calls[key].phase = Phase::PoolWait;
                if let Some(list) = self.pool_waits[link.index()] {
                    self.arm(list, key);
                }
            }
            Admission::Full => {
                let at = self.topology.links[link.index()].caller;
                let waiting_for = Some(self.topology.links[link.index()].target());
                let failure = Some(Failure { cause: Cause::PoolWait, at, waiting_for });
                let call = &mut self.calls[key];
                call.phase = Phase::Inbound;
                call.reply = Reply { failure, ..Reply::OK };
                self.schedule.ready(Event::Reply(key));
            }
        }
    }

    /// Chooses the backend and puts the attempt onto the network; its timeout runs from here.
    #[inline(always)]
    fn send(&mut self, key: CallKey, state: usize) {
        let now = self.now();
        let state_of = &mut self.states[state];
        let call = &mut self.calls[key];
        call.sent = now;
        call.flags |= state_of.holds;
        call.backend = match &mut state_of.balancer {
            None => 0,
            Some(balancer) => {
                let plan = &self.topology.links[call.link.index()];
                let other = |retries: &RetryPlan| retries.other_instance;
                let again = call.attempt > 0;
                let choice = Choice {
                    draw: call.draw,
                    user: call.user,
                    item: call.item,
                    set: call.data.map_or(0, |data| data.index() as u64),
                    avoid: (again && plan.policy.retries.as_ref().is_some_and(other))
                        .then_some(call.backend),
                };
                let backend = match plan.chooser {
                    Chooser::Balancer => balancer.pick(&plan.balance, choice),
                    _ => {
                        let Self { topology, directories, resolvers, .. } = self;
                        let told = told(call, plan, topology, (directories, resolvers), now);
                        told.unwrap_or_else(|| balancer.pick(&plan.balance, choice))
                    }
                };
                if state_of.counts {
                    balancer.opened(backend);
                }
                backend
            }
        };
        let route = state_of.routes[call.backend as usize];
        if let Some(list) = state_of.timeout {
            self.arm(list, key);
        }
        self.transmit(key, state, route);
    }

    /// Sends the frame to a backend: half of the round trip now, half with the answer.
    #[inline(always)]
    fn transmit(&mut self, key: CallKey, state: usize, route: Route) {
        if self.record.is_on() {
            self.note_call(key, route.component, route.instance);
        }
        let call = &mut self.calls[key];
        call.component = route.component;
        call.instance = route.instance;
        call.place = route.place;
        call.row = route.row + call.operation.index() as u32;
        call.hop = route.hop;
        call.phase = Phase::Outbound;
        if route.at_once {
            call.back = 0;
            return self.schedule.ready(Event::Arrive(key));
        }
        let fresh = self.states[state].discarded > 0 && self.topology.network.connect > 0;
        let way = &self.hops[route.hop as usize];
        if let (Some((there, back)), false) = (way.constant, fresh) {
            call.back = if route.nic { through_nic(back) } else { back };
            return match way.there {
                Some(lane) => self.schedule.in_lane(lane, Event::Arrive(key)),
                None => self.schedule.after(Duration(there), Event::Arrive(key)),
            };
        }
        let trip = way.trip(call.draw.child(way.salt));
        let mut there = trip / 2;
        call.back = if route.nic { through_nic(trip - there) } else { trip - there };
        if fresh {
            self.states[state].discarded -= 1;
            there += trip * i64::from(self.topology.network.connect);
        }
        self.schedule.after(Duration(there), Event::Arrive(key));
    }

    #[cold]
    fn note_call(&mut self, key: CallKey, component: ComponentId, instance: u16) {
        let at = self.now();
        let call = &self.calls[key];
        let (request, draw, link) = (call.request, call.draw, call.link);
        let (data, item) = (call.data, call.item);
        let note = Note::Called { request, draw, link, component, instance, at, data, item };
        self.record.note(note);
    }

    /// A reply has reached the caller.
    #[inline(always)]
    pub fn resolve(&mut self, key: CallKey) -> Resolution {
        let Some(call) = self.calls.get_mut(key) else { return Resolution::Nothing };
        let (reply, flags, parent) = (call.reply, call.flags, call.parent);
        if flags & (flag::TIMED | flag::HELD) != 0 {
            self.disarm(key);
            if flags & flag::HELD != 0 {
                self.release(key, Some(reply.is_ok()));
            }
        }
        if parent.is_none() {
            return self.unwaited(key, reply);
        }
        if reply.failure.is_some() && self.repeats(key, reply) {
            return Resolution::Nothing;
        }
        self.finish(key, reply)
    }

    /// The reply to a call that no frame waits for: a probe's, or one whose caller has gone.
    #[cold]
    fn unwaited(&mut self, key: CallKey, reply: Reply) -> Resolution {
        if self.calls[key].is(flag::PROBE) {
            return self.probe_result(key, reply.is_ok());
        }
        self.calls.free(key);
        Resolution::Nothing
    }

    /// Whether a call that came back failed is tried again.
    #[cold]
    fn repeats(&mut self, key: CallKey, reply: Reply) -> bool {
        let Some(failure) = reply.failure else { return false };
        let (now, call) = (self.now(), &self.calls[key]);
        let measured = self.ledger.measure.covers(now);
        // What failed behind the callee, or because the callee gave up waiting for somebody,
        // reaches the caller as an error answer.
        let by_callee = failure.at == call.component;
        let by_caller = failure.at == self.topology.links[call.link.index()].caller;
        let own = by_caller || by_callee && failure.waiting_for.is_none();
        if by_callee && failure.cause == Cause::Crashed {
            // The connection was reset: the next call opens a new one.
            self.states[call.state as usize].discarded += 1;
        }
        let seen = if own { failure.cause } else { Cause::Error };
        self.ledger.link(call.link).failed += u64::from(measured);
        self.back_off(key, seen)
    }

    #[inline(always)]
    fn finish(&mut self, key: CallKey, mut reply: Reply) -> Resolution {
        let call = &self.calls[key];
        let (parent, attempts) = (call.parent, call.attempt + 1);
        if call.is(flag::OPTIONAL) {
            reply.lost = reply.failure.take().is_some();
        }
        self.unlink(key);
        self.calls.free(key);
        Resolution::Child { parent, reply, attempts }
    }

    fn probe_result(&mut self, key: CallKey, ok: bool) -> Resolution {
        let call = &self.calls[key];
        let (link, instance, backend) = (call.link, call.caller_instance, call.backend);
        self.calls.free(key);
        Resolution::Probe { link, instance, backend, ok }
    }

    /// Turns the frame into the next attempt, after a pause, if the policy repeats this failure.
    fn back_off(&mut self, key: CallKey, cause: Cause) -> bool {
        let call = &self.calls[key];
        let plan: &LinkPlan = &self.topology.links[call.link.index()];
        let Some(retries) = &plan.policy.retries else { return false };
        if !retries.repeats(call.attempt, cause as u32) {
            return false;
        }
        let pause = retries.pause(call.attempt + 1, call.draw.child(BACKOFF));
        let call = &mut self.calls[key];
        call.attempt += 1;
        call.draw = call.draw.child(REPEAT);
        call.phase = Phase::Backoff;
        let token = call.renew();
        self.schedule.after(pause, Event::Wake(key, token));
        true
    }

    /// Gives back what the attempt holds at its caller: the balancer's connection, the pool place.
    #[inline(always)]
    pub(super) fn release(&mut self, key: CallKey, ok: Option<bool>) {
        let now = self.now();
        let call = &mut self.calls[key];
        call.clear(flag::HELD);
        let (link, caller_instance, backend) = (call.link, call.caller_instance, call.backend);
        let elapsed = now.0 - call.sent.0;
        let index = call.state as usize;
        let state = &mut self.states[index];
        if let (Some(balancer), true) = (&mut state.balancer, state.counts) {
            balancer.closed(backend, elapsed);
            if let Some(ok) = ok
                && !state.seen.is_empty()
            {
                self.observe(index, link, caller_instance, backend, ok);
            }
        }
        if self.states[index].pool.is_some() {
            self.leave_place(index, link, Instant(now.0 - elapsed));
        }
    }

    /// Passive health: a real call has come back.
    #[inline(never)]
    fn observe(&mut self, index: usize, link: LinkId, instance: u16, backend: u16, ok: bool) {
        let now = self.now();
        let Some(ejection) = &self.topology.links[link.index()].ejection else { return };
        let state = &mut self.states[index];
        let Some(balancer) = &mut state.balancer else { return };
        if !state.seen[backend as usize].observed(ejection, ok) {
            return;
        }
        let until = Instant(now.0 + ejection.out.0);
        if balancer.eject(backend, until, ejection.at_most, now) {
            self.schedule.after(ejection.out, Event::Readmit(link, instance, backend));
            self.took_out(link, backend);
        }
    }

    /// A place in the pool, held since an instant, is free: the next call that waits is sent.
    #[inline(never)]
    fn leave_place(&mut self, index: usize, link: LinkId, since: Instant) {
        let now = self.now();
        let measure = self.ledger.measure;
        let held = measure.clip(now) - measure.clip(since);
        self.ledger.link(link).pool_held_ns += i128::from(held);
        let Some(pool) = &mut self.states[index].pool else { return };
        let Some(next) = pool.leave::<ByQueue, _>(&mut self.calls) else { return };
        let next = self.calls.key_at(next);
        self.disarm(next);
        let waited = now.0 - self.calls[next].since.0;
        if self.ledger.measure.covers(now) {
            let ledger = self.ledger.link(link);
            ledger.pool_waits += 1;
            ledger.pool_wait_ns += i128::from(waited);
        }
        self.send(next, index);
    }

    /// Takes the next frame whose timeout is due out of a list.
    pub fn next_due(&mut self, list: TimerList) -> Option<CallKey> {
        let now = self.now();
        let index = self.timers.pop_due::<ByTimer, _>(&mut self.calls, list, now)?;
        Some(self.calls.key_at(index))
    }

    /// After the due ones are out: sets the list's sentinel again.
    pub fn rearm(&mut self, list: TimerList) {
        if let Some(at) = self.timers.rearm::<ByTimer, _>(&self.calls, list) {
            self.schedule.at(at, Event::Timers(list));
        }
    }

    /// The caller stops waiting for an attempt: for its answer, or for a place in the pool.
    pub fn timed_out(&mut self, key: CallKey) -> Resolution {
        let now = self.now();
        let call = &mut self.calls[key];
        call.clear(flag::TIMED);
        let phase = call.phase;
        let link = call.link;
        let plan = &self.topology.links[link.index()];
        let cause = match phase {
            Phase::PoolWait => Cause::PoolWait,
            Phase::Lost => Cause::Unreachable,
            _ => Cause::Timeout,
        };
        if phase == Phase::PoolWait {
            self.leave_pool(key);
        }
        if self.calls[key].is(flag::HELD) {
            self.release(key, Some(false));
        }
        let call = &self.calls[key];
        let waiting_for = match phase {
            Phase::PoolWait => plan.target(),
            _ => call.component,
        };
        if phase != Phase::PoolWait {
            let index = call.state as usize;
            self.states[index].discarded += 1;
        }
        let measured = self.ledger.measure.covers(now);
        self.ledger.link(link).failed += u64::from(measured);
        let failure = Failure { cause, at: plan.caller, waiting_for: Some(waiting_for) };
        let reply = Reply { failure: Some(failure), ..Reply::OK };
        if matches!(phase, Phase::PoolWait | Phase::Lost) {
            return self.settle(key, reply, cause);
        }
        // The callee keeps this frame and works on for nobody; the caller goes on with another.
        if self.calls[key].is(flag::PROBE) {
            let call = &self.calls[key];
            let (instance, backend) = (call.caller_instance, call.backend);
            // A late answer counts for nothing: the probe has failed already.
            self.calls[key].clear(flag::PROBE);
            self.abandon(key, plan.policy.cancel);
            return Resolution::Probe { link, instance, backend, ok: false };
        }
        if self.calls[key].parent.is_none() {
            return Resolution::Nothing;
        }
        let twin = self.twin(key);
        self.unlink(key);
        self.abandon(key, plan.policy.cancel);
        self.settle(twin, reply, cause)
    }

    fn settle(&mut self, key: CallKey, reply: Reply, cause: Cause) -> Resolution {
        if self.calls[key].is(flag::PROBE) {
            return self.probe_result(key, false);
        }
        if self.calls[key].parent.is_none() {
            self.calls.free(key);
            return Resolution::Nothing;
        }
        if self.back_off(key, cause) { Resolution::Nothing } else { self.finish(key, reply) }
    }

    /// A second frame with the caller's half of the first.
    fn twin(&mut self, key: CallKey) -> CallKey {
        let twin = self.calls.allocate();
        let from = &self.calls[key];
        let copy = Call {
            request: from.request,
            draw: from.draw,
            parent: from.parent,
            flags: from.flags & (flag::OPTIONAL | flag::WASTED | flag::INNER) | flag::CHILD,
            attempt: from.attempt,
            access: from.access,
            caller_instance: from.caller_instance,
            state: from.state,
            link: from.link,
            backend: from.backend,
            operation: from.operation,
            data: from.data,
            count: from.count,
            user: from.user,
            item: from.item,
            version: from.version,
            expected: from.expected,
            phase: Phase::Backoff,
            token: self.calls[twin].token.wrapping_add(1),
            ..Call::default()
        };
        let parent = copy.parent;
        self.calls[twin] = copy;
        self.adopt(parent, twin);
        twin
    }

    pub(super) fn leave_pool(&mut self, key: CallKey) {
        let call = &self.calls[key];
        let index = self.state_index(call.link, call.caller_instance);
        if let Some(pool) = &mut self.states[index].pool {
            pool.give_up::<ByQueue, _>(&mut self.calls, key.index, 1);
        }
    }
}
