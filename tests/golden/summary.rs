//! `shop.yaml` against `shop.txt`; `UPDATE_EXPECT=1` writes the page anew.

use serde_json::Value;
use simscale::experiment::{Control, prepare};
use simscale::report::json;
use simscale::scenario::file::{Request, load};
use std::fmt::Write;
use std::path::Path;

/// What is known without simulating: even arrivals, constant work, half of 200 requests refused.
const KNOWN: [(&str, f64); 8] = [
    ("/overall/offered_rps", 100.0),
    ("/overall/goodput_rps", 95.0),
    ("/overall/availability", 0.95),
    ("/overall/amplification", 1.0),
    ("/components/lb/utilization", 0.0025),
    ("/components/lb/arrivals_rps", 100.0),
    ("/components/web/rejected", 0.0),
    ("/faults/0/errors", 100.0),
];

/// Estimates are rounded to nine digits.
const ROUNDING: f64 = 1e-8;

fn shop() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/shop.yaml");
    let path = path.to_string_lossy();
    let request = Request { path: &path, ..Request::default() };
    let mut loaded = load(request, &mut |path| std::fs::read(path));
    let experiment = prepare(&mut loaded, "shop.yaml").pop().expect("the scenario is valid");
    let outcome = experiment.run(Control::default()).expect("it runs");
    serde_json::from_str(&json::write(&outcome.summary)).expect("a summary is JSON")
}

#[test]
fn the_summary_has_its_keys_in_order_and_its_counts() {
    let mut written = String::new();
    shape("", &shop(), &mut written);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/shop.txt");
        std::fs::write(path, &written).expect("the page can be written");
    }
    assert!(
        written == include_str!("shop.txt"),
        "run with UPDATE_EXPECT=1, look at the difference"
    );
}

#[test]
fn the_estimates_are_where_arithmetic_says() {
    let summary = shop();
    for (pointer, known) in KNOWN {
        let estimate = summary.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}"));
        let end = |index: usize| estimate["ci95"][index].as_f64().expect("an interval");
        let (low, high) = (end(0) - ROUNDING, end(1) + ROUNDING);
        assert!(low <= known && known <= high, "{pointer}: {known} is not in {estimate}");
    }
}

/// One line for each value, by its path; figures by their kind only.
fn shape(path: &str, value: &Value, out: &mut String) {
    let line = |out: &mut String, text: &str| {
        let _ = writeln!(out, "{path}: {text}");
    };
    match value {
        Value::Object(map) if map.keys().eq(["mean", "ci95"]) => line(out, estimate(value)),
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let dot = if path.is_empty() { "" } else { "." };
                shape(&format!("{path}{dot}{key}"), value, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                shape(&format!("{path}[{index}]"), item, out);
            }
        }
        Value::Number(number) if number.is_f64() => line(out, "a number"),
        other => line(out, &other.to_string()),
    }
}

fn estimate(value: &Value) -> &'static str {
    match (&value["mean"], &value["ci95"]) {
        (Value::Number(_), Value::Array(ends)) if ends.len() == 2 => "an estimate",
        (Value::Number(_), Value::Null) => "an estimate without interval",
        (Value::String(none), Value::Null) if none == "none" => "infinite",
        (Value::Null, Value::Null) => "no data",
        _ => panic!("{value} is no estimate"),
    }
}
