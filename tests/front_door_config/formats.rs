//! Formats and proofs other than nginx's and a key, each written by the products that can write it.

use crate::bank::{Bank, DOMAIN, Person, Tenant, files, good, leaf, person};
use crate::clients::get;
use crate::product::{FrontDoor, SIGNATURE_KEY};
use crate::recording_upstream::RecordingUpstream;
use crate::tls::Hello;
use crate::vestibule_program::Vestibule;

/// A bank whose front door has these lines and proofs.
pub(crate) fn bank(lines: &str, proofs: &str) -> Bank {
    let upstream = RecordingUpstream::start();
    let tenant = Tenant { door_lines: lines.to_owned(), ..Tenant::default() };
    let mut files = files(&[(tenant, upstream.url())]);
    for (_, text) in &mut files {
        *text = text.replace("proofs = [\"api_key\"]", &format!("proofs = [{proofs}]"));
        if !proofs.contains("api_key") {
            *text = text.lines().filter(|line| !line.starts_with("cname_api_keys")).collect::<Vec<_>>().join("\n");
        }
    }
    files.push(("secrets/edge1".into(), openssl::base64::encode_block(SIGNATURE_KEY)));
    Bank { vestibule: Vestibule::start(&files), upstream }
}

pub(crate) const SIGNATURE: &str = "[[front_doors.signature_keys]]\nkeyid = \"edge1\"\nsecret_file = \"secrets/edge1\"\n";

/// Good clients are known, others are not, whatever they send.
fn works(door: &FrontDoor, what: &str, known: &Person) {
    let victim = crate::bank::escaped(&person(&leaf("victim")).certificate);
    for target in ["/public/", "/public/?", "/public/a%2Fb?x=1&y=%20", "/public/?a?b"] {
        for (person, verify) in [(Some(known), "SUCCESS"), (None, "NONE")] {
            for lines in ["", "x-request-id: stolen-0123456789\r\n", &format!("client-certificate: {victim}\r\n")] {
                let answer = door.ask(&Hello::of(person), get(DOMAIN, target, lines));
                assert_eq!(answer.status, 200, "{what} {target}: {} {}", door.bank.vestibule.code(&answer), door.said());
                let received = door.bank.upstream.take_one();
                assert_eq!((received.header("ssl-client-verify"), received.target.as_str()), (verify, target), "{what}");
                assert!(!format!("{received:?}").contains("victim"), "{what} {received:?}");
                for name in ["signature", "signature-input", "cname-api-key"] {
                    assert_eq!(received.header(name), "", "{what}");
                }
            }
        }
    }
    let answer = door.ask(&Hello::of(None), get(DOMAIN, "/", ""));
    assert_eq!(door.bank.refused(&answer, 401), "certificate_required", "{what}");
}

#[test]
fn each_product_writes_the_formats_that_it_can() {
    let known = good();
    for (kind, formats) in [
        ("nginx", &["auth0"][..]),
        ("haproxy", &["haproxy", "rfc9440"]),
        ("apache", &["apache", "apache-escape", "apache-base64"]),
        ("caddy", &["caddy", "rfc9440"]),
    ] {
        for format in formats {
            let what = format!("{format} by {kind}");
            let door = FrontDoor::before(kind, bank(&format!("format = \"{format}\"\n"), "\"api_key\""), &[]);
            works(&door, &what, &known);
        }
    }
}

#[test]
fn nginx_with_njs_and_haproxy_really_sign() {
    let known = good();
    let ids = "[front_doors.headers]\nrequest_id = \"x-request-id\"\nssl_server_name = \"x-sni\"\n";
    for (kind, format) in [("nginx", "nginx"), ("haproxy", "nginx"), ("haproxy", "haproxy"), ("haproxy", "rfc9440")] {
        for proofs in ["\"signature\"", "\"api_key\", \"signature\""] {
            let lines = format!("format = \"{format}\"\nsignature_tag = \"vestibule\"\n{SIGNATURE}{ids}");
            let door = FrontDoor::before(kind, bank(&lines, proofs), &[]);
            works(&door, &format!("{format} by {kind}, {proofs}"), &known);
        }
    }
}

#[test]
fn a_product_with_another_signature_key_is_nobody() {
    for kind in ["nginx", "haproxy"] {
        let bank = bank(SIGNATURE, "\"signature\"");
        // The front door keeps the old key.
        bank.vestibule.replace_file("secrets/edge1", &openssl::base64::encode_block(b"another key of thirty-two bytes!"));
        bank.vestibule.wait_for_counter("vestibule_reloads_total", 1);
        let door = FrontDoor::before(kind, bank, &[]);
        let answer = door.ask(&Hello::of(Some(&good())), get(DOMAIN, "/public/", ""));
        assert_eq!(door.bank.refused(&answer, 403), "signature_wrong", "{kind}");
    }
}
