//! The subject names of a certificate: what Kong's `subject_name`, `username` and `custom_id` are compared with.
//!
//! They are its alternative names, type by type: dNSName, rfc822Name, uniformResourceIdentifier, iPAddress, and the attribute
//! values of directoryName; inside a type in the certificate's order. Other types do not count. Only a certificate without the
//! extension has its common name instead, the last one of its subject.
//!
//! A name is compared octet by octet: letter case counts, a wildcard is only text. An address is written as in RFC 5952.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::variables::AttributeType;
use crate::x509::certificate::Certificate;
use crate::x509::subject_alt_name::SubjectAltName;

/// The subject names in their order. `dirname` are the attribute types that count in a directoryName; none means all.
pub fn subject_names<'c>(certificate: &'c Certificate, dirname: &[AttributeType]) -> Vec<Cow<'c, str>> {
    // Malformed names are refused long before; here they are simply nobody's.
    let Ok(names) = certificate.subject_alt_names() else { return Vec::new() };
    if names.is_empty() {
        return certificate.subject().last_common_name().map(|name| name.text()).into_iter().collect();
    }
    let counts = |oid: &[u8]| dirname.is_empty() || dirname.iter().any(|kind| kind.oid() == oid);
    let mut found = Vec::with_capacity(names.len());
    for kind in KINDS {
        for name in names {
            match (kind, name) {
                (Kind::Dns, SubjectAltName::Dns(text))
                | (Kind::Email, SubjectAltName::Email(text))
                | (Kind::Uri, SubjectAltName::Uri(text)) => found.push(Cow::Borrowed(text.as_str())),
                (Kind::Ip, SubjectAltName::Ip(address)) => found.push(Cow::Owned(address.to_string())),
                (Kind::DirectoryName, SubjectAltName::DirectoryName(name)) => {
                    let counting = name.attributes().iter().filter(|attribute| counts(attribute.oid()));
                    found.extend(counting.map(|attribute| attribute.text()));
                }
                _ => {}
            }
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

/// The URIs among the alternative names.
pub fn uris(certificate: &Certificate) -> Vec<&str> {
    let names = certificate.subject_alt_names().unwrap_or_default();
    let mut uris = Vec::new();
    for name in names {
        if let SubjectAltName::Uri(uri) = name {
            uris.push(uri.as_str());
        }
    }
    uris
}

#[derive(Clone, Copy)]
enum Kind {
    Dns,
    Email,
    Uri,
    Ip,
    DirectoryName,
}

const KINDS: [Kind; 5] = [Kind::Dns, Kind::Email, Kind::Uri, Kind::Ip, Kind::DirectoryName];

/// The alternative names for a header: joined with `, `, and what could be taken for a separator percent-encoded, since a CA
/// may put a comma into a name.
pub(super) fn header_text(certificate: &Certificate) -> String {
    if !certificate.subject_alt_names().is_ok_and(|names| !names.is_empty()) {
        return String::new();
    }
    let mut text = String::new();
    for name in subject_names(certificate, &[]) {
        if !text.is_empty() {
            text.push_str(", ");
        }
        for byte in name.bytes() {
            match byte {
                b'%' | b',' | b' ' => push_escaped(&mut text, byte),
                0x21..=0x7E => text.push(char::from(byte)),
                _ => push_escaped(&mut text, byte),
            }
        }
    }
    text
}

fn push_escaped(text: &mut String, byte: u8) {
    // Writing to a String cannot fail.
    let _ = write!(text, "%{byte:02X}");
}
