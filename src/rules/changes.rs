//! What the rules want changed in a request.

use bytes::Bytes;
use http::header::{COOKIE, HeaderName, HeaderValue};

use super::capture::Captures;
use super::facts::View;
use super::template::Template;
use crate::header_names::are_aliases;
use crate::refusal::{Refusal, Refused};
use crate::request_head::RequestTarget;

/// The longest header value that a rule may make.
pub(super) const MAX_VALUE: usize = 64 * 1024;

/// What is to change in the request, collected while the rules run: criteria go on seeing the request as it came. What is set
/// is set once, the last one counts; what is added accumulates.
///
/// The texts of all new lines stand in one piece of memory, of which the header values become slices.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) filtered: Vec<HeaderName>,
    added: Vec<(HeaderName, usize)>,
    text: String,
    pub(super) filtered_cookies: Vec<String>,
    added_cookies: Vec<(String, String)>,
    target: Option<String>,
    pub(super) origin: Option<usize>,
    pub(super) gzip: bool,
}

/// Enough for the usual lines about a certificate.
const USUAL_TEXT: usize = 1024;

impl Changes {
    /// None yet, with room for so many lines.
    pub(super) fn with_room(lines: usize) -> Self {
        Self { added: Vec::with_capacity(lines), ..Self::default() }
    }

    pub(super) fn add(
        &mut self,
        name: &HeaderName,
        template: &Template,
        view: &View<'_>,
        captures: &Captures,
    ) -> Result<(), Refused> {
        if self.text.capacity() == 0 {
            self.text.reserve(USUAL_TEXT);
        }
        let start = self.text.len();
        match *name {
            COOKIE => template.write_cookie(view, captures, &mut self.text),
            _ => template.write_header_value(view, captures, &mut self.text),
        }
        let length = self.text.len() - start;
        if length > MAX_VALUE {
            return Err(too_long(name.as_str(), length));
        }
        if length > 0 {
            self.added.push((name.clone(), length));
        }
        Ok(())
    }

    /// Adds a line whose value is known to be one line.
    pub(super) fn add_text(&mut self, name: &HeaderName, value: &str) {
        self.text.push_str(value);
        self.added.push((name.clone(), value.len()));
    }

    pub(super) fn filter(&mut self, name: &HeaderName) {
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

    pub(super) fn add_cookie(
        &mut self,
        name: &str,
        template: &Template,
        view: &View<'_>,
        captures: &Captures,
    ) -> Result<(), Refused> {
        let mut value = String::new();
        template.write_header_value(view, captures, &mut value);
        if value.len() > MAX_VALUE {
            return Err(too_long(name, value.len()));
        }
        // A `;` in a value would begin another cookie.
        let value = value.replace(';', "%3B");
        if !value.is_empty() {
            self.added_cookies.push((name.to_owned(), value));
        }
        Ok(())
    }

    pub(super) fn filter_cookie(&mut self, name: &str) {
        self.added_cookies.retain(|(added, _)| added != name);
        self.filtered_cookies.push(name.to_owned());
    }

    /// The new cookies, as pairs of a `Cookie` line.
    pub(super) fn cookies(&self) -> Vec<String> {
        self.added_cookies.iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    pub(super) fn rewrite(&mut self, template: &Template, view: &View<'_>, captures: &Captures) {
        let mut target = String::new();
        template.write_target(view, captures, &mut target);
        if let (false, Some(query)) = (target.contains('?'), view.asked.target.query()) {
            target.push('?');
            target.push_str(query);
        }
        self.target = Some(target);
    }

    /// The new target, if there is one.
    pub(super) fn target(&self) -> Result<Option<RequestTarget>, Refused> {
        let parsed = self.target.as_ref().map(|target| (target, RequestTarget::parse(target)));
        match parsed {
            None => Ok(None),
            Some((_, Ok(target))) => Ok(Some(target)),
            Some((target, Err(why))) => {
                Err(Refused::new(Refusal::RuleFailed, format!("the rewritten target {target:?}: {}", why.cause)))
            }
        }
    }

    /// The new lines.
    pub(super) fn into_lines(self) -> Result<Vec<(HeaderName, HeaderValue)>, Refused> {
        let mut rest = Bytes::from(self.text);
        let mut lines = Vec::with_capacity(self.added.len());
        for (name, length) in self.added {
            let value = HeaderValue::from_maybe_shared(rest.split_to(length)).map_err(|_| {
                Refused::new(Refusal::RuleFailed, format!("`{name}` would hold a byte that no header may hold"))
            })?;
            lines.push((name, value));
        }
        Ok(lines)
    }
}

pub(super) fn too_long(name: &str, length: usize) -> Refused {
    Refused::new(Refusal::RuleFailed, format!("`{name}` would have {length} bytes"))
}
