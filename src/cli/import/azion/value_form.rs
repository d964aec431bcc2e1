//! Values that look different in the two dialects: Azion documents DNs, serial numbers and dates in other forms than nginx's.

use crate::variables::Dialect;

/// Whether a variable's text is another one in each dialect.
pub(super) fn differs(variable: &str) -> bool {
    matches!(variable, "ssl_client_i_dn" | "ssl_client_s_dn" | "ssl_client_serial" | "ssl_client_v_end" | "ssl_client_v_start")
}

/// The argument of a criterion in the tenant's form, with a note when it was rewritten.
///
/// # Errors
/// Why the comparison would never be true here, and the mend.
pub(super) fn argument(
    variable: &str,
    operator: &str,
    argument: &str,
    dialect: Dialect,
) -> Result<(String, Option<String>), String> {
    match (variable, dialect) {
        ("ssl_client_s_dn" | "ssl_client_i_dn", Dialect::Nginx) if is_slash_form(argument) => Err(
            "it compares a DN in the form `/C=…/CN=…`; here it is `CN=…,C=…` (RFC 2253): compare `${subject.CN}` and the like, \
             attribute by attribute, or import with `--dialect azion`".into()
        ),
        ("ssl_client_s_dn" | "ssl_client_i_dn", Dialect::Azion) if !may_fit_slash_form(operator, argument) => Err(
            "it compares a DN in nginx's form, `CN=…,C=…`; with `--dialect azion` it is `/C=…/CN=…`: compare `${subject.CN}` and \
             the like, attribute by attribute".into()
        ),
        ("ssl_client_v_start" | "ssl_client_v_end", Dialect::Nginx) if argument.bytes().any(|byte| byte.is_ascii_digit()) => Err(
            "it compares a date as text; here the date is `Jan 15 12:00:00 2023 GMT`: use `before` or `after`, or \
             `${ssl_client_v_remain}`, or import with `--dialect azion`".into()
        ),
        ("ssl_client_v_start" | "ssl_client_v_end", Dialect::Azion) if is_date_of_nginx(argument) => Err(
            "it compares a date in nginx's form; with `--dialect azion` it is `20230115120000`: use `before` or `after`".into()
        ),
        ("ssl_client_serial", _) => serial(operator, argument, dialect),
        _ => Ok((argument.to_owned(), None)),
    }
}

fn serial(operator: &str, argument: &str, dialect: Dialect) -> Result<(String, Option<String>), String> {
    let digits: String = argument.split(':').collect();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let differs = match dialect {
        Dialect::Nginx => argument.contains(':'),
        Dialect::Azion => is_number && digits.len() > 2 && !argument.contains(':'),
    };
    let word = if dialect == Dialect::Azion { "colons" } else { "no colons" };
    if !differs {
        return Ok((argument.to_owned(), None));
    }
    if !is_number || !matches!(operator, "is_equal" | "is_not_equal") {
        return Err(format!("its serial number is in another form: here it has {word}; write it so"));
    }
    let written = dialect.serial(&digits.to_ascii_uppercase()).into_owned();
    Ok((written, Some(format!("the serial number has {word} here"))))
}

/// Whether a text or an expression looks for `/CN=` and the like.
fn is_slash_form(text: &str) -> bool {
    attributes_behind(text, '/')
}

/// Whether a comparison can ever be true of `/C=…/CN=…`. Parts of a DN are the same in both forms.
fn may_fit_slash_form(operator: &str, argument: &str) -> bool {
    match operator {
        "matches" | "does_not_match" => !attributes_behind(argument, ',') && !attributes_behind(argument, '^'),
        _ => argument.is_empty() || argument.starts_with('/'),
    }
}

/// Whether `CN=` and the like stand directly behind a separator.
fn attributes_behind(text: &str, separator: char) -> bool {
    text.match_indices(separator).any(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len());
        end > 0 && rest.get(end..).is_some_and(|rest| rest.starts_with('='))
    })
}

/// Whether a text has a month's name, a time with colons or a zone in it.
fn is_date_of_nginx(text: &str) -> bool {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    text.contains(':') || text.contains("GMT") || MONTHS.into_iter().any(|month| text.contains(month))
}
