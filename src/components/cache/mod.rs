//! A cache: exact contents on one node or several, and the ways of reading and writing past it.
//!
//! **Models**: lookups, fills and writes as calls with core time and latency; contents item by item
//! (see [`store`](super::store)); nodes that share the items by consistent hashing, a dead node's
//! items being out of reach until it returns, empty; who asks the component behind it on a miss and
//! who writes there, at once or later; leases, which let one caller at a time fetch an item
//! (Nishtala and others, Scaling Memcache at Facebook, NSDI 2013); a measured hit ratio instead of
//! contents; warm and cold start.
//! **Counts**: `hit_ratio`, `stale_reads`, and `lost_writes` where writes are kept back.
//! **Takes** 22 bytes of memory for each item held in least-recently-used order, 8 more with a time
//! to live, in each replication that runs: 1.1 and 1.6 GB for 50 million.
//! **Leaves out**: nodes that come and go (later issues); memory lost to fragments and slabs;
//! replicas of a node. Of writes that were on their way to the component behind it when a node died
//! it takes for granted that they arrive.

mod behind;
mod config;
mod leases;
mod node;
mod plan;

pub use config::CacheConfig;
pub use node::Cache;
pub use plan::{BehindPlan, CachePlan, Held, LeasesPlan, Ring, WarmPlan, Writes};
