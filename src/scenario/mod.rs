//! Scenarios: the document, its layers, and compiling it to a plan.
//!
//! It turns text into a [`Plan`](crate::world::Plan) and knows nothing of running it.

mod changes;
pub mod codes;
pub mod compile;
pub mod document;
pub mod file;
pub mod flow;
mod idle;
pub mod layers;
mod lint;
mod load;
mod mend;
mod prices;
mod regions;
pub mod settings;
pub mod sweep;
mod trouble;
mod uncertain;
mod visits;

pub use compile::{Scenario, compile};
pub use document::Document;
pub use settings::Settings;
