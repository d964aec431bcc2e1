//! Open Finance Brasil and Open Insurance Brasil: BRCAC, the clients' transport certificate (certificate standard of
//! Open Finance Brasil, "Certificado Cliente").
//!
//! | attribute | rule | fact |
//! |---|---|---|
//! | organizationIdentifier | `OFBBR-` or `OPIBR-`, and the participant's UUID | `organization_id` |
//! | organizationalUnitName | the participant's UUID; looked at only where organizationIdentifier is absent (before September 2022) | `organization_id` |
//! | UID | the software statement's UUID | `software_id` |
//! | serialNumber | the holder's CNPJ | `cnpj` |
//! | businessCategory | one of four | |
//! | jurisdictionCountryName, countryName | `BR` | |
//!
//! BRSEAL, the certificate for signatures, has a UID too, which is the *participant's*, and no extended key usage at all. So
//! nothing is taken from a certificate that does not name clientAuth.

use super::cnpj::is_cnpj;
use super::reading::{
    BUSINESS_CATEGORY, COUNTRY, JURISDICTION, ORGANIZATION_IDENTIFIER, ORGANIZATIONAL_UNIT, Reading, SERIAL_NUMBER, UID,
    is_uuid,
};
use super::{OrganizationIdentifier, Profile, ViolationCode};

const CATEGORIES: [&str; 4] = ["Business Entity", "Government Entity", "Non-Commercial Entity", "Private Organization"];

pub(super) fn read(reading: &mut Reading<'_>) -> Profile {
    let for_clients = reading.is_for_clients();
    let mut profile = Profile::default();
    organization(reading, &mut profile);
    let software = reading.formed(UID, ViolationCode::SoftwareId, is_uuid, "a UUID");
    profile.software_id = software.map(|id| id.to_ascii_lowercase());
    profile.cnpj =
        reading.formed(SERIAL_NUMBER, ViolationCode::Cnpj, is_cnpj, "a CNPJ of 14 characters with right check digits");
    reading.formed(
        BUSINESS_CATEGORY,
        ViolationCode::BusinessCategory,
        |text| CATEGORIES.contains(&text),
        &format!("one of {}", CATEGORIES.join(", ")),
    );
    reading.formed(JURISDICTION, ViolationCode::Jurisdiction, |text| text == "BR", "BR");
    reading.formed(COUNTRY, ViolationCode::Country, |text| text == "BR", "BR");
    if for_clients { profile } else { Profile::default() }
}

fn organization(reading: &mut Reading<'_>, profile: &mut Profile) {
    if reading.all(ORGANIZATION_IDENTIFIER).is_empty() {
        let id = reading.formed(
            ORGANIZATIONAL_UNIT,
            ViolationCode::OrganizationId,
            is_uuid,
            "a UUID, and there is no organizationIdentifier",
        );
        profile.organization_id = id.map(|id| id.to_ascii_lowercase());
        return;
    }
    let Some(text) = reading.one(ORGANIZATION_IDENTIFIER, ViolationCode::OrganizationIdentifier) else { return };
    let participant = text.strip_prefix("OFBBR-").or_else(|| text.strip_prefix("OPIBR-")).filter(|id| is_uuid(id));
    let Some(participant) = participant else {
        let sentence = format!("organizationIdentifier is {text:?}, which is not OFBBR- or OPIBR- and a UUID");
        return reading.violate(ViolationCode::OrganizationIdentifier, sentence);
    };
    profile.organization_id = Some(participant.to_ascii_lowercase());
    profile.organization_identifier = OrganizationIdentifier::parse(&text);
}
