//! Copies that serve past their time: when the origin fails, or while a new one is fetched.

use super::model::{Request, SECOND, requests};
use super::{Edge, calls, failed};
use crate::knobs_data::bench::{Trial, count, run};
use simscale::components::outcome::Cause;
use std::collections::BTreeMap;

/// An origin that is dead from 5 s to 12 s.
const DIES: &str = "faults: { dies: { at: 5s, for: 7s, crash: origin } }\n\
                    run: { duration: 20s, warmup: 0s }";

/// Reads that failed: there was no copy that serves for so long after its end.
fn without_copy(requests: &[Request], ttl: i64, grace: i64) -> u64 {
    let mut ends: BTreeMap<(usize, u64), i64> = BTreeMap::new();
    let mut failed = 0;
    for &Request { at, pop, item, .. } in requests {
        let end = ends.get(&(pop, item)).copied();
        let dead = (5 * SECOND..12 * SECOND).contains(&at);
        match end {
            Some(end) if at < end => {}
            Some(end) if dead && at - end < grace => {}
            _ if dead => failed += 1,
            _ => {
                ends.insert((pop, item), at + ttl);
            }
        }
    }
    failed
}

#[test]
fn a_copy_serves_past_its_time_while_the_origin_fails() {
    let mut all = Vec::new();
    for (key, grace) in [("", 0), ("stale_if_error: 2s", 2), ("stale_if_error: 1h", 3600)] {
        let keys = format!("capacity: unlimited, start: cold, pops: 2, ttl: 500ms, {key}");
        let keys = keys.trim_end_matches(", ");
        let trial = Edge { edge: keys, more: DIES, ..Edge::default() }.run();
        let expected = without_copy(&requests(&trial), SECOND / 2, grace * SECOND);
        assert_eq!(failed(&trial), expected);
        assert_eq!(count(&trial.users().failed, Cause::Refused), expected);
        all.push(expected);
        // What serves when the origin fails was not hit.
        let (hits, lookups) = trial.ratio("edge", "hit_ratio");
        assert_eq!(lookups - hits, calls(&trial, "origin").len() as u64);
    }
    assert!(all[0] > all[1] && all[1] > all[2] && all[2] == 0, "{all:?}");
}

#[test]
fn a_copy_that_serves_for_long_is_stale_when_its_item_has_changed() {
    // All have a copy when the origin dies; each changes every 2 s.
    let keys = "capacity: unlimited, ttl: 10ms, stale_if_error: 1h, start: cold";
    let data = "items: 1, changes: 0.5/s";
    let users = "rate: 100/s, arrivals: even";
    let trial = Edge { users, data, edge: keys, more: DIES, ..Edge::default() }.run();
    assert_eq!(failed(&trial), 0);
    // The copy is that of the read at 4.99 s: stale from the first change after it, until the
    // origin is back at 12 s.
    let version = |number: i64| super::model::version(0, 2 * SECOND, number * SECOND / 100);
    let stale = (500..1200).filter(|&number| version(number) > version(499)).count() as u64;
    assert!((500..=700).contains(&stale));
    assert_eq!(trial.ratio("edge", "stale_reads").0, stale);
}

#[test]
fn the_copy_of_the_shield_serves_as_well() {
    // Pops of no room behind a shield that has everything. What may serve while a new copy is
    // fetched may not serve when that fails.
    for (key, grace) in [
        ("stale_if_error: 2s", 2),
        ("stale_while_revalidate: 1h", 0),
        ("stale_if_error: 2s, stale_while_revalidate: 1h", 2),
    ] {
        let keys = format!(
            "capacity: 0, shield: {{ capacity: unlimited }}, start: cold, pops: 2, ttl: 500ms, \
             {key}"
        );
        let trial = Edge { edge: &keys, more: DIES, ..Edge::default() }.run();
        let together: Vec<Request> =
            requests(&trial).into_iter().map(|request| Request { pop: 0, ..request }).collect();
        let expected = without_copy(&together, SECOND / 2, grace * SECOND);
        assert!(expected > 0);
        assert_eq!(failed(&trial), expected, "{key}");
    }
}

/// One read of one item every 10 ms; the origin needs 95 ms.
fn revalidated(key: &str) -> Trial {
    let keys = format!("capacity: 1, start: cold, ttl: 200ms{key}");
    let origin = "kind: service, machine: { cores: unlimited }, workers: unlimited, \
                  handle: { default: [ wait: 95ms ] }";
    let users = "rate: 100/s, arrivals: even";
    Edge { users, data: "items: 1", edge: &keys, origin, ..Edge::default() }.run()
}

/// The numbers of the reads that asked the origin, and those that waited for it.
fn fetches(window: i64, ttl: i64) -> (Vec<i64>, Vec<i64>) {
    let (mut asked, mut waited) = (Vec::new(), Vec::new());
    let mut copies: Vec<i64> = Vec::new();
    let mut under_way: Option<i64> = None;
    for number in 1..2000 {
        let now = number * 10;
        // A copy comes 95 ms after it was asked for, and the last one counts.
        let last = copies.iter().rfind(|&&came| came <= now);
        if under_way.is_some_and(|comes| comes <= now) {
            under_way = None;
        }
        let late = last.map(|came| now - came - ttl);
        match late {
            Some(late) if late < 0 => continue,
            Some(late) if late < window => {
                if under_way.is_some() {
                    continue;
                }
                under_way = Some(now + 95);
            }
            _ => waited.push(number),
        }
        asked.push(number);
        copies.push(now + 95);
    }
    (asked, waited)
}

#[test]
fn a_copy_serves_while_a_new_one_is_fetched_once() {
    for (key, window) in [
        ("", 0),
        (", stale_while_revalidate: 1h", 3_600_000),
        (", stale_while_revalidate: 50ms", 50),
    ] {
        let trial = revalidated(key);
        let (asked, waited) = fetches(window, 200);
        let numbers = |at: Vec<f64>| -> Vec<i64> {
            at.into_iter().map(|ms| (ms / 10.0).round() as i64).collect()
        };
        let found = trial.sent_to("origin").into_iter().map(|(at, _)| at).collect();
        assert_eq!(numbers(found), asked, "{key}");
        let slow = trial.stories().into_iter().filter(|story| story.took_ms > 0.0);
        let mut slow: Vec<_> = slow.collect();
        slow.sort_by(|a, b| a.at_ms.total_cmp(&b.at_ms));
        assert!(slow.iter().all(|story| (story.took_ms - 95.0).abs() < 1e-4));
        assert_eq!(numbers(slow.iter().map(|story| story.at_ms).collect()), waited, "{key}");
        // All others are hits.
        let (hits, lookups) = trial.ratio("edge", "hit_ratio");
        assert_eq!((hits, lookups), (1999 - waited.len() as u64, 1999), "{key}");
        assert_eq!(trial.users().answered, 1999);
    }
}

#[test]
fn a_refresh_that_fails_harms_nobody() {
    let keys = "capacity: unlimited, start: cold, ttl: 500ms, stale_while_revalidate: 1h";
    let trial = Edge { edge: keys, more: DIES, ..Edge::default() }.run();
    let seen_before = requests(&trial);
    let before: std::collections::BTreeSet<u64> =
        seen_before.iter().filter(|one| one.at < 5 * SECOND).map(|one| one.item).collect();
    assert_eq!(before.len(), 60, "every item has a copy when the origin dies");
    assert_eq!(failed(&trial), 0);
    // Each read of an old copy tries again: nothing is under way.
    assert!(trial.link("edge", "origin").failed > 500);
}

#[test]
fn users_of_a_lost_region_are_served_by_their_pops() {
    // The outage takes the servers of `eu`, and leaves its pops alone.
    let text = |grace: &str| {
        format!(
            "\
users:
  rate: 200/s
  regions: {{ us: 50%, eu: 50% }}
  client: {{ timeout: 10s }}
  operations: {{ look: {{ reads: files }} }}
entry: edge
regions: {{ us: {{}}, eu: {{}} }}
data: {{ files: {{ items: 20, changes: 2/s }} }}
components:
  edge:
    kind: cdn
    origin: web
    capacity: unlimited
    start: cold
    hit_latency: 0s
    ttl: 200ms
    stale_if_error: {grace}
    calls: {{ web: {{ timeout: 10ms }} }}
  web: {{ kind: service, machine: {{ cores: unlimited }}, workers: unlimited, work: 0s }}
network: {{ users: 0s, links: {{ us <-> eu: {{ rtt: 80ms }} }} }}
faults: {{ gone: {{ at: 10s, for: 5s, outage: eu }} }}
run: {{ duration: 20s, warmup: 0s }}
"
        )
    };
    let kept = run(&text("1min"));
    let refused = run(&text("0s"));
    let of = |trial: &Trial, region: usize| {
        let ledger = &trial.observed.users[region];
        (ledger.failed_total(), ledger.stale, ledger.offered)
    };
    assert_eq!(of(&kept, 0).0, 0);
    assert_eq!(of(&kept, 1).0, 0);
    assert_eq!((of(&refused, 0).0, of(&kept, 0).1), (0, of(&refused, 0).1));
    // By hand: every copy of `eu` is fetched by the first read that finds no fresh one, as long as
    // there is somebody to ask.
    let (mut copies, mut lost, mut stale) = (BTreeMap::new(), 0, 0);
    let sent = calls(&kept, "eu.edge");
    for call in &sent {
        let item = call.item.expect("an item").1;
        let dead = (10 * SECOND..15 * SECOND).contains(&call.at);
        let is_fresh = copies.get(&item).is_some_and(|&fetched| call.at < fetched + SECOND / 5);
        if !is_fresh && !dead {
            copies.insert(item, call.at);
        }
        lost += u64::from(!is_fresh && dead);
        // Who asks in vain is answered 10 ms later, as of the version known when the read began.
        let version = |at: i64| super::model::version(item, SECOND / 2, at);
        let fetched = copies.get(&item).copied().expect("every item has a copy by then");
        stale += u64::from(version(fetched) < version(call.at));
    }
    assert!(lost > 400 && stale > 200 && sent.len() as u64 == of(&kept, 1).2);
    assert_eq!((of(&refused, 1).0, of(&kept, 1).1), (lost, stale));
    // At the pop of `eu` nothing was refused, and nobody waited for its silence longer than 10 ms.
    assert_eq!(kept.component("eu.edge").operations[0].failed.iter().sum::<u64>(), 0);
    assert!(kept.stories().iter().all(|story| story.took_ms < 10.1));
}
