//! What is written and comes to nothing: parts that no call reaches, and users for whom no time
//! passes.
//!
//! The parts are warnings, because a file may extend one that describes more than it needs. Users
//! for whom no time passes are an error: such a run would never end.

use super::document::Document;
use super::flow::Flow;
use super::lint::Places;
use crate::components::ComponentPlan;
use crate::components::topology::{ComponentId, DataId, Topology, users as the_users};
use crate::language::{Diagnostics, Span};
use crate::world::users::load::{Source, UsersPlan};

/// Warns of hosts, data sets and components that nothing uses.
pub(super) fn unused(
    document: &Document,
    topology: &Topology,
    components: &[ComponentPlan],
    users: &UsersPlan,
    places: &Places,
    out: &mut Diagnostics,
) {
    let mut warn = |span: Span, message: String, help: &str| {
        out.warning("W0507", span, message).help(help);
    };
    for (name, _) in document.hosts.iter() {
        let is_it = |host: &Option<String>| host.as_deref() == Some(name.value.as_str());
        let machine = topology.machines.iter().find(|machine| is_it(&machine.host));
        if machine.is_some_and(|machine| machine.tenants.is_empty()) {
            let message = format!("no component runs on `{}`", name.value);
            warn(name.span, message, "a component says `host: …`, or has a `machine` of its own");
        }
    }
    for (index, (name, _)) in document.data.iter().enumerate() {
        let id = DataId::new(index);
        let asked = users.operations.iter().any(|operation| operation.data == Some(id));
        if !asked && !components.iter().any(|plan| plan.facts().names_data(id)) {
            let message = format!("nothing reads or writes `{}`", name.value);
            warn(name.span, message, "a step says `read: …`, an operation of the users `reads: …`");
        }
    }
    let reached = reached(topology);
    for (index, facts) in topology.components.iter().enumerate().skip(1) {
        // Users ask a name server without calling it.
        let asked = matches!(components[index - 1], ComponentPlan::Dns(_));
        if !reached[index] && !asked {
            let message = format!("no call reaches `{}`", facts.name);
            let help = "users call the `entry`, and steps and balancers the others";
            warn(places.components[index], message, help);
        }
    }
}

/// By component, whether calls lead to it from the users, however rarely.
fn reached(topology: &Topology) -> Vec<bool> {
    let mut reached = vec![false; topology.components.len()];
    let mut open = vec![the_users()];
    reached[the_users().index()] = true;
    while let Some(caller) = open.pop() {
        let links = topology.links.iter().filter(|link| link.caller == caller);
        for &(target, _) in links.flat_map(|link| &link.targets) {
            if !std::mem::replace(&mut reached[target.index()], true) {
                open.push(target);
            }
        }
    }
    reached
}

/// Refuses people who do not think, in a system that answers them within no time: the clock would
/// stand still, and they would go on for ever.
pub(super) fn standstill(
    document: &Document,
    topology: &Topology,
    components: &[ComponentPlan],
    flow: &Flow,
    users: &UsersPlan,
    out: &mut Diagnostics,
) {
    let Source::Closed { think } = &users.source else { return };
    let network = &topology.network;
    if think.is_constant() != Some(0) || network.users.is_constant() != Some(0) {
        return;
    }
    let span = document.users.think.span;
    let inside = [&network.within_host, &network.within_zone, &network.between_zones];
    let travels = inside.iter().any(|delay| delay.is_constant() != Some(0));
    let takes_time = |id: ComponentId| {
        let facts = components[id.index() - 1].facts();
        let here = flow.rates.keys().filter(|visit| visit.component == id);
        here.into_iter().any(|visit| {
            facts.demand_ns(*visit, topology) > 0.0 || facts.delay_ns(*visit, topology) > 0.0
        })
    };
    if !travels && !flow.rates.keys().any(|visit| takes_time(visit.component)) {
        let message = "no time passes between one request of these users and the next";
        out.error("E0510", span, message).help(
            "the run would never end: give them time to think, the network a delay, or a step work",
        );
        return;
    }
    for operation in &users.operations {
        let entry = topology.links[operation.entry.index()].target();
        let instances = u64::from(topology.components[entry.index()].instances());
        let room = components[entry.index() - 1].facts().room();
        let room = room.map(|room| room * instances);
        if let Some(room) = room.filter(|&room| u64::from(users.count) > room) {
            let name = &topology.components[entry.index()].name;
            let message = format!("`{name}` has room for {room} of {} users", users.count);
            out.error("E0510", span, message).help(
                "the others are rejected and ask again at the same instant, so that the run would \
                 never end: give them time to think, or the network a delay",
            );
            return;
        }
    }
}
