//! Slots and the queue before them: who is served at once, who waits, who is turned away.
//!
//! Slots are what a request holds for its whole handling (workers, connections, pool places); they
//! know nothing of time or of the cores that the work inside a slot needs.

use super::arena::Arena;
use super::list::{Linked, List};

/// In which order waiting jobs get a free slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Order {
    /// First come, first served.
    #[default]
    Fifo,
    /// Last come, first served.
    Lifo,
    /// Smallest class first, first come first served within a class.
    Priority,
}

/// Classes of [`Order::Priority`]: 1 (most urgent) to 9.
pub const CLASSES: usize = 9;

/// No limit.
pub const UNLIMITED: u32 = u32::MAX;

/// What becomes of a job that asks for a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It holds a slot now.
    Started,
    /// It waits.
    Queued,
    /// Every slot and every place in the queue is taken.
    Full,
}

/// Slots of one instance with their queue; `L` says which link of a job the queue uses.
pub struct Slots {
    /// Slots, [`UNLIMITED`] for as many as come.
    pub limit: u32,
    /// Places in the queue, [`UNLIMITED`] for as many as come.
    pub places: u32,
    busy: u32,
    order: Order,
    line: List,
    classes: Vec<List>,
    waiting: u32,
}

impl Slots {
    /// Free slots and an empty queue.
    pub fn new(limit: u32, places: u32, order: Order) -> Self {
        let classes = if order == Order::Priority { CLASSES } else { 0 };
        Self {
            limit,
            places,
            busy: 0,
            order,
            line: List::default(),
            classes: vec![List::default(); classes],
            waiting: 0,
        }
    }

    /// Slots held.
    #[inline]
    pub fn busy(&self) -> u32 {
        self.busy
    }

    /// Jobs in the queue.
    #[inline]
    pub fn waiting(&self) -> u32 {
        self.waiting
    }

    /// Takes a slot if one is free.
    #[inline(always)]
    pub fn take(&mut self) -> bool {
        let free = self.busy < self.limit;
        self.busy += u32::from(free);
        free
    }

    /// Whether the queue has no place left.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.waiting >= self.places
    }

    /// Asks for a slot for job `index` of priority class `class` (1 to 9).
    #[inline(always)]
    pub fn enter<L, T: Default + Linked<L>>(
        &mut self,
        arena: &mut Arena<T>,
        index: u32,
        class: u8,
    ) -> Admission {
        if self.take() {
            return Admission::Started;
        }
        if self.is_full() {
            return Admission::Full;
        }
        self.wait::<L, T>(arena, index, class);
        Admission::Queued
    }

    /// Puts a job into the queue whatever its limit, behind those of its class.
    pub fn wait<L, T: Default + Linked<L>>(&mut self, arena: &mut Arena<T>, index: u32, class: u8) {
        self.waiting += 1;
        self.line_of(class).push_back::<L, T>(arena, index);
    }

    /// Puts a job that held a slot back at the head of its class (a preempted one).
    pub fn wait_first<L, T: Default + Linked<L>>(
        &mut self,
        arena: &mut Arena<T>,
        index: u32,
        class: u8,
    ) {
        self.waiting += 1;
        self.line_of(class).push_front::<L, T>(arena, index);
    }

    /// Gives a slot back. The job returned holds it now.
    #[inline(always)]
    pub fn leave<L, T: Default + Linked<L>>(&mut self, arena: &mut Arena<T>) -> Option<u32> {
        if self.waiting == 0 {
            self.busy -= 1;
            return None;
        }
        self.waiting -= 1;
        match self.order {
            Order::Fifo => self.line.pop_front::<L, T>(arena),
            Order::Lifo => self.line.pop_back::<L, T>(arena),
            Order::Priority => {
                self.classes.iter_mut().find(|class| !class.is_empty())?.pop_front::<L, T>(arena)
            }
        }
    }

    /// Takes a waiting job out of the queue: it gave up.
    pub fn give_up<L, T: Default + Linked<L>>(
        &mut self,
        arena: &mut Arena<T>,
        index: u32,
        class: u8,
    ) {
        self.waiting -= 1;
        self.line_of(class).remove::<L, T>(arena, index);
    }

    /// Forgets everybody: the process behind the slots died.
    pub fn clear(&mut self) {
        self.busy = 0;
        self.waiting = 0;
        self.line = List::default();
        self.classes.fill(List::default());
    }

    fn line_of(&mut self, class: u8) -> &mut List {
        match self.order {
            Order::Priority => &mut self.classes[(class as usize - 1).min(CLASSES - 1)],
            Order::Fifo | Order::Lifo => &mut self.line,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::list::Link;
    use super::*;

    #[derive(Default)]
    struct Job(Link);
    struct Waiting;
    impl Linked<Waiting> for Job {
        fn link(&self) -> &Link {
            &self.0
        }
        fn link_mut(&mut self) -> &mut Link {
            &mut self.0
        }
    }

    fn served(order: Order, classes: [u8; 3]) -> Vec<u32> {
        let mut arena: Arena<Job> = Arena::default();
        let first = arena.allocate().index;
        let mut slots = Slots::new(1, 3, order);
        assert_eq!(slots.enter::<Waiting, _>(&mut arena, first, 5), Admission::Started);
        for class in classes {
            let job = arena.allocate().index;
            assert_eq!(slots.enter::<Waiting, _>(&mut arena, job, class), Admission::Queued);
        }
        let late = arena.allocate().index;
        assert_eq!(slots.enter::<Waiting, _>(&mut arena, late, 1), Admission::Full);
        std::iter::from_fn(|| slots.leave::<Waiting, _>(&mut arena)).collect()
    }

    #[test]
    fn each_order_serves_as_its_name_says() {
        assert_eq!(served(Order::Fifo, [9, 1, 5]), vec![1, 2, 3]);
        assert_eq!(served(Order::Lifo, [9, 1, 5]), vec![3, 2, 1]);
        assert_eq!(served(Order::Priority, [9, 1, 5]), vec![2, 3, 1]);
    }
}
