//! Whole experiments on hand-built plans.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::RunError;
use super::fixture::{self, SECOND};
use super::judge::Question;
use super::prepare::Experiment;
use super::replicate::Progress;
use super::run::*;
use super::statistics::Value;
use super::summary::{ScenarioId, Unit};
use super::verdict::Verdict;
use crate::language::Diagnostics;
use crate::units::Duration;
use crate::world::Plan;

fn settings(replications: u32, warmup: Warmup) -> Settings {
    let scenario = ScenarioId {
        name: "one queue".to_owned(),
        file: "queue.yaml".to_owned(),
        digest: "0".to_owned(),
    };
    Settings { scenario, seed: 1, replications, warmup, precision: None, shrink: 1.0 }
}

fn questions(plan: &Plan, texts: &[&str]) -> Vec<Question> {
    let expressions: Vec<_> = texts.iter().map(|text| fixture::expression(text)).collect();
    let mut out = Diagnostics::new();
    let questions = Question::resolve_all(&expressions, plan, &mut out);
    assert!(out.is_empty(), "{out:?}");
    questions
}

fn outcome(plan: &Plan, settings: &Settings, slo: &[&str], jobs: usize) -> Outcome {
    let stop = AtomicBool::new(false);
    let control =
        Control { jobs, extend: Extend::Slo, stop: &stop, announce: &|_| {}, progress: &|_| {} };
    experiment(plan, settings, slo).run(control).expect("the books balance")
}

fn experiment(plan: &Plan, settings: &Settings, slo: &[&str]) -> Experiment {
    Experiment {
        point: None,
        plan: plan.clone(),
        settings: settings.clone(),
        slo: questions(plan, slo),
        expect: Vec::new(),
    }
}

const TEN_SECONDS: Warmup = Warmup::Fixed(Duration(10 * SECOND));

#[test]
fn an_experiment_says_what_theory_says() {
    let plan = fixture::queue(80.0, 10.0, 1000);
    let slo = [
        "mean == 50ms within 8%",
        "server.wait.mean == 40ms within 10%",
        "server.utilization == 80% within 2%",
        "p99 < 1s",
        "availability >= 99.9%",
        "error_rate == 0%",
        "p50 / p99 < 1",
        "1 - server.utilization > 10%",
        "server.wait.mean - server.service.mean > 10ms",
    ];
    let outcome = outcome(&plan, &settings(6, TEN_SECONDS), &slo, 2);
    let summary = &outcome.summary;
    for judged in &summary.slo {
        assert_eq!(judged.verdict, Verdict::Holds, "{judged:?}");
    }
    assert_eq!(outcome.verdict(), Verdict::Holds);
    assert_eq!((outcome.extended, outcome.interrupted), (0, false));
    assert_eq!((summary.replications, summary.warmup_s, summary.duration_s), (6, 10.0, 1000.0));
    assert_eq!(summary.slo[0].unit, Unit::Milliseconds);
    let names = |list: &[(String, super::summary::Component)]| -> Vec<String> {
        list.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(&summary.components), ["server"]);
    assert_eq!(summary.operations[0].0, "request");
    assert_eq!(summary.operations[0].1, summary.overall);
    assert!(summary.warnings.is_empty(), "{:?}", summary.warnings);
    let bottleneck = summary.bottleneck.as_ref().expect("the server is busy");
    let close = |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 0.02);
    for limit in &bottleneck.limits {
        close(limit.limit_rps, 100.0);
        close(limit.demand_ms, 10.0);
        close(limit.limit_users.expect("open users"), 1250.0);
    }
    let resources: Vec<_> = bottleneck.limits.iter().map(|one| &one.resource[..]).collect();
    assert_eq!(resources.len(), 2);
    assert!(resources.contains(&"cores") && resources.contains(&"workers"));
    let forecast = summary.forecast.as_ref().expect("its form is known");
    assert_eq!(forecast.formulas[0].formula, "Erlang C, M/M/1");
    close(forecast.formulas[0].predicted, 40.0);
}

#[test]
fn threads_change_nothing() {
    let plan = fixture::with_fault(fixture::queue(60.0, 10.0, 60), 20, 25);
    let slo = ["p90 < 20ms", "availability > 91%"];
    let run = |jobs| outcome(&plan, &settings(3, Warmup::Auto), &slo, jobs).summary;
    assert_eq!(run(1), run(3));
}

#[test]
fn an_open_verdict_extends_the_run_to_four_times_and_no_more() {
    let plan = fixture::queue(60.0, 10.0, 30);
    let open = outcome(&plan, &settings(2, TEN_SECONDS), &["server.utilization < 60%"], 2);
    assert_eq!((open.extended, open.summary.replications), (6, 8));
    assert_eq!(open.verdict(), Verdict::Undecided);
    let clear = outcome(&plan, &settings(2, TEN_SECONDS), &["server.utilization < 90%"], 2);
    assert_eq!((clear.extended, clear.verdict()), (0, Verdict::Holds));
    // One replication proves nothing, so it becomes two.
    let one = outcome(&plan, &settings(1, TEN_SECONDS), &["server.utilization < 99%"], 2);
    assert_eq!((one.extended, one.verdict()), (1, Verdict::Holds));
    // Nothing can be learnt about what nobody measures.
    let plan = fixture::with_fault(plan, 5, 10);
    let unseen = outcome(&plan, &settings(2, TEN_SECONDS), &["dies.detect_time < 1s"], 2);
    assert_eq!((unseen.extended, unseen.verdict()), (0, Verdict::Undecided));
    let note = unseen.summary.slo[0].note.as_deref();
    assert_eq!(note, Some("2 of 2 occurrences were not seen; nothing was observed"));
}

#[test]
fn an_overloaded_system_is_told_from_a_healthy_one() {
    let plan = fixture::queue(150.0, 10.0, 60);
    let outcome = outcome(&plan, &settings(2, Warmup::Auto), &["availability > 99%"], 2);
    let warnings = outcome.summary.warnings.join("\n");
    assert!(warnings.contains("more came than went"), "{warnings}");
    assert!(warnings.contains("had not settled"), "{warnings}");
    let bottleneck = outcome.summary.bottleneck.expect("the server is busy");
    assert!((bottleneck.limits[0].limit_rps / 100.0 - 1.0).abs() < 0.05, "{bottleneck:?}");
    let forecast = outcome.summary.forecast.expect("the server is known");
    assert!(forecast.formulas.is_empty(), "no mean of it lasts: {forecast:?}");
    let busy = forecast.laws[0].utilization.as_ref().expect("it works");
    assert!((busy.predicted / 1.5 - 1.0).abs() < 1e-9, "{busy:?}");
    let reasons = forecast.laws[0].reasons.join("; ");
    assert!(reasons.contains("more is asked than there are cores for"), "{reasons}");
}

#[test]
fn a_fault_is_summed_up() {
    let plan = fixture::with_fault(fixture::queue(50.0, 10.0, 60), 20, 30);
    let half = Warmup::Fixed(Duration(30 * SECOND));
    let slo = ["availability > 99.9%", "p99 < 1s", "error_rate > 90% during dies"];
    let outcome = outcome(&plan, &settings(4, half), &slo, 2);
    let summary = &outcome.summary;
    assert_eq!(summary.warmup_s, 30.0);
    let (name, fault) = &summary.faults[0];
    assert_eq!((&name[..], &fault.action[..]), ("dies", "crash server"));
    assert_eq!((fault.at_s, fault.until_s), (Some(20.0), Some(30.0)));
    assert_eq!(fault.occurrences.mean, Value::Finite(1.0));
    assert_eq!(fault.detect_time_s.mean, Value::NoData);
    assert!(fault.errors.mean.finite().is_some_and(|errors| (errors - 500.0).abs() < 75.0));
    let verdicts: Vec<_> = summary.slo.iter().map(|judged| judged.verdict).collect();
    assert_eq!(verdicts, [Verdict::Fails, Verdict::Fails, Verdict::Holds]);
    assert_eq!(summary.slo[1].value.mean, Value::Infinite);
    assert_eq!(summary.slo[2].note.as_deref(), Some("window used: during 20s..30s"));
    assert_eq!(outcome.verdict(), Verdict::Fails);
    let causes: Vec<_> = summary.overall.failures.iter().map(|(cause, _)| &cause[..]).collect();
    assert!(causes.contains(&"refused"), "{causes:?}");
}

#[test]
fn an_interrupted_run_keeps_what_is_complete() {
    let plan = fixture::queue(50.0, 10.0, 20);
    let (stop, seen) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let progress = |now: Progress| {
        seen.lock().expect("no panic").push(now.done);
        if now.done == 2 {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let control = Control {
        jobs: 1,
        extend: Extend::All,
        stop: &stop,
        announce: &|_| {},
        progress: &progress,
    };
    let settings = settings(5, TEN_SECONDS);
    let experiment = experiment(&plan, &settings, &[]);
    let outcome = experiment.run(control).expect("two are complete");
    assert!(outcome.interrupted);
    assert_eq!(outcome.summary.replications, 2);
    assert!(outcome.summary.warnings[0].starts_with("interrupted: 2 of 5"));
    let again = experiment.run(control);
    assert_eq!(again.expect_err("it is still stopped"), RunError::Interrupted);
}
