//! The rhythm of the load as written: `arrivals`, how requests follow each other, and `profile`,
//! the factor on their rate over time.
//!
//! What they mean is computed in [`arrivals`](super::arrivals) and [`profile`](super::profile).
//! Nothing here knows who sends the requests or at what rate.

use super::arrivals::{ArrivalPlan, ModulationState};
use super::profile::ProfilePlan;
use crate::language::{Diagnostics, Names, Span, Spanned};
use crate::random::{CountDistribution, Distribution, ShapeDistribution};
use crate::units::{Duration, Factor, Instant};
use crate::{choice, config};

choice! {
    /// How requests follow each other in an open load.
    pub enum ArrivalsConfig {
        /// Independently: many people who know nothing of each other.
        poisson: Poisson,
        /// With equal gaps.
        even: Even,
        /// With independent gaps of this shape; their mean comes from the rate.
        renewal: Renewal(ShapeDistribution),
        /// So many at the same instant; the rate still counts requests.
        batches: Batches(CountDistribution),
        /// At a rate that jumps between states, at least two.
        modulated: Modulated(Names<StateConfig>),
    }
}

config! {
    /// One state of a modulated load; any of the others follows it.
    pub struct StateConfig {
        /// Factor on the rate while it lasts.
        by: Factor = required,
        /// How long it lasts.
        hold: Distribution = required,
    }
}

impl ArrivalsConfig {
    /// The plan, or errors.
    pub fn plan(&self, out: &mut Diagnostics) -> Option<ArrivalPlan> {
        match self {
            ArrivalsConfig::Poisson => Some(ArrivalPlan::poisson()),
            ArrivalsConfig::Even => Some(ArrivalPlan::even()),
            ArrivalsConfig::Renewal(shape) => {
                or_report(ArrivalPlan::renewal(shape.plan()), shape.span, out)
            }
            ArrivalsConfig::Batches(size) => {
                or_report(ArrivalPlan::batches(size.plan()), size.span, out)
            }
            ArrivalsConfig::Modulated(states) => modulated(states, out),
        }
    }
}

/// States whose mean differs from the nominal rate by more than this are likely a mistake.
const MEAN_ERROR_MAX: f64 = 0.05;

fn modulated(states: &Spanned<Names<StateConfig>>, out: &mut Diagnostics) -> Option<ArrivalPlan> {
    let state =
        |state: &StateConfig| ModulationState { by: state.by.value, hold: state.hold.plan() };
    let list = states.iter().map(|(_, s)| state(s)).collect();
    let plan = or_report(ArrivalPlan::modulated(list), states.span, out)?;
    let mean = plan.mean_factor();
    if (mean - 1.0).abs() > MEAN_ERROR_MAX {
        out.warning("W0301", states.span, format!("the states average to {mean:.3}x of the rate"))
            .help("the rate is that of the whole load, so factors usually average to 1x over time");
    }
    Some(plan)
}

fn or_report<T>(made: Result<T, String>, span: Span, out: &mut Diagnostics) -> Option<T> {
    made.map_err(|message| _ = out.error("E0303", span, message)).ok()
}

choice! {
    /// The factor on the rate over time; during the warm-up it is what it is at 0.
    pub enum ProfileConfig {
        /// Always 1x.
        constant: Constant,
        /// From one factor to another, evenly.
        ramp: Ramp(RampConfig),
        /// 1x, for a while a different factor, and 1x again.
        spike: Spike(SpikeConfig),
        /// A sine over the day.
        diurnal: Diurnal(DiurnalConfig),
        /// A new factor at each of several times; before the first, 1x.
        steps: Steps(Vec<ProfileStepConfig>),
    }
    unbuilt { curve: "factors over time from a file" }
}

config! {
    /// From one factor to another, evenly.
    #[derive(Copy)]
    pub struct RampConfig {
        /// The factor at time 0 and before.
        from: Factor = "0x",
        /// The factor at the end and for ever after.
        to: Factor = "1x",
        /// How long the ramp takes.
        over: Duration = required,
    }
}

config! {
    /// 1x, then `rise`, then `by` during `for`, then `fall`, then 1x again.
    #[derive(Copy)]
    pub struct SpikeConfig {
        /// The factor at the top.
        by: Factor = required,
        /// When it begins to rise, counted from the end of the warm-up.
        at: Duration = required,
        /// How long it stays at the top.
        r#for: Duration = required,
        /// How long it takes to rise.
        rise: Duration = "0s",
        /// How long it takes to fall.
        fall: Duration = "0s",
    }
}

config! {
    /// A sine between two factors.
    #[derive(Copy)]
    pub struct DiurnalConfig {
        /// The lowest factor.
        low: Factor = "0.4x" source "nights at two fifths of the peak, a choice",
        /// The highest factor.
        high: Factor = "1x",
        /// From one peak to the next.
        period: Duration = "24h",
        /// When the factor is highest.
        peak_at: Duration = "12h",
    }
}

config! {
    /// A factor from some time on.
    #[derive(Copy)]
    pub struct ProfileStepConfig {
        /// From when, counted from the end of the warm-up.
        at: Duration = required,
        /// The factor.
        by: Factor = required,
    }
}

impl ProfileConfig {
    /// The plan, or errors.
    pub fn plan(&self, out: &mut Diagnostics) -> Option<ProfilePlan> {
        match self {
            ProfileConfig::Constant => Some(ProfilePlan::constant()),
            ProfileConfig::Ramp(ramp) => {
                Some(ProfilePlan::ramp(ramp.from.value, ramp.to.value, ramp.over.value))
            }
            ProfileConfig::Spike(spike) => Some(ProfilePlan::spike(
                spike.by.value,
                Instant(spike.at.0),
                spike.r#for.value,
                spike.rise.value,
                spike.fall.value,
            )),
            ProfileConfig::Diurnal(day) => {
                let peak_at = Instant(day.peak_at.0);
                let made =
                    ProfilePlan::diurnal(day.low.value, day.high.value, day.period.value, peak_at);
                or_report(made, day.span, out)
            }
            ProfileConfig::Steps(steps) => {
                let list: Vec<(Instant, Factor)> =
                    steps.iter().map(|step| (Instant(step.at.0), step.by.value)).collect();
                or_report(ProfilePlan::steps(&list), steps.span, out)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{Decode, FileId, node};

    fn decode<T: Decode, P>(
        text: &str,
        plan: impl Fn(&T, &mut Diagnostics) -> Option<P>,
    ) -> Result<P, String> {
        let mut out = Diagnostics::new();
        let node = node::parse(FileId(0), text, &mut out).expect("valid YAML");
        let planned = T::decode(&node, &mut out).and_then(|config| plan(&config, &mut out));
        match out.iter().next() {
            Some(first) => Err(format!("{} {}", first.code, first.message)),
            None => Ok(planned.expect("no error was reported")),
        }
    }

    fn profile(text: &str) -> Result<ProfilePlan, String> {
        decode(text, ProfileConfig::plan)
    }

    fn arrivals(text: &str) -> Result<ArrivalPlan, String> {
        decode(text, ArrivalsConfig::plan)
    }

    fn minutes(minutes: i64) -> Instant {
        Instant(minutes * 60_000_000_000)
    }

    #[test]
    fn every_form_of_profile_is_read() {
        let factors = |text: &str, at: [i64; 3]| {
            let plan = profile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            at.map(|at| (plan.factor_at(minutes(at)) * 1e6).round() / 1e6)
        };
        assert_eq!(factors("constant", [-1, 0, 99]), [1.0, 1.0, 1.0]);
        assert_eq!(factors("{ ramp: { over: 10min } }", [-1, 5, 10]), [0.0, 0.5, 1.0]);
        let spike = "{ spike: { by: 10x, at: 5min, for: 2min } }";
        assert_eq!(factors(spike, [4, 5, 7]), [1.0, 10.0, 1.0]);
        let slow = "{ spike: { by: 3x, at: 5min, for: 2min, rise: 2min, fall: 4min } }";
        assert_eq!(factors(slow, [6, 8, 11]), [2.0, 3.0, 2.0]);
        assert_eq!(factors("diurnal", [0, 360, 720]), [0.4, 0.7, 1.0]);
        let steps = "{ steps: [ { at: 0s, by: 1x }, { at: 5min, by: 2x } ] }";
        assert_eq!(factors(steps, [0, 4, 5]), [1.0, 1.0, 2.0]);
    }

    #[test]
    fn every_form_of_arrivals_is_read() {
        for text in [
            "poisson",
            "even",
            "{ renewal: { erlang: { k: 3 } } }",
            "{ renewal: { lognormal: { scv: 2 } } }",
            "{ batches: 5 }",
            "{ batches: { geometric: { mean: 4, from: 1 } } }",
        ] {
            assert_eq!(arrivals(text).map(|plan| plan.mean_factor()), Ok(1.0), "{text}");
        }
        let text = "{ modulated: { calm: { by: 0.6x, hold: { exponential: 2s } }, \
                    burst: { by: 2.5x, hold: { exponential: 500ms } } } }";
        let plan = arrivals(text).unwrap();
        assert!((plan.mean_factor() - 0.98).abs() < 1e-12 && plan.max_factor() == 2.5);
    }

    #[test]
    fn what_cannot_be_is_said() {
        let cases = [
            ("{ batches: 0 }", "E0303 a batch needs at least one request now and then"),
            (
                "{ modulated: { one: { by: 1x, hold: 1s } } }",
                "E0303 a modulated load has at least two states",
            ),
            (
                "{ modulated: { a: { by: 1x, hold: 1s }, b: { by: 3x, hold: 1s } } }",
                "W0301 the states average to 2.000x of the rate",
            ),
            ("{ batch: 5 }", "E0106 unknown variant `batch`"),
        ];
        for (text, message) in cases {
            assert_eq!(arrivals(text).err().as_deref(), Some(message), "{text}");
        }
        let cases = [
            ("{ curve: load.csv }", "E0110 `curve` is not built yet"),
            ("{ diurnal: { low: 2x } }", "E0303 `low` lies above `high`"),
            (
                "{ steps: [ { at: 5min, by: 1x }, { at: 1min, by: 2x } ] }",
                "E0303 the step at 1min is not later than the one before it",
            ),
            ("{ spike: { by: 10x, at: 5min } }", "E0103 missing key `for`"),
        ];
        for (text, message) in cases {
            assert_eq!(profile(text).err().as_deref(), Some(message), "{text}");
        }
    }
}
