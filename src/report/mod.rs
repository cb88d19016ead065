//! Reports: a summary in, bytes out, one file per format.
//!
//! Everything here is pure: no file is opened, no clock read, no terminal asked. What stands in a
//! report was decided below; a report only arranges and rounds.

pub mod json;
pub mod markdown;
pub mod text;

#[cfg(test)]
mod example;
