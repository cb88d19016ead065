//! `completions`: the script that teaches a shell the flags.

use super::terminal::Terminal;
use super::{Cli, Exit, Result, print};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The shell.
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments, terminal: Terminal) -> Result {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "simscale", &mut script);
    print(terminal, &String::from_utf8_lossy(&script))?;
    Ok(Exit::Holds)
}
