//! Lints: what is written correctly and can hardly be meant.
//!
//! They look at the plan and the expected flow only; each is a warning with its arithmetic.

use std::collections::BTreeMap;

use super::document::Document;
use super::flow::Flow;
use crate::components::ComponentPlan;
use crate::components::facts::Visit;
use crate::components::service::{Keeper, SessionsPlan};
use crate::components::topology::{ComponentId, LinkPlan, Topology, users};
use crate::language::{Diagnostics, Span};
use crate::policy::balance::{HashBy, Strategy};
use crate::units::Instant;
use crate::world::faults::{FaultPlan, Timing};
use crate::world::users::load::{Source, UsersPlan};

/// Where things were written, for the underlines.
pub(super) struct Places {
    /// By component.
    pub components: Vec<Span>,
}

/// Warns of the impossible.
pub(super) fn lint(
    topology: &Topology,
    components: &[ComponentPlan],
    flow: &Flow,
    users: &UsersPlan,
    places: &Places,
    out: &mut Diagnostics,
) {
    // People who wait and think ask for no more than is there.
    if matches!(users.source, Source::Open { .. }) {
        overload(topology, components, flow, places, out);
    }
    for link in &topology.links {
        impatient(topology, components, flow, link, places, out);
        small_pool(topology, components, link, places, out);
    }
    multiplied_retries(topology, places, out);
    scattered(topology, components, places, out);
}

/// Warns of what is written and lies after the end of the run.
pub(super) fn unseen(
    document: &Document,
    faults: &[FaultPlan],
    users: &UsersPlan,
    out: &mut Diagnostics,
) {
    let duration = document.run.duration.value;
    let help = format!("the run ends at {duration}; a longer one has `run.duration`");
    for fault in faults {
        let Timing::At { at, .. } = fault.timing else { continue };
        let written = document.faults.iter().find(|(name, _)| name.value == fault.name);
        if let (true, Some((name, _))) = (at.0 >= duration.0, written) {
            let message = format!("`{}` never happens in this run", fault.name);
            out.warning("W0506", name.span, message).help(help.clone());
        }
    }
    for (name, change) in document.changes.iter() {
        if change.value.at().0 >= duration.0 {
            let message = format!("`{}` never happens in this run", name.value);
            out.warning("W0506", name.span, message).help(help.clone());
        }
    }
    let Source::Open { profile, .. } = &users.source else { return };
    const LOOKS: i64 = 1000;
    let at = |look: i64| profile.factor_at(Instant(duration.0 / LOOKS * look));
    let (reached, peak) = ((0..LOOKS).map(at).fold(0.0, f64::max), profile.max_factor());
    if reached < 0.99 * peak {
        let message = format!("the load is at most {reached:.2}x in this run, {peak:.2}x later");
        out.warning("W0506", document.users.profile.span, message).help(help);
    }
}

/// Core time asked for per second at one instance of a component.
fn demand(
    flow: &Flow,
    components: &[ComponentPlan],
    (id, node): (ComponentId, u16),
    topology: &Topology,
) -> f64 {
    let plan = components[id.index() - 1].facts();
    let here = flow.rates.iter().filter(|(visit, _)| visit.component == id);
    here.map(|(visit, rate)| rate * plan.node_demand_ns(*visit, node, topology) / 1e9).sum()
}

fn overload(
    topology: &Topology,
    components: &[ComponentPlan],
    flow: &Flow,
    places: &Places,
    out: &mut Diagnostics,
) {
    let mut told: Vec<&[ComponentId]> = Vec::new();
    for (index, machine) in topology.machines.iter().enumerate() {
        let on_it = |id: &ComponentId| {
            let spots = topology.components[id.index()].places.iter().enumerate();
            let here = spots.filter(|(_, place)| place.machine as usize == index);
            here.map(|(node, _)| demand(flow, components, (*id, node as u16), topology))
                .sum::<f64>()
        };
        let asked: f64 = machine.tenants.iter().map(on_it).sum::<f64>() / machine.speed;
        // The other instances of a component are as overloaded as the first.
        if asked <= machine.cores || told.contains(&&machine.tenants[..]) {
            continue;
        }
        told.push(&machine.tenants);
        let names: Vec<&str> = machine
            .tenants
            .iter()
            .map(|id| topology.components[id.index()].name.as_str())
            .collect();
        let span = places.components[machine.tenants[0].index()];
        let message = format!("the load is above the capacity of `{}`", names.join("`, `"));
        out.warning("W0501", span, message).label("overloaded").help(format!(
            "{asked:.2} seconds of core time are asked for per second, of {} cores: the queue \
             grows until requests are rejected or give up",
            machine.cores
        ));
    }
}

/// Mean time of a visit on its own: work, delays, and the calls it waits for.
///
/// `known` keeps what has been found, so that each sort of visit is looked at once.
fn alone_ns(
    visit: Visit,
    topology: &Topology,
    components: &[ComponentPlan],
    known: &mut BTreeMap<Visit, f64>,
) -> f64 {
    if let Some(&time) = known.get(&visit) {
        return time;
    }
    let plan = components[visit.component.index() - 1].facts();
    let mut time = plan.demand_ns(visit, topology) + plan.delay_ns(visit, topology);
    plan.calls(visit, topology, &mut |next, times| {
        time += times * alone_ns(next, topology, components, known);
    });
    known.insert(visit, time);
    time
}

fn impatient(
    topology: &Topology,
    components: &[ComponentPlan],
    flow: &Flow,
    link: &LinkPlan,
    places: &Places,
    out: &mut Diagnostics,
) {
    let Some(timeout) = link.policy.timeout else { return };
    let (target, mut known) = (link.target(), BTreeMap::new());
    let slow = flow.rates.keys().filter(|visit| visit.component == target).find_map(|visit| {
        let alone = alone_ns(*visit, topology, components, &mut known);
        (alone > timeout.0 as f64).then_some((alone, visit.operation))
    });
    let Some((alone, operation)) = slow else { return };
    let name = |id: ComponentId| topology.components[id.index()].name.as_str();
    let span = places.components[if link.caller == users() { target } else { link.caller }.index()];
    let message =
        format!("`{}` gives `{}` less time than it needs", name(link.caller), name(target));
    out.warning("W0502", span, message).help(format!(
        "the timeout is {timeout}, `{}` takes {:.1} ms on average when nothing else is going on",
        topology.operations[operation.index()].name,
        alone / 1e6
    ));
}

fn small_pool(
    topology: &Topology,
    components: &[ComponentPlan],
    link: &LinkPlan,
    places: &Places,
    out: &mut Diagnostics,
) {
    let Some(pool) = link.policy.pool else { return };
    let (caller, target) = (link.caller, link.target());
    let name = |id: ComponentId| topology.components[id.index()].name.as_str();
    let instances = u64::from(topology.components[caller.index()].instances());
    let all = u64::from(pool.size) * instances;
    let database = matches!(components[target.index() - 1], ComponentPlan::Database(_));
    if let (true, Some(slots)) = (database, components[target.index() - 1].facts().slots())
        && all > u64::from(slots)
    {
        let message = format!("the pools of `{}` are larger than `{}`", name(caller), name(target));
        out.warning("W0503", places.components[caller.index()], message).help(format!(
            "{instances} x {} = {all} connections could be asked for, `{}` has {slots}",
            pool.size,
            name(target)
        ));
    }
    if let Some(slots) = components[caller.index() - 1].facts().slots()
        && pool.size < slots
    {
        let message =
            format!("`{}` has fewer connections to `{}` than workers", name(caller), name(target));
        out.warning("W0504", places.components[caller.index()], message).help(format!(
            "{slots} workers share {} connections: workers are held while they wait for one",
            pool.size
        ));
    }
}

/// Sessions in memory, and requests that do not come back to where theirs is.
fn scattered(
    topology: &Topology,
    components: &[ComponentPlan],
    places: &Places,
    out: &mut Diagnostics,
) {
    let by_user = Strategy::ConsistentHash { by: HashBy::User };
    let name = |id: ComponentId| topology.components[id.index()].name.as_str();
    for link in topology.links.iter().filter(|link| link.targets.len() > 1) {
        let target = link.target();
        let ComponentPlan::Service(service) = &components[target.index() - 1] else { continue };
        let in_memory = |plan: &SessionsPlan| matches!(plan.keeper, Keeper::Memory);
        let steady = link.balance.sticky || link.balance.strategy == by_user;
        if steady || !service.sessions.as_ref().is_some_and(in_memory) {
            continue;
        }
        let message = format!("requests do not come back to their sessions in `{}`", name(target));
        out.warning("W0509", places.components[target.index()], message).help(format!(
            "`{}` chooses among {} instances anew each time, and a session is in one of them: \
             put a balancer with `sticky: user` in between, or the sessions into a store",
            name(link.caller),
            link.targets.len()
        ));
    }
}

fn multiplied_retries(topology: &Topology, places: &Places, out: &mut Diagnostics) {
    let tries = |link: &LinkPlan| {
        1 + link.policy.retries.as_ref().map_or(0, |retries| u32::from(retries.max))
    };
    for first in topology.links.iter().filter(|link| tries(link) > 1) {
        for second in topology.links.iter().filter(|link| tries(link) > 1) {
            if !first.targets.iter().any(|(target, _)| *target == second.caller) {
                continue;
            }
            let name = |id: ComponentId| topology.components[id.index()].name.as_str();
            let span = places.components[second.caller.index()];
            let message = "repeats multiply from layer to layer";
            out.warning("W0505", span, message).help(format!(
                "`{}` tries {} times and `{}` {} times: one failing request can become {} calls \
                 to `{}`",
                name(first.caller),
                tries(first),
                name(second.caller),
                tries(second),
                tries(first) * tries(second),
                name(second.target())
            ));
        }
    }
}
