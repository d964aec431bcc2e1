//! How variables, functions and captured groups stand in a text: `${…}` and `%{…}`.

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'t> {
    /// `%{inner}`.
    Captured(&'t str),
    /// A `$` or `%` that no `{` follows is itself.
    Literal(&'t str),
    /// `${inner}`: a variable or a function.
    Named(&'t str),
}

/// The pieces of a text, in order. What is inside of one is not read.
///
/// # Errors
/// The rest of the text from a `${` or `%{` without its `}`.
pub fn pieces(text: &str) -> Result<Vec<Piece<'_>>, &str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = next_opening(rest) {
        let (literal, opened) = rest.split_at(at);
        let end = closing(opened).ok_or(opened)?;
        let inner = opened.get(2..end).unwrap_or_default();
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        pieces.push(if opened.starts_with('%') { Piece::Captured(inner) } else { Piece::Named(inner) });
        rest = opened.get(end + 1..).unwrap_or_default();
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    Ok(pieces)
}

/// Where the next `${` or `%{` is.
fn next_opening(text: &str) -> Option<usize> {
    [text.find("${"), text.find("%{")].into_iter().flatten().min()
}

/// Where the `}` of the opening is that a text begins with.
fn closing(opened: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut before = b' ';
    for (at, byte) in opened.bytes().enumerate() {
        match byte {
            b'{' if matches!(before, b'$' | b'%') => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
        before = byte;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Piece, pieces};

    #[test]
    fn pieces_and_what_has_no_end() {
        use Piece::{Captured, Literal, Named};
        for (text, expected) in [
            ("", &[][..]),
            ("a$b}%c", &[Literal("a$b}%c")]),
            ("<${host}%{a[0]}", &[Literal("<"), Named("host"), Captured("a[0]")]),
            ("${f(${a}-%{b[1]})}${}é", &[Named("f(${a}-%{b[1]})"), Named(""), Literal("é")]),
        ] {
            assert_eq!(pieces(text).unwrap(), expected, "{text}");
        }
        for (text, opened) in [("a${", "${"), ("${host}%{a${b}", "%{a${b}")] {
            assert_eq!(pieces(text), Err(opened));
        }
    }
}
