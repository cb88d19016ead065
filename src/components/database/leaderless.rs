//! Nodes without a primary: whoever is called coordinates, asks all nodes, and answers when enough
//! have; of several versions the newest counts.
//!
//! It moves messages and versions; work, disks and flushes of the nodes are the room's affair.

use super::cluster::Clock;
use super::plan::{LegsPlan, QuorumPlan};
use crate::components::call::{Access, Call, CallKey, Phase};
use crate::components::context::{Cx, Status};
use crate::components::topology::ComponentId;
use crate::engine::pages::Pages;
use crate::engine::stream::salt;
use crate::units::Duration;

const WAY: u64 = salt("way to a copy");
const BACK: u64 = salt("way back from a copy");

/// A message between a coordinator and a node.
#[derive(Clone, Copy, Debug, Default)]
struct Message {
    /// The call that the coordinator works on.
    call: CallKey,
    /// The node asked.
    node: u16,
    access: Access,
    /// The item, counted through all data sets.
    dense: u64,
    /// The version written, or found.
    version: u32,
    sort: Sort,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sort {
    /// To the node, which answers.
    #[default]
    Request,
    /// From the node.
    Answer,
    /// To the node: its copy is old. It does not answer.
    Repair,
}

/// What the room has to do next.
pub enum Next {
    /// Nothing.
    Nothing,
    /// Run a node's share of an operation: its number is the item of a background frame.
    Work(u16, Access, u64),
    /// The call has its answers, with the newest version.
    Done(CallKey, u32),
}

/// The copies and the messages on their way.
pub struct Leaderless<'p> {
    id: ComponentId,
    plan: &'p QuorumPlan,
    copies: Vec<Pages<u32>>,
    messages: Vec<Message>,
    free: Vec<u32>,
}

impl<'p> Leaderless<'p> {
    /// All nodes have everything; nothing is on its way.
    pub fn new(id: ComponentId, plan: &'p QuorumPlan, nodes: u16, items: u64) -> Self {
        let copies = (0..nodes).map(|_| Pages::new(items + 1)).collect();
        Self { id, plan, copies, messages: Vec::new(), free: Vec::new() }
    }

    fn put(&mut self, message: Message) -> u32 {
        match self.free.pop() {
            Some(place) => {
                self.messages[place as usize] = message;
                place
            }
            None => {
                self.messages.push(message);
                self.messages.len() as u32 - 1
            }
        }
    }

    /// A coordinator asks all nodes.
    pub fn ask(&mut self, cx: &mut Cx<'_>, call: CallKey, dense: u64) {
        let Call { access, instance, draw, .. } = cx.calls[call];
        let write = access == Access::Write;
        let version = if write { cx.write_committed(call) } else { 0 };
        let frame = &mut cx.calls[call];
        frame.version = version;
        frame.pending = if write { self.plan.write } else { self.plan.read };
        frame.turns = 0;
        for node in 0..self.copies.len() as u16 {
            let way = draw.child(WAY).child(u64::from(node));
            let delay = match &self.plan.legs {
                None => cx.trip_between(self.id, instance, node, way) / 2,
                Some(LegsPlan::Whole(law)) => law.sample(&mut way.draw()) / 2,
                Some(LegsPlan::Ways { write: law, .. }) if write => law.sample(&mut way.draw()),
                Some(LegsPlan::Ways { there, .. }) => there.sample(&mut way.draw()),
            };
            let sort = Sort::Request;
            self.send(cx, delay, instance, Message { call, node, access, dense, version, sort });
        }
    }

    fn send(&mut self, cx: &mut Cx<'_>, delay: i64, at: u16, message: Message) {
        let place = self.put(message);
        cx.later(Duration(delay), self.id, at, Clock::Message.word(place));
    }

    /// A message arrives.
    pub fn arrived(&mut self, cx: &mut Cx<'_>, place: u32) -> Next {
        let message = self.messages[place as usize];
        let up = cx.status(self.id, message.node) == Status::Up;
        match message.sort {
            Sort::Answer => {
                self.free.push(place);
                self.answered(cx, message)
            }
            _ if !up => {
                self.free.push(place);
                Next::Nothing
            }
            Sort::Repair => {
                self.free.push(place);
                self.store(message);
                Next::Nothing
            }
            Sort::Request if self.plan.legs.is_some() => {
                self.worked(cx, u64::from(place));
                Next::Nothing
            }
            Sort::Request => Next::Work(message.node, message.access, u64::from(place)),
        }
    }

    /// The call that a share belongs to.
    pub fn call_of(&self, place: u64) -> CallKey {
        self.messages[place as usize].call
    }

    fn store(&mut self, message: Message) {
        let copy = self.copies[message.node as usize].get_mut(message.dense);
        *copy = message.version.max(*copy);
    }

    /// A node has done its share: it answers.
    pub fn worked(&mut self, cx: &mut Cx<'_>, place: u64) {
        let mut message = self.messages[place as usize];
        self.free.push(place as u32);
        if message.access == Access::Write {
            self.store(message);
        } else {
            message.version = self.copies[message.node as usize].get(message.dense);
        }
        let Some(frame) = cx.calls.get(message.call) else { return };
        let (draw, coordinator) = (frame.draw, frame.instance);
        let node = u64::from(message.node);
        let delay = match &self.plan.legs {
            None => {
                let way = draw.child(WAY).child(node);
                let trip = cx.trip_between(self.id, coordinator, message.node, way);
                trip - trip / 2
            }
            Some(LegsPlan::Whole(law)) => {
                let trip = law.sample(&mut draw.child(WAY).child(node).draw());
                trip - trip / 2
            }
            Some(LegsPlan::Ways { back, .. }) => {
                back.sample(&mut draw.child(BACK).child(node).draw())
            }
        };
        message.sort = Sort::Answer;
        self.send(cx, delay, coordinator, message);
    }

    /// A coordinator hears from a node; the newest version counts.
    fn answered(&mut self, cx: &mut Cx<'_>, message: Message) -> Next {
        let Some(frame) = cx.calls.get_mut(message.call) else { return Next::Nothing };
        if frame.phase != Phase::Present || frame.pending == 0 {
            return Next::Nothing;
        }
        frame.version = frame.version.max(message.version);
        frame.turns |= 1 << message.node;
        frame.pending -= 1;
        if frame.pending > 0 {
            return Next::Nothing;
        }
        let (version, met, coordinator) = (frame.version, frame.turns, frame.instance);
        if self.plan.read_repair && message.access == Access::Read {
            self.repair(cx, Message { version, sort: Sort::Repair, ..message }, met, coordinator);
        }
        Next::Done(message.call, version)
    }

    /// Sends the newest version to the nodes that have answered with an older one.
    fn repair(&mut self, cx: &mut Cx<'_>, newest: Message, met: u64, coordinator: u16) {
        let draw = cx.calls[newest.call].draw;
        for node in 0..self.copies.len() as u16 {
            let old = self.copies[node as usize].get(newest.dense) < newest.version;
            if met >> node & 1 == 0 || !old {
                continue;
            }
            let way = draw.child(BACK).child(u64::from(node));
            let delay = match &self.plan.legs {
                None => cx.trip_between(self.id, coordinator, node, way) / 2,
                Some(LegsPlan::Whole(law)) => law.sample(&mut way.draw()) / 2,
                Some(LegsPlan::Ways { write, .. }) => write.sample(&mut way.draw()),
            };
            self.send(cx, delay, coordinator, Message { node, ..newest });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::stream::{DrawKey, salt};

    /// Share of reads that return one of the last `k` versions, when each write reaches `w` copies
    /// of `n` drawn at random and goes no further, and a read asks `r` drawn at random.
    fn within_k_versions(n: u64, r: u64, w: u64, k: u32) -> f64 {
        let mut draw = DrawKey(salt("k-staleness")).draw();
        let mut copies = vec![0u32; n as usize];
        let mut some = |count: u64| {
            let mut left: Vec<usize> = (0..n as usize).collect();
            (0..count)
                .map(|_| left.swap_remove(draw.below(left.len() as u64) as usize))
                .collect::<Vec<_>>()
        };
        let (reads, mut fresh) = (400_000, 0);
        for version in 1..=reads {
            for node in some(w) {
                copies[node] = version;
            }
            let newest = some(r).into_iter().map(|node| copies[node]).max();
            fresh += u32::from(newest.is_some_and(|newest| newest + k > version));
        }
        f64::from(fresh) / f64::from(reads)
    }

    /// P-REP-05: Bailis et al., Probabilistically Bounded Staleness, VLDB 2012, section 3.1. The
    /// tolerance is 4.5 standard errors of 400,000 reads, which are not quite independent.
    #[test]
    fn reads_of_partial_quorums_are_as_old_as_the_closed_form_says() {
        let cases = [
            (3, 1, 1, 1, 0.333_333),
            (3, 1, 1, 3, 0.703_704),
            (3, 1, 2, 2, 0.888_889),
            (3, 2, 2, 1, 1.0),
        ];
        for (n, r, w, k, expected) in cases {
            let share = within_k_versions(n, r, w, k);
            assert!((share - expected).abs() < 0.0047, "N {n} R {r} W {w} k {k}: {share}");
        }
    }
}
