//! Expressions as SLOs, expectations and alerts use them: `db.wait.p99 < 300ms during outage`.
//!
//! The grammar is
//! `[ADDRESS.]METRIC[.STATISTIC] OP VALUE [within TOL] [during|outside|after WINDOW]`, where the
//! left side may also be `A / B`, `A - B` or `1 - A`. This module knows words, units and places in
//! the text; it does not know which names a scenario has, nor what anything measured.

mod ast;
mod measure;
mod parse;
mod scan;
mod scope;
#[cfg(test)]
mod tests;
mod vocabulary;

pub use ast::{
    Argument, Comparison, Expression, Left, Measure, Relation, Target, Tolerance, Window,
    WindowTime,
};
pub use measure::nearest_word;
pub use scope::Scope;
pub use vocabulary::{
    ALIASES, CAUSES, Dimension, FaultOutcome, METRICS, Metric, MetricWord, Parameter, Statistic,
    Statistics, is_reserved,
};
