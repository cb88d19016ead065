//! Windows of expressions: which stretches of the measured time a figure is taken from.
//!
//! Series are kept in windows of fixed length, so a stretch counts the windows whose middle lies in
//! it. It does not know what the series hold.

use crate::language::expression::Relation;
use crate::world::Observations;

/// When a figure is measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Period {
    /// Within the time, outside it, or after its end.
    pub relation: Relation,
    /// The time.
    pub time: Time,
}

/// The time that a window names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Time {
    /// From and to, in nanoseconds on the scenario's clock.
    Range(i64, i64),
    /// All occurrences of a fault, each from its start until its cause is gone.
    Fault(usize),
}

/// A chosen window of the series: its number and its length in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chosen {
    /// Number of the window.
    pub index: usize,
    /// Its length within the measured time.
    pub length_ns: i64,
}

impl Period {
    /// The windows of a replication's series that belong to the period.
    pub fn spans(&self, observed: &Observations) -> Vec<Chosen> {
        let stretches = self.stretches(observed);
        let within = |at: f64| stretches.iter().any(|&(from, to)| covers(from, to, at));
        let last = stretches.iter().map(|&(_, to)| to).max();
        let (end, window) = (observed.duration.0, observed.ledger.measure.window_ns);
        let number = (end + window - 1) / window;
        (0..number)
            .filter_map(|index| {
                let (from, to) = (index * window, ((index + 1) * window).min(end));
                let middle = (from + to) as f64 / 2.0;
                let belongs = match self.relation {
                    Relation::During => within(middle),
                    Relation::Outside => !within(middle),
                    Relation::After => last.is_some_and(|last| middle >= last as f64),
                };
                belongs.then_some(Chosen { index: index as usize, length_ns: to - from })
            })
            .collect()
    }

    fn stretches(&self, observed: &Observations) -> Vec<(i64, i64)> {
        match self.time {
            Time::Range(from, to) => vec![(from, to)],
            Time::Fault(fault) => observed
                .faults
                .iter()
                .filter(|occurrence| usize::from(occurrence.fault) == fault)
                .map(|one| (one.from.0, one.to.map_or(i64::MAX, |to| to.0)))
                .collect(),
        }
    }
}

fn covers(from: i64, to: i64, at: f64) -> bool {
    from as f64 <= at && at < to as f64
}

/// Length of the chosen windows together, in nanoseconds.
pub fn length_ns(chosen: &[Chosen]) -> i64 {
    chosen.iter().map(|window| window.length_ns).sum()
}

/// Sum of a series over the chosen windows; a series that is shorter has nothing there.
pub fn sum<T: Copy + Default + std::iter::Sum>(series: &[T], chosen: &[Chosen]) -> T {
    chosen.iter().map(|window| series.get(window.index).copied().unwrap_or_default()).sum()
}
