//! What was imported, checked and served over HTTP: the same consumers as in Kong's order, and nobody else.

use crate::bank::{self, DOMAIN, KEY, Person, authorities, escaped, expired, leaf, person, person_of};
use crate::http_client::Answer;
use crate::pki::Leaf;
use crate::recording_upstream::RecordingUpstream;
use crate::set_up::{Imported, data};
use crate::vestibule_program::Vestibule;

struct Served {
    vestibule: Vestibule,
    upstream: RecordingUpstream,
}

impl Served {
    fn header_cert_auth() -> Self {
        let upstream = RecordingUpstream::start();
        let imported = Imported::kong(&data("kong/header-cert-auth.yml", upstream.port()), &[]);
        assert_eq!(imported.ran.code, 2, "{}", imported.ran.stderr);
        imported.fill_key("api-example-com");
        Self { vestibule: Vestibule::start(&imported.files()), upstream }
    }

    fn ask(&self, line: &str, person: Option<&Person>) -> Answer {
        let certificate =
            person.map_or_else(String::new, |person| format!("X-Client-Cert: {}\r\n", escaped(&person.certificate)));
        let head = format!(
            "{line} HTTP/1.1\r\nHost: api.example.com\r\nCname-Api-Key: {KEY}\r\nX-Forwarded-For: {}\r\n{certificate}\
             Content-Length: 0\r\nConnection: close\r\n\r\n",
            bank::CLIENT
        );
        self.vestibule.ask(head)
    }

    /// The username that the upstream was told, and by what it was found.
    #[track_caller]
    fn consumer(&self, line: &str, person: Option<&Person>) -> (String, String) {
        let answer = self.ask(line, person);
        let logged = self.vestibule.access_line(&answer);
        assert_eq!(answer.status, 200, "{line}: {logged}");
        let received = self.upstream.take_one();
        let by = logged["consumer.by"].as_str().unwrap_or_default().to_owned();
        (received.header("x-consumer-username").to_owned(), by)
    }

    #[track_caller]
    fn refused(&self, line: &str, person: Option<&Person>) -> (u16, String) {
        let answer = self.ask(line, person);
        let code = self.vestibule.code(&answer);
        assert!(!code.is_empty(), "{line} passed");
        assert!(self.upstream.take().is_empty());
        (answer.status, code)
    }
}

fn named(name: &str) -> Person {
    person(&leaf(name))
}

#[test]
fn the_same_consumers_as_in_kong() {
    let served = Served::header_cert_auth();
    // A credential for the issuing CA counts before one for every CA, and that before names.
    let table = [
        ("GET /", "two-ways", "scoped", "subject_name"),
        ("GET /", "by-hand", "any-ca", "subject_name"),
        ("GET /", "by-username", "by-username", "username"),
        ("GET /", "by-custom-id", "by-username", "custom_id"),
        ("GET /usernames/", "by-username", "by-username", "username"),
        ("GET /by-hand-alone/", "two-ways", "scoped", "subject_name"),
        ("GET /default/", "by-username", "by-username", "username"),
        ("GET /default/", "nobody", "everybody", "default_consumer"),
        ("GET /anonymous/", "by-username", "by-username", "username"),
        ("GET /anonymous/", "nobody", "guest", "anonymous"),
        ("GET /partners/", "two-ways", "scoped", "subject_name"),
        ("GET /not-partners/", "by-username", "by-username", "username"),
    ];
    for (line, name, username, by) in table {
        assert_eq!(served.consumer(line, Some(&named(name))), (username.to_owned(), by.to_owned()), "{line} {name}");
    }
    let unknown = (401, "consumer_unknown".to_owned());
    for (line, name) in [
        ("GET /", "nobody"),
        ("GET /", "everybody "),
        ("GET /usernames/", "by-custom-id"),
        ("GET /by-hand-alone/", "by-username"),
        // The credentials of the other plugin are not this one's.
        ("GET /", "of-the-other-plugin"),
    ] {
        assert_eq!(served.refused(line, Some(&named(name))), unknown, "{line} {name}");
    }
    // Names count for nothing where nobody trusts the issuer, and dates count.
    let forged = person_of(&authorities().stranger, &leaf("two-ways"));
    let late = person(&Leaf { dates: expired(), ..leaf("two-ways") });
    for person in [&forged, &late] {
        assert_eq!(served.refused("GET /", Some(person)).0, 401);
        assert_eq!(served.refused("GET /default/", Some(person)).0, 401);
        // In Kong anonymous takes everybody whose authentication failed.
        assert_eq!(served.consumer("GET /anonymous/", Some(person)), ("guest".to_owned(), "anonymous".to_owned()));
    }
    assert_eq!(served.consumer("GET /anonymous/", None).0, "guest");
    assert_eq!(served.refused("GET /", None), (401, "certificate_required".to_owned()));
    for (line, name) in [("GET /partners/", "by-username"), ("GET /not-partners/", "two-ways")] {
        assert_eq!(served.refused(line, Some(&named(name))), (403, "consumer_group_denied".to_owned()), "{line}");
    }
}

#[test]
fn without_a_lookup_the_certificate_stands_for_itself() {
    let served = Served::header_cert_auth();
    let answer = served.ask("GET /skipped/", Some(&named("nobody")));
    assert_eq!(answer.status, 200);
    let received = served.upstream.take_one();
    assert_eq!(received.header("x-consumer-id"), "");
    assert!(received.header("x-authenticated-groups").contains("CN=nobody"), "{received:?}");
    assert_eq!(served.refused("GET /skipped/", None).0, 401);
}

#[test]
fn what_kong_alone_could_guard_is_closed() {
    let served = Served::header_cert_auth();
    let good = named("by-username");
    // Its guard is key-auth: not even the good client comes through.
    assert_eq!(served.refused("GET /keys/1", Some(&good)), (403, "denied_by_rule".to_owned()));
    assert_eq!(served.consumer("POST /keys/1", Some(&named("two-ways"))).0, "scoped");
    // Not the route below whose path it is, which has another guard.
    assert_eq!(served.refused("GET /default/7/secret", Some(&good)), (403, "denied_by_rule".to_owned()));
    for near in ["GET /default/7/secret%0A", "GET /default/%37/secret", "GET /x/../default/7/secret", "GET //default/7/secret"]
    {
        assert_ne!(served.ask(near, Some(&named("nobody"))).status, 200, "{near}");
    }
    // Kong compares these paths with their escapes, and rules see them decoded.
    for escaped in
        ["/default/f/a/secret", "/default/f/%20/secret", "/default/f/a%0Ab/secret", "/default/g/%0A", "/default/g/%C3"]
    {
        assert_ne!(served.ask(&format!("GET {escaped}"), Some(&named("nobody"))).status, 200, "{escaped}");
    }
    assert_eq!(served.consumer("GET /default/h/a%20b", Some(&named("nobody"))).0, "everybody");
    assert_eq!(served.consumer("GET /default/x/secret", Some(&named("nobody"))).0, "everybody");
    let head = format!(
        "GET /default/ HTTP/1.1\r\nHost: api.example.com\r\nCname-Api-Key: {KEY}\r\nX-Forwarded-For: {}\r\nX-Version: 2\r\n\
         X-Client-Cert: {}\r\nConnection: close\r\n\r\n",
        bank::CLIENT,
        escaped(&good.certificate)
    );
    assert_eq!(served.vestibule.code(&served.vestibule.ask(head)), "denied_by_rule");
    assert!(served.upstream.take().is_empty());
}

#[test]
fn paths_are_rewritten_as_in_kong() {
    let served = Served::header_cert_auth();
    let good = named("two-ways");
    for (line, target) in [
        ("GET /rewritten/a/b?x=1&y=%2F", "/base/a/b?x=1&y=%2F"),
        ("GET /rewritten/with%20space", "/base/with%20space"),
        ("GET /rewritten/a%0Ab", "/base/a%0Ab"),
        ("GET /rewritten", "/base/"),
        // Its route leaves the path.
        ("PUT /rewritten/a", "/base/rewritten/a"),
        ("GET /usernames", "/usernames"),
    ] {
        let answer = served.ask(line, Some(&good));
        assert_eq!(answer.status, 200, "{line} {}", served.vestibule.code(&answer));
        assert_eq!(served.upstream.take_one().target, target, "{line}");
    }
}

/// The longest path is not everything there: a method counts as much.
#[test]
fn the_route_is_the_one_that_kong_takes() {
    let served = Served::header_cert_auth();
    let stranger = named("nobody");
    assert_eq!(served.consumer("GET /default/", Some(&stranger)).0, "everybody");
    assert_eq!(served.refused("POST /default/", Some(&stranger)), (401, "consumer_unknown".to_owned()));
    assert_eq!(served.consumer("POST /default/", Some(&named("two-ways"))).0, "scoped");
    assert_eq!(served.refused("POST /anonymous/", None).0, 401);
}

/// The bodies that Kong's clients know.
#[test]
fn refusals_speak_as_kong() {
    let served = Served::header_cert_auth();
    let message = |answer: &Answer| -> String {
        let body: serde_json::Value = serde_json::from_str(&answer.text()).unwrap();
        body["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(message(&served.ask("GET /", None)), "No required TLS certificate was sent");
    assert_eq!(message(&served.ask("GET /", Some(&named("nobody")))), "TLS certificate failed verification");
    assert_eq!(message(&served.ask("GET /partners/", Some(&named("by-username")))), "You cannot consume this service");
}

/// Kong's own handshakes become ours: nothing is to be filled in.
#[test]
fn handshakes_of_our_own() {
    let upstream = RecordingUpstream::start();
    let server = bank::server();
    let quoted = |text: Vec<u8>| serde_json::to_string(&String::from_utf8(text).unwrap()).unwrap();
    let text = data("kong/mtls-auth.yml", upstream.port());
    let text = text.replace("{SERVER}", &quoted(server.certificate.to_pem().unwrap()));
    let text = text
        .replace("journey.bank.example", DOMAIN)
        .replace("{SERVER_KEY}", &quoted(server.key.private_key_to_pem_pkcs8().unwrap()));
    let imported = Imported::kong(&text, &[]);
    let checked = imported.check();
    assert_eq!(checked.code, 0, "{}", checked.stderr);
    let key = std::fs::metadata(imported.folder().join("tls/server-1.key")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777, 0o600);
    let vestibule = Vestibule::start(&imported.files());
    let ask = |path: &str, person: Option<&Person>| {
        let dir = tempfile::tempdir().unwrap();
        let mut curl = std::process::Command::new("curl");
        let url = format!("https://{DOMAIN}:{}{path}", vestibule.port());
        let resolve = format!("{DOMAIN}:{}:127.0.0.1", vestibule.port());
        curl.args(["-sk", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code}", "--resolve", &resolve, &url]);
        if let Some(person) = person {
            let both = [person.certificate.to_pem().unwrap(), person.key.private_key_to_pem_pkcs8().unwrap()].concat();
            std::fs::write(dir.path().join("both.pem"), both).unwrap();
            curl.arg("--cert").arg(dir.path().join("both.pem"));
        }
        let output = curl.output().unwrap();
        let username = upstream.take().first().map(|received| received.header("x-consumer-username").to_owned());
        (String::from_utf8(output.stdout).unwrap(), username)
    };
    let passes = |name: &str| ("200".to_owned(), Some(name.to_owned()));
    let refused = ("401".to_owned(), None);
    assert_eq!(ask("/", Some(&named("known"))), passes("payments"));
    assert_eq!(ask("/", Some(&named("payments"))), passes("payments"));
    assert_eq!(ask("/", Some(&named("unknown"))), refused);
    assert_eq!(ask("/", None), refused);
    // Known by a CA of the same name that nobody trusts.
    assert_eq!(ask("/", Some(&person_of(&authorities().stranger, &leaf("known")))), refused);
    assert_eq!(ask("/guests", None), passes("guest"));
}
