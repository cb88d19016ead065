//! The ways of a call: to a pop, past it to the origin, and around a dead one.

use super::{DATABASE, Edge, SERVICE, SLOW, arrived, calls, failed, senders};
use crate::knobs_data::bench::{all_take, count, run, same_times};
use simscale::components::outcome::Cause;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn a_hit_takes_the_round_trip_to_the_pop() {
    for (key, ms) in [("", 20.0), ("hit_latency: 35ms, ", 35.0), ("hit_latency: 0s, ", 0.0)] {
        let text = Edge { edge: "capacity: unlimited, ttl: none", ..Edge::default() }.text();
        // What the network says of users is not the way to a pop.
        let text = text.replace("hit_latency: 0s", key).replace(",  }", " }");
        let text = text.replace("users: 0s,", "users: 70ms,");
        all_take(&run(&text).users().latency, ms);
    }
}

#[test]
fn a_miss_travels_on_as_far_as_the_users_are_away() {
    let edge = Edge { edge: "capacity: 0, hit_latency: 35ms", origin: SLOW, ..Edge::default() };
    let text = edge.text().replace("users: 0s,", "users: 70ms,");
    all_take(&run(&text).users().latency, 35.0 + 70.0 + 100.0);
}

#[test]
fn the_way_to_a_pop_can_be_random() {
    let law = "{ uniform: { from: 10ms, to: 30ms } }";
    let keys = format!("capacity: unlimited, ttl: none, hit_latency: {law}");
    let trial = Edge { edge: &keys, ..Edge::default() }.run();
    let latency = &trial.users().latency;
    let (min, max) = (latency.min_ns().expect("a value"), latency.max_ns().expect("a value"));
    assert!((10_000_000..11_000_000).contains(&min) && (29_000_000..=30_000_000).contains(&max));
    let n = latency.count() as f64;
    let error = 20e6 / 12_f64.sqrt() / n.sqrt();
    assert!((latency.mean().expect("a value") - 20e6).abs() < 4.5 * error);
}

const KINDS: &str = "rate: 400/s, operations: { look: { reads: files, weight: 2 }, \
                     change: { writes: files, weight: 1 }, \
                     ask: { weight: 1 } }";

#[test]
fn what_nothing_kept_can_answer_fails_or_goes_on() {
    for (passes, passed) in [("", false), ("passes: none, ", false), ("passes: all, ", true)] {
        let keys = format!("{passes}capacity: unlimited, ttl: none");
        let edge = Edge { users: KINDS, edge: &keys, origin: DATABASE, ..Edge::default() };
        let trial = edge.run();
        assert_eq!(trial.operation("look").failed_total(), 0);
        for name in ["change", "ask"] {
            let ledger = trial.operation(name);
            assert!(ledger.offered > 1000);
            assert_eq!(ledger.answered, if passed { ledger.offered } else { 0 }, "{name}");
            let errors = if passed { 0 } else { ledger.offered };
            assert_eq!(count(&ledger.failed, Cause::Error), errors, "{name}");
        }
        // Of the items that were asked for, or of none.
        let on = calls(&trial, "origin");
        let asked = calls(&trial, "edge");
        for call in &on {
            let before = asked.iter().find(|one| one.request == call.request);
            assert_eq!(before.map(|one| one.item), Some(call.item));
        }
        let sent = trial.operation("change").offered + trial.operation("ask").offered;
        assert_eq!(arrived(&trial, "origin"), if passed { sent } else { 0 });
        // They are no lookups.
        assert_eq!(trial.ratio("edge", "hit_ratio").1, trial.operation("look").offered);
    }
}

/// One request every 10 ms; the edge is dead from 5 s to 8 s.
fn dead(keys: &str, client: &str) -> crate::knobs_data::bench::Trial {
    let edge = Edge {
        users: "rate: 100/s, arrivals: even",
        edge: &format!("capacity: unlimited, ttl: none, {keys}"),
        more: "faults: { dies: { at: 5s, for: 3s, crash: edge } }\n\
               run: { duration: 20s, warmup: 0s }",
        ..Edge::default()
    };
    run(&edge.text().replace("timeout: none", client))
}

#[test]
fn users_of_a_dead_pop_fail_or_turn_to_the_origin() {
    // The 500th is sent at 5 s, after the crash; the 800th at 8 s, after the start.
    for keys in ["fallback: none", "pops: 3"] {
        let trial = dead(keys, "timeout: none");
        assert_eq!(count(&trial.users().failed, Cause::Refused), 300);
        assert_eq!(failed(&trial), 300);
        assert_eq!(trial.users().attempts, 1999);
    }
    let trial = dead("fallback: origin, hit_latency: 0s, pops: 3", "timeout: none");
    assert_eq!(failed(&trial), 0);
    assert_eq!(trial.users().attempts, 1999 + 300);
    let direct: Vec<f64> = trial.sent_to("origin").into_iter().map(|(at, _)| at).collect();
    let expected: Vec<f64> = (500..800).map(|number| f64::from(number) * 10.0).collect();
    // Only they: each pop has lost what it had, and fetches it again afterwards.
    let during: Vec<f64> = direct.into_iter().filter(|at| *at < 7_995.0).collect();
    same_times(&during, &expected);
}

#[test]
fn a_users_repeats_come_before_the_origin() {
    let client = "timeout: none, retries: { max: 2, backoff: 1ms, when: [refused] }";
    let trial = dead("fallback: origin", client);
    assert_eq!(failed(&trial), 0);
    // Three at the pop and one at the origin.
    assert_eq!(trial.users().attempts, 1999 + 3 * 300);
}

#[test]
fn a_users_repeats_go_to_the_users_own_pop() {
    let edge = Edge {
        users: "rate: 100/s, count: 100",
        edge: "capacity: unlimited, ttl: none, pops: 2",
        more: "faults: { dies: { at: 5s, for: 3s, crash: edge.1 } }\n\
               run: { duration: 20s, warmup: 0s }",
        ..Edge::default()
    };
    let client = "timeout: none, retries: { max: 2, backoff: 1ms, when: [refused] }";
    let trial = run(&edge.text().replace("timeout: none", client));
    let mut pops = BTreeMap::new();
    for call in calls(&trial, "edge") {
        assert_eq!(*pops.entry(call.request).or_insert(call.node), call.node);
    }
    assert!(failed(&trial) > 100);
}

#[test]
fn a_dead_machine_is_left_after_the_users_timeout() {
    let edge = Edge {
        users: "rate: 100/s, arrivals: even",
        edge: "capacity: unlimited, ttl: none, fallback: origin",
        more: "faults: { dies: { at: 5s, for: 3s, outage: edge } }\n\
               run: { duration: 20s, warmup: 0s }",
        ..Edge::default()
    };
    let trial = run(&edge.text().replace("timeout: none", "timeout: 250ms"));
    assert_eq!(failed(&trial), 0);
    assert_eq!(trial.users().attempts, 1999 + 300);
    let slow: Vec<_> = trial.stories().into_iter().filter(|story| story.took_ms > 0.0).collect();
    assert_eq!(slow.len(), 300);
    assert!(slow.iter().all(|story| (story.took_ms - 250.0).abs() < 1e-4));
}

#[test]
fn a_dead_origin_is_not_a_dead_pop() {
    // The pop gives up after 50 ms, and says so; nobody turns to the origin, which is dead.
    let edge = Edge {
        users: "rate: 100/s, arrivals: even",
        edge: "capacity: 0, fallback: origin, calls: { origin: { timeout: 50ms } }",
        more: "faults: { dies: { at: 5s, for: 3s, outage: origin } }\n\
               run: { duration: 20s, warmup: 0s }",
        ..Edge::default()
    };
    let trial = run(&edge.text().replace("timeout: none", "timeout: 250ms"));
    assert_eq!(failed(&trial), 300);
    assert_eq!(trial.users().attempts, 1999);
}

/// Two regions with pops of their own, and a shield each; `eu` has fewer pops.
fn regions(entry: &str, edge: &str, more: &str) -> crate::knobs_data::bench::Trial {
    run(&format!(
        "\
users:
  count: 2K
  rate: 400/s
  regions: {{ us: 50%, eu: 50% }}
  client: {{ timeout: none }}
  operations: {{ look: {{ reads: files }} }}
entry: {entry}
regions: {{ us: {{}}, eu: {{ components: {{ edge: {{ pops: 2 }} }} }} }}
data: {{ files: {{ items: 60 }} }}
components:
  names: {{ kind: dns, to: edge }}
  edge:
    {{ kind: cdn, origin: origin, capacity: 20, pops: 3, shield: true, hit_latency: 5ms, {edge} }}
  origin: {{ {SERVICE} }}
network: {{ users: 30ms, within_zone: 0s, links: {{ us <-> eu: {{ rtt: 80ms }} }} }}
{more}
run: {{ duration: 20s, warmup: 0s }}
"
    ))
}

#[test]
fn users_of_a_region_go_to_its_pops_and_to_no_shield() {
    for entry in ["edge", "names"] {
        let trial = regions(entry, "ttl: none", "");
        // The checks of the name server are no requests.
        let requests: BTreeSet<_> = senders(&trial).into_iter().map(|sent| sent.0).collect();
        for (region, pops) in [("us", 3_u16), ("eu", 2)] {
            let mut sent = calls(&trial, &format!("{region}.edge"));
            sent.retain(|call| requests.contains(&call.request));
            let all = sent.len() as f64;
            assert!(all > 3500.0);
            for pop in 0..pops {
                // As in `contents`: the points of the pops on the circle, and the users on it.
                let p = 1.0 / f64::from(pops);
                let trials = 1.0 / (1000.0 * f64::from(pops)) + 1.0 / 1000.0 + 1.0 / all;
                let here = sent.iter().filter(|call| call.node == pop).count() as f64;
                let error = (p * (1.0 - p) * trials).sqrt();
                assert!((here / all - p).abs() < 4.5 * error, "{entry} {region} {pop}: {here}");
            }
            let shield = sent.iter().filter(|call| call.node >= pops).count();
            assert_eq!(shield, 0, "{entry} {region}");
        }
    }
}

#[test]
fn users_of_a_dead_pop_turn_to_the_origin_of_their_region() {
    let more = "faults: { dies: { at: 5s, for: 5s, crash: edge } }";
    let trial = regions("edge", "ttl: none, fallback: origin", more);
    assert_eq!(failed(&trial), 0);
    let direct = trial.stories().into_iter().filter(|one| (5005.0..9950.0).contains(&one.at_ms));
    let direct: Vec<_> = direct.collect();
    assert!(direct.len() > 1500);
    // To the dead pop and back, and to the origin and back.
    assert!(direct.iter().all(|story| (story.took_ms - 35.0).abs() < 1e-4), "{:?}", direct[0]);
}
