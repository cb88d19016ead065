//! Caches: what fits, what leaves, how long it stays, what is there at the start.

use super::bench::{Trial, run, said, same_times, share_is};

/// Evenly spaced requests that run the steps; a cache in front of a database.
fn with(rate: &str, duration: &str, data: &str, steps: &str, cache: &str) -> Trial {
    run(&format!(
        "\
users: {{ rate: {rate}, arrivals: even }}
entry: web
data: {data}
components:
  web: {{ kind: service, handle: {{ default: [ {steps} ] }} }}
  cache: {{ kind: cache, over: db, {cache} }}
  db: {{ kind: database, query: 1us, log: 1us }}
network: none
run: {{ duration: {duration}, warmup: 0s }}
"
    ))
}

const READ: &str = "{ read: items }";
const ONE: &str = "{ items: { items: 1, in: cache } }";

/// Reads of one item, 100 ms apart and 99 of them.
fn one_item(steps: &str, cache: &str) -> Trial {
    with("10/s", "10s", ONE, steps, &format!("work: 1us, start: cold, capacity: 10, {cache}"))
}

#[test]
fn a_miss_reads_behind_the_cache_and_fills_it() {
    let trial = run("\
users: { rate: 10/s, arrivals: even }
entry: web
data: { items: { items: 1, in: cache } }
components:
  web: { kind: service, handle: { default: [ { read: items } ] } }
  cache: { kind: cache, over: db, capacity: 1, start: cold, work: 1ms, latency: 2ms }
  db: { kind: database, query: 5ms }
network: none
run: { duration: 10s, warmup: 0s }
");
    let mut expected = vec![3.0; 99];
    expected[0] = 3.0 + 5.0 + 3.0;
    let took: Vec<f64> = trial.stories().iter().take(99).map(|story| story.took_ms).collect();
    same_times(&took, &expected);
    assert_eq!(trial.all_hits("cache"), (98, 99));
    assert_eq!((trial.row("cache").arrived, trial.row("db").arrived), (100, 1));
    // Only `work` takes a core.
    assert!((trial.component("cache").busy_ns - 100e6).abs() < 1e3);
}

#[test]
fn without_a_component_behind_a_miss_just_fills() {
    let trial = run("\
users: { rate: 10/s, arrivals: even }
entry: web
data: { items: { items: 1, in: cache } }
components:
  web: { kind: service, handle: { default: [ { read: items } ] } }
  cache: { kind: cache, capacity: 1, start: cold, work: 1ms }
network: none
run: { duration: 10s, warmup: 0s }
");
    assert_eq!(trial.all_hits("cache"), (98, 99));
    assert_eq!(trial.row("cache").arrived, 99);
}

/// Hits and lookups at 100 equally popular items after the cache has filled.
fn hits_of_a_hundred(size: &str, capacity: &str) -> (u64, u64) {
    let data = format!("{{ items: {{ items: 100, size: {size}, in: cache }} }}");
    let cache = format!("work: 1us, start: cold, capacity: {capacity}");
    let trial = with("1K/s", "6s", &data, READ, &cache);
    let (hits, lookups) = trial.hits("cache");
    (hits[2..].iter().sum(), lookups[2..].iter().sum())
}

#[test]
fn as_many_items_fit_as_the_capacity_says() {
    for (size, capacity, share) in [
        ("1kB", "25", 0.25),
        ("9kB", "60", 0.6),
        ("1kB", "25kB", 0.25),
        ("2kB", "25kB", 0.12),
        ("1kB", "60kB", 0.6),
    ] {
        let (hits, lookups) = hits_of_a_hundred(size, capacity);
        share_is(hits, lookups, share);
    }
    for all in ["unlimited", "100", "100kB"] {
        let (hits, lookups) = hits_of_a_hundred("1kB", all);
        assert_eq!(hits, lookups);
    }
}

/// Reads of the items `a`, `b`, `c` in this order, once, with room for two.
fn sequence(reads: &str, eviction: &str) -> Trial {
    let data = "{ a: { items: 1, in: cache }, b: { items: 1, in: cache }, \
                c: { items: 1, in: cache } }";
    let steps: Vec<String> = reads.chars().map(|name| format!("{{ read: {name} }}")).collect();
    let cache = format!("capacity: 2, start: cold, work: 1us, {eviction}");
    with("1/s", "1500ms", data, &steps.join(", "), &cache)
}

#[test]
fn who_leaves_is_the_oldest_the_least_used_or_the_one_used_longest_ago() {
    let hits = |reads: &str, eviction: &str| {
        sequence(reads, &format!("eviction: {eviction}")).all_hits("cache").0
    };
    // A hit keeps `a` from leaving as the least recent; as the first to come it leaves.
    let by_order = ["lru", "fifo", "lfu"].map(|eviction| hits("abacab", eviction));
    assert_eq!(by_order, [2, 1, 2]);
    // `a` was used most, long ago.
    let by_use = ["lru", "fifo", "lfu", "s3_fifo"].map(|eviction| hits("aaabca", eviction));
    assert_eq!(by_use, [2, 2, 3, 3]);
    // Round and round, the next to come is always the one that has just left, unless by chance.
    let round = "abc".repeat(30);
    assert_eq!((hits(&round, "lru"), hits(&round, "fifo")), (0, 0));
    assert!((10..80).contains(&hits(&round, "random")));
}

#[test]
fn the_item_used_longest_ago_leaves_first() {
    let trial = sequence("abacab", "ttl: none");
    assert_eq!(trial.all_hits("cache"), (2, 6));
    let (a, b, c) = (0, 1, 2);
    let missed: Vec<usize> = trial.accesses("db").iter().take(4).map(|one| one.data).collect();
    assert_eq!(missed, [a, b, c, b]);
}

#[test]
fn an_item_is_gone_after_its_time_to_live() {
    // Filled at 0, there at 100 and 200 ms, gone at 300 ms.
    assert_eq!(one_item(READ, "ttl: 250ms").all_hits("cache"), (66, 99));
    assert_eq!(one_item(READ, "ttl: 50ms").all_hits("cache"), (0, 99));
    assert_eq!(one_item(READ, "ttl: none").all_hits("cache"), (98, 99));
}

#[test]
fn a_use_begins_a_sliding_time_to_live_anew() {
    let hits = |ttl: &str| one_item(READ, &format!("ttl: {ttl}")).all_hits("cache").0;
    assert_eq!(hits("{ of: 250ms, sliding: true }"), 98);
    assert_eq!(hits("{ of: 250ms, sliding: false }"), 66);
    assert_eq!(hits("{ of: 50ms, sliding: true }"), 0);
}

#[test]
fn jitter_shortens_times_to_live() {
    let cache = "work: 1us, start: cold, capacity: 10, ttl: { of: 25ms, jitter: 100% }";
    let trial = with("100/s", "100s", ONE, READ, cache);
    let (hits, lookups) = trial.all_hits("cache");
    // Uniform over 0 to 25 ms: a cycle is 1, 2 or 3 gaps of 10 ms long.
    let lengths = [(1.0, 0.4), (2.0, 0.4), (3.0, 0.2)];
    let mean: f64 = lengths.iter().map(|(length, p)| length * p).sum();
    let square: f64 = lengths.iter().map(|(length, p)| length * length * p).sum();
    let n = lookups as f64;
    let error = (n * (square - mean * mean) / mean.powi(3)).sqrt();
    let misses = (lookups - hits) as f64;
    assert!((misses - n / mean).abs() < 4.5 * error, "{misses} misses of {n}");
}

#[test]
fn a_warm_cache_hits_from_the_start_and_a_cold_one_learns() {
    let data = "{ items: { items: 100, in: cache } }";
    let first_second = |start: &str| {
        let trial = with("100/s", "2s", data, READ, &format!("capacity: 100, work: 1us, {start}"));
        let (hits, lookups) = trial.hits("cache");
        (hits[0], lookups[0])
    };
    assert_eq!(first_second("start: warm"), (99, 99));
    assert_eq!(first_second("ttl: none"), (99, 99));
    let (hits, lookups) = first_second("start: cold");
    // 99 throws at 100 items meet 100 (1 - 0.99^99) of them, with a deviation of 3.1.
    let misses = 100.0 * (1.0 - 0.99_f64.powi(99));
    assert_eq!(lookups, 99);
    assert!((hits as f64 - (99.0 - misses)).abs() < 4.5 * 3.1, "{hits}");
}

#[test]
fn a_read_after_a_write_misses() {
    let steps = format!("{READ}, {{ write: items }}, {READ}");
    for cache in ["on_write: invalidate", "ttl: none"] {
        let trial = one_item(&steps, cache);
        // The second read of each request, and the very first.
        assert_eq!(trial.all_hits("cache"), (98, 198));
        assert_eq!(trial.row("db").arrived, 99 + 100);
    }
}

#[test]
fn a_measured_hit_ratio_is_drawn_for_each_read() {
    let data = "{ items: { items: 1M, in: cache } }";
    let text = |cache: &str| {
        let trial = with("1K/s", "20s", data, READ, &format!("work: 1us, {cache}"));
        let (hits, lookups) = trial.all_hits("cache");
        assert_eq!(trial.row("db").arrived, lookups - hits);
        share_is(hits, lookups, 0.7);
    };
    text("hit_ratio: 70%");
    text("hit_ratio: 70%, strategy: read_through");
}

/// What is said of a cache that is written so.
fn said_of(cache: &str) -> Vec<String> {
    said(&format!(
        "\
users: {{ rate: 10/s }}
entry: web
data: {{ items: {{ items: 100, in: cache }} }}
components:
  web: {{ kind: service, handle: {{ default: [ {{ read: items }} ] }} }}
  cache: {{ kind: cache, {cache} }}
  db: {{ kind: database }}
"
    ))
}

#[test]
fn what_has_no_effect_is_an_error() {
    assert!(said_of("over: db, capacity: 10").is_empty());
    for (cache, message) in [
        ("over: db", "E0504 a cache has either"),
        ("over: db, capacity: 10, hit_ratio: 90%", "E0504 a cache has either"),
        ("over: db, hit_ratio: 90%", "W0508 a measured hit ratio"),
        ("over: db, hit_ratio: 90%, ttl: 1s", "E0504 `ttl` has no effect"),
        ("over: db, hit_ratio: 90%, start: cold", "E0504 `start` has no effect"),
        ("capacity: 10, strategy: read_through", "E0504 a cache over nothing"),
        ("over: db, capacity: 10, write_behind: 1s", "E0504 nothing is written behind"),
        (
            "over: db, capacity: 10, strategy: write_behind, write_behind: 0s",
            "E0504 there is a time between",
        ),
        (
            "over: db, capacity: 10, strategy: write_behind, write_behind: { batch: 0 }",
            "E0203 `batch` lies between 1 and 10,000",
        ),
        (
            "over: db, capacity: 10, strategy: write_through, on_write: nothing",
            "E0504 this strategy puts",
        ),
        ("over: db, capacity: 10, leases: { wait: 0s }", "E0504 a lease holds for a time"),
        (
            "over: db, capacity: 10, balance: { consistent_hash: { virtual_nodes: 0 } }",
            "E0203 `virtual_nodes` lies between 1 and 100,000",
        ),
    ] {
        let said = said_of(cache);
        assert!(said.iter().any(|one| one.starts_with(message)), "{cache}: {said:?}");
    }
}

#[test]
fn who_cannot_ask_behind_a_cache_is_told() {
    let system = |users: &str, calls: &str| {
        said(&format!(
            "\
users: {{ rate: 10/s{users} }}
entry: {}
data: {{ items: {{ items: 100, in: cache }} }}
components:
  web:
    kind: service
    handle: {{ default: [ {{ read: items }} ] }}
    calls: {{ {calls} }}
  cache: {{ kind: cache, over: db, capacity: 10 }}
  db: {{ kind: database }}
",
            if users.is_empty() { "web" } else { "cache" }
        ))
    };
    for (users, calls, message) in [
        (", operations: { get: { reads: items } }", "", "E0504 users do not ask behind"),
        (", operations: { put: { writes: items } }", "", "E0504 users do not ask behind"),
        ("", "cache: { balance: random }", "E0504 a cache says itself which node"),
        ("", "db: { fallback: over }", "E0504 `fallback: over` is what a service does"),
    ] {
        let said = system(users, calls);
        assert!(said.iter().any(|one| one.starts_with(message)), "{users}{calls}: {said:?}");
    }
    assert!(system("", "cache: { fallback: over }").is_empty());
}

#[test]
fn a_preset_says_how_fast_an_engine_is_and_on_how_many_cores() {
    for (preset, work_ns, cores) in [
        ("preset: redis", 10_000.0, 1.0),
        ("ttl: none", 10_000.0, 1.0),
        ("preset: memcached", 8_000.0, 4.0),
        ("preset: memcached, work: 1us", 1_000.0, 4.0),
    ] {
        let cache = format!("start: cold, capacity: 10, {preset}");
        let trial = with("10/s", "10s", ONE, READ, &cache);
        let busy = trial.component("cache").busy_ns;
        // 99 lookups and a fill.
        assert!((busy - 100.0 * work_ns).abs() < 1e3, "{preset}: {busy}");
        let number = 2;
        assert_eq!(trial.experiment.plan.topology.components[number].cores, cores);
    }
}
