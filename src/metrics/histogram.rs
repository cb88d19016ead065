//! A log-linear histogram of durations, as HDR histograms are: 256 buckets to the octave.
//!
//! Every quantile is within 0.2 % of the sample's own up to 2^50 ns (13 days); count, sum, smallest
//! and largest value are exact. It does not know failures: their number is passed to
//! [`Histogram::quantile_with`] by whoever counts them.

use super::Tally;

/// Values are told apart by their leading bit and the eight bits after it.
const MANTISSA_BITS: u32 = 8;
/// Below this value every integer has a bucket of its own.
const LINEAR: u64 = 1 << MANTISSA_BITS;
/// Values from 2^50 ns on share the last bucket, and are exact in sum and maximum only.
const VALUE_MAX: u64 = (1 << 50) - 1;

/// A sample of durations in nanoseconds, in buckets at most 0.4 % wide.
///
/// The moments are those of a [`Tally`], kept unsigned here because that halves the instructions
/// of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    /// Grown an octave at a time up to the largest value seen.
    buckets: Vec<u64>,
    count: u64,
    sum: u128,
    sum_of_squares: u128,
    min: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

/// The bucket of a value: the octave above the linear part, then the mantissa.
#[inline]
fn bucket_of(value: u64) -> usize {
    let shift = (63 - MANTISSA_BITS) - (value | LINEAR).leading_zeros();
    (((shift as u64) << MANTISSA_BITS) + (value >> shift)) as usize
}

/// The smallest value of a bucket and the number of integers in it.
fn bounds_of(bucket: usize) -> (u64, u64) {
    let bucket = bucket as u64;
    let shift = (bucket >> MANTISSA_BITS).saturating_sub(1);
    ((bucket - (shift << MANTISSA_BITS)) << shift, 1 << shift)
}

/// The rank ceil(q n), at least 1, where a product that is an integer but for rounding is one.
fn rank(q: f64, count: u64) -> u64 {
    let product = q * count as f64;
    let nearest = product.round();
    let near = (product - nearest).abs() <= 1e-12 * nearest.max(1.0);
    let rank = if near { nearest } else { product.ceil() };
    (rank as u64).clamp(1, count)
}

impl Histogram {
    /// An empty sample; allocates nothing until the first value.
    pub const fn new() -> Self {
        let (min, max) = (u64::MAX, 0);
        Self { buckets: Vec::new(), count: 0, sum: 0, sum_of_squares: 0, min, max }
    }

    /// Adds one duration in nanoseconds, which must not be negative.
    #[inline]
    pub fn record(&mut self, value_ns: i64) {
        debug_assert!(value_ns >= 0, "a duration of {value_ns} ns");
        let value = value_ns as u64;
        match self.buckets.get_mut(bucket_of(value)) {
            Some(bucket) => *bucket += 1,
            None => self.record_beyond(value),
        }
        self.count += 1;
        self.sum += u128::from(value);
        self.sum_of_squares += u128::from(value) * u128::from(value);
        // Branches, because a new extreme is rare and a predicted branch stores nothing.
        if value < self.min {
            self.min = value;
        }
        if value > self.max {
            self.max = value;
        }
    }

    /// Counts a value whose bucket is not there yet, or is beyond the range.
    #[cold]
    #[inline(never)]
    fn record_beyond(&mut self, value: u64) {
        let bucket = bucket_of(value.min(VALUE_MAX));
        let octave = LINEAR as usize;
        let length = (bucket / octave + 1) * octave;
        if length > self.buckets.len() {
            self.buckets.resize(length, 0);
        }
        self.buckets[bucket] += 1;
    }

    /// Adds another sample to this one.
    pub fn merge(&mut self, other: &Self) {
        if other.buckets.len() > self.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.sum_of_squares += other.sum_of_squares;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// The moments of the sample, without its distribution.
    pub fn tally(&self) -> Tally {
        if self.count == 0 {
            return Tally::new();
        }
        Tally {
            count: self.count,
            sum: self.sum as i128,
            sum_of_squares: self.sum_of_squares,
            min: self.min as i64,
            max: self.max as i64,
        }
    }

    /// Number of values.
    #[inline]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Number of values that were exactly zero (a wait of those who did not wait).
    pub fn count_of_zero(&self) -> u64 {
        self.buckets.first().copied().unwrap_or(0)
    }

    /// Exact sum of the values in nanoseconds.
    #[inline]
    pub const fn sum_ns(&self) -> i128 {
        self.sum as i128
    }

    /// Smallest value in nanoseconds, `None` for an empty sample.
    pub fn min_ns(&self) -> Option<i64> {
        self.tally().min()
    }

    /// Largest value in nanoseconds, `None` for an empty sample.
    pub fn max_ns(&self) -> Option<i64> {
        self.tally().max()
    }

    /// Exact mean in nanoseconds, `None` for an empty sample.
    pub fn mean(&self) -> Option<f64> {
        self.tally().mean()
    }

    /// Variance in square nanoseconds (divided by the count), `None` for an empty sample.
    pub fn variance(&self) -> Option<f64> {
        self.tally().variance()
    }

    /// Standard deviation in nanoseconds, `None` for an empty sample.
    pub fn standard_deviation(&self) -> Option<f64> {
        self.tally().standard_deviation()
    }

    /// The value in nanoseconds that a share `q` of the sample does not exceed.
    ///
    /// It is the midpoint, kept within minimum and maximum, of the first bucket at which
    /// the cumulative count reaches ceil(q n); `None` for an empty sample.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        self.quantile_with(q, 0, 0)
    }

    /// As [`Histogram::quantile`] over the sample, `zeros` more values of zero and `infinite` more
    /// above all others: `f64::INFINITY` when the rank falls among those.
    pub fn quantile_with(&self, q: f64, zeros: u64, infinite: u64) -> Option<f64> {
        assert!((0.0..=1.0).contains(&q), "a quantile of {q}");
        let count = zeros + self.count() + infinite;
        if count == 0 {
            return None;
        }
        Some(match rank(q, count).saturating_sub(zeros) {
            0 => 0.0,
            rank if rank > self.count() => f64::INFINITY,
            rank => self.value_at(rank),
        })
    }

    /// The value in nanoseconds of the rank-th smallest, for ranks from 1 to the count.
    fn value_at(&self, rank: u64) -> f64 {
        let (min, max) = (self.min as f64, self.max as f64);
        let mut seen = 0;
        for (bucket, &count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                let (low, width) = bounds_of(bucket);
                return (low as f64 + (width - 1) as f64 / 2.0).clamp(min, max);
            }
        }
        unreachable!("rank {rank} of a sample of {}", self.count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The promise: half a bucket over its smallest value.
    const ERROR_MAX: f64 = 0.002;

    /// A small generator of its own, because this floor may not use the ones above.
    fn next(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn histogram(values: &[i64]) -> Histogram {
        let mut histogram = Histogram::new();
        values.iter().for_each(|&value| histogram.record(value));
        histogram
    }

    #[test]
    fn every_bucket_up_to_2_to_the_50_is_within_the_error() {
        let last = bucket_of(VALUE_MAX);
        let mut expected_low = 0;
        for bucket in 0..=last {
            let (low, width) = bounds_of(bucket);
            // Buckets tile the range without a gap, and each value finds its own.
            assert_eq!(low, expected_low);
            assert_eq!((bucket_of(low), bucket_of(low + width - 1)), (bucket, bucket));
            let middle = low as f64 + (width - 1) as f64 / 2.0;
            assert!(middle - low as f64 <= ERROR_MAX * low as f64, "bucket {bucket} at {low}");
            expected_low = low + width;
        }
        assert_eq!(expected_low, VALUE_MAX + 1);
    }

    #[test]
    fn quantiles_are_within_the_error_of_the_sorted_sample() {
        let mut state = 7;
        for octaves in [10, 20, 30, 40, 50] {
            // Log-uniform, so that every octave is met.
            let mut values: Vec<i64> = (0..20_001)
                .map(|_| (next(&mut state) >> 14 >> (next(&mut state) % octaves)) as i64)
                .collect();
            let histogram = histogram(&values);
            values.sort_unstable();
            for q in [0.0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0] {
                let rank = ((q * values.len() as f64).ceil() as usize).max(1);
                let truth = values[rank - 1] as f64;
                let measured = histogram.quantile(q).expect("the sample is not empty");
                assert!((measured - truth).abs() <= ERROR_MAX * truth, "{q}: {measured} {truth}");
            }
            assert_eq!(histogram.min_ns(), values.first().copied());
            assert_eq!(histogram.max_ns(), values.last().copied());
            assert_eq!(histogram.sum_ns(), values.iter().map(|&v| i128::from(v)).sum::<i128>());
        }
    }

    #[test]
    fn small_values_and_a_constant_are_exact() {
        let small = histogram(&[0, 1, 2, 300, 511]);
        assert_eq!(small.quantile(0.6), Some(2.0));
        assert_eq!(small.quantile(0.8), Some(300.0));
        assert_eq!(small.count_of_zero(), 1);
        let constant = histogram(&[10_000_019; 9]);
        assert_eq!(constant.quantile(0.5), Some(10_000_019.0));
        assert_eq!(constant.variance(), Some(0.0));
    }

    #[test]
    fn a_rank_is_not_lifted_by_a_rounding_error() {
        // 0.07 x 100 is 7.000000000000001 in floating point.
        assert_eq!(rank(0.07, 100), 7);
        assert_eq!(rank(0.29, 100), 29);
        assert_eq!(rank(0.99, 1_000_000_000), 990_000_000);
        assert_eq!(rank(0.5, 3), 2);
        assert_eq!((rank(0.0, 5), rank(1.0, 5)), (1, 5));
    }

    #[test]
    fn beyond_the_range_only_the_maximum_and_the_sum_are_exact() {
        let mut far = histogram(&[5]);
        far.record(i64::MAX);
        assert_eq!(far.max_ns(), Some(i64::MAX));
        assert_eq!(far.sum_ns(), 5 + i128::from(i64::MAX));
        assert_eq!(far.count(), 2);
        let p100 = far.quantile(1.0).expect("two values");
        assert!((p100 / VALUE_MAX as f64 - 1.0).abs() < ERROR_MAX);
    }

    #[test]
    fn failures_rank_above_every_answer() {
        let answered = histogram(&[10, 20, 30, 40]);
        assert_eq!(answered.quantile_with(0.5, 0, 4), Some(40.0));
        assert_eq!(answered.quantile_with(0.51, 0, 4), Some(f64::INFINITY));
        let empty = Histogram::new();
        assert_eq!(empty.quantile(0.5), None);
        assert_eq!(empty.quantile_with(0.5, 0, 1), Some(f64::INFINITY));
        assert_eq!(empty.mean(), None);
    }

    #[test]
    fn p99_is_infinite_when_more_than_one_in_a_hundred_fails() {
        let answered = histogram(&vec![1_000; 990]);
        assert_eq!(answered.quantile_with(0.99, 0, 10), Some(1_000.0));
        assert_eq!(answered.quantile_with(0.99, 0, 11), Some(f64::INFINITY));
    }

    #[test]
    fn merging_equals_recording_everything_in_one() {
        let mut small = histogram(&[1, 2, 3]);
        let large = histogram(&[1_000_000, 7]);
        let mut merged = large.clone();
        merged.merge(&small);
        small.merge(&large);
        assert_eq!(small, merged);
        assert_eq!(small, histogram(&[1, 2, 3, 1_000_000, 7]));
    }
}
