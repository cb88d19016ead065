//! The document: the top-level keys of a scenario, and how a run is made.

use super::changes::ChangeConfig;
use super::prices::PricesConfig;
use super::regions::RegionConfig;
use crate::components::ComponentConfig;
use crate::components::config::{DataConfig, MachineConfig};
use crate::language::expression::Expression;
use crate::language::{Name, Names, OneOrMany, Span};
use crate::policy::network::NetworkConfig;
use crate::units::{Count, Duration, Factor, Ratio};
use crate::world::faults::FaultConfig;
use crate::world::users::config::UsersConfig;
use crate::{choice, config};

config! {
    /// A scenario: who comes, what they do, what serves them, what goes wrong, what must hold.
    pub struct Document {
        /// Its title; the name of the file when left out.
        name: Option<String> = "none",
        /// What it shows, in prose.
        about: Option<String> = "none",
        /// Where its figures come from.
        source: OneOrMany<String> = "[]",
        /// What its header promises.
        claim: Option<ClaimConfig> = "none",
        /// Who sends requests.
        users: UsersConfig = required,
        /// Sets of items.
        data: Names<DataConfig> = "{}",
        /// The component that users call.
        entry: Name = required,
        /// Machines shared by several components.
        hosts: Names<MachineConfig> = "{}",
        /// The parts of the system.
        components: Names<ComponentConfig> = required,
        /// Places with copies of their own of what does not say where it stands.
        regions: Names<RegionConfig> = "{}",
        /// Without regions: instances are dealt over so many zones in turn.
        zones: u64 = "1" in 1..=1_000,
        /// Round-trip times; `none` for no delay anywhere.
        network: Option<NetworkConfig> = "none",
        /// What goes wrong.
        faults: Names<FaultConfig> = "{}",
        /// What is done on purpose.
        changes: Names<ChangeConfig> = "{}",
        /// What things cost. Without it there is a bill where a machine has a type or a price.
        prices: Option<PricesConfig> = "none",
        /// What the owner wants: judged, and sets the exit code.
        slo: Vec<Expression> = "[]",
        /// What the author asserts: shown by `run`, judged by the tests of the repository. It does
        /// not set the exit code.
        expect: Vec<Expression> = "[]",
        /// How it is run.
        run: RunConfig = "{}",
    }
    unbuilt {
        policies: "named policies of calls",
        monitoring: "monitors",
        responders: "people and automation",
        alerts: "alert rules",
        plan: "the search for the cheapest configuration",
    }
}

config! {
    /// What a stage's header promises; the tests of the ladder read it.
    pub struct ClaimConfig {
        /// The range of users it is made for.
        users: CountRange = required,
        /// The component or host that limits it first.
        breaks_first: Name = required,
    }
}

/// A range of counts: `100K..1M`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountRange {
    /// The lower end.
    pub from: u64,
    /// The upper end.
    pub to: u64,
}

impl CountRange {
    /// Reads a range.
    pub fn parse(text: &str) -> Result<Self, crate::units::UnitError> {
        use crate::units::{UnitError, UnitErrorKind};
        let wrong = || {
            let message = format!("`{text}` is no range of counts");
            UnitError::new(UnitErrorKind::Malformed, message, "write `100K..1M`")
        };
        let (from, to) = text.split_once("..").ok_or_else(wrong)?;
        let count = |text: &str| Count::parse(text)?.finite().ok_or_else(wrong);
        let (from, to) = (count(from)?, count(to)?);
        if from > to {
            return Err(wrong());
        }
        Ok(Self { from, to })
    }
}

crate::scalar!(
    CountRange,
    "a range of counts",
    crate::language::shape::Json::Pattern("^[0-9.]+[KMB]?\\.\\.[0-9.]+[KMB]?$"),
    ["100K..1M"]
);

config! {
    /// How a scenario is run.
    pub struct RunConfig {
        /// The measured time.
        duration: Duration = "10min",
        /// Time before it: found by MSER-5 in a pilot, given, or a share of the duration.
        warmup: WarmupConfig = "auto",
        /// Independent repetitions; intervals are over these. An SLO that they leave undecided
        /// extends the run, to four times as many at most.
        replications: u64 = "8" in 1..=1_000_000,
        /// Seed of all draws.
        seed: u64 = "1",
        /// Length of a window of the time series.
        window: Duration = "1s",
        /// Adds batches of `replications` until the figure of every SLO is that tight.
        precision: Option<PrecisionConfig> = "none",
        /// Divides users and instances together; what cannot be divided gets slower instead.
        shrink: Factor = "1x",
    }
}

config! {
    /// How tight the figures of the SLOs shall be.
    pub struct PrecisionConfig, short = half_width {
        /// Half of the 95 % interval over the figure; of a share that is rarely above zero, over
        /// its target.
        half_width: Ratio = required,
        /// Replications at most; the report says so when they were not enough.
        at_most: u64 = "128" in 2..=1_000_000,
    }
}

choice! {
    /// Time before the measured time.
    #[derive(Copy, PartialEq)]
    pub enum WarmupConfig {
        /// Found by MSER-5 in a pilot run.
        auto: Auto,
        /// A share of the duration.
        share: Share(Ratio),
    }
    bare {
        /// So long.
        Given(Duration)
    }
}

impl Document {
    /// The place of the key that an error about the whole document points at.
    pub fn place(&self) -> Span {
        self.entry.span
    }
}
