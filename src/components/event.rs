//! Everything that can happen, as one closed set.

use super::call::CallKey;
use super::topology::{ComponentId, LinkId, MachineId};
use crate::engine::timers::TimerList;

/// Something that happens at an instant. An event about a call whose key or token is stale is
/// dropped with one compare.
#[derive(Clone, Copy, Debug, Default)]
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
    #[default]
    Arrival,
    /// A closed user has thought enough.
    Thought(u32),
    /// A fault begins or ends: fault, target, whether it begins.
    Fault(u16, u16, bool),
    /// An instance that was started is ready.
    Started(ComponentId, u16, u32),
}

const _: () = assert!(std::mem::size_of::<Event>() <= 16, "events are small");
