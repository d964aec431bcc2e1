//! The closed list of variables that a client certificate gives, and their names.

use std::borrow::Cow;
use std::fmt;

use crate::x509::{object_names, oid};

/// A variable of one value. Names are nginx's, then Azion's, then ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum Scalar {
    /// nginx: PEM, percent-encoded.
    EscapedCert,
    /// nginx, deprecated: PEM with a tab in front of every line but the first.
    Cert,
    /// nginx: PEM.
    RawCert,
    /// nginx: the subject in the manner of RFC 2253.
    SDn,
    /// nginx: the issuer in the manner of RFC 2253.
    IDn,
    /// nginx: the subject on one line with slashes.
    SDnLegacy,
    /// nginx: the issuer on one line with slashes.
    IDnLegacy,
    /// nginx: the serial number in hexadecimal digits.
    Serial,
    /// nginx: SHA-1 of the certificate in lower-case hexadecimal digits.
    Fingerprint,
    /// nginx: `SUCCESS`, `FAILED:` and a reason, or `NONE`.
    Verify,
    /// nginx: the first moment of validity.
    VStart,
    /// nginx: the last moment of validity.
    VEnd,
    /// nginx: whole days of validity that remain.
    VRemain,
    /// nginx 1.29.3: the signature scheme of the handshake. Not in the certificate: empty unless the front door forwards it.
    Sigalg,
    /// Azion: the subject's common name, the last one in the certificate, as it stands in `ssl_client_s_dn`.
    SDnParsed,
    /// Ours: SHA-256 of the certificate in lower-case hexadecimal digits.
    FingerprintSha256,
    /// Ours: `x5t#S256` of RFC 8705.
    X5tS256,
    /// Ours: SHA-256 of the public key's SubjectPublicKeyInfo in lower-case hexadecimal digits.
    SpkiSha256,
}

/// A type of subject alternative names; the variable lists the names of this type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum SanList {
    /// `dNSName`, as written.
    Dns,
    /// `rfc822Name`, as written.
    Email,
    /// `uniformResourceIdentifier`, as written.
    Uri,
    /// `iPAddress`: dotted IPv4, or IPv6 in the form of RFC 5952.
    Ip,
    /// `directoryName` in the manner of RFC 2253.
    DirName,
    /// `registeredID`, dotted.
    Rid,
    /// `otherName`: its dotted type, `=`, and its value's DER in lower-case hexadecimal digits.
    OtherName,
}

/// Whose attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Party {
    /// The certificate's subject.
    Subject,
    /// The certificate's issuer.
    Issuer,
}

/// An attribute type as a variable's name has it: `CN`, or `2.5.4.97`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AttributeType {
    written: Box<str>,
    oid: Box<[u8]>,
}

/// A variable that a client certificate gives.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CertificateVariable {
    /// `subject.CN`, `issuer.2.5.4.97`: all values of an attribute as plain text, in the certificate's order.
    Attribute(Party, AttributeType),
    /// `ssl_client_san_…`: a list.
    San(SanList),
    /// `ssl_client_…`: one value.
    Scalar(Scalar),
}

impl Scalar {
    /// Every one, in the order of its number, with its name.
    pub const ALL: [(Self, &'static str); 18] = [
        (Self::EscapedCert, "ssl_client_escaped_cert"),
        (Self::Cert, "ssl_client_cert"),
        (Self::RawCert, "ssl_client_raw_cert"),
        (Self::SDn, "ssl_client_s_dn"),
        (Self::IDn, "ssl_client_i_dn"),
        (Self::SDnLegacy, "ssl_client_s_dn_legacy"),
        (Self::IDnLegacy, "ssl_client_i_dn_legacy"),
        (Self::Serial, "ssl_client_serial"),
        (Self::Fingerprint, "ssl_client_fingerprint"),
        (Self::Verify, "ssl_client_verify"),
        (Self::VStart, "ssl_client_v_start"),
        (Self::VEnd, "ssl_client_v_end"),
        (Self::VRemain, "ssl_client_v_remain"),
        (Self::Sigalg, "ssl_client_sigalg"),
        (Self::SDnParsed, "ssl_client_s_dn_parsed"),
        (Self::FingerprintSha256, "ssl_client_fingerprint_sha256"),
        (Self::X5tS256, "ssl_client_x5t_s256"),
        (Self::SpkiSha256, "ssl_client_spki_sha256"),
    ];
}

impl SanList {
    /// Every one, in the order of its number, with its name.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Dns, "ssl_client_san_dns"),
        (Self::Email, "ssl_client_san_email"),
        (Self::Uri, "ssl_client_san_uri"),
        (Self::Ip, "ssl_client_san_ip"),
        (Self::DirName, "ssl_client_san_dirname"),
        (Self::Rid, "ssl_client_san_rid"),
        (Self::OtherName, "ssl_client_san_othername"),
    ];
}

impl AttributeType {
    /// Takes one of OpenSSL's short names, letter case included, or a dotted OID.
    pub fn parse(written: &str) -> Option<Self> {
        let oid = object_names::oid_of(written).map_or_else(|| oid::parse_dotted(written), |oid| Some(oid.to_vec()))?;
        Some(Self { written: written.into(), oid: oid.into() })
    }

    /// The OID's content octets.
    pub fn oid(&self) -> &[u8] {
        &self.oid
    }
}

impl CertificateVariable {
    /// Every variable that has a fixed name.
    pub fn all() -> impl Iterator<Item = Self> {
        let scalars = Scalar::ALL.into_iter().map(|(scalar, _)| Self::Scalar(scalar));
        scalars.chain(SanList::ALL.into_iter().map(|(list, _)| Self::San(list)))
    }

    /// The variable of this name.
    pub fn parse(name: &str) -> Option<Self> {
        if let Some(written) = name.strip_prefix("subject.") {
            return AttributeType::parse(written).map(|kind| Self::Attribute(Party::Subject, kind));
        }
        if let Some(written) = name.strip_prefix("issuer.") {
            return AttributeType::parse(written).map(|kind| Self::Attribute(Party::Issuer, kind));
        }
        Self::all().find(|variable| variable.name() == name)
    }

    /// The name.
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Attribute(Party::Subject, kind) => format!("subject.{}", kind.written).into(),
            Self::Attribute(Party::Issuer, kind) => format!("issuer.{}", kind.written).into(),
            Self::San(list) => SanList::ALL.get(*list as usize).map_or("", |(_, name)| name).into(),
            Self::Scalar(scalar) => Scalar::ALL.get(*scalar as usize).map_or("", |(_, name)| name).into(),
        }
    }

    /// Whether it may have several values, which [`text`](super::CertificateVariables::text) joins.
    pub fn is_list(&self) -> bool {
        !matches!(self, Self::Scalar(_))
    }
}

impl fmt::Display for CertificateVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_order_and_names_are_read_back() {
        assert!(Scalar::ALL.iter().enumerate().all(|(index, (scalar, _))| *scalar as usize == index));
        assert!(SanList::ALL.iter().enumerate().all(|(index, (list, _))| *list as usize == index));
        for variable in CertificateVariable::all() {
            assert_eq!(CertificateVariable::parse(&variable.name()), Some(variable));
        }
    }

    #[test]
    fn attributes_by_short_name_or_oid() {
        for name in ["subject.CN", "subject.2.5.4.97", "issuer.organizationIdentifier", "issuer.1.2.3.4"] {
            assert_eq!(CertificateVariable::parse(name).unwrap().name(), name);
        }
        let oid = |name| match CertificateVariable::parse(name) {
            Some(CertificateVariable::Attribute(_, kind)) => kind.oid().to_vec(),
            _ => Vec::new(),
        };
        assert_eq!(oid("subject.CN"), oid("subject.2.5.4.3"));
        assert_ne!(oid("subject.UID"), oid("subject.uid"));
    }

    #[test]
    fn other_names_are_unknown() {
        for name in [
            "",
            "subject.",
            "subject.cn",
            "subject.nonsense",
            "subject",
            "ssl_client_S_dn",
            "ssl_client_s_dn ",
            "issuer.2",
            "Subject.CN",
        ] {
            assert_eq!(CertificateVariable::parse(name), None, "{name}");
        }
    }
}
