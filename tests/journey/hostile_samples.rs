//! Requests that clients sent to real front doors to pass for somebody else, now sent to Vestibule: as a stranger, and as they
//! would come out of a front door that removes nothing and adds its key.

use std::collections::BTreeMap;

use crate::bank::{Bank, DOMAIN, KEY, escaped, good};
use crate::http_client::Answer;

/// The recorded requests, with our names and a genuine certificate in place of `SPOOF`.
fn samples() -> BTreeMap<String, Vec<u8>> {
    let text = include_str!("../vectors/front-doors/hostile-requests.json");
    let recorded: BTreeMap<String, String> = serde_json::from_str(text).unwrap();
    let certificate = escaped(&good().certificate);
    let ours = |sample: &str| -> Vec<u8> {
        let renamed = [
            ("X-Client-Cert", "client-certificate"),
            ("x-client-cert", "Client-certificate"),
            ("X-CLIENT-CERT", "CLIENT-CERTIFICATE"),
            ("X_Client_Cert", "client_certificate"),
            ("X-Client_Cert", "client_certificate"),
            ("X.Client.Cert", "client.certificate"),
            ("X-Client\u{ad}Cert", "client\u{ad}certificate"),
            ("X-Client-Verify", "client-certificate-ca-verified"),
            ("X-Client-S-Dn", "ssl-client-s-dn"),
            ("front.example.test", DOMAIN),
            ("SPOOF", certificate.as_str()),
        ];
        let text = renamed.iter().fold(sample.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours));
        // The file holds bytes as Latin-1.
        text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
    };
    recorded.iter().map(|(name, sample)| (name.clone(), ours(sample))).collect()
}

/// What a stranger or a careless front door adds right after the request line.
fn with_lines(request: &[u8], lines: &str) -> Vec<u8> {
    let at = request.windows(2).position(|two| two == b"\r\n").unwrap() + 2;
    [&request[..at], lines.as_bytes(), &request[at..]].concat()
}

fn answer(bank: &Bank, request: &[u8]) -> Answer {
    let answer = bank.vestibule.ask(request);
    assert!(answer.status >= 400 || answer.status == 200, "{answer:?}");
    answer
}

#[test]
fn none_of_them_passes_without_the_key() {
    let bank = Bank::open();
    for (name, request) in samples() {
        for key in ["", "cname-api-key: guess\r\n"] {
            let answer = answer(&bank, &with_lines(&request, key));
            assert!(matches!(answer.status, 400 | 403), "{name}: {answer:?}");
            assert_eq!(bank.upstream.take().len(), 0, "{name}");
        }
    }
    bank.assert_still_serves();
}

#[test]
fn none_of_them_comes_out_as_somebody_when_a_careless_front_door_adds_its_key() {
    let bank = Bank::open();
    let door = format!("cname-api-key: {KEY}\r\nx-forwarded-for: 203.0.113.9\r\nclient-certificate-ca-verified: NONE\r\n");
    for (name, request) in samples() {
        // On a route that lets nobody in, and on one that lets everybody in.
        for path in ["/t", "/public/t", "/permissive/t"] {
            let at = request.windows(3).position(|three| three == b"/t?");
            // One of them names a whole URL, which is refused whatever its path.
            let request = at.map_or(request.clone(), |at| [&request[..at], path.as_bytes(), &request[at + 2..]].concat());
            let answer = answer(&bank, &with_lines(&request, &door));
            for received in bank.upstream.take() {
                assert_ne!(path, "/t", "{name}: {received:?}");
                assert_eq!(received.header("ssl-client-verify"), "NONE", "{name}: {received:?}");
                assert!(received.trailers.is_empty(), "{name}: {received:?}");
                let text = format!("{received:?}").to_lowercase();
                assert!(!text.contains("certificate") && !text.contains("api-key"), "{name}: {text}");
                assert!(!text.contains("spiffe") && !text.contains("hash=bb"), "{name}: {text}");
            }
            if answer.status == 200 {
                assert_ne!(path, "/t", "{name}");
            }
        }
    }
    bank.assert_still_serves();
}
