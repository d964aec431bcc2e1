//! The other ways in and out: admin, Unix socket, several tenants, upstreams that fail.

use std::net::TcpListener;

use crate::bank::{Bank, DOMAIN, PROCESS, Request, Tenant, assert_says_nothing, authorities, files, good, leaf, person_of};
use crate::http_client::Client;
use crate::recording_upstream::RecordingUpstream;
use crate::vestibule_program::{Vestibule, wait_until};

#[test]
fn the_admin_listener_and_the_data_listener_are_apart() {
    let bank = Bank::open();
    for path in ["/healthz", "/readyz"] {
        let answer = bank.vestibule.ask_admin(path);
        assert_eq!((answer.status, answer.text().as_str()), (200, "ok\n"));
    }
    for path in ["/", "/public/", "/metrics/", "/-/authorize"] {
        assert_eq!(bank.vestibule.ask_admin(path).status, 404, "{path}");
    }
    for path in ["/healthz", "/readyz", "/metrics", "/.well-known/jwks.json"] {
        let answer = bank.vestibule.ask(Request::get(path).without("cname-api-key").text());
        assert_eq!(bank.refused(&answer, 403), "front_door_key_missing", "{path}");
        let answer = bank.vestibule.ask(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"));
        assert_eq!(bank.refused(&answer, 403), "unknown_domain", "{path}");
        // With everything in order it is a path like any other: the upstream's.
        let answer = bank.vestibule.ask(Request::get(path).of(&good()).text());
        assert_eq!((answer.status, bank.upstream.take_one().target.as_str()), (200, path));
    }
}

#[test]
fn counters_count() {
    let bank = Bank::open();
    let refused = |code: &str| format!("vestibule_requests_refused_total{{code=\"{code}\"}}");
    assert_eq!(bank.vestibule.counter(&refused("front_door_key_missing")), 0);
    for _ in 0..3 {
        bank.vestibule.ask(Request::get("/").without("cname-api-key").text());
    }
    bank.vestibule.ask(Request::get("/").of(&good()).text());
    bank.vestibule.ask(Request::get("/").of_nobody().text());
    bank.vestibule.ask("not HTTP at all\r\n\r\n");
    bank.vestibule.wait_for_counter(&refused("front_door_key_missing"), 3);
    bank.vestibule.wait_for_counter(&refused("certificate_required"), 1);
    bank.vestibule.wait_for_counter(&refused("request_malformed"), 1);
    bank.vestibule.wait_for_counter("vestibule_requests_permitted_total", 1);
    bank.vestibule.wait_for_counter("vestibule_responses_total{class=\"2xx\"}", 1);
    bank.vestibule.wait_for_counter("vestibule_responses_total{class=\"4xx\"}", 4);
    let in_flight = || bank.vestibule.counter("vestibule_requests_in_flight");
    wait_until(|| in_flight() == 0, || format!("{} requests stay in flight", in_flight()));
    let text = bank.vestibule.ask_admin("/metrics").text();
    // Anybody can send what is not HTTP: it is no error of this program, whose errors wake somebody up.
    bank.vestibule.wait_for_diagnostics("not a request");
    assert!(!bank.vestibule.diagnostics().contains("ERROR"), "{}", bank.vestibule.diagnostics());
    assert!(!text.contains(crate::bank::KEY) && text.ends_with("# EOF\n"), "{text}");
}

#[test]
fn a_unix_socket_is_a_front_door_too() {
    let upstream = RecordingUpstream::start();
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("vestibule.socket");
    let mut files = files(&[(Tenant::default(), upstream.url())]);
    let both = format!("[\"127.0.0.1:{{port}}\", \"unix:{}\"]", socket.display());
    files[0].1 = PROCESS.replace("[\"127.0.0.1:{port}\"]", &both);
    let vestibule = Vestibule::start(&files);
    let bank = Bank { vestibule, upstream };
    let ask = |request: Request| Client::unix(&socket).ask(request.text());
    assert_eq!(ask(Request::get("/").of(&good())).status, 200);
    assert_eq!(bank.upstream.take_one().header("ssl-client-verify"), "SUCCESS");
    // The socket proves nothing, and has no address of its own.
    let answer = ask(Request::get("/").of(&good()).without("cname-api-key"));
    assert_eq!(bank.refused(&answer, 403), "front_door_key_missing");
    let answer = ask(Request::get("/").of(&good()).without("X-Forwarded-For"));
    assert_eq!(bank.refused(&answer, 400), "client_address_invalid");
    bank.assert_still_serves();
}

#[test]
fn the_mtls_alias_is_the_same_domain_where_it_is_switched_on() {
    for (switch, status) in [("true", 200), ("false", 403)] {
        let top = format!("enable_mtls_endpoint_aliases = {switch}\n");
        let bank = Bank::with(&Tenant { top, ..Tenant::default() });
        let request = Request::get("/").of(&good()).instead("Host", &format!("mtls.{DOMAIN}"));
        let answer = bank.vestibule.ask(request.text());
        assert_eq!(answer.status, status);
        if status == 200 {
            assert_eq!(bank.upstream.take_one().header("host"), format!("mtls.{DOMAIN}"));
            assert_eq!(bank.vestibule.access_line(&answer)["forward.domain"], DOMAIN);
        }
        let answer = bank.vestibule.ask(request_for(&format!("mtls.mtls.{DOMAIN}")).text());
        assert_eq!(bank.vestibule.code(&answer), "unknown_domain");
    }
}

fn request_for(host: &str) -> Request {
    Request::get("/").of(&good()).instead("Host", host)
}

/// A tenant for each style, with keys of their own, before upstreams that are down or never answer.
fn every_style(upstream: &str) -> Vestibule {
    let tenants = ["json", "problem+json", "kong", "zuplo", "plain"].map(|style| {
        let name = style.replace('+', "-");
        let tenant = Tenant {
            domain: format!("{name}.example"),
            keys: vec![format!("key-of-{name}-0123456789abcdef")],
            top: format!("error_style = \"{style}\"\n"),
            upstream_lines: "response_timeout = \"300ms\"\nconnect_timeout = \"300ms\"\n".into(),
            root_route: "/only/".into(),
            name,
            ..Tenant::default()
        };
        (tenant, upstream.to_owned())
    });
    Vestibule::start(&files(&tenants))
}

fn to_tenant(name: &str, target: &str) -> Request {
    let key = format!("key-of-{name}-0123456789abcdef");
    request_for(&format!("{name}.example")).instead("cname-api-key", &key).retarget(target)
}

fn assert_styles(vestibule: &Vestibule, target: &str, status: u16, code: &str, sentence: &str) {
    for name in ["json", "problem-json", "kong", "zuplo", "plain"] {
        let answer = vestibule.ask(to_tenant(name, target).text());
        let line = vestibule.access_line(&answer);
        assert_eq!((answer.status, line["refusal.code"].as_str().unwrap()), (status, code), "{name}");
        assert!(!answer.text().contains(line["refusal.cause"].as_str().unwrap()), "{}", answer.text());
        let media_type = answer.header("content-type").unwrap();
        if name == "plain" {
            assert_eq!((media_type, answer.text()), ("text/plain; charset=utf-8", format!("{sentence}\n")));
            continue;
        }
        let body = answer.json();
        match name {
            "zuplo" => {
                let path = target.split('?').next().unwrap();
                assert_eq!((&body["detail"], &body["instance"]), (&sentence.into(), &path.into()), "{body}");
                assert_eq!((&body["trace"]["requestId"], &body["status"]), (&line["request.id"], &status.into()));
            }
            _ => assert_says_nothing(&answer, &line),
        }
        match name {
            "json" => assert_eq!((&body["status"], &body["message"]), (&status.into(), &sentence.into())),
            "kong" => assert_eq!((&body["message"], &body["status"]), (&sentence.into(), &serde_json::Value::Null)),
            _ => assert_eq!((&body["status"], &body["detail"]), (&status.into(), &sentence.into())),
        }
        let problem = ["problem-json", "zuplo"].contains(&name);
        assert_eq!(media_type == "application/problem+json", problem, "{media_type}");
        assert_eq!(line["tenant"], name);
    }
}

#[test]
fn a_route_may_have_a_style_of_its_own() {
    let route = "[[routes]]\npath = \"/z/\"\nupstream = \"core\"\nerror_style = \"zuplo\"\n\
                 [[routes]]\npath = \"/p/\"\nupstream = \"core\"\nerror_style = \"plain\"\n";
    let tenant = Tenant { top: "error_style = \"kong\"\n".into(), tables: route.into(), ..Tenant::default() };
    let bank = Bank::with(&tenant);
    let bad = person_of(&authorities().stranger, &leaf("stranger"));
    let asked = |path: &str| Request::get("/-/authorize").with("X-Original-URI", path).with("X-Original-Method", "GET");
    for (nobody, known) in [(true, false), (false, true)] {
        let who = |request: Request| if nobody { request.of_nobody() } else { request.of(&bad) };
        let (kong, zuplo) = if known {
            ("TLS certificate failed verification", "The reverse proxy rejected the client certificate.")
        } else {
            ("No required TLS certificate was sent", "No client certificate was presented.")
        };
        assert_eq!(bank.vestibule.ask(who(Request::get("/")).text()).json()["message"], kong);
        for request in [Request::get("/z/a?b=c"), asked("/z/a?b=c")] {
            let answer = bank.vestibule.ask(who(request).text());
            let body = answer.json();
            assert_eq!(body["detail"], format!("Client mTLS verification failed. {zuplo}"), "{body}");
            assert_eq!(
                (&body["type"], &body["instance"]),
                (&"https://httpproblems.com/http-status/401".into(), &"/z/a".into())
            );
            assert_eq!(body["trace"]["requestId"].as_str(), answer.header("x-request-id"));
        }
        let answer = bank.vestibule.ask(who(Request::get("/p/")).text());
        assert_eq!((answer.status, answer.header("content-type")), (401, Some("text/plain; charset=utf-8")));
    }
}

#[test]
fn upstreams_that_are_down_or_silent_in_every_style() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let vestibule = every_style(&format!("http://127.0.0.1:{closed}"));
    assert_styles(&vestibule, "/public/", 502, "upstream_unreachable", "The upstream cannot be reached.");
    assert_styles(&vestibule, "/elsewhere", 404, "no_route", "There is nothing here.");
    // Takes connections, never reads, never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let vestibule = every_style(&format!("http://{}", silent.local_addr().unwrap()));
    assert_styles(&vestibule, "/public/", 504, "upstream_timeout", "The upstream did not answer in time.");
}

#[test]
fn kong_has_its_own_words_for_certificates() {
    let vestibule = every_style("http://127.0.0.1:1");
    let bare = to_tenant("kong", "/only/").without("client-certificate").without("client-certificate-ca-verified");
    assert_eq!(vestibule.ask(bare.text()).json()["message"], "No required TLS certificate was sent");
    let stranger = person_of(&authorities().stranger, &leaf("x"));
    let answer = vestibule.ask(to_tenant("kong", "/only/").of(&stranger).text());
    assert_eq!((answer.status, &answer.json()["message"]), (401, &"TLS certificate failed verification".into()));
}

#[test]
fn a_key_opens_its_own_tenant_alone() {
    let vestibule = every_style("http://127.0.0.1:1");
    let answer = vestibule.ask(to_tenant("kong", "/").instead("Host", "json.example").text());
    assert_eq!((answer.status, vestibule.code(&answer).as_str()), (403, "front_door_key_wrong"));
    // Who has no key does not learn which style the tenant has.
    assert!(answer.header("content-type") == Some("application/json") && answer.json()["status"] == 403);
    let answer = vestibule.ask(to_tenant("json", "/").instead("Host", "kong.example").text());
    assert_eq!(answer.json()["status"], 403);
}

#[test]
fn an_upstream_that_breaks_off_is_not_taken_for_whole() {
    let upstream = RecordingUpstream::answering(|received, stream| {
        let answer = match received.target.as_str() {
            "/garbage" => "nonsense\r\n\r\n",
            "/nothing" => "",
            _ => "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this",
        };
        let _ = std::io::Write::write_all(stream, answer.as_bytes());
        false
    });
    let bank = Bank::before(&Tenant::default(), upstream);
    for target in ["/garbage", "/nothing"] {
        let answer = bank.vestibule.ask(Request::new("POST", target).of(&good()).body(b"x").text());
        assert_eq!((answer.status, bank.vestibule.code(&answer).as_str()), (502, "upstream_invalid_response"), "{target}");
    }
    let answer = bank.vestibule.ask(Request::get("/short").of(&good()).text());
    assert_eq!((answer.status, answer.complete), (200, false));
    assert_eq!(bank.vestibule.access_line(&answer)["upstream.ending"], "broken");
}

#[test]
fn a_subrequest_is_answered_for_the_request_that_it_names() {
    let bank = Bank::open();
    let ask =
        |uri: &str, method: &str| Request::get("/-/authorize").with("x-original-uri", uri).with("x-original-method", method);
    let answer = bank.vestibule.ask(ask("/payments/1?q", "POST").of(&good()).text());
    assert_eq!(
        (answer.status, answer.header("ssl-client-verify"), answer.header("x-client-cn")),
        (200, Some("SUCCESS"), Some("good"))
    );
    let answer = bank.vestibule.ask(ask("/", "GET").of_nobody().text());
    assert_eq!(bank.refused(&answer, 401), "certificate_required");
    for request in [
        Request::get("/-/authorize"),
        ask("/", "GET").without("x-original-uri"),
        ask("/", "GET").without("x-original-method"),
        ask("/", "GET").with("x-original-uri", "/public/"),
        ask("/public/", "GET").with("x_original_uri", "/"),
        ask("http://other.example/", "GET"),
        ask("/public/../x", "GET"),
        ask("/", "G T"),
    ] {
        assert_eq!(bank.refused(&bank.vestibule.ask(request.of(&good()).text()), 400), "request_target_invalid");
    }
}
