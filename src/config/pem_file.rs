//! PEM files of certificates and of CRLs. Whatever else is in such a file is told with the way to mend it.

use std::path::Path;

use openssl::pkcs7::Pkcs7;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::PKey;
use openssl::x509::{X509, X509Crl, X509Req};

/// The largest file of certificates or CRLs.
const LARGEST_FILE: u64 = 256 << 20;

/// What a file is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Certificates,
    Crls,
}

/// What was found, and how to mend it.
type Problem = (String, String);

impl Wanted {
    fn labels(self) -> &'static [&'static str] {
        match self {
            Self::Certificates => &["CERTIFICATE", "X509 CERTIFICATE"],
            Self::Crls => &["X509 CRL"],
        }
    }

    fn accepted(self) -> String {
        match self {
            Self::Certificates => "a PEM file with CERTIFICATE blocks".into(),
            Self::Crls => "a PEM file with X509 CRL blocks, or one list in DER".into(),
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Certificates => "CERTIFICATE",
            Self::Crls => "X509 CRL",
        }
    }
}

/// The blocks of a PEM file; every one must be of the right kind.
pub(super) fn blocks(path: &Path, wanted: Wanted) -> Result<Vec<Vec<u8>>, Problem> {
    let unreadable = |why: std::io::Error| (format!("cannot be read: {why}"), wanted.accepted());
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > LARGEST_FILE {
        return Err((format!("has {size} bytes"), format!("at most {LARGEST_FILE} bytes")));
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    // CAs publish lists as DER.
    if wanted == Wanted::Crls && bytes.first() == Some(&0x30) && X509Crl::from_der(&bytes).is_ok() {
        return Ok(vec![bytes]);
    }
    if let Some(problem) = no_text(&bytes, wanted) {
        return Err(problem);
    }
    let blocks = pem::parse_many(&bytes).map_err(|why| (format!("is not PEM: {why}"), wanted.accepted()))?;
    // The reader passes over a block without its end.
    let begun = memchr::memmem::find_iter(&bytes, b"-----BEGIN ").count();
    if begun > blocks.len() {
        let found = format!("is cut off or broken: {begun} blocks begin, and {} end", blocks.len());
        return Err((found, wanted.accepted()));
    }
    if blocks.is_empty() {
        return Err(("holds no PEM block".into(), wanted.accepted()));
    }
    blocks.into_iter().enumerate().map(|(at, block)| right_kind(block, at, wanted)).collect()
}

/// Why these bytes are not the text of a PEM file.
fn no_text(bytes: &[u8], wanted: Wanted) -> Option<Problem> {
    let save_again = "save it as plain ASCII or UTF-8 text without a byte order mark";
    match bytes {
        [] => Some(("is empty".into(), wanted.accepted())),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some(("is text in UTF-16".into(), save_again.into())),
        [0xEF, 0xBB, 0xBF, ..] => Some(("begins with a byte order mark".into(), save_again.into())),
        // UTF-16 without a mark: every other octet of `-----BEGIN` is zero.
        [b'-', 0, ..] | [0, b'-', ..] => Some(("is text in UTF-16".into(), save_again.into())),
        // The tag of a SEQUENCE. As text it would be a digit.
        [0x30, length, ..] if *length >= 0x80 || !bytes.is_ascii() => Some(binary(bytes, wanted)),
        _ => None,
    }
}

/// What a file in DER is.
fn binary(der: &[u8], wanted: Wanted) -> Problem {
    let (what, mend) = if X509::from_der(der).is_ok() {
        match wanted {
            Wanted::Certificates => return is_der(),
            Wanted::Crls => ("is a certificate in DER, not a CRL".into(), wanted.accepted()),
        }
    } else if X509Crl::from_der(der).is_ok() {
        ("is a CRL in DER, not a certificate".into(), wanted.accepted())
    } else if Pkcs12::from_der(der).is_ok() {
        let mend = "take the CA certificates out: openssl pkcs12 -in FILE -cacerts -nokeys -out FILE.pem; it may hold a private key, \
                    which has no place here";
        ("is a PKCS#12 file".into(), mend.into())
    } else if Pkcs7::from_der(der).is_ok() {
        let mend = "convert it: openssl pkcs7 -inform der -in FILE -print_certs -out FILE.pem";
        ("is a PKCS#7 file in DER".into(), mend.into())
    } else if X509Req::from_der(der).is_ok() {
        ("is a certificate request in DER".into(), REQUEST.into())
    } else if PKey::private_key_from_der(der).is_ok() {
        ("is a private key in DER".into(), PRIVATE_KEY.into())
    } else {
        return match wanted {
            Wanted::Certificates => is_der(),
            Wanted::Crls => ("is neither PEM nor a CRL in DER".into(), wanted.accepted()),
        };
    };
    (what, mend)
}

fn is_der() -> Problem {
    ("is DER, not PEM".into(), "convert it: openssl x509 -inform der -in FILE -out FILE.pem".into())
}

const PRIVATE_KEY: &str = "a private key has no place here: remove it, and replace the key if others could read this file";
const REQUEST: &str = "this is a request; use the certificate that the CA made of it";

fn right_kind(block: pem::Pem, at: usize, wanted: Wanted) -> Result<Vec<u8>, Problem> {
    let label = block.tag();
    if wanted.labels().contains(&label) {
        return Ok(block.into_contents());
    }
    let only = format!("only {} blocks", wanted.label());
    let mend = match label {
        "X509 CRL" => format!("{only}; CRLs belong in `crl`"),
        "CERTIFICATE" | "X509 CERTIFICATE" => format!("{only}; CA certificates belong in `certificates` or `intermediates`"),
        "TRUSTED CERTIFICATE" => "OpenSSL's own form; convert it: openssl x509 -in FILE -out FILE.pem".into(),
        "PKCS7" | "CMS" => "convert it: openssl pkcs7 -in FILE -print_certs -out FILE.pem".into(),
        "PUBLIC KEY" | "RSA PUBLIC KEY" => "a public key is no certificate; use the certificate that the CA made for it".into(),
        _ if label.ends_with("PRIVATE KEY") => PRIVATE_KEY.into(),
        _ if label.ends_with("CERTIFICATE REQUEST") => REQUEST.into(),
        _ => only,
    };
    Err((format!("holds a {label} block at place {}", at + 1), mend))
}
