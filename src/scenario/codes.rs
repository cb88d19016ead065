//! The codes of the mistakes that the higher floors find, with their long explanations.
//!
//! `language::codes` has those of reading and decoding; `explain E0501` searches both.

use crate::language::codes::Code;

/// Every code that is not of the language's own floor, in order.
pub const CODES: &[Code] = &[
    Code {
        id: "E0301",
        title: "too few or too many parameters of a distribution",
        text: "A distribution is fixed by a certain number of parameters, for example a mean and \
               one measure of spread. Fewer leave it open, more contradict each other.",
    },
    Code {
        id: "E0302",
        title: "no such distribution",
        text: "The parameters exclude each other: a p99 below the mean, a negative spread, \
               percentiles that fall.",
    },
    Code {
        id: "E0303",
        title: "an impossible load",
        text: "The arrivals or the profile cannot be as written: no time at all, no load ever, \
               steps out of order.",
    },
    Code {
        id: "E0401",
        title: "not an expression",
        text: "An expression reads `[ADDRESS.]METRIC[.STATISTIC] < VALUE`, with `within TOL` after \
               `==` and `during`, `outside` or `after` a window.",
    },
    Code {
        id: "E0402",
        title: "no such metric or statistic",
        text: "The word is neither a metric nor a statistic, or the metric needs a statistic: a \
               latency has many, so `p99` or `mean` must be said.",
    },
    Code {
        id: "E0403",
        title: "words that do not fit together",
        text: "The metric, its statistic, the comparison or the window do not go together.",
    },
    Code {
        id: "E0404",
        title: "not a value of this metric",
        text: "The value has another dimension than the metric: a latency is compared with a \
               duration, a ratio with a percentage, a rate with `…/s`.",
    },
    Code {
        id: "E0501",
        title: "unknown name",
        text: "Nothing in the scenario has this name. Instances are numbered from 1: `web.3`.",
    },
    Code {
        id: "E0502",
        title: "a data set without a home",
        text: "A step names a data set, and goes to the component where that lives. \
               `data: { profiles: { in: db } }` says where.",
    },
    Code {
        id: "E0503",
        title: "a policy for a call that is never made",
        text: "`calls:` says what a component does about its calls to a target. Without such a \
               call the policy would silently have no effect.",
    },
    Code {
        id: "E0504",
        title: "values that cannot be together",
        text: "Each value is well formed, but together, or for this key, they make no system: zero \
               cores, a negative weight, a priority of 12, preemption without priorities.",
    },
    Code {
        id: "E0505",
        title: "one name, two meanings",
        text: "Operations, components, data sets, hosts and faults share one name space, so that a \
               name means one thing in every expression.",
    },
    Code {
        id: "E0506",
        title: "a reserved name",
        text: "The word has a meaning of its own in expressions or addresses.",
    },
    Code {
        id: "E0507",
        title: "calls that never end",
        text: "A component calls itself, directly or through others, while it handles the same \
               operation. Such a request could never be answered.",
    },
    Code {
        id: "E0508",
        title: "an operation without a handler",
        text: "Requests of this operation reach the service, which has steps for others only and \
               no `default`.",
    },
    Code {
        id: "E0509",
        title: "no load, or two",
        text: "Exactly one of these says how much comes: `count` with `each` (open, by person), \
               `rate` (open, all together), `count` with `think` (closed loop).",
    },
    Code {
        id: "E0510",
        title: "users for whom no time passes",
        text: "People of a closed loop who do not think and are answered (or rejected) within no \
               time send their next request at the same instant. The clock would never move on.",
    },
    Code {
        id: "E0601",
        title: "a file that cannot be read",
        text: "The scenario, or a file that it extends, is not there or may not be read. The path \
               in `extends` is relative to the file that it stands in.",
    },
    Code {
        id: "E0602",
        title: "files that extend each other in a circle",
        text: "A file extends one base, which may extend another, down to a file that extends \
               none. Here the chain comes back to a file that is already in it.",
    },
    Code {
        id: "E0603",
        title: "no such point",
        text: "`--point NAME` runs one of the named points of `sweep: { points: [ ... ] }`.",
    },
    Code {
        id: "E0604",
        title: "two points of one name",
        text: "Every point of a sweep is addressed by its name, in expectations and with \
               `--point`. A point without a name is called `point_1`, `point_2` and so on.",
    },
    Code {
        id: "W0301",
        title: "modulation that changes the mean rate",
        text: "The factors of the states, weighted by how long each lasts, usually average to 1x.",
    },
    Code {
        id: "W0401",
        title: "another tool's spelling",
        text: "The expression is understood; the message shows how it is written here.",
    },
    Code {
        id: "W0501",
        title: "more load than capacity",
        text: "The expected work per second exceeds the cores. Queues grow until requests are \
               rejected or give up. That may be what you want to show.",
    },
    Code {
        id: "W0502",
        title: "a timeout below the time needed",
        text: "Even with nothing else going on the average call takes longer than its timeout.",
    },
    Code {
        id: "W0503",
        title: "pools larger than the database",
        text: "All callers together may ask for more connections than the database has.",
    },
    Code {
        id: "W0504",
        title: "a pool smaller than its workers",
        text: "Workers wait for connections while they are held, so the pool limits the service.",
    },
    Code {
        id: "W0505",
        title: "repeats that multiply",
        text: "Several layers repeat failed calls: one failing request becomes the product of \
               their tries at the bottom, just when that is overloaded.",
    },
    Code {
        id: "W0506",
        title: "nothing of it in the run",
        text: "A fault, a spike or the peak of a day lies after the end of the measured time, so \
               the run says nothing about it.",
    },
    Code {
        id: "W0507",
        title: "nothing uses it",
        text: "A host without a component, a data set that nothing reads or writes, or a component \
               that no call reaches. It costs nothing and changes nothing; a file that is extended \
               may have more than one of its variants needs.",
    },
    Code {
        id: "W0508",
        title: "a hit ratio that does not react",
        text: "The share of hits is given and not simulated: it stays what it is after a restart, \
               under another load, and when an item is written or expires.",
    },
    Code {
        id: "W0509",
        title: "sessions in memory that nobody finds",
        text: "A service keeps sessions in the memory of its instances, and what calls it chooses \
               an instance anew for each request. All but one in as many as there are instances \
               find no session and begin with a login, or fail.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_unique() {
        assert!(CODES.windows(2).all(|pair| pair[0].id < pair[1].id));
    }
}
