//! Lognormal times: the usual law of service and network times, with a heavy but finite tail.
//!
//! People know a mean or a median, and a high percentile or a measure of spread; any such pair
//! fixes the law.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use statrs::function::erf::erfc;

use super::family::Family;
use super::sampler::Sampler;
use super::written::{Limits, Mistake, Solved};
use crate::config;
use crate::language::Span;
use crate::units::Duration;

/// Standard normal quantiles of the percentiles that may be given.
const Z90: f64 = 1.281_551_565_544_600_4;
const Z95: f64 = 1.644_853_626_951_472_2;
const Z99: f64 = 2.326_347_874_040_840_8;

/// Where a lognormal lies, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Location {
    /// The mean.
    Mean(f64),
    /// The median.
    P50(f64),
}

/// How wide a lognormal is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spread {
    /// Standard deviation of the logarithm.
    Sigma(f64),
    /// Standard deviation over mean.
    Cv(f64),
    /// Variance over squared mean.
    Scv(f64),
    /// The 90th percentile in nanoseconds.
    P90(f64),
    /// The 95th percentile in nanoseconds.
    P95(f64),
    /// The 99th percentile in nanoseconds.
    P99(f64),
}

/// Lognormal law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lognormal {
    /// Mean of the logarithm of nanoseconds.
    mu: f64,
    sigma: f64,
}

impl Lognormal {
    /// From a location and a spread; the error says why no lognormal is like that.
    pub fn new(location: Location, spread: Spread) -> Result<Self, String> {
        let (Location::Mean(centre) | Location::P50(centre)) = location;
        if !(centre > 0.0 && centre.is_finite()) {
            let name = location.name();
            return Err(format!("the {name} of a lognormal must be above 0"));
        }
        let sigma = match spread {
            Spread::Sigma(sigma) => positive("sigma", sigma)?,
            Spread::Cv(cv) => positive("cv", cv)?.powi(2).ln_1p().sqrt(),
            Spread::Scv(scv) => positive("scv", scv)?.ln_1p().sqrt(),
            Spread::P90(x) => sigma_of_percentile(location, centre, "p90", Z90, x)?,
            Spread::P95(x) => sigma_of_percentile(location, centre, "p95", Z95, x)?,
            Spread::P99(x) => sigma_of_percentile(location, centre, "p99", Z99, x)?,
        };
        let mu = match location {
            Location::Mean(mean) => mean.ln() - 0.5 * sigma * sigma,
            Location::P50(median) => median.ln(),
        };
        Ok(Self { mu, sigma })
    }
}

impl Location {
    fn name(self) -> &'static str {
        match self {
            Location::Mean(_) => "mean",
            Location::P50(_) => "p50",
        }
    }
}

fn positive(name: &str, value: f64) -> Result<f64, String> {
    if value > 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(format!(
            "the {name} of a lognormal must be above 0, not {value}; \
             without variation write a constant"
        ))
    }
}

/// The sigma of a lognormal with this centre whose percentile with normal quantile `z` is `x`.
fn sigma_of_percentile(
    location: Location,
    centre: f64,
    name: &str,
    z: f64,
    x: f64,
) -> Result<f64, String> {
    let known = location.name();
    if x.is_nan() || x <= centre {
        let why = match location {
            Location::Mean(_) => "nearly all times would be shorter than their own mean",
            Location::P50(_) => "percentiles cannot fall",
        };
        return Err(format!("{name} is not above {known}: {why}"));
    }
    let log_ratio = (x / centre).ln();
    match location {
        Location::P50(_) => Ok(log_ratio / z),
        Location::Mean(_) => {
            // ln(x / mean) = z sigma - sigma^2 / 2, which is at most z^2 / 2; of the two solutions
            // the smaller is the law people mean, the other has its mean far out in the tail.
            let discriminant = z * z - 2.0 * log_ratio;
            if discriminant < 0.0 {
                let limit = (0.5 * z * z).exp();
                return Err(format!(
                    "{name} is {:.1} times the mean, and in a lognormal it is at most {limit:.2} \
                     times the mean, however heavy its tail; give p50 instead of mean, or a \
                     mixture",
                    x / centre
                ));
            }
            Ok(z - discriminant.sqrt())
        }
    }
}

config! {
    /// Lognormal: one of `mean` and `p50`, and one of `sigma`, `cv`, `scv`, `p90`, `p95` and `p99`.
    #[derive(PartialEq)]
    pub struct LognormalConfig {
        /// The mean.
        mean: Option<Duration> = "none",
        /// The median.
        p50: Option<Duration> = "none",
        /// Standard deviation of the logarithm.
        sigma: Option<f64> = "none",
        /// Standard deviation over mean.
        cv: Option<f64> = "none",
        /// Variance over squared mean.
        scv: Option<f64> = "none",
        /// The 90th percentile.
        p90: Option<Duration> = "none",
        /// The 95th percentile.
        p95: Option<Duration> = "none",
        /// The 99th percentile.
        p99: Option<Duration> = "none",
    }
    include {
        /// Added constant and bound.
        limits: Limits,
    }
}

const PAIRS: &str = "a lognormal takes one of mean, p50 and one of sigma, cv, scv, p90, p95, p99: \
                     write `{ mean: 20ms, p99: 93ms }` or `{ p50: 12ms, sigma: 0.8 }`";

impl LognormalConfig {
    pub(super) fn solve(&self, span: Span) -> Solved {
        let location = only(
            span,
            "a location",
            [
                self.mean.map(|x| (self.mean.span, Location::Mean(x.0 as f64))),
                self.p50.map(|x| (self.p50.span, Location::P50(x.0 as f64))),
            ],
        )?;
        let spread = self.spread(span)?;
        // Whatever is impossible is so because of the spread, unless the location is 0.
        let (Location::Mean(centre) | Location::P50(centre)) = location.1;
        let wrong = if centre > 0.0 { spread.0 } else { location.0 };
        let law = Lognormal::new(location.1, spread.1)
            .map_err(|message| Mistake::impossible(wrong, message))?;
        Ok(self.limits.apply(Sampler::new(law)))
    }

    fn spread(&self, span: Span) -> Result<(Span, Spread), Mistake> {
        only(
            span,
            "a spread",
            [
                self.sigma.map(|x| (self.sigma.span, Spread::Sigma(x))),
                self.cv.map(|x| (self.cv.span, Spread::Cv(x))),
                self.scv.map(|x| (self.scv.span, Spread::Scv(x))),
                self.p90.map(|x| (self.p90.span, Spread::P90(x.0 as f64))),
                self.p95.map(|x| (self.p95.span, Spread::P95(x.0 as f64))),
                self.p99.map(|x| (self.p99.span, Spread::P99(x.0 as f64))),
            ],
        )
    }
}

/// The one that is given; the error of none stands at `span`, that of several at the second.
fn only<T, const N: usize>(
    span: Span,
    what: &str,
    given: [Option<(Span, T)>; N],
) -> Result<(Span, T), Mistake> {
    let mut given = given.into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Mistake::count(span, format!("this lognormal lacks {what}"), PAIRS)),
        (Some(_), Some((second, _))) => {
            let message = format!("this lognormal has {what} already");
            Err(Mistake::count(second, message, PAIRS))
        }
    }
}

impl Family for Lognormal {
    #[inline]
    fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let normal: f64 = StandardNormal.sample(rng);
        (self.mu + self.sigma * normal).exp()
    }

    fn mean(&self) -> f64 {
        (self.mu + 0.5 * self.sigma * self.sigma).exp()
    }

    fn variance(&self) -> f64 {
        (self.sigma * self.sigma).exp_m1() * self.mean().powi(2)
    }

    fn survival(&self, x: f64) -> f64 {
        if x <= 0.0 {
            return 1.0;
        }
        0.5 * erfc((x.ln() - self.mu) / (self.sigma * std::f64::consts::SQRT_2))
    }

    fn length_biased<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        Self { mu: self.mu + self.sigma * self.sigma, ..*self }.draw(rng)
    }
}

#[cfg(test)]
mod tests {
    use super::super::family::{check, quantile};
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a / b - 1.0).abs() < 1e-6
    }

    #[test]
    fn draws_follow_the_law() {
        for sigma in [0.1, 0.8, 1.2] {
            let law = Lognormal::new(Location::Mean(20e6), Spread::Sigma(sigma)).unwrap();
            check::family(&format!("lognormal {sigma}"), &law);
        }
    }

    #[test]
    fn every_pair_of_parameters_is_met() {
        let spreads = [
            Spread::Sigma(0.9),
            Spread::Cv(1.1),
            Spread::Scv(1.5),
            Spread::P90(45e6),
            Spread::P95(70e6),
            Spread::P99(93e6),
        ];
        for spread in spreads {
            let by_mean = Lognormal::new(Location::Mean(20e6), spread).unwrap();
            let by_median = Lognormal::new(Location::P50(20e6), spread).unwrap();
            assert!(near(by_mean.mean(), 20e6) && near(quantile(&by_median, 0.5), 20e6));
            for law in [by_mean, by_median] {
                let scv = law.variance() / law.mean().powi(2);
                assert!(match spread {
                    Spread::Sigma(sigma) => near(law.sigma, sigma),
                    Spread::Cv(cv) => near(scv, cv * cv),
                    Spread::Scv(wanted) => near(scv, wanted),
                    Spread::P90(x) => near(quantile(&law, 0.90), x),
                    Spread::P95(x) => near(quantile(&law, 0.95), x),
                    Spread::P99(x) => near(quantile(&law, 0.99), x),
                });
            }
        }
    }

    #[test]
    fn the_published_parameters_of_p_que_17_come_out() {
        let law = Lognormal::new(Location::Mean(12.5), Spread::Scv(2.0)).unwrap();
        assert!((law.mu - 1.976_422_5).abs() < 1e-7 && (law.sigma - 1.048_147_07).abs() < 1e-8);
    }

    #[test]
    fn impossible_pairs_are_explained() {
        let error = |location, spread| Lognormal::new(location, spread).unwrap_err();
        let below = error(Location::Mean(20e6), Spread::P99(5e6));
        assert!(below.starts_with("p99 is not above mean: nearly all times"), "{below}");
        assert!(error(Location::P50(20e6), Spread::P90(20e6)).starts_with("p90 is not above p50"));
        let beyond = error(Location::Mean(20e6), Spread::P99(400e6));
        assert!(beyond.starts_with("p99 is 20.0 times the mean"), "{beyond}");
        assert!(beyond.contains("at most 14.97 times"), "{beyond}");
        assert!(error(Location::Mean(0.0), Spread::Cv(1.0)).contains("must be above 0"));
        assert!(error(Location::Mean(1e6), Spread::Cv(0.0)).contains("write a constant"));
        assert!(error(Location::Mean(1e6), Spread::Sigma(f64::NAN)).contains("above 0"));
    }
}
