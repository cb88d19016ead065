//! What `verify` says on a terminal: a line for each file, and expected beside measured values.
//!
//! It is a pure function of the verdicts, and says nothing of how long it took: equal inputs give
//! equal bytes.

use super::TextOptions;
use super::figure::{NO_DATA, count, estimate};
use super::line::{Line, Style};
use super::page::Page;
use super::sections::{mark, style};
use super::table::{Column, Table};
use crate::experiment::verdict::Verdict;
use crate::experiment::verify::{Expectation, Verification, Verified};

/// The page: each file, below it the expectations that do not hold (or all), and the sum of it.
pub fn write(verification: &Verification, details: bool, options: TextOptions) -> String {
    let mut page = Page::new(options);
    let mut table = Table::new(vec![
        Column::names("file"),
        Column::words("", 3),
        Column::figures("hold", 1),
        Column::figures("farthest off", 2),
    ]);
    for file in &verification.files {
        let all = file.expectations.len();
        let held = format!("{} of {all}", file.count(Verdict::Holds));
        let cells = vec![
            Line::new().plain(file.path.as_str()),
            Line::new().and(Style::Faint, file.title.as_str()),
            Line::new().and(style(file.verdict()), held),
            Line::new().plain(standard_errors(file.largest_deviation())),
        ];
        table.row(cells, Vec::new());
    }
    let mut lines = table.lines(page.width).0.into_iter();
    page.lines.extend(lines.next().filter(|_| !verification.files.is_empty()));
    for (file, line) in verification.files.iter().zip(lines) {
        page.line(line, 6);
        if file.sources.is_empty() {
            page.line(Line::new().and(Style::Open, "    no source"), 6);
        }
        expectations(file, details, &mut page);
    }
    page.lines.push(Line::new());
    let verdict = Line::new().and(style(verification.verdict()), verdict_of(verification));
    page.line(Line::new().plain(sum_of(verification)).join(verdict), 2);
    if page.text(false).contains(UNIT) {
        let text = "se: standard error of the measured mean, from the spread of the replications";
        page.line(Line::new().and(Style::Faint, text), 0);
    }
    page.text(options.colour)
}

/// What a deviation is counted in.
const UNIT: &str = " se";

/// `theory: 68 cases, 312 expectations: `
fn sum_of(verification: &Verification) -> String {
    let plural = |number: usize, word: &str| {
        format!("{} {word}{}", count(number as u64), if number == 1 { "" } else { "s" })
    };
    format!(
        "{}: {}, {}: ",
        verification.name,
        plural(verification.files.len(), "case"),
        plural(verification.expectations(), "expectation")
    )
}

/// `all hold`, or how many do not.
fn verdict_of(verification: &Verification) -> String {
    let of = |verdict: Verdict| verification.count(verdict);
    if verification.verdict() == Verdict::Holds {
        return "all hold".to_owned();
    }
    let parts = [
        (of(Verdict::Holds), "hold"),
        (of(Verdict::Fails), "proven outside"),
        (of(Verdict::Undecided), "undecided"),
    ];
    let some = parts.iter().filter(|(number, _)| *number > 0);
    some.map(|(number, word)| format!("{} {word}", count(*number as u64)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The expectations of a file that do not hold, or all, under the names of their points.
fn expectations(file: &Verified, details: bool, page: &mut Page) {
    const INDENT: usize = 2;
    let shown = |one: &&Expectation| details || one.judged.verdict != Verdict::Holds;
    let list: Vec<&Expectation> = file.expectations.iter().filter(shown).collect();
    if list.is_empty() {
        return;
    }
    let mut table = Table::new(vec![
        Column::names(""),
        Column::names("metric"),
        Column::names("expected"),
        Column::figures("measured", 1),
        Column::figures("off by", 2),
    ]);
    for one in &list {
        let judged = &one.judged;
        let (measured, expected) = judged.sides();
        let cells = vec![
            Line::new().and(style(judged.verdict), mark(judged.verdict)),
            Line::new().plain(measured),
            Line::new().plain(expected.trim_start_matches("== ")),
            estimate(&judged.value, judged.unit),
            Line::new().plain(standard_errors(judged.deviation())),
        ];
        table.row(cells, Vec::new());
    }
    let has_points = file.expectations.iter().any(|one| one.point.is_some());
    let mut lines = table.lines(page.width.map(|width| width - INDENT)).0.into_iter();
    let put = |line: Line, page: &mut Page| {
        page.line(Line::new().plain(" ".repeat(INDENT)).join(line), 4 * INDENT);
    };
    lines.next().into_iter().for_each(|heads| put(heads, page));
    let mut before = None;
    for one in list {
        if has_points && before != Some(&one.point) {
            let name = one.point.as_deref().unwrap_or("points compared");
            put(Line::new().and(Style::Faint, format!("  {name}")), page);
            before = Some(&one.point);
        }
        put(lines.next().expect("each expectation is a row"), page);
        if let Some(note) = &one.judged.note {
            put(Line::new().and(Style::Faint, format!("     {note}")), page);
        }
    }
}

/// A deviation with its sign: `+0.4 se`.
fn standard_errors(deviation: Option<f64>) -> String {
    match deviation {
        None => NO_DATA.to_owned(),
        Some(number) if number.abs() >= 100.0 => format!("{number:+.0}{UNIT}"),
        Some(number) => format!("{number:+.1}{UNIT}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    fn text(details: bool, width: Option<usize>) -> String {
        write(&example::verification(), details, TextOptions { width, colour: false })
    }

    #[test]
    fn a_file_that_holds_is_a_line_and_another_one_says_what_does_not() {
        let expected = "  \
file                  hold  farthest off
  que-01.yaml  M/M/1  2 of 2       -0.7 se
  new.yaml     New    0 of 3       +8.0 se
    no source
       metric       expected        measured   off by
    rush
    ✗  mean         50ms within 1%   58ms ±2  +8.0 se
    ?  p99          < 500ms                ∞        –
       more than 0.1 % of the requests failed
    points compared
    ✗  rush.errors  0                      3        –

two: 2 cases, 5 expectations: 2 hold, 2 proven outside, 1 undecided
se: standard error of the measured mean, from the spread of the replications
";
        assert_eq!(text(false, None), expected);
    }
}
