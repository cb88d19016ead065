//! Speed of the whole product on W1, W2, W3 and W3B, beside a hand-written event loop for each.
//!
//! The product is run as a user runs it: the binary, a YAML file, full statistics, the summary as
//! JSON. It knows nothing of the product's insides. See README.md here for how to read the table.

mod reference;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

/// The workloads of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// M/M/1 at 80 %.
    W1,
    /// M/M/16 at 90 %.
    W2,
    /// Round robin over four web servers at 80 %, a cache-like wait or a database.
    W3,
    /// The same behind a balancer, which is one component and one call more.
    W3B,
}

impl Workload {
    const ALL: [Self; 4] = [Self::W1, Self::W2, Self::W3, Self::W3B];

    fn name(self) -> String {
        format!("{self:?}")
    }

    fn file(self) -> &'static str {
        match self {
            Self::W1 => concat!(env!("CARGO_MANIFEST_DIR"), "/benches/w1.yaml"),
            Self::W2 => concat!(env!("CARGO_MANIFEST_DIR"), "/benches/w2.yaml"),
            Self::W3 => concat!(env!("CARGO_MANIFEST_DIR"), "/benches/w3.yaml"),
            Self::W3B => concat!(env!("CARGO_MANIFEST_DIR"), "/benches/w3-balancer.yaml"),
        }
    }

    fn rate_per_s(self) -> f64 {
        match self {
            Self::W1 => 0.8,
            Self::W2 => 14.4,
            Self::W3 | Self::W3B => 1280.0,
        }
    }

    /// The exact mean time in the system.
    fn mean_ms(self) -> f64 {
        match self {
            Self::W1 => 5000.0,
            Self::W2 => 1369.59,
            Self::W3 | Self::W3B => 25.093,
        }
    }
}

/// What one run says.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Requests in the figures below.
    pub requests: u64,
    /// Mean time in the system, ms.
    pub mean_ms: f64,
    /// 99th percentile of it, ms.
    pub p99_ms: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Reference,
    Product,
}

struct Options {
    /// Workloads to run.
    only: Vec<Workload>,
    /// Requests per timed run.
    requests: u64,
    /// Timed runs of each engine, interleaved; the table shows the median.
    rounds: usize,
    /// Count instructions under callgrind instead of taking the time.
    callgrind: bool,
    /// Most instructions per request that the product may take at W3.
    gate: Option<f64>,
    /// Child mode, for callgrind: one run of the reference and nothing printed.
    once: bool,
}

const USAGE: &str = "cargo bench -- [--only W3] [--requests 2000000] [--rounds 5] [--quick] \
                     [--callgrind [--gate 2500]]";

fn options() -> Result<Options, String> {
    let mut options = Options {
        only: Workload::ALL.to_vec(),
        requests: 2_000_000,
        rounds: 5,
        callgrind: false,
        gate: None,
        once: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value. {USAGE}"));
        match argument.as_str() {
            // Cargo passes this one to every bench.
            "--bench" => {}
            "--only" => {
                let name = value()?.to_uppercase();
                let known = Workload::ALL.into_iter().find(|one| one.name() == name);
                options.only = vec![known.ok_or(format!("no workload `{name}`. {USAGE}"))?];
            }
            "--requests" => options.requests = number(&value()?)? as u64,
            "--rounds" => options.rounds = (number(&value()?)? as usize).max(1),
            "--quick" => (options.requests, options.rounds) = (200_000, 1),
            "--callgrind" => options.callgrind = true,
            "--gate" => options.gate = Some(number(&value()?)?),
            "--once" => options.once = true,
            _ => return Err(format!("unknown option `{argument}`. {USAGE}")),
        }
    }
    Ok(options)
}

fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("`{text}` is not a number. {USAGE}"))
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    if options.once {
        let outcome = reference::run(options.only[0], options.requests, 1);
        assert!(outcome.mean_ms > 0.0);
        return ExitCode::SUCCESS;
    }
    let done = if options.callgrind { count(&options) } else { time(&options) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Times both engines and prints the table.
fn time(options: &Options) -> Result<(), String> {
    println!("workload | hand-written loop | simscale, whole product | ratio");
    println!("         |   M req/s  ns/req |        M req/s  ns/req  |");
    let mut missing = None;
    for &workload in &options.only {
        let name = workload.name();
        let (mut by_hand, mut by_product) = (Vec::new(), Vec::new());
        for round in 0..options.rounds {
            let start = Instant::now();
            let outcome = reference::run(workload, options.requests, round as u64 + 1);
            by_hand.push(start.elapsed().as_secs_f64() * 1e9 / outcome.requests as f64);
            check(workload, Engine::Reference, outcome)?;

            let start = Instant::now();
            match product(workload, options.requests, round as u64 + 1) {
                Ok(outcome) => {
                    by_product.push(start.elapsed().as_secs_f64() * 1e9 / outcome.requests as f64);
                    check(workload, Engine::Product, outcome)?;
                }
                Err(message) => missing = Some(message),
            }
        }
        let hand_ns = median(&mut by_hand);
        print!("{name:<8} | {:9.2} {hand_ns:7.1} |", 1e3 / hand_ns);
        match by_product.is_empty() {
            true => println!("              -       -  | -"),
            false => {
                let product_ns = median(&mut by_product);
                let ratio = product_ns / hand_ns;
                println!(" {:14.2} {product_ns:7.1}  | {ratio:.2}x", 1e3 / product_ns);
            }
        }
    }
    missing.map_or(Ok(()), Err)
}

/// Counts instructions per request of both engines and judges the gate.
fn count(options: &Options) -> Result<(), String> {
    println!("instructions per request: the difference of two run lengths, under callgrind");
    println!("workload | hand-written loop | simscale | ratio");
    let mut verdict = Ok(());
    for &workload in &options.only {
        let name = workload.name();
        let by_hand = instructions(workload, Engine::Reference)?;
        let by_product = instructions(workload, Engine::Product)?;
        let ratio = by_product / by_hand;
        println!("{name:<8} | {by_hand:17.0} | {by_product:8.0} | {ratio:.2}x");
        if let (Some(gate), Workload::W3) = (options.gate, workload)
            && by_product > gate
        {
            verdict = Err(format!("W3 takes {by_product:.0} instructions, allowed are {gate:.0}"));
        }
    }
    verdict
}

/// A run whose mean is wrong is not a fast run but a broken one. At 200,000 requests of W1, the
/// workload that scatters most, 4.5 standard errors are 8 %.
fn check(workload: Workload, engine: Engine, outcome: Outcome) -> Result<(), String> {
    let error = outcome.mean_ms / workload.mean_ms() - 1.0;
    if error.abs() <= 0.15 {
        return Ok(());
    }
    Err(format!(
        "{workload:?} by {engine:?}: mean {} ms, expected {}",
        outcome.mean_ms,
        workload.mean_ms()
    ))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The command that runs a workload through the product.
fn product_command(workload: Workload, requests: u64, seed: u64) -> Vec<String> {
    let duration_s = (requests as f64 / workload.rate_per_s()).round();
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench");
    [
        env!("CARGO_BIN_EXE_simscale"),
        "run",
        workload.file(),
        "--set",
        &format!("run.duration={duration_s}s"),
        "--set",
        &format!("run.seed={seed}"),
        "--jobs",
        "1",
        "--format",
        "json",
        "--out",
        &out.to_string_lossy(),
    ]
    .map(str::to_owned)
    .to_vec()
}

fn product(workload: Workload, requests: u64, seed: u64) -> Result<Outcome, String> {
    let command = product_command(workload, requests, seed);
    let done = Command::new(&command[0]).args(&command[1..]).output().map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&done.stdout);
    let summary: serde_json::Value = serde_json::from_str(&text).map_err(|_| {
        format!("the product gave no summary: {}", String::from_utf8_lossy(&done.stderr))
    })?;
    let figure = |path: &str| summary.pointer(path).and_then(serde_json::Value::as_f64);
    let overall = || {
        Some(Outcome {
            requests: figure("/overall/requests")? as u64,
            mean_ms: figure("/overall/latency_ms/answered/mean/mean")?,
            p99_ms: figure("/overall/latency_ms/answered/p99/mean")?,
        })
    };
    overall().ok_or_else(|| "the summary lacks requests or latency".to_owned())
}

/// Instructions per request: two runs under callgrind, so that set-up cancels.
fn instructions(workload: Workload, engine: Engine) -> Result<f64, String> {
    const SHORT: u64 = 20_000;
    const LONG: u64 = 100_000;
    let total = |requests: u64| match engine {
        Engine::Product => callgrind(&product_command(workload, requests, 1)),
        Engine::Reference => {
            let own = std::env::current_exe().map_err(|e| e.to_string())?;
            let (name, requests) = (workload.name(), requests.to_string());
            let own = own.to_string_lossy();
            let command = [&own, "--once", "--only", &name, "--requests", &requests];
            callgrind(&command.map(str::to_owned))
        }
    };
    Ok((total(LONG)? - total(SHORT)?) / (LONG - SHORT) as f64)
}

/// Instructions of one command, all threads together.
fn callgrind(command: &[String]) -> Result<f64, String> {
    let done = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(command)
        .output()
        .map_err(|e| format!("valgrind does not start ({e}); is it installed?"))?;
    let text = String::from_utf8_lossy(&done.stderr);
    let collected = text.lines().find_map(|line| line.split("Collected :").nth(1));
    if !done.status.success() {
        return Err(format!("this failed under valgrind: {}\n{text}", command.join(" ")));
    }
    collected
        .and_then(|rest| rest.trim().parse().ok())
        .ok_or(format!("valgrind did not say what it collected:\n{text}"))
}
