//! What a caller may say about its calls to one target, as it is written.
//!
//! The plan of it belongs to the link (see `components::topology`), because it needs ids.

use super::balance::BalanceConfig;
use super::retry::RetriesConfig;
use crate::units::{Count, Duration};
use crate::{choice, config};

config! {
    /// What one component does about its calls to another; the state (pool, balancer) belongs to
    /// one calling instance and one target, as in a real client.
    pub struct CallConfig {
        /// The caller stops waiting; the callee works on for nobody unless `cancel`. Waiting for a
        /// place in the pool comes before and has its own limit, `pool.wait`.
        timeout: Option<Duration> = "none",
        /// Whether the callee lets go of a call whose caller has stopped waiting.
        cancel: bool = "false",
        /// Repeats after the first try.
        retries: RetriesConfig = "0",
        /// Connections to the target; a call beyond them waits at the caller.
        pool: PoolConfig = "unlimited",
        /// Choice of the instance, when the target has several and no balancer stands before it.
        balance: BalanceConfig = "round_robin",
        /// What is done when a read from a cache fails.
        fallback: Option<Fallback> = "none",
    }
    unbuilt {
        policy: "named policies and presets of clients",
        deadline: "a deadline handed on from call to call",
        breaker: "circuit breakers",
        hedge: "a second copy of a slow call",
        rate_limit: "token buckets",
    }
}

choice! {
    /// What is done when a call fails.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Fallback {
        /// The component behind the cache is asked; the cache is not filled.
        over: Over,
    }
    unbuilt {
        stale: "an old copy as the answer",
        skip: "an answer without it, counted as degraded",
        to: "another component instead",
    }
}

config! {
    /// A pool of connections, as in HikariCP: one call holds one connection.
    pub struct PoolConfig, short = size {
        /// Connections.
        size: Count = "unlimited" in 1..=1_000_000_000,
        /// How long a call waits for one before it fails with cause `pool_wait`.
        wait: Option<Duration> = "1s" source "a choice; HikariCP's own default is 30 s",
        /// How many calls may wait.
        queue: Count = "unlimited" in 0..=1_000_000_000,
    }
}

config! {
    /// What the user's browser or app does.
    pub struct ClientConfig {
        /// The user's client stops waiting.
        timeout: Option<Duration> = "10s" source "a choice; users give up after 8-30 s",
        /// Whether the server lets go of a request whose client has stopped waiting.
        cancel: bool = "false",
        /// Repeats by the client itself.
        retries: RetriesConfig = "0",
    }
    unbuilt {
        policy: "named policies and presets of clients",
        reload: "failed requests sent again by hand",
        deadline: "a deadline handed on from call to call",
        breaker: "circuit breakers",
        hedge: "a second copy of a slow call",
        rate_limit: "token buckets",
        fallback: "what to show when the call fails",
    }
}
