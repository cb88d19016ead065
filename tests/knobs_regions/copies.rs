//! Copies are components of their own: what is so for one of them need not be so for another.

use crate::knobs_data::bench::{Trial, run, said};
use simscale::world::users::ledger::UserLedger;

const TWO: &str = "regions: { us: {}, eu: {} }";
const FAR: &str = "network: { links: { us <-> eu: { rtt: 80ms } } }";

fn failed(trial: &Trial) -> Vec<u64> {
    trial.observed.users.iter().map(UserLedger::failed_total).collect()
}

#[test]
fn users_of_every_region_know_which_instances_are_there() {
    let scale = "autoscale: { min: 2, max: 10, target: { utilization: 20% } }";
    let trial = run(&format!(
        "\
users: {{ rate: 100/s, arrivals: even, regions: {{ us: 50%, eu: 50% }} }}
entry: web
{TWO}
components:
  web: {{ kind: service, instances: 2, work: 1ms, {scale} }}
{FAR}
run: {{ duration: 20s, warmup: 0s }}
"
    ));
    assert_eq!(failed(&trial), [0, 0]);
    // And nobody goes to the other region.
    let arrived = |name: &str| trial.row(name).arrived;
    assert_eq!(arrived("us.web"), trial.observed.users[0].offered);
    assert_eq!(arrived("eu.web"), trial.observed.users[1].offered);
}

#[test]
fn whoever_starts_again_reads_where_it_did_before() {
    let of_primary = |faults: &str| {
        let trial = run(&format!(
            "\
users: {{ rate: 100/s, regions: {{ us: 50%, eu: 50% }}, client: {{ timeout: 1s }} }}
data: {{ items: {{ items: 10, in: db }} }}
entry: web
{TWO}
components:
  web: {{ kind: service, handle: {{ default: [ {{ read: items }} ] }} }}
  db:
    kind: database
    primary: {{ in: us }}
    replicas: {{ us: 1, eu: 1 }}
    reads_from: replicas
    query: 1ms
{FAR}
{faults}
run: {{ duration: 20s, warmup: 0s }}
"
        ));
        let parts = &&trial.component("db").parts;
        parts[0].busy_ns
    };
    assert_eq!(of_primary(""), 0.0);
    assert_eq!(of_primary("faults: { c: { crash: web, at: 1s, for: 1s } }"), 0.0);
}

#[test]
fn two_name_servers_of_the_same_component_answer_for_themselves() {
    let operations = "operations: { a: { entry: d1 }, b: { entry: d2 }, c: { entry: web } }";
    let trial = run(&format!(
        "\
users: {{ rate: 300/s, regions: {{ us: 100%, eu: 0% }}, {operations} }}
entry: d1
{TWO}
components:
  web: {{ kind: service, handle: {{ a: [ wait: 1ms ], b: [ wait: 1ms ], c: [ wait: 1ms ] }} }}
  d1: {{ kind: dns, to: web, balance: {{ failover: {{ prefer: [us] }} }} }}
  d2: {{ kind: dns, to: web, balance: {{ failover: {{ prefer: [eu] }} }} }}
{FAR}
run: {{ duration: 20s, warmup: 0s }}
"
    ));
    let arrived =
        |name: &str, operation: usize| trial.component(name).operations[operation].arrived > 0;
    let seen = |name| [0, 1, 2].map(|operation| arrived(name, operation));
    assert_eq!((seen("us.web"), seen("eu.web")), ([true, false, true], [false, true, false]));
}

#[test]
fn copies_fail_each_at_its_own_times() {
    let trial = run(&format!(
        "\
users: {{ rate: 10/s, regions: {{ us: 50%, eu: 50% }} }}
entry: web
{TWO}
components: {{ web: {{ kind: service, work: 1ms }} }}
{FAR}
faults: {{ c: {{ crash: web, mtbf: 5min, mttr: 30s }} }}
run: {{ duration: 2h, warmup: 0s }}
"
    ));
    let busy: Vec<f64> = ["us.web", "eu.web"]
        .map(|name| trial.component(name).in_service.mean())
        .map(|mean| mean.expect("a run of two hours"))
        .to_vec();
    assert_ne!(busy[0], busy[1]);
}

#[test]
fn a_fault_waits_until_somebody_has_the_role_again() {
    let trial = run("\
users: { rate: 10/s }
data: { items: { items: 10, in: db } }
entry: web
components:
  web: { kind: service, handle: { default: [ { write: items } ] } }
  db:
    kind: database
    replicas: 1
    failover: { restart_old: replica, detect: 1s, promote: 1s, redirect: 0s }
faults:
  first: { crash: db.primary, at: 10s, for: 60s }
  again: { crash: db.replica.1, mtbf: 5s, mttr: 1s }
run: { duration: 300s, warmup: 0s }
");
    // Some forty in the four minutes in which there is a replica, six of them standard deviation.
    let times = trial.observed.faults.len();
    assert!(times > 15, "{times}");
}

#[test]
fn what_cannot_be_for_copies_is_said() {
    let with = |entry: &str, components: &str| {
        said(&format!(
            "\
users: {{ rate: 1/s }}
entry: {entry}
{TWO}
hosts: {{ box: {{}} }}
components:
  web: {{ kind: service, work: 1ms }}
{components}
{FAR}
"
        ))
    };
    let says = |lines: Vec<String>, what: &str| {
        assert!(lines.iter().any(|line| line.contains(what)), "{what}: {lines:?}");
    };
    let dns = "  dns: { kind: dns, to: web }\n";
    let gate = "  gate: { kind: service, handle: { default: [ call: dns ] } }";
    says(with("gate", &format!("{dns}{gate}")), "a name server answers users");
    let edge = "  edge: { kind: cdn, origin: dns, capacity: 1MB }";
    says(with("edge", &format!("{dns}{edge}")), "a name server answers users");
    let scaled = "  shop: { kind: service, work: 1ms, \
                  autoscale: { min: 1, max: 2, target: { utilization: 50% } } }\n  \
                  names: { kind: dns, to: shop }";
    says(with("names", scaled), "does not know instances that come and go");
    let hosted = "  shop: { kind: service, work: 1ms, host: box }";
    says(with("shop", hosted), "the host `box` is one machine");
    let priced = "  edge: { kind: cdn, origin: web, capacity: 1MB, price: $10/month }";
    says(with("edge", priced), "an edge cache is a service");
    let drained = "  shop: { kind: service, work: 1ms, drain: 5s }";
    says(with("shop", drained), "`drain` has no effect without `autoscale`");
    let fault = |what: &str, components: &str| {
        format!("{components}faults: {{ f: {{ {what}, mtbf: 1h, mttr: 1min }} }}")
    };
    says(with("dns", &fault("crash: dns", dns)), "name servers are many");
    let back = "  back: { kind: service, work: 1ms }\n";
    says(with("web", &fault("outage: us", back)), "an outage comes over all of a place at once");
    let leased = "  store: { kind: cache, capacity: 10, leases: true }";
    says(with("store", leased), "`leases` has no effect");
}
