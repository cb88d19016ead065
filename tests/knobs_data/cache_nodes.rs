//! Caches of several nodes: who holds which key, and what happens when one of them dies.

use super::bench::{Trial, count, run};
use simscale::components::outcome::Cause;
use std::collections::{BTreeMap, BTreeSet};

/// Reads of two hundred items, all of which fit.
fn nodes(cache: &str, calls: &str, rest: &str) -> Trial {
    run(&format!(
        "\
users: {{ rate: 1K/s, arrivals: even }}
entry: web
data: {{ items: {{ items: 200, in: cache }} }}
components:
  web:
    kind: service
    workers: unlimited
    handle: {{ default: [ {{ read: items }} ] }}
    calls: {{ cache: {{ timeout: 1s, {calls} }} }}
  cache: {{ kind: cache, over: db, work: 1us, {cache} }}
  db: {{ kind: database, query: 1us, log: 1us }}
network: none
run: {{ duration: 4s, warmup: 0s }}
{rest}"
    ))
}

/// By item, the instances that were asked for it.
fn homes(trial: &Trial) -> BTreeMap<u64, BTreeSet<u16>> {
    let items = trial.accesses("cache").into_iter().map(|one| one.item);
    let instances = trial.sent_to("cache").into_iter().map(|one| one.1);
    let mut homes = BTreeMap::<u64, BTreeSet<u16>>::new();
    for (item, instance) in items.zip(instances) {
        homes.entry(item).or_default().insert(instance);
    }
    homes
}

/// How many items each node holds.
fn spread(trial: &Trial, nodes: usize) -> Vec<usize> {
    let mut spread = vec![0; nodes];
    for instances in homes(trial).values() {
        spread[usize::from(*instances.first().expect("one"))] += 1;
    }
    spread
}

#[test]
fn every_key_has_one_node() {
    let trial = nodes("instances: 4, capacity: unlimited, start: cold", "pool: 100", "");
    let homes = homes(&trial);
    assert_eq!(homes.len(), 200);
    assert!(homes.values().all(|instances| instances.len() == 1));
    assert!(spread(&trial, 4).iter().all(|&items| items > 20));
    let (hits, lookups) = trial.all_hits("cache");
    assert_eq!((lookups, lookups - hits), (3999, 200));
}

#[test]
fn more_points_on_the_ring_spread_keys_more_evenly() {
    let largest = |points: u32| {
        let text = format!(
            "instances: 4, capacity: unlimited, \
             balance: {{ consistent_hash: {{ virtual_nodes: {points} }} }}"
        );
        *spread(&nodes(&text, "pool: 100", ""), 4).iter().max().expect("four")
    };
    let (few, many) = (largest(1), largest(1000));
    assert!(many < 75 && few > many + 10, "{few}, {many}");
}

#[test]
fn a_capacity_is_that_of_each_node() {
    let hits = |instances: u32| {
        let text = format!("instances: {instances}, capacity: 50");
        let (hits, lookups) = nodes(&text, "pool: 100", "").all_hits("cache");
        hits as f64 / lookups as f64
    };
    assert!((hits(1) - 0.25).abs() < 0.04, "{}", hits(1));
    assert!((hits(2) - 0.5).abs() < 0.05, "{}", hits(2));
}

const DIES: &str = "faults: { dies: { at: 1000500us, for: 1s, crash: cache.2 } }";

#[test]
fn a_dead_nodes_keys_wait_for_it_and_it_returns_empty() {
    // A repeat goes to the same node: there is no other for the key.
    for retries in ["retries: 0", "retries: 2"] {
        let trial = nodes("instances: 4, capacity: unlimited", retries, DIES);
        let lost = homes(&trial).values().filter(|nodes| nodes.contains(&1)).count() as u64;
        assert!(homes(&trial).values().all(|nodes| nodes.len() == 1));
        let refused = count(&trial.users().failed, Cause::Refused);
        let stories = trial.stories();
        let failed = stories.iter().filter(|story| story.failure.is_some());
        assert!(failed.clone().all(|story| (1000.0..2001.0).contains(&story.at_ms)));
        assert_eq!(refused, failed.count() as u64);
        let share = refused as f64 / 1000.0;
        assert!((share - lost as f64 / 200.0).abs() < 0.06, "{share}, {lost} items");
        // Warm at first, and afterwards each of its items is fetched once more.
        let (hits, lookups) = trial.all_hits("cache");
        assert_eq!(lookups - hits, lost, "{retries}");
    }
}

#[test]
fn a_fallback_reads_behind_a_cache_that_fails() {
    for strategy in ["cache_aside", "read_through"] {
        let cache = format!("instances: 4, capacity: unlimited, strategy: {strategy}");
        let trial = nodes(&cache, "fallback: over", DIES);
        assert_eq!(trial.users().failed.iter().sum::<u64>(), 0);
        let (hits, lookups) = trial.all_hits("cache");
        let down = trial.stories().len() as u64 - lookups;
        assert!(down > 150, "{down}");
        // Behind it arrive those who found it down, and afterwards each of its items once.
        let past = trial.row("db").arrived - (lookups - hits);
        assert!(past.abs_diff(down) <= 1, "{strategy}: {past}, {down}");
    }
}
