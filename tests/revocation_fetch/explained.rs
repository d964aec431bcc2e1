//! Why a status is not known stands in the refusal's cause, with what would mend it.

use crate::bank::{Bank, Person, Request};
use crate::revocation_server::{Behaviour, RevocationServer};
use crate::set_up::{QUICK, naming, open};

fn cause(bank: &Bank, person: &Person) -> String {
    let answer = bank.vestibule.ask(Request::get("/strict/").of(person).text());
    let line = bank.vestibule.access_line(&answer);
    assert_eq!(line["refusal.code"], "revocation_unknown", "{line}");
    line["refusal.cause"].as_str().unwrap().to_owned()
}

#[test]
fn the_cause_says_what_is_in_the_way() {
    let server = RevocationServer::start();
    server.set_any(Behaviour::Status(503));
    let (list, ocsp) = (server.url("/a.crl"), server.url("/ocsp"));
    let root = "crl = [\"crl/root.pem\"]\n";
    let other = "revocation_hosts = [\"other.example\"]";
    let this = format!("revocation_hosts = [\"{}\"]", server.host());
    let open_to = |lines: &str| open(&format!("{root}{lines}"), QUICK);
    for (lines, crl, responder, wanted) in [
        (
            other.to_owned(),
            Some(list.as_str()),
            None,
            format!("the list {list} that the certificate names is not asked: its host is not in `revocation_hosts`"),
        ),
        (
            format!("ocsp = \"leaf\"\n{other}"),
            None,
            Some(ocsp.as_str()),
            format!("the OCSP responder {ocsp} that the certificate names is not asked: its host is not in `revocation_hosts`"),
        ),
        (this.clone(), Some(list.as_str()), None, "`allow_private_addresses` would allow it".to_owned()),
        (
            format!("{this}\nallow_private_addresses = true"),
            Some(list.as_str()),
            None,
            format!("the list {list}: HTTP status 503"),
        ),
        (this.clone(), None, None, "the certificate names no list, and none is configured".to_owned()),
        (
            format!("ocsp = \"leaf\"\n{this}"),
            None,
            None,
            "the certificate names no OCSP responder, and none is configured".to_owned(),
        ),
        (format!("crl_urls = [\"{list}\"]"), None, None, format!("the list {list}: HTTP status 503")),
        (
            String::new(),
            None,
            None,
            "nothing is fetched for this set of CAs: `crl_urls`, `revocation_hosts` or `ocsp` would".to_owned(),
        ),
    ] {
        let bank = open_to(&lines);
        let said = cause(&bank, &naming("client", 9200, crl, responder));
        assert!(said.contains(&wanted), "no {wanted:?} in {said:?}");
    }
}
