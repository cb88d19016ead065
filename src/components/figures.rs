//! What a kind of component measures besides what every component has: ratios, counts, samples,
//! levels.
//!
//! A kind declares its figures with its facts and hands them over at the end of a replication;
//! expressions, summaries and reports find them by name and know no kind.

use crate::metrics::{Gauge, Histogram};

/// How a figure is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A part of a whole, by window.
    Ratio,
    /// A number of things, by window.
    Count,
    /// A sample of durations in nanoseconds, of the whole measured time.
    Sample,
    /// A number that stands for a while.
    Level,
}

/// A figure that a component will have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Its name in summaries and expressions, one of the words of the metrics.
    pub name: &'static str,
    /// How it is kept.
    pub sort: Sort,
    /// Whether more of it is better; of most figures less is.
    pub better: bool,
}

impl Declared {
    /// A ratio.
    pub const fn ratio(name: &'static str) -> Self {
        Self { name, sort: Sort::Ratio, better: false }
    }

    /// The same, of which more is better.
    pub const fn more_is_better(self) -> Self {
        Self { better: true, ..self }
    }

    /// A count.
    pub const fn count(name: &'static str) -> Self {
        Self { name, sort: Sort::Count, better: false }
    }

    /// A sample.
    pub const fn sample(name: &'static str) -> Self {
        Self { name, sort: Sort::Sample, better: false }
    }

    /// A level.
    pub const fn level(name: &'static str) -> Self {
        Self { name, sort: Sort::Level, better: false }
    }
}

/// A ratio as it was observed.
#[derive(Clone, Debug)]
pub struct Ratio {
    /// Its name.
    pub name: &'static str,
    /// The part, by window.
    pub parts: Vec<u64>,
    /// Of what, by window.
    pub of: Vec<u64>,
}

/// The figures of a kind in one replication, in the order in which they were declared.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Ratios.
    pub ratios: Vec<Ratio>,
    /// Counts by window.
    pub counts: Vec<(&'static str, Vec<u64>)>,
    /// Samples.
    pub samples: Vec<(&'static str, Histogram)>,
    /// Levels, closed.
    pub levels: Vec<(&'static str, Gauge)>,
    /// Slots held, by part, where the instances do different work; closed.
    pub held: Vec<Gauge>,
}

impl Figures {
    /// The ratio of a name.
    pub fn ratio(&self, name: &str) -> Option<&Ratio> {
        self.ratios.iter().find(|ratio| ratio.name == name)
    }

    /// The counts of a name, by window.
    pub fn count(&self, name: &str) -> Option<&[u64]> {
        self.counts.iter().find(|(own, _)| *own == name).map(|(_, counts)| &counts[..])
    }

    /// The level of a name.
    pub fn level(&self, name: &str) -> Option<&Gauge> {
        self.levels.iter().find(|(own, _)| *own == name).map(|(_, level)| level)
    }

    /// The sample of a name.
    pub fn sample(&self, name: &str) -> Option<&Histogram> {
        self.samples.iter().find(|(own, _)| *own == name).map(|(_, sample)| sample)
    }
}
