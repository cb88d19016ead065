//! Why a forecast and the measurement part: what is in the plan, or happened, and the formula does
//! not know.
//!
//! A list to look at, not a proof: it says what can be the cause, not how much of it is.

use super::{Seen, laws};
use crate::components::ComponentPlan;
use crate::components::ledger::LinkLedger;
use crate::components::service::Step;
use crate::components::topology::LinkPlan;
use crate::engine::slots::UNLIMITED;
use crate::policy::balance::Strategy;
use crate::units::Duration;
use crate::world::users::load::Source;

/// What a forecast is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Concern {
    /// How much is done: visits, work, busy cores.
    Amount,
    /// How long it takes, how often it must wait, and for whom there is no place.
    Time,
}

/// The reasons at a component, or anywhere for the users.
pub(super) fn reasons(seen: &Seen<'_>, index: Option<usize>, concern: Concern) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    let mut add = |holds: bool, text: &str| {
        if holds && !list.iter().any(|one| one == text) {
            list.push(text.to_owned());
        }
    };
    let plan = seen.plan();
    add(!plan.faults.is_empty(), "faults");
    let here = |at: usize| index.is_none_or(|index| index == at);
    let all = (1..plan.topology.components.len()).filter(|&at| here(at));
    let happened = |count: fn(&LinkLedger) -> u64| {
        seen.context.observed.iter().flat_map(|one| &one.ledger.links).any(|link| count(link) > 0)
    };
    add(happened(|link| link.repeats), "callers repeat what fails");
    add(seen.context.overall.failed() > 0, "requests fail on their way");
    let remembers =
        |one: &ComponentPlan| matches!(one, ComponentPlan::Cache(_) | ComponentPlan::Cdn(_));
    add(plan.components.iter().any(remembers), "hit ratios differ from the expected ones");
    for at in all.clone() {
        let facts = plan.components[at - 1].facts();
        add(facts.scales(), "instances come and go");
        let asked = seen.flow.requests * laws::work_s(seen, at) / laws::cores(seen, at);
        let open = matches!(plan.users.source, Source::Open { .. });
        add(open && asked >= 1.0, "more is asked than there are cores for");
        add(shares_cores(seen, at), "cores are shared with others");
    }
    match concern {
        Concern::Amount => {
            let links = || plan.topology.links.iter().filter(|link| link.health.is_some());
            let probed = |at: usize| links().any(|link| leads_to(link, at));
            add(all.clone().any(probed), "health checks are work too");
            let copies = |one: &ComponentPlan| !one.facts().parts().is_empty();
            let at = |index: usize| copies(&plan.components[index - 1]);
            add(all.clone().any(at), "nodes send each other what was written");
        }
        Concern::Time => times(seen, &all.collect::<Vec<_>>(), &mut add),
    }
    add(!seen.context.settled, "the system had not settled");
    if list.is_empty() {
        list.push("no reason in the plan; one interval in twenty misses by chance".to_owned());
    }
    list
}

fn leads_to(link: &LinkPlan, component: usize) -> bool {
    link.targets.iter().any(|(target, _)| target.index() == component)
}

fn shares_cores(seen: &Seen<'_>, index: usize) -> bool {
    let topology = &seen.plan().topology;
    let machines = topology.components[index].places.iter();
    machines
        .map(|place| &topology.machines[place.machine as usize])
        .any(|one| one.tenants.len() > 1)
}

/// What makes calls wait more or less than a formula says.
fn times(seen: &Seen<'_>, components: &[usize], add: &mut impl FnMut(bool, &str)) {
    let plan = seen.plan();
    if let Source::Open { arrivals, profile, .. } = &plan.users.source {
        add(!arrivals.is_poisson(), "arrivals are not Poisson");
        add(!profile.is_constant(), "the load changes over time");
    }
    add(plan.users.visits.is_some(), "requests of a visit follow one another");
    add(plan.users.operations.iter().any(|one| one.loads.is_some()), "pages load several at once");
    for &at in components {
        let links = plan.topology.links.iter().filter(|link| leads_to(link, at));
        for link in links {
            let several = link.targets.len() > 1;
            let at_random = matches!(link.balance.strategy, Strategy::Random);
            add(several && !at_random, "a balancer deals calls out, not at random");
            add(link.policy.pool.is_some(), "callers wait for a pool");
        }
        if let ComponentPlan::Service(service) = &plan.components[at - 1] {
            add(service.queue.places != UNLIMITED, "the queue is limited");
            add(service.queue.timeout.is_some(), "calls leave the queue");
            let calls = service.steps.iter().any(|step| matches!(step, Step::Call { .. }));
            let held = calls && !service.asynchronous && service.workers != UNLIMITED;
            add(held, "slots are held while others are called");
        }
    }
    let empty = seen.context.observed.iter().all(|one| one.ledger.components[0].present_at[0] == 0);
    add(empty && plan.window.duration > Duration(0), "it was measured from its empty start");
}
