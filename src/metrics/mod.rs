//! What is counted while a replication runs: histograms, windowed series, gauges and tallies.
//!
//! These types record and merge, nothing else. They know nothing of requests, components, units
//! of presentation or confidence intervals; times are plain nanoseconds on the scenario clock.

mod gauge;
mod histogram;
mod series;
mod tally;

pub use gauge::{Gauge, GaugeWindow};
pub use histogram::Histogram;
pub use series::{CountSeries, MeanSeries, Series, SumSeries, Windows};
pub use tally::Tally;
