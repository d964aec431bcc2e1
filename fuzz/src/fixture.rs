//! A small PKI whose keys are always the same, and what its CAs say: the seeds of the targets `chain`, `crl` and `ocsp`.

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use openssl::x509::extension::ExtendedKeyUsage;
use openssl::x509::{X509, X509Name};
use vestibule::x509::der::{Reader, encode, single, tag};
use vestibule::x509::oid::parse_dotted;

use crate::chain_input::{By, Kind, write};
use crate::support::crl_writer::{CrlWriter, extension, reason};
use crate::support::ocsp_writer::{ECDSA_SHA256, GOOD, OcspWriter, UNKNOWN, by_key, cert_id, revoked, successful};
use crate::support::pki::{Ca, DAY, Dates, Leaf, NOW};

/// A small PKI with the keys that the target `chain` signs with.
pub struct Pki {
    pub root: Ca,
    pub issuing: Ca,
    pub leaf: X509,
}

impl Default for Pki {
    fn default() -> Self {
        let root = Ca::self_signed("Root", By::Root.key(), Dates::VALID);
        let issuing = root.certify("Issuing", By::Issuing.key(), Dates::VALID);
        let leaf = issuing.issue_for(&Leaf { dns: vec!["client.example".into()], ..Leaf::named("client") }, &By::Client.key());
        Self { root, issuing, leaf }
    }
}

impl Pki {
    pub fn lists(&self) -> Vec<Vec<u8>> {
        let list = CrlWriter::of(&self.issuing.certificate, NOW);
        let many = (1..200).fold(list.clone(), |list, number| list.entry(&[1, number], NOW.plus(-DAY), &[reason(number % 7)]));
        let lists = [
            list.clone(),
            list.clone().entry(&[3, 0xE8], NOW.plus(-DAY), &[]).entry(&[0, 0xE8], NOW.plus(-DAY), &[reason(1)]),
            many,
            list.clone().scoped(&encode(0x81, &[0xFF])),
            list.clone().scoped(&encode(0xA0, &encode(0xA0, &encode(0x86, b"http://crl.example/1")))),
            list.clone().with(extension("2.5.29.27", true, &[2, 1, 1])),
            list.entry(&[5], NOW.plus(-DAY), &[extension("2.5.29.29", true, &encode(tag::SEQUENCE, &[]))]),
        ];
        lists.iter().map(|list| list.sign(&self.issuing.key)).collect()
    }

    pub fn chains(&self) -> Vec<Vec<u8>> {
        let (root, issuing) = (self.root.certificate.to_der().unwrap(), self.issuing.certificate.to_der().unwrap());
        let mut chains = Vec::new();
        let mut chain = |settings: u8, leaf: &[u8], lists: &[Vec<u8>], by: By| {
            let mut input = vec![settings];
            write(Kind::Leaf, if by == By::Nobody { by } else { By::Issuing }, leaf, &mut input);
            write(Kind::Presented, if by == By::Nobody { by } else { By::Root }, &issuing, &mut input);
            write(Kind::Anchor, by, &root, &mut input);
            for list in lists {
                write(Kind::Crl, if by == By::Nobody { by } else { By::Issuing }, list, &mut input);
            }
            chains.push(input);
        };
        let leaf = self.leaf.to_der().unwrap();
        let all_lists = self.lists();
        let root_list = self.root.crl(&[77]);
        for settings in [0, 1, 2, 4, 8, 16, 24, 32, 64, 0xFF] {
            chain(settings, &leaf, &[], By::Root);
        }
        for list in &all_lists {
            chain(0, &leaf, std::slice::from_ref(list), By::Root);
        }
        chain(16, &leaf, &[all_lists[0].clone(), root_list], By::Nobody);
        for (label, odd) in [
            ("expired", Leaf::expired("client")),
            ("a CA", Leaf { ca: true, ..Leaf::named("client") }),
            ("a server", Leaf { client_auth: false, ..Leaf::named("client") }),
            ("a statement", Leaf { extra: vec![("1.3.6.1.5.5.7.1.3", true, every_statement())], ..Leaf::named("client") }),
            ("a wildcard", Leaf { dns: vec!["*.example".into()], ..Leaf::named("client") }),
        ] {
            chain(0, &self.issuing.issue_for(&odd, &By::Client.key()).to_der().expect(label), &[], By::Root);
        }
        let constrained = encode(tag::SEQUENCE, &encode(0xA0, &encode(tag::SEQUENCE, &encode(0x82, b"client.example"))));
        let policies = encode(tag::SEQUENCE, &encode(tag::SEQUENCE, &encode(tag::OID, &parse_dotted("1.2.3").unwrap())));
        let further =
            [("2.5.29.30", true, constrained), ("2.5.29.32", true, policies), ("2.5.29.36", true, vec![0x30, 3, 0x80, 1, 0])];
        for extra in further {
            let middle = self.root.intermediate_with("Issuing", &[extra]);
            let mut input = vec![0];
            write(
                Kind::Leaf,
                By::Nobody,
                &middle.issue(&Leaf { dns: vec!["client.example".into()], ..Leaf::named("client") }).to_der().unwrap(),
                &mut input,
            );
            write(Kind::Presented, By::Root, &middle.certificate.to_der().unwrap(), &mut input);
            write(Kind::Intermediate, By::Nobody, &issuing, &mut input);
            write(Kind::Anchor, By::Nobody, &root, &mut input);
            chains.push(input);
        }
        chains
    }
}

/// Answers about the client's certificate, good and otherwise, as their writers: signing is the same for all.
impl Pki {
    /// The answers by what signs them: the issuer, or a responder of its.
    fn writers(&self) -> Vec<(OcspWriter, By)> {
        let good = || OcspWriter::good(&self.leaf, &self.issuing.certificate, NOW);
        let responder = self.responder();
        let mut sha256 = good();
        sha256.singles[0].cert_id = cert_id(&self.leaf, &self.issuing.certificate, true);
        let by_key = OcspWriter { responder: by_key(&self.issuing.certificate), ..good() };
        vec![
            (good(), By::Issuing),
            (sha256, By::Issuing),
            (by_key, By::Issuing),
            (good().status(UNKNOWN), By::Issuing),
            (good().status(&revoked(NOW.plus(-DAY), Some(1))), By::Issuing),
            (good().dated(NOW.plus(-60), None), By::Issuing),
            (good().with(extension("1.3.6.1.5.5.7.48.1.2", false, &encode(tag::OCTET_STRING, &[7; 32]))), By::Issuing),
            (good().from(&responder), By::Client),
            (good().status(&revoked(NOW.plus(-DAY), None)).from(&responder), By::Client),
        ]
    }

    /// The seeds of the target `ocsp`: an octet that says whether what follows is an answer or what is to be signed, and that.
    pub fn answers(&self) -> Vec<Vec<u8>> {
        let signed = self.writers().into_iter().map(|(writer, by)| writer.sign(&by.key()));
        signed.flat_map(|der| [[&[0], der.as_slice()].concat(), [&[1], signed_part(&der).unwrap()].concat()]).collect()
    }

    /// What was really signed, of those that say good.
    pub fn signed_as_good(&self) -> Vec<Vec<u8>> {
        let good = self.writers().into_iter().filter(|(writer, _)| writer.singles[0].status == GOOD);
        good.map(|(writer, by)| signed_part(&writer.sign(&by.key())).unwrap().to_vec()).collect()
    }

    /// A responder with the client's key.
    fn responder(&self) -> X509 {
        let mut name = X509Name::builder().unwrap();
        name.append_entry_by_text("CN", "Responder").unwrap();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder.set_subject_name(&name.build()).unwrap();
        builder.set_issuer_name(self.issuing.certificate.subject_name()).unwrap();
        builder.set_pubkey(&By::Client.key()).unwrap();
        builder.set_serial_number(&Asn1Integer::from_bn(&BigNum::from_u32(77).unwrap()).unwrap()).unwrap();
        builder.set_not_before(&Asn1Time::from_unix(NOW.0 - DAY).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::from_unix(NOW.0 + DAY).unwrap()).unwrap();
        builder.append_extension(ExtendedKeyUsage::new().other("OCSPSigning").build().unwrap()).unwrap();
        builder.sign(&self.issuing.key, MessageDigest::sha256()).unwrap();
        builder.build()
    }
}

/// tbsResponseData of an answer.
pub fn signed_part(der: &[u8]) -> Option<&[u8]> {
    let mut response = Reader::new(single(der, tag::SEQUENCE).ok()?.content);
    response.any().ok()?;
    let bytes = single(response.expect(0xA0).ok()?.content, tag::SEQUENCE).ok()?;
    let mut bytes = Reader::new(bytes.content);
    bytes.any().ok()?;
    let basic = single(bytes.expect(tag::OCTET_STRING).ok()?.content, tag::SEQUENCE).ok()?;
    Some(Reader::new(basic.content).any().ok()?.der)
}

/// An answer in the issuer's name over these octets.
pub fn signed_by_issuer(signed_part: &[u8], key: &PKey<Private>) -> Vec<u8> {
    let mut signer = Signer::new(MessageDigest::sha256(), key).unwrap();
    let signature = signer.sign_oneshot_to_vec(signed_part).unwrap();
    let signature = encode(tag::BIT_STRING, &[&[0], &signature[..]].concat());
    let basic = encode(tag::SEQUENCE, &[signed_part, ECDSA_SHA256, &signature].concat());
    successful(&[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01], &basic)
}

/// qcStatements with every statement that is known.
pub fn every_statement() -> Vec<u8> {
    let id = |dotted: &str| encode(tag::OID, &parse_dotted(dotted).unwrap());
    let sequence = |parts: &[Vec<u8>]| encode(tag::SEQUENCE, &parts.concat());
    let text = |tag: u8, text: &str| encode(tag, text.as_bytes());
    let role = sequence(&[id("0.4.0.19495.1.3"), text(tag::UTF8_STRING, "PSP_AI")]);
    let authority = [text(tag::UTF8_STRING, "Authority"), text(tag::UTF8_STRING, "GB-FCA")].concat();
    sequence(&[
        sequence(&[id("0.4.0.1862.1.1")]),
        sequence(&[id("0.4.0.1862.1.4")]),
        sequence(&[id("0.4.0.1862.1.3"), vec![2, 1, 10]]),
        sequence(&[id("0.4.0.1862.1.6"), sequence(&[id("0.4.0.1862.1.6.3"), id("1.2.3.4")])]),
        sequence(&[id("0.4.0.1862.1.7"), sequence(&[text(tag::PRINTABLE_STRING, "GB")])]),
        sequence(&[
            id("0.4.0.1862.1.5"),
            sequence(&[sequence(&[text(tag::IA5_STRING, "https://pds.example"), text(tag::PRINTABLE_STRING, "en")])]),
        ]),
        sequence(&[id("1.3.6.1.5.5.7.11.2"), sequence(&[id("0.4.0.194121.1.2")])]),
        sequence(&[id("0.4.0.19495.2"), sequence(&[sequence(&[role]), authority])]),
        sequence(&[id("2.999.3")]),
    ])
}
