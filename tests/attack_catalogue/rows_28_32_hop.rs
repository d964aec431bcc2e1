//! Between the front door and us: secrets, replays, a front door in wrong hands, somebody else's certificate, caches.

use crate::attempt::{assert_log, assert_nobody_else, assert_refused, get, intruder, raw, signing, still_serves, victim};
use crate::bank::{Bank, DOMAIN, KEY, Person, Request, Tenant, authorities, escaped, leaf, person_of};
use crate::http_client::Answer;
use crate::pki::Leaf;
use crate::product::{FrontDoor, RUNNING, SIGNATURE_KEY};
use crate::recording_upstream::{RecordingUpstream, reply};
use crate::signing::{Signed, now};
use crate::tls::Hello;

#[test]
fn row_28_the_secret_stays_one() {
    let next = "the-next-key-fedcba9876543210fedcba9876543210";
    let keys = vec![KEY.to_owned(), next.to_owned()];
    let bank = Bank::with(&Tenant { keys, ..Tenant::default() });
    let own = intruder();
    for key in [KEY, next] {
        let request = Request::get("/").of(&own).instead("cname-api-key", key);
        assert_eq!(raw(&bank, request.text()).status, 200, "both count while one is rotated");
        let received = bank.upstream.take_one();
        assert!(!format!("{received:?}").contains(key), "{received:?}");
    }
    // The key has one place: a header of this name.
    let guesses = [
        Request::get(&format!("/public/?cname-api-key={KEY}")).without("cname-api-key"),
        Request::get("/public/").without("cname-api-key").with("Cookie", &format!("cname-api-key={KEY}")),
        Request::get("/public/").without("cname-api-key").with("Authorization", &format!("Bearer {KEY}")),
        Request::get("/public/").instead("cname-api-key", &KEY[..KEY.len() - 1]),
        Request::get("/public/").instead("cname-api-key", &format!("{KEY}0")),
        Request::get("/public/").instead("cname-api-key", &KEY.to_uppercase()),
        Request::get("/public/").instead("cname-api-key", &format!("{KEY},{next}")),
        Request::get("/public/").instead("cname-api-key", ""),
    ];
    let seen = |answer: &Answer| {
        let id = answer.header("x-request-id").unwrap();
        (answer.status, answer.text().replace(id, ""))
    };
    let mut answers = Vec::new();
    for request in guesses {
        let answer = raw(&bank, request.text());
        let code = bank.refused(&answer, 403);
        assert!(["front_door_key_missing", "front_door_key_wrong"].contains(&code.as_str()), "{code}");
        answers.push(seen(&answer));
    }
    assert!(answers.iter().all(|answer| answer == &answers[0]), "a guess learns nothing");
    let said = bank.vestibule.access_text() + &bank.vestibule.diagnostics() + &bank.vestibule.ask_admin("/metrics").text();
    for secret in [KEY, next, "BEGIN%20CERTIFICATE"] {
        assert!(!said.contains(secret), "{secret} was logged");
    }
}

fn signed(person: &Person) -> Signed {
    let signed = Signed::get("/payments/1", "edge1", SIGNATURE_KEY);
    signed.line("client-certificate", &escaped(&person.certificate)).line("client-certificate-ca-verified", "FAILED")
}

#[test]
fn row_29_a_request_that_was_seen_on_the_way() {
    let bank = signing();
    let seen = signed(&intruder()).text();
    assert_eq!(raw(&bank, &seen).status, 200);
    assert_nobody_else(&bank.upstream.take_one(), true, "the first time");
    for _ in 0..3 {
        assert_eq!(bank.refused(&raw(&bank, &seen), 403), "signature_replayed");
    }
    let old = Signed { created: now() - 120, ..signed(&intruder()) };
    assert_eq!(bank.refused(&raw(&bank, old.text()), 403), "signature_too_old");
    let early = Signed { created: now() + 120, ..signed(&intruder()) };
    assert_eq!(bank.refused(&raw(&bank, early.text()), 403), "signature_from_the_future");
    // With another nonce it is another text, and not signed.
    let renewed = seen.replacen("nonce=\"", "nonce=\"0", 1);
    assert_eq!(bank.refused(&raw(&bank, &renewed), 403), "signature_wrong");
}

/// Not ours to prevent; what bounds it is: whoever has the key can send real certificates and nothing else.
#[test]
fn row_30_a_front_door_in_wrong_hands() {
    let headers = "[front_doors.headers]\nssl_client_s_dn = \"x-dn\"\nssl_client_serial = \"x-serial\"\n";
    let bank = Bank::with(&Tenant { door_lines: headers.to_owned(), ..Tenant::default() });
    let success = |request: Request| request.instead("client-certificate-ca-verified", "SUCCESS");
    let made_up = person_of(&authorities().stranger, &leaf("victim"));
    let server = crate::bank::person(&Leaf { client_auth: false, ..leaf("victim") });
    for (request, codes) in [
        (success(Request::get("/").of(&made_up)), "certificate_untrusted"),
        (success(Request::get("/").of(&server)), "certificate_purpose"),
        (success(Request::get("/").of(&intruder()).with("x-dn", "CN=victim,O=Vestibule Test")), "forwarded_dn_mismatch"),
        (success(Request::get("/").of(&intruder()).with("x-serial", "01")), "forwarded_field_mismatch"),
        (success(Request::get("/")), "forwarded_verdict_contradicts"),
        (success(Request::get("/").with("x-dn", "CN=victim")), "forwarded_verdict_contradicts"),
    ] {
        assert_refused(&bank, &raw(&bank, request.text()), &[codes, "forwarded_dn_mismatch", "certificate_withheld"], codes);
    }
    // Nor can it speak for the upstream's headers.
    let lies = success(Request::get("/").of(&intruder())).with("ssl-client-verify", "SUCCESS").with("x-client-cn", "victim");
    assert_eq!(raw(&bank, lies.text()).status, 200);
    assert_nobody_else(&bank.upstream.take_one(), true, "its own words");
}

#[test]
fn row_31_the_own_certificate_and_somebody_elses_in_the_header() {
    let (own, victim) = (intruder(), escaped(&victim().certificate));
    let lines = format!("client-certificate: {victim}\r\nclient-certificate-ca-verified: SUCCESS\r\n");
    for kind in RUNNING {
        let door = FrontDoor::open(kind);
        for lines in [lines.clone(), lines.to_uppercase().replace(&victim.to_uppercase(), &victim), lines.replace('-', "_")] {
            let answer = door.ask(&Hello::of(Some(&own)), get("/", &lines));
            for received in door.bank.upstream.take() {
                assert_nobody_else(&received, true, kind);
            }
            assert!(matches!(answer.status, 200 | 400..=499), "{kind}: {answer:?}");
        }
        still_serves(&door, &own);
        assert_log(&door.bank, &[&own]);
    }
    // Past the front door the certificate is exchanged, taken away or added: the signature covers it.
    let bank = signing();
    let text = signed(&own).text();
    let exchanged = text.replacen(&escaped(&own.certificate), &victim, 1);
    let line = text.split("\r\n").find(|line| line.starts_with("client-certificate:")).unwrap();
    let taken = text.replacen(&format!("{line}\r\n"), "", 1);
    let nobody = Signed::get("/payments/1", "edge1", SIGNATURE_KEY).text();
    let added = nobody.replacen("\r\n", &format!("\r\nclient-certificate: {victim}\r\n"), 1);
    let doubled = text.replacen("\r\n", &format!("\r\nclient-certificate: {victim}\r\n"), 1);
    for (what, text) in [("exchanged", exchanged), ("taken away", taken), ("added", added), ("doubled", doubled)] {
        let code = bank.refused(&raw(&bank, text), 403);
        assert!(["signature_wrong", "signature_uncovered"].contains(&code.as_str()), "{what}: {code}");
    }
    assert_log(&bank, &[]);
    // nginx with njs and HAProxy sign what they saw themselves, not what a client sent.
    for kind in ["nginx", "haproxy"] {
        let door = FrontDoor::before(kind, signing(), &[]);
        let answer = door.ask(&Hello::of(Some(&own)), get("/", &lines));
        assert_eq!(answer.status, 200, "{kind}: {} {}", door.said(), door.bank.vestibule.access_line(&answer));
        assert_nobody_else(&door.bank.upstream.take_one(), true, kind);
    }
}

#[test]
fn row_32_an_answer_for_one_client_given_to_another() {
    for (said, private) in [
        ("", true),
        ("cache-control: max-age=600\r\n", true),
        ("cache-control: no-cache, max-age=\"1, public, 2\"\r\n", true),
        ("expires: Thu, 01 Jan 2099 00:00:00 GMT\r\nlast-modified: Thu, 01 Jan 2015 00:00:00 GMT\r\n", true),
        ("cache-control: private=\"set-cookie\", max-age=600\r\n", true),
        // Who says so in so many words knows what may be shared.
        ("cache-control: Public, max-age=600\r\n", false),
        ("cache-control: max-age=1\r\ncache-control: s-maxage=600\r\n", false),
        ("cache-control: no-store\r\n", false),
        ("cache-control: PRIVATE\r\n", false),
    ] {
        let upstream = RecordingUpstream::answering(move |_, stream| reply(stream, said, b"for your eyes"));
        let bank = Bank::before(&Tenant::default(), upstream);
        for (path, request) in [
            ("/", Request::get("/").of(&intruder())),
            ("/public/", Request::get("/public/").of_nobody()),
            ("/permissive/", Request::get("/permissive/").of(&intruder())),
        ] {
            let answer = raw(&bank, request.text());
            assert_eq!(answer.status, 200, "{path}");
            let lines = answer.all("cache-control");
            let own = said.lines().filter(|line| line.starts_with("cache-control")).count();
            assert_eq!(lines.len(), own + usize::from(private), "{path}: {said:?} became {lines:?}");
            assert_eq!(lines.last() == Some(&"private"), private, "{path}: {said:?} became {lines:?}");
        }
        // A route that looks at no certificate tells nobody apart.
        let answer = raw(&bank, Request::get("/off/").text());
        assert_ne!(answer.all("cache-control").last(), Some(&"private"), "{said:?}");
        for refused in [raw(&bank, Request::get("/").of_nobody().text()), raw(&bank, get("/", ""))] {
            assert_eq!(refused.all("cache-control"), ["no-store"]);
        }
        bank.upstream.take();
    }
    // Through the front doors nothing takes it away.
    for kind in RUNNING {
        let upstream = RecordingUpstream::answering(|_, stream| reply(stream, "", b"for your eyes"));
        let door = FrontDoor::before(kind, Bank::before(&Tenant::default(), upstream), &[]);
        let answer = door.ask(&Hello::of(Some(&intruder())), get("/", ""));
        assert_eq!(answer.all("cache-control"), ["private"], "{kind}: {DOMAIN} {answer:?}");
    }
}
