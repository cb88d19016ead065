//! Waiting: accept queues of services, and pools of connections at their callers.

use super::bench::{Trial, all_take, count, run, same_times};
use simscale::components::outcome::Cause;

/// Ten times a second (99 times) so many calls at once from `front`, which run the server's work.
fn burst(number: usize, calls: &str, server: &str) -> Trial {
    let ways = vec!["{ call: server }"; number].join(", ");
    run(&format!(
        "\
users: {{ rate: 10/s, arrivals: even }}
entry: front
components:
  front:
    kind: service
    handle: {{ default: [ {{ parallel: [ {ways} ] }} ] }}
    calls: {{ server: {{ {calls} }} }}
  server: {{ kind: service, machine: {{ cores: 8 }}, {server} }}
network: none
run: {{ duration: 10s, warmup: 0s }}
"
    ))
}

#[test]
fn a_queue_holds_as_many_as_its_limit() {
    for (limit, completed) in [("0", 1), ("2", 3), ("{ limit: 3 }", 4), ("unlimited", 5)] {
        let server =
            format!("workers: 1, queue: {limit}, handle: {{ default: [ {{ wait: 10ms }} ] }}");
        let trial = burst(5, "", &server);
        let row = trial.row("server");
        assert_eq!(row.completed, completed * 99, "{limit}");
        assert_eq!(count(&row.failed, Cause::Rejected), (5 - completed) * 99, "{limit}");
        let waits = (completed - 1) * completed / 2 * 10;
        assert_eq!(
            row.wait.mean().map(|mean| (mean * row.wait.count() as f64 / 1e6).round()),
            (waits > 0).then_some((waits * 99) as f64),
            "{limit}"
        );
    }
}

#[test]
fn a_request_leaves_the_queue_at_its_timeout() {
    let server = |timeout: &str| {
        format!("workers: 1, queue: {{ limit: unlimited, timeout: {timeout} }}, work: 20ms")
    };
    let trial = burst(4, "", &server("30ms"));
    // Served at 0 and 20 ms; the others leave at 30 ms.
    let row = trial.row("server");
    assert_eq!((row.completed, count(&row.failed, Cause::QueueTimeout)), (2 * 99, 2 * 99));
    let stories = trial.stories();
    assert!(stories.iter().all(|story| (story.took_ms - 30.0).abs() < 1e-4), "{stories:?}");
    assert_eq!(count(&trial.users().failed, Cause::QueueTimeout), 99);
    all_take(&burst(4, "", &server("none")).users().latency, 80.0);
}

/// The arrivals of the requests in the order in which they end, in units of 100 ms.
fn order_of_ends(order: &str) -> Vec<f64> {
    let trial = run(&format!(
        "\
users:
  rate: 10/s
  arrivals: even
  profile: {{ steps: [ {{ at: 950ms, by: 0x }} ] }}
entry: server
components:
  server: {{ kind: service, workers: 1, work: 240ms, queue: {{ {order} }} }}
network: none
run: {{ duration: 3s, warmup: 0s }}
"
    ));
    trial.stories().iter().map(|story| story.at_ms / 100.0).collect()
}

#[test]
fn a_queue_serves_the_first_or_the_last_first() {
    let in_turn = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
    same_times(&order_of_ends("order: fifo"), &in_turn);
    same_times(&order_of_ends("limit: 100"), &in_turn);
    // A worker is free at 340, 580, 820 and 1060 ms.
    same_times(&order_of_ends("order: lifo"), &[1.0, 3.0, 5.0, 8.0, 9.0, 7.0, 6.0, 4.0, 2.0]);
}

/// Latencies of three lazy and three urgent requests that come at once, the lazy ones first.
fn by_priority(priorities: [&str; 2], queue: &str) -> [Vec<f64>; 2] {
    let [lazy, urgent] = priorities;
    let trial = run(&format!(
        "\
users:
  rate: 1/s
  arrivals: even
  operations:
    page: {{ weight: 1, loads: {{ lazy: 3, urgent: 3 }} }}
    lazy: {{ entry: server, {lazy} }}
    urgent: {{ entry: server, {urgent} }}
entry: front
components:
  front: {{ kind: service, work: 1ms }}
  server: {{ kind: service, machine: {{ cores: 1 }}, workers: 1, work: 10ms, queue: {{ {queue} }} }}
network: none
run: {{ duration: 1500ms, warmup: 0s }}
"
    ));
    let operations = &trial.experiment.plan.topology.operations;
    let times = |name: &str| {
        let stories = trial.stories();
        let of = stories
            .iter()
            .filter(|story| story.at_ms < 1500.0 && operations[story.operation].name == name);
        of.map(|story| story.took_ms).collect()
    };
    [times("lazy"), times("urgent")]
}

#[test]
fn urgent_requests_pass_lazy_ones_that_wait_or_run() {
    let priorities = ["priority: 9", "priority: 1"];
    let check = |priorities, queue: &str, lazy: [f64; 3], urgent: [f64; 3]| {
        let [found_lazy, found_urgent] = by_priority(priorities, queue);
        same_times(&found_lazy, &lazy);
        same_times(&found_urgent, &urgent);
    };
    check(priorities, "order: fifo", [10.0, 20.0, 30.0], [40.0, 50.0, 60.0]);
    check(priorities, "order: priority", [10.0, 50.0, 60.0], [20.0, 30.0, 40.0]);
    let preemptive = "order: priority, preemptive: true";
    check(priorities, preemptive, [40.0, 50.0, 60.0], [10.0, 20.0, 30.0]);
    check(["", "priority: 4"], "order: priority", [10.0, 50.0, 60.0], [20.0, 30.0, 40.0]);
    check(["", "priority: 5"], "order: priority", [10.0, 20.0, 30.0], [40.0, 50.0, 60.0]);
    check(["", "priority: 6"], "order: priority", [10.0, 20.0, 30.0], [40.0, 50.0, 60.0]);
}

const SERVER: &str = "workers: unlimited, handle: { default: [ { wait: 10ms } ] }";

#[test]
fn a_pool_lets_as_many_calls_out_as_its_size() {
    for (pool, ms) in [("unlimited", 10.0), ("5", 10.0), ("3", 20.0), ("{ size: 2 }", 30.0)] {
        let trial = burst(5, &format!("pool: {pool}"), SERVER);
        all_take(&trial.users().latency, ms);
        let most = match pool {
            "3" => 3,
            "{ size: 2 }" => 2,
            _ => 5,
        };
        assert_eq!(trial.component("server").present.max(), most, "{pool}");
        let link = trial.link("front", "server");
        assert_eq!(link.pool_waits, 99 * (5 - most as u64), "{pool}");
    }
}

#[test]
fn a_call_waits_for_a_pool_place_as_long_as_it_may() {
    let fails_after = |pool: &str| {
        let trial = burst(5, &format!("pool: {pool}"), SERVER);
        assert_eq!(count(&trial.users().failed, Cause::PoolWait), 99, "{pool}");
        trial.stories().iter().map(|story| story.took_ms).collect::<Vec<_>>()
    };
    // With two places the fifth call would have to wait for 20 ms.
    same_times(&fails_after("{ size: 2, wait: 15ms }"), &[15.0; 99]);
    same_times(&fails_after("{ size: 2, wait: 5ms }"), &[5.0; 99]);
    for wait in ["25ms", "none", "1s"] {
        let pool = format!("pool: {{ size: 2, wait: {wait} }}");
        all_take(&burst(5, &pool, SERVER).users().latency, 30.0);
    }
}

#[test]
fn as_many_calls_wait_for_a_pool_place_as_its_queue_holds() {
    let pool = |queue: &str| burst(5, &format!("pool: {{ size: 2, queue: {queue} }}"), SERVER);
    for queue in ["3", "unlimited"] {
        all_take(&pool(queue).users().latency, 30.0);
    }
    for queue in ["0", "2"] {
        let trial = pool(queue);
        assert_eq!(count(&trial.users().failed, Cause::PoolWait), 99, "{queue}");
        let stories = trial.stories();
        assert!(stories.iter().all(|story| story.took_ms < 1e-4), "{queue}");
    }
}
