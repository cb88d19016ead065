//! Queues of slots: doubly linked lists through one array, each slot in at most one of them.

use super::NONE;

/// Beyond the newest and the oldest.
const END: u32 = NONE - 1;

#[derive(Clone, Copy)]
struct Link {
    /// [`NONE`] where the slot is in no queue.
    newer: u32,
    older: u32,
}

const OUT: Link = Link { newer: NONE, older: NONE };

/// The places of all slots in their queues.
pub(super) struct Links {
    links: Vec<Link>,
}

/// One queue.
#[derive(Clone, Copy)]
pub(super) struct Queue {
    newest: u32,
    oldest: u32,
}

impl Queue {
    /// Nobody in it.
    pub const EMPTY: Self = Self { newest: END, oldest: END };

    /// The slot that entered first.
    pub fn oldest(&self) -> Option<u32> {
        (self.oldest != END).then_some(self.oldest)
    }
}

impl Links {
    /// So many slots in no queue, with room for more.
    pub fn new(slots: usize, room: usize) -> Self {
        let mut links = Vec::with_capacity(room);
        links.resize(slots, OUT);
        Self { links }
    }

    /// One more slot.
    pub fn grow(&mut self) {
        self.links.push(OUT);
    }

    /// Whether a slot is in a queue.
    #[inline]
    pub fn holds(&self, slot: u32) -> bool {
        self.links[slot as usize].newer != NONE
    }

    /// Puts a slot in as the newest.
    #[inline]
    pub fn push(&mut self, queue: &mut Queue, slot: u32) {
        self.links[slot as usize] = Link { newer: END, older: queue.newest };
        if queue.newest == END {
            queue.oldest = slot;
        } else {
            self.links[queue.newest as usize].newer = slot;
        }
        queue.newest = slot;
    }

    /// Takes a slot out of its queue.
    #[inline]
    pub fn remove(&mut self, queue: &mut Queue, slot: u32) {
        let Link { newer, older } = self.links[slot as usize];
        if newer == END {
            queue.newest = older;
        } else {
            self.links[newer as usize].older = older;
        }
        if older == END {
            queue.oldest = newer;
        } else {
            self.links[older as usize].newer = newer;
        }
        self.links[slot as usize] = OUT;
    }

    /// Makes a slot the newest of its queue.
    #[inline]
    pub fn renew(&mut self, queue: &mut Queue, slot: u32) {
        if queue.newest != slot {
            self.remove(queue, slot);
            self.push(queue, slot);
        }
    }

    /// Takes all slots out; so many remain.
    pub fn clear(&mut self, slots: usize) {
        self.links.clear();
        self.links.resize(slots, OUT);
    }

    /// Bytes that they take.
    pub fn memory_bytes(&self) -> usize {
        self.links.capacity() * size_of::<Link>()
    }
}
