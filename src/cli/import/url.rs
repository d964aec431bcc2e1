//! URLs of upstreams.

/// One without user, password, query and fragment.
pub(super) struct Url {
    pub(super) protocol: String,
    pub(super) host: String,
    pub(super) port: Option<u64>,
    pub(super) path: String,
}

impl Url {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (protocol, rest) = text.split_once("://")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        // A user or password would be lost.
        let bad = authority.contains('@') || path.contains(['?', '#']);
        let end_of_host = authority.rfind(']').map_or(0, |at| at + 1);
        let (host, port) = match authority.get(end_of_host..)?.rfind(':') {
            Some(at) => {
                let (host, port) = authority.split_at(end_of_host + at);
                (host, Some(port.trim_start_matches(':').parse().ok()?))
            }
            None => (authority, None),
        };
        (!bad).then(|| Self { protocol: protocol.to_ascii_lowercase(), host: host.to_owned(), port, path: path.to_owned() })
    }
}
