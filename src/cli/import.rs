//! `vestibule import azion FILE.json…`: another product's rules in our TOML, and a report of what could not come along.

pub mod azion;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::azion::{Conversion, Phase, Source};
use super::{USAGE, done, failed, say};
use crate::variables::Dialect;

/// Exit code of an import that left something out or switched a rule off.
pub const LEFT_OUT: u8 = 2;

/// The largest file that is read, in bytes. 200 rules at their limits are under 8 MiB.
const MAX_FILE: u64 = 16 * 1024 * 1024;

/// The arguments of `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    #[command(subcommand)]
    product: Product,
}

#[derive(Debug, Subcommand)]
enum Product {
    /// Rules and mTLS settings as Azion's API (v3 or v4) answers them. Exit code 2 when something was left out
    Azion(AzionArgs),
}

#[derive(Debug, Args)]
struct AzionArgs {
    /// JSON files: answers, lists, single rules, domains or workloads
    #[arg(required = true, value_name = "FILE.json")]
    files: Vec<PathBuf>,
    /// The phase of rules that do not say it themselves
    #[arg(long, value_enum)]
    phase: Option<Phase>,
    /// How the tenant writes names, serial numbers and dates: nginx, or azion, which keeps comparisons and headers as they were
    #[arg(long, value_name = "NAME", default_value = "nginx", value_parser = Dialect::parse)]
    dialect: Dialect,
    /// Write the TOML here instead of to standard output; a file that exists is never overwritten
    #[arg(long, value_name = "FILE.toml")]
    out: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &ImportArgs, out: &mut dyn Write) -> ExitCode {
    let Product::Azion(args) = &args.product;
    let mut sources = Vec::new();
    for path in &args.files {
        match read(path) {
            Ok(json) => sources.push(Source { name: path.display().to_string(), json }),
            Err(why) => return failed(&format!("`{}`: {why}", path.display())),
        }
    }
    let conversion = match azion::convert(&sources, args.phase, args.dialect) {
        Ok(conversion) => conversion,
        Err(no_phase) => {
            say(&no_phase.to_string());
            return ExitCode::from(USAGE);
        }
    };
    let written = match &args.out {
        Some(path) => write_new(path, &conversion.toml).map_err(|why| format!("`{}` cannot be written: {why}", path.display())),
        None => out.write_all(conversion.toml.as_bytes()).and_then(|()| out.flush()).map_err(|why| why.to_string()),
    };
    if let Err(why) = written {
        return failed(&why);
    }
    report(&conversion)
}

fn report(conversion: &Conversion) -> ExitCode {
    let mut err = io::stderr().lock();
    for remark in &conversion.remarks {
        let _ = writeln!(err, "vestibule: {remark}");
    }
    let _ = writeln!(err, "vestibule: {}", conversion.summary());
    if conversion.is_whole() { done(Ok(())) } else { ExitCode::from(LEFT_OUT) }
}

fn read(path: &Path) -> Result<serde_json::Value, String> {
    let file = File::open(path).map_err(|why| format!("cannot be read: {why}"))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|why| format!("cannot be read: {why}"))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(format!("is larger than {} MiB", MAX_FILE >> 20));
    }
    // serde_json refuses what is nested deeper than 128, so nothing below can run out of stack.
    serde_json::from_slice(&bytes).map_err(|why| format!("is not JSON: {why}"))
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    File::create_new(path)?.write_all(text.as_bytes())
}
