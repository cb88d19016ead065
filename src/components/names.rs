//! From names to ids, while a scenario is planned: what rooms may ask when they turn what was
//! written into a plan.
//!
//! The planner collects every mistake and goes on; it knows the components as names, kinds and
//! instances, and nothing of what a kind does.

use std::collections::BTreeMap;

use super::outcome::Cause;
use super::topology::{
    CallPolicy, Chooser, ComponentId, DataId, LinkId, LinkPlan, OperationId, PoolPlan, Topology,
    cause_bit,
};
use crate::engine::slots::UNLIMITED;
use crate::engine::stream::salt;
use crate::language::suggest::did_you_mean;
use crate::language::{Diagnostics, Names, Span, Spanned};
use crate::policy::balance::{BalanceConfig, BalancePlan, HashBy, Strategy};
use crate::policy::call::{CallConfig, ClientConfig, PoolConfig};
use crate::policy::retry::{RetriesConfig, RetryPlan, RetryWhen};
use crate::units::Count;

/// What a name means in a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A component.
    Component(ComponentId),
    /// A component that has a copy in several regions, by its number among those.
    Copies(usize),
    /// A region.
    Region(u16),
    /// A data set.
    Data(DataId),
    /// An operation.
    Operation(OperationId),
    /// A shared machine, by its number among the machines.
    Host(usize),
    /// A fault.
    Fault,
    /// Something done on purpose.
    Change,
}

/// Who calls, whom, and by which name server's answers.
type LinkKey = (ComponentId, Vec<ComponentId>, Option<u16>);

/// What a cache stands in front of, as its callers need to know it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Aside {
    /// Whether the component is a cache.
    pub cache: bool,
    /// The component that is asked on a miss.
    pub over: Option<ComponentId>,
    /// Whether the cache asks it (else its callers do).
    pub asks: bool,
    /// Whether writes are sent to the cache (else past it).
    pub takes_writes: bool,
    /// What a write past the cache does to the copy.
    pub after_write: AfterWrite,
    /// Points of each node on the ring that places keys.
    pub virtual_nodes: u32,
    /// Of an edge cache: how many of its nodes users call, each user one of them.
    pub pops: Option<u16>,
    /// Where users turn to when it is dead.
    pub fallback: Option<ComponentId>,
}

/// What a write does to the copy of an item in a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfterWrite {
    /// Drops it.
    #[default]
    Drop,
    /// Puts the new value in its place.
    Update,
    /// Leaves it.
    Nothing,
}

/// The state of planning one scenario.
pub struct Planner<'d> {
    /// What is known of the whole so far.
    pub topology: Topology,
    /// By component.
    pub asides: Vec<Aside>,
    /// By data set, what its home means.
    pub homes: Vec<Option<Meaning>>,
    /// The copies of each component that has several: by region, where there is one.
    pub copies: Vec<Vec<Option<ComponentId>>>,
    /// The region for which a plan is made; none for what stands in several.
    pub region: Option<u16>,
    /// By component that is a name server: its number, and what it names.
    pub named: BTreeMap<ComponentId, (u16, Vec<ComponentId>)>,
    /// By region, whether its users may not be served elsewhere.
    pub pinned: Vec<bool>,
    /// By component, what shrinking leaves of the size of one instance.
    pub sizes: Vec<f64>,
    /// The operation that a visit of a user begins with.
    pub login: Option<OperationId>,
    /// What each name means.
    pub names: BTreeMap<String, Meaning>,
    /// Everything wrong so far.
    pub out: &'d mut Diagnostics,
    links: BTreeMap<LinkKey, LinkId>,
}

impl<'d> Planner<'d> {
    /// Nothing planned yet.
    pub fn new(topology: Topology, out: &'d mut Diagnostics) -> Self {
        Self {
            topology,
            asides: Vec::new(),
            homes: Vec::new(),
            copies: Vec::new(),
            region: None,
            named: BTreeMap::new(),
            pinned: Vec::new(),
            sizes: Vec::new(),
            login: None,
            names: BTreeMap::new(),
            out,
            links: BTreeMap::new(),
        }
    }

    /// Reports an unknown name of a sort, with the nearest one that would do.
    fn unknown(&mut self, name: &str, span: Span, sort: &str, fits: fn(&Meaning) -> bool) {
        let known: Vec<&str> =
            self.names.iter().filter(|(_, m)| fits(m)).map(|(name, _)| name.as_str()).collect();
        let help = did_you_mean(name, sort, &known);
        let error = self.out.error("E0501", span, format!("there is no {sort} `{name}`"));
        error.label(format!("unknown {sort}")).help(help);
    }

    /// The component of a name: its copy in the region for which a plan is made, else the nearest.
    pub fn component(&mut self, name: &str, span: Span) -> Option<ComponentId> {
        let fits = |m: &Meaning| matches!(m, Meaning::Component(_) | Meaning::Copies(_));
        let Some(meaning) = self.names.get(name).copied().filter(fits) else {
            self.unknown(name, span, "component", fits);
            return None;
        };
        let found = self.nearest(meaning);
        let facts = found.and_then(|id| self.topology.components.get(id.index()));
        if facts.is_some_and(|facts| facts.kind == "dns") {
            self.out
                .error("E0502", span, "a name server answers users, and nobody else")
                .help("name what it stands for: who stands in a region calls the copy there");
            return None;
        }
        if found.is_none() {
            let message = format!("`{name}` has a copy in several regions");
            self.out.error("E0502", span, message).help(
                "what stands in one region only calls the copy there; this stands in none, \
                 and a `dns` is what chooses among regions",
            );
        }
        found
    }

    /// The component that a name means from here; none where it has several copies and this is
    /// nowhere.
    fn nearest(&self, meaning: Meaning) -> Option<ComponentId> {
        match meaning {
            Meaning::Component(id) => Some(id),
            Meaning::Copies(number) => {
                let region = self.region?;
                let topology = &self.topology;
                let distance = |&(to, _): &(u16, ComponentId)| {
                    topology.network.distance_ns(topology.regions(), region, to)
                };
                let copies = self.copies_of(number);
                copies.min_by(|a, b| distance(a).total_cmp(&distance(b))).map(|(_, id)| id)
            }
            _ => None,
        }
    }

    fn copies_of(&self, number: usize) -> impl Iterator<Item = (u16, ComponentId)> + '_ {
        let copies = self.copies[number].iter().enumerate();
        copies.filter_map(|(region, copy)| copy.map(|id| (region as u16, id)))
    }

    /// All copies of a component.
    pub fn copies(&mut self, name: &str, span: Span) -> Option<Vec<ComponentId>> {
        match self.names.get(name).copied() {
            Some(Meaning::Component(id)) => Some(vec![id]),
            Some(Meaning::Copies(number)) => {
                Some(self.copies_of(number).map(|(_, id)| id).collect())
            }
            _ => {
                let fits = |m: &Meaning| matches!(m, Meaning::Component(_) | Meaning::Copies(_));
                self.unknown(name, span, "component", fits);
                None
            }
        }
    }

    /// The region of a name.
    pub fn region_named(&mut self, name: &str, span: Span) -> Option<u16> {
        if let Some(Meaning::Region(region)) = self.names.get(name) {
            return Some(*region);
        }
        self.unknown(name, span, "region", |m| matches!(m, Meaning::Region(_)));
        None
    }

    /// Where steps that name a data set go from here.
    pub fn home(&self, data: DataId) -> Option<ComponentId> {
        self.homes[data.index()].and_then(|home| self.nearest(home))
    }

    /// Whether a component is the home of a data set, or one of its copies is.
    pub fn is_home(&self, component: ComponentId, data: DataId) -> bool {
        match self.homes[data.index()] {
            Some(Meaning::Component(id)) => id == component,
            Some(Meaning::Copies(number)) => self.copies_of(number).any(|(_, id)| id == component),
            _ => false,
        }
    }

    /// Whether a component is the home of a data set or stands behind it.
    pub fn keeps(&self, component: ComponentId, data: DataId) -> bool {
        let components = 1..self.topology.components.len();
        components.map(ComponentId::new).any(|id| {
            let behind = || self.asides[id.index()].over == Some(component);
            self.is_home(id, data) && (id == component || behind())
        })
    }

    /// The data set of a name.
    pub fn data(&mut self, name: &str, span: Span) -> Option<DataId> {
        if let Some(Meaning::Data(id)) = self.names.get(name) {
            return Some(*id);
        }
        self.unknown(name, span, "data set", |m| matches!(m, Meaning::Data(_)));
        None
    }

    /// The operation of a name.
    pub fn operation(&mut self, name: &str, span: Span) -> Option<OperationId> {
        if let Some(Meaning::Operation(id)) = self.names.get(name) {
            return Some(*id);
        }
        self.unknown(name, span, "operation", |m| matches!(m, Meaning::Operation(_)));
        None
    }

    /// The shared machine of a name.
    pub fn host(&mut self, name: &str, span: Span) -> Option<usize> {
        if let Some(Meaning::Host(machine)) = self.names.get(name) {
            return Some(*machine);
        }
        self.unknown(name, span, "host", |m| matches!(m, Meaning::Host(_)));
        None
    }

    /// The target of a step: a component, or a data set with its home.
    pub fn target(&mut self, name: &str, span: Span) -> Option<(ComponentId, Option<DataId>)> {
        match self.names.get(name) {
            Some(Meaning::Component(_) | Meaning::Copies(_)) => {
                self.component(name, span).map(|id| (id, None))
            }
            Some(Meaning::Data(id)) => {
                let id = *id;
                let home = self.home(id);
                if home.is_none() {
                    self.out
                        .error("E0502", span, format!("the data set `{name}` has no home"))
                        .help(format!("say where it lives: `data: {{ {name}: {{ in: … }} }}`"));
                }
                home.map(|home| (home, Some(id)))
            }
            _ => {
                let fits = |m: &Meaning| {
                    matches!(m, Meaning::Component(_) | Meaning::Copies(_) | Meaning::Data(_))
                };
                self.unknown(name, span, "component or data set", fits);
                None
            }
        }
    }

    /// The name of a component.
    pub fn name_of(&self, id: ComponentId) -> &str {
        &self.topology.components[id.index()].name
    }

    /// The same without the region of a copy.
    pub fn bare_name_of(&self, id: ComponentId) -> &str {
        let name = self.name_of(id);
        name.split_once('.').map_or(name, |(_, bare)| bare)
    }

    /// All instances of some components, with their names.
    pub fn instances_of(&self, targets: &[ComponentId]) -> Vec<((ComponentId, u16), String)> {
        let all = targets.iter().flat_map(|&target| {
            let facts = &self.topology.components[target.index()];
            let name = |instance: u16| format!("{}.{}", facts.name, instance + 1);
            (0..facts.instances()).map(move |instance| ((target, instance), name(instance)))
        });
        all.collect()
    }

    /// The link from a component to another, with what it says about its calls; made at first use.
    pub fn link(
        &mut self,
        caller: ComponentId,
        target: ComponentId,
        calls: &Names<CallConfig>,
    ) -> LinkId {
        let written = calls.get(self.bare_name_of(target)).map(|config| &config.value);
        let mut policy = written.map(CallConfig::plan).unwrap_or_default();
        self.one_node(target, &mut policy);
        if let Some(nodes) = self.ring_nodes(target) {
            return self.link_to(caller, &[target], policy, |names| ring(names, nodes));
        }
        if self.asides.get(target.index()).is_some_and(|aside| aside.pops.is_some()) {
            let (_, names): (Vec<_>, Vec<_>) = self.instances_of(&[target]).into_iter().unzip();
            let choice = self.users_choice(&[target], &names);
            return self.link_to(caller, &[target], policy, |_| choice);
        }
        let balance = written.map_or(&BalanceConfig::RoundRobin, |call| &call.balance.value);
        self.link_to(caller, &[target], policy, |names| {
            balance.plan(vec![1.0; names.len()], false, names)
        })
    }

    /// A key has one node of a cache, and a user one point of presence, up or down.
    pub fn one_node(&self, target: ComponentId, policy: &mut CallPolicy) {
        let aside = self.asides.get(target.index());
        let placed = aside.is_some_and(|aside| aside.cache || aside.pops.is_some());
        if let (true, Some(retries)) = (placed, &mut policy.retries) {
            retries.other_instance = false;
        }
    }

    /// For a cache: the points of each of its nodes on the ring that places keys.
    fn ring_nodes(&self, target: ComponentId) -> Option<u32> {
        let aside = self.asides.get(target.index()).filter(|aside| aside.cache)?;
        Some(aside.virtual_nodes)
    }

    /// How users choose among the instances of a component that they call, or of its copies.
    pub fn users_choice(&self, targets: &[ComponentId], names: &[String]) -> BalancePlan {
        let pops = |target: ComponentId| self.asides.get(target.index())?.pops;
        match self.ring_nodes(targets[0]) {
            Some(nodes) => ring(names, nodes),
            None if pops(targets[0]).is_some() => {
                let nodes = targets.iter().flat_map(|&target| {
                    let pops = pops(target).unwrap_or(0);
                    let instances = self.topology.components[target.index()].instances();
                    (0..instances).map(move |instance| instance < pops)
                });
                by_user(names, &nodes.collect::<Vec<_>>())
            }
            None => BalancePlan::round_robin(names.len()),
        }
    }

    /// The link from a component to a set of others, all their instances being its backends.
    pub fn link_to(
        &mut self,
        caller: ComponentId,
        targets: &[ComponentId],
        policy: CallPolicy,
        balance: impl FnOnce(&[String]) -> BalancePlan,
    ) -> LinkId {
        self.link_by(None, caller, targets, policy, balance)
    }

    /// The same by the answers of a name server, given by its number.
    pub fn link_by(
        &mut self,
        names: Option<u16>,
        caller: ComponentId,
        targets: &[ComponentId],
        policy: CallPolicy,
        balance: impl FnOnce(&[String]) -> BalancePlan,
    ) -> LinkId {
        let key = (caller, targets.to_vec(), names);
        if let Some(&known) = self.links.get(&key) {
            return known;
        }
        let stores = &self.topology.components;
        let chooser = match (names, targets) {
            (Some(number), _) => Chooser::Names(number),
            (None, [one]) if stores[one.index()].store.is_some() => Chooser::Store,
            _ => Chooser::Balancer,
        };
        let (targets, names): (Vec<_>, Vec<_>) = self.instances_of(targets).into_iter().unzip();
        let link = LinkId::new(self.topology.links.len());
        let mut balance = balance(&names);
        balance.salt ^= salt(self.name_of(caller));
        self.topology.links.push(LinkPlan {
            caller,
            targets,
            policy,
            balance,
            chooser,
            nearest: false,
            health: None,
            ejection: None,
        });
        self.links.insert(key, link);
        link
    }

    /// Reports what makes sense only, or no sense, where the target is a cache.
    fn check_cached(&mut self, caller: ComponentId, target: ComponentId, config: &CallConfig) {
        let aside = self.asides[target.index()];
        if aside.cache && !matches!(config.balance.value, BalanceConfig::RoundRobin) {
            self.out
                .error("E0504", config.balance.span, "a cache says itself which node has a key")
                .help("write `balance` at the cache");
        }
        let reads_past = self.topology.components[caller.index()].kind == "service";
        if config.fallback.value.is_some() && !(reads_past && aside.over.is_some()) {
            let message = "`fallback: over` is what a service does when a cache fails it";
            self.out
                .error("E0504", config.fallback.span, message)
                .help("it needs a cache as the target, with a component behind it: `over`");
        }
    }

    /// Reports the keys of `calls:` that name nobody who is called.
    pub fn check_calls(&mut self, caller: ComponentId, calls: &Names<CallConfig>) {
        for (name, config) in calls.iter() {
            let Some(target) = self.component(&name.value, name.span) else { continue };
            self.check_cached(caller, target, &config.value);
            let called = |link: &LinkPlan| {
                link.caller == caller && link.targets.iter().any(|&(id, _)| id == target)
            };
            if !self.topology.links.iter().any(called) {
                let who = self.name_of(caller).to_string();
                let message = format!("`{who}` never calls `{}`", name.value);
                self.out.error("E0503", name.span, message).help(
                    "a policy without a call has no effect; remove it, or add a step that calls",
                );
            }
        }
    }
}

/// Users on a hash ring of those nodes that are points of presence.
fn by_user(names: &[String], is_pop: &[bool]) -> BalancePlan {
    let strategy = Strategy::ConsistentHash { by: HashBy::User };
    let mut plan = BalancePlan::new(strategy, vec![1.0; names.len()], false, names, POP_POINTS);
    plan.ring.retain(|&(_, node)| is_pop[usize::from(node)]);
    plan
}

/// Points of each pop on the ring that places users: shares within some 4 %.
const POP_POINTS: u32 = 1_000;

/// Keys on a hash ring of these nodes.
fn ring(names: &[String], virtual_nodes: u32) -> BalancePlan {
    let strategy = Strategy::ConsistentHash { by: HashBy::Key };
    BalancePlan::new(strategy, vec![1.0; names.len()], false, names, virtual_nodes)
}

/// A count as a limit of slots or places; the tables of keys hold it below [`UNLIMITED`].
pub fn limit(count: Count) -> u32 {
    count.finite().map_or(UNLIMITED, |count| count as u32)
}

/// The causes that a caller's word for a failure covers.
fn causes(when: RetryWhen) -> u32 {
    match when {
        RetryWhen::Timeout => cause_bit(Cause::Timeout) | cause_bit(Cause::Unreachable),
        RetryWhen::Error => cause_bit(Cause::Error) | cause_bit(Cause::QueueTimeout),
        RetryWhen::Refused => cause_bit(Cause::Refused),
        RetryWhen::Rejected => cause_bit(Cause::Rejected),
        RetryWhen::Crashed => cause_bit(Cause::Crashed),
    }
}

fn retries(config: &RetriesConfig) -> Option<RetryPlan> {
    config.plan(causes)
}

impl PoolConfig {
    /// The plan, unless the pool has no limit.
    fn plan(&self) -> Option<PoolPlan> {
        let size = self.size.value.finite()?;
        Some(PoolPlan {
            size: limit(Count::Finite(size)),
            wait: self.wait.value,
            queue: limit(self.queue.value),
        })
    }
}

impl CallConfig {
    /// The plan of time and failure.
    pub fn plan(&self) -> CallPolicy {
        CallPolicy {
            timeout: self.timeout.value,
            cancel: self.cancel.value,
            retries: retries(&self.retries.value),
            pool: self.pool.value.plan(),
        }
    }
}

impl ClientConfig {
    /// The plan of time and failure.
    pub fn plan(&self) -> CallPolicy {
        CallPolicy {
            timeout: self.timeout.value,
            cancel: self.cancel.value,
            retries: retries(&self.retries.value),
            pool: None,
        }
    }
}

/// A name as written, for error messages and look-ups.
pub fn word(name: &Spanned<crate::language::Name>) -> (&str, Span) {
    (&name.value.0, name.span)
}
