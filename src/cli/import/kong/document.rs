//! The sections of a declarative configuration as lists of entities that know where they belong.

use serde_json::Value;

use super::authority::{self, Authority, ServerCertificate};
use super::entity::{Belongs, Names, fields, named, objects, text};
use super::person::{self, People};
use super::route::{self, Route};
use super::service::{self, Service};
use crate::cli::import::fields::Fields;
use crate::cli::import::remark::Report;

/// Everything that was read.
#[derive(Default)]
pub(super) struct Document<'j> {
    pub(super) services: Vec<Service>,
    pub(super) routes: Vec<Route>,
    pub(super) plugins: Vec<Plugin<'j>>,
    pub(super) people: People,
    pub(super) authorities: Vec<Authority>,
    pub(super) certificates: Vec<ServerCertificate>,
}

/// A plugin that is switched on.
pub(super) struct Plugin<'j> {
    pub(super) place: String,
    pub(super) name: String,
    pub(super) config: Option<&'j Value>,
    pub(super) service: Option<usize>,
    pub(super) route: Option<usize>,
    /// For one consumer or consumer group alone.
    pub(super) personal: bool,
}

/// Whom nested plugins belong to.
#[derive(Clone, Copy, Default)]
pub(super) struct Owner {
    service: Option<usize>,
    route: Option<usize>,
    personal: bool,
}

/// A plugin that cannot be read: no plugin has such a name, so it closes its routes.
const UNREADABLE: &str = "(not readable)";

/// The versions of the format.
const VERSIONS: [&str; 3] = ["1.1", "2.1", "3.0"];

/// Reads the sections.
///
/// # Errors
/// When it is no declarative configuration at all.
pub(super) fn read<'j>(source: &str, json: &'j Value, report: &mut Report) -> Result<Document<'j>, String> {
    let mut top = Fields::of(json).ok_or("is no declarative configuration of Kong's: no mapping")?;
    let version = top.get("_format_version").and_then(crate::cli::import::fields::text);
    let version = VERSIONS
        .into_iter()
        .find(|known| version.as_deref().is_some_and(|said| said == *known || format!("{said}.0") == *known));
    let Some(version) = version else {
        return Err(format!("is no declarative configuration of Kong's: `_format_version` must be {}", VERSIONS.join(", ")));
    };
    top.skip(&["_transform", "_comment"]);
    about(source, &mut top, report);
    let mut reader = Reader { source, regex_by_tilde: version == "3.0", document: Document::default(), report };
    reader.document.authorities = authority::authorities(source, top.get("ca_certificates"), reader.report);
    let (certificates, snis) = (top.get("certificates"), top.get("snis"));
    reader.document.certificates = authority::certificates(source, certificates, snis, reader.report);
    reader.services(top.get("services"));
    reader.routes(top.get("routes"), Owner::default());
    let balancers = (top.get("upstreams"), top.get("targets"));
    service::balance(source, balancers, &mut reader.document.services, reader.report);
    let nested = person::read(source, &mut top, &mut reader.document.people, &reader.document.authorities, reader.report);
    for (place, plugins) in nested {
        reader.plugins(Some(plugins), Owner { personal: true, ..Owner::default() }, &place);
    }
    let place = format!("{source}: ");
    reader.plugins(top.get("plugins"), Owner::default(), &place);
    let document = reader.document;
    for key in top.unknown() {
        let entries = json.get(key).and_then(Value::as_array).map_or(1, Vec::len);
        report.left_out(source, format!("the section `{key}` ({entries}): nothing here reads it"));
    }
    Ok(document)
}

/// What stands around the sections.
fn about(source: &str, top: &mut Fields<'_>, report: &mut Report) {
    if let Some(workspace) = text(top, "_workspace") {
        report.note(source, format!("of the workspace `{workspace}` alone; other workspaces are files of their own"));
    }
    if let Some(mut info) = top.get("_info").and_then(Fields::of) {
        if info.get("select_tags").is_some() {
            report.note(source, "holds what has the tags of `_info.select_tags` alone; the rest of the gateway is not in it");
        }
        if info.get("defaults").is_some() {
            let text = "`_info.defaults`: decK lays them over entities; render the file with them, and import the result";
            report.left_out(source, text);
        }
    }
}

struct Reader<'j, 'r> {
    source: &'r str,
    /// Whether `~` begins a regular expression; before 3.0, odd characters made one.
    regex_by_tilde: bool,
    document: Document<'j>,
    report: &'r mut Report,
}

impl<'j> Reader<'j, '_> {
    fn services(&mut self, list: Option<&'j Value>) {
        let place = format!("{}: services", self.source);
        for value in objects(list, &place, self.report) {
            let Some(mut fields) = fields(value) else { continue };
            let at = self.document.services.len();
            let names = Names { id: text(&mut fields, "id"), name: text(&mut fields, "name") };
            let place = format!("{}: {}", self.source, names.shown("service", at));
            let (routes, plugins) = (fields.get("routes"), fields.get("plugins"));
            let service = service::read(names, place.clone(), &mut fields, &self.document.authorities, self.report);
            self.report.unknown(&place, &fields);
            self.document.services.push(service);
            let owner = Owner { service: Some(at), ..Owner::default() };
            self.routes(routes, owner);
            self.plugins(plugins, owner, &format!("{place}: "));
        }
    }

    fn routes(&mut self, list: Option<&'j Value>, owner: Owner) {
        let place = format!("{}: routes", self.source);
        for value in objects(list, &place, self.report) {
            let Some(mut fields) = fields(value) else { continue };
            let at = self.document.routes.len();
            let names = Names { id: text(&mut fields, "id"), name: text(&mut fields, "name") };
            let place = format!("{}: {}", self.source, names.shown("route", at));
            let plugins = fields.get("plugins");
            let services = self.document.services.iter().map(|service| &service.names);
            let said = Belongs::find(fields.get("service"), services);
            let service = owner.service.map_or(said, Belongs::To);
            let mut route = route::read(names, place.clone(), &mut fields, self.regex_by_tilde, self.report);
            if let Belongs::Lost(name) = &service {
                self.report.left_out(&place, format!("its service is not in the file: {name}"));
            }
            route.service = service.index();
            // An unknown field may say which requests it is for.
            if self.report.unknown(&place, &fields) {
                route.unseen.push("fields that are not known".into());
            }
            self.document.routes.push(route);
            let owner = Owner { service: None, route: Some(at), personal: false };
            self.plugins(plugins, owner, &format!("{place}: "));
        }
    }

    fn plugins(&mut self, list: Option<&'j Value>, owner: Owner, within: &str) {
        let readable = |list: &Value| list.as_array().is_some_and(|all| all.iter().all(Value::is_object));
        if list.is_some_and(|list| !readable(list)) {
            // Somebody meant a guard by it.
            let (name, Owner { service, route, personal }) = (UNREADABLE.to_owned(), owner);
            self.document.plugins.push(Plugin {
                place: format!("{within}plugins"),
                name,
                config: None,
                service,
                route,
                personal,
            });
        }
        for value in objects(list, &format!("{within}plugins"), self.report) {
            let Some(mut fields) = fields(value) else { continue };
            fields.skip(&["id"]);
            let name = text(&mut fields, "name").unwrap_or_default();
            let place = format!("{within}plugin `{}`", crate::cli::import::remark::one_line(&name));
            if matches!(fields.get("enabled"), Some(Value::Bool(false))) {
                self.report.note(&place, "is switched off (`enabled: false`): not carried over");
                continue;
            }
            let services = self.document.services.iter().map(|service| &service.names);
            let service = Belongs::find(fields.get("service"), services);
            let routes = self.document.routes.iter().map(|route| &route.names);
            let route = Belongs::find(fields.get("route"), routes);
            let unreadable = |key| value.get(key).is_some_and(|of: &Value| !of.is_null() && named(of).is_none());
            if unreadable("service") || unreadable("route") {
                self.report.left_out(&place, "what it belongs to cannot be read: it is taken for everything");
                let (service, route) = (owner.service, owner.route);
                let name = UNREADABLE.to_owned();
                self.document.plugins.push(Plugin { place, name, config: None, service, route, personal: owner.personal });
                continue;
            }
            if let (Belongs::Lost(name), _) | (_, Belongs::Lost(name)) = (&service, &route) {
                self.report.left_out(&place, format!("what it belongs to is not in the file: {name}"));
                continue;
            }
            let personal = owner.personal || fields.get("consumer").is_some() || fields.get("consumer_group").is_some();
            let config = fields.get("config");
            if fields.get("protocols").is_some_and(|protocols| !both(protocols)) {
                self.report.stronger(&place, "its `protocols` do not count: it is for every request of its routes");
            }
            if fields.get("ordering").is_some() {
                self.report.left_out(&place, "`ordering`: the order here is fixed: certificate, consumer, groups, rules");
            }
            self.report.unknown(&place, &fields);
            let service = owner.service.or(service.index());
            let route = owner.route.or(route.index());
            self.document.plugins.push(Plugin { place, name, config, service, route, personal });
        }
    }
}

/// Whether HTTP and HTTPS are both meant.
fn both(protocols: &Value) -> bool {
    let all = protocols.as_array().map(Vec::as_slice).unwrap_or_default();
    ["http", "https"].iter().all(|wanted| all.iter().any(|one| one.as_str() == Some(wanted)))
}
