//! What never changes about a service: its slots, its queue, and its handlers as flat programs.

use crate::components::call::Access;
use crate::components::topology::{ComponentId, DataId, LinkId, OperationId};
use crate::engine::slots::Order;
use crate::policy::autoscale::AutoscalePlan;
use crate::random::{CountSampler, Sampler};
use crate::units::Duration;

/// The accept queue of one instance.
#[derive(Clone, Debug)]
pub struct QueuePlan {
    /// Places.
    pub places: u32,
    /// Who is next.
    pub order: Order,
    /// How long a call waits before it leaves with cause `queue_timeout`.
    pub timeout: Option<Sampler>,
    /// Whether an urgent call takes the core of a less urgent one.
    pub preemptive: bool,
}

/// Which item of its data set a call is about.
#[derive(Clone, Copy, Debug)]
pub enum Key {
    /// The request's, which all its steps share.
    Request,
    /// The request's in the first turn of this loop, further ones of the request in the others.
    Turn(u8),
    /// One that the step draws for itself.
    Fresh {
        /// Tells its draws from those of other steps.
        salt: u64,
    },
    /// The asking user's own.
    Own,
}

/// One step of a program. Positions are indices into the program.
// A tag of its own: one hidden in a law's would have to be worked out at every step.
#[derive(Clone, Debug)]
#[repr(u8)]
pub enum Step {
    /// Core time.
    Work {
        /// How much.
        law: Sampler,
        /// Tells its draws from those of other steps.
        salt: u64,
    },
    /// Time without a core.
    Wait {
        /// How much.
        law: Sampler,
        /// Tells its draws from those of other steps.
        salt: u64,
    },
    /// A call.
    Call {
        /// Where to.
        link: LinkId,
        /// The operation's name there, if another.
        operation: Option<OperationId>,
        /// What it wants.
        access: Access,
        /// Of which data set.
        data: Option<DataId>,
        /// Statements of a write.
        statements: u16,
        /// Tells its draws from those of other steps.
        salt: u64,
        /// Which item it is about.
        key: Key,
        /// Whether its failure does not matter.
        optional: bool,
    },
    /// Goes on at `to` if the call before found the item in the cache.
    SkipIfHit {
        /// Where.
        to: u16,
    },
    /// Goes on at `to` if the call before was answered, though its failure would not matter.
    SkipIfAnswered {
        /// Where.
        to: u16,
    },
    /// Opens loop number `depth`: draws the turns, leaves to `end` if there are none.
    Repeat {
        /// How many turns.
        times: CountSampler,
        /// Loop number.
        depth: u8,
        /// Tells its draws from those of other steps.
        salt: u64,
        /// Behind the loop.
        end: u16,
    },
    /// Closes loop number `depth`: back to `start` while turns are left.
    Again {
        /// Loop number.
        depth: u8,
        /// First step of the loop.
        start: u16,
    },
    /// One of several ways.
    Choose {
        /// Cumulative probabilities of the ways.
        bounds: Vec<f64>,
        /// First steps of the ways.
        ways: Vec<u16>,
        /// Tells its draws from those of other steps.
        salt: u64,
    },
    /// Goes on elsewhere.
    Jump {
        /// Where.
        to: u16,
    },
    /// Starts branches and goes on at `join` when `wanted` of them are done.
    Parallel {
        /// First steps of the branches.
        branches: Vec<u16>,
        /// How many must be done.
        wanted: u16,
        /// Whether the others are taken back then.
        cancel: bool,
        /// Behind the branches.
        join: u16,
    },
    /// Answers with an error, by chance.
    Fail {
        /// How likely.
        chance: f64,
        /// Tells its draws from those of other steps.
        salt: u64,
    },
    /// Looks for the user's session. Who has one goes on with the operation's own steps, who has
    /// none with the next step; fails whoever has lost one and cannot log in.
    Session,
    /// The user has a session from now on; goes on with the operation's own steps.
    SessionBegins,
    /// Answers; in a branch, ends the branch.
    End,
}

/// How the instances of a service come and go.
#[derive(Clone, Debug)]
pub struct ScalingPlan {
    /// How many there should be.
    pub rule: AutoscalePlan,
    /// How long one that goes may take to finish what it has.
    pub drain: Duration,
}

/// What never changes about a service.
#[derive(Clone, Debug)]
pub struct ServicePlan {
    /// Which component it is.
    pub id: ComponentId,
    /// Slots of one instance.
    pub workers: u32,
    /// The accept queue of one instance.
    pub queue: QueuePlan,
    /// Whether a worker is held only during `work`.
    pub asynchronous: bool,
    /// How its instances come and go, if they do.
    pub scaling: Option<ScalingPlan>,
    /// All programs, one behind the other.
    pub steps: Vec<Step>,
    /// First step of each operation's program.
    pub entries: Vec<u16>,
    /// Where sessions are kept, if they are.
    pub sessions: Option<SessionsPlan>,
    /// With sessions, the first of each operation's own steps, behind those about the session.
    pub bodies: Vec<u16>,
}

/// Where sessions are kept.
#[derive(Clone, Debug)]
pub enum Keeper {
    /// In the instance that served the login.
    Memory,
    /// In a cache, which may lose any of them.
    Cache(SessionStore),
    /// In a database, which loses none.
    Database(SessionStore),
    /// With the client: each request takes so much core time to verify.
    Token(Sampler),
}

/// The store of a service's sessions.
#[derive(Clone, Copy, Debug)]
pub struct SessionStore {
    /// The way to it.
    pub link: LinkId,
    /// The data set, with an item for each user.
    pub data: DataId,
}

/// What never changes about the sessions of a service.
#[derive(Clone, Debug)]
pub struct SessionsPlan {
    /// Where they are kept.
    pub keeper: Keeper,
    /// A session ends when no request of its user has come for so long.
    pub ttl: Duration,
    /// How a user without one begins one; without it just so.
    pub login: Option<OperationId>,
}
