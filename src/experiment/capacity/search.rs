//! Looking for the border between loads that hold and loads that fail, where some cannot be told.
//!
//! It knows loads and verdicts, and nothing of what is run. Steps are by factors.

use super::{Range, Trial};
use crate::experiment::verdict::Verdict;

/// By so much the load is raised or lowered until it fails or holds.
const STRIDE: f64 = 2.0;
/// Loads further from the written one than this factor are not tried.
const FURTHEST: f64 = 4096.0;

/// The range between the largest load that holds and the smallest that fails, beginning at a load.
/// Its ends lie no further apart than the factor `resolution`, unless what lies between them is
/// undecided.
pub(super) fn bracket<E>(
    start: f64,
    resolution: f64,
    at: &mut dyn FnMut(f64) -> Result<Trial, E>,
) -> Result<Range, E> {
    let mut border = Border { resolution, ..Border::default() };
    let first = at(start)?;
    border.note(&first);
    // The load at which something is full is a good guess from above, and fails.
    let full = first.full_at.filter(|full| *full > 0.0);
    let mut load = start;
    while border.fails.is_none() && load < start * FURTHEST {
        let guess = full.filter(|full| *full > load * resolution && *full < load * 2.0 * STRIDE);
        load = guess.unwrap_or(load * STRIDE);
        border.note(&at(load)?);
    }
    let mut load = start;
    let guess = full.map(|full| full * 0.7).filter(|guess| *guess < start);
    let mut guess = guess.filter(|_| border.holds.is_none());
    while border.holds.is_none() && load > start / FURTHEST {
        let guessed = guess.take();
        let tried = at(guessed.unwrap_or(load / STRIDE))?;
        if tried.load >= load {
            if guessed.is_some() {
                continue;
            }
            // Whole numbers end at one.
            break;
        }
        load = tried.load;
        border.note(&tried);
    }
    // First the border of what holds, then that of what fails; where nothing is undecided they
    // are one and the same.
    while let Some(load) = border.between(border.holds, border.open.map(|open| open[0])) {
        let tried = at(load)?;
        if !border.note(&tried) {
            break;
        }
    }
    while let Some(load) = border.between(border.open.map(|open| open[1]), border.fails) {
        let tried = at(load)?;
        if !border.note(&tried) {
            break;
        }
    }
    Ok(Range { low: border.holds, high: border.fails })
}

/// What is known so far.
#[derive(Debug, Default)]
struct Border {
    resolution: f64,
    /// The largest load that holds.
    holds: Option<f64>,
    /// The smallest that fails.
    fails: Option<f64>,
    /// The smallest and the largest load that could not be told.
    open: Option<[f64; 2]>,
}

impl Border {
    /// Notes a trial; false where it says nothing new.
    fn note(&mut self, trial: &Trial) -> bool {
        let load = trial.load;
        let known = [self.holds, self.fails].contains(&Some(load))
            || self.open.is_some_and(|open| open.contains(&load));
        match trial.verdict {
            Verdict::Holds => self.holds = Some(self.holds.map_or(load, |one| one.max(load))),
            Verdict::Fails => self.fails = Some(self.fails.map_or(load, |one| one.min(load))),
            Verdict::Undecided => {
                let [least, most] = self.open.unwrap_or([load; 2]);
                self.open = Some([least.min(load), most.max(load)]);
            }
        }
        // What holds above an undecided load, or fails below one, has settled it.
        let (holds, fails) = (self.holds.unwrap_or(0.0), self.fails.unwrap_or(f64::INFINITY));
        self.open = self.open.filter(|open| open[1] > holds && open[0] < fails);
        self.open = self.open.map(|[least, most]| [least.max(holds), most.min(fails)]);
        !known
    }

    /// The middle of two loads that are still too far apart; the other end of the border where the
    /// second is not known.
    fn between(&self, low: Option<f64>, high: Option<f64>) -> Option<f64> {
        let (low, high) = (low.or(self.holds)?, high.or(self.fails)?);
        (high > low * self.resolution).then(|| (low * high).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    const RESOLUTION: f64 = 1.03;

    /// A system that holds up to a load and fails from another one on.
    fn system(holds: f64, fails: f64, whole: bool) -> impl FnMut(f64) -> Result<Trial, Infallible> {
        move |load| {
            let load = if whole { load.round().max(1.0) } else { load };
            let verdict = match load {
                load if load <= holds => Verdict::Holds,
                load if load >= fails => Verdict::Fails,
                _ => Verdict::Undecided,
            };
            Ok(Trial { load, verdict, ..Trial::default() })
        }
    }

    fn found(start: f64, mut system: impl FnMut(f64) -> Result<Trial, Infallible>) -> (Range, u32) {
        let mut tries = 0;
        let mut count = |load| {
            tries += 1;
            system(load)
        };
        let Ok(range) = bracket(start, RESOLUTION, &mut count);
        (range, tries)
    }

    #[test]
    fn the_border_lies_inside_a_narrow_range() {
        for start in [1.0, 99.0, 101.0, 5000.0] {
            let (Range { low: Some(low), high: Some(high) }, tries) =
                found(start, system(100.0, 100.1, false))
            else {
                panic!("it has a border")
            };
            assert!(low <= 100.0 && high >= 100.1 && high <= low * RESOLUTION, "{low} {high}");
            assert!(tries < 20, "{tries} from {start}");
        }
    }

    #[test]
    fn what_cannot_be_told_lies_inside_the_range() {
        for start in [10.0, 90.0, 100.0, 900.0] {
            let (Range { low: Some(low), high: Some(high) }, _) =
                found(start, system(80.0, 120.0, false))
            else {
                panic!("it has a border")
            };
            assert!((80.0 / RESOLUTION..=80.0).contains(&low), "{low}");
            assert!((120.0..=120.0 * RESOLUTION).contains(&high), "{high}");
        }
    }

    #[test]
    fn a_border_that_is_nowhere_is_not_invented() {
        let (range, _) = found(1e3, system(f64::INFINITY, f64::INFINITY, false));
        assert!(range.low.is_some_and(|low| low >= 1e3 * FURTHEST) && range.high.is_none());
        let (range, _) = found(1e3, system(0.0, 1e-9, false));
        assert!(range.low.is_none() && range.high.is_some_and(|high| high <= 1.0));
        let (range, tries) = found(5.0, system(0.0, 0.5, true));
        assert_eq!((range, tries < 8), (Range { low: None, high: Some(1.0) }, true));
    }

    #[test]
    fn whole_numbers_end_the_search_where_nothing_lies_between() {
        let (range, _) = found(1.0, system(3.0, 4.0, true));
        assert_eq!(range, Range { low: Some(3.0), high: Some(4.0) });
    }

    #[test]
    fn a_guess_that_is_rounded_to_where_one_is_ends_nothing() {
        let mut system = system(4.0, 5.0, true);
        let guessed = |load| system(load).map(|one| Trial { full_at: Some(7.0), ..one });
        assert_eq!(found(5.0, guessed).0, Range { low: Some(4.0), high: Some(5.0) });
    }

    #[test]
    fn a_guess_from_the_bottleneck_saves_tries() {
        let mut system = system(100.0, 100.1, false);
        let guessed = |load| system(load).map(|one| Trial { full_at: Some(110.0), ..one });
        let (range, tries) = found(40.0, guessed);
        assert!(range.low.is_some_and(|low| low > 96.0) && tries < 10, "{range:?} {tries}");
    }
}
