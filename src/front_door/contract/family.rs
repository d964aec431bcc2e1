//! Header names that begin alike and end with a number: Apache's `SSL_CLIENT_CERT_CHAIN_0` and those after it.

use http::HeaderName;

use super::fold;

/// The most digits of a number. Nobody sends a hundred certificates.
const MOST_DIGITS: usize = 2;

/// How the names begin.
#[derive(Debug)]
pub(super) struct Family {
    folded: String,
    prefix: String,
    hyphens: String,
}

impl Family {
    pub(super) fn new(prefix: &HeaderName) -> Self {
        let prefix = prefix.as_str().to_owned();
        Self { folded: fold(&prefix).into_owned(), hyphens: prefix.replace('_', "-"), prefix }
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether a lower-case name begins so, in any spelling.
    pub(super) fn claims(&self, name: &str) -> bool {
        let start = name.as_bytes().get(..self.folded.len());
        let same = |(ours, theirs): (u8, &u8)| ours == *theirs || (ours == b'-' && !theirs.is_ascii_alphanumeric());
        start.is_some_and(|start| self.folded.bytes().zip(start).all(same))
    }

    /// The number of a name that is spelled right.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        let digits = name.strip_prefix(&self.prefix).or_else(|| name.strip_prefix(&self.hyphens))?;
        let canonical = digits == "0" || !digits.starts_with('0');
        let short = (1..=MOST_DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if canonical && short { digits.parse().ok() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_look_alikes() {
        let family = Family::new(&HeaderName::from_static("ssl_client_cert_chain_"));
        for (name, number) in [("ssl_client_cert_chain_0", 0), ("ssl-client-cert-chain-1", 1), ("ssl_client_cert_chain_99", 99)]
        {
            assert!(family.claims(name));
            assert_eq!(family.number(name), Some(number), "{name}");
        }
        for name in [
            "ssl.client.cert.chain.0",
            "ssl_client_cert_chain-0",
            "ssl_client_cert_chain_",
            "ssl_client_cert_chain_00",
            "ssl_client_cert_chain_100",
            "ssl_client_cert_chain_x",
            "ssl_client_cert_chain_+1",
        ] {
            assert!(family.claims(name), "{name}");
            assert_eq!(family.number(name), None, "{name}");
        }
        for name in ["ssl_client_cert_chain", "ssl_client_cert", "xssl_client_cert_chain_0", ""] {
            assert!(!family.claims(name), "{name}");
        }
    }
}
