//! One experiment from a plan to its outcome: warm-up, replications, verdicts, more replications
//! where a verdict is open.
//!
//! Budgets count replications, never time or threads, so equal inputs give equal outcomes. It knows
//! no files and no terminal; who watches is told through [`Control`].

use std::sync::atomic::AtomicBool;

use super::judge::{Question, can_be_settled, judge_all};
use super::pilot::{Pilot, Workload, pilot, workload};
use super::prepare::Experiment;
use super::replicate::{Progress, Replicator, RunError};
use super::summarize::{Frame, summarize};
use super::summary::{ScenarioId, Summary};
use super::verdict::Verdict;
use crate::units::Duration;
use crate::world::{Observations, Plan};

/// An open verdict makes a run at most so many times as long as asked for.
const EXTENSION: u32 = 4;

/// How long the system runs before it is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Warmup {
    /// As long as a pilot shows to be needed.
    Auto,
    /// So long.
    Fixed(Duration),
}

/// What an experiment is, beside its plan.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Identity of the scenario, for the summary.
    pub scenario: ScenarioId,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Independent replications, at least 1.
    pub replications: u32,
    /// Time before the measured time.
    pub warmup: Warmup,
    /// By how much users and instances were divided; 1 at full size.
    pub shrink: f64,
}

/// Which open verdicts call for more replications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extend {
    /// None.
    Never,
    /// Those on SLOs.
    Slo,
    /// Those on SLOs and expectations.
    All,
}

/// How an experiment is run and watched; nothing here changes a figure, but for `extend`.
#[derive(Clone, Copy)]
pub struct Control<'a> {
    /// Threads.
    pub jobs: usize,
    /// Which open verdicts call for more replications.
    pub extend: Extend,
    /// Set from outside, it ends the run with what is complete.
    pub stop: &'a AtomicBool,
    /// Told what lies ahead, before the replications start.
    pub announce: &'a dyn Fn(&Workload),
    /// Told of each replication that is done, from any thread.
    pub progress: &'a (dyn Fn(Progress) + Sync),
}

/// Never set.
static GO_ON: AtomicBool = AtomicBool::new(false);

/// One thread, no replication more than asked for, and nobody watches.
impl Default for Control<'static> {
    fn default() -> Self {
        Self { jobs: 1, extend: Extend::Never, stop: &GO_ON, announce: &|_| (), progress: &|_| () }
    }
}

/// What an experiment came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The result.
    pub summary: Summary,
    /// What each complete replication has observed, in order.
    pub observed: Vec<Observations>,
    /// Whether it was broken off: the summary holds what was complete.
    pub interrupted: bool,
    /// Replications beyond those asked for.
    pub extended: u32,
}

impl Outcome {
    /// The verdict on all SLOs together.
    pub fn verdict(&self) -> Verdict {
        self.summary.verdict()
    }
}

impl Experiment {
    /// Runs it.
    pub fn run(&self, control: Control<'_>) -> Result<Outcome, RunError> {
        run(&self.plan, &self.settings, &self.slo, &self.expect, control)
    }
}

/// Runs an experiment.
pub fn run(
    plan: &Plan,
    settings: &Settings,
    slo: &[Question],
    expect: &[Question],
    control: Control<'_>,
) -> Result<Outcome, RunError> {
    let replicator = Replicator::new(control.jobs, control.stop, control.progress)?;
    let pilot = match settings.warmup {
        Warmup::Auto => {
            Some(pilot(plan, settings.seed, &replicator)?.ok_or(RunError::Interrupted)?)
        }
        Warmup::Fixed(_) => None,
    };
    let warmup = warmup_of(settings.warmup, pilot.as_ref());
    let batch = settings.replications.max(1);
    let size = (settings.seed, batch);
    (control.announce)(&workload(plan, size, warmup, pilot.as_ref(), &replicator)?);
    let mut observed = Vec::new();
    let (mut planned, mut judged);
    let mut rounds = 0;
    loop {
        let from = rounds * batch;
        observed.extend(replicator.run(plan, settings.seed, warmup, from..from + batch)?);
        rounds += 1;
        planned = rounds * batch;
        judged = [judge_all(slo, plan, &observed), judge_all(expect, plan, &observed)];
        let open = match control.extend {
            Extend::Never => false,
            Extend::Slo => can_be_settled(&judged[0]),
            Extend::All => judged.iter().any(|judged| can_be_settled(judged)),
        };
        if replicator.stopped() || !open || rounds >= EXTENSION {
            break;
        }
    }
    if observed.is_empty() {
        return Err(RunError::Interrupted);
    }
    let interrupted = (observed.len() as u32) < planned;
    let frame = Frame { settings, warmup, settled: pilot.is_none_or(|one| one.settled), planned };
    let [slo, expect] = judged;
    let summary = summarize(plan, &observed, &frame, slo, expect);
    let extended = planned - batch;
    Ok(Outcome { summary, observed, interrupted, extended })
}

fn warmup_of(warmup: Warmup, pilot: Option<&Pilot>) -> Duration {
    match warmup {
        Warmup::Auto => pilot.map_or(Duration(0), |pilot| pilot.warmup),
        Warmup::Fixed(duration) => duration,
    }
}
