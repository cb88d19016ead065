//! Pieces of an expression's text, and mistakes reported at them.
//!
//! Turns offsets in the text into places in the file; knows nothing of the grammar.

use crate::language::{Diagnostics, Span, Spanned};

/// A mistake in the form of an expression.
pub(super) const MALFORMED: &str = "E0401";
/// A word that is no metric, statistic, cause or keyword.
pub(super) const UNKNOWN_WORD: &str = "E0402";
/// A metric without the statistic that it needs, or with one that it does not have.
pub(super) const STATISTIC: &str = "E0403";
/// A value that does not fit the metric.
pub(super) const VALUE: &str = "E0404";
/// Part of the language, but not of this version.
/// Another tool's notation, understood.
pub(super) const FOREIGN: &str = "W0401";

/// Byte offsets in the text of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Piece {
    pub(super) const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// From the start of this piece to the end of a later one.
    pub(super) const fn to(self, last: Self) -> Self {
        Self { start: self.start, end: last.end }
    }
}

/// The text of one expression, its place in the file, and where its mistakes go.
pub(super) struct Scan<'t, 'o> {
    text: &'t str,
    at: Span,
    out: &'o mut Diagnostics,
}

impl<'t, 'o> Scan<'t, 'o> {
    pub(super) fn new(text: &'t str, at: Span, out: &'o mut Diagnostics) -> Self {
        Self { text, at, out }
    }

    /// The whole text without the space around it.
    pub(super) fn whole(&self) -> Piece {
        self.trimmed(Piece::new(0, self.text.len()))
    }

    /// The text of a piece.
    pub(super) fn slice(&self, piece: Piece) -> &'t str {
        &self.text[piece.start..piece.end]
    }

    /// A piece without the space around it; an empty one at its start if it is all space.
    pub(super) fn trimmed(&self, piece: Piece) -> Piece {
        let text = self.slice(piece);
        let start = piece.start + text.len() - text.trim_start().len();
        let end = piece.end - (text.len() - text.trim_end().len());
        if start < end { Piece::new(start, end) } else { Piece::new(piece.start, piece.start) }
    }

    /// The words of a piece, which space separates.
    pub(super) fn words(&self, piece: Piece) -> Vec<Piece> {
        let (text, mut words, mut from) = (self.slice(piece), Vec::new(), 0);
        for word in text.split_whitespace() {
            let start = from + text[from..].find(word).expect("a word of the text is in it");
            from = start + word.len();
            words.push(Piece::new(piece.start + start, piece.start + from));
        }
        words
    }

    /// The place of a piece in the file; an empty piece gives the one character at its start.
    pub(super) fn span(&self, piece: Piece) -> Span {
        let end = if piece.end > piece.start {
            piece.end
        } else {
            let next = self.text[piece.start..].chars().next();
            piece.start + next.map_or(0, char::len_utf8)
        };
        // A text with escapes is shorter than its source: no place goes beyond the scalar.
        let within = |offset: usize| (self.at.start + offset as u32).min(self.at.end);
        Span { file: self.at.file, start: within(piece.start), end: within(end) }
    }

    pub(super) fn spanned<T>(&self, piece: Piece, value: T) -> Spanned<T> {
        Spanned { value, span: self.span(piece) }
    }

    /// Reports a mistake; empty help is none.
    pub(super) fn error(
        &mut self,
        code: &'static str,
        piece: Piece,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.error_at(code, self.span(piece), message, help);
    }

    /// As [`Scan::error`], for a place that was turned into a span before.
    pub(super) fn error_at(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.out.error(code, span, message).help(help);
    }

    /// Reports what is understood but should be written otherwise.
    pub(super) fn warning(
        &mut self,
        code: &'static str,
        piece: Piece,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.out.warning(code, self.span(piece), message).help(help);
    }
}
