//! `vestibule check`: what a configuration may say, and what is said about one that is wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/edge_config.rs"]
mod edge_config;
#[path = "support/pki.rs"]
mod pki;

#[path = "config/accidents.rs"]
mod accidents;
#[path = "config/consumers.rs"]
mod consumers;
#[path = "config/environment.rs"]
mod environment;
#[path = "config/every_key.rs"]
mod every_key;
#[path = "config/files.rs"]
mod files;
#[path = "config/formats.rs"]
mod formats;
#[path = "config/good.rs"]
mod good;
#[path = "config/headers.rs"]
mod headers;
#[path = "config/identity.rs"]
mod identity;
#[path = "config/oauth.rs"]
mod oauth;
#[path = "config/proofs.rs"]
mod proofs;
#[path = "config/revocation.rs"]
mod revocation;
#[path = "config/rules.rs"]
mod rules;
#[path = "config/tls.rs"]
mod tls;
#[path = "config/trusted_ca.rs"]
mod trusted_ca;

use edge_config::{Folder, PEPPER, Ran};

const TENANT: &str = "tenants/acme.toml";

/// A folder with one edit, each `from` once in the tenant's file.
#[track_caller]
fn edited(edits: &[(&str, &str)]) -> Folder {
    let folder = Folder::good();
    for (from, to) in edits {
        folder.edit(TENANT, from, to);
    }
    folder
}

/// The configuration is refused, and each of these texts stands in the message.
#[track_caller]
fn refused(ran: &Ran, expected: &[&str]) {
    assert_eq!(ran.code, 64, "expected {expected:?}\n{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.lines().all(|line| line.starts_with("vestibule: ") || line.starts_with("  hint: ")), "{}", ran.stderr);
    keeps_secrets(ran);
    for text in expected {
        assert!(ran.stderr.contains(text), "no `{text}` in\n{}", ran.stderr);
    }
}

/// As [`refused`], and there is nothing else to complain about.
#[track_caller]
fn refused_alone(ran: &Ran, expected: &[&str]) {
    refused(ran, expected);
    assert!(ran.stderr.contains("vestibule: 1 problem in"), "{}", ran.stderr);
}

#[track_caller]
fn accepted(ran: &Ran) {
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.ends_with("# the configuration is good\n"), "{}", ran.stdout);
    keeps_secrets(ran);
}

#[track_caller]
fn keeps_secrets(ran: &Ran) {
    let digits = edge_config::tag(edge_config::KEY).trim_start_matches("hmac-sha256:").to_owned();
    let (signing, redis) = (edge_config::SIGNATURE_KEY.trim_end(), edge_config::REDIS_PASSWORD.trim_end());
    let introspection = edge_config::INTROSPECTION_SECRET.trim_end();
    for secret in [PEPPER, &digits, edge_config::KEY, signing, redis, introspection] {
        assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{ran:?}");
    }
}
