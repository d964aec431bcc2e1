//! The operations, by method and path, and the scope that each needs.

use actix_web::http::Method;

use super::access::Scope;
use super::failure::Failure;

/// One operation of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    List,
    Create,
    Default,
    SetDefault,
    Get(String),
    Patch(String),
    Delete(String),
    Verify(String),
    Test(String),
    Keys(String),
    Rotate(String),
    Revoke(String, String),
    Settings,
    SetSettings,
    Audit,
}

impl Endpoint {
    /// Finds an operation.
    pub(super) fn find(method: &Method, path: &str) -> Result<Self, Failure> {
        let parts: Vec<&str> = path.strip_prefix("/api/v2/").unwrap_or_default().split('/').collect();
        let of = |known: &[(Method, Self)], allow: &'static str| {
            let found = known.iter().find(|(of, _)| of == method).map(|(_, endpoint)| endpoint.clone());
            found.ok_or_else(|| Failure::method_not_allowed(allow))
        };
        let own = |text: &&str| (*text).to_owned();
        match parts.as_slice() {
            ["custom-domains"] => of(&[(Method::GET, Self::List), (Method::POST, Self::Create)], "GET, POST"),
            ["custom-domains", "default"] => {
                of(&[(Method::GET, Self::Default), (Method::PATCH, Self::SetDefault)], "GET, PATCH")
            }
            ["custom-domains", id] => of(
                &[
                    (Method::GET, Self::Get(own(id))),
                    (Method::PATCH, Self::Patch(own(id))),
                    (Method::DELETE, Self::Delete(own(id))),
                ],
                "GET, PATCH, DELETE",
            ),
            ["custom-domains", id, "verify"] => of(&[(Method::POST, Self::Verify(own(id)))], "POST"),
            ["custom-domains", id, "test"] => of(&[(Method::POST, Self::Test(own(id)))], "POST"),
            ["custom-domains", id, "rotate-key"] => of(&[(Method::POST, Self::Rotate(own(id)))], "POST"),
            ["custom-domains", id, "keys"] => of(&[(Method::GET, Self::Keys(own(id)))], "GET"),
            ["custom-domains", id, "keys", key] => of(&[(Method::DELETE, Self::Revoke(own(id), own(key)))], "DELETE"),
            ["tenants", "settings"] => of(&[(Method::GET, Self::Settings), (Method::PATCH, Self::SetSettings)], "GET, PATCH"),
            ["audit-log"] => of(&[(Method::GET, Self::Audit)], "GET"),
            _ => Err(Failure::not_found(None, "Not Found".into())),
        }
    }

    /// What a token must allow. Whatever gives out a key needs the scope of `create`, as Auth0's verification does.
    pub(super) fn scope(&self) -> Scope {
        match self {
            Self::List | Self::Default | Self::Get(_) | Self::Test(_) | Self::Keys(_) => Scope::ReadCustomDomains,
            Self::Create | Self::Verify(_) | Self::Rotate(_) => Scope::CreateCustomDomains,
            Self::SetDefault | Self::Patch(_) => Scope::UpdateCustomDomains,
            Self::Delete(_) | Self::Revoke(..) => Scope::DeleteCustomDomains,
            Self::Settings => Scope::ReadTenantSettings,
            Self::SetSettings => Scope::UpdateTenantSettings,
            Self::Audit => Scope::ReadLogs,
        }
    }

    /// Refuses ids that none could have.
    pub(super) fn check_ids(&self) -> Result<(), Failure> {
        match self {
            Self::Get(id) | Self::Patch(id) | Self::Delete(id) | Self::Verify(id) | Self::Test(id) => check_id(id),
            Self::Keys(id) | Self::Rotate(id) | Self::Revoke(id, _) => check_id(id),
            _ => Ok(()),
        }
    }
}

fn check_id(id: &str) -> Result<(), Failure> {
    let rest = id.strip_prefix("cd_").unwrap_or_default();
    if rest.len() == 16 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    let shown: String = id.chars().take(40).collect();
    Err(Failure::bad_request(
        "invalid_uri",
        format!(
            "Path validation error: 'Object didn't pass validation for format custom-domain-id: {shown}' on property id (ID of \
             the custom domain)."
        ),
    ))
}
