//! A scenario file from its path to a scenario that can be run.
//!
//! Joins the steps: layers, decoding, compiling; every mistake of all of them is collected. It
//! runs nothing, and opens no file itself.

use super::document::Document;
use super::layers::{Layers, Open, Setting};
use super::mend::mend;
use super::regions::lay;
use super::sweep::{Point, SweepConfig};
use super::uncertain::{check_ends, nominal};
use super::{Scenario, compile};
use crate::config;
use crate::language::expression::Expression;
use crate::language::node::Node;
use crate::language::suggest::did_you_mean;
use crate::language::uncertain::Uncertain;
use crate::language::{Decode, Diagnostic, Diagnostics, Shape, Sources, Span, Spanned};

config! {
    /// A scenario: who comes, what they do, what serves them, what goes wrong, what must hold.
    pub struct ScenarioFile {
        /// The file that this one is laid over, relative to this one.
        extends: Option<String> = "none",
        /// Several runs of this file that differ in a few values.
        sweep: Option<SweepConfig> = "none",
    }
    include {
        /// The rest, which is what is simulated.
        document: Document,
    }
}

/// Everything that may be written in a scenario file.
pub fn shape() -> Shape {
    ScenarioFile::shape()
}

/// Which scenario to read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'r> {
    /// The path as typed; `-` is standard input.
    pub path: &'r str,
    /// Values laid over the file.
    pub settings: &'r [Setting],
    /// The point of the sweep, by name; the file as written without one.
    pub point: Option<&'r str>,
}

/// What was read, and everything that is wrong with it.
#[derive(Default)]
pub struct Loaded {
    /// The files and the settings.
    pub sources: Sources,
    /// All mistakes and doubts, in all layers.
    pub diagnostics: Diagnostics,
    /// What was asked for, if there was no error: the file as written or one point of it; or the
    /// file and after it all its points.
    pub scenarios: Vec<Resolved>,
    /// The names of the points of its sweep.
    pub points: Vec<String>,
    /// Expectations that compare points with one another; a single run cannot judge them.
    pub across: Vec<Expression>,
    /// Scenarios without their mistakes, to look for others; never run.
    pub mended: Vec<Mended>,
    layers: Option<Layers>,
}

/// What is left of a scenario without its mistakes.
pub struct Mended {
    /// What is left.
    pub scenario: Scenario,
    removed: Vec<String>,
}

impl Mended {
    /// Whether a diagnostic is about something that was taken out, and so follows from a mistake
    /// that is known.
    pub fn explains(&self, diagnostic: &Diagnostic) -> bool {
        explains(&self.removed, diagnostic)
    }
}

/// A scenario with the tree that it was made of.
pub struct Resolved {
    /// The point of the sweep; none for the file as written.
    pub point: Option<String>,
    /// What can be run.
    pub scenario: Scenario,
    /// Where its figures come from, as its header says.
    pub sources: Vec<String>,
    /// The document after merging of all layers, ranges included.
    pub tree: Spanned<Node>,
    /// The same before regions were laid over components.
    pub(super) merged: Spanned<Node>,
    /// What is not known exactly, in the order of the document.
    pub uncertain: Vec<Uncertain>,
    /// A digest of everything that determines the run; ranges do not, as they change no value.
    pub digest: String,
}

/// Reads one scenario: the file as written, or one point of it.
pub fn load(request: Request<'_>, open: Open<'_>) -> Loaded {
    let mut loaded = Loaded::open(request.path, open);
    let Loaded { sources, diagnostics: out, layers: Some(layers), .. } = &mut loaded else {
        return loaded;
    };
    let point = match request.point {
        Some(name) => find_point(layers, name, sources, out).map(Some),
        None => Some(None),
    };
    if let Some(point) = point.map(|point| point.cloned()) {
        loaded.resolve(point.as_ref(), request.settings);
    }
    loaded.finish()
}

/// Reads the file as written and after it all its points, each with the settings laid over it.
pub fn load_all(request: Request<'_>, open: Open<'_>) -> Loaded {
    let mut loaded = Loaded::open(request.path, open);
    let points = loaded.layers.as_ref().map_or_else(Vec::new, |layers| layers.points.clone());
    if loaded.layers.is_some() {
        loaded.resolve(None, request.settings);
    }
    for point in &points {
        loaded.resolve(Some(point), request.settings);
    }
    loaded.finish()
}

impl Loaded {
    fn open(path: &str, open: Open<'_>) -> Loaded {
        let mut loaded = Loaded::default();
        let Loaded { sources, diagnostics, .. } = &mut loaded;
        loaded.layers = Layers::read(path, open, sources, diagnostics);
        let points = loaded.layers.iter().flat_map(|layers| &layers.points);
        loaded.points = points.map(|point| point.name.clone()).collect();
        loaded
    }

    /// Lays the layers over one another and compiles them.
    fn resolve(&mut self, point: Option<&Point>, settings: &[Setting]) {
        let Loaded { sources, diagnostics: out, .. } = self;
        let Some(layers) = &self.layers else { return };
        let Some(mut tree) = layers.resolve(shape(), point, settings, sources, out) else {
            return;
        };
        let across = take_across(&mut tree, &layers.points);
        let merged = tree.clone();
        let uncertain = nominal(&mut tree, out);
        lay(&mut tree, out);
        if point.is_none() || self.scenarios.is_empty() {
            self.across = across;
        }
        let mut found = Diagnostics::new();
        let mut written = Vec::new();
        let scenario = match ScenarioFile::decode(&tree, &mut found) {
            Some(file) if !found.has_errors() => {
                written.extend(file.document.source.0.iter().map(|one| one.value.clone()));
                check_ends(&merged, &uncertain, &mut found);
                compile(&file.document, &mut found)
            }
            _ => {
                self.mended.extend(names_of_the_rest(&tree, &mut found));
                None
            }
        };
        found.iter().for_each(|diagnostic| out.push(diagnostic.clone()));
        if let Some(scenario) = scenario {
            let (digest, point) = (digest(&tree), point.map(|point| point.name.clone()));
            let mut tree = merged.clone();
            lay(&mut tree, &mut Diagnostics::new());
            let sources = written;
            self.scenarios.push(Resolved {
                point,
                scenario,
                sources,
                tree,
                merged,
                uncertain,
                digest,
            });
        }
    }

    /// The same diagnostics; those in an extended file also say where it is extended.
    pub fn name_layers(&self, found: &Diagnostics) -> Diagnostics {
        self.layers.as_ref().map_or_else(|| found.clone(), |layers| layers.name_layers(found))
    }

    fn finish(mut self) -> Loaded {
        self.diagnostics = self.name_layers(&self.diagnostics);
        if self.diagnostics.has_errors() {
            self.scenarios.clear();
        }
        self
    }
}

fn find_point<'l>(
    layers: &'l Layers,
    name: &str,
    sources: &mut Sources,
    out: &mut Diagnostics,
) -> Option<&'l Point> {
    let found = layers.points.iter().find(|point| point.name == name);
    if found.is_none() {
        let file = sources.add("--point", name);
        let points: Vec<&str> = layers.points.iter().map(|point| point.name.as_str()).collect();
        let help = match points.is_empty() {
            true => "this file has no `sweep` with `points`".to_string(),
            false => did_you_mean(name, "point", &points),
        };
        let span = Span::new(file, 0, name.len());
        out.error("E0603", span, format!("there is no point `{name}`")).help(help);
    }
    found
}

/// Adds the unknown names of a document that cannot be decoded as a whole; what is left of it.
fn names_of_the_rest(tree: &Spanned<Node>, out: &mut Diagnostics) -> Option<Mended> {
    let (file, removed) = mend::<ScenarioFile>(tree, out)?;
    let mut found = Diagnostics::new();
    let scenario = compile(&file.document, &mut found);
    let is_name = |code: &str| matches!(code, "E0501" | "E0505" | "E0506");
    for diagnostic in found.iter().filter(|d| is_name(d.code)) {
        if !explains(&removed, diagnostic) {
            out.push(diagnostic.clone());
        }
    }
    Some(Mended { scenario: scenario?, removed })
}

/// Whether a diagnostic names one of the keys that were taken out.
fn explains(removed: &[String], diagnostic: &Diagnostic) -> bool {
    removed.iter().any(|name| diagnostic.message.contains(&format!("`{name}`")))
}

/// Takes out the expectations whose figures name a point.
fn take_across(tree: &mut Spanned<Node>, points: &[Point]) -> Vec<Expression> {
    let Node::Map(entries) = &mut tree.value else { return Vec::new() };
    let expect = entries.iter_mut().find(|(key, _)| key.value == "expect");
    let Some((_, Spanned { value: Node::Seq(lines), .. })) = expect else { return Vec::new() };
    let mut across = Vec::new();
    lines.retain(|line| {
        let mut found = Diagnostics::new();
        let Some(expression) = Expression::decode(line, &mut found) else { return true };
        let is_point = |name: &str| points.iter().any(|point| point.name == name);
        let names_a_point = expression
            .left
            .measures()
            .any(|measure| measure.address.first().is_some_and(|first| is_point(&first.value)));
        if names_a_point {
            across.push(expression);
        }
        !names_a_point
    });
    across
}

/// Keys that are for people and do not determine the run.
const PROSE: [&str; 4] = ["name", "about", "source", "claim"];

/// FNV-1a with 64 bits over the tree without its prose, in hexadecimal.
///
/// The keys of a map count in the order of their names, because the order in a file means nothing;
/// comments, quotes and the layer that a value came from do not count.
fn digest(tree: &Spanned<Node>) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut tree = tree.clone();
    if let Node::Map(entries) = &mut tree.value {
        entries.retain(|(key, _)| !PROSE.contains(&key.value.as_str()));
    }
    hash_node(&tree.value, &mut hash);
    format!("{hash:016x}")
}

fn hash_node(node: &Node, hash: &mut u64) {
    match node {
        Node::Map(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by(|a, b| a.0.value.cmp(&b.0.value));
            hash_text("{", hash);
            for (key, value) in entries {
                hash_text(&key.value, hash);
                hash_node(&value.value, hash);
            }
            hash_text("}", hash);
        }
        Node::Seq(items) => {
            hash_text("[", hash);
            for item in items {
                hash_node(&item.value, hash);
            }
            hash_text("]", hash);
        }
        none if none.is_none() => hash_text("none", hash),
        scalar => {
            hash_text("=", hash);
            hash_text(scalar.as_text().unwrap_or_default(), hash);
        }
    }
}

/// Hashes a text and its end, so that `ab`, `c` and `a`, `bc` differ.
fn hash_text(text: &str, hash: &mut u64) {
    for byte in text.bytes().chain([0xff]) {
        *hash = (*hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::path;
    use std::io;

    const QUEUE: &str = "\
name: A queue
users: { rate: 80/s }
entry: server
components: { server: { kind: service, machine: { cores: 1 }, workers: 1, work: 5ms } }
expect: [ mean > 1ms ]
";

    /// Reads `top.yaml` from these files.
    fn read(files: &[(&str, &str)], point: Option<&str>, sets: &[&str]) -> Loaded {
        let sets: Vec<String> = sets.iter().map(ToString::to_string).collect();
        let settings = Setting::numbered(&sets);
        let request = Request { path: "top.yaml", settings: &settings, point };
        load(request, &mut |asked| {
            let found = files.iter().find(|(name, _)| *name == asked);
            let found = found.map(|(_, text)| text.as_bytes().to_vec());
            found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
        })
    }

    fn messages(loaded: &Loaded) -> Vec<String> {
        loaded.diagnostics.sorted().iter().map(|d| d.message.clone()).collect()
    }

    fn value(loaded: &Loaded, path: &str) -> Option<String> {
        assert_eq!(messages(loaded), Vec::<String>::new());
        let found = path::get(&loaded.scenarios[0].tree, path)?;
        found.value.as_text().map(str::to_string)
    }

    #[test]
    fn base_file_point_and_settings_are_laid_over_one_another_in_this_order() {
        let top = "\
extends: below/base.yaml
users: { rate: 2/s }
sweep: { points: [ { name: third, users.rate: 3/s, components.server.workers: 3 } ] }
";
        let files = [("top.yaml", top), ("below/base.yaml", QUEUE)];
        let rate = |point, sets: &[&str]| value(&read(&files, point, sets), "users.rate");
        assert_eq!(rate(None, &[]).unwrap(), "2/s");
        assert_eq!(rate(Some("third"), &[]).unwrap(), "3/s");
        assert_eq!(rate(Some("third"), &["users.rate=4/s", "users.rate=5/s"]).unwrap(), "5/s");
        let third = read(&files, Some("third"), &["entry=server"]);
        assert_eq!(value(&third, "components.server.workers").unwrap(), "3");
        assert_eq!(third.scenarios[0].point.as_deref(), Some("third"));
    }

    #[test]
    fn what_is_not_inherited_is_left_below() {
        let files = [("top.yaml", "extends: base.yaml\n"), ("base.yaml", QUEUE)];
        let loaded = read(&files, None, &[]);
        assert_eq!(value(&loaded, "name"), None);
        assert_eq!(value(&loaded, "expect.1"), None);
        assert_eq!(value(&loaded, "entry").unwrap(), "server");
    }

    #[test]
    fn expectations_of_a_point_are_added_and_those_between_points_set_aside() {
        let sweep = "\
sweep: { points: [ { name: slow, expect: [ p99 > 1ms ] }, { users.rate: 1/s } ] }
";
        let text = QUEUE.replace("mean > 1ms", "mean > 1ms, slow.mean / point_2.mean > 1") + sweep;
        let loaded = read(&[("top.yaml", &text)], Some("slow"), &[]);
        assert_eq!(messages(&loaded), Vec::<String>::new());
        let expect = &loaded.scenarios[0].scenario.expect;
        let texts: Vec<&str> = expect.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(texts, ["mean > 1ms", "p99 > 1ms"]);
        assert_eq!(loaded.across.len(), 1);
        assert_eq!(loaded.points, ["slow", "point_2"]);
    }

    #[test]
    fn settings_are_checked_like_files() {
        let says = |set: &str| messages(&read(&[("top.yaml", QUEUE)], None, &[set])).join("; ");
        assert_eq!(says("users.rate"), "expected PATH=VALUE");
        assert_eq!(says("users.rte=5/s"), "unknown key `rte` in this path");
        assert_eq!(says("users.rate=5"), "`5` needs a unit");
        assert_eq!(says("extends=x.yaml"), "`extends` cannot be set");
        assert_eq!(says("components.server.timeout=null"), "unknown key `timeout` in this path");
        assert_eq!(says(" expect = null"), "");
    }

    #[test]
    fn the_digest_is_of_what_determines_the_run() {
        let digest = |text: &str, sets: &[&str]| {
            let loaded = read(&[("top.yaml", text)], None, sets);
            assert_eq!(messages(&loaded), Vec::<String>::new());
            loaded.scenarios[0].digest.clone()
        };
        let first = digest(QUEUE, &[]);
        let lines: Vec<&str> = QUEUE.lines().rev().collect();
        assert_eq!(first, digest(&lines.join("\n"), &[]));
        assert_eq!(first, digest(&QUEUE.replace("A queue", "Another # name"), &[]));
        assert_ne!(first, digest(QUEUE, &["users.rate=81/s"]));
    }

    #[test]
    fn ranges_change_neither_a_value_nor_the_digest_and_settings_replace_both() {
        let ranged = QUEUE.replace("work: 5ms", "work: 5ms in 2ms..9ms");
        let sweep =
            "sweep: { points: [ { name: slow, components.server.work: 8ms in 7ms..9ms } ] }";
        let text = format!("{ranged}{sweep}\n");
        let read = |point, sets: &[&str]| {
            let loaded = read(&[("top.yaml", &text)], point, sets);
            assert_eq!(messages(&loaded), Vec::<String>::new());
            let resolved = loaded.scenarios.into_iter().next().expect("a scenario");
            let ranges: Vec<String> = resolved
                .uncertain
                .iter()
                .map(|one| format!("{} {} {}..{}", one.path, one.value, one.low, one.high))
                .collect();
            (resolved.digest, ranges)
        };
        let plain = self::read(&[("top.yaml", QUEUE)], None, &[]);
        let work = "components.server.work";
        assert_eq!(
            read(None, &[]),
            (plain.scenarios[0].digest.clone(), vec![format!("{work} 5ms 2ms..9ms")])
        );
        assert_eq!(read(None, &["components.server.work=5ms"]).1, [""; 0]);
        let set = read(None, &["components.server.work=6ms in 5ms..7ms"]).1;
        assert_eq!(set, [format!("{work} 6ms 5ms..7ms")]);
        assert_eq!(read(Some("slow"), &[]).1, [format!("{work} 8ms 7ms..9ms")]);
    }

    #[test]
    fn an_unknown_name_is_found_beside_what_hides_it() {
        let text = QUEUE.replace("entry: server", "entry: servr").replace("5ms", "5");
        let loaded = read(&[("top.yaml", &text)], None, &[]);
        assert_eq!(messages(&loaded), ["there is no component `servr`", "`5` needs a unit"]);
        // Without its kind there is no server, but that is not the fault of `entry`.
        let text = QUEUE.replace("kind: service", "kind: servce");
        let loaded = read(&[("top.yaml", &text)], None, &[]);
        assert_eq!(messages(&loaded), ["unknown kind `servce`"]);
    }
}
