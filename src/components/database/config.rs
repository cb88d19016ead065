//! A database as it is written.

use super::DatabasePlan;
use crate::components::call::Access;
use crate::components::config::Common;
use crate::components::facts::{Facts, Visit};
use crate::components::names::{Planner, limit};
use crate::components::topology::{ComponentId, OperationId, Topology};
use crate::components::{ComponentPlan, RoomConfig};
use crate::engine::slots::UNLIMITED;
use crate::random::Distribution;
use crate::units::{Count, Ratio};
use crate::{choice, config};

config! {
    /// Keeps items on one node: connections, statements on its cores, memory, disk, log.
    pub struct DatabaseConfig {
        /// Core time of one statement that reads.
        query: Distribution = "0.5ms" source "Stack Overflow 2016: 1.2 ms wall; split by choice",
        /// Core time of one statement that writes; as `query` when left out.
        write_query: Option<Distribution> = "none",
        /// Share of the machine's memory that holds data pages.
        memory_share: Ratio = "75%" source "a choice: buffers and file cache",
        /// The commit.
        log: LogConfig = "{}",
        /// Connections, each held by one call.
        connections: Count = "100" in 1..=1_000_000_000 source "PostgreSQL's max_connections",
        /// What a call beyond them meets.
        when_full: WhenFull = "refuse",
    }
    include {
        /// Keys of every kind.
        common: Common,
    }
    unbuilt {
        engine: "engines as sets of defaults",
        lock: "contention on hot rows",
        primary: "replication",
        replicas: "replication",
        replication: "replication",
        reads_from: "replication",
        failover: "replication",
        sharding: "sharding",
    }
}

config! {
    /// The commit: a flush of the log to disk.
    pub struct LogConfig, short = flush {
        /// Time of a flush; it also takes one operation of the disk.
        flush: Distribution = "1ms" source "AWS EBS gp3, 1-2 ms",
        /// Whether one flush takes everyone who waits at its start.
        group: bool = "true" source "PostgreSQL and MySQL commit in groups",
    }
}

choice! {
    /// What a call beyond the connections meets.
    #[derive(Copy, PartialEq, Eq)]
    pub enum WhenFull {
        /// It fails with cause `refused`.
        refuse: Refuse,
        /// It waits for a connection.
        wait: Wait,
    }
}

impl RoomConfig for DatabaseConfig {
    fn common(&self) -> &Common {
        &self.common
    }

    fn cores_default(&self) -> u64 {
        4
    }

    fn plan(&self, id: ComponentId, planner: &mut Planner<'_>) -> Option<ComponentPlan> {
        let instances = self.common.instances;
        if instances.value != Count::Finite(1) {
            planner
                .out
                .error("E0110", instances.span, "a database of several nodes is not built yet")
                .help("replicas and shards come with later versions");
        }
        let query = self.query.value.plan();
        let write = self.write_query.value.as_ref().map_or_else(|| query.clone(), |w| w.plan());
        // Shrunk, it is slower by as much as the load is less: as many are held at once.
        let connections = limit(self.connections.value);
        let machine = planner.topology.components[id.index()].places[0].machine as usize;
        let memory = planner.topology.machines[machine].memory_bytes * self.memory_share.value.0;
        Some(ComponentPlan::Database(DatabasePlan {
            id,
            connections,
            wait: self.when_full.value == WhenFull::Wait,
            query,
            write_query: write,
            in_memory: in_memory(id, memory, planner),
            disk_read: planner.topology.machines[machine].disk_read.clone(),
            flush: self.log.value.flush.value.plan(),
            group: self.log.value.group.value,
        }))
    }
}

/// By data set, how many of its most popular items fit into memory: the sets that live here share
/// it in proportion to their sizes.
fn in_memory(id: ComponentId, memory_bytes: f64, planner: &Planner<'_>) -> Vec<u64> {
    let here = |data: usize| {
        let home = planner.homes[data];
        home == Some(id) || home.is_some_and(|h| planner.asides[h.index()].over == Some(id))
    };
    let bytes = |data: usize| {
        let set = &planner.topology.data[data];
        set.items as f64 * set.size.mean_ns()
    };
    let sets = 0..planner.topology.data.len();
    let total: f64 = sets.clone().filter(|&data| here(data)).map(bytes).sum();
    let share = if total > memory_bytes { memory_bytes / total } else { 1.0 };
    sets.map(|data| {
        let items = planner.topology.data[data].items;
        if here(data) { (items as f64 * share) as u64 } else { items }
    })
    .collect()
}

impl DatabasePlan {
    fn misses(&self, visit: Visit, topology: &Topology) -> f64 {
        visit.data.map_or(0.0, |data| {
            let held = self.in_memory[data.index()];
            1.0 - topology.data[data.index()].popularity.share_of_top(held)
        })
    }
}

impl Facts for DatabasePlan {
    fn slots(&self) -> Option<u32> {
        (self.connections != UNLIMITED).then_some(self.connections)
    }

    fn jobs_max(&self) -> f64 {
        self.slots().map_or(f64::INFINITY, f64::from)
    }

    fn handles(&self, _operation: OperationId) -> bool {
        true
    }

    fn demand_ns(&self, visit: Visit, _topology: &Topology) -> f64 {
        if visit.access == Access::Write { &self.write_query } else { &self.query }.mean_ns()
    }

    fn delay_ns(&self, visit: Visit, topology: &Topology) -> f64 {
        match visit.access {
            Access::Write => self.flush.mean_ns(),
            _ => self.misses(visit, topology) * self.disk_read.mean_ns(),
        }
    }

    fn has_slots(&self) -> bool {
        true
    }

    fn calls(&self, _visit: Visit, _topology: &Topology, _each: &mut dyn FnMut(Visit, f64)) {}
}
