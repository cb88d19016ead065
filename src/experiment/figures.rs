//! The headline figures of a run with their value in each replication: what runs are compared by.
//!
//! An estimate over replications cannot be paired with another; the values that it was made of can.
//! Names are addresses as in expressions (`view.p99`, `web.utilization`). Which figures a scenario
//! has follows from its plan alone, so two runs of one file have the same. It compares nothing.

use super::cost::CostMeasure;
use super::judge::Question;
use super::metric::{ComponentMeasure, FaultMeasure, Metric, Reading, Subject, UserMeasure};
use super::statistics::{Estimate, Value};
use super::summary::{Better, Figure, Named, Unit};
use crate::components::figures::{Declared, Sort};
use crate::language::expression::Statistic;
use crate::world::{Observations, Plan};

/// All headline figures; those of SLOs that are none of them come last.
pub fn figures(plan: &Plan, observed: &[Observations], slo: &[Question]) -> Named<Figure> {
    let mut list = List { plan, observed, figures: Vec::new() };
    list.users();
    (1..plan.topology.components.len()).for_each(|index| list.component(index));
    (0..plan.faults.len()).for_each(|fault| list.fault(fault));
    if plan.cost.is_some() {
        list.add("cost.month", Subject::Cost(CostMeasure::Month), DOLLARS);
        list.add("cost.per_million", Subject::Cost(CostMeasure::PerMillion), DOLLARS);
    }
    for question in slo {
        let name = question.measured();
        if list.figures.iter().all(|(known, _)| known != name) {
            list.figures.push((name.to_owned(), question.figure(plan, observed)));
        }
    }
    list.figures
}

/// How a figure is read and what becomes of it: statistic, unit, and which way is better.
type Kind = (Statistic, Unit, Option<Better>);

const DOLLARS: Kind = (Statistic::Mean, Unit::Dollars, Some(Better::Lower));
const FEWER: Kind = (Statistic::Mean, Unit::Count, Some(Better::Lower));
const BAD_SHARE: Kind = (Statistic::Mean, Unit::Ratio, Some(Better::Lower));

const fn time(statistic: Statistic) -> Kind {
    (statistic, Unit::Milliseconds, Some(Better::Lower))
}

struct List<'a> {
    plan: &'a Plan,
    observed: &'a [Observations],
    figures: Named<Figure>,
}

impl List<'_> {
    fn add(&mut self, name: impl Into<String>, subject: Subject, kind: Kind) {
        let (statistic, unit, better) = kind;
        let metric = Metric { subject, statistic, period: None };
        let read = |one: &Observations| metric.read(self.plan, one);
        let readings: Vec<Reading> = self.observed.iter().map(read).collect();
        self.figures.push((name.into(), Figure::of(&readings, unit, better)));
    }

    fn users(&mut self) {
        let topology = &self.plan.topology;
        let (regions, all) = (topology.regions(), self.plan.users.operations.len());
        let ledgers = |region: Option<usize>, operation: Option<usize>| -> Vec<usize> {
            let regions = region.map_or(0..regions, |one| one..one + 1);
            let operations = operation.map_or(0..all, |one| one..one + 1);
            let of = |region: usize| operations.clone().map(move |one| region * all + one);
            regions.flat_map(of).collect()
        };
        self.requests("", &ledgers(None, None));
        if all > 1 {
            for operation in 0..all {
                let prefix = format!("{}.", topology.operations[operation].name);
                self.requests(&prefix, &ledgers(None, Some(operation)));
                if self.plan.users.operations[operation].loads.is_some() {
                    let of = ledgers(None, Some(operation));
                    let name = format!("{prefix}page_load.p95");
                    self.of_users(name, &of, UserMeasure::PageLoad, time(Statistic::P95));
                }
            }
        }
        for region in 0..topology.regions.len() {
            let prefix = format!("{}.", topology.regions[region].name);
            self.requests(&prefix, &ledgers(Some(region), None));
        }
    }

    fn requests(&mut self, prefix: &str, ledgers: &[usize]) {
        const RATE: Unit = Unit::PerSecond;
        let kinds: [(&str, UserMeasure, Kind); 9] = [
            ("offered", UserMeasure::Offered, (Statistic::Mean, RATE, None)),
            ("goodput", UserMeasure::Goodput, (Statistic::Mean, RATE, Some(Better::Higher))),
            ("error_rate", UserMeasure::ErrorRate, BAD_SHARE),
            ("stale_reads", UserMeasure::StaleReads, BAD_SHARE),
            ("answered.mean", UserMeasure::Answered, time(Statistic::Mean)),
            ("p50", UserMeasure::Felt, time(Statistic::P50)),
            ("p95", UserMeasure::Felt, time(Statistic::P95)),
            ("p99", UserMeasure::Felt, time(Statistic::P99)),
            (
                "attempts.mean",
                UserMeasure::Attempts,
                (Statistic::Mean, Unit::Factor, Some(Better::Lower)),
            ),
        ];
        for (name, measure, kind) in kinds {
            self.of_users(format!("{prefix}{name}"), ledgers, measure, kind);
        }
    }

    fn of_users(&mut self, name: String, ledgers: &[usize], measure: UserMeasure, kind: Kind) {
        self.add(name, Subject::Users { ledgers: ledgers.to_vec(), measure }, kind);
    }

    fn component(&mut self, index: usize) {
        let facts = self.plan.components[index - 1].facts();
        let component = &self.plan.topology.components[index];
        let mut add = |name: &str, measure: ComponentMeasure, kind: Kind| {
            let subject = Subject::Component { component: index, operation: None, measure };
            self.add(format!("{}.{name}", component.name), subject, kind);
        };
        if component.cores > 0.0 && component.cores.is_finite() {
            let kind = (Statistic::Mean, Unit::Ratio, None);
            add("utilization", ComponentMeasure::Utilization, kind);
        }
        if facts.has_slots() {
            add("queue.mean", ComponentMeasure::Queue, FEWER);
            add("wait.mean", ComponentMeasure::Wait, time(Statistic::Mean));
        }
        if facts.scales() {
            let kind = (Statistic::Mean, Unit::Count, None);
            add("instances.mean", ComponentMeasure::Instances, kind);
        }
        for Declared { name, sort, better } in facts.figures() {
            let sense = Some(if better { Better::Higher } else { Better::Lower });
            match sort {
                Sort::Ratio => {
                    let kind = (Statistic::Mean, Unit::Ratio, sense);
                    add(name, ComponentMeasure::Ratio(name), kind);
                }
                Sort::Count => {
                    let kind = (Statistic::Mean, Unit::Count, sense);
                    add(name, ComponentMeasure::Count(name), kind);
                }
                Sort::Sample => {
                    let kind = (Statistic::P99, Unit::Milliseconds, sense);
                    add(&format!("{name}.p99"), ComponentMeasure::Sample(name), kind);
                }
                Sort::Level => {
                    let kind = (Statistic::Mean, Unit::Count, sense);
                    add(&format!("{name}.mean"), ComponentMeasure::Level(name), kind);
                }
            }
        }
    }

    fn fault(&mut self, fault: usize) {
        let name = self.plan.faults[fault].name.clone();
        let mut add = |what: &str, measure: FaultMeasure, kind: Kind| {
            self.add(format!("{name}.{what}"), Subject::Fault { fault, measure }, kind);
        };
        add("errors", FaultMeasure::ErrorsTogether, FEWER);
        add("lost_writes", FaultMeasure::LostWritesTogether, FEWER);
        add("detect_time.mean", FaultMeasure::DetectTime, time(Statistic::Mean));
    }
}

/// Rounded to nine significant digits, as in a summary that is saved: a run must equal itself.
fn nine(value: f64) -> f64 {
    format!("{value:.8e}").parse().expect("a printed number is one")
}

impl Figure {
    /// A figure in base units, read in each replication.
    pub(super) fn of(readings: &[Reading], unit: Unit, better: Option<Better>) -> Self {
        let scale = unit.from_base();
        let trials: Option<Vec<u64>> =
            readings.iter().map(|reading| reading.counts.map(|(_, of)| of)).collect();
        Self {
            unit,
            better,
            values: readings.iter().map(|reading| reading.value.map(|v| nine(v * scale))).collect(),
            trials: trials.unwrap_or_default(),
            events: readings.iter().all(|reading| reading.events.is_some()),
        }
    }

    /// Its estimate: shares and numbers of events have intervals that know of what is rare.
    pub fn estimate(&self) -> Estimate {
        match self.parts() {
            Some(parts) => {
                let counts = parts.iter().copied().zip(self.trials.iter().copied());
                Estimate::of_proportion(&counts.collect::<Vec<_>>())
            }
            None => match self.counts() {
                Some(events) => Estimate::of_events(&events),
                None => Estimate::of(&self.values),
            },
        }
    }

    /// Whether it has been seen so seldom, or missed so seldom, that a Student interval knows
    /// little of it.
    pub fn is_rare(&self) -> bool {
        const FEW: u64 = 20;
        match (self.parts(), self.counts()) {
            (Some(parts), _) => {
                let (part, of) = (parts.iter().sum::<u64>(), self.trials.iter().sum::<u64>());
                part.min(of - part) < FEW
            }
            (None, Some(events)) => events.iter().sum::<u64>() < FEW,
            (None, None) => false,
        }
    }

    /// How many of the trials of each replication, for a share.
    fn parts(&self) -> Option<Vec<u64>> {
        (!self.trials.is_empty()).then_some(())?;
        let part = |(value, &trials): (&Value, &u64)| {
            let share = value.finite().unwrap_or(0.0);
            ((share * trials as f64).round() as u64).min(trials)
        };
        Some(self.values.iter().zip(&self.trials).map(part).collect())
    }

    /// How many in each replication, for a number of events.
    fn counts(&self) -> Option<Vec<u64>> {
        self.events.then_some(())?;
        self.values.iter().map(|value| value.finite().map(|number| number.round() as u64)).collect()
    }
}
