//! `vestibule import`: another product's configuration in our TOML, and a report of what could not come along.

pub mod azion;
mod fields;
mod folder;
pub mod kong;
mod lines;
mod pattern;
mod remark;
mod url;
mod yaml;
pub mod zuplo;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use self::azion::{Conversion, Phase, Source};
pub use self::folder::{Import, NewFile};
use super::{USAGE, done, failed, say};
use crate::secret::Pepper;
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
    /// Kong's declarative configuration (decK's and DB-less) as a configuration folder. Exit code 2 when something was left out
    Kong(KongArgs),
    /// Zuplo's policies.json, with routes.oas.json, as a configuration folder. Exit code 2 when something was left out
    Zuplo(ZuploArgs),
}

#[derive(Debug, Args)]
struct ZuploArgs {
    /// `config/policies.json`, and `config/routes.oas.json`
    #[arg(required = true, value_name = "FILE.json")]
    files: Vec<PathBuf>,
    /// The folder to make; one that exists is never written into
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// A host of the gateway; may be repeated
    #[arg(long, value_name = "HOST")]
    domain: Vec<String>,
    /// The format of the front door that certificates come through; left out: nginx
    #[arg(long, value_name = "FORMAT")]
    front_door: Option<String>,
}

#[derive(Debug, Args)]
struct KongArgs {
    /// The declarative configuration: YAML or JSON
    #[arg(value_name = "kong.yml")]
    file: PathBuf,
    /// The folder to make; one that exists is never written into
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// A host for routes without `hosts`, or with a wildcard; may be repeated
    #[arg(long, value_name = "HOST")]
    domain: Vec<String>,
    /// The format of the front door that certificates come through; left out: TLS of our own for mtls-auth, the plugin's header for
    /// header-cert-auth
    #[arg(long, value_name = "FORMAT")]
    front_door: Option<String>,
    /// A host that certificates may name for lists and OCSP; may be repeated
    #[arg(long, value_name = "HOST")]
    revocation_host: Vec<String>,
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
    match &args.product {
        Product::Azion(args) => run_azion(args, out),
        Product::Kong(args) => run_kong(args, out),
        Product::Zuplo(args) => run_zuplo(args, out),
    }
}

fn run_zuplo(args: &ZuploArgs, out: &mut dyn Write) -> ExitCode {
    let mut sources = Vec::new();
    for path in &args.files {
        match read(path) {
            Ok(json) => sources.push((path.display().to_string(), json)),
            Err(why) => return failed(&format!("`{}`: {why}", path.display())),
        }
    }
    let options = zuplo::Options {
        domains: args.domain.iter().map(|host| host.to_ascii_lowercase()).collect(),
        front_door: args.front_door.clone(),
    };
    finish_folder(&args.out, zuplo::convert(&sources, &options), out)
}

fn run_kong(args: &KongArgs, out: &mut dyn Write) -> ExitCode {
    let source = args.file.display().to_string();
    let options = kong::Options {
        domains: args.domain.iter().map(|host| host.to_ascii_lowercase()).collect(),
        front_door: args.front_door.clone(),
        revocation_hosts: args.revocation_host.clone(),
    };
    let read = text(&args.file).and_then(|text| yaml::read(&text)).and_then(|json| kong::convert(&source, &json, &options));
    finish_folder(&args.out, read.map_err(|why| format!("`{source}`: {why}")), out)
}

/// Writes the folder, with a pepper of its own, and the report.
fn finish_folder(folder: &Path, converted: Result<Import, String>, out: &mut dyn Write) -> ExitCode {
    let mut import = match converted {
        Ok(import) => import,
        Err(why) => return failed(&why),
    };
    match Pepper::generate() {
        Ok(pepper) => import.files.push(NewFile::secret("secrets/pepper", Zeroizing::new(pepper))),
        Err(why) => return failed(&why),
    }
    let mut lines: Vec<String> = import.remarks.iter().map(ToString::to_string).collect();
    lines.push(import.summary.clone());
    let report = NewFile::new("import-report.txt", lines.join("\n") + "\n");
    import.files.push(report);
    if let Err(why) = folder::write(folder, &import.files) {
        return failed(&format!("`{}` cannot be made: {why}", folder.display()));
    }
    lines.iter().for_each(|line| say(line));
    let said = writeln!(out, "wrote {} ({} files); next: vestibule check --config {0}", folder.display(), import.files.len());
    if import.is_whole() { done(said) } else { ExitCode::from(LEFT_OUT) }
}

fn run_azion(args: &AzionArgs, out: &mut dyn Write) -> ExitCode {
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

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(|why| format!("cannot be read: {why}"))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|why| format!("cannot be read: {why}"))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(format!("is larger than {} MiB", MAX_FILE >> 20));
    }
    Ok(bytes)
}

fn text(path: &Path) -> Result<String, String> {
    String::from_utf8(bytes(path)?).map_err(|_| "is no UTF-8".into())
}

fn read(path: &Path) -> Result<serde_json::Value, String> {
    let bytes = bytes(path)?;
    // serde_json refuses what is nested deeper than 128, so nothing below can run out of stack.
    serde_json::from_slice(&bytes).map_err(|why| format!("is not JSON: {why}"))
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    File::create_new(path)?.write_all(text.as_bytes())
}
