//! A length of time: `250us`, `5ms`, `90min`, `30d`.
//!
//! Knows nothing of when the time is spent; a point in time is an [`Instant`](super::Instant).

use super::notation::{Notation, UnitError, UnitErrorKind};
use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub};

/// A length of time in nanoseconds; never negative once decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(pub i64);

const NOTATION: Notation =
    Notation { a_quantity: "a duration", examples: "250us, 5ms, 30s, 5min, 6h, 30d" };

/// Units and their nanoseconds, the smallest first.
const UNITS: [(&str, i64); 9] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60 * 1_000_000_000),
    ("h", 3_600 * 1_000_000_000),
    ("d", 86_400 * 1_000_000_000),
    ("w", 7 * 86_400 * 1_000_000_000),
    ("y", 365 * 86_400 * 1_000_000_000),
];

impl Duration {
    /// No time at all.
    pub const ZERO: Duration = Duration(0);
    /// The longest time that can be told, about 292 years.
    pub const MAX: Duration = Duration(i64::MAX);
    /// A regular expression of the notation, for the JSON Schema.
    pub const PATTERN: &str = r"^[0-9]+(\.[0-9]+)? ?(ns|us|ms|s|min|h|d|w|y)$";

    /// Reads the notation, `5ms`.
    pub fn parse(text: &str) -> Result<Duration, UnitError> {
        let (number, unit) = NOTATION.split(text)?;
        let Some((_, nanoseconds)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(wrong_unit(text, unit));
        };
        let exact = number * *nanoseconds as f64;
        if exact >= i64::MAX as f64 {
            return Err(NOTATION.too_large(text));
        }
        if exact > 0.0 && exact < 0.5 {
            return Err(UnitError::new(
                UnitErrorKind::OutOfRange,
                format!("`{text}` is less than a nanosecond, the smallest step of the clock"),
                "",
            ));
        }
        Ok(Duration(exact.round() as i64))
    }

    /// The nearest whole nanosecond to this many seconds.
    pub fn from_seconds(seconds: f64) -> Duration {
        Duration((seconds * 1e9).round() as i64)
    }

    /// The length in seconds.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

/// Explains a missing, ambiguous or unknown unit of time.
fn wrong_unit(text: &str, unit: &str) -> UnitError {
    let number = text.trim().trim_end_matches(unit).trim();
    if unit.is_empty() {
        let fits = format!("{number}ms, {number}s or {number}min");
        return NOTATION.missing_unit(number, &fits);
    }
    let meant: &[&str] = match unit {
        "m" => &["min", "ms"],
        "M" | "mins" | "minute" | "minutes" => &["min"],
        "sec" | "secs" | "second" | "seconds" | "S" => &["s"],
        "msec" | "millis" | "MS" => &["ms"],
        "µs" | "μs" | "usec" | "micros" => &["us"],
        "hr" | "hrs" | "hour" | "hours" | "H" => &["h"],
        "day" | "days" | "D" => &["d"],
        "week" | "weeks" => &["w"],
        "year" | "years" => &["y"],
        _ => &[],
    };
    let options: Vec<String> = meant.iter().map(|m| format!("`{number}{m}`")).collect();
    match options.as_slice() {
        [] => NOTATION.unknown_unit(unit, "the units are us, ms, s, min, h, d, w, y"),
        [only] => NOTATION.unknown_unit(unit, format!("write {only}")),
        several => UnitError::new(
            UnitErrorKind::UnknownUnit,
            format!("`{unit}` could mean minutes or milliseconds"),
            format!("write {}", several.join(" or ")),
        ),
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, nanoseconds) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        if nanoseconds == 0 {
            return f.write_str("0s");
        }
        // Days, hours and minutes only when they come out whole: 90min, but 125s.
        for &(unit, size) in UNITS[4..=6].iter().rev() {
            if nanoseconds.is_multiple_of(size as u64) {
                return write!(f, "{sign}{}{unit}", nanoseconds / size as u64);
            }
        }
        let &(unit, size) = UNITS[..=3]
            .iter()
            .rev()
            .find(|&&(_, size)| nanoseconds >= size as u64)
            .expect("a whole nanosecond is at least one nanosecond");
        let (whole, part) = (nanoseconds / size as u64, nanoseconds % size as u64);
        let digits = (size as u64).ilog10() as usize;
        let decimals = format!("{part:0digits$}");
        let decimals = decimals.trim_end_matches('0');
        if part == 0 {
            write!(f, "{sign}{whole}{unit}")
        } else {
            write!(f, "{sign}{whole}.{decimals}{unit}")
        }
    }
}

impl Add for Duration {
    type Output = Duration;
    fn add(self, other: Duration) -> Duration {
        Duration(self.0 + other.0)
    }
}

impl AddAssign for Duration {
    fn add_assign(&mut self, other: Duration) {
        self.0 += other.0;
    }
}

impl Sub for Duration {
    type Output = Duration;
    fn sub(self, other: Duration) -> Duration {
        Duration(self.0 - other.0)
    }
}

impl Mul<i64> for Duration {
    type Output = Duration;
    fn mul(self, times: i64) -> Duration {
        Duration(self.0 * times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(text: &str) -> String {
        Duration::parse(text).unwrap_err().help
    }

    #[test]
    fn all_units_are_read() {
        let cases = [
            ("7ns", 7),
            ("250us", 250_000),
            ("5ms", 5_000_000),
            ("30s", 30_000_000_000),
            ("5min", 300_000_000_000),
            ("6h", 21_600_000_000_000),
            ("30d", 2_592_000_000_000_000),
            ("2w", 1_209_600_000_000_000),
            ("1y", 31_536_000_000_000_000),
            ("7.45541ms", 7_455_410),
            ("0.1ms", 100_000),
            ("0s", 0),
            ("1.5 s", 1_500_000_000),
        ];
        for (text, nanoseconds) in cases {
            assert_eq!(Duration::parse(text), Ok(Duration(nanoseconds)), "{text}");
        }
    }

    #[test]
    fn a_lone_m_is_refused_with_both_readings() {
        let error = Duration::parse("5m").unwrap_err();
        assert_eq!(error.message, "`m` could mean minutes or milliseconds");
        assert_eq!(error.help, "write `5min` or `5ms`");
    }

    #[test]
    fn a_bare_number_lists_the_units_that_fit() {
        let error = Duration::parse("20").unwrap_err();
        assert_eq!(error.kind, UnitErrorKind::MissingUnit);
        assert_eq!(error.help, "a duration is written 20ms, 20s or 20min");
    }

    #[test]
    fn near_misses_are_guessed() {
        assert_eq!(help("3 seconds"), "write `3s`");
        assert_eq!(help("3µs"), "write `3us`");
        assert_eq!(help("20 parsecs"), "the units are us, ms, s, min, h, d, w, y");
        assert!(help("1h30min").starts_with("for example"));
    }

    #[test]
    fn out_of_range_is_refused() {
        for text in ["-5ms", "300y", "0.0001ns", &format!("{}s", "9".repeat(400))] {
            let error = Duration::parse(text).unwrap_err();
            assert_eq!(error.kind, UnitErrorKind::OutOfRange, "{text}");
        }
    }

    #[test]
    fn display_is_the_nicest_unit_and_round_trips() {
        let cases =
            ["0s", "7ns", "1.5us", "250us", "7.45541ms", "90s", "125s", "90min", "6h", "30d"];
        for text in cases {
            let duration = Duration::parse(text).unwrap();
            assert_eq!(Duration::parse(&duration.to_string()), Ok(duration));
        }
        let printed = |ns| Duration(ns).to_string();
        assert_eq!(printed(1_500), "1.5us");
        assert_eq!(printed(125_000_000_000), "125s");
        assert_eq!(printed(90 * 60_000_000_000), "90min");
        assert_eq!(printed(1_000_000_001), "1.000000001s");
        assert_eq!(printed(-30_000_000_000), "-30s");
        assert_eq!(printed(60_000_000_000), "1min");
    }

    #[test]
    fn seconds_convert_both_ways() {
        assert_eq!(Duration::from_seconds(0.25), Duration(250_000_000));
        assert_eq!(Duration(250_000_000).seconds(), 0.25);
    }
}
