//! The state of a database: on each node connections, statements, rows and commits; among them the
//! copies of the items.

use super::cluster::{Clock, Cluster};
use super::commit::{Flushes, Rows};
use super::leaderless::{Leaderless, Next};
use super::mesh::Mesh;
use super::plan::{Copies, DatabasePlan};
use crate::components::call::{Access, ByQueue, Call, CallKey, Phase, flag};
use crate::components::context::Cx;
use crate::components::figures::{Figures, Ratio};
use crate::components::outcome::{Cause, Reply};
use crate::components::{Role, Room};
use crate::engine::pages::Pages;
use crate::engine::slots::{Admission, Order, Slots, UNLIMITED};
use crate::engine::stream::{DrawKey, salt};
use crate::metrics::{CountSeries, Gauge, Windows};
use crate::units::Duration;

const STATEMENT: u64 = salt("statement");
const DISK: u64 = salt("disk read");
const LOCK: u64 = salt("row lock");
const FLUSH: u64 = salt("flush");
const SHARE: u64 = salt("share of an operation");

/// Where a call stands, in its frame's `pc`.
mod stage {
    /// It waits for a row that another one writes.
    pub const ROW: u16 = 1;
    /// Its statements run.
    pub const STATEMENTS: u16 = 2;
    /// It reads from disk.
    pub const DISK: u16 = 3;
    /// It holds its row beyond its statements.
    pub const HOLD: u16 = 4;
    /// Its coordinator waits for enough nodes.
    pub const QUORUM: u16 = 6;
    /// It is on its way into the log, and from there to whom it waits for.
    pub const COMMIT: u16 = 5;
}

/// One node.
struct Node {
    slots: Slots,
    flushes: Flushes,
    rows: Rows,
}

/// A database in one replication.
pub struct Database<'p> {
    plan: &'p DatabasePlan,
    nodes: Vec<Node>,
    copies: State<'p>,
    draws: DrawKey,
    /// Shares of operations so far, for their draws.
    shares: u64,
    /// Connections held, by part.
    held: Vec<Gauge>,
    reads: CountSeries,
    stale: CountSeries,
    lost: CountSeries,
}

/// The copies of the items.
enum State<'p> {
    /// By item the version on the only node.
    One(Pages<u32>),
    /// A primary and its replicas.
    Led(Box<Cluster<'p>>),
    /// Several primaries.
    Mesh(Box<Mesh<'p>>),
    /// Nodes that are all alike.
    Leaderless(Box<Leaderless<'p>>),
}

impl<'p> Database<'p> {
    /// Idle nodes that all have everything.
    pub fn new(plan: &'p DatabasePlan, cx: &mut Cx<'p>) -> Self {
        let facts = &cx.topology.components[plan.id.index()];
        let places = if plan.wait { UNLIMITED } else { 0 };
        let node = || Node {
            slots: Slots::new(plan.connections, places, Order::Fifo),
            flushes: Flushes::default(),
            rows: Rows::default(),
        };
        let draws = cx.root.child(salt(&facts.name)).child(FLUSH);
        let measure = cx.ledger.measure;
        let windows = Windows::covering(0, measure.end.0, measure.window_ns);
        let series = || CountSeries::new(windows);
        let copies = match &plan.copies {
            Copies::One => State::One(Pages::new(cx.topology.items())),
            Copies::Led(led) => State::Led(Box::new(Cluster::new(plan.id, led, plan.nodes, cx))),
            Copies::Mesh(primaries, replication) => {
                let nodes = (*primaries, plan.nodes);
                State::Mesh(Box::new(Mesh::new(plan.id, replication, nodes, cx)))
            }
            Copies::Leaderless(quorum) => {
                let items = cx.topology.items();
                State::Leaderless(Box::new(Leaderless::new(plan.id, quorum, plan.nodes, items)))
            }
        };
        Self {
            plan,
            nodes: (0..plan.nodes).map(|_| node()).collect(),
            copies,
            draws,
            shares: 0,
            held: vec![Gauge::new(measure.gauge(), 0); 2],
            reads: series(),
            stale: series(),
            lost: series(),
        }
    }

    /// A call has a connection: a writer needs its row next.
    fn start(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let part = self.part_of(cx.calls[call].instance);
        self.held[part].change(cx.now().0, 1);
        let frame = &mut cx.calls[call];
        frame.set(flag::SLOT);
        let instance = frame.instance as usize;
        if frame.is(flag::PROBE) {
            frame.pc = stage::STATEMENTS;
            return self.end(cx, call, Reply::OK);
        }
        if let State::Leaderless(nodes) = &mut self.copies {
            frame.pc = stage::QUORUM;
            let row = row(cx, call).unwrap_or(cx.topology.items());
            return nodes.ask(cx, call, row);
        }
        if frame.access != Access::Write {
            return self.execute(cx, call);
        }
        frame.pc = stage::ROW;
        let row = row(cx, call);
        let free = row.is_none_or(|row| self.nodes[instance].rows.take(&mut cx.calls, row, call));
        if free {
            self.execute(cx, call);
        }
    }

    /// Runs the statements of a call.
    fn execute(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let frame = &mut cx.calls[call];
        frame.pc = stage::STATEMENTS;
        let draw = frame.draw.child(STATEMENT);
        let write = frame.access == Access::Write;
        let law = if write { &self.plan.write_query } else { &self.plan.query };
        let statements = if write { u64::from(frame.count.max(1)) } else { 1 };
        let demand: i64 = (0..statements).map(|n| law.sample(&mut draw.child(n).draw())).sum();
        if frame.access == Access::Read {
            let seen = self.version(cx, call);
            cx.calls[call].version = seen;
        }
        cx.work(call, Duration(demand));
    }

    /// The version of its item that a reader sees where it is.
    fn version(&self, cx: &Cx<'_>, call: CallKey) -> u32 {
        let Call { data, item, instance, .. } = cx.calls[call];
        let Some(data) = data else { return 0 };
        let dense = cx.dense(data, item);
        match &self.copies {
            State::One(versions) => versions.get(dense),
            State::Led(cluster) => cluster.version_at(instance, dense),
            State::Mesh(mesh) => mesh.version_at(instance, dense),
            State::Leaderless(_) => 0,
        }
    }

    /// A read has its answer.
    fn read(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let frame = &cx.calls[call];
        if frame.access != Access::Read || frame.data.is_none() {
            return self.end(cx, call, Reply::OK);
        }
        let now = cx.now();
        let version = match frame.data {
            Some(data) => cx.fetched(cx.dense(data, frame.item), frame.version),
            None => frame.version,
        };
        let stale = cx.read_served(call, version);
        self.reads.add(now.0, 1);
        self.stale.add(now.0, u64::from(stale));
        self.end(cx, call, Reply { version, ..Reply::OK });
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
        let instance = frame.instance;
        let part = self.part_of(instance);
        self.held[part].change(cx.now().0, -1);
        let node = &mut self.nodes[instance as usize];
        if let Some(next) = node.slots.leave::<ByQueue, _>(&mut cx.calls) {
            let next = cx.calls.key_at(next);
            let now = cx.now();
            let waited = cx.ledger.waited(&cx.calls[next], now);
            let frame = &mut cx.calls[next];
            frame.waited += waited;
            frame.clear(flag::QUEUED);
            self.start(cx, next);
        }
    }

    /// A writer lets go of its row: the next one may write it.
    fn let_go(&mut self, cx: &mut Cx<'_>, instance: u16, row: Option<u64>) {
        let Some(row) = row else { return };
        let node = &mut self.nodes[instance as usize];
        if let Some(next) = node.rows.give(&mut cx.calls, row) {
            self.execute(cx, next);
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
        self.nodes[instance as usize].flushes.join(call);
        self.flush(cx, instance);
    }

    /// Starts a flush if the log is free and someone waits.
    fn flush(&mut self, cx: &mut Cx<'_>, instance: u16) {
        let now = cx.now();
        let flushes = &mut self.nodes[instance as usize].flushes;
        let Some(number) = flushes.start(self.plan.group) else { return };
        let draw = self.draws.child(u64::from(instance)).child(u64::from(number));
        let latency = self.plan.flush.sample(&mut draw.draw());
        let done = cx.device(self.plan.id, instance, Duration(latency));
        let word = Clock::Flush.word(number);
        cx.later(Duration(done.0 - now.0), self.plan.id, instance, word);
    }

    /// A flush is on disk: its writes are committed.
    fn flushed(&mut self, cx: &mut Cx<'_>, instance: u16, number: u32) {
        let Some(done) = self.nodes[instance as usize].flushes.end(number) else { return };
        for &call in &done {
            if cx.calls.get(call).is_some_and(|frame| frame.phase == Phase::Present) {
                self.committed(cx, call);
            }
        }
        self.nodes[instance as usize].flushes.keep(done);
        self.flush(cx, instance);
    }

    fn committed(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        if let State::Leaderless(nodes) = &mut self.copies {
            nodes.worked(cx, cx.calls[call].item);
            return cx.end_background(call);
        }
        let version = cx.write_committed(call);
        let dense = row(cx, call);
        let frame = &mut cx.calls[call];
        frame.version = version;
        let instance = frame.instance;
        match &mut self.copies {
            State::One(versions) => {
                if let Some(dense) = dense {
                    let held = versions.get_mut(dense);
                    *held = version.max(*held);
                }
                self.let_go(cx, instance, dense);
                cx.write_acknowledged(call, version);
                self.end(cx, call, Reply { version, ..Reply::OK });
            }
            State::Led(cluster) => {
                let nothing = cx.topology.items();
                cluster.commit(cx, call, dense.unwrap_or(nothing), version);
                self.let_go(cx, instance, dense);
                self.tell(cx);
            }
            State::Mesh(mesh) => {
                mesh.commit(cx, instance, dense.unwrap_or(cx.topology.items()), version);
                self.let_go(cx, instance, dense);
                if !cx.calls[call].is(flag::WASTED) {
                    cx.write_acknowledged(call, version);
                }
                self.end(cx, call, Reply { version, ..Reply::OK });
            }
            State::Leaderless(_) => unreachable!("its commits are shares of an operation"),
        }
    }

    /// Answers the writers whose commits have become safe.
    fn tell(&mut self, cx: &mut Cx<'_>) {
        let State::Led(cluster) = &mut self.copies else { return };
        let mut safe = std::mem::take(&mut cluster.safe);
        for (call, position) in safe.drain(..) {
            let Some(frame) = cx.calls.get(call).filter(|one| one.phase == Phase::Present) else {
                continue;
            };
            let (version, user, heard) = (frame.version, frame.user, !frame.is(flag::WASTED));
            if let State::Led(cluster) = &mut self.copies
                && heard
            {
                cluster.acknowledge(cx, position, user);
                cx.write_acknowledged(call, version);
            }
            self.end(cx, call, Reply { version, ..Reply::OK });
        }
        if let State::Led(cluster) = &mut self.copies {
            // What was answered may have made others safe meanwhile: they come with the next event.
            safe.append(&mut cluster.safe);
            cluster.safe = safe;
            self.lost.add(cx.now().0, std::mem::take(&mut cluster.lost));
        }
    }
}

impl Database<'_> {
    /// Counts anew who holds connections: a node has changed its part, or died with them.
    fn recount(&mut self, cx: &Cx<'_>) {
        let mut held = [0; 2];
        for (node, state) in self.nodes.iter().enumerate() {
            held[self.part_of(node as u16)] += i64::from(state.slots.busy());
        }
        for (gauge, held) in self.held.iter_mut().zip(held) {
            gauge.set(cx.now().0, held);
        }
    }

    /// A message between nodes that are all alike arrives.
    fn message(&mut self, cx: &mut Cx<'_>, place: u32) {
        let State::Leaderless(nodes) = &mut self.copies else { return };
        match nodes.arrived(cx, place) {
            Next::Nothing => {}
            Next::Work(node, access, share) => self.share(cx, node, access, share),
            Next::Done(call, version) => {
                let frame = &cx.calls[call];
                if frame.access != Access::Write {
                    return self.read(cx, call);
                }
                if !frame.is(flag::WASTED) {
                    cx.write_acknowledged(call, version);
                }
                self.end(cx, call, Reply { version, ..Reply::OK });
            }
        }
    }

    /// A node does its share of an operation: statements first.
    fn share(&mut self, cx: &mut Cx<'_>, node: u16, access: Access, share: u64) {
        let write = access == Access::Write;
        let law = if write { &self.plan.write_query } else { &self.plan.query };
        let job = cx.background(self.plan.id, node, Access::Apply);
        self.shares += 1;
        let draw = self.draws.child(SHARE).child(self.shares);
        let frame = &mut cx.calls[job];
        (frame.item, frame.draw) = (share, draw);
        frame.pc = if write { stage::STATEMENTS } else { stage::DISK };
        let demand = law.sample(&mut draw.child(STATEMENT).draw());
        cx.work(job, Duration(demand));
    }

    /// The work of a share is done: a write is flushed, a read may have to go to the disk.
    fn share_worked(&mut self, cx: &mut Cx<'_>, job: CallKey) {
        if cx.calls[job].pc == stage::STATEMENTS {
            return self.commit(cx, job);
        }
        let State::Leaderless(nodes) = &mut self.copies else { return };
        let share = cx.calls[job].item;
        let asked = cx.calls.get(nodes.call_of(share));
        let on_disk = asked
            .and_then(|call| call.data.map(|data| call.item >= self.plan.in_memory[data.index()]));
        if on_disk != Some(true) {
            nodes.worked(cx, share);
            return cx.end_background(job);
        }
        let latency = self.plan.disk_read.sample(&mut cx.calls[job].draw.child(DISK).draw());
        cx.disk(job, Duration(latency));
    }
}

/// The row that a writer needs.
fn row(cx: &Cx<'_>, call: CallKey) -> Option<u64> {
    let Call { data, item, .. } = cx.calls[call];
    data.map(|data| cx.dense(data, item))
}

impl Room for Database<'_> {
    fn begin(&mut self, cx: &mut Cx<'_>) {
        match &mut self.copies {
            State::Led(cluster) => cluster.begin(cx),
            State::Mesh(mesh) => mesh.steer(cx),
            State::One(_) | State::Leaderless(_) => {}
        }
    }

    fn on_call(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let now = cx.now();
        let node = &mut self.nodes[cx.calls[call].instance as usize];
        match node.slots.enter::<ByQueue, _>(&mut cx.calls, call.index, 1) {
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
        match cx.calls[call].access {
            Access::Apply => match &mut self.copies {
                State::Led(cluster) => {
                    cluster.applied(cx, call);
                    self.tell(cx);
                }
                State::Mesh(mesh) => mesh.applied(cx, call),
                State::One(_) | State::Leaderless(_) => self.share_worked(cx, call),
            },
            Access::Write => match &self.plan.lock {
                Some(law) => {
                    let frame = &mut cx.calls[call];
                    frame.pc = stage::HOLD;
                    let hold = law.sample(&mut frame.draw.child(LOCK).draw());
                    cx.wake(call, Duration(hold));
                }
                None => self.commit(cx, call),
            },
            _ if self.misses_memory(cx, call) => {
                let frame = &mut cx.calls[call];
                frame.pc = stage::DISK;
                let latency = self.plan.disk_read.sample(&mut frame.draw.child(DISK).draw());
                cx.disk(call, Duration(latency));
            }
            _ => self.read(cx, call),
        }
    }

    fn on_wake(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let frame = &cx.calls[call];
        match frame.pc {
            stage::HOLD => self.commit(cx, call),
            _ if frame.access == Access::Apply => {
                if let State::Leaderless(nodes) = &mut self.copies {
                    nodes.worked(cx, frame.item);
                }
                cx.end_background(call);
            }
            _ => self.read(cx, call),
        }
    }

    fn on_cancel(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let row = row(cx, call);
        let frame = &cx.calls[call];
        let instance = frame.instance as usize;
        let mut held = None;
        match frame.pc {
            _ if frame.is(flag::QUEUED) => {
                let now = cx.now();
                cx.ledger.waited(&cx.calls[call], now);
                cx.calls[call].clear(flag::QUEUED);
                self.nodes[instance].slots.give_up::<ByQueue, _>(&mut cx.calls, call.index, 1);
            }
            // What is on its way to the log cannot be taken back: it commits, for nobody.
            stage::COMMIT => return cx.calls[call].clear(flag::CANCELLED),
            stage::QUORUM if frame.access == Access::Write => {
                return cx.calls[call].clear(flag::CANCELLED);
            }
            stage::ROW => {
                if let Some(row) = row {
                    self.nodes[instance].rows.give_up(&mut cx.calls, row, call);
                }
            }
            stage::STATEMENTS | stage::HOLD if frame.access == Access::Write => held = row,
            _ => {}
        }
        self.release(cx, call);
        cx.cancelled(call);
        self.let_go(cx, instance as u16, held);
    }

    fn on_event(&mut self, cx: &mut Cx<'_>, instance: u16, word: u32) {
        match (Clock::of(word), &mut self.copies) {
            ((Clock::Flush, number), _) => self.flushed(cx, instance, number),
            ((Clock::Message, place), _) => self.message(cx, place),
            ((clock, number), State::Led(cluster)) => {
                cluster.on_clock(cx, instance, clock, number);
                if clock == Clock::Promote {
                    self.recount(cx);
                }
                self.tell(cx);
            }
            ((clock, number), State::Mesh(mesh)) => mesh.on_clock(cx, instance, clock, number),
            _ => unreachable!("one node has no other clocks"),
        }
    }

    fn on_crash(&mut self, cx: &mut Cx<'_>, instance: u16) {
        let node = &mut self.nodes[instance as usize];
        node.slots.clear();
        node.flushes.clear();
        node.rows.clear();
        match &mut self.copies {
            State::Led(cluster) => cluster.on_crash(cx, instance),
            State::Mesh(mesh) => mesh.on_crash(cx, instance),
            State::One(_) | State::Leaderless(_) => {}
        }
        self.recount(cx);
    }

    fn on_started(&mut self, cx: &mut Cx<'_>, instance: u16) {
        match &mut self.copies {
            State::Led(cluster) => {
                cluster.on_started(cx, instance);
                self.tell(cx);
            }
            State::Mesh(mesh) => mesh.on_started(cx, instance),
            State::One(_) | State::Leaderless(_) => {}
        }
    }

    fn part_of(&self, instance: u16) -> usize {
        match &self.copies {
            State::Led(cluster) => usize::from(!cluster.leads(instance)),
            _ => 0,
        }
    }

    fn with_role(&self, role: Role) -> Option<u16> {
        match &self.copies {
            State::Led(cluster) => cluster.with_role(role),
            _ => (role == Role::Primary).then_some(0),
        }
    }

    fn figures(&mut self) -> Figures {
        self.held.iter_mut().for_each(Gauge::close);
        let (parts, of) = (self.stale.sums().to_vec(), self.reads.sums().to_vec());
        let ratios = vec![Ratio { name: "stale_reads", parts, of }];
        match &mut self.copies {
            State::One(_) => Figures::default(),
            State::Led(cluster) => Figures {
                ratios,
                counts: vec![("lost_writes", self.lost.sums().to_vec())],
                samples: vec![("lag", std::mem::take(&mut cluster.lag))],
                levels: vec![("backlog", cluster.closed_backlog())],
                held: std::mem::take(&mut self.held),
            },
            State::Mesh(mesh) => {
                mesh.backlog.close();
                Figures {
                    ratios,
                    counts: vec![("conflicts", mesh.conflicts.sums().to_vec())],
                    samples: vec![("lag", std::mem::take(&mut mesh.lag))],
                    levels: vec![("backlog", mesh.backlog.clone())],
                    ..Figures::default()
                }
            }
            State::Leaderless(_) => Figures { ratios, ..Figures::default() },
        }
    }
}
