//! Gamma times, from a mean and an scv or a number of exponential stages (Erlang).

use rand::Rng;
use rand_distr::{Distribution, Gamma as GammaDraw};
use statrs::function::gamma::gamma_ur;

use super::family::{Family, unit};
use super::sampler::Sampler;
use super::written::{Limits, Mistake, Solved, positive_mean};
use crate::config;
use crate::units::Duration;

/// Gamma law; Erlang where the shape is a whole number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gamma {
    shape: f64,
    scale_ns: f64,
    unscaled: GammaDraw<f64>,
}

impl Gamma {
    /// From the mean in nanoseconds and the shape.
    pub fn from_shape(mean_ns: f64, shape: f64) -> Result<Self, String> {
        if !(shape > 0.0 && shape.is_finite()) {
            return Err(format!("the shape of a gamma must be above 0, not {shape}"));
        }
        let unscaled = GammaDraw::new(shape, 1.0).map_err(|error| error.to_string())?;
        Ok(Self { shape, scale_ns: mean_ns / shape, unscaled })
    }

    /// From the mean in nanoseconds and the squared coefficient of variation.
    pub fn from_scv(mean_ns: f64, scv: f64) -> Result<Self, String> {
        if !(scv > 0.0 && scv.is_finite()) {
            return Err(format!(
                "the scv of a gamma must be above 0, not {scv}; without variation write a constant"
            ));
        }
        Self::from_shape(mean_ns, 1.0 / scv)
    }

    /// An Erlang: `stages` exponential stages one after another, of this mean in nanoseconds.
    pub fn erlang(mean_ns: f64, stages: u64) -> Result<Self, String> {
        if stages == 0 {
            return Err("an erlang has at least one stage: k must be 1 or more".into());
        }
        Self::from_shape(mean_ns, stages as f64)
    }
}

config! {
    /// A number of exponential stages one after another; scv 1 / k.
    #[derive(PartialEq)]
    pub struct ErlangConfig {
        /// The number of stages.
        k: u64 = required,
        /// The mean of all stages together.
        mean: Duration = required,
    }
    include {
        /// Added constant and bound.
        limits: Limits,
    }
}

config! {
    /// Gamma: any variation, less than exponential below scv 1 and more above.
    #[derive(PartialEq)]
    pub struct GammaConfig {
        /// The mean.
        mean: Duration = required,
        /// Variance over squared mean.
        scv: f64 = required,
    }
    include {
        /// Added constant and bound.
        limits: Limits,
    }
}

impl ErlangConfig {
    pub(super) fn solve(&self) -> Solved {
        let law = Gamma::erlang(positive_mean(&self.mean)?, self.k.value)
            .map_err(|message| Mistake::impossible(self.k.span, message))?;
        Ok(self.limits.apply(Sampler::new(law)))
    }
}

impl GammaConfig {
    pub(super) fn solve(&self) -> Solved {
        let law = Gamma::from_scv(positive_mean(&self.mean)?, self.scv.value)
            .map_err(|message| Mistake::impossible(self.scv.span, message))?;
        Ok(self.limits.apply(Sampler::new(law)))
    }
}

impl Family for Gamma {
    #[inline]
    fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.unscaled.sample(rng) * self.scale_ns
    }

    fn mean(&self) -> f64 {
        self.shape * self.scale_ns
    }

    fn variance(&self) -> f64 {
        self.shape * self.scale_ns * self.scale_ns
    }

    fn survival(&self, x: f64) -> f64 {
        if x <= 0.0 { 1.0 } else { gamma_ur(self.shape, x / self.scale_ns) }
    }

    fn length_biased<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        // A gamma of shape k + 1 is one of shape k plus an exponential.
        self.draw(rng) - (1.0 - unit(rng)).ln() * self.scale_ns
    }
}

#[cfg(test)]
mod tests {
    use super::super::family::{check, quantile};
    use super::*;

    #[test]
    fn draws_follow_the_law() {
        for scv in [0.25, 1.0, 4.0] {
            let law = Gamma::from_scv(20e6, scv).unwrap();
            check::family(&format!("gamma {scv}"), &law);
            assert!((law.mean() / 20e6 - 1.0).abs() < 1e-12);
            assert!((law.variance() / 400e12 - scv).abs() < 1e-12);
        }
        check::family("erlang 3", &Gamma::erlang(12e6, 3).unwrap());
    }

    #[test]
    fn quantiles_of_an_erlang_are_the_tabled_ones() {
        // 2 x k x (x / mean) is chi-square with 2 k degrees of freedom: 99 % of 6 is 16.8119.
        let law = Gamma::erlang(12e6, 3).unwrap();
        assert!((quantile(&law, 0.99) / 12e6 - 16.811_894 / 6.0).abs() < 1e-6);
    }

    #[test]
    fn impossible_shapes_are_explained() {
        assert!(Gamma::from_scv(1e6, 0.0).unwrap_err().contains("write a constant"));
        assert!(Gamma::erlang(1e6, 0).unwrap_err().contains("at least one stage"));
    }
}
