//! One primary and the replicas that follow its log: how far each has come, who has to have a write
//! before its writer hears of it, and who takes over when the primary dies.
//!
//! The cluster moves positions and roles; calls, connections and statements are the room's affair,
//! which asks it what a node sees and is told which commits are safe.

use std::collections::VecDeque;

use super::log::Log;
use super::plan::{Mode, ReplicationPlan};
use crate::components::Role;
use crate::components::call::{Access, CallKey};
use crate::components::context::{Cx, Status};
use crate::components::topology::ComponentId;
use crate::engine::stream::{DrawKey, salt};
use crate::metrics::{Gauge, Histogram};
use crate::random::Sampler;
use crate::units::{Duration, Instant};

const DELAY: u64 = salt("replication delay");
const TRIP: u64 = salt("replication trip");
const APPLY: u64 = salt("apply");
const FAILOVER: u64 = salt("failover");

/// How long a semi-synchronous commit waits before the primary goes on alone
/// (MySQL: rpl_semi_sync_source_timeout, 10,000 ms).
const SEMI_SYNC_WAIT: Duration = Duration(10_000_000_000);
/// Writes kept for replicas that are down; beyond it they start from a copy when they come back.
const LOG_MAX: usize = 1 << 20;

/// The clocks of a database, told apart in the word of its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Clock {
    /// A flush ends.
    Flush,
    /// A replica receives what was sent to it.
    Received,
    /// The primary hears that a replica has it.
    Acknowledged,
    /// The log goes out as a batch.
    Ship,
    /// A semi-synchronous commit has waited long enough.
    Alone,
    /// Somebody is sure that a node is dead.
    Detect,
    /// The chosen node may open.
    Promote,
    /// The callers know the new primary.
    Redirect,
    /// A message between a coordinator and a copy arrives.
    Message,
}

impl Clock {
    const ALL: [Clock; 9] = [
        Clock::Flush,
        Clock::Received,
        Clock::Acknowledged,
        Clock::Ship,
        Clock::Alone,
        Clock::Detect,
        Clock::Promote,
        Clock::Redirect,
        Clock::Message,
    ];
    const BITS: u32 = 28;

    /// The word of an event; the number tells one of them from those before a death.
    pub fn word(self, number: u32) -> u32 {
        (self as u32) << Self::BITS | number & ((1 << Self::BITS) - 1)
    }

    /// What a word means.
    pub fn of(word: u32) -> (Self, u32) {
        (Self::ALL[(word >> Self::BITS) as usize], word & ((1 << Self::BITS) - 1))
    }
}

/// A node as the log sees it.
#[derive(Default)]
pub(super) struct Follower {
    /// Whether it takes part: not dead for long, not replaced.
    pub(super) member: bool,
    /// Whether it was the primary and has been replaced.
    pub(super) replaced: bool,
    /// Whether its log is no longer part of the primary's: it must begin with a copy.
    pub(super) diverged: bool,
    /// It has the log up to here.
    pub(super) received: u64,
    /// Its readers see the log up to here.
    pub(super) visible: u64,
    /// The next write to begin applying.
    pub(super) next: u64,
    pub(super) applying: u32,
    /// From `visible` on, which writes are applied.
    pub(super) applied: VecDeque<bool>,
    /// Positions on their way to it.
    pub(super) coming: VecDeque<u64>,
    pub(super) last_arrival: Instant,
    /// The primary knows that it has the log up to here.
    pub(super) acknowledged: u64,
    /// Positions on their way back to the primary.
    pub(super) answers: VecDeque<u64>,
    pub(super) last_answer: Instant,
    /// Rises when what is on its way to it or from it is cut off.
    pub(super) life: u32,
}

/// Primary and replicas.
pub struct Cluster<'p> {
    pub(super) id: ComponentId,
    pub(super) plan: &'p ReplicationPlan,
    pub(super) log: Log,
    pub(super) nodes: Vec<Follower>,
    pub(super) primary: u16,
    /// The primary that the callers know.
    pub(super) announced: u16,
    /// Commits whose writers do not know yet that they are safe, by position.
    pub(super) waiting: VecDeque<(u64, CallKey)>,
    /// A semi-synchronous primary has given up waiting.
    pub(super) alone: bool,
    pub(super) alone_armed: bool,
    /// Who is to be the next primary, and whether it may open.
    pub(super) heir: Option<(u16, bool)>,
    /// Rises with every election.
    pub(super) election: u32,
    /// Somebody is sure that the primary is dead, and nobody could take over.
    pub(super) orphaned: bool,
    pub(super) draws: DrawKey,
    pub(super) drawn: u64,
    /// From commit to application, of the writes applied in the measured time.
    pub lag: Histogram,
    /// Writes committed and not yet seen by a replica's readers, over all replicas that follow.
    pub(super) backlog: Gauge,
    /// Acknowledged writes lost since the room asked last.
    pub lost: u64,
    /// Commits that have become safe, for the room to answer.
    pub safe: Vec<(CallKey, u64)>,
}

impl<'p> Cluster<'p> {
    /// All nodes alike, the first one the primary.
    pub fn new(id: ComponentId, plan: &'p ReplicationPlan, nodes: u16, cx: &mut Cx<'p>) -> Self {
        let draws = cx.root.child(salt(&cx.topology.components[id.index()].name));
        let measure = cx.ledger.measure;
        let node = |_| Follower {
            member: true,
            next: 1,
            last_arrival: cx.now(),
            last_answer: cx.now(),
            ..Follower::default()
        };
        Self {
            id,
            plan,
            // One more for writes that name no item.
            log: Log::new(cx.topology.items() + 1),
            nodes: (0..nodes).map(node).collect(),
            primary: 0,
            announced: 0,
            waiting: VecDeque::new(),
            alone: false,
            alone_armed: false,
            heir: None,
            election: 0,
            orphaned: false,
            draws,
            drawn: 0,
            lag: Histogram::new(),
            backlog: Gauge::with_series(measure.gauge(), 0, measure.window_ns),
            lost: 0,
            safe: Vec::new(),
        }
    }

    /// Time begins.
    pub fn begin(&mut self, cx: &mut Cx<'_>) {
        self.steer(cx);
        if let Some(every) = self.plan.ship_every {
            let phase = self.draws.child(DELAY).draw().unit();
            self.later(cx, Duration((every.0 as f64 * phase) as i64), 0, Clock::Ship, 0);
        }
    }

    pub(super) fn later(
        &self,
        cx: &mut Cx<'_>,
        delay: Duration,
        node: u16,
        clock: Clock,
        number: u32,
    ) {
        cx.later(delay, self.id, node, clock.word(number));
    }

    pub(super) fn up(&self, cx: &Cx<'_>, node: u16) -> bool {
        cx.status(self.id, node) == Status::Up
    }

    /// Whether a replica takes what is sent to it.
    pub(super) fn listens(&self, cx: &Cx<'_>, node: u16) -> bool {
        self.up(cx, node) && !self.nodes[node as usize].replaced
    }

    pub(super) fn replicas(&self) -> impl Iterator<Item = u16> + Clone + use<> {
        let primary = self.primary;
        (0..self.nodes.len() as u16).filter(move |&node| node != primary)
    }

    /// Whether a node is the primary.
    pub fn leads(&self, node: u16) -> bool {
        node == self.primary
    }

    /// The node that has a role.
    pub fn with_role(&self, role: Role) -> Option<u16> {
        match role {
            Role::Primary => Some(self.primary),
            Role::Replica(number) => {
                let follows = |node: &u16| !self.nodes[*node as usize].replaced;
                self.replicas().filter(follows).nth(number as usize - 1)
            }
        }
    }

    /// The version of an item that a node's readers see.
    pub fn version_at(&self, node: u16, dense: u64) -> u32 {
        let to = if node == self.primary { u64::MAX } else { self.nodes[node as usize].visible };
        self.log.version_at(dense, to)
    }

    /// A write is committed on the primary: its position. It is safe at once if nobody has to have
    /// it; else the call is among the `safe` later.
    pub fn commit(&mut self, cx: &mut Cx<'_>, call: CallKey, dense: u64, version: u32) -> u64 {
        let now = cx.now();
        let position = self.log.append(dense, version, now);
        let followers = self.nodes.iter().filter(|node| !node.replaced).count() as i64 - 1;
        self.backlog.change(now.0, followers);
        self.waiting.push_back((position, call));
        if self.plan.ship_every.is_none() {
            for node in self.replicas() {
                if self.listens(cx, node) {
                    self.send(cx, node, position);
                }
            }
        }
        if self.plan.mode == Mode::SemiSync && !self.alone && !self.alone_armed {
            self.alone_armed = true;
            self.later(cx, SEMI_SYNC_WAIT, self.primary, Clock::Alone, self.election);
        }
        self.settle();
        position
    }

    /// The writer of a position hears that it is safe.
    pub fn acknowledge(&mut self, cx: &mut Cx<'_>, position: u64, user: u32) {
        self.log.acknowledge(position);
        if let Some(directory) = cx.directory(self.id) {
            directory.wrote(user, position);
        }
        self.spread(cx);
    }

    /// Sends the log up to a position to a replica; what arrives keeps the order of the log.
    pub(super) fn send(&mut self, cx: &mut Cx<'_>, node: u16, position: u64) {
        let now = cx.now();
        let draw = self.draws.child(position).child(u64::from(node));
        let delay = self.plan.delay.sample(&mut draw.child(DELAY).draw());
        let there = cx.trip_between(self.id, self.primary, node, draw.child(TRIP)) / 2;
        let follower = &mut self.nodes[node as usize];
        follower.coming.push_back(position);
        follower.last_arrival = follower.last_arrival.max(Instant(now.0 + delay + there));
        let wait = Duration(follower.last_arrival.0 - now.0);
        let life = follower.life;
        if wait.0 == 0 {
            self.received(cx, node);
        } else {
            self.later(cx, wait, node, Clock::Received, life);
        }
    }

    /// The next positions on their way to a replica have arrived.
    fn received(&mut self, cx: &mut Cx<'_>, node: u16) {
        let follower = &mut self.nodes[node as usize];
        let Some(position) = follower.coming.pop_front() else { return };
        follower.received = position;
        if self.plan.mode != Mode::Async {
            self.answer(cx, node, position);
        }
        self.apply(cx, node);
    }

    /// A replica tells the primary how far it has come.
    fn answer(&mut self, cx: &mut Cx<'_>, node: u16, position: u64) {
        let now = cx.now();
        let draw = self.draws.child(position).child(u64::from(node)).child(TRIP);
        let trip = cx.trip_between(self.id, self.primary, node, draw);
        let follower = &mut self.nodes[node as usize];
        follower.answers.push_back(position);
        follower.last_answer = follower.last_answer.max(Instant(now.0 + trip - trip / 2));
        let wait = Duration(follower.last_answer.0 - now.0);
        let life = follower.life;
        if wait.0 == 0 {
            self.acknowledged(node);
        } else {
            self.later(cx, wait, node, Clock::Acknowledged, life);
        }
    }

    fn acknowledged(&mut self, node: u16) {
        let follower = &mut self.nodes[node as usize];
        let Some(position) = follower.answers.pop_front() else { return };
        follower.acknowledged = position;
        if self.alone && position == self.log.end() {
            self.alone = false;
        }
        self.settle();
    }

    /// Moves the commits that are safe now to `safe`.
    pub(super) fn settle(&mut self) {
        let members = self.replicas().map(|node| &self.nodes[node as usize]);
        let members = members.filter(|follower| follower.member);
        let needed = match self.plan.mode {
            Mode::Async => 0,
            Mode::SemiSync if self.alone => 0,
            Mode::SemiSync => 1,
            Mode::Sync => members.clone().count(),
            Mode::Quorum(replicas) => replicas as usize,
        };
        let has =
            |position: u64| members.clone().filter(|one| one.acknowledged >= position).count();
        let positions = members.clone().map(|one| one.acknowledged);
        let safe = match needed {
            0 => u64::MAX,
            _ => positions.filter(|&position| has(position) >= needed).max().unwrap_or(0),
        };
        while let Some(&(position, call)) = self.waiting.front()
            && position <= safe
        {
            self.waiting.pop_front();
            self.safe.push((call, position));
        }
    }

    /// Begins as many writes as the replica may apply at once.
    pub(super) fn apply(&mut self, cx: &mut Cx<'_>, node: u16) {
        loop {
            let follower = &mut self.nodes[node as usize];
            if follower.applying >= self.plan.parallel || follower.next > follower.received {
                break;
            }
            let position = follower.next;
            follower.next += 1;
            let draw = self.draws.child(position).child(u64::from(node)).child(APPLY);
            let demand = self.plan.apply.sample(&mut draw.draw());
            follower.applied.push_back(demand == 0);
            if demand == 0 {
                self.show(cx, node);
                continue;
            }
            self.nodes[node as usize].applying += 1;
            let job = cx.background(self.id, node, Access::Apply);
            cx.calls[job].item = position;
            cx.work(job, Duration(demand));
        }
        self.try_open(cx);
    }

    /// A replica has applied a write.
    pub fn applied(&mut self, cx: &mut Cx<'_>, job: CallKey) {
        let (node, position) = (cx.calls[job].instance, cx.calls[job].item);
        cx.end_background(job);
        let follower = &mut self.nodes[node as usize];
        follower.applying -= 1;
        let place = (position - follower.visible - 1) as usize;
        follower.applied[place] = true;
        self.show(cx, node);
        self.apply(cx, node);
    }

    /// Readers see what is applied without a gap, in the order of the log.
    fn show(&mut self, cx: &mut Cx<'_>, node: u16) {
        let now = cx.now();
        let follower = &mut self.nodes[node as usize];
        while follower.applied.front() == Some(&true) {
            follower.applied.pop_front();
            follower.visible += 1;
            self.backlog.change(now.0, -1);
            if cx.ledger.measure.covers(now)
                && let Some(entry) = self.log.entry(follower.visible)
            {
                self.lag.record(now.0 - entry.committed.0);
            }
        }
        self.spread(cx);
    }

    /// What every replica has is neither kept nor asked for any longer.
    fn spread(&mut self, cx: &mut Cx<'_>) {
        let patient = self.log.len() <= LOG_MAX;
        let counts = |node: &u16| {
            let follower = &self.nodes[*node as usize];
            !follower.replaced && (patient || self.up(cx, *node))
        };
        let behind = self.replicas().filter(counts).map(|n| self.nodes[n as usize].visible);
        let least = behind.min().unwrap_or(self.log.end());
        self.log.trim(least);
        if let Some(directory) = cx.directory(self.id) {
            directory.reached(least);
        }
    }

    /// The backlog over the measured time.
    pub fn closed_backlog(&mut self) -> Gauge {
        self.backlog.close();
        self.backlog.clone()
    }

    /// Tells the callers whom to write to and whom to read from.
    pub(super) fn steer(&self, cx: &mut Cx<'_>) {
        let nodes = self.nodes.iter().enumerate();
        let reads = nodes.map(|(node, one)| one.member && node != self.announced as usize);
        let writers = vec![Some(self.announced); cx.topology.regions()];
        cx.steer(self.id, &writers, &reads.collect::<Vec<_>>());
    }

    pub(super) fn draw(&mut self, law: &Sampler) -> Duration {
        self.drawn += 1;
        Duration(law.sample(&mut self.draws.child(FAILOVER).child(self.drawn).draw()))
    }

    /// One of the cluster's clocks.
    pub fn on_clock(&mut self, cx: &mut Cx<'_>, node: u16, clock: Clock, number: u32) {
        let life = self.nodes[node as usize].life;
        match clock {
            Clock::Received if number == life => self.received(cx, node),
            Clock::Acknowledged if number == life => self.acknowledged(node),
            Clock::Ship => self.ship(cx),
            Clock::Alone => self.go_alone(cx, number),
            Clock::Detect if number == life => self.detect(cx, node),
            Clock::Promote if number == self.election => {
                self.heir = Some((node, true));
                self.try_open(cx);
            }
            Clock::Redirect if number == self.election => {
                self.announced = node;
                self.steer(cx);
            }
            _ => {}
        }
    }

    fn ship(&mut self, cx: &mut Cx<'_>) {
        let Some(every) = self.plan.ship_every else { return };
        self.later(cx, every, 0, Clock::Ship, 0);
        if !self.up(cx, self.primary) {
            return;
        }
        let end = self.log.end();
        for node in self.replicas() {
            let follower = &self.nodes[node as usize];
            let sent = follower.coming.back().copied().unwrap_or(follower.received);
            if sent < end && self.listens(cx, node) {
                self.send(cx, node, end);
            }
        }
    }

    /// The oldest commit has waited for replicas for long enough: the primary goes on alone.
    fn go_alone(&mut self, cx: &mut Cx<'_>, election: u32) {
        if election != self.election {
            return;
        }
        self.alone_armed = false;
        let Some(&(position, _)) = self.waiting.front() else { return };
        let since = self.log.entry(position).map_or(cx.now(), |entry| entry.committed);
        let left = since.0 + SEMI_SYNC_WAIT.0 - cx.now().0;
        if left > 0 {
            self.alone_armed = true;
            return self.later(cx, Duration(left), self.primary, Clock::Alone, election);
        }
        self.alone = true;
        self.settle();
    }
}
