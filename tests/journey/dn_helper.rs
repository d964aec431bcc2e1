//! The endpoint that shows clients the names of their certificate.

use crate::bank::{Bank, KEY, Person, Request, Tenant, authorities, good, leaf, person_of};
use crate::pki::{Leaf, new_key, self_signed_by};

#[test]
fn a_client_sees_its_own_names() {
    let tables = "[dn_helper]\npath = \"/-/dn\"\n".to_owned();
    let bank = Bank::with(&Tenant { tables, ..Tenant::default() });
    let attributes = vec![("2.5.4.97", "OFBBR-1".to_owned())];
    let of_nobody = {
        let key = new_key();
        Person { certificate: self_signed_by(&Leaf { attributes, ..leaf("caf\u{e9}, Inc") }, &key), key }
    };
    let answer = bank.vestibule.ask(Request::get("/-/dn?x=1").of(&of_nobody).text());
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")), "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let said = answer.json();
    assert_eq!(said["subject"]["nginx"], "CN=caf\\C3\\A9\\, Inc,organizationIdentifier=OFBBR-1,O=Vestibule Test");
    assert_eq!(said["subject"]["open_finance_brasil"], "CN=caf\u{e9}\\, Inc,2.5.4.97=#0c074f464242522d31,O=Vestibule Test");
    assert_eq!(said["subject"]["auth0"], "O=Vestibule Test\norganizationIdentifier=OFBBR-1\nCN=caf\u{e9}\\, Inc");
    assert_eq!(said["issuer"], said["subject"]);
    let line = bank.vestibule.access_line(&answer);
    assert_eq!((line["decision"].as_str(), line.get("cert.fingerprint").is_some()), (Some("permit"), true), "{line}");
    let answer = bank.vestibule.ask(Request::get("/-/dn").of(&person_of(&authorities().stranger, &leaf("x"))).text());
    assert_eq!(answer.json()["issuer"]["rfc4514"], "CN=Journey Issuing,O=Vestibule Test");
    assert_eq!(bank.upstream.take().len(), 0);

    // Nobody is shown anything but the certificate that the front door forwards.
    let answer = bank.vestibule.ask(Request::get("/-/dn").of_nobody().text());
    assert_eq!(bank.refused(&answer, 401), "certificate_required");
    let answer = bank.vestibule.ask(Request::get("/-/dn").carrying("rubbish").text());
    assert_eq!(bank.refused(&answer, 400), "certificate_header_not_pem");
    let answer = bank.vestibule.ask(Request::get("/-/dn").of(&good()).instead("cname-api-key", &KEY.to_uppercase()).text());
    assert_eq!(bank.refused(&answer, 403), "front_door_key_wrong");
    bank.assert_still_serves();
}

#[test]
fn without_the_setting_there_is_no_endpoint() {
    let bank = Bank::open();
    assert_eq!(bank.vestibule.ask(Request::get("/-/dn").of(&good()).text()).status, 200);
    assert_eq!(bank.upstream.take_one().target, "/-/dn");
}
