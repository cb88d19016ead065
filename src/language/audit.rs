//! Mistakes in the declarations themselves: what no scenario can cause and no compiler sees.
//!
//! Each floor that declares config types calls this on its root type in a test.

use super::diagnostic::Diagnostics;
use super::node;
use super::schema::definition_name;
use super::shape::{BlockShape, Field, Presence, Shape, key_name};
use super::source::{FileId, Span};
use super::uncertain;
use super::values::Name;
use std::collections::{BTreeMap, BTreeSet};

/// Every mistake in the types that can be reached from `root`, one line each; none is right.
///
/// Checked: every default decodes, every key is documented and unique in its block together with
/// its groups, a short key exists, every set of defaults is a variant's and decodes, nothing is
/// both built and not, and no two types share a name.
pub fn mistakes(root: Shape) -> Vec<String> {
    let mut found = Vec::new();
    let mut names: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut pending = vec![root];
    while let Some(shape) = pending.pop() {
        if let Some(name) = shape.name() {
            let signature = signature(shape);
            // As the schema has it.
            let known_as = definition_name(name);
            match names.get(&known_as) {
                Some(known) if *known == signature => continue,
                Some(_) => {
                    found.push(format!("{name}: two types have this name"));
                    continue;
                }
                None => {
                    names.insert(known_as, signature);
                }
            }
        }
        match shape {
            Shape::Block(block) => check_block(block, &mut found),
            Shape::Choice(choice) => {
                let words = choice.variants.iter().map(|v| (v.name, v.doc));
                check_words(choice.name, words, &mut found);
            }
            Shape::Kinded(kinded) => {
                let words = kinded.kinds.iter().map(|kind| (kind.name, kind.doc));
                check_words(kinded.name, words, &mut found);
            }
            Shape::Verb(verb) => {
                check_words(verb.name, verb.verbs.iter().map(|v| (v.name, v.doc)), &mut found);
                for table in verb.verbs {
                    if (table.block)().field(table.name).is_none() {
                        let line =
                            format!("{}: `{}` is no key of its block", verb.name, table.name);
                        found.push(line);
                    }
                }
            }
            _ => {}
        }
        pending.extend(shape.children());
    }
    found
}

fn check_block(block: &BlockShape, found: &mut Vec<String>) {
    let fields = block.all_fields();
    check_words(block.name, fields.iter().map(|field| (field.name, field.doc)), found);
    for field in &fields {
        let Presence::Default(text) = field.presence else { continue };
        let mut out = Diagnostics::new();
        let node = node::fragment(text, Span::new(FileId(0), 0, 0));
        (field.probe)(&node, &mut out);
        for diagnostic in out.iter() {
            let key = field.name;
            found.push(format!("{}.{key}: default `{text}`: {}", block.name, diagnostic.message));
        }
        check_likely(block, field, text, found);
    }
    if let Some(short) = block.short.filter(|short| block.field(short).is_none()) {
        found.push(format!("{}: the short key `{short}` does not exist", block.name));
    }
    check_presets(block, found);
    for unbuilt in block.all_unbuilt() {
        if block.field(unbuilt.name).is_some() {
            found.push(format!("{}.{}: built and not built", block.name, unbuilt.name));
        }
    }
}

/// A likely range has a source, encloses its default, and the key takes both ends.
fn check_likely(block: &BlockShape, field: &Field, default: &str, found: &mut Vec<String>) {
    let Some(likely) = field.likely else { return };
    let mut out = Diagnostics::new();
    let place = Span::new(FileId(0), 0, 0);
    let scalar = (field.shape)().scalar();
    let range = scalar.and_then(|scalar| uncertain::read(scalar, default, likely, place, &mut out));
    if let Some([_, low, high]) = range {
        for end in [low, high] {
            (field.probe)(&node::fragment(&end.to_string(), place), &mut out);
        }
    }
    let mut says = |what: &str| {
        found.push(format!("{}.{}: likely `{likely}`: {what}", block.name, field.name));
    };
    out.iter().for_each(|diagnostic| says(&diagnostic.message));
    if field.source.is_empty() {
        says("no source");
    }
}

/// Each variant of the key that chooses has one set, of keys that exist and decode.
fn check_presets(block: &BlockShape, found: &mut Vec<String>) {
    let Some(presets) = block.presets else { return };
    let choice = block.field(presets.key).map(|field| (field.shape)().required());
    let variants = match choice {
        Some(Shape::Choice(choice)) => choice.variants.iter().map(|v| v.name).collect(),
        _ => Vec::new(),
    };
    let sets: Vec<&str> = presets.sets.iter().map(|(name, _)| *name).collect();
    if variants != sets {
        found.push(format!("{}.{}: its variants are not its sets", block.name, presets.key));
    }
    for (name, text) in presets.sets {
        let set = node::fragment(text, Span::new(FileId(0), 0, 0));
        let mut out = Diagnostics::new();
        for (key, value) in set.value.as_map().unwrap_or_default() {
            match block.field(&key.value) {
                Some(field) => (field.probe)(value, &mut out),
                None => found.push(format!("{}: `{name}` sets `{}`", block.name, key.value)),
            }
        }
        let mistakes = out.iter().map(|one| format!("{}: `{name}`: {}", block.name, one.message));
        found.extend(mistakes);
    }
}

/// Words must be names, stand once and be documented.
fn check_words<'w>(
    name: &str,
    words: impl Iterator<Item = (&'static str, &'w str)>,
    found: &mut Vec<String>,
) {
    let mut seen = BTreeSet::new();
    for (word, doc) in words {
        if !seen.insert(word) {
            found.push(format!("{name}.{word}: declared twice"));
        }
        if doc.trim().is_empty() {
            found.push(format!("{name}.{word}: no documentation"));
        }
        if Name::parse(key_name(word)).is_err() {
            found.push(format!("{name}.{word}: not a name"));
        }
    }
}

/// What tells two types of one name apart.
fn signature(shape: Shape) -> Vec<&'static str> {
    match shape {
        Shape::Block(block) => {
            let fields = block.all_fields();
            std::iter::once(block.doc).chain(fields.iter().map(|field| field.doc)).collect()
        }
        Shape::Choice(choice) => {
            std::iter::once(choice.doc).chain(choice.variants.iter().map(|v| v.doc)).collect()
        }
        Shape::Kinded(kinded) => kinded.kinds.iter().map(|kind| kind.name).collect(),
        Shape::Verb(verb) => verb.verbs.iter().map(|verb| verb.name).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
#[allow(dead_code)] // The declarations are only examined, never decoded.
mod tests {
    use super::*;
    use crate::config;
    use crate::language::Decode;
    use crate::language::presets::Presets;
    use crate::language::sample::Document;
    use crate::units::Duration;

    #[test]
    fn the_sample_is_declared_without_mistakes() {
        assert_eq!(mistakes(Document::shape()), Vec::<String>::new());
    }

    const SETS: Presets = Presets { key: "shared", sets: &[("some", "{ shared: 5, away: 1 }")] };

    config! {
        /// Wrong in every way.
        pub struct Wrong, short = nothing, presets = SETS {
            /// A default without unit.
            pause: Duration = "20",
            /// Likely something else.
            likely: Duration = "20ms" likely "1s..2s",
            undocumented: bool = "false",
            /// Also in the group.
            shared: bool = "false",
            /// Of a type with a name that is taken.
            taken: other::Group = "{}",
            /// Of the type that took it.
            also: Group = "{}",
        }
        include { group: Group }
        unbuilt { pause: "" }
    }

    config! {
        /// A group.
        pub struct Group {
            /// Also outside.
            shared: bool = "true",
        }
    }

    mod other {
        crate::config! {
            /// Another group.
            pub struct Group {
                /// Only here.
                alone: bool = "true",
            }
        }
    }

    #[test]
    fn mistakes_of_declarations_are_found() {
        assert_eq!(
            mistakes(Wrong::shape()),
            [
                "Wrong.undocumented: no documentation",
                "Wrong.shared: declared twice",
                "Wrong.pause: default `20`: `20` needs a unit",
                "Wrong.likely: likely `1s..2s`: `20ms` lies outside its range",
                "Wrong.likely: likely `1s..2s`: no source",
                "Wrong: the short key `nothing` does not exist",
                "Wrong.shared: its variants are not its sets",
                "Wrong: `some` sets `away`",
                "Wrong: `some`: `5` is not true or false",
                "Wrong.pause: built and not built",
                "Group: two types have this name",
            ]
        );
    }
}
