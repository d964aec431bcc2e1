//! What the earlier stages found out, in the form that rules read.

use std::borrow::Cow;
use std::sync::LazyLock;

use http::HeaderName;

use crate::admission::Admission;
use crate::admission::profiles::AppliedProfile;
use crate::clock::UnixTime;
use crate::front_door::AuthenticatedForward;
use crate::presented::Presentation;
use crate::variables::{CertificateVariable, CertificateVariables, Moment, ProfileVariable};

/// The facts about one request.
pub struct Facts<'r> {
    presentation: &'r Presentation,
    admission: &'r Admission,
    now: UnixTime,
    lines: Vec<(HeaderName, String)>,
}

impl<'r> Facts<'r> {
    /// Facts from the stages before.
    pub fn new(presentation: &'r Presentation, admission: &'r Admission, now: UnixTime) -> Self {
        Self { presentation, admission, now, lines: Vec::new() }
    }

    /// The same with a line for the upstream, whatever the rules are. Its name must be one that the front-door stage removes.
    #[must_use]
    pub fn with_line(mut self, name: HeaderName, value: &str) -> Self {
        self.lines.push((name, value.to_owned()));
        self
    }

    pub(super) fn lines(&self) -> &[(HeaderName, String)] {
        &self.lines
    }

    pub(super) fn about<'v>(&'v self, forward: &'v AuthenticatedForward, request_id: &'v str) -> View<'v> {
        View { facts: self, forward, request_id }
    }

    pub(super) fn verified_plainly(&self) -> bool {
        self.admission.verify_text() == "SUCCESS"
    }

    pub(super) fn basis(&self) -> &'static str {
        self.admission.identity().map(|identity| identity.basis().word()).unwrap_or_default()
    }

    pub(super) fn ssl_verification_status(&self) -> &'static str {
        match self.presentation.certificate() {
            None => "MISSING_CLIENT_CERTIFICATE",
            Some(_) if self.verified_plainly() => "SUCCESS",
            Some(_) => "CERTIFICATE_VERIFICATION_ERROR",
        }
    }

    fn profile(&self) -> Option<&AppliedProfile> {
        self.admission.identity()?.profile()
    }

    fn variables(&self) -> &CertificateVariables {
        static ABSENT: LazyLock<CertificateVariables> = LazyLock::new(CertificateVariables::absent);
        self.presentation.certificate().map_or_else(|| &*ABSENT, |certificate| certificate.variables())
    }

    fn moment(&self) -> Moment<'_> {
        Moment { verify: self.admission.verify_text(), sigalg: self.presentation.signature_algorithm(), now: self.now }
    }
}

/// The facts together with the request that they are about.
pub(super) struct View<'v> {
    pub(super) facts: &'v Facts<'v>,
    pub(super) forward: &'v AuthenticatedForward,
    pub(super) request_id: &'v str,
}

impl<'v> View<'v> {
    pub(super) fn certificate_text(&self, variable: &CertificateVariable) -> Cow<'v, str> {
        self.facts.variables().text(variable, &self.facts.moment())
    }

    pub(super) fn certificate_values(&self, variable: &CertificateVariable) -> Vec<Cow<'v, str>> {
        self.facts.variables().values(variable, &self.facts.moment()).collect()
    }

    /// Empty unless the certificate was verified and its issuer has a profile.
    pub(super) fn profile_text(&self, variable: ProfileVariable) -> Cow<'v, str> {
        let profile = self.facts.profile();
        profile.map(|profile| variable.text(profile.name(), &profile.assessment().profile)).unwrap_or_default()
    }

    pub(super) fn profile_values(&self, variable: ProfileVariable) -> Vec<Cow<'v, str>> {
        let profile = self.facts.profile();
        profile.map(|profile| variable.values(profile.name(), &profile.assessment().profile)).unwrap_or_default()
    }
}
