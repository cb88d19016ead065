//! Forecasts of whole runs: that each form is recognised and agrees with what is measured, that
//! what a formula does not know is named, and that nothing is said of other forms.

use crate::experiment::summary::{Bound, Forecast, Formula, Unit};
use crate::experiment::{Control, prepare};
use crate::scenario::file::{Request, load};

fn forecast(text: &str) -> Forecast {
    let request = Request { path: "forecast.yaml", ..Request::default() };
    let mut loaded = load(request, &mut |_| Ok(text.into()));
    let experiment = prepare(&mut loaded, "forecast.yaml").pop();
    let experiment = experiment.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
    let outcome = experiment.run(Control::default()).expect("no bug");
    outcome.summary.forecast.expect("the way of a request is known")
}

/// One service behind its users, with some of its keys.
fn server(rate: &str, keys: &str) -> Forecast {
    forecast(&format!(
        "
users: {{ rate: {rate}, client: {{ timeout: none }} }}
entry: server
components: {{ server: {{ kind: service, {keys} }} }}
network: none
run: {{ duration: 200s, warmup: 20s, replications: 8 }}
"
    ))
}

fn named<'f>(forecast: &'f Forecast, formula: &str, quantity: &str) -> &'f Formula {
    let found =
        forecast.formulas.iter().find(|one| one.formula == formula && one.quantity == quantity);
    found.unwrap_or_else(|| panic!("{formula}, {quantity}: {:#?}", forecast.formulas))
}

/// The forecast is this figure, and what was measured is within some standard errors of it.
fn agrees(one: &Formula, predicted: f64) {
    assert!((one.predicted / predicted - 1.0).abs() < 1e-4, "{predicted}: {one:?}");
    let (mean, error) = (one.measured.mean.finite(), one.measured.standard_error(8));
    let (mean, error) = (mean.expect("a figure"), error.expect("eight replications"));
    assert!((mean - predicted).abs() < 4.5 * error, "{one:?}");
}

#[test]
fn every_form_is_recognised_and_agrees_with_the_measurement() {
    let cases = [
        (
            "80/s",
            "machine: { cores: 1 }, workers: 1, queue: unlimited, work: { exponential: 10ms }",
            vec![
                ("Erlang C, M/M/1", "mean wait", 40.0),
                ("Erlang C, M/M/1", "share that waits", 0.8),
            ],
        ),
        (
            "320/s",
            "machine: { cores: 4 }, workers: 4, queue: unlimited, work: { exponential: 10ms }",
            vec![
                ("Erlang C, M/M/4", "mean wait", 7.455_41),
                ("Erlang C, M/M/4", "share that waits", 0.596_432),
            ],
        ),
        (
            "70/s",
            "machine: { cores: 1 }, workers: 1, queue: unlimited, work: 10ms",
            vec![("Pollaczek-Khinchine, M/G/1", "mean wait", 11.6667)],
        ),
        (
            "8/s",
            "machine: { cores: 10 }, workers: 10, queue: 0, work: 1s",
            vec![("Erlang B, M/G/10/10", "share rejected", 0.121_661)],
        ),
        (
            "450/s",
            "machine: { cores: 4 }, workers: 4, queue: 16, work: { exponential: 10ms }",
            vec![("M/M/4/20", "share rejected", 0.124_089), ("M/M/4/20", "mean wait", 26.1101)],
        ),
        (
            "60/s",
            "machine: { cores: 1 }, workers: unlimited, \
             work: { hyperexponential: { mean: 10ms, scv: 4 } }",
            vec![("processor sharing, M/G/1-PS", "mean sojourn", 25.0)],
        ),
    ];
    for (rate, keys, expected) in cases {
        let found = server(rate, keys);
        for (formula, quantity, value) in expected {
            let one = named(&found, formula, quantity);
            agrees(one, value);
            assert_eq!((one.bound, &one.assumed), (Bound::Equal, &None));
        }
    }
}

#[test]
fn an_approximation_says_that_it_is_one() {
    let keys = "machine: { cores: 4 }, workers: 4, queue: unlimited, work: 10ms";
    let found = server("340/s", keys);
    let one = named(&found, "Allen-Cunneen, M/G/4", "mean wait");
    assert!((one.predicted - 5.7443).abs() < 1e-3, "{one:?}");
    assert_eq!(
        one.assumed.as_deref(),
        Some("that variance acts as with one server (approximation)")
    );
}

#[test]
fn nothing_is_said_of_a_form_that_no_formula_has() {
    let keys = [
        // Slots share the core, and yet keep others waiting.
        "machine: { cores: 1 }, workers: 2, queue: unlimited, work: 10ms",
        "machine: { cores: 1 }, workers: 1, queue: 5, work: 10ms",
        "machine: { cores: 1 }, workers: 1, queue: { limit: unlimited, order: lifo }, work: 10ms",
        "machine: { cores: 1 }, workers: 1, queue: unlimited, \
         handle: { default: [ work: 5ms, work: 5ms ] }",
        // More comes than can be done: no mean of it lasts.
        "machine: { cores: 1 }, workers: 1, queue: unlimited, work: 30ms",
    ];
    for keys in keys {
        let found = server("50/s", keys);
        assert_eq!(found.formulas, [], "{keys}");
    }
}

const TIERS: &str = "
entry: web
components:
  web:
    kind: service
    machine: { cores: 2 }
    workers: 2
    async: true
    queue: unlimited
    handle:
      default:
        - repeat:
            - work: { exponential: 10ms }
            - choose: [ { weight: 1, do: [ call: db ] }, { weight: 1, do: [ call: cache ] } ]
          times: { geometric: { mean: 4, from: 0 } }
        - work: { exponential: 10ms }
  db:
    kind: service
    machine: { cores: 1 }
    workers: 1
    queue: unlimited
    work: { exponential: 10ms }
  cache:
    kind: service
    machine: { cores: 1 }
    workers: unlimited
    work: { uniform: { from: 0ms, to: 4ms } }
network: none
run: { duration: 400s, warmup: 40s, replications: 8 }
";

#[test]
fn visits_and_work_follow_from_the_programs() {
    let found = forecast(&format!("users: {{ rate: 20/s }}{TIERS}"));
    let expected = [("web", 1.0, 50.0, 0.5), ("db", 2.0, 20.0, 0.4), ("cache", 2.0, 4.0, 0.08)];
    assert_eq!(found.laws.len(), 3);
    for (law, (component, visits, work_ms, busy)) in found.laws.iter().zip(expected) {
        assert_eq!(law.component, component);
        let utilization = law.utilization.as_ref().expect("it has cores");
        for (figure, predicted) in
            [(&law.visits, visits), (&law.work_ms, work_ms), (utilization, busy)]
        {
            assert!((figure.predicted / predicted - 1.0).abs() < 1e-6, "{law:?}");
            let measured = figure.measured.mean.finite().expect("a figure");
            assert!((measured / predicted - 1.0).abs() < 0.03, "{law:?}");
        }
    }
}

#[test]
fn an_open_network_has_the_response_time_of_jackson() {
    let found = forecast(&format!("users: {{ rate: 20/s, client: {{ timeout: none }} }}{TIERS}"));
    // Present at the tiers: M/M/2 at 1 Erlang, M/M/1 at 0.4 and shared at 0.08.
    let present = 4.0 / 3.0 + 0.4 / 0.6 + 0.08 / 0.92;
    agrees(named(&found, "Jackson network", "mean latency"), present / 20.0 * 1e3);
}

#[test]
fn closed_users_have_exact_mean_values_and_a_point_of_saturation() {
    let users = "users: { count: 30, think: { exponential: 1s }, client: { timeout: none } }";
    let found = forecast(&format!("{users}{TIERS}"));
    const EXACT: &str = "exact mean values";
    let throughput = named(&found, EXACT, "throughput");
    agrees(throughput, throughput.predicted);
    assert_eq!(throughput.unit, Unit::PerSecond);
    let latency = named(&found, EXACT, "mean latency");
    agrees(latency, latency.predicted);
    // Little's law over users, thinking ones included.
    let cycle_s = latency.predicted / 1e3 + 1.0;
    assert!((throughput.predicted * cycle_s / 30.0 - 1.0).abs() < 1e-9);
    let saturation = named(&found, "asymptotic bound", "users at saturation");
    assert!((saturation.predicted - 1.074 / 0.025).abs() < 1e-6, "{saturation:?}");
    assert_eq!(found.formulas.len(), 3);
}

#[test]
fn where_slots_are_held_through_calls_only_the_bounds_remain() {
    let text = TIERS.replace("    async: true\n", "");
    let users = "users: { count: 200, think: { exponential: 1s }, client: { timeout: none } }";
    let found = forecast(&format!("{users}{text}"));
    let most = named(&found, "asymptotic bound", "throughput");
    assert_eq!((most.bound, most.predicted.round()), (Bound::AtMost, 40.0));
    let measured = most.measured.mean.finite().expect("a figure");
    assert!(measured < 0.9 * most.predicted, "slots are full long before the cores: {measured}");
    let least = named(&found, "asymptotic bound", "mean latency");
    assert_eq!((least.bound, least.predicted.round()), (Bound::AtLeast, 4000.0));
    assert!(most.reasons.is_empty() && least.reasons.is_empty());
}

fn balanced(balance: &str) -> Forecast {
    forecast(&format!(
        "
users: {{ rate: 320/s, client: {{ timeout: none }} }}
entry: lb
components:
  lb: {{ kind: load_balancer, to: web, balance: {balance}, work: 0s }}
  web:
    kind: service
    instances: 4
    machine: {{ cores: 1 }}
    workers: 1
    queue: unlimited
    work: {{ exponential: 10ms }}
network: none
run: {{ duration: 200s, warmup: 20s, replications: 8 }}
"
    ))
}

#[test]
fn a_balancer_lies_between_drawing_and_one_queue_for_all() {
    agrees(named(&balanced("random"), "Erlang C, M/M/1", "mean wait"), 40.0);
    for balance in ["round_robin", "least_connections"] {
        let found = balanced(balance);
        let least = named(&found, "Erlang C, M/M/4", "mean wait");
        let most = named(&found, "Erlang C, M/M/1", "mean wait");
        assert_eq!((least.bound, most.bound), (Bound::AtLeast, Bound::AtMost));
        assert_eq!(least.assumed.as_deref(), Some("one queue for all instances"));
        let measured = least.measured.mean.finite().expect("a figure");
        assert!(least.predicted < measured && measured < most.predicted, "{balance}: {measured}");
        assert!(least.reasons.is_empty() && most.reasons.is_empty());
    }
    assert_eq!(balanced("least_response_time").formulas, []);
}

#[test]
fn what_a_formula_does_not_know_is_named() {
    let text = "
users: { rate: 90/s, client: { timeout: none } }
entry: web
components:
  web:
    kind: service
    machine: { cores: unlimited }
    workers: unlimited
    handle: { default: [ { call: db } ] }
    calls: { db: { timeout: 50ms, retries: 2 } }
  db: { kind: service, machine: { cores: 1 }, workers: 1, queue: 20, work: { exponential: 10ms } }
network: none
run: { duration: 200s, warmup: 20s, replications: 8 }
";
    let found = forecast(text);
    let db = found.laws.iter().find(|law| law.component == "db").expect("it is called");
    assert!((db.visits.predicted - 1.0).abs() < 1e-9);
    assert!(db.visits.measured.mean.finite().is_some_and(|visits| visits > 1.1), "{db:?}");
    assert!(db.reasons.iter().any(|one| one == "callers repeat what fails"), "{db:?}");
    assert_eq!(found.formulas, [], "calls are given up");
    // A changing load makes queues that no formula has; the laws hold for its mean.
    let rhythm = "
users: { rate: 50/s, profile: { steps: [ { at: 100s, by: 2x } ] } }
entry: db
components:
  db:
    kind: service
    machine: { cores: 2 }
    workers: 2
    queue: unlimited
    work: { exponential: 10ms }
network: none
run: { duration: 200s, warmup: 20s, replications: 8 }
";
    let found = forecast(rhythm);
    let busy = found.laws[0].utilization.as_ref().expect("it works");
    assert!((busy.predicted - 0.375).abs() < 1e-9 && found.laws[0].reasons.is_empty(), "{found:?}");
    assert_eq!(found.formulas, []);
}

#[test]
fn a_write_of_several_statements_is_as_much_work_as_they_are() {
    let found = forecast(
        "
users: { rate: 50/s, operations: { buy: {} } }
data: { goods: { items: 1000, in: db } }
entry: web
components:
  web:
    kind: service
    machine: { cores: unlimited }
    workers: unlimited
    handle: { buy: [ { write: goods, statements: 3 } ] }
  db: { kind: database, machine: { cores: 2 }, connections: unlimited, query: 2ms }
network: none
run: { duration: 100s, warmup: 10s, replications: 4 }
",
    );
    let db = found.laws.iter().find(|law| law.component == "db").expect("it is written");
    assert!((db.work_ms.predicted - 6.0).abs() < 1e-9, "{db:?}");
    assert!(db.reasons.is_empty(), "{db:?}");
}
