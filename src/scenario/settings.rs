//! How a scenario is run: what its `run:` block comes to with its defaults filled.
//!
//! It knows nothing of what is run.

use super::document::{Document, PrecisionConfig, WarmupConfig};
use crate::language::Diagnostics;
use crate::units::Duration;

/// How a scenario is run, with its defaults filled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Time before the measured time.
    pub warmup: WarmupConfigPlan,
    /// Independent repetitions.
    pub replications: u32,
    /// How tight the figures of the SLOs shall be.
    pub precision: Option<PrecisionPlan>,
    /// Seed of all draws.
    pub seed: u64,
    /// Users and instances are divided by this.
    pub shrink: f64,
}

/// Time before the measured time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WarmupConfigPlan {
    /// Found by MSER-5 in a pilot.
    Auto,
    /// Given.
    Fixed(Duration),
}

/// Until when replications are added.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrecisionPlan {
    /// Half of each interval over its figure, at most.
    pub half_width: f64,
    /// Replications at most.
    pub at_most: u32,
}

/// What the `run:` block comes to.
pub(super) fn settings(document: &Document) -> Settings {
    let run = &document.run;
    let precision = |config: &PrecisionConfig| PrecisionPlan {
        half_width: config.half_width.value.0,
        at_most: config.at_most.value as u32,
    };
    Settings {
        warmup: match &run.warmup.value {
            WarmupConfig::Auto => WarmupConfigPlan::Auto,
            WarmupConfig::Given(given) => WarmupConfigPlan::Fixed(given.value),
            WarmupConfig::Share(share) => WarmupConfigPlan::Fixed(Duration(
                (run.duration.value.0 as f64 * share.value.0).round() as i64,
            )),
        },
        replications: run.replications.value as u32,
        precision: run.precision.value.as_ref().map(precision),
        seed: run.seed.value,
        shrink: run.shrink.value.0,
    }
}

/// What no run can be.
pub(super) fn check(document: &Document, out: &mut Diagnostics) {
    let run = &document.run;
    if run.duration.value.0 == 0 {
        out.error("E0504", run.duration.span, "a run takes longer than no time");
    }
    if run.window.value.0 == 0 {
        out.error("E0504", run.window.span, "a window is longer than no time");
    } else if run.duration.value.0 / run.window.value.0 > 1_000_000 {
        out.error("E0504", run.window.span, "more than a million windows")
            .help("give a longer `window`");
    }
    let Some(precision) = &run.precision.value else { return };
    if document.slo.value.is_empty() {
        out.error("E0504", run.precision.span, "no SLO has a figure that could be this precise")
            .help("write `slo: [ p99 < 500ms ]`, or leave `precision` out");
    }
    if precision.half_width.value.0 <= 0.0 {
        out.error("E0504", precision.half_width.span, "no number of replications makes it exact");
    }
    if precision.at_most.value < run.replications.value {
        let message = format!("the first batch has {} replications", run.replications.value);
        out.error("E0504", precision.at_most.span, message)
            .help("give a larger `at_most`, or fewer `replications`");
    }
}
