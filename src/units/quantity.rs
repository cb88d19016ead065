//! Any quantity as a kind and one number, for what varies it without knowing what it is for.
//!
//! A search for a capacity multiplies `5M` or `320/s`; a sample of an uncertain value lies between
//! `10ms` and `40ms`. Both print what they found as a text that the language reads as exactly that
//! number. The kind is told by the text alone: `2` is a count, which stays whole, and `2.0` is not;
//! `5B` is five bytes, and five billion only to who knows that a count stands there. What has no
//! amount (`unlimited`, `none`, a name) is no quantity here. This page does not know which kind a
//! key wants, nor its limits; decoding does.

use super::{Bandwidth, Bytes, Count, Duration, Factor, MeanCount, Money, Per, Price, Rate, Ratio};
use std::fmt;

/// A number with the kind of thing that it measures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantity {
    kind: Kind,
    value: f64,
}

/// What a quantity measures, and thereby the unit of its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Time, in whole nanoseconds.
    Duration,
    /// Events per second.
    Rate,
    /// Data, in whole bytes.
    Bytes,
    /// Data per time, in bytes per second.
    Bandwidth,
    /// A share, of one.
    Ratio,
    /// A multiplier.
    Factor,
    /// A whole number of things.
    Count,
    /// A number without unit, written with a decimal point: a shape, a mean count.
    Number,
    /// Dollars.
    Money,
    /// Dollars per unit of what is paid for.
    Price(Per),
}

impl Quantity {
    /// Reads a text in the notation of whichever quantity it is; `None` if it is none, or has no
    /// amount.
    pub fn parse(text: &str) -> Option<Quantity> {
        let text = text.trim();
        let of = |kind, value: f64| value.is_finite().then_some(Quantity { kind, value });
        if text.starts_with('$') {
            let money = Money::parse(text).ok().and_then(|money| of(Kind::Money, money.0));
            let price = || Price::parse(text).ok().and_then(|p| of(Kind::Price(p.per), p.dollars));
            return money.or_else(price);
        }
        let duration = Duration::parse(text).ok().and_then(|d| of(Kind::Duration, d.0 as f64));
        duration
            .or_else(|| Bytes::parse(text).ok().and_then(|b| of(Kind::Bytes, b.0 as f64)))
            .or_else(|| Bandwidth::parse(text).ok().and_then(|b| of(Kind::Bandwidth, b.0)))
            .or_else(|| Rate::parse(text).ok().and_then(|r| of(Kind::Rate, r.0)))
            .or_else(|| Ratio::parse(text).ok().and_then(|r| of(Kind::Ratio, r.0)))
            .or_else(|| Factor::parse(text).ok().and_then(|f| of(Kind::Factor, f.0)))
            .or_else(|| Quantity::count(text))
    }

    /// Reads a number of things, whole or not, where one is known to stand: `1B` is a billion.
    pub fn count(text: &str) -> Option<Quantity> {
        let text = text.trim();
        let number = MeanCount::parse(text).ok()?.0;
        // `2.0` has its decimal point on purpose; `2.5K` is 2500 things.
        let point = text.contains('.') && text.ends_with(|c: char| c.is_ascii_digit());
        let whole = !point && Count::parse(text).is_ok();
        Some(match whole {
            true => Quantity { kind: Kind::Count, value: number.round() },
            false => Quantity { kind: Kind::Number, value: number },
        })
    }

    /// Reads a number that need not be whole, even where it is written as `2`.
    pub fn number(text: &str) -> Option<Quantity> {
        let number = MeanCount::parse(text.trim()).ok()?.0;
        Some(Quantity { kind: Kind::Number, value: number })
    }

    /// What it measures.
    pub fn kind(self) -> Kind {
        self.kind
    }

    /// Its number, in the unit of its kind.
    pub fn value(self) -> f64 {
        self.value
    }

    /// The same kind with another number: whole where the kind is whole, and with no more digits
    /// than can be written, so that printing and reading it gives it again.
    ///
    /// A value that the kind cannot have (a share above one) is kept and printed; whoever decodes
    /// it reports it. Panics on a number that is negative or not finite: no text means that.
    pub fn with(self, value: f64) -> Quantity {
        assert!(value.is_finite() && value >= 0.0, "{value} cannot be written");
        let value = match self.kind {
            Kind::Duration | Kind::Bytes | Kind::Count => value.round(),
            _ => value,
        };
        let exact = Quantity { kind: self.kind, value };
        let text = exact.to_string();
        let read = match self.kind {
            Kind::Count | Kind::Number => Quantity::count(&text),
            _ => Quantity::parse(&text),
        };
        read.filter(|read| read.kind == self.kind).unwrap_or(exact)
    }

    /// The number that this share of the way from here to `end` lies at, in the unit of the kind:
    /// in equal factors, or in equal steps when one of the two is zero.
    pub fn between(self, end: Quantity, share: f64) -> f64 {
        let (from, to) = (self.value, end.value);
        if from > 0.0 && to > 0.0 {
            (from.ln() + (to.ln() - from.ln()) * share).exp()
        } else {
            from + (to - from) * share
        }
    }
}

impl Kind {
    /// Its name with an article, for a message.
    pub fn a_name(self) -> &'static str {
        match self {
            Kind::Duration => "a duration",
            Kind::Rate => "a rate",
            Kind::Bytes => "a size",
            Kind::Bandwidth => "a bandwidth",
            Kind::Ratio => "a ratio",
            Kind::Factor => "a factor",
            Kind::Count => "a count",
            Kind::Number => "a number",
            Kind::Money => "money",
            Kind::Price(Per::Hour) => "a price per hour",
            Kind::Price(Per::Month) => "a price per month",
            Kind::Price(Per::Gigabyte) => "a price per GB",
            Kind::Price(Per::Million) => "a price per million",
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value;
        match self.kind {
            Kind::Duration => Duration(value as i64).fmt(f),
            Kind::Rate => Rate(value).fmt(f),
            Kind::Bytes => Bytes(value as u64).fmt(f),
            Kind::Bandwidth => Bandwidth(value).fmt(f),
            Kind::Ratio => Ratio(value).fmt(f),
            Kind::Factor => Factor(value).fmt(f),
            // Digits alone: a key of plain whole numbers knows no `5K`.
            Kind::Count => write!(f, "{}", value as u64),
            // The decimal point tells it from a count: `2.0`.
            Kind::Number if value.fract() == 0.0 => write!(f, "{value:.1}"),
            Kind::Number => write!(f, "{value}"),
            Kind::Money => Money(value).fmt(f),
            Kind::Price(per) => Price { dollars: value, per }.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [(&str, Kind, f64); 14] = [
        ("20ms", Kind::Duration, 20e6),
        ("320/s", Kind::Rate, 320.0),
        ("6/min", Kind::Rate, 0.1),
        ("2kB", Kind::Bytes, 2000.0),
        ("4GiB", Kind::Bytes, 4294967296.0),
        ("10Gbit/s", Kind::Bandwidth, 1.25e9),
        ("99.9%", Kind::Ratio, 0.999),
        ("0.4x", Kind::Factor, 0.4),
        ("5M", Kind::Count, 5e6),
        ("12", Kind::Count, 12.0),
        ("2.0", Kind::Number, 2.0),
        ("0.99", Kind::Number, 0.99),
        ("$5000", Kind::Money, 5000.0),
        ("$0.192/h", Kind::Price(Per::Hour), 0.192),
    ];

    #[test]
    fn every_notation_is_told_by_its_text() {
        for (text, kind, value) in TEXTS {
            let quantity = Quantity::parse(text).unwrap();
            assert_eq!((quantity.kind(), quantity.value()), (kind, value), "{text}");
        }
    }

    #[test]
    fn what_has_no_amount_is_no_quantity() {
        for text in ["unlimited", "none", "web", "", "-5ms", "5m", "120%", "1ms..2ms", "$5/TB"] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_b_is_a_billion_only_where_a_count_stands() {
        let bytes = Quantity::parse("5B").unwrap();
        assert_eq!((bytes.kind(), bytes.value()), (Kind::Bytes, 5.0));
        let billions = Quantity::count("5B").unwrap();
        assert_eq!((billions.kind(), billions.value()), (Kind::Count, 5e9));
        assert_eq!(billions.with(2e9).to_string(), "2000000000");
        assert_eq!((Quantity::count("5ms"), Quantity::number("5ms")), (None, None));
        assert_eq!(Quantity::number("2").unwrap().with(1.5).to_string(), "1.5");
    }

    #[test]
    fn another_number_is_printed_as_the_text_that_reads_the_same() {
        for (text, kind, value) in TEXTS {
            let written = Quantity::parse(text).unwrap();
            for factor in [0.0, 1.0, 0.1, 1.0 / 3.0, 0.731_234_567_89, 1.0 - 1e-9] {
                let varied = written.with(value * factor);
                assert_eq!(varied.kind(), kind);
                assert_eq!(Quantity::parse(&varied.to_string()), Some(varied), "{text} x {factor}");
            }
        }
    }

    #[test]
    fn what_is_whole_stays_whole() {
        let with = |text, value| Quantity::parse(text).unwrap().with(value).to_string();
        assert_eq!(with("10", 3.6), "4");
        assert_eq!(with("500K", 1_234.2), "1234");
        assert_eq!(with("1kB", 10.7), "11B");
        assert_eq!(with("1ms", 1.2), "1ns");
        assert_eq!(with("2.0", 3.0), "3.0");
        assert_eq!(with("95%", 1.2), "120%");
    }

    #[test]
    fn the_middle_is_geometric_and_linear_from_zero() {
        let at = |from, to, share| {
            let [from, to] = [from, to].map(|text| Quantity::parse(text).unwrap());
            from.with(from.between(to, share)).to_string()
        };
        assert_eq!(at("10ms", "40ms", 0.5), "20ms");
        assert_eq!(at("40ms", "10ms", 0.5), "20ms");
        assert_eq!(at("0ms", "40ms", 0.5), "20ms");
        assert_eq!(at("1", "1", 0.3), "1");
    }
}
