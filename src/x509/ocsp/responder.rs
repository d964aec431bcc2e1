//! Who signed an answer, and may they? (RFC 6960 §4.2.2.2)
//!
//! The issuer itself, by its own key; or a responder to whom the issuer gave a certificate for that purpose. That certificate
//! stands in the answer and is judged like the path: dates, key strength, signature and critical extensions by OpenSSL against
//! the issuer alone, at the caller's instant.

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509Name, X509PurposeId, X509Ref};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::OcspError;
use super::cert_id::{digest, key_octets};
use super::fields::{Basic, ResponderId};
use crate::clock::UnixTime;
use crate::x509::certificate::Certificate;
use crate::x509::lint::{self, Allowances, Role};
use crate::x509::openssl_ffi::VerifyRun;
use crate::x509::signature::{SignatureCheck, SignerCheck};
use crate::x509::tbs;

/// Certificates that are looked at. Responders send one, or one and its issuers.
const MOST_CERTIFICATES: usize = 8;
/// As for paths: keys of 112 bits, no SHA-1.
const AUTH_LEVEL: i32 = 2;
/// 1.3.6.1.5.5.7.48.1.5, id-pkix-ocsp-nocheck: the responder's own status is not to be asked.
const NO_CHECK: &str = "1.3.6.1.5.5.7.48.1.5";
const UNCHECKED: &str =
    "the responder's certificate has no id-pkix-ocsp-nocheck, and its own status was not asked (RFC 6960 §4.2.2.2.1)";

/// Checks the signature and the right to make it. Leaves a remark, if there is one to make.
pub(super) fn authorize(
    basic: &Basic<'_>,
    id: &ResponderId<'_>,
    cert: &X509Ref,
    issuer: &X509Ref,
    at: UnixTime,
) -> Result<Option<&'static str>, OcspError> {
    let check = SignatureCheck::read(basic.algorithm, basic.signed.der, basic.signature)?;
    let signed_by = |signer: &X509Ref| check.by(signer) == SignerCheck::Signed;
    let mut named = id.names(issuer);
    if named && signed_by(issuer) {
        return Ok(None);
    }
    let asked = cert.to_der().map_err(|_| OcspError::Certificate)?;
    let mut refused = None;
    for der in basic.certificates.iter().take(MOST_CERTIFICATES) {
        let Ok(responder) = Certificate::from_der(der) else { continue };
        if !id.names(responder.openssl()) || !signed_by(responder.openssl()) {
            named |= id.names(responder.openssl());
            continue;
        }
        if *der == asked {
            return Err(OcspError::Delegate("is the one asked about: it cannot vouch for itself"));
        }
        match may_answer(&responder, issuer, at) {
            Ok(remark) => return Ok(remark),
            Err(why) => refused = Some(why),
        }
    }
    Err(match refused {
        Some(why) => OcspError::Delegate(why),
        None if named => OcspError::SignatureWrong,
        None => OcspError::WrongSigner,
    })
}

impl ResponderId<'_> {
    fn names(&self, certificate: &X509Ref) -> bool {
        match self {
            Self::Name(name) => {
                let name = X509Name::from_der(name);
                // What OpenSSL queued would surface in somebody else's next call on this thread.
                drop(ErrorStack::get());
                name.is_ok_and(|name| matches!(name.try_cmp(certificate.subject_name()), Ok(std::cmp::Ordering::Equal)))
            }
            Self::KeyHash(hash) => key_hash(certificate).is_some_and(|own| own == *hash),
        }
    }
}

fn key_hash(certificate: &X509Ref) -> Option<Vec<u8>> {
    let der = certificate.to_der().ok()?;
    let fields = tbs::Fields::read(&der).ok()?;
    digest(MessageDigest::sha1(), key_octets(fields.spki).ok()?).ok()
}

fn may_answer(responder: &Certificate, issuer: &X509Ref, at: UnixTime) -> Result<Option<&'static str>, &'static str> {
    let x509 = responder.openssl();
    if !issuer.public_key().and_then(|key| x509.verify(&key)).unwrap_or(false) {
        drop(ErrorStack::get());
        return Err("the certificate's issuer did not sign itself");
    }
    let (_, parsed) = X509Certificate::from_der(responder.der()).map_err(|_| "cannot be read")?;
    let purposes = parsed.extended_key_usage().map_err(|_| "states its extended key usage twice")?;
    if !purposes.is_some_and(|purposes| purposes.value.ocsp_signing) {
        return Err("is not for OCSPSigning (extended key usage)");
    }
    let usage = parsed.key_usage().map_err(|_| "states its key usage twice")?;
    if !usage.is_none_or(|usage| usage.value.digital_signature()) {
        return Err("is not for signatures (key usage)");
    }
    if !lint::lint(x509, responder.der(), Role::Ca, Allowances { version_1: false, ed448: true }).is_empty() {
        return Err("breaks a rule that holds for certificates on a path too");
    }
    if !has_good_path(x509, issuer, at) {
        return Err("does not hold now: its dates, its key or an extension that is critical");
    }
    let nocheck = parsed.extensions().iter().any(|extension| extension.oid.to_id_string() == NO_CHECK);
    Ok(if nocheck { None } else { Some(UNCHECKED) })
}

/// One run of OpenSSL with the issuer as the only anchor and nothing between.
fn has_good_path(responder: &X509Ref, issuer: &X509Ref, at: UnixTime) -> bool {
    let store = X509StoreBuilder::new().and_then(|mut store| {
        store.add_cert(issuer.to_owned())?;
        Ok(store.build())
    });
    let Ok(store) = store else { return false };
    let run = VerifyRun {
        leaf: responder,
        untrusted: &[],
        store: &store,
        time: at,
        purpose: X509PurposeId::OCSP_HELPER,
        depth: 0,
        auth_level: AUTH_LEVEL,
        flags: X509VerifyFlags::TRUSTED_FIRST | X509VerifyFlags::PARTIAL_CHAIN,
        policies: &[],
    };
    run.run().is_ok_and(|outcome| outcome.errors.is_empty() && outcome.chain.len() == 2)
}
