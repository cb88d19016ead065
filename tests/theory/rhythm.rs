//! P-QUE-23: a sinusoidal load and the wave it leaves in the number of requests present.
//!
//! The language has no expression for amplitude and phase, so they are fitted to the series here.

use std::f64::consts::TAU;

/// `mean + amplitude sin(2 pi (t - lag) / period)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wave {
    /// Mean of the series.
    pub mean: f64,
    /// Half the distance from trough to peak.
    pub amplitude: f64,
    /// How much later than a sine that begins at time 0, in seconds.
    pub lag_s: f64,
}

/// Fits one sine by least squares to the means of windows of a series that begins at time 0 and
/// is cut to whole periods.
pub fn fit(windows: &[f64], window_s: f64, period_s: f64) -> Wave {
    let per_period = (period_s / window_s).round() as usize;
    let whole = windows.len() / per_period * per_period;
    assert!(whole > 0, "the series has at least one period");
    let (mut sum, mut sine, mut cosine) = (0.0, 0.0, 0.0);
    for (i, value) in windows[..whole].iter().enumerate() {
        let phase = TAU * (i as f64 + 0.5) * window_s / period_s;
        sum += value;
        sine += value * phase.sin();
        cosine += value * phase.cos();
    }
    let count = whole as f64;
    let (sine, cosine) = (2.0 * sine / count, 2.0 * cosine / count);
    Wave {
        mean: sum / count,
        amplitude: sine.hypot(cosine),
        lag_s: (-cosine).atan2(sine) / TAU * period_s,
    }
}

#[test]
fn a_wave_is_found_again() {
    let value = |i: usize| 500.0 + 265.0 * (TAU * (i as f64 + 0.5 - 9.2) / 120.0).sin();
    // A part of a period more, which must not tilt the fit.
    let series: Vec<f64> = (0..250).map(value).collect();
    let wave = fit(&series, 1.0, 120.0);
    assert!((wave.mean - 500.0).abs() < 1e-9, "{wave:?}");
    assert!((wave.amplitude - 265.0).abs() < 1e-9, "{wave:?}");
    assert!((wave.lag_s - 9.2).abs() < 1e-9, "{wave:?}");
}
