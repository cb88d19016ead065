//! The types that hold other types: lists, names, `none`, and one-or-many.
//!
//! Knows nothing of what they hold.

use super::decode::{Decode, duplicates, wrong_form};
use super::diagnostic::Diagnostics;
use super::node::{Entry, Node};
use super::shape::{OneOfShape, Shape};
use super::source::Spanned;
use super::values::Name;
use std::ops::Deref;

/// A map whose keys are any text, in the order written; the owner of the field parses the keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Table<T> {
    /// The entries in the order written, each key once.
    pub entries: Vec<(Spanned<String>, Spanned<T>)>,
}

/// A map from names that the author chose, `[a-z][a-z0-9_]*`, in the order written.
#[derive(Clone, Debug, PartialEq)]
pub struct Names<T>(pub Table<T>);

/// One value, or a list of them: `to: web`, `to: [fast, slow]`.
#[derive(Clone, Debug, PartialEq)]
pub struct OneOrMany<T>(pub Vec<Spanned<T>>);

impl<T> Table<T> {
    /// The value of this key.
    pub fn get(&self, key: &str) -> Option<&Spanned<T>> {
        self.entries.iter().find(|(name, _)| name.value == key).map(|(_, value)| value)
    }

    /// All entries in the order written.
    pub fn iter(&self) -> std::slice::Iter<'_, (Spanned<String>, Spanned<T>)> {
        self.entries.iter()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All keys in the order written.
    pub fn keys(&self) -> Vec<&str> {
        self.entries.iter().map(|(name, _)| name.value.as_str()).collect()
    }
}

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table { entries: Vec::new() }
    }
}

impl<T> Default for Names<T> {
    fn default() -> Names<T> {
        Names(Table::default())
    }
}

impl<T> Deref for Names<T> {
    type Target = Table<T>;

    fn deref(&self) -> &Table<T> {
        &self.0
    }
}

impl<T: Decode> Decode for Table<T> {
    fn decode(node: &Spanned<Node>, out: &mut Diagnostics) -> Option<Table<T>> {
        let Node::Map(entries) = &node.value else {
            wrong_form(node, "a map of names", "write `{ name: …, other: … }`", out);
            return None;
        };
        let again = duplicates(entries, out);
        let read = |(index, (key, value)): (usize, &Entry)| {
            let read = T::decode(value, out).map(|v| Spanned::new(v, value.span));
            // The second of two equal keys is decoded for its mistakes and then dropped.
            let kept = if again.contains(&index) { None } else { Some((key.clone(), read)) };
            kept.map(|(key, read)| read.map(|value| (key, value)))
        };
        // All values are read before any failure ends this, so that every mistake is found.
        let read: Vec<_> = entries.iter().enumerate().filter_map(read).collect();
        Some(Table { entries: read.into_iter().collect::<Option<_>>()? })
    }

    fn shape() -> Shape {
        Shape::Map { key: "KEY", of: T::shape }
    }

    fn bare() -> Option<&'static str> {
        Some("{}")
    }
}

impl<T: Decode> Decode for Names<T> {
    fn decode(node: &Spanned<Node>, out: &mut Diagnostics) -> Option<Names<T>> {
        for (key, _) in node.value.as_map().unwrap_or_default() {
            if let Err(error) = Name::parse(&key.value) {
                out.error("E0108", key.span, error.message).help(error.help);
            }
        }
        Table::decode(node, out).map(Names)
    }

    fn shape() -> Shape {
        Shape::Map { key: "NAME", of: T::shape }
    }

    fn bare() -> Option<&'static str> {
        Some("{}")
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(node: &Spanned<Node>, out: &mut Diagnostics) -> Option<Option<T>> {
        if node.value.is_none() { Some(None) } else { T::decode(node, out).map(Some) }
    }

    fn shape() -> Shape {
        Shape::Optional(T::shape)
    }

    fn bare() -> Option<&'static str> {
        Some("none")
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(node: &Spanned<Node>, out: &mut Diagnostics) -> Option<Vec<T>> {
        let Node::Seq(items) = &node.value else {
            let help = format!("write `[ {} ]`", T::shape().example());
            wrong_form(node, "a list", &help, out);
            return None;
        };
        let read: Vec<Option<T>> = items.iter().map(|item| T::decode(item, out)).collect();
        read.into_iter().collect()
    }

    fn shape() -> Shape {
        Shape::List(T::shape)
    }
}

impl<T: Decode> Decode for Spanned<T> {
    fn decode(node: &Spanned<Node>, out: &mut Diagnostics) -> Option<Spanned<T>> {
        T::decode(node, out).map(|value| Spanned::new(value, node.span))
    }

    fn shape() -> Shape {
        T::shape()
    }

    fn bare() -> Option<&'static str> {
        T::bare()
    }
}

impl<T: Decode> Decode for Box<T> {
    fn decode(node: &Spanned<Node>, out: &mut Diagnostics) -> Option<Box<T>> {
        T::decode(node, out).map(Box::new)
    }

    fn shape() -> Shape {
        T::shape()
    }

    fn bare() -> Option<&'static str> {
        T::bare()
    }
}

impl<T: Decode> OneOrMany<T> {
    const SHAPE: &'static OneOfShape = &OneOfShape {
        name: "OneOrMany",
        doc: "One, or a list of them.",
        forms: &[T::shape, <Vec<T> as Decode>::shape],
    };
}

impl<T: Decode> Decode for OneOrMany<T> {
    fn decode(node: &Spanned<Node>, out: &mut Diagnostics) -> Option<OneOrMany<T>> {
        if let Node::Seq(_) = node.value {
            return Vec::decode(node, out).map(OneOrMany);
        }
        Spanned::decode(node, out).map(|one| OneOrMany(vec![one]))
    }

    fn shape() -> Shape {
        Shape::OneOf(Self::SHAPE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{node, source::FileId};
    use crate::units::Duration;

    fn decode<T: Decode>(text: &str) -> (Option<T>, Vec<String>) {
        let mut out = Diagnostics::new();
        let node = node::parse(FileId(0), text, &mut out).expect("valid YAML");
        let value = T::decode(&node, &mut out);
        (value, out.sorted().iter().map(|d| format!("{} {}", d.code, d.message)).collect())
    }

    #[test]
    fn names_are_kept_in_order_and_checked() {
        let (names, errors) = decode::<Names<Duration>>("{ b: 1s, a: 2s }");
        assert_eq!(names.unwrap().keys(), ["b", "a"]);
        assert!(errors.is_empty());
        let (_, errors) = decode::<Names<Duration>>("{ my-b: 1s, a: 2, a: 3 }");
        assert_eq!(
            errors,
            [
                "E0108 `my-b` is not a name",
                "E0201 `2` needs a unit",
                "E0102 the key `a` stands twice",
                "E0201 `3` needs a unit",
            ]
        );
    }

    #[test]
    fn none_and_null_are_no_value() {
        assert_eq!(decode::<Option<Duration>>("none").0, Some(None));
        assert_eq!(decode::<Option<Duration>>("null").0, Some(None));
        assert_eq!(decode::<Option<Duration>>("1us").0, Some(Some(Duration(1_000))));
        assert!(decode::<Option<Duration>>("nothing").0.is_none());
    }

    #[test]
    fn one_or_many_takes_both_forms() {
        assert_eq!(decode::<OneOrMany<Name>>("web").0.unwrap().0.len(), 1);
        assert_eq!(decode::<OneOrMany<Name>>("[fast, slow]").0.unwrap().0.len(), 2);
        assert_eq!(decode::<OneOrMany<Name>>("[Fast, 5]").1.len(), 2);
    }
}
