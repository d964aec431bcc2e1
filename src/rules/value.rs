//! What a variable is for one request.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};

use super::cookies;
use super::facts::View;
use super::variable::Variable;
use crate::variables::CertificateVariable;

/// The values of a variable: most have one; some, like a list of SANs, any number.
pub(super) enum Values<'v> {
    One(Cow<'v, str>),
    Many(Vec<Cow<'v, str>>),
    /// What a client should have said once and may have said more than once; which of them others take is not known.
    Repeated(Vec<Cow<'v, str>>),
}

impl Values<'_> {
    pub(super) fn any(&self, test: impl Fn(&str) -> bool) -> bool {
        match self {
            Values::One(value) => test(value),
            // Not there is empty, here as for a variable of one value: or `is_equal ""` would hold for some only.
            Values::Many(values) | Values::Repeated(values) if values.is_empty() => test(""),
            Values::Many(values) | Values::Repeated(values) => values.iter().any(|value| test(value)),
        }
    }

    /// Whether a test that is turned around holds: nothing fits. Of what was repeated it is enough that one does not, or the
    /// right value beside the wrong one would evade `is_not_equal`.
    pub(super) fn any_not(&self, test: impl Fn(&str) -> bool) -> bool {
        match self {
            Values::Repeated(values) if !values.is_empty() => values.iter().any(|value| !test(value)),
            _ => !self.any(test),
        }
    }
}

impl Variable {
    pub(super) fn values<'v>(&self, view: &View<'v>) -> Values<'v> {
        match self {
            Self::Certificate(variable @ (CertificateVariable::Attribute(..) | CertificateVariable::San(_))) => {
                Values::Many(view.certificate_values(variable))
            }
            Self::Consumer(variable) if variable.is_list() => Values::Many(view.consumer_values(*variable)),
            Self::Profile(variable) => Values::Many(view.profile_values(*variable)),
            Self::OAuth(variable) if variable.is_list() => Values::Many(variable.values(view.facts.oauth())),
            Self::Arg(name) => Values::Repeated(arguments(view.asked.target.query(), name).map(Cow::Borrowed).collect()),
            Self::Cookie(name) => Values::Repeated(cookies::sent(view.asked.headers, name).collect()),
            // Its lines are one (RFC 9113 §8.2.3).
            Self::Http(name) if name == "cookie" => Values::One(lines(Some(view.asked.headers), name).join("; ").into()),
            Self::Http(name) => Values::Repeated(lines(Some(view.asked.headers), name)),
            Self::SentHttp(name) => Values::Many(lines(view.answer.map(|answer| answer.sent), name)),
            Self::UpstreamHttp(name) => Values::Many(lines(view.answer.map(|answer| answer.received), name)),
            _ => Values::One(self.scalar(view)),
        }
    }

    /// The value as one text: several values are joined.
    pub(super) fn text<'v>(&self, view: &View<'v>) -> Cow<'v, str> {
        match self {
            Self::Certificate(variable) => view.certificate_text(variable),
            Self::Profile(variable) => view.profile_text(*variable),
            Self::Http(_) | Self::SentHttp(_) | Self::UpstreamHttp(_) => match self.values(view) {
                Values::One(value) => value,
                Values::Many(values) | Values::Repeated(values) => Cow::Owned(values.join(", ")),
            },
            _ => self.scalar(view),
        }
    }

    fn scalar<'v>(&self, view: &View<'v>) -> Cow<'v, str> {
        let asked = view.asked;
        match self {
            Self::Arg(name) => Cow::Borrowed(arguments(asked.target.query(), name).next().unwrap_or_default()),
            Self::Args => Cow::Borrowed(asked.target.query().unwrap_or_default()),
            Self::Certificate(variable) => view.certificate_text(variable),
            Self::ClientCertificateBasis => Cow::Borrowed(view.facts.basis()),
            Self::ClientCertificateValidation => Cow::Borrowed(if view.facts.verified_plainly() { "true" } else { "false" }),
            Self::Consumer(variable) => view.consumer_text(*variable),
            Self::Cookie(name) => cookies::sent(asked.headers, name).next().unwrap_or_default(),
            Self::Domain => Cow::Borrowed(domain(asked.host)),
            Self::Finding(finding) => Cow::Borrowed(view.facts.finding(*finding)),
            Self::GeoIp(field, database) => Cow::Owned(database.text(*field, asked.client_address)),
            Self::Host => Cow::Borrowed(asked.host),
            Self::OAuth(variable) => variable.text(view.facts.oauth()),
            Self::RemoteAddr => Cow::Owned(asked.client_address.to_string()),
            Self::RemoteUser => Cow::Owned(remote_user(asked.headers)),
            Self::Request => Cow::Owned(format!("{} {} HTTP/1.1", asked.method, asked.target.raw())),
            Self::RequestId => Cow::Borrowed(asked.request_id),
            Self::RequestMethod => Cow::Borrowed(asked.method.as_str()),
            Self::RequestUri => Cow::Borrowed(asked.target.raw()),
            Self::Scheme => Cow::Borrowed(asked.scheme),
            Self::ServerAddr => Cow::Owned(asked.server.map(|own| own.ip().to_canonical().to_string()).unwrap_or_default()),
            Self::ServerPort => Cow::Owned(asked.server.map(|own| own.port().to_string()).unwrap_or_default()),
            Self::SslVerificationStatus => Cow::Borrowed(view.facts.ssl_verification_status()),
            Self::Status => Cow::Owned(view.answer.map(|answer| answer.status.as_str().to_owned()).unwrap_or_default()),
            Self::UpstreamAddr => Cow::Borrowed(view.answer.map_or("", |answer| answer.upstream)),
            Self::UpstreamCookie(name) => cookies::set(view.answer.map(|answer| answer.received), name),
            // No rule changes the status before the last one has run.
            Self::UpstreamStatus => Self::Status.scalar(view),
            Self::Uri => Cow::Borrowed(asked.target.path()),
            Self::Http(_) | Self::Profile(_) | Self::SentHttp(_) | Self::UpstreamHttp(_) => Cow::Borrowed(""),
        }
    }
}

fn lines<'v>(headers: Option<&'v HeaderMap>, name: &str) -> Vec<Cow<'v, str>> {
    let named = headers.into_iter().flatten().filter(|(header, _)| same_name(header.as_str(), name));
    named.map(|(_, value)| String::from_utf8_lossy(value.as_bytes())).collect()
}

/// Names of headers, cookies and arguments are compared as nginx does: without case, `-` equal to `_`.
pub(super) fn same_name(sent: &str, name: &str) -> bool {
    sent.len() == name.len()
        && sent.bytes().zip(name.bytes()).all(|(sent, name)| match sent {
            b'-' => name == b'_',
            _ => sent.eq_ignore_ascii_case(&name),
        })
}

fn arguments<'v>(query: Option<&'v str>, name: &str) -> impl Iterator<Item = &'v str> {
    let pairs = query.unwrap_or_default().split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.filter(move |(sent, _)| same_name(sent, name)).map(|(_, value)| value)
}

/// Azion: "the host without its first label below the second-level domain". Which names are public suffixes is not known here.
fn domain(host: &str) -> &str {
    match host.split_once('.') {
        Some((_, rest)) if rest.contains('.') => rest,
        _ => host,
    }
}

/// The user's name (RFC 7617 §2); empty when there is none.
fn remote_user(headers: &HeaderMap) -> String {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let credentials = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
    let decoded = credentials.and_then(|(_, encoded)| STANDARD.decode(encoded.trim()).ok()).unwrap_or_default();
    String::from_utf8(decoded).ok().and_then(|pair| pair.split_once(':').map(|(user, _)| user.to_owned())).unwrap_or_default()
}
