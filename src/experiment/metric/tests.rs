//! Metrics over real runs of a hand-built plan: what is found, what is refused, what is read.

use super::*;
use crate::experiment::fixture::{self, SECOND};
use crate::language::Diagnostics;
use crate::language::expression::Left;
use crate::units::Duration;
use crate::world::{Conditions, simulate};

fn found(plan: &Plan, text: &str) -> Result<Metric, String> {
    let expression = fixture::expression(text);
    let Left::Measure(measure) = &expression.left else { panic!("{text} is no single figure") };
    let mut out = Diagnostics::new();
    let points = [Point { name: None, plan }];
    let metric = resolve(measure, expression.window.as_ref(), &points, &mut out);
    metric.map(|(_, metric)| metric).ok_or_else(|| {
        let one = out.iter().next().expect("a mistake is explained");
        format!("{} {}: {}", one.code, one.message, one.help.join("; "))
    })
}

fn observe(plan: &Plan) -> Observations {
    let warmup = Duration(20 * SECOND);
    simulate(plan, Conditions { seed: 1, replication: 0, warmup, faults: true, stop: None })
}

fn read(plan: &Plan, observed: &Observations, text: &str) -> Value {
    found(plan, text).unwrap_or_else(|why| panic!("{text}: {why}")).read(plan, observed).value
}

fn number(plan: &Plan, observed: &Observations, text: &str) -> f64 {
    read(plan, observed, text).finite().unwrap_or_else(|| panic!("{text} is not finite"))
}

#[test]
fn figures_of_one_queue_agree_with_each_other() {
    let plan = fixture::queue(80.0, 10.0, 2000);
    let observed = observe(&plan);
    let read = |text: &str| number(&plan, &observed, text);
    let near = |a: f64, b: f64, share: f64| assert!((a / b - 1.0).abs() < share, "{a} and {b}");
    near(read("offered > 0/s"), 80.0, 0.03);
    near(read("server.arrivals > 0/s"), read("offered > 0/s"), 1e-9);
    near(read("server.visits > 0/s"), read("server.arrivals > 0/s"), 1e-9);
    near(read("server.utilization > 1%"), 0.8, 0.03);
    near(read("server.busy.mean > 1"), read("server.utilization > 1%"), 1e-9);
    near(read("server.sojourn.mean > 1ms"), read("mean > 1ms"), 0.01);
    let parts = read("server.wait.mean > 1ms") + read("server.service.mean > 1ms");
    near(parts, read("server.sojourn.mean > 1ms"), 0.01);
    // Little's law, and arrivals that see time averages.
    let little = read("server.arrivals > 1/s") * read("server.sojourn.mean > 1ms") / 1e9;
    near(read("server.in_system.mean > 1"), little, 0.01);
    near(read("server.prob_wait > 1%"), 0.8, 0.03);
    near(read("request.server.wait.mean > 1ms"), read("server.wait.mean > 1ms"), 1e-9);
    assert_eq!(read("server.error_rate < 1%"), 0.0);
    assert_eq!(read("availability > 1%"), 1.0);
    assert_eq!(read("attempts.mean < 2"), 1.0);
    assert_eq!(read("server.up.1 > 1%"), 1.0);
    assert_eq!(read("server.calls.count > 1"), read("count > 1"));
    assert!(read("p50 > 1ms") < read("p99 > 1ms"));
    assert!(read("server.wait.p50 > 1ms") < read("p50 > 1ms"));
}

#[test]
fn windows_take_their_part_of_the_run() {
    let plan = fixture::with_fault(fixture::queue(50.0, 10.0, 100), 40, 60);
    let observed = observe(&plan);
    let read = |text: &str| number(&plan, &observed, text);
    assert_eq!(read("error_rate < 1% during 45s..55s"), 1.0);
    assert_eq!(read("availability > 1% during 45s..55s"), 0.0);
    assert_eq!(read("error_rate < 1% after 60s..70s"), 0.0);
    assert!(read("error_rate < 1% during dies") > 0.999);
    assert!(read("error_rate < 1% outside dies") < 0.001);
    assert_eq!(read("goodput > 1/s during 41s..59s"), 0.0);
    assert!((read("offered > 1/s during dies") - 50.0).abs() < 10.0);
    let value = super::tests::read(&plan, &observed, "mean < 1s during dies");
    assert_eq!(value, Value::Infinite);
    assert!(read("mean < 1s after dies") < 50e6);
    assert!(read("server.in_system.mean > 0 outside dies") > 0.5);
    assert!((read("server.instances.mean > 0") - 0.8).abs() < 1e-9);
    let errors = read("dies.errors > 1");
    assert!((errors - 1000.0).abs() < 200.0, "{errors}");
    assert_eq!(read("dies.errors.mean > 1"), errors);
    // Nobody checks the health of a system without a balancer.
    let seen = super::tests::read(&plan, &observed, "dies.detect_time < 1s");
    assert_eq!(seen, Value::NoData);
}

#[test]
fn a_window_without_utilization_in_service_has_no_data() {
    let plan = fixture::with_fault(fixture::queue(50.0, 10.0, 100), 40, 60);
    let observed = observe(&plan);
    let text = "server.utilization < 1% during 41s..59s";
    assert_eq!(read(&plan, &observed, text), Value::NoData);
}

#[test]
fn what_is_not_there_is_refused_with_the_nearest_name() {
    let plan = fixture::with_fault(fixture::queue(50.0, 10.0, 100), 40, 60);
    let cases = [
        ("sever.utilization < 1%", "E0411", "did you mean `server`?"),
        ("reqest.server.wait.p99 < 1s", "E0411", "did you mean `request`?"),
        ("request.serve.wait.p99 < 1s", "E0411", "did you mean `server`?"),
        ("p99 < 1s during die", "E0411", "did you mean `dies`?"),
        ("users.utilization < 1%", "E0411", "server"),
        ("server.1.utilization < 1%", "E0413", "all of them together"),
        ("server.p99 < 1s", "E0412", "server.sojourn.p99"),
        ("server.hit_ratio > 1%", "E0412", "it has utilization"),
        ("utilization < 1%", "E0412", "server.utilization"),
        ("detect_time < 1s", "E0411", "dies"),
        ("dies.utilization < 1%", "E0412", "detect_time, errors and lost_writes"),
        ("page_load.p99 < 1s", "E0412", "`loads:`"),
        ("failures.deadline < 1%", "E0110", ""),
        ("server.stale_reads < 1%", "E0412", ""),
        ("server.egress < 1MB/s", "E0110", ""),
        ("request.server.utilization < 1%", "E0413", "leave the operation out"),
        ("cost.month < $5", "E0412", "`prices: {}`"),
        ("server.cost.month < $5", "E0412", "write `cost.month` alone"),
        ("server.share < 1%", "E0412", ""),
        ("attempts.max < 5", "E0413", "attempts.mean"),
        ("p99 < 1s during dies", "E0413", "mean latency"),
        ("throughput > 1/s during dies", "E0413", "goodput"),
        ("mean < 1s during 10s..200s", "E0414", ""),
        ("mean < 1s during 10.1s..10.2s", "E0414", "run.window"),
        ("mean < 1s after 10s..100s", "E0414", ""),
    ];
    for (text, code, help) in cases {
        let why = found(&plan, text).expect_err(text);
        assert!(why.starts_with(code) && why.contains(help), "{text}: {why}");
    }
}

#[test]
fn points_of_a_sweep_are_the_first_word() {
    let (light, heavy) = (fixture::queue(20.0, 10.0, 50), fixture::queue(80.0, 10.0, 50));
    let points =
        [Point { name: Some("light"), plan: &light }, Point { name: Some("heavy"), plan: &heavy }];
    let point = |text: &str| {
        let expression = fixture::expression(text);
        let mut out = Diagnostics::new();
        let measure = expression.left.measures().next().expect("a measure").clone();
        let found = resolve(&measure, None, &points, &mut out);
        found.map(|(point, _)| point).ok_or_else(|| out.iter().next().expect("why").help.join(""))
    };
    assert_eq!(point("heavy.mean < 1s"), Ok(1));
    assert_eq!(point("light.server.wait.p99 < 1s"), Ok(0));
    assert_eq!(point("hevy.mean < 1s"), Err("did you mean `heavy`?".to_owned()));
    assert!(point("mean < 1s").is_err());
}
