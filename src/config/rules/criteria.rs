//! `criteria` and `when`.

use crate::config::table::Table;
use crate::rules::{Condition, Conditional, Criterion, Expression, Groups, Operator, Scope, Variable};

/// One of the two, or neither: then the rule always applies.
pub(super) fn read(table: &Table<'_>, scope: &Scope<'_>) -> Option<Condition> {
    let groups = groups(table, scope);
    if !table.has("when") {
        return groups.map(Condition::Criteria);
    }
    if table.has("criteria") {
        table.problem("when", "stands beside `criteria`", "one of the two");
    }
    let written = table.text("when")?;
    let read = Expression::parse(&written, scope);
    read.map(Condition::When).map_err(|why| table.problem("when", why, "an expression in CEL that is true or false")).ok()
}

/// A criterion with a problem would leave a gap that looks like another problem: then the groups are not put together.
fn groups(table: &Table<'_>, scope: &Scope<'_>) -> Option<Groups> {
    let groups: Vec<_> =
        table.table_groups("criteria").into_iter().map(|group| group.and_then(|group| read_group(group, scope))).collect();
    let groups: Option<Vec<Vec<Criterion>>> = groups.into_iter().collect();
    Groups::new(groups?).map_err(|why| table.problem("criteria", why, "groups of criteria")).ok()
}

fn read_group(tables: Vec<Table<'_>>, scope: &Scope<'_>) -> Option<Vec<Criterion>> {
    let read: Vec<_> =
        tables.into_iter().enumerate().map(|(at, criterion)| read_criterion(criterion, at == 0, scope)).collect();
    read.into_iter().collect()
}

fn read_criterion(table: Table<'_>, first: bool, scope: &Scope<'_>) -> Option<Criterion> {
    let words = [("if", Conditional::If), ("and", Conditional::And), ("or", Conditional::Or)];
    let conditional = table.choice("conditional", &words, if first { Conditional::If } else { Conditional::And });
    let name = table.required_text("variable", "a variable, like \"${ssl_client_verify}\"");
    let operator = table.required_text("operator", &format!("one of {}", Operator::NAMES.join(", ")));
    let argument = table.text("argument");
    table.finishing(|table| {
        let (name, operator) = (name?, operator?);
        let argument = if table.has("argument") { Some(argument?) } else { None };
        let variable = Variable::parse(&name, scope);
        let variable = variable.map_err(|why| table.problem("variable", why, "docs/variables.md lists them")).ok()?;
        let operator = Operator::parse(&operator, argument.as_deref(), &variable, scope);
        let operator = operator.map_err(|why| table.problem("operator", why, "docs/rules.md lists them")).ok();
        Some(Criterion::new(conditional, &name, variable, operator?))
    })
}
