//! The headers that a front door and we agreed on, and how they are taken out of a request.

mod family;

use std::borrow::Cow;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use self::family::Family;
use crate::header_names::{HeaderNames, fold};
use crate::refusal::{Refusal, Refused};

/// What a contract header means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContractHeader {
    /// The domain's key (Auth0 `cname-api-key`).
    ApiKey,
    /// The client certificate.
    Certificate,
    /// The certificates that the client sent beside its own.
    Chain,
    /// One of those each (Apache `SSL_CLIENT_CERT_CHAIN_n`): the name is how the names begin, a number follows.
    ChainMember,
    /// The front door's verdict (Auth0 `client-certificate-ca-verified`, nginx `$ssl_client_verify`, HAProxy `ssl_c_verify`).
    Verdict,
    /// Whether the client sent a certificate (HAProxy `ssl_c_used`, Google `client_cert_present`).
    Presented,
    /// Why the verdict is bad (Google `client_cert_error`).
    VerdictReason,
    /// Whether the certificate was revoked (Cloudflare `cert_revoked`).
    Revoked,
    /// Whether the front door left the certificate out for its size (Cloudflare `cert_rfc9440_too_large`).
    TooLarge,
    /// The subject as the front door printed it (nginx `$ssl_client_s_dn`).
    SubjectDn,
    /// The subject's CN (Azion `ssl_client_s_dn_parsed`).
    SubjectDnParsed,
    /// The issuer (nginx `$ssl_client_i_dn`).
    IssuerDn,
    /// The serial number (nginx `$ssl_client_serial`).
    SerialNumber,
    /// SHA-1 of the certificate (nginx `$ssl_client_fingerprint`).
    FingerprintSha1,
    /// SHA-256 of the certificate.
    FingerprintSha256,
    /// The first moment of validity (nginx `$ssl_client_v_start`).
    ValidFrom,
    /// The last moment of validity (nginx `$ssl_client_v_end`).
    ValidUntil,
    /// Both (AWS: `NotBefore=…;NotAfter=…`).
    Validity,
    /// The signature scheme of the handshake (nginx `$ssl_client_sigalg`).
    SignatureAlgorithm,
    /// The server name of the handshake (nginx `$ssl_server_name`).
    Sni,
    /// The client's address.
    ClientAddress,
    /// How the client reached the front door: `http` or `https` (nginx `$scheme`).
    ForwardedProto,
    /// The front door's own id of the request (nginx `$request_id`).
    RequestId,
    /// A header of the front door that is taken out and not read. There may be several.
    Unread,
}

impl ContractHeader {
    /// What can be named in `[front_doors.headers]`, with its key there.
    pub const KEYS: &'static [(Self, &'static str)] = &[
        (Self::Certificate, "client_certificate"),
        (Self::Chain, "client_certificate_chain"),
        (Self::ChainMember, "client_certificate_chain"),
        (Self::Verdict, "client_certificate_ca_verified"),
        (Self::Presented, "client_certificate_presented"),
        (Self::VerdictReason, "client_certificate_error"),
        (Self::Revoked, "client_certificate_revoked"),
        (Self::TooLarge, "client_certificate_too_large"),
        (Self::SubjectDn, "ssl_client_s_dn"),
        (Self::SubjectDnParsed, "ssl_client_s_dn_parsed"),
        (Self::IssuerDn, "ssl_client_i_dn"),
        (Self::SerialNumber, "ssl_client_serial"),
        (Self::FingerprintSha1, "ssl_client_fingerprint"),
        (Self::FingerprintSha256, "ssl_client_fingerprint_sha256"),
        (Self::ValidFrom, "ssl_client_v_start"),
        (Self::ValidUntil, "ssl_client_v_end"),
        (Self::Validity, "ssl_client_validity"),
        (Self::SignatureAlgorithm, "ssl_client_sigalg"),
        (Self::Sni, "ssl_server_name"),
        (Self::ForwardedProto, "forwarded_proto"),
        (Self::RequestId, "request_id"),
    ];
}

/// The names of a front door's contract headers.
#[derive(Debug)]
pub struct Contract {
    api_key: HeaderName,
    names: HeaderNames<(ContractHeader, Vec<HeaderName>)>,
    family: Option<Family>,
}

/// What the contract headers of one request held. Not decoded, and only ever made of an authenticated request.
#[derive(Debug, Default)]
pub struct ContractValues {
    values: Vec<(ContractHeader, HeaderValue)>,
    members: Vec<(usize, HeaderValue)>,
}

/// A contract header of a request; for a member of the family its number.
type Found = (ContractHeader, usize);

impl Contract {
    /// A contract: a name for each header in use. A name with underscores is also known with hyphens in their place, since
    /// many servers cannot send the one or the other.
    ///
    /// # Errors
    /// Two headers whose names are equal or aliases of each other, or one that is a member of a family.
    pub fn new(api_key: HeaderName, others: &[(ContractHeader, HeaderName)]) -> Result<Self, String> {
        let mut names = HeaderNames::default();
        names.insert(api_key.as_str(), (ContractHeader::ApiKey, vec![api_key.clone()]));
        let mut family = None;
        for (meaning, name) in others {
            if *meaning == ContractHeader::ChainMember {
                family = Some(Family::new(name));
                continue;
            }
            if names.find(name.as_str()).is_some() {
                return Err(format!("`{name}` is the name, or an alias of the name, of another contract header"));
            }
            names.insert(name.as_str(), (*meaning, spellings(name)));
        }
        let every = others.iter().filter(|(meaning, _)| *meaning != ContractHeader::ChainMember).map(|(_, name)| name);
        if let Some(family) = &family
            && let Some(name) = every.chain([&api_key]).find(|name| family.claims(name.as_str()))
        {
            return Err(format!("`{name}` begins as the numbered headers do, which is the name of another contract header"));
        }
        Ok(Self { api_key, names, family })
    }

    /// The name of the key header.
    pub fn api_key(&self) -> &HeaderName {
        &self.api_key
    }

    /// Every header of the contract under the name that the configuration gives it, the key first.
    pub fn headers(&self) -> impl Iterator<Item = (ContractHeader, &HeaderName)> {
        self.names.marks().filter_map(|(meaning, spellings)| Some((*meaning, spellings.first()?)))
    }

    /// How the names of numbered headers begin, where there are any.
    pub fn numbered(&self) -> Option<&str> {
        self.family.as_ref().map(Family::prefix)
    }

    /// Whether a lower-case name is one of the contract's or an alias of one.
    pub fn claims(&self, name: &str) -> bool {
        self.names.find(name).is_some() || self.family.as_ref().is_some_and(|family| family.claims(name))
    }

    /// Whether a signature must cover a header with this name: all that we take the front door's word for. The key is not
    /// among them, since it proves itself.
    pub(super) fn must_be_signed(&self, name: &HeaderName) -> bool {
        *name != self.api_key && self.claims(name.as_str())
    }

    /// Checks every header line against the contract and takes the contract's own out.
    ///
    /// # Errors
    /// The `ContractHeader…` refusals.
    pub(super) fn take(&self, headers: &mut HeaderMap) -> Result<ContractValues, Refused> {
        self.refuse_nominated(headers, &header::CONNECTION, Refusal::ContractHeaderInConnection)?;
        self.refuse_nominated(headers, &header::TRAILER, Refusal::ContractHeaderInTrailer)?;
        // By our own name where it is known: a name that came with the request is costly to clone.
        let mut taken: Vec<(Found, Cow<'_, HeaderName>)> = Vec::with_capacity(8);
        for (name, value) in headers.iter() {
            let Some((found, ours)) = self.meaning(name)? else { continue };
            if holds_control_byte(value.as_bytes()) {
                return Err(Refused::new(Refusal::ContractHeaderControlBytes, format!("`{name}` holds a control byte")));
            }
            let same = |(known, other): &(Found, Cow<'_, HeaderName>)| {
                **other == *name || (*known == found && found.0 != ContractHeader::Unread)
            };
            if taken.iter().any(same) {
                return Err(Refused::new(Refusal::ContractHeaderRepeated, format!("`{name}` was sent more than once")));
            }
            taken.push((found, ours.map_or_else(|| Cow::Owned(name.clone()), Cow::Borrowed)));
        }
        let mut values = ContractValues { values: Vec::with_capacity(taken.len()), members: Vec::new() };
        for (found, name) in taken {
            if let Some(value) = headers.remove(name.as_ref()) {
                values.put(found, value);
            }
        }
        values.members.sort_unstable_by_key(|(number, _)| *number);
        Ok(values)
    }

    /// What a name means here, and the same name of ours, unless it is one of a family.
    fn meaning(&self, name: &HeaderName) -> Result<Option<(Found, Option<&HeaderName>)>, Refused> {
        let aliased = |ours: &str| Refused::new(Refusal::ContractHeaderAliased, format!("`{name}` is an alias of `{ours}`"));
        match self.names.find(name.as_str()) {
            Some((meaning, spellings)) => match spellings.iter().find(|spelling| *spelling == name) {
                Some(ours) => Ok(Some(((*meaning, 0), Some(ours)))),
                None => Err(aliased(spellings.first().map_or("", HeaderName::as_str))),
            },
            None => match &self.family {
                Some(family) if family.claims(name.as_str()) => {
                    let number = family.number(name.as_str()).ok_or_else(|| aliased(family.prefix()))?;
                    Ok(Some(((ContractHeader::ChainMember, number), None)))
                }
                _ => Ok(None),
            },
        }
    }

    fn refuse_nominated(&self, headers: &HeaderMap, nominating: &HeaderName, refusal: Refusal) -> Result<(), Refused> {
        for value in headers.get_all(nominating) {
            for token in value.as_bytes().split(|byte| *byte == b',') {
                let token = String::from_utf8_lossy(token.trim_ascii()).to_ascii_lowercase();
                if self.claims(&token) {
                    return Err(Refused::new(refusal, format!("`{nominating}` names `{token}`")));
                }
            }
        }
        Ok(())
    }
}

/// A name, and the same with hyphens.
fn spellings(name: &HeaderName) -> Vec<HeaderName> {
    let mut spellings = vec![name.clone()];
    spellings.extend(HeaderName::from_bytes(name.as_str().replace('_', "-").as_bytes()));
    spellings
}

/// Looks at every byte, whatever it finds: without an early end the compiler takes many bytes at a time, and a certificate
/// has more than a thousand.
fn holds_control_byte(value: &[u8]) -> bool {
    value.iter().fold(false, |found, byte| found | byte.is_ascii_control())
}

impl ContractValues {
    fn put(&mut self, (meaning, number): Found, value: HeaderValue) {
        match meaning {
            // Proven before, and nobody needs to see it again.
            ContractHeader::ApiKey | ContractHeader::Unread => {}
            ContractHeader::ChainMember => self.members.push((number, value)),
            meaning => self.values.push((meaning, value)),
        }
    }

    /// What the header with this meaning held, still encoded.
    pub fn get(&self, meaning: ContractHeader) -> Option<&HeaderValue> {
        self.values.iter().find(|(known, _)| *known == meaning).map(|(_, value)| value)
    }

    /// The numbered headers' values, by number.
    pub fn members(&self) -> impl Iterator<Item = &HeaderValue> {
        self.members.iter().map(|(_, value)| value)
    }

    /// The forwarded client address.
    pub fn client_address(&self) -> Option<&HeaderValue> {
        self.get(ContractHeader::ClientAddress)
    }

    /// How the client reached the front door.
    pub fn forwarded_proto(&self) -> Option<&HeaderValue> {
        self.get(ContractHeader::ForwardedProto)
    }

    /// The front door's id of the request.
    pub fn request_id(&self) -> Option<&HeaderValue> {
        self.get(ContractHeader::RequestId)
    }
}
