use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;
use crate::front_door::XfccElements;

/// A SEQUENCE, as every certificate is one.
const DER: [u8; 5] = [0x30, 3, 2, 1, 1];
const OTHER: [u8; 5] = [0x30, 3, 2, 1, 2];

fn pem_of(der: &[u8]) -> String {
    ::pem::encode_config(
        &::pem::Pem::new("CERTIFICATE", der),
        ::pem::EncodeConfig::new().set_line_ending(::pem::LineEnding::LF),
    )
}

fn escaped(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn spaced(der: &[u8]) -> String {
    pem_of(der).trim_end().replace('\n', " ")
}

fn hash(der: &[u8]) -> String {
    hex::encode(Sha256::digest(der))
}

/// An element as Envoy writes it: `Hash`, `Cert`, `Chain` with the client's first, `Subject`, `URI`.
fn element(der: &[u8], chain: &[&[u8]]) -> String {
    let chain: String = std::iter::once(&der).chain(chain).map(|der| pem_of(der)).collect();
    format!("Hash={};Cert=\"{}\";Chain=\"{}\";Subject=\"CN=x\\\\\";URI=", hash(der), escaped(&pem_of(der)), escaped(&chain))
}

fn json(der: &[u8]) -> String {
    serde_json::json!([{ "hash": hash(der), "cert": pem_of(der), "subject": "CN=x", "uri": ["a,b;c"] }]).to_string()
}

fn codes(table: &[(&str, Refusal)], decode: impl Fn(&[u8]) -> Result<Ders, Refused>) {
    for (value, refusal) in table {
        assert_eq!(decode(value.as_bytes()).map_err(|refused| refused.refusal), Err(*refusal), "{value}");
    }
}

const ENCODING: Refusal = Refusal::CertificateHeaderEncoding;
const NOT_PEM: Refusal = Refusal::CertificateHeaderNotPem;
const TOO_MANY: Refusal = Refusal::CertificateHeaderTooMany;

#[test]
fn spaced_pem() {
    let one = spaced(&DER);
    assert_eq!(decode_spaced_pem(one.as_bytes()).unwrap(), [DER]);
    assert_eq!(decode_spaced_pem(format!("{one} {}", spaced(&OTHER)).as_bytes()).unwrap(), [DER, OTHER]);
    assert_eq!(decode_spaced_pem(format!("{one} ").as_bytes()).unwrap(), [DER]);
    let twelve = [one.as_str(); 12].join(" ");
    codes(
        &[
            (&pem_of(&DER), ENCODING),
            (&escaped(&pem_of(&DER)), ENCODING),
            (&one.replace(' ', "\t"), ENCODING),
            ("(null)", ENCODING),
            (&format!(" {one}"), NOT_PEM),
            (&format!("{one}x"), NOT_PEM),
            (&format!("{one}  "), NOT_PEM),
            (&one.replace(' ', "  "), NOT_PEM),
            (&one.replace(' ', ""), NOT_PEM),
            (&one.replace(" -----END", "-----END"), NOT_PEM),
            (&one.replace("-----END CERTIFICATE-----", ""), NOT_PEM),
            (&one.replace("MAMCAQE=", ""), NOT_PEM),
            (&one.replace("MAMCAQE=", "MAMCAQE"), NOT_PEM),
            (&one.replace("CERTIFICATE", "PRIVATE KEY"), NOT_PEM),
            (&twelve, TOO_MANY),
        ],
        decode_spaced_pem,
    );
}

#[test]
fn base64_of_der_and_of_pem() {
    assert_eq!(decode_base64_der(b"MAMCAQE=").unwrap(), DER);
    for value in ["", "MAMCAQE", "MAMCAQF=", "MAMCAQE=\n", " MAMCAQE=", "MAMCAQE=,MAMCAQI=", "-----BEGIN", "MAMC_QE=", "::"] {
        assert_eq!(decode_base64_der(value.as_bytes()).unwrap_err().refusal, ENCODING, "{value}");
    }
    let text = STANDARD.encode(pem_of(&DER));
    assert_eq!(decode_base64_pem(text.as_bytes()).unwrap(), [DER]);
    codes(
        &[
            ("", ENCODING),
            ("MAMCAQE=", NOT_PEM),
            (&STANDARD.encode(&text), NOT_PEM),
            (&STANDARD.encode(format!("x{}", pem_of(&DER))), NOT_PEM),
        ],
        decode_base64_pem,
    );
}

#[test]
fn bodies() {
    assert_eq!(decode_pem_bodies(b"MAMCAQE=,MAMCAQI=").unwrap(), [DER, OTHER]);
    assert_eq!(decode_escaped_pem_bodies(b"MAMCAQE%3D%2CMAMCAQI%3D").unwrap(), [DER, OTHER]);
    let twelve = ["MAMCAQE="; 12].join(",");
    let common = [("", ENCODING), (",", ENCODING), ("MAMCAQE=,", ENCODING), ("MAMCAQE= ,MAMCAQI=", ENCODING)];
    codes(&common, decode_pem_bodies);
    codes(&common, decode_escaped_pem_bodies);
    // Which of the two it is, the format says; neither takes the other's.
    codes(&[("MAMCAQE%3D", ENCODING), (&twelve, TOO_MANY), (&spaced(&DER), ENCODING)], decode_pem_bodies);
    codes(
        &[
            ("MA+C", ENCODING),
            ("MAMCAQE%253D", ENCODING),
            ("MAMC%2", ENCODING),
            (&twelve.replace(',', "%2C").replace('=', "%3d"), TOO_MANY),
        ],
        decode_escaped_pem_bodies,
    );
}

#[test]
fn chains_of_der() {
    assert_eq!(decode_concatenated_der(STANDARD.encode([DER, OTHER].concat()).as_bytes()).unwrap(), [DER, OTHER]);
    let malformed = Refusal::CertificateMalformed;
    codes(
        &[
            ("", ENCODING),
            ("MAMCAQE", ENCODING),
            (&STANDARD.encode([&DER[..], &[0]].concat()), malformed),
            (&STANDARD.encode([&DER[..], &OTHER[..4]].concat()), malformed),
            (&STANDARD.encode([0x31, 0]), malformed),
            (&STANDARD.encode(DER.repeat(12)), TOO_MANY),
        ],
        decode_concatenated_der,
    );
}

#[test]
fn byte_sequences() {
    assert_eq!(decode_byte_sequence(b":MAMCAQE=:").unwrap(), DER);
    assert_eq!(decode_byte_sequences(b":MAMCAQE=:, :MAMCAQI=:").unwrap(), [DER, OTHER]);
    assert_eq!(decode_byte_sequences(b":MAMCAQE=:,:MAMCAQI=:").unwrap(), [DER, OTHER]);
    let single = |value: &[u8]| decode_byte_sequence(value).map(|der| vec![der]);
    let both = [
        ("::", Refusal::CertificateHeaderEmpty),
        (":MAMCAQE:", ENCODING),
        (":MAMCAQF=:", ENCODING),
        (":MAMCAQE=:;a=1", ENCODING),
        (":MAMCAQE=", ENCODING),
        ("MAMCAQE=", ENCODING),
        ("\"MAMCAQE=\"", ENCODING),
        ("?1", ENCODING),
        (":MAMC_QE=:", ENCODING),
        (":MAMC AQE=:", ENCODING),
    ];
    codes(&both, single);
    codes(&both, decode_byte_sequences);
    codes(&[("", ENCODING), (":MAMCAQE=:, :MAMCAQI=:", ENCODING), (" :MAMCAQE=:", ENCODING)], single);
    let twelve = [":MAMCAQE=:"; 12].join(", ");
    codes(&[("(:MAMCAQE=:)", ENCODING), (":MAMCAQE=:,", ENCODING), (&twelve, TOO_MANY)], decode_byte_sequences);
}

#[test]
fn xfcc() {
    let one = element(&DER, &[&OTHER]);
    assert_eq!(decode_xfcc(one.as_bytes()).unwrap(), [DER, DER, OTHER]);
    let short = format!("hash={};CERT=\"{}\"", hash(&DER), escaped(&pem_of(&DER)));
    assert_eq!(decode_xfcc(short.as_bytes()).unwrap(), [DER]);
    let cert = format!("Cert=\"{}\"", escaped(&pem_of(&DER)));
    let chain_alone = format!("By=spiffe://a;By=spiffe://b;Hash={};Chain=\"{}\"", hash(&DER), escaped(&pem_of(&DER)));
    assert_eq!(decode_xfcc(chain_alone.as_bytes()).unwrap(), [DER]);
    for (subject, fits) in [
        ("\"CN=x\\\\\"", true),
        ("\"CN=x\\\"\\;URI=y\"", true),
        ("\"a,b;c=d\"", true),
        ("\"CN=x\\\\\\\"", false),
        ("\"CN=x\"y", false),
        ("CN=x\\", false),
        ("CN=\"x\"", false),
        ("\"", false),
        ("\"\\", false),
    ] {
        assert_eq!(decode_xfcc(format!("{short};Subject={subject}").as_bytes()).is_ok(), fits, "{subject}");
    }
    codes(
        &[
            ("", ENCODING),
            (&cert, ENCODING),
            (&format!("Hash={}", hash(&DER)), ENCODING),
            (&format!("{short};"), ENCODING),
            (&format!("{short};Hash={}", hash(&DER)), ENCODING),
            (&format!("{short};hASH=00"), ENCODING),
            (&format!("{short};{cert}"), ENCODING),
            (&format!("{short};Evil=1"), ENCODING),
            (&format!("{short}; URI=a"), ENCODING),
            (&format!("{short},{short}"), TOO_MANY),
            (&format!("By=spiffe://x;Hash=aa,{short}"), TOO_MANY),
            (&format!("{short},"), TOO_MANY),
            (&short.replace(&hash(&DER), &hash(&OTHER)), Refusal::ForwardedFieldMismatch),
            (&short.replace(&hash(&DER), &hash(&DER).to_uppercase()), Refusal::ForwardedFieldMismatch),
            (&format!("Hash={};Cert=\"{}\"", hash(&DER), escaped(&pem_of(&DER).repeat(2))), TOO_MANY),
            (&format!("Hash={};Cert=\"{}\"", hash(&DER), pem_of(&DER)), ENCODING),
            (&json(&DER), ENCODING),
        ],
        decode_xfcc,
    );
}

#[test]
fn xfcc_in_json() {
    let decode = |value: &[u8]| decode_xfcc_json(value, XfccElements::One);
    assert_eq!(decode(json(&DER).as_bytes()).unwrap(), [DER]);
    let inner = |der: &[u8]| json(der)[1..json(der).len() - 1].to_owned();
    let two = format!("[{},{}]", inner(&OTHER), inner(&DER));
    assert_eq!(decode_xfcc_json(two.as_bytes(), XfccElements::Last).unwrap(), [DER]);
    let twice = format!("[{{\"hash\":\"{}\",{}]", hash(&OTHER), &inner(&DER)[1..]);
    codes(
        &[
            ("", ENCODING),
            ("[]", ENCODING),
            ("{}", ENCODING),
            ("[{}]", ENCODING),
            ("[1]", ENCODING),
            (&format!("[{{\"hash\":\"{}\"}}]", hash(&DER)), ENCODING),
            (&json(&DER).replace("\"hash\"", "\"Hash\""), ENCODING),
            (&twice, ENCODING),
            (&format!("{} ", json(&DER)).replace("] ", "]x"), ENCODING),
            (&two, TOO_MANY),
            (&json(&DER).replace(&hash(&DER), &hash(&OTHER)), Refusal::ForwardedFieldMismatch),
            (&json(&DER).replace("-----BEGIN", "x-----BEGIN"), NOT_PEM),
            (&"[".repeat(10_000), ENCODING),
        ],
        decode,
    );
}

#[test]
fn a_format_of_one_certificate_refuses_several_and_chains_are_bounded() {
    let codec = |leaf, chain| Codec { leaf, chain, elements: XfccElements::One };
    let two_escaped = escaped(&pem_of(&DER).repeat(2));
    let two_spaced = format!("{0} {0}", spaced(&DER));
    let two_base64 = STANDARD.encode(pem_of(&DER).repeat(2));
    for (leaf, value) in
        [(LeafCodec::EscapedPem, &two_escaped), (LeafCodec::SpacedPem, &two_spaced), (LeafCodec::Base64Pem, &two_base64)]
    {
        let encoded = Encoded { codec: codec(leaf, ChainCodec::None), leaf: value.as_bytes(), chain: &[] };
        assert_eq!(decode(&encoded).unwrap_err().refusal, TOO_MANY, "{leaf:?}");
        let one = spaced(&DER);
        let numbered = codec(LeafCodec::SpacedPem, ChainCodec::Numbered);
        let encoded = Encoded { codec: numbered, leaf: one.as_bytes(), chain: &[two_spaced.as_bytes()] };
        assert_eq!(decode(&encoded).unwrap_err().refusal, TOO_MANY);
    }
    let members: Vec<Vec<u8>> = (0..12_u8).map(|number| spaced(&[0x30, 3, 2, 1, number]).into_bytes()).collect();
    let members: Vec<&[u8]> = members.iter().map(Vec::as_slice).collect();
    let numbered = codec(LeafCodec::SpacedPem, ChainCodec::Numbered);
    let of = |chain: &[&[u8]]| decode(&Encoded { codec: numbered, leaf: spaced(&DER).as_bytes(), chain });
    // The second member is the client's own again.
    assert_eq!(of(&members[..11]).unwrap().len(), 11);
    assert_eq!(of(&members).unwrap_err().refusal, TOO_MANY);
}

proptest! {
    #[test]
    fn any_der_survives_every_codec(content in prop::collection::vec(any::<u8>(), 0..600)) {
        let der = crate::x509::der::encode(0x30, &content);
        let one = vec![der.clone()];
        let base64 = STANDARD.encode(&der);
        prop_assert_eq!(decode_escaped_pem(escaped(&pem_of(&der)).as_bytes()).unwrap(), one.clone());
        prop_assert_eq!(decode_spaced_pem(spaced(&der).as_bytes()).unwrap(), one.clone());
        prop_assert_eq!(decode_base64_der(base64.as_bytes()).unwrap(), der.clone());
        prop_assert_eq!(decode_base64_pem(STANDARD.encode(pem_of(&der)).as_bytes()).unwrap(), one.clone());
        prop_assert_eq!(decode_pem_bodies(base64.as_bytes()).unwrap(), one.clone());
        prop_assert_eq!(decode_escaped_pem_bodies(escaped(&base64).as_bytes()).unwrap(), one.clone());
        prop_assert_eq!(decode_byte_sequence(format!(":{base64}:").as_bytes()).unwrap(), der.clone());
        prop_assert_eq!(decode_byte_sequences(format!(":{base64}:").as_bytes()).unwrap(), one.clone());
        prop_assert_eq!(decode_concatenated_der(base64.as_bytes()).unwrap(), one.clone());
        prop_assert_eq!(decode_xfcc_json(json(&der).as_bytes(), XfccElements::One).unwrap(), one.clone());
        prop_assert_eq!(decode_xfcc(element(&der, &[]).as_bytes()).unwrap(), vec![der.clone(), der]);
    }

    /// Whatever a certificate's unquoted names say, no other certificate comes out.
    #[test]
    fn no_name_forges_an_element(name in "[ -~]{0,60}") {
        let forged = format!("{name},{}", element(&OTHER, &[]));
        for value in [&name, &forged, &format!("x;{name}"), &format!("x;{}", element(&OTHER, &[]))] {
            let header = format!("{}{value};DNS={value}", element(&DER, &[]));
            if let Ok(ders) = decode_xfcc(header.as_bytes()) {
                prop_assert_eq!(ders.first().unwrap().as_slice(), &DER[..]);
            }
        }
    }

    #[test]
    fn no_bytes_panic(value in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = (decode_spaced_pem(&value), decode_base64_der(&value), decode_base64_pem(&value), decode_pem_bodies(&value));
        let _ = (decode_escaped_pem_bodies(&value), decode_byte_sequence(&value), decode_byte_sequences(&value));
        let _ = (decode_concatenated_der(&value), decode_xfcc(&value), decode_xfcc_json(&value, XfccElements::Last));
    }
}
