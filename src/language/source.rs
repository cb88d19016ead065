//! Files of one invocation, and places in them.
//!
//! Knows names, texts, byte offsets, lines and columns; knows nothing of YAML and opens no file.

use super::diagnostic::Diagnostics;
use std::ops::Deref;

/// Which source of a [`Sources`] something was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A range of bytes in one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The source it lies in.
    pub file: FileId,
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A value with the place where it was written; for a default, the place of the enclosing block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

/// All sources of one invocation: scenario files, and pseudo files such as `--set #1`.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

#[derive(Clone, Debug)]
struct Source {
    name: String,
    text: String,
}

impl Span {
    /// The bytes `start..end` of `file`.
    pub fn new(file: FileId, start: usize, end: usize) -> Span {
        let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Span { file, start: clamp(start), end: clamp(end) }
    }

    /// Whether it covers no byte.
    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }
}

impl<T> Spanned<T> {
    /// A value and its place.
    pub fn new(value: T, span: Span) -> Spanned<T> {
        Spanned { value, span }
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl Sources {
    /// No sources yet.
    pub fn new() -> Sources {
        Sources::default()
    }

    /// Adds a source under the name that the user typed.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).expect("fewer than 2^32 sources"));
        self.files.push(Source { name: name.into(), text: text.into() });
        id
    }

    /// Adds the raw content of a file; content that is not UTF-8 is kept readable and diagnosed.
    pub fn add_bytes(
        &mut self,
        name: impl Into<String>,
        bytes: Vec<u8>,
        out: &mut Diagnostics,
    ) -> Option<FileId> {
        let error = match String::from_utf8(bytes) {
            Ok(text) => return Some(self.add(name, text)),
            Err(error) => error,
        };
        let valid = error.utf8_error().valid_up_to();
        let file = self.add(name, String::from_utf8_lossy(error.as_bytes()));
        let span = Span::new(file, valid, valid + '\u{fffd}'.len_utf8());
        out.error("E0003", span, "this file is not UTF-8 text")
            .label("the first byte that is no text");
        None
    }

    /// The first source of this name.
    pub fn find(&self, name: &str) -> Option<FileId> {
        let index = self.files.iter().position(|source| source.name == name)?;
        Some(FileId(index as u32))
    }

    /// The name that the user typed.
    pub fn name(&self, file: FileId) -> &str {
        &self.files[file.0 as usize].name
    }

    /// The whole text.
    pub fn text(&self, file: FileId) -> &str {
        &self.files[file.0 as usize].text
    }

    /// The text under a span, cut to whole characters inside the source.
    pub fn slice(&self, span: Span) -> &str {
        let range = self.range(span);
        &self.text(span.file)[range]
    }

    /// The span as a range that is safe to slice with.
    pub fn range(&self, span: Span) -> std::ops::Range<usize> {
        let text = self.text(span.file);
        let start = floor_boundary(text, span.start as usize);
        let end = floor_boundary(text, span.end as usize).max(start);
        start..end
    }

    /// Line and column of the span's start, both counted from 1, the column in characters.
    pub fn position(&self, span: Span) -> (usize, usize) {
        let before = &self.text(span.file)[..self.range(span).start];
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        (line, column)
    }
}

/// The nearest character boundary at or before `offset`.
fn floor_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", "é: 1\nbä: 20ms\n");
        assert_eq!(sources.position(Span::new(file, 0, 2)), (1, 1));
        assert_eq!(sources.position(Span::new(file, 11, 15)), (2, 5));
        assert_eq!(sources.slice(Span::new(file, 11, 15)), "20ms");
    }

    #[test]
    fn spans_outside_the_text_do_not_panic() {
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", "é");
        assert_eq!(sources.slice(Span::new(file, 1, 90)), "é");
        assert_eq!(sources.position(Span::new(file, 70, 90)), (1, 2));
    }

    #[test]
    fn bytes_that_are_no_text_are_diagnosed_where_they_begin() {
        let mut sources = Sources::new();
        let mut out = Diagnostics::new();
        assert!(sources.add_bytes("a.yaml", b"a: \xff\xfe".to_vec(), &mut out).is_none());
        let error = out.iter().next().unwrap();
        assert_eq!((error.code, error.span.start), ("E0003", 3));
    }
}
