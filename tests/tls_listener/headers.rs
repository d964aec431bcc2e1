//! Nothing that a client writes counts as a front door's word.

use std::io::{Read, Write};

use vestibule::front_door::CERTIFICATE_HEADERS;

use crate::bank::{escaped, good};
use crate::recording_upstream::RecordingUpstream;
use crate::set_up::{ASKED, House, PROCESS, files, tenant};
use crate::vestibule_program::Vestibule;

#[test]
fn certificate_headers_of_every_front_door_are_the_clients_invention() {
    let house = House::open();
    let stolen = escaped(&good().certificate);
    let spellings = |name: &str| [name.to_owned(), name.to_uppercase(), name.replace('-', "_"), name.replacen('-', ".", 1)];
    let mut connection = house.connect(ASKED, None);
    for name in CERTIFICATE_HEADERS {
        for spelling in spellings(name) {
            let ask = format!("GET /public/ HTTP/1.1\r\nhost: {ASKED}\r\n{spelling}: {stolen}\r\n\r\n");
            let answer = connection.ask(ask);
            let received = house.upstream.take();
            if answer.status == 200 {
                let folded = |name: &str| name.to_ascii_lowercase().replace(['_', '.'], "-");
                let seen = received[0].headers.iter().filter(|(found, _)| folded(found) == *name);
                let seen: Vec<_> = seen.filter(|(_, value)| value.contains("CERTIFICATE")).collect();
                assert!(seen.is_empty(), "{spelling}: {seen:?}");
                assert_eq!(received[0].header("ssl-client-verify"), "NONE", "{spelling}");
            } else {
                assert_eq!((answer.status, received.len()), (400, 0), "{spelling}");
            }
        }
    }
    let answer = house.connect(ASKED, None).ask(format!(
        "GET / HTTP/1.1\r\nhost: {ASKED}\r\nclient-certificate: {stolen}\r\nclient-certificate-ca-verified: SUCCESS\r\n\r\n"
    ));
    house.assert_refused(&answer, 401, "certificate_required");
}

#[test]
fn the_connection_says_address_and_scheme() {
    let house = House::open();
    let answer = house.connect(ASKED, Some(&good())).ask(format!(
        "GET / HTTP/1.1\r\nhost: {ASKED}\r\nx-forwarded-for: 6.6.6.6\r\ntrue-client-ip: 6.6.6.6\r\nx-forwarded-proto: http\r\n\
         forwarded: for=6.6.6.6\r\nx-request-id: chosen-by-client\r\n\r\n"
    ));
    assert_eq!(answer.status, 200);
    let received = house.upstream.take_one();
    assert_eq!((received.header("x-forwarded-for"), received.header("x-forwarded-proto")), ("127.0.0.1", "https"));
    assert_eq!((received.header("true-client-ip"), received.header("x-real-ip")), ("", "127.0.0.1"));
    assert_ne!(received.header("x-request-id"), "chosen-by-client");
    let line = house.vestibule.access_line(&answer);
    assert_eq!(line["client.ip"], "127.0.0.1");
    assert!(line.get("forward.key").is_none(), "{line}");
}

#[test]
fn clients_ask_nothing_in_others_names() {
    let house = House::open();
    let ask =
        format!("GET /-/authorize HTTP/1.1\r\nhost: {ASKED}\r\nx-original-uri: /public/\r\nx-original-method: GET\r\n\r\n");
    // Without a certificate it is a path like any other, and a protected one.
    house.assert_refused(&house.connect(ASKED, None).ask(&ask), 401, "certificate_required");
    assert_eq!(house.connect(ASKED, Some(&good())).ask(&ask).status, 200);
    assert_eq!(house.upstream.take_one().target, "/-/authorize");
}

#[test]
fn bodies_stream_through_in_both_directions() {
    let house = House::open();
    let body = vec![b'x'; 3 << 20];
    let mut request = format!("POST / HTTP/1.1\r\nhost: {ASKED}\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    request.extend_from_slice(&body);
    let answer = house.connect(ASKED, Some(&good())).ask(request);
    assert_eq!((answer.status, &answer.json()["body_length"]), (200, &serde_json::json!(body.len())));
    assert!(house.upstream.take_one().body == body);
}

#[test]
fn websockets_pass_over_our_own_tls() {
    let upstream = RecordingUpstream::answering(|_, stream| {
        let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
        let _ = stream.write_all(head.as_bytes());
        let mut said = [0; 4];
        let _ = stream.read_exact(&mut said);
        let _ = stream.write_all(&said.map(|byte| byte.to_ascii_uppercase()));
        false
    });
    let vestibule = Vestibule::start(&files(PROCESS, tenant(&upstream.url()), &upstream.url()));
    let house = House { vestibule, upstream };
    let mut client = house.connect(ASKED, Some(&good()));
    let answer = client.ask(format!(
        "GET / HTTP/1.1\r\nhost: {ASKED}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ));
    assert_eq!(answer.status, 101, "{}", answer.text());
    client.send("ping");
    assert_eq!(client.read_exactly(4), (b"PING".to_vec(), true));
}
