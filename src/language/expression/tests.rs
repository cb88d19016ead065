//! Expressions that are read, and mistakes with the words that they underline.

use super::*;
use crate::language::{Diagnostics, FileId, Severity, Span};

/// The text sits somewhere inside a file, so that places are seen to be shifted.
const AT: usize = 40;

fn parse(text: &str) -> (Option<Expression>, Diagnostics) {
    let mut out = Diagnostics::new();
    let at = Span::new(FileId(3), AT, AT + text.len());
    (Expression::parse(text, at, &mut out), out)
}

fn read(text: &str) -> Expression {
    let (expression, out) = parse(text);
    assert!(out.is_empty(), "{text}: {:?}", out.sorted());
    expression.expect("a text without mistakes is an expression")
}

fn words(text: &str, span: Span) -> String {
    assert_eq!(span.file, FileId(3));
    text[span.start as usize - AT..span.end as usize - AT].to_owned()
}

/// Reads a text with exactly these mistakes: underlined words, message, help.
fn mistakes(text: &str, expected: &[(&str, &str, &str)]) {
    let (expression, out) = parse(text);
    let found: Vec<(String, String, String)> = out
        .sorted()
        .iter()
        .map(|found| {
            assert_eq!(found.severity, Severity::Error);
            (words(text, found.span), found.message.clone(), found.help.join("; "))
        })
        .collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|&(words, message, help)| (words.to_owned(), message.to_owned(), help.to_owned()))
        .collect();
    assert_eq!(found, expected, "{text}");
    assert_eq!(expression, None, "{text}");
}

fn address(measure: &Measure) -> Vec<&str> {
    measure.address.iter().map(|part| part.value.as_str()).collect()
}

fn only(expression: &Expression) -> &Measure {
    match &expression.left {
        Left::Measure(measure) => measure,
        left => panic!("{left:?}"),
    }
}

#[test]
fn a_bare_percentile_is_the_latency_as_felt() {
    let expression = read("p99 < 300ms");
    let measure = only(&expression);
    assert_eq!((measure.metric.value, measure.statistic()), (Metric::Latency, Statistic::P99));
    assert_eq!(address(measure), [""; 0]);
    assert_eq!(expression.comparison.value, Comparison::Below);
    assert_eq!(expression.target.value.number(), Some(3e8));
    assert_eq!(words(&expression.text, expression.target.span), "300ms");
}

#[test]
fn addresses_metrics_and_statistics_are_told_apart() {
    let cases: [(&str, &[&str], Metric, Statistic); 11] = [
        ("view.p99 < 1s", &["view"], Metric::Latency, Statistic::P99),
        ("view.p99.9 < 1s", &["view"], Metric::Latency, Statistic::P999),
        ("answered.p99.99 < 1s", &[], Metric::Answered, Statistic::P9999),
        ("db.replica.1.lag.max < 1s", &["db", "replica", "1"], Metric::Lag, Statistic::Max),
        ("web.3.utilization<80%", &["web", "3"], Metric::Utilization, Statistic::Mean),
        ("web.utilization.mean > 5%", &["web"], Metric::Utilization, Statistic::Mean),
        ("db.shard.utilization.max < 1%", &["db"], Metric::ShardUtilization, Statistic::Max),
        (
            "db.shard.4.utilization < 1%",
            &["db", "shard", "4"],
            Metric::Utilization,
            Statistic::Mean,
        ),
        ("db.shard.keys.cv < 0.3", &["db"], Metric::ShardKeys, Statistic::Cv),
        ("a.queue.max <= 2K", &["a"], Metric::Queue, Statistic::Max),
        ("a.calls.count == 12", &["a"], Metric::Calls, Statistic::Count),
    ];
    for (text, expected, metric, statistic) in cases {
        let expression = read(text);
        let measure = only(&expression);
        assert_eq!(address(measure), expected, "{text}");
        assert_eq!((measure.metric.value, measure.statistic()), (metric, statistic), "{text}");
    }
    let long = read("storm.eu.view.db.wait.p99 < 5ms");
    assert_eq!(address(only(&long)), ["storm", "eu", "view", "db"]);
    assert_eq!(words(&long.text, only(&long).address[2].span), "view");
    assert_eq!(words(&long.text, only(&long).metric.span), "wait");
    assert_eq!(words(&long.text, only(&long).span), "storm.eu.view.db.wait.p99");
}

#[test]
fn causes_and_numbers_follow_their_metric() {
    let failures = read("view.failures.queue_timeout <= 0.1%");
    let argument = only(&failures).argument.expect("a cause");
    assert_eq!(argument.value, Argument::Cause("queue_timeout"));
    let up = read("web.up.2 >= 99.9%");
    assert_eq!(only(&up).argument.map(|number| number.value), Some(Argument::Number(2)));
}

#[test]
fn values_are_read_in_the_unit_of_the_metric() {
    let number = |text| read(text).target.value.number();
    assert_eq!(number("goodput >= 10K/s"), Some(10_000.0));
    assert_eq!(number("availability >= 75%"), Some(0.75));
    assert_eq!(number("web.in_system.mean < 2.4"), Some(2.4));
    assert_eq!(number("web.service.cv < 0.5"), Some(0.5));
    assert_eq!(number("view.attempts.mean < 1.2x"), Some(1.2));
    assert_eq!(number("view.attempts.mean < 1.2"), Some(1.2));
    assert_eq!(number("blip.errors < 500"), Some(500.0));
    assert_eq!(number("cdn.egress < 80MB/s"), Some(8e7));
    assert_eq!(number("ps.slowdown.mean < 3.5"), Some(3.5));
    assert_eq!(number("dies.detect_time.p95 < 17s"), Some(17e9));
    assert_eq!(number("dies.detect_time < 17s"), Some(17e9));
    let outcome = read("blip.verdict == recovered").target.value;
    assert_eq!(outcome, Target::Outcome(FaultOutcome::Recovered));
    // What stale reads mean depends on the address, so both are read.
    assert_eq!(read("cache.stale_reads < 1%").target.value.dimension(), Dimension::Ratio);
    assert_eq!(read("blip.stale_reads < 10").target.value.dimension(), Dimension::Count);
    assert_eq!(read("cost.month < $12K").target.value.number(), Some(12_000.0));
}

#[test]
fn the_left_side_combines_two_figures() {
    let quotient = read("cured.goodput / storm.goodput >= 5");
    assert!(matches!(&quotient.left, Left::Quotient(a, b) if address(a) == ["cured"]
        && address(b) == ["storm"]));
    assert_eq!(quotient.target.value, Target::Factor(5.0));
    assert_eq!(read("a.p99/b.p99 <= 80%").target.value.dimension(), Dimension::Ratio);
    let difference = read("a.p99 - b.p99 < 5ms");
    assert!(matches!(difference.left, Left::Difference(..)));
    assert_eq!(difference.left.measures().count(), 2);
    let complement = read("1 - view.error_rate >= 99%");
    assert!(matches!(&complement.left, Left::Complement(a) if a.metric.value == Metric::ErrorRate));
}

#[test]
fn tolerances_are_shares_of_the_value_or_distances() {
    let relative = read("server.prob_wait == 59.6432% within 1%");
    let tolerance = relative.tolerance.expect("a tolerance").value;
    assert_eq!(tolerance, Tolerance::Relative(0.01));
    assert_eq!(tolerance.around(-300.0), 3.0);
    let absolute = read("mean == 17.4554ms within 0.5ms").tolerance.expect("a tolerance").value;
    assert_eq!(absolute.around(17_455_400.0), 500_000.0);
    assert_eq!(
        read("web.queue.mean == 3 within 0.1").tolerance.map(|t| t.value.around(3.0)),
        Some(0.1)
    );
}

#[test]
fn windows_are_ranges_or_events() {
    let range = read("p99 < 1s during 60s..5min").window.expect("a window");
    assert_eq!(range.relation, Relation::During);
    let WindowTime::Range(from, to) = range.time else { panic!("{:?}", range.time) };
    assert_eq!((from.seconds(), to.seconds()), (60.0, 300.0));
    let text = "p99 == 4ms within 3% outside us_down";
    let event = read(text).window.expect("a window");
    assert!(matches!(&event.time, WindowTime::Event(names) if names[0].value == "us_down"));
    assert_eq!(
        (event.relation, words(text, event.span)),
        (Relation::Outside, "outside us_down".into())
    );
    assert!(matches!(
        read("p99 < 1s after 1s .. 2s").window,
        Some(Window { relation: Relation::After, .. })
    ));
}

#[test]
fn equality_without_a_tolerance_is_for_what_is_counted() {
    read("blip.lost_writes == 0");
    read("web.instances.max == 12");
    read("error_rate == 0%");
    read("availability == 100%");
    mistakes(
        "p99 == 300ms",
        &[(
            "==",
            "a measured figure is never equal to a value exactly",
            "say how close it must be: `p99 == 300ms within 3%`",
        )],
    );
    mistakes("p99 < 300ms within 3%", &[("3%", "a tolerance belongs to `==` and a number", "")]);
    mistakes("a.verdict > recovered", &[(">", "an outcome is compared with `==`", "")]);
}

#[test]
fn the_notation_of_k6_is_understood_with_a_warning() {
    for text in ["p(95)<500ms", "view.p(99.9) < 500ms"] {
        let (expression, out) = parse(text);
        let expression = expression.expect("it is understood");
        assert_eq!(expression.target.value.number(), Some(5e8));
        let warning = out.sorted()[0].clone();
        assert_eq!((warning.severity, out.len()), (Severity::Warning, 1));
        assert!(words(text, warning.span).starts_with("p("), "{warning:?}");
    }
    let (_, out) = parse("p(95)<500ms");
    assert_eq!(out.sorted()[0].help, ["write `p95`"]);
}

#[test]
fn a_latency_needs_a_statistic() {
    mistakes(
        "web.wait < 5ms",
        &[(
            "web.wait",
            "`web.wait` has several statistics: which one?",
            "write `web.wait.p99`; there are mean, min, max, sd, cv, p50, p90, p95, p99, p99.9, \
             p99.99, count",
        )],
    );
    mistakes(
        "web.utilization.p99 < 5%",
        &[("p99", "`utilization` has no `p99`", "it is a single figure")],
    );
    mistakes("web.queue.p99 < 5", &[("p99", "`queue` has no `p99`", "it has mean, max, end")]);
}

#[test]
fn habits_of_writing_get_the_form_that_is_meant() {
    let all = "mean, min, max, sd, cv, p50, p90, p95, p99, p99.9, p99.99, count";
    let which = |address: &str| {
        format!(
            "write `{address}p99`, or `{address}answered.p99` without the failed requests; there \
             are {all}"
        )
    };
    let several = "`latency` has several statistics: which one?";
    mistakes("latency < 300ms", &[("latency", several, &which(""))]);
    let several = "`view.latency` has several statistics: which one?";
    mistakes("view.latency < 300ms", &[("view.latency", several, &which("view."))]);
    mistakes("p99 ≤ 300ms", &[("≤", "`≤` is no comparison", "write `<=`")]);
    mistakes("error_rate≥1%", &[("≥", "`≥` is no comparison", "write `>=`")]);
    for (text, meant) in [("error rate", "error_rate"), ("web.Error rate", "web.error_rate")] {
        let message = format!("`{text}` is more than one name");
        let help = format!("did you mean `{meant}`?");
        mistakes(&format!("{text} < 1%"), &[(text, &message, &help)]);
    }
    let help = "a duration is written 2ms, 2s or 2min; a share of the value `within 2%`";
    mistakes("mean == 50ms within 2", &[("2", "`2` needs a unit", help)]);
}

#[test]
fn unknown_words_get_the_nearest_one() {
    let cases = [
        ("web.utilisation < 5%", "utilisation", "unknown metric `utilisation`", "utilization"),
        ("availabilty > 5%", "availabilty", "unknown metric `availabilty`", "availability"),
        ("median < 5ms", "median", "unknown metric `median`", "p50"),
        ("web.cpu < 5%", "cpu", "unknown metric `cpu`", "utilization"),
        ("web.wait.p999 < 5ms", "p999", "unknown statistic `p999`", "p99.9"),
        ("p99.5 < 5ms", "p99.5", "unknown metric `p99.5`", "p99.9"),
        ("web.wait.avg < 5ms", "avg", "unknown statistic `avg`", "mean"),
        ("failures.timeut < 5%", "timeut", "unknown cause `timeut`", "timeout"),
        ("a.verdict == recoverd", "recoverd", "`recoverd` is no outcome of a fault", "recovered"),
        ("p99 < 5ms durng x", "durng", "`durng` does not belong here", "during"),
    ];
    for (text, place, message, meant) in cases {
        mistakes(text, &[(place, message, &format!("did you mean `{meant}`?"))]);
    }
    mistakes(
        "web < 5ms",
        &[(
            "web",
            "`web` is no metric",
            "say what is measured of it, like `web.utilization` or `web.wait.p99`",
        )],
    );
}

#[test]
fn values_without_their_unit_say_what_fits() {
    mistakes(
        "p99 < 300",
        &[("300", "`300` needs a unit", "a duration is written 300ms, 300s or 300min")],
    );
    mistakes(
        "availability > 0.999",
        &[("0.999", "`0.999` needs a unit", "a ratio is written 99.9%")],
    );
    mistakes(
        "p99 < ",
        &[("<", "a value is missing after the comparison", "compare with a duration, like 300ms")],
    );
    mistakes(
        "web.queue.mean < 5ms",
        &[("5ms", "`ms` is not a unit of a mean count", "a count has no unit; write 3, 2.4, 1.5K")],
    );
    mistakes(
        "p99 < 5ms and p95 < 3ms",
        &[("and", "`and` does not belong here", "write each expression on a line of its own")],
    );
}

#[test]
fn mistakes_on_both_sides_are_reported_together() {
    let (_, out) = parse("a.wiat.p / availabilty < 3");
    assert_eq!(out.len(), 2);
    mistakes(
        "availabilty > 1% during 5s..3s",
        &[
            ("availabilty", "unknown metric `availabilty`", "did you mean `availability`?"),
            ("5s..3s", "this window is empty", "a range runs from the earlier to the later time"),
        ],
    );
}

#[test]
fn malformed_texts_are_explained() {
    let cases = [
        ("p99", "p99", "an expression compares a metric with a value"),
        ("p99 = 5ms", "=", "`=` is no comparison"),
        ("p99 => 5ms", "=>", "`=>` is no comparison"),
        ("< 5ms", "<", "nothing that can be measured"),
        ("a.p99 * 2 < 5ms", "*", "`*` has no meaning here"),
        ("a.p99 / b.p99 / c.p99 < 5", "a.p99 / b.p99 / c.p99", "nothing that can be measured"),
        ("web..p99 < 5ms", ".", "a name is missing beside this dot"),
        (".p99 < 5ms", ".", "a name is missing beside this dot"),
        ("web.0.utilization < 5%", "0", "numbers start at 1"),
        ("Web.utilization < 5%", "Web", "`Web` is not a name"),
        ("3.utilization < 5%", "3", "`3` is not a name"),
        ("p99.web.utilization < 5%", "p99", "`p99` cannot be a name"),
        ("utilization.web < 5%", "web", "`web` cannot follow `utilization`"),
        (
            "my-web.utilization < 5%",
            "my-web",
            "`my-web` is a subtraction, because names have no hyphen",
        ),
        (
            "a.p99 - b.goodput < 5ms",
            "b.goodput",
            "a duration, like 300ms cannot be compared with a rate, like 200/s",
        ),
        ("1 - p99 < 5ms", "p99", "only a ratio can be taken from 1"),
        ("cost.month < $5/month", "$5/month", "`/month` is not a unit of money"),
        ("failures < 5%", "failures", "`failures` of what: which cause?"),
        ("web.up.0 > 5%", "0", "`0` is no number of instances"),
        ("p99 < 5ms during", "during", "a window is missing"),
        ("p99 < 5ms during 60s", "60s", "`60s` is no window"),
        ("p99 < 5ms during a after b", "after", "`after` comes too late or twice"),
        ("p99 == 5ms within", "within", "a tolerance is missing"),
        ("", "", "an expression compares a metric with a value"),
        ("é.p99 < 5ms", "é", "`é` is not a name"),
        ("p99 < 5ms during é", "é", "`é` is not a name"),
    ];
    for (text, place, message) in cases {
        let (expression, out) = parse(text);
        let found: Vec<_> =
            out.sorted().iter().map(|d| (words(text, d.span), d.message.clone())).collect();
        assert_eq!(found, [(place.to_owned(), message.to_owned())], "{text}");
        assert_eq!(expression, None);
    }
}

#[test]
fn places_are_those_in_the_file_also_within_quotes() {
    use crate::language::{Decode, node};
    let file = "slo: [ p99 < 5ms, 'webb..p99 < 1s', \"p98 < 2s\", p99 < 3 ]\n";
    let mut out = Diagnostics::new();
    let tree = node::parse(FileId(0), file, &mut out).expect("the text is YAML");
    let items = match &tree.value.get("slo").expect("the key is there").value {
        crate::language::Node::Seq(items) => items,
        other => panic!("{other:?}"),
    };
    let read = items.iter().filter_map(|item| Expression::decode(item, &mut out)).count();
    let places = out.sorted();
    let underlined: Vec<&str> =
        places.iter().map(|d| &file[d.span.start as usize..d.span.end as usize]).collect();
    assert_eq!((read, underlined), (1, vec![".", "p98", "3"]));
    assert!(Expression::decode(&tree, &mut out).is_none());
}

#[test]
fn no_text_makes_the_parser_panic() {
    let pieces = [
        "p99", ".", "<", "==", " ", "300ms", "3%", "/", "-", "1", "(", ")", "p", "web", "é", "0",
        "within", "during", "..", "failures", "up", "🚀", "x", "$", "verdict", "shard", "cost",
    ];
    let mut state = 1_u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    for _ in 0..200_000 {
        let text: String = (0..next() % 9).map(|_| pieces[next() % pieces.len()]).collect();
        let (expression, out) = parse(&text);
        assert_eq!(expression.is_none(), out.has_errors(), "{text}");
        for diagnostic in out.iter() {
            words(&text, diagnostic.span);
        }
    }
}
