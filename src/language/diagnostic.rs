//! What is wrong with a scenario, where, and what to write instead; and the collector of all
//! mistakes.
//!
//! Knows nothing of how a mistake is found or how it is printed.

use super::source::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The scenario cannot be run.
    Error,
    /// The scenario can be run, but is likely not what was meant.
    Warning,
}

/// One mistake with its place and its remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code, `E0101`; `simscale explain` has the long text.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// What is underlined.
    pub span: Span,
    /// What is wrong, one line, no full stop.
    pub message: String,
    /// What stands beside the underline, or empty.
    pub label: String,
    /// What to do, one line each.
    pub help: Vec<String>,
    /// Other places that belong to it, and what they are.
    pub notes: Vec<(Span, String)>,
}

/// The collector that every stage of reading a scenario writes into.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostic {
    /// An error without label, help or notes.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: Severity::Error,
            span,
            message: message.into(),
            label: String::new(),
            help: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// A warning without label, help or notes.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, span, message) }
    }

    /// The same with this text beside the underline.
    pub fn with_label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label(label);
        self
    }

    /// The same with one more line of help.
    pub fn with_help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help(help);
        self
    }

    /// Sets the text beside the underline.
    pub fn label(&mut self, label: impl Into<String>) -> &mut Diagnostic {
        self.label = label.into();
        self
    }

    /// Adds a line of help; an empty one is ignored.
    pub fn help(&mut self, help: impl Into<String>) -> &mut Diagnostic {
        let help = help.into();
        if !help.is_empty() {
            self.help.push(help);
        }
        self
    }

    /// Adds another place that belongs to the mistake.
    pub fn note(&mut self, span: Span, text: impl Into<String>) -> &mut Diagnostic {
        self.notes.push((span, text.into()));
        self
    }
}

impl Diagnostics {
    /// Nothing wrong yet.
    pub fn new() -> Diagnostics {
        Diagnostics::default()
    }

    /// Adds a diagnostic.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Adds an error; label, help and notes can be chained.
    pub fn error(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.list.push(Diagnostic::error(code, span, message));
        self.list.last_mut().expect("just pushed")
    }

    /// Adds a warning; label, help and notes can be chained.
    pub fn warning(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.list.push(Diagnostic::warning(code, span, message));
        self.list.last_mut().expect("just pushed")
    }

    /// Whether any error was found; warnings do not count.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.severity == Severity::Error)
    }

    /// Errors and warnings together.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// In the order of discovery.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// In the order of their places: by source, then by position; what an alias repeats, once.
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut list: Vec<&Diagnostic> = self.list.iter().collect();
        list.sort_by_key(|d| (d.span, d.severity, d.code));
        list.dedup();
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::source::FileId;

    #[test]
    fn places_decide_the_order() {
        let mut out = Diagnostics::new();
        out.error("E0102", Span::new(FileId(1), 0, 1), "third");
        out.error("E0102", Span::new(FileId(0), 9, 10), "second");
        out.warning("E0102", Span::new(FileId(0), 2, 3), "first").help("").help("so");
        let order: Vec<&str> = out.sorted().iter().map(|d| d.message.as_str()).collect();
        assert_eq!(order, ["first", "second", "third"]);
        assert_eq!(out.iter().last().unwrap().help, ["so"]);
    }

    #[test]
    fn warnings_are_no_errors() {
        let mut out = Diagnostics::new();
        out.warning("W0001", Span::new(FileId(0), 0, 1), "odd");
        assert!(!out.has_errors() && out.len() == 1);
    }
}
