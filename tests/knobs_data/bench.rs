//! The bench on which one knob is turned: a scenario as text, its first replication, its figures.

use simscale::components::ledger::{ComponentLedger, LinkLedger, OperationLedger};
use simscale::components::outcome::{Cause, Failure};
use simscale::components::record::Note;
use simscale::experiment::{Experiment, Warmup, prepare};
use simscale::language::{RenderOptions, render};
use simscale::metrics::Histogram;
use simscale::scenario::file::{Request, load};
use simscale::units::Duration;
use simscale::world::users::ledger::UserLedger;
use simscale::world::{Conditions, Observations, simulate_recorded};
use std::collections::BTreeMap;

/// One replication of a scenario.
pub struct Trial {
    pub experiment: Experiment,
    pub observed: Observations,
    pub notes: Vec<Note>,
}

/// One user request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Story {
    /// Its arrival in milliseconds.
    pub at_ms: f64,
    /// From its arrival to its end.
    pub took_ms: f64,
    pub operation: usize,
    pub failure: Option<Failure>,
}

/// One call about an item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Access {
    pub request: simscale::engine::stream::DrawKey,
    pub data: usize,
    pub item: u64,
}

/// Reads a scenario, which must be free of mistakes.
pub fn read(text: &str) -> Experiment {
    let request = Request { path: "system.yaml", ..Request::default() };
    let mut loaded = load(request, &mut |_| Ok(text.as_bytes().to_vec()));
    let experiment = prepare(&mut loaded, "system.yaml").into_iter().next();
    let mistakes = || render(&loaded.sources, &loaded.diagnostics, RenderOptions::default());
    experiment.unwrap_or_else(|| panic!("{text}\n{}", mistakes()))
}

/// What is said about a scenario: the codes and messages of its diagnostics, in order.
pub fn said(text: &str) -> Vec<String> {
    let request = Request { path: "system.yaml", ..Request::default() };
    let mut loaded = load(request, &mut |_| Ok(text.as_bytes().to_vec()));
    let _ = prepare(&mut loaded, "system.yaml");
    loaded.diagnostics.iter().map(|one| format!("{} {}", one.code, one.message)).collect()
}

/// Runs the first replication of a scenario.
pub fn run(text: &str) -> Trial {
    let experiment = read(text);
    let warmup = match experiment.settings.warmup {
        Warmup::Fixed(warmup) => warmup,
        Warmup::Auto | Warmup::AtLeast(_) => Duration(0),
    };
    let seed = experiment.settings.seed;
    let conditions = Conditions { seed, replication: 0, warmup, faults: true, stop: None };
    let (observed, notes) = simulate_recorded(&experiment.plan, conditions);
    Trial { experiment, observed, notes }
}

impl Trial {
    /// The users' figures of the first operation.
    pub fn users(&self) -> &UserLedger {
        &self.observed.users[0]
    }

    /// The users' figures of an operation.
    pub fn operation(&self, name: &str) -> &UserLedger {
        let mut operations = self.experiment.plan.topology.operations.iter();
        let found = operations.position(|one| one.name == name);
        &self.observed.users[found.expect("the scenario has the operation")]
    }

    fn number(&self, name: &str) -> usize {
        let mut components = self.experiment.plan.topology.components.iter();
        components.position(|one| one.name == name).expect("the scenario has the component")
    }

    /// The figures of a component.
    pub fn component(&self, name: &str) -> &ComponentLedger {
        &self.observed.ledger.components[self.number(name)]
    }

    /// The figures of a component and the first operation.
    pub fn row(&self, name: &str) -> &OperationLedger {
        &self.component(name).operations[0]
    }

    /// The figures of a link between two components.
    pub fn link(&self, caller: &str, callee: &str) -> LinkLedger {
        let ends = (self.number(caller), self.number(callee));
        let mut links = self.experiment.plan.topology.links.iter();
        let found = links.position(|one| (one.caller.index(), one.target().index()) == ends);
        self.observed.ledger.links[found.expect("the caller calls")]
    }

    /// A ratio that a kind adds: the parts and the whole.
    pub fn ratio(&self, component: &str, figure: &str) -> (u64, u64) {
        let found = self.observed.figures[self.number(component)].ratio(figure);
        let ratio = found.expect("the kind has the ratio");
        (ratio.parts.iter().sum(), ratio.of.iter().sum())
    }

    /// A count that a kind adds.
    pub fn counted(&self, component: &str, figure: &str) -> u64 {
        let found = self.observed.figures[self.number(component)].count(figure);
        found.expect("the kind has the count").iter().sum()
    }

    /// When calls were sent to a component, in milliseconds, and to which instance.
    pub fn sent_to(&self, name: &str) -> Vec<(f64, u16)> {
        let target = self.number(name);
        let calls = self.notes.iter().filter_map(|note| match *note {
            Note::Called { component, instance, at, .. } if component.index() == target => {
                Some((at.0 as f64 / 1e6, instance))
            }
            _ => None,
        });
        calls.collect()
    }

    /// Hits and lookups of a cache, by window.
    pub fn hits(&self, name: &str) -> (Vec<u64>, Vec<u64>) {
        let ratio = self.observed.figures[self.number(name)].ratio("hit_ratio").expect("a cache");
        (ratio.parts.clone(), ratio.of.clone())
    }

    /// Hits and lookups of a cache.
    pub fn all_hits(&self, name: &str) -> (u64, u64) {
        let (hits, lookups) = self.hits(name);
        (hits.iter().sum(), lookups.iter().sum())
    }

    /// Mean number of busy cores of a component.
    pub fn busy_cores(&self, name: &str) -> f64 {
        self.component(name).busy_ns / self.observed.duration.0 as f64
    }

    /// The requests in the order of their ends.
    pub fn stories(&self) -> Vec<Story> {
        let mut sent = BTreeMap::new();
        let mut stories = Vec::new();
        for note in &self.notes {
            match *note {
                Note::Sent { request, at, operation, .. } => {
                    sent.insert(request, (at, operation.index()));
                }
                Note::Ended { request, at: end, failure } => {
                    let (at, operation) = sent[&request];
                    let took_ms = (end.0 - at.0) as f64 / 1e6;
                    let at_ms = at.0 as f64 / 1e6;
                    stories.push(Story { at_ms, took_ms, operation, failure });
                }
                _ => {}
            }
        }
        stories
    }

    /// The user requests of the measured time in the order of their arrivals: keys of their draws,
    /// arrivals in milliseconds, operations.
    pub fn requests(&self) -> Vec<(simscale::engine::stream::DrawKey, f64, usize)> {
        let end_ms = self.observed.duration.0 as f64 / 1e6;
        let sent = self.notes.iter().filter_map(|note| match *note {
            Note::Sent { request, at, operation, .. } => {
                Some((request, at.0 as f64 / 1e6, operation.index()))
            }
            _ => None,
        });
        sent.filter(|one| one.1 < end_ms).collect()
    }

    /// The arrivals of user requests in seconds.
    pub fn arrivals(&self) -> Vec<f64> {
        let sent = self.notes.iter().filter_map(|note| match *note {
            Note::Sent { at, .. } => Some(at.0 as f64 / 1e9),
            _ => None,
        });
        sent.collect()
    }

    /// The calls about items that reached for a component, with the user of their request.
    pub fn accesses_by_user(&self, name: &str) -> Vec<(u32, Access)> {
        let mut users = BTreeMap::new();
        for note in &self.notes {
            if let Note::Sent { request, user, .. } = *note {
                users.insert(request, user);
            }
        }
        let accesses = self.accesses(name).into_iter();
        accesses.map(|access| (users[&access.request], access)).collect()
    }

    /// The calls about items that reached for a component, in order.
    pub fn accesses(&self, name: &str) -> Vec<Access> {
        let target = self.number(name);
        let calls = self.notes.iter().filter_map(|note| match *note {
            Note::Called { request, component, data, item, .. } if component.index() == target => {
                Some(Access { request, data: data?.index(), item })
            }
            _ => None,
        });
        calls.collect()
    }
}

/// How often a cause occurs in a list of failures by cause.
pub fn count(failed: &[u64], cause: Cause) -> u64 {
    failed[cause as usize]
}

/// Every value of a sample, which is not empty, is this one.
#[track_caller]
pub fn all_take(sample: &Histogram, ms: f64) {
    let (min, max) = (sample.min_ns().expect("a value"), sample.max_ns().expect("a value"));
    let off = |ns: i64| (ns as f64 - ms * 1e6).abs();
    assert!(off(min) < 100.0 && off(max) < 100.0, "{min} to {max} ns instead of {ms} ms");
}

/// Times in milliseconds are these.
#[track_caller]
pub fn same_times(found: &[f64], expected: &[f64]) {
    let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-4;
    let same = found.len() == expected.len() && found.iter().zip(expected).all(close);
    assert!(same, "{found:?} instead of {expected:?}");
}

/// A count out of `n` independent trials fits their probability, by 4.5 standard errors.
#[track_caller]
pub fn share_is(count: u64, n: u64, p: f64) {
    assert!(n > 0);
    let share = count as f64 / n as f64;
    let error = (p * (1.0 - p) / n as f64).sqrt();
    assert!((share - p).abs() <= 4.5 * error, "{count} of {n} is {share}, not {p}");
}
