//! Registered certificates (RFC 8705 §2.2) on real samples and on garbage. The samples are other people's data and not in this
//! repository: they are read from `../shared/vectors`, or from `VESTIBULE_VECTORS`, and the test says so if they are missing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod support {
    pub(crate) mod pki;
}

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use support::pki::{Leaf, NOW, certificate, self_signed};
use vestibule::verifier::{Thumbprint, ThumbprintVerification, Thumbprints, VerificationSettings, verify_thumbprint};
use vestibule::x509::certificate::Certificate;

fn registered(certificate: &Certificate) -> ThumbprintVerification {
    let mut thumbprints = Thumbprints::default();
    thumbprints.insert(Thumbprint::Sha256(*certificate.sha256()));
    // A second after its beginning: the samples are of many years.
    let now = certificate.not_before().to_unix().unwrap_or(NOW).plus(1);
    verify_thumbprint(certificate, &thumbprints, &VerificationSettings::default(), now).unwrap()
}

#[test]
fn public_samples() {
    let folder = std::env::var_os("VESTIBULE_VECTORS").map(PathBuf::from);
    let folder =
        folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors")).join("openbanking-certs");
    if !folder.is_dir() {
        println!("not run: the samples of open-finance ecosystems are not in {}", folder.display());
        return;
    }
    for (file, why) in [
        // Version 1, as RFC 8705 itself has it.
        ("rfc8705-appendix-a.pem", None),
        ("oidf-ed25519-client.pem", None),
        ("oidf-uk-sample-client-selfsigned.pem", None),
        ("uk-ob-legacy-ou-cn.pem", None),
        ("br-seal-multivalued-rdn-ou.pem", None),
        // A critical extension of 1999 that nobody reads (2.5.29.4), and an RSA key of 512 bits.
        ("rfc7468-atlantis-rsa512-sha1.pem", Some(34)),
    ] {
        let read = Certificate::from_pem_or_der(&std::fs::read(folder.join(file)).unwrap()).unwrap().remove(0);
        let found = registered(&read);
        assert_eq!(found.unacceptable().map(|reason| reason.code), why, "{file}: {found:?}");
        assert_eq!(found.is_success(), why.is_none(), "{file}: {found:?}");
        let weak = found.remarks().iter().filter(|remark| remark.contains("RSA key of 512 bits")).count();
        assert_eq!(weak, usize::from(why.is_some()), "{file}: {found:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_changed_bit_is_another_certificate(at in 0_usize..2000, bit in 0_u8..8) {
        let good = certificate(&self_signed(&Leaf::named("client")));
        let mut thumbprints = Thumbprints::default();
        thumbprints.insert(Thumbprint::Sha256(*good.sha256()));
        let mut der = good.der().to_vec();
        let at = at % der.len();
        der[at] ^= 1 << bit;
        if let Ok(other) = Certificate::from_der(&der) {
            let settings = VerificationSettings::default();
            prop_assert_eq!(verify_thumbprint(&other, &thumbprints, &settings, NOW), None);
            // Registered itself, it gets an answer, whatever it is.
            let _ = registered(&other).is_success();
        }
    }
}
