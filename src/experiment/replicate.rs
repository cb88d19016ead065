//! Running replications in parallel: the only user of threads.
//!
//! Results stand in the order of their numbers whatever the number of threads, and every complete
//! replication is audited. It does not know what the results are for.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::units::Duration;
use crate::world::audit::audit;
use crate::world::{Conditions, Observations, Plan, simulate};

/// Why an experiment has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunError {
    /// A replication broke a law that always holds: a bug of the program.
    Bug {
        /// Seed of the run.
        seed: u64,
        /// Number of the replication.
        replication: u32,
        /// What does not add up.
        findings: Vec<String>,
    },
    /// It was broken off before any replication was complete.
    Interrupted,
    /// The machine gives no threads.
    Threads(String),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bug { seed, replication, findings } => {
                write!(f, "simscale bug: the books of a run do not balance; please report it ")?;
                write!(f, "with the scenario, seed {seed} replication {replication}")?;
                findings.iter().try_for_each(|finding| write!(f, "\n  {finding}"))
            }
            Self::Interrupted => f.write_str("interrupted before a replication was complete"),
            Self::Threads(why) => write!(f, "no threads to run on: {why}"),
        }
    }
}

impl std::error::Error for RunError {}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Replications done.
    pub done: u32,
    /// Replications planned so far.
    pub planned: u32,
}

/// Threads on which replications run, and the ways to watch and stop them.
pub struct Replicator<'a> {
    pool: ThreadPool,
    stop: &'a AtomicBool,
    progress: &'a (dyn Fn(Progress) + Sync),
    done: AtomicU32,
}

impl<'a> Replicator<'a> {
    /// So many threads; `progress` is called from any of them.
    pub fn new(
        jobs: usize,
        stop: &'a AtomicBool,
        progress: &'a (dyn Fn(Progress) + Sync),
    ) -> Result<Self, RunError> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(jobs.max(1))
            .build()
            .map_err(|error| RunError::Threads(error.to_string()))?;
        Ok(Self { pool, stop, progress, done: AtomicU32::new(0) })
    }

    /// Whether the run has been told to stop.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The flag that stops the run.
    pub fn stop_flag(&self) -> &AtomicBool {
        self.stop
    }

    /// Number of threads.
    pub fn jobs(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Runs the replications of these numbers; from the first that was broken off on they are left
    /// out.
    pub fn run(
        &self,
        plan: &Plan,
        seed: u64,
        warmup: Duration,
        numbers: Range<u32>,
    ) -> Result<Vec<Observations>, RunError> {
        let planned = self.done.load(Ordering::Relaxed) + numbers.len() as u32;
        (self.progress)(Progress { done: planned - numbers.len() as u32, planned });
        let one = |replication| {
            let stop = Some(self.stop);
            let conditions = Conditions { seed, replication, warmup, faults: true, stop };
            let observed = self.audited(plan, conditions)?;
            if observed.is_some() {
                let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
                (self.progress)(Progress { done, planned });
            }
            Ok(observed)
        };
        // One replication is one job: nothing is gained by handing out several at once.
        let all = || numbers.into_par_iter().with_max_len(1).map(one).collect::<Vec<_>>();
        let all: Vec<Option<Observations>> =
            self.pool.install(all).into_iter().collect::<Result<_, _>>()?;
        // What was complete behind one that was broken off would stand at the wrong number.
        Ok(all.into_iter().map_while(|one| one).collect())
    }

    /// Does something for each number below `count`, on the same threads; results stand in order.
    pub fn each<T: Send>(&self, count: u32, one: impl Fn(u32) -> T + Sync) -> Vec<T> {
        let all = || (0..count).into_par_iter().with_max_len(1).map(&one).collect();
        self.pool.install(all)
    }

    /// Runs one replication and checks its books; none if it was broken off.
    pub fn audited(
        &self,
        plan: &Plan,
        conditions: Conditions<'_>,
    ) -> Result<Option<Observations>, RunError> {
        if self.stopped() {
            return Ok(None);
        }
        let (seed, replication) = (conditions.seed, conditions.replication);
        let observed = simulate(plan, conditions);
        let findings = audit(&observed, &plan.topology);
        match findings.is_empty() {
            false => Err(RunError::Bug { seed, replication, findings }),
            true => Ok((!observed.interrupted).then_some(observed)),
        }
    }
}

/// Does so many pieces of work on so many threads; the results stand in the order of the pieces.
///
/// Threads take the pieces in their order, each the next that nobody has begun.
pub fn side_by_side<T: Send>(
    jobs: usize,
    pieces: usize,
    work: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let mine = || {
        let taken = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)));
        taken.take_while(|&piece| piece < pieces).map(|piece| (piece, work(piece))).collect()
    };
    let mut done: Vec<(usize, T)> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..jobs.clamp(1, pieces.max(1))).map(|_| scope.spawn(mine)).collect();
        let ended = threads.into_iter().map(|thread| thread.join());
        let whole = |part: std::thread::Result<Vec<_>>| {
            part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        ended.flat_map(whole).collect()
    });
    done.sort_by_key(|&(piece, _)| piece);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::fixture;

    const SECOND: Duration = Duration(1_000_000_000);

    fn means(jobs: usize, stop: bool) -> Vec<Option<f64>> {
        let plan = fixture::queue(50.0, 10.0, 20);
        let stop = AtomicBool::new(stop);
        let replicator = Replicator::new(jobs, &stop, &|_| {}).expect("threads");
        let observed = replicator.run(&plan, 7, SECOND, 0..5).expect("no bug");
        observed.iter().map(|one| one.users[0].latency.mean()).collect()
    }

    #[test]
    fn the_order_is_that_of_the_numbers_whatever_the_threads() {
        let one = means(1, false);
        assert_eq!(one.len(), 5);
        assert_eq!(one, means(3, false));
        assert_ne!(one[0], one[1]);
    }

    #[test]
    fn pieces_stand_in_their_order_whatever_the_threads() {
        for jobs in [0, 1, 3, 50] {
            let squares = side_by_side(jobs, 20, |piece| piece * piece);
            assert_eq!(squares, (0..20).map(|piece| piece * piece).collect::<Vec<_>>());
        }
        assert_eq!(side_by_side(2, 0, |piece| piece), [0; 0]);
    }

    #[test]
    fn a_stopped_run_keeps_only_what_is_complete() {
        assert_eq!(means(2, true), []);
    }

    #[test]
    fn progress_counts_every_replication() {
        let plan = fixture::queue(50.0, 10.0, 5);
        let (stop, calls) = (AtomicBool::new(false), AtomicU32::new(0));
        let last = AtomicU32::new(0);
        let progress = |now: Progress| {
            calls.fetch_add(1, Ordering::Relaxed);
            last.fetch_max(now.done, Ordering::Relaxed);
            assert!(now.planned == 3 || now.planned == 5);
        };
        let replicator = Replicator::new(2, &stop, &progress).expect("threads");
        replicator.run(&plan, 7, SECOND, 0..3).expect("no bug");
        replicator.run(&plan, 7, SECOND, 3..5).expect("no bug");
        assert_eq!((calls.into_inner(), last.into_inner()), (7, 5));
    }

    #[test]
    fn a_bug_names_seed_and_replication() {
        let bug =
            RunError::Bug { seed: 3, replication: 4, findings: vec!["web: one lost".to_owned()] };
        let text = bug.to_string();
        assert!(text.starts_with("simscale bug: "), "{text}");
        assert!(text.ends_with("seed 3 replication 4\n  web: one lost"), "{text}");
    }
}
