//! Losses: a web server, next to nothing at stage 2, everything at stage 1; the primary of stage 3.
//!
//! The server is dead for most of a short run, so a share of the whole run is stricter here than
//! over the ten minutes of the file.

use super::ladder::say;
use super::trial::{Trial, disagreement};
use simscale::experiment::verdict::Verdict;
use std::time::Instant;

/// One run with a crash in it.
struct Loss {
    what: &'static str,
    stage: &'static str,
    settings: &'static [&'static str],
    /// All of which holds.
    expect: &'static str,
}

const ONE_OF_TEN: &str = "faults.dies={ at: 3s, for: 12s, crash: web.3 }";
const SILENTLY: &str = "faults.dies={ at: 3s, for: 12s, crash: web.3, silently: true }";
const THE_ONE: &str = "faults.dies={ at: 3s, for: 12s, crash: web }";

const NO_REPEATS: &str = "components.lb.calls.web.retries=0";
const NO_CHECKS: &str = "components.lb.health_check=none";

const PRIMARY: &str = "faults.dies={ at: 3s, for: 12s, crash: db.primary }";
const SWIFT: &str = "components.db.failover={ detect: 2s, promote: 2s, redirect: 1s }";
const NOBODY: &str = "components.db.failover=null";
const BEHIND: &str = "components.db.replication.delay=500ms";
const SEMI_SYNC: &str = "components.db.replication.mode=semi_sync";

const LOSSES: [Loss; 11] = [
    Loss {
        what: "stage 2 loses less than 0.1 % with one of its ten web servers",
        stage: "stage2",
        settings: &[ONE_OF_TEN],
        expect: "error_rate < 0.1%, error_rate < 0.1% during dies, \
                 web.arrivals / lb.arrivals < 1.3",
    },
    Loss {
        what: "so it does when the server dies silently",
        stage: "stage2",
        settings: &[SILENTLY],
        expect: "error_rate < 0.1%, error_rate < 0.1% during dies",
    },
    Loss {
        what: "without repeats it loses what it offers until the checks have seen it",
        stage: "stage2",
        settings: &[ONE_OF_TEN, NO_REPEATS],
        expect: "error_rate > 1%",
    },
    Loss {
        what: "without repeats and checks the dead server draws requests to the end",
        stage: "stage2",
        settings: &[ONE_OF_TEN, NO_REPEATS, NO_CHECKS],
        expect: "error_rate > 30% during dies",
    },
    Loss {
        what: "repeats alone hide the loss, but most requests knock at the dead server first",
        stage: "stage2",
        settings: &[ONE_OF_TEN, NO_CHECKS],
        expect: "error_rate < 0.1% during dies, web.arrivals / lb.arrivals > 1.3",
    },
    Loss {
        what: "the crash of stage 1's one web server is a total outage",
        stage: "stage1",
        settings: &[THE_ONE],
        expect: "error_rate > 99% during dies",
    },
    Loss {
        what: "without the crash stage 1 loses nothing",
        stage: "stage1",
        settings: &[],
        expect: "error_rate < 0.1%",
    },
    Loss {
        what: "when stage 3's primary dies, reads go on, and posts after the failover",
        stage: "stage3",
        settings: &[PRIMARY, SWIFT],
        expect: "view.error_rate < 0.1%, post.error_rate > 20%, post.error_rate < 36%",
    },
    Loss {
        what: "without failover nobody posts until the primary is back",
        stage: "stage3",
        settings: &[PRIMARY, NOBODY],
        expect: "view.error_rate < 0.1%, post.error_rate > 58%, post.error_rate < 76%",
    },
    Loss {
        what: "what no replica had received is lost",
        stage: "stage3",
        settings: &[PRIMARY, SWIFT, BEHIND],
        expect: "dies.lost_writes > 3",
    },
    Loss {
        what: "a writer that waits for a replica loses nothing",
        stage: "stage3",
        settings: &[PRIMARY, SWIFT, BEHIND, SEMI_SYNC],
        expect: "dies.lost_writes == 0",
    },
];

#[test]
fn losing_a_machine_costs_what_the_stage_says() {
    let clock = Instant::now();
    let mut wrong = Vec::new();
    for loss in &LOSSES {
        let expect = format!("expect=[ {} ]", loss.expect);
        let trial = Trial::of(loss.stage).brief().with(loss.settings).with(&[&expect]);
        wrong.extend(disagreement(loss.what, Verdict::Holds, &trial.run()));
    }
    say(clock, "the loss of a server");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
