//! What a plugin asks, as a route's policy.

use std::collections::BTreeMap;

use toml_edit::Value;

use super::auth::Auth;
use super::guard::{Acl, Guard};
use super::person::{Consumer, People};
use crate::cli::import::lines::texts;
use crate::cli::import::remark::Report;

/// The keys of a `policy` table, in order.
pub(super) type Keys = Vec<(&'static str, Value)>;

/// A set of CAs: what makes it, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) authorities: Vec<String>,
    pub(super) allow_partial_chain: bool,
    /// Whether anything asks for revocation.
    pub(super) asks: bool,
}

/// The policy of an open route, and of one that leads nowhere.
pub(super) fn off() -> Keys {
    vec![("verification", "off".into())]
}

/// The policy of a route with a certificate.
pub(super) fn of(guard: &Guard<'_>, auth: &Auth, set: &str, people: &People) -> Keys {
    let known = |name: &Option<String>| name.as_ref().and_then(|name| people.find(name)).map(Consumer::id);
    let anonymous = known(&auth.anonymous);
    let verification = if anonymous.is_some() { "permissive" } else { "enforce" };
    let mut keys: Keys = vec![("verification", verification.into()), ("trusted_ca", set.into())];
    keys.push(("revocation_check_mode", auth.revocation_check_mode.into()));
    if auth.skip_consumer_lookup {
        keys.push(("skip_consumer_lookup", true.into()));
        keys.push(("authenticated_group_by", auth.authenticated_group_by.into()));
    } else {
        if let Some(by) = &auth.consumer_by {
            keys.push(("consumer_by", texts(by)));
        }
        if !auth.san_dirname_matcher.is_empty() {
            keys.push(("san_dirname_matcher", texts(&auth.san_dirname_matcher)));
        }
        if let Some(consumer) = known(&auth.default_consumer) {
            keys.push(("default_consumer", consumer.into()));
        }
    }
    if let Some(consumer) = anonymous {
        keys.push(("anonymous", consumer.into()));
    }
    if let Some(acl) = guard.acl {
        for (key, groups) in [("allow_groups", &acl.allow), ("deny_groups", &acl.deny)] {
            if !groups.is_empty() {
                keys.push((key, texts(groups)));
            }
        }
    }
    keys
}

/// Names that a plugin gives and nobody has: told once for each plugin.
pub(super) fn lost_names(auth: &Auth, people: &People, report: &mut Report) {
    let names = [("anonymous", &auth.anonymous), ("default_consumer", &auth.default_consumer)];
    for (key, name) in names {
        if name.as_ref().is_some_and(|name| people.find(name).is_none()) {
            report.left_out(&auth.place, format!("`{key}` is no consumer of the file: such requests are refused"));
        }
    }
    if auth.skip_consumer_lookup && auth.default_consumer.is_some() {
        report.note(&auth.place, "`default_consumer` has no effect beside `skip_consumer_lookup`");
    }
}

/// What is asked about revocation, told once for each plugin.
pub(super) fn revocation(auth: &Auth, hosts: &[String], report: &mut Report) {
    let fill =
        "name the hosts of its lists and responders in `revocation_hosts` (with `ocsp = \"leaf\"`), or with --revocation-host";
    match auth.revocation_check_mode {
        "SKIP" => {}
        _ if !hosts.is_empty() => {
            let text =
                "lists and OCSP answers come from the hosts of --revocation-host alone; Kong goes wherever a certificate says";
            report.note(&auth.place, text);
        }
        "STRICT" => report.stronger(&auth.place, format!("nothing is fetched, and STRICT refuses what is not known: {fill}")),
        _ => report
            .weaker(&auth.place, format!("Kong fetches from wherever a certificate says, and nothing is fetched here: {fill}")),
    }
}

/// Whether a group of consumers may stand beside those of acl: no plugin may name it that must not count it.
pub(super) fn consumer_groups(people: &People, acls: &[&Acl]) -> BTreeMap<String, bool> {
    let mut may = BTreeMap::new();
    let all = people.consumers.iter();
    for group in all.clone().flat_map(|consumer| &consumer.consumer_groups) {
        let of_acl = all.clone().any(|consumer| consumer.acl_groups.contains(group));
        let counted = acls.iter().filter(|acl| acl.names(group)).all(|acl| acl.include_consumer_groups);
        may.insert(group.clone(), counted && !of_acl);
    }
    may
}
