//! Style is a test: what a reviewer would otherwise have to look for.
//!
//! Each check is a function from the text of one file to findings, tested below on a small bad
//! input, and then run over the tree. The checks read text, not types: they know nothing of what
//! the code means and can be deceived by someone who wants to.

mod code;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use code::{body_of_function, code_only, first_names, identifier, inline_modules, line_of, words};

/// The modules of the library and their floors. A module may use what stands on a lower floor,
/// and itself; `language` and `engine` are siblings that never see each other.
const FLOORS: [(&str, u8); 12] = [
    ("units", 0),
    ("metrics", 1),
    ("language", 2),
    ("engine", 2),
    ("random", 3),
    ("policy", 4),
    ("components", 5),
    ("world", 6),
    ("scenario", 7),
    ("experiment", 8),
    ("report", 9),
    ("cli", 10),
];

/// On these floors a run is computed, so nothing may depend on the order of a hash table.
const HASH_FREE_TO: u8 = 6;

const COLUMNS_MAX: usize = 100;
const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;

/// One text file, named by its path from the root with forward slashes.
struct File {
    path: String,
    text: String,
}

impl File {
    /// The library's module that the file belongs to: `Some("units")` for `src/units/rate.rs`.
    fn room(&self) -> Option<&str> {
        let rest = self.path.strip_prefix("src/")?;
        Some(rest.split(['/', '.']).next().unwrap_or(rest)).filter(|name| {
            // lib.rs and main.rs stand above all floors.
            rest.contains('/') || !["lib", "main"].contains(name)
        })
    }

    /// How many modules deep the file is: 2 for `src/units/rate.rs`, 1 for `src/units/mod.rs`.
    fn depth(&self) -> usize {
        let rest = self.path.trim_start_matches("src/");
        rest.split('/').count() - usize::from(rest.ends_with("mod.rs"))
    }

    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    fn finding(&self, line: usize, message: &str) -> String {
        format!("{}:{line}: {message}", self.path)
    }
}

fn floor_of(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

// ---------------------------------------------------------------------------------------------
// The checks
// ---------------------------------------------------------------------------------------------

/// Nobody uses a module of a higher floor, or of another room on its own floor.
fn check_floors(file: &File) -> Vec<String> {
    let Some(room) = file.room() else { return Vec::new() };
    let Some(own) = floor_of(room) else {
        return vec![file.finding(1, &format!("`{room}` stands on no floor; see FLOORS"))];
    };
    let code = code_only(&file.text);
    let from_root = words(&code, "crate")
        .filter_map(|at| Some((at, code[at..].strip_prefix("crate::")?)))
        .collect::<Vec<_>>();
    let from_below = words(&code, "super").filter_map(|at| {
        if code[..at].ends_with("super::") {
            return None;
        }
        let mut rest = &code[at..];
        let mut steps = 0;
        while let Some(after) = rest.strip_prefix("super::") {
            (rest, steps) = (after, steps + 1);
        }
        (steps == file.depth() + inline_modules(&code, at)).then_some((at, rest))
    });
    let mut findings = Vec::new();
    for (at, rest) in from_root.into_iter().chain(from_below) {
        for name in first_names(rest) {
            let Some(floor) = floor_of(name) else { continue };
            if name != room && floor >= own {
                let message = format!("`{room}` (floor {own}) uses `{name}` (floor {floor})");
                findings.push(file.finding(line_of(&code, at), &message));
            }
        }
    }
    findings
}

/// Every module says what it is and what it does not know.
fn check_module_doc(file: &File) -> Vec<String> {
    let first = file.text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let documented = first.starts_with("//!") || first.starts_with("#![doc = include_str!(");
    match documented {
        true => Vec::new(),
        false => {
            vec![file.finding(1, "a module begins with `//!`: what it is, what it leaves out")]
        }
    }
}

/// No hash tables where a run is computed: their order is not that of the program.
fn check_hash_tables(file: &File) -> Vec<String> {
    if file.room().and_then(floor_of).is_none_or(|floor| floor > HASH_FREE_TO) {
        return Vec::new();
    }
    let code = code_only(&file.text);
    let lines: Vec<&str> = file.text.lines().collect();
    // The reason stands on the line, above it, or once for the file where the name is imported.
    let reason = |text: &&str| text.contains("// tidy: ");
    let excused = |name: &str, line: usize| {
        lines[line.saturating_sub(2)..line].iter().any(&reason)
            || lines.iter().any(|text| {
                text.trim_start().starts_with("use ") && text.contains(name) && reason(text)
            })
    };
    ["HashMap", "HashSet"]
        .into_iter()
        .flat_map(|name| words(&code, name).map(move |at| (name, at)))
        .map(|(name, at)| (name, line_of(&code, at)))
        .filter(|(name, line)| !excused(name, *line))
        .map(|(name, line)| {
            file.finding(line, &format!("{name}: use BTreeMap or Vec, or say `// tidy: why`"))
        })
        .collect()
}

/// A line fits on half a screen. Addresses may be longer.
fn check_columns(file: &File) -> Vec<String> {
    file.text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.chars().count() > COLUMNS_MAX && !line.contains("://"))
        .map(|(i, line)| {
            file.finding(i + 1, &format!("{} columns, at most 100", line.chars().count()))
        })
        .collect()
}

/// A file is one subject.
fn check_file_length(file: &File) -> Vec<String> {
    let lines = file.text.lines().count();
    let excused = file.text.lines().any(|line| line.starts_with("//! Long because "));
    match lines > FILE_LINES_MAX && !excused {
        true => vec![file.finding(
            1,
            &format!("{lines} lines, at most {FILE_LINES_MAX}, or say `//! Long because ...`"),
        )],
        false => Vec::new(),
    }
}

/// A function fits on a screen.
fn check_function_length(file: &File) -> Vec<String> {
    let code = code_only(&file.text);
    let lines: Vec<&str> = file.text.lines().collect();
    let mut findings = Vec::new();
    for at in words(&code, "fn") {
        let name = identifier(code[at + 2..].trim_start());
        let Some(body) = body_of_function(&code[at..]).filter(|_| !name.is_empty()) else {
            continue;
        };
        let (first, last) = (line_of(&code, at), line_of(&code, at + body));
        let length = last - first + 1;
        let above = lines[..first - 1]
            .iter()
            .rev()
            .take_while(|line| line.trim_start().starts_with(['/', '#']));
        let reason = |line: &&str| line.trim_start().starts_with("// long: ");
        let excused =
            above.copied().any(|line| reason(&line)) || lines[first - 1..last].iter().any(reason);
        if length > FUNCTION_LINES_MAX && !excused {
            let message = format!(
                "`{name}` has {length} lines, at most {FUNCTION_LINES_MAX}, or say `// long: why`"
            );
            findings.push(file.finding(first, &message));
        }
    }
    findings
}

/// Nothing is left for later. (The words are put together so that this file has none of them.)
fn check_unfinished(file: &File) -> Vec<String> {
    let banned = [
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
    ];
    let found = |line: &str| banned.into_iter().find(|word| line.contains(word));
    file.text
        .lines()
        .enumerate()
        .filter_map(|(i, line)| {
            Some(file.finding(i + 1, &format!("`{}`: finish it or leave it out", found(line)?)))
        })
        .collect()
}

/// Every dependency has the reason for it on the line above.
fn check_dependencies(file: &File) -> Vec<String> {
    let mut findings = Vec::new();
    let (mut inside, mut reason) = (false, false);
    for (i, line) in file.text.lines().enumerate() {
        if line.starts_with('[') {
            inside = line.contains("dependencies");
        } else if inside && !line.trim().is_empty() && !line.starts_with('#') && !reason {
            let name = line.split(['=', ' ', '.']).next().unwrap_or(line);
            findings.push(file.finding(i + 1, &format!("why `{name}`? Say so on the line above")));
        }
        reason = line.starts_with('#');
    }
    findings
}

/// No path of the machine on which something was written.
fn check_machine_paths(file: &File) -> Vec<String> {
    let places = ["work", "farm", "root", "home", "Users"].map(|name| format!("/{name}/"));
    let is_path = |line: &str, at: usize| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.' | '-' | '}'))
    };
    let mut findings = Vec::new();
    for (i, line) in file.text.lines().enumerate() {
        for place in &places {
            if line.match_indices(place.as_str()).any(|(at, _)| is_path(line, at)) {
                findings.push(file.finding(i + 1, &format!("a path of one machine: {place}...")));
            }
        }
    }
    findings
}

// ---------------------------------------------------------------------------------------------
// The tree
// ---------------------------------------------------------------------------------------------

/// Every text file of the project, without what is built or computed.
fn tree() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut files, mut open) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the project") {
            let path = entry.expect("an entry of the folder").path();
            let name = path.strip_prefix(root).expect("inside the root").to_owned();
            if path.is_dir() {
                if !["target", ".git", "output"].iter().any(|skip| name == Path::new(skip)) {
                    open.push(path);
                }
            } else if let Some(text) = read_text(&path) {
                let parts = name.iter().map(|part| part.to_string_lossy());
                files.push(File { path: parts.collect::<Vec<_>>().join("/"), text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// The text of a file; `None` for what is not text, and for the pointer file of a git worktree.
fn read_text(path: &PathBuf) -> Option<String> {
    if path.file_name().is_some_and(|name| name == ".git") {
        return None;
    }
    String::from_utf8(std::fs::read(path).ok()?).ok()
}

/// Runs a check over the files it is for and fails with everything it found.
fn hold(check: fn(&File) -> Vec<String>, applies: fn(&File) -> bool) {
    let files = tree();
    let checked: Vec<&File> = files.iter().filter(|file| applies(file)).collect();
    assert!(!checked.is_empty(), "the check found no file to look at");
    let findings: Vec<String> = checked.into_iter().flat_map(check).collect();
    let mut list = String::new();
    for finding in &findings {
        writeln!(list, "  {finding}").expect("writing to a string");
    }
    assert!(findings.is_empty(), "{} findings:\n{list}", findings.len());
}

#[test]
fn the_floors_hold() {
    hold(check_floors, |file| file.is_rust() && file.path.starts_with("src/"));
}

#[test]
fn every_module_has_a_doc() {
    hold(check_module_doc, File::is_rust);
}

#[test]
fn no_hash_tables_where_a_run_is_computed() {
    hold(check_hash_tables, |file| file.is_rust() && file.path.starts_with("src/"));
}

#[test]
fn lines_fit() {
    hold(check_columns, File::is_rust);
}

#[test]
fn files_are_short() {
    hold(check_file_length, File::is_rust);
}

#[test]
fn functions_are_short() {
    hold(check_function_length, File::is_rust);
}

#[test]
fn nothing_is_left_for_later() {
    hold(check_unfinished, |file| file.path != "Cargo.lock");
}

#[test]
fn every_dependency_has_a_reason() {
    hold(check_dependencies, |file| file.path == "Cargo.toml");
}

#[test]
fn no_path_of_one_machine() {
    hold(check_machine_paths, |_| true);
}

// ---------------------------------------------------------------------------------------------
// The checks find what they are for
// ---------------------------------------------------------------------------------------------

/// Nothing is found.
const NOTHING: [usize; 0] = [];

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

/// The lines on which a check finds something.
fn found(check: fn(&File) -> Vec<String>, path: &str, text: &str) -> Vec<usize> {
    let line = |finding: &String| finding.split(':').nth(1).and_then(|line| line.parse().ok());
    check(&file(path, text)).iter().map(|finding| line(finding).expect("path:line:")).collect()
}

#[test]
fn an_upward_use_is_found() {
    let text = "use crate::units::Rate;\nuse crate::world::World;\n// use crate::cli::Cli;\n\
                use crate::{units, scenario::{Plan, report}, cli};\nfn f() { crate::report::g() }";
    assert_eq!(found(check_floors, "src/policy/retry.rs", text), [2, 4, 4, 5]);
}

#[test]
fn a_sibling_on_the_same_floor_is_found() {
    assert_eq!(found(check_floors, "src/engine/run.rs", "use crate::language::Node;"), [1]);
    assert_eq!(found(check_floors, "src/language/node.rs", "use crate::engine::Draw;"), [1]);
    assert_eq!(found(check_floors, "src/random/mod.rs", "use crate::engine::Draw;"), NOTHING);
}

#[test]
fn an_upward_use_through_super_is_found() {
    let text = "use super::super::world::World;\nuse super::world;\n\
                mod tests {\n use super::super::world;\n use super::super::super::world;\n}";
    assert_eq!(found(check_floors, "src/policy/retry.rs", text), [1, 5]);
    assert_eq!(found(check_floors, "src/policy/mod.rs", "use super::world::World;"), [1]);
}

#[test]
fn a_macro_and_a_module_without_floor_are_found() {
    let text = "macro_rules! m { () => { $crate::cli::run() } }";
    assert_eq!(found(check_floors, "src/language/config.rs", text), [1]);
    assert_eq!(found(check_floors, "src/helpers.rs", ""), [1]);
    assert_eq!(found(check_floors, "src/main.rs", "use simscale::cli;"), NOTHING);
}

#[test]
fn a_missing_module_doc_is_found() {
    assert_eq!(found(check_module_doc, "src/units/rate.rs", "\n// Rates.\nuse x;"), [1]);
    assert_eq!(found(check_module_doc, "src/units/rate.rs", "\n//! Rates.\n"), NOTHING);
    let crate_doc = "#![doc = include_str!(\"ARCHITECTURE.md\")]";
    assert_eq!(found(check_module_doc, "src/lib.rs", crate_doc), NOTHING);
}

#[test]
fn a_hash_table_is_found() {
    let text = "use std::collections::HashMap;\n// HashMap is fine here\n\
                // tidy: looked up by key only\nlet m: HashSet<u8>;\nlet n: MyHashMapLike;";
    assert_eq!(found(check_hash_tables, "src/world/plan.rs", text), [1]);
    assert_eq!(found(check_hash_tables, "src/report/text.rs", text), NOTHING);
    let excused = "use std::collections::HashMap; // tidy: never iterated\n\nlet m: HashMap<u8>;";
    assert_eq!(found(check_hash_tables, "src/world/plan.rs", excused), NOTHING);
}

#[test]
fn a_long_line_is_found() {
    let text = format!("{}\n{}é\n// https://{}", "x".repeat(101), "x".repeat(99), "x".repeat(99));
    assert_eq!(found(check_columns, "src/a.rs", &text), [1]);
}

#[test]
fn a_long_file_is_found() {
    let text = "\n".repeat(FILE_LINES_MAX + 1);
    assert_eq!(found(check_file_length, "src/a.rs", &text), [1]);
    let excused = format!("//! A list.\n//! Long because it is a list.\n{text}");
    assert_eq!(found(check_file_length, "src/a.rs", &excused), NOTHING);
}

#[test]
fn a_long_function_is_found() {
    let body = "    step();\n".repeat(FUNCTION_LINES_MAX - 1);
    let long = format!("fn f(a: fn(u8), b: [u8; 3]) -> u8 {{\n{body}}}\n");
    assert_eq!(found(check_function_length, "src/a.rs", &long), [1]);
    let fits = long.replacen("    step();\n", "", 1);
    assert_eq!(found(check_function_length, "src/a.rs", &fits), NOTHING);
    let excused = format!("/// F.\n// long: one arm per kind.\n#[inline]\n{long}");
    assert_eq!(found(check_function_length, "src/a.rs", &excused), NOTHING);
    let declared = format!("trait T {{ fn g(&self) -> u8;\n{} }}", "\n".repeat(99));
    assert_eq!(found(check_function_length, "src/a.rs", &declared), NOTHING);
}

#[test]
fn what_is_left_for_later_is_found() {
    let (call, word) = (concat!("to", "do!()"), concat!("TO", "DO"));
    let text = format!("fn f() {{ {call} }}\n// {word}: more\nfn todo_list() {{}}");
    assert_eq!(found(check_unfinished, "src/a.rs", &text), [1, 2]);
}

#[test]
fn a_dependency_without_a_reason_is_found() {
    let lines = [
        "[package]",
        "name = \"x\"",
        "[dependencies]",
        "# Why.",
        "a = \"1\"",
        "b = { version = \"1\" }",
        "[dev-dependencies]",
        "# Why.",
        "",
        "c = \"1\"",
        "[lints.rust]",
        "d = \"warn\"",
    ];
    assert_eq!(found(check_dependencies, "Cargo.toml", &lines.join("\n")), [6, 10]);
}

#[test]
fn a_path_of_one_machine_is_found() {
    let place = format!("/{}/", "home");
    let text = format!("see {place}me/x\nhttps://example.org{place}x\n${{HOME}}{place}\n./{place}");
    assert_eq!(found(check_machine_paths, "README.md", &text), [1, 4]);
}
