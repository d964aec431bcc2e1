//! What somebody tries who knows the rules.

use std::io::Write as _;

use crate::bank::{Request, good, leaf, person};
use crate::edge_config::{run, vestibule};
use crate::recording_upstream::{RecordingUpstream, reply};
use crate::{before, rule_at, rule_if, with};

const DENY: &str = "{ type = \"deny\" }";

#[test]
fn a_location_of_this_host_stays_of_this_host() {
    let missing = RecordingUpstream::answering(|_, stream| {
        stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").is_ok()
    });
    let values = [("a", "${request_uri}"), ("b", "/${arg_to}"), ("c", "${arg_to}/x"), ("d", "//cdn.example${uri}")];
    let mut rules = String::new();
    for (phase, argument) in [("request", "go"), ("response", "back")] {
        for (name, value) in values {
            let variable = format!("${{arg_{argument}}}");
            let redirect = format!("{{ type = \"redirect_to_302\", value = \"{value}\" }}");
            rules += &rule_if(phase, &format!("{phase} {name}"), (&variable, "is_equal", Some(name)), &redirect);
        }
    }
    let bank = before(&rules, missing);
    for argument in ["go", "back"] {
        for (target, location) in [
            ("//evil.example?ARG=a", "/evil.example?ARG=a"),
            ("///evil.example/?ARG=a", "/evil.example/?ARG=a"),
            ("/?ARG=b&to=/evil.example", "/evil.example"),
            ("/?ARG=b&to=\\evil.example", "/evil.example"),
            ("/?ARG=c&to=//evil.example", "/evil.example/x"),
            ("/?ARG=c&to=/\\/evil.example", "/evil.example/x"),
            ("/p?ARG=d", "//cdn.example/p"),
        ] {
            let (target, location) = (target.replace("ARG", argument), location.replace("ARG", argument));
            let answer = bank.vestibule.ask(Request::get(&target).of(&good()).text());
            assert_eq!((answer.status, answer.header("location")), (302, Some(location.as_str())), "{target}");
        }
    }
}

#[test]
fn a_value_cannot_set_attributes_of_a_cookie() {
    let rule = "{ type = \"set_cookie\", value = \"c=${arg_id}%{m[1]}; Path=/; Expires=${cookie_time_offset(60)}\" }";
    let capture = "{ type = \"capture_match_groups\", subject = \"${uri}\", regex = \"^/x(.*)$\", captured_array = \"m\" }";
    let rules = rule_if("response", "cookie", ("${host}", "exists", None), &format!("{capture}, {rule}"));
    let bank = before(&rules, RecordingUpstream::answering(|_, stream| reply(stream, "", b"ok")));
    let answer = bank.vestibule.ask(Request::get("/off/?id=1;Domain=bank.example;Max-Age=9").of(&good()).text());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let line = answer.all("set-cookie").pop().unwrap();
    assert!(line.starts_with("c=1%3BDomain=bank.example%3BMax-Age=9; Path=/; Expires="), "{line}");
}

#[test]
fn a_cookie_line_that_is_written_as_a_header_is_one_all_the_same() {
    let rules = rule_at("request", "/a", "{ type = \"add_request_header\", value = \"Cookie: user=${arg_id}; b=1\" }")
        + &rule_at("response", "/a", "{ type = \"add_response_header\", value = \"Set-Cookie: c=${arg_id}; Path=/\" }");
    let bank = before(&rules, RecordingUpstream::answering(|_, stream| reply(stream, "", b"ok")));
    let answer = bank.vestibule.ask(Request::get("/a?id=1;admin=1").of(&good()).text());
    assert_eq!(bank.upstream.take_one().header("cookie"), "user=1%3Badmin=1; b=1");
    assert_eq!(answer.all("set-cookie"), ["c=1%3Badmin=1; Path=/"]);
}

#[test]
fn spaces_at_the_ends_of_a_name_are_not_lost_on_the_way() {
    let told = |name: &str, value: &str| format!("{{ type = \"add_request_header\", value = \"{name}: {value}\" }}");
    let headers =
        [told("X-CN", "${subject.CN}"), told("X-Parsed", "${ssl_client_s_dn_parsed}"), told("X-Both", "a ${http_none} ")];
    let bank = with(&rule_at("request", "/a", &headers.join(", ")));
    for (name, common, parsed) in [
        ("admin", "admin", "admin"),
        ("admin ", "admin\\20", "admin\\20"),
        (" admin", "\\20admin", "\\ admin"),
        (" ", "\\20", "\\20"),
        ("a b", "a b", "a b"),
    ] {
        assert_eq!(bank.vestibule.ask(Request::get("/a").of(&person(&leaf(name))).text()).status, 200);
        let received = bank.upstream.take_one();
        assert_eq!((received.header("x-cn"), received.header("x-parsed")), (common, parsed), "{name:?}");
        assert_eq!(received.header("x-both"), "a");
    }
}

#[test]
fn connection_cannot_take_a_rules_cookie_away() {
    let rules = rule_at("request", "/c", "{ type = \"add_request_cookie\", value = \"user=${subject.CN}\" }");
    let bank = with(&rules);
    for connection in ["cookie", "close, Cookie"] {
        let request = Request::get("/c").of(&good()).with("Cookie", "a=1").with("Connection", connection);
        let answer = bank.vestibule.ask(request.text());
        assert_eq!(answer.status, 200);
        assert_eq!(bank.upstream.take_one().header("cookie"), "a=1; user=good", "{connection}");
    }
}

#[test]
fn a_rules_cookie_is_ours_on_every_route_and_in_every_spelling() {
    let rule = "[[rules]]\nname = \"user\"\nroutes = [\"/payments/\"]\n\
                behaviors = [{ type = \"add_request_cookie\", value = \"user_id=${subject.CN}\" }]\n";
    let bank = with(rule);
    for path in ["/payments/1", "/elsewhere"] {
        for cookie in ["user_id=mallory; a=1", "user-id=mallory; a=1", "user.id=mallory; a=1", "a=1; user id=mallory"] {
            assert_eq!(bank.vestibule.ask(Request::get(path).of(&good()).with("Cookie", cookie).text()).status, 200);
            let received = bank.upstream.take_one();
            let expected = if path == "/elsewhere" { "a=1" } else { "a=1; user_id=good" };
            assert_eq!(received.header("cookie"), expected, "{path} {cookie}");
        }
    }
}

#[test]
fn what_is_sent_twice_evades_neither_an_operator_nor_its_opposite() {
    let mut rules = String::new();
    for (name, variable, operator) in [
        ("h is", "${http_x_role}", "is_equal"),
        ("h is not", "${http_x_kind}", "is_not_equal"),
        ("a is", "${arg_role}", "is_equal"),
        ("a is not", "${arg_kind}", "is_not_equal"),
        ("c is", "${cookie_role}", "is_equal"),
        ("c is not", "${cookie_kind}", "is_not_equal"),
    ] {
        rules += &format!("[[rules]]\nname = \"{name}\"\nbehaviors = [{DENY}]\n");
        rules += &format!(
            "criteria = [[{{ variable = \"{variable}\", operator = \"exists\" }}], \
             [{{ variable = \"{variable}\", operator = \"{operator}\", argument = \"admin\" }}]]\n"
        );
    }
    let bank = with(&rules);
    let ask = |request: Request| bank.vestibule.ask(request.of(&good()).text()).status;
    for (first, second) in [("admin", "user"), ("user", "admin")] {
        for name in ["role", "kind"] {
            let header = Request::get("/").with(&format!("X-{name}"), first).with(&format!("x_{name}"), second);
            assert_eq!(ask(header), 403, "header {name} {first} {second}");
            assert_eq!(
                ask(Request::get(&format!("/?{name}={first}&{name}={second}"))),
                403,
                "argument {name} {first} {second}"
            );
            let cookies = Request::get("/").with("Cookie", &format!("{name}={first}; {name}={second}"));
            assert_eq!(ask(cookies), 403, "cookie {name} {first} {second}");
        }
    }
    assert_eq!(ask(Request::get("/?role=user&kind=admin&kind=admin").with("Cookie", "role=user; kind=admin")), 200);
}

#[test]
fn a_value_in_a_body_stays_a_value() {
    let custom = |kind: &str, body: &str| {
        format!("{{ type = \"set_custom_response\", status_code = 403, content_type = '{kind}', content_body = '{body}' }}")
    };
    let rules = rule_if(
        "firewall",
        "html",
        ("${uri}", "starts_with", Some("/html")),
        &custom("text/html; charset=utf-8", "<p>${uri}</p>"),
    ) + &rule_if(
        "firewall",
        "json",
        ("${uri}", "starts_with", Some("/json")),
        &custom("application/problem+json", "{\"at\":\"${uri}\"}"),
    ) + &rule_if(
        "firewall",
        "text",
        ("${uri}", "starts_with", Some("/text")),
        "{ type = \"set_custom_response\", status_code = 403, content_body = \"at ${uri}\" }",
    );
    let bank = with(&rules);
    let ask = |path: &str| bank.vestibule.ask(Request::get(path).of(&good()).text());
    let answer = ask("/html%3Cscript%3Ealert('1')%3C%2Fscript%3E%26%22");
    assert_eq!(answer.text(), "<p>/html&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;</p>");
    let answer = ask("/json%22,%22admin%22:%22yes%0A%C3%A9");
    assert_eq!(answer.json(), serde_json::json!({"at": "/json\",\"admin\":\"yes\n\u{e9}"}));
    let answer = ask("/text%3Cscript%3E");
    assert_eq!(answer.text(), "at /text<script>");
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

#[test]
fn an_answer_for_one_client_is_no_answer_for_a_shared_cache() {
    let upstream = RecordingUpstream::answering(|received, stream| match received.target.as_str() {
        "/missing" => stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").is_ok(),
        _ => reply(stream, "", b"ok"),
    });
    let rules = rule_at("request", "/301", "{ type = \"redirect_to_301\", value = \"/enroll\" }")
        + &rule_at("request", "/204", "{ type = \"no_content\" }")
        + &rule_at("firewall", "/custom", "{ type = \"set_custom_response\", status_code = 404 }")
        + &rule_at("response", "/missing", "{ type = \"redirect_to_301\", value = \"/there\" }")
        + &rule_at("response", "/bare", "{ type = \"filter_response_header\", value = \"Cache-Control\" }")
        + &rule_at("response", "/public", "{ type = \"add_response_header\", value = \"Cache-Control: public\" }");
    let bank = before(&rules, upstream);
    for (path, status, says) in [
        ("/301", 301, "private"),
        ("/204", 204, "private"),
        ("/custom", 404, "private"),
        ("/missing", 301, "private"),
        ("/bare", 200, "private"),
        ("/public", 200, "public"),
    ] {
        let answer = bank.vestibule.ask(Request::get(path).of(&good()).text());
        assert_eq!((answer.status, answer.all("cache-control")), (status, vec![says]), "{path}");
    }
}

#[test]
fn the_mark_at_the_start_of_a_lists_file_is_no_part_of_its_first_entry() {
    let tables = "[lists.blocked]\ntype = \"strings\"\nfile = \"lists/blocked\"\n".to_owned()
        + &rule_if("request", "blocked", ("${subject.CN}", "is_in_list", Some("blocked")), DENY);
    let upstream = RecordingUpstream::start();
    let mut files = crate::bank::files(&[(crate::tenant(&tables), upstream.url())]);
    files.push(("lists/blocked".into(), "\u{feff}good\r\nother\r\n".into()));
    let vestibule = crate::vestibule_program::Vestibule::start(&files);
    assert_eq!(vestibule.ask(Request::get("/").of(&good()).text()).status, 403);
}

#[test]
fn what_frames_a_message_is_no_rules_to_write() {
    for header in ["Transfer_Encoding", "content.length", "Host", "X-Forwarded-For", "x_real_ip", "Connection", "Upgrade", "TE"]
    {
        for (phase, behavior) in [("request", "add_request_header"), ("response", "add_response_header")] {
            if phase == "response" && ["X-Forwarded-For", "x_real_ip"].contains(&header) {
                continue;
            }
            let rules = rule_at(phase, "/", &format!("{{ type = \"{behavior}\", value = \"{header}: 1\" }}"));
            let folder = crate::folder(&crate::tenant(&rules));
            let ran = run(vestibule().args(["check", "--config"]).arg(folder.path()), b"");
            assert_eq!(ran.code, 64, "{header} {phase}");
            assert!(ran.stderr.contains("frames or routes") || ran.stderr.contains("always gets it"), "{}", ran.stderr);
        }
    }
}

#[test]
fn an_upgrade_and_other_methods_meet_the_same_rules() {
    let bank = with(&rule_if("firewall", "no", ("${uri}", "starts_with", Some("/no")), DENY));
    for method in ["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND"] {
        let mut connection = bank.vestibule.connect();
        connection.send(Request::new(method, "/no").of(&good()).text());
        assert_eq!(connection.read_head().status, 403, "{method}");
    }
    let upgrade = Request::get("/no").of(&good()).with("Connection", "Upgrade").with("Upgrade", "websocket");
    assert_eq!(bank.vestibule.ask(upgrade.text()).status, 403);
    for target in ["//no", "/%6eo", "/no%2Fx", "/no;x", "/%2Fno"] {
        assert_ne!(bank.vestibule.ask(Request::get(target).of(&good()).text()).status, 200, "{target}");
    }
    assert_eq!(bank.upstream.take().len(), 0);
    let asked = Request::get("/-/authorize").of(&good()).with("X-Original-Uri", "//no").with("X-Original-Method", "GET");
    assert_eq!(bank.vestibule.ask(asked.text()).status, 403);
}

#[test]
fn no_rule_speaks_beside_the_headers_that_every_request_gets() {
    for (header, refused) in [
        ("ssl-client-verify", true),
        ("SSL_Client_S_DN", true),
        ("x_vestibule_client_id", true),
        ("X-Vestibule-Client-Auth-Method", true),
        ("ssl-client-v-end", false),
    ] {
        let rules = rule_at("request", "/", &format!("{{ type = \"add_request_header\", value = \"{header}: SUCCESS\" }}"));
        let folder = crate::folder(&crate::tenant(&rules));
        let ran = run(vestibule().args(["check", "--config"]).arg(folder.path()), b"");
        assert_eq!(ran.code, if refused { 64 } else { 0 }, "{header}: {}", ran.stderr);
        let said = ["which every request gets from [upstream_headers] already", "tells the OAuth client"];
        assert_eq!(said.iter().filter(|text| ran.stderr.contains(**text)).count(), usize::from(refused), "{}", ran.stderr);
    }
}
