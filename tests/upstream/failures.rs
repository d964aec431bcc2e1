//! Upstreams that are not there, do not answer, or do not speak HTTP.

use std::net::TcpListener;
use std::time::Duration;

use tokio::time::sleep;
use vestibule::upstream::Ending;

use crate::forwarder::{Forwarder, upstream};
use crate::raw_upstream::{RawUpstream, has};

async fn refusal_after(bytes: &'static str) -> String {
    let server = RawUpstream::start(move |mut peer, _| async move {
        peer.read_head().await;
        peer.write(bytes).await;
    })
    .await;
    Forwarder::start(upstream(&server.url())).get().await.0
}

#[tokio::test]
async fn nobody_listening() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (head, cause) = Forwarder::start(upstream(&format!("http://{address}"))).get().await;
    assert!(head.starts_with("HTTP/1.1 502") && has(&head, "x-refusal: upstream_unreachable"), "{head}");
    let cause = String::from_utf8(cause).unwrap();
    assert!(cause.contains(&address.to_string()) && cause.contains("os error"), "{cause}");
}

#[tokio::test]
async fn a_name_that_does_not_exist() {
    let (head, _) = Forwarder::start(upstream("http://nowhere.invalid:80")).get().await;
    assert!(has(&head, "x-refusal: upstream_unreachable") || has(&head, "x-refusal: upstream_timeout"), "{head}");
}

#[tokio::test]
async fn answers_that_are_not_http() {
    let long: &'static str = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "a".repeat(100_000)).leak();
    let many: &'static str = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(200)).leak();
    for bytes in [
        "",
        "garbage\r\n\r\n",
        "HTTP/1.1 200 O",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: a\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx : a\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        long,
        many,
    ] {
        let head = refusal_after(bytes).await;
        let start = &bytes[..bytes.len().min(40)];
        assert!(head.starts_with("HTTP/1.1 502") && has(&head, "x-refusal: upstream_invalid_response"), "{start}");
    }
}

#[tokio::test]
async fn no_answer_in_time() {
    let server = RawUpstream::start(|mut peer, _| async move {
        peer.read_rest().await;
    })
    .await;
    let (head, _) = Forwarder::start(upstream(&server.url())).get().await;
    assert!(head.starts_with("HTTP/1.1 504") && has(&head, "x-refusal: upstream_timeout"), "{head}");
}

#[tokio::test]
async fn a_broken_body_never_looks_whole() {
    for (answer, sized) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", true),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", false),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n", false),
    ] {
        let server = RawUpstream::start(move |mut peer, _| async move {
            peer.read_head().await;
            peer.write(answer).await;
            sleep(Duration::from_millis(50)).await;
        })
        .await;
        let forwarder = Forwarder::start(upstream(&server.url()));
        let mut client = forwarder.connect().await;
        client.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        client.read_head().await.unwrap();
        let rest = String::from_utf8(client.read_rest().await).unwrap();
        assert!(if sized { rest.len() < 10 } else { !rest.contains("0\r\n\r\n") }, "{rest:?}");
        assert_eq!(forwarder.lines.recv_timeout(Duration::from_secs(2)).unwrap().ending, Ending::Broken);
    }
}

#[tokio::test]
async fn a_body_that_stalls_is_cut() {
    let server = RawUpstream::start(|mut peer, _| async move {
        peer.read_head().await;
        peer.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello").await;
        peer.read_rest().await;
    })
    .await;
    let forwarder = Forwarder::start(upstream(&server.url()));
    let mut client = forwarder.connect().await;
    client.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    client.read_head().await.unwrap();
    assert_eq!(client.read_rest().await, b"hello");
    assert_eq!(forwarder.lines.recv_timeout(Duration::from_secs(2)).unwrap().ending, Ending::Stalled);
}
