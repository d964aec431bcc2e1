//! `capture_match_groups`: parts of a text, for the later behaviors of the same rule.

use regex::Regex;

use super::catalog::{BehaviorError, check_behavior};
use super::facts::View;
use super::operator::compile;
use super::scope::Scope;
use super::template::Template;
use super::variable::Variable;

/// A behavior that captures, read at load.
#[derive(Debug, Clone)]
pub struct CaptureMatchGroups {
    pub(super) array: String,
    pub(super) subject: Template,
    pub(super) regex: Regex,
}

/// A group of a captured array, in a template: `%{name[1]}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group {
    array: usize,
    group: usize,
}

/// What the behaviors of one rule have captured until now.
#[derive(Debug, Default)]
pub(super) struct Captures(Vec<Vec<String>>);

impl CaptureMatchGroups {
    /// The group that `inner`, the text between `%{` and `}`, names in the arrays captured before it. Of two arrays of one
    /// name the later one counts.
    pub(super) fn find(captured: &[Self], inner: &str) -> Result<Group, String> {
        let named = inner.strip_suffix(']').and_then(|inner| inner.split_once('['));
        let (name, index) = named.ok_or_else(|| format!("`%{{{inner}}}` is not like `%{{name[1]}}`"))?;
        let array = captured.iter().rposition(|one| one.array == name);
        let array =
            array.ok_or_else(|| format!("nothing before `%{{{inner}}}` captures `{name}`; captures are the rule's own"))?;
        let regex = captured.get(array).map(|one| &one.regex);
        let group = regex.and_then(|regex| match index.parse::<usize>() {
            Ok(number) => Some(number).filter(|number| *number < regex.captures_len()),
            Err(_) => regex.capture_names().position(|group| group == Some(index)),
        });
        let group = group.ok_or_else(|| format!("the expression of `{name}` has no group `{index}`"))?;
        Ok(Group { array, group })
    }

    /// Whether a group is a piece of a target as it was sent.
    pub(super) fn is_escaped(captured: &[Self], group: Group) -> bool {
        captured.get(group.array).is_some_and(|one| one.subject.is_escaped())
    }

    pub(super) fn run(&self, view: &View<'_>, captures: &mut Captures) {
        let mut subject = String::new();
        self.subject.write(view, captures, &mut subject);
        let found = self.regex.captures(&subject);
        let groups =
            found.iter().flat_map(|found| found.iter().map(|group| group.map_or("", |group| group.as_str()).to_owned()));
        captures.0.push(groups.collect());
    }
}

impl CaptureMatchGroups {
    /// Reads a `capture_match_groups`. Its array is known to the behaviors after it.
    ///
    /// # Errors
    /// What is wrong, and the mend.
    pub fn parse(array: &str, subject: &str, regex: &str, scope: &mut Scope<'_>) -> Result<Self, BehaviorError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if array.is_empty() || !array.bytes().all(plain) {
            return Err(BehaviorError(format!("`captured_array` is `{array}`; accepted: letters, digits and `_`")));
        }
        check_behavior("capture_match_groups", scope.phase)?;
        let subject = match Variable::parse(subject, scope) {
            Ok(_) if !subject.starts_with("${") => format!("${{{subject}}}"),
            _ => subject.to_owned(),
        };
        let subject = Template::parse(&subject, scope).map_err(BehaviorError)?;
        let capture = Self { array: array.to_owned(), subject, regex: compile(regex).map_err(BehaviorError)? };
        scope.captured.push(capture.clone());
        Ok(capture)
    }
}

impl Captures {
    /// The text of a group; empty when the expression was not found.
    pub(super) fn text(&self, group: Group) -> &str {
        self.0.get(group.array).and_then(|groups| groups.get(group.group)).map_or("", String::as_str)
    }
}
