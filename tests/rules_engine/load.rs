//! What is refused when the rules are read.

use crate::edge_config::Folder;

pub(crate) const TENANT: &str = "tenants/acme.toml";
const DENY: &str = "[{ type = \"deny\" }]";
const CRITERION: &str =
    "{ conditional = \"if\", variable = \"${subject.O}\", operator = \"is_equal\", argument = \"Contractors\" }";
const LISTS: &str =
    "[lists.nets]\ntype = \"ip_cidr\"\nentries = [\"192.0.2.0/24\"]\n[lists.keys]\ntype = \"fingerprints\"\nentries = []\n";

#[track_caller]
fn refused(edits: &[(&str, &str)], expected: &[&str]) {
    let folder = Folder::good();
    for (from, to) in edits {
        folder.edit(TENANT, from, to);
    }
    let ran = folder.check();
    assert_eq!(ran.code, 64, "{edits:?}");
    assert!(ran.stderr.contains("vestibule: 1 problem in"), "{}", ran.stderr);
    for text in expected {
        assert!(ran.stderr.contains(text), "no `{text}` in\n{}", ran.stderr);
    }
}

fn with_lists() -> String {
    format!("{LISTS}[[rules]]\nname = \"no contractors\"")
}

#[test]
fn criteria_that_compare_what_cannot_be_compared() {
    let lists = with_lists();
    for (variable, operator, argument, expected) in [
        ("${host}", "less_than", "1", "this variable never is one"),
        ("${ssl_client_v_end}", "greater_than", "1", "this variable never is one"),
        ("${ssl_client_v_remain}", "before", "2026-01-01T00:00:00Z", "this variable never is one"),
        ("${ssl_client_v_remain}", "less_than", "soon", "needs a number as `argument`, not `soon`"),
        ("${ssl_client_v_remain}", "less_than", "inf", "needs a number"),
        ("${ssl_client_v_end}", "before", "2026-01-01", "needs a date as `argument`"),
        ("${host}", "is_in_list", "nets", "the list `nets` holds what this variable never is"),
        ("${remote_addr}", "is_in_list", "keys", "the list `keys` holds what this variable never is"),
        ("${remote_addr}", "is_in_list", "none", "there is no list `none` in [lists]; there are: keys, nets"),
        ("${device_group}", "is_equal", "x", "cannot be had here: devices are grouped by a CDN"),
        ("${tcpinfo_rtt}", "is_equal", "x", "ends at the front door"),
        ("${request_body}", "is_equal", "x", "bodies are streamed"),
        ("${remote_port}", "is_equal", "x", "ends at the front door"),
        ("${status}", "is_equal", "404", "only the response phase sees"),
        ("${sent_http_x}", "is_equal", "x", "only the response phase sees"),
        ("${upstream_http_x}", "is_equal", "x", "only the response phase sees"),
        ("${header_x}", "is_equal", "x", "there is no variable"),
        ("${http_X-Agent}", "is_equal", "x", "written in lower case, with `_` for `-`"),
    ] {
        let criterion = format!("{{ variable = \"{variable}\", operator = \"{operator}\", argument = \"{argument}\" }}");
        refused(
            &[(CRITERION, &criterion), ("[[rules]]\nname = \"no contractors\"", &lists)],
            &["`rules[0].criteria[0][0].", expected],
        );
    }
}

#[test]
fn behaviors_that_cannot_be() {
    for (phase, behavior, expected) in [
        ("request", "type = \"set_cache_policy\", value = \"1\"", "cannot be had here: there is no cache"),
        ("request", "type = \"bypass_cache\"", "cannot be had here"),
        ("request", "type = \"optimize_images\"", "cannot be had here"),
        ("request", "type = \"run_function\", value = \"1\"", "cannot be had here"),
        ("firewall", "type = \"set_waf\", waf_id = 1, mode = \"blocking\"", "cannot be had here"),
        ("firewall", "type = \"tag_event\"", "cannot be had here"),
        ("firewall", "type = \"add_request_header\", value = \"A: 1\"", "of the request phase, not of the firewall phase"),
        ("request", "type = \"add_response_header\", value = \"A: 1\"", "of the response phase, not of the request phase"),
        ("request", "type = \"set_cookie\", value = \"a=1\"", "of the response phase"),
        ("response", "type = \"deny\"", "of the firewall or request phase, not of the response phase"),
        ("response", "type = \"add_request_header\", value = \"A: 1\"", "of the request phase"),
        ("response", "type = \"set_origin\", value = \"core\"", "of the request phase"),
        ("request", "type = \"set_origin\", value = \"elsewhere\"", "there is no upstream `elsewhere`; there are: core"),
        ("request", "type = \"set_origin\", value = \"http://127.0.0.1:1\"", "there is no upstream"),
        ("request", "type = \"redirect_http_to_https\"", "does not say how the client reached it"),
        ("request", "type = \"redirect_to_301\"", "needs a `value`"),
        ("request", "type = \"redirect_to_301\", value = \"/a b\"", "' ' cannot stand in a URL; write it percent-encoded"),
        ("response", "type = \"redirect_to_302\", value = \"/é\"", "cannot stand in a URL"),
        ("request", "type = \"rewrite_request\", value = \"new/${uri}\"", "does not begin with `/`"),
        ("request", "type = \"no_content\", value = \"x\"", "takes no `value`"),
        ("request", "type = \"add_request_header\", value = \"Host: x\"", "frames or routes the message"),
        ("request", "type = \"add_request_header\", value = \"Content-Length: 1\"", "frames or routes the message"),
        ("request", "type = \"add_request_header\", value = \"X-Forwarded-For: 1\"", "cannot be set or removed by a rule"),
        ("request", "type = \"filter_request_header\", value = \"x_real_ip\"", "cannot be set or removed by a rule"),
        ("response", "type = \"add_response_header\", value = \"Transfer-Encoding: x\"", "frames or routes the message"),
        ("response", "type = \"filter_response_header\", value = \"Content-Length\"", "frames or routes the message"),
        ("response", "type = \"filter_response_header\", value = \"X-Request-Id\"", "is ours to set"),
        ("response", "type = \"add_response_header\", value = \"A: ${ssl_client_raw_cert}\"", "in several lines"),
        ("request", "type = \"add_request_cookie\", value = \"a\"", "is not `name=value`"),
        ("request", "type = \"add_request_cookie\", value = \"a b=1\"", "is no cookie's name"),
        ("request", "type = \"add_request_header\", value = \"A: %{c[1]}\"", "captures are the rule's own"),
        ("request", "type = \"add_request_header\", value = \"A: ${nothing(1)}\"", "there is no function `nothing`"),
        (
            "request",
            "type = \"capture_match_groups\", subject = \"${uri}\", regex = \"(\", captured_array = \"c\"",
            "unclosed group",
        ),
        (
            "request",
            "type = \"capture_match_groups\", subject = \"${uri}\", regex = \"a\"",
            "`rules[0].behaviors[0].captured_array`: is missing",
        ),
        ("firewall", "type = \"set_rate_limit\", rate_type = \"hour\", average_rate_limit = 1", "accepted: second, minute"),
        ("firewall", "type = \"set_rate_limit\", average_rate_limit = 0", "a whole number from 1"),
        ("firewall", "type = \"set_rate_limit\"", "average_rate_limit`: is missing"),
        ("firewall", "type = \"set_rate_limit\", limit_by = \"uri\", average_rate_limit = 1", "or a variable, like"),
        ("firewall", "type = \"set_custom_response\", status_code = 500", "from 200 to 499"),
        ("firewall", "type = \"set_custom_response\", status_code = 204, content_body = \"x\"", "has no body"),
        ("firewall", "type = \"set_custom_response\"", "status_code`: is missing"),
    ] {
        let behaviors = format!("[{{ {behavior} }}]");
        let phase = format!("phase = \"{phase}\"");
        refused(&[(DENY, &behaviors), ("phase = \"request\"", &phase)], &["`rules[0].behaviors[0]", expected]);
    }
}

#[test]
fn captured_groups_are_known_at_load() {
    let capture = "{ type = \"capture_match_groups\", subject = \"${uri}\", regex = '(?<a>.)(.)', captured_array = \"c\" }";
    let with = |value: &str| format!("[{capture}, {{ type = \"rewrite_request\", value = \"/{value}\" }}]");
    for (value, expected) in
        [("%{c[3]}", "has no group `3`"), ("%{c[b]}", "has no group `b`"), ("%{d[0]}", "captures `d`"), ("%{c}", "is not like")]
    {
        refused(&[(DENY, &with(value))], &["`rules[0].behaviors[1]`", expected]);
    }
    let folder = Folder::good();
    folder.edit(TENANT, DENY, &with("%{c[0]}%{c[1]}%{c[2]}%{c[a]}"));
    assert_eq!(folder.check().code, 0);
}

#[test]
fn rules_and_lists_that_cannot_be() {
    for (from, to, expected) in [
        ("phase = \"request\"", "phase = \"default\"", "`rules[0].phase`: found `default`"),
        ("mode = \"enforce\"\nroutes", "mode = \"off\"\nroutes", "`rules[0].mode`: found `off`"),
        ("routes = [\"/\"]", "routes = [\"/payments/\"]", "`rules[0].routes`: found `/payments/`, and no route has this path"),
        ("routes = [\"/\"]", "routes = []", "`rules[0].routes`: is empty"),
        ("verification_mode = \"enforce\"", "verification_mode = \"off\"", "policy.verification_mode`: found `off`"),
        ("[[profiles]]", "[lists.x]\nentries = [\"a\"]\n[[profiles]]", "`lists.x.type`: is missing"),
        (
            "[[profiles]]",
            "[lists.x]\ntype = \"cidr\"\nentries = [\"a\"]\n[[profiles]]",
            "accepted: strings, ip_cidr, fingerprints",
        ),
        ("[[profiles]]", "[lists.x]\ntype = \"strings\"\n[[profiles]]", "`lists.x`: has no entries"),
        (
            "[[profiles]]",
            "[lists.x]\ntype = \"ip_cidr\"\nentries = [\"10.0.0.0/8\", \"10.0.0.1/8\"]\n[[profiles]]",
            "`lists.x.entries[1]`: found `10.0.0.1/8`",
        ),
        ("[[profiles]]", "[lists.x]\ntype = \"fingerprints\"\nentries = [\"abc\"]\n[[profiles]]", "40 hexadecimal digits"),
        ("[[profiles]]", "[lists.x]\ntype = \"strings\"\nfile = \"lists/none\"\n[[profiles]]", "lists/none cannot be read"),
    ] {
        refused(&[(from, to)], &[expected]);
    }
}

#[test]
fn explain_shows_each_rule_of_each_phase() {
    let folder = Folder::good();
    let rules = "[[rules]]\nname = \"wall\"\nphase = \"firewall\"\nmode = \"monitor\"\ncriteria = [[{ variable = \"${network}\", operator = \"is_not_in_list\", argument = \"nets\" }]]\n\
                 behaviors = [{ type = \"deny\" }]\n[[rules]]\nname = \"back\"\nphase = \"response\"\nbehaviors = [{ type = \"enable_gzip\" }]\n[[rules]]\nname = \"no contractors\"";
    folder.edit(TENANT, "[[rules]]\nname = \"no contractors\"", &format!("{LISTS}{rules}"));
    let head = format!(
        "GET / HTTP/1.1\r\nhost: api.example\r\ncname-api-key: {}\r\nx-forwarded-for: 203.0.113.9\r\n",
        crate::edge_config::KEY
    );
    let said = folder.explain(&head);
    for line in [
        "rule           wall: matched (firewall, only watched)",
        "  yes  ${network} is_not_in_list [nets], found \"203.0.113.9\"",
        "  would  deny",
        "rule           no contractors: did not match (request)",
        "rule           back: waits for the answer (response)",
    ] {
        assert!(said.lines().any(|found| found == line), "no {line:?} in\n{said}");
    }
    folder.edit(TENANT, "[{ type = \"enable_gzip\" }]", "[{ type = \"deliver\" }]");
    folder.edit(
        TENANT,
        "[{ type = \"add_request_header\", value = \"X-CN: ${ssl_client_s_dn_parsed}\" }]",
        "[{ type = \"no_content\" }]",
    );
    let said = folder.explain(&head);
    assert!(said.contains("decision       answer: 204 by rule `tell`"), "{said}");
}
