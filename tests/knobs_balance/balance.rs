//! How a balancer chooses, where neither users nor keys decide.

use super::{Trial, assert_share, counts};

/// Requests at equal gaps through a balancer to a quick and a slow component.
fn two(balance: &str, weights: [u32; 2], waits_ms: [u32; 2], rate: u32) -> [usize; 2] {
    let text = format!(
        "\
users: {{ rate: {rate}/s, arrivals: even }}
entry: lb
components:
  lb:
    kind: load_balancer
    to: {{ quick: {{ weight: {} }}, slow: {{ weight: {} }} }}
    balance: {balance}
    health_check: none
    work: 0s
  quick: {{ kind: service, workers: 5000, handle: {{ default: [ {{ wait: {}ms }} ] }} }}
  slow: {{ kind: service, workers: 5000, handle: {{ default: [ {{ wait: {}ms }} ] }} }}
network: none",
        weights[0], weights[1], waits_ms[0], waits_ms[1],
    );
    let trial = Trial::of(3, &text);
    // The first second is for the connections to build up.
    ["quick", "slow"].map(|name| {
        let visits = trial.visits(name);
        visits.iter().filter(|visit| visit.at >= super::SECOND).count()
    })
}

/// Which of three equal instances, idle whenever a request comes, each request goes to.
fn idle(to: &str, balance: &str) -> Trial {
    let text = format!(
        "\
users: {{ rate: 70/s, arrivals: even }}
entry: lb
components:
  lb:
    kind: load_balancer
    to: {to}
    balance: {balance}
    health_check: none
    work: 0s
  a: {{ kind: service, work: 1ms }}
  b: {{ kind: service, work: 1ms }}
  c: {{ kind: service, work: 1ms }}
  web: {{ kind: service, instances: 3, work: 1ms }}
network: none"
    );
    Trial::of(10, &text)
}

/// The names of the components visited, in order.
fn sequence(trial: &Trial, names: &[&'static str]) -> Vec<&'static str> {
    let tagged = |&name: &&'static str| {
        trial.visits(name).into_iter().map(move |visit| (visit.at, name)).collect::<Vec<_>>()
    };
    let mut all: Vec<(i64, &'static str)> = names.iter().flat_map(tagged).collect();
    all.sort_unstable();
    all.into_iter().map(|(_, name)| name).collect()
}

#[test]
fn weighted_round_robin_gives_exact_shares_smoothly() {
    let to = "{ a: { weight: 5 }, b: { weight: 1 }, c: { weight: 1 } }";
    let trial = idle(to, "weighted_round_robin");
    let sequence = sequence(&trial, &["a", "b", "c"]);
    assert!(sequence.len() >= 698, "{}", sequence.len());
    for turn in sequence.chunks_exact(7) {
        assert_eq!(turn, ["a", "a", "b", "a", "c", "a", "a"], "as nginx does it");
    }
}

#[test]
fn a_weight_is_that_of_each_instance() {
    let trial = idle("{ web: { weight: 2 }, a: { weight: 1 } }", "weighted_round_robin");
    let visits = trial.visits("web");
    let alone = trial.visits("a").len();
    for count in counts(&visits, 3) {
        assert!(count.abs_diff(2 * alone) <= 2, "{count} for twice {alone}");
    }
}

#[test]
fn weighted_random_gives_shares_by_weight() {
    let [three, one] = two("weighted_random", [3, 1], [1, 1], 2000);
    assert_share(three, three + one, 0.75);
    let [one, three] = two("weighted_random", [1, 3], [1, 1], 2000);
    assert_share(one, three + one, 0.25);
}

#[test]
fn random_takes_no_notice_of_weights() {
    let [first, second] = two("random", [3, 1], [1, 1], 2000);
    assert_share(first, first + second, 0.5);
}

#[test]
fn least_connections_deals_ties_out_in_turn() {
    let trial = idle("web", "least_connections");
    let visits = trial.visits("web");
    assert!(visits.len() >= 698, "{}", visits.len());
    let first = visits[0].instance;
    for (turn, visit) in visits.iter().enumerate() {
        assert_eq!(visit.instance, (first + turn) % 3, "request {turn}");
    }
}

/// Equal connections, 18 each, at 1/10 ms and 1/90 ms: 2000/s split as 1800 and 200; one
/// connection more or less is 11/s.
fn assert_equal_connections([quick, slow]: [usize; 2]) {
    let share = slow as f64 / (quick + slow) as f64;
    assert!((share - 0.1).abs() < 0.006, "{share}");
}

#[test]
fn least_connections_keeps_connections_equal() {
    assert_equal_connections(two("least_connections", [1, 1], [10, 90], 2000));
}

#[test]
fn weighted_least_connections_keeps_connections_in_proportion() {
    // 3 to 1 of 40 connections: 30 and 10, give or take one.
    let [three, one] = two("weighted_least_connections", [3, 1], [100, 100], 400);
    let share = three as f64 / (three + one) as f64;
    assert!((share - 0.75).abs() <= 1.0 / 40.0, "{share}");
}

#[test]
fn least_response_time_gives_the_slow_less_than_least_connections_would() {
    // (n + 1) x time is equal: with n = rate x time, 0.01 q + 1 = 9 (0.09 s + 1), so at q + s =
    // 2000/s s is 14.6/s; one connection more or less at the slow one is 11/s.
    let [quick, slow] = two("least_response_time", [1, 1], [10, 90], 2000);
    let share = slow as f64 / (quick + slow) as f64;
    assert!(slow > 0 && (share - 0.0073).abs() < 0.006, "{share}");
}

#[test]
fn one_choice_is_random_and_two_of_two_are_least_connections() {
    let [quick, slow] = two("{ power_of_d: { d: 1 } }", [1, 1], [10, 90], 2000);
    assert_share(slow, quick + slow, 0.5);
    let two_of_two = "{ power_of_d: { d: 2, replace: false } }";
    assert_equal_connections(two(two_of_two, [1, 1], [10, 90], 2000));
}

#[test]
fn choices_with_replacement_may_all_be_the_same() {
    // Only when both draws are the slow one, which always has more connections, is it chosen.
    for (d, share) in [(2, 0.25), (3, 0.125)] {
        let balance = format!("{{ power_of_d: {{ d: {d}, replace: true }} }}");
        let [quick, slow] = two(&balance, [1, 1], [10, 190], 2000);
        assert_share(slow, quick + slow, share);
    }
}
