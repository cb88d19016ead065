//! Lines of styled text: their width, their wrapping, and colour or none.
//!
//! It knows terminals only as a width and a yes or no to colour.

/// What a piece of text means; colour follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Ordinary.
    Plain,
    /// Headings and what is read first.
    Strong,
    /// What can be skipped.
    Faint,
    /// A promise kept.
    Good,
    /// A promise broken.
    Bad,
    /// Not decided, or to be careful about.
    Open,
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "\x1b[1m",
            Self::Faint => "\x1b[2m",
            Self::Good => "\x1b[32m",
            Self::Bad => "\x1b[31m",
            Self::Open => "\x1b[33m",
        }
    }
}

/// A space at which no line is broken: between a figure and its interval.
pub(super) const JOINT: char = '\u{a0}';

/// One line of text in pieces of different style.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pieces: Vec<(Style, String)>,
}

impl Line {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// The line with a piece more.
    pub(super) fn and(mut self, style: Style, text: impl Into<String>) -> Self {
        self.pieces.push((style, text.into()));
        self
    }

    /// The line with an ordinary piece more.
    pub(super) fn plain(self, text: impl Into<String>) -> Self {
        self.and(Style::Plain, text)
    }

    /// The line with another one behind it.
    pub(super) fn join(mut self, other: Self) -> Self {
        self.pieces.extend(other.pieces);
        self
    }

    /// The line with one text in place of another in every piece.
    pub(super) fn replaced(mut self, from: &str, to: &str) -> Self {
        self.pieces.iter_mut().for_each(|(_, text)| *text = text.replace(from, to));
        self
    }

    /// The line with spaces up to a width.
    pub(super) fn padded(self, width: usize) -> Self {
        let missing = width.saturating_sub(self.width());
        self.plain(" ".repeat(missing))
    }

    /// Whether its text begins so.
    pub(super) fn starts_with(&self, text: &str) -> bool {
        self.pieces.first().is_some_and(|(_, first)| first.starts_with(text))
    }

    /// The number of columns.
    pub(super) fn width(&self) -> usize {
        self.pieces.iter().map(|(_, text)| text.chars().count()).sum()
    }

    /// The line broken between words, so that none is wider than `width`; lines after the first
    /// are indented by `hang`. A word wider than that stays whole.
    pub(super) fn wrapped(self, width: Option<usize>, hang: usize) -> Vec<Self> {
        let Some(width) = width.filter(|&width| self.width() > width) else { return vec![self] };
        let (mut lines, mut line, mut column) = (Vec::new(), Self::new(), 0);
        for (spaces, word) in self.words() {
            let length = word.width();
            if line.has_text() && column + spaces + length > width {
                lines.push(std::mem::take(&mut line));
                line = line.plain(" ".repeat(hang)).join(word);
                column = hang + length;
            } else {
                line = line.plain(" ".repeat(spaces)).join(word);
                column += spaces + length;
            }
        }
        lines.push(line);
        lines
    }

    /// The words, each with the number of spaces before it; a word may change its style.
    fn words(self) -> Vec<(usize, Self)> {
        let mut words = vec![(0, Self::new())];
        for (style, text) in self.pieces {
            for (index, part) in text.split(' ').enumerate() {
                let last = words.last_mut().expect("there is a first word");
                if index > 0 && last.1.has_text() {
                    words.push((1, Self::new().and(style, part)));
                } else {
                    // Another space before the word, or more of it.
                    last.0 += usize::from(index > 0);
                    last.1.pieces.push((style, part.to_owned()));
                }
            }
        }
        words
    }

    fn has_text(&self) -> bool {
        self.pieces.iter().any(|(_, text)| !text.trim_matches(' ').is_empty())
    }

    /// Appends the line and a line break to a text.
    pub(super) fn render(&self, colour: bool, out: &mut String) {
        let plain: String = self.pieces.iter().map(|(_, text)| text.as_str()).collect();
        let mut left = plain.trim_end().chars().count();
        for (style, text) in &self.pieces {
            let shown: String = text.chars().take(left).collect();
            left -= shown.chars().count();
            let shown = shown.replace(JOINT, " ");
            if colour && *style != Style::Plain && !shown.trim().is_empty() {
                out.push_str(style.code());
                out.push_str(&shown);
                out.push_str("\x1b[0m");
            } else {
                out.push_str(&shown);
            }
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(lines: &[Line]) -> String {
        let mut out = String::new();
        lines.iter().for_each(|line| line.render(false, &mut out));
        out
    }

    #[test]
    fn lines_break_between_words_and_hang() {
        let line = Line::new().plain("  one two ").and(Style::Bad, "three four");
        assert_eq!(text(&line.clone().wrapped(Some(11), 4)), "  one two\n    three\n    four\n");
        assert_eq!(text(&line.clone().wrapped(Some(80), 4)), "  one two three four\n");
        assert_eq!(text(&line.wrapped(None, 4)), "  one two three four\n");
    }

    #[test]
    fn pieces_without_space_between_them_stay_together_where_they_can() {
        let line = Line::new().plain("a ").and(Style::Good, "value").plain(", b");
        assert_eq!(text(&line.wrapped(Some(8), 0)), "a value,\nb\n");
        let figure = Line::new().plain("is 5ms").plain(format!("{JOINT}±1"));
        assert_eq!(text(&figure.wrapped(Some(8), 0)), "is\n5ms ±1\n");
    }

    #[test]
    fn a_word_wider_than_the_line_stays_whole() {
        let line = Line::new().plain("  expression_without_space x");
        assert_eq!(text(&line.wrapped(Some(10), 2)), "  expression_without_space\n  x\n");
    }

    #[test]
    fn colour_is_added_only_when_asked_for() {
        let line = Line::new().and(Style::Good, "yes").plain("  ");
        let mut out = String::new();
        line.render(true, &mut out);
        line.render(false, &mut out);
        assert_eq!(out, "\x1b[32myes\x1b[0m\nyes\n");
    }
}
