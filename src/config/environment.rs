//! The variables `VESTIBULE__…`: which there are, and which of them belong to a file.

use std::collections::HashMap;

use config::{Environment, Value, ValueKind};

use super::problem::{Collector, Problem};

/// How every variable's name begins.
pub(super) const PREFIX: &str = "VESTIBULE";
/// What stands between the parts of a name.
const SEPARATOR: &str = "__";
/// Where problems with a variable are said to be.
pub(super) const PLACE: &str = "the environment";

/// The variables of this process whose names begin with `VESTIBULE__`.
pub(super) struct Variables(HashMap<String, String>);

impl Variables {
    /// Reads them. The value of one that is not Unicode is not shown: it may be the pepper.
    pub(super) fn read(collector: &Collector) -> Self {
        let mut variables = HashMap::new();
        for (name, value) in std::env::vars_os() {
            let Some(name) = name.to_str().filter(|name| is_below(name, PREFIX)) else { continue };
            match value.into_string() {
                Ok(value) => {
                    variables.insert(name.to_owned(), value);
                }
                Err(_) => collector.add(Problem {
                    file: PLACE.into(),
                    key: name.to_owned(),
                    found: "is not Unicode".into(),
                    accepted: "a text".into(),
                }),
            }
        }
        Self(variables)
    }

    /// Those below a prefix, as the `config` crate reads them. All values stay texts: what a key wants decides how they are
    /// read, so that a pepper of decimal digits does not become a number.
    pub(super) fn below(&self, prefix: &str) -> Environment {
        let environment = Environment::with_prefix(prefix).prefix_separator(SEPARATOR).separator(SEPARATOR);
        environment.source(Some(self.0.clone()))
    }

    /// Notes a problem for every variable of a tenant that does not exist.
    pub(super) fn refuse_unknown_tenants(&self, tenants: &[String], collector: &Collector) {
        let known: Vec<String> = tenants.iter().map(|tenant| tenant_prefix(tenant)).collect();
        let all = format!("{PREFIX}{SEPARATOR}TENANTS");
        let mut strange: Vec<&String> =
            self.0.keys().filter(|name| is_below(name, &all) || name.eq_ignore_ascii_case(&all)).collect();
        strange.retain(|name| !known.iter().any(|prefix| is_below(name, prefix)));
        strange.sort();
        for name in strange {
            let begins: Vec<String> = known.iter().map(|prefix| format!("{prefix}{SEPARATOR}…")).collect();
            collector.add(Problem {
                file: PLACE.into(),
                key: name.clone(),
                found: "is for no tenant that has a file".into(),
                accepted: format!("names of tenants' keys: {}", begins.join(", ")),
            });
        }
    }
}

/// How the names of a tenant's variables begin.
pub(super) fn tenant_prefix(tenant: &str) -> String {
    format!("{PREFIX}{SEPARATOR}TENANTS{SEPARATOR}{}", tenant.to_ascii_uppercase().replace('-', "_"))
}

/// The variable that a value comes from, when it comes from one: the value's own, or the first inside a table that only
/// variables have made.
pub(super) fn variable_of(prefix: &str, key_path: &str, value: &Value) -> Option<String> {
    if value.origin() == Some(PLACE) {
        return Some(format!("{prefix}{SEPARATOR}{}", key_path.replace('.', SEPARATOR)).to_ascii_uppercase());
    }
    let ValueKind::Table(entries) = &value.kind else { return None };
    let inside = |(key, value)| variable_of(prefix, &format!("{key_path}.{key}"), value);
    let found: Option<Vec<String>> = entries.iter().map(inside).collect();
    found.and_then(|names| names.into_iter().min())
}

fn is_below(name: &str, prefix: &str) -> bool {
    let (name, prefix) = (name.to_ascii_uppercase(), prefix.to_ascii_uppercase());
    name.strip_prefix(&prefix).is_some_and(|rest| rest.starts_with(SEPARATOR))
}
