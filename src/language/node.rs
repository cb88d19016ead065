//! The spanned YAML tree, and the only place that reads YAML.
//!
//! Text goes in, a tree of [`Node`]s comes out in which every key and value knows its bytes.
//! Scalars keep their source text, so that `10`, `10.0` and `010` can be told apart. Duplicate keys
//! are kept for the decoder to report with everything else. This module does not know what any key
//! means.

use super::diagnostic::{Diagnostic, Diagnostics};
use super::source::{FileId, Span, Spanned};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use std::fmt;

/// A YAML value with the places of everything in it.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// `null`, `~` or nothing at all.
    Null,
    /// `true` or `false`; `yes` and `on` are text.
    Bool(bool),
    /// Every other scalar: a number, a quantity, a name, prose.
    Text {
        /// The text as written, without quotes.
        text: String,
        /// Whether it stood in quotes.
        quoted: bool,
    },
    /// A list.
    Seq(Vec<Spanned<Node>>),
    /// A map in the order written, duplicate keys included.
    Map(Vec<Entry>),
}

/// One key and its value.
pub type Entry = (Spanned<String>, Spanned<Node>);

/// The largest accepted source in bytes.
const BYTES_MAX: usize = 4 << 20;
/// The deepest accepted nesting; the deepest scenario in the repository needs about ten.
const DEPTH_MAX: usize = 64;
/// The largest number of YAML nodes in one source, counted after expansion of aliases.
const NODES_MAX: usize = 200_000;
/// The largest number of YAML events that aliases may add.
const REPLAYED_MAX: usize = 20_000;

impl Node {
    /// An unquoted scalar.
    pub fn text(text: impl Into<String>) -> Node {
        Node::Text { text: text.into(), quoted: false }
    }

    /// The text of a scalar, booleans included; `None` for null, lists and maps.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Node::Text { text, .. } => Some(text),
            Node::Bool(true) => Some("true"),
            Node::Bool(false) => Some("false"),
            _ => None,
        }
    }

    /// The entries of a map, or `None`.
    pub fn as_map(&self) -> Option<&[Entry]> {
        match self {
            Node::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value of the first entry with this key.
    pub fn get(&self, key: &str) -> Option<&Spanned<Node>> {
        self.as_map()?.iter().find(|(name, _)| name.value == key).map(|(_, value)| value)
    }

    /// Whether it says that there is nothing: null, or the bare word `none`.
    pub fn is_none(&self) -> bool {
        match self {
            Node::Null => true,
            Node::Text { text, quoted } => text == "none" && !quoted,
            _ => false,
        }
    }

    /// What it is, for a message: "a list", "`20ms`".
    pub fn describe(&self) -> String {
        match self {
            Node::Null => "nothing".to_string(),
            Node::Seq(_) => "a list".to_string(),
            Node::Map(_) => "a map".to_string(),
            scalar => {
                let text = scalar.as_text().unwrap_or_default();
                let short: String = text.chars().take(40).collect();
                let dots = if short.len() < text.len() { "…" } else { "" };
                format!("`{}{dots}`", short.replace('\n', " "))
            }
        }
    }
}

/// Reads one source; whatever is wrong with its YAML becomes one diagnostic.
pub fn parse(file: FileId, text: &str, out: &mut Diagnostics) -> Option<Spanned<Node>> {
    parse_part(file, text, 0, out)
}

/// Reads the end of a source from byte `offset` on, as the value in `--set a.b=VALUE`.
pub fn parse_part(
    file: FileId,
    text: &str,
    offset: usize,
    out: &mut Diagnostics,
) -> Option<Spanned<Node>> {
    let part = &text[offset..];
    if part.len() > BYTES_MAX {
        let span = Span::new(file, offset, offset);
        out.error("E0002", span, format!("this file is larger than {} MiB", BYTES_MAX >> 20));
        return None;
    }
    let converter = Converter { file, text: part, offset };
    match serde_yaml::from_str_with_options::<Located>(part, options()) {
        Ok(value) => Some(converter.node(value, None)),
        Err(error) => {
            out.push(explain(error, converter));
            None
        }
    }
}

/// Reads a YAML text of our own, such as a default; every node gets the place `span`.
///
/// Panics when the text is not YAML: that is a mistake in the program, and a test reads all
/// defaults.
pub fn fragment(text: &str, span: Span) -> Spanned<Node> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'%' | b'/' | b'_');
    if !text.is_empty() && text.bytes().all(plain) && !matches!(text, "null" | "true" | "false") {
        return Spanned::new(Node::text(text), span);
    }
    match parse(span.file, text, &mut Diagnostics::new()) {
        Some(node) => respan(node, span),
        None => panic!("the default `{text}` is not YAML"),
    }
}

/// The same tree with every place replaced by `span`.
fn respan(node: Spanned<Node>, span: Span) -> Spanned<Node> {
    let value = match node.value {
        Node::Seq(items) => Node::Seq(items.into_iter().map(|i| respan(i, span)).collect()),
        Node::Map(entries) => {
            let entry = |(k, v): Entry| (Spanned::new(k.value, span), respan(v, span));
            Node::Map(entries.into_iter().map(entry).collect())
        }
        scalar => scalar,
    };
    Spanned::new(value, span)
}

fn options() -> serde_yaml::Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_depth: DEPTH_MAX,
            flow_nesting_limit: DEPTH_MAX,
            max_nodes: NODES_MAX,
            max_events: 3 * NODES_MAX,
            max_recorded_anchor_events: REPLAYED_MAX,
        },
        alias_limits: serde_yaml::alias_limits! {
            max_total_replayed_events: REPLAYED_MAX,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        // `.inf` and `.nan` stay text and are refused by every quantity.
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

/// Turns the reader's error into a diagnostic of ours.
fn explain(error: serde_yaml::Error, converter: Converter<'_>) -> Diagnostic {
    let place = error.location().map(|location| location.span());
    let start = place.map_or(0, |place| match place.byte_offset() {
        Some(bytes) => bytes as usize,
        None => byte_offset(converter.text, place.offset() as usize),
    });
    let length = converter.text[start.min(converter.text.len())..].chars().next();
    let end = start + length.filter(|c| *c != '\n').map_or(0, char::len_utf8);
    let span = converter.span(start, end);
    let full = error.to_string();
    // The reader ends its messages with the position, which the rendering shows in its own way.
    let text = full.split(" at line ").next().unwrap_or(&full).to_string();
    match error {
        serde_yaml::Error::MultipleDocuments { .. } => {
            Diagnostic::error("E0001", span, "a scenario is one YAML document")
                .with_help("remove the line `---` and what follows, or put it in its own file")
        }
        serde_yaml::Error::Budget { .. } => budget(span, "here a limit is passed"),
        _ if is_limit(&text) => budget(span, &text),
        _ => Diagnostic::error("E0001", span, format!("this is not valid YAML: {text}")),
    }
}

/// Some limits are reported by the scanner below the reader, as text only.
fn is_limit(text: &str) -> bool {
    ["limit", "budget", "recursion", "too deep"].iter().any(|word| text.contains(word))
}

fn budget(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error("E0002", span, "this is too large or too deeply nested for a scenario")
        .with_label(text)
        .with_help(format!("at most {DEPTH_MAX} levels and {NODES_MAX} values, aliases expanded"))
}

/// The byte at which the `characters`-th character begins.
fn byte_offset(text: &str, characters: usize) -> usize {
    text.char_indices().nth(characters).map_or(text.len(), |(byte, _)| byte)
}

/// What the reader yields: a value and where it was defined.
type Located = serde_yaml::Spanned<Raw>;

/// The reader's view of a value; numbers are recognised and dropped, their source text is kept.
enum Raw {
    Null,
    Bool(bool),
    Number,
    Text(String),
    Seq(Vec<Located>),
    Map(Vec<(serde_yaml::Spanned<String>, Located)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_i128<E: de::Error>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_u128<E: de::Error>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_string()))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Raw::Seq(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

/// Gives the reader's values our spans and our source text.
#[derive(Clone, Copy)]
struct Converter<'t> {
    file: FileId,
    text: &'t str,
    /// Where `text` begins in its file.
    offset: usize,
}

impl Converter<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start + self.offset, end + self.offset)
    }

    fn place(&self, location: serde_yaml::Location) -> Span {
        let span = location.span();
        let start = span.byte_offset().unwrap_or(0) as usize;
        self.span(start, start + span.byte_len().unwrap_or(0) as usize)
    }

    /// `key` is the place of the key that holds the value: maps, lists and absent values have no
    /// useful extent of their own, so a mistake in them underlines the key.
    fn node(&self, located: Located, key: Option<Span>) -> Spanned<Node> {
        let own = self.place(located.defined);
        let or_key = |own: Span| key.unwrap_or(own);
        match located.value {
            Raw::Null => Spanned::new(Node::Null, if own.is_empty() { or_key(own) } else { own }),
            Raw::Bool(value) => Spanned::new(Node::Bool(value), own),
            Raw::Number => Spanned::new(Node::text(self.slice(own).replace('\r', "")), own),
            Raw::Text(text) => {
                let quoted = self.slice(own).starts_with(['"', '\'']);
                Spanned::new(Node::Text { text, quoted }, own)
            }
            Raw::Seq(items) => {
                let items = items.into_iter().map(|item| self.node(item, None)).collect();
                Spanned::new(Node::Seq(items), or_key(own))
            }
            Raw::Map(entries) => {
                let entries: Vec<Entry> = entries.into_iter().map(|e| self.entry(e)).collect();
                let first = entries.first().map(|(name, _)| name.span);
                let own = if own.is_empty() { first.unwrap_or(own) } else { own };
                Spanned::new(Node::Map(entries), or_key(own))
            }
        }
    }

    fn entry(&self, (key, value): (serde_yaml::Spanned<String>, Located)) -> Entry {
        let span = self.place(key.defined);
        (Spanned::new(key.value, span), self.node(value, Some(span)))
    }

    fn slice(&self, span: Span) -> &str {
        let (start, end) = (span.start as usize - self.offset, span.end as usize - self.offset);
        self.text.get(start..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    const FILE: FileId = FileId(0);

    fn result(text: &str) -> Result<Spanned<Node>, Box<Diagnostic>> {
        let mut out = Diagnostics::new();
        let node = parse(FILE, text, &mut out);
        node.ok_or_else(|| Box::new(out.iter().next().expect("an error").clone()))
    }

    fn read(text: &str) -> Spanned<Node> {
        result(text).unwrap_or_else(|error| panic!("{}", error.message))
    }

    fn under<'t>(text: &'t str, node: &Spanned<Node>) -> &'t str {
        &text[node.span.start as usize..node.span.end as usize]
    }

    #[test]
    fn scalars_keep_their_source_text_and_exact_span() {
        let text = "ö: 1.50\nnäme: 'it''s'\nc: 010\nd: 1_0\ne: 0x10\nf: yes\ng: true\nh: é20ms\n";
        let node = read(text);
        let value = |key: &str| node.get(key).unwrap();
        assert_eq!(value("ö").value, Node::text("1.50"));
        assert_eq!(under(text, value("ö")), "1.50");
        assert_eq!(value("näme").value, Node::Text { text: "it's".into(), quoted: true });
        assert_eq!(under(text, value("näme")), "'it''s'");
        assert_eq!(value("c").value, Node::text("010"));
        assert_eq!(value("d").value, Node::text("1_0"));
        assert_eq!(value("e").value, Node::text("0x10"));
        assert_eq!(value("f").value, Node::text("yes"));
        assert_eq!(value("g").value, Node::Bool(true));
        assert_eq!(under(text, value("h")), "é20ms");
    }

    #[test]
    fn maps_lists_and_absent_values_take_the_place_of_their_key() {
        let text = "a:\n  b: [1]\n  c:\nd:\n  - x: 1\n    y: 2\n";
        let node = read(text);
        let a = node.get("a").unwrap();
        assert_eq!(under(text, a), "a");
        assert_eq!(under(text, a.get("b").unwrap()), "b");
        assert_eq!(under(text, a.get("c").unwrap()), "c");
        assert_eq!(a.get("c").unwrap().value, Node::Null);
        let Node::Seq(items) = &node.get("d").unwrap().value else { panic!("a list") };
        assert_eq!(under(text, &items[0]), "x");
    }

    #[test]
    fn duplicates_are_kept_and_merge_keys_are_expanded() {
        let node = read("a: 1\na: 2\nb: &m { p: 1, q: 2 }\nc: { <<: *m, q: 3 }\n");
        assert_eq!(node.as_map().unwrap().len(), 4);
        let c = node.get("c").unwrap();
        assert_eq!(c.get("p").unwrap().value, Node::text("1"));
        assert_eq!(c.get("q").unwrap().value, Node::text("3"));
        assert_eq!(c.as_map().unwrap().len(), 2);
    }

    #[test]
    fn expressions_links_and_units_need_no_quotes() {
        let text = "slo: [ p99 < 1s during 0s..5min, a >= 99.9% ]\nus <-> eu: 80ms\nr: 0.01/s\n";
        let node = read(text);
        let Node::Seq(items) = &node.get("slo").unwrap().value else { panic!("a list") };
        assert_eq!(items[0].as_text(), Some("p99 < 1s during 0s..5min"));
        assert!(node.get("us <-> eu").is_some());
    }

    #[test]
    fn what_is_no_yaml_is_one_diagnostic_at_its_place() {
        let start = |text: &str| result(text).unwrap_err().span.start;
        assert_eq!(start("a: é\nb: [1, 2"), 9);
        assert_eq!(start("a: *nope"), 3);
        let error = result("a: 1\n---\nb: 2").unwrap_err();
        assert_eq!(error.message, "a scenario is one YAML document");
        assert_eq!(result("a: !x 5").unwrap_err().code, "E0001");
    }

    #[test]
    fn a_part_of_a_source_has_spans_of_the_whole() {
        let text = "a.b={ c: 20ms }";
        let node = parse_part(FILE, text, 4, &mut Diagnostics::new()).unwrap();
        assert_eq!(under(text, node.get("c").unwrap()), "20ms");
    }

    #[test]
    fn a_fragment_has_one_place() {
        let span = Span::new(FILE, 3, 7);
        let node = fragment("{ a: [1, { b: 2 }] }", span);
        assert_eq!(node.span, span);
        assert_eq!(node.get("a").unwrap().span, span);
        assert_eq!(fragment("{}", span).value, Node::Map(Vec::new()));
        assert_eq!(fragment("none", span).value, Node::text("none"));
        assert_eq!(fragment("true", span).value, Node::Bool(true));
    }

    /// Reads within a second; whether the text is refused is for the caller to judge.
    fn read_quickly(text: &str) -> Result<Spanned<Node>, Box<Diagnostic>> {
        let start = Instant::now();
        let result = result(text);
        let name: String = text.chars().take(20).collect();
        assert!(start.elapsed() < Duration::from_secs(1), "{name}: {:?}", start.elapsed());
        result
    }

    #[test]
    fn bombs_are_refused_within_a_second() {
        for opening in ["[", "{a: ", "- ", "? ", "[{a: ", "!a [", "&a [", "*", "a: "] {
            assert!(read_quickly(&opening.repeat(100_000)).is_err(), "{opening}");
        }
        let indented: String = (0..2_000).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
        assert_eq!(read_quickly(&indented).unwrap_err().code, "E0002");
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_string();
        for n in 1..12 {
            let aliases = vec![format!("*a{}", n - 1); 9].join(", ");
            bomb.push_str(&format!("a{n}: &a{n} [{aliases}]\n"));
        }
        assert_eq!(read_quickly(&bomb).unwrap_err().code, "E0002");
        assert_eq!(read_quickly(&"[".repeat(100_000)).unwrap_err().code, "E0002");
        assert_eq!(read_quickly(&"a: 1\n".repeat(900_000)).unwrap_err().code, "E0002");
        assert_eq!(read_quickly(&"a: 1\n".repeat(1_000_000)).unwrap_err().code, "E0002");
        assert!(read_quickly(&format!("a: &a {}x", "[*a, ".repeat(50))).is_err());
    }

    #[test]
    fn long_but_harmless_texts_are_read_within_a_second() {
        for part in ["'", "\"", "a: |\n ", "# é\n", "\n", " ", "é"] {
            let _ = read_quickly(&part.repeat(200_000));
        }
    }

    #[test]
    fn random_text_never_panics() {
        let alphabet: Vec<char> =
            "ab01 :-[]{},#&*!|>'\"%@`\n\t?~=<éΩ\u{0}\u{feff}\r".chars().collect();
        let mut state = 1_u64;
        for _ in 0..3_000 {
            let text: String = (0..40)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    alphabet[(state >> 33) as usize % alphabet.len()]
                })
                .collect();
            let _ = result(&text);
        }
    }
}
