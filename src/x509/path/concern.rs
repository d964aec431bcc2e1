//! Which of the four findings an OpenSSL error belongs to, and how bad a set of them is.

/// What an error is about, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Concern {
    /// No chain of signatures, names and constraints to an anchor.
    Chain,
    /// Extended key usage or key usage for the purpose.
    Purpose,
    /// On a CRL, or so by OCSP.
    Revoked,
    /// Whether it was revoked cannot be told.
    RevocationUnknown,
    /// notBefore and notAfter.
    Validity,
}

/// The concern of an `X509_V_ERR_*` number. Whatever is not known here is about the chain, the worst.
pub(crate) fn concern_of(code: i32) -> Concern {
    match code {
        9 | 10 | 13 | 14 => Concern::Validity,
        23 => Concern::Revoked,
        // Everything that OpenSSL can say of a CRL: none, its issuer, signature, dates, key usage, extensions, scope, path.
        // And of OCSP: 73 to 75.
        3 | 5 | 8 | 11 | 12 | 15 | 16 | 33 | 35 | 36 | 44 | 54 | 73..=75 => Concern::RevocationUnknown,
        26 => Concern::Purpose,
        _ => Concern::Chain,
    }
}

impl Concern {
    /// A bit for comparing sets: a worse concern outweighs all lesser ones together.
    pub(crate) fn weight(self) -> u32 {
        match self {
            Self::Chain => 32,
            Self::Purpose => 16,
            Self::Revoked => 8,
            Self::RevocationUnknown => 4,
            Self::Validity => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worse_concern_outweighs_all_lesser_ones() {
        use Concern::{Chain, Purpose, RevocationUnknown, Revoked, Validity};
        let worst_first = [Chain, Purpose, Revoked, RevocationUnknown, Validity];
        for (at, worse) in worst_first.iter().enumerate() {
            let lesser: u32 = worst_first[at + 1..].iter().map(|concern| concern.weight()).sum();
            // One is the weight of an error that the settings tolerate.
            assert!(worse.weight() > lesser + 1, "{worse:?}");
        }
    }

    #[test]
    fn whatever_is_not_known_is_about_the_chain() {
        let known = [3, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 23, 26, 33, 35, 36, 44, 54, 73, 74, 75];
        for code in -1..200 {
            assert_eq!(concern_of(code) == Concern::Chain, !known.contains(&code), "{code}");
        }
    }
}
