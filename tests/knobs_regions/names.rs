//! Names: who is told which region, when they hear that it is gone, and who does not.

use super::everyone;
use crate::knobs_data::bench::{Trial, all_take, run, said};

fn named(dns: &str, more: &str) -> String {
    format!(
        "\
users: {{ rate: 200/s, regions: {{ us: 50%, eu: 50% }}, client: {{ timeout: 1s }} }}
entry: dns
regions: {{ us: {{}}, eu: {{}} }}
components:
  dns: {{ kind: dns, to: web, {dns} }}
  web: {{ kind: service, work: 1ms }}
network: {{ users: 10ms, links: {{ us <-> eu: {{ rtt: 80ms }} }} }}
run: {{ duration: 200s, warmup: 0s, window: 1s }}
{more}
"
    )
}

const GONE: &str = "faults: { gone: { at: 20s, outage: us.web } }";

/// Requests of people in the first region that failed in a part of the run, and all of them.
fn failed(trial: &Trial, seconds: std::ops::Range<usize>) -> (u64, u64) {
    let us = &trial.observed.users[0];
    let sum = |sums: &[u64]| sums[seconds.clone()].iter().sum::<u64>();
    (sum(us.failed_series.sums()), sum(us.offered_series.sums()))
}

#[test]
fn users_are_sent_to_the_nearest_region() {
    let trial = run(&named("", ""));
    all_take(&everyone(&trial), 11.0);
    assert_eq!(trial.row("us.web").arrived, trial.observed.users[0].offered);
}

#[test]
fn or_to_the_first_in_a_list() {
    let trial = run(&named("balance: { failover: { prefer: [eu, us] } }", ""));
    assert_eq!(trial.row("us.web").arrived, 0);
    let wrong = named("balance: { failover: { prefer: [ue] } }", "");
    assert!(said(&wrong).iter().any(|line| line.contains("there is no region `ue`")));
}

#[test]
fn a_dead_region_is_seen_by_the_checks_and_forgotten_after_the_time_to_live() {
    // Three probes 5 s apart of which the last is given up after 1 s: seen 11 to 16 s after the
    // outage. Then each resolver asks again within 30 s.
    let dns = "ttl: 30s, health_check: { every: 5s, timeout: 1s, fall: 3 }";
    let trial = run(&named(dns, GONE));
    let (lost, all) = failed(&trial, 0..20);
    assert_eq!((lost, all > 1000), (0, true));
    let (lost, all) = failed(&trial, 23..30);
    assert!(lost * 100 > 95 * all, "{lost} of {all}");
    let (lost, _) = failed(&trial, 69..200);
    assert_eq!(lost, 0);
    assert!(trial.row("eu.web").arrived > trial.observed.users[1].offered);
}

#[test]
fn without_checks_nobody_is_sent_elsewhere() {
    let trial = run(&named("ttl: 10s, health_check: none", GONE));
    let (lost, all) = failed(&trial, 100..200);
    // A request fails a second after it came, so the two are not quite the same ones.
    assert!(lost.abs_diff(all) * 50 < all, "{lost} of {all}");
}

#[test]
fn a_longer_time_to_live_keeps_users_longer_at_a_dead_region() {
    let lost = |ttl: &str| {
        let dns = format!("ttl: {ttl}, health_check: {{ every: 5s, timeout: 1s, fall: 1 }}");
        failed(&run(&named(&dns, GONE)), 20..200).0
    };
    let (short, long) = (lost("10s"), lost("100s"));
    assert!(long > 3 * short, "{short} {long}");
}

#[test]
fn stragglers_keep_their_answer() {
    let dns = "ttl: 10s, health_check: { every: 5s, timeout: 1s, fall: 1 }, \
               stragglers: [ { share: 20%, keep: 1h } ]";
    let trial = run(&named(dns, GONE));
    let (lost, all) = failed(&trial, 100..200);
    // A fifth of a thousand resolvers, and the requests that fall on them.
    let share = lost as f64 / all as f64;
    assert!((share - 0.2).abs() < 4.5 * (0.16_f64 / 1000.0).sqrt() + 0.02, "{share}");
}

#[test]
fn a_lookup_is_paid_by_who_finds_the_answer_expired() {
    let trial = run(&named("ttl: 1h, lookup: 50ms", ""));
    let slow = trial.stories().iter().filter(|story| story.took_ms > 60.0).count();
    // Nearly every one of the two thousand resolvers asks once.
    assert!((1900..=2000).contains(&slow), "{slow}");
}

#[test]
fn whoever_may_be_served_at_home_only_is_not_sent_away() {
    let data = "data: { own: { items: 10, in: web_data, residency: us } }";
    let dns = "ttl: 10s, health_check: { every: 5s, timeout: 1s, fall: 1 }";
    let text = named(dns, &format!("{GONE}\n{data}"));
    let text = text.replace("components:\n", "components:\n  web_data: { kind: database }\n");
    let trial = run(&text);
    let (lost, all) = failed(&trial, 100..200);
    // A request fails a second after it came, so the two are not quite the same ones.
    assert!(lost.abs_diff(all) * 50 < all, "{lost} of {all}");
}
