//! `[upstreams.<name>]`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::table::Table;
use crate::upstream::{Endpoint, HostPolicy, Upstream};

/// Reads every upstream. One that has problems stands as `None`, so that its name is still known.
pub(super) fn read(tenant: &Table<'_>, folder: &Path) -> BTreeMap<String, Option<Arc<Upstream>>> {
    let mut upstreams = BTreeMap::new();
    for (name, table) in tenant.named_tables("upstreams") {
        let trusted_ca = table.text("trusted_ca").map(|file| folder.join(file));
        let accepted = "\"http://host:port\", \"https://host:port\" or \"unix:/path\"";
        let url = table.required_text("url", accepted);
        let endpoint = url.and_then(|url| {
            let parsed = Endpoint::parse(&url, trusted_ca.as_deref());
            // A URL with `@` may hold a password.
            let shown = if url.contains('@') { "***" } else { &url };
            parsed.map_err(|why| table.problem("url", format!("found `{shown}`: {why}"), format!("accepted: {accepted}"))).ok()
        });
        if trusted_ca.is_some() && endpoint.as_ref().is_some_and(|endpoint| !endpoint.is_tls()) {
            table.problem("trusted_ca", "has no effect: `url` is not https", "an https `url` with it, or no `trusted_ca`");
        }
        // Read in any case: a bad `url` must not hide what is wrong with the other keys.
        let (host, max_idle_per_worker) = (host(&table), table.number("max_idle_per_worker", 0..=100_000, 128));
        let connect_timeout = table.positive_duration("connect_timeout", Duration::from_secs(5));
        let response_timeout = table.positive_duration("response_timeout", Duration::from_secs(60));
        let tunnel_timeout = table.positive_duration("tunnel_timeout", Duration::from_secs(3_600));
        let idle_keep_alive = table.duration("keep_alive", Duration::from_secs(30));
        table.finish();
        let settings = endpoint.map(|endpoint| Upstream {
            name: name.clone(),
            endpoint,
            host,
            connect_timeout,
            response_timeout,
            tunnel_timeout,
            idle_keep_alive,
            max_idle_per_worker,
        });
        upstreams.insert(name, settings.map(Arc::new));
    }
    upstreams
}

fn host(table: &Table<'_>) -> HostPolicy {
    let parse = |text: &str| match text {
        "preserve" => Ok(HostPolicy::Preserve),
        "upstream" => Ok(HostPolicy::Upstream),
        name if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte)) => {
            Ok(HostPolicy::Named(name.to_owned()))
        }
        _ => Err("accepted: \"preserve\", \"upstream\" or a host name".to_owned()),
    };
    table.parsed("host", parse).unwrap_or(HostPolicy::Preserve)
}
