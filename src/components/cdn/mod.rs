//! An edge cache: points of presence near the users, before a component that has everything.
//!
//! **Models**: pops with exact contents each (see [`store`](super::store)), a user always going to
//! the same one; misses that ask the origin, by way of a shield if there is one; a time to live,
//! purges (see `changes`), versioned names; copies served past their time when the origin fails
//! (`stale-if-error`) or while a new one is fetched (`stale-while-revalidate`, both RFC 5861);
//! contents pushed to all pops after a change instead of fetched at a miss; the bandwidth of a pop
//! as a queue of bytes; a measured hit ratio instead of contents; users who turn to the origin when
//! their pop is dead. The way of a user to a pop and back takes `hit_latency`, whatever the
//! network's `users` says, and that of a pop to the origin what the network's `users` says: the
//! edge is as far away as they are. A shield is asked over the network between the nodes of the
//! component; what it lacks is fetched under the asking pop's policy of calls. A dead shield is
//! left out: the pops ask the origin.
//! **Counts**: `hit_ratio` of the pops, and `stale_reads` exactly, against what had changed by
//! itself or was written when the read began.
//! **Leaves out**: core time, misses of one item that wait for each other (request collapsing),
//! users who are led to another pop when theirs is dead, the old names that versioned items leave
//! behind, writes that are pushed, parts of files.

mod config;
mod plan;
mod pops;

pub use config::CdnConfig;
pub use plan::{CdnPlan, Held, PurgePlan, PushPlan};
pub use pops::Cdn;
