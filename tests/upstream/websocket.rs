//! Upgrades.

use std::time::Duration;

use vestibule::upstream::Ending;

use crate::forwarder::{Forwarder, upstream};
use crate::raw_upstream::{RawUpstream, has, header};

const HANDSHAKE: &str = "GET /chat HTTP/1.1\r\nhost: a\r\nconnection: keep-alive, Upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";
const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

async fn echoing() -> RawUpstream {
    RawUpstream::start(|mut peer, _| async move {
        let head = peer.read_head().await.unwrap();
        assert!(has(&head, "connection: upgrade") && has(&head, "upgrade: websocket"), "{head}");
        assert!(has(&head, "sec-websocket-version: 13") && has(&head, "x-user: alice"), "{head}");
        // The first frame may come in one piece with the answer.
        peer.write(format!("{SWITCHED}first")).await;
        loop {
            let message = peer.read_exactly(5).await;
            if message.len() < 5 || message == b"close" {
                break;
            }
            peer.write(message).await;
        }
    })
    .await
}

#[tokio::test]
async fn bytes_flow_both_ways_until_a_side_closes() {
    let server = echoing().await;
    let forwarder = Forwarder::start(upstream(&server.url()));
    let mut client = forwarder.connect().await;
    client.write(HANDSHAKE).await;
    let head = client.read_head().await.unwrap();
    assert!(head.starts_with("HTTP/1.1 101") && has(&head, "upgrade: websocket"), "{head}");
    assert!(has(&head, "connection: upgrade") && header(&head, "sec-websocket-accept").is_some(), "{head}");
    assert_eq!((header(&head, "content-length"), header(&head, "transfer-encoding")), (None, None), "{head}");
    assert_eq!(client.read_exactly(5).await, b"first");
    for message in ["hello", "world"] {
        client.write(message).await;
        assert_eq!(client.read_exactly(5).await, message.as_bytes());
    }
    client.write("close").await;
    assert_eq!(client.read_rest().await, b"");
    let line = forwarder.lines.recv_timeout(Duration::from_secs(2)).unwrap();
    assert_eq!((line.status, line.sent, line.received, line.ending), (101, 15, 15, Ending::Complete));
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_tunnel() {
    let (gone, mut left) = tokio::sync::mpsc::unbounded_channel();
    let server = RawUpstream::start(move |mut peer, _| {
        let gone = gone.clone();
        async move {
            peer.read_head().await;
            peer.write(SWITCHED).await;
            gone.send(peer.read_rest().await).unwrap();
        }
    })
    .await;
    let forwarder = Forwarder::start(upstream(&server.url()));
    let mut client = forwarder.connect().await;
    client.write(HANDSHAKE).await;
    client.read_head().await.unwrap();
    client.write("bye").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(client);
    let read = tokio::time::timeout(Duration::from_millis(500), left.recv()).await.expect("the tunnel ended");
    assert_eq!(read.unwrap(), b"bye");
}

#[tokio::test]
async fn a_silent_tunnel_is_cut_and_a_busy_one_is_not() {
    let server = echoing().await;
    let forwarder = Forwarder::start(upstream(&server.url()));
    let mut client = forwarder.connect().await;
    client.write(HANDSHAKE).await;
    client.read_head().await.unwrap();
    client.read_exactly(5).await;
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        client.write("hello").await;
        assert_eq!(client.read_exactly(5).await, b"hello");
    }
    assert_eq!(client.read_rest().await, b"");
    assert_eq!(forwarder.lines.recv_timeout(Duration::from_secs(2)).unwrap().ending, Ending::Stalled);
}

#[tokio::test]
async fn another_answer_is_passed_and_the_connection_closed() {
    for answer in [
        "HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno",
        "HTTP/1.1 403 Forbidden\r\ntransfer-encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
    ] {
        let server = RawUpstream::answering(answer).await;
        let forwarder = Forwarder::start(upstream(&server.url()));
        let mut client = forwarder.connect().await;
        client.write(HANDSHAKE).await;
        let head = client.read_head().await.unwrap();
        assert!(head.starts_with("HTTP/1.1 403") && has(&head, "connection: close"), "{head}");
        assert_eq!(header(&head, "transfer-encoding"), None, "{head}");
        assert_eq!(client.read_rest().await, b"no");
    }
}

#[tokio::test]
async fn an_upgrade_to_something_else_is_no_answer() {
    let server =
        RawUpstream::answering("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n").await;
    let (head, _) = Forwarder::start(upstream(&server.url())).ask(HANDSHAKE).await;
    assert!(has(&head, "x-refusal: upstream_invalid_response"), "{head}");
}

#[tokio::test]
async fn what_only_looks_like_an_upgrade_is_refused_and_closed() {
    let server = RawUpstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let forwarder = Forwarder::start(upstream(&server.url()));
    for request in [
        "GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\ncontent-length: 5\r\n\r\nhello",
        "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        let mut client = forwarder.connect().await;
        client.write(request).await;
        client.write("GET /smuggled HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
        let answer = String::from_utf8(client.read_rest().await).unwrap();
        assert!(answer.contains("x-refusal: request_malformed"), "{request} {answer}");
        if !request.contains("chunked") {
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{request} {answer}");
        }
    }
}
