//! `[[rules]]` and `[upstream_headers]`: Azion's shape to compiled rules.

use http::HeaderName;

use super::table::Table;
use crate::rules::{Behavior, Conditional, Criterion, Groups, Operator, Rule, RuleSet, Template, Variable};

/// What the upstream is told when a tenant says nothing of it.
const DEFAULT_UPSTREAM_HEADERS: [(&str, &str); 5] = [
    ("ssl-client-verify", "${ssl_client_verify}"),
    ("ssl-client-s-dn", "${ssl_client_s_dn}"),
    ("ssl-client-i-dn", "${ssl_client_i_dn}"),
    ("ssl-client-serial", "${ssl_client_serial}"),
    ("ssl-client-fingerprint-sha256", "${ssl_client_fingerprint_sha256}"),
];

pub(super) fn read(tenant: &Table<'_>) -> RuleSet {
    let request = tenant.tables("rules").into_iter().filter_map(rule).collect();
    RuleSet { upstream_headers: upstream_headers(tenant), request }
}

fn upstream_headers(tenant: &Table<'_>) -> Vec<(HeaderName, Template)> {
    let written = if tenant.has("upstream_headers") {
        tenant.named_texts("upstream_headers")
    } else {
        DEFAULT_UPSTREAM_HEADERS.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    };
    let mut headers = Vec::new();
    for (name, value) in written {
        match Behavior::parse("add_request_header", Some(&format!("{name}: {value}"))) {
            Ok(Behavior::AddRequestHeader(name, template)) => headers.push((name, template)),
            Ok(_) => {}
            Err(why) => tenant.problem(&format!("upstream_headers.{name}"), format!("found `{value}`"), why.0),
        }
    }
    headers
}

fn rule(table: Table<'_>) -> Option<Rule> {
    let name = table.required_text("name", "a name, for the log");
    let mut groups = Vec::new();
    for group in table.table_groups("criteria") {
        groups.push(group.into_iter().enumerate().filter_map(|(at, criterion)| read_criterion(criterion, at == 0)).collect());
    }
    let criteria = Groups::new(groups).map_err(|why| table.problem("criteria", why, "groups of criteria")).ok();
    let listed = table.tables("behaviors");
    if listed.is_empty() {
        table.problem("behaviors", "is empty: the rule would do nothing", "at least one behavior");
    }
    let behaviors = listed.into_iter().filter_map(behavior).collect();
    let active = table.boolean("active", true);
    table.finish();
    active.then_some(Rule { name: name?, criteria: criteria?, behaviors })
}

fn read_criterion(table: Table<'_>, first: bool) -> Option<Criterion> {
    let words = [("if", Conditional::If), ("and", Conditional::And), ("or", Conditional::Or)];
    let conditional = table.choice("conditional", &words, if first { Conditional::If } else { Conditional::And });
    let name = table.required_text("variable", "a variable, like \"${ssl_client_verify}\"");
    let operator = table.required_text("operator", &format!("one of {}", Operator::NAMES.join(", ")));
    let argument = table.text("argument");
    table.finishing(|table| {
        let (name, operator) = (name?, operator?);
        let variable = Variable::parse(&name);
        if variable.is_none() {
            table.problem("variable", format!("there is no variable `{name}`"), "the README lists them");
        }
        let operator = Operator::parse(&operator, argument.as_deref());
        let operator = operator.map_err(|why| table.problem("operator", why, "the README lists them")).ok();
        Some(Criterion::new(conditional, &name, variable?, operator?))
    })
}

fn behavior(table: Table<'_>) -> Option<Behavior> {
    let name = table.required_text("type", &format!("one of {}", Behavior::NAMES.join(", ")));
    let value = table.text("value");
    table.finishing(|table| {
        let parsed = Behavior::parse(&name?, value.as_deref());
        parsed.map_err(|why| table.problem("", why.0, "the README lists the behaviors")).ok()
    })
}
