//! How a scenario is run: lengths, windows, luck, repetitions, shrinking.

use super::bench::{Trial, read, run};
use simscale::experiment::{Control, Warmup};
use simscale::units::Duration;

/// Evenly spaced requests, 10/s, at a cache of one item.
fn with(keys: &str) -> Trial {
    run(&format!(
        "\
users: {{ rate: 10/s, arrivals: even }}
entry: web
data: {{ items: {{ items: 1, in: cache }} }}
components:
  web: {{ kind: service, handle: {{ default: [ {{ read: items }} ] }} }}
  cache: {{ kind: cache, capacity: 1, start: cold }}
network: none
run: {{ {keys} }}
"
    ))
}

#[test]
fn the_measured_time_is_the_duration() {
    for (duration, seconds, offered) in [("10s", 10, 99), ("1min", 60, 599)] {
        let trial = with(&format!("duration: {duration}, warmup: 0s"));
        assert_eq!(trial.observed.duration, Duration(seconds * 1_000_000_000));
        assert_eq!(trial.users().offered, offered);
    }
}

#[test]
fn series_have_windows_of_the_given_length() {
    for (window, number, each) in [("250ms", 40, 2.5), ("1s", 10, 10.0), ("5s", 2, 50.0)] {
        let trial = with(&format!("duration: 10s, warmup: 0s, window: {window}"));
        let sums = trial.users().offered_series.sums();
        assert_eq!(sums.len(), number);
        assert!(sums.iter().all(|&sum| (sum as f64 - each).abs() <= 1.0), "{sums:?}");
        assert_eq!(trial.hits("cache").1.len(), number);
    }
    assert_eq!(with("duration: 10s, warmup: 0s").users().offered_series.sums().len(), 10);
}

#[test]
fn what_happens_in_the_warm_up_is_not_counted() {
    assert_eq!(with("duration: 10s, warmup: 0s").all_hits("cache"), (98, 99));
    // The item is there before the measured time, and requests arrive in it all the same.
    for (warmup, seconds) in [("5s", 5.0), ("{ share: 20% }", 2.0)] {
        let trial = with(&format!("duration: 10s, warmup: {warmup}"));
        let (hits, lookups) = trial.all_hits("cache");
        assert_eq!(hits, lookups, "{warmup}");
        assert_eq!(trial.users().offered, 100, "{warmup}");
        assert!((trial.arrivals()[0] + seconds - 0.1).abs() < 1e-6, "{warmup}");
    }
}

/// Poisson arrivals and exponential work.
fn queue(keys: &str) -> String {
    format!(
        "\
users: {{ rate: 100/s }}
entry: server
components:
  server: {{ kind: service, work: {{ exponential: 2ms }} }}
network: none
run: {{ duration: 2s, warmup: 0s, {keys} }}
"
    )
}

#[test]
fn a_seed_decides_all_draws() {
    let notes = |keys: &str| run(&queue(keys)).notes;
    assert_eq!(notes("seed: 7"), notes("seed: 7"));
    assert_ne!(notes("seed: 7"), notes("seed: 8"));
    assert_eq!(notes(""), notes("seed: 1"));
}

#[test]
fn a_run_is_repeated_with_other_luck() {
    for replications in [1, 3] {
        let experiment = read(&queue(&format!("replications: {replications}")));
        assert!(matches!(experiment.settings.warmup, Warmup::Fixed(Duration(0))));
        let outcome = experiment.run(Control::default()).expect("it runs");
        assert_eq!(outcome.observed.len(), replications);
        let offered = |index: usize| &outcome.observed[index].users[0].latency;
        let same = (1..replications).any(|index| offered(index).mean() == offered(0).mean());
        assert!(!same);
    }
}

/// How many replications a precision needs: half of a Student interval falls with the square root
/// of their number.
#[test]
fn replications_are_added_until_the_figures_are_tight_or_there_are_enough() {
    let run = |keys: &str, slo: &str| {
        let text = queue(&format!("replications: 4, {keys}")) + &format!("slo: [ {slo} ]\n");
        let outcome = read(&text).run(Control::default()).expect("it runs");
        let precision = outcome.summary.precision.expect("it was asked for");
        (outcome.observed.len(), precision)
    };
    let (few, loose) = run("precision: 20%", "mean < 1s");
    assert_eq!((few, loose.reached, loose.at_most), (4, true, 128));
    let (many, tight) = run("precision: 2%", "mean < 1s");
    assert!(tight.reached && many > 4 && many % 4 == 0, "{many}: {tight:?}");
    let (worst, of) = tight.worst.expect("there is a figure");
    assert_eq!((worst <= 0.02, of.as_str()), (true, "mean < 1s"));
    let (most, short) = run("precision: { half_width: 0.1%, at_most: 10 }", "mean < 1s");
    assert_eq!((most, short.reached), (8, false));
    // Nothing fails, so the share of failures is as near to its target as 2 % of that.
    let (_, rare) = run("precision: 20%", "error_rate < 20%");
    assert!(rare.reached, "{rare:?}");
    // A count that must be exact is exact or not, however often it is repeated.
    assert_eq!(run("precision: 1%", "error_rate == 0%").1.worst, None);
}

#[test]
fn shrinking_divides_load_and_instances_alike() {
    let shrunk = |shrink: &str| {
        let trial = run(&format!(
            "\
users: {{ count: 8000, each: 0.1/s, arrivals: even }}
entry: web
components:
  web:
    kind: service
    instances: 4
    machine: {{ cores: 1 }}
    handle: {{ default: [ {{ work: 3ms }}, {{ call: back }} ] }}
  back: {{ kind: service, instances: 2, machine: {{ cores: 2 }}, work: 1ms }}
network: none
run: {{ duration: 5s, warmup: 0s, shrink: {shrink} }}
"
        ));
        let components = &trial.experiment.plan.topology.components;
        let of = |name: &str| {
            let facts = components.iter().find(|one| one.name == name).expect("a component");
            let instances = facts.instances();
            (instances, trial.busy_cores(name) / f64::from(instances) / facts.cores)
        };
        (trial.users().offered, of("web"), of("back"), trial.experiment.settings.shrink)
    };
    let whole = shrunk("1x");
    let half = shrunk("2x");
    assert_eq!((whole.0, half.0), (3999, 1999));
    assert_eq!((whole.1.0, half.1.0, whole.2.0, half.2.0), (4, 2, 2, 1));
    assert_eq!((whole.3, half.3), (1.0, 2.0));
    for (found, expected) in [(whole.1, 0.6), (half.1, 0.6), (whole.2, 0.2), (half.2, 0.2)] {
        assert!((found.1 - expected).abs() < 0.002, "{} instead of {expected}", found.1);
    }
}
