//! A share or a probability: `95%`, never a bare 0.95.
//!
//! Knows nothing of what it is a share of.

use super::notation::{Notation, UnitError, UnitErrorKind, shortest};
use std::fmt;

/// A share between 0 and 1, written in percent.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Ratio(pub f64);

const NOTATION: Notation = Notation { a_quantity: "a ratio", examples: "95%, 0.1%" };

impl Ratio {
    /// Nothing of it.
    pub const ZERO: Ratio = Ratio(0.0);
    /// All of it.
    pub const ONE: Ratio = Ratio(1.0);
    /// A regular expression of the notation, for the JSON Schema.
    pub const PATTERN: &str = r"^[0-9]+(\.[0-9]+)? ?%$";

    /// Reads the notation, `95%`.
    pub fn parse(text: &str) -> Result<Ratio, UnitError> {
        let (number, unit) = NOTATION.split(text)?;
        if unit.is_empty() {
            let percent = if number <= 1.0 { number * 100.0 } else { number };
            let mut fits = format!("{percent}%");
            if number == 1.0 {
                fits = "1% or 100%".to_string();
            }
            return Err(NOTATION.missing_unit(text.trim(), &fits));
        }
        if unit != "%" {
            return Err(NOTATION.unknown_unit(unit, "a ratio is written in percent, like 95%"));
        }
        if number > 100.0 {
            return Err(UnitError::new(
                UnitErrorKind::OutOfRange,
                format!("`{}` is more than 100%", text.trim()),
                "a ratio is a share of the whole",
            ));
        }
        let digits = text.trim().trim_end_matches('%').trim_end();
        Ok(Ratio(hundredths(digits)))
    }
}

/// The double nearest to a decimal number of percent. Dividing by 100 would round twice: 99.9%
/// would come out above 0.999, and 999 of 1000 would not be enough for it.
fn hundredths(digits: &str) -> f64 {
    format!("{digits}e-2").parse().expect("the digits were read as a number before")
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match shortest(self.0 * 100.0, self.0, |percent| hundredths(&percent.to_string())) {
            Some(percent) => write!(f, "{percent}%"),
            None => write!(f, "{}%", self.0 * 100.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_are_read() {
        assert_eq!(Ratio::parse("95%"), Ok(Ratio(0.95)));
        assert_eq!(Ratio::parse("0.1%"), Ok(Ratio(0.001)));
        assert_eq!(Ratio::parse("59.6432%"), Ok(Ratio(0.596_432)));
        assert_eq!(Ratio::parse("100%"), Ok(Ratio::ONE));
    }

    #[test]
    fn a_share_is_exactly_the_fraction_that_it_says() {
        for tenths in 0..=1000_u32 {
            let text = format!("{}.{}%", tenths / 10, tenths % 10);
            assert_eq!(Ratio::parse(&text), Ok(Ratio(f64::from(tenths) / 1000.0)), "{text}");
        }
        assert_eq!(Ratio::parse("99.999 %"), Ok(Ratio(0.99999)));
    }

    #[test]
    fn mistakes_are_explained() {
        let help = |text| Ratio::parse(text).unwrap_err().help;
        assert_eq!(help("0.95"), "a ratio is written 95%");
        assert_eq!(help("5"), "a ratio is written 5%");
        assert_eq!(help("1"), "a ratio is written 1% or 100%");
        assert_eq!(Ratio::parse("120%").unwrap_err().message, "`120%` is more than 100%");
        assert_eq!(Ratio::parse("-1%").unwrap_err().message, "a ratio cannot be negative");
        assert_eq!(help("5x"), "a ratio is written in percent, like 95%");
    }

    #[test]
    fn display_round_trips() {
        for text in ["95%", "0.1%", "59.6432%", "7%", "100%", "0%", "99.9%", "99.99%", "8.78%"] {
            assert_eq!(Ratio::parse(text).unwrap().to_string(), text);
        }
    }
}
