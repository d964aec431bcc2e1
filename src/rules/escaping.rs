//! How values stand in a body: whatever a client sends stays a text.

use std::fmt::Write as _;

/// What a media type takes for something else than text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escaping {
    /// HTML and XML: `<`, `>`, `&` and quotes.
    Markup,
    /// Nothing.
    None,
    /// JSON and scripts: what ends a string in quotes.
    String,
}

impl Escaping {
    /// That of a media type.
    pub(super) fn of(media_type: &str) -> Self {
        let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if essence.contains("html") || essence.contains("xml") {
            Self::Markup
        } else if essence.contains("json") || essence.contains("script") {
            Self::String
        } else {
            Self::None
        }
    }

    /// Appends a value.
    pub(super) fn push(self, body: &mut String, value: &str) {
        for one in value.chars() {
            match (self, one) {
                (Self::Markup, '<') => body.push_str("&lt;"),
                (Self::Markup, '>') => body.push_str("&gt;"),
                (Self::Markup, '&') => body.push_str("&amp;"),
                (Self::Markup, '"') => body.push_str("&quot;"),
                (Self::Markup, '\'') => body.push_str("&#39;"),
                // The line separators end a line of older scripts (ECMA-262 before 2019); `<` may end a script element.
                (Self::String, '"' | '\'' | '\\' | '<' | '\0'..='\u{1f}' | '\u{7f}' | '\u{2028}' | '\u{2029}') => {
                    // Writing to a String cannot fail.
                    let _ = write!(body, "\\u{:04x}", u32::from(one));
                }
                _ => body.push(one),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_media_type() {
        for (media_type, escaping) in [
            ("text/html; charset=utf-8", Escaping::Markup),
            ("Application/XHTML+XML", Escaping::Markup),
            ("image/svg+xml", Escaping::Markup),
            ("application/problem+json", Escaping::String),
            ("text/javascript", Escaping::String),
            ("text/plain; note=html", Escaping::None),
        ] {
            assert_eq!(Escaping::of(media_type), escaping, "{media_type}");
        }
        let mut body = String::new();
        Escaping::Markup.push(&mut body, "<a href='x'>\"&</a>");
        assert_eq!(body, "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&lt;/a&gt;");
    }

    proptest! {
        #[test]
        fn json_reads_what_was_written(value in any::<String>()) {
            let mut body = String::from("\"");
            Escaping::String.push(&mut body, &value);
            body.push('"');
            prop_assert_eq!(serde_json::from_str::<String>(&body).unwrap(), value);
        }
    }
}
