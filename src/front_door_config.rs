//! Configurations for the products that stand in front: what they must strip, send and ask for follows from ours.
//!
//! A [`Plan`] is read out of a loaded configuration: host names, header names, which host asks clients for certificates, where
//! Vestibule listens. Each product is one file here that turns the plan into the files that the product reads, by the templates
//! in `templates/front-door/`. Whatever comes from the configuration or the command line is a `Word` before it
//! reaches a template: no text can end a line or a quoted value.
//!
//! Secrets are never read here: the files name the file that holds them.
//!
//! Facts about the products: their documentation, and measurements on nginx 1.22.1, HAProxy 2.6.12, Apache httpd 2.4.71 and
//! Caddy 2.6.2. Envoy and Traefik are written from their documentation.

mod apache;
mod caddy;
mod envoy;
mod haproxy;
mod nginx;
mod plan;
mod traefik;
mod word;

pub use plan::{Ask, ListenAt, Options, Plan};

use crate::front_door::{ContractHeader, Format, LeafCodec, PRESETS, VerdictDialect};

/// Suites of TLS 1.2: "intermediate" of Mozilla's server side TLS, without the DHE suites.
const CIPHERS: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:\
                       ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
/// Suites of TLS 1.3.
const CIPHERSUITES: &str = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

/// A product that can stand in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// nginx.
    Nginx,
    /// HAProxy 2.6 or later.
    Haproxy,
    /// Envoy 1.29 or later.
    Envoy,
    /// Apache httpd 2.4.
    Apache,
    /// Caddy 2.6 or later.
    Caddy,
    /// Traefik 3.
    Traefik,
}

impl Product {
    /// Every product with its word on the command line.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Nginx, "nginx"),
        (Self::Haproxy, "haproxy"),
        (Self::Envoy, "envoy"),
        (Self::Apache, "apache"),
        (Self::Caddy, "caddy"),
        (Self::Traefik, "traefik"),
    ];

    /// The product of a word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(product, _)| *product)
    }

    /// The product whose own words a format is.
    pub fn of_format(format: &Format) -> Self {
        match (format.codec.leaf, format.verdict) {
            (LeafCodec::Xfcc | LeafCodec::XfccJson, _) => Self::Envoy,
            (LeafCodec::PemBodies | LeafCodec::EscapedPemBodies, _) => Self::Traefik,
            (_, VerdictDialect::OpensslCode) => Self::Haproxy,
            (_, VerdictDialect::Apache) => Self::Apache,
            (LeafCodec::Base64Der, _) => Self::Caddy,
            _ => Self::Nginx,
        }
    }
}

/// A file of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub text: String,
}

/// The configuration of a product, its files in the order in which to read them.
///
/// # Errors
/// What the product cannot do of what the plan asks, and what to change.
pub fn files(plan: &Plan, product: Product) -> Result<Vec<File>, String> {
    match product {
        Product::Nginx => nginx::files(plan),
        Product::Haproxy => haproxy::files(plan),
        Product::Envoy => envoy::files(plan),
        Product::Apache => apache::files(plan),
        Product::Caddy => caddy::files(plan),
        Product::Traefik => traefik::files(plan),
    }
}

/// What a product can write of what formats ask for.
struct Abilities {
    product: &'static str,
    /// The certificate in a form, in the product's own words.
    certificate: fn(LeafCodec) -> Option<String>,
    verdicts: &'static [VerdictDialect],
}

impl Abilities {
    /// Refuses a plan that asks for a signature.
    fn cannot_sign(&self, plan: &Plan) -> Result<(), String> {
        match plan.signing {
            None => Ok(()),
            Some(_) => Err(format!(
                "{} cannot sign requests: use nginx or HAProxy, or take \"signature\" out of the front door's `proofs`",
                self.product
            )),
        }
    }

    fn fit(&self, format: &Format) -> Option<String> {
        (self.certificate)(format.codec.leaf).filter(|_| self.verdicts.contains(&format.verdict))
    }

    /// The certificate as the plan's format wants it.
    fn certificate(&self, plan: &Plan) -> Result<String, String> {
        self.fit(&plan.format).ok_or_else(|| {
            let fitting = PRESETS.iter().filter(|preset| !preset.experimental || preset.name.starts_with("traefik"));
            let fitting = fitting.filter(|preset| self.fit(&preset.format()).is_some());
            let names: Vec<&str> = fitting.map(|preset| preset.name).collect();
            format!(
                "{} cannot write certificate and verdict as the front door `{}` is to send them; set its `format` to one of: {}",
                self.product,
                plan.name,
                names.join(", ")
            )
        })
    }
}

/// A template with its values filled in.
fn file(name: &'static str, template: &impl askama::Template) -> Result<File, String> {
    let mut text = template.render().map_err(|why| format!("the template of `{name}` failed: {why}"))?;
    text.truncate(text.trim_end().len());
    text.push('\n');
    Ok(File { name, text })
}

/// The contract headers of which a value can be said in a product's own words; of the others none is sent.
fn values(plan: &Plan, say: impl Fn(ContractHeader) -> Option<String>) -> Vec<(&word::Word, String)> {
    plan.contract.iter().filter_map(|(meaning, name)| Some((name, say(*meaning)?))).collect()
}
