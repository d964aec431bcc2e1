//! What nginx itself said of odd certificates (`vectors/nginx-vars`), and what we say that it says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::Value;
use vestibule::clock::UnixTime;
use vestibule::verifier::optional_no_ca_text;
use vestibule::x509::certificate::Certificate;

#[test]
fn optional_no_ca_texts_are_those_of_nginx() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/nginx-vars/vectors.json")).unwrap();
    let mut compared = 0;
    for case in vectors["cases"].as_array().unwrap() {
        let (Some(leaf), Some(expected)) = (case["pem"].as_str(), case["vars"]["ssl_client_verify"].as_str()) else { continue };
        let leaf = Certificate::from_der(pem::parse(leaf).unwrap().contents()).unwrap();
        let chain = case["sent_intermediates_pem"].as_str().unwrap_or_default();
        let chain: Vec<_> =
            pem::parse_many(chain).unwrap().iter().map(|p| Certificate::from_der(p.contents()).unwrap()).collect();
        let now = UnixTime(case["observed_at_unix"].as_i64().unwrap());
        assert_eq!(optional_no_ca_text(&leaf, &chain, now), expected, "{}", case["id"]);
        compared += 1;
    }
    assert!(compared > 50, "{compared}");
}
