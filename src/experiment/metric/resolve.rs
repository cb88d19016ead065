//! Finding what the names of an expression mean in a plan, and saying so when they mean nothing.
//!
//! It does not run anything; all mistakes of the user in expressions end here.

use super::cost;
use super::period::{Period, Time};
use super::words::{
    Missing, component_measure, fault_measure, is_fault_metric, is_unbuilt, metrics_of,
    unbuilt_cause, user_measure,
};
use super::{ComponentMeasure, Metric, Subject, UserMeasure};
use crate::language::codes::Code;
use crate::language::expression::{
    Measure, Metric as Word, Relation, Statistic, Window, WindowTime,
};
use crate::language::suggest::{did_you_mean, nearest};
use crate::language::{Diagnostics, Span, Spanned};
use crate::world::Plan;

pub(super) const UNBUILT: &str = "E0110";
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

    fn region(&self, word: &str) -> Option<usize> {
        self.plan.topology.regions.iter().position(|region| region.name == word)
    }

    /// The component of a name, or its copy in a region.
    fn component(&self, region: Option<usize>, word: &str) -> Option<usize> {
        let regions = &self.plan.topology.regions;
        let name = region.map_or(word.to_owned(), |one| format!("{}.{word}", regions[one].name));
        // The users are no component that anybody wrote.
        self.components.iter().skip(1).position(|one| *one == name).map(|index| index + 1)
    }

    /// A part of a component whose instances do different work.
    fn part(&self, component: usize, part: &str) -> Option<usize> {
        let parts = self.plan.components[component - 1].facts().parts();
        parts.iter().position(|name| *name == part)
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
        let region = address.first().and_then(|first| self.region(&first.value));
        let address = if region.is_some() { &address[1..] } else { address };
        let words: Vec<&str> = address.iter().map(|word| word.value.as_str()).collect();
        match words[..] {
            [] if is_fault_metric(word) => {
                let message = format!("`{}` of which fault?", word.word().name());
                let help = did_you_mean("", "fault", &self.faults);
                out.error(ADDRESS, measure.span, message).help(help);
                None
            }
            [] => self.users(region, None, measure, out),
            [_] => self.one(region, measure, &address[0], out),
            [first, second] => self.two(region, (first, second), measure, address, out),
            _ => {
                let span = between(address[2].span, address[address.len() - 1].span);
                out.error(ADDRESS, span, "an address is at most an operation and a component")
                    .help("before them there may be a region");
                None
            }
        }
    }

    /// What one name says: a fault, a component or an operation.
    fn one(
        &self,
        region: Option<usize>,
        measure: &Measure,
        word: &Spanned<String>,
        out: &mut Diagnostics,
    ) -> Option<Subject> {
        let name = word.value.as_str();
        if let Some(fault) = self.fault(name) {
            return fault_measure(measure, out).map(|measure| Subject::Fault { fault, measure });
        }
        match (self.operation(name), self.component(region, name)) {
            (None, Some(component)) => self.of_component(component, None, measure, out),
            (Some(_), Some(component)) if user_measure(measure).is_none() => {
                self.of_component(component, None, measure, out)
            }
            (Some(operation), _) => self.users(region, Some(operation), measure, out),
            (None, None) => self.unknown(word, out),
        }
    }

    /// What two names say: a component and its part or instance, or an operation and a component.
    fn two(
        &self,
        region: Option<usize>,
        (first, second): (&str, &str),
        measure: &Measure,
        address: &[Spanned<String>],
        out: &mut Diagnostics,
    ) -> Option<Subject> {
        let of = self.component(region, first);
        if second.bytes().all(|c| c.is_ascii_digit()) {
            if of.is_none() {
                return self.unknown(&address[0], out);
            }
            out.error(NOT_KEPT, address[1].span, "figures of a single instance are not kept")
                .help(format!("`{first}` without the number is all of them together"));
            return None;
        }
        if let Some(component) = of
            && let Some(part) = self.part(component, second)
        {
            if measure.metric.value == Word::Utilization {
                let measure = ComponentMeasure::PartUtilization(part);
                return Some(Subject::Component { component, operation: None, measure });
            }
            let name = measure.metric.value.word().name();
            let message = format!("`{name}` is not kept for a part of a component");
            out.error(NOT_KEPT, measure.span, message).help("of a part there is `utilization`");
            return None;
        }
        match (self.operation(first), self.component(region, second)) {
            (Some(operation), Some(component)) => {
                self.of_component(component, Some(operation), measure, out)
            }
            (None, _) => self.unknown_among(&address[0], "operation", out),
            (_, None) => self.unknown_among(&address[1], "component", out),
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
        region: Option<usize>,
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
        let all = self.plan.users.operations.len();
        let regions = region.map_or(0..self.plan.topology.regions(), |one| one..one + 1);
        let of = |region: usize| operations.iter().map(move |operation| region * all + operation);
        Some(Subject::Users { ledgers: regions.flat_map(of).collect(), measure: what })
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

/// From the start of one place to the end of another in the same text.
pub(super) fn between(first: Span, last: Span) -> Span {
    Span { end: last.end, ..first }
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
