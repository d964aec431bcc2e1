//! The status of every certificate below the anchor: OCSP first, lists as the fallback, and what a fetch could still tell.
//!
//! One certificate's status, worst first:
//!
//! 1. Revoked by whichever of the two, an answer or list past its end too: that does not become untrue with time.
//! 2. Good by a fresh OCSP answer, else good by the lists.
//! 3. Unknown: 75 when a fresh answer says so; else the trouble of the lists, which says more than 74; else 74, OCSP is used
//!    and there is no answer that counts; else 3, no list.
//!
//! What the lists' trouble refuses without OCSP it refuses beside it: 74 and 75 may be tolerated, and must not hide it.

use std::cell::RefCell;

use openssl::x509::{X509, X509Ref};

use super::inquiry::{Inquiry, Urgency};
use super::{Judge, Judgement};
use crate::clock::UnixTime;
use crate::x509::crl::Entry;
use crate::x509::ocsp::{CertId, OcspAnswer, OcspStatus};
use crate::x509::ocsp_answers::{Known, OcspAnswers};
use crate::x509::openssl_ffi::PathError;
use crate::x509::path::enumerator::Candidate;
use crate::x509::revocation::{self, Answer, CertificateStatus, NO_LIST, REVOKED, STALE};

/// `X509_V_ERR_OCSP_VERIFY_FAILED`.
const NO_ANSWER: i32 = 74;
/// `X509_V_ERR_OCSP_CERT_UNKNOWN`.
const UNKNOWN_TO_RESPONDER: i32 = 75;

/// The answers as they were when they were first asked for: a verification sees one state of them.
pub(super) struct Asked<'a> {
    answers: Option<&'a OcspAnswers>,
    seen: RefCell<Vec<(CertId, Option<Known>)>>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(answers: Option<&'a OcspAnswers>) -> Self {
        Self { answers, seen: RefCell::default() }
    }

    fn get(&self, id: CertId) -> Option<Known> {
        let mut seen = self.seen.borrow_mut();
        if let Some((_, known)) = seen.iter().find(|(asked, _)| *asked == id) {
            return known.clone();
        }
        let known = self.answers.and_then(|answers| answers.get(&id));
        seen.push((id, known.clone()));
        known
    }

    /// Every certificate that was asked about, on whichever path.
    pub(super) fn into_seen(self) -> Vec<(CertId, Option<Known>)> {
        self.seen.into_inner()
    }
}

/// What is known of one certificate.
struct Findings<'f> {
    id: Option<CertId>,
    uses_ocsp: bool,
    ocsp: Option<&'f OcspAnswer>,
    lists: Answer,
}

impl<'a> Judge<'a> {
    /// Asks for the status of every certificate below the anchor; an anchor's own is not asked (RFC 5280 §6.1).
    pub(super) fn ask_status(&self, judged: &mut Judgement, anchor: &Candidate<'a>) {
        let mut rest = judged.chain.as_slice();
        for depth in 0.. {
            let [certificate, above @ ..] = rest else { break };
            let Some(issuer) = above.first() else { break };
            rest = above;
            let other_signer = |list: &_| self.other_signer(list, issuer, above, anchor);
            let lists = revocation::status(certificate, issuer, self.field.lists, self.now, &other_signer);
            let uses_ocsp = self.field.trust.options().ocsp.covers(depth);
            let id = if self.asks() { CertId::of(certificate, issuer) } else { None };
            let known = id.filter(|_| uses_ocsp).and_then(|id| self.asked.get(id));
            let ocsp = known.as_ref().map(|known| &*known.answer).filter(|answer| self.counts(answer));
            let findings = Findings { id, uses_ocsp, ocsp, lists };
            judged.inquiries.extend(self.inquiry(&findings, certificate, issuer, depth));
            let answer = findings.combine(self.now);
            judged.errors.extend(answer.codes.into_iter().map(|code| PathError { code, depth }));
            if let CertificateStatus::Revoked(entry) = answer.status {
                judged.remarks.push(format!("the certificate at depth {depth} is {entry}"));
            }
            judged.statuses.push(answer.status);
        }
    }

    /// Whether the set uses more than the lists it has.
    pub(super) fn asks(&self) -> bool {
        let options = self.field.trust.options();
        options.revocation_sources || options.ocsp.covers(0)
    }

    /// Answers are held for all sets of CAs, and one may have been asked for without a nonce. That somebody was revoked counts
    /// all the same: nobody can have kept it back to please a client.
    fn counts(&self, answer: &OcspAnswer) -> bool {
        let required = self.field.trust.options().ocsp_nonce_required;
        !required || answer.has_nonce() || matches!(answer.status(), OcspStatus::Revoked { .. })
    }

    fn inquiry(&self, findings: &Findings<'_>, certificate: &X509, issuer: &X509Ref, depth: u32) -> Option<Inquiry> {
        let ocsp = findings.ocsp_urgency(self.now);
        let list = if self.field.trust.options().revocation_sources { findings.list_urgency(self.now) } else { None };
        if ocsp.is_none() && list.is_none() {
            return None;
        }
        Some(Inquiry { certificate: certificate.clone(), issuer: issuer.to_owned(), id: findings.id?, depth, ocsp, list })
    }
}

impl Findings<'_> {
    fn fresh(&self, now: UnixTime) -> Option<OcspStatus> {
        self.ocsp.filter(|answer| answer.is_fresh(now)).map(OcspAnswer::status)
    }

    /// A list that is of its time says that the certificate is revoked: nothing else can tell otherwise.
    fn is_revoked_by_list(&self) -> bool {
        matches!(self.lists.status, CertificateStatus::Revoked(_)) && !self.lists.codes.contains(&STALE)
    }

    fn ocsp_urgency(&self, now: UnixTime) -> Option<Urgency> {
        if !self.uses_ocsp || self.is_revoked_by_list() {
            return None;
        }
        match self.ocsp {
            Some(answer) if !answer.is_fresh(now) => Some(Urgency::Wanted),
            Some(answer) if answer.refresh_at() <= now => Some(Urgency::Ageing),
            Some(_) => None,
            None => Some(Urgency::Wanted),
        }
    }

    fn list_urgency(&self, now: UnixTime) -> Option<Urgency> {
        let told = match self.lists.status {
            CertificateStatus::Good => true,
            // A newer list may have lifted a hold; no OCSP answer can.
            CertificateStatus::Revoked(_) => self.is_revoked_by_list(),
            CertificateStatus::Unknown(_) => {
                matches!(self.fresh(now), Some(OcspStatus::Good | OcspStatus::Revoked { .. }))
            }
        };
        if told { None } else { Some(Urgency::Wanted) }
    }

    fn combine(self, now: UnixTime) -> Answer {
        let fresh = self.fresh(now);
        if let Some(OcspStatus::Revoked { time, reason }) = self.ocsp.map(OcspAnswer::status) {
            let mut codes = vec![REVOKED];
            // That the answer is stale is told beside what it says, as it is of a list.
            if fresh.is_none() && !self.is_revoked_by_list() {
                codes.push(NO_ANSWER);
            }
            return Answer { status: CertificateStatus::Revoked(Entry { reason, revoked_at: time }), codes };
        }
        match (self.lists.status, fresh) {
            (CertificateStatus::Revoked(_) | CertificateStatus::Good, _) => self.lists,
            (_, Some(OcspStatus::Good)) => Answer { status: CertificateStatus::Good, codes: Vec::new() },
            (CertificateStatus::Unknown(trouble), Some(_)) => {
                let mut codes = vec![UNKNOWN_TO_RESPONDER];
                codes.extend(Some(trouble).filter(|trouble| *trouble != NO_LIST));
                Answer { status: CertificateStatus::Unknown(UNKNOWN_TO_RESPONDER), codes }
            }
            (CertificateStatus::Unknown(NO_LIST), None) if self.uses_ocsp => {
                Answer { status: CertificateStatus::Unknown(NO_ANSWER), codes: vec![NO_ANSWER] }
            }
            (CertificateStatus::Unknown(_), None) => self.lists,
        }
    }
}
