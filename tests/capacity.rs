//! Capacities: against the analytic one, with something lost, and what cannot be asked.

use simscale::experiment::Control;
use simscale::experiment::capacity::{Capacity, CapacityError, Search, Survive, capacity};
use simscale::scenario::file::{Request, load};
use simscale::scenario::layers::Setting;
use simscale::units::Quantity;

/// P(T > 60 ms) is 1 % at 299.808 requests a second (Erlang C, as in tests/coverage.rs).
const FOUR: &str = "
users: { rate: 200/s, client: { timeout: none } }
entry: server
components:
  server:
    kind: service
    machine: { cores: 4 }
    workers: 4
    queue: unlimited
    work: { exponential: 10ms }
network: none
slo: [ p99 < 60ms ]
run: { duration: 500s, warmup: 10s, replications: 8 }
";
const ANALYTIC: f64 = 299.808;

fn of(text: &str, sets: &[&str], search: &Search) -> Result<Capacity, CapacityError> {
    let sets: Vec<String> = sets.iter().map(ToString::to_string).collect();
    let common = Setting::numbered(&sets);
    let mut read = |settings: &[Setting]| {
        let all: Vec<Setting> = common.iter().chain(settings).cloned().collect();
        let request = Request { path: "system.yaml", settings: &all, point: None };
        load(request, &mut |_| Ok(text.into()))
    };
    capacity(&mut read, "system.yaml", search, Control::default(), &mut |_| ())
}

fn ends(capacity: &Capacity) -> [f64; 2] {
    [capacity.range.low.expect("it carries something"), capacity.range.high.expect("not all")]
}

#[test]
fn the_analytic_capacity_lies_inside_and_another_seed_agrees() {
    let mut found = Vec::new();
    for seed in 1..=4 {
        let seed = format!("run.seed={seed}");
        let one = of(FOUR, &[&seed], &Search::default()).expect("it can be searched");
        let [low, high] = ends(&one);
        assert!(low <= ANALYTIC && ANALYTIC <= high && high < 1.06 * low, "{low} to {high}");
        assert_eq!((one.checks.len(), one.contradiction()), (2, None));
        assert_eq!(one.binding.as_deref(), Some("p99 < 60ms"));
        assert_eq!(one.limit.as_ref().map(|(name, _)| &name[..]), Some("server"));
        found.push(one);
    }
    assert!(found.iter().all(|one| one.range.agrees_with(found[0].range)));
}

#[test]
fn any_quantity_can_be_varied() {
    let search =
        Search { vary: Some("components.server.work.exponential".into()), ..Search::default() };
    let ranged = "components.server.work={ exponential: 10ms in 5ms..20ms }";
    let sets = ["users.rate=299.808/s", "run.duration=200s", ranged];
    let one = of(FOUR, &sets, &search).expect("it can be searched");
    // At the analytic rate the work that is just allowed is the 10 ms that it was reckoned with.
    let [low, high] = ends(&one);
    assert!(low <= 10e6 && 10e6 <= high, "{low} to {high}");
}

/// Servers of 100/s each; requests wait at one of them, so p99 < 100 ms fails near their capacity.
const BALANCED: &str = "
users: { rate: 100/s, client: { timeout: 1s } }
entry: lb
components:
  lb: { kind: load_balancer, to: web, health_check: { every: 1s, timeout: 500ms, fall: 2 } }
  web:
    kind: service
    instances: 4
    machine: { cores: 1 }
    workers: 1
    queue: 100
    work: { exponential: 10ms }
zones: 2
network: none
slo: [ p99 < 150ms, availability > 99% ]
run: { duration: 60s, warmup: 5s, replications: 4 }
";

#[test]
fn what_is_lost_is_missed_and_a_single_machine_is_everything() {
    let search = Search { survive: Some(Survive::Instance), ..Search::default() };
    let one = of(BALANCED, &[], &search).expect("it can be searched");
    let [low, high] = ends(&one);
    let names: Vec<&str> = one.losses.iter().map(|lost| lost.what.as_str()).collect();
    assert_eq!(names, ["lb.1", "web.1"]);
    assert_eq!(one.losses[0].range.low, None);
    // Three servers of four, each with the same reserve (random arrivals to each).
    let [least, most] = [one.losses[1].range.low, one.losses[1].range.high].map(Option::unwrap);
    assert!(least < 0.75 * high * 1.03 && most > 0.75 * low / 1.03, "{least} to {most}");
    let search = Search { survive: Some(Survive::Zone), ..Search::default() };
    let one = of(BALANCED, &["components.lb.machine.cores=unlimited"], &search).expect("it can");
    // The balancer stands in the first zone.
    assert_eq!(one.losses[0].what, "zone.1");
    assert_eq!(one.losses[0].range.low, None);
    let error = of(FOUR, &[], &search).expect_err("it has no zones");
    assert!(format!("{error:?}").contains("everything is in one zone"));
}

#[test]
fn what_is_declared_to_go_wrong_is_left_out_unless_an_slo_speaks_of_it() {
    let fault = "faults={ dies: { at: 5s, for: 40s, crash: web } }";
    let healthy = of(BALANCED, &[fault], &Search::default()).expect("it can be searched");
    assert!(healthy.range.low.is_some());
    let with = Search { faults: true, ..Search::default() };
    let broken = of(BALANCED, &[fault], &with).expect("it can be searched");
    assert_eq!(broken.range.low, None);
    let asked = "slo=[ error_rate < 1% during dies ]";
    let broken = of(BALANCED, &[fault, asked], &Search::default()).expect("it can be searched");
    assert_eq!(broken.range.low, None);
}

/// One request in a thousand is of the operation that the SLO is about: the trial must be as long
/// as that needs, and at low loads there is nothing to prove.
#[test]
fn a_rare_operation_is_given_the_time_that_it_needs() {
    let text = FOUR
        .replace(
            "timeout: none } }",
            "timeout: none }, operations: { view: { weight: 99 }, pay: { weight: 1 } } }",
        )
        .replace("p99 < 60ms", "pay.p99 < 60ms");
    let one = of(&text, &["run.duration=1000s"], &Search::default()).expect("it can be searched");
    let low = one.range.low.expect("it carries something");
    assert!(low <= ANALYTIC * 1.02, "{low}");
    assert!(one.range.high.is_some_and(|high| high >= ANALYTIC * 0.98), "{:?}", one.range);
    assert_eq!(one.contradiction(), None);
}

#[test]
fn of_servers_more_is_better_and_of_other_kinds_there_is_no_load() {
    let vary = |path: &str, sets: &[&str], at: Option<&str>| {
        let at =
            at.map(|text| Quantity::count(text).or_else(|| Quantity::parse(text)).expect("one"));
        let search = Search { vary: Some(path.into()), at, ..Search::default() };
        format!("{:?}", of(BALANCED, sets, &search).expect_err("it cannot be searched"))
    };
    for rate in ["users.rate=100/s", "users.rate=300/s"] {
        let said = vary("components.web.instances", &[rate, "run.duration=20s"], None);
        assert!(said.contains("more of `components.web.instances` is better"), "{said}");
    }
    let said = vary("users.rate", &[], Some("10K"));
    assert!(said.contains("is no load like the 100/s of `users.rate`"), "{said}");
}

#[test]
fn what_cannot_be_searched_is_said() {
    let says = |sets: &[&str], vary: Option<&str>| {
        let search = Search { vary: vary.map(Into::into), ..Search::default() };
        format!("{:?}", of(FOUR, sets, &search).expect_err("it cannot"))
    };
    assert!(says(&["slo=null"], None).contains("no SLO that could be broken"));
    assert!(says(&[], Some("components.server.queue")).contains("no quantity above zero"));
    assert!(says(&[], Some("components.server.speed")).contains("no value is written"));
    assert!(says(&["users.rate=5"], None).contains("needs a unit"));
}
