//! Autoscaling: when instances come and go, and what becomes of their calls and their cost.
//!
//! A hundred even requests a second take 16 ms of a core each: 1.6 cores are busy, whoever they
//! belong to.

use super::bench::{Trial, count, read, run};
use simscale::components::outcome::Cause;
use simscale::components::record::Note;
use simscale::experiment::Control;
use std::collections::BTreeSet;

/// A service of up to eight instances with `more` keys; `rules` are keys of its autoscaler, which
/// looks every second and acts at once unless they say otherwise.
fn text(rules: &str, more: &str, whole: &str) -> String {
    let usual = [
        ("min", "1"),
        ("max", "8"),
        ("every", "1s"),
        ("metric_delay", "0s"),
        ("cooldown", "0s"),
        ("scale_in_after", "0s"),
    ];
    let missing = usual.iter().filter(|(key, _)| !rules.contains(&format!("{key}:")));
    let usual: String = missing.map(|(key, value)| format!("{key}: {value}, ")).collect();
    let own = |key: &str, default: &str| match more.contains(key) {
        true => String::new(),
        false => default.to_owned(),
    };
    let workers = own("workers:", "workers: unlimited, ");
    let (work, instances) = (own("handle:", "work: 16ms, "), own("instances:", "instances: 2, "));
    let rate = if whole.contains("shrink") { "1K/s" } else { "100/s" };
    format!(
        "\
users: {{ rate: {rate}, arrivals: even, client: {{ timeout: none }} }}
entry: lb
components:
  lb: {{ kind: load_balancer, to: web, work: 0s, health_check: none }}
  web: {{ kind: service, machine: {{ cores: 1 }}, {workers}{instances}{work}\
          autoscale: {{ {usual}{rules} }}, {more} }}
  db: {{ kind: service, work: 1us }}
network: none
run: {{ duration: 10s, warmup: 0s, replications: 1, window: 1s{whole} }}
"
    )
}

/// The mean number of instances in service in each second.
fn in_service(trial: &Trial) -> Vec<f64> {
    let (_, integrals) = trial.component("web").in_service.series().expect("it is kept");
    integrals.iter().map(|&sum| sum as f64 / 1e9).collect()
}

fn seconds(rules: &str, more: &str) -> Vec<f64> {
    in_service(&run(&text(rules, more, "")))
}

/// The first seconds are these, the rest is like the last of them. An instance that goes may take
/// a moment to finish what it has.
#[track_caller]
fn are(found: &[f64], expected: &[f64]) {
    let last = expected[expected.len() - 1];
    let expected = expected.iter().copied().chain(std::iter::repeat(last));
    let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.05);
    assert!(close, "{found:?}");
}

const TO_FOUR: &str = "target: { utilization: 40% }, tolerance: 0%";

#[test]
fn a_target_orders_as_many_as_meet_it() {
    are(&seconds(TO_FOUR, ""), &[2.0, 4.0]);
    are(&seconds("target: { utilization: 20% }, tolerance: 0%", ""), &[2.0, 8.0]);
    // All that come in the first second wait for the two that work: 37.5 more at its end.
    let one = "workers: 1, queue: unlimited, instances: 1";
    let waiting = seconds("target: { queue_length: 5 }", one);
    assert_eq!(waiting[..2], [1.0, 4.0], "18.75 of them on average");
    are(&seconds("target: { rate_per_instance: 30/s }", ""), &[2.0, 4.0]);
    are(&seconds("target: { rate_per_instance: 15/s }", ""), &[2.0, 7.0]);
}

#[test]
fn instances_stay_between_min_and_max() {
    let drain = "instances: 8, drain: 1s";
    are(&seconds("target: { utilization: 20% }, tolerance: 0%, max: 6", ""), &[2.0, 6.0]);
    are(&seconds(TO_FOUR, drain), &[8.0, 4.0]);
    are(&seconds("target: { utilization: 40% }, min: 5", drain), &[8.0, 5.0]);
}

#[test]
fn steps_add_and_remove() {
    are(&seconds("steps: [ { when: utilization > 70%, add: 3 } ]", ""), &[2.0, 5.0]);
    let fewer = "steps: [ { when: utilization < 50%, add: -2 } ]";
    are(&seconds(fewer, "instances: 8, drain: 1s"), &[8.0, 6.0, 4.0, 2.0]);
    let two = "steps: [ { when: rate_per_instance > 40/s, add: 1 }, \
               { when: utilization > 1%, add: 2 } ]";
    are(&seconds(two, ""), &[2.0, 3.0, 5.0, 7.0, 8.0]);
}

#[test]
fn decisions_take_their_time() {
    are(&seconds(&format!("{TO_FOUR}, every: 2s"), ""), &[2.0, 2.0, 4.0]);
    are(&seconds(&format!("{TO_FOUR}, metric_delay: 3s"), ""), &[2.0, 2.0, 2.0, 2.0, 4.0]);
    let one = "steps: [ { when: utilization > 45%, add: 1 } ]";
    are(&seconds(one, ""), &[2.0, 3.0, 4.0]);
    are(&seconds(&format!("{one}, cooldown: 3s"), ""), &[2.0, 3.0, 3.0, 3.0, 4.0]);
}

#[test]
fn instances_go_when_none_was_wanted_for_a_while() {
    let rules = format!("{TO_FOUR}, scale_in_after: 4s");
    are(&seconds(&rules, "instances: 8, drain: 1s"), &[8.0, 8.0, 8.0, 8.0, 4.0]);
    are(&seconds(&rules, ""), &[2.0, 4.0]);
}

#[test]
fn within_the_tolerance_nothing_changes() {
    // 40 % are 1.05 times the target; the first second, which begins idle, has 39.5 %.
    let target = "target: { utilization: 38% }";
    are(&seconds(&format!("{target}, tolerance: 0%"), "instances: 4"), &[4.0, 5.0]);
    are(&seconds(target, "instances: 4"), &[4.0]);
    are(&seconds(&format!("{target}, tolerance: 6%"), "instances: 4"), &[4.0]);
    are(&seconds(&format!("{target}, tolerance: 5%"), "instances: 4"), &[4.0, 4.0, 5.0]);
}

/// What starts is ordered and paid, but not in service: nobody calls it and nothing is divided by
/// its cores.
#[test]
fn a_new_instance_starts_before_it_serves() {
    let trial = run(&text(TO_FOUR, "startup: 2s", ""));
    are(&in_service(&trial), &[2.0, 2.0, 2.0, 4.0]);
    let web = trial.component("web");
    assert_eq!(web.ordered.mean(), Some(3.8));
    assert_eq!(web.in_service.mean(), Some(3.4));
    assert_eq!(web.in_service_min(), 2);
    let of_new = |note: &&Note| match note {
        Note::Called { instance, component, .. } => *instance > 1 && component.index() == 2,
        _ => false,
    };
    let first = trial.notes.iter().find(of_new).expect("the new ones are called");
    let Note::Called { at, .. } = *first else { unreachable!() };
    assert!((3.0..3.1).contains(&(at.0 as f64 / 1e9)), "{at:?}");
    // Each has a start of its own.
    let some = seconds(TO_FOUR, "startup: { exponential: 2s }");
    assert!(some.iter().any(|mean| mean.fract() > 0.0 && *mean > 3.0), "{some:?}");
}

const LESS: &str = "steps: [ { when: utilization < 50%, add: -1 } ]";

/// A hundred requests a second take three seconds each; the second instance goes at 1 s.
#[test]
fn an_instance_that_goes_finishes_what_it_has() {
    let web = "handle: { default: [ work: 1ms, wait: 3s ] }";
    let trial = |drain: &str| run(&text(LESS, &format!("{web}, drain: {drain}"), ""));
    let crashed = |trial: &Trial| count(&trial.users().failed, Cause::Crashed);
    let enough = trial("5s");
    assert_eq!(crashed(&enough), 0);
    are(&in_service(&enough), &[2.0, 2.0, 2.0, 2.0, 1.0]);
    // Fifty had come to it in its last second.
    for (drain, served) in [("2s", &[2.0, 2.0, 2.0, 1.0][..]), ("0s", &[2.0, 1.0])] {
        let short = trial(drain);
        assert!(crashed(&short).abs_diff(50) <= 1, "{drain}: {}", crashed(&short));
        are(&in_service(&short), served);
    }
}

/// The new instances pass three probes before they get calls; the absent ones are not even probed.
#[test]
fn health_checks_decide_about_new_instances_and_know_no_absent_ones() {
    let checks = "health_check: { every: 500ms, rise: 3 }";
    let trial = run(&text(TO_FOUR, "", "").replace("health_check: none", checks));
    let mut requests = BTreeSet::new();
    let mut first_call = None;
    for note in &trial.notes {
        match *note {
            Note::Sent { request, .. } => _ = requests.insert(request),
            Note::Called { request, component, instance, at, .. } if component.index() == 2 => {
                assert!(instance < 4, "nobody calls what is not there");
                if instance > 1 && requests.contains(&request) {
                    first_call = first_call.or(Some(at.0 as f64 / 1e9));
                }
            }
            _ => {}
        }
    }
    let first = first_call.expect("the new ones are called");
    // Three probes begin within 1 to 1.5 s of the start at 1 s.
    assert!((2.0..2.6).contains(&first), "{first}");
}

#[test]
fn faults_hit_only_instances_that_are_there() {
    let fault = |target: &str| {
        let faults = format!("faults: {{ dies: {{ at: 500ms, for: 1s, crash: {target} }} }}\n");
        run(&(text("target: { rate_per_instance: 50/s }", "", "") + &faults))
    };
    assert!(fault("web.8").observed.faults.is_empty());
    let all = fault("web").observed.faults;
    assert_eq!(all.iter().map(|one| one.instance).collect::<Vec<_>>(), [0, 1]);
    let random = "faults: { die: { mtbf: 300ms, mttr: 50ms, crash: web.4 } }\n";
    let hit = run(&(text(TO_FOUR, "startup: 2s", "") + random)).observed.faults;
    assert!(!hit.is_empty() && hit.iter().all(|one| one.from.0 >= 3_000_000_000), "{hit:?}");
}

/// The database is gone from 3 s on: the service fails fast, looks idle, and is scaled in.
#[test]
fn an_outage_that_fails_fast_scales_in() {
    let faults = "faults: { gone: { at: 3s, crash: db } }\n";
    let web = "handle: { default: [ call: db, work: 16ms ] }, drain: 1s";
    let trial = run(&(text(TO_FOUR, web, "") + faults));
    are(&in_service(&trial), &[2.0, 4.0, 4.0, 4.0, 1.0]);
}

/// Two for a second and four for nine, at $100 a month.
#[test]
fn ordered_instances_are_paid() {
    let month = |text: &str| {
        let outcome = read(text).run(Control::default()).expect("it runs");
        let lines = outcome.summary.cost.expect("it is priced").lines;
        let line = lines.iter().find(|line| line.payer == "web").expect("it is paid");
        line.month_usd.mean.finite().expect("a number")
    };
    assert_eq!(month(&text(TO_FOUR, "price: $100/month", "")), 380.0);
    let rules = format!("{TO_FOUR}, min: 10, max: 80");
    let shrunk = text(&rules, "price: $100/month, instances: 20", ", shrink: 10x");
    assert_eq!(month(&shrunk), 3800.0);
}

#[test]
fn shrinking_divides_min_max_and_instances_together() {
    let shrunk = |rules: &str| {
        let rules = format!("{rules}, min: 10, max: 80");
        in_service(&run(&text(&rules, "instances: 20, drain: 1s", ", shrink: 10x")))
    };
    are(&shrunk(TO_FOUR), &[2.0, 4.0]);
    are(&shrunk("target: { rate_per_instance: 15/s }"), &[2.0, 7.0]);
    are(&shrunk("steps: [ { when: utilization > 70%, add: 30 } ]"), &[2.0, 5.0]);
}

#[test]
fn a_summary_says_how_many_there_were() {
    let outcome = read(&text(TO_FOUR, "", "")).run(Control::default()).expect("it runs");
    let (_, web) = outcome.summary.components.iter().find(|(name, _)| name == "web").expect("web");
    let range = web.in_service.as_ref().expect("it scales");
    assert_eq!((web.instances, range.min, range.max), (2, 2, 4));
    assert_eq!(range.mean.mean.finite(), Some(3.8));
    let options = simscale::report::text::TextOptions::default();
    let page = simscale::report::text::write(&outcome.summary, options);
    assert!(page.contains("service ×2–4"), "{page}");
    let json = simscale::report::json::write(&outcome.summary);
    assert!(json.contains("\"in_service\""), "{json}");
    let (_, lb) = outcome.summary.components.iter().find(|(name, _)| name == "lb").expect("lb");
    assert!(lb.in_service.is_none());
}
