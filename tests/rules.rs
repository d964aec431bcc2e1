//! Rules: criteria, their joints, what follows, and which texts can come out of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/forward.rs"]
mod forward;
#[path = "support/pki.rs"]
mod pki;

#[path = "rules/criteria.rs"]
mod criteria;
#[path = "rules/effects.rs"]
mod effects;
#[path = "rules/templates.rs"]
mod templates;

use std::sync::Arc;

use forward::{CERTIFICATE, Door, SIGALG, headers};
use http::{HeaderMap, HeaderName, Method};
use openssl::x509::X509;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pki::{Ca, NOW};
use vestibule::admission::profiles::Profiles;
use vestibule::admission::registered::RegisteredCertificates;
use vestibule::admission::{Admission, Demands, Policy, VerificationMode};
use vestibule::front_door::VerdictMode;
use vestibule::presented::{CertificateDecoder, Presentation};
use vestibule::refusal::Refused;
use vestibule::rules::{
    Behavior, Conditional, Criterion, Facts, Groups, Known, Operator, Outcome, Permitted, Phase, Rule, RuleSet, RuleTrace,
    Scope, Template, Trace, Variable,
};
use vestibule::verifier::{VerificationSettings, verify};

const HOST: &str = "api.example";
const ID: &str = "request-1";

/// A request, with or without a certificate, on its way to the rules.
struct Asked {
    method: Method,
    target: &'static str,
    headers: HeaderMap,
    certificate: Option<(X509, Ca)>,
}

impl Asked {
    fn plain(lines: &[(&str, &str)]) -> Self {
        Self { method: Method::GET, target: "/", headers: headers(lines), certificate: None }
    }

    fn with(certificate: X509, ca: Ca) -> Self {
        Self { certificate: Some((certificate, ca)), ..Self::plain(&[]) }
    }

    /// Runs the rules on it, as `journey` does. Everybody passes admission.
    fn decide(&self, rules: &RuleSet, trace: Trace<'_>) -> Result<Permitted, Refused> {
        let mut headers = self.headers.clone();
        if let Some((certificate, _)) = &self.certificate {
            let pem = String::from_utf8(certificate.to_pem().unwrap()).unwrap();
            headers.insert(CERTIFICATE, utf8_percent_encode(&pem, NON_ALPHANUMERIC).to_string().parse().unwrap());
            headers.insert(SIGALG, "ecdsa_secp256r1_sha256".parse().unwrap());
        }
        let door = Door { reserved: rules.header_names().map(HeaderName::as_str).collect(), ..Door::default() };
        let forward = door.forward(self.method.clone(), self.target, HOST, headers);
        let presentation = Presentation::read(&forward, &CertificateDecoder::new(0)).unwrap();
        let verification = self.certificate.as_ref().map(|(_, ca)| {
            let leaf = presentation.certificate().unwrap();
            let trust = pki::trust(&[ca], &[], &[]);
            Arc::new(verify(leaf.leaf(), &[], &trust, &VerificationSettings::default(), NOW))
        });
        let policy = Policy {
            verification: VerificationMode::Permissive,
            allow_unauthenticated_requests: false,
            allow_expired_certificates: false,
            allow_revoked_certificates: false,
            require_profile: false,
        };
        let demands = Demands {
            policy: &policy,
            registered: &RegisteredCertificates::default(),
            profiles: &Profiles::default(),
            verdict_mode: VerdictMode::Ignore,
        };
        let admission = Admission::decide(&presentation, verification.as_ref(), None, &demands).unwrap();
        let facts = Facts::new(&presentation, &admission, NOW);
        match rules.decide(forward, &facts, ID, trace, &mut Vec::new())? {
            Outcome::Permitted(permitted) => Ok(*permitted),
            Outcome::Answered(answer) => panic!("{answer:?}"),
        }
    }

    /// What a template becomes: the value of a header that goes upstream, if it goes.
    fn text(&self, template: &str) -> Option<String> {
        let name = HeaderName::from_static("x-text");
        let rules = RuleSet { upstream_headers: [(name.clone(), parsed(template).unwrap())].into(), ..RuleSet::default() };
        let permitted = self.decide(&rules, Trace::Off).unwrap();
        permitted.ours().get(name).map(|value| value.to_str().unwrap().to_owned())
    }

    /// Whether groups of criteria hold.
    fn holds(&self, criteria: Groups) -> bool {
        let rules = rules(vec![Rule::new("r", criteria, vec![behavior("add_request_header", "X-Held: yes")])]);
        self.decide(&rules, Trace::Off).unwrap().ours().contains_key("x-held")
    }
}

fn rules(request: Vec<Rule>) -> RuleSet {
    RuleSet { request: request.into_iter().map(Arc::new).collect(), ..RuleSet::default() }
}

fn behavior(name: &str, value: &str) -> Behavior {
    let known = Known::default();
    Behavior::parse(name, Some(value).filter(|value| !value.is_empty()), &Scope::new(Phase::Request, &known)).unwrap()
}

fn criterion(conditional: Conditional, variable: &str, operator: &str, argument: &str) -> Criterion {
    let argument = Some(argument).filter(|_| !operator.ends_with("exist") && operator != "exists");
    let known = Known::default();
    let scope = Scope::new(Phase::Request, &known);
    let parsed = Variable::parse(variable, &scope).unwrap();
    let operator = Operator::parse(operator, argument, &parsed, &scope).unwrap();
    Criterion::new(conditional, variable, parsed, operator)
}

fn one(variable: &str, operator: &str, argument: &str) -> Groups {
    Groups::new(vec![vec![criterion(Conditional::If, variable, operator, argument)]]).unwrap()
}

/// A rule that always applies.
fn always(name: &str, behaviors: Vec<Behavior>) -> Rule {
    Rule::new(name, Groups::default(), behaviors)
}

/// A template of the request phase.
fn parsed(text: &str) -> Result<Template, String> {
    let known = Known::default();
    Template::parse(text, &Scope::new(Phase::Request, &known))
}

/// The names of the rules that were looked at, and whether they matched.
fn looked_at(trace: &[RuleTrace]) -> Vec<(&str, bool)> {
    trace.iter().map(|rule| (rule.rule.as_str(), rule.matched)).collect()
}
