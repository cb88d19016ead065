//! Hand-written event loops for the workloads W1, W2 and W3: the yardstick of the product.
//!
//! Each loop knows its own system and nothing else: a binary heap of integers, a slab of birth
//! times, FIFO deques, one histogram of the time in the system. It has no calls, no policies, no
//! windows, no statistics per component, so it is a limit to look up to, not a like-for-like
//! figure. It shares no code with the product.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use rand::{RngExt, SeedableRng};
use rand_distr::Exp1;
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::{Outcome, Workload};

/// Runs `requests` requests through the hand-written loop of a workload.
pub fn run(workload: Workload, requests: u64, seed: u64) -> Outcome {
    let rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    match workload {
        Workload::W1 => station(rng, requests, 1.25e9, 1, 1e9),
        Workload::W2 => station(rng, requests, 1e9 / 14.4, 16, 1e9),
        Workload::W3 | Workload::W3B => web(rng, requests),
    }
}

/// An exponential time in nanoseconds.
#[inline]
fn exponential(rng: &mut Xoshiro256PlusPlus, mean_ns: f64) -> u64 {
    let unit: f64 = rng.sample(Exp1);
    (unit * mean_ns) as u64
}

/// What happens to whom: time above sequence number above kind above slot, so that integer order
/// is the order of events.
#[derive(Default)]
struct Events {
    heap: BinaryHeap<Reverse<u128>>,
    sequence: u64,
}

impl Events {
    #[inline]
    fn push(&mut self, at_ns: u64, kind: u8, slot: u32) {
        let low = self.sequence << 28 | u64::from(kind) << 24 | u64::from(slot);
        self.sequence += 1;
        self.heap.push(Reverse(u128::from(at_ns) << 64 | u128::from(low)));
    }

    #[inline]
    fn pop(&mut self) -> Option<(u64, u8, u32)> {
        let Reverse(key) = self.heap.pop()?;
        Some(((key >> 64) as u64, (key >> 24) as u8 & 0xF, key as u32 & 0xFF_FFFF))
    }
}

/// The requests that are in the system: birth time and web server of each.
#[derive(Default)]
struct Requests {
    births: Vec<(u64, u8)>,
    free: Vec<u32>,
}

impl Requests {
    #[inline]
    fn add(&mut self, at_ns: u64, server: u8) -> u32 {
        match self.free.pop() {
            Some(slot) => {
                self.births[slot as usize] = (at_ns, server);
                slot
            }
            None => {
                self.births.push((at_ns, server));
                self.births.len() as u32 - 1
            }
        }
    }

    #[inline]
    fn remove(&mut self, slot: u32) -> u64 {
        self.free.push(slot);
        self.births[slot as usize].0
    }
}

/// Parallel servers with one FIFO queue.
struct Station {
    idle: u32,
    line: VecDeque<u32>,
}

impl Station {
    fn new(servers: u32) -> Self {
        Self { idle: servers, line: VecDeque::new() }
    }

    /// Whether the request is served at once; else it waits.
    #[inline]
    fn enter(&mut self, slot: u32) -> bool {
        if self.idle > 0 {
            self.idle -= 1;
            return true;
        }
        self.line.push_back(slot);
        false
    }

    /// Who is served next.
    #[inline]
    fn leave(&mut self) -> Option<u32> {
        let next = self.line.pop_front();
        if next.is_none() {
            self.idle += 1;
        }
        next
    }
}

/// Log-linear histogram of nanoseconds: 128 buckets per power of two, error at most 0.4 %.
struct Histogram {
    counts: Vec<u64>,
    sum_ns: u128,
    count: u64,
}

impl Histogram {
    fn new() -> Self {
        Self { counts: vec![0; 64 * 128], sum_ns: 0, count: 0 }
    }

    #[inline]
    fn record(&mut self, value_ns: u64) {
        let shift = 56u32.saturating_sub(value_ns.leading_zeros());
        self.counts[shift as usize * 128 + (value_ns >> shift) as usize] += 1;
        self.sum_ns += u128::from(value_ns);
        self.count += 1;
    }

    fn quantile_ns(&self, q: f64) -> f64 {
        let rank = (q * self.count as f64) as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen > rank {
                // Bucket = 128 * shift + the leading eight bits; below 256 the value itself.
                let shift = (bucket / 128).saturating_sub(1);
                let base = if bucket < 256 { bucket } else { bucket - 128 * shift };
                return (base as f64 + 0.5) * (1u64 << shift) as f64;
            }
        }
        f64::NAN
    }

    fn outcome(&self) -> Outcome {
        Outcome {
            requests: self.count,
            mean_ms: self.sum_ns as f64 / self.count as f64 / 1e6,
            p99_ms: self.quantile_ns(0.99) / 1e6,
        }
    }
}

const ARRIVAL: u8 = 0;
const WEB_DONE: u8 = 1;
const CALL_DONE: u8 = 2;
const DB_DONE: u8 = 3;

/// M/M/c: two events per request.
fn station(
    mut rng: Xoshiro256PlusPlus,
    requests: u64,
    gap_ns: f64,
    servers: u32,
    work_ns: f64,
) -> Outcome {
    let (mut events, mut present) = (Events::default(), Requests::default());
    let (mut station, mut histogram) = (Station::new(servers), Histogram::new());
    events.push(exponential(&mut rng, gap_ns), ARRIVAL, 0);
    let mut born = 0;
    while let Some((now, kind, slot)) = events.pop() {
        if kind == ARRIVAL {
            born += 1;
            if born < requests {
                events.push(now + exponential(&mut rng, gap_ns), ARRIVAL, 0);
            }
            let slot = present.add(now, 0);
            if station.enter(slot) {
                events.push(now + exponential(&mut rng, work_ns), WEB_DONE, slot);
            }
        } else {
            histogram.record(now - present.remove(slot));
            if let Some(next) = station.leave() {
                events.push(now + exponential(&mut rng, work_ns), WEB_DONE, next);
            }
        }
    }
    histogram.outcome()
}

/// Round robin over four web servers, then a fixed wait or the database: three events per request.
fn web(mut rng: Xoshiro256PlusPlus, requests: u64) -> Outcome {
    const GAP_NS: f64 = 1e9 / 1280.0;
    const WEB_NS: f64 = 20e6;
    const DB_NS: f64 = 10e6;
    const CALL_NS: u64 = 500_000;
    let (mut events, mut present) = (Events::default(), Requests::default());
    let mut servers: Vec<Station> = (0..4).map(|_| Station::new(8)).collect();
    let (mut db, mut histogram) = (Station::new(16), Histogram::new());
    events.push(exponential(&mut rng, GAP_NS), ARRIVAL, 0);
    let mut born = 0;
    while let Some((now, kind, slot)) = events.pop() {
        match kind {
            ARRIVAL => {
                let server = (born % 4) as u8;
                born += 1;
                if born < requests {
                    events.push(now + exponential(&mut rng, GAP_NS), ARRIVAL, 0);
                }
                let slot = present.add(now, server);
                if servers[server as usize].enter(slot) {
                    events.push(now + exponential(&mut rng, WEB_NS), WEB_DONE, slot);
                }
            }
            WEB_DONE => {
                let server = present.births[slot as usize].1;
                if let Some(next) = servers[server as usize].leave() {
                    events.push(now + exponential(&mut rng, WEB_NS), WEB_DONE, next);
                }
                if rng.random::<f64>() >= 0.2 {
                    events.push(now + CALL_NS, CALL_DONE, slot);
                } else if db.enter(slot) {
                    events.push(now + exponential(&mut rng, DB_NS), DB_DONE, slot);
                }
            }
            _ => {
                histogram.record(now - present.remove(slot));
                if kind == DB_DONE
                    && let Some(next) = db.leave()
                {
                    events.push(now + exponential(&mut rng, DB_NS), DB_DONE, next);
                }
            }
        }
    }
    histogram.outcome()
}
