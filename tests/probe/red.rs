//! One protection taken out of the printed text by an exact edit: the probe finds it, and says what to do.

use crate::product::Edit;
use crate::set_up::{door, probe};

/// The check of a host that must fail, and a word of its mend.
struct Found(&'static str, &'static str, &'static str);

fn finds(kind: &'static str, edits: &[Edit], found: &Found) {
    let Found(host, check, mend) = found;
    let door = door(kind, edits);
    let probed = probe(&door, None);
    let failed = probed.ended("fail");
    let what = format!("{kind}: {failed:#?} {:#?}", probed.ended("pass"));
    assert_eq!(probed.code, Some(1), "{what}");
    let line = failed.iter().find(|line| line.starts_with(&format!("{host} | {check}")));
    let line = line.unwrap_or_else(|| panic!("{check} of {host} did not fail: {what}"));
    assert!(line.rsplit(" | ").next().unwrap().contains(mend), "{line}");
    // Vestibule holds where the front door does not: nobody was verified, nothing reached an upstream.
    assert_eq!(door.bank.upstream.take().len(), 0, "{what}");
    assert!(!failed.iter().any(|line| line.contains("Vestibule verified")), "{what}");
}

const OWN: &str = "api.bank.example";
const ALIAS: &str = "mtls.api.bank.example";

macro_rules! finds {
    ($($name:ident: $kind:literal, [$(($file:literal, $from:literal, $to:literal)),+], $host:ident, $check:literal, $mend:literal;)+) => {
        $(#[test]
        fn $name() {
            finds($kind, &[$(Edit($file, $from, $to)),+], &Found($host, $check, $mend));
        })+
    };
}

finds! {
    nginx_without_dropping_odd_names: "nginx",
        [("vestibule-tls.conf", "underscores_in_headers off;\nignore_invalid_headers on;", "underscores_in_headers on;\nignore_invalid_headers off;")],
        ALIAS, "aliases of `client-certificate`", "underscores_in_headers off";
    nginx_without_emptying_the_certificate: "nginx",
        [("vestibule-headers-silent.conf", "proxy_set_header client-certificate \"\";", "")],
        OWN, "forged `client-certificate`", "proxy_set_header";
    nginx_without_emptying_another_spelling: "nginx",
        [("vestibule-headers.conf", "proxy_set_header ssl-client-s-dn \"\";", "")],
        ALIAS, "aliases of `ssl_client_s_dn`", "underscores_in_headers";
    nginx_without_the_verdict: "nginx",
        [("vestibule-headers.conf", "proxy_set_header client-certificate-ca-verified $ssl_client_verify;", "")],
        ALIAS, "no certificate is told as none", "$ssl_client_verify";
    nginx_adding_to_the_clients_addresses: "nginx",
        [("vestibule-headers.conf", "proxy_set_header x-forwarded-for $remote_addr;", "proxy_set_header x-forwarded-for $proxy_add_x_forwarded_for;")],
        ALIAS, "forged `x-forwarded-for`", "proxy_set_header";
    nginx_handing_connection_on: "nginx",
        [("vestibule-proxy.conf", "proxy_set_header Connection $vestibule_connection;", "proxy_set_header Connection $http_connection;")],
        ALIAS, "contract headers named in `Connection`", "proxy_set_header Connection";
    nginx_proxying_plain_http: "nginx",
        [("vestibule.conf", "    return 308 https://", "    location / { proxy_set_header Host $host; proxy_pass http://vestibule; }\n    # https://")],
        OWN, "plain HTTP", "never proxy";
    nginx_with_the_certificate_where_none_is_asked_for: "nginx",
        [("vestibule-proxy-silent.conf", "vestibule-headers-silent.conf", "vestibule-headers.conf")],
        ALIAS, "a handshake for `mtls.api.bank.example`, a request for `api.bank.example`", "server block of its own";

    haproxy_without_dropping_odd_names: "haproxy",
        [("haproxy.cfg", "    option http-restrict-req-hdr-names delete\n", "")],
        ALIAS, "aliases of `client-certificate`", "http-restrict-req-hdr-names delete";
    haproxy_without_deleting_the_certificate: "haproxy",
        [("haproxy.cfg", "    http-request del-header client-certificate\n", "")],
        ALIAS, "forged `client-certificate`", "del-header";
    haproxy_adding_the_key: "haproxy",
        [("haproxy.cfg", "    http-request del-header cname-api-key\n", ""), ("haproxy.cfg", "http-request set-header cname-api-key", "http-request add-header cname-api-key")],
        ALIAS, "forged `cname-api-key`", "never use add-header";
    haproxy_without_none: "haproxy",
        [("haproxy.cfg", "    http-request set-header client-certificate-ca-verified NONE\n", "")],
        ALIAS, "no certificate is told as none", "to NONE";
    haproxy_without_the_guard_of_connection: "haproxy",
        [("haproxy.cfg", "    http-request deny deny_status 400 if { req.hdr(connection)", "    # if { req.hdr(connection)")],
        ALIAS, "contract headers named in `Connection`", "req.hdr(connection)";
    haproxy_without_the_guard_of_trailers: "haproxy",
        [("haproxy.cfg", "    http-request deny deny_status 400 if { req.hdr(trailer) -m found }\n", "")],
        ALIAS, "contract headers as trailers", "req.hdr(trailer)";
    haproxy_with_small_buffers_and_no_guard: "haproxy",
        [("haproxy.cfg", "    http-request deny deny_status 400 if { ssl_c_used } !{ ssl_c_der,base64,url_enc -m found }\n", ""),
         ("haproxy.cfg", "    tune.bufsize 65536\n    tune.maxrewrite 32768\n", "")],
        ALIAS, "a large certificate never becomes none", "url_enc -m found";
    haproxy_without_comparing_names: "haproxy",
        [("haproxy.cfg", "    http-request deny deny_status 421 unless { var(txn.sni),strcmp(txn.host) eq 0 }\n", "")],
        OWN, "a handshake for `api.bank.example`, a request for `mtls.api.bank.example`", "strcmp(txn.host)";
    haproxy_proxying_plain_http: "haproxy",
        [("haproxy.cfg", "    http-request redirect prefix", "    # prefix"),
         ("haproxy.cfg", "    http-request deny deny_status 421\n\nfrontend", "    default_backend vestibule\n\nfrontend")],
        OWN, "plain HTTP", "never proxy";

    apache_without_the_guard_of_connection: "apache",
        [("vestibule.conf", "    RequestHeader unset Connection early\n", "")],
        ALIAS, "contract headers named in `Connection`", "unset Connection early";
    apache_without_unsetting_the_certificate: "apache",
        [("vestibule.conf", "    RequestHeader unset client-certificate early\n", "")],
        OWN, "forged `client-certificate`", "unset NAME early";
    apache_without_unsetting_an_alias: "apache",
        [("vestibule.conf", "    RequestHeader unset client_certificate early\n", "")],
        ALIAS, "aliases of `client-certificate`", "with `_`";
    apache_without_none: "apache",
        [("vestibule.conf", "    RequestHeader set client-certificate-ca-verified NONE\n", "")],
        OWN, "no certificate is told as none", "without a condition";
    apache_appending_the_clients_addresses: "apache",
        [("vestibule.conf", "    RequestHeader unset x-forwarded-for early\n", ""), ("vestibule.conf", "RequestHeader set x-forwarded-for", "RequestHeader append x-forwarded-for")],
        ALIAS, "forged `x-forwarded-for`", "never `add`";
    apache_saying_success: "apache",
        [("vestibule.conf", "RequestHeader set client-certificate-ca-verified \"expr=%{SSL_CLIENT_VERIFY}\"", "RequestHeader set client-certificate-ca-verified SUCCESS")],
        ALIAS, "an unknown self-signed certificate is told as such (TLS 1.2)", "Never write SUCCESS";
    apache_proxying_plain_http: "apache",
        [("vestibule.conf", "    Redirect 308 / https://", "    ProxyPreserveHost On\n    ProxyPass / http://127.0.0.1:{vestibule}/\n    # https://")],
        OWN, "plain HTTP", "never proxy";

    caddy_without_removing_the_certificate: "caddy",
        [("Caddyfile", "\t\trequest_header -client-certificate\n", "")],
        OWN, "forged `client-certificate`", "request_header -NAME";
    caddy_without_removing_an_alias: "caddy",
        [("Caddyfile", "\t\trequest_header -client_certificate\n", "")],
        ALIAS, "aliases of `client-certificate`", "with `_`";
    caddy_without_none: "caddy",
        [("Caddyfile", "\t\trequest_header client-certificate-ca-verified NONE\n", "")],
        ALIAS, "no certificate is told as none", "without a matcher";
    caddy_without_the_guard_of_connection: "caddy",
        [("Caddyfile", "\t\trespond @nominating 400\n", "")],
        ALIAS, "contract headers named in `Connection`", "respond @nominating 400";
    caddy_without_comparing_names: "caddy",
        [("Caddyfile", "strict_sni_host on", "strict_sni_host insecure_off")],
        OWN, "a handshake for `api.bank.example`, a request for `mtls.api.bank.example`", "strict_sni_host on";
    caddy_proxying_plain_http: "caddy",
        [("Caddyfile", "\tredir https://", "\treverse_proxy 127.0.0.1:{vestibule}\n\t# https://")],
        OWN, "plain HTTP", "never proxy";
}
