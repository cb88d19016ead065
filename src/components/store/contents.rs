//! The contents of one store: capacity, eviction, freshness, versions.

use super::NONE;
use super::bag::Bag;
use super::frequency::Frequency;
use super::index::Index;
use super::links::{Links, Queue};
use super::s3_fifo::S3Fifo;
use crate::engine::stream::DrawKey;
use crate::units::{Duration, Instant};

/// How much fits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Capacity {
    /// So many items.
    Items(u64),
    /// So many bytes.
    Bytes(u64),
    /// Everything.
    Unlimited,
}

/// Which item leaves when another needs its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eviction {
    /// The one used longest ago.
    Lru,
    /// The one that came first.
    Fifo,
    /// The one used least often; uses count whether an item is held or not.
    Lfu,
    /// Any.
    Random,
    /// By a small queue, a main queue and a ghost queue.
    S3Fifo,
}

/// How long an item stays fresh.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lifetime {
    /// From when it was put in.
    pub of: Duration,
    /// Each lifetime is shortened at random by up to this share.
    pub jitter: f64,
    /// Whether a use begins it anew, in full.
    pub sliding: bool,
}

impl Lifetime {
    /// The end of a lifetime that begins now; `unit` is uniform on [0, 1).
    fn end(&self, now: Instant, unit: f64) -> Instant {
        Instant(now.0 + (self.of.0 as f64 * (1.0 - self.jitter * unit)) as i64)
    }
}

/// What never changes about a store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Items are numbered below this.
    pub items: u64,
    /// How much fits.
    pub capacity: Capacity,
    /// The most items that can be held at once, as far as capacity and sizes tell.
    pub held_max: u64,
    /// Which item leaves.
    pub eviction: Eviction,
    /// How long items stay fresh; for ever if there is no limit.
    pub lifetime: Option<Lifetime>,
    /// Whether the version of each held item is kept; without, every version is 0.
    pub versioned: bool,
}

impl Shape {
    /// The largest number of items: two numbers have a meaning of their own.
    pub const ITEMS_MAX: u64 = NONE as u64 - 2;
    /// Perfect LFU keeps a count for every item, held or not: 1.6 GB at most.
    pub const COUNTED_ITEMS_MAX: u64 = 100_000_000;

    /// Bytes of the facts about one slot.
    fn slot_bytes(&self) -> u64 {
        let order = match self.eviction {
            Eviction::Lru | Eviction::Fifo | Eviction::Random => 8,
            Eviction::S3Fifo => 13,
            Eviction::Lfu => 16,
        };
        order + 8 * u64::from(self.lifetime.is_some()) + 4 * u64::from(self.versioned)
    }

    /// Whether arrays over all items cost less than slots for the held ones, which need some ten
    /// bytes each to be found; up to a million items, arrays are small and faster.
    fn is_dense(&self) -> bool {
        let dense = self.items * self.slot_bytes();
        let hashed = self.held_max.min(self.items) * (self.slot_bytes() + 10);
        self.eviction == Eviction::Lfu || self.items <= 1_000_000 || dense <= hashed
    }
}

enum Order {
    Recency(Links, Queue),
    Arrival(Links, Queue),
    Frequency(Frequency),
    Any(Bag),
    S3(S3Fifo),
}

/// What is held.
pub struct Contents {
    shape: Shape,
    index: Index,
    order: Order,
    /// By slot: until when it is fresh.
    ends: Vec<i64>,
    /// By slot.
    versions: Vec<u32>,
    slots: usize,
    items: u64,
    bytes: u64,
    draws: DrawKey,
    drawn: u64,
}

impl Contents {
    /// Nothing held; `draws` is the key of what it draws on its own account.
    pub fn new(shape: Shape, draws: DrawKey) -> Self {
        assert!(shape.items <= Shape::ITEMS_MAX, "checked when it was planned");
        let room = shape.held_max.min(shape.items) as usize;
        let dense = shape.is_dense();
        let slots = if dense { shape.items as usize } else { 0 };
        let room = if dense { slots } else { room };
        let links = || Links::new(slots, room);
        let order = match shape.eviction {
            Eviction::Lru => Order::Recency(links(), Queue::EMPTY),
            Eviction::Fifo => Order::Arrival(links(), Queue::EMPTY),
            Eviction::Lfu => Order::Frequency(Frequency::new(slots)),
            Eviction::Random => Order::Any(Bag::new(slots, room)),
            Eviction::S3Fifo => {
                Order::S3(S3Fifo::new(shape.items as usize, (!dense).then_some(room)))
            }
        };
        let array = |wanted: bool| if wanted { room } else { 0 };
        let mut contents = Self {
            shape,
            index: if dense { Index::Dense } else { Index::hashed(room) },
            order,
            ends: Vec::with_capacity(array(shape.lifetime.is_some())),
            versions: Vec::with_capacity(array(shape.versioned)),
            slots,
            items: 0,
            bytes: 0,
            draws,
            drawn: 0,
        };
        contents.ends.resize(array(shape.lifetime.is_some() && dense), 0);
        contents.versions.resize(array(shape.versioned && dense), 0);
        contents
    }

    /// Its plan.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Number of items held, also those that are not fresh any more and were not asked for since.
    pub fn items(&self) -> u64 {
        self.items
    }

    /// Bytes held, counted where they limit the capacity.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The slot of a held item, fresh or not.
    #[inline]
    fn held(&self, item: u64) -> Option<u32> {
        let slot = self.index.find(item as u32)?;
        let held = match &self.order {
            Order::Recency(links, _) | Order::Arrival(links, _) => links.holds(slot),
            Order::Frequency(frequency) => frequency.holds(slot),
            Order::Any(bag) => bag.holds(slot),
            Order::S3(s3) => s3.holds(slot),
        };
        held.then_some(slot)
    }

    #[inline]
    fn is_fresh(&self, slot: u32, now: Instant) -> bool {
        self.shape.lifetime.is_none() || self.ends[slot as usize] > now.0
    }

    #[inline]
    fn version(&self, slot: u32) -> u32 {
        if self.shape.versioned { self.versions[slot as usize] } else { 0 }
    }

    /// The version of an item that is held and fresh; nothing is changed by it.
    pub fn peek(&self, item: u64, now: Instant) -> Option<u32> {
        let slot = self.held(item).filter(|&slot| self.is_fresh(slot, now))?;
        Some(self.version(slot))
    }

    /// Until when an item that is held stays fresh, for ever if it has no lifetime.
    pub fn fresh_until(&self, item: u64) -> Option<Instant> {
        let slot = self.held(item)?;
        let end = |_| Instant(self.ends[slot as usize]);
        Some(self.shape.lifetime.map_or(Instant(i64::MAX), end))
    }

    /// Asks for an item: its version, if it is held and fresh. That is a use. One that is held and
    /// not fresh leaves; `size_of` tells the bytes of an item.
    #[inline]
    pub fn look_up(
        &mut self,
        item: u64,
        now: Instant,
        size_of: &impl Fn(u64) -> u64,
    ) -> Option<u32> {
        if let Order::Frequency(frequency) = &mut self.order {
            frequency.use_of(item as u32);
        }
        let slot = self.held(item)?;
        if !self.is_fresh(slot, now) {
            self.take(slot, size_of);
            return None;
        }
        match &mut self.order {
            Order::Recency(links, queue) => links.renew(queue, slot),
            Order::S3(s3) => s3.use_of(slot),
            Order::Arrival(..) | Order::Any(_) | Order::Frequency(_) => {}
        }
        if let Some(lifetime) = &self.shape.lifetime
            && lifetime.sliding
        {
            self.ends[slot as usize] = now.0 + lifetime.of.0;
        }
        Some(self.version(slot))
    }

    /// The same, but one that has not been fresh for less than `grace` is found, too, and stays:
    /// the version, and for how long it has not been fresh.
    pub fn look_up_late(
        &mut self,
        item: u64,
        now: Instant,
        grace: Duration,
        size_of: &impl Fn(u64) -> u64,
    ) -> Option<(u32, Duration)> {
        let late = self.fresh_until(item).map_or(0, |end| now.0.saturating_sub(end.0));
        // Fresh until its end, which is not fresh any more.
        if late < 0 || self.shape.lifetime.is_none() || late >= grace.0 {
            return self.look_up(item, now, size_of).map(|version| (version, Duration(0)));
        }
        if let Order::Frequency(frequency) = &mut self.order {
            frequency.use_of(item as u32);
        }
        let slot = self.held(item)?;
        match &mut self.order {
            Order::Recency(links, queue) => links.renew(queue, slot),
            Order::S3(s3) => s3.use_of(slot),
            Order::Arrival(..) | Order::Any(_) | Order::Frequency(_) => {}
        }
        Some((self.version(slot), Duration(late.max(1))))
    }

    /// Whether an item is there or fits without another one leaving.
    pub fn has_room(&self, item: u64, size_of: &impl Fn(u64) -> u64) -> bool {
        let size = self.size(item, size_of);
        self.held(item).is_some() || self.size_held() + size <= self.capacity()
    }

    /// Puts a version of an item in, in place of another or as the newest, and makes room for it.
    /// An item that can never fit stays out. `unit` is uniform on [0, 1) and shortens its lifetime.
    pub fn insert(
        &mut self,
        item: u64,
        version: u32,
        now: Instant,
        unit: f64,
        size_of: &impl Fn(u64) -> u64,
    ) {
        let end = self.shape.lifetime.map_or(now, |lifetime| lifetime.end(now, unit));
        self.insert_until(item, version, end, size_of);
    }

    /// The same, fresh until a given instant.
    pub fn insert_until(
        &mut self,
        item: u64,
        version: u32,
        end: Instant,
        size_of: &impl Fn(u64) -> u64,
    ) {
        if let Some(slot) = self.held(item) {
            if let Order::Recency(links, queue) = &mut self.order {
                links.renew(queue, slot);
            }
            return self.set(slot, version, end);
        }
        let size = self.size(item, size_of);
        let capacity = self.capacity();
        if size > capacity {
            return;
        }
        // Perfect LFU weighs the new item against the held ones; elsewhere it has come to stay.
        let first = if self.shape.eviction == Eviction::Lfu { 0 } else { size };
        while self.size_held() + first > capacity && self.evict(size_of) {}
        let slot = self.claim(item, size);
        self.set(slot, version, end);
        while self.size_held() > capacity && self.evict(size_of) {}
    }

    /// Takes an item out; whether it was there.
    pub fn remove(&mut self, item: u64, size_of: &impl Fn(u64) -> u64) -> bool {
        let slot = self.held(item);
        if let Some(slot) = slot {
            self.take(slot, size_of);
        }
        slot.is_some()
    }

    /// Sets how often an item that is not held was asked for so far, where that is counted.
    pub fn set_uses(&mut self, item: u64, uses: u32) {
        if let Order::Frequency(frequency) = &mut self.order {
            frequency.set_uses(item as u32, uses);
        }
    }

    /// Moves a held item to where those stay that were used again, where there is such a place and
    /// room in it.
    pub(super) fn promote(&mut self, item: u64, size_of: &impl Fn(u64) -> u64) {
        let Some(slot) = self.held(item) else { return };
        let (size, capacity) = (self.size(item, size_of), self.capacity());
        if let Order::S3(s3) = &mut self.order {
            s3.promote(slot, size, capacity);
        }
    }

    /// Empties it, and forgets what it knew of items not held.
    pub fn clear(&mut self) {
        self.index.clear();
        if !matches!(self.index, Index::Dense) {
            self.slots = 0;
            self.ends.clear();
            self.versions.clear();
        }
        let slots = self.slots;
        match &mut self.order {
            Order::Recency(links, queue) | Order::Arrival(links, queue) => {
                links.clear(slots);
                *queue = Queue::EMPTY;
            }
            Order::Frequency(frequency) => frequency.clear(),
            Order::Any(bag) => bag.clear(slots),
            Order::S3(s3) => s3.clear(slots),
        }
        (self.items, self.bytes) = (0, 0);
    }

    /// Bytes of this computer's memory that it takes.
    pub fn memory_bytes(&self) -> usize {
        let order = match &self.order {
            Order::Recency(links, _) | Order::Arrival(links, _) => links.memory_bytes(),
            Order::Frequency(frequency) => frequency.memory_bytes(),
            Order::Any(bag) => bag.memory_bytes(),
            Order::S3(s3) => s3.memory_bytes(),
        };
        let facts = self.ends.capacity() * 8 + self.versions.capacity() * 4;
        self.index.memory_bytes() + order + facts
    }

    /// The capacity, in its own unit.
    pub(super) fn capacity(&self) -> u64 {
        match self.shape.capacity {
            Capacity::Items(most) | Capacity::Bytes(most) => most,
            Capacity::Unlimited => u64::MAX,
        }
    }

    /// What is held, in the unit of the capacity.
    fn size_held(&self) -> u64 {
        match self.shape.capacity {
            Capacity::Bytes(_) => self.bytes,
            Capacity::Items(_) | Capacity::Unlimited => self.items,
        }
    }

    /// Size of an item, in the unit of the capacity.
    pub(super) fn size(&self, item: u64, size_of: &impl Fn(u64) -> u64) -> u64 {
        match self.shape.capacity {
            Capacity::Bytes(_) => size_of(item),
            Capacity::Items(_) | Capacity::Unlimited => 1,
        }
    }

    fn set(&mut self, slot: u32, version: u32, end: Instant) {
        if self.shape.versioned {
            self.versions[slot as usize] = version;
        }
        if self.shape.lifetime.is_some() {
            self.ends[slot as usize] = end.0;
        }
    }

    /// Gives an item that is not held a slot, as the newest.
    fn claim(&mut self, item: u64, size: u64) -> u32 {
        let slot = self.index.claim(item as u32);
        if slot as usize == self.slots {
            self.grow();
        }
        match &mut self.order {
            Order::Recency(links, queue) | Order::Arrival(links, queue) => links.push(queue, slot),
            Order::Frequency(frequency) => frequency.push(slot),
            Order::Any(bag) => bag.push(slot),
            Order::S3(s3) => s3.push(slot, item as u32, size, S3Fifo::window(self.items)),
        }
        self.items += 1;
        if matches!(self.shape.capacity, Capacity::Bytes(_)) {
            self.bytes += size;
        }
        slot
    }

    fn grow(&mut self) {
        self.slots += 1;
        match &mut self.order {
            Order::Recency(links, _) | Order::Arrival(links, _) => links.grow(),
            Order::Frequency(_) => unreachable!("every item has its slot"),
            Order::Any(bag) => bag.grow(),
            Order::S3(s3) => s3.grow(),
        }
        if self.shape.lifetime.is_some() {
            self.ends.push(0);
        }
        if self.shape.versioned {
            self.versions.push(0);
        }
    }

    /// Takes a held item out.
    fn take(&mut self, slot: u32, size_of: &impl Fn(u64) -> u64) {
        let size = self.size(u64::from(self.index.item(slot)), size_of);
        match &mut self.order {
            Order::Recency(links, queue) | Order::Arrival(links, queue) => {
                links.remove(queue, slot);
            }
            Order::Frequency(frequency) => frequency.remove(slot),
            Order::Any(bag) => bag.remove(slot),
            Order::S3(s3) => s3.remove(slot, size),
        }
        self.left(slot, size);
    }

    /// A slot has left its order.
    fn left(&mut self, slot: u32, size: u64) {
        self.items -= 1;
        if matches!(self.shape.capacity, Capacity::Bytes(_)) {
            self.bytes -= size;
        }
        self.index.release(slot);
    }

    /// Drives one item out, if there is one.
    fn evict(&mut self, size_of: &impl Fn(u64) -> u64) -> bool {
        let victim = match &mut self.order {
            Order::Recency(_, queue) | Order::Arrival(_, queue) => queue.oldest(),
            Order::Frequency(frequency) => frequency.least(),
            Order::Any(bag) => {
                self.drawn += 1;
                bag.any(self.draws.child(self.drawn).draw())
            }
            Order::S3(_) => return self.evict_s3(size_of),
        };
        if let Some(slot) = victim {
            self.take(slot, size_of);
        }
        victim.is_some()
    }

    fn evict_s3(&mut self, size_of: &impl Fn(u64) -> u64) -> bool {
        let capacity = self.capacity();
        let in_bytes = matches!(self.shape.capacity, Capacity::Bytes(_));
        let Self { order: Order::S3(s3), index, .. } = self else { return false };
        let size = |slot| if in_bytes { size_of(u64::from(index.item(slot))) } else { 1 };
        let Some(slot) = s3.evict(capacity, |slot| index.item(slot), size) else { return false };
        let size = size(slot);
        self.left(slot, size);
        true
    }
}
