//! The components of a summary: all instances of each together.

use super::metric::{calls, in_service_core_ns, wait};
use super::sample::Sample;
use super::statistics::Value;
use super::summarize::{estimate, failures, proportion, quantiles, quotient, rate};
use super::summary::{Component, Extra, InService, Quantiles, Unit};
use crate::components::figures::{Declared, Sort};
use crate::components::ledger::{LinkLedger, OperationLedger};
use crate::components::outcome::Cause;
use crate::metrics::Histogram;
use crate::world::{Observations, Plan};

/// The figures of the component with this number.
pub fn component(plan: &Plan, observed: &[Observations], index: usize) -> Component {
    let facts = &plan.topology.components[index];
    let total = |one: &Observations, count: fn(&OperationLedger) -> u64| -> u64 {
        calls(&one.ledger.components[index]).iter().map(count).sum()
    };
    let waits = |one: &Observations| wait(calls(&one.ledger.components[index]).iter());
    let samples = |pick: fn(&OperationLedger) -> [&Histogram; 2]| -> Vec<Sample> {
        let sample = |one: &Observations| {
            Sample::of(calls(&one.ledger.components[index]).iter().flat_map(pick), 0, 0)
        };
        observed.iter().map(sample).collect()
    };
    let failed = |cause: Cause| -> u64 {
        let of = |one: &Observations| -> u64 {
            let calls = calls(&one.ledger.components[index]).iter();
            calls.map(|operation| operation.failed[cause as usize]).sum()
        };
        observed.iter().map(of).sum()
    };
    Component {
        kind: facts.kind.to_owned(),
        instances: u32::from(facts.at_start),
        in_service: in_service(plan, observed, index),
        utilization: utilization(plan, observed, index),
        wasted: estimate(observed, |one| {
            let ledger = &one.ledger.components[index];
            quotient(ledger.wasted_ns, ledger.busy_ns)
        })
        // A call is known to be for nobody at its end; some of its work may lie before the window.
        .within(0.0, 1.0),
        queue_length: estimate(observed, |one| one.ledger.components[index].waiting.mean().into()),
        in_system: estimate(observed, |one| one.ledger.components[index].present.mean().into()),
        arrivals_rps: rate(observed, |one| total(one, |operation| operation.arrived)),
        throughput_rps: rate(observed, |one| total(one, |operation| operation.completed)),
        prob_wait: proportion(observed, |one| {
            let waits = waits(one);
            (waits.positive(), waits.count())
        }),
        rejected: proportion(observed, |one| {
            let rejected = total(one, |operation| operation.failed[Cause::Rejected as usize]);
            (rejected, total(one, |operation| operation.arrived))
        }),
        wait_ms: quantiles(&observed.iter().map(waits).collect::<Vec<_>>()),
        service_ms: quantiles(&samples(|operation| operation.service())),
        sojourn_ms: quantiles(&samples(|operation| operation.sojourn())),
        failures: failures(failed),
        extras: extras(plan, observed, index),
    }
}

/// How many instances were in service, where they come and go.
fn in_service(plan: &Plan, observed: &[Observations], index: usize) -> Option<InService> {
    let ledgers = || observed.iter().map(|one| &one.ledger.components[index]);
    plan.components[index - 1].facts().scales().then(|| InService {
        mean: estimate(observed, |one| one.ledger.components[index].in_service.mean().into()),
        min: ledgers().map(|one| one.in_service_min() as u32).min().unwrap_or(0),
        max: ledgers().map(|one| one.in_service.max() as u32).max().unwrap_or(0),
    })
}

/// Busy core time over core time in service.
pub fn utilization(
    plan: &Plan,
    observed: &[Observations],
    index: usize,
) -> super::statistics::Estimate {
    let of = |one: &Observations| {
        let ledger = &one.ledger.components[index];
        quotient(ledger.busy_ns, in_service_core_ns(plan, index, ledger))
    };
    estimate(observed, of).within(0.0, 1.0)
}

/// What the kind and the links of the component add.
fn extras(plan: &Plan, observed: &[Observations], index: usize) -> Vec<Extra> {
    let mut list = Vec::new();
    for (part, name) in plan.components[index - 1].facts().parts().iter().enumerate() {
        let busy = |one: &Observations| {
            let part = one.ledger.components[index].parts[part];
            quotient(part.busy_ns, part.in_service_ns)
        };
        list.push(Extra {
            name: format!("{name}_utilization"),
            label: format!("{name} busy"),
            unit: Unit::Ratio,
            value: estimate(observed, busy).within(0.0, 1.0),
        });
    }
    for Declared { name, sort, .. } in plan.components[index - 1].facts().figures() {
        figure_extras(observed, (index, name, sort), &mut list);
    }
    let mut targets: Vec<usize> =
        links_of(plan, index).map(|link| plan.topology.links[link].target().index()).collect();
    targets.sort_unstable();
    targets.dedup();
    targets.into_iter().for_each(|target| link_extras(plan, observed, (index, target), &mut list));
    list
}

/// A figure of the kind; of a sample its median and its tail.
fn figure_extras(
    observed: &[Observations],
    (index, name, sort): (usize, &'static str, Sort),
    list: &mut Vec<Extra>,
) {
    let mut add = |suffix: &str, label: &str, unit: Unit, value| {
        let label = format!("{}{label}", name.replace('_', " "));
        list.push(Extra { name: format!("{name}{suffix}"), label, unit, value });
    };
    match sort {
        Sort::Ratio => {
            let counts = |one: &Observations| {
                let ratio = one.figures[index].ratio(name);
                ratio.map_or((0, 0), |ratio| (ratio.parts.iter().sum(), ratio.of.iter().sum()))
            };
            add("", "", Unit::Ratio, proportion(observed, counts));
        }
        Sort::Count => {
            let count = |one: &Observations| {
                let counts = one.figures[index].count(name).unwrap_or_default();
                (counts.iter().sum::<u64>() as f64).into()
            };
            add("", "", Unit::Count, estimate(observed, count).within(0.0, f64::INFINITY));
        }
        Sort::Level => {
            let mean = |one: &Observations| {
                one.figures[index].level(name).map_or(Value::NoData, |gauge| gauge.mean().into())
            };
            add("", "", Unit::Count, estimate(observed, mean));
        }
        Sort::Sample => {
            let samples =
                observed.iter().map(|one| Sample::of(one.figures[index].sample(name), 0, 0));
            let Quantiles { p50, p99, .. } = quantiles(&samples.collect::<Vec<_>>());
            add("_p50_ms", " p50", Unit::Milliseconds, p50);
            add("_p99_ms", " p99", Unit::Milliseconds, p99);
        }
    }
}

fn links_of(plan: &Plan, caller: usize) -> impl Iterator<Item = usize> + '_ {
    let links = plan.topology.links.iter().enumerate();
    links.filter(move |(_, link)| link.caller.index() == caller).map(|(index, _)| index)
}

/// What a caller does to reach a callee: attempts where it repeats, waits where it has a pool.
fn link_extras(
    plan: &Plan,
    observed: &[Observations],
    (caller, callee): (usize, usize),
    list: &mut Vec<Extra>,
) {
    let links: Vec<usize> = links_of(plan, caller)
        .filter(|&link| plan.topology.links[link].target().index() == callee)
        .collect();
    let policy = |link: usize| &plan.topology.links[link].policy;
    let sum = |one: &Observations, count: fn(&LinkLedger) -> f64| -> f64 {
        links.iter().map(|&link| count(&one.ledger.links[link])).sum()
    };
    let name = &plan.topology.components[callee].name;
    if links.iter().any(|&link| policy(link).retries.is_some()) {
        let attempts = |one: &Observations| {
            let first = sum(one, |link| link.first_tries as f64);
            quotient(sum(one, |link| link.attempts() as f64), first)
        };
        list.push(Extra {
            name: format!("attempts_per_call_to_{name}"),
            label: format!("attempts per call to {name}"),
            unit: Unit::Factor,
            value: estimate(observed, attempts),
        });
    }
    if links.iter().any(|&link| policy(link).pool.is_some()) {
        let waited = |one: &Observations| {
            let waited = sum(one, |link| link.pool_wait_ns as f64) / 1e6;
            quotient(waited, sum(one, |link| link.attempts() as f64))
        };
        list.push(Extra {
            name: format!("pool_wait_to_{name}_ms"),
            label: format!("wait for the pool to {name}"),
            unit: Unit::Milliseconds,
            value: estimate(observed, waited),
        });
    }
}
