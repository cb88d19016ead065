//! The expected flow: how often each sort of call happens, from the load and the programs alone.
//!
//! A first-order picture (no retries, no failures), for lints, warm starts, estimates and
//! forecasts. It never enters a measured result.

use std::collections::BTreeMap;

use crate::components::ComponentPlan;
use crate::components::facts::Visit;
use crate::components::topology::{ComponentId, OperationId, Topology};
use crate::units::{Duration, Instant};
use crate::world::users::load::{Source, UsersPlan};

/// Expected rates of calls.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    /// Calls per second by sort.
    pub rates: BTreeMap<Visit, f64>,
    /// User requests per second, loads of pages included.
    pub requests: f64,
}

/// Why a flow cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A call leads back to where it came from: the components on the way.
    Cycle(Vec<ComponentId>),
    /// A component has no handler for an operation that reaches it.
    Unhandled(ComponentId, OperationId),
}

/// User requests per second that begin with one of the weighted operations, on average over the
/// measured time; for closed users the most that they could send.
pub fn offered(users: &UsersPlan, duration: Duration) -> f64 {
    match &users.source {
        Source::Open { rate, profile, .. } => {
            rate.0 * profile.mean_factor(Instant(0), Instant(duration.0))
        }
        Source::Closed { think } => f64::from(users.count) / (think.mean_ns() / 1e9).max(1e-9),
    }
}

/// Follows the load through the programs.
pub fn follow(
    topology: &Topology,
    components: &[ComponentPlan],
    users: &UsersPlan,
    duration: Duration,
) -> (Flow, Vec<Problem>) {
    let mut walk = Walk { topology, components, flow: Flow::default(), problems: Vec::new() };
    let whole = offered(users, duration);
    let mut before = 0.0;
    for (index, bound) in users.bounds.iter().enumerate() {
        walk.request(users, OperationId::new(index), whole * (bound - before), 0);
        before = *bound;
    }
    (walk.flow, walk.problems)
}

struct Walk<'a> {
    topology: &'a Topology,
    components: &'a [ComponentPlan],
    flow: Flow,
    problems: Vec<Problem>,
}

/// Pages whose loads load pages: deeper than this is not followed.
const LOADS_DEEP: usize = 8;

impl Walk<'_> {
    fn request(&mut self, users: &UsersPlan, operation: OperationId, rate: f64, deep: usize) {
        let plan = &users.operations[operation.index()];
        self.flow.requests += rate;
        let component = self.topology.links[plan.entry.index()].target();
        let visit = Visit { component, operation, access: plan.access, data: plan.data };
        self.visit(visit, rate, &mut Vec::new());
        if let (Some(loads), true) = (&plan.loads, deep < LOADS_DEEP) {
            for &load in &loads.requests {
                self.request(users, load, rate, deep + 1);
            }
        }
    }

    fn visit(&mut self, visit: Visit, rate: f64, path: &mut Vec<(ComponentId, OperationId)>) {
        let here = (visit.component, visit.operation);
        if path.contains(&here) {
            let mut way: Vec<ComponentId> = path.iter().map(|step| step.0).collect();
            way.push(visit.component);
            self.note(Problem::Cycle(way));
            return;
        }
        let plan = &self.components[visit.component.index() - 1];
        if !plan.facts().handles(visit.operation) {
            self.note(Problem::Unhandled(visit.component, visit.operation));
            return;
        }
        *self.flow.rates.entry(visit).or_default() += rate;
        let mut calls: Vec<(Visit, f64)> = Vec::new();
        plan.facts().calls(visit, self.topology, &mut |next, times| calls.push((next, times)));
        path.push(here);
        for (next, times) in calls {
            self.visit(next, rate * times, path);
        }
        path.pop();
    }

    fn note(&mut self, problem: Problem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}
