//! The larger stages and their variants as they are shipped, with their days, crashes, purges and
//! outages: what their authors expect is what happens.

use super::ladder::say;
use super::trial::Trial;
use simscale::experiment::verdict::Verdict::{self, Fails, Holds};
use std::time::Instant;

/// One file.
struct File {
    stage: &'static str,
    /// What makes it shorter without making it another system.
    settings: &'static [&'static str],
    /// What becomes of the product's promises.
    slo: Verdict,
}

const ONE_REGION: [File; 5] = [
    File { stage: "stage4-write-behind", settings: &[], slo: Fails },
    File { stage: "stage5", settings: &["run.replications=2"], slo: Holds },
    File { stage: "stage6", settings: &["run.shrink=40x"], slo: Holds },
    File { stage: "stage6-sticky", settings: &[], slo: Holds },
    File { stage: "stage6-jwt", settings: &["run.shrink=40x"], slo: Holds },
];

const TWO_REGIONS: [File; 3] = [
    File { stage: "stage7", settings: &["run.replications=2"], slo: Holds },
    File { stage: "stage7-multi-primary", settings: &["run.replications=2"], slo: Holds },
    File { stage: "stage7-outage", settings: &["run.replications=2"], slo: Fails },
];

#[test]
fn the_files_of_one_region_do_what_their_authors_expect() {
    as_expected(&ONE_REGION);
}

#[test]
fn the_files_of_two_regions_do_what_their_authors_expect() {
    as_expected(&TWO_REGIONS);
}

fn as_expected(files: &[File]) {
    let clock = Instant::now();
    let mut wrong = Vec::new();
    for file in files {
        let summary = Trial::whole(file.stage).with(file.settings).run();
        let slo = Verdict::all(summary.slo.iter().map(|one| one.verdict));
        if slo != file.slo {
            wrong.push(format!("{}: the promises: {}", file.stage, slo.word()));
        }
        for one in summary.expect.iter().filter(|one| one.verdict != Holds) {
            let (word, said) = (one.verdict.word(), &one.expression);
            wrong.push(format!("{}: {word}: {said}: {:?}", file.stage, one.value));
        }
    }
    say(clock, "files");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
