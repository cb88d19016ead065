#![doc = include_str!("ARCHITECTURE.md")]

pub mod cli;

pub mod report;

pub mod experiment;

pub mod scenario;

pub mod world;

pub mod components;

pub mod policy;

pub mod random;

pub mod engine;
pub mod language;

pub mod metrics;

pub mod units;
