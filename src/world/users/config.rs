//! The users as they are written.

use super::rhythm::{ArrivalsConfig, ProfileConfig};
use crate::language::{Name, Names, Spanned};
use crate::policy::call::ClientConfig;
use crate::random::popularity::Exponent;
use crate::random::{CountDistribution, Distribution};
use crate::units::{Bytes, Count, Duration, Rate, Ratio};
use crate::{choice, config};

config! {
    /// Who sends requests, how many, and when. Exactly one of `count` with `each`, `rate`, or
    /// `count` with `think` says how much.
    pub struct UsersConfig {
        /// How many people there are.
        count: Option<Count> = "none" in 1..=4_000_000_000,
        /// Requests of one person at factor 1 of the profile.
        each: Option<Rate> = "none" source "0.01/s: a heavy user at the daily peak",
        /// Requests of all together.
        rate: Option<Rate> = "none",
        /// Pause of one person after each answer: a closed loop.
        think: Option<Distribution> = "none" source "TPC-W: exponential, mean 7 s",
        /// Which person sends a request of an open load.
        activity: ActivityConfig = "uniform",
        /// How the requests of an open load are spread.
        arrivals: ArrivalsConfig = "poisson",
        /// The factor on the rate over time.
        profile: ProfileConfig = "constant",
        /// In which region which share of them lives; equally many in each when left out.
        regions: Names<Ratio> = "{}",
        /// Visits of several requests by one person, each sent after the answer to the one before.
        sessions: Option<VisitsConfig> = "none",
        /// What the user's browser or app does.
        client: ClientConfig = "{}",
        /// The kinds of requests; without any there is one, `request`.
        operations: Names<OperationConfig> = "{}",
    }
    unbuilt {
        trace: "replay of a recorded load",
        groups: "groups of users",
    }
}

choice! {
    /// Which person sends a request. People are numbered by their activity.
    #[derive(Copy, PartialEq)]
    pub enum ActivityConfig {
        /// Everyone alike.
        uniform: Uniform,
        /// The k-th most active person in proportion to 1 / k to this power.
        zipf: Zipf(Exponent),
    }
}

config! {
    /// Visits to an open load. A visit is of one person; its next request is sent a while after the
    /// answer to the one before, whether that failed or not. Exactly one of `requests` and `flow`
    /// says what a visit consists of.
    pub struct VisitsConfig {
        /// How many requests, the login among them; a visit of none sends none. Visits come as
        /// often as keeps the rate of requests what it would be without them.
        requests: Option<CountDistribution> = "none" in 0..=1_000_000_000
            source "web shops: 3 to 6 pages a visit",
        /// The pause after each answer.
        think: Distribution = "7s" likely "7s..8s" source "TPC-W: 7-8 s on average",
        /// The operation that a visit begins with; a visit whose login fails is over. Without a
        /// `weight` of its own it is nothing else.
        login: Option<Name> = "none",
        /// A script: what is done one after the other in each visit. What the load counts (`rate`,
        /// or `count` x `each`) is visits then.
        flow: Vec<Spanned<TurnConfig>> = "[]",
    }
}

choice! {
    /// One part of a scripted visit.
    pub enum TurnConfig {
        /// A pause after the answer.
        think: Think(Distribution),
    }
    bare {
        /// A request.
        Request(Name)
    }
}

config! {
    /// A kind of request.
    pub struct OperationConfig {
        /// Its share of what users begin with, relative to the others; without one (if any has
        /// one) it is only loaded by others.
        weight: Option<f64> = "none",
        /// The data set that it reads.
        reads: Option<Name> = "none",
        /// The data set that it writes.
        writes: Option<Name> = "none",
        /// What the client fetches after the answer, by operation and number.
        loads: Names<u64> = "{}" in 0..=1_000,
        /// How many of them at once.
        parallel: u64 = "6" in 1..=1_000 source "browsers open six connections to a host",
        /// The component that users call for it, if another than `entry`.
        entry: Option<Name> = "none",
        /// 1 (most urgent) to 9, for queues with `order: priority`.
        priority: u64 = "5" in 1..=9,
        /// Size of an answer on the wire, which is paid for. When left out, that of an item of the
        /// data set that it `reads`, else 6kB.
        response: Option<Bytes> = "none"
            source "Stack Overflow 2016: 1.24 TB in 209.4 M answers, 5.9 kB each",
        /// Answered later than this is no goodput; the client's timeout when left out.
        patience: Option<Duration> = "none",
        /// Whether an answer counts as failed (cause `error`) when one of its reads was older than
        /// the newest write acknowledged before that read began.
        fresh: bool = "false",
    }
    unbuilt {
        value: "what an answer is worth",
    }
}
