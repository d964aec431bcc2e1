//! `vestibule verify` answers every line, whatever stands on it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support {
    pub(crate) mod pki;
}

use proptest::prelude::*;
use serde_json::{Value, json};
use support::pki::{Ca, Leaf};

fn answers(input: &[u8]) -> Vec<Value> {
    let mut output = Vec::new();
    vestibule::cli::verify::run(&mut &*input, &mut output).unwrap();
    let lines = output.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

fn row() -> Value {
    let root = Ca::root("Root");
    let pem = |x509: &openssl::x509::X509| String::from_utf8(x509.to_pem().unwrap()).unwrap();
    json!({
        "id": "one", "leaf": pem(&root.issue(&Leaf::named("client"))), "trust_anchors": [pem(&root.certificate)],
        "intermediates": [], "crls": null, "validation_time": "2026-01-15T12:00:00.5+00:00", "purpose": "client",
        "max_depth": null, "revocation": "soft", "anchor_mode": "rfc5280", "policy": null, "peer_name": null, "more": [1],
    })
}

#[test]
fn a_row_is_judged() {
    let answer = answers(row().to_string().as_bytes()).remove(0);
    assert_eq!(answer["id"], "one");
    assert_eq!(answer["result"], "accept", "{answer}");
    assert_eq!(answer["reason"], "SUCCESS");
    let findings = json!({"chain": "trusted", "validity": "valid", "purpose": "suitable", "revocation": "not_checked"});
    assert_eq!(answer["findings"], findings);
}

#[test]
fn one_key_changed() {
    let cases = [
        ("validation_time", json!("2036-01-15T12:00:00Z"), "reject", "certificate has expired"),
        ("validation_time", json!("yesterday"), "error", "validation_time"),
        ("validation_time", json!(5), "error", "expected a string"),
        ("purpose", json!("server"), "reject", "unsuitable certificate purpose"),
        ("purpose", json!("any"), "accept", "SUCCESS"),
        ("purpose", json!("other"), "error", "other"),
        ("revocation", json!("hard"), "reject", "unable to get certificate CRL"),
        ("revocation", json!("none"), "accept", "SUCCESS"),
        ("trust_anchors", json!([]), "reject", "no trust anchor"),
        ("trust_anchors", json!(["junk"]), "reject", "is not a certificate"),
        ("trust_anchors", json!("junk"), "error", "expected a sequence"),
        ("intermediates", json!(["junk"]), "accept", "intermediate 1 left out"),
        ("crls", json!(["junk"]), "reject", "is not a CRL"),
        ("leaf", json!("junk"), "reject", "cannot be read"),
        ("leaf", json!(null), "error", "expected a string"),
        ("leaf", json!({}), "error", "expected a string"),
        ("max_depth", json!(-1), "error", "-1"),
        ("policy", json!({"initial_policy_set": ["1.2.3"], "explicit": true}), "reject", "no explicit policy"),
        ("policy", json!({"initial_policy_set": ["x"]}), "error", "object identifier"),
        ("id", json!(7), "accept", "SUCCESS"),
    ];
    let row = row();
    for (key, value, result, reason) in cases {
        let mut changed = row.clone();
        changed[key] = value.clone();
        let answer = answers(changed.to_string().as_bytes()).remove(0);
        assert_eq!(answer["result"], result, "{key} {value}: {answer}");
        assert!(answer["reason"].as_str().unwrap().contains(reason), "{key} {value}: {answer}");
        assert_eq!(answer["id"], changed["id"]);
    }
}

#[test]
fn a_bad_line_does_not_stop_the_next() {
    let good = row().to_string();
    let deep = "[".repeat(100_000);
    let long = "x".repeat(16 * 1024 * 1024 + 1);
    let bad =
        [b"{".as_slice(), b"\xff\xfe", b"null", b"[]", b"{}", b"\"x\"", b"{\"id\":[1]}", deep.as_bytes(), long.as_bytes()];
    let mut input = Vec::new();
    for line in bad {
        input.extend_from_slice(line);
        input.extend_from_slice(b"\n\r\n");
        input.extend_from_slice(good.as_bytes());
        input.push(b'\n');
    }
    let answers = answers(&input);
    assert_eq!(answers.len(), bad.len() * 2);
    for pair in answers.chunks(2) {
        assert_eq!((&pair[0]["result"], &pair[1]["result"]), (&json!("error"), &json!("accept")), "{}", pair[0]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn garbage_gets_an_answer(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..5)) {
        let lines: Vec<Vec<u8>> = lines.into_iter().map(|line| line.into_iter().filter(|octet| *octet != b'\n').collect()).collect();
        let wanted = lines.iter().filter(|line| !line.iter().all(u8::is_ascii_whitespace)).count();
        let found = answers(&lines.join(&b'\n'));
        prop_assert_eq!(found.len(), wanted);
        prop_assert!(found.iter().all(|answer| answer["result"] != "accept"));
    }

    #[test]
    fn a_broken_certificate_is_never_accepted(at in 0_usize..2000, bit in 0_u8..8) {
        let mut row = row();
        let block = pem::parse(row["leaf"].as_str().unwrap()).unwrap();
        let mut der = block.into_contents();
        let at = at % der.len();
        der[at] ^= 1 << bit;
        row["leaf"] = json!(pem::encode(&pem::Pem::new("CERTIFICATE", der)));
        let answer = answers(row.to_string().as_bytes()).remove(0);
        prop_assert_eq!(&answer["result"], "reject", "octet {} bit {}", at, bit);
    }
}
