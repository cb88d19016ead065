//! Plans built by hand for the tests of this floor: one station behind its users.

use std::sync::Arc;

use crate::components::ComponentPlan;
use crate::components::call::Access;
use crate::components::service::{QueuePlan, ServicePlan, Step};
use crate::components::topology::*;
use crate::engine::processor::Sharing;
use crate::engine::slots::{Order, UNLIMITED};
use crate::language::expression::Expression;
use crate::language::{Diagnostics, FileId, Span};
use crate::policy::balance::BalancePlan;
use crate::policy::network::{NetworkPlan, Place};
use crate::random::{Owners, Popularity, Sampler};
use crate::units::{Duration, Instant, Rate};
use crate::world::faults::{FaultPlan, Target, Timing};
use crate::world::users::arrivals::ArrivalPlan;
use crate::world::users::load::{Source, UserOperation, UsersPlan};
use crate::world::users::profile::ProfilePlan;
use crate::world::{Plan, Window};

/// A second.
pub const SECOND: i64 = 1_000_000_000;

/// Reads an expression that has no mistake of its own.
pub fn expression(text: &str) -> Expression {
    let mut out = Diagnostics::new();
    let span = Span::new(FileId(0), 0, text.len());
    let parsed = Expression::parse(text, span, &mut out);
    parsed.unwrap_or_else(|| panic!("{text}: {out:?}"))
}

/// Poisson users with `rate` per second -> `server`, one worker on one core whose work is
/// exponential with a mean of `work_ms`, for so many seconds. The operation is `request`.
pub fn queue(rate: f64, work_ms: f64, seconds: i64) -> Plan {
    let server = ComponentId::new(1);
    let work = Sampler::exponential(Duration((work_ms * 1e6) as i64));
    Plan {
        topology: topology(server),
        components: vec![ComponentPlan::Service(station(server, work))],
        users: UsersPlan {
            count: 1000,
            counted: true,
            activity: None,
            source: Source::Open {
                rate: Rate(rate),
                arrivals: ArrivalPlan::poisson(),
                profile: ProfilePlan::constant(),
            },
            operations: vec![UserOperation {
                entry: LinkId::new(0),
                access: Access::Call,
                data: None,
                patience: None,
                fallback: None,
                fresh: false,
                loads: None,
            }],
            visits: None,
            bounds: vec![1.0],
            patience_max: Duration(60 * SECOND),
        },
        faults: Vec::new(),
        window: Window { duration: Duration(seconds * SECOND), window: Duration(SECOND) },
        cost: None,
    }
}

/// The same, and `dies` takes the server away from one second to another.
pub fn with_fault(mut plan: Plan, from: i64, to: i64) -> Plan {
    plan.faults.push(FaultPlan {
        name: "dies".into(),
        what: "crash server".into(),
        targets: vec![(ComponentId::new(1), Target::Instance(0))],
        silently: false,
        timing: Timing::At {
            at: Instant(from * SECOND),
            lasts: Some(Sampler::constant((to - from) * SECOND)),
        },
    });
    plan
}

fn topology(server: ComponentId) -> Topology {
    let facts = |name: &str, kind, machine: Option<u32>| ComponentFacts {
        name: name.into(),
        kind,
        places: machine.map(|machine| Place { machine, zone: 0, region: 0 }).into_iter().collect(),
        cores: 1.0,
        at_start: u16::from(machine.is_some()),
        startup: Sampler::constant(0),
        region: None,
        users_trip: None,
        store: None,
        hit_ratio_expected: 0.0,
    };
    let operation =
        |name: &str| OperationFacts { name: name.into(), priority: 5, response_bytes: 6e3 };
    Topology {
        components: vec![facts("users", "users", None), facts("server", "service", Some(0))],
        machines: vec![MachinePlan {
            host: None,
            cores: 1.0,
            speed: 1.0,
            memory_bytes: f64::INFINITY,
            sharing: Sharing::Dedicated,
            nic: None,
            tenants: vec![server],
            disk_gap: Duration(0),
            disk_read: Sampler::constant(0),
        }],
        links: vec![LinkPlan {
            caller: users(),
            targets: vec![(server, 0)],
            policy: CallPolicy::default(),
            balance: BalancePlan::round_robin(1),
            chooser: Chooser::Balancer,
            nearest: false,
            health: None,
            ejection: None,
        }],
        data: vec![DataPlan {
            name: "none".into(),
            items: 1,
            size: Sampler::constant(1),
            popularity: Arc::new(Popularity::uniform(1)),
            owners: Owners { items: 1, users: 1 },
            salt: 1,
            first: 0,
            changes: None,
        }],
        operations: vec![operation("request"), operation("probe")],
        network: NetworkPlan::none(0),
        zones: 1,
        regions: Vec::new(),
        names: Vec::new(),
        own_writes: false,
    }
}

fn station(id: ComponentId, work: Sampler) -> ServicePlan {
    ServicePlan {
        id,
        workers: 1,
        queue: QueuePlan {
            places: UNLIMITED,
            order: Order::Fifo,
            timeout: None,
            preemptive: false,
        },
        asynchronous: false,
        scaling: None,
        steps: vec![Step::Work { law: work, salt: 7 }, Step::End],
        entries: vec![0, 1],
        sessions: None,
        bodies: Vec::new(),
    }
}
