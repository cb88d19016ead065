//! The pilot: one run of the healthy system from its start, which shows how long it takes to
//! settle and how much there is to compute.
//!
//! It has no faults, and its load stays as the profile has it at time 0, because that is the load
//! of the warm-up. Its figures enter no result but the length of the warm-up; the clock of the
//! machine enters only the forecast of the time that the run will take.

use std::time::Instant as Clock;

use super::replicate::{Replicator, RunError};
use super::warmup::{Cut, fill_gaps, largest, mser5};
use crate::units::{Duration, Instant, Rate};
use crate::world::users::load::Source;
use crate::world::users::profile::ProfilePlan;
use crate::world::{Conditions, Observations, Plan};

/// Number of the replication that no run reaches.
const REPLICATION: u32 = u32::MAX;
/// Number of windows that the course of the pilot is cut into.
const WINDOWS: i64 = 500;
/// A pilot is at least this long, unless the run is shorter.
const DURATION_MIN_S: f64 = 120.0;
/// A pilot lasts until about so many requests have been sent, unless the run is shorter.
const REQUESTS: f64 = 100_000.0;
/// A pilot that has not settled is repeated so many times as long, up to the length of the run.
const LONGER: f64 = 5.0;
/// Below this number of requests nobody needs a forecast of the time that they take.
const FORECAST_FROM: f64 = 500_000.0;
/// A forecast without a pilot comes from a run of about so many requests.
const CALIBRATION: f64 = 10_000.0;

/// What a pilot has shown.
#[derive(Clone, Copy, Debug)]
pub struct Pilot {
    /// The time that the system needs to settle.
    pub warmup: Duration,
    /// Whether it had settled by the middle of the pilot.
    pub settled: bool,
    /// How fast it ran.
    pub speed: Speed,
}

/// What running a plan costs.
#[derive(Clone, Copy, Debug)]
pub struct Speed {
    /// Requests in a second of scenario time.
    pub requests_per_s: f64,
    /// Events in a second of scenario time.
    pub events_per_s: f64,
    /// Events handled in a second of the machine's time.
    pub events_per_wall_s: f64,
}

/// What lies ahead of a run, for the terminal only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Workload {
    /// User requests of all replications, those of the warm-up included.
    pub requests: f64,
    /// Events to handle; absent for a run too short to need it.
    pub events: Option<f64>,
    /// Seconds that it takes on this machine; absent likewise.
    pub wall_s: Option<f64>,
}

/// Runs the pilot of a plan; none when it was broken off.
pub fn pilot(
    plan: &Plan,
    seed: u64,
    replicator: &Replicator<'_>,
) -> Result<Option<Pilot>, RunError> {
    let longest = plan.window.duration.0 as f64 / 1e9;
    let mut seconds = (REQUESTS / request_rate(plan)).max(DURATION_MIN_S);
    loop {
        let Some((observed, speed)) = healthy(plan, seconds, seed, replicator)? else {
            return Ok(None);
        };
        let pilot = settling(&observed, speed);
        if pilot.settled || seconds >= longest {
            return Ok(Some(pilot));
        }
        seconds *= LONGER;
    }
}

/// When the system had settled, as the course of its figures shows.
fn settling(observed: &Observations, speed: Speed) -> Pilot {
    let courses = Courses::of(observed);
    let others = courses.others.iter().filter_map(|course| mser5(course));
    // What has not settled for the users has not settled; the rest may only ask for more time.
    let users: Vec<Cut> = courses.users.iter().filter_map(|course| mser5(course)).collect();
    let settled = users.iter().all(|cut| cut.settled);
    let windows = largest(others.chain(users)).map_or(0, |cut| cut.windows);
    let warmup = round_up(windows as i64 * observed.ledger.measure.window_ns);
    Pilot { warmup, settled, speed }
}

/// How much there is to do; runs a little of the plan where no pilot has been run and it matters.
pub fn workload(
    plan: &Plan,
    (seed, replications): (u64, u32),
    warmup: Duration,
    pilot: Option<&Pilot>,
    replicator: &Replicator<'_>,
) -> Result<Workload, RunError> {
    let seconds = (plan.window.duration.0 + warmup.0) as f64 / 1e9 * f64::from(replications);
    let planned = request_rate(plan) * seconds * mean_factor(plan);
    let speed = match pilot {
        Some(pilot) => Some(pilot.speed),
        None if planned < FORECAST_FROM => None,
        None => {
            let seconds = CALIBRATION / request_rate(plan);
            healthy(plan, seconds, seed, replicator)?.map(|(_, speed)| speed)
        }
    };
    let Some(speed) = speed else {
        return Ok(Workload { requests: planned, events: None, wall_s: None });
    };
    let events = speed.events_per_s * seconds * mean_factor(plan);
    let threads = (replicator.jobs() as f64).min(f64::from(replications)).max(1.0);
    Ok(Workload {
        requests: speed.requests_per_s * seconds * mean_factor(plan),
        events: Some(events),
        wall_s: Some(events / speed.events_per_wall_s / threads),
    })
}

/// Requests per second at time 0, loads of pages included; for closed users the most that they
/// can send.
pub fn request_rate(plan: &Plan) -> f64 {
    operation_rates(plan).iter().sum::<f64>().max(1e-9)
}

/// The same of each operation.
pub fn operation_rates(plan: &Plan) -> Vec<f64> {
    let users = &plan.users;
    let started = match &users.source {
        Source::Open { rate, arrivals, profile } => {
            rate.0 * arrivals.mean_factor() * profile.factor_at(Instant::ZERO)
        }
        Source::Closed { think } => f64::from(users.count) * 1e9 / think.mean_ns().max(1e6),
    };
    let shares = users.shares();
    // What is only loaded by others comes last and has no share.
    let mut rates = vec![0.0; users.operations.len()];
    for (index, (share, operation)) in shares.iter().zip(&users.operations).enumerate() {
        rates[index] += share * started;
        for loaded in operation.loads.iter().flat_map(|loads| &loads.requests) {
            rates[loaded.index()] += share * started;
        }
    }
    rates
}

/// The mean load of the measured time over that at time 0.
fn mean_factor(plan: &Plan) -> f64 {
    let Source::Open { profile, .. } = &plan.users.source else { return 1.0 };
    let at_start = profile.factor_at(Instant::ZERO);
    let end = Instant(plan.window.duration.0);
    if at_start <= 0.0 || end <= Instant::ZERO {
        return 1.0;
    }
    profile.mean_factor(Instant::ZERO, end) / at_start
}

/// Runs the healthy twin from its start, for at most as long as the plan's measured time.
fn healthy(
    plan: &Plan,
    seconds: f64,
    seed: u64,
    replicator: &Replicator<'_>,
) -> Result<Option<(Observations, Speed)>, RunError> {
    let longest = plan.window.duration.0;
    let duration = ((seconds * 1e9).min(longest as f64) as i64).max(1);
    let mut twin = plan.clone();
    twin.window.duration = Duration(duration);
    twin.window.window = Duration((duration / WINDOWS).max(1));
    if let Source::Open { rate, profile, .. } = &mut twin.users.source {
        *rate = Rate(rate.0 * profile.factor_at(Instant::ZERO));
        *profile = ProfilePlan::constant();
    }
    let (warmup, stop) = (Duration(0), replicator.stop_flag());
    let conditions =
        Conditions { seed, replication: REPLICATION, warmup, faults: false, stop: Some(stop) };
    let clock = Clock::now();
    let Some(observed) = replicator.audited(&twin, conditions)? else { return Ok(None) };
    let wall_s = clock.elapsed().as_secs_f64().max(1e-6);
    let offered: u64 = observed.users.iter().map(|ledger| ledger.offered).sum();
    let (events, seconds) = (observed.events as f64, duration as f64 / 1e9);
    let speed = Speed {
        requests_per_s: offered as f64 / seconds,
        events_per_s: events / seconds,
        events_per_wall_s: (events / wall_s).max(1.0),
    };
    Ok(Some((observed, speed)))
}

/// How the figures that must settle moved during the pilot, window by window, without gaps.
struct Courses {
    /// Latency of the answered, and requests in the system.
    users: Vec<Vec<f64>>,
    /// Calls present at each component, and the ratios.
    others: Vec<Vec<f64>>,
}

impl Courses {
    fn of(observed: &Observations) -> Self {
        let present = |component: usize| -> Vec<f64> {
            let series = observed.ledger.components[component].present.series();
            series.map_or(Vec::new(), |(_, sums)| sums.iter().map(|&sum| sum as f64).collect())
        };
        let components = 1..observed.ledger.components.len();
        let ratios = observed.figures.iter().flat_map(|figures| &figures.ratios);
        let ratios = ratios.map(|ratio| course(&ratio.parts, &ratio.of));
        Self {
            users: vec![latency(observed), present(0)],
            others: components.map(present).chain(ratios).collect(),
        }
    }
}

fn latency(observed: &Observations) -> Vec<f64> {
    let Some(first) = observed.users.first() else { return Vec::new() };
    let mut all = first.latency_series.clone();
    observed.users[1..].iter().for_each(|ledger| all.merge(&ledger.latency_series));
    fill_gaps(all.means())
}

fn course(parts: &[u64], of: &[u64]) -> Vec<f64> {
    let share = |(&part, &of): (&u64, &u64)| (of > 0).then(|| part as f64 / of as f64);
    fill_gaps(parts.iter().zip(of).map(share))
}

/// Up to the next whole second, or millisecond below one.
fn round_up(nanoseconds: i64) -> Duration {
    let step = if nanoseconds >= 1_000_000_000 { 1_000_000_000 } else { 1_000_000 };
    Duration((nanoseconds + step - 1) / step * step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::fixture;
    use crate::units::Factor;
    use std::sync::atomic::AtomicBool;

    fn with_replicator<T>(test: impl FnOnce(&Replicator<'_>) -> T) -> T {
        let stop = AtomicBool::new(false);
        test(&Replicator::new(1, &stop, &|_| {}).expect("threads"))
    }

    fn pilot_of(plan: &Plan) -> Pilot {
        with_replicator(|replicator| pilot(plan, 1, replicator).expect("no bug").expect("runs"))
    }

    #[test]
    fn a_light_load_settles_and_an_overload_does_not() {
        let light = pilot_of(&fixture::queue(50.0, 10.0, 300));
        assert!(light.settled && light.warmup <= Duration(150 * fixture::SECOND), "{light:?}");
        let over = pilot_of(&fixture::queue(150.0, 10.0, 300));
        assert!(!over.settled, "{over:?}");
        assert_eq!(over.warmup, Duration(150 * fixture::SECOND));
    }

    #[test]
    fn the_pilot_is_that_of_the_healthy_system_under_the_load_of_time_zero() {
        let healthy = fixture::queue(50.0, 10.0, 300);
        let mut troubled = fixture::with_fault(healthy.clone(), 10, 250);
        let Source::Open { rate, profile, .. } = &mut troubled.users.source else { panic!("open") };
        *rate = Rate(25.0);
        let over = Duration(300 * fixture::SECOND);
        *profile = ProfilePlan::ramp(Factor(2.0), Factor(9.0), over);
        assert_eq!(pilot_of(&healthy).warmup, pilot_of(&troubled).warmup);
        assert_eq!(request_rate(&troubled), 50.0);
        assert!((mean_factor(&troubled) - 2.75).abs() < 1e-9);
    }

    #[test]
    fn the_work_ahead_is_counted_and_timed() {
        let plan = fixture::queue(50.0, 10.0, 100);
        let (ahead, small) = with_replicator(|replicator| {
            let pilot = pilot(&plan, 1, replicator).expect("no bug").expect("runs");
            let of = |pilot| workload(&plan, (1, 8), Duration(0), pilot, replicator);
            (of(Some(&pilot)).expect("no bug"), of(None).expect("no bug"))
        });
        assert!((ahead.requests - 40_000.0).abs() < 3_000.0, "{ahead:?}");
        assert!(ahead.events.is_some_and(|events| events > ahead.requests));
        assert!(ahead.wall_s.is_some_and(|seconds| seconds > 0.0 && seconds < 60.0));
        assert_eq!(small, Workload { requests: 40_000.0, events: None, wall_s: None });
    }
}
