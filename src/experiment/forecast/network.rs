//! The whole system as a network of stations: response time, and throughput of closed users.
//!
//! A network has product form where every station is first come, first served with exponential work
//! of one mean, or shares its cores, or delays only (Baskett, Chandy, Muntz, Palacios 1975), and no
//! slot is held while another station is called. Then an open network is Jackson's and a closed one
//! has exact mean values. The bounds of closed users need none of that.

use super::closed::{self, Station};
use super::erlang::erlang_c;
use super::station::{
    Discipline, is_exponential, is_transparent, poisson_rate, probes_are_nothing, station,
};
use super::{Said, Seen, laws};
use crate::components::ComponentPlan;
use crate::components::service::{ServicePlan, Step};
use crate::components::topology::Chooser;
use crate::engine::slots::UNLIMITED;
use crate::experiment::statistics::Estimate;
use crate::experiment::summary::{Formula, Unit};
use crate::policy::balance::Strategy;
use crate::random::Sampler;
use crate::world::users::load::Source;

/// What a request asks of a network.
struct Network {
    stations: Vec<Station>,
    /// Time at no station, in seconds.
    delay_s: f64,
}

/// What is said of all requests together.
pub(super) fn formulas(seen: &Seen<'_>) -> Vec<Formula> {
    let overall = seen.context.overall;
    let (latency, throughput) = (overall.answered_ms.mean, overall.throughput_rps);
    let said = match &seen.plan().users.source {
        Source::Open { .. } => open(seen).map(|said| (said, latency)).into_iter().collect(),
        Source::Closed { think } => closed_users(seen, think.mean_ns() / 1e9, latency, throughput),
    };
    said.into_iter().map(|(said, measured)| seen.beside(None, said, measured)).collect()
}

/// The mean response time of a Jackson network; of a single station its own formula says enough.
fn open(seen: &Seen<'_>) -> Option<Said> {
    let rate = poisson_rate(seen)?;
    let network = product_form(seen)?;
    if network.stations.len() < 2 {
        return None;
    }
    let mut response_s = network.delay_s;
    for station in network.stations {
        let whole = station.servers.fract() == 0.0;
        // As many are present as with one visit of all the work.
        let queue = erlang_c(rate, station.demand_s, station.servers as u32).filter(|_| whole)?;
        response_s += station.demand_s + queue.wait_s;
    }
    Some(Said::new("Jackson network", LATENCY, Unit::Milliseconds, response_s * 1e3))
}

const LATENCY: &str = "mean latency";
const THROUGHPUT: &str = "throughput";

fn closed_users(
    seen: &Seen<'_>,
    think_s: f64,
    latency: Estimate,
    throughput: Estimate,
) -> Vec<(Said, Estimate)> {
    let users = seen.plan().users.count;
    let per_second = |name: &str, value| Said::new(name, THROUGHPUT, Unit::PerSecond, value);
    let time =
        |name: &str, value_s: f64| Said::new(name, LATENCY, Unit::Milliseconds, value_s * 1e3);
    let mut list = Vec::new();
    let exact = product_form(seen)
        .and_then(|network| closed::exact(&network.stations, network.delay_s, think_s, users));
    let bounds = demands(seen)
        .and_then(|network| closed::bounds(&network.stations, network.delay_s, think_s, users));
    if let Some(found) = exact {
        const NAME: &str = "exact mean values";
        list.push((per_second(NAME, found.throughput), throughput));
        list.push((time(NAME, found.response_s), latency));
    }
    if let Some(found) = bounds {
        const NAME: &str = "asymptotic bound";
        if exact.is_none() {
            list.push((per_second(NAME, found.throughput).at_most(), throughput));
            list.push((time(NAME, found.response_s).at_least(), latency));
        }
        let said = Said::new(NAME, "users at saturation", Unit::Count, found.saturation);
        list.push((said, Estimate::NO_DATA));
    }
    list
}

/// The components that requests reach.
fn reached<'a>(seen: &'a Seen<'_>) -> impl Iterator<Item = usize> + 'a {
    (1..seen.plan().topology.components.len()).filter(|&index| seen.rate(index) > 0.0)
}

/// The system as a network of product form, if it is one.
fn product_form(seen: &Seen<'_>) -> Option<Network> {
    let topology = &seen.plan().topology;
    let one_place = topology.regions() == 1 && takes_no_time(seen);
    if !(one_place && sends_one_by_one(seen) && links_are_plain(seen)) {
        return None;
    }
    let mut network = Network { stations: Vec::new(), delay_s: 0.0 };
    for index in reached(seen) {
        if is_transparent(seen, index) {
            continue;
        }
        let found = station(seen, index).filter(|_| probes_are_nothing(seen, index))?;
        network.delay_s += delay_s(seen, index);
        let demand_s = laws::work_s(seen, index);
        let servers = match found.discipline {
            Discipline::Slots { servers, places: UNLIMITED } => {
                has_one_exponential_law(found.service).then_some(f64::from(servers))?
            }
            Discipline::Slots { .. } => return None,
            Discipline::Shared { cores } => cores,
        };
        if servers.is_infinite() {
            network.delay_s += demand_s;
            continue;
        }
        let each = demand_s / f64::from(found.instances);
        let station = Station { demand_s: each, servers };
        network.stations.extend((0..found.instances).map(|_| station));
    }
    Some(network)
}

/// What a request asks of the cores, whatever the laws and the queues; none where branches run side
/// by side or the work depends on what a cache happens to hold.
fn demands(seen: &Seen<'_>) -> Option<Network> {
    let plan = seen.plan();
    let steady = |one: &ComponentPlan| match one {
        ComponentPlan::Cache(_) | ComponentPlan::Cdn(_) => false,
        ComponentPlan::Service(service) => {
            let beside = |step: &Step| matches!(step, Step::Parallel { .. });
            service.scaling.is_none() && !service.steps.iter().any(beside)
        }
        _ => one.facts().parts().is_empty(),
    };
    let alone = |index: usize| {
        let places = plan.topology.components[index].places.iter();
        places
            .map(|place| &plan.topology.machines[place.machine as usize])
            .all(|one| one.tenants.len() == 1)
    };
    let sound = plan.faults.is_empty() && seen.context.overall.failed() == 0;
    if !(sound && sends_one_by_one(seen) && plan.components.iter().all(steady)) {
        return None;
    }
    let mut network = Network { stations: Vec::new(), delay_s: 0.0 };
    for index in reached(seen) {
        let (demand_s, cores) = (laws::work_s(seen, index), laws::cores(seen, index));
        network.delay_s += delay_s(seen, index);
        match cores.is_finite() && cores > 0.0 {
            true if !alone(index) => return None,
            true => network.stations.push(Station { demand_s, servers: cores }),
            false => network.delay_s += demand_s,
        }
    }
    Some(network)
}

/// Expected time of a request at a component without cores and calls, in seconds.
fn delay_s(seen: &Seen<'_>, index: usize) -> f64 {
    let topology = &seen.plan().topology;
    let facts = seen.plan().components[index - 1].facts();
    let here = seen.flow.rates.iter().filter(|(visit, _)| visit.component.index() == index);
    let each = here.map(|(visit, rate)| rate * facts.delay_ns(*visit, topology));
    each.sum::<f64>() / 1e9 / seen.flow.requests
}

/// Whether a user sends a request only after the answer to the last.
fn sends_one_by_one(seen: &Seen<'_>) -> bool {
    let users = &seen.plan().users;
    users.visits.is_none() && users.operations.iter().all(|one| one.loads.is_none())
}

fn takes_no_time(seen: &Seen<'_>) -> bool {
    let network = &seen.plan().topology.network;
    let ways = [&network.within_host, &network.within_zone, &network.between_zones, &network.users];
    ways.into_iter().all(|way| way.mean_ns() == 0.0)
}

/// Whether all calls go to the only instance, or to one drawn for each, and none is given up.
fn links_are_plain(seen: &Seen<'_>) -> bool {
    let mut links = seen.plan().topology.links.iter().enumerate();
    links.all(|(number, link)| {
        let drawn = link.targets.len() == 1 || link.balance.strategy == Strategy::Random;
        let usual = link.chooser == Chooser::Balancer && !link.nearest;
        drawn && usual && seen.is_quiet(number)
    })
}

/// Whether all pieces of work of a service have one exponential law.
fn has_one_exponential_law(service: &ServicePlan) -> bool {
    let laws = service.steps.iter().filter_map(|step| match step {
        Step::Work { law, .. } => Some(law),
        _ => None,
    });
    let mut means: Vec<f64> = laws.clone().map(Sampler::mean_ns).collect();
    means.dedup();
    means.len() == 1 && laws.into_iter().all(is_exponential)
}
