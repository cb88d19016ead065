//! Staleness against a model kept by hand: every read and write of a run, replayed on a list.
//!
//! Nothing takes time here, so that requests happen one after the other in the order of their
//! arrivals, and a slow, obvious model must count the same hits and the same stale reads.

use super::bench::{Trial, run};
use std::collections::BTreeMap;

const ITEMS: u64 = 60;

struct Copy {
    item: u64,
    version: u32,
    end_ms: f64,
}

/// What a write does to the list.
#[derive(Clone, Copy, PartialEq)]
enum Writes {
    Drop,
    Put,
    Leave,
}

/// Hits, stale reads and reads of the whole run.
fn replay(trial: &Trial, capacity: usize, ttl_ms: f64, writes: Writes) -> (u64, u64, u64) {
    let mut items = BTreeMap::new();
    for access in trial.accesses("cache").iter().chain(&trial.accesses("db")) {
        items.insert(access.request, access.item);
    }
    let mut list: Vec<Copy> = Vec::new();
    let mut newest: BTreeMap<u64, u32> = BTreeMap::new();
    let (mut hits, mut stale, mut reads) = (0, 0, 0);
    for (request, at_ms, operation) in trial.requests() {
        let item = items[&request];
        let version = newest.entry(item).or_default();
        if operation == 1 {
            *version += 1;
        } else {
            reads += 1;
            if let Some(at) = list.iter().position(|copy| copy.item == item)
                && list[at].end_ms > at_ms
            {
                hits += 1;
                stale += u64::from(list[at].version < *version);
                let copy = list.remove(at);
                list.push(copy);
                continue;
            }
        }
        if operation == 1 && writes == Writes::Leave {
            continue;
        }
        list.retain(|copy| copy.item != item);
        if operation == 1 && writes == Writes::Drop {
            continue;
        }
        if list.len() == capacity {
            list.remove(0);
        }
        list.push(Copy { item, version: *version, end_ms: at_ms + ttl_ms });
    }
    (hits, stale, reads)
}

#[test]
fn stale_reads_are_counted_exactly() {
    for (cache, writes) in [
        ("on_write: invalidate", Writes::Drop),
        ("on_write: update", Writes::Put),
        ("on_write: nothing", Writes::Leave),
        ("strategy: read_through", Writes::Drop),
        ("strategy: read_through, on_write: nothing", Writes::Leave),
        ("strategy: write_around, on_write: nothing", Writes::Leave),
        ("strategy: write_through", Writes::Put),
        ("strategy: write_behind, write_behind: 1ms", Writes::Put),
        ("leases: true, on_write: nothing", Writes::Leave),
    ] {
        for (capacity, ttl_ms) in [(20, 300), (ITEMS as usize, 1500), (ITEMS as usize, 100_000)] {
            let keys: String = cache.split(", ").map(|key| format!("    {key}\n")).collect();
            let trial = run(&format!(
                "\
users:
  rate: 400/s
  operations: {{ look: {{ weight: 4 }}, change: {{ weight: 1 }} }}
entry: web
data: {{ items: {{ items: {ITEMS}, popularity: {{ zipf: 0.7 }}, in: cache }} }}
components:
  web:
    kind: service
    workers: unlimited
    handle: {{ look: [ {{ read: items }} ], change: [ {{ write: items }} ] }}
  cache:
    kind: cache
    over: db
    start: cold
    work: 0s
    capacity: {capacity}
    ttl: {ttl_ms}ms
{keys}  db: {{ kind: database, query: 0s, log: 0s, machine: {{ disk: {{ iops: unlimited }} }} }}
network: none
run: {{ duration: 20s, warmup: 0s }}
"
            ));
            let (hits, stale, reads) = replay(&trial, capacity, f64::from(ttl_ms), writes);
            assert_eq!(trial.all_hits("cache"), (hits, reads), "{cache}, {capacity}, {ttl_ms}");
            assert_eq!(trial.ratio("cache", "stale_reads"), (stale, reads), "{cache}");
            assert_eq!(stale > 0, writes == Writes::Leave, "{cache}");
        }
    }
}
