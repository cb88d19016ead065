//! The contents against slow, obvious models: lists that are searched from end to end.

use super::{Capacity, Contents, Eviction, Lifetime, Shape};
use crate::engine::stream::{Draw, DrawKey, salt};
use crate::units::{Duration, Instant};

/// One held item of a naive store.
#[derive(Clone, Copy, Debug)]
struct Held {
    item: u64,
    version: u32,
    end: i64,
    uses: u8,
}

/// A store as a list, the newest last.
struct Naive {
    eviction: Eviction,
    capacity: Capacity,
    lifetime: Option<Lifetime>,
    list: Vec<Held>,
    /// S3-FIFO: the main queue; `list` is the small one.
    main: Vec<Held>,
    /// Every departure from the small queue, and whether the ghost is still there.
    ghosts: Vec<(u64, bool)>,
    /// LFU: by item, uses and number of the last one.
    counts: Vec<(u64, u64)>,
    clock: u64,
}

fn size_of(item: u64) -> u64 {
    10 + item % 7
}

impl Naive {
    fn new(shape: &Shape) -> Self {
        Self {
            eviction: shape.eviction,
            capacity: shape.capacity,
            lifetime: shape.lifetime,
            list: Vec::new(),
            main: Vec::new(),
            ghosts: Vec::new(),
            counts: vec![(0, 0); shape.items as usize],
            clock: 0,
        }
    }

    fn size(&self, item: u64) -> u64 {
        if matches!(self.capacity, Capacity::Bytes(_)) { size_of(item) } else { 1 }
    }

    fn sum(&self, list: &[Held]) -> u64 {
        list.iter().map(|held| self.size(held.item)).sum()
    }

    fn most(&self) -> u64 {
        match self.capacity {
            Capacity::Items(most) | Capacity::Bytes(most) => most,
            Capacity::Unlimited => u64::MAX,
        }
    }

    fn remove(&mut self, item: u64) -> bool {
        let before = self.list.len() + self.main.len();
        self.list.retain(|held| held.item != item);
        self.main.retain(|held| held.item != item);
        before > self.list.len() + self.main.len()
    }

    fn look_up(&mut self, item: u64, now: i64) -> Option<u32> {
        self.clock += 1;
        self.counts[item as usize].0 += 1;
        self.counts[item as usize].1 = self.clock;
        let sliding = self.lifetime.filter(|lifetime| lifetime.sliding);
        let both = self.list.iter_mut().chain(&mut self.main);
        let found = both.filter(|held| held.item == item).last()?;
        if self.lifetime.is_some() && found.end <= now {
            self.remove(item);
            return None;
        }
        found.uses = (found.uses + 1).min(3);
        if let Some(lifetime) = sliding {
            found.end = now + lifetime.of.0;
        }
        let found = *found;
        if self.eviction == Eviction::Lru {
            self.remove(item);
            self.list.push(found);
        }
        Some(found.version)
    }

    fn insert(&mut self, item: u64, version: u32, end: i64) {
        let both = self.list.iter_mut().chain(&mut self.main);
        let old = both.filter(|held| held.item == item).last();
        if let Some(old) = old {
            (old.version, old.end) = (version, end);
            if self.eviction == Eviction::Lru {
                let old = *old;
                self.remove(item);
                self.list.push(old);
            }
            return;
        }
        if self.size(item) > self.most() {
            return;
        }
        let new = Held { item, version, end, uses: 0 };
        self.clock += 1;
        self.counts[item as usize].1 = self.clock;
        match self.eviction {
            Eviction::Lfu => {
                self.list.push(new);
                while self.sum(&self.list) > self.most() {
                    let rank = |held: &Held| self.counts[held.item as usize];
                    let least = self.list.iter().min_by_key(|held| rank(held)).expect("one").item;
                    self.remove(least);
                }
            }
            Eviction::S3Fifo => self.insert_s3(new),
            Eviction::Lru | Eviction::Fifo => {
                while self.sum(&self.list) + self.size(item) > self.most() {
                    self.list.remove(0);
                }
                self.list.push(new);
            }
            Eviction::Random => unreachable!("has a test of its own"),
        }
    }

    fn insert_s3(&mut self, new: Held) {
        let size = self.size(new.item);
        while self.sum(&self.list) + self.sum(&self.main) + size > self.most() {
            self.evict_s3();
        }
        let window = ((self.list.len() + self.main.len()) as f64 * 0.9) as usize;
        let recent = self.ghosts.len() - window.min(self.ghosts.len());
        let mut ghost = false;
        for (at, (item, there)) in self.ghosts.iter_mut().enumerate() {
            if *item == new.item && std::mem::take(there) && at >= recent {
                ghost = true;
            }
        }
        if ghost { self.main.push(new) } else { self.list.push(new) }
    }

    fn evict_s3(&mut self) {
        let most = self.most() as f64;
        if self.sum(&self.list) as f64 >= 0.1 * most || self.main.is_empty() {
            while !self.list.is_empty() {
                let oldest = self.list.remove(0);
                if oldest.uses <= 1 {
                    return self.ghosts.push((oldest.item, true));
                }
                self.main.push(Held { uses: 0, ..oldest });
                if self.sum(&self.main) as f64 > most - 0.1 * most {
                    break;
                }
            }
        }
        while !self.main.is_empty() {
            let oldest = self.main.remove(0);
            if oldest.uses == 0 {
                return;
            }
            self.main.push(Held { uses: oldest.uses - 1, ..oldest });
        }
    }
}

/// An item below `items`, the first ones more often.
fn skewed(draw: &mut Draw, items: u64) -> u64 {
    let square = draw.unit() * draw.unit();
    (square * items as f64) as u64
}

fn shape(eviction: Eviction, capacity: Capacity, lifetime: Option<Lifetime>) -> Shape {
    let held_max = match capacity {
        Capacity::Items(items) => items,
        Capacity::Bytes(bytes) => bytes / 10,
        Capacity::Unlimited => 200,
    };
    Shape { items: 200, capacity, held_max, eviction, lifetime, versioned: true }
}

fn check(shape: Shape, spread: u64) {
    // Numbers far apart make the same items hashed: few are held of many.
    let shape = Shape { items: shape.items * spread, ..shape };
    let mut contents = Contents::new(shape, DrawKey(1));
    let mut naive = Naive::new(&Shape { items: 200, ..shape });
    let mut draw = DrawKey(salt("contents test")).draw();
    let size = |item: u64| size_of(item / spread);
    let mut hits = 0;
    for turn in 0..6_000_u32 {
        let now = i64::from(turn) * 10;
        let item = skewed(&mut draw, 200);
        let wide = item * spread;
        let what = draw.unit();
        if what < 0.1 {
            assert_eq!(contents.remove(wide, &size), naive.remove(item));
        } else if what < 0.15 {
            contents.insert_until(wide, turn, Instant(now + 700), &size);
            naive.insert(item, turn, now + 700);
        } else {
            let found = contents.look_up(wide, Instant(now), &size);
            assert_eq!(found, naive.look_up(item, now), "turn {turn}, item {item}, {shape:?}");
            hits += u32::from(found.is_some());
            if found.is_none() && what < 0.95 {
                let unit = draw.unit();
                contents.insert(wide, turn, Instant(now), unit, &size);
                let end = shape.lifetime.map_or(now, |lifetime| {
                    now + (lifetime.of.0 as f64 * (1.0 - lifetime.jitter * unit)) as i64
                });
                naive.insert(item, turn, end);
            }
        }
        assert_eq!(contents.items() as usize, naive.list.len() + naive.main.len());
        if matches!(shape.capacity, Capacity::Bytes(_)) {
            assert_eq!(contents.bytes(), naive.sum(&naive.list) + naive.sum(&naive.main));
        }
        if turn % 3_000 == 2_999 {
            contents.clear();
            naive = Naive::new(&Shape { items: 200, ..shape });
        }
    }
    assert!(hits > 20, "{hits} hits");
}

/// The models count ten thousand times as many items as there are; hashing begins at a million.
const FAR: u64 = 10_000;

#[test]
fn contents_agree_with_a_list_kept_by_hand() {
    let fixed = Lifetime { of: Duration(900), jitter: 0.0, sliding: false };
    let jittered = Lifetime { jitter: 0.5, ..fixed };
    let sliding = Lifetime { sliding: true, ..fixed };
    for eviction in [Eviction::Lru, Eviction::Fifo, Eviction::Lfu, Eviction::S3Fifo] {
        for capacity in
            [Capacity::Items(30), Capacity::Items(1), Capacity::Bytes(400), Capacity::Unlimited]
        {
            for lifetime in [None, Some(fixed), Some(jittered), Some(sliding)] {
                let shape = shape(eviction, capacity, lifetime);
                check(shape, 1);
                if eviction != Eviction::Lfu {
                    check(shape, FAR);
                }
            }
        }
    }
}

#[test]
fn an_item_that_cannot_fit_stays_out() {
    for eviction in
        [Eviction::Lru, Eviction::Fifo, Eviction::Lfu, Eviction::Random, Eviction::S3Fifo]
    {
        for capacity in [Capacity::Items(0), Capacity::Bytes(5)] {
            let mut contents = Contents::new(shape(eviction, capacity, None), DrawKey(1));
            contents.insert(3, 1, Instant(0), 0.0, &size_of);
            assert_eq!((contents.items(), contents.peek(3, Instant(0))), (0, None));
        }
    }
}

/// Each of ten held items leaves as often as the others, whatever was used.
#[test]
fn random_eviction_takes_any() {
    for spread in [1, FAR] {
        let shape = shape(Eviction::Random, Capacity::Items(10), None);
        let shape = Shape { items: 200 * spread, ..shape };
        let mut gone = [0_u32; 10];
        let rounds = 20_000;
        for round in 0..rounds {
            let mut contents = Contents::new(shape, DrawKey(salt("bag test")).child(round));
            let all = 0..10_u64;
            all.clone().for_each(|n| contents.insert(n * spread, 7, Instant(0), 0.0, &size_of));
            assert_eq!(contents.look_up(0, Instant(0), &size_of), Some(7));
            contents.insert(10 * spread, 7, Instant(0), 0.0, &size_of);
            assert_eq!(contents.items(), 10);
            assert!(contents.peek(10 * spread, Instant(0)).is_some());
            let out = all.clone().find(|n| contents.peek(n * spread, Instant(0)).is_none());
            gone[out.expect("one left") as usize] += 1;
        }
        let expected = f64::from(rounds as u32) / 10.0;
        let error = (expected * 0.9).sqrt();
        assert!(gone.iter().all(|&n| (f64::from(n) - expected).abs() < 4.5 * error), "{gone:?}");
    }
}

/// Fifty million items in 2 GiB: at most 42.9 bytes each, measured on a million full ones.
#[test]
fn a_held_item_takes_at_most_forty_bytes() {
    let lifetime = Some(Lifetime { of: Duration(1), jitter: 0.0, sliding: false });
    for eviction in [Eviction::Lru, Eviction::Fifo, Eviction::Random, Eviction::S3Fifo] {
        for items in [1_000_000, 1_500_000, 3_000_000, 40_000_000] {
            let (held, capacity) = (1_000_000, Capacity::Items(1_000_000));
            let shape =
                Shape { items, capacity, held_max: held, eviction, lifetime, versioned: true };
            let mut contents = Contents::new(shape, DrawKey(1));
            let step = items / held;
            (0..held).for_each(|n| contents.insert(n * step, 1, Instant(0), 0.0, &size_of));
            assert_eq!(contents.items(), held);
            let each = contents.memory_bytes() as f64 / held as f64;
            assert!(each <= 42.0, "{eviction:?} of {items}: {each} bytes");
        }
    }
    // Perfect LFU counts every item; where most are held, each costs as little.
    let shape = Shape {
        items: 1_000_000,
        capacity: Capacity::Items(1_000_000),
        held_max: 1_000_000,
        eviction: Eviction::Lfu,
        lifetime,
        versioned: true,
    };
    let mut contents = Contents::new(shape, DrawKey(1));
    (0..1_000_000).for_each(|n| contents.insert(n, 1, Instant(0), 0.0, &size_of));
    assert!(contents.memory_bytes() as f64 <= 42.0 * 1e6);
}
