//! What a pop holds: whose pop it is, how much fits, which item leaves, what it starts with, how
//! long an item stays fresh, and a measured ratio in place of all that.

use super::model::{Leaves, Rules, SECOND, counted, replay, requests, same};
use super::{Edge, arrived, calls, senders};
use crate::knobs_data::bench::share_is;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn a_user_always_goes_to_the_same_pop_and_every_pop_gets_its_share() {
    const USERS: f64 = 2000.0;
    let users = "rate: 1000/s, count: 2K";
    for pops in [1, 2, 5] {
        let keys = format!("capacity: 20, start: cold, pops: {pops}");
        let trial = Edge { users, edge: &keys, ..Edge::default() }.run();
        let users: BTreeMap<_, _> = senders(&trial).into_iter().collect();
        let mut homes = BTreeMap::new();
        let mut counts = vec![0; pops];
        for call in calls(&trial, "edge") {
            let home = homes.entry(users[&call.request]).or_insert(call.node);
            assert_eq!(*home, call.node);
            counts[usize::from(call.node)] += 1;
        }
        // Each pop has a thousand points on a circle, each user one: a pop's part of the circle has
        // the variance p (1 - p) / (1000 pops), the users on it and their requests add theirs.
        let all: u64 = counts.iter().sum();
        let p = 1.0 / pops as f64;
        let trials = 1.0 / (1000.0 * pops as f64) + 1.0 / USERS + 1.0 / all as f64;
        let error = (p * (1.0 - p) * trials).sqrt();
        for count in counts {
            assert!((count as f64 / all as f64 - p).abs() <= 4.5 * error, "{count} of {all}");
        }
    }
}

#[test]
fn each_pop_has_contents_of_its_own() {
    for pops in [1, 2, 3] {
        let keys = format!("capacity: 20, start: cold, ttl: none, pops: {pops}");
        let edge = Edge { edge: &keys, ..Edge::default() };
        let rules = Rules { pops, capacity: 20, ..Rules::default() };
        let counts = same(&edge, &rules);
        assert!(counts.hits > 1000 && counts.fetched == counts.lookups - counts.hits);
    }
}

#[test]
fn what_a_pop_lacks_is_asked_of_the_origin_with_the_same_item() {
    let trial = Edge::default().run();
    let asked: BTreeMap<_, _> =
        calls(&trial, "edge").iter().map(|call| (call.request, call.item)).collect();
    let fetched = calls(&trial, "origin");
    assert!(fetched.len() > 1000);
    for call in fetched {
        assert_eq!(call.item, asked[&call.request]);
    }
}

#[test]
fn as_many_items_fit_as_are_said_or_as_the_bytes_allow() {
    let rules = |capacity| Rules { capacity, ..Rules::default() };
    for (capacity, items) in [
        ("7", 7),
        ("30", 30),
        ("140kB", 7),
        ("159kB", 7),
        ("160kB", 8),
        ("19kB", 0),
        ("unlimited", usize::MAX),
    ] {
        let keys = format!("capacity: {capacity}, start: cold, ttl: none");
        let data = "items: 60, popularity: { zipf: 0.7 }, size: 20kB";
        // What can never fit stays out.
        let edge = Edge { edge: &keys, data, ..Edge::default() };
        let counts = same(&edge, &rules(items));
        assert_eq!(counts.hits == 0, items == 0);
    }
}

#[test]
fn the_item_leaves_that_the_policy_says() {
    let mut hits = BTreeSet::new();
    for (policy, leaves) in [("lru", Leaves::Lru), ("fifo", Leaves::Fifo), ("lfu", Leaves::Lfu)] {
        let keys = format!("capacity: 12, start: cold, ttl: none, pops: 2, eviction: {policy}");
        let edge = Edge { edge: &keys, ..Edge::default() };
        let rules = Rules { pops: 2, capacity: 12, leaves, ..Rules::default() };
        hits.insert(same(&edge, &rules).hits);
    }
    for policy in ["random", "s3_fifo"] {
        let keys = format!("capacity: 12, start: cold, ttl: none, pops: 2, eviction: {policy}");
        hits.insert(counted(&Edge { edge: &keys, ..Edge::default() }.run()).hits);
    }
    assert_eq!(hits.len(), 5, "each policy hits a number of times of its own: {hits:?}");
}

#[test]
fn where_all_items_are_alike_no_policy_is_better() {
    // The next item is drawn without regard to what is held: each read hits with probability 1/3,
    // whatever was before, once the pop is full.
    for policy in ["lru", "fifo", "lfu", "random", "s3_fifo"] {
        let keys = format!("capacity: 20, start: cold, ttl: none, eviction: {policy}");
        let more = "run: { duration: 20s, warmup: 5s }";
        let edge = Edge { data: "items: 60", edge: &keys, more, ..Edge::default() };
        let counts = counted(&edge.run());
        share_is(counts.hits, counts.lookups, 1.0 / 3.0);
    }
}

#[test]
fn a_cold_pop_fetches_every_item_once_and_a_warm_one_has_it() {
    for (start, pops) in [("cold", 1), ("cold", 3), ("warm", 1), ("warm", 3)] {
        let keys = format!("capacity: unlimited, ttl: none, start: {start}, pops: {pops}");
        let trial = Edge { edge: &keys, ..Edge::default() }.run();
        let counts = counted(&trial);
        let first: BTreeSet<_> =
            calls(&trial, "edge").iter().map(|call| (call.node, call.item)).collect();
        let missed = if start == "cold" { first.len() as u64 } else { 0 };
        assert_eq!(counts.lookups - counts.hits, missed, "{start}");
    }
}

#[test]
fn a_warm_lfu_pop_has_the_most_popular_items() {
    // They stay as long as no other was asked for more often, which a warm pop knows.
    let keys = "capacity: 5, ttl: none, eviction: lfu";
    let data = "items: 60, popularity: { hot: { share: 95%, of: 10% } }";
    let trial = Edge { edge: keys, data, ..Edge::default() }.run();
    let hot: BTreeSet<u64> = (0..6).collect();
    let wanted = |call: &super::Sent| call.item.is_some_and(|(_, item)| hot.contains(&item));
    let hot_reads = calls(&trial, "edge").iter().filter(|call| wanted(call)).count() as u64;
    let hot_misses = calls(&trial, "origin").iter().filter(|call| wanted(call)).count() as u64;
    // Five of six that are alike are there: a hot read misses with probability 1/6, whatever was
    // before.
    share_is(hot_misses, hot_reads, 1.0 / 6.0);
}

#[test]
fn a_measured_ratio_is_what_is_hit() {
    for (ratio, p) in [("80%", 0.8), ("0%", 0.0), ("100%", 1.0)] {
        let keys = format!("hit_ratio: {ratio}, pops: 3");
        let trial = Edge { edge: &keys, ..Edge::default() }.run();
        let counts = counted(&trial);
        share_is(counts.hits, counts.lookups, p);
        assert_eq!(counts.fetched, counts.lookups - counts.hits);
        assert_eq!(counts.stale, 0);
    }
}

#[test]
fn a_copy_is_fresh_for_its_time_to_live() {
    for (ttl, ns) in [("300ms", 3 * SECOND / 10), ("2s", 2 * SECOND), ("none", i64::MAX / 4)] {
        for (sliding, capacity) in [(false, 20), (true, 20), (false, 60), (true, 60)] {
            let ttl = match (ttl, sliding) {
                ("none", _) => "none".to_owned(),
                _ => format!("{{ of: {ttl}, sliding: {sliding} }}"),
            };
            let keys = format!("capacity: {capacity}, start: cold, pops: 2, ttl: {ttl}");
            let edge = Edge { edge: &keys, ..Edge::default() };
            let ttl = Some(ns);
            same(&edge, &Rules { pops: 2, capacity, ttl, sliding, ..Rules::default() });
        }
    }
}

#[test]
fn without_a_ttl_written_a_copy_is_fresh_for_a_day() {
    // One read every three hours over ten days, of one item: at 3 h fetched, fresh until 27 h, and
    // what is fresh until an instant is not fresh at it.
    let trial = Edge {
        users: "rate: 8/d, arrivals: even",
        data: "items: 1",
        edge: "capacity: 1, start: cold",
        more: "run: { duration: 10d, warmup: 0s }",
        ..Edge::default()
    };
    let trial = trial.run();
    let rules = Rules { capacity: 1, ttl: Some(86_400 * SECOND), ..Rules::default() };
    let counts = replay(&rules, 0, &requests(&trial));
    assert_eq!(counted(&trial), counts);
    assert_eq!((counts.fetched, counts.lookups), (10, 79));
}

#[test]
fn a_use_begins_a_sliding_time_anew() {
    // One item, asked for every 10 ms, and fresh for 15 ms.
    let counts = |sliding: bool| {
        let ttl = format!("{{ of: 15ms, sliding: {sliding} }}");
        let keys = format!("capacity: 1, start: cold, ttl: {ttl}");
        let users = "rate: 100/s, arrivals: even";
        counted(&Edge { users, data: "items: 1", edge: &keys, ..Edge::default() }.run())
    };
    let slides = counts(true);
    assert_eq!((slides.fetched, slides.lookups), (1, 1999));
    // Fetched, hit, not fresh any more: every other read is a miss.
    let stays = counts(false);
    assert_eq!((stays.fetched, stays.lookups), (1000, 1999));
}

#[test]
fn jitter_shortens_lives_evenly() {
    // One item every 10 ms; lives of 52.5 to 105 ms, so that the 6th to the 11th read after a fetch
    // is the next one.
    let keys = "capacity: 1, start: cold, ttl: { of: 105ms, jitter: 50% }";
    let users = "rate: 100/s, arrivals: even";
    let more = "run: { duration: 200s, warmup: 0s }";
    let trial = Edge { users, data: "items: 1", edge: keys, more, ..Edge::default() }.run();
    let fetched: Vec<i64> = calls(&trial, "origin").iter().map(|call| call.at).collect();
    let gaps: Vec<i64> = fetched.windows(2).map(|two| (two[1] - two[0]) / 10_000_000).collect();
    assert!(gaps.len() > 2000);
    for (gap, part) in [(6, 7.5), (7, 10.0), (8, 10.0), (9, 10.0), (10, 10.0), (11, 5.0)] {
        let count = gaps.iter().filter(|&&found| found == gap).count() as u64;
        share_is(count, gaps.len() as u64, part / 52.5);
    }
    assert_eq!(arrived(&trial, "origin"), fetched.len() as u64);
}
