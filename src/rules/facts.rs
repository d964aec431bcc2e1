//! What the earlier stages found out, in the form that rules read.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, Method, StatusCode};

use super::oauth::OAuthFacts;
use super::variable::Finding;
use crate::admission::Admission;
use crate::admission::profiles::AppliedProfile;
use crate::clock::UnixTime;
use crate::consumer::{ConsumerVariable, Identification};
use crate::front_door::AuthenticatedForward;
use crate::presented::Presentation;
use crate::request_head::RequestTarget;
use crate::variables::{CertificateVariable, CertificateVariables, Dialect, Moment, ProfileVariable};
use crate::verifier::Verification;

/// The facts about one request.
pub struct Facts<'r> {
    presentation: &'r Presentation,
    verification: Option<&'r Verification>,
    admission: &'r Admission,
    identification: Option<&'r Identification>,
    now: UnixTime,
    oauth: OAuthFacts<'r>,
    lines: Vec<(HeaderName, String)>,
}

impl<'r> Facts<'r> {
    /// Facts from the stages before.
    pub fn new(presentation: &'r Presentation, admission: &'r Admission, now: UnixTime) -> Self {
        Self {
            presentation,
            verification: None,
            admission,
            identification: None,
            now,
            oauth: OAuthFacts::default(),
            lines: Vec::new(),
        }
    }

    /// The same, and who it is.
    pub fn of(self, identification: &'r Identification) -> Self {
        Self { identification: Some(identification), ..self }
    }

    /// The same, with what is known of the OAuth client and its token.
    #[must_use]
    pub fn with_oauth(self, oauth: OAuthFacts<'r>) -> Self {
        Self { oauth, ..self }
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

    /// The same, with what was found about the certificate.
    pub fn with_verification(self, verification: Option<&'r Verification>) -> Self {
        Self { verification, ..self }
    }

    pub(super) fn oauth(&self) -> &OAuthFacts<'r> {
        &self.oauth
    }

    pub(super) fn now(&self) -> UnixTime {
        self.now
    }

    /// The certificate's first moment of validity, in Unix seconds.
    pub(super) fn not_before(&self) -> Option<i64> {
        self.presentation.certificate()?.leaf().not_before().to_unix().map(|time| time.0)
    }

    /// The certificate's last moment of validity, in Unix seconds.
    pub(super) fn not_after(&self) -> Option<i64> {
        self.presentation.certificate()?.leaf().not_after().to_unix().map(|time| time.0)
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

    /// The word for a finding, as `verify` and `explain` say it; empty when there is no certificate.
    pub(super) fn finding(&self, finding: Finding) -> &'static str {
        let word = |found: &Verification| match finding {
            Finding::Chain => found.chain().name(),
            Finding::Purpose => found.purpose().name(),
            Finding::Revocation => found.revocation().name(),
            Finding::Validity => found.validity().name(),
        };
        self.verification.map_or("", word)
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

/// A request as it came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'v> {
    pub(super) host: &'v str,
    pub(super) client_address: IpAddr,
    pub(super) method: &'v Method,
    pub(super) target: &'v RequestTarget,
    pub(super) headers: &'v HeaderMap,
    pub(super) scheme: &'static str,
    pub(super) server: Option<SocketAddr>,
    pub(super) request_id: &'v str,
}

impl<'v> Asked<'v> {
    pub(super) fn of(forward: &'v AuthenticatedForward, request_id: &'v str) -> Self {
        Self {
            host: forward.host(),
            client_address: forward.client_address(),
            method: forward.method(),
            target: forward.target(),
            headers: forward.headers(),
            scheme: forward.scheme(),
            server: forward.server_address(),
            request_id,
        }
    }
}

/// A request as it came, kept until its answer is there.
#[derive(Debug)]
pub struct KeptRequest {
    host: String,
    client_address: IpAddr,
    method: Method,
    target: RequestTarget,
    headers: HeaderMap,
    scheme: &'static str,
    server: Option<SocketAddr>,
    request_id: String,
}

impl KeptRequest {
    pub(super) fn of(asked: Asked<'_>) -> Self {
        Self {
            host: asked.host.to_owned(),
            client_address: asked.client_address,
            method: asked.method.clone(),
            target: asked.target.clone(),
            headers: asked.headers.clone(),
            scheme: asked.scheme,
            server: asked.server,
            request_id: asked.request_id.to_owned(),
        }
    }

    /// Its headers, without the contract's.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(super) fn asked(&self) -> Asked<'_> {
        Asked {
            host: &self.host,
            client_address: self.client_address,
            method: &self.method,
            target: &self.target,
            headers: &self.headers,
            scheme: self.scheme,
            server: self.server,
            request_id: &self.request_id,
        }
    }
}

/// An upstream's answer, before and after the rules that have run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answered<'v> {
    pub(super) status: StatusCode,
    pub(super) received: &'v HeaderMap,
    pub(super) sent: &'v HeaderMap,
    pub(super) upstream: &'v str,
}

/// The facts together with the request that they are about, and its answer when there is one.
pub(super) struct View<'v> {
    pub(super) facts: &'v Facts<'v>,
    pub(super) asked: Asked<'v>,
    pub(super) answer: Option<Answered<'v>>,
    pub(super) dialect: Dialect,
}

impl<'v> View<'v> {
    pub(super) fn certificate_text(&self, variable: &CertificateVariable) -> Cow<'v, str> {
        self.facts.variables().text_in(self.dialect, variable, &self.facts.moment())
    }

    pub(super) fn certificate_values(&self, variable: &CertificateVariable) -> Vec<Cow<'v, str>> {
        self.facts.variables().values(variable, &self.facts.moment()).collect()
    }

    pub(super) fn consumer_text(&self, variable: ConsumerVariable) -> Cow<'v, str> {
        self.facts.identification.map(|who| variable.text(who)).unwrap_or_default()
    }

    pub(super) fn consumer_values(&self, variable: ConsumerVariable) -> Vec<Cow<'v, str>> {
        self.facts.identification.map(|who| variable.values(who)).unwrap_or_default()
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
