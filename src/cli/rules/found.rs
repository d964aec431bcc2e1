//! What was decided, and how it differs from what was expected.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde::Deserialize;

use super::case::Case;
use crate::front_door::AuthenticatedForward;
use crate::journey::{Decided, Findings, Snapshot};
use crate::refusal::{Refusal, Refused};
use crate::rules::{ResponseHead, Trace};

/// What a test expects. What is left out may be anything.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    decision: Option<String>,
    status: Option<u16>,
    code: Option<String>,
    rule: Option<String>,
    matched: Option<Vec<String>>,
    verify: Option<String>,
    consumer: Option<String>,
    upstream: Option<String>,
    target: Option<String>,
    #[serde(default)]
    request_headers: BTreeMap<String, String>,
    #[serde(default)]
    response_headers: BTreeMap<String, String>,
}

const DECISIONS: [&str; 3] = ["permit", "refuse", "answer"];

impl Expected {
    /// # Errors
    /// What makes no sense: a test that can never pass, or never fail.
    pub(super) fn check(&self) -> Result<(), String> {
        if let Some(decision) = self.decision.as_ref().filter(|decision| !DECISIONS.contains(&decision.as_str())) {
            return Err(format!("`decision` is `{decision}`; accepted: {}", DECISIONS.join(", ")));
        }
        if let Some(code) =
            self.code.as_ref().filter(|code| !code.is_empty() && Refusal::ALL.iter().all(|known| known.code() != *code))
        {
            return Err(format!("`{code}` is no code of a refusal"));
        }
        let texts = [&self.decision, &self.code, &self.rule, &self.verify, &self.consumer, &self.upstream, &self.target];
        let nothing = texts.iter().all(|text| text.is_none()) && self.status.is_none() && self.matched.is_none();
        if nothing && self.header_names().next().is_none() {
            return Err("`expect` expects nothing".into());
        }
        Ok(())
    }

    pub(super) fn header_names(&self) -> impl Iterator<Item = &String> {
        self.request_headers.keys().chain(self.response_headers.keys())
    }

    /// The first thing that is not as expected.
    pub(super) fn first_difference(&self, found: &Found) -> Option<String> {
        let text = |what: &str, expected: &Option<String>, found: &str| {
            let expected = expected.as_ref().filter(|expected| *expected != found)?;
            Some(format!("{what}: expected {expected:?}, found {found:?}"))
        };
        let status = self.status.map(|status| status.to_string());
        text("decision", &self.decision, found.decision)
            .or_else(|| text("status", &status, &found.status.to_string()))
            .or_else(|| text("code", &self.code, found.code))
            .or_else(|| text("rule", &self.rule, &found.rule))
            .or_else(|| {
                let expected = self.matched.as_ref().filter(|expected| **expected != found.matched)?;
                Some(format!("matched: expected {expected:?}, found {:?}", found.matched))
            })
            .or_else(|| text("verify", &self.verify, &found.verify))
            .or_else(|| text("consumer", &self.consumer, &found.consumer))
            .or_else(|| text("upstream", &self.upstream, &found.upstream))
            .or_else(|| text("target", &self.target, &found.target))
            .or_else(|| headers("request", &self.request_headers, &found.request_headers))
            .or_else(|| headers("response", &self.response_headers, &found.response_headers))
    }
}

/// An empty value means that there is no such line; several lines are joined.
fn headers(which: &str, expected: &BTreeMap<String, String>, found: &HeaderMap) -> Option<String> {
    expected.iter().find_map(|(name, expected)| {
        let lines = found.get_all(name.as_str()).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        let lines: Vec<_> = lines.collect();
        let found = lines.join(", ");
        (found != *expected).then(|| format!("{which} header {name}: expected {expected:?}, found {found:?}"))
    })
}

/// What was decided about a request.
#[derive(Default)]
pub(super) struct Found {
    decision: &'static str,
    status: u16,
    code: &'static str,
    rule: String,
    matched: Vec<String>,
    verify: String,
    consumer: String,
    upstream: String,
    target: String,
    request_headers: HeaderMap,
    response_headers: HeaderMap,
    /// Why it was refused.
    pub(super) cause: Option<String>,
}

impl Found {
    /// Takes a test's request through the stages.
    pub(super) async fn of(snapshot: &Snapshot, case: &Case) -> Self {
        let mut findings = Findings::default();
        let mut found = Self::default();
        if let Err(refused) = found.decide(snapshot, case, &mut findings).await {
            found.decision = "refuse";
            (found.status, found.code) = (refused.refusal.status(), refused.refusal.code());
            let by_rule = [Refusal::DeniedByRule, Refusal::RateLimited, Refusal::RuleFailed].contains(&refused.refusal);
            if let Some(last) = findings.rules.last().filter(|_| by_rule) {
                found.rule.clone_from(&last.rule);
            }
            found.cause = Some(refused.to_string());
        }
        found.matched = findings.rules.iter().filter(|rule| rule.matched).map(|rule| rule.rule.clone()).collect();
        found.verify = findings.admission.as_ref().map(|admission| admission.verify_text().to_owned()).unwrap_or_default();
        let consumer = findings.identification.as_ref().and_then(|who| who.consumer());
        found.consumer = consumer.map(|found| found.consumer().id.clone()).unwrap_or_default();
        found
    }

    async fn decide(&mut self, snapshot: &Snapshot, case: &Case, findings: &mut Findings) -> Result<(), Refused> {
        let forward = AuthenticatedForward::rehearsed(&snapshot.directory, case.head())?;
        let mut rules = Vec::new();
        let decided = snapshot.decide(forward, "rules-test", case.now, findings, Trace::On(&mut rules)).await;
        findings.rules = rules;
        let mut sending = match decided? {
            Decided::Permitted(sending) => sending,
            Decided::Answered(answer) => {
                self.decision = "answer";
                self.status = answer.status();
                answer.rule().clone_into(&mut self.rule);
                self.response_headers = answer.headers();
                return Ok(());
            }
        };
        self.decision = "permit";
        sending.upstream.name.clone_into(&mut self.upstream);
        sending.permitted.target().raw().clone_into(&mut self.target);
        let after = sending.permitted.take_after();
        let parts = sending.permitted.into_parts();
        self.request_headers = parts.headers;
        for (name, value) in parts.ours {
            self.request_headers.append(name, value);
        }
        let (status, mut headers) = case.answer.clone();
        self.status = status.as_u16();
        if let Some(after) = after.filter(|after| after.rules) {
            let head = ResponseHead { status, headers: &mut headers, upstream: "" };
            let mut rules = Vec::new();
            let responded = findings.respond(&after.request, case.now, head, Trace::On(&mut rules));
            findings.rules.extend(rules);
            if let Some((status, location)) = responded?.redirect {
                self.status = status;
                headers = HeaderMap::new();
                headers.insert(http::header::LOCATION, location);
            }
        }
        self.response_headers = headers;
        Ok(())
    }
}
