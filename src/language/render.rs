//! Diagnostics as text for a terminal, as rustc shows them: the line, the place, the remedy.
//!
//! Knows nothing of where the text is printed; whether colour is wanted is for the caller to find
//! out.

use super::diagnostic::{Diagnostic, Diagnostics, Severity};
use super::source::Sources;
use annotate_snippets::renderer::DEFAULT_TERM_WIDTH;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// How to print.
#[derive(Clone, Copy, Debug)]
pub struct RenderOptions {
    /// With ANSI colours.
    pub colour: bool,
    /// Columns of the terminal; longer source lines are cut around the place.
    pub width: usize,
}

impl Default for RenderOptions {
    fn default() -> RenderOptions {
        RenderOptions { colour: false, width: DEFAULT_TERM_WIDTH }
    }
}

/// So many diagnostics are shown; whoever has more will repair these first.
const SHOWN_MAX: usize = 50;

/// All diagnostics in the order of their places, and a last line that counts them.
pub fn render(sources: &Sources, diagnostics: &Diagnostics, options: RenderOptions) -> String {
    let mut text = String::new();
    let list = diagnostics.sorted();
    for diagnostic in list.iter().take(SHOWN_MAX) {
        text.push_str(&render_one(sources, diagnostic, options));
        text.push_str("\n\n");
    }
    if list.len() > SHOWN_MAX {
        text.push_str(&format!("only the first {SHOWN_MAX} are shown\n"));
    }
    if !diagnostics.is_empty() {
        text.push_str(&count(diagnostics));
        text.push('\n');
    }
    text
}

/// "3 errors, 1 warning".
pub fn count(diagnostics: &Diagnostics) -> String {
    let list = diagnostics.sorted();
    let count = |severity| list.iter().filter(|d| d.severity == severity).count();
    let plural = |n: usize, word: &str| match n {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{n} {word}s")),
    };
    let parts =
        [plural(count(Severity::Error), "error"), plural(count(Severity::Warning), "warning")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// One diagnostic.
pub fn render_one(sources: &Sources, diagnostic: &Diagnostic, options: RenderOptions) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let message = clean(&diagnostic.message);
    let mut group =
        level.primary_title(message).id(diagnostic.code).element(snippet(sources, diagnostic));
    for (span, note) in diagnostic.notes.iter().filter(|(s, _)| s.file != diagnostic.span.file) {
        let (line, column) = sources.position(*span);
        let place = format!("{}:{line}:{column}: {}", sources.name(span.file), clean(note));
        group = group.element(Level::NOTE.message(place));
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(clean(help)));
    }
    let renderer = if options.colour { Renderer::styled() } else { Renderer::plain() };
    let report: &[Group<'_>] = &[group];
    renderer.term_width(options.width).render(report)
}

/// The source lines with the place, and with the notes that lie in the same source.
fn snippet<'s>(
    sources: &'s Sources,
    diagnostic: &'s Diagnostic,
) -> Snippet<'s, annotate_snippets::Annotation<'s>> {
    let file = diagnostic.span.file;
    let label = |text: &str| (!text.is_empty()).then(|| clean(text));
    let primary = AnnotationKind::Primary.span(sources.range(diagnostic.span));
    let mut snippet = Snippet::source(sources.text(file))
        .path(sources.name(file))
        .annotation(primary.label(label(&diagnostic.label)));
    for (span, note) in diagnostic.notes.iter().filter(|(span, _)| span.file == file) {
        let context = AnnotationKind::Context.span(sources.range(*span));
        snippet = snippet.annotation(context.label(label(note)));
    }
    snippet
}

/// Text that came from a file, without what a terminal would obey.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Span;

    fn example(width: usize, colour: bool) -> String {
        let mut sources = Sources::new();
        let long = format!("{} x: 20 # {}", "# é".repeat(0), "long ".repeat(60));
        let file = sources.add("scenarios/a.yaml", format!("users:\n  think: 20\n{long}\n"));
        let other = sources.add("base.yaml", "users: { think: 7s }\n");
        let mut out = Diagnostics::new();
        out.error("E0201", Span::new(file, 16, 18), "`20` needs a unit")
            .label("no unit")
            .help("a duration is written 20ms or 20s")
            .note(Span::new(file, 0, 5), "in this block")
            .note(Span::new(other, 9, 14), "replaces this");
        out.warning("W0001", Span::new(file, 23, 25), "odd");
        render(&sources, &out, RenderOptions { colour, width })
    }

    #[test]
    fn the_place_the_line_and_the_help_are_shown() {
        let text = example(80, false);
        for part in [
            "error[E0201]: `20` needs a unit",
            "--> scenarios/a.yaml:2:10",
            "2 |   think: 20",
            "^^ no unit",
            "in this block",
            "note: base.yaml:1:10: replaces this",
            "help: a duration is written 20ms or 20s",
            "warning[W0001]: odd",
            "1 error, 1 warning",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn long_lines_are_cut_to_the_terminal() {
        for width in [40, 80, 200] {
            let text = example(width, false);
            let lines = text.lines().filter(|line| line.contains("long"));
            let widest = lines.map(|line| line.chars().count()).max().unwrap_or(0);
            assert!(widest <= width + 8, "{widest} at {width}\n{text}");
        }
    }

    #[test]
    fn a_flood_of_mistakes_is_cut_and_still_counted() {
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", "x".repeat(2_000));
        let mut out = Diagnostics::new();
        (0..2_000).for_each(|at| {
            out.error("E0101", Span::new(file, at, at + 1), "unknown");
        });
        let text = render(&sources, &out, RenderOptions::default());
        assert!(text.ends_with("only the first 50 are shown\n2000 errors\n"));
    }

    #[test]
    fn colour_is_only_written_when_wanted() {
        assert!(example(80, true).contains('\u{1b}'));
    }
}
