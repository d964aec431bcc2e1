//! A small body that is read before the request is decided about, and then goes to the upstream whole.

use std::time::Duration;

use actix_web::dev::Payload;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};

use crate::refusal::{Refusal, Refused};

/// How long a client may take to send it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads a body.
///
/// # Errors
/// [`Refusal::RequestBodyTooLarge`]; [`Refusal::RequestMalformed`] when it breaks off or takes too long.
pub(super) async fn read(payload: Payload, limit: usize) -> Result<Bytes, Refused> {
    let malformed = |why: String| Refused::new(Refusal::RequestMalformed, why);
    let read = tokio::time::timeout(PATIENCE, whole(payload, limit)).await;
    read.unwrap_or_else(|_| Err(malformed(format!("the client did not send its form within {PATIENCE:?}"))))
}

async fn whole(mut payload: Payload, limit: usize) -> Result<Bytes, Refused> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|why| Refused::new(Refusal::RequestMalformed, format!("the form broke off: {why}")))?;
        if body.len().saturating_add(chunk.len()) > limit {
            return Err(Refused::new(Refusal::RequestBodyTooLarge, format!("a form of more than {limit} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The same body, to be sent.
pub(super) fn payload(body: Bytes) -> Payload {
    if body.is_empty() {
        return Payload::None;
    }
    Payload::Stream { payload: Box::pin(stream::iter([Ok(body)])) }
}
