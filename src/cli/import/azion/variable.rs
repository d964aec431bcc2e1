//! Azion's variables under our names.

use super::{Needs, Phase};

/// Names that mean the same here.
const SAME: [&str; 31] = [
    "args",
    "client_certificate_validation",
    "domain",
    "geoip_city",
    "geoip_city_continent_code",
    "geoip_city_country_code",
    "geoip_city_country_name",
    "geoip_continent_code",
    "geoip_country_code",
    "geoip_country_name",
    "geoip_region",
    "geoip_region_name",
    "host",
    "remote_addr",
    "remote_user",
    "request",
    "request_method",
    "scheme",
    "ssl_client_cert",
    "ssl_client_escaped_cert",
    "ssl_client_fingerprint",
    "ssl_client_i_dn",
    "ssl_client_s_dn",
    "ssl_client_s_dn_parsed",
    "ssl_client_serial",
    "ssl_client_v_end",
    "ssl_client_v_remain",
    "ssl_client_v_start",
    "ssl_client_verify",
    "ssl_verification_status",
    "uri",
];

/// Names that mean nothing behind a front door, and why.
const IMPOSSIBLE: [(&str, &str); 6] = [
    ("device_group", "devices are grouped by the CDN; ask for `${http_user_agent}`"),
    ("remote_port", "the client's port ends at the front door"),
    ("request_body", "bodies are streamed and never kept"),
    ("server_addr", "the address that the client reached is not forwarded; here it would be Vestibule's own"),
    ("server_port", "the port that the client reached is not forwarded; here it would be Vestibule's own"),
    ("tcpinfo_rtt", "the client's connection ends at the front door"),
];

/// The headers that Azion's firewall can ask for, as `header_<name>`.
const FIREWALL_HEADERS: [&str; 7] =
    ["accept", "accept_encoding", "accept_language", "cookie", "origin", "referer", "user_agent"];

/// Our name of a variable, given bare or in `${}`.
///
/// # Errors
/// Why there is none.
pub(super) fn name(text: &str, phase: Phase, needs: &mut Needs) -> Result<String, String> {
    let bare = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
    if let Some((_, why)) = IMPOSSIBLE.iter().find(|(name, _)| *name == bare) {
        return Err(format!("`${{{bare}}}` cannot be had here: {why}"));
    }
    needs.geoip |= bare.starts_with("geoip_") && SAME.contains(&bare);
    needs.forwarded_proto |= bare == "scheme";
    let ours = match bare {
        "network" => "remote_addr",
        "request_args" => "args",
        // Documented as equal to `${uri}`; in the application's rules it is the target as sent.
        "request_uri" if phase == Phase::Firewall => "uri",
        "request_uri" => "request_uri",
        _ if SAME.contains(&bare) => bare,
        _ => return named(bare, phase),
    };
    Ok(ours.to_owned())
}

fn named(bare: &str, phase: Phase) -> Result<String, String> {
    let plain = |rest: &str| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let after = |prefix: &str| bare.strip_prefix(prefix).is_some_and(plain);
    if bare.strip_prefix("header_").is_some_and(|header| FIREWALL_HEADERS.contains(&header)) {
        return Ok(bare.replacen("header_", "http_", 1));
    }
    if ["arg_", "cookie_", "http_"].into_iter().any(after) {
        return Ok(bare.to_owned());
    }
    let answer = matches!(bare, "status" | "upstream_addr" | "upstream_status")
        || ["sent_http_", "upstream_cookie_", "upstream_http_"].into_iter().any(after);
    match (answer, phase) {
        (true, Phase::Response) => Ok(bare.to_owned()),
        (true, _) => Err(format!("`${{{bare}}}` is about the answer, which only the response phase sees")),
        (false, _) => {
            Err(format!("there is no variable `${{{bare}}}`; names after `http_` and the like are lower case with `_`"))
        }
    }
}
