//! What the upstream learns of the client, and what does not pass in either direction.

use crate::bank::{Bank, CLIENT, DOMAIN, Request, Tenant, good};
use crate::recording_upstream::{RecordingUpstream, reply};

#[test]
fn only_the_front_doors_word_about_the_client_counts() {
    for header in ["x-forwarded-for", "true-client-ip", "cf-connecting-ip", "x-azure-clientip"] {
        let domain_lines = format!("custom_client_ip_header = \"{header}\"\n");
        let bank = Bank::with(&Tenant { domain_lines, ..Tenant::default() });
        let mut request = Request::get("/").of(&good()).without("X-Forwarded-For");
        for name in ["X-Forwarded-For", "True-Client-IP", "CF-Connecting-IP", "X-Azure-ClientIP"] {
            request = request.with(name, if name.eq_ignore_ascii_case(header) { "2001:db8::7" } else { "6.6.6.6" });
        }
        for name in [
            "Forwarded",
            "X-Real-IP",
            "x_real_ip",
            "X-Forwarded-Host",
            "X-Forwarded-Proto",
            "X-Forwarded-Port",
            "X-Request-Id",
            "x_request_id",
            "X-Forwarded-Client-Cert",
            "X.Forwarded.Host",
        ] {
            request = request.with(name, "6.6.6.6");
        }
        let answer = bank.vestibule.ask(request.text());
        assert_eq!(answer.status, 200, "{header}: {}", bank.vestibule.code(&answer));
        let received = bank.upstream.take_one();
        assert_eq!((received.header("x-forwarded-for"), received.header("x-real-ip")), ("2001:db8::7", "2001:db8::7"));
        assert_eq!(received.header("forwarded"), format!("for=\"[2001:db8::7]\";host=\"{DOMAIN}\";proto=https"));
        assert_eq!(received.header("x-forwarded-proto"), "https");
        assert_eq!(received.header("x-request-id"), answer.header("x-request-id").unwrap());
        // The other products' headers are ordinary ones here, and none of those is one that we speak for.
        let spoofed: Vec<_> = received.headers.iter().filter(|(_, value)| value == "6.6.6.6").map(|(n, _)| n).collect();
        let others = ["true-client-ip", "cf-connecting-ip", "x-azure-clientip"];
        assert!(spoofed.iter().all(|name| others.contains(&name.as_str()) && *name != header), "{header}: {spoofed:?}");
        assert_eq!(bank.vestibule.access_line(&answer)["client.ip"], "2001:db8::7");
        for value in ["", "6.6.6.6, 7.7.7.7", "unknown", "6.6.6.6:80", "[::1]", "localhost", "1.2.3"] {
            let answer =
                bank.vestibule.ask(Request::get("/").of(&good()).without("X-Forwarded-For").with(header, value).text());
            assert_eq!(bank.refused(&answer, 400), "client_address_invalid", "{header}: {value}");
        }
    }
}

#[test]
fn a_front_doors_own_request_id_is_taken_where_it_is_agreed_upon() {
    let door_lines = "headers = { request_id = \"x-request-id\" }\n".to_owned();
    let bank = Bank::with(&Tenant { door_lines, ..Tenant::default() });
    let ask = |id: &str| bank.vestibule.ask(Request::get("/").of(&good()).with("X-Request-Id", id).text());
    let answer = ask("door-id-12345678");
    assert_eq!(answer.header("x-request-id"), Some("door-id-12345678"));
    assert_eq!(bank.upstream.take_one().header("x-request-id"), "door-id-12345678");
    for bad in ["x", "with space in it", "quote\"quote\"", &"x".repeat(65)] {
        let answer = ask(bad);
        assert_ne!(answer.header("x-request-id"), Some(bad));
        assert_eq!(bank.upstream.take_one().header("x-request-id"), answer.header("x-request-id").unwrap());
    }
}

#[test]
fn headers_that_belong_to_one_connection_stay_on_it() {
    let upstream = RecordingUpstream::answering(|_, stream| {
        let head = "set-cookie: a=1; Path=/\r\nset-cookie: b=2\r\nconnection: x-hop, keep-alive\r\nx-hop: 1\r\nx-end: 1\r\n\
            keep-alive: timeout=5\r\nproxy-connection: keep-alive\r\nx-request-id: theirs\r\nupgrade: h2c\r\n\
            proxy-authenticate: Basic\r\n";
        reply(stream, head, b"ok")
    });
    let bank = Bank::before(&Tenant::default(), upstream);
    let request = Request::get("/").of(&good()).with("Connection", "X-Hop, keep-alive").with("X-Hop", "1").with("X-End", "1");
    let request = request.with("Keep-Alive", "timeout=5").with("TE", "trailers").with("Proxy-Authorization", "Basic x");
    let answer = bank.vestibule.ask(request.with("Cookie", "c=1").with("Cookie", "d=2").text());
    assert_eq!(answer.all("set-cookie"), ["a=1; Path=/", "b=2"]);
    assert_eq!((answer.header("x-end"), answer.text().as_str()), (Some("1"), "ok"));
    for name in ["x-hop", "keep-alive", "proxy-connection", "upgrade", "proxy-authenticate"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
    assert_eq!(answer.all("x-request-id").len(), 1);
    assert_ne!(answer.header("x-request-id"), Some("theirs"));
    let received = bank.upstream.take_one();
    for name in ["x-hop", "keep-alive", "te", "proxy-authorization", "connection"] {
        assert_eq!(received.header(name), "", "{name}");
    }
    let cookies: Vec<_> = received.headers.iter().filter(|(name, _)| name == "cookie").map(|(_, value)| value).collect();
    assert_eq!(cookies, ["c=1", "d=2"]);
    assert_eq!((received.header("x-end"), received.header("host")), ("1", DOMAIN));
}

#[test]
fn the_clients_own_copies_of_our_headers_never_pass() {
    let bank = Bank::open();
    for name in [
        "ssl-client-verify",
        "SSL_CLIENT_VERIFY",
        "ssl.client.verify",
        "x-client-cn",
        "x_client_cn",
        "ssl-client-s-dn",
        "ssl-client-serial",
        "ssl_client_fingerprint_sha256",
        "ssl-client-i-dn",
    ] {
        let request = Request::get("/public/").of_nobody().with(name, "victim");
        let answer = bank.vestibule.ask(request.text());
        // `ssl_client_s_dn` is a contract header: a subject without a certificate.
        if answer.status != 200 {
            assert_eq!((name, bank.refused(&answer, 400).as_str()), ("ssl-client-s-dn", "forwarded_dn_mismatch"));
            continue;
        }
        let received = bank.upstream.take_one();
        assert!(!format!("{received:?}").contains("victim"), "{name}: {received:?}");
        assert_eq!(received.header("ssl-client-verify"), "NONE");
    }
}

#[test]
fn an_http_1_0_front_door_is_served() {
    let upstream = RecordingUpstream::answering(|_, stream| {
        let answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
        std::io::Write::write_all(stream, answer.as_bytes()).is_ok()
    });
    let bank = Bank::before(&Tenant::default(), upstream);
    let request = String::from_utf8(Request::get("/").of(&good()).text()).unwrap().replace("HTTP/1.1", "HTTP/1.0");
    let mut client = bank.vestibule.connect();
    let answer = client.ask(&request);
    assert_eq!((answer.status, answer.text().as_str()), (200, "hello"), "{answer:?}");
    assert_eq!(answer.header("transfer-encoding"), None);
    let received = bank.upstream.take_one();
    assert_eq!((received.header("ssl-client-verify"), received.header("x-forwarded-for")), ("SUCCESS", CLIENT));
    let refused = bank.vestibule.ask(request.replace("client-certificate:", "x-none:").replace("FAILED:", "SUCCESS;"));
    assert_eq!(bank.refused(&refused, 400), "forwarded_verdict_unknown");
}
