//! The command line: one file per command, each of which reads its arguments, calls and prints.
//!
//! What a command computes is done below; here is only what depends on being started from a shell:
//! flags, files, terminals, Ctrl-C and exit codes.

mod capacity;
mod compare;
mod completions;
mod exit;
mod explain;
mod files;
mod init;
mod reading;
mod run;
mod schema;
mod terminal;
mod validate;
mod verify;
mod watch;

pub use exit::Exit;

use clap::{ColorChoice, Parser, Subcommand};
use std::process::ExitCode;
use terminal::Terminal;

/// How far does this architecture carry, what breaks first, what does a failure do to it, and what
/// does the next step buy?
#[derive(Debug, Parser)]
#[command(name = "simscale", version, propagate_version = true, after_help = exit::TABLE)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// When to use colours.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Simulate a scenario and report whether its promises hold, and what limits it.
    Run(run::Arguments),
    /// Compare runs: what is different, by how much, and whether that can be told from chance.
    Compare(compare::Arguments),
    /// Find how much scenarios carry: the largest load at which every SLO holds.
    Capacity(capacity::Arguments),
    /// Run files with known answers and say how far what is measured lies from what is expected.
    Verify(verify::Arguments),
    /// Check scenarios and report every mistake at once.
    Validate(validate::Arguments),
    /// Say what a key, a metric or an error code means, what its default is and where that comes
    /// from.
    Explain(explain::Arguments),
    /// Print the JSON Schema of scenarios or of summaries.
    Schema(schema::Arguments),
    /// Write a commented scenario to begin with.
    Init(init::Arguments),
    /// Print the completions of a shell.
    Completions(completions::Arguments),
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let terminal = Terminal::new(cli.color);
    let exit = match cli.command {
        Command::Run(arguments) => run::run(&arguments, terminal),
        Command::Compare(arguments) => compare::run(&arguments, terminal),
        Command::Capacity(arguments) => capacity::run(&arguments, terminal),
        Command::Verify(arguments) => verify::run(&arguments, terminal),
        Command::Validate(arguments) => validate::run(&arguments, terminal),
        Command::Explain(arguments) => explain::run(&arguments, terminal),
        Command::Schema(arguments) => schema::run(&arguments, terminal),
        Command::Init(arguments) => init::run(&arguments, terminal),
        Command::Completions(arguments) => completions::run(&arguments, terminal),
    };
    exit.unwrap_or_else(|message| {
        terminal.complain(&message);
        Exit::CouldNotRun
    })
    .into()
}

/// How a command ended, or what it could not do.
type Result = std::result::Result<Exit, String>;

/// Writes to standard output; what the disk or pipe says against it is the message.
fn print(terminal: Terminal, text: &str) -> std::result::Result<(), String> {
    terminal.print(text).map_err(|error| format!("cannot write to standard output: {error}"))
}
