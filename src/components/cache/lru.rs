//! Exact contents of a cache by least recent use, on dense item numbers.
//!
//! Links and expiry times are arrays indexed by the item, so a lookup is a few loads and nothing is
//! hashed. It does not know what an item is or who asks.

use crate::units::Instant;

const ABSENT: u32 = u32::MAX;
const END: u32 = u32::MAX - 1;

#[derive(Clone, Copy)]
struct Place {
    newer: u32,
    older: u32,
}

/// What is in the cache, in the order of last use.
pub struct Lru {
    places: Vec<Place>,
    expiry: Vec<i64>,
    newest: u32,
    oldest: u32,
    items: u64,
    bytes: u64,
}

impl Lru {
    /// An empty cache for items numbered below `items`; `timed` if items expire.
    pub fn new(items: u64, timed: bool) -> Self {
        assert!(items < u64::from(END), "a cache knows fewer than 2^32 - 2 items");
        Self {
            places: vec![Place { newer: ABSENT, older: ABSENT }; items as usize],
            expiry: vec![0; if timed { items as usize } else { 0 }],
            newest: END,
            oldest: END,
            items: 0,
            bytes: 0,
        }
    }

    /// Number of items held, expired ones included.
    pub fn items(&self) -> u64 {
        self.items
    }

    /// Bytes held, expired items included.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the item is held, expired or not.
    pub fn holds(&self, item: u64) -> bool {
        self.places[item as usize].newer != ABSENT
    }

    /// Whether the item is held and fresh; a use makes it the newest.
    #[inline]
    pub fn touch(&mut self, item: u64, now: Instant) -> bool {
        if !self.holds(item) || self.expiry.get(item as usize).is_some_and(|&at| at <= now.0) {
            return false;
        }
        if self.newest != item as u32 {
            self.unlink(item as u32);
            self.link(item as u32);
        }
        true
    }

    /// Sets when an item expires.
    pub fn expires(&mut self, item: u64, at: Instant) {
        self.expiry[item as usize] = at.0;
    }

    /// Puts an item in as the newest.
    pub fn insert(&mut self, item: u64, bytes: u64) {
        if self.holds(item) {
            self.unlink(item as u32);
        } else {
            self.items += 1;
            self.bytes += bytes;
        }
        self.link(item as u32);
    }

    /// Takes an item out; whether it was there.
    pub fn remove(&mut self, item: u64, bytes: u64) -> bool {
        if !self.holds(item) {
            return false;
        }
        self.unlink(item as u32);
        self.places[item as usize].newer = ABSENT;
        self.items -= 1;
        self.bytes -= bytes;
        true
    }

    /// The item used longest ago.
    pub fn oldest(&self) -> Option<u64> {
        (self.oldest != END).then_some(u64::from(self.oldest))
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.places.fill(Place { newer: ABSENT, older: ABSENT });
        (self.newest, self.oldest) = (END, END);
        (self.items, self.bytes) = (0, 0);
    }

    fn unlink(&mut self, item: u32) {
        let Place { newer, older } = self.places[item as usize];
        if newer == END {
            self.newest = older;
        } else {
            self.places[newer as usize].older = older;
        }
        if older == END {
            self.oldest = newer;
        } else {
            self.places[older as usize].newer = newer;
        }
    }

    fn link(&mut self, item: u32) {
        self.places[item as usize] = Place { newer: END, older: self.newest };
        if self.newest == END {
            self.oldest = item;
        } else {
            self.places[self.newest as usize].newer = item;
        }
        self.newest = item;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stream::{DrawKey, salt};

    #[test]
    fn it_agrees_with_a_list_kept_by_hand() {
        let mut lru = Lru::new(20, false);
        let mut naive: Vec<u64> = Vec::new();
        let mut draw = DrawKey(salt("lru test")).draw();
        for _ in 0..10_000 {
            let item = draw.below(20);
            if draw.chance(0.1) {
                assert_eq!(lru.remove(item, 1), naive.contains(&item));
                naive.retain(|&other| other != item);
            } else if !lru.touch(item, Instant(0)) {
                assert!(!naive.contains(&item));
                lru.insert(item, 1);
                naive.push(item);
                if naive.len() > 7 {
                    let out = lru.oldest().expect("something is in");
                    assert!(lru.remove(out, 1));
                    assert_eq!(out, naive.remove(0));
                }
            } else {
                naive.retain(|&other| other != item);
                naive.push(item);
            }
            assert_eq!((lru.items(), lru.bytes()), (naive.len() as u64, naive.len() as u64));
        }
    }
}
