//! Input uncertainty as JSON.
//!
//! It copies figures and computes none.

use super::layout::{estimate, number, value};
use crate::experiment::summary::Named;
use crate::experiment::uncertain::{Influence, Moved, Parameter, QUANTILES, Uncertainty};
use serde_json::{Map, Value as Json, json};

pub(super) fn uncertainty(uncertainty: &Uncertainty) -> Json {
    let refused = |(values, why): &(Named<String>, String)| {
        let values = values.iter().map(|(path, value)| (path.clone(), json!(value)));
        json!({ "values": values.collect::<Map<_, _>>(), "why": why })
    };
    json!({
        "planned": uncertainty.planned,
        "samples": uncertainty.samples,
        "growing": uncertainty.growing,
        "parameters": uncertainty.parameters.iter().map(parameter).collect::<Vec<_>>(),
        "figures": uncertainty.figures.iter().map(moved).collect::<Vec<_>>(),
        "refused": uncertainty.refused.iter().map(refused).collect::<Vec<_>>(),
    })
}

fn parameter(parameter: &Parameter) -> Json {
    json!({
        "path": parameter.path,
        "value": parameter.value,
        "low": parameter.low,
        "high": parameter.high,
        "source": parameter.source,
    })
}

fn moved(moved: &Moved) -> Json {
    let influence = |one: &Influence| {
        json!({
            "path": one.path,
            "rank_correlation": number(one.correlation),
            "share": number(one.share),
            "proven": one.proven,
        })
    };
    let spread = QUANTILES.iter().zip(moved.spread);
    let spread = spread.map(|(&(name, _), quantile)| (name.to_owned(), value(quantile)));
    let verdicts = moved.verdicts.map(|[holds, undecided, fails]| {
        json!({ "holds": holds, "undecided": undecided, "fails": fails })
    });
    json!({
        "expression": moved.expression,
        "unit": moved.unit.word(),
        "written": estimate(&moved.written),
        "spread": spread.collect::<Map<_, _>>(),
        "over_noise": moved.over_noise.map(number),
        "verdicts": verdicts,
        "influences": moved.influences.iter().map(influence).collect::<Vec<_>>(),
    })
}
