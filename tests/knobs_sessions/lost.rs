//! What is lost when a server dies: sessions in its memory, counted by a model that keeps a list;
//! none in a store, and none with the client.

use super::stores::lost;
use crate::knobs_data::bench::{Trial, run};
use simscale::components::record::Note;
use simscale::engine::stream::DrawKey;
use simscale::world::audit::audit;
use std::collections::BTreeMap;

const LOGIN_NS: i64 = 5_000_000;
const WORK_NS: i64 = 1_000_000;
/// When the first of the three servers dies, for 5 s.
const DEATH_NS: i64 = 20_000_000_000;

/// Visits to three servers behind a balancer.
fn shop(sticky: &str, sessions: &str, rest: &str) -> Trial {
    run(&format!(
        "\
users:
  count: 400
  rate: 80/s
  sessions:
    requests: {{ geometric: {{ mean: 6, from: 1 }} }}
    think: {{ exponential: 1s }}
    login: sign_in
  operations: {{ sign_in: {{}}, get: {{}} }}
entry: lb
components:
  lb:
    kind: load_balancer
    to: web
    balance: least_connections
    sticky: {sticky}
    health_check: {{ every: 100ms, timeout: 50ms, fall: 2, rise: 2 }}
    work: 0us
  web:
    kind: service
    instances: 3
    machine: {{ cores: 8 }}
    workers: unlimited
    sessions: {sessions}
    handle: {{ sign_in: [ {{ work: 5ms }} ], default: [ {{ work: 1ms }} ] }}
  {rest}
network: none
faults: {{ dies: {{ crash: web.1, at: 20s, for: 5s }} }}
run: {{ duration: 40s, warmup: 10s }}
"
    ))
}

/// A session in the model.
#[derive(Clone, Copy, Debug)]
struct Session {
    instance: Option<u16>,
    until: i64,
}

/// A request at a server.
#[derive(Clone, Copy, Debug)]
struct Visitor {
    user: u32,
    instance: u16,
    arrived: i64,
    login: bool,
    logged_in: bool,
}

/// Replays the notes with a list of sessions: those lost in the crash, and how often somebody
/// without a session logged in before a request. Panics where the servers did something else.
fn replay(trial: &Trial, ttl_ns: i64) -> (u64, u64) {
    let operations = &trial.experiment.plan.topology.operations;
    let components = &trial.experiment.plan.topology.components;
    let web = components.iter().position(|one| one.name == "web").expect("web");
    let mut users = BTreeMap::new();
    let mut sessions: BTreeMap<u32, Session> = BTreeMap::new();
    let mut visitors: BTreeMap<DrawKey, Visitor> = BTreeMap::new();
    let (mut dead, mut lost, mut again) = (false, 0, 0);
    for note in &trial.notes {
        let at = match *note {
            Note::Sent { at, .. } | Note::Called { at, .. } => at.0,
            Note::Worked { at, .. } | Note::Ended { at, .. } => at.0,
        };
        if at >= DEATH_NS && !dead {
            dead = true;
            for session in sessions.values_mut().filter(|one| one.instance == Some(0)) {
                lost += u64::from(session.until > DEATH_NS);
                session.instance = None;
            }
        }
        match *note {
            Note::Sent { request, user, operation, .. } => {
                users.insert(request, (user, operations[operation.index()].name == "sign_in"));
            }
            Note::Called { request, component, instance, at, .. } if component.index() == web => {
                // A health probe is nobody's.
                let Some(&(user, login)) = users.get(&request) else { continue };
                let arrived = at.0;
                visitors
                    .insert(request, Visitor { user, instance, arrived, login, logged_in: false });
            }
            Note::Worked { request, component, demand, at, .. } if component.index() == web => {
                let visitor = visitors.get_mut(&request).expect("it was called");
                let session = sessions.get(&visitor.user);
                let here = session.is_some_and(|session| {
                    session.instance == Some(visitor.instance) && session.until > at.0
                });
                match (demand.0, visitor.login) {
                    (LOGIN_NS, true) => {}
                    (LOGIN_NS, false) => {
                        assert!(!here, "{visitor:?} logs in again with {session:?}");
                        sessions.remove(&visitor.user);
                        visitor.logged_in = true;
                        again += 1;
                    }
                    (WORK_NS, false) => {
                        assert!(here || visitor.logged_in, "{visitor:?} gets in with {session:?}");
                        let begun = visitor.arrived + ttl_ns;
                        let kept =
                            session.filter(|_| !visitor.logged_in).map_or(0, |one| one.until);
                        let until = begun.max(kept);
                        let instance = Some(visitor.instance);
                        sessions.insert(visitor.user, Session { instance, until });
                    }
                    other => panic!("{other:?}"),
                }
            }
            Note::Ended { request, failure: None, .. } => {
                let visitor = visitors[&request];
                if visitor.login {
                    let until = visitor.arrived + ttl_ns;
                    let instance = Some(visitor.instance);
                    sessions.insert(visitor.user, Session { instance, until });
                }
            }
            _ => {}
        }
    }
    (lost, again)
}

#[test]
fn sessions_in_the_memory_of_a_dead_server_are_lost_exactly() {
    for (ttl, ttl_ns) in [("30min", 1_800_000_000_000), ("3s", 3_000_000_000)] {
        let trial = shop("user", &format!("{{ store: memory, ttl: {ttl} }}"), "");
        let (expected, again) = replay(&trial, ttl_ns);
        assert_eq!(lost(&trial, "web"), expected, "{ttl}");
        assert!(expected >= 5 && again >= 5, "{ttl}: {expected} {again}");
    }
    // Within half an hour everybody has been here: a third of them, and all but a few of those
    // come back.
    let (all, _) = replay(&shop("user", "memory", ""), 1_800_000_000_000);
    assert!((60..240).contains(&all), "{all}");
}

#[test]
fn where_requests_come_to_any_server_the_last_session_is_the_only_one() {
    let trial = shop("none", "memory", "");
    let (expected, again) = replay(&trial, 1_800_000_000_000);
    assert_eq!(lost(&trial, "web"), expected);
    assert!(expected >= 5 && again > 1000, "{expected} {again}");
}

#[test]
fn a_server_dies_and_a_store_or_a_token_has_lost_nothing() {
    let redis = "redis: { kind: cache, capacity: unlimited, start: cold }";
    let database = "db: { kind: database }";
    let failed = |trial: &Trial| -> u64 {
        trial.observed.users.iter().map(|users| users.failed_total()).sum()
    };
    for (sticky, sessions, rest) in [
        ("none", "redis", redis),
        ("user", "redis", redis),
        ("none", "db", database),
        ("none", "jwt", ""),
        ("user", "jwt", ""),
    ] {
        let trial = shop(sticky, sessions, rest);
        assert_eq!(lost(&trial, "web"), 0, "{sessions}");
        let mut users = BTreeMap::new();
        let login = trial.experiment.plan.topology.operations.iter();
        let login = login.clone().position(|one| one.name == "sign_in");
        for note in &trial.notes {
            match *note {
                Note::Sent { request, operation, .. } => {
                    users.insert(request, Some(operation.index()) == login);
                }
                Note::Worked { request, demand, .. } if demand.0 == LOGIN_NS => {
                    assert!(users[&request], "{sessions}: nobody logs in again");
                }
                _ => {}
            }
        }
        // Until the balancer has noticed, the dead server refuses.
        assert!(failed(&trial) > 0, "{sessions}");
    }
}

/// Whatever happens to sessions, no call is lost and none is counted twice.
#[test]
fn conservation_holds_with_sessions_of_every_sort() {
    let redis = "redis: { kind: cache, capacity: 400kB, start: cold, machine: { cores: 1 } }";
    let database = "db: { kind: database, connections: 2, when_full: refuse, query: 5ms }";
    for (sessions, rest) in [("memory", ""), ("redis", redis), ("db", database), ("jwt", "")] {
        for server in ["async: true", "queue: 2", "queue: { limit: 5, timeout: 20ms }"] {
            for fault in ["web.1", "web", "redis", "db"] {
                if matches!(fault, "redis" | "db") && fault != sessions {
                    continue;
                }
                let calls = match sessions {
                    "redis" | "db" => format!("calls: {{ {sessions}: {{ timeout: 15ms }} }}"),
                    _ => String::new(),
                };
                let trial = run(&format!(
                    "\
users:
  count: 300
  rate: 150/s
  client: {{ timeout: 300ms, cancel: true, retries: {{ max: 1 }} }}
  sessions: {{ requests: 5, think: {{ exponential: 500ms }}, login: sign_in }}
  operations: {{ sign_in: {{}}, page: {{ weight: 1, loads: {{ file: 3 }} }}, file: {{}} }}
entry: lb
components:
  lb: {{ kind: load_balancer, to: web, sticky: user }}
  web:
    kind: service
    instances: 2
    machine: {{ cores: 1 }}
    workers: 3
    {server}
    {calls}
    sessions: {sessions}
    handle:
      sign_in: [ {{ work: {{ exponential: 5ms }} }}, {{ fail: 5% }} ]
      default: [ {{ work: {{ exponential: 3ms }} }} ]
  {rest}
network: {{ users: 2ms, within_zone: 200us, connect: 1 }}
faults: {{ dies: {{ crash: {fault}, at: 3s, for: 1s }} }}
run: {{ duration: 8s, warmup: 1s, window: 500ms }}
"
                ));
                let topology = &trial.experiment.plan.topology;
                let findings = audit(&trial.observed, topology);
                assert!(findings.is_empty(), "{sessions} {server} {fault}: {findings:?}");
                for users in &trial.observed.users {
                    assert_eq!(users.offered, users.answered + users.failed_total());
                }
                let here = lost(&trial, "web");
                assert!(here == 0 || matches!(sessions, "memory" | "redis"), "{sessions}: {here}");
                let died = sessions == fault || sessions == "memory";
                assert!(here > 0 || !died || sessions == "db", "{sessions} {fault}: none lost");
            }
        }
    }
}
