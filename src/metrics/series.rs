//! Sums over fixed windows of time: how a count or a mean moves during a run.
//!
//! A series is laid out when it is made and never grows. It does not know what is summed, and it
//! ignores what happens outside its windows, because that is outside the measured time.

use std::ops::AddAssign;

/// Equal windows of time over [start, start + number x length), in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Start of the first window on the scenario clock.
    pub start_ns: i64,
    /// Length of each window.
    pub length_ns: i64,
    /// Number of windows.
    pub number: usize,
}

impl Windows {
    /// Windows of `length_ns` that cover [start, end); the last may reach beyond the end.
    pub fn covering(start_ns: i64, end_ns: i64, length_ns: i64) -> Self {
        assert!(length_ns > 0 && end_ns >= start_ns, "windows over [{start_ns}, {end_ns})");
        let number = (end_ns - start_ns + length_ns - 1) / length_ns;
        Self { start_ns, length_ns, number: number as usize }
    }

    /// The window that holds an instant, `None` outside all of them.
    #[inline]
    pub fn index(&self, at_ns: i64) -> Option<usize> {
        let since = at_ns - self.start_ns;
        // A negative number becomes a huge one and fails the comparison with it.
        let index = (since as u64 / self.length_ns as u64) as usize;
        (since >= 0 && index < self.number).then_some(index)
    }

    /// Start and end of a window in nanoseconds on the scenario clock.
    pub fn bounds_ns(&self, index: usize) -> (i64, i64) {
        let start = self.start_ns + index as i64 * self.length_ns;
        (start, start + self.length_ns)
    }
}

/// The window of the last instant asked for: the next is mostly the same, which saves a division.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cursor {
    start_ns: i64,
    index: usize,
}

impl Cursor {
    #[inline(always)]
    fn index(&mut self, windows: &Windows, at_ns: i64) -> Option<usize> {
        let inside = (at_ns.wrapping_sub(self.start_ns) as u64) < windows.length_ns as u64;
        if inside { Some(self.index) } else { self.seek(windows, at_ns) }
    }

    #[cold]
    #[inline(never)]
    fn seek(&mut self, windows: &Windows, at_ns: i64) -> Option<usize> {
        let index = windows.index(at_ns)?;
        *self = Self { start_ns: windows.bounds_ns(index).0, index };
        Some(index)
    }
}

/// One sum for each window.
#[derive(Clone, Debug, PartialEq)]
pub struct Series<T> {
    windows: Windows,
    cursor: Cursor,
    sums: Vec<T>,
}

/// Numbers of events in each window.
pub type CountSeries = Series<u64>;
/// Sums of integers (nanoseconds) in each window.
pub type SumSeries = Series<i64>;

impl<T: Copy + Default + AddAssign> Series<T> {
    /// All sums zero.
    pub fn new(windows: Windows) -> Self {
        let cursor = Cursor { start_ns: i64::MIN / 2, index: 0 };
        Self { windows, cursor, sums: vec![T::default(); windows.number] }
    }

    /// Adds an amount to the window that holds the instant, if any does.
    #[inline]
    pub fn add(&mut self, at_ns: i64, amount: T) {
        if let Some(index) = self.cursor.index(&self.windows, at_ns) {
            self.sums[index] += amount;
        }
    }

    /// Adds the sums of another series over the same windows.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.windows, other.windows, "series over different windows");
        for (mine, &theirs) in self.sums.iter_mut().zip(&other.sums) {
            *mine += theirs;
        }
    }

    /// The windows of the series.
    pub fn windows(&self) -> Windows {
        self.windows
    }

    /// The sum of each window, in the order of time.
    pub fn sums(&self) -> &[T] {
        &self.sums
    }
}

/// Mean of a value (nanoseconds) in each window.
#[derive(Clone, Debug, PartialEq)]
pub struct MeanSeries {
    counts: CountSeries,
    sums: SumSeries,
}

impl MeanSeries {
    /// All windows empty.
    pub fn new(windows: Windows) -> Self {
        Self { counts: Series::new(windows), sums: Series::new(windows) }
    }

    /// Adds a value to the window that holds the instant, if any does.
    #[inline]
    pub fn record(&mut self, at_ns: i64, value: i64) {
        if let Some(index) = self.counts.cursor.index(&self.counts.windows, at_ns) {
            self.counts.sums[index] += 1;
            self.sums.sums[index] += value;
        }
    }

    /// Adds the values of another series over the same windows.
    pub fn merge(&mut self, other: &Self) {
        self.counts.merge(&other.counts);
        self.sums.merge(&other.sums);
    }

    /// Number of values in each window.
    pub fn counts(&self) -> &CountSeries {
        &self.counts
    }

    /// Sum of the values in each window.
    pub fn sums(&self) -> &SumSeries {
        &self.sums
    }

    /// Mean of each window, `None` for an empty one.
    pub fn means(&self) -> impl Iterator<Item = Option<f64>> + '_ {
        let pairs = self.counts.sums.iter().zip(&self.sums.sums);
        pairs.map(|(&count, &sum)| (count > 0).then(|| sum as f64 / count as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_hold_their_start_and_not_their_end() {
        let windows = Windows::covering(-20, 25, 10);
        assert_eq!(windows.number, 5);
        assert_eq!(windows.index(-21), None);
        assert_eq!(windows.index(i64::MIN / 2), None);
        assert_eq!(
            (windows.index(-20), windows.index(-11), windows.index(-10)),
            (Some(0), Some(0), Some(1))
        );
        assert_eq!((windows.index(29), windows.index(30)), (Some(4), None));
        assert_eq!(windows.bounds_ns(2), (0, 10));
        assert_eq!(Windows::covering(0, 0, 5).index(0), None);
    }

    #[test]
    fn a_series_sums_each_window_and_ignores_the_rest() {
        let mut arrivals = CountSeries::new(Windows::covering(0, 30, 10));
        for at in [-1, 0, 9, 10, 29, 30] {
            arrivals.add(at, 1);
        }
        assert_eq!(arrivals.sums(), [2, 1, 1]);
        let mut work = Series::<f64>::new(Windows::covering(0, 20, 10));
        work.add(3, 0.5);
        work.add(3, 0.25);
        assert_eq!(work.sums(), [0.75, 0.0]);
    }

    #[test]
    fn means_are_none_where_nothing_happened() {
        let windows = Windows::covering(0, 30, 10);
        let mut latency = MeanSeries::new(windows);
        latency.record(0, 4);
        latency.record(9, 8);
        latency.record(20, 5);
        let mut other = MeanSeries::new(windows);
        other.record(21, 7);
        latency.merge(&other);
        assert_eq!(latency.means().collect::<Vec<_>>(), [Some(6.0), None, Some(6.0)]);
        assert_eq!(latency.counts().sums(), [2, 0, 2]);
        assert_eq!(latency.sums().sums(), [12, 0, 12]);
    }

    #[test]
    #[should_panic(expected = "different windows")]
    fn series_over_different_windows_do_not_merge() {
        let mut left = CountSeries::new(Windows::covering(0, 30, 10));
        left.merge(&CountSeries::new(Windows::covering(0, 30, 15)));
    }
}
