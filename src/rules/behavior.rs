//! What a rule does.

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::facts::View;
use super::template::Template;
use super::variable::Variable;
use crate::header_names::{are_aliases, interned, is_about_the_client, is_framing};
use crate::refusal::{Refusal, Refused};
use crate::variables::{CertificateVariable, Scalar};

/// A behavior of the request phase (Azion's names).
#[derive(Debug)]
pub enum Behavior {
    /// `add_request_header`: one more header line for the upstream; none when the value is empty.
    AddRequestHeader(HeaderName, Template),
    /// `deny`: 403.
    Deny,
    /// `filter_request_header`: all lines of this name and its aliases are removed, those that rules added before too.
    FilterRequestHeader(HeaderName),
    /// `finish_request_phase`: the later behaviors and rules are skipped.
    FinishRequestPhase,
}

/// Why a behavior cannot be: a sentence with the mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BehaviorError(pub String);

/// The longest header value that a rule may make.
const MAX_VALUE: usize = 64 * 1024;

impl Behavior {
    /// Every behavior name.
    pub const NAMES: [&'static str; 4] = ["add_request_header", "deny", "filter_request_header", "finish_request_phase"];

    /// Reads a behavior. `value` is `Name: value` for `add_request_header`, `Name` for `filter_request_header`.
    ///
    /// # Errors
    /// What is wrong, and the mend.
    pub fn parse(name: &str, value: Option<&str>) -> Result<Self, BehaviorError> {
        match (name, value) {
            ("deny", None) => Ok(Self::Deny),
            ("finish_request_phase", None) => Ok(Self::FinishRequestPhase),
            ("deny" | "finish_request_phase", Some(_)) => Err(BehaviorError(format!("`{name}` takes no `value`"))),
            ("add_request_header", Some(line)) => add_request_header(line),
            ("filter_request_header", Some(line)) => Ok(Self::FilterRequestHeader(header_name(line)?)),
            ("add_request_header" | "filter_request_header", None) => {
                Err(BehaviorError(format!("`{name}` needs a `value`, like `X-Name: ${{host}}` or `X-Name`")))
            }
            _ => Err(BehaviorError(format!("`{name}` is no behavior; there are {}", Self::NAMES.join(", ")))),
        }
    }

    /// `add_request_header` from a name and a value that stand apart.
    ///
    /// # Errors
    /// What is wrong, and the mend.
    pub fn add(name: &str, value: &str) -> Result<Self, BehaviorError> {
        let template = header_template(value.trim_matches([' ', '\t'])).map_err(BehaviorError)?;
        Ok(Self::AddRequestHeader(header_name(name)?, template))
    }

    /// Whether nothing after it is run.
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Deny | Self::FinishRequestPhase)
    }

    /// The header that this behavior sets.
    pub fn header_set(&self) -> Option<&HeaderName> {
        match self {
            Self::AddRequestHeader(name, _) => Some(name),
            Self::Deny | Self::FilterRequestHeader(_) | Self::FinishRequestPhase => None,
        }
    }

    pub(super) fn apply(&self, rule: &str, view: &View<'_>, changes: &mut Changes) -> Result<Next, Refused> {
        match self {
            Self::AddRequestHeader(name, template) => changes.add(name, template, view)?,
            Self::Deny => return Err(Refused::new(Refusal::DeniedByRule, format!("rule `{rule}`"))),
            Self::FilterRequestHeader(name) => changes.filter(name),
            Self::FinishRequestPhase => return Ok(Next::Finish),
        }
        Ok(Next::Continue)
    }
}

fn add_request_header(line: &str) -> Result<Behavior, BehaviorError> {
    let (name, value) = line.split_once(':').ok_or_else(|| BehaviorError(format!("`{line}` is not `Name: value`")))?;
    Behavior::add(name, value)
}

/// Reads the value of a header that goes upstream.
///
/// # Errors
/// As [`Template::parse`], and for variables that are several lines long.
pub(super) fn header_template(value: &str) -> Result<Template, String> {
    let template = Template::parse(value)?;
    let lines = |variable: &Variable| {
        matches!(variable, Variable::Certificate(CertificateVariable::Scalar(Scalar::Cert | Scalar::RawCert)))
    };
    if template.variables().any(lines) {
        return Err("a certificate in several lines cannot stand in a header; use `${ssl_client_escaped_cert}`".into());
    }
    Ok(template)
}

/// Reads the name of a header that rules may set or remove.
pub(super) fn header_name(name: &str) -> Result<HeaderName, BehaviorError> {
    let parsed =
        HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| BehaviorError(format!("`{name}` is no header name")))?;
    if is_framing(parsed.as_str()) {
        return Err(BehaviorError(format!("`{parsed}` frames or routes the message; no rule can set or remove it")));
    }
    if is_about_the_client(parsed.as_str()) {
        let mend = "the upstream always gets it, from the authenticated front door; use another name";
        return Err(BehaviorError(format!("`{parsed}` cannot be set or removed by a rule: {mend}")));
    }
    Ok(interned(&parsed))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Continue,
    Finish,
}

/// What is to change in the request, collected while the rules run: criteria go on seeing the request as it came.
///
/// The texts of all new lines stand in one piece of memory, of which the header values become slices.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) filtered: Vec<HeaderName>,
    added: Vec<(HeaderName, usize)>,
    text: String,
}

/// Enough for the usual lines about a certificate.
const USUAL_TEXT: usize = 1024;

impl Changes {
    pub(super) fn add(&mut self, name: &HeaderName, template: &Template, view: &View<'_>) -> Result<(), Refused> {
        if self.text.capacity() == 0 {
            self.text.reserve(USUAL_TEXT);
        }
        let start = self.text.len();
        template.write_header_value(view, &mut self.text);
        let length = self.text.len() - start;
        if length > MAX_VALUE {
            return Err(Refused::new(Refusal::RuleFailed, format!("`{name}` would have {length} bytes")));
        }
        if length > 0 {
            self.added.push((name.clone(), length));
        }
        Ok(())
    }

    pub(super) fn add_text(&mut self, name: &HeaderName, value: &str) {
        self.text.push_str(value);
        self.added.push((name.clone(), value.len()));
    }

    fn filter(&mut self, name: &HeaderName) {
        let mut start = 0;
        let text = &mut self.text;
        self.added.retain(|(added, length)| {
            let goes = are_aliases(added.as_str(), name.as_str());
            if goes {
                text.replace_range(start..start + length, "");
            } else {
                start += length;
            }
            !goes
        });
        self.filtered.push(name.clone());
    }

    /// The new lines.
    pub(super) fn into_lines(self) -> Result<HeaderMap, Refused> {
        let mut rest = Bytes::from(self.text);
        let mut lines = HeaderMap::with_capacity(self.added.len());
        for (name, length) in self.added {
            let value = HeaderValue::from_maybe_shared(rest.split_to(length)).map_err(|_| {
                Refused::new(Refusal::RuleFailed, format!("`{name}` would hold a byte that no header may hold"))
            })?;
            lines.append(name, value);
        }
        Ok(lines)
    }
}
