//! Weibull times: lifetimes that wear out (shape above 1) or die young (below 1).

use rand::Rng;
use rand_distr::{Distribution, Exp1, Gamma};
use statrs::function::gamma::gamma;

use super::family::Family;
use super::sampler::Sampler;
use super::written::{Limits, Mistake, Solved, positive_mean};
use crate::config;
use crate::units::Duration;

/// Weibull law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weibull {
    scale_ns: f64,
    shape: f64,
}

impl Weibull {
    /// From the mean in nanoseconds and the shape; 1 is exponential.
    pub fn from_mean(mean_ns: f64, shape: f64) -> Result<Self, String> {
        // Below 0.05 the mean lies so far out in the tail that no run would ever see it.
        if !(0.05..=100.0).contains(&shape) {
            return Err(format!("the shape of a weibull must lie in 0.05..100, not {shape}"));
        }
        Ok(Self { scale_ns: mean_ns / gamma(1.0 + 1.0 / shape), shape })
    }
}

config! {
    /// Weibull: lifetimes.
    #[derive(PartialEq)]
    pub struct WeibullConfig {
        /// The mean.
        mean: Duration = required,
        /// 1 is exponential; above it things wear out, below it they die young.
        shape: f64 = required,
    }
    include {
        /// Added constant and bound.
        limits: Limits,
    }
}

impl WeibullConfig {
    pub(super) fn solve(&self) -> Solved {
        let law = Weibull::from_mean(positive_mean(&self.mean)?, self.shape.value)
            .map_err(|message| Mistake::impossible(self.shape.span, message))?;
        Ok(self.limits.apply(Sampler::new(law)))
    }
}

impl Family for Weibull {
    #[inline]
    fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let exponential: f64 = Exp1.sample(rng);
        self.scale_ns * exponential.powf(1.0 / self.shape)
    }

    fn mean(&self) -> f64 {
        self.scale_ns * gamma(1.0 + 1.0 / self.shape)
    }

    fn variance(&self) -> f64 {
        self.scale_ns.powi(2) * gamma(1.0 + 2.0 / self.shape) - self.mean().powi(2)
    }

    fn survival(&self, x: f64) -> f64 {
        (-(x / self.scale_ns).powf(self.shape)).exp()
    }

    fn length_biased<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        // (X / scale) ^ shape is exponential; weighting by X makes it a gamma of 1 + 1 / shape.
        let power = Gamma::new(1.0 + 1.0 / self.shape, 1.0).expect("the shape is above 1");
        self.scale_ns * power.sample(rng).powf(1.0 / self.shape)
    }
}

#[cfg(test)]
mod tests {
    use super::super::family::{check, quantile};
    use super::*;

    #[test]
    fn draws_follow_the_law() {
        for shape in [0.7, 1.0, 2.0] {
            let law = Weibull::from_mean(5e6, shape).unwrap();
            check::family(&format!("weibull {shape}"), &law);
            assert!((law.mean() / 5e6 - 1.0).abs() < 1e-12);
            let median = law.scale_ns * 2_f64.ln().powf(1.0 / shape);
            assert!((quantile(&law, 0.5) / median - 1.0).abs() < 1e-9);
        }
        // Rayleigh: scv = 4 / pi - 1.
        let rayleigh = Weibull::from_mean(1.0, 2.0).unwrap();
        assert!((rayleigh.variance() - (4.0 / std::f64::consts::PI - 1.0)).abs() < 1e-12);
    }

    #[test]
    fn absurd_shapes_are_refused() {
        assert!(Weibull::from_mean(1e6, 0.0).unwrap_err().contains("0.05..100"));
        assert!(Weibull::from_mean(1e6, f64::NAN).is_err());
    }
}
