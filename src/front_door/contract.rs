//! The headers that a front door and we agreed on, and how they are taken out of a request.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::header_names::HeaderNames;
use crate::refusal::{Refusal, Refused};

/// What a contract header means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContractHeader {
    /// The domain's key (Auth0 `cname-api-key`).
    ApiKey,
    /// The client certificate.
    Certificate,
    /// The front door's verdict (Auth0 `client-certificate-ca-verified`, nginx `$ssl_client_verify`).
    Verdict,
    /// The subject as the front door printed it (nginx `$ssl_client_s_dn`).
    SubjectDn,
    /// The subject's CN (Azion `ssl_client_s_dn_parsed`).
    SubjectDnParsed,
    /// The signature scheme of the handshake (nginx `$ssl_client_sigalg`).
    SignatureAlgorithm,
    /// The client's address.
    ClientAddress,
    /// How the client reached the front door: `http` or `https` (nginx `$scheme`).
    ForwardedProto,
    /// The front door's own id of the request (nginx `$request_id`).
    RequestId,
}

/// The names of a front door's contract headers.
#[derive(Debug)]
pub struct Contract {
    api_key: HeaderName,
    names: HeaderNames<(ContractHeader, Vec<HeaderName>)>,
}

/// What the contract headers of one request held. Not decoded, and only ever made of an authenticated request.
#[derive(Debug, Default)]
pub struct ContractValues {
    certificate: Option<HeaderValue>,
    verdict: Option<HeaderValue>,
    subject_dn: Option<HeaderValue>,
    subject_dn_parsed: Option<HeaderValue>,
    signature_algorithm: Option<HeaderValue>,
    client_address: Option<HeaderValue>,
    forwarded_proto: Option<HeaderValue>,
    request_id: Option<HeaderValue>,
}

impl Contract {
    /// A contract: a name for each header in use. A name with underscores is also known with hyphens in their place, since
    /// many servers cannot send the one or the other.
    ///
    /// # Errors
    /// Two headers whose names are equal or aliases of each other.
    pub fn new(api_key: HeaderName, others: &[(ContractHeader, HeaderName)]) -> Result<Self, String> {
        let mut names = HeaderNames::default();
        names.insert(api_key.as_str(), (ContractHeader::ApiKey, vec![api_key.clone()]));
        for (meaning, name) in others {
            if names.find(name.as_str()).is_some() {
                return Err(format!("`{name}` is the name, or an alias of the name, of another contract header"));
            }
            let mut spellings = vec![name.clone()];
            spellings.extend(HeaderName::from_bytes(name.as_str().replace('_', "-").as_bytes()));
            names.insert(name.as_str(), (*meaning, spellings));
        }
        Ok(Self { api_key, names })
    }

    /// The name of the key header.
    pub fn api_key(&self) -> &HeaderName {
        &self.api_key
    }

    /// Whether a name is one of the contract's or an alias of one.
    pub fn claims(&self, name: &str) -> bool {
        self.names.find(name).is_some()
    }

    /// Checks every header line against the contract and takes the contract's own out.
    ///
    /// # Errors
    /// The `ContractHeader…` refusals.
    pub(super) fn take(&self, headers: &mut HeaderMap) -> Result<ContractValues, Refused> {
        self.refuse_nominated(headers, &header::CONNECTION, Refusal::ContractHeaderInConnection)?;
        self.refuse_nominated(headers, &header::TRAILER, Refusal::ContractHeaderInTrailer)?;
        let mut values = ContractValues::default();
        let mut taken = Vec::new();
        for (name, value) in headers.iter() {
            let Some(meaning) = self.meaning(name)? else { continue };
            if holds_control_byte(value.as_bytes()) {
                return Err(Refused::new(Refusal::ContractHeaderControlBytes, format!("`{name}` holds a control byte")));
            }
            if values.put(meaning, value.clone()) {
                return Err(Refused::new(Refusal::ContractHeaderRepeated, format!("`{name}` was sent more than once")));
            }
            taken.push(name.clone());
        }
        for name in &taken {
            headers.remove(name);
        }
        Ok(values)
    }

    fn meaning(&self, name: &HeaderName) -> Result<Option<ContractHeader>, Refused> {
        match self.names.find(name.as_str()) {
            None => Ok(None),
            Some((meaning, spellings)) if spellings.contains(name) => Ok(Some(*meaning)),
            Some((_, spellings)) => {
                let ours = spellings.first().map_or("", HeaderName::as_str);
                Err(Refused::new(Refusal::ContractHeaderAliased, format!("`{name}` is an alias of `{ours}`")))
            }
        }
    }

    fn refuse_nominated(&self, headers: &HeaderMap, nominating: &HeaderName, refusal: Refusal) -> Result<(), Refused> {
        for value in headers.get_all(nominating) {
            for token in value.as_bytes().split(|byte| *byte == b',') {
                let token = String::from_utf8_lossy(token.trim_ascii()).to_ascii_lowercase();
                if self.names.find(&token).is_some() {
                    return Err(Refused::new(refusal, format!("`{nominating}` names `{token}`")));
                }
            }
        }
        Ok(())
    }
}

/// Looks at every byte, whatever it finds: without an early end the compiler takes many bytes at a time, and a certificate
/// has more than a thousand.
fn holds_control_byte(value: &[u8]) -> bool {
    value.iter().fold(false, |found, byte| found | byte.is_ascii_control())
}

impl ContractValues {
    /// Keeps a value; true when there was one already.
    fn put(&mut self, meaning: ContractHeader, value: HeaderValue) -> bool {
        let slot = match meaning {
            // Proven before; two of them never come as far as here, and nobody needs to see it again.
            ContractHeader::ApiKey => return false,
            ContractHeader::Certificate => &mut self.certificate,
            ContractHeader::Verdict => &mut self.verdict,
            ContractHeader::SubjectDn => &mut self.subject_dn,
            ContractHeader::SubjectDnParsed => &mut self.subject_dn_parsed,
            ContractHeader::SignatureAlgorithm => &mut self.signature_algorithm,
            ContractHeader::ClientAddress => &mut self.client_address,
            ContractHeader::ForwardedProto => &mut self.forwarded_proto,
            ContractHeader::RequestId => &mut self.request_id,
        };
        slot.replace(value).is_some()
    }

    /// The certificate header, still encoded.
    pub fn certificate(&self) -> Option<&HeaderValue> {
        self.certificate.as_ref()
    }

    /// The front door's verdict.
    pub fn verdict(&self) -> Option<&HeaderValue> {
        self.verdict.as_ref()
    }

    /// The forwarded subject.
    pub fn subject_dn(&self) -> Option<&HeaderValue> {
        self.subject_dn.as_ref()
    }

    /// The forwarded CN.
    pub fn subject_dn_parsed(&self) -> Option<&HeaderValue> {
        self.subject_dn_parsed.as_ref()
    }

    /// The forwarded signature scheme of the handshake.
    pub fn signature_algorithm(&self) -> Option<&HeaderValue> {
        self.signature_algorithm.as_ref()
    }

    /// The forwarded client address.
    pub fn client_address(&self) -> Option<&HeaderValue> {
        self.client_address.as_ref()
    }

    /// How the client reached the front door.
    pub fn forwarded_proto(&self) -> Option<&HeaderValue> {
        self.forwarded_proto.as_ref()
    }

    /// The front door's id of the request.
    pub fn request_id(&self) -> Option<&HeaderValue> {
        self.request_id.as_ref()
    }
}
