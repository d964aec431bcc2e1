//! Purpose: a front door that signs by RFC 9421, written from the text of the RFC and not from the program.

use std::time::{SystemTime, UNIX_EPOCH};

use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;

use crate::bank::DOMAIN;

/// A request that is signed when its text is made.
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) lines: Vec<(String, String)>,
    /// Names of the components; those of header lines are added.
    pub(crate) derived: Vec<&'static str>,
    /// Header lines that are not covered.
    pub(crate) uncovered: Vec<&'static str>,
    pub(crate) created: i64,
    pub(crate) nonce: String,
    pub(crate) keyid: String,
    pub(crate) secret: Vec<u8>,
}

impl Signed {
    /// A GET of nobody in particular, with a nonce of its own.
    pub(crate) fn get(target: &str, keyid: &str, secret: &[u8]) -> Self {
        let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Self {
            method: "GET",
            target: target.to_owned(),
            lines: vec![line("client-certificate-ca-verified", "NONE"), line("x-forwarded-for", "203.0.113.9")],
            derived: vec!["@method", "@authority", "@path", "@query"],
            uncovered: Vec::new(),
            created: now(),
            nonce: nonce(),
            keyid: keyid.to_owned(),
            secret: secret.to_vec(),
        }
    }

    pub(crate) fn line(mut self, name: &str, value: &str) -> Self {
        self.lines.retain(|(known, _)| known != name);
        self.lines.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.lines.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn text(&self) -> String {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let mut covered = Vec::new();
        let mut base = String::new();
        for name in &self.derived {
            let value = match *name {
                "@method" => self.method.to_owned(),
                "@authority" => DOMAIN.to_owned(),
                "@path" => path.to_owned(),
                "@query" => format!("?{query}"),
                other => panic!("{other}"),
            };
            covered.push(format!("\"{name}\""));
            base.push_str(&format!("\"{name}\": {value}\n"));
        }
        for (name, value) in self.lines.iter().filter(|(name, _)| !self.uncovered.contains(&name.as_str())) {
            covered.push(format!("\"{name}\""));
            base.push_str(&format!("\"{name}\": {value}\n"));
        }
        let parameters = format!(
            "({});created={};keyid=\"{}\";nonce=\"{}\";alg=\"hmac-sha256\"",
            covered.join(" "),
            self.created,
            self.keyid,
            self.nonce
        );
        base.push_str(&format!("\"@signature-params\": {parameters}"));
        let key = PKey::hmac(&self.secret).unwrap();
        let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
        let signature = openssl::base64::encode_block(&signer.sign_oneshot_to_vec(base.as_bytes()).unwrap());
        let mut text = format!("{} {} HTTP/1.1\r\nhost: {DOMAIN}\r\n", self.method, self.target);
        for (name, value) in &self.lines {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text + &format!("signature-input: edge={parameters}\r\nsignature: edge=:{signature}:\r\n\r\n")
    }
}

pub(crate) fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

fn nonce() -> String {
    let mut bytes = [0; 16];
    openssl::rand::rand_bytes(&mut bytes).unwrap();
    hex::encode(bytes)
}
