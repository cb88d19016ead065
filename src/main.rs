//! The program: everything is in the library, so that tests and programs can do the same.

use std::process::ExitCode;

fn main() -> ExitCode {
    simscale::cli::main()
}
