//! What every family of distributions can do, and the checks that all of them must pass.
//!
//! Times are nanoseconds as `f64`, never negative. This module knows no family.

use rand::Rng;

/// Uniform on [0, 1), a multiple of 2^-53.
#[inline]
pub(crate) fn unit<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// A law of non-negative times in nanoseconds.
pub trait Family {
    /// One draw, in nanoseconds.
    fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> f64;

    /// Mean in nanoseconds; infinite where the law has none.
    fn mean(&self) -> f64;

    /// Variance in nanoseconds squared; infinite where the law has none.
    fn variance(&self) -> f64;

    /// Probability of more than `x` nanoseconds.
    fn survival(&self, x: f64) -> f64;

    /// One draw from the density proportional to x f(x), in nanoseconds: the length of the period
    /// that an inspector who comes at a random time finds under way.
    fn length_biased<R: Rng + ?Sized>(&self, rng: &mut R) -> f64;

    /// The longest possible time in nanoseconds, infinite where there is none.
    fn max(&self) -> f64 {
        f64::INFINITY
    }
}

/// Mean and second moment of min(X, limit), by integrating the tail.
///
/// The grid is geometric, because families live on very different scales; plan time only.
pub fn limited_moments<F: Family>(family: &F, limit: f64) -> (f64, f64) {
    const NODES: [(f64, f64); 3] = [
        (0.112_701_665_379_258_3, 5.0 / 18.0),
        (0.5, 8.0 / 18.0),
        (0.887_298_334_620_741_7, 5.0 / 18.0),
    ];
    const RATIO: f64 = 0.99;
    let (mut mean, mut second) = (0.0, 0.0);
    let mut high = limit;
    // Below 1e-12 of the limit the remaining contribution is at most that share of it.
    while high > limit * 1e-12 {
        let low = high * RATIO;
        for (node, weight) in NODES {
            let x = low + node * (high - low);
            let area = weight * (high - low) * family.survival(x);
            mean += area;
            second += 2.0 * x * area;
        }
        high = low;
    }
    (mean + high * family.survival(0.0), second)
}

/// The time that a share `q` of the draws does not exceed, in nanoseconds, by bisection.
pub fn quantile<F: Family>(family: &F, q: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while family.survival(high) > 1.0 - q && high < f64::MAX / 2.0 {
        low = high;
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if family.survival(middle) > 1.0 - q {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
pub(super) mod check {
    use super::*;
    use crate::engine::stream::DrawKey;

    const N: usize = 200_000;

    /// Empirical mean and its standard error.
    fn mean_of(values: &[f64]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (mean, (variance / n).sqrt())
    }

    fn assert_mean(what: &str, values: &[f64], expected: f64) {
        let (mean, error) = mean_of(values);
        let tolerance = 4.5 * error + 1e-9 * expected;
        assert!((mean - expected).abs() <= tolerance, "{what}: {mean} is not {expected}");
    }

    /// Draws, moments, tail, length-biased draws and quantiles agree with each other.
    pub fn family<F: Family>(name: &str, family: &F) {
        let key = DrawKey::root(1, 0);
        let mut draws: Vec<f64> =
            (0..N).map(|k| family.draw(&mut key.child(k as u64).draw())).collect();
        assert!(draws.iter().all(|x| *x >= 0.0 && *x <= family.max()), "{name}: range");
        if family.variance().is_finite() {
            assert_mean(name, &draws, family.mean());
            let squares: Vec<f64> = draws.iter().map(|x| x * x).collect();
            let second = family.variance() + family.mean().powi(2);
            assert_mean(&format!("{name} squared"), &squares, second);
        }
        draws.sort_by(f64::total_cmp);
        let distance = draws.iter().enumerate().fold(0.0_f64, |worst, (i, &x)| {
            let (below, at) = (i as f64 / N as f64, (i + 1) as f64 / N as f64);
            let cdf = 1.0 - family.survival(x);
            worst.max((cdf - below).abs()).max((cdf - at).abs())
        });
        // Kolmogorov-Smirnov: beyond 2.5 / sqrt(n) with probability 8e-6.
        assert!(distance < 2.5 / (N as f64).sqrt(), "{name}: distance {distance}");
        for q in [0.1, 0.5, 0.99] {
            let x = quantile(family, q);
            assert!((family.survival(x) - (1.0 - q)).abs() < 1e-6, "{name}: quantile {q}");
        }
        if family.mean().is_finite() {
            length_biased(name, family, key);
        }
    }

    /// P(length-biased <= x) = (E[min(X, x)] - x P(X > x)) / E[X].
    fn length_biased<F: Family>(name: &str, family: &F, key: DrawKey) {
        let draws: Vec<f64> =
            (0..N).map(|k| family.length_biased(&mut key.child(k as u64).draw())).collect();
        for q in [0.2, 0.5, 0.8, 0.95] {
            let x = quantile(family, q);
            let (limited, _) = limited_moments(family, x);
            let expected = (limited - x * family.survival(x)) / family.mean();
            let share = draws.iter().filter(|y| **y <= x).count() as f64 / N as f64;
            let error = (expected * (1.0 - expected) / N as f64).sqrt();
            assert!(
                (share - expected).abs() < 4.5 * error + 1e-4,
                "{name}: length-biased up to {x}: {share}, not {expected}"
            );
        }
    }
}
