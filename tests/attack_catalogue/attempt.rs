//! An attack and what came of it: the answer, what the upstream saw, what the access log says.

use openssl::hash::MessageDigest;

use crate::bank::{Bank, DOMAIN, KEY, Person, Tenant, files, leaf, person};
use crate::http_client::{Answer, Client};
use crate::product::{FrontDoor, RUNNING, SIGNATURE_KEY};
use crate::recording_upstream::{Received, RecordingUpstream};
use crate::tls::Hello;
use crate::vestibule_program::Vestibule;

/// Whom the attackers want to be. A certificate is public: they have it, and not its key.
pub(crate) fn victim() -> Person {
    person(&leaf("victim"))
}

/// The attacker's own name, where there is one.
pub(crate) const OWN: &str = "intruder";

pub(crate) fn intruder() -> Person {
    person(&leaf(OWN))
}

pub(crate) fn sha256(person: &Person) -> String {
    hex::encode(person.certificate.digest(MessageDigest::sha256()).unwrap())
}

/// A request as a client sends it to a front door.
pub(crate) fn get(target: &str, lines: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nhost: {DOMAIN}\r\n{lines}\r\n")
}

/// A bank whose front door has these lines. Intermediates come with the requests alone.
pub(crate) fn bank(lines: &str) -> Bank {
    Bank::with(&Tenant { door_lines: format!("{lines}\n"), trust_lines: String::new(), ..Tenant::default() })
}

/// A bank whose front door proves itself so.
pub(crate) fn proving(proofs: &str, lines: &str) -> Bank {
    let upstream = RecordingUpstream::start();
    let mut files = files(&[(Tenant { door_lines: lines.to_owned(), ..Tenant::default() }, upstream.url())]);
    for (_, text) in &mut files {
        *text = text.replace("proofs = [\"api_key\"]", &format!("proofs = [{proofs}]"));
        *text = text.lines().filter(|line| !line.starts_with("cname_api_keys")).collect::<Vec<_>>().join("\n");
    }
    files.push(("secrets/edge1".into(), openssl::base64::encode_block(SIGNATURE_KEY)));
    Bank { vestibule: Vestibule::start(&files), upstream }
}

pub(crate) fn signing() -> Bank {
    proving("\"signature\"", "[[front_doors.signature_keys]]\nkeyid = \"edge1\"\nsecret_file = \"secrets/edge1\"\n")
}

/// What the upstream saw of somebody without a certificate, or of the intruder under the intruder's own name.
#[track_caller]
pub(crate) fn assert_nobody_else(received: &Received, own: bool, what: &str) {
    let (verify, name) = if own { ("SUCCESS", OWN) } else { ("NONE", "") };
    assert_eq!(received.header("ssl-client-verify"), verify, "{what}: {received:?}");
    assert_eq!(received.header("x-client-cn"), name, "{what}: {received:?}");
    assert!(received.trailers.is_empty(), "{what}: {received:?}");
    let text = format!("{received:?}");
    for secret in ["victim", "CERTIFICATE", KEY, "192.0.2.1"] {
        assert!(!text.contains(secret), "{what}: {secret} in {text}");
    }
    for ours in ["ssl-client-verify", "x-client-cn", "x-forwarded-for"] {
        let fold = |name: &str| name.replace(['_', '.'], "-");
        assert!(received.headers.iter().filter(|(name, _)| fold(name) == ours).count() <= 1, "{what}: {received:?}");
    }
}

/// The log holds no key, and knows no certificate but these.
#[track_caller]
pub(crate) fn assert_log(bank: &Bank, own: &[&Person]) {
    let own: Vec<String> = own.iter().map(|person| sha256(person)).collect();
    for line in bank.vestibule.access_lines() {
        let fingerprint = line["cert.fingerprint"].as_str();
        assert!(fingerprint.is_none_or(|found| own.iter().any(|own| own == found)), "{line}");
    }
    assert!(!bank.vestibule.access_text().contains(KEY) && !bank.vestibule.diagnostics().contains(KEY));
}

/// Sends header lines through every product: without a certificate and with the intruder's own, where one is required and where
/// none is. Lines that change nothing pass; nothing else does.
pub(crate) fn through_every_door(attacks: &[String]) {
    let intruder = intruder();
    for kind in RUNNING {
        let door = FrontDoor::open(kind);
        for lines in attacks {
            let what = format!("{kind}: {}", lines.chars().take(120).collect::<String>());
            let required = door.ask(&Hello::of(None), get("/", lines));
            assert!((400..500).contains(&required.status), "{what}: {required:?}");
            assert_eq!(door.bank.upstream.take().len(), 0, "{what}");
            for person in [None, Some(&intruder)] {
                let answer = door.ask(&Hello::of(person), get("/public/", lines));
                judge(&door, &answer, person.is_some(), &what);
            }
        }
        still_serves(&door, &intruder);
        assert_log(&door.bank, &[&intruder]);
    }
}

/// Refused without a trace, or passed for what the client is.
#[track_caller]
pub(crate) fn judge(door: &FrontDoor, answer: &Answer, own: bool, what: &str) {
    let received = door.bank.upstream.take();
    assert!(matches!(answer.status, 0 | 200 | 400..=499 | 501), "{what}: {answer:?}");
    assert_eq!(received.len(), usize::from(answer.status == 200), "{what}: {answer:?}");
    for received in &received {
        assert_nobody_else(received, own, what);
    }
}

/// The door serves those who attack nothing: a refusal was one of the attack.
#[track_caller]
pub(crate) fn still_serves(door: &FrontDoor, intruder: &Person) {
    let answer = door.ask(&Hello::of(Some(intruder)), get("/", ""));
    assert_eq!(answer.status, 200, "{}: {answer:?} {}", door.kind, door.said());
    assert_nobody_else(&door.bank.upstream.take_one(), true, door.kind);
}

/// Bytes past every front door, straight to Vestibule.
pub(crate) fn raw(bank: &Bank, bytes: impl AsRef<[u8]>) -> Answer {
    Client::tcp(bank.vestibule.port()).ask(bytes)
}

/// Refused before anything else, or with a code of ours; the upstream saw nothing.
#[track_caller]
pub(crate) fn assert_refused(bank: &Bank, answer: &Answer, codes: &[&str], what: &str) {
    assert_eq!(bank.upstream.take().len(), 0, "{what}");
    assert!((400..500).contains(&answer.status), "{what}: {answer:?}");
    let code = bank.vestibule.code(answer);
    assert!(codes.contains(&code.as_str()), "{what}: {code}");
}
