//! The TOML: tables in the order in which people read them, and a comment at each gap.

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use super::mtls::Settings;
use super::piece::Piece;
use super::rule::Rule;
use super::{Needs, Phase};
use crate::cli::import::remark::one_line;
use crate::variables::Dialect;

pub(super) fn write(sources: &[&str], rules: &[Rule], settings: Option<&Settings>, needs: &Needs) -> String {
    let mut document = DocumentMut::new();
    if needs.dialect == Dialect::Azion {
        document.insert("output_dialect", value("azion"));
        if let Some(mut key) = document.key_mut("output_dialect") {
            key.leaf_decor_mut().set_prefix("\n# Stands before the first table of the tenant's file.\n");
        }
    }
    if let Some(settings) = settings {
        policy(&mut document, settings);
    }
    if !needs.lists.is_empty() {
        let mut lists = implicit();
        for name in &needs.lists {
            let mut list = Table::new();
            list.decor_mut()
                .set_prefix("\n# A list of countries or ASNs: ask for `${geoip_…}` in the rule, with `type = \"strings\"`.\n");
            list.insert("type", value("ip_cidr"));
            list.insert("file", value(format!("lists/{name}")));
            lists.insert(name, Item::Table(list));
        }
        document.insert("lists", Item::Table(lists));
    }
    let mut comments = String::new();
    let mut tables = ArrayOfTables::new();
    for rule in rules {
        comments.push_str(&comments_of(rule));
        if rule.is_written() {
            let mut table = rule_table(rule);
            table.decor_mut().set_prefix(format!("\n{}", std::mem::take(&mut comments)));
            tables.push(table);
        } else {
            comments.push('\n');
        }
    }
    if !tables.is_empty() {
        document.insert("rules", Item::ArrayOfTables(tables));
    }
    document.set_trailing(if comments.is_empty() { String::new() } else { format!("\n{}", comments.trim_end()) + "\n" });
    format!("{}{document}", heading(sources, needs))
}

fn heading(sources: &[&str], needs: &Needs) -> String {
    let mut heading = String::from("# Made by `vestibule import azion`; a piece of a tenant's file.\n");
    for source in sources {
        heading.push_str(&format!("# From {}\n", one_line(source)));
    }
    for upstream in &needs.upstreams {
        heading.push_str(&format!("# To write: [upstreams.{upstream}] with the `url` of that origin.\n"));
    }
    heading
}

fn implicit() -> Table {
    let mut table = Table::new();
    table.set_implicit(true);
    table
}

fn policy(document: &mut DocumentMut, settings: &Settings) {
    if let Some(ca) = &settings.trusted_ca {
        let mut set = Table::new();
        set.insert("certificates", value(Array::from_iter([format!("trusted-ca/ca_{ca}.pem")])));
        if !settings.crl.is_empty() {
            set.insert("crl", value(settings.crl.iter().map(|crl| format!("crl/crl_{crl}.pem")).collect::<Array>()));
        }
        let mut sets = implicit();
        sets.insert(&format!("ca_{ca}"), Item::Table(set));
        document.insert("trusted_ca", Item::Table(sets));
    }
    let mut policy = Table::new();
    policy.insert("verification", value(settings.verification));
    if let Some(ca) = &settings.trusted_ca {
        policy.insert("trusted_ca", value(format!("ca_{ca}")));
    }
    document.insert("policy", Item::Table(policy));
}

fn comments_of(rule: &Rule) -> String {
    let mut lines = String::new();
    if !rule.is_written() {
        lines.push_str(&format!("# The rule `{}` of the {} phase is left out:\n", one_line(&rule.name), rule.phase.word()));
    }
    for remark in &rule.own {
        lines.push_str(&remark.comment());
        lines.push('\n');
    }
    if !rule.is_written() {
        for remark in rule.criteria.iter().flatten().chain(&rule.behaviors).flat_map(|piece| &piece.remarks) {
            lines.push_str(&remark.comment());
            lines.push('\n');
        }
    }
    lines
}

fn rule_table(rule: &Rule) -> Table {
    let mut table = Table::new();
    table.insert("name", value(rule.name.as_str()));
    if let Some(description) = &rule.description {
        table.insert("description", value(description.as_str()));
    }
    // What is left out is what the key would be without it.
    if !rule.active || !rule.whole {
        table.insert("active", value(false));
    }
    if rule.phase != Phase::Request {
        table.insert("phase", value(rule.phase.word()));
    }
    let mut groups = List::default();
    for group in &rule.criteria {
        let mut list = List::default();
        for piece in group {
            let first = list.array.is_empty();
            list.push_piece(piece, "    ", |table| {
                // What stood before it may be a gap.
                if first {
                    table.insert("conditional", "if".into());
                }
            });
        }
        if list.array.is_empty() {
            groups.comments.append(&mut list.comments);
        } else {
            groups.push(Value::Array(list.finish("    ", "  ")), "  ");
        }
    }
    if !rule.criteria.is_empty() {
        table.insert("criteria", value(groups.finish("  ", "")));
    }
    let mut behaviors = List::default();
    for piece in &rule.behaviors {
        behaviors.push_piece(piece, "  ", |_| {});
    }
    table.insert("behaviors", value(behaviors.finish("  ", "")));
    table
}

/// A list with a line for each entry, and comments between them.
#[derive(Default)]
struct List {
    array: Array,
    /// Those that stand before the next entry.
    comments: Vec<String>,
}

impl List {
    fn push_piece(&mut self, piece: &Piece, indent: &str, mend: impl Fn(&mut InlineTable)) {
        self.comments.extend(piece.remarks.iter().map(crate::cli::import::remark::Remark::comment));
        if let Some(table) = &piece.table {
            let mut table = table.clone();
            mend(&mut table);
            self.push(Value::InlineTable(table), indent);
        }
    }

    fn push(&mut self, mut value: Value, indent: &str) {
        let lines = self.lines(indent);
        value.decor_mut().set_prefix(format!("{lines}\n{indent}"));
        value.decor_mut().set_suffix("");
        self.array.push_formatted(value);
    }

    fn finish(mut self, indent: &str, closing: &str) -> Array {
        let lines = self.lines(indent);
        self.array.set_trailing(format!("{lines}\n{closing}"));
        self.array.set_trailing_comma(!self.array.is_empty());
        self.array
    }

    fn lines(&mut self, indent: &str) -> String {
        self.comments.drain(..).map(|comment| format!("\n{indent}{comment}")).collect()
    }
}
