//! The people who send requests: how many, when, and how that changes over time.

pub mod arrivals;
pub mod config;
pub mod ledger;
pub mod load;
pub mod profile;
pub mod rhythm;
pub mod visits;
