//! The event list: what happens now, constant delays in FIFO lanes, everything else by its time.
//!
//! Events leave in the order of (time, sequence number), both integers, so ties are decided by the
//! order of scheduling and never by how they are stored. Events for *now* leave before any other,
//! in FIFO order. A constant delay leaves in the order it came and needs no sorting: one ring for
//! each. The schedule does not know what its events mean and cannot take one back: whoever
//! schedules keeps a key or a token that makes a late event stale.

use std::collections::VecDeque;

use super::calendar::{Calendar, Entry, NEVER};
use crate::units::{Duration, Instant};

/// Number of a FIFO lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane(u16);

const fn key_of(at: Instant, sequence: u64) -> u128 {
    (((at.0 as u64) ^ (1 << 63)) as u128) << 64 | sequence as u128
}

const fn time_of(key: u128) -> Instant {
    Instant(((key >> 64) as u64 ^ (1 << 63)) as i64)
}

/// A lane: its first event stands apart, so that a lane with one event never touches its ring.
struct Ring<E> {
    delay: Duration,
    rest: VecDeque<Entry<E>>,
}

/// Pending events and the clock.
pub struct Schedule<E> {
    now: Instant,
    sequence: u64,
    /// The first event for now, if there is one, and those behind it.
    next: E,
    has_next: bool,
    ready: VecDeque<E>,
    calendar: Calendar<E>,
    lanes: Vec<Ring<E>>,
    /// Each lane's first event and its key, `NEVER` when the lane is empty.
    heads: Vec<E>,
    keys: Vec<u128>,
    /// The earliest key of all heads, and its lane.
    first: u128,
    first_lane: usize,
    /// The next event of the source.
    source: Entry<E>,
    fired: u64,
}

/// Beyond so many distinct constant delays a scan of the heads costs more than the calendar.
const LANES_MAX: usize = 12;

impl<E: Copy + Default> Schedule<E> {
    /// An empty schedule whose clock stands at `start`.
    pub fn new(start: Instant) -> Self {
        Self {
            now: start,
            sequence: 0,
            next: E::default(),
            has_next: false,
            ready: VecDeque::with_capacity(64),
            calendar: Calendar::new(key_of(start, 0)),
            lanes: Vec::new(),
            heads: Vec::new(),
            keys: Vec::new(),
            first: NEVER,
            first_lane: 0,
            source: Entry { key: NEVER, event: E::default() },
            fired: 0,
        }
    }

    /// The clock.
    #[inline(always)]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// How many events have been taken out so far.
    pub fn fired(&self) -> u64 {
        self.fired
    }

    /// The lane for a constant delay, or none for no delay or when there are lanes enough.
    pub fn lane(&mut self, delay: Duration) -> Option<Lane> {
        if delay.0 == 0 {
            return None;
        }
        if let Some(found) = self.lanes.iter().position(|lane| lane.delay == delay) {
            return Some(Lane(found as u16));
        }
        (self.lanes.len() < LANES_MAX).then(|| self.open_lane(delay))
    }

    fn open_lane(&mut self, delay: Duration) -> Lane {
        self.lanes.push(Ring { delay, rest: VecDeque::new() });
        self.heads.push(E::default());
        self.keys.push(NEVER);
        Lane((self.lanes.len() - 1) as u16)
    }

    /// Schedules for now, behind what is already scheduled for now.
    #[inline(always)]
    pub fn ready(&mut self, event: impl Into<E>) {
        if self.has_next {
            return self.ready.push_back(event.into());
        }
        (self.next, self.has_next) = (event.into(), true);
    }

    /// Schedules at an instant, which is not in the past.
    #[inline(always)]
    pub fn at(&mut self, at: Instant, event: impl Into<E>) {
        debug_assert!(at >= self.now, "nothing is scheduled in the past");
        let key = key_of(at, self.sequence);
        self.sequence += 1;
        self.calendar.push(key, event.into());
    }

    /// Schedules after a delay; no delay is now.
    #[inline(always)]
    pub fn after(&mut self, delay: Duration, event: impl Into<E>) {
        if delay.0 == 0 { self.ready(event) } else { self.at(Instant(self.now.0 + delay.0), event) }
    }

    /// Schedules after the constant delay of a lane.
    #[inline(always)]
    pub fn in_lane(&mut self, lane: Lane, event: impl Into<E>) {
        let (index, event) = (lane.0 as usize, event.into());
        let ring = &mut self.lanes[index];
        let key = key_of(Instant(self.now.0 + ring.delay.0), self.sequence);
        self.sequence += 1;
        let head = &mut self.keys[index];
        if *head != NEVER {
            return ring.rest.push_back(Entry { key, event });
        }
        *head = key;
        self.heads[index] = event;
        if key < self.first {
            (self.first, self.first_lane) = (key, index);
        }
    }

    /// Schedules the next event of the source, whose events come one at a time: each is scheduled
    /// after the last has happened.
    #[inline(always)]
    pub fn from_source(&mut self, at: Instant, event: impl Into<E>) {
        debug_assert!(self.source.key == NEVER, "a source has one event pending");
        let key = key_of(at, self.sequence);
        self.sequence += 1;
        self.source = Entry { key, event: event.into() };
    }

    /// Takes out the next event for now.
    #[inline(always)]
    pub fn pop_ready(&mut self) -> Option<E> {
        if !self.has_next {
            return None;
        }
        let event = self.next;
        match self.ready.pop_front() {
            Some(next) => self.next = next,
            None => self.has_next = false,
        }
        self.fired += 1;
        Some(event)
    }

    /// Takes the next event out and moves the clock to it; there is none left for now.
    #[inline(always)]
    pub fn pop_later(&mut self) -> Option<E> {
        debug_assert!(!self.has_next, "what is for now goes first");
        let (calendar, source) = (self.calendar.first(), self.source.key);
        if calendar < self.first && calendar < source {
            self.now = time_of(calendar);
            self.fired += 1;
            return Some(self.calendar.pop());
        }
        if source < self.first {
            self.now = time_of(source);
            self.fired += 1;
            self.source.key = NEVER;
            return Some(self.source.event);
        }
        if self.first == NEVER {
            return None;
        }
        self.now = time_of(self.first);
        self.fired += 1;
        Some(self.pop_lane())
    }

    #[inline(always)]
    fn pop_lane(&mut self) -> E {
        let lane = self.first_lane;
        let event = self.heads[lane];
        self.keys[lane] = match self.lanes[lane].rest.pop_front() {
            None => NEVER,
            Some(next) => {
                self.heads[lane] = next.event;
                next.key
            }
        };
        let (mut first, mut first_lane) = (NEVER, 0);
        for (index, &key) in self.keys.iter().enumerate() {
            if key < first {
                (first, first_lane) = (key, index);
            }
        }
        (self.first, self.first_lane) = (first, first_lane);
        event
    }

    /// Takes the next event out, for now or later.
    pub fn pop(&mut self) -> Option<E> {
        self.pop_ready().or_else(|| self.pop_later())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_calendar_and_now_leave_in_the_order_of_time_and_scheduling() {
        let mut schedule: Schedule<u32> = Schedule::new(Instant(-10));
        let lane = schedule.lane(Duration(5)).expect("a lane");
        assert_eq!(schedule.lane(Duration(5)), Some(lane));
        schedule.at(Instant(-5), 1_u32);
        schedule.in_lane(lane, 2_u32);
        schedule.at(Instant(-5), 3_u32);
        schedule.at(Instant(-7), 4_u32);
        schedule.ready(5_u32);
        schedule.after(Duration(0), 6_u32);
        let order: Vec<u32> = std::iter::from_fn(|| schedule.pop()).collect();
        assert_eq!(order, vec![5, 6, 4, 1, 2, 3]);
        assert_eq!(schedule.now(), Instant(-5));
    }
}
