//! Which files a configuration is made of, wherever they lie: a change in one of them is a change of the configuration.

use std::path::{Path, PathBuf};

use config::{Value, ValueKind};

use super::problem::Collector;
use super::source;

/// Keys that name files, in any table.
const FILE_KEYS: [&str; 20] = [
    "allow_certificates",
    "ca_certificate",
    "certificate",
    "certificates",
    "consumers_file",
    "crl",
    "database",
    "deny_certificates",
    "file",
    "intermediates",
    "introspection_client_secret_file",
    "issuers",
    "jwks_file",
    "key",
    "pepper_file",
    "redis_password_file",
    "secret_file",
    "self_signed_certificates",
    "signing_keys",
    "trusted_ca",
];

/// The files and folders of a configuration. Some may not exist: that they come into being is a change too.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let read = source::read(folder, &Collector::default());
    let mut files = vec![folder.join("vestibule.toml"), folder.join("tenants")];
    for source in std::iter::once(&read.process).chain(&read.tenants) {
        files.push(PathBuf::from(&source.file));
        for (key, value) in &source.values {
            // The store's file is ours to write, and no part of the configuration.
            if key != "store" {
                collect(key, value, folder, &mut files);
            }
        }
    }
    files.retain(|file| !file.as_os_str().is_empty());
    files.sort();
    files.dedup();
    files
}

fn collect(key: &str, value: &Value, folder: &Path, files: &mut Vec<PathBuf>) {
    match &value.kind {
        ValueKind::Table(entries) => entries.iter().for_each(|(key, value)| collect(key, value, folder, files)),
        ValueKind::Array(values) => values.iter().for_each(|value| collect(key, value, folder, files)),
        ValueKind::String(text) if FILE_KEYS.contains(&key) => {
            files.extend(text.split(',').map(|one| folder.join(one.trim())));
        }
        _ => {}
    }
}
