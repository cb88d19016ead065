//! Several primaries, one in each of some regions: every one takes writes, sends them to all other
//! nodes, and of two writes of one item that did not know of each other the later one stays.
//!
//! It moves writes and versions; statements and commits are the room's affair. Replication is
//! asynchronous. What a dead primary has not sent lies on its disk and goes out when it is back.

use std::collections::VecDeque;

use super::cluster::Clock;
use super::plan::ReplicationPlan;
use crate::components::call::{Access, CallKey};
use crate::components::context::{Cx, Status};
use crate::components::topology::ComponentId;
use crate::engine::pages::Pages;
use crate::engine::stream::{DrawKey, salt};
use crate::metrics::{CountSeries, Gauge, Histogram, Windows};
use crate::units::{Duration, Instant};

const DELAY: u64 = salt("replication delay");
const TRIP: u64 = salt("replication trip");
const APPLY: u64 = salt("apply");
const FAILOVER: u64 = salt("failover");

/// Primaries are counted in a byte.
pub const PRIMARIES_MAX: usize = 10;

/// A write on its way.
#[derive(Clone, Copy, Debug)]
struct Write {
    dense: u64,
    version: u32,
    committed: Instant,
    number: u64,
}

/// What a node has of an item.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    version: u32,
    /// The primary that wrote it.
    by: u16,
}

/// A node that receives.
struct Node {
    copies: Pages<Held>,
    /// By primary, what is on its way from there.
    coming: Vec<VecDeque<Write>>,
    last_arrival: Vec<Instant>,
    /// By primary, rises when what is on its way from there is cut off.
    epoch: Vec<u32>,
    /// Received and not begun.
    received: VecDeque<(u16, Write)>,
    /// Numbers of the jobs that run.
    running: Vec<usize>,
    life: u32,
}

/// Several primaries and their replicas.
pub struct Mesh<'p> {
    id: ComponentId,
    plan: &'p ReplicationPlan,
    primaries: u16,
    nodes: Vec<Node>,
    /// Writes being applied, by the number of their job.
    jobs: Vec<(u16, Write)>,
    free: Vec<usize>,
    /// By primary, whether the callers may write to it.
    open: Vec<bool>,
    draws: DrawKey,
    drawn: u64,
    written: u64,
    /// From commit to application, of the writes applied in the measured time.
    pub lag: Histogram,
    /// Writes committed and not yet applied, over all nodes.
    pub backlog: Gauge,
    /// Writes undone by another primary's.
    pub conflicts: CountSeries,
}

impl<'p> Mesh<'p> {
    /// All nodes have everything; the first ones are the primaries.
    pub fn new(
        id: ComponentId,
        plan: &'p ReplicationPlan,
        (primaries, nodes): (u16, u16),
        cx: &mut Cx<'p>,
    ) -> Self {
        let now = cx.now();
        let node = |_| Node {
            copies: Pages::new(cx.topology.items() + 1),
            coming: vec![VecDeque::new(); primaries as usize],
            last_arrival: vec![now; primaries as usize],
            epoch: vec![0; primaries as usize],
            received: VecDeque::new(),
            running: Vec::new(),
            life: 0,
        };
        let measure = cx.ledger.measure;
        let windows = Windows::covering(0, measure.end.0, measure.window_ns);
        Self {
            id,
            plan,
            primaries,
            nodes: (0..nodes).map(node).collect(),
            jobs: Vec::new(),
            free: Vec::new(),
            open: vec![true; primaries as usize],
            draws: cx.root.child(salt(&cx.topology.components[id.index()].name)),
            drawn: 0,
            written: 0,
            lag: Histogram::new(),
            backlog: Gauge::with_series(measure.gauge(), 0, measure.window_ns),
            conflicts: CountSeries::new(windows),
        }
    }

    /// The version of an item that a node's readers see.
    pub fn version_at(&self, node: u16, dense: u64) -> u32 {
        self.nodes[node as usize].copies.get(dense).version
    }

    fn up(&self, cx: &Cx<'_>, node: u16) -> bool {
        cx.status(self.id, node) == Status::Up
    }

    /// A write is committed on a primary: it goes out to all other nodes.
    pub fn commit(&mut self, cx: &mut Cx<'_>, primary: u16, dense: u64, version: u32) {
        let now = cx.now();
        *self.nodes[primary as usize].copies.get_mut(dense) = Held { version, by: primary };
        self.written += 1;
        self.backlog.change(now.0, self.nodes.len() as i64 - 1);
        let write = Write { dense, version, committed: now, number: self.written };
        for node in 0..self.nodes.len() as u16 {
            if node != primary {
                self.nodes[node as usize].coming[primary as usize].push_back(write);
                if self.up(cx, node) {
                    self.send(cx, primary, node, write.number);
                }
            }
        }
    }

    /// Schedules the arrival of the next write from a primary; the order of the log is kept.
    fn send(&mut self, cx: &mut Cx<'_>, from: u16, to: u16, number: u64) {
        let now = cx.now();
        let draw = self.draws.child(number).child(u64::from(to));
        let delay = self.plan.delay.sample(&mut draw.child(DELAY).draw());
        let there = cx.trip_between(self.id, from, to, draw.child(TRIP)) / 2;
        let node = &mut self.nodes[to as usize];
        let last = &mut node.last_arrival[from as usize];
        *last = (*last).max(Instant(now.0 + delay + there));
        let word = Clock::Received.word(node.epoch[from as usize] << 8 | u32::from(from));
        cx.later(Duration(last.0 - now.0), self.id, to, word);
    }

    /// One of the clocks.
    pub fn on_clock(&mut self, cx: &mut Cx<'_>, node: u16, clock: Clock, number: u32) {
        let life = self.nodes[node as usize].life;
        match clock {
            Clock::Received => {
                let from = (number & 0xFF) as u16;
                let state = &mut self.nodes[node as usize];
                if state.epoch[from as usize] & 0xF_FFFF == number >> 8
                    && let Some(write) = state.coming[from as usize].pop_front()
                {
                    state.received.push_back((from, write));
                    self.apply(cx, node);
                }
            }
            Clock::Detect if number == life & 0xFFF_FFFF && !self.up(cx, node) => {
                cx.noticed(self.id, node);
                let plan = self.plan;
                let Some(failover) = &plan.failover else { return };
                let delay = self.draw(&failover.redirect);
                cx.later(delay, self.id, node, Clock::Redirect.word(life));
            }
            Clock::Redirect if number == life & 0xFFF_FFFF => {
                if let Some(open) = self.open.get_mut(node as usize) {
                    *open = cx.status(self.id, node) == Status::Up;
                }
                self.steer(cx);
            }
            _ => {}
        }
    }

    fn draw(&mut self, law: &crate::random::Sampler) -> Duration {
        self.drawn += 1;
        Duration(law.sample(&mut self.draws.child(FAILOVER).child(self.drawn).draw()))
    }

    /// Begins as many writes as the node may apply at once.
    fn apply(&mut self, cx: &mut Cx<'_>, node: u16) {
        while (self.nodes[node as usize].running.len() as u32) < self.plan.parallel
            && let Some((from, write)) = self.nodes[node as usize].received.pop_front()
        {
            let draw = self.draws.child(write.number).child(u64::from(node)).child(APPLY);
            let demand = self.plan.apply.sample(&mut draw.draw());
            if demand == 0 {
                self.put(cx, node, from, write);
                continue;
            }
            let place = self.free.pop().unwrap_or(self.jobs.len());
            match self.jobs.get_mut(place) {
                Some(job) => *job = (from, write),
                None => self.jobs.push((from, write)),
            }
            self.nodes[node as usize].running.push(place);
            let job = cx.background(self.id, node, Access::Apply);
            cx.calls[job].item = place as u64;
            cx.work(job, Duration(demand));
        }
    }

    /// A node has applied a write.
    pub fn applied(&mut self, cx: &mut Cx<'_>, job: CallKey) {
        let (node, place) = (cx.calls[job].instance, cx.calls[job].item as usize);
        cx.end_background(job);
        self.free.push(place);
        let (from, write) = self.jobs[place];
        self.nodes[node as usize].running.retain(|&other| other != place);
        self.put(cx, node, from, write);
        self.apply(cx, node);
    }

    /// The later of two writes stays. If a primary finds that it has written the item itself
    /// without knowing of an earlier write, that one is undone.
    fn put(&mut self, cx: &mut Cx<'_>, node: u16, from: u16, write: Write) {
        let now = cx.now();
        self.backlog.change(now.0, -1);
        if cx.ledger.measure.covers(now) {
            self.lag.record(now.0 - write.committed.0);
        }
        let held = self.nodes[node as usize].copies.get_mut(write.dense);
        if write.version > held.version {
            *held = Held { version: write.version, by: from };
        } else if held.by == node && node < self.primaries {
            self.conflicts.add(now.0, 1);
        }
    }

    /// Tells the callers of each region whom to write to: the nearest primary that takes writes.
    pub fn steer(&self, cx: &mut Cx<'_>) {
        let topology = cx.topology;
        let regions = topology.regions();
        let place = |node: u16| topology.components[self.id.index()].places[node as usize].region;
        let writer = |region: u16| {
            let open = (0..self.primaries).filter(|&primary| self.open[primary as usize]);
            let far = |node: &u16| topology.network.distance_ns(regions, region, place(*node));
            open.min_by(|a, b| far(a).total_cmp(&far(b))).or(Some(0))
        };
        let writers: Vec<Option<u16>> = (0..regions as u16).map(writer).collect();
        let nodes = 0..self.nodes.len() as u16;
        // Where there are replicas they take the reads, else the primaries do.
        let reads = nodes.map(|node| match self.nodes.len() == self.primaries as usize {
            true => self.open[node as usize],
            false => node >= self.primaries && self.up(cx, node),
        });
        let reads: Vec<bool> = reads.collect();
        cx.steer(self.id, &writers, &reads);
    }

    /// A node died with what it was applying; what it had received is applied again later.
    pub fn on_crash(&mut self, cx: &mut Cx<'_>, node: u16) {
        let state = &mut self.nodes[node as usize];
        state.life = state.life.wrapping_add(1);
        let life = state.life;
        while let Some(place) = state.running.pop() {
            state.received.push_front(self.jobs[place]);
            self.free.push(place);
        }
        state.epoch.iter_mut().for_each(|epoch| *epoch = epoch.wrapping_add(1));
        if node < self.primaries {
            for to in &mut self.nodes {
                to.epoch[node as usize] = to.epoch[node as usize].wrapping_add(1);
            }
        }
        let plan = self.plan;
        if let Some(failover) = &plan.failover {
            let delay = self.draw(&failover.detect);
            cx.later(delay, self.id, node, Clock::Detect.word(life));
        }
    }

    /// A node that had died serves again: what was kept for it, and what it kept, goes out.
    pub fn on_started(&mut self, cx: &mut Cx<'_>, node: u16) {
        for from in 0..self.primaries {
            self.resend(cx, from, node);
        }
        if node < self.primaries {
            for to in 0..self.nodes.len() as u16 {
                self.resend(cx, node, to);
            }
            self.open[node as usize] = true;
        }
        self.steer(cx);
        self.apply(cx, node);
    }

    fn resend(&mut self, cx: &mut Cx<'_>, from: u16, to: u16) {
        if from == to || !self.up(cx, from) || !self.up(cx, to) {
            return;
        }
        let waiting = &self.nodes[to as usize].coming[from as usize];
        let numbers: Vec<u64> = waiting.iter().map(|write| write.number).collect();
        numbers.into_iter().for_each(|number| self.send(cx, from, to, number));
    }
}
