//! Open-finance profiles: what a certificate of a known ecosystem says of its holder.
//!
//! Enters: a certificate, and the profile that its issuer's configuration names. Leaves: an [`Assessment`], the facts and every
//! violation. A profile is never guessed from a certificate: the same attribute means software in one ecosystem and
//! organization in another (`CN` in the two certificates of Open Banking UK), and whoever issues certificates can imitate any
//! of them.
//!
//! A fact is there only if its own form is right: a CNPJ with wrong check digits is a violation *and* no `cnpj`. So a criterion
//! that looks for a value never sees a malformed one, also where violations are only reported.

mod cdr;
mod cnpj;
mod open_banking_uk;
mod open_finance_brasil;
mod organization_identifier;
mod psd2;
mod reading;

use std::fmt;

use super::certificate::Certificate;
use super::qc_statements::{Psd2Role, QcType};

pub use organization_identifier::OrganizationIdentifier;

use reading::Reading;

/// An ecosystem's rules for client certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum ProfileKind {
    /// Australia's Consumer Data Right.
    Cdr,
    /// Open Banking UK: OBWAC.
    OpenBankingUk,
    /// Open Banking UK: the transport certificate from before OBWAC.
    OpenBankingUkLegacy,
    /// Open Finance Brasil and Open Insurance Brasil: BRCAC.
    OpenFinanceBrasil,
    /// PSD2: a qualified website authentication certificate (QWAC).
    Psd2,
}

impl ProfileKind {
    /// Every one, in the order of its number, with its word in configurations.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Cdr, "cdr"),
        (Self::OpenBankingUk, "open_banking_uk"),
        (Self::OpenBankingUkLegacy, "open_banking_uk_legacy"),
        (Self::OpenFinanceBrasil, "open_finance_brasil"),
        (Self::Psd2, "psd2"),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::ALL.get(self as usize).map_or("", |(_, word)| word)
    }
}

/// What a profile says of a certificate's holder. What the profile does not have, or was not in its form, is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// `organizationIdentifier`, 2.5.4.97.
    pub organization_identifier: Option<OrganizationIdentifier>,
    /// The organization in its ecosystem's directory. A UUID is in lower case.
    pub organization_id: Option<String>,
    /// The software in its ecosystem's directory. A UUID is in lower case.
    pub software_id: Option<String>,
    /// The holder's CNPJ (Brazil), 14 characters.
    pub cnpj: Option<String>,
    /// The PSD2 roles, each once.
    pub psd2_roles: Vec<Psd2Role>,
    /// The competent authority, in plain words.
    pub nca_name: Option<String>,
    /// The competent authority: country and abbreviation.
    pub nca_id: Option<NcaId>,
    /// What a qualified certificate is for.
    pub qc_types: Vec<QcType>,
    /// Whether the issuer declares a qualified certificate.
    pub qc_compliance: bool,
    /// The countries by whose law; none means the EU.
    pub qc_legislation: Vec<String>,
}

/// NCAId: `GB-FCA` (ETSI TS 119 495 §5.2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NcaId {
    /// Two capital letters.
    pub country: String,
    /// Two to eight capital letters.
    pub authority: String,
}

impl fmt::Display for NcaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.country, self.authority)
    }
}

macro_rules! violation_codes {
    ($( $(#[doc = $doc:literal])+ $variant:ident, $code:literal; )+) => {
        /// The closed list of rules that a certificate can break.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ViolationCode { $( $(#[doc = $doc])+ $variant, )+ }

        impl ViolationCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )+ ];

            /// The stable word.
            pub fn code(self) -> &'static str { match self { $( Self::$variant => $code, )+ } }
        }
    };
}

violation_codes! {
    /// businessCategory is none of its four values.
    BusinessCategory, "business_category";
    /// No extended key usage, or one without clientAuth.
    ClientAuth, "client_auth";
    /// serialNumber is no CNPJ.
    Cnpj, "cnpj";
    /// countryName is not the one asked for.
    Country, "country";
    /// jurisdictionCountryName is not the one asked for.
    Jurisdiction, "jurisdiction";
    /// NCAId is not in its form.
    NcaId, "nca_id";
    /// organizationIdentifier names another authority or country than NCAId.
    NcaMismatch, "nca_mismatch";
    /// organizationName is not the one asked for, or missing.
    Organization, "organization";
    /// The organization's id is missing, repeated or not in its form.
    OrganizationId, "organization_id";
    /// organizationIdentifier is missing, repeated or not in its form.
    OrganizationIdentifier, "organization_identifier";
    /// organizationalUnitName is not the one asked for.
    OrganizationalUnit, "organizational_unit";
    /// A PSD2 role is unknown, or its name is that of another; or there is none.
    Psd2Role, "psd2_role";
    /// There is no PSD2 statement.
    Psd2Statement, "psd2_statement";
    /// The issuer does not declare a qualified certificate.
    QcCompliance, "qc_compliance";
    /// There are no qcStatements, or they cannot be read.
    QcStatements, "qc_statements";
    /// The certificate is not for website authentication, or not for it alone.
    QcType, "qc_type";
    /// The software's id is missing, repeated or not in its form.
    SoftwareId, "software_id";
}

/// A rule of the profile that the certificate breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub code: ViolationCode,
    /// What was found, in plain words.
    pub sentence: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.code(), self.sentence)
    }
}

/// A certificate seen through one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// Which profile.
    pub kind: ProfileKind,
    /// The facts.
    pub profile: Profile,
    /// Every rule that is broken; none means that the certificate is as the profile wants it.
    pub violations: Vec<Violation>,
}

/// Reads a certificate by the rules of a profile. It says nothing of who issued it: choose the profile by a verified path.
pub fn assess(kind: ProfileKind, certificate: &Certificate) -> Assessment {
    let mut reading = Reading::of(certificate);
    let profile = match kind {
        ProfileKind::Cdr => cdr::read(&mut reading),
        ProfileKind::OpenBankingUk => open_banking_uk::read(&mut reading),
        ProfileKind::OpenBankingUkLegacy => open_banking_uk::read_legacy(&mut reading),
        ProfileKind::OpenFinanceBrasil => open_finance_brasil::read(&mut reading),
        ProfileKind::Psd2 => psd2::read(&mut reading),
    };
    Assessment { kind, profile, violations: reading.violations }
}

#[cfg(test)]
mod tests;
