//! The variables that criteria and templates may name.

use std::sync::Arc;

use super::geoip::{GeoField, GeoIp};
use super::oauth::OAuthVariable;
use super::phase::Phase;
use super::scope::Scope;
use crate::consumer::ConsumerVariable;
use crate::variables::{CertificateVariable, ProfileVariable, SanList, Scalar};

/// A variable, known at load.
#[derive(Debug, Clone)]
pub enum Variable {
    /// Of the certificate: nginx's `ssl_client_*`, Azion's, ours.
    Certificate(CertificateVariable),
    /// `arg_<name>`: a query argument as sent, not decoded; the first of that name.
    Arg(String),
    /// `args`, `request_args`: the query.
    Args,
    /// `client_certificate_basis`: what the certificate passed by, `ca` or `thumbprint`; empty when nobody is known.
    ClientCertificateBasis,
    /// `client_certificate_validation` (Azion's firewall): `true` when the certificate was verified and nothing was waived.
    ClientCertificateValidation,
    /// Of the consumer: `consumer_id`, `consumer_groups` …
    Consumer(ConsumerVariable),
    /// `cookie_<name>`.
    Cookie(String),
    /// `domain`: the host without its first label, when two are left.
    Domain,
    /// `finding_<what>`: what was found about the certificate.
    Finding(Finding),
    /// `geoip_<what>`: where the client's address is.
    GeoIp(GeoField, Arc<GeoIp>),
    /// `host`: the host name asked for.
    Host,
    /// `http_<name>`: a request header, lower case, `_` for `-`. `header_<name>` in Azion's firewall.
    Http(String),
    /// `oauth_<what>`: of the OAuth client and its access token, where the route checks one of them.
    OAuth(OAuthVariable),
    /// Of the certificate, by the profile of its verified issuer: `psd2_roles`, `software_id`, `cnpj` …
    Profile(ProfileVariable),
    /// `remote_addr`, and `network` in Azion's firewall: the client's address.
    RemoteAddr,
    /// `remote_user`: the name in an `Authorization: Basic` header. Nobody checked it.
    RemoteUser,
    /// `request`: the request line. The client's version of HTTP is not known behind a front door; `HTTP/1.1` stands there.
    Request,
    /// `request_id`.
    RequestId,
    /// `request_method`.
    RequestMethod,
    /// `request_uri`: the target as sent. In the firewall phase it is `uri`, as with Azion.
    RequestUri,
    /// `scheme`: how the client reached the front door; `https` unless the front door says otherwise.
    Scheme,
    /// `sent_http_<name>`: a header of the answer as it stands after the rules before.
    SentHttp(String),
    /// `server_addr`: our own address that the front door connected to; empty on a Unix socket.
    ServerAddr,
    /// `server_port`: its port.
    ServerPort,
    /// `ssl_verification_status` (Azion's firewall): `SUCCESS`, `CERTIFICATE_VERIFICATION_ERROR` or
    /// `MISSING_CLIENT_CERTIFICATE`.
    SslVerificationStatus,
    /// `status`: of the answer.
    Status,
    /// `upstream_addr`.
    UpstreamAddr,
    /// `upstream_cookie_<name>`: the value of a cookie that the upstream sets.
    UpstreamCookie(String),
    /// `upstream_http_<name>`: a header of the answer as the upstream sent it.
    UpstreamHttp(String),
    /// `upstream_status`.
    UpstreamStatus,
    /// `uri`: the path, decoded and normalized, without query.
    Uri,
}

/// A finding of the verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// `finding_chain`.
    Chain,
    /// `finding_purpose`.
    Purpose,
    /// `finding_revocation`.
    Revocation,
    /// `finding_validity`.
    Validity,
}

/// What kind of text a variable has: what it may be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Address,
    /// A peer's text, which may be any of the others.
    Any,
    Date,
    Fingerprint,
    Number,
    Text,
}

/// Names of others that mean nothing here, and why.
const IMPOSSIBLE: [(&str, &str); 5] = [
    ("device_group", "devices are grouped by a CDN; ask for `${http_user_agent}`"),
    ("remote_port", "the client's port ends at the front door"),
    ("request_body", "bodies are streamed and never kept"),
    ("tcpinfo_rtt", "the client's TCP connection ends at the front door"),
    ("ssl_cipher", "the client's TLS connection ends at the front door"),
];

/// The headers that Azion's firewall may ask for.
const FIREWALL_HEADERS: [&str; 7] =
    ["accept", "accept_encoding", "accept_language", "cookie", "origin", "referer", "user_agent"];

/// What is wrong with a name that is nearly one.
fn spelling(name: &str) -> &'static str {
    let prefixes = ["http_", "arg_", "cookie_", "sent_http_", "upstream_http_", "upstream_cookie_"];
    let of_a_peer = prefixes.iter().any(|prefix| name.starts_with(prefix));
    if of_a_peer { "; such names are written in lower case, with `_` for `-`" } else { "" }
}

impl Variable {
    /// Reads a name, with or without `${}`.
    ///
    /// # Errors
    /// Why there is no such variable in this place.
    pub fn parse(text: &str, scope: &Scope<'_>) -> Result<Self, String> {
        let name = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
        if let Some((_, why)) = IMPOSSIBLE.iter().find(|(impossible, _)| *impossible == name) {
            return Err(format!("`${{{name}}}` cannot be had here: {why}"));
        }
        if let Some((_, field)) = GeoField::ALL.iter().find(|(known, _)| *known == name) {
            let database = scope.known.geoip.as_ref();
            let database = database.ok_or_else(|| format!("`${{{name}}}` needs `geoip.database` in vestibule.toml"))?;
            return Ok(Self::GeoIp(*field, Arc::clone(database)));
        }
        let unknown = || format!("there is no variable `${{{name}}}`{}", spelling(name));
        let variable = Self::of_name(name, scope.phase).ok_or_else(unknown)?;
        if variable.is_about_answer() && scope.phase != Phase::Response {
            return Err(format!("`${{{name}}}` is about the answer, which only the response phase sees"));
        }
        Ok(variable)
    }

    fn of_name(name: &str, phase: Phase) -> Option<Self> {
        if let Some(variable) = CertificateVariable::parse(name) {
            return Some(Self::Certificate(variable));
        }
        if let Some(variable) = ProfileVariable::parse(name) {
            return Some(Self::Profile(variable));
        }
        if let Some(variable) = ConsumerVariable::parse(name) {
            return Some(Self::Consumer(variable));
        }
        if let Some(variable) = OAuthVariable::parse(name) {
            return Some(Self::OAuth(variable));
        }
        Some(match name {
            "args" | "request_args" => Self::Args,
            "client_certificate_basis" => Self::ClientCertificateBasis,
            "client_certificate_validation" => Self::ClientCertificateValidation,
            "domain" => Self::Domain,
            "finding_chain" => Self::Finding(Finding::Chain),
            "finding_purpose" => Self::Finding(Finding::Purpose),
            "finding_revocation" => Self::Finding(Finding::Revocation),
            "finding_validity" => Self::Finding(Finding::Validity),
            "host" => Self::Host,
            "network" | "remote_addr" => Self::RemoteAddr,
            "remote_user" => Self::RemoteUser,
            "request" => Self::Request,
            "request_id" => Self::RequestId,
            "request_method" => Self::RequestMethod,
            "request_uri" if phase == Phase::Firewall => Self::Uri,
            "request_uri" => Self::RequestUri,
            "scheme" => Self::Scheme,
            "server_addr" => Self::ServerAddr,
            "server_port" => Self::ServerPort,
            "ssl_verification_status" => Self::SslVerificationStatus,
            "status" => Self::Status,
            "upstream_addr" => Self::UpstreamAddr,
            "upstream_status" => Self::UpstreamStatus,
            "uri" => Self::Uri,
            _ => return Self::of_named(name),
        })
    }

    fn of_named(name: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let named = |prefix: &str| {
            let rest = name.strip_prefix(prefix)?;
            (!rest.is_empty() && rest.bytes().all(plain)).then(|| rest.to_owned())
        };
        if let Some(header) = name.strip_prefix("header_") {
            return FIREWALL_HEADERS.contains(&header).then(|| Self::Http(header.to_owned()));
        }
        named("arg_")
            .map(Self::Arg)
            .or_else(|| named("cookie_").map(Self::Cookie))
            .or_else(|| named("http_").map(Self::Http))
            .or_else(|| named("sent_http_").map(Self::SentHttp))
            .or_else(|| named("upstream_cookie_").map(Self::UpstreamCookie))
            .or_else(|| named("upstream_http_").map(Self::UpstreamHttp))
    }

    /// Whether its value follows from the client's certificate.
    pub fn is_about_certificate(&self) -> bool {
        matches!(
            self,
            Self::Certificate(_)
                | Self::ClientCertificateBasis
                | Self::ClientCertificateValidation
                | Self::Consumer(_)
                | Self::Finding(_)
                | Self::Profile(_)
                | Self::SslVerificationStatus
        )
    }

    /// Whether its value follows from the check of an OAuth client or its access token.
    pub fn is_about_oauth(&self) -> bool {
        matches!(self, Self::OAuth(_))
    }

    pub(super) fn is_about_answer(&self) -> bool {
        matches!(
            self,
            Self::SentHttp(_)
                | Self::Status
                | Self::UpstreamAddr
                | Self::UpstreamCookie(_)
                | Self::UpstreamHttp(_)
                | Self::UpstreamStatus
        )
    }

    /// Whether its value is a piece of a target as it was sent, escapes and all.
    pub(super) fn is_escaped(&self) -> bool {
        matches!(self, Self::Arg(_) | Self::Args | Self::RequestUri)
    }

    /// Whether its value has several lines.
    pub(super) fn is_many_lines(&self) -> bool {
        matches!(self, Self::Certificate(CertificateVariable::Scalar(Scalar::Cert | Scalar::RawCert)))
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Certificate(CertificateVariable::Scalar(scalar)) => match scalar {
                Scalar::VStart | Scalar::VEnd => Kind::Date,
                Scalar::VRemain => Kind::Number,
                Scalar::Fingerprint | Scalar::FingerprintSha256 | Scalar::SpkiSha256 => Kind::Fingerprint,
                _ => Kind::Text,
            },
            Self::Certificate(CertificateVariable::San(SanList::Ip)) | Self::RemoteAddr | Self::ServerAddr => Kind::Address,
            Self::Arg(_)
            | Self::Certificate(_)
            | Self::Cookie(_)
            | Self::Http(_)
            | Self::SentHttp(_)
            | Self::UpstreamCookie(_)
            | Self::UpstreamHttp(_) => Kind::Any,
            Self::ServerPort | Self::Status | Self::UpstreamStatus => Kind::Number,
            _ => Kind::Text,
        }
    }
}
