//! A pipe: bytes go through one after the other at a constant rate, as through a network interface.
//!
//! First come, first served, without a limit on what waits. It knows no packets and no connections.

use crate::units::{Duration, Instant};

/// A pipe.
#[derive(Clone, Debug)]
pub struct Pipe {
    bytes_per_second: f64,
    free_at: Instant,
    busy: i64,
}

impl Pipe {
    /// An empty pipe of so many bytes per second.
    pub fn new(bytes_per_second: f64) -> Self {
        Self { bytes_per_second, free_at: Instant(i64::MIN / 2), busy: 0 }
    }

    /// Hands bytes in: how long it takes until the last of them is through, those before included.
    #[inline]
    pub fn send(&mut self, now: Instant, bytes: f64) -> Duration {
        let takes = (bytes * 1e9 / self.bytes_per_second).round() as i64;
        self.free_at = Instant(self.free_at.max(now).0 + takes);
        self.busy += takes;
        Duration(self.free_at.0 - now.0)
    }

    /// Nanoseconds in which bytes went through until an instant; none were handed in after it.
    pub fn busy(&self, until: Instant) -> i64 {
        self.busy - (self.free_at.0 - until.0).max(0)
    }

    /// What is not through yet is gone.
    pub fn clear(&mut self, now: Instant) {
        self.busy = self.busy(now);
        self.free_at = self.free_at.min(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_wait_for_those_before_them() {
        let mut pipe = Pipe::new(1e6);
        let ms = |ms: i64| Instant(ms * 1_000_000);
        let sent: Vec<i64> = [(0, 2e3), (1, 3e3), (4, 1e3), (9, 1e3)]
            .map(|(at, bytes)| pipe.send(ms(at), bytes).0 / 1_000_000)
            .to_vec();
        // Through at 2, 5, 6 and 10 ms.
        assert_eq!(sent, [2, 4, 2, 1]);
        assert_eq!([9, 10, 20].map(|at| pipe.busy(ms(at)) / 1_000_000), [6, 7, 7]);
        pipe.send(ms(20), 8e3);
        pipe.clear(ms(23));
        assert_eq!((pipe.send(ms(24), 1e3).0, pipe.busy(ms(30))), (1_000_000, 11_000_000));
        assert_eq!(Pipe::new(f64::INFINITY).send(ms(5), 1e9), Duration(0));
    }
}
