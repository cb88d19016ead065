//! The plan: everything that a run needs to know, as ids, with defaults filled. It cannot be
//! invalid, never changes, and is shared by all replications.

use super::cost::CostPlan;
use super::faults::FaultPlan;
use super::users::load::UsersPlan;
use crate::components::ComponentPlan;
use crate::components::topology::Topology;
use crate::units::Duration;

/// The measured time.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// From 0 to here.
    pub duration: Duration,
    /// Length of a window of the series.
    pub window: Duration,
}

/// One scenario, ready to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Who exists and who calls whom.
    pub topology: Topology,
    /// The components but the users, in the order of their ids (the first has id 1).
    pub components: Vec<ComponentPlan>,
    /// The load.
    pub users: UsersPlan,
    /// What goes wrong.
    pub faults: Vec<FaultPlan>,
    /// What is measured.
    pub window: Window,
    /// What is paid; none where nothing has a price.
    pub cost: Option<CostPlan>,
}
