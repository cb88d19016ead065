//! The components: one room per kind, the one list of kinds, and what rooms may share.
//!
//! A room reacts to calls through [`Cx`] and sees no other room. Nothing here knows
//! the users' load, faults as they are declared, or what is reported.

pub mod call;
mod callee;
pub mod caller;
pub mod checks;
pub mod config;
pub mod context;
pub mod directory;
pub mod event;
pub mod facts;
mod family;
pub mod figures;
pub mod ledger;
pub mod names;
pub mod outcome;
pub mod record;
mod roster;
pub mod topology;
pub mod versions;

pub mod cache;
pub mod cdn;
pub mod database;
pub mod dns;
pub mod load_balancer;
pub mod service;
pub mod store;

use crate::kinded;
use crate::language::{Name, Span, Spanned};
use crate::policy::autoscale::Written;
use crate::random::Sampler;
use crate::units::Bytes;
use cache::{Cache, CacheConfig, CachePlan};
use call::CallKey;
use cdn::{Cdn, CdnConfig, CdnPlan};
use context::Cx;
use database::{Database, DatabaseConfig, DatabasePlan};
use directory::StorePlan;
use dns::{Dns, DnsConfig, DnsPlan};
use facts::Facts;
use figures::Figures;
use load_balancer::{LoadBalancer, LoadBalancerConfig, LoadBalancerPlan};
use names::{Aside, Planner};
use outcome::Reply;
use service::{Service, ServiceConfig, ServicePlan};
use topology::{ComponentId, LinkId};

/// How a room reacts. What a kind has no use for it leaves out.
pub trait Room {
    /// Time begins: schedules the room's own clocks.
    fn begin(&mut self, _cx: &mut Cx<'_>) {}
    /// A call arrives.
    fn on_call(&mut self, cx: &mut Cx<'_>, call: CallKey);
    /// The work that a call had on a core is done.
    fn on_work(&mut self, cx: &mut Cx<'_>, call: CallKey);
    /// A delay that the room asked for on behalf of a call is over.
    fn on_wake(&mut self, _cx: &mut Cx<'_>, _call: CallKey) {}
    /// A call made by the frame `parent` is resolved.
    fn on_child(&mut self, _cx: &mut Cx<'_>, _parent: CallKey, _reply: Reply) {}
    /// The caller took a call back: let go of its slot and place, then `cx.cancelled`.
    fn on_cancel(&mut self, cx: &mut Cx<'_>, call: CallKey);
    /// The room's own clock at one instance.
    fn on_event(&mut self, _cx: &mut Cx<'_>, _instance: u16, _word: u32) {}
    /// A health probe of one of the room's links came back (`ok`), or did not.
    fn on_probe(&mut self, _cx: &mut Cx<'_>, _at: Probed, _ok: bool) {}
    /// An instance died; the frames in it are gone already.
    fn on_crash(&mut self, _cx: &mut Cx<'_>, _instance: u16) {}
    /// An instance that had died serves again.
    fn on_started(&mut self, _cx: &mut Cx<'_>, _instance: u16) {}
    /// To which of the kind's parts an instance belongs now.
    fn part_of(&self, _instance: u16) -> usize {
        0
    }
    /// The instance that has a role now; `None` if nobody has it.
    fn with_role(&self, _role: Role) -> Option<u16> {
        None
    }
    /// What the kind has measured of its own; the replication is over.
    fn figures(&mut self) -> Figures {
        Figures::default()
    }
}

/// What one of several nodes does for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It takes the writes.
    Primary,
    /// It follows, the one of this number among those that do, from 1.
    Replica(u16),
}

/// Which backend of which link was probed by which instance.
#[derive(Clone, Copy, Debug)]
pub struct Probed {
    /// The link.
    pub link: LinkId,
    /// The probing instance.
    pub instance: u16,
    /// The backend.
    pub backend: u16,
}

/// One of several nodes that differ, as it is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodeConfig<'c> {
    /// Its machine, if another than the component's.
    pub machine: Option<&'c config::MachineConfig>,
    /// Its region, if it says.
    pub region: Option<(&'c str, Span)>,
}

/// A kind as it is written.
pub trait RoomConfig {
    /// Machines and instances.
    fn common(&self) -> &config::Common;
    /// Cores of a machine that does not say.
    fn cores_default(&self) -> u64;
    /// Its nodes, where they differ; `None` for `instances` alike.
    fn nodes(&self) -> Option<Vec<NodeConfig<'_>>> {
        None
    }
    /// Whether there is one of it for all regions, instead of a copy in each.
    fn spans(&self) -> bool {
        false
    }
    /// What users call when they call this: a name server stands for what it names.
    fn names(&self) -> Option<&Spanned<Name>> {
        None
    }
    /// How its instances come and go, if they do.
    fn autoscale(&self) -> Written<'_> {
        None
    }
    /// The round trip of users to it and back, where it is not that of the network.
    fn users_trip(&self) -> Option<Sampler> {
        None
    }
    /// Which of its nodes callers call.
    fn store(&self) -> Option<StorePlan> {
        None
    }
    /// The store of a data set of its own with an item for each user, and the size of an item.
    fn keeps_sessions_in(&self) -> Option<(&Name, Span, Bytes)> {
        None
    }
    /// Operations that only this component's steps name.
    fn operations(&self) -> Vec<(&str, Span)> {
        Vec::new()
    }
    /// What callers must know of a cache.
    fn aside(&self, _planner: &mut Planner<'_>) -> Aside {
        Aside::default()
    }
    /// The plan; `None` only after an error was reported.
    fn plan(&self, id: ComponentId, planner: &mut Planner<'_>) -> Option<ComponentPlan>;
}

/// The one list of kinds: name in a scenario, config, plan, state. From it come the kinds of the
/// language, the enum of plans, the enum of states with its dispatch, and the names that tests
/// iterate over.
macro_rules! kinds {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident => $variant:ident: $config:ty, $plan:ty, $state:ty;
    )*) => {
        /// The names of all kinds.
        pub const KINDS: &[&str] = &[$(stringify!($name)),*];

        kinded! {
            /// One part of the system.
            pub enum ComponentConfig, kind {
                $($(#[doc = $doc])* $name: $variant($config)),*
            }
            unbuilt {
                worker: "services fed by a queue",
                queue: "message queues",
                log_pipeline: "logs and metrics",
            }
        }

        impl ComponentConfig {
            /// What every kind can do as it is written.
            pub fn room(&self) -> &dyn RoomConfig {
                match self { $(ComponentConfig::$variant(config) => config,)* }
            }
        }

        /// What never changes about one component.
        // As with the states: they are few, and made once.
        #[allow(clippy::large_enum_variant)]
        #[derive(Clone, Debug)]
        pub enum ComponentPlan {
            $($(#[doc = $doc])* $variant($plan),)*
        }

        impl ComponentPlan {
            /// What can be said of it before it runs.
            pub fn facts(&self) -> &dyn Facts {
                match self { $(ComponentPlan::$variant(plan) => plan,)* }
            }
        }

        /// The state of one component in one replication.
        // The states are few and live in one vector: boxing them would cost a load per event.
        // A tag of its own: one hidden in a room's fields would be worked out at each event.
        #[allow(clippy::large_enum_variant)]
        #[repr(u8)]
        pub enum Component<'p> {
            $($(#[doc = $doc])* $variant($state),)*
        }

        impl<'p> Component<'p> {
            /// The state at the start.
            pub fn new(plan: &'p ComponentPlan, cx: &mut Cx<'p>) -> Self {
                match plan {
                    $(ComponentPlan::$variant(plan) => {
                        Component::$variant(<$state>::new(plan, cx))
                    })*
                }
            }

            /// The room's reactions.
            #[inline]
            pub fn room(&mut self) -> &mut dyn Room {
                match self { $(Component::$variant(room) => room,)* }
            }
        }

        /// The reactions of the hot loop, without a virtual call.
        impl Room for Component<'_> {
            #[inline(always)]
            fn on_call(&mut self, cx: &mut Cx<'_>, call: CallKey) {
                match self { $(Component::$variant(room) => room.on_call(cx, call),)* }
            }
            #[inline(always)]
            fn on_work(&mut self, cx: &mut Cx<'_>, call: CallKey) {
                match self { $(Component::$variant(room) => room.on_work(cx, call),)* }
            }
            #[inline(always)]
            fn on_wake(&mut self, cx: &mut Cx<'_>, call: CallKey) {
                match self { $(Component::$variant(room) => room.on_wake(cx, call),)* }
            }
            #[inline(always)]
            fn on_child(&mut self, cx: &mut Cx<'_>, parent: CallKey, reply: Reply) {
                match self { $(Component::$variant(room) => room.on_child(cx, parent, reply),)* }
            }
            fn on_cancel(&mut self, cx: &mut Cx<'_>, call: CallKey) {
                self.room().on_cancel(cx, call);
            }
        }
    };
}

kinds! {
    /// Runs code: instances x cores x workers.
    service => Service: ServiceConfig, ServicePlan, Service<'p>;
    /// Hands calls on to one of several backends.
    load_balancer => LoadBalancer: LoadBalancerConfig, LoadBalancerPlan, LoadBalancer<'p>;
    /// Keeps copies of items.
    cache => Cache: CacheConfig, CachePlan, Cache<'p>;
    /// Tells users which region to turn to.
    dns => Dns: DnsConfig, DnsPlan, Dns<'p>;
    /// Keeps copies near the users.
    cdn => Cdn: CdnConfig, CdnPlan, Cdn<'p>;
    /// Keeps items.
    database => Database: DatabaseConfig, DatabasePlan, Database<'p>;
}
