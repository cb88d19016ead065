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
///
/// Every sort of call is looked at once, however many ways lead to it: first all sorts that can be
/// reached, then their rates in an order in which each comes after all that call it.
pub fn follow(
    topology: &Topology,
    components: &[ComponentPlan],
    users: &UsersPlan,
    duration: Duration,
) -> (Flow, Vec<Problem>) {
    let mut walk = Walk {
        topology,
        components,
        sent: Vec::new(),
        requests: 0.0,
        done: BTreeMap::new(),
        order: Vec::new(),
        problems: Vec::new(),
    };
    let whole = offered(users, duration);
    for (index, share) in users.shares().into_iter().enumerate() {
        if share > 0.0 || users.visits.is_none() {
            walk.request(users, OperationId::new(index), whole * share, 0);
        }
    }
    for visit in walk.sent.iter().map(|sent| sent.0).collect::<Vec<_>>() {
        walk.visit(visit, &mut Vec::new());
    }
    (Flow { rates: walk.rates(), requests: walk.requests }, walk.problems)
}

struct Walk<'a> {
    topology: &'a Topology,
    components: &'a [ComponentPlan],
    /// What users send, with its rate.
    sent: Vec<(Visit, f64)>,
    requests: f64,
    /// The calls that a visit makes, for every visit that has been looked at.
    done: BTreeMap<Visit, Vec<(Visit, f64)>>,
    /// Those in an order in which a visit comes after all that it calls.
    order: Vec<Visit>,
    problems: Vec<Problem>,
}

/// Pages whose loads load pages: deeper than this is not followed.
const LOADS_DEEP: usize = 8;

impl Walk<'_> {
    fn request(&mut self, users: &UsersPlan, operation: OperationId, rate: f64, deep: usize) {
        let plan = &users.operations[operation.index()];
        self.requests += rate;
        for (component, share) in self.topology.called_by_users(plan.entry) {
            let (access, data) = (plan.access, plan.data);
            let visit = Visit { component, operation, access, data, statements: 1 };
            self.sent.push((visit, rate * share));
        }
        if let (Some(loads), true) = (&plan.loads, deep < LOADS_DEEP) {
            for &load in &loads.requests {
                self.request(users, load, rate, deep + 1);
            }
        }
    }

    fn visit(&mut self, visit: Visit, path: &mut Vec<(ComponentId, OperationId)>) {
        let here = (visit.component, visit.operation);
        if path.contains(&here) {
            let mut way: Vec<ComponentId> = path.iter().map(|step| step.0).collect();
            way.push(visit.component);
            self.note(Problem::Cycle(way));
            return;
        }
        if self.done.contains_key(&visit) {
            return;
        }
        let plan = &self.components[visit.component.index() - 1];
        if !plan.facts().handles(visit.operation) {
            self.note(Problem::Unhandled(visit.component, visit.operation));
            return;
        }
        let mut calls: Vec<(Visit, f64)> = Vec::new();
        plan.facts().calls(visit, self.topology, &mut |next, times| calls.push((next, times)));
        path.push(here);
        for (next, _) in &calls {
            self.visit(*next, path);
        }
        path.pop();
        self.done.insert(visit, calls);
        self.order.push(visit);
    }

    /// The rates of all visits, callers first; of what goes in a circle there are none.
    fn rates(&self) -> BTreeMap<Visit, f64> {
        let mut rates: BTreeMap<Visit, f64> = BTreeMap::new();
        let known = |visit: &Visit| self.done.contains_key(visit);
        for (visit, rate) in self.sent.iter().filter(|(visit, _)| known(visit)) {
            *rates.entry(*visit).or_default() += rate;
        }
        for visit in self.order.iter().rev() {
            let rate = rates.get(visit).copied().unwrap_or(0.0);
            for (next, times) in self.done[visit].iter().filter(|(next, _)| known(next)) {
                *rates.entry(*next).or_default() += rate * times;
            }
        }
        rates
    }

    fn note(&mut self, problem: Problem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Diagnostics;
    use crate::scenario::file::{Request, load};

    fn flow_of(text: &str) -> (Flow, Topology) {
        let request = Request { path: "flow.yaml", ..Request::default() };
        let loaded = load(request, &mut |_| Ok(text.as_bytes().to_vec()));
        let said: &Diagnostics = &loaded.diagnostics;
        assert!(!said.has_errors(), "{:?}", said.iter().collect::<Vec<_>>());
        let scenario = &loaded.scenarios[0].scenario;
        (scenario.flow.clone(), scenario.plan.topology.clone())
    }

    /// Forty layers, each of which calls the next one twice in two places: the rates double twice
    /// per layer, and the ways to the last one are more than anyone could walk.
    #[test]
    fn rates_multiply_along_more_ways_than_can_be_walked() {
        let mut text = String::from("users: { rate: 1/s }\nentry: s0\ncomponents:\n");
        for layer in 0..40 {
            let next = layer + 1;
            let call = format!("{{ call: s{next}, times: 2 }}");
            let steps = format!("default: [ work: 1us, {call}, {call} ]");
            text += &format!("  s{layer}: {{ kind: service, handle: {{ {steps} }} }}\n");
        }
        text += "  s40: { kind: service, work: 1us }\nnetwork: none\nrun: { warmup: 0s }\n";
        let (flow, topology) = flow_of(&text);
        assert_eq!(flow.requests, 1.0);
        for (visit, rate) in &flow.rates {
            let name = &topology.components[visit.component.index()].name;
            let layer: i32 = name[1..].parse().expect("a number");
            assert_eq!(*rate, 4.0_f64.powi(layer), "{name}");
        }
        assert_eq!(flow.rates.len(), 41);
    }
}
