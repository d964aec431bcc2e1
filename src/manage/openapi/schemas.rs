//! What is said and answered, as JSON Schema (2020-12, the dialect of OpenAPI 3.1). Objects are closed: what is not named is
//! not taken and not said.

use serde_json::{Map, Value, json};

const HOST: &str = "^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$";
const ID: &str = "^cd_[A-Za-z0-9]{16}$";
const KEY_ID: &str = "^key_[A-Za-z0-9]{16}$";
const SECRET: &str = "^[0-9a-f]{64}$";

/// A closed object: its properties, and which of them are always there.
fn object(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn schema(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn host() -> Value {
    json!({ "type": "string", "minLength": 3, "maxLength": 253, "pattern": HOST })
}

fn instant() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

fn instant_or_null() -> Value {
    json!({ "type": ["string", "null"], "format": "date-time" })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn list_of(name: &str) -> Value {
    json!({ "type": "array", "items": schema(name) })
}

/// Parameters of queries.
pub(super) fn parameters() -> Value {
    let parameter = |name: &str, schema: Value, description: &str| json!({ "name": name, "in": "query", "description": description, "schema": schema });
    let (numbers, text) =
        (|most: i64| json!({ "type": "integer", "minimum": 1, "maximum": most }), || json!({ "type": "string" }));
    json!({
        "take": parameter("take", numbers(100), "How many at most; the answer is a page then"),
        "from": parameter("from", json!({ "type": "string", "maxLength": 1000, "pattern": "^[A-Za-z0-9_-]*$" }), "`next` of the page before"),
        "q": parameter("q", json!({ "type": "string", "maxLength": 1000, "pattern": "^domain:[A-Za-z0-9.-]+\\*?$" }), "`domain:name` or `domain:start*`"),
        "fields": parameter("fields", text(), "Names of fields, with commas between them"),
        "include_fields": parameter("include_fields", json!({ "type": "boolean" }), "Whether these fields are shown, or all others"),
        "sort": parameter("sort", json!({ "enum": ["domain:1"] }), "By name, the one order"),
        "page": parameter("page", json!({ "type": "integer", "minimum": 0, "maximum": 100_000 }), "Which page, from 0"),
        "per_page": parameter("per_page", numbers(100), "How many on a page"),
        "include_totals": parameter("include_totals", json!({ "type": "boolean" }), "Whether the answer is a page with numbers"),
        "from_revision": parameter("from", count(), "Lines after this revision"),
        "take_lines": parameter("take", numbers(1000), "How many at most"),
    })
}

/// Headers of answers.
pub(super) fn headers() -> Value {
    let number = |description: &str| json!({ "description": description, "schema": { "type": "integer" } });
    json!({
        "x-request-id": { "description": "The request's name in the audit log", "schema": { "type": "string" } },
        "x-ratelimit-limit": number("Requests at once"),
        "x-ratelimit-remaining": number("How many more pass now"),
        "x-ratelimit-reset": number("When as many pass as at the beginning, in seconds since 1970"),
        "Retry-After": number("Seconds until another try makes sense (429)"),
        "WWW-Authenticate": { "description": "How to authenticate (401)", "schema": { "type": "string" } },
    })
}

/// Everything that is said.
pub(super) fn schemas() -> Value {
    let mut all = Map::new();
    for (name, schema) in domains().into_iter().chain(keys()).chain(clients()).chain(tenant()) {
        all.insert(name.to_owned(), schema);
    }
    Value::Object(all)
}

fn client_ip_header() -> Value {
    json!({ "enum": ["true-client-ip", "cf-connecting-ip", "x-forwarded-for", "x-azure-clientip", "", null] })
}

fn metadata_changes() -> Value {
    json!({
        "type": "object",
        "maxProperties": 10,
        "propertyNames": { "maxLength": 255 },
        "additionalProperties": { "type": ["string", "null"], "maxLength": 255 },
    })
}

fn domains() -> Vec<(&'static str, Value)> {
    let relying_party = json!({ "type": ["string", "null"], "minLength": 3, "maxLength": 253, "pattern": HOST });
    let policy = json!({ "enum": ["recommended"] });
    let method = object(
        json!({ "name": { "enum": ["TXT", "CNAME"] }, "record": { "type": "string" }, "domain": { "type": "string" } }),
        &["name", "record", "domain"],
    );
    let verification = object(
        json!({
            "methods": { "type": "array", "items": method, "minItems": 1 },
            "status": { "enum": ["verified", "pending", "failed"] },
            "error_msg": { "type": "string" },
            "last_verified_at": instant(),
            "last_attempt_at": instant(),
            "attempts": count(),
        }),
        &["methods", "status", "attempts"],
    );
    let domain = object(
        json!({
            "custom_domain_id": { "type": "string", "pattern": ID },
            "domain": host(),
            "primary": { "type": "boolean" },
            "is_default": { "type": "boolean" },
            "status": { "enum": ["pending_verification", "ready", "failed"] },
            "type": { "enum": ["self_managed_certs"] },
            "verification": verification,
            "origin_domain_name": { "type": "string" },
            "custom_client_ip_header": client_ip_header(),
            "domain_metadata": { "type": "object", "additionalProperties": { "type": "string" } },
            "relying_party_identifier": { "type": "string" },
            "created_at": instant(),
            "cname_api_key": { "type": "string", "pattern": SECRET, "description": "Shown once" },
        }),
        &[
            "custom_domain_id",
            "domain",
            "primary",
            "is_default",
            "status",
            "type",
            "verification",
            "custom_client_ip_header",
            "created_at",
        ],
    );
    // With `fields` any of its properties may be left out.
    let mut projected = domain.clone();
    if let Some(entries) = projected.as_object_mut() {
        entries.remove("required");
    }
    let page = object(
        json!({ "custom_domains": { "type": "array", "items": projected }, "next": { "type": "string" } }),
        &["custom_domains"],
    );
    let new = object(
        json!({
            "domain": host(),
            "type": { "enum": ["self_managed_certs"] },
            "verification_method": { "enum": ["txt"] },
            "tls_policy": policy,
            "custom_client_ip_header": client_ip_header(),
            "domain_metadata": metadata_changes(),
            "relying_party_identifier": relying_party,
        }),
        &["domain", "type"],
    );
    let update = object(
        json!({
            "tls_policy": policy,
            "custom_client_ip_header": client_ip_header(),
            "domain_metadata": metadata_changes(),
            "relying_party_identifier": relying_party,
        }),
        &[],
    );
    let own_name = object(json!({ "domain": { "type": "string" } }), &["domain"]);
    vec![
        ("CustomDomain", domain),
        ("CustomDomains", json!({ "oneOf": [{ "type": "array", "items": projected }, page] })),
        ("NewCustomDomain", new),
        ("UpdateCustomDomain", update),
        ("DefaultDomain", json!({ "oneOf": [schema("CustomDomain"), own_name] })),
        ("SetDefaultDomain", object(json!({ "domain": host() }), &["domain"])),
        ("Test", object(json!({ "success": { "type": "boolean" }, "message": { "type": "string" } }), &["success"])),
    ]
}

fn keys() -> Vec<(&'static str, Value)> {
    let key = object(
        json!({
            "key_id": { "type": "string", "pattern": KEY_ID },
            "front_door": { "type": ["string", "null"] },
            "created_at": instant(),
            "expires_at": instant_or_null(),
            "uses": count(),
            "last_used_at": instant_or_null(),
        }),
        &["key_id", "front_door", "created_at", "expires_at", "uses", "last_used_at"],
    );
    let door = json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" });
    let seconds = json!({ "type": "integer", "minimum": 0, "maximum": 2_592_000, "default": 86_400 });
    let rotated = object(
        json!({
            "cname_api_key": { "type": "string", "pattern": SECRET, "description": "Shown once" },
            "key_id": { "type": "string", "pattern": KEY_ID },
            "keys": list_of("Key"),
        }),
        &["cname_api_key", "key_id", "keys"],
    );
    vec![
        ("Key", key),
        ("Keys", list_of("Key")),
        ("Rotation", object(json!({ "front_door": door, "overlap_seconds": seconds }), &[])),
        ("FrontDoor", object(json!({ "front_door": door }), &["front_door"])),
        ("Rotated", rotated),
    ]
}

fn clients() -> Vec<(&'static str, Value)> {
    let id = json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" });
    let credential_id = json!({ "type": "string", "pattern": "^cred_[A-Za-z0-9]{22}$" });
    let name = json!({ "type": "string", "minLength": 1, "maxLength": 255, "pattern": "\\S" });
    let description = json!({ "type": ["string", "null"], "maxLength": 140 });
    let other = json!({ "enum": ["none", "client_secret_post", "client_secret_basic", null] });
    let credential_type = json!({ "enum": ["cert_subject_dn", "x509_cert"] });
    let pem = json!({ "type": "string", "minLength": 1, "maxLength": 4096 });
    let subject = json!({ "type": "string", "minLength": 1, "maxLength": 256 });
    // A client whose credentials are gone has none; nobody can say so of a client.
    let methods = |item: Value, least: i64| {
        let one = |method: &str| {
            let items = json!({ "type": "array", "items": item, "minItems": least });
            let what = object(json!({ "credentials": items }), &["credentials"]);
            object(json!({ method: what }), &[method])
        };
        json!({ "oneOf": [one("tls_client_auth"), one("self_signed_tls_client_auth"), { "type": "null" }] })
    };
    let used = object(json!({ "id": credential_id }), &["id"]);
    let client = object(
        json!({
            "name": { "type": "string" },
            "description": { "type": "string" },
            "client_id": id,
            "token_endpoint_auth_method": other,
            "client_authentication_methods": methods(used.clone(), 0),
        }),
        &["name", "client_id", "token_endpoint_auth_method"],
    );
    let mut projected = client.clone();
    if let Some(entries) = projected.as_object_mut() {
        entries.remove("required");
    }
    let list = json!({ "type": "array", "items": projected });
    let page = object(
        json!({ "clients": list, "start": count(), "limit": count(), "total": count() }),
        &["clients", "start", "limit", "total"],
    );
    let new_credential = object(
        json!({ "credential_type": credential_type, "name": { "type": "string", "maxLength": 128 }, "pem": pem, "subject_dn": subject }),
        &["credential_type"],
    );
    let credential = object(
        json!({
            "id": credential_id,
            "name": { "type": "string" },
            "credential_type": credential_type,
            "subject_dn": { "type": "string" },
            "thumbprint_sha256": { "type": "string", "pattern": "^[A-Za-z0-9_-]{43}$" },
            "created_at": instant(),
            "updated_at": instant(),
            "expires_at": instant(),
        }),
        &["id", "credential_type", "created_at", "updated_at"],
    );
    let new = json!({
        "client_id": id,
        "name": name,
        "description": description,
        "token_endpoint_auth_method": other,
        "client_authentication_methods": methods(schema("NewCredential"), 1),
    });
    let update = json!({
        "name": name,
        "description": description,
        "token_endpoint_auth_method": other,
        "client_authentication_methods": methods(used, 1),
    });
    vec![
        ("Client", client),
        ("Clients", json!({ "oneOf": [list, page] })),
        ("NewClient", object(new, &["name"])),
        ("UpdateClient", object(update, &[])),
        ("Credential", credential),
        ("Credentials", list_of("Credential")),
        ("NewCredential", new_credential),
        ("UpdateCredential", object(json!({ "expires_at": instant_or_null() }), &["expires_at"])),
    ]
}

fn tenant() -> Vec<(&'static str, Value)> {
    let mtls = json!({ "enable_endpoint_aliases": { "type": "boolean" } });
    let mtls_or_null = json!({ "type": ["object", "null"], "properties": mtls, "additionalProperties": false });
    let line = object(
        json!({
            "revision": count(),
            "at": instant(),
            "actor": { "type": "string" },
            "action": { "type": "string" },
            "custom_domain_id": { "type": "string" },
            "domain": { "type": "string" },
            "details": { "type": "string" },
            "request_id": { "type": "string" },
        }),
        &["revision", "at", "actor", "action", "details"],
    );
    let text = json!({ "type": "string" });
    let token_request = json!({
        "type": "object",
        "properties": {
            "grant_type": { "enum": ["client_credentials"] },
            "client_id": text,
            "client_secret": text,
            "audience": text,
            "scope": { "type": "string", "description": "Some of the client's scopes, with spaces between them" },
        },
        "required": ["grant_type", "audience"],
        "additionalProperties": { "type": "string" },
    });
    let token = object(
        json!({
            "access_token": text,
            "scope": text,
            "expires_in": { "type": "integer", "minimum": 1 },
            "token_type": { "enum": ["Bearer"] },
        }),
        &["access_token", "scope", "expires_in", "token_type"],
    );
    let failure = object(
        json!({
            "statusCode": { "type": "integer" },
            "error": { "type": "string" },
            "message": { "type": "string" },
            "errorCode": { "type": "string" },
        }),
        &["statusCode", "error", "message"],
    );
    vec![
        ("Settings", object(json!({ "mtls": object(mtls, &["enable_endpoint_aliases"]) }), &[])),
        ("UpdateSettings", object(json!({ "mtls": mtls_or_null }), &[])),
        ("AuditLine", line),
        ("AuditLines", list_of("AuditLine")),
        ("Failure", failure),
        ("TokenRequest", token_request),
        ("Token", token),
        ("TokenRefusal", object(json!({ "error": text, "error_description": text }), &["error", "error_description"])),
    ]
}
