//! `format` of a front door: a preset, or for one that we do not know `raw` and its parts.

use crate::config::table::Table;
use crate::front_door::{
    ChainCodec, Codec, ContractHeader, Format, LeafCodec, NameDialect, PRESETS, Preset, SerialDialect, VerdictDialect,
    XfccElements,
};

/// The word for a front door that is described part by part.
const RAW: &str = "raw";
/// The word for ourselves: nothing is forwarded.
pub(super) const OWN_TLS: &str = "tls";

/// The names of `raw`: none of these products', so that nothing is read that an operator did not know of.
pub(super) const RAW_HEADERS: &[(ContractHeader, &str)] = &[
    (ContractHeader::Certificate, "client-certificate"),
    (ContractHeader::Chain, "client-certificate-chain"),
    (ContractHeader::ChainMember, "client-certificate-chain-"),
    (ContractHeader::Verdict, "client-certificate-ca-verified"),
    (ContractHeader::Presented, "client-certificate-presented"),
    (ContractHeader::VerdictReason, "client-certificate-error"),
    (ContractHeader::Revoked, "client-certificate-revoked"),
];

const LEAVES: [(&str, LeafCodec); 10] = [
    ("escaped_pem", LeafCodec::EscapedPem),
    ("escaped_pem_bundle", LeafCodec::EscapedPemBundle),
    ("spaced_pem", LeafCodec::SpacedPem),
    ("base64_der", LeafCodec::Base64Der),
    ("pem_bodies", LeafCodec::PemBodies),
    ("escaped_pem_bodies", LeafCodec::EscapedPemBodies),
    ("base64_pem", LeafCodec::Base64Pem),
    ("rfc9440", LeafCodec::ByteSequence),
    ("xfcc", LeafCodec::Xfcc),
    ("xfcc_json", LeafCodec::XfccJson),
];

const CHAINS: [(&str, ChainCodec); 5] = [
    ("none", ChainCodec::None),
    ("rfc9440", ChainCodec::ByteSequences),
    ("base64_der_concatenated", ChainCodec::ConcatenatedDer),
    ("numbered", ChainCodec::Numbered),
    ("escaped_pem_bundle", ChainCodec::EscapedPemBundle),
];

const VERDICTS: [(&str, VerdictDialect); 7] = [
    ("none", VerdictDialect::None),
    ("nginx", VerdictDialect::Nginx),
    ("apache", VerdictDialect::Apache),
    ("openssl_code", VerdictDialect::OpensslCode),
    ("gcp", VerdictDialect::Gcp),
    ("cloudflare", VerdictDialect::Cloudflare),
    ("presence", VerdictDialect::Presence),
];

/// What `format` and its companions say.
pub(super) struct Chosen {
    /// None for `raw`.
    pub(super) preset: Option<&'static Preset>,
    pub(super) format: Format,
}

pub(super) fn read(table: &Table<'_>) -> Chosen {
    let word = table.text("format").unwrap_or_else(|| "nginx".into());
    let preset = Preset::find(&word);
    if preset.is_none() && word != RAW {
        let known: Vec<&str> = PRESETS.iter().map(|preset| preset.name).chain([RAW, OWN_TLS]).collect();
        table.problem("format", format!("found `{word}`"), format!("accepted: {}", known.join(", ")));
    }
    let mut format = preset.map_or_else(blank, Preset::format);
    if word == RAW {
        raw(table, &mut format);
    }
    if matches!(format.codec.leaf, LeafCodec::Xfcc | LeafCodec::XfccJson) {
        format.codec.elements =
            table.choice("xfcc_elements", &[("one", XfccElements::One), ("last", XfccElements::Last)], XfccElements::One);
    }
    if format.codec.leaf == LeafCodec::Xfcc && format.codec.elements == XfccElements::Last {
        let found = "found `last`: in the text form a certificate's names can forge elements";
        table.problem("xfcc_elements", found, "\"one\", or the JSON form: `envoy-xfcc-json`");
    }
    Chosen { preset, format }
}

/// One that reads nothing but what it is told to.
pub(in crate::config) fn blank() -> Format {
    Format {
        codec: Codec { leaf: LeafCodec::EscapedPem, chain: ChainCodec::None, elements: XfccElements::One },
        verdict: VerdictDialect::None,
        names: NameDialect::Text,
        serial: SerialDialect::Hexadecimal,
        absent: Vec::new(),
        placeholder: None,
    }
}

fn raw(table: &Table<'_>, format: &mut Format) {
    let parts = table.table_or_empty("raw");
    if parts.required_text("certificate", &LEAVES.map(|(word, _)| word).join(", ")).is_some() {
        format.codec.leaf = parts.choice("certificate", &LEAVES, LeafCodec::EscapedPem);
    }
    format.codec.chain = parts.choice("chain", &CHAINS, ChainCodec::None);
    format.verdict = parts.choice("verdict", &VERDICTS, VerdictDialect::None);
    let names =
        [("text", NameDialect::Text), ("unordered_text", NameDialect::UnorderedText), ("base64_der", NameDialect::Base64Der)];
    format.names = parts.choice("distinguished_names", &names, NameDialect::Text);
    let serials = [("hexadecimal", SerialDialect::Hexadecimal), ("decimal", SerialDialect::Decimal)];
    format.serial = parts.choice("serial", &serials, SerialDialect::Hexadecimal);
    format.absent = parts.texts("absent");
    parts.finish();
}
