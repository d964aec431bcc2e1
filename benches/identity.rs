//! What identity headers cost a request, for `scripts/bench-identity`, which counts the instructions of this program under valgrind.
//!
//! `cargo bench --bench identity -- KIND REQUESTS`: so many requests of one client through the stages behind the front door;
//! upstreams are told nothing (`none`), get a token that is kept (`kept`), one that is signed for each request (`es256`, `eddsa`), or
//! the user object (`user`). Nothing is measured here: the difference between two numbers of requests is what they cost.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use http::{HeaderMap, HeaderValue, Method, header};
use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sha::sha256;
use openssl::x509::extension::ExtendedKeyUsage;
use openssl::x509::{X509, X509NameBuilder};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use vestibule::clock::UnixTime;
use vestibule::config;
use vestibule::front_door::AuthenticatedForward;
use vestibule::journey::{Decided, Findings};
use vestibule::request_head::{Connection, RequestHead, RequestTarget};
use vestibule::rules::Trace;
use vestibule::secret::Pepper;

const KEY: &str = "bench-key-0123456789abcdef0123456789abcdef";
const PEPPER: &str = "6a6f75726e65796a6f75726e65796a6f75726e65796a6f75726e65796a6f7572";
/// What nginx leaves unescaped.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const NOW: i64 = 1_768_478_400;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [kind, requests] = arguments.as_slice() else {
        // `cargo bench` runs all benches; alone there is nothing to count.
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let client = client();
    write(folder.path(), kind, &client);
    let loaded = config::load(folder.path(), UnixTime(NOW)).unwrap_or_else(|problems| panic!("{}", problems[0]));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    // A token is signed anew when half of its minute is over.
    let step = if ["es256", "eddsa"].contains(&kind.as_str()) { 40 } else { 0 };
    for at in 0..requests.parse::<i64>().unwrap() {
        let now = UnixTime(NOW + at * step);
        let forward = AuthenticatedForward::unremembered(&loaded.snapshot.directory, head(&client), now).unwrap();
        let mut findings = Findings::default();
        let deciding = loaded.snapshot.decide(forward, "bench", now, &mut findings, Trace::Off);
        assert!(matches!(black_box(runtime.block_on(deciding)), Ok(Decided::Permitted(_))));
    }
}

fn p256() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// A client that the route has registered, so that no CA is needed.
fn client() -> X509 {
    let key = p256();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_nid(Nid::ORGANIZATIONNAME, "Bench").unwrap();
    name.append_entry_by_nid(Nid::COMMONNAME, "client.bench.example").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(NOW - 86_400).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(NOW + 300 * 86_400).unwrap()).unwrap();
    builder.append_extension(ExtendedKeyUsage::new().client_auth().build().unwrap()).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    builder.build()
}

fn head(client: &X509) -> RequestHead {
    let pem = String::from_utf8(client.to_pem().unwrap()).unwrap();
    let escaped = utf8_percent_encode(&pem, UNRESERVED).to_string();
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_static("api.example"));
    headers.insert("cname-api-key", HeaderValue::from_static(KEY));
    headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.7"));
    headers.insert("client-certificate", HeaderValue::from_str(&escaped).unwrap());
    headers.insert("client-certificate-ca-verified", HeaderValue::from_static("FAILED:self-signed certificate"));
    let connection = Connection::from_address(IpAddr::V4(Ipv4Addr::LOCALHOST));
    RequestHead { method: Method::GET, target: RequestTarget::parse("/").unwrap(), headers, connection }
}

fn write(folder: &Path, kind: &str, client: &X509) {
    let pin = hex::encode(sha256(&client.to_der().unwrap()));
    let key = if kind == "eddsa" { PKey::generate_ed25519().unwrap() } else { p256() };
    let told = match kind {
        "none" => "",
        "user" => "[identity.user]\n",
        _ => "[identity.token]\nissuer = \"https://edge.example\"\naudience = \"https://core.example\"\n",
    };
    let tag = Pepper::parse(PEPPER).unwrap().tag(KEY.as_bytes());
    let tenant = format!(
        "{told}[[domains]]\nname = \"api.example\"\ncname_api_keys = [\"{tag}\"]\n[[front_doors]]\nname = \"nginx\"\nproofs = [\"api_key\"]\n\
         [policy]\nself_signed_certificates = [\"sha256:{pin}\"]\n[upstreams.core]\nurl = \"http://127.0.0.1:9\"\n\
         [[routes]]\npath = \"/\"\nupstream = \"core\"\n"
    );
    let process = "[server]\nlisten = [\"127.0.0.1:18080\"]\n[secrets]\npepper_file = \"pepper\"\n\
                   [identity]\nsigning_keys = [\"identity.pem\"]\n";
    std::fs::create_dir_all(folder.join("tenants")).unwrap();
    for (file, text) in [
        ("vestibule.toml", process.as_bytes()),
        ("tenants/bench.toml", tenant.as_bytes()),
        ("pepper", PEPPER.as_bytes()),
        ("identity.pem", key.private_key_to_pem_pkcs8().unwrap().as_slice()),
    ] {
        std::fs::write(folder.join(file), text).unwrap();
    }
}
