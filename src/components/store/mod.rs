//! What is in a store of copies, item by item: the contents of a cache node or an edge server.
//!
//! **Models**: which items are held under a capacity in items or bytes and an eviction policy (LRU,
//! FIFO, LFU, random, S3-FIFO), until when each is fresh, and which version of it is held; what a
//! store that has run for long under a steady load contains ([`warm`]).
//! **Leaves out**: calls, time that passes, who asks, what a version means.
//!
//! Items are numbers below 2^32 - 2. Where all items that could come are not many more than those
//! that fit, their facts lie in arrays at their own numbers and nothing is hashed; else a table of
//! small numbers finds the slot of a held item. Either way a held item takes at most 40 bytes: 50
//! million of them fit into 2 GB ([`Contents::memory_bytes`], and a test).

mod bag;
mod config;
mod contents;
mod frequency;
mod index;
mod links;
mod s3_fifo;
mod table;
#[cfg(test)]
mod tests;
pub mod warm;

pub use config::{EvictionConfig, StartConfig, TtlConfig, expected_hit_ratio, shape};
pub use contents::{Capacity, Contents, Eviction, Lifetime, Shape};

/// No slot.
const NONE: u32 = u32::MAX;
