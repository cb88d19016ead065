//! A page of lines that fit a width, with headings and tables.
//!
//! It knows widths and no figures.

use super::TextOptions;
use super::line::{Line, Style};
use super::table::Table;

/// Below this number of columns nothing is left to leave out.
const WIDTH_MIN: usize = 40;

/// The lines so far, and the width that they have to fit.
pub(super) struct Page {
    pub(super) width: Option<usize>,
    pub(super) lines: Vec<Line>,
}

impl Page {
    /// An empty page.
    pub(super) fn new(options: TextOptions) -> Self {
        Self { width: options.width.map(|width| width.max(WIDTH_MIN)), lines: vec![] }
    }

    /// The page as text.
    pub(super) fn text(&self, colour: bool) -> String {
        let mut text = String::new();
        self.lines.iter().for_each(|line| line.render(colour, &mut text));
        text
    }

    /// A line, wrapped where it must be.
    pub(super) fn line(&mut self, line: Line, hang: usize) {
        self.lines.extend(line.wrapped(self.width, hang));
    }

    /// An empty line and a heading, with a remark behind it.
    pub(super) fn heading(&mut self, text: &str, remark: Line) {
        self.lines.push(Line::new());
        let space = if remark.width() > 0 { "  " } else { "" };
        self.line(Line::new().and(Style::Strong, text).plain(space).join(remark), 2);
    }

    /// A table, and how much of it did not fit.
    pub(super) fn table(&mut self, table: Table) {
        let (lines, left_out) = table.lines(self.width);
        self.lines.extend(lines);
        if left_out > 0 {
            let s = if left_out == 1 { "" } else { "s" };
            let text = format!("  ({left_out} column{s} more on a wider terminal)");
            self.line(Line::new().and(Style::Faint, text), 2);
        }
    }
}
