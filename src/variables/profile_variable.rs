//! The variables that a certificate's profile gives.
//!
//! They depend on more than the certificate: on the profile that the configuration names for its verified issuer. Without one
//! they are all empty.

use std::borrow::Cow;

use super::join;
use crate::x509::profile::{OrganizationIdentifier, Profile};
use crate::x509::qc_statements::QcType;

/// A variable that a profile gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProfileVariable {
    /// The profile's name in the configuration.
    CertificateProfile,
    /// Brazil: the holder's CNPJ.
    Cnpj,
    /// The organization in its ecosystem's directory.
    OrganizationId,
    /// `organizationIdentifier`, whole.
    OrganizationIdentifier,
    /// Its register: `PSD`, `VAT`, `NTR` …
    OrganizationIdentifierScheme,
    /// Its country.
    OrganizationIdentifierCountry,
    /// Its authority, for `PSD`.
    OrganizationIdentifierAuthority,
    /// Its number in the register.
    OrganizationIdentifierReference,
    /// The number that the authority gave: the reference of a `PSD` identifier.
    Psd2AuthorizationNumber,
    /// The competent authority's country.
    Psd2Country,
    /// The competent authority: `GB-FCA`.
    Psd2NcaId,
    /// The competent authority, in plain words.
    Psd2NcaName,
    /// The roles: `PSP_AS`, `PSP_PI`, `PSP_AI`, `PSP_IC`.
    Psd2Roles,
    /// `true` when the issuer declares a qualified certificate.
    QcCompliance,
    /// The countries by whose law.
    QcLegislation,
    /// `esign`, `eseal`, `web`.
    QcType,
    /// The software in its ecosystem's directory.
    SoftwareId,
}

impl ProfileVariable {
    /// Every one with its name.
    pub const ALL: [(Self, &'static str); 17] = [
        (Self::CertificateProfile, "certificate_profile"),
        (Self::Cnpj, "cnpj"),
        (Self::OrganizationId, "organization_id"),
        (Self::OrganizationIdentifier, "organization_identifier"),
        (Self::OrganizationIdentifierScheme, "organization_identifier_scheme"),
        (Self::OrganizationIdentifierCountry, "organization_identifier_country"),
        (Self::OrganizationIdentifierAuthority, "organization_identifier_authority"),
        (Self::OrganizationIdentifierReference, "organization_identifier_reference"),
        (Self::Psd2AuthorizationNumber, "psd2_authorization_number"),
        (Self::Psd2Country, "psd2_country"),
        (Self::Psd2NcaId, "psd2_nca_id"),
        (Self::Psd2NcaName, "psd2_nca_name"),
        (Self::Psd2Roles, "psd2_roles"),
        (Self::QcCompliance, "qc_compliance"),
        (Self::QcLegislation, "qc_legislation"),
        (Self::QcType, "qc_type"),
        (Self::SoftwareId, "software_id"),
    ];

    /// The variable of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(variable, _)| *variable)
    }

    /// Whether it may have several values.
    pub fn is_list(self) -> bool {
        matches!(self, Self::Psd2Roles | Self::QcLegislation | Self::QcType)
    }

    /// The values, as they are: none if the profile has none.
    pub fn values<'p>(self, name: &'p str, profile: &'p Profile) -> Vec<Cow<'p, str>> {
        let organization = profile.organization_identifier.as_ref();
        let part = |part: fn(&OrganizationIdentifier) -> Option<&str>| one(organization.and_then(part));
        match self {
            Self::CertificateProfile => one(Some(name)),
            Self::Cnpj => one(profile.cnpj.as_deref()),
            Self::OrganizationId => one(profile.organization_id.as_deref()),
            Self::OrganizationIdentifier => part(|whole| Some(&whole.text)),
            Self::OrganizationIdentifierScheme => part(|whole| Some(&whole.scheme)),
            Self::OrganizationIdentifierCountry => part(|whole| Some(&whole.country)),
            Self::OrganizationIdentifierAuthority => part(|whole| whole.authority.as_deref()),
            Self::OrganizationIdentifierReference => part(|whole| Some(&whole.reference)),
            Self::Psd2AuthorizationNumber => part(|whole| whole.authority.as_ref().map(|_| whole.reference.as_str())),
            Self::Psd2Country => one(profile.nca_id.as_ref().map(|nca| nca.country.as_str())),
            Self::Psd2NcaId => profile.nca_id.iter().map(|nca| Cow::Owned(nca.to_string())).collect(),
            Self::Psd2NcaName => one(profile.nca_name.as_deref()),
            Self::Psd2Roles => profile.psd2_roles.iter().map(|role| Cow::Borrowed(role.name())).collect(),
            Self::QcCompliance => one(profile.qc_compliance.then_some("true")),
            Self::QcLegislation => profile.qc_legislation.iter().map(|country| Cow::Borrowed(country.as_str())).collect(),
            Self::QcType => profile.qc_types.iter().map(QcType::word).map(Cow::Borrowed).collect(),
            Self::SoftwareId => one(profile.software_id.as_deref()),
        }
    }

    /// The values as one text: those of a list joined with `,`, escaped as in
    /// [`CertificateVariables::text`](super::CertificateVariables::text).
    pub fn text<'p>(self, name: &'p str, profile: &'p Profile) -> Cow<'p, str> {
        let mut values = self.values(name, profile);
        if self.is_list() { join(values.into_iter()).into() } else { values.pop().unwrap_or_default() }
    }
}

fn one(value: Option<&str>) -> Vec<Cow<'_, str>> {
    value.map(Cow::Borrowed).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::qc_statements::Psd2Role;

    #[test]
    fn names_are_read_back_and_differ_from_other_variables() {
        for (variable, name) in ProfileVariable::ALL {
            assert_eq!(ProfileVariable::parse(name), Some(variable));
            assert_eq!(super::super::CertificateVariable::parse(name), None);
        }
    }

    #[test]
    fn a_list_is_joined_and_a_comma_in_a_value_escaped() {
        let profile = Profile {
            psd2_roles: vec![Psd2Role::AccountInformation, Psd2Role::PaymentInitiation],
            nca_name: Some("A, B".into()),
            qc_types: vec![QcType::Other("1,2".into()), QcType::Web],
            ..Profile::default()
        };
        assert_eq!(ProfileVariable::Psd2Roles.text("", &profile), "PSP_AI,PSP_PI");
        assert_eq!(ProfileVariable::Psd2Roles.values("", &profile), ["PSP_AI", "PSP_PI"]);
        assert_eq!(ProfileVariable::QcType.text("", &profile), "1\\,2,web");
        assert_eq!(ProfileVariable::Psd2NcaName.text("", &profile), "A, B");
        assert_eq!(ProfileVariable::Cnpj.text("", &profile), "");
    }
}
