//! Figures for people: as many digits as the interval allows, units as the language writes them.
//!
//! It rounds; it does not know where a figure stands or what it means.

use super::line::{JOINT, Line, Style};
use crate::experiment::statistics::{Estimate, Value};
use crate::experiment::summary::Unit;

/// What stands for an infinite figure.
pub(super) const INFINITE: &str = "∞";
/// What stands where there is no data.
pub(super) const NO_DATA: &str = "–";

/// What stands for a figure that is as good as zero, but is not.
pub(super) const NEARLY_ZERO: &str = "~0";
/// Decimals of a share of something that is busy, in percent: nobody plans with more.
const BUSY_DECIMALS: usize = 1;
/// Digits of a time or a rate; an interval may allow more than anybody reads.
const DIGITS_MAX: i32 = 4;

/// An estimate in a unit: the value, and half its interval in faint.
pub(super) fn estimate(estimate: &Estimate, unit: Unit) -> Line {
    rounded(estimate, unit, usize::MAX)
}

/// The share of something that is busy.
pub(super) fn busy(share: &Estimate) -> Line {
    rounded(share, Unit::Ratio, BUSY_DECIMALS)
}

/// A difference: its sign, the value, and half its interval in faint; of shares in percentage
/// points.
pub(super) fn signed(difference: &Estimate, unit: Unit) -> Line {
    let size = size(difference, unit);
    let sign = match difference.mean {
        Value::Finite(_) if size.starts_with(NEARLY_ZERO) => "",
        Value::Finite(mean) if mean < 0.0 => "-",
        Value::Finite(mean) if mean > 0.0 => "+",
        _ => "",
    };
    Line::new().plain(sign).join(size)
}

/// A change as a share of what was there before: `+12%`, `-0.31%`, `+24x`.
pub(super) fn relative(change: f64) -> String {
    const NEARLY_NONE: f64 = 0.0005;
    let sign = if change < 0.0 { "-" } else { "+" };
    match change.abs() {
        0.0 => String::new(),
        size if size < NEARLY_NONE => "~0%".to_owned(),
        size if size.is_infinite() => NO_DATA.to_owned(),
        size if size < 0.01 => format!("{sign}{:.2}%", size * 100.0),
        size if size < 0.1 => format!("{sign}{:.1}%", size * 100.0),
        size if size < 10.0 => format!("{sign}{:.0}%", size * 100.0),
        size => format!("{sign}{size:.0}x"),
    }
}

/// The same without its sign.
pub(super) fn size(difference: &Estimate, unit: Unit) -> Line {
    let half = difference.half_width().unwrap_or(0.0);
    let size = |mean: f64| Estimate {
        mean: Value::Finite(mean.abs()),
        ci95: difference.ci95.map(|_| [mean.abs() - half, mean.abs() + half]),
    };
    let line = estimate(&difference.mean.finite().map_or(*difference, size), unit);
    if unit == Unit::Ratio { line.replaced("%", "pp") } else { line }
}

fn rounded(estimate: &Estimate, unit: Unit, decimals_max: usize) -> Line {
    let mean = match estimate.mean {
        Value::Finite(mean) => mean,
        Value::Infinite => return Line::new().and(Style::Bad, INFINITE),
        Value::NoData => return Line::new().and(Style::Faint, NO_DATA),
    };
    // An interval that was cut to what is possible is shown by its wider side.
    let half = estimate.ci95.map_or(0.0, |[low, high]| (mean - low).max(high - mean));
    let size = mean.abs().max(half);
    let (scale, suffix) = scale(size, unit);
    let sign = sign(unit);
    let nearly = Line::new().plain(format!("{NEARLY_ZERO}{}", self::scale(0.0, unit).1));
    if mean != 0.0 && size < negligible(unit) {
        return nearly;
    }
    let digits_max = match unit {
        Unit::Milliseconds
        | Unit::PerSecond
        | Unit::BytesPerSecond
        | Unit::Bytes
        | Unit::Dollars => {
            (DIGITS_MAX - 1 - exponent(size * scale, DIGITS_MAX as usize)).max(0) as usize
        }
        Unit::Ratio | Unit::Count | Unit::Factor => usize::MAX,
    };
    let decimals = decimals(mean * scale, half * scale, unit).min(decimals_max).min(digits_max);
    let [value, half] = [mean, half].map(|one| grouped(one * scale, decimals));
    let is_zero = |text: &str| !text.bytes().any(|c| (b'1'..=b'9').contains(&c));
    if !is_zero(&half) {
        let interval = format!("{JOINT}±{half}");
        let value = format!("{sign}{value}{suffix}");
        return Line::new().plain(value).and(Style::Faint, interval);
    }
    match is_zero(&value) && mean != 0.0 {
        true => nearly,
        false => Line::new().plain(format!("{sign}{value}{suffix}")),
    }
}

/// What is smaller is as good as nothing to whoever plans a system. A share is not: the rest of an
/// availability of 99.99993 % counts.
const fn negligible(unit: Unit) -> f64 {
    match unit {
        Unit::Milliseconds | Unit::Count | Unit::Dollars => 0.0005,
        Unit::PerSecond | Unit::Ratio | Unit::Factor | Unit::BytesPerSecond | Unit::Bytes => 0.0,
    }
}

/// A number without an interval, to three digits.
pub(in crate::report) fn plain(value: f64, unit: Unit) -> String {
    let (scale, suffix) = scale(value, unit);
    let number = grouped(value * scale, decimals(value * scale, 0.0, unit));
    format!("{}{number}{suffix}", sign(unit))
}

/// What stands before a number of the unit.
const fn sign(unit: Unit) -> &'static str {
    match unit {
        Unit::Dollars => "$",
        _ => "",
    }
}

/// A count with its thousands set apart: `4,800,000`.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A large number to three digits as the language writes counts: `161K`, `2.44M`.
pub(in crate::report) fn short(value: f64) -> String {
    for (size, suffix) in [(1e9, "B"), (1e6, "M"), (1e3, "K")] {
        // What would be rounded up to the next size belongs to it.
        if value >= size * 0.9995 {
            let value = value / size;
            return format!("{value:.*}{suffix}", decimals(value, 0.0, Unit::Factor));
        }
    }
    format!("{value:.0}")
}

/// A whole number as people write it where nothing is lost: `1.5M`, `10K`, `1,234`.
pub(in crate::report) fn exact(value: u64) -> String {
    for (size, suffix) in [(1_000_000_000, "B"), (1_000_000, "M"), (1_000, "K")] {
        if value >= size && value.is_multiple_of(size / 100) {
            return format!("{}{suffix}", value as f64 / size as f64);
        }
    }
    count(value)
}

/// A share to two digits or, near the whole, as many as tell it apart from it: `0.13%`.
pub(super) fn share(share: f64) -> String {
    plain(share, Unit::Ratio)
}

/// The factor to the unit in which a value is best read, and that unit.
fn scale(value: f64, unit: Unit) -> (f64, &'static str) {
    match unit {
        Unit::Milliseconds => match value.abs() {
            0.0 => (1.0, "ms"),
            size if size < 0.001 => (1e6, "ns"),
            size if size < 1.0 => (1e3, "us"),
            size if size < 1e3 => (1.0, "ms"),
            size if size < 6e5 => (1e-3, "s"),
            _ => (1e-3 / 60.0, "min"),
        },
        Unit::PerSecond => (1.0, "/s"),
        Unit::Ratio => (100.0, "%"),
        Unit::Count => (1.0, ""),
        Unit::Factor => (1.0, "x"),
        Unit::BytesPerSecond => match value.abs() {
            size if size < 1e3 => (1.0, "B/s"),
            size if size < 1e6 => (1e-3, "kB/s"),
            size if size < 1e9 => (1e-6, "MB/s"),
            _ => (1e-9, "GB/s"),
        },
        Unit::Bytes => match value.abs() {
            size if size < 1e6 => (1e-3, "kB"),
            size if size < 1e9 => (1e-6, "MB"),
            size if size < 1e12 => (1e-9, "GB"),
            _ => (1e-12, "TB"),
        },
        Unit::Dollars => (1.0, ""),
    }
}

/// Decimals that end where the interval begins: its first digit, or two when that is a 1.
/// Without an interval three digits of the value, and none of a number of whole things.
fn decimals(value: f64, half: f64, unit: Unit) -> usize {
    if half == 0.0 && value.fract() == 0.0 && unit == Unit::Count {
        return 0;
    }
    let (size, digits) = if half > 0.0 { (half, 1) } else { (value.abs(), 3) };
    if size == 0.0 {
        return 0;
    }
    let leads_with_one = format!("{size:e}").starts_with('1');
    let digits = if half > 0.0 && leads_with_one { 2 } else { digits };
    (digits as i32 - 1 - exponent(size, digits)).clamp(0, 6) as usize
}

/// The exponent of ten of a number that is printed with so many digits.
fn exponent(size: f64, digits: usize) -> i32 {
    // Printing rounds, and rounding can add a digit: 9.96 has the exponent of 10.
    let text = format!("{size:.*e}", digits - 1);
    text.split_once('e').and_then(|(_, exponent)| exponent.parse::<i32>().ok()).unwrap_or(0)
}

/// A number with so many decimals and its thousands set apart.
fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let sign =
        if value < 0.0 && text.bytes().any(|c| (b'1'..=b'9').contains(&c)) { "-" } else { "" };
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), count);
    format!("{sign}{whole}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(mean: f64, half: f64, unit: Unit) -> String {
        let ci95 = Some([mean - half, mean + half]);
        let mut out = String::new();
        estimate(&Estimate { mean: Value::Finite(mean), ci95 }, unit).render(false, &mut out);
        out.trim_end().to_owned()
    }

    #[test]
    fn digits_end_where_the_interval_begins() {
        assert_eq!(text(238.04, 2.41, Unit::Milliseconds), "238ms ±2");
        assert_eq!(text(0.6203, 0.0031, Unit::Ratio), "62.0% ±0.3");
        assert_eq!(text(0.998_71, 0.000_08, Unit::Ratio), "99.871% ±0.008");
        assert_eq!(text(1000.0, 24.0, Unit::PerSecond), "1,000/s ±24");
        assert_eq!(text(12_345.6, 240.0, Unit::PerSecond), "12,346/s ±240");
        assert_eq!(text(1.0021, 0.000_14, Unit::Count), "1.00210 ±0.00014");
        assert_eq!(text(774.0, 31.0, Unit::Count), "774 ±31");
        assert_eq!(text(0.2, 0.5, Unit::Count), "0.2 ±0.5");
        assert_eq!(text(-0.04, 0.5, Unit::Count), "0.0 ±0.5");
    }

    #[test]
    fn an_exact_figure_has_no_interval() {
        assert_eq!(text(1.0, 0.0, Unit::Ratio), "100%");
        assert_eq!(text(0.0, 0.0, Unit::Ratio), "0%");
        assert_eq!(text(12.0, 0.0, Unit::Count), "12");
        assert_eq!(text(16_950.0, 0.0, Unit::Dollars), "$16,950");
        assert_eq!(text(15.184, 0.0, Unit::Dollars), "$15.2");
        assert_eq!(text(263.2e12, 0.0, Unit::Bytes), "263TB");
    }

    #[test]
    fn more_digits_than_anybody_reads_are_left_out() {
        assert_eq!(text(43.613, 0.013, Unit::Milliseconds), "43.61ms ±0.01");
        assert_eq!(text(3.3427, 0.0011, Unit::Milliseconds), "3.343ms ±0.001");
        assert_eq!(text(43.613, 0.000_13, Unit::Milliseconds), "43.61ms");
        let busy = |mean, half| {
            let ci95 = Some([mean - half, mean + half]);
            let mut out = String::new();
            busy(&Estimate { mean: Value::Finite(mean), ci95 }).render(false, &mut out);
            out.trim_end().to_owned()
        };
        assert_eq!(busy(0.5244, 0.003), "52.4% ±0.3");
        assert_eq!(busy(0.012_585, 0.000_01), "1.3%");
        assert_eq!((busy(0.000_36, 0.000_02), busy(0.0, 0.0)), ("~0%".into(), "0%".into()));
    }

    #[test]
    fn what_is_as_good_as_nothing_is_nearly_zero() {
        assert_eq!(text(8e-7, 2e-6, Unit::Milliseconds), "~0ms");
        assert_eq!(text(1e-6, 1e-6, Unit::Count), "~0");
        assert_eq!(text(0.0, 0.0, Unit::Milliseconds), "0ms");
        assert_eq!(text(8e-6, 0.02, Unit::Milliseconds), "0us ±20");
        assert_eq!(text(7e-7, 5e-7, Unit::Ratio), "0.00007% ±0.00005");
    }

    #[test]
    fn times_choose_their_unit() {
        assert_eq!(plain(0.0312, Unit::Milliseconds), "31.2us");
        assert_eq!(plain(1.0, Unit::Milliseconds), "1.00ms");
        assert_eq!(plain(5_212.0, Unit::Milliseconds), "5.21s");
        assert_eq!(plain(52_120.0, Unit::Milliseconds), "52.1s");
        assert_eq!(plain(0.0, Unit::Milliseconds), "0ms");
        assert_eq!(plain(80e6, Unit::BytesPerSecond), "80.0MB/s");
    }

    #[test]
    fn counts_are_grouped_or_shortened() {
        assert_eq!(count(4_800_000), "4,800,000");
        assert_eq!((count(0), count(999), count(1000)), ("0".into(), "999".into(), "1,000".into()));
        assert_eq!(short(161_400.0), "161K");
        assert_eq!(
            (exact(1_500_000), exact(10_000), exact(1)),
            ("1.5M".into(), "10K".into(), "1".into())
        );
        assert_eq!((exact(1_234_567), exact(1_250)), ("1,234,567".into(), "1.25K".into()));
        assert_eq!(short(2_439_000.0), "2.44M");
        assert_eq!((short(999.0), short(999_900.0)), ("999".into(), "1.00M".into()));
    }

    #[test]
    fn differences_have_a_sign_and_shares_differ_by_points() {
        let text = |mean: f64, half: f64, unit| {
            let ci95 = Some([mean - half, mean + half]);
            let mut out = String::new();
            signed(&Estimate { mean: Value::Finite(mean), ci95 }, unit).render(false, &mut out);
            out.trim_end().to_owned()
        };
        assert_eq!(text(-12.34, 2.0, Unit::Milliseconds), "-12ms ±2");
        assert_eq!(text(0.0893, 0.003, Unit::Ratio), "+8.9pp ±0.3");
        assert_eq!(text(1200.0, 0.0, Unit::Dollars), "+$1,200");
        assert_eq!(text(0.0, 0.0, Unit::Count), "0");
    }

    #[test]
    fn what_is_infinite_or_missing_is_a_sign() {
        let mut out = String::new();
        estimate(&Estimate { mean: Value::Infinite, ci95: None }, Unit::Ratio)
            .render(false, &mut out);
        estimate(&Estimate::NO_DATA, Unit::Ratio).render(false, &mut out);
        assert_eq!(out, "∞\n–\n");
    }
}
