//! Tables that leave out their least important columns where the terminal is narrow.
//!
//! It aligns cells; it does not know what is in them.

use super::line::{Line, Style};

/// A column: its heading and how soon it is left out.
pub(super) struct Column {
    heading: String,
    /// 0 is never left out; of the others the largest goes first.
    rank: u8,
    /// Names stand left, figures right.
    left: bool,
}

impl Column {
    /// A column of names, which is never left out.
    pub(super) fn names(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), rank: 0, left: true }
    }

    /// A column of words that is left out before figures of a smaller rank.
    pub(super) fn words(heading: impl Into<String>, rank: u8) -> Self {
        Self { heading: heading.into(), rank, left: true }
    }

    /// A column of figures.
    pub(super) fn figures(heading: impl Into<String>, rank: u8) -> Self {
        Self { heading: heading.into(), rank, left: false }
    }
}

/// Rows of cells, and lines that belong to the row above them.
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<Row>,
}

struct Row {
    cells: Vec<Line>,
    /// Lines that stand below the row.
    remarks: Vec<Line>,
}

const INDENT: &str = "  ";
const GAP: usize = 2;

impl Table {
    pub(super) fn new(columns: Vec<Column>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row with one cell for each column, and remarks on it.
    pub(super) fn row(&mut self, cells: Vec<Line>, remarks: Vec<Line>) {
        assert_eq!(cells.len(), self.columns.len(), "a row has one cell for each column");
        self.rows.push(Row { cells, remarks });
    }

    /// The lines of the table, and how many columns were left out to fit the width.
    pub(super) fn lines(mut self, width: Option<usize>) -> (Vec<Line>, usize) {
        let all = self.columns.len();
        while width.is_some_and(|width| self.width() > width) && self.drop_a_column() {}
        let widths = self.widths();
        let heads =
            self.columns.iter().map(|one| Line::new().and(Style::Faint, one.heading.as_str()));
        let mut lines = vec![self.line(heads.collect(), &widths)];
        for row in &self.rows {
            lines.push(self.line(row.cells.clone(), &widths));
            for remark in &row.remarks {
                let line = Line::new().plain(INDENT.repeat(2)).join(remark.clone());
                lines.extend(line.wrapped(width, 3 * INDENT.len()));
            }
        }
        (lines, all - self.columns.len())
    }

    /// The width of the columns that are never left out.
    pub(super) fn narrowest(&self) -> usize {
        let widths = self.widths().into_iter().zip(&self.columns);
        widths.filter(|(_, column)| column.rank == 0).map(|(width, _)| width + GAP).sum()
    }

    fn widths(&self) -> Vec<usize> {
        let heading = |column: usize| self.columns[column].heading.chars().count();
        let widest = |column: usize| {
            let cells = self.rows.iter().map(|row| row.cells[column].width());
            cells.chain([heading(column)]).max().unwrap_or(0)
        };
        (0..self.columns.len()).map(widest).collect()
    }

    fn width(&self) -> usize {
        let widths = self.widths();
        INDENT.len() + widths.iter().sum::<usize>() + GAP * (widths.len() - 1)
    }

    /// Leaves out the column of the largest rank, the last of several; false when none may go.
    fn drop_a_column(&mut self) -> bool {
        let ranks = self.columns.iter().map(|column| column.rank).enumerate();
        let Some((least, rank)) = ranks.max_by_key(|&(index, rank)| (rank, index)) else {
            return false;
        };
        if rank == 0 {
            return false;
        }
        self.columns.remove(least);
        for row in &mut self.rows {
            row.cells.remove(least);
        }
        true
    }

    fn line(&self, cells: Vec<Line>, widths: &[usize]) -> Line {
        let mut line = Line::new().plain(INDENT);
        for ((cell, column), &width) in cells.into_iter().zip(&self.columns).zip(widths) {
            if line.width() > INDENT.len() {
                line = line.plain(" ".repeat(GAP));
            }
            line = if column.left {
                line.join(cell.padded(width))
            } else {
                let missing = width.saturating_sub(cell.width());
                line.plain(" ".repeat(missing)).join(cell)
            };
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(vec![
            Column::names("name"),
            Column::figures("important", 1),
            Column::figures("other", 2),
        ]);
        let cell = |text: &str| Line::new().plain(text);
        table.row(vec![cell("web"), cell("1.5"), cell("12")], vec![cell("a remark on web")]);
        table.row(vec![cell("database"), cell("200"), cell("3")], Vec::new());
        table
    }

    fn text(width: Option<usize>) -> (String, usize) {
        let (lines, left_out) = table().lines(width);
        let mut out = String::new();
        lines.iter().for_each(|line| line.render(false, &mut out));
        (out, left_out)
    }

    #[test]
    fn names_stand_left_and_figures_right() {
        let expected = concat!(
            "  name      important  other\n",
            "  web             1.5     12\n",
            "    a remark on web\n",
            "  database        200      3\n",
        );
        assert_eq!(text(None), (expected.to_owned(), 0));
        assert_eq!(text(Some(28)), (expected.to_owned(), 0));
    }

    #[test]
    fn the_least_important_column_goes_first() {
        let (narrow, left_out) = text(Some(27));
        assert_eq!(left_out, 1);
        assert!(narrow.starts_with("  name      important\n"), "{narrow}");
        let (narrowest, left_out) = text(Some(12));
        assert_eq!(left_out, 2);
        assert!(narrowest.ends_with("  database\n"), "{narrowest}");
    }
}
