//! What the plan alone lets expect, beside what was measured.
//!
//! Two sorts of forecast. The operational laws (Denning and Buzen 1978) hold for any system that
//! neither loses nor repeats requests: visits, work and busy cores follow from the programs and the
//! load. Queueing formulas hold where their assumptions do, and stand here only then, or as a
//! bound, or with the word that they are approximations. Where the measured interval excludes a
//! forecast by more than a percent, what the formula does not know is listed. Nothing here enters a
//! measured figure or a verdict. Tails are not forecast, and no formula is used for what holds its
//! slots while it calls others.

mod closed;
mod erlang;
mod laws;
mod network;
mod reasons;
mod station;

use super::statistics::Estimate;
use super::summary::{Bound, Component, Forecast, Formula, Named, Traffic, Unit};
use crate::scenario::flow::{Flow, follow};
use crate::world::{Observations, Plan};
use reasons::{Concern, reasons};

/// A forecast that is off by less is as good as right, whatever the interval says.
const NEAR: f64 = 0.01;

/// What the forecasts are made of, and what they are compared with.
pub struct Context<'a> {
    /// What was simulated.
    pub plan: &'a Plan,
    /// What each replication has observed.
    pub observed: &'a [Observations],
    /// The measured figures of the components, in the order of the plan.
    pub components: &'a Named<Component>,
    /// The measured figures of all requests.
    pub overall: &'a Traffic,
    /// Whether the system had settled when it began to be measured, as far as one knows.
    pub settled: bool,
}

/// The forecasts for a plan; none where nothing is known of the way of a request.
pub fn forecast(context: &Context<'_>) -> Option<Forecast> {
    let plan = context.plan;
    let (flow, _) = follow(&plan.topology, &plan.components, &plan.users, plan.window.duration);
    let seen = Seen { context, flow: &flow };
    let laws = laws::laws(&seen);
    let mut formulas: Vec<Formula> = network::formulas(&seen);
    formulas.extend(
        (1..plan.topology.components.len()).flat_map(|index| station::formulas(&seen, index)),
    );
    (!laws.is_empty() || !formulas.is_empty()).then_some(Forecast { laws, formulas })
}

/// The context with the expected flow of calls.
struct Seen<'a> {
    context: &'a Context<'a>,
    flow: &'a Flow,
}

/// What a formula says of something, before it is compared.
struct Said {
    formula: String,
    quantity: &'static str,
    unit: Unit,
    bound: Bound,
    /// In the unit.
    predicted: f64,
    assumed: Option<&'static str>,
}

impl Said {
    fn new(formula: impl Into<String>, quantity: &'static str, unit: Unit, predicted: f64) -> Self {
        let formula = formula.into();
        Self { formula, quantity, unit, bound: Bound::Equal, predicted, assumed: None }
    }

    fn at_most(self) -> Self {
        Self { bound: Bound::AtMost, ..self }
    }

    fn at_least(self) -> Self {
        Self { bound: Bound::AtLeast, ..self }
    }

    fn assuming(self, what: &'static str) -> Self {
        Self { assumed: Some(what), ..self }
    }
}

impl Seen<'_> {
    fn plan(&self) -> &Plan {
        self.context.plan
    }

    /// The measured figures of a component.
    fn component(&self, index: usize) -> &Component {
        &self.context.components[index - 1].1
    }

    fn name(&self, index: usize) -> String {
        self.plan().topology.components[index].name.clone()
    }

    /// The expected calls per second of a component.
    fn rate(&self, index: usize) -> f64 {
        let here = self.flow.rates.iter().filter(|(visit, _)| visit.component.index() == index);
        here.map(|(_, rate)| rate).sum()
    }

    /// Whether nothing came of what callers on a link do about failures: then the calls went as if
    /// they had waited for ever.
    fn is_quiet(&self, link: usize) -> bool {
        let policy = &self.plan().topology.links[link].policy;
        let free = policy.timeout.is_none() && policy.retries.is_none();
        let calm = |one: &Observations| {
            one.ledger.links[link].failed == 0 && one.ledger.links[link].repeats == 0
        };
        policy.pool.is_none() && (free || self.context.observed.iter().all(calm))
    }

    /// What a formula says, beside what was measured; `index` is none for the users.
    fn beside(&self, index: Option<usize>, said: Said, measured: Estimate) -> Formula {
        let Said { formula, quantity, unit, bound, predicted, assumed } = said;
        let reasons = match is_excluded(bound, predicted, &measured) {
            true => reasons(self, index, Concern::Time),
            false => Vec::new(),
        };
        Formula {
            subject: index.map_or_else(|| "users".to_owned(), |index| self.name(index)),
            formula,
            quantity: quantity.to_owned(),
            unit,
            bound,
            predicted,
            measured,
            assumed: assumed.map(str::to_owned),
            reasons,
        }
    }
}

/// Whether the measured interval speaks against a forecast.
fn is_excluded(bound: Bound, predicted: f64, measured: &Estimate) -> bool {
    let (Some([low, high]), Some(mean)) = (measured.ci95, measured.mean.finite()) else {
        return false;
    };
    let (below, above) = (high < predicted, low > predicted);
    let far = (mean - predicted).abs() > NEAR * predicted.abs();
    far && match bound {
        Bound::Equal => below || above,
        Bound::AtMost => above,
        Bound::AtLeast => below,
    }
}

#[cfg(test)]
mod tests;
