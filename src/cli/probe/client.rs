//! The probe's client: sends exactly what it is told, one connection a request, and says who answered.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use openssl::error::ErrorStack;
use openssl::ssl::{SslConnector, SslMethod, SslSession, SslVersion};
use openssl::x509::X509;

use super::identity::Identity;
use crate::probe::Sight;
use crate::x509::openssl_ffi::offer_session;

/// How long a connection, and each read, may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most of an answer that is read.
const LONGEST_ANSWER: u64 = 1 << 20;

/// What came of a request.
#[derive(Debug)]
pub(super) enum Reply {
    /// Vestibule took it, and shows what it saw.
    Seen(Box<Sight>),
    /// Vestibule refused it.
    Vestibule(u16),
    /// Somebody else answered: the front door, or an upstream.
    Other { status: u16, location: Option<String> },
    /// The connection was opened and ended without an answer.
    Ended(String),
    /// There was no connection.
    Unreachable(String),
}

/// Whom connections are made as; they share sessions.
pub(super) struct Tls {
    connector: SslConnector,
}

/// An answer, and the session that it came in.
pub(super) struct Visit {
    pub(super) reply: Reply,
    pub(super) session: Option<SslSession>,
    pub(super) resumed: bool,
}

impl Tls {
    /// A client with this certificate or none, of one version of TLS or all. The server's certificate is checked by `ca`, or by the
    /// system's CAs.
    pub(super) fn new(ca: &[X509], identity: Option<&Identity>, version: Option<SslVersion>) -> Result<Self, ErrorStack> {
        let mut builder = SslConnector::builder(SslMethod::tls_client())?;
        builder.set_min_proto_version(Some(version.unwrap_or(SslVersion::TLS1_2)))?;
        builder.set_max_proto_version(version)?;
        for certificate in ca {
            builder.cert_store_mut().add_cert(certificate.clone())?;
        }
        if let Some(identity) = identity {
            builder.set_certificate(&identity.certificate)?;
            builder.set_private_key(&identity.key)?;
            for certificate in &identity.chain {
                builder.add_extra_chain_cert(certificate.clone())?;
            }
        }
        Ok(Self { connector: builder.build() })
    }

    /// Sends a request in a handshake for `sni`.
    pub(super) fn visit(&self, at: SocketAddr, sni: &str, session: Option<&SslSession>, request: &str) -> io::Result<Visit> {
        let ended = |reply| Ok(Visit { reply, session: None, resumed: false });
        let tcp = match connected(at) {
            Ok(tcp) => tcp,
            Err(why) => return ended(Reply::Unreachable(why.to_string())),
        };
        let mut connection = self.connector.configure()?;
        if let Some(session) = session {
            offer_session(&mut connection, session)?;
        }
        let mut stream = match connection.connect(sni, tcp) {
            Ok(stream) => stream,
            Err(why) => return ended(Reply::Ended(format!("the handshake failed: {}", alert(&why.to_string())))),
        };
        let resumed = stream.ssl().session_reused();
        let reply = exchange(&mut stream, request);
        // With TLS 1.3 tickets come after the handshake.
        let session = stream.ssl().session().map(ToOwned::to_owned);
        Ok(Visit { reply, session, resumed })
    }
}

/// Sends a request without TLS.
pub(super) fn plain(at: SocketAddr, request: &str) -> Reply {
    match connected(at) {
        Ok(mut tcp) => exchange(&mut tcp, request),
        Err(why) => Reply::Unreachable(why.to_string()),
    }
}

fn connected(at: SocketAddr) -> io::Result<TcpStream> {
    let tcp = TcpStream::connect_timeout(&at, PATIENCE)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    tcp.set_write_timeout(Some(PATIENCE))?;
    Ok(tcp)
}

fn exchange(stream: &mut (impl Read + Write), request: &str) -> Reply {
    // Who refuses may answer before everything is sent, and with TLS 1.3 a certificate is refused after the handshake.
    let sent = stream.write_all(request.as_bytes()).and_then(|()| stream.flush());
    let mut answer = Vec::new();
    let read = read_whole(stream, &mut answer);
    match (read_answer(&answer), read, sent) {
        (Some(reply), _, _) => reply,
        (None, Err(why), _) | (None, Ok(()), Err(why)) => Reply::Ended(alert(&why.to_string())),
        (None, Ok(()), Ok(())) => Reply::Ended("the connection ended without an answer".to_owned()),
    }
}

/// Reads an answer to its end, which is not always that of the connection: Apache does not see `Connection: close` any more when it
/// has taken the line away.
fn read_whole(stream: &mut impl Read, answer: &mut Vec<u8>) -> io::Result<()> {
    let mut stream = stream.take(LONGEST_ANSWER);
    let mut chunk = [0; 16 * 1024];
    while !is_whole(answer) {
        match stream.read(&mut chunk)? {
            0 => break,
            length => answer.extend_from_slice(chunk.get(..length).unwrap_or_default()),
        }
    }
    Ok(())
}

fn is_whole(answer: &[u8]) -> bool {
    let mut lines = [httparse::EMPTY_HEADER; 128];
    let mut head = httparse::Response::new(&mut lines);
    let Ok(httparse::Status::Complete(length)) = head.parse(answer) else { return false };
    let body = answer.get(length..).unwrap_or_default();
    let header = |wanted: &str| head.headers.iter().find(|line| line.name.eq_ignore_ascii_case(wanted)).map(|line| line.value);
    if header("transfer-encoding").is_some() {
        return body.ends_with(b"0\r\n\r\n");
    }
    let announced = header("content-length").and_then(|value| std::str::from_utf8(value).ok()?.trim().parse::<usize>().ok());
    announced.is_some_and(|announced| body.len() >= announced)
}

fn read_answer(answer: &[u8]) -> Option<Reply> {
    let mut lines = [httparse::EMPTY_HEADER; 128];
    let mut head = httparse::Response::new(&mut lines);
    let httparse::Status::Complete(length) = head.parse(answer).ok()? else { return None };
    let header = |wanted: &str| {
        let found = head.headers.iter().find(|line| line.name.eq_ignore_ascii_case(wanted))?;
        Some(String::from_utf8_lossy(found.value).into_owned())
    };
    let body = json_of(answer.get(length..).unwrap_or_default());
    let status = head.code?;
    if status == 200
        && let Ok(sight) = serde_json::from_value(body.clone())
    {
        return Some(Reply::Seen(Box::new(sight)));
    }
    // Only Vestibule says the id of a request in both places.
    let id = body.get("request_id").and_then(serde_json::Value::as_str).map(ToOwned::to_owned);
    if status >= 400 && id.is_some() && id == header("x-request-id") {
        return Some(Reply::Vestibule(status));
    }
    Some(Reply::Other { status, location: header("location") })
}

/// The object in a body, whatever framing is around it: ours fit into one chunk.
fn json_of(body: &[u8]) -> serde_json::Value {
    let text = String::from_utf8_lossy(body);
    let object = text.find('{').zip(text.rfind('}')).and_then(|(from, to)| text.get(from..=to));
    object.and_then(|object| serde_json::from_str(object).ok()).unwrap_or_default()
}

/// What OpenSSL calls the reason: `tlsv1 alert unknown ca`.
fn alert(error: &str) -> String {
    let named =
        |part: &&str| ["tlsv1 ", "tlsv13 ", "sslv3 ", "certificate verify failed"].iter().any(|start| part.starts_with(start));
    error.split(':').map(str::trim).find(named).unwrap_or(error).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_an_answer_ends() {
        for (answer, whole) in [
            ("", false),
            ("HTTP/1.1 200 OK\r\n", false),
            ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na", false),
            ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab", true),
            ("HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\nab", false),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n", false),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\n\r\nab", false),
        ] {
            assert_eq!(is_whole(answer.as_bytes()), whole, "{answer:?}");
        }
    }

    #[test]
    fn who_answered() {
        let vestibule =
            "HTTP/1.1 401 Unauthorized\r\nX-Request-Id: abc\r\n\r\n{\"status\":401,\"message\":\"m\",\"request_id\":\"abc\"}";
        assert!(matches!(read_answer(vestibule.as_bytes()), Some(Reply::Vestibule(401))));
        let chunked = vestibule.replace("\r\n\r\n{", "\r\ntransfer-encoding: chunked\r\n\r\n2f\r\n{") + "\r\n0\r\n\r\n";
        assert!(matches!(read_answer(chunked.as_bytes()), Some(Reply::Vestibule(401))));
        for other in [
            vestibule.replace("\"abc\"", "\"other\""),
            vestibule.replace("401", "200"),
            "HTTP/1.1 400 Bad Request\r\n\r\n<html>".to_owned(),
            "HTTP/1.1 200 OK\r\n\r\n{\"domain\":\"a\"}".to_owned(),
        ] {
            assert!(matches!(read_answer(other.as_bytes()), Some(Reply::Other { .. })), "{other}");
        }
        assert!(read_answer(b"").is_none() && read_answer(b"HTTP/1.1 200").is_none() && read_answer(b"\x15\x03").is_none());
    }
}
