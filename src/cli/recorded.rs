//! Answers of upstreams, recorded in files.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// The head of an answer, as it stands in a file. A recording often lacks the empty line at its end.
///
/// # Errors
/// What is wrong with it.
pub(super) fn answer_of(bytes: &[u8]) -> Result<(StatusCode, HeaderMap), String> {
    let mut whole = bytes.to_vec();
    whole.extend_from_slice(b"\r\n\r\n");
    let mut lines = [httparse::EMPTY_HEADER; 96];
    let mut answer = httparse::Response::new(&mut lines);
    match answer.parse(&whole) {
        Ok(status) if status.is_complete() => {}
        Ok(_) => return Err("the head is not whole".into()),
        Err(why) => return Err(format!("the head is not HTTP/1: {why}")),
    }
    let lines = answer.headers.iter().map(|line| (line.name.as_bytes(), line.value));
    let headers = headers_of(lines)?;
    let status = answer.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or("there is no status")?;
    Ok((status, headers))
}

/// Header lines of their texts.
///
/// # Errors
/// Which line is none.
pub(super) fn headers_of<'l>(lines: impl Iterator<Item = (&'l [u8], &'l [u8])>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let shown = || format!("`{}` is no header line", String::from_utf8_lossy(name).escape_default());
        let name = HeaderName::from_bytes(name).map_err(|_| shown())?;
        headers.append(name, HeaderValue::from_bytes(value).map_err(|_| shown())?);
    }
    Ok(headers)
}
