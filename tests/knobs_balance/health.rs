//! How long it takes until a dead server is no longer used, and until a restarted one is again.

use super::{MS, SECOND, Trial, Visit};

/// A balancer over instances of a server that may die, met by requests at equal gaps.
fn checked(seconds: u32, seed: u32, rate: u32, lb: &str, fault: &str) -> Trial {
    let text = format!(
        "\
users: {{ rate: {rate}/s, arrivals: even, client: {{ timeout: 1s }} }}
entry: lb
components:
  lb: {{ kind: load_balancer, to: web, balance: round_robin, work: 0s, {lb} }}
  web: {{ kind: service, instances: 2, workers: 100, work: 1us }}
network: none
faults: {{ dies: {{ crash: web.1, {fault} }} }}"
    );
    Trial::seeded(seconds, seed, &text)
}

/// After how many nanoseconds the death was found out.
fn detected(trial: &Trial) -> i64 {
    trial.run.observed.faults[0].detected_after.expect("it is found out")
}

/// The visits of the first instance from an instant on.
fn visits_from(trial: &Trial, from: i64) -> Vec<Visit> {
    let visits = trial.visits("web").into_iter();
    visits.filter(|visit| visit.instance == 0 && visit.at >= from).collect()
}

/// A crash at every one of some seeds, each of which gives probes other phases.
fn assert_detection(preset: &str, silently: bool, at_s: u32, [every, timeout, fall]: [i64; 3]) {
    for seed in 1..=6 {
        let lb = format!("health_check: {preset}");
        let fault = format!("at: {at_s}s, silently: {silently}");
        let trial = checked(at_s + 80, seed, 2, &lb, &fault);
        let found = detected(&trial);
        let (least, most) = ((fall - 1) * every * SECOND, (fall * every + timeout) * SECOND);
        assert!((least..=most).contains(&found), "{preset} {seed}: {found}");
        let later = visits_from(&trial, i64::from(at_s) * SECOND + found + 1);
        assert!(later.is_empty(), "{preset} {seed}: used after it was found out");
    }
}

#[test]
fn haproxy_finds_a_crash_after_three_probes_two_seconds_apart() {
    assert_detection("haproxy", false, 5, [2, 2, 3]);
    assert_detection("haproxy", true, 5, [2, 2, 3]);
}

#[test]
fn alb_finds_a_crash_after_two_probes_thirty_seconds_apart() {
    assert_detection("alb", false, 40, [30, 5, 2]);
    assert_detection("alb", true, 40, [30, 5, 2]);
}

#[test]
fn without_a_preset_it_takes_three_probes_two_seconds_apart() {
    assert_detection("{}", false, 5, [2, 1, 3]);
    assert_detection("{}", true, 5, [2, 1, 3]);
}

#[test]
fn a_silent_death_takes_a_probe_as_long_as_its_timeout() {
    let found = |silently: bool, timeout_ms: i64| {
        let lb = format!("health_check: {{ every: 2s, fall: 2, timeout: {timeout_ms}ms }}");
        detected(&checked(20, 3, 2, &lb, &format!("at: 5s, silently: {silently}")))
    };
    // The same seed gives the same phase of the probes.
    assert_eq!(found(true, 300) - found(false, 300), 300 * MS);
    assert_eq!(found(true, 900) - found(true, 300), 600 * MS);
}

#[test]
fn nginx_leaves_a_server_out_for_ten_seconds_after_one_failure() {
    let trial = checked(46, 1, 100, "health_check: nginx", "at: 5s");
    // Two servers in turn: the next request but one meets the dead one.
    assert!(detected(&trial) <= 2 * 10 * MS, "{}", detected(&trial));
    let tried: Vec<i64> = visits_from(&trial, 5 * SECOND).iter().map(|visit| visit.at).collect();
    // At 5, 15, 25, 35 and 45 s, with a request or two more at each turn.
    assert_eq!(tried.len(), 5, "{tried:?}");
    for pair in tried.windows(2) {
        let apart = pair[1] - pair[0];
        assert!((10 * SECOND..=10 * SECOND + 20 * MS).contains(&apart), "{tried:?}");
    }
    assert_eq!(trial.users().failed_total(), 5);
}

#[test]
fn without_a_health_check_a_dead_server_gets_its_share_for_ever() {
    let trial = checked(10, 1, 100, "health_check: none", "at: 5s");
    let tried = visits_from(&trial, 5 * SECOND).len();
    assert!(tried.abs_diff(250) <= 1, "{tried}");
    assert_eq!(trial.users().failed_total(), tried as u64);
}

#[test]
fn each_fall_more_takes_one_probe_more() {
    let found = |fall: u32| {
        let lb = format!("health_check: {{ every: 1s, fall: {fall}, timeout: 100ms }}");
        detected(&checked(20, 2, 2, &lb, "at: 5s"))
    };
    let first = found(1);
    assert!((0..=SECOND).contains(&first), "{first}");
    assert_eq!(found(2) - first, SECOND);
    assert_eq!(found(5) - first, 4 * SECOND);
}

#[test]
fn a_restarted_server_is_used_again_after_rise_probes() {
    let restart = 9 * SECOND;
    let again = |rise: u32| {
        let lb = format!("health_check: {{ every: 1s, fall: 1, rise: {rise}, timeout: 100ms }}");
        let trial = checked(20, 2, 100, &lb, "at: 5s, for: 4s");
        visits_from(&trial, 7 * SECOND)[0].at - restart
    };
    // Requests come every 10 ms to two servers in turn.
    let first = again(1);
    assert!((0..=SECOND + 20 * MS).contains(&first), "{first}");
    for rise in [2, 5] {
        let more = again(rise) - first - i64::from(rise - 1) * SECOND;
        assert!(more.abs() <= 20 * MS, "{rise}: {more}");
    }
}

#[test]
fn a_restarted_server_is_used_again_after_its_start_up_and_the_probes() {
    let text = |startup: u32| {
        format!(
            "\
users: {{ rate: 100/s, arrivals: even }}
entry: lb
components:
  lb:
    kind: load_balancer
    to: web
    work: 0s
    health_check: {{ every: 1s, fall: 1, rise: 2, timeout: 100ms }}
  web: {{ kind: service, instances: 2, workers: 100, work: 1us, startup: {startup}s }}
network: none
faults: {{ dies: {{ crash: web.1, at: 5s, for: 2s }} }}"
        )
    };
    let again = |startup| visits_from(&Trial::of(20, &text(startup)), 6500 * MS)[0].at;
    let first = again(0);
    assert!((8 * SECOND..=9 * SECOND + 20 * MS).contains(&first), "{first}");
    let later = again(3) - first - 3 * SECOND;
    assert!(later.abs() <= 20 * MS, "{later}");
}

#[test]
fn ejection_takes_so_many_failures_and_lasts_so_long() {
    for (failures, lasts) in [(3, 4), (1, 6)] {
        let lb = format!(
            "health_check: none, ejection: {{ failures: {failures}, for: {lasts}s, at_most: 50% }}"
        );
        let trial = checked(30, 1, 100, &lb, "at: 5s");
        let tried: Vec<i64> = visits_from(&trial, 5 * SECOND).iter().map(|v| v.at).collect();
        let rounds: Vec<&[i64]> = tried.chunks(failures).collect();
        // 25 s hold a round at once and one after each pause of `lasts` and a little.
        let expected = (25_f64 / (f64::from(lasts) + 0.02 * failures as f64)).ceil() as usize;
        assert_eq!(rounds.len(), expected, "{tried:?}");
        for round in &rounds {
            assert!(round[round.len() - 1] - round[0] <= 20 * MS * failures as i64, "{tried:?}");
        }
        for pair in rounds.windows(2) {
            let pause = pair[1][0] - pair[0][failures - 1] - i64::from(lasts) * SECOND;
            assert!((0..=20 * MS).contains(&pause), "{tried:?}");
        }
    }
}

#[test]
fn a_success_in_between_starts_the_count_of_failures_anew() {
    let visits = |failures: u32| {
        let text = format!(
            "\
users: {{ rate: 200/s, arrivals: even }}
entry: lb
components:
  lb:
    kind: load_balancer
    to: web
    balance: round_robin
    work: 0s
    health_check: none
    ejection: {{ failures: {failures}, for: 100s, at_most: 50% }}
  web:
    kind: service
    instances: 2
    workers: 1
    queue: 0
    handle: {{ default: [ {{ wait: 15ms }} ] }}
network: none"
        );
        let visits = Trial::of(4, &text).visits("web");
        let late: Vec<Visit> = visits.into_iter().filter(|visit| visit.at >= SECOND).collect();
        super::counts(&late, 2)
    };
    // Every other request of a server, one each 10 ms, finds its worker busy.
    let equal = visits(2);
    assert!(equal[0].abs_diff(equal[1]) <= 1, "{equal:?}");
    assert!(visits(1).contains(&0), "one failure is enough");
}

#[test]
fn at_most_such_a_share_of_the_backends_is_out_and_one_always_may_be() {
    let used = |at_most: u32| {
        let text = format!(
            "\
users: {{ rate: 200/s, arrivals: even }}
entry: lb
components:
  lb:
    kind: load_balancer
    to: web
    balance: round_robin
    health_check: none
    work: 0s
    ejection: {{ failures: 2, for: 100s, at_most: {at_most}% }}
  web: {{ kind: service, instances: 4, handle: {{ default: [ {{ fail: 100% }} ] }} }}
network: none"
        );
        let visits = Trial::of(3, &text).visits("web");
        let late = visits.iter().filter(|visit| visit.at >= SECOND);
        let late: std::collections::BTreeSet<usize> = late.map(|visit| visit.instance).collect();
        late.len()
    };
    assert_eq!([0, 10, 25, 50, 75].map(used), [3, 3, 3, 2, 1]);
    assert_eq!(used(100), 4, "with all of them out it sends to all");
}
