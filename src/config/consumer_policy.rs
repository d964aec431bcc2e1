//! What a policy says about consumers (Kong's keys), before their names are looked up.

use std::sync::Arc;

use openssl::asn1::Asn1Object;

use super::table::Table;
use crate::admission::VerificationMode;
use crate::consumer::{Consumer, ConsumerBy, ConsumerDirectory, ConsumerPolicy, GroupBy, GroupRules, Lookup};
use crate::variables::AttributeType;

#[derive(Clone, Default)]
pub(super) struct ConsumerSettings {
    consumer_by: ConsumerBy,
    default_consumer: Option<String>,
    anonymous: Option<String>,
    skip_consumer_lookup: bool,
    authenticated_group_by: GroupBy,
    san_dirname_matcher: Vec<AttributeType>,
    groups: GroupRules,
}

/// The keys that have no effect where no certificate is looked at.
pub(super) const KEYS: [&str; 5] = ["allow_groups", "anonymous", "default_consumer", "deny_groups", "skip_consumer_lookup"];

impl ConsumerSettings {
    /// Reads a policy table's part; what it leaves out is as in `self`.
    pub(super) fn read(&self, table: &Table<'_>) -> Self {
        // An empty text undoes the tenant's.
        let named = |key: &str, inherited: &Option<String>| match table.text(key) {
            Some(name) => Some(name).filter(|name| !name.is_empty()),
            None => inherited.clone(),
        };
        let groups = |key: &str, inherited: &Vec<String>| {
            if table.has(key) { table.texts(key) } else { inherited.clone() }
        };
        let by = [("CN", GroupBy::CommonName), ("DN", GroupBy::DistinguishedName)];
        Self {
            consumer_by: consumer_by(table).unwrap_or(self.consumer_by),
            default_consumer: named("default_consumer", &self.default_consumer),
            anonymous: named("anonymous", &self.anonymous),
            skip_consumer_lookup: table.boolean("skip_consumer_lookup", self.skip_consumer_lookup),
            authenticated_group_by: table.choice("authenticated_group_by", &by, self.authenticated_group_by),
            san_dirname_matcher: san_dirname_matcher(table).unwrap_or_else(|| self.san_dirname_matcher.clone()),
            groups: GroupRules {
                allow: groups("allow_groups", &self.groups.allow),
                deny: groups("deny_groups", &self.groups.deny),
            },
        }
    }

    /// Whether a key is written and says something.
    pub(super) fn says(&self, table: &Table<'_>, key: &str) -> bool {
        table.has(key)
            && match key {
                "allow_groups" => !self.groups.allow.is_empty(),
                "anonymous" => self.anonymous.is_some(),
                "default_consumer" => self.default_consumer.is_some(),
                "deny_groups" => !self.groups.deny.is_empty(),
                _ => self.skip_consumer_lookup,
            }
    }

    /// Looks the consumers up.
    pub(super) fn ready(
        &self,
        at: &Table<'_>,
        directory: &Arc<ConsumerDirectory>,
        verification: VerificationMode,
    ) -> Option<ConsumerPolicy> {
        let allow = &self.groups.allow;
        if verification == VerificationMode::Off {
            if !allow.is_empty() {
                let found = "lets nobody pass: `verification` is `off`, and nobody is in a group";
                at.problem("policy.allow_groups", found, "`allow_groups = []` beside `verification = \"off\"`");
            }
            return Some(ConsumerPolicy::default());
        }
        let lookup = if self.skip_consumer_lookup {
            Lookup::Skip(self.authenticated_group_by)
        } else if directory.is_empty() {
            Lookup::Off
        } else {
            let san_dirname_matcher = self.san_dirname_matcher.clone();
            Lookup::Find { directory: Arc::clone(directory), consumer_by: self.consumer_by, san_dirname_matcher }
        };
        if matches!(lookup, Lookup::Off) && !allow.is_empty() {
            let found = "lets nobody pass: the tenant has no consumers";
            at.problem("policy.allow_groups", found, "[[consumers]], or `skip_consumer_lookup = true`");
        }
        let default_consumer = named(at, "default_consumer", self.default_consumer.as_deref(), directory)?;
        let anonymous = named(at, "anonymous", self.anonymous.as_deref(), directory)?;
        let required = verification == VerificationMode::Enforce;
        Some(ConsumerPolicy { lookup, default_consumer, anonymous, required, groups: self.groups.clone() })
    }
}

/// The outer option is none after a problem.
fn named(at: &Table<'_>, key: &str, name: Option<&str>, directory: &ConsumerDirectory) -> Option<Option<Arc<Consumer>>> {
    let Some(name) = name else { return Some(None) };
    let found = directory.named(name);
    if found.is_none() {
        let accepted = "the id or the username of one of [[consumers]]";
        at.problem(&format!("policy.{key}"), format!("there is no consumer `{name}`"), accepted);
    }
    found.map(|consumer| Some(Arc::clone(consumer)))
}

/// `[]` turns matching by name off (Kong).
fn consumer_by(table: &Table<'_>) -> Option<ConsumerBy> {
    if !table.has("consumer_by") {
        return None;
    }
    let mut by = ConsumerBy { username: false, custom_id: false };
    for word in table.texts("consumer_by") {
        match word.as_str() {
            "username" => by.username = true,
            "custom_id" => by.custom_id = true,
            _ => table.problem("consumer_by", format!("found `{word}`"), "accepted: username, custom_id"),
        }
    }
    Some(by)
}

fn san_dirname_matcher(table: &Table<'_>) -> Option<Vec<AttributeType>> {
    if !table.has("san_dirname_matcher") {
        return None;
    }
    let parsed = table.texts("san_dirname_matcher").into_iter().filter_map(|written| {
        let kind = AttributeType::parse(&written).or_else(|| by_long_name(&written));
        if kind.is_none() {
            let accepted = "an attribute's OID, or OpenSSL's short or long name of it; letter case counts";
            table.problem("san_dirname_matcher", format!("found `{written}`"), accepted);
        }
        kind
    });
    Some(parsed.collect())
}

/// `commonName`.
fn by_long_name(written: &str) -> Option<AttributeType> {
    let nid = Asn1Object::from_str(written).ok()?.nid();
    AttributeType::parse(nid.short_name().ok()?).filter(|_| nid.long_name().is_ok_and(|name| name == written))
}
