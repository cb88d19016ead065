//! Exponential times: no memory, scv 1.

use rand::Rng;
use rand_distr::{Distribution, Exp1};

use super::family::{Family, unit};
use super::sampler::Sampler;
use super::written::{Limits, Solved};
use crate::config;
use crate::units::Duration;

/// Exponential law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exponential {
    mean_ns: f64,
}

impl Exponential {
    /// From the mean in nanoseconds.
    pub fn from_mean(mean_ns: f64) -> Self {
        assert!(mean_ns >= 0.0 && mean_ns.is_finite());
        Self { mean_ns }
    }
}

config! {
    /// Without memory, scv 1.
    #[derive(PartialEq)]
    pub struct ExponentialConfig, short = mean {
        /// The mean.
        mean: Duration = required,
    }
    include {
        /// Added constant and bound.
        limits: Limits,
    }
}

impl ExponentialConfig {
    pub(super) fn solve(&self) -> Solved {
        Ok(self.limits.apply(Sampler::exponential(self.mean.value)))
    }
}

impl Family for Exponential {
    #[inline]
    fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let gap: f64 = Exp1.sample(rng);
        gap * self.mean_ns
    }

    fn mean(&self) -> f64 {
        self.mean_ns
    }

    fn variance(&self) -> f64 {
        self.mean_ns * self.mean_ns
    }

    fn survival(&self, x: f64) -> f64 {
        (-x / self.mean_ns).exp()
    }

    fn length_biased<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        // An Erlang of two stages with the same rate.
        -((1.0 - unit(rng)) * (1.0 - unit(rng))).ln() * self.mean_ns
    }
}

#[cfg(test)]
mod tests {
    use super::super::family::{check, quantile};
    use super::*;

    #[test]
    fn draws_follow_the_law() {
        let law = Exponential::from_mean(10e6);
        check::family("exponential", &law);
        assert!((quantile(&law, 0.99) / 10e6 - 100_f64.ln()).abs() < 1e-9);
    }
}
