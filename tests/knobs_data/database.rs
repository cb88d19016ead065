//! Databases: statements, connections, memory, disk and log.

use super::bench::{Trial, all_take, count, run, share_is};
use simscale::components::outcome::Cause;

/// Evenly spaced requests (99 in 10 s) whose steps are given, and a database of 1,000 items.
fn with(steps: &str, database: &str) -> Trial {
    run(&text(steps, database))
}

/// The same with so many items that no two writes meet at one row.
fn with_many(steps: &str, database: &str) -> Trial {
    run(&text(steps, database).replace("items: 1000,", "items: 4B,"))
}

fn text(steps: &str, database: &str) -> String {
    format!(
        "\
users: {{ rate: 10/s, arrivals: even }}
entry: web
data: {{ items: {{ items: 1000, size: 1kB, in: db }} }}
components:
  web: {{ kind: service, handle: {{ default: [ {steps} ] }} }}
  db: {{ kind: database, {database} }}
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
const WRITE: &str = "{ write: items }";
const OTHER: &str = "{ write: items, key: fresh }";

#[test]
fn a_read_takes_one_query() {
    let trial = with(READ, "query: 7ms, write_query: 3ms, log: 2ms");
    all_take(&trial.users().latency, 7.0);
    assert!((trial.component("db").busy_ns - 99.0 * 7e6).abs() < 1e4);
}

#[test]
fn a_write_takes_a_write_query_and_a_flush() {
    all_take(&with(WRITE, "query: 7ms, write_query: 3ms, log: 2ms").users().latency, 5.0);
    all_take(&with(WRITE, "query: 7ms, log: 2ms").users().latency, 9.0);
    all_take(&with(WRITE, "query: 7ms, log: { flush: 4ms }").users().latency, 11.0);
}

#[test]
fn the_statements_of_a_write_share_one_flush() {
    let steps = "{ write: items, statements: 4 }";
    let trial = with(steps, "write_query: 3ms, log: 2ms");
    all_take(&trial.users().latency, 4.0 * 3.0 + 2.0);
    assert!((trial.component("db").busy_ns - 99.0 * 12e6).abs() < 1e4);
}

#[test]
fn calls_beyond_the_connections_are_refused_or_wait() {
    let five = |keys: &str| {
        with(&at_once(5, READ), &format!("machine: {{ cores: 8 }}, query: 10ms, {keys}"))
    };
    let refused = five("connections: 2, when_full: refuse");
    let row = refused.row("db");
    assert_eq!((row.completed, count(&row.failed, Cause::Refused)), (2 * 99, 3 * 99));
    assert_eq!(count(&refused.users().failed, Cause::Refused), 99);
    let default = five("connections: 2");
    assert_eq!(count(&default.row("db").failed, Cause::Refused), 3 * 99);
    let waited = five("connections: 2, when_full: wait");
    assert_eq!(waited.row("db").completed, 5 * 99);
    all_take(&waited.users().latency, 30.0);
    all_take(&five("connections: 3, when_full: wait").users().latency, 20.0);
    all_take(&five("connections: 5, when_full: refuse").users().latency, 10.0);
    all_take(&five("connections: unlimited").users().latency, 10.0);
}

/// How many of how many reads went to disk: a read takes 1 ms in memory and 11 ms with the disk.
fn disk_reads(data: &str, memory: &str, share: &str) -> (u64, u64) {
    let trial = run(&format!(
        "\
users: {{ rate: 200/s, arrivals: even, operations: {{ get: {{ reads: items }} }} }}
entry: db
data: {{ items: {{ {data}, in: db }} }}
components:
  db:
    kind: database
    machine: {{ cores: 8, memory: {memory}, disk: {{ read: 10ms, iops: unlimited }} }}
    memory_share: {share}
    query: 1ms
network: none
run: {{ duration: 20s, warmup: 0s }}
"
    ));
    let latency = &trial.users().latency;
    let slow = (latency.mean().expect("answers") - 1e6) / 10e6 * latency.count() as f64;
    (slow.round() as u64, latency.count())
}

#[test]
fn reads_of_what_does_not_fit_into_memory_go_to_disk() {
    let thousand = "items: 1000, size: 1kB";
    for (data, memory, share, miss) in [
        (thousand, "1000kB", "50%", 0.5),
        (thousand, "1000kB", "80%", 0.2),
        (thousand, "500kB", "80%", 0.6),
        ("items: 1000, size: 2kB", "1000kB", "80%", 0.6),
        ("items: 4000, size: 1kB", "1000kB", "80%", 0.8),
    ] {
        let (slow, all) = disk_reads(data, memory, share);
        share_is(slow, all, miss);
    }
    assert_eq!(disk_reads(thousand, "1000kB", "100%").0, 0);
    let (slow, all) = disk_reads(thousand, "1000kB", "0%");
    assert_eq!(slow, all);
}

#[test]
fn memory_holds_the_most_popular_items() {
    let harmonic = |n: u32| (1..=n).map(|k| 1.0 / f64::from(k)).sum::<f64>();
    let (slow, all) =
        disk_reads("items: 1000, size: 1kB, popularity: { zipf: 1 }", "1000kB", "50%");
    share_is(slow, all, 1.0 - harmonic(500) / harmonic(1000));
}

#[test]
fn a_disk_starts_its_operations_one_over_iops_apart() {
    let five = |disk: &str| {
        let machine = format!("machine: {{ cores: 8, disk: {disk} }}");
        with(&at_once(5, READ), &format!("{machine}, memory_share: 0%, query: 1ms"))
    };
    all_take(&five("{ read: 3ms, iops: unlimited }").users().latency, 4.0);
    all_take(&five("{ read: 6ms, iops: unlimited }").users().latency, 7.0);
    let busy = five("{ read: 3ms, iops: 100 }");
    all_take(&busy.users().latency, 1.0 + 4.0 * 10.0 + 3.0);
    let utilization: f64 = busy.observed.disk_utilization.iter().sum();
    assert!((utilization - 99.0 * 5.0 * 0.01 / 10.0).abs() < 0.002, "{utilization}");
}

#[test]
fn a_group_commit_flushes_once_for_everyone_who_waits() {
    let writes = |number: usize, log: &str| {
        let keys = format!("machine: {{ cores: 8 }}, write_query: 1ms, log: {log}");
        with_many(&at_once(number, OTHER), &keys)
    };
    // The first finds the log free; the others wait for it, together or one after another.
    all_take(&writes(4, "{ flush: 5ms, group: true }").users().latency, 1.0 + 2.0 * 5.0);
    all_take(&writes(4, "5ms").users().latency, 1.0 + 2.0 * 5.0);
    all_take(&writes(4, "{ flush: 5ms, group: false }").users().latency, 1.0 + 4.0 * 5.0);
    all_take(&writes(2, "{ flush: 5ms, group: false }").users().latency, 1.0 + 2.0 * 5.0);
}

#[test]
fn a_flush_takes_an_operation_of_the_disk() {
    let machine = "machine: { cores: 8, disk: { iops: 100 } }";
    let trial = with_many(&at_once(2, OTHER), &format!("{machine}, write_query: 1ms, log: 5ms"));
    // The second flush starts 10 ms after the first.
    all_take(&trial.users().latency, 1.0 + 10.0 + 5.0);
}

#[test]
fn a_row_has_one_writer_at_a_time_until_its_flush_is_over() {
    let keys = "machine: { cores: 8 }, write_query: 1ms, log: 5ms";
    let same = with(&at_once(3, WRITE), keys);
    all_take(&same.users().latency, 3.0 * (1.0 + 5.0));
    // Readers do not wait for writers.
    let reading = with(&format!("{{ parallel: [ {WRITE}, {READ} ], wait_for: 1 }}"), keys);
    assert!(reading.users().latency.max_ns() < Some(2_000_000));
}

#[test]
fn a_lock_is_held_beyond_the_statements() {
    let keys = "machine: { cores: 8 }, write_query: 1ms, log: 5ms, lock: 10ms";
    all_take(&with(WRITE, keys).users().latency, 1.0 + 10.0 + 5.0);
    all_take(&with(&at_once(2, WRITE), keys).users().latency, 2.0 * 16.0);
    all_take(&with_many(&at_once(2, OTHER), keys).users().latency, 1.0 + 10.0 + 2.0 * 5.0);
}
