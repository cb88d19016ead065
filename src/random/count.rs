//! Distributions of counts: how many items, how many requests in a batch, how many repeats.
//!
//! Knows nothing of what is counted.

use rand::Rng;
use rand_distr::{Distribution, Poisson};

use super::distribution::family::unit;
use super::distribution::written::Mistake;
use crate::language::range::Whole;
use crate::language::{Decode, Diagnostics, Node, Shape, Span, Spanned};
use crate::units::MeanCount;
use crate::{choice, config};

/// Beyond this no count goes; a scenario that asks for more is a mistake.
const COUNT_MAX: u64 = 1_000_000_000;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Law {
    Constant(u64),
    /// `floor`, or one more with this probability.
    FloorOrCeiling {
        floor: u64,
        above: f64,
    },
    /// `from` plus the number of failures before the first success; ln of the failure probability.
    Geometric {
        from: u64,
        mean_above: f64,
        log_failure: f64,
    },
    Poisson {
        mean: f64,
        law: Poisson<f64>,
    },
    Uniform {
        from: u64,
        to: u64,
    },
}

/// The compiled form of a distribution of counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CountSampler(Law);

impl CountSampler {
    /// Always the same.
    pub const fn constant(count: u64) -> Self {
        Self(Law::Constant(count))
    }

    /// The floor or the ceiling of a mean, with that mean: 2.4 is 2 or 3.
    pub fn mean_of(mean: f64) -> Result<Self, String> {
        let mean = checked("a count", mean)?;
        let (floor, above) = (mean.floor() as u64, mean.fract());
        if above == 0.0 {
            return Ok(Self::constant(floor));
        }
        Ok(Self(Law::FloorOrCeiling { floor, above }))
    }

    /// Geometric from a smallest value on, with this mean.
    pub fn geometric(mean: f64, from: u64) -> Result<Self, String> {
        let mean_above = checked("the mean of a geometric", mean)? - from as f64;
        if mean_above < 0.0 {
            return Err(format!("the mean of a geometric lies below its smallest value, {from}"));
        }
        if mean_above == 0.0 {
            return Ok(Self::constant(from));
        }
        let log_failure = (mean_above / (mean_above + 1.0)).ln();
        Ok(Self(Law::Geometric { from, mean_above, log_failure }))
    }

    /// Poisson with this mean.
    pub fn poisson(mean: f64) -> Result<Self, String> {
        let mean = checked("the mean of a poisson", mean)?;
        if mean == 0.0 {
            return Ok(Self::constant(0));
        }
        let law = Poisson::new(mean).map_err(|error| error.to_string())?;
        Ok(Self(Law::Poisson { mean, law }))
    }

    /// Uniform between two bounds, both included.
    pub fn uniform(from: u64, to: u64) -> Result<Self, String> {
        if from > to {
            return Err("`from` lies above `to`".into());
        }
        Ok(Self(Law::Uniform { from, to }))
    }

    /// One draw.
    #[inline]
    pub fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> u64 {
        match self.0 {
            Law::Constant(count) => count,
            Law::FloorOrCeiling { floor, above } => floor + u64::from(unit(rng) < above),
            Law::Geometric { from, log_failure, .. } => {
                from + ((1.0 - unit(rng)).ln() / log_failure) as u64
            }
            Law::Poisson { law, .. } => law.sample(rng) as u64,
            Law::Uniform { from, to } => {
                let width = (to - from) as u128 + 1;
                from + ((rng.next_u64() as u128 * width) >> 64) as u64
            }
        }
    }

    /// Mean of the draws.
    pub fn mean(&self) -> f64 {
        match self.0 {
            Law::Constant(count) => count as f64,
            Law::FloorOrCeiling { floor, above } => floor as f64 + above,
            Law::Geometric { from, mean_above, .. } => from as f64 + mean_above,
            Law::Poisson { mean, .. } => mean,
            Law::Uniform { from, to } => 0.5 * (from as f64 + to as f64),
        }
    }

    /// Variance of the draws.
    pub fn variance(&self) -> f64 {
        match self.0 {
            Law::Constant(_) => 0.0,
            Law::FloorOrCeiling { above, .. } => above * (1.0 - above),
            Law::Geometric { mean_above, .. } => mean_above * (mean_above + 1.0),
            Law::Poisson { mean, .. } => mean,
            Law::Uniform { from, to } => {
                let width = (to - from) as f64 + 1.0;
                (width * width - 1.0) / 12.0
            }
        }
    }

    /// How likely a draw is none.
    pub fn probability_of_none(&self) -> f64 {
        if self.least() > 0 {
            return 0.0;
        }
        match self.0 {
            Law::Constant(_) => 1.0,
            Law::FloorOrCeiling { above, .. } => 1.0 - above,
            Law::Geometric { mean_above, .. } => 1.0 / (mean_above + 1.0),
            Law::Poisson { mean, .. } => (-mean).exp(),
            Law::Uniform { to, .. } => 1.0 / (to as f64 + 1.0),
        }
    }

    /// The value if it is always the same.
    #[inline]
    pub const fn is_constant(&self) -> Option<u64> {
        match self.0 {
            Law::Constant(count) => Some(count),
            _ => None,
        }
    }

    /// The largest possible value, if there is one.
    pub fn max(&self) -> Option<u64> {
        match self.0 {
            Law::Constant(count) => Some(count),
            Law::FloorOrCeiling { floor, .. } => Some(floor + 1),
            Law::Uniform { to, .. } => Some(to),
            Law::Geometric { .. } | Law::Poisson { .. } => None,
        }
    }

    /// The least value.
    fn least(&self) -> u64 {
        match self.0 {
            Law::Constant(count) => count,
            Law::FloorOrCeiling { floor, .. } => floor,
            Law::Geometric { from, .. } | Law::Uniform { from, .. } => from,
            Law::Poisson { .. } => 0,
        }
    }

    /// A value that no draw exceeds: exactly for most laws; for a Poisson one with a probability
    /// below 1e-20, by Bernstein's inequality.
    fn greatest(&self) -> u64 {
        match self.0 {
            // A draw is below 1 by at least 2^-53.
            Law::Geometric { from, log_failure, .. } => {
                from + (-53.0 * std::f64::consts::LN_2 / log_failure) as u64
            }
            Law::Poisson { mean, .. } => (mean + 10.0 * mean.sqrt() + 40.0) as u64,
            _ => self.max().expect("the other laws have a largest value"),
        }
    }
}

impl Whole for CountDistribution {
    fn whole(&self, span: Span, each: &mut dyn FnMut(Span, u64, u64)) {
        each(span, self.sampler.least(), self.sampler.greatest());
    }
}

/// A distribution of counts that can be drawn from, as decoded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CountDistribution {
    sampler: CountSampler,
}

impl CountDistribution {
    /// What the hot path draws from.
    pub fn plan(&self) -> CountSampler {
        self.sampler
    }

    /// Mean of the draws.
    pub fn mean(&self) -> f64 {
        self.sampler.mean()
    }
}

impl Decode for CountDistribution {
    fn decode(node: &Spanned<Node>, out: &mut Diagnostics) -> Option<Self> {
        match CountForm::decode(node, out)?.solve() {
            Ok(sampler) => Some(Self { sampler }),
            Err(mistake) => {
                mistake.report(out);
                None
            }
        }
    }

    fn shape() -> Shape {
        CountForm::shape()
    }
}

choice! {
    /// A distribution of counts; `2.4` is 2 or 3 with that mean.
    #[derive(Copy)]
    pub enum CountForm {
        /// Repeats until a success: many small counts, a few large ones.
        geometric: Geometric(GeometricConfig),
        /// How many of very many rare events happen.
        poisson: Poisson(PoissonConfig),
        /// All counts between two bounds alike.
        uniform: Uniform(CountUniformConfig),
    }
    bare {
        /// Always the same, or the two whole numbers around a fractional mean.
        Mean(MeanCount)
    }
}

config! {
    /// Geometric counts.
    #[derive(Copy)]
    pub struct GeometricConfig, short = mean {
        /// The mean.
        mean: MeanCount = required,
        /// The smallest count.
        from: u64 = "0",
    }
}

config! {
    /// Poisson counts.
    #[derive(Copy)]
    pub struct PoissonConfig, short = mean {
        /// The mean.
        mean: MeanCount = required,
    }
}

config! {
    /// All counts between two bounds alike.
    #[derive(Copy)]
    pub struct CountUniformConfig {
        /// The smallest count.
        from: u64 = required,
        /// The largest count.
        to: u64 = required,
    }
}

impl CountForm {
    fn solve(&self) -> Result<CountSampler, Mistake> {
        let (span, law) = match self {
            CountForm::Mean(mean) => (mean.span, CountSampler::mean_of(mean.0)),
            CountForm::Geometric(config) => {
                let law = CountSampler::geometric(config.mean.0, config.from.value);
                (config.mean.span, law)
            }
            CountForm::Poisson(config) => (config.mean.span, CountSampler::poisson(config.mean.0)),
            CountForm::Uniform(config) => {
                (config.span, CountSampler::uniform(config.from.value, config.to.value))
            }
        };
        law.map_err(|message| Mistake::impossible(span, message))
    }
}

fn checked(what: &str, value: f64) -> Result<f64, String> {
    if (0.0..=COUNT_MAX as f64).contains(&value) {
        Ok(value)
    } else {
        Err(format!("{what} must lie in 0..1B, not {value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stream::DrawKey;
    use crate::language::{FileId, node};

    /// Mean, variance and shares of the values against the law's probabilities.
    fn check(name: &str, sampler: CountSampler, probability: impl Fn(u64) -> f64) {
        let n = 200_000_u64;
        let key = DrawKey::root(1, 0);
        let draws: Vec<u64> = (0..n).map(|k| sampler.sample(&mut key.child(k).draw())).collect();
        let mean = draws.iter().sum::<u64>() as f64 / n as f64;
        let error = (sampler.variance() / n as f64).sqrt();
        assert!((mean - sampler.mean()).abs() <= 4.5 * error, "{name}: mean {mean}");
        let none = sampler.probability_of_none();
        assert!((none - probability(0)).abs() < 1e-12, "{name}: {none} of none");
        let (mut total, mut weighted, mut squares) = (0.0, 0.0, 0.0);
        for value in 0..400 {
            let p = probability(value);
            total += p;
            weighted += p * value as f64;
            squares += p * (value * value) as f64;
            let share = draws.iter().filter(|d| **d == value).count() as f64 / n as f64;
            let error = (p * (1.0 - p) / n as f64).sqrt();
            assert!((share - p).abs() <= 4.5 * error + 2.0 / n as f64, "{name}: {value}: {share}");
        }
        assert!((total - 1.0).abs() < 1e-9, "{name}: probabilities sum to {total}");
        assert!((weighted - sampler.mean()).abs() < 1e-6, "{name}: mean");
        assert!((squares - weighted * weighted - sampler.variance()).abs() < 1e-6, "{name}");
    }

    fn poisson(mean: f64, value: u64) -> f64 {
        let log_factorial: f64 = (1..=value).map(|k| (k as f64).ln()).sum();
        (value as f64 * mean.ln() - mean - log_factorial).exp()
    }

    #[test]
    fn draws_follow_the_laws() {
        check("2.4", CountSampler::mean_of(2.4).unwrap(), |v| match v {
            2 => 0.6,
            3 => 0.4,
            _ => 0.0,
        });
        check("geometric from 0", CountSampler::geometric(4.0, 0).unwrap(), |v| {
            0.2 * 0.8_f64.powi(v as i32)
        });
        check("geometric from 1", CountSampler::geometric(4.0, 1).unwrap(), |v| match v {
            0 => 0.0,
            _ => 0.25 * 0.75_f64.powi(v as i32 - 1),
        });
        check("poisson 9", CountSampler::poisson(9.0).unwrap(), |v| poisson(9.0, v));
        check("poisson 40", CountSampler::poisson(40.0).unwrap(), |v| poisson(40.0, v));
        check("uniform", CountSampler::uniform(1, 5).unwrap(), |v| match v {
            1..=5 => 0.2,
            _ => 0.0,
        });
    }

    #[test]
    fn what_cannot_vary_is_constant() {
        assert_eq!(CountSampler::mean_of(3.0).unwrap().is_constant(), Some(3));
        assert_eq!(CountSampler::geometric(1.0, 1).unwrap().is_constant(), Some(1));
        assert_eq!(CountSampler::poisson(0.0).unwrap().is_constant(), Some(0));
        assert_eq!(CountSampler::mean_of(2.4).unwrap().max(), Some(3));
        assert_eq!(CountSampler::poisson(3.0).unwrap().max(), None);
    }

    fn decode(text: &str) -> Result<CountSampler, String> {
        let mut out = Diagnostics::new();
        let node = node::parse(FileId(0), text, &mut out).expect("valid YAML");
        let value = CountDistribution::decode(&node, &mut out);
        let first = out.iter().next();
        value
            .map(|counts| counts.plan())
            .ok_or_else(|| first.map(|d| format!("{} {}", d.code, d.message)).unwrap_or_default())
    }

    #[test]
    fn every_form_of_the_reference_is_read() {
        assert_eq!(decode("3"), Ok(CountSampler::constant(3)));
        assert_eq!(decode("2.4"), CountSampler::mean_of(2.4));
        assert_eq!(decode("{ geometric: 4 }"), CountSampler::geometric(4.0, 0));
        assert_eq!(decode("{ geometric: { mean: 4, from: 1 } }"), CountSampler::geometric(4.0, 1));
        assert_eq!(decode("{ poisson: { mean: 9 } }"), CountSampler::poisson(9.0));
        assert_eq!(decode("{ uniform: { from: 1, to: 5 } }"), CountSampler::uniform(1, 5));
        let below = decode("{ geometric: { mean: 0.5, from: 1 } }").unwrap_err();
        assert_eq!(below, "E0302 the mean of a geometric lies below its smallest value, 1");
        assert!(decode("unlimited").is_err() && decode("{ uniform: { from: 5, to: 1 } }").is_err());
    }

    #[test]
    fn impossible_counts_are_explained() {
        assert!(CountSampler::geometric(0.5, 1).unwrap_err().contains("below its smallest"));
        assert!(CountSampler::uniform(5, 1).is_err());
        assert!(CountSampler::mean_of(-1.0).is_err() && CountSampler::mean_of(f64::NAN).is_err());
    }

    /// The ends that a range is compared with hold what is drawn, and are no wild guess.
    #[test]
    fn no_draw_leaves_the_ends_of_its_law() {
        for text in [
            "2.4",
            "{ geometric: { mean: 40, from: 3 } }",
            "{ poisson: 9 }",
            "{ uniform: { from: 2, to: 5 } }",
        ] {
            let law = decode(text).unwrap();
            let key = DrawKey::root(1, 0);
            let draws: Vec<u64> =
                (0..100_000).map(|k| law.sample(&mut key.child(k).draw())).collect();
            let (least, greatest) = (law.least(), law.greatest());
            assert!(draws.iter().all(|draw| (least..=greatest).contains(draw)), "{text}");
            assert!(greatest as f64 <= 40.0 * law.mean() + 40.0, "{text}: {greatest}");
        }
    }
}
