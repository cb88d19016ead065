//! What the edge costs, and what it saves.

use super::{Edge, arrived};
use crate::knobs_data::bench::{Trial, read, run};
use simscale::experiment::Control;
use simscale::experiment::summary::Cost;

/// A month of 730 hours at 40 % of the measured load, in tens of seconds.
const MONTH: f64 = 730.0 * 360.0 * 0.4;

fn bill(text: &str) -> Cost {
    let outcome = read(text).run(Control::default()).expect("it runs");
    outcome.summary.cost.expect("something has a price")
}

fn dollars(cost: &Cost, payer: &str, item: &str) -> f64 {
    let mut lines = cost.lines.iter();
    let found = lines.find(|line| line.payer == payer && line.item == item);
    let line = found.unwrap_or_else(|| panic!("no line {payer} {item} in {:?}", cost.lines));
    line.month_usd.mean.finite().expect("a number")
}

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found}, not {expected}");
}

const RUN: &str = "run: { duration: 10s, warmup: 0s, replications: 1 }\nprices: {}";

/// 999 reads of 50 kB in ten seconds.
fn text(edge: &str, more: &str) -> String {
    let users = "rate: 100/s, arrivals: even, \
                 operations: { look: { reads: files, response: 50kB } }";
    Edge { users, edge, more, ..Edge::default() }.text()
}

/// Dollars for so many bytes in ten seconds, at a price of a gigabyte.
fn bytes(bytes: f64, price: f64) -> f64 {
    bytes * MONTH / 1e9 * price
}

#[test]
fn what_the_edge_answers_is_paid_by_bytes_and_by_requests() {
    let cost = bill(&text("capacity: unlimited, ttl: none", RUN));
    near(dollars(&cost, "edge", "cdn"), bytes(999.0 * 50e3, 0.085));
    near(dollars(&cost, "edge", "cdn_requests"), 999.0 * MONTH * 1e-6);
    // Nothing leaves otherwise, and an edge has no machines whose price would be missing.
    near(dollars(&cost, "users", "egress"), 0.0);
    assert_eq!(cost.unpriced, ["origin"]);
}

#[test]
fn a_miss_is_paid_as_a_hit_is() {
    let hit = bill(&text("capacity: unlimited, ttl: none", RUN));
    let miss = bill(&text("capacity: 0", RUN));
    near(
        miss.month_usd.mean.finite().expect("a number"),
        hit.month_usd.mean.finite().expect("one"),
    );
}

#[test]
fn prices_of_the_edge_can_be_given() {
    let more = RUN.replace("{}", "{ cdn: $0.02/GB, cdn_requests: $5/1M }");
    let cost = bill(&text("capacity: unlimited, ttl: none", &more));
    near(dollars(&cost, "edge", "cdn"), bytes(999.0 * 50e3, 0.02));
    near(dollars(&cost, "edge", "cdn_requests"), 5.0 * 999.0 * MONTH * 1e-6);
}

#[test]
fn much_is_paid_by_its_steps() {
    // 99.9/s of 5 MB are 525 TB: 10 at $85, 40 at $80, 100 at $60, 350 at $40, the rest at $30.
    let terabytes = 999.0 * 5e6 * MONTH / 1e12;
    assert!((500.0..1024.0).contains(&terabytes));
    let sum = 850.0 + 3200.0 + 6000.0 + 14_000.0 + (terabytes - 500.0) * 30.0;
    let text = text("capacity: unlimited, ttl: none", RUN).replace("50kB", "5MB");
    near(dollars(&bill(&text), "edge", "cdn"), sum);
}

#[test]
fn users_pay_egress_for_what_does_not_come_from_the_edge() {
    // Each loads 6 kB from the origin itself.
    let users = "rate: 100/s, arrivals: even, operations: { ask: { entry: origin }, \
                 look: { weight: 1, reads: files, response: 50kB, loads: { ask: 1 } } }";
    let edge = Edge { users, edge: "capacity: unlimited, ttl: none", more: RUN, ..Edge::default() };
    let cost = bill(&edge.text());
    near(dollars(&cost, "users", "egress"), bytes(999.0 * 6e3, 0.09));
    near(dollars(&cost, "edge", "cdn"), bytes(999.0 * 50e3, 0.085));
}

#[test]
fn who_turns_to_the_origin_is_paid_as_egress() {
    let more = format!("faults: {{ dies: {{ at: 5s, for: 2s, crash: edge }} }}\n{RUN}");
    let text = text("capacity: unlimited, ttl: none, fallback: origin", &more);
    let trial: Trial = run(&text);
    let at_edge = trial.row("edge").completed;
    // Two hundred turned, and the others were answered by the edge.
    assert_eq!(at_edge, 999 - 200);
    assert!(arrived(&trial, "origin") >= 200);
    let cost = bill(&text);
    near(dollars(&cost, "users", "egress"), bytes(200.0 * 50e3, 0.09));
    near(dollars(&cost, "edge", "cdn"), bytes(799.0 * 50e3, 0.085));
    near(dollars(&cost, "edge", "cdn_requests"), 799.0 * MONTH * 1e-6);
}

#[test]
fn an_edge_behind_an_edge_takes_nothing_off_the_egress() {
    // `far` answers `edge`, and users only by way of it; loads of 6 kB come from the origin.
    let users = "rate: 100/s, arrivals: even, operations: { ask: { entry: origin }, \
                 look: { weight: 1, reads: files, response: 50kB, loads: { ask: 10 } } }";
    let edge = Edge { users, edge: "capacity: 0", more: RUN, ..Edge::default() };
    let text = edge.text().replace("origin: origin", "origin: far");
    let far = "  far: { kind: cdn, origin: origin, capacity: unlimited, ttl: none }\nnetwork:";
    let cost = bill(&text.replace("network:", far));
    near(dollars(&cost, "users", "egress"), bytes(9990.0 * 6e3, 0.09));
    near(dollars(&cost, "far", "cdn"), bytes(999.0 * 50e3, 0.085));
}

#[test]
fn an_answer_of_the_edge_that_comes_too_late_is_not_taken_off_other_answers() {
    let text = "\
users:
  rate: 100/s
  arrivals: even
  client: { timeout: 100ms }
  operations:
    file: { reads: files, weight: 50, response: 1MB }
    page: { entry: web, weight: 50, response: 1MB }
data: { files: { items: 10, in: edge } }
entry: edge
components:
  edge: { kind: cdn, origin: web, capacity: 10, hit_latency: 300ms }
  web: { kind: service, work: 1ms, machine: { cores: unlimited } }
network: none
run: { duration: 10s, warmup: 0s, replications: 1 }
prices: { egress: $0.09/GB }
";
    let outcome = read(text).run(Control::default()).expect("it runs");
    let pages = run(text).observed.ledger.components[0].operations[1].completed;
    assert!(pages > 300, "{pages}");
    let cost = outcome.summary.cost.expect("something has a price");
    near(dollars(&cost, "users", "egress"), bytes(pages as f64 * 1e6, 0.09));
}
