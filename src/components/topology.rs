//! What every component may know of the whole: who exists, on which machine, which calls lead
//! where, which data there is. Ids only; built once per plan and shared by all replications.

use std::sync::Arc;

use super::call::{Access, Call};
use super::directory::{Directory, StorePlan};
use super::outcome::Cause;
use crate::engine::arena::Id;
use crate::engine::processor::Sharing;
use crate::engine::stream::{DrawKey, salt};
use crate::policy::balance::{BalancePlan, HashBy, Strategy};
use crate::policy::health::{EjectionPlan, HealthPlan};
use crate::policy::network::{NetworkPlan, Place};
use crate::policy::resolver::ResolverPlan;
use crate::policy::retry::RetryPlan;
use crate::policy::ring;
use crate::random::{Owners, Popularity, Sampler};
use crate::units::Duration;

const USER_REGION: u64 = salt("where a user lives");
const SIZE: u64 = salt("item size");

/// Tag of component ids.
pub enum ComponentTag {}
/// A component; 0 is the users.
pub type ComponentId = Id<ComponentTag>;
/// A machine.
pub type MachineId = Id<MachinePlan>;
/// A link: one caller component and the set of instances it calls.
pub type LinkId = Id<LinkPlan>;
/// A data set.
pub type DataId = Id<DataPlan>;
/// An operation.
pub type OperationId = Id<OperationFacts>;

/// The pseudo-component that sends user requests.
pub fn users() -> ComponentId {
    ComponentId::new(0)
}

/// What the others may know of a component.
#[derive(Clone, Debug)]
pub struct ComponentFacts {
    /// Its name in the scenario.
    pub name: String,
    /// Its kind in the scenario.
    pub kind: &'static str,
    /// Where each instance stands; the users have one instance and no place.
    pub places: Vec<Place>,
    /// Cores of one instance that are its own or shared with others on the host.
    pub cores: f64,
    /// How many instances there are at the start, the first ones; others may come.
    pub at_start: u16,
    /// Time from a start until an instance serves.
    pub startup: Sampler,
    /// The region of this copy; none for what stands in several, or where there are none.
    pub region: Option<u16>,
    /// The round trip of users to it and back, where it is not that of the network.
    pub users_trip: Option<Sampler>,
    /// For a store of several nodes: which of them its callers call.
    pub store: Option<StorePlan>,
    /// For a cache: the hit ratio that its size and the popularity of the items let expect.
    pub hit_ratio_expected: f64,
}

impl ComponentFacts {
    /// Number of instances, at most.
    pub fn instances(&self) -> u16 {
        self.places.len() as u16
    }

    /// What callers know of its nodes at the start.
    pub(super) fn directory(&self, regions: usize) -> Option<Directory> {
        self.store.map(|store| Directory::new(store, regions))
    }
}

/// A machine.
#[derive(Clone, Debug)]
pub struct MachinePlan {
    /// Its name, where it is a host that the scenario names.
    pub host: Option<String>,
    /// Cores; infinite for no contention.
    pub cores: f64,
    /// Speed; 1 serves a nanosecond of demand in a nanosecond.
    pub speed: f64,
    /// Whether jobs can outnumber the cores.
    pub sharing: Sharing,
    /// Memory in bytes.
    pub memory_bytes: f64,
    /// Bytes per second through its network interface, if that is limited.
    pub nic: Option<f64>,
    /// Components that live here: a component's position is its tenant number.
    pub tenants: Vec<ComponentId>,
    /// Least time between two disk operations.
    pub disk_gap: Duration,
    /// Latency of a disk read.
    pub disk_read: Sampler,
}

/// A connection pool of one calling instance towards one link.
#[derive(Clone, Copy, Debug)]
pub struct PoolPlan {
    /// Connections.
    pub size: u32,
    /// How long a call waits for one; `None` for as long as it takes.
    pub wait: Option<Duration>,
    /// How many calls may wait.
    pub queue: u32,
}

/// What a caller does about time and failure on one link.
#[derive(Clone, Debug, Default)]
pub struct CallPolicy {
    /// The caller stops waiting.
    pub timeout: Option<Duration>,
    /// Whether it then takes the call back from the callee.
    pub cancel: bool,
    /// Repeats of a failed attempt.
    pub retries: Option<RetryPlan>,
    /// Connection pool.
    pub pool: Option<PoolPlan>,
}

/// Where calls of one component go, and how.
#[derive(Clone, Debug)]
pub struct LinkPlan {
    /// The calling component.
    pub caller: ComponentId,
    /// The instances that may be called, in the order of the balancer's backends.
    pub targets: Vec<(ComponentId, u16)>,
    /// Time and failure.
    pub policy: CallPolicy,
    /// Choice among the targets.
    pub balance: BalancePlan,
    /// Who has the first word in that choice.
    pub chooser: Chooser,
    /// Whether only the nearest of the targets are called.
    pub nearest: bool,
    /// Active health checks by each calling instance.
    pub health: Option<HealthPlan>,
    /// Passive ejection by each calling instance.
    pub ejection: Option<EjectionPlan>,
}

/// Who chooses among the targets of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Chooser {
    /// The caller's balancer.
    #[default]
    Balancer,
    /// The target, which tells its callers which node takes what; the balancer where it leaves it
    /// open.
    Store,
    /// The answers of name servers, by their number.
    Names(u16),
}

/// A region.
#[derive(Clone, Debug)]
pub struct RegionFacts {
    /// Its name in the scenario.
    pub name: String,
    /// Its first zone among those of all regions.
    pub first_zone: u16,
    /// How many zones it has.
    pub zones: u16,
    /// Up to which share of all users, counted through the regions, people live here.
    pub users_bound: f64,
}

impl LinkPlan {
    /// The backend in a region that a user turns to; the first of all where it has none.
    #[cold]
    pub fn backend_in(&self, topology: &Topology, region: u16, user: u32) -> u16 {
        let inside = |&(component, instance): &(ComponentId, u16)| {
            topology.place(component, instance).is_some_and(|place| place.region == region)
        };
        if self.balance.strategy == (Strategy::ConsistentHash { by: HashBy::User }) {
            let mut ring = ring::from_point(&self.balance.ring, ring::user_point(user));
            return ring.find(|&backend| inside(&self.targets[usize::from(backend)])).unwrap_or(0);
        }
        let here = self.targets.iter().enumerate().filter(|(_, target)| inside(target));
        let count = here.clone().count() as u64;
        if count == 0 {
            return 0;
        }
        let pick = DrawKey(USER_REGION).child(!u64::from(user)).draw().below(count);
        here.map(|(backend, _)| backend as u16).nth(pick as usize).unwrap_or(0)
    }

    /// The component called (the first, where a balancer has several).
    pub fn target(&self) -> ComponentId {
        self.targets[0].0
    }
}

/// A data set.
#[derive(Clone, Debug)]
pub struct DataPlan {
    /// Its name in the scenario.
    pub name: String,
    /// Number of items.
    pub items: u64,
    /// Size of an item in bytes, drawn once per item.
    pub size: Sampler,
    /// Which items are asked for.
    pub popularity: Arc<Popularity>,
    /// Which items are a user's own.
    pub owners: Owners,
    /// Salt of the draw of a request's item.
    pub salt: u64,
    /// Position of its first item when the items of all data sets are counted through.
    pub first: u64,
    /// Time between two changes of an item by itself; none where items do not change.
    pub changes: Option<Duration>,
}

impl DataPlan {
    /// The item that a user asks for by this draw.
    #[inline]
    pub fn item(&self, user: u32, draw: DrawKey) -> u64 {
        self.popularity.sample_for(u64::from(user), &mut draw.draw())
    }
}

/// An operation, as far as components care.
#[derive(Clone, Debug)]
pub struct OperationFacts {
    /// Its name in the scenario.
    pub name: String,
    /// 1 (most urgent) to 9.
    pub priority: u8,
    /// Mean size of its answers in bytes.
    pub response_bytes: f64,
}

/// The whole, as ids.
#[derive(Clone, Debug)]
pub struct Topology {
    /// Components; the first is the users.
    pub components: Vec<ComponentFacts>,
    /// Machines.
    pub machines: Vec<MachinePlan>,
    /// Links.
    pub links: Vec<LinkPlan>,
    /// Data sets.
    pub data: Vec<DataPlan>,
    /// Operations; the last is the health probe.
    pub operations: Vec<OperationFacts>,
    /// Network delays.
    pub network: NetworkPlan,
    /// Zones, where there are no regions.
    pub zones: u16,
    /// Regions; empty where the scenario has none.
    pub regions: Vec<RegionFacts>,
    /// Name servers.
    pub names: Vec<ResolverPlan>,
    /// Whether somebody asks if users see their own writes.
    pub own_writes: bool,
}

impl Topology {
    /// The pseudo-operation of health probes.
    pub fn probe(&self) -> OperationId {
        OperationId::new(self.operations.len() - 1)
    }

    /// Whether it matters on the way of a request which user it is of.
    pub fn knows_users(&self) -> bool {
        let known = |link: &LinkPlan| link.balance.knows_users();
        let far = self.regions() > 1 || !self.names.is_empty();
        far || !self.data.is_empty() || self.links.iter().any(known)
    }

    /// The components that users call on a link, each with the share of the users that do.
    pub fn called_by_users(&self, link: LinkId) -> Vec<(ComponentId, f64)> {
        let plan = &self.links[link.index()];
        if self.regions.len() < 2 {
            return vec![(plan.target(), 1.0)];
        }
        let mut shares: Vec<(ComponentId, f64)> = Vec::new();
        let mut before = 0.0;
        for (region, facts) in self.regions.iter().enumerate() {
            let share = facts.users_bound - before;
            before = facts.users_bound;
            let distance = |&(component, instance): &(ComponentId, u16)| {
                let to = self.place(component, instance).map_or(0, |place| place.region);
                self.network.distance_ns(self.regions.len(), region as u16, to)
            };
            let nearest = plan.targets.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
            let Some(&(component, _)) = nearest else { continue };
            match shares.iter_mut().find(|(known, _)| *known == component) {
                Some((_, sum)) => *sum += share,
                None => shares.push((component, share)),
            }
        }
        shares
    }

    /// Number of regions, at least one.
    pub fn regions(&self) -> usize {
        self.regions.len().max(1)
    }

    /// The region in which a user lives.
    #[inline]
    pub fn region_of(&self, user: u32) -> u16 {
        if self.regions.len() < 2 {
            return 0;
        }
        let share = DrawKey(USER_REGION).child(u64::from(user)).draw().unit();
        let found = self.regions.partition_point(|region| region.users_bound <= share);
        found.min(self.regions.len() - 1) as u16
    }

    /// Number of instances that make calls of their own: of the users one in each region.
    pub fn callers(&self, component: ComponentId) -> u16 {
        match component == users() {
            true => self.regions() as u16,
            false => self.components[component.index()].instances(),
        }
    }

    /// The region in which a calling instance stands.
    pub fn region_of_caller(&self, component: ComponentId, instance: u16) -> u16 {
        self.place(component, instance).map_or(instance, |place| place.region)
    }

    /// Mean bytes of the answer to a call: a user's is that of the operation, and a read's between
    /// components is that of the items.
    pub fn answer_bytes(&self, call: &Call) -> f64 {
        let of_users = self.links[call.link.index()].caller == users();
        match call.data {
            Some(data) if call.access == Access::Read && !of_users => {
                self.data[data.index()].size.mean_ns() * f64::from(call.count)
            }
            _ => self.operations[call.operation.index()].response_bytes,
        }
    }

    /// Number of items of all data sets together.
    pub fn items(&self) -> u64 {
        self.data.last().map_or(0, |last| last.first + last.items)
    }

    /// Size of an item among all, the same whenever it is asked for.
    pub fn item_bytes(&self, dense: u64) -> u64 {
        let set = self.data.partition_point(|plan| plan.first <= dense) - 1;
        let plan = &self.data[set];
        plan.size.is_constant().unwrap_or_else(|| {
            let key = DrawKey(plan.salt).child(SIZE).child(dense - plan.first);
            plan.size.sample(&mut key.draw())
        }) as u64
    }

    /// Where an instance stands; `None` for the users.
    #[inline]
    pub fn place(&self, component: ComponentId, instance: u16) -> Option<Place> {
        self.components[component.index()].places.get(instance as usize).copied()
    }
}

/// Bit of a cause in the masks of the retry policies.
pub const fn cause_bit(cause: Cause) -> u32 {
    1 << cause as u32
}
