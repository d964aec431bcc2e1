//! What a second sending of a request is made of, kept as text: it is needed once in a blue moon, and the headers of every
//! request would be cloned for it.

use std::rc::Rc;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Method, Request, Uri};

use super::request_body::RequestBody;
use super::transfer::Transfer;

/// The head of a request that does no harm when it arrives twice (RFC 9110 §9.2.2), for the case that an idle connection was
/// just being closed. Only methods that are safe, and only without a body, which could not be read twice.
pub(super) struct Spare {
    method: Method,
    /// The target, then name and value of every line.
    text: Vec<u8>,
    target: usize,
    lines: Vec<Line>,
}

/// The lengths of a line's parts, and whether it is kept out of logs.
struct Line {
    name: usize,
    value: usize,
    sensitive: bool,
}

impl Spare {
    /// None of a request that may not be sent twice.
    pub(super) fn of(request: &Request<RequestBody>, transfer: &Transfer) -> Option<Self> {
        let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        if !safe || !transfer.is_request_complete() {
            return None;
        }
        let target = request.uri().path_and_query()?.as_str();
        let headers = request.headers();
        let length = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>();
        let mut text = Vec::with_capacity(target.len() + length);
        text.extend_from_slice(target.as_bytes());
        let mut lines = Vec::with_capacity(headers.len());
        for (name, value) in headers {
            text.extend_from_slice(name.as_str().as_bytes());
            text.extend_from_slice(value.as_bytes());
            lines.push(Line { name: name.as_str().len(), value: value.len(), sensitive: value.is_sensitive() });
        }
        Some(Self { method: request.method().clone(), text, target: target.len(), lines })
    }

    /// The request once more.
    pub(super) fn into_request(self, transfer: &Rc<Transfer>) -> Option<Request<RequestBody>> {
        let mut rest = Bytes::from(self.text);
        let mut request = Request::new(RequestBody::empty(Rc::clone(transfer)));
        *request.method_mut() = self.method;
        *request.uri_mut() = Uri::from(PathAndQuery::from_maybe_shared(rest.split_to(self.target)).ok()?);
        for line in self.lines {
            let name = HeaderName::from_bytes(&rest.split_to(line.name)).ok()?;
            let mut value = HeaderValue::from_maybe_shared(rest.split_to(line.value)).ok()?;
            value.set_sensitive(line.sensitive);
            request.headers_mut().append(name, value);
        }
        Some(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str) -> (Request<RequestBody>, Rc<Transfer>) {
        let transfer = Rc::new(Transfer::new());
        let mut request = Request::new(RequestBody::empty(Rc::clone(&transfer)));
        *request.method_mut() = method.parse().unwrap();
        *request.uri_mut() = "/a%20b?c=d".parse().unwrap();
        for (name, value) in [("host", "a"), ("x-own", ""), ("cookie", "a=1"), ("x-own", "\u{e9}"), ("accept", "*/*")] {
            request.headers_mut().append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let mut token = HeaderValue::from_static("token");
        token.set_sensitive(true);
        request.headers_mut().insert("x-vestibule-identity", token);
        (request, transfer)
    }

    #[test]
    fn it_is_the_same_request() {
        for method in ["GET", "HEAD", "OPTIONS"] {
            let (request, transfer) = request(method);
            let again = Spare::of(&request, &transfer).unwrap().into_request(&transfer).unwrap();
            assert_eq!((again.method(), again.uri()), (request.method(), request.uri()));
            assert_eq!(again.headers(), request.headers());
            let sensitive: Vec<&HeaderName> =
                again.headers().iter().filter(|(_, value)| value.is_sensitive()).map(|(name, _)| name).collect();
            assert_eq!(sensitive, ["x-vestibule-identity"]);
        }
    }

    #[test]
    fn what_might_do_something_twice_has_none() {
        for method in ["POST", "PUT", "DELETE", "PATCH", "PURGE"] {
            let (request, transfer) = request(method);
            assert!(Spare::of(&request, &transfer).is_none(), "{method}");
        }
        let (with_a_body_on_its_way, _) = request("GET");
        assert!(Spare::of(&with_a_body_on_its_way, &Transfer::new()).is_none());
    }
}
