//! The description of a type of the language as data: what may be written, and what it means.
//!
//! Every type that can be decoded has a [`Shape`]. Merging, paths, the JSON Schema and `explain`
//! walk shapes and know no type; shapes know nothing of values.

use super::diagnostic::Diagnostics;
use super::node::Node;
use super::presets::Presets;
use super::range::Range;
use super::source::Spanned;
use std::collections::BTreeSet;

/// What may be written for a type. Children are functions, so that types may contain themselves.
#[derive(Clone, Copy)]
pub enum Shape {
    /// One scalar: a quantity, a name, a number.
    Scalar(&'static ScalarShape),
    /// Exactly one variant: `poisson`, `{ zipf: 0.99 }`.
    Choice(&'static ChoiceShape),
    /// A fixed table of keys.
    Block(&'static BlockShape),
    /// The shape, or `none`.
    Optional(fn() -> Shape),
    /// A list of the shape.
    List(fn() -> Shape),
    /// Names or other keys chosen by the author, each with a value of the shape.
    Map {
        /// What a key stands for in a path: `NAME`.
        key: &'static str,
        /// The shape of each value.
        of: fn() -> Shape,
    },
    /// A block whose key `kind` selects the table.
    Kinded(&'static KindedShape),
    /// A block with exactly one verb, which selects the table of modifiers.
    Verb(&'static VerbShape),
    /// One of several shapes, told apart by a hand-written decoder.
    OneOf(&'static OneOfShape),
}

/// A scalar.
pub struct ScalarShape {
    /// With its article: `a duration`.
    pub a_name: &'static str,
    /// Complete examples, the best first.
    pub examples: &'static [&'static str],
    /// How it looks as JSON.
    pub json: Json,
}

/// How a scalar looks to a JSON Schema; a plain YAML number is a JSON number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Json {
    /// Any text, numbers included.
    Text,
    /// Text of this regular expression.
    Pattern(&'static str),
    /// A number, or text of this regular expression.
    NumberOr(&'static str),
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// Anything: what it must be depends on where it will be put.
    Anything,
}

/// A table of keys.
pub struct BlockShape {
    /// The name of the type, for references.
    pub name: &'static str,
    /// What it means; lines as written in the doc comment.
    pub doc: &'static str,
    /// The key that a scalar written instead of the block sets.
    pub short: Option<&'static str>,
    /// Its own keys in the order of the reference.
    pub fields: &'static [Field],
    /// What keys that are no fields hold, where the author may add keys of their own, which may
    /// contain dots.
    pub others: Option<fn() -> Shape>,
    /// Tables shared with other blocks, written at the same level.
    pub groups: &'static [fn() -> &'static BlockShape],
    /// Keys that the language has, but this version does not.
    pub unbuilt: &'static [Unbuilt],
    /// Sets of defaults that one of its keys chooses from.
    pub presets: Option<&'static Presets>,
}

/// One key of a block.
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// What it means; lines as written in the doc comment.
    pub doc: &'static str,
    /// Its default, or that there is none.
    pub presence: Presence,
    /// Where the default comes from, or empty.
    pub source: &'static str,
    /// Between which values the figure that the default stands for is likely to be: `1ms..4ms`.
    pub likely: Option<&'static str>,
    /// The least and the greatest whole number, where there are such.
    pub range: Option<Range>,
    /// What may be written.
    pub shape: fn() -> Shape,
    /// Decodes a value of the key for its mistakes only.
    pub probe: fn(&Spanned<Node>, &mut Diagnostics),
}

/// Whether a key may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It must be written.
    Required,
    /// This YAML text is decoded when the key is absent.
    Default(&'static str),
}

/// A key, variant, kind or verb that the language has and this version does not.
pub struct Unbuilt {
    /// The word as written in a file.
    pub name: &'static str,
    /// What it would do, for the message.
    pub about: &'static str,
}

/// Exactly one of several variants.
pub struct ChoiceShape {
    /// The name of the type, for references.
    pub name: &'static str,
    /// What is chosen; lines as written in the doc comment.
    pub doc: &'static str,
    /// All variants in the order of the reference.
    pub variants: &'static [Variant],
    /// The shape of a scalar that is no variant's name, such as a bare duration.
    pub bare: Option<fn() -> Shape>,
    /// Variants that this version does not have.
    pub unbuilt: &'static [Unbuilt],
}

/// One variant of a choice.
pub struct Variant {
    /// The word that selects it.
    pub name: &'static str,
    /// What it means; lines as written in the doc comment.
    pub doc: &'static str,
    /// What may be written in `{ name: … }`; `None` when it has no parameters.
    pub payload: Option<fn() -> Shape>,
}

/// A block whose table depends on one key.
pub struct KindedShape {
    /// The name of the type, for references.
    pub name: &'static str,
    /// What it means; lines as written in the doc comment.
    pub doc: &'static str,
    /// The key that selects the table: `kind`.
    pub tag: &'static str,
    /// All tables.
    pub kinds: &'static [Table],
    /// Kinds that this version does not have.
    pub unbuilt: &'static [Unbuilt],
}

/// A block whose table depends on which verb it contains.
pub struct VerbShape {
    /// The name of the type, for references.
    pub name: &'static str,
    /// What it means; lines as written in the doc comment.
    pub doc: &'static str,
    /// What one of them is called: `step`.
    pub what: &'static str,
    /// All verbs; a verb is a key of its own table.
    pub verbs: &'static [Table],
    /// Verbs that this version does not have.
    pub unbuilt: &'static [Unbuilt],
}

/// A kind or a verb with its table.
pub struct Table {
    /// The word that selects it.
    pub name: &'static str,
    /// What it means; lines as written in the doc comment.
    pub doc: &'static str,
    /// Its keys.
    pub block: fn() -> &'static BlockShape,
}

/// Several shapes of a hand-written decoder.
pub struct OneOfShape {
    /// The name of the type, for references.
    pub name: &'static str,
    /// What may be written and how the forms differ.
    pub doc: &'static str,
    /// The forms.
    pub forms: &'static [fn() -> Shape],
}

impl Shape {
    /// The shape without the possibility of `none`.
    pub fn required(self) -> Shape {
        match self {
            Shape::Optional(of) => of().required(),
            other => other,
        }
    }

    /// The name of the type, for those that are declared with one.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Shape::Block(block) => Some(block.name),
            Shape::Choice(choice) => Some(choice.name),
            Shape::Kinded(kinded) => Some(kinded.name),
            Shape::Verb(verb) => Some(verb.name),
            _ => None,
        }
    }

    /// The scalar that may stand here alone, if there is one.
    pub fn scalar(self) -> Option<&'static ScalarShape> {
        match self.required() {
            Shape::Scalar(scalar) => Some(scalar),
            Shape::Choice(choice) => choice.bare.and_then(|bare| bare().scalar()),
            Shape::Block(block) => (block.field(block.short?)?.shape)().scalar(),
            Shape::OneOf(one_of) => one_of.forms.iter().find_map(|form| form().scalar()),
            _ => None,
        }
    }

    /// The shapes directly inside this one.
    pub fn children(self) -> Vec<Shape> {
        match self {
            Shape::Scalar(_) => Vec::new(),
            Shape::Optional(of) | Shape::List(of) | Shape::Map { of, .. } => vec![of()],
            Shape::Block(block) => {
                let fields = block.all_fields();
                let shapes = fields.iter().map(|field| field.shape).chain(block.others);
                shapes.map(|shape| shape()).collect()
            }
            Shape::Choice(choice) => {
                let payloads = choice.variants.iter().filter_map(|variant| variant.payload);
                payloads.chain(choice.bare).map(|payload| payload()).collect()
            }
            Shape::Kinded(KindedShape { kinds: tables, .. })
            | Shape::Verb(VerbShape { verbs: tables, .. }) => {
                tables.iter().map(|table| Shape::Block((table.block)())).collect()
            }
            Shape::OneOf(one_of) => one_of.forms.iter().map(|form| form()).collect(),
        }
    }

    /// Every named shape that can be reached from this one, itself included, each name once.
    pub fn reachable(self) -> Vec<Shape> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        let mut pending = vec![self];
        while let Some(shape) = pending.pop() {
            match shape.name() {
                Some(name) if !seen.insert(name) => continue,
                Some(_) => found.push(shape),
                None => {}
            }
            pending.extend(shape.children());
        }
        found
    }

    /// Something that may be written, for a message.
    pub fn example(self) -> String {
        match self.required() {
            Shape::Scalar(scalar) => scalar.examples[0].to_string(),
            Shape::Choice(choice) => match choice.bare {
                Some(bare) => bare().example(),
                None => choice.variants[0].name.to_string(),
            },
            Shape::List(of) => format!("[ {} ]", of().example()),
            Shape::OneOf(one_of) => one_of.forms[0]().example(),
            Shape::Verb(verb) => format!("{{ {}: … }}", verb.verbs[0].name),
            _ => "{ … }".to_string(),
        }
    }
}

impl ScalarShape {
    /// Whether it is written as a number, with or without a unit.
    pub fn is_quantity(&self) -> bool {
        self.examples[0].starts_with(|c: char| c.is_ascii_digit())
    }
}

impl BlockShape {
    /// All keys: its own, then those of its groups.
    pub fn all_fields(&self) -> Vec<&'static Field> {
        let mut fields: Vec<&'static Field> = self.fields.iter().collect();
        for group in self.groups {
            fields.extend(group().all_fields());
        }
        fields
    }

    /// All keys that this version does not have, those of its groups included.
    pub fn all_unbuilt(&self) -> Vec<&'static Unbuilt> {
        let mut unbuilt: Vec<&'static Unbuilt> = self.unbuilt.iter().collect();
        for group in self.groups {
            unbuilt.extend(group().all_unbuilt());
        }
        unbuilt
    }

    /// The key of this name, its groups included.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.all_fields().into_iter().find(|field| field.name == name)
    }
}

impl VerbShape {
    /// The table of this verb.
    pub fn verb(&self, name: &str) -> Option<&'static Table> {
        self.verbs.iter().find(|verb| verb.name == name)
    }
}

impl KindedShape {
    /// The table of this kind.
    pub fn kind(&self, name: &str) -> Option<&'static Table> {
        self.kinds.iter().find(|kind| kind.name == name)
    }
}

impl ChoiceShape {
    /// The variant of this name.
    pub fn variant(&self, name: &str) -> Option<&'static Variant> {
        self.variants.iter().find(|variant| variant.name == name)
    }
}

/// A Rust identifier as a key of the language: `r#in` is `in`.
pub const fn key_name(identifier: &'static str) -> &'static str {
    let bytes = identifier.as_bytes();
    if bytes.len() > 2 && bytes[0] == b'r' && bytes[1] == b'#' {
        identifier.split_at(2).1
    } else {
        identifier
    }
}

/// A doc comment as text: one string, single spaces, no blank at the ends.
pub fn doc_text(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_identifiers_lose_their_prefix() {
        assert_eq!(key_name("r#in"), "in");
        assert_eq!(key_name("in_system"), "in_system");
        assert_eq!(key_name("r"), "r");
    }

    #[test]
    fn doc_comments_become_one_line() {
        assert_eq!(doc_text(" Where calls\n wait.\n"), "Where calls wait.");
    }
}
