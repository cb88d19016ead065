//! Autoscaling: how many instances there should be, by what was measured of those in service.
//!
//! **Models** a target by the ratio rule of the Kubernetes Horizontal Pod Autoscaler (with its
//! tolerance, and the highest wish of a while before instances go), rules by steps and a cooldown
//! after every change as Amazon EC2 Auto Scaling has them, and metrics that are averages over a
//! period and come late.
//! **Leaves out** limits on how many come at once, schedules and predictions, and replacing
//! instances that died: they count as ordered until they are back.
//!
//! It knows neither instances nor how a figure is measured: a reading goes in, a number comes out.

use std::collections::VecDeque;

use crate::language::shape::Json;
use crate::language::{Diagnostics, Span, Spanned};
use crate::units::{Duration, Instant, Rate, Ratio, UnitError, UnitErrorKind};
use crate::{choice, config, scalar};

config! {
    /// Instances that come and go with the load: by a `target` or by `steps`.
    pub struct AutoscaleConfig {
        /// Never fewer instances than this.
        min: u64 = required in 1..=60_000,
        /// Never more instances than this, those included that are on their way out.
        max: u64 = required in 1..=60_000,
        /// A figure per instance that is to be held: `desired = ceil(current x metric / target)`.
        target: Option<ScaleTarget> = "none",
        /// Rules instead of a target; the first one whose condition holds counts.
        steps: Vec<ScaleStep> = "[]",
        /// From one decision to the next; figures are averages over that time.
        every: Duration = "15s" source "Kubernetes HPA, sync period",
        /// From the end of a period until its figures are known.
        metric_delay: Duration = "60s" source "EC2 Auto Scaling, detailed monitoring: 60 s",
        /// After a change there is no other for so long.
        cooldown: Duration = "5min" source "EC2 Auto Scaling, default cooldown: 300 s",
        /// Instances go only down to the most that was wanted within this time.
        scale_in_after: Duration = "5min" source "Kubernetes HPA, downscale stabilization: 300 s",
        /// With a `target`: no change while metric / target is so near 1.
        tolerance: Option<Ratio> = "none" source "10% with a target: Kubernetes HPA",
    }
}

choice! {
    /// A figure per instance in service that an autoscaler holds.
    #[derive(Copy, PartialEq)]
    pub enum ScaleTarget {
        /// Busy core time over core time in service.
        utilization: Utilization(Ratio),
        /// Mean number of requests waiting at an instance.
        queue_length: QueueLength(f64),
        /// Requests that come to an instance.
        rate_per_instance: RatePerInstance(Rate),
    }
    unbuilt { backlog_per_instance: "jobs waiting in a queue" }
}

config! {
    /// A rule of an autoscaler.
    pub struct ScaleStep {
        /// What must have been measured.
        when: Condition = required,
        /// How many instances come; go, when it is negative.
        add: i64 = required,
    }
}

/// What an autoscaler looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Busy core time over core time in service.
    Utilization,
    /// Mean number of requests waiting at an instance.
    QueueLength,
    /// Requests per second that come to an instance.
    RatePerInstance,
}

const FIGURES: usize = 3;

/// A figure above or below a bound: `utilization > 80%`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    figure: Figure,
    above: bool,
    bound: f64,
}

impl Condition {
    /// What a condition looks like.
    pub const PATTERN: &str = "^(utilization|queue_length|rate_per_instance) *[<>] *[0-9].*$";

    /// Reads a condition.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let malformed = |message: String, help: &str| {
            Err(UnitError::new(UnitErrorKind::Malformed, message, help))
        };
        const LIKE: &str = "write it like `utilization > 80%`";
        let Some(at) = text.find(['<', '>']) else {
            return malformed(format!("`{text}` is no condition"), LIKE);
        };
        let (word, bound) = (text[..at].trim(), text[at + 1..].trim());
        if bound.starts_with('=') {
            return malformed("a bound is never met exactly".into(), "write `<` or `>`");
        }
        let (figure, bound) = match word {
            "utilization" => (Figure::Utilization, Ratio::parse(bound)?.0),
            "queue_length" => match bound.parse::<f64>().ok().filter(|bound| *bound >= 0.0) {
                Some(bound) if bound.is_finite() => (Figure::QueueLength, bound),
                _ => return malformed(format!("`{bound}` is no number of requests"), LIKE),
            },
            "rate_per_instance" => (Figure::RatePerInstance, Rate::parse(bound)?.0),
            _ => {
                let help = "it looks at `utilization`, `queue_length` or `rate_per_instance`";
                return malformed(format!("an autoscaler does not see `{word}`"), help);
            }
        };
        Ok(Self { figure, above: text.as_bytes()[at] == b'>', bound })
    }

    fn holds(&self, reading: &Reading) -> bool {
        let figure = reading.figure(self.figure);
        if self.above { figure > self.bound } else { figure < self.bound }
    }
}

scalar!(
    Condition,
    "a condition",
    Json::Pattern(Condition::PATTERN),
    ["utilization > 80%", "queue_length > 5"]
);

/// Tolerance of a target that says nothing of it.
const TOLERANCE: f64 = 0.1;
/// What rounding may add to a number of instances that is whole.
const ROUNDING: f64 = 1e-9;

/// A number of instances where each stands for `size` as many, at least one.
pub fn divided(number: u64, size: f64) -> u64 {
    ((number as f64 / size).round() as u64).max(1)
}

impl AutoscaleConfig {
    /// The plan, where an instance stands for `divisor` of those written, and is as large as `size`
    /// of them; `None` after an error.
    pub fn plan(
        &self,
        divisor: f64,
        size: f64,
        span: Span,
        out: &mut Diagnostics,
    ) -> Option<AutoscalePlan> {
        let mut right = true;
        let mut wrong = |span: Span, message: &str, help: &str| {
            out.error("E0504", span, message.to_owned()).help(help);
            right = false;
        };
        if self.min.value > self.max.value {
            wrong(self.min.span, "`min` is more than `max`", "at most `max` instances are ordered");
        }
        if self.every.value.0 == 0 {
            let help = "Kubernetes decides every 15s";
            wrong(self.every.span, "an autoscaler decides again after some time", help);
        }
        let steps = &self.steps.value;
        let rule = match (&self.target.value, steps.is_empty()) {
            (Some(target), true) => {
                let (figure, value) = target.figure(size);
                if value <= 0.0 {
                    wrong(
                        self.target.span,
                        "a target is more than nothing",
                        "no number of instances would be enough",
                    );
                }
                let tolerance = self.tolerance.value.map_or(TOLERANCE, |one| one.0);
                Rule::Target { figure, value, tolerance }
            }
            (None, false) => {
                if self.tolerance.value.is_some() {
                    let message = "`tolerance` belongs to a target";
                    wrong(self.tolerance.span, message, "the conditions of steps leave a gap");
                }
                if let Some(idle) = steps.iter().find(|step| step.add.value == 0) {
                    wrong(
                        idle.add.span,
                        "a step adds or removes at least one",
                        "write `add: 1` or `add: -1`",
                    );
                }
                Rule::Steps(steps.iter().map(|step| step.plan(divisor, size)).collect())
            }
            (both, _) => {
                let message = match both {
                    Some(_) => "an autoscaler has a target or steps, not both",
                    None => "an autoscaler needs a target or steps",
                };
                wrong(span, message, "write `target: { utilization: 60% }`");
                Rule::Steps(Vec::new())
            }
        };
        right.then(|| AutoscalePlan {
            min: divided(self.min.value, divisor) as u32,
            max: divided(self.max.value, divisor) as u32,
            rule,
            every: self.every.value,
            metric_delay: self.metric_delay.value,
            cooldown: self.cooldown.value,
            scale_in_after: self.scale_in_after.value,
        })
    }
}

impl ScaleTarget {
    /// The figure and its value, for an instance that is as large as `size` of those written.
    fn figure(&self, size: f64) -> (Figure, f64) {
        match self {
            Self::Utilization(share) => (Figure::Utilization, share.value.0),
            Self::QueueLength(waiting) => (Figure::QueueLength, waiting.value),
            Self::RatePerInstance(rate) => (Figure::RatePerInstance, rate.value.0 * size),
        }
    }
}

impl ScaleStep {
    fn plan(&self, divisor: f64, size: f64) -> StepPlan {
        let mut when = self.when.value;
        if when.figure == Figure::RatePerInstance {
            when.bound *= size;
        }
        let number = divided(self.add.value.unsigned_abs(), divisor) as i64;
        StepPlan { when, add: number * self.add.value.signum() }
    }
}

/// What never changes about an autoscaler.
#[derive(Clone, Debug, PartialEq)]
pub struct AutoscalePlan {
    /// Never fewer instances than this.
    pub min: u32,
    /// Never more.
    pub max: u32,
    /// What is wanted.
    pub rule: Rule,
    /// From one decision to the next, and the period of the figures.
    pub every: Duration,
    /// From the end of a period until its figures are known.
    pub metric_delay: Duration,
    /// After a change there is no other for so long.
    pub cooldown: Duration,
    /// Instances go only down to the most that was wanted within this time.
    pub scale_in_after: Duration,
}

/// How many instances a reading asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// As many as hold a figure at a value.
    Target {
        /// The figure.
        figure: Figure,
        /// Its value.
        value: f64,
        /// No change while figure / value is so near 1.
        tolerance: f64,
    },
    /// So many more or less as the first step says whose condition holds.
    Steps(Vec<StepPlan>),
}

/// A rule by steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepPlan {
    when: Condition,
    add: i64,
}

impl AutoscalePlan {
    /// Whether it looks at a figure.
    pub fn sees(&self, wanted: Figure) -> bool {
        match &self.rule {
            Rule::Target { figure, .. } => *figure == wanted,
            Rule::Steps(steps) => steps.iter().any(|step| step.when.figure == wanted),
        }
    }

    /// How many instances a reading asks for when so many are ordered.
    fn wish(&self, reading: &Reading, ordered: u32) -> u32 {
        let wish = match &self.rule {
            Rule::Target { figure, value, tolerance } => {
                let load = reading.figure(*figure) * reading.in_service;
                desired(ordered, load / f64::from(ordered) / value, *tolerance)
            }
            Rule::Steps(steps) => {
                let step = steps.iter().find(|step| step.when.holds(reading));
                let wish = i64::from(ordered) + step.map_or(0, |step| step.add);
                wish.clamp(0, i64::from(u32::MAX)) as u32
            }
        };
        wish.clamp(self.min, self.max)
    }
}

/// The ratio rule: so many instances that a figure which is now `ratio` times its target would
/// meet it. No change while the ratio is within `tolerance` of 1.
pub fn desired(current: u32, ratio: f64, tolerance: f64) -> u32 {
    if (ratio - 1.0).abs() <= tolerance + ROUNDING {
        return current;
    }
    (f64::from(current) * ratio - ROUNDING).ceil() as u32
}

/// What was measured over one period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Mean number of instances in service.
    pub in_service: f64,
    /// Busy core time over core time in service.
    pub utilization: f64,
    /// Mean number of requests waiting at an instance in service.
    pub queue_length: f64,
    /// Requests per second that came to an instance in service.
    pub rate_per_instance: f64,
}

impl Reading {
    fn figure(&self, figure: Figure) -> f64 {
        let figures: [f64; FIGURES] = [self.utilization, self.queue_length, self.rate_per_instance];
        figures[figure as usize]
    }
}

/// An autoscaler in one replication.
#[derive(Clone, Debug)]
pub struct Scaler {
    /// What was wanted, and when, not longer ago than `scale_in_after`.
    wishes: VecDeque<(Instant, u32)>,
    /// When it changed something last.
    changed: Option<Instant>,
}

impl Scaler {
    /// Nothing is known but how many there are; that counts as the first wish.
    pub fn new(now: Instant, instances: u32) -> Self {
        Self { wishes: VecDeque::from([(now, instances)]), changed: None }
    }

    /// How many instances there should be, when so many are ordered and a reading comes in; there
    /// is none when nobody was in service.
    pub fn decide(
        &mut self,
        plan: &AutoscalePlan,
        now: Instant,
        reading: Option<&Reading>,
        ordered: u32,
    ) -> u32 {
        let Some(reading) = reading else { return ordered };
        let wish = plan.wish(reading, ordered);
        let over = |at: Instant| at.0 + plan.scale_in_after.0 <= now.0;
        while self.wishes.front().is_some_and(|&(at, _)| over(at)) {
            self.wishes.pop_front();
        }
        self.wishes.push_back((now, wish));
        if self.changed.is_some_and(|at| now.0 < at.0 + plan.cooldown.0) {
            return ordered;
        }
        let most = self.wishes.iter().map(|&(_, wish)| wish).max().unwrap_or(wish);
        if wish > ordered { wish } else { most.min(ordered) }
    }

    /// What it decided is under way.
    pub fn acted(&mut self, now: Instant) {
        self.changed = Some(now);
    }
}

/// The place of an autoscaler in a file, and what is written there.
pub type Written<'a> = Option<(&'a AutoscaleConfig, Span)>;

/// The autoscaler of an optional key.
pub fn written(key: &Spanned<Option<AutoscaleConfig>>) -> Written<'_> {
    key.value.as_ref().map(|config| (config, key.span))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn plan(rule: Rule) -> AutoscalePlan {
        AutoscalePlan {
            min: 2,
            max: 20,
            rule,
            every: Duration(15 * SECOND),
            metric_delay: Duration(0),
            cooldown: Duration(0),
            scale_in_after: Duration(0),
        }
    }

    fn target(value: f64, tolerance: f64) -> AutoscalePlan {
        plan(Rule::Target { figure: Figure::Utilization, value, tolerance })
    }

    fn busy(in_service: f64, utilization: f64) -> Reading {
        Reading { in_service, utilization, queue_length: 0.0, rate_per_instance: 0.0 }
    }

    fn at(second: i64) -> Instant {
        Instant(second * SECOND)
    }

    /// P-ASC-02: the rows of the Kubernetes documentation's rule (current, metric, target).
    #[test]
    fn the_ratio_rule_is_that_of_kubernetes() {
        for (current, metric, target, expected) in
            [(3, 0.9, 0.5, 6), (4, 0.3, 0.6, 2), (10, 0.63, 0.6, 10), (5, 0.5, 0.6, 5)]
        {
            assert_eq!(desired(current, metric / target, 0.1), expected, "{current}");
        }
        // Both ends of the tolerance belong to it, and a whole number is not rounded up.
        assert_eq!(desired(10, 0.66 / 0.6, 0.1), 10);
        assert_eq!(desired(10, 0.54 / 0.6, 0.1), 10);
        assert_eq!(desired(10, 0.67 / 0.6, 0.1), 12);
        assert_eq!((1..100).filter(|&n| desired(n, 0.6 / 0.2, 0.0) != 3 * n).count(), 0);
    }

    #[test]
    fn what_is_ordered_is_not_ordered_again() {
        let plan = target(0.5, 0.0);
        let mut scaler = Scaler::new(at(0), 4);
        assert_eq!(scaler.decide(&plan, at(15), Some(&busy(4.0, 0.9)), 4), 8);
        // Still four serve; with the four on their way the load is at its target.
        assert_eq!(scaler.decide(&plan, at(30), Some(&busy(4.0, 0.9)), 8), 8);
        assert_eq!(scaler.decide(&plan, at(45), Some(&busy(4.0, 1.0)), 8), 8);
        assert_eq!(scaler.decide(&plan, at(60), Some(&busy(8.0, 0.9)), 8), 15);
    }

    #[test]
    fn wishes_stay_between_min_and_max() {
        let plan = target(0.5, 0.1);
        let mut scaler = Scaler::new(at(0), 10);
        assert_eq!(scaler.decide(&plan, at(15), Some(&busy(15.0, 1.0)), 15), 20);
        assert_eq!(scaler.decide(&plan, at(30), Some(&busy(15.0, 0.0)), 15), 2);
        assert_eq!(scaler.decide(&plan, at(45), None, 15), 15, "no data, no change");
    }

    #[test]
    fn instances_go_down_to_the_most_wanted_of_a_while() {
        let plan = AutoscalePlan { scale_in_after: Duration(60 * SECOND), ..target(0.5, 0.0) };
        let mut scaler = Scaler::new(at(0), 10);
        let mut decide = |second, wish: f64, ordered: u32| {
            let reading = busy(f64::from(ordered), wish * 0.5 / f64::from(ordered));
            scaler.decide(&plan, at(second), Some(&reading), ordered)
        };
        assert_eq!(decide(15, 6.0, 10), 10, "ten were there at the start");
        assert_eq!(decide(45, 4.0, 10), 10);
        assert_eq!(decide(60, 3.0, 10), 6, "the start is a minute ago");
        assert_eq!(decide(75, 3.0, 6), 4);
        assert_eq!(decide(90, 9.0, 4), 9, "more come at once");
    }

    #[test]
    fn a_cooldown_holds_both_ways() {
        let plan = AutoscalePlan { cooldown: Duration(60 * SECOND), ..target(0.5, 0.0) };
        let mut scaler = Scaler::new(at(0), 4);
        assert_eq!(scaler.decide(&plan, at(15), Some(&busy(4.0, 1.0)), 4), 8);
        scaler.acted(at(15));
        assert_eq!(scaler.decide(&plan, at(30), Some(&busy(8.0, 1.0)), 8), 8);
        assert_eq!(scaler.decide(&plan, at(74), Some(&busy(8.0, 0.1)), 8), 8);
        assert_eq!(scaler.decide(&plan, at(75), Some(&busy(8.0, 1.0)), 8), 16);
    }

    #[test]
    fn the_first_step_that_holds_counts() {
        let step = |when: &str, add| StepPlan { when: Condition::parse(when).expect(when), add };
        let plan = plan(Rule::Steps(vec![
            step("utilization > 80%", 4),
            step("utilization>60%", 1),
            step("queue_length > 2.5", 2),
            step("rate_per_instance < 10/s", -3),
        ]));
        let wish = |utilization, queue_length, rate_per_instance| {
            let reading = Reading { in_service: 8.0, utilization, queue_length, rate_per_instance };
            Scaler::new(at(0), 8).decide(&plan, at(15), Some(&reading), 8)
        };
        assert_eq!(wish(0.81, 9.0, 1.0), 12);
        assert_eq!(wish(0.8, 9.0, 1.0), 9);
        assert_eq!(wish(0.6, 2.6, 1.0), 10);
        assert_eq!(wish(0.6, 2.5, 9.9), 5);
        assert_eq!(wish(0.6, 2.5, 10.0), 8);
    }

    #[test]
    fn a_condition_is_a_figure_and_a_bound() {
        for (text, message) in [
            ("utilization", "`utilization` is no condition"),
            ("utilization >= 80%", "a bound is never met exactly"),
            ("latency > 80ms", "an autoscaler does not see `latency`"),
            ("utilization > 80", "`80` needs a unit"),
            ("queue_length > many", "`many` is no number of requests"),
            ("queue_length > -1", "`-1` is no number of requests"),
        ] {
            assert_eq!(Condition::parse(text).unwrap_err().message, message);
        }
    }
}
