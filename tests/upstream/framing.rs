//! Message framing, both ways: lengths, chunks, bodiless answers, HTTP/1.0.

use crate::forwarder::{Forwarder, upstream};
use crate::raw_upstream::{RawUpstream, has, header};

async fn told(request: &str) -> String {
    let server = RawUpstream::telling().await;
    let (head, told) = Forwarder::start(upstream(&server.url())).ask(request).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    String::from_utf8(told).unwrap()
}

#[tokio::test]
async fn requests_keep_the_framing_that_the_client_chose() {
    let told_get = told("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!((header(&told_get, "content-length"), header(&told_get, "transfer-encoding")), (None, None));

    let told_delete = told("DELETE / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!((header(&told_delete, "content-length"), header(&told_delete, "transfer-encoding")), (None, None));

    let empty = told("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(empty.matches("content-length: 0").count(), 1, "{empty}");

    let sized = told("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello").await;
    assert!(has(&sized, "content-length: 5") && sized.ends_with("\r\n\r\nhello"), "{sized}");

    let chunked = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";
    for method in ["POST", "GET"] {
        let chunked = told(&chunked.replace("POST", method)).await;
        assert!(has(&chunked, "transfer-encoding: chunked") && chunked.ends_with("\r\n\r\nhello"), "{chunked}");
        assert_eq!(header(&chunked, "content-length"), None);
    }
}

#[tokio::test]
async fn continue_is_said_by_us_and_not_asked_of_the_upstream() {
    let server = RawUpstream::telling().await;
    let forwarder = Forwarder::start(upstream(&server.url()));
    let mut client = forwarder.connect().await;
    client.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n").await;
    assert!(client.read_head().await.unwrap().starts_with("HTTP/1.1 100"));
    client.write("ok").await;
    let head = client.read_head().await.unwrap();
    let told = String::from_utf8(client.read_body(&head).await).unwrap();
    assert_eq!(header(&told, "expect"), None);
}

#[tokio::test]
async fn chunked_answers_stay_chunked_and_end_with_the_connection_for_http_1_0() {
    let server = RawUpstream::answering(
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nx-trailer: 1\r\n\r\n",
    )
    .await;
    let forwarder = Forwarder::start(upstream(&server.url()));
    let (head, body) = forwarder.get().await;
    assert!(has(&head, "transfer-encoding: chunked"), "{head}");
    assert_eq!(header(&head, "content-length"), None, "{head}");
    assert_eq!(body, b"hello");

    for request in ["GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"] {
        let mut client = forwarder.connect().await;
        client.write(request).await;
        let head = client.read_head().await.unwrap();
        for name in ["transfer-encoding", "connection", "content-length"] {
            assert_eq!(header(&head, name), None, "{head}");
        }
        assert_eq!(client.read_rest().await, b"hello");
    }
}

#[tokio::test]
async fn an_answer_that_ends_with_the_connection_is_passed_on() {
    let server = RawUpstream::start(|mut peer, _| async move {
        peer.read_head().await;
        peer.write("HTTP/1.0 200 OK\r\n\r\nold").await;
    })
    .await;
    assert_eq!(Forwarder::start(upstream(&server.url())).get().await.1, b"old");
}

#[tokio::test]
async fn bodiless_answers_keep_their_length_and_the_connection() {
    for (request, answer, length) in [
        ("HEAD", "200 OK\r\ncontent-length: 1234", Some("1234")),
        ("HEAD", "200 OK\r\ncontent-length: 0", Some("0")),
        ("HEAD", "200 OK\r\nx: y", None),
        ("HEAD", "304 Not Modified\r\ncontent-length: 7", Some("7")),
        ("GET", "204 No Content\r\nx: y", None),
        ("GET", "304 Not Modified\r\ncontent-length: 7\r\netag: \"a\"", Some("7")),
        ("GET", "304 Not Modified\r\nx: y", None),
    ] {
        let answer: &'static str = format!("HTTP/1.1 {answer}\r\n\r\n").leak();
        let server = RawUpstream::answering(answer).await;
        let forwarder = Forwarder::start(upstream(&server.url()));
        let mut client = forwarder.connect().await;
        for _ in 0..2 {
            client.write(format!("{request} / HTTP/1.1\r\nhost: a\r\n\r\n")).await;
            let head = client.read_head().await.unwrap();
            assert_eq!(head.lines().next().unwrap(), answer.lines().next().unwrap());
            assert_eq!(header(&head, "content-length"), length, "{request} {answer} {head}");
            assert_eq!(header(&head, "transfer-encoding"), None, "{request} {answer}");
        }
        assert_eq!(server.accepted(), 1, "{request} {answer}");
    }
}

#[tokio::test]
async fn interim_answers_are_passed_over() {
    let server = RawUpstream::answering(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    )
    .await;
    let (head, body) = Forwarder::start(upstream(&server.url())).get().await;
    assert!(head.starts_with("HTTP/1.1 200") && header(&head, "link").is_none(), "{head}");
    assert_eq!(body, b"ok");
}
