//! Gates: how much worse a figure may become before a comparison fails.
//!
//! `p99 +5%` allows five percent more, `goodput -20/s` twenty a second less; the sign says which
//! way is worse. A regression is proven when the whole interval lies beyond the limit, and excluded
//! when none of it does. It knows figures by address and no runs.

use super::compare::{GateVerdict, Kinship, Side, Turned, combination, turned};
use super::summary::{Better, Figure, Unit};
use super::verdict::Verdict;
use crate::language::suggest::did_you_mean;
use crate::units::{Bandwidth, Bytes, Duration, Factor, MeanCount, Rate};
use std::fmt;

/// How much worse a figure may become.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    text: String,
    figure: String,
    /// 1 where more is worse, -1 where less is.
    sign: f64,
    limit: Limit,
}

#[derive(Clone, Debug, PartialEq)]
enum Limit {
    /// A share of the base's figure.
    Relative(f64),
    /// An amount as written, without its sign.
    Absolute(String),
}

/// What is wrong with a gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateError {
    message: String,
    help: String,
}

impl fmt::Display for GateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  help: {}", self.message, self.help)
    }
}

impl std::error::Error for GateError {}

impl Gate {
    /// Reads `FIGURE +LIMIT` or `FIGURE -LIMIT`.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn parse(text: &str) -> Result<Self, GateError> {
        let wrong = |message: String| GateError {
            message,
            help: "write a figure and how much worse it may become: \"p99 +5%\", \"goodput -20/s\""
                .to_owned(),
        };
        let (figure, limit) = text
            .trim()
            .rsplit_once(char::is_whitespace)
            .ok_or_else(|| wrong(format!("the gate `{text}` has no figure and limit")))?;
        let (sign, amount) = match limit.split_at_checked(1) {
            Some(("+", amount)) => (1.0, amount),
            Some(("-", amount)) => (-1.0, amount),
            _ => return Err(wrong(format!("the limit `{limit}` of a gate has no sign"))),
        };
        let percent = amount.strip_suffix('%').and_then(|number| positive(number.trim()));
        let limit = match percent.ok_or(()) {
            Ok(percent) => Limit::Relative(percent / 100.0),
            Err(()) if amount.starts_with(|first: char| first.is_ascii_digit() || first == '$') => {
                Limit::Absolute(amount.to_owned())
            }
            Err(()) => return Err(wrong(format!("`{amount}` is no limit"))),
        };
        let (text, figure) = (text.trim().to_owned(), figure.trim().to_owned());
        Ok(Self { text, figure, sign, limit })
    }

    /// The verdict on it.
    pub(super) fn judge(
        &self,
        base: &Side,
        other: &Side,
        kinship: Kinship,
    ) -> Result<GateVerdict, GateError> {
        let (before, after) = (self.figure_of(base)?, self.figure_of(other)?);
        let (share, amount) = match &self.limit {
            Limit::Relative(share) => (*share, 0.0),
            Limit::Absolute(text) => (0.0, self.amount(text, before.unit)?),
        };
        // What is beyond the limit, taken from each replication, so that it can be paired.
        let excess = combination((after, self.sign), (before, self.sign + share), amount, kinship);
        let verdict = match (turned(before, after), excess.ci95) {
            _ if kinship == Kinship::Same => Verdict::Holds,
            (Some(Turned::Untold), _) => Verdict::Undecided,
            (Some(turned), _) if (turned == Turned::Infinite) == (self.sign > 0.0) => {
                Verdict::Fails
            }
            (Some(_), _) => Verdict::Holds,
            (None, Some([low, _])) if low > 0.0 => Verdict::Fails,
            (None, Some([_, high])) if high <= 0.0 => Verdict::Holds,
            (None, _) => Verdict::Undecided,
        };
        let (text, figure) = (self.text.clone(), self.figure.clone());
        Ok(GateVerdict { text, figure, excess, unit: before.unit, verdict })
    }

    /// Whether it guards against what is good: more goodput, or a shorter latency.
    ///
    /// # Errors
    /// Such a gate, and the one that was meant.
    pub fn check(&self, base: &Side) -> Result<(), GateError> {
        let better = self.figure_of(base)?.better;
        let harmless = match better {
            Some(Better::Higher) => self.sign > 0.0,
            Some(Better::Lower) => self.sign < 0.0,
            None => false,
        };
        let (figure, sign) = (&self.figure, if self.sign > 0.0 { '-' } else { '+' });
        let limit = self.text.rsplit(['+', '-']).next().unwrap_or_default();
        match harmless {
            false => Ok(()),
            true => Err(GateError {
                message: format!("the gate `{}` would fail on what is better", self.text),
                help: format!("a regression of `{figure}` is \"{figure} {sign}{limit}\""),
            }),
        }
    }

    fn figure_of<'s>(&self, side: &'s Side) -> Result<&'s Figure, GateError> {
        side.figure(&self.figure).ok_or_else(|| {
            let names: Vec<&str> = side.figures.iter().map(|(name, _)| name.as_str()).collect();
            GateError {
                message: format!("`{}` has no figure `{}`", side.label, self.figure),
                help: did_you_mean(&self.figure, "figure", &names),
            }
        })
    }

    /// An amount in the unit of its figure.
    fn amount(&self, text: &str, unit: Unit) -> Result<f64, GateError> {
        let read = match unit {
            Unit::Milliseconds => Duration::parse(text).ok().map(|d| d.0 as f64 / 1e6),
            Unit::PerSecond => Rate::parse(text).ok().map(|rate| rate.0),
            Unit::Ratio => text.strip_suffix("pp").and_then(positive).map(|points| points / 1e2),
            Unit::Count => MeanCount::parse(text).ok().map(|count| count.0),
            Unit::Factor => Factor::parse(text).ok().map(|factor| factor.0),
            Unit::BytesPerSecond => Bandwidth::parse(text).ok().map(|one| one.0),
            Unit::Bytes => Bytes::parse(text).ok().map(|bytes| bytes.0 as f64),
            Unit::Dollars => text.strip_prefix('$').and_then(positive),
        };
        let example = match unit {
            Unit::Milliseconds => "20ms",
            Unit::PerSecond => "20/s",
            Unit::Ratio => "0.1pp (percentage points)",
            Unit::Count => "3",
            Unit::Factor => "0.1x",
            Unit::BytesPerSecond => "10MB/s",
            Unit::Bytes => "10GB",
            Unit::Dollars => "$500",
        };
        read.ok_or_else(|| GateError {
            message: format!("`{text}` is no amount of `{}`", self.figure),
            help: format!("write it like {example}, or relative, like 5%"),
        })
    }
}

/// A number that is at least zero and ends.
fn positive(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
}
