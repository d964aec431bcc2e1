//! `vestibule rules test`: a table of requests, and what the configuration must decide about them.
//!
//! The requests go through the stages that the server has, from the routes to the rules of the response; nothing is sent to an
//! upstream. What stands in for the front door is [`AuthenticatedForward::rehearsed`]: no key is needed, and the client's
//! certificate is given as if it had shaken hands with us. Exit codes: 0 when all is as expected, 1 when not, 64 for a wrong
//! command line, configuration or table.

mod case;
mod found;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{USAGE, failed, refused, say};
use crate::clock::UnixTime;
use crate::config;
use case::Case;
use found::Found;

/// The arguments of `rules`.
#[derive(Debug, Args)]
pub(super) struct RulesArgs {
    #[command(subcommand)]
    command: RulesCommand,
}

#[derive(Debug, Subcommand)]
enum RulesCommand {
    /// Run a table of requests through a configuration and compare what is decided
    Test(TestArgs),
}

#[derive(Debug, Args)]
struct TestArgs {
    /// The configuration folder
    #[arg(long, value_name = "DIR", default_value = "edge-config")]
    config: PathBuf,
    /// The table; `rules-test.toml` in the configuration folder when left out
    file: Option<PathBuf>,
}

pub(super) fn run(args: &RulesArgs, out: &mut dyn Write) -> ExitCode {
    let RulesCommand::Test(args) = &args.command;
    let now = UnixTime::now();
    let loaded = match config::load(&args.config, now) {
        Ok(loaded) => loaded,
        Err(problems) => return refused(&args.config, &problems),
    };
    let file = args.file.clone().unwrap_or_else(|| args.config.join("rules-test.toml"));
    let cases = match case::read(&file, now) {
        Ok(cases) => cases,
        Err(why) => {
            say(&format!("{}: {why}", file.display()));
            return ExitCode::from(USAGE);
        }
    };
    // Nothing is attached that fetches lists: a test that depends on the network is none.
    match report(&loaded.snapshot, &cases, out) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => failed(&why),
    }
}

fn report(snapshot: &crate::journey::Snapshot, cases: &[Case], out: &mut dyn Write) -> io::Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let mut failures = 0_usize;
    for case in cases {
        let found = runtime.block_on(Found::of(snapshot, case));
        let name = case.name.escape_debug();
        match case.expect.first_difference(&found) {
            None => writeln!(out, "ok    {name}")?,
            Some(difference) => {
                failures += 1;
                writeln!(out, "FAIL  {name}: {difference}")?;
                if let Some(cause) = &found.cause {
                    writeln!(out, "      {}", cause.escape_debug())?;
                }
            }
        }
    }
    writeln!(out, "{} passed, {failures} failed", cases.len() - failures)?;
    Ok(failures == 0)
}
