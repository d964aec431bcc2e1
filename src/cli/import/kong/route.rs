//! Routes: which requests they are for.

use serde_json::Value;

use super::entity::{Names, Strict};
use crate::cli::import::fields::Fields;
use crate::cli::import::pattern;
use crate::cli::import::remark::Report;

/// A route.
pub(super) struct Route {
    pub(super) names: Names,
    pub(super) place: String,
    pub(super) service: Option<usize>,
    /// Lower case, without ports; a wildcard begins or ends with `*`.
    pub(super) hosts: Vec<String>,
    /// None means every path, unless there are expressions.
    pub(super) prefixes: Vec<String>,
    pub(super) expressions: Vec<Expression>,
    /// None means all.
    pub(super) methods: Vec<String>,
    /// Names of headers whose values it asks for.
    pub(super) headers: Vec<String>,
    /// Whether it asks for server names of the handshake, which are its hosts.
    pub(super) by_sni: bool,
    /// What else it asks for, that is not seen here.
    pub(super) unseen: Vec<String>,
    pub(super) strip_path: bool,
    pub(super) preserve_host: bool,
}

/// A path that is a regular expression.
pub(super) struct Expression {
    /// As a rule's `matches` takes it; none when no linear expression says it.
    pub(super) pattern: Option<String>,
    /// What every path that fits begins with.
    pub(super) start: String,
    /// Paths below that could fit as Kong sees them, with their escapes, and not as a rule does.
    pub(super) escaped: Option<String>,
}

impl Route {
    /// Whether it is for every path.
    pub(super) fn is_for_every_path(&self) -> bool {
        self.prefixes.is_empty() && self.expressions.is_empty()
    }
}

pub(super) fn read(names: Names, place: String, of: &mut Fields<'_>, by_tilde: bool, report: &mut Report) -> Route {
    let headers = of.get("headers");
    let empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    let mut unseen: Vec<String> = Vec::new();
    for key in ["destinations", "expression", "sources"] {
        if of.get(key).is_some_and(|value| !empty(value)) {
            unseen.push(format!("`{key}`"));
        }
    }
    let mut strict = Strict { fields: of, problems: Vec::new() };
    let protocols = strict.texts("protocols");
    let snis = strict.texts("snis").unwrap_or_default();
    let hosts = strict.texts("hosts").unwrap_or_default();
    let paths = strict.texts("paths").unwrap_or_default();
    let methods = strict.texts("methods").unwrap_or_default();
    let strip_path = strict.flag("strip_path").unwrap_or(true);
    let preserve_host = strict.flag("preserve_host").unwrap_or(false);
    let path_handling = strict.text("path_handling");
    if strict.whole("https_redirect_status_code").is_some_and(|code| code != 426) {
        report.left_out(&place, "`https_redirect_status_code`: the front door redirects plain HTTP");
    }
    let mut streams = [strict.flag("request_buffering"), strict.flag("response_buffering")].into_iter().flatten();
    if streams.any(|buffers| buffers) {
        report.note(&place, "`request_buffering`, `response_buffering`: bodies are always streamed");
    }
    strict.fields.skip(&["priority"]);
    if strict.fields.get("regex_priority").is_some_and(|priority| priority.as_u64() != Some(0)) {
        report.note(&place, "`regex_priority`: paths that are regular expressions are not served here");
    }
    unseen.append(&mut strict.problems);
    if path_handling.is_some_and(|handling| handling != "v0") {
        report.left_out(&place, "`path_handling`: paths are joined as with `v0`");
    }
    let protocols = protocols.unwrap_or_else(|| vec!["http".into(), "https".into()]);
    if !protocols.iter().any(|protocol| protocol == "http" || protocol == "https") {
        unseen.push(format!("`protocols` {}", protocols.join(", ")));
    } else if !protocols.iter().any(|protocol| protocol == "http") {
        let text = "`protocols` is https alone: plain HTTP must be refused or redirected by the front door";
        report.note(&place, text);
    }
    // As rules can ask for them.
    let plain = |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let headers = match headers {
        Some(Value::Object(headers)) if headers.keys().all(plain) => headers.keys().cloned().collect(),
        Some(_) => {
            unseen.push("`headers` that cannot be read".into());
            Vec::new()
        }
        None => Vec::new(),
    };
    let mut route = Route {
        names,
        place,
        service: None,
        hosts: hosts.iter().map(|host| without_port(host)).collect(),
        prefixes: Vec::new(),
        expressions: Vec::new(),
        methods: methods.into_iter().map(|method| method.to_ascii_uppercase()).collect(),
        headers,
        by_sni: !snis.is_empty(),
        unseen,
        strip_path,
        preserve_host,
    };
    if hosts.iter().any(|host| *host != host.to_ascii_lowercase() || without_port(host) != *host) {
        report.note(&route.place, "`hosts`: a domain is for every port, and is written in small letters");
    }
    by_server_name(&mut route, &snis, report);
    for path in paths {
        take_path(&mut route, &path, by_tilde);
    }
    route
}

/// Here the Host is the server name: behind [server.tls] always, behind other front doors with `require_sni`.
fn by_server_name(route: &mut Route, snis: &[String], report: &mut Report) {
    let snis: Vec<String> = snis.iter().map(|sni| sni.to_ascii_lowercase()).collect();
    if snis.is_empty() {
        return;
    }
    if route.hosts.is_empty() {
        report.note(&route.place, "`snis` become its hosts: the Host must be the server name of the handshake");
        route.hosts = snis;
    } else if route.hosts.iter().all(|host| snis.contains(host)) {
        report.note(&route.place, "`snis` are its hosts: the Host must be the server name of the handshake");
    } else {
        route.unseen.push("`snis`".into());
    }
}

fn take_path(route: &mut Route, path: &str, by_tilde: bool) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_~/%".contains(&byte);
    let expression = match path.strip_prefix('~') {
        Some(expression) if by_tilde => Some(expression),
        _ if !by_tilde && !path.bytes().all(plain) => Some(path),
        _ => None,
    };
    let literal = expression.is_none() && is_normal(path);
    if literal {
        route.prefixes.push(path.to_owned());
        return;
    }
    let Some(expression) = expression else {
        route.expressions.push(Expression { pattern: None, start: literal_start(&regex::escape(path)), escaped: None });
        return;
    };
    // Anchored at the start alone, as Kong does. Rules see decoded paths: one that asks for an escape would never fit.
    let sayable = expression.is_ascii() && !expression.contains('%');
    let pattern = pattern::from_pcre(&format!("^(?:{})", before_line_feed(expression)))
        .ok()
        .filter(|_| sayable)
        .map(|pattern| pattern.text);
    let start = literal_start(expression);
    let escaped = (pattern.is_some() && may_fit_escapes(expression)).then(|| escaped_below(&start));
    route.expressions.push(Expression { pattern, start, escaped });
}

/// Whether an expression without a `%` of its own may fit one: by a `.`, a set, or what is none of a kind.
fn may_fit_escapes(expression: &str) -> bool {
    expression.contains(['.', '[']) || ["\\D", "\\S", "\\W", "\\N", "\\H", "\\V"].iter().any(|kind| expression.contains(kind))
}

/// Paths with a character that can only have been escaped (RFC 3986 §3.3).
fn escaped_below(start: &str) -> String {
    format!("(?s)^{}.*[^0-9A-Za-z/._~!$&'()*+,;=:@-]", regex::escape(start))
}

/// PCRE's `$` also stands before a last line feed, and ours does not: a path with `%0A` at its end must not slip through.
fn before_line_feed(expression: &str) -> String {
    let (mut written, mut escaped, mut in_set) = (String::new(), false, false);
    for c in expression.chars() {
        match c {
            '$' if !escaped && !in_set => written.push_str("(?:\\n?$)"),
            _ => written.push(c),
        }
        in_set = match c {
            '[' if !escaped => true,
            ']' if !escaped => false,
            _ => in_set,
        };
        escaped = c == '\\' && !escaped;
    }
    written
}

/// What a path of ours may be.
fn is_normal(path: &str) -> bool {
    let climbs = path.split('/').any(|segment| segment == "." || segment == "..");
    path.starts_with('/')
        && !path.contains(['%', '?', '#'])
        && !path.contains("//")
        && !climbs
        && path.bytes().all(|byte| (0x21..0x7F).contains(&byte))
}

/// What every text that fits begins with, at least; up to the last `/` before anything odd. `/` when alternatives begin outside.
fn literal_start(expression: &str) -> String {
    let expression = expression.strip_prefix('^').unwrap_or(expression);
    let odd = expression.find(|c: char| !(c.is_ascii_alphanumeric() || "/-_".contains(c))).unwrap_or(expression.len());
    let mut start = if expression.contains('|') { "" } else { expression.get(..odd).unwrap_or_default() };
    if expression.get(odd..).is_some_and(|rest| rest.starts_with(['?', '*', '{', '+'])) {
        start = start.get(..start.len().saturating_sub(1)).unwrap_or_default();
    }
    let end = start.rfind('/').map_or(0, |at| at + 1);
    let start = start.get(..end).unwrap_or_default();
    if start.starts_with('/') { start.to_owned() } else { "/".to_owned() }
}

fn without_port(host: &str) -> String {
    let host =
        host.rsplit_once(':').map_or(host, |(name, port)| if port.bytes().all(|b| b.is_ascii_digit()) { name } else { host });
    host.to_ascii_lowercase()
}
