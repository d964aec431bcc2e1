//! Regular expressions: PCRE's, as Azion's examples look and as Kong's router has them, to those that run in linear time.
//!
//! Azion does not document its dialect. Both are read as PCRE without Unicode properties: a case-sensitive search. What both
//! engines accept and read differently is rewritten, or refused.

use regex::{Regex, RegexBuilder};

/// The most bytes that a compiled expression may take: the limit of the rules.
const SIZE: usize = 1 << 20;

/// An expression that means here what it meant there.
pub(super) struct Pattern {
    pub(super) text: String,
    pub(super) regex: Regex,
    /// Whether the text differs from the original.
    pub(super) rewritten: bool,
}

/// Reads an expression.
///
/// # Errors
/// Why it cannot be carried over.
pub(super) fn from_pcre(original: &str) -> Result<Pattern, String> {
    let text = Translation { rest: original, out: String::new() }.run().map_err(|why| refused(&why))?;
    let regex = RegexBuilder::new(&text).size_limit(SIZE).build().map_err(|why| {
        let why = why.to_string();
        refused(why.lines().last().unwrap_or_default().trim_start_matches("error: "))
    })?;
    Ok(Pattern { rewritten: text != original, text, regex })
}

fn refused(why: &str) -> String {
    format!("its expression does not run in linear time or means something else here: {why}; write it in another way")
}

struct Translation<'p> {
    rest: &'p str,
    out: String,
}

impl Translation<'_> {
    fn run(mut self) -> Result<String, String> {
        let mut quantified = false;
        while let Some(c) = self.next() {
            let was_quantified = std::mem::take(&mut quantified);
            match c {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '(' => self.group()?,
                '+' if was_quantified => return Err("possessive quantifiers are not supported".into()),
                '*' | '+' | '?' | '}' => {
                    // A `?` behind a quantifier makes it lazy, and no third character may follow.
                    quantified = !was_quantified;
                    self.out.push(c);
                }
                _ => self.out.push(c),
            }
        }
        Ok(self.out)
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        Some(c)
    }

    /// What follows a backslash.
    fn escape(&mut self, in_class: bool) -> Result<(), String> {
        let Some(c) = self.next() else { return Err("it ends in a backslash".into()) };
        match c {
            'd' => self.out.push_str("[0-9]"),
            'D' => self.out.push_str("[^0-9]"),
            'w' => self.out.push_str("[0-9A-Za-z_]"),
            'W' => self.out.push_str("[^0-9A-Za-z_]"),
            's' => self.out.push_str(r"[\t\n\x0B\f\r\x20]"),
            'S' => self.out.push_str(r"[^\t\n\x0B\f\r\x20]"),
            'b' if in_class => self.out.push_str(r"\x08"),
            'b' => self.out.push_str(r"(?-u:\b)"),
            'B' if !in_class => self.out.push_str(r"(?-u:\B)"),
            '<' | '>' => self.out.push(c),
            'v' | 'u' | 'U' => return Err(format!("`\\{c}` means different things")),
            _ => {
                self.out.push('\\');
                self.out.push(c);
            }
        }
        Ok(())
    }

    /// What follows `[`, up to and with its `]`.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if let Some(rest) = self.rest.strip_prefix('^') {
            self.rest = rest;
            self.out.push('^');
        }
        if let Some(rest) = self.rest.strip_prefix(']') {
            self.rest = rest;
            self.out.push_str("\\]");
        }
        while let Some(c) = self.next() {
            match c {
                ']' => {
                    self.out.push(']');
                    return Ok(());
                }
                '\\' => self.escape(true)?,
                '[' if self.rest.starts_with(':') => self.posix_class()?,
                // Sets in sets, and operators on sets, are not PCRE's.
                '[' | '&' | '~' => {
                    self.out.push('\\');
                    self.out.push(c);
                }
                '-' if self.rest.starts_with('-') => return Err("`--` in a set means different things".into()),
                '-' if ["\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "["].iter().any(|next| self.rest.starts_with(next)) => {
                    return Err("a range that ends in a set".into());
                }
                _ => self.out.push(c),
            }
        }
        Err("a set without its `]`".into())
    }

    fn posix_class(&mut self) -> Result<(), String> {
        let Some((name, rest)) = self.rest.split_once(":]") else { return Err("a set that begins with `[:`".into()) };
        self.out.push('[');
        self.out.push_str(name);
        self.out.push_str(":]");
        self.rest = rest;
        Ok(())
    }

    /// What follows `(`: `(?R)`, `(?x)` and others mean different things.
    fn group(&mut self) -> Result<(), String> {
        self.out.push('(');
        let Some(flags) = self.rest.strip_prefix('?') else { return Ok(()) };
        let end = flags.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(flags.len());
        let (flags, after) = flags.split_at(end);
        let named = flags == "P" && after.starts_with('<');
        if !named && flags.chars().any(|c| !"imsU-".contains(c)) {
            return Err(format!("`(?{flags}` is not supported"));
        }
        Ok(())
    }
}
