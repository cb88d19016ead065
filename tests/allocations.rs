//! Nothing is allocated per event: a run twice as long allocates as often as the short one.
//!
//! Allocations are counted on the thread that simulates, so that other tests do not disturb it.

use crate::knobs_data::bench::read;
use allocation_counter::measure;
use simscale::units::Duration;
use simscale::world::{Conditions, simulate};

/// A site with a balancer, a cache, a database, timeouts and a page that loads files. One window
/// of the series is the whole run, whatever its length.
fn site(seconds: u32) -> String {
    format!(
        "
users:
  rate: 300/s
  operations:
    view: {{ weight: 1, reads: profiles, loads: {{ file: 2 }} }}
    file: {{ reads: profiles }}
entry: lb
data: {{ profiles: {{ items: 1K, in: cache, popularity: {{ zipf: 0.99 }} }} }}
components:
  lb: {{ kind: load_balancer, to: web, balance: least_connections, health_check: none }}
  web:
    kind: service
    instances: 4
    handle:
      view: [ work: {{ exponential: 5ms }}, {{ read: profiles, times: 2 }} ]
      file: [ work: 0.1ms ]
    calls: {{ db: {{ timeout: 1s, pool: 10 }} }}
  cache: {{ kind: cache, over: db, capacity: 200, ttl: 10s }}
  db: {{ kind: database, query: 0.5ms }}
network: {{ users: {{ exponential: 20ms }}, within_zone: 0.25ms }}
run: {{ duration: {seconds}s, window: {seconds}s, warmup: 0s, replications: 1 }}
"
    )
}

/// Requests of one run, and how often memory was asked for meanwhile.
fn run(seconds: u32) -> (u64, u64) {
    let experiment = read(&site(seconds));
    let conditions =
        Conditions { seed: 1, replication: 0, warmup: Duration(0), faults: true, stop: None };
    let mut requests = 0;
    let info = measure(|| {
        let observed = simulate(&experiment.plan, conditions);
        requests = observed.users.iter().map(|users| users.offered).sum();
    });
    (requests, info.count_total)
}

#[test]
fn a_run_twice_as_long_allocates_no_more() {
    let ((requests, short), (more, long)) = (run(40), run(80));
    assert!(requests > 30_000 && more > 2 * requests - 3_000, "{requests} and {more} requests");
    // What grows is what holds the largest number of calls so far, and it doubles when it does.
    assert!(long <= short + 50, "{short} allocations in 40 s, {long} in 80 s");
}
