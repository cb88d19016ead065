//! A sample of durations that may hold zeros and infinities beside what was measured.
//!
//! Calls that did not wait are counted, not recorded; requests that failed rank as infinitely
//! slow. A sample does not know which of the two populations of requests it is.

use super::statistics::Value;
use super::summary::QUANTILES;
use crate::language::expression::Statistic;
use crate::metrics::Histogram;

/// Durations in nanoseconds.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    histogram: Histogram,
    zeros: u64,
    infinite: u64,
}

impl Sample {
    /// All values of several histograms, with zeros and infinities that are in none of them.
    pub fn of<'h>(
        histograms: impl IntoIterator<Item = &'h Histogram>,
        zeros: u64,
        infinite: u64,
    ) -> Self {
        let mut histogram = Histogram::new();
        histograms.into_iter().for_each(|part| histogram.merge(part));
        Self { histogram, zeros, infinite }
    }

    /// Adds another sample to this one.
    pub fn merge(&mut self, other: &Self) {
        self.histogram.merge(&other.histogram);
        self.zeros += other.zeros;
        self.infinite += other.infinite;
    }

    /// Number of values, infinite ones included.
    pub fn count(&self) -> u64 {
        self.histogram.count() + self.zeros + self.infinite
    }

    /// Number of values above zero.
    pub fn positive(&self) -> u64 {
        self.histogram.count() - self.histogram.count_of_zero() + self.infinite
    }

    /// The smallest value that at least the share `q` of the sample does not exceed, in
    /// nanoseconds.
    pub fn quantile(&self, q: f64) -> Value {
        Value::from(self.histogram.quantile_with(q, self.zeros, self.infinite))
    }

    /// Arithmetic mean in nanoseconds.
    pub fn mean(&self) -> Value {
        match (self.infinite, self.count()) {
            (_, 0) => Value::NoData,
            (0, count) => Value::from(self.histogram.sum_ns() as f64 / count as f64),
            _ => Value::Infinite,
        }
    }

    /// Largest value in nanoseconds.
    pub fn max(&self) -> Value {
        if self.infinite > 0 {
            return Value::Infinite;
        }
        let zero = (self.zeros > 0).then_some(0.0);
        Value::from(self.histogram.max_ns().map(|max| max as f64).or(zero))
    }

    /// Smallest value in nanoseconds.
    pub fn min(&self) -> Value {
        if self.zeros > 0 {
            return Value::Finite(0.0);
        }
        let infinite = (self.infinite > 0).then_some(f64::INFINITY);
        Value::from(self.histogram.min_ns().map(|min| min as f64).or(infinite))
    }

    /// Standard deviation (divided by the count) in nanoseconds.
    pub fn standard_deviation(&self) -> Value {
        let mean = match self.mean() {
            Value::Finite(mean) => mean,
            other => return other,
        };
        // Sum of squares about the common mean, from the moments of the part above zero.
        let measured = self.histogram.count() as f64;
        let inner = self.histogram.variance().unwrap_or(0.0);
        let offset = self.histogram.mean().unwrap_or(0.0) - mean;
        let squares = measured * (inner + offset * offset) + self.zeros as f64 * mean * mean;
        Value::from((squares / self.count() as f64).sqrt())
    }

    /// Any statistic: nanoseconds, a count, or for `cv` a factor.
    pub fn statistic(&self, statistic: Statistic) -> Value {
        if let Some(q) = statistic.quantile() {
            return self.quantile(q);
        }
        match statistic {
            Statistic::Mean => self.mean(),
            Statistic::Min => self.min(),
            Statistic::Max => self.max(),
            Statistic::Sd => self.standard_deviation(),
            Statistic::Cv => self.standard_deviation().over(self.mean()),
            Statistic::Count => Value::from(self.count() as f64),
            // Levels and shards have these; a sample does not, and no expression says so.
            _ => Value::NoData,
        }
    }

    /// The quantiles that a summary keeps, in its order, in nanoseconds.
    pub fn quantiles(&self) -> [Value; QUANTILES.len()] {
        QUANTILES.map(|(_, q)| self.quantile(q))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(values: &[i64]) -> Histogram {
        let mut histogram = Histogram::new();
        values.iter().for_each(|&value| histogram.record(value));
        histogram
    }

    #[test]
    fn zeros_rank_first_and_failures_last() {
        let sample = Sample::of([&histogram(&[10, 20, 30, 40])], 4, 2);
        assert_eq!(sample.count(), 10);
        assert_eq!(sample.positive(), 6);
        let expected = [(0.0, 0.0), (0.4, 0.0), (0.5, 10.0), (0.8, 40.0)];
        for (q, value) in expected {
            assert_eq!(sample.quantile(q), Value::Finite(value), "{q}");
        }
        assert_eq!(sample.quantile(0.81), Value::Infinite);
        assert_eq!(sample.mean(), Value::Infinite);
        assert_eq!(sample.max(), Value::Infinite);
        assert_eq!(sample.min(), Value::Finite(0.0));
        assert_eq!(sample.statistic(Statistic::Cv), Value::NoData);
    }

    #[test]
    fn moments_count_the_zeros() {
        let sample = Sample::of([&histogram(&[3, 5])], 2, 0);
        assert_eq!(sample.mean(), Value::Finite(2.0));
        let variance = (4.0 + 4.0 + 1.0 + 9.0) / 4.0_f64;
        let Value::Finite(deviation) = sample.standard_deviation() else { panic!("finite") };
        assert!((deviation - variance.sqrt()).abs() < 1e-9);
        let Value::Finite(cv) = sample.statistic(Statistic::Cv) else { panic!("finite") };
        assert!((cv - variance.sqrt() / 2.0).abs() < 1e-9);
        let empty = Sample::default();
        for statistic in [Statistic::Mean, Statistic::P99, Statistic::Min, Statistic::Sd] {
            assert_eq!(empty.statistic(statistic), Value::NoData);
        }
        assert_eq!(Sample::of([], 0, 3).min(), Value::Infinite);
    }

    #[test]
    fn merging_equals_recording_together() {
        let mut first = Sample::of([&histogram(&[1, 2])], 1, 0);
        first.merge(&Sample::of([&histogram(&[7])], 0, 1));
        let both = Sample::of([&histogram(&[1, 2, 7])], 1, 1);
        assert_eq!(first.quantiles(), both.quantiles());
        assert_eq!(first.count(), both.count());
    }
}
