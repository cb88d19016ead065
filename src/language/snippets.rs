//! Broken files and what is said about them: `snippets.txt`, blessed by `UPDATE_EXPECT=1`.
//!
//! The language of these files is the sample; what a real key means is tested where it is declared.

use super::sample::Document;
use super::{Decode, Diagnostics, FileId, Sources, expect, node};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/language/snippets.txt");
const RULE: &str = "=== ";

fn read(sources: &Sources, file: FileId, out: &mut Diagnostics) {
    if let Some(node) = node::parse(file, sources.text(file), out) {
        assert!(Document::decode(&node, out).is_some() || out.has_errors());
    }
}

#[test]
fn every_broken_snippet_is_explained_at_its_place() {
    let text = std::fs::read_to_string(FILE).expect("the snippets are in the repository");
    let mut actual = String::new();
    let mut wrong = Vec::new();
    for snippet in text.split(RULE).skip(1) {
        let (name, annotated) = snippet.split_once('\n').expect("a name, then the snippet");
        let result = expect::check(name, annotated, read);
        let truth = result.as_ref().err().map_or(annotated, |truth| truth);
        actual.push_str(&format!("{RULE}{name}\n{truth}"));
        if let Err(truth) = result {
            wrong.push(format!("{RULE}{name}\n{truth}"));
        }
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(FILE, actual).expect("the snippets can be written");
    } else {
        assert!(wrong.is_empty(), "the truth is:\n{}", wrong.concat());
    }
}
