//! A load balancer: hands each call on to one of its backends and the answer back.
//!
//! **Models**: the choice of a backend (a policy of its link), its own work per call on its own
//! machine, active health checks and passive ejection, each instance with its own view.
//! **Counts**: the share of each backend, and when it took a backend out (`detect_time`).
//! **Leaves out**: its own connection limits, slow start, draining, an active-passive pair (later).

mod balancer;
mod config;

pub use balancer::{LoadBalancer, LoadBalancerPlan};
pub use config::LoadBalancerConfig;
