//! Which headers of a request hold certificates, and when there is none.
//!
//! "No certificate" lets a client in as anonymous where that is allowed. So it is never concluded from a value that a front door
//! emptied: HAProxy does that to a certificate that is too large for its buffer, Google and Cloudflare to one over their limit.

use http::HeaderValue;

use super::verdict::{ForwardedVerdict, Said};
use crate::front_door::{ContractHeader, ContractValues, Format};
use crate::refusal::{Refusal, Refused};

/// The values of headers that hold certificates.
pub(super) struct Carried<'h> {
    /// With the client's.
    pub(super) leaf: &'h [u8],
    /// With others.
    pub(super) chain: Vec<&'h [u8]>,
}

/// The headers that hold certificates; none when there is no certificate.
///
/// # Errors
/// [`Refusal::CertificateWithheld`]. An empty header that nothing explains is left for the decoder to refuse.
pub(super) fn headers<'h>(contract: &'h ContractValues, format: &Format, said: &Said) -> Result<Option<Carried<'h>>, Refused> {
    let leaf = leaf(contract.get(ContractHeader::Certificate), format, said)?;
    let others = contract.get(ContractHeader::Chain).into_iter().chain(contract.members());
    let holds = |value: &&[u8]| !value.is_empty() && !format.says_absent(value);
    let chain: Vec<&[u8]> = others.map(HeaderValue::as_bytes).filter(holds).collect();
    match leaf {
        None if !chain.is_empty() => Err(withheld("a chain came without the client's certificate")),
        leaf => Ok(leaf.map(|leaf| Carried { leaf, chain })),
    }
}

fn leaf<'h>(header: Option<&'h HeaderValue>, format: &Format, said: &Said) -> Result<Option<&'h [u8]>, Refused> {
    let value = header.map(HeaderValue::as_bytes);
    let says_absent = value.is_some_and(|value| format.says_absent(value));
    if let Some(value) = value
        && !value.is_empty()
        && !says_absent
    {
        return Ok(Some(value));
    }
    if said.presented == Some(true) || said.too_large {
        return Err(withheld("there was a certificate, and its header is empty or missing"));
    }
    match (value, &said.verdict) {
        (None, _) | (Some(_), Some(ForwardedVerdict::None)) => Ok(None),
        (Some(_), None) if says_absent => Ok(None),
        (Some(empty @ []), _) => Ok(Some(empty)),
        (Some(_), _) => Err(withheld("a verdict about a certificate, and a placeholder in its header")),
    }
}

fn withheld(why: &str) -> Refused {
    Refused::new(Refusal::CertificateWithheld, why)
}
