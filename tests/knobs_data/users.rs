//! Users: who comes when, how patient they are, what a page loads.

use super::bench::{Trial, all_take, run, share_is};
use simscale::components::record::Note;
use std::f64::consts::TAU;

/// Users of a server that waits for so long.
fn with(users: &str, wait: &str, run_for: &str) -> Trial {
    run(&format!(
        "\
users: {{ {users} }}
entry: server
components:
  server: {{ kind: service, workers: unlimited, handle: {{ default: [ {{ wait: {wait} }} ] }} }}
network: none
run: {{ duration: {run_for}, warmup: 0s }}
"
    ))
}

#[test]
fn a_late_answer_is_throughput_but_no_goodput() {
    let counts = |patience: &str| {
        let operations = format!("operations: {{ get: {{ {patience} }} }}");
        let trial = with(&format!("rate: 10/s, arrivals: even, {operations}"), "20ms", "10s");
        let users = trial.users();
        (users.answered, users.throughput, users.goodput, users.late)
    };
    assert_eq!(counts("patience: 10ms"), (99, 99, 0, 99));
    assert_eq!(counts("patience: 30ms"), (99, 99, 99, 0));
    assert_eq!(counts("patience: none"), (99, 99, 99, 0));
}

/// The page takes 20 ms, and so does each of its loads.
fn page(page: &str) -> Trial {
    let operations = format!("operations: {{ page: {{ weight: 1, {page} }}, file: {{}} }}");
    with(&format!("rate: 2/s, arrivals: even, {operations}"), "20ms", "10s")
}

#[test]
fn a_page_is_there_when_all_its_loads_are() {
    for (loads, parallel, ms) in [
        (6, "", 40.0),
        (7, "", 60.0),
        (5, "parallel: 1", 120.0),
        (5, "parallel: 2", 80.0),
        (5, "parallel: 5", 40.0),
        (5, "parallel: 9", 40.0),
    ] {
        let trial = page(&format!("loads: {{ file: {loads} }}, {parallel}"));
        all_take(&trial.operation("page").page_load, ms);
        all_take(&trial.operation("page").latency, 20.0);
        assert_eq!(trial.operation("page").page_load.count(), 19);
        assert_eq!(trial.operation("file").offered, 19 * loads);
    }
}

#[test]
fn operations_come_in_proportion_to_their_weights() {
    let operations = "operations: { a: { weight: 1 }, b: { weight: 4 }, c: { entry: server } }";
    let trial = with(&format!("rate: 200/s, arrivals: even, {operations}"), "1ms", "10s");
    let [a, b, c] = ["a", "b", "c"].map(|name| trial.operation(name).offered);
    assert_eq!((a + b, c), (1999, 0));
    share_is(a, a + b, 0.2);
}

#[test]
fn an_operation_goes_to_its_own_entry() {
    let trial = run("\
users:
  rate: 10/s
  arrivals: even
  operations: { a: { entry: other } }
entry: server
components:
  server: { kind: service, work: 1ms }
  other: { kind: service, work: 2ms }
network: none
run: { duration: 10s, warmup: 0s }
");
    assert_eq!((trial.row("server").arrived, trial.row("other").arrived), (0, 99));
}

#[test]
fn a_rate_is_of_all_users_and_each_of_one() {
    for users in ["rate: 10/s", "count: 1000, each: 0.01/s", "count: 50, rate: 10/s"] {
        assert_eq!(with(&format!("{users}, arrivals: even"), "1ms", "10s").users().offered, 99);
    }
}

fn arrivals(arrivals: &str) -> Vec<f64> {
    let trial = with(&format!("rate: 200/s, arrivals: {arrivals}"), "1ms", "20s");
    let mut times = trial.arrivals();
    times.retain(|&at| at < 20.0);
    times
}

/// Mean and squared coefficient of variation of the gaps.
fn gaps(times: &[f64]) -> (f64, f64) {
    let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let n = gaps.len() as f64;
    let mean = gaps.iter().sum::<f64>() / n;
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / n;
    (mean, variance / (mean * mean))
}

#[test]
fn arrivals_have_the_gaps_that_they_name() {
    let even = arrivals("even");
    assert!(even.windows(2).all(|pair| (pair[1] - pair[0] - 0.005).abs() < 1e-8));
    // The relative variance of a variance over n is (kurtosis - 1) / n, with n = 4,000; that of
    // a mean is scv / n.
    for (name, scv, kurtosis) in
        [("{ renewal: { erlang: { k: 4 } } }", 0.25, 4.5), ("poisson", 1.0, 9.0)]
    {
        let (mean, found) = gaps(&arrivals(name));
        assert!((mean / 0.005 - 1.0).abs() < 4.5 * f64::sqrt(scv / 4000.0), "{name}: {mean}");
        let error = scv * f64::sqrt((kurtosis - 1.0) / 4000.0);
        assert!((found - scv).abs() < 4.5 * error, "{name}: {found}");
    }
}

#[test]
fn a_batch_comes_at_one_instant_and_the_rate_counts_requests() {
    let times = arrivals("{ batches: 4 }");
    let batches: Vec<&[f64]> = times.chunk_by(|a, b| a == b).collect();
    assert!(batches.iter().all(|batch| batch.len() == 4));
    let (mean, scv) = gaps(&batches.iter().map(|batch| batch[0]).collect::<Vec<_>>());
    assert!((mean / 0.02 - 1.0).abs() < 4.5 / f64::sqrt(1000.0), "{mean}");
    assert!((scv - 1.0).abs() < 4.5 * f64::sqrt(8.0 / 1000.0), "{scv}");
}

#[test]
fn a_modulated_load_changes_its_rate_with_its_states() {
    let states = "{ calm: { by: 0x, hold: 1s }, busy: { by: 2x, hold: 1s } }";
    let times = arrivals(&format!("{{ modulated: {states} }}"));
    let silences: Vec<f64> =
        times.windows(2).map(|pair| pair[1] - pair[0]).filter(|&gap| gap > 0.5).collect();
    assert!((9..=10).contains(&silences.len()), "{silences:?}");
    assert!(silences.iter().all(|&gap| (1.0..1.1).contains(&gap)), "{silences:?}");
    // Half of 20 s at 400/s, up to one state more or less at the ends.
    assert!((times.len() as f64 - 4000.0).abs() < 400.0 + 4.5 * 64.0, "{}", times.len());
}

/// The requests of each second of an even load of 100/s are those factors times 100.
fn offered_by_second(profile: &str, factors: &[f64]) {
    let users = format!("rate: 100/s, arrivals: even, profile: {profile}");
    let trial = with(&users, "1ms", &format!("{}s", factors.len()));
    let sums = trial.users().offered_series.sums();
    assert_eq!(sums.len(), factors.len());
    for (&found, factor) in sums.iter().zip(factors) {
        assert!((found as f64 - 100.0 * factor).abs() <= 1.0, "{profile}: {sums:?}");
    }
}

#[test]
fn the_load_of_each_second_follows_the_profile() {
    offered_by_second("constant", &[1.0; 4]);
    let ramp = [0.25, 0.75, 1.25, 1.75, 2.0, 2.0];
    offered_by_second("{ ramp: { from: 0x, to: 2x, over: 4s } }", &ramp);
    offered_by_second("{ ramp: { from: 3x, to: 1x, over: 2s } }", &[2.5, 1.5, 1.0]);
    let steps = "{ steps: [ { at: 1s, by: 3x }, { at: 3s, by: 0x }, { at: 4s, by: 0.5x } ] }";
    offered_by_second(steps, &[1.0, 3.0, 3.0, 0.0, 0.5]);
    offered_by_second("{ spike: { by: 3x, at: 1s, for: 2s } }", &[1.0, 3.0, 3.0, 1.0]);
    let sloped = "{ spike: { by: 3x, at: 1s, for: 2s, rise: 1s, fall: 2s } }";
    offered_by_second(sloped, &[1.0, 2.0, 3.0, 3.0, 2.5, 1.5, 1.0]);
}

#[test]
fn a_diurnal_load_is_a_sine_between_its_factors() {
    let (low, high, period, peak) = (0.5, 1.5, 8.0, 2.0);
    let area = |t: f64| {
        let wave = period / TAU * (TAU * (t - peak) / period).sin();
        0.5 * (low + high) * t + 0.5 * (high - low) * wave
    };
    let factors: Vec<f64> =
        (0..16).map(|second| area(f64::from(second) + 1.0) - area(f64::from(second))).collect();
    let day = "{ diurnal: { low: 0.5x, high: 1.5x, period: 8s, peak_at: 2s } }";
    offered_by_second(day, &factors);
}

#[test]
fn closed_users_think_between_answer_and_request() {
    for (count, think, wait, cycle_s) in
        [(5, "90ms", "10ms", 0.1), (5, "190ms", "10ms", 0.2), (20, "90ms", "110ms", 0.2)]
    {
        let users = format!("count: {count}, think: {think}");
        let trial = with(&users, wait, "10s");
        let expected = f64::from(count) * 10.0 / cycle_s;
        let offered = trial.users().offered as f64;
        assert!((offered - expected).abs() <= f64::from(count), "{users}: {offered}");
    }
}

#[test]
fn some_people_are_more_active_than_others() {
    let sent = |activity: &str| {
        let trial = with(&format!("count: 10, each: 20/s, {activity}"), "1ms", "20s");
        let mut counts = [0; 10];
        for note in &trial.notes {
            if let Note::Sent { user, .. } = note {
                counts[*user as usize] += 1;
            }
        }
        counts
    };
    let alike = sent("activity: uniform");
    alike.iter().for_each(|&count| share_is(count, alike.iter().sum(), 0.1));
    let counts = sent("activity: { zipf: 1 }");
    let total: f64 = (1..=10).map(|k| 1.0 / f64::from(k)).sum();
    for (index, &count) in counts.iter().enumerate() {
        share_is(count, counts.iter().sum(), 1.0 / (index + 1) as f64 / total);
    }
}
