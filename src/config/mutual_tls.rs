//! The proof `mutual_tls` of a front door: which certificates it may show.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::table::Table;
use super::trusted_ca::TrustSets;
use crate::admission::registered::sha256;
use crate::front_door::{Issued, MutualTls, Pin, REMEMBERED};
use crate::verifier::VerificationSettings;
use crate::verifier::cache::CachedVerifier;
use crate::x509::ocsp_answers::OcspAnswers;

/// The keys of a front door that belong to the proof.
pub(super) const KEYS: [&str; 3] = ["mutual_tls_ca", "mutual_tls_certificates", "mutual_tls_names"];

const ACCEPTED: &str = "`sha256:HEX` of a certificate, or `spki-sha256:HEX` of its key; `vestibule inspect` shows both";

/// Reads `mutual_tls_…`. None after a problem.
pub(super) fn read(table: &Table<'_>, trusted: &TrustSets) -> Option<MutualTls> {
    let pins = table.texts("mutual_tls_certificates");
    let parsed: Vec<Option<Pin>> = pins.iter().map(|text| pin(table, text)).collect();
    let names = table.texts("mutual_tls_names");
    let issued = match table.text("mutual_tls_ca") {
        None => {
            if !names.is_empty() {
                table.problem("mutual_tls_names", "has no effect without `mutual_tls_ca`", "`mutual_tls_ca`, or no names");
            }
            None
        }
        Some(ca) => Some(issued(table, &ca, &names, trusted)?),
    };
    if pins.is_empty() && issued.is_none() {
        let found = "is missing: every certificate would be this front door's";
        table.problem("mutual_tls_certificates", found, format!("{ACCEPTED}; or `mutual_tls_ca` and `mutual_tls_names`"));
        return None;
    }
    MutualTls::new(parsed.into_iter().collect::<Option<_>>()?, issued)
}

fn pin(table: &Table<'_>, text: &str) -> Option<Pin> {
    let read = match text.split_once(':') {
        Some(("sha256", digits)) => sha256(digits).map(Pin::Sha256),
        Some(("spki-sha256", digits)) => sha256(digits).map(Pin::SpkiSha256),
        _ => None,
    };
    if read.is_none() {
        table.problem("mutual_tls_certificates", format!("found `{text}`"), ACCEPTED);
    }
    read
}

/// A CA certifies many: without names, each of them would be this front door.
fn issued(table: &Table<'_>, ca: &str, names: &[String], trusted: &TrustSets) -> Option<Issued> {
    let names: BTreeSet<String> = names.iter().map(|name| name.to_ascii_lowercase()).filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        let found = "is missing: every certificate of that CA would be this front door's";
        table.problem("mutual_tls_names", found, "host names, one of which the certificate's subjectAltName has");
    }
    let Some(set) = trusted.get(ca) else {
        let known: Vec<&str> = trusted.keys().map(String::as_str).collect();
        let accepted = format!("a set of [trusted_ca]: {}", known.join(", "));
        table.problem("mutual_tls_ca", format!("there is no set `{ca}`"), accepted);
        return None;
    };
    Some(Issued {
        trust: Arc::clone(&set.as_ref().filter(|_| !names.is_empty())?.trust),
        names,
        settings: VerificationSettings::default().into(),
        verifier: CachedVerifier::new(REMEMBERED),
        answers: OcspAnswers::new(REMEMBERED),
    })
}
