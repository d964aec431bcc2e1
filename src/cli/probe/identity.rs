//! Certificates of the probe: its operator's, and those that it makes itself, which nobody should trust.

use std::path::Path;

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sha::sha256;
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Name};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::clock::UnixTime;
use crate::front_door::LeafCodec;

/// A certificate, its key, and what is sent beside it.
pub(super) struct Identity {
    pub(super) certificate: X509,
    pub(super) key: PKey<Private>,
    pub(super) chain: Vec<X509>,
}

/// What nginx leaves as it is in `$ssl_client_escaped_cert`.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Bytes that one more name adds to a certificate.
const NAME_BYTES: usize = 60;

impl Identity {
    /// The operator's own.
    pub(super) fn read(certificate: &Path, key: &Path) -> Result<Self, String> {
        let mut certificates = read_certificates(certificate)?.into_iter();
        let first = certificates.next().ok_or_else(|| format!("`{}` holds no certificate", certificate.display()))?;
        let text = std::fs::read(key).map_err(|why| format!("`{}` cannot be read: {why}", key.display()))?;
        let key = PKey::private_key_from_pem(&text).map_err(|_| format!("`{}` holds no key in PEM", key.display()))?;
        if !first.public_key().is_ok_and(|public| public.public_eq(&key)) {
            return Err(format!("the key is not that of the certificate in `{}`", certificate.display()));
        }
        Ok(Self { certificate: first, key, chain: certificates.collect() })
    }

    /// A self-signed client certificate of about so many bytes, or as small as it gets.
    pub(super) fn self_made(common_name: &str, now: UnixTime, bytes: usize) -> Result<Self, ErrorStack> {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
        let key = PKey::from_ec_key(EcKey::generate(&group)?)?;
        let mut name = X509Name::builder()?;
        name.append_entry_by_nid(Nid::COMMONNAME, common_name)?;
        let name = name.build();
        let mut serial = BigNum::new()?;
        serial.rand(127, MsbOption::MAYBE_ZERO, false)?;
        let mut builder = X509::builder()?;
        builder.set_version(2)?;
        builder.set_serial_number(&*serial.to_asn1_integer()?)?;
        builder.set_not_before(&*Asn1Time::from_unix(now.plus(-86_400).0)?)?;
        builder.set_not_after(&*Asn1Time::from_unix(now.plus(86_400).0)?)?;
        builder.set_subject_name(&name)?;
        builder.set_issuer_name(&name)?;
        builder.set_pubkey(&key)?;
        builder.append_extension(BasicConstraints::new().build()?)?;
        builder.append_extension(KeyUsage::new().critical().digital_signature().build()?)?;
        builder.append_extension(ExtendedKeyUsage::new().client_auth().build()?)?;
        if bytes > NAME_BYTES {
            let mut names = SubjectAlternativeName::new();
            for at in 0..bytes / NAME_BYTES {
                names.dns(&format!("{at:04}.{}.vestibule-probe.invalid", "x".repeat(NAME_BYTES - 31)));
            }
            let names = names.build(&builder.x509v3_context(None, None))?;
            builder.append_extension(names)?;
        }
        builder.sign(&key, MessageDigest::sha256())?;
        Ok(Self { certificate: builder.build(), key, chain: Vec::new() })
    }

    /// SHA-256 of the certificate, as Vestibule shows it.
    pub(super) fn sha256(&self) -> Result<String, ErrorStack> {
        Ok(hex::encode(sha256(&self.certificate.to_der()?)))
    }

    /// The certificate as a front door would write it: what a forger sends.
    pub(super) fn as_header(&self, codec: LeafCodec) -> Result<String, ErrorStack> {
        let base64 = openssl::base64::encode_block(&self.certificate.to_der()?);
        let pem = String::from_utf8_lossy(&self.certificate.to_pem()?).into_owned();
        let escape = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
        Ok(match codec {
            LeafCodec::EscapedPem | LeafCodec::EscapedPemBundle => escape(&pem),
            LeafCodec::SpacedPem => pem.trim_end().replace('\n', " "),
            LeafCodec::Base64Der | LeafCodec::PemBodies => base64,
            LeafCodec::EscapedPemBodies => escape(&base64),
            LeafCodec::Base64Pem => openssl::base64::encode_block(pem.as_bytes()),
            LeafCodec::ByteSequence => format!(":{base64}:"),
            LeafCodec::Xfcc => format!("Hash={};Cert=\"{}\"", self.sha256()?, escape(&pem)),
            LeafCodec::XfccJson => serde_json::json!([{ "hash": self.sha256()?, "cert": pem }]).to_string(),
        })
    }
}

/// Every certificate of a PEM file.
pub(super) fn read_certificates(path: &Path) -> Result<Vec<X509>, String> {
    let text = std::fs::read(path).map_err(|why| format!("`{}` cannot be read: {why}", path.display()))?;
    let read = X509::stack_from_pem(&text).map_err(|_| format!("`{}` holds no certificates in PEM", path.display()))?;
    if read.is_empty() { Err(format!("`{}` holds no certificate", path.display())) } else { Ok(read) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_about_as_large_as_asked() {
        for bytes in [0, 9_000, 20_000, 50_000] {
            let made = Identity::self_made("probe", UnixTime(1_800_000_000), bytes).unwrap();
            let length = made.certificate.to_der().unwrap().len();
            assert!(length + 1_000 > bytes && length < bytes + bytes / 5 + 1_000, "{bytes}: {length}");
        }
    }

    #[test]
    fn what_a_forger_sends_would_be_read() {
        use crate::front_door::XfccElements;
        use crate::presented::{
            Ders, decode_base64_der, decode_base64_pem, decode_byte_sequence, decode_escaped_pem, decode_escaped_pem_bodies,
            decode_pem_bodies, decode_spaced_pem, decode_xfcc, decode_xfcc_json,
        };
        use crate::refusal::Refused;
        type Decode = fn(&[u8]) -> Result<Ders, Refused>;
        let made = Identity::self_made("probe", UnixTime(1_800_000_000), 0).unwrap();
        let der = made.certificate.to_der().unwrap();
        let table: [(LeafCodec, Decode); 10] = [
            (LeafCodec::EscapedPem, decode_escaped_pem),
            (LeafCodec::EscapedPemBundle, decode_escaped_pem),
            (LeafCodec::SpacedPem, decode_spaced_pem),
            (LeafCodec::Base64Der, |value| decode_base64_der(value).map(|der| vec![der])),
            (LeafCodec::PemBodies, decode_pem_bodies),
            (LeafCodec::EscapedPemBodies, decode_escaped_pem_bodies),
            (LeafCodec::Base64Pem, decode_base64_pem),
            (LeafCodec::ByteSequence, |value| decode_byte_sequence(value).map(|der| vec![der])),
            (LeafCodec::Xfcc, decode_xfcc),
            (LeafCodec::XfccJson, |value| decode_xfcc_json(value, XfccElements::One)),
        ];
        for (codec, decode) in table {
            let read = decode(made.as_header(codec).unwrap().as_bytes()).unwrap_or_else(|why| panic!("{codec:?}: {why:?}"));
            assert_eq!(read.first(), Some(&der), "{codec:?}");
        }
    }
}
