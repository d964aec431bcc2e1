//! Criteria: a variable, an operator, an argument; joined in groups.

use regex::Regex;

use super::facts::View;
use super::variable::Variable;

/// How a criterion is joined to the one before it in its group (Azion's `conditional`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conditional {
    /// Both must hold. Binds tighter than [`Conditional::Or`].
    And,
    /// The first of a group.
    If,
    /// One must hold.
    Or,
}

/// A compiled test of a value. Where a variable has several values, one that fits is enough; a negated operator holds when
/// none fits. A variable that is not there has the empty value, as in nginx, whether it could have several values or not.
#[derive(Debug)]
pub enum Operator {
    /// The value is this text, byte for byte.
    IsEqual(String),
    /// It is not.
    IsNotEqual(String),
    /// The value starts with this text.
    StartsWith(String),
    /// It does not.
    DoesNotStartWith(String),
    /// The expression is found somewhere in the value.
    Matches(Regex),
    /// It is found nowhere.
    DoesNotMatch(Regex),
    /// There is a value, and it is not empty.
    Exists,
    /// There is none.
    DoesNotExist,
}

/// The most bytes that a compiled expression may take.
const REGEX_SIZE: usize = 1 << 20;

impl Operator {
    /// Every operator name, in the order of Azion's table.
    pub const NAMES: [&'static str; 8] = [
        "is_equal",
        "is_not_equal",
        "starts_with",
        "does_not_start_with",
        "matches",
        "does_not_match",
        "exists",
        "does_not_exist",
    ];

    /// Compiles an operator. Azion spells one of them `does_not_starts_with` in places; both are read.
    ///
    /// # Errors
    /// What is wrong with the name or the argument, and the mend.
    pub fn parse(name: &str, argument: Option<&str>) -> Result<Self, String> {
        if matches!(name, "exists" | "does_not_exist") {
            if argument.is_some_and(|argument| !argument.is_empty()) {
                return Err(format!("`{name}` takes no argument"));
            }
            return Ok(if name == "exists" { Self::Exists } else { Self::DoesNotExist });
        }
        let known = Self::NAMES.contains(&name) || name == "does_not_starts_with";
        if !known {
            return Err(format!("`{name}` is no operator; there are {}", Self::NAMES.join(", ")));
        }
        let argument = argument.ok_or_else(|| format!("`{name}` needs an `argument`"))?;
        let text = argument.to_owned();
        Ok(match name {
            "is_equal" => Self::IsEqual(text),
            "is_not_equal" => Self::IsNotEqual(text),
            "starts_with" => Self::StartsWith(text),
            "matches" => Self::Matches(compile(argument)?),
            "does_not_match" => Self::DoesNotMatch(compile(argument)?),
            _ => Self::DoesNotStartWith(text),
        })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::IsEqual(_) => "is_equal",
            Self::IsNotEqual(_) => "is_not_equal",
            Self::StartsWith(_) => "starts_with",
            Self::DoesNotStartWith(_) => "does_not_start_with",
            Self::Matches(_) => "matches",
            Self::DoesNotMatch(_) => "does_not_match",
            Self::Exists => "exists",
            Self::DoesNotExist => "does_not_exist",
        }
    }
}

fn compile(expression: &str) -> Result<Regex, String> {
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

/// One criterion.
#[derive(Debug)]
pub struct Criterion {
    /// How it is joined to the one before.
    pub conditional: Conditional,
    /// What it looks at.
    pub variable: Variable,
    /// The test.
    pub operator: Operator,
    /// As it was written, for `explain`.
    pub written: String,
}

impl Criterion {
    /// A criterion and its written form.
    pub fn new(conditional: Conditional, name: &str, variable: Variable, operator: Operator) -> Self {
        let argument = match &operator {
            Operator::IsEqual(text) | Operator::IsNotEqual(text) => format!(" {text:?}"),
            Operator::StartsWith(text) | Operator::DoesNotStartWith(text) => format!(" {text:?}"),
            Operator::Matches(regex) | Operator::DoesNotMatch(regex) => format!(" /{regex}/"),
            Operator::Exists | Operator::DoesNotExist => String::new(),
        };
        let written = format!("{name} {}{argument}", operator.name());
        Self { conditional, variable, operator, written }
    }

    fn holds(&self, view: &View<'_>) -> bool {
        let values = self.variable.values(view);
        match &self.operator {
            Operator::IsEqual(text) => values.any(|value| value == text),
            Operator::IsNotEqual(text) => !values.any(|value| value == text),
            Operator::StartsWith(text) => values.any(|value| value.starts_with(text.as_str())),
            Operator::DoesNotStartWith(text) => !values.any(|value| value.starts_with(text.as_str())),
            Operator::Matches(regex) => values.any(|value| regex.is_match(value)),
            Operator::DoesNotMatch(regex) => !values.any(|value| regex.is_match(value)),
            Operator::Exists => values.any(|value| !value.is_empty()),
            Operator::DoesNotExist => !values.any(|value| !value.is_empty()),
        }
    }
}

/// Groups of criteria: all groups must hold.
#[derive(Debug, Default)]
pub struct Groups(Vec<Vec<Criterion>>);

impl Groups {
    /// Groups as they are written.
    ///
    /// # Errors
    /// An empty group, a first criterion joined by something else than `if`, or a later one joined by `if`.
    pub fn new(groups: Vec<Vec<Criterion>>) -> Result<Self, String> {
        for (at, group) in groups.iter().enumerate() {
            let Some((first, others)) = group.split_first() else { return Err(format!("group {at} is empty")) };
            if first.conditional != Conditional::If {
                return Err(format!("the first criterion of group {at} has no `if` before it to be joined to"));
            }
            if others.iter().any(|criterion| criterion.conditional == Conditional::If) {
                return Err(format!("a later criterion of group {at} says `if`; say `and` or `or`"));
            }
        }
        Ok(Self(groups))
    }

    /// Whether they always hold: there is no group at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The variables that they look at.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.0.iter().flatten().map(|criterion| &criterion.variable)
    }

    pub(super) fn hold(&self, view: &View<'_>) -> bool {
        self.0.iter().all(|group| group_holds(group, view))
    }

    pub(super) fn trace(&self, view: &View<'_>) -> Vec<(String, String, bool)> {
        let all = self.0.iter().flatten();
        all.map(|one| (one.written.clone(), one.variable.text(view).into_owned(), one.holds(view))).collect()
    }
}

/// A group is an *or* of runs that are joined by *and*.
fn group_holds(group: &[Criterion], view: &View<'_>) -> bool {
    let mut run = true;
    for criterion in group {
        if criterion.conditional == Conditional::Or {
            if run {
                return true;
            }
            run = true;
        }
        run = run && criterion.holds(view);
    }
    run
}
