//! `schema`: the JSON Schema of scenarios, for editors, and of the summary, for programs.

use super::terminal::Terminal;
use super::{Exit, Result, print};
use crate::language::schema::schema;
use crate::report::json;
use crate::scenario::file;
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The schema of `summary.json` instead of the one of scenarios.
    #[arg(long)]
    summary: bool,
}

pub(super) fn run(arguments: &Arguments, terminal: Terminal) -> Result {
    match arguments.summary {
        true => print(terminal, json::SCHEMA)?,
        false => print(terminal, &of_scenarios())?,
    }
    Ok(Exit::Holds)
}

/// The schema of scenarios as text that ends with a line break.
fn of_scenarios() -> String {
    let schema = schema(file::shape(), "simscale scenario");
    let text = serde_json::to_string_pretty(&schema).expect("a schema has text keys only");
    format!("{text}\n")
}
