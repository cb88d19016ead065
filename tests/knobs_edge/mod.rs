//! Edge caches, items that change by themselves, and network interfaces: every knob has the effect
//! that it names, by arithmetic or against a slow and obvious model (`model`).
//!
//! Nothing takes time unless a test says so, so that requests happen one after the other.

mod contents;
pub mod model;
mod money;
mod pipes;
mod push;
mod shield;
mod stale;
mod versions;
mod ways;

use crate::knobs_data::bench::{Trial, run};
use simscale::components::record::Note;
use simscale::engine::stream::DrawKey;

/// Users who read files at an edge cache before its origin.
pub struct Edge<'a> {
    /// Further keys of the users.
    pub users: &'a str,
    /// Keys of the data set `files`.
    pub data: &'a str,
    /// Keys of the edge cache.
    pub edge: &'a str,
    /// Keys of the origin.
    pub origin: &'a str,
    /// Further lines of the file.
    pub more: &'a str,
}

/// An origin that answers at once.
pub const SERVICE: &str =
    "kind: service, machine: { cores: unlimited }, workers: unlimited, work: 0s";
/// The same as a store that knows versions.
pub const DATABASE: &str =
    "kind: database, query: 0s, log: 0s, machine: { cores: unlimited, disk: { iops: unlimited } }";
/// An origin that needs 100 ms.
pub const SLOW: &str = "kind: service, machine: { cores: unlimited }, workers: unlimited, \
                        handle: { default: [ wait: 100ms ] }";

impl Default for Edge<'_> {
    fn default() -> Self {
        Self {
            users: "rate: 400/s",
            data: "items: 60, popularity: { zipf: 0.7 }",
            edge: "capacity: 20, start: cold",
            origin: SERVICE,
            more: "run: { duration: 20s, warmup: 0s }",
        }
    }
}

impl Edge<'_> {
    /// The scenario.
    pub fn text(&self) -> String {
        let Self { users, data, edge, origin, more } = self;
        let edge = match edge.contains("hit_latency") {
            true => (*edge).to_owned(),
            false => format!("{edge}, hit_latency: 0s"),
        };
        let users = match users.contains("operations") {
            true => (*users).to_owned(),
            false => format!("{users}, operations: {{ look: {{ reads: files }} }}"),
        };
        format!(
            "\
users: {{ {users}, client: {{ timeout: none }} }}
entry: edge
data:
  files: {{ {data} }}
components:
  edge: {{ kind: cdn, origin: origin, {edge} }}
  origin: {{ {origin} }}
network: {{ users: 0s, within_zone: 0s }}
{more}
"
        )
    }

    /// Its first replication.
    pub fn run(&self) -> Trial {
        run(&self.text())
    }
}

/// One call that was put onto the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sent {
    /// When, in nanoseconds.
    pub at: i64,
    /// To which instance.
    pub node: u16,
    /// Its request.
    pub request: DrawKey,
    /// The data set and the item, where it is about one.
    pub item: Option<(usize, u64)>,
}

/// All calls that were sent to a component, in order; those before the measured time, too.
pub fn calls(trial: &Trial, name: &str) -> Vec<Sent> {
    let facts = &trial.experiment.plan.topology.components;
    let target = facts.iter().position(|one| one.name == name).expect("the component is there");
    let calls = trial.notes.iter().filter_map(|note| match *note {
        Note::Called { request, component, instance, at, data, item, .. }
            if component.index() == target =>
        {
            let item = data.map(|data| (data.index(), item));
            Some(Sent { at: at.0, node: instance, request, item })
        }
        _ => None,
    });
    calls.collect()
}

/// The user of each request, in the order of arrival.
pub fn senders(trial: &Trial) -> Vec<(DrawKey, u32)> {
    let sent = trial.notes.iter().filter_map(|note| match *note {
        Note::Sent { request, user, .. } => Some((request, user)),
        _ => None,
    });
    sent.collect()
}

/// Requests of the measured time that failed.
pub fn failed(trial: &Trial) -> u64 {
    trial.observed.users.iter().map(|ledger| ledger.failed_total()).sum()
}

/// Requests that reached a component in the measured time, of all operations.
pub fn arrived(trial: &Trial, name: &str) -> u64 {
    trial.component(name).operations.iter().map(|row| row.arrived).sum()
}
