//! What an experiment came to: the one stable type between running and reporting.
//!
//! Figures are estimates over replications in the units that the field names say. A summary holds
//! no path, no clock time and no thread count, so equal inputs give equal summaries; it does not
//! know how it will be printed.

use super::statistics::{Estimate, Value};
use super::uncertain::Uncertainty;
use super::verdict::{Demand, Verdict};

/// Figures by name, in the order of the scenario.
pub type Named<T> = Vec<(String, T)>;

/// The result of one experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Which scenario was run.
    pub scenario: ScenarioId,
    /// The seed of all random numbers.
    pub seed: u64,
    /// Number of independent replications.
    pub replications: u32,
    /// Measured time of each replication in seconds.
    pub duration_s: f64,
    /// Time before the measured time, in seconds.
    pub warmup_s: f64,
    /// By how much users and instances were divided; 1 for a run at full size.
    pub shrink: f64,
    /// How tight the figures of the SLOs are; absent where nobody asked for it.
    pub precision: Option<Precision>,
    /// How far figures move over the ranges of the inputs; absent where nobody asked for it.
    pub uncertainty: Option<Uncertainty>,
    /// What a reader must know before trusting a number, one sentence each.
    pub warnings: Vec<String>,
    /// All requests together.
    pub overall: Traffic,
    /// The requests of each operation.
    pub operations: Named<Traffic>,
    /// The requests of the people who live in each region; empty where there are no regions.
    pub regions: Named<Traffic>,
    /// The components.
    pub components: Named<Component>,
    /// Headline figures with their value in each replication, by address: `view.p99`.
    pub figures: Named<Figure>,
    /// The faults that were injected.
    pub faults: Named<Fault>,
    /// What the owner wants, judged; sets the exit code.
    pub slo: Vec<Judged>,
    /// What the author of the scenario asserts, judged.
    pub expect: Vec<Judged>,
    /// What limits the system; absent where that cannot be told.
    pub bottleneck: Option<Bottleneck>,
    /// What the plan alone lets expect; absent where that cannot be told.
    pub forecast: Option<Forecast>,
    /// What it costs; absent where nothing has a price.
    pub cost: Option<Cost>,
}

/// How tight the figures of the SLOs are, where a run had to go on until they were.
#[derive(Clone, Debug, PartialEq)]
pub struct Precision {
    /// Half of each interval over its figure, at most.
    pub wanted: f64,
    /// Replications at most.
    pub at_most: u32,
    /// The least tight, and its SLO; absent where no figure could be any tighter.
    pub worst: Option<(f64, String)>,
    /// Whether all are as tight as wanted.
    pub reached: bool,
}

/// A headline figure, replication by replication: what runs are compared by.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The unit of the values.
    pub unit: Unit,
    /// Which way is better; none for what is neither good nor bad.
    pub better: Option<Better>,
    /// The value in each replication, in their order.
    pub values: Vec<Value>,
    /// For a share of a number of requests or calls: of how many, in each replication; else none.
    pub trials: Vec<u64>,
    /// Whether it is a number of events.
    pub events: bool,
}

/// Which way a figure is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// The smaller, the better.
    Lower,
    /// The larger, the better.
    Higher,
}

impl Better {
    /// The word of the JSON summary.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Higher => "higher",
        }
    }
}

/// The identity of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioId {
    /// Its name for people.
    pub name: String,
    /// The last component of the path of its file.
    pub file: String,
    /// A digest of everything that determines the run, after merging of layers.
    pub digest: String,
}

/// Requests as the users saw them.
#[derive(Clone, Debug, PartialEq)]
pub struct Traffic {
    /// Requests measured, over all replications.
    pub requests: u64,
    /// First tries per second.
    pub offered_rps: Estimate,
    /// Requests answered per second.
    pub throughput_rps: Estimate,
    /// Requests answered in time and not failed, per second.
    pub goodput_rps: Estimate,
    /// Share of the requests that were answered.
    pub availability: Estimate,
    /// Share of the requests that were answered in part.
    pub degraded: Estimate,
    /// Share of the answered requests with a read older than the newest acknowledged write.
    pub stale_reads: Estimate,
    /// Share of the answered requests that missed their user's own acknowledged write; no data
    /// where nobody asked for it.
    pub own_write_missing: Estimate,
    /// Attempts per request: what retries and hedges make of the offered load.
    pub amplification: Estimate,
    /// Latency of the answered requests.
    pub answered_ms: Quantiles,
    /// Latency of all requests, failures infinite.
    pub felt_ms: Quantiles,
    /// Failed requests by cause, over all replications; causes that did not occur are left out.
    pub failures: Named<u64>,
    /// The same failures by cause and place; empty where places were not kept.
    pub places: Vec<FailurePlace>,
}

/// Requests that failed by one cause at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailurePlace {
    /// The cause.
    pub cause: String,
    /// The component, or for a timeout who waited for whom: `users waiting for lb`.
    pub place: String,
    /// Requests over all replications.
    pub count: u64,
}

impl Traffic {
    /// Failed requests over all replications.
    pub fn failed(&self) -> u64 {
        self.failures.iter().map(|(_, count)| count).sum()
    }
}

/// The distribution of a time: means over the replications of each one's figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantiles {
    /// Arithmetic mean.
    pub mean: Estimate,
    /// Median.
    pub p50: Estimate,
    /// 90 % are no larger.
    pub p90: Estimate,
    /// 95 % are no larger.
    pub p95: Estimate,
    /// 99 % are no larger.
    pub p99: Estimate,
    /// 99.9 % are no larger.
    pub p99_9: Estimate,
    /// Largest.
    pub max: Estimate,
    /// Quantiles of all replications' samples together, in the order of [`QUANTILES`].
    pub merged: [Value; QUANTILES.len()],
}

/// The shares of a sample at or below the quantiles that a summary keeps, with their names.
pub const QUANTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99_9", 0.999)];

impl Quantiles {
    /// The distribution of an empty sample.
    pub const NO_DATA: Self = Self {
        mean: Estimate::NO_DATA,
        p50: Estimate::NO_DATA,
        p90: Estimate::NO_DATA,
        p95: Estimate::NO_DATA,
        p99: Estimate::NO_DATA,
        p99_9: Estimate::NO_DATA,
        max: Estimate::NO_DATA,
        merged: [Value::NoData; QUANTILES.len()],
    };
}

/// One component, all its instances together.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// The word of its kind.
    pub kind: String,
    /// Number of instances; where they come and go, at the start.
    pub instances: u32,
    /// How many there were, where they come and go.
    pub in_service: Option<InService>,
    /// Busy core time over core time in service; no data without cores of its own.
    pub utilization: Estimate,
    /// Share of the busy core time spent for callers who had given up.
    pub wasted: Estimate,
    /// Calls waiting, mean over time.
    pub queue_length: Estimate,
    /// Calls waiting or in service, mean over time.
    pub in_system: Estimate,
    /// Calls that came per second.
    pub arrivals_rps: Estimate,
    /// Calls answered per second.
    pub throughput_rps: Estimate,
    /// Share of the calls that had to wait.
    pub prob_wait: Estimate,
    /// Share of the calls refused by a full queue.
    pub rejected: Estimate,
    /// Time from arrival to the start of service.
    pub wait_ms: Quantiles,
    /// Time from the start of service to the answer.
    pub service_ms: Quantiles,
    /// Time from arrival to the answer.
    pub sojourn_ms: Quantiles,
    /// Failed calls by cause, over all replications; causes that did not occur are left out.
    pub failures: Named<u64>,
    /// What its kind adds.
    pub extras: Vec<Extra>,
}

/// Instances in service of a component whose instances come and go.
#[derive(Clone, Debug, PartialEq)]
pub struct InService {
    /// Mean over time.
    pub mean: Estimate,
    /// The fewest at any time, over all replications.
    pub min: u32,
    /// The most at any time, over all replications.
    pub max: u32,
}

/// A figure that only some kinds of component have.
#[derive(Clone, Debug, PartialEq)]
pub struct Extra {
    /// Its key in the JSON summary, with the unit last: `hit_ratio`, `lag_ms`.
    pub name: String,
    /// Its heading in the terminal report.
    pub label: String,
    /// How its number is printed.
    pub unit: Unit,
    /// The figure.
    pub value: Estimate,
}

/// The unit of a figure that is not settled by the name of its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Milliseconds,
    /// Per second.
    PerSecond,
    /// A share of 1, printed in percent.
    Ratio,
    /// A number of things.
    Count,
    /// A multiple.
    Factor,
    /// Bytes per second.
    BytesPerSecond,
    /// Bytes.
    Bytes,
    /// Dollars.
    Dollars,
}

impl Unit {
    /// From base units, in which figures are read, to this one.
    pub const fn from_base(self) -> f64 {
        match self {
            Self::Milliseconds => 1e-6,
            _ => 1.0,
        }
    }

    /// The unit of a word.
    pub fn of(word: &str) -> Option<Self> {
        const ALL: [Unit; 8] = [
            Unit::Milliseconds,
            Unit::PerSecond,
            Unit::Ratio,
            Unit::Count,
            Unit::Factor,
            Unit::BytesPerSecond,
            Unit::Bytes,
            Unit::Dollars,
        ];
        ALL.into_iter().find(|unit| unit.word() == word)
    }

    /// The word of the unit in the JSON summary.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::PerSecond => "per_second",
            Self::Ratio => "ratio",
            Self::Count => "count",
            Self::Factor => "factor",
            Self::BytesPerSecond => "bytes_per_second",
            Self::Bytes => "bytes",
            Self::Dollars => "usd",
        }
    }
}

/// One fault and what it did.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Verb and target: `crash web.3`.
    pub action: String,
    /// When it began, in seconds; absent for a random one.
    pub at_s: Option<f64>,
    /// When its cause was gone, in seconds; absent for a random or a permanent one.
    pub until_s: Option<f64>,
    /// How often it happened in the measured time of a replication.
    pub occurrences: Estimate,
    /// Seconds until a health check or a caller had seen it.
    pub detect_time_s: Estimate,
    /// Requests of a replication that failed in its course.
    pub errors: Estimate,
    /// Acknowledged writes of a replication that are gone for good because of it.
    pub lost_writes: Estimate,
}

/// An SLO or an expectation, its measured value and the verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The text as written.
    pub expression: String,
    /// The measured side, in `unit`.
    pub value: Estimate,
    /// The unit of the value.
    pub unit: Unit,
    /// The standard error of the value, in `unit`; absent below two replications with a value.
    pub standard_error: Option<f64>,
    /// What is demanded of the value, in `unit`.
    pub demand: Demand,
    /// Holds, fails or undecided.
    pub verdict: Verdict,
    /// What the reader should know besides: the window used, why a value is missing.
    pub note: Option<String>,
}

/// What limits the throughput of the system, from measured demands.
#[derive(Clone, Debug, PartialEq)]
pub struct Bottleneck {
    /// Resources by the throughput at which each is full, the lowest first; never empty.
    pub limits: Vec<Limit>,
}

/// One resource as a limit on throughput (the asymptotic bound: servers over demand).
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// The component that has the resource, or the host that several components share.
    pub component: String,
    /// What of it: cores, workers, connections, disk.
    pub resource: String,
    /// How many there are in parallel, over all instances.
    pub servers: f64,
    /// Time that one request of the mix holds one of them, in milliseconds.
    pub demand_ms: f64,
    /// Share of them that was busy.
    pub utilization: Estimate,
    /// Requests per second at which all of them are busy all the time.
    pub limit_rps: f64,
    /// Users who send that many when the most come; absent where no number of users is given.
    pub limit_users: Option<f64>,
}

/// What the plan alone lets expect, beside what was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// The components by the operational laws; in the order of the scenario.
    pub laws: Vec<Law>,
    /// What formulas of queueing theory say where they apply.
    pub formulas: Vec<Formula>,
}

/// How often a component is called, for how much work, and how busy that makes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Law {
    /// The component.
    pub component: String,
    /// Calls per user request, loads of pages counted as requests.
    pub visits: Beside,
    /// Core time per user request in milliseconds, over all instances.
    pub work_ms: Beside,
    /// Share of the cores that is busy; absent without cores or without work. A forecast above 1
    /// is more than can be done.
    pub utilization: Option<Beside>,
    /// Why they part, where a measured interval excludes what was expected.
    pub reasons: Vec<String>,
}

/// An expected value beside the measured one, in the same unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beside {
    /// What the plan lets expect.
    pub predicted: f64,
    /// What was measured.
    pub measured: Estimate,
}

/// A formula's forecast beside the measured figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    /// The component it is about, or `users`.
    pub subject: String,
    /// The formula and its case: `Erlang C, M/M/4`.
    pub formula: String,
    /// What is forecast: `mean wait`.
    pub quantity: String,
    /// The unit of both figures.
    pub unit: Unit,
    /// What the forecast says of the figure.
    pub bound: Bound,
    /// The forecast.
    pub predicted: f64,
    /// The measured figure; no data where nothing can be measured.
    pub measured: Estimate,
    /// What the formula assumes that is not so.
    pub assumed: Option<String>,
    /// Why they part, where the measured interval excludes the forecast.
    pub reasons: Vec<String>,
}

/// What a forecast says of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Its value.
    Equal,
    /// It is no larger.
    AtMost,
    /// It is no smaller.
    AtLeast,
}

impl Bound {
    /// The word in the JSON summary.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::AtMost => "at_most",
            Self::AtLeast => "at_least",
        }
    }
}

/// What a month of 730 hours costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// The name of the price table.
    pub table: String,
    /// Taken off the prices of the table.
    pub discount: f64,
    /// Load of the mean hour over that of the run: what is paid by the amount is multiplied by it.
    pub mean_to_peak: f64,
    /// Dollars a month.
    pub month_usd: Estimate,
    /// Dollars for a million answered requests, loads of pages included.
    pub per_million_usd: Estimate,
    /// What makes it up.
    pub lines: Vec<CostLine>,
    /// Components and hosts that have no price and are not in it.
    pub unpriced: Vec<String>,
}

/// One line of the bill.
#[derive(Clone, Debug, PartialEq)]
pub struct CostLine {
    /// The component, the host, or `users`.
    pub payer: String,
    /// The row of the price table, or `price` for one of the component's own.
    pub item: String,
    /// Where its price comes from.
    pub source: String,
    /// How much of it in a month: machines at any time, or bytes in sum.
    pub amount: Estimate,
    /// The unit of the amount.
    pub unit: Unit,
    /// Dollars a month.
    pub month_usd: Estimate,
}

impl Judged {
    /// The measured side and what is demanded of it, as written: `mean`, `== 50ms within 2.5%`.
    pub fn sides(&self) -> (&str, &str) {
        let text = self.expression.as_str();
        let (left, right) = text.split_at(text.find(['<', '>', '=']).unwrap_or(text.len()));
        (left.trim(), right.trim())
    }

    /// The distance of the value from its target in standard errors, negative below it. None where
    /// each replication must be exact, and where a value that is off has no spread.
    pub fn deviation(&self) -> Option<f64> {
        if let Demand::Exactly(_) = self.demand {
            return None;
        }
        let distance = self.value.mean.finite()? - self.demand.target();
        match self.standard_error? {
            0.0 => (distance == 0.0).then_some(0.0),
            error => Some(distance / error),
        }
    }
}

impl Summary {
    /// The verdict on all SLOs together.
    pub fn verdict(&self) -> Verdict {
        Verdict::all(self.slo.iter().map(|judged| judged.verdict))
    }
}
