//! `organizationIdentifier` and its parts.
//!
//! ETSI EN 319 412-1 §5.1.4: three letters for the register (or two letters and a colon for a national one), two for the
//! country, a hyphen, the reference in that register. TS 119 495 §5.2.1: after `PSD` and the country, the reference is the
//! authority's abbreviation of two to eight capital letters, a hyphen, and the number that the authority gave, which may hold
//! hyphens of its own.

use std::fmt;

use super::NcaId;
use crate::x509::qc_statements::is_country;

/// An organization in a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationIdentifier {
    /// As written.
    pub text: String,
    /// The register: `PSD`, `VAT`, `NTR`, `LEI`, or two letters and a colon. Brazil's directories use `OFB` and `OPI`.
    pub scheme: String,
    /// The country; `XG` for `LEI`.
    pub country: String,
    /// The authority, for `PSD` alone.
    pub authority: Option<String>,
    /// What follows: the number in the register.
    pub reference: String,
}

impl OrganizationIdentifier {
    /// Splits an identifier; none if it has another form.
    pub fn parse(text: &str) -> Option<Self> {
        let (register, rest) = text.split_once('-')?;
        let (scheme, country) = register.split_at_checked(3)?;
        let capitals = |text: &str| text.bytes().all(|byte| byte.is_ascii_uppercase());
        let known_scheme = capitals(scheme) || scheme.strip_suffix(':').is_some_and(capitals);
        if !known_scheme || !is_country(country) {
            return None;
        }
        let (authority, reference) = match scheme {
            "PSD" => rest.split_once('-').map(|(authority, number)| (Some(authority), number))?,
            _ => (None, rest),
        };
        if reference.is_empty() || authority.is_some_and(|authority| !is_authority(authority)) {
            return None;
        }
        Some(Self {
            text: text.to_owned(),
            scheme: scheme.to_owned(),
            country: country.to_owned(),
            authority: authority.map(str::to_owned),
            reference: reference.to_owned(),
        })
    }
}

impl fmt::Display for OrganizationIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl NcaId {
    /// Splits an NCAId; none if it has another form.
    pub fn parse(text: &str) -> Option<Self> {
        let (country, authority) = text.split_once('-')?;
        let formed = is_country(country) && is_authority(authority);
        formed.then(|| Self { country: country.to_owned(), authority: authority.to_owned() })
    }
}

/// An authority's abbreviation: two to eight capital letters, separators removed (TS 119 495 §5.2.1).
fn is_authority(text: &str) -> bool {
    (2..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        for (text, scheme, country, authority, reference) in [
            ("PSDGB-FCA-827001", "PSD", "GB", Some("FCA"), "827001"),
            ("PSDDE-BAFIN-12-34-56", "PSD", "DE", Some("BAFIN"), "12-34-56"),
            ("PSDPL-PFSA-", "", "", None, ""),
            ("PSDGB-FCA", "", "", None, ""),
            ("PSDGB--1", "", "", None, ""),
            ("PSDGB-F-1", "", "", None, ""),
            ("PSDGB-ABCDEFGHI-1", "", "", None, ""),
            ("PSDGB-fca-1", "", "", None, ""),
            ("PSDgb-FCA-1", "", "", None, ""),
            ("VATDE-123-456", "VAT", "DE", None, "123-456"),
            ("NTRGB-12345678", "NTR", "GB", None, "12345678"),
            ("LEIXG-5493001KJTIIGC8Y1R12", "LEI", "XG", None, "5493001KJTIIGC8Y1R12"),
            ("EI:SE-5567971433", "EI:", "SE", None, "5567971433"),
            ("OFBBR-74e929d9-33b6-4d85-8ba7-c146c867a817", "OFB", "BR", None, "74e929d9-33b6-4d85-8ba7-c146c867a817"),
            ("VATD-1", "", "", None, ""),
            ("VATDEU-1", "", "", None, ""),
            ("é:GB-1", "", "", None, ""),
            ("éGB-1", "", "", None, ""),
            ("", "", "", None, ""),
            ("-", "", "", None, ""),
        ] {
            match OrganizationIdentifier::parse(text) {
                Some(found) => assert_eq!(
                    (found.scheme.as_str(), found.country.as_str(), found.authority.as_deref(), found.reference.as_str()),
                    (scheme, country, authority, reference),
                    "{text}"
                ),
                None => assert_eq!(scheme, "", "{text}"),
            }
        }
    }

    #[test]
    fn authorities() {
        assert_eq!(NcaId::parse("GB-FCA").unwrap().to_string(), "GB-FCA");
        for bad in ["", "GB", "GB-", "gb-FCA", "GBR-FCA", "GB-FCA-1", "GB-F", "GB-ABCDEFGHI", "GB FCA"] {
            assert_eq!(NcaId::parse(bad), None, "{bad}");
        }
    }
}
