//! Names of parameters as servers read them, the odd ones too: what one of them takes for `client_id` is that here.
//!
//! PHP takes `client.id`, `client id` and `client_id[]` for `client_id`, ASP.NET takes `Client_ID` for it, and older Pythons
//! separate parameters by `;` as well.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::header_names::are_aliases;

/// How many parameters of a query or a form some server would take for this one. `name` is lower case.
pub(super) fn count(text: &[u8], name: &str) -> usize {
    let pairs = text.split(|byte| matches!(byte, b'&' | b';'));
    let names = pairs.map(|pair| pair.split(|byte| *byte == b'=').next().unwrap_or_default());
    names.filter(|sent| read(sent) == name.as_bytes()).count()
}

fn read(name: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = name.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let decoded = percent_encoding::percent_decode(&spaced).skip_while(|byte| *byte == b' ');
    let until = decoded.take_while(|byte| !matches!(byte, b'[' | 0));
    until.map(|byte| if matches!(byte, b' ' | b'.') { b'_' } else { byte.to_ascii_lowercase() }).collect()
}

/// Whether some server would take the body for a form.
pub fn is_form(headers: &HeaderMap) -> bool {
    let named = headers.iter().filter(|(name, _)| are_aliases(name.as_str(), CONTENT_TYPE.as_str()));
    let mut types = named.map(|(_, value)| value.as_bytes().to_ascii_lowercase());
    types.any(|value| value.windows(FORM.len()).any(|part| part == FORM))
}

const FORM: &[u8] = b"x-www-form-urlencoded";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_servers_read_them() {
        for (text, found) in [
            ("client_id=a", 1),
            ("a=b&client_id", 1),
            ("client_id=a&client_id=b", 2),
            ("a=b;client_id=c", 1),
            ("client%5Fid=a", 1),
            ("client.id=a", 1),
            ("client+id=a", 1),
            ("%20client%20id=a", 1),
            ("client_id[]=a", 1),
            ("client_id%5B0%5D=a", 1),
            ("client_id%00x=a", 1),
            ("Client_ID=a", 1),
            ("my_client_id=a", 0),
            ("client_ids=a", 0),
            ("a=client_id", 0),
            ("clientid=a", 0),
            ("", 0),
        ] {
            assert_eq!(count(text.as_bytes(), "client_id"), found, "{text}");
        }
    }

    #[test]
    fn bodies_that_somebody_takes_for_a_form() {
        let form = |lines: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(*name, value.parse().unwrap());
            }
            is_form(&headers)
        };
        assert!(form(&[("content-type", "application/x-www-form-urlencoded")]));
        assert!(form(&[("content-type", "Application/X-WWW-Form-Urlencoded; charset=x")]));
        assert!(form(&[("content-type", "application/json, application/x-www-form-urlencoded")]));
        assert!(form(&[("content-type", "application/json"), ("content-type", "application/x-www-form-urlencoded")]));
        assert!(form(&[("content-type", "application/json"), ("content_type", "application/x-www-form-urlencoded")]));
        assert!(!form(&[("content-type", "application/json")]));
        assert!(!form(&[]));
    }
}
