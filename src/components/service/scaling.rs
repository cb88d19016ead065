//! The autoscaler of a service at work: it reads figures, orders instances and lets them go.
//!
//! At the end of each period it takes the averages over the instances in service; when they are
//! known, the rule says how many there should be. New instances take the lowest free places. Those
//! that go are first the ones that have not started, then the dead, then the newest; one that
//! serves takes no new calls, finishes what it has, and is gone when it is empty or its time to
//! drain is over.

use std::cmp::Reverse;
use std::collections::VecDeque;

use super::plan::ScalingPlan;
use crate::components::context::{Cx, Status};
use crate::components::topology::ComponentId;
use crate::policy::autoscale::{Reading, Scaler};
use crate::units::{Duration, Instant};

/// Words of the room's clock.
mod word {
    /// A period ends.
    pub const PERIOD: u32 = 0;
    /// The figures of a period are known.
    pub const KNOWN: u32 = 1;
    /// Time to look whether an instance that drains is empty.
    pub const LOOK: u32 = 2;
}

/// So many times at most it is looked whether an instance that drains is empty.
const LOOKS: i64 = 100;

/// Where an instance stands. The order is that in which they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Post {
    /// It was ordered and does not serve yet.
    Starting,
    /// It has started.
    Started,
    /// It takes no new calls.
    Draining {
        /// When it is gone at the latest.
        until: Instant,
    },
    /// It is not there.
    Absent,
}

/// What has been counted up to an instant.
#[derive(Clone, Copy)]
struct Counts {
    at: Instant,
    busy_ns: f64,
    waiting: i128,
    in_service: i128,
    arrived: u64,
}

/// The autoscaler of a service in one replication.
pub struct Scaling<'p> {
    id: ComponentId,
    plan: &'p ScalingPlan,
    scaler: Scaler,
    posts: Vec<Post>,
    /// Calls that came, without probes.
    pub arrived: u64,
    before: Option<Counts>,
    /// What was measured and is not known yet.
    late: VecDeque<Option<Reading>>,
}

impl<'p> Scaling<'p> {
    /// The instances of the start have started.
    pub fn new(id: ComponentId, plan: &'p ScalingPlan, cx: &Cx<'_>) -> Self {
        let facts = &cx.topology.components[id.index()];
        let post = |place| if place < facts.at_start { Post::Started } else { Post::Absent };
        Self {
            id,
            plan,
            scaler: Scaler::new(cx.now(), u32::from(facts.at_start)),
            posts: (0..facts.instances()).map(post).collect(),
            arrived: 0,
            before: None,
            late: VecDeque::new(),
        }
    }

    /// Time begins.
    pub fn begin(&mut self, cx: &mut Cx<'_>) {
        self.before = Some(self.count(cx));
        cx.later(self.plan.rule.every, self.id, 0, word::PERIOD);
    }

    /// An instance serves, for the first time or again.
    pub fn started(&mut self, cx: &mut Cx<'_>, instance: u16) {
        let post = &mut self.posts[instance as usize];
        if *post == Post::Starting {
            *post = Post::Started;
            cx.list(self.id, instance, true);
        }
    }

    /// The room's clock. The instance returned is gone.
    pub fn on_event(&mut self, cx: &mut Cx<'_>, instance: u16, word: u32) -> Vec<u16> {
        match word {
            word::PERIOD => {
                cx.later(self.plan.rule.every, self.id, 0, word::PERIOD);
                let reading = self.read(cx);
                self.late.push_back(reading);
                match self.plan.rule.metric_delay {
                    Duration(0) => self.decide(cx),
                    delay => {
                        cx.later(delay, self.id, 0, word::KNOWN);
                        Vec::new()
                    }
                }
            }
            word::KNOWN => self.decide(cx),
            _ => self.look(cx, instance).into_iter().collect(),
        }
    }

    fn count(&self, cx: &mut Cx<'_>) -> Counts {
        let at = cx.now();
        let busy_ns = cx.busy_ns_at(self.id, at);
        let ledger = &cx.ledger.components[self.id.index()];
        Counts {
            at,
            busy_ns,
            waiting: ledger.waiting.so_far(at.0),
            in_service: ledger.in_service.so_far(at.0),
            arrived: self.arrived,
        }
    }

    /// The figures of the period that ends; none when nobody was in service.
    fn read(&mut self, cx: &mut Cx<'_>) -> Option<Reading> {
        let now = self.count(cx);
        let before = self.before.replace(now)?;
        let served_ns = (now.in_service - before.in_service) as f64;
        let cores = cx.topology.components[self.id.index()].cores;
        let arrived = (now.arrived - before.arrived) as f64;
        (served_ns > 0.0).then(|| Reading {
            in_service: served_ns / (now.at.0 - before.at.0) as f64,
            utilization: (now.busy_ns - before.busy_ns) / (cores * served_ns),
            queue_length: (now.waiting - before.waiting) as f64 / served_ns,
            rate_per_instance: arrived / (served_ns / 1e9),
        })
    }

    /// Figures are known: orders instances or lets them go. Returns those that are gone.
    fn decide(&mut self, cx: &mut Cx<'_>) -> Vec<u16> {
        let now = cx.now();
        let reading = self.late.pop_front().flatten();
        let ordered = self.posts.iter().filter(|post| **post <= Post::Started).count();
        let wanted = self.scaler.decide(&self.plan.rule, now, reading.as_ref(), ordered as u32);
        let (more, less) = match wanted as usize {
            wanted if wanted > ordered => (wanted - ordered, 0),
            wanted => (0, ordered - wanted),
        };
        let all = 0..self.posts.len() as u16;
        let post = |&place: &u16| self.posts[place as usize];
        let free = all.clone().filter(|place| post(place) == Post::Absent);
        let new: Vec<u16> = free.take(more).collect();
        let mut go: Vec<u16> = all.filter(|place| post(place) <= Post::Started).collect();
        let serves = |place: u16| cx.status(self.id, place) == Status::Up;
        go.sort_by_key(|place| (post(place), serves(*place), Reverse(*place)));
        go.truncate(less);
        if !new.is_empty() || !go.is_empty() {
            self.scaler.acted(now);
        }
        for place in new {
            self.posts[place as usize] = Post::Starting;
            cx.order(self.id, place);
        }
        go.into_iter().filter_map(|place| self.let_go(cx, place)).collect()
    }

    /// An instance is to go; it is returned if it is gone already.
    fn let_go(&mut self, cx: &mut Cx<'_>, instance: u16) -> Option<u16> {
        let until = match self.posts[instance as usize] {
            Post::Started => Instant(cx.now().0 + self.plan.drain.0),
            // It has nothing to finish.
            _ => cx.now(),
        };
        self.posts[instance as usize] = Post::Draining { until };
        cx.list(self.id, instance, false);
        self.look(cx, instance)
    }

    /// Looks at an instance that drains; it is returned if it is gone.
    fn look(&mut self, cx: &mut Cx<'_>, instance: u16) -> Option<u16> {
        let Post::Draining { until } = self.posts[instance as usize] else { return None };
        let now = cx.now();
        let dead = cx.status(self.id, instance) != Status::Up;
        if now >= until || dead || cx.is_idle(self.id, instance) {
            self.posts[instance as usize] = Post::Absent;
            cx.dismiss(self.id, instance);
            return Some(instance);
        }
        let pause = (self.plan.drain.0 / LOOKS).max(1).min(until.0 - now.0);
        cx.later(Duration(pause), self.id, instance, word::LOOK);
        None
    }
}
