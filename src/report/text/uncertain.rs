//! The section on input uncertainty: how far each figure moves, and what it hinges on.
//!
//! It chooses and lays out; it computes nothing.

use super::figure::{self, estimate, plain};
use super::line::{Line, Style};
use super::page::Page;
use super::table::{Column, Table};
use crate::experiment::statistics::Value;
use crate::experiment::summary::Unit;
use crate::experiment::uncertain::{Influence, Moved, Parameter, Uncertainty};

/// From so many samples on their outermost twentieths are worth a column.
const MANY: u32 = 40;
/// A spread of so many intervals is no more a matter of luck.
const FAR: f64 = 2.0;
/// Beyond that many nobody counts: there is next to no noise.
const VERY_FAR: f64 = 100.0;

/// The section, with what was varied below it.
pub(super) fn section(uncertainty: &Uncertainty, page: &mut Page) {
    let remark = format!(
        "{} samples over the ranges of {}; whatever is written is the median",
        uncertainty.samples,
        values(uncertainty.parameters.len())
    );
    page.heading("Input uncertainty", Line::new().and(Style::Faint, remark));
    incomplete(uncertainty, page);
    if uncertainty.samples == 0 {
        return;
    }
    let many = uncertainty.samples >= MANY;
    page.table(figures(uncertainty, many));
    page.lines.push(Line::new());
    parameters(&uncertainty.parameters, page);
}

fn values(count: usize) -> String {
    match count {
        1 => "one value".to_owned(),
        many => format!("{many} values"),
    }
}

/// What is missing or not to be trusted.
fn incomplete(uncertainty: &Uncertainty, page: &mut Page) {
    let mut say = |text: String| page.line(Line::new().and(Style::Open, text), 4);
    let Uncertainty { planned, samples, growing, refused, .. } = uncertainty;
    let broken_off = planned - samples - refused.len() as u32;
    if broken_off > 0 {
        say(format!("  interrupted: {samples} of {planned} samples are complete"));
    }
    if *growing > 0 {
        say(format!(
            "  in {growing} of {samples} samples more came than could be served: their figures \
             grow with the length of the run"
        ));
    }
    for (values, why) in refused {
        let values: Vec<String> =
            values.iter().map(|(path, value)| format!("{path}={value}")).collect();
        say(format!("  no system: {why}, with {}", values.join(" ")));
    }
}

fn figures(uncertainty: &Uncertainty, many: bool) -> Table {
    let mut columns = vec![
        Column::names("figure"),
        Column::figures("as written", 1),
        Column::figures("least", 0),
    ];
    if many {
        columns.push(Column::figures("5%", 4));
    }
    columns.push(Column::figures("median", 3));
    if many {
        columns.push(Column::figures("95%", 4));
    }
    columns.push(Column::figures("most", 0));
    let judged = uncertainty.figures.iter().any(|one| one.verdicts.is_some());
    if judged {
        columns.push(Column::figures("holds in", 2));
    }
    let mut table = Table::new(columns);
    for one in &uncertainty.figures {
        let spread = one.spread.map(|value| cell(value, one.unit));
        let [least, p5, median, p95, most] = spread;
        let name = Line::new().plain(one.expression.as_str());
        let mut cells = vec![name, estimate(&one.written, one.unit), least];
        cells.extend(many.then_some(p5));
        cells.push(median);
        cells.extend(many.then_some(p95));
        cells.push(most);
        if judged {
            cells.push(holds(one, uncertainty.samples));
        }
        table.row(cells, vec![hinges(one)]);
    }
    table
}

fn cell(value: Value, unit: Unit) -> Line {
    match value {
        Value::Finite(value) => Line::new().plain(plain(value, unit)),
        Value::Infinite => Line::new().and(Style::Bad, figure::INFINITE),
        Value::NoData => Line::new().and(Style::Faint, figure::NO_DATA),
    }
}

fn holds(one: &Moved, samples: u32) -> Line {
    let Some([holds, undecided, fails]) = one.verdicts else { return Line::new() };
    let style = match (fails, undecided) {
        (0, 0) => Style::Good,
        (0, _) => Style::Open,
        _ => Style::Bad,
    };
    let open = match undecided {
        0 => String::new(),
        some => format!(", {some} undecided"),
    };
    Line::new().and(style, format!("{holds} of {samples}{open}"))
}

/// What the figure hinges on, and whether its spread is more than the luck of a run.
fn hinges(one: &Moved) -> Line {
    let named = |one: &Influence| {
        let way = if one.correlation < 0.0 { ", falling with it" } else { "" };
        format!("{} ({:.0}%{way})", one.path, 100.0 * one.share)
    };
    let still = one.spread[0] == one.spread[4];
    let hinges: Vec<String> = one.hinges().take(3).map(named).collect();
    let text = match (still, hinges.is_empty()) {
        (true, _) => "does not move".to_owned(),
        (false, true) => "hinges on no value that can be told from chance".to_owned(),
        (false, false) => format!("hinges on {}", hinges.join(", ")),
    };
    let noise = match one.over_noise {
        Some(times) if !still && times > VERY_FAR => {
            format!("; moves more than {VERY_FAR} times as far as the simulation noise")
        }
        Some(times) if !still && times >= FAR => {
            format!("; moves {times:.0} times as far as the simulation noise")
        }
        Some(_) if !still => "; moves no further than the simulation noise".to_owned(),
        _ => String::new(),
    };
    Line::new().and(Style::Faint, text + &noise)
}

/// What was varied: in columns, or where paths are too long for them one after the other.
fn parameters(parameters: &[Parameter], page: &mut Page) {
    let mut table = Table::new(vec![
        Column::names("value"),
        Column::figures("as written", 0),
        Column::figures("from", 0),
        Column::figures("to", 0),
    ]);
    for one in parameters {
        let texts = [&one.path, &one.value, &one.low, &one.high];
        let remark = source(one).map(|text| Line::new().and(Style::Faint, text));
        let cells = texts.map(|text| Line::new().plain(text.as_str())).into();
        table.row(cells, remark.into_iter().collect());
    }
    if page.width.is_none_or(|width| table.narrowest() <= width) {
        return page.table(table);
    }
    for one in parameters {
        let range = format!("  {}  {} in {}..{}", one.path, one.value, one.low, one.high);
        let source = source(one).map_or_else(String::new, |text| format!("  {text}"));
        page.line(Line::new().plain(range).and(Style::Faint, source), 4);
    }
}

/// Where the range of a default comes from.
fn source(one: &Parameter) -> Option<String> {
    one.source.as_ref().map(|source| format!("a default: {source}"))
}

#[cfg(test)]
mod tests {
    use crate::report::example;
    use crate::report::text::{TextOptions, write};

    #[test]
    fn the_section_says_how_far_what_moves_and_why() {
        let text = write(&example::uncertain(), TextOptions::default());
        let section = text.split("\nInput uncertainty").nth(1).expect("a section");
        let section = section.split("\n\n±").next().expect("its text");
        let lines: Vec<&str> = section.lines().map(str::trim).collect();
        assert_eq!(
            lines,
            [
                "14 samples over the ranges of 2 values; whatever is written is the median",
                "interrupted: 14 of 16 samples are complete",
                "in 2 of 14 samples more came than could be served: their figures grow with the \
                 length of the run",
                "no system: nobody is there, with \
                 components.web.handle.view.1.work.lognormal.mean=58ms",
                "figure       as written  least  median  most              holds in",
                "p99 < 500ms    238ms ±2  121ms   240ms     ∞  9 of 14, 1 undecided",
                "hinges on components.web.handle.view.1.work.lognormal.mean (81%); moves more \
                 than 100 times as far as the simulation noise",
                "",
                "value                                             as written    from     to",
                "components.web.handle.view.1.work.lognormal.mean        20ms   7.7ms   58ms",
                "components.db.query                                    0.5ms  0.11ms  1.2ms",
                "a default: pgbench",
            ]
        );
        let plain = write(&example::summary(), TextOptions::default());
        assert!(!plain.contains("uncertainty"));
    }
}
