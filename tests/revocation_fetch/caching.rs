//! One fetch for all, none while it is known, and what a restart, a reload and an outage leave.

use std::time::{Duration, Instant};

use vestibule::clock::UnixTime;

use crate::bank::{Bank, Request, authorities, escape, now, pem};
use crate::ocsp_writer::{OcspWriter, revoked};
use crate::pki::DAY;
use crate::recording_upstream::RecordingUpstream;
use crate::revocation_server::{Behaviour, RevocationServer};
use crate::set_up::{QUICK, all_fetches, fetches, files, list, list_dated, naming, open, outcome, outcome_of, tenant};
use crate::vestibule_program::{Vestibule, wait_until};

const ROOT: &str = "crl = [\"crl/root.pem\"]\n";

/// Lines for certificates that name this server.
fn named(server: &RevocationServer) -> String {
    format!("{ROOT}revocation_hosts = [\"{}\"]\nallow_private_addresses = true", server.host())
}

/// Lines for a list that the operator named.
fn configured(server: &RevocationServer) -> String {
    format!("{ROOT}crl_urls = [\"{}\"]", server.url("/list.crl"))
}

const PATIENT: &str = "[revocation]\nhttp_timeout = \"15s\"\nfirst_wait = \"15s\"\n";

#[test]
fn a_hundred_first_requests_make_one_fetch() {
    let server = RevocationServer::start();
    let issuing = &authorities().issuing;
    let by_list = naming("client", 5000, Some(&server.url("/list.crl")), None);
    let by_answer = naming("client", 5001, None, Some(&server.url("/ocsp")));
    let answer = OcspWriter::good(&by_answer.certificate, &issuing.certificate, UnixTime(now())).sign(&issuing.key);
    server.set("/list.crl", Behaviour::Slow(Duration::from_millis(700), list(&[])));
    server.set_any(Behaviour::Slow(Duration::from_millis(700), answer));
    let bank = open(&format!("ocsp = \"leaf\"\n{}", named(&server)), PATIENT);
    for (hits, client) in [(1, &by_answer), (2, &by_list)] {
        let request = Request::get("/strict/").of(client).text();
        let mut connections: Vec<_> = (0..100).map(|_| bank.vestibule.connect()).collect();
        for connection in &mut connections {
            connection.send(&request);
        }
        for connection in &mut connections {
            let answer = connection.read_answer();
            assert_eq!(outcome_of(&bank, &answer), "passed");
        }
        assert_eq!(server.hits(), hits);
    }
    assert_eq!((fetches(&bank, "crl", "ok"), fetches(&bank, "ocsp", "ok")), (1, 1));
}

#[test]
fn what_failed_is_not_tried_again_at_once() {
    let server = RevocationServer::start();
    server.set_any(Behaviour::Status(503));
    let client = naming("client", 5100, Some(&server.url("/list.crl")), None);
    let bank = open(&named(&server), QUICK);
    for _ in 0..5 {
        assert_eq!(outcome(&bank, "/strict/", &client), "revocation_unknown");
    }
    assert_eq!(server.hits(), 1);
    let said = bank.vestibule.diagnostics();
    assert_eq!(said.matches("fetch failed").count(), 1, "{said}");
    assert!(said.contains("HTTP status 503") && said.contains(&server.url("/list.crl")), "{said}");
}

#[test]
fn after_the_rest_it_is_tried_again_and_told() {
    let server = RevocationServer::start();
    server.set_any(Behaviour::Status(503));
    let client = naming("client", 5200, Some(&server.url("/list.crl")), None);
    let bank = open(&named(&server), &format!("{QUICK}retry_after_failure = \"1s\"\n"));
    assert_eq!(outcome(&bank, "/strict/", &client), "revocation_unknown");
    server.set_any(Behaviour::Body(list(&[])));
    wait_until(|| outcome(&bank, "/strict/", &client) == "passed", || bank.vestibule.diagnostics());
    assert!(bank.vestibule.diagnostics().contains("fetched again after failures"));
}

#[test]
fn the_first_wait_has_an_end_and_the_fetch_goes_on() {
    let server = RevocationServer::start();
    server.set_any(Behaviour::Slow(Duration::from_secs(3), list(&[])));
    let client = naming("client", 5300, Some(&server.url("/list.crl")), None);
    let bank = open(&named(&server), "[revocation]\nhttp_timeout = \"15s\"\nfirst_wait = \"200ms\"\n");
    assert_eq!(outcome(&bank, "/strict/", &client), "revocation_unknown");
    assert_eq!(fetches(&bank, "crl", "ok"), 0, "it waited for the whole fetch");
    wait_until(|| outcome(&bank, "/strict/", &client) == "passed", || bank.vestibule.diagnostics());
    assert_eq!(server.hits(), 1);
}

#[test]
fn a_client_that_leaves_while_a_list_is_fetched_was_not_permitted() {
    let server = RevocationServer::start();
    server.set_any(Behaviour::Slow(Duration::from_secs(20), list(&[])));
    let client = naming("client", 5310, Some(&server.url("/list.crl")), None);
    let bank = open(&named(&server), "[revocation]\nhttp_timeout = \"30s\"\nfirst_wait = \"15s\"\n");
    let mut connection = bank.vestibule.connect();
    connection.send(Request::get("/strict/").of(&client).text());
    wait_until(|| bank.vestibule.counter("vestibule_requests_in_flight") == 1, || "the request does not arrive".to_owned());
    wait_until(|| server.hits() == 1, || "nobody asks for the list".to_owned());
    drop(connection);
    wait_until(|| !bank.vestibule.access_lines().is_empty(), || "no access line".to_owned());
    let line = bank.vestibule.access_lines().remove(0);
    assert_eq!((line["decision"].as_str(), line["status"].as_u64()), (Some("none"), Some(499)));
    assert_eq!(bank.vestibule.counter("vestibule_requests_permitted_total"), 0);
    assert!(bank.upstream.take().is_empty());
}

#[test]
fn a_list_of_the_operators_is_there_before_the_first_request() {
    let server = RevocationServer::start();
    server.set("/list.crl", Behaviour::Body(list(&[5401])));
    let bank = open(&configured(&server), QUICK);
    bank.vestibule.wait_for_counter("vestibule_revocation_lists", 1);
    let (good, bad) = (naming("client", 5400, None, None), naming("client", 5401, None, None));
    assert_eq!(outcome(&bank, "/strict/", &good), "passed");
    assert_eq!(outcome(&bank, "/", &bad), "certificate_revoked");
    assert_eq!(server.hits(), 1);
    let left = bank.vestibule.counter("vestibule_revocation_list_remaining_seconds");
    assert!(left > 86_000 && left <= 86_400, "{left}");
}

/// A list that is past four fifths of its life from the start is fetched again and again, behind the requests' backs.
#[test]
fn a_revoked_certificate_is_refused_once_the_next_list_is_in_force() {
    let server = RevocationServer::start();
    server.set("/list.crl", Behaviour::Body(list_dated(&[], -100, 20)));
    let bank = open(&configured(&server), &format!("{QUICK}retry_after_failure = \"1s\"\n"));
    bank.vestibule.wait_for_counter("vestibule_revocation_lists", 1);
    let client = naming("client", 5500, None, None);
    let mut connection = bank.vestibule.connect();
    let request = Request::get("/strict/").of(&client).text();
    assert_eq!(connection.ask(&request).status, 200);
    server.set("/list.crl", Behaviour::Body(list_dated(&[5500], -10, DAY)));
    let before = fetches(&bank, "crl", "ok");
    wait_until(|| fetches(&bank, "crl", "ok") > before, || bank.vestibule.diagnostics());
    assert_eq!(outcome_of(&bank, &connection.ask(&request)), "certificate_revoked");
    // An older list does not come back, and rubbish changes nothing.
    server.set("/list.crl", Behaviour::Body(list(&[])));
    let hits = server.hits();
    assert_eq!(outcome_of(&bank, &connection.ask(&request)), "certificate_revoked");
    assert_eq!(server.hits(), hits, "a fresh list is not asked for");
}

#[test]
fn an_old_list_and_a_forged_one_displace_nothing() {
    let server = RevocationServer::start();
    let client = naming("client", 5600, None, None);
    server.set("/list.crl", Behaviour::Body(list_dated(&[5600], -100, 20)));
    let bank = open(&configured(&server), &format!("{QUICK}retry_after_failure = \"1s\"\n"));
    bank.vestibule.wait_for_counter("vestibule_revocation_lists", 1);
    for (counted, behaviour) in [
        ("not_newer", Behaviour::Body(list_dated(&[], -2 * DAY, DAY))),
        (
            "invalid",
            Behaviour::Body({
                let stranger = &authorities().stranger;
                stranger.crl_signed_by(&stranger.key, &[], crate::pki::Dates(now(), now() + DAY))
            }),
        ),
        ("http_status", Behaviour::Status(500)),
    ] {
        server.set("/list.crl", behaviour);
        let before = fetches(&bank, "crl", counted);
        wait_until(|| fetches(&bank, "crl", counted) > before, || format!("{counted}: {}", bank.vestibule.diagnostics()));
        assert_eq!(outcome(&bank, "/", &client), "certificate_revoked", "{counted}");
    }
}

/// The CA's clock is ahead of ours: what is in force stays until the list is of its time.
#[test]
fn a_list_of_the_future_displaces_nothing() {
    let server = RevocationServer::start();
    let client = naming("client", 5650, None, None);
    server.set("/list.crl", Behaviour::Body(list_dated(&[5650], -100, 20)));
    let bank = open(&configured(&server), &format!("{QUICK}retry_after_failure = \"1s\"\n"));
    bank.vestibule.wait_for_counter("vestibule_revocation_lists", 1);
    server.set("/list.crl", Behaviour::Body(list_dated(&[5650], 600, DAY)));
    wait_until(|| fetches(&bank, "crl", "invalid") > 0, || bank.vestibule.diagnostics());
    assert!(bank.vestibule.diagnostics().contains("of the future"), "{}", bank.vestibule.diagnostics());
    assert_eq!(outcome(&bank, "/", &client), "certificate_revoked");
}

#[test]
fn a_reload_forgets_nothing() {
    let server = RevocationServer::start();
    let issuing = &authorities().issuing;
    let client = naming("client", 5700, Some(&server.url("/list.crl")), None);
    let asked = naming("client", 5702, None, Some(&server.url("/ocsp")));
    let answer = OcspWriter::good(&asked.certificate, &issuing.certificate, UnixTime(now()));
    server.set("/list.crl", Behaviour::Body(list(&[5701])));
    server.set_any(Behaviour::Body(answer.status(&revoked(UnixTime(now() - DAY), None)).sign(&issuing.key)));
    let lines = format!("ocsp = \"leaf\"\n{}\ncrl_urls = [\"{}\"]", named(&server), server.url("/other.crl"));
    let bank = open(&lines, QUICK);
    assert_eq!(outcome(&bank, "/", &asked), "certificate_revoked");
    assert_eq!(outcome(&bank, "/strict/", &client), "passed");
    let hits = server.hits();
    server.set_any(Behaviour::Closed);
    server.set("/list.crl", Behaviour::Closed);
    let text = tenant(&lines).text(&bank.upstream.url());
    bank.vestibule.replace_file("tenants/bank.toml", &format!("# changed\n{text}"));
    bank.vestibule.wait_for_counter("vestibule_reloads_total", 1);
    assert_eq!(outcome(&bank, "/", &asked), "certificate_revoked");
    assert_eq!(outcome(&bank, "/", &naming("client", 5701, Some(&server.url("/list.crl")), None)), "certificate_revoked");
    let lists = server.asked().iter().skip(hits).filter(|asked| asked.line.contains("/list.crl")).count();
    assert_eq!(lists, 0, "what was known was asked for again");
}

#[test]
fn a_restart_in_an_outage_knows_what_was_known() {
    let kept = tempfile::tempdir().unwrap();
    let folder = kept.path().join("cache");
    let revocation = format!("{QUICK}cache_folder = \"{}\"\n", folder.display());
    let issuing = &authorities().issuing;
    let server = RevocationServer::start();
    let listed = naming("client", 5800, Some(&server.url("/list.crl")), None);
    let good = naming("client", 5801, Some(&server.url("/list.crl")), None);
    let asked = naming("client", 5802, None, Some(&server.url("/ocsp")));
    let answer = OcspWriter::good(&asked.certificate, &issuing.certificate, UnixTime(now())).sign(&issuing.key);
    server.set("/list.crl", Behaviour::Body(list(&[5800])));
    server.set_any(Behaviour::Body(answer));
    let lines = format!("ocsp = \"leaf\"\n{}", named(&server));
    let judged = |bank: &Bank| [&listed, &good, &asked].map(|client| outcome(bank, "/strict/", client));
    let wanted = ["certificate_revoked", "passed", "passed"];
    let first = open(&lines, &revocation);
    assert_eq!(judged(&first), wanted);
    wait_until(|| std::fs::read_dir(&folder).unwrap().count() == 2, || format!("{:?}", std::fs::read_dir(&folder)));
    let names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    drop(first);
    server.set("/list.crl", Behaviour::Closed);
    server.set_any(Behaviour::Closed);
    let second = open(&lines, &revocation);
    assert_eq!(judged(&second), wanted, "{}", second.vestibule.diagnostics());
    assert_eq!(fetches(&second, "crl", "ok") + fetches(&second, "ocsp", "ok"), 0);
    drop(second);
    // The folder is not believed: what nobody signed is nothing.
    let stranger = &authorities().stranger;
    for path in names {
        let list = path.extension().is_some_and(|ending| ending == "crl");
        let forged = if list {
            stranger.crl_signed_by(&stranger.key, &[], crate::pki::Dates(now() - DAY, now() + DAY))
        } else {
            OcspWriter::good(&asked.certificate, &issuing.certificate, UnixTime(now())).sign(&stranger.key)
        };
        std::fs::write(path, forged).unwrap();
    }
    let third = open(&lines, &revocation);
    assert_eq!(judged(&third), ["revocation_unknown"; 3]);
}

#[test]
fn without_a_folder_nothing_is_kept() {
    let server = RevocationServer::start();
    let client = naming("client", 5900, Some(&server.url("/list.crl")), None);
    server.set_any(Behaviour::Body(list(&[])));
    let upstream = RecordingUpstream::start();
    let first = Vestibule::start(&files(&named(&server), QUICK, &upstream));
    let first = Bank { vestibule: first, upstream };
    assert_eq!(outcome(&first, "/strict/", &client), "passed");
    let entries = || {
        let mut names: Vec<_> =
            std::fs::read_dir(first.vestibule.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(entries(), ["crl", "secrets", "tenants", "trusted-ca", "vestibule.toml"]);
}

#[test]
fn an_answer_that_is_known_is_not_asked_for_again() {
    let server = RevocationServer::start();
    let issuing = &authorities().issuing;
    let client = naming("client", 6000, None, Some(&server.url("/")));
    let answer = |from: i64, until: i64| {
        let written = OcspWriter::good(&client.certificate, &issuing.certificate, UnixTime(now()));
        written.dated(UnixTime(now() + from), Some(UnixTime(now() + until))).sign(&issuing.key)
    };
    server.set_any(Behaviour::Body(answer(-100, 1_000)));
    let lines = format!("ocsp = \"leaf\"\n{}", named(&server));
    let bank = open(&lines, QUICK);
    for _ in 0..5 {
        assert_eq!(outcome(&bank, "/strict/", &client), "passed");
    }
    assert_eq!(all_fetches(&bank, "ocsp"), 1);
    // An ageing one is asked for again, and nobody waits for that.
    server.set_any(Behaviour::Body(answer(-1_000, 20)));
    let bank = open(&lines, &format!("{QUICK}retry_after_failure = \"1s\"\n"));
    assert_eq!(outcome(&bank, "/strict/", &client), "passed");
    server.set_any(Behaviour::Silent);
    let patience = Instant::now() + Duration::from_secs(20);
    while fetches(&bank, "ocsp", "timeout") == 0 {
        assert!(Instant::now() < patience, "{}", bank.vestibule.diagnostics());
        assert_eq!(outcome(&bank, "/strict/", &client), "passed");
    }
}

/// The issuer of the operator's list is known to nobody until a client presents it.
#[test]
fn a_list_waits_for_the_ca_that_signed_it() {
    let server = RevocationServer::start();
    server.set("/list.crl", Behaviour::Body(list(&[6101])));
    let upstream = RecordingUpstream::start();
    let mut text = files(&configured(&server), QUICK, &upstream);
    for (_, text) in text.iter_mut().filter(|(path, _)| path.starts_with("tenants/")) {
        *text = text.replace("intermediates = [\"trusted-ca/issuing.pem\"]\n", "");
    }
    let bank = Bank { vestibule: Vestibule::start(&text), upstream };
    bank.vestibule.wait_for_diagnostics("signed by no CA that is trusted here");
    for (serial, wanted) in [(6100, "passed"), (6101, "certificate_revoked")] {
        let client = naming("client", serial, None, None);
        let chain = pem(&client.certificate) + &pem(&authorities().issuing.certificate);
        let answer = bank.vestibule.ask(Request::get("/strict/").carrying(&escape(&chain)).text());
        assert_eq!(outcome_of(&bank, &answer), wanted);
    }
    assert_eq!(server.hits(), 1);
}

/// No list of the operator's is left out because one of them cannot be had.
#[test]
fn a_dead_url_does_not_hold_up_those_who_are_told_by_another() {
    let server = RevocationServer::start();
    server.set("/list.crl", Behaviour::Body(list(&[])));
    server.set("/dead.crl", Behaviour::Silent);
    let lines = format!("{ROOT}crl_urls = [\"{}\", \"{}\"]", server.url("/dead.crl"), server.url("/list.crl"));
    let bank = open(&lines, "[revocation]\nhttp_timeout = \"15s\"\nfirst_wait = \"15s\"\n");
    bank.vestibule.wait_for_counter("vestibule_revocation_lists", 1);
    assert_eq!(outcome(&bank, "/strict/", &naming("client", 6200, None, None)), "passed");
    assert_eq!((fetches(&bank, "crl", "ok"), fetches(&bank, "crl", "timeout")), (1, 0), "the request waited");
}

#[test]
fn the_operators_list_survives_a_restart_in_an_outage() {
    let kept = tempfile::tempdir().unwrap();
    let revocation = format!("{QUICK}cache_folder = \"{}\"\n", kept.path().display());
    let server = RevocationServer::start();
    server.set("/list.crl", Behaviour::Body(list(&[6300])));
    let client = naming("client", 6300, None, None);
    let first = open(&configured(&server), &revocation);
    assert_eq!(outcome(&first, "/", &client), "certificate_revoked");
    wait_until(|| std::fs::read_dir(kept.path()).unwrap().count() == 1, || "nothing is kept".into());
    drop(first);
    server.set("/list.crl", Behaviour::Silent);
    let second = open(&configured(&server), &revocation);
    assert_eq!(outcome(&second, "/", &client), "certificate_revoked");
    assert_eq!(outcome(&second, "/strict/", &naming("client", 6301, None, None)), "passed");
    assert_eq!(fetches(&second, "crl", "ok"), 0);
}
