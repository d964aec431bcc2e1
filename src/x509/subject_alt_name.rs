//! The subject alternative name extension (RFC 5280 §4.2.1.6), read by our own strict reader.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::der::{self, DerError, Reader, Tlv, tag};
use super::name::Name;
use super::oid;

/// Content octets of the extension's OID, 2.5.29.17.
pub const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 0x11];

/// The most names that are read: what a certificate costs in memory must not be its sender's choice.
const MOST_NAMES: usize = 512;

/// One alternative name. Texts are ASCII, as IA5String demands; nothing else about them is checked here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectAltName {
    /// `directoryName`.
    DirectoryName(Name),
    /// `dNSName`, as written.
    Dns(String),
    /// `ediPartyName`: its content octets.
    EdiPartyName(Vec<u8>),
    /// `rfc822Name`.
    Email(String),
    /// `iPAddress` of 4 or 16 octets.
    Ip(IpAddr),
    /// `otherName`.
    OtherName {
        /// Content octets of the OID that says what the value is.
        type_id: Vec<u8>,
        /// The value's DER.
        value: Vec<u8>,
    },
    /// `registeredID`: the OID's content octets.
    RegisteredId(Vec<u8>),
    /// `uniformResourceIdentifier`.
    Uri(String),
    /// `x400Address`: its content octets.
    X400Address(Vec<u8>),
}

/// Reads the extension's value: `SEQUENCE SIZE (1..MAX) OF GeneralName`.
pub fn parse(value: &[u8]) -> Result<Vec<SubjectAltName>, DerError> {
    let mut names = Reader::new(der::single(value, tag::SEQUENCE)?.content);
    if names.is_empty() {
        return Err(DerError::new("no alternative name in the extension"));
    }
    let mut parsed = Vec::new();
    while !names.is_empty() {
        if parsed.len() == MOST_NAMES {
            return Err(DerError::new("more alternative names than any certificate needs"));
        }
        parsed.push(general_name(names.any()?)?);
    }
    Ok(parsed)
}

fn general_name(name: Tlv<'_>) -> Result<SubjectAltName, DerError> {
    let content = name.content;
    match name.tag {
        0xA0 => other_name(content),
        0x81 => ia5(content).map(SubjectAltName::Email),
        0x82 => ia5(content).map(SubjectAltName::Dns),
        0xA3 => Ok(SubjectAltName::X400Address(content.to_vec())),
        // The tag is explicit, because Name is a CHOICE.
        0xA4 => Name::from_der(content).map(SubjectAltName::DirectoryName),
        0xA5 => Ok(SubjectAltName::EdiPartyName(content.to_vec())),
        0x86 => ia5(content).map(SubjectAltName::Uri),
        0x87 => address(content).map(SubjectAltName::Ip),
        0x88 => oid::check(content).map(|()| SubjectAltName::RegisteredId(content.to_vec())),
        _ => Err(DerError::new("an alternative name of an unknown type")),
    }
}

fn other_name(content: &[u8]) -> Result<SubjectAltName, DerError> {
    let mut parts = Reader::new(content);
    let type_id = parts.expect(tag::OID)?.content;
    oid::check(type_id)?;
    let mut wrapped = Reader::new(parts.expect(tag::context_constructed(0))?.content);
    let value = wrapped.any()?;
    wrapped.finish()?;
    parts.finish()?;
    Ok(SubjectAltName::OtherName { type_id: type_id.to_vec(), value: value.der.to_vec() })
}

fn ia5(content: &[u8]) -> Result<String, DerError> {
    let text = std::str::from_utf8(content).ok().filter(|text| text.is_ascii());
    text.map(str::to_owned).ok_or(DerError::new("an alternative name that is not ASCII"))
}

fn address(content: &[u8]) -> Result<IpAddr, DerError> {
    if let Ok(octets) = <[u8; 4]>::try_from(content) {
        return Ok(Ipv4Addr::from(octets).into());
    }
    let octets = <[u8; 16]>::try_from(content).map_err(|_| DerError::new("an IP address of neither 4 nor 16 octets"))?;
    Ok(Ipv6Addr::from(octets).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[(u8, &[u8])]) -> Result<Vec<SubjectAltName>, DerError> {
        let content: Vec<u8> = names.iter().flat_map(|(tag, content)| der::encode(*tag, content)).collect();
        parse(&der::encode(tag::SEQUENCE, &content))
    }

    #[test]
    fn every_type() {
        let other = [&der::encode(tag::OID, &[0x2A])[..], &der::encode(0xA0, &[0x0C, 0x01, b'x'])].concat();
        let empty_name = der::encode(tag::SEQUENCE, &[]);
        let parsed = names(&[
            (0xA0, &other),
            (0x81, b"a@b"),
            (0x82, b"*.example.com"),
            (0xA3, &[1]),
            (0xA4, &empty_name),
            (0xA5, &[2]),
            (0x86, b"urn:x"),
            (0x87, &[192, 0, 2, 1]),
            (0x87, &[0; 16]),
            (0x88, &[0x2A, 0x03]),
        ]);
        let expected = vec![
            SubjectAltName::OtherName { type_id: vec![0x2A], value: vec![0x0C, 0x01, b'x'] },
            SubjectAltName::Email("a@b".into()),
            SubjectAltName::Dns("*.example.com".into()),
            SubjectAltName::X400Address(vec![1]),
            SubjectAltName::DirectoryName(Name::from_der(&empty_name).unwrap()),
            SubjectAltName::EdiPartyName(vec![2]),
            SubjectAltName::Uri("urn:x".into()),
            SubjectAltName::Ip("192.0.2.1".parse().unwrap()),
            SubjectAltName::Ip("::".parse().unwrap()),
            SubjectAltName::RegisteredId(vec![0x2A, 0x03]),
        ];
        assert_eq!(parsed, Ok(expected));
    }

    #[test]
    fn malformed_names_are_errors() {
        for bad in [
            (0x82, &b"caf\xE9"[..]),
            (0x87, &[1, 2, 3]),
            (0x87, &[0; 8]),
            (0x88, &[0x80]),
            (0x88, &[]),
            (0xA0, &[0x06, 0x01, 0x2A]),
            (0xA4, &[0x31, 0x00]),
            (0xA2, b"example.com"),
            (0x89, &[]),
            (0x0C, b"x"),
        ] {
            assert!(names(&[bad]).is_err(), "{bad:02X?}");
        }
        assert!(names(&[]).is_err());
        assert!(parse(&[0x30, 0x02, 0x82, 0x00, 0x00]).is_err());
    }
}
