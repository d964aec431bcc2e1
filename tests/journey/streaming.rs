//! Bodies of any size and kind, both ways, through everything.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use crate::bank::{Bank, DOMAIN, Request, Tenant, good};
use crate::front_door::FrontDoor;
use crate::http_client::{Answer, Client};
use crate::recording_upstream::{Received, RecordingUpstream, reply};

const LARGE: usize = 10 << 20;

/// Bytes in which a lost, doubled or moved piece shows.
fn large() -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..LARGE).map(|_| next()).collect()
}

fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut framed = Vec::with_capacity(body.len() + 1024);
    for chunk in body.chunks(size) {
        framed.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        framed.extend_from_slice(chunk);
        framed.extend_from_slice(b"\r\n");
    }
    framed.extend_from_slice(b"0\r\n\r\n");
    framed
}

/// Answers with the body that it got, framed as the path says.
fn echo(received: &Received, stream: &mut TcpStream) -> bool {
    if received.target.ends_with("chunked") {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        return stream.write_all(head.as_bytes()).is_ok() && stream.write_all(&chunked(&received.body, 50_000)).is_ok();
    }
    if received.target.ends_with("close") {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").and_then(|()| stream.write_all(&received.body));
        return false;
    }
    reply(stream, "", &received.body)
}

/// Sends while it reads, as an echo may need.
fn exchange(mut client: Client, head: &[u8], body: &[u8]) -> Answer {
    client.send(head);
    client.send(body);
    client.read_answer()
}

#[test]
fn ten_megabytes_arrive_and_come_back() {
    let door = FrontDoor::with(&Tenant::default(), RecordingUpstream::answering(echo));
    let (body, person) = (large(), good());
    for target in ["/length", "/chunked", "/close"] {
        for through_nginx in [false, true] {
            for by_chunks in [false, true] {
                let framing = if by_chunks { ("Transfer-Encoding", "chunked") } else { ("Content-Length", "10485760") };
                let framed = if by_chunks { chunked(&body, 70_001) } else { body.clone() };
                let answer = if through_nginx {
                    let head = format!("POST {target} HTTP/1.1\r\nHost: {DOMAIN}\r\n{}: {}\r\n\r\n", framing.0, framing.1);
                    exchange(door.connect(Some(&person)), head.as_bytes(), &framed)
                } else {
                    let head = Request::new("POST", target).of(&person).with(framing.0, framing.1);
                    exchange(door.bank.vestibule.connect(), &head.text(), &framed)
                };
                let what = format!("{target} nginx {through_nginx} chunks {by_chunks}");
                assert_eq!((answer.status, answer.complete), (200, true), "{what}");
                assert!(door.bank.upstream.take_one().body == body, "{what}: the upload differs");
                assert!(answer.body == body, "{what}: the download differs");
                let line = door.bank.vestibule.access_line(&answer);
                assert_eq!((&line["bytes.in"], &line["bytes.out"]), (&LARGE.into(), &LARGE.into()), "{line}");
                assert_eq!(line["upstream.ending"], "complete");
            }
        }
    }
}

/// An upstream that goes on only when it is told to.
fn stepping() -> (RecordingUpstream, Sender<()>) {
    let (step, steps) = channel();
    let steps = Mutex::new(steps);
    let upstream = RecordingUpstream::answering(move |_, stream| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(format!("{head}5\r\nfirst\r\n").as_bytes()).unwrap();
        steps.lock().unwrap().recv().unwrap();
        stream.write_all(b"6\r\nsecond\r\n0\r\n\r\n").is_ok()
    });
    (upstream, step)
}

#[test]
fn the_first_bytes_do_not_wait_for_the_last_ones() {
    let (upstream, step) = stepping();
    let door = FrontDoor::with(&Tenant::default(), upstream);
    for through_nginx in [false, true] {
        let mut client = if through_nginx {
            let mut client = door.connect(Some(&good()));
            client.send(crate::front_door::get("/", ""));
            client
        } else {
            let mut client = door.bank.vestibule.connect();
            client.send(Request::get("/").of(&good()).text());
            client
        };
        assert_eq!(client.read_head().status, 200);
        let (first, _) = client.read_exactly("5\r\nfirst\r\n".len());
        assert_eq!(first, b"5\r\nfirst\r\n");
        step.send(()).unwrap();
        let (rest, _) = client.read_exactly("6\r\nsecond\r\n0\r\n\r\n".len());
        assert_eq!(rest, b"6\r\nsecond\r\n0\r\n\r\n");
    }
}

/// Takes every upgrade and sends back what it gets.
fn websocket(received: &Received, stream: &mut TcpStream) -> bool {
    assert_eq!((received.header("upgrade"), received.header("connection")), ("websocket", "upgrade"));
    let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut buffer = [0; 1024];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        if stream.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    false
}

#[test]
fn websockets_echo_through_everything_and_only_for_those_who_may() {
    let door = FrontDoor::with(&Tenant::default(), RecordingUpstream::answering(websocket));
    let lines = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        sec-websocket-version: 13\r\n";
    let mut client = door.connect(Some(&good()));
    let answer = client.ask(crate::front_door::get("/chat", lines));
    assert_eq!((answer.status, answer.header("upgrade")), (101, Some("websocket")), "{answer:?}");
    for message in ["hello", "again", "\u{0}\u{1}"] {
        client.send(message);
        assert_eq!(client.read_exactly(message.len()).0, message.as_bytes());
    }
    drop(client);
    let received = door.bank.upstream.take_one();
    assert_eq!((received.header("ssl-client-verify"), received.header("x-client-cn")), ("SUCCESS", "good"));
    let line = door.bank.vestibule.access_line(&answer);
    assert_eq!((&line["status"], &line["bytes.in"]), (&101.into(), &12.into()), "{line}");
    let answer = door.ask(None, crate::front_door::get("/chat", lines));
    assert_eq!(door.bank.refused(&answer, 401), "certificate_required");
}

#[test]
fn a_body_over_the_routes_limit_is_refused() {
    let tables = "[[routes]]\npath = \"/small/\"\nupstream = \"core\"\nrequest_body_max = \"1KiB\"\n".to_owned();
    let bank = Bank::with(&Tenant { tables, ..Tenant::default() });
    let post = |length: usize| Request::new("POST", "/small/").of(&good()).body(&vec![b'x'; length]).text();
    assert_eq!(bank.vestibule.ask(post(1024)).status, 200);
    bank.upstream.take();
    assert_eq!(bank.refused(&bank.vestibule.ask(post(1025)), 413), "request_body_too_large");
    // A body that does not say its length is cut off on its way: the upstream never sees a whole request.
    let mut request = Request::new("POST", "/small/").of(&good()).with("Transfer-Encoding", "chunked").text();
    request.extend(chunked(&vec![b'x'; 100_000], 1000));
    assert_eq!(bank.refused(&bank.vestibule.ask(request), 413), "request_body_too_large");
    bank.assert_still_serves();
}
