//! Decoding a node into a typed value; every mistake is collected, none hides another.
//!
//! The macros of [`declare`](super::declare) generate calls of what is here. This module knows the
//! forms of the language (block, choice, kind, verb), and no key of it.

use super::containers::Table;
use super::diagnostic::Diagnostics;
use super::node::{self, Entry, Node};
use super::presets;
use super::shape::{BlockShape, ChoiceShape, KindedShape, Presence, Shape, Unbuilt, VerbShape};
use super::source::{Span, Spanned};
use super::suggest::did_you_mean;
use std::borrow::Cow;

/// A type that can be written in a scenario.
pub trait Decode: Sized {
    /// Reads a value; `None` only after an error was added to `out`.
    fn decode(node: &Spanned<Node>, out: &mut Diagnostics) -> Option<Self>;

    /// What may be written.
    fn shape() -> Shape;

    /// The YAML text that stands for a bare variant name: `codel` is `{ codel: {} }` for a block.
    fn bare() -> Option<&'static str> {
        None
    }
}

/// A type that is a table of keys; made by [`config!`](crate::config).
pub trait Block: Sized {
    /// The table.
    const SHAPE: &'static BlockShape;

    /// Takes its keys from the reader, those of its groups included.
    fn read(reader: &mut Reader<'_>, out: &mut Diagnostics) -> Option<Self>;
}

/// Hands out the entries of one map and remembers which were asked for.
pub struct Reader<'n> {
    entries: &'n [Entry],
    /// Asked for, or already reported as a duplicate.
    used: Vec<bool>,
    span: Span,
}

impl<'n> Reader<'n> {
    /// Reads these entries; a key that stands twice is reported here and its second value ignored.
    pub fn new(entries: &'n [Entry], span: Span, out: &mut Diagnostics) -> Reader<'n> {
        let mut used = vec![false; entries.len()];
        for index in duplicates(entries, out) {
            used[index] = true;
        }
        Reader { entries, used, span }
    }

    /// The place of the key that holds the block.
    pub fn span(&self) -> Span {
        self.span
    }

    /// Reads one key, or its default.
    pub fn field<T: Decode>(
        &mut self,
        key: &'static str,
        presence: Presence,
        out: &mut Diagnostics,
    ) -> Option<Spanned<T>> {
        if let Some(node) = self.take(key) {
            return T::decode(node, out).map(|value| Spanned::new(value, node.span));
        }
        match presence {
            Presence::Default(text) => {
                let node = node::fragment(text, self.span);
                T::decode(&node, out).map(|value| Spanned::new(value, self.span))
            }
            Presence::Required => {
                out.error("E0103", self.span, format!("missing key `{key}`"))
                    .label(format!("`{key}` is required here"));
                None
            }
        }
    }

    /// The value of a key, which counts as used from now on.
    pub fn take(&mut self, key: &str) -> Option<&'n Spanned<Node>> {
        let found = |(index, entry): &(usize, &Entry)| entry.0.value == key && !self.used[*index];
        let index = self.entries.iter().enumerate().find(found)?.0;
        self.used[index] = true;
        Some(&self.entries[index].1)
    }

    /// Reads every key that is left; what is not built stays, to be reported.
    pub fn others<T: Decode>(
        &mut self,
        shape: &BlockShape,
        out: &mut Diagnostics,
    ) -> Option<Table<T>> {
        let mut read = Vec::new();
        for ((key, node), used) in self.entries.iter().zip(&mut self.used) {
            if *used || shape.all_unbuilt().iter().any(|unbuilt| unbuilt.name == key.value) {
                continue;
            }
            *used = true;
            let value = T::decode(node, out).map(|value| Spanned::new(value, node.span));
            read.push(value.map(|value| (key.clone(), value)));
        }
        Some(Table { entries: read.into_iter().collect::<Option<_>>()? })
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self, shape: &BlockShape, out: &mut Diagnostics) {
        for ((key, _), _) in self.entries.iter().zip(&self.used).filter(|(_, used)| !**used) {
            if !report_unbuilt(key, "key", &shape.all_unbuilt(), out) {
                let names: Vec<&str> = shape.all_fields().iter().map(|f| f.name).collect();
                out.error("E0101", key.span, format!("unknown key `{}`", key.value))
                    .help(did_you_mean(&key.value, "key", &names));
            }
        }
    }
}

/// Reports keys that stand twice in a map; the indices of the later ones.
pub fn duplicates(entries: &[Entry], out: &mut Diagnostics) -> Vec<usize> {
    let mut first = std::collections::BTreeMap::new();
    let mut again = Vec::new();
    for (index, (key, _)) in entries.iter().enumerate() {
        if let Some(span) = first.insert(key.value.as_str(), key.span) {
            again.push(index);
            out.error("E0102", key.span, format!("the key `{}` stands twice", key.value))
                .label("again here")
                .note(span, "first here")
                .help("remove one of them");
            first.insert(key.value.as_str(), span);
        }
    }
    again
}

/// Reports a word that the language has and this version does not; whether it was one.
fn report_unbuilt(
    word: &Spanned<String>,
    what: &str,
    unbuilt: &[&Unbuilt],
    out: &mut Diagnostics,
) -> bool {
    let Some(known) = unbuilt.iter().find(|unbuilt| unbuilt.name == word.value) else {
        return false;
    };
    out.error("E0110", word.span, format!("`{}` is not built yet", word.value))
        .label(format!("this {what} is part of the language, but not of this version"))
        .help(if known.about.is_empty() {
            String::new()
        } else {
            format!("about: {}", known.about)
        });
    true
}

/// Reports that something else stands where `expected` should.
pub fn wrong_form(node: &Spanned<Node>, expected: &str, help: &str, out: &mut Diagnostics) {
    let message = format!("expected {expected}, found {}", node.value.describe());
    out.error("E0104", node.span, message).help(help);
}

/// Decodes a block, long or short, all of whose keys must be known.
pub fn block<B: Block>(node: &Spanned<Node>, out: &mut Diagnostics) -> Option<B> {
    let long = lengthen(B::SHAPE, node);
    let Node::Map(entries) = &long.value else {
        let keys: Vec<&str> = B::SHAPE.all_fields().iter().take(16).map(|f| f.name).collect();
        let help = format!("write `{{ {}: … }}`; keys here: {}", keys[0], keys.join(", "));
        wrong_form(node, "a block of keys", &help, out);
        return None;
    };
    read_table(entries, long.span, None, out)
}

/// Decodes the table of a block; `tag` is a key that has been read already.
pub fn read_table<B: Block>(
    entries: &[Entry],
    span: Span,
    tag: Option<&str>,
    out: &mut Diagnostics,
) -> Option<B> {
    let laid = presets::lay(B::SHAPE, entries);
    let mut reader = Reader::new(laid.as_deref().unwrap_or(entries), span, out);
    tag.and_then(|tag| reader.take(tag));
    let value = B::read(&mut reader, out);
    reader.finish(B::SHAPE, out);
    value
}

/// The long form of a block: `100` as `{ limit: 100 }`. What is neither comes back as it is.
///
/// A map is short, too, when it is a variant of the short key's choice: `backoff: { exponential: 1s
/// }`.
pub fn lengthen<'n>(shape: &BlockShape, node: &'n Spanned<Node>) -> Cow<'n, Spanned<Node>> {
    let Some(field) = shape.short.and_then(|short| shape.field(short)) else {
        return Cow::Borrowed(node);
    };
    let is_short = match &node.value {
        Node::Null => false,
        Node::Map(entries) => match (entries.as_slice(), (field.shape)().required()) {
            ([(key, _)], Shape::Choice(choice)) => {
                shape.field(&key.value).is_none() && choice.variant(&key.value).is_some()
            }
            _ => false,
        },
        _ => true,
    };
    if !is_short {
        return Cow::Borrowed(node);
    }
    let key = Spanned::new(field.name.to_string(), node.span);
    Cow::Owned(Spanned::new(Node::Map(vec![(key, node.clone())]), node.span))
}

/// What was written for a choice.
pub enum Picked<'n> {
    /// A scalar that is no variant's name.
    Bare(&'n Spanned<Node>),
    /// A variant.
    Variant {
        /// Its name in the shape.
        name: &'static str,
        /// The place of the name.
        span: Span,
        /// What was written for it, absent for a bare name.
        payload: Option<&'n Spanned<Node>>,
    },
}

/// Finds out which variant of a choice was written.
pub fn pick<'n>(
    shape: &'static ChoiceShape,
    node: &'n Spanned<Node>,
    out: &mut Diagnostics,
) -> Option<Picked<'n>> {
    let names: Vec<&str> = shape.variants.iter().map(|v| v.name).collect();
    match &node.value {
        Node::Map(entries) => {
            let again = duplicates(entries, out);
            match entries.as_slice() {
                [(key, value)] => pick_variant(shape, key, Some(value), out),
                [] => {
                    wrong_form(node, &format!("one of {}", names.join(", ")), "", out);
                    None
                }
                [_, (second, _), ..] if again.is_empty() => {
                    let message = "this is a choice: exactly one of its variants can be written";
                    out.error("E0105", second.span, message)
                        .label("a second variant")
                        .note(entries[0].0.span, "the first variant")
                        .help(format!("one of {}", names.join(", ")));
                    None
                }
                _ => None,
            }
        }
        Node::Null | Node::Seq(_) => {
            wrong_form(node, &format!("one of {}", names.join(", ")), "", out);
            None
        }
        scalar => {
            let text = scalar.as_text().unwrap_or_default();
            let known = shape.variant(text).is_some()
                || shape.unbuilt.iter().any(|unbuilt| unbuilt.name == text);
            // A word near a variant is a typo of it, and a word is no quantity; everything else is
            // left to the bare form.
            let is_word = text.starts_with(|c: char| c.is_alphabetic()) && text != "unlimited";
            let bare_is_quantity = matches!(
                shape.bare.map(|bare| bare().required()),
                Some(Shape::Scalar(scalar)) if scalar.is_quantity()
            );
            let typo =
                is_word && (bare_is_quantity || super::suggest::nearest(text, &names).is_some());
            if shape.bare.is_some() && !known && !typo {
                return Some(Picked::Bare(node));
            }
            pick_variant(shape, &Spanned::new(text.to_string(), node.span), None, out)
        }
    }
}

fn pick_variant<'n>(
    shape: &'static ChoiceShape,
    key: &Spanned<String>,
    payload: Option<&'n Spanned<Node>>,
    out: &mut Diagnostics,
) -> Option<Picked<'n>> {
    if let Some(variant) = shape.variant(&key.value) {
        return Some(Picked::Variant { name: variant.name, span: key.span, payload });
    }
    let unbuilt: Vec<&Unbuilt> = shape.unbuilt.iter().collect();
    if !report_unbuilt(key, "variant", &unbuilt, out) {
        let names: Vec<&str> = shape.variants.iter().map(|v| v.name).collect();
        out.error("E0106", key.span, format!("unknown variant `{}`", key.value))
            .help(did_you_mean(&key.value, "variant", &names));
    }
    None
}

impl Picked<'_> {
    /// Whether this variant was written.
    pub fn is(&self, variant: &str) -> bool {
        matches!(self, Picked::Variant { name, .. } if *name == variant)
    }

    /// Checks that a variant without parameters was written without.
    pub fn unit(&self, out: &mut Diagnostics) -> Option<()> {
        if let Picked::Variant { name, payload: Some(node), .. } = self {
            let message = format!("`{name}` has no parameters");
            out.error("E0104", node.span, message).help(format!("write `{name}` alone"));
            return None;
        }
        Some(())
    }

    /// Decodes the parameters of a variant; a bare name takes all their defaults.
    pub fn payload<T: Decode>(&self, out: &mut Diagnostics) -> Option<Spanned<T>> {
        match self {
            Picked::Bare(node) => T::decode(node, out).map(|value| Spanned::new(value, node.span)),
            Picked::Variant { payload: Some(node), .. } => {
                T::decode(node, out).map(|value| Spanned::new(value, node.span))
            }
            Picked::Variant { name, span, payload: None } => {
                let Some(text) = T::bare() else {
                    out.error("E0103", *span, format!("`{name}` needs a value"))
                        .help(format!("write `{{ {name}: {} }}`", T::shape().example()));
                    return None;
                };
                let node = node::fragment(text, *span);
                T::decode(&node, out).map(|value| Spanned::new(value, *span))
            }
        }
    }
}

/// Finds the kind of a kinded block: its name in the shape, and its entries.
pub fn kind<'n>(
    shape: &'static KindedShape,
    node: &'n Spanned<Node>,
    out: &mut Diagnostics,
) -> Option<(&'static str, &'n [Entry])> {
    let names: Vec<&str> = shape.kinds.iter().map(|k| k.name).collect();
    let tag = shape.tag;
    let Node::Map(entries) = &node.value else {
        wrong_form(node, "a block of keys", &format!("write `{{ {tag}: {}, … }}`", names[0]), out);
        return None;
    };
    let Some(value) = node.value.get(tag) else {
        out.error("E0103", node.span, format!("missing key `{tag}`"))
            .label(format!("`{tag}` is required here"))
            .help(format!("{tag}s here: {}", names.join(", ")));
        return None;
    };
    let Some(text) = value.value.as_text() else {
        wrong_form(value, &format!("a {tag}"), &format!("one of {}", names.join(", ")), out);
        return None;
    };
    if let Some(table) = shape.kind(text) {
        return Some((table.name, entries));
    }
    let word = Spanned::new(text.to_string(), value.span);
    let unbuilt: Vec<&Unbuilt> = shape.unbuilt.iter().collect();
    if !report_unbuilt(&word, tag, &unbuilt, out) {
        out.error("E0106", value.span, format!("unknown {tag} `{text}`"))
            .help(did_you_mean(text, tag, &names));
    }
    None
}

/// Finds the verb of a map with exactly one verb: its name in the shape, and the entries.
pub fn verb<'n>(
    shape: &'static VerbShape,
    node: &'n Spanned<Node>,
    out: &mut Diagnostics,
) -> Option<(&'static str, &'n [Entry])> {
    let what = shape.what;
    let Node::Map(entries) = &node.value else {
        let verb = shape.verbs[0].name;
        wrong_form(node, &format!("a {what}"), &format!("write `{{ {verb}: … }}`"), out);
        return None;
    };
    let mut verbs = entries.iter().filter_map(|(key, _)| Some((shape.verb(&key.value)?, key)));
    match (verbs.next(), verbs.next()) {
        (Some((table, _)), None) => Some((table.name, entries)),
        (Some((first, first_key)), Some((second, key))) if first.name != second.name => {
            let message = format!("a {what} has one verb; `{}` is a second one", second.name);
            out.error("E0107", key.span, message)
                .note(first_key.span, format!("the first verb, `{}`", first.name))
                .help(format!("make it two {what}s, each with its own dash or braces"));
            None
        }
        (Some((table, _)), Some(_)) => Some((table.name, entries)),
        (None, _) => {
            no_verb(shape, node, entries, out);
            None
        }
    }
}

/// Explains a map without a verb: not built, a typo, or modifiers that lost their step.
fn no_verb(
    shape: &'static VerbShape,
    node: &Spanned<Node>,
    entries: &[Entry],
    out: &mut Diagnostics,
) {
    let what = shape.what;
    let names: Vec<&str> = shape.verbs.iter().map(|v| v.name).collect();
    let unbuilt: Vec<&Unbuilt> = shape.unbuilt.iter().collect();
    for (key, _) in entries {
        if report_unbuilt(key, &format!("verb of a {what}"), &unbuilt, out) {
            return;
        }
    }
    let modifies = |key: &str| shape.verbs.iter().find(|verb| (verb.block)().field(key).is_some());
    let unknown = entries.iter().find(|(key, _)| modifies(&key.value).is_none());
    if let Some((key, _)) = unknown {
        out.error("E0107", key.span, format!("unknown {what} `{}`", key.value))
            .help(did_you_mean(&key.value, "verb", &names));
        return;
    }
    let diagnostic = out.error("E0107", node.span, format!("this {what} has no verb"));
    diagnostic.help(format!("verbs here: {}", names.join(", ")));
    // `[ read: db, times: 9 ]`: an item of a list without braces stands where its key stands.
    if let [(key, _)] = entries
        && key.span == node.span
        && let Some(verb) = modifies(&key.value)
    {
        let (verb, key) = (verb.name, &key.value);
        diagnostic.label(format!("`{key}` modifies a {what}")).help(format!(
            "in a list, `[ {verb}: x, {key}: y ]` is two {what}s; \
             write `[ {{ {verb}: x, {key}: y }} ]`"
        ));
    }
}
