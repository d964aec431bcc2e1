//! The end of certificates, told ahead: to the operator once a day, to the client if the route says so.

use crate::bank::{Bank, Person, Request, Tenant, authorities, crls, good, leaf, now, person};
use crate::pki::{DAY, Dates, Leaf, self_signed_by};
use crate::vestibule_program::wait_until;

const HEADER: &str = "x-client-cert-expires";

fn tenant() -> Tenant {
    let routes = [
        ("/told/", "expiry_warning_header = \"X-Client-Cert-Expires\""),
        ("/told/late/", "expiry_warning_header = \"X-Client-Cert-Expires\", expiry_warning = \"5d\""),
        ("/told/never/", "expiry_warning = \"0d\""),
        ("/told/permissive/", "verification = \"permissive\", expiry_warning_header = \"X-Client-Cert-Expires\""),
        ("/told/grace/", "allow_expired_certificates = true, expiry_warning_header = \"X-Client-Cert-Expires\""),
    ];
    let route =
        |(path, policy): (&str, &str)| format!("[[routes]]\npath = \"{path}\"\nupstream = \"core\"\npolicy = {{ {policy} }}\n");
    Tenant { tables: routes.map(route).concat(), ..Tenant::default() }
}

fn ends_in(seconds: i64) -> Person {
    person(&Leaf { dates: Dates(now() - DAY, now() + seconds), ..leaf("soon") })
}

/// Lines on stderr with this message.
fn lines(bank: &Bank, message: &str) -> Vec<serde_json::Value> {
    let said = bank.vestibule.diagnostics();
    let lines = said.lines().filter(|line| line.contains(message));
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"))).collect()
}

fn counted(bank: &Bank) -> u64 {
    bank.vestibule.counter("vestibule_certificates_expiring_total{tenant=\"bank\"}")
}

#[test]
fn the_client_is_told_where_the_route_says_so() {
    let bank = Bank::with(&tenant());
    let soon = ends_in(10 * DAY);
    let end = vestibule::x509::certificate::Certificate::from_der(&soon.certificate.to_der().unwrap()).unwrap();
    let end = end.not_after().to_unix().unwrap().rfc3339();
    let past = person(&Leaf { dates: crate::bank::expired(), ..leaf("past") });
    let itself = Person { certificate: self_signed_by(&leaf("itself"), &soon.key), key: soon.key.clone() };
    let near = Dates(now() - DAY, now() + DAY);
    let near_itself =
        Person { certificate: self_signed_by(&Leaf { dates: near, ..leaf("near") }, &soon.key), key: soon.key.clone() };
    for (path, who, told) in [
        ("/told/", &soon, true),
        ("/told/late/", &soon, false),
        ("/told/never/", &soon, false),
        ("/", &soon, false),
        ("/told/permissive/", &soon, true),
        ("/told/", &good(), false),
        ("/told/grace/", &past, true),
        // Whoever was not verified is told nothing.
        ("/told/permissive/", &past, false),
        ("/told/permissive/", &itself, false),
        ("/told/permissive/", &near_itself, false),
    ] {
        let answer = bank.vestibule.ask(Request::get(path).of(who).text());
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header(HEADER).is_some(), told, "{path}");
        if path == "/told/" && told {
            assert_eq!(answer.header(HEADER), Some(end.as_str()));
        }
        bank.upstream.take();
    }
    let refused = bank.vestibule.ask(Request::get("/told/").of(&past).text());
    assert_eq!((refused.status, refused.header(HEADER)), (401, None));
    let asked = Request::get("/-/authorize").with("x-original-uri", "/told/").with("x-original-method", "GET");
    let answer = bank.vestibule.ask(asked.clone().of(&soon).text());
    assert_eq!((answer.status, answer.header(HEADER)), (200, Some(end.as_str())));
    assert_eq!(bank.vestibule.ask(asked.of(&good()).text()).header(HEADER), None);
}

#[test]
fn the_operator_is_told_once_a_day() {
    let bank = Bank::with(&tenant());
    let (one, other, never, far) = (ends_in(10 * DAY + 60), ends_in(29 * DAY), ends_in(5 * DAY), ends_in(31 * DAY));
    assert_eq!(counted(&bank), 0);
    let day = now() / DAY;
    for _ in 0..3 {
        for (path, who) in [("/", &one), ("/told/", &one), ("/", &other), ("/told/never/", &never), ("/", &far)] {
            assert_eq!(bank.vestibule.ask(Request::get(path).of(who).text()).status, 200);
        }
    }
    // Refused, so nobody's client: not told.
    let stranger = self_signed_by(&Leaf { dates: Dates(now() - DAY, now() + DAY), ..leaf("stranger") }, &one.key);
    let refused = bank.vestibule.ask(Request::get("/").of(&Person { certificate: stranger, key: one.key.clone() }).text());
    assert_eq!(refused.status, 401);
    let message = "a client's certificate ends soon";
    wait_until(|| lines(&bank, message).len() >= 2, || bank.vestibule.diagnostics());
    let told = lines(&bank, message);
    let line = told.iter().find(|line| line["cert.days_left"] == 10).unwrap_or_else(|| panic!("{told:?}"));
    assert_eq!(line["level"], "WARN");
    assert_eq!((&line["tenant"], &line["cert.subject"]), (&"bank".into(), &"CN=soon,O=Vestibule Test".into()));
    assert_eq!(line["cert.fingerprint"], hex::encode(openssl::sha::sha256(&one.certificate.to_der().unwrap())));
    assert!(line["cert.not_after"].as_str().unwrap().ends_with('Z'), "{line}");
    if day == now() / DAY {
        assert_eq!((told.len(), counted(&bank)), (2, 2), "{told:?}");
    }
    // A reload is no new day.
    bank.vestibule.signal("HUP");
    bank.vestibule.wait_for_counter("vestibule_reloads_total", 1);
    assert_eq!(bank.vestibule.ask(Request::get("/").of(&one).text()).status, 200);
    if day == now() / DAY {
        assert_eq!(counted(&bank), 2);
    }
}

#[test]
fn the_ends_of_trusted_cas() {
    let text = |warning: &str| {
        let tenant = Tenant { tables: String::new(), ..tenant() };
        tenant.text("http://127.0.0.1:9").replace("[policy]\n", &format!("[policy]\nexpiry_warning = \"{warning}\"\n"))
    };
    let mut files = crate::bank::files(&[]);
    files.push(("tenants/bank.toml".into(), text("30d")));
    let bank = Bank {
        vestibule: crate::vestibule_program::Vestibule::start(&files),
        upstream: crate::recording_upstream::RecordingUpstream::start(),
    };
    let end = |der: &[u8]| {
        let end = vestibule::x509::certificate::Certificate::from_der(der).unwrap();
        u64::try_from(end.not_after().to_unix().unwrap().0).unwrap()
    };
    let gauge = "vestibule_trusted_ca_not_after_timestamp_seconds{tenant=\"bank\"}";
    wait_until(|| bank.vestibule.ask_admin("/metrics").text().contains(gauge), || bank.vestibule.diagnostics());
    assert_eq!(bank.vestibule.counter(gauge), end(&authorities().root.certificate.to_der().unwrap()));
    let crl = bank.vestibule.counter("vestibule_crl_next_update_timestamp_seconds{tenant=\"bank\"}");
    assert!(crl.abs_diff(u64::try_from(now() + DAY).unwrap()) < 600, "{crl}");
    let message = "a trusted CA's certificate ends soon";
    assert_eq!(lines(&bank, message).len(), 0);
    // Both CAs end in 400 days.
    bank.vestibule.replace_file("tenants/bank.toml", &text("500d"));
    wait_until(|| lines(&bank, message).len() >= 2, || bank.vestibule.diagnostics());
    let told = lines(&bank, message);
    assert_eq!(told.len(), 2);
    assert!(told.iter().any(|line| line["cert.subject"] == "CN=Journey Root,O=Vestibule Test"), "{told:?}");
    assert!(told.iter().all(|line| line["cert.days_left"].as_i64().is_some_and(|days| (398..=400).contains(&days))));
    let day = now() / DAY;
    bank.vestibule.replace_file("crl/clients.pem", &crls(&[1, 2]));
    bank.vestibule.wait_for_counter("vestibule_reloads_total", 2);
    std::thread::sleep(std::time::Duration::from_millis(1200));
    if day == now() / DAY {
        assert_eq!(lines(&bank, message).len(), 2, "a reload is no new day");
    }
}
