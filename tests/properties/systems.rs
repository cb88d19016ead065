//! Random small systems as scenarios: everything that can make a request wait, fail, be repeated,
//! be taken back or be lost, in combinations that nobody would write down.
//!
//! A system is always users -> (balancer ->) web -> api, cache, database; what each of them is
//! like, and which of them are used, is random. Most are too small for their load, on purpose.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use std::fmt::{Debug, Formatter};

/// The text of a scenario; printed as it is, so that a failing one can be saved and run.
#[derive(Clone)]
pub struct System(pub String);

impl Debug for System {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        write!(out, "the system\n{}", self.0)
    }
}

/// A fragment of a scenario.
type Text = BoxedStrategy<String>;

fn one_of(texts: &'static [&'static str]) -> Text {
    select(texts).prop_map(str::to_owned).boxed()
}

/// A span of time of at least `shortest_ms`, short ones as likely as long ones.
fn span_from(shortest_ms: u32, longest_ms: u32) -> Text {
    (f64::from(shortest_ms).ln()..f64::from(longest_ms).ln())
        .prop_map(|log| format!("{}us", (log.exp() * 1000.0) as u64))
        .boxed()
}

fn span(longest_ms: u32) -> Text {
    span_from(1, longest_ms)
}

/// A law of durations.
fn law(longest_ms: u32) -> Text {
    prop_oneof![
        span(longest_ms),
        span(longest_ms).prop_map(|mean| format!("{{ exponential: {mean} }}")),
        span(longest_ms).prop_map(|to| format!("{{ uniform: {{ from: 0us, to: {to} }} }}")),
    ]
    .boxed()
}

/// A key with a value, or nothing.
fn maybe(key: &'static str, likely: f64, value: Text) -> Text {
    option::weighted(likely, value)
        .prop_map(move |value| value.map_or_else(String::new, |value| format!("{key}: {value}, ")))
        .boxed()
}

fn retries() -> Text {
    let backoff = prop_oneof![
        span(50),
        law(20),
        span(20).prop_map(|base| {
            format!("{{ base: {base}, factor: 2x, cap: 100ms, jitter: full }}")
        }),
    ];
    let when = prop_oneof![
        Just("[timeout, error, refused, rejected, crashed]"),
        Just("[refused, rejected]"),
        Just("[timeout]"),
        Just("[error, crashed]"),
    ];
    (1..3_u32, backoff, when, any::<bool>())
        .prop_map(|(max, backoff, when, other)| {
            format!("{{ max: {max}, backoff: {backoff}, when: {when}, other_instance: {other} }}")
        })
        .boxed()
}

fn pool() -> Text {
    let wait = prop_oneof![1 => Just("none".to_owned()), 4 => span(100)];
    (1..4_u32, wait, one_of(&["unlimited", "0", "1", "3"]))
        .prop_map(|(size, wait, queue)| format!("{{ size: {size}, wait: {wait}, queue: {queue} }}"))
        .boxed()
}

const BALANCE: &[&str] = &[
    "round_robin",
    "weighted_round_robin",
    "random",
    "weighted_random",
    "least_connections",
    "weighted_least_connections",
    "least_response_time",
    "{ power_of_d: 2 }",
    "{ power_of_d: { d: 2, replace: false } }",
    "{ consistent_hash: user }",
];

/// What a caller does about its calls; a balancer chooses by a key of its own.
fn policy(chooses: bool) -> Text {
    let none = Just(String::new()).boxed();
    let balance = if chooses { maybe("balance", 0.5, one_of(BALANCE)) } else { none };
    let parts = (
        maybe("timeout", 0.5, span_from(5, 500)),
        one_of(&["", "cancel: true, "]),
        maybe("retries", 0.4, retries()),
        maybe("pool", 0.4, pool()),
        balance,
    );
    parts
        .prop_map(|(timeout, cancel, retries, pool, balance)| {
            format!("{{ {timeout}{cancel}{retries}{pool}{balance}}}")
        })
        .boxed()
}

fn machine() -> Text {
    (one_of(&["1", "1", "2", "4"]), one_of(&["1x", "1x", "0.5x", "3x"]))
        .prop_map(|(cores, speed)| {
            let disk = "{ read: 2ms, iops: 500 }";
            format!("{{ cores: {cores}, speed: {speed}, memory: 40kB, disk: {disk} }}")
        })
        .boxed()
}

/// Where one instance runs: on a machine of its own, or on the one that all may share.
fn place() -> Text {
    prop_oneof![
        2 => machine().prop_map(|machine| format!("machine: {machine}")),
        1 => Just("host: box".to_owned()),
    ]
    .boxed()
}

fn queue() -> Text {
    let places = one_of(&["1", "2", "5", "20", "unlimited"]);
    let order = one_of(&[
        "order: fifo, ",
        "order: lifo, ",
        "order: priority, ",
        "order: priority, preemptive: true, ",
    ]);
    prop_oneof![
        1 => Just("0".to_owned()),
        6 => (places, order, maybe("timeout", 0.4, law(200))).prop_map(|(places, order, timeout)| {
            format!("{{ limit: {places}, {order}{timeout}}}")
        }),
    ]
    .boxed()
}

/// One step of a handler that may call the components in `calls`.
fn step(calls: &'static [&'static str]) -> Text {
    let leaf = prop_oneof![
        4 => law(8).prop_map(|law| format!("{{ work: {law} }}")),
        1 => law(30).prop_map(|law| format!("{{ wait: {law} }}")),
        1 => (1..30_u32).prop_map(|percent| format!("{{ fail: {percent}% }}")),
        4 => (one_of(calls), one_of(&["1", "2", "0.7", "{ geometric: { mean: 2, from: 0 } }"]))
            .prop_map(|(call, times)| format!("{{ {call}, times: {times} }}")),
    ];
    leaf.prop_recursive(2, 12, 3, |inner| {
        let steps = proptest::collection::vec(inner, 1..4).prop_map(|steps| steps.join(", "));
        let steps = steps.boxed();
        let ways = proptest::collection::vec(steps.clone(), 2..4);
        prop_oneof![
            3 => (ways.clone(), 1..3_u32, any::<bool>()).prop_map(|(ways, wait_for, cancel)| {
                let ways = ways.join(" ], [ ");
                format!("{{ parallel: [[ {ways} ]], wait_for: {wait_for}, cancel: {cancel} }}")
            }),
            1 => (steps.clone(), 0..4_u32)
                .prop_map(|(steps, times)| format!("{{ repeat: [ {steps} ], times: {times} }}")),
            1 => (steps.clone(), steps.clone(), 1..99_u32).prop_map(|(do_, else_, percent)| {
                format!("{{ chance: {percent}%, do: [ {do_} ], else: [ {else_} ] }}")
            }),
            1 => ways.prop_map(|ways| {
                let way = |steps: &String| format!("{{ weight: 1, do: [ {steps} ] }}");
                format!("{{ choose: [ {} ] }}", ways.iter().map(way).collect::<Vec<_>>().join(", "))
            }),
        ]
    })
    .boxed()
}

fn steps(calls: &'static [&'static str]) -> Text {
    proptest::collection::vec(step(calls), 1..4)
        .prop_map(|steps| format!("[ {} ]", steps.join(", ")))
        .boxed()
}

/// How the instances of a service come and go, fast enough to do so in a few seconds.
fn autoscale(instances: u32) -> Text {
    let rule = one_of(&[
        "target: { utilization: 30% }, tolerance: 0%",
        "target: { queue_length: 1 }",
        "target: { rate_per_instance: 20/s }",
        "steps: [ { when: utilization > 50%, add: 2 }, { when: utilization < 40%, add: -1 } ]",
    ]);
    let parts = (rule, 0..4_u32, 20..300_u32, span(300), span(300), span(300), span(100));
    parts
        .prop_map(move |(rule, more, every, delay, cooldown, after, drain)| {
            let max = instances + more;
            format!(
                "drain: {drain}, autoscale: {{ min: 1, max: {max}, {rule}, every: {every}ms, \
                 metric_delay: {delay}, cooldown: {cooldown}, scale_in_after: {after} }}, "
            )
        })
        .boxed()
}

/// A service: `name`, how many instances, its handlers, and the text for its calls.
fn service(name: &'static str, instances: u32, handle: Text) -> Text {
    let place = if instances == 1 {
        place()
    } else {
        machine().prop_map(|m| format!("machine: {m}")).boxed()
    };
    let parts = (
        place,
        1..5_u32,
        one_of(&["false", "false", "true"]),
        queue(),
        handle,
        policy(true),
        policy(true),
        policy(false),
        maybe("startup", 0.3, span(300)),
        option::weighted(0.3, autoscale(instances)),
    );
    parts
        .prop_map(move |(place, workers, event_loop, queue, handle, api, db, cache, start, scale)| {
            // The one instance on a shared host stays alone.
            let scale = scale.filter(|_| !place.contains("host")).unwrap_or_default();
            // A policy without a call is refused as a mistake; whether items lead to the database
            // is for the cache to say.
            let used = |word: &str| handle.contains(word);
            let mut calls = String::new();
            if used("call: api") {
                calls += &format!("api: {api}, ");
            }
            if used("files") {
                calls += &format!("db: {db}, ");
            }
            if used("items") {
                calls += &format!("cache: {cache}, ");
            }
            format!(
                "  {name}: {{ kind: service, instances: {instances}, {place}, workers: {workers}, \
                 async: {event_loop}, queue: {queue}, {start}{scale}calls: {{ {calls}}},\n    \
                 handle: {handle} }}\n"
            )
        })
        .boxed()
}

fn web(instances: u32) -> Text {
    let calls = &["call: api", "read: items", "read: files", "write: items", "write: files"];
    let handle = (steps(calls), steps(calls), law(3)).prop_map(|(view, post, file)| {
        format!("{{ view: {view},\n      post: {post},\n      default: [ {{ work: {file} }} ] }}")
    });
    service("web", instances, handle.boxed())
}

fn api(instances: u32) -> Text {
    let handle = steps(&["read: items", "write: files", "read: files"]);
    service("api", instances, handle.prop_map(|steps| format!("{{ default: {steps} }}")).boxed())
}

fn balancer(instances: u32) -> Text {
    let check = (50..300_u32, 10..200_u32, 1..3_u32, 1..3_u32, one_of(&["tcp", "request"]));
    let check = check.prop_map(|(every, timeout, fall, rise, probe)| {
        format!(
            "{{ every: {every}ms, timeout: {timeout}ms, fall: {fall}, rise: {rise}, \
             probe: {probe} }}"
        )
    });
    let check = prop_oneof![1 => Just("none".to_owned()), 3 => check];
    let ejection = (1..4_u32, span(1000)).prop_map(|(failures, out)| {
        format!("{{ failures: {failures}, for: {out}, at_most: 50% }}")
    });
    let parts = (
        one_of(BALANCE),
        one_of(&["none", "none", "user"]),
        check,
        maybe("ejection", 0.4, ejection.boxed()),
        one_of(&["0s", "31us", "1ms"]),
        policy(false),
    );
    parts
        .prop_map(move |(balance, sticky, check, ejection, work, policy)| {
            format!(
                "  lb: {{ kind: load_balancer, instances: {instances}, to: web, \
                 balance: {balance}, sticky: {sticky}, health_check: {check}, {ejection}\
                 work: {work},\n    calls: {{ web: {policy} }} }}\n"
            )
        })
        .boxed()
}

fn data_components() -> Text {
    let cache = (
        place(),
        one_of(&["20", "5kB", "unlimited"]),
        maybe("ttl", 0.5, one_of(&["300ms", "{ of: 1s, jitter: 30%, sliding: true }"])),
        one_of(&["cold", "cold", "cold", "warm"]),
        (
            one_of(&["0s", "1ms"]),
            one_of(&["cache_aside", "read_through", "write_through", "write_behind"]),
            maybe("leases", 0.4, one_of(&["true", "{ hold: 20ms, wait: 3ms }"])),
            one_of(&["lru", "fifo", "lfu", "random", "s3_fifo"]),
            one_of(&["invalidate", "update"]),
        ),
    );
    let database = (
        place(),
        law(4),
        one_of(&["1", "3", "10", "20"]),
        one_of(&["refuse", "wait"]),
        (law(5), any::<bool>()),
    );
    (cache, database)
        .prop_map(|((place, capacity, ttl, start, cache), database)| {
            let (latency, strategy, leases, eviction, on_write) = cache;
            let (home, query, connections, full, (flush, group)) = database;
            format!(
                "  cache: {{ kind: cache, over: db, {place}, capacity: {capacity}, {ttl}\
                 start: {start}, latency: {latency}, strategy: {strategy}, {leases}\
                 eviction: {eviction}, on_write: {on_write} }}\n  \
                 db: {{ kind: database, {home}, query: {query}, connections: {connections}, \
                 when_full: {full}, log: {{ flush: {flush}, group: {group} }} }}\n"
            )
        })
        .boxed()
}

/// Crashes at a time and at random, with and without a word to the callers.
fn faults(web: u32) -> Text {
    let target = prop_oneof![
        3 => (1..=web).prop_map(|instance| format!("web.{instance}")),
        1 => one_of(&["web", "api", "cache", "db", "lb"]),
    ];
    let times = prop_oneof![
        (0..2500_u32, span(1500)).prop_map(|(at, lasts)| format!("at: {at}ms, for: {lasts}")),
        (0..2500_u32).prop_map(|at| format!("at: {at}ms")),
        (span(2000), span(500)).prop_map(|(up, down)| format!("mtbf: {up}, mttr: {down}")),
    ];
    let fault = (target, times, one_of(&["", "", ", silently: true"]));
    let fault = fault
        .prop_map(|(target, times, silently)| format!("{{ crash: {target}, {times}{silently} }}"));
    proptest::collection::vec(fault, 0..4)
        .prop_map(|faults| {
            let line = |(n, fault): (usize, &String)| format!("  fault_{n}: {fault}\n");
            faults.iter().enumerate().map(line).collect()
        })
        .boxed()
}

/// The load. What has no client timeout is observed for another minute, so it is light.
fn users() -> Text {
    let arrivals = one_of(&["poisson", "even", "{ batches: 4 }"]);
    let open = |rates: std::ops::Range<u32>| {
        (rates, arrivals.clone())
            .prop_map(|(rate, arrivals)| format!("rate: {rate}/s, arrivals: {arrivals}"))
    };
    let closed = (1..40_u32, span_from(20, 500))
        .prop_map(|(count, think)| format!("count: {count}, think: {{ exponential: {think} }}"));
    let hasty = (prop_oneof![3 => open(20..150), 1 => closed], span_from(20, 2000));
    let timeout = prop_oneof![
        4 => hasty,
        1 => (open(5..25), Just("none".to_owned())),
    ];
    let client = (one_of(&["", "cancel: true, "]), maybe("retries", 0.3, retries()));
    let operations = (0..4_u32, 1..4_u32, one_of(&["db", "cache", "", ""]), 1..10_u32);
    (timeout, client, operations)
        .prop_map(|((load, timeout), (cancel, retries), (loads, parallel, raw, priority))| {
            let loads = match loads {
                0 => String::new(),
                some => format!("loads: {{ file: {some} }}, parallel: {parallel}, "),
            };
            let raw = match raw.as_str() {
                "db" => "entry: db, reads: files",
                "cache" => "entry: cache",
                _ => "",
            };
            format!(
                "users:\n  {load}\n  client: {{ timeout: {timeout}, {cancel}{retries}}}\n  \
                 operations:\n    view: {{ weight: 3, {loads}priority: {priority} }}\n    \
                 post: {{ weight: 1 }}\n    raw: {{ weight: 1, {raw} }}\n    file: {{}}\n"
            )
            .replace(", arrivals", "\n  arrivals")
            .replace(", think", "\n  think")
        })
        .boxed()
}

/// Any system, with the seed of its run in it.
fn system() -> impl Strategy<Value = System> {
    let size = (1..4_u32, 1..3_u32, option::weighted(0.6, 1..3_u32));
    let system = size.prop_flat_map(|(web_count, api_count, lb_count)| {
        let entry = if lb_count.is_some() { "lb" } else { "web" };
        let lb = lb_count.map_or_else(|| Just(String::new()).boxed(), balancer);
        let parts = (users(), lb, web(web_count), api(api_count), data_components());
        let network = one_of(&[
            "none",
            "{ users: 2ms, within_zone: 200us, connect: 2 }",
            "{ users: { exponential: 10ms }, within_zone: { exponential: 1ms }, connect: 1 }",
        ]);
        (Just(entry), parts, faults(web_count), network, machine(), 1..1_000_000_u32)
    });
    system.prop_map(|(entry, (users, lb, web, api, data), faults, network, host, seed)| {
        let faults = if entry == "lb" { faults } else { faults.replace("crash: lb", "crash: web") };
        let faults = if faults.is_empty() { "  {}\n".to_owned() } else { faults };
        System(format!(
            "{users}entry: {entry}\ndata:\n  items: {{ items: 100, in: cache }}\n  \
             files: {{ items: 100, in: db }}\nhosts: {{ box: {host} }}\ncomponents:\n\
             {lb}{web}{api}{data}network: {network}\nfaults:\n{faults}\
             run: {{ duration: 3s, warmup: 500ms, window: 500ms, seed: {seed}, replications: 1 }}\n"
        ))
    })
}

/// Tries a property on random systems, always the same ones; what fails is made small and printed
/// as a scenario, which has its seed in it.
pub fn try_on(systems: u32, property: impl Fn(&System) -> Result<(), String>) {
    let config = Config { cases: systems, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let tried = runner.run(&system(), |system| property(&system).map_err(TestCaseError::fail));
    match tried {
        Ok(()) => {}
        Err(TestError::Fail(why, system)) => panic!("{why}\nin {system:?}"),
        Err(TestError::Abort(why)) => panic!("no systems: {why}"),
    }
}
