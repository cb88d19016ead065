//! The bill: what a month of the system costs, from what is provisioned and what was used.
//!
//! Machines are paid for 730 hours a month, whether they serve, wait or are down; of instances that
//! come and go, the mean number ordered is. What is paid by the amount is counted in the measured
//! time, which usually is a peak hour, and a month has as many of those seconds as 730 hours times
//! the product's mean-to-peak ratio. A run that was shrunk is counted at full size. It knows prices
//! and amounts only; what is paid is settled by the plan.

use super::metric::Reading;
use super::statistics::{Estimate, Value};
use super::summarize::quotient;
use super::summary::{Cost, CostLine, Unit};
use crate::components::topology::Topology;
use crate::units::HOURS_PER_MONTH;
use crate::world::cost::{CostBasis, CostLinePlan, CostPlan};
use crate::world::{Observations, Plan};

/// What is measured of the cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CostMeasure {
    /// Dollars a month.
    Month,
    /// Dollars for a million answered requests, loads of pages included.
    PerMillion,
}

impl CostMeasure {
    /// The figure in one replication; no data where nothing is priced or nothing is answered.
    pub(super) fn read(self, plan: &Plan, observed: &Observations) -> Reading {
        let figure = plan.cost.as_ref().map_or(Value::NoData, |cost| {
            let month = month(cost, &plan.topology, observed);
            match self {
                Self::Month => month.into(),
                Self::PerMillion => quotient(month * 1e6, requests(cost, observed)),
            }
        });
        Reading::figure(figure)
    }
}

/// The bill of a plan, where there is one.
pub fn cost(plan: &Plan, observed: &[Observations]) -> Option<Cost> {
    let cost = plan.cost.as_ref()?;
    let over = |figure: &dyn Fn(&Observations) -> Value| {
        Estimate::of(&observed.iter().map(figure).collect::<Vec<_>>())
    };
    let line = |line: &CostLinePlan| {
        let amount = |one: &Observations| amount(line, cost, &plan.topology, one);
        CostLine {
            payer: line.payer.clone(),
            item: line.item.clone(),
            source: line.source.clone(),
            unit: match line.basis {
                CostBasis::Machines { .. }
                | CostBasis::Ordered { .. }
                | CostBasis::Calls { .. } => Unit::Count,
                CostBasis::Answers { .. } => Unit::Bytes,
            },
            amount: over(&|one| amount(one).into()),
            month_usd: over(&|one| dollars(line, amount(one)).into()),
        }
    };
    Some(Cost {
        table: cost.table.clone(),
        discount: cost.discount,
        mean_to_peak: cost.mean_to_peak,
        month_usd: over(&|one| CostMeasure::Month.read(plan, one).value),
        per_million_usd: over(&|one| CostMeasure::PerMillion.read(plan, one).value),
        lines: cost.lines.iter().map(line).collect(),
        unpriced: cost.unpriced.clone(),
    })
}

/// Dollars of a month.
fn month(cost: &CostPlan, topology: &Topology, observed: &Observations) -> f64 {
    cost.lines.iter().map(|line| dollars(line, amount(line, cost, topology, observed))).sum()
}

/// What is paid in a month: machines, or bytes.
fn amount(
    line: &CostLinePlan,
    cost: &CostPlan,
    topology: &Topology,
    observed: &Observations,
) -> f64 {
    match &line.basis {
        CostBasis::Machines { number, .. } => *number,
        CostBasis::Ordered { component, each, .. } => {
            let ordered = &observed.ledger.components[*component].ordered;
            ordered.mean().map_or(0.0, |mean| mean * each)
        }
        CostBasis::Calls { component, .. } => {
            let calls = &observed.ledger.components[*component].operations;
            let probe = topology.probe().index();
            let calls: u64 = calls[..probe].iter().map(|calls| calls.completed).sum();
            calls as f64 * months(cost, observed)
        }
        CostBasis::Answers { component, without, .. } => {
            let answered = |component: &usize, operation: usize| {
                observed.ledger.components[*component].operations[operation].completed
            };
            // What came too late, or was on its way at an end, can be among the others alone.
            let here = |operation: usize| {
                let others: u64 = without.iter().map(|other| answered(other, operation)).sum();
                answered(component, operation).saturating_sub(others) as f64
            };
            let bytes = topology.operations.iter().enumerate();
            let bytes = bytes.map(|(operation, facts)| here(operation) * facts.response_bytes);
            bytes.sum::<f64>() * months(cost, observed)
        }
    }
}

fn dollars(line: &CostLinePlan, amount: f64) -> f64 {
    match &line.basis {
        CostBasis::Machines { month, .. } | CostBasis::Ordered { month, .. } => amount * month,
        CostBasis::Calls { each, .. } => amount * each,
        CostBasis::Answers { tariff, .. } => tariff.of(amount / 1e9),
    }
}

/// Requests answered in a month.
fn requests(cost: &CostPlan, observed: &Observations) -> f64 {
    let answered: u64 = observed.users.iter().map(|ledger| ledger.throughput).sum();
    answered as f64 * months(cost, observed)
}

/// How many times what was counted in the measured time happens in a month.
fn months(cost: &CostPlan, observed: &Observations) -> f64 {
    let seconds = observed.duration.0 as f64 / 1e9;
    HOURS_PER_MONTH * 3600.0 / seconds * cost.mean_to_peak * cost.shrink
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::fixture;
    use crate::units::Duration;
    use crate::world::cost::Tariff;
    use crate::world::{Conditions, simulate};

    /// Every line of a bill by hand, from the counts of the run.
    #[test]
    fn a_bill_is_its_machines_and_what_was_used() {
        let mut plan = fixture::queue(50.0, 10.0, 100);
        let line = |payer: &str, basis| CostLinePlan {
            payer: payer.into(),
            item: "row".into(),
            source: "a test".into(),
            basis,
        };
        let tariff = Tariff { steps: vec![(0.0, 0.09), (10.0, 0.05)] };
        let answers = |component, tariff| {
            let without = Vec::new();
            CostBasis::Answers { component, without, tariff }
        };
        plan.cost = Some(CostPlan {
            table: "aws_us_east_1".into(),
            discount: 0.0,
            mean_to_peak: 0.4,
            shrink: 10.0,
            lines: vec![
                line("server", CostBasis::Machines { number: 3.0, month: 100.0 }),
                line("users", answers(0, tariff.clone())),
                line("server", answers(1, tariff)),
            ],
            unpriced: vec!["db".into()],
        });
        let conditions =
            Conditions { seed: 1, replication: 0, warmup: Duration(0), faults: true, stop: None };
        let observed = simulate(&plan, conditions);
        let answered = observed.users[0].throughput as f64;
        // 100 s of the run, 730 h a month at 40 % of the load, ten times as many users.
        let requests = answered * 7.3 * 3600.0 * 0.4 * 10.0;
        let gigabytes = requests * 6e3 / 1e9;
        let bytes = |requests: f64| (requests / answered * gigabytes - 10.0) * 0.05 + 0.9;
        let served = observed.ledger.components[1].operations[0].completed as f64;
        let expected = 300.0 + bytes(answered) + bytes(served);
        let near = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-9, "{a}, not {b}");
        let read = |measure: CostMeasure| {
            measure.read(&plan, &observed).value.finite().expect("it is priced")
        };
        near(read(CostMeasure::Month), expected);
        near(read(CostMeasure::PerMillion), expected / requests * 1e6);

        let bill = cost(&plan, std::slice::from_ref(&observed)).expect("it is priced");
        let figures: Vec<f64> =
            bill.lines.iter().map(|line| line.month_usd.mean.finite().unwrap()).collect();
        near(figures[0], 300.0);
        near(figures.iter().sum(), expected);
        near(bill.lines[1].amount.mean.finite().unwrap(), gigabytes * 1e9);
        assert_eq!(bill.unpriced, ["db"]);
    }

    #[test]
    fn what_is_not_priced_has_no_cost() {
        let plan = fixture::queue(50.0, 10.0, 10);
        let conditions =
            Conditions { seed: 1, replication: 0, warmup: Duration(0), faults: true, stop: None };
        let observed = simulate(&plan, conditions);
        assert_eq!(CostMeasure::Month.read(&plan, &observed).value, Value::NoData);
        assert!(cost(&plan, &[observed]).is_none());
    }
}
