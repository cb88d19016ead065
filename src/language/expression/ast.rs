//! What an expression says, with the place of every word.
//!
//! Names are kept as written: which of them is a region, an operation or a component is found out
//! on the floor that knows the scenario.

use super::vocabulary::{Dimension, FaultOutcome, Metric, Statistic};
use crate::language::{Span, Spanned};
use crate::units::{Bandwidth, Duration, Money, Rate, Ratio};

/// One SLO, expectation or alert condition: a measured figure compared with a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// The text as written, which is also its name in reports.
    pub text: String,
    /// What is measured.
    pub left: Left,
    /// How it is compared.
    pub comparison: Spanned<Comparison>,
    /// With what.
    pub target: Spanned<Target>,
    /// How far an equality may be off.
    pub tolerance: Option<Spanned<Tolerance>>,
    /// When it is measured; the whole run without one.
    pub window: Option<Window>,
}

/// The measured side.
#[derive(Clone, Debug, PartialEq)]
pub enum Left {
    /// One figure.
    Measure(Measure),
    /// `A / B`.
    Quotient(Measure, Measure),
    /// `A - B`.
    Difference(Measure, Measure),
    /// `1 - A`.
    Complement(Measure),
}

impl Left {
    /// The figures that it is made of, one or two.
    pub fn measures(&self) -> impl Iterator<Item = &Measure> {
        let (first, second) = match self {
            Self::Measure(first) | Self::Complement(first) => (first, None),
            Self::Quotient(first, second) | Self::Difference(first, second) => {
                (first, Some(second))
            }
        };
        std::iter::once(first).chain(second)
    }
}

/// `[ADDRESS.]METRIC[.STATISTIC]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// Names and numbers before the metric, in the order written.
    pub address: Vec<Spanned<String>>,
    /// The metric; the latency as felt for a bare statistic.
    pub metric: Spanned<Metric>,
    /// The cause or number that some metrics take.
    pub argument: Option<Spanned<Argument>>,
    /// The statistic, where the metric has several.
    pub statistic: Option<Spanned<Statistic>>,
    /// From the first to the last word.
    pub span: Span,
}

impl Measure {
    /// How the figure may be written; several where that depends on the address.
    pub fn dimensions(&self) -> &'static [Dimension] {
        match self.statistic.as_ref().map(|statistic| statistic.value) {
            Some(Statistic::Cv | Statistic::MaxOverMean) => &[Dimension::Factor],
            Some(Statistic::Count) => &[Dimension::Count],
            _ => self.metric.value.word().dimensions,
        }
    }

    /// The statistic, the mean where none is written; without one, a count is the total.
    pub fn statistic(&self) -> Statistic {
        self.statistic.as_ref().map_or(Statistic::Mean, |statistic| statistic.value)
    }
}

/// What some metrics need besides their name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A cause of failure, one of [`CAUSES`](super::CAUSES).
    Cause(&'static str),
    /// A number of instances, at least 1.
    Number(u32),
}

/// How a measured figure is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `==`: exact, or approximate with a tolerance.
    Equal,
}

impl Comparison {
    /// Every comparison and its sign.
    pub const SIGNS: [(&'static str, Comparison); 5] = [
        ("<", Comparison::Below),
        ("<=", Comparison::AtMost),
        (">", Comparison::Above),
        (">=", Comparison::AtLeast),
        ("==", Comparison::Equal),
    ];

    /// The sign of the comparison.
    pub fn sign(self) -> &'static str {
        let found = Self::SIGNS.iter().find(|(_, comparison)| *comparison == self);
        found.expect("every comparison has a sign").0
    }
}

/// What a figure is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// A duration.
    Time(Duration),
    /// Events per second.
    Rate(Rate),
    /// A share.
    Ratio(Ratio),
    /// A count or a mean count.
    Count(f64),
    /// A multiple.
    Factor(f64),
    /// Bytes per second.
    Bandwidth(Bandwidth),
    /// Dollars.
    Money(Money),
    /// What became of the system after a fault.
    Outcome(FaultOutcome),
}

impl Target {
    /// The number in base units: nanoseconds, per second, share of 1, bytes per second, dollars;
    /// `None` for an outcome.
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Time(duration) => Some(duration.0 as f64),
            Self::Rate(rate) => Some(rate.0),
            Self::Ratio(ratio) => Some(ratio.0),
            Self::Count(number) | Self::Factor(number) => Some(number),
            Self::Bandwidth(bandwidth) => Some(bandwidth.0),
            Self::Money(money) => Some(money.0),
            Self::Outcome(_) => None,
        }
    }

    /// How the target was written, which settles the dimension of the measured side.
    pub fn dimension(self) -> Dimension {
        match self {
            Self::Time(_) => Dimension::Time,
            Self::Rate(_) => Dimension::Rate,
            Self::Ratio(_) => Dimension::Ratio,
            Self::Count(_) => Dimension::Count,
            Self::Factor(_) => Dimension::Factor,
            Self::Bandwidth(_) => Dimension::Bandwidth,
            Self::Money(_) => Dimension::Money,
            Self::Outcome(_) => Dimension::Outcome,
        }
    }
}

/// How far an equality may be off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tolerance {
    /// A share of the target.
    Relative(f64),
    /// A distance in the target's base unit.
    Absolute(f64),
}

impl Tolerance {
    /// The distance in the base unit of the target.
    pub fn around(self, target: f64) -> f64 {
        match self {
            Self::Relative(share) => share * target.abs(),
            Self::Absolute(distance) => distance,
        }
    }
}

/// When a figure is measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Within the time, outside it, or after its end.
    pub relation: Relation,
    /// The time.
    pub time: WindowTime,
    /// From the keyword to the last word.
    pub span: Span,
}

/// How a window relates to the time that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Within it.
    During,
    /// Before and after it.
    Outside,
    /// From its end on.
    After,
}

impl Relation {
    /// Every relation and its keyword.
    pub const WORDS: [(&'static str, Relation); 3] =
        [("during", Relation::During), ("outside", Relation::Outside), ("after", Relation::After)];

    /// The relation of a keyword.
    pub fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(name, _)| *name == word).map(|&(_, relation)| relation)
    }
}

/// A time that a window names.
#[derive(Clone, Debug, PartialEq)]
pub enum WindowTime {
    /// `60s..300s` on the scenario clock; the end is later than the start.
    Range(Spanned<Duration>, Spanned<Duration>),
    /// A fault or a change: from its start until its cause is gone or mitigated.
    Event(Vec<Spanned<String>>),
}
