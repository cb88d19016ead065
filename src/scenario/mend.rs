//! Leaving out what is wrong, to find out what else is wrong.
//!
//! A document with a mistake in it cannot be decoded, and what is not decoded has no names to
//! check. So the places of the mistakes are taken out of the tree, their defaults take over, and
//! the rest is compiled for its mistakes only. What is mended is never run.

use crate::language::node::{Entry, Node};
use crate::language::{Decode, Diagnostics, Severity, Span, Spanned};

/// So often a mended document is looked at again: taking out one key can make another one wrong.
const ROUNDS: usize = 8;

/// Decodes what is left of a tree without the places of these errors, and the keys that were taken
/// out: whoever refers to them is not to blame.
pub(super) fn mend<T: Decode>(
    tree: &Spanned<Node>,
    errors: &Diagnostics,
) -> Option<(T, Vec<String>)> {
    let mut tree = tree.clone();
    let mut removed = Vec::new();
    let mut wrong = places(errors);
    for _ in 0..ROUNDS {
        let before = removed.len();
        remove(&mut tree, &wrong, &mut removed);
        if removed.len() == before {
            return None;
        }
        let mut out = Diagnostics::new();
        let document = T::decode(&tree, &mut out);
        wrong = places(&out);
        match document {
            Some(document) if wrong.is_empty() => return Some((document, removed)),
            _ => {}
        }
    }
    None
}

fn places(errors: &Diagnostics) -> Vec<Span> {
    errors.iter().filter(|d| d.severity == Severity::Error).map(|d| d.span).collect()
}

/// Takes out every entry and item that is itself one of the places, and looks into the others.
fn remove(node: &mut Spanned<Node>, wrong: &[Span], removed: &mut Vec<String>) {
    match &mut node.value {
        Node::Map(entries) => {
            entries.retain_mut(|(key, value): &mut Entry| {
                let is_wrong = wrong.contains(&key.span) || is_wrong_scalar(value, wrong);
                if is_wrong {
                    removed.push(key.value.clone());
                } else {
                    remove(value, wrong, removed);
                }
                !is_wrong
            });
        }
        Node::Seq(items) => items.retain_mut(|item| {
            let is_wrong = is_wrong_scalar(item, wrong);
            if is_wrong {
                removed.push(String::new());
            } else {
                remove(item, wrong, removed);
            }
            !is_wrong
        }),
        _ => {}
    }
}

/// Whether a place lies in a scalar; in maps and lists it is looked for further down.
fn is_wrong_scalar(value: &Spanned<Node>, wrong: &[Span]) -> bool {
    let is_scalar = !matches!(value.value, Node::Map(_) | Node::Seq(_));
    let inside = |place: &&Span| {
        let (outer, inner) = (value.span, place);
        outer.file == inner.file && outer.start <= inner.start && inner.end <= outer.end
    };
    is_scalar && wrong.iter().any(|place| inside(&place))
}
