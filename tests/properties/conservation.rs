//! Random small systems: nothing is lost, nothing is counted twice, and every way to fail is met.

use super::common_numbers::same_luck;
use super::lab::{Lab, Run};
use super::systems::try_on;
use simscale::components::ledger::ComponentLedger;
use simscale::components::outcome::{CAUSES, Cause};
use simscale::world::Conditions;
use simscale::world::audit::audit;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;

/// Random systems tried.
const SYSTEMS: u32 = 500;
/// How often each cause has to occur for the property to have been tried on it.
const OCCURRENCES_MIN: u64 = 50;

/// All that has to hold of one run, beside the audit.
fn check(lab: &Lab, run: &Run) -> Result<(), String> {
    let Run { observed, .. } = run;
    let findings = audit(observed, &lab.plan().topology);
    if !findings.is_empty() {
        return Err(findings.join("\n"));
    }
    one_outcome_each(lab, run)?;
    for (facts, ledger) in lab.plan().topology.components.iter().zip(&observed.ledger.components) {
        let cores = facts.cores * f64::from(facts.instances()) * observed.duration.0 as f64;
        if lab.queues_calls_only(&facts.name) && !waiting_are_present(ledger) {
            return Err(format!("{}: somebody waits who is not there", facts.name));
        }
        within_bounds(ledger, i64::from(facts.instances()), cores)
            .map_err(|why| format!("{}: {why}", facts.name))?;
    }
    Ok(())
}

/// Outcomes counted from the notes are those of the users' ledger.
fn one_outcome_each(lab: &Lab, run: &Run) -> Result<(), String> {
    let end = lab.plan().window.duration.0;
    let sent = run.sent();
    let mut outcomes = BTreeMap::new();
    for (request, at, failure) in run.ended() {
        let Some(begun) = sent.get(&request) else {
            return Err(format!("{request:?} was not sent"));
        };
        if at < begun.at {
            return Err(format!("{request:?} ended before it was sent"));
        }
        if outcomes.insert(request, failure).is_some() {
            return Err(format!("{request:?} ended twice"));
        }
    }
    let count = lab.plan().users.operations.len();
    let (mut offered, mut answered) = (vec![0; count], vec![0; count]);
    let mut failed = vec![[0; CAUSES]; count];
    for (request, begun) in sent.iter().filter(|(_, sent)| (0..end).contains(&sent.at.0)) {
        let operation = begun.operation.index();
        offered[operation] += 1;
        match outcomes.get(request) {
            Some(None) => answered[operation] += 1,
            Some(Some(failure)) => failed[operation][failure.cause as usize] += 1,
            None => failed[operation][Cause::Unresolved as usize] += 1,
        }
    }
    for (operation, ledger) in run.observed.users.iter().enumerate() {
        let noted = (offered[operation], answered[operation], failed[operation]);
        let booked = (ledger.offered, ledger.answered, ledger.failed);
        let causes: u64 = ledger.failed.iter().sum();
        let places: u64 = ledger.failures.values().sum();
        if noted != booked || booked.0 != booked.1 + causes || places != causes {
            return Err(format!("operation {operation}: noted {noted:?}, booked {booked:?}"));
        }
    }
    Ok(())
}

/// Whoever waits in a queue is present: at both ends, and summed over the whole time.
fn waiting_are_present(ledger: &ComponentLedger) -> bool {
    let ComponentLedger { present, waiting, .. } = ledger;
    waiting.at_start() <= present.at_start()
        && waiting.at_end() <= present.at_end()
        && waiting.integral() <= present.integral()
}

/// What no component can exceed.
fn within_bounds(ledger: &ComponentLedger, instances: i64, cores_ns: f64) -> Result<(), String> {
    let ComponentLedger { waiting, in_service, busy_ns, operations, .. } = ledger;
    if waiting.at_start() < 0 || waiting.at_end() < 0 || waiting.integral() < 0 {
        return Err("fewer than none wait".to_owned());
    }
    if !(0..=instances).contains(&in_service.at_end()) || in_service.max() > instances {
        return Err(format!("{} of {instances} instances serve", in_service.at_end()));
    }
    if *busy_ns < 0.0 || *busy_ns > cores_ns * (1.0 + 1e-9) {
        return Err(format!("{busy_ns} ns busy of {cores_ns}"));
    }
    if operations.iter().any(|operation| operation.unwaited > operation.visits) {
        return Err("more found a free slot than asked for one".to_owned());
    }
    Ok(())
}

#[test]
fn conservation_and_littles_law_hold_in_random_systems_and_every_cause_occurs() {
    let clock = std::time::Instant::now();
    let causes = RefCell::new([0_u64; CAUSES]);
    let (requests, answered) = (RefCell::new(0_u64), RefCell::new(0_u64));
    try_on(SYSTEMS, |system| {
        let lab = Lab::read(&system.0)?;
        let run = lab.run();
        check(&lab, &run)?;
        for ledger in &run.observed.users {
            *requests.borrow_mut() += ledger.offered;
            *answered.borrow_mut() += ledger.answered;
            causes.borrow_mut().iter_mut().zip(ledger.failed).for_each(|(sum, n)| *sum += n);
        }
        // Twice the same, whether anybody takes notes or not.
        match format!("{:?}", run.observed) == format!("{:?}", lab.observe()) {
            true => Ok(()),
            false => Err("the same run again is another run".to_owned()),
        }
    });
    let causes = causes.into_inner();
    let counts = Cause::ALL.map(|cause| (cause.name(), causes[cause as usize]));
    let (requests, answered) = (requests.into_inner(), answered.into_inner());
    let seconds = clock.elapsed().as_secs_f64();
    let line = format!(
        "{SYSTEMS} systems, {requests} requests, {answered} answered, {seconds:.1} s, failures \
         {counts:?}\n"
    );
    let _ = std::io::stderr().write_all(line.as_bytes());
    assert!(answered * 4 > requests, "hardly a request gets through");
    for cause in Cause::ALL {
        match cause {
            // An attempt that is taken back is nobody's outcome.
            Cause::Cancelled => assert_eq!(causes[cause as usize], 0, "{counts:?}"),
            _ => assert!(causes[cause as usize] >= OCCURRENCES_MIN, "{counts:?}"),
        }
    }
}

#[test]
fn the_healthy_twin_of_a_random_system_meets_the_same_luck() {
    let works = RefCell::new(0_usize);
    try_on(150, |system| {
        let lab = Lab::read(&system.0)?;
        let ill = lab.run();
        let healthy = lab.run_under(Conditions { faults: false, ..lab.conditions() });
        *works.borrow_mut() += same_luck(&lab, &ill, &healthy)?;
        Ok(())
    });
    assert!(works.into_inner() > 20_000);
}
