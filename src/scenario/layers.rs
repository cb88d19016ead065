//! The layers of a scenario: the files that it extends, a point of its sweep, and `--set`.
//!
//! Reads the chain of files, each a source of its own, and lays them over one another by the
//! shape of the document. It knows the keys that are about layers (`extends`, `sweep`) and those
//! that no file inherits, and no other; what the merged tree means is decoded by
//! [`file`](super::file).

use super::sweep::{Point, SweepConfig};
use crate::language::node::{self, Entry, Node};
use crate::language::{Decode, Diagnostics, FileId, Shape, Sources, Span, Spanned, merge, path};
use std::io;
use std::path::{Component, Path, PathBuf};

/// What a file does not pass on to the files that extend it.
pub const NOT_INHERITED: [&str; 6] = ["name", "about", "source", "claim", "sweep", "expect"];

/// The keys that say which layers there are, and are none of the document.
const OF_LAYERS: [&str; 2] = ["extends", "sweep"];

/// The longest accepted chain of files; a longer one is a circle through links.
const CHAIN_MAX: usize = 32;

/// Opens a file by the path that the user typed, or that follows from it; `-` is standard input.
pub type Open<'o> = &'o mut dyn FnMut(&str) -> io::Result<Vec<u8>>;

/// A value given on the command line, as text, with the flag that it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// How a diagnostic calls it: `--set #1`.
    pub flag: String,
    /// `PATH=VALUE`.
    pub text: String,
}

impl Setting {
    /// The settings of a repeated `--set`, counted from 1.
    pub fn numbered(sets: &[String]) -> Vec<Setting> {
        let setting = |(index, text): (usize, &String)| Setting {
            flag: format!("--set #{}", index + 1),
            text: text.clone(),
        };
        sets.iter().enumerate().map(setting).collect()
    }
}

/// A scenario file with all that it extends, read and not yet laid over one another.
#[derive(Clone, Debug)]
pub struct Layers {
    /// The source of the file itself.
    pub main: FileId,
    /// The points of its sweep.
    pub points: Vec<Point>,
    /// The trees, the lowest first, without what is not inherited and what is about layers.
    chain: Vec<Spanned<Node>>,
    /// Which file is extended where.
    extended: Vec<(FileId, Span)>,
}

impl Layers {
    /// Reads a file and its chain; `None` after an error that leaves nothing to decode.
    pub fn read(
        typed: &str,
        open: Open<'_>,
        sources: &mut Sources,
        out: &mut Diagnostics,
    ) -> Option<Layers> {
        let bytes = match open(typed) {
            Ok(bytes) => bytes,
            Err(error) => {
                let file = sources.add(typed, "");
                out.error("E0601", Span::new(file, 0, 0), cannot_read(typed, &error));
                return None;
            }
        };
        let (main, tree) = parse(typed, bytes, sources, out)?;
        let mut layers =
            Layers { main, points: Vec::new(), chain: Vec::new(), extended: Vec::new() };
        let (mut tree, mut above) = (tree, vec![tidy(Path::new(typed))]);
        let mut name = typed.to_string();
        while let Some(base) = layers.add(tree, out)? {
            let found = next(&name, &base, &above, open, sources, out)?;
            layers.extended.push((found.file, base.span));
            above.push(tidy(Path::new(&found.name)));
            (name, tree) = (found.name, found.tree);
        }
        layers.chain.reverse();
        Some(layers)
    }

    /// Adds the next lower tree; the name of the file that it extends.
    fn add(
        &mut self,
        tree: Spanned<Node>,
        out: &mut Diagnostics,
    ) -> Option<Option<Spanned<String>>> {
        let is_main = self.chain.is_empty();
        let Spanned { value: Node::Map(mut entries), span } = tree else {
            out.error("E0104", tree.span, "a scenario is a map of keys")
                .help("`simscale init` writes an example");
            return None;
        };
        let mut sound = true;
        let mut base = None;
        if let Some(extends) = take(&mut entries, "extends")
            && !extends.value.is_none()
        {
            base = String::decode(&extends, out).map(|name| Spanned::new(name, extends.span));
            sound &= base.is_some();
        }
        if is_main {
            let sweep = take(&mut entries, "sweep").filter(|sweep| !sweep.value.is_none());
            let sweep = sweep.and_then(|sweep| SweepConfig::decode(&sweep, out));
            self.points = sweep.map_or_else(Vec::new, |sweep| sweep.points(out));
        } else {
            entries.retain(|(key, _)| !NOT_INHERITED.contains(&key.value.as_str()));
        }
        self.chain.push(Spanned::new(Node::Map(entries), span));
        sound.then_some(base)
    }

    /// The tree of the document: the files, over them the point, over all the settings.
    ///
    /// Expectations of the point are added to those of the file. `None` after an error in a
    /// setting or a point.
    pub fn resolve(
        &self,
        shape: Shape,
        point: Option<&Point>,
        settings: &[Setting],
        sources: &mut Sources,
        out: &mut Diagnostics,
    ) -> Option<Spanned<Node>> {
        let span = self.chain.last().map_or(Span::new(self.main, 0, 0), |tree| tree.span);
        let mut tree = Spanned::new(Node::Map(Vec::new()), span);
        for layer in &self.chain {
            tree = merge(tree, layer.clone(), shape, out);
        }
        let mut sound = true;
        let mut lay = |tree, path: &Spanned<String>, value, out: &mut Diagnostics| {
            let laid = set(&tree, shape, path, value, out);
            sound &= laid.is_some();
            laid.unwrap_or(tree)
        };
        if let Some(point) = point {
            for (path, value) in &point.config.values {
                tree = lay(tree, path, value.clone(), out);
            }
            expect_more(&mut tree, &point.config.expect);
        }
        for setting in settings {
            match parse_setting(setting, sources, out) {
                Some((path, value)) => tree = lay(tree, &path, value, out),
                None => return None,
            }
        }
        sound.then_some(tree)
    }

    /// The same diagnostics; those in an extended file also say where it is extended.
    pub fn name_layers(&self, found: &Diagnostics) -> Diagnostics {
        let mut named = Diagnostics::new();
        for diagnostic in found.iter() {
            let mut diagnostic = diagnostic.clone();
            let extended = self.extended.iter().find(|(file, _)| *file == diagnostic.span.file);
            if let Some((_, span)) = extended {
                diagnostic.note(*span, "this file is extended here");
            }
            named.push(diagnostic);
        }
        named
    }
}

/// A base that was found.
struct Found {
    name: String,
    file: FileId,
    tree: Spanned<Node>,
}

/// Reads the file that the one called `name` extends.
fn next(
    name: &str,
    base: &Spanned<String>,
    above: &[PathBuf],
    open: Open<'_>,
    sources: &mut Sources,
    out: &mut Diagnostics,
) -> Option<Found> {
    let folder = Path::new(name).parent().unwrap_or(Path::new(""));
    let path = folder.join(&base.value);
    if above.contains(&tidy(&path)) || above.len() >= CHAIN_MAX {
        let chain: Vec<String> = above.iter().map(|path| path.display().to_string()).collect();
        out.error("E0602", base.span, format!("`{}` extends itself", base.value))
            .label("this file is already in the chain")
            .help(format!("the chain: {}", chain.join(", which extends ")));
        return None;
    }
    let found = path.to_string_lossy().into_owned();
    match open(&found) {
        Ok(bytes) => {
            let shown = tidy(&path).to_string_lossy().into_owned();
            let (file, tree) = parse(&shown, bytes, sources, out)?;
            Some(Found { name: found, file, tree })
        }
        Err(error) => {
            out.error("E0601", base.span, cannot_read(&found, &error))
                .help("the path in `extends` is relative to the file that it stands in");
            None
        }
    }
}

fn cannot_read(path: &str, error: &io::Error) -> String {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_string(),
        io::ErrorKind::IsADirectory => "it is a folder".to_string(),
        io::ErrorKind::PermissionDenied => "permission is denied".to_string(),
        _ => error.to_string(),
    };
    format!("cannot read `{path}`: {reason}")
}

fn parse(
    name: &str,
    bytes: Vec<u8>,
    sources: &mut Sources,
    out: &mut Diagnostics,
) -> Option<(FileId, Spanned<Node>)> {
    let file = sources.add_bytes(name, bytes, out)?;
    node::parse(file, sources.text(file), out).map(|tree| (file, tree))
}

/// The path without `.` and without `..` after a folder, to compare and to show.
fn tidy(path: &Path) -> PathBuf {
    let mut tidied = PathBuf::new();
    for part in path.components() {
        let last = tidied.components().next_back();
        match (part, last) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                tidied.pop();
            }
            _ => tidied.push(part),
        }
    }
    tidied
}

/// Removes the first entry with this key; a second one stays for the decoder to report.
fn take(entries: &mut Vec<Entry>, key: &str) -> Option<Spanned<Node>> {
    let place = entries.iter().position(|(name, _)| name.value == key)?;
    Some(entries.remove(place).1)
}

/// Lays a value over the tree at a path of the document.
fn set(
    tree: &Spanned<Node>,
    shape: Shape,
    path: &Spanned<String>,
    value: Spanned<Node>,
    out: &mut Diagnostics,
) -> Option<Spanned<Node>> {
    let first = path.value.split('.').next().unwrap_or_default();
    if OF_LAYERS.contains(&first) {
        out.error("E0113", path.span, format!("`{first}` cannot be set"))
            .help("it says what the layers are, and is read before values are laid over them");
        return None;
    }
    path::set(tree.clone(), shape, path, value, out)
}

/// Adds expectations to those of the document.
fn expect_more(tree: &mut Spanned<Node>, more: &[Spanned<Node>]) {
    let Node::Map(entries) = &mut tree.value else { return };
    let (Some(first), there) =
        (more.first(), entries.iter_mut().find(|(key, _)| key.value == "expect"))
    else {
        return;
    };
    match there {
        // Whatever else stands there is wrong, and the decoder says so.
        Some((_, Spanned { value: Node::Seq(lines), .. })) => lines.extend_from_slice(more),
        Some(_) => {}
        None => {
            let key = Spanned::new("expect".to_string(), first.span);
            entries.push((key, Spanned::new(Node::Seq(more.to_vec()), first.span)));
        }
    }
}

fn parse_setting(
    setting: &Setting,
    sources: &mut Sources,
    out: &mut Diagnostics,
) -> Option<(Spanned<String>, Spanned<Node>)> {
    let Setting { flag, text } = setting;
    // A setting that is laid over several points is one source, so that its mistakes are one.
    let file = sources.find(flag).unwrap_or_else(|| sources.add(flag, text));
    let Some((path, _)) = text.split_once('=') else {
        out.error("E0113", Span::new(file, 0, text.len()), "expected PATH=VALUE")
            .help("write it like `components.web.instances=4`");
        return None;
    };
    let value = node::parse_part(file, text, path.len() + 1, out)?;
    let trimmed = path.trim();
    let start = path.len() - path.trim_start().len();
    let span = Span::new(file, start, start + trimmed.len());
    Some((Spanned::new(trimmed.to_string(), span), value))
}
