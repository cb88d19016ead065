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
