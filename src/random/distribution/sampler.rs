//! The compiled form of a distribution: what the hot path draws durations from.
//!
//! One match on a small enum, no allocation, one rounding to whole nanoseconds. It does not know
//! how the distribution was written.

use rand::Rng;

use super::exponential::Exponential;
use super::family::{Family, limited_moments, quantile, unit};
use super::gamma::Gamma;
use super::hyperexponential::Hyperexponential;
use super::lognormal::Lognormal;
use super::mixture::Mixture;
use super::pareto::Pareto;
use super::percentiles::Percentiles;
use super::uniform::Uniform;
use super::weibull::Weibull;
use crate::units::Duration;

/// No draw is longer, so that adding a few to an instant cannot overflow: about a hundred years.
const LONGEST_NS: f64 = 3.2e18;

/// Declares the closed set of laws once: the enum, the conversions and the dispatch.
macro_rules! laws {
    ($($family:ident: $about:literal,)*) => {
        /// A law of times, one of the families.
        // A tag of its own: one hidden in a family's fields would be worked out at each draw.
        #[derive(Clone, Debug, PartialEq)]
        #[repr(u8)]
        pub enum Law {
            /// Always the same, in nanoseconds.
            Constant(f64),
            $(#[doc = $about] $family($family),)*
        }

        $(impl From<$family> for Law {
            fn from(family: $family) -> Self {
                Law::$family(family)
            }
        })*

        impl Family for Law {
            #[inline]
            fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
                match self {
                    Law::Constant(value) => *value,
                    $(Law::$family(family) => family.draw(rng),)*
                }
            }

            fn mean(&self) -> f64 {
                match self {
                    Law::Constant(value) => *value,
                    $(Law::$family(family) => family.mean(),)*
                }
            }

            fn variance(&self) -> f64 {
                match self {
                    Law::Constant(_) => 0.0,
                    $(Law::$family(family) => family.variance(),)*
                }
            }

            fn survival(&self, x: f64) -> f64 {
                match self {
                    Law::Constant(value) => f64::from(x < *value),
                    $(Law::$family(family) => family.survival(x),)*
                }
            }

            fn length_biased<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
                match self {
                    Law::Constant(value) => *value,
                    $(Law::$family(family) => family.length_biased(rng),)*
                }
            }

            fn max(&self) -> f64 {
                match self {
                    Law::Constant(value) => *value,
                    $(Law::$family(family) => family.max(),)*
                }
            }
        }
    };
}

laws! {
    Exponential: "Without memory.",
    Gamma: "Gamma and Erlang.",
    Weibull: "Lifetimes.",
    Lognormal: "Service and network times.",
    Hyperexponential: "Many short, a few long.",
    Uniform: "Between two bounds.",
    Pareto: "A power-law tail.",
    Percentiles: "A measured table.",
    Mixture: "Shares of other laws.",
}

/// A law, an added constant and a bound: draws whole nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampler {
    law: Law,
    plus_ns: f64,
    at_most_ns: f64,
}

impl Sampler {
    /// The law as it is.
    pub fn new(law: impl Into<Law>) -> Self {
        Self { law: law.into(), plus_ns: 0.0, at_most_ns: LONGEST_NS }
    }

    /// Always the same, in nanoseconds.
    pub const fn constant(ns: i64) -> Self {
        Self { law: Law::Constant(ns as f64), plus_ns: 0.0, at_most_ns: LONGEST_NS }
    }

    /// Exponential with this mean; a mean of zero is always zero.
    pub fn exponential(mean: Duration) -> Self {
        if mean.0 == 0 {
            return Self::constant(0);
        }
        Self::new(Exponential::from_mean(mean.0 as f64))
    }

    /// The same, and a constant added to every draw.
    pub fn plus(self, added: Duration) -> Self {
        Self { plus_ns: self.plus_ns + added.0 as f64, ..self }
    }

    /// The same, but longer draws are cut to this length (after what [`plus`](Self::plus) adds).
    pub fn at_most(self, longest: Duration) -> Self {
        Self { at_most_ns: self.at_most_ns.min(longest.0 as f64), ..self }
    }

    /// One draw, in nanoseconds: at least 0, rounded to the nearest whole one.
    #[inline]
    pub fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> i64 {
        (self.draw_ns(rng) + 0.5) as i64
    }

    /// One draw as a duration.
    #[inline]
    pub fn duration<R: Rng + ?Sized>(&self, rng: &mut R) -> Duration {
        Duration(self.sample(rng))
    }

    /// One draw in nanoseconds before rounding.
    #[inline]
    pub fn draw_ns<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let value = self.law.draw(rng) + self.plus_ns;
        if value > self.at_most_ns { self.at_most_ns } else { value }
    }

    /// What is left of a period under way, seen from a random moment, in nanoseconds.
    pub fn residual<R: Rng + ?Sized>(&self, rng: &mut R) -> i64 {
        (unit(rng) * self.length_biased_ns(rng) + 0.5) as i64
    }

    /// The whole length of a period under way, seen from a random moment, in nanoseconds.
    pub(super) fn length_biased_ns<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let mean = self.law.mean();
        loop {
            if mean.is_infinite() {
                // The cut law has a mean; its bound is the only proposal that dominates.
                let value = self.draw_ns(rng);
                if unit(rng) * self.at_most_ns < value {
                    return value;
                }
                continue;
            }
            // A period is made of its random part and the added constant: the inspector comes in
            // either, and finds the random part length-biased only in the first case.
            let in_constant = unit(rng) * (mean + self.plus_ns) < self.plus_ns;
            let random = if in_constant { self.law.draw(rng) } else { self.law.length_biased(rng) };
            let whole = random + self.plus_ns;
            if whole <= self.at_most_ns {
                return whole;
            }
            // A cut period is shorter, hence found less often.
            if unit(rng) * whole < self.at_most_ns {
                return self.at_most_ns;
            }
        }
    }

    /// Whether the bound cuts anything.
    fn is_cut(&self) -> bool {
        self.at_most_ns < LONGEST_NS && self.law.max() + self.plus_ns > self.at_most_ns
    }

    /// Mean and variance of the draws, the cut included.
    fn moments(&self) -> (f64, f64) {
        if !self.is_cut() {
            return (self.law.mean() + self.plus_ns, self.law.variance());
        }
        let limit = self.at_most_ns - self.plus_ns;
        if limit <= 0.0 || matches!(self.law, Law::Constant(_)) {
            return (self.at_most_ns, 0.0);
        }
        let (mean, second) = limited_moments(&self.law, limit);
        (mean + self.plus_ns, (second - mean * mean).max(0.0))
    }

    /// Mean of the draws in nanoseconds, what is cut taken into account; infinite without a mean.
    pub fn mean_ns(&self) -> f64 {
        self.moments().0
    }

    /// Variance of the draws in nanoseconds squared; infinite where the law has none.
    pub fn variance(&self) -> f64 {
        self.moments().1
    }

    /// Variance over squared mean; 0 for a constant.
    pub fn scv(&self) -> f64 {
        let (mean, variance) = self.moments();
        if variance == 0.0 { 0.0 } else { variance / (mean * mean) }
    }

    /// Probability of more than `x` nanoseconds.
    pub fn survival(&self, x: f64) -> f64 {
        if x >= self.at_most_ns {
            0.0
        } else if x < self.plus_ns {
            1.0
        } else {
            self.law.survival(x - self.plus_ns)
        }
    }

    /// The time that a share `q` of the draws does not exceed, in nanoseconds.
    pub fn quantile_ns(&self, q: f64) -> f64 {
        if q >= 1.0 {
            return self.longest();
        }
        match &self.law {
            Law::Constant(value) => (value + self.plus_ns).min(self.at_most_ns),
            law => (quantile(law, q) + self.plus_ns).min(self.at_most_ns),
        }
    }

    /// The value in nanoseconds if it is always the same.
    #[inline]
    pub fn is_constant(&self) -> Option<i64> {
        match self.law {
            Law::Constant(value) => {
                Some(((value + self.plus_ns).min(self.at_most_ns) + 0.5) as i64)
            }
            _ => None,
        }
    }

    /// The longest possible draw in nanoseconds, if there is a bound.
    pub fn max_ns(&self) -> Option<i64> {
        let longest = self.longest();
        (longest < LONGEST_NS).then_some((longest + 0.5) as i64)
    }

    pub(super) fn longest(&self) -> f64 {
        (self.law.max() + self.plus_ns).min(self.at_most_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::super::family::check;
    use super::super::lognormal::{Location, Spread};
    use super::*;
    use crate::engine::stream::DrawKey;

    /// The sampler as a family, so that it has to pass the same checks.
    struct AsFamily(Sampler);

    impl Family for AsFamily {
        fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
            self.0.draw_ns(rng)
        }
        fn mean(&self) -> f64 {
            self.0.mean_ns()
        }
        fn variance(&self) -> f64 {
            self.0.variance()
        }
        fn survival(&self, x: f64) -> f64 {
            self.0.survival(x)
        }
        fn length_biased<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
            self.0.length_biased_ns(rng)
        }
        fn max(&self) -> f64 {
            self.0.longest()
        }
    }

    #[test]
    fn an_added_constant_moves_everything() {
        let sampler = Sampler::exponential(Duration(10_000_000)).plus(Duration(5_000_000));
        assert_eq!(sampler.mean_ns(), 15e6);
        assert!((sampler.scv() - 100.0 / 225.0).abs() < 1e-12);
        check::family("shifted exponential", &AsFamily(sampler));
    }

    #[test]
    fn a_cut_exponential_has_the_mean_of_the_formula() {
        let sampler = Sampler::exponential(Duration(7_000_000)).at_most(Duration(14_000_000));
        let exact = 7e6 * (1.0 - (-2.0_f64).exp());
        assert!((sampler.mean_ns() / exact - 1.0).abs() < 1e-7);
        assert_eq!(sampler.max_ns(), Some(14_000_000));
        let key = DrawKey::root(1, 0);
        let n = 200_000_u64;
        let mut sum = 0.0;
        let (mut long, mut found) = (0, 0.0);
        for k in 0..n {
            let value = sampler.sample(&mut key.child(k).draw());
            sum += value as f64;
            long += u64::from(value == 14_000_000);
            found += sampler.residual(&mut key.child(k).child(1).draw()) as f64;
        }
        let error = (sampler.variance() / n as f64).sqrt();
        assert!((sum / n as f64 - exact).abs() < 4.5 * error);
        let share = (-2.0_f64).exp();
        let spread = (share * (1.0 - share) / n as f64).sqrt();
        assert!((long as f64 / n as f64 - share).abs() < 4.5 * spread);
        // The mean residual life is E[X^2] / (2 E[X]); its own spread is below 14 ms.
        let residual = (sampler.variance() + exact * exact) / (2.0 * exact);
        assert!((found / n as f64 - residual).abs() < 4.5 * 14e6 / (n as f64).sqrt());
    }

    #[test]
    fn a_pareto_without_mean_gets_one_by_its_bound() {
        let law = Pareto::new(1e6, 0.9).unwrap();
        let open = Sampler::new(law);
        assert!(open.mean_ns().is_infinite() && open.max_ns().is_none());
        let cut = open.at_most(Duration(100_000_000));
        let exact = 1e6 * (1.0 + (100_f64.powf(0.1) - 1.0) / 0.1);
        assert!((cut.mean_ns() / exact - 1.0).abs() < 1e-4, "{} {exact}", cut.mean_ns());
        let mut draw = DrawKey(3).draw();
        assert!((0..100).all(|_| cut.residual(&mut draw) <= 100_000_000));
    }

    #[test]
    fn constants_know_themselves() {
        let sampler = Sampler::constant(20_000_000).plus(Duration(1));
        assert_eq!(sampler.is_constant(), Some(20_000_001));
        assert_eq!(sampler.sample(&mut DrawKey(1).draw()), 20_000_001);
        assert_eq!((sampler.scv(), sampler.max_ns()), (0.0, Some(20_000_001)));
        assert_eq!(Sampler::exponential(Duration(0)).is_constant(), Some(0));
        assert_eq!(sampler.clone().at_most(Duration(5)).is_constant(), Some(5));
        assert_eq!(sampler.at_most(Duration(5)).mean_ns(), 5.0);
    }

    #[test]
    fn no_draw_can_overflow_the_clock() {
        let wild = Sampler::new(Pareto::new(1e9, 0.01).unwrap());
        let mut draw = DrawKey(3).draw();
        assert!(
            (0..1000).all(|_| (0..=3_200_000_000_000_000_000).contains(&wild.sample(&mut draw)))
        );
    }

    /// Changing any of these changes results ever published: do it knowingly.
    #[test]
    fn the_first_draws_of_each_family_are_pinned() {
        let lognormal = Lognormal::new(Location::Mean(20e6), Spread::P99(93e6)).unwrap();
        let table = [(0.0, 1e6), (50.0, 2e6), (100.0, 80e6)];
        let parts = vec![(0.5, Sampler::constant(3)), (0.5, Sampler::constant(9))];
        let laws: [Law; 9] = [
            Exponential::from_mean(10e6).into(),
            Gamma::from_scv(10e6, 0.4).unwrap().into(),
            Weibull::from_mean(10e6, 0.8).unwrap().into(),
            lognormal.into(),
            Hyperexponential::from_scv(10e6, 5.0).unwrap().into(),
            Uniform::new(1e6, 5e6).unwrap().into(),
            Pareto::new(1e6, 1.5).unwrap().into(),
            Percentiles::new(&table).unwrap().into(),
            Mixture::new(parts).unwrap().into(),
        ];
        let first: Vec<[i64; 2]> = laws
            .into_iter()
            .map(|law| {
                let (sampler, mut draw) = (Sampler::new(law), DrawKey(42).draw());
                [sampler.sample(&mut draw), sampler.sample(&mut draw)]
            })
            .collect();
        let pinned = [
            [10_526_251, 10_359_601],
            [13_269_094, 4_648_264],
            [9_410_464, 9_224_603],
            [24_903_827, 2_404_807],
            [5_703_066, 2_711_359],
            [3_966_260, 1_639_642],
            [2_017_280, 1_994_992],
            [11_885_921, 1_248_175],
            [9, 3],
        ];
        assert_eq!(first, pinned);
    }
}
