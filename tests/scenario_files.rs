//! The shipped scenarios as files: complete, sourced, and each in its place.
//!
//! This looks at what is written, not at what it means: whether a scenario is valid and whether its
//! expectations hold is for others to say.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The YAML files of a folder by name without the extension, in order.
fn files(name: &str) -> Vec<(String, Map<String, Value>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder(name)).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).expect("a text file");
            let map = serde_yaml::from_str::<Map<String, Value>>(&text);
            found.push((stem.clone(), map.unwrap_or_else(|error| panic!("{stem}: {error}"))));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// The cases that this part of the product answers for: all but those of later features.
fn cases() -> BTreeSet<String> {
    let group = |name: &str, last: usize| {
        let name = name.to_owned();
        (1..=last).map(move |number| format!("{name}-{number:02}"))
    };
    let mut cases: BTreeSet<String> =
        group("que", 23).chain(group("net", 4)).chain(group("lb", 9)).collect();
    cases.extend(group("cac", 9));
    // P-REP-05 is a unit test: no store sends its writes to some of its copies only.
    cases.extend(group("rep", 9).filter(|case| case != "rep-05"));
    // P-ASC-02 is a unit test: one evaluation of a rule.
    cases.extend(group("asc", 5).filter(|case| case != "asc-02"));
    cases.extend(["rty-04", "avl-05"].map(str::to_owned));
    cases
}

/// The expectations of a file, those of its sweep points included.
fn expectations(scenario: &Map<String, Value>) -> Vec<String> {
    let of = |value: Option<&Value>| {
        let list = value.and_then(Value::as_array).cloned().unwrap_or_default();
        list.into_iter().map(|line| line.as_str().expect("a line of text").to_owned())
    };
    let points = scenario.get("sweep").and_then(|sweep| sweep.get("points"));
    let points = points.and_then(Value::as_array).cloned().unwrap_or_default();
    let mut lines: Vec<String> = of(scenario.get("expect")).collect();
    lines.extend(points.iter().flat_map(|point| of(point.get("expect"))));
    lines
}

/// The files that a scenario extends, the nearest first.
fn chain(name: &str) -> Vec<String> {
    let all = files("scenarios");
    let base = |name: &str| {
        let (_, file) = all.iter().find(|(other, _)| other == name)?;
        Some(file.get("extends")?.as_str()?.trim_end_matches(".yaml").to_owned())
    };
    // A circle would be longer than there are files.
    std::iter::successors(base(name), |name| base(name)).take(all.len()).collect()
}

#[test]
fn every_case_with_a_known_answer_is_a_file() {
    let found: BTreeSet<String> =
        files("scenarios/theory").into_iter().map(|(name, _)| name).collect();
    assert_eq!(found, cases());
}

#[test]
fn every_case_carries_its_figures_its_source_and_an_explanation() {
    let page = std::fs::read_to_string(folder("scenarios/theory/README.md")).expect("the page");
    for (name, scenario) in files("scenarios/theory") {
        let text = |key: &str| scenario.get(key).and_then(Value::as_str).unwrap_or_default();
        let source = format!("P-{}. ", name.to_uppercase());
        assert!(text("source").starts_with(&source), "{name}: the source begins with {source}");
        assert!(text("about").len() > 40, "{name}: `about` explains the case to a newcomer");
        assert_eq!(text("network"), "none", "{name}: theory has no network");
        let approximate = |line: &String| line.contains(" == ") && line.contains(" within ");
        assert!(expectations(&scenario).iter().any(approximate), "{name}: expects a figure");
        assert!(page.contains(&format!("[{name}.yaml]({name}.yaml)")), "{name}: is in README.md");
    }
}

fn keys(value: &Value) -> Vec<String> {
    value.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect()
}

/// How many there are, when and where; whom they turn to with an operation; and operations that
/// nobody knows before, such as signing in. What the product has stays what it is.
fn users_of_a_stage(name: &str, users: &Value, product: &[String]) {
    const MAY: [&str; 5] = ["count", "profile", "sessions", "regions", "operations"];
    for key in keys(users) {
        assert!(MAY.contains(&key.as_str()), "{name}: the product has users.{key}");
    }
    let operations = users.get("operations").unwrap_or(&Value::Null);
    for operation in keys(operations).iter().filter(|operation| product.contains(operation)) {
        let written = keys(&operations[operation.as_str()]);
        assert_eq!(written, ["entry"], "{name}: the product has users.operations.{operation}");
    }
}

#[test]
fn a_stage_holds_architecture_only() {
    let files_of = |wanted: &str| files("scenarios").into_iter().find(|(name, _)| name == wanted);
    let product = files_of("product").expect("the product is shipped").1;
    let product = keys(&product["users"]["operations"]);
    for (name, stage) in files("scenarios") {
        if !name.starts_with("stage") {
            continue;
        }
        assert_eq!(chain(&name).last().map(String::as_str), Some("product"), "{name}: its base");
        for (key, value) in &stage {
            match key.as_str() {
                "users" => users_of_a_stage(&name, value, &product),
                "data" => {
                    for (set, value) in value.as_object().expect("data sets") {
                        assert_eq!(keys(value), ["in"], "{name}: the product has data.{set}");
                    }
                }
                "components" => {
                    let steps = value.get("web").and_then(|web| web.get("handle"));
                    let steps = keys(steps.unwrap_or(&Value::Null));
                    let known = steps.iter().find(|name| product.contains(name));
                    assert_eq!(known, None, "{name}: the product has the work of a page");
                }
                "slo" => panic!("{name}: the product has the promises"),
                _ => {}
            }
        }
    }
}

#[test]
fn a_stage_says_what_it_claims() {
    for (name, stage) in files("scenarios") {
        if name.starts_with("stage") {
            for key in ["name", "about", "source", "claim"] {
                assert!(stage.contains_key(key), "{name} says `{key}`");
            }
        }
    }
}

/// A row of the ladder that is generated into the page: file, digest, claim, what is carried.
struct Row {
    file: String,
    digest: String,
    claim: [f64; 2],
    carries: f64,
}

/// `2.85K`.
fn count(text: &str) -> f64 {
    let (number, size) = match text.as_bytes().last() {
        Some(b'K') => (&text[..text.len() - 1], 1e3),
        Some(b'M') => (&text[..text.len() - 1], 1e6),
        _ => (text, 1.0),
    };
    number.parse::<f64>().unwrap_or_else(|error| panic!("{text}: {error}")) * size
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let between = |text: &str, from: &str, to: &str| -> String {
        let rest = text.split_once(from).expect("it begins").1;
        rest.split_once(to).expect("it ends").0.trim().to_owned()
    };
    let ends = |text: &str| -> Vec<f64> { text.split(" to ").map(count).collect() };
    Row {
        file: between(cells[1], "[", "]"),
        digest: between(cells[1], "<!--", "-->"),
        claim: ends(cells[3])[..].try_into().expect("a claim has two ends"),
        carries: ends(cells[4])[0],
    }
}

/// What was measured belongs to the files as they are.
#[test]
fn the_ladder_on_the_page_is_of_these_files() {
    use simscale::scenario::file::{Request, load};
    let page = std::fs::read_to_string(folder("scenarios/README.md")).expect("the page");
    let rows = page.lines().filter(|line| line.starts_with("| [stage") && line.contains("<!--"));
    let rows: Vec<Row> = rows.map(row).collect();
    assert_eq!(rows.len(), 8, "a row for each stage");
    for row in rows {
        let path = folder("scenarios").join(&row.file);
        let path = path.to_string_lossy();
        let request = Request { path: &path, ..Request::default() };
        let loaded = load(request, &mut |path| std::fs::read(path));
        let digest = loaded.scenarios[0].digest.as_str();
        assert_eq!(row.digest, digest, "{}: the page is older than the file", row.file);
        let [from, to] = row.claim;
        assert!((from..=3.0 * to).contains(&row.carries), "{}: {}", row.file, row.carries);
    }
}
