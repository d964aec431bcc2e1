//! Which headers may be in the contract, and which may be set for the upstream.

use crate::{accepted, edited, refused, refused_alone};

const OUR_HEADER: &str = "\"ssl-client-s-dn\" = \"${ssl_client_s_dn}\"";
const RULE: &str = "value = \"X-CN: ${ssl_client_s_dn_parsed}\"";

/// Framing, routing, hop by hop; and aliases, which upstreams in CGI's manner take for them.
const FRAMING: [&str; 19] = [
    "Connection",
    "Content-Length",
    "content_length",
    "Expect",
    "Host",
    "HTTP2-Settings",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Authentication-Info",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Range",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "transfer_encoding",
    "transfer.encoding",
    "Upgrade",
    "host",
];

const ABOUT_THE_CLIENT: [&str; 9] = [
    "X-Forwarded-For",
    "x_forwarded_for",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Real-IP",
    "x.real.ip",
    "Forwarded",
    "X-Request-Id",
    "x-request_id",
];

#[test]
fn some_headers_are_not_a_configurations_to_set() {
    for (names, hint) in
        [(&FRAMING[..], "frames or routes the message"), (&ABOUT_THE_CLIENT[..], "the upstream always gets it")]
    {
        for name in names {
            let ran = edited(&[(OUR_HEADER, &format!("\"{name}\" = \"x\""))]).check();
            refused_alone(&ran, &[&format!("acme.toml: `upstream_headers.{name}`: found `x`"), hint]);
            let ran = edited(&[(RULE, &format!("value = \"{name}: x\""))]).check();
            refused_alone(&ran, &["acme.toml: `rules[1].behaviors[0]`: ", hint]);
            let filter = format!("type = \"filter_request_header\", value = \"{name}\"");
            let ran = edited(&[(&format!("type = \"add_request_header\", {RULE}"), &filter)]).check();
            refused_alone(&ran, &["acme.toml: `rules[1].behaviors[0]`: ", hint]);
        }
    }
}

#[test]
fn names_that_are_none() {
    for name in ["", " ", "a b", "a:b", "é"] {
        refused_alone(&edited(&[(OUR_HEADER, &format!("\"{name}\" = \"x\""))]).check(), &["is no header name"]);
    }
    for value in ["no colon", ": x", "a b: x"] {
        refused_alone(&edited(&[(RULE, &format!("value = \"{value}\""))]).check(), &["acme.toml: `rules[1].behaviors[0]`: "]);
    }
}

#[test]
fn a_certificate_of_several_lines_cannot_stand_in_a_header() {
    for variable in ["ssl_client_raw_cert", "ssl_client_cert"] {
        let hint = "use `${ssl_client_escaped_cert}`";
        refused_alone(&edited(&[(OUR_HEADER, &format!("\"x-cert\" = \"a${{{variable}}}\""))]).check(), &[hint]);
        refused_alone(&edited(&[(RULE, &format!("value = \"X-Cert: ${{{variable}}}\""))]).check(), &[hint]);
    }
    accepted(&edited(&[(OUR_HEADER, "\"x-cert\" = \"${ssl_client_escaped_cert}\"")]).check());
}

#[test]
fn other_forwarded_headers_may_be_set() {
    accepted(&edited(&[(OUR_HEADER, "\"X-Forwarded-Client-Cert\" = \"Hash=${ssl_client_fingerprint_sha256}\"")]).check());
}

#[test]
fn two_contract_headers_with_one_name() {
    for (from, to) in [
        ("\"client-certificate\"", "\"cname-api-key\""),
        ("ssl_client_sigalg = \"ssl_client_sigalg\"", "ssl_client_sigalg = \"SSL.Client_S-DN\""),
        ("request_id = \"x-request-id\"", "request_id = \"x_forwarded_for\""),
        ("cname_api_key = \"cname-api-key\"", "cname_api_key = \"x-forwarded-for\""),
    ] {
        let expected = "acme.toml: `domains[0]`: `";
        refused(&edited(&[(from, to)]).check(), &[expected, "of another contract header", "hint: different names"]);
    }
}
