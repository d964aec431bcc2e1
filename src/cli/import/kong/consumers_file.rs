//! The consumers as a file of `[[consumers]]`, for each of the two plugins: their credentials are apart.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use toml_edit::{Array, InlineTable, Value};

use super::auth::Kind;
use super::person::{Consumer, People, groups_of};
use crate::cli::import::lines::texts;
use crate::cli::import::remark::Report;

/// The longest name that a consumer may have, in bytes.
const LONGEST: usize = 255;

impl Consumer {
    /// What it is called here: its id, or the name that Kong would make an id of.
    pub(super) fn id(&self) -> &str {
        let names = [&self.names.id, &self.names.name, &self.custom_id];
        names.into_iter().flatten().next().map_or("", String::as_str)
    }
}

impl People {
    pub(super) fn find(&self, name: &str) -> Option<&Consumer> {
        self.consumers.iter().find(|consumer| consumer.names.are(name))
    }

    /// Takes out who cannot be written, and tells what is lost of the others.
    pub(super) fn settle(&mut self, counted: &BTreeMap<String, bool>, report: &mut Report) {
        let mut ids = BTreeSet::new();
        let mut names = BTreeSet::new();
        self.consumers.retain(|consumer| {
            let own: Vec<&String> =
                [&consumer.names.id, &consumer.names.name, &consumer.custom_id].into_iter().flatten().collect();
            let bad = own.iter().any(|name| !is_name(name)) || own.is_empty();
            // Two entries with one name: which of them a certificate would be is not said.
            let username = consumer.names.name.clone().map(|name| ("username", name));
            let custom_id = consumer.custom_id.clone().map(|name| ("custom_id", name));
            let twice = !ids.insert(consumer.id().to_owned())
                | [username, custom_id].into_iter().flatten().any(|name| !names.insert(name));
            if bad || twice {
                let why = if bad { "its names are missing, or cannot stand in a header" } else { "another one has its name" };
                report.left_out(&consumer.place, format!("is not carried over: {why}"));
            }
            !bad && !twice
        });
        for consumer in &mut self.consumers {
            if consumer.names.id.is_none() {
                let text = "has no `id`: `X-Consumer-ID` is its name, where Kong sends an id that it made up";
                report.note(&consumer.place, text);
            }
            let lost = groups_of(consumer, counted).1;
            if !lost.is_empty() {
                let text = "the consumer groups `{}`: here they would count for `allow_groups` and `deny_groups`, and in Kong \
                            they do not (`include_consumer_groups`)";
                report.left_out(&consumer.place, text.replace("{}", &lost.join("`, `")));
            }
            let fits = |group: &String| is_name(group) && !group.contains(',');
            let before = (consumer.acl_groups.len() + consumer.consumer_groups.len(), consumer.tags.len());
            consumer.acl_groups.retain(fits);
            consumer.consumer_groups.retain(fits);
            consumer.tags.retain(fits);
            if before != (consumer.acl_groups.len() + consumer.consumer_groups.len(), consumer.tags.len()) {
                report
                    .left_out(&consumer.place, "groups or tags that cannot stand in a header, since it joins them with commas");
            }
        }
        self.credentials(report);
    }

    fn credentials(&mut self, report: &mut Report) {
        let mut taken = BTreeSet::new();
        let mut scoped = false;
        for consumer in &mut self.consumers {
            let place = consumer.place.clone();
            consumer.credentials.retain(|credential| {
                let fits = is_name(&credential.subject_name) && credential.id.as_ref().is_none_or(|id| is_name(id));
                let new = taken.insert((credential.kind, credential.subject_name.clone(), credential.ca));
                if !fits || !new {
                    let why = if fits {
                        "another one maps the same certificates"
                    } else {
                        "it has control characters or spaces at its ends"
                    };
                    report.left_out(&place, format!("a credential is not carried over: {why}"));
                }
                scoped |= credential.ca.is_some();
                fits && new
            });
        }
        if scoped {
            let text = "a credential with `ca_certificate` is for certificates with that CA anywhere on their verified path; Kong asks \
                        for the issuing CA. It matters where a root is named that has other CAs below it";
            report.weaker("credentials", text);
        }
    }

    /// The file for one of the plugins.
    pub(super) fn write(&self, kind: Kind, counted: &BTreeMap<String, bool>) -> String {
        let mut text = format!("# Consumers, with the credentials of the plugin {}.\n", kind.plugin());
        for consumer in &self.consumers {
            let mut put = |key: &str, value: Value| {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "{key} = {value}");
            };
            put("\n[[consumers]]\nid", consumer.id().into());
            if let Some(name) = &consumer.names.name {
                put("username", name.into());
            }
            if let Some(custom_id) = &consumer.custom_id {
                put("custom_id", custom_id.into());
            }
            let groups = groups_of(consumer, counted).0;
            for (key, values) in [("groups", &groups), ("tags", &consumer.tags)] {
                if !values.is_empty() {
                    put(key, texts(values));
                }
            }
            let credentials = consumer.credentials.iter().filter(|credential| credential.kind == kind);
            let credentials: Array = credentials
                .map(|credential| {
                    let mut table = InlineTable::new();
                    if let Some(id) = &credential.id {
                        table.insert("id", id.into());
                    }
                    table.insert("subject_name", (&credential.subject_name).into());
                    if let Some(ca) = credential.ca {
                        table.insert("ca_certificate", format!("sha256:{}", hex::encode(ca)).into());
                    }
                    Value::InlineTable(table)
                })
                .collect();
            if !credentials.is_empty() {
                put("credentials", Value::Array(credentials));
            }
        }
        text
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST && text.trim() == text && !text.chars().any(char::is_control)
}
