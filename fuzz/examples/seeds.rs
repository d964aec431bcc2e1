//! Writes the seeds of every target: `cargo run --example seeds -- FOLDER [PEM...]`. What is given as PEM becomes seeds too.

use std::path::{Path, PathBuf};

use openssl::x509::X509;
use vestibule::x509::certificate::Certificate;
use vestibule::x509::der::{encode, tag};
use vestibule::x509::oid::parse_dotted;
use vestibule::x509::pem_text;
use vestibule::x509::qc_statements::QC_STATEMENTS;
use vestibule_fuzz::chain_input::{By, Kind, write};

#[path = "../../tests/support"]
mod support {
    #[path = "crl_writer.rs"]
    pub(crate) mod crl_writer;
    #[path = "pki.rs"]
    pub(crate) mod pki;
}

use support::crl_writer::{CrlWriter, extension, reason};
use support::pki::{Ca, DAY, Dates, Leaf, NOW};

fn main() {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let folder = arguments.next().expect("a folder");
    let pems: Vec<PathBuf> = arguments.collect();
    let pki = Pki::default();
    let mut leaves: Vec<Vec<u8>> = pems.iter().flat_map(|file| blocks(file, "CERTIFICATE")).collect();
    leaves.push(pki.leaf.to_der().unwrap());
    let mut qc = vec![every_statement()];
    for der in &leaves {
        let certificate = Certificate::from_der(der).ok();
        qc.extend(certificate.and_then(|certificate| certificate.extension(QC_STATEMENTS).ok()?.map(<[u8]>::to_vec)));
    }
    let headers: Vec<Vec<u8>> = leaves.chunks(3).take(20).map(|some| header(some).into_bytes()).collect();
    let mut lists: Vec<Vec<u8>> = pems.iter().flat_map(|file| blocks(file, "X509 CRL")).collect();
    lists.extend(pki.lists());
    put(&folder, "leaf", &leaves);
    put(&folder, "qc_statements", &qc);
    put(&folder, "certificate_header", &headers);
    put(&folder, "crl", &lists);
    put(&folder, "chain", &pki.chains());
}

fn blocks(file: &Path, label: &str) -> Vec<Vec<u8>> {
    let text = std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let blocks = pem::parse_many(text).unwrap_or_default();
    blocks.into_iter().filter(|block| block.tag() == label).map(pem::Pem::into_contents).collect()
}

fn put(folder: &Path, target: &str, seeds: &[Vec<u8>]) {
    let folder = folder.join(target);
    std::fs::create_dir_all(&folder).unwrap();
    for (at, seed) in seeds.iter().enumerate() {
        std::fs::write(folder.join(format!("{at:03}")), seed).unwrap();
    }
    println!("{}: {} seeds", folder.display(), seeds.len());
}

fn header(certificates: &[Vec<u8>]) -> String {
    certificates.iter().map(|der| pem_text::escaped(der)).collect()
}

/// A small PKI with the keys that the target `chain` signs with.
struct Pki {
    root: Ca,
    issuing: Ca,
    leaf: X509,
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
    fn lists(&self) -> Vec<Vec<u8>> {
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

    fn chains(&self) -> Vec<Vec<u8>> {
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

fn every_statement() -> Vec<u8> {
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
