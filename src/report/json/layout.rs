//! What every JSON report has in common: numbers, estimates, and how the text is laid out.
//!
//! It knows figures, not what is made of them.

use crate::experiment::statistics::{Estimate, Value};
use crate::experiment::summary::Named;
use serde_json::{Value as Json, json};

/// Objects and lists that fit into so many columns stay on one line.
pub(super) const COLUMNS: usize = 100;

/// A value as JSON text that ends with a line break.
pub(super) fn text(json: &Json) -> String {
    let mut text = String::new();
    lay_out(json, 0, 0, &mut text);
    text.push('\n');
    text
}

pub(super) fn estimate(estimate: &Estimate) -> Json {
    json!({
        "mean": value(estimate.mean),
        "ci95": estimate.ci95.map(|ends| ends.map(number)),
    })
}

pub(super) fn value(value: Value) -> Json {
    match value {
        Value::Finite(value) => number(value),
        Value::Infinite => json!("none"),
        Value::NoData => Json::Null,
    }
}

pub(super) fn named<T>(items: &Named<T>, one: impl Fn(&T) -> Json) -> Json {
    Json::Object(items.iter().map(|(name, item)| (name.clone(), one(item))).collect())
}

/// A number rounded to nine significant digits; zero has no sign.
pub(super) fn number(number: f64) -> Json {
    assert!(number.is_finite(), "a summary holds {number}");
    let rounded: f64 = format!("{number:.8e}").parse().expect("a printed number is one");
    json!(if rounded == 0.0 { 0.0 } else { rounded })
}

/// Writes a value whose first line begins at column `column`; what is short stays on one line.
fn lay_out(json: &Json, indent: usize, column: usize, text: &mut String) {
    let line = on_one_line(json);
    if column + line.len() <= COLUMNS {
        text.push_str(&line);
        return;
    }
    let inner = indent + 2;
    let mut separator = "";
    let mut next = |text: &mut String| {
        text.push_str(separator);
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', inner));
        separator = ",";
    };
    let close = match json {
        Json::Object(map) => {
            text.push('{');
            for (key, value) in map {
                next(text);
                let key = format!("{}: ", Json::from(key.as_str()));
                text.push_str(&key);
                lay_out(value, inner, inner + key.len(), text);
            }
            '}'
        }
        Json::Array(items) => {
            text.push('[');
            for item in items {
                next(text);
                lay_out(item, inner, inner, text);
            }
            ']'
        }
        scalar => {
            text.push_str(&scalar.to_string());
            return;
        }
    };
    text.push('\n');
    text.extend(std::iter::repeat_n(' ', indent));
    text.push(close);
}

fn on_one_line(json: &Json) -> String {
    match json {
        Json::Object(map) if !map.is_empty() => {
            let entry = |(key, value): (&String, &Json)| {
                format!("{}: {}", Json::from(key.as_str()), on_one_line(value))
            };
            format!("{{ {} }}", map.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Json::Array(items) => {
            format!("[{}]", items.iter().map(on_one_line).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
