//! Comparisons: what pairing is worth, and that a gate fails on regressions and on nothing else.

use simscale::experiment::compare::{Comparison, Effect, Kinship, Side, combination, compare};
use simscale::experiment::contest::{Contender, contest};
use simscale::experiment::gate::Gate;
use simscale::experiment::verdict::Verdict;
use simscale::experiment::{Control, Experiment, prepare};
use simscale::language::{RenderOptions, render};
use simscale::scenario::file::{Request, load};
use simscale::scenario::layers::Setting;

/// A queue at half load: 10 ms of work, 20 ms mean sojourn.
const QUEUE: &str = "
users: { rate: 50/s, client: { timeout: none } }
entry: server
components:
  server:
    kind: service
    machine: { cores: 1 }
    workers: 1
    queue: unlimited
    work: { exponential: 10ms }
network: none
run: { duration: 100s, warmup: 10s, replications: 8 }
";

fn experiment(text: &str, settings: &[&str]) -> Experiment {
    let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    let settings = Setting::numbered(&settings);
    let request = Request { path: "queue.yaml", settings: &settings, point: None };
    let mut loaded = load(request, &mut |_| Ok(text.into()));
    let experiment = prepare(&mut loaded, "queue.yaml").pop();
    experiment.unwrap_or_else(|| {
        panic!("{}", render(&loaded.sources, &loaded.diagnostics, RenderOptions::default()))
    })
}

fn run(label: &str, text: &str, settings: &[&str]) -> Contender {
    Contender::Run { label: label.to_owned(), experiment: experiment(text, settings).into() }
}

fn gates(texts: &[&str]) -> Vec<Gate> {
    texts.iter().map(|text| Gate::parse(text).expect("the gate is one")).collect()
}

fn of(contenders: [Contender; 2], texts: &[&str]) -> Comparison {
    let outcome = contest(&contenders, &gates(texts), Control::default());
    outcome.unwrap_or_else(|error| panic!("{error}")).comparison
}

#[test]
fn a_gate_passes_what_is_the_same_for_twenty_seeds() {
    for seed in 1..=20 {
        let seed = format!("run.seed={seed}");
        let sides = [run("a", QUEUE, &[&seed]), run("b", QUEUE, &[&seed])];
        let comparison = of(sides, &["p99 +5%", "answered.mean +1%", "goodput -1%"]);
        assert_eq!(comparison.verdict(), Verdict::Holds, "{seed}");
        let changes = &comparison.others[0].changes;
        assert!(changes.iter().all(|one| one.effect == Effect::Equal), "{changes:?}");
    }
}

/// The other seed is not paired, so equal systems differ by noise: no gate may call that proven.
/// The gate is wide enough (20 %, a dozen standard errors) to be settled every time.
#[test]
fn a_gate_passes_another_seed_of_the_same() {
    for seed in 2..=21 {
        let seed = format!("run.seed={seed}");
        let sides = [run("a", QUEUE, &[]), run("b", QUEUE, &[&seed])];
        let comparison = of(sides, &["answered.mean +20%"]);
        assert_eq!(comparison.others[0].kinship, Kinship::Apart);
        assert_eq!(comparison.verdict(), Verdict::Holds, "{seed}");
    }
}

/// Work of 10.5263 ms instead of 10 ms: the mean of M/M/1, 1 / (mu - lambda), is 22.2 ms instead of
/// 20 ms, and so is every quantile 11.1 % longer.
#[test]
fn a_gate_fails_on_a_regression_of_a_tenth_for_twenty_seeds() {
    let slower = "components.server.work={ exponential: 10526.3us }";
    for seed in 1..=20 {
        let seed = format!("run.seed={seed}");
        let sides = [run("a", QUEUE, &[&seed]), run("b", QUEUE, &[&seed, slower])];
        let comparison = of(sides, &["answered.mean +5%", "p99 +5%"]);
        let verdicts = comparison.others[0].gates.iter().map(|gate| gate.verdict);
        assert_eq!(verdicts.collect::<Vec<_>>(), [Verdict::Fails; 2], "{seed}");
    }
}

#[test]
fn what_lies_at_the_limit_is_undecided_after_four_times_the_replications() {
    let slower = "components.server.work={ exponential: 10526.3us }";
    let few = ["run.replications=2", "run.duration=20s"];
    let sides = [run("a", QUEUE, &few), run("b", QUEUE, &[few[0], few[1], slower])];
    let comparison = of(sides, &["answered.mean +11.1%"]);
    assert_eq!(comparison.verdict(), Verdict::Undecided);
    assert_eq!((comparison.base.replications, comparison.others[0].side.replications), (8, 8));
}

#[test]
fn limits_are_absolute_or_relative_and_the_sign_says_which_way_is_worse() {
    let busier = "users.rate=60/s";
    let sides = || [run("a", QUEUE, &[]), run("b", QUEUE, &[busier])];
    // 25 ms instead of 20 ms, 60 requests a second instead of 50, 60 % busy instead of 50 %, and
    // 0.9 requests waiting instead of 0.5.
    let cases = [
        ("answered.mean +3ms", Verdict::Fails),
        ("answered.mean +8ms", Verdict::Holds),
        ("goodput -1/s", Verdict::Holds),
        ("goodput +5/s", Verdict::Fails),
        ("goodput +15/s", Verdict::Holds),
        ("answered.mean +150%", Verdict::Holds),
        ("server.utilization +5pp", Verdict::Fails),
        ("server.utilization +15pp", Verdict::Holds),
        ("server.utilization +5%", Verdict::Fails),
        ("server.utilization +25%", Verdict::Holds),
        ("error_rate +0.1pp", Verdict::Holds),
        ("server.queue.mean +0.2", Verdict::Fails),
        ("server.queue.mean +0.8", Verdict::Holds),
    ];
    let comparison = of(sides(), &cases.map(|(gate, _)| gate));
    for (gate, (text, expected)) in comparison.others[0].gates.iter().zip(cases) {
        assert_eq!(gate.verdict, expected, "{text}: {gate:?}");
    }
    let says = |text: &str| {
        let outcome = contest(&sides(), &gates(&[text]), Control::default());
        outcome.expect_err("it is about nothing").to_string()
    };
    assert_eq!(says("p98 +5%"), "`a` has no figure `p98`\n  help: did you mean `p95`?");
    assert!(says("answered.mean +5/s").contains("write it like 20ms"));
    for text in ["p99", "p99 5%", "p99 +", "p99 +much", "+5%", "p99 +nan%"] {
        assert!(Gate::parse(text).is_err(), "{text}");
    }
}

/// Half the width of the interval of a difference, paired and not, of two runs on the same seed.
fn widths(sides: &[Side; 2], figure: &str) -> [f64; 2] {
    let [before, after] = [0, 1].map(|side| sides[side].figure(figure).expect("both have it"));
    [Kinship::Paired, Kinship::Apart].map(|kinship| {
        let difference = combination((after, 1.0), (before, 1.0), 0.0, kinship);
        difference.half_width().expect("there are replications")
    })
}

fn sides(text: &str, settings: [&[&str]; 2]) -> [Side; 2] {
    settings.map(|settings| {
        let outcome = experiment(text, settings).run(Control::default());
        Side::of("run", &outcome.unwrap_or_else(|error| panic!("{error}")).summary)
    })
}

/// A balancer before web servers that read from replicas through a cache, in the proportions of the
/// ladder's stages; small enough for 16 replications in a test.
const SMALL: &str = "
users:
  rate: 400/s
  client: { timeout: none }
  operations: { view: { weight: 95, reads: rows }, post: { weight: 5, writes: rows } }
data: { rows: { items: 20K, popularity: { zipf: 0.99 }, in: HOME } }
entry: lb
components:
  lb: { kind: load_balancer, to: web, balance: least_connections, machine: { cores: unlimited } }
  web:
    kind: service
    instances: 4
    machine: { cores: 4 }
    workers: 40
    queue: unlimited
    handle:
      view: [ { work: { lognormal: { mean: 20ms, p99: 93ms } } }, { read: rows, times: 2.4 } ]
      post: [ { work: { lognormal: { mean: 20ms, p99: 93ms } } }, { write: rows } ]
  db:
    kind: database
    machine: { cores: 2, disk: { read: 1ms, iops: 3000 } }
    query: { lognormal: { mean: 0.5ms, sigma: 0.8 } }
    connections: unlimited
    replicas: 2
    replication: { mode: async, delay: { exponential: 10ms }, apply: 0.2ms }
    reads_from: replicas
MORE
run: { duration: 60s, warmup: 10s, replications: 16 }
";

/// What one change makes of it, and how much narrower pairing must make the interval.
#[test]
fn pairing_makes_differences_visible() {
    let direct = SMALL.replace("HOME", "db").replace("MORE", "");
    let cache = "  cache: { kind: cache, over: db, capacity: 4K, ttl: 20s, start: cold }";
    let cached = SMALL.replace("HOME", "cache").replace("MORE", cache);
    let cases: [(&str, &str, &str); 3] = [
        ("one more web server", &direct, "components.web.instances=5"),
        ("one more replica", &direct, "components.db.replicas=3"),
        ("10 % more ttl", &cached, "components.cache.ttl=22s"),
    ];
    for (what, text, change) in cases {
        let sides = sides(text, [&[], &[change]]);
        for (figure, narrower) in [("answered.mean", 5.0), ("goodput", 5.0), ("p99", 2.0)] {
            let [paired, unpaired] = widths(&sides, figure);
            println!("{what}, {figure}: ±{paired:.4} paired, ±{unpaired:.4} unpaired");
            assert!(unpaired >= narrower * paired, "{what}, {figure}: {paired}, not {unpaired}");
        }
    }
}

/// A server that turns away what finds twenty waiting: under overload a large part, so that the
/// quantiles are infinite.
const FULL: &str = "
users: { rate: 50/s, client: { timeout: none } }
entry: server
components:
  server:
    kind: service
    machine: { cores: 1 }
    workers: 1
    queue: 20
    work: { exponential: 10ms }
network: none
run: { duration: 20s, warmup: 2s, replications: 8 }
";

#[test]
fn what_is_infinite_is_proven_by_enough_replications_and_never_by_being_so_in_both() {
    let verdict = |settings: [&[&str]; 2]| {
        let [base, other] = settings.map(|settings| run("one", FULL, settings));
        of([base, other], &["p99 +5%"]).verdict()
    };
    let (over, more) = (["users.rate=150/s"], ["users.rate=200/s"]);
    assert_eq!(verdict([&[], &over]), Verdict::Fails);
    assert_eq!(verdict([&over, &[]]), Verdict::Holds);
    assert_eq!(verdict([&over, &more]), Verdict::Undecided);
    assert_eq!(verdict([&over, &over]), Verdict::Holds);
    // Two replications with an infinite p99 prove nothing, and four times as many do.
    let few = "run.replications=2";
    assert_eq!(verdict([&[few], &["users.rate=150/s", few]]), Verdict::Fails);
    let one = run("one", FULL, &[few, "run.duration=5s"]);
    let other = run("other", FULL, &["users.rate=150/s", few, "run.duration=5s"]);
    let first = contest(&[one, other], &[], Control::default()).expect("it runs").comparison;
    let change = first.others[0].changes.iter().find(|change| change.name == "p99");
    assert_eq!(change.map(|change| change.effect), Some(Effect::Unknown));
}

#[test]
fn nothing_failed_on_either_side_does_not_prove_that_nothing_would() {
    let few = ["run.duration=20s", "run.replications=2"];
    let sides = || [run("a", QUEUE, &few), run("b", QUEUE, &[few[0], few[1], "users.rate=51/s"])];
    let comparison = of(sides(), &["error_rate +0.01pp"]);
    assert_eq!(comparison.verdict(), Verdict::Undecided, "some 8,000 requests");
    let comparison = of(sides(), &["error_rate +1pp"]);
    assert_eq!(comparison.verdict(), Verdict::Holds);
}

/// With a pilot each scenario settles after a time of its own, and both begin with the later one.
#[test]
fn both_sides_begin_to_measure_at_the_same_request() {
    let text = QUEUE.replace("warmup: 10s", "warmup: auto").replace("rate: 50/s", "rate: 80/s");
    let slower = "components.server.work={ exponential: 11ms }";
    let comparison = of([run("a", &text, &[]), run("b", &text, &[slower])], &[]);
    let offered = comparison.others[0].changes.iter().find(|change| change.name == "offered");
    assert_eq!(offered.map(|change| change.effect), Some(Effect::Equal));
    assert_eq!(comparison.base.warmup_s, comparison.others[0].side.warmup_s);
}

#[test]
fn a_gate_against_what_is_good_is_refused() {
    let base = &sides(QUEUE, [&[], &[]])[0];
    let says =
        |text: &str| Gate::parse(text).expect("a gate").check(base).map_err(|e| e.to_string());
    assert!(says("p99 -5%").is_err_and(|why| why.contains("\"p99 +5%\"")));
    assert!(says("goodput +20/s").is_err_and(|why| why.contains("\"goodput -20/s\"")));
    for fine in ["p99 +5%", "goodput -5%", "server.utilization -5%", "server.utilization +5%"] {
        assert_eq!(says(fine), Ok(()));
    }
}

#[test]
fn saved_and_fresh_runs_compare_alike() {
    use simscale::report::json;
    let outcome = experiment(QUEUE, &[]).run(Control::default()).expect("it runs");
    let saved = json::saved::side("a", json::write(&outcome.summary).as_bytes()).expect("it reads");
    let other = sides(QUEUE, [&["users.rate=55/s"], &[]]).into_iter().next().expect("two");
    let fresh =
        compare(vec![Side::of("a", &outcome.summary), other.clone()], &[]).expect("no gate");
    let again = compare(vec![saved, other], &[]).expect("no gate");
    for (one, two) in fresh.others[0].changes.iter().zip(&again.others[0].changes) {
        assert_eq!((&one.name, one.effect), (&two.name, two.effect));
    }
    let mean = fresh.others[0].changes.iter().find(|one| one.name == "answered.mean");
    assert_eq!(mean.map(|one| one.effect), Some(Effect::Worse));
}
