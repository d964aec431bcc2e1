//! The entries of a list as sorted rows.
//!
//! A row is serial number ‖ reason ‖ revocation date, all big-endian, so that the order of rows is the order of their octets.
//! Serial numbers of one length stand together in one array: a row needs no pointer and no length. Two arrays hold nearly
//! everything, because random serial numbers of 16 octets are INTEGERs of 16 or 17.

use super::CrlError;
use super::fields::Extension;
use crate::clock::UnixTime;
use crate::x509::asn1_time::rfc5280_time;
use crate::x509::der::{self, DerError, Reader, tag};
use crate::x509::oid;
use crate::x509::serial::is_minimal;

/// Content octets of 2.5.29.21, reasonCode.
const REASON_CODE: &[u8] = &[0x55, 0x1D, 0x15];
/// Content octets of 2.5.29.29, certificateIssuer.
const CERTIFICATE_ISSUER: &[u8] = &[0x55, 0x1D, 0x1D];

/// RFC 5280 §5.3 follows §4.1.2.2: 20 octets. Longer ones are kept, though no certificate of that kind passes the lints; but
/// not without end.
const LONGEST_SERIAL: usize = 64;
/// One for the reason, five for the date.
const TAIL: usize = 6;
/// Makes every date of an ASN.1 time a positive number of 40 bits.
const DATE_BIAS: i64 = 1 << 39;

/// What a list says of one serial number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Why.
    pub reason: ReasonCode,
    /// revocationDate.
    pub revoked_at: UnixTime,
}

/// CRLReason (RFC 5280 §5.3.1). In the order in which one of two entries for the same number counts: any revocation before
/// the word that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ReasonCode {
    /// Not stated, or stated as not stated.
    Unspecified = 0,
    /// The key is in other hands.
    KeyCompromise = 1,
    /// The key of a CA is in other hands.
    CaCompromise = 2,
    /// The name or another fact changed.
    AffiliationChanged = 3,
    /// There is a newer one.
    Superseded = 4,
    /// No longer needed.
    CessationOfOperation = 5,
    /// On hold. Counts as revoked for as long as it is listed.
    CertificateHold = 6,
    /// A right was withdrawn.
    PrivilegeWithdrawn = 9,
    /// The key of an attribute authority is in other hands.
    AaCompromise = 10,
    /// The hold was lifted: not revoked.
    RemoveFromCrl = 0xFF,
}

impl ReasonCode {
    const ALL: [Self; 10] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::CertificateHold,
        Self::PrivilegeWithdrawn,
        Self::AaCompromise,
        Self::RemoveFromCrl,
    ];

    /// RFC 5280's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
            Self::RemoveFromCrl => "removeFromCRL",
        }
    }

    /// The reason with this number in ENUMERATED.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        const REMOVE_FROM_CRL: u8 = 8;
        if number == REMOVE_FROM_CRL {
            return Some(Self::RemoveFromCrl);
        }
        Self::from_row(number).filter(|reason| *reason != Self::RemoveFromCrl)
    }

    fn from_row(octet: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| *reason as u8 == octet)
    }
}

/// All entries of a list.
#[derive(Default)]
pub(super) struct Entries {
    blocks: Vec<Block>,
}

/// The rows of one length of serial number.
struct Block {
    serial_length: usize,
    rows: Vec<u8>,
}

impl Entries {
    /// Reads the content of revokedCertificates.
    pub(super) fn read(content: &[u8], extensions_allowed: bool) -> Result<Self, CrlError> {
        let (mut entries, mut list) = (Self::default(), Reader::new(content));
        while !list.is_empty() {
            let mut fields = Reader::new(list.expect(tag::SEQUENCE)?.content);
            let serial = fields.expect(tag::INTEGER)?.content;
            if !is_minimal(serial) || serial.len() > LONGEST_SERIAL {
                return Err(DerError::new("a serial number that is not minimal, or has more than 64 octets").into());
            }
            let revoked_at = rfc5280_time(fields.any()?).ok_or(CrlError::Date("revocationDate"))?;
            let reason = match fields.optional(tag::SEQUENCE)? {
                None => ReasonCode::Unspecified,
                Some(_) if !extensions_allowed => return Err(CrlError::Version1WithExtensions),
                Some(extensions) => reason(extensions.content)?,
            };
            fields.finish()?;
            entries.push(serial, reason, revoked_at);
        }
        entries.blocks.iter_mut().for_each(Block::sort);
        Ok(entries)
    }

    fn push(&mut self, serial: &[u8], reason: ReasonCode, revoked_at: UnixTime) {
        let place = self.blocks.iter().position(|block| block.serial_length == serial.len());
        let place = place.unwrap_or_else(|| {
            self.blocks.push(Block { serial_length: serial.len(), rows: Vec::new() });
            self.blocks.len() - 1
        });
        if let Some(block) = self.blocks.get_mut(place) {
            let [_, _, _, date @ ..] = (revoked_at.0.saturating_add(DATE_BIAS)).to_be_bytes();
            block.rows.extend_from_slice(serial);
            block.rows.push(reason as u8);
            block.rows.extend_from_slice(&date);
        }
    }

    /// What is said of a serial number. Of several entries any revocation counts, not a removal.
    pub(super) fn find(&self, serial: &[u8]) -> Option<Entry> {
        self.blocks.iter().find(|block| block.serial_length == serial.len())?.find(serial)
    }

    pub(super) fn len(&self) -> usize {
        self.blocks.iter().map(Block::len).sum()
    }

    pub(super) fn memory(&self) -> usize {
        self.blocks.iter().map(|block| block.rows.capacity()).sum()
    }
}

impl Block {
    fn stride(&self) -> usize {
        self.serial_length + TAIL
    }

    fn len(&self) -> usize {
        self.rows.len() / self.stride()
    }

    fn row(&self, place: usize) -> &[u8] {
        let start = place * self.stride();
        self.rows.get(start..start + self.stride()).unwrap_or_default()
    }

    /// Sorts and gives back what the growing array had too much. Many CAs list by date, so the order is made here.
    fn sort(&mut self) {
        let stride = self.stride();
        if self.rows.chunks_exact(stride).is_sorted() {
            self.rows.shrink_to_fit();
            return;
        }
        let mut order: Vec<&[u8]> = self.rows.chunks_exact(stride).collect();
        order.sort_unstable();
        self.rows = order.concat();
    }

    fn find(&self, serial: &[u8]) -> Option<Entry> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let before = self.row(middle).get(..self.serial_length).is_some_and(|found| found < serial);
            if before { low = middle + 1 } else { high = middle }
        }
        let tail = self.row(low).strip_prefix(serial)?;
        let (&reason, date) = tail.split_first()?;
        let date = date.iter().fold(0_i64, |date, &octet| (date << 8) | i64::from(octet));
        Some(Entry { reason: ReasonCode::from_row(reason)?, revoked_at: UnixTime(date - DATE_BIAS) })
    }
}

/// The reason among an entry's extensions (RFC 5280 §5.3).
fn reason(content: &[u8]) -> Result<ReasonCode, CrlError> {
    let (mut found, mut list) = (None, Reader::new(content));
    let mut previous: [&[u8]; 4] = [&[]; 4];
    let mut seen = 0;
    while !list.is_empty() {
        let extension = Extension::read(&mut list)?;
        if previous.contains(&extension.oid) {
            return Err(CrlError::DuplicateExtension(oid::dotted(extension.oid)));
        }
        // Four are more than RFC 5280 knows; nobody is helped by remembering a thousand.
        let slot = previous.get_mut(seen).ok_or(DerError::new("an entry with more than four extensions"))?;
        *slot = extension.oid;
        seen += 1;
        match extension.oid {
            REASON_CODE => found = Some(reason_code(extension.value)?),
            CERTIFICATE_ISSUER => return Err(CrlError::Indirect),
            _ if extension.critical => return Err(CrlError::UnknownCriticalEntryExtension(oid::dotted(extension.oid))),
            _ => {}
        }
    }
    Ok(found.unwrap_or(ReasonCode::Unspecified))
}

fn reason_code(value: &[u8]) -> Result<ReasonCode, DerError> {
    const ENUMERATED: u8 = 0x0A;
    match der::single(value, ENUMERATED)?.content {
        &[number] => ReasonCode::from_number(number).ok_or(DerError::new("a reason code that RFC 5280 does not know")),
        _ => Err(DerError::new("a reason code that is no small number")),
    }
}
