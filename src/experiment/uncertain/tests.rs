//! Input uncertainty on systems with known answers.

use super::*;
use crate::experiment::prepare;
use crate::scenario::file::{Loaded, Request, load};
use std::sync::atomic::AtomicBool;

/// An M/M/1 queue. Its mean time in the system is m / (1 - 50/s m) for a mean work of m; the
/// patience of its users is far too long to matter.
const QUEUE: &str = "\
users: { rate: 50/s, client: { timeout: 500s in 100s..900s } }
entry: server
components:
  server: { kind: service, machine: { cores: 1 }, workers: 1, queue: unlimited, \
    work: { exponential: 10ms in 8ms..12ms } }
network: none
slo: [ mean < 20ms ]
run: { duration: 200s, warmup: 20s, replications: 4, seed: 3 }
";
const WORK: &str = "components.server.work.exponential.mean";

fn read(text: &str) -> (Loaded, Experiment) {
    let request = Request { path: "queue.yaml", ..Request::default() };
    let mut loaded = load(request, &mut |_| Ok(text.into()));
    let experiment = prepare(&mut loaded, "queue.yaml").pop();
    let experiment = experiment.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
    (loaded, experiment)
}

fn explored(text: &str, samples: u32, jobs: usize) -> Uncertainty {
    let (loaded, experiment) = read(text);
    let control = Control { jobs, ..Control::default() };
    let written = experiment.run(control).expect("it runs").summary;
    explore(&loaded.scenarios[0], &experiment, &written, samples, control).expect("it runs")
}

/// The mean time in the system in milliseconds, for a mean work in nanoseconds.
fn formula(work: f64) -> f64 {
    let work = work / 1e9;
    1e3 * work / (1.0 - 50.0 * work)
}

#[test]
fn a_queue_moves_as_the_formula_says_and_hinges_on_its_work() {
    let (loaded, experiment) = read(QUEUE);
    let found = explored(QUEUE, 16, 2);
    assert_eq!((found.planned, found.samples, found.growing), (16, 16, 0));
    let paths: Vec<&str> = found.parameters.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["users.client.timeout", WORK]);
    let mean = &found.figures[0];
    let [first, second] = &mean.influences[..] else { panic!("two parameters") };
    assert_eq!((first.path.as_str(), first.proven), (WORK, true));
    assert!(first.correlation > 0.9, "{first:?}");
    assert!(!second.proven, "{second:?}");
    // The samples are in the order of their work, up to noise: a mean of 40,000 requests has a
    // standard error of sqrt(2 (1 + rho) / 40,000) / (1 - rho), 2.2 % at a load of 60 %.
    let work = &loaded.scenarios[0].uncertain[1];
    let mut works: Vec<f64> = column(work, experiment.settings.seed, 16)
        .iter()
        .map(|quantity| formula(quantity.value()))
        .collect();
    works.sort_by(f64::total_cmp);
    let [least, _, median, _, most] = mean.spread.map(|value| value.finite().expect("a number"));
    for (measured, expected) in [(least, works[0]), (median, works[7]), (most, works[15])] {
        assert!((measured / expected - 1.0).abs() < 4.5 * 0.022, "{measured} is not {expected}");
    }
    // 20 ms are the time at a work of 10 ms, the median.
    let [holds, _, fails] = mean.verdicts.expect("an SLO");
    assert!((4..=8).contains(&holds) && (4..=8).contains(&fails), "{holds} and {fails}");
    assert!(mean.over_noise.is_some_and(|times| times > 3.0), "{:?}", mean.over_noise);
}

#[test]
fn equal_inputs_give_equal_results_whatever_the_threads() {
    let short = QUEUE.replace("duration: 200s", "duration: 20s");
    let one = explored(&short, 5, 1);
    assert_eq!(one, explored(&short, 5, 2));
    let other = explored(&short.replace("seed: 3", "seed: 4"), 5, 2);
    assert_ne!(one.figures, other.figures);
}

#[test]
fn what_nobody_has_promised_is_looked_at_all_the_same() {
    let short =
        QUEUE.replace("duration: 200s", "duration: 20s").replace("slo: [ mean < 20ms ]", "");
    let found = explored(&short, 4, 2);
    let names: Vec<&str> = found.figures.iter().map(|one| one.expression.as_str()).collect();
    assert_eq!(names, ["error_rate", "answered.mean", "p99"]);
    assert!(found.figures.iter().all(|one| one.verdicts.is_none()));
    // Nobody fails in any sample.
    assert_eq!(found.figures[0].spread, [Value::Finite(0.0); 5]);
}

#[test]
fn samples_that_are_no_system_are_told_with_their_values() {
    let text = "\
users: { rate: 50/s, regions: { eu: 50% in 40%..60%, us: 50% } }
entry: server
components:
  server: { kind: service, work: 1ms }
network: { default: 80ms }
regions: { eu: {}, us: {} }
run: { duration: 2s, warmup: 0s, replications: 2 }
";
    let found = explored(text, 3, 2);
    assert_eq!((found.samples, found.refused.len()), (0, 3));
    let (values, why) = &found.refused[0];
    assert_eq!(values[0].0, "users.regions.eu");
    assert!(why.starts_with("the shares of the regions come to "), "{why}");
    assert!(found.figures.iter().all(|one| one.spread == [Value::NoData; 5]));
}

#[test]
fn more_than_can_be_served_is_told() {
    let text = QUEUE.replace("12ms", "40ms").replace("duration: 200s", "duration: 50s");
    let found = explored(&text, 4, 2);
    // A quarter of the samples has a work of at least 20 ms, which is a load of 100 %.
    assert!((1..=2).contains(&found.growing), "{}", found.growing);
}

#[test]
fn a_run_that_is_broken_off_keeps_what_is_complete() {
    let (loaded, experiment) = read(&QUEUE.replace("duration: 200s", "duration: 20s"));
    let written = experiment.run(Control::default()).expect("it runs").summary;
    let stop = AtomicBool::new(true);
    let control = Control { stop: &stop, ..Control::default() };
    let found = explore(&loaded.scenarios[0], &experiment, &written, 16, control);
    let found = found.expect("nothing is a result, too");
    assert_eq!((found.planned, found.samples, found.refused.len()), (16, 0, 0));
}
