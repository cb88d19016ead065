//! The notation that all quantities share: one non-negative decimal number, then one unit.
//!
//! Knows how a number is written and how a mistake in it is explained; knows no particular unit.

use std::fmt;

/// Why a text is not a quantity, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitError {
    /// What class of mistake it is; diagnostics take their code from it.
    pub kind: UnitErrorKind,
    /// What is wrong, without a full stop.
    pub message: String,
    /// What to write instead, or empty.
    pub help: String,
}

/// The classes of mistakes in a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitErrorKind {
    /// A bare number where a unit is needed.
    MissingUnit,
    /// A unit that does not exist, or does not fit this quantity.
    UnknownUnit,
    /// A number outside the range of the quantity: negative, infinite, above 100 %.
    OutOfRange,
    /// Not a number with a unit at all.
    Malformed,
}

impl UnitError {
    /// An error of this class with its help; an empty help is none.
    pub fn new(
        kind: UnitErrorKind,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> UnitError {
        UnitError { kind, message: message.into(), help: help.into() }
    }
}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.help.is_empty() {
            write!(f, " ({})", self.help)?;
        }
        Ok(())
    }
}

impl std::error::Error for UnitError {}

/// What a quantity calls itself and its units in messages.
pub(super) struct Notation {
    /// With its article: `a duration`.
    pub(super) a_quantity: &'static str,
    /// Complete examples: `5ms, 30s`.
    pub(super) examples: &'static str,
}

impl Notation {
    /// Splits `20ms` into 20, finite and not negative, and `ms`, which may be empty.
    pub(super) fn split<'t>(&self, text: &'t str) -> Result<(f64, &'t str), UnitError> {
        let text = text.trim();
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let end = number_length(unsigned);
        if end == 0 {
            return Err(self.malformed(text));
        }
        let (digits, unit) = unsigned.split_at(end);
        if unsigned.len() < text.len() {
            return Err(UnitError::new(
                UnitErrorKind::OutOfRange,
                format!("{} cannot be negative", self.a_quantity),
                "",
            ));
        }
        let number: f64 = digits.parse().map_err(|_| self.malformed(text))?;
        if !number.is_finite() {
            return Err(self.too_large(text));
        }
        let unit = unit.trim_start();
        if unit.contains(|c: char| c.is_ascii_digit()) {
            return Err(UnitError::new(
                UnitErrorKind::Malformed,
                format!("{} is one number with one unit", self.a_quantity),
                format!("for example {}", self.examples),
            ));
        }
        Ok((number, unit))
    }

    /// The text is no number at all.
    pub(super) fn malformed(&self, text: &str) -> UnitError {
        UnitError::new(
            UnitErrorKind::Malformed,
            format!("`{text}` is not {}", self.a_quantity),
            format!("write it like {}", self.examples),
        )
    }

    /// A bare number; `fits` completes it in the likely ways: `20ms or 20s`.
    pub(super) fn missing_unit(&self, text: &str, fits: &str) -> UnitError {
        UnitError::new(
            UnitErrorKind::MissingUnit,
            format!("`{text}` needs a unit"),
            format!("{} is written {fits}", self.a_quantity),
        )
    }

    /// A unit that this quantity does not have; `help` may guess what was meant.
    pub(super) fn unknown_unit(&self, unit: &str, help: impl Into<String>) -> UnitError {
        UnitError::new(
            UnitErrorKind::UnknownUnit,
            format!("`{unit}` is not a unit of {}", self.a_quantity),
            help,
        )
    }

    /// A number that the quantity cannot hold.
    pub(super) fn too_large(&self, text: &str) -> UnitError {
        UnitError::new(
            UnitErrorKind::OutOfRange,
            format!("`{text}` is too large for {}", self.a_quantity),
            "",
        )
    }
}

/// Bytes at the start of `text` that are digits with at most one decimal point between digits.
fn number_length(text: &str) -> usize {
    let whole = text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &text.as_bytes()[whole..];
    if whole == 0 || rest.first() != Some(&b'.') {
        return whole;
    }
    let decimals = rest[1..].iter().take_while(|b| b.is_ascii_digit()).count();
    if decimals == 0 { whole } else { whole + 1 + decimals }
}

/// The multiplier of the suffixes `K`, `M` and `B` of a count, or `None` for another suffix.
pub(super) fn count_suffix(suffix: &str) -> Option<f64> {
    match suffix {
        "" => Some(1.0),
        "K" => Some(1e3),
        "M" => Some(1e6),
        "B" => Some(1e9),
        _ => None,
    }
}

/// The shortest decimal text of `scaled` for which `back` gives exactly `value` again.
///
/// Scaling for display (`0.07` to `7%`) can leave a digit of rounding noise; trying few digits
/// first removes it.
pub(super) fn shortest(scaled: f64, value: f64, back: impl Fn(f64) -> f64) -> Option<String> {
    (0..=17).map(|decimals| format!("{scaled:.decimals$}")).find(|text| {
        let number: f64 = text.parse().expect("a formatted number parses");
        back(number) == value
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Notation = Notation { a_quantity: "a length", examples: "3km, 20m" };

    #[test]
    fn number_and_unit_are_split() {
        assert_eq!(LENGTH.split("3km"), Ok((3.0, "km")));
        assert_eq!(LENGTH.split("2.75 m"), Ok((2.75, "m")));
        assert_eq!(LENGTH.split("12"), Ok((12.0, "")));
        assert_eq!(LENGTH.split("5."), Ok((5.0, ".")));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "km", ".5m", "-", "- 5m", "+5m", "١m", "e3", "inf", "NaN"] {
            assert_eq!(LENGTH.split(text).unwrap_err().kind, UnitErrorKind::Malformed, "{text}");
        }
    }

    #[test]
    fn negative_and_infinite_are_out_of_range() {
        assert_eq!(LENGTH.split("-5m").unwrap_err().kind, UnitErrorKind::OutOfRange);
        let long = "9".repeat(400);
        assert_eq!(LENGTH.split(&long).unwrap_err().kind, UnitErrorKind::OutOfRange);
    }

    #[test]
    fn two_numbers_are_refused() {
        let error = LENGTH.split("1km30m").unwrap_err();
        assert_eq!(error.message, "a length is one number with one unit");
    }
}
