//! `vestibule debug-token`: a token for the header of `[debug]`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{USAGE, done, refused, say};
use crate::clock::UnixTime;
use crate::config;
use crate::debug_token::LONGEST;

/// The arguments of `debug-token`.
#[derive(Debug, Args)]
pub(super) struct DebugTokenArgs {
    /// The configuration folder
    #[arg(long, value_name = "DIR", default_value = "edge-config")]
    config: PathBuf,
    /// The domain that it is for
    #[arg(long, value_name = "NAME")]
    domain: String,
    /// Only for paths that start so
    #[arg(long, value_name = "PATH", default_value = "/")]
    path: String,
    /// How long it lives, up to an hour
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = life)]
    valid: i64,
}

fn life(text: &str) -> Result<i64, String> {
    let accepted = "a time like 30s, 10m or 1h, from 1s to 1h";
    let seconds = config::duration(text).and_then(|life| i64::try_from(life.as_secs()).ok());
    seconds.filter(|seconds| (1..=LONGEST).contains(seconds)).ok_or_else(|| format!("accepted: {accepted}"))
}

pub(super) fn run(args: &DebugTokenArgs, out: &mut dyn Write) -> ExitCode {
    let now = UnixTime::now();
    let loaded = match config::load(&args.config, now) {
        Ok(loaded) => loaded,
        Err(problems) => return refused(&args.config, &problems),
    };
    let wrong = |why: &str| {
        say(why);
        ExitCode::from(USAGE)
    };
    let Some(debugging) = &loaded.snapshot.debugging else { return wrong("[debug] is not configured in vestibule.toml") };
    if loaded.snapshot.directory.find(&args.domain).is_none() {
        return wrong(&format!("no domain `{}` in this configuration", args.domain.escape_debug()));
    }
    match debugging.tokens.make(&args.domain, &args.path, now.plus(args.valid)) {
        Some(token) => done(writeln!(out, "{}: {token}", debugging.header)),
        None => wrong("`--path` is a path that begins with `/`, in visible ASCII"),
    }
}
