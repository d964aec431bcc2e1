//! `ocsp = "on"`: every certificate below the anchor is asked about, the intermediate too.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use vestibule::clock::UnixTime;
use vestibule::x509::ocsp::request;

use crate::bank::{authorities, now};
use crate::ocsp_writer::{OcspWriter, UNKNOWN, revoked};
use crate::pki::DAY;
use crate::revocation_server::{Behaviour, RevocationServer};
use crate::set_up::{MODES, QUICK, fetches, naming, open, outcome};

#[test]
fn the_status_of_the_intermediate_counts() {
    let authorities = authorities();
    let (root, issuing) = (&authorities.root, &authorities.issuing);
    let at = UnixTime(now());
    let client = naming("client", 9000, None, None);
    let of_client = || OcspWriter::good(&client.certificate, &issuing.certificate, at);
    let of_issuing = || OcspWriter::good(&issuing.certificate, &root.certificate, at);
    let bad = revoked(at.plus(-DAY), Some(2));
    let (passed, unknown, refused) = ("passed", "revocation_unknown", "certificate_revoked");
    for (what, ocsp, leaf, intermediate, wanted) in [
        ("both good", "on", of_client(), Some(of_issuing()), [passed; 3]),
        ("intermediate revoked", "on", of_client(), Some(of_issuing().status(&bad)), [passed, refused, refused]),
        ("client revoked", "on", of_client().status(&bad), Some(of_issuing()), [passed, refused, refused]),
        ("intermediate unknown", "on", of_client(), Some(of_issuing().status(UNKNOWN)), [passed, passed, unknown]),
        ("nobody answers for the intermediate", "on", of_client(), None, [passed, passed, unknown]),
        // The one above it is nobody's question, so nobody hears that it was revoked.
        ("leaf only", "leaf", of_client(), Some(of_issuing().status(&bad)), [passed, passed, unknown]),
    ] {
        let server = RevocationServer::start();
        server.set_any(Behaviour::Body(leaf.sign(&issuing.key)));
        let asked = request(&issuing.certificate, &root.certificate, None).unwrap();
        let path = format!("/{}", utf8_percent_encode(&STANDARD.encode(asked), NON_ALPHANUMERIC));
        let answer = intermediate.map_or(Behaviour::Status(404), |answer| Behaviour::Body(answer.sign(&root.key)));
        server.set(&path, answer);
        let bank = open(&format!("ocsp = \"{ocsp}\"\nocsp_responder = \"{}\"", server.url("/")), QUICK);
        for ((mode, route), wanted) in MODES.into_iter().zip(wanted) {
            assert_eq!(outcome(&bank, route, &client), wanted, "{what}, {mode}: {}", bank.vestibule.diagnostics());
        }
        let asked_about_it = server.asked().iter().any(|asked| asked.line.contains(&path));
        assert_eq!(asked_about_it, ocsp == "on", "{what}");
        assert!(fetches(&bank, "ocsp", "ok") >= 1, "{what}");
    }
}
