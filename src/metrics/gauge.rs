//! A number that stands for a while: requests present, busy cores, instances in service.
//!
//! A gauge integrates the number over the measured time exactly, in integers, so that Little's law
//! can be checked with tolerance zero. It does not know what it counts.

use super::Windows;

/// The measured time [from, to) of a gauge, in nanoseconds on the scenario clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaugeWindow {
    /// First instant that counts.
    pub from_ns: i64,
    /// First instant that counts no longer.
    pub to_ns: i64,
}

/// An integer that changes at instants, with its exact integral over the measured time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gauge {
    value: i64,
    since_ns: i64,
    /// The next border at which something must be noted: start, end, or a window of the series.
    next_border_ns: i64,
    /// Integral since the last time that it was booked at a border.
    running: i128,
    /// What was taken out of `running` at borders, whether it is measured or not.
    booked: i128,
    max: i64,
    window: GaugeWindow,
    phase: Phase,
    integral: i128,
    at_start: i64,
    at_end: i64,
    max_inside: i64,
    series: Option<Box<GaugeSeries>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Before,
    Inside,
    After,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct GaugeSeries {
    windows: Windows,
    integrals: Vec<i128>,
}

impl Gauge {
    /// A gauge that reads `value` from the beginning of time.
    pub fn new(window: GaugeWindow, value: i64) -> Self {
        assert!(window.from_ns <= window.to_ns, "a measured time that ends before it begins");
        Self {
            value,
            since_ns: window.from_ns,
            next_border_ns: window.from_ns,
            running: 0,
            booked: 0,
            max: value,
            window,
            phase: Phase::Before,
            integral: 0,
            at_start: value,
            at_end: value,
            max_inside: value,
            series: None,
        }
    }

    /// As [`Gauge::new`], with the integral of each window of the measured time besides.
    pub fn with_series(window: GaugeWindow, value: i64, length_ns: i64) -> Self {
        let windows = Windows::covering(window.from_ns, window.to_ns, length_ns);
        let integrals = vec![0; windows.number];
        let series = Some(Box::new(GaugeSeries { windows, integrals }));
        Self { series, ..Self::new(window, value) }
    }

    /// Adds `delta` to the number at an instant not before the last change.
    #[inline]
    pub fn change(&mut self, now_ns: i64, delta: i64) {
        if now_ns >= self.next_border_ns {
            self.cross_borders(now_ns);
        }
        debug_assert!(now_ns >= self.since_ns || self.phase == Phase::Before);
        self.running += i128::from(self.value) * i128::from(now_ns - self.since_ns);
        self.since_ns = now_ns;
        self.value += delta;
        self.max = self.max.max(self.value);
    }

    /// Sets the number at an instant not before the last change.
    #[inline]
    pub fn set(&mut self, now_ns: i64, value: i64) {
        self.change(now_ns, value - self.value);
    }

    /// The number now.
    #[inline]
    pub const fn value(&self) -> i64 {
        self.value
    }

    /// Number x nanoseconds up to an instant not before the last change, from an instant that stays
    /// the same: two of them differ by the integral between, within the measured time or not.
    pub const fn so_far(&self, now_ns: i64) -> i128 {
        self.booked + self.running + self.value as i128 * (now_ns - self.since_ns) as i128
    }

    /// Books everything up to the end of the measured time; the readings below need it.
    pub fn close(&mut self) {
        if self.phase != Phase::After {
            self.cross_borders(self.window.to_ns);
        }
    }

    #[cold]
    #[inline(never)]
    fn cross_borders(&mut self, now_ns: i64) {
        while now_ns >= self.next_border_ns {
            let border_ns = self.next_border_ns;
            self.running += i128::from(self.value) * i128::from(border_ns - self.since_ns);
            self.since_ns = border_ns;
            match self.phase {
                Phase::Before => {
                    self.at_start = self.value;
                    self.max = self.value;
                    self.phase = Phase::Inside;
                }
                Phase::Inside => self.book(border_ns),
                Phase::After => unreachable!("a border after the end"),
            }
            self.booked += self.running;
            self.running = 0;
            self.next_border_ns = self.border_after(border_ns);
        }
    }

    /// Adds the running integral, which ends at a border, to the whole and to its window.
    fn book(&mut self, border_ns: i64) {
        self.integral += self.running;
        if let Some(series) = &mut self.series
            && let Some(index) = series.windows.index(border_ns - 1)
        {
            series.integrals[index] += self.running;
        }
        if border_ns == self.window.to_ns {
            self.at_end = self.value;
            self.max_inside = self.max;
            self.phase = Phase::After;
        }
    }

    fn border_after(&self, border_ns: i64) -> i64 {
        if self.phase == Phase::After {
            return i64::MAX;
        }
        let step_ns = self.series.as_ref().map_or(i64::MAX, |series| series.windows.length_ns);
        border_ns.saturating_add(step_ns).min(self.window.to_ns)
    }

    /// Adds the readings of another closed gauge over the same time: the number of both together.
    ///
    /// The maximum becomes the larger of the two, because their peaks need not coincide.
    pub fn merge(&mut self, other: &Self) {
        assert!(self.closed() && other.closed(), "a gauge is merged after it is closed");
        assert_eq!(self.window, other.window, "gauges over different times");
        self.integral += other.integral;
        self.at_start += other.at_start;
        self.at_end += other.at_end;
        self.value += other.value;
        self.max_inside = self.max_inside.max(other.max_inside);
        if let (Some(mine), Some(theirs)) = (&mut self.series, &other.series) {
            assert_eq!(mine.windows, theirs.windows, "gauges over different windows");
            for (mine, theirs) in mine.integrals.iter_mut().zip(&theirs.integrals) {
                *mine += theirs;
            }
        }
    }

    fn closed(&self) -> bool {
        self.phase == Phase::After
    }

    /// Integral of the number over the measured time, in number x nanoseconds.
    pub fn integral(&self) -> i128 {
        assert!(self.closed(), "a gauge is read after it is closed");
        self.integral
    }

    /// Mean of the number over the measured time, `None` when that is empty.
    pub fn mean(&self) -> Option<f64> {
        let length_ns = self.window.to_ns - self.window.from_ns;
        (length_ns > 0).then(|| self.integral() as f64 / length_ns as f64)
    }

    /// The number at the start, before any change at that very instant.
    pub fn at_start(&self) -> i64 {
        assert!(self.closed(), "a gauge is read after it is closed");
        self.at_start
    }

    /// The number at the end, before any change at that very instant.
    pub fn at_end(&self) -> i64 {
        assert!(self.closed(), "a gauge is read after it is closed");
        self.at_end
    }

    /// The largest number that stood within the measured time, however short.
    pub fn max(&self) -> i64 {
        assert!(self.closed(), "a gauge is read after it is closed");
        self.max_inside
    }

    /// The windows and the integral (number x nanoseconds) of each, when the gauge keeps them.
    pub fn series(&self) -> Option<(Windows, &[i128])> {
        assert!(self.closed(), "a gauge is read after it is closed");
        self.series.as_ref().map(|series| (series.windows, &series.integrals[..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: GaugeWindow = GaugeWindow { from_ns: 0, to_ns: 100 };

    /// A gauge after the changes (instant, delta), closed.
    fn gauge(mut gauge: Gauge, changes: &[(i64, i64)]) -> Gauge {
        changes.iter().for_each(|&(at, delta)| gauge.change(at, delta));
        gauge.close();
        gauge
    }

    #[test]
    fn the_integral_is_clipped_to_the_measured_time() {
        let changes = [(-30, 2), (-10, 1), (20, -1), (70, 4), (130, -6), (170, 9)];
        let gauge = gauge(Gauge::new(WINDOW, 0), &changes);
        assert_eq!(gauge.integral(), 3 * 20 + 2 * 50 + 6 * 30);
        assert_eq!((gauge.at_start(), gauge.at_end()), (3, 6));
        assert_eq!((gauge.mean(), gauge.max()), (Some(3.4), 6));
        assert_eq!(gauge.value(), 9);
    }

    #[test]
    fn changes_at_the_borders_belong_to_the_time_that_begins_there() {
        let gauge = gauge(Gauge::new(WINDOW, 5), &[(0, -2), (0, 1), (100, 7)]);
        assert_eq!((gauge.at_start(), gauge.at_end()), (5, 4));
        assert_eq!(gauge.integral(), 400);
        assert_eq!(gauge.max(), 5);
    }

    #[test]
    fn a_gauge_without_changes_holds_its_value() {
        let gauge = gauge(Gauge::new(WINDOW, 3), &[]);
        assert_eq!((gauge.integral(), gauge.at_start(), gauge.at_end()), (300, 3, 3));
        let late = super::tests::gauge(Gauge::new(WINDOW, 3), &[(500, -3)]);
        assert_eq!((late.integral(), late.at_end()), (300, 3));
        let empty = GaugeWindow { from_ns: 7, to_ns: 7 };
        let empty = super::tests::gauge(Gauge::new(empty, 3), &[(9, 1)]);
        assert_eq!((empty.integral(), empty.mean(), empty.at_end()), (0, None, 3));
    }

    #[test]
    fn windows_split_the_integral_exactly_at_their_borders() {
        let changes = [(-5, 1), (15, 1), (40, -2), (95, 3), (120, 1)];
        let gauge = gauge(Gauge::with_series(WINDOW, 0, 30), &changes);
        let (windows, integrals) = gauge.series().expect("the gauge keeps a series");
        assert_eq!(windows.number, 4);
        assert_eq!(integrals, [15 + 2 * 15, 2 * 10, 0, 3 * 5]);
        assert_eq!(integrals.iter().sum::<i128>(), gauge.integral());
    }

    #[test]
    fn the_integral_equals_the_sum_of_the_stays_clipped() {
        // Little's law as the audit will check it: both sides are integers.
        let stays = [(-50, 10), (-20, -5), (0, 1), (3, 250), (40, 40), (99, 101), (100, 200)];
        let mut changes: Vec<(i64, i64)> =
            stays.iter().flat_map(|&(from, to)| [(from, 1), (to, -1)]).collect();
        changes.sort_by_key(|&(at, _)| at);
        let gauge = gauge(Gauge::with_series(WINDOW, 0, 7), &changes);
        let clipped = |at: i64| at.clamp(WINDOW.from_ns, WINDOW.to_ns);
        let inside: i64 = stays.iter().map(|&(from, to)| clipped(to) - clipped(from)).sum();
        assert_eq!(gauge.integral(), i128::from(inside));
        assert_eq!((gauge.at_start(), gauge.at_end()), (1, 2));
    }

    #[test]
    fn merged_gauges_read_as_the_sum() {
        let mut left = gauge(Gauge::with_series(WINDOW, 1, 50), &[(10, 2)]);
        let mut right = Gauge::with_series(WINDOW, 0, 50);
        right.set(60, 4);
        right.close();
        left.merge(&right);
        assert_eq!(left.integral(), 10 + 3 * 90 + 4 * 40);
        assert_eq!((left.at_start(), left.at_end(), left.max()), (1, 7, 4));
        assert_eq!(left.series().map(|(_, sums)| sums.to_vec()), Some(vec![130, 310]));
    }

    #[test]
    fn integrals_between_any_two_instants_are_known() {
        let mut gauge = Gauge::with_series(WINDOW, 2, 30);
        let mut expected = 0;
        let mut before = (-80, gauge.so_far(-80));
        for (at, delta) in [(-50, 3), (-7, -1), (0, 2), (29, 1), (95, -4), (160, 2), (230, 0)] {
            expected += i128::from(gauge.value()) * i128::from(at - before.0);
            let so_far = gauge.so_far(at);
            assert_eq!(so_far - before.1, i128::from(gauge.value()) * i128::from(at - before.0));
            before = (at, so_far);
            gauge.change(at, delta);
            assert_eq!(gauge.so_far(at), so_far, "a change takes no time");
        }
        assert_eq!(gauge.so_far(230) - gauge.so_far(230), 0);
        assert_eq!(before.1 - Gauge::new(WINDOW, 2).so_far(-80), expected);
    }

    #[test]
    #[should_panic(expected = "after it is closed")]
    fn an_open_gauge_is_not_read() {
        Gauge::new(WINDOW, 0).integral();
    }
}
