//! Uniform times between two bounds.

use rand::Rng;

use super::family::{Family, unit};
use super::sampler::Sampler;
use super::written::{Limits, Mistake, Solved};
use crate::config;
use crate::language::Span;
use crate::units::Duration;

/// Uniform law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uniform {
    from_ns: f64,
    to_ns: f64,
}

impl Uniform {
    /// Between two bounds in nanoseconds, the first not above the second.
    pub fn new(from_ns: f64, to_ns: f64) -> Result<Self, String> {
        if from_ns <= to_ns {
            Ok(Self { from_ns, to_ns })
        } else {
            Err("`from` lies above `to`".into())
        }
    }
}

config! {
    /// All times between two bounds alike.
    #[derive(PartialEq)]
    pub struct UniformConfig {
        /// The shortest time.
        from: Duration = required,
        /// The longest time.
        to: Duration = required,
    }
    include {
        /// Added constant and bound.
        limits: Limits,
    }
}

impl UniformConfig {
    pub(super) fn solve(&self, span: Span) -> Solved {
        let law = Uniform::new(self.from.0 as f64, self.to.0 as f64)
            .map_err(|message| Mistake::impossible(span, message))?;
        Ok(self.limits.apply(Sampler::new(law)))
    }
}

impl Family for Uniform {
    #[inline]
    fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.from_ns + unit(rng) * (self.to_ns - self.from_ns)
    }

    fn mean(&self) -> f64 {
        0.5 * (self.from_ns + self.to_ns)
    }

    fn variance(&self) -> f64 {
        (self.to_ns - self.from_ns).powi(2) / 12.0
    }

    fn survival(&self, x: f64) -> f64 {
        if x < self.from_ns {
            1.0
        } else if x >= self.to_ns {
            0.0
        } else {
            (self.to_ns - x) / (self.to_ns - self.from_ns)
        }
    }

    fn length_biased<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let (low, high) = (self.from_ns * self.from_ns, self.to_ns * self.to_ns);
        (low + unit(rng) * (high - low)).sqrt()
    }

    fn max(&self) -> f64 {
        self.to_ns
    }
}

#[cfg(test)]
mod tests {
    use super::super::family::check;
    use super::*;

    #[test]
    fn draws_follow_the_law() {
        check::family("uniform", &Uniform::new(1e6, 5e6).unwrap());
        check::family("uniform from zero", &Uniform::new(0.0, 5e6).unwrap());
        assert!(Uniform::new(2.0, 1.0).is_err());
    }
}
