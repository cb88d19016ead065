//! Common random numbers: what is random about a request is the same in every variant of a system.
//!
//! Two runs are compared request by request over their whole length. What may differ is where a
//! request is served and when; what may not is who sends it, when and what for, how much work it
//! is at each step of each attempt, and which items it asks for.

use super::lab::{Lab, Run};
use simscale::components::record::Note;
use simscale::components::topology::{ComponentId, DataId};
use simscale::engine::stream::DrawKey;
use simscale::units::Duration;
use std::collections::BTreeMap;

/// One call of one request at one component; attempts have draws of their own.
type Step = (DrawKey, DrawKey, ComponentId);

/// The ten servers of stage 2 as three busy ones, the crash within the run, the retries kept.
const SMALL: &[&str] = &[
    "users.count=30K",
    "components.web.instances=3",
    "components.web.workers=6",
    "faults.web_dies.at=3s",
    "faults.web_dies.for=2s",
    "run.duration=10s",
    "run.warmup=1s",
];

/// What two runs have in common, counted.
#[derive(Debug, Default)]
struct Compared {
    requests: usize,
    works: usize,
    items: usize,
    /// Steps that only one of the runs has: what was cut short by a failure in the other.
    unmatched: usize,
    /// Calls that another instance served.
    moved: usize,
    /// Works that began at another time.
    shifted: usize,
    differences: Vec<String>,
}

/// Small stage 2 with further settings.
fn variant(settings: &[&str]) -> (Lab, Run) {
    let all: Vec<String> = SMALL.iter().chain(settings).map(ToString::to_string).collect();
    let lab = Lab::open("stage2.yaml", &all);
    let run = lab.run();
    (lab, run)
}

/// By step, what it worked, with where and when that began.
fn works(run: &Run) -> BTreeMap<Step, Vec<(Duration, u16, i64)>> {
    let mut works: BTreeMap<Step, Vec<_>> = BTreeMap::new();
    for note in &run.notes {
        if let Note::Worked { request, draw, component, instance, at, demand } = *note {
            works.entry((request, draw, component)).or_default().push((demand, instance, at.0));
        }
    }
    works
}

/// By step, the item it asks for.
fn items(run: &Run) -> BTreeMap<Step, (DataId, u64)> {
    let item = |note: &Note| match *note {
        Note::Called { request, draw, component, data: Some(data), item, .. } => {
            Some(((request, draw, component), (data, item)))
        }
        _ => None,
    };
    run.notes.iter().filter_map(item).collect()
}

/// Compares two runs of variants that have the same operations and components.
fn compare(lab: &Lab, one: &Run, other: &Run) -> Compared {
    let mut compared = Compared::default();
    if lab.arrivals_are_open() {
        requests(lab, one, other, &mut compared);
    }
    let (mine, theirs) = (works(one), works(other));
    compared.unmatched = theirs.keys().filter(|step| !mine.contains_key(step)).count();
    for (step, here) in mine.iter().filter(|(step, _)| lab.is_sequential(step.2)) {
        let Some(there) = theirs.get(step) else {
            compared.unmatched += 1;
            continue;
        };
        // A failure may have cut one of the two short, but not changed what came before it.
        for (here, there) in here.iter().zip(there) {
            compared.works += 1;
            compared.moved += usize::from(here.1 != there.1);
            compared.shifted += usize::from(here.2 != there.2);
            if here.0 != there.0 {
                compared.differences.push(format!("{step:?} works {here:?} and {there:?}"));
            }
        }
    }
    let theirs = items(other);
    for (step, here) in items(one) {
        let Some(there) = theirs.get(&step) else { continue };
        compared.items += 1;
        if here != *there {
            compared.differences.push(format!("{step:?} asks for {here:?} and {there:?}"));
        }
    }
    compared
}

/// Compares what was sent. What a page loads is sent when its answer is there, so its time may
/// differ, and pages that failed load nothing.
fn requests(lab: &Lab, one: &Run, other: &Run, compared: &mut Compared) {
    let (mine, theirs) = (one.sent(), other.sent());
    // Each run ends when its own last request is resolved, so one may have sent more after that.
    let end = lab.plan().window.duration.0;
    let within = |run: &BTreeMap<_, super::lab::Sent>| {
        run.values().filter(|sent| lab.begins(sent.operation) && sent.at.0 < end).count()
    };
    if within(&mine) != within(&theirs) {
        let message = format!("{} and {} requests", within(&mine), within(&theirs));
        compared.differences.push(message);
    }
    for (request, here) in &mine {
        let Some(there) = theirs.get(request) else { continue };
        compared.requests += 1;
        let same_time = here.at == there.at || !lab.begins(here.operation);
        if !same_time || (here.user, here.operation) != (there.user, there.operation) {
            compared.differences.push(format!("{request:?} is {here:?} and {there:?}"));
        }
    }
}

/// Compares two runs of one random system: how many works were the same, or what differs.
pub fn same_luck(lab: &Lab, one: &Run, other: &Run) -> Result<usize, String> {
    let compared = compare(lab, one, other);
    match compared.differences.is_empty() {
        true => Ok(compared.works),
        false => Err(compared.differences.join("\n")),
    }
}

/// Asserts that a variant meets the same requests, and that enough was compared to say so.
fn same(settings: &[&str]) -> Compared {
    let (lab, one) = variant(&[]);
    let (_, other) = variant(settings);
    let compared = compare(&lab, &one, &other);
    let first: Vec<_> = compared.differences.iter().take(5).collect();
    assert!(first.is_empty(), "{} differences: {first:#?}", compared.differences.len());
    let Compared { requests, works, items, unmatched, .. } = compared;
    assert!(requests > 15_000 && works > 30_000 && items > 5_000, "{compared:?}");
    // A page that failed in one run has loaded nothing there.
    assert!(unmatched * 5 < works, "{compared:?}");
    compared
}

#[test]
fn one_web_server_more_leaves_every_request_as_it_is() {
    let compared = same(&["components.web.instances=4"]);
    // It is not the same run under another name: requests are served elsewhere and later.
    assert!(compared.moved > 5_000 && compared.shifted > 5_000, "{compared:?}");
}

#[test]
fn another_balancing_policy_leaves_every_request_as_it_is() {
    for policy in ["round_robin", "random", "{ power_of_d: 2 }"] {
        let compared = same(&[&format!("components.lb.balance={policy}")]);
        assert!(compared.moved > 5_000 && compared.shifted > 5_000, "{policy}: {compared:?}");
    }
}

#[test]
fn a_policy_that_never_acts_changes_nothing_at_all() {
    let (lab, one) = variant(&[]);
    let (_, other) = variant(&[
        "components.web.calls.db.timeout=50s",
        "components.web.calls.db.retries={ max: 3, backoff: 10ms, when: [crashed] }",
        "components.web.calls.db.pool.size=1000",
        "users.client.retries={ max: 2, when: [refused] }",
    ]);
    assert!(one.notes.len() > 60_000);
    assert!(one.notes == other.notes, "{:?}", compare(&lab, &one, &other).differences);
}

#[test]
fn a_larger_database_machine_leaves_every_request_as_it_is() {
    let compared = same(&["components.db.machine.cores=64", "components.db.machine.speed=0.5x"]);
    assert!(compared.shifted > 2_000, "{compared:?}");
}

#[test]
fn the_healthy_twin_meets_the_same_requests() {
    let (lab, ill) = variant(&[]);
    let healthy = lab.run_under(simscale::world::Conditions { faults: false, ..lab.conditions() });
    let compared = compare(&lab, &ill, &healthy);
    assert!(compared.differences.is_empty(), "{:#?}", compared.differences);
    assert!(compared.works > 30_000 && compared.moved > 1_000, "{compared:?}");
}

#[test]
fn more_users_bring_the_same_arrivals_closer_together() {
    // Only the clock is scaled: the k-th request of twice the users comes in half the time.
    let (lab, one) = variant(&[]);
    let (_, twice) = variant(&["users.count=60K", "run.warmup=500ms"]);
    let (mine, theirs) = (one.sent(), twice.sent());
    let mut compared = 0;
    for (request, here) in mine.iter().filter(|(_, here)| lab.begins(here.operation)) {
        let Some(there) = theirs.get(request) else { continue };
        compared += 1;
        assert_eq!(here.operation, there.operation);
        // Both count from the start of their own warm-up; a nanosecond is what rounding leaves.
        assert!((here.at.0 - 2 * there.at.0).abs() <= 2, "{here:?} {there:?}");
    }
    assert!(compared > 3_000, "{compared}");
}

#[test]
fn another_seed_is_another_run() {
    let (lab, one) = variant(&[]);
    let (_, other) = variant(&["run.seed=2"]);
    let compared = compare(&lab, &one, &other);
    assert_eq!((compared.requests, compared.works), (0, 0), "keys are not shared between seeds");
    // Even the k-th request of both, in order of arrival, has nothing in common.
    let arrivals = |run: &Run| {
        let mut sent: Vec<_> = run.sent().into_values().map(|sent| (sent.at, sent.user)).collect();
        sent.sort_unstable();
        sent
    };
    let (mine, theirs) = (arrivals(&one), arrivals(&other));
    let equal = mine.iter().zip(&theirs).filter(|(here, there)| here.0 == there.0).count();
    assert!(mine.len() > 3_000 && equal == 0, "{equal} of {}", mine.len());
}

#[test]
fn another_replication_is_another_run() {
    let (lab, one) = variant(&[]);
    let conditions = simscale::world::Conditions { replication: 1, ..lab.conditions() };
    let compared = compare(&lab, &one, &lab.run_under(conditions));
    assert_eq!((compared.requests, compared.works, compared.items), (0, 0, 0));
}
