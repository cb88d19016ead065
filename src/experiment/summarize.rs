//! From the observations of all replications to the summary.
//!
//! Every figure is an estimate over the replications' own figures; counts are sums over all of
//! them. It judges nothing and prints nothing.

use std::collections::BTreeMap;

use super::bottleneck::bottleneck;
use super::components::component;
use super::cost::cost;
use super::figures::figures;
use super::forecast::{Context, forecast};
use super::judge::Question;
use super::metric::{answered, felt, occurrences};
use super::run::Settings;
use super::sample::Sample;
use super::statistics::{Estimate, Value};
use super::summary::{
    Component, FailurePlace, Fault, Judged, Named, Precision, QUANTILES, Quantiles, Summary,
    Traffic,
};
use crate::components::outcome::{Cause, Failure};
use crate::components::topology::ComponentId;
use crate::random::Sampler;
use crate::units::Duration;
use crate::world::faults::{FaultPlan, Timing};
use crate::world::users::ledger::UserLedger;
use crate::world::users::load::Source;
use crate::world::{Observations, Plan};

/// Nanoseconds to milliseconds.
pub const MS: f64 = 1e-6;
/// What was in the system may grow by this share of the offered requests before it is remarked.
const GROWTH_MAX: f64 = 0.01;

/// How the replications were run.
pub struct Frame<'a> {
    /// As asked for.
    pub settings: &'a Settings,
    /// Time before the measured time.
    pub warmup: Duration,
    /// Whether the pilot had settled, if there was one.
    pub settled: bool,
    /// Replications started.
    pub planned: u32,
    /// How tight the figures of the SLOs are, where that was asked for.
    pub precision: Option<Precision>,
    /// The SLOs.
    pub slo: &'a [Question],
}

/// The summary of complete replications of a plan; there is at least one.
pub fn summarize(
    plan: &Plan,
    observed: &[Observations],
    frame: &Frame<'_>,
    slo: Vec<Judged>,
    expect: Vec<Judged>,
) -> Summary {
    let operations: Vec<usize> = (0..plan.users.operations.len()).collect();
    let topology = &plan.topology;
    let name = |index: usize| topology.operations[index].name.clone();
    let all = operations.len();
    let of = |region: usize| (region * all..(region + 1) * all).collect::<Vec<usize>>();
    let everywhere = |operation: usize| -> Vec<usize> {
        (0..topology.regions()).map(|region| region * all + operation).collect()
    };
    let every: Vec<usize> = (0..topology.regions()).flat_map(of).collect();
    let overall = traffic(plan, observed, &every);
    let regions = topology.regions.iter().enumerate();
    let all = 1..topology.components.len();
    let named =
        |index: usize| (topology.components[index].name.clone(), component(plan, observed, index));
    let components: Named<Component> = all.map(named).collect();
    let settled = frame.settled;
    let context = Context { plan, observed, components: &components, overall: &overall, settled };
    Summary {
        forecast: forecast(&context),
        scenario: frame.settings.scenario.clone(),
        seed: frame.settings.seed,
        replications: observed.len() as u32,
        duration_s: plan.window.duration.0 as f64 / 1e9,
        warmup_s: frame.warmup.0 as f64 / 1e9,
        shrink: frame.settings.shrink,
        precision: frame.precision.clone(),
        uncertainty: None,
        warnings: warnings(plan, observed, frame),
        operations: operations
            .iter()
            .map(|&index| (name(index), traffic(plan, observed, &everywhere(index))))
            .collect(),
        regions: regions
            .map(|(index, region)| (region.name.clone(), traffic(plan, observed, &of(index))))
            .collect(),
        components,
        figures: figures(plan, observed, frame.slo),
        faults: plan
            .faults
            .iter()
            .enumerate()
            .map(|(index, fault)| (fault.name.clone(), fault_of(observed, index, fault)))
            .collect(),
        slo,
        expect,
        bottleneck: bottleneck(plan, observed, frame.settings.shrink),
        cost: cost(plan, observed),
        overall,
    }
}

/// The estimate of one figure of each replication; no figure of a summary can be negative.
pub fn estimate(observed: &[Observations], figure: impl Fn(&Observations) -> Value) -> Estimate {
    Estimate::of(&observed.iter().map(figure).collect::<Vec<_>>()).not_negative()
}

/// The estimate of a share from each replication's (part, of).
pub fn proportion(
    observed: &[Observations],
    counts: impl Fn(&Observations) -> (u64, u64),
) -> Estimate {
    Estimate::of_proportion(&observed.iter().map(counts).collect::<Vec<_>>())
}

/// The estimate of a number of events per second.
pub fn rate(observed: &[Observations], count: impl Fn(&Observations) -> u64) -> Estimate {
    let per_second = |one: &Observations| {
        let seconds = one.duration.0 as f64 / 1e9;
        Value::from((seconds > 0.0).then(|| count(one) as f64 / seconds))
    };
    estimate(observed, per_second)
}

/// A quotient; no data where the divisor is not a positive number.
pub fn quotient(part: f64, of: f64) -> Value {
    Value::from((of > 0.0 && of.is_finite()).then(|| part / of))
}

/// The distribution of a time from a sample of each replication.
pub fn quantiles(samples: &[Sample]) -> Quantiles {
    let mut merged = Sample::default();
    samples.iter().for_each(|sample| merged.merge(sample));
    if merged.count() == 0 {
        return Quantiles::NO_DATA;
    }
    let over = |figure: &dyn Fn(&Sample) -> Value| {
        Estimate::of(&samples.iter().map(figure).collect::<Vec<_>>()).not_negative().scaled(MS)
    };
    let [p50, p90, p95, p99, p99_9] = QUANTILES.map(|(_, q)| over(&|sample| sample.quantile(q)));
    Quantiles {
        mean: over(&Sample::mean),
        p50,
        p90,
        p95,
        p99,
        p99_9,
        max: over(&Sample::max),
        merged: merged.quantiles().map(|value| value.map(|ns| ns * MS)),
    }
}

/// Failures by cause over all replications; what did not occur is left out, and so are calls that
/// their caller took back.
pub fn failures(total: impl Fn(Cause) -> u64) -> Named<u64> {
    let causes = Cause::ALL.into_iter().filter(|cause| *cause != Cause::Cancelled);
    let counts = causes.map(|cause| (cause.name().to_owned(), total(cause)));
    let mut list: Named<u64> = counts.filter(|(_, count)| *count > 0).collect();
    list.sort();
    list
}

fn traffic(plan: &Plan, observed: &[Observations], operations: &[usize]) -> Traffic {
    fn ledgers<'o>(
        one: &'o Observations,
        operations: &'o [usize],
    ) -> impl Iterator<Item = &'o UserLedger> + Clone {
        operations.iter().map(|&index| &one.users[index])
    }
    let of = |one: &Observations, count: fn(&UserLedger) -> u64| -> u64 {
        ledgers(one, operations).map(count).sum()
    };
    let offered = |one: &Observations| of(one, |ledger| ledger.offered);
    let answered_ms = observed.iter().map(|one| answered(ledgers(one, operations)));
    let felt_ms = observed.iter().map(|one| felt(ledgers(one, operations)));
    let by = |cause: Cause| {
        let failed = move |ledger: &UserLedger| ledger.failed[cause as usize];
        observed.iter().flat_map(|one| ledgers(one, operations)).map(failed).sum()
    };
    Traffic {
        requests: observed.iter().map(offered).sum(),
        offered_rps: rate(observed, offered),
        throughput_rps: rate(observed, |one| of(one, |ledger| ledger.throughput)),
        goodput_rps: rate(observed, |one| of(one, |ledger| ledger.goodput)),
        availability: proportion(observed, |one| (of(one, |ledger| ledger.answered), offered(one))),
        degraded: proportion(observed, |one| (0, offered(one))),
        stale_reads: proportion(observed, |one| {
            (of(one, |ledger| ledger.stale), of(one, |ledger| ledger.answered))
        }),
        own_write_missing: match plan.topology.own_writes {
            true => proportion(observed, |one| {
                let missing = of(one, |ledger| ledger.own_write_missing);
                (missing, of(one, |ledger| ledger.answered))
            }),
            false => Estimate::NO_DATA,
        },
        amplification: estimate(observed, |one| {
            quotient(of(one, |ledger| ledger.attempts) as f64, offered(one) as f64)
        }),
        answered_ms: quantiles(&answered_ms.collect::<Vec<_>>()),
        felt_ms: quantiles(&felt_ms.collect::<Vec<_>>()),
        failures: failures(by),
        places: places(plan, observed, operations),
    }
}

/// The failures by cause and place, most frequent first.
fn places(plan: &Plan, observed: &[Observations], operations: &[usize]) -> Vec<FailurePlace> {
    let mut sums: BTreeMap<Failure, u64> = BTreeMap::new();
    for one in observed {
        for &index in operations {
            for (failure, count) in &one.users[index].failures {
                *sums.entry(*failure).or_default() += count;
            }
        }
    }
    let name = |id: ComponentId| plan.topology.components[id.index()].name.as_str();
    let place = |failure: &Failure| match failure.waiting_for {
        Some(other) => format!("{} waiting for {}", name(failure.at), name(other)),
        None => name(failure.at).to_owned(),
    };
    let mut list: Vec<FailurePlace> = sums
        .iter()
        .map(|(failure, &count)| FailurePlace {
            cause: failure.cause.name().to_owned(),
            place: place(failure),
            count,
        })
        .collect();
    list.sort_by(|a, b| b.count.cmp(&a.count).then(a.place.cmp(&b.place)));
    list
}

fn fault_of(observed: &[Observations], index: usize, fault: &FaultPlan) -> Fault {
    let (at_s, until_s) = match &fault.timing {
        Timing::At { at, lasts } => {
            let until = |law: &Sampler| law.is_constant().map(|ns| at.seconds() + ns as f64 / 1e9);
            (Some(at.seconds()), lasts.as_ref().and_then(until))
        }
        Timing::Random { .. } => (None, None),
    };
    let detected = |one: &Observations| {
        let times: Vec<f64> =
            occurrences(index, one).filter_map(|o| o.detected_after).map(|ns| ns as f64).collect();
        quotient(times.iter().sum::<f64>() / 1e9, times.len() as f64)
    };
    let count = |one: &Observations| Value::from(occurrences(index, one).count() as f64);
    let errors = |one: &Observations| {
        Value::from(occurrences(index, one).map(|o| o.errors).sum::<u64>() as f64)
    };
    let lost = |one: &Observations| {
        Value::from(occurrences(index, one).filter_map(|o| o.lost_writes).sum::<u64>() as f64)
    };
    Fault {
        action: action(fault),
        at_s,
        until_s,
        occurrences: estimate(observed, count),
        detect_time_s: estimate(observed, detected),
        errors: estimate(observed, errors),
        lost_writes: estimate(observed, lost),
    }
}

/// Verb and target: `crash web.3 silently`.
fn action(fault: &FaultPlan) -> String {
    let silently = fault.silently && fault.what.starts_with("crash");
    format!("{}{}", fault.what, if silently { " silently" } else { "" })
}

/// What a reader must know before trusting a number.
fn warnings(plan: &Plan, observed: &[Observations], frame: &Frame<'_>) -> Vec<String> {
    let mut list = Vec::new();
    let complete = observed.len() as u32;
    if complete < frame.planned {
        list.push(format!(
            "interrupted: {complete} of {} replications are complete",
            frame.planned
        ));
    }
    if complete == 1 {
        list.push("one replication: there are no intervals, and no verdict on them".to_owned());
    }
    if !frame.settled {
        list.push(
            "the system had not settled by the middle of the pilot: figures depend on when the \
             measured time begins"
                .to_owned(),
        );
    }
    if let Source::Closed { .. } = plan.users.source {
        list.push(
            "closed users wait for their answers: a stall holds back the requests that would \
             have felt it"
                .to_owned(),
        );
    }
    if plan.users.visits.is_some() {
        list.push(
            "within a visit the next request waits for the answer: a stall holds back requests \
             that would have felt it"
                .to_owned(),
        );
    }
    if frame.settings.shrink != 1.0 {
        list.push(format!(
            "shrunk {0}-fold: rates and counts are 1/{0} of those at full size; utilisation, hit \
             ratios and mean waits per server are preserved, the tails over the whole fleet and \
             its batches are not",
            frame.settings.shrink
        ));
    }
    list.extend(growth(plan, observed));
    let unresolved: u64 = observed
        .iter()
        .flat_map(|one| &one.users)
        .map(|ledger| ledger.failed[Cause::Unresolved as usize])
        .sum();
    if unresolved > 0 {
        list.push(format!(
            "{unresolved} requests had no answer when the observation ended and count as failed"
        ));
    }
    list
}

/// A system that fills up is not in equilibrium.
pub(super) fn growth(plan: &Plan, observed: &[Observations]) -> Option<String> {
    let present = |end: usize| -> f64 {
        observed.iter().map(|one| one.ledger.components[0].present_at[end] as f64).sum()
    };
    let offered: u64 = observed.iter().flat_map(|one| &one.users).map(|one| one.offered).sum();
    let grown = present(1) - present(0);
    let steady = match &plan.users.source {
        Source::Open { profile, .. } => profile.is_constant(),
        Source::Closed { .. } => true,
    };
    (steady && plan.faults.is_empty() && grown > GROWTH_MAX * offered as f64).then(|| {
        let of = observed.len() as f64;
        format!(
            "more came than went: requests in the system grew from {:.0} to {:.0}; no mean of a \
             system that fills up lasts",
            present(0) / of,
            present(1) / of
        )
    })
}
