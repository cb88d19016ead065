//! A load balancer as it is written.

use super::LoadBalancerPlan;
use crate::components::config::{Caller, Common};
use crate::components::facts::{Facts, Visit};
use crate::components::names::Planner;
use crate::components::topology::{ComponentId, LinkId, OperationId, Topology};
use crate::components::{ComponentPlan, RoomConfig};
use crate::engine::stream::salt;
use crate::language::shape::OneOfShape;
use crate::language::{Decode, Diagnostics, Name, Names, Node, OneOrMany, Shape, Spanned};
use crate::policy::balance::BalanceConfig;
use crate::policy::call::CallConfig;
use crate::policy::health::{EjectionConfig, HealthConfig};
use crate::random::Distribution;
use crate::{choice, config};

config! {
    /// Hands each call on to one of its backends: all instances of the components in `to`.
    pub struct LoadBalancerConfig {
        /// The components whose instances are the backends.
        to: Targets = required,
        /// Choice of a backend.
        balance: BalanceConfig = "round_robin",
        /// Whether a user stays with the backend of the first choice while that is up.
        sticky: Sticky = "none",
        /// How it learns that a backend is down.
        health_check: Option<HealthConfig> = "{}",
        /// Backends taken out by failures of real calls.
        ejection: Option<EjectionConfig> = "none",
        /// Core time per call.
        work: Distribution = "31us" likely "14us..43us"
            source "HAProxy, 32 K requests/s per core; NGINX with TLS: 14 us, 43 us with 10 kB",
    }
    include {
        /// Keys of every kind.
        common: Common,
        /// Keys of every kind that calls others.
        caller: Caller,
    }
    unbuilt { slow_start: "gentle starts", standby: "an active-passive pair" }
}

choice! {
    /// Whether a user stays with one backend.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Sticky {
        /// Every call is chosen anew.
        none: None,
        /// By user id.
        user: User,
    }
}

config! {
    /// A component among the targets.
    pub struct TargetConfig, short = weight {
        /// Weight of each of its instances.
        weight: f64 = "1",
    }
}

/// One component, several, or several with weights.
#[derive(Clone, Debug)]
pub struct Targets {
    /// The components with the weights of their instances.
    pub list: Vec<(Spanned<Name>, f64)>,
}

static TARGETS: OneOfShape = OneOfShape {
    name: "Targets",
    doc: "A component, a list of components, or components with weights: `web`, `[fast, slow]`, \
          `{ fast: { weight: 2 }, slow: { weight: 1 } }`.",
    forms: &[<OneOrMany<Name> as Decode>::shape, <Names<TargetConfig> as Decode>::shape],
};

impl Decode for Targets {
    fn decode(node: &Spanned<Node>, out: &mut Diagnostics) -> Option<Self> {
        if !matches!(node.value, Node::Map(_)) {
            let names = <OneOrMany<Name> as Decode>::decode(node, out)?.0;
            return Some(Self { list: names.into_iter().map(|name| (name, 1.0)).collect() });
        }
        let entries = <Names<TargetConfig> as Decode>::decode(node, out)?;
        let target = |(name, config): &(Spanned<String>, Spanned<TargetConfig>)| {
            let name = Spanned::new(Name(name.value.clone()), name.span);
            (name, config.value.weight.value)
        };
        Some(Self { list: entries.iter().map(target).collect() })
    }

    fn shape() -> Shape {
        Shape::OneOf(&TARGETS)
    }
}

impl RoomConfig for LoadBalancerConfig {
    fn common(&self) -> &Common {
        &self.common
    }

    fn cores_default(&self) -> u64 {
        2
    }

    fn plan(&self, id: ComponentId, planner: &mut Planner<'_>) -> Option<ComponentPlan> {
        let mut targets = Vec::new();
        let mut weights = Vec::new();
        for (name, weight) in &self.to.value.list {
            if *weight <= 0.0 {
                planner.out.error("E0504", name.span, "a weight is greater than zero");
            }
            let target = planner.component(&name.value.0, name.span)?;
            targets.push(target);
            let instances = planner.topology.components[target.index()].instances();
            weights.extend(std::iter::repeat_n(*weight, instances as usize));
        }
        if targets.is_empty() {
            planner.out.error("E0504", self.to.span, "a balancer needs at least one target");
            return None;
        }
        let calls = &self.caller.calls.value;
        let policy = self.policy(&targets, calls, planner);
        let sticky = self.sticky.value == Sticky::User;
        let balance = &self.balance.value;
        let link =
            planner.link_to(id, &targets, policy, |names| balance.plan(weights, sticky, names));
        planner.check_calls(id, calls);
        self.plan_health(link, planner);
        let work = self.work.value.plan();
        let work = (work.is_constant() != Some(0)).then_some(work);
        let salt = salt(planner.name_of(id)) ^ salt("balancer work");
        Some(ComponentPlan::LoadBalancer(LoadBalancerPlan { id, work, salt, link }))
    }
}

impl LoadBalancerConfig {
    /// What it says about its calls; one policy serves all its backends.
    fn policy(
        &self,
        targets: &[ComponentId],
        calls: &Names<CallConfig>,
        planner: &mut Planner<'_>,
    ) -> crate::components::topology::CallPolicy {
        for (name, _) in calls.iter().skip(1) {
            planner
                .out
                .error("E0504", name.span, "one policy serves all backends of a balancer")
                .help("keep one entry of `calls`");
        }
        let known = targets.iter().find_map(|&target| calls.get(planner.bare_name_of(target)));
        if let Some(config) = known
            && !matches!(config.value.balance.value, BalanceConfig::RoundRobin)
        {
            let message = "a balancer balances by its own `balance`";
            planner
                .out
                .error("E0504", config.value.balance.span, message)
                .help("write it beside `to`, and not under `calls`");
        }
        known.map(|config| config.value.plan()).unwrap_or_default()
    }

    fn plan_health(&self, link: LinkId, planner: &mut Planner<'_>) {
        let (active, preset) =
            self.health_check.value.as_ref().map_or((None, None), HealthConfig::plan);
        if active.is_some_and(|health| health.every.0 == 0) {
            let message = "a health check has a time between its probes";
            planner.out.error("E0504", self.health_check.span, message);
        }
        let own = self.ejection.value.as_ref().map(EjectionConfig::plan);
        let plan = &mut planner.topology.links[link.index()];
        plan.health = active;
        plan.ejection = own.or(preset);
    }
}

impl Facts for LoadBalancerPlan {
    fn slots(&self) -> Option<u32> {
        None
    }

    fn jobs_max(&self) -> f64 {
        if self.work.is_some() { f64::INFINITY } else { 0.0 }
    }

    fn handles(&self, _operation: OperationId) -> bool {
        true
    }

    fn demand_ns(&self, _visit: Visit, _topology: &Topology) -> f64 {
        self.work.as_ref().map_or(0.0, |work| work.mean_ns())
    }

    fn delay_ns(&self, _visit: Visit, _topology: &Topology) -> f64 {
        0.0
    }

    fn calls(&self, visit: Visit, topology: &Topology, each: &mut dyn FnMut(Visit, f64)) {
        let link = &topology.links[self.link.index()];
        let mut targets: Vec<(ComponentId, f64)> = Vec::new();
        for (&(component, _), weight) in link.targets.iter().zip(&link.balance.weights) {
            match targets.iter_mut().find(|(known, _)| *known == component) {
                Some((_, sum)) => *sum += weight,
                None => targets.push((component, *weight)),
            }
        }
        let total: f64 = targets.iter().map(|(_, weight)| weight).sum();
        for (component, weight) in targets {
            each(Visit { component, ..visit }, weight / total);
        }
    }
}
