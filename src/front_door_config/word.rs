//! Text that every product reads as one plain word.

use std::fmt;

/// Letters, digits and `. _ - / + @ : , =` alone: nothing that any of the products reads as a quote, a variable, a comment or the
/// end of a line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Word(String);

impl Word {
    /// A word of `what`.
    ///
    /// # Errors
    /// The first character that is not allowed.
    pub(super) fn parse(what: &str, text: &str) -> Result<Self, String> {
        let known = |c: char| c.is_ascii_alphanumeric() || "._-/+@:,=".contains(c);
        if text.is_empty() {
            return Err(format!("{what} is empty"));
        }
        match text.chars().find(|c| !known(*c)) {
            Some(bad) => {
                Err(format!("{what} `{}` holds {bad:?}; accepted: letters, digits and `._-/+@:,=`", text.escape_debug()))
            }
            None => Ok(Self(text.to_owned())),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name under which one variable can be made of this word.
    pub(super) fn identifier(&self) -> String {
        self.0.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_plain() {
        for good in ["api.bank.example", "/etc/vestibule/a-b_c.pem", "::1", "x=1,y", "a@b+c"] {
            assert_eq!(Word::parse("it", good).unwrap().as_str(), good);
        }
        for bad in
            ["", " ", "a b", "a\nb", "a\"b", "a'b", "a;b", "a{b", "a}b", "a$b", "a#b", "a%b", "a\\b", "a`b", "\u{e9}", "a\0"]
        {
            assert!(Word::parse("it", bad).is_err(), "{bad:?}");
        }
    }
}
