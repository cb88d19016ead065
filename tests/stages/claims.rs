//! The sentences of the ladder as rows of `claims.yaml`: two runs that differ by one key, and a
//! figure that differs by more than a least effect.
//!
//! A row holds when the whole 95 % interval of the paired difference lies beyond its least effect.
//! It has a control, in which what it is about is switched off on both sides, and there it must not
//! hold: a row that held there would be about something else.

use super::ladder::say;
use super::trial::{Trial, count};
use serde::Deserialize;
use simscale::experiment::Control;
use simscale::experiment::compare::{GateVerdict, Kinship};
use simscale::experiment::contest::{Contender, contest};
use simscale::experiment::gate::Gate;
use simscale::experiment::statistics::Value;
use simscale::experiment::verdict::Verdict;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Instant;

/// What makes the rows of all files cheap: a million profiles take longer to lay into a warm cache
/// than a short run takes.
const SMALL: [&str; 2] = ["run.replications=6", "data.profiles.items=20K"];

/// All rows, and the sentences that they stand for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    /// By stage, what its scenario must make visible.
    sentences: BTreeMap<u32, Vec<String>>,
    /// Those of them that nothing can be said about yet.
    later: Vec<Later>,
    /// By file, what makes it smaller without making it another system.
    short: BTreeMap<String, Vec<String>>,
    /// The rows.
    claims: Vec<Claim>,
}

/// A sentence without a row.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Later {
    stage: u32,
    sentence: String,
    why: String,
}

/// A row.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    /// Its stage and number: `S2-03`.
    id: String,
    /// The sentence that it stands for.
    sentence: String,
    /// What it says.
    says: String,
    /// A file under `scenarios/`, without its ending and made short (see [`Trial`]).
    file: Option<String>,
    /// Instead of a file, the scenario; it runs as it is written.
    scenario: Option<String>,
    /// Values laid over both sides.
    #[serde(default)]
    settings: Vec<String>,
    /// What the other side has, and nothing else.
    change: String,
    /// The figure, the direction and the least effect, written like a gate.
    effect: String,
    /// An SLO laid over both sides, so that its measured side is a figure.
    measure: Option<String>,
    /// Values laid over both sides that switch off what the row is about.
    control: Vec<String>,
    /// Why there is no effect then.
    control_says: String,
}

impl Claims {
    fn read() -> Claims {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stages/claims.yaml");
        let text = std::fs::read_to_string(path).expect("the rows are there");
        serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("claims.yaml: {error}"))
    }
}

impl Claim {
    /// The stage that its id names.
    fn stage(&self) -> u32 {
        let stage = self.id.strip_prefix('S').and_then(|id| id.split_once('-')).map(|id| id.0);
        let stage = stage.and_then(|stage| stage.parse().ok());
        stage.unwrap_or_else(|| panic!("`{}` is no stage and number", self.id))
    }

    /// Both sides.
    fn sides(&self, short: &BTreeMap<String, Vec<String>>, control: bool) -> [Trial; 2] {
        let trial = match (&self.file, &self.scenario) {
            (Some(file), None) => {
                let short = short.get(file).unwrap_or_else(|| panic!("{file} is not made short"));
                Trial::of(file).brief().with(&SMALL).with(short)
            }
            (None, Some(text)) => Trial::text(&self.id, text),
            _ => panic!("{}: a row has either a file or a scenario", self.id),
        };
        let measure = self.measure.iter().map(|line| format!("slo=[ {line} ]"));
        let trial = trial.with(&measure.collect::<Vec<_>>()).with(&self.settings);
        let trial = if control { trial.with(&self.control) } else { trial };
        [trial.clone(), trial.with(&[&self.change])]
    }

    /// What becomes of the effect; `Fails` is the word of a gate for an effect that is proven.
    fn judge(&self, short: &BTreeMap<String, Vec<String>>, control: bool) -> GateVerdict {
        let sides = self.sides(short, control).map(|side| side.experiment());
        let digests = sides.each_ref().map(|side| side.settings.scenario.digest.clone());
        assert_ne!(digests[0], digests[1], "{}: `{}` changes nothing", self.id, self.change);
        let contenders = sides.map(|experiment| Contender::Run {
            label: self.id.clone(),
            experiment: experiment.into(),
        });
        let wrong = |error: &dyn std::fmt::Display| -> ! { panic!("{}: {error}", self.id) };
        let gate = Gate::parse(&self.effect).unwrap_or_else(|error| wrong(&error));
        let contest = contest(&contenders, &[gate], Control::default());
        let mut contest = contest.unwrap_or_else(|error| wrong(&error));
        contest.summaries.iter().flatten().for_each(count);
        let versus = &mut contest.comparison.others[0];
        assert_ne!(versus.kinship, Kinship::Apart, "{}: both sides have one seed", self.id);
        versus.gates.pop().expect("there is one gate")
    }
}

/// How far a figure goes beyond the least effect, with the interval.
fn beyond(gate: &GateVerdict) -> String {
    let unit = gate.unit.word();
    match (gate.excess.mean, gate.excess.ci95) {
        (Value::Finite(mean), Some([low, high])) => {
            format!("{mean:.4} [{low:.4}, {high:.4}] {unit}")
        }
        (mean, _) => format!("{mean:?} {unit}"),
    }
}

/// Walks the rows of two stages.
fn walk(stages: RangeInclusive<u32>) {
    let clock = Instant::now();
    let Claims { short, claims, .. } = Claims::read();
    let mut wrong = Vec::new();
    for claim in claims.iter().filter(|claim| stages.contains(&claim.stage())) {
        let began = clock.elapsed();
        let [effect, control] = [false, true].map(|control| claim.judge(&short, control));
        let took = (clock.elapsed() - began).as_secs_f64();
        let (id, said) = (&claim.id, &claim.effect);
        let [found, without] = [&effect, &control].map(beyond);
        let line =
            format!("{id}: {said}: beyond by {found}; in the control {without}; {took:.1} s");
        println!("{line}");
        if effect.verdict != Verdict::Fails {
            wrong.push(format!("{id} is not proven: {}\n    {line}", claim.says));
        }
        if control.verdict == Verdict::Fails {
            wrong.push(format!(
                "{id} is about something else: it holds although {}\n    {line}",
                claim.control_says,
            ));
        }
    }
    say(clock, &format!("claims {} and {}", stages.start(), stages.end()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_claims_of_one_server_and_of_two_hold() {
    walk(0..=1);
}

#[test]
fn the_claims_of_balancers_and_replicas_hold() {
    walk(2..=3);
}

#[test]
fn the_claims_of_caches_and_edges_hold() {
    walk(4..=5);
}

#[test]
fn the_claims_of_sessions_and_regions_hold() {
    walk(6..=7);
}

#[test]
fn each_sentence_of_the_ladder_has_a_claim_or_a_reason() {
    let Claims { sentences, later, claims, .. } = Claims::read();
    let ids: Vec<&str> = claims.iter().map(|claim| claim.id.as_str()).collect();
    assert!(ids.is_sorted_by(|one, next| one < next), "ids are unique and sorted: {ids:?}");
    let all: BTreeSet<(u32, &str)> = sentences
        .iter()
        .flat_map(|(stage, list)| list.iter().map(|sentence| (*stage, sentence.as_str())))
        .collect();
    let claimed: BTreeSet<(u32, &str)> =
        claims.iter().map(|claim| (claim.stage(), claim.sentence.as_str())).collect();
    let put_off: BTreeSet<(u32, &str)> =
        later.iter().map(|one| (one.stage, one.sentence.as_str())).collect();
    assert!(claimed.is_disjoint(&put_off), "a sentence with a row is not put off");
    assert_eq!(&claimed | &put_off, all);
    let texts = claims.iter().flat_map(|claim| [&claim.says, &claim.control_says]);
    let texts = texts.chain(later.iter().map(|one| &one.why));
    assert!(texts.into_iter().all(|text| !text.is_empty()), "every row says what it is about");
    assert!(claims.iter().all(|claim| !claim.control.is_empty()), "every row has a control");
}
