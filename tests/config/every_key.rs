//! Every key with a value of the wrong type, with a wrong value, and with a neighbour that is no key.

use crate::edge_config::{Folder, MANAGEMENT, PROCESS, TENANT as TENANT_TEXT};
use crate::{refused, refused_alone};

/// A line `key = value` of a file, and the key's path.
struct Line {
    file: &'static str,
    path: String,
    table: String,
    text: &'static str,
}

fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for (file, text) in [("vestibule.toml", PROCESS), ("vestibule.toml", MANAGEMENT), (crate::TENANT, TENANT_TEXT)] {
        let mut table = String::new();
        let mut seen: Vec<&str> = Vec::new();
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]")) {
                let place = seen.iter().filter(|other| **other == name).count();
                seen.push(name);
                table = format!("{name}[{place}]")
                    .replace("front_doors.", "front_doors[1].")
                    .replace("consumers.", "consumers[0].");
            } else if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                table = name.replace("front_doors.", "front_doors[0].");
            } else if let Some((key, _)) = line.split_once(" = ") {
                let key = key.trim_matches('"');
                let path = if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") };
                lines.push(Line { file, path, table: table.clone(), text: line });
            }
        }
    }
    lines
}

/// A folder in which the line has become another one; the line is found below its table, since names repeat.
fn with(line: &Line, becomes: &str) -> Folder {
    let folder = Folder::good();
    folder.write("vestibule.toml", &format!("{PROCESS}{MANAGEMENT}"));
    let tag = crate::edge_config::tag(crate::edge_config::KEY);
    let was = line.text.replace("TAG", &tag);
    let text = folder.read(line.file);
    let mut place = lines()
        .iter()
        .filter(|other| other.file == line.file && other.text == line.text)
        .position(|other| other.path == line.path);
    let mut changed = Vec::new();
    for one in text.lines() {
        let here = one == was
            && place.as_mut().is_some_and(|left| {
                let now = *left == 0;
                *left = left.wrapping_sub(1);
                now
            });
        changed.push(if here { becomes.replace("TAG", &tag) } else { one.to_owned() });
    }
    folder.write(line.file, &changed.join("\n"));
    assert_ne!(folder.read(line.file), text, "{}", line.path);
    folder
}

#[test]
fn no_key_takes_a_number_with_a_point() {
    for line in lines() {
        let key = line.text.split(" = ").next().unwrap();
        let ran = with(&line, &format!("{key} = 1.5")).check();
        let place = format!("{}: `{}`: found a number with a point\n  hint: accepted: ", line.file, line.path);
        refused(&ran, &[&place]);
    }
}

#[test]
fn every_table_knows_its_keys() {
    for line in lines() {
        let texts = ["upstream_headers", "identity.token.audiences"];
        let found = if texts.contains(&line.table.as_str()) {
            "found a whole number"
        } else {
            "is no key of this table\n  hint: keys: "
        };
        let before = format!("strange_key = 1\n{}", line.text);
        let path = if line.table.is_empty() { "strange_key".to_owned() } else { format!("{}.strange_key", line.table) };
        refused_alone(&with(&line, &before).check(), &[&format!("{}: `{path}`: {found}", line.file)]);
    }
}

#[test]
fn every_inner_table_knows_its_keys() {
    for (from, path) in [
        ("{ conditional = \"if\",", "rules[0].criteria[0][0].strange_key"),
        ("{ type = \"deny\"", "rules[0].behaviors[0].strange_key"),
        ("{ allow_unauthenticated_requests = true", "routes[0].policy.strange_key"),
    ] {
        let to = from.replacen('{', "{ strange_key = 1,", 1);
        let ran = crate::edited(&[(from, &to)]).check();
        refused_alone(&ran, &[&format!("acme.toml: `{path}`: is no key of this table\n  hint: keys: ")]);
    }
}

/// Key path, wrong values, and what is said to be right.
const WRONG: &[(&str, &[&str], &str)] = &[
    ("server.listen", &["[\"127.0.0.1\"]", "[\"localhost:80\"]", "[\"\"]"], "\"address:port\" or \"unix:/path\""),
    ("server.listen", &["[\"unix:run/x\"]"], "absolute path"),
    ("server.listen", &["[]"], "a list of listeners"),
    ("server.workers", &["-1", "1025", "\"2\""], "a whole number from 0 to 1024"),
    ("server.keep_alive", &["\"75\"", "\"75 sec\"", "\"-1s\"", "\"\"", "\"1.5s\""], "accepted: "),
    ("server.head_timeout", &["\"10\"", "\"0s\""], "accepted: "),
    ("server.shutdown_timeout", &["\"soon\""], "accepted: "),
    ("admin.listen", &["\"9180\"", "\"unix:/x\"", "\"\""], "\"address:port\""),
    ("secrets.pepper_file", &["\"secrets/missing\"", "\"secrets\"", "\"\""], "64 hexadecimal digits"),
    ("debug.secret_file", &["\"secrets/missing\"", "\"crl/clients.pem\""], "32 bytes or more in base64"),
    ("debug.header", &["\"a b\"", "\"\"", "\"host\"", "\"x-real-ip\""], "a header name"),
    ("limits.header_count", &["0", "97"], "from 1 to 96"),
    ("limits.header_bytes", &["\"0B\"", "\"1MiB\"", "\"96\"", "\"96KB\""], "accepted: "),
    ("limits.certificate_cache_entries", &["-1", "10000001"], "from 0 to 10000000"),
    ("limits.verification_cache_entries", &["-1"], "from 0 to 10000000"),
    ("logs.level", &["\"trace\"", "\"INFO\"", "\"\""], "accepted: error, warn, info, debug"),
    ("revocation.http_timeout", &["\"5\"", "\"0s\""], "accepted: "),
    ("revocation.connect_timeout", &["\"x\"", "\"0s\""], "accepted: "),
    ("revocation.first_wait", &["\"3\""], "accepted: "),
    ("revocation.crl_max_size", &["\"32\"", "\"0B\"", "\"257MiB\""], "accepted: "),
    ("revocation.http_proxy", &["\"proxy:3128\"", "\"http://u:p@proxy\"", "\"http://proxy/path\""], "http://host:port"),
    ("revocation.https_proxy", &["\"\"", "\"socks5://proxy\""], "http://host:port"),
    ("revocation.ca_file", &["\"missing.pem\"", "\"secrets/pepper\""], "CERTIFICATE"),
    ("revocation.cache_folder", &["true"], "a text"),
    ("revocation.retry_after_failure", &["\"60\"", "\"0s\"", "\"999ms\""], "accepted: "),
    ("revocation.ocsp_max_age", &["\"day\""], "accepted: "),
    ("output_dialect", &["\"Azion\"", "\"\""], "accepted: nginx, azion"),
    ("error_style", &["\"xml\""], "accepted: json, problem+json, kong, zuplo, plain"),
    ("routes[0].error_style", &["\"Kong\"", "\"\""], "accepted: json, problem+json, kong, zuplo, plain"),
    ("identity.signing_keys", &["[]"], "1 to 6 files"),
    ("identity.subject", &["\"DN\"", "\"\""], "accepted: dn, consumer, san_uri"),
    ("identity.token.header", &["\"a b\"", "\"\"", "\"host\"", "\"x-real-ip\""], "hint: "),
    ("identity.token.header", &["\"X_CN\"", "\"x_consumer_id\"", "\"x-original-uri\""], "a name of its own"),
    ("identity.token.header", &["\"X_Debug_Token\""], "a name of its own"),
    ("identity.user.header", &["\"X_Vestibule_Identity\""], "two different names"),
    ("identity.token.issuer", &["\"\"", "\"a\\nb\""], "up to 256 bytes"),
    ("identity.token.audience", &["\"\"", "[\"a\", \"\"]"], "up to 256 bytes"),
    ("identity.token.audience", &["[]"], "whom tokens are for"),
    ("identity.token.audiences.core", &["\"\""], "up to 256 bytes"),
    ("identity.token.lifetime", &["\"60\"", "\"0s\"", "\"4s\"", "\"61m\""], "accepted: "),
    ("identity.user.header", &["\"a:b\"", "\"x-forwarded-for\""], "hint: "),
    ("enable_mtls_endpoint_aliases", &["\"true\"", "1", "\"yes\""], "accepted: true or false"),
    (
        "mtls_host_prefix",
        &["\"\"", "\"mtls\"", "\"Mtls.\"", "\".mtls.\"", "\"a..\"", "\"a b.\"", "\"-\""],
        "ends with `.` or `-`",
    ),
    ("policy.authorization_server_metadata", &["\"off\"", "\"\""], "accepted: pass, rewrite"),
    ("policy.advertise_certificate_bound_access_tokens", &["\"true\"", "1"], "accepted: true or false"),
    ("authorize.path", &["\"x\"", "\"/a/../b\"", "\"/a?b\"", "\"\""], "normalized path"),
    ("authorize.original_uri_header", &["\"a b\"", "\"\"", "\"host\""], "a header name"),
    ("authorize.original_uri_header", &["\"client_certificate\"", "\"x-forwarded-for\"", "\"x-cn\""], "a name of its own"),
    ("authorize.original_method_header", &["\"a:b\""], "a header name"),
    ("authorize.original_method_header", &["\"x_original.uri\""], "two different names"),
    ("policy.verification_mode", &["\"off\"", "\"permissive\"", "true"], "accepted: "),
    ("lists.office.type", &["\"cidr\"", "\"\""], "accepted: strings, ip_cidr, fingerprints"),
    ("lists.office.entries", &["1", "true"], "accepted: a list of texts"),
    ("rules[0].description", &["1"], "accepted: a text"),
    ("rules[0].phase", &["\"default\"", "\"Request\""], "accepted: firewall, request, response"),
    ("rules[0].mode", &["\"off\"", "true"], "accepted: "),
    ("rules[0].routes", &["[\"/nowhere\"]", "[]"], "route"),
    ("domains[0].name", &["\"\"", "\"a b\"", "\"api.example:443\"", "\"api.example.\"", "\"-a.b\"", "\"*.b\""], "a host name"),
    ("domains[0].front_door", &["\"other\""], "the name of one of [[front_doors]]"),
    ("domains[0].custom_client_ip_header", &["\"x-real-ip\"", "\"\""], "accepted: x-forwarded-for, true-client-ip"),
    ("domains[0].cname_api_keys", &["[]", "[\"TAG\", \"TAG\", \"TAG\"]"], "one tag, or two while a key is rotated"),
    (
        "domains[0].cname_api_keys[0]",
        &["[\"\"]", "[\"secret\"]", "[\"hmac-sha256:xy\"]", "[\"hmac-sha256:00\"]"],
        "vestibule keygen",
    ),
    ("front_doors[0].format", &["\"envoy\"", "\"Nginx\"", "\"\""], "accepted: nginx, auth0, "),
    ("front_doors[0].proofs", &["[]", "[\"networks\"]", "\"\"", "[\"API_KEY\"]"], "api_key"),
    ("front_doors[0].proofs", &["[\"api_key\", \"api_key\"]"], "each proof once"),
    (
        "front_doors[1].networks",
        &["[]", "\"\"", "[\"192.0.2.1\"]", "[\"0.0.0.0/0\"]", "[\"::/0\"]", "[\"10.0.0.0/33\"]"],
        "networks like",
    ),
    ("front_doors[1].proofs", &["[]", "[\"mtls\"]"], "api_key"),
    ("front_doors[1].unix_users", &["[\"no such user\"]", "[\"-1\"]", "[\"4294967296\"]"], "a user's name or number"),
    ("front_doors[1].unix_groups", &["[\"no such group\"]"], "a group's name or number"),
    ("front_doors[1].signature_label", &["\"\"", "\"Edge\"", "\"a b\"", "\"1\""], "a key of structured fields"),
    ("front_doors[1].signature_tag", &["\"\"", "\"\u{e9}\""], "printable ASCII"),
    ("front_doors[1].signature_components", &["[\"@method\"]", "[\"\"]", "[\"a b\"]", "[\"connection\"]"], "a header name"),
    ("front_doors[1].signature_max_age", &["\"0s\"", "\"500ms\"", "\"1500ms\"", "\"2h\"", "\"60\""], "accepted: "),
    ("front_doors[1].clock_tolerance", &["\"31s\"", "\"100ms\"", "\"x\""], "accepted: "),
    ("front_doors[1].signature_keys[0].keyid", &["\"\"", "\"\u{e9}\""], "printable ASCII"),
    (
        "front_doors[1].signature_keys[0].secret_file",
        &["\"secrets/missing\"", "\"secrets\"", "\"crl/clients.pem\""],
        "32 bytes or more in base64",
    ),
    ("replay.redis", &["\"127.0.0.1:6379\"", "\"rediss://a:1\"", "\"redis://:secret@a:1\"", "\"\""], "\"redis://host:port\""),
    ("replay.redis_password_file", &["\"secrets/missing\""], "a file with the password"),
    (
        "store.url",
        &["\"\"", "\"mysql://v@h/d\"", "\"postgres://v@h\"", "\"postgres://v:p@h/d\"", "\"postgres://v@h/d?sslmode=prefer\""],
        "accepted",
    ),
    ("store.password_file", &["\"secrets/missing\""], "a file with the password alone"),
    ("management.tenant", &["\"other\""], "the name of a file in tenants/"),
    ("management.origin_domain", &["\"-x\"", "\"a:80\"", "\"\""], "accepted: a host name"),
    ("management.dns_servers", &["[\"127.0.0.1\"]", "[\"dns.example:53\"]"], "\"address:port\""),
    ("management.dns_timeout", &["\"3\"", "\"0s\""], "accepted: "),
    ("management.recheck_interval", &["\"3\"", "\"0s\""], "accepted: "),
    ("management.burst", &["0", "1000001", "-1"], "a whole number from 1 to 1000000"),
    ("management.requests_per_second", &["0", "1000001", "-1"], "a whole number from 1 to 1000000"),
    ("management.verifications_per_minute", &["0", "1000001", "-1"], "a whole number from 1 to 1000000"),
    (
        "management.audience",
        &["\"manage.example\"", "\"https:///api/v2/\"", "\"https://a/b/api/v2/\""],
        "where the SDKs find the API",
    ),
    ("management.token_lifetime", &["\"25h\"", "\"0s\"", "\"1500ms\""], "accepted: "),
    ("management.clients[0].client_secrets", &["[]", "[\"x\"]", "[\"a\", \"b\", \"c\"]"], "keygen --admin-token"),
    ("management.clients[0].scopes", &["[\"read:everything\"]", "[]"], "read:custom_domains"),
    ("management.tokens[0].tag", &["\"\"", "\"hmac-sha256:00\""], "keygen --admin-token"),
    ("management.tokens[0].scopes", &["[\"read:everything\"]", "[]"], "read:custom_domains"),
    ("probe.secret_file", &["\"secrets/missing\"", "\"secrets\"", "\"crl/clients.pem\""], "32 bytes in base64"),
    (
        "probe.path",
        &["\"x\"", "\"\"", "\"/\"", "\"/a?b\"", "\"/a/../b\"", "\"//a\"", "\"/%61\"", "\"/a;b\"", "\"/a#b\""],
        "a plain absolute path",
    ),
    ("replay.redis_timeout", &["\"250\"", "\"0s\""], "accepted: "),
    ("front_doors[0].certificate_header_max", &["\"16\""], "accepted: "),
    ("front_doors[0].forwarded_verdict", &["\"trust\""], "accepted: ignore, narrow, require"),
    ("front_doors[0].require_sni", &["\"yes\"", "1"], "true or false"),
    ("front_doors[0].forwarded_mismatch", &["\"ignore\""], "accepted: refuse, report"),
    ("front_doors[0].headers.cname_api_key", &["\"a b\"", "\"TAG\"", "\"host\""], "a header name"),
    ("front_doors[0].headers.client_certificate", &["\"\"", "\"content-length\""], "a header name"),
    ("front_doors[0].headers.client_certificate_ca_verified", &["\"\""], "a header name"),
    ("front_doors[0].headers.ssl_client_s_dn", &["\"\""], "a header name"),
    ("front_doors[0].headers.ssl_client_s_dn_parsed", &["\"\""], "a header name"),
    ("front_doors[0].headers.ssl_client_sigalg", &["\"\""], "a header name"),
    ("front_doors[0].headers.ssl_client_i_dn", &["\"\"", "\"a b\""], "a header name"),
    ("front_doors[0].headers.ssl_client_serial", &["\"\"", "\"a b\""], "a header name"),
    ("front_doors[0].headers.ssl_client_fingerprint", &["\"\"", "\"a b\""], "a header name"),
    ("front_doors[0].headers.ssl_client_fingerprint_sha256", &["\"\"", "\"a b\""], "a header name"),
    ("front_doors[0].headers.ssl_client_v_start", &["\"\"", "\"a b\""], "a header name"),
    ("front_doors[0].headers.ssl_client_v_end", &["\"\"", "\"a b\""], "a header name"),
    ("front_doors[0].headers.ssl_client_validity", &["\"\"", "\"a b\""], "a header name"),
    ("front_doors[0].headers.ssl_server_name", &["\"\"", "\"a b\""], "a header name"),
    ("front_doors[0].headers.request_id", &["\"\""], "a header name"),
    (
        "trusted_ca.clients.certificates",
        &["[\"trusted-ca/missing.pem\"]", "[\"trusted-ca\"]"],
        "a PEM file with CERTIFICATE blocks",
    ),
    ("trusted_ca.clients.certificates", &["[]"], "a list of PEM files"),
    ("trusted_ca.clients.certificates", &["[\"crl/clients.pem\"]"], "only CERTIFICATE blocks"),
    ("trusted_ca.nobodys.certificates", &["[]"], "a list of PEM files"),
    ("trusted_ca.clients.intermediates", &["[\"missing.pem\"]"], "a PEM file with CERTIFICATE blocks"),
    ("trusted_ca.clients.crl", &["[\"trusted-ca/root.pem\"]"], "only X509 CRL blocks"),
    ("trusted_ca.clients.allow_partial_chain", &["\"false\""], "true or false"),
    ("trusted_ca.clients.x509_strict", &["0"], "true or false"),
    ("trusted_ca.clients.allow_ed448", &["\"no\""], "true or false"),
    (
        "trusted_ca.clients.crl_urls",
        &["[\"crl.example\"]", "[\"ldap://crl.example/\"]", "[\"http://u@crl.example/\"]", "[\"\"]"],
        "http://host/path",
    ),
    ("trusted_ca.clients.ocsp", &["\"ON\"", "\"\""], "off, leaf, on"),
    ("trusted_ca.clients.ocsp_responder", &["\"ocsp.example\"", "\"\""], "http://host/path"),
    ("trusted_ca.clients.ocsp_nonce", &["\"on\""], "off, prefer, require"),
    ("trusted_ca.clients.revocation_hosts", &["[\"*\"]", "[\"http://a\"]", "[\"a:0\"]", "[\"\"]"], "host names"),
    ("trusted_ca.clients.allow_private_addresses", &["\"no\""], "true or false"),
    ("policy.verification", &["\"Enforce\"", "\"none\"", "\"\""], "accepted: enforce, permissive, off"),
    ("routes[0].policy.trusted_ca", &["\"servers\""], "a set of [trusted_ca]: clients, nobodys"),
    ("policy.allow_unauthenticated_requests", &["\"yes\"", "1"], "true or false"),
    ("policy.allow_expired_certificates", &["\"true\""], "true or false"),
    ("policy.allow_revoked_certificates", &["\"true\""], "true or false"),
    ("policy.revocation_check_mode", &["\"strict\"", "\"NONE\""], "accepted: SKIP, IGNORE_CA_ERROR, STRICT"),
    ("policy.allow_stale_crl", &["\"no\""], "true or false"),
    ("policy.allow_missing_eku", &["\"no\"", "1"], "true or false"),
    ("policy.allow_critical_qc_statements", &["\"no\"", "1"], "true or false"),
    ("policy.min_rsa_bits", &["1024", "2047", "8193", "-1", "\"2048\""], "a whole number from 2048 to 8192"),
    ("policy.min_ec_bits", &["255", "522", "\"256\""], "a whole number from 256 to 521"),
    ("policy.min_ec_bits", &["257", "512"], "accepted: 256, 384, 448, 521"),
    (
        "policy.signature_algorithms",
        &["[\"sha1WithRSAEncryption\"]", "[\"RS256\"]", "\"\""],
        "accepted: sha256WithRSAEncryption, sha384WithRSAEncryption",
    ),
    ("policy.self_signed_certificates", &["[\"sha256:12\"]", "[\"missing.pem\"]", "[\"sha1:00\"]"], "hint: "),
    ("policy.self_signed_certificates", &["[\"issuer-serial:01 CN=x\"]"], "`sha256:HEX`, `spki-sha256:HEX`"),
    ("policy.certificate_bound_access_tokens", &["true", "\"on\"", "\"\""], "hint: accepted: "),
    ("policy.dpop_bound_access_tokens", &["\"allow\""], "refuse, pass"),
    ("policy.tls_client_auth", &["\"yes\""], "true or false"),
    ("policy.self_signed_tls_client_auth", &["1"], "true or false"),
    ("policy.pass_unregistered_clients", &["\"no\""], "true or false"),
    ("oauth.clients[0].client_id", &["\"\"", "\"\u{e9}\""], "printable ASCII"),
    ("oauth.clients[0].token_endpoint_auth_method", &["\"mtls\""], "accepted: tls_client_auth, self_signed_tls_client_auth"),
    (
        "oauth.clients[0].tls_client_auth_subject_dn",
        &["\"\"", "\"app\"", "\"CN=a,\"", "\"XX=a\"", "\"/CN=a\""],
        "a name as RFC 4514 has it",
    ),
    ("oauth.clients[0].rdn_order", &["\"reversed\""], "accepted: strict, any"),
    ("oauth.clients[1].token_endpoint_auth_method", &["\"\""], "accepted: tls_client_auth"),
    ("oauth.clients[1].jwks_uri", &["\"http://own.example/jwks\"", "\"jwks\""], "\"https://host/path\""),
    ("oauth.clients[1].allow_private_addresses", &["\"no\""], "true or false"),
    ("policy.required_scopes", &["[\"\"]", "[\"a b\"]", "[\"a\\\"b\"]"], "scopes, each a text of its own"),
    (
        "oauth.issuers.as.issuer",
        &["\"as.example\"", "\"http://as.example\"", "\"https://u:p@as.example\"", "\"https://as.example?x\"", "\"\""],
        "\"http\" only to this machine",
    ),
    ("oauth.issuers.as.audience", &["[]", "[\"\"]"], "what `aud` names"),
    ("oauth.issuers.as.algorithms", &["[\"none\"]", "[\"HS256\"]", "[\"ps256\"]", "[\"ES512\"]"], "accepted: ES256, ES384"),
    ("oauth.issuers.as.algorithms", &["[]"], "some of ES256"),
    ("oauth.issuers.as.token_types", &["[]", "[\"\"]", "[\"application/at+jwt\"]"], "without \"application/\""),
    ("oauth.issuers.as.clock_skew", &["\"10\"", "\"61s\"", "\"1500ms\""], "accepted: "),
    ("oauth.issuers.as.jwks_uri", &["\"/jwks\"", "\"http://as.example/jwks\""], "\"https://host/path\""),
    ("oauth.issuers.as.introspection_endpoint", &["\"http://192.0.2.1/\"", "\"file:///x\""], "\"https://host/path\""),
    ("oauth.issuers.as.introspection_client_secret_file", &["\"secrets/missing\"", "\"secrets\""], "a file with the secret"),
    ("oauth.issuers.as.introspection_cache", &["\"30\"", "\"2h\""], "accepted: "),
    ("oauth.issuers.as.introspect", &["\"jwt\""], "accepted: opaque, all"),
    ("oauth.issuers.as.allow_missing_audience", &["\"no\""], "true or false"),
    ("policy.expiry_warning", &["\"30\"", "\"30 days\"", "\"-1d\""], "a number with ms, s, m, h or d"),
    ("policy.expiry_warning", &["\"3661d\""], "at most ten years"),
    ("policy.expiry_warning_header", &["\"a b\"", "\"content-length\""], "a header name"),
    ("policy.expiry_warning_header", &["\"Set-Cookie\"", "\"x-request-id\""], "a header name of its own"),
    ("policy.require_profile", &["\"no\""], "true or false"),
    ("policy.allow_certificates", &["[\"sha256:12\"]", "[\"lists/missing\"]", "[\"\"]"], "hint: "),
    ("policy.deny_certificates", &["[\"spki-sha256:xy\"]", "[\"issuer-serial:1\"]", "[\"sha1:00\"]"], "hint: "),
    ("dn_helper.path", &["\"x\"", "\"/a/../b\"", "\"\""], "normalized path"),
    ("dn_helper.path", &["\"/-/authorize\""], "a path of its own"),
    ("consumers_file", &["\"lists/none\"", "\"secrets\"", "\"\"", "\"secrets/pepper\""], "or JSON lines"),
    ("policy.consumer_by", &["[\"id\"]", "[\"Username\"]"], "accepted: username, custom_id"),
    ("routes[0].policy.default_consumer", &["\"nobody\"", "\"4711\""], "the id or the username"),
    ("routes[0].policy.anonymous", &["\"nobody\"", "\"4711\"", "\"Guest\""], "the id or the username"),
    ("policy.skip_consumer_lookup", &["\"true\""], "true or false"),
    ("policy.authenticated_group_by", &["\"cn\"", "\"O\""], "accepted: CN, DN"),
    ("policy.san_dirname_matcher", &["[\"cn\"]", "[\"CommonName\"]", "[\"\"]"], "short or long name"),
    ("consumers[0].id", &["\"\"", "\" x\"", "\"a\\u0007\""], "hint: "),
    ("consumers[0].username", &["\"\"", "\" two\""], "hint: "),
    ("consumers[0].custom_id", &["\"\"", "\"a\\nb\""], "without control characters"),
    ("consumers[0].groups", &["[\"\"]", "[\"a,b\"]"], "hint: "),
    ("consumers[0].tags", &["[\"a,b\"]"], "names without a comma"),
    ("consumers[0].credentials[0].id", &["\"\""], "without control characters"),
    ("consumers[0].credentials[0].subject_name", &["\"\""], "without control characters"),
    (
        "consumers[0].credentials[0].ca_certificate",
        &["\"sha256:12\"", "\"none.pem\"", "\"secrets/pepper\""],
        "`sha256:HEX` of a CA",
    ),
    ("consumers[0].credentials[1].certificate", &["\"sha256:12\"", "\"host.example\"", "\"\""], "accepted: `sha256:HEX`"),
    ("consumers[0].credentials[2].san_uri", &["\"x\"", "\"\"", "\"spiffe:\""], "a URI"),
    (
        "consumers[0].credentials[3].subject",
        &["{}", "{ o = \"x\" }", "{ O = \"\" }", "{ O = \"x\", \"2.5.4.10\" = \"y\" }"],
        "one or more attributes",
    ),
    ("profiles[0].kind", &["\"PSD2\"", "\"\""], "accepted: cdr, open_banking_uk, open_banking_uk_legacy"),
    ("profiles[0].issuers", &["[]", "[\"missing.pem\"]", "[\"sha256:00\"]"], "hint: "),
    ("profiles[0].check", &["\"off\""], "accepted: enforce, report"),
    ("policy.max_path_length", &["21", "-1", "\"8\""], "from 0 to 20"),
    (
        "upstreams.core.url",
        &["\"127.0.0.1:1\"", "\"ftp://a\"", "\"http://\"", "\"unix:x\"", "\"http://u:p@h\""],
        "https://host:port",
    ),
    ("upstreams.core.host", &["\"a b\"", "\"\"", "\"a/b\""], "\"preserve\", \"upstream\" or a host name"),
    ("upstreams.core.connect_timeout", &["\"5\"", "\"0s\""], "accepted: "),
    ("upstreams.core.response_timeout", &["\"x\"", "\"0s\""], "accepted: "),
    ("upstreams.core.tunnel_timeout", &["\"x\"", "\"0s\""], "accepted: "),
    ("upstreams.core.keep_alive", &["\"x\""], "accepted: "),
    ("upstreams.core.max_idle_per_worker", &["100001"], "from 0 to 100000"),
    ("upstream_headers.ssl-client-verify", &["\"${ssl_client_verif}\"", "\"${host\"", "\"${}\""], "hint: "),
    ("routes[0].path", &["\"x\"", "\"\"", "\"/%61\"", "\"/a//b\"", "\"/./\"", "\"/a?b\""], "normalized path"),
    ("routes[0].methods", &["[\"get\"]", "[\"G T\"]", "\"\""], "HTTP methods in capitals"),
    ("routes[0].methods", &["[]"], "at least one method"),
    ("routes[0].upstream", &["\"other\"", "\"\""], "one of core"),
    ("routes[0].request_body_max", &["\"1M\"", "\"-1B\""], "accepted: "),
    ("rules[0].criteria", &["[[]]"], "group 0 is empty"),
    ("rules[0].behaviors", &["[]"], "at least one behavior"),
];

/// Keys whose every text has a meaning, and those that [`WRONG`] has under a neighbouring path.
const ANY_TEXT: [&str; 22] = [
    "policy.anonymous",
    "policy.default_consumer",
    "policy.allow_groups",
    "policy.deny_groups",
    "oauth.clients[1].client_id",
    "oauth.issuers.as.introspection_client_id",
    "policy.access_token_issuer",
    "store.snapshot_file",
    "management.front_door",
    "management.tokens[0].name",
    "management.clients[0].client_id",
    "front_doors[1].name",
    "profiles[0].name",
    "logs.access",
    "front_doors[0].name",
    "policy.trusted_ca",
    "upstream_headers.ssl-client-s-dn",
    "rules[0].name",
    "rules[0].active",
    "rules[1].name",
    "rules[1].behaviors",
    "routes[0].policy",
];

#[test]
fn wrong_values_are_named_with_what_is_right() {
    for (path, values, accepted) in WRONG {
        let line_path = match *path {
            "routes[0].policy.trusted_ca" => "policy.trusted_ca",
            "routes[0].policy.default_consumer" => "policy.default_consumer",
            "routes[0].policy.anonymous" => "policy.anonymous",
            path => path.strip_suffix("_keys[0]").map_or(path, |_| "domains[0].cname_api_keys"),
        };
        let all = lines();
        let line = all.iter().find(|line| line.path == line_path).unwrap_or_else(|| panic!("{line_path}"));
        let key = line.text.split(" = ").next().unwrap();
        for value in *values {
            let ran = with(line, &format!("{key} = {value}")).check();
            refused(&ran, &[&format!("{}: `{path}`: ", line.file), accepted]);
        }
    }
}

#[test]
fn the_table_of_wrong_values_has_every_key() {
    for line in lines() {
        let known = WRONG.iter().any(|(path, ..)| *path == line.path) || ANY_TEXT.contains(&line.path.as_str());
        assert!(known, "{} has no wrong value", line.path);
    }
}
