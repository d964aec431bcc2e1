//! One set of CAs asks without a nonce, another one requires it: what the first one heard is not enough for the second.

use openssl::ocsp::OcspRequest;
use vestibule::clock::UnixTime;

use crate::bank::{self, Bank, Request, authorities, now};
use crate::ocsp_writer::{OcspWriter, revoked};
use crate::pki::DAY;
use crate::recording_upstream::RecordingUpstream;
use crate::revocation_server::{Behaviour, RevocationServer};
use crate::set_up::{QUICK, naming, outcome_of, tenant};
use crate::vestibule_program::Vestibule;

#[test]
fn an_answer_without_a_nonce_is_not_borrowed() {
    let issuing = &authorities().issuing;
    let client = naming("client", 9100, None, None);
    let at = UnixTime(now());
    let answer = || OcspWriter::good(&client.certificate, &issuing.certificate, at);
    for (what, answer, wanted) in [
        ("good", answer(), "revocation_unknown"),
        ("revoked", answer().status(&revoked(at.plus(-DAY), None)), "certificate_revoked"),
    ] {
        let server = RevocationServer::start();
        server.set_any(Behaviour::Body(answer.sign(&issuing.key)));
        let lines = |nonce: &str| {
            format!(
                "crl = [\"crl/root.pem\"]\nocsp = \"leaf\"\nocsp_nonce = \"{nonce}\"\nocsp_responder = \"{}\"",
                server.url("/")
            )
        };
        let upstream = RecordingUpstream::start();
        let lax = tenant(&lines("off"));
        let careful = bank::Tenant { name: "careful".into(), domain: "careful.example".into(), ..tenant(&lines("require")) };
        let mut files = bank::files(&[(lax, upstream.url()), (careful, upstream.url())]);
        files[0].1.push_str(QUICK);
        let root = pem::encode(&pem::Pem::new("X509 CRL", crate::set_up::list_of_root()));
        files.push(("crl/root.pem".into(), root));
        let bank = Bank { vestibule: Vestibule::start(&files), upstream };
        let asked = |host: &str| bank.vestibule.ask(Request::get("/strict/").instead("Host", host).of(&client).text());
        let first = outcome_of(&bank, &asked(bank::DOMAIN));
        assert_eq!(first, if what == "good" { "passed" } else { "certificate_revoked" });
        assert_eq!(outcome_of(&bank, &asked("careful.example")), wanted, "{what}");
        // Without a nonce the request goes into the URL.
        let with_nonce = server.asked().iter().filter(|asked| OcspRequest::from_der(&asked.body).is_ok()).count();
        assert_eq!(with_nonce, usize::from(what == "good"), "{what}: {:?}", server.asked());
    }
}
