//! Capacities on a terminal: the ladder as a table, one scenario in more detail, what a load needs.
//!
//! It computes nothing but the layout.

use super::TextOptions;
use super::figure::{NO_DATA, exact, plain, short};
use super::line::{Line, Style};
use super::page::Page;
use super::sections::style;
use super::table::{Column, Table};
use crate::experiment::capacity::{Capacity, Need, Range, Trial};
use crate::experiment::summary::Unit;
use crate::experiment::verdict::Verdict;
use crate::units::quantity::{Kind, Quantity};

/// The capacities as text.
pub fn write(steps: &[Capacity], need: Option<&Need>, options: TextOptions) -> String {
    let mut page = Page::new(options);
    match steps {
        [one] => single(one, &mut page),
        many => ladder(many, &mut page),
    }
    steps.iter().for_each(|step| doubts(step, steps.len() > 1, &mut page));
    if let Some(need) = need {
        needed(steps, need, &mut page);
    }
    page.text(options.colour)
}

/// A load as people write it.
pub(in crate::report) fn load(written: Quantity, load: f64) -> String {
    match written.kind() {
        Kind::Count => short(load),
        Kind::Rate => plain(load, Unit::PerSecond),
        _ => written.with(load).to_string(),
    }
}

/// The load as it is written in the scenario.
pub(in crate::report) fn written(step: &Capacity) -> String {
    match step.written.kind() {
        Kind::Count => exact(step.written.value() as u64),
        _ => step.written.to_string(),
    }
}

/// A range of loads as people write it.
pub(in crate::report) fn range(written: Quantity, range: Range) -> String {
    match (range.low, range.high) {
        (Some(low), Some(high)) => {
            let (low, high) = (load(written, low), load(written, high));
            if low == high { low } else { format!("{low} to {high}") }
        }
        (Some(low), None) => format!("at least {}", load(written, low)),
        (None, Some(high)) => format!("less than {}", load(written, high)),
        (None, None) => NO_DATA.to_owned(),
    }
}

/// What a path counts: ` users`, or ` of` the path.
fn of(vary: &str) -> String {
    match vary {
        "users.count" => " users".to_owned(),
        path => format!(" of {path}"),
    }
}

/// The range that a header claims.
pub(in crate::report) fn claim(step: &Capacity) -> String {
    step.claim.map_or(String::new(), |[from, to]| format!("{} to {}", exact(from), exact(to)))
}

fn single(one: &Capacity, page: &mut Page) {
    let name = Line::new().and(Style::Strong, one.name.as_str());
    page.line(name.and(Style::Faint, format!("  {}", one.file)), 2);
    let carried = range(one.written, one.range);
    let (at, seed) = (written(one), one.seed);
    let carries = Line::new().plain("carries ").and(Style::Strong, carried);
    let about = format!("  (written: {at}; seed {seed})");
    page.line(carries.plain(of(&one.vary)).and(Style::Faint, about), 2);
    if let Some((component, resource)) = &one.limit {
        page.line(Line::new().plain(format!("  limited by {component} {resource}")), 4);
    }
    if let (Some(binding), Some(high)) = (&one.binding, one.range.high) {
        let at = load(one.written, high);
        page.line(Line::new().plain(format!("  at {at} this is broken: {binding}")), 4);
    }
    if one.claim.is_some() {
        page.line(Line::new().plain(format!("  claimed: {}", claim(one))), 4);
    }
    if let Some(dollars) = one.month_usd {
        let text = format!("  costs {} a month as written", plain(dollars, Unit::Dollars));
        page.line(Line::new().plain(text), 4);
    }
    losses(one, page);
    let tried = one.trials.iter().map(|trial| {
        let lost = trial.lost.as_ref().map_or(String::new(), |lost| format!(" without {lost}"));
        format!("{}{lost} {}", load(one.written, trial.load), trial.verdict.word())
    });
    let text = format!("tried: {}", tried.collect::<Vec<_>>().join(", "));
    page.lines.push(Line::new());
    page.line(Line::new().and(Style::Faint, text), 2);
}

fn losses(one: &Capacity, page: &mut Page) {
    if one.losses.is_empty() {
        return;
    }
    let remark = "once it has been noticed; the moment itself is a matter of --faults";
    page.heading("With something lost", Line::new().and(Style::Faint, remark));
    let mut table = Table::new(vec![
        Column::names("lost"),
        Column::figures("carries", 0),
        Column::words("then broken", 1),
    ]);
    for lost in &one.losses {
        let carried = range(one.written, lost.range);
        let style = if lost.range.low.is_none() { Style::Bad } else { Style::Plain };
        let whole = lost.range.low.is_some() && lost.range.high.is_none();
        let carried = if whole { "as much".to_owned() } else { carried };
        let cells = vec![
            Line::new().plain(lost.what.as_str()),
            Line::new().and(style, carried),
            Line::new().plain(lost.binding.clone().unwrap_or_default()),
        ];
        table.row(cells, Vec::new());
    }
    page.table(table);
}

fn ladder(steps: &[Capacity], page: &mut Page) {
    page.heading("Ladder", Line::new().and(Style::Faint, "the most at which all SLOs hold"));
    let survives = steps.iter().any(|step| !step.losses.is_empty());
    let mut columns = vec![
        Column::names("file"),
        Column::figures("claim", 2),
        Column::figures("carries", 0),
        Column::words("limited by", 1),
        Column::words("broken above", 4),
        Column::figures("as written", 5),
        Column::figures("a month", 3),
    ];
    if survives {
        columns.push(Column::figures("with a loss", 1));
    }
    let mut table = Table::new(columns);
    for step in steps {
        let limit = step.limit.as_ref();
        let month = step.month_usd.map_or(NO_DATA.to_owned(), |d| plain(d, Unit::Dollars));
        let mut cells = vec![
            Line::new().plain(step.file.as_str()),
            Line::new().plain(claim(step)),
            Line::new().and(Style::Strong, range(step.written, step.range)),
            Line::new().plain(limit.map_or(String::new(), |(one, what)| format!("{one} {what}"))),
            Line::new().plain(step.binding.clone().unwrap_or_default()),
            Line::new().plain(written(step)),
            Line::new().plain(month),
        ];
        if survives {
            cells.push(worst(step));
        }
        table.row(cells, Vec::new());
    }
    page.table(table);
}

/// The least that is carried with something lost, and what that is.
fn worst(step: &Capacity) -> Line {
    let low = |range: Range| range.low.unwrap_or(0.0);
    let least = step.losses.iter().min_by(|a, b| low(a.range).total_cmp(&low(b.range)));
    least.map_or_else(Line::new, |lost| {
        let carried = range(step.written, lost.range);
        Line::new().plain(carried).and(Style::Faint, format!(" ({})", lost.what))
    })
}

/// Where an answer should not be taken as it stands.
fn doubts(step: &Capacity, named: bool, page: &mut Page) {
    let name = if named { format!("{}: ", step.file) } else { String::new() };
    let mut say = |text: String| {
        page.line(Line::new().and(Style::Open, "note: ").plain(format!("{name}{text}")), 6);
    };
    if let Some([fails, holds]) = step.contradiction() {
        say(format!(
            "not monotone: an SLO fails at {}, and all hold at {}; the answer is one of several \
             (autoscaling, or a system that stays broken)",
            fails.text, holds.text
        ));
    }
    if step.range.low.is_some() && step.range.high.is_none() {
        say("no load was found at which an SLO fails".to_owned());
    }
    if let (None, Some(high)) = (step.range.low, step.range.high) {
        let open = |trial: &&Trial| trial.lost.is_none() && trial.verdict == Verdict::Undecided;
        if step.trials.iter().any(|trial| open(&trial)) {
            let high = load(step.written, high);
            say(format!("below {high} some loads are undecided: a longer run would tell"));
        }
    }
    if let Some(least) = &step.at_least {
        say(format!("at {} the SLOs: {}", least.text, least.verdict.word()));
    }
}

fn needed(steps: &[Capacity], need: &Need, page: &mut Page) {
    let Some(first) = steps.first() else { return };
    let at = load(first.written, need.load);
    let chosen = need.chosen.map(|chosen| &steps[chosen]);
    let answer = match chosen {
        Some(step) => Line::new().and(Style::Good, step.file.as_str()).plain(" is enough"),
        None => Line::new().and(Style::Bad, "none of these is proven to be enough"),
    };
    page.heading(&format!("For {at}{}", of(&first.vary)), answer);
    if let (Some(step), Some(months), Some(growth)) = (chosen, need.months, need.growth) {
        let rate = format!("{:.3}", growth.per_month * 100.0);
        let rate = rate.trim_end_matches('0').trim_end_matches('.').to_owned();
        let until = match months {
            [least, most] if most.is_infinite() => format!("for {least:.0} months at least"),
            [least, most] if (most - least) < 0.5 => format!("for {least:.1} months"),
            [least, most] => format!("for {least:.1} to {most:.1} months"),
        };
        let then = step.binding.as_deref().unwrap_or("nothing that was found");
        let limit = step
            .limit
            .as_ref()
            .map_or(String::new(), |(one, what)| format!(", limited by {one} {what}"));
        let text = format!("  at {rate}% more a month it lasts {until}; then {then} breaks{limit}");
        page.line(Line::new().plain(text), 4);
    }
    let mut table = Table::new(vec![
        Column::names("file"),
        Column::words("there", 0),
        Column::figures("a month", 1),
        Column::figures("more than needed", 0),
    ]);
    for (index, (step, extra)) in steps.iter().zip(&need.extra_usd).enumerate() {
        let at = step.at.as_ref();
        let month = at.and_then(|at| at.month_usd);
        let verdict = at.map_or(Verdict::Undecided, |at| at.verdict);
        let later = need.chosen.is_some_and(|chosen| index > chosen);
        let extra = extra.filter(|_| later);
        let dollars = |d: f64| plain(d.abs(), Unit::Dollars);
        let more = extra.map_or(String::new(), |extra| match extra < 0.0 {
            true => format!("{} less", dollars(extra)),
            false => dollars(extra),
        });
        let cells = vec![
            Line::new().plain(step.file.as_str()),
            Line::new().and(style(verdict), verdict.word()),
            Line::new().plain(month.map_or(NO_DATA.to_owned(), dollars)),
            Line::new().plain(more),
        ];
        table.row(cells, Vec::new());
    }
    page.table(table);
}
