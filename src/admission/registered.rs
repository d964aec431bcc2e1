//! Registered certificates: lists of those that may pass, and of those that may not, each one named by itself.
//!
//! An allow or a deny list narrows what validation let pass; it never replaces validation. The thumbprints, which do, are judged by
//! the verifier ([`crate::verifier::verify_thumbprint`]) and stand here because a route has them beside its lists. A certificate is found by hash, so that a list of
//! 100,000 costs a request what a list of one does.

use std::collections::HashSet;

use crate::refusal::{Refusal, Refused};
use crate::verifier::Thumbprints;
use crate::x509::certificate::Certificate;
use crate::x509::name_text::is_rfc2253_text;

/// One line of a list: what names a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CertificateEntry {
    /// `issuer-serial:SERIAL ISSUER`: the serial number in hexadecimal digits, a space, and the issuer to the end of the line as
    /// `ssl_client_i_dn` prints it. The serial number stands first because a name may hold any character.
    IssuerSerial {
        /// Upper-case digits without leading zeros, with `-` in front of a negative one.
        serial: String,
        /// The issuer's text.
        issuer: String,
    },
    /// `sha256:HEX`: SHA-256 of the certificate.
    Sha256([u8; 32]),
    /// `spki-sha256:HEX`: SHA-256 of its SubjectPublicKeyInfo. It also names the next certificate for the same key.
    SpkiSha256([u8; 32]),
}

impl CertificateEntry {
    /// Whether a text looks like an entry, right or wrong, and not like a file's name.
    pub fn claims(text: &str) -> bool {
        ["issuer-serial:", "sha256:", "spki-sha256:"].iter().any(|prefix| text.starts_with(prefix))
    }

    /// The entry that names a certificate by its issuer and serial number.
    pub fn issuer_serial_of(certificate: &Certificate) -> Option<Self> {
        let serial = serial_number(&certificate.serial().text().replace("\\\n", ""))?;
        Some(Self::IssuerSerial { serial, issuer: certificate.issuer().rfc2253() })
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const DIGEST: &str = "a SHA-256 is 64 hexadecimal digits, with or without colons";
        if let Some(digits) = text.strip_prefix("sha256:") {
            return sha256(digits).map(Self::Sha256).ok_or(DIGEST);
        }
        if let Some(digits) = text.strip_prefix("spki-sha256:") {
            return sha256(digits).map(Self::SpkiSha256).ok_or(DIGEST);
        }
        let rest = text.strip_prefix("issuer-serial:").ok_or("accepted: `sha256:`, `spki-sha256:` or `issuer-serial:`")?;
        let (serial, issuer) = rest.split_once(' ').ok_or("a serial number, one space, and the issuer")?;
        let serial = serial_number(serial).ok_or("a serial number is hexadecimal digits, as `ssl_client_serial` has them")?;
        // Another spelling of the name would never be found: a deny list would let its certificate pass.
        if !is_rfc2253_text(issuer) {
            return Err("the issuer must stand as `ssl_client_i_dn` prints it; `vestibule inspect` shows it");
        }
        Ok(Self::IssuerSerial { serial, issuer: issuer.to_owned() })
    }
}

/// 64 hexadecimal digits, with or without colons between the octets.
pub fn sha256(digits: &str) -> Option<[u8; 32]> {
    let plain: String = if digits.len() == 95 { digits.split(':').collect() } else { digits.to_owned() };
    let colons_fit = digits.len() != 95 || digits.split(':').all(|octet| octet.len() == 2);
    hex::decode(plain).ok().filter(|_| colons_fit)?.try_into().ok()
}

/// Upper-case digits without leading zeros.
fn serial_number(text: &str) -> Option<String> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let plain = digits.replace(':', "");
    if plain.is_empty() || !plain.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some(format!("{sign}{}", plain.trim_start_matches('0').to_ascii_uppercase()))
}

/// A list of certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertificateList {
    sha256: HashSet<[u8; 32]>,
    spki_sha256: HashSet<[u8; 32]>,
    /// Serial number, a space, issuer.
    issuer_serial: HashSet<String>,
}

impl CertificateList {
    /// Adds an entry.
    pub fn insert(&mut self, entry: CertificateEntry) {
        match entry {
            CertificateEntry::IssuerSerial { serial, issuer } => self.issuer_serial.insert(format!("{serial} {issuer}")),
            CertificateEntry::Sha256(digest) => self.sha256.insert(digest),
            CertificateEntry::SpkiSha256(digest) => self.spki_sha256.insert(digest),
        };
    }

    /// Whether nothing is on it.
    pub fn is_empty(&self) -> bool {
        self.sha256.is_empty() && self.spki_sha256.is_empty() && self.issuer_serial.is_empty()
    }

    /// Whether the certificate that it was made of is on it. Only who is to be kept out has a reason to change his.
    fn names_twin(&self, certificate: &Certificate) -> Option<&'static str> {
        let listed = |digest| self.sha256.contains(&digest);
        (!self.sha256.is_empty() && certificate.sha256_of_twins().any(listed)).then_some("sha256, with the signature turned")
    }

    /// Whether a certificate is on it, and by what.
    pub fn names(&self, certificate: &Certificate) -> Option<&'static str> {
        if self.sha256.contains(certificate.sha256()) {
            return Some("sha256");
        }
        if self.spki_sha256.contains(certificate.spki_sha256()) {
            return Some("spki-sha256");
        }
        // The two texts are only made where somebody asks for them.
        if self.issuer_serial.is_empty() {
            return None;
        }
        let serial = serial_number(&certificate.serial().text().replace("\\\n", ""))?;
        let key = format!("{serial} {}", certificate.issuer().rfc2253());
        self.issuer_serial.contains(&key).then_some("issuer-serial")
    }
}

/// The lists of a route.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegisteredCertificates {
    /// When there is any, no other certificate passes.
    pub allow: CertificateList,
    /// These never pass.
    pub deny: CertificateList,
    /// These need no CA.
    pub self_signed: Thumbprints,
}

impl RegisteredCertificates {
    pub(super) fn refuse_denied(&self, certificate: &Certificate) -> Result<(), Refused> {
        match self.deny.names(certificate).or_else(|| self.deny.names_twin(certificate)) {
            Some(by) => Err(Refused::new(Refusal::CertificateDenied, format!("on the deny list, by {by}"))),
            None => Ok(()),
        }
    }

    pub(super) fn refuse_unregistered(&self, certificate: &Certificate) -> Result<(), Refused> {
        if self.allow.is_empty() || self.allow.names(certificate).is_some() {
            return Ok(());
        }
        Err(Refused::new(Refusal::CertificateNotRegistered, "not on the allow list"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn entries() {
        let plain = "ab".repeat(32);
        let colons = vec!["AB"; 32].join(":");
        for digits in [&plain, &colons, &plain.to_uppercase()] {
            assert_eq!(CertificateEntry::parse(&format!("sha256:{digits}")), Ok(CertificateEntry::Sha256([0xAB; 32])));
            assert_eq!(CertificateEntry::parse(&format!("spki-sha256:{digits}")), Ok(CertificateEntry::SpkiSha256([0xAB; 32])));
        }
        let entry =
            |serial: &str, issuer: &str| CertificateEntry::IssuerSerial { serial: serial.into(), issuer: issuer.into() };
        for (text, expected) in [
            ("issuer-serial:00:0a:Ff CN=a/b 01,O=x", entry("AFF", "CN=a/b 01,O=x")),
            ("issuer-serial:0AFF CN=x\\, y", entry("AFF", "CN=x\\, y")),
            ("issuer-serial:-01 CN=x", entry("-1", "CN=x")),
            ("issuer-serial:00 CN=x", entry("", "CN=x")),
        ] {
            assert_eq!(CertificateEntry::parse(text), Ok(expected), "{text}");
        }
        for bad in [
            "",
            "sha256:",
            "sha256:abcd",
            &format!("sha256:{plain}00"),
            &format!("sha256: {plain}"),
            &format!("sha1:{plain}"),
            &plain,
            &format!("sha256:{}", "abc:".repeat(24).get(..95).unwrap()),
            "issuer-serial:",
            "issuer-serial:01",
            "issuer-serial:01 ",
            "issuer-serial: CN=x",
            "issuer-serial:0x01 CN=x",
            "issuer-serial:01  CN=x",
            "issuer-serial:01 CN=x, O=y",
            "issuer-serial:01 CN = x",
            "issuer-serial:01 /O=y/CN=x",
        ] {
            assert!(CertificateEntry::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_no_panic(text in any::<String>()) {
            let _ = CertificateEntry::parse(&text);
            let _ = CertificateEntry::parse(&format!("issuer-serial:01 {text}"));
            let _ = sha256(&text);
        }
    }
}
