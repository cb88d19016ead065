//! Round trips: which law applies between which places.

use super::{MS, Trial, assert_same};

/// Users -> front (in the first zone) -> two instances of back in turn, with these round trips.
fn zoned(zones: u32, network: &str) -> f64 {
    let text = format!(
        "\
users: {{ rate: 125/s, arrivals: even }}
entry: front
zones: {zones}
components:
  front:
    kind: service
    handle: {{ default: [ {{ call: back }} ] }}
    calls: {{ back: {{ balance: round_robin }} }}
  back: {{ kind: service, instances: 2, handle: {{ default: [ {{ wait: 1ms }} ] }} }}
network: {network}"
    );
    let trial = Trial::of(3, &text);
    assert_eq!(trial.users().offered % 2, 0, "both instances are met as often");
    trial.latency()
}

#[test]
fn users_pay_the_round_trip_of_users_once() {
    let near = zoned(1, "{ users: 0s }");
    assert_same(near, MS as f64);
    assert_same(zoned(1, "{ users: 40ms }") - near, 40.0 * MS as f64);
}

#[test]
fn machines_of_one_zone_pay_the_round_trip_within_it() {
    let base = zoned(1, "{ users: 40ms, between_zones: 9ms, within_host: 9ms }");
    assert_same(base, 41.0 * MS as f64);
    let far = zoned(1, "{ users: 40ms, between_zones: 9ms, within_zone: 2ms }");
    assert_same(far - base, 2.0 * MS as f64);
}

#[test]
fn every_other_of_two_instances_in_two_zones_is_in_another_zone() {
    let network = "{ users: 40ms, within_zone: 2ms, between_zones: 8ms }";
    assert_same(zoned(2, network) - zoned(1, network), (8.0 - 2.0) / 2.0 * MS as f64);
}

#[test]
fn neighbours_on_a_host_pay_the_round_trip_within_it() {
    let latency = |place: &str, network: &str| {
        let text = format!(
            "\
users: {{ rate: 100/s, arrivals: even }}
entry: front
hosts: {{ box: {{ cores: 4 }} }}
components:
  front: {{ kind: service, {place} handle: {{ default: [ {{ call: back }} ] }} }}
  back: {{ kind: service, {place} handle: {{ default: [ {{ wait: 1ms }} ] }} }}
network: {network}"
        );
        Trial::of(3, &text).latency()
    };
    let network = "{ within_host: 200us, within_zone: 3ms, between_zones: 9ms }";
    assert_same(latency("host: box,", network), 1.2 * MS as f64);
    assert_same(latency("", network), 4.0 * MS as f64);
}

#[test]
fn a_round_trip_drawn_from_a_law_has_its_mean() {
    let text = "\
users: { rate: 2000/s, arrivals: even }
entry: web
components:
  web: { kind: service, workers: 1000, handle: { default: [ { wait: 1ms } ] } }
network: { users: { exponential: 10ms } }";
    let trial = Trial::of(4, text);
    let sent = trial.users().answered as f64;
    let error = 10.0 * MS as f64 / sent.sqrt();
    let found = trial.latency() - 11.0 * MS as f64;
    assert!(sent > 7990.0 && found.abs() <= super::ERRORS * error, "{found} +- {error}");
}
