//! How names, serial numbers and dates are written.

use std::borrow::Cow;

use super::{CertificateVariable, CertificateVariables, Moment, Scalar};
use crate::x509::asn1_time::Asn1Time;

/// A way to write them. Attributes and alternative names are the same in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// As Azion's documentation shows them: `/C=US/CN=a`, `6C:0A`, `20260115120000`. Not seen on the wire.
    Azion,
    /// As nginx prints them: `CN=a,C=US`, `6C0A`, `Jan 15 12:00:00 2026 GMT`.
    #[default]
    Nginx,
}

impl Dialect {
    /// Every one with its word.
    pub const ALL: [(&'static str, Self); 2] = [("nginx", Self::Nginx), ("azion", Self::Azion)];

    /// The dialect of this word.
    ///
    /// # Errors
    /// The words that there are.
    pub fn parse(word: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, dialect)| *dialect);
        found.ok_or_else(|| format!("the dialects are {}", Self::ALL.map(|(word, _)| word).join(", ")))
    }

    /// A serial number, from its digits as nginx prints them.
    pub fn serial(self, digits: &str) -> Cow<'_, str> {
        match self {
            Self::Azion => Cow::Owned(colons(digits)),
            Self::Nginx => Cow::Borrowed(digits),
        }
    }
}

impl CertificateVariables {
    /// A variable's text in a dialect; [`CertificateVariables::text`] is nginx's.
    pub fn text_in<'a>(&'a self, dialect: Dialect, variable: &CertificateVariable, moment: &Moment<'a>) -> Cow<'a, str> {
        let (Dialect::Azion, CertificateVariable::Scalar(scalar)) = (dialect, variable) else {
            return self.text(variable, moment);
        };
        let legacy = |scalar| self.text(&CertificateVariable::Scalar(scalar), moment);
        let date = |date: fn(&crate::x509::certificate::Certificate) -> &Asn1Time| {
            let compact = self.certificate().and_then(|certificate| compact(date(certificate)));
            compact.map_or_else(|| self.text(variable, moment), Cow::Owned)
        };
        match scalar {
            Scalar::SDn => legacy(Scalar::SDnLegacy),
            Scalar::IDn => legacy(Scalar::IDnLegacy),
            Scalar::Serial => Cow::Owned(dialect.serial(&self.text(variable, moment)).into_owned()),
            Scalar::VStart => date(|certificate| certificate.not_before()),
            Scalar::VEnd => date(|certificate| certificate.not_after()),
            _ => self.text(variable, moment),
        }
    }
}

/// Pairs of digits with colons between; a sign stays in front.
fn colons(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let mut text = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(2) {
            text.push(':');
        }
        text.push(digit);
    }
    text
}

/// `YYYYMMDDHHmmSS`; none for a date that is no point in time: that one stays as nginx prints it.
fn compact(date: &Asn1Time) -> Option<String> {
    let text = date.to_unix()?.rfc3339();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (digits.len() == 14).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_digits() {
        for (digits, written) in [("", ""), ("6C", "6C"), ("6C0A83", "6C:0A:83"), ("-0A01", "-0A:01"), ("ABC", "A:BC")] {
            assert_eq!(colons(digits), written);
        }
    }
}
