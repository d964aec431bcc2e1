//! What whoever creates or changes a custom domain may say, read once.

use std::collections::BTreeMap;

/// Auth0's four headers with the client's address.
const CLIENT_IP_HEADERS: [&str; 4] = ["true-client-ip", "cf-connecting-ip", "x-forwarded-for", "x-azure-clientip"];
/// Limits of `domain_metadata` (Auth0).
const MOST_METADATA: usize = 10;
const LONGEST_METADATA: usize = 255;

/// The header with the client's address; none is the usual one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientIpHeader(Option<String>);

impl ClientIpHeader {
    /// Reads one of Auth0's names; an empty text is none.
    ///
    /// # Errors
    /// What is accepted.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "" => Ok(Self(None)),
            known if CLIENT_IP_HEADERS.contains(&known) => Ok(Self(Some(known.to_owned()))),
            _ => Err(format!("No enum match for: {text}")),
        }
    }

    /// The name.
    pub fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// Changes of the notes: a key without a value is taken away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata(BTreeMap<String, Option<String>>);

impl Metadata {
    /// Reads changes within Auth0's limits.
    ///
    /// # Errors
    /// Which limit is passed.
    pub fn new(changes: BTreeMap<String, Option<String>>) -> Result<Self, String> {
        let too_long = |text: &str| text.chars().count() > LONGEST_METADATA;
        if changes.len() > MOST_METADATA {
            return Err(format!("Object has too many properties ({}), maximum {MOST_METADATA}", changes.len()));
        }
        let long = changes.iter().find(|(key, value)| too_long(key) || value.as_deref().is_some_and(too_long));
        match long {
            Some((key, _)) => Err(format!("String is too long, maximum {LONGEST_METADATA}, at {key:.40}")),
            None => Ok(Self(changes)),
        }
    }

    /// The notes after these changes. Auth0 merges them.
    ///
    /// # Errors
    /// When there would be too many.
    pub(super) fn merged(&self, before: Option<&BTreeMap<String, String>>) -> Result<BTreeMap<String, String>, String> {
        let mut after = before.cloned().unwrap_or_default();
        for (key, value) in &self.0 {
            match value {
                Some(value) => after.insert(key.clone(), value.clone()),
                None => after.remove(key),
            };
        }
        if after.len() > MOST_METADATA {
            return Err(format!("Object has too many properties ({}), maximum {MOST_METADATA}", after.len()));
        }
        Ok(after)
    }
}

/// A domain that is to be created.
#[derive(Debug, Clone)]
pub struct NewDomain {
    /// The host name, lower case.
    pub domain: String,
    /// The header with the client's address.
    pub client_ip_header: ClientIpHeader,
    /// The operator's notes.
    pub metadata: Option<Metadata>,
    /// The name under which passkeys are registered.
    pub relying_party_identifier: Option<String>,
}

/// What is to be changed of a domain; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct Patch {
    /// The header with the client's address.
    pub client_ip_header: Option<ClientIpHeader>,
    /// The operator's notes.
    pub metadata: Option<Metadata>,
    /// The name under which passkeys are registered; an inner none takes it away.
    pub relying_party_identifier: Option<Option<String>>,
}

/// A host name in lower case, of two labels at least: labels of letters, digits and hyphens (RFC 1123 §2.1).
///
/// # Errors
/// What is accepted.
pub fn host_name(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.len() <= 63 && label.bytes().all(known) && !label.starts_with('-') && !label.ends_with('-')
    };
    let number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    let named = text.rsplit('.').next().is_some_and(|last| !number(last));
    if !(3..=253).contains(&text.len()) || !text.contains('.') || !text.split('.').all(label) || !named {
        let accepted = "two labels or more of letters, digits and hyphens, others written as xn--…, no port, no final dot";
        return Err(format!("Object didn't pass validation for format hostname: {accepted}"));
    }
    Ok(text.to_ascii_lowercase())
}

/// Whether a name is a domain, or one that the domain stands below, of two labels at least.
pub(super) fn is_suffix(name: &str, domain: &str) -> bool {
    is_below(name, domain) && name.contains('.')
}

/// Whether a domain is a name, or stands below it.
pub(super) fn is_below(name: &str, domain: &str) -> bool {
    domain.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names() {
        assert_eq!(host_name("Login.Example.com").unwrap(), "login.example.com");
        let long = format!("{}.example", "a".repeat(64));
        let bad = [
            "",
            "a",
            "localhost",
            "a..b",
            ".a.b",
            "a.b.",
            "-a.b",
            "a-.b",
            "a_b.c",
            "a b.c",
            "127.0.0.1",
            "é.example",
            "a.b:80",
            "*.a.b",
            &long,
        ];
        for bad in bad {
            assert!(host_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn suffixes() {
        for (name, domain, is) in [
            ("login.a.example", "login.a.example", true),
            ("a.example", "login.a.example", true),
            ("n.a.example", "login.a.example", false),
            ("example", "login.a.example", false),
            ("x.login.a.example", "login.a.example", false),
        ] {
            assert_eq!(is_suffix(name, domain), is, "{name}");
        }
        assert!(is_below("edge", "x.edge") && is_below("edge", "edge") && !is_below("edge", "x.hedge"));
    }

    #[test]
    fn metadata_merges_within_limits() {
        let text = |pairs: &[(&str, Option<&str>)]| {
            Metadata::new(pairs.iter().map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned))).collect())
        };
        let before = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
        let merged = text(&[("a", None), ("c", Some("3"))]).unwrap().merged(Some(&before)).unwrap();
        assert_eq!(merged, BTreeMap::from([("b".to_owned(), "2".to_owned()), ("c".to_owned(), "3".to_owned())]));
        assert!(text(&[("a", Some(&"x".repeat(255)))]).is_ok());
        assert!(text(&[("a", Some(&"x".repeat(256)))]).is_err());
        let many = |count: usize| (0..count).map(|at| (format!("k{at}"), Some(String::new()))).collect();
        assert!(Metadata::new(many(11)).is_err());
        assert!(Metadata::new(many(10)).unwrap().merged(Some(&before)).is_err());
    }
}
