//! The operations of the API: one table that requests are routed by, that says which scope each needs, and that the OpenAPI
//! document is made of.

use std::str::Split;

use super::access::Scope;
use super::failure::Failure;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    ListDomains,
    CreateDomain,
    DefaultDomain,
    SetDefaultDomain,
    GetDomain,
    UpdateDomain,
    DeleteDomain,
    VerifyDomain,
    TestDomain,
    ListKeys,
    RotateKey,
    RevokeKey,
    ListClients,
    CreateClient,
    GetClient,
    UpdateClient,
    DeleteClient,
    ListCredentials,
    CreateCredential,
    GetCredential,
    UpdateCredential,
    DeleteCredential,
    GetSettings,
    UpdateSettings,
    ListAudit,
}

/// One operation.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) action: Action,
    /// Its name in the document, Auth0's where it is one of theirs.
    pub(super) id: &'static str,
    pub(super) method: &'static str,
    /// Below [`BASE`]. A part in braces stands for an id.
    pub(super) path: &'static str,
    pub(super) scope: Scope,
    pub(super) summary: &'static str,
    /// The parameters of its query, by their names among the document's components.
    pub(super) query: &'static [&'static str],
    /// Its body, by the name of its schema, and whether there must be one.
    pub(super) body: Option<(&'static str, bool)>,
    /// The status of success and the schema of what it says then.
    pub(super) success: (u16, Option<&'static str>),
    /// Further statuses, beside those that all operations have.
    pub(super) refusals: &'static [u16],
}

/// Where all paths begin.
pub(super) const BASE: &str = "/api/v2";

const fn operation(action: Action, id: &'static str, method: &'static str, path: &'static str, scope: Scope) -> Operation {
    Operation { action, id, method, path, scope, summary: "", query: &[], body: None, success: (204, None), refusals: &[] }
}

impl Operation {
    const fn summary(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    const fn query(self, query: &'static [&'static str]) -> Self {
        Self { query, ..self }
    }

    const fn body(self, schema: &'static str) -> Self {
        Self { body: Some((schema, true)), ..self }
    }

    const fn optional_body(self, schema: &'static str) -> Self {
        Self { body: Some((schema, false)), ..self }
    }

    const fn says(self, status: u16, schema: &'static str) -> Self {
        Self { success: (status, Some(schema)), ..self }
    }

    const fn refuses(self, refusals: &'static [u16]) -> Self {
        Self { refusals, ..self }
    }

    /// The parts of its path.
    pub(super) fn parts(&self) -> Split<'static, char> {
        self.path.split('/')
    }

    /// The ids of a path that is this operation's.
    fn ids(&self, path: &str) -> Option<Vec<String>> {
        let (mut wanted, mut found, mut ids) = (self.parts(), path.split('/'), Vec::new());
        loop {
            match (wanted.next(), found.next()) {
                (None, None) => return Some(ids),
                (Some(part), Some(id)) if part.starts_with('{') => ids.push(id.to_owned()),
                (Some(part), Some(same)) if part == same => {}
                _ => return None,
            }
        }
    }
}

/// An operation that a request is for, and the ids of its path.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) operation: &'static Operation,
    ids: Vec<String>,
}

impl Target {
    /// Finds it: the first path of the table that fits, and of the operations on it the one with the method.
    pub(super) fn find(method: &str, path: &str) -> Result<Self, Failure> {
        let below = path.strip_prefix(BASE).unwrap_or_default();
        let Some((first, ids)) = OPERATIONS.iter().find_map(|operation| Some((operation, operation.ids(below)?))) else {
            return Err(Failure::not_found(None, "Not Found".into()));
        };
        let on_it = || OPERATIONS.iter().filter(|operation| operation.path == first.path);
        match on_it().find(|operation| operation.method == method) {
            Some(operation) => Ok(Self { operation, ids }),
            None => Err(Failure::method_not_allowed(on_it().map(|operation| operation.method).collect::<Vec<_>>().join(", "))),
        }
    }

    /// An id of the path, counted from 0.
    pub(super) fn id(&self, position: usize) -> &str {
        self.ids.get(position).map_or("", String::as_str)
    }

    /// Refuses ids that none could have.
    pub(super) fn check_ids(&self) -> Result<(), Failure> {
        let names = self.operation.parts().filter(|part| part.starts_with('{'));
        names.zip(&self.ids).try_for_each(|(name, id)| {
            ID_FORMS.iter().filter(|form| form.parameter == name).try_for_each(|form| form.check(id))
        })
    }
}

/// How the ids of one kind look.
#[derive(Debug)]
pub(super) struct IdForm {
    /// The part of the path, with its braces.
    pub(super) parameter: &'static str,
    /// What it is, in words.
    pub(super) what: &'static str,
    format: &'static str,
    /// How they begin.
    prefix: &'static str,
    /// How many letters and digits follow, from and to.
    length: (usize, usize),
    /// What may stand beside letters and digits.
    marks: &'static str,
}

impl IdForm {
    fn fits(&self, id: &str) -> bool {
        let known = |letter: char| letter.is_ascii_alphanumeric() || self.marks.contains(letter);
        let (least, most) = self.length;
        id.strip_prefix(self.prefix).is_some_and(|rest| (least..=most).contains(&rest.len()) && rest.chars().all(known))
    }

    /// The same as a regular expression.
    pub(super) fn pattern(&self) -> String {
        let (least, most) = self.length;
        format!("^{}[A-Za-z0-9{}]{{{least},{most}}}$", self.prefix, self.marks)
    }

    fn check(&self, id: &str) -> Result<(), Failure> {
        if self.fits(id) {
            return Ok(());
        }
        let shown: String = id.chars().take(40).collect();
        let (format, what) = (self.format, self.what);
        let name = self.parameter.trim_matches(['{', '}']);
        let message = format!(
            "Path validation error: 'Object didn't pass validation for format {format}: {shown}' on property {name} ({what})."
        );
        Err(Failure::bad_request("invalid_uri", message))
    }
}

const CLIENT_ID: IdForm = IdForm {
    parameter: "{client_id}",
    what: "ID of the client",
    format: "client-id",
    prefix: "",
    length: (1, 64),
    marks: "_-",
};

/// Whether a text can be the id of a client.
pub(super) fn is_client_id(text: &str) -> bool {
    CLIENT_ID.fits(text)
}

/// Every kind of id.
pub(super) const ID_FORMS: &[IdForm] = &[
    IdForm {
        parameter: "{id}",
        what: "ID of the custom domain",
        format: "custom-domain-id",
        prefix: "cd_",
        length: (16, 16),
        marks: "",
    },
    IdForm { parameter: "{key_id}", what: "ID of the key", format: "key-id", prefix: "key_", length: (16, 16), marks: "" },
    CLIENT_ID,
    IdForm {
        parameter: "{credential_id}",
        what: "ID of the credential",
        format: "credential-id",
        prefix: "cred_",
        length: (22, 22),
        marks: "",
    },
];

/// Every operation. Where a fixed part and an id could both stand, the fixed one comes first.
pub(super) static OPERATIONS: &[Operation] = &[
    operation(Action::ListDomains, "getCustomDomains", "GET", "/custom-domains", Scope::ReadCustomDomains)
        .summary("List custom domains: an array, or with `take` or `from` a page")
        .query(&["take", "from", "q", "fields", "include_fields", "sort"])
        .says(200, "CustomDomains")
        .refuses(&[400]),
    // The scope of `create` is needed for whatever gives out a key, as Auth0's verification needs it.
    operation(Action::CreateDomain, "postCustomDomains", "POST", "/custom-domains", Scope::CreateCustomDomains)
        .summary("Create a custom domain; its record of DNS stands in the answer")
        .body("NewCustomDomain")
        .says(201, "CustomDomain")
        .refuses(&[400, 409]),
    operation(Action::DefaultDomain, "getDefaultCustomDomain", "GET", "/custom-domains/default", Scope::ReadCustomDomains)
        .summary("The default domain")
        .says(200, "DefaultDomain"),
    operation(
        Action::SetDefaultDomain,
        "patchDefaultCustomDomain",
        "PATCH",
        "/custom-domains/default",
        Scope::UpdateCustomDomains,
    )
    .summary("Make a ready domain the default")
    .body("SetDefaultDomain")
    .says(200, "DefaultDomain")
    .refuses(&[400]),
    operation(Action::GetDomain, "getCustomDomainsById", "GET", "/custom-domains/{id}", Scope::ReadCustomDomains)
        .summary("Show a custom domain")
        .says(200, "CustomDomain")
        .refuses(&[400, 404]),
    operation(Action::UpdateDomain, "patchCustomDomainsById", "PATCH", "/custom-domains/{id}", Scope::UpdateCustomDomains)
        .summary("Change a custom domain; metadata are merged")
        .body("UpdateCustomDomain")
        .says(200, "CustomDomain")
        .refuses(&[400, 404]),
    operation(Action::DeleteDomain, "deleteCustomDomainsById", "DELETE", "/custom-domains/{id}", Scope::DeleteCustomDomains)
        .summary("Delete a custom domain and its keys; one that is not there is deleted already")
        .refuses(&[400, 409]),
    operation(Action::VerifyDomain, "postVerify", "POST", "/custom-domains/{id}/verify", Scope::CreateCustomDomains)
        .summary("Look for the domain's record; the first success shows its key")
        .says(200, "CustomDomain")
        .refuses(&[400, 404]),
    operation(Action::TestDomain, "postCustomDomainTest", "POST", "/custom-domains/{id}/test", Scope::ReadCustomDomains)
        .summary("Whether the domain's name has an address")
        .says(200, "Test")
        .refuses(&[400, 404, 409]),
    operation(Action::ListKeys, "getCustomDomainKeys", "GET", "/custom-domains/{id}/keys", Scope::ReadCustomDomains)
        .summary("The domain's keys and their use")
        .says(200, "Keys")
        .refuses(&[400, 404]),
    operation(
        Action::RotateKey,
        "postCustomDomainRotateKey",
        "POST",
        "/custom-domains/{id}/rotate-key",
        Scope::CreateCustomDomains,
    )
    .summary("Give the domain another key; those before it are taken for some time more")
    .optional_body("Rotation")
    .says(201, "Rotated")
    .refuses(&[400, 404, 409]),
    operation(
        Action::RevokeKey,
        "deleteCustomDomainKey",
        "DELETE",
        "/custom-domains/{id}/keys/{key_id}",
        Scope::DeleteCustomDomains,
    )
    .summary("End a key at once")
    .refuses(&[400, 404]),
    operation(Action::GetSettings, "getTenantSettings", "GET", "/tenants/settings", Scope::ReadTenantSettings)
        .summary("The tenant's settings")
        .query(&["fields", "include_fields"])
        .says(200, "Settings")
        .refuses(&[400]),
    operation(Action::UpdateSettings, "patchTenantSettings", "PATCH", "/tenants/settings", Scope::UpdateTenantSettings)
        .summary("Change the tenant's settings; what is not named stays")
        .body("UpdateSettings")
        .says(200, "Settings")
        .refuses(&[400]),
    operation(Action::ListClients, "getClients", "GET", "/clients", Scope::ReadClients)
        .summary("List clients: an array, or with `include_totals` a page")
        .query(&["page", "per_page", "include_totals", "fields", "include_fields"])
        .says(200, "Clients")
        .refuses(&[400]),
    operation(Action::CreateClient, "postClients", "POST", "/clients", Scope::CreateClients)
        .summary("Create a client, with the certificates that it authenticates itself by")
        .body("NewClient")
        .says(201, "Client")
        .refuses(&[400, 409]),
    operation(Action::GetClient, "getClientsById", "GET", "/clients/{client_id}", Scope::ReadClients)
        .summary("Show a client")
        .says(200, "Client")
        .refuses(&[400, 404]),
    operation(Action::UpdateClient, "patchClientsById", "PATCH", "/clients/{client_id}", Scope::UpdateClients)
        .summary("Change a client, and which of its credentials it may use")
        .body("UpdateClient")
        .says(200, "Client")
        .refuses(&[400, 404]),
    operation(Action::DeleteClient, "deleteClientsById", "DELETE", "/clients/{client_id}", Scope::DeleteClients)
        .summary("Delete a client and its credentials; one that is not there is deleted already")
        .refuses(&[400]),
    operation(
        Action::ListCredentials,
        "getCredentials",
        "GET",
        "/clients/{client_id}/credentials",
        Scope::ReadClientCredentials,
    )
    .summary("The credentials of a client")
    .says(200, "Credentials")
    .refuses(&[400, 404]),
    operation(
        Action::CreateCredential,
        "postCredentials",
        "POST",
        "/clients/{client_id}/credentials",
        Scope::CreateClientCredentials,
    )
    .summary("Add a credential; the client may use it when `client_authentication_methods` names it")
    .body("NewCredential")
    .says(201, "Credential")
    .refuses(&[400, 404]),
    operation(
        Action::GetCredential,
        "getCredentialsByCredentialId",
        "GET",
        "/clients/{client_id}/credentials/{credential_id}",
        Scope::ReadClientCredentials,
    )
    .summary("Show a credential")
    .says(200, "Credential")
    .refuses(&[400, 404]),
    operation(
        Action::UpdateCredential,
        "patchCredentialsByCredentialId",
        "PATCH",
        "/clients/{client_id}/credentials/{credential_id}",
        Scope::UpdateClientCredentials,
    )
    .summary("Say when a credential ends")
    .body("UpdateCredential")
    .says(201, "Credential")
    .refuses(&[400, 404]),
    operation(
        Action::DeleteCredential,
        "deleteCredentialsByCredentialId",
        "DELETE",
        "/clients/{client_id}/credentials/{credential_id}",
        Scope::DeleteClientCredentials,
    )
    .summary("Delete a credential that the client does not use")
    .refuses(&[400, 404]),
    operation(Action::ListAudit, "getAuditLog", "GET", "/audit-log", Scope::ReadLogs)
        .summary("Who changed what and when, in the order of the changes")
        .query(&["from_revision", "take_lines"])
        .says(200, "AuditLines")
        .refuses(&[400]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_its_operation() {
        let find = |method: &str, path: &str| Target::find(method, path).map(|target| (target.operation.id, target.ids));
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(find("GET", "/api/v2/custom-domains/default").unwrap(), ("getDefaultCustomDomain", ids(&[])));
        assert_eq!(find("GET", "/api/v2/custom-domains/x").unwrap(), ("getCustomDomainsById", ids(&["x"])));
        assert_eq!(find("DELETE", "/api/v2/custom-domains/x/keys/y").unwrap(), ("deleteCustomDomainKey", ids(&["x", "y"])));
        let refused = find("DELETE", "/api/v2/custom-domains/default").unwrap_err();
        assert_eq!(refused.allow.as_deref(), Some("GET, PATCH"));
        for nowhere in ["/api/v2", "/api/v2/", "/api/v2x/custom-domains", "/custom-domains", "/api/v2/custom-domains/x/y", ""] {
            assert_eq!(find("GET", nowhere).unwrap_err().status, 404, "{nowhere}");
        }
    }

    #[test]
    fn no_two_operations_are_the_same_and_none_is_hidden() {
        for operation in OPERATIONS {
            let path = format!("{BASE}{}", operation.path);
            assert_eq!(Target::find(operation.method, &path).unwrap().operation.id, operation.id);
            let parameters = operation.parts().filter(|part| part.starts_with('{'));
            for parameter in parameters {
                assert!(ID_FORMS.iter().any(|form| form.parameter == parameter), "{parameter}");
            }
        }
    }
}
