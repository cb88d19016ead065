//! What the program tells the shell: one code per outcome, the same for every command.
//!
//! Wrong usage, 2, is clap's own and ends the program before any command runs.

use crate::experiment::verdict::Verdict;
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done, and every SLO (of `verify`, every expectation) holds.
    Holds,
    /// The scenario is wrong, a file cannot be read or written, or there is nothing to explain.
    CouldNotRun,
    /// One could not be decided.
    Undecided,
    /// One is proven not to hold.
    Fails,
    /// Ctrl-C; what was complete is written.
    Interrupted,
}

/// The table of the codes, for `--help`.
pub const TABLE: &str = "\
Exit codes:
  0    all SLOs hold, or all expectations of `verify` (or there is nothing to judge)
  1    could not run: the scenario is wrong, a file cannot be read or written
  2    wrong usage of the command line
  98   one is undecided: run longer, or more replications
  99   one is proven not to hold
  130  interrupted; what was complete is written";

impl Exit {
    /// The number for the shell.
    pub const fn code(self) -> u8 {
        match self {
            Self::Holds => 0,
            Self::CouldNotRun => 1,
            Self::Undecided => 98,
            Self::Fails => 99,
            Self::Interrupted => 130,
        }
    }

    /// The code of a verdict on all of them.
    pub const fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Holds => Self::Holds,
            Verdict::Undecided => Self::Undecided,
            Verdict::Fails => Self::Fails,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
