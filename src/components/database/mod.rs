//! A database: connections, statements on its cores, reads from memory or disk, commits by group,
//! and copies on several nodes.
//!
//! **Models**: a limit of connections on each node (refusing or queueing beyond it); core time per
//! statement; reads that hit memory when the item is among the most popular that fit, else one disk
//! read; rows held by one writer at a time until its commit; writes that flush the log, one flush
//! at a time, each taking everyone who waits at its start. A primary whose log replicas follow,
//! received in order, applied with their own parallelism on the cores that their readers need; whom
//! a commit waits for; which copy a reader sees; failover with the writes that it loses. Without a
//! primary: coordinators that wait for enough copies. Engines as sets of defaults of all this.
//! **Counts**: `stale_reads` (of all reads), `lag` (from commit to application), `backlog` (writes
//! not yet applied), `lost_writes` (acknowledged and gone after a failover), utilisation of the
//! primary and of the replicas apart.
//! **Leaves out**: transactions over several calls, deadlocks, checkpoints, partitions between the
//! nodes, sharding (later); the copying of a node that comes back without its log takes no time.

mod cluster;
mod commit;
mod config;
mod engine;
mod failover;
mod leaderless;
mod log;
mod mesh;
mod node;
mod plan;

pub use config::DatabaseConfig;
pub use node::Database;
pub use plan::DatabasePlan;
