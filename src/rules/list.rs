//! Named lists: `is_in_list` costs the same for ten entries and for a hundred thousand.

use std::collections::HashSet;
use std::net::IpAddr;

/// What a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    /// Fingerprints of certificates or keys, hexadecimal.
    Fingerprints,
    /// Addresses and networks.
    IpCidr,
    /// Texts.
    Strings,
}

impl ListKind {
    /// Every kind with its word.
    pub const ALL: [(&'static str, Self); 3] =
        [("strings", Self::Strings), ("ip_cidr", Self::IpCidr), ("fingerprints", Self::Fingerprints)];
}

/// A list, ready for look-ups.
#[derive(Debug)]
pub struct List {
    name: String,
    entries: Entries,
}

#[derive(Debug)]
enum Entries {
    Fingerprints(HashSet<Box<str>>),
    Networks(Networks),
    Strings(HashSet<Box<str>>),
}

impl List {
    /// A list of its entries, as they are written.
    ///
    /// # Errors
    /// Each entry that cannot be read: which one, counted from 0, and what it may look like.
    pub fn new<'e>(
        name: &str,
        kind: ListKind,
        entries: impl IntoIterator<Item = &'e str>,
    ) -> Result<Self, Vec<(usize, &'static str)>> {
        let mut problems = Vec::new();
        let all = |read: &mut dyn FnMut(&str) -> Result<(), &'static str>| {
            for (at, entry) in entries.into_iter().enumerate() {
                if let Err(accepted) = read(entry) {
                    problems.push((at, accepted));
                }
            }
        };
        let entries = match kind {
            ListKind::Strings => {
                let mut set = HashSet::new();
                all(&mut |entry| {
                    set.insert(entry.into());
                    Ok(())
                });
                Entries::Strings(set)
            }
            ListKind::Fingerprints => {
                let mut set = HashSet::new();
                all(&mut |entry| {
                    set.insert(fingerprint(entry)?.into());
                    Ok(())
                });
                Entries::Fingerprints(set)
            }
            ListKind::IpCidr => {
                let mut ranges = Vec::new();
                all(&mut |entry| network(entry).map(|range| ranges.push(range)));
                Entries::Networks(Networks::new(ranges))
            }
        };
        if problems.is_empty() { Ok(Self { name: name.to_owned(), entries }) } else { Err(problems) }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it holds.
    pub fn kind(&self) -> ListKind {
        match self.entries {
            Entries::Fingerprints(_) => ListKind::Fingerprints,
            Entries::Networks(_) => ListKind::IpCidr,
            Entries::Strings(_) => ListKind::Strings,
        }
    }

    /// Whether a value is in it: a text byte for byte, an address inside one of the networks, a fingerprint whatever its
    /// spelling.
    pub fn contains(&self, value: &str) -> bool {
        match &self.entries {
            Entries::Strings(set) => set.contains(value),
            Entries::Fingerprints(set) => set.contains(value) || fingerprint(value).is_ok_and(|digits| set.contains(&*digits)),
            Entries::Networks(networks) => value.parse().is_ok_and(|address| networks.contain(address)),
        }
    }
}

/// Lower-case digits, without the colons of other programs and without the `sha256:` of ours.
fn fingerprint(text: &str) -> Result<String, &'static str> {
    let digits = text.strip_prefix("spki-").unwrap_or(text);
    let digits = digits.strip_prefix("sha256:").unwrap_or(digits).replace(':', "").to_ascii_lowercase();
    let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hex && matches!(digits.len(), 40 | 64) {
        return Ok(digits);
    }
    Err("40 hexadecimal digits (SHA-1) or 64 (SHA-256), with or without colons")
}

/// First and last address, as numbers of the IPv6 space; IPv4 stands where RFC 4291 §2.5.5.2 maps it, so that a mapped address
/// is the address.
type Range = (u128, u128);

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn network(text: &str) -> Result<Range, &'static str> {
    const ACCEPTED: &str = "an address or a network, like 192.0.2.0/24, with no bits set behind its prefix";
    let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
    let address: IpAddr = address.parse().map_err(|_| ACCEPTED)?;
    let longest: u32 = if address.is_ipv4() { 32 } else { 128 };
    let length = match length {
        Some(length) if length.bytes().all(|byte| byte.is_ascii_digit()) => length.parse().map_err(|_| ACCEPTED)?,
        Some(_) => return Err(ACCEPTED),
        None => longest,
    };
    let host_bits = longest.checked_sub(length).ok_or(ACCEPTED)?;
    let mask = u128::MAX.checked_shr(128 - host_bits).unwrap_or(0);
    let first = number(address);
    if first & mask != 0 {
        return Err(ACCEPTED);
    }
    Ok((first, first | mask))
}

/// Networks as sorted ranges that do not touch: a look-up compares at most as often as their number has bits.
#[derive(Debug)]
struct Networks(Vec<Range>);

impl Networks {
    fn new(mut ranges: Vec<Range>) -> Self {
        ranges.sort_unstable();
        let mut merged: Vec<Range> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match merged.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        Self(merged)
    }

    fn contain(&self, address: IpAddr) -> bool {
        let wanted = number(address);
        let after = self.0.partition_point(|(first, _)| *first <= wanted);
        let before = after.checked_sub(1).and_then(|at| self.0.get(at));
        before.is_some_and(|(_, last)| wanted <= *last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn entries_of_each_kind() {
        let list = |kind, entries: &[&str]| List::new("l", kind, entries.iter().copied());
        let networks = list(ListKind::IpCidr, &["192.0.2.0/24", "2001:db8::/32", "198.51.100.7", "0.0.0.0/32"]).unwrap();
        for (address, inside) in [
            ("192.0.2.0", true),
            ("192.0.2.255", true),
            ("192.0.3.0", false),
            ("192.0.1.255", false),
            ("::ffff:192.0.2.1", true),
            ("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true),
            ("2001:db9::", false),
            ("198.51.100.7", true),
            ("198.51.100.8", false),
            ("0.0.0.0", true),
            ("::", false),
            ("", false),
            ("192.0.2.1 ", false),
        ] {
            assert_eq!(networks.contains(address), inside, "{address}");
        }
        assert!(list(ListKind::IpCidr, &["0.0.0.0/0"]).unwrap().contains("255.255.255.255"));
        assert!(list(ListKind::IpCidr, &["::/0"]).unwrap().contains("1.2.3.4"));
        for bad in ["", "192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/+8", "a", "192.0.2.0/24/1", "::/129"] {
            assert_eq!(list(ListKind::IpCidr, &["::1", bad]).unwrap_err().len(), 1, "{bad}");
        }
        let colons = "AB:".repeat(31) + "AB";
        let digests = list(ListKind::Fingerprints, &[&colons, &"0c".repeat(20)]).unwrap();
        assert!(digests.contains(&"ab".repeat(32)) && digests.contains(&"0C".repeat(20)) && !digests.contains("ab"));
        assert_eq!(list(ListKind::Fingerprints, &["ab", &"zz".repeat(32)]).unwrap_err().len(), 2);
        let texts = list(ListKind::Strings, &["a", "b c"]).unwrap();
        assert!(texts.contains("b c") && !texts.contains("A") && !texts.contains(""));
    }

    proptest! {
        #[test]
        fn ranges_say_what_every_network_says(
            networks in prop::collection::vec((any::<u32>(), 0_u32..=32), 0..40),
            addresses in prop::collection::vec(any::<u32>(), 1..40),
        ) {
            let masked: Vec<(u32, u32)> = networks
                .into_iter()
                .map(|(address, length)| (u32::MAX.checked_shl(32 - length).unwrap_or(0), address))
                .map(|(mask, address)| (mask, address & mask))
                .collect();
            let written: Vec<String> = masked
                .iter()
                .map(|(mask, address)| format!("{}/{}", std::net::Ipv4Addr::from(*address), mask.count_ones()))
                .collect();
            let list = List::new("l", ListKind::IpCidr, written.iter().map(String::as_str)).unwrap();
            for address in addresses.into_iter().chain(masked.iter().map(|(_, address)| *address)) {
                let inside = masked.iter().any(|(mask, network)| address & mask == *network);
                prop_assert_eq!(list.contains(&std::net::Ipv4Addr::from(address).to_string()), inside);
            }
        }
    }
}
