//! The ledger of user requests: each has exactly one outcome.
//!
//! The cohort is the requests whose intended arrival lies in the measured time; throughput and
//! goodput count what was answered within it, whenever it arrived.

use std::collections::BTreeMap;

use crate::components::outcome::{CAUSES, Failure};
use crate::components::versions::OWN_WRITE_MISSING;
use crate::metrics::{CountSeries, Histogram, MeanSeries, Windows};
use crate::units::Instant;

/// One operation as its users felt it.
#[derive(Clone, Debug)]
pub struct UserLedger {
    /// Requests of the cohort.
    pub offered: u64,
    /// Of these, answered in full.
    pub answered: u64,
    /// Of these answered, later than the user's patience.
    pub late: u64,
    /// Of these answered, with a read older than the newest acknowledged write.
    pub stale: u64,
    /// Of these answered, without the user's own acknowledged write.
    pub own_write_missing: u64,
    /// Attempts of the cohort, repeats by the client included.
    pub attempts: u64,
    /// Failed requests of the cohort by cause.
    pub failed: [u64; CAUSES],
    /// Failed requests of the cohort by cause and place.
    pub failures: BTreeMap<Failure, u64>,
    /// From intended arrival to answer, of those answered; nanoseconds.
    pub latency: Histogram,
    /// From intended arrival until all loads of the page were there; nanoseconds.
    pub page_load: Histogram,
    /// Pages of the cohort that never were complete.
    pub page_load_failed: u64,
    /// Answered within the measured time.
    pub throughput: u64,
    /// Answered within the measured time and within the user's patience.
    pub goodput: u64,
    /// Intended arrivals by window.
    pub offered_series: CountSeries,
    /// Answered in time, by window of the answer.
    pub goodput_series: CountSeries,
    /// Failed, by window of the failure.
    pub failed_series: CountSeries,
    /// Latency of those answered, by window of the intended arrival.
    pub latency_series: MeanSeries,
}

impl UserLedger {
    /// An empty ledger over windows of the measured time.
    pub fn new(windows: Windows) -> Self {
        Self {
            offered: 0,
            answered: 0,
            late: 0,
            stale: 0,
            own_write_missing: 0,
            attempts: 0,
            failed: [0; CAUSES],
            failures: BTreeMap::new(),
            latency: Histogram::new(),
            page_load: Histogram::new(),
            page_load_failed: 0,
            throughput: 0,
            goodput: 0,
            offered_series: CountSeries::new(windows),
            goodput_series: CountSeries::new(windows),
            failed_series: CountSeries::new(windows),
            latency_series: MeanSeries::new(windows),
        }
    }

    /// A request is sent; whether it belongs to the cohort.
    #[inline]
    pub fn offered(&mut self, intended: Instant, cohort: bool) {
        if cohort {
            self.offered += 1;
            self.offered_series.add(intended.0, 1);
        }
    }

    /// A request of the cohort is answered.
    #[inline(always)]
    pub fn answered(&mut self, intended: Instant, latency: i64, good: bool, notes: u8) {
        self.answered += 1;
        if notes != 0 {
            self.stale += 1;
            self.own_write_missing += u64::from(notes & OWN_WRITE_MISSING != 0);
        }
        self.late += u64::from(!good);
        self.latency.record(latency);
        self.latency_series.record(intended.0, latency);
    }

    /// Something is answered within the measured time.
    #[inline(always)]
    pub fn completed(&mut self, now: Instant, good: bool) {
        self.throughput += 1;
        self.goodput += u64::from(good);
        self.goodput_series.add(now.0, u64::from(good));
    }

    /// A request of the cohort has failed.
    pub fn failed(&mut self, failure: Failure, now: Instant) {
        self.failed[failure.cause as usize] += 1;
        *self.failures.entry(failure).or_default() += 1;
        self.failed_series.add(now.0, 1);
    }

    /// Requests of the cohort that failed or were left unresolved.
    pub fn failed_total(&self) -> u64 {
        self.failed.iter().sum()
    }
}
