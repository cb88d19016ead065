//! What the commands that read a scenario have in common: `--set`, and judging the file.

use super::files;
use crate::scenario::file::{self, Loaded, Request};
use crate::scenario::layers::Setting;
use clap::Args;
use std::thread::available_parallelism;

#[derive(Debug, Args)]
pub(super) struct Values {
    /// Another value at a path of the scenario, as YAML; `null` removes what is there. Repeatable.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    sets: Vec<String>,
}

impl Values {
    /// The settings in the order of the flags.
    pub(super) fn settings(&self) -> Vec<Setting> {
        Setting::numbered(&self.sets)
    }
}

/// How many threads a command may use.
#[derive(Debug, Args)]
pub(super) struct Threads {
    /// Threads; as many as there are cores when left out. Results do not depend on it.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
}

impl Threads {
    pub(super) fn number(&self) -> usize {
        let cores = || available_parallelism().map_or(1, usize::from);
        self.jobs.map_or_else(cores, usize::from)
    }
}

/// Flags that stand for keys of `run:`.
#[derive(Debug, Args)]
pub(super) struct RunKeys {
    /// Seed of all random numbers, instead of `run.seed`.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Independent repetitions, instead of `run.replications`.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    replications: Option<u32>,
    /// The measured time with its unit, instead of `run.duration`.
    #[arg(long)]
    duration: Option<String>,
    /// Add replications until the figure of every SLO is within so many percent, instead of
    /// `run.precision`.
    #[arg(long, value_name = "PERCENT")]
    precision: Option<String>,
}

impl RunKeys {
    /// The settings of the flags that were given.
    pub(super) fn settings(&self) -> Vec<Setting> {
        let keys = [
            ("seed", self.seed.map(|seed| seed.to_string())),
            ("replications", self.replications.map(|number| number.to_string())),
            ("duration", self.duration.clone()),
            ("precision", self.precision.clone()),
        ];
        let given = keys.into_iter().filter_map(|(key, value)| Some((key, value?)));
        given
            .map(|(key, value)| Setting {
                flag: format!("--{key}"),
                text: format!("run.{key}={value}"),
            })
            .collect()
    }
}

/// `--seed` as a setting that is laid over a file.
pub(super) fn seed(seed: u64) -> Setting {
    Setting { flag: "--seed".to_owned(), text: format!("run.seed={seed}") }
}

/// Reads the file as written, or one point of it.
pub(super) fn one(path: &str, settings: &[Setting], point: Option<&str>) -> Loaded {
    file::load(Request { path, settings, point }, &mut files::open)
}

/// Reads the file as written and all its points.
pub(super) fn all(path: &str, settings: &[Setting]) -> Loaded {
    file::load_all(Request { path, settings, point: None }, &mut files::open)
}
