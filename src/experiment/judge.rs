//! SLOs and expectations: what they ask of a plan, and the verdict over its replications.
//!
//! A question is an expression whose names have been found. Quotients and differences are taken
//! replication by replication. It runs nothing and does not know why it is asked.

use super::metric::{Metric, Period, Point, Reading, Subject, resolve};
use super::statistics::{Estimate, Value};
use super::summary::{Better, Figure, Judged, Unit};
use super::verdict::{Demand, Verdict, judge};
use crate::language::Diagnostics;
use crate::language::expression::{Dimension, Expression, Left, Relation, Statistic};
use crate::units::{Duration, Instant};
use crate::world::faults::Timing;
use crate::world::{Observations, Plan};

/// An expression that can be judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    text: String,
    measured: String,
    left: Operand,
    demand: Demand,
    unit: Unit,
}

/// The measured side, with names found.
#[derive(Clone, Debug, PartialEq)]
enum Operand {
    One(At),
    Quotient(At, At),
    Difference(At, At),
    Complement(At),
}

/// A metric and the number of the point that it is of.
type At = (usize, Metric);

/// The replications of one plan.
#[derive(Clone, Copy, Debug)]
pub struct Replications<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What each replication has observed.
    pub observed: &'a [Observations],
}

impl Question {
    /// Finds what the names of an expression mean; mistakes go to `out`.
    pub fn resolve(
        expression: &Expression,
        points: &[Point<'_>],
        out: &mut Diagnostics,
    ) -> Option<Self> {
        let window = expression.window.as_ref();
        let mut find = |measure| resolve(measure, window, points, out);
        let left = match &expression.left {
            Left::Measure(one) => Operand::One(find(one)?),
            Left::Complement(one) => Operand::Complement(find(one)?),
            Left::Quotient(first, second) => {
                let (first, second) = (find(first), find(second));
                Operand::Quotient(first?, second?)
            }
            Left::Difference(first, second) => {
                let (first, second) = (find(first), find(second));
                Operand::Difference(first?, second?)
            }
        };
        let unit = unit_of(expression.target.value.dimension())?;
        let demand = Demand::of(expression)?;
        let text = expression.text.clone();
        Some(Self { measured: measured(&text), text, left, demand, unit })
    }

    /// The questions about one plan; mistakes go to `out`.
    pub fn resolve_all<'e>(
        expressions: impl IntoIterator<Item = &'e Expression>,
        plan: &Plan,
        out: &mut Diagnostics,
    ) -> Vec<Self> {
        let points = [Point { name: None, plan }];
        expressions.into_iter().filter_map(|one| Self::resolve(one, &points, out)).collect()
    }

    /// The text as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is measured, as written: the text without comparison and target.
    pub fn measured(&self) -> &str {
        &self.measured
    }

    /// Whether it is about a part of the measured time.
    pub fn has_window(&self) -> bool {
        self.metrics().any(|(_, metric)| metric.period.is_some())
    }

    /// So many requests of those that it is about are enough to judge it: a hundred in the tail.
    pub fn requests(&self) -> f64 {
        const ENOUGH: f64 = 20_000.0;
        let tail = |(_, metric): &At| Some(100.0 / (1.0 - metric.statistic.quantile()?));
        self.metrics().filter_map(tail).fold(ENOUGH, f64::max)
    }

    /// How many of the requests that it is about come per second, from the rates of the operations.
    pub fn rate(&self, operations: &[f64]) -> f64 {
        let of = |(_, metric): &At| match &metric.subject {
            Subject::Users { ledgers, .. } => {
                let mut known: Vec<usize> =
                    ledgers.iter().map(|at| at % operations.len()).collect();
                known.sort_unstable();
                known.dedup();
                known.into_iter().map(|operation| operations[operation]).sum()
            }
            _ => operations.iter().sum::<f64>(),
        };
        self.metrics().map(of).fold(f64::INFINITY, f64::min)
    }

    /// Whether a quantile that it asks for lies among the few largest of a replication's sample, so
    /// that it is hardly more than their largest.
    pub fn is_thin(&self, plan: &Plan, observed: &[Observations]) -> bool {
        const FEW: f64 = 5.0;
        self.metrics().any(|(_, metric)| {
            let Some(share) = metric.statistic.quantile() else { return false };
            let size = Metric { statistic: Statistic::Count, ..metric.clone() };
            observed.iter().any(|one| match size.read(plan, one).value {
                Value::Finite(count) => count * (1.0 - share) < FEW,
                _ => false,
            })
        })
    }

    /// What is demanded, in base units.
    pub fn demand(&self) -> Demand {
        self.demand
    }

    /// The measured side in each replication of the one plan that it was resolved for.
    pub fn figure(&self, plan: &Plan, observed: &[Observations]) -> Figure {
        let better = match self.demand {
            Demand::Below(_) | Demand::AtMost(_) => Some(Better::Lower),
            Demand::Above(_) | Demand::AtLeast(_) => Some(Better::Higher),
            Demand::Exactly(_) | Demand::Within { .. } => None,
        };
        Figure::of(&self.readings(&[Replications { plan, observed }]), self.unit, better)
    }

    /// The verdict over the replications of the points that the question was resolved for.
    pub fn judge(&self, points: &[Replications<'_>]) -> Judged {
        let readings = self.readings(points);
        let estimate = self.estimate(&readings);
        let of = readings.iter().filter(|reading| reading.value.finite().is_some()).count();
        let scale = self.unit.from_base();
        Judged {
            expression: self.text.clone(),
            value: estimate.scaled(scale),
            unit: self.unit,
            standard_error: estimate.standard_error(of).map(|error| error * scale),
            demand: self.demand.scaled(scale),
            verdict: judge(&estimate, self.demand),
            note: self.note(points, &estimate),
        }
    }

    /// The measured side in each replication.
    fn readings(&self, points: &[Replications<'_>]) -> Vec<Reading> {
        let joined = |first, second, join: fn(Value, Value) -> Value| {
            let (first, second) = (readings(first, points), readings(second, points));
            // A longer side is cut to the length of the other.
            let pairs = first.iter().zip(&second);
            pairs.map(|(a, b)| Reading::figure(join(a.value, b.value))).collect()
        };
        match &self.left {
            Operand::One(at) => readings(at, points),
            Operand::Complement(at) => readings(at, points).into_iter().map(complement).collect(),
            Operand::Quotient(first, second) => joined(first, second, Value::over),
            Operand::Difference(first, second) => joined(first, second, Value::minus),
        }
    }

    fn estimate(&self, readings: &[Reading]) -> Estimate {
        match &self.left {
            Operand::Difference(..) => {
                Estimate::of(&readings.iter().map(|reading| reading.value).collect::<Vec<_>>())
            }
            _ => estimate_of(readings, matches!(self.demand, Demand::Exactly(_))),
        }
    }

    fn metrics(&self) -> impl Iterator<Item = &At> {
        let (first, second) = match &self.left {
            Operand::One(one) | Operand::Complement(one) => (one, None),
            Operand::Quotient(first, second) | Operand::Difference(first, second) => {
                (first, Some(second))
            }
        };
        std::iter::once(first).chain(second)
    }

    fn note(&self, points: &[Replications<'_>], estimate: &Estimate) -> Option<String> {
        let mut notes: Vec<String> = Vec::new();
        let (point, metric) = self.metrics().next()?;
        let Replications { plan, observed } = points[*point];
        if let Some(period) = &metric.period {
            notes.extend(window_used(period, plan));
        }
        notes.extend(unseen(metric, observed));
        match estimate.mean {
            Value::Infinite => notes.push("failed requests rank as infinitely slow".to_owned()),
            Value::NoData => notes.push("nothing was observed".to_owned()),
            Value::Finite(_) if estimate.ci95.is_none() => {
                notes.push("one replication has no interval".to_owned());
            }
            Value::Finite(_) => {}
        }
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}

/// The verdicts on several questions about one plan.
pub fn judge_all(questions: &[Question], plan: &Plan, observed: &[Observations]) -> Vec<Judged> {
    let points = [Replications { plan, observed }];
    questions.iter().map(|question| question.judge(&points)).collect()
}

/// Whether more replications could settle what is undecided: there is something to measure.
pub fn can_be_settled(judged: &[Judged]) -> bool {
    judged.iter().any(|one| one.verdict == Verdict::Undecided && one.value.mean != Value::NoData)
}

fn readings((point, metric): &At, points: &[Replications<'_>]) -> Vec<Reading> {
    let Replications { plan, observed } = points[*point];
    observed.iter().map(|one| metric.read(plan, one)).collect()
}

/// Shares are given Wilson's interval too, and numbers of events that of a Poisson number, unless
/// each replication must be exact.
fn estimate_of(readings: &[Reading], exactly: bool) -> Estimate {
    let counts: Option<Vec<(u64, u64)>> = readings.iter().map(|reading| reading.counts).collect();
    let events: Option<Vec<u64>> = readings.iter().map(|reading| reading.events).collect();
    match (counts, events) {
        (Some(counts), _) if !exactly => Estimate::of_proportion(&counts),
        (_, Some(events)) if !exactly => Estimate::of_events(&events),
        _ => Estimate::of(&readings.iter().map(|reading| reading.value).collect::<Vec<_>>())
            .not_negative(),
    }
}

/// An expression without its comparison and target, its window kept: `p99 < 1s during 0s..9s` is
/// `p99 during 0s..9s`.
fn measured(text: &str) -> String {
    let (left, right) = text.split_once(['<', '>', '=']).unwrap_or((text, ""));
    let relation = Relation::WORDS.iter().filter_map(|(word, _)| right.find(&format!(" {word} ")));
    let window = relation.min().map_or("", |at| &right[at..]);
    format!("{}{}", left.trim(), window.trim_end())
}

fn complement(reading: Reading) -> Reading {
    Reading {
        value: Value::Finite(1.0).minus(reading.value),
        counts: reading.counts.map(|(part, of)| (of - part, of)),
        events: None,
    }
}

const fn unit_of(dimension: Dimension) -> Option<Unit> {
    Some(match dimension {
        Dimension::Time => Unit::Milliseconds,
        Dimension::Rate => Unit::PerSecond,
        Dimension::Ratio => Unit::Ratio,
        Dimension::Count => Unit::Count,
        Dimension::Factor => Unit::Factor,
        Dimension::Bandwidth => Unit::BytesPerSecond,
        Dimension::Money => Unit::Dollars,
        Dimension::Outcome => return None,
    })
}

/// The time that a window by the name of a fault turned out to be.
fn window_used(period: &Period, plan: &Plan) -> Option<String> {
    let super::metric::Time::Fault(fault) = period.time else { return None };
    let Timing::At { at, lasts } = &plan.faults[fault].timing else { return None };
    let end = Instant(plan.window.duration.0);
    let to = match lasts {
        Some(law) => (*at + Duration(law.is_constant()?)).min(end),
        None => end,
    };
    let relation = match period.relation {
        Relation::During => "during",
        Relation::Outside => "outside",
        Relation::After => "after",
    };
    Some(format!("window used: {relation} {at}..{to}"))
}

/// How many occurrences of a fault no check had seen.
fn unseen(metric: &Metric, observed: &[Observations]) -> Option<String> {
    let Subject::Fault { fault, measure: super::metric::FaultMeasure::DetectTime } = metric.subject
    else {
        return None;
    };
    let all = || observed.iter().flat_map(|one| super::metric::occurrences(fault, one));
    let unseen = all().filter(|one| one.detected_after.is_none()).count();
    (unseen > 0).then(|| format!("{unseen} of {} occurrences were not seen", all().count()))
}
