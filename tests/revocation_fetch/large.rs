//! A list of 500,000 entries is fetched, read, put in force and replaced while requests are served.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use vestibule::clock::UnixTime;

use crate::bank::{Request, authorities, now};
use crate::crl_writer::CrlWriter;
use crate::pki::DAY;
use crate::revocation_server::{Behaviour, RevocationServer};
use crate::set_up::{list_dated, naming, open, outcome};

/// A debug build on a busy machine reads for a while.
const PATIENCE: Duration = Duration::from_secs(80);
const ENTRIES: u64 = 500_000;
const SETTINGS: &str =
    "[revocation]\nhttp_timeout = \"60s\"\nfirst_wait = \"15s\"\nretry_after_failure = \"1s\"\ncrl_max_size = \"64MiB\"\n";

/// Some 18 MB, and these serial numbers among the others.
fn large(serials: &[u32], from: i64, until: i64) -> Vec<u8> {
    let issuing = &authorities().issuing;
    let at = UnixTime(now());
    let mut list = CrlWriter::of(&issuing.certificate, at).dated(at.plus(from), at.plus(until));
    for number in 0..ENTRIES {
        let serial = [&[0x40; 8][..], &(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1).to_be_bytes()].concat();
        list.push(&serial, at.plus(-DAY), &[]);
    }
    for serial in serials {
        // Their first octet is below 0x80: no number is negative.
        let octets = serial.to_be_bytes();
        let first = octets.iter().position(|octet| *octet != 0).unwrap();
        list.push(&octets[first..], at.plus(-DAY), &[]);
    }
    list.sign(&issuing.key)
}

/// What one connection's requests were answered with, and whether the list was on its way when they began.
fn ask_until_refused(
    bank: &crate::bank::Bank,
    request: &[u8],
    on_its_way: impl Fn() -> bool,
    end: &AtomicBool,
) -> Vec<(u16, bool)> {
    let mut connection = bank.vestibule.connect();
    let mut answers = Vec::new();
    while !end.load(Ordering::Relaxed) {
        let loading = on_its_way();
        answers.push((connection.ask(request).status, loading));
    }
    answers
}

/// Ends the threads that ask.
struct End<'e>(&'e AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn requests_go_on_while_a_large_list_is_loaded_and_replaced() {
    let server = RevocationServer::start();
    server.set("/list.crl", Behaviour::Body(list_dated(&[], -1_000, 100)));
    let lines = format!("crl = [\"crl/root.pem\"]\ncrl_urls = [\"{}\"]", server.url("/list.crl"));
    let bank = open(&lines, SETTINGS);
    bank.vestibule.wait_for_counter("vestibule_revocation_lists", 1);
    // The first large list is in its last fifth: the next one is looked for at once.
    for (round, serial, (from, until)) in [("loaded", 5_000_001, (-900, 100)), ("replaced", 5_000_002, (-60, DAY))] {
        let serials: Vec<u32> = (5_000_001..=serial).collect();
        let body = large(&serials, from, until);
        assert!(body.len() > 15_000_000);
        let client = naming("client", serial, None, None);
        let request = Request::get("/strict/").of(&client).text();
        assert_eq!(outcome(&bank, "/strict/", &client), "passed", "{round}");
        let before = server.hits();
        server.set("/list.crl", Behaviour::Body(body));
        let end = AtomicBool::new(false);
        let answers: Vec<Vec<(u16, bool)>> = std::thread::scope(|scope| {
            // Also when an assertion fails: the threads would ask for ever.
            let ending = End(&end);
            let asking = || ask_until_refused(&bank, &request, || server.hits() > before, &end);
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(asking)).collect();
            let patience = Instant::now() + PATIENCE;
            while outcome(&bank, "/strict/", &client) != "certificate_revoked" {
                assert!(Instant::now() < patience, "{round}: {}", bank.vestibule.diagnostics());
                std::thread::sleep(Duration::from_millis(50));
            }
            // From here on every request that begins is refused.
            assert_eq!(outcome(&bank, "/strict/", &client), "certificate_revoked", "{round}");
            drop(ending);
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for of_connection in answers {
            let refused = of_connection.iter().position(|(status, _)| *status != 200).unwrap_or(of_connection.len());
            let (served, rest) = of_connection.split_at(refused);
            assert!(rest.iter().all(|(status, _)| *status == 401), "{round}: served again, or failed: {rest:?}");
            // Begun and answered between the fetch and the exchange: the reading of the list held nobody up.
            assert!(served.iter().filter(|(_, loading)| *loading).count() >= 2, "{round}: nothing was served meanwhile");
        }
    }
    assert_eq!(outcome(&bank, "/strict/", &naming("client", 5_000_001, None, None)), "certificate_revoked");
    assert_eq!(bank.vestibule.counter("vestibule_revocation_lists_missing"), 0);
}
