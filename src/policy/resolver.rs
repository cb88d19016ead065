//! Name servers and the resolvers that ask them: which region's answer a user acts on.
//!
//! A user belongs to a resolver. A resolver asks at the first use after its answer has expired and
//! keeps the answer for the time to live, or longer if it is one of the stragglers. It knows
//! regions as numbers and what the name server believes of their health, and nothing of what is
//! there.

use crate::engine::stream::{DrawKey, salt};
use crate::random::Sampler;
use crate::units::{Duration, Instant};

const RESOLVER: u64 = salt("resolver of a user");
const STRAGGLER: u64 = salt("straggler");
const KEEP: u64 = salt("keep an answer");

/// Resolvers of one region's users: so many that each stands for few of them (a choice).
const RESOLVERS: u64 = 1000;

/// Some resolvers keep answers longer than they should.
#[derive(Clone, Debug)]
pub struct StragglerPlan {
    /// Share of the resolvers.
    pub share: f64,
    /// How long they keep an answer.
    pub keep: Sampler,
}

/// How names are answered.
#[derive(Clone, Debug)]
pub struct ResolverPlan {
    /// By region of the asking user: the regions, the preferred one first.
    pub preferred: Vec<Vec<u16>>,
    /// By region of the asking user: whether nothing else may be answered than its own region.
    pub pinned: Vec<bool>,
    /// How long an answer is kept.
    pub ttl: Duration,
    /// Who keeps it longer.
    pub stragglers: Vec<StragglerPlan>,
    /// How long it takes to ask.
    pub lookup: Sampler,
}

#[derive(Clone, Copy, Debug, Default)]
struct Answer {
    region: u16,
    until: Instant,
    asked: u32,
}

/// The answers that resolvers have, and what the name server believes.
pub struct Resolvers {
    answers: Vec<Answer>,
    /// By region, whether it is taken to work.
    healthy: Vec<bool>,
    draws: DrawKey,
}

impl Resolvers {
    /// Nobody has asked yet; all regions are taken to work.
    pub fn new(plan: &ResolverPlan, regions: usize, draws: DrawKey, start: Instant) -> Self {
        let none = Answer { until: start, ..Answer::default() };
        Self {
            answers: vec![none; plan.preferred.len() * RESOLVERS as usize],
            healthy: vec![true; regions],
            draws,
        }
    }

    /// The name server has changed its mind about a region.
    pub fn believe(&mut self, region: u16, healthy: bool) {
        self.healthy[region as usize] = healthy;
    }

    /// Whether the name server takes a region to work.
    pub fn believes(&self, region: u16) -> bool {
        self.healthy[region as usize]
    }

    /// The region that a user living in one turns to, and whether its resolver had to ask.
    pub fn resolve(
        &mut self,
        plan: &ResolverPlan,
        (user, home): (u32, u16),
        now: Instant,
    ) -> (u16, bool) {
        let own = DrawKey(RESOLVER).child(u64::from(user)).draw().below(RESOLVERS);
        let number = u64::from(home) * RESOLVERS + own;
        let answer = &mut self.answers[number as usize];
        if answer.asked > 0 && now < answer.until {
            return (answer.region, false);
        }
        let works = |region: &&u16| self.healthy[**region as usize];
        let preferred = &plan.preferred[home as usize];
        // When nothing works, the answer is as if everything did.
        let best = preferred.iter().find(works).unwrap_or(&preferred[0]);
        answer.region = if plan.pinned[home as usize] { home } else { *best };
        let draw = self.draws.child(number);
        let mut share = draw.child(STRAGGLER).draw().unit();
        let straggler = plan.stragglers.iter().find(|one| {
            share -= one.share;
            share < 0.0
        });
        let ask = u64::from(answer.asked);
        let keep = straggler.map_or(plan.ttl.0, |one| {
            one.keep.sample(&mut draw.child(KEEP).child(ask).draw()).max(plan.ttl.0)
        });
        answer.until = Instant(now.0.saturating_add(keep));
        answer.asked += 1;
        (answer.region, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(stragglers: Vec<StragglerPlan>) -> ResolverPlan {
        ResolverPlan {
            preferred: vec![vec![0, 1], vec![1, 0]],
            pinned: vec![false, false],
            ttl: Duration(60),
            stragglers,
            lookup: Sampler::constant(0),
        }
    }

    fn resolvers(plan: &ResolverPlan) -> Resolvers {
        Resolvers::new(plan, 2, DrawKey(salt("resolvers test")), Instant(0))
    }

    #[test]
    fn an_answer_is_kept_for_its_time_to_live() {
        let plan = plan(Vec::new());
        let mut names = resolvers(&plan);
        assert_eq!(names.resolve(&plan, (7, 0), Instant(0)), (0, true));
        names.believe(0, false);
        assert_eq!(names.resolve(&plan, (7, 0), Instant(59)), (0, false));
        assert_eq!(names.resolve(&plan, (7, 0), Instant(60)), (1, true));
        names.believe(0, true);
        assert_eq!(names.resolve(&plan, (7, 0), Instant(119)), (1, false));
        assert_eq!(names.resolve(&plan, (7, 0), Instant(120)), (0, true));
        // Without any healthy region the answer is the preferred one.
        names.believe(0, false);
        names.believe(1, false);
        assert_eq!(names.resolve(&plan, (8, 1), Instant(0)).0, 1);
    }

    #[test]
    fn whoever_may_not_be_served_elsewhere_is_not() {
        let pinned = ResolverPlan { pinned: vec![true, false], ..plan(Vec::new()) };
        let mut names = resolvers(&pinned);
        names.believe(0, false);
        assert_eq!(names.resolve(&pinned, (1, 0), Instant(0)).0, 0);
    }

    #[test]
    fn stragglers_keep_their_answers_longer() {
        let keep = Sampler::constant(3600);
        let plan = plan(vec![StragglerPlan { share: 0.25, keep }]);
        let mut names = resolvers(&plan);
        let users = 0..20_000;
        for user in users.clone() {
            names.resolve(&plan, (user, 0), Instant(0));
        }
        names.believe(0, false);
        let late = users.filter(|&user| names.resolve(&plan, (user, 0), Instant(61)).0 == 0);
        // A quarter of a thousand resolvers, and the users that fall on them: within 4.5 standard
        // deviations of the first.
        let share = late.count() as f64 / 20_000.0;
        assert!((share - 0.25).abs() < 4.5 * (0.25 * 0.75 / 1000.0_f64).sqrt(), "{share}");
    }
}
