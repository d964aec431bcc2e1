//! Handshakes that are slow, strange or hostile.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use openssl::ssl::SslVersion;
use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, RootCertStore, SignatureScheme};

use crate::bank::{Person, authorities, good};
use crate::http_client::connected;
use crate::recording_upstream::RecordingUpstream;
use crate::set_up::{ASKED, ClientFiles, House, PROCESS, files, handshake, tenant};
use crate::vestibule_program::Vestibule;

const TIMED_OUT: &str = "vestibule_tls_handshakes_total{outcome=\"timed_out\"}";
const FAILED: &str = "vestibule_tls_handshakes_total{outcome=\"failed\"}";

/// Everything until the other end closes; it must.
fn rest(mut stream: &TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(why) if why.kind() == std::io::ErrorKind::ConnectionReset => {}
        Err(why) => panic!("the connection stays open: {why}"),
    }
    bytes
}

/// The first message of a real client.
fn client_hello() -> Vec<u8> {
    let mut connection = rustls_client(&good(), &good());
    let mut bytes = Vec::new();
    connection.write_tls(&mut bytes).unwrap();
    bytes
}

#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesClientCert for Shows {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// A client that shows one's certificate and signs with another's key.
fn rustls_client(certificate: &Person, key: &Person) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authorities().root.certificate.to_der().unwrap())).unwrap();
    let key = PrivateKeyDer::Pkcs8(key.key.private_key_to_pkcs8().unwrap().into());
    let key = aws_lc_rs::sign::any_supported_type(&key).unwrap();
    let certified = CertifiedKey::new(vec![CertificateDer::from(certificate.certificate.to_der().unwrap())], key);
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_cert_resolver(Arc::new(Shows(Arc::new(certified))));
    ClientConnection::new(Arc::new(config), ServerName::try_from(ASKED).unwrap()).unwrap()
}

/// Asks over it; what comes back, or why nothing does.
fn ask(mut client: ClientConnection, port: u16) -> Result<String, String> {
    let mut tcp = connected(port);
    let mut stream = rustls::Stream::new(&mut client, &mut tcp);
    stream
        .write_all(format!("GET / HTTP/1.1\r\nhost: {ASKED}\r\nconnection: close\r\n\r\n").as_bytes())
        .map_err(|w| w.to_string())?;
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Ok(_) => Ok(String::from_utf8_lossy(&said).into_owned()),
        Err(why) => Err(why.to_string()),
    }
}

#[test]
fn somebody_elses_certificate_without_its_key_is_no_handshake() {
    let house = House::open();
    let (victim, thief) = (good(), good());
    assert!(ask(rustls_client(&victim, &victim), house.port()).unwrap().starts_with("HTTP/1.1 200"));
    house.upstream.take_one();
    let said = ask(rustls_client(&victim, &thief), house.port());
    assert!(said.as_ref().is_err_and(|why| why.contains("alert")), "{said:?}");
    assert_eq!(house.upstream.take().len(), 0);
    house.vestibule.wait_for_counter(FAILED, 1);
    house.assert_still_serves();
}

#[test]
fn whoever_is_slow_is_cut_off_wherever_he_stops() {
    let house = House::open();
    let hello = client_hello();
    let pieces = [&hello[..0], &hello[..1], &hello[..5], &hello[..hello.len() / 2], &hello[..hello.len() - 1], &hello[..]];
    let open: Vec<TcpStream> = pieces
        .iter()
        .map(|piece| {
            let mut stream = connected(house.port());
            stream.write_all(piece).unwrap();
            stream
        })
        .collect();
    // Others are served in the meantime.
    house.assert_still_serves();
    for stream in &open {
        rest(stream);
    }
    house.vestibule.wait_for_counter(TIMED_OUT, pieces.len() as u64);
}

#[test]
fn one_who_sends_byte_by_byte_wins_no_time() {
    let house = House::open();
    let hello = client_hello();
    let mut stream = connected(house.port());
    for byte in &hello {
        // Cut off by the deadline in the middle: at this pace the message takes longer than it.
        if stream.write_all(&[*byte]).is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    rest(&stream);
    house.vestibule.wait_for_counter(TIMED_OUT, 1);
    house.assert_still_serves();
}

#[test]
fn places_that_slow_ones_hold_become_free() {
    let upstream = RecordingUpstream::start();
    let process = PROCESS.replace("handshake_timeout", "max_handshakes = 1\nhandshake_timeout");
    let vestibule = Vestibule::start(&files(&process, tenant(&upstream.url()), &upstream.url()));
    let house = House { vestibule, upstream };
    let mut slow = connected(house.port());
    slow.write_all(&client_hello()).unwrap();
    // Its answer shows that it has the one place.
    let mut first = [0; 1];
    slow.read_exact(&mut first).unwrap();
    let behind = connected(house.port());
    behind.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    rest(&slow);
    drop(behind);
    house.assert_still_serves();
}

#[test]
fn http_without_tls_gets_no_answer_in_the_clear() {
    let house = House::open();
    for text in [
        format!("GET / HTTP/1.1\r\nhost: {ASKED}\r\n\r\n"),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(),
        "\r\n\r\n\r\n\r\n".into(),
    ] {
        let mut stream = connected(house.port());
        stream.write_all(text.as_bytes()).unwrap();
        let said = rest(&stream);
        assert!(said.first().is_none_or(|first| *first == 21), "an alert or nothing: {:?}", String::from_utf8_lossy(&said));
    }
    let (status, _) =
        ClientFiles::of(None).curl(house.port(), ASKED, "/", &["--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"]);
    assert_eq!(status, "000");
    house.assert_still_serves();
}

#[test]
fn hostile_first_messages_end_the_connection_and_nothing_else() {
    let house = House::open();
    let hello = client_hello();
    let mut hostile: Vec<Vec<u8>> = vec![
        vec![0; 64],
        vec![0xff; 20_000],
        // A record of the greatest length, of zeros; one of no length; a handshake message that says 16 MB.
        [&[22, 3, 1, 0x40, 0][..], &[0; 0x4000]].concat(),
        vec![22, 3, 1, 0, 0],
        vec![22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff],
        // An SSL 2.0 hello, an alert, application data.
        vec![0x80, 0x2e, 1, 3, 1, 0, 0x15, 0, 0, 0, 0x10],
        vec![21, 3, 3, 0, 2, 2, 40],
        vec![23, 3, 3, 0, 1, 0],
        [hello.clone(), hello.clone()].concat(),
    ];
    // Each byte of a real one once, by turns set, cleared and raised.
    for at in 0..hello.len() {
        let mut bent = hello.clone();
        bent[at] = match at % 3 {
            0 => 0xff,
            1 => 0,
            _ => bent[at].wrapping_add(1),
        };
        hostile.push(bent);
    }
    for bytes in &hostile {
        let mut stream = connected(house.port());
        let _ = stream.write_all(bytes);
        // What is a good first message after all would wait for the second one.
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let said = rest(&stream);
        assert!(!said.starts_with(b"HTTP"), "{bytes:?}");
    }
    house.assert_still_serves();
}

#[test]
fn protocols_are_tls_1_2_and_1_3_with_http_1_1() {
    let house = House::open();
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
        let stream = handshake(house.port(), Some(ASKED), None, |builder| {
            builder.set_max_proto_version(Some(version)).unwrap();
            builder.set_alpn_protos(b"\x02h2\x08http/1.1").unwrap();
        })
        .unwrap();
        assert_eq!(stream.ssl().version2(), Some(version));
        assert_eq!(stream.ssl().selected_alpn_protocol(), Some(&b"http/1.1"[..]));
    }
    let said = handshake(house.port(), Some(ASKED), None, |builder| builder.set_alpn_protos(b"\x02h2").unwrap()).unwrap_err();
    assert!(said.contains("no application protocol"), "{said}");
    let said = handshake(house.port(), Some(ASKED), None, |builder| {
        builder.set_min_proto_version(None).unwrap();
        builder.set_max_proto_version(Some(SslVersion::TLS1_1)).unwrap();
        builder.set_cipher_list("DEFAULT@SECLEVEL=0").unwrap();
    })
    .unwrap_err();
    assert!(said.contains("alert"), "{said}");
}
