//! The proof `mutual_tls`: a front door shows a certificate of its own, and certificates of clients come in its headers.

use vestibule::x509::certificate::Certificate;

use crate::bank::{Person, Request, authorities, expired, good, leaf, now, pem, person, person_of};
use crate::http_client::{Answer, Client};
use crate::nginx::Nginx;
use crate::pki::{DAY, Dates, Leaf};
use crate::ports::free_port;
use crate::recording_upstream::RecordingUpstream;
use crate::set_up::{ASKED, House, PROCESS, files, handshake, key_pem, tenant};
use crate::vestibule_program::Vestibule;

/// The domain behind a front door with a certificate of its own.
const DOMAIN: &str = "pay.bank.example";

fn mutual(lines: &str) -> String {
    format!(
        "[[domains]]\nname = \"{DOMAIN}\"\nfront_door = \"nginx\"\n[[front_doors]]\nname = \"nginx\"\nformat = \"nginx\"\n\
         proofs = [\"mutual_tls\"]\n{lines}\n[trusted_ca.doors]\ncertificates = [\"trusted-ca/root.pem\"]\n\
         intermediates = [\"trusted-ca/issuing.pem\"]\ncrl = [\"crl/clients.pem\"]\n"
    )
}

/// The listener serves `tls` front doors as well; and one without TLS is there.
fn house(lines: &str) -> (House, u16) {
    let upstream = RecordingUpstream::start();
    let plain = free_port();
    let process = PROCESS.replace("[server]", &format!("[server]\nlisten = [\"127.0.0.1:{plain}\"]"));
    let text = tenant(&upstream.url()) + &mutual(lines);
    (House { vestibule: Vestibule::start(&files(&process, text, &upstream.url())), upstream }, plain)
}

fn door() -> Person {
    person(&Leaf { dns: vec!["edge-1.bank.example".into()], ..leaf("edge") })
}

/// What the front door sends for a client.
fn forwarded(client: &Person) -> Request {
    Request::get("/").without("cname-api-key").instead("Host", DOMAIN).of(client)
}

fn ask(house: &House, name: Option<&str>, door: Option<&Person>) -> Answer {
    let stream = handshake(house.port(), name, door, |_| {}).unwrap();
    Client::tls(stream).ask(forwarded(&good()).text())
}

fn assert_passes(house: &House, answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", house.code(answer));
    let received = house.upstream.take_one();
    assert_eq!((received.header("ssl-client-verify"), received.header("x-forwarded-for")), ("SUCCESS", "203.0.113.9"));
}

fn sha256(person: &Person) -> String {
    hex::encode(Certificate::from_der(&person.certificate.to_der().unwrap()).unwrap().sha256())
}

fn spki_sha256(person: &Person) -> String {
    hex::encode(Certificate::from_der(&person.certificate.to_der().unwrap()).unwrap().spki_sha256())
}

#[test]
fn a_pinned_certificate_proves_the_front_door_under_any_name() {
    let door = door();
    let (house, plain) = house(&format!("mutual_tls_certificates = [\"sha256:{}\"]", sha256(&door)));
    for name in [Some("spare.bank.example"), None] {
        assert_passes(&house, &ask(&house, name, Some(&door)));
        house.assert_refused(&ask(&house, name, None), 403, "front_door_certificate_missing");
        house.assert_refused(&ask(&house, name, Some(&good())), 403, "front_door_certificate_wrong");
    }
    // A connection for a host of ours brings a client's certificate, which is not the front door's.
    house.assert_refused(&ask(&house, Some(ASKED), Some(&good())), 403, "front_door_certificate_wrong");
    // And the front door's does not make anybody of a host of ours.
    let stream = handshake(house.port(), Some("spare.bank.example"), Some(&door), |_| {}).unwrap();
    let answer = Client::tls(stream).ask(forwarded(&good()).instead("Host", ASKED).text());
    house.assert_refused(&answer, 421, "sni_mismatch");
    let mut past = Client::tcp(plain);
    house.assert_refused(&past.ask(forwarded(&good()).text()), 403, "front_door_certificate_missing");
}

#[test]
fn every_refusal_of_a_front_door_is_the_same_answer() {
    let (house, plain) = house(&format!("mutual_tls_certificates = [\"sha256:{}\"]", sha256(&door())));
    let answers = [
        ask(&house, None, None),
        ask(&house, None, Some(&good())),
        Client::tcp(plain).ask(forwarded(&good()).instead("Host", "nobody.example").text()),
    ];
    let said = |answer: &Answer| (answer.status, answer.json()["message"].clone());
    assert!(answers.iter().all(|answer| said(answer) == said(&answers[0])), "{answers:?}");
}

#[test]
fn a_pinned_key_serves_its_next_certificate_and_dates_hold() {
    let first = door();
    let next =
        Person { certificate: authorities().issuing.issue_for(&leaf("edge, renewed"), &first.key), key: first.key.clone() };
    let late = Person {
        certificate: authorities().issuing.issue_for(&Leaf { dates: expired(), ..leaf("edge, late") }, &first.key),
        key: first.key.clone(),
    };
    let early = Person {
        certificate: authorities()
            .issuing
            .issue_for(&Leaf { dates: Dates(now() + DAY, now() + 2 * DAY), ..leaf("edge, early") }, &first.key),
        key: first.key.clone(),
    };
    let (house, _) = house(&format!("mutual_tls_certificates = [\"spki-sha256:{}\"]", spki_sha256(&first)));
    assert_passes(&house, &ask(&house, None, Some(&first)));
    assert_passes(&house, &ask(&house, None, Some(&next)));
    house.assert_refused(&ask(&house, None, Some(&late)), 403, "front_door_certificate_wrong");
    house.assert_refused(&ask(&house, None, Some(&early)), 403, "front_door_certificate_wrong");
}

#[test]
fn a_ca_needs_a_name_beside_it() {
    let (house, _) = house("mutual_tls_ca = \"doors\"\nmutual_tls_names = [\"Edge-1.bank.example\"]");
    assert_passes(&house, &ask(&house, None, Some(&door())));
    let named = |dns: &[&str]| Leaf { dns: dns.iter().map(|name| (*name).to_owned()).collect(), ..leaf("edge") };
    let wrong = [
        person(&named(&["edge-2.bank.example"])),
        person(&named(&["*.bank.example"])),
        person(&leaf("edge-1.bank.example")),
        person(&Leaf { dates: expired(), ..named(&["edge-1.bank.example"]) }),
        person(&Leaf { serial: crate::bank::REVOKED, ..named(&["edge-1.bank.example"]) }),
        person(&Leaf { client_auth: false, ..named(&["edge-1.bank.example"]) }),
        person_of(&authorities().stranger, &named(&["edge-1.bank.example"])),
    ];
    for door in &wrong {
        house.assert_refused(&ask(&house, None, Some(door)), 403, "front_door_certificate_wrong");
    }
}

#[test]
fn a_real_nginx_shows_its_certificate_and_forwards_its_clients() {
    let door = door();
    let (house, _) = house(&format!("mutual_tls_certificates = [\"sha256:{}\"]", sha256(&door)));
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
    let server = crate::set_up::server(&[DOMAIN]);
    write("server.pem", &crate::set_up::chain_pem(&server));
    write("server.key", &key_pem(&server));
    write("door.pem", &pem(&door.certificate));
    write("door.key", &key_pem(&door));
    write("ca.pem", &pem(&authorities().root.certificate));
    let (front, without) = (crate::nginx::free_port(), crate::nginx::free_port());
    let server = |port: u16, certificate: &str| {
        format!(
            "server {{\nlisten 127.0.0.1:{port} ssl;\nssl_certificate server.pem;\nssl_certificate_key server.key;\n\
             ssl_verify_client optional_no_ca;\nlocation / {{\nproxy_pass https://127.0.0.1:{};\nproxy_http_version 1.1;\n\
             proxy_set_header Host $host;\nproxy_set_header Connection \"\";\n\
             proxy_set_header client-certificate $ssl_client_escaped_cert;\n\
             proxy_set_header client-certificate-ca-verified $ssl_client_verify;\n\
             proxy_set_header x-forwarded-for $remote_addr;\n{certificate}\n\
             proxy_ssl_server_name on;\nproxy_ssl_name spare.bank.example;\nproxy_ssl_verify on;\nproxy_ssl_verify_depth 2;\n\
             proxy_ssl_trusted_certificate ca.pem;\n}}\n}}\n",
            house.port()
        )
    };
    let shows = "proxy_ssl_certificate door.pem;\nproxy_ssl_certificate_key door.key;";
    let _nginx = Nginx::start(&(server(front, shows) + &server(without, "")), folder.path());
    let through = |port: u16, client: Option<&Person>| {
        let stream = handshake(port, Some(DOMAIN), client, |_| {}).unwrap();
        Client::tls(stream).ask(crate::set_up::get(DOMAIN, "/"))
    };
    // Twice: nginx resumes its sessions where it can.
    for _ in 0..2 {
        assert_eq!(through(front, Some(&good())).status, 200);
        let received = house.upstream.take_one();
        assert_eq!((received.header("ssl-client-verify"), received.header("x-forwarded-for")), ("SUCCESS", "127.0.0.1"));
    }
    house.assert_refused(&through(front, None), 401, "certificate_required");
    house.assert_refused(&through(without, Some(&good())), 403, "front_door_certificate_missing");
}
