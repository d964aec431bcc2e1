//! The parameters of lists.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::percent_decode_str;

use super::failure::Failure;
use crate::domains::{ListQuery, host_name};

/// Auth0's limits.
const MOST_TAKE: usize = 100;
const LONGEST: usize = 1_000;
/// Without `take` the answer is one array, as the SDKs want it, of at most so many domains; `Link` leads to the next.
const MOST_ARRAY: usize = 1_000;

/// What a list is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Whether the answer is an object with `next`.
    pub(super) paged: bool,
    pub(super) take: usize,
    pub(super) after: String,
    pub(super) prefix: String,
    pub(super) exact: Option<String>,
    pub(super) fields: Vec<String>,
    pub(super) include: bool,
}

impl Wanted {
    /// One more than is shown: it tells whether there is a next page.
    pub(super) fn query(&self) -> ListQuery {
        let (after, prefix, exact) = (self.after.clone(), self.prefix.clone(), self.exact.clone());
        ListQuery { after, prefix, exact, take: self.take + 1 }
    }
}

/// The cursor that leads behind a domain.
pub(super) fn cursor(last: &str) -> String {
    URL_SAFE_NO_PAD.encode(last)
}

fn invalid(message: &str) -> Failure {
    Failure::bad_request("invalid_query_string", format!("Query validation error: {message}"))
}

pub(super) fn unknown(name: &str) -> Failure {
    invalid(&format!("'Additional properties not allowed: {name:.40}'."))
}

/// What a text of a form stands for.
pub(super) fn decoded(text: &str) -> Result<String, Failure> {
    let spaced = text.replace('+', " ");
    let text = percent_decode_str(&spaced).decode_utf8().map_err(|_| invalid("it is not UTF-8"))?;
    Ok(text.into_owned())
}

/// Name and value of every parameter.
pub(super) fn parameters(query: &str) -> Result<Vec<(String, String)>, Failure> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| Ok((decoded(name)?, decoded(value)?))).collect()
}

pub(super) fn fields(name: &str, value: &str, fields: &mut Vec<String>, include: &mut bool) -> Result<bool, Failure> {
    match name {
        "fields" => *fields = value.split(',').map(|field| field.trim().to_owned()).filter(|field| !field.is_empty()).collect(),
        "include_fields" => *include = boolean(value)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn boolean(value: &str) -> Result<bool, Failure> {
    value.parse().map_err(|_| invalid("'Expected type boolean' on property include_fields."))
}

/// Reads the parameters of the list of domains.
pub(super) fn read(query: &str) -> Result<Wanted, Failure> {
    let mut wanted = Wanted {
        paged: false,
        take: MOST_ARRAY,
        after: String::new(),
        prefix: String::new(),
        exact: None,
        fields: Vec::new(),
        include: true,
    };
    for (name, value) in parameters(query)? {
        if value.len() > LONGEST {
            return Err(invalid(&format!("'String is too long, maximum {LONGEST}' on property {name:.20}.")));
        }
        if fields(&name, &value, &mut wanted.fields, &mut wanted.include)? {
            continue;
        }
        match name.as_str() {
            "take" => {
                let take = value.parse().ok().filter(|take| (1..=MOST_TAKE).contains(take));
                let range = || Failure::bad_request("invalid_paging", format!("take must be from 1 to {MOST_TAKE}."));
                (wanted.paged, wanted.take) = (true, take.ok_or_else(range)?);
            }
            "from" => {
                let name = URL_SAFE_NO_PAD.decode(&value).ok().and_then(|name| String::from_utf8(name).ok());
                let name = name.and_then(|name| host_name(&name).ok());
                let unknown = || Failure::bad_request("invalid_paging", "from is no cursor of this list.".into());
                wanted.after = name.ok_or_else(unknown)?;
                if !wanted.paged {
                    (wanted.paged, wanted.take) = (true, 50);
                }
            }
            "q" => search(&value, &mut wanted)?,
            "sort" if value == "domain:1" => {}
            "sort" => return Err(invalid("'domain:1 is the only order' on property sort.")),
            other => return Err(unknown(other)),
        }
    }
    Ok(wanted)
}

/// Of Lucene what custom domains are searched for by: `domain:name` and `domain:start*`.
fn search(text: &str, wanted: &mut Wanted) -> Result<(), Failure> {
    let term = text.strip_prefix("domain:").map(|term| term.trim_matches('"').to_ascii_lowercase());
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    let refused = || invalid("'domain:<name> and domain:<start>* are understood' on property q.");
    let term = term.ok_or_else(refused)?;
    let start = term.strip_suffix('*');
    if !start.unwrap_or(&term).bytes().all(known) {
        return Err(refused());
    }
    match start {
        Some(start) => start.clone_into(&mut wanted.prefix),
        None => wanted.exact = Some(term),
    }
    Ok(())
}
