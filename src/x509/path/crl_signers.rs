//! Signers of revocation lists that do not stand on the path: a CA may sign its lists with a key of their own, or with the
//! key that it had before (RFC 5280 §6.3.3 f; PKITS 4.4.19, 4.5.4).

use std::cmp::Ordering;
use std::ops::ControlFlow;

use openssl::x509::{X509, X509NameRef, X509PurposeId, X509Ref};

use super::Judge;
use super::enumerator::{Candidate, Field, search};
use crate::x509::crl::{CrlIndex, SignerCheck};
use crate::x509::lint;
use crate::x509::revocation::{self, CertificateStatus, MAY_NOT_SIGN, NO_SIGNER, SIGNER_WITHOUT_PATH};

/// For one issuer: today's key, the last, the next.
const MOST_CRL_SIGNERS: usize = 4;

impl<'a> Judge<'a> {
    /// Whether the list is signed by another key of this issuer whose certificate is as good as the path's own: one of those
    /// `above` the certificate in question (never itself), or one with a path to the same anchor, valid now, not revoked; and
    /// in both cases allowed to sign lists.
    pub(super) fn other_signer(
        &self,
        list: &CrlIndex,
        issuer: &X509Ref,
        above: &[X509],
        anchor: &Candidate<'a>,
    ) -> Result<(), i32> {
        let mut why = NO_SIGNER;
        for on_path in above.iter().filter(|ca| is_named(ca, issuer.subject_name())) {
            // Judged already, its own status too, in its own place.
            if list.signed_by(on_path) == SignerCheck::Signed && on_path.to_der().is_ok_and(|der| lint::may_sign_crls(&der)) {
                return Ok(());
            }
        }
        for signer in self.of_the_same_name(issuer) {
            // The signature first: a peer can present any certificate, but no key that has signed a list.
            if list.signed_by(signer.x509) != SignerCheck::Signed {
                continue;
            }
            if !signer.x509.to_der().is_ok_and(|der| lint::may_sign_crls(&der)) {
                why = why.max(MAY_NOT_SIGN);
            } else if self.is_good_signer(&signer, anchor) {
                return Ok(());
            } else {
                why = SIGNER_WITHOUT_PATH;
            }
        }
        Err(why)
    }

    /// Presented certificates only where none is configured: else a client could put its own beside the right one.
    fn of_the_same_name(&self, issuer: &X509Ref) -> impl Iterator<Item = Candidate<'a>> {
        let name = issuer.subject_name();
        let all = self.field.named(issuer.subject_name_hash()).filter(|candidate| is_named(candidate.x509, name));
        let (configured, presented): (Vec<_>, Vec<_>) = all.partition(|candidate| candidate.configured);
        let chosen = if configured.is_empty() { presented } else { configured };
        chosen.into_iter().take(MOST_CRL_SIGNERS)
    }

    /// RFC 5280 §6.3.3 (f): a valid path to the anchor of the certificate in question. The lists that are asked about this path
    /// must be signed by the keys on it: no chain of signers of signers.
    fn is_good_signer(&self, signer: &Candidate<'a>, anchor: &Candidate<'a>) -> bool {
        if signer.sha256 == anchor.sha256 {
            return true;
        }
        let field = Field { leaf_sha256: signer.sha256, ..*self.field };
        let mut good = false;
        search(signer.x509, &field, &mut |path| {
            let same_anchor = path.last().is_some_and(|end| end.sha256 == anchor.sha256);
            good = same_anchor && self.is_good_path(signer.x509, path);
            if good { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        good
    }

    fn is_good_path(&self, signer: &X509Ref, path: &[Candidate<'a>]) -> bool {
        let judged = self.run_along(signer, path, X509PurposeId::ANY);
        judged.errors.is_empty()
            && judged.chain.windows(2).all(|pair| match pair {
                [certificate, issuer] => {
                    let no_other = |_: &CrlIndex| Err(NO_SIGNER);
                    let answer = revocation::status(certificate, issuer, self.field.lists, self.now, &no_other);
                    answer.status == CertificateStatus::Good
                }
                _ => false,
            })
    }
}

fn is_named(ca: &X509Ref, name: &X509NameRef) -> bool {
    matches!(ca.subject_name().try_cmp(name), Ok(Ordering::Equal))
}
