//! The files under `scenarios/theory/`, one test each: every expectation holds, at every point.
//!
//! A case runs on one thread and exactly as long as its file says, so the tests of several files
//! run beside each other. An expectation that is undecided does not hold.

use super::rhythm;
use simscale::experiment::verdict::Verdict;
use simscale::experiment::verify::{Case, Expectation};
use simscale::experiment::{Experiment, Outcome};
use simscale::language::{RenderOptions, render};
use simscale::scenario::file::{Request, load_all};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// One test per file, and the list of all files.
macro_rules! cases {
    ($($test:ident $file:literal),* $(,)?) => {
        const FILES: &[&str] = &[$($file),*];
        $(#[test]
        fn $test() {
            check($file);
        })*
    };
}

cases! {
    asc_01 "asc-01", asc_04 "asc-04", asc_05 "asc-05",
    avl_05 "avl-05",
    cac_01 "cac-01", cac_02 "cac-02", cac_03 "cac-03", cac_04 "cac-04", cac_05 "cac-05",
    cac_06 "cac-06", cac_07 "cac-07", cac_08 "cac-08", cac_09 "cac-09",
    lb_01 "lb-01", lb_02 "lb-02", lb_03 "lb-03", lb_04 "lb-04", lb_05 "lb-05", lb_06 "lb-06",
    lb_07 "lb-07", lb_08 "lb-08", lb_09 "lb-09",
    net_01 "net-01", net_02 "net-02", net_03 "net-03", net_04 "net-04",
    que_01 "que-01", que_02 "que-02", que_03 "que-03", que_04 "que-04", que_05 "que-05",
    que_06 "que-06", que_07 "que-07", que_08 "que-08", que_09 "que-09", que_10 "que-10",
    que_11 "que-11", que_12 "que-12", que_13 "que-13", que_14 "que-14", que_15 "que-15",
    que_16 "que-16", que_17 "que-17", que_18 "que-18", que_19 "que-19", que_20 "que-20",
    que_21 "que-21", que_22 "que-22",
    rep_01 "rep-01", rep_02 "rep-02", rep_03 "rep-03", rep_04 "rep-04", rep_06 "rep-06",
    rep_07 "rep-07", rep_08 "rep-08", rep_09 "rep-09",
    rty_04 "rty-04",
}

/// Not in the list above: it is run once, for its expectations and for the wave.
const RHYTHM: &str = "que-23";

/// Likewise: for its expectations and for the time that the backlog takes to go.
const STEP: &str = "asc-03";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/theory")
}

#[test]
fn every_file_is_a_test() {
    let entries = std::fs::read_dir(folder()).expect("the folder is there");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    let found: BTreeSet<String> =
        names.filter_map(|name| Some(name.strip_suffix(".yaml")?.to_owned())).collect();
    let tested: BTreeSet<String> =
        FILES.iter().chain([&RHYTHM, &STEP]).map(|&f| f.to_owned()).collect();
    assert_eq!(found, tested);
}

fn check(name: &str) {
    simulate(name);
}

/// Runs every point of a file, or the file where it has none, and asserts all that it expects.
fn simulate(name: &str) -> Vec<(Experiment, Outcome)> {
    let clock = Instant::now();
    let case = read(name);
    let outcomes = case.run().unwrap_or_else(|error| panic!("{error}"));
    let verified = case.judge(&outcomes);
    let (hold, all) = (verified.count(Verdict::Holds), verified.expectations.len());
    assert!(all > 0, "{name} expects nothing");
    let wrong: Vec<String> = verified
        .expectations
        .iter()
        .filter(|one| one.judged.verdict != Verdict::Holds)
        .map(|Expectation { point, judged }| {
            let point = point.as_deref().unwrap_or("the file, or points compared");
            let note = judged.note.as_deref().unwrap_or_default();
            let verdict = judged.verdict.word();
            format!("  {point}: {verdict}: {}: {:?} {note}", judged.expression, judged.value)
        })
        .collect();
    // Not through the captured print: who waits for minutes wants to see something move.
    let seconds = clock.elapsed().as_secs_f64();
    let line = format!("theory {name}: {hold} of {all} expectations hold, {seconds:.1} s\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
    case.points.into_iter().zip(outcomes).collect()
}

fn read(name: &str) -> Case {
    let file = format!("{name}.yaml");
    let path = folder().join(&file);
    let path = path.to_string_lossy();
    let request = Request { path: &path, ..Request::default() };
    let mut loaded = load_all(request, &mut |path| std::fs::read(path));
    let case = Case::of(&mut loaded, &path, &file);
    let mistakes = render(&loaded.sources, &loaded.diagnostics, RenderOptions::default());
    case.unwrap_or_else(|| panic!("{name}:\n{mistakes}"))
}

/// The line at the end of `simscale verify`, which the README shows.
#[test]
fn the_readme_says_how_many_cases_and_expectations_there_are() {
    let files = FILES.iter().chain([&RHYTHM, &STEP]);
    let expectations: usize = files.clone().map(|name| read(name).expectations()).sum();
    let line = format!("theory: {} cases, {expectations} expectations: all hold", files.count());
    for page in ["README.md", "scenarios/theory/README.md"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
        let text = std::fs::read_to_string(path).expect("the page is there");
        assert!(text.contains(&line), "{page} does not say `{line}`");
    }
}

/// The mean number present at a component by window, over all replications, and the length of a
/// window in seconds.
fn present((experiment, outcome): &(Experiment, Outcome), name: &str) -> (Vec<f64>, f64) {
    let mut components = experiment.plan.topology.components.iter();
    let place = components.position(|one| one.name == name).expect("the case has the component");
    let window_s = experiment.plan.window.window.0 as f64 / 1e9;
    let present = |one: &simscale::world::Observations| -> Vec<f64> {
        let series = one.ledger.components[place].present.series();
        let (_, integrals) = series.expect("the number present is kept by window");
        integrals.iter().map(|&sum| sum as f64 / 1e9 / window_s).collect()
    };
    let series: Vec<Vec<f64>> = outcome.observed.iter().map(present).collect();
    let mean =
        |window: usize| series.iter().map(|one| one[window]).sum::<f64>() / series.len() as f64;
    ((0..series[0].len()).map(mean).collect(), window_s)
}

#[test]
fn asc_03() {
    let runs = simulate(STEP);
    let (windows, window_s) = present(&runs[0], "web");
    // The capacity comes 60 s after the step at 10 s. A queue is empty when no more are present
    // than with 20 servers at 70 % and no backlog: 14, and some more for the queues before them.
    let from = (70.0 / window_s) as usize;
    let empty = windows[from..].iter().position(|&present| present < 30.0);
    let took_s = empty.expect("the backlog goes") as f64 * window_s;
    assert!((took_s / 40.0 - 1.0).abs() < 0.1, "{took_s} s to an empty queue instead of 40 s");
}

#[test]
fn que_23() {
    let runs = simulate(RHYTHM);
    let (windows, window_s) = present(&runs[0], "server");
    let wave = rhythm::fit(&windows, window_s, 120.0);
    let near = |value: f64, expected: f64, tolerance: f64| {
        assert!((value / expected - 1.0).abs() < tolerance, "{value} for {expected}: {wave:?}");
    };
    near(wave.amplitude, 265.772, 0.02);
    near(wave.mean + wave.amplitude, 765.772, 0.01);
    // The load crosses its mean 30 s before its peak at 50.78783 s.
    near(wave.lag_s - 20.78783, 9.21217, 0.05);
}
