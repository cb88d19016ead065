//! Profiles: the factor on the arrival rate over scenario time, its integral, and the inverse.
//!
//! The integral is told in nanoseconds at factor 1 since time 0 and negative before; inverting it
//! is what turns a process of rate 1 into one that follows the profile. During the warm-up the
//! factor has its value at 0. Nothing here is random, and nothing knows what arrives.

use std::f64::consts::TAU;
use std::sync::Arc;

use crate::units::{Duration, Factor, Instant};

/// A compiled profile; cloning shares it.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfilePlan {
    /// Never empty; the first starts at 0 and the last has no end.
    pieces: Arc<[Piece]>,
}

/// A stretch of time with one formula.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    start_ns: f64,
    /// The integral from 0 to the start of the piece, in nanoseconds at factor 1.
    area_before: f64,
    curve: Curve,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Curve {
    Constant {
        factor: f64,
    },
    /// Slope per nanosecond.
    Linear {
        from: f64,
        slope: f64,
    },
    Sine(Sine),
}

/// A sine between two factors, told from the start of a period.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sine {
    middle: f64,
    amplitude: f64,
    period_ns: f64,
    peak_ns: f64,
    /// Radians per nanosecond.
    turn: f64,
    /// Sine of the way from the start of a period to its peak.
    foot: f64,
}

impl Sine {
    fn new(low: f64, high: f64, period_ns: f64, peak_ns: f64) -> Self {
        let turn = TAU / period_ns;
        Self {
            middle: 0.5 * (low + high),
            amplitude: 0.5 * (high - low),
            period_ns,
            peak_ns,
            turn,
            foot: (turn * peak_ns).sin(),
        }
    }

    /// The integral from 0 to `x` within one period, and the factor there.
    fn area_and_factor(&self, x: f64) -> (f64, f64) {
        let (sine, cosine) = (self.turn * (x - self.peak_ns)).sin_cos();
        let area = self.middle * x + self.amplitude / self.turn * (sine + self.foot);
        (area, self.middle + self.amplitude * cosine)
    }

    /// The `x` at or after `from` whose area is `area`, to a fraction of a nanosecond.
    fn inverse(&self, area: f64, from: f64) -> f64 {
        let (mut low, mut high) = (from, self.period_ns);
        let mut x = from;
        let mut step = high - low;
        loop {
            let (reached, factor) = self.area_and_factor(x);
            let excess = reached - area;
            if excess > 0.0 {
                high = x;
            } else {
                low = x;
            }
            // Newton's step, or half the bracket where that step leaves the bracket or does not
            // shrink by half: near a factor of 0, and where Newton would run in circles.
            let newton = x - excess / factor;
            let tame = newton >= low && newton <= high && 2.0 * (newton - x).abs() <= step;
            let next = if tame { newton } else { 0.5 * (low + high) };
            step = (next - x).abs();
            if step < 0.125 || high - low < 0.25 {
                return next;
            }
            x = next;
        }
    }
}

impl Curve {
    fn factor(&self, x: f64) -> f64 {
        match self {
            Curve::Constant { factor } => *factor,
            Curve::Linear { from, slope } => from + slope * x,
            Curve::Sine(sine) => sine.area_and_factor(x.rem_euclid(sine.period_ns)).1,
        }
    }

    /// Integral from the start of the piece to `x` nanoseconds after it.
    fn area(&self, x: f64) -> f64 {
        match self {
            Curve::Constant { factor } => factor * x,
            Curve::Linear { from, slope } => (from + 0.5 * slope * x) * x,
            Curve::Sine(sine) => {
                let periods = (x / sine.period_ns).floor();
                let whole = periods * sine.middle * sine.period_ns;
                whole + sine.area_and_factor(x - periods * sine.period_ns).0
            }
        }
    }
}

impl ProfilePlan {
    /// Factor 1 for ever.
    pub fn constant() -> Self {
        Self::of([(0.0, Curve::Constant { factor: 1.0 })])
    }

    /// From one factor at time 0 to another after `over`, linearly, and so for ever.
    pub fn ramp(from: Factor, to: Factor, over: Duration) -> Self {
        let mut pieces = Vec::new();
        push_ramp(&mut pieces, 0.0, from.0, to.0, over);
        pieces.push((over.0 as f64, Curve::Constant { factor: to.0 }));
        Self::of(pieces)
    }

    /// Factor 1, then from `at` on a rise to `by`, that factor for `lasting`, and a fall back.
    pub fn spike(
        by: Factor,
        at: Instant,
        lasting: Duration,
        rise: Duration,
        fall: Duration,
    ) -> Self {
        let mut pieces = vec![(0.0, Curve::Constant { factor: 1.0 })];
        let top = at.0.max(0) as f64 + rise.0 as f64;
        let descent = top + lasting.0 as f64;
        push_ramp(&mut pieces, top - rise.0 as f64, 1.0, by.0, rise);
        pieces.push((top, Curve::Constant { factor: by.0 }));
        push_ramp(&mut pieces, descent, by.0, 1.0, fall);
        pieces.push((descent + fall.0 as f64, Curve::Constant { factor: 1.0 }));
        Self::of(pieces)
    }

    /// A new factor from each of these times on, in rising order; before the first, factor 1.
    pub fn steps(steps: &[(Instant, Factor)]) -> Result<Self, String> {
        let mut pieces = vec![(0.0, Curve::Constant { factor: 1.0 })];
        let mut last = None;
        for (at, by) in steps {
            if at.0 < 0 || last.is_some_and(|last| *at <= last) {
                return Err(format!("the step at {at} is not later than the one before it"));
            }
            last = Some(*at);
            pieces.push((at.0 as f64, Curve::Constant { factor: by.0 }));
        }
        Ok(Self::of(pieces))
    }

    /// A sine between two factors, highest at `peak_at` and every period before and after.
    pub fn diurnal(
        low: Factor,
        high: Factor,
        period: Duration,
        peak_at: Instant,
    ) -> Result<Self, String> {
        if low.0 > high.0 {
            return Err("`low` lies above `high`".into());
        }
        if period.0 <= 0 {
            return Err("the period must be above 0".into());
        }
        let (period_ns, peak_ns) = (period.0 as f64, peak_at.0.rem_euclid(period.0) as f64);
        let sine = Sine::new(low.0, high.0, period_ns, peak_ns);
        Ok(Self::of([(0.0, Curve::Sine(sine))]))
    }

    /// From (start, curve) in order; a piece that the next one replaces at once is dropped.
    fn of(curves: impl IntoIterator<Item = (f64, Curve)>) -> Self {
        let mut pieces: Vec<Piece> = Vec::new();
        for (start_ns, curve) in curves {
            if pieces.last().is_some_and(|last| last.start_ns == start_ns) {
                pieces.pop();
            }
            let area_before = pieces
                .last()
                .map_or(0.0, |last| last.area_before + last.curve.area(start_ns - last.start_ns));
            pieces.push(Piece { start_ns, area_before, curve });
        }
        assert!(pieces.first().is_some_and(|first| first.start_ns == 0.0));
        Self { pieces: pieces.into() }
    }

    fn piece_at(&self, time_ns: f64) -> &Piece {
        let after = self.pieces.partition_point(|piece| piece.start_ns <= time_ns);
        &self.pieces[after.max(1) - 1]
    }

    /// The factor on the rate at a time; before 0, what it is at 0.
    pub fn factor_at(&self, at: Instant) -> f64 {
        let time_ns = at.0.max(0) as f64;
        let piece = self.piece_at(time_ns);
        piece.curve.factor(time_ns - piece.start_ns)
    }

    /// The integral of the factor from 0 to a time, in nanoseconds; negative before 0.
    pub fn cumulative(&self, at: Instant) -> f64 {
        self.area_at(at.0 as f64)
    }

    pub(super) fn area_at(&self, time_ns: f64) -> f64 {
        if time_ns < 0.0 {
            return time_ns * self.factor_at(Instant::ZERO);
        }
        let piece = self.piece_at(time_ns);
        piece.area_before + piece.curve.area(time_ns - piece.start_ns)
    }

    /// The mean factor between two times, the first before the second.
    pub fn mean_factor(&self, from: Instant, to: Instant) -> f64 {
        (self.cumulative(to) - self.cumulative(from)) / to.since(from).0 as f64
    }

    /// The highest factor ever reached.
    pub fn max_factor(&self) -> f64 {
        let tops = self.pieces.iter().enumerate().map(|(i, piece)| match piece.curve {
            Curve::Constant { factor } => factor,
            Curve::Linear { from, slope } => {
                // A slope is never the last piece: it ends where the next begins.
                let end_ns = self.pieces[i + 1].start_ns;
                from.max(from + slope * (end_ns - piece.start_ns))
            }
            Curve::Sine(sine) => sine.middle + sine.amplitude,
        });
        tops.fold(0.0, f64::max)
    }

    /// Whether the factor is 1 for ever.
    pub fn is_constant(&self) -> bool {
        *self.pieces == *Self::constant().pieces
    }

    /// The time in nanoseconds from which the factor is 0 for ever, or infinity.
    pub(super) fn silent_from(&self) -> f64 {
        let last = self.pieces[self.pieces.len() - 1];
        match last.curve {
            Curve::Constant { factor } if factor > 0.0 => f64::INFINITY,
            Curve::Sine(sine) if sine.middle > 0.0 => f64::INFINITY,
            _ => last.start_ns,
        }
    }

    /// An inverter that walks forward from the beginning.
    pub fn walk(&self) -> ProfileWalk {
        ProfileWalk { plan: self.clone(), piece: 0, period: 0.0, offset_ns: 0.0 }
    }
}

/// Appends a linear piece, or nothing where it takes no time.
fn push_ramp(pieces: &mut Vec<(f64, Curve)>, start_ns: f64, from: f64, to: f64, over: Duration) {
    if over.0 > 0 {
        let slope = (to - from) / over.0 as f64;
        pieces.push((start_ns, Curve::Linear { from, slope }));
    }
}

/// Inverts the integral of a profile for areas that never fall; O(1) amortised, no allocation.
#[derive(Clone, Debug)]
pub struct ProfileWalk {
    plan: ProfilePlan,
    piece: usize,
    /// On a sine: the period of the last answer, and where in it that answer lies.
    period: f64,
    offset_ns: f64,
}

impl ProfileWalk {
    /// The earliest time in nanoseconds at which the integral reaches `area`, which is not below
    /// the one asked for before; infinity if it never does.
    #[inline]
    pub fn time_of(&mut self, area: f64) -> f64 {
        // Most loads have no profile.
        if let [Piece { curve: Curve::Constant { factor }, .. }] = self.plan.pieces[..] {
            return area / factor;
        }
        while let Some(next) = self.plan.pieces.get(self.piece + 1) {
            if next.area_before >= area {
                break;
            }
            self.piece += 1;
        }
        let piece = &self.plan.pieces[self.piece];
        if area < 0.0 {
            // Warm-up: only a positive factor makes a negative area.
            return area / piece.curve.factor(0.0);
        }
        let (rest, start_ns) = (area - piece.area_before, piece.start_ns);
        start_ns
            + match piece.curve {
                _ if rest <= 0.0 => 0.0,
                Curve::Constant { factor } => rest / factor,
                Curve::Linear { from, slope } => {
                    // The stable form of the solution; the root is the factor reached, and only
                    // rounding at the foot of a slope can make its square negative.
                    2.0 * rest / (from + (from * from + 2.0 * slope * rest).max(0.0).sqrt())
                }
                Curve::Sine(sine) => self.time_on_sine(&sine, rest),
            }
    }

    fn time_on_sine(&mut self, sine: &Sine, area: f64) -> f64 {
        let whole = sine.middle * sine.period_ns;
        if whole <= 0.0 {
            return f64::INFINITY;
        }
        let period = (area / whole).floor();
        if period > self.period {
            (self.period, self.offset_ns) = (period, 0.0);
        }
        let rest = area - self.period * whole;
        self.offset_ns = sine.inverse(rest, self.offset_ns);
        self.period * sine.period_ns + self.offset_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn seconds(seconds: i64) -> Duration {
        Duration(seconds * SECOND)
    }

    fn at(seconds: i64) -> Instant {
        Instant(seconds * SECOND)
    }

    fn samples() -> Vec<(&'static str, ProfilePlan)> {
        let steps = [(at(0), Factor(0.5)), (at(300), Factor(0.0)), (at(400), Factor(2.0))];
        let spike = |rise, fall| {
            ProfilePlan::spike(Factor(10.0), at(300), seconds(120), seconds(rise), seconds(fall))
        };
        vec![
            ("constant", ProfilePlan::constant()),
            ("ramp up", ProfilePlan::ramp(Factor(0.0), Factor(1.0), seconds(600))),
            ("ramp down", ProfilePlan::ramp(Factor(2.0), Factor(0.5), seconds(600))),
            ("spike", spike(0, 0)),
            ("rising spike", spike(30, 60)),
            ("steps", ProfilePlan::steps(&steps).unwrap()),
            ("diurnal", diurnal(0.4, 1.0)),
            ("nights of silence", diurnal(0.0, 1.0)),
        ]
    }

    fn diurnal(low: f64, high: f64) -> ProfilePlan {
        ProfilePlan::diurnal(Factor(low), Factor(high), seconds(86_400), at(43_200)).unwrap()
    }

    #[test]
    fn factors_are_as_written() {
        let of = |name: &str| samples().into_iter().find(|(n, _)| *n == name).unwrap().1;
        let check = |name: &str, cases: &[(i64, f64)]| {
            for (second, factor) in cases {
                let found = of(name).factor_at(at(*second));
                assert!((found - factor).abs() < 1e-9, "{name} at {second} s: {found}");
            }
        };
        check("ramp up", &[(-50, 0.0), (0, 0.0), (300, 0.5), (600, 1.0), (9999, 1.0)]);
        check("spike", &[(-1, 1.0), (299, 1.0), (300, 10.0), (419, 10.0), (420, 1.0)]);
        check("rising spike", &[(299, 1.0), (315, 5.5), (330, 10.0), (449, 10.0), (480, 5.5)]);
        check("rising spike", &[(510, 1.0), (9999, 1.0)]);
        check("steps", &[(-50, 0.5), (299, 0.5), (300, 0.0), (400, 2.0), (9999, 2.0)]);
        check("diurnal", &[(-50, 0.4), (0, 0.4), (21_600, 0.7), (43_200, 1.0), (86_400, 0.4)]);
        assert_eq!(of("rising spike").max_factor(), 10.0);
        assert_eq!(of("diurnal").max_factor(), 1.0);
        assert_eq!(of("ramp down").max_factor(), 2.0);
        assert!(of("constant").is_constant() && !of("spike").is_constant());
    }

    #[test]
    fn the_integral_is_the_sum_of_the_factors() {
        for (name, plan) in samples() {
            let mut sum = 0.0;
            for second in 0..90_000 {
                let middle = Instant(second * SECOND + SECOND / 2);
                sum += plan.factor_at(middle) * SECOND as f64;
                if second % 997 == 0 {
                    let exact = plan.cumulative(at(second + 1));
                    let error = (exact - sum).abs() / SECOND as f64;
                    assert!(error < 1e-4, "{name} at {second} s: {exact} is not {sum}");
                }
            }
        }
        assert_eq!(ProfilePlan::constant().cumulative(at(-5)), -5e9);
        let day = diurnal(0.4, 1.0).mean_factor(at(0), at(86_400));
        assert!((day - 0.7).abs() < 1e-12);
    }

    #[test]
    fn walking_inverts_the_integral_to_a_nanosecond() {
        for (name, plan) in samples() {
            let mut walk = plan.walk();
            let mut last = f64::NEG_INFINITY;
            let start = plan.cumulative(at(-100));
            for k in 1..40_000_u64 {
                // Uneven steps of ten seconds on average, over four days of arrivals.
                let area =
                    start + k as f64 * 10e9 + (k.wrapping_mul(0x9E37_79B9) % 9_000) as f64 * 1e6;
                let time = walk.time_of(area);
                assert!(time >= last, "{name}: {time} after {last}");
                last = time;
                let back = plan.area_at(time);
                let slope = plan.factor_at(Instant(time as i64)).max(1e-9);
                // Half a nanosecond at this factor, and the rounding of a double.
                let tolerance = slope + area.abs() * 4e-16 + 1e-3;
                assert!((back - area).abs() <= tolerance, "{name} at {time}: {back}, {area}");
            }
        }
    }

    #[test]
    fn silence_is_crossed_or_lasts_for_ever() {
        let steps = [(at(0), Factor(1.0)), (at(10), Factor(0.0)), (at(20), Factor(1.0))];
        let mut walk = ProfilePlan::steps(&steps).unwrap().walk();
        assert_eq!(walk.time_of(10e9), 10e9);
        assert_eq!(walk.time_of(10.5e9), 20.5e9);
        let ending = ProfilePlan::ramp(Factor(1.0), Factor(0.0), seconds(10));
        assert_eq!(ending.silent_from(), 10e9);
        let mut walk = ending.walk();
        assert_eq!(walk.time_of(5e9), 10e9);
        assert_eq!(walk.time_of(5e9 + 1.0), f64::INFINITY);
        assert_eq!(ProfilePlan::constant().silent_from(), f64::INFINITY);
        let mut dead = diurnal(0.0, 0.0).walk();
        assert_eq!(dead.time_of(1.0), f64::INFINITY);
    }

    #[test]
    fn impossible_profiles_are_explained() {
        let steps = [(at(10), Factor(1.0)), (at(10), Factor(2.0))];
        assert!(ProfilePlan::steps(&steps).unwrap_err().contains("not later"));
        assert!(ProfilePlan::diurnal(Factor(2.0), Factor(1.0), seconds(1), at(0)).is_err());
        assert!(ProfilePlan::diurnal(Factor(0.0), Factor(1.0), seconds(0), at(0)).is_err());
        assert!(ProfilePlan::steps(&[]).unwrap().is_constant());
    }
}
