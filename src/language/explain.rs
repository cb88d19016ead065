//! The reference of a place in the language, from the declarations: `explain components.web.queue`.
//!
//! Names of the author stand for any name; below a component without its kind, all kinds that have
//! the key are shown. A word that is no path is looked up as a kind, verb, variant or type.
//! Knows no key of the language.

use super::presets::Presets;
use super::range;
use super::shape::{Field, KindedShape, Presence, Shape, Table, Unbuilt, VerbShape, doc_text};
use super::suggest::did_you_mean;
use super::uncertain;
use std::fmt::Write;

/// The reference of everything that the path may mean, or what to ask instead.
pub fn explain(root: Shape, path: &str) -> Result<String, String> {
    let segments: Vec<&str> = path.split('.').filter(|segment| !segment.is_empty()).collect();
    let mut places = Vec::new();
    let here = Place::new(Vec::new(), root, "");
    let (mut deepest, mut names) = (0, Vec::new());
    follow(here, &segments, &mut places, &mut |depth, known| {
        if depth > deepest || names.is_empty() {
            (deepest, names) = (depth, known);
        }
    });
    if places.is_empty() && !segments.is_empty() {
        find_word(root, &segments, &mut places);
    }
    if places.is_empty() {
        let segment = segments.get(deepest).copied().unwrap_or(path);
        let before = segments[..deepest].join(".");
        let place = if before.is_empty() { String::new() } else { format!(" in `{before}`") };
        let help = did_you_mean(segment, "key", &names);
        return Err(format!("there is no `{segment}`{place}; {help}"));
    }
    let texts: Vec<String> = united(places).iter().map(Place::text).collect();
    Ok(texts.join("\n"))
}

/// The places, those that differ only in the kind or verb on the way as one.
fn united(places: Vec<Place>) -> Vec<Place> {
    let mut united: Vec<(String, Place)> = Vec::new();
    for place in places {
        let body = place.body();
        let same =
            |(other, first): &&mut (String, Place)| *other == body && first.crumbs == place.crumbs;
        match united.iter_mut().find(same) {
            Some((_, first)) => first.also_within(&place.within),
            None => united.push((body, place)),
        }
    }
    united.into_iter().map(|(_, place)| place).collect()
}

/// Where a path has led.
struct Place {
    /// The path with `NAME` for names of the author.
    crumbs: Vec<&'static str>,
    /// The kind or verb passed on the way.
    within: String,
    field: Option<&'static Field>,
    /// What the values of the field stand for.
    presets: Option<&'static Presets>,
    shape: Shape,
    /// Of a kind, verb or variant.
    doc: &'static str,
}

impl Place {
    fn new(crumbs: Vec<&'static str>, shape: Shape, doc: &'static str) -> Place {
        Place { crumbs, within: String::new(), field: None, presets: None, shape, doc }
    }

    fn step(&self, crumb: &'static str, shape: Shape) -> Place {
        let mut crumbs = self.crumbs.clone();
        crumbs.push(crumb);
        Place { within: self.within.clone(), ..Place::new(crumbs, shape, "") }
    }

    fn inside(&self, shape: Shape, within: &str) -> Place {
        let crumbs = self.crumbs.clone();
        let within = if within.is_empty() { self.within.clone() } else { within.to_string() };
        Place { within, field: self.field, ..Place::new(crumbs, shape, self.doc) }
    }
}

/// Follows the segments through the shape; `missed` hears where a key was not found, and what is
/// there.
fn follow(
    place: Place,
    segments: &[&str],
    found: &mut Vec<Place>,
    missed: &mut dyn FnMut(usize, Vec<&'static str>),
) {
    let Some((segment, rest)) = segments.split_first() else {
        found.push(place);
        return;
    };
    let depth = place.crumbs.len();
    match place.shape.required() {
        Shape::Block(block) => match block.field(segment) {
            Some(field) => {
                let step = place.step(field.name, (field.shape)());
                let presets = block.presets.filter(|presets| presets.key == field.name);
                follow(Place { field: Some(field), presets, ..step }, rest, found, missed);
            }
            None => match block.others {
                Some(others) => found.push(place.step("KEY", others())),
                None => missed(depth, block.all_fields().iter().map(|field| field.name).collect()),
            },
        },
        Shape::Map { key, of } => follow(place.step(key, of()), rest, found, missed),
        Shape::List(of) => follow(place.step("N", of()), rest, found, missed),
        Shape::Kinded(kinded) => tables(&place, kinded.tag, kinded.kinds, segments, found, missed),
        Shape::Verb(verb) => tables(&place, verb.what, verb.verbs, segments, found, missed),
        Shape::Choice(choice) => match choice.variant(segment) {
            Some(variant) => match variant.payload {
                Some(payload) => {
                    let step = place.step(variant.name, payload());
                    follow(Place { doc: variant.doc, ..step }, rest, found, missed);
                }
                None => {
                    let step = place.step(variant.name, place.shape);
                    found.push(Place { doc: variant.doc, ..step });
                }
            },
            None => missed(depth, choice.variants.iter().map(|variant| variant.name).collect()),
        },
        Shape::OneOf(one_of) => {
            for form in one_of.forms {
                follow(place.inside(form(), ""), segments, found, missed);
            }
        }
        Shape::Scalar(_) | Shape::Optional(_) => missed(depth, Vec::new()),
    }
}

/// Follows the segments through every kind or verb that has the next key.
fn tables(
    place: &Place,
    what: &str,
    tables: &'static [Table],
    segments: &[&str],
    found: &mut Vec<Place>,
    missed: &mut dyn FnMut(usize, Vec<&'static str>),
) {
    let has = |table: &&Table| (table.block)().field(segments[0]).is_some();
    let mut fitting = tables.iter().filter(has).peekable();
    if fitting.peek().is_none() {
        let fields = tables.iter().flat_map(|table| (table.block)().all_fields());
        missed(place.crumbs.len(), fields.map(|field| field.name).collect());
    }
    for table in fitting {
        let within = format!("{what} {}", table.name);
        follow(place.inside(Shape::Block((table.block)()), &within), segments, found, missed);
    }
}

/// Looks for a kind, verb, variant or type of this name anywhere, and follows the rest from there.
fn find_word(root: Shape, segments: &[&str], found: &mut Vec<Place>) {
    let (word, rest) = (segments[0], &segments[1..]);
    let mut start = |crumb, shape, doc| {
        follow(Place::new(vec![crumb], shape, doc), rest, found, &mut |_, _| {});
    };
    for shape in root.reachable() {
        match shape {
            Shape::Kinded(KindedShape { kinds: tables, .. })
            | Shape::Verb(VerbShape { verbs: tables, .. }) => {
                for table in tables.iter().filter(|table| table.name == word) {
                    start(table.name, Shape::Block((table.block)()), table.doc);
                }
            }
            Shape::Choice(choice) => {
                if let Some(variant) = choice.variant(word) {
                    let payload = variant.payload.map_or(shape, |payload| payload());
                    start(variant.name, payload, variant.doc);
                }
            }
            _ => {}
        }
    }
}

impl Place {
    /// Adds a kind or verb in which the same is found: `kind service, database`.
    fn also_within(&mut self, within: &str) {
        let what = self.within.split_once(' ').map_or("", |(what, _)| what);
        let name = within.strip_prefix(what).unwrap_or(within).trim_start();
        if !self.within.is_empty() && !name.is_empty() && self.within != within {
            self.within = format!("{}, {name}", self.within);
        }
    }

    fn text(&self) -> String {
        let mut text =
            if self.crumbs.is_empty() { "the file".into() } else { self.crumbs.join(".") };
        if !self.within.is_empty() {
            let _ = write!(text, "   ({})", self.within);
        }
        text.push('\n');
        text.push_str(&self.body());
        text
    }

    /// What follows the heading.
    fn body(&self) -> String {
        let mut text = String::new();
        let doc = self.field.map_or(self.doc, |field| field.doc);
        let doc = if doc.is_empty() { shape_doc(self.shape) } else { doc };
        if !doc.is_empty() {
            let _ = writeln!(text, "  {}", doc_text(doc));
        }
        let _ = writeln!(text, "\n  written   {}", written(self.shape));
        let alone = !matches!(self.shape.required(), Shape::Block(_));
        let scalar = self.shape.scalar().filter(|_| alone);
        if let Some(example) = scalar.and_then(uncertain::example) {
            let _ = writeln!(text, "            with a range where it is not known: {example}");
        }
        if let Some(field) = self.field {
            if let Some(range) = field.range {
                let _ = writeln!(text, "  range     {}", range::written(range));
            }
            match field.presence {
                Presence::Required => text.push_str("  required\n"),
                Presence::Default(default) => {
                    let _ = writeln!(text, "  default   {default}");
                }
            }
            if let Some(likely) = field.likely {
                let _ = writeln!(text, "  likely    {likely}, sampled by run --uncertain");
            }
            if !field.source.is_empty() {
                let _ = writeln!(text, "  source    {}", field.source);
            }
        }
        children(&mut text, self.shape);
        for (name, set) in self.presets.iter().flat_map(|presets| presets.sets) {
            let _ = writeln!(text, "\n  {name} sets\n    {set}");
        }
        text
    }
}

/// The documentation of the type itself.
fn shape_doc(shape: Shape) -> &'static str {
    match shape.required() {
        Shape::Block(block) => block.doc,
        Shape::Choice(choice) => choice.doc,
        Shape::Kinded(kinded) => kinded.doc,
        Shape::Verb(verb) => verb.doc,
        Shape::OneOf(one_of) => one_of.doc,
        _ => "",
    }
}

/// What may be written, in one line.
fn written(shape: Shape) -> String {
    match shape {
        Shape::Optional(of) => format!("{}; or none", written(of())),
        Shape::Scalar(scalar) => format!("{}, like {}", scalar.a_name, scalar.examples.join(", ")),
        Shape::List(of) => format!("a list, each item {}", written(of())),
        Shape::Map { key: "NAME", of } => {
            format!("names of your choice, each with {}", written(of()))
        }
        Shape::Map { of, .. } => format!("keys, each with {}", written(of())),
        Shape::Block(block) => match block.short {
            Some(short) => format!("{{ keys below }}, or what `{short}` takes, alone"),
            None => "{ keys below }".to_string(),
        },
        Shape::Choice(choice) => {
            let names: Vec<&str> = choice.variants.iter().map(|variant| variant.name).collect();
            match choice.bare {
                Some(bare) => format!("{}; or one of {}", written(bare()), names.join(", ")),
                None => format!("one of {}", names.join(", ")),
            }
        }
        Shape::Kinded(kinded) => {
            let names: Vec<&str> = kinded.kinds.iter().map(|kind| kind.name).collect();
            format!("{{ {}: one of {}, and its keys }}", kinded.tag, names.join(", "))
        }
        Shape::Verb(verb) => {
            let names: Vec<&str> = verb.verbs.iter().map(|verb| verb.name).collect();
            format!("{{ one of {}, and its modifiers }}", names.join(", "))
        }
        Shape::OneOf(one_of) => {
            let forms: Vec<String> = one_of.forms.iter().map(|form| written(form())).collect();
            forms.join("; or ")
        }
    }
}

/// The keys, variants, kinds or verbs of a place, one line each.
fn children(text: &mut String, shape: Shape) {
    let mut rows: Vec<[String; 3]> = Vec::new();
    let row =
        |name: &str, middle: &str, doc: &str| [name.into(), middle.into(), first_sentence(doc)];
    let unbuilt = match shape.required() {
        Shape::Block(block) => {
            for field in block.all_fields() {
                let middle = match field.presence {
                    Presence::Required => "required",
                    Presence::Default(default) => default,
                };
                rows.push(row(field.name, middle, field.doc));
            }
            if let Some(others) = block.others {
                rows.push(row("KEY", &others().example(), "any other key"));
            }
            block.all_unbuilt()
        }
        Shape::Choice(choice) => {
            for variant in choice.variants {
                let middle = variant.payload.map_or(String::new(), |payload| payload().example());
                rows.push(row(variant.name, &middle, variant.doc));
            }
            choice.unbuilt.iter().collect()
        }
        Shape::Kinded(kinded) => {
            rows.extend(kinded.kinds.iter().map(|kind| row(kind.name, "", kind.doc)));
            kinded.unbuilt.iter().collect()
        }
        Shape::Verb(verb) => {
            rows.extend(verb.verbs.iter().map(|verb| row(verb.name, "", verb.doc)));
            verb.unbuilt.iter().collect()
        }
        Shape::Map { of, .. } | Shape::List(of) => return children(text, of()),
        _ => Vec::new(),
    };
    if !rows.is_empty() {
        text.push('\n');
    }
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.filter(|width| *width <= 24).max().unwrap_or(0)
    };
    let (first, second) = (width(0), width(1));
    for [name, middle, doc] in &rows {
        let line = format!("    {name:first$}   {middle:second$}   {doc}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    not_built(text, &unbuilt);
}

fn not_built(text: &mut String, unbuilt: &[&Unbuilt]) {
    if !unbuilt.is_empty() {
        let names: Vec<&str> = unbuilt.iter().map(|unbuilt| unbuilt.name).collect();
        let _ = writeln!(text, "\n  not built yet: {}", names.join(", "));
    }
}

/// The beginning of a doc comment up to its first full stop.
fn first_sentence(doc: &str) -> String {
    let text = doc_text(doc);
    match text.find(". ") {
        Some(end) => text[..=end].to_string(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Decode;
    use crate::language::sample::Document;

    fn ask(path: &str) -> String {
        explain(Document::shape(), path).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_key_tells_its_type_default_and_source() {
        assert_eq!(
            ask("components.web.workers"),
            "components.NAME.workers   (kind service)\n  \
               Calls in work at once per instance.\n\n  \
               written   a count, like 12, 500K, unlimited\n            \
                 with a range where it is not known: 12 in 6..24\n  \
               range     1 to 1,000,000\n  \
               default   10\n  \
               source    gunicorn documentation, (2 x cores) + 1\n"
        );
    }

    #[test]
    fn a_block_lists_its_keys() {
        assert_eq!(
            ask("components.web.queue"),
            "components.NAME.queue   (kind service)\n  \
               Where calls wait.\n\n  \
               written   { keys below }, or what `limit` takes, alone\n  \
               default   {}\n\n    \
                 limit     100    Places.\n    \
                 timeout   none   Leaves after so long.\n    \
                 pause     1s     When the next attempt is made.\n"
        );
    }

    #[test]
    fn a_key_of_several_kinds_is_shown_for_each() {
        let text = ask("components.x.instances");
        assert!(text.contains("(kind service, cache)"), "{text}");
    }

    #[test]
    fn words_are_found_without_their_path() {
        assert!(ask("cache").starts_with("cache\n  Keeps copies."));
        assert!(ask("cache.capacity").contains("How much it holds."));
        assert!(ask("zipf").contains("By rank to a power."));
        assert!(ask("crash").contains("silently"));
        assert!(ask("lru").contains("The least recently used."));
    }

    #[test]
    fn the_root_lists_the_top_level_and_what_is_not_built() {
        let text = ask("");
        assert!(text.contains("entry") && text.contains("not built yet: sweep"), "{text}");
    }

    #[test]
    fn an_unknown_path_says_where_it_broke() {
        let error = explain(Document::shape(), "components.web.worker").unwrap_err();
        assert_eq!(error, "there is no `worker` in `components.web`; did you mean `workers`?");
        let error = explain(Document::shape(), "component").unwrap_err();
        assert_eq!(error, "there is no `component`; did you mean `components`?");
    }

    #[test]
    fn recursive_types_end() {
        assert!(ask("components.web.handle.view.1.repeat.2.work").contains("For how long."));
        assert!(explain(Document::shape(), "nothing_like_that").is_err());
    }
}
