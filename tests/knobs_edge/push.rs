//! Contents that are given to the pops.

use super::model::{Counts, Rules, SECOND, counted, replay, requests, same};
use super::{DATABASE, Edge, calls};
use crate::knobs_data::bench::{Trial, run, share_is};
use std::collections::BTreeSet;

const DATA: &str = "items: 60, popularity: { zipf: 0.7 }";

#[test]
fn what_is_pushed_is_there_before_it_is_asked_for() {
    for pops in [1, 3] {
        let keys = format!("mode: push, capacity: unlimited, pops: {pops}");
        let counts = counted(&Edge { edge: &keys, ..Edge::default() }.run());
        assert_eq!((counts.hits, counts.fetched), (counts.lookups, 0));
    }
}

#[test]
fn the_most_popular_items_that_fit_are_pushed_and_the_others_fetched() {
    for capacity in [1, 20, 59] {
        let keys = format!("mode: push, capacity: {capacity}, pops: 2");
        let edge = Edge { edge: &keys, ..Edge::default() };
        let rules = Rules { pops: 2, capacity, push: Some((30 * SECOND, 60)), ..Rules::default() };
        same(&edge, &rules);
    }
}

#[test]
fn only_what_is_read_at_the_edge_is_pushed_to_it() {
    // `orders` are of the web server and would fill the pop.
    let edge = Edge { edge: "mode: push, capacity: 60", ..Edge::default() };
    let text = edge.text().replace("data:\n", "data:\n  orders: { items: 1K, in: db }\n");
    let text = text.replace("work: 0s", "handle: { look: [ { read: orders } ] }");
    let text = text.replace("network:", &format!("  db: {{ {DATABASE} }}\nnetwork:"));
    let counts = counted(&run(&text));
    assert_eq!((counts.hits, counts.fetched), (counts.lookups, 0));
}

#[test]
fn of_several_sets_the_most_popular_items_are_pushed() {
    // 60 files get 10 % of the reads, 10 pictures 90 %.
    let users = "rate: 400/s, operations: { look: { reads: files, weight: 1 }, \
                 see: { reads: pictures, weight: 9 } }";
    let edge =
        Edge { users, data: "items: 60", edge: "mode: push, capacity: 10", ..Edge::default() };
    let text = edge.text().replace("components:", "  pictures: { items: 10 }\ncomponents:");
    let trial = run(&text);
    // Until the first fetch pictures hit, and files do not.
    let fetched = calls(&trial, "origin");
    let first = calls(&trial, "edge").into_iter().take_while(|call| call.at < fetched[0].at);
    let first: Vec<_> = first.collect();
    assert!(!first.is_empty());
    assert!(first.iter().all(|call| call.item.is_some_and(|(set, _)| set == 1)), "{first:?}");
    assert_eq!(fetched[0].item.map(|(set, _)| set), Some(0));
}

/// A run of two pops with everything pushed, to which something happens at 5 s.
fn disturbed(keys: &str, more: &str, rules: Rules) -> (Trial, Counts) {
    let keys = format!("mode: push, capacity: unlimited, pops: 2{keys}");
    let more = format!("{more}\nrun: {{ duration: 20s, warmup: 0s }}");
    let trial = Edge { edge: &keys, more: &more, ..Edge::default() }.run();
    let expected = replay(&Rules { pops: 2, ..rules }, 0, &requests(&trial));
    assert_eq!(counted(&trial), expected, "{keys}");
    (trial, expected)
}

#[test]
fn what_was_purged_is_pushed_again_after_the_delay() {
    let purge = "changes: { out: { at: 5s, purge: edge } }";
    for (key, delay) in [(", push_delay: 1s", 1), (", push_delay: 0s", 0), ("", 30)] {
        let push = Some((delay * SECOND, 60));
        let rules = Rules { push, purge: Some(5 * SECOND), ..Rules::default() };
        let (trial, counts) = disturbed(key, purge, rules);
        let fetched = calls(&trial, "origin");
        let times = 5 * SECOND..(5 + delay) * SECOND;
        assert!(fetched.iter().all(|call| times.contains(&call.at)));
        // Until then each is fetched once by each pop.
        let distinct: BTreeSet<_> = fetched.iter().map(|call| (call.node, call.item)).collect();
        assert!(distinct.len() <= 60 && counts.fetched <= 120);
        assert_eq!(counts.fetched > 0, delay > 0);
    }
}

#[test]
fn a_pop_that_comes_back_is_given_everything_after_the_delay() {
    let crash = "faults: { dies: { at: 5s, for: 2s, crash: edge.1 } }";
    for (key, delay) in [(", push_delay: 1s", 1), (", push_delay: 0s", 0), ("", 30)] {
        let push = Some((delay * SECOND, 60));
        let crashes = Some((0, 5 * SECOND, 7 * SECOND));
        let rules = Rules { push, crash: crashes, ..Rules::default() };
        let (trial, counts) = disturbed(key, crash, rules);
        assert!(counts.failed > 100);
        let times = 7 * SECOND..(7 + delay) * SECOND;
        assert!(calls(&trial, "origin").iter().all(|call| times.contains(&call.at)));
        assert_eq!(counts.fetched > 0, delay > 0);
    }
}

#[test]
fn what_is_pushed_to_a_dead_pop_is_lost() {
    // A purge at 5 s would be made good at 7 s, when pop 1 is dead; it is from 9 s.
    let more = "changes: { out: { at: 5s, purge: edge } }\n\
                faults: { dies: { at: 6s, for: 2s, crash: edge.1 } }";
    let rules = Rules {
        push: Some((2 * SECOND, 60)),
        purge: Some(5 * SECOND),
        crash: Some((0, 6 * SECOND, 8 * SECOND)),
        ..Rules::default()
    };
    let (_, counts) = disturbed(", push_delay: 2s", more, rules);
    assert!(counts.fetched > 0 && counts.failed > 0);
}

#[test]
fn a_copy_lags_behind_a_change_by_the_delay_of_a_push() {
    for (key, delay) in [("push_delay: 300ms", 0.3), ("push_delay: 0s", 0.0)] {
        let keys = format!("mode: push, capacity: unlimited, {key}");
        let ns = (delay * 1e9) as i64;
        let rules = Rules { push: Some((ns, 60)), changes: Some(2 * SECOND), ..Rules::default() };
        let data = format!("{DATA}, changes: 0.5/s");
        let edge = Edge { data: &data, edge: &keys, ..Edge::default() };
        let counts = same(&edge, &rules);
        assert_eq!(counts.stale > 0, delay > 0.0);
        // Each read of another item: a phase of its own, so that the reads are independent.
        let data = "items: 1M, changes: 0.5/s";
        let trial = Edge { data, edge: &keys, more: "run: { duration: 20s, warmup: 3s }", ..edge };
        let counts = counted(&trial.run());
        share_is(counts.stale, counts.lookups, delay / 2.0);
        assert_eq!(counts.fetched, 0);
    }
}
