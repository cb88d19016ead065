//! `explain`: the reference of keys, metrics and codes, from their declarations.

use super::terminal::Terminal;
use super::{Exit, Result, print};
use crate::language::codes::{self, Code};
use crate::language::expression::{METRICS, MetricWord, Parameter, Statistics};
use crate::language::suggest::did_you_mean;
use crate::scenario::file;
use crate::{experiment, language, scenario};
use clap::Args;
use std::fmt::Write;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A path such as `components.web.queue`, a kind, a metric such as `prob_wait`, or a code such
    /// as `E0101`; all top-level keys without one.
    #[arg(value_name = "PATH|METRIC|CODE", default_value = "")]
    subject: String,
}

pub(super) fn run(arguments: &Arguments, terminal: Terminal) -> Result {
    let subject = arguments.subject.trim();
    let text = match is_code(subject) {
        true => of_code(subject)?,
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
        (Ok(text), None) => Ok(text),
        (Err(_), Some(metric)) => Ok(of_metric(metric)),
        (Err(message), None) => Err(message),
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
