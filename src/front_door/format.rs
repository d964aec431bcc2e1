//! How front doors write what they forward. Data: one row of [`PRESETS`] a front door, no code for any one of them.

mod presets;

pub use presets::PRESETS;

use super::ContractHeader;

/// How a certificate header becomes bytes. Each is decoded once, strictly, and whatever is left over is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LeafCodec {
    /// One PEM certificate, `%XX`-escaped.
    EscapedPem,
    /// The same, and untrusted intermediates after it.
    EscapedPemBundle,
    /// One PEM certificate with a space for each line end.
    SpacedPem,
    /// One certificate's DER in base64.
    Base64Der,
    /// Bodies of PEM certificates without their first and last lines, joined by commas, the client's first.
    PemBodies,
    /// The same, `%XX`-escaped.
    EscapedPemBodies,
    /// One PEM certificate, its text in base64 once more.
    Base64Pem,
    /// RFC 9440 `Client-Cert`.
    ByteSequence,
    /// Envoy's `x-forwarded-client-cert`, text form.
    Xfcc,
    /// Envoy's `x-forwarded-client-cert`, JSON form.
    XfccJson,
}

/// Where the certificates come that the client sent beside its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChainCodec {
    /// In no header of their own.
    None,
    /// RFC 9440 `Client-Cert-Chain`: a list, without the client's.
    ByteSequences,
    /// DER after DER, all of it in base64 (HAProxy `ssl_c_chain_der`), without the client's.
    ConcatenatedDer,
    /// A header each, numbered from 0 (Apache `SSL_CLIENT_CERT_CHAIN_n`), written as the client's is.
    Numbered,
    /// `%XX`-escaped PEM, one after the other.
    EscapedPemBundle,
}

/// Which element of `x-forwarded-client-cert` is the client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum XfccElements {
    /// There must be exactly one.
    One,
    /// The last, which the nearest proxy wrote. Only of the JSON form: in the text form Envoy does not quote `URI` and `DNS`,
    /// so a certificate can carry elements of its own making (envoyproxy/envoy#32945).
    Last,
}

/// Everything that the bytes of a certificate depend on, beside the header values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Codec {
    /// The client's certificate.
    pub leaf: LeafCodec,
    /// The others.
    pub chain: ChainCodec,
    /// Which element, where there are elements.
    pub elements: XfccElements,
}

/// How a front door says what it thinks of the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerdictDialect {
    /// Not at all.
    None,
    /// `SUCCESS`, `FAILED`, `FAILED:reason`, `NONE`.
    Nginx,
    /// The same, and `GENEROUS`, which is no success.
    Apache,
    /// OpenSSL's code, 0 for good; counts only beside a header that says whether there was a certificate at all (HAProxy says
    /// 0 without one).
    OpensslCode,
    /// Google: `true` or `false`, a header that says whether there was one, and a header of reasons.
    Gcp,
    /// Cloudflare: `true` or `false`, a header that says whether there was one, and one whether it was revoked.
    Cloudflare,
    /// Only whether there was a certificate (CloudFront).
    Presence,
}

/// How it writes distinguished names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameDialect {
    /// In the manner of RFC 2253, escaped or as UTF-8, or in one of the forms with slashes.
    Text,
    /// As Go does: attributes in an order of its own, relative distinguished names torn apart.
    UnorderedText,
    /// DER in base64.
    Base64Der,
}

/// How it writes serial numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SerialDialect {
    /// Hexadecimal digits of either case, with or without colons.
    Hexadecimal,
    /// Decimal digits.
    Decimal,
}

/// How a front door writes what it forwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// The certificates.
    pub codec: Codec,
    /// The verdict.
    pub verdict: VerdictDialect,
    /// Distinguished names.
    pub names: NameDialect,
    /// Serial numbers.
    pub serial: SerialDialect,
    /// Values that say "no certificate" without a verdict that says so.
    pub absent: Vec<String>,
    /// How a placeholder begins that the front door did not replace; it ends with `}`.
    pub placeholder: Option<&'static str>,
}

impl Format {
    /// Whether a header of this meaning would be read.
    pub fn reads(&self, meaning: ContractHeader) -> bool {
        let (verdict, chain) = (self.verdict, self.codec.chain);
        match meaning {
            ContractHeader::Chain => !matches!(chain, ChainCodec::None | ChainCodec::Numbered),
            ContractHeader::ChainMember => chain == ChainCodec::Numbered,
            ContractHeader::Verdict => !matches!(verdict, VerdictDialect::None | VerdictDialect::Presence),
            ContractHeader::Presented | ContractHeader::TooLarge => {
                !matches!(verdict, VerdictDialect::None | VerdictDialect::Nginx | VerdictDialect::Apache)
            }
            ContractHeader::VerdictReason => verdict == VerdictDialect::Gcp,
            ContractHeader::Revoked => verdict == VerdictDialect::Cloudflare,
            _ => true,
        }
    }

    /// Whether a value of a contract header says that there is nothing to say.
    pub fn says_absent(&self, value: &[u8]) -> bool {
        let placeholder = |start: &str| value.starts_with(start.as_bytes()) && value.ends_with(b"}");
        self.absent.iter().any(|absent| absent.as_bytes() == value) || self.placeholder.is_some_and(placeholder)
    }
}

/// A front door that we know: its format, and the names that its headers have unless they are configured.
#[derive(Debug)]
pub struct Preset {
    /// The word in `format`.
    pub name: &'static str,
    /// Built on documentation alone, or on something that could not be confirmed; never run against the real one.
    pub experimental: bool,
    /// How it writes the client's certificate.
    pub leaf: LeafCodec,
    /// How it writes the others.
    pub chain: ChainCodec,
    /// How it writes its verdict.
    pub verdict: VerdictDialect,
    /// How it writes distinguished names.
    pub names: NameDialect,
    /// How it writes serial numbers.
    pub serial: SerialDialect,
    /// What it writes in place of a certificate that is not there.
    pub absent: &'static [&'static str],
    /// How its unreplaced placeholders begin.
    pub placeholder: Option<&'static str>,
    /// Its headers. The name of [`ContractHeader::ChainMember`] is how numbered names begin.
    pub headers: &'static [(ContractHeader, &'static str)],
}

impl Preset {
    /// The preset of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    /// Its format.
    pub fn format(&self) -> Format {
        Format {
            codec: Codec { leaf: self.leaf, chain: self.chain, elements: XfccElements::One },
            verdict: self.verdict,
            names: self.names,
            serial: self.serial,
            absent: self.absent.iter().map(|&value| value.to_owned()).collect(),
            placeholder: self.placeholder,
        }
    }
}
