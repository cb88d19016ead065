//! S3-FIFO: a small queue for newcomers, a main queue for what was used again, and a ghost queue
//! that remembers whom the small one let go (Yang, Zhang, Qiu, Yue, Rashmi, FIFO queues are all
//! you need for cache eviction, SOSP 2023, algorithm 1).
//!
//! The ghost queue is a window over the items that left the small queue: as many as the main queue
//! holds at its fullest, and, as in the paper's own implementation, a ghost that has come back
//! still takes its place in the window.

use super::NONE;
use super::links::{Links, Queue};
use super::table::Table;

/// Share of the capacity that is the small queue's.
const SMALL_SHARE: f64 = 0.1;
/// Uses are counted up to here.
const USES_MAX: u8 = 3;
/// Bit of a slot in the main queue; those below count its uses.
const MAIN: u8 = 4;

/// Which item was let go when, of those that left the small queue.
enum Ghosts {
    /// By item, the number of its departure, from 1; 0 for none.
    Dense(Vec<u32>),
    /// The last departures, and where each item stands among them.
    Hashed { ring: Vec<u32>, table: Table },
}

/// The order of the held slots, and the ghosts.
pub(super) struct S3Fifo {
    links: Links,
    small: Queue,
    main: Queue,
    /// By slot: uses, and which queue.
    states: Vec<u8>,
    /// What the queues hold, in units of the capacity.
    small_size: u64,
    main_size: u64,
    ghosts: Ghosts,
    /// Departures from the small queue so far, modulo 2^32.
    departed: u32,
}

impl S3Fifo {
    /// Nothing held: of all `items`, each with its own slot, or of a few in `room` slots.
    pub fn new(items: usize, room: Option<usize>) -> Self {
        let (slots, ghosts) = match room {
            None => (items, Ghosts::Dense(vec![0; items])),
            Some(room) => {
                let ring = vec![NONE; room.max(1)];
                (0, Ghosts::Hashed { ring, table: Table::with_capacity(room) })
            }
        };
        let mut states = Vec::with_capacity(room.unwrap_or(items));
        states.resize(slots, 0);
        Self {
            links: Links::new(slots, room.unwrap_or(items)),
            small: Queue::EMPTY,
            main: Queue::EMPTY,
            states,
            small_size: 0,
            main_size: 0,
            ghosts,
            departed: 0,
        }
    }

    /// One more slot.
    pub fn grow(&mut self) {
        self.links.grow();
        self.states.push(0);
    }

    /// Whether a slot is held.
    pub fn holds(&self, slot: u32) -> bool {
        self.links.holds(slot)
    }

    /// A held item was asked for.
    pub fn use_of(&mut self, slot: u32) {
        let state = &mut self.states[slot as usize];
        if *state & USES_MAX < USES_MAX {
            *state += 1;
        }
    }

    /// Puts an item in: into the main queue if its ghost is remembered, of `window` departures.
    pub fn push(&mut self, slot: u32, item: u32, size: u64, window: u32) {
        if self.take_ghost(item, window) {
            self.states[slot as usize] = MAIN;
            self.links.push(&mut self.main, slot);
            self.main_size += size;
        } else {
            self.states[slot as usize] = 0;
            self.links.push(&mut self.small, slot);
            self.small_size += size;
        }
    }

    /// Takes a slot out of its queue.
    pub fn remove(&mut self, slot: u32, size: u64) {
        if self.states[slot as usize] & MAIN != 0 {
            self.links.remove(&mut self.main, slot);
            self.main_size -= size;
        } else {
            self.links.remove(&mut self.small, slot);
            self.small_size -= size;
        }
    }

    /// Takes the next slot that leaves out of its queue.
    ///
    /// Where the main queue is full, one that moves there drives another out first: then that one
    /// is returned, and who needs more room asks again.
    pub fn evict(
        &mut self,
        capacity: u64,
        item_of: impl Fn(u32) -> u32,
        size_of: impl Fn(u32) -> u64,
    ) -> Option<u32> {
        let small_share = capacity as f64 * SMALL_SHARE;
        if self.small_size as f64 >= small_share || self.main.oldest().is_none() {
            while let Some(slot) = self.small.oldest() {
                let size = size_of(slot);
                self.links.remove(&mut self.small, slot);
                self.small_size -= size;
                if self.states[slot as usize] & USES_MAX <= 1 {
                    self.remember(item_of(slot));
                    return Some(slot);
                }
                self.states[slot as usize] = MAIN;
                self.links.push(&mut self.main, slot);
                self.main_size += size;
                if self.main_size as f64 > capacity as f64 - small_share {
                    return self.evict_main(size_of);
                }
            }
        }
        self.evict_main(size_of)
    }

    fn evict_main(&mut self, size_of: impl Fn(u32) -> u64) -> Option<u32> {
        loop {
            let slot = self.main.oldest()?;
            if self.states[slot as usize] & USES_MAX > 0 {
                self.states[slot as usize] -= 1;
                self.links.renew(&mut self.main, slot);
                continue;
            }
            self.links.remove(&mut self.main, slot);
            self.main_size -= size_of(slot);
            return Some(slot);
        }
    }

    /// Moves a slot of the small queue to the main queue, if that has room.
    pub fn promote(&mut self, slot: u32, size: u64, capacity: u64) {
        let room = capacity as f64 * (1.0 - SMALL_SHARE) - self.main_size as f64;
        if self.states[slot as usize] & MAIN != 0 || size as f64 > room {
            return;
        }
        self.remove(slot, size);
        self.states[slot as usize] = MAIN;
        self.links.push(&mut self.main, slot);
        self.main_size += size;
    }

    /// How many departures are remembered while so many items are held.
    pub fn window(held: u64) -> u32 {
        (held as f64 * (1.0 - SMALL_SHARE)) as u32
    }

    /// Notes that an item has left the small queue.
    fn remember(&mut self, item: u32) {
        // 0 stands for none.
        self.departed = self.departed.wrapping_add(1).max(1);
        match &mut self.ghosts {
            Ghosts::Dense(stamps) => stamps[item as usize] = self.departed,
            Ghosts::Hashed { ring, table } => {
                let place = self.departed as usize % ring.len();
                let old = ring[place];
                if old != NONE {
                    table.remove(old, |place| ring[place as usize]);
                }
                ring[place] = item;
                table.insert(place as u32, |place| ring[place as usize]);
            }
        }
    }

    /// Whether an item left the small queue within the window; its ghost is gone then.
    fn take_ghost(&mut self, item: u32, window: u32) -> bool {
        let stamp = match &mut self.ghosts {
            Ghosts::Dense(stamps) => std::mem::take(&mut stamps[item as usize]),
            Ghosts::Hashed { ring, table } => {
                let Some(place) = table.remove(item, |place| ring[place as usize]) else {
                    return false;
                };
                ring[place as usize] = NONE;
                let back = (self.departed as usize + ring.len() - place as usize) % ring.len();
                self.departed.wrapping_sub(back as u32)
            }
        };
        stamp != 0 && self.departed.wrapping_sub(stamp) < window
    }

    /// Takes all slots out and forgets the ghosts; so many slots remain.
    pub fn clear(&mut self, slots: usize) {
        self.links.clear(slots);
        self.states.clear();
        self.states.resize(slots, 0);
        (self.small, self.main) = (Queue::EMPTY, Queue::EMPTY);
        (self.small_size, self.main_size) = (0, 0);
        match &mut self.ghosts {
            Ghosts::Dense(stamps) => stamps.fill(0),
            Ghosts::Hashed { ring, table } => {
                ring.fill(NONE);
                table.clear();
            }
        }
    }

    /// Bytes that it takes.
    pub fn memory_bytes(&self) -> usize {
        let ghosts = match &self.ghosts {
            Ghosts::Dense(stamps) => stamps.capacity() * size_of::<u32>(),
            Ghosts::Hashed { ring, table } => {
                ring.capacity() * size_of::<u32>() + table.memory_bytes()
            }
        };
        self.links.memory_bytes() + self.states.capacity() + ghosts
    }
}
