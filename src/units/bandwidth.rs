//! Data per time: `80MB/s`, `10Gbit/s`, `unlimited`.
//!
//! Knows nothing of what carries the data.

use super::bytes;
use super::notation::{Notation, UnitError, shortest};
use std::fmt;

/// Bytes per second; infinite when unlimited.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Bandwidth(pub f64);

const NOTATION: Notation =
    Notation { a_quantity: "a bandwidth", examples: "80MB/s, 10Gbit/s, unlimited" };

/// Units in bits per second; those in bytes come from the sizes.
const BITS: [(&str, f64); 5] =
    [("bit", 1.0), ("kbit", 1e3), ("Mbit", 1e6), ("Gbit", 1e9), ("Tbit", 1e12)];

impl Bandwidth {
    /// No bound on the data per time.
    pub const UNLIMITED: Bandwidth = Bandwidth(f64::INFINITY);
    /// A regular expression of the notation, for the JSON Schema.
    pub const PATTERN: &str = r"^([0-9]+(\.[0-9]+)? ?([kMGT]?B|[KMGT]iB|[kMGT]?bit)/s|unlimited)$";

    /// Reads the notation, `80MB/s`.
    pub fn parse(text: &str) -> Result<Bandwidth, UnitError> {
        if text.trim() == "unlimited" {
            return Ok(Bandwidth::UNLIMITED);
        }
        let (number, unit) = NOTATION.split(text)?;
        let digits = text.trim().trim_end_matches(unit).trim();
        if unit.is_empty() {
            let fits = format!("{digits}MB/s or {digits}Mbit/s");
            return Err(NOTATION.missing_unit(digits, &fits));
        }
        let amount = unit.strip_suffix("/s").unwrap_or(unit);
        let bytes = bytes::UNITS.iter().find(|(name, _)| *name == amount).map(|(_, b)| *b as f64);
        let bits = BITS.iter().find(|(name, _)| *name == amount).map(|(_, bits)| bits / 8.0);
        match bytes.or(bits) {
            Some(per_second) if amount.len() < unit.len() => Ok(Bandwidth(number * per_second)),
            Some(_) => Err(NOTATION.unknown_unit(unit, format!("write `{digits}{amount}/s`"))),
            None => Err(NOTATION.unknown_unit(unit, guess(digits, unit))),
        }
    }

    /// Whether there is no bound.
    pub fn is_unlimited(self) -> bool {
        self.0.is_infinite()
    }
}

/// What an unknown unit of bandwidth was likely meant to be.
fn guess(digits: &str, unit: &str) -> String {
    match unit {
        "Gbps" | "Gb/s" => format!("write `{digits}Gbit/s`"),
        "Mbps" | "Mb/s" => format!("write `{digits}Mbit/s`"),
        "kbps" | "kb/s" | "Kbps" => format!("write `{digits}kbit/s`"),
        "KB/s" => format!("write `{digits}kB/s` (1000) or `{digits}KiB/s` (1024)"),
        _ => "the units are B, kB, MB, GB, TB or bit, kbit, Mbit, Gbit, per s".to_string(),
    }
}

impl fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_unlimited() {
            return f.write_str("unlimited");
        }
        let decimal = bytes::UNITS[..5].iter().rev().find(|(_, size)| self.0 >= *size as f64);
        let (unit, size) = decimal.unwrap_or(&("B", 1));
        let size = *size as f64;
        match shortest(self.0 / size, self.0, |n| n * size) {
            Some(number) => write!(f, "{number}{unit}/s"),
            None => write!(f, "{}B/s", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_and_bytes_are_read() {
        assert_eq!(Bandwidth::parse("80MB/s"), Ok(Bandwidth(80e6)));
        assert_eq!(Bandwidth::parse("10Gbit/s"), Ok(Bandwidth(1.25e9)));
        assert_eq!(Bandwidth::parse("1MiB/s"), Ok(Bandwidth(1_048_576.0)));
        assert!(Bandwidth::parse("unlimited").unwrap().is_unlimited());
    }

    #[test]
    fn mistakes_are_explained() {
        let help = |text| Bandwidth::parse(text).unwrap_err().help;
        assert_eq!(help("10Gbps"), "write `10Gbit/s`");
        assert_eq!(help("80MB"), "write `80MB/s`");
        assert_eq!(help("80"), "a bandwidth is written 80MB/s or 80Mbit/s");
        assert!(Bandwidth::parse("fast").is_err());
    }

    #[test]
    fn display_round_trips() {
        for text in ["80MB/s", "1.25GB/s", "125MB/s", "unlimited", "0B/s", "1.048576MB/s"] {
            let bandwidth = Bandwidth::parse(text).unwrap();
            assert_eq!(bandwidth.to_string(), text);
        }
    }
}
