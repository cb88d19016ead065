//! Measured figures: what an expression's names mean in a plan, and their value in one replication.
//!
//! A metric is found once ([`resolve`]) and read from each replication's observations. Rates and
//! shares of calls leave out health probes; levels (calls present, waiting, busy cores) hold them.
//! It does not know intervals, targets or verdicts.
//!
//! A figure of a fault has one value per replication: the statistic over the fault's occurrences in
//! the measured time. Without a statistic, `errors` is their sum and `detect_time` their mean. An
//! occurrence that no check had seen has no time of detection.

mod component;
mod cost;
mod fault;
mod period;
mod resolve;
#[cfg(test)]
mod tests;
mod users;
mod words;

use super::cost::CostMeasure;
use super::statistics::Value;
use crate::language::expression::Statistic;
use crate::world::{Observations, Plan};

pub use component::ComponentMeasure;
pub(super) use component::{calls, in_service_core_ns, wait};
pub use fault::{FaultMeasure, occurrences};
pub use period::{Period, Time};
pub use resolve::{CODES, Point, resolve, resolve_period};
pub use users::UserMeasure;
pub(super) use users::{answered, felt};

/// A figure of one plan, in base units: nanoseconds, per second, share of 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Of whom or what.
    pub subject: Subject,
    /// Which statistic of it; the mean of what has only one.
    pub statistic: Statistic,
    /// When; the whole measured time without one.
    pub period: Option<Period>,
}

/// Of whom or what a figure is.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// Of the users' requests of some operations, in some regions.
    Users {
        /// Their ledgers by number.
        ledgers: Vec<usize>,
        /// What.
        measure: UserMeasure,
    },
    /// Of the calls to a component.
    Component {
        /// The component by number.
        component: usize,
        /// One operation only.
        operation: Option<usize>,
        /// What.
        measure: ComponentMeasure,
    },
    /// Of a fault's occurrences.
    Fault {
        /// The fault by number.
        fault: usize,
        /// What, and whether over the occurrences or for all of them together.
        measure: FaultMeasure,
    },
    /// Of the bill.
    Cost(CostMeasure),
}

/// What one replication says about a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// The figure.
    pub value: Value,
    /// For a share: how many, and of how many.
    pub counts: Option<(u64, u64)>,
    /// For a number of events: that number.
    pub events: Option<u64>,
}

impl Reading {
    /// A share of a number of requests or calls; no data where there are none.
    pub fn share(part: u64, of: u64) -> Self {
        let value = Value::from((of > 0).then(|| part as f64 / of as f64));
        Self { value, counts: Some((part, of)), events: None }
    }

    /// A figure that is no share of a number.
    pub fn figure(value: impl Into<Value>) -> Self {
        Self { value: value.into(), counts: None, events: None }
    }

    /// A number of events.
    pub fn events(number: u64) -> Self {
        Self { value: (number as f64).into(), counts: None, events: Some(number) }
    }
}

impl Metric {
    /// The figure in one replication.
    pub fn read(&self, plan: &Plan, observed: &Observations) -> Reading {
        let spans = self.period.as_ref().map(|period| period.spans(observed));
        match &self.subject {
            Subject::Users { ledgers, measure } => {
                measure.read(ledgers, self.statistic, observed, spans.as_deref())
            }
            Subject::Component { component, operation, measure } => {
                let at = component::Place { component: *component, operation: *operation };
                measure.read(plan, at, self.statistic, observed, spans.as_deref())
            }
            Subject::Fault { fault, measure } => measure.read(*fault, self.statistic, observed),
            Subject::Cost(measure) => measure.read(plan, observed),
        }
    }
}

/// A quotient of counts per time; no data without time.
fn per_second(count: u64, nanoseconds: i64) -> Reading {
    let seconds = nanoseconds as f64 / 1e9;
    Reading::figure((nanoseconds > 0).then(|| count as f64 / seconds))
}

/// A quotient; no data where the divisor is zero or infinite.
fn quotient(part: f64, of: f64) -> Reading {
    Reading::figure((of > 0.0 && of.is_finite()).then(|| part / of))
}
