//! One name in every spelling that somebody asks for: providers store different ones, and compare texts.
//!
//! For people and for registration forms, never for comparing names here.

use std::borrow::Cow;

use super::attribute_value::AttributeValue;
use super::der::{self, tag};
use super::name::{Attribute, Name};
use super::oid;

/// A spelling of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameForm {
    /// nginx `$ssl_client_s_dn`; `openssl x509 -nameopt RFC2253`.
    Nginx,
    /// nginx `$ssl_client_s_dn_legacy`; `openssl x509 -nameopt compat`.
    NginxLegacy,
    /// RFC 4514 with the names of its §3 and all other types as numbers with hexadecimal values.
    Rfc4514,
    /// What Open Finance Brasil registers: the same as RFC 4514, numbers for all but nine types.
    OpenFinanceBrasil,
    /// What Auth0 stores, which is Node's `X509Certificate.subject`: lines in the certificate's order.
    Auth0,
    /// Java's `X500Principal.getName()`.
    Java,
    /// `openssl x509 -nameopt oneline`.
    OpensslOneline,
    /// `openssl x509 -nameopt RFC2253,-esc_msb`: as nginx, with UTF-8 left as it is.
    OpensslUtf8,
}

impl NameForm {
    /// Every one with its word.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Nginx, "nginx"),
        (Self::NginxLegacy, "nginx_legacy"),
        (Self::Rfc4514, "rfc4514"),
        (Self::OpenFinanceBrasil, "open_finance_brasil"),
        (Self::Auth0, "auth0"),
        (Self::Java, "java"),
        (Self::OpensslOneline, "openssl_oneline"),
        (Self::OpensslUtf8, "openssl_utf8"),
    ];

    /// Spells a name.
    pub fn text(self, name: &Name) -> String {
        match self {
            Self::Nginx => name.rfc2253(),
            Self::NginxLegacy => name.legacy(),
            Self::Rfc4514 | Self::OpenFinanceBrasil => {
                joined(groups(name).rev(), ",", "+", |attribute| numbered(attribute, false))
            }
            Self::Java => joined(groups(name).rev(), ",", "+", |attribute| numbered(attribute, true)),
            Self::Auth0 => joined(groups(name), "\n", " + ", |attribute| {
                format!("{}={}", attribute.type_name(), escaped(&readable(attribute.value()), Escape::READABLE))
            }),
            Self::OpensslOneline => joined(groups(name), ", ", " + ", |attribute| {
                let value = match attribute.value().text() {
                    Some(text) => escaped(&text, Escape::QUOTED),
                    None => attribute.value().hexadecimal(),
                };
                format!("{} = {value}", attribute.type_name())
            }),
            Self::OpensslUtf8 => {
                let reversed = groups(name).rev().map(|mut group| {
                    group.reverse();
                    group
                });
                joined(reversed, ",", "+", |attribute| {
                    let known = super::object_names::short_name(attribute.oid()).is_some();
                    let value = match attribute.value().text().filter(|_| known) {
                        Some(text) => escaped(&text, Escape::READABLE),
                        None => attribute.value().hexadecimal(),
                    };
                    format!("{}={value}", attribute.type_name())
                })
            }
        }
    }
}

/// The relative distinguished names, each with its attributes, in the certificate's order.
fn groups(name: &Name) -> impl DoubleEndedIterator<Item = Vec<&Attribute>> {
    let mut groups: Vec<Vec<&Attribute>> = Vec::new();
    for attribute in name.attributes() {
        match groups.last_mut() {
            Some(group) if group.first().is_some_and(|first| first.rdn() == attribute.rdn()) => group.push(attribute),
            _ => groups.push(vec![attribute]),
        }
    }
    groups.into_iter()
}

fn joined<'n>(
    groups: impl Iterator<Item = Vec<&'n Attribute>>,
    between: &str,
    inside: &str,
    spell: impl Fn(&Attribute) -> String,
) -> String {
    let spelled = groups.map(|group| group.into_iter().map(&spell).collect::<Vec<_>>().join(inside));
    spelled.collect::<Vec<_>>().join(between)
}

/// The names of RFC 4514 §3, by content octets.
const NAMED: [(&[u8], &str); 9] = [
    (&[0x55, 0x04, 0x03], "CN"),
    (&[0x55, 0x04, 0x07], "L"),
    (&[0x55, 0x04, 0x08], "ST"),
    (&[0x55, 0x04, 0x0A], "O"),
    (&[0x55, 0x04, 0x0B], "OU"),
    (&[0x55, 0x04, 0x06], "C"),
    (&[0x55, 0x04, 0x09], "STREET"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xF2, 0x2C, 0x64, 0x01, 0x19], "DC"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xF2, 0x2C, 0x64, 0x01, 0x01], "UID"),
];

/// Nine types by name and readable; the others as numbers, with the value's DER. Java escapes more than it must.
fn numbered(attribute: &Attribute, of_java: bool) -> String {
    let named = NAMED.iter().find(|(oid, _)| *oid == attribute.oid()).map(|(_, name)| *name);
    let hexadecimal = || attribute.value().hexadecimal().to_ascii_lowercase();
    let text = if of_java { java_text(attribute.value()) } else { attribute.value().text() };
    match (named, text) {
        (Some(name), Some(text)) => format!("{name}={}", escaped_4514(&text, if of_java { "=#" } else { "" })),
        (Some(name), None) => format!("{name}={}", hexadecimal()),
        (None, _) => format!("{}={}", oid::dotted(attribute.oid()), hexadecimal()),
    }
}

/// Java reads the octets of these string types as UTF-8, whatever their character set; it dumps the others.
fn java_text(value: &AttributeValue) -> Option<Cow<'_, str>> {
    const READ: [u8; 7] = [0x0C, 0x13, 0x14, 0x16, 0x1B, 0x1C, 0x1E];
    READ.contains(&value.tag()).then(|| String::from_utf8_lossy(value.content()))
}

/// RFC 4514 §2.4; UTF-8 is left as it is.
fn escaped_4514(text: &str, also: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let last = text.chars().count().saturating_sub(1);
    for (at, one) in text.chars().enumerate() {
        match one {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => escaped.extend(['\\', one]),
            ' ' if at == 0 || at == last => escaped.push_str("\\ "),
            '#' if at == 0 => escaped.push_str("\\#"),
            '\0' => escaped.push_str("\\00"),
            _ if also.contains(one) => escaped.extend(['\\', one]),
            _ => escaped.push(one),
        }
    }
    escaped
}

/// What OpenSSL shows of a value that is no string where it is told not to dump it: its octets.
fn readable(value: &AttributeValue) -> String {
    match value.text() {
        Some(text) => text.into_owned(),
        None => {
            let octets = match value.tag() {
                tag::SEQUENCE => der::encode(value.tag(), value.content()),
                tag::BIT_STRING => value.content().get(1..).unwrap_or_default().to_vec(),
                _ => value.content().to_vec(),
            };
            octets.into_iter().map(char::from).collect()
        }
    }
}

/// How OpenSSL escapes (`ASN1_STRFLGS_…`).
#[derive(Clone, Copy)]
struct Escape {
    /// Octets over 0x7E as `\XX`.
    high: bool,
    /// Quotation marks around a value, instead of a backslash before each separator in it.
    quote: bool,
}

impl Escape {
    const READABLE: Self = Self { high: false, quote: false };
    const QUOTED: Self = Self { high: true, quote: true };
}

/// As `X509_NAME_print_ex`. Of a value of one character OpenSSL says that it is the last and not the first.
fn escaped(text: &str, how: Escape) -> String {
    let mut out = String::with_capacity(text.len());
    let mut needs_quotes = false;
    let last = text.chars().count().saturating_sub(1);
    for (at, one) in text.chars().enumerate() {
        let separates = match one {
            ',' | '+' | '<' | '>' | ';' => true,
            ' ' => at == 0 || at == last,
            '#' => at == 0 && last != 0,
            _ => false,
        };
        match one {
            '"' | '\\' => out.extend(['\\', one]),
            _ if separates && how.quote => {
                needs_quotes = true;
                out.push(one);
            }
            _ if separates => out.extend(['\\', one]),
            '\0'..'\x20' | '\x7F' => out.push_str(&format!("\\{:02X}", u32::from(one))),
            '\x20'..'\x7F' => out.push(one),
            _ if how.high => {
                let mut octets = [0; 4];
                one.encode_utf8(&mut octets).bytes().for_each(|octet| out.push_str(&format!("\\{octet:02X}")));
            }
            _ => out.push(one),
        }
    }
    if needs_quotes { format!("\"{out}\"") } else { out }
}
