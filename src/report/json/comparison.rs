//! A comparison as JSON.
//!
//! ```text
//! { "format": 1,
//!   "base": SIDE,
//!   "others": [ { "side": SIDE, "paired": bool,
//!       "changes": { "<figure>": { "unit", "better", "base": E, "other": E, "difference": E,
//!                                  "effect" } },
//!       "missing": [ "<figure>" ],
//!       "gates": [ { "gate", "unit", "excess": E, "verdict" } ] } ],
//!   "verdict": "holds" | "undecided" | "fails" }
//! SIDE = { "label", "scenario": {"name", "file", "digest"}, "seed", "replications",
//!          "slo": verdict or null, "limit": { "resource", "limit_rps" } or null }
//! ```
//! `E` is an estimate as in the summary. `effect` is one of better, worse, different,
//! indistinguishable, equal, unknown. The verdict is that of all gates.

use super::layout::{self, estimate, number};
use crate::experiment::compare::{Change, Comparison, GateVerdict, Kinship, Side, Versus};
use crate::experiment::summary::Better;
use serde_json::{Map, Value as Json, json};

/// The comparison as JSON text that ends with a line break.
pub fn write(comparison: &Comparison) -> String {
    layout::text(&json!({
        "format": 1,
        "base": side(&comparison.base),
        "others": comparison.others.iter().map(versus).collect::<Vec<_>>(),
        "verdict": comparison.verdict().word(),
    }))
}

fn side(side: &Side) -> Json {
    let limit =
        |(name, rps): &(String, f64)| json!({ "resource": name, "limit_rps": number(*rps) });
    json!({
        "label": side.label,
        "scenario": {
            "name": side.scenario.name,
            "file": side.scenario.file,
            "digest": side.scenario.digest,
        },
        "seed": side.seed,
        "replications": side.replications,
        "slo": side.verdict.map(|verdict| verdict.word()),
        "limit": side.limit.as_ref().map(limit),
    })
}

fn versus(versus: &Versus) -> Json {
    let changes = versus.changes.iter().map(|one| (one.name.clone(), change(one)));
    json!({
        "side": side(&versus.side),
        "paired": versus.kinship != Kinship::Apart,
        "changes": changes.collect::<Map<_, _>>(),
        "missing": versus.missing,
        "gates": versus.gates.iter().map(gate).collect::<Vec<_>>(),
    })
}

fn change(change: &Change) -> Json {
    json!({
        "unit": change.unit.word(),
        "better": change.better.map(Better::word),
        "base": estimate(&change.base),
        "other": estimate(&change.other),
        "difference": estimate(&change.difference),
        "effect": change.effect.word(),
    })
}

fn gate(gate: &GateVerdict) -> Json {
    json!({
        "gate": gate.text,
        "unit": gate.unit.word(),
        "excess": estimate(&gate.excess),
        "verdict": gate.verdict.word(),
    })
}
