//! Which hosts a certificate may name: `revocation_hosts`.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use reqwest::Url;

/// One entry of the list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Entry {
    host: String,
    /// The host itself, or every name below it.
    below: bool,
    /// This port instead of the usual ones.
    port: Option<u16>,
}

/// The hosts that certificates may name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct RevocationHosts(Vec<Entry>);

/// Why a URL of a certificate is not fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotPermitted {
    /// Not `http` or `https`.
    Scheme,
    /// It holds a user name or a password.
    Credentials,
    /// Its host is on no entry.
    Host,
    /// Its port is not the usual one of its scheme, and no entry names it.
    Port,
}

impl fmt::Display for NotPermitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "neither http nor https",
            Self::Credentials => "it holds credentials",
            Self::Host => "its host is not in `revocation_hosts`",
            Self::Port => "its port is not in `revocation_hosts`; write `host:port`",
        })
    }
}

impl RevocationHosts {
    /// Reads the entries: `crl.example`, `*.example`, each also with a port.
    ///
    /// # Errors
    /// The first text that is no entry.
    pub fn parse(texts: &[String]) -> Result<Self, String> {
        texts.iter().map(|text| entry(text).ok_or_else(|| text.clone())).collect::<Result<_, _>>().map(Self)
    }

    /// Nobody.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a certificate may name this URL.
    ///
    /// # Errors
    /// Why not.
    pub fn permit(&self, url: &Url) -> Result<(), NotPermitted> {
        let usual = match url.scheme() {
            "http" => 80,
            "https" => 443,
            _ => return Err(NotPermitted::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NotPermitted::Credentials);
        }
        let host = url.host_str().unwrap_or_default();
        let host = host.strip_suffix('.').unwrap_or(host);
        let port = url.port().unwrap_or(usual);
        let mut named = self.0.iter().filter(|entry| entry.names(host)).peekable();
        if named.peek().is_none() {
            return Err(NotPermitted::Host);
        }
        let open = |entry: &Entry| entry.port.map_or(port == usual, |own| own == port);
        if named.any(open) { Ok(()) } else { Err(NotPermitted::Port) }
    }
}

impl Entry {
    fn names(&self, host: &str) -> bool {
        if !self.below {
            return host == self.host;
        }
        let label = host.strip_suffix(&self.host).and_then(|rest| rest.strip_suffix('.'));
        label.is_some_and(|label| !label.is_empty())
    }
}

fn entry(text: &str) -> Option<Entry> {
    let (below, rest) = match text.strip_prefix("*.") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port.parse().ok()?)),
        _ => (rest, None),
    };
    let is_name = host.split('.').all(|label| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !label.is_empty() && label.len() <= 63 && label.bytes().all(known)
    });
    let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_address = v6.is_some_and(|host| host.parse::<Ipv6Addr>().is_ok());
    if port == Some(0) || (below && (is_address || host.parse::<IpAddr>().is_ok())) || !(is_name || is_address) {
        return None;
    }
    // As URLs spell it: lower case, addresses in their canonical form.
    let host = Url::parse(&format!("http://{host}/")).ok()?.host_str()?.to_owned();
    Some(Entry { host, below, port })
}

/// The address that a URL names literally. The URL's parser has made every spelling of an IPv4 address (`0x7f.1`) the usual one.
pub fn literal_address(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::address::is_public;

    fn hosts(texts: &[&str]) -> RevocationHosts {
        RevocationHosts::parse(&texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn what_is_an_entry() {
        for good in
            ["crl.example", "CRL.Example:8080", "*.example", "*.ca.example:80", "127.0.0.1:8080", "[::1]:80", "[2001:DB8::1]"]
        {
            assert!(RevocationHosts::parse(&[good.to_owned()]).is_ok(), "{good}");
        }
        for bad in [
            "",
            "*",
            "*.",
            "a..b",
            "http://a",
            "a/b",
            "a:",
            "a:0",
            "a:70000",
            "a:x",
            "::1",
            "*.[::1]",
            "*.1.2.3.4",
            "a b",
            "a@b",
            "*a.b",
        ] {
            assert!(RevocationHosts::parse(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }

    #[test]
    fn which_urls_pass() {
        use NotPermitted::{Credentials, Host, Port, Scheme};
        let list = hosts(&["crl.example", "*.ca.example", "other.example:8080", "127.0.0.1:81"]);
        for (url, wanted) in [
            ("http://crl.example/a.crl", Ok(())),
            ("http://CRL.EXAMPLE./a.crl", Ok(())),
            ("https://crl.example:443/", Ok(())),
            ("http://crl.example:80/", Ok(())),
            ("http://crl.example:443/", Err(Port)),
            ("http://crl.example:8080/", Err(Port)),
            ("http://other.example:8080/", Ok(())),
            ("https://other.example:8080/", Ok(())),
            ("http://other.example/", Err(Port)),
            ("http://a.ca.example/", Ok(())),
            ("http://a.b.ca.example/", Ok(())),
            ("http://ca.example/", Err(Host)),
            ("http://.ca.example/", Err(Host)),
            ("http://xca.example/", Err(Host)),
            ("http://crl.example.evil/", Err(Host)),
            ("http://evil/crl.example", Err(Host)),
            ("http://crl.example@evil/", Err(Credentials)),
            ("http://evil@crl.example/", Err(Credentials)),
            ("ldap://crl.example/", Err(Scheme)),
            ("file:///crl.example", Err(Scheme)),
            ("http://0x7f.1:81/", Ok(())),
            ("http://127.0.0.1/", Err(Port)),
        ] {
            assert_eq!(list.permit(&Url::parse(url).unwrap()), wanted, "{url}");
        }
    }

    #[test]
    fn odd_spellings_of_addresses_are_seen_through() {
        for url in [
            "http://127.0.0.1/",
            "http://0x7f.1/",
            "http://2130706433/",
            "http://017700000001/",
            "http://127.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[0:0:0:0:0:ffff:7f00:1]/",
            "http://127.0.0.1./",
            "http://\u{ff11}27.0.0.1/",
        ] {
            let address = literal_address(&Url::parse(url).unwrap());
            assert!(address.is_some_and(|address| !is_public(address)), "{url} {address:?}");
        }
        assert_eq!(literal_address(&Url::parse("http://crl.example/").unwrap()), None);
    }
}
