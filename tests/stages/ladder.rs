//! The ladder: each stage holds at its number; the one before it does not, even doubled, or the
//! header says that it does.
//!
//! *Doubled* is read in favour of the smaller stage. What one machine does has no second place to
//! run before there is a balancer, so stages 0 and 1 get every machine twice as large instead:
//! twice the cores and twice the workers, in all tiers. Two web servers of the old size, which
//! users would have to find by themselves, have no more cores than that.

use super::trial::{Trial, disagreement, simulated};
use simscale::experiment::verdict::Verdict::{self, Fails, Holds};
use std::io::Write;
use std::time::Instant;

/// One rung.
struct Rung {
    stage: &'static str,
    /// The number of users that it is there for.
    users: u64,
    /// Everything that could be had twice, twice.
    doubled: &'static [&'static str],
    /// Whether that does for the next stage's number.
    then: Verdict,
    /// What limits it at three times its number, where that is something else than at its number.
    overloaded: Option<&'static str>,
    /// What the claim says gives way first, twice; none where that is not enough by itself.
    relieved: &'static [&'static str],
    /// Everything else, twice.
    rest: &'static [&'static str],
}

const LADDER: [Rung; 8] = [
    Rung {
        stage: "stage0",
        users: 1_000,
        doubled: &["hosts.box.cores=2", "components.web.workers=20"],
        then: Fails,
        overloaded: None,
        relieved: &["hosts.box.cores=2"],
        rest: &["components.web.workers=20", "components.db.connections=200"],
    },
    Rung {
        stage: "stage1",
        users: 10_000,
        doubled: &[
            "components.web.machine.cores=8",
            "components.web.workers=20",
            "components.db.machine.cores=4",
        ],
        then: Fails,
        overloaded: None,
        relieved: &["components.web.machine.cores=8", "components.web.workers=20"],
        rest: &["components.db.machine.cores=4", "components.db.connections=200"],
    },
    Rung {
        stage: "stage2",
        users: 100_000,
        doubled: &["components.web.instances=20", "components.db.machine.cores=8"],
        then: Fails,
        overloaded: None,
        relieved: &["components.web.instances=20"],
        rest: &["components.lb.machine.cores=4", "components.db.machine.cores=8"],
    },
    Rung {
        stage: "stage3",
        users: 500_000,
        doubled: &[
            "components.web.instances=86",
            "components.db.replicas=6",
            "components.lb.machine.cores=8",
        ],
        // The header of stage 4 says so: replicas are a dearer way to the same number.
        then: Holds,
        overloaded: None,
        relieved: &[],
        rest: &["components.lb.machine.cores=8", "components.db.replicas=6"],
    },
    Rung {
        stage: "stage4",
        users: 1_000_000,
        doubled: &["components.web.instances=172", "components.cache.instances=4"],
        // The line to the outside has no second place.
        then: Fails,
        // Pages that fail load no files.
        overloaded: Some("web"),
        relieved: &[],
        rest: &["components.web.instances=172", "components.cache.instances=4"],
    },
    Rung {
        stage: "stage5",
        users: 1_500_000,
        doubled: &["components.web.instances=258", "components.cache.instances=4"],
        // As stage 6 says: it is about servers that may die and be sent away.
        then: Holds,
        overloaded: None,
        // Then it is the primary's turn.
        relieved: &[],
        rest: &["components.lb.machine.cores=16", "components.cache.instances=4"],
    },
    Rung {
        stage: "stage6",
        users: 2_000_000,
        doubled: &["components.web.instances=400", "components.cache.instances=4"],
        // Its database is too small; with a larger one it would, as stage 7 says.
        then: Fails,
        overloaded: None,
        relieved: &[],
        rest: &["components.lb.machine.cores=16", "components.cache.instances=4"],
    },
    Rung {
        stage: "stage7",
        users: 5_000_000,
        doubled: &[],
        then: Holds,
        overloaded: None,
        relieved: &["components.web.instances=800"],
        rest: &["components.lb.machine.cores=16", "components.cache.instances=4"],
    },
];

/// What a stage adds, taken away or given to another.
struct Control {
    what: &'static str,
    stage: &'static str,
    users: u64,
    settings: &'static [&'static str],
    verdict: Verdict,
}

const CONTROLS: [Control; 12] = [
    Control {
        what: "without the database, the box of stage 0 carries what was too much for it",
        stage: "stage0",
        users: 3_000,
        settings: &["components.db.host=null", "components.db.machine={ cores: 1 }"],
        verdict: Holds,
    },
    Control {
        what: "a box with four cores carries stage 1's number: its header says so",
        stage: "stage0",
        users: 10_000,
        settings: &["hosts.box.cores=4"],
        verdict: Holds,
    },
    Control {
        what: "web servers of half the number do not carry stage 2's number",
        stage: "stage2",
        users: 100_000,
        settings: &["components.web.instances=5"],
        verdict: Fails,
    },
    Control {
        what: "one web server behind the balancer does not carry twice what it does without",
        stage: "stage2",
        users: 20_000,
        settings: &["components.web.instances=1"],
        verdict: Fails,
    },
    Control {
        what: "one web server behind the balancer carries what it does without",
        stage: "stage2",
        users: 10_000,
        settings: &["components.web.instances=1"],
        verdict: Holds,
    },
    Control {
        what: "one replica does not carry stage 3's reads",
        stage: "stage3",
        users: 500_000,
        settings: &["components.db.replicas=1"],
        verdict: Fails,
    },
    Control {
        what: "replicas do nothing for who reads from the primary",
        stage: "stage3",
        users: 500_000,
        settings: &["components.db.reads_from=primary"],
        verdict: Fails,
    },
    Control {
        what: "without the cache the database of stage 4 does not carry its reads",
        stage: "stage4",
        users: 1_000_000,
        settings: &["data.profiles.in=db", "components.web.calls.cache=null"],
        verdict: Fails,
    },
    Control {
        what: "without the CDN the line of stage 5 does not carry its files",
        stage: "stage5",
        users: 1_500_000,
        settings: &["users.operations.file.entry=null", "components.cdn=null"],
        verdict: Fails,
    },
    Control {
        what: "with a line of twice the width it would",
        stage: "stage5",
        users: 1_500_000,
        settings: &[
            "users.operations.file.entry=null",
            "components.cdn=null",
            "components.lb.machine.nic=50Gbit/s",
        ],
        verdict: Holds,
    },
    Control {
        what: "with a larger database and twice the servers stage 6 carries stage 7's number",
        stage: "stage6",
        users: 5_000_000,
        settings: &[
            "components.web.instances=400",
            "components.db.machine={ type: db.r5.4xlarge, disk: { iops: 12000 } }",
        ],
        verdict: Holds,
    },
    Control {
        what: "a cache of a hundredth of the profiles is too small",
        stage: "stage4",
        users: 1_000_000,
        settings: &["components.cache.capacity=10MB"],
        verdict: Fails,
    },
];

/// The name of a component without the region of the copy.
fn bare(name: &str) -> String {
    let copy = ["us.", "eu."].iter().find_map(|region| name.strip_prefix(region));
    copy.unwrap_or(name).to_owned()
}

fn run(wrong: &mut Vec<String>, what: &str, trial: &Trial, verdict: Verdict) {
    wrong.extend(disagreement(what, verdict, &trial.run()));
}

#[test]
fn each_stage_holds_at_its_number_and_what_the_one_before_it_does_doubled_is_said() {
    let clock = Instant::now();
    let mut wrong = Vec::new();
    for (index, rung) in LADDER.iter().enumerate() {
        let (stage, trial) = (rung.stage, Trial::of(rung.stage));
        let claim = trial.claim();
        let users = claim.users.value;
        assert_eq!(users.to, rung.users, "{stage}: the claim's upper number");
        if let Some(before) = index.checked_sub(1).map(|before| &LADDER[before]) {
            assert_eq!(users.from, before.users, "{stage}: it begins where the last one ends");
            let doubled = Trial::of(before.stage).with(before.doubled).users(rung.users);
            let what = format!("{} doubled at {stage}'s", before.stage);
            run(&mut wrong, &what, &doubled, before.then);
        }
        run(&mut wrong, &format!("{stage} at its least"), &trial.clone().users(users.from), Holds);
        let names = [(users.to, Holds), (3 * users.to, Fails)].map(|(count, verdict)| {
            let summary = trial.clone().users(count).run();
            wrong.extend(disagreement(&format!("{stage} at {count}"), verdict, &summary));
            let bottleneck = summary.bottleneck.expect("requests were answered");
            bare(&bottleneck.limits[0].component)
        });
        let first = claim.breaks_first.value.0.as_str();
        let limits = [first, rung.overloaded.unwrap_or(first)];
        assert_eq!(names, limits, "{stage}: what limits it, calm and overloaded");
    }
    say(clock, "ladder");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn twice_what_breaks_first_carries_three_times_the_number_and_twice_the_rest_does_not() {
    let clock = Instant::now();
    let mut wrong = Vec::new();
    for rung in &LADDER {
        let trial = Trial::of(rung.stage).users(3 * rung.users);
        let relieved = (!rung.relieved.is_empty()).then_some((rung.relieved, Holds));
        for (settings, verdict) in relieved.into_iter().chain([(rung.rest, Fails)]) {
            let what = format!("{} with {settings:?}", rung.stage);
            run(&mut wrong, &what, &trial.clone().with(settings), verdict);
        }
    }
    say(clock, "what breaks first");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_stage_adds_is_what_carries_it() {
    let clock = Instant::now();
    let mut wrong = Vec::new();
    for control in &CONTROLS {
        let trial = Trial::of(control.stage).users(control.users).with(control.settings);
        run(&mut wrong, control.what, &trial, control.verdict);
    }
    say(clock, "controls");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Not through the captured print, as for the cases of theory.
pub fn say(clock: Instant, what: &str) {
    let (seconds, requests) = (clock.elapsed().as_secs_f64(), simulated());
    let line = format!("stages, {what}: {seconds:.1} s, {requests} requests by all so far\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}
