//! What to change in a front door that let an attack through, in the words of its product.

use crate::front_door_config::Product;

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    Reach,
    Anonymous,
    Forwarded,
    Unknown,
    Given,
    Forged,
    Repeated,
    Alias,
    Connection,
    Trailer,
    Folded,
    TwoHosts,
    OtherHost,
    Resumed,
    Oversize,
    PlainHttp,
    Direct,
}

/// What to change.
pub(super) fn mend(product: Product, check: Check) -> &'static str {
    match check {
        Check::Reach => {
            "Set [probe] secret_file in vestibule.toml and restart Vestibule; use the same configuration here; compare the clocks; \
             let the front door send everything to Vestibule"
        }
        Check::Direct => {
            "Let Vestibule listen on 127.0.0.1, a Unix socket or a network of the front door alone, and ask for a key or a signature as proof"
        }
        Check::TwoHosts => "Refuse requests with two Host lines: every current version of the product does",
        Check::Given | Check::Forwarded => forwarded(product),
        Check::Unknown => {
            "Never write SUCCESS where clients' certificates are taken without a CA, and keep forwarded_verdict away from \"require\""
        }
        Check::Anonymous => anonymous(product),
        Check::Forged | Check::Repeated | Check::Folded => forged(product),
        Check::Alias => alias(product),
        Check::Connection => connection(product),
        Check::Trailer => match product {
            Product::Haproxy => "Add `http-request deny deny_status 400 if { req.hdr(trailer) -m found }`",
            Product::Apache => "Add `RequestHeader unset Trailer early` to the virtual host",
            _ => "Do not hand trailers or the `Trailer` line on to Vestibule",
        },
        Check::OtherHost => other_host(product),
        Check::Resumed => resumed(product),
        Check::Oversize => match product {
            Product::Haproxy => {
                "Add `http-request deny deny_status 400 if { ssl_c_used } !{ ssl_c_der,base64,url_enc -m found }`, and let tune.bufsize hold the largest certificate"
            }
            _ => "A certificate that is too large must be refused: never send an empty header, or NONE, in its place",
        },
        Check::PlainHttp => "Redirect plain HTTP to https:// or refuse it; never proxy it to Vestibule",
    }
}

fn forwarded(product: Product) -> &'static str {
    match product {
        Product::Nginx => {
            "Set `ssl_verify_client optional_no_ca` in the server block, and the certificate header with proxy_set_header in every location"
        }
        Product::Haproxy => {
            "Bind with `verify optional crt-ignore-err all ca-ignore-err all`, and set the certificate header `if { ssl_c_used }`"
        }
        Product::Apache => {
            "Set `SSLVerifyClient optional_no_ca` and the certificate header with `RequestHeader set` in the virtual host"
        }
        Product::Caddy => "Set `client_auth { mode request }` and the certificate header with `request_header @presented`",
        Product::Envoy | Product::Traefik => "Ask clients for a certificate and forward it in the header that the format names",
    }
}

fn anonymous(product: Product) -> &'static str {
    match product {
        Product::Nginx => {
            "Send the verdict always: `proxy_set_header` it to $ssl_client_verify, which is NONE without a certificate"
        }
        Product::Haproxy => "Set the verdict header to NONE without a condition, before the lines that depend on `ssl_c_used`",
        Product::Apache => {
            "Set the verdict header to %{SSL_CLIENT_VERIFY} without a condition: it is NONE without a certificate"
        }
        Product::Caddy => "Set the verdict header to NONE without a matcher, before the line with @presented",
        Product::Envoy | Product::Traefik => {
            "Say of every request whether there was a certificate: an absence cannot be told from a deletion"
        }
    }
}

fn forged(product: Product) -> &'static str {
    match product {
        Product::Nginx => {
            "Overwrite the header with `proxy_set_header`, with \"\" where nothing is to be sent, in every location that proxies to Vestibule"
        }
        Product::Haproxy => {
            "Delete the client's header with `http-request del-header` before `http-request set-header`, and never use add-header for it"
        }
        Product::Apache => {
            "Add `RequestHeader unset NAME early` for the header, and set it with `RequestHeader set`, never `add`"
        }
        Product::Caddy => "Add `request_header -NAME` for the header before the lines that set it",
        Product::Envoy | Product::Traefik => "Remove the client's header before the front door's own is set",
    }
}

fn alias(product: Product) -> &'static str {
    match product {
        Product::Nginx => "Keep `underscores_in_headers off` and `ignore_invalid_headers on` in the default server of the port",
        Product::Haproxy => "Add `option http-restrict-req-hdr-names delete` to the frontend",
        Product::Apache => "Add `RequestHeader unset` with `early` for the name with `_` and with `.`",
        Product::Caddy => "Add `request_header -NAME` for the name with `_` and with `.`",
        Product::Envoy => "Set `headers_with_underscores_action: DROP_HEADER`, and remove the names with `.`",
        Product::Traefik => "Traefik cannot drop such names: Vestibule refuses them",
    }
}

fn connection(product: Product) -> &'static str {
    match product {
        Product::Nginx => "Set `proxy_set_header Connection` yourself; never to $http_connection",
        Product::Haproxy => "Add `http-request deny deny_status 400 if { req.hdr(connection) -m reg -i ^(NAMES)$ }`",
        Product::Apache => "Add `RequestHeader unset Connection early` to the virtual host",
        Product::Caddy => {
            "Add `respond @nominating 400` for a `Connection` that names a contract header, before the lines that set them"
        }
        Product::Envoy | Product::Traefik => {
            "Do not hand the client's `Connection` on, and set the contract headers after hop-by-hop headers are removed"
        }
    }
}

fn other_host(product: Product) -> &'static str {
    match product {
        Product::Nginx => "Give each name a server block of its own with its own ssl_verify_client, so that nginx answers 421",
        Product::Haproxy => "Add `http-request deny deny_status 421 unless { var(txn.sni),strcmp(txn.host) eq 0 }`",
        Product::Apache => "Set `SSLStrictSNIVHostCheck On`, and use httpd 2.4.64 or later",
        Product::Caddy => "Set `strict_sni_host on` in the servers option",
        Product::Envoy | Product::Traefik => {
            "Forward the server name of the handshake, and set require_sni = true in [[front_doors]]"
        }
    }
}

fn resumed(product: Product) -> &'static str {
    match product {
        Product::Nginx => {
            "Use an nginx with the fix of CVE-2025-23419, keep tickets off, and send no certificate header on names that ask for none"
        }
        Product::Haproxy => "Set the certificate header only where the name asks for one (`if asked present`)",
        Product::Apache => "Set `SSLSessionCache none` and `SSLSessionTickets Off`",
        Product::Caddy | Product::Envoy | Product::Traefik => {
            "Turn session resumption off, or send no certificate header on names that ask for none"
        }
    }
}
