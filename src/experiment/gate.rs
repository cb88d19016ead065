//! Gates: how much worse a figure may become before a comparison fails.
//!
//! `p99 +5%` allows five percent more, `goodput -20/s` twenty a second less; the sign says which
//! way is worse. A regression is proven when the whole interval lies beyond the limit, and excluded
//! when none of it does. It knows figures by address and no runs.

use super::compare::{GateVerdict, Side, difference};
use super::statistics::{Estimate, Value};
use super::summary::{Figure, Unit};
use super::verdict::Verdict;
use crate::language::suggest::did_you_mean;
use crate::units::{Bandwidth, Bytes, Duration, Factor, MeanCount, Rate, Ratio};
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
        let limit = match Ratio::parse(amount) {
            Ok(Ratio(share)) => Limit::Relative(share),
            Err(_) if amount.starts_with(|first: char| first.is_ascii_digit() || first == '$') => {
                Limit::Absolute(amount.to_owned())
            }
            Err(_) => return Err(wrong(format!("`{amount}` is no limit"))),
        };
        let (text, figure) = (text.trim().to_owned(), figure.trim().to_owned());
        Ok(Self { text, figure, sign, limit })
    }

    /// The verdict on it.
    pub(super) fn judge(
        &self,
        base: &Side,
        other: &Side,
        paired: bool,
    ) -> Result<GateVerdict, GateError> {
        let (before, after) = (self.figure_of(base)?, self.figure_of(other)?);
        let (share, amount) = match &self.limit {
            Limit::Relative(share) => (*share, 0.0),
            Limit::Absolute(text) => (0.0, self.amount(text, before.unit)?),
        };
        // What is beyond the limit, taken from each replication, so that it can be paired.
        let allowed = |value: &Value| value.map(|v| v * (self.sign + share) + amount);
        let turned = |value: &Value| value.map(|v| v * self.sign);
        let allowed: Vec<Value> = before.values.iter().map(allowed).collect();
        let turned: Vec<Value> = after.values.iter().map(turned).collect();
        let excess = difference(&turned, &allowed, paired);
        let verdict = self.verdict(&excess, before, after);
        Ok(GateVerdict { text: self.text.clone(), excess, unit: before.unit, verdict })
    }

    fn verdict(&self, excess: &Estimate, before: &Figure, after: &Figure) -> Verdict {
        let mean = |figure: &Figure| Estimate::of(&figure.values).mean;
        match (excess.ci95, mean(before), mean(after)) {
            (Some([low, _]), ..) if low > 0.0 => Verdict::Fails,
            (Some([_, high]), ..) if high <= 0.0 => Verdict::Holds,
            (None, Value::Infinite, Value::Infinite) => Verdict::Holds,
            (None, Value::Finite(_), Value::Infinite) if self.sign > 0.0 => Verdict::Fails,
            (None, Value::Infinite, Value::Finite(_)) if self.sign > 0.0 => Verdict::Holds,
            _ => Verdict::Undecided,
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
            Unit::Ratio => {
                text.strip_suffix("pp").and_then(|n| n.parse().ok()).map(|n: f64| n / 1e2)
            }
            Unit::Count => MeanCount::parse(text).ok().map(|count| count.0),
            Unit::Factor => Factor::parse(text).ok().map(|factor| factor.0),
            Unit::BytesPerSecond => Bandwidth::parse(text).ok().map(|one| one.0),
            Unit::Bytes => Bytes::parse(text).ok().map(|bytes| bytes.0 as f64),
            Unit::Dollars => text.strip_prefix('$').and_then(|number| number.parse().ok()),
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
