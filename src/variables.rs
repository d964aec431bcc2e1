//! The variables of a client certificate: nginx's `ssl_client_*`, Azion's `ssl_client_s_dn_parsed`, and ours.
//!
//! What enters: one certificate, and a [`Moment`] with what is not in it (the verdict, the handshake's signature scheme, the
//! time). What leaves: text, byte for byte what nginx prints where nginx has the variable. No request header is ever read
//! here: whoever can write a header cannot write a variable.
//!
//! Texts are rendered at first use and kept with the certificate, so that the next request of the same client gets them for
//! nothing.

mod certificate_variable;
mod dialect;
mod profile_variable;

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

pub use certificate_variable::{AttributeType, CertificateVariable, Party, SanList, Scalar};
pub use dialect::Dialect;
pub use profile_variable::ProfileVariable;

use crate::clock::UnixTime;
use crate::x509::certificate::Certificate;
use crate::x509::profile::{Assessment, ProfileKind, assess};
use crate::x509::subject_alt_name::SubjectAltName;
use crate::x509::{oid, pem_text};

/// What a request adds to its certificate.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The verdict: `SUCCESS`, or `FAILED:` and a reason. Without a certificate the variable is `NONE`, whatever stands here.
    pub verify: &'a str,
    /// The signature scheme of the handshake, if the front door forwards it.
    pub sigalg: &'a str,
    /// The time of the request.
    pub now: UnixTime,
}

/// The variables of one certificate, or of its absence.
#[derive(Debug)]
pub struct CertificateVariables {
    certificate: Option<Arc<Certificate>>,
    scalars: [OnceLock<Box<str>>; Scalar::ALL.len()],
    lists: [OnceLock<Box<str>>; SanList::ALL.len()],
    assessments: [OnceLock<Arc<Assessment>>; ProfileKind::ALL.len()],
}

impl CertificateVariables {
    /// The variables of a certificate.
    pub fn of(certificate: Arc<Certificate>) -> Self {
        Self { certificate: Some(certificate), ..Self::absent() }
    }

    /// The variables of a request without a certificate: all are empty but `ssl_client_verify`, which is `NONE`.
    pub fn absent() -> Self {
        Self { certificate: None, scalars: Default::default(), lists: Default::default(), assessments: Default::default() }
    }

    /// The certificate.
    pub fn certificate(&self) -> Option<&Arc<Certificate>> {
        self.certificate.as_ref()
    }

    /// The certificate by the rules of a profile, read once. Which profile is right only a verified path tells.
    pub fn assessment(&self, kind: ProfileKind) -> Option<Arc<Assessment>> {
        let (certificate, slot) = (self.certificate.as_ref()?, self.assessments.get(kind as usize)?);
        Some(Arc::clone(slot.get_or_init(|| Arc::new(assess(kind, certificate)))))
    }

    /// A variable's text. The values of a list are joined with `,`; a comma or backslash inside a value gets a backslash, and
    /// an octet outside 20..7E becomes a backslash and two upper-case hexadecimal digits. Empty means: not there.
    pub fn text<'a>(&'a self, variable: &CertificateVariable, moment: &Moment<'a>) -> Cow<'a, str> {
        let Some(certificate) = &self.certificate else {
            let verify = *variable == CertificateVariable::Scalar(Scalar::Verify);
            return Cow::Borrowed(if verify { "NONE" } else { "" });
        };
        match variable {
            CertificateVariable::Scalar(Scalar::Verify) => Cow::Borrowed(moment.verify),
            CertificateVariable::Scalar(Scalar::Sigalg) => Cow::Borrowed(moment.sigalg),
            CertificateVariable::Scalar(Scalar::VRemain) => certificate.not_after().days_remaining(moment.now).into(),
            CertificateVariable::Scalar(scalar) => kept(self.scalars.get(*scalar as usize), || render(certificate, *scalar)),
            CertificateVariable::San(list) => kept(self.lists.get(*list as usize), || join(san_values(certificate, *list))),
            CertificateVariable::Attribute(party, kind) => join(attribute_values(certificate, *party, kind)).into(),
        }
    }

    /// A variable's values one by one, as they are: a criterion holds if it holds for any of them. None if not there.
    pub fn values<'a>(
        &'a self,
        variable: &CertificateVariable,
        moment: &Moment<'a>,
    ) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        let values: Vec<Cow<'a, str>> = match (variable, &self.certificate) {
            (CertificateVariable::San(list), Some(certificate)) => san_values(certificate, *list).collect(),
            (CertificateVariable::Attribute(party, kind), Some(certificate)) => {
                attribute_values(certificate, *party, kind).collect()
            }
            _ => Some(self.text(variable, moment)).filter(|text| !text.is_empty()).into_iter().collect(),
        };
        values.into_iter()
    }
}

fn kept<'a>(slot: Option<&'a OnceLock<Box<str>>>, text: impl FnOnce() -> String) -> Cow<'a, str> {
    match slot {
        Some(slot) => Cow::Borrowed(slot.get_or_init(|| text().into())),
        None => text().into(),
    }
}

/// The text of a variable that depends on the certificate alone.
fn render(certificate: &Certificate, scalar: Scalar) -> String {
    match scalar {
        Scalar::EscapedCert => pem_text::escaped(certificate.der()),
        Scalar::Cert => pem_text::folded(certificate.der()),
        Scalar::RawCert => pem_text::raw(certificate.der()),
        Scalar::SDn => certificate.subject().rfc2253(),
        Scalar::IDn => certificate.issuer().rfc2253(),
        Scalar::SDnLegacy => certificate.subject().legacy(),
        Scalar::IDnLegacy => certificate.issuer().legacy(),
        Scalar::Serial => certificate.serial().text(),
        Scalar::Fingerprint => hex::encode(certificate.sha1()),
        Scalar::VStart => certificate.not_before().text(),
        Scalar::VEnd => certificate.not_after().text(),
        Scalar::SDnParsed => certificate.subject().last_common_name().map(|name| name.rfc2253_value()).unwrap_or_default(),
        Scalar::FingerprintSha256 => hex::encode(certificate.sha256()),
        Scalar::X5tS256 => certificate.x5t_s256(),
        Scalar::SpkiSha256 => hex::encode(certificate.spki_sha256()),
        Scalar::Sigalg | Scalar::Verify | Scalar::VRemain => String::new(),
    }
}

fn attribute_values<'a>(
    certificate: &'a Certificate,
    party: Party,
    kind: &AttributeType,
) -> impl Iterator<Item = Cow<'a, str>> {
    let name = match party {
        Party::Subject => certificate.subject(),
        Party::Issuer => certificate.issuer(),
    };
    name.values_of(kind.oid())
}

/// The alternative names of one type. A malformed extension has none.
fn san_values(certificate: &Certificate, list: SanList) -> impl Iterator<Item = Cow<'_, str>> {
    let names = certificate.subject_alt_names().unwrap_or_default();
    names.iter().filter_map(move |name| san_text(name, list))
}

fn san_text(name: &SubjectAltName, list: SanList) -> Option<Cow<'_, str>> {
    match (list, name) {
        (SanList::Dns, SubjectAltName::Dns(text))
        | (SanList::Email, SubjectAltName::Email(text))
        | (SanList::Uri, SubjectAltName::Uri(text)) => Some(Cow::Borrowed(text)),
        (SanList::Ip, SubjectAltName::Ip(address)) => Some(address.to_string().into()),
        (SanList::DirName, SubjectAltName::DirectoryName(name)) => Some(name.rfc2253().into()),
        (SanList::Rid, SubjectAltName::RegisteredId(id)) => Some(oid::dotted(id).into()),
        (SanList::OtherName, SubjectAltName::OtherName { type_id, value }) => {
            Some(format!("{}={}", oid::dotted(type_id), hex::encode(value)).into())
        }
        _ => None,
    }
}

fn join<'a>(values: impl Iterator<Item = Cow<'a, str>>) -> String {
    let mut text = String::new();
    for (index, value) in values.enumerate() {
        if index > 0 {
            text.push(',');
        }
        for byte in value.bytes() {
            match byte {
                b',' | b'\\' => text.extend(['\\', char::from(byte)]),
                b' '..=b'~' => text.push(char::from(byte)),
                _ => text.push_str(&format!("\\{byte:02X}")),
            }
        }
    }
    text
}

#[cfg(test)]
mod tests;
