//! Time passes while a connection stays open: what was good for the last request need not be good for the next one.

use std::time::Duration;

use crate::bank::{Bank, Person, Request, leaf, now, person};
use crate::front_door::{FrontDoor, get};
use crate::http_client::Client;
use crate::pki::{DAY, Dates, Leaf};

/// A client whose certificate ends in a few seconds, and the second after its last one.
fn ending() -> (Person, i64) {
    let last = now() + 3;
    (person(&Leaf { dates: Dates(now() - DAY, last), ..leaf("ending") }), last + 1)
}

fn wait_for(second: i64) {
    while now() < second {
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Passes, then does not, on one connection.
fn assert_ends(bank: &Bank, client: &mut Client, request: &[u8], end: i64) {
    for _ in 0..2 {
        let answer = client.ask(request);
        // A slow machine may come too late for this; the test then says nothing, rather than something wrong.
        if now() < end - 1 {
            assert_eq!(answer.status, 200, "{}", bank.vestibule.code(&answer));
        }
    }
    bank.upstream.take();
    wait_for(end);
    let answer = client.ask(request);
    assert_eq!(bank.refused(&answer, 401), "certificate_expired");
    assert_eq!(bank.vestibule.access_line(&answer)["cert.verify"], "FAILED:certificate has expired");
}

#[test]
fn a_certificate_that_expires_between_two_requests_of_one_connection() {
    let bank = Bank::open();
    let (person, end) = ending();
    assert_ends(&bank, &mut bank.vestibule.connect(), &Request::get("/").of(&person).text(), end);
}

#[test]
fn a_certificate_that_expires_between_two_requests_of_one_tls_connection() {
    let door = FrontDoor::open();
    let (person, end) = ending();
    assert_ends(&door.bank, &mut door.connect(Some(&person)), get("/", "").as_bytes(), end);
}

#[test]
fn a_certificate_becomes_valid_on_an_open_connection() {
    let bank = Bank::open();
    let begin = now() + 3;
    let person = person(&Leaf { dates: Dates(begin, now() + DAY), ..leaf("beginning") });
    let request = Request::get("/").of(&person).text();
    let mut client = bank.vestibule.connect();
    let answer = client.ask(&request);
    if now() < begin {
        assert_eq!(bank.refused(&answer, 401), "certificate_not_yet_valid");
    }
    wait_for(begin);
    assert_eq!(client.ask(&request).status, 200);
}
