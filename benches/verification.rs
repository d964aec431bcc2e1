//! What a verification costs, beside OpenSSL's plain `X509_verify_cert` of the same chain: a leaf, one intermediate, one root.
//!
//! `cargo bench --bench verification`, or `scripts/bench-verify`, which also measures a large revocation list. No harness: what
//! counts is a ratio, so all rows take turns in every round and the ratio is taken within a round; criterion runs row by row.
//! The figure is CPU time of the thread; median [least..most] of the rounds. Nothing is asserted of time.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::type_complexity, reason = "tables")]
#![allow(clippy::print_stdout, reason = "a program whose output is its table")]

use std::hint::black_box;

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::stack::Stack;
use openssl::x509::extension::{AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectKeyIdentifier};
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::X509VerifyParam;
use openssl::x509::{X509, X509Name, X509PurposeId, X509StoreContext};
use vestibule::clock::UnixTime;
use vestibule::verifier::cache::CachedVerifier;
use vestibule::verifier::{IdentifiedSettings, TrustedCas, VerificationSettings, verify};
use vestibule::x509::certificate::Certificate;
use vestibule::x509::ocsp_answers::OcspAnswers;
use vestibule::x509::trusted_ca::{Source, TrustMaterial, TrustOptions};

const ROUNDS: usize = 9;
/// Verifications of a row in a round, and hits of the cache.
const RUNS: u32 = 2000;
const HITS: u32 = 1_000_000;
const NOW: UnixTime = UnixTime(1_768_478_400);
const DAY: i64 = 86_400;

fn main() {
    println!("{ROUNDS} rounds; leaf and one intermediate; µs of CPU time for one, median [least..most]");
    println!("{:<58} {:>24} {:>10} {:>22}", "", "µs", "per second", "÷ OpenSSL");
    for (name, new_key) in [("P-256", p256 as fn() -> PKey<Private>), ("RSA-2048", rsa), ("Ed25519", ed25519)] {
        let chain = Chain::new(new_key);
        let rows: [(&str, u32, &dyn Fn(), Option<usize>); 5] = [
            ("OpenSSL alone, certificates read anew", RUNS, &|| chain.openssl_fresh(), None),
            ("Vestibule, certificates read anew", RUNS, &|| chain.ours_fresh(), Some(0)),
            ("OpenSSL alone, certificates already read", RUNS, &|| chain.openssl_read(), None),
            ("Vestibule, certificates already read", RUNS, &|| chain.ours_read(), Some(2)),
            ("Vestibule, verification remembered", HITS, &|| chain.remembered(), Some(2)),
        ];
        let costs = measure(&rows.map(|(_, runs, run, _)| (runs, run)));
        for (at, (row, _, _, peer)) in rows.iter().enumerate() {
            let (median, text) = spread(&costs[at], 2);
            let ratio = peer.map_or(String::new(), |peer| {
                let ratios: Vec<f64> = costs[at].iter().zip(&costs[peer]).map(|(ours, theirs)| ours / theirs).collect();
                spread(&ratios, if median < 5.0 { 4 } else { 2 }).1
            });
            println!("{:<58} {text:>24} {:>10.0} {ratio:>22}", format!("{name}: {row}"), 1e6 / median);
        }
    }
}

/// Microseconds for one run, by row and round. Every round begins with another row.
fn measure(rows: &[(u32, &dyn Fn())]) -> Vec<Vec<f64>> {
    let mut costs = vec![Vec::new(); rows.len()];
    for (runs, run) in rows {
        (0..runs / 4).for_each(|_| run());
    }
    for round in 0..ROUNDS {
        for at in (0..rows.len()).map(|at| (at + round) % rows.len()) {
            let (runs, run) = rows[at];
            let before = cpu();
            (0..runs).for_each(|_| run());
            costs[at].push((cpu() - before) / 1000.0 / f64::from(runs));
        }
    }
    costs
}

/// Nanoseconds that this thread has run (Linux; counted at every tick, so a round of a row must last many ticks).
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

fn spread(values: &[f64], digits: usize) -> (f64, String) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (least, median, most) = (sorted[0], sorted[sorted.len() / 2], sorted[sorted.len() - 1]);
    (median, format!("{median:.digits$} [{least:.digits$}..{most:.digits$}]"))
}

fn p256() -> PKey<Private> {
    PKey::from_ec_key(EcKey::generate(&EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap()).unwrap()).unwrap()
}

fn rsa() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

fn ed25519() -> PKey<Private> {
    PKey::generate_ed25519().unwrap()
}

/// A chain whose keys are all of one kind, and everything that is ready before a request comes.
struct Chain {
    leaf_der: Vec<u8>,
    issuing_der: Vec<u8>,
    leaf: Certificate,
    presented: Vec<Certificate>,
    trust: TrustedCas,
    settings: IdentifiedSettings,
    cache: CachedVerifier,
    answers: OcspAnswers,
    store: X509Store,
    leaf_x509: X509,
    untrusted: Stack<X509>,
}

impl Chain {
    fn new(new_key: fn() -> PKey<Private>) -> Self {
        let [root_key, issuing_key, leaf_key] = [new_key(), new_key(), new_key()];
        let root = certificate("Root", &root_key, None);
        let issuing = certificate("Issuing", &issuing_key, Some((&root, &root_key)));
        let leaf = certificate("client", &leaf_key, Some((&issuing, &issuing_key)));
        let source = Source { origin: "root".into(), der: root.to_der().unwrap() };
        let material = TrustMaterial { anchors: vec![source], ..TrustMaterial::default() };
        let (leaf_der, issuing_der) = (leaf.to_der().unwrap(), issuing.to_der().unwrap());
        let chain = Self {
            leaf: Certificate::from_der(&leaf_der).unwrap(),
            presented: vec![Certificate::from_der(&issuing_der).unwrap()],
            trust: TrustedCas::build(&material, TrustOptions::default(), NOW).unwrap(),
            settings: VerificationSettings::default().into(),
            cache: CachedVerifier::new(100),
            answers: OcspAnswers::new(1),
            store: plain_store(root),
            leaf_x509: leaf,
            untrusted: stack(issuing),
            leaf_der,
            issuing_der,
        };
        assert!(verify(&chain.leaf, &chain.presented, &chain.trust, chain.settings.settings(), NOW).is_success());
        assert!(plain(&chain.store, &chain.leaf_x509, &chain.untrusted));
        chain
    }

    fn ours_fresh(&self) {
        let leaf = Certificate::from_der(&self.leaf_der).unwrap();
        let presented = [Certificate::from_der(&self.issuing_der).unwrap()];
        assert!(verify(&leaf, &presented, &self.trust, self.settings.settings(), NOW).is_success());
    }

    fn ours_read(&self) {
        assert!(verify(&self.leaf, &self.presented, &self.trust, self.settings.settings(), NOW).is_success());
    }

    fn remembered(&self) {
        black_box(self.cache.verify(&self.leaf, &self.presented, &self.trust, &self.answers, &self.settings, NOW));
    }

    fn openssl_fresh(&self) {
        let issuing = stack(X509::from_der(&self.issuing_der).unwrap());
        assert!(plain(&self.store, &X509::from_der(&self.leaf_der).unwrap(), &issuing));
    }

    fn openssl_read(&self) {
        assert!(plain(&self.store, &self.leaf_x509, &self.untrusted));
    }
}

fn stack(x509: X509) -> Stack<X509> {
    let mut stack = Stack::new().unwrap();
    stack.push(x509).unwrap();
    stack
}

fn plain_store(root: X509) -> X509Store {
    let mut store = X509StoreBuilder::new().unwrap();
    store.add_cert(root).unwrap();
    store.set_purpose(X509PurposeId::SSL_CLIENT).unwrap();
    let mut parameters = X509VerifyParam::new().unwrap();
    parameters.set_time(NOW.0);
    store.set_param(&parameters).unwrap();
    store.build()
}

fn plain(store: &X509Store, leaf: &X509, untrusted: &Stack<X509>) -> bool {
    let mut context = X509StoreContext::new().unwrap();
    context.init(store, leaf, untrusted, |context| context.verify_cert()).unwrap()
}

fn certificate(name: &str, key: &PKey<Private>, issuer: Option<(&X509, &PKey<Private>)>) -> X509 {
    let mut subject = X509Name::builder().unwrap();
    subject.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
    let subject = subject.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(issuer.map_or(&subject, |(issuer, _)| issuer.subject_name())).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_serial_number(&Asn1Integer::from_bn(&BigNum::from_u32(77).unwrap()).unwrap()).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(NOW.0 - DAY).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(NOW.0 + 365 * DAY).unwrap()).unwrap();
    if name == "client" {
        builder.append_extension(BasicConstraints::new().build().unwrap()).unwrap();
        builder.append_extension(KeyUsage::new().critical().digital_signature().build().unwrap()).unwrap();
        builder.append_extension(ExtendedKeyUsage::new().client_auth().build().unwrap()).unwrap();
    } else {
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        builder.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build().unwrap()).unwrap();
    }
    let key_id = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None)).unwrap();
    builder.append_extension(key_id).unwrap();
    if let Some((issuer, _)) = issuer {
        let key_id = AuthorityKeyIdentifier::new().keyid(true).build(&builder.x509v3_context(Some(issuer), None)).unwrap();
        builder.append_extension(key_id).unwrap();
    }
    let signer = issuer.map_or(key, |(_, key)| key);
    let digest = if signer.id() == openssl::pkey::Id::ED25519 { MessageDigest::null() } else { MessageDigest::sha256() };
    builder.sign(signer, digest).unwrap();
    builder.build()
}
