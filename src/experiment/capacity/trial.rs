//! One load tried: the scenario with another number at one path, run until its SLOs are settled.
//!
//! Where nothing changes over time, a run needs not be as long as its author wants to watch it:
//! a number of requests is enough, and a search asks many times. What is shortened is said nowhere
//! else; a run of the scenario itself is never.

use super::losses::{Loss, NAME};
use super::{CapacityError, Read, Search};
use crate::experiment::judge::Question;
use crate::experiment::pilot::operation_rates;
use crate::experiment::prepare::{Experiment, prepare};
use crate::experiment::run::{Control, Extend, Warmup};
use crate::experiment::statistics::Value;
use crate::experiment::summary::{Judged, Summary};
use crate::experiment::verdict::Verdict;
use crate::language::path;
use crate::language::{Decode, Diagnostics};
use crate::scenario::document::ClaimConfig;
use crate::scenario::file::{Loaded, Resolved};
use crate::scenario::layers::Setting;
use crate::units::{Duration, Instant, quantity::Quantity};
use crate::world::Plan;
use crate::world::faults::Timing;
use crate::world::users::load::Source;

/// Requests of one replication that are enough.
const REQUESTS: f64 = 100_000.0;
/// No measured time is cut to less.
const SHORTEST_S: f64 = 20.0;
/// What is lost is lost so long before the measured time: longer than failovers and failing over
/// to another region take.
const BEFORE: Duration = Duration(150_000_000_000);

/// A load and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The load.
    pub load: f64,
    /// The load as it is written.
    pub text: String,
    /// What was lost before.
    pub lost: Option<String>,
    /// The verdict on all SLOs.
    pub verdict: Verdict,
    /// The SLOs that do not hold, with their figures.
    pub open: Vec<Broken>,
    /// What limits it: the component or host, and what of it.
    pub limit: Option<(String, String)>,
    /// The load at which that is full.
    pub full_at: Option<f64>,
    /// Dollars a month.
    pub month_usd: Option<f64>,
    /// Replications that it took.
    pub replications: u32,
}

impl Default for Trial {
    fn default() -> Self {
        Self {
            load: 0.0,
            text: String::new(),
            lost: None,
            verdict: Verdict::Undecided,
            open: Vec::new(),
            limit: None,
            full_at: None,
            month_usd: None,
            replications: 0,
        }
    }
}

/// An SLO that does not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Broken {
    /// The SLO.
    pub expression: String,
    /// Fails, or undecided.
    pub verdict: Verdict,
}

/// The trials of one scenario.
pub(super) struct Trials<'a> {
    read: Read<'a>,
    file: &'a str,
    control: Control<'a>,
    common: Vec<Setting>,
    path: String,
    written: Quantity,
    experiment: Experiment,
    digest: String,
    claim: Option<[u64; 2]>,
    lost: Option<Loss>,
    /// Whether something is done on purpose at some time.
    changes: bool,
    done: Vec<Trial>,
}

impl<'a> Trials<'a> {
    /// Reads the scenario as written, to know what can be varied.
    pub fn new(
        read: Read<'a>,
        file: &'a str,
        search: &Search,
        control: Control<'a>,
    ) -> Result<Self, CapacityError> {
        let whole = read(&[]);
        let Some(resolved) = whole.scenarios.first() else {
            return Err(CapacityError::Scenario(Box::new(whole)));
        };
        let (path, written) = varied(resolved, search)?;
        let digest = resolved.digest.clone();
        let written_changes = path::get(&resolved.tree, "changes").is_some();
        let claim = path::get(&resolved.tree, "claim");
        let claim = claim.and_then(|node| ClaimConfig::decode(node, &mut Diagnostics::new()));
        let mut common = Vec::new();
        for key in ["faults", "changes", "expect"] {
            if !search.faults && path::get(&resolved.tree, key).is_some() {
                let flag = "capacity".to_owned();
                common.push(Setting { flag, text: format!("{key}=null") });
            }
        }
        // An SLO may speak of a fault, and then it belongs to what must hold.
        let experiment = experiment(read, file, &common).or_else(|_| {
            common.clear();
            experiment(read, file, &common)
        })?;
        if experiment.slo.is_empty() {
            let message = "it has no SLO that could be broken: write `slo: [ p99 < 500ms ]`";
            return Err(CapacityError::Question(message.to_owned()));
        }
        let claim = claim.map(|claim| [claim.users.value.from, claim.users.value.to]);
        let changes = written_changes && common.is_empty();
        let (lost, done) = (None, Vec::new());
        Ok(Self {
            read,
            file,
            control,
            common,
            path,
            written,
            experiment,
            digest,
            claim,
            lost,
            changes,
            done,
        })
    }

    /// From now on this is lost.
    pub fn lose(&mut self, loss: Option<Loss>) {
        self.lost = loss;
    }

    /// The path that is varied.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// How near the ends of the answer shall be, as a factor: a run that cannot be cut short is not
    /// made as often.
    pub fn resolution(&self) -> f64 {
        if !self.changes && is_steady(&self.experiment) { 1.03 } else { 1.1 }
    }

    /// The load as written.
    pub fn written(&self) -> Quantity {
        self.written
    }

    /// The load nearest to this one that can be written.
    pub fn nearest(&self, load: f64) -> f64 {
        self.text(load).value()
    }

    /// The plan of the scenario as written.
    pub fn plan(&self) -> &Plan {
        &self.experiment.plan
    }

    /// The title of the scenario.
    pub fn name(&self) -> &str {
        &self.experiment.settings.scenario.name
    }

    /// The digest of the scenario as written.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The seed of all runs.
    pub fn seed(&self) -> u64 {
        self.experiment.settings.seed
    }

    /// The range that its header claims.
    pub fn claim(&self) -> Option<[u64; 2]> {
        self.claim
    }

    /// Everything tried so far, by load.
    pub fn all(&self) -> Vec<Trial> {
        let mut all = self.done.clone();
        all.sort_by(|a, b| a.lost.cmp(&b.lost).then(a.load.total_cmp(&b.load)));
        all
    }

    /// The first SLO that fails at a load that was tried.
    pub fn binding(&self, load: Option<f64>) -> Option<String> {
        let open = &self.known(load?)?.open;
        let fails = open.iter().find(|one| one.verdict == Verdict::Fails);
        fails.map(|one| one.expression.clone())
    }

    /// What limits it at a load that was tried.
    pub fn limit(&self, load: Option<f64>) -> Option<(String, String)> {
        self.known(load?)?.limit.clone()
    }

    /// Tries a load, or remembers what became of it.
    pub fn at(&mut self, load: f64, told: &mut dyn FnMut(&Trial)) -> Result<Trial, CapacityError> {
        let text = self.text(load);
        if let Some(known) = self.known(text.value()) {
            return Ok(known.clone());
        }
        let flag = "capacity".to_owned();
        let mut settings = self.common.clone();
        settings.push(Setting { flag, text: format!("{}={text}", self.path) });
        settings.extend(self.lost.as_ref().map(Loss::setting));
        let mut experiment = experiment(self.read, self.file, &settings)?;
        if !self.changes && is_steady(&experiment) {
            shorten(&mut experiment);
        }
        begin_before(&mut experiment);
        // A verdict is enough.
        experiment.settings.precision = None;
        let control = Control { extend: Extend::Slo, announce: &|_| (), ..self.control };
        let outcome = experiment.run(control)?;
        if outcome.interrupted {
            return Err(crate::experiment::RunError::Interrupted.into());
        }
        let mut trial = self.trial(text, &outcome.summary);
        let thin = |question: &Question| question.is_thin(&experiment.plan, &outcome.observed);
        if trial.verdict == Verdict::Holds && experiment.slo.iter().any(thin) {
            trial.verdict = Verdict::Undecided;
        }
        told(&trial);
        self.done.push(trial.clone());
        Ok(trial)
    }

    /// A load as a number of what is varied.
    pub fn of_its_kind(&self, load: Option<Quantity>) -> Result<Option<f64>, CapacityError> {
        match load {
            Some(load) if load.kind() != self.written.kind() => {
                let (path, written) = (&self.path, self.written);
                let message = format!("{load} is no load like the {written} of `{path}`");
                Err(CapacityError::Question(message))
            }
            load => Ok(load.map(Quantity::value)),
        }
    }

    fn trial(&self, text: Quantity, summary: &Summary) -> Trial {
        let load = text.value();
        let open = summary.slo.iter().filter(|one| one.verdict != Verdict::Holds);
        let broken =
            |one: &Judged| Broken { expression: one.expression.clone(), verdict: one.verdict };
        let first = summary.bottleneck.as_ref().map(|bottleneck| &bottleneck.limits[0]);
        let offered = summary.overall.offered_rps.mean.finite();
        let full_at = first.zip(offered).map(|(first, offered)| load * first.limit_rps / offered);
        Trial {
            load,
            text: text.to_string(),
            lost: self.lost.as_ref().map(|loss| loss.what.clone()),
            verdict: summary.verdict(),
            open: open.map(broken).collect(),
            limit: first.map(|first| (first.component.clone(), first.resource.clone())),
            full_at: full_at.filter(|full| full.is_finite()),
            month_usd: summary.cost.as_ref().and_then(|cost| match cost.month_usd.mean {
                Value::Finite(dollars) => Some(dollars),
                _ => None,
            }),
            replications: summary.replications,
        }
    }

    fn text(&self, load: f64) -> Quantity {
        let text = self.written.with(load);
        // A whole number of things is at least one of them.
        if text.value() > 0.0 { text } else { self.written.with(1.0) }
    }

    fn known(&self, load: f64) -> Option<&Trial> {
        let lost = self.lost.as_ref().map(|loss| loss.what.as_str());
        self.done.iter().find(|one| one.load == load && one.lost.as_deref() == lost)
    }
}

/// The path that is varied and what stands there.
fn varied(resolved: &Resolved, search: &Search) -> Result<(String, Quantity), CapacityError> {
    let stands = |path: &str| path::get(&resolved.tree, path).and_then(|node| node.value.as_text());
    let usual = ["users.count", "users.rate"].into_iter().find(|path| stands(path).is_some());
    let path = match (&search.vary, usual) {
        (Some(path), _) => path.as_str(),
        (None, Some(path)) => path,
        (None, None) => {
            let message = "it has neither `users.count` nor `users.rate`: say with --vary what is \
                           to be varied";
            return Err(CapacityError::Question(message.to_owned()));
        }
    };
    let wrong = |message: String| CapacityError::Question(message);
    let text = stands(path).ok_or_else(|| {
        wrong(format!("no value is written at `{path}`: write one there, so that it can be varied"))
    })?;
    // A range beside the value says how far it may be off; what is varied is the value.
    let text = text.split_once(" in ").map_or(text, |(value, _)| value);
    let is_count = path.ends_with("count") || path.ends_with("instances");
    let quantity = if is_count { Quantity::count(text) } else { Quantity::parse(text) };
    let quantity = quantity.filter(|quantity| quantity.value() > 0.0);
    let quantity = quantity.ok_or_else(|| {
        wrong(format!("`{text}` at `{path}` is no quantity above zero that could be multiplied"))
    })?;
    Ok((path.to_owned(), quantity))
}

fn experiment(
    read: &mut dyn FnMut(&[Setting]) -> Loaded,
    file: &str,
    settings: &[Setting],
) -> Result<Experiment, CapacityError> {
    let mut loaded = read(settings);
    let found = prepare(&mut loaded, file).pop();
    found.ok_or_else(|| CapacityError::Scenario(Box::new(loaded)))
}

/// Whether nothing changes over time, so that a part of it is as good as all.
fn is_steady(experiment: &Experiment) -> bool {
    let plan = &experiment.plan;
    let constant = match &plan.users.source {
        Source::Open { profile, .. } => profile.is_constant(),
        // Nobody knows beforehand how many they will send.
        Source::Closed { .. } => false,
    };
    let scales = plan.components.iter().any(|component| component.facts().scales());
    let happens = plan.faults.iter().any(|fault| fault.name != NAME);
    let windows = experiment.slo.iter().any(Question::has_window);
    constant && plan.users.visits.is_none() && !scales && !happens && !windows
}

/// Cuts the measured time to what is needed: a number of requests in all, and a number of those
/// that each SLO is about.
fn shorten(experiment: &mut Experiment) {
    let plan = &experiment.plan;
    let rates = operation_rates(plan);
    let each = experiment.slo.iter().map(|question| question.requests() / question.rate(&rates));
    let all = REQUESTS / rates.iter().sum::<f64>();
    let needed = each.fold(all.max(SHORTEST_S), f64::max);
    let plan = &mut experiment.plan;
    let longest = plan.window.duration.0 as f64 / 1e9;
    plan.window.duration = Duration::from_seconds(needed.min(longest)).min(plan.window.duration);
    plan.window.window = plan.window.window.min(plan.window.duration);
}

/// Moves a loss to before the measured time.
fn begin_before(experiment: &mut Experiment) {
    let Some(fault) = experiment.plan.faults.iter_mut().find(|fault| fault.name == NAME) else {
        return;
    };
    let Timing::At { at, .. } = &mut fault.timing else { unreachable!("it is given a time") };
    *at = Instant(-BEFORE.0);
    experiment.settings.warmup = match experiment.settings.warmup {
        Warmup::Fixed(written) => Warmup::Fixed(written.max(BEFORE)),
        Warmup::Auto | Warmup::AtLeast(_) => Warmup::AtLeast(BEFORE),
    };
}
