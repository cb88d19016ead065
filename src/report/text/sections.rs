//! The sections of the report, in the order in which they stand.
//!
//! Each takes the summary and adds lines to the page; one with nothing to say adds none.

use super::Page;
use super::figure::{self, INFINITE, NEARLY_ZERO, NO_DATA, count, estimate, plain, share, short};
use super::line::{JOINT, Line, Style};
use super::table::{Column, Table};
use crate::experiment::statistics::{Estimate, Value};
use crate::experiment::summary::{
    Component, CostLine, Judged, Limit, Named, Precision, Quantiles, Summary, Traffic, Unit,
};
use crate::experiment::verdict::Verdict;
use crate::units::{Duration, Ratio};

/// The name of the scenario, and what was run.
pub(super) fn header(summary: &Summary, page: &mut Page) {
    let scenario = &summary.scenario;
    let name = Line::new().and(Style::Strong, scenario.name.as_str());
    page.line(name.and(Style::Faint, format!("  {}", scenario.file)), 2);
    let duration = Duration::from_seconds(summary.duration_s);
    let warmup = match summary.warmup_s {
        0.0 => "without warm-up".to_owned(),
        seconds => format!("after {} of warm-up", Duration::from_seconds(seconds)),
    };
    let replications = match summary.replications {
        1 => "one replication".to_owned(),
        many => format!("{many} replications"),
    };
    let text = format!("{replications} of {duration} {warmup}, seed {}", summary.seed);
    page.line(Line::new().and(Style::Faint, text), 2);
    if let Some(one) = &summary.precision {
        precision(one, summary.replications, page);
    }
}

/// Whether the figures of the SLOs are as tight as was asked for.
fn precision(precision: &Precision, replications: u32, page: &mut Page) {
    let wanted = Ratio(precision.wanted);
    let text = match (&precision.worst, precision.reached) {
        (None, _) => format!("precision: no figure of an SLO could be nearer than ±{wanted}"),
        (Some(_), true) => format!("precision: every figure of an SLO is within ±{wanted}"),
        (Some((worst, of)), false) => {
            let now = match worst.is_finite() {
                true => format!("is ±{}", share(*worst)),
                false => "has no interval".to_owned(),
            };
            let text = format!("±{wanted} not reached with {replications} replications");
            format!("precision: {text}: {of} {now}")
        }
    };
    let style = if precision.reached { Style::Faint } else { Style::Open };
    page.line(Line::new().and(style, text), 2);
}

/// What was promised and asserted, judged.
pub(super) fn verdicts(summary: &Summary, page: &mut Page) {
    for (heading, list) in [("SLO", &summary.slo), ("Expected", &summary.expect)] {
        if list.is_empty() {
            continue;
        }
        let verdict = Verdict::all(list.iter().map(|one| one.verdict));
        let all = list.len();
        let of = |wanted| list.iter().filter(|one| one.verdict == wanted).count();
        let text = match verdict {
            _ if all == 1 => verdict.word().to_owned(),
            Verdict::Holds if all == 2 => "both hold".to_owned(),
            Verdict::Holds => format!("all {all} hold"),
            Verdict::Fails => format!("{} of {all} fail", of(Verdict::Fails)),
            Verdict::Undecided => {
                format!("{} of {all} undecided: run longer", of(Verdict::Undecided))
            }
        };
        page.heading(heading, Line::new().and(style(verdict), text));
        judged(list, page);
    }
}

/// What colour a verdict has.
pub(super) const fn style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Holds => Style::Good,
        Verdict::Fails => Style::Bad,
        Verdict::Undecided => Style::Open,
    }
}

/// The sign of a verdict.
pub(super) const fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "✓",
        Verdict::Fails => "✗",
        Verdict::Undecided => "?",
    }
}

fn judged(list: &[Judged], page: &mut Page) {
    const INDENT: usize = 4;
    const GAP: usize = 3;
    let value = |one: &Judged| estimate(&one.value, one.unit);
    let fits = |width: usize| page.width.is_none_or(|most| width <= most);
    let values = list.iter().map(|one| value(one).width()).max().unwrap_or(0);
    let lengths = list.iter().map(|one| one.expression.chars().count());
    // An expression too long to have its value beside it has it below.
    let beside = lengths.filter(|length| fits(INDENT + length + GAP + values)).max().unwrap_or(0);
    for one in list {
        let mark = mark(one.verdict);
        let mark = Line::new().plain("  ").and(style(one.verdict), mark).plain(" ");
        let mut line = mark.plain(one.expression.as_str());
        if line.width() > INDENT + beside {
            page.lines.extend(line.wrapped(page.width, INDENT + 2));
            line = Line::new().plain(" ".repeat(INDENT + 2)).join(value(one));
        } else {
            line = line.padded(INDENT + beside + GAP).join(value(one));
        }
        let note = Line::new().and(Style::Faint, one.note.as_deref().unwrap_or_default());
        let both = line.clone().padded(INDENT + beside + GAP + values + GAP).join(note.clone());
        if note.width() == 0 || page.width.is_none_or(|most| both.width() <= most) {
            page.lines.push(both);
        } else {
            page.lines.push(line);
            page.line(Line::new().plain(" ".repeat(INDENT + 2)).join(note), INDENT + 2);
        }
    }
}

/// What a reader must know before trusting a number.
pub(super) fn warnings(summary: &Summary, page: &mut Page) {
    if summary.warnings.is_empty() {
        return;
    }
    page.lines.push(Line::new());
    for warning in &summary.warnings {
        page.line(Line::new().and(Style::Open, "note: ").plain(warning.as_str()), 6);
    }
}

/// All requests, and each operation where there are several.
fn streams(summary: &Summary) -> Vec<(&str, &Traffic)> {
    let mut streams = vec![("all", &summary.overall)];
    if summary.operations.len() > 1 {
        streams.extend(summary.operations.iter().map(|(name, traffic)| (name.as_str(), traffic)));
    }
    streams.extend(summary.regions.iter().map(|(name, traffic)| (name.as_str(), traffic)));
    streams
}

/// How much came, and how much of it was served.
pub(super) fn traffic(summary: &Summary, page: &mut Page) {
    let rate = |one: &Estimate| estimate(one, Unit::PerSecond);
    let overall = &summary.overall;
    let remark = Line::new()
        .plain("goodput ")
        .join(rate(&overall.goodput_rps))
        .plain(" of ")
        .join(rate(&overall.offered_rps))
        .plain(" offered");
    page.heading("Requests", remark);
    let streams = streams(summary);
    let differs = |one: &Estimate, usual: f64| one.mean != Value::Finite(usual);
    let retried = streams.iter().any(|(_, traffic)| differs(&traffic.amplification, 1.0));
    let shown = |figure: fn(&Traffic) -> &Estimate| {
        let some = |one: &Estimate| differs(one, 0.0) && one.mean != Value::NoData;
        streams.iter().any(|(_, traffic)| some(figure(traffic)))
    };
    let degraded = shown(|traffic| &traffic.degraded);
    let stale = shown(|traffic| &traffic.stale_reads);
    let missing = shown(|traffic| &traffic.own_write_missing);
    let mut columns = vec![
        Column::names(""),
        Column::figures("offered", 2),
        Column::figures("answered", 3),
        Column::figures("goodput", 1),
        Column::figures("available", 1),
    ];
    columns.extend(degraded.then(|| Column::figures("degraded", 4)));
    columns.extend(stale.then(|| Column::figures("stale reads", 4)));
    columns.extend(missing.then(|| Column::figures("own write missing", 4)));
    columns.extend(retried.then(|| Column::figures("attempts each", 5)));
    let mut table = Table::new(columns);
    for &(name, traffic) in &streams {
        let mut cells = vec![
            Line::new().plain(name),
            rate(&traffic.offered_rps),
            rate(&traffic.throughput_rps),
            rate(&traffic.goodput_rps),
            estimate(&traffic.availability, Unit::Ratio),
        ];
        cells.extend(degraded.then(|| estimate(&traffic.degraded, Unit::Ratio)));
        cells.extend(stale.then(|| estimate(&traffic.stale_reads, Unit::Ratio)));
        cells.extend(missing.then(|| estimate(&traffic.own_write_missing, Unit::Ratio)));
        cells.extend(retried.then(|| estimate(&traffic.amplification, Unit::Count)));
        table.row(cells, Vec::new());
    }
    page.table(table);
}

/// How long it took, of the answered requests and as all users felt it.
pub(super) fn latency(summary: &Summary, page: &mut Page) {
    let remark = "felt: all requests, a failed one is infinitely slow; answered: the others";
    page.heading("Latency", Line::new().and(Style::Faint, remark));
    let mut table = Table::new(vec![
        Column::names(""),
        Column::names(""),
        Column::figures("mean", 3),
        Column::figures("p50", 2),
        Column::figures("p90", 6),
        Column::figures("p95", 2),
        Column::figures("p99", 1),
        Column::figures("p99.9", 4),
        Column::figures("max", 5),
    ]);
    for (name, traffic) in streams(summary) {
        let mut row = |name: &str, population: &str, times: &Quantiles| {
            let all = [&times.mean, &times.p50, &times.p90, &times.p95, &times.p99, &times.p99_9];
            let cells = all.into_iter().chain([&times.max]).map(milliseconds);
            let head = [Line::new().plain(name), Line::new().and(Style::Faint, population)];
            table.row(head.into_iter().chain(cells).collect(), Vec::new());
        };
        if traffic.failed() > 0 {
            row(name, "felt", &traffic.felt_ms);
            row("", "answered", &traffic.answered_ms);
        } else {
            row(name, "felt = answered", &traffic.felt_ms);
        }
    }
    page.table(table);
}

fn milliseconds(one: &Estimate) -> Line {
    estimate(one, Unit::Milliseconds)
}

/// Rows of failures; what is rarer is summed up.
const PLACES_MAX: usize = 12;

/// Why requests failed, and where.
pub(super) fn failures(summary: &Summary, page: &mut Page) {
    let overall = &summary.overall;
    let (failed, requests) = (overall.failed(), overall.requests);
    if failed == 0 {
        return;
    }
    let of_requests = failed as f64 / requests as f64;
    let remark = format!("{} of {} requests", count(failed), count(requests));
    let remark = Line::new().plain(share(of_requests)).and(Style::Faint, format!(", {remark}"));
    page.heading("Failures", remark);
    let places = overall.places.iter().map(|place| place.count).sum::<u64>() == failed;
    let mut columns = vec![Column::names("cause")];
    columns.extend(places.then(|| Column::words("where", 4)));
    columns.push(Column::figures("of failures", 2));
    columns.push(Column::figures("of requests", 1));
    columns.push(Column::figures("number", 3));
    let mut table = Table::new(columns);
    let mut row = |cause: &str, place: Option<&str>, number: u64| {
        let mut cells = vec![Line::new().plain(cause)];
        cells.extend(place.map(|place| Line::new().and(Style::Faint, place)));
        cells.push(Line::new().plain(share(number as f64 / failed as f64)));
        cells.push(Line::new().plain(share(number as f64 / requests as f64)));
        cells.push(Line::new().plain(count(number)));
        table.row(cells, Vec::new());
    };
    if places {
        let mut list: Vec<_> = overall.places.iter().collect();
        list.sort_by_key(|place| std::cmp::Reverse(place.count));
        for place in list.iter().take(PLACES_MAX) {
            row(&place.cause, Some(&place.place), place.count);
        }
        let rest: u64 = list.iter().skip(PLACES_MAX).map(|place| place.count).sum();
        if rest > 0 {
            row("others", Some(""), rest);
        }
    } else {
        for (cause, number) in largest_first(&overall.failures) {
            row(cause, None, number);
        }
    }
    page.table(table);
}

fn largest_first(failures: &Named<u64>) -> Vec<(&str, u64)> {
    let mut list: Vec<_> = failures.iter().map(|(cause, n)| (cause.as_str(), *n)).collect();
    list.sort_by_key(|&(_, number)| std::cmp::Reverse(number));
    list
}

/// The components, the busiest first.
pub(super) fn components(summary: &Summary, page: &mut Page) {
    if summary.components.is_empty() {
        return;
    }
    let remark = "busiest first; times and queue are means unless p99";
    page.heading("Components", Line::new().and(Style::Faint, remark));
    let rejecting = |one: &Component| one.rejected.mean.finite().is_some_and(|share| share > 0.0);
    let rejected = summary.components.iter().any(|(_, one)| rejecting(one));
    let mut columns = vec![
        Column::names(""),
        Column::words("kind", 4),
        Column::figures("busy", 1),
        Column::figures("wait", 3),
        Column::figures("wait p99", 2),
        Column::figures("sojourn", 3),
        Column::figures("queue", 5),
        Column::figures("arrivals", 4),
    ];
    columns.extend(rejected.then(|| Column::figures("rejected", 2)));
    let mut table = Table::new(columns);
    let mut components: Vec<_> = summary.components.iter().collect();
    let busy = |one: &Component| one.utilization.mean.finite().unwrap_or(-1.0);
    components.sort_by(|(_, a), (_, b)| busy(b).total_cmp(&busy(a)));
    for (name, component) in components {
        let always = (component.instances, component.instances);
        let range = component.in_service.as_ref().map_or(always, |one| (one.min, one.max));
        let kind = match range {
            (1, 1) => component.kind.clone(),
            (least, most) if least < most => format!("{} ×{least}–{most}", component.kind),
            (_, many) => format!("{} ×{many}", component.kind),
        };
        let mut cells = vec![
            Line::new().plain(name),
            Line::new().and(Style::Faint, kind),
            utilization(&component.utilization),
            milliseconds(&component.wait_ms.mean),
            milliseconds(&component.wait_ms.p99),
            milliseconds(&component.sojourn_ms.mean),
            estimate(&component.queue_length, Unit::Count),
            estimate(&component.arrivals_rps, Unit::PerSecond),
        ];
        cells.extend(rejected.then(|| estimate(&component.rejected, Unit::Ratio)));
        table.row(cells, remarks(component));
    }
    page.table(table);
}

/// A utilisation, marked where waiting grows without bound.
fn utilization(one: &Estimate) -> Line {
    let line = figure::busy(one);
    match one.mean {
        Value::Finite(busy) if busy >= 0.95 => Line::new().and(Style::Bad, "! ").join(line),
        _ => line,
    }
}

/// A smaller share of work for nobody is not worth a line.
const WASTED_MIN: f64 = 0.0005;

/// What a kind adds, wasted work and failed calls; no time that nobody spent.
fn remarks(component: &Component) -> Vec<Line> {
    let idle =
        |unit: Unit, one: &Estimate| unit == Unit::Milliseconds && one.mean == Value::Finite(0.0);
    let mut figures: Vec<Line> = component
        .extras
        .iter()
        .filter(|extra| !idle(extra.unit, &extra.value))
        .map(|extra| {
            let label = extra.label.replace(' ', &JOINT.to_string());
            Line::new()
                .and(Style::Faint, format!("{label}{JOINT}"))
                .join(estimate(&extra.value, extra.unit))
        })
        .collect();
    if component.wasted.mean.finite().is_some_and(|wasted| wasted >= WASTED_MIN) {
        let label = format!("work{JOINT}for{JOINT}nobody{JOINT}");
        figures.push(
            Line::new().and(Style::Faint, label).join(estimate(&component.wasted, Unit::Ratio)),
        );
    }
    for (cause, number) in largest_first(&component.failures) {
        let label = format!("{cause}{JOINT}");
        figures.push(Line::new().and(Style::Faint, label).plain(count(number)));
    }
    let separated = figures.into_iter().reduce(|line, next| line.plain(",  ").join(next));
    separated.into_iter().collect()
}

/// What has so many times the room of what limits the system is named only.
const FAR: f64 = 10.0;

/// What limits the system, and what fails next.
pub(super) fn bottleneck(summary: &Summary, page: &mut Page) {
    let Some(bottleneck) = &summary.bottleneck else { return };
    let Some(first) = bottleneck.limits.first() else { return };
    let of = |limit: &Limit| format!("{} {}", limit.component, limit.resource);
    // Who shares it stands in the table.
    let short_of = |limit: &Limit| of(limit).split(',').next().unwrap_or_default().to_owned();
    let mut remark = Line::new().plain(format!("{} at {}", short_of(first), full_at(first)));
    if let Some(offered) = summary.overall.offered_rps.mean.finite() {
        let load = offered / first.limit_rps;
        let style = match load {
            load if load >= 1.0 => Style::Bad,
            load if load >= 0.8 => Style::Open,
            _ => Style::Plain,
        };
        remark = remark.plain("; offered is ").and(style, share(load)).plain(" of that");
    }
    if let Some(second) = bottleneck.limits.get(1) {
        remark = remark.plain(format!("; next {} at {}", short_of(second), full_at(second)));
    }
    page.heading("Bottleneck", remark);
    let mut table = Table::new(vec![
        Column::names("resource"),
        Column::figures("number", 3),
        Column::figures("held per request", 2),
        Column::figures("full at", 1),
        Column::figures("users", 4),
        Column::figures("busy now", 1),
    ]);
    let (near, far): (Vec<_>, Vec<_>) =
        bottleneck.limits.iter().partition(|one| one.limit_rps < FAR * first.limit_rps);
    for limit in near {
        let users = limit.limit_users.map_or_else(|| NO_DATA.to_owned(), short);
        let cells = vec![
            Line::new().plain(of(limit)),
            Line::new().plain(number(limit.servers)),
            Line::new().plain(plain(limit.demand_ms, Unit::Milliseconds)),
            Line::new().plain(plain(limit.limit_rps, Unit::PerSecond)),
            Line::new().plain(users),
            utilization(&limit.utilization),
        ];
        table.row(cells, Vec::new());
    }
    page.table(table);
    if !far.is_empty() {
        let names: Vec<String> = far.into_iter().map(short_of).collect();
        let text = format!("  full at more than {FAR} times that: {}", names.join(", "));
        page.line(Line::new().and(Style::Faint, text), 4);
    }
}

fn full_at(limit: &Limit) -> String {
    let rate = plain(limit.limit_rps, Unit::PerSecond);
    limit.limit_users.map_or(rate.clone(), |users| format!("{rate} ({} users)", short(users)))
}

/// So many lines of the bill are told one by one.
const BILL_LINES: usize = 6;

/// What a month costs, and the largest parts of it.
pub(super) fn cost(summary: &Summary, page: &mut Page) {
    let Some(cost) = &summary.cost else { return };
    let dollars = |one: &Estimate| estimate(one, Unit::Dollars);
    let remark = dollars(&cost.month_usd)
        .plain(" a month, ")
        .join(dollars(&cost.per_million_usd))
        .plain(" per million requests");
    page.heading("Cost", remark);
    let mut table = Table::new(vec![
        Column::names(""),
        Column::words("item", 2),
        Column::figures("amount", 3),
        Column::figures("a month", 1),
    ]);
    let mut lines: Vec<_> = cost.lines.iter().collect();
    let month = |line: &CostLine| line.month_usd.mean.finite().unwrap_or(0.0);
    lines.sort_by(|a, b| month(b).total_cmp(&month(a)));
    let told = if lines.len() == BILL_LINES + 1 { lines.len() } else { BILL_LINES };
    for line in lines.iter().take(told) {
        let cells = vec![
            Line::new().plain(line.payer.as_str()),
            Line::new().plain(line.item.as_str()),
            estimate(&line.amount, line.unit),
            dollars(&line.month_usd),
        ];
        table.row(cells, Vec::new());
    }
    page.table(table);
    let faint = |text: String| Line::new().and(Style::Faint, text);
    if lines.len() > told {
        let rest: f64 = lines[told..].iter().map(|line| month(line)).sum();
        let rest = plain(rest, Unit::Dollars);
        page.line(faint(format!("  and {} smaller lines, {rest}", lines.len() - told)), 4);
    }
    if !cost.unpriced.is_empty() {
        let names = format!("  not priced, not in it: {}", cost.unpriced.join(", "));
        page.line(Line::new().and(Style::Open, names), 4);
    }
    let discount = match cost.discount {
        0.0 => String::new(),
        discount => format!(" less {}", Ratio(discount)),
    };
    let text = format!(
        "  {}{discount}; machines for 730 h, amounts at {} of the run's load (mean over peak)",
        cost.table,
        Ratio(cost.mean_to_peak)
    );
    page.line(faint(text), 4);
}

/// A number of servers, which is whole unless something was shrunk.
fn number(servers: f64) -> String {
    if servers.fract() == 0.0 { count(servers as u64) } else { plain(servers, Unit::Count) }
}

/// What went wrong on purpose, when it was seen and what it cost.
pub(super) fn faults(summary: &Summary, page: &mut Page) {
    if summary.faults.is_empty() {
        return;
    }
    page.heading("Faults", Line::new());
    let lost = summary.faults.iter().any(|(_, fault)| fault.lost_writes.mean != Value::Finite(0.0));
    let mut columns = vec![
        Column::names(""),
        Column::words("what", 3),
        Column::figures("from", 4),
        Column::figures("until", 5),
        Column::figures("seen after", 1),
        Column::figures("failed meanwhile", 2),
    ];
    columns.extend(lost.then(|| Column::figures("writes lost", 2)));
    let mut table = Table::new(columns);
    let clock = |at: Option<f64>, absent: &str| {
        at.map_or_else(|| absent.to_owned(), |at| Duration::from_seconds(at).to_string())
    };
    for (name, fault) in &summary.faults {
        let random = fault.at_s.is_none();
        let times = |one: &Estimate| estimate(one, Unit::Count);
        let remark = random.then(|| {
            Line::new().and(Style::Faint, "times in a replication ").join(times(&fault.occurrences))
        });
        let mut cells = vec![
            Line::new().plain(name),
            Line::new().plain(fault.action.as_str()),
            Line::new().plain(clock(fault.at_s, "random")),
            Line::new().plain(clock(fault.until_s, if random { "random" } else { "the end" })),
            milliseconds(&fault.detect_time_s.scaled(1000.0)),
            times(&fault.errors),
        ];
        cells.extend(lost.then(|| times(&fault.lost_writes)));
        table.row(cells, remark.into_iter().collect());
    }
    page.table(table);
}

/// What the signs mean, as far as they occur.
pub(super) fn legend(summary: &Summary, page: &mut Page) {
    let mut text = String::new();
    page.lines.iter().for_each(|line| line.render(false, &mut text));
    let mut parts = Vec::new();
    if text.contains('±') {
        let replications = summary.replications;
        parts.push(format!(
            "± 95% interval over {replications} replications (simulation noise only), if above the \
             last digit"
        ));
    }
    if text.contains(INFINITE) {
        parts.push(format!("{INFINITE} among the failed requests"));
    }
    if text.lines().any(|line| line.split(' ').any(|word| word == figure::NO_DATA)) {
        parts.push(format!("{NO_DATA} no data"));
    }
    if text.contains(NEARLY_ZERO) {
        parts.push(format!("{NEARLY_ZERO} nearly nothing"));
    }
    if !parts.is_empty() {
        page.lines.push(Line::new());
        page.line(Line::new().and(Style::Faint, parts.join("   ")), 0);
    }
}
