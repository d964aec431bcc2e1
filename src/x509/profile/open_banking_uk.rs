//! Open Banking UK: OBWAC, and the transport certificate from before it.
//!
//! Both come from the same directory. In an OBWAC `CN` is the organization, in a legacy certificate it is the software: that is
//! why nobody may guess. OBWAC carries the PSD2 statement and the QcType of a QWAC, but is not qualified: QcCompliance is not
//! asked for.

use super::psd2;
use super::reading::{CN, COUNTRY, ORGANIZATION, ORGANIZATIONAL_UNIT, Reading};
use super::{Profile, ViolationCode};

/// OBWAC: `organizationIdentifier` as in PSD2, `CN` the organization's id, roles in the qcStatements.
pub(super) fn read(reading: &mut Reading<'_>) -> Profile {
    reading.is_for_clients();
    let mut profile = Profile::default();
    psd2::statements(reading, &mut profile);
    psd2::organization(reading, &mut profile);
    profile.organization_id = reading.formed(CN, ViolationCode::OrganizationId, is_organization, "18 letters and digits");
    profile
}

/// Legacy: `C=GB`, `O=OpenBanking`, `OU` the organization's id, `CN` the software statement's id. No roles.
pub(super) fn read_legacy(reading: &mut Reading<'_>) -> Profile {
    reading.is_for_clients();
    reading.formed(COUNTRY, ViolationCode::Country, |text| text == "GB", "GB");
    reading.formed(ORGANIZATION, ViolationCode::Organization, |text| text == "OpenBanking", "OpenBanking");
    Profile {
        organization_id: reading.formed(
            ORGANIZATIONAL_UNIT,
            ViolationCode::OrganizationId,
            is_organization,
            "18 letters and digits",
        ),
        software_id: reading.formed(CN, ViolationCode::SoftwareId, is_software, "up to 64 letters and digits"),
        ..Profile::default()
    }
}

/// The directory's ids of organizations: `0015800001HQQrpAAH`.
fn is_organization(text: &str) -> bool {
    text.len() == 18 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The directory's ids of software: `4SoUs33VXMvHRSnIDhsVpR`. 22 characters where seen; no rule says so.
fn is_software(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
