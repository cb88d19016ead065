//! Standard output and standard error: colour, width, and readers that go away.
//!
//! The only place that asks what the output is. It knows nothing of what is written.

use crate::language::{Diagnostics, RenderOptions, Sources, render};
use anstream::AutoStream;
use clap::ColorChoice;
use std::io::{self, ErrorKind, IsTerminal, Write};
use terminal_size::Width;

/// Columns for reports on a terminal that does not say how wide it is: none is narrower.
const WIDTH_USUAL: usize = 80;
/// Columns for diagnostics where the terminal does not say.
const WIDTH_DEFAULT: usize = 120;

/// How to write to where this program was started from.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    colour: ColorChoice,
}

impl Terminal {
    /// Writes with colour always, never, or where it is wanted and possible.
    pub fn new(colour: ColorChoice) -> Terminal {
        Terminal { colour }
    }

    /// Whether standard output may be coloured.
    pub fn stdout_colour(self) -> bool {
        self.wants(|| AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never)
    }

    /// Whether standard error may be coloured.
    pub fn stderr_colour(self) -> bool {
        self.wants(|| AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never)
    }

    fn wants(self, auto: impl FnOnce() -> bool) -> bool {
        match self.colour {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => auto(),
        }
    }

    /// Columns of standard output; none in a pipe, where nothing is cut.
    pub fn stdout_width(self) -> Option<usize> {
        let size = terminal_size::terminal_size_of(io::stdout());
        report_width(size.map(|(Width(columns), _)| columns), io::stdout().is_terminal())
    }

    /// Whether somebody watches standard error.
    pub fn is_watched(self) -> bool {
        io::stderr().is_terminal()
    }

    /// Writes to standard output. A reader that has gone away, such as `head`, is no error.
    pub fn print(self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }

    /// Writes to standard error; where that is impossible there is nobody left to tell.
    pub fn tell(self, text: &str) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Writes one line about what could not be done to standard error.
    pub fn complain(self, message: &str) {
        match self.stderr_colour() {
            true => self.tell(&format!("\x1b[1;31merror\x1b[0m: {message}\n")),
            false => self.tell(&format!("error: {message}\n")),
        }
    }

    /// Writes diagnostics to standard error, each under its line of source.
    pub fn diagnose(self, sources: &Sources, diagnostics: &Diagnostics) {
        let width = terminal_size::terminal_size_of(io::stderr());
        let width = width.map_or(WIDTH_DEFAULT, |(Width(columns), _)| columns.into());
        let options = RenderOptions { colour: self.stderr_colour(), width };
        self.tell(&render(sources, diagnostics, options));
    }
}

/// The width of a report, from what the output says of itself; some terminals say 0 columns.
fn report_width(columns: Option<u16>, is_terminal: bool) -> Option<usize> {
    match columns {
        Some(columns) if columns > 0 => Some(columns.into()),
        _ => is_terminal.then_some(WIDTH_USUAL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_of_unknown_width_has_the_usual_one_and_a_pipe_none() {
        assert_eq!(report_width(Some(132), true), Some(132));
        assert_eq!(report_width(Some(0), true), Some(80));
        assert_eq!(report_width(None, true), Some(80));
        assert_eq!(report_width(None, false), None);
    }
}
