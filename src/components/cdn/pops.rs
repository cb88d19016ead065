//! The state of an edge cache: what each pop holds, and the way of a call through it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::plan::{Alone, CdnPlan, Held, PurgePlan, is_kept};
use crate::components::Room;
use crate::components::call::{Access, Call, CallKey, flag};
use crate::components::caller::Ask;
use crate::components::context::{Cx, Status};
use crate::components::figures::{Figures, Ratio};
use crate::components::outcome::{Cause, Reply};
use crate::components::store::{Contents, warm};
use crate::components::topology::DataId;
use crate::engine::pipe::Pipe;
use crate::engine::stream::{DrawKey, salt};
use crate::metrics::{CountSeries, Windows};
use crate::units::{Duration, Instant};

const TTL: u64 = salt("edge ttl jitter");
const HIT: u64 = salt("edge hit");
const WARM: u64 = salt("edge warm start");
const EVICTION: u64 = salt("edge eviction");
const ORIGIN: u64 = salt("edge origin");
const PURGE: u64 = salt("edge purge");
const SHIELD: u64 = salt("edge shield");
const REFRESH: u64 = salt("edge refresh");

/// Where a call stands, in its frame's `pc`.
mod stage {
    /// On its way to the shield.
    pub const TO_SHIELD: u16 = 1;
    /// On its way back from the shield, with the version that it brings.
    pub const FROM_SHIELD: u16 = 2;
    /// Asked the origin.
    pub const FETCHING: u16 = 3;
    /// Asked the origin by way of the shield.
    pub const FETCHING_BY_SHIELD: u16 = 4;
    /// Handed on to the origin.
    pub const PASSING: u16 = 5;
    /// Its answer goes through the pipe.
    pub const SENDING: u16 = 6;
}

/// A copy that was found.
#[derive(Clone, Copy)]
struct Kept {
    version: u32,
    /// How long it has not been fresh.
    late: Duration,
}

/// What is to happen at an instant.
#[derive(Clone)]
enum Errand {
    /// A node is given all that is pushed.
    PushAll,
    /// A node is given these items, which are in order.
    Push(Arc<[u64]>),
    /// Copies are thrown away everywhere.
    Purge(PurgePlan),
}

/// An edge cache in one replication.
pub struct Cdn<'p> {
    plan: &'p CdnPlan,
    /// By pop, then the shield; none where the hit ratio is given.
    contents: Vec<Contents>,
    /// By pop, where bandwidth has a limit.
    pipes: Vec<Pipe>,
    /// By pop, the items that are fetched in the background.
    refreshing: Vec<BTreeSet<u64>>,
    errands: Vec<Errand>,
    lookups: CountSeries,
    hits: CountSeries,
    stale: CountSeries,
    draws: DrawKey,
}

impl<'p> Cdn<'p> {
    /// An edge cache as it is after running for long under the planned load, or empty.
    pub fn new(plan: &'p CdnPlan, cx: &mut Cx<'p>) -> Self {
        let draws = cx.root.child(salt(&cx.topology.components[plan.id.index()].name));
        let measure = cx.ledger.measure;
        let windows = Windows::covering(0, measure.end.0, measure.window_ns);
        let pops = usize::from(plan.pops);
        let pipes = plan.bytes_per_second.map(|speed| vec![Pipe::new(speed); pops]);
        let mut cdn = Self {
            plan,
            contents: Vec::new(),
            pipes: pipes.unwrap_or_default(),
            refreshing: vec![BTreeSet::new(); pops],
            errands: Vec::new(),
            lookups: CountSeries::new(windows),
            hits: CountSeries::new(windows),
            stale: CountSeries::new(windows),
            draws,
        };
        let Held::Contents(shape) = plan.held else { return cdn };
        for purge in &plan.purges {
            let wait = Duration(purge.at.0 - cx.now().0);
            cdn.later(cx, wait, 0..1, Errand::Purge(*purge));
        }
        let shapes = std::iter::repeat_n(shape, pops).chain(plan.shield);
        for (node, shape) in shapes.enumerate() {
            cdn.contents.push(Contents::new(shape, draws.child(EVICTION).child(node as u64)));
            match plan.push {
                Some(_) => cdn.push_all(cx, node),
                None => cdn.warm_up(cx, node),
            }
        }
        cdn
    }

    /// Fills a node as if it had run for long. A shield begins as if it had seen every read.
    fn warm_up(&mut self, cx: &Cx<'_>, node: usize) {
        let Some(rates) = &self.plan.warm else { return };
        let pops = usize::from(self.plan.pops);
        let part = if node < pops { 1.0 / pops as f64 } else { 1.0 };
        let loads: Vec<warm::Load<'_>> = rates
            .iter()
            .map(|&(data, reads)| {
                let set = &cx.topology.data[data.index()];
                let reads = reads * part;
                warm::Load { first: set.first, popularity: &set.popularity, reads, drops: 0.0 }
            })
            .collect();
        if loads.iter().any(|load| load.reads > 0.0) {
            let size = |item| cx.topology.item_bytes(item);
            let stores = &mut self.contents[node..=node];
            let key = self.draws.child(WARM).child(node as u64);
            warm::fill(stores, &Alone, &loads, cx.now(), key, &size);
        }
    }

    /// Gives a node the most popular of all items that are read here, as many as fit.
    fn push_all(&mut self, cx: &Cx<'_>, node: usize) {
        self.push(cx, node, |_| true);
    }

    /// Gives a node the most popular of some items, as many as fit.
    fn push(&mut self, cx: &Cx<'_>, node: usize, which: impl Fn(u64) -> bool) {
        let size = |item| cx.topology.item_bytes(item);
        let now = cx.now();
        let contents = &mut self.contents[node];
        for dense in self.plan.by_popularity(cx.topology).filter(|&dense| which(dense)) {
            if !contents.has_room(dense, &size) {
                break;
            }
            let version = cx.acknowledged(dense);
            contents.insert(dense, version, now, 0.0, &size);
        }
    }

    /// The copy that a node has of an item, fresh or of use yet.
    fn find(&mut self, cx: &Cx<'_>, node: usize, call: CallKey, dense: u64) -> Option<Kept> {
        if let Held::Share(share) = self.plan.held {
            let hit = cx.calls[call].draw.child(HIT).draw().chance(share);
            let fresh = || Kept { version: cx.acknowledged(dense), late: Duration(0) };
            return hit.then(fresh);
        }
        let grace = self.plan.if_error.max(self.plan.while_revalidate);
        let size = |item| cx.topology.item_bytes(item);
        let found = self.contents[node].look_up_late(dense, cx.now(), grace, &size);
        let (version, late) = found?;
        let mut version = cx.held(dense, version);
        if let Some(push) = self.plan.push {
            // What has changed by itself came here with a push.
            let then = Instant(cx.now().0 - push.delay.0);
            version = version.max(cx.versions.by_itself(dense, then));
        }
        let old_name = self.plan.versioned && version < cx.calls[call].expected;
        (!old_name).then_some(Kept { version, late })
    }

    fn look_up(&mut self, cx: &mut Cx<'_>, call: CallKey, data: DataId) {
        let now = cx.now();
        let Call { item, instance, .. } = cx.calls[call];
        let (dense, node) = (cx.dense(data, item), usize::from(instance));
        let copy = self.find(cx, node, call, dense);
        self.lookups.add(now.0, 1);
        let lasts = self.plan.while_revalidate;
        match copy {
            Some(Kept { version, late }) if late.0 == 0 || late < lasts => {
                self.hits.add(now.0, 1);
                if late.0 > 0 {
                    self.refresh(cx, call, dense);
                }
                self.answer(cx, call, Reply { hit: true, version, ..Reply::OK });
            }
            _ => self.miss(cx, call),
        }
    }

    /// Fetches an item in the background, unless that is under way.
    fn refresh(&mut self, cx: &mut Cx<'_>, call: CallKey, dense: u64) {
        let Call { instance, data, item, operation, draw, user, .. } = cx.calls[call];
        if !self.refreshing[usize::from(instance)].insert(dense) {
            return;
        }
        let task = cx.task(self.plan.id, instance, draw.child(REFRESH));
        let frame = &mut cx.calls[task];
        frame.access = Access::Read;
        (frame.operation, frame.user) = (operation, user);
        (frame.data, frame.item) = (data, item);
        self.miss(cx, task);
    }

    fn shield(&self, cx: &Cx<'_>) -> Option<u16> {
        self.plan.shield?;
        let shield = self.plan.pops;
        (cx.status(self.plan.id, shield) == Status::Up).then_some(shield)
    }

    /// A pop does not have the item: the shield may, and the origin does.
    fn miss(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        if let Some(shield) = self.shield(cx) {
            cx.calls[call].pc = stage::TO_SHIELD;
            let trip = self.trip(cx, call, shield);
            return cx.wake(call, Duration(trip / 2));
        }
        self.fetch(cx, call, stage::FETCHING);
    }

    /// The round trip to the shield, the same there and back.
    fn trip(&self, cx: &Cx<'_>, call: CallKey, shield: u16) -> i64 {
        let Call { instance, draw, .. } = cx.calls[call];
        cx.trip_between(self.plan.id, instance, shield, draw.child(SHIELD))
    }

    fn at_shield(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let Call { data, item, .. } = cx.calls[call];
        let (Some(shield), Some(data)) = (self.shield(cx), data) else {
            return self.fetch(cx, call, stage::FETCHING);
        };
        let dense = cx.dense(data, item);
        match self.find(cx, usize::from(shield), call, dense) {
            Some(Kept { version, late: Duration(0) }) => self.bring(cx, call, shield, version),
            _ => self.fetch(cx, call, stage::FETCHING_BY_SHIELD),
        }
    }

    /// A version travels back from the shield.
    fn bring(&mut self, cx: &mut Cx<'_>, call: CallKey, shield: u16, version: u32) {
        let trip = self.trip(cx, call, shield);
        let frame = &mut cx.calls[call];
        (frame.pc, frame.version) = (stage::FROM_SHIELD, version);
        cx.wake(call, Duration(trip - trip / 2));
    }

    fn fetch(&mut self, cx: &mut Cx<'_>, call: CallKey, stage: u16) {
        cx.calls[call].pc = stage;
        self.ask(cx, call, Access::Read);
    }

    fn ask(&self, cx: &mut Cx<'_>, call: CallKey, access: Access) {
        let frame = &cx.calls[call];
        let ask = Ask {
            link: self.plan.origin,
            operation: frame.operation,
            access,
            data: frame.data,
            item: frame.item,
            count: if access == Access::Write { frame.count } else { 1 },
            version: 0,
            salt: ORIGIN,
            flags: 0,
        };
        cx.call(call, ask);
    }

    /// The origin has answered a fetch, or has failed.
    fn fetched(&mut self, cx: &mut Cx<'_>, call: CallKey, by_shield: bool, reply: Reply) {
        let Call { data, item, .. } = cx.calls[call];
        let Some(data) = data else { return };
        let dense = cx.dense(data, item);
        let shield = self.shield(cx).filter(|_| by_shield);
        if reply.is_ok() {
            let version = match self.plan.tells {
                true => cx.fetched(dense, reply.version),
                false => cx.acknowledged(dense),
            };
            match shield {
                Some(shield) => {
                    self.put(cx, call, usize::from(shield), version);
                    self.bring(cx, call, shield, version);
                }
                None => self.arrived(cx, call, version),
            }
            return;
        }
        // The shield's copy first: it is the one that was asked.
        let instance = cx.calls[call].instance;
        for node in shield.into_iter().chain([instance]) {
            let copy = match self.plan.held {
                Held::Contents(_) => self.find(cx, usize::from(node), call, dense),
                Held::Share(_) => None,
            };
            let Some(Kept { version, late }) = copy else { continue };
            if late > self.plan.if_error {
                continue;
            }
            return self.end(cx, call, Reply { version, ..Reply::OK });
        }
        self.end(cx, call, Reply { hit: false, ..reply });
    }

    /// A fetched item has come to the pop.
    fn arrived(&mut self, cx: &mut Cx<'_>, call: CallKey, version: u32) {
        let pop = usize::from(cx.calls[call].instance);
        self.put(cx, call, pop, version);
        self.end(cx, call, Reply { version, ..Reply::OK });
    }

    /// Puts the item of a call in at a node.
    fn put(&mut self, cx: &Cx<'_>, call: CallKey, node: usize, version: u32) {
        let frame = &cx.calls[call];
        let Some(data) = frame.data else { return };
        let Some(contents) = self.contents.get_mut(node) else { return };
        let dense = cx.dense(data, frame.item);
        let unit = frame.draw.child(TTL).draw().unit();
        contents.insert(dense, version, cx.now(), unit, &|item| cx.topology.item_bytes(item));
    }

    /// A fetch is over: its call is answered, or it was for nobody.
    fn end(&mut self, cx: &mut Cx<'_>, call: CallKey, reply: Reply) {
        let frame = &cx.calls[call];
        if !frame.is(flag::BRANCH) {
            return self.answer(cx, call, reply);
        }
        if let Some(data) = frame.data {
            let (dense, pop) = (cx.dense(data, frame.item), usize::from(frame.instance));
            self.refreshing[pop].remove(&dense);
        }
        cx.end_task(call);
    }

    /// Answers a read with a version, or with its failure.
    fn answer(&mut self, cx: &mut Cx<'_>, call: CallKey, reply: Reply) {
        if reply.is_ok() && cx.read_served(call, reply.version) {
            let now = cx.now();
            self.stale.add(now.0, 1);
        }
        self.deliver(cx, call, reply);
    }

    /// The answer leaves through the pop's pipe.
    fn deliver(&mut self, cx: &mut Cx<'_>, call: CallKey, reply: Reply) {
        let now = cx.now();
        let frame = &mut cx.calls[call];
        let pipe = self.pipes.get_mut(usize::from(frame.instance));
        let Some(pipe) = pipe.filter(|_| reply.is_ok()) else { return cx.reply(call, reply) };
        let bytes = cx.topology.operations[frame.operation.index()].response_bytes;
        (frame.pc, frame.reply) = (stage::SENDING, reply);
        cx.wake(call, pipe.send(now, bytes));
    }

    /// Schedules an errand to some nodes.
    fn later(&mut self, cx: &mut Cx<'_>, wait: Duration, nodes: Range<u16>, errand: Errand) {
        let word = self.errands.len() as u32;
        self.errands.push(errand);
        for node in nodes {
            cx.later(wait, self.plan.id, node, word);
        }
    }

    /// Throws copies away at all nodes; what is pushed comes again.
    fn purge(&mut self, cx: &mut Cx<'_>, purge: PurgePlan) {
        let key = cx.root.child(PURGE).child(purge.salt);
        let chosen = |dense: u64| purge.share >= 1.0 || key.child(dense).draw().chance(purge.share);
        let mut gone = Vec::new();
        for (number, set) in cx.topology.data.iter().enumerate() {
            if purge.data.is_none_or(|data| data.index() == number) {
                gone.extend((set.first..set.first + set.items).filter(|&dense| chosen(dense)));
            }
        }
        let size = |item| cx.topology.item_bytes(item);
        for contents in &mut self.contents {
            for &dense in &gone {
                contents.remove(dense, &size);
            }
        }
        if let Some(push) = self.plan.push {
            let nodes = 0..self.contents.len() as u16;
            self.later(cx, push.delay, nodes, Errand::Push(gone.into()));
        }
    }
}

impl Room for Cdn<'_> {
    fn on_call(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let Call { access, data, flags, .. } = cx.calls[call];
        if flags & flag::PROBE != 0 {
            return cx.reply(call, Reply::OK);
        }
        match data {
            Some(data) if is_kept(access) => self.look_up(cx, call, data),
            _ if self.plan.passes => {
                cx.calls[call].pc = stage::PASSING;
                self.ask(cx, call, access);
            }
            _ => cx.fail(call, Cause::Error),
        }
    }

    fn on_work(&mut self, _cx: &mut Cx<'_>, _call: CallKey) {
        unreachable!("an edge cache has no work on cores")
    }

    fn on_wake(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let Call { pc, version, reply, .. } = cx.calls[call];
        match pc {
            stage::TO_SHIELD => self.at_shield(cx, call),
            stage::FROM_SHIELD => self.arrived(cx, call, version),
            _ => cx.reply(call, reply),
        }
    }

    fn on_child(&mut self, cx: &mut Cx<'_>, parent: CallKey, reply: Reply) {
        match cx.calls[parent].pc {
            stage::PASSING => self.deliver(cx, parent, Reply { hit: false, ..reply }),
            pc => self.fetched(cx, parent, pc == stage::FETCHING_BY_SHIELD, reply),
        }
    }

    fn on_cancel(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        cx.cancelled(call);
    }

    fn on_event(&mut self, cx: &mut Cx<'_>, instance: u16, word: u32) {
        let node = usize::from(instance);
        let up = cx.status(self.plan.id, instance) == Status::Up;
        match self.errands[word as usize].clone() {
            Errand::Purge(purge) => self.purge(cx, purge),
            Errand::Push(items) if up => {
                self.push(cx, node, |dense| items.binary_search(&dense).is_ok());
            }
            Errand::PushAll if up => self.push_all(cx, node),
            Errand::Push(_) | Errand::PushAll => {}
        }
    }

    fn on_crash(&mut self, cx: &mut Cx<'_>, instance: u16) {
        let node = usize::from(instance);
        if let Some(pipe) = self.pipes.get_mut(node) {
            pipe.clear(cx.now());
        }
        if let Some(contents) = self.contents.get_mut(node) {
            contents.clear();
        }
        if let Some(refreshing) = self.refreshing.get_mut(node) {
            refreshing.clear();
        }
    }

    /// It is given its contents anew, where contents are pushed.
    fn on_started(&mut self, cx: &mut Cx<'_>, instance: u16) {
        if let Some(push) = self.plan.push {
            self.later(cx, push.delay, instance..instance + 1, Errand::PushAll);
        }
    }

    fn figures(&mut self) -> Figures {
        let sums = |series: &CountSeries| series.sums().to_vec();
        let of = sums(&self.lookups);
        let ratio = |name, parts: &CountSeries| Ratio { name, parts: sums(parts), of: of.clone() };
        Figures {
            ratios: vec![ratio("hit_ratio", &self.hits), ratio("stale_reads", &self.stale)],
            ..Figures::default()
        }
    }
}
