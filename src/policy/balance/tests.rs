//! Choices among backends, one by one.

use super::*;

fn choice(number: u64) -> Choice {
    Choice { draw: DrawKey::root(1, 0).child(number), user: 0, item: 0, set: 0, avoid: None }
}

fn power(d: u32, replace: bool, backends: usize) -> (BalancePlan, Balancer) {
    let strategy = Strategy::PowerOfD { d, replace };
    let plan = BalancePlan::new(strategy, vec![1.0; backends], false, &[], 0);
    let balancer = Balancer::new(&plan);
    (plan, balancer)
}

/// With all of them drawn, idle backends are taken in turn: each tie goes to the pointer, which
/// has moved on behind the one before.
#[test]
fn power_of_d_breaks_ties_in_turn() {
    let (plan, mut balancer) = power(4, false, 4);
    let picked: Vec<u16> = (0..8).map(|number| balancer.pick(&plan, choice(number))).collect();
    assert_eq!(picked, [0, 1, 2, 3, 0, 1, 2, 3]);
    // No tie, no move: the pointer stands at 0 before and after.
    (0..3).for_each(|busy| balancer.opened(busy));
    assert_eq!((0..3).map(|n| balancer.pick(&plan, choice(n))).collect::<Vec<_>>(), [3; 3]);
    (0..3).for_each(|busy| balancer.closed(busy, 1));
    assert_eq!(balancer.pick(&plan, choice(9)), 0);
}

/// One backend drawn twice is no tie: alone, it leaves the pointer where it is.
#[test]
fn a_backend_drawn_twice_is_no_tie() {
    let (plan, mut balancer) = power(8, true, 1);
    assert!((0..9).all(|number| balancer.pick(&plan, choice(number)) == 0));
    assert_eq!(balancer.pointer, 0);
}

/// A backend that is not there is chosen by no strategy, not even when nobody is up.
#[test]
fn what_is_not_listed_is_never_chosen() {
    let hash = Strategy::ConsistentHash { by: HashBy::User };
    let names: Vec<String> = (0..4).map(|one| format!("web.{one}")).collect();
    for strategy in [
        Strategy::RoundRobin,
        Strategy::WeightedRoundRobin,
        Strategy::Random,
        Strategy::WeightedRandom,
        Strategy::LeastConnections,
        Strategy::WeightedLeastConnections,
        Strategy::LeastResponseTime,
        Strategy::PowerOfD { d: 3, replace: false },
        hash,
    ] {
        let plan = BalancePlan::new(strategy, vec![1.0; 4], false, &names, 10);
        let mut balancer = Balancer::new(&plan);
        balancer.list(1, None);
        let all_of = |balancer: &mut Balancer| {
            let pick = |number| {
                let user = number as u32;
                balancer.pick(&plan, Choice { user, ..choice(number) })
            };
            let mut picked: Vec<u16> = (0..200).map(pick).collect();
            picked.sort_unstable();
            picked.dedup();
            picked
        };
        let rest = all_of(&mut balancer);
        assert!(!rest.contains(&1), "{strategy:?}: {rest:?}");
        (0..4).for_each(|backend| _ = balancer.set_up(backend, false));
        let none_up = all_of(&mut balancer);
        assert!(!none_up.contains(&1), "{strategy:?}: {none_up:?}");
        // Back on the list it counts as down until somebody says otherwise.
        (0..4).for_each(|backend| _ = balancer.set_up(backend, true));
        balancer.list(1, Some(false));
        assert!(!all_of(&mut balancer).contains(&1), "{strategy:?}");
    }
}

/// Who was stuck to a backend that left does not come back to its successor.
#[test]
fn users_stick_to_a_backend_and_not_to_its_place() {
    let plan = BalancePlan::new(Strategy::RoundRobin, vec![1.0; 2], true, &[], 0);
    let mut balancer = Balancer::new(&plan);
    let pick = |balancer: &mut Balancer, user| balancer.pick(&plan, Choice { user, ..choice(9) });
    assert_eq!([0, 1].map(|user| pick(&mut balancer, user)), [0, 1]);
    balancer.list(1, None);
    balancer.list(1, Some(true));
    assert_eq!(pick(&mut balancer, 0), 0, "its backend never left");
    assert_eq!(pick(&mut balancer, 1), 0, "the next in turn, not the one in the old place");
    assert_eq!(pick(&mut balancer, 2), 1, "new users come to it");
}

/// Sixty-four different backends are drawn out of sixty-four: the one idle is always found.
#[test]
fn without_replacement_nobody_is_drawn_twice() {
    let (plan, mut balancer) = power(64, false, 64);
    (0..64).filter(|&backend| backend != 37).for_each(|backend| balancer.opened(backend));
    assert!((0..50).all(|number| balancer.pick(&plan, choice(number)) == 37));
}

/// A backend without a point on the ring takes nothing, not even when it alone is up.
#[test]
fn what_is_not_on_the_ring_is_never_chosen() {
    let names: Vec<String> = (0..3).map(|one| format!("edge.{one}")).collect();
    let hash = Strategy::ConsistentHash { by: HashBy::User };
    let mut plan = BalancePlan::new(hash, vec![1.0; 3], false, &names, 10);
    plan.ring.retain(|&(_, backend)| backend < 2);
    let mut balancer = Balancer::new(&plan);
    (0..2).for_each(|backend| _ = balancer.set_up(backend, false));
    for user in 0..100 {
        let avoid = (user % 2 == 0).then_some(1);
        assert!(balancer.pick(&plan, Choice { user, avoid, ..choice(0) }) < 2);
    }
}
