//! Who a request to a token endpoint says that it is: `client_id` in the form, the user of HTTP Basic, the subject of an
//! assertion. Nothing here is proven.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};

use super::{json, parameters};
use crate::header_names::are_aliases;

/// What a request says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Claimed {
    pub(super) client_id: String,
    /// Whether it brings a secret or an assertion: another way to authenticate.
    pub(super) has_other_credentials: bool,
}

/// Parameters that name or prove a client.
const TELLING: [&str; 4] = ["client_id", "client_secret", "client_assertion", "client_assertion_type"];

impl Claimed {
    /// Reads a request. Whatever could be read in two ways is refused: the server behind may read it in the other one.
    ///
    /// # Errors
    /// What is wrong with the request.
    pub(super) fn read(headers: &HeaderMap, query: Option<&str>, body: &[u8]) -> Result<Self, String> {
        let query = query.unwrap_or_default().as_bytes();
        if TELLING.iter().any(|wanted| parameters::count(query, wanted) > 0) {
            return Err("a parameter about the client stands in the query".into());
        }
        is_form(headers)?;
        let pairs = pairs(body)?;
        let one = |wanted: &str| {
            let mut found = pairs.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
            match (found.next(), parameters::count(body, wanted)) {
                (None, 0) => Ok(None),
                (Some(first), 1) => Ok(Some(first).filter(|value| !value.is_empty())),
                _ => Err(format!("`{wanted}` was sent more than once, or under a name that some servers take for it")),
            }
        };
        let assertion = one("client_assertion")?;
        let basic = basic_user(headers)?;
        let secret = one("client_secret")?;
        let subject = assertion.map(|assertion| subject(assertion).ok_or("an assertion that cannot be read")).transpose()?;
        let has_other_credentials = assertion.is_some() || basic.is_some() || secret.is_some();
        let mut names = [one("client_id")?.map(str::to_owned), basic, subject].into_iter().flatten();
        let client_id = names.next().ok_or("no `client_id`")?;
        if names.any(|other| other != client_id) {
            return Err("two different clients in one request".into());
        }
        Ok(Self { client_id, has_other_credentials })
    }
}

fn is_form(headers: &HeaderMap) -> Result<(), String> {
    let alias = |name: &str| name != CONTENT_TYPE.as_str() && are_aliases(name, CONTENT_TYPE.as_str());
    if headers.keys().any(|name| alias(name.as_str())) {
        return Err("an alias of the header `content-type`".into());
    }
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return Err("not exactly one `content-type`".into()) };
    let line = line.to_str().unwrap_or_default().to_ascii_lowercase();
    let (kind, parameters) = line.split_once(';').unwrap_or((&line, ""));
    let parameters = parameters.trim().replace('"', "");
    if kind.trim() != "application/x-www-form-urlencoded" || !["", "charset=utf-8"].contains(&parameters.as_str()) {
        return Err("the body is no form".into());
    }
    if headers.contains_key(CONTENT_ENCODING) {
        return Err("the body is packed".into());
    }
    Ok(())
}

/// The pairs of a form (WHATWG URL §5.1), all of them UTF-8.
fn pairs(text: &[u8]) -> Result<Vec<(String, String)>, String> {
    let pairs = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, value) = pair.split_at(at);
            Ok((decoded(name)?, decoded(value.get(1..).unwrap_or_default())?))
        })
        .collect()
}

fn decoded(text: &[u8]) -> Result<String, String> {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let octets: Vec<u8> = percent_encoding::percent_decode(&spaced).collect();
    String::from_utf8(octets).map_err(|_| "a form that is not UTF-8".into())
}

/// The user of HTTP Basic, encoded as a form (RFC 6749 §2.3.1).
fn basic_user(headers: &HeaderMap) -> Result<Option<String>, String> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    let bad = || "`authorization` is not HTTP Basic, once".to_owned();
    let (scheme, rest) = line.to_str().ok().and_then(|line| line.split_once(' ')).ok_or_else(bad)?;
    if lines.next().is_some() || !scheme.eq_ignore_ascii_case("basic") {
        return Err(bad());
    }
    let text = STANDARD.decode(rest.trim()).map_err(|_| bad())?;
    let at = text.iter().position(|byte| *byte == b':').ok_or_else(bad)?;
    decoded(text.get(..at).unwrap_or_default()).map(Some)
}

/// Whom an assertion is about (RFC 7523 §3). The authorization server checks it.
fn subject(assertion: &str) -> Option<String> {
    let claims = URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1)?).ok()?;
    let claims = json::object(&claims).ok()?;
    claims.get("sub")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[(&'static str, &str)], query: Option<&str>, body: &str) -> Result<(String, bool), String> {
        let mut headers = HeaderMap::new();
        headers.append("content-type", "application/x-www-form-urlencoded".parse().unwrap());
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let read = Claimed::read(&headers, query, body.as_bytes());
        read.map(|claimed| (claimed.client_id, claimed.has_other_credentials))
    }

    #[test]
    fn who_it_says_it_is() {
        let basic = ("authorization", "Basic YSUyMGI6c2VjcmV0");
        let assertion = format!("client_assertion=x.{}.x", URL_SAFE_NO_PAD.encode(r#"{"sub":"a b"}"#));
        let ok = |other| Ok(("a b".to_owned(), other));
        assert_eq!(read(&[], None, "grant_type=x&client_id=a+b"), ok(false));
        assert_eq!(read(&[], Some("x=y"), "client%5Fid=a%20b"), ok(false));
        assert_eq!(read(&[basic], None, "grant_type=x"), ok(true));
        assert_eq!(read(&[basic], None, "client_id=a%20b"), ok(true));
        assert_eq!(read(&[], None, &assertion), ok(true));
        assert_eq!(read(&[], None, "client_id=a b&client_secret=x"), ok(true));
        for (lines, query, body) in [
            (&[][..], None, ""),
            (&[], None, "client_id="),
            (&[], None, "client_id=a&client_id=a"),
            (&[], None, "client_id=a;client_id=b"),
            (&[], None, "client_id=a&x=1;client_id=b"),
            (&[], None, "client_id=a&client.id=b"),
            (&[], None, "client_id=a&Client_Id=b"),
            (&[], None, "client_id[]=a"),
            (&[], None, "client_id=a&client_secret%5B%5D=b"),
            (&[], Some("client+id=b"), "client_id=a"),
            (&[("content_type", "application/json")], None, "client_id=a"),
            (&[], None, "client_id=a&client%5fid=b"),
            (&[], None, "client_id=%ff"),
            (&[], Some("client_id=a"), "client_id=a"),
            (&[], Some("client%5Fsecret=a"), "client_id=a"),
            (&[basic], None, "client_id=b"),
            (&[basic, basic], None, ""),
            (&[("authorization", "Bearer x")], None, "client_id=a"),
            (&[("authorization", "Basic !")], None, "client_id=a"),
            (&[("content-type", "application/json")], None, "client_id=a"),
            (&[("content-encoding", "gzip")], None, "client_id=a"),
            (&[], None, "client_id=a&client_assertion=x"),
        ] {
            assert!(read(lines, query, body).is_err(), "{lines:?} {query:?} {body}");
        }
    }
}
