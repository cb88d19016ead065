//! Figures of a component: all its instances together, within the measured time.

use super::period::{Chosen, length_ns, sum};
use super::{Reading, per_second, quotient};
use crate::components::figures::Ratio;
use crate::components::ledger::{ComponentLedger, OperationLedger};
use crate::components::outcome::Cause;
use crate::experiment::sample::Sample;
use crate::language::expression::Statistic;
use crate::metrics::Gauge;
use crate::world::{Observations, Plan};

/// What is measured of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComponentMeasure {
    /// Busy core time over core time in service.
    Utilization,
    /// Calls that came, per second.
    Arrivals,
    /// Calls answered, per second.
    Throughput,
    /// Passes through the queue, per second.
    Visits,
    /// Share refused by a full queue.
    Rejected,
    /// Its part of the calls to these components, which one balancer chooses from.
    Share(Vec<usize>),
    /// Time in the queue.
    Wait,
    /// From arrival to answer.
    Sojourn,
    /// Sojourn less the waits.
    Service,
    /// Calls present.
    InSystem,
    /// Calls waiting.
    Queue,
    /// Cores in use.
    Busy,
    /// Sojourn over the work in it.
    Slowdown,
    /// Share that waited.
    ProbWait,
    /// Share of time with the only instance up.
    OnlyUp,
    /// Instances in service.
    Instances,
    /// Calls that came.
    Calls,
    /// Share of the calls that failed.
    ErrorRate,
    /// Share of the calls that failed by a cause.
    Failures(Cause),
    /// A ratio of the kind, by name.
    Ratio(&'static str),
    /// One less a ratio of the kind.
    RatioMissing(&'static str),
    /// A count of the kind.
    Count(&'static str),
    /// A sample of the kind.
    Sample(&'static str),
    /// A level of the kind.
    Level(&'static str),
    /// Busy core time over core time in service of one part.
    PartUtilization(usize),
}

/// A component, and one operation of it or all.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub component: usize,
    pub operation: Option<usize>,
}

/// The calls of users, without health probes: the ledgers of the operations.
pub(in crate::experiment) fn calls(ledger: &ComponentLedger) -> &[OperationLedger] {
    // The last operation is the probe.
    &ledger.operations[..ledger.operations.len() - 1]
}

/// Core time that was in service in the measured time, in nanoseconds; infinite without limit.
pub(in crate::experiment) fn in_service_core_ns(
    plan: &Plan,
    component: usize,
    ledger: &ComponentLedger,
) -> f64 {
    plan.topology.components[component].cores * ledger.in_service.integral() as f64
}

/// Waits for a slot: those in the queue, and zeros of those who found a free slot.
pub(in crate::experiment) fn wait<'l>(
    operations: impl Iterator<Item = &'l OperationLedger> + Clone,
) -> Sample {
    let zeros = operations.clone().map(|one| one.unwaited).sum();
    Sample::of(operations.map(|one| &one.wait), zeros, 0)
}

fn failed(ledger: &OperationLedger) -> u64 {
    // What a caller took back is no failure of the callee.
    ledger.failed.iter().sum::<u64>() - ledger.failed[Cause::Cancelled as usize]
}

impl ComponentMeasure {
    /// Whether windowed series can answer it, with this statistic.
    pub fn has_windows(&self, statistic: Statistic) -> bool {
        matches!(
            self,
            Self::Utilization
                | Self::InSystem
                | Self::Queue
                | Self::Busy
                | Self::Instances
                | Self::Ratio(_)
                | Self::RatioMissing(_)
                | Self::Count(_)
                | Self::Level(_)
        ) && statistic == Statistic::Mean
    }

    /// Whether it is kept for each operation.
    pub fn by_operation(&self) -> bool {
        !matches!(
            self,
            Self::Utilization
                | Self::InSystem
                | Self::Queue
                | Self::Busy
                | Self::OnlyUp
                | Self::Instances
                | Self::Ratio(_)
                | Self::RatioMissing(_)
                | Self::Count(_)
                | Self::Sample(_)
                | Self::Level(_)
                | Self::PartUtilization(_)
        )
    }

    /// The figure in one replication, in these windows or the whole run.
    pub(super) fn read(
        &self,
        plan: &Plan,
        at: Place,
        statistic: Statistic,
        observed: &Observations,
        windows: Option<&[Chosen]>,
    ) -> Reading {
        let ledger = &observed.ledger.components[at.component];
        let figures = &observed.figures[at.component];
        match self {
            Self::Share(chosen) => self.share(at, chosen, observed),
            Self::Ratio(name) | Self::RatioMissing(name) => {
                let missing = matches!(self, Self::RatioMissing(_));
                let found = figures.ratio(name);
                found.map_or(Reading::share(0, 0), |one| ratio(one, missing, windows))
            }
            Self::Count(name) => {
                let counts = figures.count(name).unwrap_or_default();
                let total: u64 = match windows {
                    Some(windows) => sum(counts, windows),
                    None => counts.iter().sum(),
                };
                Reading::events(total)
            }
            Self::PartUtilization(part) => {
                let parts = ledger.parts.get(*part).copied().unwrap_or_default();
                quotient(parts.busy_ns, parts.in_service_ns)
            }
            Self::Level(name) => match (figures.level(name), windows) {
                (None, _) => Reading::share(0, 0),
                (Some(gauge), Some(windows)) => {
                    quotient(integral(gauge, windows), length_ns(windows) as f64)
                }
                (Some(gauge), None) => level(gauge, statistic),
            },
            Self::Sample(name) => {
                let sample = Sample::of(figures.sample(name), 0, 0);
                Reading::figure(sample.statistic(statistic))
            }
            _ => match windows {
                Some(windows) => self.within(plan, at.component, ledger, windows),
                None if self.by_operation() => self.calls(at, ledger, statistic, observed),
                None => self.level(plan, at.component, ledger, statistic, observed),
            },
        }
    }

    fn share(&self, at: Place, chosen: &[usize], observed: &Observations) -> Reading {
        let arrived = |component: usize| -> u64 {
            let here = Place { component, operation: at.operation };
            let ledger = &observed.ledger.components[component];
            here.operations(ledger).map(|one| one.arrived).sum()
        };
        Reading::share(arrived(at.component), chosen.iter().map(|&one| arrived(one)).sum())
    }

    fn calls(
        &self,
        at: Place,
        ledger: &ComponentLedger,
        statistic: Statistic,
        observed: &Observations,
    ) -> Reading {
        let operations = at.operations(ledger);
        let duration = observed.duration.0;
        let total = |count: fn(&OperationLedger) -> u64| operations.clone().map(count).sum::<u64>();
        let arrived = total(|one| one.arrived);
        match self {
            Self::Arrivals => per_second(arrived, duration),
            Self::Throughput => per_second(total(|one| one.completed), duration),
            Self::Visits => per_second(total(|one| one.visits), duration),
            Self::Rejected => {
                Reading::share(total(|one| one.failed[Cause::Rejected as usize]), arrived)
            }
            Self::ErrorRate => {
                let lost = total(failed);
                Reading::share(lost, lost + total(|one| one.completed))
            }
            Self::Failures(cause) => {
                let cause = *cause as usize;
                let lost = operations.clone().map(|one| one.failed[cause]).sum();
                Reading::share(lost, total(failed) + total(|one| one.completed))
            }
            Self::Wait => Reading::figure(wait(operations).statistic(statistic)),
            Self::ProbWait => {
                let wait = wait(operations);
                Reading::share(wait.positive(), wait.count())
            }
            Self::Sojourn => {
                let sample = Sample::of(operations.flat_map(OperationLedger::sojourn), 0, 0);
                Reading::figure(sample.statistic(statistic))
            }
            Self::Service => {
                let sample = Sample::of(operations.flat_map(OperationLedger::service), 0, 0);
                Reading::figure(sample.statistic(statistic))
            }
            Self::Slowdown => {
                let sum: f64 = operations.clone().map(|one| one.slowdown_sum).sum();
                quotient(sum, total(|one| one.slowdown_count) as f64)
            }
            Self::Calls => Reading::figure(arrived as f64),
            _ => unreachable!("no figure of calls"),
        }
    }

    fn level(
        &self,
        plan: &Plan,
        component: usize,
        ledger: &ComponentLedger,
        statistic: Statistic,
        observed: &Observations,
    ) -> Reading {
        let gauge = |gauge: &Gauge| level(gauge, statistic);
        match self {
            Self::Utilization => {
                quotient(ledger.busy_ns, in_service_core_ns(plan, component, ledger))
            }
            Self::InSystem => gauge(&ledger.present),
            Self::Queue => gauge(&ledger.waiting),
            Self::Instances | Self::OnlyUp => gauge(&ledger.in_service),
            Self::Busy => quotient(ledger.busy_ns, observed.duration.0 as f64),
            _ => unreachable!("no level"),
        }
    }

    fn within(
        &self,
        plan: &Plan,
        component: usize,
        ledger: &ComponentLedger,
        windows: &[Chosen],
    ) -> Reading {
        let length = length_ns(windows) as f64;
        let busy = || sum(&ledger.busy_series, windows);
        match self {
            Self::Utilization => {
                let cores = plan.topology.components[component].cores;
                quotient(busy(), cores * integral(&ledger.in_service, windows))
            }
            Self::Busy => quotient(busy(), length),
            Self::InSystem => quotient(integral(&ledger.present, windows), length),
            Self::Queue => quotient(integral(&ledger.waiting, windows), length),
            Self::Instances => quotient(integral(&ledger.in_service, windows), length),
            _ => unreachable!("refused when the expression was resolved"),
        }
    }
}

impl Place {
    fn operations(
        self,
        ledger: &ComponentLedger,
    ) -> impl Iterator<Item = &OperationLedger> + Clone {
        let all = calls(ledger);
        let range = self.operation.map_or(0..all.len(), |one| one..one + 1);
        all[range].iter()
    }
}

/// A level over the whole run.
fn level(gauge: &Gauge, statistic: Statistic) -> Reading {
    match statistic {
        Statistic::Max => Reading::figure(gauge.max() as f64),
        Statistic::End => Reading::figure(gauge.at_end() as f64),
        _ => Reading::figure(gauge.mean()),
    }
}

fn integral(gauge: &Gauge, windows: &[Chosen]) -> f64 {
    gauge.series().map_or(0.0, |(_, sums)| sum(sums, windows) as f64)
}

fn ratio(ratio: &Ratio, missing: bool, windows: Option<&[Chosen]>) -> Reading {
    let total = |sums: &[u64]| match windows {
        Some(windows) => sum(sums, windows),
        None => sums.iter().sum(),
    };
    let (part, of) = (total(&ratio.parts), total(&ratio.of));
    Reading::share(if missing { of - part } else { part }, of)
}
