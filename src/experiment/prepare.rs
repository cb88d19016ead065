//! From scenarios that were read to experiments that can be run: settings, and the names in
//! expressions.
//!
//! Names in expressions are found here and not when a scenario is compiled, because what can be
//! measured is known on this floor only. It runs nothing.

use super::judge::Question;
use super::metric::Point;
use super::run::{Settings, Warmup};
use super::summary::ScenarioId;
use crate::language::{Diagnostics, Severity};
use crate::scenario::Scenario;
use crate::scenario::file::{Loaded, Resolved};
use crate::scenario::settings::WarmupConfigPlan;
use crate::units::Quantity;
use crate::world::Plan;

/// An experiment that can be run.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// The point of the sweep; none for the file as written.
    pub point: Option<String>,
    /// What is simulated.
    pub plan: Plan,
    /// How it is run.
    pub settings: Settings,
    /// What the owner wants.
    pub slo: Vec<Question>,
    /// What the author asserts.
    pub expect: Vec<Question>,
}

/// The experiments of everything that was read; `file` is the last component of its path.
///
/// Names that an expression does not find are added to the diagnostics, and then there are none.
pub fn prepare(loaded: &mut Loaded, file: &str) -> Vec<Experiment> {
    let mut found = Diagnostics::new();
    let experiments: Vec<Experiment> =
        loaded.scenarios.iter().map(|resolved| experiment(resolved, file, &mut found)).collect();
    across(loaded, &experiments, &mut found);
    for mended in &loaded.mended {
        let (mut more, scenario) = (Diagnostics::new(), &mended.scenario);
        let expressions = scenario.slo.iter().chain(&scenario.expect);
        Question::resolve_all(expressions, &scenario.plan, &mut more);
        more.iter().filter(|d| !mended.explains(d)).for_each(|d| found.push(d.clone()));
    }
    let found = loaded.name_layers(&found);
    found.iter().for_each(|diagnostic| loaded.diagnostics.push(diagnostic.clone()));
    if loaded.diagnostics.has_errors() { Vec::new() } else { experiments }
}

fn experiment(resolved: &Resolved, file: &str, out: &mut Diagnostics) -> Experiment {
    let Resolved { scenario, point, digest, .. } = resolved;
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let mut name = scenario.name.clone().unwrap_or_else(|| stem.to_string());
    if let Some(point) = point {
        name = format!("{name}, point {point}");
    }
    let id = ScenarioId { name, file: file.to_string(), digest: digest.clone() };
    Experiment { point: point.clone(), ..of(scenario, id, out) }
}

/// The experiment of a scenario; names that an expression does not find go to `out`.
fn of(scenario: &Scenario, id: ScenarioId, out: &mut Diagnostics) -> Experiment {
    let settings = Settings {
        scenario: id,
        seed: scenario.settings.seed,
        replications: scenario.settings.replications,
        warmup: match scenario.settings.warmup {
            WarmupConfigPlan::Auto => Warmup::Auto,
            WarmupConfigPlan::Fixed(duration) => Warmup::Fixed(duration),
        },
        precision: scenario.settings.precision,
        shrink: scenario.settings.shrink,
    };
    Experiment {
        point: None,
        slo: Question::resolve_all(&scenario.slo, &scenario.plan, out),
        expect: Question::resolve_all(&scenario.expect, &scenario.plan, out),
        plan: scenario.plan.clone(),
        settings,
    }
}

/// An experiment with these values in the uncertain places of its scenario, or why there is none.
///
/// It is run as often as asked for and no more, and nothing is expected of it.
pub fn sampled(
    resolved: &Resolved,
    experiment: &Experiment,
    values: &[Quantity],
) -> Result<Experiment, String> {
    let why = |found: &Diagnostics| {
        let first = found.sorted().into_iter().find(|one| one.severity == Severity::Error);
        first.map_or_else(String::new, |one| one.message.clone())
    };
    let scenario = resolved.with(values).map_err(|found| why(&found))?;
    let mut found = Diagnostics::new();
    let mut sample = of(&scenario, experiment.settings.scenario.clone(), &mut found);
    if found.has_errors() {
        return Err(why(&found));
    }
    sample.expect.clear();
    sample.settings.precision = None;
    Ok(sample)
}

/// The expectations that compare points, when all points were read; the points of a question are
/// the experiments that have a point, in their order.
pub fn across(loaded: &Loaded, experiments: &[Experiment], out: &mut Diagnostics) -> Vec<Question> {
    let named = experiments.iter().filter_map(|experiment| {
        Some(Point { name: Some(experiment.point.as_deref()?), plan: &experiment.plan })
    });
    let points: Vec<Point<'_>> = named.collect();
    if points.len() < loaded.points.len() {
        return Vec::new();
    }
    let all = loaded.across.iter();
    all.filter_map(|expression| Question::resolve(expression, &points, out)).collect()
}
