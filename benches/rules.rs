//! What rules cost a request, for `scripts/bench-rules`, which counts the instructions of this program under valgrind.
//!
//! `cargo bench --bench rules -- KIND PLACE RULES REQUESTS`: so many requests through the stages behind the front door, with so
//! many rules on the request's own route (`own`) or on another one (`other`), which have criteria or expressions. The difference
//! between two numbers of requests is what they cost. What is printed is the time, in milliseconds, that loading the configuration
//! took: reading the files, checking and compiling the rules.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout, reason = "the time is its output")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Instant;

use http::{HeaderMap, HeaderValue, Method, header};
use vestibule::clock::UnixTime;
use vestibule::config;
use vestibule::front_door::AuthenticatedForward;
use vestibule::journey::{Decided, Findings};
use vestibule::request_head::{Connection, RequestHead, RequestTarget};
use vestibule::rules::Trace;
use vestibule::secret::Pepper;

const KEY: &str = "bench-key-0123456789abcdef0123456789abcdef";
const PEPPER: &str = "6a6f75726e65796a6f75726e65796a6f75726e65796a6f75726e65796a6f7572";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [kind, place, rules, requests] = arguments.as_slice() else {
        // `cargo bench` runs all benches; alone there is nothing to count.
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), kind, place, rules.parse().unwrap());
    let now = UnixTime(1_768_478_400);
    let start = Instant::now();
    let loaded = config::load(folder.path(), now).unwrap_or_else(|problems| panic!("{}", problems[0]));
    println!("{:.1}", start.elapsed().as_secs_f64() * 1000.0);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for _ in 0..requests.parse::<usize>().unwrap() {
        let forward = AuthenticatedForward::unremembered(&loaded.snapshot.directory, head(), now).unwrap();
        let mut findings = Findings::default();
        let deciding = loaded.snapshot.decide(forward, "bench", now, &mut findings, Trace::Off);
        assert!(matches!(black_box(runtime.block_on(deciding)), Ok(Decided::Permitted(_))));
    }
}

fn head() -> RequestHead {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_static("api.example"));
    headers.insert("cname-api-key", HeaderValue::from_static(KEY));
    headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.7"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("bench/1.0"));
    let connection = Connection::from_address(IpAddr::V4(Ipv4Addr::LOCALHOST));
    RequestHead { method: Method::GET, target: RequestTarget::parse("/own/1?a=1").unwrap(), headers, connection }
}

/// No rule matches: each is evaluated to its end.
fn write(folder: &Path, kind: &str, place: &str, rules: usize) {
    std::fs::create_dir_all(folder.join("tenants")).unwrap();
    std::fs::write(folder.join("pepper"), PEPPER).unwrap();
    std::fs::set_permissions(folder.join("pepper"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let process = "[server]\nlisten = [\"127.0.0.1:18080\"]\n[secrets]\npepper_file = \"pepper\"\n";
    std::fs::write(folder.join("vestibule.toml"), process).unwrap();
    let tag = Pepper::parse(PEPPER).unwrap().tag(KEY.as_bytes());
    let mut tenant = format!(
        "[[domains]]\nname = \"api.example\"\ncname_api_keys = [\"{tag}\"]\n[[front_doors]]\nname = \"nginx\"\nproofs = [\"api_key\"]\n\
         [policy]\nverification = \"off\"\n[upstreams.core]\nurl = \"http://127.0.0.1:9\"\n\
         [[routes]]\npath = \"/own/\"\nupstream = \"core\"\n[[routes]]\npath = \"/other/\"\nupstream = \"core\"\n"
    );
    for number in 0..rules {
        let condition = match kind {
            "criteria" => format!(
                "criteria = [[{{ variable = \"${{uri}}\", operator = \"starts_with\", argument = \"/own/\" }}, \
                 {{ conditional = \"and\", variable = \"${{http_user_agent}}\", operator = \"is_equal\", argument = \"{number}\" }}]]"
            ),
            _ => format!("when = 'request.uri.startsWith(\"/own/\") && request.http_user_agent == \"{number}\"'"),
        };
        let behaviors = "behaviors = [{ type = \"deny\" }]";
        let _ = write!(tenant, "[[rules]]\nname = \"{number}\"\nroutes = [\"/{place}/\"]\n{condition}\n{behaviors}\n");
    }
    std::fs::write(folder.join("tenants/bench.toml"), tenant).unwrap();
}
