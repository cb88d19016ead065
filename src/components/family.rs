//! Who waits for whom: parents, children, branches, and letting go of them.
//!
//! A frame knows the calls made from it and the frame that waits for it. Here frames are orphaned,
//! abandoned and dropped; why, is the affair of `caller` and `callee`.

use super::call::{ByParent, Call, CallKey, Phase, flag};
use super::context::Cx;
use super::event::Event;
use super::topology::{Chooser, ComponentId, LinkId};
use crate::engine::list::List;
use crate::engine::stream::DrawKey;
use crate::units::Duration;

impl Cx<'_> {
    /// Adds a frame to the children of the one that waits for it.
    pub(super) fn adopt(&mut self, parent: CallKey, child: CallKey) {
        let mut children = self.calls[parent].children;
        children.push_back::<ByParent, _>(&mut self.calls, child.index);
        self.calls[parent].children = children;
    }

    #[inline(always)]
    pub(super) fn unlink(&mut self, key: CallKey) {
        let call = &mut self.calls[key];
        if !call.is(flag::CHILD) {
            return;
        }
        call.clear(flag::CHILD);
        let parent = call.parent;
        let children = &mut self.calls[parent].children;
        if children.len() == 1 {
            *children = List::default();
        } else {
            self.disown(parent, key);
        }
    }

    /// Takes one of several children out.
    fn disown(&mut self, parent: CallKey, child: CallKey) {
        let mut children = self.calls[parent].children;
        children.remove::<ByParent, _>(&mut self.calls, child.index);
        self.calls[parent].children = children;
    }

    /// Nobody waits for the frame any more: its work, and that of the calls below it, is wasted.
    pub(super) fn abandon(&mut self, key: CallKey, cancel: bool) {
        self.calls[key].parent = CallKey::NONE;
        self.stack.clear();
        self.stack.push(key);
        while let Some(next) = self.stack.pop() {
            let call = &mut self.calls[next];
            call.set(flag::WASTED);
            let children = call.children;
            let mut child = children.front();
            while let Some(index) = child {
                self.stack.push(self.calls.key_at(index));
                child = children.after::<ByParent, _>(&self.calls, index);
            }
        }
        if cancel && !self.calls[key].is(flag::CANCELLED) {
            self.calls[key].set(flag::CANCELLED);
            self.schedule.ready(Event::Cancel(key));
        }
    }

    /// Lets go of all calls made from a frame: it has answered, died, or was taken back. With
    /// `cancel`, or where the link's policy says so, the callees let go too.
    pub(super) fn orphan_children(&mut self, key: CallKey, cancel: bool) {
        let mut children = std::mem::take(&mut self.calls[key].children);
        while let Some(index) = children.pop_front::<ByParent, _>(&mut self.calls) {
            let child = self.calls.key_at(index);
            let call = &mut self.calls[child];
            call.clear(flag::CHILD);
            let branch = call.is(flag::BRANCH);
            match call.phase {
                Phase::PoolWait if !branch => {
                    self.disarm(child);
                    self.leave_pool(child);
                    self.calls.free(child);
                }
                Phase::Backoff => self.calls.free(child),
                _ => {
                    let link = call.link.index();
                    let by_policy = !branch && self.topology.links[link].policy.cancel;
                    self.abandon(child, cancel || by_policy);
                }
            }
        }
    }

    /// Forgets what the calls of a dead instance hold: its pools and connections died with it.
    pub(super) fn clear_callers(&mut self, component: ComponentId, instance: u16) {
        for (index, plan) in self.topology.links.iter().enumerate() {
            if plan.caller != component {
                continue;
            }
            let link = LinkId::new(index);
            let state = self.state_index(link, instance);
            let state = &mut self.states[state];
            if let Some(pool) = &mut state.pool {
                pool.clear();
            }
            if let Some(balancer) = &mut state.balancer {
                balancer.clear(plan.chooser == Chooser::Store);
            }
            state.discarded = 0;
            let keys: Vec<CallKey> = self.calls.keys().collect();
            for key in keys {
                let call = &mut self.calls[key];
                if call.link == link && call.caller_instance == instance {
                    call.clear(flag::HELD);
                }
            }
        }
    }

    /// Drops the frame for good: nobody waits for it and nobody works on it.
    pub(super) fn drop_frame(&mut self, key: CallKey) {
        self.disarm(key);
        if self.calls[key].is(flag::HELD) {
            self.release(key, None);
        }
        self.unlink(key);
        self.calls.free(key);
    }

    /// Starts a branch of the frame `parent` at step `pc`: same instance, same draws, no call.
    pub fn branch(&mut self, parent: CallKey, pc: u16) -> CallKey {
        let key = self.calls.allocate();
        let from = &self.calls[parent];
        let copy = Call {
            request: from.request,
            draw: from.draw,
            parent,
            flags: from.flags & flag::WASTED | flag::BRANCH | flag::CHILD,
            phase: Phase::Present,
            component: from.component,
            instance: from.instance,
            place: from.place,
            row: from.row,
            operation: from.operation,
            user: from.user,
            arrived: from.arrived,
            token: self.calls[key].token.wrapping_add(1),
            turns: from.turns,
            wanted: from.wanted,
            pc,
            ..Call::default()
        };
        self.calls[key] = copy;
        self.adopt(parent, key);
        key
    }

    /// Starts a task of an instance's own: a frame that nobody waits for and that is no call, from
    /// which it calls others. It dies with the instance.
    pub fn task(&mut self, component: ComponentId, instance: u16, draw: DrawKey) -> CallKey {
        let key = self.calls.allocate();
        let task = Call {
            request: draw,
            draw,
            parent: CallKey::NONE,
            flags: flag::BRANCH,
            phase: Phase::Present,
            component,
            instance,
            place: self.instance_index(component, instance) as u32,
            token: self.calls[key].token.wrapping_add(1),
            ..Call::default()
        };
        self.calls[key] = task;
        key
    }

    /// A task is done.
    pub fn end_task(&mut self, task: CallKey) {
        self.orphan_children(task, false);
        self.drop_frame(task);
    }

    /// A branch has ended: the frame that waits for it, if that still does.
    pub fn end_branch(&mut self, branch: CallKey) -> Option<CallKey> {
        let Call { parent, demand, .. } = self.calls[branch];
        self.orphan_children(branch, false);
        if parent.is_none() {
            self.waste(branch, Duration(0));
        } else {
            self.calls[parent].demand += demand;
        }
        self.drop_frame(branch);
        (!parent.is_none()).then_some(parent)
    }

    /// Enough branches have ended: the others run on for nobody, or are taken back.
    pub fn detach_branches(&mut self, parent: CallKey, cancel: bool) {
        self.orphan_children(parent, cancel);
    }
}
