//! Stations of the forms that textbooks know, and what their formulas say.
//!
//! A station is a service that does nothing but one piece of work per call, with a core for every
//! slot, one queue per instance in order of arrival, and nothing that disturbs it. Calls come at
//! random straight from the users, or through a balancer without work of its own.

use super::erlang::{allen_cunneen, erlang_b, erlang_c, limited, pollaczek_khinchine, shared};
use super::{Said, Seen};
use crate::components::ComponentPlan;
use crate::components::service::{ServicePlan, Step};
use crate::components::topology::Chooser;
use crate::engine::slots::{Order, UNLIMITED};
use crate::experiment::statistics::Estimate;
use crate::experiment::summary::{Formula, Unit};
use crate::policy::balance::Strategy;
use crate::random::Sampler;
use crate::world::users::load::Source;

/// How one instance serves the calls that are there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Discipline {
    /// First come, first served, by so many slots with a core each.
    Slots {
        /// How many.
        servers: u32,
        /// How many calls may wait.
        places: u32,
    },
    /// All who are present share the cores.
    Shared {
        /// How many; infinite where nobody has to share.
        cores: f64,
    },
}

/// A service that a formula may be about.
pub(super) struct Station<'p> {
    pub(super) service: &'p ServicePlan,
    pub(super) discipline: Discipline,
    pub(super) instances: u16,
    /// Of the machines: work takes its time over this.
    pub(super) speed: f64,
}

/// How calls come to the instances of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// At random: to the only one, or to one drawn for each call.
    Random,
    /// In turn, or to one with few calls: better than at random.
    Balanced,
}

/// The station that a component is, if it is one.
pub(super) fn station<'p>(seen: &'p Seen<'_>, index: usize) -> Option<Station<'p>> {
    let plan = seen.plan();
    let ComponentPlan::Service(service) = &plan.components[index - 1] else { return None };
    let facts = &plan.topology.components[index];
    let machines = facts.places.iter().map(|place| &plan.topology.machines[place.machine as usize]);
    let speed = machines.clone().next()?.speed;
    let alone = machines.clone().all(|one| one.tenants.len() == 1 && one.speed == speed);
    let queue = &service.queue;
    let orderly = queue.order == Order::Fifo && queue.timeout.is_none() && !queue.preemptive;
    let plain = |step: &Step| {
        use Step::{Again, Call, Choose, End, Jump, Repeat, Wait, Work};
        match step {
            Call { optional, .. } => !optional,
            Work { .. } | Wait { .. } | Repeat { .. } | Again { .. } | Choose { .. } => true,
            Jump { .. } | End => true,
            _ => false,
        }
    };
    let undisturbed = plan.faults.is_empty() && service.scaling.is_none();
    if !(alone && orderly && undisturbed && service.steps.iter().all(plain)) {
        return None;
    }
    let discipline = match service.workers {
        UNLIMITED => Discipline::Shared { cores: facts.cores },
        // More slots than cores share these, and yet keep others waiting.
        servers if f64::from(servers) > facts.cores => return None,
        servers if service.asynchronous || only_work(seen, service).is_some() => {
            Discipline::Slots { servers, places: queue.places }
        }
        _ => return None,
    };
    Some(Station { service, discipline, instances: facts.instances(), speed })
}

/// The law of the one piece of work that is all a service does for a call.
pub(super) fn only_work<'p>(seen: &Seen<'_>, service: &'p ServicePlan) -> Option<&'p Sampler> {
    let probe = seen.plan().topology.probe().index();
    let programs = service.entries.iter().enumerate();
    let mut starts: Vec<u16> =
        programs.filter(|&(operation, _)| operation != probe).map(|(_, &start)| start).collect();
    starts.dedup();
    let [start] = starts[..] else { return None };
    match service.steps.get(usize::from(start)..)? {
        [Step::Work { law, .. }, Step::End, ..] => Some(law),
        _ => None,
    }
}

/// Whether the work has no memory.
pub(super) fn is_exponential(law: &Sampler) -> bool {
    let mean = law.mean_ns();
    // A variance of 1 is not enough: other laws have it too.
    let as_exponential =
        |means: f64| (law.survival(means * mean) / (-means).exp() - 1.0).abs() < 1e-6;
    mean > 0.0 && [0.1, 0.5, 1.0, 2.0, 5.0].into_iter().all(as_exponential)
}

/// The constant rate of single independent requests that users send, without pages and visits.
pub(super) fn poisson_rate(seen: &Seen<'_>) -> Option<f64> {
    let users = &seen.plan().users;
    let Source::Open { arrivals, profile, .. } = &users.source else { return None };
    let single = users.visits.is_none() && users.operations.iter().all(|one| one.loads.is_none());
    let one_place = seen.plan().topology.regions() == 1;
    (arrivals.is_poisson() && profile.is_constant() && single && one_place)
        .then_some(seen.flow.requests)
}

/// How a Poisson stream of the users reaches a component; none where something else reaches it, or
/// something is done to it on the way.
fn reach(seen: &Seen<'_>, index: usize) -> Option<Reach> {
    poisson_rate(seen)?;
    let topology = &seen.plan().topology;
    let mut found = None;
    for (number, link) in topology.links.iter().enumerate() {
        if !link.targets.iter().any(|(target, _)| target.index() == index) {
            continue;
        }
        let straight = match link.caller.index() {
            0 => true,
            caller => is_transparent(seen, caller) && reach(seen, caller) == Some(Reach::Random),
        };
        let same = link.targets.iter().all(|(target, _)| target.index() == index);
        let usual = link.chooser == Chooser::Balancer && !link.nearest && seen.is_quiet(number);
        if !(straight && same && usual && probes_are_nothing(seen, index)) {
            return None;
        }
        let here = match link.balance.strategy {
            _ if link.targets.len() == 1 => Reach::Random,
            Strategy::Random => Reach::Random,
            Strategy::RoundRobin | Strategy::LeastConnections => Reach::Balanced,
            _ => return None,
        };
        if found.is_some_and(|before| before != here) {
            return None;
        }
        found = Some(here);
    }
    found
}

/// Whether a component is a single balancer that takes no time.
pub(super) fn is_transparent(seen: &Seen<'_>, index: usize) -> bool {
    let alone = seen.plan().topology.components[index].instances() == 1;
    let ComponentPlan::LoadBalancer(balancer) = &seen.plan().components[index - 1] else {
        return false;
    };
    alone && balancer.work.as_ref().is_none_or(|work| work.mean_ns() == 0.0)
}

/// Whether a health check, where there is one, is answered without work.
pub(super) fn probes_are_nothing(seen: &Seen<'_>, index: usize) -> bool {
    let ComponentPlan::Service(service) = &seen.plan().components[index - 1] else { return true };
    let program = service.entries[seen.plan().topology.probe().index()];
    matches!(service.steps.get(usize::from(program)), None | Some(Step::End))
}

/// What the formulas say about a component.
pub(super) fn formulas(seen: &Seen<'_>, index: usize) -> Vec<Formula> {
    let found = || {
        let station = station(seen, index)?;
        let law = only_work(seen, station.service)?;
        Some((reach(seen, index)?, station, law))
    };
    let Some((reach, station, law)) = found() else { return Vec::new() };
    let rate = seen.rate(index);
    if rate <= 0.0 {
        return Vec::new();
    }
    let work = Work { mean_s: law.mean_ns() / 1e9 / station.speed, law };
    let said = match (reach, station.discipline) {
        (Reach::Random, Discipline::Slots { servers, places }) => {
            slots(rate / f64::from(station.instances), &work, servers, places)
        }
        (Reach::Random, Discipline::Shared { cores }) => {
            sharing(rate / f64::from(station.instances), &work, cores)
        }
        (Reach::Balanced, Discipline::Slots { servers, places: UNLIMITED }) => {
            balanced(rate, &work, servers, station.instances)
        }
        _ => Vec::new(),
    };
    said.into_iter()
        .map(|said| {
            let measured = measured(seen, index, said.quantity);
            seen.beside(Some(index), said, measured)
        })
        .collect()
}

const WAIT: &str = "mean wait";
const WAITS: &str = "share that waits";
const REJECTED: &str = "share rejected";
const SOJOURN: &str = "mean sojourn";

fn measured(seen: &Seen<'_>, index: usize, quantity: &str) -> Estimate {
    let component = seen.component(index);
    match quantity {
        WAIT => component.wait_ms.mean,
        WAITS => component.prob_wait,
        REJECTED => component.rejected,
        _ => component.sojourn_ms.mean,
    }
}

/// The work of a call.
struct Work<'p> {
    mean_s: f64,
    law: &'p Sampler,
}

fn slots(rate: f64, work: &Work<'_>, servers: u32, places: u32) -> Vec<Said> {
    let (mean_s, scv, exponential) = (work.mean_s, work.law.scv(), is_exponential(work.law));
    let queue = |name: String, queue: super::erlang::Queue| {
        vec![
            Said::new(name.clone(), WAIT, Unit::Milliseconds, queue.wait_s * 1e3),
            Said::new(name, WAITS, Unit::Ratio, queue.prob_wait),
        ]
    };
    match (places, exponential, servers) {
        (0, ..) => {
            let blocked = erlang_b(rate * mean_s, servers);
            vec![Said::new(
                format!("Erlang B, M/G/{servers}/{servers}"),
                REJECTED,
                Unit::Ratio,
                blocked,
            )]
        }
        (UNLIMITED, true, _) => erlang_c(rate, mean_s, servers)
            .map_or_else(Vec::new, |found| queue(format!("Erlang C, M/M/{servers}"), found)),
        (UNLIMITED, false, 1) => pollaczek_khinchine(rate, mean_s, scv)
            .map_or_else(Vec::new, |found| queue("Pollaczek-Khinchine, M/G/1".to_owned(), found)),
        (UNLIMITED, false, _) => allen_cunneen(rate, mean_s, scv, servers)
            .map(|wait_s| {
                let name = format!("Allen-Cunneen, M/G/{servers}");
                Said::new(name, WAIT, Unit::Milliseconds, wait_s * 1e3)
                    .assuming("that variance acts as with one server (approximation)")
            })
            .into_iter()
            .collect(),
        (places, true, _) => {
            let room = limited(rate, mean_s, servers, places);
            let name = format!("M/M/{servers}/{}", u64::from(servers) + u64::from(places));
            vec![
                Said::new(name.clone(), REJECTED, Unit::Ratio, room.rejected),
                Said::new(name, WAIT, Unit::Milliseconds, room.wait_s * 1e3),
            ]
        }
        // Of the laws in between there is no formula in closed form.
        (_, false, _) => Vec::new(),
    }
}

fn sharing(rate: f64, work: &Work<'_>, cores: f64) -> Vec<Said> {
    if !(cores.is_finite() && cores.fract() == 0.0) {
        return Vec::new();
    }
    let cores = cores as u32;
    let name = format!("processor sharing, M/G/{cores}-PS");
    let found = shared(rate, work.mean_s, cores);
    found
        .map(|time_s| Said::new(name, SOJOURN, Unit::Milliseconds, time_s * 1e3))
        .into_iter()
        .collect()
}

/// Between what one queue for all could do and what drawing an instance would.
fn balanced(rate: f64, work: &Work<'_>, servers: u32, instances: u16) -> Vec<Said> {
    if !is_exponential(work.law) {
        return Vec::new();
    }
    let all = servers * u32::from(instances);
    let pooled = erlang_c(rate, work.mean_s, all);
    let drawn = erlang_c(rate / f64::from(instances), work.mean_s, servers);
    let (Some(pooled), Some(drawn)) = (pooled, drawn) else { return Vec::new() };
    let said = |name, wait_s: f64| Said::new(name, WAIT, Unit::Milliseconds, wait_s * 1e3);
    vec![
        said(format!("Erlang C, M/M/{all}"), pooled.wait_s)
            .at_least()
            .assuming("one queue for all instances"),
        said(format!("Erlang C, M/M/{servers}"), drawn.wait_s)
            .at_most()
            .assuming("that each call draws an instance"),
    ]
}
