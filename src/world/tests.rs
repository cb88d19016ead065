//! Whole worlds built by hand, without the language: what the engine does when nothing else can
//! be blamed.

use std::sync::Arc;

use super::audit::audit;
use super::plan::{Plan, Window};
use super::users::arrivals::ArrivalPlan;
use super::users::load::{Source, UserOperation, UsersPlan};
use super::users::profile::ProfilePlan;
use super::world::{Conditions, simulate};
use crate::components::ComponentPlan;
use crate::components::call::Access;
use crate::components::service::{QueuePlan, ServicePlan, Step};
use crate::components::topology::*;
use crate::engine::processor::Sharing;
use crate::engine::slots::{Order, UNLIMITED};
use crate::policy::balance::BalancePlan;
use crate::policy::network::{NetworkPlan, Place};
use crate::random::{Owners, Popularity, Sampler};
use crate::units::{Duration, Rate};

fn facts(name: &str, kind: &'static str, machine: Option<u32>) -> ComponentFacts {
    ComponentFacts {
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
    }
}

/// Poisson users -> one server of `workers` slots on `cores` cores.
// long: one literal of a whole plan.
fn queue(rate: f64, service: Sampler, cores: f64, workers: u32, seconds: i64) -> Plan {
    let server = ComponentId::new(1);
    let operation =
        |name: &str| OperationFacts { name: name.into(), priority: 5, response_bytes: 6e3 };
    let sharing = if f64::from(workers) <= cores { Sharing::Dedicated } else { Sharing::Shared };
    let topology = Topology {
        components: vec![facts("users", "users", None), facts("server", "service", Some(0))],
        machines: vec![MachinePlan {
            host: None,
            cores,
            speed: 1.0,
            sharing,
            memory_bytes: 1e9,
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
    };
    let service = ServicePlan {
        id: server,
        workers,
        queue: QueuePlan {
            places: UNLIMITED,
            order: Order::Fifo,
            timeout: None,
            preemptive: false,
        },
        asynchronous: false,
        scaling: None,
        steps: vec![Step::Work { law: service, salt: 7 }, Step::End],
        entries: vec![0, 1],
        sessions: None,
        bodies: Vec::new(),
    };
    Plan {
        topology,
        components: vec![ComponentPlan::Service(service)],
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
            patience_max: Duration(60_000_000_000),
        },
        faults: Vec::new(),
        window: Window {
            duration: Duration(seconds * 1_000_000_000),
            window: Duration(1_000_000_000),
        },
        cost: None,
    }
}

fn conditions() -> Conditions<'static> {
    Conditions {
        seed: 1,
        replication: 0,
        warmup: Duration(60_000_000_000),
        faults: true,
        stop: None,
    }
}

/// M/M/1 at 80 %: mean sojourn 50 ms (Kleinrock, Queueing Systems vol. 1, ch. 3), one run of 1 M
/// requests: 4.5 standard deviations are 3.5 % (P-QUE-01).
#[test]
fn one_server_one_queue() {
    let plan = queue(80.0, Sampler::exponential(Duration(10_000_000)), 1.0, 1, 12_500);
    let observed = simulate(&plan, conditions());
    assert_eq!(audit(&observed, &plan.topology), Vec::<String>::new());
    let mean = observed.users[0].latency.mean().expect("requests were answered");
    assert!((mean / 50e6 - 1.0).abs() < 0.035, "mean {mean}");
    let busy = observed.ledger.components[1].busy_ns / 12_500e9;
    assert!((busy - 0.8).abs() < 0.8 * 0.0056, "utilization {busy}");
}

/// M/G/1 processor sharing: the mean depends on the mean demand only, 33.3 ms at 70 % (P-QUE-13).
#[test]
fn one_core_shared_by_all() {
    let plan = queue(70.0, Sampler::exponential(Duration(10_000_000)), 1.0, UNLIMITED, 4_300);
    let observed = simulate(&plan, conditions());
    assert_eq!(audit(&observed, &plan.topology), Vec::<String>::new());
    let mean = observed.users[0].latency.mean().expect("requests were answered");
    assert!((mean / 33.3333e6 - 1.0).abs() < 0.043, "mean {mean}");
}
