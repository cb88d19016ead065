//! What a caller does about time and failure: timeouts, taking calls back, repeats.

use super::{ERRORS, MS, Trial, assert_same, assert_share};
use simscale::components::outcome::Cause;
use simscale::components::record::Note;

/// Users of this kind of client before a server of this kind.
fn served(seconds: u32, rate: u32, client: &str, server: &str) -> Trial {
    let text = format!(
        "\
users: {{ rate: {rate}/s, arrivals: even, client: {client} }}
entry: web
components:
  web: {{ kind: service, {server} }}
network: none"
    );
    Trial::of(seconds, &text)
}

const FAILS: &str = "handle: { default: [ { fail: 100% } ] }";

#[test]
fn a_client_gives_up_after_its_timeout_to_the_nanosecond() {
    for (timeout, gives_up) in [("200ms", true), ("999ms", true), ("1001ms", false)] {
        let client = format!("{{ timeout: {timeout} }}");
        let server = "workers: 1000, handle: { default: [ { wait: 1s } ] }";
        let trial = served(4, 50, &client, server);
        let users = trial.users();
        let timeouts = users.failed[Cause::Timeout as usize];
        assert!(users.offered >= 199, "{}", users.offered);
        assert_eq!(timeouts, if gives_up { users.offered } else { 0 }, "{timeout}");
        let waits = if gives_up { timeout } else { "1000ms" };
        let waits: i64 = waits.trim_end_matches("ms").parse().expect("milliseconds");
        let sent = trial.run.sent();
        for (request, at, _) in trial.run.ended() {
            assert_eq!(at.0 - sent[&request].at.0, waits * MS);
        }
    }
}

#[test]
fn cancel_frees_the_callee_at_the_timeout() {
    // 2/s, each for 400 ms of which the client waits 100 ms; the end may cut the last one off.
    for (cancel, held_s) in [(false, 0.4), (true, 0.1)] {
        let client = format!("{{ timeout: 100ms, cancel: {cancel} }}");
        let server = "workers: 1, handle: { default: [ { wait: 400ms } ] }";
        let trial = served(20, 2, &client, server);
        let web = trial.component("web");
        let present = web.present.mean().expect("it is measured");
        let (wasted, arrived) =
            web.operations.iter().fold((0, 0), |(w, a), one| (w + one.wasted, a + one.arrived));
        assert!(arrived >= 39, "{arrived}");
        let per_call = 20.0 * present / arrived as f64;
        assert!((per_call - held_s).abs() <= held_s / 39.0, "{cancel}: {per_call}");
        if !cancel {
            assert!(wasted + 1 >= arrived, "{wasted} of {arrived}");
        }
    }
}

#[test]
fn cancel_makes_room_for_the_next() {
    // 5/s need two workers for 390 ms each, but half of one if they let go after 100 ms.
    let failed = |cancel: bool| {
        let client = format!("{{ timeout: 100ms, cancel: {cancel} }}");
        let server = "workers: 1, queue: 0, handle: { default: [ { wait: 390ms } ] }";
        let trial = served(20, 5, &client, server);
        let users = trial.users();
        (users.failed[Cause::Rejected as usize], users.failed[Cause::Timeout as usize])
    };
    let (rejected, timeouts) = failed(true);
    assert!(rejected == 0 && timeouts >= 99, "{rejected} {timeouts}");
    // A request every 200 ms: one of two finds the worker busy.
    let (rejected, timeouts) = failed(false);
    assert!(rejected.abs_diff(timeouts) <= 1 && rejected >= 49, "{rejected} {timeouts}");
}

/// The pauses before each repeat, request by request, at a server that fails at once.
fn pauses(max: usize, rate: u32, backoff: &str) -> Vec<Vec<i64>> {
    let client = format!("{{ timeout: 5s, retries: {{ max: {max}, backoff: {backoff} }} }}");
    let trial = served(4, rate, &client, FAILS);
    let attempts = trial.attempts("web");
    let gaps = |times: &Vec<i64>| times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let pauses: Vec<Vec<i64>> = attempts.iter().map(gaps).collect();
    assert!(pauses.len() > 4 * rate as usize - 3);
    assert!(pauses.iter().all(|one: &Vec<i64>| one.len() == max), "each is repeated {max} times");
    pauses
}

#[test]
fn pauses_without_jitter_grow_by_the_factor_up_to_the_cap() {
    let ms = |pauses: &[i64]| pauses.iter().map(|pause| pause / MS).collect::<Vec<_>>();
    for (backoff, expected) in [
        ("10ms", [10, 10, 10, 10]),
        ("{ base: 10ms, factor: 2x }", [10, 20, 40, 80]),
        ("{ base: 10ms, factor: 3x }", [10, 30, 90, 270]),
        ("{ base: 10ms, factor: 2x, cap: 50ms }", [10, 20, 40, 50]),
        ("{ base: 10ms, factor: 2x, cap: 15ms, jitter: none }", [10, 15, 15, 15]),
        ("0s", [0, 0, 0, 0]),
    ] {
        for pauses in pauses(4, 20, backoff) {
            assert_eq!(ms(&pauses), expected, "{backoff}");
        }
    }
}

/// Whether all pauses before a repeat lie in a range and are uniform there.
fn assert_uniform(pauses: &[Vec<i64>], repeat: usize, from_ms: f64, to_ms: f64) {
    let pauses = pauses.iter().map(|one| one[repeat] as f64 / MS as f64);
    let (mut sum, mut least, mut most, count) =
        (0.0, f64::INFINITY, 0.0_f64, pauses.clone().count() as f64);
    for pause in pauses {
        sum += pause;
        least = least.min(pause);
        most = most.max(pause);
    }
    // Rounding to nanoseconds.
    assert!(least >= from_ms - 2e-6 && most <= to_ms + 2e-6, "{repeat}: {least} {most}");
    // Of a thousand none in the outer fiftieth on a side has the chance e^-20.
    let edge = (to_ms - from_ms) / 50.0;
    assert!(least < from_ms + edge && most > to_ms - edge, "{repeat}: {least} {most}");
    let error = (to_ms - from_ms) / (12.0 * count).sqrt();
    let off = sum / count - (from_ms + to_ms) / 2.0;
    assert!(off.abs() <= ERRORS * error, "{repeat}: {off} +- {error}");
}

#[test]
fn full_jitter_spreads_a_pause_over_all_of_it() {
    let backoff = "{ base: 10ms, factor: 2x, cap: 30ms, jitter: full }";
    let pauses = pauses(3, 300, backoff);
    for (repeat, whole) in [10.0, 20.0, 30.0].into_iter().enumerate() {
        assert_uniform(&pauses, repeat, 0.0, whole);
    }
}

#[test]
fn equal_jitter_spreads_a_pause_over_its_second_half() {
    let backoff = "{ base: 10ms, factor: 2x, cap: 30ms, jitter: equal }";
    let pauses = pauses(3, 300, backoff);
    for (repeat, whole) in [10.0, 20.0, 30.0].into_iter().enumerate() {
        assert_uniform(&pauses, repeat, whole / 2.0, whole);
    }
}

#[test]
fn a_base_drawn_from_a_law_is_drawn_for_each_repeat() {
    let backoff = "{ base: { uniform: { from: 10ms, to: 20ms } }, factor: 2x }";
    let pauses = pauses(2, 300, backoff);
    assert_uniform(&pauses, 0, 10.0, 20.0);
    assert_uniform(&pauses, 1, 20.0, 40.0);
    let alike = pauses.iter().filter(|one| (one[1] - 2 * one[0]).abs() < MS / 100).count();
    assert!(alike < 20, "{alike}");
}

#[test]
fn only_the_failures_named_are_repeated() {
    let servers = [
        ("error", FAILS, "{}"),
        ("timeout", "workers: 1000, handle: { default: [ { wait: 1s } ] }", "{}"),
        ("refused", "work: 1ms", "{ dies: { at: 0s, crash: web } }"),
        ("crashed", "workers: 1000, handle: { default: [ { wait: 100ms } ] }", CRASHES),
    ];
    for (cause, server, faults) in servers {
        for when in ["error", "timeout", "refused", "crashed", "rejected"] {
            let text = format!(
                "\
users:
  rate: 10/s
  arrivals: even
  client: {{ timeout: 300ms, retries: {{ max: 2, backoff: 1ms, when: [{when}] }} }}
entry: web
components:
  web: {{ kind: service, {server} }}
network: none
faults: {faults}"
            );
            let trial = Trial::of(2, &text);
            let (users, repeated) = (trial.users(), when == cause);
            let tries = if repeated { 3 } else { 1 };
            if cause == "crashed" {
                // Those in hand at the crash; where repeated, they succeed the second time.
                let crashed = users.failed[Cause::Crashed as usize];
                assert_eq!(crashed, u64::from(!repeated), "{when}");
                assert_eq!(users.attempts - users.offered, u64::from(repeated), "{when}");
            } else {
                assert_eq!(users.attempts, tries * users.offered, "{cause} {when}");
            }
        }
    }
}

/// Requests come every 100 ms and last 100 ms: one is in hand; the restart takes no time.
const CRASHES: &str = "{ dies: { at: 1s, for: 0s, crash: web } }";

#[test]
fn a_rejection_is_repeated_when_named() {
    // Every 10 ms one for 12 ms: the second of three finds the worker busy, but not 3 ms later;
    // the third then finds it busy both times. Without repeats the third finds it free.
    for (when, rejected, repeated) in [("rejected", 67, 133), ("error", 100, 0)] {
        let client = format!("{{ retries: {{ max: 1, backoff: 3ms, when: [{when}] }} }}");
        let server = "workers: 1, queue: 0, handle: { default: [ { wait: 12ms } ] }";
        let trial = served(2, 100, &client, server);
        let users = trial.users();
        let failed = users.failed[Cause::Rejected as usize];
        let repeats = users.attempts - users.offered;
        assert!(failed.abs_diff(rejected) <= 1, "{when}: {failed}");
        assert!(repeats.abs_diff(repeated) <= 1, "{when}: {repeats}");
    }
}

#[test]
fn a_repeat_goes_to_another_instance_or_not() {
    let failed = |other: bool| {
        let text = format!(
            "\
users: {{ rate: 1000/s, arrivals: even }}
entry: front
components:
  front:
    kind: service
    workers: 100
    handle: {{ default: [ {{ call: web }} ] }}
    calls: {{ web: {{ balance: random, retries: {{ max: 1, other_instance: {other} }} }} }}
  web: {{ kind: service, instances: 2, workers: 100, handle: {{ default: [ {{ wait: 1ms }} ] }} }}
network: none
faults: {{ dies: {{ at: 0s, crash: web.1 }} }}"
        );
        let trial = Trial::of(4, &text);
        (trial.users().failed_total() as usize, trial.users().offered as usize)
    };
    assert_eq!(failed(true).0, 0);
    let (failures, of) = failed(false);
    assert_share(failures, of, 0.25);
}

#[test]
fn a_timeout_runs_anew_for_each_attempt() {
    let client = "{ timeout: 200ms, retries: { max: 2, backoff: 50ms, when: [timeout] } }";
    let server = "workers: 1000, handle: { default: [ { wait: 1s } ] }";
    let trial = served(4, 20, client, server);
    let sent = trial.run.sent();
    let mut ended = 0;
    for note in &trial.run.notes {
        if let Note::Ended { request, at, failure } = *note {
            ended += 1;
            assert_eq!(failure.map(|failure| failure.cause), Some(Cause::Timeout));
            assert_eq!(at.0 - sent[&request].at.0, (3 * 200 + 2 * 50) * MS);
        }
    }
    assert!(ended >= 79, "{ended}");
    assert_same(trial.users().attempts as f64, 3.0 * trial.users().offered as f64);
}
