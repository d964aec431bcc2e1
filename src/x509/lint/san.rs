//! Syntax of alternative names (RFC 5280 §4.2.1.6). A name that is not what its kind says slips past name constraints.

use x509_parser::extensions::GeneralName;

/// RFC 1035 §2.3.4.
const LONGEST_HOST: usize = 253;
const LONGEST_LABEL: usize = 63;
/// Octets in one name.
const LONGEST_NAME: usize = 4 * 1024;

/// What is wrong with a name, in words that follow "the certificate".
pub(super) fn problem_of(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(host) if !is_host(host) => {
            Some(format!("has a dNSName that is no host name: {}", host.escape_debug()))
        }
        GeneralName::RFC822Name(address) if !is_mailbox(address) => {
            Some(format!("has an rfc822Name that is no mailbox: {}", address.escape_debug()))
        }
        GeneralName::URI(uri) if !is_uri_text(uri) => Some(format!("has a URI that is none: {}", uri.escape_debug())),
        GeneralName::IPAddress(octets) if !matches!(octets.len(), 4 | 16) => {
            Some(format!("has an iPAddress of {} octets", octets.len()))
        }
        GeneralName::Invalid(..) => Some("has an alternative name that cannot be read".into()),
        _ => None,
    }
}

/// Letters, digits and hyphens in labels, with one leading `*.` allowed. An address is no host name.
fn is_host(host: &str) -> bool {
    let rest = host.strip_prefix("*.").unwrap_or(host);
    rest.len() <= LONGEST_HOST && rest.split('.').all(is_label) && host.parse::<std::net::Ipv4Addr>().is_err()
}

fn is_label(label: &str) -> bool {
    let ends_well = !label.starts_with('-') && !label.ends_with('-');
    (1..=LONGEST_LABEL).contains(&label.len()) && ends_well && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn is_mailbox(address: &str) -> bool {
    let Some((local, host)) = address.split_once('@') else { return false };
    let printable = local.bytes().all(|b| b.is_ascii_graphic()) && address.len() <= LONGEST_NAME;
    printable && !local.is_empty() && !host.contains('@') && !host.starts_with("*.") && is_host(host)
}

fn is_uri_text(uri: &str) -> bool {
    !uri.is_empty() && uri.len() <= LONGEST_NAME && uri.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names() {
        for good in ["a", "example.com", "*.example.com", "xn--bcher-kva.example", "1.2", "A-b.C"] {
            assert!(is_host(good), "{good}");
        }
        let long = "a".repeat(64);
        for bad in [
            "",
            ".",
            ".a",
            "a.",
            "a..b",
            "*",
            "*.*.a",
            "a.*.b",
            "f*.a",
            "-a.b",
            "a-.b",
            "a b",
            "a\0.b",
            "ä.de",
            "192.0.2.1",
            &long,
        ] {
            assert!(!is_host(bad), "{bad:?}");
        }
    }

    #[test]
    fn mailboxes() {
        for good in ["a@b", "first.last@example.com"] {
            assert!(is_mailbox(good), "{good}");
        }
        for bad in ["", "@", "a", "a@", "@b", "a@b@c", "a@*.b", "a b@c", "a\0@b", "a@.b"] {
            assert!(!is_mailbox(bad), "{bad:?}");
        }
    }

    #[test]
    fn addresses_have_four_or_sixteen_octets() {
        for (length, good) in [(0, false), (4, true), (5, false), (8, false), (16, true), (32, false)] {
            assert_eq!(problem_of(&GeneralName::IPAddress(&vec![1; length])).is_none(), good, "{length}");
        }
    }
}
