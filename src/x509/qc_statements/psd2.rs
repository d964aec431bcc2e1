//! The PSD2 statement (ETSI TS 119 495 §5.1, annex A).

use super::{DerError, MOST_MEMBERS, Reader, Tlv, content_of, identifier, tag};

/// 0.4.0.19495.1: the arc of roles.
const ROLES: &[u8] = &[0x04, 0x00, 0x81, 0x98, 0x27, 0x01];
/// The most characters of each text: SIZE (1..256) in annex A.
const LONGEST_TEXT: usize = 256;

/// A payment service provider's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Psd2Role {
    /// 0.4.0.19495.1.1: account servicing.
    AccountServicing,
    /// 0.4.0.19495.1.2: payment initiation.
    PaymentInitiation,
    /// 0.4.0.19495.1.3: account information.
    AccountInformation,
    /// 0.4.0.19495.1.4: issuing of card-based payment instruments.
    CardIssuing,
}

/// One role as the certificate states it: by identifier, with a name beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleEntry {
    /// The identifier's role; none for an identifier that we do not know.
    pub role: Option<Psd2Role>,
    /// The name that stands beside the identifier. It decides nothing.
    pub name: String,
}

/// Which roles, by which authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Psd2Statement {
    /// The roles, in the certificate's order.
    pub roles: Vec<RoleEntry>,
    /// NCAName: the competent authority, in plain words.
    pub nca_name: String,
    /// NCAId: its country, a hyphen, its abbreviation.
    pub nca_id: String,
}

impl Psd2Role {
    fn from_oid(content: &[u8]) -> Option<Self> {
        match content.strip_prefix(ROLES)? {
            [1] => Some(Self::AccountServicing),
            [2] => Some(Self::PaymentInitiation),
            [3] => Some(Self::AccountInformation),
            [4] => Some(Self::CardIssuing),
            _ => None,
        }
    }

    /// The name: `PSP_AS`, `PSP_PI`, `PSP_AI`, `PSP_IC`.
    pub fn name(self) -> &'static str {
        match self {
            Self::AccountServicing => "PSP_AS",
            Self::PaymentInitiation => "PSP_PI",
            Self::AccountInformation => "PSP_AI",
            Self::CardIssuing => "PSP_IC",
        }
    }
}

impl Psd2Statement {
    pub(super) fn read(info: Option<Tlv<'_>>) -> Result<Self, DerError> {
        let mut fields = Reader::new(content_of(info, tag::SEQUENCE)?);
        let mut list = Reader::new(fields.expect(tag::SEQUENCE)?.content);
        let mut roles = Vec::new();
        while !list.is_empty() {
            if roles.len() == MOST_MEMBERS {
                return Err(DerError::new("more than 32 roles"));
            }
            let mut role = Reader::new(list.expect(tag::SEQUENCE)?.content);
            let id = identifier(&mut role)?;
            roles.push(RoleEntry { role: Psd2Role::from_oid(id), name: text(&mut role)? });
            role.finish()?;
        }
        let (nca_name, nca_id) = (text(&mut fields)?, text(&mut fields)?);
        fields.finish()?;
        Ok(Self { roles, nca_name, nca_id })
    }
}

fn text(reader: &mut Reader<'_>) -> Result<String, DerError> {
    let content = reader.expect(tag::UTF8_STRING)?.content;
    let text = std::str::from_utf8(content).map_err(|_| DerError::new("a text that is not UTF-8"))?;
    if (1..=LONGEST_TEXT).contains(&text.chars().count()) {
        Ok(text.to_owned())
    } else {
        Err(DerError::new("a text that has not 1 to 256 characters"))
    }
}
