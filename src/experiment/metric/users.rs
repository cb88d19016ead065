//! Figures of the users' requests, from the ledger in which each has exactly one outcome.
//!
//! Shares are of the cohort; rates are over the measured time. Within a window a request belongs
//! to the time of its intended arrival, except that goodput counts answers when they come.

use super::period::{Chosen, length_ns, sum};
use super::{Reading, per_second, quotient};
use crate::components::outcome::Cause;
use crate::experiment::sample::Sample;
use crate::experiment::statistics::Value;
use crate::language::expression::Statistic;
use crate::world::Observations;
use crate::world::users::ledger::UserLedger;

/// What is measured of users' requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserMeasure {
    /// Latency of all, failures infinite.
    Felt,
    /// Latency of the answered.
    Answered,
    /// Time until pages are complete; pages that never were are infinite.
    PageLoad,
    /// Sent per second.
    Offered,
    /// Answered per second.
    Throughput,
    /// Answered in time per second.
    Goodput,
    /// Share answered.
    Availability,
    /// Share failed.
    ErrorRate,
    /// Share answered in part.
    Degraded,
    /// Share failed by a cause; none for a cause that nothing built fails by.
    Failures(Option<Cause>),
    /// Tries per request.
    Attempts,
    /// Share of the answered that read something old.
    StaleReads,
    /// Share of the answered that missed a write of their own user.
    OwnWriteMissing,
}

/// Latency as felt, of several operations together.
pub fn felt<'o>(ledgers: impl Iterator<Item = &'o UserLedger> + Clone) -> Sample {
    let failed = ledgers.clone().map(UserLedger::failed_total).sum();
    Sample::of(ledgers.map(|ledger| &ledger.latency), 0, failed)
}

/// Latency of the answered requests of several operations together.
pub fn answered<'o>(ledgers: impl Iterator<Item = &'o UserLedger>) -> Sample {
    Sample::of(ledgers.map(|ledger| &ledger.latency), 0, 0)
}

impl UserMeasure {
    /// Whether windowed series can answer it, with this statistic.
    pub fn has_windows(self, statistic: Statistic) -> bool {
        match self {
            Self::Felt | Self::Answered => {
                matches!(statistic, Statistic::Mean | Statistic::Count)
            }
            Self::Offered
            | Self::Goodput
            | Self::Availability
            | Self::ErrorRate
            | Self::Degraded => true,
            Self::PageLoad
            | Self::Throughput
            | Self::Failures(_)
            | Self::Attempts
            | Self::StaleReads
            | Self::OwnWriteMissing => false,
        }
    }

    /// The figure in one replication, of these operations, in these windows or the whole run.
    pub(super) fn read(
        self,
        operations: &[usize],
        statistic: Statistic,
        observed: &Observations,
        windows: Option<&[Chosen]>,
    ) -> Reading {
        let ledgers = operations.iter().map(|&index| &observed.users[index]);
        match windows {
            Some(windows) => self.within(ledgers, statistic, windows),
            None => self.whole(ledgers, statistic, observed.duration.0),
        }
    }

    fn whole<'o>(
        self,
        ledgers: impl Iterator<Item = &'o UserLedger> + Clone,
        statistic: Statistic,
        duration_ns: i64,
    ) -> Reading {
        let total = |count: fn(&UserLedger) -> u64| ledgers.clone().map(count).sum::<u64>();
        let offered = total(|ledger| ledger.offered);
        match self {
            Self::Felt => Reading::figure(felt(ledgers).statistic(statistic)),
            Self::Answered => Reading::figure(answered(ledgers).statistic(statistic)),
            Self::PageLoad => {
                let lost = total(|ledger| ledger.page_load_failed + ledger.failed_total());
                let sample = Sample::of(ledgers.map(|ledger| &ledger.page_load), 0, lost);
                Reading::figure(sample.statistic(statistic))
            }
            Self::Offered => per_second(offered, duration_ns),
            Self::Throughput => per_second(total(|ledger| ledger.throughput), duration_ns),
            Self::Goodput => per_second(total(|ledger| ledger.goodput), duration_ns),
            Self::Availability => Reading::share(total(|ledger| ledger.answered), offered),
            Self::ErrorRate => Reading::share(total(UserLedger::failed_total), offered),
            Self::Degraded => Reading::share(0, offered),
            Self::Failures(cause) => {
                let by = |ledger: &UserLedger| cause.map_or(0, |one| ledger.failed[one as usize]);
                Reading::share(ledgers.map(by).sum(), offered)
            }
            Self::Attempts => quotient(total(|ledger| ledger.attempts) as f64, offered as f64),
            Self::StaleReads => {
                Reading::share(total(|ledger| ledger.stale), total(|ledger| ledger.answered))
            }
            Self::OwnWriteMissing => {
                let missing = total(|ledger| ledger.own_write_missing);
                Reading::share(missing, total(|ledger| ledger.answered))
            }
        }
    }

    fn within<'o>(
        self,
        ledgers: impl Iterator<Item = &'o UserLedger> + Clone,
        statistic: Statistic,
        windows: &[Chosen],
    ) -> Reading {
        let total = |sums: fn(&UserLedger) -> &[u64]| -> u64 {
            ledgers.clone().map(|ledger| sum(sums(ledger), windows)).sum()
        };
        let offered = total(|ledger| ledger.offered_series.sums());
        let answered = total(|ledger| ledger.latency_series.counts().sums());
        let failed = offered - answered;
        match self {
            Self::Felt if statistic == Statistic::Count => Reading::figure(offered as f64),
            Self::Answered if statistic == Statistic::Count => Reading::figure(answered as f64),
            Self::Felt if failed > 0 => Reading::figure(Value::Infinite),
            Self::Felt | Self::Answered => {
                let sums = ledgers.map(|ledger| ledger.latency_series.sums().sums());
                let total: i128 = sums.map(|sums| windowed(sums, windows)).sum();
                quotient(total as f64, answered as f64)
            }
            Self::Offered => per_second(offered, length_ns(windows)),
            Self::Goodput => {
                per_second(total(|ledger| ledger.goodput_series.sums()), length_ns(windows))
            }
            Self::Availability => Reading::share(answered, offered),
            Self::ErrorRate => Reading::share(failed, offered),
            Self::Degraded => Reading::share(0, offered),
            Self::PageLoad
            | Self::Throughput
            | Self::Failures(_)
            | Self::Attempts
            | Self::StaleReads
            | Self::OwnWriteMissing => {
                unreachable!("refused when the expression was resolved")
            }
        }
    }
}

/// Sum of nanoseconds over windows, wide enough for any run.
fn windowed(sums: &[i64], windows: &[Chosen]) -> i128 {
    windows.iter().map(|window| i128::from(sums[window.index])).sum()
}
