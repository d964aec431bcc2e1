//! `[identity]`: of a tenant, what its upstreams are told about the client; of the process, the keys that sign it.

use std::path::Path;
use std::time::Duration;

use http::HeaderName;

use super::process::Process;
use super::secret_file;
use super::table::Table;
use crate::consumer::ConsumerVariable;
use crate::header_names::{are_aliases, has_a_meaning};
use crate::identity_headers::{
    Audience, DEFAULT_HEADERS, IdentityKeys, IdentitySettings, SigningKey, SubjectFrom, TokenSettings,
};
use crate::journey::Authorize;
use crate::oauth::{CLIENT_ID_HEADER, CLIENT_METHOD_HEADER};
use crate::rules::{Behavior, Known, Phase, RuleSet, Scope};

/// What a key must be.
const KEY: &str = "a private key in PEM: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256, or -algorithm ED25519";
/// The most keys: the one in use, one that follows it, one that it has followed, and as many more.
const MOST_KEYS: usize = 6;
/// The shortest and the longest life of a token. What is shorter ends on clocks that differ; what is longer outlives what the
/// front door and we would find out about the certificate.
const LIFETIMES: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(3600)];

/// The keys of the process; none when it names none.
pub(super) fn keys(table: &Table<'_>, folder: &Path, warnings: &mut Vec<String>) -> Option<IdentityKeys> {
    let files = table.texts("signing_keys");
    if table.has("signing_keys") && (files.is_empty() || files.len() > MOST_KEYS) {
        let accepted = format!("1 to {MOST_KEYS} files; the first one signs, all are published");
        table.problem("signing_keys", format!("found {} files", files.len()), accepted);
    }
    let keys = files.iter().enumerate().map(|(at, file)| {
        let key = format!("signing_keys[{at}]");
        let text = secret_file::read(table, &key, folder, file, ("a key that signs identities", KEY), warnings)?;
        SigningKey::from_pem(text.as_bytes()).map_err(|why| table.problem(&key, format!("`{file}` {why}"), KEY)).ok()
    });
    let keys: Option<Vec<SigningKey>> = keys.collect::<Vec<_>>().into_iter().collect();
    let keys = keys?;
    for (at, key) in keys.iter().enumerate() {
        if keys.iter().take(at).any(|other| other.kid() == key.kid()) {
            table.problem(&format!("signing_keys[{at}]"), "is the key of another file", "each key once");
        }
    }
    let mut keys = keys.into_iter();
    keys.next().map(|first| IdentityKeys::new(first, keys.as_slice()))
}

/// What else a tenant names.
pub(super) struct Beside<'b> {
    pub(super) process: &'b Process,
    pub(super) rules: &'b RuleSet,
    pub(super) known: &'b Known,
    pub(super) authorize: Option<&'b Authorize>,
}

/// The settings of a tenant.
pub(super) fn settings(tenant: &Table<'_>, beside: &Beside<'_>) -> IdentitySettings {
    let Some(table) = tenant.table("identity") else { return IdentitySettings::default() };
    let [token_header, user_header] = DEFAULT_HEADERS;
    let subjects =
        [("dn", SubjectFrom::DistinguishedName), ("consumer", SubjectFrom::Consumer), ("san_uri", SubjectFrom::SanUri)];
    let subject = table.choice("subject", &subjects, SubjectFrom::DistinguishedName);
    let (token_table, user_table) = (table.table("token"), table.table("user"));
    if !table.has("token") && !table.has("user") {
        table.problem("", "tells nobody anything", "[identity.token], [identity.user] or both");
    }
    let token = token_table.and_then(|table| token(table, token_header, beside));
    let user_header = user_table.and_then(|table| table.finishing(|table| header(table, user_header, beside)));
    table.finish();
    let settings = IdentitySettings { token, user_header, subject };
    if let (Some(token), Some(user)) = (&settings.token, &settings.user_header)
        && are_aliases(token.header.as_str(), user.as_str())
    {
        tenant.problem("identity.user.header", "is the header of the token too", "two different names");
    }
    settings
}

fn token(table: Table<'_>, default: &'static str, beside: &Beside<'_>) -> Option<TokenSettings> {
    if beside.process.admin.is_none() && beside.process.identity_keys.is_none() {
        let accepted =
            "in vestibule.toml, `admin.listen`, or `identity.signing_keys` whose public halves you hand out yourself";
        table.problem(
            "",
            "cannot be checked by anybody: the key is published on the admin listener, and there is none",
            accepted,
        );
    }
    let header = header(&table, default, beside);
    let issuer = table.required_text("issuer", "a name for this edge, like \"https://edge.bank.example\"");
    let issuer = issuer.filter(|issuer| is_text(&table, "issuer", issuer));
    let of_most = audience(&table, "audience", table.texts("audience"));
    let upstreams = &beside.known.upstreams;
    let named = table.named_texts("audiences");
    let audiences = named.into_iter().filter_map(|(upstream, text)| {
        if !upstreams.contains(&upstream) {
            let found = "names no upstream";
            table.problem(&format!("audiences.{upstream}"), found, format!("accepted: {}", upstreams.join(", ")));
        }
        Some((upstream.clone(), audience(&table, &format!("audiences.{upstream}"), vec![text])?))
    });
    let audiences = audiences.collect();
    let lifetime = table.positive_duration("lifetime", Duration::from_secs(60));
    let [shortest, longest] = LIFETIMES;
    if lifetime < shortest || lifetime > longest {
        table.problem("lifetime", format!("found {} seconds", lifetime.as_secs()), "accepted: \"5s\" to \"1h\"");
    }
    table.finish();
    Some(TokenSettings { header: header?, issuer: issuer?, audience: of_most?, audiences, lifetime })
}

fn audience(table: &Table<'_>, key: &str, texts: Vec<String>) -> Option<Audience> {
    if texts.is_empty() {
        table.problem(key, "is missing", "whom tokens are for, like \"https://core.bank.example\"");
    }
    if !texts.iter().all(|text| is_text(table, key, text)) {
        return None;
    }
    let mut texts = texts.into_iter();
    let one = texts.next()?;
    Some(if texts.len() == 0 { Audience::One(one) } else { Audience::Many(std::iter::once(one).chain(texts).collect()) })
}

fn is_text(table: &Table<'_>, key: &str, text: &str) -> bool {
    let good = !text.is_empty() && text.len() <= 256 && !text.contains(char::is_control);
    if !good {
        table.problem(key, format!("found `{}`", text.escape_debug()), "a text of up to 256 bytes");
    }
    good
}

fn header(table: &Table<'_>, default: &'static str, beside: &Beside<'_>) -> Option<HeaderName> {
    let written = table.text("header").unwrap_or_else(|| default.to_owned());
    let added = Behavior::add(&written, "-", &Scope::new(Phase::Request, beside.known));
    let name = match added {
        Ok(Behavior::AddRequestHeader(name, _)) => name,
        Ok(_) => return None,
        Err(why) => {
            table.problem("header", format!("found `{written}`"), why.0);
            return None;
        }
    };
    if has_a_meaning(name.as_str()) {
        let found = format!("`{name}` has a meaning of its own in requests: what the client says there would be lost");
        table.problem("header", found, "a name of its own, like \"X-Vestibule-Identity\"");
        return None;
    }
    let same = |other: &str| are_aliases(other, name.as_str());
    let asked = beside.authorize.iter();
    let mut asked = asked.flat_map(|endpoint| [&endpoint.original_uri_header, &endpoint.original_method_header]);
    let debugging = beside.process.debugging.as_ref();
    let by = if beside.rules.header_names().any(|other| same(other.as_str())) {
        "set by a rule or [upstream_headers]"
    } else if ConsumerVariable::UPSTREAM_HEADERS.iter().any(|(other, _)| same(other)) {
        "one that tells the consumer"
    } else if [CLIENT_ID_HEADER, CLIENT_METHOD_HEADER].iter().any(|other| same(other.as_str())) {
        "one that tells the OAuth client"
    } else if asked.any(|other| same(other.as_str())) {
        "one of [authorize]"
    } else if debugging.is_some_and(|debugging| same(debugging.header.as_str())) {
        "the one of [debug]"
    } else {
        return Some(name);
    };
    table.problem("header", format!("`{name}` is {by}"), "a name of its own");
    None
}
