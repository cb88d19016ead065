//! The one test binary.

mod allocations;
mod capacity;
mod cli;
mod compare;
mod coverage;
mod diagnostics;
mod golden;
mod knobs_balance;
mod knobs_data;
mod knobs_edge;
mod knobs_regions;
mod knobs_sessions;
mod properties;
mod scenario_files;
mod schema;
mod stages;
mod theory;
mod tidy;
