//! The ledger of attempts: what arrived at each component and what became of it.
//!
//! Conservation and Little's law are kept as integer identities by separate counters: arrivals and
//! departures are counted, the number present is integrated by a gauge, the times present are
//! summed call by call and clipped to the measured time, and who is present at its two ends is
//! counted by hand. The audit compares them with tolerance zero.

use super::call::{Call, flag};
use super::outcome::{CAUSES, Cause};
use super::topology::{ComponentId, LinkId, Topology, users};
use crate::metrics::{Gauge, GaugeWindow, Histogram};
use crate::units::Instant;

/// The measured time [0, end) and the length of the windows of the series.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// End of the measured time.
    pub end: Instant,
    /// Length of a window in nanoseconds.
    pub window_ns: i64,
}

impl Measure {
    /// Whether an instant is measured.
    #[inline]
    pub fn covers(&self, at: Instant) -> bool {
        (at.0 as u64) < self.end.0 as u64
    }

    /// An instant moved to the nearest end of the measured time.
    #[inline]
    pub fn clip(&self, at: Instant) -> i64 {
        at.0.clamp(0, self.end.0)
    }

    /// The same as the window of a gauge.
    pub fn gauge(&self) -> GaugeWindow {
        GaugeWindow { from_ns: 0, to_ns: self.end.0 }
    }
}

/// One operation at one component, within the measured time.
#[derive(Clone, Debug, Default)]
pub struct OperationLedger {
    /// Calls that reached it.
    pub arrived: u64,
    /// Calls answered.
    pub completed: u64,
    /// Calls failed, by cause.
    pub failed: [u64; CAUSES],
    /// Calls that ended (either way) after their caller had given up.
    pub wasted: u64,
    /// Times at which a call asked for a slot.
    pub visits: u64,
    /// Waits of zero, which are in no histogram; those turned away have no wait at all.
    pub unwaited: u64,
    /// Waits in the queue, those who gave up included; nanoseconds.
    pub wait: Histogram,
    /// From arrival to answer, of the calls answered that never waited; nanoseconds.
    pub unwaited_sojourn: Histogram,
    /// From arrival to answer, of the calls answered that waited; nanoseconds.
    pub waited_sojourn: Histogram,
    /// The same less the waits; nanoseconds.
    pub waited_service: Histogram,
    /// Sum of sojourn / demand over the calls answered that had a demand.
    pub slowdown_sum: f64,
    /// Number of those.
    pub slowdown_count: u64,
}

impl OperationLedger {
    /// From arrival to answer, of the calls answered: two samples that make one.
    pub fn sojourn(&self) -> [&Histogram; 2] {
        [&self.unwaited_sojourn, &self.waited_sojourn]
    }

    /// Sojourn less the waits, of the calls answered: two samples that make one.
    pub fn service(&self) -> [&Histogram; 2] {
        [&self.unwaited_sojourn, &self.waited_service]
    }
}

/// One component within the measured time.
#[derive(Clone, Debug)]
pub struct ComponentLedger {
    /// By operation; the last is the health probe. Filled when the ledger is closed.
    pub operations: Vec<OperationLedger>,
    /// Calls present.
    pub present: Gauge,
    /// Calls waiting in a queue.
    pub waiting: Gauge,
    /// Instances in service.
    pub in_service: Gauge,
    /// The fewest after a change within the measured time.
    in_service_min: i64,
    /// Instances ordered: starting, in service, down, or on their way out. They are paid.
    pub ordered: Gauge,
    /// Sum over the calls of the time present within the measured time, in nanoseconds.
    pub time_present: i128,
    /// Present at the start and at the end, counted frame by frame.
    pub present_at: [u64; 2],
    /// Core time within the measured time, in nanoseconds.
    pub busy_ns: f64,
    /// The part of it spent for callers who had given up, or killed by a crash.
    pub wasted_ns: f64,
    /// Core time by window of the series, in nanoseconds.
    pub busy_series: Vec<f64>,
    /// By part, where the instances do different work. Whoever changes its part in a window counts
    /// for the whole window where it is at the end.
    pub parts: Vec<PartLedger>,
}

/// Instances of one component that do the same work, within the measured time.
#[derive(Clone, Copy, Debug, Default)]
pub struct PartLedger {
    /// Core time, in nanoseconds.
    pub busy_ns: f64,
    /// Core time in service, in nanoseconds.
    pub in_service_ns: f64,
}

impl ComponentLedger {
    /// The fewest instances in service at any time of the measured time.
    pub fn in_service_min(&self) -> i64 {
        self.in_service_min.min(self.in_service.at_start())
    }
}

/// One link within the measured time.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkLedger {
    /// Calls made, each counted once.
    pub first_tries: u64,
    /// Attempts after the first.
    pub repeats: u64,
    /// Attempts that failed as the caller sees it.
    pub failed: u64,
    /// Nanoseconds for which places in the pool were held within the measured time.
    pub pool_held_ns: i128,
    /// Nanoseconds waited for a place in the pool.
    pub pool_wait_ns: i128,
    /// Calls that waited for one.
    pub pool_waits: u64,
}

impl LinkLedger {
    /// Attempts, repeats included.
    pub fn attempts(&self) -> u64 {
        self.first_tries + self.repeats
    }
}

/// The whole ledger of attempts of one replication.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// What is measured.
    pub measure: Measure,
    /// By component.
    pub components: Vec<ComponentLedger>,
    /// By component and operation in one table, so that a call finds its row by one number.
    rows: Vec<OperationLedger>,
    operations: usize,
    /// By link.
    pub links: Vec<LinkLedger>,
}

impl Ledger {
    /// An empty ledger.
    pub fn new(topology: &Topology, measure: Measure) -> Self {
        let gauge = |value| Gauge::with_series(measure.gauge(), value, measure.window_ns);
        let components = topology.components.iter().map(|facts| ComponentLedger {
            operations: Vec::new(),
            present: gauge(0),
            waiting: gauge(0),
            in_service: gauge(i64::from(facts.at_start)),
            in_service_min: i64::MAX,
            ordered: gauge(i64::from(facts.at_start)),
            time_present: 0,
            present_at: [0; 2],
            busy_ns: 0.0,
            wasted_ns: 0.0,
            busy_series: Vec::new(),
            parts: Vec::new(),
        });
        let operations = topology.operations.len();
        Self {
            measure,
            components: components.collect(),
            rows: vec![OperationLedger::default(); topology.components.len() * operations],
            operations,
            links: vec![LinkLedger::default(); topology.links.len()],
        }
    }

    /// The first row of a component; those of its operations follow in the order of their ids.
    pub fn first_row(&self, component: ComponentId) -> u32 {
        (component.index() * self.operations) as u32
    }

    /// The observation ends: closes the gauges and hands each component its rows.
    pub fn close(&mut self) {
        let mut rows = std::mem::take(&mut self.rows).into_iter();
        for ledger in &mut self.components {
            ledger.present.close();
            ledger.waiting.close();
            ledger.in_service.close();
            ledger.ordered.close();
            ledger.operations = rows.by_ref().take(self.operations).collect();
        }
    }

    /// A call reaches its callee.
    #[inline(always)]
    pub fn arrived(&mut self, call: &Call, now: Instant) {
        self.components[call.component.index()].present.change(now.0, 1);
        if self.measure.covers(now) {
            self.rows[call.row as usize].arrived += 1;
        }
    }

    /// A call leaves its callee, answered or failed.
    #[inline(always)]
    pub fn left(&mut self, call: &Call, now: Instant, failed: Option<Cause>) {
        let measure = self.measure;
        let ledger = &mut self.components[call.component.index()];
        ledger.present.change(now.0, -1);
        let sojourn = now.0 - call.arrived.0;
        if !measure.covers(now) {
            ledger.time_present += i128::from(measure.clip(now) - measure.clip(call.arrived));
            return;
        }
        ledger.time_present += i128::from(if call.arrived.0 >= 0 { sojourn } else { now.0 });
        let row = &mut self.rows[call.row as usize];
        if call.is(flag::WASTED) {
            row.wasted += 1;
        }
        if let Some(cause) = failed {
            row.failed[cause as usize] += 1;
            return;
        }
        row.completed += 1;
        if call.component == users() {
            // The users' own ledger has the latency of each request.
            return;
        }
        if call.waited == 0 {
            row.unwaited_sojourn.record(sojourn);
        } else {
            row.waited_sojourn.record(sojourn);
            row.waited_service.record(sojourn - call.waited);
        }
        if call.demand > 0 {
            row.slowdown_sum += sojourn as f64 / call.demand as f64;
            row.slowdown_count += 1;
        }
    }

    /// A call asks for a slot; `queued` when it has to wait.
    #[inline(always)]
    pub fn asked(&mut self, call: &Call, now: Instant, queued: bool) {
        if queued {
            self.components[call.component.index()].waiting.change(now.0, 1);
        }
        if self.measure.covers(now) {
            let row = &mut self.rows[call.row as usize];
            row.visits += 1;
            row.unwaited += u64::from(!queued);
        }
    }

    /// A call asks for a slot and is turned away: it has not waited, nor found a free one.
    #[inline]
    pub fn turned_away(&mut self, call: &Call, now: Instant) {
        if self.measure.covers(now) {
            self.rows[call.row as usize].visits += 1;
        }
    }

    /// A call leaves the queue, for a slot or for good; returns how long it waited.
    #[inline(always)]
    pub fn waited(&mut self, call: &Call, now: Instant) -> i64 {
        self.components[call.component.index()].waiting.change(now.0, -1);
        let waited = now.0 - call.since.0;
        if self.measure.covers(now) {
            self.rows[call.row as usize].wait.record(waited);
        }
        waited
    }

    /// An instance begins to serve (1) or ceases to (-1).
    pub fn serves(&mut self, component: ComponentId, now: Instant, by: i64) {
        let measured = self.measure.covers(now);
        let ledger = &mut self.components[component.index()];
        ledger.in_service.change(now.0, by);
        if measured {
            ledger.in_service_min = ledger.in_service_min.min(ledger.in_service.value());
        }
    }

    /// Core time spent for nobody between two instants.
    pub fn wasted(&mut self, component: ComponentId, nanoseconds: f64, now: Instant) {
        if self.measure.covers(now) {
            self.components[component.index()].wasted_ns += nanoseconds;
        }
    }

    /// The counters of a link.
    #[inline(always)]
    pub fn link(&mut self, link: LinkId) -> &mut LinkLedger {
        &mut self.links[link.index()]
    }
}
