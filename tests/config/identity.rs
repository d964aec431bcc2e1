//! `[identity]`: keys that sign, and settings that nobody could use.

use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::symm::Cipher;

use crate::edge_config::Folder;
use crate::{accepted, edited, refused, refused_alone};

const FILE: &str = "secrets/identity.pem";

fn on_curve(curve: Nid) -> PKey<Private> {
    let group = EcGroup::from_curve_name(curve).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// A good folder with another file of the process.
#[track_caller]
fn of_process(edits: &[(&str, &str)]) -> Folder {
    let folder = Folder::good();
    for (from, to) in edits {
        folder.edit("vestibule.toml", from, to);
    }
    folder
}

fn with_key(pem: &[u8]) -> Folder {
    let folder = Folder::good();
    folder.write(FILE, std::str::from_utf8(pem).unwrap());
    folder
}

#[test]
fn keys_of_both_kinds_in_both_forms() {
    let on_p256 = on_curve(Nid::X9_62_PRIME256V1);
    for pem in [
        on_p256.private_key_to_pem_pkcs8().unwrap(),
        on_p256.ec_key().unwrap().private_key_to_pem().unwrap(),
        PKey::generate_ed25519().unwrap().private_key_to_pem_pkcs8().unwrap(),
    ] {
        accepted(&with_key(&pem).check());
    }
    accepted(&of_process(&[("signing_keys = [\"secrets/identity.pem\"]\n", "")]).check());
}

#[test]
fn other_keys_are_refused_and_never_shown() {
    let rsa = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let encrypted = on_curve(Nid::X9_62_PRIME256V1).private_key_to_pem_pkcs8_passphrase(Cipher::aes_128_cbc(), b"x").unwrap();
    let neither = "is neither on the curve P-256 nor Ed25519";
    for (pem, found) in [
        (rsa.private_key_to_pem_pkcs8().unwrap(), neither),
        (on_curve(Nid::SECP384R1).private_key_to_pem_pkcs8().unwrap(), neither),
        (on_curve(Nid::SECP256K1).private_key_to_pem_pkcs8().unwrap(), neither),
        (encrypted, "holds no private key in PEM, or one that is encrypted"),
        (on_curve(Nid::X9_62_PRIME256V1).public_key_to_pem().unwrap(), "holds no private key"),
        (b"".to_vec(), "holds no private key"),
    ] {
        let ran = with_key(&pem).check();
        let place = format!("vestibule.toml: `identity.signing_keys[0]`: `{FILE}` {found}");
        refused_alone(&ran, &[&place, "hint: a private key in PEM: openssl genpkey"]);
        let lines = String::from_utf8(pem).unwrap();
        for line in lines.lines().filter(|line| line.len() > 40 && !line.starts_with('-')) {
            assert!(!ran.stderr.contains(line) && !ran.stdout.contains(line));
        }
    }
}

#[test]
fn lists_of_keys() {
    let list = "signing_keys = [\"secrets/identity.pem\"]";
    let twice = of_process(&[(list, "signing_keys = [\"secrets/identity.pem\", \"secrets/identity.pem\"]")]);
    refused_alone(&twice.check(), &["`identity.signing_keys[1]`: is the key of another file"]);
    let missing = of_process(&[(list, "signing_keys = [\"secrets/identity.pem\", \"secrets/none.pem\"]")]);
    refused_alone(&missing.check(), &["`identity.signing_keys[1]`: `secrets/none.pem` cannot be read"]);
    let many = of_process(&[(list, &format!("signing_keys = {:?}", [FILE; 7]))]);
    refused(&many.check(), &["`identity.signing_keys`: found 7 files", "hint: 1 to 6 files"]);
}

#[test]
fn settings_that_tell_nobody() {
    let token = "[identity.token]\nheader = \"X-Vestibule-Identity\"\nissuer = \"https://edge.example\"\n\
                 audience = \"https://core.example\"\nlifetime = \"60s\"\n[identity.token.audiences]\ncore = \"https://core.internal\"\n";
    let user = "[identity.user]\nheader = \"X-Vestibule-User\"\n";
    accepted(&edited(&[(token, "")]).check());
    accepted(&edited(&[(user, "")]).check());
    refused_alone(&edited(&[(token, ""), (user, "")]).check(), &["acme.toml: `identity`: tells nobody anything"]);
    let nobody = edited(&[("core = \"https://core.internal\"", "other = \"x\"")]);
    refused_alone(&nobody.check(), &["`identity.token.audiences.other`: names no upstream", "hint: accepted: core"]);
    for key in ["issuer", "audience"] {
        let line = format!("{key} = \"https://{}.example\"\n", if key == "issuer" { "edge" } else { "core" });
        let ran = edited(&[(&line, "")]).check();
        refused_alone(&ran, &[&format!("`identity.token.{key}`: is missing")]);
    }
}

#[test]
fn headers_of_the_contract() {
    for header in ["cname-api-key", "Client_Certificate"] {
        let ran = edited(&[("header = \"X-Vestibule-User\"", &format!("header = \"{header}\""))]).check();
        refused_alone(&ran, &["acme.toml: `domains[0]`: `", "` of [identity] is a header of the contract, too"]);
    }
}

#[test]
fn headers_that_mean_something_else() {
    for header in [
        "Accept",
        "Authorization",
        "Cache-Control",
        "Client-Cert",
        "Client-Cert-Chain",
        "Content-Type",
        "content_encoding",
        "Cookie",
        "DPoP",
        "If-None-Match",
        "Origin",
        "Sec-Fetch-Site",
        "Set-Cookie",
        "Signature-Input",
        "User-Agent",
        "X-HTTP-Method-Override",
    ] {
        for ours in ["X-Vestibule-User", "X-Vestibule-Identity"] {
            let ran = edited(&[(&format!("header = \"{ours}\""), &format!("header = \"{header}\""))]).check();
            refused_alone(&ran, &[".header`: `", "` has a meaning of its own", "hint: a name of its own"]);
        }
    }
    for header in ["Connection", "Content-Length", "Host", "Range", "TE", "Transfer-Encoding"] {
        let ran = edited(&[("header = \"X-Vestibule-User\"", &format!("header = \"{header}\""))]).check();
        refused_alone(&ran, &["`identity.user.header`: found `", "frames or routes the message"]);
    }
    accepted(&edited(&[("header = \"X-Vestibule-User\"", "header = \"X-Acceptance\"")]).check());
}

#[test]
fn a_key_that_nobody_can_fetch() {
    let admin = "[admin]\nlisten = \"127.0.0.1:19180\"\n";
    accepted(&of_process(&[(admin, "")]).check());
    let ran = of_process(&[(admin, ""), ("signing_keys = [\"secrets/identity.pem\"]\n", "")]).check();
    refused_alone(&ran, &["acme.toml: `identity.token`: cannot be checked by anybody", "`admin.listen`"]);
}
