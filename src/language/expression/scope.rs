//! Of what each metric is a figure, for the reference.
//!
//! What an expression means in a plan is settled elsewhere; a test of the command `explain` holds
//! the two together.

use super::vocabulary::{METRICS, Metric, MetricWord};

/// What has a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The requests of all users, or those of one operation.
    Requests,
    /// A component of any kind.
    Component,
    /// A component with slots: a service or a database.
    Slots,
    /// A cache.
    Cache,
    /// A database with replicas.
    Replicas,
    /// A database with several primaries.
    Primaries,
    /// A service that keeps sessions.
    Sessions,
    /// A fault.
    Fault,
    /// The scenario as a whole.
    Scenario,
}

impl Scope {
    /// Every scope, in the order of the reference.
    pub const ALL: [Scope; 9] = [
        Self::Requests,
        Self::Component,
        Self::Slots,
        Self::Cache,
        Self::Replicas,
        Self::Primaries,
        Self::Sessions,
        Self::Fault,
        Self::Scenario,
    ];

    /// With an example.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Requests => {
                "of the users' requests, all or one operation's: error_rate, view.p99"
            }
            Self::Component => "of a component, all or one operation's calls: web.utilization",
            Self::Slots => "of a service or a database too: web.wait.p99",
            Self::Cache => "of a cache too: near.hit_ratio",
            Self::Replicas => "of a database with replicas too: db.lag.p99",
            Self::Primaries => "of a database with several primaries: db.conflicts",
            Self::Sessions => "of a service with sessions too: web.lost_sessions",
            Self::Fault => "of a fault: outage.errors",
            Self::Scenario => "of the scenario, where something has a price: cost.month",
        }
    }

    /// The metrics of this scope.
    pub fn metrics(self) -> impl Iterator<Item = &'static MetricWord> {
        METRICS.iter().filter(move |row| row.metric.scopes().contains(&self))
    }
}

impl Metric {
    /// Of what it is a figure; empty when it is not built yet.
    pub const fn scopes(self) -> &'static [Scope] {
        use Metric::*;
        match self {
            Latency | Answered | PageLoad | Offered | Goodput | Availability | Degraded
            | Attempts | OwnWriteMissing => &[Scope::Requests],
            Throughput | ErrorRate | Failures => &[Scope::Requests, Scope::Component],
            Utilization | Arrivals | Share | Sojourn | Service | InSystem | Busy | Slowdown
            | Up | Instances | Calls => &[Scope::Component],
            Visits | Rejected | Wait | Queue | ProbWait => &[Scope::Slots],
            HitRatio | Misses => &[Scope::Cache],
            LostSessions => &[Scope::Sessions],
            DetectTime | Errors => &[Scope::Fault],
            StaleReads => &[Scope::Requests, Scope::Cache, Scope::Replicas],
            Lag | Backlog => &[Scope::Replicas],
            LostWrites => &[Scope::Replicas, Scope::Fault],
            Conflicts => &[Scope::Primaries],
            ShardUtilization | ShardKeys | Age | Deliveries | DeadLettered | Egress
            | MitigateTime | RecoveryTime | DrainTime | BudgetBurnt | Moved | Verdict => &[],
            CostMonth | CostPerMillion => &[Scope::Scenario],
        }
    }
}
