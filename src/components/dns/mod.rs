//! Names: which region a user's resolver is told to turn to.
//!
//! **Models**: an answer per region of the asking user (nearest by round trip, or by a list), the
//! health of each region's copies as checks see it, resolvers that keep answers for the time to
//! live, stragglers that keep them longer, the time of a lookup.
//! **Counts**: what every component counts; the calls are its probes.
//! **Leaves out**: the tree of name servers, caches in browsers, negative answers, answers with
//! several addresses; a name server does not fail.

mod config;
mod names;

pub use config::DnsConfig;
pub use names::{Dns, DnsPlan};
