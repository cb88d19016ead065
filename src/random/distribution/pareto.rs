//! Pareto times: a power-law tail, so heavy that below alpha 2 there is no variance.

use rand::Rng;
use rand_distr::{Distribution, Exp1};

use super::family::Family;
use super::sampler::Sampler;
use super::written::{Limits, Mistake, Solved};
use crate::config;
use crate::units::Duration;

/// Pareto law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pareto {
    min_ns: f64,
    alpha: f64,
}

impl Pareto {
    /// From the smallest time in nanoseconds and the exponent of the tail.
    pub fn new(min_ns: f64, alpha: f64) -> Result<Self, String> {
        if !(alpha > 0.0 && alpha.is_finite()) {
            return Err(format!("the alpha of a pareto must be above 0, not {alpha}"));
        }
        if min_ns <= 0.0 {
            return Err("the min of a pareto must be above 0".into());
        }
        Ok(Self { min_ns, alpha })
    }

    /// From the mean in nanoseconds and the exponent of the tail, which must be above 1.
    pub fn from_mean(mean_ns: f64, alpha: f64) -> Result<Self, String> {
        if !(alpha > 1.0 && alpha.is_finite()) {
            return Err(format!("a pareto has a mean only if alpha is above 1, not {alpha}"));
        }
        Self::new(mean_ns * (alpha - 1.0) / alpha, alpha)
    }
}

config! {
    /// Pareto: a power-law tail.
    #[derive(PartialEq)]
    pub struct ParetoConfig {
        /// The shortest time.
        min: Duration = required,
        /// The exponent of the tail: at 2 and below there is no variance, at 1 and below no mean.
        alpha: f64 = required,
    }
    include {
        /// Added constant and bound.
        limits: Limits,
    }
}

impl ParetoConfig {
    pub(super) fn solve(&self) -> Solved {
        let wrong = if self.min.0 > 0 { self.alpha.span } else { self.min.span };
        let law = Pareto::new(self.min.0 as f64, self.alpha.value)
            .map_err(|message| Mistake::impossible(wrong, message))?;
        Ok(self.limits.apply(Sampler::new(law)))
    }
}

impl Family for Pareto {
    #[inline]
    fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        // The logarithm of a Pareto variable is exponential.
        let exponential: f64 = Exp1.sample(rng);
        self.min_ns * (exponential / self.alpha).exp()
    }

    fn mean(&self) -> f64 {
        if self.alpha > 1.0 { self.min_ns * self.alpha / (self.alpha - 1.0) } else { f64::INFINITY }
    }

    fn variance(&self) -> f64 {
        let alpha = self.alpha;
        if alpha > 2.0 {
            self.min_ns.powi(2) * alpha / ((alpha - 1.0).powi(2) * (alpha - 2.0))
        } else {
            f64::INFINITY
        }
    }

    fn survival(&self, x: f64) -> f64 {
        if x <= self.min_ns { 1.0 } else { (self.min_ns / x).powf(self.alpha) }
    }

    fn length_biased<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        // Without a mean there is no such law; the sampler bounds the law before it asks.
        Self { alpha: (self.alpha - 1.0).max(f64::MIN_POSITIVE), ..*self }.draw(rng)
    }
}

#[cfg(test)]
mod tests {
    use super::super::family::{check, quantile};
    use super::*;

    #[test]
    fn draws_follow_the_law() {
        check::family("pareto 6", &Pareto::new(1e6, 6.0).unwrap());
        check::family("pareto 1.5", &Pareto::new(1e6, 1.5).unwrap());
        check::family("pareto 0.8", &Pareto::new(1e6, 0.8).unwrap());
        let law = Pareto::new(1e6, 1.5).unwrap();
        assert!((law.mean() - 3e6).abs() < 1e-6 && law.variance().is_infinite());
        assert!((quantile(&law, 0.99) / (1e6 * 100_f64.powf(1.0 / 1.5)) - 1.0).abs() < 1e-9);
        assert!((Pareto::from_mean(3e6, 1.5).unwrap().min_ns - 1e6).abs() < 1e-6);
    }

    #[test]
    fn impossible_parameters_are_explained() {
        assert!(Pareto::new(1e6, 0.0).is_err() && Pareto::new(0.0, 1.0).is_err());
        assert!(Pareto::from_mean(1e6, 1.0).unwrap_err().contains("above 1"));
    }
}
