//! Distributions as written: `20ms`, `{ exponential: 10ms }`, `{ lognormal: { mean, p99 } }`.
//!
//! A distribution is solved while it is decoded, so that an impossible one is an error at its
//! place and whoever holds a [`Distribution`] can draw from it. Each family declares its own
//! parameters; what all long forms take is here. It does not know the keys that hold a
//! distribution.

use super::exponential::ExponentialConfig;
use super::gamma::{ErlangConfig, GammaConfig};
use super::hyperexponential::HyperexponentialConfig;
use super::lognormal::LognormalConfig;
use super::mixture::PartConfig;
use super::pareto::ParetoConfig;
use super::percentiles::PercentileTable;
use super::sampler::Sampler;
use super::uniform::UniformConfig;
use super::weibull::WeibullConfig;
use crate::language::{Decode, Diagnostics, Node, Shape, Span, Spanned};
use crate::units::Duration;
use crate::{choice, config};

/// A distribution of durations that can be drawn from.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    sampler: Sampler,
}

impl Distribution {
    /// Always the same.
    pub fn constant(duration: Duration) -> Self {
        Self { sampler: Sampler::constant(duration.0) }
    }

    /// What the hot path draws from.
    pub fn plan(&self) -> Sampler {
        self.sampler.clone()
    }

    /// Mean in nanoseconds; infinite where the law has none.
    pub fn mean_ns(&self) -> f64 {
        self.sampler.mean_ns()
    }

    /// The mean as a duration, [`Duration::MAX`] where the law has none.
    pub fn mean(&self) -> Duration {
        Duration(self.sampler.mean_ns().round() as i64)
    }
}

impl Decode for Distribution {
    fn decode(node: &Spanned<Node>, out: &mut Diagnostics) -> Option<Self> {
        match DistributionForm::decode(node, out)?.solve() {
            Ok(sampler) => Some(Self { sampler }),
            Err(mistake) => {
                mistake.report(out);
                None
            }
        }
    }

    fn shape() -> Shape {
        DistributionForm::shape()
    }
}

choice! {
    /// A distribution of durations; a bare duration is always the same.
    pub enum DistributionForm {
        /// Without memory: the time between independent events.
        exponential: Exponential(ExponentialConfig),
        /// A number of exponential stages one after another.
        erlang: Erlang(ErlangConfig),
        /// From a mean and a squared coefficient of variation, less or more than exponential.
        gamma: Gamma(GammaConfig),
        /// Lifetimes: wearing out with a shape above 1, dying young below.
        weibull: Weibull(WeibullConfig),
        /// The usual law of service and network times.
        lognormal: Lognormal(Box<LognormalConfig>),
        /// Many short times and a few long ones.
        hyperexponential: Hyperexponential(HyperexponentialConfig),
        /// All times between two bounds alike.
        uniform: Uniform(UniformConfig),
        /// A power-law tail.
        pareto: Pareto(ParetoConfig),
        /// A measured table, interpolated on the logarithm of time.
        percentiles: Percentiles(PercentileTable),
        /// Shares of other distributions.
        mixture: Mixture(Vec<PartConfig>),
    }
    bare {
        /// Always the same.
        Constant(Duration)
    }
    unbuilt { samples: "a file of measured times, drawn with replacement" }
}

impl DistributionForm {
    fn solve(&self) -> Solved {
        match self {
            DistributionForm::Constant(value) => Ok(Sampler::constant(value.0)),
            DistributionForm::Exponential(config) => config.solve(),
            DistributionForm::Erlang(config) => config.solve(),
            DistributionForm::Gamma(config) => config.solve(),
            DistributionForm::Weibull(config) => config.solve(),
            DistributionForm::Lognormal(config) => config.solve(config.span),
            DistributionForm::Hyperexponential(config) => config.solve(),
            DistributionForm::Uniform(config) => config.solve(config.span),
            DistributionForm::Pareto(config) => config.solve(),
            DistributionForm::Percentiles(table) => table.solve(table.span),
            DistributionForm::Mixture(parts) => super::mixture::solve(parts),
        }
    }
}

config! {
    /// What every long form of a distribution takes.
    #[derive(Copy, PartialEq)]
    pub struct Limits {
        /// Added to every draw.
        plus: Duration = "0s",
        /// Longer draws are cut to this; the other parameters are those of the law before the cut.
        at_most: Option<Duration> = "none",
    }
}

impl Limits {
    /// The law with these limits.
    pub(super) fn apply(&self, sampler: Sampler) -> Sampler {
        let sampler = sampler.plus(self.plus.value);
        match self.at_most.value {
            Some(longest) => sampler.at_most(longest),
            None => sampler,
        }
    }
}

/// The sampler, or why there is none.
pub type Solved = Result<Sampler, Mistake>;

/// Why the parameters make no distribution, and where.
#[derive(Debug)]
pub struct Mistake {
    code: &'static str,
    span: Span,
    message: String,
    help: String,
}

impl Mistake {
    /// Too few parameters, or too many.
    pub(crate) fn count(span: Span, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code: "E0301", span, message: message.into(), help: help.into() }
    }

    /// Parameters of which no law is possible; what follows a `;` is the way out.
    pub(crate) fn impossible(span: Span, message: String) -> Self {
        let (message, help) = match message.split_once("; ") {
            Some((message, help)) => (message.to_string(), help.to_string()),
            None => (message, String::new()),
        };
        Self { code: "E0302", span, message, help }
    }

    /// Adds it to the collector.
    pub fn report(self, out: &mut Diagnostics) {
        out.error(self.code, self.span, self.message).help(self.help);
    }
}

/// A mean that is not zero, in nanoseconds.
pub(super) fn positive_mean(mean: &Spanned<Duration>) -> Result<f64, Mistake> {
    if mean.0 > 0 {
        Ok(mean.0 as f64)
    } else {
        let message = "the mean must be above 0; without any time write the duration `0s` alone";
        Err(Mistake::impossible(mean.span, message.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{FileId, Sources, expect, node};

    fn decode(text: &str) -> Sampler {
        let mut out = Diagnostics::new();
        let node = node::parse(FileId(0), text, &mut out).expect("valid YAML");
        let value = Distribution::decode(&node, &mut out);
        let messages: Vec<&str> = out.iter().map(|d| d.message.as_str()).collect();
        value.unwrap_or_else(|| panic!("{text}: {messages:?}")).plan()
    }

    #[test]
    fn every_form_of_the_reference_is_read() {
        let cases = [
            ("20ms", 20.0, 0.0),
            ("{ exponential: 10ms }", 10.0, 1.0),
            ("{ exponential: { mean: 10ms, plus: 40ms } }", 50.0, 0.04),
            ("{ erlang: { k: 3, mean: 12ms } }", 12.0, 1.0 / 3.0),
            ("{ gamma: { mean: 12ms, scv: 0.3 } }", 12.0, 0.3),
            ("{ weibull: { mean: 12ms, shape: 1 } }", 12.0, 1.0),
            ("{ lognormal: { mean: 20ms, cv: 2 } }", 20.0, 4.0),
            ("{ lognormal: { mean: 20ms, scv: 1.5, plus: 20ms } }", 40.0, 0.375),
            ("{ hyperexponential: { mean: 10ms, scv: 5 } }", 10.0, 5.0),
            ("{ uniform: { from: 0s, to: 6ms } }", 3.0, 1.0 / 3.0),
            ("{ pareto: { min: 1ms, alpha: 3 } }", 1.5, 1.0 / 3.0),
            ("{ percentiles: { p0: 2ms, p50: 2ms, p100: 2ms, plus: 1ms } }", 3.0, 0.0),
            ("{ mixture: [ { share: 50%, of: 1ms }, { share: 50%, of: 3ms } ] }", 2.0, 0.25),
            ("{ mixture: [ { share: 100%, of: { exponential: 2ms } } ] }", 2.0, 1.0),
        ];
        for (text, mean_ms, scv) in cases {
            let sampler = decode(text);
            assert!((sampler.mean_ns() / 1e6 / mean_ms - 1.0).abs() < 1e-9, "{text}: mean");
            assert!((sampler.scv() - scv).abs() < 1e-9, "{text}: scv {}", sampler.scv());
        }
        let p99 = decode("{ lognormal: { mean: 20ms, p99: 93ms } }").quantile_ns(0.99);
        assert!((p99 / 93e6 - 1.0).abs() < 1e-6);
        let cut = decode("{ exponential: { mean: 7s, at_most: 70s } }");
        assert_eq!(cut.max_ns(), Some(70_000_000_000));
        assert_eq!(decode("{ exponential: 0s }").is_constant(), Some(0));
        assert_eq!(decode("5ms").is_constant(), Some(5_000_000));
    }

    #[test]
    fn what_is_wrong_is_said_at_its_place() {
        const FILE: &str =
            concat!(env!("CARGO_MANIFEST_DIR"), "/src/random/distribution/written.txt");
        let annotated = std::fs::read_to_string(FILE).expect("it is in the repository");
        let read = |sources: &Sources, file: FileId, out: &mut Diagnostics| {
            if let Some(node) = node::parse(file, sources.text(file), out) {
                Vec::<Distribution>::decode(&node, out);
            }
        };
        let Err(truth) = expect::check("written.txt", &annotated, read) else { return };
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(FILE, truth).expect("the expectations can be written");
        } else {
            panic!("the truth is:\n{truth}");
        }
    }
}
