//! What the parser must not see: its work grows faster than the text with nested brackets and repeated signs.
//!
//! Brackets count outside of texts in quotes and of comments, as CEL's lexer finds them. What the lexer would stumble over is
//! refused here: it would drop it and go on, and see other brackets than we do.

/// The longest expression, in octets.
const LONGEST: usize = 4096;
/// How deep brackets may be nested in the text.
const DEEPEST_BRACKETS: usize = 12;
/// So many brackets, and signs before an operand, may stand in the text.
const MOST_BRACKETS: usize = 256;

const NO_END: &str = "has a text in quotes without its end";

/// Refuses an expression that would cost the parser too much.
pub(super) fn check(written: &str) -> Result<(), String> {
    if written.len() > LONGEST {
        return Err(format!("has {} octets; {LONGEST} are the most", written.len()));
    }
    let mut open = Vec::new();
    let mut counted = 0_usize;
    let mut rest = written;
    while let Some(one) = rest.chars().next() {
        if is_word(one) {
            let end = rest.find(|next| !is_word(next)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            rest = match (word, after.starts_with(['"', '\''])) {
                (_, false) => after,
                ("b" | "B", true) => behind_text(after, false)?,
                ("r" | "R" | "br" | "bR" | "Br" | "BR", true) => behind_text(after, true)?,
                _ => return Err(format!("has a text in quotes directly behind `{word}`")),
            };
            continue;
        }
        rest = match one {
            '"' | '\'' => behind_text(rest, false)?,
            '`' => behind_name(rest)?,
            '/' if rest.starts_with("//") => rest.split_once('\n').map_or("", |(_, after)| after),
            '=' | '&' | '|' => {
                let twice = rest.strip_prefix(one).and_then(|rest| rest.strip_prefix(one));
                twice.ok_or_else(|| format!("has a `{one}` alone; CEL has `{one}{one}`"))?
            }
            '!' | '<' | '>' if rest.get(1..).is_some_and(|after| after.starts_with('=')) => rest.get(2..).unwrap_or_default(),
            _ => {
                match one {
                    '(' | '[' | '{' => {
                        open.push(one);
                        counted += 1;
                    }
                    ')' | ']' | '}' => {
                        let fits = matches!((open.pop(), one), (Some('('), ')') | (Some('['), ']') | (Some('{'), '}'));
                        if !fits {
                            return Err(format!("has a `{one}` that closes nothing"));
                        }
                    }
                    '!' | '-' | '?' => counted += 1,
                    ' ' | '\t' | '\r' | '\n' | '\x0c' | '<' | '>' | '.' | ',' | ':' | '+' | '*' | '/' | '%' => {}
                    _ => return Err(format!("has a `{}`, which CEL does not know", one.escape_debug())),
                }
                rest.get(one.len_utf8()..).unwrap_or_default()
            }
        };
        if open.len() > DEEPEST_BRACKETS {
            return Err(format!("nests brackets more than {DEEPEST_BRACKETS} deep"));
        }
    }
    if let Some(one) = open.last() {
        return Err(format!("has a `{one}` that is not closed"));
    }
    if counted > MOST_BRACKETS {
        return Err(format!("has more than {MOST_BRACKETS} brackets and signs"));
    }
    Ok(())
}

fn is_word(one: char) -> bool {
    one.is_ascii_alphanumeric() || one == '_'
}

/// What follows a text in quotes, of one line or between three quotes.
fn behind_text(text: &str, raw: bool) -> Result<&str, String> {
    let Some(quote) = text.get(..1) else { return Err(NO_END.into()) };
    let three = quote.repeat(3);
    let end = if text.starts_with(&three) { three.as_str() } else { quote };
    let mut rest = text.get(end.len()..).unwrap_or_default();
    loop {
        if let Some(after) = rest.strip_prefix(end) {
            return Ok(after);
        }
        rest = match rest.chars().next() {
            None => return Err(NO_END.into()),
            Some('\n' | '\r') if end.len() == 1 => return Err(NO_END.into()),
            Some('\\') if !raw => behind_escape(rest)?,
            Some(one) => rest.get(one.len_utf8()..).unwrap_or_default(),
        };
    }
}

/// What follows `\n`, `\x41` and the like.
fn behind_escape(text: &str) -> Result<&str, String> {
    let (length, good): (usize, fn(char) -> bool) = match text.chars().nth(1) {
        Some('a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '"' | '\'' | '\\' | '?' | '`') => (2, |_| true),
        Some('x' | 'X') => (4, |digit| digit.is_ascii_hexdigit()),
        Some('u') => (6, |digit| digit.is_ascii_hexdigit()),
        Some('U') => (10, |digit| digit.is_ascii_hexdigit()),
        Some('0'..='3') => (4, |digit| matches!(digit, '0'..='7')),
        _ => (0, |_| false),
    };
    let digits = text.get(2..length);
    match (digits, text.get(length..)) {
        (Some(digits), Some(after)) if digits.chars().all(good) => Ok(after),
        _ => Err("has a `\\` in a text that escapes nothing; a text that begins with `r` before its quote takes `\\` as it is"
            .into()),
    }
}

/// What follows a name in backticks.
fn behind_name(text: &str) -> Result<&str, String> {
    let (name, after) =
        text.strip_prefix('`').and_then(|rest| rest.split_once('`')).ok_or("has a name in ` without its end")?;
    if name.is_empty() || !name.chars().all(|one| is_word(one) || "./- ".contains(one)) {
        return Err("has a name in ` with other signs than letters, digits, `_`, `.`, `-`, `/` and spaces".into());
    }
    Ok(after)
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn nothing_hides_brackets() {
        let deep = "(".repeat(13) + "true" + &")".repeat(13);
        for hidden in [
            deep.clone(),
            format!("// it's\n{deep} // it's"),
            format!(r#"r"\" == {deep} == r"\""#),
            format!(r#"bR'\' == {deep} == bR'\'"#),
            format!(r#""""a"b""" == {deep} == """a"b""""#),
            format!("\"a\n\" == {deep} == \"\""),
            format!(r#""\q" == {deep} == """#),
            format!(r#""\xg" == {deep} == """#),
            format!("`'` == {deep} == `'`"),
            format!("&\" == {deep} == &\""),
            format!("1r'\\' == {deep} == '"),
            format!("\u{1}' == {deep} == '"),
            "(&)".repeat(20),
            "(]".repeat(20),
        ] {
            assert!(check(&hidden).is_err(), "{hidden}");
        }
        let many = "!(true) && ".repeat(129) + "true";
        assert!(check(&many).unwrap_err().contains("more than 256"));
    }

    #[test]
    fn what_stands_in_quotes_and_comments_does_not_count() {
        let brackets = "(".repeat(300);
        for good in [
            format!("'{brackets}' == \"{brackets}'\" // {brackets}'"),
            format!("r'{brackets}\\' == '\\'{brackets}'"),
            format!("'''{brackets}\n'{brackets}''\\'''' == \"\"\"\"{brackets}\"\"\""),
            r#"b'\x00\u00e9\U0001F600\101\n' == "é""#.into(),
            "a.`b-c`.d <= 1 && !(b != -2) || c ? [1, 2][0] == 0x1f : {'a': 1.5e3} >= 2u % 3 / 4 * 5".into(),
            "".into(),
        ] {
            assert_eq!(check(&good), Ok(()), "{good}");
        }
    }
}
