//! One more cache between the pops and the origin.

use super::model::{Counts, Leaves, Rules, SECOND, counted, replay, requests, same};
use super::{Edge, SLOW, calls, failed};
use crate::knobs_data::bench::run;

#[test]
fn a_shield_is_asked_for_what_a_pop_lacks_and_keeps_what_it_fetched() {
    for (shield, items) in [
        ("false", None),
        ("true", Some(10)),
        ("{ capacity: 25 }", Some(25)),
        ("{ capacity: 500kB }", Some(25)),
        ("{ capacity: unlimited }", Some(usize::MAX)),
    ] {
        for (policy, leaves) in [("lru", Leaves::Lru), ("fifo", Leaves::Fifo)] {
            for (ttl, ns) in [("none", None), ("1s", Some(SECOND))] {
                let keys = format!(
                    "capacity: 10, start: cold, pops: 3, shield: {shield}, \
                     eviction: {policy}, ttl: {ttl}"
                );
                let data = "items: 60, popularity: { zipf: 0.7 }, size: 20kB";
                let edge = Edge { data, edge: &keys, ..Edge::default() };
                let rules = Rules {
                    pops: 3,
                    capacity: 10,
                    leaves,
                    shield: items,
                    ttl: ns,
                    ..Rules::default()
                };
                let counts = same(&edge, &rules);
                // What the shield had is no hit of a pop.
                let saved = counts.lookups - counts.hits - counts.fetched;
                assert_eq!(saved > 0, items.is_some());
            }
        }
    }
}

#[test]
fn an_unlimited_shield_fetches_every_item_once() {
    let keys = "capacity: 10, start: cold, pops: 3, ttl: none, shield: { capacity: unlimited }";
    let trial = Edge { edge: keys, ..Edge::default() }.run();
    assert_eq!(counted(&trial).fetched, 60);
}

#[test]
fn a_warm_shield_has_what_a_long_run_leaves_in_it() {
    let keys = "capacity: 10, pops: 3, ttl: none, shield: { capacity: unlimited }";
    let counts = counted(&Edge { edge: keys, ..Edge::default() }.run());
    assert_eq!(counts.fetched, 0);
    assert!(counts.hits > 0 && counts.hits < counts.lookups);
}

/// Crashes of the shield of two pops from 5 s to 10 s: the counts of the run and of the model.
fn dead(keys: &str) -> (Counts, Counts) {
    let keys = format!("capacity: 10, start: cold, pops: 2, ttl: none, {keys}");
    let more = "faults: { dies: { at: 5s, for: 5s, crash: edge.3 } }\n\
                run: { duration: 20s, warmup: 0s }";
    let trial = Edge { edge: &keys, more, ..Edge::default() }.run();
    let rules = Rules {
        pops: 2,
        capacity: 10,
        shield: Some(30),
        crash: Some((2, 5 * SECOND, 10 * SECOND)),
        ..Rules::default()
    };
    (counted(&trial), replay(&rules, 0, &requests(&trial)))
}

#[test]
fn a_dead_shield_is_left_out_and_comes_back_empty() {
    let (found, expected) = dead("shield: { capacity: 30 }");
    assert_eq!(found, expected);
    assert_eq!(found.failed, 0);
}

#[test]
fn the_way_by_the_shield_is_that_between_nodes() {
    // Users 20 ms from a pop, the shield 8 ms from it, the origin 70 ms and 100 ms of waiting.
    let keys = "capacity: 10, start: cold, pops: 2, ttl: none, hit_latency: 20ms, \
                shield: { capacity: unlimited }";
    let more = "faults: { dies: { at: 10s, crash: edge.3 } }\nrun: { duration: 20s, warmup: 0s }";
    let edge = Edge { edge: keys, origin: SLOW, more, ..Edge::default() };
    let text = edge.text().replace("users: 0s, within_zone: 0s", "users: 70ms, within_zone: 8ms");
    let trial = run(&text);
    assert_eq!(failed(&trial), 0);
    let fetched = calls(&trial, "origin");
    let (mut hits, mut brought) = (0, 0);
    for story in trial.stories() {
        let took = |ms: f64| (story.took_ms - ms).abs() < 1e-3;
        let dead = story.at_ms >= 10_000.0;
        // On the way to the shield when it died, or back from it.
        let about = (9_950.0..10_010.0).contains(&story.at_ms);
        hits += u64::from(took(20.0));
        brought += u64::from(took(28.0));
        match dead {
            true => assert!(took(20.0) || took(190.0), "{story:?}"),
            false => assert!(took(20.0) || took(28.0) || took(198.0) || about, "{story:?}"),
        }
    }
    assert!(hits > 1000 && brought > 500 && fetched.len() > 500);
}
