//! Compiling a document to a plan: names become ids, defaults become values.
//!
//! Every mistake is collected; a plan exists only if there was none.

use std::sync::Arc;

use super::changes;
use super::document::Document;
use super::flow::{self, Flow, Problem};
use super::idle;
use super::lint::{Places, lint, unseen};
use super::prices::Prices;
use super::regions::{self, Copy};
use super::settings;
use super::trouble::Trouble;
use crate::components::config::{Common, MachineConfig};
use crate::components::names::{Aside, Meaning, Planner};
use crate::components::topology::{
    ComponentFacts, ComponentId, DataId, DataPlan, MachinePlan, OperationFacts, OperationId,
    Topology,
};
use crate::components::{ComponentPlan, NodeConfig, RoomConfig};
use crate::engine::processor::Sharing;
use crate::engine::stream::salt;
use crate::language::expression::Metric;
use crate::language::expression::{Expression, is_reserved};
use crate::language::{Diagnostics, Spanned};
use crate::policy::autoscale::divided;
use crate::policy::network::Place;
use crate::random::{Owners, Popularity, Sampler};
use crate::units::{Bytes, Count, Duration};
use crate::world::faults::FaultPlan;
use crate::world::users::config::OperationConfig;
use crate::world::{Plan, Window};

/// Size of an answer whose operation says nothing of it.
const RESPONSE_BYTES: f64 = 6e3;
/// Memory of a machine that says nothing of it.
const MEMORY: Bytes = Bytes(16_000_000_000);

/// A scenario that can be run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its title, if it has one.
    pub name: Option<String>,
    /// The plan.
    pub plan: Plan,
    /// How it is run.
    pub settings: settings::Settings,
    /// What the owner wants.
    pub slo: Vec<Expression>,
    /// What the author asserts.
    pub expect: Vec<Expression>,
    /// The expected flow of calls.
    pub flow: Flow,
}

/// Compiles a document; `None` only after an error was added to `out`.
pub fn compile(document: &Document, out: &mut Diagnostics) -> Option<Scenario> {
    let before = out.has_errors();
    let shrink = document.run.shrink.value.0;
    if shrink < 1.0 {
        out.error("E0504", document.run.shrink.span, "a scenario can only be shrunk")
            .help("`shrink: 10x` divides users and instances by 10");
        return None;
    }
    let prices = Prices::new(document, out);
    let copies = regions::copies(document, out);
    let topology = empty_topology(document, out);
    let mut compiler = Compiler {
        document,
        copies: &copies,
        prices,
        planner: Planner::new(topology, out),
        shrink,
        activity: super::load::activity(&document.users.value, shrink),
        places: Places { components: vec![document.place()] },
    };
    compiler.planner.sizes.push(1.0);
    compiler.names();
    let mut components = compiler.components();
    let users = super::load::plan(document, shrink, &compiler.activity, &mut compiler.planner);
    let faults = compiler.faults();
    if let Some(components) = &mut components {
        changes::plan(document, &mut compiler.planner, components);
    }
    compiler.claim();
    let Compiler { planner, places, prices, .. } = compiler;
    let Planner { mut topology, sizes, out, .. } = planner;
    let entries = users.iter().flat_map(|users| users.operations.iter().map(|one| one.entry));
    let entered = entries.flat_map(|link| &topology.links[link.index()].targets);
    let entered = entered.map(|(component, _)| component.index()).collect();
    let cost = prices.plan(document, &copies, shrink, &sizes, &entered, out);
    if out.has_errors() && !before {
        return None;
    }
    let (mut components, users) = (components?, users?);
    let duration = document.run.duration.value;
    settings::check(document, out);
    let (flow, problems) = flow::follow(&topology, &components, &users, duration);
    report(&problems, &topology, &places, document, out);
    share_machines(&mut topology, &components);
    for component in &mut components {
        match component {
            ComponentPlan::Cache(cache) => cache.warm_from(&flow.rates),
            ComponentPlan::Cdn(cdn) => cdn.warm_from(&flow.rates),
            _ => {}
        }
    }
    changes::written_and_changing(document, &topology, &flow, out);
    changes::written_and_pushed(document, &components, &flow, out);
    idle::standstill(document, &topology, &components, &flow, &users, out);
    if out.has_errors() {
        return None;
    }
    idle::unused(document, &topology, &components, &users, &places, out);
    lint(&topology, &components, &flow, &users, &places, out);
    unseen(document, &faults, &users, out);
    let window = Window { duration, window: document.run.window.value };
    Some(Scenario {
        name: document.name.value.clone(),
        plan: Plan { topology, components, users, faults, window, cost },
        settings: settings::settings(document),
        slo: document.slo.value.clone(),
        expect: document.expect.value.clone(),
        flow,
    })
}

fn empty_topology(document: &Document, out: &mut Diagnostics) -> Topology {
    Topology {
        components: vec![ComponentFacts {
            name: "users".into(),
            kind: "users",
            places: Vec::new(),
            cores: 0.0,
            at_start: 0,
            startup: Sampler::constant(0),
            region: None,
            users_trip: None,
            store: None,
            hit_ratio_expected: 0.0,
        }],
        machines: Vec::new(),
        links: Vec::new(),
        data: Vec::new(),
        operations: Vec::new(),
        network: regions::network(document, out),
        zones: document.zones.value as u16,
        regions: regions::facts(document, out),
        names: Vec::new(),
        own_writes: asks_for_own_writes(document),
    }
}

/// Whether an expression asks if users see their own writes.
fn asks_for_own_writes(document: &Document) -> bool {
    let expressions = document.slo.value.iter().chain(&document.expect.value);
    let mut measures = expressions.flat_map(|expression| expression.left.measures());
    measures.any(|measure| measure.metric.value == Metric::OwnWriteMissing)
}

fn report(
    problems: &[Problem],
    topology: &Topology,
    places: &Places,
    document: &Document,
    out: &mut Diagnostics,
) {
    let name = |id: &ComponentId| topology.components[id.index()].name.as_str();
    for problem in problems {
        match problem {
            Problem::Cycle(way) => {
                let way: Vec<&str> = way.iter().map(name).collect();
                let message = format!("calls that never end: {}", way.join(" -> "));
                out.error("E0507", document.place(), message)
                    .help("a component may not call itself, directly or through others");
            }
            Problem::Unhandled(component, operation) => {
                let operation = &topology.operations[operation.index()].name;
                let message = format!("`{}` has no handler for `{operation}`", name(component));
                out.error("E0508", places.components[component.index()], message)
                    .help(format!("add `handle: {{ {operation}: [ … ] }}` or a `default`"));
            }
        }
    }
}

/// Decides for each machine whether its jobs can ever outnumber its cores.
fn share_machines(topology: &mut Topology, components: &[ComponentPlan]) {
    let places: Vec<Vec<Place>> = topology.components.iter().map(|c| c.places.clone()).collect();
    for (index, machine) in topology.machines.iter_mut().enumerate() {
        let jobs: f64 = machine
            .tenants
            .iter()
            .map(|id| {
                let here = places[id.index()].iter().filter(|p| p.machine as usize == index);
                let jobs = components[id.index() - 1].facts().jobs_max();
                if jobs == 0.0 { 0.0 } else { jobs * here.count() as f64 }
            })
            .sum();
        machine.sharing = if jobs <= machine.cores { Sharing::Dedicated } else { Sharing::Shared };
    }
}

struct Compiler<'a, 'd> {
    document: &'a Document,
    copies: &'a [Copy<'a>],
    planner: Planner<'d>,
    shrink: f64,
    prices: Prices,
    /// Which user asks.
    activity: Arc<Popularity>,
    places: Places,
}

impl Compiler<'_, '_> {
    /// Gives every name one meaning, in the order hosts, data, operations, components, faults.
    fn names(&mut self) {
        for (number, (name, _)) in self.document.regions.iter().enumerate() {
            self.name(name, Meaning::Region(number as u16));
        }
        self.planner.pinned = vec![false; self.planner.topology.regions()];
        for (_, data) in self.document.data.iter() {
            for region in &data.residency.value.0 {
                if let Some(region) = self.planner.region_named(&region.value.0, region.span) {
                    self.planner.pinned[region as usize] = true;
                }
            }
        }
        for (name, host) in self.document.hosts.iter() {
            let machine = self.machine(&host.value, 4, 1.0 / self.shrink);
            self.planner.topology.machines[machine].host = Some(name.value.clone());
            self.name(name, Meaning::Host(machine));
        }
        for (name, data) in self.document.data.iter() {
            let id = DataId::new(self.planner.topology.data.len());
            let items = data.items.finite().unwrap_or(0);
            if items == 0 {
                let message = "a data set has a finite number of items, at least one";
                self.planner.out.error("E0504", data.items.span, message);
            }
            let items = ((items as f64 / self.shrink).round() as u64).max(1);
            let activity = (&self.activity, self.shrink);
            let popularity = super::load::popularity(data, items, activity, self.planner.out);
            let changes = changes::period(data, self.planner.out);
            let before = self.planner.topology.data.last();
            let first = before.map_or(0, |last: &DataPlan| last.first + last.items);
            self.planner.topology.data.push(DataPlan {
                name: name.value.clone(),
                items,
                size: Sampler::constant(data.size.value.0 as i64),
                popularity,
                owners: Owners { items, users: self.activity.items() },
                salt: salt(&format!("data {}", name.value)),
                first,
                changes,
            });
            self.name(name, Meaning::Data(id));
        }
        self.operations();
        self.facts();
        for (_, data) in self.document.data.iter() {
            let home = data.r#in.value.as_ref().and_then(|home| {
                self.planner.copies(&home.0, data.r#in.span)?;
                self.planner.names.get(&home.0).copied()
            });
            self.planner.homes.push(home);
        }
        super::visits::sessions(self.document, &self.activity, &mut self.planner);
        let changes = self.document.changes.iter().map(|(name, _)| (name, Meaning::Change));
        let faults = self.document.faults.iter().map(|(name, _)| (name, Meaning::Fault));
        for (name, meaning) in faults.chain(changes) {
            self.name(name, meaning);
        }
    }

    fn name(&mut self, name: &Spanned<String>, meaning: Meaning) {
        if is_reserved(&name.value) || name.value == "probe" {
            let message = format!("`{}` has a meaning of its own", name.value);
            self.planner.out.error("E0506", name.span, message).help("choose another name");
        }
        if self.planner.names.insert(name.value.clone(), meaning).is_some() {
            let message = format!("`{}` is the name of something else, too", name.value);
            self.planner
                .out
                .error("E0505", name.span, message)
                .help("operations, components, data sets, hosts and faults share one name space");
        }
    }

    /// Operations: first those that users begin with, then those only loaded, then those that only
    /// steps name, then the probe.
    fn operations(&mut self) {
        let operations = &self.document.users.operations;
        let weighted = operations.iter().any(|(_, op)| op.weight.value.is_some());
        let users = &self.document.users.value;
        let (first, second): (Vec<_>, Vec<_>) = operations
            .iter()
            .partition(|(name, op)| super::load::begins(users, weighted, &name.value, op));
        for (name, operation) in first.into_iter().chain(second) {
            let bytes = self.response_bytes(operation);
            self.operation(name, operation.priority.value as u8, bytes);
        }
        if operations.is_empty() {
            let name = Spanned::new("request".to_string(), self.document.users.span);
            self.operation(&name, 5, RESPONSE_BYTES);
        }
        for copy in self.copies {
            for (word, span) in copy.config.room().operations() {
                if !self.planner.names.contains_key(word) {
                    let name = Spanned::new(word.to_string(), span);
                    self.operation(&name, 5, RESPONSE_BYTES);
                }
            }
        }
        let probe = OperationFacts { name: "probe".into(), priority: 1, response_bytes: 0.0 };
        self.planner.topology.operations.push(probe);
    }

    /// Mean size of the answers of an operation.
    fn response_bytes(&self, operation: &OperationConfig) -> f64 {
        let item = || {
            let name = operation.reads.value.as_ref()?;
            let Some(Meaning::Data(data)) = self.planner.names.get(&name.0) else { return None };
            Some(self.planner.topology.data[data.index()].size.mean_ns())
        };
        let written = operation.response.value.map(|bytes| bytes.0 as f64);
        written.or_else(item).unwrap_or(RESPONSE_BYTES)
    }

    fn operation(&mut self, name: &Spanned<String>, priority: u8, response_bytes: f64) {
        let operations = &mut self.planner.topology.operations;
        let id = OperationId::new(operations.len());
        operations.push(OperationFacts { name: name.value.clone(), priority, response_bytes });
        self.name(name, Meaning::Operation(id));
    }

    /// Machines and places of all components, and what their callers must know.
    fn facts(&mut self) {
        for copy in self.copies {
            let id = ComponentId::new(self.planner.topology.components.len());
            self.places.components.push(copy.base.span);
            let room = copy.config.room();
            let (places, size) = self.places_of(id, room, copy.region);
            let at_start = self.at_start(room, places.len() as u16);
            let cores = places
                .first()
                .map_or(0.0, |place| self.planner.topology.machines[place.machine as usize].cores);
            self.planner.sizes.push(size);
            self.planner.topology.components.push(ComponentFacts {
                name: copy.name.clone(),
                kind: copy.config.kind_name(),
                places,
                cores,
                at_start,
                startup: room.common().startup.value.plan(),
                region: copy.region,
                users_trip: room.users_trip(),
                store: room.store(),
                hit_ratio_expected: 0.0,
            });
            if let Some(meaning) = regions::meaning(copy, id, &mut self.planner) {
                self.name(copy.base, meaning);
            }
        }
        self.planner.asides.push(Aside::default());
        for copy in self.copies {
            self.planner.region = copy.region;
            let aside = copy.config.room().aside(&mut self.planner);
            self.planner.asides.push(aside);
        }
        self.planner.region = None;
    }

    /// Where the instances of a component stand, and the share of its size that shrinking leaves
    /// to each.
    fn places_of(
        &mut self,
        id: ComponentId,
        room: &dyn RoomConfig,
        region: Option<u16>,
    ) -> (Vec<Place>, f64) {
        let common: &Common = room.common();
        let wanted = match common.instances.value {
            Count::Finite(count) => count,
            Count::Unlimited => {
                let message = "a component has a finite number of instances, at most 60,000";
                self.planner.out.error("E0504", common.instances.span, message);
                1
            }
        };
        let nodes = room.nodes();
        let wanted = nodes.as_ref().map_or(wanted, |nodes| nodes.len() as u64);
        // There is a place for each instance that may ever come.
        let wanted = room.autoscale().map_or(wanted, |(scale, _)| scale.max.value.max(1));
        if let Some(host) = &common.host.value {
            if wanted != 1 || common.machine.value.is_some() {
                let message = "a component on a host has one instance and no machine of its own";
                self.planner.out.error("E0504", common.host.span, message);
            }
            let Some(machine) = self.planner.host(&host.0, common.host.span) else {
                let machine = self.spare_machine(id);
                return (vec![self.place(machine, 0, region)], 1.0);
            };
            let topology = &self.planner.topology;
            let mut tenants = topology.machines[machine].tenants.iter();
            if tenants.any(|tenant| topology.components[tenant.index()].region != region) {
                let message = format!("the host `{}` is one machine, in one region", host.0);
                let error = self.planner.out.error("E0504", common.host.span, message);
                error.help("say where the component stands: `in: …`, or give it a `machine`");
            }
            self.planner.topology.machines[machine].tenants.push(id);
            return (vec![self.place(machine as u32, 0, region)], 1.0 / self.shrink);
        }
        let exact = wanted as f64 / self.shrink;
        // Nodes that differ in what they do cannot be divided: they get smaller.
        let instances = if nodes.is_some() { wanted } else { (exact.floor() as u64).max(1) };
        let size = exact / instances as f64;
        let empty = crate::language::node::fragment("{}", common.machine.span);
        let mut none = Diagnostics::new();
        let own = common.machine.value.clone();
        let config = own.or_else(|| crate::language::Decode::decode(&empty, &mut none));
        let config: MachineConfig = config.expect("every key of a machine has a default");
        let places = (0..instances).map(|instance| {
            let node =
                nodes.as_ref().map_or(NodeConfig::default(), |nodes| nodes[instance as usize]);
            let config = node.machine.unwrap_or(&config);
            let machine = self.machine(config, room.cores_default(), size);
            self.planner.topology.machines[machine].tenants.push(id);
            let own = node.region.and_then(|(name, span)| self.planner.region_named(name, span));
            self.place(machine as u32, instance, own.or(region))
        });
        (places.collect(), size)
    }

    /// How many of the places of a component are taken at the start.
    fn at_start(&mut self, room: &dyn RoomConfig, places: u16) -> u16 {
        let Some((scale, _)) = room.autoscale() else { return places };
        let instances = &room.common().instances;
        let (min, max) = (scale.min.value, scale.max.value);
        let written = instances.value.finite().unwrap_or(min);
        if min <= max && !(min..=max).contains(&written) {
            let message =
                format!("{written} at the start is not between `min` {min} and `max` {max}");
            self.planner
                .out
                .error("E0504", instances.span, message)
                .help("`instances` is the number at the start");
        }
        let divisor = max as f64 / f64::from(places);
        divided(written, divisor).min(places.into()) as u16
    }

    /// The place of a machine: the zones of its region are dealt out in turn.
    fn place(&self, machine: u32, instance: u64, region: Option<u16>) -> Place {
        let topology = &self.planner.topology;
        let region = region.unwrap_or(0);
        let (first, zones) = match topology.regions.get(region as usize) {
            Some(facts) => (facts.first_zone, facts.zones),
            None => (0, topology.zones),
        };
        Place { machine, zone: first + (instance % u64::from(zones.max(1))) as u16, region }
    }

    fn spare_machine(&mut self, id: ComponentId) -> u32 {
        let machines = &mut self.planner.topology.machines;
        machines.push(MachinePlan {
            host: None,
            cores: 1.0,
            speed: 1.0,
            sharing: Sharing::Shared,
            memory_bytes: 1e9,
            nic: None,
            tenants: vec![id],
            disk_gap: Duration(0),
            disk_read: Sampler::constant(0),
        });
        machines.len() as u32 - 1
    }

    /// A machine; `size` is what shrinking leaves of its speed, memory and disk.
    fn machine(&mut self, config: &MachineConfig, cores_default: u64, size: f64) -> usize {
        let (type_cores, type_memory) = self.prices.machine(config, self.planner.out);
        let of_type = Count::Finite(type_cores.unwrap_or(cores_default));
        let cores = match config.cores.value.unwrap_or(of_type) {
            Count::Finite(cores) => cores as f64,
            Count::Unlimited => f64::INFINITY,
        };
        if config.speed.value.0 <= 0.0 {
            let message = "a core's speed is greater than zero";
            self.planner.out.error("E0504", config.speed.span, message);
        }
        let disk = &config.disk.value;
        let gap = match disk.iops.value {
            Count::Finite(iops) => (1e9 / (iops as f64 * size)).round() as i64,
            Count::Unlimited => 0,
        };
        let nic = config.nic.value;
        if nic.0 <= 0.0 {
            let message = "an interface without any bandwidth never answers";
            self.planner.out.error("E0504", config.nic.span, message);
        }
        let machines = &mut self.planner.topology.machines;
        machines.push(MachinePlan {
            host: None,
            cores,
            nic: (!nic.is_unlimited()).then_some(nic.0 * size),
            speed: config.speed.value.0.max(1e-9) * size,
            sharing: Sharing::Shared,
            memory_bytes: config.memory.value.or(type_memory).unwrap_or(MEMORY).0 as f64 * size,
            tenants: Vec::new(),
            disk_gap: Duration(gap),
            disk_read: disk.read.value.plan(),
        });
        machines.len() - 1
    }

    /// The plans of all components, each made where it stands.
    fn components(&mut self) -> Option<Vec<ComponentPlan>> {
        let mut plans = Vec::new();
        for (index, copy) in self.copies.iter().enumerate() {
            let id = ComponentId::new(index + 1);
            self.planner.region = copy.region;
            plans.push(copy.config.room().plan(id, &mut self.planner));
        }
        self.planner.region = None;
        plans.into_iter().collect()
    }

    /// What is claimed to give way first is a part of the system.
    fn claim(&mut self) {
        let Some(claim) = &self.document.claim.value else { return };
        let (name, span) = (&claim.breaks_first.0, claim.breaks_first.span);
        let machines = &self.planner.topology.machines;
        let is_host = machines.iter().any(|one| one.host.as_deref() == Some(name.as_str()));
        if !is_host {
            self.planner.copies(name, span);
        }
    }

    fn faults(&mut self) -> Vec<FaultPlan> {
        let shrink = self.document.run.shrink.value;
        let mut trouble = Trouble { planner: &mut self.planner, copies: self.copies, shrink };
        let faults = self.document.faults.iter();
        faults.filter_map(|(name, fault)| trouble.plan(&name.value, &fault.value)).collect()
    }
}
