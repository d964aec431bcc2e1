//! Clients of the authorization server behind us, and the certificates that they may authenticate themselves with (RFC 8705
//! §2), as Auth0's API keeps them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::UnixTime;
use crate::x509::certificate::Certificate;
use crate::x509::name::Name;
use crate::x509::name_match::DistinguishedName;

/// The longest PEM, subject and name (Auth0).
const LONGEST_PEM: usize = 4096;
const LONGEST_SUBJECT: usize = 256;
const LONGEST_NAME: usize = 128;

/// What a client authenticates itself with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// A certificate of a CA, known by its subject: `cert_subject_dn`, for `tls_client_auth`.
    SubjectDn,
    /// A certificate, known by its thumbprint: `x509_cert`, for `self_signed_tls_client_auth`.
    Certificate,
}

impl CredentialKind {
    /// Each with its `credential_type` and the method of the client that takes it.
    pub const ALL: [(Self, &'static str, &'static str); 2] = [
        (Self::SubjectDn, "cert_subject_dn", "tls_client_auth"),
        (Self::Certificate, "x509_cert", "self_signed_tls_client_auth"),
    ];

    /// Its `credential_type`.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, word, _)| word)
    }

    /// The method that takes it.
    pub fn method(self) -> &'static str {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or("", |(.., method)| method)
    }

    /// The kind of a `credential_type`.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == word).map(|(kind, ..)| *kind)
    }

    /// The kind that a method takes.
    pub fn of_method(method: &str) -> Option<Self> {
        Self::ALL.iter().find(|(.., known)| *known == method).map(|(kind, ..)| *kind)
    }
}

/// A client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRecord {
    /// Its `client_id`.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// What it is, for people.
    pub description: Option<String>,
    /// How it authenticates itself when not by a certificate: the authorization server's to check.
    pub token_endpoint_auth_method: Option<String>,
    /// What its certificates are known by, when it authenticates itself by one.
    pub certificates: Option<CredentialKind>,
    /// When it was created.
    pub created_at: UnixTime,
    /// When it was last changed.
    pub updated_at: UnixTime,
}

/// A credential of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRecord {
    /// `cred_` and 22 letters and digits.
    pub id: String,
    /// Of which client.
    pub client_id: String,
    /// Whether the client may authenticate itself with it.
    pub in_use: bool,
    /// What it is.
    pub credential: NewCredential,
    /// When it was created.
    pub created_at: UnixTime,
    /// When it was last changed.
    pub updated_at: UnixTime,
}

/// A client with its credentials.
pub type WithCredentials = (ClientRecord, Vec<CredentialRecord>);

/// A credential that was read and not yet stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCredential {
    /// By what the certificate is known.
    pub kind: CredentialKind,
    /// A name for people.
    pub name: Option<String>,
    /// The subject, of `cert_subject_dn`: a line for each part, in the certificate's order.
    pub subject_dn: Option<String>,
    /// `x5t#S256`, of `x509_cert`.
    pub thumbprint: Option<String>,
    /// When it ends.
    pub expires_at: Option<UnixTime>,
}

impl NewCredential {
    /// Reads one. Of a certificate the subject or the thumbprint is kept.
    ///
    /// # Errors
    /// Which property is wrong, and why.
    pub fn read(
        kind: CredentialKind,
        name: Option<String>,
        pem: Option<&str>,
        subject_dn: Option<String>,
    ) -> Result<Self, (&'static str, String)> {
        if name.as_ref().is_some_and(|name| name.chars().count() > LONGEST_NAME) {
            return Err(("name", format!("String is too long, maximum {LONGEST_NAME}")));
        }
        let certificate = pem.map(one_certificate).transpose().map_err(|why| ("pem", why))?;
        let empty = Self { kind, name, subject_dn: None, thumbprint: None, expires_at: None };
        match (kind, certificate, subject_dn) {
            (CredentialKind::Certificate, Some(certificate), None) => {
                Ok(Self { thumbprint: Some(certificate.x5t_s256()), expires_at: certificate.not_after().to_unix(), ..empty })
            }
            (CredentialKind::Certificate, ..) => Err(("pem", "is needed with x509_cert, and no subject_dn".into())),
            (CredentialKind::SubjectDn, Some(certificate), None) => {
                Ok(Self { subject_dn: Some(subject_lines(certificate.subject()).map_err(|why| ("pem", why))?), ..empty })
            }
            (CredentialKind::SubjectDn, None, Some(subject)) => {
                check_subject(&subject).map_err(|why| ("subject_dn", why))?;
                Ok(Self { subject_dn: Some(subject), ..empty })
            }
            (CredentialKind::SubjectDn, ..) => Err(("subject_dn", "exactly one of pem and subject_dn is needed".into())),
        }
    }
}

fn one_certificate(pem: &str) -> Result<Certificate, String> {
    if pem.is_empty() || pem.len() > LONGEST_PEM {
        return Err(format!("it has {} characters; accepted: 1 to {LONGEST_PEM}", pem.len()));
    }
    if pem.contains("PRIVATE KEY") {
        return Err("it holds a private key, which nobody but the client may have".into());
    }
    let mut found = Certificate::from_pem_or_der(pem.as_bytes()).map_err(|why| format!("it holds {why}"))?.into_iter();
    match (found.next(), found.next()) {
        (Some(certificate), None) => Ok(certificate),
        _ => Err("it must hold one certificate".into()),
    }
}

/// The subject as Auth0 shows it, which is how Node.js prints it: a line for each part, in the certificate's order.
fn subject_lines(name: &Name) -> Result<String, String> {
    let (mut text, mut previous) = (String::new(), None);
    for attribute in name.attributes() {
        match previous {
            Some(rdn) if rdn == attribute.rdn() => text.push_str(" + "),
            Some(_) => text.push('\n'),
            None => {}
        }
        previous = Some(attribute.rdn());
        text.push_str(&attribute.type_name());
        text.push('=');
        let value = attribute.text();
        let last = value.chars().count().saturating_sub(1);
        for (position, letter) in value.chars().enumerate() {
            match letter {
                ',' | '+' | '"' | '\\' | '<' | '>' | ';' => text.extend(['\\', letter]),
                ' ' if position == 0 || position == last => text.push_str("\\ "),
                '#' if position == 0 => text.push_str("\\#"),
                control if control.is_ascii_control() => text.push_str(&format!("\\{:02X}", u32::from(control))),
                other => text.push(other),
            }
        }
    }
    check_subject(&text).map(|()| text)
}

fn check_subject(subject: &str) -> Result<(), String> {
    let count = subject.chars().count();
    if !(1..=LONGEST_SUBJECT).contains(&count) {
        return Err(format!("the subject has {count} characters; accepted: 1 to {LONGEST_SUBJECT}"));
    }
    let read = DistinguishedName::parse_lines(subject);
    read.map(drop).map_err(|why| format!("the subject must be lines of KEY=value, or one of RFC 4514: {why}"))
}

/// Whether a text could be an `x5t#S256`.
pub(super) fn is_thumbprint(text: &str) -> bool {
    URL_SAFE_NO_PAD.decode(text).is_ok_and(|digest| digest.len() == 32)
}
