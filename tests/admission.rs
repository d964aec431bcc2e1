//! The complete truth table of admission: what a certificate is × what the route's policy says × what the front door says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/forward.rs"]
mod forward;
#[path = "support/pki.rs"]
mod pki;

use std::sync::Arc;

use forward::{CERTIFICATE, Door, VERDICT, headers};
use http::Method;
use openssl::x509::X509;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pki::{Ca, Dates, Leaf, NOW};
use vestibule::admission::profiles::Profiles;
use vestibule::admission::registered::RegisteredCertificates;
use vestibule::admission::{Admission, Anonymous, Basis, Demands, Policy, VerificationMode, Waiver};
use vestibule::front_door::VerdictMode;
use vestibule::presented::{CertificateDecoder, Presentation};
use vestibule::refusal::{Refusal, Refused};
use vestibule::verifier::{
    RevocationFinding, Thumbprint, ThumbprintVerification, Thumbprints, TrustedCas, Verification, VerificationSettings, verify,
    verify_thumbprint,
};

/// A kind of certificate, and what is true of it. Nothing here is computed by the code under test.
struct State {
    name: &'static str,
    certificate: Option<X509>,
    expired: bool,
    revoked: bool,
    /// What no switch waives.
    fatal: Option<Refusal>,
    verify: &'static str,
}

const REVOKED: u32 = 77;
const EXPIRED_TEXT: &str = "FAILED:certificate has expired";
const REVOKED_TEXT: &str = "FAILED:certificate revoked";

fn states(ca: &Ca) -> Vec<State> {
    let state = |name, certificate: X509, verify| State {
        name,
        certificate: Some(certificate),
        expired: false,
        revoked: false,
        fatal: None,
        verify,
    };
    let issue = |leaf: Leaf| ca.issue(&leaf);
    let server = |leaf: Leaf| Leaf { client_auth: false, ..leaf };
    let gone = |leaf: Leaf| Leaf { serial: REVOKED, ..leaf };
    let late = |leaf: Leaf| Leaf { dates: Dates::NOT_YET, ..leaf };
    let named = || Leaf::named("client");
    let old = || Leaf::expired("client");
    let untrusted = Some(Refusal::CertificateUntrusted);
    let purpose = Some(Refusal::CertificatePurpose);
    let purpose_text = "FAILED:unsuitable certificate purpose";
    let stranger_text = "FAILED:unable to verify the first certificate";
    let forged_text = "FAILED:certificate signature failure";
    let stranger = Ca::root("Stranger");
    vec![
        State { name: "none", certificate: None, expired: false, revoked: false, fatal: None, verify: "NONE" },
        state("good", issue(named()), "SUCCESS"),
        State { expired: true, ..state("expired", issue(old()), EXPIRED_TEXT) },
        State { revoked: true, ..state("revoked", issue(gone(named())), REVOKED_TEXT) },
        State { expired: true, revoked: true, ..state("expired and revoked", issue(gone(old())), REVOKED_TEXT) },
        State { fatal: untrusted, ..state("forged", ca.forge(&named()), forged_text) },
        State { fatal: untrusted, ..state("forged and expired", ca.forge(&old()), forged_text) },
        State { fatal: untrusted, ..state("forged and revoked", ca.forge(&gone(named())), forged_text) },
        State { fatal: untrusted, ..state("of another CA", stranger.issue(&named()), stranger_text) },
        State { fatal: untrusted, ..state("of another CA and expired", stranger.issue(&old()), stranger_text) },
        State { fatal: purpose, ..state("for servers", issue(server(named())), purpose_text) },
        State { fatal: purpose, ..state("for servers and expired", issue(server(old())), purpose_text) },
        State { fatal: purpose, ..state("for servers and revoked", issue(server(gone(named()))), purpose_text) },
        State {
            fatal: Some(Refusal::CertificateNotYetValid),
            ..state("not yet valid", issue(late(named())), "FAILED:certificate is not yet valid")
        },
        State {
            fatal: Some(Refusal::CertificateRevoked),
            ..state("not yet valid and revoked", issue(late(gone(named()))), REVOKED_TEXT)
        },
    ]
}

#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Verified { waived: Vec<Waiver>, verify: String },
    NoCertificate,
    NobodyLooked,
    NotAccepted { refusal: Refusal, verify: String },
    Refused(Refusal),
}

/// What the rules of the house say, in the order of `admission`'s leaflet.
fn expected(state: &State, policy: &Policy, mode: VerdictMode, verdict: Option<&str>) -> Expected {
    if policy.verification == VerificationMode::Off {
        return Expected::NobodyLooked;
    }
    let permissive = policy.verification == VerificationMode::Permissive;
    if state.certificate.is_none() {
        let open = permissive || policy.allow_unauthenticated_requests;
        return if open { Expected::NoCertificate } else { Expected::Refused(Refusal::CertificateRequired) };
    }
    let all_waived =
        (!state.expired || policy.allow_expired_certificates) && (!state.revoked || policy.allow_revoked_certificates);
    let complaint = match state.fatal {
        Some(fatal) => Some(fatal),
        None if all_waived => None,
        None if state.revoked => Some(Refusal::CertificateRevoked),
        None => Some(Refusal::CertificateExpired),
    };
    let door_objects = match mode {
        VerdictMode::Ignore => false,
        VerdictMode::Narrow => verdict.is_some_and(|verdict| verdict != "SUCCESS"),
        VerdictMode::Require => verdict != Some("SUCCESS"),
    };
    match complaint.or(door_objects.then_some(Refusal::ForwardedVerdictFailed)) {
        Some(refusal) if permissive => {
            let verify = match state.verify {
                "SUCCESS" => "FAILED:forwarded_verdict_failed",
                found => found,
            };
            Expected::NotAccepted { refusal, verify: verify.to_owned() }
        }
        Some(refusal) => Expected::Refused(refusal),
        None => {
            let expired = state.expired.then_some(Waiver::Expired);
            let revoked = state.revoked.then_some(Waiver::Revoked);
            Expected::Verified { waived: expired.into_iter().chain(revoked).collect(), verify: state.verify.to_owned() }
        }
    }
}

fn found(decided: Result<Admission, Refused>, anchor: &[u8; 32]) -> Expected {
    let admission = match decided {
        Ok(admission) => admission,
        Err(refused) => return Expected::Refused(refused.refusal),
    };
    let verify = admission.verify_text().to_owned();
    match (admission.identity(), admission.anonymous_because()) {
        (Some(identity), None) => {
            assert_eq!(identity.anchor(), Some(anchor), "an identity names its anchor");
            Expected::Verified { waived: identity.waived().to_vec(), verify }
        }
        (None, Some(Anonymous::NoCertificate)) => {
            assert_eq!(verify, "NONE");
            Expected::NoCertificate
        }
        (None, Some(Anonymous::VerificationOff)) => {
            assert_eq!(verify, "NONE");
            Expected::NobodyLooked
        }
        (None, Some(Anonymous::NotAccepted(refused))) => Expected::NotAccepted { refusal: refused.refusal, verify },
        both => panic!("{both:?}"),
    }
}

fn presentation(certificate: Option<&X509>, verdict: Option<&str>) -> Presentation {
    let pem = certificate.map(|certificate| String::from_utf8(certificate.to_pem().unwrap()).unwrap());
    let escaped = pem.map(|pem| utf8_percent_encode(&pem, NON_ALPHANUMERIC).to_string());
    let mut lines = Vec::new();
    lines.extend(escaped.as_deref().map(|value| (CERTIFICATE, value)));
    lines.extend(verdict.map(|value| (VERDICT, value)));
    let forward = Door::default().forward(Method::GET, "/", "api.example", headers(&lines));
    Presentation::read(&forward, &CertificateDecoder::new(0)).unwrap()
}

fn verification(presentation: &Presentation, trust: &TrustedCas) -> Option<Arc<Verification>> {
    let one = presentation.certificate()?;
    Some(Arc::new(verify(one.leaf(), one.chain(), trust, &VerificationSettings::default(), NOW)))
}

/// Admission without lists and profiles.
fn decide(
    presentation: &Presentation,
    verification: Option<&Arc<Verification>>,
    policy: &Policy,
    verdict_mode: VerdictMode,
) -> Result<Admission, Refused> {
    decide_registered(presentation, verification, None, policy, verdict_mode)
}

fn decide_registered(
    presentation: &Presentation,
    verification: Option<&Arc<Verification>>,
    thumbprint: Option<&ThumbprintVerification>,
    policy: &Policy,
    verdict_mode: VerdictMode,
) -> Result<Admission, Refused> {
    let (registered, profiles) = (RegisteredCertificates::default(), Profiles::default());
    Admission::decide(
        presentation,
        verification,
        thumbprint,
        &Demands { policy, registered: &registered, profiles: &profiles, verdict_mode },
    )
}

/// Every policy.
fn policies() -> Vec<Policy> {
    let mut policies = Vec::new();
    for verification in [VerificationMode::Enforce, VerificationMode::Permissive, VerificationMode::Off] {
        for switches in 0..8 {
            policies.push(Policy {
                verification,
                allow_unauthenticated_requests: switches & 1 != 0,
                allow_expired_certificates: switches & 2 != 0,
                allow_revoked_certificates: switches & 4 != 0,
                require_profile: false,
            });
        }
    }
    policies
}

const VERDICTS: [Option<&str>; 5] =
    [None, Some("SUCCESS"), Some("FAILED"), Some("FAILED:unable to verify the first certificate"), Some("NONE")];

#[test]
fn the_whole_table() {
    let ca = Ca::root("Root");
    let trust = pki::trust(&[&ca], &[], &[ca.crl(&[REVOKED])]);
    let anchor = *pki::certificate(&ca.certificate).sha256();
    let mut rows = 0;
    for state in states(&ca) {
        for verdict in VERDICTS {
            let presentation = presentation(state.certificate.as_ref(), verdict);
            let verification = verification(&presentation, &trust);
            for policy in policies() {
                for mode in [VerdictMode::Ignore, VerdictMode::Narrow, VerdictMode::Require] {
                    let decided = decide(&presentation, verification.as_ref(), &policy, mode);
                    let row = format!("{}, {policy:?}, {mode:?}, {verdict:?}", state.name);
                    assert_eq!(found(decided, &anchor), expected(&state, &policy, mode, verdict), "{row}");
                    rows += 1;
                }
            }
        }
    }
    assert_eq!(rows, 15 * 5 * 24 * 3);
}

/// Every certificate of the table once more, registered by its thumbprint.
#[test]
fn the_whole_table_registered() {
    let ca = Ca::root("Root");
    let trust = pki::trust(&[&ca], &[], &[ca.crl(&[REVOKED])]);
    let anchor = *pki::certificate(&ca.certificate).sha256();
    let mut by_thumbprint = 0;
    for state in states(&ca).iter().filter(|state| state.certificate.is_some()) {
        let presentation = presentation(state.certificate.as_ref(), None);
        let verification = verification(&presentation, &trust).unwrap();
        let leaf = presentation.certificate().unwrap().leaf();
        let mut registered = Thumbprints::default();
        assert_eq!(verify_thumbprint(leaf, &registered, &VerificationSettings::default(), NOW), None);
        registered.insert(Thumbprint::Sha256(*leaf.sha256()));
        let thumbprint = verify_thumbprint(leaf, &registered, &VerificationSettings::default(), NOW).unwrap();
        let (start, end) = (leaf.not_before().to_unix().unwrap(), leaf.not_after().to_unix().unwrap());
        for policy in policies() {
            let row = format!("{}, {policy:?}", state.name);
            let path = decide(&presentation, Some(&verification), &policy, VerdictMode::Ignore);
            let passed_by_path = path.as_ref().is_ok_and(|path| path.identity().is_some());
            let both = decide_registered(&presentation, Some(&verification), Some(&thumbprint), &policy, VerdictMode::Ignore);
            let looked = policy.verification != VerificationMode::Off;
            let revoked = matches!(verification.revocation(), RevocationFinding::Revoked(_));
            // A path that passes, and a CA that took the certificate back, are heard first.
            if passed_by_path || !looked || revoked {
                assert_eq!(found(both, &anchor), found(path, &anchor), "{row}");
                continue;
            }
            let complaint = match () {
                () if NOW < start => Some(Refusal::CertificateNotYetValid),
                () if end <= NOW && !policy.allow_expired_certificates => Some(Refusal::CertificateExpired),
                () => None,
            };
            match (complaint, both) {
                (Some(refusal), Err(refused)) => {
                    assert_eq!((refused.refusal, policy.verification), (refusal, VerificationMode::Enforce), "{row}");
                }
                (Some(refusal), Ok(admission)) => {
                    assert_eq!(policy.verification, VerificationMode::Permissive, "{row}");
                    let why = admission.anonymous_because();
                    assert!(
                        matches!(why, Some(Anonymous::NotAccepted(refused)) if refused.refusal == refusal),
                        "{row}: {why:?}"
                    );
                }
                (None, both) => {
                    let admission = both.unwrap_or_else(|refused| panic!("{row}: {refused}"));
                    let identity = admission.identity().unwrap_or_else(|| panic!("{row}"));
                    assert_eq!(identity.basis(), Basis::Thumbprint(thumbprint.by()));
                    assert!(identity.anchor().is_none() && identity.profile().is_none(), "{row}");
                    assert_eq!(identity.waived(), if end <= NOW { &[Waiver::Expired][..] } else { &[] }, "{row}");
                    assert_eq!(admission.verify_text(), state.verify, "what the path is worth does not change: {row}");
                    assert!(admission.verify_text().starts_with("FAILED:"), "{row}");
                    by_thumbprint += 1;
                }
            }
        }
    }
    assert!(by_thumbprint > 50, "{by_thumbprint}");
}

#[test]
fn a_certificate_that_nobody_verified_never_goes_the_way_of_an_absent_one() {
    let ca = Ca::root("Root");
    let presentation = presentation(Some(&ca.issue(&Leaf::named("client"))), None);
    for policy in policies().into_iter().filter(|policy| policy.verification != VerificationMode::Off) {
        let refused = decide(&presentation, None, &policy, VerdictMode::Ignore).unwrap_err();
        assert_eq!(refused.refusal, Refusal::Internal, "{policy:?}");
    }
}

#[test]
fn a_cause_names_every_finding() {
    let ca = Ca::root("Root");
    let trust = pki::trust(&[&ca], &[], &[ca.crl(&[REVOKED])]);
    let leaf = Leaf { serial: REVOKED, client_auth: false, ..Leaf::expired("client") };
    let presentation = presentation(Some(&ca.issue(&leaf)), None);
    let policy = policies()[0];
    let verification = verification(&presentation, &trust);
    let refused = decide(&presentation, verification.as_ref(), &policy, VerdictMode::Ignore).unwrap_err();
    for cause in
        ["purpose: unsuitable certificate purpose", "revocation: certificate revoked", "validity: certificate has expired"]
    {
        assert!(refused.cause.contains(cause), "{}", refused.cause);
    }
}
