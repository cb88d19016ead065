//! Capacities as JSON.
//!
//! ```text
//! { "format": 1,
//!   "scenarios": [ { "name", "file", "digest", "claim": [from, to] or null, "vary", "written",
//!       "seed", "low", "high", "binding": SLO or null, "month_usd",
//!       "limit": { "component", "resource" } or null,
//!       "checks": [ { "factor", "load", "expected", "found" } ],
//!       "at_least": TRIAL or null,
//!       "losses": [ { "what", "low", "high", "binding" } ],
//!       "trials": [ { "load", "lost", "verdict", "open": [ { "expression", "verdict" } ],
//!       "month_usd", "replications" } ] } ],
//!   "need": { "load", "growth_per_month", "chosen": file or null, "months": [least, most] or null,
//!             "extra_usd": [ dollars or null ] } or null }
//! ```
//! `low` is the largest load at which all SLOs are proven to hold, `high` the smallest at which one
//! is proven not to; null where there is none.

use super::layout::{self, number};
use crate::experiment::capacity::{Broken, Capacity, Check, Lost, Need, Trial};
use serde_json::{Value as Json, json};

/// The capacities as JSON text that ends with a line break.
pub fn write(steps: &[Capacity], need: Option<&Need>) -> String {
    let need = need.map(|need| {
        let months = need.months.map(|months| months.map(finite));
        json!({
            "load": number(need.load),
            "growth_per_month": need.growth.map(|growth| number(growth.per_month)),
            "chosen": need.chosen.map(|chosen| steps[chosen].file.as_str()),
            "months": months,
            "extra_usd": need.extra_usd.iter().map(|one| one.map(number)).collect::<Vec<_>>(),
        })
    });
    layout::text(&json!({
        "format": 1,
        "scenarios": steps.iter().map(capacity).collect::<Vec<_>>(),
        "need": need,
    }))
}

/// A number, or nothing for an infinite one.
fn finite(value: f64) -> Json {
    if value.is_finite() { number(value) } else { Json::Null }
}

fn capacity(one: &Capacity) -> Json {
    json!({
        "name": one.name,
        "file": one.file,
        "digest": one.digest,
        "claim": one.claim,
        "vary": one.vary,
        "written": number(one.written.value()),
        "seed": one.seed,
        "low": one.range.low.map(number),
        "high": one.range.high.map(number),
        "binding": one.binding,
        "limit": one.limit.as_ref().map(|(component, resource)| {
            json!({ "component": component, "resource": resource })
        }),
        "month_usd": one.month_usd.map(number),
        "at_least": one.at_least.as_ref().map(trial),
        "checks": one.checks.iter().map(check).collect::<Vec<_>>(),
        "losses": one.losses.iter().map(lost).collect::<Vec<_>>(),
        "trials": one.trials.iter().map(trial).collect::<Vec<_>>(),
    })
}

fn check(check: &Check) -> Json {
    json!({
        "factor": number(check.factor),
        "load": number(check.load),
        "expected": check.expected.word(),
        "found": check.found.word(),
    })
}

fn lost(lost: &Lost) -> Json {
    json!({
        "what": lost.what,
        "low": lost.range.low.map(number),
        "high": lost.range.high.map(number),
        "binding": lost.binding,
    })
}

fn trial(trial: &Trial) -> Json {
    let open =
        |one: &Broken| json!({ "expression": one.expression, "verdict": one.verdict.word() });
    json!({
        "load": number(trial.load),
        "written": trial.text,
        "lost": trial.lost,
        "verdict": trial.verdict.word(),
        "open": trial.open.iter().map(open).collect::<Vec<_>>(),
        "month_usd": trial.month_usd.map(number),
        "replications": trial.replications,
    })
}
