//! Verifying files with known answers: every expectation of every file, at all points of its sweep.
//!
//! A case runs exactly as long as its file says; no open verdict makes it longer, because the
//! tolerances are those of that much data. A point runs on one thread, and points beside each
//! other. It knows what was expected, measured and found, not where the expected value comes from:
//! that is the file's own word.

use super::judge::{Question, Replications};
use super::prepare::{Experiment, across, prepare};
use super::replicate::{Progress, RunError, side_by_side};
use super::run::{Control, Outcome};
use super::summary::Judged;
use super::verdict::Verdict;
use crate::language::Diagnostics;
use crate::scenario::file::Loaded;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// A file that was read without mistakes, and what it expects.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its path as it was given.
    pub path: String,
    /// Its title; its name without the extension where it has none.
    pub title: String,
    /// Where its figures come from, as its header says.
    pub sources: Vec<String>,
    /// All points of its sweep, or the file as written where it has none.
    pub points: Vec<Experiment>,
    /// What it expects of points compared with one another.
    across: Vec<Question>,
}

/// What the expectations of one file came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// Its path as it was given.
    pub path: String,
    /// Its title.
    pub title: String,
    /// Where its figures come from; a file without a source proves little.
    pub sources: Vec<String>,
    /// What it expects of each point in turn, and then of points compared.
    pub expectations: Vec<Expectation>,
}

/// One expectation at one point.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// The point of the sweep; none for a file without points, or where points are compared.
    pub point: Option<String>,
    /// Expected and measured value, and the verdict.
    pub judged: Judged,
}

/// What several files came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Verification {
    /// What the files are called together: `theory`.
    pub name: String,
    /// The files that are complete, in the order in which they were given.
    pub files: Vec<Verified>,
    /// Files that are not, because the run was broken off.
    pub incomplete: usize,
}

impl Case {
    /// The case of a file that was read with all its points; `file` is the last component of its
    /// path. None where the file has a mistake; those found here are added to the others.
    pub fn of(loaded: &mut Loaded, path: &str, file: &str) -> Option<Self> {
        let mut points = prepare(loaded, file);
        let resolved = loaded.scenarios.first()?;
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let title = resolved.scenario.name.clone().unwrap_or_else(|| stem.to_owned());
        let sources = resolved.sources.clone();
        if !loaded.points.is_empty() {
            points.retain(|experiment| experiment.point.is_some());
        }
        // Mistakes in these were found by `prepare`.
        let across = across(loaded, &points, &mut Diagnostics::new());
        let path = path.to_owned();
        (!points.is_empty()).then_some(Self { path, title, sources, points, across })
    }

    /// How many expectations it has, over all points.
    pub fn expectations(&self) -> usize {
        self.points.iter().map(|point| point.expect.len()).sum::<usize>() + self.across.len()
    }

    /// Runs all points, one after the other on one thread.
    pub fn run(&self) -> Result<Vec<Outcome>, RunError> {
        self.points.iter().map(|point| point.run(Control::default())).collect()
    }

    /// Judges what its points came to; there is an outcome for each, in their order.
    pub fn judge(&self, outcomes: &[Outcome]) -> Verified {
        assert_eq!(outcomes.len(), self.points.len(), "each point has an outcome");
        let mut expectations = Vec::new();
        for (point, outcome) in self.points.iter().zip(outcomes) {
            let of = |judged: &Judged| Expectation {
                point: point.point.clone(),
                judged: judged.clone(),
            };
            expectations.extend(outcome.summary.expect.iter().map(of));
        }
        let pairs = self.points.iter().zip(outcomes);
        let replications: Vec<Replications<'_>> = pairs
            .map(|(one, outcome)| Replications { plan: &one.plan, observed: &outcome.observed })
            .collect();
        let compared = self.across.iter().map(|question| question.judge(&replications));
        expectations.extend(compared.map(|judged| Expectation { point: None, judged }));
        let (path, title) = (self.path.clone(), self.title.clone());
        Verified { path, title, sources: self.sources.clone(), expectations }
    }
}

impl Verified {
    /// How many expectations came to this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.expectations.iter().filter(|one| one.judged.verdict == verdict).count()
    }

    /// The verdict on all expectations together.
    pub fn verdict(&self) -> Verdict {
        Verdict::all(self.expectations.iter().map(|one| one.judged.verdict))
    }

    /// The deviation that is the farthest from zero among the values that are expected within a
    /// tolerance, in standard errors.
    pub fn largest_deviation(&self) -> Option<f64> {
        let within = self.expectations.iter().filter(|one| one.judged.demand.is_two_sided());
        let deviations = within.filter_map(|one| one.judged.deviation());
        deviations.max_by(|a, b| a.abs().total_cmp(&b.abs()))
    }
}

impl Verification {
    /// How many expectations there are in the files that are complete.
    pub fn expectations(&self) -> usize {
        self.files.iter().map(|file| file.expectations.len()).sum()
    }

    /// How many of them came to this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.files.iter().map(|file| file.count(verdict)).sum()
    }

    /// The verdict on all of them together.
    pub fn verdict(&self) -> Verdict {
        Verdict::all(self.files.iter().map(Verified::verdict))
    }
}

/// How many threads, and who watches and stops them.
#[derive(Clone, Copy)]
pub struct Watched<'a> {
    /// Threads; results do not depend on it.
    pub jobs: usize,
    /// Set from outside, it ends the run: files that are not complete are left out.
    pub stop: &'a AtomicBool,
    /// Told of each point that is done, from any thread.
    pub progress: &'a (dyn Fn(Progress) + Sync),
}

/// Runs all points of all cases and judges them.
pub fn verify(name: &str, cases: &[Case], watched: Watched<'_>) -> Result<Verification, RunError> {
    let of = |case: usize| (0..cases[case].points.len()).map(move |point| (case, point));
    let pieces: Vec<(usize, usize)> = (0..cases.len()).flat_map(of).collect();
    let collected: Vec<Collected<'_>> = cases.iter().map(Collected::new).collect();
    let (planned, done) = (pieces.len() as u32, AtomicU32::new(0));
    (watched.progress)(Progress { done: 0, planned });
    let work = |piece: usize| {
        let (case, point) = pieces[piece];
        let control = Control { stop: watched.stop, ..Control::default() };
        let outcome = match cases[case].points[point].run(control) {
            Ok(outcome) if !outcome.interrupted => outcome,
            Ok(_) | Err(RunError::Interrupted) => return Ok(None),
            Err(error) => return Err(error),
        };
        let verified = collected[case].add(point, outcome);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        (watched.progress)(Progress { done, planned });
        Ok(verified.map(|verified| (case, verified)))
    };
    let ended: Result<Vec<_>, RunError> =
        side_by_side(watched.jobs, pieces.len(), work).into_iter().collect();
    let mut complete: Vec<(usize, Verified)> = ended?.into_iter().flatten().collect();
    complete.sort_by_key(|&(case, _)| case);
    let files: Vec<Verified> = complete.into_iter().map(|(_, verified)| verified).collect();
    Ok(Verification { name: name.to_owned(), incomplete: cases.len() - files.len(), files })
}

/// The outcomes of a case so far. They go as soon as they are judged, because what all points of
/// all files have observed would fill the memory.
struct Collected<'a> {
    case: &'a Case,
    outcomes: Mutex<Vec<Option<Outcome>>>,
}

impl<'a> Collected<'a> {
    fn new(case: &'a Case) -> Self {
        Self { case, outcomes: Mutex::new(vec![None; case.points.len()]) }
    }

    /// Adds the outcome of a point; the last one brings the verdicts on all.
    fn add(&self, point: usize, outcome: Outcome) -> Option<Verified> {
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes[point] = Some(outcome);
        if outcomes.iter().any(Option::is_none) {
            return None;
        }
        let all: Vec<Outcome> = std::mem::take(&mut *outcomes).into_iter().flatten().collect();
        Some(self.case.judge(&all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::file::{Request, load_all};

    /// A queue of 80 % load, for as long as it takes to tell 40 ms from 50.
    fn case(expect: &str) -> Option<Case> {
        let text = format!(
            "
users: {{ rate: 50/s, client: {{ timeout: none }} }}
entry: server
components:
  server:
    kind: service
    machine: {{ cores: 1 }}
    workers: 1
    queue: unlimited
    work: {{ exponential: 10ms }}
network: none
run: {{ duration: 200s, warmup: 10s, replications: 5 }}
source: a formula
{expect}
"
        );
        let request = Request { path: "a/queue.yaml", ..Request::default() };
        let mut loaded = load_all(request, &mut |_| Ok(text.clone().into()));
        Case::of(&mut loaded, "a/queue.yaml", "queue.yaml")
    }

    fn verified(expect: &str) -> Verified {
        let case = case(expect).expect("the text has no mistakes");
        case.judge(&case.run().expect("it runs"))
    }

    #[test]
    fn a_known_mean_holds_a_wrong_one_fails_and_a_wide_interval_is_undecided() {
        let file = verified(
            "expect: [ mean == 20ms within 10%, mean == 30ms within 10%, \
             mean == 20ms within 0.1%, mean < 30ms, throughput > 70/s ]",
        );
        let verdicts: Vec<Verdict> =
            file.expectations.iter().map(|one| one.judged.verdict).collect();
        use Verdict::{Fails, Holds, Undecided};
        assert_eq!(verdicts, [Holds, Fails, Undecided, Holds, Fails]);
        assert_eq!((file.count(Holds), file.verdict()), (2, Fails));
        assert_eq!((file.title.as_str(), &file.sources[..]), ("queue", &["a formula".into()][..]));
        let deviations: Vec<f64> =
            file.expectations.iter().filter_map(|one| one.judged.deviation()).collect();
        assert!(deviations[0].abs() < 4.5 && deviations[0] == deviations[2], "{deviations:?}");
        // Below what is expected, and below what is demanded at most.
        assert!(deviations[1] < -4.5 && deviations[1] == deviations[3], "{deviations:?}");
        assert_eq!(file.largest_deviation(), Some(deviations[1]));
    }

    #[test]
    fn a_deviation_is_the_distance_in_standard_errors_of_the_replications() {
        let file = verified("expect: [ mean == 20ms within 10% ]");
        let case = case("expect: [ mean == 20ms within 10% ]").expect("no mistakes");
        let outcomes = case.run().expect("it runs");
        let means: Vec<f64> = outcomes[0]
            .observed
            .iter()
            .map(|one| one.users[0].latency.mean().expect("answers") / 1e6)
            .collect();
        let mean = means.iter().sum::<f64>() / 5.0;
        let squares: f64 = means.iter().map(|one| (one - mean).powi(2)).sum();
        let expected = (mean - 20.0) / (squares / 4.0 / 5.0).sqrt();
        let found = file.expectations[0].judged.deviation().expect("there are five replications");
        assert!((found / expected - 1.0).abs() < 1e-6, "{found} for {expected}");
    }

    #[test]
    fn points_take_the_place_of_the_file_and_are_compared() {
        let sweep = "
expect: [ mean > 1ms, fast.throughput / slow.throughput == 4 within 10% ]
sweep: { points: [ { name: slow, users.rate: 20/s }, { name: fast, users.rate: 80/s } ] }
";
        let file = verified(sweep);
        let points: Vec<Option<&str>> =
            file.expectations.iter().map(|one| one.point.as_deref()).collect();
        assert_eq!(points, [Some("slow"), Some("fast"), None]);
        assert_eq!(file.verdict(), Verdict::Holds);
        assert_eq!(case(sweep).expect("no mistakes").expectations(), 3);
    }

    #[test]
    fn a_mistake_leaves_no_case() {
        assert!(case("expect: [ server.hit_ratio == 1 ]").is_none());
        assert!(case("expct: []").is_none());
    }

    #[test]
    fn several_files_are_the_same_on_any_number_of_threads_and_nothing_when_stopped() {
        let texts = ["expect: [ mean > 1ms ]", "expect: [ p50 > 1s, p99 < 1s ]"];
        let cases: Vec<Case> = texts.iter().filter_map(|text| case(text)).collect();
        let run = |jobs: usize, stop: bool| {
            let stop = AtomicBool::new(stop);
            let watched = Watched { jobs, stop: &stop, progress: &|_| () };
            verify("two", &cases, watched).expect("no bug")
        };
        let one = run(1, false);
        assert_eq!((one.expectations(), one.count(Verdict::Holds)), (3, 2));
        assert_eq!((one.verdict(), one.incomplete), (Verdict::Fails, 0));
        assert_eq!(one, run(3, false));
        let stopped = run(2, true);
        assert_eq!((stopped.files.len(), stopped.incomplete), (0, 2));
    }
}
