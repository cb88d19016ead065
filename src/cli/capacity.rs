//! `capacity`: how much each of several scenarios carries, and which of them a load needs.

use super::reading::{self, Threads, Values};
use super::terminal::Terminal;
use super::watch::Watch;
use super::{Exit, Result, files, print};
use crate::experiment::capacity::{
    self, Capacity, CapacityError, Growth, Need, Search, Survive, Trial, need,
};
use crate::experiment::verdict::Verdict;
use crate::experiment::{Control, Extend, RunError};
use crate::report::text::{self, TextOptions};
use crate::report::{json, markdown};
use crate::scenario::layers::Setting;
use crate::units::quantity::Quantity;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Scenario files, from the simplest to the most complex.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// What is varied, instead of `users.count` or `users.rate`.
    #[arg(long, value_name = "PATH")]
    vary: Option<String>,
    /// Also say what is carried after the loss of one instance of anything, or of a zone.
    #[arg(long, value_enum, value_name = "WHAT")]
    survive: Option<Loss>,
    /// Let what the scenario declares to go wrong go wrong; left out otherwise, unless an SLO
    /// speaks of it.
    #[arg(long)]
    faults: bool,
    /// Say which of the files is the first that holds at this load, and what the later ones would
    /// cost for nothing: 300K.
    #[arg(long, value_name = "LOAD")]
    at: Option<String>,
    /// How that load grows, to say until when the answer holds: 8%/month.
    #[arg(long, value_name = "GROWTH", requires = "at")]
    growth: Option<Growth>,
    /// Exit with 99 if one of them is proven to carry less than this: 250K.
    #[arg(long, value_name = "LOAD")]
    at_least: Option<String>,
    #[command(flatten)]
    values: Values,
    /// Seed of all random numbers, instead of `run.seed`.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    #[command(flatten)]
    threads: Threads,
    /// What is written to standard output: a table, JSON and nothing else, or a table in Markdown.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// A Markdown page into which the table is written, between its two lines for that.
    #[arg(long, value_name = "PAGE")]
    into: Option<PathBuf>,
    /// Where capacity.json and capacity.txt go.
    #[arg(long, value_name = "FOLDER", default_value = "output/capacity")]
    out: PathBuf,
    /// Nothing on standard error but mistakes.
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Loss {
    Instance,
    Zone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
    Markdown,
}

pub(super) fn run(arguments: &Arguments, terminal: Terminal) -> Result {
    let page = arguments.into.as_ref().map(|path| page(path)).transpose()?;
    files::prepare(&arguments.out)?;
    let watch = Watch::new(terminal, arguments.quiet)?;
    let search = Search {
        vary: arguments.vary.clone(),
        survive: arguments.survive.map(|loss| match loss {
            Loss::Instance => Survive::Instance,
            Loss::Zone => Survive::Zone,
        }),
        faults: arguments.faults,
        at: arguments.at.as_deref().map(quantity).transpose()?,
        at_least: arguments.at_least.as_deref().map(quantity).transpose()?,
    };
    let mut found = Vec::new();
    let mut interrupted = false;
    for path in &arguments.files {
        match one(arguments, path, &search, (&watch, terminal)) {
            Ok(capacity) => found.push(capacity),
            Err(CapacityError::Run(RunError::Interrupted)) => {
                interrupted = true;
                break;
            }
            Err(error) => {
                watch.clear();
                return refuse(path, error, terminal);
            }
        }
    }
    watch.clear();
    if interrupted {
        let (done, of) = (found.len(), arguments.files.len());
        terminal.complain(&format!("interrupted: {done} of {of} files are complete"));
        if found.is_empty() {
            return Ok(Exit::Interrupted);
        }
    }
    let need = need(&found, arguments.growth);
    report(arguments, &found, need.as_ref(), terminal)?;
    if let (Some(path), Some(page)) = (&arguments.into, page) {
        let table = markdown::into_page(&page, &markdown::ladder(&found))?;
        files::replace(path, &table)?;
    }
    Ok(match interrupted {
        true => Exit::Interrupted,
        false => exit(&found, need.as_ref()),
    })
}

/// The verdict on what was asked for: every file at the load that it must carry at least, and one
/// of them at the load that is needed.
fn exit(found: &[Capacity], need: Option<&Need>) -> Exit {
    let asked = found.iter().filter_map(|one| one.at_least.as_ref());
    let least = asked.map(|trial| trial.verdict);
    let best = found.iter().filter_map(|one| Some(one.at.as_ref()?.verdict)).min();
    Exit::of(Verdict::all(least.chain(need.and(best))))
}

fn one(
    arguments: &Arguments,
    path: &str,
    search: &Search,
    (watch, terminal): (&Watch, Terminal),
) -> std::result::Result<Capacity, CapacityError> {
    let mut common = arguments.values.settings();
    common.extend(arguments.seed.map(reading::seed));
    let mut read = |settings: &[Setting]| {
        let all: Vec<Setting> = common.iter().chain(settings).cloned().collect();
        reading::one(path, &all, None)
    };
    let control = Control {
        jobs: arguments.threads.number(),
        extend: Extend::Slo,
        stop: watch.stop(),
        announce: &|_| (),
        progress: &|_| (),
    };
    let file = files::name(path);
    let quiet = arguments.quiet || !terminal.is_watched();
    let mut told = |trial: &Trial| {
        if !quiet {
            let lost = trial.lost.as_ref().map_or(String::new(), |one| format!(" without {one}"));
            let (load, word) = (&trial.text, trial.verdict.word());
            terminal.tell(&format!("{file}: {load}{lost}: {word}\n"));
        }
    };
    capacity::capacity(&mut read, &file, search, control, &mut told)
}

fn refuse(path: &str, error: CapacityError, terminal: Terminal) -> Result {
    match error {
        CapacityError::Scenario(loaded) => {
            terminal.diagnose(&loaded.sources, &loaded.diagnostics);
            Ok(Exit::CouldNotRun)
        }
        CapacityError::Question(message) => Err(format!("{path}: {message}")),
        CapacityError::Run(error) => Err(error.to_string()),
    }
}

/// A load: a count, or any quantity.
fn quantity(text: &str) -> std::result::Result<Quantity, String> {
    let quantity = Quantity::count(text).or_else(|| Quantity::parse(text));
    let quantity = quantity.filter(|quantity| quantity.value() > 0.0);
    quantity.ok_or_else(|| format!("`{text}` is no load above zero: write 300K, or 500/s"))
}

fn page(path: &std::path::Path) -> std::result::Result<String, String> {
    let text = String::from_utf8(files::whole(path)?);
    let text = text.map_err(|_| format!("`{}` is no text", path.display()))?;
    // Before anything is run: a page without its two lines could not be written.
    markdown::into_page(&text, "").map(|_| text)
}

fn report(
    arguments: &Arguments,
    found: &[Capacity],
    need: Option<&Need>,
    terminal: Terminal,
) -> std::result::Result<(), String> {
    let written = json::capacity::write(found, need);
    let page = |width, colour| text::capacity::write(found, need, TextOptions { width, colour });
    files::write(&arguments.out, "capacity.json", &written)?;
    files::write(&arguments.out, "capacity.txt", &page(None, false))?;
    match arguments.format {
        Format::Json => print(terminal, &written),
        Format::Markdown => print(terminal, &markdown::ladder(found)),
        Format::Table => print(terminal, &page(terminal.stdout_width(), terminal.stdout_colour())),
    }
}
