//! Which word of an expression is which measure of requests, of a component, of a fault.
//!
//! It knows plans and words; addresses and windows are found by [`resolve`](super::resolve).

use super::resolve::{NOT_OF_THIS, UNBUILT};
use super::{ComponentMeasure, FaultMeasure, UserMeasure};
use crate::components::facts::Facts;
use crate::components::figures::{Declared, Sort};
use crate::components::outcome::Cause;
use crate::language::expression::{Argument, Measure, Metric as Word};
use crate::language::{Diagnostics, Span};
use crate::world::Plan;

/// The figure of which `misses` is the rest.
const HIT_RATIO: &str = "hit_ratio";

pub(super) fn is_fault_metric(word: Word) -> bool {
    matches!(word, Word::DetectTime | Word::Errors)
}

pub(super) fn is_unbuilt(word: Word) -> bool {
    use Word::*;
    matches!(
        word,
        ShardUtilization
            | ShardKeys
            | Age
            | Deliveries
            | DeadLettered
            | Egress
            | MitigateTime
            | RecoveryTime
            | DrainTime
            | BudgetBurnt
            | Moved
            | Verdict
    )
}

/// The built cause of a measure's argument, if it is one.
fn cause(measure: &Measure) -> Option<Cause> {
    match measure.argument.as_ref()?.value {
        Argument::Cause(name) => Cause::ALL.into_iter().find(|cause| cause.name() == name),
        Argument::Number(_) => None,
    }
}

pub(super) fn unbuilt_cause<T>(measure: &Measure, out: &mut Diagnostics) -> Option<T> {
    let span: Span = measure.argument.as_ref().map_or(measure.span, |argument| argument.span);
    out.error(UNBUILT, span, "what fails by this cause is not built yet");
    None
}

pub(super) fn user_measure(measure: &Measure) -> Option<UserMeasure> {
    Some(match measure.metric.value {
        Word::Latency => UserMeasure::Felt,
        Word::Answered => UserMeasure::Answered,
        Word::PageLoad => UserMeasure::PageLoad,
        Word::Offered => UserMeasure::Offered,
        Word::Throughput => UserMeasure::Throughput,
        Word::Goodput => UserMeasure::Goodput,
        Word::Availability => UserMeasure::Availability,
        Word::ErrorRate => UserMeasure::ErrorRate,
        Word::Degraded => UserMeasure::Degraded,
        Word::Failures => UserMeasure::Failures(cause(measure)),
        Word::Attempts => UserMeasure::Attempts,
        Word::StaleReads => UserMeasure::StaleReads,
        Word::OwnWriteMissing => UserMeasure::OwnWriteMissing,
        _ => return None,
    })
}

pub(super) fn fault_measure(measure: &Measure, out: &mut Diagnostics) -> Option<FaultMeasure> {
    match (measure.metric.value, &measure.statistic) {
        (Word::DetectTime, _) => Some(FaultMeasure::DetectTime),
        (Word::Errors, None) => Some(FaultMeasure::ErrorsTogether),
        (Word::Errors, Some(_)) => Some(FaultMeasure::Errors),
        (Word::LostWrites, None) => Some(FaultMeasure::LostWritesTogether),
        (Word::LostWrites, Some(_)) => Some(FaultMeasure::LostWrites),
        _ => {
            let name = measure.metric.value.word().name();
            let message = format!("`{name}` is no figure of a fault");
            out.error(NOT_OF_THIS, measure.span, message).help(
                "a fault has detect_time, errors and lost_writes; `… during FAULT` is a window",
            );
            None
        }
    }
}

/// Why a component has not got what was asked for.
pub(super) enum Missing {
    Metric,
    Cause,
    Up,
    Balancer,
}

/// The names of what a component measures.
pub(super) fn metrics_of(facts: &dyn Facts) -> Vec<&'static str> {
    let mut names = vec![
        "utilization",
        "arrivals",
        "throughput",
        "share",
        "sojourn",
        "service",
        "in_system",
        "busy",
        "slowdown",
        "up",
        "instances",
        "calls",
        "error_rate",
        "failures",
    ];
    if facts.has_slots() {
        names.extend(["visits", "rejected", "wait", "queue", "prob_wait"]);
    }
    for figure in facts.figures() {
        names.push(figure.name);
        if figure.name == HIT_RATIO {
            names.push("misses");
        }
    }
    names
}

pub(super) fn component_measure(
    plan: &Plan,
    component: usize,
    measure: &Measure,
) -> Result<ComponentMeasure, Missing> {
    let facts = plan.components[component - 1].facts();
    let slots = |found: ComponentMeasure| match facts.has_slots() {
        true => Ok(found),
        false => Err(Missing::Metric),
    };
    Ok(match measure.metric.value {
        Word::Utilization => ComponentMeasure::Utilization,
        Word::Arrivals => ComponentMeasure::Arrivals,
        Word::Throughput => ComponentMeasure::Throughput,
        Word::Visits => return slots(ComponentMeasure::Visits),
        Word::Rejected => return slots(ComponentMeasure::Rejected),
        Word::Share => {
            ComponentMeasure::Share(chosen_with(plan, component).ok_or(Missing::Balancer)?)
        }
        Word::Wait => return slots(ComponentMeasure::Wait),
        Word::Sojourn => ComponentMeasure::Sojourn,
        Word::Service => ComponentMeasure::Service,
        Word::InSystem => ComponentMeasure::InSystem,
        Word::Queue => return slots(ComponentMeasure::Queue),
        Word::Busy => ComponentMeasure::Busy,
        Word::Slowdown => ComponentMeasure::Slowdown,
        Word::ProbWait => return slots(ComponentMeasure::ProbWait),
        Word::Up if plan.topology.components[component].instances() == 1 => {
            ComponentMeasure::OnlyUp
        }
        Word::Up => return Err(Missing::Up),
        Word::Instances => ComponentMeasure::Instances,
        Word::Calls => ComponentMeasure::Calls,
        Word::ErrorRate => ComponentMeasure::ErrorRate,
        Word::Failures => ComponentMeasure::Failures(cause(measure).ok_or(Missing::Cause)?),
        word => return figure(facts, word),
    })
}

/// A figure that the kind declares.
fn figure(facts: &dyn Facts, word: Word) -> Result<ComponentMeasure, Missing> {
    let name = if word == Word::Misses { HIT_RATIO.into() } else { word.word().name() };
    let declared = facts.figures().into_iter().find(|figure| figure.name == name);
    let Declared { name, sort, .. } = declared.ok_or(Missing::Metric)?;
    Ok(match sort {
        Sort::Ratio if word == Word::Misses => ComponentMeasure::RatioMissing(name),
        Sort::Ratio => ComponentMeasure::Ratio(name),
        Sort::Count => ComponentMeasure::Count(name),
        Sort::Sample => ComponentMeasure::Sample(name),
        Sort::Level => ComponentMeasure::Level(name),
    })
}

/// The components that one balancer chooses from, where this is one of several.
fn chosen_with(plan: &Plan, component: usize) -> Option<Vec<usize>> {
    plan.topology.links.iter().find_map(|link| {
        let mut targets: Vec<usize> = link.targets.iter().map(|(id, _)| id.index()).collect();
        targets.sort_unstable();
        targets.dedup();
        (targets.len() > 1 && targets.contains(&component)).then_some(targets)
    })
}
