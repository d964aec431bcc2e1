//! The two dictionaries of RFC 9421 §4: all their lines as one value, and their members as they were sent.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};

/// The value of a field: its lines joined by a comma (RFC 9110 §5.2). None when there is no line.
pub(super) fn joined<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<Cow<'h, [u8]>> {
    let mut lines = headers.get_all(name).iter();
    let first = lines.next()?.as_bytes();
    let mut all = Cow::Borrowed(first);
    for line in lines {
        let all = all.to_mut();
        all.extend_from_slice(b", ");
        all.extend_from_slice(line.as_bytes());
    }
    Some(all)
}

/// The members of a dictionary that is known to be well-formed, each as it was sent: a comma ends a member wherever it does not
/// stand in a string.
fn members(dictionary: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut in_string, mut escaped) = (false, false);
    let ends = move |byte: &u8| {
        let escape = in_string && !escaped && *byte == b'\\';
        if *byte == b'"' && !escaped {
            in_string = !in_string;
        }
        escaped = escape;
        *byte == b',' && !in_string
    };
    dictionary.split(ends).map(<[u8]>::trim_ascii)
}

fn key(member: &[u8]) -> &[u8] {
    member.split(|byte| matches!(byte, b'=' | b';')).next().unwrap_or(member)
}

/// The value of a member as it was sent, its parameters included. RFC 9421 §2.5 signs it so, whatever their order.
pub(super) fn raw_value<'d>(dictionary: &'d [u8], label: &str) -> Option<&'d [u8]> {
    let member = members(dictionary).find(|member| key(member) == label.as_bytes())?;
    member.get(label.len()..)?.strip_prefix(b"=")
}

/// Takes a member out of a field. The others stay: a client may sign for the upstream.
pub(super) fn remove(headers: &mut HeaderMap, name: &HeaderName, label: &str) {
    let Some(dictionary) = joined(headers, name) else { return };
    let others: Vec<&[u8]> = members(&dictionary).filter(|member| key(member) != label.as_bytes()).collect();
    let left = HeaderValue::from_bytes(&others.join(&b", "[..])).ok().filter(|left| !left.is_empty());
    match left {
        Some(left) => drop(headers.insert(name, left)),
        None => drop(headers.remove(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_end_at_commas_outside_strings() {
        let text = br#"a=("x,y");p="1,\"2,\\", b=:AA==:,	edge=( "@path" "q,\"" );nonce="\\",c"#;
        let found: Vec<&[u8]> = members(text).collect();
        assert_eq!(found.len(), 4);
        assert_eq!(raw_value(text, "edge").unwrap(), br#"( "@path" "q,\"" );nonce="\\""#);
        assert_eq!(raw_value(text, "b").unwrap(), b":AA==:");
        assert_eq!((raw_value(text, "c"), raw_value(text, "d"), raw_value(text, "ed")), (None, None, None));
    }

    #[test]
    fn only_our_member_is_taken_out() {
        let name = HeaderName::from_static("signature-input");
        let left = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(&name, HeaderValue::from_str(line).unwrap());
            }
            remove(&mut headers, &name, "edge");
            joined(&headers, &name).map(|left| String::from_utf8(left.into_owned()).unwrap())
        };
        assert_eq!(left(&[r#"edge=("@path")"#]), None);
        assert_eq!(left(&[r#"sig1=("a,b" "c");x=1, edge=("@path")"#]).unwrap(), r#"sig1=("a,b" "c");x=1"#);
        assert_eq!(left(&[r#"edge=("@path")"#, "sig1=()", "sig2=()"]).unwrap(), "sig1=(), sig2=()");
        assert_eq!(left(&[]), None);
    }
}
