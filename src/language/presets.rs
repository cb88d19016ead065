//! Sets of defaults for a block, chosen by one of its keys: `engine: mysql`.
//!
//! A set is laid under what was written before it is decoded, so that what is written wins key by
//! key, and a set means exactly what its keys spelled out would mean. Knows no key of the language.

use super::decode::lengthen;
use super::node::{self, Entry, Node};
use super::shape::{BlockShape, Shape};
use super::source::Spanned;

/// The sets of defaults of a block.
pub struct Presets {
    /// The key that chooses; a choice whose variants have no parameters.
    pub key: &'static str,
    /// By variant, keys of the block as YAML.
    pub sets: &'static [(&'static str, &'static str)],
}

impl Presets {
    /// The set of this variant.
    pub fn set(&self, variant: &str) -> Option<&'static str> {
        self.sets.iter().find(|(name, _)| *name == variant).map(|(_, text)| *text)
    }
}

/// The entries of a block over the set that they choose; `None` when they choose none. What comes
/// from the set has the place of the choice.
pub fn lay(shape: &BlockShape, entries: &[Entry]) -> Option<Vec<Entry>> {
    let presets = shape.presets?;
    let (_, choice) = entries.iter().find(|(key, _)| key.value == presets.key)?;
    let set = node::fragment(presets.set(choice.value.as_text()?)?, choice.span);
    Some(over(shape, set.value.as_map()?, entries))
}

/// Keys in both are merged where both are blocks. A block that may have keys of the author's own is
/// one whole: what was written of it replaces the set's.
fn over(shape: &BlockShape, set: &[Entry], written: &[Entry]) -> Vec<Entry> {
    let mut result = written.to_vec();
    for (key, below) in set {
        let Some(place) = result.iter().position(|(name, _)| name.value == key.value) else {
            result.push((key.clone(), below.clone()));
            continue;
        };
        let above = &result[place].1;
        let Some(Shape::Block(block)) = shape.field(&key.value).map(|f| (f.shape)().required())
        else {
            continue;
        };
        let long = lengthen(block, above);
        let (Node::Map(below), Node::Map(entries)) = (&below.value, &long.value) else { continue };
        if block.others.is_none() {
            let merged = Node::Map(over(block, below, entries));
            result[place].1 = Spanned::new(merged, above.span);
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{Decode, Diagnostics, FileId, Table, explain};
    use crate::{choice, config};

    const MAKES: Presets = Presets {
        key: "make",
        sets: &[
            ("plain", "{}"),
            ("big", "{ size: 9, inner: { depth: 8, width: 7 }, places: { count: 6 } }"),
        ],
    };

    config! {
        /// A box.
        pub struct Crate, presets = MAKES {
            /// A set of defaults.
            make: Option<Make> = "none",
            /// How big.
            size: Option<u64> = "1",
            /// What is in it.
            inner: Inner = "{}",
            /// Where.
            places: Places = "{}",
        }
    }

    config! {
        /// What is in it.
        pub struct Inner, short = depth {
            /// How deep.
            depth: u64 = "2",
            /// How wide.
            width: u64 = "3",
        }
    }

    config! {
        /// Where.
        pub struct Places, short = count {
            /// How many.
            count: u64 = "4",
        }
        others {
            /// By name.
            named: u64
        }
    }

    choice! {
        /// A make.
        pub enum Make {
            /// As it is.
            plain: Plain,
            /// Bigger.
            big: Big,
        }
    }

    fn numbers(text: &str) -> Vec<u64> {
        let mut out = Diagnostics::new();
        let node = node::parse(FileId(0), text, &mut out).expect("it is YAML");
        let read = Crate::decode(&node, &mut out).expect("it has no mistakes");
        let (inner, places) = (&read.inner.value, &read.places.value);
        let named: &Table<u64> = &places.named;
        let own = [read.size.value.unwrap_or(0), inner.depth.value, inner.width.value];
        let named = named.iter().map(|(_, count)| count.value);
        own.into_iter().chain([places.count.value]).chain(named).collect()
    }

    #[test]
    fn a_set_stands_for_its_keys() {
        assert_eq!(numbers("make: none"), [1, 2, 3, 4]);
        assert_eq!(numbers("make: plain"), [1, 2, 3, 4]);
        assert_eq!(numbers("make: big"), [9, 8, 7, 6]);
    }

    #[test]
    fn what_is_written_wins_key_by_key() {
        assert_eq!(numbers("{ make: big, size: 5 }"), [5, 8, 7, 6]);
        assert_eq!(numbers("{ size: none, make: big }"), [0, 8, 7, 6]);
        assert_eq!(numbers("{ make: big, inner: { width: 5 } }"), [9, 8, 5, 6]);
        assert_eq!(numbers("{ make: big, inner: 5 }"), [9, 5, 7, 6]);
        assert_eq!(numbers("{ make: big, places: 5 }"), [9, 8, 7, 5]);
    }

    #[test]
    fn keys_of_the_authors_own_replace_the_block() {
        assert_eq!(numbers("{ make: big, places: { here: 5 } }"), [9, 8, 7, 4, 5]);
    }

    #[test]
    fn the_reference_of_the_key_lists_the_sets() {
        let text = explain(Crate::shape(), "make").expect("it is a key");
        assert!(text.contains("\n  plain sets\n    {}\n"), "{text}");
        assert!(text.contains("\n  big sets\n    { size: 9, inner: {"), "{text}");
    }

    #[test]
    fn what_comes_from_a_set_has_the_place_of_the_choice() {
        let mut out = Diagnostics::new();
        let node = node::parse(FileId(0), "make: big", &mut out).expect("it is YAML");
        let read = Crate::decode(&node, &mut out).expect("it has no mistakes");
        assert_eq!(read.size.span, read.make.span);
    }
}
