//! Clients and their credentials: bodies, queries, and how they are shown.

use actix_web::web::Bytes;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::body::{Body, missing, wrong_type};
use super::failure::Failure;
use super::list;
use super::operations::is_client_id;
use super::render::instant;
use crate::clock::UnixTime;
use crate::domains::{ClientPatch, CredentialKind, CredentialRecord, NewClient, NewCredential, WithCredentials};

const METHODS: &str = "client_authentication_methods";
/// How a client authenticates itself when not by a certificate (Auth0).
const OTHER_METHODS: [&str; 3] = ["none", "client_secret_post", "client_secret_basic"];
const LONGEST_NAME: usize = 255;
const LONGEST_DESCRIPTION: usize = 140;
/// Of Auth0's pages.
const MOST_PER_PAGE: u32 = 100;

/// A client, its fields in Auth0's order.
#[derive(Serialize)]
pub(super) struct Client {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    client_id: String,
    token_endpoint_auth_method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_authentication_methods: Option<Value>,
}

/// A credential.
#[derive(Serialize)]
pub(super) struct Credential {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    credential_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_dn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbprint_sha256: Option<String>,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

pub(super) fn client((client, credentials): WithCredentials) -> Client {
    let used: Vec<Value> =
        credentials.iter().filter(|one| one.in_use).map(|credential| json!({ "id": credential.id })).collect();
    let methods = client.certificates.map(|kind| json!({ kind.method(): { "credentials": used } }));
    Client {
        name: client.name,
        description: client.description,
        client_id: client.id,
        token_endpoint_auth_method: client.token_endpoint_auth_method,
        client_authentication_methods: methods,
    }
}

pub(super) fn credential(record: CredentialRecord) -> Credential {
    let what = record.credential;
    Credential {
        id: record.id,
        name: what.name,
        credential_type: what.kind.word(),
        subject_dn: what.subject_dn,
        thumbprint_sha256: what.thumbprint,
        created_at: instant(record.created_at),
        updated_at: instant(record.updated_at),
        expires_at: what.expires_at.map(instant),
    }
}

pub(super) fn new_client(bytes: &Bytes) -> Result<NewClient, Failure> {
    let mut body = Body::read(bytes)?;
    let id = body.text("client_id")?;
    if id.as_ref().is_some_and(|id| !is_client_id(id)) {
        return Err(Failure::property("client_id", "Object didn't pass validation for format client-id"));
    }
    let name = name(&mut body)?.ok_or_else(|| missing("name"))?;
    let description = description(&mut body)?.flatten();
    let other = other_method(&mut body)?;
    let certificates = match methods(&mut body)?.flatten() {
        None => None,
        Some((kind, items)) => {
            let read = items.into_iter().map(|item| {
                let mut item = Body::of(item, METHODS)?;
                let credential = read_credential(&mut item)?;
                item.finish()?;
                if credential.kind != kind {
                    return Err(Failure::property(METHODS, &format!("{} takes {} alone", kind.method(), kind.word())));
                }
                Ok(credential)
            });
            Some((kind, read.collect::<Result<Vec<_>, _>>()?))
        }
    };
    body.finish()?;
    check_one_method(other.as_ref(), certificates.is_some())?;
    let usual = certificates.is_none().then(|| "client_secret_post".to_owned());
    Ok(NewClient { id, name, description, token_endpoint_auth_method: other.unwrap_or(usual), certificates })
}

pub(super) fn client_patch(bytes: &Bytes) -> Result<ClientPatch, Failure> {
    let mut body = Body::read(bytes)?;
    let (name, description, other) = (name(&mut body)?, description(&mut body)?, other_method(&mut body)?);
    let certificates = match methods(&mut body)? {
        None => None,
        Some(None) => Some(None),
        Some(Some((kind, items))) => {
            let ids = items.into_iter().map(|item| {
                let mut item = Body::of(item, METHODS)?;
                let id = item.text("id")?.ok_or_else(|| missing("id"))?;
                item.finish().map(|()| id)
            });
            Some(Some((kind, ids.collect::<Result<Vec<_>, _>>()?)))
        }
    };
    body.finish()?;
    check_one_method(other.as_ref(), matches!(certificates, Some(Some(_))))?;
    Ok(ClientPatch { name, description, token_endpoint_auth_method: other, certificates })
}

pub(super) fn new_credential(bytes: &Bytes) -> Result<NewCredential, Failure> {
    let mut body = Body::read(bytes)?;
    let credential = read_credential(&mut body)?;
    body.finish().map(|()| credential)
}

/// When a credential is to end; none is never.
pub(super) fn credential_end(bytes: &Bytes) -> Result<Option<UnixTime>, Failure> {
    let mut body = Body::read(bytes)?;
    let name = "expires_at";
    let text = body.text_or_null(name)?.ok_or_else(|| missing(name))?;
    body.finish()?;
    let read = |text: String| {
        let wrong = || Failure::property(name, "Object didn't pass validation for format date-time");
        UnixTime::from_rfc3339(&text).ok_or_else(wrong)
    };
    text.map(read).transpose()
}

fn read_credential(body: &mut Body) -> Result<NewCredential, Failure> {
    let words = CredentialKind::ALL.map(|(_, word, _)| word);
    let kind = body.one_of("credential_type", &words)?.ok_or_else(|| missing("credential_type"))?;
    let kind = CredentialKind::parse(&kind).ok_or_else(|| missing("credential_type"))?;
    let (name, pem, subject) = (body.text("name")?, body.text("pem")?, body.text("subject_dn")?);
    NewCredential::read(kind, name, pem.as_deref(), subject).map_err(|(property, why)| Failure::property(property, &why))
}

fn name(body: &mut Body) -> Result<Option<String>, Failure> {
    let name = body.text("name")?;
    match &name {
        Some(text) if text.trim().is_empty() || text.chars().count() > LONGEST_NAME => {
            Err(Failure::property("name", &format!("Expected 1 to {LONGEST_NAME} characters, not spaces alone")))
        }
        _ => Ok(name),
    }
}

fn description(body: &mut Body) -> Result<Option<Option<String>>, Failure> {
    let description = body.text_or_null("description")?;
    match &description {
        Some(Some(text)) if text.chars().count() > LONGEST_DESCRIPTION => {
            Err(Failure::property("description", &format!("String is too long, maximum {LONGEST_DESCRIPTION}")))
        }
        _ => Ok(description),
    }
}

fn other_method(body: &mut Body) -> Result<Option<Option<String>>, Failure> {
    let name = "token_endpoint_auth_method";
    match body.text_or_null(name)? {
        Some(Some(word)) if !OTHER_METHODS.contains(&word.as_str()) => {
            Err(Failure::property(name, &format!("No enum match for: {word:.40}")))
        }
        word => Ok(word),
    }
}

type Methods = Option<(CredentialKind, Vec<Value>)>;

/// Exactly one method, and what stands in its `credentials`. An inner none is `null`.
fn methods(body: &mut Body) -> Result<Option<Methods>, Failure> {
    let value = match body.take(METHODS) {
        None => return Ok(None),
        Some(Value::Null) => return Ok(Some(None)),
        Some(value) => value,
    };
    let Value::Object(methods) = value else { return Err(wrong_type(METHODS, "object", &value)) };
    let mut methods = methods.into_iter();
    let accepted = || Failure::property(METHODS, "Expected one of tls_client_auth and self_signed_tls_client_auth");
    let (Some((method, what)), None) = (methods.next(), methods.next()) else { return Err(accepted()) };
    let kind = CredentialKind::of_method(&method).ok_or_else(accepted)?;
    let mut what = Body::of(what, METHODS)?;
    let items = match what.take("credentials") {
        Some(Value::Array(items)) if !items.is_empty() => items,
        _ => return Err(Failure::property(METHODS, "Expected credentials, one or more")),
    };
    what.finish()?;
    Ok(Some(Some((kind, items))))
}

/// Auth0: the one is null when the other is there.
fn check_one_method(other: Option<&Option<String>>, certificates: bool) -> Result<(), Failure> {
    if certificates && matches!(other, Some(Some(_))) {
        let why = format!("must be null beside {METHODS}");
        return Err(Failure::property("token_endpoint_auth_method", &why));
    }
    Ok(())
}

/// What a list of clients is asked for.
pub(super) struct Wanted {
    page: u32,
    per_page: u32,
    totals: bool,
    fields: Vec<String>,
    include: bool,
}

impl Wanted {
    pub(super) fn read(query: &str) -> Result<Self, Failure> {
        let mut wanted = Self { page: 0, per_page: 50, totals: false, fields: Vec::new(), include: true };
        for (name, value) in list::parameters(query)? {
            if list::fields(&name, &value, &mut wanted.fields, &mut wanted.include)? {
                continue;
            }
            let refused =
                |accepted: &str| Failure::bad_request("invalid_query_string", format!("{name:.40} must be {accepted}."));
            match name.as_str() {
                "page" => {
                    wanted.page =
                        value.parse().ok().filter(|page| *page <= 100_000).ok_or_else(|| refused("from 0 to 100000"))?
                }
                "per_page" => {
                    let number = value.parse().ok().filter(|number| (1..=MOST_PER_PAGE).contains(number));
                    wanted.per_page = number.ok_or_else(|| refused("from 1 to 100"))?;
                }
                "include_totals" => wanted.totals = value.parse().map_err(|_| refused("a boolean"))?,
                _ => return Err(list::unknown(&name)),
            }
        }
        Ok(wanted)
    }

    pub(super) fn after(&self) -> u32 {
        self.page.saturating_mul(self.per_page)
    }

    pub(super) fn per_page(&self) -> u32 {
        self.per_page
    }

    /// The answer: an array, or with totals an object.
    pub(super) fn answer(&self, (found, total): (Vec<WithCredentials>, i64)) -> Result<Value, serde_json::Error> {
        let shown = found.into_iter().map(|one| serde_json::to_value(client(one)));
        let shown = shown.map(|value| value.map(|value| super::render::project(value, &self.fields, self.include)));
        let shown = shown.collect::<Result<Vec<Value>, _>>()?;
        if !self.totals {
            return Ok(Value::Array(shown));
        }
        let numbers = [("start", i64::from(self.after())), ("limit", i64::from(self.per_page)), ("total", total)];
        let mut page: Map<String, Value> = numbers.map(|(name, number)| (name.to_owned(), json!(number))).into_iter().collect();
        page.insert("clients".to_owned(), Value::Array(shown));
        Ok(Value::Object(page))
    }
}
