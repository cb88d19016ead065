//! What the shipped stages claim: each has a reason, on its own axis, and a number it holds at.
//!
//! The files under `scenarios/` are run as they are, but for what a row here lays over them, and
//! shorter than a person would run them. Every verdict is one on intervals, and an undecided one
//! is not what was claimed.

mod claims;
mod files;
mod ladder;
mod loss;
mod trial;
