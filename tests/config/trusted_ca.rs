//! What people put into the files of `[trusted_ca]`, and what they are told.

use std::process::Command;

use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::x509::X509ReqBuilder;

use crate::edge_config::Folder;
use crate::pki::{Ca, DAY, Dates, Leaf, new_key};
use crate::{TENANT, accepted, edited, refused, refused_alone};

/// What a strange file is, what is said of it, and the mend.
type Row = (&'static str, Vec<u8>, &'static str, &'static str);

fn utf16(text: &[u8], mark: bool) -> Vec<u8> {
    let mark: &[u8] = if mark { &[0xFF, 0xFE] } else { &[] };
    mark.iter().copied().chain(text.iter().flat_map(|octet| [*octet, 0])).collect()
}

/// The real command's output.
fn openssl(folder: &Folder, arguments: &[&str]) -> Vec<u8> {
    let ran = Command::new("openssl").current_dir(folder.path("")).args(arguments).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    ran.stdout
}

fn strange_files(folder: &Folder) -> Vec<Row> {
    let root = &folder.root;
    let pem = root.certificate.to_pem().unwrap();
    let leaf = folder.issuing.issue(&Leaf::named("client"));
    let request = {
        let mut builder = X509ReqBuilder::new().unwrap();
        let key = new_key();
        builder.set_pubkey(&key).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        builder.build()
    };
    let weak = Ca::self_signed("Weak", PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap(), Dates::VALID);
    let private = "a private key has no place here";
    let p7 = ["crl2pkcs7", "-nocrl", "-certfile", "trusted-ca/root.pem"];
    let p12 = ["pkcs12", "-export", "-nokeys", "-in", "trusted-ca/root.pem", "-passout", "pass:x"];
    let block =
        |label: &str, content: &str| format!("-----BEGIN {label}-----\n{content}\n-----END {label}-----\n").into_bytes();
    vec![
        ("a certificate in DER", root.certificate.to_der().unwrap(), "is DER, not PEM", "openssl x509 -inform der"),
        ("a client's certificate", leaf.to_pem().unwrap(), "is not the certificate of a CA", "give the CA that issued it"),
        (
            "certificate and key",
            [pem.clone(), root.key.private_key_to_pem_pkcs8().unwrap()].concat(),
            "holds a PRIVATE KEY block at place 2",
            private,
        ),
        (
            "an EC key",
            root.key.ec_key().unwrap().private_key_to_pem().unwrap(),
            "holds a EC PRIVATE KEY block at place 1",
            private,
        ),
        ("a key in DER", root.key.private_key_to_der().unwrap(), "is a private key in DER", private),
        ("a public key", root.key.public_key_to_pem().unwrap(), "holds a PUBLIC KEY block", "a public key is no certificate"),
        ("a request", request.to_pem().unwrap(), "holds a CERTIFICATE REQUEST block", "this is a request"),
        ("a request in DER", request.to_der().unwrap(), "is a certificate request in DER", "this is a request"),
        ("PKCS#7", openssl(folder, &p7), "holds a PKCS7 block", "openssl pkcs7 -in FILE -print_certs"),
        (
            "PKCS#7 in DER",
            openssl(folder, &[p7.as_slice(), &["-outform", "der"]].concat()),
            "is a PKCS#7 file in DER",
            "openssl pkcs7 -inform der",
        ),
        ("PKCS#12", openssl(folder, &p12), "is a PKCS#12 file", "openssl pkcs12 -in FILE -cacerts -nokeys"),
        (
            "OpenSSL's trusted form",
            openssl(folder, &["x509", "-in", "trusted-ca/root.pem", "-trustout"]),
            "holds a TRUSTED CERTIFICATE block",
            "openssl x509 -in FILE",
        ),
        ("a CRL", folder.read("crl/clients.pem").into_bytes(), "holds a X509 CRL block at place 1", "CRLs belong in `crl`"),
        ("a CRL in DER", root.crl(&[]), "is a CRL in DER, not a certificate", "a PEM file with CERTIFICATE blocks"),
        ("a weak key", weak.certificate.to_pem().unwrap(), "has an RSA key of 1024 bits, not 2048 to 8192", "ask the CA"),
        ("UTF-16", utf16(&pem, true), "is text in UTF-16", "save it as plain ASCII"),
        ("UTF-16 without a mark", utf16(&pem, false), "is text in UTF-16", "save it as plain ASCII"),
        ("UTF-8 with a mark", [b"\xEF\xBB\xBF", pem.as_slice()].concat(), "begins with a byte order mark", "save it as plain"),
        ("nothing", Vec::new(), "is empty", "a PEM file with CERTIFICATE blocks"),
        ("a greeting", b"hello\n".to_vec(), "holds no PEM block", "a PEM file with CERTIFICATE blocks"),
        ("digits", b"0123\n".to_vec(), "holds no PEM block", "a PEM file with CERTIFICATE blocks"),
        ("half a certificate", pem[..pem.len() / 2].to_vec(), "is cut off or broken: 1 blocks begin, and 0 end", ""),
        ("one and a half", [&pem, &pem[..pem.len() / 2]].concat(), "is cut off or broken: 2 blocks begin, and 1 end", ""),
        ("another thing", block("CERTIFICATE", "AAAA"), "is not a certificate", ""),
        ("no base64", block("CERTIFICATE", "*"), "is not PEM", ""),
        ("another label", block("SSH KEY", "AAAA"), "holds a SSH KEY block at place 1", "only CERTIFICATE blocks"),
        ("noise", (1..=255).collect(), "holds no PEM block", ""),
    ]
}

#[test]
fn what_is_no_ca() {
    let folder = Folder::good();
    let text = folder.read(TENANT);
    let root = "certificates = [\"trusted-ca/root.pem\"]";
    let issuing = "intermediates = [\"trusted-ca/issuing.pem\"]";
    for (line, becomes) in [
        (root, "certificates = [\"trusted-ca/strange.pem\", \"trusted-ca/root.pem\"]"),
        (issuing, "intermediates = [\"trusted-ca/strange.pem\", \"trusted-ca/issuing.pem\"]"),
    ] {
        folder.write(TENANT, &text);
        folder.edit(TENANT, line, becomes);
        for (what, bytes, found, mend) in strange_files(&folder) {
            folder.write_bytes("trusted-ca/strange.pem", &bytes);
            let ran = folder.check();
            eprintln!("{what}");
            refused_alone(&ran, &["acme.toml: `trusted_ca.clients", "trusted-ca/strange.pem", found, mend]);
            assert!(!ran.stderr.contains("PRIVATE KEY-----"), "{}", ran.stderr);
        }
    }
}

#[test]
fn what_is_no_crl() {
    let folder = Folder::good();
    let p7 = ["crl2pkcs7", "-in", "crl/clients.pem"];
    let table: [Row; 6] = [
        ("a CA", folder.root.certificate.to_pem().unwrap(), "holds a CERTIFICATE block", "belong in `certificates` or"),
        ("a CA in DER", folder.root.certificate.to_der().unwrap(), "is a certificate in DER, not a CRL", "X509 CRL blocks"),
        ("PKCS#7", openssl(&folder, &p7), "holds a PKCS7 block", ""),
        ("nothing", Vec::new(), "is empty", "a PEM file with X509 CRL blocks"),
        ("UTF-16", utf16(folder.read("crl/clients.pem").as_bytes(), true), "is text in UTF-16", "save it as plain"),
        ("noise in DER", vec![0x30, 0x82, 1, 2, 3], "is neither PEM nor a CRL in DER", "one list in DER"),
    ];
    for (what, bytes, found, mend) in table {
        folder.write_bytes("crl/clients.pem", &bytes);
        eprintln!("{what}");
        refused_alone(&folder.check(), &["acme.toml: `trusted_ca.clients.crl`: `crl/clients.pem` ", found, mend]);
    }
}

/// The machine's clock: `check` knows no other.
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// A folder whose set also trusts a CA with these dates; what `check` says.
#[track_caller]
fn warned(dates: Dates, edits: &[(&str, &str)]) -> String {
    let folder = edited(edits);
    folder.edit(TENANT, "[\"trusted-ca/root.pem\"]", "[\"trusted-ca/root.pem\", \"trusted-ca/other.pem\"]");
    let other = Ca::self_signed("Other", new_key(), dates);
    folder.write_bytes("trusted-ca/other.pem", &other.certificate.to_pem().unwrap());
    let ran = folder.check();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.stderr
}

#[test]
fn dates_of_cas_are_worth_a_warning() {
    let now = now();
    let long = now + 4_000 * DAY;
    let table = [
        (Dates(now - 9 * DAY, now - DAY), "30d", "other.pem, block 1: the CA certificate has expired, no client below it"),
        (Dates(now + DAY, long), "30d", "other.pem, block 1: the CA certificate is not valid yet"),
        (Dates(now - DAY, now + 29 * DAY + 60), "30d", "acme: the CA certificate `CN=Other,O=Vestibule Test` ends on "),
        (Dates(now - DAY, now + 29 * DAY + 60), "30d", "in 29 days; get its successor"),
        (Dates(now - DAY, now + 59 * DAY + 60), "60d", "in 59 days; get its successor"),
        (Dates(now - DAY, now + 3_600), "2h", "in 0 days; get its successor"),
    ];
    for (dates, within, said) in table {
        let stderr = warned(dates, &[("expiry_warning = \"30d\"", &format!("expiry_warning = \"{within}\""))]);
        assert!(stderr.starts_with("vestibule: warning: ") && stderr.contains(said), "{said}\n{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
    for (dates, within) in [
        (Dates(now - DAY, now + 31 * DAY), "30d"),
        (Dates(now - DAY, now + 2 * 3_600), "1h"),
        (Dates(now - DAY, now + DAY), "0d"),
    ] {
        let header = ("expiry_warning_header = \"X-Client-Cert-Expires\"\n", "");
        let stderr = warned(dates, &[("expiry_warning = \"30d\"", &format!("expiry_warning = \"{within}\"")), header]);
        assert_eq!(stderr, "", "{within}");
    }
}

#[test]
fn a_header_without_a_warning() {
    let ran = edited(&[("expiry_warning = \"30d\"", "expiry_warning = \"0d\"")]).check();
    refused_alone(&ran, &["acme.toml: `policy.expiry_warning_header`: has no effect: `expiry_warning` is nothing"]);
}

#[test]
fn the_same_certificate_twice() {
    let twice = "[\"trusted-ca/root.pem\", \"trusted-ca/root.pem\"]";
    let ran = edited(&[("[\"trusted-ca/root.pem\"]", twice)]).check();
    assert_eq!(ran.code, 0);
    assert!(ran.stderr.contains("trusted-ca/root.pem, block 1: the same certificate stands there twice"), "{}", ran.stderr);
}

#[test]
fn a_profile_for_a_ca_that_nobody_trusts() {
    let nobody = format!("issuers = [\"sha256:{}\"]", "0".repeat(64));
    let ran = edited(&[("issuers = [\"trusted-ca/nobodys.pem\"]", &nobody)]).check();
    assert_eq!(ran.code, 0);
    let said = "vestibule: warning: acme: profile `nobodys`: the CA certificate sha256:0000";
    assert!(ran.stderr.starts_with(said) && ran.stderr.contains("is in no set of [trusted_ca]"), "{}", ran.stderr);
    // An intermediate is in a set too.
    accepted(&edited(&[("issuers = [\"trusted-ca/nobodys.pem\"]", "issuers = [\"trusted-ca/issuing.pem\"]")]).check());
}

#[test]
fn a_policy_that_its_own_cas_do_not_keep() {
    let ran = edited(&[("min_ec_bits = 256", "min_ec_bits = 384")]).check();
    assert_eq!((ran.code, ran.stderr.lines().count()), (0, 2), "{}", ran.stderr);
    for line in ran.stderr.lines() {
        assert!(line.starts_with("vestibule: warning: acme: route `/`: the CA certificate sha256:"), "{line}");
        assert!(line.ends_with("has an elliptic-curve key of 256 bits; at least 384 are asked for; no client below it passes"));
    }
    // Those are not RSA keys.
    accepted(&edited(&[("min_rsa_bits = 2048", "min_rsa_bits = 8192")]).check());
}

#[test]
fn an_intermediate_alone_is_no_anchor() {
    let alone =
        [("[\"trusted-ca/root.pem\"]", "[\"trusted-ca/issuing.pem\"]"), ("intermediates = [\"trusted-ca/issuing.pem\"]\n", "")];
    refused(&edited(&alone).check(), &["`trusted_ca.clients`: the trusted CAs: holds no trust anchor"]);
    let partial = ("allow_partial_chain = false", "allow_partial_chain = true");
    accepted(&edited(&[alone[0], alone[1], partial]).check());
}

#[test]
fn registered_certificates_need_no_ca() {
    let entry = format!("self_signed_certificates = [\"sha256:{}\"]", "a".repeat(64));
    let list = ("self_signed_certificates = []", entry.as_str());
    accepted(&edited(&[list, ("trusted_ca = \"clients\"\n", "")]).check());
    let none = edited(&[("trusted_ca = \"clients\"\n", "")]).check();
    refused_alone(&none, &["`routes[0].policy.trusted_ca`: is missing; nobody's certificate could be verified"]);
    let off = "policy = { verification = \"off\", self_signed_certificates = [\"trusted-ca/root.pem\"] }";
    let ran = edited(&[("policy = { allow_unauthenticated_requests = true }", off)]).check();
    refused(&ran, &["`routes[0].policy.self_signed_certificates`: has no effect: `verification` is `off`"]);
    // A client's certificate may be its own CA, and a list may name it by its file.
    let folder = edited(&[("self_signed_certificates = []", "self_signed_certificates = [\"certs/partner.pem\"]")]);
    let partner = crate::pki::self_signed(&Leaf::named("partner"));
    folder.write_bytes("certs/partner.pem", &partner.to_pem().unwrap());
    accepted(&folder.check());
    folder.write("certs/partner.pem", &format!("# one a line\nspki-sha256:{}\n", "b".repeat(64)));
    accepted(&folder.check());
    folder.write("certs/partner.pem", "issuer-serial:01 CN=x\n");
    refused_alone(
        &folder.check(),
        &["`policy.self_signed_certificates`: found `issuer-serial:1 CN=x`: anybody can write these"],
    );
}
