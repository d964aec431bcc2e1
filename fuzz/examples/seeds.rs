//! Writes the seeds of every target: `cargo run --example seeds -- FOLDER [PEM...]`. What is given as PEM becomes seeds too.

use std::path::{Path, PathBuf};

use vestibule::x509::certificate::Certificate;
use vestibule::x509::pem_text;
use vestibule::x509::qc_statements::QC_STATEMENTS;
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

fn header(certificates: &[Vec<u8>]) -> String {
    certificates.iter().map(|der| pem_text::escaped(der)).collect()
}
