//! Every operator on every kind of variable, in every phase that has the variable.

use std::collections::BTreeSet;

use crate::bank::{CLIENT, DOMAIN, Request, expired, leaf, person, valid};
use crate::pki::Leaf;
use crate::recording_upstream::{RecordingUpstream, reply};
use crate::{before, rule_if, with};

/// Variable, operator, argument, whether it holds.
type Row<'r> = (&'r str, &'r str, Option<&'r str>, bool);

const LISTS: &str = r#"
[lists.names]
type = "strings"
entries = ["api.bank.example", "42", "GET"]
[lists.office]
type = "ip_cidr"
entries = ["203.0.113.0/24", "2001:db8::/32"]
[lists.elsewhere]
type = "ip_cidr"
entries = ["198.51.100.0/24"]
"#;

fn text_rows(variable: &'static str, value: &'static str, start: &'static str, end: &'static str) -> Vec<Row<'static>> {
    let middle = &value[1..value.len() - 1];
    let mut rows = Vec::new();
    for (positive, negative, right, wrong) in [
        ("is_equal", "is_not_equal", value, middle),
        ("starts_with", "does_not_start_with", start, end),
        ("ends_with", "does_not_end_with", end, start),
        ("contains", "does_not_contain", middle, "\u{e9}"),
        ("matches", "does_not_match", "^.", "^$"),
    ] {
        for (argument, fits) in [(right, true), (wrong, false)] {
            rows.push((variable, positive, Some(argument), fits));
            rows.push((variable, negative, Some(argument), !fits));
        }
    }
    rows.push((variable, "exists", None, true));
    rows.push((variable, "does_not_exist", None, false));
    rows
}

fn number_rows(variable: &'static str, below: &'static str, same: &'static str, above: &'static str) -> Vec<Row<'static>> {
    [(below, [false, false, true, true]), (same, [false, true, false, true]), (above, [true, true, false, false])]
        .into_iter()
        .flat_map(|(argument, holds)| {
            let names = ["less_than", "less_or_equal", "greater_than", "greater_or_equal"];
            names.into_iter().zip(holds).map(move |(name, holds)| (variable, name, Some(argument), holds))
        })
        .collect()
}

fn rules_of(phase: &str, rows: &[Row<'_>], behavior: &str) -> String {
    let rules = rows.iter().enumerate().map(|(at, (variable, operator, argument, _))| {
        let behavior = format!("{{ type = \"{behavior}\", value = \"X-Hit: {at}\" }}");
        rule_if(phase, &format!("row {at}"), (variable, operator, *argument), &behavior)
    });
    rules.collect()
}

fn assert_hits<'h>(rows: &[Row<'_>], hits: impl Iterator<Item = &'h str>) {
    let hits: BTreeSet<usize> = hits.map(|hit| hit.parse().unwrap()).collect();
    for (at, row) in rows.iter().enumerate() {
        assert_eq!(hits.contains(&at), row.3, "{row:?}");
    }
}

#[test]
fn every_operator_on_every_kind_of_request_variable() {
    let client = person(&Leaf { dns: vec!["a.example".into(), "b.example".into()], ..leaf("alice") });
    let digest = hex::encode(client.certificate.digest(openssl::hash::MessageDigest::sha256()).unwrap());
    let lists = format!("{LISTS}[lists.known]\ntype = \"fingerprints\"\nentries = [\"sha256:{}\"]\n", digest.to_uppercase());
    let mut rows = text_rows("${host}", DOMAIN, "api.", ".example");
    rows.extend(text_rows("${subject.CN}", "alice", "al", "ce"));
    rows.extend(text_rows("${http_x_number}", "42", "4", "2"));
    rows.extend(text_rows("${remote_addr}", CLIENT, "203.", ".9"));
    rows.extend(number_rows("${http_x_number}", "41.5", "42", "4.3e1"));
    rows.extend(number_rows("${arg_n}", "-2", "-1", "0"));
    // Made 300 days ago less two, up to a day ago from now.
    rows.extend(number_rows("${ssl_client_v_remain}", "298", "299", "301").into_iter().filter(|row| row.2 != Some("299")));
    for (variable, kind) in [("${ssl_client_v_end}", true), ("${ssl_client_v_start}", false)] {
        rows.push((variable, "after", Some("2026-06-01T00:00:00+02:00"), true));
        rows.push((variable, "before", Some("Jun  1 00:00:00 2026 GMT"), false));
        rows.push((variable, "before", Some("2999-01-01T00:00:00Z"), true));
        rows.push((variable, "after", Some("Jan  1 00:00:00 2999 GMT"), false));
        rows.push((variable, "exists", None, true));
        rows.push((variable, "matches", Some("GMT$"), true));
        assert_ne!(kind, variable.contains("start"));
    }
    rows.extend([
        ("${http_x_date}", "before", Some("2026-01-02T00:00:00Z"), true),
        ("${http_x_date}", "after", Some("2026-01-02T00:00:00Z"), false),
        // What is no number or date fits neither an operator nor its opposite.
        ("${http_x_word}", "less_than", Some("1"), false),
        ("${http_x_word}", "greater_or_equal", Some("1"), false),
        ("${http_x_word}", "before", Some("2999-01-01T00:00:00Z"), false),
        ("${http_x_word}", "after", Some("1000-01-01T00:00:00Z"), false),
        ("${http_x_none}", "less_than", Some("1"), false),
        ("${http_x_nan}", "less_than", Some("1"), false),
        ("${http_x_nan}", "greater_than", Some("1"), false),
        // Lists of each kind.
        ("${host}", "is_in_list", Some("names"), true),
        ("${host}", "is_not_in_list", Some("names"), false),
        ("${request_method}", "is_in_list", Some("names"), true),
        ("${uri}", "is_in_list", Some("names"), false),
        ("${uri}", "is_not_in_list", Some("names"), true),
        ("${remote_addr}", "is_in_list", Some("office"), true),
        ("${network}", "is_not_in_list", Some("office"), false),
        ("${network}", "is_in_list", Some("elsewhere"), false),
        ("${http_x_address}", "is_in_list", Some("office"), true),
        ("${http_x_word}", "is_in_list", Some("office"), false),
        ("${ssl_client_fingerprint_sha256}", "is_in_list", Some("known"), true),
        ("${ssl_client_spki_sha256}", "is_in_list", Some("known"), false),
        ("${ssl_client_spki_sha256}", "is_not_in_list", Some("known"), true),
        // A list of values: one that fits is enough, a negated operator holds when none fits.
        ("${ssl_client_san_dns}", "is_equal", Some("b.example"), true),
        ("${ssl_client_san_dns}", "is_not_equal", Some("b.example"), false),
        ("${ssl_client_san_dns}", "ends_with", Some("a.example"), true),
        ("${ssl_client_san_dns}", "does_not_contain", Some("c."), true),
        ("${ssl_client_san_ip}", "is_in_list", Some("office"), false),
        // The others, once.
        ("${domain}", "is_equal", Some("bank.example"), true),
        ("${request}", "is_equal", Some("GET /x/1?n=-1&a=b%20c HTTP/1.1"), true),
        ("${request_args}", "is_equal", Some("n=-1&a=b%20c"), true),
        ("${request_uri}", "is_equal", Some("/x/1?n=-1&a=b%20c"), true),
        ("${remote_user}", "is_equal", Some("ann"), true),
        ("${header_user_agent}", "matches", Some("^test$"), true),
        ("${cookie_session}", "is_equal", Some("s1"), true),
        ("${scheme}", "is_equal", Some("https"), true),
        ("${client_certificate_validation}", "is_equal", Some("true"), true),
        ("${ssl_verification_status}", "is_equal", Some("SUCCESS"), true),
        ("${finding_chain}", "is_equal", Some("trusted"), true),
        ("${finding_validity}", "is_equal", Some("valid"), true),
        ("${finding_purpose}", "exists", None, true),
        ("${finding_revocation}", "exists", None, true),
        ("${request_id}", "exists", None, true),
        ("${server_addr}", "is_equal", Some("127.0.0.1"), true),
        ("${server_addr}", "is_in_list", Some("office"), false),
        ("${server_port}", "greater_than", Some("1023"), true),
    ]);
    let bank = with(&(lists + &rules_of("request", &rows, "add_request_header")));
    let request = Request::get("/x/1?n=-1&a=b%20c").of(&client).with("X-Number", "42").with("X-Word", "word");
    let request = request.with("X-Nan", "NaN").with("X-Date", "Jan  1 00:00:00 2026 GMT").with("User-Agent", "test");
    let request = request.with("X-Address", "2001:db8::7").with("Authorization", "Basic YW5uOnNlY3JldA==");
    let answer = bank.vestibule.ask(request.with("Cookie", "a=1; session=s1").text());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let received = bank.upstream.take_one();
    assert_hits(&rows, received.headers.iter().filter(|(name, _)| name == "x-hit").map(|(_, value)| value.as_str()));
}

#[test]
fn every_operator_on_every_kind_of_answer_variable() {
    let mut rows = text_rows("${upstream_http_x_word}", "quarry", "qu", "ry");
    rows.extend(text_rows("${upstream_cookie_session}", "s-2", "s", "2"));
    rows.extend(number_rows("${status}", "199", "200", "201"));
    rows.extend(number_rows("${upstream_status}", "199", "200", "201"));
    rows.extend(number_rows("${sent_http_x_number}", "6", "7", "8"));
    rows.extend([
        ("${status}", "is_equal", Some("200"), true),
        ("${upstream_addr}", "starts_with", Some("http://127.0.0.1:"), true),
        ("${upstream_http_x_many}", "is_equal", Some("two"), true),
        ("${upstream_http_x_none}", "does_not_exist", None, true),
        ("${sent_http_x_date}", "before", Some("2026-01-02T00:00:00Z"), true),
        ("${sent_http_x_word}", "is_in_list", Some("names"), false),
        ("${sent_http_x_address}", "is_in_list", Some("office"), true),
        ("${host}", "is_equal", Some(DOMAIN), true),
        ("${http_x_asked}", "is_equal", Some("yes"), true),
        ("${subject.CN}", "is_equal", Some("good"), true),
        ("${request_uri}", "is_equal", Some("/x?y"), true),
        ("${ssl_client_verify}", "is_equal", Some("SUCCESS"), true),
    ]);
    let upstream = RecordingUpstream::answering(|_, stream| {
        let head = "x-word: quarry\r\nset-cookie: other=1\r\nset-cookie: session=s-2; Secure\r\nx-number: 7\r\n\
                    x-many: one\r\nx-many: two\r\nx-date: 2026-01-01T00:00:00Z\r\nx-address: 203.0.113.1\r\n";
        reply(stream, head, b"ok")
    });
    let bank = before(&(LISTS.to_owned() + &rules_of("response", &rows, "add_response_header")), upstream);
    let answer = bank.vestibule.ask(Request::get("/x?y").of(&crate::bank::good()).with("X-Asked", "yes").text());
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
    assert_hits(&rows, answer.all("x-hit").into_iter());
}

#[test]
fn the_firewall_sees_the_path_as_request_uri() {
    let rows: [Row<'_>; 3] = [
        ("${request_uri}", "is_equal", Some("/public/b c"), true),
        ("${uri}", "is_equal", Some("/public/b c"), true),
        ("${request_args}", "exists", None, true),
    ];
    for (at, row) in rows.iter().enumerate() {
        let bank = with(&rule_if("firewall", "wall", (row.0, row.1, row.2), "{ type = \"deny\" }"));
        let answer = bank.vestibule.ask(Request::get("/public//b%20c?x").of_nobody().text());
        assert_eq!(bank.refused(&answer, 403), "denied_by_rule", "{at}");
        assert_eq!(bank.vestibule.ask(Request::get("/public/other").of_nobody().text()).status, 200);
    }
}

#[test]
fn findings_of_a_certificate_that_did_not_pass() {
    let rows: [Row<'_>; 6] = [
        ("${finding_validity}", "is_equal", Some("expired"), true),
        ("${finding_chain}", "is_equal", Some("trusted"), true),
        ("${client_certificate_validation}", "is_equal", Some("true"), false),
        ("${ssl_verification_status}", "is_equal", Some("CERTIFICATE_VERIFICATION_ERROR"), true),
        ("${ssl_client_v_remain}", "less_than", Some("1"), true),
        ("${ssl_client_v_end}", "after", Some("2999-01-01T00:00:00Z"), false),
    ];
    let bank = with(&rules_of("request", &rows, "add_request_header"));
    let late = person(&Leaf { dates: expired(), ..leaf("late") });
    assert_ne!(expired().1, valid().1);
    assert_eq!(bank.vestibule.ask(Request::get("/permissive/").of(&late).text()).status, 200);
    let received = bank.upstream.take_one();
    assert_hits(&rows, received.headers.iter().filter(|(name, _)| name == "x-hit").map(|(_, value)| value.as_str()));
}
