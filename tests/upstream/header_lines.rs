//! Which header lines pass, in both directions.

use crate::forwarder::{Forwarder, upstream};
use crate::raw_upstream::{RawUpstream, has, header};

#[tokio::test]
async fn request_lines_are_cleaned_and_ours_are_set() {
    let server = RawUpstream::telling().await;
    let forwarder = Forwarder::start(upstream(&server.url()));
    let request = "GET /a%2Fb?x=%41 HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive, X-Foo, x-user\r\nX-Foo: 1\r\n\
        Keep-Alive: timeout=5\r\nTE: trailers\r\nProxy-Authorization: Basic x\r\nUpgrade: h2c\r\n\
        X-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\nX-Request_Id: 6\r\nX_User: mallory\r\nX-User: mallory\r\n\
        Accept: a\r\nAccept: b\r\n\r\n";
    let (_, told) = forwarder.ask(request).await;
    let told = String::from_utf8(told).unwrap();
    assert!(told.starts_with("GET /a%2Fb?x=%41 HTTP/1.1\r\n"), "{told}");
    for line in [
        "host: a.test",
        "x-user: alice",
        "x-forwarded-for: 192.0.2.7",
        "x-real-ip: 192.0.2.7",
        "x-forwarded-proto: https",
        "x-forwarded-host: a.test",
        "forwarded: for=192.0.2.7;host=\"a.test\";proto=https",
        "x-request-id: id-1",
    ] {
        assert!(has(&told, line), "{line} in {told}");
    }
    for name in ["connection", "x-foo", "keep-alive", "te", "proxy-authorization", "upgrade", "content-length"] {
        assert_eq!(header(&told, name), None, "{told}");
    }
    assert!(!told.contains("6.6.6.6") && !told.contains("mallory") && !told.contains("x-request_id"), "{told}");
    assert!(told.find("accept: a\r\n").unwrap() < told.find("accept: b\r\n").unwrap());
}

#[tokio::test]
async fn answer_lines_are_cleaned_and_repeated_ones_kept_in_order() {
    let server = RawUpstream::answering(
        "HTTP/1.1 200 OK\r\nset-cookie: b=1\r\nset-cookie: a=2\r\nconnection: keep-alive, x-foo\r\nx-foo: 1\r\n\
         keep-alive: timeout=5\r\ntrailer: x\r\nproxy-authenticate: Basic\r\nupgrade: h2c\r\n\
         date: Thu, 01 Jan 1970 00:00:00 GMT\r\nserver: theirs\r\ncontent-length: 2\r\n\r\nok",
    )
    .await;
    let (head, body) = Forwarder::start(upstream(&server.url())).get().await;
    assert_eq!(body, b"ok");
    let cookies: Vec<_> = head.lines().filter(|line| line.starts_with("set-cookie")).collect();
    assert_eq!(cookies, ["set-cookie: b=1", "set-cookie: a=2"]);
    for name in ["x-foo", "keep-alive", "trailer", "proxy-authenticate", "upgrade", "connection"] {
        assert_eq!(header(&head, name), None, "{head}");
    }
    assert_eq!(head.matches("date: ").count(), 1, "{head}");
    assert!(has(&head, "date: Thu, 01 Jan 1970 00:00:00 GMT") && has(&head, "server: theirs"));
}

#[tokio::test]
async fn connect_and_trace_are_never_forwarded() {
    let server = RawUpstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let forwarder = Forwarder::start(upstream(&server.url()));
    for request in ["CONNECT a.test:80 HTTP/1.1\r\nhost: a.test\r\n\r\n", "TRACE / HTTP/1.1\r\nhost: a.test\r\n\r\n"] {
        let (head, _) = forwarder.ask(request).await;
        assert!(has(&head, "x-refusal: request_malformed"), "{head}");
    }
    assert_eq!(server.accepted(), 0);
}
