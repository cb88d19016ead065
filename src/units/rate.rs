//! How often something happens: `0.01/s`, `5/min`, `1/h`.
//!
//! Knows no noun: the key that holds a rate says of what.

use super::notation::{Notation, UnitError, count_suffix, shortest};
use std::fmt;

/// Events per second; finite and not negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Rate(pub f64);

const NOTATION: Notation = Notation { a_quantity: "a rate", examples: "0.01/s, 5/min, 1/h" };

/// Units of time that a rate may be per, and their seconds.
const PER: [(&str, f64); 4] = [("s", 1.0), ("min", 60.0), ("h", 3_600.0), ("d", 86_400.0)];

impl Rate {
    /// A regular expression of the notation, for the JSON Schema.
    pub const PATTERN: &str = r"^[0-9]+(\.[0-9]+)?[KMB]?/(s|min|h|d)$";

    /// Reads the notation, `5/min`.
    pub fn parse(text: &str) -> Result<Rate, UnitError> {
        let (number, unit) = NOTATION.split(text)?;
        let digits = text.trim().strip_suffix(unit).unwrap_or(text).trim_end();
        if unit.is_empty() {
            let fits = format!("{digits}/s, {digits}/min or {digits}/h");
            return Err(NOTATION.missing_unit(digits, &fits));
        }
        let Some((suffix, per)) = unit.split_once('/') else {
            return Err(NOTATION.unknown_unit(unit, format!("write `{digits}/s`")));
        };
        let Some((_, seconds)) = PER.iter().find(|(name, _)| *name == per) else {
            let help = match per {
                "m" | "minute" => format!("write `{digits}{suffix}/min`"),
                "sec" | "second" => format!("write `{digits}{suffix}/s`"),
                "hour" => format!("write `{digits}{suffix}/h`"),
                _ => "a rate is per s, min, h or d".to_string(),
            };
            return Err(NOTATION.unknown_unit(unit, help));
        };
        let Some(factor) = count_suffix(suffix) else {
            let help = format!("the key says of what; write `{digits}/{per}`");
            return Err(NOTATION.unknown_unit(unit, help));
        };
        Ok(Rate(number * factor / seconds))
    }

    /// Events per second.
    pub fn per_second(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The unit with the fewest digits, seconds when nothing is short: 5/min, not 0.0833…/s.
        let mut best = format!("{}/s", self.0);
        for (unit, seconds) in PER {
            let Some(number) = shortest(self.0 * seconds, self.0, |n| n / seconds) else {
                continue;
            };
            let text = format!("{number}/{unit}");
            if text.len() + 3 < best.len() {
                best = text;
            }
        }
        f.write_str(&best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_per_second() {
        assert_eq!(Rate::parse("0.01/s"), Ok(Rate(0.01)));
        assert_eq!(Rate::parse("6/min"), Ok(Rate(0.1)));
        assert_eq!(Rate::parse("3600/h"), Ok(Rate(1.0)));
        assert_eq!(Rate::parse("10K/s"), Ok(Rate(10_000.0)));
    }

    #[test]
    fn mistakes_are_explained() {
        let help = |text| Rate::parse(text).unwrap_err().help;
        assert_eq!(help("20"), "a rate is written 20/s, 20/min or 20/h");
        assert_eq!(help("5/m"), "write `5/min`");
        assert_eq!(help("0.6 requests/min"), "the key says of what; write `0.6/min`");
        assert_eq!(help("5 per second"), "write `5/s`");
        assert_eq!(help("5/y"), "a rate is per s, min, h or d");
        assert_eq!(Rate::parse("-1/s").unwrap_err().message, "a rate cannot be negative");
    }

    #[test]
    fn display_round_trips() {
        for (text, printed) in [
            ("0.01/s", "0.01/s"),
            ("5/min", "5/min"),
            ("1/h", "1/h"),
            ("320/s", "320/s"),
            ("7/d", "7/d"),
            ("0/s", "0/s"),
        ] {
            let rate = Rate::parse(text).unwrap();
            assert_eq!(rate.to_string(), printed);
            assert_eq!(Rate::parse(printed), Ok(rate));
        }
    }
}
