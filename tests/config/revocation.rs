//! Fetching: settings that would do nothing are refused, and lists come in both forms.

use crate::edge_config::Folder;
use crate::{TENANT, accepted, edited, refused_alone};

const OCSP: &str = "ocsp = \"leaf\"\nocsp_responder = \"http://ocsp.example/\"\nocsp_nonce = \"off\"\nrevocation_hosts = [\"*.ca.example\"]\nallow_private_addresses = false\n";

fn with(lines: &str) -> Folder {
    edited(&[(OCSP, lines)])
}

#[test]
fn what_would_have_no_effect_is_refused() {
    for (lines, key, found) in [
        ("ocsp = \"on\"\n", "ocsp", "nobody can be asked"),
        ("ocsp = \"leaf\"\nrevocation_hosts = []\nocsp_nonce = \"require\"\n", "ocsp", "nobody can be asked"),
        ("revocation_hosts = []\nallow_private_addresses = true\n", "allow_private_addresses", "has no effect"),
        ("ocsp_responder = \"http://a/\"\n", "ocsp_responder", "has no effect: `ocsp` is `off`"),
        ("ocsp = \"off\"\nocsp_nonce = \"prefer\"\n", "ocsp_nonce", "has no effect: `ocsp` is `off`"),
        ("allow_private_addresses = true\n", "allow_private_addresses", "has no effect"),
    ] {
        refused_alone(&with(lines).check(), &[&format!("`trusted_ca.clients.{key}`: "), found]);
    }
}

#[test]
fn what_has_an_effect_is_accepted() {
    for lines in [
        "",
        "ocsp = \"off\"\nocsp_nonce = \"off\"\n",
        "ocsp = \"on\"\nocsp_responder = \"https://a/b?c\"\n",
        "ocsp = \"leaf\"\nrevocation_hosts = [\"ocsp.example\"]\nocsp_nonce = \"require\"\n",
        "revocation_hosts = [\"crl.example\", \"[2001:db8::1]:8080\"]\nallow_private_addresses = true\n",
    ] {
        accepted(&with(lines).check());
    }
}

#[test]
fn a_list_may_be_der() {
    let folder = Folder::good();
    let pem = pem::parse_many(folder.read("crl/clients.pem")).unwrap();
    folder.write_bytes("crl/clients.crl", pem[0].contents());
    folder.write_bytes("crl/root.crl", pem[1].contents());
    folder.edit(TENANT, "[\"crl/clients.pem\"]", "[\"crl/clients.crl\", \"crl/root.crl\"]");
    accepted(&folder.check());
    folder.write_bytes("crl/root.crl", &pem[1].contents()[..100]);
    refused_alone(&folder.check(), &["crl/root.crl", "is neither PEM nor a CRL in DER"]);
}
