//! A summary that was saved, read back as far as a comparison needs it.
//!
//! It reads what [`write`](super::write) has written, of the same format, and nothing else.

use super::FORMAT;
use crate::experiment::compare::Side;
use crate::experiment::statistics::Value;
use crate::experiment::summary::{Better, Figure, ScenarioId, Unit};
use crate::experiment::verdict::Verdict;
use serde_json::Value as Json;

/// The side of a comparison that a saved summary is.
///
/// # Errors
/// What is wrong with the text.
pub fn side(label: &str, text: &[u8]) -> Result<Side, String> {
    let json: Json = serde_json::from_slice(text).map_err(|error| format!("no JSON: {error}"))?;
    match json["format"].as_u64() {
        Some(format) if format == u64::from(FORMAT) => {}
        Some(format) => return Err(format!("a summary of format {format}, not {FORMAT}")),
        None => return Err("no summary of a run".to_owned()),
    }
    read(label, &json).ok_or_else(|| {
        "a summary without the figures of its replications; save it anew with `run`".to_owned()
    })
}

fn read(label: &str, json: &Json) -> Option<Side> {
    let text = |json: &Json| json.as_str().map(str::to_owned);
    let scenario = &json["scenario"];
    let figures = json["figures"].as_object()?.iter();
    let limit = |json: &Json| {
        let name = format!("{} {}", json["component"].as_str()?, json["resource"].as_str()?);
        Some((name, json["limit_rps"].as_f64()?))
    };
    let verdicts = json["slo"].as_array()?.iter();
    let verdicts = verdicts.map(|one| Verdict::of(one["verdict"].as_str()?));
    let verdicts = verdicts.collect::<Option<Vec<_>>>()?;
    Some(Side {
        label: label.to_owned(),
        scenario: ScenarioId {
            name: text(&scenario["name"])?,
            file: text(&scenario["file"])?,
            digest: text(&scenario["digest"])?,
        },
        seed: json["seed"].as_u64()?,
        warmup_s: json["warmup_s"].as_f64()?,
        replications: u32::try_from(json["replications"].as_u64()?).ok()?,
        figures: figures
            .map(|(name, one)| Some((name.clone(), figure(one)?)))
            .collect::<Option<Vec<_>>>()?,
        verdict: (!verdicts.is_empty()).then(|| Verdict::all(verdicts)),
        limit: json["bottleneck"]["limits"].get(0).and_then(limit),
    })
}

fn figure(json: &Json) -> Option<Figure> {
    Some(Figure {
        unit: Unit::of(json["unit"].as_str()?)?,
        better: match &json["better"] {
            Json::Null => None,
            word => Some(
                [Better::Lower, Better::Higher]
                    .into_iter()
                    .find(|better| word.as_str() == Some(better.word()))?,
            ),
        },
        values: json["values"].as_array()?.iter().map(value).collect::<Option<Vec<_>>>()?,
        trials: json["trials"].as_array()?.iter().map(Json::as_u64).collect::<Option<_>>()?,
        events: json["events"].as_bool()?,
    })
}

fn value(json: &Json) -> Option<Value> {
    match json {
        Json::Null => Some(Value::NoData),
        Json::String(word) if word == "none" => Some(Value::Infinite),
        number => number.as_f64().map(Value::Finite),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{super::example, write};
    use super::*;

    #[test]
    fn a_summary_reads_back_as_the_side_that_it_was() {
        for summary in [example::summary(), example::dead()] {
            let text = write(&summary);
            assert_eq!(side("main", text.as_bytes()), Ok(Side::of("main", &summary)));
        }
    }

    #[test]
    fn what_is_no_summary_is_said() {
        let says = |text: &str| side("main", text.as_bytes()).expect_err("it is none");
        assert!(says("{").starts_with("no JSON: "));
        assert_eq!(says("[1]"), "no summary of a run");
        assert_eq!(says("{ \"format\": 7 }"), "a summary of format 7, not 2");
        assert!(says("{ \"format\": 2 }").contains("save it anew"));
    }
}
