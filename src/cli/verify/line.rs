//! Lines of bounded length from a stream.

use std::io::{self, BufRead};

/// A row with a hundred certificates and a CRL of ten thousand entries stays below this.
const LONGEST_LINE: usize = 16 * 1024 * 1024;

/// What stands next in the stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Nothing more.
    End,
    /// A line that was read past without being kept.
    TooLong,
    /// A line without its end.
    Whole(Vec<u8>),
}

/// Takes the next line, keeping no more of it than a line may have.
pub(super) fn next_line(input: &mut dyn BufRead) -> io::Result<Line> {
    bounded_line(input, LONGEST_LINE)
}

fn bounded_line(input: &mut dyn BufRead, longest: usize) -> io::Result<Line> {
    let mut kept = Vec::new();
    let mut length = 0_usize;
    loop {
        let available = match input.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() {
            return Ok(if length == 0 { Line::End } else { whole_or_too_long(kept, length, longest) });
        }
        let end = memchr::memchr(b'\n', available);
        let piece = available.get(..end.unwrap_or(available.len())).unwrap_or_default();
        length = length.saturating_add(piece.len());
        if length <= longest {
            kept.extend_from_slice(piece);
        }
        let used = piece.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            return Ok(whole_or_too_long(kept, length, longest));
        }
    }
}

fn whole_or_too_long(kept: Vec<u8>, length: usize, longest: usize) -> Line {
    if length > longest { Line::TooLong } else { Line::Whole(kept) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_line_feeds_and_at_the_end() {
        for buffer in [1, 3, 64] {
            let mut input = io::BufReader::with_capacity(buffer, &b"ab\n\ntoo long\ncde"[..]);
            let mut lines = Vec::new();
            loop {
                match bounded_line(&mut input, 3).unwrap() {
                    Line::End => break,
                    line => lines.push(line),
                }
            }
            assert_eq!(lines, [Line::Whole(b"ab".into()), Line::Whole(vec![]), Line::TooLong, Line::Whole(b"cde".into())]);
        }
    }
}
