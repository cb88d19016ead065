//! Which step of a ladder a load needs: the first that holds, until when, and what the later ones
//! would cost for nothing.
//!
//! It computes from capacities that were found and runs nothing. The order of the steps is the
//! order in which they were given: from the simplest to the most complex.

use super::{Capacity, Range};
use crate::experiment::verdict::Verdict;
use std::str::FromStr;

/// How a load grows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// By what share in a month.
    pub per_month: f64,
}

impl FromStr for Growth {
    type Err = String;

    /// Reads `8%/month` or `150%/year`; growth compounds.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no growth: write `8%/month` or `150%/year`");
        let (share, per) = text.split_once('/').ok_or_else(wrong)?;
        let share = share.trim().strip_suffix('%').ok_or_else(wrong)?;
        let share = share.trim().parse::<f64>().map_err(|_| wrong())? / 100.0;
        if !(share > 0.0 && share.is_finite()) {
            return Err(wrong());
        }
        match per.trim() {
            "month" => Ok(Self { per_month: share }),
            "year" => Ok(Self { per_month: (1.0 + share).powf(1.0 / 12.0) - 1.0 }),
            _ => Err(wrong()),
        }
    }
}

/// What a load needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    /// The load.
    pub load: f64,
    /// How it grows.
    pub growth: Option<Growth>,
    /// The number of the first step at which all SLOs hold; none where none does.
    pub chosen: Option<usize>,
    /// Months until the chosen step no longer holds, at least and at most; absent without growth,
    /// infinite where no end was found.
    pub months: Option<[f64; 2]>,
    /// What each step costs in a month more than the chosen one at this load; absent where a price
    /// is unknown.
    pub extra_usd: Vec<Option<f64>>,
}

/// What a load needs of these steps; none where they were not tried at one.
pub fn need(steps: &[Capacity], growth: Option<Growth>) -> Option<Need> {
    let load = steps.first()?.at.as_ref()?.load;
    let holds = |step: &Capacity| step.at.as_ref().is_some_and(|at| at.verdict == Verdict::Holds);
    let chosen = steps.iter().position(holds);
    let cost = |step: &Capacity| step.at.as_ref().and_then(|at| at.month_usd);
    let base = chosen.and_then(|chosen| cost(&steps[chosen]));
    Some(Need {
        load,
        growth,
        chosen,
        months: chosen
            .zip(growth)
            .map(|(chosen, growth)| months(steps[chosen].range, load, growth)),
        extra_usd: steps.iter().map(|step| Some(cost(step)? - base?)).collect(),
    })
}

fn months(range: Range, load: f64, growth: Growth) -> [f64; 2] {
    let until = |end: f64| ((end / load).ln() / growth.per_month.ln_1p()).max(0.0);
    [until(range.low.unwrap_or(load)), range.high.map_or(f64::INFINITY, until)]
}

#[cfg(test)]
mod tests {
    use super::super::Trial;
    use super::*;

    fn step(low: f64, verdict: Verdict, dollars: f64) -> Capacity {
        let at = Trial { load: 300e3, verdict, month_usd: Some(dollars), ..Trial::default() };
        Capacity {
            name: String::new(),
            file: String::new(),
            digest: String::new(),
            claim: None,
            vary: "users.count".to_owned(),
            written: crate::units::quantity::Quantity::count("1K").expect("a count"),
            seed: 1,
            range: Range { low: Some(low), high: Some(low * 1.02) },
            binding: None,
            limit: None,
            month_usd: None,
            at: Some(at),
            at_least: None,
            checks: Vec::new(),
            losses: Vec::new(),
            trials: Vec::new(),
        }
    }

    #[test]
    fn the_first_step_that_holds_is_enough_until_growth_has_eaten_its_reserve() {
        let steps = [
            step(180e3, Verdict::Fails, 30e3),
            step(600e3, Verdict::Holds, 52e3),
            step(1.2e6, Verdict::Holds, 58e3),
        ];
        let growth = "8%/month".parse().expect("it is one");
        let need = need(&steps, Some(growth)).expect("they were tried");
        assert_eq!(need.chosen, Some(1));
        assert_eq!(need.extra_usd, [Some(-22e3), Some(0.0), Some(6e3)]);
        // Doubling at 8 % a month takes ln 2 / ln 1.08 = 9.006 months.
        let [least, most] = need.months.expect("it grows");
        assert!((least - 9.006).abs() < 0.001, "{least}");
        assert!((most - 9.264).abs() < 0.001, "{most}");
        let growth: Growth = "150%/year".parse().expect("it is one");
        assert!((growth.per_month - 0.0793).abs() < 1e-4);
        for text in ["8%", "8/month", "8%/week", "-1%/month", "0%/month"] {
            assert!(text.parse::<Growth>().is_err(), "{text}");
        }
        let none = super::need(&steps[..1], Some(growth)).expect("it was tried");
        assert_eq!((none.chosen, none.months), (None, None));
    }
}
