//! The frame of one attempt of one call: what its caller waits for and what its callee works on.
//!
//! A user request is a frame too (at the pseudo-component `users`), and so is a branch of a
//! `parallel` step, so one kind of parent link serves all.

use super::outcome::Reply;
use super::topology::{ComponentId, DataId, LinkId, OperationId};
use crate::engine::arena::Key;
use crate::engine::list::{Link, Linked, List};
use crate::engine::processor::Mark;
use crate::engine::stream::DrawKey;
use crate::engine::timers::{Timed, TimerList};
use crate::units::Instant;

/// Key of a frame.
pub type CallKey = Key<Call>;

/// Where a frame is on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Waiting at the caller for a place in the pool.
    #[default]
    PoolWait,
    /// Waiting at the caller before a repeat.
    Backoff,
    /// On the network towards the callee.
    Outbound,
    /// At the callee.
    Present,
    /// On the network back.
    Inbound,
    /// Swallowed by a dead machine: only the caller's timeout ends it.
    Lost,
}

/// What a call wants of a component that holds data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Nothing in particular: run the operation.
    #[default]
    Call,
    /// Read an item.
    Read,
    /// Write an item.
    Write,
    /// Put a fetched item into a cache.
    Fill,
    /// Drop an item from a cache.
    Invalidate,
    /// Apply a write of the log on a replica.
    Apply,
    /// Put a written item into a cache.
    Update,
}

/// Facts about a frame that are true or not.
pub mod flag {
    /// The caller holds a pool place or a balancer's connection for it.
    pub const HELD: u16 = 1;
    /// Nobody waits for it any more: what it does is wasted.
    pub const WASTED: u16 = 2;
    /// It holds a slot at its callee.
    pub const SLOT: u16 = 4;
    /// It runs on a core.
    pub const WORKING: u16 = 8;
    /// It waits in the callee's queue.
    pub const QUEUED: u16 = 16;
    /// A branch of a `parallel` step: no call, not counted.
    pub const BRANCH: u16 = 32;
    /// A health probe.
    pub const PROBE: u16 = 64;
    /// Its timeout is armed.
    pub const TIMED: u16 = 128;
    /// It was taken back: the callee has an event pending to let go of it.
    pub const CANCELLED: u16 = 256;
    /// The request counts in the cohort.
    pub const COHORT: u16 = 512;
    /// Its failure is no failure of its caller (filling or invalidating a cache).
    pub const OPTIONAL: u16 = 1024;
    /// It stands in its parent's list of children.
    pub const CHILD: u16 = 2048;
    /// Its work was taken off the core by a more urgent call; the rest stands in `job`.
    pub const PREEMPTED: u16 = 4096;
    /// It is answered where it arrives, without the callee's room (a connection attempt).
    pub const AT_THE_DOOR: u16 = 8192;
    /// It has had a worker before: whoever is inside is not turned away.
    pub const INSIDE: u16 = 16384;
    /// A store asks on behalf of its caller: what is safe is told by the store, not by the callee.
    pub const INNER: u16 = 32768;
}

/// How deep loops may nest in one handler.
pub const LOOPS: usize = 4;

/// One attempt. Fields are written by the caller side, the callee, or the callee's room.
#[derive(Default)]
pub struct Call {
    /// Key of the request's own draws (items, users).
    pub request: DrawKey,
    /// Key of this call's draws.
    pub draw: DrawKey,
    /// The frame that waits for it.
    pub parent: CallKey,
    /// Flags, see [`flag`].
    pub flags: u16,
    /// Where it is.
    pub phase: Phase,
    /// 0 for the first try.
    pub attempt: u8,
    /// What it wants.
    pub access: Access,
    /// Callee.
    pub component: ComponentId,
    /// Callee's instance.
    pub instance: u16,
    /// Number of the callee's instance among all instances of all components.
    pub place: u32,
    /// Row of callee and operation in the ledger.
    pub row: u32,
    /// Which of the hops leads to the callee.
    pub hop: u8,
    /// Number of the caller's state of the link, among those of all callers and links; of a user's
    /// request, which no link leads to, the place of the visit that it belongs to.
    pub state: u32,
    /// Caller's instance.
    pub caller_instance: u16,
    /// The link it takes.
    pub link: LinkId,
    /// Which of the link's backends.
    pub backend: u16,
    /// Operation, as the callee names it.
    pub operation: OperationId,
    /// Data set of the item, where there is one.
    pub data: Option<DataId>,
    /// Statements of a write.
    pub count: u16,
    /// The user asking.
    pub user: u32,
    /// Popularity rank of the item, from 0.
    pub item: u64,
    /// Version of the item that a fill or a passed-on write brings along; 0 for none.
    pub version: u32,
    /// Newest version acknowledged before a read began.
    pub expected: u32,
    /// What a request's reads met: [`super::versions::STALE`] and its like.
    pub notes: u8,
    /// A request's intended arrival.
    pub intended: Instant,
    /// When this attempt was made.
    pub sent: Instant,
    /// When it reached the callee.
    pub arrived: Instant,
    /// When it began to wait in the callee's queue, and when its slot was given.
    pub since: Instant,
    /// Nanoseconds waited in queues of the callee so far.
    pub waited: i64,
    /// Nanoseconds of core time asked for at the callee so far.
    pub demand: i64,
    /// Nanoseconds of core time of the work that runs now.
    pub job: i64,
    /// Half of the round trip: the way back.
    pub back: i64,
    /// Answer on its way.
    pub reply: Reply,
    /// Deadline of the armed timeout.
    pub deadline: Instant,
    /// List of the armed timeout.
    pub timer: TimerList,
    pub(super) timer_link: Link,
    pub(super) queue_link: Link,
    pub(super) sibling_link: Link,
    /// Calls made from here that are not resolved.
    pub children: List,
    /// End of the running work.
    pub mark: Mark,
    /// Events about work and delays carry this number; others are stale.
    pub token: u32,
    /// Next step of the handler.
    pub pc: u16,
    /// Branches still wanted, loads still out.
    pub pending: u16,
    /// Turns done of each open loop, 16 bits each; 0 outside of loops.
    pub turns: u64,
    /// Turns wanted of each open loop.
    pub wanted: [u16; LOOPS],
}

/// Marks a way back, or takes the mark off: the answer goes through a network interface before.
#[inline]
pub(super) fn through_nic(back: i64) -> i64 {
    -1 - back
}

impl Call {
    /// Whether all bits of `mask` are set.
    #[inline]
    pub fn is(&self, mask: u16) -> bool {
        self.flags & mask == mask
    }

    /// Sets bits.
    #[inline]
    pub fn set(&mut self, mask: u16) {
        self.flags |= mask;
    }

    /// Clears bits.
    #[inline]
    pub fn clear(&mut self, mask: u16) {
        self.flags &= !mask;
    }

    /// The draws of one of its steps: `step` names it, the open loops tell its turns apart.
    #[inline(always)]
    pub fn step_draw(&self, step: u64) -> DrawKey {
        self.draw.child(self.step_salt(step))
    }

    /// The salt of a call that one of its steps makes.
    #[inline(always)]
    pub fn step_salt(&self, step: u64) -> u64 {
        step.wrapping_add(self.turns.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// Turns done of an open loop.
    #[inline]
    pub fn turn(&self, depth: u8) -> u16 {
        (self.turns >> (16 * u32::from(depth))) as u16
    }

    /// Sets the turns done of a loop.
    #[inline]
    pub fn set_turn(&mut self, depth: u8, turn: u16) {
        let shift = 16 * u32::from(depth);
        self.turns = self.turns & !(0xFFFF << shift) | u64::from(turn) << shift;
    }

    /// A new token: what was scheduled for this frame is stale.
    #[inline]
    pub fn renew(&mut self) -> u32 {
        self.token = self.token.wrapping_add(1);
        self.token
    }
}

/// Marker: the list of armed timeouts.
pub enum ByTimer {}
/// Marker: a queue at caller (pool) or callee (slots).
pub enum ByQueue {}
/// Marker: the children of one frame.
pub enum ByParent {}

impl Linked<ByTimer> for Call {
    fn link(&self) -> &Link {
        &self.timer_link
    }
    fn link_mut(&mut self) -> &mut Link {
        &mut self.timer_link
    }
}
impl Linked<ByQueue> for Call {
    fn link(&self) -> &Link {
        &self.queue_link
    }
    fn link_mut(&mut self) -> &mut Link {
        &mut self.queue_link
    }
}
impl Linked<ByParent> for Call {
    fn link(&self) -> &Link {
        &self.sibling_link
    }
    fn link_mut(&mut self) -> &mut Link {
        &mut self.sibling_link
    }
}
impl Timed<ByTimer> for Call {
    fn deadline(&self) -> Instant {
        self.deadline
    }
    fn set_deadline(&mut self, at: Instant) {
        self.deadline = at;
    }
}
