//! Which copies there are, who calls which of them, and how far that is.

use super::everyone;
use crate::knobs_data::bench::{Trial, all_take, run, said, share_is};
use simscale::world::users::ledger::UserLedger;

/// Two regions 80 ms apart, with a web server and a service behind it.
fn two(regions: &str, users: &str, components: &str, more: &str) -> String {
    format!(
        "\
users: {{ rate: 50/s, arrivals: even, {users} }}
entry: web
regions: {{ {regions} }}
components:
  web: {{ kind: service, handle: {{ default: [ call: back ] }} }}
  back: {{ kind: service, work: 1ms }}
{components}
network:
  users: 10ms
  within_zone: 2ms
  links: {{ us <-> eu: {{ rtt: 80ms }} }}
run: {{ duration: 20s, warmup: 0s }}
{more}
"
    )
}

#[test]
fn users_call_the_copy_in_their_own_region_and_it_calls_its_own() {
    let trial = run(&two("us: {}, eu: {}", "regions: { us: 60%, eu: 40% }", "", ""));
    let calls = |name: &str| trial.row(name).arrived;
    let all = calls("us.web") + calls("eu.web");
    share_is(calls("us.web"), all, 0.6);
    assert_eq!((calls("us.back"), calls("eu.back")), (calls("us.web"), calls("eu.web")));
    all_take(&everyone(&trial), 10.0 + 2.0 + 1.0);
}

#[test]
fn without_shares_users_live_everywhere_alike() {
    let trial = run(&two("us: {}, eu: {}", "", "", ""));
    let (us, eu) = (trial.row("us.web").arrived, trial.row("eu.web").arrived);
    share_is(us, us + eu, 0.5);
}

#[test]
fn what_stands_in_one_region_is_called_across_the_ocean() {
    let text = two("us: {}, eu: {}", "regions: { us: 0%, eu: 100% }", "", "");
    let text = text.replace("back: { kind: service,", "back: { kind: service, in: us,");
    let trial = run(&text);
    // Three are still on their way at the end.
    let (here, there) = (trial.row("eu.web").arrived, trial.row("us.back").arrived);
    assert!(here - there <= 3, "{here} {there}");
    all_take(&everyone(&trial), 10.0 + 80.0 + 1.0);
}

#[test]
fn users_of_a_region_without_a_copy_call_the_nearest() {
    let text = two("us: {}, eu: {}", "regions: { us: 0%, eu: 100% }", "", "");
    let text = text.replace("web: { kind: service,", "web: { kind: service, in: us,");
    all_take(&everyone(&run(&text)), 10.0 + 80.0 + 2.0 + 1.0);
}

#[test]
fn a_region_differs_in_what_it_says() {
    let eu = "us: {}, eu: { components: { web: { instances: 3 }, back: { work: 5ms } } }";
    let trial = run(&two(eu, "regions: { us: 0%, eu: 100% }", "", ""));
    let facts = &trial.experiment.plan.topology.components;
    let instances = |name: &str| {
        facts.iter().find(|one| one.name == name).map(|one| one.places.len()).unwrap_or(0)
    };
    assert_eq!((instances("us.web"), instances("eu.web")), (1, 3));
    all_take(&everyone(&trial), 10.0 + 2.0 + 5.0);
}

#[test]
fn instances_are_dealt_over_the_zones_of_their_region() {
    let text = two("us: { zones: 2 }, eu: { zones: 3 }", "", "", "");
    let text = text.replace("web: { kind: service,", "web: { kind: service, instances: 4,");
    let trial = run(&text);
    let facts = &trial.experiment.plan.topology.components;
    let zones = |name: &str| -> Vec<u16> {
        let found = facts.iter().find(|one| one.name == name).expect("a copy");
        found.places.iter().map(|place| place.zone).collect()
    };
    assert_eq!(zones("us.web"), [0, 1, 0, 1]);
    assert_eq!(zones("eu.web"), [2, 3, 4, 2]);
}

#[test]
fn known_places_have_known_distances() {
    let us = "us: { location: us_east_1 }, eu: { location: eu_west_1 }";
    let text = two(us, "regions: { us: 0%, eu: 100% }", "", "");
    let text = text.replace("back: { kind: service,", "back: { kind: service, in: us,");
    // What the scenario says comes before what is known.
    all_take(&everyone(&run(&text)), 10.0 + 80.0 + 1.0);
    let text = text.replace("  links: { us <-> eu: { rtt: 80ms } }\n", "");
    all_take(&everyone(&run(&text)), 10.0 + 80.5 + 1.0);
    let far = text.replace("location: us_east_1", "").replace("us: {  }", "us: {}");
    assert!(said(&far).iter().any(|line| line.contains("how far is it from `us` to `eu`?")));
    let far = far.replace("  users: 10ms\n", "  users: 10ms\n  default: 30ms\n");
    all_take(&everyone(&run(&far)), 10.0 + 30.0 + 1.0);
}

#[test]
fn mistakes_about_regions_are_told_with_what_would_do() {
    let cases = [
        ("regions: { us: 60%, eu: 30% }", "come to 90.0 %"),
        ("regions: { us: 60%, ue: 40% }", "there is no region `ue`"),
    ];
    for (users, message) in cases {
        let lines = said(&two("us: {}, eu: {}", users, "", ""));
        assert!(lines.iter().any(|line| line.contains(message)), "{lines:?}");
    }
    let lines = said(&two("us: {}, eu: { components: { wep: {} } }", "", "", ""));
    assert!(lines.iter().any(|line| line.contains("no component `wep` to differ from")));
    let lines = said(&two("us: {}, eu: { location: eu_wast_1 }", "", "", ""));
    assert!(lines.iter().any(|line| line.contains("`eu_wast_1` is no known place")), "{lines:?}");
}

#[test]
fn an_outage_silences_everything_in_its_place_and_nothing_else() {
    let outage = |place: &str| {
        let fault = format!("faults: {{ gone: {{ at: 5s, for: 10s, outage: {place} }} }}");
        let client = "regions: { us: 50%, eu: 50% }, client: { timeout: 1s }";
        run(&two("us: { zones: 2 }, eu: {}", client, "", &fault))
    };
    let failed = |trial: &Trial| {
        let of = |ledger: &UserLedger| (ledger.failed_total(), ledger.offered);
        (of(&trial.observed.users[0]), of(&trial.observed.users[1]))
    };
    for (place, us, eu) in [("us", true, false), ("all", true, true), ("us.zone.2", false, false)] {
        let ((us_failed, us_all), (eu_failed, eu_all)) = failed(&outage(place));
        for (failed, all, gone) in [(us_failed, us_all, us), (eu_failed, eu_all, eu)] {
            match gone {
                // Half of the run, and those who were waiting.
                true => share_is(failed, all, 0.5),
                false => assert_eq!(failed, 0, "{place}"),
            }
        }
    }
}

#[test]
fn a_policy_of_calls_holds_for_every_copy_of_whom_it_names() {
    let users = "regions: { us: 50%, eu: 50% }, client: { timeout: 1s }";
    // A balancer that gives up after 500 us on services that take a millisecond.
    let lb = |calls: &str| {
        let text = two("us: {}, eu: {}", users, "", "").replace("entry: web", "entry: lb");
        let lb = format!("components:\n  lb: {{ kind: load_balancer, to: web, {calls} }}\n");
        let trial = run(&text.replace("components:\n", &lb));
        let failed: u64 = trial.observed.users.iter().map(UserLedger::failed_total).sum();
        let offered: u64 = trial.observed.users.iter().map(|ledger| ledger.offered).sum();
        failed as f64 / offered as f64
    };
    assert_eq!(lb("work: 0s"), 0.0);
    assert_eq!(lb("work: 0s, calls: { web: { timeout: 2500us } }"), 1.0);
}

#[test]
fn every_copy_of_a_service_goes_past_its_dead_cache() {
    let trial = |fallback: &str| {
        let text = format!(
            "\
users:
  rate: 50/s
  arrivals: even
  regions: {{ us: 50%, eu: 50% }}
  client: {{ timeout: 1s }}
entry: web
regions: {{ us: {{}}, eu: {{}} }}
data: {{ items: {{ items: 10, in: cache }} }}
components:
  web:
    kind: service
    calls: {{ cache: {{ timeout: 50ms {fallback} }} }}
    handle: {{ default: [ {{ read: items }} ] }}
  cache: {{ kind: cache, over: db, capacity: 10 }}
  db: {{ kind: database, primary: {{ in: us }}, query: 1us }}
network: {{ within_zone: 0s, links: {{ us <-> eu: {{ rtt: 0s }} }} }}
faults: {{ gone: {{ at: 5s, for: 5s, outage: cache }} }}
run: {{ duration: 20s, warmup: 0s }}
"
        );
        let trial = run(&text);
        trial.observed.users.iter().map(UserLedger::failed_total).collect::<Vec<_>>()
    };
    assert_eq!(trial(", fallback: over"), [0, 0]);
    assert!(trial("").iter().all(|&failed| failed > 100), "{:?}", trial(""));
}
