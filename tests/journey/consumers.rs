//! Consumers: who is found by which certificate, what the upstream is told, and who is refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use openssl::sha::sha256;

use crate::bank::{Bank, Person, Request, Tenant, authorities, escaped, expired, files, good, leaf, person, person_of};
use crate::der_writer::{attribute, name, oid, sequence, tlv};
use crate::http_client::Answer;
use crate::pki::{Leaf, new_key, self_signed_by};
use crate::recording_upstream::{Received, RecordingUpstream};
use crate::vestibule_program::{Vestibule, wait_until};

/// Every header that tells a consumer.
const HEADERS: [&str; 9] = [
    "x-consumer-id",
    "x-consumer-custom-id",
    "x-consumer-username",
    "x-consumer-groups",
    "x-credential-identifier",
    "x-anonymous-consumer",
    "x-authenticated-groups",
    "x-client-cert-dn",
    "x-client-cert-san",
];

const DNS: u8 = 0x82;
const EMAIL: u8 = 0x81;
const URI: u8 = 0x86;
const IP: u8 = 0x87;
const DIRECTORY_NAME: u8 = 0xA4;

/// A certificate with a common name and alternative names in this order.
fn named(common_name: &str, names: &[(u8, &[u8])]) -> Leaf {
    let names: Vec<Vec<u8>> = names.iter().map(|(tag, content)| tlv(*tag, content)).collect();
    let extra = if names.is_empty() { vec![] } else { vec![("2.5.29.17", false, sequence(&names))] };
    Leaf { extra, ..leaf(common_name) }
}

fn digest(der: &[u8]) -> String {
    format!("sha256:{}", hex::encode(sha256(der)))
}

fn fingerprint(person: &Person) -> String {
    digest(&person.certificate.to_der().unwrap())
}

fn key_pin(person: &Person) -> String {
    format!("spki-{}", digest(&person.key.public_key_to_der().unwrap()))
}

/// A tenant with these consumers, and routes below `/c/` with these policies. The good client of other tests is known.
fn tenant(consumers: &str, routes: &[(&str, &str)]) -> Tenant {
    let mut tables = format!("[[consumers]]\nid = \"c-good\"\nusername = \"good\"\n{consumers}\n");
    for (path, policy) in routes {
        let _ = write!(tables, "[[routes]]\npath = \"/c/{path}\"\nupstream = \"core\"\npolicy = {{ {policy} }}\n");
    }
    Tenant { tables, ..Tenant::default() }
}

fn told(received: &Received) -> BTreeMap<&'static str, String> {
    HEADERS.into_iter().map(|name| (name, received.header(name).to_owned())).filter(|(_, value)| !value.is_empty()).collect()
}

/// Asks, and returns what the upstream was told.
#[track_caller]
fn passes(bank: &Bank, path: &str, person: Option<&Person>) -> (BTreeMap<&'static str, String>, serde_json::Value) {
    let request = Request::get(path);
    let request = person.map_or_else(|| request.clone().of_nobody(), |person| request.clone().of(person));
    let answer = bank.vestibule.ask(request.text());
    assert_eq!(answer.status, 200, "{path}: {}", bank.vestibule.code(&answer));
    (told(&bank.upstream.take_one()), bank.vestibule.access_line(&answer))
}

#[track_caller]
fn is(bank: &Bank, path: &str, person: &Person, id: &str, by: &str) {
    let (told, line) = passes(bank, path, Some(person));
    assert_eq!(line["consumer.by"], by, "{path} {line}");
    assert_eq!((line["consumer.id"].as_str(), told.get("x-consumer-id").map(String::as_str)), (Some(id), Some(id)), "{path}");
}

#[track_caller]
fn unknown(bank: &Bank, path: &str, person: &Person) -> Answer {
    let answer = bank.vestibule.ask(Request::get(path).of(person).text());
    assert_eq!(bank.refused(&answer, 401), "consumer_unknown", "{path}");
    answer
}

#[test]
fn kongs_order() {
    let itself = person(&leaf("n1"));
    let by_key = person(&leaf("n1"));
    let by_serial = person(&Leaf { serial: 0xC0DE, ..leaf("n1") });
    let issuing = digest(&authorities().issuing.certificate.to_der().unwrap());
    let root = digest(&authorities().root.certificate.to_der().unwrap());
    let stranger = digest(&authorities().stranger.certificate.to_der().unwrap());
    let consumers = format!(
        r#"
[[consumers]]
id = "itself"
credentials = [{{ certificate = "{}" }}, {{ certificate = "{}" }},
  {{ certificate = "issuer-serial:c0de CN=Journey Issuing,O=Vestibule Test" }}]
[[consumers]]
id = "scoped"
credentials = [{{ id = "k-1", subject_name = "n1", ca_certificate = "{issuing}" }}, {{ subject_name = "n0", ca_certificate = "{root}" }}]
[[consumers]]
id = "of-another-ca"
credentials = [{{ subject_name = "n2", ca_certificate = "{stranger}" }}]
[[consumers]]
id = "of-any-ca"
credentials = [{{ subject_name = "n1" }}, {{ id = "k-2", subject_name = "n2" }}]
[[consumers]]
id = "n1"
username = "n1"
[[consumers]]
id = "two"
username = "n2"
custom_id = "n1"
[[consumers]]
id = "named"
username = "n3"
[[consumers]]
id = "customed"
custom_id = "n3"
[[consumers]]
id = "four"
custom_id = "n4"
groups = ["g", "h"]
tags = ["t"]
[[consumers]]
id = "nobody-else"
username = "the default"
[[consumers]]
id = "anyone"
username = "n4x"
"#,
        fingerprint(&itself),
        key_pin(&by_key),
    );
    let routes = [
        ("", ""),
        ("by-hand/", "consumer_by = []"),
        ("custom/", "consumer_by = [\"custom_id\"]"),
        ("default/", "default_consumer = \"the default\""),
        ("anonymous/", "anonymous = \"anyone\""),
        ("both/", "default_consumer = \"nobody-else\", anonymous = \"anyone\", allow_unauthenticated_requests = true"),
        ("permissive/", "verification = \"permissive\""),
    ];
    let bank = Bank::with(&tenant(&consumers, &routes));
    let [n0, n1, n2, n3, n4, n5] = ["n0", "n1", "n2", "n3", "n4", "n5"].map(|name| person(&leaf(name)));
    for (person, path, id, by) in [
        (&itself, "/c/", "itself", "sha256"),
        (&by_key, "/c/", "itself", "spki-sha256"),
        (&by_serial, "/c/", "itself", "issuer-serial"),
        (&n1, "/c/", "scoped", "subject_name"),
        (&n0, "/c/", "scoped", "subject_name"),
        (&n2, "/c/", "of-any-ca", "subject_name"),
        (&n3, "/c/", "named", "username"),
        (&n4, "/c/", "four", "custom_id"),
        (&n1, "/c/by-hand/", "scoped", "subject_name"),
        (&n3, "/c/custom/", "customed", "custom_id"),
        (&n3, "/c/default/", "named", "username"),
        (&n5, "/c/default/", "nobody-else", "default_consumer"),
        (&n5, "/c/anonymous/", "anyone", "anonymous"),
        (&n5, "/c/both/", "nobody-else", "default_consumer"),
    ] {
        is(&bank, path, person, id, by);
    }
    for (person, path) in [(&n5, "/c/"), (&n5, "/c/by-hand/"), (&n3, "/c/by-hand/"), (&n4, "/c/by-hand/")] {
        let answer = unknown(&bank, path, person);
        assert_eq!(answer.json()["message"], "The client certificate was not accepted.");
    }
    // Everybody passes where the rules decide, and is nobody.
    let (told, line) = passes(&bank, "/c/permissive/", Some(&n5));
    assert!(told.is_empty() && line.get("consumer.id").is_none(), "{told:?} {line}");
    // What the upstream is told: the whole of it.
    let (told, line) = passes(&bank, "/c/", Some(&n4));
    assert_eq!(
        told,
        BTreeMap::from([
            ("x-consumer-id", "four".into()),
            ("x-consumer-custom-id", "n4".into()),
            ("x-consumer-groups", "g, h".into())
        ])
    );
    assert!(line.get("consumer.username").is_none());
    let (told, line) = passes(&bank, "/c/", Some(&n2));
    assert_eq!(told["x-credential-identifier"], "k-2");
    assert_eq!(line["consumer.credential"], "k-2");
    let (told, _) = passes(&bank, "/c/anonymous/", Some(&n5));
    assert_eq!(
        told,
        BTreeMap::from([
            ("x-consumer-id", "anyone".into()),
            ("x-consumer-username", "n4x".into()),
            ("x-anonymous-consumer", "true".into())
        ])
    );
    bank.assert_still_serves();
}

#[test]
fn subject_names_type_by_type() {
    let mut consumers = String::new();
    for name in
        ["dns.example", "mail@b.example", "urn:u", "192.0.2.1", "2001:db8::1", "dir-cn", "dir-o", "cn", "*.wild.example"]
    {
        let _ = write!(consumers, "[[consumers]]\nid = \"{name}\"\nusername = \"{name}\"\n");
    }
    let routes = [
        ("", ""),
        ("dir-o/", "san_dirname_matcher = [\"organizationName\"]"),
        ("dir-cn/", "san_dirname_matcher = [\"2.5.4.3\"]"),
    ];
    let bank = Bank::with(&tenant(&consumers, &routes));
    let text = |text: &str| tlv(0x0C, text.as_bytes());
    let directory_name =
        name(&[vec![attribute(&oid("2.5.4.10"), &text("dir-o"))], vec![attribute(&oid("2.5.4.3"), &text("dir-cn"))]]);
    let ipv6: [u8; 16] = "2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap().octets();
    let all: [(u8, &[u8]); 6] = [
        (DIRECTORY_NAME, &directory_name),
        (IP, &ipv6),
        (IP, &[192, 0, 2, 1]),
        (URI, b"urn:u"),
        (EMAIL, b"mail@b.example"),
        (DNS, b"dns.example"),
    ];
    // In the certificate the names stand the other way round. The first type loses its name, and the next one is found.
    for (count, id) in [(6, "dns.example"), (5, "mail@b.example"), (4, "urn:u"), (3, "2001:db8::1"), (1, "dir-o")] {
        is(&bank, "/c/", &person(&named("cn", &all[..count])), id, "username");
    }
    is(&bank, "/c/", &person(&named("cn", &[(IP, &[192, 0, 2, 1])])), "192.0.2.1", "username");
    is(&bank, "/c/dir-o/", &person(&named("cn", &all[..1])), "dir-o", "username");
    is(&bank, "/c/dir-cn/", &person(&named("cn", &all[..1])), "dir-cn", "username");
    is(&bank, "/c/", &person(&leaf("cn")), "cn", "username");
    is(&bank, "/c/", &person(&named("cn", &[(DNS, b"*.wild.example")])), "*.wild.example", "username");
    // The common name does not count beside the extension, and letters have a case.
    for names in [&[(DNS, &b"other.example"[..])][..], &[(DNS, b"DNS.example")], &[(DNS, b"a.wild.example")]] {
        unknown(&bank, "/c/", &person(&named("cn", names)));
    }
    for name in ["CN", "cn ", "c", "cn,O=x", "dir-o,dir-cn"] {
        unknown(&bank, "/c/", &person(&leaf(name)));
    }
}

#[test]
fn uris_and_subject_attributes() {
    let consumers = r#"
[[consumers]]
id = "workload"
credentials = [{ san_uri = "spiffe://bank.example/payments" }, { san_uri = "urn:plain" }]
[[consumers]]
id = "payments"
credentials = [{ subject = { O = "Vestibule Test", OU = "Payments" } }]
[[consumers]]
id = "organization"
credentials = [{ subject = { "2.5.4.10" = "Vestibule Test" } }]
"#;
    let bank = Bank::with(&tenant(consumers, &[("", "")]));
    let of = |names: &[(u8, &[u8])]| person(&named("x", names));
    let spiffe: (u8, &[u8]) = (URI, b"spiffe://bank.example/payments");
    is(&bank, "/c/", &of(&[spiffe]), "workload", "san_uri");
    is(&bank, "/c/", &of(&[(DNS, b"a.example"), spiffe]), "workload", "san_uri");
    is(&bank, "/c/", &of(&[(URI, b"urn:other"), (URI, b"urn:plain")]), "workload", "san_uri");
    // An SVID has one URI. This one is known by its subject alone.
    is(&bank, "/c/", &of(&[(URI, b"urn:other"), spiffe]), "organization", "subject");
    is(&bank, "/c/", &person(&leaf("spiffe://bank.example/payments")), "organization", "subject");
    let with = |attributes: Vec<(&'static str, String)>| person(&Leaf { attributes, ..leaf("x") });
    is(&bank, "/c/", &with(vec![("2.5.4.11", "Payments".into())]), "payments", "subject");
    is(&bank, "/c/", &with(vec![("2.5.4.11", "IT".into()), ("2.5.4.11", "Payments".into())]), "payments", "subject");
    is(&bank, "/c/", &with(vec![("2.5.4.11", "payments".into())]), "organization", "subject");
    is(&bank, "/c/", &with(vec![("2.5.4.12", "Payments".into())]), "organization", "subject");
}

#[test]
fn only_verified_identities_become_consumers() {
    let registered = {
        let key = new_key();
        Person { certificate: self_signed_by(&leaf("alice"), &key), key }
    };
    let pinned = {
        let key = new_key();
        Person { certificate: self_signed_by(&leaf("alice"), &key), key }
    };
    let consumers = format!(
        "[[consumers]]\nid = \"alice\"\nusername = \"alice\"\ncredentials = [{{ subject_name = \"a2\" }}, {{ san_uri = \"urn:a\" }}]\n\
         [[consumers]]\nid = \"guest\"\nusername = \"guest\"\n[[consumers]]\nid = \"pinned\"\ncredentials = [{{ certificate = \"{}\" }}]\n",
        fingerprint(&pinned)
    );
    let own = format!("self_signed_certificates = [\"{}\", \"{}\"]", fingerprint(&registered), fingerprint(&pinned));
    let routes = [
        ("", ""),
        ("permissive/", "verification = \"permissive\""),
        ("guests/", "verification = \"permissive\", anonymous = \"guest\", default_consumer = \"alice\""),
        ("public/", "allow_unauthenticated_requests = true"),
        ("public-guests/", "allow_unauthenticated_requests = true, anonymous = \"guest\""),
        ("own/", own.as_str()),
        ("own-guests/", &format!("{own}, default_consumer = \"guest\"")),
        ("off/", "verification = \"off\""),
        ("grace/", "allow_expired_certificates = true"),
    ];
    let bank = Bank::with(&tenant(&consumers, &routes));
    is(&bank, "/c/", &person(&leaf("alice")), "alice", "username");
    let forged = Person { certificate: authorities().issuing.forge(&leaf("alice")), key: new_key() };
    let of_stranger = person_of(&authorities().stranger, &leaf("alice"));
    let mapped = person_of(&authorities().stranger, &named("a2", &[(URI, b"urn:a")]));
    let old = person(&Leaf { dates: expired(), ..leaf("alice") });
    for bad in [&forged, &of_stranger, &mapped, &old, &registered] {
        for path in ["/c/", "/c/public/", "/c/public-guests/"] {
            let answer = bank.vestibule.ask(Request::get(path).of(bad).text());
            assert!(bank.refused(&answer, 401).starts_with("certificate_"));
            assert!(bank.vestibule.access_line(&answer).get("consumer.id").is_none());
        }
        let (told, line) = passes(&bank, "/c/permissive/", Some(bad));
        assert!(told.is_empty() && line.get("consumer.id").is_none(), "{told:?}");
        is(&bank, "/c/guests/", bad, "guest", "anonymous");
        let (told, _) = passes(&bank, "/c/off/", Some(bad));
        assert!(told.is_empty(), "{told:?}");
    }
    let (told, _) = passes(&bank, "/c/public/", None);
    assert!(told.is_empty(), "{told:?}");
    for path in ["/c/public-guests/", "/c/guests/"] {
        let (told, line) = passes(&bank, path, None);
        assert_eq!((told["x-consumer-id"].as_str(), told["x-anonymous-consumer"].as_str()), ("guest", "true"));
        assert_eq!(line["consumer.by"], "anonymous");
    }
    // What passes by its thumbprint has nobody's word for its names.
    unknown(&bank, "/c/own/", &registered);
    is(&bank, "/c/own-guests/", &registered, "guest", "default_consumer");
    is(&bank, "/c/own/", &pinned, "pinned", "sha256");
    // What was waived was verified.
    is(&bank, "/c/grace/", &old, "alice", "username");
}

#[test]
fn a_trusted_certificate_may_be_enough() {
    let routes = [
        ("cn/", "skip_consumer_lookup = true"),
        ("dn/", "skip_consumer_lookup = true, authenticated_group_by = \"DN\""),
        ("only/", "skip_consumer_lookup = true, allow_groups = [\"team-a\"]"),
        ("not/", "skip_consumer_lookup = true, deny_groups = [\"team-a\"]"),
        ("permissive/", "skip_consumer_lookup = true, verification = \"permissive\""),
    ];
    let bank = Bank::with(&tenant("", &routes));
    let team = person(&named("team-a", &[(DNS, b"a.example"), (URI, b"urn:a,DNS:b%41")]));
    let san = "a.example, urn:a%2CDNS:b%2541".to_owned();
    let dn = "CN=team-a,O=Vestibule Test".to_owned();
    let (told, line) = passes(&bank, "/c/cn/", Some(&team));
    assert_eq!(
        told,
        BTreeMap::from([
            ("x-authenticated-groups", "team-a".into()),
            ("x-client-cert-dn", dn.clone()),
            ("x-client-cert-san", san)
        ])
    );
    assert_eq!(line["authenticated_group"], "team-a");
    let (told, _) = passes(&bank, "/c/dn/", Some(&person(&leaf("team-a"))));
    assert_eq!(told, BTreeMap::from([("x-authenticated-groups", dn.clone()), ("x-client-cert-dn", dn)]));
    passes(&bank, "/c/only/", Some(&team));
    let answer = bank.vestibule.ask(Request::get("/c/not/").of(&team).text());
    assert_eq!(bank.refused(&answer, 403), "consumer_group_denied");
    let answer = bank.vestibule.ask(Request::get("/c/only/").of(&good()).text());
    assert_eq!(bank.refused(&answer, 403), "consumer_group_denied");
    // A stranger's certificate stands for nothing.
    let (told, line) = passes(&bank, "/c/permissive/", Some(&person_of(&authorities().stranger, &leaf("team-a"))));
    assert!(told.is_empty() && line.get("authenticated_group").is_none(), "{told:?}");
}

#[test]
fn groups_decide_about_routes() {
    let consumers = "[[consumers]]\nid = \"a\"\nusername = \"a\"\ngroups = [\"staff\", \"eu\"]\n\
                     [[consumers]]\nid = \"b\"\nusername = \"b\"\ngroups = [\"staff\", \"blocked\"]\n\
                     [[consumers]]\nid = \"guest\"\ngroups = [\"guests\"]\n";
    let open = "allow_unauthenticated_requests = true";
    let routes = [
        ("allow/", "allow_groups = [\"staff\"]"),
        ("both/", "allow_groups = [\"staff\"], deny_groups = [\"blocked\"]"),
        ("deny/", "deny_groups = [\"blocked\"]"),
        ("nobody/", &format!("allow_groups = [\"staff\"], {open}")),
        ("guests/", &format!("allow_groups = [\"guests\"], {open}, anonymous = \"guest\"")),
    ];
    let mut of_kong = tenant(consumers, &routes);
    of_kong.top.push_str("error_style = \"kong\"\n");
    let bank = Bank::with(&of_kong);
    let [a, b] = ["a", "b"].map(|name| person(&leaf(name)));
    for (path, who, passes) in [
        ("/c/allow/", Some(&a), true),
        ("/c/allow/", Some(&b), true),
        ("/c/allow/", Some(&good()), false),
        ("/c/both/", Some(&a), true),
        ("/c/both/", Some(&b), false),
        ("/c/deny/", Some(&good()), true),
        ("/c/deny/", Some(&b), false),
        ("/c/nobody/", None, false),
        ("/c/guests/", None, true),
        ("/c/guests/", Some(&a), false),
    ] {
        let request = Request::get(path);
        let request = who.map_or_else(|| request.clone().of_nobody(), |who| request.clone().of(who));
        let answer = bank.vestibule.ask(request.text());
        if passes {
            assert_eq!(answer.status, 200, "{path} {}", bank.vestibule.code(&answer));
            bank.upstream.take_one();
        } else {
            assert_eq!(bank.refused(&answer, 403), "consumer_group_denied", "{path}");
            assert_eq!(answer.json()["message"], "You cannot consume this service");
            let known = bank.vestibule.access_line(&answer).get("consumer.id").is_some();
            assert_eq!(known, who.is_some(), "the log says who it was");
        }
    }
    let answer = unknown(&bank, "/c/allow/", &person(&leaf("stranger")));
    assert_eq!(answer.json()["message"], "TLS certificate failed verification");
}

#[test]
fn the_clients_own_copies_never_arrive() {
    let forged = |request: Request| {
        HEADERS.into_iter().fold(request, |request, name| {
            let underscores = name.replace('-', "_");
            request.with(name, "forged").with(&underscores, "forged").with(&name.to_uppercase(), "forged")
        })
    };
    let without = Bank::open();
    let with = Bank::with(&tenant("", &[("skip/", "skip_consumer_lookup = true")]));
    for (bank, path, person) in [
        (&without, "/", Some(good())),
        (&without, "/public/", None),
        (&without, "/off/", None),
        (&without, "/permissive/", None),
        (&with, "/", Some(good())),
        (&with, "/c/skip/", Some(good())),
        (&with, "/off/", Some(good())),
        (&with, "/public/", None),
    ] {
        let request = forged(Request::get(path));
        let request = person.as_ref().map_or_else(|| request.clone().of_nobody(), |person| request.clone().of(person));
        assert_eq!(bank.vestibule.ask(request.text()).status, 200, "{path}");
        let received = bank.upstream.take_one();
        assert!(!format!("{:?}", received.headers).contains("forged"), "{path} {:?}", received.headers);
    }
}

#[test]
fn rules_and_subrequests_know_the_consumer() {
    let consumers = "[[consumers]]\nid = \"a\"\nusername = \"a\"\ngroups = [\"eu\", \"beta\"]\ntags = [\"gold\"]\n";
    let mut tenant = tenant(consumers, &[("", "")]);
    tenant.tables.push_str(
        "[[rules]]\nname = \"no beta\"\ncriteria = [[\n  { variable = \"${consumer_groups}\", operator = \"is_equal\", argument = \"beta\" },\n  \
         { conditional = \"and\", variable = \"${uri}\", operator = \"is_equal\", argument = \"/c/stable\" },\n]]\n\
         behaviors = [{ type = \"deny\" }]\n\
         [[rules]]\nname = \"tell\"\nbehaviors = [{ type = \"add_request_header\", value = \"X-Tag: ${consumer_username}/${consumer_tags}\" }]\n",
    );
    let bank = Bank::with(&tenant);
    let a = person(&leaf("a"));
    let answer = bank.vestibule.ask(Request::get("/c/stable").of(&a).text());
    assert_eq!(bank.refused(&answer, 403), "denied_by_rule");
    assert_eq!(bank.vestibule.ask(Request::get("/c/x").of(&a).text()).status, 200);
    assert_eq!(bank.upstream.take_one().header("x-tag"), "a/gold");
    let asked = Request::get("/-/authorize").with("X-Original-URI", "/c/x").with("X-Original-Method", "GET").of(&a);
    let answer = bank.vestibule.ask(asked.text());
    assert_eq!((answer.status, answer.header("x-consumer-id")), (200, Some("a")));
    assert_eq!(answer.header("x-consumer-groups"), Some("eu, beta"));
}

#[test]
fn expressions_know_the_consumer() {
    let consumers = "[[consumers]]\nid = \"a\"\nusername = \"a\"\ngroups = [\"eu\", \"beta\"]\ntags = [\"gold\"]\n\
                     [[consumers]]\nid = \"guest\"\n";
    let routes = [("", ""), ("guests/", "allow_unauthenticated_requests = true, anonymous = \"guest\"")];
    let mut tenant = tenant(consumers, &routes);
    for (name, when) in [
        ("one", "identity.consumer_id == 'a' && identity.consumer_username.startsWith('a')"),
        ("two", "'beta' in identity.consumer_groups && identity.consumer_tags.exists(tag, tag == 'gold')"),
        ("three", "identity.consumer_anonymous"),
        ("four", "identity.consumer_id == '' && size(identity.consumer_groups) == 0"),
    ] {
        let _ = write!(
            tenant.tables,
            "[[rules]]\nname = \"{name}\"\nwhen = \"{when}\"\n\
             behaviors = [{{ type = \"add_request_header\", value = \"X-Held: {name}\" }}]\n"
        );
    }
    // The response phase knows it too.
    tenant.tables.push_str(
        "[[rules]]\nname = \"back\"\nphase = \"response\"\n\
         behaviors = [{ type = \"add_response_header\", value = \"X-Was: ${consumer_id}\" }]\n",
    );
    let bank = Bank::with(&tenant);
    let held = |request: Request| {
        let answer = bank.vestibule.ask(request.text());
        assert_eq!(answer.status, 200, "{}", bank.vestibule.code(&answer));
        let received = bank.upstream.take_one();
        let lines = received.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("x-held"));
        let held: Vec<String> = lines.map(|(_, value)| value.clone()).collect();
        (held.join(" "), answer.header("x-was").unwrap_or_default().to_owned())
    };
    assert_eq!(held(Request::get("/c/").of(&person(&leaf("a")))), ("one two".into(), "a".into()));
    assert_eq!(held(Request::get("/c/guests/").of_nobody()), ("three".into(), "guest".into()));
    assert_eq!(held(Request::get("/permissive/").of_nobody()), ("four".into(), String::new()));
}

#[test]
fn a_route_that_only_watches_refuses_no_consumer() {
    let consumers = "[[consumers]]\nid = \"b\"\nusername = \"b\"\ngroups = [\"blocked\"]\n";
    let routes = [("watched/", "verification_mode = \"monitor\", deny_groups = [\"blocked\"]")];
    let bank = Bank::with(&tenant(consumers, &routes));
    // Whoever is known stays known; whoever is not known is nobody.
    let (told, line) = passes(&bank, "/c/watched/", Some(&person(&leaf("b"))));
    assert_eq!(told["x-consumer-id"], "b");
    assert_eq!(line["monitored"], serde_json::json!(["verification: consumer_group_denied"]), "{line}");
    let (told, line) = passes(&bank, "/c/watched/", Some(&person(&leaf("nobody"))));
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(line["monitored"], serde_json::json!(["verification: consumer_unknown"]), "{line}");
    // What is not verified has no name either.
    let (told, line) = passes(&bank, "/c/watched/", Some(&person_of(&authorities().stranger, &leaf("b"))));
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(line["monitored"], serde_json::json!(["verification: certificate_untrusted"]), "{line}");
    let (_, line) = passes(&bank, "/c/watched/", Some(&good()));
    assert!(line.get("monitored").is_none(), "{line}");
}

/// One consumer as a line.
fn line(at: usize) -> String {
    format!(
        r#"{{"id": "id-{at}", "username": "user-{at}", "groups": ["all"], "credentials": [{{"subject_name": "host-{at}.example"}}]}}"#
    )
}

#[test]
fn a_hundred_thousand_from_a_file_that_changes() {
    const MANY: usize = 100_000;
    let upstream = RecordingUpstream::start();
    let mut tenant = tenant("", &[("", "")]);
    tenant.top.push_str("consumers_file = \"lists/consumers.jsonl\"\n");
    let mut files = files(&[(tenant, upstream.url())]);
    let lines: String = (0..MANY).fold(String::new(), |lines, at| lines + &line(at) + "\n");
    files.push(("lists/consumers.jsonl".into(), lines));
    let bank = Bank { vestibule: Vestibule::start(&files), upstream };
    for at in [0, MANY / 2, MANY - 1] {
        is(&bank, "/c/", &person(&leaf(&format!("user-{at}"))), &format!("id-{at}"), "username");
        let host = format!("host-{at}.example");
        is(&bank, "/c/", &person(&Leaf { dns: vec![host], ..leaf("x") }), &format!("id-{at}"), "subject_name");
    }
    let late = person(&leaf("user-100000"));
    unknown(&bank, "/c/", &late);
    bank.vestibule.replace_file("lists/consumers.jsonl", &format!("\n{}\n", line(MANY)));
    wait_until(|| bank.vestibule.counter("vestibule_reloads_total") > 0, || bank.vestibule.diagnostics());
    is(&bank, "/c/", &late, "id-100000", "username");
    unknown(&bank, "/c/", &person(&leaf("user-0")));
    // A broken file changes nothing.
    bank.vestibule.replace_file("lists/consumers.jsonl", "");
    bank.vestibule.wait_for_diagnostics("holds no consumer");
    is(&bank, "/c/", &late, "id-100000", "username");
    bank.assert_still_serves();
}

#[test]
fn hostile_names_stay_in_their_header() {
    let routes = [("", "skip_consumer_lookup = true"), ("not/", "skip_consumer_lookup = true, deny_groups = [\"blocked\"]")];
    let bank = Bank::with(&tenant("", &routes));
    for (name, groups) in [
        ("a\r\nX-Evil: 1", "a\\0D\\0AX-Evil: 1"),
        // A reader of the list would take it for two groups.
        ("a, admin", ""),
        ("a,", ""),
        ("caf\u{e9}", "caf\\C3\\A9"),
        ("\u{0}", "\\00"),
    ] {
        let request = Request::get("/c/").carrying(&escaped(&person(&leaf(name)).certificate));
        assert_eq!(bank.vestibule.ask(request.text()).status, 200, "{name:?}");
        let received = bank.upstream.take_one();
        assert_eq!(received.header("x-evil"), "");
        assert_eq!(received.header("x-authenticated-groups"), groups, "{name:?}");
    }
    // Who stands for no group cannot show that it is not a denied one.
    for (name, passes) in [("a", true), ("blocked", false), ("blocked, a", false)] {
        let request = Request::get("/c/not/").carrying(&escaped(&person(&leaf(name)).certificate));
        let answer = bank.vestibule.ask(request.text());
        if passes {
            assert_eq!(answer.status, 200, "{name:?}");
            bank.upstream.take_one();
        } else {
            assert_eq!(bank.refused(&answer, 403), "consumer_group_denied", "{name:?}");
        }
    }
}
