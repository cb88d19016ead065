//! Whether the figures of the SLOs are as tight as was asked for.
//!
//! Looking at the intervals after each batch, and stopping when they are narrow, makes them a
//! little too narrow on average; batches of several replications keep that small. It knows no
//! replications.

use super::judge::Question;
use super::statistics::Value;
use super::summary::{Judged, Precision, Unit};
use super::verdict::Demand;
use crate::scenario::settings::PrecisionPlan;

/// How tight the least tight of the SLOs' figures is.
pub fn precision(wanted: &PrecisionPlan, slo: &[Question], judged: &[Judged]) -> Precision {
    let pairs = slo.iter().zip(judged);
    let widths = pairs.filter_map(|(question, one)| {
        Some((relative(question.demand(), one)?, one.expression.clone()))
    });
    let worst = widths.max_by(|a, b| a.0.total_cmp(&b.0));
    let reached = worst.as_ref().is_none_or(|(width, _)| *width <= wanted.half_width);
    Precision { wanted: wanted.half_width, at_most: wanted.at_most, worst, reached }
}

/// Half of an interval over its figure. A share is measured by itself or the rest to one, whichever
/// is less: an availability within 2 % would say nothing. One that is nearly zero is measured by
/// its target: no number of requests gives the rate of failures that do not happen. What is
/// infinite or was not observed is not near anything.
fn relative(demand: Demand, judged: &Judged) -> Option<f64> {
    let target = match demand {
        // Each replication is exact or not, and no interval is asked.
        Demand::Exactly(_) => return None,
        Demand::Below(target)
        | Demand::AtMost(target)
        | Demand::Above(target)
        | Demand::AtLeast(target)
        | Demand::Within { target, .. } => target * judged.unit.from_base(),
    };
    let Value::Finite(mean) = judged.value.mean else { return Some(f64::INFINITY) };
    let Some(half) = judged.value.half_width() else { return Some(f64::INFINITY) };
    let rest = |share: f64| share.min(1.0 - share).abs();
    let of = match judged.unit {
        Unit::Ratio => rest(mean).max(rest(target)),
        Unit::Count => mean.abs().max(target.abs()),
        _ => mean.abs(),
    };
    Some(if half == 0.0 { 0.0 } else { half / of })
}
