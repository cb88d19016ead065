//! `Cx`: all that a room can reach while it reacts, and nothing of any other room.
//!
//! It holds the event list, the frames of the calls in flight, the machines, the state of the
//! links, and the ledger. What a caller does with it stands in `caller`, what a callee does in
//! `callee`. It does not know the kinds of components.

use super::call::{Call, CallKey, flag};
use super::directory::Directory;
use super::event::{Event, Packed};
use super::ledger::{Ledger, Measure};
use super::record::Record;
use super::topology::{
    Chooser, ComponentFacts, ComponentId, LinkId, LinkPlan, MachineId, Topology,
};
use super::versions::Versions;
use crate::engine::arena::Arena;
use crate::engine::pipe::Pipe;
use crate::engine::processor::{Device, Next, Processor};
use crate::engine::schedule::{Lane, Schedule};
use crate::engine::slots::{Order, Slots};
use crate::engine::stream::{DrawKey, salt};
use crate::engine::timers::{TimerList, Timers};
use crate::policy::balance::Balancer;
use crate::policy::health::Seen;
use crate::policy::network::Place;
use crate::policy::resolver::Resolvers;
use crate::random::Sampler;
use crate::units::{Duration, Instant};

const NETWORK: u64 = salt("network");
const FAR: u64 = salt("between regions");
const RESOLVERS: u64 = salt("resolvers");

/// Whether an instance serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It serves.
    Up,
    /// Its process is gone or not ready: the machine refuses.
    Refusing,
    /// There is no such instance, or not yet.
    Absent,
    /// Its machine is gone: silence.
    Silent,
}

/// What a run knows of one instance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instance {
    pub status: Status,
    pub machine: MachineId,
    pub tenant: u16,
    /// Rises at every crash, so that a pending start-up is stale.
    pub life: u32,
    /// When it went down last.
    pub down_since: Instant,
}

impl Instance {
    /// The instances of a component at the start, those included that are not there yet.
    fn of(topology: &Topology, id: ComponentId, start: Instant) -> impl Iterator<Item = Self> {
        let facts = &topology.components[id.index()];
        facts.places.iter().enumerate().map(move |(number, place)| {
            let machine = MachineId::new(place.machine as usize);
            let tenants = &topology.machines[machine.index()].tenants;
            let tenant = tenants.iter().position(|&tenant| tenant == id);
            let there = number < usize::from(facts.at_start);
            Self {
                status: if there { Status::Up } else { Status::Absent },
                machine,
                tenant: tenant.expect("a component lives on its machine") as u16,
                life: 0,
                down_since: start,
            }
        })
    }
}

/// Cores and disk of one machine.
pub(super) struct Machine {
    pub cores: Processor<Job>,
    pub disk: Device,
    pub nic: Option<Pipe>,
}

/// A running piece of work.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    pub call: CallKey,
    pub token: u32,
    pub tenant: u16,
}

/// The way to one backend: whom, and over which of the hops.
#[derive(Clone, Copy)]
pub(super) struct Route {
    pub component: ComponentId,
    pub instance: u16,
    pub hop: u8,
    /// Whether there and back take no time.
    pub at_once: bool,
    /// Whether answers wait at the machine's network interface.
    pub nic: bool,
    /// Number of the instance among all.
    pub place: u32,
    /// First row of the component in the ledger.
    pub row: u32,
}

/// State of one link at one calling instance.
pub(super) struct LinkState {
    pub routes: Vec<Route>,
    /// The list of the link's timeouts, if it has one.
    pub timeout: Option<TimerList>,
    pub pool: Option<Slots>,
    pub balancer: Option<Balancer>,
    pub seen: Vec<Seen>,
    /// By backend whether it is farther than the nearest, where only these are called; else empty.
    pub far: Vec<bool>,
    /// Whether somebody asks which calls the balancer has open.
    pub counts: bool,
    /// What a call is marked with that is to be given back: [`flag::HELD`] or nothing.
    pub holds: u16,
    /// Connections thrown away after a timeout: the next calls open new ones.
    pub discarded: u32,
}

/// The hop between a user and the entry in the same region; then come host, zone, and between
/// zones, and after these all pairs of regions: between components, and between user and entry.
const USERS_HOP: u8 = 0;
const FAR_HOPS: usize = 4;

/// A law of round trips with its two halves, as lanes where it is constant.
pub(super) struct Hop {
    law: Sampler,
    /// What the way between two regions adds to a user's.
    far: Option<Sampler>,
    pub salt: u64,
    pub constant: Option<(i64, i64)>,
    pub there: Option<Lane>,
    pub back: Option<Lane>,
}

/// What a room can reach.
pub struct Cx<'p> {
    /// The whole, as ids.
    pub topology: &'p Topology,
    /// The event list and clock.
    pub schedule: Schedule<Packed>,
    /// Frames of calls in flight.
    pub calls: Arena<Call>,
    pub(super) directories: Vec<Option<Directory>>,
    pub(super) resolvers: Vec<Resolvers>,
    /// Which versions of items exist.
    pub versions: Versions,
    /// The ledger of attempts.
    pub ledger: Ledger,
    /// Key of this replication's draws.
    pub root: DrawKey,
    /// Notes about each request, off unless asked for.
    pub record: Record,
    pub(super) timers: Timers,
    pub(super) instances: Vec<Instance>,
    first_instance: Vec<u32>,
    pub(super) machines: Vec<Machine>,
    pub(super) states: Vec<LinkState>,
    pub(super) first_state: Vec<u32>,
    pub(super) pool_waits: Vec<Option<TimerList>>,
    pub(super) hops: Vec<Hop>,
    pub(super) stack: Vec<CallKey>,
    /// Faults seen by health checks: (component, instance, when it was taken out, down since).
    pub detections: Vec<Detection>,
    /// Acknowledged writes that are gone.
    pub losses: Vec<Loss>,
}

/// Acknowledged writes that are gone for good.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    /// The store.
    pub component: ComponentId,
    /// The instance that died with them.
    pub instance: u16,
    /// How many.
    pub writes: u64,
}

/// A balancer takes an instance out of service.
#[derive(Clone, Copy, Debug)]
pub struct Detection {
    /// The component.
    pub component: ComponentId,
    /// Its instance.
    pub instance: u16,
    /// When it was taken out.
    pub at: Instant,
    /// How long it had been down, in nanoseconds; `None` when it was not.
    pub after: Option<i64>,
}

impl<'p> Cx<'p> {
    /// A fresh state at the start of the warm-up.
    pub fn new(topology: &'p Topology, measure: Measure, root: DrawKey, start: Instant) -> Self {
        let mut schedule = Schedule::new(start);
        let mut timers = Timers::default();
        let mut instances = Vec::new();
        let mut first_instance = Vec::new();
        for index in 0..topology.components.len() {
            first_instance.push(instances.len() as u32);
            instances.extend(Instance::of(topology, ComponentId::new(index), start));
        }
        let machines = topology.machines.iter().map(|plan| Machine {
            cores: Processor::new(plan.cores, plan.speed, plan.sharing, plan.tenants.len(), start),
            disk: Device::new(plan.disk_gap),
            nic: plan.nic.map(Pipe::new),
        });
        let network = &topology.network;
        let near =
            [&network.users, &network.within_host, &network.within_zone, &network.between_zones];
        let mut hops: Vec<Hop> = Vec::new();
        for law in near.into_iter().chain(&network.between_regions) {
            hops.push(Hop::new(law, None, hops.len(), &mut schedule));
        }
        for far in &network.between_regions {
            hops.push(Hop::new(&network.users, Some(far), 0, &mut schedule));
        }
        let trips = topology.components.iter().filter_map(|facts| facts.users_trip.as_ref());
        for trip in trips {
            hops.push(Hop::new(trip, None, 0, &mut schedule));
        }
        let ledger = Ledger::new(topology, measure);
        let mut states = Vec::new();
        let mut first_state = Vec::new();
        for link in &topology.links {
            first_state.push(states.len() as u32);
            let timeout = link.policy.timeout.map(|delay| timers.list(delay));
            for instance in 0..topology.callers(link.caller) {
                let routes = routes(link, instance, topology, &first_instance, &hops, &ledger);
                states.push(LinkState::new(link, routes, timeout, topology));
                if link.nearest {
                    let region = topology.region_of_caller(link.caller, instance);
                    states.last_mut().expect("just pushed").only_nearest(link, topology, region);
                }
            }
        }
        let waits = topology.links.iter().map(|link| link.policy.pool.and_then(|pool| pool.wait));
        let pool_waits = waits.map(|wait| wait.map(|delay| timers.list(delay))).collect();
        let mut cx = Self {
            topology,
            schedule,
            calls: Arena::with_capacity(1024),
            resolvers: resolvers(topology, root, start),
            directories: directories(topology),
            versions: Versions::of(&topology.data, topology.own_writes, root, start),
            ledger,
            root,
            record: Record::default(),
            timers,
            instances,
            first_instance,
            machines: machines.collect(),
            states,
            first_state,
            pool_waits,
            hops,
            stack: Vec::new(),
            detections: Vec::new(),
            losses: Vec::new(),
        };
        cx.strike_absent();
        cx
    }

    /// The clock.
    #[inline(always)]
    pub fn now(&self) -> Instant {
        self.schedule.now()
    }

    #[inline(always)]
    pub(super) fn instance_index(&self, component: ComponentId, instance: u16) -> usize {
        self.first_instance[component.index()] as usize + instance as usize
    }

    #[inline(always)]
    pub(super) fn state_index(&self, link: LinkId, caller_instance: u16) -> usize {
        self.first_state[link.index()] as usize + caller_instance as usize
    }

    /// The balancer of a link at one calling instance, if the link has a choice.
    pub fn balancer(&mut self, link: LinkId, caller_instance: u16) -> Option<&mut Balancer> {
        let index = self.state_index(link, caller_instance);
        self.states[index].balancer.as_mut()
    }

    /// Whether an instance serves.
    pub fn status(&self, component: ComponentId, instance: u16) -> Status {
        self.instances[self.instance_index(component, instance)].status
    }

    /// The round trip between two instances of a component.
    pub fn trip_between(&self, component: ComponentId, from: u16, to: u16, draw: DrawKey) -> i64 {
        let places = &self.topology.components[component.index()].places;
        let hop = hop(self.topology, places[from as usize], places[to as usize]);
        self.hops[hop as usize].trip(draw)
    }

    /// A name server has made up its mind about a region.
    pub fn names_believe(&mut self, number: u16, region: u16, works: bool) {
        self.resolvers[number as usize].believe(region, works);
    }

    /// How long a user's resolver has to ask before the user knows whom to call on a link.
    pub fn lookup(&mut self, link: LinkId, user: u32, home: u16, draw: DrawKey) -> Duration {
        let Chooser::Names(number) = self.topology.links[link.index()].chooser else {
            return Duration(0);
        };
        let plan = &self.topology.names[number as usize];
        let now = self.now();
        let (_, asks) = self.resolvers[number as usize].resolve(plan, (user, home), now);
        Duration(if asks { plan.lookup.sample(&mut draw.draw()) } else { 0 })
    }

    /// Schedules an event of a component's own after a delay.
    pub fn later(&mut self, delay: Duration, component: ComponentId, instance: u16, word: u32) {
        self.schedule.after(delay, Event::Component(component, instance, word));
    }

    #[inline(always)]
    pub(super) fn obey(&mut self, machine: MachineId, next: Next, job: Job) {
        match next {
            Next::Unchanged => {}
            Next::JobAt(at) => self.schedule.at(at, Event::WorkDone(job.call, job.token)),
            Next::TickAt(at, token) => self.schedule.at(at, Event::Tick(machine, token)),
        }
    }

    /// Core time, in nanoseconds, that a component has used until `now` on all its machines; no
    /// job may have started or ended since.
    pub fn busy_ns_at(&mut self, component: ComponentId, now: Instant) -> f64 {
        let first = self.first_instance[component.index()] as usize;
        let count = self.topology.components[component.index()].places.len();
        let mut sum = 0.0;
        for index in first..first + count {
            let Instance { machine, tenant, .. } = self.instances[index];
            sum += self.machines[machine.index()].cores.busy(tenant as usize, now);
        }
        sum
    }

    /// The same of one instance.
    pub fn instance_busy_ns_at(
        &mut self,
        component: ComponentId,
        instance: u16,
        now: Instant,
    ) -> f64 {
        let index = self.instance_index(component, instance);
        let Instance { machine, tenant, .. } = self.instances[index];
        self.machines[machine.index()].cores.busy(tenant as usize, now)
    }

    /// Nanoseconds for which a machine's disk and its network interface were busy until an instant
    /// after which they were handed nothing.
    pub fn devices_busy_ns(&self, machine: MachineId, until: Instant) -> [i64; 2] {
        let Machine { disk, nic, .. } = &self.machines[machine.index()];
        [disk.busy(until), nic.as_ref().map_or(0, |pipe| pipe.busy(until))]
    }

    /// The observation ends: closes the gauges and books the times of the calls still present.
    pub fn close_ledger(&mut self) {
        let measure = self.ledger.measure;
        for key in self.calls.keys() {
            let call = &self.calls[key];
            if call.phase == super::call::Phase::Present && !call.is(flag::BRANCH) {
                let time = measure.end.0 - measure.clip(call.arrived);
                self.ledger.components[call.component.index()].time_present += i128::from(time);
            }
        }
        self.ledger.close();
    }

    /// Counts, frame by frame, the calls present at each component (end 0 or 1 of the measured
    /// time), for the audit.
    pub fn count_present(&mut self, end: usize) {
        for key in self.calls.keys() {
            let call = &self.calls[key];
            if call.phase == super::call::Phase::Present && !call.is(flag::BRANCH) {
                self.ledger.components[call.component.index()].present_at[end] += 1;
            }
        }
    }
}

/// The ways from one instance of a link's caller to each of its backends.
fn routes(
    link: &LinkPlan,
    instance: u16,
    topology: &Topology,
    first_instance: &[u32],
    hops: &[Hop],
    ledger: &Ledger,
) -> Vec<Route> {
    let place = topology.place(link.caller, instance);
    let home = place.map_or(instance, |place| place.region);
    // From the edge it is as far as from its users.
    let edge = topology.components[link.caller.index()].users_trip.is_some();
    let from = place.filter(|_| !edge);
    let route = |&(component, instance): &(ComponentId, u16)| {
        let to = topology.components[component.index()].places[instance as usize];
        let regions = topology.regions();
        let hop = match from {
            Some(from) => hop(topology, from, to),
            None if to.region == home && !edge => users_hop(topology, component),
            None if to.region == home => USERS_HOP,
            None => {
                let pair = home as usize * regions + to.region as usize;
                (FAR_HOPS + regions * regions + pair) as u8
            }
        };
        let nic = topology.machines[to.machine as usize].nic.is_some();
        let at_once = hops[hop as usize].constant == Some((0, 0)) && !nic;
        let place = first_instance[component.index()] + u32::from(instance);
        Route { component, instance, hop, at_once, nic, place, row: ledger.first_row(component) }
    };
    link.targets.iter().map(route).collect()
}

/// What callers know of the nodes of each store at the start.
fn directories(topology: &Topology) -> Vec<Option<Directory>> {
    let regions = topology.regions();
    topology.components.iter().map(|facts| facts.directory(regions)).collect()
}

/// The resolvers of each name server.
fn resolvers(topology: &Topology, root: DrawKey, start: Instant) -> Vec<Resolvers> {
    let plans = topology.names.iter().enumerate();
    let key = |number: usize| root.child(RESOLVERS).child(number as u64);
    plans
        .map(|(number, plan)| Resolvers::new(plan, topology.regions(), key(number), start))
        .collect()
}

/// The hop between users and a component in their region: the network's, or the component's own,
/// which stand behind all others in the order of the components.
fn users_hop(topology: &Topology, component: ComponentId) -> u8 {
    let own = |facts: &&ComponentFacts| facts.users_trip.is_some();
    let facts = &topology.components;
    if !own(&&facts[component.index()]) {
        return USERS_HOP;
    }
    let before = facts[..component.index()].iter().filter(own).count();
    (FAR_HOPS + 2 * topology.network.between_regions.len() + before) as u8
}

/// The hop between two places.
fn hop(topology: &Topology, from: Place, to: Place) -> u8 {
    if from.region != to.region {
        return (FAR_HOPS + from.region as usize * topology.regions() + to.region as usize) as u8;
    }
    match (from.machine == to.machine, from.zone == to.zone) {
        (true, _) => 1,
        (false, true) => 2,
        (false, false) => 3,
    }
}

impl LinkState {
    fn new(
        link: &LinkPlan,
        routes: Vec<Route>,
        timeout: Option<TimerList>,
        topology: &Topology,
    ) -> Self {
        let pool = link.policy.pool;
        let choice = link.targets.len() > 1 || link.health.is_some() || link.ejection.is_some();
        let watched = if link.ejection.is_some() { routes.len() } else { 0 };
        // An instance that leaves waits until nobody is connected to it.
        let leaves = |&(component, _): &(ComponentId, u16)| {
            let facts = &topology.components[component.index()];
            facts.at_start < facts.instances()
        };
        let counts = choice
            && (link.balance.strategy.counts()
                || link.ejection.is_some()
                || link.targets.iter().any(leaves));
        Self {
            routes,
            timeout,
            pool: pool.map(|pool| Slots::new(pool.size, pool.queue, Order::Fifo)),
            balancer: choice.then(|| Balancer::new(&link.balance)),
            seen: vec![Seen::default(); watched],
            far: Vec::new(),
            counts,
            holds: if counts || pool.is_some() { flag::HELD } else { 0 },
            discarded: 0,
        }
    }

    /// Leaves only the backends in the region nearest to the caller's.
    fn only_nearest(&mut self, link: &LinkPlan, topology: &Topology, region: u16) {
        let Some(balancer) = &mut self.balancer else { return };
        let regions = topology.regions();
        let distance = |&(component, instance): &(ComponentId, u16)| {
            let to = topology.place(component, instance).map_or(0, |place| place.region);
            topology.network.distance_ns(regions, region, to)
        };
        let least = link.targets.iter().map(distance).fold(f64::INFINITY, f64::min);
        self.far = link.targets.iter().map(|target| distance(target) > least).collect();
        for (backend, &far) in self.far.iter().enumerate() {
            balancer.set_up(backend as u16, !far);
        }
    }
}

impl Hop {
    fn new(
        law: &Sampler,
        far: Option<&Sampler>,
        number: usize,
        schedule: &mut Schedule<Packed>,
    ) -> Self {
        let more = far.map_or(Some(0), Sampler::is_constant);
        let whole = law.is_constant().zip(more).map(|(near, far)| near + far);
        let constant = whole.map(|whole| (whole / 2, whole - whole / 2));
        let mut lane = |half: i64| schedule.lane(Duration(half));
        Self {
            law: law.clone(),
            far: far.cloned(),
            salt: NETWORK.wrapping_add(number as u64),
            constant,
            there: constant.and_then(|(there, _)| lane(there)),
            back: constant.and_then(|(_, back)| lane(back)),
        }
    }

    /// A round trip.
    #[inline]
    pub fn trip(&self, draw: DrawKey) -> i64 {
        let far = self.far.as_ref().map_or(0, |far| far.sample(&mut draw.child(FAR).draw()));
        self.law.sample(&mut draw.draw()) + far
    }
}
