//! A tree as YAML text, for `validate --resolved`.
//!
//! Writes block style with two blanks, quotes only what would else be read as something different.
//! Comments, anchors and the author's layout are not kept.

use super::diagnostic::Diagnostics;
use super::node::{self, Node};
use super::source::{FileId, Spanned};
use std::fmt::Write;

/// The tree as YAML; reading the text gives the same tree.
pub fn print(root: &Spanned<Node>) -> String {
    let mut text = String::new();
    write_node(&mut text, &root.value, 0);
    // The first line of a nested value begins on its own line; the root has none before it.
    text.trim_start_matches('\n').to_string()
}

/// Writes after `key:` or `-`: a scalar on the same line, a collection on the next.
fn write_node(text: &mut String, node: &Node, indent: usize) {
    let after_key = !text.is_empty() && !text.ends_with('\n');
    let blank = if after_key { " " } else { "" };
    match node {
        Node::Null => text.push_str(&format!("{blank}null\n")),
        Node::Bool(value) => text.push_str(&format!("{blank}{value}\n")),
        Node::Text { text: scalar, quoted } => {
            text.push_str(&format!("{blank}{}\n", scalar_text(scalar, *quoted)));
        }
        Node::Seq(items) if items.is_empty() => text.push_str(&format!("{blank}[]\n")),
        Node::Map(entries) if entries.is_empty() => text.push_str(&format!("{blank}{{}}\n")),
        Node::Seq(items) => {
            if after_key {
                text.push('\n');
            }
            for item in items {
                let _ = write!(text, "{:indent$}-", "");
                write_item(text, &item.value, indent + 2);
            }
        }
        Node::Map(entries) => {
            if after_key {
                text.push('\n');
            }
            for (key, value) in entries {
                let _ = write!(text, "{:indent$}{}:", "", key_text(&key.value));
                write_node(text, &value.value, indent + 2);
            }
        }
    }
}

/// An item of a list: the first line of a collection stands on the line of the dash.
fn write_item(text: &mut String, node: &Node, indent: usize) {
    let is_collection = match node {
        Node::Seq(items) => !items.is_empty(),
        Node::Map(entries) => !entries.is_empty(),
        _ => false,
    };
    if !is_collection {
        return write_node(text, node, indent);
    }
    let mut lines = String::new();
    write_node(&mut lines, node, indent);
    let _ = write!(text, " {}", lines.trim_start_matches(' '));
}

/// A scalar, plain when it would be read back as it is.
fn scalar_text(scalar: &str, quoted: bool) -> String {
    let plain = Node::text(scalar);
    let same = |text: &str| {
        let node = node::parse(FileId(0), &format!("k: {text}\n"), &mut Diagnostics::new());
        node.is_some_and(|node| node.get("k").is_some_and(|value| value.value == plain))
    };
    if !quoted && same(scalar) { scalar.to_string() } else { quote(scalar) }
}

fn key_text(key: &str) -> String {
    let node = node::parse(FileId(0), &format!("{key}: 1\n"), &mut Diagnostics::new());
    let same =
        node.is_some_and(|node| matches!(node.value.as_map(), Some([(k, _)]) if k.value == key));
    if same { key.to_string() } else { quote(key) }
}

/// In double quotes, with everything escaped that needs it.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let _ = write!(quoted, "\\U{:08X}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Spanned<Node> {
        node::parse(FileId(0), text, &mut Diagnostics::new()).expect(text)
    }

    #[test]
    fn block_style_is_written() {
        let text = "\
a: 1.50
b:
  c: p99 < 1s
  d:
    - x
    - read: db
      times: 9
    - - 1
      - 2
    - []
  e: {}
us <-> eu: \"quoted\"
n: null
t: true
";
        assert_eq!(print(&parse(text)), text);
    }

    /// The tree without places.
    fn bare(node: &Node) -> String {
        match node {
            Node::Map(entries) => {
                entries.iter().map(|(k, v)| format!("({:?}={})", k.value, bare(&v.value))).collect()
            }
            Node::Seq(items) => items.iter().map(|i| format!("<{}>", bare(&i.value))).collect(),
            Node::Text { text, .. } => format!("{text:?}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn what_is_printed_reads_back_the_same() {
        for text in [
            "a: \"5\"",
            "a: 'null'\nb: 'true'\nc: ''\nd: ' x '\ne: 'x: y'\nf: '#x'\ng: 'a #b'",
            "'a: b': 1\n'': 2\n'null': 3\n'- x': 4",
            "a: |\n  two\n  lines\n",
            "a: \"tab\\t nul\\0 bell\\a \\u2028 ü 😀\"",
            "[[], [[1]], {}, { a: { b: [ { c: 1, d: 2 } ] } }]",
            "5",
            "a: 012\nb: 1_0\nc: 0x1F\nd: ~\ne: [a, 'b']",
        ] {
            let tree = parse(text);
            let printed = print(&tree);
            assert_eq!(bare(&parse(&printed).value), bare(&tree.value), "{printed}");
        }
    }
}
