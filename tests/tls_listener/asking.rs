//! Who is asked for a certificate, and by the names of which CAs.

use vestibule::tls::{AskedHost, BuildError, ServerCertificate, ServerNames};

use crate::bank::{authorities, good, leaf, person_of};
use crate::set_up::{ALIAS, ASKED, BY_ALIAS, ClientFiles, House, NO_DOMAIN, OTHERS, QUIET};

const ROOT: &str = "CN = Journey Root";
const ISSUING: &str = "CN = Journey Issuing";
const NAMES: &str = "Acceptable client certificate CA names";
/// What s_client prints when there was a CertificateRequest.
const REQUESTED: &str = "Requested Signature Algorithms:";

fn seen(house: &House, name: &str) -> [String; 2] {
    ["-tls1_2", "-tls1_3"].map(|version| ClientFiles::of(None).s_client(house.port(), &["-servername", name, version]))
}

#[test]
fn ca_names_are_those_of_the_hosts_own_tenant() {
    let house = House::open();
    for name in [ASKED, ALIAS] {
        for said in seen(&house, name) {
            assert!(said.contains(NAMES) && said.contains(ROOT) && said.contains(ISSUING), "{name}: {said}");
        }
    }
    for said in seen(&house, OTHERS) {
        let names = said.split(NAMES).nth(1).unwrap_or_else(|| panic!("{said}")).split(REQUESTED).next().unwrap();
        assert!(names.contains(ISSUING) && !names.contains(ROOT), "{said}");
    }
}

#[test]
fn nobody_is_asked_where_no_certificate_is_wanted() {
    let house = House::open();
    for name in [QUIET, "mtls.open.bank.example", BY_ALIAS, NO_DOMAIN] {
        for said in seen(&house, name) {
            assert!(said.contains("No client certificate CA names sent") && !said.contains(REQUESTED), "{name}: {said}");
        }
    }
    // A client that has a certificate does not get it through where nobody asks.
    let answer = house.get(QUIET, "/", Some(&good()));
    house.assert_refused(&answer, 401, "certificate_required");
    assert_eq!(house.get(QUIET, "/public/", Some(&good())).status, 200);
    assert_eq!(house.upstream.take_one().header("ssl-client-verify"), "NONE");
}

#[test]
fn by_alias_only_the_alias_asks_and_names_may_stay_unsaid() {
    let house = House::open();
    for said in seen(&house, "mtls.web.bank.example") {
        assert!(said.contains(REQUESTED) && said.contains("No client certificate CA names sent"), "{said}");
    }
    house.assert_refused(&house.get(BY_ALIAS, "/", Some(&good())), 401, "certificate_required");
    assert_eq!(house.get("mtls.web.bank.example", "/", Some(&good())).status, 200);
    assert_eq!(house.upstream.take_one().header("ssl-client-verify"), "SUCCESS");
}

#[test]
fn each_tenant_has_its_own_cas() {
    let house = House::open();
    let theirs = person_of(&authorities().stranger, &leaf("theirs"));
    assert_eq!(house.get(OTHERS, "/", Some(&theirs)).status, 200);
    house.upstream.take_one();
    house.assert_refused(&house.get(OTHERS, "/", Some(&good())), 401, "certificate_untrusted");
    house.assert_refused(&house.get(ASKED, "/", Some(&theirs)), 401, "certificate_untrusted");
}

#[test]
fn names_of_more_cas_than_a_handshake_can_carry_are_refused_at_once() {
    let server = crate::set_up::server(&[ASKED]);
    let pem = crate::set_up::chain_pem(&server);
    let certificate = ServerCertificate::from_pem(pem.as_bytes(), crate::set_up::key_pem(&server).as_bytes()).unwrap();
    let asked = |names: usize| AskedHost { host: ASKED.into(), ask: Some(vec![vec![0x30; 1022]; names]) };
    assert!(ServerNames::build(std::slice::from_ref(&certificate), &[asked(32)], false).is_ok());
    let errors = ServerNames::build(&[certificate], &[asked(33)], false).unwrap_err();
    assert_eq!(errors, [BuildError::CaNamesTooLong(ASKED.into(), 33 * 1024)]);
}
