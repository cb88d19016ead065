//! A point on the scenario's clock.
//!
//! Knows that time 0 is the end of the warm-up; knows nothing of events or of the engine's queue.

use super::{Duration, UnitError};
use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// A point in time in nanoseconds on the scenario's clock; negative during the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

impl Instant {
    /// The end of the warm-up, where measuring begins.
    pub const ZERO: Instant = Instant(0);
    /// Later than everything; marks what never happens.
    pub const NEVER: Instant = Instant(i64::MAX);

    /// Reads a time after the end of the warm-up, `5min`.
    pub fn parse(text: &str) -> Result<Instant, UnitError> {
        Duration::parse(text).map(|since_zero| Instant(since_zero.0))
    }

    /// The time from `earlier` to this point; negative when `earlier` is later.
    #[inline]
    pub fn since(self, earlier: Instant) -> Duration {
        Duration(self.0 - earlier.0)
    }

    /// This point moved later; stays at [`Instant::NEVER`] instead of overflowing.
    #[inline]
    pub fn saturating_add(self, duration: Duration) -> Instant {
        Instant(self.0.saturating_add(duration.0))
    }

    /// Seconds since the end of the warm-up.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Duration(self.0).fmt(f)
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;
    #[inline]
    fn add(self, duration: Duration) -> Instant {
        Instant(self.0 + duration.0)
    }
}

impl AddAssign<Duration> for Instant {
    #[inline]
    fn add_assign(&mut self, duration: Duration) {
        self.0 += duration.0;
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;
    #[inline]
    fn sub(self, duration: Duration) -> Instant {
        Instant(self.0 - duration.0)
    }
}

impl Sub for Instant {
    type Output = Duration;
    #[inline]
    fn sub(self, earlier: Instant) -> Duration {
        self.since(earlier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_and_durations_add_up() {
        let start = Instant::parse("5min").unwrap();
        let end = start + Duration(20);
        assert_eq!(end - start, Duration(20));
        assert_eq!(end - Duration(20), start);
        assert_eq!(Instant::NEVER.saturating_add(Duration(1)), Instant::NEVER);
    }

    #[test]
    fn the_warm_up_prints_as_negative() {
        assert_eq!(Instant(-150_000_000_000).to_string(), "-150s");
        assert_eq!(Instant::ZERO.to_string(), "0s");
    }
}
