//! What a request with a debug token gets to see.

use http::{HeaderName, HeaderValue};

use super::Findings;
use crate::clock::UnixTime;
use crate::debug_token::DebugTokens;

const RULE: HeaderName = HeaderName::from_static("x-vestibule-debug-rule");
const VARIABLE: HeaderName = HeaderName::from_static("x-vestibule-debug-variable");
const CUT: HeaderName = HeaderName::from_static("x-vestibule-debug-cut");

/// The most octets of a line, and of all lines: clients and front doors have limits of their own.
const MOST_LINE: usize = 400;
const MOST: usize = 4096;

/// `[debug]`: the header that tokens come in, and what checks them.
#[derive(Debug)]
pub struct Debugging {
    /// The header; it never passes on.
    pub header: HeaderName,
    /// What checks tokens.
    pub tokens: DebugTokens,
}

impl Debugging {
    /// Whether a request asks for debugging, and may. A token that is wrong is no token.
    pub fn allows(&self, token: Option<&HeaderValue>, host: &str, path: &str, now: UnixTime) -> bool {
        token.is_some_and(|token| self.tokens.accepts(token.as_bytes(), host, path, now))
    }
}

/// The lines for the answer: rules first, then variables, as much as there is room for.
pub(super) fn lines(findings: &Findings) -> Vec<(HeaderName, HeaderValue)> {
    let rules = findings.rules.iter().map(|rule| {
        let matched = rule.word();
        let word = |held: bool| if held { "yes" } else { "no" };
        let held: Vec<&str> = rule.criteria.iter().map(|(_, _, held)| if rule.undecided { "?" } else { word(*held) }).collect();
        let does = if rule.monitor { "would" } else { "does" };
        let text = format!("{} {:?} {matched} [{}]", rule.phase.word(), rule.rule, held.join(" "));
        (RULE, if rule.matched { format!("{text} {does} {}", rule.behaviors.join(" ")) } else { text })
    });
    let variables = findings.variables.iter().map(|(name, value)| (VARIABLE, format!("{name}={value:?}")));
    let (mut lines, mut left, mut cut) = (Vec::new(), MOST, false);
    for (name, text) in rules.chain(variables) {
        // Escaped, so that nothing of a stranger's can begin a line, and ASCII alone.
        let mut text: String = text.chars().flat_map(shown).collect();
        if text.len() > MOST_LINE {
            text.truncate(MOST_LINE);
            text.push_str("...");
        }
        match (left.checked_sub(text.len()), HeaderValue::from_str(&text)) {
            (Some(rest), Ok(value)) => {
                left = rest;
                lines.push((name, value));
            }
            _ => cut = true,
        }
    }
    if cut {
        lines.push((CUT, HeaderValue::from_static("more than fits")));
    }
    lines
}

fn shown(one: char) -> impl Iterator<Item = char> {
    let plain = (' '..='~').contains(&one);
    let escaped = (!plain).then(|| one.escape_default());
    plain.then_some(one).into_iter().chain(escaped.into_iter().flatten())
}
