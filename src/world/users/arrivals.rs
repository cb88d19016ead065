//! Arrivals of an open load: a process of rate 1, stretched by the rate, the profile and bursts.
//!
//! The k-th gap of the process of rate 1 is drawn from a key of its own, and the k-th arrival is
//! where the cumulative rate reaches the sum of the gaps. So nothing but the seed decides the gaps,
//! and a higher rate or another profile moves the same arrivals closer together. The process does
//! not know what arrives.

use std::sync::Arc;

use rand_distr::{Distribution, Exp1};

use super::profile::{ProfilePlan, ProfileWalk};
use crate::engine::stream::{DrawKey, salt};
use crate::random::{CountSampler, Sampler};
use crate::units::{Factor, Instant, Rate};

/// How arrivals follow each other; cloning shares it.
#[derive(Clone, Debug)]
pub struct ArrivalPlan {
    gaps: Gaps,
    /// Requests of one arrival.
    size: CountSampler,
    modulation: Option<Arc<[ModulationState]>>,
}

#[derive(Clone, Debug)]
enum Gaps {
    Exponential,
    Constant,
    /// Any law, divided by its mean in nanoseconds.
    Renewal {
        shape: Sampler,
        mean_ns: f64,
    },
}

/// One state of a modulated process.
#[derive(Clone, Debug)]
pub struct ModulationState {
    /// Factor on the mean rate while in this state.
    pub by: Factor,
    /// How long the state lasts.
    pub hold: Sampler,
}

impl ArrivalPlan {
    fn with_gaps(gaps: Gaps) -> Self {
        Self { gaps, size: CountSampler::constant(1), modulation: None }
    }

    /// Independent people: a Poisson process.
    pub fn poisson() -> Self {
        Self::with_gaps(Gaps::Exponential)
    }

    /// Equal gaps.
    pub fn even() -> Self {
        Self::with_gaps(Gaps::Constant)
    }

    /// Independent gaps with the shape of a law; its mean does not matter but must exist.
    pub fn renewal(shape: Sampler) -> Result<Self, String> {
        let mean_ns = shape.mean_ns();
        if !(mean_ns > 0.0 && mean_ns.is_finite()) {
            return Err("the gaps of a renewal process need a finite mean above 0".into());
        }
        Ok(Self::with_gaps(Gaps::Renewal { shape, mean_ns }))
    }

    /// Several requests at the same instant; the instants are a Poisson process.
    pub fn batches(size: CountSampler) -> Result<Self, String> {
        if size.mean() <= 0.0 {
            return Err("a batch needs at least one request now and then".into());
        }
        Ok(Self { size, ..Self::poisson() })
    }

    /// A Poisson process whose rate jumps between states, each followed by any of the others.
    pub fn modulated(states: Vec<ModulationState>) -> Result<Self, String> {
        if states.len() < 2 {
            return Err("a modulated load has at least two states".into());
        }
        if states.iter().all(|state| state.by.0 == 0.0) {
            return Err("no state of the modulated load lets anything arrive".into());
        }
        if !states.iter().all(|s| s.hold.mean_ns() >= 1.0 && s.hold.mean_ns().is_finite()) {
            return Err("every state of a modulated load needs a finite `hold` above 0".into());
        }
        Ok(Self { modulation: Some(states.into()), ..Self::poisson() })
    }

    /// Whether single requests come independently of each other at one rate, as theory likes it.
    pub fn is_poisson(&self) -> bool {
        let single = self.size.is_constant() == Some(1);
        matches!(self.gaps, Gaps::Exponential) && single && self.modulation.is_none()
    }

    /// The rate in the long run over the nominal one: 1 unless the states of a modulated load
    /// average to something else.
    pub fn mean_factor(&self) -> f64 {
        let Some(states) = &self.modulation else { return 1.0 };
        let hold: f64 = states.iter().map(|s| s.hold.mean_ns()).sum();
        states.iter().map(|s| s.by.0 * s.hold.mean_ns()).sum::<f64>() / hold
    }

    /// The highest factor of a state of a modulated load, else 1.
    pub fn max_factor(&self) -> f64 {
        self.modulation
            .iter()
            .flat_map(|s| s.iter())
            .map(|s| s.by.0)
            .reduce(f64::max)
            .unwrap_or(1.0)
    }
}

/// The arrivals of one replication, in order.
#[derive(Clone, Debug)]
pub struct ArrivalProcess {
    gaps: Gaps,
    gap_key: DrawKey,
    size: CountSampler,
    size_key: DrawKey,
    /// Number of the next gap, which is the number of the next batch.
    gap: u64,
    /// Sum of the gaps so far, in units of the mean gap.
    sum: f64,
    /// Nanoseconds at factor 1 that one unit of `sum` takes.
    unit_ns: f64,
    /// Cumulative profile at the start of the process.
    start_area: f64,
    start: Instant,
    walk: ProfileWalk,
    bursts: Option<Bursts>,
    /// Requests of the present batch still to come, and its time.
    pending: u64,
    now: Instant,
    /// Number of the next request.
    request: u64,
}

impl ArrivalProcess {
    /// The process from `start` on, with a mean rate at factor 1; `key` is that of the replication
    /// or of a group of users in it.
    pub fn new(
        plan: &ArrivalPlan,
        profile: &ProfilePlan,
        rate: Rate,
        key: DrawKey,
        start: Instant,
    ) -> Self {
        let key = key.child(salt("arrivals"));
        let bursts = plan
            .modulation
            .as_ref()
            .map(|states| Bursts::new(states, profile, key.child(salt("modulation")), start));
        Self {
            gaps: plan.gaps.clone(),
            gap_key: key,
            size: plan.size,
            size_key: key.child(salt("batch")),
            gap: 0,
            sum: 0.0,
            unit_ns: 1e9 * plan.size.mean() / rate.0,
            start_area: profile.cumulative(start),
            start,
            walk: profile.walk(),
            bursts,
            pending: 0,
            now: start,
            request: 0,
        }
    }

    /// The number of the next request, from 0, and when it arrives; [`Instant::NEVER`] once the
    /// load has ended for good.
    #[inline(always)]
    #[allow(clippy::should_implement_trait, reason = "it never ends, so it is no iterator")]
    pub fn next(&mut self) -> (u64, Instant) {
        while self.pending == 0 {
            self.advance();
        }
        self.pending -= 1;
        let request = self.request;
        self.request += 1;
        (request, self.now)
    }

    #[inline(always)]
    fn advance(&mut self) {
        self.sum += match &self.gaps {
            Gaps::Exponential => Exp1.sample(&mut self.gap_key.child(self.gap).draw()),
            Gaps::Constant => 1.0,
            Gaps::Renewal { shape, mean_ns } => {
                shape.draw_ns(&mut self.gap_key.child(self.gap).draw()) / mean_ns
            }
        };
        self.pending = match self.size.is_constant() {
            Some(size) => size,
            None => self.size.sample(&mut self.size_key.child(self.gap).draw()),
        };
        self.gap += 1;
        let area = self.sum * self.unit_ns;
        let area = match &mut self.bursts {
            None => self.start_area + area,
            Some(bursts) => bursts.profile_area(area),
        };
        let time_ns = if area.is_finite() { self.walk.time_of(area) } else { f64::INFINITY };
        if time_ns < Instant::NEVER.0 as f64 {
            // Rounding must not put an arrival before the start of the process.
            self.now = Instant(nearest(time_ns)).max(self.start);
        } else {
            self.now = Instant::NEVER;
            self.pending = self.pending.max(1);
        }
    }
}

/// The nearest integer; on plain x86-64 a call of `floor` would cost more than the rest.
#[inline]
fn nearest(value: f64) -> i64 {
    let shifted = value + 0.5;
    let whole = shifted as i64;
    whole - i64::from(whole as f64 > shifted)
}

/// The modulating chain in scenario time, and its integral over the cumulative profile.
#[derive(Clone, Debug)]
struct Bursts {
    states: Arc<[ModulationState]>,
    profile: ProfilePlan,
    key: DrawKey,
    /// Number of the present segment.
    segment: u64,
    state: usize,
    /// End of the segment in nanoseconds.
    end_ns: f64,
    /// Cumulative profile at the segment's two ends.
    from_area: f64,
    to_area: f64,
    /// Modulated integral up to the segment's start.
    before: f64,
}

impl Bursts {
    /// In its stationary law: a state in proportion to its time, and the rest of its hold.
    fn new(
        states: &Arc<[ModulationState]>,
        profile: &ProfilePlan,
        key: DrawKey,
        start: Instant,
    ) -> Self {
        let mut draw = key.child(0).draw();
        let total: f64 = states.iter().map(|s| s.hold.mean_ns()).sum();
        let mut rest = draw.unit() * total;
        let found = states.iter().position(|s| {
            rest -= s.hold.mean_ns();
            rest < 0.0
        });
        let state = found.unwrap_or(states.len() - 1);
        let end_ns = start.0 as f64 + states[state].hold.residual(&mut draw) as f64;
        Self {
            states: states.clone(),
            profile: profile.clone(),
            key,
            segment: 0,
            state,
            end_ns,
            from_area: profile.cumulative(start),
            to_area: profile.area_at(end_ns),
            before: 0.0,
        }
    }

    /// The cumulative profile at which the modulated integral reaches `area`.
    fn profile_area(&mut self, area: f64) -> f64 {
        while area.is_finite() {
            let by = self.states[self.state].by.0;
            let gained = by * (self.to_area - self.from_area);
            if by > 0.0 && self.before + gained >= area {
                return self.from_area + (area - self.before) / by;
            }
            if self.end_ns > self.profile.silent_from() {
                break;
            }
            self.before += gained;
            self.next_segment();
        }
        f64::INFINITY
    }

    fn next_segment(&mut self) {
        self.segment += 1;
        let mut draw = self.key.child(self.segment).draw();
        let others = self.states.len() as u64 - 1;
        let step = 1 + draw.below(others) as usize;
        self.state = (self.state + step) % self.states.len();
        self.end_ns += self.states[self.state].hold.draw_ns(&mut draw);
        self.from_area = self.to_area;
        self.to_area = self.profile.area_at(self.end_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::distribution::gamma::Gamma;
    use crate::units::Duration;

    const SECOND: i64 = 1_000_000_000;
    const WARM_UP: Instant = Instant(-20 * SECOND);

    fn process(plan: &ArrivalPlan, profile: &ProfilePlan, rate: f64, seed: u64) -> ArrivalProcess {
        ArrivalProcess::new(plan, profile, Rate(rate), DrawKey::root(seed, 0), WARM_UP)
    }

    /// Times of all arrivals from the start of the warm-up to this many seconds.
    fn times(mut process: ArrivalProcess, until: i64) -> Vec<Instant> {
        let mut times = Vec::new();
        loop {
            let (number, at) = process.next();
            assert_eq!(number, times.len() as u64);
            assert!(at >= times.last().copied().unwrap_or(WARM_UP));
            if at.0 >= until * SECOND {
                return times;
            }
            times.push(at);
        }
    }

    /// Arrivals in each of `windows` windows of `seconds`, from time 0 on.
    fn counts(process: ArrivalProcess, seconds: i64, windows: usize) -> Vec<f64> {
        let mut counts = vec![0.0; windows];
        for at in times(process, seconds * windows as i64) {
            if at.0 >= 0 {
                counts[(at.0 / (seconds * SECOND)) as usize] += 1.0;
            }
        }
        counts
    }

    fn mean_and_variance(values: &[f64]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0))
    }

    fn exponential(seconds: f64) -> Sampler {
        Sampler::exponential(Duration::from_seconds(seconds))
    }

    /// 40/s for 2 s on average and 160/s for 0.5 s around a mean of 64/s (P-QUE-21).
    fn mmpp() -> ArrivalPlan {
        ArrivalPlan::modulated(vec![
            ModulationState { by: Factor(0.625), hold: exponential(2.0) },
            ModulationState { by: Factor(2.5), hold: exponential(0.5) },
        ])
        .unwrap()
    }

    #[test]
    fn poisson_counts_have_the_mean_and_the_variance_of_a_poisson() {
        let windows = 20_000;
        let all =
            counts(process(&ArrivalPlan::poisson(), &ProfilePlan::constant(), 50.0, 1), 1, windows);
        let (mean, variance) = mean_and_variance(&all);
        assert!((mean - 50.0).abs() < 4.5 * (50.0 / windows as f64).sqrt(), "{mean}");
        assert!((variance / mean - 1.0).abs() < 4.5 * (2.0 / windows as f64).sqrt());
        let products = all.windows(2).map(|w| (w[0] - mean) * (w[1] - mean)).sum::<f64>();
        let correlation: f64 = products / variance / windows as f64;
        assert!(correlation.abs() < 4.5 / (windows as f64).sqrt(), "{correlation}");
    }

    #[test]
    fn doubling_the_rate_halves_every_arrival_time_since_the_start() {
        let erlang = Sampler::new(Gamma::erlang(1e9, 3).unwrap());
        for plan in [ArrivalPlan::poisson(), ArrivalPlan::renewal(erlang).unwrap()] {
            let mut single = process(&plan, &ProfilePlan::constant(), 100.0, 1);
            let mut double = process(&plan, &ProfilePlan::constant(), 200.0, 1);
            for _ in 0..100_000 {
                let slow = single.next().1.since(WARM_UP).0;
                let fast = double.next().1.since(WARM_UP).0;
                assert!((slow - 2 * fast).abs() <= 2, "{slow} {fast}");
            }
        }
    }

    #[test]
    fn a_profile_moves_the_same_arrivals() {
        let profile = ProfilePlan::spike(
            Factor(10.0),
            Instant(5 * SECOND),
            Duration(2 * SECOND),
            Duration(SECOND),
            Duration(0),
        );
        let mut plain = process(&ArrivalPlan::poisson(), &ProfilePlan::constant(), 1000.0, 1);
        let mut spiked = process(&ArrivalPlan::poisson(), &profile, 1000.0, 1);
        for _ in 0..60_000 {
            let (a, b) = (plain.next().1, spiked.next().1);
            assert!((profile.cumulative(b) - a.0 as f64).abs() < 12.0, "{a} {b}");
            assert!(a == b || a.0 > 5 * SECOND);
        }
    }

    #[test]
    fn a_day_has_its_arrivals_where_the_sine_has_its_area() {
        let day = 86_400;
        let low_high = (Factor(0.4), Factor(1.0));
        let profile = ProfilePlan::diurnal(
            low_high.0,
            low_high.1,
            Duration(day * SECOND),
            Instant(day / 2 * SECOND),
        )
        .unwrap();
        let found = counts(process(&ArrivalPlan::poisson(), &profile, 5.0, 1), day / 24, 48);
        for (hour, count) in found.iter().enumerate() {
            let edge = |hour: usize| Instant(hour as i64 * day / 24 * SECOND);
            let area = profile.cumulative(edge(hour + 1)) - profile.cumulative(edge(hour));
            let expected = 5.0 * area / 1e9;
            assert!((count - expected).abs() < 4.5 * expected.sqrt(), "hour {hour}: {count}");
        }
    }

    #[test]
    fn even_arrivals_are_even() {
        let all = times(process(&ArrivalPlan::even(), &ProfilePlan::constant(), 80.0, 1), 10);
        assert_eq!(all.len(), 30 * 80 - 1);
        assert!(all.windows(2).all(|w| w[1].since(w[0]) == Duration(12_500_000)));
    }

    #[test]
    fn renewal_gaps_have_the_mean_of_the_rate_and_the_shape_of_the_law() {
        let gamma = Sampler::new(Gamma::from_scv(7.0, 0.25).unwrap());
        let plan = ArrivalPlan::renewal(gamma).unwrap();
        let all = times(process(&plan, &ProfilePlan::constant(), 100.0, 1), 2000);
        let gaps: Vec<f64> = all.windows(2).map(|w| w[1].since(w[0]).seconds()).collect();
        let (mean, variance) = mean_and_variance(&gaps);
        let error = (variance / gaps.len() as f64).sqrt();
        assert!((mean - 0.01).abs() < 4.5 * error, "{mean}");
        assert!((variance / mean.powi(2) - 0.25).abs() < 0.01);
    }

    #[test]
    fn modulated_arrivals_have_the_mean_rate_and_the_dispersion_of_the_formula() {
        let plan = mmpp();
        assert!((plan.mean_factor() - 1.0).abs() < 1e-12 && plan.max_factor() == 2.5);
        let (window, windows) = (4, 40_000);
        let all = counts(process(&plan, &ProfilePlan::constant(), 64.0, 1), window, windows);
        let (mean, variance) = mean_and_variance(&all);
        // Fischer and Meier-Hellstern, The MMPP cookbook (1993): leaving rates 0.5/s and 2/s.
        let (leave, t) = (0.5_f64 + 2.0, window as f64);
        let excess =
            2.0 * 0.5 * 2.0 * 120.0_f64.powi(2) / (leave.powi(2) * (40.0 * 2.0 + 160.0 * 0.5));
        let dispersion = 1.0 + excess * (1.0 - (1.0 - (-leave * t).exp()) / (leave * t));
        // Neighbouring windows are correlated, which the asymptotic dispersion bounds.
        let error = (64.0 * t * (1.0 + excess) / windows as f64).sqrt();
        assert!((mean - 64.0 * t).abs() < 4.5 * error, "{mean}");
        // The counts have heavier tails than a normal law: twice its error.
        let spread = 2.0 * (2.0 / windows as f64).sqrt();
        assert!((variance / mean / dispersion - 1.0).abs() < 4.5 * spread, "{}", variance / mean);
    }

    #[test]
    fn modulation_starts_in_its_stationary_law() {
        let n = 20_000;
        let first: Vec<f64> = (0..n)
            .map(|seed| {
                let mut process = process(&mmpp(), &ProfilePlan::constant(), 64.0, seed);
                let mut count = 0.0;
                while process.next().1.0 < WARM_UP.0 + SECOND {
                    count += 1.0;
                }
                count
            })
            .collect();
        let (mean, variance) = mean_and_variance(&first);
        assert!((mean - 64.0).abs() < 4.5 * (variance / n as f64).sqrt(), "{mean}");
    }

    #[test]
    fn modulation_multiplies_the_profile_and_keeps_its_own_time() {
        let doubled = ProfilePlan::steps(&[(Instant(0), Factor(2.0))]).unwrap();
        let once = counts(process(&mmpp(), &ProfilePlan::constant(), 64.0, 1), 1, 5000);
        let twice = counts(process(&mmpp(), &doubled, 64.0, 1), 1, 5000);
        let (mean, _) = mean_and_variance(&twice);
        assert!((mean / 128.0 - 1.0).abs() < 0.03, "{mean}");
        // The bursts lie at the same times, so the counts of the two runs move together.
        let (base, variance) = mean_and_variance(&once);
        let (_, other) = mean_and_variance(&twice);
        let sum: f64 = once.iter().zip(&twice).map(|(a, b)| (a - base) * (b - mean)).sum();
        assert!(sum / 5000.0 / (variance * other).sqrt() > 0.9);
    }

    #[test]
    fn batches_come_at_once_and_at_the_right_rate() {
        let plan = ArrivalPlan::batches(CountSampler::constant(5)).unwrap();
        let all = times(process(&plan, &ProfilePlan::constant(), 75.0, 1), 2000);
        assert!(all.chunks_exact(5).all(|batch| batch[0] == batch[4]));
        let expected = 75.0 * 2020.0;
        assert!((all.len() as f64 - expected).abs() < 4.5 * 5.0 * (expected / 5.0).sqrt());

        let plan = ArrivalPlan::batches(CountSampler::geometric(3.0, 0).unwrap()).unwrap();
        let found = counts(process(&plan, &ProfilePlan::constant(), 60.0, 1), 1, 20_000);
        let (mean, variance) = mean_and_variance(&found);
        // A compound Poisson count has dispersion E[size^2] / E[size] = (12 + 9) / 3.
        assert!((mean - 60.0).abs() < 4.5 * (60.0 * 7.0 / 20_000_f64).sqrt(), "{mean}");
        assert!((variance / mean - 7.0).abs() < 0.5, "{}", variance / mean);
    }

    #[test]
    fn a_load_that_ends_ends_for_ever() {
        let ending = ProfilePlan::ramp(Factor(1.0), Factor(0.0), Duration(10 * SECOND));
        for plan in [ArrivalPlan::poisson(), ArrivalPlan::even(), mmpp()] {
            let mut process = process(&plan, &ending, 10.0, 1);
            let before = (0..10_000).take_while(|_| process.next().1 != Instant::NEVER).count();
            assert!((100..400).contains(&before), "{before}");
            assert_eq!(process.next().1, Instant::NEVER);
        }
        assert_eq!(process(&mmpp(), &ProfilePlan::constant(), 0.0, 1).next().1, Instant::NEVER);
        let poisson = ArrivalPlan::poisson();
        assert_eq!(process(&poisson, &ending, 0.0, 1).next().1, Instant::NEVER);
    }

    #[test]
    fn impossible_loads_are_explained() {
        let state = |by, hold| ModulationState { by: Factor(by), hold };
        assert!(ArrivalPlan::modulated(vec![state(1.0, exponential(1.0))]).is_err());
        let silent = vec![state(0.0, exponential(1.0)), state(0.0, exponential(1.0))];
        assert!(ArrivalPlan::modulated(silent).unwrap_err().contains("arrive"));
        let still = vec![state(1.0, Sampler::constant(0)), state(2.0, exponential(1.0))];
        assert!(ArrivalPlan::modulated(still).unwrap_err().contains("hold"));
        assert!(ArrivalPlan::batches(CountSampler::constant(0)).is_err());
        assert!(ArrivalPlan::renewal(Sampler::constant(0)).is_err());
    }
}
