//! Every knob of balancing, health, network, calls and faults has the effect that it promises.
//!
//! Small systems, one replication each. What they should come to follows by arithmetic: exactly
//! where nothing is random, else within 4.5 standard errors.

use crate::properties::lab::{Lab, Run};
use simscale::components::ledger::ComponentLedger;
use simscale::components::record::Note;
use simscale::world::users::ledger::UserLedger;

mod balance;
mod faults;
mod health;
mod network;
mod retries;
mod ring;

/// A second in nanoseconds.
const SECOND: i64 = 1_000_000_000;
/// A millisecond in nanoseconds.
const MS: i64 = 1_000_000;
/// Standard errors that a random figure may be off.
const ERRORS: f64 = 4.5;

/// A system after one replication.
struct Trial {
    lab: Lab,
    run: Run,
}

/// One attempt of a user's request at an instance.
#[derive(Clone, Copy, Debug)]
struct Visit {
    at: i64,
    user: u32,
    item: u64,
    /// From 0.
    instance: usize,
}

impl Trial {
    /// Runs a scenario for so many seconds without a warm-up.
    fn of(seconds: u32, text: &str) -> Trial {
        Trial::seeded(seconds, 1, text)
    }

    /// The same with a seed.
    fn seeded(seconds: u32, seed: u32, text: &str) -> Trial {
        let window = (seconds / 100).max(1);
        let run = format!("duration: {seconds}s, window: {window}s, seed: {seed}");
        let text = format!("{text}\nrun: {{ {run}, warmup: 0s, replications: 1 }}\n");
        let lab = Lab::read(&text).unwrap_or_else(|mistakes| panic!("{mistakes}\n{text}"));
        let run = lab.run();
        Trial { lab, run }
    }

    /// The attempts at a component in the order of sending, probes left out.
    fn visits(&self, callee: &str) -> Vec<Visit> {
        let callee = self.lab.component(callee);
        let sent = self.run.sent();
        let visit = |note: &Note| match *note {
            Note::Called { request, component, instance, at, item, .. }
                if component.index() == callee =>
            {
                let user = sent.get(&request)?.user;
                Some(Visit { at: at.0, user, item, instance: instance as usize })
            }
            _ => None,
        };
        self.run.notes.iter().filter_map(visit).collect()
    }

    /// For each request of the measured time the times of its attempts at a component.
    fn attempts(&self, callee: &str) -> Vec<Vec<i64>> {
        let callee = self.lab.component(callee);
        let mut by_request = std::collections::BTreeMap::<_, Vec<i64>>::new();
        for note in &self.run.notes {
            if let Note::Called { request, component, at, .. } = *note
                && component.index() == callee
            {
                by_request.entry(request).or_default().push(at.0);
            }
        }
        let end = self.run.observed.duration.0;
        by_request.into_values().filter(|times| times[0] < end).collect()
    }

    fn users(&self) -> &UserLedger {
        &self.run.observed.users[0]
    }

    fn component(&self, name: &str) -> &ComponentLedger {
        &self.run.observed.ledger.components[self.lab.component(name)]
    }

    /// Mean latency of the answered requests in nanoseconds.
    fn latency(&self) -> f64 {
        self.users().latency.mean().expect("something is answered")
    }

    /// Mean share of a component's instances in service, for a single instance.
    fn availability(&self, name: &str) -> f64 {
        self.component(name).in_service.mean().expect("it is measured")
    }
}

/// How many of the visits went to each of so many instances.
fn counts(visits: &[Visit], instances: usize) -> Vec<usize> {
    let mut counts = vec![0; instances];
    for visit in visits {
        counts[visit.instance] += 1;
    }
    counts
}

/// Whether so many of so many is a share within its random error.
fn assert_share(count: usize, of: usize, share: f64) {
    let error = (share * (1.0 - share) / of as f64).sqrt();
    let found = count as f64 / of as f64;
    assert!((found - share).abs() <= ERRORS * error, "{found} for {share} +- {error}");
}

/// Whether a figure is what it should be but for rounding.
fn assert_same(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-6 * expected.abs().max(1e-6), "{found} for {expected}");
}
