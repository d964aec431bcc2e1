//! `[[front_doors]]`: how certificates arrive, and what proves that they come from there.

use std::collections::HashSet;
use std::sync::Arc;

use http::HeaderName;

use super::table::Table;
use crate::front_door::{ContractHeader, ForwardedMismatch, FrontDoor, VerdictMode};
use crate::header_names::is_framing;

/// A front door and the names of its contract headers.
pub(super) struct Door {
    pub(super) front_door: Arc<FrontDoor>,
    pub(super) api_key: HeaderName,
    pub(super) headers: Vec<(ContractHeader, HeaderName)>,
}

pub(super) fn read(tenant: &Table<'_>) -> Vec<Door> {
    let tables = tenant.tables("front_doors");
    if tables.is_empty() {
        tenant.problem("front_doors", "is missing: nothing could be trusted", "[[front_doors]] with `name` and `proofs`");
    }
    let doors: Vec<Door> = tables.into_iter().filter_map(front_door).collect();
    let mut names = HashSet::new();
    for door in doors.iter().filter(|door| !names.insert(&door.front_door.name)) {
        tenant.problem("front_doors", format!("two have the name `{}`", door.front_door.name), "one name for each");
    }
    doors
}

fn front_door(table: Table<'_>) -> Option<Door> {
    let name = table.required_text("name", "a name");
    let format = table.text("format");
    if format.as_deref().is_some_and(|format| format != "nginx") {
        table.problem("format", format!("found `{}`", format.unwrap_or_default()), "accepted: nginx");
    }
    proofs(&table);
    let front_door = FrontDoor {
        name: name.clone().unwrap_or_default(),
        certificate_header_max: table.size("certificate_header_max", 16 * 1024),
        forwarded_verdict: table.choice(
            "forwarded_verdict",
            &[("ignore", VerdictMode::Ignore), ("narrow", VerdictMode::Narrow), ("require", VerdictMode::Require)],
            VerdictMode::Ignore,
        ),
        forwarded_mismatch: table.choice(
            "forwarded_mismatch",
            &[("refuse", ForwardedMismatch::Refuse), ("report", ForwardedMismatch::Report)],
            ForwardedMismatch::Refuse,
        ),
    };
    let names = table.table_or_empty("headers");
    let header = |key: &str, default: &'static str| {
        names.parsed(key, parse_header_name).unwrap_or_else(|| HeaderName::from_static(default))
    };
    let api_key = header("cname_api_key", "cname-api-key");
    let mut headers = vec![
        (ContractHeader::Certificate, header("client_certificate", "client-certificate")),
        (ContractHeader::Verdict, header("client_certificate_ca_verified", "client-certificate-ca-verified")),
        (ContractHeader::SubjectDn, header("ssl_client_s_dn", "ssl_client_s_dn")),
        (ContractHeader::SubjectDnParsed, header("ssl_client_s_dn_parsed", "ssl_client_s_dn_parsed")),
        (ContractHeader::SignatureAlgorithm, header("ssl_client_sigalg", "ssl_client_sigalg")),
    ];
    headers.extend(names.parsed("request_id", parse_header_name).map(|name| (ContractHeader::RequestId, name)));
    headers.extend(names.parsed("forwarded_proto", parse_header_name).map(|name| (ContractHeader::ForwardedProto, name)));
    names.finish();
    table.finish();
    name.map(|_| Door { front_door: Arc::new(front_door), api_key, headers })
}

/// A front door without a proof would let everybody say anything.
fn proofs(table: &Table<'_>) {
    let proofs = table.texts("proofs");
    if proofs.is_empty() {
        table.problem("proofs", "is missing: anybody could be this front door", "proofs = [\"api_key\"]");
    }
    for proof in proofs.iter().filter(|proof| *proof != "api_key") {
        table.problem("proofs", format!("found `{proof}`"), "accepted: api_key");
    }
}

pub(super) fn parse_header_name(text: &str) -> Result<HeaderName, String> {
    let name = HeaderName::from_bytes(text.as_bytes()).map_err(|_| "accepted: a header name".to_owned())?;
    if is_framing(name.as_str()) {
        return Err("accepted: a header name of its own; this one frames or routes the message".to_owned());
    }
    Ok(name)
}
