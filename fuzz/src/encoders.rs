//! What front doors make of certificates: the other direction of every codec, by other libraries than the program's.

use openssl::base64::{decode_block, encode_block};
use openssl::sha::sha256;

/// Base64 of RFC 4648 §4.
pub fn base64(bytes: &[u8]) -> String {
    encode_block(bytes)
}

/// What canonical base64 stands for; none for every other text.
pub fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    let bytes = decode_block(std::str::from_utf8(text).ok()?).ok()?;
    Some(bytes).filter(|bytes| encode_block(bytes).as_bytes() == text)
}

pub fn pem(der: &[u8]) -> String {
    let body: Vec<String> = base64(der).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", body.join("\n"))
}

pub fn escaped(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Apache's: a space for each line end, the last one cut off.
pub fn spaced_pem(der: &[u8]) -> String {
    pem(der).trim_end().replace('\n', " ")
}

/// RFC 9440.
pub fn byte_sequence(der: &[u8]) -> String {
    format!(":{}:", base64(der))
}

pub fn hash(der: &[u8]) -> String {
    sha256(der).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Envoy's element. With certificates beside the client's there is a `Chain` too, which begins with the client's.
pub fn xfcc(der: &[u8], others: &[Vec<u8>]) -> String {
    let element = format!("By=spiffe://a/b;Hash={};Cert=\"{}\"", hash(der), escaped(&pem(der)));
    if others.is_empty() {
        return element;
    }
    let chain: String = std::iter::once(der).chain(others.iter().map(Vec::as_slice)).map(pem).collect();
    format!("{element};Chain=\"{}\"", escaped(&chain))
}

pub fn xfcc_json(der: &[u8], others: &[Vec<u8>]) -> String {
    let chain: Vec<String> = others.iter().map(|other| pem(other)).collect();
    serde_json::json!([{ "hash": hash(der), "cert": pem(der), "chain": chain, "subject": "CN=a", "uri": ["spiffe://a"] }])
        .to_string()
}

/// What another reader finds in a PEM text; none where that is not PEM.
pub fn blocks(text: &[u8]) -> Option<Vec<Vec<u8>>> {
    let blocks = ::pem::parse_many(text).ok()?;
    Some(blocks.into_iter().map(::pem::Pem::into_contents).collect())
}
