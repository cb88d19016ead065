//! The engine: clock, event list, arenas, intrusive lists, timers, slots and processors.
//!
//! It knows nothing of webs, users or YAML: events are any `Copy` type, jobs are indices. It never
//! sees `language`, its sibling on this floor.

pub mod arena;
mod calendar;
pub mod list;
pub mod pages;
pub mod pipe;
pub mod processor;
pub mod run;
pub mod schedule;
pub mod slots;
pub mod stream;
pub mod timers;
