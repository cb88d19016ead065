//! Randomness in the user's words: distributions of times and counts, popularity of items.
//!
//! Everything here turns draws into values. It does not know who draws, for which request, or
//! what a value is used for.

pub mod alias;
pub mod count;
pub mod distribution;
pub mod owners;
pub mod popularity;

pub use count::{CountDistribution, CountSampler};
pub use distribution::{Distribution, Sampler, ShapeDistribution};
pub use owners::Owners;
pub use popularity::{Popularity, PopularityConfig};
