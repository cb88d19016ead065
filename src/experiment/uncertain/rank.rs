//! Rank correlation: how strongly one column of numbers orders another.
//!
//! Pure functions of numbers. Ranks ask for no straight line, and an infinite figure has one too.

use crate::experiment::statistics::Value;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// How often a correlation of nothing with nothing is called one, over all that are looked at.
const ERROR: f64 = 0.05;

/// Spearman's correlation of pairs, from -1 to 1; pairs without data are left out. None where one
/// side does not vary, or fewer than three pairs are left.
pub fn correlation(first: &[f64], second: &[Value]) -> Option<f64> {
    let number = |value: Value| match value {
        Value::Finite(value) => Some(value),
        Value::Infinite => Some(f64::INFINITY),
        Value::NoData => None,
    };
    let pairs = first.iter().zip(second);
    let (first, second): (Vec<f64>, Vec<f64>) =
        pairs.filter_map(|(&a, &b)| Some((a, number(b)?))).unzip();
    if first.len() < 3 {
        return None;
    }
    let (first, second) = (ranks(&first), ranks(&second));
    let mean = (first.len() as f64 + 1.0) / 2.0;
    let sum = |a: &[f64], b: &[f64]| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum()
    };
    let spread = sum(&first, &first) * sum(&second, &second);
    (spread > 0.0).then(|| (sum(&first, &second) / spread.sqrt()).clamp(-1.0, 1.0))
}

/// The rank of each number from 1 on; equal ones share the mean of theirs.
fn ranks(numbers: &[f64]) -> Vec<f64> {
    let below = |one: f64| numbers.iter().filter(|&&other| other < one).count() as f64;
    let equal = |one: f64| numbers.iter().filter(|&&other| other == one).count() as f64;
    numbers.iter().map(|&one| below(one) + (equal(one) + 1.0) / 2.0).collect()
}

/// Whether a correlation of so many pairs is more than chance, when it is one of `among` that are
/// looked at (Student's t with Bonferroni's correction).
pub fn is_proven(correlation: f64, pairs: usize, among: usize) -> bool {
    if pairs < 4 {
        return false;
    }
    let freedom = pairs as f64 - 2.0;
    let t = correlation.abs() * (freedom / (1.0 - correlation * correlation).max(1e-12)).sqrt();
    let law = StudentsT::new(0.0, 1.0, freedom).expect("the degrees of freedom are positive");
    t > law.inverse_cdf(1.0 - ERROR / 2.0 / among.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(first: &[f64], second: &[f64]) -> Option<f64> {
        correlation(first, &second.iter().map(|&value| Value::from(value)).collect::<Vec<_>>())
    }

    #[test]
    fn order_alone_counts() {
        assert_eq!(of(&[1.0, 2.0, 3.0, 4.0], &[1.0, 10.0, 1e3, f64::INFINITY]), Some(1.0));
        assert_eq!(of(&[1.0, 2.0, 3.0, 4.0], &[9.0, 3.0, 2.0, 1.0]), Some(-1.0));
        assert_eq!(of(&[1.0, 2.0, 3.0], &[5.0, 5.0, 5.0]), None);
        assert_eq!(of(&[1.0, 2.0], &[1.0, 2.0]), None);
        // 1 - 6 sum(d^2) / (n (n^2 - 1)) with d = 1, 1, 1, 1, 0.
        let swapped = of(&[1.0, 2.0, 3.0, 4.0, 5.0], &[2.0, 1.0, 4.0, 3.0, 5.0]);
        assert!((swapped.expect("a correlation") - (1.0 - 24.0 / 120.0)).abs() < 1e-12);
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 7.0]), [2.5, 1.0, 2.5, 4.0]);
    }

    #[test]
    fn what_was_not_observed_is_left_out() {
        let values = [Value::Finite(1.0), Value::NoData, Value::Finite(2.0), Value::Infinite];
        assert_eq!(correlation(&[1.0, 9.0, 2.0, 3.0], &values), Some(1.0));
    }

    #[test]
    fn critical_values_are_those_of_the_tables() {
        // r of 16 pairs at 5 %, two-sided: 0.497.
        assert!(!is_proven(0.495, 16, 1) && is_proven(0.499, 16, 1) && is_proven(-0.499, 16, 1));
        assert!(!is_proven(0.6, 16, 10), "one of ten is more often that large");
        assert!(!is_proven(1.0, 3, 1) && is_proven(1.0, 16, 100));
    }
}
