//! What a store contains that has run for long under a steady load: a sample of the stationary law.
//!
//! Items are asked for independently of each other. By the characteristic-time approximation (Che,
//! Tung, Wang, Hierarchical web caching systems, 2002; Fricker, Robert, Roberts, A versatile and
//! accurate approximation for LRU cache performance, 2012) an item then comes and goes on its own:
//! it leaves a time T after its last use (LRU) or its arrival (FIFO), after an exponential time of
//! mean T (random), or never, if it is among the most popular that fit (LFU), and T is such that
//! what is held fits just so. Writes that drop a copy and lifetimes end its stay as well.
//! From that follow the probability that it is held, and the ages of its arrival and last use.
//!
//! S3-FIFO begins as FIFO with what is used twice in its time in the main queue; whoever fills it
//! lets some accesses run on it. Copies are fresh ones: what was stale in the past is not known.

use super::contents::{Contents, Eviction};
use crate::engine::stream::{DrawKey, salt};
use crate::random::Popularity;
use crate::units::Instant;

/// The load on the items of one set, in events per second.
#[derive(Clone, Copy, Debug)]
pub struct Load<'a> {
    /// Number of the set's first item.
    pub first: u64,
    /// Which items are asked for, and written.
    pub popularity: &'a Popularity,
    /// Reads.
    pub reads: f64,
    /// Writes that drop the copy.
    pub drops: f64,
}

/// Where each item belongs, among several stores that share the items.
pub trait Homes {
    /// The store that holds an item, if it is held.
    fn home(&self, item: u64) -> usize;
    /// The share of the items that belongs to each store.
    fn share(&self, store: usize) -> f64;
}

/// Nanoseconds of a second.
const SECOND: f64 = 1e9;
/// So many of the most popular items of a set are counted one by one, the others in groups.
const COUNTED_ALONE: u64 = 500;

/// How long items stay, as rates and times in seconds.
#[derive(Clone, Copy, Debug)]
struct Stay {
    eviction: Eviction,
    /// The characteristic time.
    time: f64,
    /// Lifetime from arrival, and by which share it may be shorter.
    lifetime: f64,
    jitter: f64,
    /// Lifetime from the last use.
    idle: f64,
}

/// `(1 - exp(-rate x time)) / rate`, also at a rate of 0.
fn integral(rate: f64, time: f64) -> f64 {
    // Without a rate the time may be infinite.
    if rate == 0.0 || rate * time < 1e-9 { time } else { -(-rate * time).exp_m1() / rate }
}

impl Stay {
    fn of(contents: &Contents, time: f64) -> Self {
        let lifetime = contents.shape().lifetime;
        let whole = lifetime.map_or(f64::INFINITY, |lifetime| lifetime.of.0 as f64 / SECOND);
        let sliding = lifetime.is_some_and(|lifetime| lifetime.sliding);
        Self {
            eviction: contents.shape().eviction,
            time,
            lifetime: if sliding { f64::INFINITY } else { whole },
            jitter: lifetime.map_or(0.0, |lifetime| lifetime.jitter),
            idle: if sliding { whole } else { f64::INFINITY },
        }
    }

    /// Whether an item that is not fresh keeps its place until it is asked for, and then is renewed
    /// as if it had been fresh.
    fn keeps_place(&self) -> bool {
        let timed = self.lifetime.is_finite() || self.idle.is_finite();
        timed && matches!(self.eviction, Eviction::Lru | Eviction::Lfu) && self.time.is_finite()
    }

    /// The same without lifetimes.
    fn timeless(&self) -> Self {
        Self { lifetime: f64::INFINITY, jitter: 0.0, idle: f64::INFINITY, ..*self }
    }

    /// The longest time without a use.
    fn idle_max(&self) -> f64 {
        let by_order = if self.eviction == Eviction::Lru { self.time } else { f64::INFINITY };
        self.idle.min(by_order)
    }

    /// The longest stay, given how much of the jitter is used.
    fn age_max(&self, unit: f64) -> f64 {
        let fifo = matches!(self.eviction, Eviction::Fifo | Eviction::S3Fifo);
        let by_order = if fifo { self.time } else { f64::INFINITY };
        (self.lifetime * (1.0 - self.jitter * unit)).min(by_order)
    }

    /// The rate at which a held item leaves for other reasons than its age: writes, chance, and
    /// pauses between its uses. That rate is constant only on average; it gives the exact share of
    /// time that the item is held when nothing else ends its stay.
    fn leaving(&self, reads: f64, drops: f64) -> f64 {
        let chance = if self.eviction == Eviction::Random { 1.0 / self.time } else { 0.0 };
        let ends = drops + chance;
        let idle = self.idle_max();
        if idle.is_infinite() {
            return ends;
        }
        let held = reads * integral(reads + ends, idle);
        if held >= 1.0 { 0.0 } else { reads * (1.0 - held) / held }
    }

    /// Mean length of a stay, over the jitter.
    fn mean_stay(&self, leaving: f64) -> f64 {
        const PARTS: u32 = 8;
        if self.jitter == 0.0 {
            return integral(leaving, self.age_max(0.0));
        }
        let at = |part: u32| self.age_max((f64::from(part) + 0.5) / f64::from(PARTS));
        (0..PARTS).map(|part| integral(leaving, at(part))).sum::<f64>() / f64::from(PARTS)
    }

    /// The share of time that an item is held.
    fn held(&self, reads: f64, drops: f64) -> f64 {
        if reads <= 0.0 || self.eviction == Eviction::Lfu && reads * self.time < 1.0 {
            return 0.0;
        }
        let stays = reads * self.mean_stay(self.leaving(reads, drops));
        if stays.is_infinite() { 1.0 } else { stays / (1.0 + stays) }
    }

    /// Whether an item is held, and if so since when and how long it still stays fresh.
    fn sample(&self, reads: f64, drops: f64, key: DrawKey) -> Option<Found> {
        let mut draw = key.draw();
        let chance = draw.unit();
        if chance >= self.held(reads, drops) {
            let keeps = self.keeps_place() && chance < self.timeless().held(reads, drops);
            let ordered = age(reads + drops, self.time, draw.unit());
            return keeps.then_some(Found { ordered, left: 0.0 });
        }
        let leaving = self.leaving(reads, drops);
        let most = integral(leaving, self.age_max(0.0));
        // A long lifetime is met more often than a short one.
        let unit = loop {
            let unit = draw.unit();
            if self.jitter == 0.0 || draw.unit() * most <= integral(leaving, self.age_max(unit)) {
                break unit;
            }
        };
        let arrival = age(leaving, self.age_max(unit), draw.unit());
        let idle = self.idle_max();
        let last_use = if self.lifetime.is_infinite() {
            age(reads + drops, idle, draw.unit())
        } else if arrival <= idle {
            age(reads, f64::INFINITY, draw.unit()).min(arrival)
        } else {
            age(reads, idle, draw.unit())
        };
        let left = (self.lifetime * (1.0 - self.jitter * unit) - arrival).min(self.idle - last_use);
        let ordered = if self.eviction == Eviction::Lru { last_use } else { arrival };
        Some(Found { ordered, left })
    }
}

/// An age below `most`, with a density that falls at this rate.
fn age(rate: f64, most: f64, unit: f64) -> f64 {
    if rate == 0.0 || rate * most < 1e-9 {
        return unit * most;
    }
    -(unit * (-rate * most).exp_m1()).ln_1p() / rate
}

/// A held item, in seconds: the age that its place in the order comes from, and what is left of its
/// lifetime.
#[derive(Clone, Copy, Debug)]
struct Found {
    ordered: f64,
    left: f64,
}

/// Items alike, of one store.
struct Group {
    number: f64,
    size: f64,
    reads: f64,
    drops: f64,
}

/// Fills stores that are empty with what they contain at an instant; `key` is that of the draws.
pub fn fill(
    stores: &mut [Contents],
    homes: &impl Homes,
    loads: &[Load<'_>],
    now: Instant,
    key: DrawKey,
    size_of: &impl Fn(u64) -> u64,
) {
    let replayed = stores[0].shape().eviction == Eviction::S3Fifo;
    let rate: f64 = loads.iter().map(|load| load.reads + load.drops).sum();
    let stays: Vec<Stay> = (0..stores.len())
        .map(|store| {
            let groups = groups(store, &stores[store], homes, loads, size_of);
            Stay::of(&stores[store], characteristic_time(&stores[store], &groups))
        })
        .collect();
    if stores[0].shape().eviction == Eviction::Lfu {
        count_uses(stores, homes, loads, &stays);
    }
    let held_max: u64 = stores.iter().map(|store| store.shape().held_max).sum();
    let accesses = if replayed { (10 * held_max).min(REPLAYED_MAX) } else { 0 };
    let gap_ns = SECOND / rate;
    let then = Instant(now.0 - (accesses as f64 * gap_ns) as i64);
    put_in(stores, homes, loads, &stays, then, key, size_of);
    let key = key.child(REPLAY);
    for turn in 0..accesses {
        let at = Instant(then.0 + ((turn + 1) as f64 * gap_ns) as i64);
        replay(stores, homes, loads, rate, at, key.child(turn), size_of);
    }
}

/// So many accesses are replayed at most, where there is no law to draw from.
const REPLAYED_MAX: u64 = 4_000_000;
/// Tells the draws of the replay from those of the items.
const REPLAY: u64 = salt("replay");

/// One access to a store that fills itself.
fn replay(
    stores: &mut [Contents],
    homes: &impl Homes,
    loads: &[Load<'_>],
    rate: f64,
    at: Instant,
    key: DrawKey,
    size_of: &impl Fn(u64) -> u64,
) {
    let mut draw = key.draw();
    let mut left = draw.unit() * rate;
    for load in loads {
        if left >= load.reads + load.drops {
            left -= load.reads + load.drops;
            continue;
        }
        let item = load.first + load.popularity.sample(&mut draw);
        let store = &mut stores[homes.home(item)];
        if left >= load.reads {
            store.remove(item, size_of);
        } else if store.look_up(item, at, size_of).is_none() {
            store.insert(item, 0, at, draw.unit(), size_of);
        }
        return;
    }
}

/// The items of one store by how often they are asked for.
fn groups(
    store: usize,
    contents: &Contents,
    homes: &impl Homes,
    loads: &[Load<'_>],
    size_of: &impl Fn(u64) -> u64,
) -> Vec<Group> {
    let mut groups = Vec::new();
    for load in loads {
        let items = load.popularity.items();
        let mut group = |number: f64, each: f64, item: u64| {
            let size = contents.size(item, size_of) as f64;
            let (reads, drops) = (load.reads * each, load.drops * each);
            groups.push(Group { number, size, reads, drops });
        };
        let mut rank = 0;
        while rank < items.min(COUNTED_ALONE) {
            if homes.home(load.first + rank) == store {
                group(1.0, load.popularity.probability(rank), load.first + rank);
            }
            rank += 1;
        }
        while rank < items {
            let end = (rank + rank / 64).min(items);
            let share = load.popularity.share_of_top(end) - load.popularity.share_of_top(rank);
            let number = (end - rank) as f64;
            group(number * homes.share(store), share / number, load.first + rank);
            rank = end;
        }
    }
    groups
}

/// The time that an item stays, such that what is held fits; infinite when everything fits.
fn characteristic_time(contents: &Contents, groups: &[Group]) -> f64 {
    let capacity = contents.capacity() as f64;
    let held = |time: f64| -> f64 {
        let stay = Stay::of(contents, time);
        let stay = if stay.keeps_place() { stay.timeless() } else { stay };
        let size = |group: &Group| group.number * group.size * stay.held(group.reads, group.drops);
        groups.iter().map(size).sum()
    };
    if held(f64::INFINITY) <= capacity {
        return f64::INFINITY;
    }
    let (mut low, mut high) = (1e-12_f64.ln(), 1e12_f64.ln());
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if held(middle.exp()) < capacity {
            low = middle;
        } else {
            high = middle;
        }
    }
    high.exp()
}

/// LFU: how often each item was asked for, in a past that told them well apart.
fn count_uses(stores: &mut [Contents], homes: &impl Homes, loads: &[Load<'_>], stays: &[Stay]) {
    /// Uses of the least popular item that fits.
    const USES: f64 = 1000.0;
    for load in loads {
        for rank in 0..load.popularity.items() {
            let item = load.first + rank;
            let store = homes.home(item);
            let each = load.reads * load.popularity.probability(rank);
            if stays[store].time.is_finite() {
                stores[store].set_uses(item, (USES * each * stays[store].time) as u32);
            }
        }
    }
}

/// Draws what is held and puts it in, the oldest first where the order counts.
fn put_in(
    stores: &mut [Contents],
    homes: &impl Homes,
    loads: &[Load<'_>],
    stays: &[Stay],
    now: Instant,
    key: DrawKey,
    size_of: &impl Fn(u64) -> u64,
) {
    let sample = |load: &Load<'_>, store: usize, item: u64| -> Option<Found> {
        let each = load.popularity.probability(item - load.first);
        stays[store].sample(load.reads * each, load.drops * each, key.child(item))
    };
    let insert = |store: &mut Contents, item: u64, found: Found| {
        let left = (found.left * SECOND).min(9e18) as i64;
        store.insert_until(item, 0, Instant(now.0.saturating_add(left)), size_of);
    };
    // Age and item in one number each, by store: nothing but that has to be sorted.
    let mut ordered: Vec<Vec<u64>> = vec![Vec::new(); stores.len()];
    for load in loads {
        for item in load.first..load.first + load.popularity.items() {
            let store = homes.home(item);
            let Some(found) = sample(load, store, item) else { continue };
            let (time, order) = (stays[store].time, stays[store].eviction);
            if time.is_infinite() || matches!(order, Eviction::Random | Eviction::Lfu) {
                insert(&mut stores[store], item, found);
            } else {
                let youth = (1.0 - found.ordered / time) * f64::from(u32::MAX);
                ordered[store].push(u64::from(youth as u32) << 32 | item);
            }
        }
    }
    for (store, mut list) in ordered.into_iter().enumerate() {
        list.sort_unstable();
        for entry in list {
            let item = entry & u64::from(u32::MAX);
            let load = &loads[loads.partition_point(|load| load.first <= item) - 1];
            let found = sample(load, store, item).expect("the same draws as before");
            insert(&mut stores[store], item, found);
            let each = load.reads * load.popularity.probability(item - load.first);
            if each * stays[store].time >= 2.0 {
                stores[store].promote(item, size_of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::contents::{Capacity, Lifetime, Shape};
    use super::*;
    use crate::units::Duration;

    /// One store for all items.
    struct Alone;
    impl Homes for Alone {
        fn home(&self, _item: u64) -> usize {
            0
        }
        fn share(&self, _store: usize) -> f64 {
            1.0
        }
    }

    /// Two stores, for even and odd items.
    struct Two;
    impl Homes for Two {
        fn home(&self, item: u64) -> usize {
            (item % 2) as usize
        }
        fn share(&self, _store: usize) -> f64 {
            0.5
        }
    }

    const ITEMS: u64 = 1500;
    const READS: f64 = 1000.0;

    fn shape(eviction: Eviction, capacity: Capacity, lifetime: Option<Lifetime>) -> Shape {
        let held_max = match capacity {
            Capacity::Items(most) => most,
            _ => ITEMS,
        };
        Shape { items: ITEMS, capacity, held_max, eviction, lifetime, versioned: false }
    }

    /// Exponential gaps between the accesses, from a time on.
    fn run(
        stores: &mut [Contents],
        homes: &impl Homes,
        load: &Load<'_>,
        seconds: std::ops::Range<f64>,
        key: DrawKey,
    ) -> f64 {
        let rate = load.reads + load.drops;
        let (mut at, mut turn, mut hits, mut reads) = (seconds.start, 0, 0, 0);
        while at < seconds.end {
            let mut draw = key.child(turn).draw();
            turn += 1;
            at += -(1.0 - draw.unit()).ln() / rate;
            let now = Instant((at * SECOND) as i64);
            let item = load.popularity.sample(&mut draw);
            let store = &mut stores[homes.home(item)];
            if draw.unit() * rate >= load.reads {
                store.remove(item, &|_| 1);
                continue;
            }
            reads += 1;
            if store.look_up(item, now, &|_| 1).is_some() {
                hits += 1;
            } else {
                store.insert(item, 0, now, draw.unit(), &|_| 1);
            }
        }
        f64::from(hits) / f64::from(reads)
    }

    /// A filled store hits as often, at once and later, as one that has run for long: both over
    /// many short runs, since what counts is the very beginning.
    fn check(shape: Shape, drops: f64, homes: &impl Homes, stores: usize) {
        let popularity = Popularity::zipf(ITEMS, 0.8).expect("a law");
        let load = Load { first: 0, popularity: &popularity, reads: READS, drops };
        let key = DrawKey(salt("warm test"));
        let empty = || -> Vec<Contents> {
            (0..stores).map(|store| Contents::new(shape, DrawKey(store as u64))).collect()
        };
        let mut cold = empty();
        run(&mut cold, homes, &load, -40.0..0.0, key.child(1));
        let long = run(&mut cold, homes, &load, 0.0..120.0, key.child(2));
        let mut first = 0.0;
        let rounds = 40;
        for round in 0..rounds {
            let mut warm = empty();
            let key = key.child(3).child(round);
            fill(&mut warm, homes, &[load], Instant(0), key, &|_| 1);
            first += run(&mut warm, homes, &load, 0.0..0.5, key.child(4)) / rounds as f64;
        }
        // 20,000 reads at the beginnings: 4.5 standard errors are 1.6 %.
        assert!((first - long).abs() < 0.016, "{first}, {long} in the long run: {shape:?}");
    }

    #[test]
    fn a_filled_store_is_as_warm_as_one_that_has_run() {
        let fixed = Lifetime { of: Duration(4_000_000_000), jitter: 0.0, sliding: false };
        let jittered = Lifetime { jitter: 0.9, ..fixed };
        let sliding = Lifetime { of: Duration(1_000_000_000), sliding: true, ..fixed };
        for eviction in
            [Eviction::Lru, Eviction::Fifo, Eviction::Random, Eviction::Lfu, Eviction::S3Fifo]
        {
            for lifetime in [None, Some(jittered)] {
                check(shape(eviction, Capacity::Items(300), lifetime), 0.0, &Alone, 1);
            }
            check(shape(eviction, Capacity::Items(300), None), 200.0, &Alone, 1);
            check(shape(eviction, Capacity::Items(150), None), 0.0, &Two, 2);
        }
        for lifetime in [Some(fixed), Some(sliding)] {
            check(shape(Eviction::Lru, Capacity::Items(300), lifetime), 0.0, &Alone, 1);
            check(shape(Eviction::Lru, Capacity::Unlimited, lifetime), 50.0, &Alone, 1);
        }
    }

    #[test]
    fn everything_that_fits_is_there() {
        let popularity = Popularity::uniform(ITEMS);
        let load = Load { first: 0, popularity: &popularity, reads: 1.0, drops: 0.0 };
        for capacity in [Capacity::Unlimited, Capacity::Items(ITEMS)] {
            let mut store = [Contents::new(shape(Eviction::Lru, capacity, None), DrawKey(1))];
            fill(&mut store, &Alone, &[load], Instant(0), DrawKey(2), &|_| 1);
            assert_eq!(store[0].items(), ITEMS);
        }
    }
}
