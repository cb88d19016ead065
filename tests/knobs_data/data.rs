//! Data sets: which items are asked for, how often, and how many by one request.

use super::bench::{Access, Trial, run, share_is};
use std::collections::{BTreeMap, BTreeSet};

/// Evenly spaced requests (1,999) that run the steps on two sets, `items` and `others`.
fn with(data: &str, steps: &str) -> Trial {
    run(&format!(
        "\
users: {{ rate: 200/s, arrivals: even }}
entry: web
data: {{ items: {{ {data}, in: db }}, others: {{ items: 1M, in: db }} }}
components:
  web: {{ kind: service, handle: {{ default: [ {steps} ] }} }}
  db: {{ kind: database, query: 1us, log: 1us }}
network: none
run: {{ duration: 10s, warmup: 0s }}
"
    ))
}

fn by_request(accesses: &[Access]) -> Vec<Vec<Access>> {
    let mut found: BTreeMap<_, Vec<Access>> = BTreeMap::new();
    for access in accesses {
        found.entry(access.request).or_default().push(*access);
    }
    found.into_values().collect()
}

fn asked_for(popularity: &str, items: u32) -> Vec<u64> {
    let data = format!("items: {items}, popularity: {popularity}");
    let trial = with(&data, "{ read: items }");
    let mut counts = vec![0; items as usize];
    for access in trial.accesses("db") {
        counts[access.item as usize] += 1;
    }
    counts
}

#[test]
fn every_item_of_a_uniform_set_is_asked_for_alike() {
    for items in [1, 7, 20] {
        let counts = asked_for("uniform", items);
        let all = counts.iter().sum();
        counts.iter().for_each(|&count| share_is(count, all, 1.0 / f64::from(items)));
    }
}

#[test]
fn the_items_of_a_zipf_set_are_asked_for_by_rank() {
    for (exponent, power) in [("0.5", 0.5), ("1", 1.0), ("2", 2.0)] {
        let counts = asked_for(&format!("{{ zipf: {exponent} }}"), 100);
        let all = counts.iter().sum();
        let total: f64 = (1..=100).map(|k| f64::from(k).powf(-power)).sum();
        for rank in [1, 2, 4_i32] {
            share_is(counts[rank as usize - 1], all, f64::from(rank).powf(-power) / total);
        }
    }
}

#[test]
fn weighted_items_are_asked_for_by_their_weights() {
    let counts = asked_for("{ weights: [5, 40, 25] }", 3);
    for (count, share) in counts.iter().zip([40.0, 25.0, 5.0]) {
        share_is(*count, counts.iter().sum(), share / 70.0);
    }
}

#[test]
fn a_hot_part_of_the_items_gets_its_share_of_the_requests() {
    for (hot, items, share) in
        [("{ share: 90%, of: 10% }", 2, 0.9), ("{ share: 60%, of: 50% }", 10, 0.6)]
    {
        let counts = asked_for(&format!("{{ hot: {hot} }}"), 20);
        let all = counts.iter().sum();
        share_is(counts[..items].iter().sum(), all, share);
        share_is(counts[0], all, share / items as f64);
        share_is(counts[19], all, (1.0 - share) / (20 - items) as f64);
    }
}

/// Users of a data component, without any service: who asked for what.
fn asked_by_users(users: u32, items: u32, popularity: &str) -> Vec<(u32, u64)> {
    let trial = run(&format!(
        "\
users: {{ count: {users}, rate: 200/s, operations: {{ get: {{ reads: items }} }} }}
entry: db
data: {{ items: {{ items: {items}, popularity: {popularity}, in: db }} }}
components: {{ db: {{ kind: database, query: 1us }} }}
network: none
run: {{ duration: 10s, warmup: 0s }}
"
    ));
    trial.accesses_by_user("db").iter().map(|(user, access)| (*user, access.item)).collect()
}

#[test]
fn items_of_ones_own_are_asked_for_by_their_owner() {
    // 3 users and 10 items: 0 to 2, 3 to 5, 6 to 9.
    let asked = asked_by_users(3, 10, "own");
    for (user, first, count) in [(0, 0, 3), (1, 3, 3), (2, 6, 4)] {
        let own: Vec<u64> =
            asked.iter().filter(|(by, _)| *by == user).map(|(_, item)| *item).collect();
        assert!(own.iter().all(|item| (first..first + count).contains(item)), "{own:?}");
        let of_first = own.iter().filter(|item| **item == first).count();
        share_is(of_first as u64, own.len() as u64, 1.0 / count as f64);
    }
    // 10 users and 3 items: who shares which.
    let owners = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2];
    let asked = asked_by_users(10, 3, "own");
    assert!(asked.iter().all(|(user, item)| owners[*user as usize] == *item));
    let others = asked_by_users(10, 3, "uniform");
    assert!(others.iter().any(|(user, item)| owners[*user as usize] != *item));
}

#[test]
fn a_request_has_one_item_of_each_set() {
    let steps = "{ read: items }, { read: others }, { write: items }, { read: items }";
    let trial = with("items: 1M", steps);
    let requests = by_request(&trial.accesses("db"));
    let mut equal_in_both_sets = 0;
    for calls in &requests {
        let [first, other, written, again] = calls[..] else { panic!("{calls:?}") };
        assert_eq!((first.item, first.item), (written.item, again.item));
        assert_ne!(first.data, other.data);
        equal_in_both_sets += usize::from(first.item == other.item);
    }
    let distinct: BTreeSet<u64> = requests.iter().map(|calls| calls[0].item).collect();
    assert!(requests.len() >= 1999 && distinct.len() > requests.len() - 20);
    assert!(equal_in_both_sets <= 1, "{equal_in_both_sets}");
}

#[test]
fn each_of_several_times_is_about_another_item() {
    let trial = with("items: 1M", "{ read: items, times: 3 }, { read: items }");
    for calls in by_request(&trial.accesses("db")) {
        let [first, second, third, own] = calls[..] else { panic!("{calls:?}") };
        assert_eq!(first.item, own.item, "the first is the request's own");
        let distinct = BTreeSet::from([first.item, second.item, third.item]);
        assert_eq!(distinct.len(), 3);
    }
}

#[test]
fn a_component_is_asked_for_a_set_by_of() {
    let trial = with("items: 1", "{ read: db, of: others }, { write: db, of: items }");
    for calls in by_request(&trial.accesses("db")) {
        assert_eq!(calls.iter().map(|call| call.data).collect::<Vec<_>>(), [1, 0]);
    }
}

#[test]
fn a_fresh_key_is_another_one_at_each_step_and_turn() {
    let steps = "{ read: items }, { read: items, key: fresh }, \
                 { write: items, key: fresh, times: 2 }, { read: items }";
    for calls in by_request(&with("items: 1M", steps).accesses("db")) {
        let [of_request, fresh, first, second, again] = calls[..] else { panic!("{calls:?}") };
        assert_eq!(of_request.item, again.item);
        let all = [of_request.item, fresh.item, first.item, second.item];
        assert_eq!(BTreeSet::from(all).len(), 4, "{all:?}");
    }
}

#[test]
fn a_fresh_key_follows_the_popularity() {
    let trial = with("items: 20, popularity: { zipf: 1 }", "{ read: items, key: fresh }");
    let items: Vec<u64> = trial.accesses("db").iter().map(|access| access.item).collect();
    let total: f64 = (1..=20).map(|k| 1.0 / f64::from(k)).sum();
    let first = items.iter().filter(|item| **item == 0).count();
    share_is(first as u64, items.len() as u64, 1.0 / total);
}

/// What a step is about, by user, of four users and ten items.
fn own_items(step: &str) -> BTreeMap<u32, BTreeSet<u64>> {
    let trial = run(&format!(
        "\
users: {{ count: 4, rate: 100/s }}
entry: web
data: {{ items: {{ items: 10, in: db }} }}
components:
  web: {{ kind: service, handle: {{ default: [ {{ {step} }} ] }} }}
  db: {{ kind: database, query: 1us, log: 1us }}
network: none
run: {{ duration: 2s, warmup: 0s }}
"
    ));
    let mut found: BTreeMap<u32, BTreeSet<u64>> = BTreeMap::new();
    for (user, access) in trial.accesses_by_user("db") {
        found.entry(user).or_default().insert(access.item);
    }
    found
}

#[test]
fn an_own_key_is_the_same_item_whenever_its_user_asks() {
    let own: BTreeMap<u32, BTreeSet<u64>> =
        [(0, [0].into()), (1, [2].into()), (2, [5].into()), (3, [7].into())].into();
    assert_eq!(own_items("read: items, key: own"), own);
    assert_eq!(own_items("write: items, key: own"), own);
    assert_ne!(own_items("read: items"), own);
}

#[test]
fn a_cache_is_asked_for_and_filled_with_the_key_of_the_step() {
    let trial = run("\
users: { count: 5, rate: 100/s, arrivals: even }
entry: web
data: { items: { items: 5, in: near } }
components:
  web: { kind: service, handle: { default: [ { read: items, key: own } ] } }
  near: { kind: cache, over: db, capacity: unlimited, start: cold }
  db: { kind: database, query: 1us }
network: none
run: { duration: 10s, warmup: 0s }
");
    let (hits, lookups) = trial.all_hits("near");
    // Each of five users misses once; nothing else is ever asked for.
    assert_eq!(lookups - hits, 5);
    assert_eq!(trial.accesses("db").len(), 5);
}
