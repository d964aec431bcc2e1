//! Writes the seeds of every target: `cargo run --example seeds -- FOLDER [PEM...]`. What is given as PEM becomes seeds too.

use std::path::{Path, PathBuf};

use vestibule::x509::certificate::Certificate;
use vestibule::x509::der::encode;
use vestibule::x509::pem_text;
use vestibule::x509::qc_statements::QC_STATEMENTS;
use vestibule_fuzz::encoders;
use vestibule_fuzz::fixture::{Pki, every_statement};

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
    headers_with_certificates(&folder, &leaves);
    put(&folder, "signature_input", &texts(&SIGNATURE_INPUTS));
    put(&folder, "request_target", &texts(&TARGETS));
    put(&folder, "leaf", &leaves);
    put(&folder, "qc_statements", &qc);
    put(&folder, "certificate_header", &headers);
    put(&folder, "crl", &lists);
    put(&folder, "chain", &pki.chains());
    put(&folder, "ocsp", &pki.answers());
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

/// Each certificate as each front door forwards it. `HASH` is for the target to fill in.
fn headers_with_certificates(folder: &Path, leaves: &[Vec<u8>]) {
    let small: Vec<Vec<u8>> = vec![encode(0x30, b"a"), encode(0x30, b"another")];
    let pairs: Vec<&[Vec<u8>]> = std::iter::once(small.as_slice()).chain(leaves.chunks_exact(2).take(10)).collect();
    let of = |write: &dyn Fn(&[u8], &[Vec<u8>]) -> String| -> Vec<Vec<u8>> {
        let both = pairs.iter().flat_map(|pair| [write(&pair[0], &[]), write(&pair[0], &pair[1..])]);
        both.map(String::into_bytes).collect()
    };
    let unhashed = |text: String, der: &[u8]| text.replace(&encoders::hash(der), "HASH");
    put(folder, "xfcc", &of(&|der, others| unhashed(encoders::xfcc(der, others), der) + ";Subject=\"CN=a\\\"b\";URI=x;DNS=y"));
    put(folder, "xfcc_json", &of(&|der, others| unhashed(encoders::xfcc_json(der, others), der)));
    let joined = |der: &[u8], others: &[Vec<u8>], one: &dyn Fn(&[u8]) -> String, by: &str| {
        std::iter::once(der).chain(others.iter().map(Vec::as_slice)).map(one).collect::<Vec<_>>().join(by)
    };
    put(folder, "client_cert", &of(&|der, others| joined(der, others, &encoders::byte_sequence, ", ")));
    let bodies = [
        of(&|der, others| encoders::base64(&[der, &others.concat()].concat())),
        of(&|der, others| encoders::base64(joined(der, others, &encoders::pem, "").as_bytes())),
        of(&|der, others| joined(der, others, &encoders::spaced_pem, " ")),
        of(&|der, others| joined(der, others, &encoders::base64, ",")),
        of(&|der, others| encoders::escaped(&joined(der, others, &encoders::base64, ","))),
    ];
    put(folder, "certificate_bodies", &bodies.concat());
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// For the request of the target.
const SIGNATURE_INPUTS: [&str; 5] = [
    r#"edge=("@method" "@authority" "@path" "@query" "client-cert" "x-client-verify" "x-forwarded-for");created=1800000000;keyid="edge1";nonce="n1";alg="hmac-sha256""#,
    r#"edge=("@request-target" "x-forwarded-for" "x-client-verify" "client-cert" "@authority" "@method" "x-other");nonce="n\\\"";tag="t";expires=1800000060;keyid="edge1";created=1799999990"#,
    r#"sig1=("date");created=1, edge=("@method" "@authority" "@path" "@query" "client-cert" "x-client-verify" "x-forwarded-for");created=1800000000;keyid="edge1";nonce="n,1", sig2=()"#,
    r#"edge=("@method");created=1;keyid="edge1";nonce="n1""#,
    r#"edge=("x-other";sf "@query-param";name="a");created=1800000000;keyid="edge2";nonce="";alg="none""#,
];

const TARGETS: [&str; 8] = [
    "/",
    "/a//b/%2F/c?x=/../y",
    "/a;b=c/%3b?",
    "/%41%2541/%25",
    "/public/%2e%2e/a",
    "/public/..%5ca/..;x",
    "/a/%252e%252e%252fb",
    "/%c3%a9/%ff",
];

fn header(certificates: &[Vec<u8>]) -> String {
    certificates.iter().map(|der| pem_text::escaped(der)).collect()
}
