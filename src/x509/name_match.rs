//! A distinguished name as somebody registered it (RFC 4514), compared with a certificate's as names are (RFC 4517 §4.2.15):
//! never as strings, since no two printers agree on one.
//!
//! Read are also spellings that are common and mean one thing only: spaces around separators, `;` for `,`, `OID.` before an
//! object identifier, descriptors of other libraries. Values are equal without regard to case and to how many spaces there
//! are. RFC 4518's compatibility forms (NFKC, `ß` and `ss`) are not made equal: that refuses more, never less.

use super::attribute_value::AttributeValue;
use super::der::Reader;
use super::name::{Attribute, Name};
use super::{object_names, oid};

/// Whether the order of relative distinguished names counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RdnOrder {
    /// No: some printers turn it round.
    Any,
    /// Yes, as RFC 4517 has it.
    Strict,
}

/// A name to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistinguishedName {
    /// In the order of a certificate: the last of the text is the first here.
    rdns: Vec<Vec<Pair>>,
}

/// The attribute type's content octets, and a value that is ready to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pair(Vec<u8>, String);

impl DistinguishedName {
    /// Reads a text.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rdns = vec![Vec::new()];
        let mut rest = text;
        loop {
            let (kind, after) = rest.split_once('=').ok_or_else(|| format!("no `=` in `{rest}`"))?;
            let (value, separator, after) = value(after)?;
            let pair = Pair(type_of(kind)?, value);
            if let Some(rdn) = rdns.last_mut() {
                rdn.push(pair);
            }
            match separator {
                None => break,
                Some('+') => {}
                Some(_) => rdns.push(Vec::new()),
            }
            rest = after;
        }
        rdns.reverse();
        Ok(Self { rdns })
    }

    /// Reads the lines in which Node.js and Auth0 write a name: one for each relative distinguished name, in the order of the
    /// certificate. A text of one line is RFC 4514's.
    ///
    /// # Errors
    /// What cannot be read, or is more than one of them in a line.
    pub fn parse_lines(text: &str) -> Result<Self, String> {
        let lines: Vec<&str> = text.lines().collect();
        if let [line] = lines.as_slice() {
            return Self::parse(line);
        }
        let rdns = lines.into_iter().map(|line| {
            let mut read = Self::parse(line)?.rdns;
            let rdn = read.pop().filter(|_| read.is_empty());
            rdn.ok_or_else(|| format!("more than one part of a name in `{line}`"))
        });
        let rdns: Vec<Vec<Pair>> = rdns.collect::<Result<_, String>>()?;
        if rdns.is_empty() { Err("no name".into()) } else { Ok(Self { rdns }) }
    }

    /// Whether this is the name, whole.
    pub fn is(&self, name: &Name, order: RdnOrder) -> bool {
        let mut theirs: Vec<Vec<Pair>> = vec![Vec::new(); name.rdn_count()];
        for attribute in name.attributes() {
            if let Some(rdn) = theirs.get_mut(attribute.rdn()) {
                rdn.push(Pair(attribute.oid().to_vec(), comparable(attribute)));
            }
        }
        if theirs.len() != self.rdns.len() {
            return false;
        }
        match order {
            RdnOrder::Strict => self.rdns.iter().zip(&theirs).all(|(ours, theirs)| same(ours, theirs)),
            RdnOrder::Any => self.rdns.iter().all(|ours| {
                let at = theirs.iter().position(|theirs| same(ours, theirs));
                at.map(|at| theirs.swap_remove(at)).is_some()
            }),
        }
    }
}

/// The same set.
fn same(ours: &[Pair], theirs: &[Pair]) -> bool {
    let mut left: Vec<&Pair> = theirs.iter().collect();
    let each = ours.iter().all(|ours| {
        let at = left.iter().position(|theirs| *theirs == ours);
        at.map(|at| left.swap_remove(at)).is_some()
    });
    each && left.is_empty()
}

fn comparable(attribute: &Attribute) -> String {
    value_comparable(attribute.value())
}

/// A text that was prepared begins with a space, and what is no text with `#`: they are never equal.
fn value_comparable(value: &AttributeValue) -> String {
    value.text().map_or_else(|| value.hexadecimal(), |text| prepared(&text))
}

/// Case folded, runs of spaces as one, none at the ends (RFC 4518 §2.2, §2.6.1).
fn prepared(text: &str) -> String {
    let mut prepared = String::from(" ");
    for word in text.split(char::is_whitespace).filter(|word| !word.is_empty()) {
        if prepared.len() > 1 {
            prepared.push(' ');
        }
        prepared.extend(word.chars().flat_map(char::to_lowercase));
    }
    prepared
}

fn type_of(text: &str) -> Result<Vec<u8>, String> {
    let kind = text.trim_matches(' ');
    let lower = kind.to_ascii_lowercase();
    let known = DESCRIPTORS.iter().find(|(descriptor, _)| *descriptor == lower).map(|(_, dotted)| *dotted);
    let dotted = known.or_else(|| lower.strip_prefix("oid.")).unwrap_or(kind);
    let found = oid::parse_dotted(dotted).or_else(|| object_names::oid_of(kind).map(<[u8]>::to_vec));
    found.ok_or_else(|| format!("`{kind}` is no attribute type"))
}

/// Descriptors without regard to case (RFC 4514 §3), and what other libraries call the same.
const DESCRIPTORS: [(&str, &str); 33] = [
    ("businesscategory", "2.5.4.15"),
    ("c", "2.5.4.6"),
    ("cn", "2.5.4.3"),
    ("commonname", "2.5.4.3"),
    ("countryname", "2.5.4.6"),
    ("dc", "0.9.2342.19200300.100.1.25"),
    ("dnqualifier", "2.5.4.46"),
    ("e", "1.2.840.113549.1.9.1"),
    ("email", "1.2.840.113549.1.9.1"),
    ("emailaddress", "1.2.840.113549.1.9.1"),
    ("givenname", "2.5.4.42"),
    ("jurisdictionc", "1.3.6.1.4.1.311.60.2.1.3"),
    ("jurisdictioncountryname", "1.3.6.1.4.1.311.60.2.1.3"),
    ("jurisdictionl", "1.3.6.1.4.1.311.60.2.1.1"),
    ("jurisdictionst", "1.3.6.1.4.1.311.60.2.1.2"),
    ("l", "2.5.4.7"),
    ("localityname", "2.5.4.7"),
    ("o", "2.5.4.10"),
    ("organizationalunitname", "2.5.4.11"),
    ("organizationidentifier", "2.5.4.97"),
    ("organizationname", "2.5.4.10"),
    ("ou", "2.5.4.11"),
    ("postalcode", "2.5.4.17"),
    ("s", "2.5.4.8"),
    ("serialnumber", "2.5.4.5"),
    ("sn", "2.5.4.4"),
    ("st", "2.5.4.8"),
    ("stateorprovincename", "2.5.4.8"),
    ("street", "2.5.4.9"),
    ("surname", "2.5.4.4"),
    ("title", "2.5.4.12"),
    ("uid", "0.9.2342.19200300.100.1.1"),
    ("userid", "0.9.2342.19200300.100.1.1"),
];

/// A value, the separator behind it, and the rest.
fn value(text: &str) -> Result<(String, Option<char>, &str), String> {
    let text = text.trim_start_matches(' ');
    let (mut octets, mut kept) = (Vec::new(), 0);
    let mut chars = text.char_indices();
    let (end, separator) = loop {
        let Some((at, one)) = chars.next() else { break (text.len(), None) };
        match one {
            ',' | ';' | '+' => break (at, Some(one)),
            '\\' => {
                octets.push(escaped(&mut chars)?);
                // An escaped space at the end belongs to the value.
                kept = octets.len();
            }
            '"' | '<' | '>' => return Err(format!("`{one}` needs a backslash before it")),
            one => octets.extend_from_slice(one.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    };
    let written = text.get(..end).unwrap_or_default().trim_end_matches(' ');
    let rest = separator.and_then(|_| text.get(end + 1..)).unwrap_or_default();
    if let Some(digits) = written.strip_prefix('#') {
        return Ok((value_of_der(digits)?, separator, rest));
    }
    while octets.len() > kept && octets.last() == Some(&b' ') {
        octets.pop();
    }
    let text = String::from_utf8(octets).map_err(|_| format!("`{written}` is not UTF-8"))?;
    Ok((prepared(&text), separator, rest))
}

fn escaped(chars: &mut std::str::CharIndices<'_>) -> Result<u8, String> {
    let one = chars.next().map(|(_, one)| one).ok_or("a backslash before nothing")?;
    if let Some(high) = one.to_digit(16) {
        let low = chars.next().and_then(|(_, low)| low.to_digit(16)).ok_or("a backslash before half an octet")?;
        return u8::try_from(high * 16 + low).map_err(|_| "no octet".to_owned());
    }
    match one {
        ' ' | '"' | '#' | '+' | ',' | ';' | '<' | '=' | '>' | '\\' => u8::try_from(one).map_err(|_| "no octet".to_owned()),
        other => Err(format!("`\\{other}` is no escape")),
    }
}

fn value_of_der(digits: &str) -> Result<String, String> {
    let bad = || format!("`#{digits}` is not the DER of a value in hexadecimal digits");
    let der = hex::decode(digits).map_err(|_| bad())?;
    let mut reader = Reader::new(&der);
    let value = reader.any().ok().filter(|_| reader.is_empty()).ok_or_else(bad)?;
    AttributeValue::read(value).map(|value| value_comparable(&value)).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::der::{encode, tag};
    use proptest::prelude::*;

    /// A name of relative distinguished names, each a list of type and value.
    fn name(rdns: &[&[(&str, u8, &[u8])]]) -> Name {
        let set = |rdn: &&[(&str, u8, &[u8])]| {
            let pair = |(kind, tag, value): &(&str, u8, &[u8])| {
                let oid = oid::parse_dotted(kind).unwrap();
                encode(tag::SEQUENCE, &[encode(tag::OID, &oid), encode(*tag, value)].concat())
            };
            encode(tag::SET, &rdn.iter().flat_map(pair).collect::<Vec<u8>>())
        };
        Name::from_der(&encode(tag::SEQUENCE, &rdns.iter().flat_map(set).collect::<Vec<u8>>())).unwrap()
    }

    #[test]
    fn lines_are_in_the_order_of_the_certificate() {
        let parsed = |text: &str| DistinguishedName::parse(text).unwrap();
        for (lines, whole) in [
            ("C=BR\nO=Banco S\\, A\nOU=a + L=b\nCN=api", "CN=api,OU=a+L=b,O=Banco S\\, A,C=BR"),
            ("C=BR\r\nCN=api\n", "CN=api,C=BR"),
            ("CN=api,C=BR", "CN=api,C=BR"),
            ("CN=api\n", "CN=api"),
        ] {
            assert_eq!(DistinguishedName::parse_lines(lines).unwrap(), parsed(whole), "{lines}");
        }
        for bad in ["", "\n", "C=BR\n\nCN=api", "C=BR,O=x\nCN=api", "C=BR\nCN=a, b", "C=BR\nwho=x"] {
            assert!(DistinguishedName::parse_lines(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn one_name_in_many_spellings_and_others_in_one() {
        let (printable, utf8) = (tag::PRINTABLE_STRING, tag::UTF8_STRING);
        let name = name(&[
            &[("2.5.4.6", printable, b"BR")],
            &[("2.5.4.10", utf8, "Banco S\u{e3}o Paulo, S/A".as_bytes())],
            &[("2.5.4.11", utf8, b"a"), ("2.5.4.97", utf8, b"OFBBR-1")],
            &[("2.5.4.3", utf8, b"api")],
        ]);
        for same in [
            "CN=api,OU=a+organizationIdentifier=OFBBR-1,O=Banco S\u{e3}o Paulo\\, S/A,C=BR",
            "cn=API, organizationidentifier=ofbbr-1 + ou=A , o=banco  s\u{c3}o paulo\\, s/a; c=br",
            "CN=api,OU=a+2.5.4.97=#0C074F464242522D31,O=Banco S\\C3\\A3o Paulo\\2c S/A,C=#13024252",
            "CN=api,OU=a+OID.2.5.4.97=#13074f464242522d31,O=Banco S\\c3\\a3o Paulo\\, S/A,C=#0c024252",
        ] {
            assert!(DistinguishedName::parse(same).unwrap().is(&name, RdnOrder::Strict), "{same}");
        }
        let turned = "C=BR,O=Banco S\u{e3}o Paulo\\, S/A,organizationIdentifier=OFBBR-1+OU=a,CN=api";
        let turned = DistinguishedName::parse(turned).unwrap();
        assert!(!turned.is(&name, RdnOrder::Strict) && turned.is(&name, RdnOrder::Any));
        for other in [
            "CN=api",
            "CN=api,OU=a,organizationIdentifier=OFBBR-1,O=Banco S\u{e3}o Paulo\\, S/A,C=BR",
            "CN=api,OU=a+OU=a,O=Banco S\u{e3}o Paulo\\, S/A,C=BR",
            "CN=api,OU=a+organizationIdentifier=OFBBR-1,O=Banco Sao Paulo\\, S/A,C=BR",
            "CN=a pi,OU=a+organizationIdentifier=OFBBR-1,O=Banco S\u{e3}o Paulo\\, S/A,C=BR",
            "CN=api,OU=a+organizationIdentifier=OFBBR-1,O=Banco S\u{e3}o Paulo\\, S/A,C=BR,C=BR",
        ] {
            let other = DistinguishedName::parse(other).unwrap();
            assert!(!other.is(&name, RdnOrder::Strict) && !other.is(&name, RdnOrder::Any));
        }
    }

    #[test]
    fn texts_that_are_no_names() {
        for bad in [
            "", "CN", "CN=a,", ",CN=a", "XX=a", "CN=a\\", "CN=\\zz", "CN=\\4", "CN=\"a\"", "CN=a<b", "CN=#", "CN=#0",
            "CN=#0c02", "CN=\\ff", "1.2.x=a", "/CN=a",
        ] {
            assert!(DistinguishedName::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        /// What we print of a name is read as that name; but OpenSSL, and so we, leave the `#` of a value that is nothing else as it is.
        #[test]
        fn what_is_printed_is_the_name(values in proptest::collection::vec("[ -~\u{e0}-\u{ff}]{1,12}", 1..5)) {
            prop_assume!(!values.iter().any(|value| value == "#"));
            let rdns: Vec<Vec<(&str, u8, &[u8])>> = values.iter().map(|value| vec![("2.5.4.10", tag::UTF8_STRING, value.as_bytes())]).collect();
            let rdns: Vec<&[(&str, u8, &[u8])]> = rdns.iter().map(Vec::as_slice).collect();
            let name = name(&rdns);
            let read = DistinguishedName::parse(&name.rfc2253());
            prop_assert!(read.is_ok_and(|read| read.is(&name, RdnOrder::Strict)), "{}", name.rfc2253());
        }

        #[test]
        fn no_text_panics(text in ".{0,64}") {
            let _ = DistinguishedName::parse(&text);
        }
    }
}
