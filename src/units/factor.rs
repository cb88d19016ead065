//! A multiplier: `10x`, `0.4x`.
//!
//! Knows nothing of what it multiplies.

use super::notation::{Notation, UnitError};
use std::fmt;

/// A finite multiplier, not negative.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Factor(pub f64);

const NOTATION: Notation = Notation { a_quantity: "a factor", examples: "10x, 0.4x" };

impl Factor {
    /// Changes nothing.
    pub const ONE: Factor = Factor(1.0);
    /// A regular expression of the notation, for the JSON Schema.
    pub const PATTERN: &str = r"^[0-9]+(\.[0-9]+)? ?x$";

    /// Reads the notation, `10x`.
    pub fn parse(text: &str) -> Result<Factor, UnitError> {
        let (number, unit) = NOTATION.split(text)?;
        let digits = text.trim().trim_end_matches(unit).trim();
        match unit {
            "x" => Ok(Factor(number)),
            "" => Err(NOTATION.missing_unit(digits, &format!("{digits}x"))),
            "%" => {
                let help = format!("write `{}x`", number / 100.0);
                Err(NOTATION.unknown_unit(unit, help))
            }
            _ => Err(NOTATION.unknown_unit(unit, format!("write `{digits}x`"))),
        }
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_read_and_printed() {
        for text in ["10x", "0.4x", "0x", "1.05x"] {
            assert_eq!(Factor::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn mistakes_are_explained() {
        let help = |text| Factor::parse(text).unwrap_err().help;
        assert_eq!(help("10"), "a factor is written 10x");
        assert_eq!(help("50%"), "write `0.5x`");
        assert_eq!(help("10X"), "write `10x`");
        assert_eq!(Factor::parse("-2x").unwrap_err().message, "a factor cannot be negative");
    }
}
