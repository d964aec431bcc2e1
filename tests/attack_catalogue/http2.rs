//! An HTTP/2 client that sends what a test wrote: no header line is checked, put into lower case or left out.

use std::io::{Read, Write};
use std::net::TcpStream;

use openssl::ssl::{SslConnector, SslMethod, SslStream};

use crate::bank::{DOMAIN, Person, authorities};
use crate::http_client::connected;

/// One request on a connection of its own. The header lines go after those of every request; a body and trailers follow if there
/// are trailers.
pub(crate) fn ask(port: u16, person: Option<&Person>, path: &str, lines: &[(&str, &str)], trailers: &[(&str, &str)]) -> End {
    let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
    connector.set_alpn_protos(b"\x02h2").unwrap();
    connector.cert_store_mut().add_cert(authorities().root.certificate.clone()).unwrap();
    if let Some(person) = person {
        connector.set_certificate(&person.certificate).unwrap();
        connector.set_private_key(&person.key).unwrap();
    }
    let Ok(mut stream) = connector.build().connect(DOMAIN, connected(port)) else { return End::NotSpoken };
    if stream.ssl().selected_alpn_protocol() != Some(b"h2") {
        return End::NotSpoken;
    }
    let method = if trailers.is_empty() { "GET" } else { "POST" };
    let mut head = block(&[(":method", method), (":scheme", "https"), (":authority", DOMAIN), (":path", path)]);
    head.extend(block(lines));
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[]));
    bytes.extend(frame(HEADERS, END_HEADERS | if trailers.is_empty() { END_STREAM } else { 0 }, 1, &head));
    if !trailers.is_empty() {
        bytes.extend(frame(DATA, 0, 1, b"abc"));
        bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(trailers)));
    }
    // A server that refuses may be gone before it has read all.
    let _ = stream.write_all(&bytes);
    read_end(&mut stream)
}

/// How the request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// An answer came; the upstream or the log say which.
    Answered,
    /// The server does not speak HTTP/2.
    NotSpoken,
    /// The stream was reset or the connection closed.
    Reset,
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A frame (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// Literal lines without indexing, names and values as they are (RFC 7541 §6.2.2).
fn block(lines: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in lines {
        block.push(0);
        for text in [name, value] {
            integer(text.len(), &mut block);
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// An integer with a prefix of seven bits (RFC 7541 §5.1).
fn integer(value: usize, block: &mut Vec<u8>) {
    if value < 127 {
        return block.push(u8::try_from(value).unwrap());
    }
    block.push(127);
    let mut rest = value - 127;
    while rest >= 128 {
        block.push(u8::try_from(rest % 128).unwrap() | 128);
        rest /= 128;
    }
    block.push(u8::try_from(rest).unwrap());
}

fn read_end(stream: &mut SslStream<TcpStream>) -> End {
    let mut answered = false;
    loop {
        let mut head = [0; 9];
        if stream.read_exact(&mut head).is_err() {
            return if answered { End::Answered } else { End::Reset };
        }
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        if stream.read_exact(&mut payload).is_err() {
            return End::Reset;
        }
        let (kind, flags, id) = (head[3], head[4], u32::from_be_bytes([head[5], head[6], head[7], head[8]]));
        match kind {
            SETTINGS if flags == 0 => stream.write_all(&frame(SETTINGS, 1, 0, &[])).unwrap_or_default(),
            GOAWAY => return if answered { End::Answered } else { End::Reset },
            RST_STREAM if id == 1 => return if answered { End::Answered } else { End::Reset },
            HEADERS if id == 1 => answered = true,
            _ => {}
        }
        if id == 1 && matches!(kind, HEADERS | DATA) && flags & END_STREAM != 0 {
            return End::Answered;
        }
    }
}
