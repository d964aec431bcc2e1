//! Around the front door: keys, aliases, framing, targets. Raw bytes over TCP.

use crate::bank::{Bank, DOMAIN, KEY, Request, escaped, good, leaf, person};
use crate::http_client::Answer;

/// What a client sees of an answer but for what differs in every answer.
pub(crate) fn seen(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let id = answer.header("x-request-id").unwrap().to_owned();
    let differs = |name: &str| name.eq_ignore_ascii_case("date") || name.eq_ignore_ascii_case("x-request-id");
    let mut headers: Vec<_> = answer.headers.iter().filter(|(name, _)| !differs(name)).cloned().collect();
    // Header lines come in an order that is new for every answer, whatever it is about.
    headers.sort();
    (answer.status, headers, answer.text().replace(&id, "ID"))
}

#[test]
fn whoever_does_not_have_the_key_learns_nothing() {
    let bank = Bank::open();
    let forged = Request::get("/").of(&good()).instead("client-certificate-ca-verified", "SUCCESS");
    let mut answers = Vec::new();
    for (request, code) in [
        (forged.clone().without("cname-api-key"), "front_door_key_missing"),
        (forged.clone().instead("cname-api-key", "guess"), "front_door_key_wrong"),
        (forged.clone().instead("cname-api-key", ""), "front_door_key_wrong"),
        (forged.clone().instead("cname-api-key", &KEY[..KEY.len() - 1]), "front_door_key_wrong"),
        (forged.clone().with("cname-api-key", "guess"), "front_door_key_repeated"),
        (forged.clone().with("cname-api-key", KEY), "front_door_key_repeated"),
        (forged.clone().instead("cname-api-key", &format!("{KEY}, {KEY}")), "front_door_key_wrong"),
        (forged.clone().without("cname-api-key").with("cname_api_key", KEY), "front_door_key_missing"),
        (forged.clone().instead("Host", "other.example"), "unknown_domain"),
        (forged.clone().without("cname-api-key").instead("Host", "other.example"), "unknown_domain"),
        // No certificate is looked at before the key: a broken one gives the same answer.
        (forged.clone().without("cname-api-key").instead("client-certificate", "%"), "front_door_key_missing"),
        (forged.clone().instead("cname-api-key", "x").with("client_certificate", "%"), "front_door_key_wrong"),
        (forged.clone().instead("cname-api-key", "x").instead("X-Forwarded-For", "x"), "front_door_key_wrong"),
    ] {
        let answer = bank.vestibule.ask(request.text());
        assert_eq!(bank.refused(&answer, 403), code);
        answers.push(seen(&answer));
    }
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    bank.assert_still_serves();
}

#[test]
fn aliases_and_duplicates_of_contract_headers_are_refused() {
    let bank = Bank::open();
    let certificate = escaped(&good().certificate);
    let base = || Request::get("/public/").of_nobody();
    for (name, code) in [
        ("client_certificate", "contract_header_aliased"),
        ("client.certificate", "contract_header_aliased"),
        ("Client_Certificate", "contract_header_aliased"),
        ("client~certificate", "contract_header_aliased"),
        ("client_certificate-ca.verified", "contract_header_aliased"),
        ("cname_api_key", "contract_header_aliased"),
        ("cname.api-key", "contract_header_aliased"),
        ("x_forwarded_for", "contract_header_aliased"),
        ("X.Forwarded.For", "contract_header_aliased"),
        ("ssl.client.s.dn", "contract_header_aliased"),
        ("X-Forwarded-For", "contract_header_repeated"),
        ("CLIENT-CERTIFICATE-CA-VERIFIED", "contract_header_repeated"),
    ] {
        let answer = bank.vestibule.ask(base().with(name, &certificate).text());
        assert_eq!(bank.refused(&answer, 400), code, "{name}");
    }
    let twice = Request::get("/").of(&good()).with("CLIENT-certificate", &escaped(&person(&leaf("victim")).certificate));
    assert_eq!(bank.refused(&bank.vestibule.ask(twice.text()), 400), "contract_header_repeated");
    bank.assert_still_serves();
}

#[test]
fn connection_and_trailer_cannot_name_contract_headers() {
    let bank = Bank::open();
    for name in [
        "client-certificate",
        "CLIENT-CERTIFICATE",
        "client_certificate",
        "cname-api-key",
        "x-forwarded-for",
        "client-certificate-ca-verified",
        "ssl_client_s_dn",
    ] {
        for value in [name.to_owned(), format!("close, {name}"), format!("{name} ,x")] {
            let answer = bank.vestibule.ask(Request::get("/").of(&good()).with("Connection", &value).text());
            assert_eq!(bank.refused(&answer, 400), "contract_header_in_connection", "{value}");
            let answer = bank.vestibule.ask(Request::get("/").of(&good()).with("Trailer", &value).text());
            assert_eq!(bank.refused(&answer, 400), "contract_header_in_trailer", "{value}");
        }
    }
    // The headers that we set for the upstream are not the client's to remove.
    let request = Request::get("/").of(&good()).with("Connection", "ssl-client-verify, x-client-cn, x-other");
    assert_eq!(bank.vestibule.ask(request.with("x-other", "1").text()).status, 200);
    let received = bank.upstream.take_one();
    assert_eq!((received.header("ssl-client-verify"), received.header("x-client-cn")), ("SUCCESS", "good"));
    assert_eq!(received.header("x-other"), "");
}

#[test]
fn trailers_of_a_chunked_body_do_not_reach_the_upstream() {
    let bank = Bank::open();
    let certificate = escaped(&good().certificate);
    let mut request = Request::new("POST", "/public/").of_nobody().with("Transfer-Encoding", "chunked").text();
    request.extend_from_slice(
        format!(
            "3\r\nabc\r\n0\r\nclient-certificate: {certificate}\r\ncname-api-key: {KEY}\r\nssl-client-verify: SUCCESS\r\n\r\n"
        )
        .as_bytes(),
    );
    let mut client = bank.vestibule.connect();
    let answer = client.ask(request);
    for received in bank.upstream.take() {
        assert_eq!(received.header("ssl-client-verify"), "NONE");
        assert!(received.trailers.is_empty() && received.header("trailer").is_empty(), "{received:?}");
        assert!(!format!("{received:?}").contains("CERTIFICATE"), "{received:?}");
    }
    assert!(matches!(answer.status, 200 | 400 | 0), "{answer:?}");
    // Whatever became of it, the next request of the connection is not led by its trailers.
    client.send(Request::get("/").of_nobody().text());
    let next = client.read_answer();
    assert!(matches!(next.status, 401 | 400 | 0), "{next:?}");
    bank.upstream.take();
    bank.assert_still_serves();
}

#[test]
fn oversized_heads_are_refused() {
    let bank = Bank::open();
    // More than the listener reads at all.
    let mut client = bank.vestibule.connect();
    client.try_send(Request::get("/").carrying(&"A".repeat(1 << 20)).text());
    let answer = client.read_answer();
    assert!(matches!(answer.status, 0 | 400 | 431), "{answer:?}");
    // More than the configuration allows.
    let answer = bank.vestibule.ask(Request::get("/").of(&good()).with("x-large", &"a".repeat(100 * 1024)).text());
    assert_eq!(bank.refused(&answer, 431), "request_head_too_large");
    let mut many = Request::get("/").of(&good());
    for number in 0..200 {
        many = many.with(&format!("x-{number}"), "1");
    }
    let answer = bank.vestibule.ask(many.text());
    assert!(matches!(answer.status, 400 | 431), "{answer:?}");
    assert_eq!(bank.upstream.take().len(), 0);
    bank.assert_still_serves();
}

#[test]
fn control_bytes_and_broken_lines_are_refused() {
    let bank = Bank::open();
    let certificate = escaped(&good().certificate);
    let start = format!("GET /public/ HTTP/1.1\r\nHost: {DOMAIN}\r\ncname-api-key: {KEY}\r\nX-Forwarded-For: 203.0.113.9\r\n");
    for (what, lines) in [
        ("NUL in a contract value", format!("client-certificate: {certificate}\0\r\n")),
        ("NUL in another value", "x-other: a\0b\r\n".to_owned()),
        ("CR in a value", format!("client-certificate: {certificate}\rx: y\r\n")),
        ("CR in another value", format!("x-other: a\rclient-certificate: {certificate}\r\n")),
        ("TAB in a contract value", format!("client-certificate: {certificate}\t{certificate}\r\n")),
        ("folded line", format!("x-other: a\r\n client-certificate: {certificate}\r\n")),
        ("folded line with TAB", format!("client-certificate: {certificate}\r\n\t{certificate}\r\n")),
        ("space before the colon", format!("client-certificate : {certificate}\r\n")),
        ("TAB before the colon", format!("client-certificate\t: {certificate}\r\n")),
        ("empty name", format!(": {certificate}\r\n")),
        ("NUL in the name", format!("client-certificate\0: {certificate}\r\n")),
        ("length and chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n".to_owned()),
        ("two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n".to_owned()),
        ("a length with a sign", "Content-Length: +5\r\n".to_owned()),
        ("an unknown coding", "Transfer-Encoding: xchunked\r\n".to_owned()),
        ("chunks twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n".to_owned()),
        ("chunks not last", "Transfer-Encoding: chunked, identity\r\n".to_owned()),
        ("chunks and another coding", "Transfer-Encoding: gzip, chunked\r\n".to_owned()),
    ] {
        let mut client = bank.vestibule.connect();
        let answer = client.ask(format!("{start}{lines}\r\n0\r\n\r\n"));
        assert!((400..=501).contains(&answer.status), "{what}: {answer:?}");
        assert_eq!(bank.upstream.take().len(), 0, "{what}");
    }
    bank.assert_still_serves();
}

#[test]
fn a_bare_line_feed_does_not_hide_a_header() {
    let bank = Bank::open();
    let certificate = escaped(&good().certificate);
    let start = format!("GET / HTTP/1.1\r\nHost: {DOMAIN}\r\nX-Forwarded-For: 203.0.113.9\r\n");
    // Each of the two lines is seen as a line, so both rules about contract headers hold for it.
    let hidden_key = format!("{start}x-pad: a\ncname-api-key: {KEY}\r\ncname-api-key: guess\r\n\r\n");
    let answer = bank.vestibule.ask(hidden_key);
    assert!(matches!(answer.status, 400 | 403), "{answer:?}");
    let hidden = format!(
        "{start}cname-api-key: {KEY}\r\nclient-certificate-ca-verified: NONE\r\nx-pad: a\nclient-certificate: {certificate}\r\n\r\n"
    );
    let answer = bank.vestibule.ask(hidden);
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(bank.upstream.take().len(), 0);
    bank.assert_still_serves();
}

#[test]
fn the_host_is_one_of_ours_and_there_is_one() {
    let bank = Bank::open();
    let request = |host: &str| Request::get("/").of(&good()).instead("Host", host);
    for (request, status) in [
        (request(DOMAIN).with("Host", DOMAIN), 400),
        (request(DOMAIN).with("Host", "other.example"), 400),
        (request(&format!("{DOMAIN},{DOMAIN}")), 403),
        (request(&format!("{DOMAIN}, other.example")), 403),
        (request(&format!("other.example/{DOMAIN}")), 403),
        (request(&format!("user@{DOMAIN}")), 403),
        (request(&format!("sub.{DOMAIN}")), 403),
        (request(""), 403),
        (Request::get("/").of(&good()).without("Host"), 400),
    ] {
        let answer = bank.vestibule.ask(request.text());
        if answer.header("x-request-id").is_some() {
            bank.refused(&answer, status);
        } else {
            assert_eq!(answer.status, 400, "{answer:?}");
        }
        assert_eq!(bank.upstream.take().len(), 0);
    }
    for host in [format!("{DOMAIN}:443"), DOMAIN.to_uppercase(), format!("{DOMAIN}."), format!("mtls.{DOMAIN}")] {
        assert_eq!(bank.vestibule.ask(request(&host).text()).status, 200, "{host}");
    }
}

#[test]
fn a_target_is_judged_by_the_path_that_it_means() {
    let bank = Bank::open();
    // Written as if under a route that asks for nothing, but meant for one that does.
    for target in ["/%70ayments/1", "/payments//1"] {
        let answer = bank.vestibule.ask(Request::get(target).of_nobody().text());
        assert_eq!(bank.refused(&answer, 401), "certificate_required", "{target}");
        let answer = bank.vestibule.ask(Request::get(target).of(&person(&leaf("contractor-1"))).text());
        assert_eq!(bank.refused(&answer, 403), "denied_by_rule", "{target}");
    }
    for target in [
        "/public/../payments/1",
        "/public/%2e%2e/payments/1",
        "/public/%2E%2E/payments/1",
        "/public/..%2fpayments/1",
        "/public/..%2Fpayments/1",
        "/public/.%2e/payments/1",
        "/public/x/../../payments/1",
        "/public/./payments/1",
        "/public/..;/payments/1",
        "/public/%252e%252e/payments/1",
        // Written as if under a strict route, but meant for the open one: the upstream may take it as it is written.
        "/payments/1/..%2f..%2fpublic%2f",
        "/payments//../public/x",
        "/payments;x/../public/",
        "/payments;x/1",
        "/payments%3bx/1",
        "/payments%5c1",
        "/payments%252f1",
        "/payments/%c0%ae",
        // Of the open route only for those who decode `%2F`, or who merge slashes.
        "/public%2fx",
        "//public/x",
        "//payments/1",
        "//%70ayments//1",
        // Of another route for those who ignore letter case.
        "/PAYMENTS/1",
        "/payment%53/1",
        "/Public/x",
        "/pUBLIC//x",
        "/public/../../x",
        "/public/%2e%2e/%2e%2e/x",
        "/public/%00",
        "/public/%zz",
        "/public/%4",
    ] {
        let answer = bank.vestibule.ask(Request::get(target).of_nobody().text());
        assert_eq!(bank.refused(&answer, 400), "request_target_invalid", "{target}");
    }
    for target in [format!("http://{DOMAIN}/"), "https://other.example/".into(), "*".into(), "other.example:443".into()] {
        let answer = bank.vestibule.ask(Request::get(&target).of(&good()).text());
        assert_eq!(answer.status, 400, "{target}: {answer:?}");
        assert_eq!(bank.upstream.take().len(), 0, "{target}");
    }
    bank.assert_still_serves();
}

#[test]
fn methods_that_would_tunnel_or_echo_are_not_forwarded() {
    let bank = Bank::open();
    for (method, target) in [("TRACE", "/"), ("CONNECT", "/"), ("CONNECT", "other.example:443")] {
        let answer = bank.vestibule.ask(Request::new(method, target).of(&good()).text());
        assert_eq!(answer.status, 400, "{method} {target}: {answer:?}");
        assert_eq!(bank.upstream.take().len(), 0);
    }
    bank.assert_still_serves();
}

#[test]
fn a_refused_requests_body_is_not_read_as_a_request() {
    let bank = Bank::open();
    let smuggled = Request::get("/smuggled").of(&good()).text();
    for request in [
        Request::new("POST", "/").of_nobody().body(&smuggled),
        Request::new("POST", "/").of(&good()).instead("cname-api-key", "guess").body(&smuggled),
        Request::new("GET", "/").of_nobody().body(&smuggled),
    ] {
        let mut client = bank.vestibule.connect();
        let answer = client.ask(request.text());
        assert!(matches!(answer.status, 401 | 403), "{answer:?}");
        // The next answer of this connection is for the next request, or there is none.
        client.send(Request::get("/second").of(&good()).text());
        let next = client.read_answer();
        assert!(matches!(next.status, 0 | 200), "{next:?}");
        for received in bank.upstream.take() {
            assert_eq!(received.target, "/second");
        }
    }
    bank.assert_still_serves();
}
