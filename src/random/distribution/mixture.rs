//! Mixtures: a share of the times follows one law, the rest others.

use std::sync::Arc;

use rand::Rng;

use super::family::{Family, unit};
use super::sampler::Sampler;
use super::written::{Distribution, Mistake, Solved};
use crate::config;
use crate::language::Spanned;
use crate::units::Ratio;

/// One part of a mixture.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    /// Share of the draws in this part and those before it.
    up_to: f64,
    share: f64,
    of: Sampler,
}

/// Mixture of other laws.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture {
    parts: Arc<[Part]>,
}

impl Mixture {
    /// From (share, law); the shares sum to 1.
    pub fn new(parts: Vec<(f64, Sampler)>) -> Result<Self, String> {
        if parts.is_empty() {
            return Err("a mixture has at least one part".into());
        }
        let total: f64 = parts.iter().map(|(share, _)| share).sum();
        if (total - 1.0).abs() > 1e-9 {
            let percent = (total * 1e6).round() / 1e4;
            return Err(format!("the shares of a mixture sum to {percent}%, not to 100%"));
        }
        let mut up_to = 0.0;
        let parts = parts.into_iter().map(|(share, of)| {
            up_to += share;
            Part { up_to, share, of }
        });
        Ok(Self { parts: parts.collect() })
    }

    fn sum(&self, of: impl Fn(&Sampler) -> f64) -> f64 {
        self.parts.iter().filter(|p| p.share > 0.0).map(|p| p.share * of(&p.of)).sum()
    }
}

config! {
    /// One part of a mixture.
    #[derive(PartialEq)]
    pub struct PartConfig {
        /// The share of the draws.
        share: Ratio = required,
        /// What they are drawn from.
        of: Distribution = required,
    }
}

/// The mixture of these parts.
pub(super) fn solve(parts: &Spanned<Vec<PartConfig>>) -> Solved {
    let laws = parts.iter().map(|part| (part.share.0, part.of.plan())).collect();
    let law = Mixture::new(laws).map_err(|message| Mistake::impossible(parts.span, message))?;
    Ok(Sampler::new(law))
}

impl Family for Mixture {
    #[inline]
    fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let u = unit(rng);
        let last = self.parts.len() - 1;
        let index = self.parts[..last].iter().position(|p| u < p.up_to).unwrap_or(last);
        self.parts[index].of.draw_ns(rng)
    }

    fn mean(&self) -> f64 {
        self.sum(Sampler::mean_ns)
    }

    fn variance(&self) -> f64 {
        self.sum(|of| of.variance() + of.mean_ns().powi(2)) - self.mean().powi(2)
    }

    fn survival(&self, x: f64) -> f64 {
        self.sum(|of| of.survival(x))
    }

    fn length_biased<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let mut rest = unit(rng) * self.mean();
        let last = self.parts.len() - 1;
        let chosen = self.parts[..last].iter().find(|p| {
            rest -= p.share * p.of.mean_ns();
            rest < 0.0
        });
        chosen.unwrap_or(&self.parts[last]).of.length_biased_ns(rng)
    }

    fn max(&self) -> f64 {
        self.parts.iter().map(|p| p.of.longest()).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::super::exponential::Exponential;
    use super::super::family::check;
    use super::super::uniform::Uniform;
    use super::*;

    #[test]
    fn draws_follow_the_law() {
        let fast = Sampler::new(Uniform::new(1e6, 2e6).unwrap());
        let slow = Sampler::new(Exponential::from_mean(50e6));
        let law = Mixture::new(vec![(0.95, fast), (0.05, slow)]).unwrap();
        check::family("mixture", &law);
        assert!((law.mean() - (0.95 * 1.5e6 + 0.05 * 50e6)).abs() < 1e-3);
    }

    #[test]
    fn shares_must_sum_to_one() {
        let part = Sampler::constant(1);
        let error = Mixture::new(vec![(0.9, part.clone()), (0.05, part)]).unwrap_err();
        assert_eq!(error, "the shares of a mixture sum to 95%, not to 100%");
    }
}
