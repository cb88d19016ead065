//! The left side of an expression: addresses, metrics, statistics.
//!
//! It settles which dotted words are the metric and its statistic; the words before them are kept
//! as an address that somebody else resolves.

use super::ast::{Argument, Left, Measure};
use super::scan::{FOREIGN, MALFORMED, Piece, STATISTIC, Scan, UNKNOWN_WORD};
use super::vocabulary::{
    ALIASES, CAUSES, METRICS, Metric, MetricWord, Parameter, Statistic, Statistics,
};
use crate::language::suggest::{did_you_mean, nearest};
use crate::language::{Name, Spanned};

/// One word between dots.
pub(super) struct Part {
    pub(super) text: String,
    pub(super) piece: Piece,
}

enum Token {
    Dotted(Vec<Part>),
    Divide,
    Minus,
}

/// Reads `A`, `A / B`, `A - B` or `1 - A`.
pub(super) fn parse_left(scan: &mut Scan, piece: Piece) -> Option<Left> {
    let piece = scan.trimmed(piece);
    let mut tokens = tokens(scan, piece)?;
    hint_at_space(scan, piece, &tokens)?;
    let last = tokens.pop();
    let (operator, first) = (tokens.pop(), tokens.pop());
    match (first, operator, last) {
        (None, None, Some(Token::Dotted(only))) => parse_measure(scan, only).map(Left::Measure),
        (Some(Token::Dotted(one)), Some(Token::Minus), Some(Token::Dotted(last)))
            if one.len() == 1 && one[0].text == "1" && tokens.is_empty() =>
        {
            parse_measure(scan, last).map(Left::Complement)
        }
        (Some(Token::Dotted(first)), Some(operator), Some(Token::Dotted(last)))
            if tokens.is_empty() && !matches!(operator, Token::Dotted(_)) =>
        {
            hint_at_hyphen(scan, &first, &last)?;
            let (first, last) = (parse_measure(scan, first), parse_measure(scan, last));
            let divide = matches!(operator, Token::Divide);
            let join = if divide { Left::Quotient } else { Left::Difference };
            Some(join(first?, last?))
        }
        _ => {
            let message = "nothing that can be measured";
            let help = "the left side is `A`, `A / B`, `A - B` or `1 - A`, each a metric";
            scan.error(MALFORMED, piece, message, help);
            None
        }
    }
}

/// Words with nothing but space between them are more likely one name: `error rate`.
fn hint_at_space(scan: &mut Scan, piece: Piece, tokens: &[Token]) -> Option<()> {
    let dotted = tokens.iter().all(|token| matches!(token, Token::Dotted(_)));
    if tokens.len() < 2 || !dotted {
        return Some(());
    }
    let words: Vec<&str> = scan.words(piece).into_iter().map(|word| scan.slice(word)).collect();
    let (joined, written) = (words.join("_").to_lowercase(), words.join(" "));
    let (address, last) = match joined.rsplit_once('.') {
        Some((address, last)) => (format!("{address}."), last),
        None => (String::new(), joined.as_str()),
    };
    let Some(meant) = nearest_word(last) else { return Some(()) };
    let message = format!("`{written}` is more than one name");
    scan.error(MALFORMED, piece, message, format!("did you mean `{address}{meant}`?"));
    None
}

/// A minus without space between words is more likely a hyphen in a name.
fn hint_at_hyphen(scan: &mut Scan, first: &[Part], last: &[Part]) -> Option<()> {
    let (before, after) = (&first[first.len() - 1], &last[0]);
    let touching = before.piece.end + 1 == after.piece.start;
    if !touching || find_metric(first).is_some() || Statistic::of(&before.text).is_some() {
        return Some(());
    }
    let written = format!("{}-{}", before.text, after.text);
    let help = format!("did you mean `{}`?", written.replace('-', "_"));
    let message = format!("`{written}` is a subtraction, because names have no hyphen");
    scan.error(MALFORMED, before.piece.to(after.piece), message, help);
    None
}

fn tokens(scan: &mut Scan, piece: Piece) -> Option<Vec<Token>> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let (mut tokens, mut at) = (Vec::new(), piece.start);
    while at < piece.end {
        let rest = scan.slice(Piece::new(at, piece.end));
        let next = rest.chars().next().expect("the piece goes on");
        if next.is_whitespace() {
            at += next.len_utf8();
        } else if is_word(next) {
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let word = Piece::new(at, at + length);
            let mut parts = split_dots(scan, word)?;
            at = word.end;
            if rest[length..].starts_with('(') {
                at = read_k6(scan, &mut parts, Piece::new(at, piece.end))?;
            }
            tokens.push(Token::Dotted(parts));
        } else if next == '/' || next == '-' {
            tokens.push(if next == '/' { Token::Divide } else { Token::Minus });
            at += 1;
        } else {
            let wrong = Piece::new(at, at + next.len_utf8());
            let help = "names are joined by dots, and `/` and `-` join two metrics";
            scan.error(MALFORMED, wrong, format!("`{next}` has no meaning here"), help);
            return None;
        }
    }
    Some(tokens)
}

/// Reads the `(95)` of k6's `p(95)`; the word before it becomes `p95`. Gives the offset after it.
fn read_k6(scan: &mut Scan, parts: &mut [Part], from: Piece) -> Option<usize> {
    let rest = scan.slice(from);
    let number = rest.find(')').map(|end| rest[1..end].trim());
    let part = parts.last_mut().expect("a dotted word has a part");
    let is_number = |number: &&str| number.bytes().all(|c| c.is_ascii_digit() || c == b'.');
    let Some(number) = number.filter(is_number).filter(|_| part.text == "p") else {
        let wrong = Piece::new(from.start, from.start + 1);
        scan.error(MALFORMED, wrong, "`(` has no meaning here", "percentiles are written `p95`");
        return None;
    };
    let end = from.start + rest.find(')').expect("it was found above") + 1;
    part.text = format!("p{number}");
    part.piece.end = end;
    let message = format!("`p({number})` is k6's notation");
    scan.warning(FOREIGN, part.piece, message, format!("write `{}`", part.text));
    Some(end)
}

/// Splits a dotted word, in which `p99.9` is one part.
pub(super) fn split_dots(scan: &mut Scan, word: Piece) -> Option<Vec<Part>> {
    let (mut parts, mut at): (Vec<Part>, usize) = (Vec::new(), word.start);
    for text in scan.slice(word).split('.') {
        let piece = Piece::new(at, at + text.len());
        at = piece.end + 1;
        if text.is_empty() {
            let dot = piece.start.saturating_sub(1).max(word.start);
            let message = "a name is missing beside this dot";
            scan.error(MALFORMED, Piece::new(dot, dot + 1), message, "");
            return None;
        }
        let digits = text.bytes().all(|c| c.is_ascii_digit());
        match parts.last_mut() {
            Some(last) if digits && is_percentile(&last.text) => {
                last.text = format!("{}.{text}", last.text);
                last.piece.end = piece.end;
            }
            _ => parts.push(Part { text: text.to_owned(), piece }),
        }
    }
    Some(parts)
}

fn is_percentile(word: &str) -> bool {
    Statistic::of(word).is_some_and(|statistic| statistic.quantile().is_some())
}

/// The first metric among the parts: its index and row.
fn find_metric(parts: &[Part]) -> Option<(usize, &'static MetricWord)> {
    let here = |row: &&MetricWord, parts: &[Part]| {
        let words = row.words.len();
        (1..=parts.len()).contains(&words)
            && row.words.iter().zip(parts).all(|(word, part)| *word == part.text)
    };
    let at = |at| METRICS.iter().find(|row| here(row, &parts[at..])).map(|row| (at, row));
    (0..parts.len()).find_map(at)
}

fn parse_measure(scan: &mut Scan, parts: Vec<Part>) -> Option<Measure> {
    let last = parts.len() - 1;
    let (at, row) = match find_metric(&parts) {
        Some(found) => found,
        None if Statistic::of(&parts[last].text).is_some() => {
            named_latency(scan, &parts)?;
            (last, Metric::Latency.word())
        }
        None => {
            unknown_metric(scan, &parts);
            return None;
        }
    };
    let words_end = at + row.words.len();
    let metric_piece = parts[at].piece.to(parts[words_end.max(at + 1) - 1].piece);
    let address = parse_address(scan, &parts[..at], row);
    let mut rest = &parts[words_end..];
    let argument = parse_argument(scan, row, metric_piece, &mut rest);
    let statistic = parse_statistic(scan, row, &parts, &mut rest);
    if let (Some(_), Some(_), Some(extra)) = (&argument, &statistic, rest.first()) {
        let message = format!("`{}` cannot follow `{}`", extra.text, row.name());
        let help = format!("the address comes first: `{}.{}`", extra.text, row.name());
        scan.error(MALFORMED, extra.piece, message, help);
        return None;
    }
    let span = scan.span(parts[0].piece.to(parts[last].piece));
    let metric = scan.spanned(metric_piece, row.metric);
    Some(Measure { address: address?, metric, argument: argument?, statistic: statistic?, span })
}

/// `latency.p99`: the latency is the one metric that is never named.
fn named_latency(scan: &mut Scan, parts: &[Part]) -> Option<()> {
    let [before @ .., name, statistic] = parts else { return Some(()) };
    if name.text != Metric::Latency.word().name() {
        return Some(());
    }
    let address: String = before.iter().map(|part| format!("{}.", part.text)).collect();
    let message = "the latency is written by its statistic alone";
    let help = format!("write `{address}{}`", statistic.text);
    scan.error(UNKNOWN_WORD, name.piece, message, help);
    None
}

/// A dotted word without any metric in it.
fn unknown_metric(scan: &mut Scan, parts: &[Part]) {
    let word = parts.last().expect("a dotted word has a part");
    let text = &word.text;
    if *text == Metric::Latency.word().name() {
        latency_of_which(scan, parts);
        return;
    }
    if let Some(meant) = nearest_word(text) {
        let message = format!("unknown metric `{text}`");
        scan.error(UNKNOWN_WORD, word.piece, message, format!("did you mean `{meant}`?"));
        return;
    }
    let dotted = parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(".");
    let message = format!("`{text}` is no metric");
    let help =
        format!("say what is measured of it, like `{dotted}.utilization` or `{dotted}.wait.p99`");
    scan.error(UNKNOWN_WORD, word.piece, message, help);
}

/// The latency by its name: it is written as one of its statistics, without the name.
fn latency_of_which(scan: &mut Scan, parts: &[Part]) {
    let dotted = |parts: &[Part]| parts.iter().map(|part| format!("{}.", part.text)).collect();
    let (whole, address): (String, String) = (dotted(parts), dotted(&parts[..parts.len() - 1]));
    let piece = parts[0].piece.to(parts[parts.len() - 1].piece);
    let message = format!("`{}` has several statistics: which one?", whole.trim_end_matches('.'));
    let help = format!(
        "write `{address}p99`, or `{address}answered.p99` without the failed requests; there are \
         {}",
        statistics_of(Metric::Latency.word())
    );
    scan.error(STATISTIC, piece, message, help);
}

/// The words of the statistics that a metric asks for.
fn statistics_of(row: &MetricWord) -> String {
    let (Statistics::Required(allowed) | Statistics::Optional(allowed)) = row.statistics else {
        return String::new();
    };
    allowed.iter().map(|one| one.word()).collect::<Vec<_>>().join(", ")
}

/// The names before the metric: words, and numbers from 1.
fn parse_address(
    scan: &mut Scan,
    parts: &[Part],
    row: &MetricWord,
) -> Option<Vec<Spanned<String>>> {
    let mut sound = true;
    for (index, part) in parts.iter().enumerate() {
        let text = &part.text;
        let digits = text.bytes().all(|c| c.is_ascii_digit());
        let (message, help) = if digits && text.starts_with('0') {
            ("numbers start at 1".to_owned(), String::new())
        } else if digits && index == 0 {
            (
                format!("`{text}` is not a name"),
                "a number follows the name of a component".to_owned(),
            )
        } else if Statistic::of(text).is_some() {
            let help = format!("the statistic comes last, after `{}`", row.name());
            (format!("`{text}` cannot be a name"), help)
        } else if !digits && let Err(error) = Name::parse(text) {
            (error.message, error.help)
        } else {
            continue;
        };
        scan.error(MALFORMED, part.piece, message, help);
        sound = false;
    }
    let spanned = parts.iter().map(|part| scan.spanned(part.piece, part.text.clone()));
    sound.then(|| spanned.collect())
}

/// The cause or number of a metric that has one; the outer `None` is a mistake.
fn parse_argument(
    scan: &mut Scan,
    row: &MetricWord,
    metric: Piece,
    rest: &mut &[Part],
) -> Option<Option<Spanned<Argument>>> {
    let (example, what) = match row.parameter {
        Parameter::None => return Some(None),
        Parameter::Cause => ("timeout", "which cause?"),
        Parameter::Number => ("2", "how many instances?"),
    };
    let name = row.name();
    let Some((part, others)) = rest.split_first() else {
        let help = format!("write it like `{name}.{example}`");
        scan.error(MALFORMED, metric, format!("`{name}` of what: {what}"), help);
        return None;
    };
    *rest = others;
    let text = part.text.as_str();
    let argument = match row.parameter {
        Parameter::Cause => {
            CAUSES.iter().find(|cause| **cause == text).map(|cause| Argument::Cause(cause))
        }
        _ => text.parse().ok().filter(|number| *number > 0).map(Argument::Number),
    };
    if let Some(argument) = argument {
        return Some(Some(scan.spanned(part.piece, argument)));
    }
    let (message, help) = match row.parameter {
        Parameter::Cause => {
            (format!("unknown cause `{text}`"), did_you_mean(text, "cause", &CAUSES))
        }
        _ => (format!("`{text}` is no number of instances"), format!("like `{name}.{example}`")),
    };
    scan.error(UNKNOWN_WORD, part.piece, message, help);
    None
}

/// The statistic, checked against those of the metric; the outer `None` is a mistake.
fn parse_statistic(
    scan: &mut Scan,
    row: &MetricWord,
    parts: &[Part],
    rest: &mut &[Part],
) -> Option<Option<Spanned<Statistic>>> {
    let allowed: &[Statistic] = match row.statistics {
        Statistics::Single => &[Statistic::Mean],
        Statistics::Never => &[],
        Statistics::Required(allowed) | Statistics::Optional(allowed) => allowed,
    };
    let required = matches!(row.statistics, Statistics::Required(_));
    let dotted = parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(".");
    let list = || allowed.iter().map(|one| one.word()).collect::<Vec<_>>().join(", ");
    let Some((part, others)) = rest.split_first() else {
        if !required {
            return Some(None);
        }
        let piece = parts[0].piece.to(parts[parts.len() - 1].piece);
        let message = format!("`{dotted}` has several statistics: which one?");
        let usual = if allowed.contains(&Statistic::P99) { Statistic::P99 } else { allowed[0] };
        let help = format!("write `{dotted}.{usual}`; there are {}", list());
        scan.error(STATISTIC, piece, message, help);
        return None;
    };
    let text = part.text.as_str();
    let Some(statistic) = Statistic::of(text) else {
        if !required && nearest_statistic(text).is_none() {
            // Not meant as a statistic: the caller says that nothing may follow.
            return Some(None);
        }
        let help = match nearest_statistic(text) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("the statistics of `{}` are {}", row.name(), list()),
        };
        scan.error(UNKNOWN_WORD, part.piece, format!("unknown statistic `{text}`"), help);
        return None;
    };
    *rest = others;
    if allowed.contains(&statistic) {
        return Some(Some(scan.spanned(part.piece, statistic)));
    }
    let help = match row.statistics {
        Statistics::Required(_) | Statistics::Optional(_) => format!("it has {}", list()),
        Statistics::Single | Statistics::Never => "it is a single figure".to_owned(),
    };
    scan.error(STATISTIC, part.piece, format!("`{}` has no `{text}`", row.name()), help);
    None
}

/// The known word nearest to one that is none: a metric, a statistic, or what another tool's word
/// is called here.
pub fn nearest_word(word: &str) -> Option<&'static str> {
    if let Some(meant) = nearest_statistic(word) {
        return Some(meant);
    }
    if let Some(&(_, meant)) = ALIASES.iter().find(|(alias, _)| *alias == word) {
        return Some(meant);
    }
    let metrics: Vec<_> = METRICS.iter().filter_map(|row| row.words.first().copied()).collect();
    nearest(word, &metrics)
}

fn nearest_statistic(word: &str) -> Option<&'static str> {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == word).map(|&(_, meant)| meant);
    if let Some(meant) = alias.filter(|meant| Statistic::of(meant).is_some()) {
        return Some(meant);
    }
    nearest(word, &Statistic::WORDS.map(|(name, _)| name))
}
