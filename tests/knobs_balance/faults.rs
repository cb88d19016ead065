//! How long instances are down: `for`, `startup`, `mtbf` and `mttr`.

use super::{ERRORS, SECOND, Trial, assert_same};

fn faulty(seconds: u32, rate: &str, startup: &str, fault: &str) -> Trial {
    let text = format!(
        "\
users: {{ rate: {rate}, arrivals: even }}
entry: web
components:
  web: {{ kind: service, work: 1us, startup: {startup} }}
network: none
faults: {{ dies: {{ crash: web, {fault} }} }}"
    );
    Trial::of(seconds, &text)
}

#[test]
fn a_start_up_prolongs_an_outage() {
    for (startup, down) in [("0s", 2), ("3s", 5), ("13s", 15)] {
        let trial = faulty(20, "100/s", startup, "at: 5s, for: 2s");
        assert_same(trial.availability("web"), 1.0 - down as f64 / 20.0);
        let failed = trial.users().failed_total();
        assert!(failed.abs_diff(100 * down) <= 1, "{startup}: {failed}");
        let occurrence = trial.run.observed.faults[0];
        let to = occurrence.to.expect("the cause is gone");
        assert_eq!(to.0 - occurrence.from.0, 2 * SECOND);
    }
}

#[test]
fn a_crash_without_an_end_is_for_good() {
    let trial = faulty(20, "100/s", "0s", "at: 5s");
    assert_same(trial.availability("web"), 0.25);
    assert!(trial.run.observed.faults[0].to.is_none());
}

#[test]
fn availability_is_mtbf_over_mtbf_and_mttr() {
    for (mtbf, mttr) in [(90.0, 10.0), (30.0, 30.0)] {
        let fault = format!("mtbf: {mtbf}s, mttr: {mttr}s");
        let seconds = 100_000;
        let trial = faulty(seconds, "0.1/s", "0s", &fault);
        // Two states left at 1/mtbf and 1/mttr: the mean over a time T has the variance
        // 2 p q t / T with t = mtbf mttr / (mtbf + mttr).
        let up = mtbf / (mtbf + mttr);
        let memory = mtbf * mttr / (mtbf + mttr);
        let error = (2.0 * up * (1.0 - up) * memory / f64::from(seconds)).sqrt();
        let found = trial.availability("web");
        assert!((found - up).abs() <= ERRORS * error, "{found} for {up} +- {error}");
    }
}

#[test]
fn distributions_between_failures_and_of_repairs_are_taken_as_they_are() {
    let fault = "mtbf: { uniform: { from: 40s, to: 60s } }, \
                 mttr: { uniform: { from: 5s, to: 9s } }";
    let trial = faulty(20_000, "0.1/s", "0s", fault);
    let faults = &trial.run.observed.faults;
    assert!(faults.len() > 300, "{}", faults.len());
    for pair in faults.windows(2) {
        let end = pair[0].to.expect("it is over before the next").0;
        assert!((5 * SECOND..=9 * SECOND).contains(&(end - pair[0].from.0)));
        assert!((40 * SECOND..=60 * SECOND).contains(&(pair[1].from.0 - end)));
    }
}

#[test]
fn random_faults_may_last_a_given_time() {
    let trial = faulty(20_000, "0.1/s", "0s", "mtbf: 50s, for: 10s");
    let ended = trial.run.observed.faults.iter().filter_map(|fault| Some((fault, fault.to?)));
    let lasted: Vec<i64> = ended.map(|(fault, to)| to.0 - fault.from.0).collect();
    // One every 60 s; the number of renewals in T has the variance T sd^2 / mean^3.
    let (expected, error) =
        (20_000.0 / 60.0, (20_000.0_f64 * 50.0 * 50.0 / 60.0_f64.powi(3)).sqrt());
    assert!((lasted.len() as f64 - expected).abs() <= ERRORS * error + 1.0, "{}", lasted.len());
    assert!(lasted.iter().all(|&lasted| lasted == 10 * SECOND));
}
