//! Money, and what something costs by the time or the amount: `$140/month`, `$0.192/h`, `$0.09/GB`,
//! `$0.40/1M`.
//!
//! Dollars only. A month has 730 hours, as cloud providers count it. It does not know what is paid.

use super::notation::{Notation, UnitError, UnitErrorKind};
use std::fmt;

/// Hours of a month, on average: 365 x 24 / 12.
pub const HOURS_PER_MONTH: f64 = 730.0;

/// An amount of money in dollars; finite and not negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Money(pub f64);

/// What is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// An hour.
    Hour,
    /// A month of 730 hours.
    Month,
    /// 10^9 bytes.
    Gigabyte,
    /// A million things.
    Million,
}

/// Money per something.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Dollars for one unit.
    pub dollars: f64,
    /// The unit.
    pub per: Per,
}

const MONEY: Notation = Notation { a_quantity: "money", examples: "$2, $5000" };
const PRICE: Notation =
    Notation { a_quantity: "a price", examples: "$140/month, $0.192/h, $0.09/GB, $0.40/1M" };

impl Money {
    /// Reads `$5000`; `$12K` and `$3M` are thousands and millions.
    pub fn parse(text: &str) -> Result<Money, UnitError> {
        let (dollars, unit) = amount(&MONEY, text)?;
        if unit.is_empty() {
            return Ok(Money(dollars));
        }
        let help = if unit.starts_with('/') { "here stands money, not a price" } else { "" };
        Err(MONEY.unknown_unit(unit, help))
    }
}

impl Price {
    /// A regular expression of the notation, for the JSON Schema.
    pub const PATTERN: &str = r"^\$[0-9]+(\.[0-9]+)?[KMB]?/(h|month|GB|1M)$";

    /// Reads `$140/month`.
    pub fn parse(text: &str) -> Result<Price, UnitError> {
        let (dollars, unit) = amount(&PRICE, text)?;
        let known = Per::UNITS.iter().find(|(name, _)| unit.strip_prefix('/') == Some(name));
        if let Some(&(_, per)) = known {
            return Ok(Price { dollars, per });
        }
        let help = match unit {
            "" => {
                return Err(
                    PRICE.missing_unit(text, &format!("{text}/month, {text}/h or {text}/GB"))
                );
            }
            "/hour" | "/hr" => "per hour is written `/h`",
            "/mo" | "/m" => "per month is written `/month`",
            "/M" | "/million" => "per million is written `/1M`",
            _ => "a price is per h, month, GB or 1M",
        };
        Err(PRICE.unknown_unit(unit.trim_start_matches('/'), help))
    }

    /// Dollars per month of 730 hours; `None` for what is not paid by the time.
    pub fn per_month(self) -> Option<f64> {
        match self.per {
            Per::Hour => Some(self.dollars * HOURS_PER_MONTH),
            Per::Month => Some(self.dollars),
            Per::Gigabyte | Per::Million => None,
        }
    }
}

impl Per {
    const UNITS: [(&'static str, Per); 4] =
        [("h", Per::Hour), ("month", Per::Month), ("GB", Per::Gigabyte), ("1M", Per::Million)];

    /// As it is written after the stroke.
    pub fn word(self) -> &'static str {
        let found = Self::UNITS.iter().find(|(_, per)| *per == self);
        found.expect("every unit has a word").0
    }
}

/// Splits `$140/month` into 140 and `/month`.
fn amount<'t>(notation: &Notation, text: &'t str) -> Result<(f64, &'t str), UnitError> {
    let text = text.trim();
    let Some(rest) = text.strip_prefix('$') else {
        let number = notation.split(text).is_ok();
        let kind = if number { UnitErrorKind::MissingUnit } else { UnitErrorKind::Malformed };
        let message = format!("`{text}` is not {}: it has no `$`", notation.a_quantity);
        let help = format!("write it like {}", notation.examples);
        return Err(UnitError::new(kind, message, help));
    };
    // The 1 of `/1M` is part of the unit.
    let (number, unit) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (value, suffix) = notation.split(number)?;
    let Some(factor) = super::notation::count_suffix(suffix) else {
        return Err(notation.unknown_unit(suffix, ""));
    };
    Ok((value * factor, unit))
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}", self.0)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}/{}", self.dollars, self.per.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_and_printed() {
        for text in ["$140/month", "$0.192/h", "$0.09/GB", "$0.4/1M", "$0/GB"] {
            assert_eq!(Price::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Price::parse("$0.192/h").unwrap().per_month(), Some(140.16));
        assert_eq!(Price::parse("$140/month").unwrap().per_month(), Some(140.0));
        assert_eq!(Price::parse("$0.09/GB").unwrap().per_month(), None);
        assert_eq!(Money::parse("$5000"), Ok(Money(5000.0)));
        assert_eq!(Money::parse("$1.5K").unwrap().to_string(), "$1500");
    }

    #[test]
    fn mistakes_are_explained() {
        let help = |text| Price::parse(text).unwrap_err().help;
        assert_eq!(help("$5"), "a price is written $5/month, $5/h or $5/GB");
        assert_eq!(help("$5/hour"), "per hour is written `/h`");
        assert_eq!(help("$5/mo"), "per month is written `/month`");
        assert_eq!(help("$5/TB"), "a price is per h, month, GB or 1M");
        assert_eq!(Price::parse("5/h").unwrap_err().message, "`5/h` is not a price: it has no `$`");
        assert_eq!(Price::parse("$-5/h").unwrap_err().kind, UnitErrorKind::OutOfRange);
        assert_eq!(Price::parse("$x/h").unwrap_err().kind, UnitErrorKind::Malformed);
        assert_eq!(Money::parse("5000").unwrap_err().kind, UnitErrorKind::MissingUnit);
        assert_eq!(Money::parse("$5/h").unwrap_err().help, "here stands money, not a price");
    }
}
