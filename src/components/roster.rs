//! Which instances of a component there are: ordering one, listing it with its callers, letting go
//! of it.
//!
//! All instances that there may ever be have their place from the beginning; one that is not there
//! is absent. It is the component's room that decides how many there are. Callers learn at once who
//! is on the list (a registry tells them); whether one that is works, only their health checks say:
//! those that have any take a new instance in after as many good probes as one that was down.

use super::context::{Cx, Status};
use super::topology::{ComponentId, LinkPlan};
use crate::policy::health::Seen;

impl Cx<'_> {
    /// At the start: callers know of no absent instance.
    pub(super) fn strike_absent(&mut self) {
        for (index, facts) in self.topology.components.iter().enumerate() {
            for instance in facts.at_start..facts.instances() {
                self.list(ComponentId::new(index), instance, false);
            }
        }
    }

    /// Orders an absent instance: it serves after its start-up time, and `on_started` follows.
    pub fn order(&mut self, component: ComponentId, instance: u16) {
        let now = self.now();
        self.ledger.components[component.index()].ordered.change(now.0, 1);
        self.begin_startup(component, instance);
    }

    /// An ordered instance is gone for good, with all that it still has in hand.
    pub fn dismiss(&mut self, component: ComponentId, instance: u16) {
        let now = self.now();
        if self.status(component, instance) == Status::Up {
            self.crash(component, instance, false);
        }
        self.ledger.components[component.index()].ordered.change(now.0, -1);
        let index = self.instance_index(component, instance);
        let state = &mut self.instances[index];
        state.status = Status::Absent;
        state.life += 1;
    }

    /// Puts an instance onto the list of all callers, or takes it off: it gets no new calls.
    pub fn list(&mut self, component: ComponentId, instance: u16, listed: bool) {
        self.each_backend(component, instance, |plan, state, backend| {
            // Health checks say when it is up, and nobody goes farther than to the nearest.
            let near = !state.far.get(backend as usize).is_some_and(|&far| far);
            let up = listed.then_some(plan.health.is_none() && near);
            if let Some(balancer) = &mut state.balancer {
                balancer.list(backend, up);
            }
            if let Some(seen) = state.seen.get_mut(backend as usize) {
                *seen = Seen::default();
            }
        });
    }

    /// Whether nobody is connected to an instance and nothing is left to do there.
    pub fn is_idle(&mut self, component: ComponentId, instance: u16) -> bool {
        let mut open = 0;
        self.each_backend(component, instance, |_, state, backend| {
            open += state.balancer.as_ref().map_or(0, |balancer| balancer.open(backend));
        });
        open == 0 && !self.calls.keys().any(|key| self.is_at(key, component, instance))
    }

    /// Calls `each` with every caller's state of every link to an instance, and which of the link's
    /// backends that is.
    fn each_backend(
        &mut self,
        component: ComponentId,
        instance: u16,
        mut each: impl FnMut(&LinkPlan, &mut super::context::LinkState, u16),
    ) {
        let topology = self.topology;
        for (link, plan) in topology.links.iter().enumerate() {
            let first = self.first_state[link] as usize;
            let callers = usize::from(topology.callers(plan.caller));
            for (backend, &target) in plan.targets.iter().enumerate() {
                if target == (component, instance) {
                    let states = &mut self.states[first..first + callers];
                    states.iter_mut().for_each(|state| each(plan, state, backend as u16));
                }
            }
        }
    }
}
