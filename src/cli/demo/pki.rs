//! The demo's certificates: one CA below a root for the clients, one for the server, and everything that can be wrong.
//!
//! P-256 throughout, with every extension that OpenSSL's `X509_STRICT` asks for.

use std::collections::BTreeMap;

use openssl::asn1::{Asn1Integer, Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509Crl, X509CrlBuilder, X509Extension, X509Name, X509NameRef, X509RevokedBuilder};

use crate::clock::UnixTime;

/// A certificate and its key.
pub(super) struct Pair {
    pub(super) certificate: X509,
    pub(super) key: PKey<Private>,
}

/// All of it.
pub(super) struct Pki {
    pub(super) server_ca: X509,
    pub(super) server: Pair,
    pub(super) clients_root: X509,
    pub(super) clients_issuing: X509,
    pub(super) crls: Vec<X509Crl>,
    pub(super) clients: BTreeMap<&'static str, Pair>,
}

const DAY: i64 = 86_400;
/// Days before and after now.
const VALID: (i64, i64) = (-1, 30);
const EXPIRED: (i64, i64) = (-400, -35);
const NOT_YET: (i64, i64) = (30, 60);
const LONG: (i64, i64) = (-800, 800);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ca,
    Client,
    Server,
}

/// What a certificate says.
struct Wish<'w> {
    kind: Kind,
    days: (i64, i64),
    subject: X509Name,
    dns: &'w [String],
    key: &'w PKey<Private>,
    /// Another key identifier than the key's own: a forger's.
    key_id: Option<&'w [u8]>,
}

/// The names of the revoked clients.
const REVOKED: [&str; 2] = ["expired-revoked", "revoked"];

impl Pki {
    /// Makes everything, for these server names.
    pub(super) fn make(server_names: &[String], now: UnixTime) -> Result<Self, ErrorStack> {
        let maker = Maker { now };
        let server_ca = maker.root(name("Example Bank", None, "Example Server CA")?, None)?;
        let server_name = name("Example Bank", None, server_names.first().map_or("", String::as_str))?;
        let server = maker.leaf(&server_ca, Kind::Server, VALID, server_name, server_names)?;
        let root = maker.root(name("Example Bank", None, "Example Clients Root")?, None)?;
        let issuing_name = || name("Example Bank", None, "Example Clients Issuing CA");
        let issuing_key = new_key()?;
        let wish = Wish { kind: Kind::Ca, days: LONG, subject: issuing_name()?, dns: &[], key: &issuing_key, key_id: None };
        let issuing = Pair { certificate: maker.certify(&wish, Some(&root), &root.key)?, key: issuing_key };
        // A CA of the same name, and with the same key identifier in its certificate: only its key is another one.
        let key_id = issuing.certificate.subject_key_id().map(|id| id.as_slice().to_vec());
        let forger = maker.root(issuing_name()?, key_id.as_deref())?;
        let other = maker.root(name("Another Company", None, "Another Root")?, None)?;

        let table = [
            ("contractor", &issuing, Kind::Client, VALID, "Contractors", "contractor-7"),
            ("expired", &issuing, Kind::Client, EXPIRED, "Payments", "expired-partner"),
            ("expired-forgery", &forger, Kind::Client, EXPIRED, "Payments", "expired-partner"),
            ("expired-revoked", &issuing, Kind::Client, EXPIRED, "Payments", "expired-revoked-partner"),
            ("good", &issuing, Kind::Client, VALID, "Payments", "good-partner"),
            ("not-yet-valid", &issuing, Kind::Client, NOT_YET, "Payments", "early-partner"),
            ("revoked", &issuing, Kind::Client, VALID, "Payments", "revoked-partner"),
            ("server-only", &issuing, Kind::Server, VALID, "Payments", "server.partner.example"),
            ("wrong-ca", &other, Kind::Client, VALID, "Payments", "good-partner"),
        ];
        let mut clients = BTreeMap::new();
        for (called, ca, kind, days, unit, common_name) in table {
            let subject = name("Example Partner", Some(unit), common_name)?;
            clients.insert(called, maker.leaf(ca, kind, days, subject, &[])?);
        }
        clients.insert("self-signed", maker.self_signed(name("Example Partner", Some("Payments"), "good-partner")?)?);
        let revoked: Vec<&X509> = REVOKED.iter().filter_map(|name| clients.get(name)).map(|pair| &pair.certificate).collect();
        let crls = vec![maker.crl(&root, &[])?, maker.crl(&issuing, &revoked)?];
        Ok(Self {
            server_ca: server_ca.certificate,
            server,
            clients_root: root.certificate,
            clients_issuing: issuing.certificate,
            crls,
            clients,
        })
    }
}

struct Maker {
    now: UnixTime,
}

impl Maker {
    fn day(&self, days: i64) -> Result<Asn1Time, ErrorStack> {
        Asn1Time::from_unix(self.now.0.saturating_add(days * DAY))
    }

    fn root(&self, subject: X509Name, key_id: Option<&[u8]>) -> Result<Pair, ErrorStack> {
        let key = new_key()?;
        let wish = Wish { kind: Kind::Ca, days: LONG, subject, dns: &[], key: &key, key_id };
        Ok(Pair { certificate: self.certify(&wish, None, &key)?, key })
    }

    fn leaf(&self, ca: &Pair, kind: Kind, days: (i64, i64), subject: X509Name, dns: &[String]) -> Result<Pair, ErrorStack> {
        let key = new_key()?;
        let wish = Wish { kind, days, subject, dns, key: &key, key_id: None };
        Ok(Pair { certificate: self.certify(&wish, Some(ca), &ca.key)?, key })
    }

    fn self_signed(&self, subject: X509Name) -> Result<Pair, ErrorStack> {
        let key = new_key()?;
        let wish = Wish { kind: Kind::Client, days: VALID, subject, dns: &[], key: &key, key_id: None };
        Ok(Pair { certificate: self.certify(&wish, None, &key)?, key })
    }

    /// A certificate; without an issuer it is its own.
    fn certify(&self, wish: &Wish<'_>, issuer: Option<&Pair>, signer: &PKey<Private>) -> Result<X509, ErrorStack> {
        let mut builder = X509::builder()?;
        builder.set_version(2)?;
        builder.set_serial_number(&*serial_number()?)?;
        builder.set_not_before(&*self.day(wish.days.0)?)?;
        builder.set_not_after(&*self.day(wish.days.1)?)?;
        builder.set_subject_name(&wish.subject)?;
        let own_name: &X509NameRef = &wish.subject;
        builder.set_issuer_name(issuer.map_or(own_name, |issuer| issuer.certificate.subject_name()))?;
        builder.set_pubkey(wish.key)?;
        extend(&mut builder, wish, issuer.map(|issuer| &issuer.certificate))?;
        builder.sign(signer, MessageDigest::sha256())?;
        Ok(builder.build())
    }

    fn crl(&self, ca: &Pair, revoked: &[&X509]) -> Result<X509Crl, ErrorStack> {
        let mut crl = X509CrlBuilder::new()?;
        crl.set_issuer_name(ca.certificate.subject_name())?;
        crl.set_last_update(&*self.day(-1)?)?;
        crl.set_next_update(&*self.day(30)?)?;
        for certificate in revoked {
            let mut entry = X509RevokedBuilder::new()?;
            entry.set_serial_number(certificate.serial_number())?;
            entry.set_revocation_date(&*self.day(-1)?)?;
            crl.add_revoked(entry.build())?;
        }
        // cRLNumber 1 and the issuer's key identifier (RFC 5280 §5.2.3, §5.2.1).
        crl.append_extension(extension("2.5.29.20", &[2, 1, 1])?)?;
        let id = ca.certificate.subject_key_id().map(|id| id.as_slice().to_vec()).unwrap_or_default();
        let length = u8::try_from(id.len()).unwrap_or_default();
        crl.append_extension(extension(
            "2.5.29.35",
            &[&[0x30, length.wrapping_add(2), 0x80, length], id.as_slice()].concat(),
        )?)?;
        crl.sort()?;
        crl.sign(&ca.key, MessageDigest::sha256())?;
        crl.build()
    }
}

fn extend(builder: &mut X509Builder, wish: &Wish<'_>, issuer: Option<&X509>) -> Result<(), ErrorStack> {
    let mut usage = KeyUsage::new();
    usage.critical();
    match wish.kind {
        Kind::Ca => {
            builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
            usage.key_cert_sign().crl_sign();
        }
        Kind::Client => {
            builder.append_extension(BasicConstraints::new().build()?)?;
            builder.append_extension(ExtendedKeyUsage::new().client_auth().build()?)?;
            usage.digital_signature();
        }
        Kind::Server => {
            builder.append_extension(BasicConstraints::new().build()?)?;
            builder.append_extension(ExtendedKeyUsage::new().server_auth().build()?)?;
            usage.digital_signature();
        }
    }
    builder.append_extension(usage.build()?)?;
    match wish.key_id {
        None => {
            let id = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
            builder.append_extension(id)?;
        }
        Some(id) => {
            let length = u8::try_from(id.len()).unwrap_or_default();
            builder.append_extension(extension("2.5.29.14", &[&[4, length], id].concat())?)?;
        }
    }
    if let Some(issuer) = issuer {
        let id = AuthorityKeyIdentifier::new().keyid(true).build(&builder.x509v3_context(Some(issuer), None))?;
        builder.append_extension(id)?;
    }
    if !wish.dns.is_empty() {
        let mut names = SubjectAlternativeName::new();
        for host in wish.dns {
            names.dns(host);
        }
        let names = names.build(&builder.x509v3_context(None, None))?;
        builder.append_extension(names)?;
    }
    Ok(())
}

fn extension(oid: &str, der: &[u8]) -> Result<X509Extension, ErrorStack> {
    let value = Asn1OctetString::new_from_bytes(der)?;
    X509Extension::new_from_der(&*Asn1Object::from_str(oid)?, false, &value)
}

fn new_key() -> Result<PKey<Private>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    PKey::from_ec_key(EcKey::generate(&group)?)
}

/// 127 random bits, positive.
fn serial_number() -> Result<Asn1Integer, ErrorStack> {
    let mut number = BigNum::new()?;
    number.rand(127, MsbOption::MAYBE_ZERO, false)?;
    Asn1Integer::from_bn(&number)
}

fn name(organization: &str, unit: Option<&str>, common_name: &str) -> Result<X509Name, ErrorStack> {
    let mut name = X509Name::builder()?;
    name.append_entry_by_nid(Nid::COUNTRYNAME, "DE")?;
    name.append_entry_by_nid(Nid::ORGANIZATIONNAME, organization)?;
    if let Some(unit) = unit {
        name.append_entry_by_nid(Nid::ORGANIZATIONALUNITNAME, unit)?;
    }
    name.append_entry_by_nid(Nid::COMMONNAME, common_name)?;
    Ok(name.build())
}
