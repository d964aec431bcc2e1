//! An authorization server of the tests' own: its keys are real, and what it publishes can be changed while it runs.

use std::io::Write as _;
use std::sync::{Arc, LazyLock, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::BigNumContext;
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::sha::sha256;
use openssl::sign::{RsaPssSaltlen, Signer};
use serde_json::{Value, json};

use crate::bank::{Person, now};
use crate::recording_upstream::{Received, RecordingUpstream, reply};

pub(crate) const AUDIENCE: &str = "https://api.bank.example";
pub(crate) const SECRET: &str = "a secret with % and : in it";

/// An authorization server: what it publishes can be changed while it runs.
pub(crate) struct Issuer {
    pub(crate) server: RecordingUpstream,
    pub(crate) state: Arc<Mutex<State>>,
}

#[derive(Default)]
pub(crate) struct State {
    /// Set for a document that names another issuer.
    pub(crate) claimed: Option<String>,
    pub(crate) keys: Vec<Value>,
    /// What introspection says of a token.
    pub(crate) tokens: Vec<(String, Value)>,
    pub(crate) broken: bool,
}

impl Issuer {
    pub(crate) fn start() -> Self {
        let state = Arc::new(Mutex::new(State {
            keys: vec![ec_jwk("k1", &keys().ec), rsa_jwk("r1", &keys().rsa)],
            ..State::default()
        }));
        let answers = Arc::clone(&state);
        let server = RecordingUpstream::answering(move |received, stream| {
            let state = answers.lock().unwrap();
            if state.broken {
                return stream.write_all(b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n").is_ok();
            }
            reply(stream, "content-type: application/json\r\n", state.answer(received).to_string().as_bytes())
        });
        Self { server, state }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    pub(crate) fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.server.received().iter().filter(|received| received.target == path).count()
    }

    /// The claims of a good token, bound to a certificate.
    pub(crate) fn claims(&self, person: &Person) -> Value {
        json!({
            "iss": self.url(), "aud": AUDIENCE, "exp": now() + 300, "iat": now(), "sub": "alice", "scope": "accounts payments",
            "cnf": {"x5t#S256": thumbprint(person)},
        })
    }

    pub(crate) fn bound(&self, person: &Person) -> String {
        signed(&header(), &self.claims(person))
    }
}

impl State {
    pub(crate) fn answer(&self, received: &Received) -> Value {
        let host = format!("http://{}", received.header("host"));
        match received.target.as_str() {
            "/.well-known/openid-configuration" => {
                json!({"issuer": self.claimed.clone().unwrap_or(host.clone()), "jwks_uri": format!("{host}/jwks")})
            }
            "/jwks" => json!({"keys": self.keys}),
            "/introspect" => {
                let authorization = received.header("authorization").strip_prefix("Basic ").unwrap();
                let user = base64::engine::general_purpose::STANDARD.decode(authorization).unwrap();
                let user = percent_encoding::percent_decode(&user).decode_utf8().unwrap().into_owned();
                assert_eq!(user, format!("edge:{SECRET}"));
                let form = String::from_utf8(received.body.clone()).unwrap();
                let token = form.split('&').find_map(|pair| pair.strip_prefix("token=")).unwrap();
                let token = percent_encoding::percent_decode_str(token).decode_utf8().unwrap().into_owned();
                let known = self.tokens.iter().find(|(known, _)| *known == token);
                known.map_or(json!({"active": false}), |(_, answer)| answer.clone())
            }
            other => panic!("asked for {other}"),
        }
    }
}

pub(crate) struct Keys {
    pub(crate) ec: PKey<Private>,
    pub(crate) other: PKey<Private>,
    pub(crate) rsa: PKey<Private>,
}

pub(crate) fn keys() -> &'static Keys {
    static MADE: LazyLock<Keys> =
        LazyLock::new(|| Keys { ec: ec_key(), other: ec_key(), rsa: PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap() });
    &MADE
}

pub(crate) fn ec_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

pub(crate) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn ec_jwk(kid: &str, key: &PKey<Private>) -> Value {
    let key = key.ec_key().unwrap();
    let bytes = key
        .public_key()
        .to_bytes(key.group(), openssl::ec::PointConversionForm::UNCOMPRESSED, &mut BigNumContext::new().unwrap())
        .unwrap();
    json!({"kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "x": encoded(&bytes[1..33]), "y": encoded(&bytes[33..])})
}

pub(crate) fn rsa_jwk(kid: &str, key: &PKey<Private>) -> Value {
    let key = key.rsa().unwrap();
    json!({"kty": "RSA", "kid": kid, "n": encoded(key.n().to_vec()), "e": encoded(key.e().to_vec())})
}

pub(crate) fn thumbprint(person: &Person) -> String {
    encoded(sha256(&person.certificate.to_der().unwrap()))
}

pub(crate) fn header() -> Value {
    json!({"alg": "ES256", "typ": "at+jwt", "kid": "k1"})
}

pub(crate) fn message(header: &Value, claims: &Value) -> String {
    format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()))
}

pub(crate) fn signed(header: &Value, claims: &Value) -> String {
    signed_with(&keys().ec, header, claims)
}

pub(crate) fn signed_with(key: &PKey<Private>, header: &Value, claims: &Value) -> String {
    signed_message(key, &message(header, claims))
}

/// A token whose header and claims are these texts, as they are.
pub(crate) fn signed_text(header: &str, claims: &str) -> String {
    signed_message(&keys().ec, &format!("{}.{}", encoded(header), encoded(claims)))
}

fn signed_message(key: &PKey<Private>, message: &str) -> String {
    let signature = EcdsaSig::sign(&sha256(message.as_bytes()), &key.ec_key().unwrap()).unwrap();
    let number = |number: &openssl::bn::BigNumRef| number.to_vec_padded(32).unwrap();
    format!("{message}.{}", encoded([number(signature.r()), number(signature.s())].concat()))
}

pub(crate) fn rsa_signed(alg: &str, claims: &Value) -> String {
    let message = message(&json!({"alg": alg, "typ": "application/at+JWT", "kid": "r1"}), claims);
    let mut signer = Signer::new(MessageDigest::sha256(), &keys().rsa).unwrap();
    if alg == "PS256" {
        signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).unwrap();
    }
    format!("{message}.{}", encoded(signer.sign_oneshot_to_vec(message.as_bytes()).unwrap()))
}

pub(crate) fn hmac_signed(secret: &[u8], claims: &Value) -> String {
    let message = message(&json!({"alg": "HS256", "typ": "at+jwt", "kid": "k1"}), claims);
    let key = PKey::hmac(secret).unwrap();
    let signature = Signer::new(MessageDigest::sha256(), &key).unwrap().sign_oneshot_to_vec(message.as_bytes()).unwrap();
    format!("{message}.{}", encoded(signature))
}
