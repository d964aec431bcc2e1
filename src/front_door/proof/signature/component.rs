//! What a signature can cover (RFC 9421 §2): parts of the request and header fields.

use std::borrow::Cow;

use http::header;

use super::shortened;
use crate::request_head::RequestHead;
use crate::secret::SignedMessage;

/// A component. Parameters of components (`;sf`, `;bs`, `;key`, `;req`, `;tr`) are not implemented, and refused where they are
/// read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Component<'c> {
    Authority,
    Field(Cow<'c, str>),
    Method,
    Path,
    Query,
    RequestTarget,
}

impl<'c> Component<'c> {
    /// Reads a component's name.
    pub(super) fn parse(name: Cow<'c, str>) -> Result<Self, String> {
        match name.as_ref() {
            "@authority" => Ok(Self::Authority),
            "@method" => Ok(Self::Method),
            "@path" => Ok(Self::Path),
            "@query" => Ok(Self::Query),
            "@request-target" => Ok(Self::RequestTarget),
            // A signature cannot cover itself.
            "signature" => Err("the component `signature` is not allowed".into()),
            derived if derived.starts_with('@') => Err(format!("the component `{}` is not implemented", shortened(derived))),
            field if is_field_name(field) => Ok(Self::Field(name)),
            _ => Err("a component is no header name in lower case".into()),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Authority => "@authority",
            Self::Field(name) => name,
            Self::Method => "@method",
            Self::Path => "@path",
            Self::Query => "@query",
            Self::RequestTarget => "@request-target",
        }
    }

    /// Writes the component's line of the signature base (RFC 9421 §2.5).
    ///
    /// # Errors
    /// When the request has no such field.
    pub(super) fn write(&self, head: &RequestHead, message: &mut SignedMessage) -> Result<(), String> {
        for part in ["\"", self.name(), "\": "] {
            message.update(part.as_bytes());
        }
        match self {
            Self::Authority => message.update(authority(head).as_bytes()),
            Self::Field(name) => write_field(name, head, message)?,
            Self::Method => message.update(head.method.as_str().as_bytes()),
            Self::Path => message.update(head.target.raw_path().as_bytes()),
            Self::Query => {
                message.update(b"?");
                message.update(head.target.query().unwrap_or_default().as_bytes());
            }
            Self::RequestTarget => message.update(head.target.raw().as_bytes()),
        }
        message.update(b"\n");
        Ok(())
    }
}

fn is_field_name(name: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(token)
}

/// Lines of one name are joined, white space around each cut off (RFC 9421 §2.1).
fn write_field(name: &str, head: &RequestHead, message: &mut SignedMessage) -> Result<(), String> {
    let mut lines = head.headers.get_all(name).iter();
    let first = lines.next().ok_or_else(|| format!("it covers `{}`, which is not there", shortened(name)))?;
    message.update(first.as_bytes().trim_ascii());
    for line in lines {
        message.update(b", ");
        message.update(line.as_bytes().trim_ascii());
    }
    Ok(())
}

/// The host in lower case, without the port that `https` has anyway (RFC 9421 §2.2.3): front doors speak TLS to clients.
fn authority(head: &RequestHead) -> Cow<'_, str> {
    let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let host = host.strip_suffix(":443").unwrap_or(host);
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) { Cow::Owned(host.to_ascii_lowercase()) } else { Cow::Borrowed(host) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_implemented_is_refused_by_name() {
        for name in ["@target-uri", "@scheme", "@query-param", "@status", "@", "@signature-params", "@Method"] {
            let refused = Component::parse(name.into()).unwrap_err();
            assert!(refused.contains(&format!("`{name}`")), "{refused}");
        }
        for name in ["", "Client-Cert", "a b", "a:", "é", "signature"] {
            assert!(Component::parse(name.into()).is_err(), "{name}");
        }
        for name in ["@authority", "@method", "@path", "@query", "@request-target", "ssl_client_s_dn", "x.y"] {
            assert_eq!(Component::parse(name.into()).unwrap().name(), name);
        }
    }
}
