//! What limits the system: demands per answered request, and the bounds that follow from them.
//!
//! The bound of a resource is its servers over the time that one request holds one of them. Cores
//! and disks are held for work, so theirs is a law; slots are held through calls as well, so theirs
//! is that of today's holding times, less what is waited for a pool. Where nothing was answered
//! there is nothing to say.

use super::components::utilization;
use super::statistics::Value;
use super::summarize::{estimate, quotient};
use super::summary::{Bottleneck, Limit};
use crate::components::ComponentPlan;
use crate::components::topology::MachinePlan;
use crate::engine::slots::UNLIMITED;
use crate::policy::network::Place;
use crate::units::Instant;
use crate::world::users::load::Source;
use crate::world::{Observations, Plan};

/// What limits a plan's throughput; none where nothing was answered or nothing was busy. Users are
/// those at full size, before they were divided by `shrink`.
pub fn bottleneck(plan: &Plan, observed: &[Observations], shrink: f64) -> Option<Bottleneck> {
    let answered = total(observed, |one| one.users.iter().map(|u| u.throughput as f64).sum());
    let offered = total(observed, |one| one.users.iter().map(|u| u.offered as f64).sum());
    let seconds = total(observed, |one| one.duration.0 as f64 / 1e9);
    if answered <= 0.0 || seconds <= 0.0 {
        return None;
    }
    let mut limits: Vec<Limit> = Vec::new();
    for resource in resources(plan) {
        let held_ns = total(observed, |one| (resource.held_ns)(one));
        if held_ns <= 0.0 {
            continue;
        }
        let demand_s = held_ns / 1e9 / answered;
        let limit_rps = resource.servers / demand_s;
        let each = offered / seconds / f64::from(plan.users.count.max(1));
        limits.push(Limit {
            component: resource.owner,
            resource: resource.name,
            servers: resource.servers,
            demand_ms: demand_s * 1e3,
            utilization: estimate(observed, |one| (resource.share)(one)).within(0.0, 1.0),
            limit_rps,
            limit_users: match plan.users.source {
                Source::Open { ref profile, .. } if plan.users.counted && each > 0.0 => {
                    // So many that it is full when the most come, not on the average of the run.
                    let end = Instant(plan.window.duration.0);
                    let peak = profile.max_factor() / profile.mean_factor(Instant(0), end);
                    Some(limit_rps / (each * peak) * shrink)
                }
                _ => None,
            },
        });
    }
    limits.sort_by(|a, b| a.limit_rps.total_cmp(&b.limit_rps));
    (!limits.is_empty()).then_some(Bottleneck { limits })
}

fn total(observed: &[Observations], figure: impl Fn(&Observations) -> f64) -> f64 {
    observed.iter().map(figure).sum()
}

type Figure<'p, T> = Box<dyn Fn(&Observations) -> T + 'p>;

/// Something of which there are several in parallel, and which requests hold for a time.
struct Resource<'p> {
    /// The component that has it, or the host that several share.
    owner: String,
    name: String,
    servers: f64,
    /// Nanoseconds for which they were held in the measured time, summed over them.
    held_ns: Figure<'p, f64>,
    /// Share of those in service that was held.
    share: Figure<'p, Value>,
}

fn resources(plan: &Plan) -> Vec<Resource<'_>> {
    let mut list = Vec::new();
    let parts = |index: usize| plan.components[index - 1].facts().parts();
    for group in groups(plan) {
        match group[..] {
            [index] if !parts(index).is_empty() => list.extend(part_cores(plan, index)),
            _ => list.extend(cores(plan, group)),
        }
    }
    for index in 1..plan.topology.components.len() {
        if parts(index).is_empty() {
            list.extend(slots(plan, index));
        } else {
            list.extend(part_slots(plan, index));
        }
        list.extend(disks(plan, index));
        list.extend(interfaces(plan, index));
    }
    list.extend((0..plan.topology.links.len()).filter_map(|link| pool(plan, link)));
    list
}

/// The components by shared machines: each group has machines of its own.
fn groups(plan: &Plan) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> =
        (1..plan.topology.components.len()).map(|index| vec![index]).collect();
    for machine in &plan.topology.machines {
        let lives = |group: &Vec<usize>| {
            machine.tenants.iter().any(|tenant| group.contains(&tenant.index()))
        };
        let (together, apart): (Vec<_>, Vec<_>) = groups.into_iter().partition(lives);
        groups = apart;
        if !together.is_empty() {
            groups.push(together.concat());
        }
    }
    groups.iter_mut().for_each(|group| group.sort_unstable());
    groups.sort();
    groups
}

fn cores(plan: &Plan, group: Vec<usize>) -> Option<Resource<'_>> {
    let topology = &plan.topology;
    let lives = |index: usize| topology.components[index].places.iter();
    let mut machines: Vec<usize> =
        group.iter().flat_map(|&index| lives(index)).map(|place| place.machine as usize).collect();
    machines.sort_unstable();
    machines.dedup();
    let servers: f64 = machines.iter().map(|&machine| topology.machines[machine].cores).sum();
    if !(servers > 0.0 && servers.is_finite()) {
        return None;
    }
    let first = group[0];
    let names: Vec<&str> =
        group.iter().map(|&index| topology.components[index].name.as_str()).collect();
    let name = match &names[..] {
        [before @ .., last] if !before.is_empty() => {
            format!("cores, shared by {} and {last}", before.join(", "))
        }
        _ => "cores".to_owned(),
    };
    let owner = owner(plan, &machines, first);
    let alone = group.len() == 1;
    let wasted = group.clone();
    let busy = move |one: &Observations| -> f64 {
        group.iter().map(|&index| one.ledger.components[index].busy_ns).sum()
    };
    // What was done for callers who had given up is not needed for an answer, however much it was.
    let needed = busy.clone();
    let held = move |one: &Observations| -> f64 {
        let lost = wasted.iter().map(|&index| one.ledger.components[index].wasted_ns);
        (needed(one) - lost.sum::<f64>()).max(0.0)
    };
    let share = move |one: &Observations| {
        if alone {
            return utilization(plan, std::slice::from_ref(one), first).mean;
        }
        quotient(busy(one), servers * one.duration.0 as f64)
    };
    Some(Resource { owner, name, servers, held_ns: Box::new(held), share: Box::new(share) })
}

/// The parts of a component whose instances do different work, with the number of their instances
/// at the start: one of the first part, all others of the second.
fn parts(plan: &Plan, index: usize) -> impl Iterator<Item = (usize, String, f64)> + '_ {
    let facts = &plan.topology.components[index];
    let others = f64::from(facts.instances()) - 1.0;
    let names = plan.components[index - 1].facts().parts().iter().enumerate();
    names.map(move |(part, name)| {
        (part, format!("{}.{name}", facts.name), if part == 0 { 1.0 } else { others })
    })
}

fn part_cores(plan: &Plan, index: usize) -> Vec<Resource<'_>> {
    let cores = plan.topology.components[index].cores;
    if !(cores > 0.0 && cores.is_finite()) {
        return Vec::new();
    }
    let resource = |(part, owner, instances): (usize, String, f64)| Resource {
        owner,
        name: "cores".to_owned(),
        servers: cores * instances,
        held_ns: Box::new(move |one| one.ledger.components[index].parts[part].busy_ns),
        share: Box::new(move |one| {
            let part = one.ledger.components[index].parts[part];
            quotient(part.busy_ns, part.in_service_ns)
        }),
    };
    parts(plan, index).map(resource).collect()
}

fn part_slots(plan: &Plan, index: usize) -> Vec<Resource<'_>> {
    let facts = plan.components[index - 1].facts();
    let Some(each) = facts.slots() else { return Vec::new() };
    let resource = |(part, owner, instances): (usize, String, f64)| {
        let servers = f64::from(each) * instances;
        let held = move |one: &Observations| {
            one.figures[index].held.get(part).map_or(0.0, |held| held.integral() as f64)
        };
        Resource {
            owner,
            name: "connections".to_owned(),
            servers,
            held_ns: Box::new(held),
            share: Box::new(move |one| quotient(held(one), servers * one.duration.0 as f64)),
        }
    };
    parts(plan, index).map(resource).collect()
}

/// Whose a resource of these machines is: the host's that they all are, else the component's.
fn owner(plan: &Plan, machines: &[usize], component: usize) -> String {
    let host = match machines[..] {
        [machine] => plan.topology.machines[machine].host.clone(),
        _ => None,
    };
    host.unwrap_or_else(|| plan.topology.components[component].name.clone())
}

/// Slots that are held from start to answer; an event loop holds them for its work only, and that
/// is the cores' affair.
fn slots(plan: &Plan, index: usize) -> Option<Resource<'_>> {
    let (each, name) = match &plan.components[index - 1] {
        ComponentPlan::Service(service) if !service.asynchronous => (service.workers, "workers"),
        ComponentPlan::Database(database) => (database.connections, "connections"),
        _ => return None,
    };
    if each == UNLIMITED {
        return None;
    }
    let instances = f64::from(plan.topology.components[index].instances());
    // Who is present and does not wait holds a slot.
    let held = move |one: &Observations| {
        let ledger = &one.ledger.components[index];
        (ledger.present.integral() - ledger.waiting.integral()) as f64
    };
    // A slot that waits for a pool is held by the pool, and more slots would only wait as well.
    let links = &plan.topology.links;
    let of_itself = move |one: &Observations| {
        let own = links.iter().zip(&one.ledger.links);
        let own = own.filter(|(link, _)| link.caller.index() == index);
        held(one) - own.map(|(_, ledger)| ledger.pool_wait_ns as f64).sum::<f64>()
    };
    let share = move |one: &Observations| {
        let in_service = one.ledger.components[index].in_service.integral() as f64;
        quotient(held(one), f64::from(each) * in_service)
    };
    Some(Resource {
        owner: plan.topology.components[index].name.clone(),
        name: name.to_owned(),
        servers: f64::from(each) * instances,
        held_ns: Box::new(of_itself),
        share: Box::new(share),
    })
}

/// Connections that a caller keeps to one target.
fn pool(plan: &Plan, link: usize) -> Option<Resource<'_>> {
    let facts = &plan.topology.links[link];
    let size = facts.policy.pool?.size;
    if size == UNLIMITED {
        return None;
    }
    let caller = &plan.topology.components[facts.caller.index()];
    let servers = f64::from(size) * f64::from(caller.instances());
    let held = move |one: &Observations| one.ledger.links[link].pool_held_ns as f64;
    let share = move |one: &Observations| {
        let callers = one.ledger.components[facts.caller.index()].in_service.integral() as f64;
        quotient(held(one), f64::from(size) * callers)
    };
    Some(Resource {
        owner: caller.name.clone(),
        name: format!("pool to {}", plan.topology.components[facts.target().index()].name),
        servers,
        held_ns: Box::new(held),
        share: Box::new(share),
    })
}

/// Network interfaces with a limit.
fn interfaces(plan: &Plan, index: usize) -> Option<Resource<'_>> {
    let places = &plan.topology.components[index].places;
    let limited = |machine: &MachinePlan| machine.nic.is_some();
    device(plan, (index, None), places, ("network interface", limited, |one| &one.nic_utilization))
}

/// Disks that can be full: each database's machines with a limit on operations, by part.
fn disks(plan: &Plan, index: usize) -> Vec<Resource<'_>> {
    let ComponentPlan::Database(_) = &plan.components[index - 1] else { return Vec::new() };
    let places = &plan.topology.components[index].places[..];
    match plan.components[index - 1].facts().parts().is_empty() {
        true => disk(plan, (index, None), places).into_iter().collect(),
        false => {
            let (first, others) = places.split_at(1);
            let of = parts(plan, index).zip([first, others]);
            of.filter_map(|((_, name, _), places)| disk(plan, (index, Some(name)), places))
                .collect()
        }
    }
}

fn disk<'p>(plan: &'p Plan, of: (usize, Option<String>), places: &[Place]) -> Option<Resource<'p>> {
    let limited = |machine: &MachinePlan| machine.disk_gap.0 > 0;
    device(plan, of, places, ("disk", limited, |one| &one.disk_utilization))
}

/// What a device is called, which machines' are limited, and the shares of the time in which each
/// machine's is busy.
type DeviceSort = (&'static str, fn(&MachinePlan) -> bool, fn(&Observations) -> &Vec<f64>);

/// The limited devices of one sort of the machines of a component, or of a part of it.
fn device<'p>(
    plan: &'p Plan,
    (index, part): (usize, Option<String>),
    places: &[Place],
    (name, limited, utilization): DeviceSort,
) -> Option<Resource<'p>> {
    let mut machines: Vec<usize> = places.iter().map(|place| place.machine as usize).collect();
    machines.sort_unstable();
    machines.dedup();
    machines.retain(|&machine| limited(&plan.topology.machines[machine]));
    if machines.is_empty() {
        return None;
    }
    let servers = machines.len() as f64;
    let owner = part.unwrap_or_else(|| owner(plan, &machines, index));
    let busy = move |one: &Observations| -> f64 {
        let share = |&machine: &usize| utilization(one).get(machine).copied();
        machines.iter().filter_map(share).sum()
    };
    let share = busy.clone();
    Some(Resource {
        owner,
        name: name.to_owned(),
        servers,
        held_ns: Box::new(move |one| busy(one) * one.duration.0 as f64),
        share: Box::new(move |one| quotient(share(one), servers)),
    })
}
