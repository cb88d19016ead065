//! Distributions of durations: one file per family, and the sampler that the hot path holds.
//!
//! A family file has the sampler, its moments and tail, the solving of its parameters from what
//! people know (a mean and a p99), and the tests of all of it. Families work in nanoseconds as
//! `f64`; only [`Sampler`] rounds, once. Nothing here knows what the durations are used for.

pub mod exponential;
pub mod family;
pub mod gamma;
pub mod hyperexponential;
pub mod lognormal;
pub mod mixture;
pub mod pareto;
pub mod percentiles;
pub mod sampler;
pub mod shape_only;
pub mod uniform;
pub mod weibull;
pub mod written;

pub use family::Family;
pub use sampler::{Law, Sampler};
pub use shape_only::ShapeDistribution;
pub use written::Distribution;
