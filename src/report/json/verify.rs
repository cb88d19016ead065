//! What `verify` found as JSON.
//!
//! ```json
//! {
//!   "format": 1,
//!   "name": "theory",            what the files are called together
//!   "verdict": "holds",          holds, fails or undecided: all expectations together
//!   "expectations": 312,         of the complete files
//!   "hold": 312, "fail": 0, "undecided": 0,
//!   "incomplete": 0,             files that were broken off; they are not in the list
//!   "files": [ {
//!     "file": "…/que-01.yaml", "name": "M/M/1", "verdict": "holds",
//!     "source": [ "P-QUE-01. …" ],
//!     "farthest_off": -1.2,      the largest deviation of a value with a tolerance, or null
//!     "expectations": [ {
//!       "point": null,           the point of the sweep; null where points are compared
//!       "expression": "mean == 50ms within 2.5%",
//!       "unit": "ms",            of all numbers below, as in a summary
//!       "demand": "within",      below, at_most, above, at_least, exactly or within
//!       "target": 50.0, "tolerance": 1.25,
//!       "value": { "mean": 49.9, "ci95": [ 49.5, 50.3 ] },
//!       "standard_error": 0.19,
//!       "deviation": -0.5,       (mean - target) / standard_error, or null
//!       "verdict": "holds", "note": null
//!     } ]
//!   } ]
//! }
//! ```
//!
//! A mean is `"none"` where it is infinite and null where nothing was observed; `tolerance` is null
//! but for `within`. Keys stand in a fixed order, and equal inputs give equal bytes.

use super::layout::{self, estimate, number};
use crate::experiment::verdict::{Demand, Verdict};
use crate::experiment::verify::{Expectation, Verification, Verified};
use serde_json::{Value as Json, json};

/// The version of the format; it changes only when something is renamed or removed.
const FORMAT: u32 = 1;

/// The verdicts as JSON text that ends with a line break.
pub fn write(verification: &Verification) -> String {
    layout::text(&json!({
        "format": FORMAT,
        "name": verification.name,
        "verdict": verification.verdict().word(),
        "expectations": verification.expectations(),
        "hold": verification.count(Verdict::Holds),
        "fail": verification.count(Verdict::Fails),
        "undecided": verification.count(Verdict::Undecided),
        "incomplete": verification.incomplete,
        "files": verification.files.iter().map(file).collect::<Vec<_>>(),
    }))
}

fn file(file: &Verified) -> Json {
    json!({
        "file": file.path,
        "name": file.title,
        "verdict": file.verdict().word(),
        "source": file.sources,
        "farthest_off": file.largest_deviation().map(number),
        "expectations": file.expectations.iter().map(expectation).collect::<Vec<_>>(),
    })
}

fn expectation(one: &Expectation) -> Json {
    let judged = &one.judged;
    let (demand, tolerance) = match judged.demand {
        Demand::Below(_) => ("below", None),
        Demand::AtMost(_) => ("at_most", None),
        Demand::Above(_) => ("above", None),
        Demand::AtLeast(_) => ("at_least", None),
        Demand::Exactly(_) => ("exactly", None),
        Demand::Within { tolerance, .. } => ("within", Some(tolerance)),
    };
    json!({
        "point": one.point,
        "expression": judged.expression,
        "unit": judged.unit.word(),
        "demand": demand,
        "target": number(judged.demand.target()),
        "tolerance": tolerance.map(number),
        "value": estimate(&judged.value),
        "standard_error": judged.standard_error.map(number),
        "deviation": judged.deviation().map(number),
        "verdict": judged.verdict.word(),
        "note": judged.note,
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::example;
    use super::*;

    #[test]
    fn every_expectation_has_its_figures() {
        let text = write(&example::verification());
        let json: Json = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!((&json["verdict"], &json["hold"]), (&json!("fails"), &json!(2)));
        assert_eq!(json["files"][0]["farthest_off"], json!(-0.7));
        let mean = &json["files"][1]["expectations"][0];
        let figures = ["point", "demand", "target", "tolerance", "deviation", "verdict"];
        let expected = json!(["rush", "within", 50.0, 0.5, 8.0, "fails"]);
        assert_eq!(json!(figures.map(|key| &mean[key])), expected);
        let infinite = &json["files"][1]["expectations"][1];
        assert_eq!(infinite["value"]["mean"], json!("none"));
        assert_eq!(infinite["deviation"], Json::Null);
    }
}
