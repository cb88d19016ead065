//! The audit: conservation of calls and Little's law, as integer identities with tolerance zero.
//!
//! Its numbers come from counters that are kept apart: arrivals and departures are counted as they
//! happen, who is present is counted frame by frame at both ends, the number present is integrated
//! by a gauge, and the times present are summed call by call.

use super::observations::Observations;
use crate::components::topology::Topology;

/// What does not add up; empty when all does. Each line is a bug of the program.
pub fn audit(observed: &Observations, topology: &Topology) -> Vec<String> {
    let mut wrong = Vec::new();
    if observed.interrupted {
        return wrong;
    }
    for (facts, ledger) in topology.components.iter().zip(&observed.ledger.components) {
        let sum = |field: fn(&crate::components::ledger::OperationLedger) -> u64| -> i128 {
            ledger.operations.iter().map(|operation| i128::from(field(operation))).sum()
        };
        let arrived = sum(|operation| operation.arrived);
        let completed = sum(|operation| operation.completed);
        let failed = sum(|operation| operation.failed.iter().sum());
        let [before, after] = ledger.present_at.map(i128::from);
        if arrived != completed + failed + after - before {
            wrong.push(format!(
                "{}: conservation: {arrived} arrived, {completed} completed, {failed} failed, \
                 {before} present at the start, {after} at the end",
                facts.name
            ));
        }
        let (at_start, at_end) = (ledger.present.at_start(), ledger.present.at_end());
        if (i128::from(at_start), i128::from(at_end)) != (before, after) {
            wrong.push(format!(
                "{}: the gauge reads {at_start} and {at_end} present, {before} and {after} are",
                facts.name
            ));
        }
        if ledger.present.integral() != ledger.time_present {
            wrong.push(format!(
                "{}: Little's law: {} call-nanoseconds by the gauge, {} call by call",
                facts.name,
                ledger.present.integral(),
                ledger.time_present
            ));
        }
    }
    for (operation, ledger) in topology.operations.iter().zip(&observed.users) {
        let resolved = ledger.answered + ledger.failed_total();
        if ledger.offered != resolved {
            wrong.push(format!(
                "{}: {} requests offered, {resolved} with an outcome",
                operation.name, ledger.offered
            ));
        }
    }
    wrong
}
