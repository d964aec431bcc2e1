//! Consumers, their groups, and the names that lead to them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::auth::Kind;
use super::authority::{Authority, authority};
use super::entity::{Belongs, Names, fields, named, objects, text};
use crate::cli::import::fields::Fields;
use crate::cli::import::remark::Report;

/// All of them.
#[derive(Default)]
pub(super) struct People {
    pub(super) consumers: Vec<Consumer>,
    /// Names and ids of consumer groups, with their shown names.
    pub(super) groups: Vec<Names>,
}

/// A consumer.
pub(super) struct Consumer {
    pub(super) names: Names,
    pub(super) place: String,
    pub(super) custom_id: Option<String>,
    /// Of the plugin acl.
    pub(super) acl_groups: BTreeSet<String>,
    pub(super) consumer_groups: BTreeSet<String>,
    pub(super) tags: Vec<String>,
    pub(super) credentials: Vec<Credential>,
}

/// A subject name that leads to a consumer.
pub(super) struct Credential {
    pub(super) kind: Kind,
    pub(super) id: Option<String>,
    pub(super) subject_name: String,
    pub(super) ca: Option<[u8; 32]>,
}

const CREDENTIALS: [(&str, Kind); 2] = [("mtls_auth_credentials", Kind::Mtls), ("header_cert_auth_credentials", Kind::Header)];

/// Plugins that stand inside of consumers or groups, each list with its place.
pub(super) type Nested<'j> = Vec<(String, &'j Value)>;

/// Reads every section that is about people.
pub(super) fn read<'j>(
    source: &str,
    top: &mut Fields<'j>,
    people: &mut People,
    authorities: &[Authority],
    report: &mut Report,
) -> Nested<'j> {
    let mut nested = Vec::new();
    let mut members = Vec::new();
    groups(source, top.get("consumer_groups"), people, &mut members, &mut nested, report);
    for (at, value) in objects(top.get("consumers"), &format!("{source}: consumers"), report).into_iter().enumerate() {
        let Some(mut of) = fields(value) else { continue };
        let names = Names { id: text(&mut of, "id"), name: text(&mut of, "username") };
        let place = format!("{source}: {}", names.shown("consumer", at));
        let mut consumer = Consumer {
            custom_id: text(&mut of, "custom_id"),
            acl_groups: BTreeSet::new(),
            consumer_groups: BTreeSet::new(),
            tags: tags(value),
            credentials: Vec::new(),
            names,
            place: place.clone(),
        };
        for (section, kind) in CREDENTIALS {
            for value in objects(of.get(section), &place, report) {
                credential(value, kind, &mut consumer, authorities, report);
            }
        }
        for value in objects(of.get("acls"), &place, report) {
            consumer.acl_groups.extend(value.get("group").and_then(Value::as_str).map(str::to_owned));
        }
        for group in of.get("groups").and_then(Value::as_array).into_iter().flatten() {
            consumer.consumer_groups.extend(named(group).map(|name| people.shown_group(&name)));
        }
        if let Some(plugins) = of.get("plugins") {
            nested.push((format!("{place}: "), plugins));
        }
        // Other plugins' credentials: only their names are told.
        report.unknown(&place, &of);
        people.consumers.push(consumer);
    }
    flat(source, top, people, authorities, &mut members, report);
    for (consumer, group) in members {
        let group = people.shown_group(&group);
        match people.consumers.iter_mut().find(|known| known.names.are(&consumer)) {
            Some(consumer) => drop(consumer.consumer_groups.insert(group)),
            None => report.left_out(source, "a consumer group has a consumer that is not in the file"),
        }
    }
    nested
}

impl People {
    fn shown_group(&self, reference: &str) -> String {
        let group = self.groups.iter().find(|group| group.are(reference));
        group.and_then(|group| group.name.clone()).unwrap_or_else(|| reference.to_owned())
    }
}

fn tags(value: &Value) -> Vec<String> {
    let tags = value.get("tags").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    tags.iter().filter_map(|tag| tag.as_str().map(str::to_owned)).collect()
}

fn groups<'j>(
    source: &str,
    list: Option<&'j Value>,
    people: &mut People,
    members: &mut Vec<(String, String)>,
    nested: &mut Nested<'j>,
    report: &mut Report,
) {
    for (at, value) in objects(list, &format!("{source}: consumer_groups"), report).into_iter().enumerate() {
        let Some(mut of) = fields(value) else { continue };
        let names = Names { id: text(&mut of, "id"), name: text(&mut of, "name") };
        let place = format!("{source}: {}", names.shown("consumer group", at));
        let own = names.name.clone().or_else(|| names.id.clone()).unwrap_or_default();
        for member in of.get("consumers").and_then(Value::as_array).into_iter().flatten() {
            members.extend(named(member).map(|name| (name, own.clone())));
        }
        if let Some(plugins) = of.get("plugins") {
            nested.push((format!("{place}: "), plugins));
        }
        report.unknown(&place, &of);
        people.groups.push(names);
    }
}

/// The sections beside `consumers` that name them.
fn flat(
    source: &str,
    top: &mut Fields<'_>,
    people: &mut People,
    authorities: &[Authority],
    members: &mut Vec<(String, String)>,
    report: &mut Report,
) {
    for (section, kind) in CREDENTIALS {
        for value in objects(top.get(section), &format!("{source}: {section}"), report) {
            if let Some(at) = of_consumer(value, people, &format!("{source}: {section}"), report)
                && let Some(consumer) = people.consumers.get_mut(at)
            {
                credential(value, kind, consumer, authorities, report);
            }
        }
    }
    for value in objects(top.get("acls"), &format!("{source}: acls"), report) {
        let group = value.get("group").and_then(Value::as_str).map(str::to_owned);
        if let Some(at) = of_consumer(value, people, &format!("{source}: acls"), report)
            && let Some(consumer) = people.consumers.get_mut(at)
        {
            consumer.acl_groups.extend(group);
        }
    }
    for value in objects(top.get("consumer_group_consumers"), &format!("{source}: consumer_group_consumers"), report) {
        let pair = (value.get("consumer").and_then(named), value.get("consumer_group").and_then(named));
        if let (Some(consumer), Some(group)) = pair {
            members.push((consumer, group));
        }
    }
}

fn of_consumer(value: &Value, people: &People, place: &str, report: &mut Report) -> Option<usize> {
    let found = Belongs::find(value.get("consumer"), people.consumers.iter().map(|consumer| &consumer.names));
    if found.index().is_none() {
        report.left_out(place, "an entry whose consumer is not in the file");
    }
    found.index()
}

fn credential(value: &Value, kind: Kind, consumer: &mut Consumer, authorities: &[Authority], report: &mut Report) {
    let Some(mut of) = fields(value) else { return };
    of.skip(&["consumer"]);
    let id = text(&mut of, "id");
    let place = format!("{}: credential {}", consumer.place, id.as_deref().unwrap_or_default());
    let subject_name = text(&mut of, "subject_name").unwrap_or_default();
    let ca = match of.get("ca_certificate") {
        None => Ok(None),
        Some(value) => scope(value, authorities).map(Some),
    };
    report.unknown(&place, &of);
    match ca {
        // Without its CA it would be for every CA.
        Err(why) => report.left_out(&place, why),
        Ok(_) if subject_name.is_empty() => report.left_out(&place, "has no `subject_name`"),
        Ok(ca) => consumer.credentials.push(Credential { kind, id, subject_name, ca }),
    }
}

/// The CA of a credential: by id, or as PEM.
fn scope(value: &Value, authorities: &[Authority]) -> Result<[u8; 32], String> {
    let wanted = named(value).or_else(|| value.get("cert")?.as_str().map(str::to_owned)).unwrap_or_default();
    if wanted.contains("-----BEGIN") {
        return authority(Names::default(), &wanted).map(|ca| ca.sha256).map_err(|why| format!("its `ca_certificate` {why}"));
    }
    let known = authorities.iter().find(|authority| authority.names.are(&wanted));
    known.map(|ca| ca.sha256).ok_or_else(|| "its `ca_certificate` is not in the file".into())
}

/// The groups that a consumer is in, as far as one list can say it; the others by name.
///
/// The plugin acl counts consumer groups only where it is told to (`include_consumer_groups`): one that it must not count may not
/// stand in the list.
pub(super) fn groups_of(consumer: &Consumer, taken: &BTreeMap<String, bool>) -> (Vec<String>, Vec<String>) {
    let may = |group: &&String| taken.get(*group).copied().unwrap_or(true);
    let mut groups: Vec<String> = consumer.acl_groups.iter().cloned().collect();
    let (kept, lost): (Vec<&String>, Vec<&String>) = consumer.consumer_groups.iter().partition(may);
    groups.extend(kept.into_iter().filter(|group| !consumer.acl_groups.contains(*group)).cloned());
    (groups, lost.into_iter().cloned().collect())
}
