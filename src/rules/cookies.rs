//! Cookies: those that a client sends (RFC 6265 §4.2), those that an upstream sets (§4.1).

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue, header};

use super::value::same_name;

/// The pairs of every `Cookie` line.
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(header::COOKIE).iter();
    lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';')).map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty())
}

fn split(pair: &[u8]) -> (&[u8], &[u8]) {
    let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
    let (name, value) = pair.split_at(at);
    (name.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii())
}

/// The values of a cookie that the client sends; its name compared as nginx does.
pub(super) fn sent<'v>(headers: &'v HeaderMap, name: &str) -> impl Iterator<Item = Cow<'v, str>> {
    let is_it = |sent: &[u8]| std::str::from_utf8(sent).is_ok_and(|sent| same_name(sent, name));
    pairs(headers).map(split).filter(move |(sent, _)| is_it(sent)).map(|(_, value)| String::from_utf8_lossy(value))
}

/// The value of a cookie that the upstream sets.
pub(super) fn set<'v>(headers: Option<&'v HeaderMap>, name: &str) -> Cow<'v, str> {
    let lines = headers.into_iter().flat_map(|headers| headers.get_all(header::SET_COOKIE));
    for line in lines {
        let pair = line.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        let (found, value) = split(pair);
        if std::str::from_utf8(found).is_ok_and(|found| same_name(found, name)) {
            return String::from_utf8_lossy(value);
        }
    }
    Cow::Borrowed("")
}

/// Changes the cookies of a request: those of a name in `without`, or of one that some servers take for it (PHP reads `user.id`
/// as `user_id`), go, then `more` follow. What remains becomes one line.
pub(super) fn change_sent(headers: &mut HeaderMap, without: &[&str], more: &[String]) {
    if !headers.contains_key(header::COOKIE) && more.is_empty() {
        return;
    }
    let stays = |pair: &&[u8]| !without.iter().any(|name| are_aliases(split(pair).0, name.as_bytes()));
    let all = pairs(headers).count();
    let mut kept: Vec<&[u8]> = pairs(headers).filter(stays).collect();
    if kept.len() == all && more.is_empty() {
        return;
    }
    kept.extend(more.iter().map(String::as_bytes));
    let line = HeaderValue::from_bytes(&kept.join(&b"; "[..])).ok().filter(|line| !line.is_empty());
    headers.remove(header::COOKIE);
    if let Some(line) = line {
        headers.insert(header::COOKIE, line);
    }
}

fn are_aliases(sent: &[u8], name: &[u8]) -> bool {
    let folded = |byte: &u8| if byte.is_ascii_alphanumeric() { *byte } else { b'_' };
    sent.len() == name.len() && sent.iter().map(folded).eq(name.iter().map(folded))
}

/// Takes the `Set-Cookie` lines of a cookie out of an answer.
pub(super) fn remove_set(headers: &mut HeaderMap, name: &str) {
    let is_other = |line: &&HeaderValue| {
        let pair = line.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        split(pair).0 != name.as_bytes()
    };
    let others: Vec<HeaderValue> = headers.get_all(header::SET_COOKIE).iter().filter(is_other).cloned().collect();
    headers.remove(header::SET_COOKIE);
    for line in others {
        headers.append(header::SET_COOKIE, line);
    }
}

/// Reads the name of a cookie (RFC 6265 §4.1.1: a token).
pub(super) fn name(text: &str) -> Result<String, String> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let name = text.trim();
    if name.is_empty() || !name.bytes().all(token) {
        return Err(format!("`{text}` is no cookie's name"));
    }
    Ok(name.to_owned())
}
