//! Every knob of data, databases, caches, services, users and runs has the effect that it names.
//!
//! Arrivals are even and times constant wherever they can be, so most effects are exact.

mod autoscale;
pub mod bench;
mod cache;
mod cache_nodes;
mod cache_writes;
mod cost;
mod data;
mod database;
mod engines;
mod run;
mod service;
mod staleness;
mod users;
mod waiting;
