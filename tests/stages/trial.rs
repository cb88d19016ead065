//! A stage's file run with other values laid over it, as `--set` does.

use simscale::experiment::summary::Summary;
use simscale::experiment::verdict::Verdict;
use simscale::experiment::{Control, Experiment, Extend, prepare};
use simscale::language::{Decode, Diagnostics, Node, RenderOptions, path, render};
use simscale::scenario::document::ClaimConfig;
use simscale::scenario::file::{Loaded, Request, load};
use simscale::scenario::layers::Setting;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Requests that a user sends per second: 0.01 pages, of which 95 in 100 bring six files.
const USER_RPS: f64 = 0.01 * (1.0 + 0.95 * 6.0);
/// Requests of one replication. One that leaves a verdict open gets more replications.
const REQUESTS: f64 = 50_000.0;
/// So long at most: a single user would take days to send as many.
const DURATION_MAX_S: f64 = 4.0 * 3600.0;

/// What a stage with a day goes without in a trial, which is short and all of it the peak: requests
/// come at its rate from the start, instead of visits that begin with the run, and the servers are
/// as many as the autoscaler may order.
const PEAK: [&str; 7] = [
    "users.profile",
    "users.sessions",
    "users.operations.sign_in",
    "components.sessions",
    "components.web.sessions",
    "components.web.autoscale",
    "components.web.handle.sign_in",
];

/// Requests simulated by all trials, for the line that says what they cost.
static SIMULATED: AtomicU64 = AtomicU64::new(0);

/// What makes a run of tens of thousands of requests of any stage that has something happen in it.
/// Nothing is promised, so nothing makes the run longer.
const BRIEF: [&str; 4] = ["slo=null", "run.duration=18s", "run.warmup=2s", "run.replications=4"];

/// A stage's file, or a text beside it, and what is laid over it.
#[derive(Clone)]
pub struct Trial {
    stage: String,
    text: Option<String>,
    settings: Vec<String>,
}

impl Trial {
    /// The stage as it is.
    pub fn whole(stage: &str) -> Trial {
        Trial { stage: stage.to_owned(), text: None, settings: Vec::new() }
    }

    /// A scenario that stands in no file.
    pub fn text(name: &str, text: &str) -> Trial {
        Trial { text: Some(text.to_owned()), ..Trial::whole(name) }
    }

    /// The same, but for its faults, changes and expectations.
    pub fn of(stage: &str) -> Trial {
        let trial = Trial::whole(stage);
        let tree = &trial.load().scenarios[0].tree;
        let written = |key: &&str| path::get(tree, key).is_some();
        let without = ["faults", "changes", "expect"].into_iter().filter(written);
        let mut settings: Vec<String> = without.map(|key| format!("{key}=null")).collect();
        if let Some(most) = path::get(tree, "components.web.autoscale.max") {
            let there = PEAK.into_iter().filter(written);
            settings.extend(there.map(|key| format!("{key}=null")));
            let Node::Text { text, .. } = &most.value else {
                panic!("{stage}: a number of servers")
            };
            settings.push(format!("components.web.instances={text}"));
        }
        Trial { settings, ..trial }
    }

    /// The same with more values laid over it.
    pub fn with<S: ToString>(mut self, settings: &[S]) -> Trial {
        self.settings.extend(settings.iter().map(ToString::to_string));
        self
    }

    /// The same, short and without promises.
    pub fn brief(self) -> Trial {
        self.with(&BRIEF)
    }

    /// The same with so many users, for as long as a trial needs.
    pub fn users(self, count: u64) -> Trial {
        // A stage that is shrunk sends as many requests in a longer time.
        let shrink = self.load().scenarios[0].scenario.settings.shrink;
        let seconds = (REQUESTS * shrink / (USER_RPS * count as f64)).min(DURATION_MAX_S);
        let (users, duration) = (format!("users.count={count}"), format!("{seconds:.3}s"));
        self.with(&[users, format!("run.duration={duration}")])
            .with(&["run.replications=6", "run.warmup={ share: 20% }"])
    }

    /// What the stage's header promises.
    pub fn claim(&self) -> ClaimConfig {
        let loaded = self.load();
        let claim = path::get(&loaded.scenarios[0].tree, "claim").expect("a stage has a claim");
        ClaimConfig::decode(claim, &mut Diagnostics::new()).expect("the stage is valid")
    }

    /// What can be run.
    pub fn experiment(&self) -> Experiment {
        let mut loaded = self.load();
        let experiment = prepare(&mut loaded, &self.stage).pop();
        experiment.unwrap_or_else(|| panic!("{}", self.mistakes(&loaded)))
    }

    /// Runs it on one thread, longer while a verdict on an SLO is open.
    pub fn run(&self) -> Summary {
        let experiment = self.experiment();
        let control = Control { extend: Extend::Slo, ..Control::default() };
        let outcome = experiment.run(control).unwrap_or_else(|error| panic!("{error}"));
        count(&outcome.summary);
        outcome.summary
    }

    fn load(&self) -> Loaded {
        let file = format!("scenarios/{}.yaml", self.stage);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let settings = Setting::numbered(&self.settings);
        let path = path.to_string_lossy();
        let request = Request { path: &path, settings: &settings, point: None };
        let loaded = load(request, &mut |opened| match &self.text {
            Some(text) if opened == path => Ok(text.clone().into_bytes()),
            _ => std::fs::read(opened),
        });
        assert!(!loaded.scenarios.is_empty(), "{}", self.mistakes(&loaded));
        loaded
    }

    fn mistakes(&self, loaded: &Loaded) -> String {
        let text = render(&loaded.sources, &loaded.diagnostics, RenderOptions::default());
        format!("{} with {:?}:\n{text}", self.stage, self.settings)
    }
}

/// What a row of a table says of a run, against what came out; none where they agree.
pub fn disagreement(what: &str, expected: Verdict, summary: &Summary) -> Option<String> {
    let judged = || summary.slo.iter().chain(&summary.expect);
    assert!(judged().next().is_some(), "{what}: nothing is judged");
    let found = Verdict::all(judged().map(|one| one.verdict));
    if found == expected {
        return None;
    }
    let lines = judged()
        .map(|one| format!("\n    {}: {}: {:?}", one.verdict.word(), one.expression, one.value));
    let (found, expected) = (found.word(), expected.word());
    Some(format!("{what}: {found}, not {expected}{}", lines.collect::<String>()))
}

/// Adds a run to what was simulated.
pub fn count(summary: &Summary) {
    SIMULATED.fetch_add(summary.overall.requests, Ordering::Relaxed);
}

/// Requests simulated so far.
pub fn simulated() -> u64 {
    SIMULATED.load(Ordering::Relaxed)
}
