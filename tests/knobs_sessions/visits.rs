//! Visits: how many requests, how far apart, beginning with what, and how they leave other draws
//! alone.

use crate::knobs_data::bench::{Trial, run, share_is};
use simscale::components::outcome::Cause;
use simscale::components::record::Note;
use simscale::engine::stream::DrawKey;
use simscale::scenario::file::{Request, load};
use std::collections::BTreeMap;

/// Visits to a server that takes 10 ms for all but the operation `bad`, which fails.
fn visits(load: &str, sessions: &str, operations: &str, run: &str) -> Trial {
    let bad = if operations.contains("bad") { "bad: [ { fail: 100% } ], " } else { "" };
    self::run(&format!(
        "\
users:
  {load}
  sessions: {sessions}
  operations: {operations}
entry: server
components:
  server:
    kind: service
    workers: unlimited
    handle: {{ {bad}default: [ {{ wait: 10ms }} ] }}
network: none
run: {{ {run} }}
"
    ))
}

const RUN: &str = "duration: 10s, warmup: 0s";
const TWO: &str = "{ get: {}, bad: {} }";

fn even(sessions: &str) -> Trial {
    visits("rate: 1/s\n  arrivals: even", sessions, TWO, RUN)
}

/// By user, the requests: when in milliseconds, and which operation.
fn by_user(trial: &Trial) -> BTreeMap<u32, Vec<(i64, usize)>> {
    let mut users: BTreeMap<u32, Vec<(i64, usize)>> = BTreeMap::new();
    for note in &trial.notes {
        if let Note::Sent { at, user, operation, .. } = note {
            users.entry(*user).or_default().push((at.0 / 1_000_000, operation.index()));
        }
    }
    users
}

#[test]
fn a_script_is_played_by_one_person_at_its_pace() {
    let flow =
        "{ flow: [ get, { think: 400ms }, bad, { think: 100ms }, { think: 5ms }, get, get ] }";
    let trial = even(flow);
    let users = by_user(&trial);
    // The visits come once a second, each of a user of its own; a failure takes no time.
    let whole = users.values().filter(|requests| requests[0].0 < 9_000);
    for (number, requests) in whole.clone().enumerate() {
        assert!(number < 9);
        let start = requests[0].0;
        let since: Vec<(i64, usize)> = requests.iter().map(|r| (r.0 - start, r.1)).collect();
        assert_eq!(since, [(0, 0), (410, 1), (515, 0), (525, 0)]);
    }
    assert_eq!(whole.count(), 8, "the rate counts visits");
    let failed = trial.operation("bad").failed[Cause::Error as usize];
    assert_eq!(failed, trial.operation("bad").offered);
}

#[test]
fn each_person_makes_so_many_visits_where_they_are_counted() {
    let users = "count: 100\n  each: 0.01/s\n  arrivals: even";
    let trial = visits(users, "{ flow: [ get, get ] }", TWO, RUN);
    assert_eq!(trial.operation("get").offered, 18);
}

#[test]
fn the_rate_of_requests_stays_whatever_a_visit_consists_of() {
    for sessions in [
        "none",
        "{ requests: 8, think: 20ms }",
        "{ requests: { geometric: { mean: 8 } }, think: { exponential: 50ms } }",
        "{ requests: 2.5, think: 0s }",
    ] {
        let load = "rate: 200/s";
        let trial = visits(load, sessions, "{ get: {} }", "duration: 100s, warmup: 5s");
        let offered = trial.operation("get").offered as f64;
        // Visits of K requests on average: the count varies by at most E(K^2) / E(K) times as much
        // as without, which is 17 for the geometric law.
        let error = (20_000.0_f64 * 17.0).sqrt();
        assert!((offered - 20_000.0).abs() < 4.5 * error, "{sessions}: {offered}");
    }
}

#[test]
fn a_visit_has_the_number_of_requests_that_is_drawn() {
    let trial = even("{ requests: { uniform: { from: 2, to: 4 } }, think: 1ms }");
    let counts: Vec<usize> = by_user(&trial).values().map(Vec::len).collect();
    assert!(counts.iter().all(|count| (2..=4).contains(count)), "{counts:?}");
    let visits = visits("rate: 600/s", "{ requests: 3, think: 1ms }", TWO, RUN);
    let threes = by_user(&visits).values().filter(|requests| requests.len() % 3 == 0).count();
    assert!(threes * 100 > by_user(&visits).len() * 99, "{threes}");
}

#[test]
fn the_next_request_follows_the_answer_after_the_pause() {
    for (think, gap) in [("90ms", 100), ("0s", 10), ("1s", 1010)] {
        let trial = visits(
            "rate: 2/s\n  arrivals: even",
            &format!("{{ requests: 2, think: {think} }}"),
            "{ get: {} }",
            RUN,
        );
        let users = by_user(&trial);
        let pairs: Vec<_> = users.values().filter(|requests| requests.len() == 2).collect();
        assert!(pairs.len() >= 8, "{think}");
        assert!(pairs.iter().all(|pair| pair[1].0 - pair[0].0 == gap), "{think}: {pairs:?}");
    }
    let trial = even("{ requests: 2 }");
    let gaps: Vec<i64> =
        by_user(&trial).values().filter_map(|r| Some(r.get(1)?.0 - r[0].0)).collect();
    assert!(gaps.iter().all(|gap| *gap == 7010 || *gap == 7000), "7 s by default: {gaps:?}");
}

#[test]
fn a_login_comes_first_and_nowhere_else_without_a_weight() {
    let operations = "{ sign_in: {}, get: {} }";
    let load = "rate: 40/s\n  arrivals: even";
    let trial = visits(load, "{ requests: 4, think: 1ms, login: sign_in }", operations, RUN);
    let sign_in = |requests: &&Vec<(i64, usize)>| requests.len() == 4;
    let whole: Vec<_> = by_user(&trial).into_values().collect();
    let get = trial.experiment.plan.topology.operations.iter().position(|o| o.name == "get");
    for requests in whole.iter().filter(sign_in) {
        let first = requests.iter().map(|r| Some(r.1) == get).collect::<Vec<_>>();
        assert_eq!(first, [false, true, true, true]);
    }
    assert_eq!(trial.operation("sign_in").offered, 99);
    let weighted = "{ sign_in: { weight: 1 }, get: { weight: 1 } }";
    let trial = visits(load, "{ requests: 4, think: 1ms, login: sign_in }", weighted, RUN);
    let logins = trial.operation("sign_in").offered;
    let all = logins + trial.operation("get").offered;
    // One in four always, and of the others every second one.
    share_is(logins - all / 4, all - all / 4, 0.5);
}

#[test]
fn a_failed_login_ends_the_visit_and_another_failure_does_not() {
    let load = "rate: 40/s\n  arrivals: even";
    let sessions = "{ requests: 4, think: 1ms, login: bad }";
    let trial = visits(load, sessions, TWO, RUN);
    assert_eq!((trial.operation("bad").offered, trial.operation("get").offered), (99, 0));
    let flow = "{ flow: [ bad, get ] }";
    let trial = visits(load, flow, TWO, RUN);
    assert!(trial.operation("get").offered >= 398);
}

#[test]
fn arrivals_and_profile_are_those_of_the_visits() {
    let load = "rate: 10/s\n  arrivals: { batches: 2 }\n  \
                profile: { steps: [ { at: 0s, by: 0x }, { at: 5s, by: 1x } ] }";
    let trial = visits(load, "{ requests: 2, think: 1s }", TWO, RUN);
    let first = by_user(&trial).values().map(|requests| requests[0].0).collect::<Vec<_>>();
    assert!(first.iter().all(|at| *at >= 5_000), "nobody before the step");
    let pairs = first.iter().filter(|at| first.iter().filter(|other| other == at).count() == 2);
    assert_eq!(pairs.count(), first.len(), "two at a time");
}

/// P-REP-02: a user writes, waits an exponential time, and reads from a replica that the write
/// takes an exponential time to reach: it is not there yet in lag / (lag + pause) of all visits.
#[test]
fn a_scripted_visit_reads_its_own_write_too_early_as_often_as_theory_says() {
    let trial = run("\
users:
  rate: 0.05/s
  client: { timeout: none }
  sessions: { flow: [ put, { think: { exponential: 400ms } }, get ] }
  operations: { put: { writes: row }, get: { reads: row } }
data: { row: { items: 1M, popularity: own } }
entry: db
components:
  db:
    kind: database
    machine: { cores: unlimited }
    connections: unlimited
    query: 0s
    log: { flush: 0s }
    replicas: 1
    replication: { mode: async, delay: { exponential: 100ms }, apply: 0s }
    reads_from: replicas
network: none
run: { duration: 400000s, warmup: 0s, window: 1h }
expect: [ get.own_write_missing == 20% within 5% ]
");
    let get = trial.operation("get");
    assert!(get.offered > 19_000, "{}", get.offered);
    share_is(get.own_write_missing, get.answered, 0.2);
}

/// What a request draws: who, what, when it was sent in its visit, and the work it is.
type Luck = (u32, usize, Vec<i64>);

fn luck(trial: &Trial) -> BTreeMap<DrawKey, Luck> {
    let mut luck: BTreeMap<DrawKey, Luck> = BTreeMap::new();
    for note in &trial.notes {
        match note {
            Note::Sent { request, user, operation, .. } => {
                luck.insert(*request, (*user, operation.index(), Vec::new()));
            }
            Note::Worked { request, demand, component, .. } if component.index() == 1 => {
                if let Some(found) = luck.get_mut(request) {
                    found.2.push(demand.0);
                }
            }
            _ => {}
        }
    }
    luck
}

#[test]
fn pauses_and_servers_leave_the_draws_of_every_visit_alone() {
    let system = |think: &str, requests: &str, cores: u32, sessions: &str| {
        run(&format!(
            "\
users:
  count: 1000
  rate: 60/s
  sessions: {{ requests: {requests}, think: {think}, login: sign_in }}
  operations: {{ sign_in: {{}}, get: {{ weight: 3 }}, put: {{ weight: 1 }} }}
entry: server
components:
  server:
    kind: service
    machine: {{ cores: {cores} }}
    workers: unlimited
    {sessions}
    handle:
      sign_in: [ {{ work: {{ exponential: 20ms }} }} ]
      default: [ {{ work: {{ exponential: 10ms }} }}, {{ work: {{ exponential: 1ms }} }} ]
  redis: {{ kind: cache, capacity: unlimited, start: cold }}
network: none
run: {{ duration: 30s, warmup: 0s }}
"
        ))
    };
    let one = luck(&system("1s", "5", 1, ""));
    assert!(one.len() > 1200, "{}", one.len());
    for (name, other) in [
        ("think", luck(&system("{ exponential: 300ms }", "5", 1, ""))),
        ("cores", luck(&system("1s", "5", 4, ""))),
        ("requests", luck(&system("1s", "{ uniform: { from: 4, to: 6 } }", 1, ""))),
        ("memory", luck(&system("1s", "5", 1, "sessions: memory"))),
        ("store", luck(&system("1s", "5", 1, "sessions: redis"))),
    ] {
        let both = one.iter().filter_map(|(key, here)| Some((here, other.get(key)?)));
        let mut compared = 0;
        for (here, there) in both {
            compared += 1;
            assert_eq!((here.0, here.1), (there.0, there.1), "{name}");
            // What a crowded server has not done at the end is not noted.
            let work = here.2.iter().zip(&there.2).filter(|(a, b)| a == b).count();
            assert_eq!(work, here.2.len().min(there.2.len()), "{name}: {here:?} {there:?}");
        }
        assert!(compared > 1000, "{name}: {compared}");
    }
}

/// What is said of the users of a scenario.
fn mistakes(users: &str) -> Vec<String> {
    let text = format!(
        "\
users: {{ {users} }}
entry: server
components:
  server: {{ kind: service, handle: {{ default: [ {{ call: other, as: charge }} ] }} }}
  other: {{ kind: service, work: 1ms }}
network: none
"
    );
    let request = Request { path: "system.yaml", ..Request::default() };
    let loaded = load(request, &mut |_| Ok(text.as_bytes().to_vec()));
    loaded.diagnostics.sorted().iter().map(|d| format!("{} {}", d.code, d.message)).collect()
}

#[test]
fn visits_that_cannot_be_are_refused() {
    let operations = "operations: { get: {}, put: {} }";
    for (users, message) in [
        ("rate: 1/s, sessions: {}", "E0504 a visit is either a number of requests or a script"),
        (
            "rate: 1/s, sessions: { requests: 3, flow: [ get ] }",
            "E0504 a visit is either a number of requests or a script",
        ),
        ("rate: 1/s, sessions: { requests: 0 }", "E0504 visits need a request now and then"),
        ("rate: 1/s, sessions: { requests: 2, login: gett }", "E0501 there is no operation `gett`"),
        (
            "rate: 1/s, sessions: { requests: 2, login: charge }",
            "E0504 users do not send `charge`: it is an operation of a step",
        ),
        (
            "rate: 1/s, sessions: { flow: [ get, { think: 1s } ] }",
            "E0504 a pause after the last request has no effect",
        ),
        (
            "rate: 1/s, sessions: { flow: [ { think: 1s }, get ] }",
            "E0504 a visit begins with a request",
        ),
        (
            "rate: 1/s, sessions: { flow: [ get ], think: 7s }",
            "E0504 `think` has no effect beside a script",
        ),
        (
            "rate: 1/s, sessions: { flow: [ get ], login: get }",
            "E0504 `login` has no effect beside a script",
        ),
        (
            "count: 5, think: 1s, sessions: { requests: 2 }",
            "E0504 `sessions` has no effect on people who wait and think",
        ),
    ] {
        let said = mistakes(&format!("{users}, {operations}"));
        assert_eq!(said.first().map(String::as_str), Some(message), "{users}: {said:?}");
    }
    let weighted = "rate: 1/s, sessions: { flow: [ get ] }, operations: { get: { weight: 2 } }";
    let said = mistakes(weighted);
    assert_eq!(said, ["E0504 `weight` has no effect where visits are scripted"]);
    assert!(
        mistakes(&format!("rate: 1/s, sessions: {{ flow: [ get, put ] }}, {operations}"))
            .is_empty()
    );
}
