//! A database as it is written.

use super::DatabasePlan;
use super::engine::{Engine, PRESETS};
use super::mesh::PRIMARIES_MAX;
use super::plan::{Copies, FailoverPlan, LegsPlan, Mode, QuorumPlan, ReplicationPlan};
use crate::components::call::Access;
use crate::components::config::{Common, MachineConfig};
use crate::components::directory::{ReadsFrom, StorePlan};
use crate::components::facts::{Facts, Visit};
use crate::components::figures::Declared;
use crate::components::names::{Planner, limit};
use crate::components::topology::{ComponentId, DataId, OperationId, Topology};
use crate::components::{ComponentPlan, NodeConfig, RoomConfig};
use crate::engine::slots::UNLIMITED;
use crate::language::shape::Json;
use crate::language::{Diagnostics, Name, OneOrMany};
use crate::random::{Distribution, Sampler};
use crate::units::{Count, Duration, Ratio, UnitError, UnitErrorKind};
use crate::{choice, config};

config! {
    /// Keeps items: connections, statements on its cores, memory, disk, log, copies on replicas.
    pub struct DatabaseConfig, presets = PRESETS {
        /// A product, or a sort of them, as a set of defaults of the keys below; what is written
        /// beside it wins, key by key.
        engine: Option<Engine> = "none",
        /// Core time of one statement that reads.
        query: Distribution = "0.5ms" likely "0.11ms..1.2ms"
            source "Stack Overflow 2016: 1.2 ms wall, split by choice; pgbench, by key: 0.11 ms",
        /// Core time of one statement that writes; as `query` when left out.
        write_query: Option<Distribution> = "none",
        /// Share of the machine's memory that holds data pages.
        memory_share: Ratio = "75%" source "a choice: buffers and file cache",
        /// The commit.
        log: LogConfig = "{}",
        /// Connections of one node, each held by one call.
        connections: Count = "100" in 1..=1_000_000_000 source "PostgreSQL's max_connections",
        /// What a call beyond them meets.
        when_full: WhenFull = "refuse",
        /// For how long a writer holds its row beyond its statements and its commit, as a
        /// transaction does that waits for its client. A row has one writer at a time in any case.
        lock: Distribution = "0s",
        /// The node that takes all writes; `none` for a store in which every node does.
        primary: Option<PrimaryConfig> = "{}",
        /// Nodes that follow the primary; without a primary, the nodes.
        replicas: ReplicasConfig = "{ count: 0 }",
        /// How the nodes keep the same items.
        replication: ReplicationConfig = "{}",
        /// From whom callers read.
        reads_from: ReadsFromConfig = "primary",
        /// What happens when the primary dies; `none`: nothing until it comes back.
        failover: Option<FailoverConfig> = "{}",
    }
    include {
        /// Keys of every kind.
        common: Common,
    }
    unbuilt {
        sharding: "sharding",
    }
}

config! {
    /// The node that takes the writes.
    pub struct PrimaryConfig {
        /// Its machine, if another than the component's.
        machine: Option<MachineConfig> = "none",
        /// Its region, the first one when left out; several, and each has a primary.
        r#in: OneOrMany<Name> = "[]",
    }
}

config! {
    /// The nodes that follow.
    pub struct ReplicasConfig, short = count {
        /// How many, in the primary's region.
        count: u64 = "0" in 0..=1000,
        /// Their machine, if another than the component's.
        machine: Option<MachineConfig> = "none",
    }
    others {
        /// By region, how many.
        regions: ReplicaCount
    }
}

/// A number of replicas in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaCount(pub u64);

impl ReplicaCount {
    /// Reads a number of replicas.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        match Count::parse(text)? {
            Count::Finite(count @ 0..=1000) => Ok(Self(count)),
            _ => {
                let message = format!("`{text}` is no number of replicas");
                Err(UnitError::new(UnitErrorKind::OutOfRange, message, "write 0 to 1000"))
            }
        }
    }
}

crate::scalar!(ReplicaCount, "a number", Json::NumberOr("^[0-9]+$"), ["3"]);

impl ReplicasConfig {
    /// All of them together.
    fn all(&self) -> u64 {
        self.count.value + self.regions.iter().map(|(_, count)| count.value.0).sum::<u64>()
    }
}

config! {
    /// How the nodes of a database keep the same items.
    pub struct ReplicationConfig {
        /// Whom a commit waits for.
        mode: ModeConfig = "async",
        /// From the commit until a replica has the write; the network's way comes on top.
        delay: Distribution = "10ms" source "a choice; 10-100 ms between data centres",
        /// Core time of applying a write on a replica.
        apply: Distribution = "0.2ms" source "a choice: less than half of the statement",
        /// Writes that one replica applies at once.
        parallel: u64 = "1" in 1..=1000 source "PostgreSQL: one process; MySQL 8: 4 by default",
        /// The log goes out in batches, so often; write by write when it is 0s.
        ship_every: Duration = "0s",
        /// With `quorum`: how many nodes must have a write, the primary among them.
        write: u64 = "2",
        /// With `quorum` and no primary: how many nodes a read waits for.
        read: u64 = "2",
        /// With `quorum` and no primary: the time of one node's answer, instead of its network,
        /// queue and work.
        answer: Option<AnswerConfig> = "none",
        /// With `quorum` and no primary: whether a read mends the old copies it has met.
        read_repair: bool = "false",
    }
    unbuilt { conflicts: "several primaries" }
}

config! {
    /// The messages between a coordinator and a node.
    pub struct AnswerConfig, short = whole {
        /// The round trip; half of it is each way.
        whole: Option<Distribution> = "none",
        /// Instead: a request on its way.
        there: Option<Distribution> = "none",
        /// Instead: the answer on its way.
        back: Option<Distribution> = "none",
        /// Instead: a write on its way; as `there` when left out.
        write_there: Option<Distribution> = "none",
    }
}

choice! {
    /// Whom a commit waits for.
    #[derive(Copy, PartialEq, Eq)]
    pub enum ModeConfig {
        /// For nobody: the writer hears of it when it is in the primary's log.
        r#async: Async,
        /// For the first replica that has received it; after 10 s the primary goes on alone.
        semi_sync: SemiSync,
        /// For all replicas.
        sync: Sync,
        /// For `write` nodes.
        quorum: Quorum,
    }
}

choice! {
    /// From whom callers read.
    #[derive(Copy, PartialEq)]
    pub enum ReadsFromConfig {
        /// From the primary.
        primary: Primary,
        /// From the replicas; with a share, the rest from the primary.
        replicas: Replicas(Option<Ratio>),
        /// From the replicas, but from the primary while the user's last write has not reached all
        /// of them.
        own_writes: OwnWrites,
    }
}

config! {
    /// How a replica becomes the primary.
    pub struct FailoverConfig {
        /// From the death of a node until somebody is sure.
        detect: Distribution = "10s" likely "10s..30s" source "Patroni: ttl 30 s, loop_wait 10 s",
        /// From then until the replica that has received most is the primary, had it nothing left
        /// to apply.
        promote: Distribution = "20s" likely "20s..105s"
            source "Amazon RDS Multi-AZ: 60-120 s in all, clusters 35 s",
        /// From then until the callers know.
        redirect: Distribution = "5s" likely "5s..30s"
            source "a choice: connection strings and DNS of 5 s; Amazon Aurora: below 30 s",
        /// Whether the old primary comes back as a replica when it is started again.
        restart_old: RestartOld = "never",
    }
}

choice! {
    /// What becomes of a primary that was replaced.
    #[derive(Copy, PartialEq, Eq)]
    pub enum RestartOld {
        /// It stays out.
        never: Never,
        /// It follows the new one, with a copy of its items.
        replica: Replica,
    }
}

config! {
    /// The commit: a flush of the log to disk.
    pub struct LogConfig, short = flush {
        /// Time of a flush; it also takes one operation of the disk.
        flush: Distribution = "1ms" likely "0.04ms..2.4ms"
            source "AWS EBS gp3, 1-2 ms; commits took 0.04 ms on NVMe and 2.4 ms on gp3",
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

    fn nodes(&self) -> Option<Vec<NodeConfig<'_>>> {
        let primary = self.primary.value.iter().flat_map(|primary| {
            let machine = primary.machine.value.as_ref();
            let places = primary.r#in.value.0.iter();
            let placed = places.map(move |name| NodeConfig {
                machine,
                region: Some((name.value.0.as_str(), name.span)),
            });
            let somewhere = primary.r#in.value.0.is_empty();
            placed.chain(somewhere.then_some(NodeConfig { machine, region: None }))
        });
        let replicas = &self.replicas.value;
        let machine = replicas.machine.value.as_ref();
        let home = primary.clone().find_map(|primary| primary.region);
        let plain = NodeConfig { machine, region: home };
        let placed = replicas.regions.iter().flat_map(|(name, count)| {
            let region = Some((name.value.as_str(), name.span));
            vec![NodeConfig { machine, region }; count.value.0 as usize]
        });
        let nodes: Vec<_> =
            primary.chain(vec![plain; replicas.count.value as usize]).chain(placed).collect();
        // An empty store is refused later; until then it has a node.
        Some(if nodes.is_empty() { vec![NodeConfig::default()] } else { nodes })
    }

    fn spans(&self) -> bool {
        true
    }

    fn store(&self) -> Option<StorePlan> {
        let reads = match &self.reads_from.value {
            ReadsFromConfig::Primary => ReadsFrom::Primary,
            ReadsFromConfig::Replicas(share) => {
                ReadsFrom::Replicas(share.value.map_or(1.0, |share| share.0))
            }
            ReadsFromConfig::OwnWrites => ReadsFrom::OwnWrites,
        };
        let led = self.primary.value.is_some();
        (self.replicas.value.all() > 0 || self.primaries() > 1).then_some(StorePlan { reads, led })
    }

    fn plan(&self, id: ComponentId, planner: &mut Planner<'_>) -> Option<ComponentPlan> {
        self.check(planner);
        let query = self.query.value.plan();
        let write = self.write_query.value.as_ref().map_or_else(|| query.clone(), |w| w.plan());
        // Shrunk, it is slower by as much as the load is less: as many are held at once.
        let connections = limit(self.connections.value);
        let places = &planner.topology.components[id.index()].places;
        let (nodes, machine) = (places.len() as u16, places[0].machine as usize);
        let memory = planner.topology.machines[machine].memory_bytes * self.memory_share.value.0;
        let lock = self.lock.value.plan();
        Some(ComponentPlan::Database(DatabasePlan {
            id,
            nodes,
            connections,
            wait: self.when_full.value == WhenFull::Wait,
            query,
            write_query: write,
            in_memory: in_memory(id, memory, planner),
            disk_read: planner.topology.machines[machine].disk_read.clone(),
            lock: (lock.is_constant() != Some(0)).then_some(lock),
            flush: self.log.value.flush.value.plan(),
            group: self.log.value.group.value,
            copies: self.copies(),
        }))
    }
}

impl DatabaseConfig {
    /// Reports what does not go together.
    fn check(&self, planner: &mut Planner<'_>) {
        let out = &mut *planner.out;
        if self.common.instances.value != Count::Finite(1) {
            out.error("E0504", self.common.instances.span, "a database is one component")
                .help("copies of its items are `replicas: 3`");
        }
        let replication = &self.replication.value;
        let quorum = replication.mode.value == ModeConfig::Quorum;
        let all = self.replicas.value.all();
        let nodes = all + self.primaries() as u64;
        if self.primary.value.is_none() {
            self.check_leaderless(out);
        } else if let Some(answer) = &replication.answer.value {
            let _ = answer;
            out.error("E0504", replication.answer.span, "`answer` has no effect with a primary")
                .help("it belongs to `primary: none`");
        }
        for (key, votes) in [("write", replication.write), ("read", replication.read)] {
            if quorum && nodes > 0 && !(1..=nodes).contains(&votes.value) {
                let message = format!("`{key}: {}` of {nodes} nodes", votes.value);
                out.error("E0504", votes.span, message).help(format!("give 1 to {nodes}"));
            }
        }
        if self.primaries() > 1 {
            self.check_several(out);
        }
        if all == 0 && !matches!(self.reads_from.value, ReadsFromConfig::Primary) {
            out.error("E0504", self.reads_from.span, "there are no replicas to read from")
                .help("give `replicas: 2`, or leave `reads_from` out");
        }
    }

    /// Reports what a store without a primary cannot be.
    fn check_leaderless(&self, out: &mut Diagnostics) {
        let engine = self.engine.span;
        if let Some(name @ ("postgresql" | "mysql")) = self.engine.value.map(Engine::name) {
            out.error("E0504", self.primary.span, format!("`{name}` has a primary"))
                .note(engine, "the engine")
                .help("`engine: key_value` is a store without a primary");
            return;
        }
        let mut refuse = |span, message: &str, help: &str| {
            let error = out.error("E0504", span, message).help(help);
            if self.engine.value.is_some() {
                error.note(engine, "this engine has no primary");
            }
        };
        let mode = self.replication.value.mode;
        if mode.value != ModeConfig::Quorum {
            let help = "write `replication: { mode: quorum, write: 2, read: 2 }`";
            refuse(mode.span, "without a primary there are quorums", help);
        }
        if self.replicas.value.all() == 0 {
            let message = "a store without a primary has `replicas`";
            refuse(self.replicas.value.count.span, message, "");
        }
    }

    /// Reports what does not go with several primaries.
    fn check_several(&self, out: &mut Diagnostics) {
        let replication = &self.replication.value;
        let mut refuse = |span, key: &str| {
            let message = format!("`{key}` does not go with several primaries");
            out.error("E0504", span, message).help("they replicate asynchronously, write by write");
        };
        if replication.mode.value != ModeConfig::Async {
            refuse(replication.mode.span, "mode");
        }
        if replication.ship_every.value.0 > 0 {
            refuse(replication.ship_every.span, "ship_every");
        }
        if matches!(self.reads_from.value, ReadsFromConfig::OwnWrites) {
            refuse(self.reads_from.span, "own_writes");
        }
        if self.primaries() > PRIMARIES_MAX {
            let message = format!("more than {PRIMARIES_MAX} primaries");
            out.error("E0504", self.primary.span, message);
        }
    }

    /// How many nodes take writes by name.
    fn primaries(&self) -> usize {
        self.primary.value.as_ref().map_or(0, |primary| primary.r#in.value.0.len().max(1))
    }

    /// How the nodes keep the same items.
    fn copies(&self) -> Copies {
        let replication = &self.replication.value;
        if self.primary.value.is_none() {
            return Copies::Leaderless(self.quorum());
        }
        let primaries = self.primaries();
        if self.replicas.value.all() == 0 && primaries == 1 {
            return Copies::One;
        }
        let failover = self.failover.value.as_ref().map(|failover| FailoverPlan {
            detect: failover.detect.value.plan(),
            promote: failover.promote.value.plan(),
            redirect: failover.redirect.value.plan(),
            rejoin: failover.restart_old.value == RestartOld::Replica,
        });
        let plan = ReplicationPlan {
            mode: match replication.mode.value {
                ModeConfig::Async => Mode::Async,
                ModeConfig::SemiSync => Mode::SemiSync,
                ModeConfig::Sync => Mode::Sync,
                ModeConfig::Quorum => Mode::Quorum(replication.write.value as u16 - 1),
            },
            delay: replication.delay.value.plan(),
            apply: replication.apply.value.plan(),
            parallel: replication.parallel.value as u32,
            ship_every: Some(replication.ship_every.value).filter(|every| every.0 > 0),
            failover,
        };
        match primaries {
            1 => Copies::Led(plan),
            _ => Copies::Mesh(primaries as u16, plan),
        }
    }

    fn quorum(&self) -> QuorumPlan {
        let replication = &self.replication.value;
        let legs = replication.answer.value.as_ref().map(|answer| {
            let law = |way: &Option<Distribution>| way.as_ref().map(Distribution::plan);
            match law(&answer.whole.value) {
                Some(whole) => LegsPlan::Whole(whole),
                None => {
                    let none = || Sampler::constant(0);
                    let there = law(&answer.there.value).unwrap_or_else(none);
                    let back = law(&answer.back.value).unwrap_or_else(none);
                    let write = law(&answer.write_there.value).unwrap_or_else(|| there.clone());
                    LegsPlan::Ways { write, there, back }
                }
            }
        });
        QuorumPlan {
            write: replication.write.value as u16,
            read: replication.read.value as u16,
            read_repair: replication.read_repair.value,
            legs,
        }
    }
}

/// By data set, how many of its most popular items fit into memory: the sets that live here share
/// it in proportion to their sizes.
fn in_memory(id: ComponentId, memory_bytes: f64, planner: &Planner<'_>) -> Vec<u64> {
    let here = |data: usize| planner.keeps(id, DataId::new(data));
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
        match visit.access {
            Access::Write => f64::from(visit.statements.max(1)) * self.write_query.mean_ns(),
            _ => self.query.mean_ns(),
        }
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

    fn parts(&self) -> &'static [&'static str] {
        match self.copies {
            Copies::Led(_) => &["primary", "replica"],
            _ => &[],
        }
    }

    fn node_demand_ns(&self, visit: Visit, node: u16, topology: &Topology) -> f64 {
        let (all, demand) = (f64::from(self.nodes), self.demand_ns(visit, topology));
        let Copies::Led(led) = &self.copies else {
            // A write, and each read of a quorum, is done on every node.
            return demand;
        };
        let store = topology.components[self.id.index()].store;
        let away = match (visit.access, store.map(|store| store.reads)) {
            (Access::Read, Some(ReadsFrom::Replicas(share))) => share,
            (Access::Read, Some(ReadsFrom::OwnWrites)) => 1.0,
            _ => 0.0,
        };
        match (node, visit.access) {
            (0, _) => demand * (1.0 - away),
            (_, Access::Write) => led.apply.mean_ns(),
            _ => demand * away / (all - 1.0),
        }
    }

    fn figures(&self) -> Vec<Declared> {
        match self.copies {
            Copies::One => Vec::new(),
            Copies::Leaderless(_) => vec![Declared::ratio("stale_reads")],
            Copies::Mesh(..) => vec![
                Declared::ratio("stale_reads"),
                Declared::count("conflicts"),
                Declared::sample("lag"),
                Declared::level("backlog"),
            ],
            Copies::Led(_) => vec![
                Declared::ratio("stale_reads"),
                Declared::count("lost_writes"),
                Declared::sample("lag"),
                Declared::level("backlog"),
            ],
        }
    }

    fn calls(&self, _visit: Visit, _topology: &Topology, _each: &mut dyn FnMut(Visit, f64)) {}
}
