//! Timeouts as intrusive lists: one list per distinct constant delay, members in the order of
//! their deadlines, and one sentinel event per list.
//!
//! Arming and disarming are O(1) and leave nothing behind in the event list. The sentinel's time is
//! only a lower bound of the first deadline: when it fires early it is set again. The lists do not
//! know what a deadline means.

use super::arena::Arena;
use super::list::{Linked, List};
use crate::units::{Duration, Instant};

/// Number of a timer list in its table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimerList(pub u16);

/// A value that can be in one timer list.
pub trait Timed<L>: Linked<L> + Default {
    /// When its timer goes off.
    fn deadline(&self) -> Instant;
    /// Sets when its timer goes off.
    fn set_deadline(&mut self, at: Instant);
}

#[derive(Clone, Copy)]
struct One {
    delay: Duration,
    members: List,
    /// Whether the sentinel event is pending.
    armed: bool,
}

/// All timer lists of a model.
#[derive(Default)]
pub struct Timers {
    lists: Vec<One>,
}

impl Timers {
    /// The list of a constant delay.
    pub fn list(&mut self, delay: Duration) -> TimerList {
        let found = self.lists.iter().position(|one| one.delay == delay).unwrap_or_else(|| {
            self.lists.push(One { delay, members: List::default(), armed: false });
            self.lists.len() - 1
        });
        TimerList(found as u16)
    }

    /// Starts a value's timer. An instant returned is when the caller must schedule the sentinel.
    #[inline]
    pub fn arm<L, T: Timed<L>>(
        &mut self,
        arena: &mut Arena<T>,
        list: TimerList,
        index: u32,
        now: Instant,
    ) -> Option<Instant> {
        let one = &mut self.lists[list.0 as usize];
        let deadline = Instant(now.0 + one.delay.0);
        arena[index].set_deadline(deadline);
        one.members.push_back::<L, T>(arena, index);
        (!std::mem::replace(&mut one.armed, true)).then_some(deadline)
    }

    /// Stops a value's timer.
    #[inline]
    pub fn disarm<L, T: Timed<L>>(&mut self, arena: &mut Arena<T>, list: TimerList, index: u32) {
        self.lists[list.0 as usize].members.remove::<L, T>(arena, index);
    }

    /// Takes out the next value that is due at the sentinel's event.
    #[inline]
    pub fn pop_due<L, T: Timed<L>>(
        &mut self,
        arena: &mut Arena<T>,
        list: TimerList,
        now: Instant,
    ) -> Option<u32> {
        let one = &mut self.lists[list.0 as usize];
        let head = one.members.front()?;
        if arena[head].deadline() > now {
            return None;
        }
        one.members.remove::<L, T>(arena, head);
        Some(head)
    }

    /// After the due ones are out: when to schedule the sentinel again, if anyone is left.
    #[inline]
    pub fn rearm<L, T: Timed<L>>(&mut self, arena: &Arena<T>, list: TimerList) -> Option<Instant> {
        let one = &mut self.lists[list.0 as usize];
        let next = one.members.front().map(|head| arena[head].deadline());
        one.armed = next.is_some();
        next
    }
}
