//! The variables that criteria and templates may name.

use std::borrow::Cow;

use http::header;

use super::facts::View;
use crate::consumer::ConsumerVariable;
use crate::variables::{CertificateVariable, ProfileVariable};

/// A variable, known at load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Variable {
    /// Of the certificate: nginx's `ssl_client_*`, Azion's, ours.
    Certificate(CertificateVariable),
    /// `arg_<name>`: a query argument as sent, not decoded; the first of that name.
    Arg(String),
    /// `args`: the query.
    Args,
    /// `client_certificate_basis`: what the certificate passed by, `ca` or `thumbprint`; empty when nobody is known.
    ClientCertificateBasis,
    /// `client_certificate_validation` (Azion's firewall): `true` when the certificate was verified and nothing was waived.
    ClientCertificateValidation,
    /// Of the consumer: `consumer_id`, `consumer_groups` …
    Consumer(ConsumerVariable),
    /// `cookie_<name>`.
    Cookie(String),
    /// `host`: the host name asked for.
    Host,
    /// `http_<name>`: a request header, lower case, `_` for `-`.
    Http(String),
    /// Of the certificate, by the profile of its verified issuer: `psd2_roles`, `software_id`, `cnpj` …
    Profile(ProfileVariable),
    /// `remote_addr`: the client's address.
    RemoteAddr,
    /// `request_id`.
    RequestId,
    /// `request_method`.
    RequestMethod,
    /// `request_uri`: the target as sent.
    RequestUri,
    /// `scheme`: always `https`; the front door did the TLS.
    Scheme,
    /// `ssl_verification_status` (Azion's firewall): `SUCCESS`, `CERTIFICATE_VERIFICATION_ERROR` or
    /// `MISSING_CLIENT_CERTIFICATE`.
    SslVerificationStatus,
    /// `uri`: the path, decoded and normalized, without query.
    Uri,
}

/// The values of a variable: most have one; some, like a list of SANs, any number.
pub(super) enum Values<'v> {
    One(Cow<'v, str>),
    Many(Vec<Cow<'v, str>>),
}

impl Values<'_> {
    pub(super) fn any(&self, test: impl Fn(&str) -> bool) -> bool {
        match self {
            Values::One(value) => test(value),
            // Not there is empty, here as for a variable of one value: or `is_equal ""` would hold for some only.
            Values::Many(values) if values.is_empty() => test(""),
            Values::Many(values) => values.iter().any(|value| test(value)),
        }
    }
}

impl Variable {
    /// Reads a name, with or without `${}`.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
        if let Some(variable) = CertificateVariable::parse(name) {
            return Some(Self::Certificate(variable));
        }
        if let Some(variable) = ProfileVariable::parse(name) {
            return Some(Self::Profile(variable));
        }
        if let Some(variable) = ConsumerVariable::parse(name) {
            return Some(Self::Consumer(variable));
        }
        Some(match name {
            "args" => Self::Args,
            "client_certificate_basis" => Self::ClientCertificateBasis,
            "client_certificate_validation" => Self::ClientCertificateValidation,
            "host" => Self::Host,
            "remote_addr" => Self::RemoteAddr,
            "request_id" => Self::RequestId,
            "request_method" => Self::RequestMethod,
            "request_uri" => Self::RequestUri,
            "scheme" => Self::Scheme,
            "ssl_verification_status" => Self::SslVerificationStatus,
            "uri" => Self::Uri,
            _ => return Self::parse_named(name),
        })
    }

    /// Whether its value follows from the client's certificate.
    pub fn is_about_certificate(&self) -> bool {
        matches!(
            self,
            Self::Certificate(_)
                | Self::ClientCertificateBasis
                | Self::ClientCertificateValidation
                | Self::Consumer(_)
                | Self::Profile(_)
                | Self::SslVerificationStatus
        )
    }

    fn parse_named(name: &str) -> Option<Self> {
        let (kind, rest) = name.split_once('_')?;
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if rest.is_empty() || !rest.bytes().all(plain) {
            return None;
        }
        let rest = rest.to_owned();
        match kind {
            "arg" => Some(Self::Arg(rest)),
            "cookie" => Some(Self::Cookie(rest)),
            "http" => Some(Self::Http(rest)),
            _ => None,
        }
    }

    pub(super) fn values<'v>(&self, view: &View<'v>) -> Values<'v> {
        match self {
            Self::Certificate(variable) => certificate_values(variable, view),
            Self::Consumer(variable) if variable.is_list() => Values::Many(view.consumer_values(*variable)),
            Self::Profile(variable) => Values::Many(view.profile_values(*variable)),
            Self::Http(name) => {
                let named = view.forward.headers().iter().filter(|(header, _)| same_name(header.as_str(), name));
                Values::Many(named.map(|(_, value)| String::from_utf8_lossy(value.as_bytes())).collect())
            }
            _ => Values::One(self.scalar(view)),
        }
    }

    /// The value as one text: several values are joined.
    pub(super) fn text<'v>(&self, view: &View<'v>) -> Cow<'v, str> {
        match self {
            Self::Certificate(variable) => view.certificate_text(variable),
            Self::Profile(variable) => view.profile_text(*variable),
            Self::Http(_) => match self.values(view) {
                Values::One(value) => value,
                Values::Many(values) => Cow::Owned(values.join(", ")),
            },
            _ => self.scalar(view),
        }
    }

    fn scalar<'v>(&self, view: &View<'v>) -> Cow<'v, str> {
        let forward = view.forward;
        match self {
            Self::Arg(name) => Cow::Borrowed(argument(forward.target().query(), name)),
            Self::Args => Cow::Borrowed(forward.target().query().unwrap_or_default()),
            Self::ClientCertificateBasis => Cow::Borrowed(view.facts.basis()),
            Self::ClientCertificateValidation => Cow::Borrowed(if view.facts.verified_plainly() { "true" } else { "false" }),
            Self::Consumer(variable) => view.consumer_text(*variable),
            Self::Cookie(name) => cookie(view, name),
            Self::Host => Cow::Borrowed(forward.host()),
            Self::RemoteAddr => Cow::Owned(forward.client_address().to_string()),
            Self::RequestId => Cow::Borrowed(view.request_id),
            Self::RequestMethod => Cow::Borrowed(forward.method().as_str()),
            Self::RequestUri => Cow::Borrowed(forward.target().raw()),
            Self::Scheme => Cow::Borrowed("https"),
            Self::SslVerificationStatus => Cow::Borrowed(view.facts.ssl_verification_status()),
            Self::Uri => Cow::Borrowed(forward.target().path()),
            Self::Certificate(_) | Self::Http(_) | Self::Profile(_) => Cow::Borrowed(""),
        }
    }
}

fn certificate_values<'v>(variable: &CertificateVariable, view: &View<'v>) -> Values<'v> {
    match variable {
        CertificateVariable::Scalar(_) => Values::One(view.certificate_text(variable)),
        CertificateVariable::Attribute(..) | CertificateVariable::San(_) => Values::Many(view.certificate_values(variable)),
    }
}

/// Names of headers, cookies and arguments are compared as nginx does: without case, `-` equal to `_`.
fn same_name(sent: &str, name: &str) -> bool {
    sent.len() == name.len()
        && sent.bytes().zip(name.bytes()).all(|(sent, name)| match sent {
            b'-' => name == b'_',
            _ => sent.eq_ignore_ascii_case(&name),
        })
}

fn argument<'v>(query: Option<&'v str>, name: &str) -> &'v str {
    let mut pairs = query.unwrap_or_default().split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.find(|(sent, _)| same_name(sent, name)).map_or("", |(_, value)| value)
}

fn cookie<'v>(view: &View<'v>, name: &str) -> Cow<'v, str> {
    for line in view.forward.headers().get_all(header::COOKIE) {
        for pair in line.as_bytes().split(|byte| *byte == b';') {
            let pair = pair.trim_ascii();
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (sent, value) = pair.split_at(at);
            if std::str::from_utf8(sent).is_ok_and(|sent| same_name(sent, name)) {
                return String::from_utf8_lossy(value.get(1..).unwrap_or_default());
            }
        }
    }
    Cow::Borrowed("")
}
