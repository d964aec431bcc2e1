//! WebSocket: the handshake is forwarded, then bytes flow both ways until a side closes (RFC 6455 §4, RFC 9110 §7.8).

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::dev::Payload;
use actix_web::rt::task::JoinHandle;
use bytes::BytesMut;
use futures_util::StreamExt;
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderValue, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, Method, StatusCode};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf, ReadHalf, WriteHalf, split};

use super::exchange::{Exchanged, exchange, request, with_sources};
use super::request_body::RequestBody;
use super::response_body::Polled;
use super::silence::Silence;
use super::transfer::{Ending, Transfer};
use super::{Answer, Outgoing, Upstream, headers};
use crate::refusal::{Refusal, Refused};

/// Whether a request asks for WebSocket.
///
/// actix takes every request with `Upgrade: websocket` for an endless stream, whatever its method, its length and its
/// `Connection` say. Forwarded otherwise, the client's next request would become this one's body (request smuggling), so
/// what does not ask properly is refused; actix closes the connection of a request whose body was not read.
///
/// # Errors
/// [`Refusal::RequestMalformed`] for `Upgrade: websocket` without `Connection: upgrade`, with a body, or on another method
/// than GET.
pub fn websocket_request(method: &Method, headers: &HeaderMap) -> Result<bool, Refused> {
    if !names_websocket(headers) {
        return Ok(false);
    }
    let refused = |why: &str| Err(Refused::new(Refusal::RequestMalformed, format!("Upgrade: websocket {why}")));
    if method != Method::GET {
        return refused("on another method than GET");
    }
    if !headers::connection_options(headers).any(|option| option.eq_ignore_ascii_case(b"upgrade")) {
        return refused("without Connection: upgrade");
    }
    if headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING) {
        return refused("with a body");
    }
    Ok(true)
}

fn names_websocket(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(UPGRADE).iter();
    lines.any(|value| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"websocket"))
}

/// Forwards a WebSocket handshake.
pub(super) async fn forward(upstream: &Arc<Upstream>, mut outgoing: Outgoing, payload: Payload) -> Result<Answer, Refused> {
    headers::for_upstream(upstream, &mut outgoing)?;
    outgoing.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    outgoing.headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    let transfer = Rc::new(Transfer::new());
    let request = request(outgoing, RequestBody::empty(Rc::clone(&transfer)))?;
    let exchanged = exchange(upstream, request, &transfer).await?;
    if exchanged.response.status() != StatusCode::SWITCHING_PROTOCOLS {
        // What the client sends next may be frames already: its connection cannot be used again.
        return Ok(Answer::new(upstream, exchanged, transfer, false).closing());
    }
    switch(upstream, exchanged, payload, transfer).await
}

async fn switch(
    upstream: &Upstream,
    exchanged: Exchanged,
    payload: Payload,
    transfer: Rc<Transfer>,
) -> Result<Answer, Refused> {
    let Exchanged { mut response, connection: _until_switched, timings } = exchanged;
    let invalid = |why: &str| Refused::new(Refusal::UpstreamInvalidResponse, format!("{}: {why}", upstream.endpoint));
    if !names_websocket(response.headers()) {
        return Err(invalid("switches to another protocol than the one asked for"));
    }
    let upgraded = hyper::upgrade::on(&mut response).await.map_err(|error| invalid(&with_sources(&error)))?;
    let (reader, writer) = split(TokioIo::new(upgraded));
    let pump = actix_web::rt::spawn(pump(payload, writer, Rc::clone(&transfer)));
    let tunnel = Tunnel { reader, pump, buffer: BytesMut::new(), silence: Silence::new(upstream.tunnel_timeout) };
    Ok(Answer::switched(std::mem::take(response.headers_mut()), tunnel, transfer, timings))
}

/// The upstream's half of an upgraded connection, and the task that carries the client's half.
pub(super) struct Tunnel {
    reader: ReadHalf<TokioIo<Upgraded>>,
    pump: JoinHandle<()>,
    buffer: BytesMut,
    silence: Silence,
}

/// From client to upstream: one chunk at a time, so that a slow upstream slows the client.
async fn pump(mut payload: Payload, mut writer: WriteHalf<TokioIo<Upgraded>>, transfer: Rc<Transfer>) {
    while let Some(Ok(chunk)) = payload.next().await {
        if writer.write_all(&chunk).await.is_err() {
            return;
        }
        transfer.note_sent(chunk.len());
    }
    // The client left: the upstream may still have something to say, and its side ends the tunnel.
    let _ = writer.shutdown().await;
}

impl Tunnel {
    /// From upstream to client.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, transfer: &Transfer) -> Polled {
        self.buffer.resize(CHUNK_SIZE, 0);
        let mut buffer = ReadBuf::new(&mut self.buffer);
        match Pin::new(&mut self.reader).poll_read(cx, &mut buffer) {
            Poll::Pending => self
                .silence
                .poll_too_long(cx, Some(transfer.last_activity()))
                .map(|()| Some(Err((Ending::Stalled, "silent for too long".to_owned())))),
            Poll::Ready(Err(error)) => Poll::Ready(Some(Err((Ending::Broken, error.to_string())))),
            Poll::Ready(Ok(())) => {
                let length = buffer.filled().len();
                self.silence.broken();
                Poll::Ready((length > 0).then(|| Ok(self.buffer.split_to(length).freeze())))
            }
        }
    }
}

/// Most WebSocket messages are far smaller; larger ones take a few turns.
const CHUNK_SIZE: usize = 8 * 1024;

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_handshake_is_an_upgrade() {
        let asked = |method: Method, lines: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(*name, HeaderValue::from_static(value));
            }
            websocket_request(&method, &headers).map_err(|refused| refused.refusal)
        };
        let upgrade = ("upgrade", "WebSocket");
        assert_eq!(asked(Method::GET, &[upgrade, ("connection", "keep-alive, Upgrade")]), Ok(true));
        assert_eq!(asked(Method::GET, &[]), Ok(false));
        assert_eq!(asked(Method::POST, &[("upgrade", "h2c"), ("connection", "upgrade")]), Ok(false));
        for (method, lines) in [
            (Method::GET, &[upgrade][..]),
            (Method::GET, &[upgrade, ("connection", "close")]),
            (Method::GET, &[upgrade, ("connection", "upgrade"), ("content-length", "0")]),
            (Method::GET, &[upgrade, ("connection", "upgrade"), ("transfer-encoding", "chunked")]),
            (Method::POST, &[upgrade, ("connection", "upgrade")]),
            (Method::GET, &[("upgrade", "h2c"), upgrade]),
        ] {
            assert_eq!(asked(method, lines), Err(Refusal::RequestMalformed), "{lines:?}");
        }
    }
}
