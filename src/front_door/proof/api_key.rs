//! The domain's key, once, in its header.

use super::Asked;
use crate::refusal::{Refusal, Refused};

/// The position of the key that was sent.
pub(super) fn prove(asked: &Asked<'_>) -> Result<usize, Refused> {
    let (domain, headers) = (asked.domain, &asked.head.headers);
    let name = domain.contract().api_key();
    let refuse = |refusal, why: &str| Refused::new(refusal, format!("`{name}` for `{}` {why}", domain.name()));
    let mut values = headers.get_all(name).iter();
    let key = values.next().ok_or_else(|| refuse(Refusal::FrontDoorKeyMissing, "is missing"))?;
    if values.next().is_some() {
        return Err(refuse(Refusal::FrontDoorKeyRepeated, "was sent more than once"));
    }
    let position = match domain.custom() {
        Some(custom) => custom.position(key.as_bytes(), asked.now),
        None => domain.api_keys().and_then(|keys| keys.position(key.as_bytes())),
    };
    position.ok_or_else(|| refuse(Refusal::FrontDoorKeyWrong, "is not one of its keys"))
}
