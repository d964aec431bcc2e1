//! PSD2: a qualified certificate for website authentication, with the holder's roles (ETSI TS 119 495).
//!
//! 1. `client_auth`: the extended key usage names clientAuth.
//! 2. `qc_statements`, `qc_compliance`, `qc_type`: declared to be qualified (EN 319 412-5 §4.2.1), and for website
//!    authentication alone (§4.2.3): a certificate for seals is no transport certificate.
//! 3. `psd2_statement`, `psd2_role`, `nca_id`: roles and authority are there and in their form. The identifier makes the role;
//!    a name that belongs to another role is a contradiction.
//! 4. `organization_identifier`, `nca_mismatch`: the subject is named in a register; one of a competent authority (`PSD`) must
//!    be the authority of the PSD2 statement.
//!
//! Whether the issuer is a qualified trust service provider is for the trusted CAs to say. Roles are those of the day of issue:
//! the authority's register is what counts.

use super::reading::{ORGANIZATION_IDENTIFIER, Reading};
use super::{NcaId, OrganizationIdentifier, Profile, ViolationCode};
use crate::x509::qc_statements::{Psd2Statement, QC_STATEMENTS, QcStatements, QcType};

pub(super) fn read(reading: &mut Reading<'_>) -> Profile {
    reading.is_for_clients();
    let mut profile = Profile::default();
    if let Some(statements) = statements(reading, &mut profile)
        && !statements.compliance
    {
        reading.violate(ViolationCode::QcCompliance, "the statement QcCompliance is missing");
    }
    organization(reading, &mut profile);
    profile
}

/// Reads what PSD2 and OBWAC have in common of the qcStatements.
pub(super) fn statements(reading: &mut Reading<'_>, profile: &mut Profile) -> Option<QcStatements> {
    let read = reading.certificate.extension(QC_STATEMENTS).and_then(|value| value.map(QcStatements::parse).transpose());
    let statements = match read {
        Ok(Some(statements)) => statements,
        Ok(None) => {
            reading.violate(ViolationCode::QcStatements, "there are no qcStatements");
            return None;
        }
        Err(why) => {
            reading.violate(ViolationCode::QcStatements, format!("the qcStatements cannot be read: {why}"));
            return None;
        }
    };
    if statements.types != [QcType::Web] {
        let words: Vec<&str> = statements.types.iter().map(QcType::word).collect();
        let found = if words.is_empty() { "is missing".to_owned() } else { format!("is {}", words.join(" and ")) };
        reading.violate(ViolationCode::QcType, format!("QcType {found}; it must be web"));
    }
    profile.qc_types.clone_from(&statements.types);
    profile.qc_compliance = statements.compliance;
    profile.qc_legislation.clone_from(&statements.legislation);
    match &statements.psd2 {
        Some(psd2) => roles(reading, psd2, profile),
        None => reading.violate(ViolationCode::Psd2Statement, "the PSD2 statement is missing"),
    }
    Some(statements)
}

fn roles(reading: &mut Reading<'_>, psd2: &Psd2Statement, profile: &mut Profile) {
    if psd2.roles.is_empty() {
        reading.violate(ViolationCode::Psd2Role, "the PSD2 statement names no role");
    }
    for entry in &psd2.roles {
        match entry.role {
            None => reading.violate(ViolationCode::Psd2Role, format!("an unknown role, named {:?}", entry.name)),
            Some(role) => {
                if entry.name != role.name() {
                    let sentence = format!("the role {} has the name {:?} beside it", role.name(), entry.name);
                    reading.violate(ViolationCode::Psd2Role, sentence);
                }
                if !profile.psd2_roles.contains(&role) {
                    profile.psd2_roles.push(role);
                }
            }
        }
    }
    profile.nca_name = Some(psd2.nca_name.clone());
    profile.nca_id = NcaId::parse(&psd2.nca_id);
    if profile.nca_id.is_none() {
        let sentence = format!("NCAId is {:?}, which is not a country, a hyphen and 2 to 8 capital letters", psd2.nca_id);
        reading.violate(ViolationCode::NcaId, sentence);
    }
}

/// Reads the organizationIdentifier, and holds it against the PSD2 statement.
pub(super) fn organization(reading: &mut Reading<'_>, profile: &mut Profile) {
    let Some(text) = reading.one(ORGANIZATION_IDENTIFIER, ViolationCode::OrganizationIdentifier) else { return };
    let Some(found) = OrganizationIdentifier::parse(&text) else {
        let sentence = format!("organizationIdentifier is {text:?}, which is not like PSDGB-FCA-123456 or VATDE-123456");
        return reading.violate(ViolationCode::OrganizationIdentifier, sentence);
    };
    if let (Some(authority), Some(nca)) = (&found.authority, &profile.nca_id)
        && (*authority != nca.authority || found.country != nca.country)
    {
        let sentence = format!("organizationIdentifier is {text:?}, but NCAId is {nca}");
        reading.violate(ViolationCode::NcaMismatch, sentence);
    }
    profile.organization_identifier = Some(found);
}
