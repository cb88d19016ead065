//! How many: `12`, `500K`, `5M`, `1B`, `unlimited`; and mean counts, which may be fractional.
//!
//! Knows nothing of what is counted. Distributions over counts are on the floor of randomness.

use super::notation::{Notation, UnitError, UnitErrorKind, count_suffix};
use std::fmt;

/// A whole number of things, or no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Count {
    /// So many.
    Finite(u64),
    /// No bound; greater than every finite count.
    Unlimited,
}

/// A mean number of things per something else; finite, not negative, may be fractional.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct MeanCount(pub f64);

const COUNT: Notation = Notation { a_quantity: "a count", examples: "12, 500K, 5M, unlimited" };
const MEAN: Notation = Notation { a_quantity: "a mean count", examples: "3, 2.4, 1.5K" };

/// Counts beyond this are not exact as a floating-point number, and larger than any system.
const COUNT_MAX: f64 = 9e15;

impl Count {
    /// A regular expression of the notation, for the JSON Schema.
    pub const PATTERN: &str = r"^([0-9]+(\.[0-9]+)?[KMB]?|unlimited)$";

    /// Reads the notation, `500K`.
    pub fn parse(text: &str) -> Result<Count, UnitError> {
        if text.trim() == "unlimited" {
            return Ok(Count::Unlimited);
        }
        let number = scaled(&COUNT, text)?;
        // 1.005K is 1004.9999… as a float: whole means whole up to that noise.
        let whole = number.round();
        if (number - whole).abs() > 1e-6 {
            return Err(UnitError::new(
                UnitErrorKind::Malformed,
                format!("`{}` is not a whole number", text.trim()),
                "a count is a whole number, like 12 or 2.5K",
            ));
        }
        Ok(Count::Finite(whole as u64))
    }

    /// The number, or `None` when unlimited.
    pub fn finite(self) -> Option<u64> {
        match self {
            Count::Finite(number) => Some(number),
            Count::Unlimited => None,
        }
    }

    /// Whether `number` things are within this bound.
    #[inline]
    pub fn allows(self, number: u64) -> bool {
        match self {
            Count::Finite(limit) => number <= limit,
            Count::Unlimited => true,
        }
    }
}

impl MeanCount {
    /// A regular expression of the notation, for the JSON Schema.
    pub const PATTERN: &str = r"^[0-9]+(\.[0-9]+)?[KMB]?$";

    /// Reads the notation, `2.4`.
    pub fn parse(text: &str) -> Result<MeanCount, UnitError> {
        scaled(&MEAN, text).map(MeanCount)
    }
}

/// Reads a number with the suffix `K`, `M`, `B` or none.
fn scaled(notation: &Notation, text: &str) -> Result<f64, UnitError> {
    let (number, suffix) = notation.split(text)?;
    let digits = text.trim().trim_end_matches(suffix).trim();
    let Some(factor) = count_suffix(suffix) else {
        let help = match suffix {
            "k" => format!("write `{digits}K`"),
            "m" => format!("write `{digits}M`"),
            "b" | "G" => format!("write `{digits}B`"),
            _ => format!("a count has no unit; write {}", notation.examples),
        };
        return Err(notation.unknown_unit(suffix, help));
    };
    if number * factor > COUNT_MAX {
        return Err(notation.too_large(text));
    }
    Ok(number * factor)
}

/// Writes whole thousands, millions and billions with their suffix.
fn write_whole(f: &mut fmt::Formatter<'_>, number: u64) -> fmt::Result {
    for (suffix, size) in [("B", 1_000_000_000), ("M", 1_000_000), ("K", 1_000)] {
        if number >= size && number.is_multiple_of(size) {
            return write!(f, "{}{suffix}", number / size);
        }
    }
    write!(f, "{number}")
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Count::Finite(number) => write_whole(f, number),
            Count::Unlimited => f.write_str("unlimited"),
        }
    }
}

impl fmt::Display for MeanCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.fract() == 0.0 { write_whole(f, self.0 as u64) } else { write!(f, "{}", self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read() {
        let cases = [
            ("12", 12),
            ("0", 0),
            ("500K", 500_000),
            ("5M", 5_000_000),
            ("1B", 1_000_000_000),
            ("2.5K", 2_500),
            ("1.005K", 1_005),
        ];
        for (text, number) in cases {
            assert_eq!(Count::parse(text), Ok(Count::Finite(number)), "{text}");
        }
        assert_eq!(Count::parse("unlimited"), Ok(Count::Unlimited));
        assert_eq!(MeanCount::parse("2.4"), Ok(MeanCount(2.4)));
    }

    #[test]
    fn mistakes_are_explained() {
        let error = |text| Count::parse(text).unwrap_err();
        assert_eq!(error("2.4").message, "`2.4` is not a whole number");
        assert_eq!(error("500k").help, "write `500K`");
        assert_eq!(error("5 users").help, "a count has no unit; write 12, 500K, 5M, unlimited");
        assert_eq!(error("ten").kind, UnitErrorKind::Malformed);
        assert_eq!(error("-1").message, "a count cannot be negative");
        assert_eq!(error("99999999B").kind, UnitErrorKind::OutOfRange);
        assert_eq!(error("1_000").kind, UnitErrorKind::Malformed);
    }

    #[test]
    fn display_round_trips() {
        for text in ["12", "0", "500K", "5M", "1B", "1500", "unlimited", "2500K"] {
            assert_eq!(Count::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(MeanCount(2.4).to_string(), "2.4");
        assert_eq!(MeanCount(3.0).to_string(), "3");
    }

    #[test]
    fn unlimited_is_the_largest_count() {
        assert!(Count::Unlimited > Count::Finite(u64::MAX));
        assert!(Count::Unlimited.allows(u64::MAX));
        assert!(Count::Finite(3).allows(3) && !Count::Finite(3).allows(4));
    }
}
