//! Everything that can happen, as one closed set.

use super::call::CallKey;
use super::topology::{ComponentId, LinkId, MachineId};
use crate::engine::timers::TimerList;

/// Something that happens at an instant. An event about a call whose key or token is stale is
/// dropped with one compare.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// A call reaches its callee.
    Arrive(CallKey),
    /// A reply reaches the caller.
    Reply(CallKey),
    /// The work of a call on a dedicated core ends.
    WorkDone(CallKey, u32),
    /// The next job on a shared machine ends.
    Tick(MachineId, u32),
    /// A call's own delay is over (waiting without CPU, disk, queue timeout, backoff).
    Wake(CallKey, u32),
    /// The sentinel of a list of timeouts.
    Timers(TimerList),
    /// A caller took the call back: the callee lets go of it.
    Cancel(CallKey),
    /// An ejected backend may come back: link, calling instance, backend.
    Readmit(LinkId, u16, u16),
    /// A component's own clock: instance, and a word of its choosing.
    Component(ComponentId, u16, u32),
    /// The next arrival of the open load.
    Arrival,
    /// A closed user has thought enough, or the one of the visit kept at this place.
    Thought(u32),
    /// A fault begins or ends: fault, target, whether it begins.
    Fault(u16, u16, bool),
    /// An instance that was started is ready.
    Started(ComponentId, u16, u32),
}

/// An event as it lies in the event list: two words, which are moved as such. (An enum is moved
/// field by field, at three times the cost.)
#[derive(Clone, Copy, Debug, Default)]
pub struct Packed(u64, u64);

impl Packed {
    /// A small number, and two larger ones.
    #[inline(always)]
    fn of(tag: u8, small: u16, number: u32, word: u64) -> Self {
        Self(u64::from(tag) | u64::from(small) << 16 | u64::from(number) << 32, word)
    }

    /// The event.
    #[inline(always)]
    pub fn event(self) -> Event {
        let (small, number) = ((self.0 >> 16) as u16, (self.0 >> 32) as u32);
        let call = CallKey::from_bits(self.1);
        match self.0 as u8 {
            0 => Event::Arrive(call),
            1 => Event::Reply(call),
            2 => Event::WorkDone(call, number),
            3 => Event::Tick(MachineId::new(small as usize), number),
            4 => Event::Wake(call, number),
            5 => Event::Timers(TimerList(small)),
            6 => Event::Cancel(call),
            7 => Event::Readmit(LinkId::new(small as usize), number as u16, self.1 as u16),
            8 => Event::Component(ComponentId::new(small as usize), number as u16, self.1 as u32),
            9 => Event::Arrival,
            10 => Event::Thought(number),
            11 => Event::Fault(small, number as u16, self.1 != 0),
            _ => Event::Started(ComponentId::new(small as usize), number as u16, self.1 as u32),
        }
    }
}

impl From<Event> for Packed {
    #[inline(always)]
    fn from(event: Event) -> Self {
        match event {
            Event::Arrive(call) => Self::of(0, 0, 0, call.to_bits()),
            Event::Reply(call) => Self::of(1, 0, 0, call.to_bits()),
            Event::WorkDone(call, token) => Self::of(2, 0, token, call.to_bits()),
            Event::Tick(machine, token) => Self::of(3, machine.index() as u16, token, 0),
            Event::Wake(call, token) => Self::of(4, 0, token, call.to_bits()),
            Event::Timers(list) => Self::of(5, list.0, 0, 0),
            Event::Cancel(call) => Self::of(6, 0, 0, call.to_bits()),
            Event::Readmit(link, instance, backend) => {
                Self::of(7, link.index() as u16, u32::from(instance), u64::from(backend))
            }
            Event::Component(id, instance, word) => {
                Self::of(8, id.index() as u16, u32::from(instance), u64::from(word))
            }
            Event::Arrival => Self::of(9, 0, 0, 0),
            Event::Thought(user) => Self::of(10, 0, user, 0),
            Event::Fault(fault, target, begins) => {
                Self::of(11, fault, u32::from(target), u64::from(begins))
            }
            Event::Started(id, instance, life) => {
                Self::of(12, id.index() as u16, u32::from(instance), u64::from(life))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_the_same_after_the_list() {
        let call = CallKey::from_bits(0x0123_4567_89AB_CDEF);
        let (component, link) = (ComponentId::new(300), LinkId::new(65_535));
        let events = [
            Event::Arrive(call),
            Event::Reply(call),
            Event::WorkDone(call, u32::MAX),
            Event::Tick(MachineId::new(7), 8),
            Event::Wake(call, 9),
            Event::Timers(TimerList(10)),
            Event::Cancel(call),
            Event::Readmit(link, 65_534, 65_533),
            Event::Component(component, 65_535, u32::MAX),
            Event::Arrival,
            Event::Thought(u32::MAX),
            Event::Fault(1, 65_535, true),
            Event::Fault(65_535, 1, false),
            Event::Started(component, 65_535, u32::MAX),
        ];
        for event in events {
            assert_eq!(Packed::from(event).event(), event);
        }
    }
}
