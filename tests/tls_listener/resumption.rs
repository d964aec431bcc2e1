//! No session is resumed: no certificate travels from one host to another, nor outlives its connection.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::client::{ClientSessionStore, ResolvesClientCert, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, NamedGroup, RootCertStore, SignatureScheme, version};

use crate::bank::{Person, authorities, good};
use crate::http_client::connected;
use crate::set_up::{ALIAS, ASKED, ClientFiles, House, OTHERS, QUIET};

/// Offers every session and ticket that it ever got to every server, whatever its name.
#[derive(Debug, Default)]
struct ForEverybody {
    tls12: Mutex<Option<Tls12ClientSessionValue>>,
    tls13: Mutex<Vec<Tls13ClientSessionValue>>,
    kept: AtomicUsize,
}

impl ClientSessionStore for ForEverybody {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.kept.fetch_add(1, Ordering::Relaxed);
        *self.tls12.lock().unwrap() = Some(value);
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.tls12.lock().unwrap().clone()
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.kept.fetch_add(1, Ordering::Relaxed);
        self.tls13.lock().unwrap().push(value);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.tls13.lock().unwrap().pop()
    }
}

/// Shows its certificate as long as it is told to.
#[derive(Debug)]
struct Shows {
    key: Arc<CertifiedKey>,
    now: AtomicBool,
}

impl ResolvesClientCert for Shows {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.now.load(Ordering::Relaxed).then(|| Arc::clone(&self.key))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// One configuration for all connections: rustls offers a session only where the same one is in use.
struct Thief {
    config: Arc<ClientConfig>,
    shows: Arc<Shows>,
    store: Arc<ForEverybody>,
}

impl Thief {
    fn new(person: &Person, version: &'static rustls::SupportedProtocolVersion) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(authorities().root.certificate.to_der().unwrap())).unwrap();
        let key = PrivateKeyDer::Pkcs8(person.key.private_key_to_pkcs8().unwrap().into());
        let key = aws_lc_rs::sign::any_supported_type(&key).unwrap();
        let chain = vec![CertificateDer::from(person.certificate.to_der().unwrap())];
        let shows = Arc::new(Shows { key: Arc::new(CertifiedKey::new(chain, key)), now: AtomicBool::new(true) });
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_cert_resolver(Arc::clone(&shows) as Arc<dyn ResolvesClientCert>);
        let store = Arc::new(ForEverybody::default());
        config.resumption = Resumption::store(Arc::clone(&store) as Arc<dyn ClientSessionStore>);
        Self { config: Arc::new(config), shows, store }
    }

    /// The kind of the handshake, and the answer's first line.
    fn ask(&self, port: u16, host: &'static str) -> (HandshakeKind, String) {
        let mut client = ClientConnection::new(Arc::clone(&self.config), ServerName::try_from(host).unwrap()).unwrap();
        let mut tcp = connected(port);
        let mut stream = rustls::Stream::new(&mut client, &mut tcp);
        stream.write_all(format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").as_bytes()).unwrap();
        // To the end: tickets of TLS 1.3 come after the handshake.
        let mut said = Vec::new();
        stream.read_to_end(&mut said).unwrap();
        let first = String::from_utf8_lossy(&said).lines().next().unwrap_or_default().to_owned();
        (client.handshake_kind().unwrap(), first)
    }
}

#[test]
fn a_session_with_a_certificate_opens_no_host_again() {
    let house = House::open();
    for version in [&version::TLS12, &version::TLS13] {
        let thief = Thief::new(&good(), version);
        assert_eq!(thief.ask(house.port(), ASKED).1, "HTTP/1.1 200 OK");
        house.upstream.take_one();
        thief.shows.now.store(false, Ordering::Relaxed);
        for host in [ASKED, ALIAS, QUIET, OTHERS] {
            let (kind, first) = thief.ask(house.port(), host);
            assert_eq!((kind, first.as_str()), (HandshakeKind::Full, "HTTP/1.1 401 Unauthorized"), "{host} {version:?}");
            assert_eq!(house.upstream.take().len(), 0, "{host} {version:?}");
        }
        assert_eq!(thief.store.tls13.lock().unwrap().len(), 0, "a ticket was given out");
    }
    house.assert_still_serves();
}

#[test]
fn the_thief_of_these_tests_does_resume_where_a_server_lets_it() {
    // Else the test above would say nothing. nginx resumes sessions of both versions.
    let folder = tempfile::tempdir().unwrap();
    let server = crate::set_up::server(&[ASKED]);
    std::fs::write(folder.path().join("server.pem"), crate::set_up::chain_pem(&server)).unwrap();
    std::fs::write(folder.path().join("server.key"), crate::set_up::key_pem(&server)).unwrap();
    let port = crate::nginx::free_port();
    let http = format!(
        "server {{\nlisten 127.0.0.1:{port} ssl;\nssl_certificate server.pem;\nssl_certificate_key server.key;\n\
         ssl_protocols TLSv1.2 TLSv1.3;\nssl_session_cache shared:all:1m;\nssl_verify_client optional_no_ca;\nreturn 200;\n}}\n"
    );
    let _nginx = crate::nginx::Nginx::start(&http, folder.path());
    for version in [&version::TLS12, &version::TLS13] {
        let thief = Thief::new(&good(), version);
        assert_eq!(thief.ask(port, ASKED).0, HandshakeKind::Full);
        assert!(thief.store.kept.load(Ordering::Relaxed) > 0, "{version:?}");
        assert_eq!(thief.ask(port, ASKED).0, HandshakeKind::Resumed, "{version:?}");
    }
}

#[test]
fn s_client_finds_nothing_to_resume_by() {
    let house = House::open();
    for version in ["-tls1_2", "-tls1_3"] {
        let said = ClientFiles::of(Some(&good())).s_client(house.port(), &["-servername", ASKED, version, "-reconnect"]);
        assert!(said.contains("New, TLSv1."), "{said}");
        assert!(!said.contains("Reused, "), "{said}");
        assert!(!said.contains("TLS session ticket:"), "{said}");
    }
}
