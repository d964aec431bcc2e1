//! Behaviors of the request phase that change what the upstream gets.

use crate::bank::{Bank, Request, Tenant, good};
use crate::recording_upstream::RecordingUpstream;
use crate::rule_at;

/// Path, behaviors, what the client sends beside; then what the upstream gets: target, header lines, and names that are gone.
type Row<'r> = (&'r str, &'r str, &'r [(&'r str, &'r str)], &'r str, &'r [(&'r str, &'r str)], &'r [&'r str]);

#[test]
fn what_the_upstream_gets() {
    let rows: &[Row<'_>] = &[
        (
            "/add",
            "{ type = \"add_request_header\", value = \"X-A: <${host}>\" }",
            &[("X_A", "forged")],
            "/add?q=1",
            &[("x-a", "<api.bank.example>")],
            &["x_a"],
        ),
        (
            "/filter",
            "{ type = \"filter_request_header\", value = \"X-B\" }",
            &[("x-b", "1"), ("x_b", "2")],
            "/filter?q=1",
            &[],
            &["x-b", "x_b"],
        ),
        (
            "/cookie",
            "{ type = \"add_request_cookie\", value = \"user=${subject.CN};x\" }",
            &[("Cookie", "a=1; user=forged; b=2")],
            "/cookie?q=1",
            &[("cookie", "a=1; b=2; user=good%3Bx")],
            &[],
        ),
        (
            "/nocookie",
            "{ type = \"filter_request_cookie\", value = \"a\" }",
            &[("Cookie", "a=1; b=2"), ("Cookie", "a=3")],
            "/nocookie?q=1",
            &[("cookie", "b=2")],
            &[],
        ),
        (
            "/onlycookie",
            "{ type = \"filter_request_cookie\", value = \"a\" }",
            &[("Cookie", "a=1")],
            "/onlycookie?q=1",
            &[],
            &["cookie"],
        ),
        ("/forward", "{ type = \"forward_cookies\" }", &[("Cookie", "a=1")], "/forward?q=1", &[("cookie", "a=1")], &[]),
        ("/rewrite", "{ type = \"rewrite_request\", value = \"/new${uri}\" }", &[], "/new/rewrite?q=1", &[], &[]),
        ("/query", "{ type = \"rewrite_request\", value = \"/new?was=${uri}&${args}\" }", &[], "/new?was=/query&q=1", &[], &[]),
        (
            "/last",
            "{ type = \"rewrite_request\", value = \"/one\" }, { type = \"rewrite_request\", value = \"/two\" }",
            &[],
            "/two?q=1",
            &[],
            &[],
        ),
        (
            "/group/7/x y",
            "{ type = \"capture_match_groups\", subject = \"${uri}\", regex = '^/(?<first>[a-z]+)/(\\d+)/(.*)$', captured_array = \"c\" }, \
             { type = \"rewrite_request\", value = \"/%{c[2]}/%{c[3]}\" }, \
             { type = \"add_request_header\", value = \"X-C: %{c[first]}|%{c[0]}|%{c[1]}\" }",
            &[],
            "/7/x%20y?q=1",
            &[("x-c", "group|/group/7/x y|group")],
            &[],
        ),
        (
            "/nogroup",
            "{ type = \"capture_match_groups\", subject = \"uri\", regex = '(never)', captured_array = \"c\" }, \
             { type = \"add_request_header\", value = \"X-C: [%{c[1]}]\" }",
            &[],
            "/nogroup?q=1",
            &[("x-c", "[]")],
            &[],
        ),
        (
            "/encode",
            "{ type = \"add_request_header\", value = \"X-E: ${encode_base64(${host}:${uri})}\" }",
            &[],
            "/encode?q=1",
            &[("x-e", "YXBpLmJhbmsuZXhhbXBsZTovZW5jb2Rl")],
            &[],
        ),
        (
            "/twice",
            "{ type = \"add_request_header\", value = \"X-T: 1\" }, { type = \"add_request_header\", value = \"X-T: 1\" }",
            &[],
            "/twice?q=1",
            &[("x-t", "1"), ("x-t", "1")],
            &[],
        ),
    ];
    let rules: String = rows.iter().map(|(path, behaviors, ..)| rule_at("request", path, behaviors)).collect();
    let bank = crate::with(&rules);
    for (path, _, sent, target, there, gone) in rows {
        let request = Request::get(&format!("{}?q=1", path.replace(' ', "%20"))).of(&good());
        let request = sent.iter().fold(request, |request, (name, value)| request.with(name, value));
        let answer = bank.vestibule.ask(request.text());
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let received = bank.upstream.take_one();
        assert_eq!(received.target, *target);
        for (name, value) in *there {
            let wanted = there.iter().filter(|one| *one == &(*name, *value)).count();
            let lines: Vec<&str> =
                received.headers.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str()).collect();
            assert_eq!(lines, vec![*value; wanted], "{path} {name}");
        }
        assert!(received.headers.iter().all(|(name, _)| !gone.contains(&name.as_str())), "{path}: {:?}", received.headers);
    }
}

#[test]
fn a_rule_chooses_among_the_tenants_upstreams() {
    let other = RecordingUpstream::start();
    let mut tables = format!("[upstreams.archive]\nurl = \"{}\"\n", other.url());
    tables += &rule_at("request", "/a", "{ type = \"set_origin\", value = \"archive\" }");
    tables += &rule_at("request", "/b", "{ type = \"set_connector\", value = \"archive\" }");
    tables += &rule_at(
        "request",
        "/c",
        "{ type = \"set_origin\", value = \"archive\" }, { type = \"set_origin\", value = \"core\" }",
    );
    let bank = crate::with(&tables);
    for (path, at_other, at_core) in [("/a", 1, 0), ("/b", 1, 0), ("/c", 0, 1), ("/d", 0, 1)] {
        let answer = bank.vestibule.ask(Request::get(path).of(&good()).text());
        assert_eq!(answer.status, 200);
        assert_eq!((other.take().len(), bank.upstream.take().len()), (at_other, at_core), "{path}");
        let name = if at_other == 1 { "archive" } else { "core" };
        assert_eq!(bank.vestibule.access_line(&answer)["upstream.name"], name);
    }
}

#[test]
fn plain_http_is_redirected_where_the_front_door_says_so() {
    let tables = "[front_doors.headers]\nforwarded_proto = \"x-forwarded-proto\"\n".to_owned();
    let rules = rule_at("request", "/public/x", "{ type = \"redirect_http_to_https\" }");
    let tenant = Tenant { door_lines: tables, tables: rules, ..Tenant::default() };
    let bank = Bank::with(&tenant);
    let request = |proto: &str| Request::get("/public/x?y=1").of_nobody().with("X-Forwarded-Proto", proto).text();
    let answer = bank.vestibule.ask(request("http"));
    assert_eq!((answer.status, answer.header("location")), (301, Some("https://api.bank.example/public/x?y=1")));
    assert_eq!(bank.upstream.take().len(), 0);
    assert_eq!(bank.vestibule.ask(request("https")).status, 200);
    assert_eq!(bank.upstream.take_one().header("x-forwarded-proto"), "https");
    assert_eq!(bank.vestibule.ask(request("gopher")).status, 301, "what is not https is not safe");
    let answer = bank.vestibule.ask(Request::get("/public/z").of_nobody().with("X-Forwarded-Proto", "http").text());
    assert_eq!((answer.status, bank.upstream.take_one().header("x-forwarded-proto")), (200, "http"));
}

#[test]
fn a_rule_runs_on_its_routes_alone() {
    let rule = |name: &str, routes: &str| {
        format!(
            "[[rules]]\nname = \"{name}\"\n{routes}\nbehaviors = [{{ type = \"add_request_header\", value = \"X-Rule: {name}\" }}]\n"
        )
    };
    let rules = rule("all", "")
        + &rule("payments", "routes = [\"/payments/\"]")
        + &rule("two", "routes = [\"/grace/\", \"/payments/\"]");
    let bank = crate::with(&rules);
    for (path, names) in [("/", "all"), ("/payments/1", "all payments two"), ("/grace/", "all two"), ("/paymentsX", "all")] {
        assert_eq!(bank.vestibule.ask(Request::get(path).of(&good()).text()).status, 200);
        let received = bank.upstream.take_one();
        let ran = received.headers.iter().filter(|(name, _)| name == "x-rule").map(|(_, value)| value.as_str());
        assert_eq!(ran.collect::<Vec<_>>().join(" "), names, "{path}");
    }
}
