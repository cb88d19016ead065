//! What one replication has observed: counts, histograms and series, in integers where they count.
//!
//! Plain data: no estimates, no names but those of figures. `experiment` turns it into a summary.

use super::faults::Occurrence;
use super::users::ledger::UserLedger;
use crate::components::figures::Figures;
use crate::components::ledger::Ledger;
use crate::units::Duration;

/// What one replication has observed.
#[derive(Clone, Debug)]
pub struct Observations {
    /// User requests by operation.
    pub users: Vec<UserLedger>,
    /// Attempts by component and link.
    pub ledger: Ledger,
    /// What the kinds of components add, by component (the users add nothing).
    pub figures: Vec<Figures>,
    /// Disk time by machine, as a share of what it could do in the measured time.
    pub disk_utilization: Vec<f64>,
    /// The same of its network interface.
    pub nic_utilization: Vec<f64>,
    /// Each time a fault hit.
    pub faults: Vec<Occurrence>,
    /// Length of the measured time.
    pub duration: Duration,
    /// Events handled, for speed figures.
    pub events: u64,
    /// Whether it was broken off before its end.
    pub interrupted: bool,
}
