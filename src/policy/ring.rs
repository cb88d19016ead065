//! A hash ring: who owns a key, and who comes after the owner.
//!
//! Each backend has points on the ring by the hash of its name, so that another one takes its share
//! from all and leaves the rest where it was. It does not know whether a backend is up.

use crate::engine::stream::{DrawKey, salt};

/// The points of backends of these names, in order.
pub fn points(names: &[String], virtual_nodes: u32) -> Vec<(u64, u16)> {
    let mut ring = Vec::new();
    for (backend, name) in names.iter().enumerate() {
        let base = DrawKey(salt(name));
        let points = 0..u64::from(virtual_nodes);
        ring.extend(points.map(|node| (base.child(node).0, backend as u16)));
    }
    ring.sort_unstable();
    ring
}

/// The place of an item; ranks are below 2^40.
pub fn key_point(item: u64, set: u64) -> u64 {
    DrawKey(salt("ring key")).child(item ^ set << 40).0
}

/// The place of a user.
pub fn user_point(user: u32) -> u64 {
    DrawKey(salt("ring user")).child(u64::from(user)).0
}

/// The backends of a ring from a place on: the owner first; a backend comes once per point.
pub fn from_point(ring: &[(u64, u16)], point: u64) -> impl Iterator<Item = u16> {
    let start = ring.partition_point(|&(at, _)| at < point);
    ring[start..].iter().chain(&ring[..start]).map(|&(_, backend)| backend)
}

/// The owner of an item.
pub fn owner(ring: &[(u64, u16)], item: u64, set: u64) -> u16 {
    from_point(ring, key_point(item, set)).next().expect("a ring has points")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_sets_do_not_put_their_first_items_on_one_node() {
        let names: Vec<String> = (0..10).map(|n| format!("cache.{n}")).collect();
        let ring = points(&names, 100);
        let mut owners: Vec<u16> = (0..20).map(|set| owner(&ring, 0, set)).collect();
        owners.sort_unstable();
        owners.dedup();
        assert!(owners.len() > 4, "{owners:?}");
    }

    #[test]
    fn without_the_owner_the_next_on_the_ring_follows() {
        let ring = vec![(10, 0), (20, 1), (30, 0)];
        assert_eq!(from_point(&ring, 11).collect::<Vec<_>>(), [1, 0, 0]);
        assert_eq!(from_point(&ring, 31).next(), Some(0));
    }
}
