//! `[[front_doors]]`: how certificates arrive, and what proves that they come from there.

mod format;

use std::collections::HashSet;
use std::sync::Arc;

use http::HeaderName;

use super::own_tls::{self, Asking};
use super::proofs::{self, Surroundings};
use super::table::Table;
use super::tenant::Place;
use super::trusted_ca::TrustSets;
use crate::front_door::{ContractHeader, Format, ForwardedMismatch, FrontDoor, VerdictDialect, VerdictMode};
use crate::header_names::is_framing;

pub(super) use format::blank as blank_format;

/// A front door and the names of its contract headers.
pub(super) struct Door {
    pub(super) front_door: Arc<FrontDoor>,
    pub(super) api_key: HeaderName,
    pub(super) headers: Vec<(ContractHeader, HeaderName)>,
    /// What it does in handshakes, when it is ourselves.
    pub(super) own_tls: Option<Asking>,
}

pub(super) fn read(tenant: &Table<'_>, place: &Place<'_>, trusted: &TrustSets, warnings: &mut Vec<String>) -> Vec<Door> {
    let aliases = tenant.boolean("enable_mtls_endpoint_aliases", false);
    let tables = tenant.tables("front_doors");
    if tables.is_empty() {
        tenant.problem("front_doors", "is missing: nothing could be trusted", "[[front_doors]] with `name` and `proofs`");
    }
    let doors: Vec<Door> = tables
        .into_iter()
        .filter_map(|table| match table.text("format").as_deref() {
            Some(format::OWN_TLS) => own_tls::door(table, aliases),
            _ => front_door(table, place, trusted, warnings),
        })
        .collect();
    let mut names = HashSet::new();
    for door in doors.iter().filter(|door| !names.insert(&door.front_door.name)) {
        tenant.problem("front_doors", format!("two have the name `{}`", door.front_door.name), "one name for each");
    }
    doors
}

fn front_door(table: Table<'_>, place: &Place<'_>, trusted: &TrustSets, warnings: &mut Vec<String>) -> Option<Door> {
    let name = table.required_text("name", "a name");
    let chosen = format::read(&table);
    if let Some(preset) = chosen.preset.filter(|preset| preset.experimental) {
        warnings.push(format!(
            "{}: front door `{}`: the format `{}` is experimental: it was never run against the real product",
            place.name,
            name.as_deref().unwrap_or_default(),
            preset.name
        ));
    }
    let names = table.table_or_empty("headers");
    let api_key = names.parsed("cname_api_key", parse_header_name).unwrap_or(HeaderName::from_static("cname-api-key"));
    let headers = header_names(&names, &chosen.format, chosen.preset.map_or(format::RAW_HEADERS, |preset| preset.headers));
    let named = |wanted| headers.iter().find(|(meaning, _)| *meaning == wanted).map(|(_, name)| name);
    let status = named(ContractHeader::Verdict).or_else(|| named(ContractHeader::Presented));
    let mut surroundings = Surroundings { folder: place.folder, status, trusted, warnings };
    let front_door = FrontDoor {
        name: name.clone().unwrap_or_default(),
        proofs: proofs::read(&table, &mut surroundings)?,
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
        require_sni: table.boolean("require_sni", false),
        format: chosen.format,
    };
    let no_verdict = matches!(front_door.format.verdict, VerdictDialect::None | VerdictDialect::Presence);
    if no_verdict && front_door.forwarded_verdict != VerdictMode::Ignore {
        table.problem("forwarded_verdict", "this format has no verdict", "forwarded_verdict = \"ignore\"");
    }
    if front_door.require_sni && !headers.iter().any(|(meaning, _)| *meaning == ContractHeader::Sni) {
        table.problem("require_sni", "no header would hold the server name", "headers.ssl_server_name = \"ssl-server-name\"");
    }
    names.finish();
    table.finish();
    name.map(|_| Door { front_door: Arc::new(front_door), api_key, headers, own_tls: None })
}

/// The contract headers beside the key: each that the format reads may be named, and those that it has anyway have a name.
fn header_names(
    names: &Table<'_>,
    format: &Format,
    defaults: &'static [(ContractHeader, &'static str)],
) -> Vec<(ContractHeader, HeaderName)> {
    let mut headers = Vec::new();
    for (meaning, key) in ContractHeader::KEYS.iter().filter(|(meaning, _)| format.reads(*meaning)) {
        let default = defaults.iter().find(|(of, _)| of == meaning);
        let default = default.map(|(_, name)| HeaderName::from_static(name));
        headers.extend(names.parsed(key, parse_header_name).or(default).map(|name| (*meaning, name)));
    }
    let unread = defaults.iter().filter(|(meaning, _)| *meaning == ContractHeader::Unread);
    headers.extend(unread.map(|(meaning, name)| (*meaning, HeaderName::from_static(name))));
    headers
}

pub(super) fn parse_header_name(text: &str) -> Result<HeaderName, String> {
    let name = HeaderName::from_bytes(text.as_bytes()).map_err(|_| "accepted: a header name".to_owned())?;
    if is_framing(name.as_str()) {
        return Err("accepted: a header name of its own; this one frames or routes the message".to_owned());
    }
    Ok(name)
}
