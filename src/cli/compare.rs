//! `compare`: several runs, each against the first.

use super::reading::{self, RunKeys, Threads, Values};
use super::terminal::Terminal;
use super::watch::Watch;
use super::{Exit, Result, files, print};
use crate::experiment::contest::{Contender, Contest, ContestError, contest};
use crate::experiment::gate::Gate;
use crate::experiment::{Control, Experiment, Extend, RunError, prepare};
use crate::report::json;
use crate::report::text::{self, TextOptions, comparison::Detail};
use crate::scenario::layers::Setting;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Scenario files, saved summaries (.json), or names of baselines; the first is what the others
    /// are compared with.
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<String>,
    /// Another value at a path of the first scenario: that scenario with all values given so is
    /// compared, too. Repeatable.
    #[arg(long = "with", value_name = "PATH=VALUE")]
    with: Vec<String>,
    /// A point of the first scenario's sweep is compared, too. Repeatable.
    #[arg(long = "point", value_name = "NAME")]
    points: Vec<String>,
    #[command(flatten)]
    values: Values,
    #[command(flatten)]
    keys: RunKeys,
    #[command(flatten)]
    threads: Threads,
    /// How much worse a figure may become: "p99 +5%", "goodput -20/s". A proven regression exits
    /// with 99. Repeatable.
    #[arg(long = "gate", value_name = "GATE", value_parser = Gate::parse)]
    gates: Vec<Gate>,
    /// Keep the summary of the last scenario under this name.
    #[arg(long, value_name = "NAME", value_parser = files::baseline_name)]
    save_baseline: Option<String>,
    /// Show the figures that cannot be told apart, too.
    #[arg(long)]
    all: bool,
    /// What is written to standard output: the report, or the comparison as JSON and nothing else.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Where comparison.json and comparison.txt go.
    #[arg(long, value_name = "FOLDER", default_value = "output/compare")]
    out: PathBuf,
    /// No progress, estimates or warnings on standard error.
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
}

pub(super) fn run(arguments: &Arguments, terminal: Terminal) -> Result {
    if saved_at(&arguments.runs[0]).is_some()
        && !(arguments.with.is_empty() && arguments.points.is_empty())
    {
        let first = &arguments.runs[0];
        return Err(format!(
            "`{first}` is a saved run: --with and --point need a scenario file before it"
        ));
    }
    let Some(contenders) = contenders(arguments, terminal)? else { return Ok(Exit::CouldNotRun) };
    if contenders.len() < 2 {
        return Err("there is nothing to compare it with: name a second run, or give --with \
                    PATH=VALUE"
            .to_owned());
    }
    files::prepare(&arguments.out)?;
    let watch = Watch::new(terminal, arguments.quiet)?;
    let control = Control {
        jobs: arguments.threads.number(),
        extend: Extend::Never,
        stop: watch.stop(),
        announce: &|workload| watch.announce(workload),
        progress: &|progress| watch.progress(progress),
    };
    let outcome = contest(&contenders, &arguments.gates, control);
    watch.clear();
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(ContestError::Run(RunError::Interrupted)) => {
            terminal.complain(&RunError::Interrupted.to_string());
            return Ok(Exit::Interrupted);
        }
        Err(error) => return Err(error.to_string()),
    };
    let base = &outcome.comparison.base;
    let wrong = arguments.gates.iter().find_map(|gate| gate.check(base).err());
    if let Some(error) = wrong {
        return Err(error.to_string());
    }
    report(arguments, &outcome, terminal)?;
    Ok(match outcome.interrupted {
        true => Exit::Interrupted,
        false => Exit::of(outcome.comparison.verdict()),
    })
}

/// Everything that takes part, in the order of the command line; none if a scenario has mistakes.
fn contenders(
    arguments: &Arguments,
    terminal: Terminal,
) -> std::result::Result<Option<Vec<Contender>>, String> {
    let common = [arguments.values.settings(), arguments.keys.settings()].concat();
    let first = &arguments.runs[0];
    let mut asked: Vec<(String, &String, Vec<Setting>, Option<&str>)> = Vec::new();
    for path in &arguments.runs {
        asked.push((stem(path), path, common.clone(), None));
    }
    if !arguments.with.is_empty() {
        let with = Setting::numbered(&arguments.with)
            .into_iter()
            .map(|setting| Setting { flag: setting.flag.replace("--set", "--with"), ..setting });
        let label = arguments.with.join(", ");
        asked.push((label, first, common.iter().cloned().chain(with).collect(), None));
    }
    for point in &arguments.points {
        asked.push((point.clone(), first, common.clone(), Some(point)));
    }
    let mut found = Vec::new();
    let mut sound = true;
    for (label, path, settings, point) in asked {
        let label = unused(label, &found);
        let saved = if point.is_none() { saved_at(path) } else { None };
        if let Some(saved) = saved {
            let bytes = files::whole(&saved)?;
            let side = json::saved::side(&label, &bytes);
            let side = side.map_err(|error| format!("`{path}`: {error}"))?;
            found.push((label, Some(Contender::Saved(side))));
            continue;
        }
        if path != "-" && !Path::new(path.as_str()).is_file() {
            let known = files::baselines().join(", ");
            let known = if known.is_empty() { "none".to_owned() } else { known };
            return Err(format!(
                "cannot read `{path}`: there is no such file, and no such baseline (known: {known})"
            ));
        }
        let run = experiment(path, &settings, point, (terminal, arguments.quiet));
        sound &= run.is_some();
        let contender = run.map(|experiment| Contender::Run { label: label.clone(), experiment });
        found.push((label, contender));
    }
    Ok(sound.then(|| found.into_iter().filter_map(|(_, contender)| contender).collect()))
}

fn experiment(
    path: &str,
    settings: &[Setting],
    point: Option<&str>,
    (terminal, quiet): (Terminal, bool),
) -> Option<Box<Experiment>> {
    let mut loaded = reading::one(path, settings, point);
    let experiment = prepare(&mut loaded, &files::name(path)).pop();
    if !quiet || experiment.is_none() {
        terminal.diagnose(&loaded.sources, &loaded.diagnostics);
    }
    experiment.map(Box::new)
}

/// Where a saved summary is, if that is what was named.
fn saved_at(run: &str) -> Option<PathBuf> {
    let path = Path::new(run);
    if path.extension().is_some_and(|extension| extension == "json") {
        return Some(path.to_owned());
    }
    if path.is_file() { None } else { files::baseline(run) }
}

fn stem(path: &str) -> String {
    let name = files::name(path);
    match Path::new(&name).file_stem() {
        // Summaries all have the same name; their folder says whose they are.
        Some(stem) if stem == "summary" => {
            let folder = Path::new(path).parent().and_then(Path::file_name);
            folder.map_or(name, |folder| folder.to_string_lossy().into_owned())
        }
        Some(stem) => stem.to_string_lossy().into_owned(),
        None => name,
    }
}

/// The label, with a number where another has it.
fn unused<T>(label: String, taken: &[(String, T)]) -> String {
    let is_free = |label: &str| taken.iter().all(|(other, _)| other != label);
    let numbered = (2..).map(|number| format!("{label} ({number})"));
    std::iter::once(label.clone()).chain(numbered).find(|one| is_free(one)).expect("one is free")
}

fn report(
    arguments: &Arguments,
    outcome: &Contest,
    terminal: Terminal,
) -> std::result::Result<(), String> {
    let written = json::comparison::write(&outcome.comparison);
    let page = |width, colour, all| {
        let options = TextOptions { width, colour };
        text::comparison::write(&outcome.comparison, Detail { all }, options)
    };
    files::write(&arguments.out, "comparison.json", &written)?;
    files::write(&arguments.out, "comparison.txt", &page(None, false, true))?;
    if let Some(name) = &arguments.save_baseline {
        let last = outcome.summaries.iter().rev().flatten().next();
        let last = last.ok_or("nothing was run that could be saved as a baseline")?;
        files::save_baseline(name, &json::write(last))?;
    }
    let (width, colour) = (terminal.stdout_width(), terminal.stdout_colour());
    match arguments.format {
        Format::Json => print(terminal, &written)?,
        Format::Table => print(terminal, &page(width, colour, arguments.all))?,
    }
    if !arguments.quiet {
        terminal.tell(&format!("written to {}\n", arguments.out.display()));
    }
    Ok(())
}
