//! The OpenAPI 3.1 document, made of the table of operations.

mod schemas;

use serde_json::{Map, Value, json};

use super::operations::{Action, BASE, ID_FORMS, OPERATIONS, Operation};

/// Statuses that every operation can have.
const ALWAYS: [u16; 5] = [401, 403, 429, 500, 503];

/// The document.
pub fn document() -> Value {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let path = paths.entry(format!("{BASE}{}", operation.path)).or_insert_with(|| json!({}));
        if let Some(methods) = path.as_object_mut() {
            methods.insert(operation.method.to_ascii_lowercase(), described(operation));
        }
    }
    paths.insert(super::token_endpoint::PATH.to_owned(), json!({ "post": token_endpoint() }));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Vestibule management API",
            "description": "Custom domains, with the paths, fields, statuses and errors of Auth0's Management API v2.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } },
            "parameters": schemas::parameters(),
            "headers": schemas::headers(),
            "schemas": schemas::schemas(),
            "responses": { "Failure": failure() },
        },
    })
}

fn described(operation: &Operation) -> Value {
    let ids = operation.parts().filter_map(|part| ID_FORMS.iter().find(|form| form.parameter == part)).map(|form| {
        json!({
            "name": form.parameter.trim_matches(['{', '}']),
            "in": "path",
            "required": true,
            "description": form.what,
            "schema": { "type": "string", "pattern": form.pattern() },
        })
    });
    let query = operation.query.iter().map(|name| reference("parameters", name));
    let parameters: Vec<Value> = ids.chain(query).collect();
    let (status, schema) = operation.success;
    let mut responses = Map::new();
    let mut success = json!({ "description": "Done", "headers": headers(&[]) });
    if let Some(schema) = schema {
        add(&mut success, "content", json_content(schema));
    }
    if operation.action == Action::CreateCredential {
        add(&mut success, "links", links());
    }
    responses.insert(status.to_string(), success);
    let of_body = operation.body.map_or(&[][..], |_| &[408, 413]);
    for status in ALWAYS.iter().chain(operation.refusals).chain(of_body) {
        responses.insert(status.to_string(), reference("responses", "Failure"));
    }
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "security": [{ "bearer": [operation.scope.word()] }],
        "parameters": parameters,
        "responses": responses,
    });
    if let Some((schema, required)) = operation.body {
        add(&mut described, "requestBody", json!({ "required": required, "content": json_content(schema) }));
    }
    described
}

/// Where the id of a credential leads to.
fn links() -> Value {
    let led = ["getCredentialsByCredentialId", "patchCredentialsByCredentialId", "deleteCredentialsByCredentialId"];
    let parameters = json!({ "client_id": "$request.path.client_id", "credential_id": "$response.body#/id" });
    let link = |id: &str| (id.to_owned(), json!({ "operationId": id, "parameters": parameters }));
    Value::Object(led.into_iter().map(link).collect())
}

/// The one operation that needs no token: it gives them.
fn token_endpoint() -> Value {
    let refused = json!({
        "description": "No token, and why (RFC 6749 §5.2)",
        "headers": headers(&["WWW-Authenticate"]),
        "content": json_content("TokenRefusal"),
    });
    json!({
        "operationId": "postOauthToken",
        "summary": "An access token for a client's id and secret (`[[management.clients]]`)",
        "security": [],
        "requestBody": {
            "required": true,
            "content": {
                "application/x-www-form-urlencoded": { "schema": reference("schemas", "TokenRequest") },
                "application/json": { "schema": reference("schemas", "TokenRequest") },
            },
        },
        "responses": {
            "200": { "description": "A token", "headers": headers(&[]), "content": json_content("Token") },
            "400": refused,
            "401": refused,
            "403": refused,
            "408": reference("responses", "Failure"),
            "413": reference("responses", "Failure"),
            "429": reference("responses", "Failure"),
        },
    })
}

/// One more entry of an object.
fn add(object: &mut Value, name: &str, value: Value) {
    if let Some(entries) = object.as_object_mut() {
        entries.insert(name.to_owned(), value);
    }
}

fn failure() -> Value {
    json!({
        "description": "Not done, and why",
        "headers": headers(&["Retry-After", "WWW-Authenticate"]),
        "content": json_content("Failure"),
    })
}

fn headers(further: &[&str]) -> Value {
    let always = ["x-request-id", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];
    let named = always.iter().chain(further).map(|name| ((*name).to_owned(), reference("headers", name)));
    Value::Object(named.collect())
}

fn json_content(schema: &str) -> Value {
    json!({ "application/json": { "schema": reference("schemas", schema) } })
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every reference leads somewhere, and nothing stands there that nobody refers to.
    #[test]
    fn references_lead_somewhere() {
        let document = document();
        let text = document.to_string();
        let mut named = std::collections::BTreeSet::new();
        for part in text.split("\"#").skip(1) {
            let pointer = part.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
            named.insert(pointer.to_owned());
        }
        for kind in ["parameters", "headers", "schemas", "responses"] {
            for name in document["components"][kind].as_object().unwrap().keys() {
                assert!(named.contains(&format!("/components/{kind}/{name}")), "{kind} {name}");
            }
        }
    }
}
