//! What is paid for a plan: the lines of its bill, each with what it is reckoned from.
//!
//! Plain data, made when a scenario is compiled; a run does not look at it. The amounts come from
//! the observations, on the floor above.

/// What is paid, in dollars.
#[derive(Clone, Debug, PartialEq)]
pub struct CostPlan {
    /// The name of the price table.
    pub table: String,
    /// Taken off the prices of the table; the lines' prices are less this already.
    pub discount: f64,
    /// Requests of the mean hour over those of an hour like the run.
    pub mean_to_peak: f64,
    /// By how much users and instances were divided; amounts are multiplied by it again.
    pub shrink: f64,
    /// The lines.
    pub lines: Vec<CostLinePlan>,
    /// Components and hosts that have no price.
    pub unpriced: Vec<String>,
}

/// One line of the bill.
#[derive(Clone, Debug, PartialEq)]
pub struct CostLinePlan {
    /// The component, the host, or `users`.
    pub payer: String,
    /// The row of the price table, or `price` for one of the component's own.
    pub item: String,
    /// Where its price comes from.
    pub source: String,
    /// What is counted and paid.
    pub basis: CostBasis,
}

/// What is counted, and its price.
#[derive(Clone, Debug, PartialEq)]
pub enum CostBasis {
    /// Machines, paid by the time whether they serve or not.
    Machines {
        /// How many, at full size.
        number: f64,
        /// Dollars a month for each.
        month: f64,
    },
    /// The instances of a component that come and go, paid from order to end.
    Ordered {
        /// The component by number.
        component: usize,
        /// How many at full size one instance of the run stands for.
        each: f64,
        /// Dollars a month for one at full size.
        month: f64,
    },
    /// The calls that a component answers.
    Calls {
        /// The component by number.
        component: usize,
        /// Dollars for each.
        each: f64,
    },
    /// The bytes that a component answers with; component 0 is the users, and what they get.
    Answers {
        /// The component by number.
        component: usize,
        /// Components, by number, whose answers are paid otherwise and are part of these.
        without: Vec<usize>,
        /// Dollars by the amount.
        tariff: Tariff,
    },
}

/// A price by the amount of a month that changes with the amount.
#[derive(Clone, Debug, PartialEq)]
pub struct Tariff {
    /// From so many gigabytes a month on, dollars for each further one; the first from 0, rising.
    pub steps: Vec<(f64, f64)>,
}

impl Tariff {
    /// Dollars for so many gigabytes in a month.
    pub fn of(&self, gigabytes: f64) -> f64 {
        let ends = self.steps.iter().skip(1).map(|(from, _)| *from).chain([f64::INFINITY]);
        let part = |((from, dollars), end): (&(f64, f64), f64)| {
            (gigabytes.min(end) - from).max(0.0) * dollars
        };
        self.steps.iter().zip(ends).map(part).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_is_paid_at_its_own_price() {
        let steps = vec![(0.0, 0.09), (10e3, 0.085), (50e3, 0.07), (150e3, 0.05)];
        let tariff = Tariff { steps };
        for (gigabytes, dollars) in [
            (0.0, 0.0),
            (1e3, 90.0),
            (10e3, 900.0),
            (11e3, 985.0),
            (50e3, 900.0 + 3400.0),
            (200e3, 900.0 + 3400.0 + 7000.0 + 2500.0),
        ] {
            assert!((tariff.of(gigabytes) - dollars).abs() < 1e-9, "{gigabytes}");
        }
    }
}
