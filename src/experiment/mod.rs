//! Replications, their statistics and verdicts: what an experiment is and what it came to.
//!
//! Knows nothing of formats, terminals or files.

mod bottleneck;
pub mod capacity;
pub mod compare;
mod components;
pub mod contest;
mod cost;
mod figures;
#[cfg(test)]
mod fixture;
mod forecast;
pub mod gate;
pub mod judge;
pub mod metric;
pub mod pilot;
mod precision;
pub mod prepare;
pub mod replicate;
pub mod run;
#[cfg(test)]
mod run_tests;
pub mod sample;
pub mod statistics;
mod summarize;
pub mod summary;
pub mod uncertain;
pub mod verdict;
pub mod verify;
pub mod warmup;

pub use judge::Question;
pub use prepare::{Experiment, prepare};
pub use replicate::{Progress, RunError};
pub use run::{Control, Extend, Outcome, Running, Settings, Warmup};
