//! `init`: a small, commented scenario to begin with.

use super::terminal::Terminal;
use super::{Exit, Result, files};
use clap::Args;
use std::path::Path;

/// What is written; a test runs it.
const EXAMPLE: &str = include_str!("example.yaml");

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The file to write; one that is there is left alone.
    #[arg(default_value = "scenario.yaml")]
    file: String,
}

pub(super) fn run(arguments: &Arguments, terminal: Terminal) -> Result {
    let path = Path::new(&arguments.file);
    if path.exists() {
        return Err(format!("`{}` is already there", path.display()));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let name = path.file_name().ok_or_else(|| format!("`{}` is no file", path.display()))?;
    files::write(folder, &name.to_string_lossy(), EXAMPLE)?;
    let file = &arguments.file;
    terminal.tell(&format!(
        "wrote {file}; next:\n  simscale run {file}\n  simscale run {file} --set users.count=20K\n"
    ));
    Ok(Exit::Holds)
}
