//! From CEL's tree to a checked one.

use std::sync::Arc;

use cel::common::ast::{CallExpr, Expr, IdedExpr, ListExpr, LiteralValue, operators};

use super::evaluate::{Comparison, Number, Test, Text, Texts};
use super::names::{self, Named};
use crate::rules::list::ListKind;
use crate::rules::operator;
use crate::rules::scope::Scope;
use crate::rules::variable::{Kind, Variable};

/// How deep a tree may be: evaluation calls itself for each step.
const DEEPEST: usize = 64;

/// What there is besides operators.
const FUNCTIONS: &str = "startsWith, endsWith, contains, matches, size, in_list, exists, all, exists_one";

/// Reads one expression.
pub(super) struct Checker<'s, 'k> {
    scope: &'s Scope<'k>,
    depth: usize,
    /// The name of the macro's variable, inside of one.
    entry: Option<String>,
    variables: Vec<(String, Variable)>,
}

impl<'s, 'k> Checker<'s, 'k> {
    pub(super) fn new(scope: &'s Scope<'k>) -> Self {
        Self { scope, depth: 0, entry: None, variables: Vec::new() }
    }

    pub(super) fn into_variables(self) -> Vec<(String, Variable)> {
        self.variables
    }

    /// An expression that must be true or false.
    pub(super) fn test(&mut self, expression: &IdedExpr) -> Result<Test, String> {
        match self.any(expression)? {
            Named::Test(test) => Ok(test),
            other => Err(format!("{} stands where true or false is needed", kind(&other))),
        }
    }

    fn boxed(&mut self, expression: &IdedExpr) -> Result<Box<Test>, String> {
        self.test(expression).map(Box::new)
    }

    fn number(&mut self, expression: &IdedExpr) -> Result<Box<Number>, String> {
        match self.any(expression)? {
            Named::Number(number) => Ok(Box::new(number)),
            other => Err(format!("{} stands where a whole number is needed", kind(&other))),
        }
    }

    fn text(&mut self, expression: &IdedExpr) -> Result<Text, String> {
        match self.any(expression)? {
            Named::Text(text) => Ok(text),
            Named::Texts(_) => Err("a list stands where a text is needed; `list.exists(one, …)` looks into it".into()),
            other => Err(format!("{} stands where a text is needed", kind(&other))),
        }
    }

    fn texts(&mut self, expression: &IdedExpr) -> Result<Texts, String> {
        match self.any(expression)? {
            Named::Texts(list) => Ok(list),
            other => {
                let mend = "one of the lists of the tenant is asked by `in_list(text, \"name\")`";
                Err(format!("{} stands where a list of texts is needed; {mend}", kind(&other)))
            }
        }
    }

    fn any(&mut self, expression: &IdedExpr) -> Result<Named, String> {
        if self.depth >= DEEPEST {
            return Err(format!("is more than {DEEPEST} steps deep"));
        }
        self.depth += 1;
        let read = match &expression.expr {
            Expr::Literal(literal) => constant(literal),
            Expr::Ident(name) if self.entry.as_ref() == Some(name) => Ok(Named::Text(Text::Entry)),
            Expr::Ident(_) | Expr::Select(_) => self.name(expression),
            Expr::List(list) => constants(list),
            Expr::Call(call) => self.call(call),
            _ => Err("holds what there is no use for here: a map, a message or a presence test".into()),
        };
        self.depth -= 1;
        read
    }

    fn name(&mut self, expression: &IdedExpr) -> Result<Named, String> {
        let mut path = Vec::new();
        let mut at = expression;
        loop {
            match &at.expr {
                Expr::Ident(name) => {
                    path.push(name.as_str());
                    break;
                }
                Expr::Select(select) if !select.test => {
                    path.push(select.field.as_str());
                    at = &select.operand;
                }
                _ => return Err("selects a field of something that is no name".into()),
            }
        }
        path.reverse();
        let (named, variable) = names::find(&path, self.scope)?;
        let written = path.join(".");
        let known = self.variables.iter().any(|(known, _)| *known == written);
        if let Some(variable) = variable.filter(|_| !known) {
            self.variables.push((written, variable));
        }
        Ok(named)
    }

    fn call(&mut self, call: &CallExpr) -> Result<Named, String> {
        let name = call.func_name.as_str();
        match (name, call.target.as_deref(), call.args.as_slice()) {
            (operators::LOGICAL_AND, None, [one, other]) => Ok(Named::Test(Test::And(self.boxed(one)?, self.boxed(other)?))),
            (operators::LOGICAL_OR, None, [one, other]) => Ok(Named::Test(Test::Or(self.boxed(one)?, self.boxed(other)?))),
            (operators::LOGICAL_NOT, None, [test]) => Ok(Named::Test(Test::Not(self.boxed(test)?))),
            (operators::CONDITIONAL, None, [condition, yes, no]) => {
                Ok(Named::Test(Test::If(self.boxed(condition)?, self.boxed(yes)?, self.boxed(no)?)))
            }
            (operators::ADD, None, [one, other]) => Ok(Named::Number(Number::Plus(self.number(one)?, self.number(other)?))),
            (operators::SUBSTRACT, None, [one, other]) => {
                Ok(Named::Number(Number::Minus(self.number(one)?, self.number(other)?)))
            }
            (operators::NEGATE, None, [number]) => {
                Ok(Named::Number(Number::Minus(Box::new(Number::Constant(0)), self.number(number)?)))
            }
            (operators::IN, None, [one, list]) => Ok(Named::Test(Test::InTexts(self.text(one)?, self.texts(list)?))),
            ("size", None, [of]) | ("size", Some(of), []) => match self.any(of)? {
                Named::Text(text) => Ok(Named::Number(Number::SizeOfText(text))),
                Named::Texts(list) => Ok(Named::Number(Number::SizeOfList(list))),
                other => Err(format!("{} has no size", kind(&other))),
            },
            ("startsWith", Some(text), [part]) => Ok(Named::Test(Test::StartsWith(self.text(text)?, self.text(part)?))),
            ("endsWith", Some(text), [part]) => Ok(Named::Test(Test::EndsWith(self.text(text)?, self.text(part)?))),
            ("contains", Some(text), [part]) => Ok(Named::Test(Test::Contains(self.text(text)?, self.text(part)?))),
            ("matches", Some(text), [pattern]) | ("matches", None, [text, pattern]) => {
                let pattern = written(pattern).ok_or("`matches` needs its expression as a text in quotes")?;
                Ok(Named::Test(Test::Matches(self.text(text)?, operator::compile(pattern)?)))
            }
            ("in_list", None, [text, list]) => self.in_list(text, list),
            ("exists" | "all" | "exists_one", Some(list), [entry, test]) => self.over_list(name, list, entry, test),
            _ => self.comparison(call),
        }
    }

    fn comparison(&mut self, call: &CallExpr) -> Result<Named, String> {
        let how = match call.func_name.as_str() {
            operators::EQUALS => Comparison::Equal,
            operators::NOT_EQUALS => Comparison::NotEqual,
            operators::GREATER => Comparison::Greater,
            operators::GREATER_EQUALS => Comparison::GreaterOrEqual,
            operators::LESS => Comparison::Less,
            operators::LESS_EQUALS => Comparison::LessOrEqual,
            operators::INDEX => {
                return Err("`[…]` cannot be had here; a header is `request.http_NAME`, an argument `request.arg_NAME`".into());
            }
            other => {
                return Err(format!(
                    "`{other}` cannot be had here in this way; there are && || ! ?: == != < <= > >= in + - and {FUNCTIONS}"
                ));
            }
        };
        let [one, other] = call.args.as_slice() else { return Err("a comparison needs two sides".into()) };
        Ok(Named::Test(match (self.any(one)?, self.any(other)?) {
            (Named::Number(one), Named::Number(other)) => Test::CompareNumbers(one, how, other),
            (Named::Text(one), Named::Text(other)) => Test::CompareTexts(one, how, other),
            (Named::Test(one), Named::Test(other)) if how == Comparison::Equal => Test::Same(one.into(), other.into()),
            (Named::Test(one), Named::Test(other)) if how == Comparison::NotEqual => {
                Test::Not(Box::new(Test::Same(one.into(), other.into())))
            }
            (one @ Named::Texts(_), other @ Named::Text(_)) | (one @ Named::Text(_), other @ Named::Texts(_)) => {
                return Err(format!("compares {} with {}; ask `text in list`", kind(&one), kind(&other)));
            }
            (one, other) => return Err(format!("compares {} with {}", kind(&one), kind(&other))),
        }))
    }

    /// `in_list(request.remote_addr, "office")`: one of the tenant's lists.
    fn in_list(&mut self, text: &IdedExpr, list: &IdedExpr) -> Result<Named, String> {
        let name = written(list).ok_or("`in_list` needs the name of a list as a text in quotes")?;
        let text = self.text(text)?;
        let known: Vec<&str> = self.scope.known.lists.keys().map(String::as_str).collect();
        let list = self.scope.known.lists.get(name);
        let list = list.ok_or_else(|| format!("there is no list `{name}` in [lists]; there are: {}", known.join(", ")))?;
        let list = list.as_ref().ok_or_else(|| format!("the list `{name}` cannot be read"))?;
        let of = match &text {
            Text::Variable(variable) => variable.kind(),
            Text::Constant(_) | Text::Entry => Kind::Any,
        };
        let fits = match list.kind() {
            ListKind::Strings => true,
            ListKind::IpCidr => matches!(of, Kind::Any | Kind::Address),
            ListKind::Fingerprints => matches!(of, Kind::Any | Kind::Fingerprint),
        };
        if !fits {
            return Err(format!("the list `{name}` holds what this variable never is"));
        }
        Ok(Named::Test(Test::InList(text, Arc::clone(list))))
    }

    /// A macro over a list of texts. Inside of one there is no other: costs would multiply.
    fn over_list(&mut self, name: &str, list: &IdedExpr, entry: &IdedExpr, test: &IdedExpr) -> Result<Named, String> {
        if self.entry.is_some() {
            return Err(format!("`{name}` stands inside of another macro over a list; one is the most"));
        }
        let Expr::Ident(entry) = &entry.expr else { return Err(format!("`{name}` needs a name for what it looks at")) };
        let list = self.texts(list)?;
        self.entry = Some(entry.clone());
        let test = self.boxed(test);
        self.entry = None;
        let test = test?;
        Ok(Named::Test(match name {
            "all" => Test::All(list, test),
            "exists" => Test::Any(list, test),
            _ => Test::One(list, test),
        }))
    }
}

fn kind(named: &Named) -> &'static str {
    match named {
        Named::Number(_) => "a whole number",
        Named::Test(_) => "true or false",
        Named::Text(_) => "a text",
        Named::Texts(_) => "a list of texts",
    }
}

fn constant(literal: &LiteralValue) -> Result<Named, String> {
    match literal {
        LiteralValue::Boolean(flag) => Ok(Named::Test(Test::Constant(*flag.inner()))),
        LiteralValue::Int(number) => Ok(Named::Number(Number::Constant(*number.inner()))),
        LiteralValue::String(text) => Ok(Named::Text(Text::Constant(text.inner().to_owned()))),
        _ => Err("holds a constant that is no text, no whole number and neither true nor false".into()),
    }
}

fn constants(list: &ListExpr) -> Result<Named, String> {
    let texts = list.elements.iter().map(|element| written(element).map(str::to_owned));
    let texts: Option<Vec<String>> = texts.collect();
    texts.map(|texts| Named::Texts(Texts::Constant(texts))).ok_or_else(|| "a list may hold texts in quotes alone".into())
}

/// A text in quotes.
fn written(expression: &IdedExpr) -> Option<&str> {
    match &expression.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}
