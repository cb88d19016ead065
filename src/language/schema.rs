//! The JSON Schema (draft 2020-12) of a shape, for editors and for checking shipped scenarios.
//!
//! The schema says what may be written, not what must be: a file that extends another may leave out
//! every key and may remove one with `null`, so nothing is required. What is missing, and
//! everything that depends on two values, is for `validate` to say. Knows no key of the language.

use super::node::{self, Node};
use super::shape::{BlockShape, ChoiceShape, Field, Json, KindedShape, Presence, ScalarShape};
use super::shape::{OneOfShape, Shape, Table, VerbShape, doc_text};
use super::source::{FileId, Span};
use super::uncertain;
use serde_json::{Map, Value, json};

/// The schema of a whole document of this shape.
pub fn schema(shape: Shape, title: &str) -> Value {
    let mut writer = Writer { definitions: Map::new() };
    let root = writer.shape(shape);
    let mut schema = Map::new();
    schema.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".into(), json!(title));
    schema.extend(object(root));
    let mut definitions: Vec<(String, Value)> = writer.definitions.into_iter().collect();
    definitions.sort_by(|a, b| a.0.cmp(&b.0));
    schema.insert("$defs".into(), Value::Object(definitions.into_iter().collect()));
    Value::Object(schema)
}

/// Collects the definition of every named shape, so that shapes may contain themselves.
struct Writer {
    definitions: Map<String, Value>,
}

impl Writer {
    fn shape(&mut self, shape: Shape) -> Value {
        match shape {
            Shape::Scalar(scalar) => scalar_schema(scalar),
            Shape::Optional(of) => {
                let of = self.shape(of());
                json!({ "anyOf": [of, { "enum": ["none", null] }] })
            }
            Shape::List(of) => json!({ "type": "array", "items": self.shape(of()) }),
            Shape::Map { key, of } => {
                let of = self.shape(of());
                let mut map = json!({ "type": "object", "additionalProperties": or_null(of) });
                if key == "NAME" {
                    map["propertyNames"] = json!({ "pattern": super::Name::PATTERN });
                }
                map
            }
            Shape::Block(block) => self.named(block.name, |writer| writer.block_or_short(block)),
            Shape::Choice(choice) => self.named(choice.name, |writer| writer.choice(choice)),
            Shape::Kinded(kinded) => self.named(kinded.name, |writer| writer.kinded(kinded)),
            Shape::Verb(verb) => self.named(verb.name, |writer| writer.verb(verb)),
            Shape::OneOf(one_of) => self.one_of(one_of),
        }
    }

    /// A reference to a definition, which is written at its first use.
    fn named(&mut self, name: &str, write: impl FnOnce(&mut Writer) -> Value) -> Value {
        let name = definition_name(name);
        if !self.definitions.contains_key(&name) {
            self.definitions.insert(name.clone(), Value::Null);
            let definition = write(self);
            self.definitions.insert(name.clone(), definition);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    fn block_or_short(&mut self, block: &'static BlockShape) -> Value {
        let mut long = self.table(block, None);
        let short = block.short.and_then(|short| block.field(short));
        let Some(field) = short else {
            long["description"] = json!(doc_text(block.doc));
            return long;
        };
        let short = self.shape((field.shape)());
        json!({ "description": doc_text(block.doc), "anyOf": [long, short] })
    }

    /// An object with exactly the keys of a table, and the tag that selected it.
    fn table(&mut self, block: &'static BlockShape, tag: Option<(&str, &str)>) -> Value {
        let mut properties = Map::new();
        if let Some((tag, kind)) = tag {
            properties.insert(tag.into(), json!({ "const": kind }));
        }
        for field in block.all_fields() {
            properties.insert(field.name.into(), self.field(field));
        }
        let others = match block.others {
            Some(others) => or_null(self.shape(others())),
            None => json!(false),
        };
        json!({ "type": "object", "properties": properties, "additionalProperties": others })
    }

    fn field(&mut self, field: &Field) -> Value {
        let mut schema = object(or_null(self.shape((field.shape)())));
        let mut described = Map::new();
        let mut description = doc_text(field.doc);
        if let Some((low, high)) = field.likely.and_then(|likely| likely.split_once("..")) {
            description = format!("{description} Likely between {low} and {high}.");
        }
        described.insert("description".into(), json!(description));
        if let Presence::Default(text) = field.presence {
            described.insert("default".into(), default_value(text));
        }
        // These speak of numbers only: `unlimited` and `none` are no numbers.
        if let Some((from, to)) = field.range {
            described.insert("minimum".into(), json!(from));
            described.insert("maximum".into(), json!(to));
        }
        described.append(&mut schema);
        Value::Object(described)
    }

    fn choice(&mut self, choice: &'static ChoiceShape) -> Value {
        let bare: Vec<&str> = choice
            .variants
            .iter()
            .filter(|v| v.payload.is_none_or(|p| has_default(p())))
            .map(|v| v.name)
            .collect();
        let mut properties = Map::new();
        for variant in choice.variants {
            if let Some(payload) = variant.payload {
                let mut schema = object(self.shape(payload()));
                schema.insert("description".into(), json!(doc_text(variant.doc)));
                properties.insert(variant.name.into(), Value::Object(schema));
            }
        }
        let mut forms = Vec::new();
        if !bare.is_empty() {
            forms.push(json!({ "enum": bare }));
        }
        if !properties.is_empty() {
            forms.push(json!({
                "type": "object", "properties": properties, "additionalProperties": false,
                "minProperties": 1, "maxProperties": 1,
            }));
        }
        forms.extend(choice.bare.map(|bare| self.shape(bare())));
        json!({ "description": doc_text(choice.doc), "anyOf": forms })
    }

    fn kinded(&mut self, kinded: &'static KindedShape) -> Value {
        let names: Vec<&str> = kinded.kinds.iter().map(|kind| kind.name).collect();
        let mut schema = json!({
            "description": doc_text(kinded.doc),
            "type": "object",
            "properties": { kinded.tag: { "enum": names } },
        });
        // Without its kind, as in a file that extends another, it may have the keys of any kind.
        let keys = all_keys(kinded.kinds, &[kinded.tag]);
        let mut rules = vec![json!({ "propertyNames": { "enum": keys } })];
        for kind in kinded.kinds {
            let name = definition_name(&format!("{}.{}", kinded.name, kind.name));
            let mut table = self.table((kind.block)(), Some((kinded.tag, kind.name)));
            table["description"] = json!(doc_text(kind.doc));
            self.definitions.insert(name.clone(), table);
            let is_kind = json!({ kinded.tag: { "const": kind.name } });
            rules.push(json!({
                "if": { "properties": is_kind, "required": [kinded.tag] },
                "then": { "$ref": format!("#/$defs/{name}") },
            }));
        }
        schema["allOf"] = Value::Array(rules);
        schema
    }

    fn verb(&mut self, shape: &'static VerbShape) -> Value {
        let keys = all_keys(shape.verbs, &[]);
        let mut rules = vec![json!({ "propertyNames": { "enum": keys } })];
        for verb in shape.verbs {
            let name = definition_name(&format!("{}.{}", shape.name, verb.name));
            let mut table = self.table((verb.block)(), None);
            table["description"] = json!(doc_text(verb.doc));
            self.definitions.insert(name.clone(), table);
            rules.push(json!({
                "if": { "required": [verb.name] },
                "then": { "$ref": format!("#/$defs/{name}") },
            }));
        }
        json!({ "description": doc_text(shape.doc), "type": "object", "allOf": rules })
    }

    fn one_of(&mut self, one_of: &'static OneOfShape) -> Value {
        let forms: Vec<Value> = one_of.forms.iter().map(|form| self.shape(form())).collect();
        json!({ "description": doc_text(one_of.doc), "anyOf": forms })
    }
}

fn scalar_schema(scalar: &ScalarShape) -> Value {
    let description = scalar.a_name;
    // A number with its range is a text, `2 in 1..4`; the pattern speaks of texts only.
    let or_ranged = |number: &str| {
        json!({
            "description": description, "type": [number, "string"],
            "pattern": r"^[0-9.]+[KMB]? in [^ ]+\.\.[^ ]+$",
        })
    };
    match scalar.json {
        Json::Text => json!({ "type": ["string", "number", "boolean"] }),
        Json::Pattern(pattern) => {
            let examples = scalar.examples;
            let pattern = match uncertain::has_ranges(scalar) {
                true => with_range(pattern),
                false => pattern.to_string(),
            };
            json!({
                "description": description, "type": "string", "pattern": pattern,
                "examples": examples,
            })
        }
        Json::NumberOr(pattern) => {
            let text = json!({ "type": "string", "pattern": with_range(pattern) });
            let forms = json!([{ "type": "number", "minimum": 0 }, text]);
            json!({ "description": description, "anyOf": forms })
        }
        Json::Number => or_ranged("number"),
        Json::Integer => or_ranged("integer"),
        Json::Boolean => json!({ "type": "boolean" }),
        Json::Anything => json!({ "description": description }),
    }
}

/// The regular expression of a quantity, alone or with its range.
fn with_range(pattern: &str) -> String {
    let inner = pattern.trim_start_matches('^').trim_end_matches('$');
    format!(r"^({inner})( in [^ ]+\.\.[^ ]+)?$")
}

/// The shape, or the removal of what a file below says.
fn or_null(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

/// Whether the bare name of a variant stands for all defaults of its parameters.
fn has_default(shape: Shape) -> bool {
    match shape {
        Shape::Optional(_) | Shape::Map { .. } => true,
        Shape::Block(block) => {
            block.all_fields().iter().all(|field| field.presence != Presence::Required)
        }
        _ => false,
    }
}

/// Every key of these tables once, in order.
fn all_keys<'k>(tables: &'static [Table], more: &[&'k str]) -> Vec<&'k str> {
    let mut keys = more.to_vec();
    for field in tables.iter().flat_map(|table| (table.block)().all_fields()) {
        if !keys.contains(&field.name) {
            keys.push(field.name);
        }
    }
    keys
}

/// `QueueConfig` is `queue` in the schema.
pub(super) fn definition_name(name: &str) -> String {
    let name = name.replace("Config", "");
    let mut snake = String::new();
    for (index, c) in name.char_indices() {
        if c.is_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

/// The text of a default as JSON.
fn default_value(text: &str) -> Value {
    fn convert(node: &Node) -> Value {
        match node {
            Node::Null => Value::Null,
            Node::Bool(value) => json!(value),
            Node::Text { text, quoted } => match text.parse::<serde_json::Number>() {
                Ok(number) if !quoted => Value::Number(number),
                _ => json!(text),
            },
            Node::Seq(items) => items.iter().map(|item| convert(&item.value)).collect(),
            Node::Map(entries) => {
                let entry = |(k, v): &node::Entry| (k.value.clone(), convert(&v.value));
                Value::Object(entries.iter().map(entry).collect())
            }
        }
    }
    convert(&node::fragment(text, Span::new(FileId(0), 0, 0)).value)
}

/// The members of a schema that is an object, as all of ours are.
fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => unreachable!("a schema is an object, not {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::sample::Document;
    use crate::language::{Decode, Diagnostics};

    fn tree(text: &str) -> Node {
        node::parse(FileId(0), text, &mut Diagnostics::new()).expect("valid YAML").value
    }

    /// The document as an editor's YAML reader sees it.
    fn as_json(node: &Node) -> Value {
        match node {
            Node::Text { text, quoted: false } if text.parse::<f64>().is_ok() => {
                json!(text.parse::<f64>().expect("a number"))
            }
            Node::Text { text, .. } => json!(text),
            Node::Null => Value::Null,
            Node::Bool(value) => json!(value),
            Node::Seq(items) => items.iter().map(|item| as_json(&item.value)).collect(),
            Node::Map(entries) => {
                let entry = |(k, v): &node::Entry| (k.value.clone(), as_json(&v.value));
                Value::Object(entries.iter().map(entry).collect())
            }
        }
    }

    fn accepts(text: &str) -> bool {
        let schema = schema(Document::shape(), "sample");
        jsonschema::validator_for(&schema).expect("a valid schema").is_valid(&as_json(&tree(text)))
    }

    #[test]
    fn the_schema_takes_what_the_decoder_takes() {
        for text in [
            "entry: web\ncomponents: { web: { kind: service, workers: 12, queue: 5 } }",
            "components: { web: { kind: service, queue: { limit: unlimited, timeout: 1s } } }",
            "components: { web: { workers: 500K }, old: null }",
            "components: { c: { kind: cache, capacity: 5, popularity: { zipf: 0.99 } } }",
            "components: { c: { kind: cache, popularity: hot, in: [us, eu] } }",
            "components: { c: { handle: { a: [ work: 1ms, { read: db, times: 2 } ] } } }",
            "components: { c: { kind: service, handle: { a: [ repeat: [ work: 1ms ] ] } } }",
            "faults: { f: { at: 5s, crash: web, silently: true }, g: { at: 3s } }",
            "components: { web: { workers: 12 in 6..24, queue: { timeout: 1s in 0.5s..2s } } }",
            "components: { c: { kind: cache, popularity: { zipf: 0.99 in 0.6..1.2 } } }",
        ] {
            assert!(accepts(text), "{text}");
        }
    }

    #[test]
    fn the_schema_refuses_what_the_decoder_refuses() {
        for text in [
            "entri: web",
            "components: { web: { kind: service, worker: 12 } }",
            "components: { web: { kind: service, workers: 0 } }",
            "components: { web: { kind: services } }",
            "components: { web: { kind: cache, workers: 5 } }",
            "components: { web: { colour: red } }",
            "components: { my-web: { kind: service } }",
            "components: { web: { kind: service, queue: { timeout: 20 } } }",
            "components: { web: { kind: service, queue: { timeout: 20m } } }",
            "components: { c: { kind: cache, eviction: lruu } }",
            "components: { c: { kind: cache, popularity: { zipf: 0.9, hot: {} } } }",
            "components: { c: { kind: service, handle: { a: [ { work: 1ms, times: 2 } ] } } }",
            "faults: { f: { at: 5s, crashh: web } }",
            "components: { web: { kind: service, queue: { timeout: 1s in 2s } } }",
            "entry: web in a..b",
        ] {
            assert!(!accepts(text), "{text}");
        }
    }

    #[test]
    fn definitions_carry_the_documentation_and_the_default() {
        let schema = schema(Document::shape(), "sample");
        let limit = &schema["$defs"]["queue"]["anyOf"][0]["properties"]["limit"];
        assert_eq!(limit["description"], "Places.");
        assert_eq!(limit["default"], 100);
    }
}
