//! A service: instances x cores x workers, running a handler of steps for each operation.
//!
//! **Models**: worker slots with a bounded accept queue (FIFO, LIFO, priority, preemptive
//! priority), work on the instance's cores, calls to others, `parallel`, `repeat`, `chance`,
//! `choose`, `wait`, `fail`. A worker is held for the whole handling, its cores only during `work`;
//! with `async` a worker, too, is held only during `work`.
//! **Counts**: what every component counts.
//! **Leaves out**: memory, garbage collection, sessions, deployments, autoscaling (later issues).

mod aside;
mod config;
mod handle;
mod plan;
mod program;
#[allow(clippy::module_inception)]
mod service;

pub use config::ServiceConfig;
pub use plan::{QueuePlan, ServicePlan, Step};
pub use service::Service;
