//! A TLS client of nginx, with a certificate or without.

use openssl::ssl::{SslConnector, SslMethod, SslStream, SslVersion};
use std::net::TcpStream;

use crate::bank::{DOMAIN, Person, authorities};
use crate::http_client::{Client, connected};

/// A TLS connection for the bank's domain; the server's certificate is checked.
pub(crate) fn connect(port: u16, person: Option<&Person>) -> Client {
    Client::tls(handshake(port, person))
}

fn handshake(port: u16, person: Option<&Person>) -> SslStream<TcpStream> {
    let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
    connector.set_min_proto_version(Some(SslVersion::TLS1_2)).unwrap();
    connector.cert_store_mut().add_cert(authorities().root.certificate.clone()).unwrap();
    if let Some(person) = person {
        connector.set_certificate(&person.certificate).unwrap();
        connector.set_private_key(&person.key).unwrap();
    }
    connector.build().connect(DOMAIN, connected(port)).unwrap()
}
