//! Engines as sets of defaults.
//!
//! **Sets** what an engine's own documentation says, and what was measured of it.
//! **Leaves out** the time of a flush and the memory, which belong to the machine; failover, which
//! something beside the engine does; the core time of a statement of MySQL and of key-value stores,
//! of which there are rules of thumb only; the limits of a partition.

use crate::choice;
use crate::language::presets::Presets;

choice! {
    /// An engine as a set of defaults.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Engine {
        /// PostgreSQL, with its limits and its point SELECTs. Connections: `max_connections` (EDB,
        /// TPS benchmark). A statement: pgbench, in memory, more than 70 K per second on 8 cores,
        /// 110 us each (Vondra, pgbench since 7.4); one that writes counts as much. One process of
        /// a replica replays the log.
        postgresql: Postgresql,
        /// MySQL, with its limits and appliers. Connections: `max_connections`. A replica applies
        /// with four threads: `replica_parallel_workers` since 8.0.27.
        mysql: Mysql,
        /// A store without a primary, as Dynamo and Cassandra. Connections:
        /// `native_transport_max_concurrent_connections` is -1. Three copies:
        /// `allocate_tokens_for_local_replication_factor`. Two of them answer: N, R, W of 3, 2, 2
        /// (Dynamo, SOSP 2007). A write does not wait for the disk: `commitlog_sync: periodic`. A
        /// read mends the old copies that it meets: `read_repair` is blocking unless a table says
        /// otherwise. (Cassandra, cassandra_latest.yaml and documentation of 4.0.)
        key_value: KeyValue,
    }
}

/// What each engine sets.
pub const PRESETS: Presets = Presets {
    key: "engine",
    sets: &[
        ("postgresql", "{ connections: 100, query: 0.11ms, replication: { parallel: 1 } }"),
        ("mysql", "{ connections: 151, replication: { parallel: 4 } }"),
        (
            "key_value",
            "{ connections: unlimited, log: { flush: 0s }, primary: none, replicas: { count: 3 }, \
             replication: { mode: quorum, write: 2, read: 2, read_repair: true } }",
        ),
    ],
};

impl Engine {
    /// Its name in a scenario.
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgresql => "postgresql",
            Self::Mysql => "mysql",
            Self::KeyValue => "key_value",
        }
    }
}
