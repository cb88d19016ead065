//! `run`: one scenario, simulated, judged and reported.

use super::reading::{self, RunKeys, Threads, Values};
use super::terminal::Terminal;
use super::watch::Watch;
use super::{Exit, Result, files, print};
use crate::experiment::uncertain::explore;
use crate::experiment::{self, Control, Experiment, Extend, Outcome, RunError};
use crate::report::{json, text};
use crate::scenario::file::Resolved;
use crate::scenario::layers::Setting;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What `--uncertain` says of a scenario in which everything is known exactly.
const NOTHING_UNCERTAIN: &str = "nothing in this scenario has a range to sample from; write one \
     behind a value that is not known exactly, `work: 20ms in 10ms..40ms`, or `--set PATH='20ms in \
     10ms..40ms'`";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The scenario file; `-` is standard input.
    file: String,
    #[command(flatten)]
    values: Values,
    /// A point of the file's sweep; the file as written without one.
    #[arg(long, value_name = "NAME")]
    point: Option<String>,
    #[command(flatten)]
    keys: RunKeys,
    #[command(flatten)]
    threads: Threads,
    /// What is written to standard output: the report, or the summary as JSON and nothing else.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Where summary.json and report.txt go; output/<name of the file> when left out.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Keep the summary under this name, for `compare` to find.
    #[arg(long, value_name = "NAME", value_parser = files::baseline_name)]
    save_baseline: Option<String>,
    /// Run samples of the values with a range too, 16 unless told otherwise, and say how far the
    /// figures of the SLOs move and what they hinge on.
    #[arg(
        long, value_name = "SAMPLES", num_args = 0..=1, require_equals = true,
        default_missing_value = "16", value_parser = clap::value_parser!(u32).range(2..=1_000_000)
    )]
    uncertain: Option<u32>,
    /// Say at the end how fast the simulation was.
    #[arg(long)]
    timing: bool,
    /// No progress, estimates or warnings on standard error.
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
}

impl Arguments {
    /// Everything that is laid over the file; a flag of its own wins over `--set`.
    fn settings(&self) -> Vec<Setting> {
        [self.values.settings(), self.keys.settings()].concat()
    }

    fn folder(&self) -> PathBuf {
        let usual = || files::output_folder(&self.file, self.point.as_deref());
        self.out.clone().unwrap_or_else(usual)
    }
}

pub(super) fn run(arguments: &Arguments, terminal: Terminal) -> Result {
    let path = &arguments.file;
    let mut loaded = reading::one(path, &arguments.settings(), arguments.point.as_deref());
    let experiment = experiment::prepare(&mut loaded, &files::name(path)).pop();
    if !arguments.quiet || experiment.is_none() {
        terminal.diagnose(&loaded.sources, &loaded.diagnostics);
    }
    let Some(experiment) = experiment else { return Ok(Exit::CouldNotRun) };
    let resolved = loaded.scenarios.pop().expect("an experiment has its scenario");
    if arguments.uncertain.is_some() && resolved.uncertain.is_empty() {
        return Err(NOTHING_UNCERTAIN.to_owned());
    }
    let folder = arguments.folder();
    files::prepare(&folder)?;
    let watch = Watch::new(terminal, arguments.quiet)?;
    let clock = Instant::now();
    let control = Control {
        jobs: arguments.threads.number(),
        extend: Extend::Slo,
        stop: watch.stop(),
        announce: &|workload| watch.announce(workload),
        progress: &|progress| watch.progress(progress),
    };
    let mut outcome = match experiment.run(control) {
        Ok(outcome) => outcome,
        Err(RunError::Interrupted) => {
            terminal.complain(&RunError::Interrupted.to_string());
            return Ok(Exit::Interrupted);
        }
        Err(error) => return Err(error.to_string()),
    };
    watch.done(&outcome);
    let seconds = clock.elapsed().as_secs_f64();
    if let Some(samples) = arguments.uncertain.filter(|_| !outcome.interrupted) {
        let scenario = (&resolved, &experiment);
        sample(scenario, &mut outcome, (samples, seconds), (control, &watch))
            .map_err(|e| e.to_string())?;
    }
    if arguments.timing {
        terminal.tell(&timing(&outcome, seconds));
    }
    report(arguments, &folder, &outcome, terminal)?;
    Ok(match outcome.interrupted {
        true => Exit::Interrupted,
        false => Exit::of(outcome.verdict()),
    })
}

/// Runs the samples of what is not known exactly, once the scenario has run as written.
fn sample(
    (resolved, experiment): (&Resolved, &Experiment),
    outcome: &mut Outcome,
    (samples, seconds): (u32, f64),
    (control, watch): (Control<'_>, &Watch),
) -> std::result::Result<(), RunError> {
    watch.again(samples, seconds);
    let found = explore(resolved, experiment, &outcome.summary, samples, control)?;
    outcome.interrupted = watch.sampled(&found);
    outcome.summary.uncertainty = Some(found);
    Ok(())
}

/// Files first: a reader of standard output that goes away must not lose them.
fn report(
    arguments: &Arguments,
    folder: &Path,
    outcome: &Outcome,
    terminal: Terminal,
) -> std::result::Result<(), String> {
    let summary = json::write(&outcome.summary);
    let page = |width, colour| text::write(&outcome.summary, text::TextOptions { width, colour });
    files::write(folder, "summary.json", &summary)?;
    files::write(folder, "report.txt", &page(None, false))?;
    if let Some(name) = &arguments.save_baseline {
        files::save_baseline(name, &summary)?;
    }
    match arguments.format {
        Format::Json => print(terminal, &summary)?,
        Format::Table => print(terminal, &page(terminal.stdout_width(), terminal.stdout_colour()))?,
    }
    if !arguments.quiet {
        terminal.tell(&format!("written to {}\n", folder.display()));
    }
    Ok(())
}

fn timing(outcome: &Outcome, seconds: f64) -> String {
    let events: u64 = outcome.observed.iter().map(|one| one.events).sum();
    let offered = outcome.observed.iter().flat_map(|one| &one.users).map(|ledger| ledger.offered);
    let requests: u64 = offered.sum();
    let rate = events as f64 / seconds.max(1e-9);
    format!(
        "{seconds:.2} s: {requests} requests measured, {events} events, {:.2} M events/s\n",
        rate / 1e6
    )
}
