//! The calls of OpenSSL that the `openssl` crate does not wrap: a verify callback that sees every error, and policy
//! inputs. The only file with `unsafe`; nothing here decides anything.
//!
//! Sources: the manual pages X509_STORE_CTX_set_verify_cb(3), X509_VERIFY_PARAM_set_flags(3), X509_verify_cert(3).

#![allow(unsafe_code, reason = "the openssl crate has no safe wrapper for these calls, or none that is safe")]

use std::ffi::{c_int, c_void};

use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::asn1::Asn1Object;
use openssl::error::ErrorStack;
use openssl::ssl::{SslRef, SslSessionRef};
use openssl::stack::Stack;
use openssl::x509::store::X509StoreRef;
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParamRef};
use openssl::x509::{X509, X509PurposeId, X509Ref, X509StoreContext, X509StoreContextRef};
use openssl_sys as ffi;

use crate::clock::UnixTime;

/// One thing that OpenSSL found wrong: an `X509_V_ERR_*` number and the place in the chain (0 is the end entity).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathError {
    /// The `X509_V_ERR_*` number.
    pub code: i32,
    /// The place in the chain, 0 for the end entity.
    pub depth: u32,
}

/// Everything that one run of `X509_verify_cert` depends on.
pub(crate) struct VerifyRun<'a> {
    /// The end entity.
    pub(crate) leaf: &'a X509Ref,
    /// Certificates that may stand between leaf and anchor.
    pub(crate) untrusted: &'a [X509],
    /// Anchors.
    pub(crate) store: &'a X509StoreRef,
    /// The instant to judge at.
    pub(crate) time: UnixTime,
    /// What the end entity is to be used for.
    pub(crate) purpose: X509PurposeId,
    /// Most intermediates.
    pub(crate) depth: u32,
    /// OpenSSL's security level for keys and signature digests.
    pub(crate) auth_level: i32,
    /// Checks switched on.
    pub(crate) flags: X509VerifyFlags,
    /// The initial policy set (RFC 5280 §6.1.1 c), dotted; empty adds none.
    pub(crate) policies: &'a [String],
}

/// What a run found.
pub(crate) struct VerifyOutcome {
    /// Every error, in the order found, repeated ones kept.
    pub(crate) errors: Vec<PathError>,
    /// The chain that OpenSSL built, leaf first.
    pub(crate) chain: Vec<X509>,
}

/// OpenSSL could not finish: out of memory, a bad argument, more errors than are worth keeping.
#[derive(Debug)]
pub(crate) struct EngineError(pub(crate) String);

impl From<ErrorStack> for EngineError {
    fn from(stack: ErrorStack) -> Self {
        // The reason alone: the rest is file names of OpenSSL's source.
        let reason = stack.errors().first().and_then(|error| error.reason());
        Self(reason.unwrap_or("no reason given").to_owned())
    }
}

/// A chain of ten certificates with every strict check failing stays far below this.
const MOST_ERRORS: usize = 256;

/// `X509_STORE_CTX_set_app_data` is the macro for ex_data index 0.
const APP_DATA: c_int = 0;

type VerifyCallback = extern "C" fn(c_int, *mut ffi::X509_STORE_CTX) -> c_int;

unsafe extern "C" {
    fn X509_STORE_CTX_get0_param(ctx: *mut ffi::X509_STORE_CTX) -> *mut ffi::X509_VERIFY_PARAM;
    fn X509_STORE_CTX_set_verify_cb(ctx: *mut ffi::X509_STORE_CTX, callback: VerifyCallback);
    fn X509_STORE_CTX_set_ex_data(ctx: *mut ffi::X509_STORE_CTX, index: c_int, data: *mut c_void) -> c_int;
    fn X509_VERIFY_PARAM_add0_policy(param: *mut ffi::X509_VERIFY_PARAM, policy: *mut ffi::ASN1_OBJECT) -> c_int;
}

impl VerifyRun<'_> {
    /// Runs `X509_verify_cert` once, going on past every error.
    ///
    /// # Errors
    /// When OpenSSL did not reach the end. That is never an acceptance.
    pub(crate) fn run(&self) -> Result<VerifyOutcome, EngineError> {
        let outcome = self.run_inner();
        // Errors that OpenSSL queued on the way would surface in somebody else's next call on this thread.
        drop(ErrorStack::get());
        outcome
    }

    fn run_inner(&self) -> Result<VerifyOutcome, EngineError> {
        let mut untrusted = Stack::new()?;
        for certificate in self.untrusted {
            untrusted.push(certificate.clone())?;
        }
        let mut errors: Vec<PathError> = Vec::with_capacity(MOST_ERRORS);
        let mut context = X509StoreContext::new()?;
        let (finished, chain, last) = context.init(self.store, self.leaf, &untrusted, |context| {
            self.configure(context)?;
            let finished = verify_collecting(context, &mut errors)?;
            let chain = context.chain().map(|chain| chain.iter().map(ToOwned::to_owned).collect()).unwrap_or_default();
            let last = PathError { code: context.error().as_raw(), depth: context.error_depth() };
            Ok((finished, chain, last))
        })?;
        if !finished {
            return Err(EngineError(format!("verification stopped at error {} depth {}", last.code, last.depth)));
        }
        // The callback has seen every error; one that it has not seen must still refuse.
        if errors.is_empty() && last.code != ffi::X509_V_OK {
            errors.push(last);
        }
        Ok(VerifyOutcome { errors, chain })
    }

    fn configure(&self, context: &mut X509StoreContextRef) -> Result<(), ErrorStack> {
        let param = param_of(context);
        param.set_flags(self.flags)?;
        param.set_time(self.time.0);
        param.set_depth(i32::try_from(self.depth).unwrap_or(i32::MAX));
        param.set_auth_level(self.auth_level);
        param.set_purpose(self.purpose)?;
        self.policies.iter().try_for_each(|policy| add_policy(param, policy))
    }
}

fn param_of(context: &mut X509StoreContextRef) -> &mut X509VerifyParamRef {
    // SAFETY: an initialized context owns its parameters (X509_STORE_CTX_init makes them) until it is cleaned up, which the
    // borrow of `context` outlasts; nothing else holds the pointer meanwhile.
    unsafe { X509VerifyParamRef::from_ptr_mut(X509_STORE_CTX_get0_param(context.as_ptr())) }
}

fn add_policy(param: &mut X509VerifyParamRef, dotted: &str) -> Result<(), ErrorStack> {
    let policy = Asn1Object::from_str(dotted)?;
    // SAFETY: on success (1) `add0` takes ownership of the object, so it is forgotten here; otherwise it stays ours.
    let added = unsafe { X509_VERIFY_PARAM_add0_policy(param.as_ptr(), policy.as_ptr()) };
    if added != 1 {
        return Err(ErrorStack::get());
    }
    std::mem::forget(policy);
    Ok(())
}

/// True when `X509_verify_cert` returned 1, so that `errors` is the whole list.
fn verify_collecting(context: &mut X509StoreContextRef, errors: &mut Vec<PathError>) -> Result<bool, ErrorStack> {
    let data: *mut c_void = std::ptr::from_mut(errors).cast();
    // SAFETY: `errors` outlives the call of `verify_cert`, nobody else touches it during that call, and the pointer is taken
    // back right after; the callback has the type that OpenSSL calls.
    unsafe {
        if X509_STORE_CTX_set_ex_data(context.as_ptr(), APP_DATA, data) != 1 {
            return Err(ErrorStack::get());
        }
        X509_STORE_CTX_set_verify_cb(context.as_ptr(), record_and_continue);
    }
    let finished = context.verify_cert();
    // SAFETY: clears the pointer set above in the same live context.
    unsafe { X509_STORE_CTX_set_ex_data(context.as_ptr(), APP_DATA, std::ptr::null_mut()) };
    finished
}

/// Called by OpenSSL for every certificate that is fine (`ok` 1) and for every error (`ok` 0). Returning 1 means: go on.
///
/// A context without data is not one of ours: 0 ends its verification, so that no error there is waved through.
extern "C" fn record_and_continue(ok: c_int, context: *mut ffi::X509_STORE_CTX) -> c_int {
    if ok == 1 {
        return 1;
    }
    // SAFETY: OpenSSL hands the callback a live context; its data is null or the list of `verify_collecting`, which is alive
    // and not borrowed elsewhere while `X509_verify_cert` runs. Pushing below the capacity does not allocate, so no unwinding.
    unsafe {
        let errors = ffi::X509_STORE_CTX_get_ex_data(context, APP_DATA).cast::<Vec<PathError>>();
        let Some(errors) = errors.as_mut() else { return 0 };
        if errors.len() == errors.capacity() {
            return 0;
        }
        let code = ffi::X509_STORE_CTX_get_error(context);
        let depth = u32::try_from(ffi::X509_STORE_CTX_get_error_depth(context)).unwrap_or(0);
        errors.push(PathError { code, depth });
    }
    1
}

/// Offers a session in a handshake that has not begun: for `vestibule probe`, which offers it to another host on purpose.
pub(crate) fn offer_session(ssl: &mut SslRef, session: &SslSessionRef) -> Result<(), ErrorStack> {
    // SAFETY: both are live for the call; SSL_set_session(3) takes a reference of its own to the session. The callers make both
    // with one context, which the openssl crate asks for.
    unsafe { ssl.set_session(session) }
}

/// Starts OpenSSL so that it does not clean up when the process exits: another thread may still be in the middle of it then,
/// and would fall. The operating system takes the memory back. Without effect when OpenSSL was started before.
pub fn leave_exit_alone() {
    /// `OPENSSL_INIT_NO_ATEXIT`.
    const NO_ATEXIT: u64 = 0x0008_0000;
    // SAFETY: may be called from any thread, any number of times; null settings are the default ones.
    unsafe { openssl_sys::OPENSSL_init_ssl(NO_ATEXIT, std::ptr::null()) };
}
