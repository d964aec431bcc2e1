//! Any octets as Envoy's `x-forwarded-client-cert`. `HASH` in them stands for the digest of what their `Cert` or `Chain` begins
//! with: no fuzzer finds that. What is taken is one element with the client's digest; no name forges another client.
#![no_main]

use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode;
use vestibule::presented::{MAX_CHAIN, decode_xfcc};
use vestibule::x509::der;
use vestibule_fuzz::encoders::{blocks, hash, xfcc};

fuzz_target!(|input: &[u8]| {
    let value = with_hash(input);
    if let Ok(ders) = decode_xfcc(&value) {
        let client = ders.first().expect("a client");
        assert!(ders.iter().all(|der| !der.is_empty()) && ders.len() <= 2 + MAX_CHAIN);
        let elements = split(&value, b',');
        assert_eq!(elements.len(), 1, "one element");
        let pairs = split(elements[0], b';');
        let of = |name: &str| -> Vec<Vec<u8>> {
            let named = pairs.iter().filter_map(|pair| pair.split_at_checked(name.len() + 1));
            named
                .filter(|(start, _)| start.eq_ignore_ascii_case(format!("{name}=").as_bytes()))
                .map(|(_, text)| plain(text))
                .collect()
        };
        assert_eq!(of("hash"), [hash(client).into_bytes()], "one digest, the client's");
        let mut found = Vec::new();
        for text in of("cert").iter().chain(&of("chain")) {
            found.extend(blocks(&percent_decode(text).collect::<Vec<u8>>()).expect("PEM for another reader too"));
        }
        assert_eq!(found, ders, "the same certificates for another reader");
        assert_eq!(decode_xfcc(xfcc(client, &ders[1..ders.len().min(MAX_CHAIN)]).as_bytes()).unwrap()[0], *client);
    }
    // As the content of a certificate, and as what its holder chose for a name, which Envoy does not quote.
    let own = der::encode(0x30, input);
    let header = xfcc(&own, &[]);
    assert_eq!(decode_xfcc(header.as_bytes()).unwrap(), [own], "what front doors write we read");
    let holder = der::encode(0x30, b"holder");
    for key in ["URI", "DNS"] {
        let forged = [xfcc(&holder, &[]).as_bytes(), b";", key.as_bytes(), b"=", &value].concat();
        if let Ok(ders) = decode_xfcc(&forged) {
            assert_eq!(ders[0], holder, "a name makes nobody else");
        }
    }
});

fn with_hash(input: &[u8]) -> Vec<u8> {
    let begin = b"-----BEGIN";
    let client = input
        .windows(begin.len())
        .position(|window| window == begin)
        .and_then(|at| input[at..].split(|byte| *byte == b'"').next())
        .and_then(|text| blocks(&percent_decode(text).collect::<Vec<u8>>())?.into_iter().next());
    let Some(at) = input.windows(4).position(|window| window == b"HASH") else { return input.to_vec() };
    let Some(client) = client else { return input.to_vec() };
    [&input[..at], hash(&client).as_bytes(), &input[at + 4..]].concat()
}

/// Splits where a separator stands outside quotes.
fn split(text: &[u8], separator: u8) -> Vec<&[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(|byte| {
        let escape = quoted && !escaped && *byte == b'\\';
        quoted ^= *byte == b'"' && !escaped;
        escaped = escape;
        *byte == separator && !quoted
    })
    .collect()
}

/// A value without its quotes and escapes.
fn plain(text: &[u8]) -> Vec<u8> {
    let Some(inner) = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")) else { return text.to_vec() };
    let mut escaped = false;
    let mut keep = |byte: &u8| {
        escaped = *byte == b'\\' && !escaped;
        !escaped
    };
    inner.iter().copied().filter(|byte| keep(byte)).collect()
}
