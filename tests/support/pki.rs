//! Certificates and CRLs for tests, made for one fixed instant ([`NOW`]).
//!
//! ```ignore
//! mod support {
//!     pub(crate) mod pki;
//! }
//! let ca = Ca::root("Root");
//! let good = ca.issue(&Leaf::named("client"));
//! ```

#![allow(dead_code, unreachable_pub, reason = "a module of several test programs, each of which uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot make its certificates has failed")]

use openssl::asn1::{Asn1Integer, Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509CrlBuilder, X509Extension, X509Name, X509NameRef, X509Revoked, X509RevokedBuilder};
use vestibule::clock::UnixTime;
use vestibule::x509::certificate::Certificate;
use vestibule::x509::trusted_ca::{Source, TrustMaterial, TrustOptions, TrustedCas};

/// 2026-01-15T12:00:00Z, the instant of every test.
pub const NOW: UnixTime = UnixTime(1_768_478_400);
/// Seconds.
pub const DAY: i64 = 86_400;

/// notBefore and notAfter.
#[derive(Clone, Copy)]
pub struct Dates(pub i64, pub i64);

impl Dates {
    /// Valid from yesterday for a year.
    pub const VALID: Self = Self(NOW.0 - DAY, NOW.0 + 365 * DAY);
    /// Ended yesterday.
    pub const EXPIRED: Self = Self(NOW.0 - 30 * DAY, NOW.0 - DAY);
    /// Starts tomorrow.
    pub const NOT_YET: Self = Self(NOW.0 + DAY, NOW.0 + 30 * DAY);
}

/// A fresh P-256 key.
pub fn new_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// What a client certificate says.
pub struct Leaf {
    /// Subject common name.
    pub common_name: String,
    /// Serial number.
    pub serial: u32,
    /// Validity.
    pub dates: Dates,
    /// Extended key usage clientAuth, or serverAuth.
    pub client_auth: bool,
    /// Without any extended key usage, whatever `client_auth` says.
    pub no_eku: bool,
    /// basicConstraints cA.
    pub ca: bool,
    /// dNSNames.
    pub dns: Vec<String>,
    /// Further extensions.
    pub extra: Vec<Extra>,
    /// Further attributes of the subject: dotted type and text.
    pub attributes: Vec<(&'static str, String)>,
}

/// An extension: its identifier, criticality and DER.
pub type Extra = (&'static str, bool, Vec<u8>);

impl Leaf {
    /// A valid client certificate.
    pub fn named(common_name: &str) -> Self {
        Self {
            common_name: common_name.into(),
            serial: 1000,
            dates: Dates::VALID,
            client_auth: true,
            no_eku: false,
            ca: false,
            dns: vec![],
            extra: vec![],
            attributes: vec![],
        }
    }

    /// One that expired yesterday.
    pub fn expired(common_name: &str) -> Self {
        Self { dates: Dates::EXPIRED, ..Self::named(common_name) }
    }
}

/// A certificate authority.
pub struct Ca {
    /// Its certificate.
    pub certificate: X509,
    /// Its key.
    pub key: PKey<Private>,
}

impl Ca {
    /// A self-signed root.
    pub fn root(common_name: &str) -> Self {
        Self::self_signed(common_name, new_key(), Dates::VALID)
    }

    /// A self-signed root with a given key and dates.
    pub fn self_signed(common_name: &str, key: PKey<Private>, dates: Dates) -> Self {
        let name = name(common_name);
        let parties = Parties { subject: &name, issuer: &name, key: &key, signer: &key };
        let certificate = ca_certificate(&parties, None, dates, &[]);
        Self { certificate, key }
    }

    /// An intermediate below this CA.
    pub fn intermediate(&self, common_name: &str) -> Self {
        self.certify(common_name, new_key(), Dates::VALID)
    }

    /// A CA certificate of this CA for a given key: cross-signing, roll-over, expired intermediates.
    pub fn certify(&self, common_name: &str, key: PKey<Private>, dates: Dates) -> Self {
        let issuer = self.certificate.subject_name();
        let parties = Parties { subject: &name(common_name), issuer, key: &key, signer: &self.key };
        let certificate = ca_certificate(&parties, Some(&self.certificate), dates, &[]);
        Self { certificate, key }
    }

    /// An intermediate below this CA with further extensions: name constraints, policies.
    pub fn intermediate_with(&self, common_name: &str, extra: &[Extra]) -> Self {
        let key = new_key();
        let issuer = self.certificate.subject_name();
        let parties = Parties { subject: &name(common_name), issuer, key: &key, signer: &self.key };
        let certificate = ca_certificate(&parties, Some(&self.certificate), Dates::VALID, extra);
        Self { certificate, key }
    }

    /// Issues a client certificate.
    pub fn issue(&self, leaf: &Leaf) -> X509 {
        self.issue_for(leaf, &new_key())
    }

    /// Issues a client certificate for a key.
    pub fn issue_for(&self, leaf: &Leaf, key: &PKey<Private>) -> X509 {
        leaf_certificate(leaf, self.certificate.subject_name(), key, &self.key, Some(&self.certificate))
    }

    /// A certificate that names this CA as its issuer, down to the key identifier, but is signed by another key.
    pub fn forge(&self, leaf: &Leaf) -> X509 {
        leaf_certificate(leaf, self.certificate.subject_name(), &new_key(), &new_key(), Some(&self.certificate))
    }

    /// A CRL (DER) of this CA, from yesterday to tomorrow, that lists these serial numbers.
    pub fn crl(&self, serials: &[u32]) -> Vec<u8> {
        self.crl_signed_by(&self.key, serials, Dates(NOW.0 - DAY, NOW.0 + DAY))
    }

    /// A CRL (DER) in this CA's name.
    pub fn crl_signed_by(&self, key: &PKey<Private>, serials: &[u32], dates: Dates) -> Vec<u8> {
        let mut crl = X509CrlBuilder::new().unwrap();
        crl.set_issuer_name(self.certificate.subject_name()).unwrap();
        crl.set_last_update(&at(dates.0)).unwrap();
        crl.set_next_update(&at(dates.1)).unwrap();
        for serial in serials {
            crl.add_revoked(revoked(*serial)).unwrap();
        }
        // cRLNumber 1 and the issuer's key identifier (RFC 5280 §5.2.3, §5.2.1).
        crl.append_extension(extension("2.5.29.20", false, &[2, 1, 1])).unwrap();
        let key_id = self.certificate.subject_key_id().unwrap().as_slice();
        let length = u8::try_from(key_id.len()).unwrap();
        crl.append_extension(extension("2.5.29.35", false, &[&[0x30, length + 2, 0x80, length], key_id].concat())).unwrap();
        crl.sort().unwrap();
        crl.sign(key, MessageDigest::sha256()).unwrap();
        crl.build().unwrap().to_der().unwrap()
    }
}

/// A client certificate of a CA that still signs with SHA-1.
pub fn sha1_signed(ca: &Ca, leaf: &Leaf) -> X509 {
    let mut builder = builder(&leaf_name(leaf), ca.certificate.subject_name(), &new_key(), leaf.serial, leaf.dates);
    builder.append_extension(KeyUsage::new().critical().digital_signature().build().unwrap()).unwrap();
    builder.append_extension(ExtendedKeyUsage::new().client_auth().build().unwrap()).unwrap();
    identify(&mut builder, Some(&ca.certificate));
    builder.sign(&ca.key, MessageDigest::sha1()).unwrap();
    builder.build()
}

/// A client certificate that is its own issuer.
pub fn self_signed(leaf: &Leaf) -> X509 {
    self_signed_by(leaf, &new_key())
}

/// A client certificate that is its own issuer, for a key.
pub fn self_signed_by(leaf: &Leaf, key: &PKey<Private>) -> X509 {
    leaf_certificate(leaf, &leaf_name(leaf), key, key, None)
}

/// The library's view of a certificate.
pub fn certificate(x509: &X509) -> Certificate {
    Certificate::from_der(&x509.to_der().unwrap()).unwrap()
}

/// What trust is built from.
pub fn material(anchors: &[&Ca], intermediates: &[&Ca], crls: &[Vec<u8>]) -> TrustMaterial {
    let source = |kind: &str, at: usize, der: Vec<u8>| Source { origin: format!("{kind} {at}"), der };
    let cas = |kind: &str, cas: &[&Ca]| {
        cas.iter().enumerate().map(|(at, ca)| source(kind, at, ca.certificate.to_der().unwrap())).collect::<Vec<_>>()
    };
    TrustMaterial {
        anchors: cas("anchor", anchors),
        intermediates: cas("intermediate", intermediates),
        crls: crls.iter().enumerate().map(|(at, crl)| source("crl", at, crl.clone())).collect(),
    }
}

/// Trust in these anchors, with default options.
pub fn trust(anchors: &[&Ca], intermediates: &[&Ca], crls: &[Vec<u8>]) -> TrustedCas {
    let built = TrustedCas::build(&material(anchors, intermediates, crls), TrustOptions::default(), NOW);
    built.unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn at(second: i64) -> Asn1Time {
    Asn1Time::from_unix(second).unwrap()
}

fn name(common_name: &str) -> X509Name {
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_nid(Nid::ORGANIZATIONNAME, "Vestibule Test").unwrap();
    name.append_entry_by_nid(Nid::COMMONNAME, common_name).unwrap();
    name.build()
}

fn leaf_name(leaf: &Leaf) -> X509Name {
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_nid(Nid::ORGANIZATIONNAME, "Vestibule Test").unwrap();
    for (kind, value) in &leaf.attributes {
        name.append_entry_by_text(kind, value).unwrap();
    }
    name.append_entry_by_nid(Nid::COMMONNAME, &leaf.common_name).unwrap();
    name.build()
}

fn serial_number(serial: u32) -> Asn1Integer {
    Asn1Integer::from_bn(&BigNum::from_u32(serial).unwrap()).unwrap()
}

fn extension(oid: &str, critical: bool, der: &[u8]) -> X509Extension {
    let oid = Asn1Object::from_str(oid).unwrap();
    X509Extension::new_from_der(&oid, critical, &Asn1OctetString::new_from_bytes(der).unwrap()).unwrap()
}

fn revoked(serial: u32) -> X509Revoked {
    let mut entry = X509RevokedBuilder::new().unwrap();
    entry.set_serial_number(&serial_number(serial)).unwrap();
    entry.set_revocation_date(&at(NOW.0 - DAY)).unwrap();
    entry.build()
}

fn builder(
    subject: &X509NameRef,
    issuer: &X509NameRef,
    key: &PKey<Private>,
    serial: u32,
    dates: Dates,
) -> openssl::x509::X509Builder {
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(subject).unwrap();
    builder.set_issuer_name(issuer).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_serial_number(&serial_number(serial)).unwrap();
    builder.set_not_before(&at(dates.0)).unwrap();
    builder.set_not_after(&at(dates.1)).unwrap();
    builder
}

struct Parties<'a> {
    subject: &'a X509NameRef,
    issuer: &'a X509NameRef,
    key: &'a PKey<Private>,
    signer: &'a PKey<Private>,
}

fn ca_certificate(parties: &Parties<'_>, issuer_certificate: Option<&X509>, dates: Dates, extra: &[Extra]) -> X509 {
    let mut builder = builder(parties.subject, parties.issuer, parties.key, fresh_serial(), dates);
    builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    builder.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build().unwrap()).unwrap();
    identify(&mut builder, issuer_certificate);
    append(&mut builder, extra);
    builder.sign(parties.signer, MessageDigest::sha256()).unwrap();
    builder.build()
}

fn leaf_certificate(
    leaf: &Leaf,
    issuer: &X509NameRef,
    key: &PKey<Private>,
    signer: &PKey<Private>,
    issuer_certificate: Option<&X509>,
) -> X509 {
    let mut builder = builder(&leaf_name(leaf), issuer, key, leaf.serial, leaf.dates);
    let constraints = if leaf.ca { BasicConstraints::new().critical().ca().build() } else { BasicConstraints::new().build() };
    builder.append_extension(constraints.unwrap()).unwrap();
    let mut usage = KeyUsage::new();
    usage.critical().digital_signature();
    if leaf.ca {
        usage.key_cert_sign();
    }
    builder.append_extension(usage.build().unwrap()).unwrap();
    let mut extended = ExtendedKeyUsage::new();
    if leaf.client_auth {
        extended.client_auth()
    } else {
        extended.server_auth()
    };
    if !leaf.no_eku {
        builder.append_extension(extended.build().unwrap()).unwrap();
    }
    identify(&mut builder, issuer_certificate);
    if !leaf.dns.is_empty() {
        let mut names = SubjectAlternativeName::new();
        for host in &leaf.dns {
            names.dns(host);
        }
        let names = names.build(&builder.x509v3_context(None, None)).unwrap();
        builder.append_extension(names).unwrap();
    }
    append(&mut builder, &leaf.extra);
    builder.sign(signer, MessageDigest::sha256()).unwrap();
    builder.build()
}

fn append(builder: &mut openssl::x509::X509Builder, extra: &[Extra]) {
    for (oid, critical, der) in extra {
        builder.append_extension(extension(oid, *critical, der)).unwrap();
    }
}

/// Key identifiers, as X509_STRICT wants them.
fn identify(builder: &mut openssl::x509::X509Builder, issuer: Option<&X509>) {
    let subject_key = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None)).unwrap();
    builder.append_extension(subject_key).unwrap();
    if let Some(issuer) = issuer {
        let mut issuer_key = AuthorityKeyIdentifier::new();
        issuer_key.keyid(true);
        let issuer_key = issuer_key.build(&builder.x509v3_context(Some(issuer), None)).unwrap();
        builder.append_extension(issuer_key).unwrap();
    }
}

/// Serial numbers of CAs: one issuer must not use one twice.
fn fresh_serial() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
