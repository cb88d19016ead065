//! Services: the steps of a handler and the workers that run them.

use super::bench::{Trial, all_take, count, run, share_is};
use simscale::components::outcome::Cause;

/// Evenly spaced requests for 10 s that run the steps on a server with a service behind it.
fn with(rate: &str, steps: &str, server: &str) -> Trial {
    run(&format!(
        "\
users: {{ rate: {rate}, arrivals: even }}
entry: server
components:
  server: {{ kind: service, {server} handle: {{ default: [ {steps} ] }} }}
  back: {{ kind: service, machine: {{ cores: 8 }}, workers: unlimited, work: 50ms }}
network: none
run: {{ duration: 10s, warmup: 0s }}
"
    ))
}

/// Without the service behind it.
fn alone(rate: &str, steps: &str, server: &str) -> Trial {
    run(&format!(
        "\
users: {{ rate: {rate}, arrivals: even }}
entry: server
components:
  server: {{ kind: service, {server} handle: {{ default: [ {steps} ] }} }}
network: none
run: {{ duration: 10s, warmup: 0s }}
"
    ))
}

fn takes(steps: &str, ms: f64) {
    all_take(&alone("10/s", steps, "").users().latency, ms);
}

#[test]
fn steps_take_the_sum_of_their_times() {
    takes("{ work: 3ms }, { wait: 20ms }, { work: 4ms }", 27.0);
}

#[test]
fn work_takes_a_core_and_a_wait_does_not() {
    let busy = |steps: &str| {
        let trial = alone("20/s", steps, "machine: { cores: 1 }, workers: 100,");
        all_take(&trial.users().latency, 40.0);
        trial.busy_cores("server")
    };
    assert!((busy("{ work: 40ms }") - 199.0 * 0.04 / 10.0).abs() < 1e-6);
    assert!(busy("{ wait: 40ms }").abs() < 1e-9);
}

#[test]
fn waits_overlap_on_one_core_and_work_does_not() {
    let mean = |step: &str| {
        let steps = format!("{{ parallel: [ {step}, {step} ] }}");
        alone("10/s", &steps, "machine: { cores: 1 },").users().latency.clone()
    };
    all_take(&mean("{ wait: 20ms }"), 20.0);
    all_take(&mean("{ work: 20ms }"), 40.0);
}

#[test]
fn parallel_ways_last_as_long_as_those_waited_for() {
    let ways = "parallel: [ { wait: 10ms }, [ { wait: 10ms }, { wait: 20ms } ], { wait: 20ms } ]";
    takes(&format!("{{ {ways} }}"), 30.0);
    takes(&format!("{{ {ways}, wait_for: 3 }}"), 30.0);
    takes(&format!("{{ {ways}, wait_for: 2 }}"), 20.0);
    takes(&format!("{{ {ways}, wait_for: 1 }}"), 10.0);
    takes(&format!("{{ {ways}, wait_for: 1 }}, {{ wait: 1ms }}"), 11.0);
}

#[test]
fn ways_not_waited_for_are_taken_back_or_run_on() {
    let race = |cancel: &str| {
        let ways = "parallel: [ { wait: 10ms }, { call: back } ], wait_for: 1";
        let trial = with("10/s", &format!("{{ {ways}{cancel} }}"), "");
        all_take(&trial.users().latency, 10.0);
        let row = trial.row("back");
        let busy_ms = (trial.component("back").busy_ns / 1e6).round();
        (row.completed, count(&row.failed, Cause::Cancelled), busy_ms)
    };
    assert_eq!(race(", cancel: true"), (0, 99, 99.0 * 10.0));
    assert_eq!(race(", cancel: false"), (99, 0, 99.0 * 50.0));
    assert_eq!(race(""), (99, 0, 99.0 * 50.0));
}

#[test]
fn repeated_steps_take_as_many_times_as_long() {
    takes("{ repeat: [ { wait: 4ms }, { work: 1ms } ], times: 3 }", 15.0);
    takes("{ repeat: [ { wait: 4ms } ] }", 4.0);
    takes("{ wait: 1ms }, { repeat: [ { wait: 4ms } ], times: 0 }", 1.0);
    let nested = "{ repeat: [ { repeat: [ { wait: 1ms } ], times: 3 }, { wait: 2ms } ], times: 2 }";
    takes(nested, 10.0);
    let trial = with("10/s", "{ call: back, times: 2 }", "");
    assert_eq!(trial.row("back").arrived, 2 * 99);
    all_take(&trial.users().latency, 100.0);
}

/// How many of how many requests took longer than 5 ms.
fn slow(steps: &str) -> (u64, u64) {
    let stories = alone("200/s", steps, "workers: 100,").stories();
    let slow = stories.iter().filter(|story| story.took_ms > 5.0).count();
    (slow as u64, stories.len() as u64)
}

#[test]
fn a_chance_is_taken_as_often_as_it_says() {
    let (taken, all) = slow("{ chance: 30%, do: [ { wait: 10ms } ] }, { wait: 1ms }");
    share_is(taken, all, 0.3);
    let (taken, all) = slow("{ chance: 30%, do: [ { wait: 1ms } ], else: [ { wait: 10ms } ] }");
    share_is(taken, all, 0.7);
    assert_eq!(slow("{ chance: 0%, do: [ { wait: 10ms } ], else: [ { wait: 1ms } ] }").0, 0);
    let (taken, all) = slow("{ chance: 100%, do: [ { wait: 10ms } ], else: [ { wait: 1ms } ] }");
    assert_eq!(taken, all);
}

#[test]
fn a_way_is_chosen_in_proportion_to_its_weight() {
    let way = |weight: &str, ms: u32| format!("{{ {weight}do: [ {{ wait: {ms}ms }} ] }}");
    let share = |first: &str, second: &str| {
        slow(&format!("{{ choose: [ {}, {} ] }}", way(first, 10), way(second, 1)))
    };
    let (taken, all) = share("weight: 1, ", "weight: 3, ");
    share_is(taken, all, 0.25);
    let (taken, all) = share("weight: 0.2, ", "weight: 0.05, ");
    share_is(taken, all, 0.8);
    let (taken, all) = share("", "");
    share_is(taken, all, 0.5);
    assert_eq!(share("weight: 0, ", "").0, 0);
}

#[test]
fn a_step_fails_as_often_as_it_says_and_ends_the_handler() {
    let trial = alone("200/s", "{ wait: 1ms }, { fail: 20% }, { wait: 10ms }", "workers: 100,");
    let users = trial.users();
    share_is(count(&users.failed, Cause::Error), users.offered, 0.2);
    all_take(&users.latency, 11.0);
    let mut failed = trial.stories();
    failed.retain(|story| story.failure.is_some());
    assert!(failed.iter().all(|story| (story.took_ms - 1.0).abs() < 1e-4));
    let all = alone("200/s", "{ fail: 100% }", "");
    assert_eq!(count(&all.users().failed, Cause::Error), all.users().offered);
}

#[test]
fn an_asynchronous_worker_is_free_while_it_waits() {
    let steps = "{ work: 1ms }, { wait: 55ms }";
    // A request every 10 ms; a worker held for 56 ms takes every sixth.
    let held = alone("100/s", steps, "workers: 1, queue: 0,");
    assert_eq!(held.users().offered, 999);
    assert_eq!(held.users().answered, 167);
    assert_eq!(count(&held.users().failed, Cause::Rejected), 999 - 167);
    let free = alone("100/s", steps, "workers: 1, queue: unlimited, async: true,");
    assert_eq!(free.users().answered, 999);
    all_take(&free.users().latency, 56.0);
}

#[test]
fn workers_bound_how_many_requests_run_at_once() {
    // A request every 10 ms for 45 ms: five are there at once.
    for (workers, every) in [(1, 5), (2, 5), (5, 1)] {
        let trial = alone("100/s", "{ wait: 45ms }", &format!("workers: {workers}, queue: 0,"));
        let expected = if every == 1 { 999 } else { 999 * workers / every };
        assert!(trial.users().answered.abs_diff(expected) <= 2, "{workers}");
    }
}
