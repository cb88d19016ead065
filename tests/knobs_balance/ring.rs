//! Choices that users or keys decide: the hash ring and sticky users.

use super::{ERRORS, SECOND, Trial, Visit, counts};
use std::collections::{BTreeMap, BTreeSet};

/// So many users ask for so many items, through a balancer to so many instances.
fn ring(seconds: u32, [users, items, instances]: [u32; 3], lb: &str) -> Vec<Visit> {
    let text = format!(
        "\
users:
  count: {users}
  each: 2/s
  operations: {{ look: {{ weight: 1, reads: goods }} }}
data: {{ goods: {{ items: {items}, size: 1kB, popularity: uniform, in: cache }} }}
entry: lb
components:
  lb: {{ kind: load_balancer, to: web, health_check: none, work: 0s, {lb} }}
  web:
    kind: service
    instances: {instances}
    workers: 100
    handle: {{ default: [ {{ read: goods }} ] }}
  cache: {{ kind: cache, over: db, capacity: unlimited, ttl: none }}
  db: {{ kind: database, query: 1us, connections: 1000, machine: {{ cores: 100 }} }}
network: none"
    );
    Trial::of(seconds, &text).visits("web")
}

/// The instances that each of them has met.
fn met(visits: &[Visit], who: impl Fn(&Visit) -> u64) -> BTreeMap<u64, BTreeSet<usize>> {
    let mut met = BTreeMap::<u64, BTreeSet<usize>>::new();
    for visit in visits {
        met.entry(who(visit)).or_default().insert(visit.instance);
    }
    met
}

/// How many of those met more than one instance.
fn strays(met: &BTreeMap<u64, BTreeSet<usize>>) -> usize {
    met.values().filter(|instances| instances.len() > 1).count()
}

#[test]
fn a_ring_by_user_sends_a_user_to_one_server_and_a_key_to_many() {
    let visits = ring(4, [300, 20, 4], "balance: { consistent_hash: { by: user } }");
    let users = met(&visits, |visit| u64::from(visit.user));
    assert!(users.len() > 290 && strays(&users) == 0, "{users:?}");
    assert_eq!(strays(&met(&visits, |visit| visit.item)), 20);
}

#[test]
fn a_ring_by_key_sends_a_key_to_one_server_and_a_user_to_many() {
    let visits = ring(4, [20, 300, 4], "balance: { consistent_hash: { by: key } }");
    let keys = met(&visits, |visit| visit.item);
    assert!(keys.len() > 50 && strays(&keys) == 0, "{keys:?}");
    assert!(strays(&met(&visits, |visit| u64::from(visit.user))) >= 18);
}

/// How many users each of ten servers has, on a ring with so many points of each.
fn owned(virtual_nodes: u32) -> Vec<usize> {
    let hash =
        format!("balance: {{ consistent_hash: {{ by: user, virtual_nodes: {virtual_nodes} }} }}");
    let users = met(&ring(1, [2000, 1, 10], &hash), |visit| u64::from(visit.user));
    let mut owned = vec![0; 10];
    for instances in users.values() {
        owned[*instances.first().expect("it has met one")] += 1;
    }
    owned
}

#[test]
fn more_virtual_nodes_make_shares_more_equal() {
    // The arcs of one of n servers with V points each are Beta(V, (n - 1) V), and users fall into
    // them at random: Var(share) = p q / (n V + 1) + p q / users.
    let mut before = f64::INFINITY;
    for nodes in [1, 20, 1000] {
        let owned = owned(nodes);
        let users = owned.iter().sum::<usize>() as f64;
        let off: Vec<f64> = owned.iter().map(|&count| count as f64 / users - 0.1).collect();
        let spread = off.iter().map(|off| off * off).sum::<f64>().sqrt();
        assert!(spread < before, "{nodes}: {owned:?}");
        before = spread;
        if nodes == 1000 {
            let error = (0.09 * (1.0 / 10_001.0 + 1.0 / users)).sqrt();
            let near = |off: &f64| off.abs() <= ERRORS * error;
            assert!(users > 1600.0 && off.iter().all(near), "{owned:?} +- {error}");
        }
    }
}

#[test]
fn sticky_users_stay_and_others_do_not() {
    let visits = ring(4, [300, 1, 4], "balance: random, sticky: user");
    assert_eq!(strays(&met(&visits, |visit| u64::from(visit.user))), 0);
    let found = counts(&visits, 4);
    assert!(found.iter().all(|&count| count > 0), "{found:?}");
    let visits = ring(4, [300, 1, 4], "balance: random, sticky: none");
    let users = met(&visits, |visit| u64::from(visit.user));
    assert!(strays(&users) > 290, "{users:?}");
}

#[test]
fn a_sticky_user_moves_when_the_server_dies_and_then_stays_there() {
    let text = "\
users: { count: 100, each: 5/s }
entry: lb
components:
  lb:
    kind: load_balancer
    to: web
    balance: random
    sticky: user
    health_check: { every: 100ms, fall: 1, timeout: 50ms }
    work: 0s
  web: { kind: service, instances: 4, workers: 100, work: 1us }
network: none
faults: { dies: { at: 4s, crash: web.2 } }";
    let visits = Trial::of(8, text).visits("web");
    let split = |from: i64, to: i64| {
        let within = visits.iter().filter(|visit| (from..to).contains(&visit.at));
        met(&within.copied().collect::<Vec<_>>(), |visit| u64::from(visit.user))
    };
    let before = split(0, 4 * SECOND);
    // A probe every 100 ms has found it out by then.
    let after = split(4 * SECOND + SECOND / 5, 8 * SECOND);
    assert_eq!((strays(&before), strays(&after)), (0, 0));
    let mut moved = 0;
    for (user, server) in &after {
        assert!(!server.contains(&1), "{user} is at the dead one");
        let Some(old) = before.get(user) else { continue };
        moved += usize::from(old.contains(&1));
        assert!(old.contains(&1) || old == server, "{user} moved for nothing");
    }
    assert!(moved > 5, "{moved}");
}
