//! A service: instances x cores x workers, running a handler of steps for each operation.
//!
//! **Models**: worker slots with a bounded accept queue (FIFO, LIFO, priority, preemptive
//! priority), work on the instance's cores, calls to others, `parallel`, `repeat`, `chance`,
//! `choose`, `wait`, `fail`. A worker is held for the whole handling, its cores only during `work`;
//! with `async` a worker, too, is held only during `work`. Instances come and go by an autoscaler,
//! and drain before they go.
//! **Counts**: what every component counts.
//! **Leaves out**: memory, garbage collection, sessions, deployments (later issues).

mod aside;
mod config;
mod handle;
mod plan;
mod program;
mod scaling;
#[allow(clippy::module_inception)]
mod service;

pub use config::ServiceConfig;
pub use plan::{QueuePlan, ScalingPlan, ServicePlan, Step};
pub use service::Service;
