//! The command line: one module for each command.
//!
//! Messages go to stderr with the program's name in front. Exit codes: 0, 64 for a wrong command line or configuration
//! (`EX_USAGE` of sysexits), 1 for everything else.

pub mod inspect;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Exit code of a wrong command line or configuration.
pub const USAGE: u8 = 64;

/// An edge proxy that validates forwarded client certificates itself.
#[derive(Debug, Parser)]
#[command(name = "vestibule", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print every variable of a certificate, as nginx would show it
    Inspect(inspect::InspectArgs),
}

/// Reads the command line and runs its command.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match cli.command {
        Command::Inspect(args) => inspect::run(&args, inspect::plain_verify_text, &mut std::io::stdout().lock()),
    }
}

/// Prints what clap has to say; `--help` and `--version` are no errors.
fn usage(error: &clap::Error) -> ExitCode {
    // Nobody is left to tell when stderr is closed.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS }
}
