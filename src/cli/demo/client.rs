//! The demo's clients: real TLS, one connection for each request.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use openssl::ssl::{SslConnector, SslMethod};
use openssl::x509::X509;

use super::pki::Pair;

/// A request.
pub(super) struct Ask<'a> {
    /// The server name in the handshake; none sends none.
    pub(super) sni: Option<&'a str>,
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    pub(super) headers: &'a [(&'a str, String)],
    pub(super) client: Option<&'a Pair>,
}

/// An answer.
#[derive(Default)]
pub(super) struct Said {
    pub(super) status: String,
    pub(super) request_id: String,
    pub(super) body: String,
}

/// What came back.
pub(super) enum Outcome {
    Answered(Said),
    /// The server refused the handshake, and how.
    HandshakeRefused(String),
}

const PATIENCE: Duration = Duration::from_secs(10);

/// Sends a request. The server's certificate is checked, for the server name that was asked for.
pub(super) fn ask(address: SocketAddr, server_ca: &X509, ask: &Ask<'_>) -> io::Result<Outcome> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    builder.cert_store_mut().add_cert(server_ca.clone())?;
    if let Some(client) = ask.client {
        builder.set_certificate(&client.certificate)?;
        builder.set_private_key(&client.key)?;
    }
    let mut connection = builder.build().configure()?;
    connection.set_use_server_name_indication(ask.sni.is_some());
    let tcp = TcpStream::connect_timeout(&address, PATIENCE)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    tcp.set_write_timeout(Some(PATIENCE))?;
    let mut stream = match connection.connect(ask.sni.unwrap_or(ask.host), tcp) {
        Ok(stream) => stream,
        Err(why) => return Ok(Outcome::HandshakeRefused(reason(&why.to_string()))),
    };
    let mut request = format!("GET {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", ask.path, ask.host);
    for (name, value) in ask.headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{request}\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(Outcome::Answered(read(&String::from_utf8_lossy(&answer))))
}

fn read(answer: &str) -> Said {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let status = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let id = head.lines().filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("x-request-id"));
    Said { status, request_id: id.map(|(_, id)| id.trim().to_owned()).unwrap_or_default(), body: body.to_owned() }
}

/// What OpenSSL calls the alert: `tlsv1 unrecognized name`.
fn reason(error: &str) -> String {
    let named = |part: &&str| ["tlsv1 ", "tlsv13 ", "sslv3 "].iter().any(|start| part.starts_with(start));
    error.split(':').map(str::trim).find(named).unwrap_or(error).to_owned()
}
