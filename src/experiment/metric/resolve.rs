//! Finding what the names of an expression mean in a plan, and saying so when they mean nothing.
//!
//! It does not run anything; all mistakes of the user in expressions end here.

use super::cost;
use super::period::{Period, Time};
use super::{ComponentMeasure, FaultMeasure, Metric, Subject, UserMeasure};
use crate::components::facts::Facts;
use crate::components::figures::{Declared, Sort};
use crate::components::outcome::Cause;
use crate::language::codes::Code;
use crate::language::expression::{
    Argument, Measure, Metric as Word, Relation, Statistic, Window, WindowTime,
};
use crate::language::suggest::{did_you_mean, nearest};
use crate::language::{Diagnostics, Span, Spanned};
use crate::world::Plan;

/// The figure of which `misses` is the rest.
const HIT_RATIO: &str = "hit_ratio";

const UNBUILT: &str = "E0110";
const ADDRESS: &str = "E0411";
pub(super) const NOT_OF_THIS: &str = "E0412";
const NOT_KEPT: &str = "E0413";
const WINDOW: &str = "E0414";

/// The codes of mistakes in the names of expressions.
pub const CODES: &[Code] = &[
    Code {
        id: ADDRESS,
        title: "unknown address in an expression",
        text: "The words before a metric name what is measured: an operation, a component, an \
               operation at a component, or a fault. Without them it is all requests.",
    },
    Code {
        id: NOT_OF_THIS,
        title: "a metric that this does not have",
        text: "Operations, components and faults have different figures, and some figures \
               belong to certain kinds of component: a hit ratio to a cache, a wait to what has \
               slots.",
    },
    Code {
        id: NOT_KEPT,
        title: "a figure that is not kept",
        text: "The figure exists, but not in this detail: percentiles are kept for the whole \
               run, not by window, and levels for the whole component, not by operation or by \
               instance.",
    },
    Code {
        id: WINDOW,
        title: "a window outside the run",
        text: "The window of an expression lies, at least in part, outside the measured time, \
               or is shorter than the windows of the series (`run.window`).",
    },
];

/// A plan that expressions can be about; several ones by name are the points of a sweep.
#[derive(Clone, Copy, Debug)]
pub struct Point<'p> {
    /// Its name, the first word of an address; none where there is one plan only.
    pub name: Option<&'p str>,
    /// The plan.
    pub plan: &'p Plan,
}

/// What a measure means: the number of its point and the metric; mistakes go to `out`.
pub fn resolve(
    measure: &Measure,
    window: Option<&Window>,
    points: &[Point<'_>],
    out: &mut Diagnostics,
) -> Option<(usize, Metric)> {
    let (point, address) = find_point(measure, points, out)?;
    let names = Names::of(points[point].plan);
    let subject = names.subject(measure, address, out)?;
    let period = match window {
        Some(window) => Some(resolve_period(window, points[point].plan, out)?),
        None => None,
    };
    let metric = Metric { subject, statistic: measure.statistic(), period };
    names.kept(&metric, measure, out)?;
    Some((point, metric))
}

fn find_point<'m>(
    measure: &'m Measure,
    points: &[Point<'_>],
    out: &mut Diagnostics,
) -> Option<(usize, &'m [Spanned<String>])> {
    let address = &measure.address[..];
    if let [only] = points
        && only.name.is_none()
    {
        return Some((0, address));
    }
    let named = address
        .first()
        .and_then(|word| points.iter().position(|point| point.name == Some(word.value.as_str())));
    if let Some(point) = named {
        return Some((point, &address[1..]));
    }
    if points.len() == 1 {
        return Some((0, address));
    }
    let names: Vec<&str> = points.iter().filter_map(|point| point.name).collect();
    let word = address.first().map_or("", |word| word.value.as_str());
    out.error(ADDRESS, measure.span, "this does not say which point of the sweep it is about")
        .help(did_you_mean(word, "point", &names));
    None
}

/// The names of a plan, for looking up and for suggestions.
struct Names<'p> {
    plan: &'p Plan,
    operations: Vec<&'p str>,
    components: Vec<&'p str>,
    faults: Vec<&'p str>,
}

impl<'p> Names<'p> {
    fn of(plan: &'p Plan) -> Self {
        let topology = &plan.topology;
        let operations = &topology.operations[..topology.operations.len() - 1];
        Self {
            plan,
            operations: operations.iter().map(|facts| facts.name.as_str()).collect(),
            components: topology.components.iter().map(|facts| facts.name.as_str()).collect(),
            faults: plan.faults.iter().map(|fault| fault.name.as_str()).collect(),
        }
    }

    fn operation(&self, word: &str) -> Option<usize> {
        self.operations.iter().position(|name| *name == word)
    }

    fn component(&self, word: &str) -> Option<usize> {
        // The users are no component that anybody wrote.
        self.components.iter().skip(1).position(|name| *name == word).map(|index| index + 1)
    }

    /// A part of a component whose instances do different work.
    fn part(&self, component: &str, part: &str) -> Option<(usize, usize)> {
        let component = self.component(component)?;
        let parts = self.plan.components[component - 1].facts().parts();
        parts.iter().position(|name| *name == part).map(|part| (component, part))
    }

    fn fault(&self, word: &str) -> Option<usize> {
        self.faults.iter().position(|name| *name == word)
    }

    /// Of whom or what a measure is.
    fn subject(
        &self,
        measure: &Measure,
        address: &[Spanned<String>],
        out: &mut Diagnostics,
    ) -> Option<Subject> {
        let word = measure.metric.value;
        if is_unbuilt(word) {
            let message = format!("`{}` is not built yet", word.word().name());
            out.error(UNBUILT, measure.metric.span, message);
            return None;
        }
        if let Some(what) = cost::measure(word) {
            return cost::subject(what, self.plan, measure, address, out);
        }
        let words: Vec<&str> = address.iter().map(|word| word.value.as_str()).collect();
        match words[..] {
            [] if is_fault_metric(word) => {
                let message = format!("`{}` of which fault?", word.word().name());
                out.error(ADDRESS, measure.span, message).help(did_you_mean(
                    "",
                    "fault",
                    &self.faults,
                ));
                None
            }
            [] => self.users(None, measure, out),
            [name] => {
                if let Some(fault) = self.fault(name) {
                    return fault_measure(measure, out)
                        .map(|measure| Subject::Fault { fault, measure });
                }
                match (self.operation(name), self.component(name)) {
                    (None, Some(component)) => self.of_component(component, None, measure, out),
                    (Some(_), Some(component)) if user_measure(measure).is_none() => {
                        self.of_component(component, None, measure, out)
                    }
                    (Some(operation), _) => self.users(Some(operation), measure, out),
                    (None, None) => self.unknown(&address[0], out),
                }
            }
            [first, second] if second.bytes().all(|c| c.is_ascii_digit()) => {
                if self.component(first).is_none() {
                    return self.unknown(&address[0], out);
                }
                let message = "figures of a single instance are not kept";
                out.error(NOT_KEPT, address[1].span, message)
                    .help(format!("`{first}` without the number is all of them together"));
                None
            }
            [first, second] if self.part(first, second).is_some() => {
                let (component, part) = self.part(first, second)?;
                if measure.metric.value != Word::Utilization {
                    let name = measure.metric.value.word().name();
                    let message = format!("`{name}` is not kept for a part of a component");
                    out.error(NOT_KEPT, measure.span, message)
                        .help("of a part there is `utilization`");
                    return None;
                }
                let measure = ComponentMeasure::PartUtilization(part);
                Some(Subject::Component { component, operation: None, measure })
            }
            [first, second] => {
                let operation = self.operation(first);
                let component = self.component(second);
                match (operation, component) {
                    (Some(operation), Some(component)) => {
                        self.of_component(component, Some(operation), measure, out)
                    }
                    (None, _) => self.unknown_among(&address[0], "operation", out),
                    (_, None) => self.unknown_among(&address[1], "component", out),
                }
            }
            _ => {
                let span = between(address[2].span, address[address.len() - 1].span);
                out.error(ADDRESS, span, "an address is at most an operation and a component");
                None
            }
        }
    }

    fn unknown<T>(&self, word: &Spanned<String>, out: &mut Diagnostics) -> Option<T> {
        let all = [&self.operations[..], &self.components[1..], &self.faults[..]].concat();
        let message = format!("nothing here is called `{}`", word.value);
        out.error(ADDRESS, word.span, message).help(did_you_mean(&word.value, "name", &all));
        None
    }

    fn unknown_among<T>(
        &self,
        word: &Spanned<String>,
        what: &str,
        out: &mut Diagnostics,
    ) -> Option<T> {
        let names = if what == "operation" { &self.operations[..] } else { &self.components[1..] };
        let message = format!("no {what} is called `{}`", word.value);
        let help = did_you_mean(&word.value, what, names);
        out.error(ADDRESS, word.span, message)
            .help(help)
            .help("before a metric stands a component, or an operation and a component");
        None
    }

    fn users(
        &self,
        operation: Option<usize>,
        measure: &Measure,
        out: &mut Diagnostics,
    ) -> Option<Subject> {
        let Some(what) = user_measure(measure) else {
            let name = measure.metric.value.word().name();
            let (message, help) = if is_fault_metric(measure.metric.value) {
                (format!("`{name}` is a figure of a fault"), self.faults.first().copied())
            } else {
                (format!("`{name}` is a figure of a component"), self.components.last().copied())
            };
            let help = help.map_or(String::new(), |one| format!("say of which: `{one}.{name}`"));
            out.error(NOT_OF_THIS, measure.span, message).help(help);
            return None;
        };
        if let UserMeasure::Failures(None) = what {
            return unbuilt_cause(measure, out);
        }
        let all = 0..self.plan.users.operations.len();
        let mut operations: Vec<usize> = all.collect();
        if let Some(one) = operation {
            operations.retain(|&index| index == one);
            if operations.is_empty() {
                let message = format!("users never send `{}`", self.operations[one]);
                out.error(NOT_OF_THIS, measure.span, message)
                    .help("name the component too, to measure it there");
                return None;
            }
        }
        if what == UserMeasure::PageLoad {
            let sends = &self.plan.users.operations;
            operations.retain(|&index| sends[index].loads.is_some());
            if operations.is_empty() {
                let message = "nothing is loaded after an answer, so there is no `page_load`";
                out.error(NOT_OF_THIS, measure.span, message)
                    .help("an operation with `loads:` has one");
                return None;
            }
        }
        Some(Subject::Users { operations, measure: what })
    }

    fn of_component(
        &self,
        component: usize,
        operation: Option<usize>,
        measure: &Measure,
        out: &mut Diagnostics,
    ) -> Option<Subject> {
        let facts = &self.plan.topology.components[component];
        let word = measure.metric.value;
        match component_measure(self.plan, component, measure) {
            Ok(measure) => Some(Subject::Component { component, operation, measure }),
            Err(Missing::Cause) => unbuilt_cause(measure, out),
            Err(Missing::Up) => {
                let message = "how many instances are up is kept only where there is one";
                out.error(NOT_KEPT, measure.span, message)
                    .help(format!("`{}.instances.mean` is their mean over time", facts.name));
                None
            }
            Err(Missing::Balancer) => {
                let message = format!("no balancer chooses between `{}` and another", facts.name);
                out.error(NOT_OF_THIS, measure.span, message);
                None
            }
            Err(Missing::Metric) => {
                let name = word.word().name();
                let names = metrics_of(self.plan.components[component - 1].facts());
                let message = format!("`{}`, a {}, has no `{name}`", facts.name, facts.kind);
                let meant = if word == Word::Latency { "sojourn" } else { &name };
                let help = match nearest(meant, &names) {
                    Some(near) if word == Word::Latency => {
                        format!("did you mean `{}.{near}.{}`?", facts.name, measure.statistic())
                    }
                    Some(near) if near != name => format!("did you mean `{near}`?"),
                    _ => format!("it has {}", names.join(", ")),
                };
                out.error(NOT_OF_THIS, measure.span, message).help(help);
                None
            }
        }
    }

    /// Whether the figure is kept in this detail.
    fn kept(&self, metric: &Metric, measure: &Measure, out: &mut Diagnostics) -> Option<()> {
        let name = measure.metric.value.word().name();
        if let Subject::Component { operation: Some(_), measure: what, .. } = &metric.subject
            && !what.by_operation()
        {
            let message = format!("`{name}` is kept for the whole component");
            out.error(NOT_KEPT, measure.span, message)
                .help("leave the operation out of the address");
            return None;
        }
        if metric.subject.attempts_max(metric.statistic) {
            let message = "the largest number of attempts is not kept";
            out.error(NOT_KEPT, measure.span, message).help("write `attempts.mean`");
            return None;
        }
        if metric.period.is_none() || metric.subject.has_windows(metric.statistic) {
            return Some(());
        }
        let sample = metric.statistic.quantile().is_some();
        let message = match sample {
            true => format!("percentiles of `{name}` are not kept by window"),
            false => format!("`{name}` is not kept by window in this form"),
        };
        out.error(NOT_KEPT, measure.span, message).help(
            "by window there are offered, goodput, availability, error_rate and the mean \
             latency of requests; utilization, in_system.mean, queue.mean, busy.mean, \
             instances.mean and the ratios of components",
        );
        None
    }
}

impl Subject {
    fn attempts_max(&self, statistic: Statistic) -> bool {
        matches!(self, Subject::Users { measure: UserMeasure::Attempts, .. })
            && statistic == Statistic::Max
    }

    fn has_windows(&self, statistic: Statistic) -> bool {
        match self {
            Subject::Users { measure, .. } => measure.has_windows(statistic),
            Subject::Component { measure, .. } => measure.has_windows(statistic),
            Subject::Fault { .. } | Subject::Cost(_) => false,
        }
    }
}

fn is_fault_metric(word: Word) -> bool {
    matches!(word, Word::DetectTime | Word::Errors)
}

fn is_unbuilt(word: Word) -> bool {
    use Word::*;
    matches!(
        word,
        Conflicts
            | ShardUtilization
            | ShardKeys
            | Age
            | Deliveries
            | DeadLettered
            | LostSessions
            | Egress
            | MitigateTime
            | RecoveryTime
            | DrainTime
            | BudgetBurnt
            | Moved
            | Verdict
    )
}

/// From the start of one place to the end of another in the same text.
pub(super) fn between(first: Span, last: Span) -> Span {
    Span { end: last.end, ..first }
}

/// The built cause of a measure's argument, if it is one.
fn cause(measure: &Measure) -> Option<Cause> {
    match measure.argument.as_ref()?.value {
        Argument::Cause(name) => Cause::ALL.into_iter().find(|cause| cause.name() == name),
        Argument::Number(_) => None,
    }
}

fn unbuilt_cause<T>(measure: &Measure, out: &mut Diagnostics) -> Option<T> {
    let span: Span = measure.argument.as_ref().map_or(measure.span, |argument| argument.span);
    out.error(UNBUILT, span, "what fails by this cause is not built yet");
    None
}

fn user_measure(measure: &Measure) -> Option<UserMeasure> {
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

fn fault_measure(measure: &Measure, out: &mut Diagnostics) -> Option<FaultMeasure> {
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
enum Missing {
    Metric,
    Cause,
    Up,
    Balancer,
}

/// The names of what a component measures.
fn metrics_of(facts: &dyn Facts) -> Vec<&'static str> {
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

fn component_measure(
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
    let Declared { name, sort } = declared.ok_or(Missing::Metric)?;
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

/// What a window means in a plan; mistakes go to `out`.
pub fn resolve_period(window: &Window, plan: &Plan, out: &mut Diagnostics) -> Option<Period> {
    let end = plan.window.duration;
    let time = match &window.time {
        WindowTime::Range(from, to) => {
            if to.value > end {
                let message = format!("this window ends after the measured time of {end}");
                out.error(WINDOW, between(from.span, to.span), message);
                return None;
            }
            if to.value.0 - from.value.0 < plan.window.window.0 {
                let message = format!("the series have windows of {}", plan.window.window);
                out.error(WINDOW, between(from.span, to.span), message)
                    .help("make the window longer, or `run.window` shorter");
                return None;
            }
            Time::Range(from.value.0, to.value.0)
        }
        WindowTime::Event(words) => {
            let names: Vec<&str> = plan.faults.iter().map(|fault| fault.name.as_str()).collect();
            let name: Vec<&str> = words.iter().map(|word| word.value.as_str()).collect();
            let name = name.join(".");
            let Some(fault) = names.iter().position(|fault| *fault == name) else {
                out.error(ADDRESS, window.span, format!("no fault is called `{name}`"))
                    .help(did_you_mean(&name, "fault", &names));
                return None;
            };
            Time::Fault(fault)
        }
    };
    if let (Relation::After, Time::Range(_, to)) = (window.relation, time)
        && to + plan.window.window.0 > end.0
    {
        let message = "nothing of the measured time is left after this window";
        out.error(WINDOW, window.span, message);
        return None;
    }
    Some(Period { relation: window.relation, time })
}
