//! Visits, work and busy cores of each component: the forced flow law and the utilisation law.
//!
//! All are reckoned from the programs: a component is visited as often as its callers' steps say,
//! each visit costs the mean of its work, and cores are busy for the rate of requests times the
//! work per request. Hit ratios are the expected ones of a cache's size. With closed users nobody
//! sets the rate, and the measured one is taken.

use super::reasons::{Concern, reasons};
use super::{Seen, is_excluded};
use crate::experiment::summarize::{estimate, quotient};
use crate::experiment::summary::{Beside, Bound, Law};
use crate::world::Observations;
use crate::world::users::load::Source;

/// The components that requests are expected to reach, in the order of the plan.
pub(super) fn laws(seen: &Seen<'_>) -> Vec<Law> {
    let reached = |&index: &usize| seen.rate(index) > 0.0;
    let all = 1..seen.plan().topology.components.len();
    let known = seen.flow.requests > 0.0;
    all.filter(|_| known).filter(reached).map(|index| law(seen, index)).collect()
}

fn law(seen: &Seen<'_>, index: usize) -> Law {
    let (plan, observed) = (seen.plan(), seen.context.observed);
    let offered =
        |one: &Observations| one.users.iter().map(|users| users.offered as f64).sum::<f64>();
    let probe = plan.topology.probe().index();
    let arrived = move |one: &Observations| -> f64 {
        let operations = one.ledger.components[index].operations.iter().enumerate();
        let calls = operations.filter(|&(operation, _)| operation != probe);
        calls.map(|(_, ledger)| ledger.arrived as f64).sum()
    };
    let visits = Beside {
        predicted: seen.rate(index) / seen.flow.requests,
        measured: estimate(observed, |one| quotient(arrived(one), offered(one))),
    };
    let work_s = work_s(seen, index);
    let busy_s = |one: &Observations| one.ledger.components[index].busy_ns / 1e9;
    let work_ms = Beside {
        predicted: work_s * 1e3,
        measured: estimate(observed, |one| quotient(busy_s(one) * 1e3, offered(one))),
    };
    let rate = match plan.users.source {
        Source::Open { .. } => Some(seen.flow.requests),
        Source::Closed { .. } => seen.context.overall.throughput_rps.mean.finite(),
    };
    let cores = cores(seen, index);
    let measured = seen.component(index).utilization;
    let utilization = rate
        .filter(|_| cores.is_finite() && cores > 0.0 && work_s > 0.0)
        .map(|rate| Beside { predicted: rate * work_s / cores, measured });
    let figures = [Some(&visits), Some(&work_ms), utilization.as_ref()];
    let apart = figures
        .into_iter()
        .flatten()
        .any(|one| is_excluded(Bound::Equal, one.predicted, &one.measured));
    let reasons = match apart {
        true => reasons(seen, Some(index), Concern::Amount),
        false => Vec::new(),
    };
    Law { component: seen.name(index), visits, work_ms, utilization, reasons }
}

/// Expected core time at a component for one request of the mix, over all its instances, in
/// seconds.
pub(super) fn work_s(seen: &Seen<'_>, index: usize) -> f64 {
    let topology = &seen.plan().topology;
    let facts = seen.plan().components[index - 1].facts();
    let here = seen.flow.rates.iter().filter(|(visit, _)| visit.component.index() == index);
    let nodes = topology.components[index].instances();
    let each = here.map(|(visit, rate)| {
        let node =
            |node: u16| facts.node_demand_ns(*visit, node, topology) / speed(seen, (index, node));
        rate * (0..nodes).map(node).sum::<f64>()
    });
    each.sum::<f64>() / 1e9 / seen.flow.requests
}

/// Cores of the instances at the start.
pub(super) fn cores(seen: &Seen<'_>, index: usize) -> f64 {
    let facts = &seen.plan().topology.components[index];
    facts.cores * f64::from(facts.at_start)
}

fn speed(seen: &Seen<'_>, (index, node): (usize, u16)) -> f64 {
    let topology = &seen.plan().topology;
    let place = topology.components[index].places.get(usize::from(node));
    place.map_or(1.0, |place| topology.machines[place.machine as usize].speed)
}
