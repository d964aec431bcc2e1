//! The header lines that the upstream sees, and those that go back.

use std::net::IpAddr;
use std::ops::Range;

use bytes::Bytes;

use http::HeaderMap;
use http::header::{CONNECTION, COOKIE, EXPECT, FORWARDED, HOST, HeaderName, HeaderValue};

use super::{HostPolicy, Outgoing, Upstream};
use crate::digits::push_address;
use crate::refusal::{Refusal, Refused};

/// Takes the hop-by-hop lines out: the fixed ones, and those that `Connection` names (RFC 9110 §7.6.1).
pub(super) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    remove_named_by_connection(headers);
    remove_where(headers, is_hop_by_hop);
}

/// Turns the request's headers as received into those that are sent. Framing is left to the caller.
///
/// # Errors
/// [`Refusal::RequestMalformed`] when the host or the request id cannot be written into a header.
pub(super) fn for_upstream(upstream: &Upstream, outgoing: &mut Outgoing) -> Result<(), Refused> {
    let Outgoing { headers, ours, .. } = outgoing;
    remove_named_by_connection(headers);
    // actix has sent `100 Continue` when the handler is called, so the expectation is met (RFC 9110 §10.1.1).
    headers.remove(EXPECT);
    remove_where(headers, |name| {
        is_hop_by_hop(name) || tells_about_client(name) || is_alias_of_fixed(name) || is_one_of(ours, name)
    });
    for (name, value) in std::mem::take(ours) {
        if !is_hop_by_hop(name.as_str()) {
            headers.append(name, value);
        }
    }
    set_host(upstream, outgoing)?;
    tell_about_client(outgoing)
}

fn set_host(upstream: &Upstream, outgoing: &mut Outgoing) -> Result<(), Refused> {
    let host = match &upstream.host {
        HostPolicy::Named(name) => name,
        HostPolicy::Preserve => &outgoing.host,
        HostPolicy::Upstream => &upstream.endpoint.authority,
    };
    let host = value(host)?;
    outgoing.headers.insert(HOST, host);
    Ok(())
}

/// One hop is all that is known for certain, the authenticated one, so one address is all that is said. The values are slices
/// of one piece of memory.
fn tell_about_client(outgoing: &mut Outgoing) -> Result<(), Refused> {
    let mut text = Values::default();
    let address = text.push(|out| push_address(out, outgoing.client_ip));
    let host = text.push(|out| out.push_str(&outgoing.host));
    let request_id = text.push(|out| out.push_str(&outgoing.request_id));
    let forwarded = text.push(|out| forwarded(out, outgoing.client_ip, &outgoing.host, outgoing.scheme));
    let text = text.freeze();
    let headers = &mut outgoing.headers;
    headers.insert(FORWARDED, value_of(text.slice(forwarded))?);
    headers.insert(X_FORWARDED_FOR, value_of(text.slice(address.clone()))?);
    headers.insert(X_REAL_IP, value_of(text.slice(address))?);
    headers.insert(X_FORWARDED_HOST, value_of(text.slice(host))?);
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(outgoing.scheme));
    headers.insert(X_REQUEST_ID, value_of(text.slice(request_id))?);
    Ok(())
}

/// The texts of several values, one behind the other.
struct Values(String);

impl Default for Values {
    fn default() -> Self {
        Self(String::with_capacity(256))
    }
}

impl Values {
    fn push(&mut self, write: impl FnOnce(&mut String)) -> Range<usize> {
        let start = self.0.len();
        write(&mut self.0);
        start..self.0.len()
    }

    fn freeze(self) -> Bytes {
        Bytes::from(self.0)
    }
}

fn value_of(text: Bytes) -> Result<HeaderValue, Refused> {
    HeaderValue::from_maybe_shared(text)
        .map_err(|_| Refused::new(Refusal::RequestMalformed, "what is known of the client cannot be a header value"))
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// RFC 7239 §4: a value that is no token, such as an IPv6 address or a host with a port, is quoted.
fn forwarded(out: &mut String, client: IpAddr, host: &str, scheme: &str) {
    let (opened, closed) = if client.is_ipv6() { ("for=\"[", "]\"") } else { ("for=", "") };
    out.push_str(opened);
    push_address(out, client);
    out.push_str(closed);
    out.push_str(";host=\"");
    if host.contains(['\\', '"']) {
        for c in host.chars() {
            if matches!(c, '\\' | '"') {
                out.push('\\');
            }
            out.push(c);
        }
    } else {
        out.push_str(host);
    }
    out.push_str("\";proto=");
    out.push_str(scheme);
}

fn value(text: &str) -> Result<HeaderValue, Refused> {
    HeaderValue::from_str(text)
        .map_err(|_| Refused::new(Refusal::RequestMalformed, format!("{text:?} cannot be a header value")))
}

fn remove_named_by_connection(headers: &mut HeaderMap) {
    if !headers.contains_key(CONNECTION) {
        return;
    }
    let named: Vec<HeaderName> = connection_options(headers)
        // The usual option. A header of this name stays here in any case.
        .filter(|option| !option.eq_ignore_ascii_case(b"keep-alive"))
        .filter_map(|option| HeaderName::from_bytes(option).ok())
        // Meant for the upstream, whoever says otherwise (RFC 9110 §7.6.1), and a rule may have put its own cookie there.
        .filter(|name| *name != COOKIE)
        // `close` is an option without a header; looking for it costs nothing.
        .collect();
    for name in named {
        headers.remove(name);
    }
}

/// The options of every `Connection` line.
pub(super) fn connection_options(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers.get_all(CONNECTION).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
}

fn remove_where(headers: &mut HeaderMap, goes: impl Fn(&str) -> bool) {
    let gone: Vec<HeaderName> = headers.keys().filter(|name| goes(name.as_str())).cloned().collect();
    for name in gone {
        headers.remove(name);
    }
}

fn is_hop_by_hop(name: &str) -> bool {
    // `Keep-Alive` and `Proxy-Connection` were never standard, `HTTP2-Settings` belongs to an upgrade that we do not do.
    matches!(
        name,
        "connection"
            | "http2-settings"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authentication-info"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Lines by which proxies tell about the client. Every `X-Forwarded-*` is one, also those of other products
/// (`X-Forwarded-Client-Cert`): nobody authenticated what they say.
fn tells_about_client(name: &str) -> bool {
    starts_with_alias(name, "x-forwarded-")
        || ["forwarded", "x-real-ip", "x-request-id"].into_iter().any(|told| is_alias(name, told))
}

/// Frameworks that turn header names into variables (CGI, RFC 3875 §4.1.18) take `Content_Length` for `Content-Length`.
/// The names themselves have been read already or are written anew.
fn is_alias_of_fixed(name: &str) -> bool {
    name.contains(['_', '.'])
        && ["content-length", "content-type", "transfer-encoding"].into_iter().any(|fixed| is_alias(name, fixed))
}

fn is_one_of(ours: &[(HeaderName, HeaderValue)], name: &str) -> bool {
    ours.iter().any(|(our, _)| is_alias(name, our.as_str()))
}

/// Whether two names, already lower-case, are the same to a reader that does not tell `-`, `_` and `.` apart.
fn is_alias(name: &str, other: &str) -> bool {
    name.len() == other.len() && starts_with_alias(name, other)
}

fn starts_with_alias(name: &str, start: &str) -> bool {
    let folded = |byte: u8| if matches!(byte, b'_' | b'.') { b'-' } else { byte };
    name.len() >= start.len() && name.bytes().zip(start.bytes()).all(|(a, b)| folded(a) == folded(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::Endpoint;
    use std::time::Duration;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn upstream(host: HostPolicy) -> Upstream {
        Upstream {
            name: "test".to_owned(),
            endpoint: Endpoint::parse("http://127.0.0.1:81", None).unwrap(),
            host,
            connect_timeout: Duration::from_secs(1),
            response_timeout: Duration::from_secs(1),
            tunnel_timeout: Duration::from_secs(1),
            idle_keep_alive: Duration::from_secs(1),
            max_idle_per_worker: 1,
        }
    }

    fn sent(policy: HostPolicy, client_ip: &str, received: HeaderMap, ours: &[(&'static str, &str)]) -> HeaderMap {
        let ours = ours.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
        let mut outgoing = Outgoing {
            method: http::Method::GET,
            target: "/".to_owned(),
            headers: received,
            ours,
            host: "shop.test:8443".to_owned(),
            scheme: "https",
            client_ip: client_ip.parse().unwrap(),
            request_id: "id-1".to_owned(),
            request_body_limit: None,
        };
        for_upstream(&upstream(policy), &mut outgoing).unwrap();
        outgoing.headers
    }

    #[test]
    fn hop_by_hop_lines_and_what_connection_names_stay_here() {
        let mut map = headers(&[
            ("connection", "close, X-Foo"),
            ("connection", "x-bar"),
            ("x-foo", "1"),
            ("x-bar", "1"),
            ("x-bar", "2"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("proxy-authorization", "Basic x"),
            ("te", "trailers"),
            ("trailer", "x"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
        ]);
        remove_hop_by_hop(&mut map);
        assert_eq!(map, headers(&[("set-cookie", "a=1"), ("set-cookie", "b=2")]));
    }

    #[test]
    fn client_copies_never_pass_in_any_spelling() {
        let map = sent(
            HostPolicy::Preserve,
            "192.0.2.7",
            headers(&[
                ("x-forwarded-for", "6.6.6.6"),
                ("x_forwarded_for", "6.6.6.6"),
                ("x.forwarded-client_cert", "Hash=6"),
                ("forwarded", "for=6.6.6.6"),
                ("x_real_ip", "6.6.6.6"),
                ("x-request_id", "6"),
                ("x_user", "mallory"),
                ("x-user", "mallory"),
                ("ssl-client-verify", "SUCCESS"),
                ("content_length", "6"),
                ("accept", "a"),
                ("connection", "x-user"),
                ("expect", "100-continue"),
            ]),
            &[("x-user", "alice"), ("x-user", "bob"), ("ssl_client_verify", "NONE")],
        );
        let expected = headers(&[
            ("accept", "a"),
            ("x-user", "alice"),
            ("x-user", "bob"),
            ("ssl_client_verify", "NONE"),
            ("host", "shop.test:8443"),
            ("forwarded", "for=192.0.2.7;host=\"shop.test:8443\";proto=https"),
            ("x-forwarded-for", "192.0.2.7"),
            ("x-real-ip", "192.0.2.7"),
            ("x-forwarded-host", "shop.test:8443"),
            ("x-forwarded-proto", "https"),
            ("x-request-id", "id-1"),
        ]);
        assert_eq!(map, expected);
    }

    #[test]
    fn host_follows_the_policy_and_ipv6_is_quoted() {
        for (policy, host) in [
            (HostPolicy::Preserve, "shop.test:8443"),
            (HostPolicy::Upstream, "127.0.0.1:81"),
            (HostPolicy::Named("inner".to_owned()), "inner"),
        ] {
            let map = sent(policy, "2001:db8::1", headers(&[("host", "evil")]), &[]);
            assert_eq!(map.get_all("host").iter().collect::<Vec<_>>(), [host]);
            assert_eq!(map["forwarded"], "for=\"[2001:db8::1]\";host=\"shop.test:8443\";proto=https");
            assert_eq!(map["x-forwarded-for"], "2001:db8::1");
        }
    }
}
