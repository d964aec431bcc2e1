//! A bank whose CAs' lists and answers come from the network.

use openssl::x509::X509;
use vestibule::x509::der::{encode, tag};

use crate::bank::{self, Authorities, Bank, Person, Request, Tenant, authorities, leaf, now};
use crate::http_client::Answer;
use crate::pki::{DAY, Dates, Extra, Leaf};
use crate::recording_upstream::RecordingUpstream;
use crate::vestibule_program::{Files, Vestibule};

/// The modes and the start of the paths of their routes.
pub(crate) const MODES: [(&str, &str); 3] = [("SKIP", "/skip/"), ("IGNORE_CA_ERROR", "/"), ("STRICT", "/strict/")];

const SKIP_ROUTE: &str =
    "[[routes]]\npath = \"/skip/\"\nupstream = \"core\"\npolicy = { revocation_check_mode = \"SKIP\" }\n\n";

/// `[revocation]` of most tests: nothing takes long.
pub(crate) const QUICK: &str = "[revocation]\nhttp_timeout = \"500ms\"\nconnect_timeout = \"400ms\"\nfirst_wait = \"2s\"\n";

/// A tenant whose set of CAs has these lines beside the intermediates.
pub(crate) fn tenant(trust_lines: &str) -> Tenant {
    let trust_lines = format!("intermediates = [\"trusted-ca/issuing.pem\"]\n{trust_lines}\n");
    Tenant { trust_lines, tables: SKIP_ROUTE.into(), ..Tenant::default() }
}

/// A folder of that tenant.
pub(crate) fn files(trust_lines: &str, revocation: &str, upstream: &RecordingUpstream) -> Files {
    let mut files = bank::files(&[(tenant(trust_lines), upstream.url())]);
    files[0].1.push_str(revocation);
    let pem = pem::encode(&pem::Pem::new("X509 CRL", list_of_root()));
    files.push(("crl/root.pem".into(), pem));
    files
}

/// A running program.
pub(crate) fn open(trust_lines: &str, revocation: &str) -> Bank {
    let upstream = RecordingUpstream::start();
    let vestibule = Vestibule::start(&files(trust_lines, revocation, &upstream));
    Bank { vestibule, upstream }
}

/// The code of a request's refusal, `passed` without one.
pub(crate) fn outcome(bank: &Bank, path: &str, person: &Person) -> String {
    let answer = bank.vestibule.ask(Request::get(path).of(person).text());
    outcome_of(bank, &answer)
}

pub(crate) fn outcome_of(bank: &Bank, answer: &Answer) -> String {
    match answer.status {
        200 => "passed".into(),
        _ => bank.vestibule.code(answer),
    }
}

/// A client whose certificate names a list and a responder.
pub(crate) fn naming(name: &str, serial: u32, crl: Option<&str>, ocsp: Option<&str>) -> Person {
    let extra = crl.map(distribution_point).into_iter().chain(ocsp.map(responder)).collect();
    bank::person(&Leaf { serial, extra, ..leaf(name) })
}

/// cRLDistributionPoints with one URL.
pub(crate) fn distribution_point(url: &str) -> Extra {
    let name = encode(0xA0, &encode(0xA0, &encode(0x86, url.as_bytes())));
    ("2.5.29.31", false, encode(tag::SEQUENCE, &encode(tag::SEQUENCE, &name)))
}

/// authorityInfoAccess with one responder.
pub(crate) fn responder(url: &str) -> Extra {
    let description = [encode(tag::OID, &[0x2B, 6, 1, 5, 5, 7, 0x30, 1]), encode(0x86, url.as_bytes())].concat();
    ("1.3.6.1.5.5.7.1.1", false, encode(tag::SEQUENCE, &encode(tag::SEQUENCE, &description)))
}

/// The issuing CA's list from `from` to `until`, in seconds from now.
pub(crate) fn list_dated(serials: &[u32], from: i64, until: i64) -> Vec<u8> {
    let issuing = &authorities().issuing;
    issuing.crl_signed_by(&issuing.key, serials, Dates(now() + from, now() + until))
}

/// The issuing CA's list of today, with these serial numbers.
pub(crate) fn list(serials: &[u32]) -> Vec<u8> {
    list_dated(serials, -DAY, DAY)
}

/// The root's list of today.
pub(crate) fn list_of_root() -> Vec<u8> {
    let root = &authorities().root;
    root.crl_signed_by(&root.key, &[], Dates(now() - DAY, now() + DAY))
}

/// The counter of a kind of fetch and its outcome.
pub(crate) fn fetches(bank: &Bank, kind: &str, outcome: &str) -> u64 {
    bank.vestibule.counter(&format!("vestibule_revocation_fetches_total{{kind=\"{kind}\",outcome=\"{outcome}\"}}"))
}

/// Every fetch of a kind.
pub(crate) fn all_fetches(bank: &Bank, kind: &str) -> u64 {
    let text = bank.vestibule.ask_admin("/metrics").text();
    let start = format!("vestibule_revocation_fetches_total{{kind=\"{kind}\"");
    let lines = text.lines().filter(|line| line.starts_with(&start));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// A certificate of the issuing CA for a responder, or of another CA.
pub(crate) fn delegate(authorities: &Authorities, with_purpose: bool) -> Person {
    let mut leaf = Leaf { client_auth: false, ..leaf("OCSP Responder") };
    leaf.serial = 990_000 + u32::from(with_purpose);
    if !with_purpose {
        return bank::person_of(&authorities.issuing, &leaf);
    }
    let key = crate::pki::new_key();
    Person { certificate: ocsp_signing(authorities, &key), key }
}

/// `support::pki` makes no certificate with OCSPSigning.
fn ocsp_signing(authorities: &Authorities, key: &openssl::pkey::PKey<openssl::pkey::Private>) -> X509 {
    use openssl::asn1::{Asn1Integer, Asn1Time};
    use openssl::bn::BigNum;
    use openssl::x509::extension::{AuthorityKeyIdentifier, ExtendedKeyUsage, KeyUsage, SubjectKeyIdentifier};
    let issuer = &authorities.issuing;
    let mut name = openssl::x509::X509Name::builder().unwrap();
    name.append_entry_by_text("CN", "OCSP Responder").unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&name.build()).unwrap();
    builder.set_issuer_name(issuer.certificate.subject_name()).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_serial_number(&Asn1Integer::from_bn(&BigNum::from_u32(990_001).unwrap()).unwrap()).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(now() - DAY).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(now() + DAY).unwrap()).unwrap();
    builder.append_extension(KeyUsage::new().critical().digital_signature().build().unwrap()).unwrap();
    builder.append_extension(ExtendedKeyUsage::new().other("1.3.6.1.5.5.7.3.9").build().unwrap()).unwrap();
    let own = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None)).unwrap();
    builder.append_extension(own).unwrap();
    let of_issuer = AuthorityKeyIdentifier::new().keyid(true).build(&builder.x509v3_context(Some(&issuer.certificate), None));
    builder.append_extension(of_issuer.unwrap()).unwrap();
    builder.sign(&issuer.key, openssl::hash::MessageDigest::sha256()).unwrap();
    builder.build()
}
