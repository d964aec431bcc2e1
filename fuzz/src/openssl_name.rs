//! OpenSSL's own printers of names, which the openssl crate does not wrap.

use std::ffi::{CStr, c_char, c_int, c_ulong, c_void};

use foreign_types::ForeignTypeRef;
use openssl::x509::X509NameRef;

unsafe extern "C" {
    fn BIO_s_mem() -> *const c_void;
    fn BIO_new(kind: *const c_void) -> *mut c_void;
    fn BIO_free(bio: *mut c_void) -> c_int;
    fn BIO_read(bio: *mut c_void, into: *mut c_void, length: c_int) -> c_int;
    fn X509_NAME_print_ex(out: *mut c_void, name: *const c_void, indent: c_int, flags: c_ulong) -> c_int;
    fn X509_NAME_oneline(name: *const c_void, buffer: *mut c_char, size: c_int) -> *mut c_char;
    fn CRYPTO_free(memory: *mut c_void, file: *const c_char, line: c_int);
}

/// `XN_FLAG_RFC2253` of x509.h: ASN1_STRFLGS_RFC2253 (0x1 | 0x2 | 0x4 | 0x10 | 0x100 | 0x200), comma and plus as separators,
/// last RDN first, short names, unknown fields as dumps.
const XN_FLAG_RFC2253: c_ulong = 0x317 | (1 << 16) | (1 << 20) | (1 << 24);

/// What nginx prints as `$ssl_client_s_dn`; none where OpenSSL cannot print the name.
pub fn rfc2253(name: &X509NameRef) -> Option<Vec<u8>> {
    // SAFETY: the name lives through the calls, the memory BIO is freed once, and reads go into our own buffer.
    unsafe {
        let bio = BIO_new(BIO_s_mem());
        assert!(!bio.is_null());
        let printed = X509_NAME_print_ex(bio, name.as_ptr().cast(), 0, XN_FLAG_RFC2253);
        let (mut text, mut buffer) = (Vec::new(), [0_u8; 4096]);
        while let Ok(count @ 1..) = usize::try_from(BIO_read(bio, buffer.as_mut_ptr().cast(), 4096)) {
            text.extend_from_slice(&buffer[..count]);
        }
        BIO_free(bio);
        (printed >= 0).then_some(text)
    }
}

/// What nginx prints as `$ssl_client_s_dn_legacy`; none where OpenSSL cannot print the name.
pub fn legacy(name: &X509NameRef) -> Option<Vec<u8>> {
    // SAFETY: with a null buffer OpenSSL allocates a text that ends with NUL, which is freed once.
    unsafe {
        let line = X509_NAME_oneline(name.as_ptr().cast(), std::ptr::null_mut(), 0);
        if line.is_null() {
            return None;
        }
        let text = CStr::from_ptr(line).to_bytes().to_vec();
        CRYPTO_free(line.cast(), c"".as_ptr(), 0);
        Some(text)
    }
}
