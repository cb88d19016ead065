//! Input uncertainty: how far the figures move when what is not known exactly is varied over its
//! ranges, and which parameter they hinge on.
//!
//! Each sample of a Latin hypercube is the scenario with other values in its uncertain places, run
//! with the same seed, so that samples differ by their inputs and not by luck. The spread of the
//! samples has nothing to do with the interval of a run, which is simulation noise. Ranges are
//! taken as independent of one another, and nothing is said about what has no range.

pub mod latin;
pub mod rank;

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use super::prepare::{Experiment, sampled};
use super::replicate::{Progress, Replicator, RunError};
use super::run::{Control, Running, Settled};
use super::statistics::{Estimate, Value};
use super::summarize::growth;
use super::summary::{Judged, Named, Summary, Unit};
use super::verdict::Verdict;
use crate::language::uncertain::Uncertain;
use crate::scenario::file::Resolved;
use crate::units::Quantity;

/// What is looked at where nobody has promised anything: all requests of the users.
const WITHOUT_SLO: [&str; 3] = ["p99", "answered.mean", "error_rate"];

/// How far figures move over the ranges of the inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Uncertainty {
    /// Samples asked for.
    pub planned: u32,
    /// Samples that were run to their end.
    pub samples: u32,
    /// Those of them in which more came than could be served, so that figures depend on how long
    /// the run is.
    pub growing: u32,
    /// What was varied, in the order of the scenario.
    pub parameters: Vec<Parameter>,
    /// The figures that were looked at: those of the SLOs, or of all requests where there is none.
    pub figures: Vec<Moved>,
    /// Samples whose values the scenario refuses: the values by path, and why.
    pub refused: Vec<(Named<String>, String)>,
}

/// A value that was varied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its path.
    pub path: String,
    /// As written, or its default.
    pub value: String,
    /// The lower end of its range.
    pub low: String,
    /// The upper end.
    pub high: String,
    /// Where the range of a default comes from; none for one that was written.
    pub source: Option<String>,
}

/// A figure and how far it moved.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// The SLO as written, or the address of the figure.
    pub expression: String,
    /// The unit of its values.
    pub unit: Unit,
    /// With every value as written; its interval is simulation noise.
    pub written: Estimate,
    /// Quantiles over the samples, in the order of [`QUANTILES`].
    pub spread: [Value; QUANTILES.len()],
    /// Width of the middle nine tenths of the samples over that of the interval of the run; none
    /// where one of the two cannot be told.
    pub over_noise: Option<f64>,
    /// In how many samples an SLO holds, is undecided and fails; none for what is no SLO.
    pub verdicts: Option<[u32; 3]>,
    /// What each parameter has to do with it, the strongest first.
    pub influences: Vec<Influence>,
}

/// The shares of the samples at or below the quantiles of a spread, with their names.
pub const QUANTILES: [(&str, f64); 5] =
    [("min", 0.0), ("p5", 0.05), ("p50", 0.5), ("p95", 0.95), ("max", 1.0)];

/// What a parameter has to do with a figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Influence {
    /// The path of the parameter.
    pub path: String,
    /// Spearman's rank correlation over the samples.
    pub correlation: f64,
    /// Its square: the share of the variance of the ranks that the parameter explains by itself.
    pub share: f64,
    /// Whether it is more than chance.
    pub proven: bool,
}

impl Moved {
    /// What it hinges on: parameters whose influence is more than chance, the strongest first.
    pub fn hinges(&self) -> impl Iterator<Item = &Influence> {
        self.influences.iter().filter(|influence| influence.proven)
    }
}

/// A sample that was run.
struct Run {
    /// The figures looked at, with their verdicts where they are SLOs.
    figures: Vec<(Value, Option<Verdict>)>,
    /// Whether more came than could be served.
    growing: bool,
}

/// Runs the samples of a scenario that has uncertain values; `written` is what it came to as
/// written. What is complete when a run is broken off is kept, also if it is nothing.
pub fn explore(
    resolved: &Resolved,
    experiment: &Experiment,
    written: &Summary,
    planned: u32,
    control: Control<'_>,
) -> Result<Uncertainty, RunError> {
    let uncertain = &resolved.uncertain;
    let seed = experiment.settings.seed;
    let columns: Vec<Vec<Quantity>> =
        uncertain.iter().map(|one| column(one, seed, planned)).collect();
    let total = planned.saturating_mul(experiment.settings.replications);
    let refused_replications = AtomicU32::new(0);
    let progress = |now: Progress| {
        let done = now.done + refused_replications.load(Relaxed);
        (control.progress)(Progress { done, planned: total });
    };
    let replicator = Replicator::new(control.jobs, control.stop, &progress)?;
    let outcomes = replicator.each(planned, |sample| {
        let values: Vec<Quantity> = columns.iter().map(|column| column[sample as usize]).collect();
        let run = run(resolved, experiment, &values, &replicator);
        if matches!(run, Ok(Err(_))) {
            refused_replications.fetch_add(experiment.settings.replications, Relaxed);
        }
        run
    });
    let mut complete = Vec::new();
    let mut refused = Vec::new();
    for (sample, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Ok(Ok(run)) => complete.push((sample, run)),
            Ok(Err(why)) => {
                let named = uncertain.iter().zip(&columns);
                let values = named.map(|(one, all)| (one.path.clone(), all[sample].to_string()));
                refused.push((values.collect(), why));
            }
            Err(RunError::Interrupted) => {}
            Err(error) => return Err(error),
        }
    }
    let of_complete = |all: &Vec<Quantity>| -> Vec<f64> {
        complete.iter().map(|(sample, _)| all[*sample].value()).collect()
    };
    let inputs = uncertain.iter().zip(&columns);
    let inputs: Inputs<'_> =
        inputs.map(|(one, all)| (one.path.as_str(), of_complete(all))).collect();
    let runs: Vec<Run> = complete.into_iter().map(|(_, run)| run).collect();
    let figures = looked_at(written).into_iter().enumerate();
    Ok(Uncertainty {
        planned,
        samples: runs.len() as u32,
        growing: runs.iter().filter(|run| run.growing).count() as u32,
        parameters: uncertain.iter().map(Parameter::of).collect(),
        figures: figures.map(|(index, figure)| moved(figure, index, &runs, &inputs)).collect(),
        refused,
    })
}

/// The values of each parameter in the samples that were run, by its path.
type Inputs<'a> = Vec<(&'a str, Vec<f64>)>;

/// The samples of one parameter.
fn column(one: &Uncertain, seed: u64, planned: u32) -> Vec<Quantity> {
    let shares = latin::shares(seed, &one.path, planned);
    let range = [one.value, one.low, one.high];
    shares.into_iter().map(|share| latin::value(share, range)).collect()
}

/// Runs one sample; the inner error is why the scenario refuses its values.
fn run(
    resolved: &Resolved,
    experiment: &Experiment,
    values: &[Quantity],
    replicator: &Replicator<'_>,
) -> Result<Result<Run, String>, RunError> {
    if replicator.stopped() {
        return Err(RunError::Interrupted);
    }
    let sample = match sampled(resolved, experiment, values) {
        Ok(sample) => sample,
        Err(why) => return Ok(Err(why)),
    };
    let settled = Settled::of(&sample, replicator)?;
    let outcome = Running::new(&sample, replicator, settled, &|_| ())?.outcome()?;
    match outcome.interrupted {
        true => Err(RunError::Interrupted),
        false => {
            let growing = growth(&sample.plan, &outcome.observed).is_some();
            let figures = looked_at(&outcome.summary).into_iter();
            let figures = figures.map(|one| (one.value.mean, one.verdict)).collect();
            Ok(Ok(Run { figures, growing }))
        }
    }
}

/// A figure of one run.
struct Figure {
    name: String,
    unit: Unit,
    value: Estimate,
    verdict: Option<Verdict>,
}

/// The figures of a run that are looked at.
fn looked_at(summary: &Summary) -> Vec<Figure> {
    let of_slo = |one: &Judged| Figure {
        name: one.expression.clone(),
        unit: one.unit,
        value: one.value,
        verdict: Some(one.verdict),
    };
    if !summary.slo.is_empty() {
        return summary.slo.iter().map(of_slo).collect();
    }
    let all = summary.figures.iter().filter(|(name, _)| WITHOUT_SLO.contains(&name.as_str()));
    let of_all = all.map(|(name, figure)| Figure {
        name: name.clone(),
        unit: figure.unit,
        value: Estimate::of(&figure.values).not_negative(),
        verdict: None,
    });
    of_all.collect()
}

/// How far the figure of this number moved over the samples.
fn moved(figure: Figure, index: usize, runs: &[Run], inputs: &Inputs<'_>) -> Moved {
    let values: Vec<Value> = runs.iter().map(|run| run.figures[index].0).collect();
    let spread = quantiles(&values);
    let verdicts = figure.verdict.map(|_| {
        let count =
            |verdict| runs.iter().filter(|run| run.figures[index].1 == Some(verdict)).count();
        [Verdict::Holds, Verdict::Undecided, Verdict::Fails].map(|verdict| count(verdict) as u32)
    });
    let pairs = values.iter().filter(|value| **value != Value::NoData).count();
    let mut influences: Vec<Influence> = inputs
        .iter()
        .map(|(path, input)| {
            let correlation = rank::correlation(input, &values).unwrap_or(0.0);
            let proven = rank::is_proven(correlation, pairs, inputs.len());
            let (path, share) = ((*path).to_owned(), correlation * correlation);
            Influence { path, correlation, share, proven }
        })
        .collect();
    influences.sort_by(|a, b| b.share.total_cmp(&a.share));
    let [_, from, _, to, _] = spread;
    let over_noise = figure.value.ci95.and_then(|[low, high]| {
        let width = to.finite()? - from.finite()?;
        (high > low).then(|| width / (high - low))
    });
    Moved {
        expression: figure.name,
        unit: figure.unit,
        written: figure.value,
        spread,
        over_noise,
        verdicts,
        influences,
    }
}

/// Quantiles of the samples that have data: the smallest value that so many do not exceed.
fn quantiles(values: &[Value]) -> [Value; QUANTILES.len()] {
    let number = |value: &Value| match value {
        Value::Finite(value) => Some(*value),
        Value::Infinite => Some(f64::INFINITY),
        Value::NoData => None,
    };
    let mut sorted: Vec<f64> = values.iter().filter_map(number).collect();
    sorted.sort_by(f64::total_cmp);
    QUANTILES.map(|(_, share)| {
        let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
        Value::from(sorted.get(rank - 1).copied())
    })
}

impl Parameter {
    fn of(one: &Uncertain) -> Self {
        let [value, low, high] = one.texts.clone();
        Self { path: one.path.clone(), value, low, high, source: one.source.map(str::to_owned) }
    }
}

#[cfg(test)]
mod tests;
