//! Sweeps: named points, each the file with other values at some paths.
//!
//! Knows how points are written. Laying a point over its file is done by
//! [`layers`](super::layers); running points is nobody's business here.

use crate::config;
use crate::language::decode::{self, Decode};
use crate::language::expression::is_reserved;
use crate::language::node::{Entry, Node};
use crate::language::shape::{Json, ScalarShape, Shape};
use crate::language::{Diagnostics, Name, Span, Spanned};

config! {
    /// Several runs of one file that differ in a few values.
    pub struct SweepConfig {
        /// Each a name, values by their paths, and what is expected there:
        /// `{ name: small, components.web.instances: 2, expect: [ p99 > 1s ] }`.
        points: Vec<PointConfig> = "[]",
    }
    unbuilt {
        vary: "a grid of values",
        r#where: "leaving out points of the grid",
        sample: "random points instead of the whole grid",
        zip: "walking several lists together",
    }
}

/// One point as written.
#[derive(Clone, Debug)]
pub struct PointConfig {
    /// Its name, where one is written.
    pub name: Option<Name>,
    /// The place of its name, or of the point.
    pub place: Span,
    /// The values by their paths, in the order written.
    pub values: Vec<Entry>,
    /// What is expected here besides what is expected of the file as written.
    pub expect: Vec<Spanned<Node>>,
}

/// What may stand at a path: it is decoded where it will be put.
const VALUE: &ScalarShape =
    &ScalarShape { a_name: "the value at this path", examples: &["5"], json: Json::Anything };

impl Decode for PointConfig {
    fn decode(node: &Spanned<Node>, out: &mut Diagnostics) -> Option<Self> {
        let Node::Map(entries) = &node.value else {
            let help = "write `{ name: small, components.web.instances: 2 }`";
            decode::wrong_form(node, "a point", help, out);
            // The other points are still read, for their mistakes.
            return Some(Self { name: None, place: node.span, values: vec![], expect: vec![] });
        };
        let again = decode::duplicates(entries, out);
        let place = node.span;
        let mut point = Self { name: None, place, values: Vec::new(), expect: Vec::new() };
        for (index, (key, value)) in entries.iter().enumerate() {
            if again.contains(&index) {
                continue;
            }
            match (key.value.as_str(), &value.value) {
                ("name", _) => {
                    point.name = Name::decode(value, out);
                    point.place = value.span;
                }
                ("expect", Node::Seq(lines)) => point.expect = lines.clone(),
                ("expect", _) => {
                    decode::wrong_form(value, "a list", "write `expect: [ p99 < 1s ]`", out);
                }
                _ => point.values.push((key.clone(), value.clone())),
            }
        }
        // With a wrong name or list its values are still laid over the file, for their mistakes.
        Some(point)
    }

    fn shape() -> Shape {
        Shape::Map { key: "PATH", of: || Shape::Scalar(VALUE) }
    }
}

/// One point with the name by which it is addressed.
#[derive(Clone, Debug)]
pub struct Point {
    /// As written, or `point_1` and so on.
    pub name: String,
    /// The rest of it.
    pub config: PointConfig,
}

impl SweepConfig {
    /// The points with their names; a name that stands twice is reported.
    pub fn points(self, out: &mut Diagnostics) -> Vec<Point> {
        let mut points: Vec<Point> = Vec::new();
        for (index, config) in self.points.value.into_iter().enumerate() {
            let written = config.name.as_ref().map(|name| name.0.clone());
            let name = written.unwrap_or_else(|| format!("point_{}", index + 1));
            if let Some(first) = points.iter().find(|point| point.name == name) {
                out.error("E0604", config.place, format!("two points have the name `{name}`"))
                    .note(first.config.place, "the first one")
                    .help("every point is addressed by its name");
            }
            if is_reserved(&name) {
                out.error("E0506", config.place, format!("`{name}` has a meaning of its own"))
                    .help("choose another name");
            }
            points.push(Point { name, config });
        }
        points
    }
}
