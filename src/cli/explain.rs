//! `explain`: the reference of keys, metrics and codes, from their declarations.

use super::terminal::Terminal;
use super::{Exit, Result, print};
use crate::components::outcome::Cause;
use crate::language::codes::{self, Code};
use crate::language::expression::{
    CAUSES, METRICS, MetricWord, Parameter, Scope, Statistic, Statistics,
};
use crate::language::suggest::did_you_mean;
use crate::scenario::file;
use crate::{experiment, language, scenario};
use clap::Args;
use std::fmt::Write;

/// The subject that lists all metrics.
const METRIC_LIST: &str = "metrics";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A path such as `components.web.queue`, a kind, a metric such as `prob_wait`, a code such as
    /// `E0101`, or `metrics` for all metrics; all top-level keys without one.
    #[arg(value_name = "PATH|METRIC|CODE", default_value = "")]
    subject: String,
}

pub(super) fn run(arguments: &Arguments, terminal: Terminal) -> Result {
    let subject = arguments.subject.trim();
    let text = match is_code(subject) {
        true => of_code(subject)?,
        false if subject == METRIC_LIST => all_metrics(),
        false => of_word(subject)?,
    };
    print(terminal, &text)?;
    Ok(Exit::Holds)
}

fn is_code(subject: &str) -> bool {
    let digits = subject.strip_prefix(['E', 'W', 'e', 'w']).unwrap_or_default();
    digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit())
}

fn all_codes() -> impl Iterator<Item = &'static Code> {
    let of_expressions = experiment::metric::CODES;
    codes::CODES.iter().chain(scenario::codes::CODES).chain(of_expressions)
}

fn of_code(subject: &str) -> std::result::Result<String, String> {
    let subject = subject.to_uppercase();
    match all_codes().find(|code| code.id == subject) {
        Some(code) => Ok(format!("{}: {}\n\n{}\n", code.id, code.title, code.text)),
        None => {
            let ids: Vec<&str> = all_codes().map(|code| code.id).collect();
            Err(format!("there is no code `{subject}`; {}", did_you_mean(&subject, "code", &ids)))
        }
    }
}

/// A path of the language, a metric, or both where a word is both.
fn of_word(subject: &str) -> std::result::Result<String, String> {
    let path = language::explain(file::shape(), subject);
    let metric = METRICS.iter().find(|metric| metric.name() == subject);
    match (path, metric) {
        (Ok(text), Some(metric)) => Ok(format!("{text}\n{}", of_metric(metric))),
        (Ok(text), None) if is_of_expressions(subject) => {
            Ok(format!("{text}\n  see: simscale explain {METRIC_LIST}\n"))
        }
        (Ok(text), None) => Ok(text),
        (Err(_), Some(metric)) => Ok(of_metric(metric)),
        (Err(message), None) => Err(message),
    }
}

/// Whether the path is one of the lists of expressions.
fn is_of_expressions(path: &str) -> bool {
    matches!(path.rsplit('.').next(), Some("slo" | "expect"))
}

/// All metrics by what has them, the statistics and the causes.
fn all_metrics() -> String {
    let mut text = format!(
        "{METRIC_LIST}: what the expressions of `slo` and `expect` measure\n\n  \
           written   [ADDRESS.]METRIC[.STATISTIC] and a value: web.wait.p99 < 300ms\n"
    );
    for scope in Scope::ALL {
        let _ = writeln!(text, "\n  {}", scope.about());
        table(&mut text, scope.metrics().map(metric_row).collect());
    }
    text.push_str(
        "\n  within TOL, behind `==`: how far off is still equal\n  \
           during, outside, after WINDOW: a fault by its name, or a time like 60s..5min\n    \
             A request belongs to the window that it came in, whenever it ends: one that came\n    \
             before a fault and was killed by it is not in `error_rate < 1% during FAULT`.\n",
    );
    let _ = writeln!(text, "\n  STATISTIC: which of them, `explain METRIC` says");
    let row = |(word, statistic): (&str, Statistic)| {
        [word.to_string(), String::new(), String::new(), statistic.about().to_string()]
    };
    table(&mut text, Statistic::WORDS.map(row).into());
    let built = |cause: &&str| Cause::ALL.iter().any(|built| built.name() == *cause);
    let causes = CAUSES.iter().copied();
    let (built, unbuilt): (Vec<&str>, Vec<&str>) = causes.partition(built);
    let _ = writeln!(text, "\n  CAUSE: {}", built.join(", "));
    let metrics = METRICS.iter().filter(|row| row.metric.scopes().is_empty());
    let metrics: Vec<String> = metrics.map(MetricWord::name).collect();
    let _ = writeln!(text, "\n  not built yet: {}", metrics.join(", "));
    if !unbuilt.is_empty() {
        let _ = writeln!(text, "  causes not built yet: {}", unbuilt.join(", "));
    }
    text
}

/// How the metric is written, its unit, its statistics, and what it is.
fn metric_row(row: &MetricWord) -> [String; 4] {
    let name = match row.parameter {
        Parameter::None => row.name(),
        Parameter::Cause => format!("{}.CAUSE", row.name()),
        Parameter::Number => format!("{}.N", row.name()),
    };
    let units: Vec<&str> = row.dimensions.iter().map(|dimension| dimension.noun()).collect();
    let statistics = match row.statistics {
        Statistics::Single | Statistics::Never => String::new(),
        Statistics::Required(_) if row.words.is_empty() => "p99, … alone".to_string(),
        Statistics::Required(some) | Statistics::Optional(some) if some.len() > 4 => {
            "p99, …".to_string()
        }
        Statistics::Required(some) | Statistics::Optional(some) => {
            some.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
    };
    [name, units.join(" or "), statistics, row.about.to_string()]
}

/// Rows in columns; empty columns take no place.
fn table(text: &mut String, rows: Vec<[String; 4]>) {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; 3] = [0, 1, 2].map(|column| width(column).unwrap_or(0));
    for row in &rows {
        text.push_str("    ");
        for (cell, width) in row.iter().zip(widths).filter(|(_, width)| *width > 0) {
            let _ = write!(text, "{cell:width$}   ");
        }
        let _ = writeln!(text, "{}", row[3]);
    }
}

fn of_metric(metric: &MetricWord) -> String {
    let mut text = format!("{}: a metric of expressions\n\n  {}\n\n", metric.name(), metric.about);
    let dimensions: Vec<&str> =
        metric.dimensions.iter().map(|dimension| dimension.a_value()).collect();
    let _ = writeln!(text, "  Compared with: {}", dimensions.join(" or "));
    match metric.parameter {
        Parameter::None => {}
        Parameter::Cause => {
            let causes = language::expression::CAUSES.join(", ");
            let _ = writeln!(text, "  Followed by a cause: {causes}");
        }
        Parameter::Number => text.push_str("  Followed by a number of instances\n"),
    }
    let list = |statistics: &[language::expression::Statistic]| {
        statistics.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    match metric.statistics {
        Statistics::Single | Statistics::Never => text.push_str("  No statistic follows\n"),
        Statistics::Optional(some) => {
            let _ = writeln!(text, "  Followed by a statistic over occurrences: {}", list(some));
        }
        Statistics::Required(some) => {
            let _ = writeln!(text, "  Followed by a statistic: {}", list(some));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::prepare;
    use crate::scenario::file::{Request, load_all};
    use std::path::Path;

    /// The metric at an address, with a statistic and a value that it takes.
    fn expression(address: &str, row: &MetricWord) -> String {
        let mut words = vec![address];
        words.extend(row.words);
        match row.parameter {
            Parameter::None => {}
            Parameter::Cause => words.push("timeout"),
            Parameter::Number => words.push("1"),
        }
        if let Statistics::Required(some) = row.statistics {
            words.push(some[0].word());
        }
        words.retain(|word| !word.is_empty());
        let example = row.dimensions[0].a_value().rsplit("like ").next();
        let value = example.and_then(|example| example.split(' ').next()).unwrap_or_default();
        let sign = if value == "recovered" { "==" } else { "<" };
        format!("{} {sign} {value}", words.join("."))
    }

    #[test]
    fn metrics_are_listed_below_what_has_them() {
        let places = [
            ("", Scope::Requests),
            ("web", Scope::Slots),
            ("cache", Scope::Cache),
            ("copied", Scope::Replicas),
            ("keeper", Scope::Sessions),
            ("dies", Scope::Fault),
        ];
        let pairs: Vec<_> =
            places.iter().flat_map(|place| METRICS.iter().map(move |row| (*place, row))).collect();
        let head = "extends: scenarios/stage0.yaml\nfaults: { dies: { crash: web, at: 1s } }\n\
                    components:\n  copied: { kind: database, replicas: 1 }\n  \
                    keeper: { kind: service, work: 1ms, sessions: memory }\n";
        let mut text = format!("{head}expect:\n");
        for ((address, _), row) in &pairs {
            let _ = writeln!(text, "  - {}", expression(address, row));
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut open = |asked: &str| match asked {
            "x.yaml" => Ok(text.clone().into_bytes()),
            base => std::fs::read(root.join(base)),
        };
        let mut loaded = load_all(Request { path: "x.yaml", ..Request::default() }, &mut open);
        prepare(&mut loaded, "x.yaml");
        let refused = |line: usize| {
            loaded.diagnostics.iter().any(|found| {
                let of_this = ["has no `", "figure of", "is not built yet", "of which fault"];
                loaded.sources.position(found.span).0 == line
                    && of_this.iter().any(|part| found.message.contains(part))
            })
        };
        for (index, ((address, scope), row)) in pairs.into_iter().enumerate() {
            let scopes = row.metric.scopes();
            let slots_too = matches!(scope, Scope::Replicas | Scope::Sessions);
            let of_component = matches!(scope, Scope::Slots | Scope::Cache) || slots_too;
            let listed = scopes.contains(&scope)
                || of_component && scopes.contains(&Scope::Component)
                || slots_too && scopes.contains(&Scope::Slots);
            let of_all = address.is_empty() && scopes.contains(&Scope::Scenario);
            assert_eq!(!refused(index + 7), listed || of_all, "{}", expression(address, row));
        }
    }

    #[test]
    fn the_list_has_every_metric_statistic_and_cause() {
        let text = all_metrics();
        let words = METRICS.iter().map(MetricWord::name);
        let words = words.chain(Statistic::WORDS.map(|(word, _)| word.to_string()));
        for word in words.chain(CAUSES.map(str::to_string)) {
            assert!(text.contains(&word), "{word}: {text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 140 || line.contains("not built")));
    }
}
