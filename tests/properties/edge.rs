//! Random small edge caches against lists: every hit and every stale read is the model's.

use crate::knobs_edge::model::{Counts, Leaves, Rules, counted, replay, requests};
use crate::knobs_edge::{DATABASE, Edge};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use std::cell::RefCell;

/// Random edges tried.
const EDGES: u32 = 150;
/// Seconds of each run.
const RUN_S: i64 = 6;
const ITEMS: u64 = 25;

/// What is random about the users and the origin of a run.
#[derive(Clone, Copy, Debug)]
struct Load {
    rate: u32,
    users: u32,
    zipf: f64,
    writes: bool,
}

fn ms(range: std::ops::Range<i64>) -> impl Strategy<Value = i64> {
    range.prop_map(|ms| ms * 1_000_000)
}

fn load() -> impl Strategy<Value = Load> {
    let parts = (50..400_u32, 1..200_u32, select(vec![0.0, 0.7, 1.2]), any::<bool>());
    parts.prop_map(|(rate, users, zipf, writes)| Load { rate, users, zipf, writes })
}

fn rules() -> impl Strategy<Value = Rules> {
    let leaves = select(vec![Leaves::Lru, Leaves::Fifo, Leaves::Lfu]);
    let room = (1..5_usize, 0..30_usize, leaves, option::weighted(0.4, 0..40_usize));
    let time = (option::weighted(0.7, ms(5..3000)), any::<bool>());
    let grace = (option::weighted(0.4, ms(1..2000)), option::weighted(0.4, ms(1..2000)));
    let push = option::weighted(0.3, ms(0..2000));
    let changes = (option::weighted(0.7, select(vec![50, 500, 2000, 8000])), any::<bool>());
    let purge = option::weighted(0.4, ms(0..RUN_S * 1000));
    let crash = option::weighted(0.4, (0..5_usize, ms(1..4000), ms(1..3000)));
    let events = (purge, crash, any::<bool>(), 1..1_000_000_u64);
    (room, time, grace, push, changes, events).prop_map(
        |((pops, capacity, leaves, shield), (ttl, sliding), grace, push, changes, events)| {
            let (purge, crash, fallback, seed) = events;
            let (changes, versioned) = changes;
            let nodes = pops + usize::from(shield.is_some());
            let kept = push.is_none() && ttl.is_some();
            Rules {
                pops,
                capacity,
                leaves,
                ttl: ttl.filter(|_| push.is_none()),
                sliding,
                shield,
                push: push.map(|delay| (delay, ITEMS)),
                if_error: grace.0.filter(|_| kept).unwrap_or(0),
                while_revalidate: grace.1.filter(|_| kept).unwrap_or(0),
                versioned,
                changes: changes.map(|ms| ms * 1_000_000),
                purge,
                crash: crash.map(|(node, from, lasts)| (node % nodes, from, from + lasts)),
                fallback,
                seed,
            }
        },
    )
}

/// Runs such an edge: what it counted, and the lists.
fn tried(load: Load, mut rules: Rules) -> (String, Counts, Counts) {
    // Items are written or change by themselves, and what is pushed is not written.
    let writes = load.writes && rules.push.is_none();
    rules.changes = rules.changes.filter(|_| !writes);
    let span = |ns: i64| format!("{}ms", ns / 1_000_000);
    let mut keys = format!(
        "pops: {}, capacity: {}, eviction: {}, versioned: {}",
        rules.pops,
        rules.capacity,
        format!("{:?}", rules.leaves).to_lowercase(),
        rules.versioned,
    );
    match (rules.push, rules.ttl) {
        (Some((delay, _)), _) => keys += &format!(", mode: push, push_delay: {}", span(delay)),
        (None, None) => keys += ", ttl: none, start: cold",
        (None, Some(ttl)) => {
            let sliding = rules.sliding;
            keys += &format!(", ttl: {{ of: {}, sliding: {sliding} }}, start: cold", span(ttl));
        }
    }
    for (key, ns) in
        [("stale_if_error", rules.if_error), ("stale_while_revalidate", rules.while_revalidate)]
    {
        keys += &if ns > 0 { format!(", {key}: {}", span(ns)) } else { String::new() };
    }
    keys += &rules.shield.map_or(String::new(), |room| format!(", shield: {{ capacity: {room} }}"));
    keys += if rules.fallback { ", fallback: origin" } else { "" };
    keys += if writes { ", passes: all" } else { "" };
    let changes = rules.changes.map(|ns| format!(", changes: {}/s", 1e9 / ns as f64));
    let data = format!("items: {ITEMS}, popularity: {{ zipf: {} }}", load.zipf);
    let data = data.replace("{ zipf: 0 }", "uniform") + &changes.unwrap_or_default();
    let mut more = format!("run: {{ duration: {RUN_S}s, warmup: 0s, seed: {} }}\n", rules.seed);
    if let Some(at) = rules.purge {
        more += &format!("changes: {{ out: {{ at: {}, purge: edge }} }}\n", span(at));
    }
    if let Some((node, from, to)) = rules.crash {
        let (at, lasts, node) = (span(from), span(to - from), node + 1);
        let crash = format!("crash: edge.{node}");
        more += &format!("faults: {{ dies: {{ at: {at}, for: {lasts}, {crash} }} }}\n");
    }
    let write = if writes { ", change: { writes: files, weight: 0.3 }" } else { "" };
    let users = format!(
        "count: {}, rate: {}/s, operations: {{ look: {{ reads: files, weight: 1 }}{write} }}",
        load.users, load.rate,
    );
    let edge = Edge { users: &users, data: &data, edge: &keys, origin: DATABASE, more: &more };
    let trial = edge.run();
    let expected = replay(&rules, 0, &requests(&trial));
    (edge.text(), counted(&trial), expected)
}

#[test]
fn random_edges_hit_and_are_stale_as_lists_are() {
    let config = Config { cases: EDGES, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let sums = RefCell::new(Counts::default());
    let outcome = TestRunner::new_with_rng(config, rng).run(&(load(), rules()), |(load, rules)| {
        let (text, found, expected) = tried(load, rules);
        prop_assert_eq!(found, expected, "{}", text);
        let mut sums = sums.borrow_mut();
        sums.hits += found.hits;
        sums.stale += found.stale;
        sums.fetched += found.fetched;
        sums.failed += found.failed;
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(why, _)) => panic!("{why}"),
        Err(TestError::Abort(why)) => panic!("no edges: {why}"),
    }
    // The property was tried on what it is about.
    let Counts { hits, stale, fetched, failed, .. } = sums.into_inner();
    assert!(hits > 10_000 && stale > 2_000 && fetched > 10_000 && failed > 500, "{hits} {stale}");
}
