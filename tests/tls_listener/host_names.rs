//! The server name of the handshake and the Host of the request are one.

use crate::bank::good;
use crate::http_client::Client;
use crate::set_up::{ALIAS, ASKED, BY_ALIAS, ClientFiles, House, NO_DOMAIN, OTHERS, QUIET, get, handshake};

#[test]
fn another_host_than_the_handshakes_is_misdirected() {
    let house = House::open();
    let client = good();
    for (name, host) in
        [(ASKED, QUIET), (QUIET, ASKED), (ASKED, ALIAS), (ALIAS, ASKED), (ASKED, OTHERS), (OTHERS, ASKED), (NO_DOMAIN, ASKED)]
    {
        let answer = house.connect(name, Some(&client)).ask(get(host, "/"));
        house.assert_refused(&answer, 421, "sni_mismatch");
    }
    house.assert_still_serves();
}

#[test]
fn one_connection_stays_with_its_host() {
    let house = House::open();
    let mut connection = house.connect(ASKED, Some(&good()));
    assert_eq!(connection.ask(get(ASKED, "/")).status, 200);
    assert_eq!(house.upstream.take_one().header("ssl-client-verify"), "SUCCESS");
    house.assert_refused(&connection.ask(get(BY_ALIAS, "/")), 421, "sni_mismatch");
    assert_eq!(connection.ask(get(ASKED, "/")).status, 200);
    house.upstream.take_one();
}

#[test]
fn case_port_and_final_dot_make_no_other_host() {
    let house = House::open();
    for host in ["API.Bank.Example", "api.bank.example:8443", "api.bank.example."] {
        let answer = house.connect(ASKED, Some(&good())).ask(get(host, "/"));
        assert_eq!(answer.status, 200, "{host}: {}", house.code(&answer));
        house.upstream.take_one();
    }
    let stream = handshake(house.port(), Some("API.BANK.EXAMPLE"), Some(&good()), |_| {}).unwrap();
    assert_eq!(Client::tls(stream).ask(get(ASKED, "/")).status, 200);
    house.upstream.take_one();
}

#[test]
fn without_a_server_name_there_is_a_handshake_and_no_host() {
    let house = House::open();
    for host in [ASKED, QUIET] {
        let stream = handshake(house.port(), None, Some(&good()), |_| {}).unwrap();
        house.assert_refused(&Client::tls(stream).ask(get(host, "/")), 421, "sni_mismatch");
    }
    let stream = handshake(house.port(), None, None, |_| {}).unwrap();
    house.assert_refused(&Client::tls(stream).ask(get("127.0.0.1", "/")), 403, "unknown_domain");
}

#[test]
fn an_unknown_server_name_gets_the_alert_that_says_so() {
    let house = House::open();
    for name in ["unknown.example", "bank.example", "a.b.other.example", "other.example", "xapi.bank.example"] {
        let said = house.no_handshake(Some(name));
        assert!(said.contains("unrecognized name"), "{name}: {said}");
    }
    let said = ClientFiles::of(None).s_client(house.port(), &["-servername", "unknown.example"]);
    assert!(said.contains("SSL alert number 112"), "{said}");
    house.vestibule.wait_for_counter("vestibule_tls_handshakes_total{outcome=\"unrecognized_name\"}", 6);
    house.assert_still_serves();
}

#[test]
fn the_certificate_follows_the_server_name() {
    let house = House::open();
    let shown = |name: &str| ClientFiles::of(None).s_client(house.port(), &["-servername", name]);
    for name in [ASKED, OTHERS, NO_DOMAIN] {
        let said = ClientFiles::of(None).s_client(house.port(), &["-servername", name, "-verify_hostname", name]);
        assert!(said.contains("Verify return code: 0 (ok)"), "{name}: {said}");
    }
    // The wildcard stands for one label.
    assert!(shown("x.other.example").contains("Verify return code: 0 (ok)"));
    let said = ClientFiles::of(None).s_client(house.port(), &["-noservername", "-verify_hostname", ASKED]);
    assert!(said.contains("Verify return code: 0 (ok)"), "{said}");
}
