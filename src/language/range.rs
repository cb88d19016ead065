//! The range of a key that holds whole numbers: `field: u64 = "2" in 1..=64`.
//!
//! A value outside is an error at its place; nothing is ever moved silently to the nearest end.
//! Knows how numbers are compared, and no key.

use super::containers::Names;
use super::diagnostic::Diagnostics;
use super::source::{Span, Spanned};
use crate::units::Count;

/// The least and the greatest value of a key.
pub type Range = (u64, u64);

/// A type whose values are whole numbers, or are bounded by them.
pub trait Whole {
    /// Calls `each` with every number, its place, its least and its greatest value.
    ///
    /// What is not written, or is `unlimited`, is within every range.
    fn whole(&self, span: Span, each: &mut dyn FnMut(Span, u64, u64));
}

impl Whole for u64 {
    fn whole(&self, span: Span, each: &mut dyn FnMut(Span, u64, u64)) {
        each(span, *self, *self);
    }
}

impl Whole for Count {
    fn whole(&self, span: Span, each: &mut dyn FnMut(Span, u64, u64)) {
        if let Count::Finite(number) = *self {
            each(span, number, number);
        }
    }
}

impl<T: Whole> Whole for Option<T> {
    fn whole(&self, span: Span, each: &mut dyn FnMut(Span, u64, u64)) {
        if let Some(value) = self {
            value.whole(span, each);
        }
    }
}

impl<T: Whole> Whole for Names<T> {
    fn whole(&self, _: Span, each: &mut dyn FnMut(Span, u64, u64)) {
        for (_, Spanned { value, span }) in self.iter() {
            value.whole(*span, each);
        }
    }
}

/// Reports every number of a key that lies outside its range; `None` if there was one.
pub fn check<T: Whole>(
    key: &str,
    field: &Spanned<T>,
    (from, to): Range,
    out: &mut Diagnostics,
) -> Option<()> {
    let mut right = Some(());
    field.value.whole(field.span, &mut |span, least, greatest| {
        if from <= least && greatest <= to {
            return;
        }
        right = None;
        let range = format!("`{key}` lies between {} and {}", grouped(from), grouped(to));
        let message = match (least == greatest, greatest > to) {
            (true, _) => format!("{range}, not at {}", grouped(least)),
            (false, true) => format!("{range}; this reaches {}", grouped(greatest)),
            (false, false) => format!("{range}; this goes down to {}", grouped(least)),
        };
        out.error("E0203", span, message);
    });
    right
}

/// A range as the reference writes it.
pub fn written((from, to): Range) -> String {
    format!("{} to {}", grouped(from), grouped(to))
}

/// A number with its thousands set apart: `65,535`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::source::FileId;

    fn said<T: Whole>(value: T, range: Range) -> Vec<String> {
        let mut out = Diagnostics::new();
        let field = Spanned::new(value, Span::new(FileId(0), 0, 1));
        let right = check("size", &field, range, &mut out);
        assert_eq!(right.is_none(), out.has_errors());
        out.iter().map(|d| format!("{} {}", d.code, d.message)).collect()
    }

    #[test]
    fn both_ends_belong_to_the_range() {
        assert!(said(1, (1, 65_535)).is_empty() && said(65_535, (1, 65_535)).is_empty());
        let below = said(0, (1, 65_535));
        assert_eq!(below, ["E0203 `size` lies between 1 and 65,535, not at 0"]);
        let above = said(Some(1_000_001), (0, 1_000_000));
        assert_eq!(above, ["E0203 `size` lies between 0 and 1,000,000, not at 1,000,001"]);
    }

    #[test]
    fn what_has_no_number_is_in_every_range() {
        assert!(said(Count::Unlimited, (1, 5)).is_empty());
        assert!(said(None::<u64>, (1, 5)).is_empty());
        assert_eq!(said(Count::Finite(9), (1, 5)).len(), 1);
    }
}
