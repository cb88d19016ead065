//! One experiment from a plan to its outcome: warm-up, replications, verdicts, more replications
//! where a verdict is open.
//!
//! Budgets count replications, never time or threads, so equal inputs give equal outcomes. It knows
//! no files and no terminal; who watches is told through [`Control`].

use std::sync::atomic::AtomicBool;

use super::judge::{can_be_settled, judge_all};
use super::pilot::{Pilot, Workload, pilot, workload};
use super::precision::precision;
use super::prepare::Experiment;
use super::replicate::{Progress, Replicator, RunError};
use super::summarize::{Frame, summarize};
use super::summary::{Judged, Precision, ScenarioId, Summary};
use super::verdict::Verdict;
use crate::scenario::settings::PrecisionPlan;
use crate::units::Duration;
use crate::world::Observations;

/// An open verdict makes a run at most so many times as long as asked for.
const EXTENSION: u32 = 4;

/// How long the system runs before it is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Warmup {
    /// As long as a pilot shows to be needed.
    Auto,
    /// As long as a pilot shows, and no less than this.
    AtLeast(Duration),
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
    /// How tight the figures of the SLOs shall be.
    pub precision: Option<PrecisionPlan>,
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
    /// Runs it: warm-up, replications, and more of them where a verdict is open or a figure is not
    /// as tight as was asked for.
    pub fn run(&self, control: Control<'_>) -> Result<Outcome, RunError> {
        let replicator = Replicator::new(control.jobs, control.stop, control.progress)?;
        let settled = Settled::of(self, &replicator)?;
        let mut running = Running::new(self, &replicator, settled, control.announce)?;
        while running.wants_more(control.extend) {
            running.more()?;
        }
        running.outcome()
    }
}

/// How long an experiment needs to settle.
#[derive(Clone, Copy, Debug)]
pub struct Settled {
    /// The time before the measured time.
    pub warmup: Duration,
    pilot: Option<Pilot>,
}

impl Settled {
    /// What is written, or what a pilot shows.
    ///
    /// # Errors
    /// A pilot that was broken off, or a bug that it found.
    pub fn of(experiment: &Experiment, replicator: &Replicator<'_>) -> Result<Self, RunError> {
        let Experiment { plan, settings, .. } = experiment;
        let run = || -> Result<Pilot, RunError> {
            pilot(plan, settings.seed, replicator)?.ok_or(RunError::Interrupted)
        };
        Ok(match settings.warmup {
            Warmup::Fixed(warmup) => Self { warmup, pilot: None },
            Warmup::Auto => {
                let pilot = run()?;
                Self { warmup: pilot.warmup, pilot: Some(pilot) }
            }
            Warmup::AtLeast(least) => {
                let pilot = run()?;
                Self { warmup: pilot.warmup.max(least), pilot: Some(pilot) }
            }
        })
    }

    /// The same, with more time if it is less than this.
    pub fn at_least(self, warmup: Duration) -> Self {
        Self { warmup: self.warmup.max(warmup), ..self }
    }
}

/// An experiment in the middle of being run.
pub struct Running<'a> {
    experiment: &'a Experiment,
    replicator: &'a Replicator<'a>,
    warmup: Duration,
    /// Whether the pilot had settled, if there was one.
    settled: bool,
    observed: Vec<Observations>,
    /// Replications started.
    planned: u32,
    /// SLOs and expectations, judged over what there is.
    judged: [Vec<Judged>; 2],
}

impl<'a> Running<'a> {
    /// Runs the first batch of replications.
    pub fn new(
        experiment: &'a Experiment,
        replicator: &'a Replicator<'a>,
        settled: Settled,
        announce: &dyn Fn(&Workload),
    ) -> Result<Self, RunError> {
        let Experiment { plan, settings, .. } = experiment;
        let Settled { warmup, pilot } = settled;
        let size = (settings.seed, settings.replications);
        announce(&workload(plan, size, warmup, pilot.as_ref(), replicator)?);
        let mut running = Self {
            experiment,
            replicator,
            warmup,
            settled: pilot.is_none_or(|one| one.settled),
            observed: Vec::new(),
            planned: 0,
            judged: [Vec::new(), Vec::new()],
        };
        running.more()?;
        Ok(running)
    }

    /// Runs one batch more.
    pub fn more(&mut self) -> Result<(), RunError> {
        let Experiment { plan, settings, slo, expect, .. } = self.experiment;
        let numbers = self.planned..self.planned + settings.replications;
        self.planned = numbers.end;
        self.observed.extend(self.replicator.run(plan, settings.seed, self.warmup, numbers)?);
        self.judged = [slo, expect].map(|questions| judge_all(questions, plan, &self.observed));
        Ok(())
    }

    /// Whether a verdict is open or a figure not tight enough, and a batch more is allowed.
    pub fn wants_more(&self, extend: Extend) -> bool {
        if self.replicator.stopped() {
            return false;
        }
        let batch = self.experiment.settings.replications;
        let open = match extend {
            Extend::Never => false,
            Extend::Slo => can_be_settled(&self.judged[0]),
            Extend::All => self.judged.iter().any(|judged| can_be_settled(judged)),
        };
        let loose = self
            .precision()
            .is_some_and(|one| !one.reached && self.planned.saturating_add(batch) <= one.at_most);
        loose || (open && self.may_be_extended(u32::MAX))
    }

    /// Whether a batch more is allowed for the sake of a verdict, up to so many replications.
    pub fn may_be_extended(&self, most: u32) -> bool {
        let batch = self.experiment.settings.replications;
        !self.replicator.stopped()
            && self.planned / batch < EXTENSION
            && self.planned.saturating_add(batch) <= most
    }

    fn precision(&self) -> Option<Precision> {
        let Experiment { settings, slo, .. } = self.experiment;
        settings.precision.as_ref().map(|wanted| precision(wanted, slo, &self.judged[0]))
    }

    /// What it has come to so far.
    pub fn summary(&self) -> Result<Summary, RunError> {
        if self.observed.is_empty() {
            return Err(RunError::Interrupted);
        }
        let Experiment { plan, settings, slo, .. } = self.experiment;
        let [judged, expect] = self.judged.clone();
        let frame = Frame {
            settings,
            warmup: self.warmup,
            settled: self.settled,
            planned: self.planned,
            precision: self.precision(),
            slo,
        };
        Ok(summarize(plan, &self.observed, &frame, judged, expect))
    }

    /// What it has come to.
    pub fn outcome(self) -> Result<Outcome, RunError> {
        Ok(Outcome {
            summary: self.summary()?,
            interrupted: (self.observed.len() as u32) < self.planned,
            extended: self.planned - self.experiment.settings.replications,
            observed: self.observed,
        })
    }
}
