//! Rules on a request that means harm: line feeds and names of headers wherever a client can write something.

use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, LazyLock};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use vestibule::admission::{Admission, Demands};
use vestibule::clock::UnixTime;
use vestibule::config;
use vestibule::front_door::AuthenticatedForward;
use vestibule::journey::Snapshot;
use vestibule::presented::Presentation;
use vestibule::refusal::Refused;
use vestibule::request_head::{Connection, RequestHead, RequestTarget};
use vestibule::rules::{Behavior, Condition, Facts, Known, List, ListKind, Outcome, Rule, RuleSet, Trace};
use vestibule::secret::Pepper;
use vestibule::x509::pem_text;

use crate::support::pki::{Leaf, new_key, self_signed_by};

const KEY: &str = "fuzz-key-0123456789abcdef0123456789abcdef";
const PEPPER: &str = "6a6f75726e65796a6f75726e65796a6f75726e65796a6f75726e65796a6f7572";
/// The instant of tests/support/pki.rs.
const NOW: UnixTime = UnixTime(1_768_478_400);

struct Fixture {
    snapshot: Snapshot,
    certificate: String,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("vestibule-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("tenants")).unwrap();
    std::fs::write(folder.join("pepper"), PEPPER).unwrap();
    std::fs::set_permissions(folder.join("pepper"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let process = "[server]\nlisten = [\"127.0.0.1:18080\"]\n[secrets]\npepper_file = \"pepper\"\n";
    std::fs::write(folder.join("vestibule.toml"), process).unwrap();
    let tag = Pepper::parse(PEPPER).unwrap().tag(KEY.as_bytes());
    let tenant = format!(
        "[[domains]]\nname = \"api.example\"\ncname_api_keys = [\"{tag}\"]\n[[front_doors]]\nname = \"nginx\"\n\
         proofs = [\"api_key\"]\n[policy]\nverification = \"off\"\n[upstreams.core]\nurl = \"http://127.0.0.1:9\"\n\
         [[routes]]\npath = \"/\"\nupstream = \"core\"\n"
    );
    std::fs::write(folder.join("tenants/fuzz.toml"), tenant).unwrap();
    let loaded = config::load(&folder, NOW).unwrap_or_else(|problems| panic!("{}", problems[0]));
    std::fs::remove_dir_all(&folder).unwrap();
    let leaf = Leaf { dns: vec!["a.example".into(), "b.example".into()], ..Leaf::named("a\r\nX-Evil: 1,CN=b/CN=c") };
    let certificate = self_signed_by(&leaf, &new_key());
    Fixture { snapshot: loaded.snapshot, certificate: pem_text::escaped(&certificate.to_der().unwrap()) }
});

/// What rules may name: a list of each kind and one that could not be read.
pub static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let list = |name: &str, kind, entry: &str| Some(Arc::new(List::new(name, kind, [entry]).unwrap()));
    Known {
        lists: [
            ("hosts".to_owned(), list("hosts", ListKind::Strings, "api.example")),
            ("office".to_owned(), list("office", ListKind::IpCidr, "192.0.2.0/24")),
            ("prints".to_owned(), list("prints", ListKind::Fingerprints, &"ab".repeat(32))),
            ("broken".to_owned(), None),
        ]
        .into(),
        upstreams: vec!["core".into()],
        geoip: None,
        forwarded_proto: false,
    }
});

/// What one rule of the request phase makes of the request.
pub fn decided(condition: Condition, behaviors: Vec<Behavior>) -> Result<Outcome, Refused> {
    let Fixture { snapshot, certificate } = &*FIXTURE;
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("host", "api.example"),
        ("cname-api-key", KEY),
        ("x-forwarded-for", "192.0.2.7"),
        ("client-certificate", certificate),
        ("cookie", "a=1; b=%0d%0aX-Evil: 1; c=\"x\""),
        ("x-kind", "?%0a#\t/../\\"),
    ] {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    let target = RequestTarget::parse("/one/two%0d%0aX-Evil:%201/%3f?a=%0d%0a&b=c%23").unwrap();
    let connection = Connection::from_address("127.0.0.1".parse().unwrap());
    let head = RequestHead { method: Method::GET, target, headers, connection };
    let forward = AuthenticatedForward::unremembered(&snapshot.directory, head, NOW).unwrap();
    let tenant = snapshot.tenant(&forward).unwrap();
    let route = tenant.routes().next().unwrap();
    let presentation = Presentation::read(&forward, &snapshot.decoder).unwrap();
    let demands = Demands {
        policy: &route.policy.admission,
        registered: &route.policy.registered,
        profiles: &tenant.profiles,
        verdict_mode: forward.verdict_mode(),
    };
    let admission = Admission::decide(&presentation, None, None, &demands).unwrap();
    let facts = Facts::new(&presentation, &admission, NOW);
    let rules = RuleSet { request: vec![Arc::new(Rule::new("fuzzed", condition, behaviors))], ..RuleSet::default() };
    rules.decide(forward, &facts, "fuzz-0001", Trace::Off, &mut Vec::new())
}
