//! Bytes that leave one after the other: from a pop, and from a machine.

use super::{Edge, calls};
use crate::knobs_data::bench::{Trial, read, run, same_times};
use simscale::experiment::Control;
use simscale::experiment::summary::Limit;

/// How long the answers take that are handed to a pipe at these times, in milliseconds.
fn through(at: &[f64], each: f64) -> Vec<f64> {
    let mut free = f64::NEG_INFINITY;
    let times = at.iter().map(|&at| {
        free = free.max(at) + each;
        free - at
    });
    times.collect()
}

/// Latencies of the requests that were answered, in the order of arrival.
fn took(trial: &Trial) -> Vec<(f64, f64)> {
    let mut stories = trial.stories();
    stories.retain(|story| story.failure.is_none());
    stories.sort_by(|a, b| a.at_ms.total_cmp(&b.at_ms));
    stories.iter().map(|story| (story.at_ms, story.took_ms)).collect()
}

/// Requests of 10 kB.
fn of_ten(more: &str) -> String {
    format!("{more}, operations: {{ look: {{ reads: files, response: 10kB }} }}")
}

#[test]
fn answers_leave_a_pop_one_after_the_other() {
    let users = of_ten("rate: 100/s");
    for (bandwidth, each) in
        [("1MB/s", 10.0), ("8Mbit/s", 10.0), ("2MB/s", 5.0), ("unlimited", 0.0)]
    {
        // Hits and misses alike.
        for capacity in ["unlimited", "0"] {
            let keys = format!("capacity: {capacity}, ttl: none, bandwidth: {bandwidth}");
            let trial = Edge { users: &users, edge: &keys, ..Edge::default() }.run();
            let (at, found): (Vec<_>, Vec<_>) = took(&trial).into_iter().unzip();
            same_times(&found, &through(&at, each));
        }
    }
}

#[test]
fn each_pop_has_a_pipe_of_its_own() {
    let users = of_ten("rate: 150/s");
    let keys = "capacity: unlimited, ttl: none, bandwidth: 1MB/s, pops: 2";
    let trial = Edge { users: &users, edge: keys, ..Edge::default() }.run();
    let all = took(&trial);
    let sent = calls(&trial, "edge");
    for pop in 0..2 {
        let here = sent.iter().filter(|call| call.node == pop).map(|call| call.at as f64 / 1e6);
        let here: Vec<f64> = here.collect();
        let found: Vec<f64> =
            all.iter().filter(|one| here.contains(&one.0)).map(|one| one.1).collect();
        // At the end some are not through yet.
        let expected = through(&here, 10.0);
        same_times(&found, &expected[..found.len()]);
        assert!(found.len() + 20 > expected.len());
    }
}

#[test]
fn what_passes_goes_through_the_pipe_and_a_failure_does_not() {
    let users = "rate: 100/s, operations: { ask: { response: 10kB } }";
    let keys = "capacity: unlimited, bandwidth: 1MB/s, passes: all";
    let trial = Edge { users, edge: keys, ..Edge::default() }.run();
    let (at, found): (Vec<_>, Vec<_>) = took(&trial).into_iter().unzip();
    same_times(&found, &through(&at, 10.0));
    let keys = "capacity: unlimited, bandwidth: 1MB/s";
    let failed = Edge { users, edge: keys, ..Edge::default() }.run();
    assert!(failed.stories().iter().all(|story| story.failure.is_some() && story.took_ms == 0.0));
}

#[test]
fn what_a_dead_pop_had_to_send_is_gone() {
    // Twice what the pipe takes: after 5 s answers wait 5 s. The pop dies with them for a second.
    let users = of_ten("rate: 200/s, arrivals: even");
    let keys = "capacity: unlimited, ttl: none, bandwidth: 1MB/s";
    let more = "faults: { dies: { at: 5002ms, for: 1s, crash: edge } }\n\
                run: { duration: 8s, warmup: 0s }";
    let trial = Edge { users: &users, edge: keys, more, ..Edge::default() }.run();
    let late: Vec<(f64, f64)> = took(&trial).into_iter().filter(|one| one.0 > 6002.0).collect();
    let (at, found): (Vec<_>, Vec<_>) = late.into_iter().unzip();
    same_times(&found, &through(&at, 10.0)[..found.len()]);
    assert!(found.len() > 150);
}

/// Users who call a service with a network interface; its answers have 10 kB.
fn service(rate: &str, nic: &str, run: &str) -> String {
    format!(
        "\
users: {{ {rate}, client: {{ timeout: none }}, operations: {{ get: {{ response: 10kB }} }} }}
entry: web
components:
  web:
    kind: service
    machine: {{ nic: {nic}, cores: unlimited }}
    workers: unlimited
    work: 0s
network: none
run: {{ {run}, warmup: 0s, replications: 1 }}
"
    )
}

#[test]
fn answers_leave_a_machine_one_after_the_other() {
    for (nic, each) in [("1MB/s", 10.0), ("8Mbit/s", 10.0), ("4MB/s", 2.5), ("unlimited", 0.0)] {
        let trial = run(&service("rate: 80/s", nic, "duration: 20s"));
        let (at, found): (Vec<_>, Vec<_>) = took(&trial).into_iter().unzip();
        same_times(&found, &through(&at, each));
    }
}

#[test]
fn the_way_back_comes_after_the_interface() {
    let text = service("rate: 80/s", "1MB/s", "duration: 20s");
    let trial = run(&text.replace("network: none", "network: { users: 30ms }"));
    let (at, found): (Vec<_>, Vec<_>) = took(&trial).into_iter().unzip();
    let arrived: Vec<f64> = at.iter().map(|at| at + 15.0).collect();
    let waited = through(&arrived, 10.0).into_iter().map(|ms| ms + 30.0).collect::<Vec<_>>();
    same_times(&found, &waited);
}

#[test]
fn components_of_one_host_share_its_interface() {
    // A page of 10 kB asks a store on the same machine for 5 kB: half as much again.
    let text = "\
users: { rate: 50/s, arrivals: even, operations: { get: { response: 10kB } } }
entry: web
data: { items: { items: 10, size: 5kB, in: db } }
hosts: { box: { nic: 1MB/s, cores: unlimited } }
components:
  web: { kind: service, host: box, handle: { get: [ { read: items } ] } }
  db: { kind: database, host: box, query: 0s }
network: none
run: { duration: 20s, warmup: 0s }
";
    let trial = run(text);
    assert!(took(&trial).iter().all(|one| (one.1 - 15.0).abs() < 1e-4));
    let busy: f64 = trial.observed.nic_utilization.iter().sum();
    // 999 requests of 15 ms in 20 s.
    assert!((busy - 999.0 * 0.015 / 20.0).abs() < 1e-9, "{busy}");
}

#[test]
fn a_failure_has_no_bytes() {
    let text = service("rate: 200/s, arrivals: even", "1MB/s", "duration: 5s");
    let trial = run(&text.replace("work: 0s", "handle: { default: [ { fail: 100% } ] }"));
    assert!(trial.stories().iter().all(|story| story.took_ms == 0.0));
    assert!(trial.observed.nic_utilization.iter().all(|&busy| busy == 0.0));
}

fn interface(text: &str) -> Limit {
    let outcome = read(text).run(Control::default()).expect("it runs");
    let bottleneck = outcome.summary.bottleneck.expect("something limits it");
    let found = bottleneck.limits.into_iter().find(|limit| limit.resource == "network interface");
    let limit = found.expect("the interface is listed");
    assert_eq!((limit.component.as_str(), limit.servers), ("web", 1.0));
    limit
}

#[test]
fn a_busy_interface_is_a_bottleneck() {
    // 10 ms each: 100 a second at most. At 60/s it is busy for 60 % of the time; at 200/s always,
    // and no more than that.
    for (rate, busy) in [("60/s", 0.6), ("200/s", 1.0)] {
        let keys = format!("rate: {rate}, arrivals: even");
        let limit = interface(&service(&keys, "1MB/s", "duration: 20s"));
        let found = limit.utilization.mean.finite().expect("a number");
        assert!((found - busy).abs() < 0.001, "{rate}: {found}");
        assert!((limit.limit_rps / 100.0 - 1.0).abs() < 0.001, "{rate}: {}", limit.limit_rps);
        assert!((limit.demand_ms - 10.0).abs() < 0.01, "{rate}: {}", limit.demand_ms);
    }
}

#[test]
fn a_disk_that_is_asked_for_too_much_is_no_more_than_busy() {
    // 100 operations a second, and 200 requests for one.
    let text = "\
users: { rate: 200/s, arrivals: even, client: { timeout: none } }
entry: web
components:
  web: { kind: service, workers: unlimited, handle: { default: [ { call: db } ] } }
  db: { kind: database, query: 0s, memory_share: 0%, machine: { disk: { iops: 100, read: 1ms } } }
data: { items: { items: 1K, in: db } }
network: none
run: { duration: 20s, warmup: 0s, replications: 1 }
";
    let text = text.replace("call: db", "read: items");
    let outcome = read(&text).run(Control::default()).expect("it runs");
    let bottleneck = outcome.summary.bottleneck.expect("something limits it");
    let disk = bottleneck.limits.into_iter().find(|limit| limit.resource == "disk");
    let disk = disk.expect("the disk is listed");
    let busy = disk.utilization.mean.finite().expect("a number");
    assert!((busy - 1.0).abs() < 0.001 && (disk.limit_rps / 100.0 - 1.0).abs() < 0.001, "{disk:?}");
}
