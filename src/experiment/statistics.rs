//! Estimates over replications: Student-t and Wilson intervals, paired differences.
//!
//! Pure functions of numbers. They do not know what was measured, in which unit, or how the
//! replications were made; an interval here is simulation noise and nothing else.

use statrs::distribution::{ChiSquared, ContinuousCDF, StudentsT};

/// The normal quantile of a two-sided 95 % interval.
const NORMAL_97_5: f64 = 1.959_963_984_540_054;

/// One number that a replication, or a summary of them, may or may not have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Finite(f64),
    /// Larger than any number: a quantile that falls among failures.
    Infinite,
    /// Nothing was observed.
    NoData,
}

impl Value {
    /// The number, if it is one.
    pub fn finite(self) -> Option<f64> {
        match self {
            Self::Finite(value) => Some(value),
            Self::Infinite | Self::NoData => None,
        }
    }

    /// The value with `change` applied to a number, and unchanged otherwise.
    pub fn map(self, change: impl FnOnce(f64) -> f64) -> Self {
        self.finite().map_or(self, |value| Self::from(change(value)))
    }

    /// The quotient; without data where the divisor is zero or not finite.
    pub fn over(self, divisor: Self) -> Self {
        match (self, divisor) {
            (Self::Finite(_), Self::Finite(0.0)) => Self::NoData,
            (Self::Finite(a), Self::Finite(b)) => Self::from(a / b),
            (Self::Infinite, Self::Finite(_)) => Self::Infinite,
            _ => Self::NoData,
        }
    }

    /// The difference; infinite where one side is, without data where both are.
    pub fn minus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Finite(a), Self::Finite(b)) => Self::from(a - b),
            (Self::Infinite, Self::Finite(_)) | (Self::Finite(_), Self::Infinite) => Self::Infinite,
            _ => Self::NoData,
        }
    }
}

impl From<f64> for Value {
    /// An infinity becomes `Infinite`; a NaN is a bug and panics.
    fn from(value: f64) -> Self {
        assert!(!value.is_nan(), "a statistic that is not a number");
        if value.is_finite() { Self::Finite(value) } else { Self::Infinite }
    }
}

impl From<Option<f64>> for Value {
    fn from(value: Option<f64>) -> Self {
        value.map_or(Self::NoData, Self::from)
    }
}

/// A mean over replications with the interval that holds the true one 95 times in 100.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Mean of the replications' values; infinite as soon as one of them is.
    pub mean: Value,
    /// Lower and upper end; absent below two replications with a finite value.
    pub ci95: Option<[f64; 2]>,
}

impl Estimate {
    /// Nothing was observed in any replication.
    pub const NO_DATA: Self = Self { mean: Value::NoData, ci95: None };

    /// The estimate from the values of the replications; those without data are left out.
    pub fn of(values: &[Value]) -> Self {
        if values.contains(&Value::Infinite) {
            return Self { mean: Value::Infinite, ci95: None };
        }
        let finite: Vec<f64> = values.iter().filter_map(|value| value.finite()).collect();
        if finite.is_empty() {
            return Self::NO_DATA;
        }
        let (mean, deviation) = moments(&finite);
        let half = half_width(finite.len(), deviation);
        Self { mean: Value::from(mean), ci95: half.map(|half| [mean - half, mean + half]) }
    }

    /// The estimate of `first - second` from replications paired on the same random numbers.
    ///
    /// Pairs in which one side has no data are left out.
    pub fn of_difference(first: &[Value], second: &[Value]) -> Self {
        Self::of_pairs(first, second, Value::minus)
    }

    /// The estimate of `first / second` from the quotients of the replications.
    pub fn of_ratio(first: &[Value], second: &[Value]) -> Self {
        Self::of_pairs(first, second, Value::over)
    }

    fn of_pairs(first: &[Value], second: &[Value], join: fn(Value, Value) -> Value) -> Self {
        assert_eq!(first.len(), second.len(), "replications come in pairs");
        let joined: Vec<Value> = first.iter().zip(second).map(|(&a, &b)| join(a, b)).collect();
        Self::of(&joined)
    }

    /// The share of successes from each replication's (successes, trials).
    ///
    /// The interval over the replications is widened to Wilson's on all trials together: eight
    /// replications without a single failure do not prove that there is none.
    pub fn of_proportion(replications: &[(u64, u64)]) -> Self {
        let share = |&(successes, trials): &(u64, u64)| {
            Value::from((trials > 0).then(|| successes as f64 / trials as f64))
        };
        let estimate = Self::of(&replications.iter().map(share).collect::<Vec<_>>());
        let successes = replications.iter().map(|&(successes, _)| successes).sum();
        let trials = replications.iter().map(|&(_, trials)| trials).sum();
        let (Some([low, high]), Some(wilson)) = (estimate.ci95, wilson(successes, trials)) else {
            return estimate;
        };
        Self { ci95: Some([low.min(wilson[0]).max(0.0), high.max(wilson[1]).min(1.0)]), ..estimate }
    }

    /// The mean number of rare events in a replication.
    ///
    /// The interval over the replications is widened to that of a Poisson number with all events
    /// together (Garwood 1936): four replications in which nothing was lost do not prove that
    /// nothing ever is. Without any event it ends at 3.7 over the number of replications, as the
    /// rule of three says with 3.0 for one side.
    pub fn of_events(replications: &[u64]) -> Self {
        let values = replications.iter().map(|&events| Value::Finite(events as f64));
        let estimate = Self::of(&values.collect::<Vec<_>>()).not_negative();
        let Some([low, high]) = estimate.ci95 else { return estimate };
        let all = replications.len() as f64;
        let poisson = garwood(replications.iter().sum()).map(|end| end / all);
        Self { ci95: Some([low.min(poisson[0]), high.max(poisson[1])]), ..estimate }
    }

    /// The estimate of `first - second` from replications that share no random numbers, by Welch's
    /// interval.
    pub fn of_unpaired_difference(first: &[Value], second: &[Value]) -> Self {
        let sides = [first, second].map(Self::of);
        let mean = sides[0].mean.minus(sides[1].mean);
        let Some(mean_difference) = mean.finite() else { return Self { mean, ci95: None } };
        let variance_of_mean = |values: &[Value]| -> (f64, f64) {
            let finite: Vec<f64> = values.iter().filter_map(|value| value.finite()).collect();
            let (count, (_, deviation)) = (finite.len() as f64, moments(&finite));
            (deviation * deviation / count, count - 1.0)
        };
        if sides.iter().any(|side| side.ci95.is_none()) {
            return Self { mean, ci95: None };
        }
        let parts = [first, second].map(variance_of_mean);
        let variance: f64 = parts.iter().map(|(variance, _)| variance).sum();
        let weights: f64 = parts.iter().map(|(variance, freedom)| variance.powi(2) / freedom).sum();
        let half = match variance > 0.0 {
            true => student_97_5(variance * variance / weights) * variance.sqrt(),
            false => 0.0,
        };
        Self { mean, ci95: Some([mean_difference - half, mean_difference + half]) }
    }

    /// The estimate with an interval cut to what is possible (a ratio stays within 0 and 1).
    pub fn within(self, low: f64, high: f64) -> Self {
        let ci95 = self.ci95.map(|ends| ends.map(|end| end.clamp(low, high)));
        Self { ci95, ..self }
    }

    /// The estimate of what cannot be negative: a count, a rate, a time, a share, their quotient.
    /// Student's interval knows nothing of that and may reach below zero.
    pub fn not_negative(self) -> Self {
        self.within(0.0, f64::INFINITY)
    }

    /// The estimate in another unit: mean and interval multiplied by a positive factor.
    pub fn scaled(self, factor: f64) -> Self {
        assert!(factor > 0.0, "a scale of {factor}");
        Self {
            mean: self.mean.map(|mean| mean * factor),
            ci95: self.ci95.map(|ends| ends.map(|end| end * factor)),
        }
    }

    /// Half the width of the interval.
    pub fn half_width(&self) -> Option<f64> {
        self.ci95.map(|[low, high]| (high - low) / 2.0)
    }

    /// The standard error that the interval stands for, from the number of values behind it: its
    /// wider side, where it was cut to what is possible, over Student's quantile.
    pub fn standard_error(&self, values: usize) -> Option<f64> {
        let ([low, high], mean) = (self.ci95?, self.mean.finite()?);
        (values >= 2).then(|| (mean - low).max(high - mean) / student_97_5((values - 1) as f64))
    }

    /// Half the width of the interval as a share of the mean: 0 for an exact figure, infinite for
    /// an interval around a mean of zero, absent without an interval.
    pub fn relative_half_width(&self) -> Option<f64> {
        let (half, mean) = (self.half_width()?, self.mean.finite()?);
        Some(if half == 0.0 { 0.0 } else { half / mean.abs() })
    }

    /// Whether a difference is told apart from zero: its interval lies on one side of it.
    pub fn distinguishable_from_zero(&self) -> Option<bool> {
        self.ci95.map(|[low, high]| low > 0.0 || high < 0.0)
    }
}

/// Mean and standard deviation (n - 1) of a sample that is not empty.
fn moments(values: &[f64]) -> (f64, f64) {
    let first = values[0];
    if values.iter().all(|&value| value == first) {
        // Exact where rounding of the sum could pretend a spread.
        return (first, 0.0);
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0)).sqrt())
}

/// Half the width of the 95 % interval of a mean; absent below two values.
fn half_width(count: usize, deviation: f64) -> Option<f64> {
    (count >= 2).then(|| student_97_5(count as f64 - 1.0) * deviation / (count as f64).sqrt())
}

/// The 97.5 % quantile of Student's t distribution.
fn student_97_5(degrees_of_freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, degrees_of_freedom)
        .expect("the degrees of freedom are positive")
        .inverse_cdf(0.975)
}

/// Wilson's 95 % interval of a probability from independent trials; absent without a trial.
pub fn wilson(successes: u64, trials: u64) -> Option<[f64; 2]> {
    assert!(successes <= trials, "{successes} successes in {trials} trials");
    if trials == 0 {
        return None;
    }
    let (n, z2) = (trials as f64, NORMAL_97_5 * NORMAL_97_5);
    let share = successes as f64 / n;
    let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let spread = share * (1.0 - share) / n + z2 / (4.0 * n * n);
    let half = NORMAL_97_5 * spread.sqrt() / (1.0 + z2 / n);
    let low = if successes == 0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if successes == trials { 1.0 } else { (centre + half).min(1.0) };
    Some([low, high])
}

/// Garwood's 95 % interval of the mean of a Poisson number that came out as `events`; of many the
/// normal one, which then is the same within a thousandth.
fn garwood(events: u64) -> [f64; 2] {
    if events > 100_000 {
        let (events, half) = (events as f64, NORMAL_97_5 * (events as f64).sqrt());
        return [events - half, events + half];
    }
    let quantile = |freedom: f64, share: f64| {
        let law = ChiSquared::new(freedom).expect("the degrees of freedom are positive");
        law.inverse_cdf(share) / 2.0
    };
    let twice = 2.0 * events as f64;
    let low = if events == 0 { 0.0 } else { quantile(twice, 0.025) };
    [low, quantile(twice + 2.0, 0.975)]
}

/// The mean of values by weight; what has no data or no weight does not count, and one infinite
/// value with a weight makes it infinite.
pub fn weighted_mean(parts: &[(Value, f64)]) -> Value {
    let (mut sum, mut total) = (0.0, 0.0);
    for &(value, weight) in parts {
        assert!(weight >= 0.0 && weight.is_finite(), "a weight of {weight}");
        match value {
            Value::Infinite if weight > 0.0 => return Value::Infinite,
            Value::Finite(value) => {
                sum += value * weight;
                total += weight;
            }
            Value::Infinite | Value::NoData => {}
        }
    }
    Value::from((total > 0.0).then(|| sum / total))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finite(values: &[f64]) -> Vec<Value> {
        values.iter().map(|&value| Value::Finite(value)).collect()
    }

    fn close(left: f64, right: f64, tolerance: f64) {
        assert!((left - right).abs() <= tolerance, "{left} is not {right}");
    }

    #[test]
    fn the_interval_of_what_cannot_be_negative_ends_at_zero() {
        let rare = Estimate::of(&finite(&[0.0, 0.0, 0.0, 8.0]));
        let [low, high] = rare.ci95.expect("four values");
        assert!(low < 0.0, "Student's interval around 2 reaches {low}");
        assert_eq!(rare.not_negative(), Estimate { ci95: Some([0.0, high]), ..rare });
    }

    #[test]
    fn student_quantiles_are_those_of_the_tables() {
        let table = [
            (1, 12.706_204_736),
            (2, 4.302_652_730),
            (4, 2.776_445_105),
            (7, 2.364_624_252),
            (9, 2.262_157_163),
            (31, 2.039_513_446),
            (1000, 1.962_339_081),
        ];
        for (degrees_of_freedom, expected) in table {
            close(student_97_5(f64::from(degrees_of_freedom)), expected, 1e-6);
        }
    }

    #[test]
    fn the_interval_is_the_textbook_one() {
        let estimate = Estimate::of(&finite(&[10.0, 12.0, 9.0, 13.0, 11.0]));
        let [low, high] = estimate.ci95.expect("five values have an interval");
        let half = 2.776_445_105 * 2.5_f64.sqrt() / 5.0_f64.sqrt();
        assert_eq!(estimate.mean, Value::Finite(11.0));
        close(low, 11.0 - half, 1e-6);
        close(high, 11.0 + half, 1e-6);
        close(estimate.relative_half_width().expect("it has one"), half / 11.0, 1e-9);
    }

    #[test]
    fn the_interval_tells_its_standard_error() {
        let estimate = Estimate::of(&finite(&[1.0, 9.0, 2.0, 8.0, 5.0]));
        let expected = 12.5_f64.sqrt() / 5.0_f64.sqrt();
        close(estimate.standard_error(5).expect("five values"), expected, 1e-9);
        // What is cut off below zero does not make it smaller.
        let cut = estimate.within(3.0, f64::INFINITY).standard_error(5);
        close(cut.expect("five values"), expected, 1e-9);
        assert_eq!(estimate.standard_error(1), None);
        assert_eq!(Estimate::NO_DATA.standard_error(5), None);
    }

    #[test]
    fn one_replication_has_no_interval_and_none_has_no_mean() {
        assert_eq!(Estimate::of(&finite(&[3.0])).ci95, None);
        assert_eq!(Estimate::of(&[]), Estimate::NO_DATA);
        assert_eq!(Estimate::of(&[Value::NoData; 3]), Estimate::NO_DATA);
        assert_eq!(Estimate::NO_DATA.relative_half_width(), None);
    }

    #[test]
    fn equal_values_have_an_interval_of_no_width() {
        let estimate = Estimate::of(&finite(&[0.1; 7]));
        assert_eq!(estimate.ci95, Some([0.1, 0.1]));
        assert_eq!(estimate.relative_half_width(), Some(0.0));
        assert_eq!(Estimate::of(&finite(&[0.0; 3])).relative_half_width(), Some(0.0));
    }

    #[test]
    fn one_infinite_replication_makes_the_estimate_infinite() {
        let estimate = Estimate::of(&[Value::Finite(1.0), Value::Infinite, Value::NoData]);
        assert_eq!(estimate, Estimate { mean: Value::Infinite, ci95: None });
    }

    #[test]
    fn replications_without_data_are_left_out() {
        let estimate = Estimate::of(&[Value::Finite(1.0), Value::NoData, Value::Finite(3.0)]);
        assert_eq!(estimate.mean, Value::Finite(2.0));
        assert!(estimate.ci95.is_some());
    }

    #[test]
    fn pairing_removes_what_both_sides_share() {
        let first = finite(&[10.0, 20.0, 30.0, 40.0]);
        let second = finite(&[9.0, 19.0, 29.0, 39.0]);
        let difference = Estimate::of_difference(&first, &second);
        assert_eq!(difference, Estimate { mean: Value::Finite(1.0), ci95: Some([1.0, 1.0]) });
        assert_eq!(difference.distinguishable_from_zero(), Some(true));
        let noise = Estimate::of_difference(&finite(&[1.0, 3.0, 2.0]), &finite(&[2.0, 1.0, 3.0]));
        assert_eq!(noise.distinguishable_from_zero(), Some(false));
        let ratio = Estimate::of_ratio(&first, &finite(&[5.0, 10.0, 15.0, 20.0]));
        assert_eq!(ratio.ci95, Some([2.0, 2.0]));
    }

    #[test]
    fn values_combine_without_inventing_numbers() {
        let (one, infinite, nothing) = (Value::Finite(1.0), Value::Infinite, Value::NoData);
        assert_eq!(one.over(Value::Finite(0.0)), nothing);
        assert_eq!(infinite.over(one), infinite);
        assert_eq!(one.over(infinite), nothing);
        assert_eq!(one.minus(infinite), infinite);
        assert_eq!(infinite.minus(infinite), nothing);
        assert_eq!(one.minus(nothing), nothing);
        assert_eq!(Value::from(Some(f64::INFINITY)), infinite);
        assert_eq!(one.map(|value| value + 1.0), Value::Finite(2.0));
    }

    #[test]
    fn wilson_is_the_textbook_interval() {
        // Newcombe (1998): 81 of 263, and 0 of 20.
        let [low, high] = wilson(81, 263).expect("there are trials");
        close(low, 0.2553, 5e-5);
        close(high, 0.3662, 5e-5);
        let [low, high] = wilson(0, 20).expect("there are trials");
        assert_eq!(low, 0.0);
        close(high, 0.1611, 5e-5);
        assert_eq!(wilson(20, 20).map(|ends| ends[1]), Some(1.0));
        assert_eq!(wilson(0, 0), None);
    }

    #[test]
    fn a_proportion_without_failures_is_not_certain() {
        let estimate = Estimate::of_proportion(&[(500, 500); 4]);
        let [low, high] = estimate.ci95.expect("there are four replications");
        assert_eq!((estimate.mean, high), (Value::Finite(1.0), 1.0));
        close(low, 0.998, 2e-4);
        assert_eq!(Estimate::of_proportion(&[(0, 0); 4]), Estimate::NO_DATA);
        // Replications that differ more than independent trials would keep their wider interval.
        let spread = Estimate::of_proportion(&[(0, 1000), (1000, 1000)]);
        assert_eq!(spread.ci95, Some([0.0, 1.0]));
    }

    #[test]
    fn no_event_in_four_replications_is_not_none_ever() {
        let none = Estimate::of_events(&[0; 4]);
        let [low, high] = none.ci95.expect("four replications");
        assert_eq!((none.mean, low), (Value::Finite(0.0), 0.0));
        close(high, 3.6889 / 4.0, 1e-4);
        // Garwood's table: 10 events, 4.7954 to 18.3904.
        let [low, high] = Estimate::of_events(&[10, 10, 10, 10, 10]).ci95.expect("five");
        assert!(low < 10.0 && high > 10.0);
        let [low, high] = garwood(10);
        close(low, 4.7954, 1e-4);
        close(high, 18.3904, 1e-4);
        // What comes in bursts keeps its wider interval.
        let bursts = [0, 0, 0, 400];
        let student = Estimate::of(&finite(&bursts.map(|one| one as f64))).ci95;
        assert_eq!(Estimate::of_events(&bursts).ci95.map(|i| i[1]), student.map(|i| i[1]));
        assert_eq!(Estimate::of_events(&[3]).ci95, None);
    }

    #[test]
    fn unpaired_differences_have_the_interval_of_welch() {
        let first = finite(&[20.0, 22.0, 24.0]);
        let second = finite(&[10.0, 10.0, 16.0, 12.0]);
        let difference = Estimate::of_unpaired_difference(&first, &second);
        // Variances 4 and 8 over 3 and 4: 4/3 + 2; freedom (10/3)^2 / ((4/3)^2/2 + 2^2/3) = 5.
        let half = 2.570_581_836 * (10.0_f64 / 3.0).sqrt();
        let [low, high] = difference.ci95.expect("both have one");
        close(low, 10.0 - half, 1e-6);
        close(high, 10.0 + half, 1e-6);
        let one = Estimate::of_unpaired_difference(&first, &finite(&[1.0]));
        assert_eq!(one, Estimate { mean: Value::Finite(21.0), ci95: None });
        let same = Estimate::of_unpaired_difference(&finite(&[2.0; 3]), &finite(&[2.0; 3]));
        assert_eq!(same.ci95, Some([0.0, 0.0]));
    }

    #[test]
    fn weighted_means_ignore_what_has_no_data() {
        let parts = [(Value::Finite(1.0), 3.0), (Value::Finite(5.0), 1.0), (Value::NoData, 9.0)];
        assert_eq!(weighted_mean(&parts), Value::Finite(2.0));
        assert_eq!(weighted_mean(&[(Value::Infinite, 1.0), parts[0]]), Value::Infinite);
        assert_eq!(weighted_mean(&[(Value::Infinite, 0.0), parts[0]]), Value::Finite(1.0));
        assert_eq!(weighted_mean(&[]), Value::NoData);
    }

    #[test]
    fn the_interval_covers_the_truth_as_often_as_it_says() {
        use rand::{SeedableRng, rngs::SmallRng};
        use rand_distr::{Distribution, Exp1};
        // Means of 50 exponentials are nearly normal, as means of replications are.
        let mut random = SmallRng::seed_from_u64(1);
        let mut mean = || (0..50).map(|_| -> f64 { Exp1.sample(&mut random) }).sum::<f64>() / 50.0;
        let experiments = 4000;
        let covered = (0..experiments)
            .filter(|_| {
                let values: Vec<Value> = (0..8).map(|_| Value::Finite(mean())).collect();
                let [low, high] = Estimate::of(&values).ci95.expect("eight values");
                low <= 1.0 && 1.0 <= high
            })
            .count();
        let share = covered as f64 / f64::from(experiments);
        close(share, 0.95, 4.5 * (0.95 * 0.05 / f64::from(experiments)).sqrt());
    }
}
