//! What one replication has observed: counts, histograms and series, in integers where they count.
//!
//! Plain data: no estimates, no names but those of ratios. `experiment` turns it into a summary.

use super::faults::Occurrence;
use super::users::ledger::UserLedger;
use crate::components::ledger::Ledger;
use crate::units::Duration;

/// A ratio that a kind of component adds.
#[derive(Clone, Debug)]
pub struct Ratio {
    /// Its name in summaries and expressions.
    pub name: &'static str,
    /// The part, by window.
    pub parts: Vec<u64>,
    /// Of what, by window.
    pub of: Vec<u64>,
}

/// What one replication has observed.
#[derive(Clone, Debug)]
pub struct Observations {
    /// User requests by operation.
    pub users: Vec<UserLedger>,
    /// Attempts by component and link.
    pub ledger: Ledger,
    /// Ratios by component (the users have none).
    pub ratios: Vec<Vec<Ratio>>,
    /// Disk time by machine, as a share of what it could do in the measured time.
    pub disk_utilization: Vec<f64>,
    /// Each time a fault hit.
    pub faults: Vec<Occurrence>,
    /// Length of the measured time.
    pub duration: Duration,
    /// Events handled, for speed figures.
    pub events: u64,
    /// Whether it was broken off before its end.
    pub interrupted: bool,
}
