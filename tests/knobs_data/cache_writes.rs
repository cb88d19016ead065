//! Caches: who asks and writes behind them, when, and what becomes of the copy.

use super::bench::{Trial, run, same_times};

/// Evenly spaced requests that run the steps on one item: a cache operation takes 1 ms, a read
/// behind it 5 ms, a write there 8 ms.
fn one_item(steps: &str, cache: &str) -> Trial {
    let contents = if cache.contains("hit_ratio") { "" } else { "capacity: 10, start: cold," };
    run(&format!(
        "\
users: {{ rate: 10/s, arrivals: even }}
entry: web
data: {{ items: {{ items: 1, in: cache }} }}
components:
  web: {{ kind: service, workers: 100, handle: {{ default: [ {steps} ] }} }}
  cache: {{ kind: cache, over: db, {contents} work: 1ms, {cache} }}
  db: {{ kind: database, query: 5ms, log: 3ms }}
network: none
run: {{ duration: 10s, warmup: 0s }}
"
    ))
}

const READ: &str = "{ read: items }";
const WRITE: &str = "{ write: items }";

fn times(trial: &Trial) -> Vec<f64> {
    trial.stories().iter().take(99).map(|story| story.took_ms).collect()
}

#[test]
fn a_cache_that_asks_itself_needs_no_fill() {
    let strategies = ["read_through", "write_through", "write_around", "write_behind"];
    for strategy in strategies {
        let trial = one_item(READ, &format!("strategy: {strategy}"));
        let mut expected = vec![1.0; 99];
        expected[0] = 1.0 + 5.0;
        same_times(&times(&trial), &expected);
        assert_eq!(trial.all_hits("cache"), (98, 99));
        assert_eq!((trial.row("cache").arrived, trial.row("db").arrived), (99, 1));
        assert_eq!(trial.link("cache", "db").first_tries, 1);
    }
    let aside = one_item(READ, "strategy: cache_aside");
    assert_eq!(aside.link("web", "db").first_tries, 1);
}

#[test]
fn a_write_goes_past_the_cache_through_it_or_stays_in_it() {
    for (strategy, took, at_cache) in [
        // The write behind it, and the word to the cache.
        ("cache_aside", 9.0, 99),
        ("write_around", 9.0, 99),
        ("read_through", 9.0, 99),
        ("write_through", 9.0, 99),
        ("write_behind", 1.0, 99),
    ] {
        let trial = one_item(WRITE, &format!("strategy: {strategy}"));
        same_times(&times(&trial), &[took; 99]);
        assert_eq!(trial.row("cache").arrived, at_cache);
        let past = matches!(strategy, "cache_aside" | "write_around");
        let caller = if past { "web" } else { "cache" };
        let written = trial.link(caller, "db").first_tries;
        // Kept back, the writes of a second become one.
        let expected = if strategy == "write_behind" { 9..=10 } else { 99..=99 };
        assert!(expected.contains(&written), "{strategy}: {written}");
    }
}

#[test]
fn after_a_write_the_copy_is_gone_new_or_old() {
    let steps = format!("{READ}, {WRITE}, {READ}");
    // Reads before and after the write of each request; the first of all misses.
    for (cache, hits, stale) in [
        ("on_write: invalidate", 98, 0),
        ("on_write: update", 197, 0),
        ("on_write: nothing", 197, 197),
        ("on_write: nothing, ttl: 50ms", 99, 99),
        ("strategy: read_through", 98, 0),
        ("strategy: read_through, on_write: update", 197, 0),
        ("strategy: read_through, on_write: nothing", 197, 197),
        ("strategy: write_around", 98, 0),
        ("strategy: write_around, on_write: nothing", 197, 197),
        ("strategy: write_through", 197, 0),
        ("strategy: write_behind", 197, 0),
        ("hit_ratio: 100%", 198, 0),
    ] {
        let trial = one_item(&steps, cache);
        assert_eq!(trial.all_hits("cache"), (hits, 198), "{cache}");
        assert_eq!(trial.ratio("cache", "stale_reads"), (stale, 198), "{cache}");
    }
}

#[test]
fn a_user_hears_of_a_stale_read() {
    let steps = format!("{READ}, {WRITE}, {READ}");
    let trial = one_item(&steps, "on_write: nothing");
    assert_eq!(trial.users().stale, trial.users().answered);
    assert_eq!(one_item(&steps, "on_write: update").users().stale, 0);
}

/// Reads a millisecond apart of one item that takes 100 ms to fetch.
fn stampede(cache: &str) -> Trial {
    run(&format!(
        "\
users: {{ rate: 1000/s, arrivals: even }}
entry: web
data: {{ items: {{ items: 1, in: cache }} }}
components:
  web: {{ kind: service, workers: unlimited, handle: {{ default: [ {READ} ] }} }}
  cache: {{ kind: cache, over: db, capacity: 10, start: cold, work: 0s, {cache} }}
  db:
    kind: service
    workers: unlimited
    machine: {{ cores: unlimited }}
    handle: {{ default: [ wait: 100ms ] }}
network: none
run: {{ duration: 1s, warmup: 0s }}
"
    ))
}

#[test]
fn with_leases_one_fetches_and_the_others_wait() {
    for (cache, fetches) in [
        ("leases: false", 100..=101),
        ("leases: true", 1..=1),
        ("leases: { hold: 10s, wait: 7ms }", 1..=1),
        // Every 30 ms another lease; the first fill after its own end is refused, the last counts.
        ("leases: { hold: 30ms, wait: 7ms }", 20..=40),
        ("leases: false, strategy: read_through", 100..=101),
        ("leases: true, strategy: read_through", 1..=1),
    ] {
        let trial = stampede(cache);
        let found = trial.row("db").arrived;
        assert!(fetches.contains(&found), "{cache}: {found}");
    }
}

#[test]
fn whoever_waits_for_a_lease_looks_again_after_a_time() {
    let longest = |cache: &str| {
        let stories = stampede(cache).stories();
        stories.iter().map(|story| story.took_ms).fold(0.0, f64::max)
    };
    // The second reader comes 1 ms after the first and finds the copy at 140, 120 or 100 ms.
    for (cache, ms) in [
        ("leases: { wait: 70ms }", 140.0),
        ("leases: { wait: 60ms }", 120.0),
        ("leases: { wait: 10ms }", 100.0),
        // A cache that asks itself tells those who wait.
        ("leases: { wait: 70ms }, strategy: read_through", 100.0),
    ] {
        let found = longest(cache);
        assert!((found - ms).abs() < 1.001, "{cache}: {found}");
    }
}

/// Whoever has given up while waiting for a lease must not be given one: nobody would fill, and
/// all others would wait until it counts no more.
#[test]
fn a_caller_who_has_gone_gets_no_lease() {
    let trial = run(&format!(
        "\
users: {{ rate: 200/s }}
entry: web
data: {{ items: {{ items: 1, in: cache }} }}
components:
  web:
    kind: service
    machine: {{ cores: unlimited }}
    workers: unlimited
    calls: {{ cache: {{ timeout: 30ms, fallback: over }} }}
    handle: {{ default: [ {{ chance: 0.25%, do: [ {WRITE} ], else: [ {READ} ] }} ] }}
  cache:
    kind: cache
    over: db
    capacity: 10
    start: cold
    work: 0s
    ttl: 200ms
    leases: {{ hold: 10s, wait: 20ms }}
  db:
    kind: service
    machine: {{ cores: unlimited }}
    workers: unlimited
    handle: {{ default: [ wait: 35ms ] }}
network: none
run: {{ duration: 600s, warmup: 0s }}
"
    ));
    // Four fetches a second, each with the three readers of its first 15 ms, who look in vain after
    // 20 ms and give up at 30; and 0.5 writes a second, of which some come upon a fetch.
    let behind = trial.row("db").arrived;
    assert!(behind < 600 * 20, "{behind}");
}

/// A read that fetches an item slowly, and a write from next door that overtakes its fill.
fn overtaken(cache: &str) -> Trial {
    run(&format!(
        "\
users: {{ rate: 1/s, arrivals: even }}
entry: web
data: {{ items: {{ items: 1, in: cache }} }}
hosts: {{ box: {{ cores: 4 }} }}
components:
  web:
    kind: service
    handle: {{ default: [ {{ parallel: [ {READ}, [ {{ wait: 50ms }}, {{ call: writer }} ] ] }} ] }}
  writer: {{ kind: service, host: box, handle: {{ default: [ {WRITE} ] }} }}
  cache: {{ kind: cache, host: box, over: db, capacity: 10, start: cold, work: 1us, {cache} }}
  db: {{ kind: database, host: box, query: 1us, log: 1us }}
network: {{ within_host: 0ms, within_zone: 40ms, users: 0ms }}
run: {{ duration: 10s, warmup: 0s }}
"
    ))
}

#[test]
fn a_fill_overtaken_by_a_write_is_stale_unless_leases_refuse_it() {
    // The read is at the database 60 ms, the write 70 ms, the fill at the cache 100 ms after each
    // arrival. Every second request finds what the one before has filled in.
    let plain = overtaken("leases: false");
    assert_eq!(plain.ratio("cache", "stale_reads"), (4, 9));
    let leased = overtaken("leases: true");
    assert_eq!(leased.ratio("cache", "stale_reads"), (0, 9));
    assert_eq!(leased.all_hits("cache"), (0, 9));
}

/// A hundred writes a second to a thousand items, kept back.
fn behind(behind: &str, faults: &str) -> Trial {
    run(&format!(
        "\
users: {{ rate: 100/s, arrivals: even }}
entry: web
data: {{ items: {{ items: 1M, in: cache }} }}
components:
  web: {{ kind: service, workers: 100, handle: {{ default: [ {WRITE} ] }} }}
  cache:
    kind: cache
    over: db
    capacity: unlimited
    start: cold
    work: 0s
    strategy: write_behind
    write_behind: {behind}
  db: {{ kind: database, query: 10us, log: 1us }}
network: none
run: {{ duration: 10s, warmup: 0s }}
{faults}"
    ))
}

#[test]
fn what_is_kept_back_is_flushed_in_time() {
    for (text, flushes) in [("{ flush: 1s }", 10), ("1s", 10), ("{ flush: 500ms }", 20)] {
        let trial = behind(text, "");
        let sent = trial.sent_to("db");
        // All but those of the last, unfinished period.
        assert!((890..=1000).contains(&sent.len()), "{text}: {} calls", sent.len());
        let mut times: Vec<i64> = sent.iter().map(|one| (one.0 * 1e6) as i64).collect();
        times.dedup();
        assert!((flushes - 1..=flushes).contains(&times.len()), "{text}: {times:?}");
        assert_eq!(trial.counted("cache", "lost_writes"), 0);
    }
}

#[test]
fn so_many_writes_are_on_their_way_at_once() {
    for (most, at_once) in [(5, 5), (1, 1)] {
        let trial = behind(&format!("{{ flush: 1s, batch: {most} }}"), "");
        assert_eq!(trial.component("db").present.max(), at_once);
        // A flush goes on until everything is sent.
        assert!((890..=1000).contains(&trial.sent_to("db").len()));
    }
}

#[test]
fn a_crash_loses_exactly_what_was_not_flushed() {
    let trial = behind("1s", "faults: { dies: { at: 5005ms, for: 1s, crash: cache } }");
    let sent = trial.sent_to("db");
    let last = sent.iter().map(|one| one.0).filter(|&at| at < 5005.0).fold(0.0, f64::max);
    let stories = trial.stories();
    let kept = |at_ms: f64| last < at_ms && at_ms < 5005.0;
    let lost = stories.iter().filter(|story| story.failure.is_none() && kept(story.at_ms));
    let lost = lost.count() as u64;
    assert!(lost > 0);
    assert_eq!(trial.counted("cache", "lost_writes"), lost);
}
