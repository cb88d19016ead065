//! Scenarios with mistakes, and under each mistake what is said about it.
//!
//! `UPDATE_EXPECT=1 cargo test diagnostics` writes what is said now; look at the difference.

use simscale::experiment::prepare;
use simscale::language::expect;
use simscale::scenario::file::{Request, load_all};
use std::io;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics")
}

/// The files that are looked at; those in the folder `bases` are extended by them.
fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|e| e == "yaml")).collect();
    paths.sort();
    paths
}

/// The annotated text of a file as it should be.
fn annotated(path: &Path, text: &str) -> String {
    let stripped = expect::strip(text);
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    let mut open = |asked: &str| -> io::Result<Vec<u8>> {
        match asked == name {
            true => Ok(stripped.clone().into_bytes()),
            false => std::fs::read(folder().join(asked)),
        }
    };
    let mut loaded = load_all(Request { path: &name, ..Request::default() }, &mut open);
    prepare(&mut loaded, &name);
    let file = loaded.sources.find(&name).expect("the file was read");
    let mut result = expect::annotate(&loaded.sources, file, &loaded.diagnostics);
    // What is wrong in a base has no line here; it is listed at the end.
    for other in loaded.diagnostics.sorted().iter().filter(|d| d.span.file != file) {
        let (line, column) = loaded.sources.position(other.span);
        let place = format!("{}:{line}:{column}", loaded.sources.name(other.span.file));
        result.push_str(&format!("#< {place} {}: {}\n", other.code, other.message));
        for (span, note) in &other.notes {
            let (line, column) = loaded.sources.position(*span);
            let name = loaded.sources.name(span.file);
            result.push_str(&format!("# = note: {name}:{line}:{column}: {note}\n"));
        }
    }
    result
}

#[test]
fn every_mistake_is_reported_where_it_is() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    for path in files() {
        let text = std::fs::read_to_string(&path).expect("a text file");
        let actual = annotated(&path, &text);
        if update {
            std::fs::write(&path, &actual).expect("the file can be written");
        } else {
            assert_eq!(text, actual, "{}", path.display());
        }
    }
}

#[test]
fn six_mistakes_in_one_file_are_six_errors() {
    let text = std::fs::read_to_string(folder().join("six.yaml")).expect("the file is there");
    let errors = |code: &str| text.matches(&format!("error[{code}]")).count();
    let all = text.matches(" error[").count();
    assert_eq!(all, 6, "one each, and none follows from another");
    for code in ["E0101", "E0102", "E0106", "E0201", "E0203", "E0501"] {
        assert_eq!(errors(code), 1, "{code}");
    }
    assert!(text.matches("did you mean").count() >= 3, "the nearest valid names");
}
