//! The state of a cache: what each node holds, and what waits in it for others.

use rand::Rng;

use super::behind::{Behind, Dirty};
use super::leases::Leases;
use super::plan::{CachePlan, Held, Writes};
use crate::components::Room;
use crate::components::call::{Access, Call, CallKey, Phase, flag};
use crate::components::caller::Ask;
use crate::components::context::{Cx, Status};
use crate::components::figures::{Figures, Ratio};
use crate::components::names::AfterWrite;
use crate::components::outcome::Reply;
use crate::components::store::{Contents, Shape, warm};
use crate::components::topology::{DataId, Topology};
use crate::engine::stream::{DrawKey, salt, stream};
use crate::metrics::{CountSeries, Windows};
use crate::units::Duration;

const WORK: u64 = salt("cache work");
const LATENCY: u64 = salt("cache latency");
const TTL: u64 = salt("ttl jitter");
const HIT: u64 = salt("cache hit");
const WARM: u64 = salt("warm start");
const EVICTION: u64 = salt("eviction");
const BEHIND: u64 = salt("behind the cache");

/// Where a call stands, in its frame's `pc`.
mod stage {
    /// Waits for the fill of another.
    pub const WAITING: u16 = 1;
    /// Asked behind the cache.
    pub const FETCHING: u16 = 2;
    /// Written behind the cache.
    pub const WRITING: u16 = 3;
    /// Looks again, after having waited for the fill of another.
    pub const AGAIN: u16 = 5;
    /// A write kept back on its way; `job` is the number of its item among all.
    pub const FLUSHING: u16 = 4;
}

/// A cache in one replication.
pub struct Cache<'p> {
    plan: &'p CachePlan,
    /// By node; none where the hit ratio is given.
    contents: Vec<Contents>,
    leases: Vec<Leases>,
    behind: Vec<Behind>,
    lookups: CountSeries,
    hits: CountSeries,
    stale: CountSeries,
    lost: CountSeries,
    draws: DrawKey,
}

impl<'p> Cache<'p> {
    /// A cache as it is after running for long under the planned load, or empty.
    pub fn new(plan: &'p CachePlan, cx: &mut Cx<'p>) -> Self {
        let facts = &cx.topology.components[plan.id.index()];
        let nodes = usize::from(facts.instances());
        let draws = cx.root.child(salt(&facts.name));
        let measure = cx.ledger.measure;
        let windows = Windows::covering(0, measure.end.0, measure.window_ns);
        let contents = match plan.held {
            Held::Contents(shape) => contents(plan, shape, nodes, cx, draws),
            Held::Share(_) => Vec::new(),
        };
        Self {
            plan,
            contents,
            leases: (0..nodes).map(|_| Leases::default()).collect(),
            behind: (0..nodes).map(|_| Behind::default()).collect(),
            lookups: CountSeries::new(windows),
            hits: CountSeries::new(windows),
            stale: CountSeries::new(windows),
            lost: CountSeries::new(windows),
            draws: draws.child(BEHIND),
        }
    }

    /// The work and latency of a call's operation are over.
    fn act(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let frame = &cx.calls[call];
        let Some(data) = frame.data else { return cx.reply(call, Reply::OK) };
        let (dense, instance) = (cx.dense(data, frame.item), usize::from(frame.instance));
        match frame.access {
            Access::Read | Access::Call => return self.look_up(cx, call, data),
            Access::Write => return self.write(cx, call, data),
            Access::Apply => unreachable!("a cache keeps no log"),
            Access::Fill => {
                let (owner, version) = (frame.request, frame.version);
                let held =
                    self.plan.leases.is_none() || self.leases[instance].end(dense, owner).is_some();
                if held {
                    self.put(cx, call, version);
                }
            }
            Access::Update => {
                let version = frame.version;
                self.leases[instance].void(dense);
                self.put(cx, call, version);
            }
            Access::Invalidate => {
                self.leases[instance].void(dense);
                self.drop_copy(cx.topology, instance, dense);
            }
        }
        cx.reply(call, Reply::OK);
    }

    /// The version that a lookup finds.
    fn find(&mut self, cx: &Cx<'_>, call: CallKey, dense: u64) -> Option<u32> {
        let frame = &cx.calls[call];
        let instance = usize::from(frame.instance);
        match self.plan.held {
            Held::Share(share) => {
                let hit = frame.draw.child(HIT).draw().chance(share);
                hit.then(|| cx.acknowledged(dense))
            }
            Held::Contents(_) => {
                let size = |item| cx.topology.item_bytes(item);
                self.contents[instance]
                    .look_up(dense, cx.now(), &size)
                    .or_else(|| self.behind[instance].version(dense))
                    .map(|version| cx.held(dense, version))
            }
        }
    }

    fn look_up(&mut self, cx: &mut Cx<'_>, call: CallKey, data: DataId) {
        let now = cx.now();
        let Call { item, instance, request, .. } = cx.calls[call];
        let dense = cx.dense(data, item);
        if let Some(version) = self.find(cx, call, dense) {
            self.lookups.add(now.0, 1);
            self.hits.add(now.0, 1);
            return self.answer(cx, call, Reply { hit: true, version, ..Reply::OK });
        }
        if cx.calls[call].is(flag::WASTED) && cx.calls[call].pc == stage::AGAIN {
            // It is the caller who looks again, and this one has gone: it gets no lease.
            return cx.reply(call, Reply::OK);
        }
        let leases = &mut self.leases[usize::from(instance)];
        if let Some(plan) = self.plan.leases
            && !leases.ask(dense, request, now, plan.hold)
        {
            leases.wait(dense, call);
            cx.calls[call].pc = stage::WAITING;
            return cx.wake(call, plan.wait);
        }
        self.lookups.add(now.0, 1);
        if self.plan.asks {
            cx.calls[call].pc = stage::FETCHING;
            return self.ask(cx, call, Access::Read, 1);
        }
        if self.plan.alone {
            let version = cx.versions.committed(dense);
            self.put(cx, call, version);
        }
        cx.reply(call, Reply::OK);
    }

    /// Answers a read with a version.
    fn answer(&mut self, cx: &mut Cx<'_>, call: CallKey, reply: Reply) {
        if cx.read_served(call, reply.version) {
            let now = cx.now();
            self.stale.add(now.0, 1);
        }
        cx.reply(call, reply);
    }

    /// Hands a call on to the component behind.
    fn ask(&self, cx: &mut Cx<'_>, call: CallKey, access: Access, statements: u16) {
        let link = self.plan.over.expect("only a cache with something behind it asks");
        let frame = &cx.calls[call];
        let ask = Ask {
            link,
            operation: frame.operation,
            access,
            data: frame.data,
            item: frame.item,
            count: statements,
            version: frame.version,
            salt: BEHIND,
            flags: flag::INNER,
        };
        cx.call(call, ask);
    }

    fn write(&mut self, cx: &mut Cx<'_>, call: CallKey, data: DataId) {
        let frame = &cx.calls[call];
        let (instance, item, operation) = (frame.instance, frame.item, frame.operation);
        let dense = cx.dense(data, item);
        if matches!(self.plan.writes, Writes::HandOn | Writes::Through) {
            let statements = frame.count;
            cx.calls[call].pc = stage::WRITING;
            return self.ask(cx, call, Access::Write, statements);
        }
        let before = cx.versions.acknowledged(dense);
        let version = cx.write_committed(call);
        let instance = usize::from(instance);
        self.leases[instance].void(dense);
        self.put(cx, call, version);
        if self.plan.writes == Writes::Behind {
            let write = Dirty { data, item, operation, version, before, writes: 1 };
            self.behind[instance].keep(dense, write);
        }
        cx.write_acknowledged(call, version);
        cx.reply(call, Reply { version, ..Reply::OK });
    }

    /// Puts the item of a call in.
    fn put(&mut self, cx: &Cx<'_>, call: CallKey, version: u32) {
        let frame = &cx.calls[call];
        let Some(data) = frame.data else { return };
        let Some(contents) = self.contents.get_mut(usize::from(frame.instance)) else { return };
        let dense = cx.dense(data, frame.item);
        let version = cx.fetched(dense, version);
        let unit = frame.draw.child(TTL).draw().unit();
        contents.insert(dense, version, cx.now(), unit, &|item| cx.topology.item_bytes(item));
    }

    fn drop_copy(&mut self, topology: &Topology, instance: usize, dense: u64) {
        if let Some(contents) = self.contents.get_mut(instance) {
            contents.remove(dense, &|item| topology.item_bytes(item));
        }
    }

    /// An item has come from behind the cache, or has not.
    fn fetched(&mut self, cx: &mut Cx<'_>, call: CallKey, reply: Reply) {
        let frame = &cx.calls[call];
        let (instance, request) = (usize::from(frame.instance), frame.request);
        let Some(data) = frame.data else { return };
        let dense = cx.dense(data, frame.item);
        let lease = self.leases[instance].end(dense, request);
        let may_fill = self.plan.leases.is_none() || lease.is_some();
        if reply.is_ok() && may_fill {
            self.put(cx, call, reply.version);
        }
        for waiting in lease.into_iter().flatten() {
            let waits = |frame: &Call| frame.pc == stage::WAITING && frame.phase == Phase::Present;
            if cx.calls.get(waiting).is_some_and(waits) {
                cx.wake(waiting, Duration(0));
            }
        }
        let version = cx.fetched(dense, reply.version);
        let reply = Reply { hit: false, version, ..reply };
        if reply.is_ok() { self.answer(cx, call, reply) } else { cx.reply(call, reply) }
    }

    /// A write was made behind the cache, or has failed.
    fn written(&mut self, cx: &mut Cx<'_>, call: CallKey, reply: Reply) {
        let reply = Reply { hit: false, ..reply };
        let frame = &cx.calls[call];
        let instance = usize::from(frame.instance);
        let (true, Some(data)) = (reply.is_ok(), frame.data) else {
            return cx.reply(call, reply);
        };
        let dense = cx.dense(data, frame.item);
        let after = match self.plan.writes {
            Writes::Through => AfterWrite::Update,
            _ => self.plan.after_write,
        };
        if after != AfterWrite::Nothing {
            self.leases[instance].void(dense);
        }
        match after {
            AfterWrite::Update => self.put(cx, call, reply.version),
            AfterWrite::Drop => self.drop_copy(cx.topology, instance, dense),
            AfterWrite::Nothing => {}
        }
        cx.write_acknowledged(call, reply.version);
        cx.reply(call, reply);
    }

    /// Goes on sending what a node has kept back.
    fn flush(&mut self, cx: &mut Cx<'_>, instance: u16) {
        let (Some(plan), index) = (self.plan.behind, usize::from(instance)) else { return };
        while self.behind[index].flushing {
            let Some((dense, write)) = self.behind[index].take(usize::from(plan.batch)) else {
                self.behind[index].flushing = !self.behind[index].is_clean();
                return;
            };
            // The same write has the same luck, whatever else is flushed.
            let draw = self.draws.child(dense).child(u64::from(write.version));
            let task = cx.task(self.plan.id, instance, draw);
            let frame = &mut cx.calls[task];
            frame.pc = stage::FLUSHING;
            (frame.operation, frame.data) = (write.operation, Some(write.data));
            (frame.item, frame.version) = (write.item, write.version);
            frame.job = dense as i64;
            self.ask(cx, task, Access::Write, 1);
        }
    }

    fn operate(&self, cx: &mut Cx<'_>, call: CallKey) {
        let demand = self.plan.work.sample(&mut cx.calls[call].draw.child(WORK).draw());
        cx.work(call, Duration(demand));
    }
}

/// The contents of all nodes at the start.
fn contents(
    plan: &CachePlan,
    shape: Shape,
    nodes: usize,
    cx: &Cx<'_>,
    draws: DrawKey,
) -> Vec<Contents> {
    let eviction = draws.child(EVICTION);
    let node = |node| Contents::new(shape, eviction.child(node as u64));
    let mut contents: Vec<Contents> = (0..nodes).map(node).collect();
    let Some(warm) = &plan.warm else { return contents };
    let load = |&(data, reads, drops): &(DataId, f64, f64)| {
        let set = &cx.topology.data[data.index()];
        warm::Load { first: set.first, popularity: &set.popularity, reads, drops }
    };
    let loads: Vec<warm::Load<'_>> = warm.rates.iter().map(load).collect();
    if loads.iter().any(|load| load.reads > 0.0) {
        let size = |item| cx.topology.item_bytes(item);
        warm::fill(&mut contents, &plan.ring, &loads, cx.now(), draws.child(WARM), &size);
    }
    contents
}

impl Room for Cache<'_> {
    /// The nodes flush at random phases, not all at once.
    fn begin(&mut self, cx: &mut Cx<'_>) {
        let Some(behind) = self.plan.behind else { return };
        let name = &cx.topology.components[self.plan.id.index()].name;
        let mut phases = stream(cx.root.0, 0, name, "flush phase");
        for instance in 0..self.behind.len() {
            let phase = (phases.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
            let offset = Duration((behind.flush.0 as f64 * phase) as i64);
            cx.later(offset, self.plan.id, instance as u16, 0);
        }
    }

    fn on_call(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        if cx.calls[call].is(flag::PROBE) {
            return cx.reply(call, Reply::OK);
        }
        self.operate(cx, call);
    }

    fn on_work(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let latency = self.plan.latency.sample(&mut cx.calls[call].draw.child(LATENCY).draw());
        if latency == 0 {
            return self.act(cx, call);
        }
        cx.wake(call, Duration(latency));
    }

    fn on_wake(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        if cx.calls[call].pc == stage::WAITING {
            // It looks again: one more operation.
            cx.calls[call].pc = stage::AGAIN;
            return self.operate(cx, call);
        }
        self.act(cx, call);
    }

    fn on_child(&mut self, cx: &mut Cx<'_>, parent: CallKey, reply: Reply) {
        match cx.calls[parent].pc {
            stage::FETCHING => self.fetched(cx, parent, reply),
            stage::WRITING => self.written(cx, parent, reply),
            _ => {
                let Call { instance, job, .. } = cx.calls[parent];
                self.behind[usize::from(instance)].ended(job as u64, reply.is_ok());
                cx.end_task(parent);
                self.flush(cx, instance);
            }
        }
    }

    fn on_cancel(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let frame = &cx.calls[call];
        if let (stage::FETCHING, Some(data)) = (frame.pc, frame.data) {
            let (instance, owner) = (usize::from(frame.instance), frame.request);
            let dense = cx.dense(data, frame.item);
            self.leases[instance].end(dense, owner);
        }
        cx.cancelled(call);
    }

    /// Time for a node's flush.
    fn on_event(&mut self, cx: &mut Cx<'_>, instance: u16, _word: u32) {
        let Some(behind) = self.plan.behind else { return };
        cx.later(behind.flush, self.plan.id, instance, 0);
        if cx.status(self.plan.id, instance) == Status::Up {
            self.behind[usize::from(instance)].flushing = true;
            self.flush(cx, instance);
        }
    }

    fn on_crash(&mut self, cx: &mut Cx<'_>, instance: u16) {
        let now = cx.now();
        let instance = usize::from(instance);
        if let Some(contents) = self.contents.get_mut(instance) {
            contents.clear();
        }
        self.leases[instance].clear();
        for (dense, lost) in self.behind[instance].die() {
            self.lost.add(now.0, lost.writes);
            cx.versions.withdraw(dense, lost.before);
        }
    }

    fn figures(&mut self) -> Figures {
        let sums = |series: &CountSeries| series.sums().to_vec();
        let of = sums(&self.lookups);
        let ratio = |name, parts: &CountSeries| Ratio { name, parts: sums(parts), of: of.clone() };
        let lost = self.plan.behind.map(|_| ("lost_writes", sums(&self.lost)));
        Figures {
            ratios: vec![ratio("hit_ratio", &self.hits), ratio("stale_reads", &self.stale)],
            counts: lost.into_iter().collect(),
            ..Figures::default()
        }
    }
}
