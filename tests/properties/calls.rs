//! What a caller sees of a failure, and what becomes of the work of calls that nobody waits for.

use super::lab::Lab;
use simscale::components::ledger::{ComponentLedger, LinkLedger};
use simscale::components::outcome::Cause;

/// Users -> front -> middle -> back; the back takes longer than the middle waits for it.
fn chain(retried: &str) -> (Lab, LinkLedger) {
    let text = format!(
        "\
users: {{ rate: 20/s }}
entry: front
components:
  front:
    kind: service
    handle: {{ default: [ {{ call: middle }} ] }}
    calls: {{ middle: {{ timeout: 5s, retries: {{ max: 1, when: [{retried}] }} }} }}
  middle:
    kind: service
    handle: {{ default: [ {{ call: back }} ] }}
    calls: {{ back: {{ timeout: 10ms }} }}
  back: {{ kind: service, handle: {{ default: [ {{ wait: 50ms }} ] }} }}
network: none
run: {{ duration: 10s, warmup: 0s, replications: 1 }}
"
    );
    let lab = Lab::read(&text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let observed = lab.observe();
    let (front, middle) = (lab.component("front"), lab.component("middle"));
    let between = |link: &simscale::components::topology::LinkPlan| {
        (link.caller.index(), link.target().index()) == (front, middle)
    };
    let link = lab.plan().topology.links.iter().position(between).expect("the front calls");
    let users = &observed.users[0];
    assert_eq!(users.failed[Cause::Timeout as usize], users.offered, "the middle gave up");
    (lab, observed.ledger.links[link])
}

#[test]
fn a_callee_that_gave_up_waiting_has_answered_with_an_error() {
    let (_, link) = chain("error");
    assert!(link.first_tries > 150 && link.attempts() == 2 * link.first_tries, "{link:?}");
    // The front itself has not waited in vain, so there is no timeout for it to repeat.
    let (_, link) = chain("timeout");
    assert!(link.first_tries > 150 && link.attempts() == link.first_tries, "{link:?}");
}

/// A slow server whose every request is lost before it is done, for the reason given.
fn lost_work(client: &str, faults: &str) -> ComponentLedger {
    let text = format!(
        "\
users: {{ rate: 5/s, client: {client} }}
entry: server
components:
  server: {{ kind: service, machine: {{ cores: 2, speed: 0.25x }}, workers: 3, work: 10s }}
network: none
faults: {faults}
run: {{ duration: 20s, warmup: 0s, replications: 1 }}
"
    );
    let lab = Lab::read(&text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    lab.observe().ledger.components[lab.component("server")].clone()
}

#[test]
fn all_core_time_of_requests_taken_back_or_killed_is_wasted() {
    let taken_back = lost_work("{ timeout: 400ms, cancel: true }", "{}");
    let killed = lost_work("{ timeout: none }", "{ dies: { at: 19999ms, crash: server } }");
    for (ledger, apart_ns) in [(taken_back, 0.8e9), (killed, 1e6)] {
        let ComponentLedger { busy_ns, wasted_ns, .. } = ledger;
        assert!(busy_ns > 5e9 && (busy_ns - wasted_ns).abs() <= apart_ns, "{busy_ns} {wasted_ns}");
    }
}
