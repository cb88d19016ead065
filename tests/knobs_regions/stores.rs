//! Databases that span regions: whom a commit waits for, whom readers ask, who takes over, and what
//! two primaries do to one item.

use super::everyone;
use crate::knobs_data::bench::{Trial, all_take, run, said};
use simscale::components::record::Note;
use std::collections::BTreeMap;

/// A database over five regions, the first of which has its primary; 12, 70, 95 and 140 ms away.
fn five(users: &str, operation: &str, database: &str) -> Trial {
    run(&format!(
        "\
users:
  rate: 20/s
  arrivals: even
  regions: {{ {users}: 100% }}
  operations: {{ one: {{ {operation} }} }}
data: {{ rows: {{ items: 1M, in: db }} }}
entry: db
regions: {{ home: {{}}, near: {{}}, mid: {{}}, wide: {{}}, far: {{}} }}
components:
  db:
    kind: database
    machine: {{ cores: unlimited, disk: {{ iops: unlimited }} }}
    query: 0s
    log: {{ flush: 0s }}
    primary: {{ in: home }}
    replicas: {{ near: 1, mid: 1, wide: 1, far: 1 }}
    {database}
network:
  links:
    home <-> near: {{ rtt: 12ms }}
    home <-> mid: {{ rtt: 70ms }}
    home <-> wide: {{ rtt: 95ms }}
    home <-> far: {{ rtt: 140ms }}
  default: 200ms
run: {{ duration: 20s, warmup: 0s }}
"
    ))
}

/// P-REP-04 (b): the k-th smallest of the round trips.
#[test]
fn a_commit_waits_for_the_majority_or_for_all() {
    let replication = |mode: &str| format!("replication: {{ mode: {mode}, delay: 0s, apply: 0s }}");
    for (mode, ms) in [
        ("async", 0.0),
        ("semi_sync", 12.0),
        ("quorum, write: 3", 70.0),
        ("quorum, write: 4", 95.0),
        ("sync", 140.0),
    ] {
        all_take(&everyone(&five("home", "writes: rows", &replication(mode))), ms);
    }
}

#[test]
fn readers_ask_the_nearest_replica_and_writers_the_primary() {
    let replicas = "reads_from: replicas";
    all_take(&everyone(&five("mid", "reads: rows", replicas)), 0.0);
    all_take(&everyone(&five("mid", "reads: rows", "reads_from: primary")), 70.0);
    all_take(&everyone(&five("mid", "writes: rows", replicas)), 70.0);
    // Nobody replicates in the primary's own region: the nearest is 12 ms away.
    all_take(&everyone(&five("home", "reads: rows", replicas)), 12.0);
}

/// Two primaries a second apart, each with half of the users.
fn two(operations: &str, database: &str, more: &str) -> Trial {
    run(&text(operations, database, more))
}

fn text(operations: &str, database: &str, more: &str) -> String {
    format!(
        "\
users:
  rate: 2/s
  regions: {{ us: 50%, eu: 50% }}
  operations: {{ {operations} }}
data: {{ rows: {{ items: 1, in: db }} }}
entry: db
regions: {{ us: {{}}, eu: {{}} }}
components:
  db:
    kind: database
    machine: {{ cores: unlimited, disk: {{ iops: unlimited }} }}
    query: 0s
    log: {{ flush: 0s }}
    primary: {{ in: [us, eu] }}
    replication: {{ delay: 0s, apply: 0s }}
    {database}
network: {{ links: {{ us <-> eu: {{ rtt: 400ms }} }} }}
run: {{ duration: 20000s, warmup: 10s, window: 100s }}
{more}
"
    )
}

/// A write is undone when the other primary writes the item before it arrives there: two streams
/// of one a second with a way of 0.2 s undo 2 (1 - exp(-0.2)) a second.
#[test]
fn conflicts_are_as_many_as_writes_that_did_not_know_of_each_other() {
    let trial = two("put: { writes: rows }", "", "");
    let undone = trial.counted("db", "conflicts") as f64 / 20_000.0;
    let expected = 2.0 * (1.0 - (-0.2_f64).exp());
    // 4.5 standard errors of a count, which scatters less than a Poisson count.
    let tolerance = 4.5 * (expected / 20_000.0).sqrt();
    assert!((undone - expected).abs() < tolerance, "{undone}, not {expected}");
    // Nobody waits for the other region.
    all_take(&everyone(&trial), 0.0);
}

/// When each request came to which primary, and whether it wrote.
fn events(trial: &Trial) -> Vec<(f64, u16, bool)> {
    let mut writes = BTreeMap::new();
    let mut events = Vec::new();
    for note in &trial.notes {
        match *note {
            Note::Sent { request, operation, .. } => {
                writes.insert(request, operation.index() == 0);
            }
            Note::Called { request, instance, at, .. } => {
                events.push((at.0 as f64 / 1e9, instance, writes[&request]));
            }
            _ => {}
        }
    }
    events
}

/// The obvious model: both regions' writes in the order of their commits, each known to its own
/// region at once and to the other 0.2 s later.
#[test]
fn stale_reads_and_conflicts_are_those_of_a_replayed_list_of_writes() {
    let operations = "put: { weight: 1, writes: rows }, get: { weight: 1, reads: rows }";
    let trial = two(operations, "", "");
    let events = events(&trial);
    let way = 0.2;
    let measured = |at: f64| (0.0..20_000.0).contains(&at);
    let (mut conflicts, mut stale, mut reads) = (0, 0, 0);
    let writes: Vec<(f64, u16)> =
        events.iter().filter(|event| event.2).map(|event| (event.0, event.1)).collect();
    for (index, &(at, by)) in writes.iter().enumerate() {
        let mut later = writes[index + 1..].iter().take_while(|other| other.0 < at + way);
        // It arrives at the other primary after that has written the item itself.
        let undone = later.any(|other| other.1 != by);
        conflicts += u64::from(undone && measured(at + way));
    }
    for &(at, region, write) in &events {
        if write || !measured(at) {
            continue;
        }
        reads += 1;
        // The newest write of all, by either; the reader's own region knows it at once.
        let newest = writes.iter().rev().find(|other| other.0 < at);
        stale += u64::from(newest.is_some_and(|new| new.1 != region && at < new.0 + way));
    }
    assert_eq!(trial.counted("db", "conflicts"), conflicts);
    assert_eq!(trial.ratio("db", "stale_reads"), (stale, reads));
    assert!(stale > 1000 && conflicts > 1000);
}

#[test]
fn a_dead_primarys_users_write_to_the_other_and_it_catches_up() {
    let fault = "faults: { dies: { at: 1000s, for: 1000s, crash: db.1 } }";
    let failover = "failover: { detect: 10s, promote: 0s, redirect: 5s }";
    let trial = two("put: { writes: rows }", failover, fault);
    let us = &trial.observed.users[0];
    let failed: u64 = us.failed_total();
    // Fifteen seconds of one write a second, within 4.5 standard deviations.
    assert!((failed as f64 - 15.0).abs() < 4.5 * 15.0_f64.sqrt(), "{failed}");
    assert_eq!(trial.observed.users[1].failed_total(), 0);
}

#[test]
fn what_does_not_go_with_several_primaries_is_refused() {
    let plain = text("put: { writes: rows }", "", "");
    let own = text("put: { writes: rows }", "reads_from: own_writes", "");
    let sync = plain.replace("delay: 0s, apply: 0s", "mode: sync");
    let batches = plain.replace("delay: 0s, apply: 0s", "ship_every: 1s");
    for (text, key) in [(own, "own_writes"), (sync, "mode"), (batches, "ship_every")] {
        let message = format!("`{key}` does not go with several primaries");
        let found = said(&text);
        assert!(found.iter().any(|line| line.contains(&message)), "{key}: {found:?}");
    }
}
