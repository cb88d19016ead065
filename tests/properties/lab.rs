//! The bench on which properties are tried: a scenario as text, one replication of it, its notes.
//!
//! It goes through the public way from text to plan, and runs without the experiment around it, so
//! that what fails the audit is seen here and not as an error of a whole experiment.

use simscale::components::ComponentPlan;
use simscale::components::outcome::Failure;
use simscale::components::record::Note;
use simscale::components::service::Step;
use simscale::components::topology::{ComponentId, OperationId};
use simscale::engine::stream::DrawKey;
use simscale::experiment::{Experiment, Warmup, prepare};
use simscale::language::{RenderOptions, render};
use simscale::scenario::file::{Loaded, Request, load};
use simscale::scenario::layers::Setting;
use simscale::units::{Duration, Instant};
use simscale::world::users::load::Source;
use simscale::world::{Conditions, Observations, Plan, simulate, simulate_recorded};
use std::collections::BTreeMap;
use std::path::Path;

/// A scenario that can be run.
pub struct Lab {
    /// With its plan.
    pub experiment: Experiment,
}

/// What one replication came to.
pub struct Run {
    /// What the ledgers say.
    pub observed: Observations,
    /// What happened to each request, in order.
    pub notes: Vec<Note>,
}

/// One request as the notes tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its intended arrival.
    pub at: Instant,
    /// Who sent it.
    pub user: u32,
    /// What for.
    pub operation: OperationId,
}

impl Lab {
    /// Reads a text, or says what is wrong with it.
    pub fn read(text: &str) -> Result<Lab, String> {
        let request = Request { path: "system.yaml", ..Request::default() };
        Self::prepared(load(request, &mut |_| Ok(text.as_bytes().to_vec())))
    }

    /// Reads a file under `scenarios/` with values laid over it as by `--set`.
    pub fn open(file: &str, settings: &[String]) -> Lab {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(file);
        let settings = Setting::numbered(settings);
        let path = path.to_string_lossy();
        let request = Request { path: &path, settings: &settings, point: None };
        Self::prepared(load(request, &mut |path| std::fs::read(path)))
            .unwrap_or_else(|mistakes| panic!("{file}:\n{mistakes}"))
    }

    fn prepared(mut loaded: Loaded) -> Result<Lab, String> {
        let experiment = prepare(&mut loaded, "system.yaml").into_iter().next();
        let mistakes = || render(&loaded.sources, &loaded.diagnostics, RenderOptions::default());
        experiment.map(|experiment| Lab { experiment }).ok_or_else(mistakes)
    }

    /// What is simulated.
    pub fn plan(&self) -> &Plan {
        &self.experiment.plan
    }

    /// The first replication, with a warm-up of a second where the scenario leaves it open.
    pub fn conditions(&self) -> Conditions<'static> {
        let warmup = match self.experiment.settings.warmup {
            Warmup::Fixed(warmup) => warmup,
            Warmup::Auto | Warmup::AtLeast(_) => Duration(1_000_000_000),
        };
        let seed = self.experiment.settings.seed;
        Conditions { seed, replication: 0, warmup, faults: true, stop: None }
    }

    /// Runs the first replication with notes.
    pub fn run(&self) -> Run {
        self.run_under(self.conditions())
    }

    /// Runs one replication with notes.
    pub fn run_under(&self, conditions: Conditions<'_>) -> Run {
        let (observed, notes) = simulate_recorded(self.plan(), conditions);
        Run { observed, notes }
    }

    /// Runs the first replication without notes.
    pub fn observe(&self) -> Observations {
        simulate(self.plan(), self.conditions())
    }

    /// Whether users begin with an operation (else pages load it, at times that depend on others).
    pub fn begins(&self, operation: OperationId) -> bool {
        operation.index() < self.plan().users.bounds.len()
    }

    /// Whether requests come by themselves, whatever happened to the last ones.
    pub fn arrivals_are_open(&self) -> bool {
        matches!(self.plan().users.source, Source::Open { .. })
    }

    /// Whether a call does one thing after the other there. The branches of a `parallel` step work
    /// in the name of one call, in an order, and perhaps with a selection, that time decides.
    pub fn is_sequential(&self, component: ComponentId) -> bool {
        let parallel = |step: &Step| matches!(step, Step::Parallel { .. });
        match &self.plan().components[component.index() - 1] {
            ComponentPlan::Service(service) => !service.steps.iter().any(parallel),
            _ => true,
        }
    }

    /// Whether only calls queue there: in an event loop the branches of a call do, too, and may
    /// go on doing so for nobody when the call is answered.
    pub fn queues_calls_only(&self, name: &str) -> bool {
        let room = self.component(name).checked_sub(1).map(|room| &self.plan().components[room]);
        !matches!(room, Some(ComponentPlan::Service(service)) if service.asynchronous)
    }

    /// The number of a component.
    pub fn component(&self, name: &str) -> usize {
        let mut components = self.plan().topology.components.iter();
        components.position(|one| one.name == name).expect("the scenario has the component")
    }
}

impl Run {
    /// Every request by its key.
    pub fn sent(&self) -> BTreeMap<DrawKey, Sent> {
        let sent = self.notes.iter().filter_map(|note| match *note {
            Note::Sent { request, at, user, operation } => {
                Some((request, Sent { at, user, operation }))
            }
            _ => None,
        });
        sent.collect()
    }

    /// When and how each request ended, in the order of ending.
    pub fn ended(&self) -> impl Iterator<Item = (DrawKey, Instant, Option<Failure>)> {
        self.notes.iter().filter_map(|note| match *note {
            Note::Ended { request, at, failure } => Some((request, at, failure)),
            _ => None,
        })
    }
}
