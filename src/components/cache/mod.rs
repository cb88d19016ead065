//! A cache: exact contents, least recently used out first, a time to live.
//!
//! **Models**: lookups, fills and invalidations as calls with core time and latency; contents item
//! by item with LRU eviction by items or bytes; TTL with jitter, sliding or not; warm and cold
//! start. Who asks whom on a miss is the caller's program (cache-aside).
//! **Counts**: `hit_ratio`.
//! **Leaves out**: other evictions and strategies, leases, staleness, several nodes (later issues).

mod config;
mod lru;
mod node;

pub use config::CacheConfig;
pub use node::{Cache, CachePlan, Capacity, TtlPlan, WarmPlan};
