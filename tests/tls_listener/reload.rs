//! Certificates and keys are exchanged while clients come and go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::bank::good;
use crate::http_client::Client;
use crate::set_up::{ASKED, House, NO_DOMAIN, PROCESS, QUIET, chain_pem, get, handshake, key_pem, server};

const RELOADS: &str = "vestibule_reloads_total";

fn shown(house: &House) -> Vec<u8> {
    let stream = handshake(house.port(), Some(ASKED), None, |_| {}).unwrap();
    stream.ssl().peer_certificate().unwrap().to_der().unwrap()
}

#[test]
fn a_new_certificate_is_taken_under_load_without_a_failure() {
    let house = Arc::new(House::open());
    let before = shown(&house);
    let mut kept = house.connect(ASKED, Some(&good()));
    assert_eq!(kept.ask(get(ASKED, "/")).status, 200);
    let (end, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let load: Vec<_> = (0..3)
        .map(|_| {
            let (house, end, served) = (Arc::clone(&house), Arc::clone(&end), Arc::clone(&served));
            std::thread::spawn(move || {
                let client = good();
                while !end.load(Ordering::Relaxed) {
                    let answer = house.get(ASKED, "/", Some(&client));
                    assert_eq!(answer.status, 200, "{}", answer.text());
                    served.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let reloads = house.vestibule.counter(RELOADS);
    let next = server(&[
        ASKED,
        "mtls.api.bank.example",
        QUIET,
        "mtls.open.bank.example",
        "web.bank.example",
        "mtls.web.bank.example",
        NO_DOMAIN,
    ]);
    // One file after the other: in between the key is not the certificate's, and such a configuration is not taken.
    house.vestibule.replace_file("tls/server.pem", &chain_pem(&next));
    std::thread::sleep(Duration::from_millis(300));
    house.vestibule.replace_file("tls/server.key", &key_pem(&next));
    house.vestibule.wait_for_counter(RELOADS, reloads + 1);
    let served_before = served.load(Ordering::Relaxed);
    crate::vestibule_program::wait_until(
        || served.load(Ordering::Relaxed) > served_before + 10,
        || "no more requests after the reload".into(),
    );
    end.store(true, Ordering::Relaxed);
    for thread in load {
        thread.join().unwrap();
    }
    assert_ne!(shown(&house), before);
    assert_eq!(shown(&house), next.certificate.to_der().unwrap());
    assert_eq!(kept.ask(get(ASKED, "/")).status, 200, "the open connection goes on");
}

#[test]
fn a_key_that_is_not_the_certificates_keeps_the_old_pair() {
    let house = House::open();
    let before = shown(&house);
    house.vestibule.replace_file("tls/server.key", &key_pem(&server(&[ASKED])));
    house.vestibule.wait_for_diagnostics("is not the key of the certificate");
    assert_eq!(shown(&house), before);
    let said = house.vestibule.diagnostics();
    assert!(!said.contains("PRIVATE KEY"), "{said}");
    house.assert_still_serves();
}

#[test]
fn the_policy_of_asking_changes_with_the_next_handshake() {
    let house = House::open();
    let tenant = std::fs::read_to_string(house.vestibule.folder().join("tenants/bank.toml")).unwrap();
    let mut kept = house.connect(ASKED, Some(&good()));
    let reloads = house.vestibule.counter(RELOADS);
    house.vestibule.replace_file(
        "tenants/bank.toml",
        &tenant.replacen("format = \"tls\"", "format = \"tls\"\nrequest_client_certificate = \"never\"", 1),
    );
    house.vestibule.wait_for_counter(RELOADS, reloads + 1);
    house.assert_refused(&house.get(ASKED, "/", Some(&good())), 401, "certificate_required");
    assert_eq!(kept.ask(get(ASKED, "/")).status, 200, "what was proved stays proved on its connection");
    house.upstream.take();
    // Without the listener's certificates nothing is taken.
    let failures = house.vestibule.counter("vestibule_reload_failures_total");
    house.vestibule.replace_file("vestibule.toml", &PROCESS.replace("tls/server.pem", "tls/missing.pem"));
    house.vestibule.wait_for_counter("vestibule_reload_failures_total", failures + 1);
    let stream = handshake(house.port(), Some(ASKED), None, |_| {}).unwrap();
    assert_eq!(Client::tls(stream).ask(get(ASKED, "/public/")).status, 200);
}
