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
    let request: Vec<Rule> = tenant.tables("rules").into_iter().filter_map(rule).collect();
    unreachable_rules(tenant, &request);
    RuleSet { upstream_headers: upstream_headers(tenant), request }
}

/// A `deny` that is never reached lets everybody in.
fn unreachable_rules(tenant: &Table<'_>, rules: &[Rule]) {
    let always_ends = |rule: &Rule| rule.criteria.is_empty() && rule.behaviors.iter().any(Behavior::is_last);
    let Some(at) = rules.iter().position(always_ends) else { return };
    if let (Some(last), Some(next)) = (rules.get(at), rules.get(at + 1)) {
        let found =
            format!("rule `{}` is never reached: `{}` before it has no criteria and ends the phase", next.name, last.name);
        tenant.problem("rules", found, "criteria for the one, or another order");
    }
}

fn upstream_headers(tenant: &Table<'_>) -> Vec<(HeaderName, Template)> {
    let written = if tenant.has("upstream_headers") {
        tenant.named_texts("upstream_headers")
    } else {
        DEFAULT_UPSTREAM_HEADERS.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    };
    let mut headers = Vec::new();
    for (name, value) in written {
        match Behavior::add(&name, &value) {
            Ok(Behavior::AddRequestHeader(name, template)) => headers.push((name, template)),
            Ok(_) => {}
            Err(why) => tenant.problem(&format!("upstream_headers.{name}"), format!("found `{value}`"), why.0),
        }
    }
    headers
}

fn rule(table: Table<'_>) -> Option<Rule> {
    let name = table.required_text("name", "a name, for the log");
    // A criterion with a problem would leave a gap that looks like another problem: then the groups are not put together.
    let groups: Vec<_> = table.table_groups("criteria").into_iter().map(|group| group.and_then(read_group)).collect();
    let groups: Option<Vec<Vec<Criterion>>> = groups.into_iter().collect();
    let criteria =
        groups.and_then(|groups| Groups::new(groups).map_err(|why| table.problem("criteria", why, "groups of criteria")).ok());
    let behaviors = behaviors(&table);
    let active = table.boolean("active", true);
    table.finish();
    active.then_some(Rule { name: name?, criteria: criteria?, behaviors })
}

fn behaviors(table: &Table<'_>) -> Vec<Behavior> {
    let listed = table.tables("behaviors");
    if listed.is_empty() {
        table.problem("behaviors", "is empty: the rule would do nothing", "at least one behavior");
    }
    let behaviors: Vec<Behavior> = listed.into_iter().filter_map(behavior).collect();
    let after_last = behaviors.iter().position(Behavior::is_last).is_some_and(|last| last + 1 < behaviors.len());
    if after_last {
        let found = "go on after `deny` or `finish_request_phase`, and what follows is never run";
        table.problem("behaviors", found, "`deny` or `finish_request_phase` in the last place");
    }
    behaviors
}

fn read_group(tables: Vec<Table<'_>>) -> Option<Vec<Criterion>> {
    let read: Vec<_> = tables.into_iter().enumerate().map(|(at, criterion)| read_criterion(criterion, at == 0)).collect();
    read.into_iter().collect()
}

fn read_criterion(table: Table<'_>, first: bool) -> Option<Criterion> {
    let words = [("if", Conditional::If), ("and", Conditional::And), ("or", Conditional::Or)];
    let conditional = table.choice("conditional", &words, if first { Conditional::If } else { Conditional::And });
    let name = table.required_text("variable", "a variable, like \"${ssl_client_verify}\"");
    let operator = table.required_text("operator", &format!("one of {}", Operator::NAMES.join(", ")));
    let argument = table.text("argument");
    table.finishing(|table| {
        let (name, operator) = (name?, operator?);
        let argument = if table.has("argument") { Some(argument?) } else { None };
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
