//! Parsing a whole expression: the comparison, its target, tolerance and window.
//!
//! Every mistake is reported at its words; the left side is read in `measure`. Nothing here looks
//! up names.

use super::ast::{Comparison, Expression, Left, Measure, Relation, Target, Tolerance};
use super::ast::{Window, WindowTime};
use super::measure::{parse_left, split_dots};
use super::scan::{MALFORMED, Piece, Scan, UNKNOWN_WORD, VALUE};
use super::vocabulary::{Dimension, FaultOutcome, Statistic};
use crate::language::decode::wrong_form;
use crate::language::shape::{Json, ScalarShape, Shape};
use crate::language::suggest::{did_you_mean, nearest};
use crate::language::{Decode, Diagnostics, Name, Node, Span, Spanned};
use crate::units::{Bandwidth, Duration, Factor, MeanCount, Money, Rate, Ratio};
use crate::units::{UnitError, UnitErrorKind};

const WITHIN: &str = "within";

impl Expression {
    /// Reads an expression whose text begins at the start of `at`; mistakes go to `out`.
    ///
    /// A text with a mistake gives `None`, but only after all of it has been looked at.
    pub fn parse(text: &str, at: Span, out: &mut Diagnostics) -> Option<Self> {
        let mut scan = Scan::new(text, at, out);
        let whole = scan.whole();
        let sign = find_sign(&mut scan, whole)?;
        let comparison = read_comparison(&mut scan, sign);
        let left = parse_left(&mut scan, Piece::new(whole.start, sign.start));
        let dimensions = left.as_ref().and_then(|left| left_dimensions(&mut scan, left));
        let right = parse_right(&mut scan, sign, whole.end, dimensions.as_deref());
        let (left, comparison, right) = (left?, comparison?, right?);
        let expression = Self {
            text: text.trim().to_owned(),
            left,
            comparison: scan.spanned(sign, comparison),
            target: right.target,
            tolerance: right.tolerance,
            window: right.window,
        };
        check_equality(&mut scan, &expression, sign).then_some(expression)
    }
}

/// How expressions are shown in references and schemas.
const SHAPE: &ScalarShape = &ScalarShape {
    a_name: "an expression",
    examples: &["p99 < 300ms", "web.utilization <= 80%", "mean == 4ms within 1%"],
    json: Json::Text,
};

impl Decode for Expression {
    fn decode(node: &Spanned<Node>, out: &mut Diagnostics) -> Option<Self> {
        let Some(text) = node.value.as_text() else {
            let help = format!("write it like `{}`", SHAPE.examples[0]);
            wrong_form(node, SHAPE.a_name, &help, out);
            return None;
        };
        let mut at = node.span;
        if matches!(&node.value, Node::Text { quoted: true, .. }) {
            // The place of a quoted scalar includes its quotes, the text does not.
            at = Span { start: at.start + 1, end: at.end.max(at.start + 2) - 1, ..at };
        }
        Self::parse(text, at, out)
    }

    fn shape() -> Shape {
        Shape::Scalar(SHAPE)
    }
}

/// The first run of comparison characters.
fn find_sign(scan: &mut Scan, whole: Piece) -> Option<Piece> {
    let is_sign = |c: char| matches!(c, '<' | '>' | '=' | '!' | '≤' | '≥' | '≠');
    let text = scan.slice(whole);
    let Some(start) = text.find(is_sign) else {
        let help = "write it like `p99 < 300ms` or `web.utilization <= 80%`";
        scan.error(MALFORMED, whole, "an expression compares a metric with a value", help);
        return None;
    };
    let length = text[start..].find(|c| !is_sign(c)).unwrap_or(text.len() - start);
    Some(Piece::new(whole.start + start, whole.start + start + length))
}

fn read_comparison(scan: &mut Scan, sign: Piece) -> Option<Comparison> {
    let text = scan.slice(sign);
    if let Some((_, comparison)) = Comparison::SIGNS.iter().find(|(name, _)| *name == text) {
        return Some(*comparison);
    }
    let help = match text {
        "=" | "===" => "write `==`".to_owned(),
        "=<" | "≤" => "write `<=`".to_owned(),
        "=>" | "≥" => "write `>=`".to_owned(),
        _ => "the comparisons are `<`, `<=`, `>`, `>=` and `==`".to_owned(),
    };
    scan.error(MALFORMED, sign, format!("`{text}` is no comparison"), help);
    None
}

/// The dimensions in which the target may be written; a mistake when two sides do not match.
fn left_dimensions(scan: &mut Scan, left: &Left) -> Option<Vec<Dimension>> {
    let (first, second) = match left {
        Left::Measure(measure) => return Some(measure.dimensions().to_vec()),
        Left::Complement(measure) => {
            if measure.dimensions().contains(&Dimension::Ratio) {
                return Some(vec![Dimension::Ratio]);
            }
            let message = "only a ratio can be taken from 1";
            scan.error_at(VALUE, measure.span, message, "");
            return None;
        }
        Left::Quotient(first, second) | Left::Difference(first, second) => (first, second),
    };
    let shared = |dimension: &Dimension| second.dimensions().contains(dimension);
    let common: Vec<_> = first.dimensions().iter().copied().filter(shared).collect();
    if common.is_empty() || common == [Dimension::Outcome] {
        let what = |measure: &Measure| measure.dimensions()[0].a_value();
        let message = format!("{} cannot be compared with {}", what(first), what(second));
        scan.error_at(VALUE, second.span, message, "both sides must be written in the same unit");
        return None;
    }
    let quotient = matches!(left, Left::Quotient(..));
    Some(if quotient { vec![Dimension::Factor, Dimension::Ratio] } else { common })
}

/// Everything after the comparison.
struct Right {
    target: Spanned<Target>,
    tolerance: Option<Spanned<Tolerance>>,
    window: Option<Window>,
}

fn parse_right(
    scan: &mut Scan,
    sign: Piece,
    end: usize,
    dimensions: Option<&[Dimension]>,
) -> Option<Right> {
    let sections = split_sections(scan, Piece::new(sign.end, end));
    let value = sections[0].1;
    let target = dimensions.and_then(|dimensions| parse_target(scan, sign, value, dimensions));
    let mut sound = true;
    let (mut tolerance, mut window) = (None, None);
    for &(keyword, body) in &sections[1..] {
        let word = scan.slice(keyword);
        if word == WITHIN && tolerance.is_none() && window.is_none() {
            let target = target.as_ref().map(|target| target.value);
            tolerance = parse_tolerance(scan, keyword, body, target);
            sound &= tolerance.is_some();
        } else if word != WITHIN && window.is_none() {
            window = parse_window(scan, keyword, body);
            sound &= window.is_some();
        } else {
            let message = format!("`{word}` comes too late or twice");
            let help =
                "the order is VALUE, then `within`, then one of `during`, `outside`, `after`";
            scan.error(MALFORMED, keyword, message, help);
            sound = false;
        }
    }
    sound.then_some(Right { target: target?, tolerance, window })
}

/// The value, then each keyword with what follows it; the value's keyword is empty.
fn split_sections(scan: &Scan, piece: Piece) -> Vec<(Piece, Piece)> {
    let start = Piece::new(piece.start, piece.start);
    let mut sections = vec![(start, start)];
    for word in scan.words(piece) {
        let text = scan.slice(word);
        if text == WITHIN || Relation::of(text).is_some() {
            sections.push((word, Piece::new(word.end, word.end)));
        } else {
            let body = &mut sections.last_mut().expect("the value comes first").1;
            *body = if body.start == body.end { word } else { body.to(word) };
        }
    }
    sections
}

fn parse_target(
    scan: &mut Scan,
    sign: Piece,
    piece: Piece,
    dimensions: &[Dimension],
) -> Option<Spanned<Target>> {
    let text = scan.slice(piece);
    if text.is_empty() {
        let help = format!("compare with {}", dimensions[0].a_value());
        scan.error(MALFORMED, sign, "a value is missing after the comparison", help);
        return None;
    }
    let read_any = |text: &str| dimensions.iter().find_map(|&one| read(text, one).ok());
    if let Some(target) = read_any(text) {
        return Some(scan.spanned(piece, target));
    }
    let words = scan.words(piece);
    if words.len() > 1 && read_any(scan.slice(words[0])).is_some() {
        unexpected(scan, words[1]);
        return None;
    }
    // Of several ways to write the value the first is the common one.
    let error = read(text, dimensions[0]).expect_err("no dimension fits the text");
    unit_error(scan, piece, error);
    None
}

fn unit_error(scan: &mut Scan, piece: Piece, error: UnitError) {
    let code = match error.kind {
        UnitErrorKind::MissingUnit => "E0201",
        UnitErrorKind::UnknownUnit => "E0202",
        UnitErrorKind::OutOfRange => "E0203",
        UnitErrorKind::Malformed => "E0204",
    };
    scan.error(code, piece, error.message, error.help);
}

/// A word after the value that is no keyword.
fn unexpected(scan: &mut Scan, word: Piece) {
    let text = scan.slice(word);
    let [during, outside, after] = Relation::WORDS.map(|(name, _)| name);
    let help = match text {
        "and" | "or" | "&&" | "||" | "," => "write each expression on a line of its own".to_owned(),
        "+-" | "±" | "~" => format!("write `{WITHIN} 3%`"),
        _ => match nearest(text, &[WITHIN, during, outside, after]) {
            Some(keyword) => format!("did you mean `{keyword}`?"),
            None => "after the value come `within`, `during`, `outside` or `after`".to_owned(),
        },
    };
    scan.error(UNKNOWN_WORD, word, format!("`{text}` does not belong here"), help);
}

/// Reads a value in one dimension.
fn read(text: &str, dimension: Dimension) -> Result<Target, UnitError> {
    match dimension {
        Dimension::Time => Duration::parse(text).map(Target::Time),
        Dimension::Rate => Rate::parse(text).map(Target::Rate),
        Dimension::Ratio => Ratio::parse(text).map(Target::Ratio),
        Dimension::Bandwidth => Bandwidth::parse(text).map(Target::Bandwidth),
        Dimension::Count => MeanCount::parse(text).map(|count| Target::Count(count.0)),
        Dimension::Factor if text.ends_with('x') => {
            Factor::parse(text).map(|factor| Target::Factor(factor.0))
        }
        Dimension::Factor => MeanCount::parse(text).map(|number| Target::Factor(number.0)),
        Dimension::Outcome => FaultOutcome::of(text).map(Target::Outcome).ok_or_else(|| {
            let help = did_you_mean(text, "outcome", &FaultOutcome::WORDS.map(|(word, _)| word));
            let message = format!("`{text}` is no outcome of a fault");
            UnitError::new(UnitErrorKind::Malformed, message, help)
        }),
        Dimension::Money => Money::parse(text).map(Target::Money),
    }
}

fn parse_tolerance(
    scan: &mut Scan,
    keyword: Piece,
    body: Piece,
    target: Option<Target>,
) -> Option<Spanned<Tolerance>> {
    let text = scan.slice(body);
    if text.is_empty() {
        scan.error(MALFORMED, keyword, "a tolerance is missing", "write `within 3%`");
        return None;
    }
    // Without a target its mistake has been reported, and the tolerance cannot be judged.
    let dimension = target?.dimension();
    // Percent is always a share of the target, also where the target is itself a ratio.
    let tolerance = if text.ends_with('%') || dimension == Dimension::Outcome {
        Ratio::parse(text).map(|ratio| Tolerance::Relative(ratio.0))
    } else {
        let distance = |target: Target| Tolerance::Absolute(target.number().unwrap_or(0.0));
        read(text, dimension).map(distance)
    };
    match tolerance {
        Ok(tolerance) => Some(scan.spanned(body, tolerance)),
        Err(mut error) => {
            if error.kind == UnitErrorKind::MissingUnit {
                error.help = format!("{}; a share of the value `{WITHIN} {text}%`", error.help);
            }
            unit_error(scan, body, error);
            None
        }
    }
}

fn parse_window(scan: &mut Scan, keyword: Piece, body: Piece) -> Option<Window> {
    let relation = Relation::of(scan.slice(keyword)).expect("the keyword was found as a relation");
    let text = scan.slice(body);
    let span = scan.span(keyword.to(body));
    let help = "name a fault or a change, or write a range like `60s..300s`";
    if text.is_empty() {
        scan.error(MALFORMED, keyword, "a window is missing", help);
        return None;
    }
    let time = if let Some(dots) = text.find("..") {
        let from = scan.trimmed(Piece::new(body.start, body.start + dots));
        let to = scan.trimmed(Piece::new(body.start + dots + 2, body.end));
        parse_range(scan, from, to)?
    } else {
        if let Some(&second) = scan.words(body).get(1) {
            unexpected(scan, second);
            return None;
        }
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            scan.error(MALFORMED, body, format!("`{text}` is no window"), help);
            return None;
        }
        let parts = split_dots(scan, body)?;
        for part in &parts {
            if let Err(error) = Name::parse(&part.text) {
                scan.error(MALFORMED, part.piece, error.message, error.help);
                return None;
            }
        }
        let names = parts.into_iter().map(|part| scan.spanned(part.piece, part.text));
        WindowTime::Event(names.collect())
    };
    Some(Window { relation, time, span })
}

fn parse_range(scan: &mut Scan, from: Piece, to: Piece) -> Option<WindowTime> {
    let mut end = |piece: Piece| match Duration::parse(scan.slice(piece)) {
        Ok(duration) => Some(scan.spanned(piece, duration)),
        Err(error) => {
            unit_error(scan, piece, error);
            None
        }
    };
    let (first, last) = (end(from), end(to));
    let (first, last) = (first?, last?);
    if first.value >= last.value {
        let help = "a range runs from the earlier to the later time";
        scan.error(VALUE, from.to(to), "this window is empty", help);
        return None;
    }
    Some(WindowTime::Range(first, last))
}

/// An equality is exact for what is counted and approximate with a tolerance; nothing else.
fn check_equality(scan: &mut Scan, expression: &Expression, sign: Piece) -> bool {
    let equal = expression.comparison.value == Comparison::Equal;
    let outcome = matches!(expression.target.value, Target::Outcome(_));
    if let Some(tolerance) = &expression.tolerance {
        if equal && !outcome {
            return true;
        }
        let message = "a tolerance belongs to `==` and a number";
        scan.error_at(MALFORMED, tolerance.span, message, "");
        return false;
    }
    if outcome && !equal {
        scan.error(MALFORMED, sign, "an outcome is compared with `==`", "");
        return false;
    }
    if equal && !is_exact(expression) {
        let message = "a measured figure is never equal to a value exactly";
        let help = format!("say how close it must be: `{} {WITHIN} 3%`", expression.text);
        scan.error(MALFORMED, sign, message, help);
        return false;
    }
    true
}

/// Whether the measured side takes the target's value exactly: outcomes, counts, none and all.
fn is_exact(expression: &Expression) -> bool {
    let counted = |measure: &Measure| match &measure.statistic {
        None => true,
        Some(statistic) => {
            use Statistic::{Count, End, Max, Min};
            matches!(statistic.value, Count | End | Max | Min)
        }
    };
    match expression.target.value {
        Target::Outcome(_) => true,
        Target::Count(_) => expression.left.measures().all(counted),
        Target::Ratio(ratio) => ratio == Ratio::ZERO || ratio == Ratio::ONE,
        _ => false,
    }
}
