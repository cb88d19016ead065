//! Expectations about diagnostics, written as comments under the place they are about.
//!
//! ```text
//! timeout: 20
//! #        ^^ error[E0201]: `20` needs a unit
//! #        = help: a duration is written 20ms, 20s or 20min
//! ```
//!
//! A mistake that begins in the first column is marked `#<`, since the `#` stands on it. Tests
//! strip the comments, read the rest, write them anew, and compare; blessing a file is writing the
//! result. This module knows nothing of how diagnostics arise, and touches no file.

use super::diagnostic::{Diagnostic, Diagnostics, Severity};
use super::source::{FileId, Sources};

/// The text without the lines that are expectations.
pub fn strip(annotated: &str) -> String {
    annotated.split_inclusive('\n').filter(|line| !is_expectation(line)).collect()
}

fn is_expectation(line: &str) -> bool {
    let Some(rest) = line.strip_prefix('#') else { return false };
    let mark = rest.trim_start_matches(' ');
    rest.starts_with('<')
        || mark.starts_with('^')
        || ["= help: ", "= note: "].iter().any(|m| mark.starts_with(m))
}

/// The text of a source with every diagnostic in it written under its line.
pub fn annotate(sources: &Sources, file: FileId, diagnostics: &Diagnostics) -> String {
    let mut pending = diagnostics.sorted();
    pending.retain(|d| d.span.file == file);
    let mut pending = pending.into_iter().peekable();
    let mut result = String::new();
    let text = sources.text(file);
    let lines = text.split_inclusive('\n').count().max(1);
    for (number, line) in text.split_inclusive('\n').chain(empty(text)).enumerate() {
        result.push_str(line);
        let here =
            |d: &&Diagnostic| sources.position(d.span).0 <= number + 1 || number + 1 == lines;
        while let Some(diagnostic) = pending.next_if(here) {
            if !result.ends_with('\n') && !result.is_empty() {
                result.push('\n');
            }
            write_one(&mut result, sources, line, diagnostic);
        }
    }
    result
}

/// One empty line for an empty text, so that a diagnostic about it has a place.
fn empty(text: &str) -> impl Iterator<Item = &str> {
    text.is_empty().then_some("").into_iter()
}

fn write_one(result: &mut String, sources: &Sources, line: &str, diagnostic: &Diagnostic) {
    let (_, column) = sources.position(diagnostic.span);
    let width = sources.slice(diagnostic.span).lines().next().unwrap_or("").chars().count();
    let room = line.trim_end().chars().count().saturating_sub(column - 1);
    let width = width.min(room).max(1);
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let (indent, marks) = match column {
        1 => (String::new(), format!("<{}", "^".repeat(width.saturating_sub(2)))),
        _ => (" ".repeat(column - 2), "^".repeat(width)),
    };
    let (code, message) = (diagnostic.code, &diagnostic.message);
    result.push_str(&format!("#{indent}{marks} {severity}[{code}]: {message}\n"));
    let below = if column == 1 { " " } else { &indent };
    for help in &diagnostic.help {
        result.push_str(&format!("#{below}= help: {help}\n"));
    }
    for (span, note) in &diagnostic.notes {
        let (name, (line, column)) = (sources.name(span.file), sources.position(*span));
        result.push_str(&format!("#{below}= note: {name}:{line}:{column}: {note}\n"));
    }
}

/// Reads an annotated text with `read` and says where its expectations and the truth differ.
///
/// `Err` is the text as it should be, ready to be written back when the change is right.
pub fn check(
    name: &str,
    annotated: &str,
    read: impl FnOnce(&Sources, FileId, &mut Diagnostics),
) -> Result<(), String> {
    let mut sources = Sources::new();
    let file = sources.add(name, strip(annotated));
    let mut diagnostics = Diagnostics::new();
    read(&sources, file, &mut diagnostics);
    let actual = annotate(&sources, file, &diagnostics);
    if actual == annotated { Ok(()) } else { Err(actual) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Span;

    #[test]
    fn expectations_are_written_under_their_line_and_stripped_again() {
        let annotated = "\
abc: 1
#<^ error[E0101]: unknown key
#   ^ warning[W0001]: odd
# a comment of the author
é: [20, 3]
#   ^^ error[E0201]: needs a unit
#   = help: 20ms
#   = note: a.yaml:1:1: first
";
        let read = |_: &Sources, file: FileId, out: &mut Diagnostics| {
            out.error("E0201", Span::new(file, 38, 40), "needs a unit")
                .help("20ms")
                .note(Span::new(file, 0, 3), "first");
            out.warning("W0001", Span::new(file, 4, 5), "odd");
            out.error("E0101", Span::new(file, 0, 3), "unknown key");
        };
        assert_eq!(check("a.yaml", annotated, read), Ok(()));
        assert_eq!(check("a.yaml", &strip(annotated), read), Err(annotated.to_string()));
    }

    #[test]
    fn a_mistake_without_a_line_stands_at_the_end() {
        let read = |_: &Sources, file: FileId, out: &mut Diagnostics| {
            out.error("E0103", Span::new(file, 0, 0), "missing");
        };
        assert_eq!(check("a.yaml", "#< error[E0103]: missing\n", read), Ok(()));
    }
}
