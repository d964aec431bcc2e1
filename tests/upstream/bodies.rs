//! Bodies: large ones, slow ones, early ends, limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{sleep, timeout};
use vestibule::upstream::Ending;

use crate::forwarder::{Forwarder, Line, upstream};
use crate::raw_upstream::{RawUpstream, has};

const LARGE: usize = 10 * 1024 * 1024;

fn large() -> Vec<u8> {
    (0..LARGE).map(|at| (at % 251) as u8).collect()
}

#[tokio::test]
async fn large_bodies_arrive_unchanged_both_ways() {
    let server = RawUpstream::start(|mut peer, _| async move {
        while let Some(head) = peer.read_head().await {
            let body = peer.read_body(&head).await;
            peer.write(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len())).await;
            peer.write(body).await;
        }
    })
    .await;
    let forwarder = Forwarder::start(upstream(&server.url()));
    let mut client = forwarder.connect().await;
    for _ in 0..2 {
        client.write(format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {LARGE}\r\n\r\n")).await;
        client.write(large()).await;
        let head = client.read_head().await.unwrap();
        assert!(client.read_body(&head).await == large());
        let line = forwarder.lines.recv_timeout(Duration::from_secs(2)).unwrap();
        assert_eq!((line.sent, line.received, line.ending), (LARGE as u64, LARGE as u64, Ending::Complete));
    }
    assert_eq!(server.accepted(), 1);
}

/// Writes until the other end stops taking, and says how much that was.
async fn write_until_stuck(peer: &mut crate::raw_upstream::Peer<tokio::net::TcpStream>) -> usize {
    let mut written = 0;
    while written < 128 * LARGE {
        let piece = vec![b'x'; 64 * 1024];
        match timeout(Duration::from_millis(400), peer.try_write(piece)).await {
            Ok(true) => written += 64 * 1024,
            _ => break,
        }
    }
    written
}

/// Two sockets' worth of kernel buffers, and next to nothing of ours.
const STUCK_AT_MOST: usize = 32 * 1024 * 1024;

#[tokio::test]
async fn a_client_that_does_not_read_slows_the_upstream_down() {
    let (tell, mut told) = unbounded_channel();
    let server = RawUpstream::start(move |mut peer, _| {
        let tell = tell.clone();
        async move {
            peer.read_head().await;
            peer.write(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 200 * LARGE)).await;
            tell.send(write_until_stuck(&mut peer).await).unwrap();
        }
    })
    .await;
    let forwarder = Forwarder::start(upstream(&server.url()));
    let mut client = forwarder.connect().await;
    client.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let written = told.recv().await.unwrap();
    assert!(written < STUCK_AT_MOST, "{written}");
}

#[tokio::test]
async fn an_upstream_that_does_not_read_slows_the_client_down() {
    let server = RawUpstream::start(|mut peer, _| async move {
        peer.read_head().await;
        sleep(Duration::from_secs(20)).await;
    })
    .await;
    let mut settings = upstream(&server.url());
    settings.response_timeout = Duration::from_secs(10);
    let forwarder = Forwarder::start(settings);
    let mut client = forwarder.connect().await;
    client.write(format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", 200 * LARGE)).await;
    let written = write_until_stuck(&mut client).await;
    assert!(written < STUCK_AT_MOST, "{written}");
}

#[tokio::test]
async fn a_slow_upload_is_not_cut_and_a_stopped_one_is_the_clients_fault() {
    let server = RawUpstream::telling().await;
    let forwarder = Forwarder::start(upstream(&server.url()));
    let mut client = forwarder.connect().await;
    client.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n").await;
    for letter in ["h", "e", "l", "l", "o"] {
        sleep(Duration::from_millis(300)).await;
        client.write(letter).await;
    }
    assert!(client.read_head().await.unwrap().starts_with("HTTP/1.1 200"));

    let (head, _) = forwarder.ask("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhel").await;
    assert!(has(&head, "x-refusal: request_malformed"), "{head}");
}

#[tokio::test]
async fn an_early_answer_arrives_while_the_body_is_still_sent() {
    for close in [false, true] {
        let server = RawUpstream::start(move |mut peer, _| async move {
            peer.read_head().await;
            peer.write("HTTP/1.1 413 Payload Too Large\r\ncontent-length: 3\r\n\r\nbig").await;
            if !close {
                peer.read_rest().await;
            }
        })
        .await;
        let forwarder = Forwarder::start(upstream(&server.url()));
        let mut client = forwarder.connect().await;
        client.write(format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {LARGE}\r\n\r\nstart")).await;
        let head = client.read_head().await.unwrap();
        assert!(head.starts_with("HTTP/1.1 413") && has(&head, "connection: close"), "{head}");
        assert_eq!(client.read_body(&head).await, b"big");
        forwarder.get().await;
        assert_eq!(server.accepted(), 2, "the connection with half a request is not used again");
    }
}

#[tokio::test]
async fn an_answer_counts_although_the_upstream_stopped_reading() {
    let server = RawUpstream::start(|mut peer, _| async move {
        peer.read_head().await;
        peer.write("HTTP/1.1 413 Payload Too Large\r\ncontent-length: 3\r\nconnection: close\r\n\r\nbig").await;
    })
    .await;
    let forwarder = Forwarder::start(upstream(&server.url()));
    for _ in 0..20 {
        let mut client = forwarder.connect().await;
        client.write(format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {LARGE}\r\n\r\n")).await;
        client.write(vec![b'x'; 256 * 1024]).await;
        let head = client.read_head().await.unwrap();
        assert!(head.starts_with("HTTP/1.1 413"), "{head}");
        assert_eq!(client.read_body(&head).await, b"big");
    }
}

#[tokio::test]
async fn a_request_and_its_answer_may_overlap() {
    let server = RawUpstream::start(|mut peer, _| async move {
        peer.read_head().await;
        peer.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n").await;
        let first = peer.read_exactly(5).await;
        peer.write(first).await;
        let second = peer.read_exactly(5).await;
        peer.write(second).await;
    })
    .await;
    let forwarder = Forwarder::start(upstream(&server.url()));
    let mut client = forwarder.connect().await;
    client.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n").await;
    client.read_head().await.unwrap();
    for half in ["hello", "world"] {
        client.write(half).await;
        assert_eq!(client.read_exactly(5).await, half.as_bytes());
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    let server = RawUpstream::start(move |mut peer, _| {
        let counter = Arc::clone(&counter);
        async move {
            peer.read_head().await;
            counter.fetch_add(peer.read_rest().await.len(), Ordering::SeqCst);
        }
    })
    .await;
    let forwarder = Forwarder::limited(upstream(&server.url()), Some(4));
    let (head, _) = forwarder.ask("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello").await;
    assert!(head.starts_with("HTTP/1.1 413") && has(&head, "x-refusal: request_body_too_large"), "{head}");
    assert_eq!(server.accepted(), 0);
    let chunked = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
    let (head, _) = forwarder.ask(chunked).await;
    assert!(has(&head, "x-refusal: request_body_too_large"), "{head}");
    sleep(Duration::from_millis(100)).await;
    assert!(seen.load(Ordering::SeqCst) < chunked.len(), "the upstream was cut off");
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_exchange() {
    let chunk = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
    for (request, answer) in [
        ("GET / HTTP/1.1\r\nhost: a\r\n\r\n", ""),
        ("GET / HTTP/1.1\r\nhost: a\r\n\r\n", chunk),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhel", ""),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhel", chunk),
    ] {
        let (tell, mut told) = unbounded_channel();
        let server = RawUpstream::start(move |mut peer, _| {
            let tell = tell.clone();
            async move {
                peer.read_head().await;
                peer.write(answer).await;
                tell.send(peer.read_rest().await).unwrap();
            }
        })
        .await;
        let mut settings = upstream(&server.url());
        settings.response_timeout = Duration::from_secs(30);
        let forwarder = Forwarder::start(settings);
        let mut client = forwarder.connect().await;
        client.write(request).await;
        sleep(Duration::from_millis(100)).await;
        drop(client);
        assert!(timeout(Duration::from_millis(500), told.recv()).await.is_ok(), "{request:?} {answer:?}");
        if !answer.is_empty() {
            let Line { ending, .. } = forwarder.lines.recv_timeout(Duration::from_secs(2)).unwrap();
            assert_eq!(ending, Ending::Abandoned);
        }
    }
}
