//! Rules: criteria about a request, its certificate and its answer, and what follows.
//!
//! **Enters:** an [`AuthenticatedForward`] and the [`Facts`] about it. **Leaves:** a [`Permitted`], which owns the request: only
//! this can be sent to an upstream; or a [`RuleAnswer`]. Refused: [`Refusal::DeniedByRule`](crate::refusal::Refusal::DeniedByRule),
//! [`Refusal::RateLimited`](crate::refusal::Refusal::RateLimited).
//!
//! Names and meaning are Azion's ("Rules Engine for Edge Applications", "Edge Firewall"): the firewall's rules run first, then
//! those of the request, and those of the response when the upstream has answered. Rules run in their order, a rule that
//! matches does not stop the later ones; behaviors say what does. Criteria are groups joined by *and*; inside a group, *and*
//! binds tighter than *or*. A behavior of the request cannot touch the answer, nor the other way round: they are two types.

mod answer;
mod behavior;
mod capture;
mod catalog;
mod changes;
mod condition;
mod cookies;
mod criterion;
mod date;
mod escaping;
mod expression;
mod facts;
mod geoip;
mod list;
mod notation;
mod oauth;
mod operator;
mod permitted;
mod phase;
mod rate_limit;
mod response;
mod scope;
mod template;
mod trace;
mod value;
mod variable;
mod written;

pub use answer::{CustomResponse, RuleAnswer, Says};
pub use behavior::Behavior;
pub use capture::CaptureMatchGroups;
pub use catalog::{BEHAVIORS, BehaviorError, behavior_names, check_behavior};
pub use condition::Condition;
pub use criterion::{Conditional, Criterion, Groups};
pub use expression::Expression;
pub use facts::{Facts, KeptRequest};
pub use geoip::{GeoField, GeoIp};
pub use list::{List, ListKind};
pub use notation::{Piece, pieces};
pub use oauth::{OAuthFacts, OAuthVariable};
pub use operator::Operator;
pub use permitted::{Permitted, PermittedParts};
pub use phase::Phase;
pub use rate_limit::{LimitBy, RateLimit};
pub use response::{Responded, ResponseBehavior, ResponseHead};
pub use scope::{Known, Scope};
pub use template::Template;
pub use trace::{Monitored, RuleTrace, Trace};
pub use variable::{Finding, Variable};

use std::sync::Arc;

use http::HeaderName;

use crate::front_door::AuthenticatedForward;
use crate::refusal::Refused;
use crate::variables::Dialect;
use behavior::Next;
use capture::Captures;
use changes::Changes;
use facts::{Asked, View};

/// One rule, of the firewall or the request phase, or with another kind of behaviors of the response phase.
#[derive(Debug)]
pub struct Rule<B = Behavior> {
    /// Its name, for the log and `explain`.
    pub name: String,
    /// The paths of the routes that it is for; none means all.
    pub routes: Vec<String>,
    /// Whether it is only watched: what it would do is told, and not done.
    pub monitor: bool,
    /// When it applies; no group at all means always.
    pub criteria: Condition,
    /// What it does, in this order.
    pub behaviors: Vec<B>,
}

impl<B> Rule<B> {
    /// A rule for all routes that is enforced.
    pub fn new(name: &str, criteria: impl Into<Condition>, behaviors: Vec<B>) -> Self {
        Self { name: name.to_owned(), routes: Vec::new(), monitor: false, criteria: criteria.into(), behaviors }
    }
}

impl<B> Rule<B> {
    /// Whether it matched. One that could not be decided refuses the request, and tells so when it is only watched.
    fn matches(&self, held: Result<bool, Refused>, monitored: &mut Vec<Monitored>) -> Result<bool, Refused> {
        match held {
            Err(refused) if self.monitor => {
                monitored.extend(Monitored::of(&self.name, vec![refused.refusal.code()]));
                Ok(false)
            }
            Err(refused) => Err(Refused { cause: format!("rule `{}`: {}", self.name, refused.cause), ..refused }),
            Ok(matched) => Ok(matched),
        }
    }
}

/// Compiled rules: a tenant's, or those of one route; and the headers that every permitted request gets.
#[derive(Debug, Default)]
pub struct RuleSet {
    /// Headers for the upstream, set before the rules run. One whose value is empty is not sent.
    pub upstream_headers: Arc<[(HeaderName, Template)]>,
    /// The cookies that rules of any route set: a client's own copies never pass.
    pub own_cookies: Arc<[String]>,
    /// How names, serial numbers and dates of certificates are written.
    pub dialect: Dialect,
    /// The rules of the firewall phase, in order.
    pub firewall: Vec<Arc<Rule>>,
    /// The rules of the request phase, in order.
    pub request: Vec<Arc<Rule>>,
    /// The rules of the response phase, in order.
    pub response: Vec<Arc<Rule<ResponseBehavior>>>,
}

/// The variables that [`RuleSet::shown`] shows.
const SHOWN: [&str; 26] = [
    "host",
    "request_method",
    "uri",
    "scheme",
    "remote_addr",
    "request_id",
    "ssl_client_verify",
    "ssl_client_s_dn",
    "ssl_client_s_dn_parsed",
    "ssl_client_i_dn",
    "ssl_client_serial",
    "ssl_client_fingerprint_sha256",
    "ssl_client_v_end",
    "ssl_client_v_remain",
    "client_certificate_validation",
    "client_certificate_basis",
    "consumer_id",
    "consumer_username",
    "consumer_groups",
    "authenticated_group",
    "oauth_client_id",
    "oauth_client_auth_method",
    "oauth_token_iss",
    "oauth_token_sub",
    "oauth_token_scope",
    "oauth_token_cnf",
];

/// What the rules decided.
#[derive(Debug)]
pub enum Outcome {
    /// A rule answered.
    Answered(RuleAnswer),
    /// The request may be sent.
    Permitted(Box<Permitted>),
}

impl RuleSet {
    /// The rules that are for a route: a request of it costs nothing for the others.
    pub fn for_route(&self, path: &str) -> Self {
        fn fitting<B>(rules: &[Arc<Rule<B>>], path: &str) -> Vec<Arc<Rule<B>>> {
            let fits = |rule: &&Arc<Rule<B>>| rule.routes.is_empty() || rule.routes.iter().any(|route| route == path);
            rules.iter().filter(fits).cloned().collect()
        }
        Self {
            upstream_headers: Arc::clone(&self.upstream_headers),
            own_cookies: Arc::clone(&self.own_cookies),
            dialect: self.dialect,
            firewall: fitting(&self.firewall, path),
            request: fitting(&self.request, path),
            response: fitting(&self.response, path),
        }
    }

    /// Runs the firewall phase and the request phase.
    ///
    /// # Errors
    /// [`Refusal::DeniedByRule`](crate::refusal::Refusal::DeniedByRule) when a rule denies,
    /// [`Refusal::RateLimited`](crate::refusal::Refusal::RateLimited) when there were too many,
    /// [`Refusal::RuleFailed`](crate::refusal::Refusal::RuleFailed) when what a rule makes cannot be sent.
    pub fn decide(
        &self,
        forward: AuthenticatedForward,
        facts: &Facts<'_>,
        request_id: &str,
        mut trace: Trace<'_>,
        monitored: &mut Vec<Monitored>,
    ) -> Result<Outcome, Refused> {
        let view = View { facts, asked: Asked::of(&forward, request_id), answer: None, dialect: self.dialect };
        let mut changes = Changes::with_room(self.upstream_headers.len() + facts.lines().len());
        for (name, value) in facts.lines() {
            changes.add_text(name, value);
        }
        for (name, template) in self.upstream_headers.iter() {
            changes.add(name, template, &view, &Captures::default())?;
        }
        let mut delivered = false;
        'phases: for (phase, rules) in [(Phase::Firewall, &self.firewall), (Phase::Request, &self.request)] {
            for rule in rules {
                let held = rule.criteria.holds(&view);
                if let Trace::On(list) = &mut trace {
                    list.push(RuleTrace::of(phase, rule, &held, &view));
                }
                if !rule.matches(held, monitored)? {
                    continue;
                }
                if rule.monitor {
                    monitored.extend(rule.would(&view));
                    continue;
                }
                match rule.run(&view, &mut changes)? {
                    Next::Answer(answer) => return Ok(Outcome::Answered(answer.by(&rule.name))),
                    Next::Continue => {}
                    Next::Deliver => {
                        delivered = true;
                        break 'phases;
                    }
                    Next::Finish => break,
                }
            }
        }
        let wanted = !delivered && !self.response.is_empty() || changes.gzip;
        let kept = wanted.then(|| KeptRequest::of(view.asked));
        let after = kept.map(|request| After { request, rules: !delivered, gzip: changes.gzip });
        Ok(Outcome::Permitted(Box::new(Permitted::new(forward, request_id, changes, &self.own_cookies, after)?)))
    }

    /// Some variables of a request, for whoever looks for a mistake in rules. None of them is a secret of the client's: no
    /// header, cookie or argument.
    pub fn shown(&self, forward: &AuthenticatedForward, facts: &Facts<'_>, request_id: &str) -> Vec<(&'static str, String)> {
        let view = View { facts, asked: Asked::of(forward, request_id), answer: None, dialect: self.dialect };
        let (known, names) = (Known::default(), SHOWN);
        let scope = Scope::new(Phase::Request, &known);
        let text = |name: &'static str| Some((name, Variable::parse(name, &scope).ok()?.text(&view).into_owned()));
        names.into_iter().filter_map(text).collect()
    }

    /// Notes the cookies that these rules set: for all routes, or an upstream would believe on one what a rule says on another.
    #[must_use]
    pub fn with_own_cookies(self) -> Self {
        let set = self.request.iter().flat_map(|rule| rule.behaviors.iter()).filter_map(Behavior::cookie_set);
        let own_cookies = set.map(str::to_owned).collect();
        Self { own_cookies, ..self }
    }

    /// The names of all headers that these rules set in requests: a client's own copies are removed at the front door.
    pub fn header_names(&self) -> impl Iterator<Item = &HeaderName> {
        let by_rules = self.request.iter().flat_map(|rule| rule.behaviors.iter()).filter_map(Behavior::header_set);
        self.upstream_headers.iter().map(|(name, _)| name).chain(by_rules)
    }
}

/// What is to be done when the answer is there.
#[derive(Debug)]
pub struct After {
    /// The request as it came.
    pub request: KeptRequest,
    /// Whether the rules of the response phase run.
    pub rules: bool,
    /// Whether the request phase wants the body compressed.
    pub gzip: bool,
}

impl Rule {
    fn run(&self, view: &View<'_>, changes: &mut Changes) -> Result<Next, Refused> {
        let mut captures = Captures::default();
        for behavior in &self.behaviors {
            match behavior.apply(&self.name, view, &mut captures, changes)? {
                Next::Continue => {}
                last => return Ok(last),
            }
        }
        Ok(Next::Continue)
    }

    /// What it would do.
    fn would(&self, view: &View<'_>) -> Option<Monitored> {
        let mut would = Vec::new();
        for behavior in &self.behaviors {
            if behavior.would_act(view) {
                would.push(behavior.name());
                if behavior.would_end() {
                    break;
                }
            }
        }
        Monitored::of(&self.name, would)
    }
}
