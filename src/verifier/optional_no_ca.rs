//! What nginx says by itself, so that `inspect` can show it beside our findings.

use openssl::x509::X509PurposeId;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;

use crate::clock::UnixTime;
use crate::x509::certificate::Certificate;
use crate::x509::openssl_ffi::{EngineError, PathError, VerifyRun};
use crate::x509::reason::reason_text;

/// nginx's default `ssl_verify_depth`.
const NGINX_DEPTH: u32 = 1;
/// OpenSSL's default security level on the distributions that ship nginx.
const SECURITY_LEVEL: i32 = 2;

/// `$ssl_client_verify` of nginx with `ssl_verify_client optional_no_ca` and no CA file: one run of `X509_verify_cert` against
/// nothing, past every error, and the last error wins (`SSL_get_verify_result`). So it says whether the dates are good, and
/// nothing about trust.
pub fn optional_no_ca_text(leaf: &Certificate, chain: &[Certificate], now: UnixTime) -> String {
    match last_error(leaf, chain, now) {
        Ok(None) => "SUCCESS".into(),
        Ok(Some(error)) => format!("FAILED:{}", reason_text(error.code)),
        Err(_) => "FAILED:unspecified certificate verification error".into(),
    }
}

fn last_error(leaf: &Certificate, chain: &[Certificate], now: UnixTime) -> Result<Option<PathError>, EngineError> {
    let store = X509StoreBuilder::new()?.build();
    let untrusted: Vec<_> = chain.iter().map(|certificate| certificate.openssl().to_owned()).collect();
    let run = VerifyRun {
        leaf: leaf.openssl(),
        untrusted: &untrusted,
        store: &store,
        time: now,
        purpose: X509PurposeId::SSL_CLIENT,
        depth: NGINX_DEPTH,
        auth_level: SECURITY_LEVEL,
        flags: X509VerifyFlags::TRUSTED_FIRST,
        policies: &[],
    };
    Ok(run.run()?.errors.last().copied())
}
