//! `verify`: files with known answers, run and compared with what they expect.

use super::reading::{self, Threads, Values};
use super::terminal::Terminal;
use super::watch::Watch;
use super::{Exit, Result, files, print};
use crate::experiment::RunError;
use crate::experiment::verify::{Case, Verification, Watched, verify};
use crate::report::text::TextOptions;
use crate::report::{json, text};
use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Scenario files, and folders in which every `.yaml` file is one.
    #[arg(value_name = "PATH", default_value = "scenarios/theory")]
    paths: Vec<String>,
    /// Say expected and measured value of all expectations, not only of those that do not hold.
    #[arg(long)]
    details: bool,
    #[command(flatten)]
    values: Values,
    /// Seed of all random numbers, instead of each file's `run.seed`.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    #[command(flatten)]
    threads: Threads,
    /// What is written to standard output: a page, or JSON with all details.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// No progress and no warnings on standard error.
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
}

pub(super) fn run(arguments: &Arguments, terminal: Terminal) -> Result {
    let Some(cases) = read(arguments, terminal)? else { return Ok(Exit::CouldNotRun) };
    let watch = Watch::counting(terminal, arguments.quiet, "points")?;
    let watched = Watched {
        jobs: arguments.threads.number(),
        stop: watch.stop(),
        progress: &|progress| watch.progress(progress),
    };
    watch.tick();
    let ended = verify(&name(&arguments.paths), &cases, watched);
    watch.clear();
    let verification = ended.map_err(|error: RunError| error.to_string())?;
    if verification.incomplete > 0 {
        let (complete, all) = (verification.files.len(), cases.len());
        terminal.tell(&format!("interrupted: {complete} of {all} files are complete\n"));
    }
    print(terminal, &page(arguments, &verification, terminal))?;
    Ok(match verification.incomplete {
        0 => Exit::of(verification.verdict()),
        _ => Exit::Interrupted,
    })
}

fn page(arguments: &Arguments, verification: &Verification, terminal: Terminal) -> String {
    match arguments.format {
        Format::Json => json::verify::write(verification),
        Format::Table => {
            let (width, colour) = (terminal.stdout_width(), terminal.stdout_colour());
            text::verify::write(verification, arguments.details, TextOptions { width, colour })
        }
    }
}

/// The cases of all files; none where one of them has a mistake, and then all were told.
fn read(
    arguments: &Arguments,
    terminal: Terminal,
) -> std::result::Result<Option<Vec<Case>>, String> {
    let mut settings = arguments.values.settings();
    settings.extend(arguments.seed.map(reading::seed));
    let mut paths = Vec::new();
    for path in &arguments.paths {
        paths.extend(files::scenarios(path)?);
    }
    let (mut cases, mut sound) = (Vec::new(), true);
    for path in &paths {
        let mut loaded = reading::all(path, &settings);
        let case = Case::of(&mut loaded, path, &files::name(path));
        if case.is_none() || !arguments.quiet {
            terminal.diagnose(&loaded.sources, &loaded.diagnostics);
        }
        if case.as_ref().is_some_and(|case| case.expectations() == 0) {
            terminal.complain(&format!("`{path}` has no `expect`: there is nothing to verify"));
            sound = false;
        }
        sound &= case.is_some();
        cases.extend(case);
    }
    Ok(sound.then_some(cases))
}

/// What the files are called together: as the folder or file that was named, or as what they are.
fn name(paths: &[String]) -> String {
    match paths {
        [path] => files::name(path.trim_end_matches('/')),
        _ => "files".to_owned(),
    }
}
