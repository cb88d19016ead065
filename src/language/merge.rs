//! Laying one file over another: JSON Merge Patch, made safe by knowing the types.
//!
//! Maps and blocks merge key by key; scalars, lists and choices replace whole; `null` removes a key
//! and must find one. A block whose kind, or an entry whose verb, changes is replaced whole. A
//! block in its short form is a scalar: it replaces, and it is lengthened when keys are laid over
//! it. Knows no key of the language, and not where the layers come from.

use super::decode::lengthen;
use super::diagnostic::Diagnostics;
use super::node::{Entry, Node};
use super::shape::{BlockShape, Shape};
use super::source::Spanned;
use super::suggest::did_you_mean;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The tree of `base` with `over` laid over it; both are written in the language of `shape`.
pub fn merge(
    base: Spanned<Node>,
    over: Spanned<Node>,
    shape: Shape,
    out: &mut Diagnostics,
) -> Spanned<Node> {
    let long = if base.value.is_none() { None } else { container(&base, shape) };
    let Some((entries, table)) = long else {
        return fresh(over, shape, out);
    };
    let replaces = match (&over.value, shape.required()) {
        (Node::Map(_), Shape::Block(block)) => matches!(lengthen(block, &over), Cow::Owned(_)),
        (Node::Map(_), Shape::Kinded(kinded)) => {
            let kind = |node: &Node| {
                node.get(kinded.tag).and_then(|n| n.value.as_text().map(str::to_string))
            };
            kind(&over.value).is_some_and(|new| kind(&base.value) != Some(new))
        }
        (Node::Map(laid), Shape::Verb(_)) => {
            let verb = |entries: &[Entry]| table_of_verb(entries, shape).map(|(name, _)| name);
            verb(laid).is_some_and(|new| verb(&entries) != Some(new))
        }
        (Node::Map(_), _) => false,
        _ => true,
    };
    if replaces {
        return fresh(over, shape, out);
    }
    let Spanned { value: Node::Map(laid), span } = over else { unreachable!("only maps merge") };
    Spanned::new(Node::Map(merge_entries(entries, laid, &table, out)), span)
}

/// The shapes of the keys of a map.
pub(super) enum Keys {
    /// Every key has this shape.
    All(Shape),
    /// The keys of these tables.
    Tables(Vec<&'static BlockShape>),
}

impl Keys {
    /// The shape of one key's value; `None` for a key that does not exist.
    pub(super) fn shape(&self, key: &str) -> Option<Shape> {
        match self {
            Keys::All(shape) => Some(*shape),
            Keys::Tables(tables) => {
                let field = tables.iter().find_map(|table| table.field(key));
                field.map(|field| field.shape).or(self.others()).map(|shape| shape())
            }
        }
    }

    /// The shape of keys that are no fields of the tables.
    pub(super) fn others(&self) -> Option<fn() -> Shape> {
        let Keys::Tables(tables) = self else { return None };
        tables.iter().find_map(|table| table.others)
    }

    /// The names of all keys, when they are fixed.
    pub(super) fn names(&self) -> Vec<&'static str> {
        match self {
            Keys::All(_) => Vec::new(),
            Keys::Tables(tables) => {
                let mut names: Vec<&str> = Vec::new();
                for field in tables.iter().flat_map(|table| table.all_fields()) {
                    if !names.contains(&field.name) {
                        names.push(field.name);
                    }
                }
                names
            }
        }
    }
}

/// The entries of a node whose keys can be addressed one by one, and what may stand there.
pub(super) fn container(node: &Spanned<Node>, shape: Shape) -> Option<(Vec<Entry>, Keys)> {
    match shape.required() {
        Shape::Block(block) => {
            let long = lengthen(block, node).into_owned();
            let Node::Map(entries) = long.value else { return None };
            Some((entries, Keys::Tables(vec![block])))
        }
        Shape::Map { of, .. } => Some((node.value.as_map()?.to_vec(), Keys::All(of()))),
        Shape::Kinded(kinded) => {
            let entries = node.value.as_map()?.to_vec();
            let kind = node.value.get(kinded.tag).and_then(|n| n.value.as_text());
            let tables = match kind.and_then(|kind| kinded.kind(kind)) {
                Some(table) => vec![(table.block)()],
                // An overlay need not repeat the kind, so every table may be meant.
                None => kinded.kinds.iter().map(|kind| (kind.block)()).collect(),
            };
            Some((entries, Keys::Tables(tables)))
        }
        Shape::Verb(verb) => {
            let entries = node.value.as_map()?.to_vec();
            let tables = match table_of_verb(&entries, shape) {
                Some((_, table)) => vec![table],
                None => verb.verbs.iter().map(|verb| (verb.block)()).collect(),
            };
            Some((entries, Keys::Tables(tables)))
        }
        Shape::OneOf(one_of) => {
            node.value.as_map()?;
            one_of.forms.iter().find_map(|form| container(node, form()))
        }
        Shape::Scalar(_) | Shape::Choice(_) | Shape::List(_) | Shape::Optional(_) => None,
    }
}

fn table_of_verb(entries: &[Entry], shape: Shape) -> Option<(&'static str, &'static BlockShape)> {
    let Shape::Verb(verbs) = shape.required() else { return None };
    let verb = entries.iter().find_map(|(key, _)| verbs.verb(&key.value))?;
    Some((verb.name, (verb.block)()))
}

fn merge_entries(
    base: Vec<Entry>,
    over: Vec<Entry>,
    keys: &Keys,
    out: &mut Diagnostics,
) -> Vec<Entry> {
    let mut result = base;
    let mut seen = BTreeSet::new();
    for (key, value) in over {
        if !seen.insert(key.value.clone()) {
            // A key that stands twice in one layer is kept for the decoder to report.
            result.push((key, value));
            continue;
        }
        let place = result.iter().position(|(name, _)| name.value == key.value);
        let shape = keys.shape(&key.value);
        match (place, &value.value) {
            (Some(_), Node::Null) => result.retain(|(name, _)| name.value != key.value),
            (None, Node::Null) => {
                let names: Vec<&str> = result.iter().map(|(name, _)| name.value.as_str()).collect();
                nothing_to_remove(&key, &names, out);
            }
            (Some(place), _) => {
                let old = result[place].1.clone();
                let merged = match shape {
                    Some(shape) => merge(old, value, shape, out),
                    None => value,
                };
                result[place] = (key, merged);
            }
            (None, _) => {
                let value = match shape {
                    Some(shape) => fresh(value, shape, out),
                    None => value,
                };
                result.push((key, value));
            }
        }
    }
    result
}

/// A value with nothing beneath it; a `null` in it has nothing to remove.
pub(super) fn fresh(node: Spanned<Node>, shape: Shape, out: &mut Diagnostics) -> Spanned<Node> {
    let Some((_, keys)) = container(&node, shape) else { return node };
    let Spanned { value: Node::Map(entries), span } = node else { return node };
    let mut result = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        if value.value == Node::Null {
            nothing_to_remove(&key, &[], out);
            continue;
        }
        let value = match keys.shape(&key.value) {
            Some(shape) => fresh(value, shape, out),
            None => value,
        };
        result.push((key, value));
    }
    Spanned::new(Node::Map(result), span)
}

/// Reports a removal of what is not there.
pub(super) fn nothing_to_remove(key: &Spanned<String>, there: &[&str], out: &mut Diagnostics) {
    let message = format!("there is no `{}` to remove", key.value);
    out.error("E0112", key.span, message)
        .label("`null`, or nothing at all, removes a key of the file below")
        .help(did_you_mean(&key.value, "key", there));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::sample::Document;
    use crate::language::{Decode, FileId, Span, node, print::print};

    /// The merged tree on one line, and the messages.
    fn merged(base: &str, over: &str) -> (String, Vec<String>) {
        let mut out = Diagnostics::new();
        let mut read = |file, text| node::parse(FileId(file), text, &mut out).expect("valid YAML");
        let (base, over) = (read(0, base), read(1, over));
        let result = merge(base, over, Document::shape(), &mut out);
        (flat(&result.value), out.sorted().iter().map(|d| d.message.clone()).collect())
    }

    /// The tree in flow style, short enough for an assertion.
    fn flat(node: &Node) -> String {
        match node {
            Node::Map(entries) => {
                let entry = |(k, v): &Entry| format!("{}:{}", k.value, flat(&v.value));
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(","))
            }
            Node::Seq(items) => {
                let items: Vec<String> = items.iter().map(|i| flat(&i.value)).collect();
                format!("[{}]", items.join(","))
            }
            scalar => {
                let span = Span::new(FileId(0), 0, 0);
                print(&Spanned::new(scalar.clone(), span)).trim().to_string()
            }
        }
    }

    fn only(base: &str, over: &str) -> String {
        let (result, errors) = merged(base, over);
        assert!(errors.is_empty(), "{errors:?}");
        result
    }

    #[test]
    fn maps_and_blocks_merge_by_key_and_scalars_replace() {
        assert_eq!(
            only(
                "components: { web: { kind: service, workers: 5, instances: 2 } }",
                "about: x\ncomponents: { web: { workers: 6 }, db: { kind: cache } }",
            ),
            "{components:{web:{kind:service,workers:6,instances:2},db:{kind:cache}},about:x}"
        );
    }

    #[test]
    fn a_choice_replaces_whole_even_for_the_same_variant() {
        let base =
            "components: { c: { kind: cache, popularity: { hot: { share: 90%, of: 5% } } } }";
        let over = "components: { c: { popularity: { hot: { share: 80% } } } }";
        assert_eq!(only(base, over), "{components:{c:{kind:cache,popularity:{hot:{share:80%}}}}}");
    }

    #[test]
    fn a_kind_or_a_verb_that_changes_replaces_whole() {
        assert_eq!(
            only(
                "components: { c: { kind: cache, capacity: 5 } }",
                "components: { c: { kind: service, workers: 5 } }",
            ),
            "{components:{c:{kind:service,workers:5}}}"
        );
        let base = "faults: { f: { crash: web, at: 5s, silently: true } }";
        let slow = "faults: { f: { slow: web, at: 9s } }";
        assert_eq!(only(base, slow), "{faults:{f:{slow:web,at:9s}}}");
        let later = "faults: { f: { at: 9s } }";
        assert_eq!(only(base, later), "{faults:{f:{crash:web,at:9s,silently:true}}}");
        let other = "faults: { f: { crash: db } }";
        assert_eq!(only(base, other), "{faults:{f:{crash:db,at:5s,silently:true}}}");
    }

    #[test]
    fn step_lists_replace_whole() {
        assert_eq!(
            only(
                "components: { c: { kind: service, handle: { a: [ work: 1s ], b: [ work: 2s ] } }}",
                "components: { c: { handle: { a: [ read: db ] } } }",
            ),
            "{components:{c:{kind:service,handle:{a:[{read:db}],b:[{work:2s}]}}}}"
        );
    }

    #[test]
    fn short_forms_are_lengthened_below_and_replace_above() {
        let short = "components: { c: { kind: service, queue: 5 } }";
        let long = "components: { c: { kind: service, queue: { limit: 5, timeout: 1s } } }";
        assert_eq!(
            only(short, "components: { c: { queue: { timeout: 2s } } }"),
            "{components:{c:{kind:service,queue:{limit:5,timeout:2s}}}}"
        );
        assert_eq!(
            only(long, "components: { c: { queue: 7 } }"),
            "{components:{c:{kind:service,queue:7}}}"
        );
    }

    #[test]
    fn null_removes_and_must_find_something() {
        let base = "components: { c: { kind: service, workers: 5 } }\nfaults: { f: { at: 1s } }";
        assert_eq!(
            only(base, "components: { c: { workers: null } }\nfaults: { f: null }"),
            "{components:{c:{kind:service}},faults:{}}"
        );
        let (_, errors) = merged(base, "faults: { g: null, h: { at: null } }\nabout:\n");
        assert_eq!(
            errors,
            [
                "there is no `g` to remove",
                "there is no `at` to remove",
                "there is no `about` to remove"
            ]
        );
    }

    #[test]
    fn what_stands_twice_in_a_layer_is_still_reported_by_the_decoder() {
        let mut out = Diagnostics::new();
        let base = node::parse(FileId(0), "entry: a\ncomponents: {}", &mut out).unwrap();
        let over = node::parse(FileId(1), "entry: b\nentry: c", &mut out).unwrap();
        let result = merge(base, over, Document::shape(), &mut out);
        Document::decode(&result, &mut out);
        assert_eq!(out.sorted()[0].message, "the key `entry` stands twice");
        assert_eq!(out.sorted()[0].span.file, FileId(1));
    }
}
