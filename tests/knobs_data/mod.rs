//! Every knob of data, databases, caches, services, users and runs has the effect that it names.
//!
//! Arrivals are even and times constant wherever they can be, so most effects are exact.

pub mod bench;
mod cache;
mod cost;
mod data;
mod database;
mod run;
mod service;
mod users;
mod waiting;
