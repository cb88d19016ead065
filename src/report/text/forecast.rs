//! What the plan lets expect, beside what was measured: a table of the operational laws and one of
//! formulas.
//!
//! Of the laws the components are told that are expected to be busiest, and those that came
//! otherwise than expected.

use super::figure::{NO_DATA, busy, estimate, plain};
use super::line::{Line, Style};
use super::page::Page;
use super::table::{Column, Table};
use crate::experiment::summary::{Bound, Formula, Law, Summary, Unit};

/// So many components are told.
const LAWS_MAX: usize = 6;

/// Forecasts and measurements.
pub(super) fn forecast(summary: &Summary, page: &mut Page) {
    let Some(forecast) = &summary.forecast else { return };
    let expected = |law: &Law| law.utilization.as_ref().map_or(-1.0, |one| one.predicted);
    let mut told: Vec<&Law> = forecast
        .laws
        .iter()
        .filter(|law| law.utilization.is_some() || !law.reasons.is_empty())
        .collect();
    if told.is_empty() && forecast.formulas.is_empty() {
        return;
    }
    let remark = "from the plan alone, each beside what was measured; visits and work per request";
    page.heading("Forecast", Line::new().and(Style::Faint, remark));
    told.sort_by(|a, b| expected(b).total_cmp(&expected(a)));
    let more = told.len().saturating_sub(LAWS_MAX);
    told.truncate(LAWS_MAX);
    if !told.is_empty() {
        page.table(laws(&told));
    }
    if more > 0 {
        let s = if more == 1 { "" } else { "s" };
        page.line(Line::new().and(Style::Faint, format!("  and {more} component{s} more")), 4);
    }
    if !forecast.formulas.is_empty() {
        page.table(formulas(&forecast.formulas));
    }
}

fn laws(list: &[&Law]) -> Table {
    let mut table = Table::new(vec![
        Column::names(""),
        Column::figures("busy", 1),
        Column::figures("measured", 1),
        Column::figures("visits", 3),
        Column::figures("measured", 3),
        Column::figures("work", 2),
        Column::figures("measured", 2),
    ]);
    for law in list {
        let (expected, found) = match &law.utilization {
            Some(one) => (plain(one.predicted, Unit::Ratio), busy(&one.measured)),
            None => (NO_DATA.to_owned(), Line::new().and(Style::Faint, NO_DATA)),
        };
        let cells = vec![
            Line::new().plain(law.component.as_str()),
            Line::new().plain(expected),
            found,
            Line::new().plain(plain(law.visits.predicted, Unit::Count)),
            estimate(&law.visits.measured, Unit::Count),
            Line::new().plain(plain(law.work_ms.predicted, Unit::Milliseconds)),
            estimate(&law.work_ms.measured, Unit::Milliseconds),
        ];
        table.row(cells, apart(&law.reasons));
    }
    table
}

fn formulas(list: &[Formula]) -> Table {
    let mut table = Table::new(vec![
        Column::names(""),
        Column::names(""),
        Column::figures("forecast", 1),
        Column::figures("measured", 1),
        Column::words("by", 2),
    ]);
    for one in list {
        let sign = match one.bound {
            Bound::Equal => "",
            Bound::AtMost => "at most ",
            Bound::AtLeast => "at least ",
        };
        let assumed = one
            .assumed
            .iter()
            .map(|what| Line::new().and(Style::Faint, format!("assuming {what}")));
        let cells = vec![
            Line::new().plain(one.subject.as_str()),
            Line::new().plain(one.quantity.as_str()),
            Line::new().plain(format!("{sign}{}", plain(one.predicted, one.unit))),
            estimate(&one.measured, one.unit),
            Line::new().and(Style::Faint, one.formula.as_str()),
        ];
        table.row(cells, assumed.chain(apart(&one.reasons)).collect());
    }
    table
}

/// Why a forecast and what was measured part.
fn apart(reasons: &[String]) -> Vec<Line> {
    let line = || Line::new().and(Style::Open, "apart: ").plain(reasons.join("; "));
    (!reasons.is_empty()).then(line).into_iter().collect()
}
