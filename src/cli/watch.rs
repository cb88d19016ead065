//! Watching and stopping a run: the estimate, the progress bar, Ctrl-C.
//!
//! All of it is on standard error and none of it changes a result.

use super::Exit;
use super::terminal::Terminal;
use crate::experiment::pilot::Workload;
use crate::experiment::uncertain::Uncertainty;
use crate::experiment::{Outcome, Progress};
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A run that takes longer than so many seconds is announced.
const LONG_S: f64 = 3.0;

/// What is shown while a run goes on, and the flag that ends it.
pub struct Watch {
    terminal: Terminal,
    quiet: bool,
    bar: ProgressBar,
    stop: Arc<AtomicBool>,
}

impl Watch {
    /// Watches the run that is about to start. Ctrl-C ends it with what is complete, and a second
    /// one at once.
    pub fn new(terminal: Terminal, quiet: bool) -> Result<Watch, String> {
        Watch::counting(terminal, quiet, "replications")
    }

    /// The same for something else that is counted.
    pub fn counting(terminal: Terminal, quiet: bool, counted: &str) -> Result<Watch, String> {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let handler = ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::SeqCst) {
                std::process::exit(Exit::Interrupted.code().into());
            }
        });
        handler.map_err(|error| format!("cannot listen to Ctrl-C: {error}"))?;
        let bar = match quiet || !terminal.is_watched() {
            true => ProgressBar::hidden(),
            false => ProgressBar::new(0),
        };
        let template = format!("{{bar:32}} {{pos}} of {{len}} {counted}, {{elapsed}}");
        let style = ProgressStyle::with_template(&template);
        bar.set_style(style.expect("the template is valid"));
        Ok(Watch { terminal, quiet, bar, stop })
    }

    /// Set by Ctrl-C.
    pub fn stop(&self) -> &AtomicBool {
        &self.stop
    }

    /// Says what lies ahead, if it is long.
    pub fn announce(&self, workload: &Workload) {
        let seconds = workload.wall_s.filter(|seconds| *seconds >= LONG_S && !self.quiet);
        if let Some(seconds) = seconds {
            let requests = large(workload.requests);
            let events = workload
                .events
                .map_or_else(String::new, |events| format!(" and {} events", large(events)));
            self.terminal.tell(&format!("about {requests} requests{events}, {}\n", time(seconds)));
        }
        self.tick();
    }

    /// Shows that time passes even where nothing else moves.
    pub fn tick(&self) {
        self.bar.enable_steady_tick(Duration::from_millis(200));
    }

    /// Moves the bar.
    pub fn progress(&self, progress: Progress) {
        self.bar.set_length(progress.planned.into());
        self.bar.set_position(progress.done.into());
    }

    /// Begins anew, for so many samples of a run that has taken so many seconds.
    pub fn again(&self, samples: u32, seconds: f64) {
        let together = f64::from(samples) * seconds;
        if together >= LONG_S && !self.quiet {
            self.terminal.tell(&format!("{samples} samples, about {}\n", time(together)));
        }
        self.bar.reset();
        self.bar.enable_steady_tick(Duration::from_millis(200));
    }

    /// Takes the bar away; whether the samples were broken off, which it says.
    pub fn sampled(&self, found: &Uncertainty) -> bool {
        self.clear();
        let done = found.samples as usize + found.refused.len();
        let broken_off = done < found.planned as usize;
        if broken_off {
            let (samples, planned) = (found.samples, found.planned);
            self.terminal.tell(&format!("interrupted: {samples} of {planned} samples complete\n"));
        }
        broken_off
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Takes the bar away and says how the run differs from what was asked for.
    pub fn done(&self, outcome: &Outcome) {
        self.clear();
        let complete = outcome.observed.len();
        if outcome.interrupted {
            self.terminal.tell(&format!("interrupted: {complete} replications are complete\n"));
        } else if outcome.extended > 0 && !self.quiet {
            let more = outcome.extended;
            let why = match outcome.summary.precision {
                Some(_) => "for the precision asked for",
                None => "as an SLO was undecided",
            };
            self.terminal.tell(&format!("{more} more replications, {why}\n"));
        }
    }
}

/// A number to read, not to compute with: `12 M`, `3.4 G`.
fn large(number: f64) -> String {
    match number {
        n if n >= 1e9 => format!("{:.1} G", n / 1e9),
        n if n >= 1e6 => format!("{:.1} M", n / 1e6),
        n if n >= 1e3 => format!("{:.0} k", n / 1e3),
        n => format!("{n:.0}"),
    }
}

fn time(seconds: f64) -> String {
    match seconds {
        s if s >= 5400.0 => format!("{:.1} hours", s / 3600.0),
        s if s >= 90.0 => format!("{:.0} minutes", s / 60.0),
        s => format!("{s:.0} seconds"),
    }
}
