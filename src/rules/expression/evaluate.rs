//! Checked expressions and their values.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use regex::Regex;

use crate::rules::facts::View;
use crate::rules::list::List;
use crate::rules::value::Values;
use crate::rules::variable::Variable;

/// More entries of a list are not looked at: then the expression has no value.
const MOST_ENTRIES: usize = 1000;

/// A value, or why there is none.
pub(super) type Value<T> = Result<T, Cow<'static, str>>;

/// True or false.
#[derive(Debug)]
pub(super) enum Test {
    All(Texts, Box<Test>),
    And(Box<Test>, Box<Test>),
    Any(Texts, Box<Test>),
    CompareNumbers(Number, Comparison, Number),
    CompareTexts(Text, Comparison, Text),
    Constant(bool),
    Contains(Text, Text),
    EndsWith(Text, Text),
    If(Box<Test>, Box<Test>, Box<Test>),
    InList(Text, Arc<List>),
    InTexts(Text, Texts),
    Matches(Text, Regex),
    Not(Box<Test>),
    One(Texts, Box<Test>),
    Or(Box<Test>, Box<Test>),
    Same(Box<Test>, Box<Test>),
    StartsWith(Text, Text),
    Variable(Variable),
}

/// A whole number.
#[derive(Debug)]
pub(super) enum Number {
    Constant(i64),
    Minus(Box<Number>, Box<Number>),
    NotAfter,
    NotBefore,
    Now,
    Plus(Box<Number>, Box<Number>),
    SizeOfList(Texts),
    SizeOfText(Text),
    Variable(Variable),
}

/// A text.
#[derive(Debug)]
pub(super) enum Text {
    Constant(String),
    /// What the macro around it is looking at.
    Entry,
    Variable(Variable),
}

/// A list of texts.
#[derive(Debug)]
pub(super) enum Texts {
    Constant(Vec<String>),
    Variable(Variable),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    NotEqual,
}

impl Comparison {
    fn holds(self, found: Ordering) -> bool {
        match self {
            Self::Equal => found.is_eq(),
            Self::Greater => found.is_gt(),
            Self::GreaterOrEqual => found.is_ge(),
            Self::Less => found.is_lt(),
            Self::LessOrEqual => found.is_le(),
            Self::NotEqual => found.is_ne(),
        }
    }
}

impl Test {
    /// `entry` is what the macro around it is looking at.
    pub(super) fn holds(&self, view: &View<'_>, entry: Option<&str>) -> Value<bool> {
        Ok(match self {
            Self::All(list, test) => {
                return absorbing(list.values(view)?.iter().map(|entry| test.holds(view, Some(entry))), false);
            }
            Self::Any(list, test) => {
                return absorbing(list.values(view)?.iter().map(|entry| test.holds(view, Some(entry))), true);
            }
            Self::One(list, test) => {
                let mut found = 0_usize;
                for entry in &list.values(view)? {
                    found += usize::from(test.holds(view, Some(entry))?);
                }
                found == 1
            }
            Self::And(one, other) => return absorbing([one, other].into_iter().map(|test| test.holds(view, entry)), false),
            Self::Or(one, other) => return absorbing([one, other].into_iter().map(|test| test.holds(view, entry)), true),
            Self::CompareNumbers(one, how, other) => how.holds(one.value(view, entry)?.cmp(&other.value(view, entry)?)),
            Self::CompareTexts(one, how, other) => how.holds(one.value(view, entry).cmp(&other.value(view, entry))),
            Self::Constant(constant) => *constant,
            Self::Contains(text, part) => text.value(view, entry).contains(part.value(view, entry).as_ref()),
            Self::EndsWith(text, part) => text.value(view, entry).ends_with(part.value(view, entry).as_ref()),
            Self::If(condition, yes, no) => {
                return if condition.holds(view, entry)? { yes.holds(view, entry) } else { no.holds(view, entry) };
            }
            Self::InList(text, list) => list.contains(&text.value(view, entry)),
            Self::InTexts(text, list) => {
                let text = text.value(view, entry);
                list.values(view)?.contains(&text)
            }
            Self::Matches(text, regex) => regex.is_match(&text.value(view, entry)),
            Self::Not(test) => !test.holds(view, entry)?,
            Self::Same(one, other) => one.holds(view, entry)? == other.holds(view, entry)?,
            Self::StartsWith(text, part) => text.value(view, entry).starts_with(part.value(view, entry).as_ref()),
            Self::Variable(variable) => variable.text(view) == "true",
        })
    }
}

/// CEL's *and* and *or*: the value that decides wins over a part that has none, wherever it stands.
fn absorbing(parts: impl Iterator<Item = Value<bool>>, decisive: bool) -> Value<bool> {
    let mut failed = None;
    for part in parts {
        match part {
            Ok(value) if value == decisive => return Ok(decisive),
            Ok(_) => {}
            Err(why) => failed = failed.or(Some(why)),
        }
    }
    failed.map_or(Ok(!decisive), Err)
}

impl Number {
    fn value(&self, view: &View<'_>, entry: Option<&str>) -> Value<i64> {
        let too_large = || Cow::Borrowed("a number is too large");
        match self {
            Self::Constant(number) => Ok(*number),
            Self::Minus(one, other) => one.value(view, entry)?.checked_sub(other.value(view, entry)?).ok_or_else(too_large),
            Self::Plus(one, other) => one.value(view, entry)?.checked_add(other.value(view, entry)?).ok_or_else(too_large),
            Self::NotAfter => view.facts.not_after().ok_or(Cow::Borrowed("`certificate.not_after` is not there")),
            Self::NotBefore => view.facts.not_before().ok_or(Cow::Borrowed("`certificate.not_before` is not there")),
            Self::Now => Ok(view.facts.now().0),
            Self::SizeOfList(list) => Ok(i64::try_from(list.values(view)?.len()).unwrap_or(i64::MAX)),
            // Code points, as CEL says.
            Self::SizeOfText(text) => Ok(i64::try_from(text.value(view, entry).chars().count()).unwrap_or(i64::MAX)),
            Self::Variable(variable) => variable.text(view).parse().map_err(|_| Cow::Borrowed("a number is not there")),
        }
    }
}

impl Text {
    fn value<'v>(&'v self, view: &View<'v>, entry: Option<&'v str>) -> Cow<'v, str> {
        match self {
            Self::Constant(text) => Cow::Borrowed(text),
            Self::Entry => Cow::Borrowed(entry.unwrap_or_default()),
            Self::Variable(variable) => variable.text(view),
        }
    }
}

impl Texts {
    fn values<'v>(&'v self, view: &View<'v>) -> Value<Vec<Cow<'v, str>>> {
        let values = match self {
            Self::Constant(texts) => texts.iter().map(|text| Cow::Borrowed(text.as_str())).collect(),
            Self::Variable(variable) => match variable.values(view) {
                Values::Many(values) | Values::Repeated(values) => values,
                Values::One(value) => vec![value],
            },
        };
        if values.len() > MOST_ENTRIES {
            return Err(Cow::Owned(format!("a list has more than {MOST_ENTRIES} entries")));
        }
        Ok(values)
    }
}
