//! `when`: an expression in the place of criteria.

use crate::bank::{Request, expired, good, leaf, person};
use crate::edge_config::{Folder, run, vestibule};
use crate::pki::Leaf;
use crate::{tenant, with};

fn rule(phase: &str, name: &str, when: &str, behavior: &str) -> String {
    format!("[[rules]]\nname = '{name}'\nphase = \"{phase}\"\nwhen = '''{when}'''\nbehaviors = [{behavior}]\n")
}

/// A header for each expression that holds.
fn told(expressions: &[&str]) -> String {
    let one = |(at, when): (usize, &&str)| {
        rule(
            "request",
            &format!("row {at}"),
            when,
            &format!("{{ type = \"add_request_header\", value = \"X-Row-{at}: yes\" }}"),
        )
    };
    expressions.iter().enumerate().map(one).collect()
}

/// Expressions about the request below, and whether they hold.
const ROWS: [(&str, bool); 43] = [
    ("true", true),
    ("!true", false),
    ("request.method == 'GET'", true),
    ("request.method != 'GET'", false),
    ("request.uri.startsWith('/permissive/') && request.uri.endsWith('x')", true),
    ("request.request_uri.contains('?a=1')", true),
    ("request.arg_a == '1' && request.cookie_c == 'v' && request.http_x_kind == 'big'", true),
    ("request.http_absent == ''", true),
    ("request.host == 'api.bank.example' && request.scheme == 'https'", true),
    ("request.remote_addr == '203.0.113.9'", true),
    ("request.http_x_kind in ['small', 'big']", true),
    ("request.http_x_kind in ['small']", false),
    ("request.http_x_kind.matches('^b.g$')", true),
    ("matches(request.http_x_kind, 'g$')", true),
    ("in_list(request.remote_addr, 'office')", true),
    ("in_list(request.host, 'hosts')", false),
    ("in_list(certificate.fingerprint_sha256, 'prints')", false),
    ("size(request.http_x_kind) == 3 && request.host.size() > 3", true),
    ("request.time > 1700000000", true),
    ("-5 < 3 - 7 && 2 + 2 == 4", true),
    ("1 <= 1 && 1 >= 1 && !(1 > 1) && 'a' < 'b'", true),
    ("identity.validated", true),
    ("identity.validated == true && identity.validated != false", true),
    ("identity.verify == 'SUCCESS' && identity.status == 'SUCCESS' && identity.basis == 'ca'", true),
    ("'good' in certificate.subject.CN", true),
    ("'good' in certificate.subject.`2.5.4.3`", true),
    ("certificate.subject.CN.exists(name, name.startsWith('go'))", true),
    ("certificate.subject.CN.all(name, name == 'good')", true),
    ("certificate.subject.L.all(name, name == 'none is there')", true),
    ("certificate.subject.L.exists(name, true)", false),
    ("certificate.san_dns.exists_one(name, name.endsWith('.example'))", true),
    ("certificate.san_dns.exists(name, name == request.host)", false),
    ("size(certificate.san_dns) == 2", true),
    ("certificate.s_dn.contains('CN=good') && certificate.s_dn_parsed == 'good'", true),
    ("certificate.v_remain > 100 && certificate.v_remain < 400", true),
    ("certificate.not_after - request.time > 86400 && certificate.not_before < request.time", true),
    ("certificate.finding_chain == ''", false),
    ("size(certificate.psd2_roles) == 0", true),
    ("request.method == 'POST' ? false : request.uri != ''", true),
    ("9223372036854775807 + 1 > 0 || true", true),
    ("true || 9223372036854775807 + 1 > 0", true),
    ("9223372036854775807 + 1 > 0 && false", false),
    ("['a', 'b'].exists(one, one == 'b') && !['a'].all(one, one in ['b'])", true),
];

const LISTS: &str = "[lists.office]\ntype = \"ip_cidr\"\nentries = [\"203.0.113.0/24\"]\n[lists.hosts]\ntype = \"strings\"\n\
    entries = [\"other.example\"]\n[lists.prints]\ntype = \"fingerprints\"\nentries = [\"0000000000000000000000000000000000000000\"]\n";

#[test]
fn expressions_see_what_criteria_see() {
    let bank = with(&(LISTS.to_owned() + &told(&ROWS.iter().map(|(when, _)| *when).collect::<Vec<_>>())));
    let client = person(&Leaf { dns: vec!["a.example".into(), "b.test".into()], ..leaf("good") });
    let request = Request::get("/permissive/x?a=1").of(&client).with("Cookie", "c=v").with("X-Kind", "big");
    assert_eq!(bank.vestibule.ask(request.text()).status, 200);
    let received = bank.upstream.take_one();
    for (at, (when, holds)) in ROWS.iter().enumerate() {
        assert_eq!(received.header(&format!("x-row-{at}")), if *holds { "yes" } else { "" }, "{when}");
    }
}

#[test]
fn a_common_name_is_no_text_to_be_searched() {
    let trap = rule("firewall", "admins", "'admin' in certificate.subject.CN", "{ type = \"no_content\" }");
    let trap = trap.replace("firewall", "request");
    let bank = with(&trap);
    for name in ["alice\\,CN=admin", "alice,CN=admin", "admin "] {
        let answer = bank.vestibule.ask(Request::get("/").of(&person(&leaf(name))).text());
        assert_eq!(answer.status, 200, "{name}");
        bank.upstream.take_one();
    }
    assert_eq!(bank.vestibule.ask(Request::get("/").of(&person(&leaf("admin"))).text()).status, 204);
}

#[test]
fn all_three_phases() {
    let rules = rule("firewall", "f", "request.uri == '/f'", "{ type = \"deny\" }")
        + &rule("request", "q", "request.uri == '/q'", "{ type = \"no_content\" }")
        + &rule(
            "response",
            "s",
            "response.status == 200 && response.http_server == '' && identity.validated",
            "{ type = \"add_response_header\", value = \"X-S: 1\" }",
        );
    let bank = with(&rules);
    assert_eq!(bank.vestibule.ask(Request::get("/f").of(&good()).text()).status, 403);
    assert_eq!(bank.vestibule.ask(Request::get("/q").of(&good()).text()).status, 204);
    let answer = bank.vestibule.ask(Request::get("/").of(&good()).text());
    assert_eq!((answer.status, answer.header("x-s")), (200, Some("1")));
}

#[test]
fn what_cannot_be_decided_does_not_pass() {
    // There is no number where there is no certificate.
    let deny = rule("firewall", "old", "certificate.v_remain < 1", "{ type = \"deny\" }");
    let bank = with(&deny);
    let answer = bank.vestibule.ask(Request::get("/public/").of_nobody().text());
    assert_eq!(bank.refused(&answer, 500), "rule_failed");
    assert_eq!(
        bank.vestibule.ask(Request::get("/grace/").of(&person(&Leaf { dates: expired(), ..leaf("late") })).text()).status,
        403
    );
    assert_eq!(bank.vestibule.ask(Request::get("/public/").of(&good()).text()).status, 200);
    // Asking first who it is decides.
    let guarded = rule("firewall", "old", "identity.validated && certificate.v_remain < 1", "{ type = \"deny\" }");
    let bank = with(&guarded);
    assert_eq!(bank.vestibule.ask(Request::get("/public/").of_nobody().text()).status, 200);
    // Only watched: told, and not done.
    let watched = deny.replace("phase =", "mode = \"monitor\"\nphase =");
    let bank = with(&watched);
    let answer = bank.vestibule.ask(Request::get("/public/").of_nobody().text());
    let line = bank.vestibule.access_line(&answer);
    assert_eq!((answer.status, &line["monitored"]), (200, &serde_json::json!(["old: rule_failed"])));
}

/// Expressions that are refused at load, and what is said.
const REFUSED: [(&str, &str); 46] = [
    ("", "is no CEL"),
    ("request.uri ==", "is no CEL"),
    ("request.uri", "a text stands where true or false is needed"),
    ("request.time", "a whole number stands where"),
    ("certificate.san_dns", "a list of texts stands where"),
    ("request.uri == 1", "compares a text with a whole number"),
    ("identity.validated < true", "compares true or false"),
    ("certificate.v_remain == '1'", "compares a whole number with a text"),
    ("certificate.san_dns == 'a'", "compares a list of texts with a text"),
    ("certificate.subject.CN == ['good']", "compares a list of texts with a list of texts"),
    ("certificate.subject.CN.startsWith('a')", "list.exists"),
    ("host == 'a'", "names begin with one of"),
    ("request.hots == 'a'", "there is no `request.hots`"),
    ("request.ssl_client_s_dn == 'a'", "there is no `request.ssl_client_s_dn`"),
    ("request.remote_port == 'a'", "ends at the front door"),
    ("request.geoip_city == 'a'", "needs `geoip.database`"),
    ("certificate.host == 'a'", "there is no `certificate.host`"),
    ("certificate.subject.NOPE.exists(x, true)", "there is no `certificate.subject.NOPE`"),
    ("identity.name == 'a'", "there is no `identity.name`"),
    ("response.status == 200", "only the response phase sees"),
    ("certificate", "there is no `certificate`"),
    ("request.uri.matches(request.host)", "in quotes"),
    ("request.uri.matches('(?=a)')", "linear time"),
    ("in_list(request.host, 'nope')", "there is no list `nope`"),
    ("in_list(request.host, 'office')", "never is"),
    ("in_list(request.host, request.host)", "in quotes"),
    ("certificate.san_dns.map(x, x) == certificate.san_dns", "`map` cannot be had here"),
    ("certificate.san_dns.filter(x, true).size() > 0", "`filter` cannot be had here"),
    ("certificate.san_dns.exists(x, certificate.san_ip.exists(y, x == y))", "inside of another macro"),
    ("certificate.san_dns[0] == 'a'", "cannot be had here"),
    ("request.uri + 'a' == 'b'", "a text stands where a whole number"),
    ("has(request.uri)", "cannot be had here"),
    ("{'a': 1}.a == 1", "no name"),
    ("1.5 < 2.0", "a constant that is no text"),
    ("[1] == [2]", "texts in quotes alone"),
    ("timestamp('2026-01-01T00:00:00Z') == 1", "cannot be had here"),
    ("request.time * 2 == 4", "cannot be had here"),
    ("a.?b", "is no CEL"),
    ("x.exists(y)", "cannot be had here"),
    // What people write who know something else: the mend is told.
    ("certificate.cn == 'a'", "there are certificate.s_dn, .subject.CN"),
    ("identity.verified", "there are identity.validated"),
    ("request.headers['x-a'] == 'a'", "a header is `request.http_NAME`"),
    ("request.remote_addr in 'office'", "is asked by `in_list(text, \"name\")`"),
    ("certificate.subject.CN == 'good'", "ask `text in list`"),
    ("${host} == 'a'", "without `${}`, like request.host"),
    ("identity.validated and request.host == 'a'", "operators are && || ! =="),
];

fn checked(rule: &str) -> (i32, String) {
    let folder = Folder::good();
    let text = folder
        .read("tenants/acme.toml")
        .replace("\"192.0.2.0/24\"]\n[[rules]]", &format!("\"192.0.2.0/24\"]\n{rule}[[rules]]"));
    assert!(text.contains(rule));
    folder.write("tenants/acme.toml", &text);
    let ran = folder.check();
    (ran.code, ran.stderr)
}

#[test]
fn names_and_types_are_checked_at_load() {
    for (when, why) in REFUSED {
        let (code, said) = checked(&rule("request", "r", when, "{ type = \"deny\" }"));
        assert!(code == 64 && said.contains("acme.toml: `rules[0].when`: ") && said.contains(why), "{when}: {said}");
        assert_eq!(said.matches("acme.toml: ").count(), 1, "{said}");
    }
    let both = rule("request", "r", "true", "{ type = \"deny\" }")
        + "criteria = [[{ variable = \"${uri}\", operator = \"exists\" }]]\n";
    let (code, said) = checked(&both);
    assert!(code == 64 && said.contains("stands beside `criteria`"), "{said}");
}

#[test]
fn costs_are_bounded_at_load() {
    let long = format!("request.uri == '{}'", "a".repeat(4096));
    let deep = format!("{}true{}", "(".repeat(13), ")".repeat(13));
    let many = vec!["(true)"; 257].join(" && ");
    let signs = format!("{}true", "!".repeat(300));
    let steps = format!("0 < 1{}", " + 1".repeat(70));
    let dense = "[{(".repeat(5) + &"!".repeat(100);
    for (when, why) in [
        (&long, "4096 are the most"),
        (&deep, "more than 12 deep"),
        (&many, "more than 256 brackets"),
        (&signs, "more than 256 brackets"),
        (&steps, "more than 64 steps"),
        (&dense, "deep"),
    ] {
        let (code, said) = checked(&rule("request", "r", when, "{ type = \"deny\" }"));
        assert!(code == 64 && said.contains(why), "{when}: {said}");
    }
    // The limits themselves pass.
    for when in [format!("{}true{}", "(".repeat(12), ")".repeat(12)), vec!["(true)"; 200].join(" && ")] {
        let (code, said) = checked(&rule("request", "r", &when, "{ type = \"deny\" }"));
        assert_eq!(code, 0, "{said}");
    }
    // Brackets in a text are none.
    let text = format!("request.uri == '{}\\''", "(".repeat(100));
    assert_eq!(checked(&rule("request", "r", &text, "{ type = \"deny\" }")).0, 0);
}

#[test]
fn explain_shows_the_expression_and_what_it_saw() {
    let rules = rule("request", "r", "request.method == 'GET' && certificate.v_remain < 1", "{ type = \"deny\" }");
    let folder = crate::folder(&tenant(&rules));
    let ran = run(vestibule().arg("explain").arg("--config").arg(folder.path()), &Request::get("/").of(&good()).text());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("rule           r: did not match (request)\n  no   when request.method == 'GET' && certificate.v_remain < 1, found \"request.method=GET, certificate.v_remain="), "{}", ran.stdout);
    let ran = run(vestibule().arg("explain").arg("--config").arg(folder.path()), &Request::get("/public/").of_nobody().text());
    assert!(ran.stdout.contains("refuse: 500 rule_failed") && ran.stdout.contains("a number is not there"), "{}", ran.stdout);
}
