//! An edge cache as slow and as obvious as it can be: lists of copies, one request after the other.
//!
//! It knows that nothing takes time and that the origin never fails. Versions it is told, or counts
//! the writes that pass.

use super::{Edge, Sent, calls};
use crate::knobs_data::bench::Trial;
use simscale::components::record::Note;
use simscale::engine::stream::{DrawKey, salt};
use std::collections::BTreeMap;

/// A second in nanoseconds.
pub const SECOND: i64 = 1_000_000_000;

/// Which copy leaves a full list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Leaves {
    /// The one used longest ago.
    Lru,
    /// The one put in longest ago.
    Fifo,
    /// The one whose item was asked for least often.
    Lfu,
}

/// What the edge is told to do.
#[derive(Clone, Debug)]
pub struct Rules {
    pub pops: usize,
    /// Items of a pop.
    pub capacity: usize,
    pub leaves: Leaves,
    pub ttl: Option<i64>,
    pub sliding: bool,
    /// Items of the shield.
    pub shield: Option<usize>,
    /// Delay of what is pushed, and how many items there are to push.
    pub push: Option<(i64, u64)>,
    pub if_error: i64,
    pub while_revalidate: i64,
    pub versioned: bool,
    /// Nanoseconds between two changes of an item by itself.
    pub changes: Option<i64>,
    /// When everything is thrown away.
    pub purge: Option<i64>,
    /// Node, from, until: the instance is dead.
    pub crash: Option<(usize, i64, i64)>,
    /// Whether users of a dead pop go to the origin.
    pub fallback: bool,
    /// Of the phases of changes.
    pub seed: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            pops: 1,
            capacity: usize::MAX,
            leaves: Leaves::Lru,
            ttl: None,
            sliding: false,
            shield: None,
            push: None,
            if_error: 0,
            while_revalidate: 0,
            versioned: false,
            changes: None,
            purge: None,
            crash: None,
            fallback: false,
            seed: 1,
        }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    pub hits: u64,
    pub lookups: u64,
    pub stale: u64,
    /// Reads that the origin answered.
    pub fetched: u64,
    pub failed: u64,
}

/// One request as it reaches the edge.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    pub at: i64,
    pub pop: usize,
    pub item: u64,
    pub write: bool,
}

/// The requests of the measured time; those of the operation `change` are writes.
pub fn requests(trial: &Trial) -> Vec<Request> {
    let operations = &trial.experiment.plan.topology.operations;
    let change = operations.iter().position(|one| one.name == "change");
    let sent: BTreeMap<DrawKey, (i64, bool)> = trial
        .notes
        .iter()
        .filter_map(|note| match *note {
            Note::Sent { request, at, operation, .. } => {
                Some((request, (at.0, Some(operation.index()) == change)))
            }
            _ => None,
        })
        .collect();
    let end = trial.observed.duration.0;
    let mut requests: Vec<Request> = calls(trial, "edge")
        .into_iter()
        .filter(|call| call.at < end)
        .map(|Sent { node, request, item, .. }| {
            let (at, write) = sent[&request];
            let (_, item) = item.expect("every request is about a file");
            Request { at, pop: usize::from(node), item, write }
        })
        .collect();
    requests.sort_by_key(|request| request.at);
    requests
}

/// What the program counted.
pub fn counted(trial: &Trial) -> Counts {
    let (hits, lookups) = trial.ratio("edge", "hit_ratio");
    let (stale, of) = trial.ratio("edge", "stale_reads");
    assert_eq!(of, lookups);
    let reads = trial.experiment.plan.topology.operations.iter().position(|one| one.name == "look");
    let reads = reads.expect("users look");
    let fetched = trial.component("origin").operations[reads].arrived;
    Counts { hits, lookups, stale, fetched, failed: super::failed(trial) }
}

/// Nanoseconds between a change of an item before the start, as one may imagine it, and the start.
pub fn phase(seed: u64, item: u64, period: i64) -> i64 {
    let root = DrawKey::root(seed, 0).child(salt("data files"));
    root.child(salt("changes by itself")).child(item).draw().below(period as u64) as i64
}

/// The version of an item that changes by itself, so long after the start.
pub fn version(item: u64, period: i64, since_start: i64) -> u32 {
    version_under(1, item, period, since_start)
}

/// The same with another seed.
fn version_under(seed: u64, item: u64, period: i64, since_start: i64) -> u32 {
    match since_start < 0 {
        true => 1,
        false => 1 + ((since_start + phase(seed, item, period)) / period) as u32,
    }
}

struct Copy {
    item: u64,
    version: u32,
    end: i64,
    /// Number of its last use.
    used: u64,
}

/// The copies of one node, the next to leave first.
#[derive(Default)]
struct Node {
    copies: Vec<Copy>,
    /// By item how often it was asked for.
    asked: BTreeMap<u64, u64>,
}

struct Model<'a> {
    rules: &'a Rules,
    start: i64,
    /// The pops, then the shield.
    nodes: Vec<Node>,
    written: BTreeMap<u64, u32>,
    number: u64,
    counts: Counts,
}

/// Replays requests.
pub fn replay(rules: &Rules, start: i64, requests: &[Request]) -> Counts {
    let nodes = rules.pops + usize::from(rules.shield.is_some());
    let mut model = Model {
        rules,
        start,
        nodes: (0..nodes).map(|_| Node::default()).collect(),
        written: BTreeMap::new(),
        number: 0,
        counts: Counts::default(),
    };
    (0..nodes).for_each(|node| model.give_all(node, start));
    let mut events = model.events();
    for request in requests {
        while events.first().is_some_and(|&(at, _)| at <= request.at) {
            let (at, event) = events.remove(0);
            model.happen(at, event);
        }
        model.request(*request);
    }
    model.counts
}

#[derive(Clone, Copy)]
enum Event {
    Purge,
    Crash(usize),
    GiveAll(usize),
}

impl Model<'_> {
    /// What happens to the nodes, in order.
    fn events(&self) -> Vec<(i64, Event)> {
        let mut events = Vec::new();
        let again = |at: i64| self.rules.push.map(|(delay, _)| at + delay);
        let dead = |node: usize, at: i64| {
            self.rules
                .crash
                .is_some_and(|(dead, from, to)| dead == node && (from..to).contains(&at))
        };
        if let Some(at) = self.rules.purge {
            events.push((at, Event::Purge));
            let up = (0..self.nodes.len()).filter_map(|node| Some((node, again(at)?)));
            let up = up.filter(|&(node, at)| !dead(node, at));
            events.extend(up.map(|(node, at)| (at, Event::GiveAll(node))));
        }
        if let Some((node, from, to)) = self.rules.crash {
            events.push((from, Event::Crash(node)));
            events.extend(again(to).map(|at| (at, Event::GiveAll(node))));
        }
        events.sort_by_key(|&(at, _)| at);
        events
    }

    fn happen(&mut self, at: i64, event: Event) {
        match event {
            Event::Purge => self.nodes.iter_mut().for_each(|node| node.copies.clear()),
            Event::Crash(node) => self.nodes[node] = Node::default(),
            Event::GiveAll(node) => self.give_all(node, at),
        }
    }

    /// Gives a node the first items as long as there is room.
    fn give_all(&mut self, node: usize, at: i64) {
        let Some((_, items)) = self.rules.push else { return };
        for item in 0..items {
            let there = self.nodes[node].copies.iter().any(|copy| copy.item == item);
            if !there && self.nodes[node].copies.len() >= self.capacity(node) {
                return;
            }
            self.put(node, item, self.newest(item, at), at);
        }
    }

    fn newest(&self, item: u64, at: i64) -> u32 {
        match self.rules.changes {
            Some(period) => version_under(self.rules.seed, item, period, at - self.start),
            None => self.written.get(&item).copied().unwrap_or(0),
        }
    }

    fn capacity(&self, node: usize) -> usize {
        if node < self.rules.pops {
            return self.rules.capacity;
        }
        self.rules.shield.unwrap_or(0)
    }

    fn is_dead(&self, node: usize, at: i64) -> bool {
        let crash = self.rules.crash;
        crash.is_some_and(|(dead, from, to)| dead == node && (from..to).contains(&at))
    }

    fn request(&mut self, Request { at, pop, item, write }: Request) {
        let counted = at >= 0;
        if self.is_dead(pop, at) {
            if !self.rules.fallback {
                self.counts.failed += u64::from(counted);
                return;
            }
            if !write {
                self.counts.fetched += u64::from(counted);
                return;
            }
        }
        if write {
            *self.written.entry(item).or_default() += 1;
            return;
        }
        self.counts.lookups += u64::from(counted);
        let newest = self.newest(item, at);
        let found = self.find(pop, item, at);
        let answer = match found {
            Some((version, late)) if late < 0 || late < self.rules.while_revalidate => {
                self.counts.hits += u64::from(counted);
                if late >= 0 {
                    self.fetch(pop, item, at);
                }
                version
            }
            _ => self.fetch(pop, item, at),
        };
        self.counts.stale += u64::from(counted && answer < newest);
    }

    /// The version of a copy, and how long it has not been fresh.
    fn find(&mut self, node: usize, item: u64, at: i64) -> Option<(u32, i64)> {
        let newest = self.newest(item, at);
        *self.nodes[node].asked.entry(item).or_default() += 1;
        let copies = &mut self.nodes[node].copies;
        let position = copies.iter().position(|copy| copy.item == item)?;
        let mut copy = copies.remove(position);
        let late = if self.rules.ttl.is_some() { at - copy.end } else { -1 };
        if late >= 0 && late >= self.rules.if_error.max(self.rules.while_revalidate) {
            return None;
        }
        self.number += 1;
        copy.used = self.number;
        if let (true, Some(ttl), true) = (self.rules.sliding, self.rules.ttl, late < 0) {
            copy.end = at + ttl;
        }
        let mut version = copy.version;
        if let (Some((delay, _)), Some(period)) = (self.rules.push, self.rules.changes) {
            let then = at - delay - self.start;
            version = version.max(version_under(self.rules.seed, item, period, then));
        }
        let back = if self.rules.leaves == Leaves::Lru { copies.len() } else { position };
        copies.insert(back, copy);
        (!self.rules.versioned || version >= newest).then_some((version, late))
    }

    /// Asks the shield, if it lives, and the origin.
    fn fetch(&mut self, pop: usize, item: u64, at: i64) -> u32 {
        let shield = self.rules.pops;
        let shield = (self.rules.shield.is_some() && !self.is_dead(shield, at)).then_some(shield);
        if let Some(shield) = shield
            && let Some((version, late)) = self.find(shield, item, at)
            && late < 0
        {
            self.put(pop, item, version, at);
            return version;
        }
        self.counts.fetched += u64::from(at >= 0);
        let newest = self.newest(item, at);
        if let Some(shield) = shield {
            self.put(shield, item, newest, at);
        }
        self.put(pop, item, newest, at);
        newest
    }

    fn put(&mut self, node: usize, item: u64, version: u32, at: i64) {
        let (capacity, end) = (self.capacity(node), at + self.rules.ttl.unwrap_or(0));
        if capacity == 0 {
            return;
        }
        self.number += 1;
        let (lru, used) = (self.rules.leaves == Leaves::Lru, self.number);
        let Node { copies, asked } = &mut self.nodes[node];
        if let Some(position) = copies.iter().position(|copy| copy.item == item) {
            let Copy { used, .. } = copies.remove(position);
            let back = if lru { copies.len() } else { position };
            return copies.insert(back, Copy { item, version, end, used });
        }
        if self.rules.leaves != Leaves::Lfu && copies.len() >= capacity {
            copies.remove(0);
        }
        copies.push(Copy { item, version, end, used });
        while copies.len() > capacity {
            let asked = |copy: &Copy| asked.get(&copy.item).copied().unwrap_or(0);
            let least = (0..copies.len()).min_by_key(|&at| (asked(&copies[at]), copies[at].used));
            copies.remove(least.expect("the list is not empty"));
        }
    }
}

/// Runs a scenario, which has to count what the rules come to.
#[track_caller]
pub fn same(edge: &Edge<'_>, rules: &Rules) -> Counts {
    let trial = edge.run();
    let expected = replay(rules, 0, &requests(&trial));
    assert_eq!(counted(&trial), expected, "{rules:?}\n{}", edge.text());
    expected
}
