//! Where sessions are kept: what each place costs a request, how long a session lasts, and what is
//! refused.

use crate::knobs_data::bench::{Trial, all_take, run};
use simscale::components::outcome::Cause;
use simscale::components::record::Note;
use simscale::scenario::file::{Request, load};

/// Single visits, one a second, to two servers in turn: a login takes 5 ms, a request 1 ms.
fn visits(users: &str, sessions: &str, others: &str) -> Trial {
    run(&text(users, sessions, others))
}

fn text(users: &str, sessions: &str, others: &str) -> String {
    let sign_in = if users.contains("sign_in") { "sign_in: [ { work: 5ms } ], " } else { "" };
    format!(
        "\
users:
  rate: 1/s
  arrivals: even
  sessions: {users}
entry: web
components:
  web:
    kind: service
    instances: 2
    sessions: {sessions}
    handle: {{ {sign_in}default: [ {{ work: 1ms }} ] }}
  {others}
network: none
run: {{ duration: 10s, warmup: 0s }}
"
    )
    .replace("entry: web", if sign_in.is_empty() { GET } else { BOTH })
}

const GET: &str = "  operations: { get: {} }\nentry: web";
const BOTH: &str = "  operations: { sign_in: {}, get: {} }\nentry: web";
/// A visit in each of the nine seconds; the last of its requests comes 300 ms after the first.
const FOUR: &str = "{ requests: 4, think: 100ms, login: sign_in }";

/// The visits come a quarter as often as the requests.
fn slow(text: &str) -> String {
    text.replace("rate: 1/s", "rate: 4/s")
}

fn four(sessions: &str, others: &str) -> Trial {
    run(&slow(&text(FOUR, sessions, others)))
}

const REDIS: &str = "redis: { kind: cache, capacity: unlimited, start: cold, work: 0us }";

/// Sessions that were lost.
pub fn lost(trial: &Trial, name: &str) -> u64 {
    let components = &trial.experiment.plan.topology.components;
    let index = components.iter().position(|one| one.name == name).expect("it is there");
    trial.observed.figures[index].count("lost_sessions").expect("it keeps sessions").iter().sum()
}

/// How often somebody went through the steps of a login.
fn logins(trial: &Trial) -> usize {
    let login = |note: &&Note| matches!(note, Note::Worked { demand, .. } if demand.0 == 5_000_000);
    trial.notes.iter().filter(login).count()
}

#[test]
fn in_memory_a_session_is_found_where_it_began_and_nowhere_else() {
    // The four requests of a visit go to the two servers in turn: each of the other three comes to
    // where the session is not, because the one before has taken it along.
    let trial = four("memory", "");
    assert_eq!((logins(&trial), lost(&trial, "web")), (9 * 4, 0));
    all_take(&trial.operation("get").latency, 6.0);
    let alone = run(&slow(&text(FOUR, "memory", "")).replace("instances: 2", "instances: 1"));
    assert_eq!((logins(&alone), lost(&alone, "web")), (9, 0));
    all_take(&alone.operation("get").latency, 1.0);
}

#[test]
fn without_a_login_a_request_whose_session_is_elsewhere_fails() {
    // The first begins one, the second does not find it, the third begins another, and so on.
    let flow = "{ flow: [ get, get, get, get ] }";
    let trial = visits(flow, "memory", "");
    assert_eq!(trial.users().failed[Cause::Error as usize], 9 * 2);
    assert_eq!((trial.users().answered, lost(&trial, "web")), (9 * 2, 0));
    let alone = run(&text(flow, "memory", "").replace("instances: 2", "instances: 1"));
    assert_eq!((alone.users().answered, lost(&alone, "web")), (9 * 4, 0));
}

#[test]
fn a_session_ends_when_nobody_has_used_it_for_so_long() {
    // 100 ms and the time of an answer lie between two requests.
    for (ttl, logins_each) in [("50ms", 4), ("150ms", 1), ("30min", 1)] {
        for (store, others) in [("memory", ""), ("redis", REDIS), ("db", "db: { kind: database }")]
        {
            let sessions = format!("{{ store: {store}, ttl: {ttl} }}");
            let system =
                slow(&text(FOUR, &sessions, others)).replace("instances: 2", "instances: 1");
            let trial = run(&system);
            assert_eq!(
                (logins(&trial), lost(&trial, "web")),
                (9 * logins_each, 0),
                "{store} {ttl}"
            );
        }
    }
}

#[test]
fn a_store_is_asked_by_every_request_and_told_by_every_login() {
    let slow_redis =
        "redis: { kind: cache, capacity: unlimited, work: 0us, latency: 3ms, start: cold }";
    let trial = four("redis", slow_redis);
    all_take(&trial.operation("get").latency, 4.0);
    all_take(&trial.operation("sign_in").latency, 8.0);
    let (hits, lookups) = trial.all_hits("redis");
    assert_eq!((logins(&trial), hits, lookups, lost(&trial, "web")), (9, 27, 27, 0));
    // The item is the user's own.
    for (user, access) in trial.accesses_by_user("redis") {
        assert_eq!(u64::from(user), access.item);
    }
    let db = "db: { kind: database, query: 2ms, log: { flush: 1ms } }";
    let trial = four("db", db);
    all_take(&trial.operation("get").latency, 3.0);
    all_take(&trial.operation("sign_in").latency, 8.0);
}

#[test]
fn a_token_costs_its_verification_and_nothing_else() {
    for (sessions, ms) in [("jwt", 1.1), ("{ store: jwt, verify: 2ms }", 3.0)] {
        let trial = four(sessions, "");
        all_take(&trial.operation("get").latency, ms);
        all_take(&trial.operation("sign_in").latency, 5.0);
        assert_eq!((logins(&trial), lost(&trial, "web")), (9, 0));
    }
}

#[test]
fn sessions_take_their_size_in_a_store_and_what_does_not_fit_is_lost() {
    let crowd = |size: &str| {
        let redis = "redis: { kind: cache, capacity: 10kB, start: cold }";
        let sessions = format!("{{ store: redis, size: {size} }}");
        // Three visits at any time.
        let users = "{ requests: 4, think: 1s, login: sign_in }";
        let trial = run(&slow(&text(users, &sessions, redis)));
        (lost(&trial, "web"), logins(&trial) as u64)
    };
    assert_eq!(crowd("1kB"), (0, 9), "ten at once");
    // There is room for one, and each login of another drives it out before its next request.
    let (lost, logins) = crowd("6kB");
    assert!(lost >= 18 && logins >= lost, "{lost} {logins}");
}

/// A store that is down from 4.1 s for so long; the fifth visit has begun at 4 s.
fn outage(store: &str, lasts: &str) -> (u64, u64, usize) {
    let users = "{ requests: 4, think: 200ms, login: sign_in }";
    let faults =
        format!("faults: {{ out: {{ crash: store, at: 4100ms, for: {lasts} }} }}\nnetwork:");
    let system = slow(&text(users, "store", &format!("store: {store}")));
    let trial = run(&system.replace("network:", &faults));
    let failed = trial.observed.users.iter().map(|users| users.failed_total()).sum();
    (lost(&trial, "web"), failed, logins(&trial))
}

#[test]
fn a_cache_that_dies_has_lost_what_is_asked_for_afterwards() {
    let cache = "{ kind: cache, capacity: unlimited, start: cold }";
    // It is back before the second request of that visit, which logs in again.
    assert_eq!(outage(cache, "100ms"), (1, 0, 10));
    // That request finds no store, logs in, and fails because it cannot keep the new session
    // either; the third misses the old one.
    assert_eq!(outage(cache, "300ms"), (1, 1, 11));
}

#[test]
fn a_database_that_dies_has_lost_no_session() {
    let database = "{ kind: database, query: 0s, log: { flush: 0s } }";
    assert_eq!(outage(database, "100ms"), (0, 0, 9));
    assert_eq!(outage(database, "300ms"), (0, 1, 10));
}

#[test]
fn calls_to_the_store_have_a_policy_of_their_own() {
    let slow_store = "store: { kind: cache, capacity: unlimited, latency: 50ms, start: cold }";
    let users = "{ requests: 4, think: 200ms, login: sign_in }";
    let policy = "sessions: store\n    calls: { store: { timeout: 20ms } }";
    let system = slow(&text(users, "store", slow_store)).replace("sessions: store", policy);
    let trial = run(&system);
    // Neither the read nor the write comes back in time: the login fails, and ends the visit.
    assert_eq!(trial.operation("sign_in").failed[Cause::Timeout as usize], 9);
    assert_eq!(trial.operation("get").offered, 0);
}

/// What is said of the sessions of a service.
fn mistakes(users: &str, sessions: &str, others: &str) -> Vec<String> {
    let text = text(users, sessions, others);
    let request = Request { path: "system.yaml", ..Request::default() };
    let loaded = load(request, &mut |_| Ok(text.as_bytes().to_vec()));
    loaded.diagnostics.sorted().iter().map(|d| format!("{} {}", d.code, d.message)).collect()
}

#[test]
fn sessions_that_cannot_be_are_refused() {
    let over = "near: { kind: cache, over: db, capacity: 10 }\n  db: { kind: database }";
    for (sessions, others, message) in [
        ("rediss", REDIS, "E0501 there is no component `rediss`"),
        ("web", "", "E0504 `web`, a service, keeps no sessions"),
        ("near", over, "E0504 `near` keeps copies of what is in `db`"),
        ("{ store: memory, size: 1kB }", "", "E0504 `size` has no effect on sessions in `memory`"),
        ("{ store: jwt, ttl: 1h }", "", "E0504 `ttl` has no effect on sessions in `jwt`"),
        ("{ store: jwt, size: 1kB }", "", "E0504 `size` has no effect on sessions in `jwt`"),
        (
            "{ store: redis, verify: 1ms }",
            REDIS,
            "E0504 `verify` has no effect on sessions in `redis`",
        ),
        ("{ size: 4kB }", "", "E0103 missing key `store`"),
    ] {
        let said = mistakes(FOUR, sessions, others);
        assert!(said.iter().any(|one| one == message), "{sessions}: {said:?}");
    }
    let text = text(FOUR, "memory", "").replace("sign_in: [ { work: 5ms } ], ", "");
    let request = Request { path: "system.yaml", ..Request::default() };
    let loaded = load(request, &mut |_| Ok(text.as_bytes().to_vec()));
    let said = loaded.diagnostics.sorted();
    assert!(said.iter().any(|d| d.code == "E0508"), "{said:?}");
    let without = "\
users:
  rate: 10/s
  sessions: { requests: 5, login: login }
  operations: { look: {}, login: {} }
entry: web
components:
  web: { kind: service, sessions: memory, handle: { look: [ work: 5ms ] } }
";
    let loaded = load(request, &mut |_| Ok(without.as_bytes().to_vec()));
    let said = loaded.diagnostics.sorted();
    assert!(said.iter().any(|d| d.message.contains("what `login` takes")), "{said:?}");
    let said = mistakes(FOUR, "memory", "");
    assert_eq!(said, ["W0509 requests do not come back to their sessions in `web`"]);
    assert!(mistakes(FOUR, "jwt", "").is_empty() && mistakes(FOUR, "redis", REDIS).is_empty());
}
