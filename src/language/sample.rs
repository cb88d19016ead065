//! A small language for the tests of this floor: one of each form, as components declare them.

use super::{Diagnostics, Name, Names, OneOrMany, Span};
use crate::units::{Count, Duration, Ratio};
use crate::{choice, config, kinded, verbs};

config! {
    /// The whole document.
    pub struct Document {
        /// Where users' calls go.
        entry: Name = required,
        /// Prose.
        about: Option<String> = "none",
        /// The parts of the system.
        components: Names<Component> = required,
        /// What goes wrong.
        faults: Names<Fault> = "{}",
    }
    unbuilt { sweep: "running many variants" }
}

kinded! {
    /// One part of the system.
    pub enum Component, kind {
        /// Runs code.
        service: Service(ServiceConfig),
        /// Keeps copies.
        cache: Cache(CacheConfig),
    }
    unbuilt { cdn: "edge caches" }
}

config! {
    /// Keys of every kind.
    pub struct Common {
        /// How many there are.
        instances: Count = "1",
        /// Where they run.
        r#in: OneOrMany<Name> = "[]",
    }
}

config! {
    /// Runs code.
    pub struct ServiceConfig {
        /// Calls in work at once per instance.
        workers: Count = "10" in 1..=1_000_000 source "gunicorn documentation, (2 x cores) + 1",
        /// Where calls wait.
        queue: QueueConfig = "{}",
        /// What is done for each operation.
        handle: Names<Vec<Step>> = "{}",
    }
    include {
        /// Keys of every kind.
        common: Common,
    }
    unbuilt { autoscale: "adding instances by load" }
}

config! {
    /// Keeps copies.
    pub struct CacheConfig {
        /// How much it holds.
        capacity: Count = required,
        /// Which item leaves.
        eviction: Eviction = "lru",
        /// How keys are drawn.
        popularity: Popularity = "uniform",
    }
    include { common: Common }
}

config! {
    /// Where calls wait.
    pub struct QueueConfig, short = limit, check = check_queue {
        /// Places.
        limit: Count = "100",
        /// Leaves after so long.
        timeout: Option<Duration> = "none",
        /// When the next attempt is made.
        pause: Pause = "1s",
    }
}

fn check_queue(queue: &QueueConfig, span: Span, out: &mut Diagnostics) {
    if queue.limit.value == Count::Finite(13) {
        out.warning("W9999", span, "thirteen places bring bad luck");
    }
}

choice! {
    /// Which item leaves.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Eviction {
        /// The least recently used.
        lru: Lru,
        /// The oldest.
        fifo: Fifo,
    }
}

choice! {
    /// How keys are drawn.
    pub enum Popularity {
        /// All alike.
        uniform: Uniform,
        /// By rank to a power.
        zipf: Zipf(f64),
        /// A share of the draws on a share of the keys.
        hot: Hot(HotConfig),
        /// Another sample.
        maybe: Maybe(Option<Ratio>),
    }
    unbuilt { trace: "keys from a file" }
}

config! {
    /// Some keys are hot.
    pub struct HotConfig, short = share {
        /// The share of the draws.
        share: Ratio = "90%",
        /// The share of the keys.
        of: Ratio = "10%",
    }
}

choice! {
    /// A pause.
    pub enum Pause {
        /// Of random length with this mean.
        exponential: Exponential(Duration),
    }
    bare {
        /// Always the same.
        Constant(Duration)
    }
}

verbs! {
    /// One step of a handler.
    pub enum Step, "step" {
        /// Uses a core.
        work: Work(WorkStep),
        /// Asks for data.
        read: Read(ReadStep),
        /// Does steps again.
        repeat: Repeat(RepeatStep),
    }
    unbuilt { publish: "queues" }
}

config! {
    /// Uses a core.
    pub struct WorkStep {
        /// For how long.
        work: Pause = required,
    }
}

config! {
    /// Asks for data.
    pub struct ReadStep {
        /// Whom.
        read: Name = required,
        /// How often, one after another.
        times: Count = "1",
    }
}

config! {
    /// Does steps again.
    pub struct RepeatStep {
        /// What.
        repeat: Vec<Step> = required,
        /// How often.
        times: Count = "2",
    }
}

verbs! {
    /// Something that goes wrong.
    pub enum Fault, "fault" {
        /// A process dies.
        crash: Crash(CrashFault),
        /// A component slows down.
        slow: Slow(SlowFault),
    }
}

config! {
    /// A process dies.
    pub struct CrashFault {
        /// Whose.
        crash: Name = required,
        /// Callers get no answer.
        silently: bool = "false",
    }
    include { timing: Timing }
}

config! {
    /// A component slows down.
    pub struct SlowFault {
        /// Which.
        slow: Name = required,
    }
    include { timing: Timing }
}

config! {
    /// When a fault happens.
    pub struct Timing {
        /// At this time.
        at: Duration = required,
        /// For so long.
        r#for: Option<Duration> = "none",
    }
}
