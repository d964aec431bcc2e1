//! The keys of a policy that say how paths are judged.

use super::table::Table;
use crate::verifier::{LEAST_EC_BITS, LEAST_RSA_BITS, RevocationCheckMode, SignatureAlgorithm, VerificationSettings};

/// The longest path that a setting may ask for.
const LONGEST_PATH: u32 = 20;
/// The largest RSA key that is accepted at all.
const MOST_RSA_BITS: u32 = 8192;
const MOST_EC_BITS: u32 = 521;
/// The curves, by their bits: P-256 and Ed25519, P-384, Ed448, P-521.
const EC_BITS: [u32; 4] = [LEAST_EC_BITS, 384, 448, MOST_EC_BITS];

/// Reads them; what is left out is as in `inherited`.
pub(super) fn read(table: &Table<'_>, inherited: &VerificationSettings) -> VerificationSettings {
    VerificationSettings {
        revocation_check_mode: table.choice(
            "revocation_check_mode",
            &[
                ("SKIP", RevocationCheckMode::Skip),
                ("IGNORE_CA_ERROR", RevocationCheckMode::IgnoreCaError),
                ("STRICT", RevocationCheckMode::Strict),
            ],
            inherited.revocation_check_mode,
        ),
        allow_stale_crl: table.boolean("allow_stale_crl", inherited.allow_stale_crl),
        allow_missing_eku: table.boolean("allow_missing_eku", inherited.allow_missing_eku),
        allow_critical_qc_statements: table.boolean("allow_critical_qc_statements", inherited.allow_critical_qc_statements),
        max_path_length: number(table, "max_path_length", 0..=LONGEST_PATH, inherited.max_path_length),
        min_rsa_bits: number(table, "min_rsa_bits", LEAST_RSA_BITS..=MOST_RSA_BITS, inherited.min_rsa_bits),
        min_ec_bits: min_ec_bits(table, inherited.min_ec_bits),
        signature_algorithms: signature_algorithms(table).unwrap_or_else(|| inherited.signature_algorithms.clone()),
        ..inherited.clone()
    }
}

fn number(table: &Table<'_>, key: &str, range: std::ops::RangeInclusive<u32>, default: u32) -> u32 {
    let size = |bits: u32| usize::try_from(bits).unwrap_or(usize::MAX);
    let number = table.number(key, size(*range.start())..=size(*range.end()), size(default));
    u32::try_from(number).unwrap_or(default)
}

fn min_ec_bits(table: &Table<'_>, default: u32) -> u32 {
    let bits = number(table, "min_ec_bits", LEAST_EC_BITS..=MOST_EC_BITS, default);
    if !EC_BITS.contains(&bits) {
        table.problem("min_ec_bits", format!("found `{bits}`"), "accepted: 256, 384, 448, 521");
    }
    bits
}

/// None when the key is not there; `[]` is no list, as with the lists of certificates.
fn signature_algorithms(table: &Table<'_>) -> Option<Option<Vec<SignatureAlgorithm>>> {
    if !table.has("signature_algorithms") {
        return None;
    }
    let algorithm = |text: &String| {
        let found = SignatureAlgorithm::parse(text);
        if found.is_none() {
            let names = SignatureAlgorithm::ALL.map(SignatureAlgorithm::name).join(", ");
            table.problem("signature_algorithms", format!("found `{text}`"), format!("accepted: {names}"));
        }
        found
    };
    let algorithms: Vec<_> = table.texts("signature_algorithms").iter().filter_map(algorithm).collect();
    Some((!algorithms.is_empty()).then_some(algorithms))
}
