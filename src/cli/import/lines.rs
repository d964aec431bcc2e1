//! Lines of TOML.

use std::fmt::Write as _;

use toml_edit::Value;

use super::remark::one_line;

/// A rule.
pub(super) struct RuleText {
    pub(super) name: String,
    /// Paths of the routes that it is for; empty for all.
    pub(super) routes: Vec<String>,
    pub(super) criteria: Vec<(String, &'static str, Option<String>)>,
    /// Keys of each.
    pub(super) behaviors: Vec<Vec<(&'static str, Value)>>,
}

impl RuleText {
    /// A rule for the requests of one route: those of its path with its methods, or, where it has none, with all but `others`.
    pub(super) fn of_route(name: String, path: &str, methods: &[String], others: &[String]) -> Self {
        let any = |methods: &[String]| {
            let all: Vec<String> = methods.iter().map(|method| regex::escape(method)).collect();
            Some(format!("^(?:{})$", all.join("|")))
        };
        let methods = match (methods, others) {
            ([], []) => None,
            ([], others) => Some(("${request_method}".to_owned(), "does_not_match", any(others))),
            (methods, _) => Some(("${request_method}".to_owned(), "matches", any(methods))),
        };
        let start = ("${uri}".to_owned(), "starts_with", Some(path.to_owned()));
        let criteria = std::iter::once(start).chain(methods).collect();
        Self { name, routes: vec![path.to_owned()], criteria, behaviors: Vec::new() }
    }

    /// Refuses its requests.
    pub(super) fn denying(mut self) -> Self {
        self.behaviors.push(vec![("type", "deny".into())]);
        self
    }
}

/// Lines of TOML.
#[derive(Default)]
pub(super) struct Lines(pub(super) String);

impl Lines {
    pub(super) fn comment(&mut self, text: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# {}", one_line(text));
    }

    pub(super) fn heading(&mut self, name: &str) {
        let _ = writeln!(self.0, "\n{name}");
    }

    pub(super) fn key(&mut self, key: &str, value: impl Into<Value>) {
        let _ = writeln!(self.0, "{key} = {}", value.into());
    }

    /// One of `[[rules]]`.
    pub(super) fn rule(&mut self, rule: &RuleText) {
        self.heading("[[rules]]");
        self.key("name", rule.name.as_str());
        if !rule.routes.is_empty() {
            self.key("routes", texts(&rule.routes));
        }
        let groups = rule.criteria.iter().map(|(variable, operator, argument)| {
            let argument = argument.as_ref().map(|text| format!(", argument = {}", Value::from(text.as_str())));
            let variable = Value::from(variable.as_str());
            format!("  [{{ variable = {variable}, operator = \"{operator}\"{} }}],\n", argument.unwrap_or_default())
        });
        let groups: String = groups.collect();
        let behaviors = rule.behaviors.iter().map(|behavior| {
            let keys: Vec<String> = behavior.iter().map(|(key, value)| format!("{key} = {value}")).collect();
            format!("  {{ {} }},\n", keys.join(", "))
        });
        let behaviors: String = behaviors.collect();
        let _ = write!(self.0, "criteria = [\n{groups}]\nbehaviors = [\n{behaviors}]\n");
    }
}

pub(super) fn texts(values: &[String]) -> Value {
    Value::Array(values.iter().map(String::as_str).collect())
}
