//! Australia's Consumer Data Right: `CN` the software product, `O` the brand, `OU` the words `Consumer Data Right`, `C` there
//! (Consumer Data Standards, "Certificate Management").
//!
//! Here the certificate is a proof of possession only: clients authenticate to the authorization server by `private_key_jwt`.

use super::reading::{CN, COUNTRY, ORGANIZATION, ORGANIZATIONAL_UNIT, Reading};
use super::{Profile, ViolationCode};
use crate::x509::qc_statements::is_country;

const UNIT: &str = "Consumer Data Right";

pub(super) fn read(reading: &mut Reading<'_>) -> Profile {
    reading.is_for_clients();
    let units = reading.all(ORGANIZATIONAL_UNIT);
    if !units.iter().any(|unit| unit == UNIT) {
        reading.violate(ViolationCode::OrganizationalUnit, format!("no organizationalUnitName is {UNIT:?}"));
    }
    reading.formed(COUNTRY, ViolationCode::Country, is_country, "two capital letters");
    reading.formed(ORGANIZATION, ViolationCode::Organization, |text| !text.is_empty(), "a name");
    let software_id = reading.formed(CN, ViolationCode::SoftwareId, |text| !text.is_empty(), "a name");
    Profile { software_id, ..Profile::default() }
}
