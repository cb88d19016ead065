//! Do intervals hold the truth as often as they say? A thousand experiments on each of four models
//! whose answers are known, with the seeds 1 to 1,000.
//!
//! Each experiment is what a user would run: eight replications, and the intervals of its summary.
//! Of a thousand, 950 should hold the true value; an exact binomial test at 0.1 % must not reject
//! that, and no fewer than 930 may. The bias of the mean of the replications' p99 is printed beside
//! it: a quantile of a finite sample is a little too small or too large, and an interval around it
//! knows nothing of that.

use simscale::experiment::statistics::Estimate;
use simscale::experiment::summary::Summary;
use simscale::experiment::{Control, Experiment, prepare};
use simscale::language::{RenderOptions, render};
use simscale::scenario::file::{Request, load};
use statrs::distribution::{Binomial, DiscreteCDF};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;

const EXPERIMENTS: u64 = 1000;

/// A model and what is true of it, in milliseconds and as a share.
struct Model {
    name: &'static str,
    text: &'static str,
    mean: f64,
    p95: f64,
    p99: f64,
    utilization: f64,
}

/// Half loaded: T is exponential with mean 1 / (mu - lambda) = 20 ms. Kleinrock, Queueing Systems
/// vol. 1 (1975), ch. 3.
const ONE: Model = Model {
    name: "M/M/1",
    text: "
users: { rate: 50/s, client: { timeout: none } }
entry: server
components:
  server:
    kind: service
    machine: { cores: 1 }
    workers: 1
    queue: unlimited
    work: { exponential: 10ms }
network: none
run: { duration: 400s, warmup: 5s, replications: 8 }
",
    mean: 20.0,
    p95: 59.91465,
    p99: 92.10340,
    utilization: 0.5,
};

/// 70 % busy. Waiting has the probability of Erlang C, 42.86543 %, and is exponential then; T is
/// its sum with the work. With th = c mu - lambda, P(T > t) is
/// (1 - C) e^(-mu t) + C (mu e^(-th t) - th e^(-mu t)) / (mu - th). Kleinrock, as above.
const SEVERAL: Model = Model {
    name: "M/M/4",
    text: "
users: { rate: 280/s, client: { timeout: none } }
entry: server
components:
  server:
    kind: service
    machine: { cores: 4 }
    workers: 4
    queue: unlimited
    work: { exponential: 10ms }
network: none
run: { duration: 70s, warmup: 2s, replications: 8 }
",
    mean: 13.572119,
    p95: 37.52496,
    p99: 54.92557,
    utilization: 0.7,
};

/// Half loaded, all share the core. The mean is that of any law of work with this mean; the
/// quantiles are for exponential work, from the equations of Coffman, Muntz and Trotter (Waiting
/// Time Distributions for Processor-Sharing Systems, JACM 17, 1970) integrated by Runge-Kutta.
const SHARED: Model = Model {
    name: "M/G/1-PS",
    text: "
users: { rate: 50/s, client: { timeout: none } }
entry: server
components:
  server:
    kind: service
    machine: { cores: 1 }
    workers: unlimited
    queue: unlimited
    work: { exponential: 10ms }
network: none
run: { duration: 400s, warmup: 5s, replications: 8 }
",
    mean: 20.0,
    p95: 68.63680,
    p99: 124.45541,
    utilization: 0.5,
};

/// Ten users who think 100 ms and wait for one server of 10 ms: the machine repairman. Those who
/// come see the system with nine users (arrival theorem), so T is a mixture of Erlang times.
/// Gross, Shortle, Thompson, Harris, Fundamentals of Queueing Theory, ch. 3.
const CLOSED: Model = Model {
    name: "closed network",
    text: "
users: { count: 10, think: { exponential: 100ms }, client: { timeout: none } }
entry: server
components:
  server:
    kind: service
    machine: { cores: 1 }
    workers: 1
    queue: unlimited
    work: { exponential: 10ms }
network: none
run: { duration: 260s, warmup: 3s, replications: 8 }
",
    mean: 27.320794,
    p95: 72.53189,
    p99: 101.49043,
    utilization: 0.785417657,
};

fn experiment(text: &str) -> Experiment {
    let request = Request { path: "model.yaml", ..Request::default() };
    let mut loaded = load(request, &mut |_| Ok(text.into()));
    let found = prepare(&mut loaded, "model.yaml").pop();
    found.unwrap_or_else(|| {
        panic!("{}", render(&loaded.sources, &loaded.diagnostics, RenderOptions::default()))
    })
}

/// The four intervals of one experiment.
fn intervals(summary: &Summary) -> [Estimate; 4] {
    let answered = &summary.overall.answered_ms;
    [answered.mean, answered.p95, answered.p99, summary.components[0].1.utilization]
}

fn covers(model: &Model) {
    let experiment = experiment(model.text);
    let truth = [model.mean, model.p95, model.p99, model.utilization];
    let next = AtomicU64::new(1);
    let part = || {
        let (mut covered, mut sums) = ([0_u64; 4], [0.0; 4]);
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > EXPERIMENTS {
                return (covered, sums);
            }
            let mut experiment = experiment.clone();
            experiment.settings.seed = seed;
            let outcome = experiment.run(Control::default()).expect("the books balance");
            for (index, estimate) in intervals(&outcome.summary).iter().enumerate() {
                let [low, high] = estimate.ci95.expect("there are eight replications");
                covered[index] += u64::from((low..=high).contains(&truth[index]));
                sums[index] += estimate.mean.finite().expect("it is a number");
            }
        }
    };
    let threads = available_parallelism().map_or(1, usize::from);
    let parts: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(part)).collect();
        running.into_iter().map(|one| one.join().expect("no panic")).collect()
    });
    let law = Binomial::new(0.95, EXPERIMENTS).expect("it is a law");
    for (index, name) in ["mean", "p95", "p99", "utilization"].into_iter().enumerate() {
        let covered: u64 = parts.iter().map(|(covered, _)| covered[index]).sum();
        let sum: f64 = parts.iter().map(|(_, sums)| sums[index]).sum();
        let bias = sum / EXPERIMENTS as f64 / truth[index] - 1.0;
        println!("{}: {name}: {covered} of {EXPERIMENTS}, bias {:+.3}%", model.name, bias * 1e2);
        assert!(covered >= 930, "{}: {name} is covered {covered} times", model.name);
        // Two-sided: half of 0.1 % at each end.
        let below = law.cdf(covered);
        let above = 1.0 - law.cdf(covered - 1);
        assert!(below.min(above) > 0.0005, "{}: {name}: {covered} of 1,000", model.name);
    }
}

#[test]
#[ignore = "a minute of both cores; .ci/run runs it"]
fn one_server() {
    covers(&ONE);
}

#[test]
#[ignore = "a minute of both cores; .ci/run runs it"]
fn several_servers() {
    covers(&SEVERAL);
}

#[test]
#[ignore = "a minute of both cores; .ci/run runs it"]
fn processor_sharing() {
    covers(&SHARED);
}

#[test]
#[ignore = "a minute of both cores; .ci/run runs it"]
fn closed_network() {
    covers(&CLOSED);
}
