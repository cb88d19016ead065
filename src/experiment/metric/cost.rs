//! What `cost.month` and `cost.per_million` mean in a plan.
//!
//! The figures are reckoned beside; here are the mistakes of who asks for them.

use super::Subject;
use super::resolve::{NOT_OF_THIS, between};
use crate::experiment::cost::CostMeasure;
use crate::language::expression::{Measure, Metric as Word};
use crate::language::{Diagnostics, Spanned};
use crate::world::Plan;

/// The figure of a word, if it is one of the cost.
pub(super) fn measure(word: Word) -> Option<CostMeasure> {
    match word {
        Word::CostMonth => Some(CostMeasure::Month),
        Word::CostPerMillion => Some(CostMeasure::PerMillion),
        _ => None,
    }
}

/// The subject; mistakes go to `out`.
pub(super) fn subject(
    what: CostMeasure,
    plan: &Plan,
    measure: &Measure,
    address: &[Spanned<String>],
    out: &mut Diagnostics,
) -> Option<Subject> {
    if let [first, ..] = address {
        let span = between(first.span, address[address.len() - 1].span);
        let name = measure.metric.value.word().name();
        out.error(NOT_OF_THIS, span, "the cost is a figure of the whole system")
            .help(format!("write `{name}` alone; the report has a line for each part"));
        return None;
    }
    if plan.cost.is_none() {
        out.error(
            NOT_OF_THIS,
            measure.span,
            "nothing here has a price, so it has no figure of cost",
        )
        .help(
            "give components a `machine` of a type, like `m5.xlarge`, or a `price`; or write \
                 `prices: {}`",
        );
        return None;
    }
    Some(Subject::Cost(what))
}
