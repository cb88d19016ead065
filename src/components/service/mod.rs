//! A service: instances x cores x workers, running a handler of steps for each operation.
//!
//! **Models**: worker slots with a bounded accept queue (FIFO, LIFO, priority, preemptive
//! priority), work on the instance's cores, calls to others, `parallel`, `repeat`, `chance`,
//! `choose`, `wait`, `fail`. A worker is held for the whole handling, its cores only during `work`;
//! with `async` a worker, too, is held only during `work`. Sessions in memory, in a store, or with
//! the client. Instances come and go by an autoscaler, and drain before they go.
//! **Counts**: what every component counts; with sessions `lost_sessions`.
//! **Leaves out**: memory, garbage collection, deployments (later issues).

mod aside;
mod config;
mod handle;
mod plan;
mod program;
mod scaling;
#[allow(clippy::module_inception)]
mod service;
mod sessions;

pub use config::ServiceConfig;
pub use plan::{Keeper, QueuePlan, ScalingPlan, ServicePlan, SessionStore, SessionsPlan, Step};
pub use service::Service;
