//! Operators: a test of one value.

use std::sync::Arc;

use regex::Regex;

use super::date;
use super::list::{List, ListKind};
use super::scope::Scope;
use super::variable::{Kind, Variable};
use crate::clock::UnixTime;

/// A compiled test of a value. Where a variable has several values, one that fits is enough; a negated operator holds when
/// none fits, or, of what a client may have said twice (a header, an argument, a cookie), when one does not. A variable that is
/// not there has the empty value, as in nginx, whether it could have several values or not.
/// A value that is no number, date or address fits none of the operators for these.
#[derive(Debug)]
pub struct Operator {
    name: &'static str,
    argument: String,
    test: Test,
    negated: bool,
}

#[derive(Debug)]
enum Test {
    After(UnixTime),
    Before(UnixTime),
    Contains(String),
    EndsWith(String),
    Exists,
    GreaterThan(f64),
    InList(Arc<List>),
    IsEqual(String),
    LessThan(f64),
    Matches(Regex),
    StartsWith(String),
}

/// The most bytes that a compiled expression may take.
const REGEX_SIZE: usize = 1 << 20;

impl Operator {
    /// Every operator name: Azion's table, then ours.
    pub const NAMES: [&'static str; 20] = [
        "is_equal",
        "is_not_equal",
        "starts_with",
        "does_not_start_with",
        "matches",
        "does_not_match",
        "exists",
        "does_not_exist",
        "is_in_list",
        "is_not_in_list",
        "ends_with",
        "does_not_end_with",
        "contains",
        "does_not_contain",
        "less_than",
        "less_or_equal",
        "greater_than",
        "greater_or_equal",
        "before",
        "after",
    ];

    /// Compiles an operator. Azion spells one of them `does_not_starts_with` in places; both are read.
    ///
    /// # Errors
    /// What is wrong with the name, the argument, or with asking this of the variable; and the mend.
    pub fn parse(name: &str, argument: Option<&str>, variable: &Variable, scope: &Scope<'_>) -> Result<Self, String> {
        let name = if name == "does_not_starts_with" { "does_not_start_with" } else { name };
        let known = Self::NAMES.into_iter().find(|known| *known == name);
        let name = known.ok_or_else(|| format!("`{name}` is no operator; there are {}", Self::NAMES.join(", ")))?;
        if matches!(name, "exists" | "does_not_exist") {
            if argument.is_some_and(|argument| !argument.is_empty()) {
                return Err(format!("`{name}` takes no argument"));
            }
            return Ok(Self { name, argument: String::new(), test: Test::Exists, negated: name == "does_not_exist" });
        }
        let argument = argument.ok_or_else(|| format!("`{name}` needs an `argument`"))?;
        let text = argument.to_owned();
        let (test, negated) = match name {
            "is_equal" => (Test::IsEqual(text), false),
            "is_not_equal" => (Test::IsEqual(text), true),
            "starts_with" => (Test::StartsWith(text), false),
            "does_not_start_with" => (Test::StartsWith(text), true),
            "ends_with" => (Test::EndsWith(text), false),
            "does_not_end_with" => (Test::EndsWith(text), true),
            "contains" => (Test::Contains(text), false),
            "does_not_contain" => (Test::Contains(text), true),
            "matches" => (Test::Matches(compile(argument)?), false),
            "does_not_match" => (Test::Matches(compile(argument)?), true),
            "is_in_list" => (Test::InList(list(argument, variable, scope)?), false),
            "is_not_in_list" => (Test::InList(list(argument, variable, scope)?), true),
            // A value that is no number must fit neither `less_than` nor its opposite, so each has a test of its own.
            "less_than" => (Test::LessThan(number(name, argument, variable)?), false),
            "less_or_equal" => (Test::LessThan(number(name, argument, variable)?.next_up()), false),
            "greater_than" => (Test::GreaterThan(number(name, argument, variable)?), false),
            "greater_or_equal" => (Test::GreaterThan(number(name, argument, variable)?.next_down()), false),
            "before" => (Test::Before(instant(name, argument, variable)?), false),
            _ => (Test::After(instant(name, argument, variable)?), false),
        };
        Ok(Self { name, argument: text_for_humans(name, argument), test, negated })
    }

    /// Name and argument, for `explain`.
    pub(super) fn written(&self) -> String {
        format!("{}{}", self.name, self.argument)
    }

    pub(super) fn holds(&self, values: &super::value::Values<'_>) -> bool {
        let fits = |value: &str| self.test.fits(value);
        match (&self.test, self.negated) {
            (Test::Exists, true) => !values.any(fits),
            (_, true) => values.any_not(fits),
            (_, false) => values.any(fits),
        }
    }
}

impl Test {
    fn fits(&self, value: &str) -> bool {
        match self {
            Self::IsEqual(text) => value == text,
            Self::StartsWith(text) => value.starts_with(text.as_str()),
            Self::EndsWith(text) => value.ends_with(text.as_str()),
            Self::Contains(text) => value.contains(text.as_str()),
            Self::Matches(regex) => regex.is_match(value),
            Self::Exists => !value.is_empty(),
            Self::InList(list) => list.contains(value),
            Self::LessThan(limit) => read_number(value).is_some_and(|number| number < *limit),
            Self::GreaterThan(limit) => read_number(value).is_some_and(|number| number > *limit),
            Self::Before(limit) => date::parse(value).is_some_and(|time| time < *limit),
            Self::After(limit) => date::parse(value).is_some_and(|time| time > *limit),
        }
    }
}

fn text_for_humans(name: &str, argument: &str) -> String {
    match name {
        "matches" | "does_not_match" => format!(" /{argument}/"),
        "is_in_list" | "is_not_in_list" => format!(" [{argument}]"),
        _ => format!(" {argument:?}"),
    }
}

/// A regular expression that runs in linear time and has a bounded size.
pub(super) fn compile(expression: &str) -> Result<Regex, String> {
    regex::RegexBuilder::new(expression).size_limit(REGEX_SIZE).build().map_err(|why| {
        format!(
            "`{expression}` is no regular expression that runs in linear time (no look-around, no back-references): {}",
            last_line(&why.to_string())
        )
    })
}

/// The sentence below the drawing of where it went wrong.
fn last_line(why: &str) -> &str {
    why.lines().last().unwrap_or_default().trim_start_matches("error: ")
}

fn read_number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn number(name: &str, argument: &str, variable: &Variable) -> Result<f64, String> {
    if !matches!(variable.kind(), Kind::Any | Kind::Number) {
        return Err(format!("`{name}` compares numbers, and this variable never is one"));
    }
    read_number(argument).ok_or_else(|| format!("`{name}` needs a number as `argument`, not `{argument}`"))
}

fn instant(name: &str, argument: &str, variable: &Variable) -> Result<UnixTime, String> {
    if !matches!(variable.kind(), Kind::Any | Kind::Date) {
        return Err(format!("`{name}` compares dates, and this variable never is one"));
    }
    let accepted = "like 2026-01-15T12:00:00Z or Jan 15 12:00:00 2026 GMT";
    date::parse(argument).ok_or_else(|| format!("`{name}` needs a date as `argument`, {accepted}, not `{argument}`"))
}

fn list(name: &str, variable: &Variable, scope: &Scope<'_>) -> Result<Arc<List>, String> {
    let lists = &scope.known.lists;
    let known: Vec<&str> = lists.keys().map(String::as_str).collect();
    let list =
        lists.get(name).ok_or_else(|| format!("there is no list `{name}` in [lists]; there are: {}", known.join(", ")))?;
    // The list's own problem is told where it stands.
    let list = list.as_ref().ok_or_else(|| format!("the list `{name}` cannot be read"))?;
    let fits = match (list.kind(), variable.kind()) {
        (ListKind::Strings, _) | (_, Kind::Any) => true,
        (ListKind::IpCidr, kind) => kind == Kind::Address,
        (ListKind::Fingerprints, kind) => kind == Kind::Fingerprint,
    };
    if !fits {
        return Err(format!("the list `{name}` holds what this variable never is"));
    }
    Ok(Arc::clone(list))
}
