//! One primary and the replicas that follow its log: how far each has come, who has to have a write
//! before its writer hears of it, and who takes over when the primary dies.
//!
//! The cluster moves positions and roles; calls, connections and statements are the room's affair,
//! which asks it what a node sees and is told which commits are safe.

use std::cmp::Reverse;
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
struct Follower {
    /// Whether it takes part: not dead for long, not replaced.
    member: bool,
    /// Whether it was the primary and has been replaced.
    replaced: bool,
    /// Whether its log is no longer part of the primary's: it must begin with a copy.
    diverged: bool,
    /// It has the log up to here.
    received: u64,
    /// Its readers see the log up to here.
    visible: u64,
    /// The next write to begin applying.
    next: u64,
    applying: u32,
    /// From `visible` on, which writes are applied.
    applied: VecDeque<bool>,
    /// Positions on their way to it.
    coming: VecDeque<u64>,
    last_arrival: Instant,
    /// The primary knows that it has the log up to here.
    acknowledged: u64,
    /// Positions on their way back to the primary.
    answers: VecDeque<u64>,
    last_answer: Instant,
    /// Rises when what is on its way to it or from it is cut off.
    life: u32,
}

/// Primary and replicas.
pub struct Cluster<'p> {
    id: ComponentId,
    plan: &'p ReplicationPlan,
    log: Log,
    nodes: Vec<Follower>,
    primary: u16,
    /// The primary that the callers know.
    announced: u16,
    /// Commits whose writers do not know yet that they are safe, by position.
    waiting: VecDeque<(u64, CallKey)>,
    /// A semi-synchronous primary has given up waiting.
    alone: bool,
    alone_armed: bool,
    /// Who is to be the next primary, and whether it may open.
    heir: Option<(u16, bool)>,
    /// Rises with every election.
    election: u32,
    /// Somebody is sure that the primary is dead, and nobody could take over.
    orphaned: bool,
    draws: DrawKey,
    drawn: u64,
    /// From commit to application, of the writes applied in the measured time.
    pub lag: Histogram,
    /// Writes committed and not yet seen by a replica's readers, over all replicas that follow.
    backlog: Gauge,
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

    fn later(&self, cx: &mut Cx<'_>, delay: Duration, node: u16, clock: Clock, number: u32) {
        cx.later(delay, self.id, node, clock.word(number));
    }

    fn up(&self, cx: &Cx<'_>, node: u16) -> bool {
        cx.status(self.id, node) == Status::Up
    }

    /// Whether a replica takes what is sent to it.
    fn listens(&self, cx: &Cx<'_>, node: u16) -> bool {
        self.up(cx, node) && !self.nodes[node as usize].replaced
    }

    fn replicas(&self) -> impl Iterator<Item = u16> + Clone + use<> {
        let primary = self.primary;
        (0..self.nodes.len() as u16).filter(move |&node| node != primary)
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
    fn send(&mut self, cx: &mut Cx<'_>, node: u16, position: u64) {
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
    fn settle(&mut self) {
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
    fn apply(&mut self, cx: &mut Cx<'_>, node: u16) {
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
    fn steer(&self, cx: &mut Cx<'_>) {
        let nodes = self.nodes.iter().enumerate();
        let reads = nodes.map(|(node, one)| one.member && node != self.announced as usize);
        cx.steer(self.id, Some(self.announced), &reads.collect::<Vec<_>>());
    }

    fn draw(&mut self, law: &Sampler) -> Duration {
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

/// Death, election, return.
impl Cluster<'_> {
    /// A node died: what is on its way to it, from it, or being applied on it is gone; what it has
    /// received is on its disk.
    pub fn on_crash(&mut self, cx: &mut Cx<'_>, node: u16) {
        let cut = |follower: &mut Follower| {
            follower.life = follower.life.wrapping_add(1);
            follower.coming.clear();
            follower.answers.clear();
        };
        let follower = &mut self.nodes[node as usize];
        cut(follower);
        follower.applied.clear();
        follower.applying = 0;
        follower.next = follower.visible + 1;
        if node == self.primary {
            // What has left the primary's buffers but is not received is lost with the connection.
            self.waiting.clear();
            self.nodes.iter_mut().for_each(cut);
            for node in self.replicas() {
                self.nodes[node as usize].last_arrival = cx.now();
                self.nodes[node as usize].last_answer = cx.now();
            }
        }
        let plan = self.plan;
        if let Some(failover) = &plan.failover {
            let delay = self.draw(&failover.detect);
            let life = self.nodes[node as usize].life;
            self.later(cx, delay, node, Clock::Detect, life);
        }
    }

    /// Somebody is sure that a node is dead.
    fn detect(&mut self, cx: &mut Cx<'_>, node: u16) {
        if self.up(cx, node) {
            return;
        }
        cx.noticed(self.id, node);
        if node == self.primary {
            return self.elect(cx);
        }
        self.nodes[node as usize].member = false;
        self.steer(cx);
        self.settle();
        if self.heir.is_some_and(|(heir, _)| heir == node) {
            self.elect(cx);
        }
    }

    /// Chooses the replica that has received most.
    fn elect(&mut self, cx: &mut Cx<'_>) {
        let plan = self.plan;
        let Some(failover) = &plan.failover else { return };
        self.election = self.election.wrapping_add(1);
        let able = |node: &u16| self.nodes[*node as usize].member && self.up(cx, *node);
        // Of several that have received as much, the first.
        let rank = |node: &u16| (self.nodes[*node as usize].received, Reverse(*node));
        let best = self.replicas().filter(able).max_by_key(rank);
        self.orphaned = best.is_none();
        self.heir = best.map(|node| (node, false));
        if let Some(node) = best {
            let delay = self.draw(&failover.promote);
            self.later(cx, delay, node, Clock::Promote, self.election);
        }
    }

    /// Counts anew what replicas have not applied: nodes have changed their roles.
    fn recount(&mut self, cx: &Cx<'_>) {
        let end = self.log.end();
        let follows = |node: &u16| !self.nodes[*node as usize].replaced;
        let behind = self.replicas().filter(follows);
        let behind = behind.map(|node| end.saturating_sub(self.nodes[node as usize].visible));
        self.backlog.set(cx.now().0, behind.sum::<u64>() as i64);
    }

    /// The heir opens once it may and has applied all it has received.
    fn try_open(&mut self, cx: &mut Cx<'_>) {
        let Some((node, true)) = self.heir else { return };
        let plan = self.plan;
        let Some(failover) = &plan.failover else { return };
        let follower = &self.nodes[node as usize];
        if !self.up(cx, node) || follower.visible < follower.received {
            return;
        }
        self.heir = None;
        let received = follower.received;
        let mut lost = 0;
        for entry in self.log.cut(received) {
            if entry.acknowledged {
                lost += 1;
                if entry.version > 0 {
                    cx.versions.withdraw(entry.dense, entry.version_before());
                }
            }
        }
        let old = self.primary;
        self.lost += lost;
        cx.lost(self.id, old, lost);
        let dead = &mut self.nodes[old as usize];
        (dead.member, dead.replaced) = (false, true);
        self.primary = node;
        self.alone = false;
        self.alone_armed = false;
        for replica in self.replicas() {
            let follower = &mut self.nodes[replica as usize];
            follower.diverged |= follower.received > received;
            if follower.received < received && self.listens(cx, replica) {
                self.send(cx, replica, received);
            }
        }
        self.recount(cx);
        let delay = self.draw(&failover.redirect);
        self.later(cx, delay, node, Clock::Redirect, self.election);
    }

    /// A node that had died serves again.
    pub fn on_started(&mut self, cx: &mut Cx<'_>, node: u16) {
        let end = self.log.end();
        if node == self.primary {
            // Nobody has replaced it: what it had committed is on its disk.
            self.election = self.election.wrapping_add(1);
            (self.heir, self.orphaned) = (None, false);
            (self.alone, self.alone_armed) = (false, false);
            for replica in self.replicas() {
                if self.nodes[replica as usize].received < end && self.listens(cx, replica) {
                    self.send(cx, replica, end);
                }
            }
            return;
        }
        let rejoin = self.plan.failover.as_ref().is_some_and(|failover| failover.rejoin);
        let kept = end + 1 - self.log.len() as u64;
        let follower = &mut self.nodes[node as usize];
        if follower.replaced && !rejoin {
            return;
        }
        if follower.replaced || follower.diverged || follower.received + 1 < kept {
            (follower.received, follower.visible, follower.next) = (end, end, end + 1);
            follower.acknowledged = end;
            (follower.replaced, follower.diverged) = (false, false);
        }
        follower.member = true;
        follower.last_arrival = cx.now();
        let behind = follower.received < end;
        self.recount(cx);
        self.steer(cx);
        if behind && self.up(cx, self.primary) {
            self.send(cx, node, end);
        }
        self.apply(cx, node);
        if self.orphaned {
            self.elect(cx);
        }
    }
}
