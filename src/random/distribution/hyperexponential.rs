//! Hyperexponential times: many short ones and a few long ones, scv above 1.
//!
//! Two exponential branches with balanced means: each branch brings half of the total time.

use rand::Rng;
use rand_distr::{Distribution, Exp1};

use super::family::{Family, unit};
use super::sampler::Sampler;
use super::written::{Limits, Mistake, Solved, positive_mean};
use crate::config;
use crate::units::Duration;

/// Hyperexponential law of two branches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hyperexponential {
    /// Probability of the short branch.
    short_share: f64,
    short_mean_ns: f64,
    long_mean_ns: f64,
}

impl Hyperexponential {
    /// From the mean in nanoseconds and the squared coefficient of variation, at least 1.
    pub fn from_scv(mean_ns: f64, scv: f64) -> Result<Self, String> {
        if !(scv >= 1.0 && scv.is_finite()) {
            return Err(format!(
                "the scv of a hyperexponential is at least 1, not {scv}; \
                 gamma and erlang have less variation"
            ));
        }
        let short_share = 0.5 * (1.0 + ((scv - 1.0) / (scv + 1.0)).sqrt());
        Ok(Self {
            short_share,
            short_mean_ns: mean_ns / (2.0 * short_share),
            long_mean_ns: mean_ns / (2.0 * (1.0 - short_share)),
        })
    }
}

config! {
    /// Two exponential branches with balanced means; more variation than exponential.
    #[derive(PartialEq)]
    pub struct HyperexponentialConfig {
        /// The mean.
        mean: Duration = required,
        /// Variance over squared mean, at least 1.
        scv: f64 = required,
    }
    include {
        /// Added constant and bound.
        limits: Limits,
    }
}

impl HyperexponentialConfig {
    pub(super) fn solve(&self) -> Solved {
        let law = Hyperexponential::from_scv(positive_mean(&self.mean)?, self.scv.value)
            .map_err(|message| Mistake::impossible(self.scv.span, message))?;
        Ok(self.limits.apply(Sampler::new(law)))
    }
}

impl Family for Hyperexponential {
    #[inline]
    fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let short = unit(rng) < self.short_share;
        let exponential: f64 = Exp1.sample(rng);
        exponential * if short { self.short_mean_ns } else { self.long_mean_ns }
    }

    fn mean(&self) -> f64 {
        self.short_share * self.short_mean_ns + (1.0 - self.short_share) * self.long_mean_ns
    }

    fn variance(&self) -> f64 {
        let second = self.short_share * self.short_mean_ns.powi(2)
            + (1.0 - self.short_share) * self.long_mean_ns.powi(2);
        2.0 * second - self.mean().powi(2)
    }

    fn survival(&self, x: f64) -> f64 {
        self.short_share * (-x / self.short_mean_ns).exp()
            + (1.0 - self.short_share) * (-x / self.long_mean_ns).exp()
    }

    fn length_biased<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        // Balanced means: an inspector is as likely to come in a short time as in a long one.
        let mean_ns = if unit(rng) < 0.5 { self.short_mean_ns } else { self.long_mean_ns };
        -((1.0 - unit(rng)) * (1.0 - unit(rng))).ln() * mean_ns
    }
}

#[cfg(test)]
mod tests {
    use super::super::family::check;
    use super::*;

    #[test]
    fn draws_follow_the_law() {
        for scv in [1.0, 2.0, 5.0] {
            let law = Hyperexponential::from_scv(10e6, scv).unwrap();
            check::family(&format!("hyperexponential {scv}"), &law);
            assert!((law.mean() / 10e6 - 1.0).abs() < 1e-12);
            assert!((law.variance() / 100e12 - scv).abs() < 1e-9);
        }
    }

    #[test]
    fn the_branches_of_scv_5_are_the_textbook_ones() {
        let law = Hyperexponential::from_scv(10.0, 5.0).unwrap();
        assert!((law.short_share - 0.908_248_29).abs() < 1e-8);
        assert!((law.short_mean_ns - 5.505_102_57).abs() < 1e-8);
        assert!((law.long_mean_ns - 54.494_897_4).abs() < 1e-6);
    }

    #[test]
    fn too_little_variation_is_explained() {
        let error = Hyperexponential::from_scv(10e6, 0.5).unwrap_err();
        assert!(error.contains("at least 1, not 0.5") && error.contains("gamma"), "{error}");
    }
}
