//! Judging an estimate against a target: holds, fails, or undecided.
//!
//! Pure logic. It does not know which expression it judges, nor exit codes; all
//! numbers are in the same base unit.

use super::statistics::{Estimate, Value};
use crate::language::expression::{Comparison, Expression};

/// What an SLO or an expectation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The whole interval is on the right side.
    Holds,
    /// The interval reaches over the target, or there is none: run longer.
    Undecided,
    /// The whole interval is on the wrong side, or the statistic is infinite.
    Fails,
}

/// What is demanded of an estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Demand {
    /// Less than the target.
    Below(f64),
    /// At most the target.
    AtMost(f64),
    /// More than the target.
    Above(f64),
    /// At least the target.
    AtLeast(f64),
    /// The target exactly, in every replication (counts).
    Exactly(f64),
    /// The target give or take an absolute tolerance.
    Within {
        /// The expected value.
        target: f64,
        /// The allowed distance from it, in the same unit.
        tolerance: f64,
    },
}

impl Demand {
    /// What an expression demands of its measured side, in base units (nanoseconds, per second,
    /// share of 1); `None` for the outcome of a fault, which is no number.
    pub fn of(expression: &Expression) -> Option<Self> {
        let target = expression.target.value.number()?;
        Some(match (expression.comparison.value, &expression.tolerance) {
            (Comparison::Below, _) => Self::Below(target),
            (Comparison::AtMost, _) => Self::AtMost(target),
            (Comparison::Above, _) => Self::Above(target),
            (Comparison::AtLeast, _) => Self::AtLeast(target),
            (Comparison::Equal, None) => Self::Exactly(target),
            (Comparison::Equal, Some(tolerance)) => {
                Self::Within { target, tolerance: tolerance.value.around(target) }
            }
        })
    }

    /// What the measured side is compared with.
    pub const fn target(self) -> f64 {
        match self {
            Self::Below(target)
            | Self::AtMost(target)
            | Self::Above(target)
            | Self::AtLeast(target)
            | Self::Exactly(target)
            | Self::Within { target, .. } => target,
        }
    }

    /// Whether a value may be too small and too large.
    pub const fn is_two_sided(self) -> bool {
        matches!(self, Self::Exactly(_) | Self::Within { .. })
    }

    /// The same in another unit: multiplied by a positive factor.
    pub fn scaled(self, factor: f64) -> Self {
        match self {
            Self::Below(target) => Self::Below(target * factor),
            Self::AtMost(target) => Self::AtMost(target * factor),
            Self::Above(target) => Self::Above(target * factor),
            Self::AtLeast(target) => Self::AtLeast(target * factor),
            Self::Exactly(target) => Self::Exactly(target * factor),
            Self::Within { target, tolerance } => {
                Self::Within { target: target * factor, tolerance: tolerance * factor }
            }
        }
    }
}

/// The verdict on an estimate over replications.
///
/// An infinite statistic fails whatever is demanded, and a statistic without data is undecided:
/// a dead system never passes.
pub fn judge(estimate: &Estimate, demand: Demand) -> Verdict {
    let mean = match estimate.mean {
        Value::Finite(mean) => mean,
        Value::Infinite => return Verdict::Fails,
        Value::NoData => return Verdict::Undecided,
    };
    if let Demand::Exactly(target) = demand {
        let everywhere = estimate.ci95.is_none_or(|ends| ends == [target, target]);
        return decide(mean == target && everywhere, true);
    }
    let Some([low, high]) = estimate.ci95 else { return Verdict::Undecided };
    match demand {
        Demand::Below(target) => decide(high < target, low >= target),
        Demand::AtMost(target) => decide(high <= target, low > target),
        Demand::Above(target) => decide(low > target, high <= target),
        Demand::AtLeast(target) => decide(low >= target, high < target),
        Demand::Within { target, tolerance } => {
            // An interval wider than the tolerance would agree with anything.
            let half = (high - low) / 2.0;
            let inside = (mean - target).abs() <= tolerance + half;
            let outside = low > target + tolerance || high < target - tolerance;
            decide(half <= tolerance && inside, half <= tolerance || outside)
        }
        Demand::Exactly(_) => unreachable!("judged above"),
    }
}

fn decide(proven: bool, disproven: bool) -> Verdict {
    match (proven, disproven) {
        (true, _) => Verdict::Holds,
        (false, true) => Verdict::Fails,
        (false, false) => Verdict::Undecided,
    }
}

impl Verdict {
    /// The verdict on all of several demands: one failure fails, one undecided leaves it open.
    pub fn all(verdicts: impl IntoIterator<Item = Self>) -> Self {
        verdicts.into_iter().max().unwrap_or(Self::Holds)
    }

    /// The verdict of a word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Holds, Self::Fails, Self::Undecided].into_iter().find(|one| one.word() == word)
    }

    /// The word of the report and of the JSON summary.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::Undecided => "undecided",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Demand::{Above, AtLeast, AtMost, Below, Exactly, Within};
    use super::Verdict::{Fails, Holds, Undecided};
    use super::*;

    fn between(low: f64, high: f64) -> Estimate {
        Estimate { mean: Value::Finite((low + high) / 2.0), ci95: Some([low, high]) }
    }

    fn single(mean: f64) -> Estimate {
        Estimate { mean: Value::Finite(mean), ci95: None }
    }

    #[test]
    fn a_bound_holds_or_fails_only_with_the_whole_interval() {
        let cases = [
            (between(1.0, 2.0), Below(3.0), Holds),
            (between(1.0, 3.0), Below(3.0), Undecided),
            (between(3.0, 4.0), Below(3.0), Fails),
            (between(1.0, 3.0), AtMost(3.0), Holds),
            (between(3.0, 4.0), AtMost(3.0), Undecided),
            (between(3.5, 4.0), AtMost(3.0), Fails),
            (between(4.0, 5.0), Above(3.0), Holds),
            (between(3.0, 5.0), Above(3.0), Undecided),
            (between(2.0, 3.0), Above(3.0), Fails),
            (between(3.0, 5.0), AtLeast(3.0), Holds),
            (between(2.0, 3.0), AtLeast(3.0), Undecided),
            (between(1.0, 2.0), AtLeast(3.0), Fails),
        ];
        for (estimate, demand, expected) in cases {
            assert_eq!(judge(&estimate, demand), expected, "{estimate:?} {demand:?}");
        }
    }

    #[test]
    fn an_exact_figure_at_the_bound_is_decided() {
        let one = between(1.0, 1.0);
        assert_eq!(judge(&one, AtLeast(1.0)), Holds);
        assert_eq!(judge(&one, Below(1.0)), Fails);
        assert_eq!(judge(&one, Above(1.0)), Fails);
    }

    #[test]
    fn without_an_interval_nothing_is_proven_but_a_count() {
        assert_eq!(judge(&single(1.0), Below(3.0)), Undecided);
        assert_eq!(judge(&single(3.0), Within { target: 3.0, tolerance: 1.0 }), Undecided);
        assert_eq!(judge(&single(3.0), Exactly(3.0)), Holds);
        assert_eq!(judge(&single(2.0), Exactly(3.0)), Fails);
    }

    #[test]
    fn a_count_is_exact_in_every_replication() {
        assert_eq!(judge(&between(3.0, 3.0), Exactly(3.0)), Holds);
        assert_eq!(judge(&between(2.0, 4.0), Exactly(3.0)), Fails);
        assert_eq!(judge(&between(4.0, 4.0), Exactly(3.0)), Fails);
    }

    #[test]
    fn an_approximate_value_is_given_the_half_interval_and_no_more() {
        let within = |target, tolerance| Within { target, tolerance };
        assert_eq!(judge(&between(9.0, 11.0), within(10.0, 1.0)), Holds);
        assert_eq!(judge(&between(11.0, 13.0), within(10.0, 1.0)), Holds);
        assert_eq!(judge(&between(11.1, 13.1), within(10.0, 1.0)), Fails);
        assert_eq!(judge(&between(8.0, 12.0), within(10.0, 1.0)), Undecided);
        assert_eq!(judge(&between(98.0, 102.0), within(10.0, 1.0)), Fails);
        assert_eq!(judge(&between(10.0, 10.0), within(10.0, 0.0)), Holds);
    }

    #[test]
    fn a_dead_system_never_passes() {
        let infinite = Estimate { mean: Value::Infinite, ci95: None };
        for demand in [Below(1.0), AtMost(1.0), Above(1.0), AtLeast(1.0), Exactly(1.0)] {
            assert_eq!(judge(&infinite, demand), Fails);
            assert_eq!(judge(&Estimate::NO_DATA, demand), Undecided);
        }
    }

    #[test]
    fn an_expression_demands_in_base_units() {
        use crate::language::{Diagnostics, FileId, Span};
        let demand = |text: &str| {
            let at = Span::new(FileId(0), 0, text.len());
            let expression = Expression::parse(text, at, &mut Diagnostics::new());
            Demand::of(&expression.expect("the text is an expression"))
        };
        assert_eq!(demand("p99 < 300ms"), Some(Below(3e8)));
        assert_eq!(demand("web.utilization <= 75%"), Some(AtMost(0.75)));
        assert_eq!(demand("goodput > 2K/s"), Some(Above(2000.0)));
        assert_eq!(demand("web.instances.max == 12"), Some(Exactly(12.0)));
        let within = Within { target: 4e6, tolerance: 40_000.0 };
        assert_eq!(demand("mean == 4ms within 1%"), Some(within));
        assert_eq!(demand("blip.verdict == recovered"), None);
    }

    #[test]
    fn one_failure_fails_the_whole() {
        assert_eq!(Verdict::all([Holds, Undecided, Holds]), Undecided);
        assert_eq!(Verdict::all([Holds, Undecided, Fails]), Fails);
        assert_eq!(Verdict::all([]), Holds);
    }
}
