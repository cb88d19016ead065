//! Where the transient of a run ends: MSER-5 on windowed means.
//!
//! MSER (White 1997; five-point batches: White, Cobb and Spratt 2000) cuts where the rest of the
//! series has the smallest standard error. It looks at one series of numbers and does not know
//! what they measure; the caller takes the largest cut of several series.

/// Windows in one batch: the 5 of MSER-5.
const BATCH: usize = 5;
/// Below this number of batches a minimum says nothing.
const BATCHES_MIN: usize = 10;

/// How much of a series belongs to its transient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Number of windows to drop from the start.
    pub windows: usize,
    /// False when the best cut is the last one allowed: the series had not settled by its middle.
    pub settled: bool,
}

/// The cut of MSER-5 within the first half; `None` for fewer than 50 windows.
pub fn mser5(means: &[f64]) -> Option<Cut> {
    assert!(means.iter().all(|mean| mean.is_finite()), "a window without a mean");
    let batches: Vec<f64> =
        means.chunks_exact(BATCH).map(|batch| batch.iter().sum::<f64>() / BATCH as f64).collect();
    if batches.len() < BATCHES_MIN {
        return None;
    }
    let cut_max = batches.len() / 2;
    let errors = squared_errors(&batches);
    // The first of equal minima: nothing is thrown away without a gain.
    let cut =
        (0..=cut_max).fold(0, |best, cut| if errors[cut] < errors[best] { cut } else { best });
    Some(Cut { windows: cut * BATCH, settled: cut < cut_max })
}

/// For every cut the squared standard error of the mean of the rest, from the end backwards.
fn squared_errors(batches: &[f64]) -> Vec<f64> {
    // Welford's recurrence keeps the sum of squares free of cancellation.
    let (mut mean, mut squares) = (0.0, 0.0);
    let mut errors = vec![0.0; batches.len()];
    for (index, &batch) in batches.iter().enumerate().rev() {
        let count = (batches.len() - index) as f64;
        let deviation = batch - mean;
        mean += deviation / count;
        squares += deviation * (batch - mean);
        errors[index] = squares / (count * count);
    }
    errors
}

/// The largest of several cuts: warm is what has settled in every respect.
pub fn largest(cuts: impl IntoIterator<Item = Cut>) -> Option<Cut> {
    let join =
        |a: Cut, b: Cut| Cut { windows: a.windows.max(b.windows), settled: a.settled && b.settled };
    cuts.into_iter().reduce(join)
}

/// A series of means without its gaps: an empty window repeats the one before it, a gap at the
/// start the first that follows. Empty when no window has a mean.
pub fn fill_gaps(means: impl IntoIterator<Item = Option<f64>>) -> Vec<f64> {
    let means: Vec<Option<f64>> = means.into_iter().collect();
    let Some(first) = means.iter().find_map(|mean| *mean) else { return Vec::new() };
    let fill = |last: &mut f64, mean: Option<f64>| {
        *last = mean.unwrap_or(*last);
        Some(*last)
    };
    means.into_iter().scan(first, fill).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::SmallRng};
    use rand_distr::{Distribution, StandardNormal};

    /// AR(1) noise of unit variance around 10, plus a transient that decays from `start`.
    fn series(seed: u64, windows: usize, phi: f64, start: f64, decay: f64) -> Vec<f64> {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
        let mut noise = normal();
        (0..windows)
            .map(|window| {
                noise = phi * noise + (1.0 - phi * phi).sqrt() * normal();
                10.0 + noise + start * (-(window as f64) / decay).exp()
            })
            .collect()
    }

    #[test]
    fn a_transient_is_cut_where_it_has_sunk_into_the_noise() {
        for seed in 0..50 {
            let cut = mser5(&series(seed, 600, 0.5, -30.0, 20.0)).expect("600 windows");
            // At 3 decay times the transient is 1.5 of the noise, at 8 a hundredth.
            assert!(cut.settled, "seed {seed}: {cut:?}");
            assert!((40..=250).contains(&cut.windows), "seed {seed}: {cut:?}");
        }
    }

    #[test]
    fn the_rest_after_the_cut_has_lost_the_bias() {
        let seeds = 200;
        let bias = |cutting: bool| {
            let mean_of = |seed| {
                let series = series(seed, 400, 0.5, -20.0, 15.0);
                let cut = if cutting { mser5(&series).expect("400 windows").windows } else { 0 };
                let rest = &series[cut..];
                rest.iter().sum::<f64>() / rest.len() as f64
            };
            (0..seeds).map(mean_of).sum::<f64>() / seeds as f64 - 10.0
        };
        assert!(bias(false) < -0.7);
        assert!(bias(true).abs() < 0.05, "{}", bias(true));
    }

    #[test]
    fn a_stationary_series_keeps_nearly_everything() {
        let cuts = (0..200).map(|seed| mser5(&series(seed, 500, 0.3, 0.0, 1.0)).expect("500"));
        let mean = cuts.map(|cut| cut.windows as f64).sum::<f64>() / 200.0;
        assert!(mean < 60.0, "a mean cut of {mean} windows of 500");
        assert_eq!(mser5(&[4.0; 100]), Some(Cut { windows: 0, settled: true }));
    }

    #[test]
    fn a_series_that_still_moves_at_its_middle_is_not_settled() {
        let growing: Vec<f64> = (0..200).map(f64::from).collect();
        assert_eq!(mser5(&growing), Some(Cut { windows: 100, settled: false }));
    }

    #[test]
    fn a_short_series_says_nothing() {
        assert_eq!(mser5(&[1.0; 49]), None);
        assert!(mser5(&[1.0; 50]).is_some());
    }

    #[test]
    fn the_largest_cut_of_several_series_counts() {
        let cut = |windows, settled| Cut { windows, settled };
        assert_eq!(largest([cut(5, true), cut(20, true)]), Some(cut(20, true)));
        assert_eq!(largest([cut(50, false), cut(20, true)]), Some(cut(50, false)));
        assert_eq!(largest([]), None);
    }

    #[test]
    fn gaps_repeat_the_window_before() {
        let filled = fill_gaps([None, Some(2.0), None, Some(3.0), None]);
        assert_eq!(filled, [2.0, 2.0, 2.0, 3.0, 3.0]);
        assert_eq!(fill_gaps([None, None]), Vec::<f64>::new());
    }
}
