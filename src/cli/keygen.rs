//! `vestibule keygen`: secrets, and what is stored of them.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{done, failed, refused};
use crate::config;
use crate::manage::TOKEN_PREFIX;
use crate::secret::{Pepper, SignatureKey, generate_api_key};

/// The arguments of `keygen`.
#[derive(Debug, Args)]
pub(super) struct KeygenArgs {
    /// Make a pepper instead of a key
    #[arg(long, conflicts_with = "config")]
    pepper: bool,
    /// Make a key for signatures (RFC 9421) instead
    #[arg(long, conflicts_with_all = ["config", "pepper"])]
    signature_key: bool,
    /// Make a token for the management API instead
    #[arg(long, conflicts_with_all = ["pepper", "signature_key"])]
    admin_token: bool,
    /// The configuration folder, for its pepper
    #[arg(long, value_name = "DIR", default_value = "edge-config")]
    config: PathBuf,
}

pub(super) fn run(args: &KeygenArgs, out: &mut dyn Write) -> ExitCode {
    if args.pepper {
        return match Pepper::generate() {
            Ok(pepper) => done(writeln!(out, "{pepper}")),
            Err(why) => failed(&why),
        };
    }
    if args.signature_key {
        return match SignatureKey::generate() {
            Ok(key) => done(writeln!(out, "{key}")),
            Err(why) => failed(&why),
        };
    }
    let pepper = match config::read_pepper(&args.config) {
        Ok(pepper) => pepper,
        Err(problems) => return refused(&args.config, &problems),
    };
    match generate_api_key() {
        Ok(key) if args.admin_token => {
            let token = format!("{TOKEN_PREFIX}{key}");
            done(writeln!(out, "token: {token}\ntag: {}", pepper.tag(token.as_bytes())))
        }
        // The key is shown once, here; the tag is what the configuration keeps.
        Ok(key) => done(writeln!(out, "key: {key}\ntag: {}", pepper.tag(key.as_bytes()))),
        Err(why) => failed(&why),
    }
}
