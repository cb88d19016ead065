//! The shipped schema, and the shipped scenarios by it and by the program.

use serde_json::Value;
use simscale::experiment::prepare;
use simscale::language::audit::mistakes;
use simscale::language::{RenderOptions, render};
use simscale::scenario::file::{Request, load_all, shape};
use std::path::{Path, PathBuf};

/// A base of others, no system by itself.
const BASES: [&str; 1] = ["scenarios/product.yaml"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The YAML files below a folder, by their path from the root.
fn below(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut pending = vec![PathBuf::from(folder)];
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).expect("the folder is there") {
            let path = folder.join(entry.expect("an entry").file_name());
            if root().join(&path).is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

fn shipped() -> Vec<String> {
    [below("scenarios"), below("benches")].concat()
}

#[test]
fn the_declarations_have_no_mistakes() {
    assert_eq!(mistakes(shape()), Vec::<String>::new());
}

/// `UPDATE_EXPECT=1` writes it anew.
#[test]
fn the_shipped_schema_is_the_one_of_the_program() {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_simscale"));
    let output = command.arg("schema").output().expect("the program starts");
    let written = String::from_utf8(output.stdout).expect("text");
    let path = root().join("scenarios/schema.json");
    let shipped = std::fs::read_to_string(&path).unwrap_or_default();
    if written != shipped && std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &written).expect("the schema can be written");
    }
    assert!(written == shipped, "run with UPDATE_EXPECT=1, twice, and look at the difference");
}

#[test]
fn every_shipped_scenario_fits_the_schema() {
    let schema = std::fs::read_to_string(root().join("scenarios/schema.json")).expect("shipped");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    for name in shipped() {
        let text = std::fs::read_to_string(root().join(&name)).expect("a text file");
        let instance: Value = serde_yaml::from_str(&text).expect("YAML");
        let errors = validator.iter_errors(&instance);
        let errors: Vec<String> = errors.map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn every_shipped_scenario_tells_an_editor_its_schema() {
    for name in below("scenarios") {
        let text = std::fs::read_to_string(root().join(&name)).expect("a text file");
        let up = "../".repeat(name.matches('/').count() - 1);
        let line = format!("# yaml-language-server: $schema={up}schema.json");
        assert_eq!(text.lines().next(), Some(line.as_str()), "{name}");
    }
}

#[test]
fn every_shipped_scenario_is_valid() {
    for name in shipped() {
        if BASES.contains(&name.as_str()) {
            continue;
        }
        let path = root().join(&name);
        let path = path.to_string_lossy();
        let request = Request { path: &path, ..Request::default() };
        let mut loaded = load_all(request, &mut |path| std::fs::read(path));
        prepare(&mut loaded, &name);
        let text = render(&loaded.sources, &loaded.diagnostics, RenderOptions::default());
        assert!(!loaded.diagnostics.has_errors(), "{name}:\n{text}");
    }
}
