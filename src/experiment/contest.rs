//! Running what is to be compared, with the same seed and as many replications on each side, and
//! longer while a gate is open.
//!
//! What was saved is not run again. It reads no file.

use std::fmt;

use super::compare::{Comparison, Side, compare};
use super::gate::{Gate, GateError};
use super::prepare::Experiment;
use super::replicate::{Replicator, RunError};
use super::run::{Control, Extend, Running, Settled};
use super::summary::Summary;
use super::verdict::Verdict;
use crate::units::Duration;

/// What takes part in a comparison.
#[derive(Clone, Debug)]
pub enum Contender {
    /// A run that was made before.
    Saved(Side),
    /// A run to be made.
    Run {
        /// What it is called in the comparison.
        label: String,
        /// What is run.
        experiment: Box<Experiment>,
    },
}

/// What a comparison came to.
#[derive(Clone, Debug)]
pub struct Contest {
    /// The comparison.
    pub comparison: Comparison,
    /// The summaries of what was run, in the order of the contenders; none of what was saved.
    pub summaries: Vec<Option<Summary>>,
    /// Whether it was broken off.
    pub interrupted: bool,
}

/// Why there is no comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContestError {
    /// A run has no result.
    Run(RunError),
    /// A gate is about nothing.
    Gate(GateError),
}

impl fmt::Display for ContestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(error) => error.fmt(f),
            Self::Gate(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ContestError {}

impl From<RunError> for ContestError {
    fn from(error: RunError) -> Self {
        Self::Run(error)
    }
}

impl From<GateError> for ContestError {
    fn from(error: GateError) -> Self {
        Self::Gate(error)
    }
}

/// Runs what is not saved, and compares everything with the first of them.
///
/// # Errors
/// A run without a result; a gate of a figure that a side has not got.
pub fn contest(
    contenders: &[Contender],
    gates: &[Gate],
    control: Control<'_>,
) -> Result<Contest, ContestError> {
    let replicator = Replicator::new(control.jobs, control.stop, control.progress)?;
    let settled = contenders.iter().map(|contender| match contender {
        Contender::Saved(_) => Ok(None),
        Contender::Run { experiment, .. } => Settled::of(experiment, &replicator).map(Some),
    });
    let settled = settled.collect::<Result<Vec<_>, RunError>>()?;
    let warmup = common_warmup(contenders, &settled);
    let mut runs: Vec<Option<Running<'_>>> = Vec::new();
    for (contender, settled) in contenders.iter().zip(settled) {
        let (Contender::Run { experiment, .. }, Some(settled)) = (contender, settled) else {
            runs.push(None);
            continue;
        };
        let settled = settled.at_least(warmup);
        let mut running = Running::new(experiment, &replicator, settled, control.announce)?;
        while running.wants_more(Extend::Never) {
            running.more()?;
        }
        runs.push(Some(running));
    }
    // More replications than a saved run has would have no partner.
    let saved = contenders.iter().filter_map(|contender| match contender {
        Contender::Saved(side) => Some(side.replications),
        Contender::Run { .. } => None,
    });
    let most = saved.min().unwrap_or(u32::MAX);
    loop {
        let summaries = summaries(&runs)?;
        let comparison = compare(sides(contenders, &summaries), gates)?;
        let open = comparison.verdict() == Verdict::Undecided;
        let mut longer: Vec<_> =
            runs.iter_mut().flatten().filter(|one| one.may_be_extended(most)).collect();
        if !open || longer.is_empty() {
            let interrupted = replicator.stopped();
            return Ok(Contest { comparison, summaries, interrupted });
        }
        longer.iter_mut().try_for_each(|running| running.more())?;
    }
}

/// The longest warm-up of all: paired replications must begin to measure at the same request. One
/// that was saved cannot begin later; where another needs more they are not paired.
fn common_warmup(contenders: &[Contender], settled: &[Option<Settled>]) -> Duration {
    let saved = contenders.iter().filter_map(|contender| match contender {
        Contender::Saved(side) => Some(Duration::from_seconds(side.warmup_s)),
        Contender::Run { .. } => None,
    });
    let found = settled.iter().flatten().map(|settled| settled.warmup);
    saved.chain(found).max().unwrap_or(Duration(0))
}

fn summaries(runs: &[Option<Running<'_>>]) -> Result<Vec<Option<Summary>>, RunError> {
    runs.iter().map(|run| run.as_ref().map(Running::summary).transpose()).collect()
}

fn sides(contenders: &[Contender], summaries: &[Option<Summary>]) -> Vec<Side> {
    let side = |(contender, summary): (&Contender, &Option<Summary>)| match contender {
        Contender::Saved(side) => side.clone(),
        Contender::Run { label, .. } => {
            Side::of(label.clone(), summary.as_ref().expect("it was run"))
        }
    };
    contenders.iter().zip(summaries).map(side).collect()
}
