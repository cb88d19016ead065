//! What the commands that read a scenario have in common: `--set`, and judging the file.

use super::files;
use crate::scenario::file::{self, Loaded, Request};
use crate::scenario::layers::Setting;
use clap::Args;

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

/// Reads the file as written, or one point of it.
pub(super) fn one(path: &str, settings: &[Setting], point: Option<&str>) -> Loaded {
    file::load(Request { path, settings, point }, &mut files::open)
}

/// Reads the file as written and all its points.
pub(super) fn all(path: &str, settings: &[Setting]) -> Loaded {
    file::load_all(Request { path, settings, point: None }, &mut files::open)
}
