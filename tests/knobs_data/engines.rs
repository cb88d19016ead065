//! Engines of a database: each means its keys spelled out, and a key beside it wins.

use super::bench::{all_take, count, read, run, said};
use simscale::components::outcome::Cause;

/// A service with these steps, and a database of so many items that no two writes meet at one row.
fn text(steps: &str, database: &str) -> String {
    format!(
        "\
users: {{ rate: 10/s, arrivals: even }}
entry: web
data: {{ items: {{ items: 4B, size: 1B, in: db }} }}
components:
  web: {{ kind: service, workers: unlimited, handle: {{ default: [ {steps} ] }} }}
  db: {{ kind: database, machine: {{ cores: 8, memory: 100GB }}, {database} }}
network: none
run: {{ duration: 10s, warmup: 0s }}
"
    )
}

/// So many steps at once.
fn at_once(number: usize, step: &str) -> String {
    format!("{{ parallel: [ {} ] }}", vec![step; number].join(", "))
}

const READ: &str = "{ read: items }";
const WRITE: &str = "{ write: items, key: fresh }";

/// Everything that is planned, as text.
fn plan(database: &str) -> String {
    format!("{:?}", read(&text(READ, database)).plan)
}

const POSTGRESQL: &str = "connections: 100, query: 0.11ms, replication: { parallel: 1 }";
const MYSQL: &str = "connections: 151, replication: { parallel: 4 }";
const KEY_VALUE: &str = "connections: unlimited, log: { flush: 0s }, primary: none, replicas: 3, \
                         replication: { mode: quorum, write: 2, read: 2, read_repair: true }";

#[test]
fn an_engine_means_its_keys_spelled_out() {
    let none = plan("engine: none, replicas: 2");
    assert_eq!(none, plan("replicas: 2"));
    for (name, keys, replicas) in [
        ("postgresql", POSTGRESQL, ", replicas: 2"),
        ("mysql", MYSQL, ", replicas: 2"),
        ("key_value", KEY_VALUE, ""),
    ] {
        let engine = plan(&format!("engine: {name}{replicas}"));
        assert_eq!(engine, plan(&format!("{keys}{replicas}")), "{name}");
        assert_ne!(engine, none, "{name}");
    }
}

#[test]
fn a_key_beside_an_engine_wins_and_leaves_the_others() {
    for (name, keys, own, spelled) in [
        ("postgresql", POSTGRESQL, "connections: 300", ["connections: 100", "connections: 300"]),
        ("postgresql", POSTGRESQL, "query: 0.5ms", ["query: 0.11ms", "query: 0.5ms"]),
        ("postgresql", POSTGRESQL, "replication: { parallel: 2 }", ["parallel: 1", "parallel: 2"]),
        ("mysql", MYSQL, "connections: 100", ["connections: 151", "connections: 100"]),
        ("mysql", MYSQL, "replication: { parallel: 1 }", ["parallel: 4", "parallel: 1"]),
        (
            "mysql",
            MYSQL,
            "replication: { mode: semi_sync }",
            ["parallel: 4", "parallel: 4, mode: semi_sync"],
        ),
    ] {
        let keys = keys.replace(spelled[0], spelled[1]);
        let engine = plan(&format!("engine: {name}, replicas: 2, {own}"));
        assert_eq!(engine, plan(&format!("{keys}, replicas: 2")), "{name}, {own}");
        assert_ne!(engine, plan(&format!("engine: {name}, replicas: 2")), "{name}, {own}");
    }
    for (own, spelled) in [
        ("connections: 50", ["connections: unlimited", "connections: 50"]),
        ("log: 2ms", ["flush: 0s", "flush: 2ms"]),
        ("log: { group: false }", ["flush: 0s", "flush: 0s, group: false"]),
        ("primary: {}", ["primary: none", "primary: {}"]),
        ("replicas: 5", ["replicas: 3", "replicas: 5"]),
        ("replication: { write: 3 }", ["write: 2", "write: 3"]),
        ("replication: { read: 1 }", ["read: 2", "read: 1"]),
        ("replication: { read_repair: false }", ["read_repair: true", "read_repair: false"]),
        ("primary: {}, replication: { mode: async }", ["primary: none", "primary: {}"]),
    ] {
        let mut keys = KEY_VALUE.replace(spelled[0], spelled[1]);
        if own.contains("async") {
            keys = keys.replace("mode: quorum", "mode: async");
        }
        let engine = plan(&format!("{own}, engine: key_value"));
        assert_eq!(engine, plan(&keys), "{own}");
        assert_ne!(engine, plan("engine: key_value"), "{own}");
    }
}

#[test]
fn a_statement_of_postgresql_takes_a_point_select() {
    all_take(&run(&text(READ, "engine: postgresql")).users().latency, 0.11);
    all_take(&run(&text(WRITE, "engine: postgresql, log: 2ms")).users().latency, 2.11);
    all_take(&run(&text(READ, "engine: mysql")).users().latency, 0.5);
}

#[test]
fn engines_have_as_many_connections_as_they_say() {
    for (engine, refused) in [("postgresql", 60), ("mysql", 9), ("key_value", 0)] {
        let trial = run(&text(&at_once(160, READ), &format!("engine: {engine}")));
        let failed = &trial.row("db").failed;
        assert_eq!(count(failed, Cause::Refused), refused * 99, "{engine}");
    }
}

#[test]
fn a_replica_of_mysql_applies_four_writes_at_once() {
    let lag_ms = |engine: &str| {
        let keys = "replicas: 1, write_query: 1ms, replication: { delay: 0s, apply: 5ms }";
        let trial = run(&text(&at_once(4, WRITE), &format!("engine: {engine}, {keys}")));
        let lag = trial.observed.figures[2].sample("lag").expect("there is a replica");
        lag.max_ns().expect("there are writes") as f64 / 1e6
    };
    // One write is committed a flush before the other three, which wait for it.
    assert!((lag_ms("postgresql") - 19.0).abs() < 1e-4);
    assert!((lag_ms("mysql") - 5.0).abs() < 1e-4);
}

#[test]
fn a_key_value_store_writes_on_three_nodes_and_does_not_wait_for_their_disks() {
    let trial = run(&text(WRITE, "engine: key_value, query: 4ms"));
    all_take(&trial.users().latency, 4.0);
    let shares = trial.component("db").busy_ns / (99.0 * 4e6);
    assert!((shares - 3.0).abs() < 0.05, "{shares}");
    let synced = run(&text(WRITE, "engine: key_value, query: 4ms, log: 7ms"));
    all_take(&synced.users().latency, 11.0);
}

#[test]
fn replicas_by_region_are_those_written() {
    let text = "\
users: { rate: 10/s, regions: { us: 50%, eu: 50% } }
entry: web
data: { items: { items: 1000, size: 1kB, in: db } }
components:
  web: { kind: service, handle: { default: [ { read: items } ] } }
  db: { kind: database, engine: key_value, replicas: { us: 2, eu: 3 } }
regions: { us: {}, eu: {} }
network: { links: { us <-> eu: { rtt: 80ms } } }
run: { duration: 10s, warmup: 0s }
";
    let topology = read(text).plan.topology;
    let db = topology.components.iter().find(|one| one.name == "db").expect("a database");
    assert_eq!(db.places.len(), 5);
}

#[test]
fn what_an_engine_cannot_be_is_refused() {
    for (database, message) in [
        ("engine: postgresql, primary: none", "E0504 `postgresql` has a primary"),
        ("engine: mysql, primary: none, replicas: 3", "E0504 `mysql` has a primary"),
        (
            "engine: key_value, replication: { mode: async }",
            "E0504 without a primary there are quorums",
        ),
        ("engine: key_value, replicas: 0", "E0504 a store without a primary has `replicas`"),
        ("engine: key_value, replicas: 1", "E0504 `write: 2` of 1 nodes"),
        ("engine: relational", "E0106 unknown variant `relational`"),
    ] {
        let said = said(&text(READ, database));
        assert!(said.first().is_some_and(|one| one == message), "{database}: {said:?}");
    }
}
