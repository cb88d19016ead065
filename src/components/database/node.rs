//! The state of a database node: connections, and the commit that is being flushed.

use crate::components::Room;
use crate::components::call::{Access, ByQueue, CallKey, Phase, flag};
use crate::components::context::Cx;
use crate::components::outcome::{Cause, Reply};
use crate::components::topology::ComponentId;
use crate::engine::slots::{Admission, Order, Slots};
use crate::engine::stream::{DrawKey, salt};
use crate::random::Sampler;
use crate::units::Duration;

const STATEMENT: u64 = salt("statement");
const DISK: u64 = salt("disk read");
const FLUSH: u64 = salt("flush");

/// What never changes about a database.
#[derive(Clone, Debug)]
pub struct DatabasePlan {
    /// Which component it is.
    pub id: ComponentId,
    /// Connections of one node.
    pub connections: u32,
    /// Whether a call beyond them waits (else it is refused).
    pub wait: bool,
    /// Core time of a statement that reads.
    pub query: Sampler,
    /// Core time of a statement that writes.
    pub write_query: Sampler,
    /// By data set: how many of the most popular items are in memory.
    pub in_memory: Vec<u64>,
    /// Latency of a disk read.
    pub disk_read: Sampler,
    /// Time of a log flush.
    pub flush: Sampler,
    /// Whether a flush takes everyone who waits, or one commit.
    pub group: bool,
}

/// Where a call stands, in its frame's `pc`.
mod stage {
    pub const STATEMENTS: u16 = 1;
    pub const DISK: u16 = 2;
    pub const COMMIT: u16 = 3;
}

#[derive(Default)]
struct Log {
    waiting: Vec<CallKey>,
    flushing: Vec<CallKey>,
    /// Flushes so far: their draws, and the word that tells a flush from one before a crash.
    flushes: u32,
    busy: bool,
}

/// A database in one replication.
pub struct Database<'p> {
    plan: &'p DatabasePlan,
    slots: Vec<Slots>,
    logs: Vec<Log>,
    draws: DrawKey,
}

impl<'p> Database<'p> {
    /// Idle nodes.
    pub fn new(plan: &'p DatabasePlan, cx: &mut Cx<'p>) -> Self {
        let facts = &cx.topology.components[plan.id.index()];
        let places = if plan.wait { crate::engine::slots::UNLIMITED } else { 0 };
        let slots = || Slots::new(plan.connections, places, Order::Fifo);
        Self {
            plan,
            slots: (0..facts.instances()).map(|_| slots()).collect(),
            logs: (0..facts.instances()).map(|_| Log::default()).collect(),
            draws: cx.root.child(salt(&facts.name)).child(FLUSH),
        }
    }

    fn start(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let frame = &mut cx.calls[call];
        frame.set(flag::SLOT);
        frame.pc = stage::STATEMENTS;
        if frame.is(flag::PROBE) {
            return self.end(cx, call, Reply::OK);
        }
        let write = frame.access == Access::Write;
        let law = if write { &self.plan.write_query } else { &self.plan.query };
        let statements = if write { frame.count.max(1) } else { 1 };
        let draw = frame.draw.child(STATEMENT);
        let demand: i64 =
            (0..u64::from(statements)).map(|n| law.sample(&mut draw.child(n).draw())).sum();
        cx.work(call, Duration(demand));
    }

    fn end(&mut self, cx: &mut Cx<'_>, call: CallKey, reply: Reply) {
        self.release(cx, call);
        cx.reply(call, reply);
    }

    fn release(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let frame = &mut cx.calls[call];
        if !frame.is(flag::SLOT) {
            return;
        }
        frame.clear(flag::SLOT);
        let instance = frame.instance as usize;
        if let Some(next) = self.slots[instance].leave::<ByQueue, _>(&mut cx.calls) {
            let next = cx.calls.key_at(next);
            let now = cx.now();
            let waited = cx.ledger.waited(&cx.calls[next], now);
            let frame = &mut cx.calls[next];
            frame.waited += waited;
            frame.clear(flag::QUEUED);
            self.start(cx, next);
        }
    }

    /// Whether the item that the call reads is on disk only.
    fn misses_memory(&self, cx: &Cx<'_>, call: CallKey) -> bool {
        let frame = &cx.calls[call];
        frame.data.is_some_and(|data| frame.item >= self.plan.in_memory[data.index()])
    }

    fn commit(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let frame = &mut cx.calls[call];
        frame.pc = stage::COMMIT;
        let instance = frame.instance;
        self.logs[instance as usize].waiting.push(call);
        self.flush(cx, instance);
    }

    /// Starts a flush if the log is free and someone waits.
    fn flush(&mut self, cx: &mut Cx<'_>, instance: u16) {
        let now = cx.now();
        let log = &mut self.logs[instance as usize];
        if log.busy || log.waiting.is_empty() {
            return;
        }
        let taken = if self.plan.group { log.waiting.len() } else { 1 };
        log.flushing.extend(log.waiting.drain(..taken));
        log.busy = true;
        log.flushes = log.flushes.wrapping_add(1);
        let word = log.flushes;
        let latency = self.plan.flush.sample(&mut self.draws.child(u64::from(word)).draw());
        let done = cx.device(self.plan.id, instance, Duration(latency));
        cx.later(Duration(done.0 - now.0), self.plan.id, instance, word);
    }
}

impl Room for Database<'_> {
    fn on_call(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let now = cx.now();
        let instance = cx.calls[call].instance as usize;
        match self.slots[instance].enter::<ByQueue, _>(&mut cx.calls, call.index, 1) {
            Admission::Started => {
                cx.ledger.asked(&cx.calls[call], now, false);
                self.start(cx, call);
            }
            Admission::Queued => {
                cx.ledger.asked(&cx.calls[call], now, true);
                let frame = &mut cx.calls[call];
                frame.set(flag::QUEUED);
                frame.since = now;
            }
            Admission::Full => {
                cx.ledger.turned_away(&cx.calls[call], now);
                cx.fail(call, Cause::Refused);
            }
        }
    }

    fn on_work(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        if cx.calls[call].access == Access::Write {
            return self.commit(cx, call);
        }
        if !self.misses_memory(cx, call) {
            return self.end(cx, call, Reply::OK);
        }
        let frame = &mut cx.calls[call];
        frame.pc = stage::DISK;
        let latency = self.plan.disk_read.sample(&mut frame.draw.child(DISK).draw());
        cx.disk(call, Duration(latency));
    }

    fn on_wake(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        self.end(cx, call, Reply::OK);
    }

    fn on_cancel(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let frame = &cx.calls[call];
        let instance = frame.instance as usize;
        if frame.is(flag::QUEUED) {
            let now = cx.now();
            cx.ledger.waited(&cx.calls[call], now);
            cx.calls[call].clear(flag::QUEUED);
            self.slots[instance].give_up::<ByQueue, _>(&mut cx.calls, call.index, 1);
        } else if frame.pc == stage::COMMIT {
            // What is on its way to the log cannot be taken back: it commits, for nobody.
            return cx.calls[call].clear(flag::CANCELLED);
        }
        self.release(cx, call);
        cx.cancelled(call);
    }

    /// The flush number `word` is on disk.
    fn on_event(&mut self, cx: &mut Cx<'_>, instance: u16, word: u32) {
        let log = &mut self.logs[instance as usize];
        if !log.busy || log.flushes != word {
            return;
        }
        log.busy = false;
        let mut done = std::mem::take(&mut log.flushing);
        for call in done.drain(..) {
            if cx.calls.get(call).is_some_and(|frame| frame.phase == Phase::Present) {
                self.end(cx, call, Reply::OK);
            }
        }
        self.logs[instance as usize].flushing = done;
        self.flush(cx, instance);
    }

    fn on_crash(&mut self, _cx: &mut Cx<'_>, instance: u16) {
        self.slots[instance as usize].clear();
        let log = &mut self.logs[instance as usize];
        log.waiting.clear();
        log.flushing.clear();
        log.busy = false;
        log.flushes = log.flushes.wrapping_add(1);
    }
}
