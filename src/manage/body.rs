//! Bodies of requests: what is not known is refused by name.

use std::collections::BTreeMap;

use actix_web::web::Bytes;
use serde_json::{Map, Value};

use super::failure::Failure;
use crate::domains::{ClientIpHeader, Metadata, NewDomain, Patch, host_name, is_front_door_name};
use crate::oauth::unique_json;

/// How long the key before a rotation is taken when nothing is said: a day.
const OVERLAP: u32 = 86_400;
/// Thirty days.
const LONGEST_OVERLAP: u32 = 30 * 86_400;

/// A JSON object whose properties are read one by one.
pub(super) struct Body(Map<String, Value>);

impl Body {
    pub(super) fn read(bytes: &Bytes) -> Result<Self, Failure> {
        match unique_json(bytes) {
            Ok(Value::Object(properties)) => Ok(Self(properties)),
            Ok(_) => Err(Failure::body("Expected type object")),
            Err(why) => Err(Failure::body(&format!("Invalid JSON: {why}"))),
        }
    }

    /// The same; an empty body is an object without properties.
    fn read_or_empty(bytes: &Bytes) -> Result<Self, Failure> {
        if bytes.iter().all(u8::is_ascii_whitespace) { Ok(Self(Map::new())) } else { Self::read(bytes) }
    }

    /// The same of a value within another.
    pub(super) fn of(value: Value, property: &str) -> Result<Self, Failure> {
        match value {
            Value::Object(properties) => Ok(Self(properties)),
            other => Err(wrong_type(property, "object", &other)),
        }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, Failure> {
        match self.0.remove(name) {
            None => Ok(None),
            // PostgreSQL has no such texts.
            Some(Value::String(text)) if text.contains('\0') => Err(Failure::property(name, "String holds U+0000")),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong_type(name, "string", &other)),
        }
    }

    /// An inner none is `null`.
    pub(super) fn text_or_null(&mut self, name: &'static str) -> Result<Option<Option<String>>, Failure> {
        if self.0.get(name) == Some(&Value::Null) {
            self.0.remove(name);
            return Ok(Some(None));
        }
        Ok(self.text(name)?.map(Some))
    }

    pub(super) fn one_of(&mut self, name: &'static str, words: &[&str]) -> Result<Option<String>, Failure> {
        match self.text(name)? {
            Some(word) if !words.contains(&word.as_str()) => {
                Err(Failure::property(name, &format!("No enum match for: {word:.40}")))
            }
            word => Ok(word),
        }
    }

    fn front_door(&mut self) -> Result<Option<String>, Failure> {
        match self.text("front_door")? {
            Some(name) if !is_front_door_name(&name) => {
                Err(Failure::property("front_door", "Object didn't pass validation for format front-door"))
            }
            name => Ok(name),
        }
    }

    fn client_ip_header(&mut self) -> Result<Option<ClientIpHeader>, Failure> {
        let name = "custom_client_ip_header";
        let text = self.text_or_null(name)?.map(|text| text.unwrap_or_default());
        text.map(|text| ClientIpHeader::parse(&text)).transpose().map_err(|why| Failure::property(name, &why))
    }

    fn metadata(&mut self) -> Result<Option<Metadata>, Failure> {
        let name = "domain_metadata";
        let Some(value) = self.0.remove(name) else { return Ok(None) };
        let Value::Object(entries) = value else { return Err(wrong_type(name, "object", &value)) };
        let mut changes = BTreeMap::new();
        for (key, value) in entries {
            let value = match value {
                Value::Null => None,
                Value::String(text) => Some(text),
                other => return Err(wrong_type(&format!("{name}.{key:.40}"), "string", &other)),
            };
            changes.insert(key, value);
        }
        Metadata::new(changes).map(Some).map_err(|why| Failure::property(name, &why))
    }

    fn relying_party_identifier(&mut self) -> Result<Option<Option<String>>, Failure> {
        let name = "relying_party_identifier";
        let text = self.text_or_null(name)?;
        let read = |text: String| host_name(&text).map_err(|why| Failure::property(name, &why));
        text.map(|text| text.map(read).transpose()).transpose()
    }

    pub(super) fn finish(self) -> Result<(), Failure> {
        let names: Vec<String> = self.0.keys().map(|name| format!("{name:.40}")).collect();
        if names.is_empty() {
            return Ok(());
        }
        Err(Failure::body(&format!("Additional properties not allowed: {}", names.join(","))))
    }
}

pub(super) fn missing(name: &str) -> Failure {
    Failure::body(&format!("Missing required property: {name}"))
}

pub(super) fn wrong_type(name: &str, expected: &str, found: &Value) -> Failure {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    Failure::property(name, &format!("Expected type {expected} but found type {found}"))
}

pub(super) fn new_domain(bytes: &Bytes) -> Result<NewDomain, Failure> {
    let mut body = Body::read(bytes)?;
    let domain = body.text("domain")?.ok_or_else(|| missing("domain"))?;
    let domain = host_name(&domain).map_err(|why| Failure::property("domain", &why))?;
    let kind = body.one_of("type", &["auth0_managed_certs", "self_managed_certs"])?.ok_or_else(|| missing("type"))?;
    if kind != "self_managed_certs" {
        let why = "certificates are the front door's here: only self_managed_certs can be created";
        return Err(Failure::property("type", why));
    }
    // What samples and SDKs send with it, and what has one value only.
    body.one_of("verification_method", &["txt"])?;
    body.one_of("tls_policy", &["recommended"])?;
    let new = NewDomain {
        domain,
        client_ip_header: body.client_ip_header()?.unwrap_or_default(),
        metadata: body.metadata()?,
        relying_party_identifier: body.relying_party_identifier()?.flatten(),
    };
    body.finish()?;
    Ok(new)
}

pub(super) fn patch(bytes: &Bytes) -> Result<Patch, Failure> {
    let mut body = Body::read(bytes)?;
    body.one_of("tls_policy", &["recommended"])?;
    let patch = Patch {
        client_ip_header: body.client_ip_header()?,
        metadata: body.metadata()?,
        relying_party_identifier: body.relying_party_identifier()?,
    };
    body.finish()?;
    Ok(patch)
}

pub(super) fn default_domain(bytes: &Bytes) -> Result<String, Failure> {
    let mut body = Body::read(bytes)?;
    let domain = body.text("domain")?.ok_or_else(|| missing("domain"))?;
    body.finish()?;
    Ok(domain.to_ascii_lowercase())
}

/// The name of a further front door that gets its first key.
pub(super) fn front_door(bytes: &Bytes) -> Result<String, Failure> {
    let mut body = Body::read(bytes)?;
    let name = body.front_door()?.ok_or_else(|| missing("front_door"))?;
    body.finish().map(|()| name)
}

/// Whose key is rotated, and for how many seconds the one before it is taken.
pub(super) fn rotation(bytes: &Bytes) -> Result<(Option<String>, u32), Failure> {
    let mut body = Body::read_or_empty(bytes)?;
    let front_door = body.front_door()?;
    let name = "overlap_seconds";
    let overlap = match body.0.remove(name) {
        None => OVERLAP,
        Some(value) => {
            // JSON knows no difference between 60 and 60.0.
            let whole =
                value.as_f64().filter(|seconds| seconds.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(seconds));
            let seconds = whole.map(|seconds| seconds as u32);
            let range = || Failure::property(name, &format!("Expected a whole number from 0 to {LONGEST_OVERLAP}"));
            seconds.filter(|seconds| *seconds <= LONGEST_OVERLAP).ok_or_else(range)?
        }
    };
    body.finish()?;
    Ok((front_door, overlap))
}

/// Whether aliases are switched on or off; none when nothing is said of them.
pub(super) fn settings(bytes: &Bytes) -> Result<Option<bool>, Failure> {
    let mut body = Body::read(bytes)?;
    let aliases = match body.0.remove("mtls") {
        None => None,
        Some(Value::Null) => Some(false),
        Some(Value::Object(mtls)) => {
            let mut mtls = Body(mtls);
            let aliases = match mtls.0.remove("enable_endpoint_aliases") {
                None => None,
                Some(Value::Bool(on)) => Some(on),
                Some(other) => return Err(wrong_type("mtls.enable_endpoint_aliases", "boolean", &other)),
            };
            mtls.finish()?;
            aliases
        }
        Some(other) => return Err(wrong_type("mtls", "object", &other)),
    };
    body.finish()?;
    Ok(aliases)
}
