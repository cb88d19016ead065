//! A database on one node: connections, statements on its cores, reads from memory or disk,
//! commits by group.
//!
//! **Models**: a limit of connections (refusing or queueing beyond it); core time per statement;
//! reads that hit memory when the item is among the most popular that fit, else one disk read;
//! writes that flush the log, one flush at a time, each taking everyone who waits at its start.
//! **Counts**: what every component counts.
//! **Leaves out**: replicas, failover, locks, transactions over several calls, sharding (later).

mod config;
mod node;

pub use config::DatabaseConfig;
pub use node::{Database, DatabasePlan};
