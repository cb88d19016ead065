//! A comparison on a terminal: gates first, then what got worse and better, then what limits each.
//!
//! It computes nothing but the layout.

use super::TextOptions;
use super::figure::{self, estimate, plain, signed, size};
use super::line::{JOINT, Line, Style};
use super::page::Page;
use super::sections::{mark, style};
use super::table::{Column, Table};
use crate::experiment::compare::{Change, Comparison, Effect, Kinship, Side, Versus};
use crate::experiment::statistics::{Estimate, Value};
use crate::experiment::summary::Unit;
use crate::experiment::verdict::Verdict;

/// Figures that are always shown, whether they differ or not.
const ALWAYS: [&str; 6] = ["goodput", "error_rate", "p50", "p95", "p99", "cost.month"];

/// How much is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Figures that cannot be told apart as well.
    pub all: bool,
}

/// The comparison as text.
pub fn write(comparison: &Comparison, detail: Detail, options: TextOptions) -> String {
    let mut page = Page::new(options);
    let base = &comparison.base;
    side(base, "base", &mut page);
    for (index, versus) in comparison.others.iter().enumerate() {
        if index > 0 {
            page.lines.push(Line::new());
        }
        side(&versus.side, "against it", &mut page);
        pairing(base, versus, &mut page);
        gates(versus, &mut page);
        changes(base, versus, detail, &mut page);
        limits(base, versus, &mut page);
    }
    legend(comparison, &mut page);
    page.text(options.colour)
}

fn side(side: &Side, role: &str, page: &mut Page) {
    let name = Line::new().and(Style::Strong, side.label.as_str());
    let slo = match side.verdict {
        None => String::new(),
        Some(verdict) => format!(", SLO {}", verdict.word()),
    };
    let about = format!("  {role}: {}{slo}", side.scenario.name);
    page.line(name.and(Style::Faint, about), 2);
}

fn pairing(base: &Side, versus: &Versus, page: &mut Page) {
    let both = base.replications.min(versus.side.replications);
    let text = match versus.kinship != Kinship::Apart {
        true => format!("{both} pairs of replications on the random numbers of seed {}", base.seed),
        false => format!(
            "not paired: {} replications of seed {} after {} s, {} of seed {} after {} s; \
             intervals are wider",
            base.replications,
            base.seed,
            base.warmup_s,
            versus.side.replications,
            versus.side.seed,
            versus.side.warmup_s
        ),
    };
    page.line(Line::new().and(Style::Faint, text), 2);
}

fn gates(versus: &Versus, page: &mut Page) {
    if versus.gates.is_empty() {
        return;
    }
    let word = |verdict| match verdict {
        Verdict::Holds => "within the limit",
        Verdict::Fails => "beyond the limit",
        Verdict::Undecided => "undecided",
    };
    let verdict = Verdict::all(versus.gates.iter().map(|gate| gate.verdict));
    page.heading("Gate", Line::new().and(style(verdict), verdict.word()));
    for gate in &versus.gates {
        let style = style(gate.verdict);
        let line = Line::new().plain("  ").and(style, mark(gate.verdict));
        let line = line.plain(format!(" {}   ", gate.text));
        let change = versus.changes.iter().find(|change| change.name == gate.figure);
        let from_to = change.map_or_else(Line::new, |change| {
            let (before, after) = (&change.base, &change.other);
            mean(before, gate.unit).plain(" to ").join(mean(after, gate.unit)).plain(", ")
        });
        let line = line.join(from_to).and(style, word(gate.verdict));
        let line = match (gate.verdict, gate.excess.mean) {
            (Verdict::Undecided, _) => line.plain(": more replications would tell"),
            (_, Value::Finite(_)) => line.plain(" by ").join(size(&gate.excess, gate.unit)),
            _ => line,
        };
        page.line(line, 4);
    }
}

/// Every figure that is told apart, the largest change first, after those that are always shown.
fn changes(base: &Side, versus: &Versus, detail: Detail, page: &mut Page) {
    let is_first = |change: &&Change| ALWAYS.contains(&change.name.as_str());
    let (first, rest): (Vec<_>, Vec<_>) = versus.changes.iter().partition(is_first);
    let (mut told, mut untold): (Vec<_>, Vec<_>) =
        rest.into_iter().partition(|change| change.effect.is_told());
    told.sort_by(|a, b| relative(b).abs().total_cmp(&relative(a).abs()));
    for (heading, wanted) in
        [("Worse", Effect::Worse), ("Better", Effect::Better), ("Different", Effect::Different)]
    {
        let of = |list: &[&Change]| -> Vec<Change> {
            let chosen = list.iter().filter(|change| change.effect == wanted);
            chosen.map(|change| (*change).clone()).collect()
        };
        let rows = [of(&first), of(&told)].concat();
        rows_of(heading, &rows, (base, &versus.side), page);
    }
    untold.retain(|change| change.effect != Effect::Unknown || detail.all);
    let mut rows: Vec<Change> = first
        .iter()
        .filter(|change| !change.effect.is_told())
        .map(|change| (*change).clone())
        .collect();
    let others = untold.len();
    if detail.all {
        rows.extend(untold.into_iter().cloned());
    }
    rows_of("Not told apart", &rows, (base, &versus.side), page);
    if !detail.all && others > 0 {
        let text = format!("  and {others} more figures (--all shows them)");
        page.line(Line::new().and(Style::Faint, text), 2);
    }
    if !versus.missing.is_empty() {
        let text = format!("  only one of them has {}", versus.missing.join(", "));
        page.line(Line::new().and(Style::Faint, text), 4);
    }
}

fn rows_of(heading: &str, rows: &[Change], (base, other): (&Side, &Side), page: &mut Page) {
    if rows.is_empty() {
        return;
    }
    let style = match heading {
        "Worse" => Style::Bad,
        "Better" => Style::Good,
        _ => Style::Faint,
    };
    page.heading(heading, Line::new().and(style, rows.len().to_string()));
    let mut table = Table::new(vec![
        Column::names("figure"),
        Column::figures(short(base), 2),
        Column::figures(short(other), 3),
        Column::figures("difference", 0),
        Column::figures("relative", 1),
    ]);
    for change in rows {
        table.row(
            vec![
                Line::new().plain(change.name.as_str()),
                mean(&change.base, change.unit),
                mean(&change.other, change.unit),
                difference(change),
                Line::new().plain(figure::relative(relative(change))),
            ],
            Vec::new(),
        );
    }
    page.table(table);
}

/// The label of a side as the heading of a column.
fn short(side: &Side) -> String {
    const LONGEST: usize = 24;
    match side.label.chars().count() <= LONGEST {
        true => side.label.clone(),
        // What comes last tells it from others.
        false => {
            let skipped = side.label.chars().count() - (LONGEST - 1);
            std::iter::once('…').chain(side.label.chars().skip(skipped)).collect()
        }
    }
}

fn mean(figure: &Estimate, unit: Unit) -> Line {
    match figure.mean {
        Value::Finite(value) => Line::new().plain(plain(value, unit)),
        _ => estimate(figure, unit),
    }
}

fn difference(change: &Change) -> Line {
    match change.effect {
        Effect::Equal => Line::new().plain("equal"),
        _ => signed(&change.difference, change.unit),
    }
}

/// The difference over the base; infinite where the base is zero, nothing where it cannot be told.
fn relative(change: &Change) -> f64 {
    match (change.difference.mean, change.base.mean) {
        (Value::Finite(0.0), _) => 0.0,
        (Value::Finite(difference), Value::Finite(base)) => difference / base.abs(),
        _ => f64::INFINITY,
    }
}

fn limits(base: &Side, versus: &Versus, page: &mut Page) {
    let text = |side: &Side| match &side.limit {
        Some((name, rps)) => format!("{name} at {}", plain(*rps, Unit::PerSecond)),
        None => "nothing that can be told".to_owned(),
    };
    let (before, after) = (text(base), text(&versus.side));
    let same =
        base.limit.as_ref().map(|one| &one.0) == versus.side.limit.as_ref().map(|one| &one.0);
    let line = match same {
        true => format!("{before}, then {after}"),
        false => format!("moved from {before} to {after}"),
    };
    page.heading("Bottleneck", Line::new().plain(line));
}

fn legend(comparison: &Comparison, page: &mut Page) {
    let differ = |versus: &Versus| {
        let changes = versus.changes.iter();
        changes.filter(|one| !matches!(one.effect, Effect::Equal | Effect::Unknown)).count()
    };
    let figures: usize = comparison.others.iter().map(differ).sum();
    let by_chance = figures as f64 * 0.05;
    if figures == 0 {
        return;
    }
    page.lines.push(Line::new());
    let text = format!(
        "±{JOINT}is the 95 % interval of a difference: simulation noise only. Were all {figures} \
         figures that differ the same in truth, about {by_chance:.0} would still seem different."
    );
    page.line(Line::new().and(Style::Faint, text), 0);
}
