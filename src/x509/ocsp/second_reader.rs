//! OpenSSL's opinion of an answer: `OCSP_basic_verify`, without any of its flags that check less.

use openssl::error::ErrorStack;
use openssl::ocsp::{OcspFlag, OcspResponse};
use openssl::stack::Stack;
use openssl::x509::X509Ref;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};

use super::OcspError;
use crate::clock::UnixTime;

/// As for paths.
const AUTH_LEVEL: i32 = 2;

/// Asks OpenSSL, with the issuer as the only anchor.
pub(super) fn accepts(der: &[u8], issuer: &X509Ref, at: UnixTime) -> Result<(), OcspError> {
    let accepted = ask(der, issuer, at).is_ok();
    // What OpenSSL queued would surface in somebody else's next call on this thread.
    drop(ErrorStack::get());
    if accepted { Ok(()) } else { Err(OcspError::SecondReader) }
}

fn ask(der: &[u8], issuer: &X509Ref, at: UnixTime) -> Result<(), ErrorStack> {
    let mut certificates = Stack::new()?;
    certificates.push(issuer.to_owned())?;
    let store = store(issuer, at)?;
    OcspResponse::from_der(der)?.basic()?.verify(&certificates, &store, OcspFlag::empty())
}

/// OpenSSL would read the machine's clock; the time is set in the store, from which it takes it.
fn store(issuer: &X509Ref, at: UnixTime) -> Result<X509Store, ErrorStack> {
    let mut parameters = X509VerifyParam::new()?;
    parameters.set_time(at.0);
    parameters.set_auth_level(AUTH_LEVEL);
    parameters.set_flags(X509VerifyFlags::PARTIAL_CHAIN | X509VerifyFlags::TRUSTED_FIRST)?;
    let mut store = X509StoreBuilder::new()?;
    store.set_param(&parameters)?;
    store.add_cert(issuer.to_owned())?;
    Ok(store.build())
}
