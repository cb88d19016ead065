//! Moments of a stream of integers: count, sum, sum of squares, smallest, largest.
//!
//! All sums are integers, so merging is exact and the variance of a near-constant sample does not
//! drown in cancellation. A tally does not know what it counts and keeps no single value.

/// Count, sum, sum of squares and extremes of a sample of integers (nanoseconds or numbers).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    pub(super) count: u64,
    pub(super) sum: i128,
    pub(super) sum_of_squares: u128,
    pub(super) min: i64,
    pub(super) max: i64,
}

impl Default for Tally {
    fn default() -> Self {
        Self::new()
    }
}

impl Tally {
    /// An empty sample.
    pub const fn new() -> Self {
        Self { count: 0, sum: 0, sum_of_squares: 0, min: i64::MAX, max: i64::MIN }
    }

    /// Adds one value; the squares stay exact for 10^13 values of an hour in nanoseconds.
    #[inline]
    pub fn record(&mut self, value: i64) {
        let size = u128::from(value.unsigned_abs());
        self.count += 1;
        self.sum += i128::from(value);
        self.sum_of_squares += size * size;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Adds another sample to this one.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.sum_of_squares += other.sum_of_squares;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Number of values.
    #[inline]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Exact sum of the values.
    #[inline]
    pub const fn sum(&self) -> i128 {
        self.sum
    }

    /// Smallest value, `None` for an empty sample.
    pub fn min(&self) -> Option<i64> {
        (self.count > 0).then_some(self.min)
    }

    /// Largest value, `None` for an empty sample.
    pub fn max(&self) -> Option<i64> {
        (self.count > 0).then_some(self.max)
    }

    /// Arithmetic mean, `None` for an empty sample.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }

    /// Variance of the sample (divided by the count), `None` for an empty one.
    pub fn variance(&self) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        // Moments about an integer near the mean: the large parts cancel before anything is
        // rounded to a float.
        let count = i128::from(self.count);
        let near = self.sum / count;
        let offset = (self.sum - near * count) as f64 / self.count as f64;
        let squares = self.sum_of_squares as i128 - 2 * near * self.sum + near * near * count;
        Some((squares as f64 / self.count as f64 - offset * offset).max(0.0))
    }

    /// Standard deviation in the unit of the values, `None` for an empty sample.
    pub fn standard_deviation(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(values: &[i64]) -> Tally {
        let mut tally = Tally::new();
        values.iter().for_each(|&value| tally.record(value));
        tally
    }

    #[test]
    fn an_empty_sample_has_no_moments() {
        let empty = Tally::new();
        assert_eq!(empty.count(), 0);
        assert_eq!((empty.min(), empty.max()), (None, None));
        assert_eq!((empty.mean(), empty.variance()), (None, None));
    }

    #[test]
    fn moments_are_those_of_the_sample() {
        let sample = tally(&[2, 4, 4, 4, 5, 5, 7, 9]);
        assert_eq!(sample.mean(), Some(5.0));
        assert_eq!(sample.variance(), Some(4.0));
        assert_eq!(sample.standard_deviation(), Some(2.0));
        assert_eq!((sample.min(), sample.max()), (Some(2), Some(9)));
        let negative = tally(&[-3, 3]);
        assert_eq!((negative.mean(), negative.variance()), (Some(0.0), Some(9.0)));
    }

    #[test]
    fn the_variance_of_a_nearly_constant_sample_survives_a_large_mean() {
        let hour_ns = 3_600_000_000_000;
        let sample = tally(&[hour_ns, hour_ns + 1, hour_ns + 2, hour_ns + 3]);
        assert_eq!(sample.variance(), Some(1.25));
        assert_eq!(tally(&[hour_ns; 1000]).variance(), Some(0.0));
    }

    #[test]
    fn merging_equals_recording_everything_in_one() {
        let mut left = tally(&[1, 20, 300]);
        left.merge(&tally(&[-4, 5]));
        assert_eq!(left, tally(&[1, 20, 300, -4, 5]));
        left.merge(&Tally::new());
        assert_eq!(left.count(), 5);
    }
}
