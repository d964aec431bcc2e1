//! What the plugins mtls-auth and header-cert-auth ask of a client.

use super::document::Plugin;
use super::entity::Strict;
use crate::cli::import::fields::Fields;
use crate::cli::import::remark::Report;

/// Which of the two plugins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The certificate comes from the handshake.
    Mtls,
    /// The certificate comes from a header.
    Header,
}

impl Kind {
    pub(super) fn plugin(self) -> &'static str {
        match self {
            Self::Mtls => "mtls-auth",
            Self::Header => "header-cert-auth",
        }
    }

    pub(super) fn of(plugin: &str) -> Option<Self> {
        [Self::Mtls, Self::Header].into_iter().find(|kind| kind.plugin() == plugin)
    }
}

/// A plugin's configuration.
#[derive(Debug)]
pub(super) struct Auth {
    pub(super) kind: Kind,
    pub(super) place: String,
    /// Ids of CAs.
    pub(super) authorities: Vec<String>,
    pub(super) allow_partial_chain: bool,
    pub(super) consumer_by: Option<Vec<String>>,
    pub(super) anonymous: Option<String>,
    pub(super) default_consumer: Option<String>,
    pub(super) skip_consumer_lookup: bool,
    pub(super) authenticated_group_by: &'static str,
    pub(super) san_dirname_matcher: Vec<String>,
    pub(super) revocation_check_mode: &'static str,
    pub(super) send_ca_dn: bool,
    /// Milliseconds.
    pub(super) http_timeout: Option<u64>,
    pub(super) http_proxy: Option<String>,
    pub(super) https_proxy: Option<String>,
    /// Name and format, of header-cert-auth.
    pub(super) header: Option<(String, &'static str)>,
    /// Why nobody may pass by it.
    pub(super) closed: Vec<String>,
}

/// The formats of header-cert-auth, as ours.
const FORMATS: [(&str, &str); 2] = [("base64_encoded", "base64_der"), ("url_encoded", "escaped_pem")];

/// The header of AWS's load balancer.
const ALB: &str = "x-amzn-mtls-clientcert";

/// Reads a plugin's configuration. What cannot be read closes the routes that it stands before.
pub(super) fn read(kind: Kind, plugin: &Plugin<'_>, report: &mut Report) -> Auth {
    let place = plugin.place.clone();
    let empty = serde_json::Map::new();
    let mut fields = plugin.config.and_then(Fields::of).unwrap_or_else(|| Fields::of_map(&empty));
    let mut strict = Strict { fields: &mut fields, problems: Vec::new() };
    let mut auth = Auth {
        kind,
        authorities: strict.texts("ca_certificates").unwrap_or_default(),
        allow_partial_chain: strict.flag("allow_partial_chain").unwrap_or(false),
        consumer_by: strict.texts("consumer_by"),
        anonymous: strict.text("anonymous").filter(|name| !name.is_empty()),
        default_consumer: strict.text("default_consumer").filter(|name| !name.is_empty()),
        skip_consumer_lookup: strict.flag("skip_consumer_lookup").unwrap_or(false),
        authenticated_group_by: strict.word("authenticated_group_by", &["CN", "DN"]).unwrap_or("CN"),
        san_dirname_matcher: Vec::new(),
        revocation_check_mode: "IGNORE_CA_ERROR",
        send_ca_dn: false,
        http_timeout: strict.whole("http_timeout"),
        http_proxy: proxy(&mut strict, ["http_proxy_host", "http_proxy_port"]),
        https_proxy: proxy(&mut strict, ["https_proxy_host", "https_proxy_port"]),
        header: None,
        closed: Vec::new(),
        place,
    };
    if let Some(mode) = strict.word("revocation_check_mode", &["IGNORE_CA_ERROR", "SKIP", "STRICT"]) {
        auth.revocation_check_mode = mode;
    }
    match kind {
        Kind::Mtls => {
            auth.send_ca_dn = strict.flag("send_ca_dn").unwrap_or(false);
            auth.san_dirname_matcher = strict.texts("san_dirname_matcher").unwrap_or_default();
        }
        Kind::Header => auth.header = header(&mut strict, &auth.place, report),
    }
    without_counterpart(&mut strict, &auth, report);
    auth.closed.append(&mut strict.problems);
    if auth.authorities.is_empty() {
        auth.closed.push("`ca_certificates` is missing".into());
    }
    let known = |word: &String| matches!(word.as_str(), "username" | "custom_id");
    if auth.consumer_by.as_ref().is_some_and(|by| !by.iter().all(known)) {
        auth.closed.push("`consumer_by` has a word that is not known".into());
    }
    if plugin.personal {
        auth.closed.push("it is for one consumer alone, before anybody knows who it is".into());
    }
    if report.unknown(&auth.place, &fields) {
        auth.closed.push("it has fields that are not known".into());
    }
    tell(&auth, report);
    auth
}

fn proxy(strict: &mut Strict<'_, '_>, [host, port]: [&'static str; 2]) -> Option<String> {
    let (name, at) = (strict.text(host), strict.whole(port));
    if name.is_some() != at.is_some() {
        strict.problems.push(format!("`{host}` and `{port}` belong together"));
    }
    Some(format!("http://{}:{}", name?, at?))
}

fn header(strict: &mut Strict<'_, '_>, place: &str, report: &mut Report) -> Option<(String, &'static str)> {
    let name = strict.text("certificate_header_name");
    let format = strict.word("certificate_header_format", &FORMATS.map(|(word, _)| word));
    if strict.flag("secure_source").unwrap_or(true) {
        let text = "`secure_source` rests on `trusted_ips` of kong.conf, which is not in the file: a front door proves itself by \
                    `cname_api_keys` instead; for both, add \"network\" to its `proofs`, with `networks`";
        report.left_out(place, text);
    } else {
        report
            .stronger(place, "`secure_source: false` let everybody show any certificate; here a front door must prove itself");
    }
    if name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(ALB)) {
        report.note(place, "this is AWS's load balancer: `--front-door alb-passthrough` knows how it writes certificates");
    }
    let name = name.filter(|name| http::HeaderName::from_bytes(name.as_bytes()).is_ok());
    if name.is_none() || format.is_none() {
        strict
            .problems
            .push("`certificate_header_name` and `certificate_header_format` do not say where the certificate is".into());
    }
    let format = FORMATS.iter().find(|(word, _)| Some(*word) == format).map(|(_, ours)| *ours)?;
    Some((name?, format))
}

/// Fields that have no counterpart, and whose loss lets nobody in.
fn without_counterpart(strict: &mut Strict<'_, '_>, auth: &Auth, report: &mut Report) {
    let place = &auth.place;
    if strict.whole("cache_ttl").is_some() {
        report.note(place, "`cache_ttl`: consumers are not cached by time; a reload exchanges them at once");
    }
    if strict.whole("cert_cache_ttl").is_some() && auth.revocation_check_mode != "SKIP" {
        let text = "`cert_cache_ttl`: lists and OCSP answers are renewed after four fifths of their own life, and count until their \
                    nextUpdate (Kong asks again by its own clock)";
        report.weaker(place, text);
    }
    if strict.flag("ssl_verify") == Some(false) {
        report.stronger(place, "`ssl_verify: false`: the TLS certificate of a list's or responder's server is always verified");
    }
}

/// What means something else here, or could surprise.
fn tell(auth: &Auth, report: &mut Report) {
    let place = &auth.place;
    if auth.anonymous.is_some() {
        let text = "`anonymous` becomes `verification = \"permissive\"` beside it: everybody passes, also with a bad certificate, \
                    as in Kong; who was not verified is the anonymous consumer";
        report.note(place, text);
    }
    if auth.skip_consumer_lookup && auth.authenticated_group_by == "DN" {
        let text = "`authenticated_group_by: DN`: the group is the subject as RFC 2253 writes it; Kong's form is not published, so \
                    compare the names in `allow_groups`";
        report.note(place, text);
    }
    if auth.allow_partial_chain {
        report.note(place, "`allow_partial_chain`: every CA of `ca_certificates` is an anchor of its own, as in Kong");
    }
}
