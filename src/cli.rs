//! The command line: one module for each command.
//!
//! Messages go to stderr with the program's name in front. Exit codes: 0, 64 for a wrong command line or configuration
//! (`EX_USAGE` of sysexits), 2 for an import that left something out, 1 for everything else,
//! a failed test of rules among it.

mod check;
mod debug_token;
mod demo;
mod dn;
mod domains;
mod explain;
mod front_door;
pub mod import;
pub mod inspect;
mod keygen;
mod openapi;
mod probe;
mod recorded;
mod rules;
mod serve;
pub mod verify;

use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};

use crate::config::Problem;

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
    /// Read a configuration folder, print the effective settings, and every problem at once
    Check(Folder),
    /// Make a token with which a request sees what the rules do
    DebugToken(debug_token::DebugTokenArgs),
    /// Show the whole road on this machine: a test PKI, a TLS front door, an upstream, good and bad clients
    Demo(demo::DemoArgs),
    /// Print the distinguished names of a certificate in every form: nginx, RFC 4514, Brazil, Auth0, Java, OpenSSL
    Dn(dn::DnArgs),
    /// Custom domains, over the management API of a running process
    Domains(domains::DomainsArgs),
    /// Take a recorded request head through a configuration and print what each stage says
    Explain(explain::ExplainArgs),
    /// Print the configuration of a product that is to be a front door
    FrontDoor(Box<front_door::FrontDoorArgs>),
    /// Turn the rules of another product into ours, and say what was left out
    Import(import::ImportArgs),
    /// Print every variable of a certificate, as nginx would show it
    Inspect(inspect::InspectArgs),
    /// Make a `cname_api_key` and its stored tag, a token, or a pepper
    Keygen(keygen::KeygenArgs),
    /// Attack your own front door, and say what it lets through and how to mend it
    Probe(Box<probe::ProbeArgs>),
    /// Test the rules of a configuration
    Rules(rules::RulesArgs),
    /// Print the OpenAPI document of the management API
    Openapi,
    /// Serve
    Serve(Folder),
    /// Judge certificates given as JSON lines on standard input
    Verify,
}

/// Where the configuration is.
#[derive(Debug, Args)]
struct Folder {
    /// The configuration folder, with `vestibule.toml` and `tenants/`
    #[arg(long, value_name = "DIR", default_value = "edge-config")]
    config: PathBuf,
}

/// Reads the command line and runs its command.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let mut out = io::stdout().lock();
    match cli.command {
        Command::Check(folder) => check::run(&folder.config, &mut out),
        Command::DebugToken(args) => debug_token::run(&args, &mut out),
        Command::Demo(args) => demo::run(&args, &mut out),
        Command::Dn(args) => dn::run(&args, &mut out),
        Command::Domains(args) => domains::run(&args, &mut out),
        Command::Explain(args) => explain::run(&args, &mut out),
        Command::FrontDoor(args) => front_door::run(&args, &mut out),
        Command::Import(args) => import::run(&args, &mut out),
        Command::Inspect(args) => inspect::run(&args, &mut out),
        Command::Keygen(args) => keygen::run(&args, &mut out),
        Command::Probe(args) => probe::run(&args, &mut out),
        Command::Rules(args) => rules::run(&args, &mut out),
        Command::Openapi => openapi::run(&mut out),
        Command::Serve(folder) => {
            drop(out);
            serve::run(&folder.config)
        }
        Command::Verify => done(verify::run(&mut BufReader::new(io::stdin().lock()), &mut out)),
    }
}

/// Prints what clap has to say; `--help` and `--version` are no errors.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return done(error.print());
    }
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => say(&format!("a command is missing\n\n{text}")),
        _ => say(text.strip_prefix("error: ").unwrap_or(&text)),
    }
    ExitCode::from(USAGE)
}

/// Tells the user. When stderr is closed there is nobody to tell, which is no reason to panic as `eprintln` does.
fn say(message: &str) {
    let _ = writeln!(io::stderr(), "vestibule: {}", message.trim_end());
}

fn done(written: io::Result<()>) -> ExitCode {
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => failed(&why),
    }
}

fn failed(why: &dyn std::fmt::Display) -> ExitCode {
    say(&why.to_string());
    ExitCode::FAILURE
}

/// Prints every problem of a configuration.
fn refused(folder: &Path, problems: &[Problem]) -> ExitCode {
    let mut out = io::stderr().lock();
    for problem in problems {
        let _ = writeln!(out, "vestibule: {problem}");
    }
    let count = if problems.len() == 1 { "1 problem".to_owned() } else { format!("{} problems", problems.len()) };
    let _ = writeln!(out, "vestibule: {count} in `{}`", folder.display());
    ExitCode::from(USAGE)
}
