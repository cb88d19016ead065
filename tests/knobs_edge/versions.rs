//! Items that change by themselves: which reads are stale, exactly and on average; versioned names;
//! purges.

use super::model::{Rules, SECOND, counted, phase, replay, requests, same, version};
use super::{DATABASE, Edge, calls};
use crate::knobs_data::bench::{Trial, run, share_is};
use std::collections::{BTreeMap, BTreeSet};

const DATA: &str = "items: 60, popularity: { zipf: 0.7 }";

#[test]
fn stale_reads_are_those_of_versions_before_the_newest() {
    for (changes, period) in [("1/s", SECOND), ("0.3/s", 3_333_333_333), ("20/s", SECOND / 20)] {
        for (ttl, ns) in [("none", None), ("700ms", Some(7 * SECOND / 10))] {
            for origin in [super::SERVICE, DATABASE] {
                let data = format!("{DATA}, changes: {changes}");
                let keys = format!("capacity: 30, start: cold, pops: 2, ttl: {ttl}");
                let edge = Edge { data: &data, edge: &keys, origin, ..Edge::default() };
                let changes = Some(period);
                let rules = Rules { pops: 2, capacity: 30, ttl: ns, changes, ..Rules::default() };
                assert!(same(&edge, &rules).stale > 100);
            }
        }
    }
}

#[test]
fn phases_are_spread_evenly() {
    for parts in [2_i64, 5] {
        for part in 0..parts {
            let within = |item: &u64| phase(1, *item, SECOND) * parts / SECOND == part;
            let count = (0..10_000).filter(within).count() as u64;
            share_is(count, 10_000, 1.0 / parts as f64);
        }
    }
}

#[test]
fn without_a_cache_nothing_is_stale() {
    let data = format!("{DATA}, changes: 5/s");
    for keys in ["capacity: 0", "capacity: unlimited, start: cold, ttl: 0s", "hit_ratio: 100%"] {
        let edge = Edge { data: &data, edge: keys, ..Edge::default() };
        assert_eq!(counted(&edge.run()).stale, 0);
    }
}

#[test]
fn written_versions_are_newer_than_kept_ones() {
    let users = "rate: 400/s, operations: { look: { reads: files, weight: 4 }, \
                 change: { writes: files, weight: 1 } }";
    for (ttl, ns) in [("none", None), ("300ms", Some(3 * SECOND / 10))] {
        for versioned in [false, true] {
            let keys = format!(
                "capacity: 30, start: cold, pops: 2, passes: all, ttl: {ttl}, \
                 versioned: {versioned}"
            );
            let edge = Edge { users, edge: &keys, origin: DATABASE, ..Edge::default() };
            let rules = Rules { pops: 2, capacity: 30, ttl: ns, versioned, ..Rules::default() };
            assert_eq!(same(&edge, &rules).stale > 0, !versioned);
        }
    }
}

#[test]
fn a_versioned_item_is_never_found_as_it_was() {
    let data = format!("{DATA}, changes: 1/s");
    let keys = "capacity: 30, start: cold, pops: 2, versioned: true, shield: { capacity: 40 }";
    let edge = Edge { data: &data, edge: keys, ..Edge::default() };
    let rules = Rules {
        pops: 2,
        capacity: 30,
        shield: Some(40),
        versioned: true,
        changes: Some(SECOND),
        ..Rules::default()
    };
    let named = same(&edge, &rules);
    let keys = keys.replace("versioned: true", "versioned: false");
    let edge = Edge { data: &data, edge: &keys, ..Edge::default() };
    let unnamed = same(&edge, &Rules { versioned: false, ..rules });
    assert_eq!(named.stale, 0);
    assert!(unnamed.stale > 0 && named.fetched > unnamed.fetched);
}

/// Stale reads and all reads of each item by hand, of a run that began `warmup` before: each copy
/// is fetched by the first read that does not find a fresh one.
fn by_item(trial: &Trial, warmup: i64, ttl: i64, period: i64) -> BTreeMap<u64, (u64, u64)> {
    let mut copies: BTreeMap<u64, i64> = BTreeMap::new();
    let mut counts: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for request in requests(trial) {
        let (item, at) = (request.item, request.at);
        let fetched = copies.entry(item).or_insert(at);
        if at >= *fetched + ttl {
            *fetched = at;
        }
        if at >= 0 {
            let of = |at: i64| version(item, period, at + warmup);
            let (stale, reads) = counts.entry(item).or_default();
            *stale += u64::from(of(*fetched) < of(at));
            *reads += 1;
        }
    }
    counts
}

#[test]
fn the_share_of_stale_reads_has_a_closed_form() {
    // A copy is fetched at a random instant of a period P and serves for L. It is stale from a
    // time on that is uniform on (0, P): of the reads in its life, at a rate r, r L^2 / 2P are if
    // L < P, and r (L - P / 2) if not. One read fetches it, r L hit it.
    let items = 2000.0;
    let rate = 2000.0 / items;
    for (ttl, l) in [("500ms", 0.5), ("1s", 1.0), ("3s", 3.0), ("6s", 6.0)] {
        let period = 2.0;
        let keys = format!("capacity: unlimited, start: cold, ttl: {ttl}");
        let trial = Edge {
            users: "rate: 2K/s",
            data: "items: 2K, changes: 0.5/s",
            edge: &keys,
            more: "run: { duration: 30s, warmup: 30s }",
            ..Edge::default()
        };
        let trial = trial.run();
        let counts = by_item(&trial, 30 * SECOND, (l * 1e9) as i64, 2 * SECOND);
        let sum = |part: fn(&(u64, u64)) -> u64| counts.values().map(part).sum::<u64>();
        let (stale, reads) = (sum(|one| one.0), sum(|one| one.1));
        assert_eq!(trial.ratio("edge", "stale_reads"), (stale, reads), "{ttl}");
        let late = if l < period { l * l / (2.0 * period) } else { l - period / 2.0 };
        let expected = rate * late / (1.0 + rate * l);
        let share = stale as f64 / reads as f64;
        // Items are independent of each other and alike: the error of a ratio of sums over them.
        let off = |&(stale, reads): &(u64, u64)| (stale as f64 - share * reads as f64).powi(2);
        let error = counts.values().map(off).sum::<f64>().sqrt() / reads as f64;
        assert!(error < 0.01);
        assert!((share - expected).abs() <= 4.5 * error, "{ttl}: {share}, not {expected}");
    }
}

#[test]
fn a_cache_of_a_service_is_stale_by_the_same_rule() {
    // The same items behind a service with a cache of its own.
    for (ttl, ns) in [("none", i64::MAX / 4), ("700ms", 7 * SECOND / 10)] {
        let trial = run(&format!(
            "\
users: {{ rate: 400/s }}
entry: web
data: {{ files: {{ {DATA}, in: cache, changes: 1/s }} }}
components:
  web: {{ kind: service, workers: unlimited, handle: {{ default: [ {{ read: files }} ] }} }}
  cache: {{ kind: cache, over: db, start: cold, work: 0s, capacity: 60, ttl: {ttl} }}
  db: {{ {DATABASE} }}
network: none
run: {{ duration: 20s, warmup: 0s }}
"
        ));
        let mut copies: BTreeMap<u64, i64> = BTreeMap::new();
        let (mut stale, mut reads) = (0, 0);
        for call in calls(&trial, "cache").iter().filter(|call| call.at < 20 * SECOND) {
            let item = call.item.expect("an item").1;
            let fetched = copies.entry(item).or_insert(call.at);
            if call.at >= fetched.saturating_add(ns) {
                *fetched = call.at;
            }
            let of = |at| version(item, SECOND, at);
            stale += u64::from(of(*fetched) < of(call.at));
            reads += 1;
        }
        // A service that reads by a cache writes into it, too; those calls hold no read.
        let (found, of) = trial.ratio("cache", "stale_reads");
        assert!(of <= reads);
        assert_eq!(found, stale, "{ttl}");
    }
}

#[test]
fn warm_copies_are_of_the_start() {
    // Nothing grows old: what was there at the start, 5 s before the measured time, is of then.
    let data = "items: 60, changes: 0.1/s";
    let more = "run: { duration: 8s, warmup: 5s }";
    let edge = Edge { data, edge: "capacity: unlimited, ttl: none", more, ..Edge::default() };
    let trial = edge.run();
    let changed = |item: u64, at: i64| version(item, 10 * SECOND, at + 5 * SECOND) > 1;
    let reads = requests(&trial).into_iter().filter(|one| one.at >= 0);
    let stale = reads.filter(|one| changed(one.item, one.at)).count() as u64;
    let counts = counted(&trial);
    assert_eq!((counts.stale, counts.fetched), (stale, 0));
    assert!(stale > 0 && stale < counts.lookups);
}

#[test]
fn a_purge_throws_away_what_all_nodes_hold() {
    for (at, purge) in [("0s", 0), ("5s", 5 * SECOND), ("19s", 19 * SECOND)] {
        for shield in [None, Some(40)] {
            let more = format!(
                "changes: {{ out: {{ at: {at}, purge: edge }} }}\n\
                 run: {{ duration: 20s, warmup: 0s }}"
            );
            let with =
                shield.map_or(String::new(), |items| format!(", shield: {{ capacity: {items} }}"));
            let keys = format!("capacity: 30, start: cold, pops: 2, ttl: none{with}");
            let data = format!("{DATA}, changes: 0.3/s");
            let edge = Edge { data: &data, edge: &keys, more: &more, ..Edge::default() };
            let rules = Rules {
                pops: 2,
                capacity: 30,
                shield,
                purge: Some(purge),
                changes: Some(3_333_333_333),
                ..Rules::default()
            };
            let counts = same(&edge, &rules);
            let without = replay(&Rules { purge: None, ..rules }, 0, &requests(&edge.run()));
            assert_eq!(counts == without, purge == 0, "{at}");
        }
    }
}

#[test]
fn a_purge_at_an_instant_counts_from_the_end_of_the_warm_up() {
    let more = "changes: { out: { at: 5s, purge: edge } }\nrun: { duration: 20s, warmup: 10s }";
    let edge = Edge { edge: "capacity: unlimited, ttl: none", more, ..Edge::default() };
    let fetched = calls(&edge.run(), "origin");
    assert_eq!(fetched.len(), 60);
    assert!(fetched.iter().all(|call| call.at >= 5 * SECOND));
}

#[test]
fn a_dead_pop_does_not_hold_a_purge_back() {
    let more = "changes: { out: { at: 5s, purge: edge } }\n\
                faults: { dies: { at: 4s, for: 2s, crash: edge.1 } }\n\
                run: { duration: 20s, warmup: 0s }";
    let keys = "capacity: unlimited, ttl: none, start: cold, pops: 2";
    let edge = Edge { edge: keys, more, ..Edge::default() };
    let rules = Rules {
        pops: 2,
        purge: Some(5 * SECOND),
        crash: Some((0, 4 * SECOND, 6 * SECOND)),
        ..Rules::default()
    };
    assert!(same(&edge, &rules).failed > 0);
}

/// 100,000 pictures beside the files, all warm, and a purge at 1 s: which items of which set were
/// asked for afterwards, and which of them were fetched.
fn purged(keys: &str) -> [(BTreeSet<u64>, BTreeSet<u64>); 2] {
    let users = "rate: 4K/s, operations: { look: { reads: files }, see: { reads: pictures } }";
    let more = format!(
        "changes: {{ out: {{ at: 1s, purge: edge, {keys} }} }}\nrun: {{ duration: 3s, warmup: 0s }}"
    );
    let edge = Edge {
        users,
        data: "items: 1K",
        edge: "capacity: unlimited, ttl: none",
        more: &more,
        ..Edge::default()
    };
    let text = edge.text().replace("components:", "  pictures: { items: 1K }\ncomponents:");
    let trial = run(&text);
    let of = |name: &str, set: usize| -> BTreeSet<u64> {
        let all = calls(&trial, name).into_iter().filter(|call| call.at >= SECOND);
        all.filter_map(|call| call.item.filter(|one| one.0 == set).map(|one| one.1)).collect()
    };
    [0, 1].map(|set| (of("edge", set), of("origin", set)))
}

#[test]
fn a_purge_is_of_one_data_set_or_of_all() {
    let [files, pictures] = purged("of: files");
    assert_eq!(files.0, files.1);
    assert!(pictures.1.is_empty() && !pictures.0.is_empty());
    let [files, pictures] = purged("share: 100%");
    assert_eq!((files.0, pictures.0), (files.1, pictures.1));
}

#[test]
fn a_purge_is_of_a_share_of_the_items_drawn_one_by_one() {
    for (share, p) in [("30%", 0.3), ("0%", 0.0), ("75%", 0.75)] {
        for (asked, fetched) in purged(&format!("share: {share}")) {
            assert!(asked.len() > 900);
            share_is(fetched.len() as u64, asked.len() as u64, p);
        }
    }
}
