//! An amount of data: `500B`, `2kB`, `16GB`, `4GiB`.
//!
//! `k` is 1000 and `Ki` is 1024. Knows nothing of time; bytes per second are a
//! [`Bandwidth`](super::Bandwidth).

use super::notation::{Notation, UnitError, UnitErrorKind};
use std::fmt;

/// A number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

const NOTATION: Notation = Notation { a_quantity: "a size", examples: "500B, 2kB, 16GB, 4GiB" };

/// Units and their bytes.
pub(super) const UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

impl Bytes {
    /// A regular expression of the notation, for the JSON Schema.
    pub const PATTERN: &str = r"^[0-9]+(\.[0-9]+)? ?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$";

    /// Reads the notation, `2kB`; a fraction of a byte is rounded to the nearest.
    pub fn parse(text: &str) -> Result<Bytes, UnitError> {
        let (number, unit) = NOTATION.split(text)?;
        let Some((_, bytes)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(wrong_unit(text, unit));
        };
        let exact = number * *bytes as f64;
        if exact >= u64::MAX as f64 {
            return Err(NOTATION.too_large(text));
        }
        Ok(Bytes(exact.round() as u64))
    }
}

/// Explains a missing, ambiguous or unknown unit of data.
fn wrong_unit(text: &str, unit: &str) -> UnitError {
    let number = text.trim().trim_end_matches(unit).trim();
    let write = |meant: &str| format!("write `{number}{meant}`");
    match unit {
        "" => NOTATION.missing_unit(number, &format!("{number}kB, {number}MB or {number}GB")),
        "KB" => UnitError::new(
            UnitErrorKind::UnknownUnit,
            "`KB` could be 1000 or 1024 bytes: kB or KiB?",
            format!("write `{number}kB` (1000) or `{number}KiB` (1024)"),
        ),
        "b" | "byte" | "bytes" => NOTATION.unknown_unit(unit, write("B")),
        "k" | "K" | "kb" | "Kb" => NOTATION.unknown_unit(unit, write("kB")),
        "M" | "Mb" | "mb" => NOTATION.unknown_unit(unit, write("MB")),
        "G" | "Gb" | "gb" => NOTATION.unknown_unit(unit, write("GB")),
        "T" | "Tb" | "tb" => NOTATION.unknown_unit(unit, write("TB")),
        "kiB" | "Ki" => NOTATION.unknown_unit(unit, write("KiB")),
        "Mi" => NOTATION.unknown_unit(unit, write("MiB")),
        "Gi" => NOTATION.unknown_unit(unit, write("GiB")),
        "Ti" => NOTATION.unknown_unit(unit, write("TiB")),
        _ => NOTATION.unknown_unit(unit, "the units are B, kB, MB, GB, TB, and KiB, MiB, GiB, TiB"),
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The largest unit of which this is a whole multiple; with up to three decimals else.
        let whole =
            UNITS.iter().filter(|(_, size)| self.0 >= *size && self.0.is_multiple_of(*size));
        let (unit, size) = whole.max_by_key(|(_, size)| *size).unwrap_or(&("B", 1));
        if self.0 / size < 10_000 {
            return write!(f, "{}{unit}", self.0 / size);
        }
        let decimal = UNITS[..5].iter().rev().find(|(_, size)| self.0 >= *size);
        let (unit, size) = decimal.unwrap_or(&("B", 1));
        let text = format!("{:.3}", self.0 as f64 / *size as f64);
        let text = format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'));
        if Bytes::parse(&text) == Ok(*self) { f.write_str(&text) } else { write!(f, "{}B", self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_and_binary_units_are_read() {
        let cases = [
            ("500B", 500),
            ("2kB", 2_000),
            ("4MB", 4_000_000),
            ("16GB", 16_000_000_000),
            ("1TB", 1_000_000_000_000),
            ("4GiB", 4 << 30),
            ("1.5KiB", 1_536),
            ("0B", 0),
        ];
        for (text, bytes) in cases {
            assert_eq!(Bytes::parse(text), Ok(Bytes(bytes)), "{text}");
        }
    }

    #[test]
    fn ambiguous_units_are_refused() {
        let error = Bytes::parse("4KB").unwrap_err();
        assert_eq!(error.message, "`KB` could be 1000 or 1024 bytes: kB or KiB?");
        assert_eq!(Bytes::parse("4Mb").unwrap_err().help, "write `4MB`");
        assert_eq!(Bytes::parse("4").unwrap_err().help, "a size is written 4kB, 4MB or 4GB");
        assert_eq!(Bytes::parse("-4B").unwrap_err().kind, UnitErrorKind::OutOfRange);
        assert_eq!(Bytes::parse("99999999999TB").unwrap_err().kind, UnitErrorKind::OutOfRange);
    }

    #[test]
    fn display_round_trips() {
        for (bytes, printed) in [
            (0, "0B"),
            (224, "224B"),
            (4_700, "4700B"),
            (2_000, "2kB"),
            (4 << 30, "4GiB"),
            (1_536, "1536B"),
            (16_000_000_000, "16GB"),
            (1_234_567, "1234567B"),
            (12_500_000, "12.5MB"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), printed);
            assert_eq!(Bytes::parse(printed), Ok(Bytes(bytes)));
        }
    }
}
