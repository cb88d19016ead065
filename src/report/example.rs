//! Hand-made summaries for the tests of the formats: a healthy stage 2, and a dead system.
//!
//! The figures are plausible, not measured.

use crate::experiment::statistics::{Estimate, Value};
use crate::experiment::summary::{
    Beside, Better, Bottleneck, Bound, Component, Cost, CostLine, Extra, FailurePlace, Fault,
    Figure, Forecast, Formula, Judged, Law, Limit, Named, Precision, QUANTILES, Quantiles,
    ScenarioId, Summary, Traffic, Unit,
};
use crate::experiment::uncertain::{Influence, Moved, Parameter, Uncertainty};
use crate::experiment::verdict::{Demand, Verdict};
use crate::experiment::verify::{Expectation, Verification, Verified};

/// An estimate with an interval of ± `half`.
fn about(mean: f64, half: f64) -> Estimate {
    Estimate { mean: Value::Finite(mean), ci95: Some([mean - half, mean + half]) }
}

const INFINITE: Estimate = Estimate { mean: Value::Infinite, ci95: None };

/// The same with input uncertainty: one SLO that moves, one sample that is no system.
pub fn uncertain() -> Summary {
    let parameter = |path: &str, [value, low, high]: [&str; 3], source: Option<&str>| Parameter {
        path: path.to_owned(),
        value: value.to_owned(),
        low: low.to_owned(),
        high: high.to_owned(),
        source: source.map(str::to_owned),
    };
    let influence = |path: &str, correlation: f64, proven| Influence {
        path: path.to_owned(),
        correlation,
        share: correlation * correlation,
        proven,
    };
    let work = "components.web.handle.view.1.work.lognormal.mean";
    let moved = Moved {
        expression: "p99 < 500ms".to_owned(),
        unit: Unit::Milliseconds,
        written: about(238.0, 2.0),
        spread: [
            Value::Finite(121.0),
            Value::Finite(130.0),
            Value::Finite(240.0),
            Value::Finite(900.0),
            Value::Infinite,
        ],
        over_noise: Some(192.5),
        verdicts: Some([9, 1, 4]),
        influences: vec![
            influence(work, 0.9, true),
            influence("components.db.query", -0.12, false),
        ],
    };
    let refused = (vec![(work.to_owned(), "58ms".to_owned())], "nobody is there".to_owned());
    let uncertainty = Uncertainty {
        planned: 16,
        samples: 14,
        growing: 2,
        parameters: vec![
            parameter(work, ["20ms", "7.7ms", "58ms"], None),
            parameter("components.db.query", ["0.5ms", "0.11ms", "1.2ms"], Some("pgbench")),
        ],
        figures: vec![moved],
        refused: vec![refused],
    };
    Summary { uncertainty: Some(uncertainty), ..summary() }
}

/// A distribution from its mean, median, p90, p95, p99, p99.9 and maximum, each ± 1 %.
fn quantiles(figures: [f64; 7]) -> Quantiles {
    let [mean, p50, p90, p95, p99, p99_9, max] = figures
        .map(|figure| if figure.is_finite() { about(figure, figure / 100.0) } else { INFINITE });
    let merged = [&p50, &p90, &p95, &p99, &p99_9].map(|estimate| estimate.mean);
    Quantiles { mean, p50, p90, p95, p99, p99_9, max, merged }
}

fn component(kind: &str, instances: u32, utilization: f64, arrivals: f64) -> Component {
    let busy = 1.0 / (1.0 - utilization);
    let times = [1.0, 0.8, 2.0, 3.0, 5.0, 8.0, 21.0];
    Component {
        kind: kind.to_owned(),
        instances,
        in_service: None,
        utilization: about(utilization, utilization / 200.0),
        wasted: about(0.0, 0.0),
        queue_length: about(0.3 * busy, 0.02),
        in_system: about(1.3 * busy, 0.03),
        arrivals_rps: about(arrivals, arrivals / 400.0),
        throughput_rps: about(arrivals, arrivals / 400.0),
        prob_wait: about(utilization / 2.0, 0.002),
        rejected: about(0.0, 0.0),
        wait_ms: quantiles(times.map(|time| time * busy)),
        service_ms: quantiles(times.map(|time| time * 20.0)),
        sojourn_ms: quantiles(times.map(|time| time * (busy + 20.0))),
        failures: Vec::new(),
        extras: Vec::new(),
    }
}

fn traffic(share: f64, slower: f64) -> Traffic {
    let latency = [61.2, 48.0, 118.0, 151.0, 238.0, 412.0, 902.0].map(|time| time * slower);
    let infinite = f64::INFINITY;
    let felt = [infinite, latency[1], latency[2], latency[3], latency[4] + 1.0, infinite, infinite];
    Traffic {
        requests: (4_800_000.0 * share) as u64,
        offered_rps: about(1000.0 * share, 2.4 * share),
        throughput_rps: about(998.7 * share, 2.4 * share),
        goodput_rps: about(998.6 * share, 2.4 * share),
        availability: about(0.99871, 0.00008),
        degraded: about(0.0, 0.0),
        stale_reads: about(0.0, 0.0),
        own_write_missing: Estimate::NO_DATA,
        amplification: about(1.0021, 0.0003),
        answered_ms: quantiles(latency),
        felt_ms: quantiles(felt),
        failures: vec![
            ("crashed".to_owned(), (620.0 * share) as u64),
            ("refused".to_owned(), (5_210.0 * share) as u64),
            ("timeout".to_owned(), (362.0 * share) as u64),
        ],
        places: Vec::new(),
    }
}

fn components() -> Named<Component> {
    let mut cache = component("cache", 2, 0.12, 9000.0);
    cache.extras = vec![
        Extra {
            name: "hit_ratio".to_owned(),
            label: "hit ratio".to_owned(),
            unit: Unit::Ratio,
            value: about(0.941, 0.002),
        },
        Extra {
            name: "fill_ms".to_owned(),
            label: "fill".to_owned(),
            unit: Unit::Milliseconds,
            value: about(3.2, 0.1),
        },
    ];
    let mut web = component("service", 9, 0.62, 1000.0);
    web.failures = vec![("crashed".to_owned(), 620), ("refused".to_owned(), 5_210)];
    web.wasted = about(0.0008, 0.0001);
    vec![
        ("lb".to_owned(), component("load_balancer", 1, 0.016, 1000.0)),
        ("web".to_owned(), web),
        ("cache".to_owned(), cache),
        ("db".to_owned(), component("database", 1, 0.41, 2400.0)),
    ]
}

/// Stage 2, losing one of its web servers.
pub(super) fn summary() -> Summary {
    let place = |cause: &str, place: &str, count| FailurePlace {
        cause: cause.to_owned(),
        place: place.to_owned(),
        count,
    };
    let mut overall = traffic(1.0, 1.0);
    overall.places = vec![
        place("timeout", "users waiting for lb", 362),
        place("refused", "web", 5_210),
        place("crashed", "web", 620),
    ];
    Summary {
        scenario: ScenarioId {
            name: "Stage 2: a load balancer before several web servers".to_owned(),
            file: "stage2.yaml".to_owned(),
            digest: "5f2c9ae1d07b3344".to_owned(),
        },
        seed: 1,
        replications: 8,
        duration_s: 600.0,
        warmup_s: 45.0,
        shrink: 1.0,
        precision: Some(Precision {
            wanted: 0.01,
            at_most: 8,
            worst: Some((0.0128, "view.p99 < 500ms".to_owned())),
            reached: false,
        }),
        uncertainty: None,
        warnings: vec![
            "the p99.9 of 4.8 M requests with 0.13 % failures is infinite in every replication"
                .to_owned(),
        ],
        overall,
        regions: Vec::new(),
        operations: vec![
            ("view".to_owned(), traffic(0.9, 0.97)),
            ("update_profile".to_owned(), traffic(0.1, 1.3)),
        ],
        components: components(),
        figures: figures(),
        faults: vec![(
            "lose_one".to_owned(),
            Fault {
                action: "crash web.3 silently".to_owned(),
                at_s: Some(300.0),
                until_s: None,
                occurrences: about(1.0, 0.0),
                detect_time_s: about(5.2, 0.4),
                errors: about(774.0, 31.0),
                lost_writes: about(0.0, 0.0),
            },
        )],
        slo: slo(),
        expect: vec![Judged {
            expression: "db.utilization == 42% within 5%".to_owned(),
            value: about(0.41, 0.003),
            unit: Unit::Ratio,
            standard_error: Some(0.0013),
            demand: Demand::Within { target: 0.42, tolerance: 0.021 },
            verdict: Verdict::Holds,
            note: None,
        }],
        bottleneck: Some(bottleneck()),
        forecast: Some(forecast()),
        cost: Some(cost()),
    }
}

fn figures() -> Named<Figure> {
    let figure = |unit, better, values: [f64; 3], trials: Vec<u64>| Figure {
        unit,
        better,
        values: values.map(Value::from).to_vec(),
        trials,
        events: false,
    };
    let (lower, higher) = (Some(Better::Lower), Some(Better::Higher));
    let infinite = f64::INFINITY;
    vec![
        ("goodput".to_owned(), figure(Unit::PerSecond, higher, [998.1, 999.2, 998.5], vec![])),
        (
            "error_rate".to_owned(),
            figure(Unit::Ratio, lower, [0.0012, 0.0013, 0.0014], vec![1_600_000; 3]),
        ),
        ("p99".to_owned(), figure(Unit::Milliseconds, lower, [238.0, 240.0, infinite], vec![])),
        ("web.utilization".to_owned(), figure(Unit::Ratio, None, [0.62, 0.61, 0.63], vec![])),
    ]
}

fn cost() -> Cost {
    let line = |payer: &str, item: &str, amount, unit, dollars: f64| CostLine {
        payer: payer.to_owned(),
        item: item.to_owned(),
        source: "a price list".to_owned(),
        amount,
        unit,
        month_usd: match unit {
            Unit::Bytes => about(dollars, dollars / 400.0),
            _ => about(dollars, 0.0),
        },
    };
    Cost {
        table: "aws_us_east_1".to_owned(),
        discount: 0.2,
        mean_to_peak: 0.4,
        month_usd: about(2_190.0, 3.1),
        per_million_usd: about(2.08, 0.003),
        lines: vec![
            line("web", "c6i.xlarge", about(9.0, 0.0), Unit::Count, 893.5),
            line("db", "db.m6g.xlarge", about(1.0, 0.0), Unit::Count, 205.6),
            line("users", "egress", about(6.3e12, 1.6e10), Unit::Bytes, 453.6),
        ],
        unpriced: vec!["lb".to_owned(), "cache".to_owned()],
    }
}

fn slo() -> Vec<Judged> {
    vec![
        Judged {
            expression: "p99 < 500ms".to_owned(),
            value: about(239.0, 2.4),
            unit: Unit::Milliseconds,
            standard_error: Some(1.0),
            demand: Demand::Below(500.0),
            verdict: Verdict::Holds,
            note: None,
        },
        Judged {
            expression: "availability >= 99.9%".to_owned(),
            value: about(0.99871, 0.00008),
            unit: Unit::Ratio,
            standard_error: Some(0.00003),
            demand: Demand::AtLeast(0.999),
            verdict: Verdict::Fails,
            note: None,
        },
        Judged {
            expression: "update_profile.p95 < 200ms outside lose_one".to_owned(),
            value: about(197.0, 4.1),
            unit: Unit::Milliseconds,
            standard_error: Some(1.7),
            demand: Demand::Below(200.0),
            verdict: Verdict::Undecided,
            note: Some("window used: 0s..300s".to_owned()),
        },
        Judged {
            expression: "p99.9 < 2s".to_owned(),
            value: INFINITE,
            unit: Unit::Milliseconds,
            standard_error: None,
            demand: Demand::Below(2000.0),
            verdict: Verdict::Fails,
            note: Some("more than 0.1 % of the requests failed".to_owned()),
        },
    ]
}

fn bottleneck() -> Bottleneck {
    Bottleneck {
        limits: vec![
            Limit {
                component: "web".to_owned(),
                resource: "cores".to_owned(),
                servers: 36.0,
                demand_ms: 22.3,
                utilization: about(0.62, 0.003),
                limit_rps: 1614.0,
                limit_users: Some(161_400.0),
            },
            Limit {
                component: "db".to_owned(),
                resource: "cores".to_owned(),
                servers: 4.0,
                demand_ms: 1.64,
                utilization: about(0.41, 0.003),
                limit_rps: 2439.0,
                limit_users: Some(243_900.0),
            },
            Limit {
                component: "web".to_owned(),
                resource: "workers".to_owned(),
                servers: 90.0,
                demand_ms: 29.1,
                utilization: about(0.323, 0.003),
                limit_rps: 3093.0,
                limit_users: Some(309_300.0),
            },
        ],
    }
}

fn forecast() -> Forecast {
    let beside = |predicted, measured| Beside { predicted, measured };
    let law = |component: &str, visits, work_ms, busy, reasons: &[&str]| Law {
        component: component.to_owned(),
        visits,
        work_ms,
        utilization: busy,
        reasons: reasons.iter().map(|&one| one.to_owned()).collect(),
    };
    let lost = ["faults", "requests fail on their way"];
    Forecast {
        laws: vec![
            law("lb", beside(1.0, about(1.0, 0.0)), beside(0.0, about(0.0, 0.0)), None, &[]),
            law(
                "web",
                beside(1.0, about(0.9987, 0.0001)),
                beside(22.5, about(22.3, 0.04)),
                Some(beside(0.625, about(0.62, 0.003))),
                &lost[..1],
            ),
            law(
                "db",
                beside(0.9, about(0.82, 0.001)),
                beside(1.8, about(1.64, 0.002)),
                Some(beside(0.45, about(0.41, 0.003))),
                &lost,
            ),
        ],
        formulas: vec![
            Formula {
                subject: "db".to_owned(),
                formula: "Erlang C, M/M/4".to_owned(),
                quantity: "mean wait".to_owned(),
                unit: Unit::Milliseconds,
                bound: Bound::Equal,
                predicted: 0.0312,
                measured: about(0.0331, 0.0009),
                assumed: None,
                reasons: vec!["arrivals are not Poisson".to_owned()],
            },
            Formula {
                subject: "web".to_owned(),
                formula: "Erlang C, M/M/36".to_owned(),
                quantity: "mean wait".to_owned(),
                unit: Unit::Milliseconds,
                bound: Bound::AtLeast,
                predicted: 0.52,
                measured: about(3.1, 0.1),
                assumed: Some("one queue for all instances".to_owned()),
                reasons: Vec::new(),
            },
        ],
    }
}

/// A system that answers nothing: no latency, no bottleneck, an SLO that fails.
pub(super) fn dead() -> Summary {
    let none =
        Quantiles { merged: [Value::Infinite; QUANTILES.len()], ..quantiles([f64::INFINITY; 7]) };
    let overall = Traffic {
        throughput_rps: about(0.0, 0.0),
        goodput_rps: about(0.0, 0.0),
        availability: about(0.0, 0.0),
        answered_ms: Quantiles::NO_DATA,
        felt_ms: none,
        failures: vec![("refused".to_owned(), 4_800_000)],
        ..traffic(1.0, 1.0)
    };
    let idle = Component {
        utilization: Estimate::NO_DATA,
        wasted: Estimate::NO_DATA,
        prob_wait: Estimate::NO_DATA,
        wait_ms: Quantiles::NO_DATA,
        service_ms: Quantiles::NO_DATA,
        sojourn_ms: Quantiles::NO_DATA,
        ..component("service", 2, 0.0, 0.0)
    };
    let mut slo = slo();
    slo.truncate(1);
    slo[0].value = INFINITE;
    slo[0].verdict = Verdict::Fails;
    Summary {
        uncertainty: None,
        warnings: Vec::new(),
        regions: Vec::new(),
        operations: Vec::new(),
        components: vec![("web".to_owned(), idle)],
        faults: Vec::new(),
        expect: Vec::new(),
        bottleneck: None,
        forecast: None,
        cost: None,
        overall,
        slo,
        ..summary()
    }
}

/// Two files: one that holds, and one without a source that does not.
pub(super) fn verification() -> Verification {
    let [below, .., infinite] = &slo()[..] else { unreachable!("there are four") };
    let mean = |target: f64, measured: Estimate, verdict: Verdict| Judged {
        expression: format!("mean == {target}ms within 1%"),
        value: measured,
        standard_error: Some(1.0),
        demand: Demand::Within { target, tolerance: target / 100.0 },
        verdict,
        ..below.clone()
    };
    let lost = Judged {
        expression: "rush.errors == 0".to_owned(),
        value: about(3.0, 0.0),
        unit: Unit::Count,
        standard_error: Some(0.0),
        demand: Demand::Exactly(0.0),
        verdict: Verdict::Fails,
        note: None,
    };
    let open = Judged {
        verdict: Verdict::Undecided,
        expression: "p99 < 500ms".to_owned(),
        ..infinite.clone()
    };
    let at = |point: Option<&str>, judged: Judged| Expectation {
        point: point.map(str::to_owned),
        judged,
    };
    let file = |path: &str, title: &str, expectations: Vec<Expectation>| Verified {
        path: path.to_owned(),
        title: title.to_owned(),
        sources: vec!["a textbook".to_owned()],
        expectations,
    };
    let sound =
        vec![at(None, mean(50.0, about(49.3, 2.0), Verdict::Holds)), at(None, below.clone())];
    let wrong = vec![
        at(Some("rush"), mean(50.0, about(58.0, 2.0), Verdict::Fails)),
        at(Some("rush"), open),
        at(None, lost),
    ];
    Verification {
        name: "two".to_owned(),
        files: vec![
            file("que-01.yaml", "M/M/1", sound),
            Verified { sources: Vec::new(), ..file("new.yaml", "New", wrong) },
        ],
        incomplete: 0,
    }
}
