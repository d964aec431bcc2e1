//! A TLS client of a front door: who it is, what name it asks for, which version it speaks.

use openssl::ssl::{SslConnector, SslMethod, SslVersion};

use crate::bank::{DOMAIN, Person, authorities};
use crate::http_client::{Client, connected};

/// How a client opens its connection.
#[derive(Clone, Copy)]
pub(crate) struct Hello<'p> {
    pub(crate) person: Option<&'p Person>,
    pub(crate) name: &'p str,
    pub(crate) version: SslVersion,
}

impl<'p> Hello<'p> {
    pub(crate) fn of(person: Option<&'p Person>) -> Self {
        Self { person, name: DOMAIN, version: SslVersion::TLS1_3 }
    }
}

/// A connection; none when the handshake failed.
pub(crate) fn connect(port: u16, hello: &Hello<'_>) -> Option<Client> {
    let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
    connector.set_min_proto_version(Some(hello.version)).unwrap();
    connector.set_max_proto_version(Some(hello.version)).unwrap();
    connector.cert_store_mut().add_cert(authorities().root.certificate.clone()).unwrap();
    if let Some(person) = hello.person {
        connector.set_certificate(&person.certificate).unwrap();
        connector.set_private_key(&person.key).unwrap();
    }
    connector.build().connect(hello.name, connected(port)).ok().map(Client::tls)
}
