//! Distributions whose mean comes from elsewhere: `{ erlang: { k: 3 } }` for the gaps of a rate.
//!
//! Only the shape is written; the law is made with a mean of one second. It does not know what the
//! mean will be.

use super::gamma::Gamma;
use super::hyperexponential::Hyperexponential;
use super::lognormal::{Location, Lognormal, Spread};
use super::pareto::Pareto;
use super::sampler::Sampler;
use super::weibull::Weibull;
use super::written::{Mistake, Solved};
use crate::language::{Decode, Diagnostics, Node, Shape, Span, Spanned};
use crate::units::Duration;
use crate::{choice, config};

/// One second, the mean of every law made here.
const MEAN_NS: f64 = 1e9;

/// The shape of a distribution; drawn with a mean of one second.
#[derive(Clone, Debug, PartialEq)]
pub struct ShapeDistribution {
    sampler: Sampler,
}

impl ShapeDistribution {
    /// The law with a mean of one second.
    pub fn plan(&self) -> Sampler {
        self.sampler.clone()
    }
}

impl Decode for ShapeDistribution {
    fn decode(node: &Spanned<Node>, out: &mut Diagnostics) -> Option<Self> {
        match ShapeForm::decode(node, out)?.solve() {
            Ok(sampler) => Some(Self { sampler }),
            Err(mistake) => {
                mistake.report(out);
                None
            }
        }
    }

    fn shape() -> Shape {
        ShapeForm::shape()
    }
}

choice! {
    /// The shape of a distribution, without its mean.
    #[derive(Copy)]
    pub enum ShapeForm {
        /// Without memory.
        exponential: Exponential,
        /// A number of exponential stages: less variation.
        erlang: Erlang(ErlangShape),
        /// Any variation.
        gamma: Gamma(GammaShape),
        /// Wearing out above shape 1, dying young below.
        weibull: Weibull(WeibullShape),
        /// A heavy but finite tail.
        lognormal: Lognormal(LognormalShape),
        /// Many short times and a few long ones.
        hyperexponential: Hyperexponential(HyperexponentialShape),
        /// A power-law tail.
        pareto: Pareto(ParetoShape),
    }
}

config! {
    /// Erlang without its mean.
    #[derive(Copy)]
    pub struct ErlangShape, short = k {
        /// The number of stages.
        k: u64 = required,
    }
}

config! {
    /// Gamma without its mean.
    #[derive(Copy)]
    pub struct GammaShape, short = scv {
        /// Variance over squared mean.
        scv: f64 = required,
    }
}

config! {
    /// Weibull without its mean.
    #[derive(Copy)]
    pub struct WeibullShape, short = shape {
        /// 1 is exponential.
        shape: f64 = required,
    }
}

config! {
    /// Lognormal without its location: one of `sigma`, `cv` and `scv`.
    #[derive(Copy)]
    pub struct LognormalShape {
        /// Standard deviation of the logarithm.
        sigma: Option<f64> = "none",
        /// Standard deviation over mean.
        cv: Option<f64> = "none",
        /// Variance over squared mean.
        scv: Option<f64> = "none",
    }
}

config! {
    /// Hyperexponential without its mean.
    #[derive(Copy)]
    pub struct HyperexponentialShape, short = scv {
        /// Variance over squared mean, at least 1.
        scv: f64 = required,
    }
}

config! {
    /// Pareto without its smallest time.
    #[derive(Copy)]
    pub struct ParetoShape, short = alpha {
        /// The exponent of the tail, above 1.
        alpha: f64 = required,
    }
}

impl ShapeForm {
    fn solve(&self) -> Solved {
        let at = |span: Span| move |message| Mistake::impossible(span, message);
        Ok(match self {
            ShapeForm::Exponential => Sampler::exponential(Duration(MEAN_NS as i64)),
            ShapeForm::Erlang(config) => {
                let k = config.k;
                Sampler::new(Gamma::erlang(MEAN_NS, k.value).map_err(at(k.span))?)
            }
            ShapeForm::Gamma(config) => {
                let scv = config.scv;
                Sampler::new(Gamma::from_scv(MEAN_NS, scv.value).map_err(at(scv.span))?)
            }
            ShapeForm::Weibull(config) => {
                let shape = config.shape;
                Sampler::new(Weibull::from_mean(MEAN_NS, shape.value).map_err(at(shape.span))?)
            }
            ShapeForm::Lognormal(config) => config.solve(config.span)?,
            ShapeForm::Hyperexponential(config) => {
                let (scv, span) = (config.scv.value, config.scv.span);
                Sampler::new(Hyperexponential::from_scv(MEAN_NS, scv).map_err(at(span))?)
            }
            ShapeForm::Pareto(config) => {
                let alpha = config.alpha;
                Sampler::new(Pareto::from_mean(MEAN_NS, alpha.value).map_err(at(alpha.span))?)
            }
        })
    }
}

impl LognormalShape {
    fn solve(&self, span: Span) -> Solved {
        let given = [
            self.sigma.map(|x| (self.sigma.span, Spread::Sigma(x))),
            self.cv.map(|x| (self.cv.span, Spread::Cv(x))),
            self.scv.map(|x| (self.scv.span, Spread::Scv(x))),
        ];
        let mut given = given.into_iter().flatten();
        let (Some((place, spread)), None) = (given.next(), given.next()) else {
            let message = "the shape of a lognormal is exactly one of sigma, cv and scv";
            return Err(Mistake::count(span, message, "for example `{ lognormal: { scv: 2 } }`"));
        };
        let law = Lognormal::new(Location::Mean(MEAN_NS), spread)
            .map_err(|message| Mistake::impossible(place, message))?;
        Ok(Sampler::new(law))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{FileId, node};

    fn decode(text: &str) -> Result<Sampler, String> {
        let mut out = Diagnostics::new();
        let node = node::parse(FileId(0), text, &mut out).expect("valid YAML");
        let value = ShapeDistribution::decode(&node, &mut out);
        match out.iter().next() {
            Some(first) => Err(format!("{} {}", first.code, first.message)),
            None => Ok(value.expect("no error was reported").plan()),
        }
    }

    #[test]
    fn every_shape_has_a_mean_of_a_second_and_its_variation() {
        let cases = [
            ("exponential", 1.0),
            ("{ erlang: { k: 3 } }", 1.0 / 3.0),
            ("{ erlang: 3 }", 1.0 / 3.0),
            ("{ gamma: { scv: 0.5 } }", 0.5),
            ("{ weibull: { shape: 1 } }", 1.0),
            ("{ lognormal: { scv: 2 } }", 2.0),
            ("{ lognormal: { cv: 2 } }", 4.0),
            ("{ hyperexponential: { scv: 4 } }", 4.0),
            ("{ pareto: { alpha: 3 } }", 1.0 / 3.0),
        ];
        for (text, scv) in cases {
            let sampler = decode(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!((sampler.mean_ns() / 1e9 - 1.0).abs() < 1e-9, "{text}");
            assert!((sampler.scv() - scv).abs() < 1e-9, "{text}: {}", sampler.scv());
        }
    }

    #[test]
    fn a_mean_has_no_place_here() {
        let error = decode("{ erlang: { k: 3, mean: 1s } }").unwrap_err();
        assert_eq!(error, "E0101 unknown key `mean`");
        assert!(decode("{ lognormal: { cv: 1, scv: 2 } }").unwrap_err().starts_with("E0301"));
        assert!(decode("{ pareto: { alpha: 1 } }").unwrap_err().starts_with("E0302"));
    }
}
