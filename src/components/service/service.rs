//! The state of a service: who holds a worker, who waits for one, and who is next.

use std::collections::VecDeque;

use super::plan::{ServicePlan, Step};
use super::scaling::Scaling;
use super::sessions::Sessions;
use crate::components::Room;
use crate::components::call::{ByQueue, CallKey, flag};
use crate::components::context::Cx;
use crate::components::figures::Figures;
use crate::components::outcome::{Cause, Reply};
use crate::engine::schedule::Lane;
use crate::engine::slots::{Order, Slots};
use crate::engine::stream::salt;
use crate::units::Duration;

const PATIENCE: u64 = salt("queue timeout");

/// A service in one replication.
pub struct Service<'p> {
    pub(super) plan: &'p ServicePlan,
    slots: Vec<Slots>,
    /// By instance, who holds a worker; kept only where an urgent call may take it.
    holders: Vec<Vec<CallKey>>,
    /// Calls that may go on with their program now.
    pub(super) ready: VecDeque<CallKey>,
    /// By step: the lane of a constant wait.
    pub(super) lanes: Vec<Option<Lane>>,
    /// The autoscaler, if there is one.
    scaling: Option<Box<Scaling<'p>>>,
    /// Those of its users, if it keeps any.
    pub(super) sessions: Option<Sessions>,
}

impl<'p> Service<'p> {
    /// Idle workers.
    pub fn new(plan: &'p ServicePlan, cx: &mut Cx<'p>) -> Self {
        let instances = cx.topology.components[plan.id.index()].instances() as usize;
        let slots = || Slots::new(plan.workers, plan.queue.places, plan.queue.order);
        let lane = |step: &Step| match step {
            Step::Wait { law, .. } => {
                law.is_constant().and_then(|delay| cx.schedule.lane(Duration(delay)))
            }
            _ => None,
        };
        let lanes = plan.steps.iter().map(lane).collect();
        let scaling = plan.scaling.as_ref();
        let scaling = scaling.map(|scaling| Box::new(Scaling::new(plan.id, scaling, cx)));
        let sessions = plan.sessions.as_ref().map(|sessions| Sessions::new(sessions, cx));
        Self {
            plan,
            slots: (0..instances).map(|_| slots()).collect(),
            holders: vec![Vec::new(); if plan.queue.preemptive { instances } else { 0 }],
            ready: VecDeque::with_capacity(16),
            lanes,
            scaling,
            sessions,
        }
    }

    /// Goes on with a call's program at a step, and with those of who gets a worker by it.
    #[inline(always)]
    fn go(&mut self, cx: &mut Cx<'_>, call: CallKey, pc: u16) {
        self.run(cx, call, pc);
        self.drain_ready(cx);
    }

    /// The autoscaler counts the calls that come.
    #[cold]
    fn count(&mut self, cx: &Cx<'_>, call: CallKey) {
        if let Some(scaling) = &mut self.scaling {
            scaling.arrived += u64::from(!cx.calls[call].is(flag::PROBE));
        }
    }

    /// Asks for a worker; whether the call holds one now.
    #[inline(always)]
    pub(super) fn acquire(&mut self, cx: &mut Cx<'_>, call: CallKey) -> bool {
        let now = cx.now();
        let frame = &mut cx.calls[call];
        if !self.slots[frame.instance as usize].take() {
            return self.queue(cx, call);
        }
        frame.set(flag::SLOT | flag::INSIDE);
        cx.ledger.asked(frame, now, false);
        if self.plan.queue.preemptive {
            self.holders[frame.instance as usize].push(call);
        }
        true
    }

    /// All workers are busy: the call waits, is turned away, or takes the worker of another;
    /// whether it holds one now.
    #[inline(never)]
    fn queue(&mut self, cx: &mut Cx<'_>, call: CallKey) -> bool {
        let now = cx.now();
        let class = self.class(cx, call);
        if self.preempt(cx, call, class) {
            cx.ledger.asked(&cx.calls[call], now, false);
            self.hold(cx, call);
            return true;
        }
        let frame = &mut cx.calls[call];
        let slots = &mut self.slots[frame.instance as usize];
        let inside = frame.is(flag::INSIDE);
        if slots.is_full() && !inside {
            cx.ledger.turned_away(frame, now);
            let at = frame.component;
            self.end(cx, call, Reply::failed(Cause::Rejected, at));
            return false;
        }
        cx.ledger.asked(frame, now, true);
        frame.set(flag::QUEUED);
        frame.since = now;
        slots.wait::<ByQueue, _>(&mut cx.calls, call.index, class);
        if let (Some(law), false) = (&self.plan.queue.timeout, inside) {
            let patience = law.sample(&mut cx.calls[call].draw.child(PATIENCE).draw());
            cx.wake(call, Duration(patience));
        }
        false
    }

    /// How urgent a call is, where that matters.
    #[inline(always)]
    fn class(&self, cx: &Cx<'_>, call: CallKey) -> u8 {
        if self.plan.queue.order != Order::Priority {
            return 1;
        }
        cx.topology.operations[cx.calls[call].operation.index()].priority
    }

    #[inline(always)]
    fn hold(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let frame = &mut cx.calls[call];
        frame.set(flag::SLOT | flag::INSIDE);
        if self.plan.queue.preemptive {
            self.holders[frame.instance as usize].push(call);
        }
    }

    /// Takes the worker and core of the least urgent running call, if that is less urgent than
    /// `class`; it waits at the head of its class with what is left of its work.
    fn preempt(&mut self, cx: &mut Cx<'_>, call: CallKey, class: u8) -> bool {
        if !self.plan.queue.preemptive {
            return false;
        }
        let now = cx.now();
        let instance = cx.calls[call].instance as usize;
        let holders = &self.holders[instance];
        let working = |&position: &usize| cx.calls[holders[position]].is(flag::WORKING);
        let victim = (0..holders.len()).filter(working).max_by_key(|&p| self.class(cx, holders[p]));
        let Some(victim) = victim.filter(|&p| self.class(cx, holders[p]) > class) else {
            return false;
        };
        let key = self.holders[instance].remove(victim);
        let left = cx.stop_work(key);
        let victims_class = self.class(cx, key);
        let frame = &mut cx.calls[key];
        frame.job = left.0;
        frame.clear(flag::SLOT);
        frame.set(flag::QUEUED | flag::PREEMPTED);
        frame.since = now;
        cx.ledger.asked(&cx.calls[key], now, true);
        self.slots[instance].wait_first::<ByQueue, _>(&mut cx.calls, key.index, victims_class);
        true
    }

    /// Gives the call's worker back; the next in the queue is ready to go on.
    #[inline(always)]
    pub(super) fn release(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let frame = &mut cx.calls[call];
        if !frame.is(flag::SLOT) {
            return;
        }
        frame.clear(flag::SLOT);
        let instance = frame.instance as usize;
        if self.plan.queue.preemptive {
            self.holders[instance].retain(|&holder| holder != call);
        }
        if let Some(next) = self.slots[instance].leave::<ByQueue, _>(&mut cx.calls) {
            let next = cx.calls.key_at(next);
            self.admit(cx, next);
        }
    }

    /// A waiting call gets its worker.
    #[inline(always)]
    fn admit(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let now = cx.now();
        let waited = cx.ledger.waited(&cx.calls[call], now);
        let frame = &mut cx.calls[call];
        frame.waited += waited;
        frame.clear(flag::QUEUED);
        frame.renew();
        self.hold(cx, call);
        self.ready.push_back(call);
    }

    /// Ends a call or a branch here.
    #[inline(always)]
    pub(super) fn end(&mut self, cx: &mut Cx<'_>, call: CallKey, reply: Reply) {
        self.release(cx, call);
        if cx.calls[call].is(flag::BRANCH) {
            self.branch_done(cx, call, reply);
        } else {
            cx.reply(call, reply);
        }
    }

    /// Takes a call out of the accept queue for good.
    fn leave_queue(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let now = cx.now();
        let frame = &cx.calls[call];
        let class = self.class(cx, call);
        let instance = frame.instance as usize;
        cx.ledger.waited(frame, now);
        cx.calls[call].clear(flag::QUEUED);
        self.slots[instance].give_up::<ByQueue, _>(&mut cx.calls, call.index, class);
    }

    #[inline(always)]
    fn drain_ready(&mut self, cx: &mut Cx<'_>) {
        while let Some(next) = self.ready.pop_front() {
            // A branch may have gone with a parent that failed meanwhile.
            if let Some(frame) = cx.calls.get(next) {
                let pc = frame.pc;
                self.run(cx, next, pc);
            }
        }
    }
}

impl Room for Service<'_> {
    fn begin(&mut self, cx: &mut Cx<'_>) {
        if let Some(scaling) = &mut self.scaling {
            scaling.begin(cx);
        }
    }

    #[inline(always)]
    fn on_call(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let frame = &mut cx.calls[call];
        let pc = self.plan.entries[frame.operation.index()];
        frame.pc = pc;
        if self.scaling.is_some() {
            self.count(cx, call);
        }
        if self.plan.asynchronous || self.acquire(cx, call) {
            self.go(cx, call, pc);
        } else {
            self.drain_ready(cx);
        }
    }

    #[inline(always)]
    fn on_work(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let next = cx.calls[call].pc + 1;
        self.go(cx, call, next);
    }

    #[inline(always)]
    fn on_wake(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let frame = &cx.calls[call];
        let next = frame.pc + 1;
        if frame.is(flag::QUEUED) {
            self.leave_queue(cx, call);
            let at = cx.calls[call].component;
            self.end(cx, call, Reply::failed(Cause::QueueTimeout, at));
            return self.drain_ready(cx);
        }
        self.go(cx, call, next);
    }

    #[inline(always)]
    fn on_child(&mut self, cx: &mut Cx<'_>, parent: CallKey, reply: Reply) {
        if reply.failure.is_some() {
            if self.looked_in_vain(cx, parent, reply) {
                let next = cx.calls[parent].pc + 1;
                return self.go(cx, parent, next);
            }
            self.end(cx, parent, Reply { hit: false, ..reply });
            return self.drain_ready(cx);
        }
        let frame = &mut cx.calls[parent];
        frame.reply = reply;
        let next = frame.pc + 1;
        self.go(cx, parent, next);
    }

    fn on_cancel(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        if cx.calls[call].is(flag::QUEUED) {
            self.leave_queue(cx, call);
        }
        // The core is free before the worker: the next call may want it at once.
        self.release(cx, call);
        cx.cancelled(call);
        self.drain_ready(cx);
    }

    fn on_event(&mut self, cx: &mut Cx<'_>, instance: u16, word: u32) {
        let Some(scaling) = &mut self.scaling else { return };
        for gone in scaling.on_event(cx, instance, word) {
            self.on_crash(cx, gone);
        }
    }

    fn on_started(&mut self, cx: &mut Cx<'_>, instance: u16) {
        if let Some(scaling) = &mut self.scaling {
            scaling.started(cx, instance);
        }
    }

    fn on_crash(&mut self, cx: &mut Cx<'_>, instance: u16) {
        self.slots[instance as usize].clear();
        if let Some(holders) = self.holders.get_mut(instance as usize) {
            holders.clear();
        }
        if let Some(sessions) = &mut self.sessions {
            sessions.lose(instance, cx.now());
        }
    }

    fn figures(&mut self) -> Figures {
        let lost = self.sessions.iter().map(|sessions| ("lost_sessions", sessions.lost()));
        Figures { counts: lost.collect(), ..Figures::default() }
    }
}
