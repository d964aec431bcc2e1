//! Forwarded distinguished names, in each form that front doors print.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::PresentedCertificate;
use crate::front_door::{Format, NameDialect};
use crate::variables::Scalar;
use crate::x509::name::Name;
use crate::x509::name_reading::{AttributeOrder, reads_as, slashes_unescaped};

pub(super) fn subject(certificate: &PresentedCertificate, forwarded: &[u8], format: &Format) -> bool {
    same_name(certificate, [Scalar::SDn, Scalar::SDnLegacy], certificate.leaf().subject(), forwarded, format)
}

pub(super) fn issuer(certificate: &PresentedCertificate, forwarded: &[u8], format: &Format) -> bool {
    same_name(certificate, [Scalar::IDn, Scalar::IDnLegacy], certificate.leaf().issuer(), forwarded, format)
}

/// The CN may come as it stands in the DN, escaped, or as plain text.
pub(super) fn common_name(certificate: &PresentedCertificate, forwarded: &[u8], _: &Format) -> bool {
    let plain = certificate.leaf().subject().last_common_name().map(|name| name.text()).unwrap_or_default();
    same_text(&certificate.text(Scalar::SDnParsed), forwarded) || plain.trim_matches(' ').as_bytes() == forwarded
}

fn same_name(
    certificate: &PresentedCertificate,
    [rfc2253, legacy]: [Scalar; 2],
    name: &Name,
    forwarded: &[u8],
    format: &Format,
) -> bool {
    let order = match format.names {
        NameDialect::Base64Der => return STANDARD.decode(forwarded).is_ok_and(|der| *der == *name.der()),
        NameDialect::UnorderedText => AttributeOrder::Any,
        NameDialect::Text => AttributeOrder::Reversed,
    };
    if same_text(&certificate.text(rfc2253), forwarded) {
        return true;
    }
    if forwarded.starts_with(b"/") {
        return certificate.text(legacy).as_bytes() == forwarded || slashes_unescaped(name).trim_ascii_end() == forwarded;
    }
    reads_as(name, forwarded, order)
}

/// Equal, or equal but for the last, escaped space: HTTP cuts white space off a value's end, so `O=Example\ ` arrives as
/// `O=Example\`.
fn same_text(ours: &str, forwarded: &[u8]) -> bool {
    ours.as_bytes() == forwarded || (ours.ends_with("\\ ") && ours.trim_end_matches(' ').as_bytes() == forwarded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_last_space_is_forgiven_and_nothing_else() {
        assert!(same_text("CN=a,O=b\\ ", b"CN=a,O=b\\"));
        assert!(same_text("CN=a,O=b\\ ", b"CN=a,O=b\\ "));
        assert!(!same_text("CN=a,O=b\\ ", b"CN=a,O=b"));
        assert!(!same_text("CN=a", b"CN=a "));
    }
}
