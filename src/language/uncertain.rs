//! Values with a range, `20ms in 10ms..40ms`, and defaults of which a likely range is known.
//!
//! Ranges are taken out of a tree before it is decoded, so that no type of the language knows of
//! them: in each place stays the value as written, or another one that the caller chooses. Knows
//! the form of a range and where one may stand; how values are chosen, and no key of the language,
//! it does not know.

use super::decode::lengthen;
use super::diagnostic::Diagnostics;
use super::node::{self, Entry, Node};
use super::presets;
use super::shape::{BlockShape, Field, Json, Presence, ScalarShape, Shape, Table};
use super::source::{Span, Spanned};
use crate::units::quantity::Kind;
use crate::units::{MeanCount, Quantity};

/// What the code of a wrong range is.
const WRONG: &str = "E0205";

/// A value that is not known exactly.
#[derive(Clone, Debug, PartialEq)]
pub struct Uncertain {
    /// The path of the value.
    pub path: String,
    /// Where it is written; for a default the key of its block.
    pub span: Span,
    /// The value as written.
    pub value: Quantity,
    /// It is hardly less than this.
    pub low: Quantity,
    /// It is hardly more than this.
    pub high: Quantity,
    /// All three as written.
    pub texts: [String; 3],
    /// Where the range of a default comes from; none for a range that was written.
    pub source: Option<&'static str>,
}

/// What to put in the place of an uncertain value; the value as written for none.
pub type Choose<'c> = &'c mut dyn FnMut(&Uncertain) -> Option<Quantity>;

/// Takes the ranges out of a tree; `choose` hears of every uncertain value, in the order of the
/// tree. Wrong ranges are reported, and their value stays.
pub fn take(tree: &mut Spanned<Node>, shape: Shape, choose: Choose<'_>, out: &mut Diagnostics) {
    Walker { choose, out }.at(tree, None, shape, "");
}

/// Whether a scalar is a quantity, and so may have a range.
pub fn has_ranges(scalar: &ScalarShape) -> bool {
    quantity(scalar, scalar.examples[0]).is_some()
}

/// A value with its range, as it may be written for a scalar; none for what has no ranges.
pub fn example(scalar: &'static ScalarShape) -> Option<String> {
    let value = quantity(scalar, scalar.examples[0])?;
    let high = match value.kind() {
        Kind::Ratio => value.with((1.0 + value.value()) / 2.0),
        _ => value.with(value.value() * 2.0),
    };
    Some(format!("{} in {}..{high}", scalar.examples[0], value.with(value.value() / 2.0)))
}

/// The value and both ends of its range; none after an error.
pub fn read(
    scalar: &ScalarShape,
    value: &str,
    range: &str,
    span: Span,
    out: &mut Diagnostics,
) -> Option<[Quantity; 3]> {
    let of = |text: &str| quantity(scalar, text.trim());
    let Some(middle) = of(value) else {
        out.error(WRONG, span, format!("`{value}` is no quantity, and has no range"))
            .help("a range stands behind a value with its unit: `20ms in 10ms..40ms`");
        return None;
    };
    let (low, high) = range.split_once("..").unwrap_or((range, ""));
    let unit = value.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '$'));
    let like = |end: &Quantity| end.kind() == middle.kind();
    let (Some(from), Some(to)) = (of(low).filter(like), of(high).filter(like)) else {
        let kind = middle.kind().a_name();
        let help = match low.parse::<f64>().is_ok() && !unit.is_empty() {
            true => format!("write `{value} in {low}{}..{high}`", unit.trim_start()),
            false => format!("both ends are written like the value, `{value}`"),
        };
        out.error(WRONG, span, format!("`{range}` is no range of {kind}")).help(help);
        return None;
    };
    let (low, high) = (from, to);
    if low.value() > high.value() {
        out.error(WRONG, span, format!("the range `{range}` ends before it begins"))
            .help("the lower end comes first");
        return None;
    }
    if middle.value() < low.value() || middle.value() > high.value() {
        out.error(WRONG, span, format!("`{value}` lies outside its range"))
            .label(format!("not within {range}"));
        return None;
    }
    Some([middle, low, high])
}

/// A text as the quantity that the scalar is; none for what is no quantity.
fn quantity(scalar: &ScalarShape, text: &str) -> Option<Quantity> {
    match scalar.json {
        Json::Pattern(_) => Quantity::parse(text),
        Json::NumberOr(MeanCount::PATTERN) | Json::Number => Quantity::number(text),
        // Whole numbers only; whatever else is written there, the decoder refuses.
        Json::NumberOr(_) | Json::Integer => Quantity::count(text),
        Json::Text | Json::Boolean | Json::Anything => None,
    }
}

struct Walker<'a> {
    choose: Choose<'a>,
    out: &'a mut Diagnostics,
}

impl Walker<'_> {
    /// Takes the ranges at and below a node; `full` is the node with a set of defaults laid under
    /// it, where there is one.
    fn at(
        &mut self,
        node: &mut Spanned<Node>,
        full: Option<&Spanned<Node>>,
        shape: Shape,
        path: &str,
    ) {
        match shape.required() {
            Shape::Scalar(scalar) => self.scalar(node, scalar, path),
            Shape::Choice(choice) => match &mut node.value {
                Node::Map(entries) => {
                    for (key, value) in entries {
                        let variant = choice.variant(&key.value);
                        if let Some(payload) = variant.and_then(|variant| variant.payload) {
                            self.at(value, None, payload(), &below(path, &key.value));
                        }
                    }
                }
                Node::Text { text, .. } if choice.variant(text).is_none() => {
                    if let Some(bare) = choice.bare {
                        self.at(node, None, bare(), path);
                    }
                }
                _ => {}
            },
            Shape::Block(block) => self.block(node, full, block, path),
            Shape::Kinded(kinded) => {
                let tag = node.value.get(kinded.tag).and_then(|tag| tag.value.as_text());
                if let Some(table) = tag.and_then(|kind| kinded.kind(kind)) {
                    self.block(node, full, (table.block)(), path);
                }
            }
            Shape::Verb(verbs) => {
                let entries = node.value.as_map().unwrap_or_default();
                let verb = |(key, _): &Entry| -> Option<&Table> { verbs.verb(&key.value) };
                if let Some(table) = entries.iter().find_map(verb) {
                    self.block(node, full, (table.block)(), path);
                }
            }
            Shape::Map { of, .. } => {
                if let Node::Map(entries) = &mut node.value {
                    for (key, value) in entries {
                        self.at(value, None, of(), &below(path, &key.value));
                    }
                }
            }
            Shape::List(of) => {
                if let Node::Seq(items) = &mut node.value {
                    for (index, item) in items.iter_mut().enumerate() {
                        self.at(item, None, of(), &below(path, &(index + 1).to_string()));
                    }
                }
            }
            Shape::OneOf(one_of) => {
                let form = one_of.forms.iter().map(|form| form()).find(|form| fits(node, *form));
                if let Some(form) = form {
                    self.at(node, full, form, path);
                }
            }
            Shape::Optional(_) => unreachable!("`required` leaves none of them"),
        }
    }

    fn scalar(&mut self, node: &mut Spanned<Node>, scalar: &ScalarShape, path: &str) {
        let Node::Text { text, .. } = &mut node.value else { return };
        let prose = matches!(scalar.json, Json::Text | Json::Anything);
        let parts = text.split_once(" in ").filter(|(_, range)| range.contains(".."));
        let Some((written, range)) = parts.filter(|_| !prose) else { return };
        let (written, range) = (written.trim().to_string(), range.trim().to_string());
        *text = written.clone();
        let read = read(scalar, &written, &range, node.span, self.out);
        let Some([value, low, high]) = read else { return };
        let (path, span, texts) = (path.to_string(), node.span, texts(&written, &range));
        let uncertain = Uncertain { path, span, value, low, high, texts, source: None };
        if let Some(chosen) = (self.choose)(&uncertain) {
            *text = chosen.to_string();
        }
    }

    fn block(
        &mut self,
        node: &mut Spanned<Node>,
        full: Option<&Spanned<Node>>,
        block: &'static BlockShape,
        path: &str,
    ) {
        if node.value.is_none() {
            return;
        }
        let short = block.short.and_then(|short| block.field(short));
        let is_short = !matches!(node.value, Node::Map(_)) || {
            let long = lengthen(block, node);
            matches!(long, std::borrow::Cow::Owned(_))
        };
        let set = full.map_or(&*node, |full| full);
        let laid = set
            .value
            .as_map()
            .map(|entries| presets::lay(block, entries).unwrap_or_else(|| entries.to_vec()));
        let laid = laid.map(|entries| Spanned::new(Node::Map(entries), node.span));
        match (&mut node.value, short) {
            (_, Some(field)) if is_short => {
                self.at(node, None, (field.shape)(), &below(path, field.name));
            }
            (Node::Map(entries), _) => {
                for (key, value) in entries {
                    let field = block.field(&key.value).map(|field| field.shape);
                    if let Some(shape) = field.or(block.others) {
                        let full = laid.as_ref().and_then(|laid| laid.value.get(&key.value));
                        self.at(value, full, shape(), &below(path, &key.value));
                    }
                }
            }
            // Whatever else stands there is wrong, and the decoder says so.
            _ => return,
        }
        for field in block.all_fields() {
            let written = match &laid {
                Some(laid) if !is_short => laid.value.get(field.name).is_some(),
                _ => short.is_some_and(|short| short.name == field.name),
            };
            if !written && let Some(value) = self.default(field, node.span, path) {
                let mut long = lengthen(block, node).into_owned();
                if let Node::Map(entries) = &mut long.value {
                    entries.push((Spanned::new(field.name.to_string(), node.span), value));
                }
                *node = long;
            }
        }
    }

    /// What a key that is not written is to be in place of its default; none for its default.
    fn default(&mut self, field: &Field, span: Span, path: &str) -> Option<Spanned<Node>> {
        let Presence::Default(text) = field.presence else { return None };
        let path = below(path, field.name);
        let shape = (field.shape)();
        if let (Some(likely), Some(scalar)) = (field.likely, shape.scalar()) {
            let range = read(scalar, text, likely, span, self.out);
            let [value, low, high] = range.expect("a test reads all likely ranges");
            let (texts, source) = (texts(text, likely), Some(field.source));
            let uncertain = Uncertain { path, span, value, low, high, texts, source };
            let chosen = (self.choose)(&uncertain)?;
            return Some(Spanned::new(Node::text(chosen.to_string()), span));
        }
        if text != "{}" {
            return None;
        }
        // A block that may be `none` is a feature, which acts only where it is asked for.
        let Shape::Block(block) = shape else { return None };
        let empty = node::fragment(text, span);
        let mut value = empty.clone();
        self.block(&mut value, None, block, &path);
        (value != empty).then_some(value)
    }
}

/// Whether a node may be written in this form.
fn fits(node: &Spanned<Node>, form: Shape) -> bool {
    match (&node.value, form.required()) {
        (Node::Seq(_), Shape::List(_)) => true,
        (Node::Seq(_), _) | (Node::Map(_), Shape::Scalar(_)) | (_, Shape::List(_)) => false,
        (Node::Map(_), _) | (_, Shape::Scalar(_) | Shape::Choice(_)) => true,
        (_, Shape::Block(block)) => block.short.is_some(),
        _ => false,
    }
}

/// The value and the ends of its range as texts.
fn texts(value: &str, range: &str) -> [String; 3] {
    let (low, high) = range.split_once("..").unwrap_or((range, ""));
    [value, low, high].map(|text| text.trim().to_string())
}

/// The path of a part.
fn below(path: &str, part: &str) -> String {
    match path.is_empty() {
        true => part.to_string(),
        false => format!("{path}.{part}"),
    }
}

#[cfg(test)]
#[allow(dead_code)] // Most of the declarations are only walked, never decoded.
mod tests {
    use super::*;
    use crate::language::presets::Presets;
    use crate::language::print::print;
    use crate::language::{Decode, FileId, Name, OneOrMany};
    use crate::units::{Count, Duration, Ratio};
    use crate::{choice, config};

    const SETS: Presets = Presets { key: "make", sets: &[("quick", "{ cost: 1ms }")] };

    config! {
        /// One of each form.
        pub struct Whole, presets = SETS {
            /// Prose.
            about: Option<String> = "none",
            /// A name.
            entry: Option<Name> = "none",
            /// A set of defaults.
            make: Option<Make> = "none",
            /// A law.
            work: Option<Law> = "none",
            /// A list.
            steps: Vec<Part> = "[]",
            /// One or many.
            waits: OneOrMany<Duration> = "[]",
            /// A number.
            size: Option<f64> = "none",
            /// A count.
            count: Option<Count> = "none",
            /// A share.
            share: Option<Ratio> = "none",
            /// A default with a range.
            cost: Duration = "4ms" likely "2ms..8ms" source "a measurement",
            /// A block that may be left out.
            inner: Part = "{}",
            /// A block that may be none.
            feature: Option<Part> = "{}",
        }
    }

    choice! {
        /// A set of defaults.
        pub enum Make {
            /// Quick.
            quick: Quick,
        }
    }

    choice! {
        /// A law.
        pub enum Law {
            /// With parameters.
            even: Even(Part),
        }
        bare { Always(Duration) }
    }

    config! {
        /// A part.
        pub struct Part, short = mean {
            /// Its mean.
            mean: Duration = "1ms",
            /// More of it.
            more: Duration = "3ms" likely "1ms..3ms" source "a guess",
        }
    }

    /// The places that are not known exactly with their ranges, and the tree with these values.
    fn taken(text: &str, chosen: &[(&str, &str)]) -> (Vec<String>, String, Vec<String>) {
        let mut out = Diagnostics::new();
        let mut tree = node::parse(FileId(0), text, &mut out).expect("valid YAML");
        let mut found = Vec::new();
        let mut choose = |one: &Uncertain| {
            found.push(format!("{} {} {}..{}", one.path, one.value, one.low, one.high));
            let value = chosen.iter().find(|(path, _)| *path == one.path)?.1;
            Quantity::parse(value)
        };
        take(&mut tree, Whole::shape(), &mut choose, &mut out);
        let messages = out.sorted().iter().map(|one| one.message.clone()).collect();
        Whole::decode(&tree, &mut out);
        let flat = print(&tree).split_whitespace().collect::<Vec<_>>().join(" ");
        (found, flat, messages)
    }

    const NO_DEFAULTS: &str = "cost: 1s, inner: { mean: 1s, more: 1s }";

    fn written(text: &str) -> (Vec<String>, String) {
        let (found, tree, messages) = taken(&format!("{{ {text}, {NO_DEFAULTS} }}"), &[]);
        assert!(messages.is_empty(), "{messages:?}");
        let end = "cost: 1s inner: mean: 1s more: 1s";
        (found, tree.replace(end, "").trim().to_string())
    }

    #[test]
    fn a_value_may_have_a_range_wherever_it_stands() {
        let cases = [
            ("work: 20ms in 10ms..40ms", "work 20ms 10ms..40ms", "work: 20ms"),
            (
                "work: { even: { mean: 1ms in 1ms..2ms, more: 0s } }",
                "work.even.mean 1ms 1ms..2ms",
                "work: even: mean: 1ms more: 0s",
            ),
            ("waits: 2s in 1s..3s", "waits 2s 1s..3s", "waits: 2s"),
            ("waits: [ 1s, 2s in 1s..3s ]", "waits.2 2s 1s..3s", "waits: - 1s - 2s"),
            ("size: 1 in 0.5..2", "size 1.0 0.5..2.0", "size: 1"),
            ("count: 12 in 6..24", "count 12 6..24", "count: 12"),
            ("share: 90% in 80%..99.9%", "share 90% 80%..99.9%", "share: 90%"),
        ];
        for (text, expected, left) in &cases {
            let (found, tree) = written(text);
            assert_eq!((found, tree.as_str()), (vec![(*expected).to_string()], *left), "{text}");
        }
    }

    #[test]
    fn prose_and_what_is_no_range_is_left_alone() {
        let (found, tree) = written("about: from 1ms in 1ms..2ms, waits: 2s");
        assert_eq!((found.len(), tree.as_str()), (0, "about: from 1ms in 1ms..2ms waits: 2s"));
    }

    #[test]
    fn a_default_with_a_range_is_uncertain_until_its_key_is_written() {
        let (found, tree, _) = taken("{ steps: [ 2ms ] }", &[]);
        let part = ["steps.1.more 3ms 1ms..3ms", "cost 4ms 2ms..8ms", "inner.more 3ms 1ms..3ms"];
        assert_eq!((found, tree.as_str()), (part.map(String::from).to_vec(), "steps: - 2ms"));
        let (found, ..) = taken("{ make: quick, inner: { more: 1s } }", &[]);
        assert_eq!(found, [""; 0], "the set of `quick` has another cost");
        let (found, ..) = taken("{ cost: 5ms in 5ms..6ms, inner: { more: 1s } }", &[]);
        assert_eq!(found, ["cost 5ms 5ms..6ms"], "what is written wins");
    }

    #[test]
    fn chosen_values_stand_where_the_uncertain_ones_were() {
        let chosen =
            [("work", "11ms"), ("cost", "5ms"), ("inner.more", "2ms"), ("steps.1.more", "9s")];
        let (_, tree, messages) = taken("{ work: 20ms in 10ms..40ms, steps: [ 2ms ] }", &chosen);
        let expected = "work: 11ms steps: - mean: 2ms more: 9s cost: 5ms inner: more: 2ms";
        assert_eq!((tree.as_str(), messages.len()), (expected, 0));
    }

    #[test]
    fn wrong_ranges_are_explained() {
        let said = |text: &str| {
            let (found, _, messages) = taken(&format!("{{ {text}, {NO_DEFAULTS} }}"), &[]);
            assert_eq!(found.len(), 0, "{text}");
            messages.join("; ")
        };
        let cases = [
            ("work: 20ms in 10..40ms", "`10..40ms` is no range of a duration"),
            ("work: 20ms in 10/s..40/s", "`10/s..40/s` is no range of a duration"),
            ("work: 20ms in 40ms..10ms", "the range `40ms..10ms` ends before it begins"),
            ("work: 20ms in 30ms..40ms", "`20ms` lies outside its range"),
            ("count: 20 in 10..", "`10..` is no range of a count"),
            ("count: 20 in 1.5..30", "`1.5..30` is no range of a count"),
            ("count: unlimited in 1..5", "`unlimited` is no quantity, and has no range"),
            ("entry: web in web..db", "`web` is no quantity, and has no range"),
        ];
        for (text, message) in cases {
            assert_eq!(said(text), message, "{text}");
        }
    }

    #[test]
    fn examples_are_ranges() {
        for (shape, expected) in [
            (Duration::shape(), Some("20ms in 10ms..40ms")),
            (Ratio::shape(), Some("95% in 47.5%..97.5%")),
            (Count::shape(), Some("12 in 6..24")),
            (Name::shape(), None),
        ] {
            let scalar = shape.scalar().expect("a scalar");
            assert_eq!(example(scalar).as_deref(), expected);
            assert_eq!(has_ranges(scalar), expected.is_some());
        }
    }
}
