//! Events in the order of their keys, whatever order they come in: a calendar of short spans of
//! time, as Brown's calendar queue (CACM 31, 1988), and a heap for what lies beyond it.
//!
//! A span is a fraction of what two events are apart on average: empty spans cost nothing, because
//! bits tell them, and in most others the next event is alone, however many are pending. The width
//! follows the run; it decides how fast the order is found and never what it is. The calendar does
//! not know what an event is; keys are unique, and none is earlier than the last one taken out.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// An event and its place in the order.
#[derive(Clone, Copy)]
pub(super) struct Entry<E> {
    /// Smaller is earlier; the upper half is the time, which is far from 0.
    pub key: u128,
    /// What happens.
    pub event: E,
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}
impl<E> Eq for Entry<E> {}
impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
/// Reversed, because the standard heap keeps its largest entry on top.
impl<E> Ord for Entry<E> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key)
    }
}

/// The key of no event.
pub(super) const NEVER: u128 = u128::MAX;
/// No node.
const NONE: u32 = u32::MAX;
/// Spans in the calendar: 64 words of 64 bits say which of them hold anything.
const SPANS: usize = 64 * 64;
/// The width is looked at after so many events.
const REVIEW: u64 = 2048;

/// More entries in one span than this are sorted out at once.
const CROWD: u32 = 24;

struct Node<E> {
    entry: Entry<E>,
    next: u32,
}

/// Pending events under their keys.
pub(super) struct Calendar<E> {
    /// The earliest of all; its key is [`NEVER`] when there is none.
    front: Entry<E>,
    nodes: Vec<Node<E>>,
    free: u32,
    /// First node of each span; a span's number in the run, modulo their number, is its index.
    heads: Box<[u32; SPANS]>,
    /// Which spans hold anything, and which words of these bits are not zero.
    used: [u64; 64],
    words: u64,
    /// A span is 2^shift long.
    shift: u32,
    /// Number of the span in which the last event taken out lies.
    base: u64,
    /// Entries a whole calendar and more after the base, and the number of the earliest's span.
    far: BinaryHeap<Entry<E>>,
    far_span: u64,
    /// What was in a crowded span, and what has been added up to it since; number of that span, or
    /// 0 when there is none. Ties cannot be told apart by narrower spans.
    due: BinaryHeap<Entry<E>>,
    due_span: u64,
    /// Events until the next look at the width, and when the last one was.
    until_review: u64,
    reviewed_at: u64,
}

const fn time_of(key: u128) -> u64 {
    (key >> 64) as u64
}

impl<E: Copy + Default> Calendar<E> {
    /// Nothing pending, and nothing before `start`.
    pub fn new(start: u128) -> Self {
        let shift = 16;
        Self {
            front: Entry { key: NEVER, event: E::default() },
            nodes: Vec::with_capacity(1024),
            free: NONE,
            heads: Box::new([NONE; SPANS]),
            used: [0; 64],
            words: 0,
            shift,
            base: time_of(start) >> shift,
            far: BinaryHeap::new(),
            far_span: u64::MAX,
            due: BinaryHeap::new(),
            due_span: 0,
            until_review: REVIEW,
            reviewed_at: time_of(start),
        }
    }

    /// The earliest key, [`NEVER`] when nothing is pending.
    #[inline(always)]
    pub fn first(&self) -> u128 {
        self.front.key
    }

    /// Adds an event.
    #[inline(always)]
    pub fn push(&mut self, key: u128, event: E) {
        let mut entry = Entry { key, event };
        if key < self.front.key {
            std::mem::swap(&mut entry, &mut self.front);
            if entry.key == NEVER {
                return;
            }
        }
        self.insert(entry);
    }

    /// Takes the earliest event out; there is one.
    #[inline(always)]
    pub fn pop(&mut self) -> E {
        let Entry { key, event } = self.front;
        self.base = time_of(key) >> self.shift;
        self.until_review -= 1;
        if self.far_span - self.base < SPANS as u64 || self.until_review == 0 {
            self.maintain(time_of(key));
        }
        self.front = if self.due_span != 0 {
            self.pop_due()
        } else if self.words != 0 {
            self.extract()
        } else {
            self.pop_far()
        };
        event
    }

    #[inline(always)]
    fn insert(&mut self, entry: Entry<E>) {
        let span = time_of(entry.key) >> self.shift;
        if span - self.base >= SPANS as u64 {
            return self.push_far(entry);
        }
        if span <= self.due_span {
            return self.due.push(entry);
        }
        let index = span as usize % SPANS;
        let next = self.heads[index];
        let node = self.free;
        if let Some(slot) = self.nodes.get_mut(node as usize) {
            self.free = slot.next;
            *slot = Node { entry, next };
            self.heads[index] = node;
        } else {
            self.heads[index] = self.nodes.len() as u32;
            self.nodes.push(Node { entry, next });
        }
        self.used[index / 64] |= 1 << (index % 64);
        self.words |= 1 << (index / 64);
    }

    /// Takes the earliest entry out of the calendar, which holds one.
    #[inline(always)]
    fn extract(&mut self) -> Entry<E> {
        let start = self.base as usize % SPANS;
        let mut word = start / 64;
        let mut bits = self.used[word] & u64::MAX << (start % 64);
        if bits == 0 {
            let later = self.words & (u64::MAX << word) << 1;
            let next = if later != 0 { later } else { self.words };
            word = next.trailing_zeros() as usize % 64;
            bits = self.used[word];
        }
        let index = (word * 64 + bits.trailing_zeros() as usize) % SPANS;
        let head = self.heads[index];
        let first = &self.nodes[head as usize];
        let (mut best, mut best_key, mut before) = (head, first.entry.key, NONE);
        let (mut last, mut current) = (head, first.next);
        let mut looked_at = 1;
        while current != NONE {
            looked_at += 1;
            if looked_at > CROWD {
                return self.sort_out(index);
            }
            let node = &self.nodes[current as usize];
            if node.entry.key < best_key {
                (best, best_key, before) = (current, node.entry.key, last);
            }
            (last, current) = (current, node.next);
        }
        let free = self.free;
        let taken = &mut self.nodes[best as usize];
        let (entry, after) = (taken.entry, std::mem::replace(&mut taken.next, free));
        self.free = best;
        if before != NONE {
            self.nodes[before as usize].next = after;
            return entry;
        }
        self.heads[index] = after;
        if after == NONE {
            self.used[word] &= !(1 << (index % 64));
            if self.used[word] == 0 {
                self.words &= !(1 << word);
            }
        }
        entry
    }

    /// Moves a crowded span, which holds the earliest entries, into a heap of its own.
    #[cold]
    #[inline(never)]
    fn sort_out(&mut self, index: usize) -> Entry<E> {
        let mut current = std::mem::replace(&mut self.heads[index], NONE);
        while current != NONE {
            let node = &mut self.nodes[current as usize];
            self.due.push(node.entry);
            let next = std::mem::replace(&mut node.next, self.free);
            self.free = current;
            current = next;
        }
        self.used[index / 64] &= !(1 << (index % 64));
        if self.used[index / 64] == 0 {
            self.words &= !(1 << (index / 64));
        }
        self.due_span = self.due.peek().map_or(0, |first| time_of(first.key) >> self.shift);
        self.pop_due()
    }

    #[cold]
    #[inline(never)]
    fn pop_due(&mut self) -> Entry<E> {
        let entry = self.due.pop().unwrap_or(Entry { key: NEVER, event: E::default() });
        if self.due.is_empty() {
            self.due_span = 0;
        }
        entry
    }

    #[cold]
    fn push_far(&mut self, entry: Entry<E>) {
        self.far_span = self.far_span.min(time_of(entry.key) >> self.shift);
        self.far.push(entry);
    }

    #[cold]
    fn pop_far(&mut self) -> Entry<E> {
        let entry = self.far.pop().unwrap_or(Entry { key: NEVER, event: E::default() });
        self.find_far_span();
        entry
    }

    fn find_far_span(&mut self) {
        self.far_span = self.far.peek().map_or(u64::MAX, |first| time_of(first.key) >> self.shift);
    }

    /// Moves what has come near into the calendar, and fits the width to the run.
    #[cold]
    #[inline(never)]
    fn maintain(&mut self, now: u64) {
        while self.far_span - self.base < SPANS as u64 {
            let entry = self.pop_far();
            self.insert(entry);
        }
        if self.until_review > 0 {
            return;
        }
        self.until_review = REVIEW;
        let gap = (now - self.reviewed_at) / REVIEW;
        self.reviewed_at = now;
        let fitting = gap.max(2).ilog2() - 1;
        if fitting != self.shift {
            self.rebuild(fitting, now);
        }
    }

    /// Lays all entries out again in spans of another width.
    fn rebuild(&mut self, shift: u32, now: u64) {
        let mut entries: Vec<Entry<E>> = std::mem::take(&mut self.far).into_vec();
        for head in self.heads.iter_mut() {
            let mut current = std::mem::replace(head, NONE);
            while let Some(node) = self.nodes.get(current as usize) {
                entries.push(node.entry);
                current = node.next;
            }
        }
        entries.append(&mut std::mem::take(&mut self.due).into_vec());
        self.due_span = 0;
        self.nodes.clear();
        (self.free, self.used, self.words) = (NONE, [0; 64], 0);
        (self.shift, self.base, self.far_span) = (shift, now >> shift, u64::MAX);
        entries.into_iter().for_each(|entry| self.insert(entry));
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::super::stream::DrawKey;
    use super::*;

    const START: u128 = 1 << 63;

    /// Long random sequences of events against a sorted map: few and many pending, dense and sparse
    /// in time, a few ties and nothing but ties, and pauses a thousand times as long as what came
    /// before.
    #[test]
    fn events_leave_in_the_order_of_their_keys() {
        for (size, scale) in [(1, 40), (20, 20), (300, 8), (3000, 24), (50, 45), (2000, 1)] {
            let mut draw = DrawKey(size as u64).draw();
            let mut calendar = Calendar::new(START << 64);
            let mut model = std::collections::BTreeMap::new();
            let mut now = START as u64;
            for number in 0..60_000_u64 {
                let busy = model.len() < size || draw.chance(0.5) && model.len() < 2 * size;
                if busy {
                    let spread = if draw.chance(0.01) { scale + 10 } else { scale };
                    let delay = draw.next_u64() >> (63 - spread);
                    let delay = if draw.chance(0.1) { 0 } else { delay };
                    let key = u128::from(now + delay) << 64 | u128::from(number);
                    calendar.push(key, number);
                    model.insert(key, number);
                    continue;
                }
                assert_eq!(Some(calendar.first()), model.keys().next().copied());
                let (key, number) = model.pop_first().expect("an entry");
                assert_eq!(calendar.pop(), number);
                now = (key >> 64) as u64;
            }
            for (key, number) in model {
                assert_eq!((calendar.first(), calendar.pop()), (key, number));
            }
            assert_eq!(calendar.first(), NEVER);
        }
    }
}
