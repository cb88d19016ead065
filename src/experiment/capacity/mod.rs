//! How much a system carries: the largest load at which every SLO is proven to hold.
//!
//! The answer is an interval: at its lower end all SLOs hold, at its upper end one is proven
//! broken, and in between either it was not looked or more replications than allowed were needed.
//! The system is the healthy one: what is declared to go wrong is left out unless an SLO speaks of
//! it, and what it carries with something lost is a question of its own ([`Survive`]). An answer is
//! checked at 0.8 and 1.1 times the load, since a system that scales or that stays broken once it
//! broke need not answer monotonically.

mod losses;
mod need;
mod search;
mod trial;

pub use losses::Survive;
pub use need::{Growth, Need, need};
pub use trial::{Broken, Trial};

use std::fmt;

use super::replicate::RunError;
use super::run::Control;
use super::verdict::Verdict;
use crate::scenario::file::Loaded;
use crate::scenario::layers::Setting;
use crate::units::quantity::Quantity;
use losses::{Loss, losses};
use search::bracket;
use trial::Trials;

/// What does not carry this part of the whole when something is lost carries nothing.
const LEAST: f64 = 64.0;

/// Reads a scenario with these settings laid over it.
pub type Read<'a> = &'a mut dyn FnMut(&[Setting]) -> Loaded;

/// What is searched for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// The path of what is varied; `users.count`, or else `users.rate`, without one.
    pub vary: Option<String>,
    /// What the system must be able to lose.
    pub survive: Option<Survive>,
    /// Whether what is declared to go wrong does.
    pub faults: bool,
    /// A load at which it is tried as well.
    pub at: Option<Quantity>,
    /// A load that it must carry at least.
    pub at_least: Option<Quantity>,
}

/// Why there is no capacity.
pub enum CapacityError {
    /// The scenario has mistakes.
    Scenario(Box<Loaded>),
    /// It cannot be searched: why, and what to do.
    Question(String),
    /// A run has no result.
    Run(RunError),
}

impl From<RunError> for CapacityError {
    fn from(error: RunError) -> Self {
        Self::Run(error)
    }
}

impl fmt::Debug for CapacityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scenario(loaded) => loaded.diagnostics.fmt(f),
            Self::Question(message) => f.write_str(message),
            Self::Run(error) => error.fmt(f),
        }
    }
}

/// What a system carries.
#[derive(Clone, Debug, PartialEq)]
pub struct Capacity {
    /// Name of the scenario.
    pub name: String,
    /// The last component of the path of its file.
    pub file: String,
    /// A digest of everything that determines its run as written.
    pub digest: String,
    /// The range that its header claims.
    pub claim: Option<[u64; 2]>,
    /// The path of what was varied.
    pub vary: String,
    /// What stands there; loads are numbers of its kind.
    pub written: Quantity,
    /// The seed of all runs.
    pub seed: u64,
    /// The range that the capacity lies in.
    pub range: Range,
    /// The SLO that is broken first, above it.
    pub binding: Option<String>,
    /// What limits the system at its lower end: the component or host, and what of it.
    pub limit: Option<(String, String)>,
    /// Dollars a month at the load as written.
    pub month_usd: Option<f64>,
    /// What becomes of it at the load that was asked for, if one was.
    pub at: Option<Trial>,
    /// What becomes of it at the load that it must carry at least, if there is one.
    pub at_least: Option<Trial>,
    /// Whether it holds well below, and fails well above; where it does not, it says so.
    pub checks: Vec<Check>,
    /// What it carries without each thing that may be lost.
    pub losses: Vec<Lost>,
    /// Everything that was tried, by load.
    pub trials: Vec<Trial>,
}

/// Two loads between which the capacity lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The largest load at which all SLOs are proven to hold; none where there is none.
    pub low: Option<f64>,
    /// The smallest at which one is proven not to hold; none where none was found.
    pub high: Option<f64>,
}

impl Range {
    /// Whether the two ranges have a load in common.
    pub fn agrees_with(self, other: Self) -> bool {
        let below = |low: Option<f64>, high: Option<f64>| {
            low.unwrap_or(0.0) <= high.unwrap_or(f64::INFINITY)
        };
        below(self.low, other.high) && below(other.low, self.high)
    }
}

/// A load near the answer, tried to see whether the answer makes sense.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Its share of the lower end, or of the upper one.
    pub factor: f64,
    /// The load.
    pub load: f64,
    /// The verdict that a monotone system has there.
    pub expected: Verdict,
    /// The verdict that it had.
    pub found: Verdict,
}

impl Capacity {
    /// Two loads, of which the smaller is proven to fail and the larger to hold, if there are any:
    /// then the system does not only get worse with load, and the answer is one of several.
    pub fn contradiction(&self) -> Option<[&Trial; 2]> {
        let whole = || self.trials.iter().filter(|trial| trial.lost.is_none());
        let of = |verdict: Verdict| whole().filter(move |trial| trial.verdict == verdict);
        let fails = of(Verdict::Fails).min_by(|a, b| a.load.total_cmp(&b.load))?;
        let holds = of(Verdict::Holds).max_by(|a, b| a.load.total_cmp(&b.load))?;
        (fails.load < holds.load).then_some([fails, holds])
    }
}

/// What a system carries without something.
#[derive(Clone, Debug, PartialEq)]
pub struct Lost {
    /// What is lost: `web.1`, `zone.1`.
    pub what: String,
    /// What it carries then.
    pub range: Range,
    /// The SLO that is broken first then.
    pub binding: Option<String>,
}

/// What one scenario carries.
///
/// # Errors
/// A scenario with mistakes or without SLOs, a path where no quantity stands, a run without result.
pub fn capacity(
    read: Read<'_>,
    file: &str,
    search: &Search,
    control: Control<'_>,
    told: &mut dyn FnMut(&Trial),
) -> Result<Capacity, CapacityError> {
    let mut trials = Trials::new(read, file, search, control)?;
    let written = trials.written();
    let [at, at_least] = [search.at, search.at_least].map(|load| trials.of_its_kind(load));
    let (at, at_least) = (at?, at_least?);
    let survive = search.survive.map(|survive| losses(trials.plan(), survive)).transpose()?;
    let resolution = trials.resolution();
    let range = bracket(written.value(), resolution, &mut |load| trials.at(load, told))?;
    refuse_resources(&mut trials, range, told)?;
    let binding = trials.binding(range.high);
    let limit = trials.limit(range.low.or(range.high));
    let mut checks = Vec::new();
    let ends = [(range.low, 0.8, Verdict::Holds), (range.high, 1.1, Verdict::Fails)];
    for (end, factor, expected) in ends {
        let Some(load) = end.map(|end| trials.nearest(end * factor)) else { continue };
        // A single user cannot be fewer.
        if Some(load) != end {
            let found = trials.at(load, told)?.verdict;
            checks.push(Check { factor, load, expected, found });
        }
    }
    let month_usd = trials.at(written.value(), told)?.month_usd;
    let at = at.map(|load| trials.at(load, told)).transpose()?;
    let at_least = at_least.map(|load| trials.at(load, told)).transpose()?;
    let mut lost = Vec::new();
    if let (Some(losses), Some(low)) = (survive, range.low) {
        for loss in losses {
            lost.push(without(&mut trials, loss, low, told)?);
        }
    }
    Ok(Capacity {
        name: trials.name().to_owned(),
        file: file.to_owned(),
        digest: trials.digest().to_owned(),
        claim: trials.claim(),
        vary: trials.path().to_owned(),
        written,
        seed: trials.seed(),
        range,
        binding,
        limit,
        month_usd,
        at,
        at_least,
        checks,
        losses: lost,
        trials: trials.all(),
    })
}

/// Of servers, cores and memory more is better, and this is a search for the most that is borne.
fn refuse_resources(
    trials: &mut Trials<'_>,
    range: Range,
    told: &mut dyn FnMut(&Trial),
) -> Result<(), CapacityError> {
    const MUCH: f64 = 4.0;
    let written = trials.written().value();
    let (load, contrary) = match (range.low, range.high) {
        (None, Some(_)) => (written * MUCH, Verdict::Holds),
        (Some(_), None) => (written / MUCH, Verdict::Fails),
        _ => return Ok(()),
    };
    let found = trials.at(load, told)?;
    if found.verdict != contrary {
        return Ok(());
    }
    Err(CapacityError::Question(format!(
        "more of `{}` is better, and the most is searched for here: with {} {}; vary a load",
        trials.path(),
        found.text,
        if contrary == Verdict::Holds { "all SLOs hold" } else { "one fails" },
    )))
}

/// What is carried without something; no more than with it.
fn without(
    trials: &mut Trials<'_>,
    loss: Loss,
    most: f64,
    told: &mut dyn FnMut(&Trial),
) -> Result<Lost, CapacityError> {
    let what = loss.what.clone();
    trials.lose(Some(loss));
    let (least, resolution) = (most / LEAST, trials.resolution());
    let range = if trials.at(most, told)?.verdict == Verdict::Holds {
        Range { low: Some(most), high: None }
    } else if trials.at(least, told)?.verdict == Verdict::Fails {
        Range { low: None, high: Some(trials.nearest(least)) }
    } else {
        bracket(most, resolution, &mut |load| trials.at(load, told))?
    };
    let binding = trials.binding(range.high);
    trials.lose(None);
    Ok(Lost { what, range, binding })
}
