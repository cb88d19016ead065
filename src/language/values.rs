//! How quantities and the plain types of Rust are written in a scenario.
//!
//! Knows which text is which type; knows nothing of the keys that hold them.

use super::decode::wrong_form;
use super::diagnostic::Diagnostics;
use super::node::Node;
use super::shape::{Json, ScalarShape};
use super::source::Spanned;
use crate::scalar;
use crate::units::{Bandwidth, Bytes, Count, Duration, Factor, MeanCount, Price, Rate, Ratio};
use crate::units::{UnitError, UnitErrorKind};
use std::fmt;
use std::ops::Deref;

/// Decodes a scalar by its own notation; called by [`scalar!`](crate::scalar).
pub fn decode_scalar<T>(
    shape: &ScalarShape,
    node: &Spanned<Node>,
    out: &mut Diagnostics,
    parse: impl Fn(&str) -> Result<T, UnitError>,
) -> Option<T> {
    let Some(text) = node.value.as_text() else {
        let help = format!("write it like {}", shape.examples.join(", "));
        wrong_form(node, shape.a_name, &help, out);
        return None;
    };
    let error = match parse(text) {
        Ok(value) => return Some(value),
        Err(error) => error,
    };
    let code = match error.kind {
        UnitErrorKind::MissingUnit => "E0201",
        UnitErrorKind::UnknownUnit => "E0202",
        UnitErrorKind::OutOfRange => "E0203",
        UnitErrorKind::Malformed => "E0204",
    };
    out.error(code, node.span, error.message).help(error.help);
    None
}

/// A name that an author chose, or a reference to one: `[a-z][a-z0-9_]*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub String);

impl Name {
    /// A regular expression of the notation, for the JSON Schema.
    pub const PATTERN: &str = "^[a-z][a-z0-9_]*$";

    /// Reads a name.
    pub fn parse(text: &str) -> Result<Name, UnitError> {
        let first = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        let part = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if first && text.bytes().all(part) {
            return Ok(Name(text.to_string()));
        }
        let help = if text.contains('-') {
            format!("a hyphen is a minus in expressions; write `{}`", text.replace('-', "_"))
        } else {
            "lower-case letters, digits and `_`, a letter first".to_string()
        };
        Err(UnitError::new(UnitErrorKind::Malformed, format!("`{text}` is not a name"), help))
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A type of Rust as a scalar: what the macro needs is a type with `parse`.
fn number<T>(text: &str, parsed: Option<T>, a_name: &str, help: &str) -> Result<T, UnitError> {
    let message = || format!("`{text}` is not {a_name}");
    parsed.ok_or_else(|| UnitError::new(UnitErrorKind::Malformed, message(), help))
}

fn parse_f64(text: &str) -> Result<f64, UnitError> {
    let decimal = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | 'e');
    let parsed = text.parse().ok().filter(|v: &f64| v.is_finite() && text.chars().all(decimal));
    let value: f64 = number(text, parsed, "a number", "a plain decimal without unit, like 0.99")?;
    if value < 0.0 {
        let message = "this number cannot be negative";
        return Err(UnitError::new(UnitErrorKind::OutOfRange, message, ""));
    }
    Ok(value)
}

fn parse_u64(text: &str) -> Result<u64, UnitError> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    number(text, text.parse().ok().filter(|_| digits), "a whole number", "digits only, like 42")
}

fn parse_i64(text: &str) -> Result<i64, UnitError> {
    number(text, text.parse().ok(), "a whole number", "digits only, like 4 or -1")
}

fn parse_bool(text: &str) -> Result<bool, UnitError> {
    let parsed = match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    };
    let help = match text {
        "yes" | "on" | "Yes" | "On" => "write `true`",
        "no" | "off" | "No" | "Off" | "none" => "write `false`",
        _ => "write `true` or `false`",
    };
    number(text, parsed, "true or false", help)
}

scalar!(Duration, "a duration", Json::Pattern(Duration::PATTERN), ["20ms", "30s", "5min"]);
scalar!(Rate, "a rate", Json::Pattern(Rate::PATTERN), ["0.01/s", "5/min", "1/h"]);
scalar!(Bytes, "a size", Json::Pattern(Bytes::PATTERN), ["2kB", "16GB", "4GiB"]);
scalar!(Bandwidth, "a bandwidth", Json::Pattern(Bandwidth::PATTERN), ["80MB/s", "unlimited"]);
scalar!(Price, "a price", Json::Pattern(Price::PATTERN), ["$140/month", "$0.192/h", "$0.09/GB"]);
scalar!(Ratio, "a ratio", Json::Pattern(Ratio::PATTERN), ["95%", "0.1%"]);
scalar!(Factor, "a factor", Json::Pattern(Factor::PATTERN), ["10x", "0.4x"]);
scalar!(Count, "a count", Json::NumberOr(Count::PATTERN), ["12", "500K", "unlimited"]);
scalar!(MeanCount, "a mean count", Json::NumberOr(MeanCount::PATTERN), ["3", "2.4"]);
scalar!(Name, "a name", Json::Pattern(Name::PATTERN), ["web", "db_primary"]);
scalar!(f64, "a number", Json::Number, ["0.99", "2"], parse_f64);
scalar!(u64, "a whole number", Json::Integer, ["42"], parse_u64);
scalar!(i64, "a whole number", Json::Integer, ["4", "-1"], parse_i64);
scalar!(bool, "true or false", Json::Boolean, ["true", "false"], parse_bool);
scalar!(String, "text", Json::Text, ["text"], |text: &str| Ok(text.to_string()));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Decode;
    use crate::language::source::{FileId, Span};

    fn decode<T: Decode>(text: &str) -> Result<T, String> {
        let node = Spanned::new(Node::text(text), Span::new(FileId(0), 0, 1));
        let mut out = Diagnostics::new();
        let value = T::decode(&node, &mut out);
        let first = out.iter().next();
        value.ok_or_else(|| first.map(|d| format!("{} {}", d.code, d.message)).unwrap_or_default())
    }

    #[test]
    fn every_kind_of_mistake_has_its_code() {
        assert_eq!(decode::<Duration>("20").unwrap_err(), "E0201 `20` needs a unit");
        assert_eq!(decode::<Ratio>("5x").unwrap_err(), "E0202 `x` is not a unit of a ratio");
        assert_eq!(decode::<Ratio>("-5%").unwrap_err(), "E0203 a ratio cannot be negative");
        assert_eq!(decode::<Count>("ten").unwrap_err(), "E0204 `ten` is not a count");
    }

    #[test]
    fn plain_numbers_are_strict() {
        assert_eq!(decode::<f64>("0.99"), Ok(0.99));
        assert_eq!(decode::<f64>("1e-3"), Ok(1e-3));
        for text in [".inf", "NaN", "inf", "2x", "1_0", ""] {
            assert!(decode::<f64>(text).is_err(), "{text}");
        }
        assert_eq!(decode::<u64>("18446744073709551615"), Ok(u64::MAX));
        assert!(decode::<u64>("+1").is_err() && decode::<u64>("1.0").is_err());
        assert_eq!(decode::<i64>("-1"), Ok(-1));
    }

    #[test]
    fn only_true_and_false_are_booleans() {
        assert_eq!(decode::<bool>("true"), Ok(true));
        assert_eq!(decode::<bool>("yes").unwrap_err(), "E0204 `yes` is not true or false");
    }

    #[test]
    fn names_have_no_hyphen_and_begin_with_a_letter() {
        assert_eq!(decode::<Name>("db_2"), Ok(Name("db_2".into())));
        for text in ["my-db", "2db", "Web", "", "wéb", "_x"] {
            assert!(decode::<Name>(text).is_err(), "{text}");
        }
    }
}
