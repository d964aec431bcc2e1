//! Which connection carries a request: reuse, stale ones, TLS, Unix sockets.

use std::path::Path;
use std::time::Duration;

use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{Ssl, SslAcceptor, SslMethod};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};
use tokio::net::UnixListener;
use tokio::time::sleep;
use vestibule::upstream::Endpoint;

use crate::forwarder::{Forwarder, upstream, with_endpoint};
use crate::raw_upstream::{Peer, RawUpstream, has};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn idle_connections_are_used_again() {
    let server = RawUpstream::answering(OK).await;
    let forwarder = Forwarder::start(upstream(&server.url()));
    for reused in [false, true, true, true] {
        assert_eq!(forwarder.get().await.1, b"ok");
        assert_eq!(forwarder.lines.recv_timeout(Duration::from_secs(2)).unwrap().reused, reused);
    }
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn an_upstream_that_says_close_gets_a_new_connection() {
    let server = RawUpstream::answering("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok").await;
    let forwarder = Forwarder::start(upstream(&server.url()));
    for _ in 0..3 {
        assert_eq!(forwarder.get().await.1, b"ok");
    }
    assert_eq!(server.accepted(), 3);
}

#[tokio::test]
async fn idle_connections_end_with_their_time_and_their_number() {
    let server = RawUpstream::start(|mut peer, _| async move {
        while peer.read_head().await.is_some() {
            sleep(Duration::from_millis(100)).await;
            peer.write(OK).await;
        }
    })
    .await;
    let mut settings = upstream(&server.url());
    (settings.max_idle_per_worker, settings.idle_keep_alive) = (1, Duration::from_millis(300));
    let forwarder = Forwarder::start(settings);
    let both = || async { tokio::join!(forwarder.get(), forwarder.get()) };
    both().await;
    assert_eq!(server.accepted(), 2);
    both().await;
    assert_eq!(server.accepted(), 3, "one of two was kept");
    sleep(Duration::from_millis(500)).await;
    forwarder.get().await;
    assert_eq!(server.accepted(), 4, "none was kept that long");
}

#[tokio::test]
async fn an_idle_connection_that_was_closed_is_never_an_error() {
    let server = RawUpstream::start(|mut peer, _| async move {
        peer.read_head().await;
        peer.write(OK).await;
    })
    .await;
    let forwarder = Forwarder::start(upstream(&server.url()));
    for _ in 0..50 {
        let (head, body) = forwarder.ask("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n").await;
        assert_eq!(body, b"ok", "{head}");
        // So that the upstream's end arrives: a request in that very instant may fail, since it may have been heard.
        sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn only_harmless_requests_are_sent_again() {
    for (request, status) in [
        ("GET / HTTP/1.1\r\nhost: a\r\n\r\n", "200"),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi", "502"),
        ("DELETE / HTTP/1.1\r\nhost: a\r\n\r\n", "502"),
        ("GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi", "502"),
    ] {
        // The first connection answers once, hears a second request, and closes.
        let server = RawUpstream::start(|mut peer, number| async move {
            peer.read_head().await;
            peer.write(OK).await;
            peer.read_head().await;
            if number > 0 {
                peer.write(OK).await;
            }
        })
        .await;
        let forwarder = Forwarder::start(upstream(&server.url()));
        assert_eq!(forwarder.get().await.1, b"ok");
        let (head, _) = forwarder.ask(request).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{request} {head}");
    }
}

#[tokio::test]
async fn a_request_that_got_a_byte_of_answer_is_not_sent_again() {
    let server = RawUpstream::start(|mut peer, _| async move {
        peer.read_head().await;
        peer.write(OK).await;
        peer.read_head().await;
        peer.write("HTTP/1.1 2").await;
    })
    .await;
    let forwarder = Forwarder::start(upstream(&server.url()));
    forwarder.get().await;
    assert!(has(&forwarder.get().await.0, "x-refusal: upstream_invalid_response"));
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn unix_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.sock");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        let mut peer = Peer::new(listener.accept().await.unwrap().0);
        while peer.read_head().await.is_some() {
            peer.write(OK).await;
        }
    });
    let forwarder = Forwarder::start(upstream(&format!("unix:{}", path.display())));
    for _ in 0..2 {
        assert_eq!(forwarder.get().await.1, b"ok");
    }
    let missing = Forwarder::start(upstream("unix:/nowhere/app.sock")).get().await;
    assert!(has(&missing.0, "x-refusal: upstream_unreachable"));
}

#[tokio::test]
async fn tls_needs_the_right_name_from_a_trusted_authority() {
    let folder = tempfile::tempdir().unwrap();
    let (key, certificate) = self_signed("localhost");
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, certificate.to_pem().unwrap()).unwrap();
    let port = serve_tls(&key, &certificate).await;
    let ask = |host: &'static str, ca: Option<&Path>| {
        let endpoint = Endpoint::parse(&format!("https://{host}:{port}"), ca).unwrap();
        async move { Forwarder::start(with_endpoint(endpoint)).get().await }
    };
    let (head, body) = ask("localhost", Some(&ca)).await;
    assert_eq!(body, b"ok", "{head}");
    for (host, ca) in [("127.0.0.1", Some(ca.as_path())), ("localhost", None)] {
        let (head, body) = ask(host, ca).await;
        assert!(has(&head, "x-refusal: upstream_unreachable"), "{head}");
        assert!(String::from_utf8_lossy(&body).contains("TLS handshake"), "{body:?}");
    }
}

#[tokio::test]
async fn a_tls_handshake_that_hangs_ends_with_the_connect_time() {
    let server = RawUpstream::start(|mut peer, _| async move {
        peer.read_rest().await;
    })
    .await;
    let (head, _) = Forwarder::start(upstream(&format!("https://{}", server.address))).get().await;
    assert!(has(&head, "x-refusal: upstream_timeout"), "{head}");
}

async fn serve_tls(key: &PKey<Private>, certificate: &X509) -> u16 {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    acceptor.set_private_key(key).unwrap();
    acceptor.set_certificate(certificate).unwrap();
    let acceptor = acceptor.build();
    let server = RawUpstream::start(move |peer, _| {
        let ssl = Ssl::new(acceptor.context()).unwrap();
        async move {
            let mut stream = tokio_openssl::SslStream::new(ssl, peer.stream).unwrap();
            if std::pin::Pin::new(&mut stream).accept().await.is_ok() {
                let mut peer = Peer::new(stream);
                while peer.read_head().await.is_some() {
                    peer.write(OK).await;
                }
            }
        }
    });
    server.await.address.port()
}

fn self_signed(name: &str) -> (PKey<Private>, X509) {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
    let subject = subject.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(&subject).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
    builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    let names = SubjectAlternativeName::new().dns(name).build(&builder.x509v3_context(None, None)).unwrap();
    builder.append_extension(names).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    (key, builder.build())
}
