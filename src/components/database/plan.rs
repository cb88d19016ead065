//! What never changes about a database.

use crate::components::topology::ComponentId;
use crate::random::Sampler;
use crate::units::Duration;

/// What never changes about a database.
#[derive(Clone, Debug)]
pub struct DatabasePlan {
    /// Which component it is.
    pub id: ComponentId,
    /// Number of nodes.
    pub nodes: u16,
    /// Connections of one node.
    pub connections: u32,
    /// Whether a call beyond them waits (else it is refused).
    pub wait: bool,
    /// Core time of a statement that reads.
    pub query: Sampler,
    /// Core time of a statement that writes.
    pub write_query: Sampler,
    /// By data set: how many of the most popular items are in memory.
    pub in_memory: Vec<u64>,
    /// Latency of a disk read.
    pub disk_read: Sampler,
    /// Time for which a written row is held beyond its statements and its commit.
    pub lock: Option<Sampler>,
    /// Time of a log flush.
    pub flush: Sampler,
    /// Whether a flush takes everyone who waits, or one commit.
    pub group: bool,
    /// How the nodes keep the same items.
    pub copies: Copies,
}

/// How several nodes keep the same items.
#[derive(Clone, Debug)]
pub enum Copies {
    /// There is one node.
    One,
    /// One node takes the writes, the others follow its log.
    Led(ReplicationPlan),
    /// So many of the first nodes take writes, each in its region; all send them to all others.
    Mesh(u16, ReplicationPlan),
    /// Every node takes writes; so many must answer.
    Leaderless(QuorumPlan),
}

/// How replicas follow a primary.
#[derive(Clone, Debug)]
pub struct ReplicationPlan {
    /// Whom a commit waits for.
    pub mode: Mode,
    /// From the commit until a replica has the write.
    pub delay: Sampler,
    /// Core time of applying a write.
    pub apply: Sampler,
    /// Writes that a replica applies at once.
    pub parallel: u32,
    /// The log goes out in batches, so often; else write by write.
    pub ship_every: Option<Duration>,
    /// What happens when the primary dies; `None` for nothing.
    pub failover: Option<FailoverPlan>,
}

/// Whom a commit waits for before its writer hears that it is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nobody.
    Async,
    /// The first replica that has received it.
    SemiSync,
    /// All replicas.
    Sync,
    /// So many replicas, besides the primary.
    Quorum(u16),
}

/// How another node becomes the primary.
#[derive(Clone, Debug)]
pub struct FailoverPlan {
    /// From the death of a node until somebody is sure.
    pub detect: Sampler,
    /// From then until the new primary opens, had it nothing left to apply.
    pub promote: Sampler,
    /// From then until the callers know.
    pub redirect: Sampler,
    /// Whether the old primary comes back as a replica.
    pub rejoin: bool,
}

/// How a store without a primary reads and writes.
#[derive(Clone, Debug)]
pub struct QuorumPlan {
    /// Answers that a write waits for.
    pub write: u16,
    /// Answers that a read waits for.
    pub read: u16,
    /// Whether a read mends the copies it has found old.
    pub read_repair: bool,
    /// The ways between the coordinator and a copy, where they are given as laws instead of
    /// network, queue and work.
    pub legs: Option<LegsPlan>,
}

/// Times of the messages between a coordinator and a copy.
#[derive(Clone, Debug)]
pub enum LegsPlan {
    /// A round trip, half of it each way.
    Whole(Sampler),
    /// Each way by itself.
    Ways {
        /// A write on its way to the copy.
        write: Sampler,
        /// A read on its way to the copy.
        there: Sampler,
        /// The answer.
        back: Sampler,
    },
}
