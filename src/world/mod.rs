//! The world: everything that lives during one replication.
//!
//! It joins the load, the components and the faults, runs the loop, and hands over what was
//! observed. It knows no YAML, no intervals, and nothing of other replications.

pub mod audit;
pub mod cost;
pub mod faults;
pub mod observations;
pub mod plan;
pub mod users;
#[allow(clippy::module_inception)]
mod world;

#[cfg(test)]
mod tests;

pub use observations::Observations;
pub use plan::{Plan, Window};
pub use world::{Conditions, simulate, simulate_recorded};
