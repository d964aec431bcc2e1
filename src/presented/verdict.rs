//! What a front door says about a certificate in words: its verdict, in the dialect of its format.

use http::HeaderValue;

use crate::front_door::{ContractHeader, ContractValues, VerdictDialect};
use crate::refusal::{Refusal, Refused};

/// A front door's verdict: nginx `$ssl_client_verify`, Auth0 `client-certificate-ca-verified`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForwardedVerdict {
    /// It verified the certificate.
    Success,
    /// It did not; with its reason, which may be empty.
    Failed(String),
    /// The client sent no certificate.
    None,
}

/// The verdict, and what else there is to know before the certificate is looked for.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The verdict, when there is one.
    pub(super) verdict: Option<ForwardedVerdict>,
    /// Whether there was a certificate, when that is said by itself.
    pub(super) presented: Option<bool>,
    /// It left the certificate out for its size.
    pub(super) too_large: bool,
    /// It left some value out for its size, so that an empty one says nothing.
    pub(super) left_out: bool,
}

impl Said {
    /// Reads the headers that the dialect has.
    ///
    /// # Errors
    /// [`Refusal::ForwardedVerdictUnknown`] for what the dialect does not have, or not in this combination.
    pub(super) fn read(contract: &ContractValues, dialect: VerdictDialect) -> Result<Self, Refused> {
        let verdict = contract.get(ContractHeader::Verdict);
        if matches!(dialect, VerdictDialect::None | VerdictDialect::Nginx | VerdictDialect::Apache) {
            let parse = |value| ForwardedVerdict::parse(value, dialect);
            return Ok(Self { verdict: verdict.map(parse).transpose()?, ..Self::default() });
        }
        let flag = |meaning| contract.get(meaning).map(flag).transpose();
        let presented = flag(ContractHeader::Presented)?;
        let reason = contract.get(ContractHeader::VerdictReason).map(text).transpose()?.unwrap_or_default();
        let revoked = flag(ContractHeader::Revoked)?.unwrap_or_default();
        let good = match (verdict, dialect) {
            (Some(value), VerdictDialect::OpensslCode) => Some(openssl_code(value)?),
            (Some(value), _) => Some(if self::flag(value)? { Ok(()) } else { Err(reason.to_owned()) }),
            (None, _) => None,
        };
        let said = match (presented, good) {
            // Without a certificate HAProxy's code is 0 like that of a good one.
            (None, Some(_)) => return Err(unknown("a verdict without the header that says whether there was a certificate")),
            (Some(false), Some(Ok(()))) if dialect != VerdictDialect::OpensslCode => {
                return Err(unknown("a good verdict, and no certificate"));
            }
            (Some(false), Some(Err(_))) if dialect == VerdictDialect::OpensslCode => {
                return Err(unknown("a bad verdict, and no certificate"));
            }
            (Some(false), _) => Some(ForwardedVerdict::None),
            (_, None) => None,
            (Some(true), Some(_)) if revoked => Some(ForwardedVerdict::Failed("revoked".into())),
            (Some(true), Some(Ok(()))) => Some(ForwardedVerdict::Success),
            (Some(true), Some(Err(reason))) => Some(ForwardedVerdict::Failed(reason)),
        };
        Ok(Self {
            verdict: said,
            presented,
            too_large: flag(ContractHeader::TooLarge)?.unwrap_or_default() || reason.contains(LEAF_TOO_LARGE),
            left_out: reason.contains(TOO_LARGE),
        })
    }
}

/// Google's words for values that it left out.
const LEAF_TOO_LARGE: &str = "leaf_exceeded_size_limit";
const TOO_LARGE: &str = "_exceeded_size_limit";

impl ForwardedVerdict {
    /// Reads `SUCCESS`, `FAILED`, `FAILED:reason`, `FAILED: reason` or `NONE`.
    fn parse(value: &HeaderValue, dialect: VerdictDialect) -> Result<Self, Refused> {
        match text(value)? {
            "SUCCESS" => Ok(Self::Success),
            "NONE" => Ok(Self::None),
            "FAILED" => Ok(Self::Failed(String::new())),
            // Apache lets a certificate of a CA that it does not know pass; on a resumed session it even says SUCCESS.
            generous @ "GENEROUS" if dialect == VerdictDialect::Apache => Ok(Self::Failed(generous.into())),
            text => match text.strip_prefix("FAILED:") {
                Some(reason) => Ok(Self::Failed(reason.trim_start().to_owned())),
                None => Err(unknown(format!("{value:?}"))),
            },
        }
    }
}

/// `Ok` for 0, and the code's number otherwise.
fn openssl_code(value: &HeaderValue) -> Result<Result<(), String>, Refused> {
    match text(value)?.parse::<u16>() {
        Ok(0) => Ok(Ok(())),
        Ok(code) => Ok(Err(format!("OpenSSL's code {code}"))),
        Err(_) => Err(unknown(format!("{value:?}"))),
    }
}

fn flag(value: &HeaderValue) -> Result<bool, Refused> {
    match value.as_bytes() {
        b"1" | b"true" => Ok(true),
        b"0" | b"false" => Ok(false),
        _ => Err(unknown(format!("{value:?}"))),
    }
}

fn text(value: &HeaderValue) -> Result<&str, Refused> {
    value.to_str().map_err(|_| unknown(format!("{value:?}")))
}

fn unknown(what: impl std::fmt::Display) -> Refused {
    Refused::new(Refusal::ForwardedVerdictUnknown, format!("forwarded verdict {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        let parse =
            |text: &str| ForwardedVerdict::parse(&HeaderValue::from_bytes(text.as_bytes()).unwrap(), VerdictDialect::Nginx);
        assert_eq!(parse("SUCCESS").unwrap(), ForwardedVerdict::Success);
        assert_eq!(parse("NONE").unwrap(), ForwardedVerdict::None);
        assert_eq!(parse("FAILED").unwrap(), ForwardedVerdict::Failed(String::new()));
        for text in ["FAILED:self-signed certificate", "FAILED: self-signed certificate"] {
            assert_eq!(parse(text).unwrap(), ForwardedVerdict::Failed("self-signed certificate".into()));
        }
        for text in ["", "success", "SUCCESS ", "SUCCESS:x", "GENEROUS", "0", "(null)", "FAILEDx", "NONE,SUCCESS", "\u{fc}"] {
            assert_eq!(parse(text).unwrap_err().refusal, Refusal::ForwardedVerdictUnknown, "{text}");
        }
        let apache = ForwardedVerdict::parse(&HeaderValue::from_static("GENEROUS"), VerdictDialect::Apache).unwrap();
        assert_eq!(apache, ForwardedVerdict::Failed("GENEROUS".into()));
    }
}
