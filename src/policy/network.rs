//! Network delay between two places: round trips as `ping` shows them, one draw per call, half of
//! it on the way there and half on the way back.
//!
//! It knows hosts, zones and regions as numbers, and nothing of what is sent.

use crate::config;
use crate::language::{Diagnostics, Span, Table};
use crate::random::{Distribution, Sampler};
use crate::units::Duration;

config! {
    /// Round-trip times, as `ping` shows them. Half of one is a way.
    pub struct NetworkConfig {
        /// Between two components on one machine.
        within_host: Distribution = "0s",
        /// Between two machines of one zone.
        within_zone: Distribution = "0s" source "AWS: 0.1-0.3 ms measured",
        /// Between two zones of a region.
        between_zones: Distribution = "0s" source "AWS: 0.5-1.5 ms measured",
        /// Between a user and the entry in the user's own region.
        users: Distribution = "0s" source "a choice; p50 30-60 ms to a region of the continent",
        /// Between two regions, by pair: `us <-> eu`. A user far from the entry has it on top.
        links: Table<LinkConfig> = "{}",
        /// Between two regions that are no pair of `links` and have no known locations.
        default: Option<Distribution> = "none",
        /// Round trips that opening a connection takes, paid after a timeout has closed one.
        connect: u64 = "0" in 0..=100 source "TCP 1, with TLS 1.3 2",
    }
}

config! {
    /// The way between two regions.
    pub struct LinkConfig, short = rtt {
        /// The round trip.
        rtt: Distribution = required,
    }
    unbuilt { bandwidth: "links that fill up", loss: "lost messages" }
}

/// A region as the network needs to know it.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its name in the scenario.
    pub name: String,
    /// Which known place it is, if it says so.
    pub location: Option<Location>,
}

/// A known place and its distance to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location(usize);

/// Names of the known places: regions of Amazon Web Services.
const LOCATIONS: [&str; 8] = [
    "us_east_1",
    "us_west_2",
    "eu_west_1",
    "eu_central_1",
    "ap_northeast_1",
    "ap_southeast_1",
    "ap_southeast_2",
    "sa_east_1",
];

/// Round trips between known places in milliseconds, measured between virtual machines in 2017
/// ("AWS regions", A Computer Scientist Learns AWS, April 2017); today's are 5 to 20 % shorter.
const TRIPS_MS: [(usize, usize, f64); 13] = [
    (0, 1, 87.0),
    (0, 2, 80.5),
    (0, 3, 88.7),
    (0, 4, 145.0),
    (0, 5, 217.0),
    (0, 6, 230.0),
    (0, 7, 120.0),
    (1, 4, 89.0),
    (2, 3, 19.6),
    (2, 4, 212.0),
    (2, 5, 239.0),
    (2, 6, 310.0),
    (4, 5, 74.0),
];

impl Location {
    /// The place of a name.
    pub fn of(name: &str) -> Option<Self> {
        LOCATIONS.iter().position(|known| *known == name).map(Self)
    }

    /// All names.
    pub const fn names() -> &'static [&'static str] {
        &LOCATIONS
    }

    /// The round trip to another place, where it was measured.
    fn trip_to(self, other: Self) -> Option<Duration> {
        let pair = (self.0.min(other.0), self.0.max(other.0));
        let found = TRIPS_MS.iter().find(|(from, to, _)| (*from, *to) == pair);
        found.map(|(_, _, ms)| Duration((ms * 1e6) as i64))
    }
}

impl NetworkConfig {
    /// The plan for some regions; `place` is where a missing pair is reported.
    pub fn plan(&self, sites: &[Site], place: Span, out: &mut Diagnostics) -> NetworkPlan {
        let mut plan = NetworkPlan {
            within_host: self.within_host.value.plan(),
            within_zone: self.within_zone.value.plan(),
            between_zones: self.between_zones.value.plan(),
            users: self.users.value.plan(),
            between_regions: vec![Sampler::constant(0); sites.len() * sites.len()],
            connect: self.connect.value as u32,
        };
        let at = |name: &str| sites.iter().position(|site| site.name == name.trim());
        let mut written = vec![None; sites.len() * sites.len()];
        for (key, link) in self.links.iter() {
            let ends = key.value.split_once("<->").map(|(from, to)| (at(from), at(to)));
            let Some((Some(from), Some(to))) = ends.filter(|(from, to)| from != to) else {
                let message = format!("`{}` is no pair of regions", key.value);
                let names: Vec<&str> = sites.iter().map(|site| site.name.as_str()).collect();
                let help = match names[..] {
                    [] => "there are no `regions`".to_owned(),
                    _ => format!("write `a <-> b` with two of {}", names.join(", ")),
                };
                out.error("E0504", key.span, message).help(help);
                continue;
            };
            written[from * sites.len() + to] = Some(link.rtt.value.plan());
            written[to * sites.len() + from] = Some(link.rtt.value.plan());
        }
        for from in 0..sites.len() {
            for to in 0..sites.len() {
                let pair = from * sites.len() + to;
                if from == to {
                    continue;
                }
                let known = || {
                    let trip = sites[from].location?.trip_to(sites[to].location?)?;
                    Some(Sampler::constant(trip.0))
                };
                let default = || self.default.value.as_ref().map(Distribution::plan);
                let found = written[pair].take().or_else(known).or_else(default);
                if found.is_none() && from < to {
                    let (from, to) = (&sites[from].name, &sites[to].name);
                    let message = format!("how far is it from `{from}` to `{to}`?");
                    out.error("E0504", place, message).help(format!(
                        "write `network: {{ links: {{ {from} <-> {to}: {{ rtt: 80ms }} }} }}`, or \
                         give both regions a `location`"
                    ));
                }
                plan.between_regions[pair] = found.unwrap_or_else(|| Sampler::constant(0));
            }
        }
        plan
    }
}

/// Where an instance stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The machine.
    pub machine: u32,
    /// The zone, from 0, among those of all regions.
    pub zone: u16,
    /// The region, from 0.
    pub region: u16,
}

/// Round-trip times.
#[derive(Clone, Debug)]
pub struct NetworkPlan {
    /// Between two components on one machine.
    pub within_host: Sampler,
    /// Between two machines of one zone.
    pub within_zone: Sampler,
    /// Between two zones of a region.
    pub between_zones: Sampler,
    /// Between a user and the entry.
    pub users: Sampler,
    /// By pair of regions, row by row.
    pub between_regions: Vec<Sampler>,
    /// Round trips that opening a connection takes.
    pub connect: u32,
}

impl NetworkPlan {
    /// No delay anywhere, among so many regions.
    pub fn none(regions: usize) -> Self {
        let zero = || Sampler::constant(0);
        Self {
            within_host: zero(),
            within_zone: zero(),
            between_zones: zero(),
            users: zero(),
            between_regions: vec![zero(); regions * regions],
            connect: 0,
        }
    }

    /// The mean round trip between two regions in nanoseconds; 0 within one.
    pub fn distance_ns(&self, regions: usize, from: u16, to: u16) -> f64 {
        let pair = from as usize * regions + to as usize;
        self.between_regions.get(pair).map_or(0.0, Sampler::mean_ns)
    }
}
