//! What each operation does.

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use super::failure::Failure;
use super::operations::Action;
use super::{Asked, Management, Reply, body, clients, list, render};
use crate::domains::{ChangeError, DomainRecord};

/// The most lines of the audit log in one answer.
const MOST_LINES: usize = 1_000;

impl Management {
    pub(super) async fn act(&self, asked: Asked) -> Result<Reply, Failure> {
        let Asked { target, query, body, actor } = &asked;
        let id = target.id(0);
        let registry = &self.registry;
        let shown = |record: DomainRecord| Reply::ok(&render::domain(registry, record, None));
        let about = |id: &str| {
            let id = id.to_owned();
            move |why: ChangeError| Failure::of_change(&id, why)
        };
        match target.operation.action {
            Action::ListDomains => self.list(query).await,
            Action::CreateDomain => {
                let new = body::new_domain(body)?;
                self.refuse_configured(&new.domain)?;
                let record = registry.create(new, actor).await.map_err(about(""))?;
                Reply::json(StatusCode::CREATED, &render::domain(registry, record, None))
            }
            Action::DefaultDomain => self.show_default(registry.default_domain().await.map_err(about(""))?),
            Action::SetDefaultDomain => {
                let name = body::default_domain(body)?;
                let done = registry.set_default(&name, actor).await.map_err(|why| match why {
                    ChangeError::NotReady => {
                        let message = "The domain must be verified before it can be set as default.";
                        Failure::bad_request("invalid_body", message.into())
                    }
                    other => Failure::of_change("", other),
                })?;
                self.show_default(done)
            }
            Action::GetDomain => shown(registry.get(id).await.map_err(about(id))?),
            Action::UpdateDomain => shown(registry.patch(id, body::patch(body)?, actor).await.map_err(about(id))?),
            Action::DeleteDomain => registry.delete(id, actor).await.map(|()| Reply::nothing()).map_err(about(id)),
            Action::VerifyDomain => {
                let (record, issued) = registry.verify(id, actor).await.map_err(about(id))?;
                Reply::ok(&render::domain(registry, record, issued))
            }
            Action::TestDomain => match registry.test(id).await.map_err(about(id))? {
                Ok(()) => Reply::ok(&json!({ "success": true })),
                Err(why) => Reply::ok(&json!({ "success": false, "message": why })),
            },
            Action::ListKeys => {
                let keys = registry.keys(id).await.map_err(about(id))?;
                Reply::ok(&keys.into_iter().map(render::key).collect::<Vec<_>>())
            }
            Action::RotateKey => {
                let (issued, keys) = registry.rotate(id, body::rotation(body)?, actor).await.map_err(about(id))?;
                Reply::json(StatusCode::CREATED, &render::rotated(&issued, keys))
            }
            Action::AddKey => {
                let (issued, keys) = registry.add_front_door(id, &body::front_door(body)?, actor).await.map_err(about(id))?;
                Reply::json(StatusCode::CREATED, &render::rotated(&issued, keys))
            }
            Action::RevokeKey => registry.revoke(id, target.id(1), actor).await.map(|()| Reply::nothing()).map_err(about(id)),
            Action::GetSettings => self.settings(query).await,
            Action::UpdateSettings => {
                if let Some(on) = body::settings(body)? {
                    registry.set_aliases(on, actor).await.map_err(about(""))?;
                }
                self.settings("").await
            }
            Action::ListClients => {
                let wanted = clients::Wanted::read(query)?;
                let found = registry.clients(wanted.after(), wanted.per_page()).await.map_err(about(""))?;
                Reply::ok(&wanted.answer(found).map_err(|why| Failure::internal(&why.to_string()))?)
            }
            Action::CreateClient => {
                let new = clients::new_client(body)?;
                if let Some(place) = new.id.as_deref().and_then(|id| (self.configured.client)(id)) {
                    return Err(Failure::of_change("", ChangeError::ClientExists(place)));
                }
                let done = registry.create_client(new, actor).await.map_err(about(""))?;
                Reply::json(StatusCode::CREATED, &clients::client(done))
            }
            Action::GetClient => Reply::ok(&clients::client(registry.client(id).await.map_err(about(id))?)),
            Action::UpdateClient => {
                let done = registry.update_client(id, clients::client_patch(body)?, actor).await.map_err(about(id))?;
                Reply::ok(&clients::client(done))
            }
            Action::DeleteClient => registry.delete_client(id, actor).await.map(|()| Reply::nothing()).map_err(about(id)),
            Action::ListCredentials => {
                let (_, found) = registry.client(id).await.map_err(about(id))?;
                Reply::ok(&found.into_iter().map(clients::credential).collect::<Vec<_>>())
            }
            Action::CreateCredential => {
                let new = clients::new_credential(body)?;
                let done = registry.add_credential(id, new, actor).await.map_err(about(id))?;
                Reply::json(StatusCode::CREATED, &clients::credential(done))
            }
            Action::GetCredential => {
                Reply::ok(&clients::credential(registry.credential(id, target.id(1)).await.map_err(about(id))?))
            }
            Action::UpdateCredential => {
                let end = clients::credential_end(body)?;
                let done = registry.end_credential(id, target.id(1), end, actor).await.map_err(about(id))?;
                // Auth0 says 201 here.
                Reply::json(StatusCode::CREATED, &clients::credential(done))
            }
            Action::DeleteCredential => {
                let done = registry.delete_credential(id, target.id(1), actor).await;
                done.map(|()| Reply::nothing()).map_err(about(id))
            }
            Action::ListAudit => self.audit(query).await,
        }
    }

    /// A host name of the configuration, or one that would come in its way, is no custom domain.
    fn refuse_configured(&self, domain: &str) -> Result<(), Failure> {
        let alias = format!("mtls.{domain}");
        let names = [Some(domain), Some(alias.as_str())];
        match names.into_iter().flatten().find_map(|name| (self.configured.host)(name)) {
            Some(place) => Err(Failure::of_change("", ChangeError::Exists(place))),
            None => Ok(()),
        }
    }

    async fn list(&self, query: &str) -> Result<Reply, Failure> {
        let wanted = list::read(query)?;
        let mut found = self.registry.list(&wanted.query()).await.map_err(|why| Failure::of_change("", why))?;
        let more = found.len() > wanted.take;
        found.truncate(wanted.take);
        let next = found.last().filter(|_| more).map(|last| list::cursor(&last.domain));
        let shown = found.into_iter().map(|record| serde_json::to_value(render::domain(&self.registry, record, None)));
        let shown = shown.map(|value| value.map(|value| render::project(value, &wanted.fields, wanted.include)));
        let shown = shown.collect::<Result<Vec<Value>, _>>().map_err(|why| Failure::internal(&why.to_string()))?;
        if !wanted.paged {
            let next = next.map(|next| format!("/api/v2/custom-domains?take=100&from={next}"));
            return Ok(Reply { next, ..Reply::ok(&shown)? });
        }
        match next {
            Some(next) => Reply::ok(&json!({ "custom_domains": shown, "next": next })),
            None => Reply::ok(&json!({ "custom_domains": shown })),
        }
    }

    fn show_default(&self, domain: Option<DomainRecord>) -> Result<Reply, Failure> {
        match domain {
            Some(record) => Reply::ok(&render::domain(&self.registry, record, None)),
            None => Reply::ok(&json!({ "domain": self.registry.settings().origin_domain })),
        }
    }

    async fn settings(&self, query: &str) -> Result<Reply, Failure> {
        let aliases = self.registry.aliases().await.map_err(|why| Failure::of_change("", why))?;
        let (mut fields, mut include) = (Vec::new(), true);
        for (name, value) in list::parameters(query)? {
            if !list::fields(&name, &value, &mut fields, &mut include)? {
                return Err(list::unknown(&name));
            }
        }
        let settings = json!({ "mtls": { "enable_endpoint_aliases": aliases } });
        Reply::ok(&render::project(settings, &fields, include))
    }

    /// Lines after the revision `from`, at most `take`.
    async fn audit(&self, query: &str) -> Result<Reply, Failure> {
        let (mut after, mut take) = (0, 100);
        for (name, value) in list::parameters(query)? {
            let refused = || Failure::bad_request("invalid_paging", format!("{name:.40} is no number that is accepted."));
            match name.as_str() {
                "from" => after = value.parse().ok().filter(|from| *from >= 0).ok_or_else(refused)?,
                "take" => take = value.parse().ok().filter(|take| (1..=MOST_LINES).contains(take)).ok_or_else(refused)?,
                _ => return Err(Failure::bad_request("invalid_query_string", format!("{name:.40} is no parameter."))),
            }
        }
        let lines = self.registry.audit(after, take).await.map_err(|why| Failure::of_change("", why))?;
        Reply::ok(&lines.into_iter().map(render::audit).collect::<Vec<_>>())
    }
}
