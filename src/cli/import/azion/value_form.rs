//! Values that look different here: Azion documents DNs, serial numbers and dates in other forms than nginx's, which are ours.

/// The argument of a criterion in our form, with a note when it was rewritten.
///
/// # Errors
/// Why the comparison would never be true here, and the mend.
pub(super) fn argument(variable: &str, operator: &str, argument: &str) -> Result<(String, Option<String>), String> {
    let same = Ok((argument.to_owned(), None));
    match variable {
        "ssl_client_s_dn" | "ssl_client_i_dn" if is_slash_form(argument) => Err(
            "it compares a DN in the form `/C=…/CN=…`; here it is `CN=…,C=…` (RFC 2253): compare `${subject.CN}` and the like, \
             attribute by attribute".into()
        ),
        "ssl_client_v_start" | "ssl_client_v_end" if argument.bytes().any(|byte| byte.is_ascii_digit()) => Err("it compares a date as text; here the date is `Jan 15 12:00:00 2023 GMT`: use `before` or `after`, or `${ssl_client_v_remain}`".into()),
        "ssl_client_serial" if argument.contains(':') => {
            let digits: String = argument.split(':').collect();
            let exact = matches!(operator, "is_equal" | "is_not_equal");
            if !exact || digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err("its serial number has colons, which it has not here: write it without".into());
            }
            Ok((digits.to_ascii_uppercase(), Some("the serial number has no colons here".into())))
        }
        _ => same,
    }
}

/// Whether a text or an expression looks for `/CN=` and the like.
fn is_slash_form(text: &str) -> bool {
    text.match_indices('/').any(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len());
        end > 0 && rest.get(end..).is_some_and(|rest| rest.starts_with('='))
    })
}
