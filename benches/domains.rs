//! What a request costs beside many custom domains, for `scripts/bench-domains`, which counts the instructions of this program
//! under valgrind.
//!
//! `cargo bench --bench domains -- DOMAINS REQUESTS`: so many requests for one of so many custom domains, through the proof of the
//! front door and the decision. Nothing is measured here: the difference between two numbers of requests is what they cost.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, header};
use vestibule::clock::UnixTime;
use vestibule::config;
use vestibule::front_door::{AuthenticatedForward, CustomDomain, CustomDomains, CustomKey, KeyUse};
use vestibule::journey::{Decided, Findings};
use vestibule::request_head::{Connection, RequestHead, RequestTarget};
use vestibule::rules::Trace;
use vestibule::secret::Pepper;

const KEY: &str = "bench-key-0123456789abcdef0123456789abcdef";
const PEPPER: &str = "6a6f75726e65796a6f75726e65796a6f75726e65796a6f75726e65796a6f7572";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [domains, requests] = arguments.as_slice() else {
        // `cargo bench` runs all benches; alone there is nothing to count.
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let now = UnixTime(1_768_478_400);
    let mut loaded = config::load(folder.path(), now).unwrap_or_else(|problems| panic!("{}", problems[0]));
    let pepper = Arc::new(Pepper::parse(PEPPER).unwrap());
    let (custom, tag) = (Arc::new(CustomDomains::default()), pepper.tag(KEY.as_bytes()));
    for number in 0..domains.parse::<u32>().unwrap() {
        let (name, origin) = (format!("d{number:06}.many.example"), format!("cd-{number:016}.edge.example"));
        let uses = Arc::new(KeyUse::new(0, None));
        let key = CustomKey { id: format!("key_{number:016}").into(), tag: tag.clone(), until: None, uses };
        custom.set(CustomDomain::new((&name, &origin), true, None, &pepper, vec![key]));
    }
    loaded.snapshot.directory.attach(&custom);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for _ in 0..requests.parse::<usize>().unwrap() {
        let forward = AuthenticatedForward::unremembered(&loaded.snapshot.directory, head(), now).unwrap();
        let mut findings = Findings::default();
        let deciding = loaded.snapshot.decide(forward, "bench", now, &mut findings, Trace::Off);
        assert!(matches!(black_box(runtime.block_on(deciding)), Ok(Decided::Permitted(_))));
    }
    // What is built is not torn down: that is no part of a request.
    std::mem::forget((loaded, custom));
}

fn head() -> RequestHead {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_static("d000000.many.example"));
    headers.insert("cname-api-key", HeaderValue::from_static(KEY));
    headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.7"));
    let connection = Connection::from_address(IpAddr::V4(Ipv4Addr::LOCALHOST));
    RequestHead { method: Method::GET, target: RequestTarget::parse("/").unwrap(), headers, connection }
}

fn write(folder: &Path) {
    std::fs::create_dir_all(folder.join("tenants")).unwrap();
    std::fs::write(folder.join("pepper"), PEPPER).unwrap();
    std::fs::set_permissions(folder.join("pepper"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let tag = Pepper::parse(PEPPER).unwrap().tag(b"token");
    let process = format!(
        "[server]\nlisten = [\"127.0.0.1:18080\"]\n[admin]\nlisten = \"127.0.0.1:19180\"\n[secrets]\npepper_file = \"pepper\"\n\
         [management]\ntenant = \"bench\"\nfront_door = \"nginx\"\norigin_domain = \"edge.example\"\n\
         [[management.tokens]]\nname = \"bench\"\ntag = \"{tag}\"\nscopes = [\"read:custom_domains\"]\n"
    );
    std::fs::write(folder.join("vestibule.toml"), process).unwrap();
    let tenant = "[[front_doors]]\nname = \"nginx\"\nproofs = [\"api_key\"]\n[policy]\nverification = \"off\"\n\
                  [upstreams.core]\nurl = \"http://127.0.0.1:9\"\n[[routes]]\npath = \"/\"\nupstream = \"core\"\n";
    std::fs::write(folder.join("tenants/bench.toml"), tenant).unwrap();
}
