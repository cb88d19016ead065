//! The summary as JSON: a stable interface, described by `summary.schema.json` beside this file.
//!
//! Equal summaries give equal bytes: keys stand in a fixed order and numbers are rounded to nine
//! significant digits, far below the simulation's noise. It computes nothing.

pub mod capacity;
pub mod comparison;
mod layout;
pub mod saved;
mod uncertain;
pub mod verify;

use crate::experiment::statistics::Value;
use crate::experiment::summary::{
    Beside, Better, Bottleneck, Component, Cost, CostLine, Extra, FailurePlace, Fault, Figure,
    Forecast, Formula, InService, Judged, Law, Limit, Precision, QUANTILES, Quantiles, Summary,
    Traffic,
};
use layout::{estimate, named, number, value};
use serde_json::{Map, Value as Json, json};

/// The JSON Schema (draft 2020-12) of the summary.
pub const SCHEMA: &str = include_str!("summary.schema.json");

/// The version of the format; it changes only when something is renamed or removed.
const FORMAT: u32 = 2;

/// The summary as JSON text that ends with a line break.
pub fn write(summary: &Summary) -> String {
    let mut json = summary_of(summary);
    if let Some(uncertainty) = &summary.uncertainty {
        let map = json.as_object_mut().expect("a summary is an object");
        map.insert("uncertainty".into(), uncertain::uncertainty(uncertainty));
    }
    layout::text(&json)
}

fn summary_of(summary: &Summary) -> Json {
    let scenario = &summary.scenario;
    json!({
        "format": FORMAT,
        "scenario": {
            "name": scenario.name,
            "file": scenario.file,
            "digest": scenario.digest,
        },
        "seed": summary.seed,
        "replications": summary.replications,
        "duration_s": number(summary.duration_s),
        "warmup_s": number(summary.warmup_s),
        "shrink": number(summary.shrink),
        "precision": summary.precision.as_ref().map(precision),
        "warnings": summary.warnings,
        "overall": traffic(&summary.overall),
        "operations": named(&summary.operations, traffic),
        "regions": named(&summary.regions, traffic),
        "components": named(&summary.components, component),
        "figures": named(&summary.figures, figure),
        "faults": summary.faults.iter().map(fault).collect::<Vec<_>>(),
        "slo": summary.slo.iter().map(judged).collect::<Vec<_>>(),
        "expect": summary.expect.iter().map(judged).collect::<Vec<_>>(),
        "bottleneck": summary.bottleneck.as_ref().map(bottleneck),
        "forecast": summary.forecast.as_ref().map(forecast),
        "cost": summary.cost.as_ref().map(cost),
    })
}

fn precision(precision: &Precision) -> Json {
    let (worst, of) = precision.worst.as_ref().map(|(worst, of)| (*worst, of)).unzip();
    let worst = worst.map(|worst| value(Value::from(worst)));
    json!({
        "wanted": number(precision.wanted),
        "at_most": precision.at_most,
        "worst": worst,
        "of": of,
        "reached": precision.reached,
    })
}

fn figure(figure: &Figure) -> Json {
    json!({
        "unit": figure.unit.word(),
        "better": figure.better.map(Better::word),
        "trials": figure.trials,
        "events": figure.events,
        "values": figure.values.iter().map(|&one| value(one)).collect::<Vec<_>>(),
    })
}

fn traffic(traffic: &Traffic) -> Json {
    let place =
        |one: &FailurePlace| json!({ "cause": one.cause, "place": one.place, "count": one.count });
    json!({
        "requests": traffic.requests,
        "offered_rps": estimate(&traffic.offered_rps),
        "throughput_rps": estimate(&traffic.throughput_rps),
        "goodput_rps": estimate(&traffic.goodput_rps),
        "availability": estimate(&traffic.availability),
        "degraded": estimate(&traffic.degraded),
        "stale_reads": estimate(&traffic.stale_reads),
        "own_write_missing": estimate(&traffic.own_write_missing),
        "amplification": estimate(&traffic.amplification),
        "latency_ms": {
            "answered": quantiles(&traffic.answered_ms),
            "felt": quantiles(&traffic.felt_ms),
        },
        "failures": named(&traffic.failures, |count| json!(count)),
        "failure_places": traffic.places.iter().map(place).collect::<Vec<_>>(),
    })
}

fn component(component: &Component) -> Json {
    let mut json = json!({
        "kind": component.kind,
        "instances": component.instances,
        "utilization": estimate(&component.utilization),
        "wasted": estimate(&component.wasted),
        "queue_length": estimate(&component.queue_length),
        "in_system": estimate(&component.in_system),
        "arrivals_rps": estimate(&component.arrivals_rps),
        "throughput_rps": estimate(&component.throughput_rps),
        "prob_wait": estimate(&component.prob_wait),
        "rejected": estimate(&component.rejected),
        "wait_ms": quantiles(&component.wait_ms),
        "service_ms": quantiles(&component.service_ms),
        "sojourn_ms": quantiles(&component.sojourn_ms),
        "failures": named(&component.failures, |count| json!(count)),
    });
    let map = json.as_object_mut().expect("a component is an object");
    if let Some(InService { mean, min, max }) = &component.in_service {
        let value = json!({ "mean": estimate(mean), "min": min, "max": max });
        map.insert("in_service".into(), value);
    }
    for Extra { name, value, .. } in &component.extras {
        let before = map.insert(name.clone(), estimate(value));
        assert!(before.is_none(), "a kind adds `{name}`, which every component has");
    }
    json
}

fn fault((name, fault): &(String, Fault)) -> Json {
    json!({
        "name": name,
        "action": fault.action,
        "at_s": fault.at_s.map(number),
        "until_s": fault.until_s.map(number),
        "occurrences": estimate(&fault.occurrences),
        "detect_time_s": estimate(&fault.detect_time_s),
        "errors": estimate(&fault.errors),
        "lost_writes": estimate(&fault.lost_writes),
    })
}

fn judged(judged: &Judged) -> Json {
    json!({
        "expression": judged.expression,
        "value": estimate(&judged.value),
        "unit": judged.unit.word(),
        "verdict": judged.verdict.word(),
        "note": judged.note,
    })
}

fn bottleneck(bottleneck: &Bottleneck) -> Json {
    let limit = |limit: &Limit| {
        json!({
            "component": limit.component,
            "resource": limit.resource,
            "servers": number(limit.servers),
            "demand_ms": number(limit.demand_ms),
            "utilization": estimate(&limit.utilization),
            "limit_rps": number(limit.limit_rps),
            "limit_users": limit.limit_users.map(number),
        })
    };
    json!({
        "limits": bottleneck.limits.iter().map(limit).collect::<Vec<_>>(),
    })
}

fn forecast(forecast: &Forecast) -> Json {
    let beside = |one: &Beside| {
        let (predicted, measured) = (number(one.predicted), estimate(&one.measured));
        json!({ "predicted": predicted, "measured": measured })
    };
    let law = |law: &Law| {
        json!({
            "component": law.component,
            "visits": beside(&law.visits),
            "work_ms": beside(&law.work_ms),
            "utilization": law.utilization.as_ref().map(beside),
            "reasons": law.reasons,
        })
    };
    let formula = |formula: &Formula| {
        json!({
            "subject": formula.subject,
            "formula": formula.formula,
            "quantity": formula.quantity,
            "unit": formula.unit.word(),
            "bound": formula.bound.word(),
            "predicted": number(formula.predicted),
            "measured": estimate(&formula.measured),
            "assumed": formula.assumed,
            "reasons": formula.reasons,
        })
    };
    json!({
        "laws": forecast.laws.iter().map(law).collect::<Vec<_>>(),
        "formulas": forecast.formulas.iter().map(formula).collect::<Vec<_>>(),
    })
}

fn cost(cost: &Cost) -> Json {
    let line = |line: &CostLine| {
        json!({
            "payer": line.payer,
            "item": line.item,
            "amount": estimate(&line.amount),
            "unit": line.unit.word(),
            "month_usd": estimate(&line.month_usd),
            "source": line.source,
        })
    };
    json!({
        "table": cost.table,
        "discount": number(cost.discount),
        "mean_to_peak": number(cost.mean_to_peak),
        "month_usd": estimate(&cost.month_usd),
        "per_million_usd": estimate(&cost.per_million_usd),
        "lines": cost.lines.iter().map(line).collect::<Vec<_>>(),
        "unpriced": cost.unpriced,
    })
}

fn quantiles(quantiles: &Quantiles) -> Json {
    let merged = QUANTILES
        .iter()
        .zip(quantiles.merged)
        .map(|(&(name, _), quantile)| (name.to_owned(), value(quantile)));
    json!({
        "mean": estimate(&quantiles.mean),
        "p50": estimate(&quantiles.p50),
        "p90": estimate(&quantiles.p90),
        "p95": estimate(&quantiles.p95),
        "p99": estimate(&quantiles.p99),
        "p99_9": estimate(&quantiles.p99_9),
        "max": estimate(&quantiles.max),
        "merged": merged.collect::<Map<_, _>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;
    use layout::COLUMNS;

    fn parsed(summary: &Summary) -> Json {
        serde_json::from_str(&write(summary)).expect("a summary is JSON")
    }

    fn mistakes(json: &Json) -> Vec<String> {
        let schema = serde_json::from_str(SCHEMA).expect("the schema is JSON");
        let validator = jsonschema::draft202012::new(&schema).expect("the schema is one");
        let mistake =
            |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
        validator.iter_errors(json).map(mistake).collect()
    }

    #[test]
    fn the_schema_is_valid_and_the_summary_fits_it() {
        let schema = serde_json::from_str(SCHEMA).expect("the schema is JSON");
        assert!(jsonschema::draft202012::meta::is_valid(&schema));
        assert_eq!(mistakes(&parsed(&example::summary())), [""; 0]);
        assert_eq!(mistakes(&parsed(&example::dead())), [""; 0]);
        let uncertain = parsed(&example::uncertain());
        assert_eq!(mistakes(&uncertain), [""; 0]);
        assert_eq!(uncertain["uncertainty"]["figures"][0]["spread"]["max"], json!("none"));
        let plain = parsed(&example::summary());
        assert!(plain.get("uncertainty").is_none(), "a plain run has no such key");
    }

    #[test]
    fn the_schema_refuses_what_is_not_in_it() {
        let changes: [fn(&mut Json); 6] = [
            |json| json["surprise"] = json!(1),
            |json| json["overall"]["offered_rps"]["mean"] = json!("many"),
            |json| json["overall"]["latency_ms"]["felt"]["p98"] = json!(1),
            |json| json["slo"][0]["verdict"] = json!("perhaps"),
            |json| json["components"]["web"]["hit_ratio"] = json!(0.9),
            |json| {
                json.as_object_mut().expect("an object").remove("seed");
            },
        ];
        for (index, change) in changes.iter().enumerate() {
            let mut json = parsed(&example::summary());
            change(&mut json);
            assert_eq!(mistakes(&json).len(), 1, "change {index}");
        }
    }

    #[test]
    fn equal_summaries_give_equal_bytes_in_a_fixed_order() {
        let text = write(&example::summary());
        assert_eq!(text, write(&example::summary()));
        let order = ["\"format\"", "\"scenario\"", "\"seed\"", "\"overall\"", "\"bottleneck\""];
        let places: Vec<_> = order.iter().map(|key| text.find(key).expect("a key")).collect();
        assert!(places.is_sorted(), "{places:?}");
        // Layout is not content.
        let value: Json = serde_json::from_str(&text).expect("a summary is JSON");
        assert_eq!(value, summary_of(&example::summary()));
        assert!(text.lines().all(|line| line.len() <= COLUMNS), "{text}");
    }

    #[test]
    fn infinite_and_missing_figures_are_words_not_numbers() {
        let dead = parsed(&example::dead());
        assert_eq!(dead["overall"]["latency_ms"]["felt"]["p99"]["mean"], json!("none"));
        assert_eq!(dead["overall"]["latency_ms"]["answered"]["p99"]["mean"], Json::Null);
        assert_eq!(dead["overall"]["latency_ms"]["answered"]["p99"]["ci95"], Json::Null);
        assert_eq!(dead["bottleneck"], Json::Null);
    }

    #[test]
    fn numbers_are_rounded_to_nine_digits() {
        let text = |value| number(value).to_string();
        assert_eq!(text(0.1 + 0.2), "0.3");
        assert_eq!(text(1.0 / 3.0), "0.333333333");
        assert_eq!(text(-0.0), "0.0");
        assert_eq!(text(123_456_789_012.0), "123456789000.0");
        assert_eq!(text(5e-324), "5e-324");
    }
}
