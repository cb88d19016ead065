//! The words of expressions: metrics, statistics and causes, with the dimension of each.
//!
//! One table that parsing, suggestions and the reference read. It knows which words exist and how
//! their values are written; it does not know which kind of component measures what.

use std::fmt;

/// How the value of a metric is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// A duration: `300ms`.
    Time,
    /// Events per time: `200/s`.
    Rate,
    /// A share: `99.9%`.
    Ratio,
    /// A number of things, also a mean of such: `500`, `2.4`.
    Count,
    /// A multiple: `5` or `5x`.
    Factor,
    /// Bytes per time: `80MB/s`.
    Bandwidth,
    /// Money: `$5000`.
    Money,
    /// What became of the system after a fault: `recovered`.
    Outcome,
}

impl Dimension {
    /// With its article, and an example.
    pub const fn a_value(self) -> &'static str {
        match self {
            Self::Time => "a duration, like 300ms",
            Self::Rate => "a rate, like 200/s",
            Self::Ratio => "a ratio, like 99.9%",
            Self::Count => "a number, like 500",
            Self::Factor => "a factor, like 5 or 5x",
            Self::Bandwidth => "a bandwidth, like 80MB/s",
            Self::Money => "money, like $5000",
            Self::Outcome => "an outcome, like recovered",
        }
    }

    /// One word for the tables of the reference.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Time => "duration",
            Self::Rate => "rate",
            Self::Ratio => "ratio",
            Self::Count => "number",
            Self::Factor => "factor",
            Self::Bandwidth => "bandwidth",
            Self::Money => "money",
            Self::Outcome => "outcome",
        }
    }
}

/// One number out of a sample or of a course over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Statistic {
    /// Arithmetic mean; of a level, over time.
    Mean,
    /// Smallest.
    Min,
    /// Largest.
    Max,
    /// Standard deviation.
    Sd,
    /// Standard deviation over mean.
    Cv,
    /// Median.
    P50,
    /// 90 % are no larger.
    P90,
    /// 95 % are no larger.
    P95,
    /// 99 % are no larger.
    P99,
    /// 99.9 % are no larger.
    P999,
    /// 99.99 % are no larger.
    P9999,
    /// Size of the sample.
    Count,
    /// Last value in the window.
    End,
    /// Largest over mean (of the shards).
    MaxOverMean,
}

impl Statistic {
    /// Every statistic and its word.
    pub const WORDS: [(&'static str, Statistic); 14] = [
        ("mean", Statistic::Mean),
        ("min", Statistic::Min),
        ("max", Statistic::Max),
        ("sd", Statistic::Sd),
        ("cv", Statistic::Cv),
        ("p50", Statistic::P50),
        ("p90", Statistic::P90),
        ("p95", Statistic::P95),
        ("p99", Statistic::P99),
        ("p99.9", Statistic::P999),
        ("p99.99", Statistic::P9999),
        ("count", Statistic::Count),
        ("end", Statistic::End),
        ("max_over_mean", Statistic::MaxOverMean),
    ];

    /// The statistic of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(name, _)| *name == word).map(|&(_, statistic)| statistic)
    }

    /// The word of the statistic.
    pub fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, statistic)| *statistic == self);
        found.expect("every statistic has a word").0
    }

    /// One line for the reference.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Mean => "Arithmetic mean; of a level, over time.",
            Self::Min => "Smallest.",
            Self::Max => "Largest.",
            Self::Sd => "Standard deviation.",
            Self::Cv => "Standard deviation over mean.",
            Self::P50 => "Median.",
            Self::P90 => "90 % are no larger.",
            Self::P95 => "95 % are no larger.",
            Self::P99 => "99 % are no larger.",
            Self::P999 => "99.9 % are no larger.",
            Self::P9999 => "99.99 % are no larger.",
            Self::Count => "Size of the sample.",
            Self::End => "Last value in the window.",
            Self::MaxOverMean => "Largest over mean (of the shards).",
        }
    }

    /// The share of the sample at or below a percentile; `None` for what is none.
    pub const fn quantile(self) -> Option<f64> {
        match self {
            Self::P50 => Some(0.5),
            Self::P90 => Some(0.9),
            Self::P95 => Some(0.95),
            Self::P99 => Some(0.99),
            Self::P999 => Some(0.999),
            Self::P9999 => Some(0.9999),
            _ => None,
        }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a request failed: the one cause that each failed request has.
pub const CAUSES: [&str; 14] = [
    "timeout",
    "deadline",
    "queue_timeout",
    "rejected",
    "refused",
    "pool_wait",
    "breaker_open",
    "rate_limited",
    "shed",
    "crashed",
    "unreachable",
    "error",
    "abandoned",
    "unresolved",
];

/// What follows a metric's own words, before the statistic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// Nothing.
    None,
    /// One of [`CAUSES`].
    Cause,
    /// A number of instances, from 1.
    Number,
}

/// Which statistics a metric has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistics {
    /// One figure for the run, or the mean of a ratio or rate: no statistic, or `mean`.
    Single,
    /// A count: no statistic at all.
    Never,
    /// A figure per occurrence of a fault: all occurrences together, or one of these over them.
    Optional(&'static [Statistic]),
    /// A sample: one of these must be named.
    Required(&'static [Statistic]),
}

/// Statistics of a sample of durations.
const SAMPLE: &[Statistic] = &[
    Statistic::Mean,
    Statistic::Min,
    Statistic::Max,
    Statistic::Sd,
    Statistic::Cv,
    Statistic::P50,
    Statistic::P90,
    Statistic::P95,
    Statistic::P99,
    Statistic::P999,
    Statistic::P9999,
    Statistic::Count,
];
/// Statistics of a number that stands for a while.
const LEVEL: &[Statistic] = &[Statistic::Mean, Statistic::Max, Statistic::End];

/// One metric: its words, dimensions and statistics.
#[derive(Clone, Copy, Debug)]
pub struct MetricWord {
    /// The metric.
    pub metric: Metric,
    /// Its dotted words; none for the latency, which is named by a bare statistic.
    pub words: &'static [&'static str],
    /// How its value may be written; more than one where it depends on the address.
    pub dimensions: &'static [Dimension],
    /// Which statistics it has.
    pub statistics: Statistics,
    /// What comes between the words and the statistic.
    pub parameter: Parameter,
    /// One line for the reference.
    pub about: &'static str,
}

impl MetricWord {
    /// The dotted name: `shard.keys`; `latency` for the bare one.
    pub fn name(&self) -> String {
        if self.words.is_empty() { "latency".to_owned() } else { self.words.join(".") }
    }
}

/// Declares [`Metric`] and [`METRICS`] from one list, so that no metric can miss its words.
macro_rules! metrics {
    ($($metric:ident [$($word:literal)*] $dimensions:expr, $statistics:expr, $parameter:expr,
       $about:literal;)*) => {
        /// What an expression measures.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Metric { $(#[doc = $about] $metric,)* }

        /// Every metric, in the order of the reference.
        pub const METRICS: &[MetricWord] = &[$(MetricWord {
            metric: Metric::$metric,
            words: &[$($word),*],
            dimensions: $dimensions,
            statistics: $statistics,
            parameter: $parameter,
            about: $about,
        },)*];
    };
}

use Dimension::{Bandwidth, Count, Factor, Money, Outcome, Rate, Ratio, Time};
use Parameter::{Cause, None as Nothing, Number};
use Statistic::{Cv, Max, MaxOverMean, Mean, Min};
use Statistics::{Never, Optional, Required, Single};

metrics! {
    Latency [] &[Time], Required(SAMPLE), Nothing, "Latency as users felt it, failures infinite.";
    Answered ["answered"] &[Time], Required(SAMPLE), Nothing, "Latency of the answered requests.";
    PageLoad ["page_load"] &[Time], Required(SAMPLE), Nothing,
        "Time until a page and its files are there.";
    Offered ["offered"] &[Rate], Single, Nothing, "Requests sent, first tries only.";
    Throughput ["throughput"] &[Rate], Single, Nothing, "Requests or calls answered.";
    Goodput ["goodput"] &[Rate], Single, Nothing, "Requests answered in time and not failed.";
    Availability ["availability"] &[Ratio], Single, Nothing,
        "Share of requests that were answered.";
    ErrorRate ["error_rate"] &[Ratio], Single, Nothing,
        "Share of requests or calls that failed; in a window, of those that came in it.";
    Degraded ["degraded"] &[Ratio], Single, Nothing, "Share of requests answered in part.";
    Failures ["failures"] &[Ratio], Single, Cause, "Share of requests that failed by a cause.";
    Attempts ["attempts"] &[Count, Factor], Required(&[Mean, Max]), Nothing,
        "Tries of one request, the first included.";
    OwnWriteMissing ["own_write_missing"] &[Ratio, Count], Single, Nothing,
        "Reads that missed the user's own write.";
    Utilization ["utilization"] &[Ratio], Single, Nothing,
        "Busy core time over core time in service.";
    Arrivals ["arrivals"] &[Rate], Single, Nothing, "Calls that came.";
    Visits ["visits"] &[Rate], Single, Nothing,
        "Passes through the queue: calls, and returns to it after a call of one's own.";
    Rejected ["rejected"] &[Ratio], Single, Nothing, "Share of calls refused by a full queue.";
    Share ["share"] &[Ratio], Single, Nothing, "Share of its balancer's calls that came here.";
    Wait ["wait"] &[Time], Required(SAMPLE), Nothing, "Time from arrival to the start of service.";
    Sojourn ["sojourn"] &[Time], Required(SAMPLE), Nothing, "Time from arrival to answer.";
    Service ["service"] &[Time], Required(SAMPLE), Nothing,
        "Time from the start of service to answer.";
    InSystem ["in_system"] &[Count], Required(LEVEL), Nothing, "Calls waiting or in service.";
    Queue ["queue"] &[Count], Required(LEVEL), Nothing, "Calls waiting.";
    Busy ["busy"] &[Count], Required(LEVEL), Nothing, "Slots or cores in use.";
    Slowdown ["slowdown"] &[Factor], Single, Nothing,
        "Time from arrival to answer over the work in it, mean of the calls.";
    ProbWait ["prob_wait"] &[Ratio], Single, Nothing, "Share of calls that had to wait.";
    Up ["up"] &[Ratio], Single, Number, "Share of time with at least so many instances up.";
    Instances ["instances"] &[Count], Required(LEVEL), Nothing, "Instances in service.";
    Calls ["calls"] &[Count], Required(&[Statistic::Count]), Nothing, "Calls that came.";
    HitRatio ["hit_ratio"] &[Ratio], Single, Nothing, "Share of reads answered from the cache.";
    Misses ["misses"] &[Ratio], Single, Nothing, "Share of reads not answered from the cache.";
    StaleReads ["stale_reads"] &[Ratio, Count], Single, Nothing,
        "Reads older than the newest acknowledged write.";
    Lag ["lag"] &[Time], Required(SAMPLE), Nothing, "Time from commit to application on a replica.";
    LostWrites ["lost_writes"] &[Count], Optional(&[Mean, Min, Max, Statistic::Sd]), Nothing,
        "Acknowledged writes that are gone.";
    Conflicts ["conflicts"] &[Count], Never, Nothing, "Writes that another primary's write undid.";
    ShardUtilization ["shard" "utilization"] &[Ratio], Required(&[Mean, Min, Max, Cv]), Nothing,
        "Utilisation over the shards.";
    ShardKeys ["shard" "keys"] &[Count], Required(&[Cv, MaxOverMean]), Nothing,
        "Keys over the shards.";
    Backlog ["backlog"] &[Count], Required(LEVEL), Nothing,
        "Messages not completed; of a database, writes that replicas have not applied.";
    Age ["age"] &[Time], Required(SAMPLE), Nothing, "Age of a message when it is completed.";
    Deliveries ["deliveries"] &[Count], Required(&[Mean, Max, Statistic::Count]), Nothing,
        "Deliveries of one message.";
    DeadLettered ["dead_lettered"] &[Count], Never, Nothing, "Messages given up.";
    LostSessions ["lost_sessions"] &[Count], Never, Nothing, "Sessions lost with their server.";
    Egress ["egress"] &[Bandwidth], Single, Nothing, "Bytes sent out.";
    DetectTime ["detect_time"] &[Time], Optional(SAMPLE), Nothing,
        "From the start of a fault until it was seen.";
    MitigateTime ["mitigate_time"] &[Time], Optional(SAMPLE), Nothing,
        "From the start of a fault until it was worked around.";
    RecoveryTime ["recovery_time"] &[Time], Optional(SAMPLE), Nothing,
        "From the end of a fault until all is as before.";
    DrainTime ["drain_time"] &[Time], Optional(SAMPLE), Nothing,
        "From the end of a fault until its backlog is gone.";
    Errors ["errors"] &[Count], Optional(&[Mean, Min, Max]), Nothing,
        "Requests that failed because of a fault.";
    BudgetBurnt ["budget_burnt"] &[Ratio, Factor], Never, Nothing,
        "Share of the error budget used up.";
    Moved ["moved"] &[Ratio], Never, Nothing, "Share of the data that moved.";
    Verdict ["verdict"] &[Outcome], Never, Nothing, "What became of the system after a fault.";
    CostMonth ["cost" "month"] &[Money], Never, Nothing, "What a month costs, in dollars.";
    CostPerMillion ["cost" "per_million"] &[Money], Never, Nothing,
        "What a million answered requests cost, in dollars.";
}

impl Metric {
    /// The row of the metric in [`METRICS`].
    pub fn word(self) -> &'static MetricWord {
        let row = &METRICS[self as usize];
        debug_assert_eq!(row.metric, self);
        row
    }
}

/// Words of other tools and plain habits, and what they are called here.
pub const ALIASES: [(&str, &str); 24] = [
    ("avg", "mean"),
    ("average", "mean"),
    ("med", "p50"),
    ("median", "p50"),
    ("stddev", "sd"),
    ("std", "sd"),
    ("minimum", "min"),
    ("maximum", "max"),
    ("p100", "max"),
    ("p0", "min"),
    ("p999", "p99.9"),
    ("p9999", "p99.99"),
    ("last", "end"),
    ("rps", "throughput"),
    ("qps", "throughput"),
    ("tps", "throughput"),
    ("uptime", "availability"),
    ("errors_rate", "error_rate"),
    ("failure_rate", "error_rate"),
    ("cpu", "utilization"),
    ("load", "utilization"),
    ("response_time", "sojourn"),
    ("waiting", "wait"),
    ("queue_length", "queue"),
];

/// What became of the system after a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultOutcome {
    /// Nobody noticed.
    NoEffect,
    /// Back to normal as soon as the cause was gone.
    Recovered,
    /// Back to normal some time after the cause was gone.
    RecoveredLate,
    /// Still not normal at the end: a metastable failure.
    DidNotRecover,
}

impl FaultOutcome {
    /// Every outcome and its word.
    pub const WORDS: [(&'static str, FaultOutcome); 4] = [
        ("no_effect", FaultOutcome::NoEffect),
        ("recovered", FaultOutcome::Recovered),
        ("recovered_late", FaultOutcome::RecoveredLate),
        ("did_not_recover", FaultOutcome::DidNotRecover),
    ];

    /// The outcome of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(name, _)| *name == word).map(|&(_, outcome)| outcome)
    }

    /// The word of the outcome.
    pub fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, outcome)| *outcome == self);
        found.expect("every outcome has a word").0
    }
}

/// Whether no operation, component or fault may have this name.
pub fn is_reserved(word: &str) -> bool {
    const PLACES: [&str; 11] = [
        "users",
        "all",
        "none",
        "any",
        "default",
        "unlimited",
        "auto",
        "primary",
        "replica",
        "shard",
        "zone",
    ];
    PLACES.contains(&word)
        || Statistic::of(word).is_some()
        || METRICS.iter().any(|row| row.words.first() == Some(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_one_row_and_words_of_its_own() {
        for (index, row) in METRICS.iter().enumerate() {
            assert_eq!(row.metric.word().name(), row.name());
            assert!(!row.dimensions.is_empty() && row.about.ends_with('.'), "{}", row.name());
            assert!(METRICS[..index].iter().all(|other| other.words != row.words));
            assert!(row.words.iter().all(|word| Statistic::of(word).is_none()), "{}", row.name());
        }
    }

    #[test]
    fn aliases_lead_to_words_that_exist_from_words_that_do_not() {
        for (alias, word) in ALIASES {
            let known = |word| Statistic::of(word).is_some() || is_reserved(word);
            assert!(known(word) && !known(alias), "{alias} -> {word}");
        }
    }

    #[test]
    fn statistics_and_outcomes_find_their_words() {
        for (word, statistic) in Statistic::WORDS {
            assert_eq!((Statistic::of(word), statistic.word()), (Some(statistic), word));
        }
        for (word, outcome) in FaultOutcome::WORDS {
            assert_eq!((FaultOutcome::of(word), outcome.word()), (Some(outcome), word));
        }
        assert_eq!(Statistic::P999.quantile(), Some(0.999));
    }

    #[test]
    fn metric_and_statistic_names_are_reserved() {
        for word in ["p99", "p99.9", "wait", "cost", "queue", "primary", "end"] {
            assert!(is_reserved(word), "{word}");
        }
        for word in ["web", "view", "month", "timeout"] {
            assert!(!is_reserved(word), "{word}");
        }
    }
}
