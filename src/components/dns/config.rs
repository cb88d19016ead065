//! Names as they are written.

use super::DnsPlan;
use crate::components::config::Common;
use crate::components::facts::{Facts, Visit};
use crate::components::names::Planner;
use crate::components::topology::{CallPolicy, ComponentId, OperationId, Topology};
use crate::components::{ComponentPlan, NodeConfig, RoomConfig};
use crate::language::{Name, Spanned};
use crate::policy::balance::BalancePlan;
use crate::policy::health::{HealthPlan, Probe};
use crate::policy::resolver::{ResolverPlan, StragglerPlan};
use crate::random::Distribution;
use crate::units::{Count, Duration, Ratio};
use crate::{choice, config};

config! {
    /// Answers by region: where a user's resolver is told to turn to.
    pub struct DnsConfig {
        /// What it names: a component with a copy in each region.
        to: Name = required,
        /// Which region is answered.
        balance: DnsBalance = "latency",
        /// How long a resolver keeps an answer.
        ttl: Duration = "60s" source "usual for failover: 30-300 s",
        /// Time of asking, paid by the request that finds its resolver's answer expired.
        lookup: Distribution = "0s" source "28.7 ms median (ISI-TR-734, 2019) where it matters",
        /// How it finds out which regions work; `none`: it does not.
        health_check: Option<DnsCheckConfig> = "{}",
        /// Resolvers that keep an answer longer.
        stragglers: Vec<StragglerConfig> = "[]",
    }
    include {
        /// Keys of every kind.
        common: Common,
    }
}

choice! {
    /// Which region is answered.
    pub enum DnsBalance {
        /// The nearest by round trip that works.
        latency: Latency,
        /// The first in a list that works.
        failover: Failover(FailoverList),
    }
    unbuilt { geo: "answers by a map", weighted: "answers by weight" }
}

config! {
    /// An order of regions.
    pub struct FailoverList, short = prefer {
        /// The regions, the preferred one first.
        prefer: Vec<Name> = required,
    }
}

config! {
    /// The checks of a name server.
    pub struct DnsCheckConfig {
        /// From one probe to the next.
        every: Duration = "30s" source "Amazon Route 53: 30 s, fast 10 s",
        /// A probe not answered in this time has failed.
        timeout: Duration = "5s" source "a choice; Route 53 has 4 s to connect, 2 s to answer",
        /// Failures in a row until a copy is taken to be down.
        fall: u64 = "3" in 1..=1000 source "Amazon Route 53's example",
        /// Successes in a row until it is taken to be up again.
        rise: u64 = "3" in 1..=1000 source "Amazon Route 53's example",
    }
}

config! {
    /// Resolvers that keep answers longer than they should.
    pub struct StragglerConfig {
        /// Their share.
        share: Ratio = required,
        /// How long they keep an answer, at least the time to live.
        keep: Distribution = required,
    }
}

impl RoomConfig for DnsConfig {
    fn common(&self) -> &Common {
        &self.common
    }

    fn cores_default(&self) -> u64 {
        1
    }

    fn spans(&self) -> bool {
        true
    }

    fn nodes(&self) -> Option<Vec<NodeConfig<'_>>> {
        Some(vec![NodeConfig::default()])
    }

    fn names(&self) -> Option<&Spanned<Name>> {
        Some(&self.to)
    }

    fn plan(&self, id: ComponentId, planner: &mut Planner<'_>) -> Option<ComponentPlan> {
        if self.common.instances.value != Count::Finite(1) {
            let message = "a name server is one component";
            planner.out.error("E0504", self.common.instances.span, message);
        }
        let copies = planner.copies(&self.to.value.0, self.to.span)?;
        let comes_and_goes = |id: &ComponentId| {
            let facts = &planner.topology.components[id.index()];
            facts.at_start < facts.instances()
        };
        if copies.iter().any(comes_and_goes) {
            let message = "a name server does not know instances that come and go";
            planner
                .out
                .error("E0504", self.to.span, message)
                .help("put a load balancer before them, and name that");
        }
        let preferred = self.preferred(planner)?;
        let shares: f64 = self.stragglers.value.iter().map(|one| one.share.value.0).sum();
        if shares > 1.0 {
            let message = "the shares of the stragglers come to more than 100 %";
            planner.out.error("E0504", self.stragglers.span, message);
        }
        let stragglers = self
            .stragglers
            .value
            .iter()
            .map(|one| StragglerPlan { share: one.share.value.0, keep: one.keep.value.plan() });
        let number = planner.topology.names.len() as u16;
        let pinned = planner.pinned.clone();
        planner.named.insert(id, (number, copies.clone()));
        planner.topology.names.push(ResolverPlan {
            preferred,
            pinned,
            ttl: self.ttl.value,
            stragglers: stragglers.collect(),
            lookup: self.lookup.value.plan(),
        });
        let round = |names: &[String]| BalancePlan::round_robin(names.len());
        let link = planner.link_to(id, &copies, CallPolicy::default(), round);
        planner.topology.links[link.index()].health =
            self.health_check.value.as_ref().map(|check| HealthPlan {
                every: check.every.value,
                timeout: check.timeout.value,
                fall: check.fall.value as u32,
                rise: check.rise.value as u32,
                probe: Probe::Request,
            });
        Some(ComponentPlan::Dns(DnsPlan { id, number, link }))
    }
}

impl DnsConfig {
    /// By region of the asking user, the regions in the order of preference.
    fn preferred(&self, planner: &mut Planner<'_>) -> Option<Vec<Vec<u16>>> {
        let regions = planner.topology.regions();
        let all = || 0..regions as u16;
        match &self.balance.value {
            DnsBalance::Latency => {
                let network = &planner.topology.network;
                let order = |from: u16| {
                    let mut order: Vec<u16> = all().collect();
                    let far = |&to: &u16| network.distance_ns(regions, from, to);
                    order.sort_by(|a, b| far(a).total_cmp(&far(b)));
                    order
                };
                Some(all().map(order).collect())
            }
            DnsBalance::Failover(list) => {
                let mut order = Vec::new();
                let span = list.value.prefer.span;
                for name in &list.value.prefer.value {
                    order.push(planner.region_named(&name.0, span)?);
                }
                order.extend(all().filter(|region| !order.contains(region)).collect::<Vec<_>>());
                Some(vec![order; regions])
            }
        }
    }
}

impl Facts for DnsPlan {
    fn slots(&self) -> Option<u32> {
        None
    }

    fn jobs_max(&self) -> f64 {
        0.0
    }

    fn handles(&self, _operation: OperationId) -> bool {
        true
    }

    fn demand_ns(&self, _visit: Visit, _topology: &Topology) -> f64 {
        0.0
    }

    fn delay_ns(&self, _visit: Visit, _topology: &Topology) -> f64 {
        0.0
    }

    fn calls(&self, _visit: Visit, _topology: &Topology, _each: &mut dyn FnMut(Visit, f64)) {}
}
