//! The table of front doors. Sources: each product's documentation or code; what was measured is not experimental.

use super::{ChainCodec, LeafCodec, NameDialect, Preset, SerialDialect, VerdictDialect};
use crate::front_door::ContractHeader::{
    Certificate, Chain, ChainMember, FingerprintSha1, FingerprintSha256, IssuerDn, Presented, Revoked, SerialNumber,
    SignatureAlgorithm, SubjectDn, SubjectDnParsed, Unread, ValidFrom, ValidUntil, Validity, Verdict, VerdictReason,
};

/// What most have in common.
const PLAIN: Preset = Preset {
    name: "",
    experimental: false,
    leaf: LeafCodec::EscapedPem,
    chain: ChainCodec::None,
    verdict: VerdictDialect::None,
    names: NameDialect::Text,
    serial: SerialDialect::Hexadecimal,
    absent: &[],
    placeholder: None,
    headers: &[(Certificate, "client-certificate")],
};

const NGINX: Preset = Preset {
    name: "nginx",
    leaf: LeafCodec::EscapedPemBundle,
    verdict: VerdictDialect::Nginx,
    headers: &[
        (Certificate, "client-certificate"),
        (Verdict, "client-certificate-ca-verified"),
        (SubjectDn, "ssl_client_s_dn"),
        (SubjectDnParsed, "ssl_client_s_dn_parsed"),
        (SignatureAlgorithm, "ssl_client_sigalg"),
    ],
    ..PLAIN
};

const APACHE: Preset = Preset {
    name: "apache",
    leaf: LeafCodec::SpacedPem,
    chain: ChainCodec::Numbered,
    verdict: VerdictDialect::Apache,
    absent: &["(null)"],
    headers: &[
        (Certificate, "client-certificate"),
        (ChainMember, "client-certificate-chain-"),
        (Verdict, "client-certificate-ca-verified"),
    ],
    ..PLAIN
};

const XFCC: Preset =
    Preset { name: "envoy-xfcc", leaf: LeafCodec::Xfcc, headers: &[(Certificate, "x-forwarded-client-cert")], ..PLAIN };

const TRAEFIK: Preset = Preset {
    name: "traefik",
    experimental: true,
    leaf: LeafCodec::PemBodies,
    serial: SerialDialect::Decimal,
    headers: &[(Certificate, "x-forwarded-tls-client-cert"), (Unread, "x-forwarded-tls-client-cert-info")],
    ..PLAIN
};

const RFC9440: Preset = Preset {
    name: "rfc9440",
    leaf: LeafCodec::ByteSequence,
    chain: ChainCodec::ByteSequences,
    verdict: VerdictDialect::Nginx,
    headers: &[(Certificate, "client-cert"), (Chain, "client-cert-chain"), (Verdict, "client-certificate-ca-verified")],
    ..PLAIN
};

/// Every front door that `format` names, beside `raw`.
pub const PRESETS: &[Preset] = &[
    NGINX,
    Preset { name: "auth0", ..NGINX },
    Preset { name: "azion", experimental: true, leaf: LeafCodec::EscapedPem, ..NGINX },
    Preset {
        name: "ingress-nginx",
        experimental: true,
        verdict: VerdictDialect::Nginx,
        headers: &[
            (Certificate, "ssl-client-cert"),
            (Verdict, "ssl-client-verify"),
            (SubjectDn, "ssl-client-subject-dn"),
            (IssuerDn, "ssl-client-issuer-dn"),
        ],
        ..PLAIN
    },
    Preset {
        name: "haproxy",
        leaf: LeafCodec::Base64Der,
        chain: ChainCodec::ConcatenatedDer,
        verdict: VerdictDialect::OpensslCode,
        headers: &[
            (Certificate, "client-certificate"),
            (Chain, "client-certificate-chain"),
            (Verdict, "client-certificate-ca-verified"),
            (Presented, "client-certificate-presented"),
        ],
        ..PLAIN
    },
    APACHE,
    Preset { name: "apache-escape", leaf: LeafCodec::EscapedPem, absent: &["", "(null)"], ..APACHE },
    Preset { name: "apache-base64", leaf: LeafCodec::Base64Pem, absent: &["", "(null)"], ..APACHE },
    XFCC,
    Preset { name: "envoy-xfcc-json", leaf: LeafCodec::XfccJson, ..XFCC },
    Preset { name: "istio", experimental: true, ..XFCC },
    TRAEFIK,
    Preset { name: "traefik-v2-escaped", leaf: LeafCodec::EscapedPemBodies, ..TRAEFIK },
    Preset {
        name: "caddy",
        leaf: LeafCodec::Base64Der,
        names: NameDialect::UnorderedText,
        serial: SerialDialect::Decimal,
        absent: &[""],
        placeholder: Some("{http.request.tls.client."),
        ..PLAIN
    },
    Preset {
        name: "alb-verify",
        experimental: true,
        headers: &[
            (Certificate, "x-amzn-mtls-clientcert-leaf"),
            (SubjectDn, "x-amzn-mtls-clientcert-subject"),
            (IssuerDn, "x-amzn-mtls-clientcert-issuer"),
            (SerialNumber, "x-amzn-mtls-clientcert-serial-number"),
            (Validity, "x-amzn-mtls-clientcert-validity"),
            (Unread, "x-amzn-mtls-clientcert"),
        ],
        ..PLAIN
    },
    Preset {
        name: "alb-passthrough",
        experimental: true,
        leaf: LeafCodec::EscapedPemBundle,
        headers: &[
            (Certificate, "x-amzn-mtls-clientcert"),
            (Unread, "x-amzn-mtls-clientcert-leaf"),
            (Unread, "x-amzn-mtls-clientcert-subject"),
            (Unread, "x-amzn-mtls-clientcert-issuer"),
            (Unread, "x-amzn-mtls-clientcert-serial-number"),
            (Unread, "x-amzn-mtls-clientcert-validity"),
        ],
        ..PLAIN
    },
    Preset {
        name: "cloudfront",
        experimental: true,
        verdict: VerdictDialect::Presence,
        headers: &[
            (Certificate, "cloudfront-viewer-cert-pem"),
            (Presented, "cloudfront-viewer-cert-present"),
            (SubjectDn, "cloudfront-viewer-cert-subject"),
            (IssuerDn, "cloudfront-viewer-cert-issuer"),
            (SerialNumber, "cloudfront-viewer-cert-serial-number"),
            (FingerprintSha256, "cloudfront-viewer-cert-sha256"),
            (Validity, "cloudfront-viewer-cert-validity"),
            (Unread, "client-cert"),
            (Unread, "client-cert-chain"),
        ],
        ..PLAIN
    },
    Preset {
        name: "cloudfront-passthrough",
        experimental: true,
        verdict: VerdictDialect::None,
        headers: &[(Certificate, "client-cert"), (Chain, "client-cert-chain")],
        ..RFC9440
    },
    Preset {
        name: "gcp",
        experimental: true,
        leaf: LeafCodec::ByteSequence,
        chain: ChainCodec::ByteSequences,
        verdict: VerdictDialect::Gcp,
        names: NameDialect::Base64Der,
        headers: &[
            (Certificate, "x-client-cert-leaf"),
            (Chain, "x-client-cert-chain"),
            (Presented, "x-client-cert-present"),
            (Verdict, "x-client-cert-chain-verified"),
            (VerdictReason, "x-client-cert-error"),
            (SubjectDn, "x-client-cert-subject-dn"),
            (IssuerDn, "x-client-cert-issuer-dn"),
            (SerialNumber, "x-client-cert-serial-number"),
            (FingerprintSha256, "x-client-cert-hash"),
            (ValidFrom, "x-client-cert-valid-not-before"),
            (ValidUntil, "x-client-cert-valid-not-after"),
            (Unread, "x-client-cert-spiffe"),
            (Unread, "x-client-cert-uri-sans"),
            (Unread, "x-client-cert-dnsname-sans"),
        ],
        ..PLAIN
    },
    Preset {
        name: "cloudflare-rfc9440",
        experimental: true,
        leaf: LeafCodec::ByteSequence,
        chain: ChainCodec::ByteSequences,
        verdict: VerdictDialect::Cloudflare,
        headers: &[
            (Certificate, "client-cert"),
            (Chain, "client-cert-chain"),
            (Presented, "cf-cert-presented"),
            (Verdict, "cf-cert-verified"),
            (Revoked, "cf-cert-revoked"),
            (SubjectDn, "cf-cert-subject-dn-rfc2253"),
            (IssuerDn, "cf-cert-issuer-dn-rfc2253"),
            (SerialNumber, "cf-cert-serial"),
            (FingerprintSha1, "cf-cert-fingerprint-sha1"),
            (FingerprintSha256, "cf-cert-fingerprint-sha256"),
            (ValidFrom, "cf-cert-not-before"),
            (ValidUntil, "cf-cert-not-after"),
            (Unread, "cf-cert-subject-dn"),
            (Unread, "cf-cert-issuer-dn"),
            (Unread, "cf-cert-subject-dn-legacy"),
            (Unread, "cf-cert-issuer-dn-legacy"),
            (Unread, "cf-cert-issuer-serial"),
            (Unread, "cf-cert-ski"),
            (Unread, "cf-cert-issuer-ski"),
            (Unread, "cf-client-cert-der-base64"),
            (Unread, "cf-client-cert-sha256"),
        ],
        ..PLAIN
    },
    Preset {
        name: "azure-appgw",
        experimental: true,
        verdict: VerdictDialect::Nginx,
        headers: &[(Certificate, "client-certificate"), (Verdict, "client-certificate-ca-verified")],
        ..PLAIN
    },
    Preset {
        name: "azure-appservice",
        experimental: true,
        leaf: LeafCodec::Base64Der,
        headers: &[(Certificate, "x-arr-clientcert")],
        ..PLAIN
    },
    Preset { name: "fastly", experimental: true, leaf: LeafCodec::Base64Der, ..PLAIN },
    Preset {
        name: "f5",
        experimental: true,
        leaf: LeafCodec::Base64Der,
        headers: &[(Certificate, "wl-proxy-client-cert")],
        ..PLAIN
    },
    Preset {
        name: "open-finance-br",
        experimental: true,
        leaf: LeafCodec::SpacedPem,
        verdict: VerdictDialect::Nginx,
        headers: &[
            (Certificate, "bank-tls-certificate"),
            (SubjectDn, "x-bank-certificate-dn"),
            (Verdict, "x-bank-certificate-verify"),
        ],
        ..PLAIN
    },
    RFC9440,
];
