//! How a call ends: answered, or failed for exactly one named cause at one place.

use super::topology::ComponentId;

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Cause {
    /// The caller stopped waiting for a callee that was there.
    Timeout,
    /// It waited too long in an accept queue.
    QueueTimeout,
    /// The accept queue was full.
    Rejected,
    /// Nobody listened, or the callee had no connection left.
    Refused,
    /// The caller got no place in its own connection pool in time.
    PoolWait,
    /// The process died with the call in hand (connection reset).
    Crashed,
    /// Silence from a dead machine until the caller's timeout.
    Unreachable,
    /// The callee answered with an error.
    Error,
    /// Not resolved when the observation ended.
    Unresolved,
    /// An attempt that its caller took back (ledger of attempts only).
    Cancelled,
}

impl Cause {
    /// Every cause, in the order of their numbers.
    pub const ALL: [Cause; 10] = [
        Cause::Timeout,
        Cause::QueueTimeout,
        Cause::Rejected,
        Cause::Refused,
        Cause::PoolWait,
        Cause::Crashed,
        Cause::Unreachable,
        Cause::Error,
        Cause::Unresolved,
        Cause::Cancelled,
    ];

    /// The name that scenarios and reports use.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::Timeout => "timeout",
            Cause::QueueTimeout => "queue_timeout",
            Cause::Rejected => "rejected",
            Cause::Refused => "refused",
            Cause::PoolWait => "pool_wait",
            Cause::Crashed => "crashed",
            Cause::Unreachable => "unreachable",
            Cause::Error => "error",
            Cause::Unresolved => "unresolved",
            Cause::Cancelled => "cancelled",
        }
    }
}

/// Number of causes.
pub const CAUSES: usize = Cause::ALL.len();

/// A failure and where it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failure {
    /// Why.
    pub cause: Cause,
    /// Where: the component that gave up, turned it away, or died.
    pub at: ComponentId,
    /// Whom that component was waiting for, if it was.
    pub waiting_for: Option<ComponentId>,
}

/// What comes back to a caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The failure, if it is one.
    pub failure: Option<Failure>,
    /// Whether a cache had the item.
    pub hit: bool,
    /// Whether it failed and its caller shrugged that off.
    pub lost: bool,
    /// Version of the item read or written.
    pub version: u32,
}

impl Reply {
    /// Answered in full.
    pub const OK: Reply = Reply { failure: None, hit: false, lost: false, version: 0 };

    /// Failed.
    pub const fn failed(cause: Cause, at: ComponentId) -> Self {
        Self { failure: Some(Failure { cause, at, waiting_for: None }), ..Self::OK }
    }

    /// Whether it was answered.
    #[inline]
    pub const fn is_ok(&self) -> bool {
        self.failure.is_none()
    }
}
