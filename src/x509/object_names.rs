//! The short names that OpenSSL prints for object identifiers: `CN`, `emailAddress`, `organizationIdentifier`.
//!
//! OpenSSL looks an attribute's type up in its whole table of objects, not only among name attributes: an attribute whose type
//! is an extended key usage prints as `clientAuth=x`. So the whole table of OpenSSL 3.0 stands here as data, and the text does
//! not change with the OpenSSL that this program happens to be linked with.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::oid;

/// The short name for an OID's content octets.
pub fn short_name(oid: &[u8]) -> Option<&'static str> {
    TABLE.names.get(oid).copied()
}

/// The content octets of the OID with this short name. Letter case counts: `UID` and `uid` are two attributes.
pub fn oid_of(short_name: &str) -> Option<&'static [u8]> {
    TABLE.oids.get(short_name).map(Vec::as_slice)
}

struct Table {
    names: HashMap<Vec<u8>, &'static str>,
    oids: HashMap<&'static str, Vec<u8>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let rows = || rows().filter_map(|(dotted, name)| Some((oid::parse_dotted(dotted)?, name)));
    Table { names: rows().collect(), oids: rows().map(|(oid, name)| (name, oid)).collect() }
});

fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    include_str!("object_names.tsv").lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::asn1::Asn1Object;
    use openssl::nid::Nid;
    use openssl::version;
    use std::collections::HashSet;

    #[test]
    fn every_row_is_read() {
        assert_eq!(rows().count(), 1103);
        assert_eq!(TABLE.names.len(), 1103);
        assert_eq!(TABLE.oids.len(), 1103, "no short name twice");
    }

    #[test]
    fn names_worth_knowing() {
        for (dotted, name) in [
            ("2.5.4.3", "CN"),
            ("2.5.4.4", "SN"),
            ("2.5.4.9", "street"),
            ("2.5.4.97", "organizationIdentifier"),
            ("0.9.2342.19200300.100.1.1", "UID"),
            ("0.9.2342.19200300.100.1.44", "uid"),
            ("1.3.6.1.5.5.7.3.2", "clientAuth"),
            ("1.3.6.1.4.1.311.60.2.1.3", "jurisdictionC"),
        ] {
            let oid = oid::parse_dotted(dotted).unwrap();
            assert_eq!(short_name(&oid), Some(name));
            assert_eq!(oid_of(name), Some(&oid[..]));
        }
        assert_eq!(oid_of("cn"), None);
    }

    #[test]
    fn same_as_the_recorded_names_of_attributes() {
        let recorded = include_str!("../../tests/vectors/x509/openssl-attr-shortnames.tsv");
        let rows: Vec<_> = recorded.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t')).collect();
        assert!(rows.len() > 100);
        for mut row in rows {
            let oid = oid::parse_dotted(row.next().unwrap()).unwrap();
            assert_eq!(short_name(&oid), row.next());
        }
    }

    /// The numbers of OpenSSL 3.0 are below 1,400. Another version knows other objects, so the comparison is for 3.0 alone.
    #[test]
    fn same_as_the_linked_openssl() {
        if version::number() >> 20 != 0x300 {
            eprintln!("not compared: {} is not OpenSSL 3.0", version::version());
            return;
        }
        let mut seen = HashSet::new();
        for number in 1..5000 {
            let nid = Nid::from_raw(number);
            let Ok(name) = nid.short_name() else { continue };
            let Ok(named) = Asn1Object::from_str(name) else { continue };
            // Only an object read from its octets is looked up; `ORG` and `identified-organization` share theirs.
            let Ok(object) = Asn1Object::from_str(&oid::dotted(named.as_slice())) else { continue };
            if object.nid() == nid {
                assert_eq!(short_name(object.as_slice()), Some(name), "{number}");
                seen.insert(name);
            }
        }
        assert_eq!(seen.len(), 1103);
    }
}
