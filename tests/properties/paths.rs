//! What queueing theory says path by path: with common random numbers an inequality between means
//! becomes one between single requests, without any statistics.

use super::lab::{Lab, Run};
use super::systems::try_on;
use simscale::components::record::Note;
use simscale::engine::stream::DrawKey;
use simscale::experiment::{Control, Extend};
use simscale::report::json;
use simscale::world::{Conditions, Plan};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

/// One station: requests of two priorities at a load of four fifths of one core.
fn station(cores: u32, workers: &str, order: &str) -> Lab {
    let text = format!(
        "\
users:
  rate: 80/s
  client: {{ timeout: none }}
  operations: {{ urgent: {{ weight: 1, priority: 1 }}, idle: {{ weight: 3, priority: 9 }} }}
entry: server
components:
  server:
    kind: service
    machine: {{ cores: {cores} }}
    workers: {workers}
    queue: {{ limit: unlimited, {order} }}
    work: {{ lognormal: {{ mean: 10ms, cv: 2 }} }}
network: none
run: {{ duration: 60s, warmup: 5s, replications: 1, seed: 11 }}
"
    );
    Lab::read(&text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// How long each request waited before its work began.
fn waits(run: &Run) -> BTreeMap<DrawKey, i64> {
    let sent = run.sent();
    let wait = |note: &Note| match *note {
        Note::Worked { request, at, .. } => Some((request, at.0 - sent[&request].at.0)),
        _ => None,
    };
    run.notes.iter().filter_map(wait).collect()
}

#[test]
fn one_worker_more_makes_no_request_wait_longer() {
    let runs = [1, 2, 3, 4].map(|c| waits(&station(c, &c.to_string(), "order: fifo").run()));
    for pair in runs.windows(2) {
        let (mut compared, mut shorter) = (0, 0);
        for (request, fewer) in &pair[0] {
            let Some(more) = pair[1].get(request) else { continue };
            assert!(more <= fewer, "{request:?} waits {fewer} ns, and {more} with a worker more");
            compared += 1;
            shorter += usize::from(more < fewer);
        }
        assert!(compared > 4_500 && shorter > 20, "{compared} compared, {shorter} wait less");
    }
    assert!(runs[3].values().filter(|&&wait| wait > 0).count() < 100);
}

#[test]
fn in_a_fifo_queue_nobody_overtakes() {
    for workers in [1, 3] {
        let run = station(workers, &workers.to_string(), "order: fifo").run();
        let sent = run.sent();
        let works = run.notes.iter().filter_map(|note| match note {
            Note::Worked { request, .. } => Some(sent[request].at),
            _ => None,
        });
        assert!(works.is_sorted(), "{workers} workers");
    }
}

#[test]
fn the_order_of_service_does_not_change_how_long_a_server_is_busy() {
    // Work is neither made nor lost by a discipline, so every window has the same busy time; a
    // shared core rounds the end of each job up to a nanosecond.
    let busy = |workers, order| {
        let lab = station(1, workers, order);
        lab.observe().ledger.components[lab.component("server")].busy_series.clone()
    };
    let fifo = busy("1", "order: fifo");
    assert_eq!(fifo.len(), 60);
    let mean = fifo.iter().sum::<f64>() / 60e9;
    assert!((0.6..0.95).contains(&mean), "{mean}");
    for (workers, order) in [
        ("1", "order: lifo"),
        ("1", "order: priority"),
        ("1", "order: priority, preemptive: true"),
        ("3", "order: fifo"),
        ("unlimited", "order: fifo"),
    ] {
        let other = busy(workers, order);
        let apart = fifo.iter().zip(&other).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart < 5_000.0 && other.len() == 60, "{workers}, {order}: {apart} ns apart");
    }
}

#[test]
fn urgent_requests_wait_as_if_they_were_alone_where_they_preempt() {
    let mixed = station(1, "1", "order: priority, preemptive: true");
    let both = mixed.run();
    let sent = both.sent();
    let waits = waits(&both);
    // Lindley's recursion over the urgent ones: nobody else can hold them up.
    let (mut free_at, mut compared) = (i64::MIN, 0);
    for note in &both.notes {
        let Note::Worked { request, demand, .. } = *note else { continue };
        if sent[&request].operation.index() != 0 {
            continue;
        }
        let at = sent[&request].at.0;
        assert_eq!(waits[&request], (free_at - at).max(0), "{request:?}");
        free_at = at.max(free_at) + demand.0;
        compared += 1;
    }
    assert!(compared > 1_000, "{compared}");
}

#[test]
fn twice_the_speed_at_twice_the_work_is_the_same_machine() {
    let scaled = |speed: &str, work: &str| {
        let text = format!(
            "\
users: {{ rate: 80/s, client: {{ timeout: none }} }}
entry: server
components:
  server:
    {{ kind: service, machine: {{ cores: 2, speed: {speed} }}, workers: 5, work: {work} }}
network: none
run: {{ duration: 60s, warmup: 0s, replications: 1 }}
"
        );
        Lab::read(&text).unwrap_or_else(|mistakes| panic!("{mistakes}")).run()
    };
    let (one, other) = (scaled("1x", "20ms"), scaled("2x", "40ms"));
    let ended = |run: &Run| run.ended().map(|(request, at, _)| (request, at)).collect::<Vec<_>>();
    assert!(ended(&one).len() > 4_500);
    assert_eq!(ended(&one), ended(&other));
}

#[test]
fn the_past_does_not_depend_on_how_long_the_run_is() {
    let longer = |plan: &Plan| {
        let mut plan = plan.clone();
        plan.window.duration.0 *= 2;
        plan
    };
    try_on(100, |system| {
        let lab = Lab::read(&system.0)?;
        let short = lab.run();
        let mut twice = lab.experiment.clone();
        twice.plan = longer(lab.plan());
        let long = Lab { experiment: twice }.run();
        let end = lab.plan().window.duration.0;
        let before =
            |run: &Run| run.notes.iter().filter(|note| at(note) < end).copied().collect::<Vec<_>>();
        match before(&short) == before(&long) {
            true => Ok(()),
            false => Err("a longer run has another past".to_owned()),
        }
    });
}

fn at(note: &Note) -> i64 {
    let (Note::Sent { at, .. }
    | Note::Called { at, .. }
    | Note::Worked { at, .. }
    | Note::Ended { at, .. }) = note;
    at.0
}

#[test]
fn a_closed_user_never_has_two_requests_under_way() {
    let text = "\
users:
  count: 20
  think: { exponential: 200ms }
  client: { timeout: 50ms, retries: 1 }
  operations: { page: { weight: 1, loads: { file: 5 }, parallel: 2 }, file: {} }
entry: server
components:
  server: { kind: service, workers: 2, queue: 3, work: { exponential: 10ms } }
network: none
run: { duration: 20s, warmup: 1s, replications: 1 }
";
    let lab = Lab::read(text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let run = lab.run();
    let mut under_way: BTreeMap<u32, DrawKey> = BTreeMap::new();
    let (mut pages, mut files) = (0, 0);
    for note in &run.notes {
        match *note {
            Note::Sent { operation, .. } if !lab.begins(operation) => files += 1,
            Note::Sent { request, user, .. } => {
                let other = under_way.insert(user, request);
                assert_eq!(other, None, "user {user} already waits for an answer");
                pages += 1;
            }
            Note::Ended { request, .. } => under_way.retain(|_, waiting| *waiting != request),
            _ => {}
        }
    }
    assert!(pages > 500 && files > 1_000, "{pages} pages, {files} files");
}

#[test]
fn any_number_of_threads_writes_the_same_bytes() {
    let report = |lab: &Lab, jobs| {
        let control = Control {
            jobs,
            extend: Extend::Never,
            stop: &AtomicBool::new(false),
            announce: &|_| (),
            progress: &|_| (),
        };
        let mut experiment = lab.experiment.clone();
        experiment.settings.replications = 5;
        let outcome = experiment.run(control);
        outcome.map(|outcome| json::write(&outcome.summary)).map_err(|error| error.to_string())
    };
    try_on(12, |system| {
        let lab = Lab::read(&system.0)?;
        let one = report(&lab, 1)?;
        match [2, 3].into_iter().all(|jobs| report(&lab, jobs).as_ref() == Ok(&one)) {
            true => Ok(()),
            false => Err("the bytes depend on the number of threads".to_owned()),
        }
    });
}

#[test]
fn replications_of_a_random_system_are_independent_runs() {
    try_on(30, |system| {
        let lab = Lab::read(&system.0)?;
        let other = Conditions { replication: 1, ..lab.conditions() };
        let (one, other) = (lab.run().sent(), lab.run_under(other).sent());
        match one.keys().any(|request| other.contains_key(request)) {
            false => Ok(()),
            true => Err("two replications share a request".to_owned()),
        }
    });
}
