//! Death, election and return of the nodes of a cluster.
//!
//! What a dead primary had sent and nobody had received is lost with its connections; what it had
//! acknowledged and the heir has not received is gone, and is counted once, when the heir opens.

use std::cmp::Reverse;

use super::cluster::{Clock, Cluster, Follower};
use crate::components::context::Cx;

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
    pub(super) fn detect(&mut self, cx: &mut Cx<'_>, node: u16) {
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
    pub(super) fn try_open(&mut self, cx: &mut Cx<'_>) {
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
