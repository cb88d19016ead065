//! `validate`: every mistake in every file, each at its place.

use super::reading::{self, Values};
use super::terminal::Terminal;
use super::{Exit, Result, files, print};
use crate::experiment::prepare;
use crate::language::print::print as print_tree;
use crate::language::{Diagnostic, Severity};
use crate::scenario::file::Loaded;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Scenario files; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    #[command(flatten)]
    values: Values,
    /// Only this point of the sweep; else the file as written and all its points.
    #[arg(long, value_name = "NAME")]
    point: Option<String>,
    /// Print the scenario after merging of all layers.
    #[arg(long)]
    resolved: bool,
    /// How mistakes are written: underlined in their files, as a JSON list on standard output, or
    /// as GitHub annotations on standard output.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Github,
}

pub(super) fn run(arguments: &Arguments, terminal: Terminal) -> Result {
    let settings = arguments.values.settings();
    let mut sound = true;
    let mut records = Vec::new();
    for path in &arguments.files {
        let mut loaded = match &arguments.point {
            Some(point) => reading::one(path, &settings, Some(point)),
            None => reading::all(path, &settings),
        };
        prepare(&mut loaded, &files::name(path));
        sound &= !loaded.diagnostics.has_errors();
        match arguments.format {
            Format::Text => {
                terminal.diagnose(&loaded.sources, &loaded.diagnostics);
                print(terminal, &summary(path, &loaded, arguments.resolved))?;
            }
            Format::Json => records.extend(each(&loaded, record)),
            Format::Github => print(terminal, &each(&loaded, annotation).concat())?,
        }
    }
    if arguments.format == Format::Json {
        let text = serde_json::to_string_pretty(&records).expect("records have text keys only");
        print(terminal, &format!("{text}\n"))?;
    }
    Ok(if sound { Exit::Holds } else { Exit::CouldNotRun })
}

/// What is said of a file without errors: that it has none, or the file after merging.
fn summary(path: &str, loaded: &Loaded, resolved: bool) -> String {
    match loaded.scenarios.first() {
        _ if loaded.diagnostics.has_errors() => String::new(),
        None => String::new(),
        Some(first) if resolved => format!("---\n{}", print_tree(&first.tree)),
        Some(_) => match loaded.scenarios.len() - 1 {
            0 => format!("{path}: valid\n"),
            1 => format!("{path}: valid, with 1 point\n"),
            points => format!("{path}: valid, with {points} points\n"),
        },
    }
}

fn each<T>(loaded: &Loaded, of: impl Fn(&Loaded, &Diagnostic) -> T) -> Vec<T> {
    loaded.diagnostics.sorted().into_iter().map(|diagnostic| of(loaded, diagnostic)).collect()
}

const fn severity(diagnostic: &Diagnostic) -> &'static str {
    match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn record(loaded: &Loaded, diagnostic: &Diagnostic) -> Value {
    let (line, column) = loaded.sources.position(diagnostic.span);
    json!({
        "file": loaded.sources.name(diagnostic.span.file),
        "line": line,
        "column": column,
        "text": loaded.sources.slice(diagnostic.span),
        "severity": severity(diagnostic),
        "code": diagnostic.code,
        "message": diagnostic.message,
        "help": diagnostic.help,
    })
}

/// One annotation on the changed lines of a pull request.
fn annotation(loaded: &Loaded, diagnostic: &Diagnostic) -> String {
    let (line, column) = loaded.sources.position(diagnostic.span);
    let (file, code) = (loaded.sources.name(diagnostic.span.file), diagnostic.code);
    let mut text = vec![diagnostic.message.as_str()];
    text.extend(diagnostic.help.iter().map(String::as_str));
    let text = text.join("\n").replace('%', "%25").replace('\n', "%0A").replace('\r', "%0D");
    let severity = severity(diagnostic);
    format!("::{severity} file={file},line={line},col={column},title={code}::{text}\n")
}
