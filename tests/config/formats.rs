//! Which front door it is: presets, and formats described part by part.

use vestibule::front_door::PRESETS;

use crate::edge_config::{Folder, Ran};
use crate::{TENANT, accepted, edited, refused, refused_alone};

/// The good folder with other lines for its front door, and no header names but the defaults.
fn door(lines: &str) -> Folder {
    let folder = Folder::good();
    let text = folder.read(TENANT);
    let (before, rest) = text.split_once("[[front_doors]]").unwrap();
    let (_, after) = rest.split_once("[trusted_ca.clients]").unwrap();
    let door = format!("[[front_doors]]\nname = \"nginx\"\nproofs = [\"api_key\"]\n{lines}\n[trusted_ca.clients]{after}");
    folder.write(TENANT, &format!("{before}{door}"));
    folder
}

fn warned(ran: &Ran) -> bool {
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.lines().all(|line| line.contains("is experimental")), "{}", ran.stderr);
    !ran.stderr.is_empty()
}

#[test]
fn every_preset_is_accepted_and_the_unproven_ones_warn() {
    for preset in PRESETS {
        let ran = door(&format!("format = \"{}\"", preset.name)).check();
        assert_eq!(warned(&ran), preset.experimental, "{}: {}", preset.name, ran.stderr);
    }
}

#[test]
fn an_unknown_format_lists_them_all() {
    let mut names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
    names.push("raw");
    let accepted = format!("hint: accepted: {}", names.join(", "));
    refused_alone(&door("format = \"squid\"").check(), &["`front_doors[0].format`: found `squid`", &accepted]);
}

#[test]
fn raw_takes_every_part_and_nothing_else() {
    let raw = |lines: &str| door(&format!("format = \"raw\"\n[front_doors.raw]\n{lines}")).check();
    for certificate in [
        "escaped_pem",
        "escaped_pem_bundle",
        "spaced_pem",
        "base64_der",
        "pem_bodies",
        "escaped_pem_bodies",
        "base64_pem",
        "rfc9440",
        "xfcc",
        "xfcc_json",
    ] {
        accepted(&raw(&format!("certificate = \"{certificate}\"")));
    }
    for (key, values) in [
        ("chain", &["none", "rfc9440", "base64_der_concatenated", "numbered", "escaped_pem_bundle"][..]),
        ("verdict", &["none", "nginx", "apache", "openssl_code", "gcp", "cloudflare", "presence"]),
        ("distinguished_names", &["text", "unordered_text", "base64_der"]),
        ("serial", &["hexadecimal", "decimal"]),
        ("absent", &["(null)", ""]),
    ] {
        for value in values {
            accepted(&raw(&format!("certificate = \"base64_der\"\n{key} = \"{value}\"")));
        }
        if key != "absent" {
            let ran = raw(&format!("certificate = \"base64_der\"\n{key} = \"other\""));
            let hint = format!("hint: accepted: {}", values.join(", "));
            refused_alone(&ran, &[&format!("`front_doors[0].raw.{key}`: found `other`"), &hint]);
        }
    }
    refused_alone(&raw(""), &["`front_doors[0].raw.certificate`: is missing", "escaped_pem, "]);
    refused_alone(&door("format = \"raw\"").check(), &["`front_doors[0].raw.certificate`: is missing"]);
    refused_alone(&raw("certificate = \"pem\""), &["`front_doors[0].raw.certificate`: found `pem`", "accepted: escaped_pem, "]);
    refused_alone(&raw("certificate = \"xfcc\"\nabsent = [1]"), &["`front_doors[0].raw.absent[0]`: found a whole number"]);
    refused_alone(&raw("certificate = \"xfcc\"\nleaf = \"xfcc\""), &["`front_doors[0].raw.leaf`: is no key of this table"]);
    let elsewhere = door("format = \"haproxy\"\n[front_doors.raw]\ncertificate = \"xfcc\"").check();
    refused_alone(&elsewhere, &["`front_doors[0].raw`: is no key of this table"]);
}

#[test]
fn elements_of_xfcc() {
    accepted(&door("format = \"envoy-xfcc\"\nxfcc_elements = \"one\"").check());
    accepted(&door("format = \"envoy-xfcc-json\"\nxfcc_elements = \"last\"").check());
    let ran = door("format = \"envoy-xfcc\"\nxfcc_elements = \"last\"").check();
    refused_alone(&ran, &["`front_doors[0].xfcc_elements`: found `last`", "envoy-xfcc-json"]);
    let ran = door("format = \"envoy-xfcc-json\"\nxfcc_elements = \"first\"").check();
    refused_alone(&ran, &["`front_doors[0].xfcc_elements`: found `first`", "accepted: one, last"]);
    let ran = door("format = \"haproxy\"\nxfcc_elements = \"one\"").check();
    refused_alone(&ran, &["`front_doors[0].xfcc_elements`: is no key of this table"]);
}

/// A setting that could have no effect is a mistake.
#[test]
fn what_a_format_does_not_have_cannot_be_set() {
    for (format, key) in [
        ("nginx", "client_certificate_chain"),
        ("nginx", "client_certificate_presented"),
        ("caddy", "client_certificate_ca_verified"),
        ("cloudfront", "client_certificate_ca_verified"),
        ("haproxy", "client_certificate_error"),
        ("gcp", "client_certificate_revoked"),
        ("apache", "client_certificate_too_large"),
    ] {
        let ran = door(&format!("format = \"{format}\"\n[front_doors.headers]\n{key} = \"x-a\"")).check();
        refused(&ran, &[&format!("`front_doors[0].headers.{key}`: is no key of this table")]);
    }
    for (format, key) in [
        ("haproxy", "client_certificate_chain"),
        ("apache", "client_certificate_chain"),
        ("haproxy", "client_certificate_presented"),
        ("gcp", "client_certificate_error"),
        ("cloudflare-rfc9440", "client_certificate_revoked"),
        ("cloudflare-rfc9440", "client_certificate_too_large"),
    ] {
        warned(&door(&format!("format = \"{format}\"\n[front_doors.headers]\n{key} = \"x-a-\"")).check());
        let ran = door(&format!("format = \"{format}\"\n[front_doors.headers]\n{key} = \"a b\"")).check();
        refused_alone(&ran, &[&format!("`front_doors[0].headers.{key}`: found `a b`"), "a header name"]);
    }
    for mode in ["narrow", "require"] {
        for format in ["caddy", "envoy-xfcc", "cloudfront"] {
            let ran = door(&format!("format = \"{format}\"\nforwarded_verdict = \"{mode}\"")).check();
            refused_alone(&ran, &["`front_doors[0].forwarded_verdict`: this format has no verdict"]);
        }
        accepted(&door(&format!("format = \"haproxy\"\nforwarded_verdict = \"{mode}\"")).check());
    }
    let ran = door("require_sni = true").check();
    refused_alone(&ran, &["`front_doors[0].require_sni`: no header would hold the server name", "headers.ssl_server_name"]);
}

#[test]
fn names_of_a_format_and_others_must_differ() {
    let ran = edited(&[("\"ssl-client-number\"", "\"ssl_client.issuer\"")]).check();
    refused(&ran, &["of another contract header"]);
    let ran = door("format = \"apache\"\n[front_doors.headers]\nclient_certificate_chain = \"client-\"").check();
    refused(&ran, &["`domains[0]`: `client-certificate", "begins as the numbered headers do"]);
    let ran =
        door("format = \"traefik\"\n[front_doors.headers]\nssl_client_serial = \"x-forwarded-tls-client-cert-info\"").check();
    refused(&ran, &["of another contract header"]);
}
