//! What a plan can tell of its component without running it: slots, mean demands, whom it calls
//! how often. Lints, warm starts, the estimate before a run and the forecast beside the measurement
//! rest on it.

use super::call::Access;
use super::figures::Declared;
use super::topology::{ComponentId, DataId, OperationId, Topology};

/// One sort of call at one component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Visit {
    /// The component called.
    pub component: ComponentId,
    /// The operation.
    pub operation: OperationId,
    /// What is wanted.
    pub access: Access,
    /// The data set, where there is one.
    pub data: Option<DataId>,
    /// Statements of a write.
    pub statements: u16,
}

/// What can be said of a component before it runs.
pub trait Facts {
    /// How many calls one instance can hold at once, if there is a limit.
    fn slots(&self) -> Option<u32>;
    /// How many of them can run on cores at once.
    fn jobs_max(&self) -> f64;
    /// Whether the operation has a program here.
    fn handles(&self, operation: OperationId) -> bool;
    /// Mean core time of such a call here, in nanoseconds at speed 1.
    fn demand_ns(&self, visit: Visit, topology: &Topology) -> f64;
    /// Mean time of such a call here without cores and without calls, in nanoseconds.
    fn delay_ns(&self, visit: Visit, topology: &Topology) -> f64;
    /// Whether calls wait for a slot here.
    fn has_slots(&self) -> bool {
        false
    }
    /// The sorts of its instances that do different work, if there are several: `primary`.
    fn parts(&self) -> &'static [&'static str] {
        &[]
    }
    /// Mean core time of such a call on one of its instances, in nanoseconds at speed 1: what a
    /// call costs one of many alike is its share.
    fn node_demand_ns(&self, visit: Visit, _node: u16, topology: &Topology) -> f64 {
        let instances = topology.components[visit.component.index()].instances().max(1);
        self.demand_ns(visit, topology) / f64::from(instances)
    }
    /// Whether its instances come and go.
    fn scales(&self) -> bool {
        false
    }
    /// Whether it matters here which user a request is of, besides the choice of the data.
    fn knows_users(&self) -> bool {
        false
    }
    /// What the kind measures besides what every component has.
    fn figures(&self) -> Vec<Declared> {
        Vec::new()
    }
    /// How many calls one instance can hold, those that wait included, if there is a limit beyond
    /// which it rejects at once.
    fn room(&self) -> Option<u64> {
        None
    }
    /// Whether its own steps name a data set.
    fn names_data(&self, _data: DataId) -> bool {
        false
    }
    /// The calls that such a call makes, each with its mean number.
    fn calls(&self, visit: Visit, topology: &Topology, each: &mut dyn FnMut(Visit, f64));
}
