//! Cost: prices of machines, what is paid by the amount, and what has no price.

use super::bench::read;
use simscale::experiment::Control;
use simscale::experiment::summary::{Cost, Summary};
use simscale::experiment::verdict::Verdict;

/// Seconds of a month of 730 hours.
const MONTH_S: f64 = 730.0 * 3600.0;

/// 100 requests a second that cost 1 ms each; `more` are further keys of the file, `web` of the
/// service.
fn summary(more: &str, users: &str, web: &str) -> Summary {
    let text = format!(
        "\
users: {{ count: 1K, rate: 100/s, arrivals: even, {users} }}
entry: web
data: {{ items: {{ items: 10, size: 20kB, in: db }} }}
components:
  web: {{ kind: service, work: 1ms, {web} }}
  db: {{ kind: database }}
network: none
run: {{ duration: 10s, warmup: 0s, replications: 1 }}
{more}
"
    );
    let outcome = read(&text).run(Control::default()).expect("it runs");
    outcome.summary
}

fn bill(more: &str, users: &str, web: &str) -> Cost {
    summary(more, users, web).cost.expect("something has a price")
}

/// Dollars of one line.
fn dollars(cost: &Cost, payer: &str, item: &str) -> f64 {
    let mut lines = cost.lines.iter();
    let found = lines.find(|line| line.payer == payer && line.item == item);
    let line = found.unwrap_or_else(|| panic!("no line {payer} {item} in {:?}", cost.lines));
    line.month_usd.mean.finite().expect("a number")
}

fn egress(more: &str, users: &str) -> f64 {
    dollars(&bill(more, users, "price: $1/month"), "users", "egress")
}

#[track_caller]
fn near(found: f64, expected: f64) {
    let off = (found - expected).abs();
    assert!(off <= 1e-9 * expected.abs(), "{found}, not {expected}");
}

/// Dollars for so many answers a second of 6 kB at $0.09/GB and 40 % of the load.
fn egress_of(answers_per_second: f64) -> f64 {
    answers_per_second * MONTH_S * 0.4 * 6e3 / 1e9 * 0.09
}

#[test]
fn instances_are_paid_by_the_month_or_the_hour() {
    let web = |keys: &str, item: &str| dollars(&bill("", "", keys), "web", item);
    near(web("price: $140/month", "price"), 140.0);
    near(web("price: $0.2/h", "price"), 146.0);
    near(web("price: $140/month, instances: 3", "price"), 420.0);
    near(web("machine: m5.xlarge, instances: 2", "m5.xlarge"), 2.0 * 140.16);
    near(web("machine: { type: m5.xlarge }, price: $9/month", "price"), 9.0);
}

#[test]
fn each_node_of_a_database_is_paid_by_its_own_type() {
    let text = "\
users: { rate: 100/s, arrivals: even }
entry: db
components:
  db:
    kind: database
    query: 1us
    machine: m5.large
    replicas: { count: 3, machine: m5.xlarge }
network: none
run: { duration: 2s, warmup: 0s, replications: 1 }
";
    let cost = read(text).run(Control::default()).expect("it runs").summary.cost;
    let cost = cost.expect("something has a price");
    near(dollars(&cost, "db", "m5.large"), 70.08);
    near(dollars(&cost, "db", "m5.xlarge"), 3.0 * 140.16);
    assert!(cost.unpriced.is_empty());
}

#[test]
fn a_type_gives_a_machine_its_cores_and_its_memory() {
    let machine = |keys: &str| {
        let text = format!(
            "\
users: {{ rate: 1/s }}
entry: web
components: {{ web: {{ kind: service, work: 1ms, machine: {keys} }} }}
"
        );
        let plan = read(&text).plan;
        (plan.topology.machines[0].cores, plan.topology.machines[0].memory_bytes)
    };
    assert_eq!(machine("c6i.xlarge"), (4.0, 8e9));
    assert_eq!(machine("t3.small"), (2.0, 2e9));
    assert_eq!(machine("{ type: t3.small, cores: 1 }"), (1.0, 2e9));
    assert_eq!(machine("{ type: t3.small, memory: 1GB }"), (2.0, 1e9));
    assert_eq!(machine("{ cores: 3 }"), (3.0, 16e9));
}

#[test]
fn answers_are_paid_by_their_bytes() {
    let answered = 99.9;
    near(egress("", ""), egress_of(answered));
    near(egress("", "operations: { get: { response: 60kB } }"), 10.0 * egress_of(answered));
    let reads = "operations: { get: { reads: items } }";
    near(egress("", reads), 20.0 / 6.0 * egress_of(answered));
    let both = "operations: { get: { reads: items, response: 3kB } }";
    near(egress("", both), 0.5 * egress_of(answered));
    let writes = "operations: { get: { writes: items } }";
    near(egress("", writes), egress_of(answered));
}

#[test]
fn a_large_amount_is_paid_by_its_steps() {
    // 99.9/s of 1 MB are 105 TB in a month: 10 at $90, 40 at $85, the rest at $70.
    let terabytes = 99.9 * MONTH_S * 0.4 / 1e6;
    let dollars = 900.0 + 3400.0 + (terabytes - 50.0) * 70.0;
    near(egress("", "operations: { get: { response: 1MB } }"), dollars);
}

#[test]
fn prices_discount_and_mean_load_can_be_given() {
    let usual = egress_of(99.9);
    near(egress("prices: { egress: $0.02/GB }", ""), usual * 2.0 / 9.0);
    near(egress("prices: { discount: 25% }", ""), usual * 0.75);
    near(egress("prices: { discount: 25%, egress: $0.02/GB }", ""), usual * 2.0 / 9.0);
    near(egress("prices: { mean_to_peak: 100% }", ""), usual * 2.5);
    near(egress("prices: aws_us_east_1", ""), usual);
    let day = "profile: { diurnal: { low: 1x, high: 1x } }";
    near(egress("", day), usual * 2.5);
    near(egress("prices: { mean_to_peak: 40% }", day), usual);
    let web = |prices: &str, keys: &str, item: &str| dollars(&bill(prices, "", keys), "web", item);
    near(web("prices: { m5.xlarge: $100/month }", "machine: m5.xlarge", "m5.xlarge"), 100.0);
    near(web("prices: { m5.xlarge: $0.1/h }", "machine: m5.xlarge", "m5.xlarge"), 73.0);
    near(web("prices: { discount: 50% }", "machine: m5.xlarge", "m5.xlarge"), 70.08);
    near(web("prices: { discount: 50% }", "price: $10/month", "price"), 10.0);
}

#[test]
fn the_sum_is_of_all_lines_and_what_has_no_price_is_named() {
    let cost = bill("", "", "price: $1000/month");
    let month = cost.month_usd.mean.finite().expect("a number");
    near(month, 1000.0 + egress_of(99.9));
    let millions = 99.9 * MONTH_S * 0.4 / 1e6;
    near(cost.per_million_usd.mean.finite().expect("a number"), month / millions);
    assert_eq!(cost.unpriced, ["db"]);
    assert_eq!(bill("prices: {}", "", "workers: 2").unpriced, ["web", "db"]);
    assert!(summary("", "", "workers: 2").cost.is_none());
}

#[test]
fn a_host_is_paid_once_and_a_balancer_by_what_passes_through() {
    let text = "\
users: { rate: 100/s, arrivals: even }
entry: lb
hosts: { box: { type: m5.large }, old: {} }
components:
  lb: { kind: load_balancer, to: web, work: 1us, machine: alb }
  web: { kind: service, host: box, handle: { default: [ { read: db } ] } }
  db: { kind: database, host: box, query: 1us }
  spare: { kind: service, work: 1us, host: old }
network: none
run: { duration: 10s, warmup: 0s, replications: 1 }
";
    let cost = read(text).run(Control::default()).expect("it runs").summary.cost;
    let cost = cost.expect("something has a price");
    near(dollars(&cost, "box", "m5.large"), 70.08);
    near(dollars(&cost, "lb", "alb"), 16.425);
    near(dollars(&cost, "lb", "alb_traffic"), egress_of(99.9) / 0.09 * 0.008);
    assert_eq!(cost.unpriced, ["old"]);
}

#[test]
fn a_shrunk_run_has_the_bill_of_the_whole() {
    let whole = bill("", "", "price: $10/month, instances: 40");
    let text = "\
users: { count: 1K, rate: 100/s, arrivals: even }
entry: web
components: { web: { kind: service, work: 1ms, price: $10/month, instances: 40 } }
network: none
run: { duration: 10s, warmup: 0s, replications: 1, shrink: 10x }
";
    let small = read(text).run(Control::default()).expect("it runs").summary.cost;
    let small = small.expect("something has a price");
    near(dollars(&small, "web", "price"), dollars(&whole, "web", "price"));
    // 99 answers in ten seconds where there were 999.
    near(dollars(&small, "users", "egress"), egress_of(99.0));
}

#[test]
fn cost_can_be_promised() {
    // $1,000 and $57 for 105 million requests.
    let judged = |text: &str| {
        let outcome = read(&format!(
            "\
users: {{ rate: 100/s, arrivals: even }}
entry: web
components: {{ web: {{ kind: service, work: 1ms, price: $1000/month }} }}
network: none
slo: [ {text} ]
run: {{ duration: 10s, warmup: 0s, replications: 2 }}
"
        ))
        .run(Control::default());
        outcome.expect("it runs").summary.slo.remove(0).verdict
    };
    assert_eq!(judged("cost.month < $1.1K"), Verdict::Holds);
    assert_eq!(judged("cost.month < $1000"), Verdict::Fails);
    assert_eq!(judged("cost.per_million == $10.06 within 0.1%"), Verdict::Holds);
    assert_eq!(judged("cost.per_million == $10.06 within $0.01"), Verdict::Holds);
    assert_eq!(judged("cost.per_million == $9 within 5%"), Verdict::Fails);
}
