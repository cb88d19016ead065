//! The cores of one machine.
//!
//! `n` active jobs on `c` cores each run at `min(1, c/n)` of a core's speed. Where there can never
//! be more jobs than cores the end of a job is known at its start ([`Sharing::Dedicated`]). Else
//! jobs share by virtual time: one clock that runs at the common rate, a heap of virtual finish
//! times, and one pending tick for the earliest. Virtual time is floating point and restarts at
//! zero whenever the machine idles; what happens is still ordered by integer instants, because a
//! tick ends the job it was set for, whatever the last digit says.
//!
//! It does not know what a job is, who asked for it, or whether anybody still waits for it.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::units::{Duration, Instant};

/// Whether jobs can ever outnumber the cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Never more jobs than cores: each runs at full speed.
    Dedicated,
    /// Jobs may have to share.
    Shared,
}

/// What the processor remembers for a job: its end, on the clock or in virtual time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark(u64);

#[derive(Clone, Copy)]
struct Running<J> {
    finish: f64,
    sequence: u64,
    job: J,
}
impl<J> PartialEq for Running<J> {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }
}
impl<J> Eq for Running<J> {}
impl<J> PartialOrd for Running<J> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
/// Reversed, because the standard heap keeps its largest entry on top.
impl<J> Ord for Running<J> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.finish.total_cmp(&self.finish).then(other.sequence.cmp(&self.sequence))
    }
}

/// Which of the components on the machine a job belongs to.
pub type Tenant = usize;

/// What a start or a stop asks of the event list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: a pending event is still right.
    Unchanged,
    /// The job just started ends at this instant.
    JobAt(Instant),
    /// The machine's next tick is at this instant, with this token; earlier ticks are stale.
    TickAt(Instant, u32),
}

/// What one tenant has of the cores.
#[derive(Clone, Copy, Default)]
struct Share {
    /// Jobs running.
    active: u32,
    /// Core-nanoseconds so far, where jobs share.
    shared: f64,
    /// Where they do not: the instants at which jobs ended less those at which they began, so that
    /// no change needs to know how long it is since the last.
    dedicated: i128,
}

/// The cores and who runs on them.
pub struct Processor<J> {
    cores: f64,
    speed: f64,
    sharing: Sharing,
    active: u32,
    shares: Vec<Share>,
    virtual_time: f64,
    updated: Instant,
    heap: BinaryHeap<Running<J>>,
    sequence: u64,
    tick: Option<Instant>,
    token: u32,
}

impl<J: Copy> Processor<J> {
    /// Idle cores: `cores` may be infinite; `speed` 1.0 serves one nanosecond of demand per
    /// nanosecond; `tenants` components live here.
    pub fn new(cores: f64, speed: f64, sharing: Sharing, tenants: usize, now: Instant) -> Self {
        Self {
            cores,
            speed,
            sharing,
            active: 0,
            shares: vec![Share::default(); tenants],
            virtual_time: 0.0,
            updated: now,
            heap: BinaryHeap::new(),
            sequence: 0,
            tick: None,
            token: 0,
        }
    }

    /// Jobs running.
    pub fn active(&self) -> u32 {
        self.active
    }

    /// Core-nanoseconds that a tenant has kept cores busy so far.
    pub fn busy(&mut self, tenant: Tenant, now: Instant) -> f64 {
        if self.sharing == Sharing::Dedicated {
            let share = &self.shares[tenant];
            return (share.dedicated + i128::from(share.active) * i128::from(now.0)) as f64;
        }
        self.advance(now);
        self.shares[tenant].shared
    }

    #[inline]
    fn rate(&self) -> f64 {
        let active = f64::from(self.active);
        if active <= self.cores { 1.0 } else { self.cores / active }
    }

    #[inline(always)]
    fn advance(&mut self, now: Instant) {
        let elapsed = now.0 - self.updated.0;
        self.updated = now;
        if self.active == 0 || elapsed == 0 {
            return;
        }
        let share = elapsed as f64 * self.rate();
        self.virtual_time += share * self.speed;
        for tenant in &mut self.shares {
            tenant.shared += share * f64::from(tenant.active);
        }
    }

    /// Starts a job that needs `demand` of one core at speed 1.
    #[inline(always)]
    pub fn start(
        &mut self,
        now: Instant,
        tenant: Tenant,
        demand: Duration,
        job: J,
    ) -> (Mark, Next) {
        if self.sharing == Sharing::Dedicated {
            self.change_dedicated(now, tenant, 1);
            let span = if self.speed == 1.0 {
                demand.0
            } else {
                (demand.0 as f64 / self.speed).round() as i64
            };
            return (Mark((now.0 + span) as u64), Next::JobAt(Instant(now.0 + span)));
        }
        self.advance(now);
        self.active += 1;
        self.shares[tenant].active += 1;
        let finish = self.virtual_time + demand.0 as f64;
        self.heap.push(Running { finish, sequence: self.sequence, job });
        self.sequence += 1;
        (Mark(finish.to_bits()), self.retime())
    }

    /// Ends a job of a dedicated processor whose event came.
    #[inline(always)]
    pub fn finish_dedicated(&mut self, now: Instant, tenant: Tenant) {
        self.change_dedicated(now, tenant, -1);
    }

    #[inline(always)]
    fn change_dedicated(&mut self, now: Instant, tenant: Tenant, by: i32) {
        self.active = self.active.wrapping_add_signed(by);
        let share = &mut self.shares[tenant];
        share.active = share.active.wrapping_add_signed(by);
        share.dedicated -= i128::from(i64::from(by) * now.0);
    }

    /// Takes a running job off its core before its end. The demand left is returned; `is_current`
    /// tells, from now on, that the job's entry is stale.
    pub fn stop(
        &mut self,
        now: Instant,
        tenant: Tenant,
        mark: Mark,
        is_current: impl Fn(J) -> bool,
    ) -> (Duration, Next) {
        if self.sharing == Sharing::Dedicated {
            self.change_dedicated(now, tenant, -1);
            let left = ((mark.0 as i64 - now.0) as f64 * self.speed).round() as i64;
            return (Duration(left), Next::Unchanged);
        }
        self.advance(now);
        let left = (f64::from_bits(mark.0) - self.virtual_time).max(0.0) as i64;
        self.active -= 1;
        self.shares[tenant].active -= 1;
        self.drop_stale(is_current);
        (Duration(left), self.retime())
    }

    /// The pending tick came: the job it was set for, which is done. `tenant_of` is asked for it.
    /// Returns nothing when the tick is stale.
    pub fn tick(
        &mut self,
        now: Instant,
        token: u32,
        tenant_of: impl Fn(J) -> Tenant,
        is_current: impl Fn(J) -> bool,
    ) -> (Option<J>, Next) {
        if token != self.token || self.tick != Some(now) {
            return (None, Next::Unchanged);
        }
        self.advance(now);
        self.drop_stale(&is_current);
        self.tick = None;
        let Some(done) = self.heap.pop() else { return (None, Next::Unchanged) };
        self.virtual_time = self.virtual_time.max(done.finish);
        self.active -= 1;
        self.shares[tenant_of(done.job)].active -= 1;
        self.drop_stale(&is_current);
        (Some(done.job), self.retime())
    }

    fn drop_stale(&mut self, is_current: impl Fn(J) -> bool) {
        while self.heap.peek().is_some_and(|head| !is_current(head.job)) {
            self.heap.pop();
        }
    }

    /// Sets the tick for the earliest finish, if it has changed.
    fn retime(&mut self) -> Next {
        let Some(head) = self.heap.peek() else {
            self.virtual_time = 0.0;
            self.tick = None;
            self.token = self.token.wrapping_add(1);
            return Next::Unchanged;
        };
        let left = (head.finish - self.virtual_time).max(0.0) / (self.rate() * self.speed);
        let at = Instant(self.updated.0 + left.ceil() as i64);
        if self.tick == Some(at) {
            return Next::Unchanged;
        }
        self.tick = Some(at);
        self.token = self.token.wrapping_add(1);
        Next::TickAt(at, self.token)
    }
}

/// A storage device: operations start in order, `gap` apart, and each takes `latency`.
#[derive(Clone, Copy, Debug)]
pub struct Device {
    /// Least time between the starts of two operations: 1 / IOPS.
    pub gap: Duration,
    free_at: Instant,
    busy: i64,
}

impl Device {
    /// An idle device.
    pub fn new(gap: Duration) -> Self {
        Self { gap, free_at: Instant(i64::MIN / 2), busy: 0 }
    }

    /// Hands in an operation of the given latency: when it is done.
    #[inline]
    pub fn submit(&mut self, now: Instant, latency: Duration) -> Instant {
        let start = self.free_at.max(now);
        self.free_at = Instant(start.0 + self.gap.0);
        self.busy += self.gap.0;
        Instant(start.0 + latency.0)
    }

    /// Nanoseconds of operation slots used until an instant; none were handed in after it.
    pub fn busy(&self, until: Instant) -> i64 {
        self.busy - (self.free_at.0 - until.0).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_jobs_on_one_core_run_at_half_speed() {
        let mut cpu: Processor<u32> = Processor::new(1.0, 1.0, Sharing::Shared, 1, Instant(0));
        let (_, first) = cpu.start(Instant(0), 0, Duration(100), 1);
        assert_eq!(first, Next::TickAt(Instant(100), 1));
        // At 50 the first has 50 left; both now take twice as long.
        let (mark, second) = cpu.start(Instant(50), 0, Duration(80), 2);
        assert_eq!(second, Next::TickAt(Instant(150), 2));
        assert_eq!(cpu.tick(Instant(100), 1, |_| 0, |_| true), (None, Next::Unchanged));
        let (done, next) = cpu.tick(Instant(150), 2, |_| 0, |_| true);
        assert_eq!(done, Some(1));
        // The second had 80, got 50 in the shared stretch, and has 30 left alone.
        assert_eq!(next, Next::TickAt(Instant(180), 3));
        let (left, _) = cpu.stop(Instant(160), 0, mark, |_| false);
        assert_eq!(left, Duration(20));
        assert!((cpu.busy(0, Instant(500)) - 160.0).abs() < 1e-9);
    }

    #[test]
    fn a_device_spaces_operations_but_overlaps_their_latency() {
        let mut disk = Device::new(Duration(10));
        assert_eq!(disk.submit(Instant(0), Duration(100)), Instant(100));
        assert_eq!(disk.submit(Instant(1), Duration(100)), Instant(110));
        assert_eq!(disk.submit(Instant(500), Duration(100)), Instant(600));
    }
}
