//! Visits: several requests of one person, each sent a while after the answer to the one before.
//!
//! Visits begin like the requests of an open load. Everything random about one is drawn from its
//! own number, and about a request of it from its number in the visit, so that no answer that comes
//! late and no visit that breaks off shifts the draws of another. A request that fails does not end
//! a visit, except the login. At the start of a run nobody is in the middle of a visit: the load
//! rises for as long as a visit lasts, which belongs to the warm-up. It does not send anything.

use crate::components::topology::OperationId;
use crate::engine::stream::{DrawKey, salt};
use crate::random::{CountSampler, Sampler};

const REQUESTS: u64 = salt("requests of a visit");
const PAUSE: u64 = salt("pause in a visit");

/// What every visit consists of.
#[derive(Clone, Debug)]
pub enum VisitPlan {
    /// A number of requests, chosen like those of a load without visits.
    Drawn {
        /// How many, the login included.
        requests: CountSampler,
        /// The pause after each answer.
        think: Sampler,
        /// The first request.
        login: Option<OperationId>,
    },
    /// The same requests each time.
    Scripted {
        /// Each with the pauses behind it.
        turns: Vec<(OperationId, Vec<Sampler>)>,
    },
}

impl VisitPlan {
    /// Mean number of requests of a visit.
    pub fn mean_requests(&self) -> f64 {
        match self {
            VisitPlan::Drawn { requests, .. } => requests.mean(),
            VisitPlan::Scripted { turns } => turns.len() as f64,
        }
    }

    /// Each operation's part of all requests, where one not prescribed is chosen with these
    /// probabilities.
    pub fn shares(&self, operations: usize, chosen: &[f64]) -> Vec<f64> {
        let mut shares = vec![0.0; operations];
        match self {
            VisitPlan::Drawn { requests, login, .. } => {
                let some = 1.0 - requests.probability_of_none();
                let first = login.map_or(0.0, |_| some / requests.mean());
                if let Some(login) = login {
                    shares[login.index()] += first;
                }
                for (share, chosen) in shares.iter_mut().zip(chosen) {
                    *share += (1.0 - first) * chosen;
                }
            }
            VisitPlan::Scripted { turns } => {
                for (operation, _) in turns {
                    shares[operation.index()] += 1.0 / turns.len() as f64;
                }
            }
        }
        shares
    }

    fn requests(&self, visit: DrawKey) -> u32 {
        match self {
            VisitPlan::Drawn { requests, .. } => {
                requests.sample(&mut visit.child(REQUESTS).draw()) as u32
            }
            VisitPlan::Scripted { turns } => turns.len() as u32,
        }
    }

    /// The operation of the request of this number, from 0, where it is prescribed.
    fn prescribed(&self, number: u32) -> Option<OperationId> {
        match self {
            VisitPlan::Drawn { login, .. } => login.filter(|_| number == 0),
            VisitPlan::Scripted { turns } => Some(turns[number as usize].0),
        }
    }

    /// Nanoseconds from the answer to the request of this number and key until the next request.
    fn pause(&self, number: u32, request: DrawKey) -> i64 {
        let mut draw = request.child(PAUSE).draw();
        match self {
            VisitPlan::Drawn { think, .. } => think.sample(&mut draw),
            VisitPlan::Scripted { turns } => {
                turns[number as usize].1.iter().map(|law| law.sample(&mut draw)).sum()
            }
        }
    }

    fn is_login(&self, number: u32) -> bool {
        number == 0 && matches!(self, VisitPlan::Drawn { login: Some(_), .. })
    }
}

/// A visit that goes on.
#[derive(Clone, Copy, Debug)]
struct Visit {
    key: DrawKey,
    user: u32,
    /// Requests sent so far.
    sent: u32,
    /// Requests in all.
    of: u32,
}

/// The next request of a visit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turn {
    /// Key of its draws.
    pub request: DrawKey,
    /// Who sends it.
    pub user: u32,
    /// What for; none where that is to be chosen.
    pub operation: Option<OperationId>,
}

/// The visits that go on.
#[derive(Debug, Default)]
pub struct Visits {
    live: Vec<Visit>,
    free: Vec<u32>,
}

impl Visits {
    /// A person comes: where the visit is kept, unless it is one of no request.
    pub fn begin(&mut self, plan: &VisitPlan, key: DrawKey, user: u32) -> Option<u32> {
        let of = plan.requests(key);
        if of == 0 {
            return None;
        }
        let visit = Visit { key, user, sent: 0, of };
        let Some(place) = self.free.pop() else {
            self.live.push(visit);
            return Some(self.live.len() as u32 - 1);
        };
        self.live[place as usize] = visit;
        Some(place)
    }

    /// The next request is sent.
    pub fn next(&mut self, plan: &VisitPlan, place: u32) -> Turn {
        let visit = &mut self.live[place as usize];
        let (request, number) = (visit.key.child(u64::from(visit.sent)), visit.sent);
        visit.sent += 1;
        Turn { request, user: visit.user, operation: plan.prescribed(number) }
    }

    /// The last request sent is resolved: nanoseconds until the next, unless the visit is over.
    pub fn resolved(&mut self, plan: &VisitPlan, place: u32, ok: bool) -> Option<i64> {
        let visit = self.live[place as usize];
        let number = visit.sent - 1;
        if visit.sent == visit.of || !ok && plan.is_login(number) {
            self.free.push(place);
            return None;
        }
        Some(plan.pause(number, visit.key.child(u64::from(number))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(index: usize) -> OperationId {
        OperationId::new(index)
    }

    #[test]
    fn a_script_is_followed_to_its_end_whatever_fails() {
        let pause = |ns| vec![Sampler::constant(ns)];
        let both = vec![Sampler::constant(20), Sampler::constant(5)];
        let turns = vec![(operation(1), pause(10)), (operation(0), both), (operation(1), vec![])];
        let plan = VisitPlan::Scripted { turns };
        let mut visits = Visits::default();
        let key = DrawKey::root(1, 0);
        let place = visits.begin(&plan, key, 7).expect("it has requests");
        for (number, (of, pause)) in [(1, Some(10)), (0, Some(25)), (1, None)].iter().enumerate() {
            let turn = visits.next(&plan, place);
            let expected = Turn {
                request: key.child(number as u64),
                user: 7,
                operation: Some(operation(*of)),
            };
            assert_eq!(turn, expected);
            assert_eq!(visits.resolved(&plan, place, number != 1), *pause);
        }
        // The place is free for the next visit.
        assert_eq!(visits.begin(&plan, key.child(1), 8), Some(place));
        assert_eq!(plan.shares(2, &[]), [1.0 / 3.0, 2.0 / 3.0]);
    }

    #[test]
    fn a_login_is_the_first_request_and_without_it_there_is_no_visit() {
        let plan = VisitPlan::Drawn {
            requests: CountSampler::constant(3),
            think: Sampler::constant(9),
            login: Some(operation(2)),
        };
        let mut visits = Visits::default();
        let place = visits.begin(&plan, DrawKey::root(1, 0), 0).expect("it has requests");
        assert_eq!(visits.next(&plan, place).operation, Some(operation(2)));
        assert_eq!(visits.resolved(&plan, place, true), Some(9));
        assert_eq!(visits.next(&plan, place).operation, None);
        assert_eq!(visits.resolved(&plan, place, false), Some(9), "it goes on");
        let other = visits.begin(&plan, DrawKey::root(2, 0), 0).expect("it has requests");
        visits.next(&plan, other);
        assert_eq!(visits.resolved(&plan, other, false), None, "nobody got in");
        // One login in three requests; the other two are chosen.
        let shares = plan.shares(3, &[0.75, 0.25]);
        let close = |(a, b): (&f64, f64)| (a - b).abs() < 1e-12;
        assert!(shares.iter().zip([0.5, 1.0 / 6.0, 1.0 / 3.0]).all(close), "{shares:?}");
    }

    #[test]
    fn a_visit_of_no_request_is_none() {
        let requests = CountSampler::geometric(0.5, 0).expect("a law");
        let plan = VisitPlan::Drawn { requests, think: Sampler::constant(0), login: None };
        let mut visits = Visits::default();
        let key = |k: u64| DrawKey::root(3, 0).child(k);
        let none = (0..30_000).filter(|&k| visits.begin(&plan, key(k), 0).is_none()).count();
        // 1 / (1 + mean) of them, by 4.5 standard errors.
        assert!(none.abs_diff(20_000) < 370, "{none}");
    }
}
