//! Texts with variables in them: `X-Client: ${ssl_client_s_dn_parsed}`.

use std::fmt::Write;

use super::facts::View;
use super::variable::Variable;

/// A text with variables, read at load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable(Variable),
}

impl Template {
    /// Reads a template. A `$` that no `{` follows is a dollar sign.
    ///
    /// # Errors
    /// A variable that does not exist, or one without its `}`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or_else(|| format!("`${{{after}` has no `}}`"))?;
            let variable = Variable::parse(name).ok_or_else(|| format!("there is no variable `${{{name}}}`"))?;
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            parts.push(Part::Variable(variable));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// The variables in it.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.0.iter().filter_map(|part| match part {
            Part::Variable(variable) => Some(variable),
            Part::Literal(_) => None,
        })
    }

    /// The text for a header: whatever a certificate holds, no byte leaves that could end the line. Bytes outside 0x20–0x7E are
    /// written `\XX`, as nginx writes them in a DN.
    pub(super) fn write_header_value(&self, view: &View<'_>, value: &mut String) {
        for part in &self.0 {
            match part {
                Part::Literal(text) => push_safe(value, text),
                Part::Variable(variable) => push_safe(value, &variable.text(view)),
            }
        }
    }
}

fn push_safe(value: &mut String, text: &str) {
    // Without an early end the compiler takes many bytes at a time.
    if text.bytes().fold(true, |safe, byte| safe & (0x20..=0x7e).contains(&byte)) {
        value.push_str(text);
        return;
    }
    for byte in text.bytes() {
        if (0x20..=0x7e).contains(&byte) {
            value.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(value, "\\{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_errors() {
        assert_eq!(Template::parse("").unwrap(), Template(vec![]));
        assert_eq!(Template::parse("a$b}").unwrap(), Template(vec![Part::Literal("a$b}".into())]));
        let mixed = Template::parse("<${host}:${uri}>").unwrap();
        assert_eq!(mixed.variables().cloned().collect::<Vec<_>>(), [Variable::Host, Variable::Uri]);
        for bad in ["${", "${host", "${}", "${ host}", "${ssl_client_verif}", "${ssl_client_s_dn${host}}"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_control_byte_leaves() {
        let mut value = String::new();
        push_safe(&mut value, "a\r\nX-Evil: 1\0\u{e9}\u{7f}");
        assert_eq!(value, "a\\0D\\0AX-Evil: 1\\00\\C3\\A9\\7F");
    }
}
