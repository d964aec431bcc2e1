//! Any octets as the JSON form of `x-forwarded-client-cert`. `HASH` in them stands for the digest of the last element's `cert`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use vestibule::front_door::XfccElements;
use vestibule::presented::decode_xfcc_json;
use vestibule::x509::der;
use vestibule_fuzz::encoders::{blocks, hash, xfcc_json};

fuzz_target!(|input: &[u8]| {
    let value = with_hash(input);
    let one = decode_xfcc_json(&value, XfccElements::One);
    let last = decode_xfcc_json(&value, XfccElements::Last);
    if let Ok(ders) = &one {
        assert_eq!(last.as_ref().ok(), Some(ders), "one element is the last");
    }
    if let Ok(ders) = &last {
        let array: Vec<Value> = serde_json::from_slice(&value).expect("an array");
        assert_eq!(one.is_ok(), array.len() == 1, "several elements only where they are wanted");
        let element = array.last().expect("an element");
        assert_eq!(element["hash"].as_str(), Some(hash(&ders[0]).as_str()), "the client's digest");
        let chain = element.get("chain").and_then(Value::as_array).cloned().unwrap_or_default();
        let texts = element["cert"].as_str().into_iter().chain(chain.iter().map(|text| text.as_str().expect("text")));
        let found: Vec<Vec<u8>> = texts.flat_map(|text| blocks(text.as_bytes()).expect("PEM for another reader too")).collect();
        assert_eq!(found, *ders, "the same certificates for another reader");
    }
    let own = der::encode(0x30, input);
    let header = xfcc_json(&own, &[own.clone()]);
    assert_eq!(decode_xfcc_json(header.as_bytes(), XfccElements::One).unwrap(), [own.clone(), own], "what is written is read");
});

fn with_hash(input: &[u8]) -> Vec<u8> {
    let client = || {
        let array: Vec<Value> = serde_json::from_slice(input).ok()?;
        let element = array.last()?;
        let text = element["cert"].as_str().or_else(|| element["chain"].get(0)?.as_str())?;
        blocks(text.as_bytes())?.into_iter().next()
    };
    let Some(client) = client() else { return input.to_vec() };
    match std::str::from_utf8(input) {
        Ok(text) => text.replace("HASH", &hash(&client)).into_bytes(),
        Err(_) => input.to_vec(),
    }
}
