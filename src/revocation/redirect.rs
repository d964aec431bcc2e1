//! Where an answer may send us: to the same host, and from `http` to its `https`.

use reqwest::Url;

/// The most hops of one fetch.
pub(super) const MOST_HOPS: usize = 3;

/// The next hop.
///
/// # Errors
/// Why it is not taken.
pub(super) fn next_hop(from: &Url, location: &str) -> Result<Url, String> {
    let to = from.join(location).map_err(|_| format!("`{}` is no URL", location.escape_debug()))?;
    let ports = (from.port_or_known_default(), to.port_or_known_default());
    let same_origin = from.scheme() == to.scheme() && ports.0 == ports.1;
    let upgraded = from.scheme() == "http" && to.scheme() == "https" && ports.1 == Some(443);
    let credentials = !to.username().is_empty() || to.password().is_some();
    if from.host_str() != to.host_str() || !(same_origin || upgraded) || credentials {
        return Err(format!("{from} points to {to}"));
    }
    Ok(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_hops_are_taken() {
        let from = Url::parse("http://ca.example/a/b").unwrap();
        for (location, wanted) in [
            ("/c", Some("http://ca.example/c")),
            ("c", Some("http://ca.example/a/c")),
            ("http://ca.example/c", Some("http://ca.example/c")),
            ("http://CA.example:80/c", Some("http://ca.example/c")),
            ("https://ca.example/c", Some("https://ca.example/c")),
            ("https://ca.example:444/c", None),
            ("http://ca.example:81/c", None),
            ("http://ca.example:443/c", None),
            ("http://other.example/", None),
            ("//other.example/", None),
            ("http://127.0.0.1/", None),
            ("http://u:p@ca.example/", None),
            ("ftp://ca.example/", None),
            ("file:///etc/passwd", None),
            ("http://", None),
        ] {
            assert_eq!(next_hop(&from, location).ok().as_ref().map(Url::as_str), wanted, "{location}");
        }
        assert!(next_hop(&Url::parse("https://ca.example/").unwrap(), "http://ca.example/").is_err(), "never down to http");
    }
}
